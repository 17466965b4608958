// Which text properties of a string are printed, and in which order.
#include "../data/charset/charset.hpp"
#include "neovm/text/characters.hpp"
#include "printer.hpp"

namespace neovm::elisp {

Value plist_of_interval(Value interval) { return car_of_list(cdr_of_list(cdr_of_list(interval))); }

namespace {

// The tail of PLIST that begins with the property `charset`, or nil.
Value charset_tail(Value plist) {
  while (plist.is_cons() && car_raw(plist) != Qcharset) plist = cdr_of_list(cdr_raw(plist));
  return plist;
}

// A copy of PLIST, the other way round.
Value without_charset(Context& cx, Value plist) {
  Value out = kNil;
  for (; plist.is_cons(); plist = cdr_of_list(cdr_raw(plist)))
    if (car_raw(plist) != Qcharset) out = cons(cx, car_raw(plist), cons(cx, car_of_list(cdr_raw(plist)), out));
  return out;
}

// Whether some character of [FROM, TO) beyond ASCII belongs to another charset than CHARSET by the present priorities (a raw
// byte always does).
Maybe<bool> has_odd_charset(Context& cx, Value s, std::int64_t from, std::int64_t to, Value charset) {
  const bool multibyte = string_multibyte(s);
  const std::uint8_t* p = string_data_raw(s);
  for (std::int64_t i = 0; i < to; ++i) {
    const text::Decoded d = multibyte ? text::decode_char(p) : text::Decoded{text::raw_byte_to_char(*p), 1};
    p += d.bytes;
    if (i < from || d.c < 0x80) continue;
    if (text::is_raw_byte_char(d.c)) return true;
    std::uint32_t code = 0;
    const int id = TRY(charset_of_char(cx, d.c, &code));
    if (id < 0 || charset_name(cx, id) != charset) return true;
  }
  return false;
}

}  // namespace

Value printed_intervals(Context& cx, Value s, Value charset_property) {
  const HostHooks& hooks = host_hooks(cx);
  if (string_raw(s)->properties.is_nil() || hooks.string_property_intervals == nullptr) return kNil;
  const Value intervals = hooks.string_property_intervals(cx, s);
  bool keep = charset_property == Qt;
  if (!keep && !charset_property.is_nil()) {
    for (Value l = intervals; l.is_cons() && !keep; l = cdr_raw(l)) {
      const Value run = car_raw(l);
      const Value charset = charset_tail(plist_of_interval(run));
      if (!charset.is_cons()) continue;
      keep = TRY(has_odd_charset(cx, s, car_raw(run).as_fixnum(), car_raw(cdr_raw(run)).as_fixnum(),
                                 car_of_list(cdr_raw(charset))));
    }
  }
  Value result = kNil;
  for (Value l = intervals; l.is_cons(); l = cdr_raw(l)) {
    const Value run = car_raw(l);
    const Value plist = plist_of_interval(run);
    const Value printed = keep ? plist : without_charset(cx, plist);
    if (!printed.is_nil()) result = cons(cx, list(cx, {car_raw(run), car_raw(cdr_raw(run)), printed}), result);
  }
  return nreverse_list(result);
}

}  // namespace neovm::elisp
