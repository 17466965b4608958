// Lisp to JSON. Containers that are open stand on a vector, not on the native stack: how deep they may nest is for
// max-lisp-eval-depth to say. Nothing here collects, so nothing moves.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <unordered_set>
#include <vector>

#include "json.hpp"
#include "neovm/core/bignum.hpp"
#include "neovm/core/context.hpp"
#include "neovm/core/hash_table.hpp"
#include "neovm/text/characters.hpp"

namespace neovm::elisp {

namespace {

class Writer {
 public:
  Writer(Context& cx, const JsonOptions& options, std::string* out)
      : cx_(cx), options_(options), room_(json_depth_left(cx)), out_(*out) {}
  Maybe<bool> document(Value v);

 private:
  struct Level {  // a container that is still open
    enum class Kind : std::uint8_t { kVector, kTable, kAlist, kPlist } kind;
    bool first = true;  // nothing of it has been written
    Value container;
    Value tail;                            // of a list
    std::int64_t next = 0;                 // place in a vector or table
    std::unordered_set<std::string> seen;  // keys: of a list the first of equal ones counts, in a table there are none
  };

  Maybe<bool> value(Value v);
  Maybe<bool> open_list(Value v);
  // Goes on to the next item of LEVEL, with what stands before it; false after the last one.
  Maybe<bool> advance(Level& level, Value* item);
  Maybe<bool> advance_list(Level& level, Value* item);
  Maybe<bool> string(Value v);
  Maybe<bool> number(Value v);
  void separate(Level& level);
  void quoted(std::string_view s);

  Context& cx_;
  const JsonOptions& options_;
  std::int64_t room_;
  std::string& out_;
  std::vector<Level> levels_;
};

void Writer::quoted(std::string_view s) {
  out_.push_back('"');
  for (const char c : s) {
    switch (c) {
      case '"': out_ += "\\\""; break;
      case '\\': out_ += "\\\\"; break;
      case '\b': out_ += "\\b"; break;
      case '\f': out_ += "\\f"; break;
      case '\n': out_ += "\\n"; break;
      case '\r': out_ += "\\r"; break;
      case '\t': out_ += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          char b[8];
          std::snprintf(b, sizeof b, "\\u%04X", static_cast<unsigned>(c));
          out_ += b;
        } else {
          out_.push_back(c);
        }
    }
  }
  out_.push_back('"');
}

Maybe<bool> Writer::string(Value v) {
  const std::string bytes = to_std_string(v);  // raw bytes may make characters
  if (!is_json_text(bytes)) return wrong_type(cx_, intern(cx_, "utf-8-string-p"), v);
  quoted(bytes);
  return true;
}

Maybe<bool> Writer::number(Value v) {
  if (v.is_float()) {
    const double d = float_raw(v);
    if (!std::isfinite(d)) return signal_error0(cx_, Qjson_out_of_memory);
    char b[40];
    std::snprintf(b, sizeof b, "%.17g", d);
    std::string s = b;
    const std::size_t e = s.find('e');
    if (e == std::string::npos) {
      if (s.find('.') == std::string::npos) s += ".0";
    } else {  // no plus sign, no leading zeros in the exponent
      std::size_t k = e + 1;
      if (s[k] == '+') s.erase(k, 1);
      if (s[k] == '-') ++k;
      while (s[k] == '0' && k + 1 < s.size()) s.erase(k, 1);
    }
    out_ += s;
    return true;
  }
  const std::int64_t n = TRY(integer_clamped(cx_, v));
  constexpr auto kLow = std::numeric_limits<std::int64_t>::min();
  constexpr auto kHigh = std::numeric_limits<std::int64_t>::max();
  if ((n == kLow || n == kHigh) && is_bignum(v)) {
    const Value bound = make_integer(cx_, n);
    if (core::compare_integers(bound, v) != 0)
      return args_out_of_range(cx_, v, make_integer(cx_, kLow), make_integer(cx_, kHigh));
  }
  out_ += std::to_string(n);
  return true;
}

void Writer::separate(Level& level) {
  if (!level.first) out_.push_back(',');
  level.first = false;
}

// An alist or a plist, as its first element tells.
Maybe<bool> Writer::open_list(Value v) {
  out_.push_back('{');
  // Circles are errors; what else is wrong is found on the way.
  std::int64_t steps = 0;
  Value slow = v;
  for (Value fast = v; fast.is_cons(); fast = cdr_raw(fast)) {
    if ((++steps & 1) == 0) slow = cdr_raw(slow);
    if (fast == slow && cdr_raw(fast).is_cons() && steps > 2) return signal_error1(cx_, Qcircular_list, v);
  }
  const bool plist = v.is_cons() && !car_raw(v).is_cons();
  levels_.push_back({plist ? Level::Kind::kPlist : Level::Kind::kAlist, true, v, v, 0, {}});
  return true;
}

Maybe<bool> Writer::advance_list(Level& level, Value* item) {
  for (; level.tail.is_cons(); level.tail = cdr_raw(level.tail)) {
    Value key = car_raw(level.tail);
    if (level.kind == Level::Kind::kPlist) {
      level.tail = cdr_raw(level.tail);
      if (!level.tail.is_cons()) return wrong_type(cx_, Qconsp, level.tail);
      *item = car_raw(level.tail);
    } else {
      if (!key.is_cons()) return wrong_type(cx_, Qconsp, key);
      *item = cdr_raw(key);
      key = car_raw(key);
    }
    if (!key.is_symbol()) return wrong_type(cx_, Qsymbolp, key);
    std::string name(symbol_name_view(cx_, key));
    if (level.kind == Level::Kind::kPlist && !name.empty() && name[0] == ':') name.erase(0, 1);
    if (!level.seen.insert(name).second) continue;
    separate(level);
    quoted(name);
    out_.push_back(':');
    level.tail = cdr_raw(level.tail);
    return true;
  }
  if (!level.tail.is_nil()) return wrong_type(cx_, Qlistp, level.container);
  return false;
}

Maybe<bool> Writer::advance(Level& level, Value* item) {
  if (level.kind == Level::Kind::kVector) {
    if (level.next == slot_count_raw(level.container)) return false;
    separate(level);
    *item = slot_raw(level.container, level.next++);
    return true;
  }
  if (level.kind != Level::Kind::kTable) return advance_list(level, item);
  while (level.next < core::hash_capacity_raw(level.container)) {
    const std::int64_t place = level.next++;
    const Value key = core::hash_key_raw(level.container, place);
    if (key.is_unbound()) continue;
    if (!key.is_string()) return wrong_type(cx_, Qstringp, key);
    if (!level.seen.insert(to_std_string(key)).second)
      return wrong_type(cx_, intern(cx_, "json-value-p"), level.container);
    separate(level);
    TRY(string(key));
    out_.push_back(':');
    *item = core::hash_value_raw(level.container, place);
    return true;
  }
  return false;
}

// Writes V, or the opening bracket of a container.
Maybe<bool> Writer::value(Value v) {
  TRY(check_quit(cx_));
  if (v == options_.null_object) {
    out_ += "null";
    return true;
  }
  if (v == options_.false_object) {
    out_ += "false";
    return true;
  }
  if ((is_vector(v) || is_hash_table(v) || v.is_list()) && static_cast<std::int64_t>(levels_.size()) >= room_)
    return signal_error0(cx_, Qjson_object_too_deep);
  if (v == Qt) {
    out_ += "true";
  } else if (is_number(v)) {
    return number(v);
  } else if (v.is_string()) {
    return string(v);
  } else if (is_vector(v)) {
    out_.push_back('[');
    levels_.push_back({Level::Kind::kVector, true, v, kNil, 0, {}});
  } else if (is_hash_table(v)) {
    out_.push_back('{');
    levels_.push_back({Level::Kind::kTable, true, v, kNil, 0, {}});
  } else if (v.is_list()) {
    return open_list(v);
  } else {
    return wrong_type(cx_, intern(cx_, "json-value-p"), v);
  }
  return true;
}

Maybe<bool> Writer::document(Value v) {
  TRY(value(v));
  while (!levels_.empty()) {
    Value item = kNil;
    const bool more = TRY(advance(levels_.back(), &item));
    if (more) {
      TRY(value(item));
    } else {
      out_.push_back(levels_.back().kind == Level::Kind::kVector ? ']' : '}');
      levels_.pop_back();
    }
  }
  return true;
}

}  // namespace

Maybe<bool> write_json(Context& cx, Value v, const JsonOptions& options, std::string* out) {
  return Writer(cx, options, out).document(v);
}

}  // namespace neovm::elisp
