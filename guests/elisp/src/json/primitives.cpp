// The primitives of json.c.
#include "../print/printer.hpp"
#include "json.hpp"
#include "neovm/text/characters.hpp"

namespace neovm::elisp {

Maybe<bool> read_json_options(Context& cx, std::span<const Value> args, bool parsing, JsonOptions* options) {
  options->null_object = intern(cx, ":null");
  options->false_object = intern(cx, ":false");
  if (args.size() % 2 != 0) return wrong_type(cx, intern(cx, "plistp"), list_from(cx, args));
  // Earlier ones win.
  for (std::size_t i = args.size(); i >= 2; i -= 2) {
    const Value key = args[i - 2];
    const Value v = args[i - 1];
    const std::string_view name = key.is_symbol() ? symbol_name_view(cx, key) : std::string_view{};
    if (parsing && name == ":object-type") {
      const std::string_view type = v.is_symbol() ? symbol_name_view(cx, v) : std::string_view{};
      if (type == "hash-table") {
        options->objects = JsonOptions::Objects::kHashTable;
      } else if (type == "alist") {
        options->objects = JsonOptions::Objects::kAlist;
      } else if (type == "plist") {
        options->objects = JsonOptions::Objects::kPlist;
      } else {
        return signal_error2(cx, Qerror, make_string(cx, "One of hash-table, alist or plist should be specified"), v);
      }
    } else if (parsing && name == ":array-type") {
      const std::string_view type = v.is_symbol() ? symbol_name_view(cx, v) : std::string_view{};
      if (type != "array" && type != "list")
        return signal_error2(cx, Qerror, make_string(cx, "One of array or list should be specified"), v);
      options->arrays_are_lists = type == "list";
    } else if (name == ":null-object") {
      options->null_object = v;
    } else if (name == ":false-object") {
      options->false_object = v;
    } else {
      return signal_error2(cx, Qerror,
                           make_string(cx, parsing ? "One of :object-type, :array-type, :null-object or :false-object "
                                                     "should be specified"
                                                   : "One of :null-object or :false-object should be specified"),
                           v);
    }
  }
  return true;
}

bool is_json_text(std::string_view bytes) {
  const auto* p = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const auto n = static_cast<std::int64_t>(bytes.size());
  for (std::int64_t i = 0; i < n;) {
    const int length = text::valid_sequence_length(p + i, n - i, false);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

std::int64_t json_depth_left(Context& cx) { return cx.cells(Qmax_lisp_eval_depth).value.as_fixnum() - cx.eval_depth; }

NEOVM_PRIMITIVE(
    json_serialize, "json-serialize", 1, kMany, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kDeterministic,
    "Return the JSON text of OBJECT. Keywords :null-object and :false-object name the objects that mean null "
    "and false.")
(Context& cx, Arguments args) {
  JsonOptions options;
  TRY(read_json_options(cx, args.subspan(1), false, &options));
  std::string text;
  TRY(write_json(cx, args[0], options, &text));
  return make_multibyte_string(cx, text);
}

NEOVM_PRIMITIVE(json_insert, "json-insert", 1, kMany, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Insert the JSON text of OBJECT at point; keywords as for `json-serialize`.")
(Context& cx, Arguments args) {
  JsonOptions options;
  TRY(read_json_options(cx, args.subspan(1), false, &options));
  std::string text;
  TRY(write_json(cx, args[0], options, &text));
  TRY(funcall_re(cx, intern(cx, "insert"), { TRY(make_multibyte_string(cx, text)) }));
  return kNil;
}

NEOVM_PRIMITIVE(
    json_parse_string, "json-parse-string", 1, kMany, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
    "Parse the JSON text STRING. Keywords :object-type, :array-type, :null-object and :false-object choose the "
    "Lisp types.")
(Context& cx, Arguments args) {
  TRY(check_type(cx, args[0].is_string(), Qstringp, args[0]));
  const std::string bytes = to_std_string(args[0]);
  if (bytes.find('\0') != std::string::npos)
    return wrong_type(cx, intern(cx, "string-without-embedded-nulls-p"), TRY(make_unibyte_string(cx, bytes)));
  JsonOptions options;
  TRY(read_json_options(cx, args.subspan(1), true, &options));
  std::string text;
  if (is_json_text(bytes)) {
    text = bytes;  // raw bytes may make characters
  } else if (string_multibyte(args[0])) {
    text = string_view_of(args[0]);
  } else {
    for (const char c : string_view_of(args[0])) {
      std::uint8_t b[text::kMaxBytesPerChar];
      const int n = text::encode_char(text::raw_byte_to_char(static_cast<std::uint8_t>(c)), b);
      text.append(reinterpret_cast<const char*>(b), static_cast<std::size_t>(n));
    }
  }
  return parse_json_re(cx, text, "<string>", options, nullptr);
}

NEOVM_PRIMITIVE(json_parse_buffer, "json-parse-buffer", 0, kMany, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic,
                "Parse the JSON text after point and move point behind it; keywords as for `json-parse-string`.")
(Context& cx, Arguments args) {
  JsonOptions options;
  TRY(read_json_options(cx, args, true, &options));
  const Value point = TRY(funcall_re(cx, Qpoint, {}));
  const Value end = TRY(funcall_re(cx, Qpoint_max, {}));
  const Value rest = TRY(funcall_re(cx, intern(cx, "buffer-substring-no-properties"), {point, end}));
  const std::string text(string_view_of(rest));
  std::size_t used = 0;
  const Value v = TRY(parse_json_re(cx, text, "<callback>", options, &used));
  const std::int64_t chars =
      text::count_chars(reinterpret_cast<const std::uint8_t*>(text.data()), static_cast<std::int64_t>(used));
  TRY(funcall_re(cx, Qgoto_char, {Value::fixnum(point.as_fixnum() + chars)}));
  return v;
}

}  // namespace neovm::elisp
