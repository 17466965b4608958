// read and read-from-string, and the variables of the reader.
#include "load_state.hpp"
#include "reader.hpp"

namespace neovm::elisp {

namespace {

bool wants_positions(Context& cx, Value key) {
  const Value wanted = variable_value(cx, Qread_with_symbol_positions);
  return wanted == Qt || (wanted == key && !key.is_nil());
}

void reset_positions(Context& cx, Value key) {
  if (wants_positions(cx, key)) cx.cells(Qread_symbol_positions_list).value = kNil;
}

// Reads one object; the symbols' positions, noted newest first, are left in the order of the text.
Value read_noting_re(Context& cx, Reader& reader, Value key) {
  reader.positions_key = key;
  const Value v = TRY(reader.read_re());
  if (!wants_positions(cx, key)) return v;
  RootVector kept(cx);
  kept.values = {v};
  const Value positions = variable_value(cx, Qread_symbol_positions_list);
  const Value ordered = TRY(funcall_re(cx, intern(cx, "nreverse"), {positions}));
  store(&cx.cells(Qread_symbol_positions_list).value, ordered);
  return kept.values[0];
}

Value read_from_text(Context& cx, Value string, std::int64_t from, std::int64_t to, std::int64_t* end) {
  const std::int64_t first = string_char_to_byte(string, from);
  const std::int64_t last = string_char_to_byte(string, to);
  ReadStream in(cx,
                string_view_of(string).substr(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first)),
                string_multibyte(string), false);
  reset_positions(cx, string);
  Reader reader(cx, in);
  RootVector kept(cx);
  kept.values = {string};
  const Value v = TRY(read_noting_re(cx, reader, string));
  string = kept.values[0];
  if (end != nullptr) *end = string_byte_to_char(string, first + in.byte_position());
  return v;
}

// Checks START and END of a substring; negative ones count from the end.
Maybe<bool> check_bounds(Context& cx, Value string, Value start, Value end, std::int64_t* from, std::int64_t* to) {
  const std::int64_t size = string_chars(string);
  const auto bound = [&](Value v, std::int64_t nil_value) -> Maybe<std::int64_t> {
    if (v.is_nil()) return nil_value;
    if (!is_integer(v)) return wrong_type(cx, Qintegerp, v);
    const std::int64_t n = TRY(integer_clamped(cx, v));
    return n < 0 && n >= -size ? n + size : n;
  };
  *from = TRY(bound(start, 0));
  *to = TRY(bound(end, size));
  if (*from < 0 || *from > *to || *to > size) return args_out_of_range(cx, string, start, end);
  return true;
}

}  // namespace

Value read_stream_re(Context& cx, Value stream) {
  if (stream.is_nil()) stream = variable_value(cx, Qstandard_input);
  if (stream == Qt) stream = Qread_char;
  if (stream == Qread_char) {
    const Value prompt = TRY(make_unibyte_string(cx, "Lisp expression: "));
    return funcall_re(cx, Qread_minibuffer, {prompt});
  }
  if (stream.is_string()) return read_from_text(cx, stream, 0, string_chars(stream), nullptr);
  reset_positions(cx, stream);
  if (stream == Qget_file_char) {
    ReadStream* file = reader_state(cx).file;
    if (file == nullptr) return signal_error0(cx, Qend_of_file);
    Reader reader(cx, *file);
    return read_noting_re(cx, reader, stream);
  }
  ReadStream in(cx, stream);
  Reader reader(cx, in);
  return read_noting_re(cx, reader, stream);
}

NEOVM_PRIMITIVE(read, "read", 0, 1, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Read one Lisp object from STREAM: a buffer, marker, function, string, t, or `standard-input` for nil.")
(Context& cx, Value stream) { return read_stream_re(cx, stream); }

NEOVM_PRIMITIVE(read_from_string, "read-from-string", 1, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Read one Lisp object from STRING between START and END. Returns (OBJECT . INDEX-AFTER-IT).")
(Context& cx, Value string, Value start, Value end) {
  TRY(check_type(cx, string.is_string(), Qstringp, string));
  std::int64_t from = 0;
  std::int64_t to = 0;
  TRY(check_bounds(cx, string, start, end, &from, &to));
  std::int64_t after = 0;
  const Value v = TRY(read_from_text(cx, string, from, to, &after));
  return cons(cx, v, Value::fixnum(after));
}

NEOVM_PRIMITIVE(get_file_char, "get-file-char", 0, 0, kWorkerSafe, kStateWrite, kNoGc, kNoReentry, kDeterministic,
                "Return the next character of the file being loaded, -1 at its end.")
(Context& cx) {
  ReadStream* file = reader_state(cx).file;
  if (file == nullptr) return error_text(cx, "get-file-char misused");
  return Value::fixnum(file->get_re());
}

NEOVM_VARIABLE(standard_input, "standard-input", kGlobalVar, kAny, Qt, "Where `read` reads by default.")
NEOVM_VARIABLE(values, "values", kGlobalVar, kAny, kInitNil, "Values of expressions that were evaluated interactively.")
NEOVM_VARIABLE(read_circle, "read-circle", kGlobalVar, kAny, kInitT,
               "Non-nil: the syntaxes #N= and #N# are understood.")
NEOVM_VARIABLE(read_symbol_shorthands, "read-symbol-shorthands", kGlobalVar, kAny, kInitNil,
               "Alist of (SHORT-PREFIX . LONG-PREFIX) applied to the names of symbols that are read.")
NEOVM_VARIABLE(read_with_symbol_positions, "read-with-symbol-positions", kGlobalVar, kAny, kInitNil,
               "t or a stream: note where symbols were found in `read-symbol-positions-list`.")
NEOVM_VARIABLE(read_symbol_positions_list, "read-symbol-positions-list", kGlobalVar, kAny, kInitNil,
               "List of (SYMBOL . POSITION) of the last read, latest first.")
NEOVM_VARIABLE(unescaped_character_literals, "lread--unescaped-character-literals", kGlobalVar, kAny, kInitNil,
               "Characters that were read as bare literals though they should be escaped.")
NEOVM_VARIABLE(byte_boolean_vars, "byte-boolean-vars", kGlobalVar, kAny, kInitNil, "Variables that hold only t or nil.")

}  // namespace neovm::elisp
