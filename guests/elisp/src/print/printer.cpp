// Printed representations (print.c of GNU).
//
// Without print-circle an object nested 200 deep is an error, as in Emacs, so recursion is shallow; with it, the native stack is
// the bound, so what recurses keeps its frames small: text is made in functions of their own. Lists are walked by a loop.
// Nothing here runs Lisp, so nothing moves.
#include "printer.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "neovm/core/array_list.hpp"
#include "neovm/core/hash_table.hpp"
#include "neovm/elisp/number_text.hpp"
#include "neovm/text/characters.hpp"
#include "neovm/text/unicode_category.hpp"

namespace neovm::elisp {

namespace {

std::int64_t natural(Value v) { return v.is_natnum_fixnum() ? v.as_fixnum() : -1; }
bool is_set(Context& cx, Value symbol) { return variable_true(cx, symbol); }

// What stands alone: no mark that combines, no space, nothing invisible (by Unicode's general category).
bool is_graphic_base(int c) {
  using enum text::UnicodeCategory;
  switch (text::unicode_category(c)) {
    case kMn:
    case kMc:
    case kMe:
    case kZs:
    case kZl:
    case kZp:
    case kCc:
    case kCf:
    case kCs:
    case kCn: return false;
    default: return true;
  }
}

}  // namespace

PrintOptions::PrintOptions(Context& cx) {
  length = natural(variable_value(cx, Qprint_length));
  const Value max_level = variable_value(cx, Qprint_level);
  level = max_level.is_fixnum() ? std::max<std::int64_t>(max_level.as_fixnum(), 0) : -1;
  circle = is_set(cx, Qprint_circle);
  gensym = is_set(cx, Qprint_gensym);
  quoted = is_set(cx, Qprint_quoted);
  escape_newlines = is_set(cx, Qprint_escape_newlines);
  escape_control = is_set(cx, Qprint_escape_control_characters);
  escape_nonascii = is_set(cx, Qprint_escape_nonascii);
  escape_multibyte = is_set(cx, Qprint_escape_multibyte);
  continuous = is_set(cx, Qprint_continuous_numbering);
  integers_as_characters = is_set(cx, Qprint_integers_as_characters);
  charset_property = variable_value(cx, Qprint_charset_text_property);
}

void Printer::for_buffer(bool multibyte) {
  if (multibyte) {
    options_.escape_nonascii = true;
  } else {
    options_.escape_multibyte = true;
  }
}

bool Printer::print(Value v, bool escape) {
  Value& table = cx_.cells(Qprint_number_table).value;
  if (!options_.continuous || !variable_true(cx_, Qprint_number_table)) {
    print_state(cx_).number_index = 0;
    store(&table, kNil);
  }
  if (options_.circle) {
    number_shared_objects(cx_, v);
    table_ = variable_value(cx_, Qprint_number_table);
    if (is_hash_table(table_)) {
      // What was met once only needs no number.
      for (std::int64_t i = core::hash_capacity_raw(table_); i-- > 0;) {
        const Value key = core::hash_key_raw(table_, i);
        if (!key.is_unbound() && core::hash_value_raw(table_, i) == Qt) hash_table_remove(cx_, table_, key);
      }
    }
  }
  depth_ = 0;
  backquote_ = 0;
  return object(v, escape);
}

void Printer::add_char(int c) {
  std::uint8_t b[text::kMaxBytesPerChar];
  out.append(reinterpret_cast<const char*>(b), static_cast<std::size_t>(text::encode_char(c, b)));
}

void Printer::text_of(Value s) { text_of(s, 0, string_bytes(s)); }

void Printer::text_of(Value s, std::int64_t from, std::int64_t to) {
  const bool multibyte = string_multibyte(s);
  for (std::int64_t i = from; i < to;) {
    const std::uint8_t* p = string_data_raw(s) + i;
    const text::Decoded d = multibyte ? text::decode_char(p) : text::Decoded{text::raw_byte_to_char(*p), 1};
    if (text::is_raw_byte_char(d.c) && options_.escape_nonascii) {
      octal(static_cast<unsigned>(text::char_to_raw_byte(d.c)), false);
    } else {
      add_char(d.c);
    }
    i += d.bytes;
  }
}

void Printer::octal(unsigned c, bool digit_follows) {
  char b[8];
  std::snprintf(b, sizeof b, c > 077 || digit_follows ? "\\%03o" : "\\%o", c);
  add(b);
}

bool Printer::object(Value v, bool escape) {
  if (!check_quit(cx_).ok()) return false;
  if (!options_.circle && depth_ >= kMaxDepth) {
    error_text(cx_, "Apparently circular structure being printed");
    return false;
  }
  if (v.is_fixnum() || v.is_float() || is_bignum(v)) {
    number(v);
    return true;
  }
  if (can_be_shared(cx_, v, options_.gensym, depth_ > 1 || options_.continuous)) {
    if (!options_.circle) {
      if (!v.is_symbol()) {
        for (int i = 0; i < depth_; ++i) {
          if (being_printed_[i] != v) continue;
          mark("#", i, "");
          return true;
        }
        being_printed_[depth_] = v;
      }
    } else if (is_hash_table(table_)) {
      const Value number = hash_table_get(cx_, table_, v);
      if (number.is_fixnum()) {
        const std::int64_t n = number.as_fixnum();
        if (n >= 0) {
          mark("#", n, "#");
          return true;
        }
        mark("#", -n, "=");
        hash_table_put(cx_, table_, v, Value::fixnum(-n));
      }
    }
  }
  if (native_stack_low(cx_)) {
    error_text(cx_, "Structure is nested too deeply to be printed");
    return false;
  }
  ++depth_;
  bool ok = true;
  if (v.is_symbol()) {
    symbol(v, escape);
  } else if (v.is_cons()) {
    ok = cons_cell(v, escape);
  } else if (v.is_string()) {
    if (escape) {
      ok = string(v);
    } else {
      text_of(v);
    }
  } else {
    ok = vector_like(v, escape);
  }
  --depth_;
  return ok;
}

void Printer::number(Value v) {
  if (v.is_float()) return add(float_to_string(cx_, float_raw(v)));
  if (!v.is_fixnum()) return add(number_to_string(cx_, v));
  const std::int64_t n = v.as_fixnum();
  if (options_.integers_as_characters && n >= 0 && n <= text::kMax5Byte) return character_integer(static_cast<int>(n));
  add(std::to_string(n));
}

void Printer::mark(const char* before, std::int64_t n, const char* after) {
  add(before);
  add(std::to_string(n));
  add(after);
}

void Printer::character_integer(int c) {
  const char* named = nullptr;
  switch (c) {
    case '\b': named = "?\\b"; break;
    case '\t': named = "?\\t"; break;
    case '\n': named = "?\\n"; break;
    case '\f': named = "?\\f"; break;
    case '\r': named = "?\\r"; break;
    case ' ': named = "?\\s"; break;
    default: break;
  }
  if (named != nullptr) return add(named);
  if (!is_graphic_base(c)) return add(std::to_string(c));
  add("?");
  if (c < 0x80 && std::string_view(";\"'\\(){}[]").find(static_cast<char>(c)) != std::string_view::npos) add("\\");
  add_char(c);
}

bool Printer::string(Value v) {
  Value intervals = printed_intervals(cx_, v, options_.charset_property);
  if (intervals.is_exit()) return false;
  if (intervals.is_cons()) add("#(");
  add("\"");
  const bool multibyte = string_multibyte(v);
  const std::uint8_t* p = string_data_raw(v);
  const std::int64_t n = string_bytes(v);
  bool after_hex = false;
  for (std::int64_t i = 0; i < n;) {
    const text::Decoded d = multibyte ? text::decode_char(p + i) : text::Decoded{text::raw_byte_to_char(p[i]), 1};
    i += d.bytes;
    const int c = d.c;
    if (text::is_raw_byte_char(c) && (multibyte || options_.escape_nonascii)) {
      octal(static_cast<unsigned>(text::char_to_raw_byte(c)), false);
      after_hex = false;
      continue;
    }
    if (multibyte && c >= 0x80 && options_.escape_multibyte) {
      char b[16];
      std::snprintf(b, sizeof b, "\\x%04x", static_cast<unsigned>(c));
      add(b);
      after_hex = true;
      continue;
    }
    const bool hex_digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (hex_digit) {
      if (after_hex) add("\\ ");
      out.push_back(static_cast<char>(c));
    } else if (c == '\n' && options_.escape_newlines) {
      add("\\n");
    } else if (c == '\f' && options_.escape_newlines) {
      add("\\f");
    } else if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(static_cast<char>(c));
    } else if (options_.escape_control && (c < 0x20 || c == 0x7f)) {
      octal(static_cast<unsigned>(c), i < n && p[i] >= '0' && p[i] <= '7');
    } else {
      add_char(c);
    }
    after_hex = false;
  }
  add("\"");
  if (!intervals.is_cons()) return true;
  for (; intervals.is_cons(); intervals = cdr_raw(intervals)) {
    for (Value l = car_raw(intervals); l.is_cons(); l = cdr_raw(l)) {
      add(" ");
      if (!object(car_raw(l), true)) return false;
    }
  }
  add(")");
  return true;
}

namespace {
// [+-] digits [. digits] [e [+-] digits | e+INF | e+NaN], with digits on at least one side of the dot.
bool reads_as_number(std::string_view name) {
  const auto digits = [&name]() {
    std::size_t n = 0;
    while (n < name.size() && name[n] >= '0' && name[n] <= '9') ++n;
    name.remove_prefix(n);
    return n;
  };
  if (!name.empty() && (name[0] == '-' || name[0] == '+')) name.remove_prefix(1);
  const std::size_t whole = digits();
  std::size_t fraction = 0;
  if (!name.empty() && name[0] == '.') {
    name.remove_prefix(1);
    fraction = digits();
  }
  if (whole + fraction == 0) return false;
  if (name.size() > 1 && (name[0] == 'e' || name[0] == 'E')) {
    name.remove_prefix(1);
    if (name == "+INF" || name == "+NaN") return true;
    if (name[0] == '-' || name[0] == '+') name.remove_prefix(1);
    if (digits() == 0) return false;
  }
  return name.empty();
}
}  // namespace

// The name as text: bytes that are no characters print as the characters of Latin-1, as if the name were made of them.
std::string Printer::readable_name(Value v) {
  const Value string = symbol_name(cx_, v);
  std::string out;
  std::uint8_t bytes[text::kMaxBytesPerChar];
  const auto put = [&](int c) {
    out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(text::encode_char(c, bytes)));
  };
  const std::string_view name = string_view_of(string);
  for (std::size_t i = 0; i < name.size();) {
    if (!string_multibyte(string)) {
      put(static_cast<unsigned char>(name[i++]));
      continue;
    }
    const text::Decoded d = text::decode_char(reinterpret_cast<const std::uint8_t*>(name.data()) + i);
    put(text::is_raw_byte_char(d.c) ? text::char_to_raw_byte(d.c) : d.c);
    i += static_cast<std::size_t>(d.bytes);
  }
  return out;
}

void Printer::symbol(Value v, bool escape) {
  std::string_view name = symbol_name_view(cx_, v);
  std::string text;
  const auto unusual = [](char c) {
    return static_cast<unsigned char>(c) == 0xC0 || static_cast<unsigned char>(c) == 0xC1;
  };
  if (std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }) &&
      (!string_multibyte(symbol_name(cx_, v)) || std::any_of(name.begin(), name.end(), unusual))) {
    text = readable_name(v);
    name = text;
  }
  if (options_.gensym && (cx_.cells(v).flags & kSymbolInterned) == 0) {
    add("#:");
  } else if (name.empty()) {
    add("##");
    return;
  }
  if (!escape) return add(name);
  // A name that reads as a number gets a backslash first.
  bool confusing = reads_as_number(name);
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    const bool no_break_space = c == 0xC2 && i + 1 < name.size() && static_cast<unsigned char>(name[i + 1]) == 0xA0;
    if (confusing || c <= ' ' || no_break_space ||
        (c < 0x80 && std::string_view("\"\\';#(),.`?[]").find(static_cast<char>(c)) != std::string_view::npos)) {
      out.push_back('\\');
      confusing = false;
    }
    out.push_back(static_cast<char>(c));
  }
}

bool Printer::cons_cell(Value v, bool escape) {
  if (options_.level >= 0 && depth_ > options_.level) {
    add("...");
    return true;
  }
  const Value head = car_raw(v);
  const Value rest = cdr_raw(v);
  if (options_.quoted && rest.is_cons() && cdr_raw(rest).is_nil()) {
    if (head == Qquote || head == Qfunction) {
      add(head == Qquote ? "'" : "#'");
      return object(car_raw(rest), escape);
    }
    if (head == Qbackquote) {
      add("`");
      ++backquote_;
      const bool ok = object(car_raw(rest), escape);
      --backquote_;
      return ok;
    }
    if (backquote_ > 0 && (head == Qcomma || head == Qcomma_at)) {
      add(head == Qcomma ? "," : ",@");
      --backquote_;
      const bool ok = object(car_raw(rest), escape);
      ++backquote_;
      return ok;
    }
  }
  add("(");
  // Brent's algorithm with the constants of GNU's list walk, because the number printed for a circle shows them.
  std::int64_t count = 0;
  Value tortoise = v;
  std::int64_t limit = 2;
  std::int64_t steps = 2;
  Value tail = v;
  while (tail.is_cons()) {
    if (count != 0) {
      add(" ");
      if (options_.circle && is_hash_table(table_)) {
        if (hash_table_get(cx_, table_, tail).is_fixnum()) {
          add(". ");
          if (!object(tail, escape)) return false;
          add(")");
          return true;
        }
      }
    }
    if (options_.length >= 0 && options_.length <= count) {
      add("...)");
      return true;
    }
    ++count;
    if (!object(car_raw(tail), escape)) return false;
    tail = cdr_raw(tail);
    if (--steps != 0) {
      if (tail == tortoise && tail.is_cons() && !options_.circle) {
        mark(" . #", count >> 1, ")");
        return true;
      }
    } else {
      limit <<= 1;
      steps = limit;
      tortoise = tail;
    }
  }
  if (!tail.is_nil()) {
    add(" . ");
    if (!object(tail, escape)) return false;
  }
  add(")");
  return true;
}

bool Printer::items(Value v, std::int64_t from, bool escape) {
  const std::int64_t count = slot_count_raw(v);
  const std::int64_t shown = options_.length >= 0 ? std::min(options_.length, count) : count;
  for (std::int64_t i = from; i < shown; ++i) {
    if (i != 0) add(" ");
    if (!object(slot_raw(v, i), escape)) return false;
  }
  if (shown < count) add(" ...");
  return true;
}

bool Printer::vector_like(Value v, bool escape) {
  const char* opening = "[";
  const char* closing = "]";
  switch (header_raw(v)->kind) {
    case ObjectKind::kVector: break;
    case ObjectKind::kByteCode: opening = "#["; break;
    case ObjectKind::kCharTable: opening = "#^["; break;
    case ObjectKind::kSubCharTable:
      // The lowest level starts a line, lest lines become endless.
      opening = slot_raw(v, 0) == Value::fixnum(3) ? "\n#^^[" : "#^^[";
      break;
    case ObjectKind::kRecord:
      opening = "#s(";
      closing = ")";
      break;
    case ObjectKind::kHashTable: return hash_table(v, escape);
    case ObjectKind::kBoolVector: bool_vector(v); return true;
    case ObjectKind::kSubr: subr(v); return true;
    case ObjectKind::kFinalizer:
      opening = slot_raw(v, 0).is_nil() ? "#<finalizer used>" : "#<finalizer>";
      closing = nullptr;
      break;
    case ObjectKind::kHost: return host_object(v, escape);
    case ObjectKind::kArrayList: return array_list(v, escape);
    default:
      opening = "#<EMACS BUG: INVALID DATATYPE>";
      closing = nullptr;
      break;
  }
  out.append(opening);
  if (closing == nullptr) return true;
  if (!items(v, 0, escape)) return false;
  out.append(closing);
  return true;
}

void Printer::subr(Value v) {
  add("#<subr ");
  add(v.as_pointer<SubrObject>()->descriptor->name);
  add(">");
}

bool Printer::array_list(Value v, bool escape) {
  add("#<array-list");
  const std::int64_t count = core::array_list_length(v);
  for (std::int64_t i = 0; i < count; ++i) {
    add(" ");
    if (options_.length >= 0 && i >= options_.length) {
      add("...");
      break;
    }
    if (!object(core::array_list_item(v, i), escape)) return false;
  }
  add(">");
  return true;
}

bool Printer::host_object(Value v, bool escape) {
  const HostType* type = v.as_pointer<HostObject>()->type;
  if (type->prints_slots) {
    add(std::string("#<") + type->name);
    for (int i = 0; i < type->slot_count; ++i) {
      add(" ");
      if (!object(host_slot_raw(v, i), escape)) return false;
    }
    add(">");
    return true;
  }
  if (type->print_re != nullptr) {
    const Value text = type->print_re(cx_, v);
    if (text.is_exit()) return false;
    // princ shows a buffer's name alone.
    constexpr std::int64_t kBefore = std::string_view("#<buffer ").size();
    if (!escape && host_hooks(cx_).is_buffer(v) && string_view_of(text).starts_with("#<buffer "))
      text_of(text, kBefore, string_bytes(text) - 1);
    else
      text_of(text);
  } else {
    add(std::string("#<") + type->name + ">");
  }
  return true;
}

bool Printer::hash_table(Value v, bool escape) {
  using namespace core;
  add("#s(hash-table size " + std::to_string(slot_raw(v, kHashSize).as_fixnum()));
  const Value test = slot_raw(v, kHashTestName);
  if (!test.is_nil()) {
    add(" test ");
    symbol(test, escape);
  }
  static constexpr const char* kWeakNames[] = {"", "key", "value", "key-or-value", "key-and-value"};
  if (hash_weak_raw(v) != WeakKind::kNone) {
    add(" weakness ");
    add(kWeakNames[static_cast<int>(hash_weak_raw(v))]);
  }
  add(" rehash-size ");
  if (!object(slot_raw(v, kHashRehashSize), escape)) return false;
  add(" rehash-threshold ");
  if (!object(slot_raw(v, kHashRehashThreshold), escape)) return false;
  if ((header_raw(v)->flags & kHashPurecopy) != 0) add(" purecopy t");
  add(" data (");
  const std::int64_t count = hash_count_raw(v);
  const std::int64_t shown = options_.length >= 0 ? std::min(options_.length, count) : count;
  std::int64_t done = 0;
  for (std::int64_t i = 0; i < hash_capacity_raw(v) && done < shown; ++i) {
    if (hash_key_raw(v, i).is_unbound()) continue;
    if (done++ > 0) add(" ");
    if (!object(hash_key_raw(v, i), escape)) return false;
    add(" ");
    if (!object(hash_value_raw(v, i), escape)) return false;
  }
  if (shown < count) add(" ...");
  add("))");
  return true;
}

void Printer::bool_vector(Value v) {
  const std::uint8_t* data = raw_bytes_raw(v)->bytes;
  std::int64_t length;
  std::memcpy(&length, data, sizeof length);
  data += sizeof length;
  const std::int64_t bytes = (length + 7) / 8;
  const std::int64_t shown = options_.length >= 0 ? std::min(options_.length, bytes) : bytes;
  add("#&" + std::to_string(length) + "\"");
  for (std::int64_t i = 0; i < shown; ++i) {
    const std::uint8_t c = data[i];
    if (c == '\n' && options_.escape_newlines) {
      add("\\n");
    } else if (c == '\f' && options_.escape_newlines) {
      add("\\f");
    } else if (c > 0177 || (options_.escape_control && (c < 0x20 || c == 0x7f))) {
      octal(c, i + 1 < bytes && data[i + 1] >= '0' && data[i + 1] <= '7');
    } else {
      if (c == '"' || c == '\\') add("\\");
      out.push_back(static_cast<char>(c));
    }
  }
  if (shown < bytes) add(" ...");
  add("\"");
}

}  // namespace neovm::elisp
