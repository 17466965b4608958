// JSON texts and Lisp objects (json.c of GNU, which stands on Jansson: its messages and limits are part of the behaviour).
#pragma once

#include <string>

#include "neovm/abi/api.hpp"

namespace neovm::elisp {

struct JsonOptions {
  enum class Objects : std::uint8_t { kHashTable, kAlist, kPlist } objects = Objects::kHashTable;
  bool arrays_are_lists = false;
  Value null_object = kNil;
  Value false_object = kNil;
};
// Reads the keyword arguments; the object and array types only when `parsing`.
Maybe<bool> read_json_options(Context& cx, std::span<const Value> args, bool parsing, JsonOptions* options);

// How many containers may nest before `json-object-too-deep`: each counts as a level of `max-lisp-eval-depth`.
// Text without bytes that are no UTF-8.
bool is_json_text(std::string_view bytes);
std::int64_t json_depth_left(Context& cx);

// Appends the JSON text of V to *out (UTF-8).
Maybe<bool> write_json(Context& cx, Value v, const JsonOptions& options, std::string* out);
// Parses one value at the start of `text` (internal encoding). Unless `consumed` is null, more may follow and the number of
// bytes used is stored there.
Value parse_json_re(Context& cx, std::string_view text, const char* source, const JsonOptions& options,
                    std::size_t* consumed);

}  // namespace neovm::elisp
