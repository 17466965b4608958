// Lisp to JSON.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <unordered_set>

#include "json.hpp"
#include "neovm/core/bignum.hpp"
#include "neovm/core/context.hpp"
#include "neovm/core/hash_table.hpp"
#include "neovm/text/characters.hpp"

namespace neovm::elisp {

namespace {

class Writer {
 public:
  Writer(Context& cx, const JsonOptions& options, std::string* out) : cx_(cx), options_(options), out_(*out) {}
  Maybe<bool> value(Value v, std::int64_t room);

 private:
  Maybe<bool> string(Value v);
  Maybe<bool> number(Value v);
  Maybe<bool> list(Value v, std::int64_t room);
  Maybe<bool> table(Value v, std::int64_t room);
  void quoted(std::string_view s);

  Context& cx_;
  const JsonOptions& options_;
  std::string& out_;
};

bool is_unicode(Value s) {
  const auto* p = string_data_raw(s);
  const std::int64_t n = string_bytes(s);
  for (std::int64_t i = 0; i < n;) {
    const int length = text::valid_sequence_length(p + i, n - i, false);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

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
  if (!is_unicode(v)) return wrong_type(cx_, intern(cx_, "utf-8-string-p"), v);
  quoted(string_view_of(v));
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

// An alist or a plist, as its first element tells; the first of equal keys counts.
Maybe<bool> Writer::list(Value v, std::int64_t room) {
  out_.push_back('{');
  std::unordered_set<std::string> seen;
  const bool plist = v.is_cons() && !car_raw(v).is_cons();
  TRY(v.is_nil() ? Maybe<std::int64_t>(0) : [&]() -> Maybe<std::int64_t> {
    // Circles are errors; what else is wrong is found on the way.
    std::int64_t steps = 0;
    Value slow = v;
    for (Value fast = v; fast.is_cons(); fast = cdr_raw(fast)) {
      if ((++steps & 1) == 0) slow = cdr_raw(slow);
      if (steps > 1 && fast == slow && cdr_raw(fast).is_cons() && steps > 2) {
        return signal_error1(cx_, Qcircular_list, v);
      }
    }
    return steps;
  }());
  bool first = true;
  Value tail = v;
  for (; tail.is_cons(); tail = cdr_raw(tail)) {
    Value key = car_raw(tail);
    Value item = kNil;
    if (plist) {
      tail = cdr_raw(tail);
      if (!tail.is_cons()) return wrong_type(cx_, Qconsp, tail);
      item = car_raw(tail);
    } else {
      if (!key.is_cons()) return wrong_type(cx_, Qconsp, key);
      item = cdr_raw(key);
      key = car_raw(key);
    }
    if (!key.is_symbol()) return wrong_type(cx_, Qsymbolp, key);
    std::string name(symbol_name_view(cx_, key));
    if (plist && !name.empty() && name[0] == ':') name.erase(0, 1);
    if (!seen.insert(name).second) continue;
    if (!first) out_.push_back(',');
    first = false;
    quoted(name);
    out_.push_back(':');
    TRY(value(item, room - 1));
  }
  if (!tail.is_nil()) return wrong_type(cx_, Qlistp, v);
  out_.push_back('}');
  return true;
}

Maybe<bool> Writer::table(Value v, std::int64_t room) {
  out_.push_back('{');
  bool first = true;
  for (std::int64_t i = 0; i < core::hash_capacity_raw(v); ++i) {
    const Value key = core::hash_key_raw(v, i);
    if (key.is_unbound()) continue;
    if (!key.is_string()) return wrong_type(cx_, Qstringp, key);
    if (!first) out_.push_back(',');
    first = false;
    TRY(string(key));
    out_.push_back(':');
    TRY(value(core::hash_value_raw(v, i), room - 1));
  }
  out_.push_back('}');
  return true;
}

Maybe<bool> Writer::value(Value v, std::int64_t room) {
  TRY(check_quit(cx_));
  if ((room <= 0 || native_stack_low(cx_)) && (is_vector(v) || is_hash_table(v) || v.is_list()) &&
      v != options_.null_object && v != options_.false_object)
    return signal_error0(cx_, Qjson_object_too_deep);
  if (v == options_.null_object) {
    out_ += "null";
  } else if (v == options_.false_object) {
    out_ += "false";
  } else if (v == Qt) {
    out_ += "true";
  } else if (is_number(v)) {
    return number(v);
  } else if (v.is_string()) {
    return string(v);
  } else if (is_vector(v)) {
    out_.push_back('[');
    for (std::int64_t i = 0; i < slot_count_raw(v); ++i) {
      if (i > 0) out_.push_back(',');
      TRY(value(slot_raw(v, i), room - 1));
    }
    out_.push_back(']');
  } else if (is_hash_table(v)) {
    return table(v, room);
  } else if (v.is_list()) {
    return list(v, room);
  } else {
    return wrong_type(cx_, intern(cx_, "json-value-p"), v);
  }
  return true;
}

}  // namespace

Maybe<bool> write_json(Context& cx, Value v, const JsonOptions& options, std::string* out) {
  return Writer(cx, options, out).value(v, json_depth_left(cx));
}

}  // namespace neovm::elisp
