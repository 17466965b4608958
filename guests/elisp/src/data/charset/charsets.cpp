// Charset primitives that look (charset.c of GNU).
#include <algorithm>

#include "../coding/coding.hpp"
#include "../rows.hpp"
#include "charset.hpp"
#include "neovm/text/characters.hpp"

namespace neovm::elisp {

DATA_READS_STATE(charsetp, "charsetp", 1, 1, "Return t if OBJECT names a charset.")(Context& cx, Value v) {
  return boolean(v.is_symbol() && !charset_vector(cx, v).is_nil());
}
DATA_READS_STATE(charset_plist, "charset-plist", 1, 1, "Return the property list of CHARSET.")
(Context& cx, Value name) {
  const Charset* cs = TRY(charset_argument(cx, name));
  return slot_raw(charset_vector_by_id(cx, cs->id), kCsPlist);
}
DATA_WRITES(set_charset_plist, "set-charset-plist", 2, 2, "Set the property list of CHARSET.")
(Context& cx, Value name, Value plist) {
  const Charset* cs = TRY(charset_argument(cx, name));
  set_slot_raw(charset_vector_by_id(cx, cs->id), kCsPlist, plist);
  return plist;
}
DATA_READS_STATE(charset_id_internal, "charset-id-internal", 0, 1, "Return the number of CHARSET.")
(Context& cx, Value name) { return Value::fixnum(TRY(charset_argument(cx, name))->id); }
DATA_READS_STATE(charset_priority_list, "charset-priority-list", 0, 1,
                 "Return the charsets by priority, or only the first.")
(Context& cx, Value highest) {
  const Value ordered = charset_state(cx, kStOrdered);
  if (highest.truthy()) return charset_name(cx, static_cast<int>(car_raw(ordered).as_fixnum()));
  Value result = kNil;
  for (Value tail = ordered; tail.is_cons(); tail = cdr_raw(tail))
    result = cons(cx, charset_name(cx, static_cast<int>(car_raw(tail).as_fixnum())), result);
  return nreverse_list(result);
}
DATA_WRITES(sort_charsets, "sort-charsets", 1, 1, "Sort the list CHARSETS by priority, in place.")
(Context& cx, Value names) {
  TRY(list_length(cx, names));  // a dotted or circular list is refused before its elements are looked at
  std::vector<int> rank;
  int n = 0;
  for (Value tail = charset_state(cx, kStOrdered); tail.is_cons(); tail = cdr_raw(tail)) {
    const auto id = static_cast<std::size_t>(car_raw(tail).as_fixnum());
    if (rank.size() <= id) rank.resize(id + 1);
    rank[id] = n++;
  }
  std::vector<int> ids;
  for (Value tail = names; tail.is_cons(); tail = cdr_raw(tail))
    ids.push_back(TRY(charset_argument(cx, car_raw(tail)))->id);
  std::stable_sort(ids.begin(), ids.end(),
                   [&](int a, int b) { return rank[static_cast<std::size_t>(a)] < rank[static_cast<std::size_t>(b)]; });
  std::size_t i = 0;
  for (Value tail = names; tail.is_cons(); tail = cdr_raw(tail)) set_car_raw(tail, charset_name(cx, ids[i++]));
  return names;
}

DATA_READS_STATE(decode_char, "decode-char", 2, 2, "Return the character of CODE-POINT in CHARSET, or nil.")
(Context& cx, Value name, Value code) {
  Charset* cs = TRY(charset_argument(cx, name));
  const int c = TRY(decode_charset(cx, cs, TRY(code_argument(cx, code))));
  return c < 0 ? kNil : Value::fixnum(c);
}
DATA_READS_STATE(encode_char, "encode-char", 2, 2, "Return the code point of character CH in CHARSET, or nil.")
(Context& cx, Value ch, Value name) {
  Charset* cs = TRY(charset_argument(cx, name));
  const std::uint32_t code = TRY(encode_charset(cx, cs, TRY(character_argument(cx, ch))));
  return code == kNoCode ? kNil : Value::fixnum(code);
}

DATA_READS_STATE(make_char, "make-char", 1, 5, "Return the character of CHARSET with the bytes CODE1 to CODE4.")
(Context& cx, Value name, Value c1, Value c2, Value c3, Value c4) {
  Charset* cs = TRY(charset_argument(cx, name));
  std::uint32_t code = 0;
  if (c1.is_nil()) {
    code = cs->min_code;
  } else {
    const Value given[] = {c1, c2, c3, c4};
    for (int i = 0; i < cs->dimension; ++i) {
      const int d = cs->dimension - 1 - i;
      const Value v = given[i];
      if (v.is_nil()) {
        code = (code << 8) | static_cast<std::uint32_t>(cs->low[d]);
        continue;
      }
      if (!v.is_natnum_fixnum()) return wrong_type(cx, Qwholenump, v);
      if (v.as_fixnum() >= 0x100) return args_out_of_range(cx, Value::fixnum(0xFF), v);
      code = (code << 8) | static_cast<std::uint32_t>(v.as_fixnum());
    }
  }
  // Old programs set the high bits of ISO-2022 codes.
  if (cs->iso_final >= 0) code &= 0x7F7F7F7F;
  const int c = TRY(decode_charset(cx, cs, code));
  if (c < 0) return error_text(cx, "Invalid code(s)");
  return Value::fixnum(c);
}

DATA_READS_STATE(char_charset, "char-charset", 1, 2,
                 "Return the charset of highest priority (or in RESTRICTION) that has CH.")
(Context& cx, Value ch, Value restriction) {
  const int c = TRY(character_argument(cx, ch));
  std::uint32_t code = 0;
  int id = -1;
  if (restriction.is_nil() || restriction == Qno_conversion || restriction == Qraw_text) {
    id = TRY(charset_of_char(cx, c, &code));  // what takes any bytes restricts nothing
  } else {
    std::vector<int> ids;
    if (restriction.is_cons()) {
      for (Value tail = restriction; tail.is_cons(); tail = cdr_raw(tail))
        ids.push_back(TRY(charset_argument(cx, car_raw(tail)))->id);
    } else {
      ids = TRY(coding_system_charsets(cx, restriction));
    }
    id = TRY(charset_of_char_in(cx, c, ids, &code));
  }
  return id < 0 ? kNil : charset_name(cx, id);
}
DATA_READS_STATE(split_char, "split-char", 1, 1, "Return a list of the charset of CH and the bytes of its code.")
(Context& cx, Value ch) {
  const int c = TRY(character_argument(cx, ch));
  std::uint32_t code = 0;
  const int id = TRY(charset_of_char(cx, c, &code));
  if (id < 0) return kNil;
  Value result = kNil;
  for (int i = 0; i < charset_by_id(cx, id)->dimension; ++i)
    result = cons(cx, Value::fixnum((code >> (8 * i)) & 0xFF), result);
  return cons(cx, charset_name(cx, id), result);
}

DATA_READS_STATE(find_charset_string, "find-charset-string", 1, 2, "Return a list of the charsets in STR.")
(Context& cx, Value s, Value table) {
  if (!s.is_string()) return wrong_type(cx, Qstringp, s);
  std::vector<bool> present(static_cast<std::size_t>(charset_state(cx, kStCount).as_fixnum()));
  const bool multibyte = string_multibyte(s);
  for (std::int64_t i = 0; i < string_bytes(s);) {
    const std::uint8_t* p = string_data_raw(s) + i;
    const text::Decoded d = multibyte ? text::decode_char(p) : text::Decoded{text::raw_byte_to_char(*p), 1};
    i += d.bytes;
    int c = d.c;
    if (is_char_table(table)) {
      const Value translated = char_table_get(table, c);
      if (is_character(translated)) c = static_cast<int>(translated.as_fixnum());
    }
    std::uint32_t code = 0;
    const int id = TRY(charset_of_char(cx, c, &code));
    if (id >= 0) present[static_cast<std::size_t>(id)] = true;
  }
  Value result = kNil;
  for (std::size_t id = present.size(); id-- > 0;)
    if (present[id]) result = cons(cx, charset_name(cx, static_cast<int>(id)), result);
  return result;
}

namespace {

struct IsoArguments {
  int dimension;
  bool chars96;
  int final_byte;
};
Maybe<IsoArguments> check_iso(Context& cx, Value dimension, Value chars, Value final_char) {
  if (!dimension.is_fixnum()) return wrong_type(cx, Qfixnump, dimension);
  if (!chars.is_fixnum()) return wrong_type(cx, Qfixnump, chars);
  if (!is_character(final_char)) return wrong_type(cx, Qcharacterp, final_char);
  if (dimension.as_fixnum() < 1 || dimension.as_fixnum() > 3)
    return error_format(cx, "Invalid DIMENSION %ld, it should be 1, 2, or 3", static_cast<long>(dimension.as_fixnum()));
  if (chars.as_fixnum() != 94 && chars.as_fixnum() != 96)
    return error_format(cx, "Invalid CHARS %ld, it should be 94 or 96", static_cast<long>(chars.as_fixnum()));
  const std::int64_t f = final_char.as_fixnum();
  if (f < '0' || f > '~') {
    std::uint8_t p[text::kMaxBytesPerChar + 1] = {};
    text::encode_char(static_cast<int>(f), p);
    return error_format(cx, "Invalid FINAL-CHAR \u2018%s\u2019, it should be \u20180\u2019..\u2018~\u2019",
                        reinterpret_cast<char*>(p));
  }
  return IsoArguments{static_cast<int>(dimension.as_fixnum()), chars.as_fixnum() == 96, static_cast<int>(f)};
}

}  // namespace

DATA_READS_STATE(iso_charset, "iso-charset", 3, 3,
                 "Return the charset of ISO-2022 DIMENSION, CHARS (94 or 96) and FINAL-CHAR.")
(Context& cx, Value dimension, Value chars, Value final_char) {
  const IsoArguments a = TRY(check_iso(cx, dimension, chars, final_char));
  const int id = charset_by_iso(cx, a.dimension, a.chars96, a.final_byte);
  return id < 0 ? kNil : charset_name(cx, id);
}
DATA_WRITES(declare_equiv_charset, "declare-equiv-charset", 4, 4,
            "Let ISO-2022 DIMENSION, CHARS and FINAL-CHAR mean CHARSET.")
(Context& cx, Value dimension, Value chars, Value final_char, Value name) {
  const Charset* cs = TRY(charset_argument(cx, name));
  const IsoArguments a = TRY(check_iso(cx, dimension, chars, final_char));
  hash_table_put(cx, charset_state(cx, kStIso),
                 Value::fixnum((a.dimension * 2 + (a.chars96 ? 1 : 0)) * 256 + a.final_byte), Value::fixnum(cs->id));
  return kNil;
}
DATA_READS_STATE(get_unused_iso_final_char, "get-unused-iso-final-char", 2, 2,
                 "Return a final byte of ISO-2022 that no charset uses, or nil.")
(Context& cx, Value dimension, Value chars) {
  const IsoArguments a = TRY(check_iso(cx, dimension, chars, Value::fixnum('0')));
  for (int f = '0'; f <= '?'; ++f)
    if (charset_by_iso(cx, a.dimension, a.chars96, f) < 0) return Value::fixnum(f);
  return kNil;
}
DATA_WRITES(clear_charset_maps, "clear-charset-maps", 0, 0,
            "Drop the code maps that were loaded; they come back when needed.")
(Context& cx) {
  forget_charset_maps(cx);
  return kNil;
}

// ---- map-charset-chars ------------------------------------------------------------------------------------------

namespace {

struct Visitor {
  Context& cx;
  Value function;
  Value argument;
  Maybe<bool> run(std::int64_t from, std::int64_t to) {
    const Value range = cons(cx, Value::fixnum(from), Value::fixnum(to));
    TRY(funcall_re(cx, function, {range, argument}));
    return true;
  }
};

Maybe<bool> visit_map(Visitor& v, const Charset* cs, std::uint32_t from, std::uint32_t to) {
  // A copy, as the function may drop the maps.
  const std::vector<std::pair<std::int32_t, std::uint32_t>> codes = cs->codes;
  std::int64_t first = -1;
  std::int64_t last = -1;
  for (const auto& [c, code] : codes) {
    if (code < from || code > to) continue;
    if (first >= 0 && c == last + 1) {
      last = c;
      continue;
    }
    if (first >= 0) TRY(v.run(first, last));
    first = last = c;
  }
  if (first >= 0) TRY(v.run(first, last));
  return true;
}

Maybe<bool> visit(Visitor& v, int id, std::uint32_t from, std::uint32_t to) {
  Charset* cs = charset_by_id(v.cx, id);
  from = std::max(from, cs->min_code);
  to = std::min(to, cs->max_code);
  if (from > to) return true;
  switch (cs->method) {
    case CharsetMethod::kOffset: {
      std::int64_t low = cs->index_of(from);
      std::int64_t high = cs->index_of(to);
      if (low < 0) low = 0;
      if (high < 0) high = cs->index_count() - 1;
      const int offset = cs->code_offset;
      if (cs->unified) {
        TRY(load_charset_map(v.cx, cs));
        TRY(visit_map(v, cs, from, to));
      }
      return v.run(low + offset, high + offset);
    }
    case CharsetMethod::kMap: TRY(load_charset_map(v.cx, cs)); return visit_map(v, cs, from, to);
    case CharsetMethod::kSubset: {
      const std::int64_t low =
          std::max<std::int64_t>(static_cast<std::int64_t>(from) - cs->parent_offset, cs->parent_min);
      const std::int64_t high =
          std::min<std::int64_t>(static_cast<std::int64_t>(to) - cs->parent_offset, cs->parent_max);
      if (low < 0 || high < low) return true;
      return visit(v, cs->parent, static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(high));
    }
    case CharsetMethod::kSuperset: {
      const auto parents = cs->parents;
      for (const auto& [parent, offset] : parents) {
        const std::int64_t low = std::max<std::int64_t>(0, static_cast<std::int64_t>(from) - offset);
        const std::int64_t high = static_cast<std::int64_t>(to) - offset;
        if (high >= low) TRY(visit(v, parent, static_cast<std::uint32_t>(low), static_cast<std::uint32_t>(high)));
      }
      return true;
    }
  }
  return true;
}

}  // namespace

DATA_REENTERS(map_charset_chars, "map-charset-chars", 2, 5,
              "Call FUNCTION with (FROM . TO) and ARG for the ranges of characters in CHARSET.")
(Context& cx, Value function, Value name, Value arg, Value from, Value to) {
  const Charset* cs = TRY(charset_argument(cx, name));
  const std::uint32_t low = from.is_nil() ? cs->min_code : TRY(code_argument(cx, from));
  const std::uint32_t high = to.is_nil() ? cs->max_code : TRY(code_argument(cx, to));
  Visitor v{cx, function, arg};
  TRY(visit(v, cs->id, low, high));
  return kNil;
}

}  // namespace neovm::elisp
