// Events by name: the modifiers in the names of symbols and in lists such as (control ?a). (Emacs Lisp manual,
// "Classifying Events", "Event Mod".)
#include <string>

#include "keymap/keymap.hpp"

namespace neovm::elisp {

namespace {

struct Prefix {
  std::string_view text;
  std::int64_t modifier;
  Value name;
};
// The canonical order of prefixes is that of this table.
constexpr Prefix kPrefixes[] = {
    {"A-", kAltModifier, Qalt},
    {"C-", kControlModifier, Qcontrol},
    {"H-", kHyperModifier, Qhyper},
    {"M-", kMetaModifier, Qmeta},
    {"S-", kShiftModifier, Qshift},
    {"s-", kSuperModifier, Qsuper},
    {"double-", kDoubleModifier, Qdouble},
    {"triple-", kTripleModifier, Qtriple},
    {"up-", kUpModifier, Qup},
    {"down-", kDownModifier, Qdown},
    {"drag-", kDragModifier, Qdrag},
};
// The order in which event-modifiers lists them.
constexpr std::pair<std::int64_t, Value> kListedOrder[] = {
    {kMetaModifier, Qmeta},   {kControlModifier, Qcontrol}, {kShiftModifier, Qshift},   {kHyperModifier, Qhyper},
    {kSuperModifier, Qsuper}, {kAltModifier, Qalt},         {kTripleModifier, Qtriple}, {kDoubleModifier, Qdouble},
    {kClickModifier, Qclick}, {kDragModifier, Qdrag},       {kDownModifier, Qdown},     {kUpModifier, Qup}};

// A button that is not held, dragged or counted is a click; so is a wheel that is not counted.
bool is_click(std::string_view base, std::int64_t modifiers) {
  const bool button = base.size() == 7 && base.starts_with("mouse-") && base[6] >= '0' && base[6] <= '9';
  const bool wheel = base.size() > 6 && base.starts_with("wheel-");
  const std::int64_t counted = kDoubleModifier | kTripleModifier;
  return (button && (modifiers & (counted | kDownModifier | kDragModifier)) == 0) ||
         (wheel && (modifiers & counted) == 0);
}

// The modifier that a symbol in an event list names: control, or C; 0 for none.
std::int64_t named_modifier(Context& cx, Value symbol) {
  if (symbol == Qclick) return kClickModifier;
  const std::string_view name = symbol_name_view(cx, symbol);
  for (const Prefix& p : kPrefixes)
    if (symbol == p.name || (name.size() == 1 && p.text.size() == 2 && p.text[0] == name[0])) return p.modifier;
  return 0;
}

// The event with control: an ASCII control character where the character has one, otherwise the modifier bit. Control
// of a capital letter keeps shift.
std::int64_t with_control(std::int64_t event) {
  const std::int64_t modifiers = event & kModifierMask;
  const std::int64_t c = event & ~kModifierMask;
  if (c < ' ') return event;
  if (c >= 'A' && c <= 'Z') return modifiers | kShiftModifier | (c & 31);
  if ((c >= '@' && c <= '_') || (c >= 'a' && c <= 'z')) return modifiers | (c & 31);
  return event | kControlModifier;
}

Value symbol_with_modifiers(Context& cx, std::int64_t modifiers, Value base) {
  std::string name;
  for (const Prefix& p : kPrefixes)
    if ((modifiers & p.modifier) != 0) name += p.text;
  if (name.empty()) return base;
  name += symbol_name_view(cx, base);
  return intern(cx, name);
}

}  // namespace

ParsedEvent parse_event_symbol(Context& cx, Value symbol) {
  const std::string name(symbol_name_view(cx, symbol));
  std::string_view rest = name;
  std::int64_t modifiers = 0;
  for (bool more = true; more;) {
    more = false;
    for (const Prefix& p : kPrefixes) {
      if (!rest.starts_with(p.text)) continue;
      modifiers |= p.modifier;
      rest.remove_prefix(p.text.size());
      more = true;
      break;
    }
  }
  if (is_click(rest, modifiers)) modifiers |= kClickModifier;
  return {rest.size() == name.size() ? symbol : intern(cx, rest), modifiers};
}

Value canonical_event(Context& cx, Value event) {
  if (event.is_cons()) event = car_raw(event);
  if (event.is_fixnum()) return Value::fixnum(event.as_fixnum() & (kMetaModifier | (kMetaModifier - 1)));
  if (!event.is_symbol() || symbol_name_view(cx, event).find('-') == std::string_view::npos) return event;
  const ParsedEvent p = parse_event_symbol(cx, event);
  return p.base == event ? event : symbol_with_modifiers(cx, p.modifiers & ~kClickModifier, p.base);
}

bool is_event_description(Value v) {
  if (!v.is_cons()) return false;
  for (; v.is_cons(); v = cdr_raw(v))
    if (!car_raw(v).is_fixnum() && !(car_raw(v).is_symbol() && car_raw(v).truthy())) return false;
  return v.is_nil();
}

NEOVM_PRIMITIVE(event_symbol_parse_modifiers, "internal-event-symbol-parse-modifiers", 1, 1, kWorkerSafe, kStateWrite,
                kMayGc, kReenters, kDeterministic, "Return (BASE MODIFIER…) for the event symbol SYMBOL.")
(Context& cx, Value symbol) {
  if (!symbol.is_symbol()) return wrong_type(cx, Qsymbolp, symbol);
  const Value property = intern(cx, "event-symbol-elements");
  const Value known = TRY(funcall_re(cx, intern(cx, "get"), {symbol, property}));
  if (known.truthy()) return known;
  const ParsedEvent p = parse_event_symbol(cx, symbol);
  Value names = kNil;
  for (const auto& [bit, name] : kListedOrder)
    if ((p.modifiers & bit) != 0) names = cons(cx, name, names);
  const Value elements = cons(cx, p.base, nreverse_list(names));
  // event-basic-type and others look for the parts in these properties.
  const Value put = intern(cx, "put");
  const Value mask = list(cx, {p.base, Value::fixnum(p.modifiers)});
  TRY(funcall_re(cx, put, {symbol, intern(cx, "event-symbol-element-mask"), mask}));
  TRY(funcall_re(cx, put, {symbol, property, elements}));
  return elements;
}

Value convert_event_list(Context& cx, Value description) {
  std::int64_t modifiers = 0;
  Value base = kNil;
  for (Value l = description; l.is_cons(); l = cdr_raw(l)) {
    const Value e = car_raw(l);
    const bool last = !cdr_raw(l).is_cons();
    const std::int64_t modifier = !last && e.is_symbol() && e.truthy() ? named_modifier(cx, e) : 0;
    if (modifier == 0 && base.truthy()) return error_text(cx, "Two bases given in one event");
    modifiers |= modifier;
    if (modifier == 0) base = e;
  }
  // A symbol of one character stands for it.
  if (base.is_symbol() && string_chars(symbol_name(cx, base)) == 1)
    base = Value::fixnum(string_char_raw(symbol_name(cx, base), 0));
  if (base.is_symbol()) return symbol_with_modifiers(cx, modifiers & ~kClickModifier, base);
  if (!base.is_fixnum()) return error_text(cx, "Invalid base event");
  std::int64_t c = base.as_fixnum();
  if ((modifiers & kShiftModifier) != 0 && (c & ~kModifierMask) >= 'a' && (c & ~kModifierMask) <= 'z') {
    c -= 'a' - 'A';
    modifiers &= ~kShiftModifier;
  }
  if ((modifiers & kControlModifier) != 0) {
    c = with_control(c);
    modifiers &= ~kControlModifier;
  }
  return Value::fixnum(c | (modifiers & kModifierMask));
}

NEOVM_PRIMITIVE(event_convert_list, "event-convert-list", 1, 1, kWorkerSafe, kStateRead, kMayGc, kNoReentry,
                kDeterministic, "Convert (MODIFIER… BASE) into an event.")
(Context& cx, Value description) { return convert_event_list(cx, description); }

}  // namespace neovm::elisp
