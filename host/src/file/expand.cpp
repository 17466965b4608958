// expand-file-name.
#include <pwd.h>
#include <unistd.h>

#include "file/names.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

namespace {

constexpr const char* kInvalidHandler = "Invalid handler in ‘file-name-handler-alist’";

// Bytes of S in the multibyte encoding when `multibyte`, else as they are.
std::string internal_bytes(Context& cx, Value s, bool multibyte) {
  if (string_multibyte(s) || !multibyte) return std::string(string_view_of(s));
  const Value decoded = make_string(cx, string_view_of(s));
  return decoded.is_string() ? std::string(string_view_of(decoded)) : std::string();
}

bool ascii_only(Value s) {
  for (const char c : string_view_of(s))
    if ((c & 0x80) != 0) return false;
  return true;
}

bool absolute(Value name) { return name.is_string() && string_view_of(name).starts_with('/'); }

// "~…" at the start of a name, resolved: home directory and how much of the name it stands for.
struct Tilde {
  std::string home;
  std::size_t length = 0;
  bool found = false;
};

Tilde resolve_tilde(Context& cx, std::string_view name) {
  Tilde out;
  if (name.empty() || name[0] != '~') return out;
  out.length = std::min(name.size(), name.find('/'));
  out.home = home_directory(cx, name.substr(1, out.length - 1));
  if (out.length == 1 && (out.home.empty() || out.home[0] != '/')) {
    char cwd[4096];
    if (getcwd(cwd, sizeof cwd) != nullptr) out.home = std::string(cwd) + "/" + out.home;
  }
  out.found = !out.home.empty();
  if (out.found && out.length == name.size()) out.home = directory_as_file(out.home);
  return out;
}

// True when no slash has a dot or a slash behind it: most names.
bool surely_canonical(std::string_view name) {
  for (std::size_t slash = name.find('/'); slash < name.size() - 1; slash = name.find('/', slash + 1))
    if (name[slash + 1] == '.' || name[slash + 1] == '/') return false;
  return true;
}

// Removes "/.", "/x/.." and doubled slashes from an absolute name. Two leading slashes stay, and so does
// a "/.." that has nothing before it.
std::string canonical(std::string_view name) {
  if (name.empty() || surely_canonical(name)) return std::string(name);
  std::string out;
  out.reserve(name.size());
  const auto at = [&](std::size_t i) { return i < name.size() ? name[i] : '\0'; };
  const auto ends = [&](std::size_t i) { return i >= name.size() || name[i] == '/'; };
  std::size_t p = 0;
  while (p < name.size()) {
    if (name[p] != '/') {
      out += name[p++];
    } else if (at(p + 1) == '.' && ends(p + 2)) {
      if (out.empty() && p + 2 >= name.size()) out += '/';
      p += 2;
    } else if (at(p + 1) == '.' && at(p + 2) == '.' && ends(p + 3) && !out.empty()) {
      out.resize(out.rfind('/'));
      if (out.empty() && p + 3 >= name.size()) out += '/';
      p += 3;
    } else if (at(p + 1) == '/' && (p != 0 || at(p + 2) == '/')) {
      ++p;
    } else {
      out += name[p++];
    }
  }
  return out;
}

}  // namespace

Value expand_file_name_re(Context& cx, Value name, Value default_directory) {
  if (!name.is_string()) return wrong_type(cx, Qstringp, name);
  if (string_view_of(name).find('\0') != std::string_view::npos) return wrong_type(cx, Qfilenamep, name);
  Value handled = call_handler_re(cx, name, Qexpand_file_name, {name, default_directory});
  if (handled.is_unbound()) {
    if (default_directory.is_nil()) default_directory = variable_value(cx, Qdefault_directory);
    if (!default_directory.is_string()) default_directory = make_unibyte_string(cx, "/");
    handled = call_handler_re(cx, default_directory, Qexpand_file_name, {name, default_directory});
  }
  if (!handled.is_unbound()) {
    if (handled.is_string() || handled.is_exit()) return handled;
    return error_text(cx, kInvalidHandler);
  }
  std::string_view text = string_view_of(name);
  if (!text.empty() && text[0] == '/') return string_like(cx, name, canonical(text));
  Tilde tilde = resolve_tilde(cx, text);
  if (tilde.found) return string_like(cx, name, canonical(tilde.home + std::string(text.substr(tilde.length))));

  const std::string_view given = string_view_of(default_directory);
  if (given.empty() || given[0] != '/') {
    tilde = resolve_tilde(cx, given);
    if (tilde.found) {
      const std::string whole = tilde.home + std::string(given.substr(tilde.length));
      default_directory = string_like(cx, default_directory, whole);
    } else {
      // A relative default-directory hangs on the folder of the program.
      const bool last = default_directory == variable_value(cx, Qdefault_directory);
      const Value base_directory = last ? variable_value(cx, Qinvocation_directory) : kNil;
      if (last && !absolute(base_directory)) return error_text(cx, "No absolute directory to expand from");
      default_directory = TRY(expand_file_name_re(cx, default_directory, base_directory));
    }
  }
  const bool multibyte = string_multibyte(default_directory) || (string_multibyte(name) && !ascii_only(name));
  std::string base = internal_bytes(cx, default_directory, multibyte);
  base.resize(std::min(base.size(), base.find('\0')));
  base = directory_as_file(base);
  const std::string rest = internal_bytes(cx, name, multibyte);
  if (!rest.empty() && base.back() != '/') base += '/';
  base = canonical(base + rest);
  return multibyte ? make_multibyte_string(cx, base) : make_unibyte_string(cx, base);
}

NEOVM_PRIMITIVE(expand_file_name, "expand-file-name", 1, 2, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kNondeterministic, "Make NAME absolute, relative to DEFAULT-DIRECTORY, and canonical.")
(Context& cx, Value name, Value default_directory) { return expand_file_name_re(cx, name, default_directory); }

}  // namespace neomacs::host
