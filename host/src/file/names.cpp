// Names and handlers; no system call but for home directories.
#include "file/names.hpp"
#include "system/accounts.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "neovm/text/regex.hpp"
#include "process/environment.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

Maybe<std::string> encode_file_name(Context& cx, Value name) {
  if (!name.is_string()) return wrong_type(cx, Qstringp, name);
  std::string bytes = to_std_string(name);
  if (bytes.find('\0') != std::string::npos) return wrong_type(cx, Qfilenamep, name);
  return bytes;
}

Value decode_file_name(Context& cx, std::string_view bytes) { return make_string(cx, bytes); }

Value string_like(Context& cx, Value like, std::string_view bytes) {
  return string_multibyte(like) ? make_multibyte_string(cx, bytes) : make_unibyte_string(cx, bytes);
}

ExitTag file_error(Context& cx, const char* action, Value names, int error) {
  const Value tail = names.is_list() ? names : list(cx, {names});
  const Value reason = make_string(cx, std::strerror(error));
  if (error == EEXIST) return signal_error(cx, Qfile_already_exists, cons(cx, reason, tail));
  const Value data = cons(cx, make_string(cx, action), cons(cx, reason, tail));
  return signal_error(cx, error == ENOENT ? Qfile_missing : Qfile_error, data);
}

Maybe<std::int64_t> regexp_position(Context& cx, Value regexp, Value string, bool fold) {
  text::RegexOptions options;
  options.target_multibyte = string_multibyte(string);
  options.fold = fold;
  if (text::regex_refuses(cx, regexp, options, string_view_of(string))) return -1;
  const text::Regex* compiled = TRY(text::regex_compile(cx, regexp, options));
  text::RegexSubject subject;
  subject.text.first = string_data_raw(string);
  subject.text.first_bytes = string_bytes(string);
  subject.text.multibyte = string_multibyte(string);
  subject.end = string_bytes(string);
  return text::regex_search(cx, *compiled, subject, 0, subject.end, subject.end, nullptr);
}

// ---- handlers ---------------------------------------------------------------------------------------

// Of all entries that match, the one whose match starts last wins.
Value find_handler_re(Context& cx, Value name, Value operation) {
  if (!name.is_string()) return wrong_type(cx, Qstringp, name);
  Value chain = variable_value(cx, Qfile_name_handler_alist);
  if (!chain.is_cons()) return kNil;
  const bool inhibits = variable_value(cx, Qinhibit_file_name_operation) == operation;
  const Value inhibited = inhibits ? variable_value(cx, Qinhibit_file_name_handlers) : kNil;
  Value result = kNil;
  std::int64_t best = -1;
  for (; chain.is_cons(); chain = cdr_raw(chain)) {
    TRY(check_quit(cx));
    const Value entry = car_raw(chain);
    if (!entry.is_cons() || !car_raw(entry).is_string()) continue;
    const Value handler = cdr_raw(entry);
    if (handler.is_symbol()) {
      const Value operations = symbol_get(cx, handler, Qoperations);
      if (operations.truthy() && !memq(operation, operations).truthy()) continue;
    }
    const std::int64_t at = TRY(regexp_position(cx, car_raw(entry), name, false));
    if (at > best && !memq(handler, inhibited).truthy()) {
      result = handler;
      best = at;
    }
  }
  return result;
}

Value call_handler_re(Context& cx, Value name, Value operation, std::initializer_list<Value> args) {
  const Value handler = find_handler_re(cx, name, operation);
  if (handler.is_exit()) return handler;
  if (handler.is_nil()) return kUnbound;
  Value all[10];
  std::size_t n = 0;
  all[n++] = operation;
  for (const Value v : args) all[n++] = v;
  return funcall_re(cx, handler, std::span<const Value>(all, n));
}

// ---- text -------------------------------------------------------------------------------------------

std::string unquoted_name(std::string_view name) {
  if (!name.starts_with("/:")) return std::string(name);
  return name.size() > 2 ? std::string(name.substr(2)) : "/";
}

std::string as_directory(std::string_view name) {
  if (name.empty()) return "./";
  std::string out(name);
  if (out.back() != '/') out += '/';
  return out;
}

// Exactly two leading slashes are special to POSIX and stay.
std::string directory_as_file(std::string_view name) {
  if (name == "//") return "//";
  std::size_t n = name.size();
  while (n > 1 && name[n - 1] == '/') --n;
  return std::string(name.substr(0, n));
}

std::string home_directory(Context& cx, std::string_view user) {
  if (user.empty()) {
    std::string home;
    if (lisp_getenv(cx, "HOME", &home)) return home;
    const UserById entry(getuid());
    const passwd* pw = entry.get();
    return pw != nullptr && pw->pw_dir != nullptr ? pw->pw_dir : "/";
  }
  const UserByName entry(std::string(user).c_str());
  const passwd* pw = entry.get();
  return pw != nullptr && pw->pw_dir != nullptr ? pw->pw_dir : "";
}

}  // namespace neomacs::host
