// Font specifications as data. No font is ever opened; GNU's Lisp library builds specs at load time.
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

Value print_font_spec(Context& cx, Value spec) {
  std::string s = "#<font-spec";
  for (int i = 0; i < kFontSlotCount; ++i) {
    const Value printed = funcall_re(cx, Qprin1_to_string, {host_slot_raw(spec, i), Qt});
    if (printed.is_exit()) return printed;
    s += " " + to_std_string(printed);
  }
  return make_string(cx, s + ">");
}

constexpr HostType font_spec_type() {
  HostType t{};
  t.name = "font-spec";
  t.type_symbol = Qfont_spec;
  t.slot_count = kFontSlotCount;
  t.print_re = print_font_spec;
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

Value put(Context& cx, Value spec, Value key, Value v) {
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

NEOVM_PRIMITIVE(font_spec, "font-spec", 0, kMany, kMainOnly, kPureRead, kMayGc, kNoReentry, kDeterministic,
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

NEOVM_PRIMITIVE(font_get, "font-get", 2, 2, kMainOnly, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return the value of FONT's property KEY.")
(Context& cx, Value font, Value key) {
  if (!is_host(font, &kFontSpecType)) return wrong_type(cx, Qfont, font);
  if (!key.is_symbol()) return wrong_type(cx, Qsymbolp, key);
  for (const FontKey& k : kFontKeys)
    if (k.keyword == key) return host_slot_raw(font, k.slot);
  const Value entry = assq(key, host_slot_raw(font, kFontExtra));
  return entry.is_cons() ? cdr_raw(entry) : kNil;
}

NEOVM_PRIMITIVE(font_put, "font-put", 3, 3, kMainOnly, kStateWrite, kMayGc, kNoReentry, kDeterministic,
                "Set FONT's property PROP to VAL.")
(Context& cx, Value font, Value key, Value v) {
  if (!is_host(font, &kFontSpecType)) return wrong_type(cx, Qfont_spec, font);
  if (!key.is_symbol()) return wrong_type(cx, Qsymbolp, key);
  TRY(put(cx, font, key, v));
  return v;
}

NEOVM_PRIMITIVE(fontp, "fontp", 1, 2, kMainOnly, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return t when OBJECT is a font specification, entity or object (of TYPE).")
(Context& cx, Value object, Value type) {
  if (type.truthy() && type != Qfont_spec && type != Qfont_entity && type != Qfont_object)
    return wrong_type(cx, Qfont_extra_type, type);
  return boolean(is_host(object, &kFontSpecType) && (type.is_nil() || type == Qfont_spec));
}

NEOVM_PRIMITIVE(internal_char_font, "internal-char-font", 1, 2, kMainOnly, kStateRead, kMayGc, kReenters,
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
