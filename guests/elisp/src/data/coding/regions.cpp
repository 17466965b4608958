// Decoding, encoding and examining regions of the current buffer (coding.c of GNU). Buffer text belongs to the
// host, so these go the way Lisp would: take the text, convert the string, put it back.
#include <algorithm>

#include "../charset/charset.hpp"
#include "../rows.hpp"
#include "../sequences.hpp"
#include "coding.hpp"

namespace neovm::elisp {
namespace {

struct Bounds {
  std::int64_t from;
  std::int64_t to;
};
// NAMED: the error names the buffer too.
Maybe<Bounds> region_re(Context& cx, Value start, Value end, bool named = true) {
  const std::int64_t a = TRY(position_argument(cx, start));
  const std::int64_t b = TRY(position_argument(cx, end));
  const std::int64_t low = TRY(funcall_re(cx, Qpoint_min, {}))
  .as_fixnum();
  const std::int64_t high = TRY(funcall_re(cx, Qpoint_max, {}))
  .as_fixnum();
  const Bounds r{std::min(a, b), std::max(a, b)};
  if (r.from < low || r.to > high) {
    if (!named) return args_out_of_range(cx, start, end);
    return args_out_of_range(cx, host_hooks(cx).current_buffer(cx), start, end);
  }
  return r;
}

Value text_re(Context& cx, Bounds r) {
  return funcall_re(cx, Qbuffer_substring_no_properties, {Value::fixnum(r.from), Value::fixnum(r.to)});
}

// What to do with the result: nil replaces the region, t returns the string, a buffer receives it.
Value deliver_re(Context& cx, Bounds r, Value result, Value destination) {
  if (destination == Qt) return result;
  const Value length = Value::fixnum(string_chars(result));
  const Value old_point = TRY(funcall_re(cx, Qpoint, {}));
  if (destination.truthy()) {
    const Value old = TRY(funcall_re(cx, Qcurrent_buffer, {}));
    TRY(funcall_re(cx, Qset_buffer, {destination}));
    TRY(funcall_re(cx, Qinsert, {result}));
    TRY(funcall_re(cx, Qset_buffer, {old}));
    return length;
  }
  TRY(funcall_re(cx, Qgoto_char, {Value::fixnum(r.from)}));
  if (variable_value(cx, Qenable_multibyte_characters).is_nil() && string_multibyte(result))
    result = TRY(funcall_re(cx, Qstring_as_unibyte, {result}));
  TRY(funcall_re(cx, Qinsert, {result}));
  const std::int64_t inserted = string_chars(result);
  TRY(funcall_re(cx, Qdelete_region, {Value::fixnum(r.from + inserted), Value::fixnum(r.to + inserted)}));
  const std::int64_t p = old_point.as_fixnum();
  const std::int64_t moved = p <= r.from ? p : p >= r.to ? p + inserted - (r.to - r.from) : r.from;
  TRY(funcall_re(cx, Qgoto_char, {Value::fixnum(moved)}));
  return length;
}

Maybe<bool> check_destination(Context& cx, Value v) {
  if (v.is_nil() || v == Qt || (host_hooks(cx).is_buffer != nullptr && host_hooks(cx).is_buffer(v))) return true;
  return wrong_type(cx, Qbufferp, v);
}

}  // namespace

DATA_REENTERS_COMMAND(decode_coding_region, "decode-coding-region", 3, 4, "r\nzCoding system: ",
                      "Decode the region by CODING-SYSTEM; DESTINATION t returns a string, a buffer receives it.")
(Context& cx, Value start, Value end, Value name, Value destination) {
  TRY(coding_argument_re(cx, name));
  const Bounds r = TRY(region_re(cx, start, end));
  TRY(check_destination(cx, destination));
  const Value text = TRY(text_re(cx, r));
  const Value result = TRY(funcall_re(cx, Qdecode_coding_string, {text, name.is_nil() ? Value(Qno_conversion) : name}));
  return deliver_re(cx, r, result, destination);
}
DATA_REENTERS_COMMAND(encode_coding_region, "encode-coding-region", 3, 4, "r\nzCoding system: ",
                      "Encode the region by CODING-SYSTEM; DESTINATION t returns a string, a buffer receives it.")
(Context& cx, Value start, Value end, Value name, Value destination) {
  TRY(coding_argument_re(cx, name));
  const Bounds r = TRY(region_re(cx, start, end));
  TRY(check_destination(cx, destination));
  const Value text = TRY(text_re(cx, r));
  const Value result = TRY(funcall_re(cx, Qencode_coding_string, {text, name.is_nil() ? Value(Qno_conversion) : name}));
  return deliver_re(cx, r, result, destination);
}
DATA_REENTERS(detect_coding_region, "detect-coding-region", 2, 3,
              "Return the coding systems the region's bytes may be in, or (HIGHEST) the likeliest.")
(Context& cx, Value start, Value end, Value highest) {
  const Bounds r = TRY(region_re(cx, start, end));
  const Value text = TRY(text_re(cx, r));
  return funcall_re(cx, Qdetect_coding_string, {text, highest});
}

// ---- what a coding system can encode ----------------------------------------------------------------------------

namespace {

// Can characters be encoded? Types that hold every character say so at once.
class Coverage {
 public:
  static Maybe<Coverage> make_re(Context& cx, Value name) {
    Coverage c;
    const CodingSystem coding = TRY(coding_argument_re(cx, name));
    c.type_ = coding.type();
    c.ascii_ = coding.slot(kCoAsciiCompatible).truthy();
    c.ids_ = TRY(coding_system_charsets(cx, name));
    return c;
  }
  Maybe<bool> covers(Context& cx, int c) const {
    if (type_ == Qraw_text || (ascii_ && c < 0x80)) return true;
    std::uint32_t code = 0;
    return TRY(charset_of_char_in(cx, c, ids_, &code))
    >= 0;
  }

 private:
  Value type_;
  bool ascii_ = false;
  std::vector<int> ids_;
};

// The text START, END mean: a string is START itself, with END nil.
struct Text {
  Value string;
  std::int64_t base;  // position of its first character
};
Maybe<Text> text_argument_re(Context& cx, Value start, Value end) {
  if (start.is_string()) return Text{start, 0};
  const Bounds r = TRY(region_re(cx, start, end, false));
  if (TRY(position_argument(cx, start)) != r.from) return args_out_of_range(cx, start, end);  // not the other way round
  const Value s = TRY(text_re(cx, r));
  return Text{s, r.from};
}

std::vector<int> distinct_chars(Value s) {
  std::vector<int> chars;
  for (std::int64_t i = 0; i < string_bytes(s);) {
    const text::Decoded d = text::decode_char(string_data_raw(s) + i);
    if (d.c >= 0x80) chars.push_back(d.c);
    i += d.bytes;
  }
  std::sort(chars.begin(), chars.end());
  chars.erase(std::unique(chars.begin(), chars.end()), chars.end());
  return chars;
}

}  // namespace

DATA_REENTERS(
    find_coding_systems_region_internal, "find-coding-systems-region-internal", 2, 3,
    "Return the coding systems that can encode the region (or string START), t when all can; EXCLUDE lists characters not to mind.")
(Context& cx, Value start, Value end, Value exclude) {
  const Text text = TRY(text_argument_re(cx, start, end));
  if (!string_multibyte(text.string)) return Qt;
  std::vector<int> chars = distinct_chars(text.string);
  if (is_char_table(exclude))
    chars.erase(std::remove_if(chars.begin(), chars.end(), [&](int c) { return char_table_get(exclude, c).truthy(); }),
                chars.end());
  if (chars.empty()) return Qt;
  Value result = list(cx, {Qraw_text, Qno_conversion});
  std::vector<Value> names;
  for (Value tail = variable_value(cx, Qcoding_system_list); tail.is_cons(); tail = cdr_raw(tail)) {
    const CodingSystem coding = TRY(coding_argument_re(cx, car_raw(tail)));
    // Bases only; what takes any bytes is named at the end.
    const bool undecided = coding.type() == Qundecided && car_raw(tail) != Qprefer_utf_8;
    if (coding.slot(kCoName) != car_raw(tail) || undecided || coding.type() == Qraw_text) continue;
    names.push_back(car_raw(tail));
  }
  for (std::size_t i = names.size(); i-- > 0;) {
    const Coverage coverage = TRY(Coverage::make_re(cx, names[i]));
    bool all = true;
    for (const int c : chars)
      if (!TRY(coverage.covers(cx, c))) {
        all = false;
        break;
      }
    if (all) result = cons(cx, names[i], result);
    TRY(check_quit(cx));
  }
  return result;
}

DATA_REENTERS(
    unencodable_char_position, "unencodable-char-position", 3, 5,
    "Return the first position, or a list of COUNT, whose character CODING-SYSTEM cannot encode, in the region or in STRING.")
(Context& cx, Value start, Value end, Value name, Value count, Value string) {
  const CodingSystem coding = TRY(coding_argument_re(cx, name));
  if (coding.type() == Qraw_text && name.truthy()) return kNil;  // takes any bytes: nothing else is looked at
  const Coverage coverage = TRY(Coverage::make_re(cx, name));
  Value s = string;
  std::int64_t position = 0;
  if (string.is_nil()) {
    const Bounds r = TRY(region_re(cx, start, end));
    s = TRY(text_re(cx, r));
    position = r.from;
  } else {
    if (!string.is_string()) return wrong_type(cx, Qstringp, string);
    const Range r = TRY(subarray_range(cx, string, start, end, string_chars(string)));
    s = TRY(substring_of(cx, string, r.from, r.to, false));
    position = r.from;
  }
  if (!string_multibyte(s)) return kNil;
  std::int64_t wanted = 1;
  if (count.truthy()) {
    if (!count.is_natnum_fixnum()) return wrong_type(cx, Qwholenump, count);
    wanted = count.as_fixnum();
  }
  std::vector<Value> found;
  for (std::int64_t i = 0; i < string_bytes(s) && static_cast<std::int64_t>(found.size()) < wanted; ++position) {
    const text::Decoded d = text::decode_char(string_data_raw(s) + i);
    if (!TRY(coverage.covers(cx, d.c))) found.push_back(Value::fixnum(position));
    i += d.bytes;
  }
  if (count.is_nil()) return found.empty() ? kNil : found.front();
  return list_from(cx, found);
}

DATA_REENTERS(
    check_coding_systems_region, "check-coding-systems-region", 3, 3,
    "Return an alist of the coding systems of LIST that cannot encode the region (or string START) and the positions where.")
(Context& cx, Value start, Value end, Value names) {
  const Text text = TRY(text_argument_re(cx, start, end));
  if (string_chars(text.string) == string_bytes(text.string)) return kNil;  // ASCII, or bytes: nobody asks for NAMES
  Value result = kNil;
  for (; names.is_cons(); names = cdr_raw(names)) {
    const Coverage coverage = TRY(Coverage::make_re(cx, car_raw(names)));
    std::vector<Value> found;
    std::int64_t position = text.base;
    for (std::int64_t i = 0; i < string_bytes(text.string); ++position) {
      const text::Decoded d = text::decode_char(string_data_raw(text.string) + i);
      if (!TRY(coverage.covers(cx, d.c))) found.push_back(Value::fixnum(position));
      i += d.bytes;
    }
    if (!found.empty()) result = cons(cx, cons(cx, car_raw(names), list_from(cx, found)), result);
  }
  return nreverse_list(result);
}

DATA_REENTERS(charset_after, "charset-after", 0, 1,
              "Return the charset of the character after POS, by default point; nil at the end.")
(Context& cx, Value position) {
  const Value ch = TRY(funcall_re(cx, Qchar_after, {position}));
  if (!is_character(ch)) return kNil;
  std::uint32_t code = 0;
  const int id = TRY(charset_of_char(cx, static_cast<int>(ch.as_fixnum()), &code));
  return id < 0 ? kNil : charset_name(cx, id);
}
DATA_REENTERS(find_charset_region, "find-charset-region", 2, 3, "Return a list of the charsets in the region.")
(Context& cx, Value start, Value end, Value table) {
  const Bounds r = TRY(region_re(cx, start, end));
  if (r.from == r.to) return list(cx, {Qascii});
  const Value text = TRY(text_re(cx, r));
  return funcall_re(cx, Qfind_charset_string, {text, table});
}

}  // namespace neovm::elisp
