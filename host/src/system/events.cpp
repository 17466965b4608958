// Names of input events: modifiers and bases (keyboard.c).
#include <string>

#include "neovm/abi/api.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

namespace {

// Bits of modified characters, and those that only symbols can show.
constexpr std::int64_t kUp = 1;
constexpr std::int64_t kDown = 2;
constexpr std::int64_t kDrag = 4;
constexpr std::int64_t kClick = 8;
constexpr std::int64_t kDouble = 16;
constexpr std::int64_t kTriple = 32;
constexpr std::int64_t kAlt = 1 << 22;
constexpr std::int64_t kSuper = 1 << 23;
constexpr std::int64_t kHyper = 1 << 24;
constexpr std::int64_t kShift = 1 << 25;
constexpr std::int64_t kControl = 1 << 26;
constexpr std::int64_t kMeta = 1 << 27;
constexpr std::int64_t kCharacterBits = kAlt | kSuper | kHyper | kShift | kControl | kMeta;

struct Modifier {
  std::string_view prefix;
  Value symbol;
  std::int64_t bit;
};
// In the order they are written in.
const Modifier kModifiers[] = {
    {"A-", Qalt, kAlt},        {"C-", Qcontrol, kControl}, {"H-", Qhyper, kHyper},
    {"M-", Qmeta, kMeta},      {"S-", Qshift, kShift},     {"s-", Qsuper, kSuper},
    {"double-", Qdouble, kDouble}, {"triple-", Qtriple, kTriple}, {"up-", Qup, kUp},
    {"down-", Qdown, kDown},   {"drag-", Qdrag, kDrag},
};

std::int64_t modifier_bit(Value symbol) {
  if (symbol == Qclick) return kClick;
  for (const Modifier& m : kModifiers)
    if (m.symbol == symbol) return m.bit;
  return 0;
}

bool is_button(std::string_view base) {
  if (base.starts_with("mouse-") && base.size() > 6) {
    for (const char c : base.substr(6))
      if (c < '0' || c > '9') return false;
    return true;
  }
  return base.starts_with("wheel-");
}

struct Parsed {
  std::int64_t bits = 0;
  std::string_view base;
};

// "C-M-f1" → control, meta, "f1".
Parsed parse(std::string_view name) {
  Parsed p;
  bool found = true;
  while (found) {
    found = false;
    for (const Modifier& m : kModifiers) {
      if (!name.starts_with(m.prefix)) continue;
      p.bits |= m.bit;
      name.remove_prefix(m.prefix.size());
      found = true;
      break;
    }
  }
  p.base = name;
  if ((p.bits & (kUp | kDown | kDrag | kDouble | kTriple)) == 0 && is_button(name)) p.bits |= kClick;
  return p;
}

// A character with the control modifier: ASCII control codes where there is one.
std::int64_t control_character(std::int64_t c) {
  const std::int64_t upper = c & ~std::int64_t{0177};
  if (c >= 0x80 || upper != 0) return c | kControl;
  if (c >= 0100 && c < 0140) {
    const std::int64_t code = c & ~std::int64_t{0140};
    return c >= 'A' && c <= 'Z' ? code | kShift : code;
  }
  if (c >= 'a' && c <= 'z') return c & ~std::int64_t{0140};
  if (c >= ' ') return c | kControl;
  return c;
}

Value with_modifiers(Context& cx, std::int64_t bits, Value base) {
  if (base.is_fixnum()) {
    std::int64_t c = base.as_fixnum();
    if ((bits & kShift) != 0 && c >= 'a' && c <= 'z') {
      c -= 32;
      bits &= ~kShift;
    }
    if ((bits & kControl) != 0) c = control_character(c & 0x3FFFFF) | (c & ~std::int64_t{0x3FFFFF});
    return Value::fixnum(c | (bits & kCharacterBits & ~kControl));
  }
  std::string name;
  for (const Modifier& m : kModifiers)
    if ((bits & m.bit) != 0) name += m.prefix;
  name += symbol_name_view(cx, base);
  const Value symbol = intern(cx, name);
  // The base knows what kind of event it is; so shall the modified one.
  const Value kind = symbol_get(cx, base, Qevent_kind);
  if (kind.truthy()) symbol_put(cx, symbol, Qevent_kind, kind);
  return symbol;
}

NEOVM_PRIMITIVE(event_convert_list, "event-convert-list", 1, 1, kMainOnly, kStateWrite, kMayGc, kNoReentry,
                kDeterministic, "Return the event that a list of modifiers and a base describes.")
(Context& cx, Value description) {
  std::int64_t bits = 0;
  Value base = kNil;
  bool have_base = false;
  for (; description.is_cons(); description = cdr_raw(description)) {
    TRY(check_quit(cx));
    const Value element = car_raw(description);
    const bool last = !cdr_raw(description).is_cons();
    const std::int64_t bit = element.is_symbol() && !last ? modifier_bit(element) : 0;
    if (bit != 0) {
      bits |= bit;
    } else if (have_base) {
      return error_text(cx, "Two bases given in one event");
    } else {
      base = element;
      have_base = true;
    }
  }
  if (!have_base) return kNil;
  if (base.is_symbol() && !base.is_nil()) {  // the symbol `a` is the character a
    const Value name = symbol_name(cx, base);
    if (string_chars(name) == 1) base = Value::fixnum(string_char_raw(name, 0));
  }
  if (!base.is_fixnum() && !base.is_symbol()) return error_text(cx, "Invalid base event");
  return with_modifiers(cx, bits, base);
}

NEOVM_PRIMITIVE(parse_modifiers, "internal-event-symbol-parse-modifiers", 1, 1, kMainOnly, kStateWrite, kMayGc,
                kNoReentry, kDeterministic, "Return (BASE MODIFIERS…) of the event named SYMBOL, and remember it there.")
(Context& cx, Value symbol) {
  TRY(check_type(cx, symbol.is_symbol(), Qsymbolp, symbol));
  const Value known = symbol_get(cx, symbol, Qevent_symbol_elements);
  if (known.is_cons()) return known;
  const std::string name(symbol_name_view(cx, symbol));
  const Parsed p = parse(name);
  const Value base = intern(cx, p.base);
  symbol_put(cx, symbol, Qevent_symbol_element_mask, list(cx, {base, Value::fixnum(p.bits)}));
  Value modifiers = kNil;
  static constexpr std::int64_t kOrder[] = {kUp, kDown, kDrag, kClick, kDouble, kTriple, kAlt, kSuper, kHyper, kShift, kControl, kMeta};
  for (const std::int64_t bit : kOrder) {
    if ((p.bits & bit) == 0) continue;
    Value word = Qclick;
    for (const Modifier& m : kModifiers)
      if (m.bit == bit) word = m.symbol;
    modifiers = cons(cx, word, modifiers);
  }
  const Value elements = cons(cx, base, modifiers);
  symbol_put(cx, symbol, Qevent_symbol_elements, elements);
  return elements;
}

}  // namespace
}  // namespace neomacs::host
