// Primitives over file names that look at no file.
#include <pwd.h>
#include <unistd.h>

#include "file/names.hpp"
#include "system/accounts.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

namespace {

constexpr const char* kInvalidHandler = "Invalid handler in ‘file-name-handler-alist’";

// The handler's answer when it is a string (or nil where that is allowed).
Value checked_answer(Context& cx, Value v, bool or_nil) {
  if (v.is_exit() || v.is_string() || (or_nil && v.is_nil())) return v;
  return error_text(cx, kInvalidHandler);
}

#define TRY_STRING_HANDLER(cx, name, operation, or_nil, ...)                    \
  do {                                                                          \
    if (!(name).is_string()) return wrong_type(cx, Qstringp, name);             \
    const Value handled_ = call_handler_re(cx, name, operation, {__VA_ARGS__}); \
    if (!handled_.is_unbound()) return checked_answer(cx, handled_, or_nil);    \
  } while (false)

bool known_user(std::string_view tilde_name) {
  const std::string_view user = tilde_name.substr(1, std::min(tilde_name.size(), tilde_name.find('/')) - 1);
  return user.empty() || UserByName(std::string(user).c_str()).get() != nullptr;
}

bool absolute(std::string_view name) {
  return !name.empty() && (name[0] == '/' || (name[0] == '~' && known_user(name)));
}

// Where the last absolute name inside NAME begins: "//" or "/~user" start over.
std::size_t restart(std::string_view name) {
  for (std::size_t p = name.size(); p-- > 1;) {
    if (name[p - 1] != '/') continue;
    if (name[p] == '/') return p;
    if (name[p] == '~' && known_user(name.substr(p))) return p;
  }
  return 0;
}

NEOVM_PRIMITIVE(find_file_name_handler, "find-file-name-handler", 2, 2, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return the handler that file-name-handler-alist gives FILENAME for OPERATION.")
(Context& cx, Value name, Value operation) { return find_handler_re(cx, name, operation); }

NEOVM_PRIMITIVE(file_name_directory, "file-name-directory", 1, 1, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return the directory part of FILENAME with its slash, or nil.")
(Context& cx, Value name) {
  TRY_STRING_HANDLER(cx, name, Qfile_name_directory, true, name);
  const std::string_view text = string_view_of(name);
  const std::size_t n = directory_length(text);
  return n == 0 ? kNil : string_like(cx, name, std::string(text.substr(0, n)));
}

NEOVM_PRIMITIVE(file_name_nondirectory, "file-name-nondirectory", 1, 1, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return FILENAME without its directory part.")
(Context& cx, Value name) {
  TRY_STRING_HANDLER(cx, name, Qfile_name_nondirectory, false, name);
  const std::string_view text = string_view_of(name);
  return string_like(cx, name, std::string(text.substr(directory_length(text))));
}

NEOVM_PRIMITIVE(unhandled_file_name_directory, "unhandled-file-name-directory", 1, 1, kWorkerSafe, kStateRead, kMayGc,
                kReenters, kDeterministic, "Return a local directory that stands for FILENAME's.")
(Context& cx, Value name) {
  TRY_STRING_HANDLER(cx, name, Qunhandled_file_name_directory, true, name);
  return string_like(cx, name, as_directory(string_view_of(name)));
}

NEOVM_PRIMITIVE(file_name_as_directory, "file-name-as-directory", 1, 1, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return FILE as the name of a directory: with a slash at its end.")
(Context& cx, Value name) {
  TRY_STRING_HANDLER(cx, name, Qfile_name_as_directory, false, name);
  return string_like(cx, name, as_directory(string_view_of(name)));
}

NEOVM_PRIMITIVE(directory_file_name, "directory-file-name", 1, 1, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return DIRECTORY as the name of a file: without slashes at its end.")
(Context& cx, Value name) {
  TRY_STRING_HANDLER(cx, name, Qdirectory_file_name, false, name);
  return string_like(cx, name, directory_as_file(string_view_of(name)));
}

NEOVM_PRIMITIVE(directory_name_p, "directory-name-p", 1, 1, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return t when NAME ends in a slash.")
(Context& cx, Value name) {
  TRY(check_type(cx, name.is_string(), Qstringp, name));
  return boolean(string_view_of(name).ends_with('/'));
}

NEOVM_PRIMITIVE(file_name_absolute_p, "file-name-absolute-p", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kNondeterministic, "Return t when FILENAME begins with a slash or a known user's tilde.")
(Context& cx, Value name) {
  TRY(check_type(cx, name.is_string(), Qstringp, name));
  return boolean(absolute(string_view_of(name)));
}

NEOVM_PRIMITIVE(file_name_concat, "file-name-concat", 1, kMany, kWorkerSafe, kPureRead, kMayGc, kNoReentry,
                kDeterministic, "Join DIRECTORY and COMPONENTS with slashes; nil and empty ones are left out.")
(Context& cx, Arguments args) {
  // Multibyte as soon as one part has a non-ASCII multibyte character.
  bool multibyte = false;
  for (const Value v : args) {
    if (v.is_nil()) continue;
    if (!v.is_string()) return wrong_type(cx, Qstringp, v);
    multibyte |= string_multibyte(v) && string_chars(v) != string_bytes(v);
  }
  std::string out;
  std::size_t left = 0;
  for (const Value v : args) left += static_cast<std::size_t>(v.is_string() && string_bytes(v) > 0);
  for (const Value v : args) {
    if (!v.is_string() || string_bytes(v) == 0) continue;
    if (multibyte && !string_multibyte(v)) {
      for (const char c : string_view_of(v)) {  // a stray byte becomes a raw-byte character
        const auto b = static_cast<unsigned char>(c);
        if (b < 0x80) {
          out += c;
        } else {
          out += static_cast<char>(0xC0 | ((b >> 6) & 1));
          out += static_cast<char>(0x80 | (b & 0x3F));
        }
      }
    } else {
      out += string_view_of(v);
    }
    if (--left > 0 && out.back() != '/') out += '/';
  }
  return multibyte ? make_multibyte_string(cx, out) : make_unibyte_string(cx, out);
}

NEOVM_PRIMITIVE(substitute_in_file_name, "substitute-in-file-name", 1, 1, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kNondeterministic, "Replace $NAME and ${NAME} in FILENAME, and drop what comes before // or /~.")
(Context& cx, Value name) {
  TRY_STRING_HANDLER(cx, name, Qsubstitute_in_file_name, false, name);
  for (int pass = 0;; ++pass) {
    const std::string_view text = string_view_of(name);
    const std::size_t at = restart(text);
    if (at != 0) {
      name = TRY(string_like(cx, name, std::string(text.substr(at))));
      const Value handled = call_handler_re(cx, name, Qsubstitute_in_file_name, {name});
      if (!handled.is_unbound()) return checked_answer(cx, handled, false);
    }
    if (pass == 1 || string_view_of(name).find('$') == std::string_view::npos) return name;
    const Value replaced = TRY(funcall_re(cx, Qsubstitute_env_in_file_name, {name}));
    if (!replaced.is_string()) return wrong_type(cx, Qstringp, replaced);
    if (string_equal(replaced, name)) return name;
    name = replaced;
  }
}

NEOVM_PRIMITIVE(car_less_than_car, "car-less-than-car", 2, 2, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return t when the car of A is a smaller number than the car of B.")
(Context& cx, Value a, Value b) {
  TRY(check_type(cx, b.is_list(), Qlistp, b));
  TRY(check_type(cx, a.is_list(), Qlistp, a));
  const HostHooks& hooks = host_hooks(cx);
  const auto number = [&](Value v) -> Value {
    if (hooks.is_marker(v)) return hooks.marker_position(cx, v);
    return is_number(v) ? v : wrong_type(cx, Qnumber_or_marker_p, v);
  };
  const Value x = TRY(number(car_of_list(a)));
  const Value y = TRY(number(car_of_list(b)));
  return boolean(compare_numbers_raw(x, y) == -1);
}

}  // namespace
}  // namespace neomacs::host
