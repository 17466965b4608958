// File names: text operations, conversion to and from the system's bytes, and the handlers that Lisp may
// put in front of every file operation (file-name-handler-alist).
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "neovm/abi/api.hpp"

namespace neomacs::host {

using neovm::Context;
using neovm::Maybe;
using neovm::Value;

// A file name as the system wants it; signals (wrong-type-argument filenamep NAME) for a NUL byte in it.
Maybe<std::string> encode_file_name(Context& cx, Value name);
// A name from the system as a Lisp string: UTF-8, stray bytes as raw bytes.
Value decode_file_name(Context& cx, std::string_view bytes);
// A string with `like`'s multibyteness and the given internal bytes.
Value string_like(Context& cx, Value like, std::string_view bytes);

// Byte offset of the first match of REGEXP in STRING, or -1. The match data stay as they are.
Maybe<std::int64_t> regexp_position(Context& cx, Value regexp, Value string, bool fold);

// The handler for OPERATION on NAME, or nil.
Value find_handler_re(Context& cx, Value name, Value operation);
// Runs the handler of (OPERATION ARGS…) when NAME has one; kUnbound when it has none.
Value call_handler_re(Context& cx, Value name, Value operation, std::initializer_list<Value> args);

// (expand-file-name NAME DEFAULT) including handlers.
Value expand_file_name_re(Context& cx, Value name, Value default_directory);
// What nearly every file primitive starts with: NAME checked and expanded.
inline Value expand_re(Context& cx, Value name) { return expand_file_name_re(cx, name, neovm::kNil); }

// Text operations on internal bytes.
// A quoted name ("/:...") as the system knows it; any other as it is.
std::string unquoted_name(std::string_view name);
std::string as_directory(std::string_view name);
std::string directory_as_file(std::string_view name);
// Bytes of NAME up to and including the last slash.
inline std::size_t directory_length(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  return slash == std::string_view::npos ? 0 : slash + 1;
}

// Home directory of the user named (empty: of this process, by HOME first); empty string when unknown.
std::string home_directory(Context& cx, std::string_view user);

// (file-missing ACTION STRERROR NAMES…) and its relatives; `names` is a value or a list of values.
neovm::ExitTag file_error(Context& cx, const char* action, Value names, int error);
inline neovm::ExitTag file_error(Context& cx, const char* action, Value names) {
  return file_error(cx, action, names, errno);
}

// Hands the operation to the handler of NAME if there is one.
#define NEOMACS_TRY_HANDLER(cx, name, operation, ...)                                    \
  do {                                                                                   \
    const ::neovm::Value handled_ = call_handler_re(cx, name, operation, {__VA_ARGS__}); \
    if (!handled_.is_unbound()) return handled_;                                         \
  } while (false)

}  // namespace neomacs::host
