// Font specifications as data. No font is ever opened; GNU's Lisp library builds specs at load time.
#include <algorithm>
#include "display/display.hpp"

namespace neomacs::host {
namespace {

enum FontSlot : int {
  kFontType,
  kFontFoundry,
  kFontFamily,
  kFontAdstyle,
  kFontRegistry,
  kFontWeight,
  kFontSlant,
  kFontWidth,
  kFontSize,
  kFontDpi,
  kFontSpacing,
  kFontAvgWidth,
  kFontShown,  // the twelve above are printed, and the extra alist
  kFontExtra = kFontShown,
  kFontSlotCount
};

constexpr HostType font_spec_type() {
  HostType t{};
  t.name = "font-spec";
  t.type_symbol = Qfont_spec;
  t.slot_count = kFontSlotCount;
  t.prints_slots = true;
  t.image = ImagePayload::kPlain;
  return t;
}
constexpr HostType kFontSpecType = font_spec_type();
NEOVM_HOST_TYPE(kFontSpecType)

struct FontKey {
  Value keyword;
  FontSlot slot;
  bool interned;  // strings become symbols
};
constexpr FontKey kFontKeys[] = {
    {QCtype, kFontType, true},       {QCfoundry, kFontFoundry, true},   {QCfamily, kFontFamily, true},
    {QCadstyle, kFontAdstyle, true}, {QCregistry, kFontRegistry, true}, {QCweight, kFontWeight, true},
    {QCslant, kFontSlant, true},     {QCwidth, kFontWidth, true},       {QCsize, kFontSize, false},
    {QCdpi, kFontDpi, false},        {QCspacing, kFontSpacing, false},  {QCavgwidth, kFontAvgWidth, false}};

// The styles of a font: their numbers and names, as `font-weight-table' and its like list them.
struct FontStyle {
  int number;
  const char* names;  // each with a space before and after it
};
constexpr FontStyle kWeights[] = {{0, " thin "},
                                  {20, " ultra-light ultralight "},
                                  {40, " extra-light extralight "},
                                  {50, " light "},
                                  {75, " semi-light semilight demilight book "},
                                  {100, " normal medium regular unspecified "},
                                  {180, " semi-bold semibold demibold demi "},
                                  {200, " bold "},
                                  {205, " extra-bold extrabold "},
                                  {210, " ultra-bold ultrabold black "}};
constexpr FontStyle kSlants[] = {{0, " reverse-oblique ro "},
                                 {10, " reverse-italic ri "},
                                 {100, " normal r unspecified "},
                                 {200, " italic i ot "},
                                 {210, " oblique o "}};
constexpr FontStyle kWidths[] = {{50, " ultra-condensed ultracondensed "},
                                 {63, " extra-condensed extracondensed "},
                                 {75, " condensed compressed narrow "},
                                 {87, " semi-condensed semicondensed demicondensed "},
                                 {100, " normal medium regular unspecified "},
                                 {113, " semi-expanded semiexpanded demiexpanded "},
                                 {125, " expanded "},
                                 {150, " extra-expanded extraexpanded "},
                                 {200, " ultra-expanded ultraexpanded wide "}};

bool valid_style(Context& cx, std::span<const FontStyle> table, Value v) {
  if (v.is_fixnum()) {  // number << 8 | place in the table << 4
    const std::int64_t n = v.as_fixnum();
    const auto place = static_cast<std::size_t>((n >> 4) & 0xf);
    return n >= 0 && place < table.size() && table[place].number == n >> 8;
  }
  if (!v.is_symbol()) return false;
  const std::string name = " " + std::string(symbol_name_view(cx, v)) + " ";
  for (const FontStyle& row : table)
    if (std::string_view(row.names).find(name) != std::string_view::npos) return true;
  return false;
}

// What KEY may be set to (not nil). *v may become a symbol or a number.
bool valid_property(Context& cx, Value key, Value* v) {
  const auto lower = [&](bool down) {
    std::string name(v->is_string() ? string_view_of(*v) : symbol_name_view(cx, *v));
    if (down)
      for (char& c : name)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    *v = intern(cx, name);
    return true;
  };
  const std::string_view name = symbol_name_view(cx, key);
  if (key == QCtype || key == QCfoundry || key == QCfamily || key == QCadstyle || name == ":script" || name == ":lang")
    return v->is_symbol() || (v->is_string() && lower(false));
  if (key == QCregistry) return (v->is_symbol() || v->is_string()) && lower(true);
  if (key == QCweight) return valid_style(cx, kWeights, *v);
  if (key == QCslant) return valid_style(cx, kSlants, *v);
  if (key == QCwidth) return valid_style(cx, kWidths, *v);
  if (key == QCsize || key == QCdpi || key == QCavgwidth)
    return v->is_natnum_fixnum() || (v->is_float() && float_raw(*v) >= 0);
  if (key == QCspacing) {
    if (v->is_fixnum()) return v->as_fixnum() >= 0 && v->as_fixnum() <= 110;
    if (!v->is_symbol() || symbol_name_view(cx, *v).size() != 1) return false;
    switch (symbol_name_view(cx, *v)[0] | 0x20) {
      case 'c': *v = Value::fixnum(110); return true;
      case 'm': *v = Value::fixnum(100); return true;
      case 'd': *v = Value::fixnum(90); return true;
      case 'p': *v = Value::fixnum(0); return true;
      default: return false;
    }
  }
  if (name == ":otf") {  // (SCRIPT [LANGSYS [GSUB [GPOS]]]), the last two lists
    if (!v->is_cons()) return false;
    Value l = cdr_raw(*v);
    for (int i = 0; i < 3 && l.is_cons(); ++i, l = cdr_raw(l))
      if (i > 0 && !car_raw(l).is_list()) return false;
    return l.is_nil();
  }
  return true;
}

Value put(Context& cx, Value spec, Value key, Value v) {
  const Value given = v;
  if (v.truthy() && key.is_symbol() && !valid_property(cx, key, &v))
    return signal_error(cx, Qerror,
                        cons(cx, make_string(cx, "invalid font property"), list(cx, {cons(cx, key, given)})));
  for (const FontKey& k : kFontKeys) {
    if (k.keyword != key) continue;
    if (k.interned && v.is_string()) v = intern(cx, string_view_of(v));
    set_host_slot_raw(spec, k.slot, v);
    return kNil;
  }
  const Value entry = assq(key, host_slot_raw(spec, kFontExtra));
  if (entry.is_cons()) {
    set_cdr_raw(entry, v);
  } else {
    set_host_slot_raw(spec, kFontExtra, cons(cx, cons(cx, key, v), host_slot_raw(spec, kFontExtra)));
  }
  return kNil;
}

NEOVM_PRIMITIVE(font_spec, "font-spec", 0, kMany, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return a new font specification from keyword arguments.")
(Context& cx, Arguments args) {
  const Value spec = make_host_object(cx, &kFontSpecType);
  for (std::size_t i = 0; i < args.size(); i += 2) {
    if (!args[i].is_symbol()) return wrong_type(cx, Qsymbolp, args[i]);
    if (i + 1 >= args.size())
      return error_text(cx, "No value for key ‘" + std::string(symbol_name_view(cx, args[i])) + "’");
    if (args[i] == QCname) return unimplemented(cx, "font-spec: parsing a font name");
    TRY(put(cx, spec, args[i], args[i + 1]));
  }
  return spec;
}

NEOVM_PRIMITIVE(font_get, "font-get", 2, 2, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return the value of FONT's property KEY.")
(Context& cx, Value font, Value key) {
  if (!is_host(font, &kFontSpecType)) return wrong_type(cx, Qfont, font);
  if (!key.is_symbol()) return wrong_type(cx, Qsymbolp, key);
  for (const FontKey& k : kFontKeys)
    if (k.keyword == key) return host_slot_raw(font, k.slot);
  const Value entry = assq(key, host_slot_raw(font, kFontExtra));
  return entry.is_cons() ? cdr_raw(entry) : kNil;
}

NEOVM_PRIMITIVE(font_put, "font-put", 3, 3, kWorkerSafe, kStateWrite, kMayGc, kNoReentry, kDeterministic,
                "Set FONT's property PROP to VAL.")
(Context& cx, Value font, Value key, Value v) {
  if (!is_host(font, &kFontSpecType)) {
    const bool known =
        std::any_of(std::begin(kFontKeys), std::end(kFontKeys), [&](const FontKey& k) { return k.keyword == key; });
    return wrong_type(cx, known ? Qfont_spec : Qfont, font);
  }
  TRY(put(cx, font, key, v));
  return v;
}

NEOVM_PRIMITIVE(fontp, "fontp", 1, 2, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return t when OBJECT is a font specification, entity or object (of TYPE).")
(Context& cx, Value object, Value type) {
  if (type.truthy() && type != Qfont_spec && type != Qfont_entity && type != Qfont_object)
    return wrong_type(cx, Qfont_extra_type, type);
  return boolean(is_host(object, &kFontSpecType) && (type.is_nil() || type == Qfont_spec));
}

NEOVM_PRIMITIVE(internal_char_font, "internal-char-font", 1, 2, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kDeterministic,
                "Return the font of the character at POSITION or of CH; the initial terminal has no fonts.")
(Context& cx, Value position, Value ch) {
  if (position.truthy()) {
    const std::int64_t at = TRY(position_argument(cx, position));
    const Value from = TRY(funcall_re(cx, intern(cx, "point-min"), {}));
    const Value to = TRY(funcall_re(cx, Qpoint_max, {}));
    if (at < from.as_fixnum() || at >= to.as_fixnum()) return args_out_of_range(cx, position, from, to);
  } else {
    TRY(character_argument(cx, ch));
  }
  return kNil;
}

}  // namespace
}  // namespace neomacs::host
