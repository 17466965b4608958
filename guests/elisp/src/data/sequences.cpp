// Sequences of every kind: length, elt, append, concat, vconcat, substring, reverse (fns.c of GNU).
#include "sequences.hpp"

#include <algorithm>
#include <cstring>

#include "neovm/core/char_table.hpp"
#include "neovm/core/list_walk.hpp"
#include "rows.hpp"

namespace neovm::elisp {

Maybe<std::int64_t> sequence_length(Context& cx, Value v) {
  if (v.is_list()) return list_length(cx, v);
  if (v.is_string()) return string_chars(v);
  if (v.is_object()) switch (header_raw(v)->kind) {
      case ObjectKind::kVector:
      case ObjectKind::kRecord:
      case ObjectKind::kByteCode: return slot_count_raw(v);
      case ObjectKind::kBoolVector: return core::bool_length_raw(v);
      case ObjectKind::kCharTable: return std::int64_t{kMaxCharacter};
      default: break;
    }
  return wrong_type(cx, Qsequencep, v);
}

DATA_MAKES(length, "length", 1, 1, "Return the number of elements of SEQUENCE.")(Context& cx, Value v) {
  return Value::fixnum(TRY(sequence_length(cx, v)));
}

namespace {

constexpr std::int64_t kLongestWalk = 0xFFFD;

bool is_circular(Value list) {
  core::CycleFinder cycle(list);
  while (list.is_cons()) {
    list = cdr_raw(list);
    if (cycle.step(list)) return true;
  }
  return false;
}

// Compares the length of V with N without walking further than needed: negative, 0 or positive.
Maybe<int> compare_length(Context& cx, Value v, Value n) {
  if (!n.is_fixnum()) return wrong_type(cx, Qfixnump, n);
  std::int64_t limit = n.as_fixnum();
  if (v.is_cons()) {
    if (limit < 0) return 1;
    // A list that long is measured, which finds out whether it is circular; a shorter limit ends the walk itself.
    if (limit > kLongestWalk && is_circular(v)) return signal_error1(cx, Qcircular_list, v);
    for (; v.is_cons(); v = cdr_raw(v), --limit) {
      if (limit == 0) return 1;
      if ((limit & 0xFFFF) == 0) TRY(check_quit(cx));
    }
    return limit == 0 ? 0 : -1;
  }
  const std::int64_t length = TRY(sequence_length(cx, v));
  return length < limit ? -1 : length > limit ? 1 : 0;
}

}  // namespace

DATA_LOOKS(length_less, "length<", 2, 2, "Return t if SEQUENCE is shorter than LENGTH.")
(Context& cx, Value v, Value n) { return boolean(TRY(compare_length(cx, v, n)) < 0); }
DATA_LOOKS(length_greater, "length>", 2, 2, "Return t if SEQUENCE is longer than LENGTH.")
(Context& cx, Value v, Value n) { return boolean(TRY(compare_length(cx, v, n)) > 0); }
DATA_LOOKS(length_equal, "length=", 2, 2, "Return t if SEQUENCE has LENGTH elements.")(Context& cx, Value v, Value n) {
  return boolean(TRY(compare_length(cx, v, n)) == 0);
}

// ---- append, concat, vconcat -------------------------------------------------------------------------

namespace {

// All arguments are checked before the first one is walked.
Value check_sequences(Context& cx, Arguments args) {
  for (const Value v : args) {
    if (!v.is_list() && !v.is_string() && !is_vector(v) && !is_byte_code(v) && !is_bool_vector(v))
      return wrong_type(cx, Qsequencep, v);
  }
  return kNil;
}

}  // namespace

DATA_MAKES(append, "append", 0, kMany,
           "Return a list of the elements of all the SEQUENCES; the last one becomes its tail.")
(Context& cx, Arguments args) {
  if (args.empty()) return kNil;
  const Value tail = args.back();
  TRY(check_sequences(cx, args.first(args.size() - 1)));
  Value head = kNil;
  Value last = kNil;
  for (const Value v : args.first(args.size() - 1))
    TRY(each_element(cx, v, [&](Value element) -> Maybe<bool> {
      const Value cell = cons(cx, element, kNil);
      if (last.is_nil()) {
        head = cell;
      } else {
        set_cdr_raw(last, cell);
      }
      last = cell;
      return true;
    }));
  if (last.is_nil()) return tail;
  set_cdr_raw(last, tail);
  return head;
}

DATA_MAKES(vconcat, "vconcat", 0, kMany, "Return a vector of the elements of all the SEQUENCES.")
(Context& cx, Arguments args) {
  std::int64_t total = 0;
  TRY(check_sequences(cx, args));
  for (const Value v : args) total += TRY(sequence_length(cx, v));
  const Value result = TRY(make_vector(cx, total, kNil));
  std::int64_t at = 0;
  for (const Value v : args)
    TRY(each_element(cx, v, [&](Value element) -> Maybe<bool> {
      set_slot_raw(result, at++, element);
      return true;
    }));
  return result;
}

namespace {

bool has_properties(Value s) { return !string_raw(s)->properties.is_nil(); }

void copy_properties(Context& cx, Value src, std::int64_t from, std::int64_t to, Value dst, std::int64_t at) {
  if (has_properties(src) && host_hooks(cx).copy_string_properties != nullptr)
    host_hooks(cx).copy_string_properties(cx, src, from, to, dst, at);
}

// Appends unibyte bytes to multibyte text: bytes above ASCII become raw-byte characters.
void append_bytes_as_chars(std::string& out, std::string_view bytes) {
  for (const char b : bytes) {
    std::uint8_t p[text::kMaxBytesPerChar];
    const int n = text::encode_char(text::raw_byte_to_char(static_cast<std::uint8_t>(b)), p);
    out.append(reinterpret_cast<const char*>(p), static_cast<std::size_t>(n));
  }
}

}  // namespace

DATA_MAKES(concat, "concat", 0, kMany, "Return a string of the characters of all the SEQUENCES.")
(Context& cx, Arguments args) {
  bool multibyte = false;
  bool properties = false;
  std::int64_t chars = 0;
  TRY(check_sequences(cx, args));
  for (const Value v : args) {
    if (v.is_string()) {
      multibyte = multibyte || string_multibyte(v);
      properties = properties || has_properties(v);
      chars += string_chars(v);
      continue;
    }
    if (v.is_cons()) TRY(sequence_length(cx, v));  // a dotted list is refused before its elements are looked at
    TRY(each_element(cx, v, [&](Value element) -> Maybe<bool> {
      if (!is_character(element)) return wrong_type(cx, Qcharacterp, element);
      const auto c = static_cast<int>(element.as_fixnum());
      multibyte = multibyte || (c >= 0x80 && !text::is_raw_byte_char(c));
      ++chars;
      return true;
    }));
  }
  std::string out;
  out.reserve(static_cast<std::size_t>(chars) + 8);
  for (const Value v : args) {
    if (v.is_string()) {
      if (multibyte && !string_multibyte(v)) {
        append_bytes_as_chars(out, string_view_of(v));
      } else {
        out.append(string_view_of(v));
      }
      continue;
    }
    TRY(each_element(cx, v, [&](Value element) -> Maybe<bool> {
      const auto c = static_cast<int>(element.as_fixnum());
      if (multibyte) {
        std::uint8_t p[text::kMaxBytesPerChar];
        const int n = text::encode_char(c, p);
        out.append(reinterpret_cast<const char*>(p), static_cast<std::size_t>(n));
      } else {
        out.push_back(static_cast<char>(text::is_raw_byte_char(c) ? text::char_to_raw_byte(c) : c));
      }
      return true;
    }));
  }
  const Value result = TRY(multibyte ? make_multibyte_string(cx, out, chars) : make_unibyte_string(cx, out));
  if (properties) {
    std::int64_t at = 0;
    for (const Value v : args) {
      if (v.is_string()) copy_properties(cx, v, 0, string_chars(v), result, at);
      at += TRY(sequence_length(cx, v));
    }
  }
  return result;
}

// ---- parts ----------------------------------------------------------------------------------------------

Maybe<Range> subarray_range(Context& cx, Value array, Value from, Value to, std::int64_t size) {
  Range r{0, size};
  const auto resolve = [&](Value v, std::int64_t* out) -> Maybe<bool> {
    if (v.is_fixnum()) {
      *out = v.as_fixnum() < 0 ? v.as_fixnum() + size : v.as_fixnum();
    } else if (!v.is_nil()) {
      if (!is_bignum(v)) return wrong_type(cx, Qintegerp, v);
      return args_out_of_range(cx, array, from, to);
    }
    return true;
  };
  TRY(resolve(from, &r.from));
  TRY(resolve(to, &r.to));
  if (!(0 <= r.from && r.from <= r.to && r.to <= size)) return args_out_of_range(cx, array, from, to);
  return r;
}

Value substring_of(Context& cx, Value s, std::int64_t from, std::int64_t to, bool properties) {
  const std::int64_t first = string_char_to_byte(s, from);
  const std::int64_t length = to == string_chars(s) ? string_bytes(s) - first : string_char_to_byte(s, to) - first;
  const Value result = TRY(make_string_raw(cx, to - from, length, string_multibyte(s)));
  std::memcpy(string_raw(result)->data, string_data_raw(s) + first, static_cast<std::size_t>(length));
  if (properties) copy_properties(cx, s, from, to, result, 0);
  return result;
}

DATA_MAKES(substring, "substring", 1, 3, "Return the part of ARRAY (a string or vector) from FROM up to TO.")
(Context& cx, Value array, Value from, Value to) {
  if (array.is_string()) {
    const Range r = TRY(subarray_range(cx, array, from, to, string_chars(array)));
    return substring_of(cx, array, r.from, r.to, true);
  }
  if (!is_vector(array)) return wrong_type(cx, Qarrayp, array);
  const Range r = TRY(subarray_range(cx, array, from, to, slot_count_raw(array)));
  const Value result = TRY(make_vector(cx, r.to - r.from, kNil));
  for (std::int64_t i = r.from; i < r.to; ++i) set_slot_raw(result, i - r.from, slot_raw(array, i));
  return result;
}
DATA_MAKES(substring_no_properties, "substring-no-properties", 1, 3,
           "Return the part of STRING from FROM up to TO, without text properties.")
(Context& cx, Value s, Value from, Value to) {
  if (!s.is_string()) return wrong_type(cx, Qstringp, s);
  const Range r = TRY(subarray_range(cx, s, from, to, string_chars(s)));
  return substring_of(cx, s, r.from, r.to, false);
}

DATA_MAKES(copy_sequence, "copy-sequence", 1, 1, "Return a copy of SEQUENCE whose elements are those of the original.")
(Context& cx, Value v) {
  if (v.is_nil()) return v;
  if (v.is_cons()) {
    const Value head = cons(cx, car_raw(v), kNil);
    Value last = head;
    core::CycleFinder cycle(v);
    Value tail = cdr_raw(v);
    for (; tail.is_cons(); tail = cdr_raw(tail)) {
      if (cycle.step(tail)) return signal_error1(cx, Qcircular_list, v);
      const Value cell = cons(cx, car_raw(tail), kNil);
      set_cdr_raw(last, cell);
      last = cell;
    }
    if (!tail.is_nil()) return wrong_type(cx, Qlistp, tail);
    return head;
  }
  if (v.is_string()) return substring_of(cx, v, 0, string_chars(v), true);
  if (is_char_table(v)) return core::copy_char_table(cx, v);
  if (is_vector(v) || is_record(v)) {
    const std::int64_t n = slot_count_raw(v);
    const Value copy = TRY(make_slots(cx, header_raw(v)->kind, n, kNil));
    for (std::int64_t i = 0; i < n; ++i) set_slot_raw(copy, i, slot_raw(v, i));
    return copy;
  }
  if (is_bool_vector(v)) {
    const Value copy = TRY(core::make_bool_vector(cx, core::bool_length_raw(v)));
    std::copy_n(core::bool_words_raw(v), core::bool_word_count_raw(v), core::bool_words_raw(copy));
    return copy;
  }
  return wrong_type(cx, Qsequencep, v);
}

// ---- order ----------------------------------------------------------------------------------------------

namespace {

Value reversed_string(Context& cx, Value s) {
  const std::int64_t n = string_bytes(s);
  const Value result = TRY(make_string_raw(cx, string_chars(s), n, string_multibyte(s)));
  const std::uint8_t* from = string_data_raw(s);
  std::uint8_t* to = string_raw(result)->data + n;
  for (std::int64_t i = 0; i < n;) {
    const int length = string_multibyte(s) ? text::bytes_by_lead(from[i]) : 1;
    to -= length;
    std::memcpy(to, from + i, static_cast<std::size_t>(length));
    i += length;
  }
  return result;
}

void reverse_in_place(Value v) {
  if (is_vector(v)) {
    const std::int64_t n = slot_count_raw(v);
    for (std::int64_t i = 0; i < n / 2; ++i) {
      const Value x = slot_raw(v, i);
      set_slot_raw(v, i, slot_raw(v, n - 1 - i));
      set_slot_raw(v, n - 1 - i, x);
    }
  } else {
    const std::int64_t n = core::bool_length_raw(v);
    for (std::int64_t i = 0; i < n / 2; ++i) {
      const bool x = core::bool_get_raw(v, i);
      core::bool_set_raw(v, i, core::bool_get_raw(v, n - 1 - i));
      core::bool_set_raw(v, n - 1 - i, x);
    }
  }
}

}  // namespace

DATA_WRITES(nreverse, "nreverse", 1, 1, "Reverse the elements of SEQ, reusing its storage (strings are copied).")
(Context& cx, Value v) {
  if (v.is_nil()) return v;
  if (v.is_string()) return reversed_string(cx, v);
  if (v.is_cons()) {
    Value result = kNil;
    Value tail = v;
    std::uint64_t steps = 0;
    while (tail.is_cons()) {
      const Value next = cdr_raw(tail);
      // Coming back to a cell that was turned around already means that the list goes round.
      if (next == v) return signal_error1(cx, Qcircular_list, v);
      set_cdr_raw(tail, result);
      result = tail;
      tail = next;
      if ((++steps & 0xFFFFF) == 0) TRY(check_quit(cx));
    }
    if (!tail.is_nil()) return wrong_type(cx, Qlistp, v);
    return result;
  }
  if (!is_vector(v) && !is_bool_vector(v)) return wrong_type(cx, Qarrayp, v);
  reverse_in_place(v);
  return v;
}

DATA_MAKES(reverse, "reverse", 1, 1, "Return a copy of SEQ with the elements in reverse order.")(Context& cx, Value v) {
  if (v.is_nil()) return v;
  if (v.is_cons()) {
    Value result = kNil;
    TRY(each_element(cx, v, [&](Value element) -> Maybe<bool> {
      result = cons(cx, element, result);
      return true;
    }));
    return result;
  }
  if (v.is_string()) return reversed_string(cx, v);
  if (is_vector(v)) {
    const std::int64_t n = slot_count_raw(v);
    const Value copy = TRY(make_vector(cx, n, kNil));
    for (std::int64_t i = 0; i < n; ++i) set_slot_raw(copy, i, slot_raw(v, n - 1 - i));
    return copy;
  }
  if (is_bool_vector(v)) {
    const std::int64_t n = core::bool_length_raw(v);
    const Value copy = TRY(core::make_bool_vector(cx, n));
    for (std::int64_t i = 0; i < n; ++i) core::bool_set_raw(copy, i, core::bool_get_raw(v, n - 1 - i));
    return copy;
  }
  return wrong_type(cx, Qsequencep, v);
}

DATA_WRITES(fillarray, "fillarray", 2, 2, "Store ITEM in every element of ARRAY; return ARRAY.")
(Context& cx, Value array, Value item) {
  if (is_vector(array)) {
    for (std::int64_t i = 0; i < slot_count_raw(array); ++i) set_slot_raw(array, i, item);
    return array;
  }
  if (is_char_table(array)) {
    for (int i = kCharTableContents; i < kCharTableExtras; ++i) set_slot_raw(array, i, item);
    set_slot_raw(array, kCharTableDefault, item);
    return array;  // as in Emacs, what is remembered of the ASCII characters stays
  }
  if (is_bool_vector(array)) {
    core::bool_fill_raw(array, item.truthy());
    return array;
  }
  if (!array.is_string()) return wrong_type(cx, Qarrayp, array);
  const int c = TRY(character_argument(cx, item));
  std::uint8_t encoded[text::kMaxBytesPerChar] = {static_cast<std::uint8_t>(c)};
  const int n = string_multibyte(array) ? text::encode_char(c, encoded) : 1;
  if (string_bytes(array) != string_chars(array) * n)
    return error_text(cx, "Attempt to change byte length of a string");
  std::uint8_t* p = string_data_for_write(cx, array);
  if (p == nullptr) return kFailed;
  for (std::int64_t i = 0; i < string_chars(array); ++i) std::memcpy(p + i * n, encoded, static_cast<std::size_t>(n));
  return array;
}

}  // namespace neovm::elisp
