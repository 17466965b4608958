// Faces as data: attribute vectors per frame and for new frames. No face is ever realized here, but
// GNU's Lisp library defines, copies, compares and inherits them at load time.
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "display/display.hpp"

namespace neomacs::host {
namespace {

// Places in a face's attribute vector; Lisp sees the vector, so the order is an interface fact.
enum FaceAttribute : int {
  kFamily = 1,
  kFoundry,
  kWidth,
  kHeight,
  kWeight,
  kSlant,
  kUnderline,
  kInverse,
  kForeground,
  kBackground,
  kStipple,
  kOverline,
  kStrikeThrough,
  kBox,
  kFont,
  kInherit,
  kFontset,
  kDistantForeground,
  kExtend,
  kFaceVectorSize
};

struct AttributeName {
  Value keyword;
  FaceAttribute index;
};
constexpr AttributeName kAttributeNames[] = {{QCfamily, kFamily},
                                             {QCfoundry, kFoundry},
                                             {QCwidth, kWidth},
                                             {QCheight, kHeight},
                                             {QCweight, kWeight},
                                             {QCslant, kSlant},
                                             {QCunderline, kUnderline},
                                             {QCinverse_video, kInverse},
                                             {QCforeground, kForeground},
                                             {QCbackground, kBackground},
                                             {QCstipple, kStipple},
                                             {QCoverline, kOverline},
                                             {QCstrike_through, kStrikeThrough},
                                             {QCbox, kBox},
                                             {QCfont, kFont},
                                             {QCinherit, kInherit},
                                             {QCfontset, kFontset},
                                             {QCdistant_foreground, kDistantForeground},
                                             {QCextend, kExtend}};

constexpr Value kWeights[] = {Qthin,   Qultra_light, Qextra_light, Qlight, Qsemi_light, Qbook,       Qnormal, Qregular,
                              Qmedium, Qsemi_bold,   Qdemi_bold,   Qbold,  Qextra_bold, Qultra_bold, Qblack,  Qheavy};
constexpr Value kWidths[] = {Qultra_condensed, Qextra_condensed, Qcondensed, Qsemi_condensed, Qnormal,        Qregular,
                             Qmedium,          Qsemi_expanded,   Qexpanded,  Qextra_expanded, Qultra_expanded};
constexpr Value kSlants[] = {Qreverse_oblique, Qreverse_italic, Qnormal, Qr, Qitalic, Qi, Qot, Qoblique, Qroman};

template <std::size_t N>
bool one_of(const Value (&set)[N], Value v) {
  for (const Value x : set)
    if (x == v) return true;
  return false;
}

Value frame_table(Context& cx) {
  const Value symbol = Qface__new_frame_defaults;
  return variable_value(cx, symbol);
}

// FACE as a symbol with its aliases followed; strings are interned.
Value resolve_face(Context& cx, Value face) {
  if (face.is_string()) face = intern(cx, string_view_of(face));
  for (int i = 0; face.is_symbol() && i < 10; ++i) {
    const Value alias = symbol_get(cx, face, Qface_alias);
    if (alias.is_nil() || !alias.is_symbol()) break;
    face = alias;
  }
  return face;
}

Value new_frame_face(Context& cx, Value face) {
  const Value table = frame_table(cx);
  const Value entry = is_hash_table(table) ? hash_table_get(cx, table, face) : kNil;
  return entry.is_cons() ? cdr_raw(entry) : kNil;
}

// FRAME's own faces, from their symbols to their vectors; made when first asked for.
Value frame_face_table(Context& cx, Value frame) {
  Value table = frame_slot(frame, kFrameFaces);
  if (!is_hash_table(table)) {
    table = make_hash_table(cx, HashTest::kEq);
    if (!table.is_exit()) set_frame_slot(frame, kFrameFaces, table);
  }
  return table;
}

Value frame_face(Context& cx, Value frame, Value face) {
  const Value table = frame_slot(frame, kFrameFaces);
  const Value own = is_hash_table(table) ? hash_table_get(cx, table, face) : kNil;
  return is_vector(own) ? own : kNil;
}

Value make_face_vector(Context& cx) {
  const Value v = TRY(make_vector(cx, kFaceVectorSize, Qunspecified));
  set_slot_raw(v, 0, Qface);
  return v;
}

// FRAME argument of face primitives: t means the defaults for new frames.
Value lookup_face(Context& cx, Value face, Value frame) {
  face = resolve_face(cx, face);
  if (frame == Qt) return new_frame_face(cx, face);
  const Value f = TRY(decode_live_frame(cx, frame));
  return frame_face(cx, f, face);
}

// The data of such an error is V itself after the text when that is a proper list, so that it is spread out.
Value invalid(Context& cx, const char* what, Value v) {
  const Value message = TRY(make_string(cx, what));
  Value end = v;
  for (Value slow = v; end.is_cons() && cdr_raw(end).is_cons(); slow = cdr_raw(slow)) {
    end = cdr_raw(cdr_raw(end));
    if (end == slow) break;  // circular
  }
  const bool proper = end.is_nil() || (end.is_cons() && cdr_raw(end).is_nil());
  return signal_error(cx, Qerror, cons(cx, message, proper ? v : list(cx, {v})));
}

Value lookup_face_checked(Context& cx, Value face, Value frame) {
  if (face.is_string()) face = intern(cx, string_view_of(face));
  const Value v = TRY(lookup_face(cx, face, frame));
  return v.is_nil() ? invalid(cx, "Invalid face", face) : v;
}

Value attribute_index(Context& cx, Value keyword, int* index) {
  if (keyword == QCbold) {
    *index = kWeight;
    return kNil;
  }
  if (keyword == QCitalic) {
    *index = kSlant;
    return kNil;
  }
  for (const AttributeName& a : kAttributeNames) {
    if (a.keyword != keyword) continue;
    *index = a.index;
    return kNil;
  }
  return signal_error2(cx, Qerror, TRY(make_string(cx, "Invalid face attribute name")), keyword);
}

bool unspecified(Value v) { return v == Qunspecified || v == QCignore_defface; }

// True if FUNCTION, a face height, makes a positive integer of one: it is tried with 10, and an error is a no.
Value makes_height_re(Context& cx, Value function) {
  const auto call = [](Context& c, void* f) { return funcall_re(c, *static_cast<Value*>(f), {Value::fixnum(10)}); };
  Value error = kNil;
  const Value height = TRY(call_catching_errors_re(cx, Qt, call, &function, &error));
  return boolean(height != kUnbound && height.is_fixnum() && height.as_fixnum() > 0);
}

// Signals what GNU signals for a value that an attribute cannot take.
Value check_attribute_re(Context& cx, int index, Value v) {
  if (unspecified(v)) return kNil;
  const auto list1 = [&](const char* text) { return signal_error(cx, Qerror, list(cx, {make_string(cx, text), v})); };
  const auto flat = [&](const char* text) { return invalid(cx, text, v.is_list() ? v : list(cx, {v})); };
  switch (index) {
    case kFamily:
    case kFoundry:
      if (!v.is_string()) return wrong_type(cx, Qstringp, v);
      if (string_chars(v) == 0) return list1(index == kFamily ? "Invalid face family" : "Invalid face foundry");
      return kNil;
    case kHeight: {
      bool ok = (v.is_fixnum() && v.as_fixnum() > 0) || (v.is_float() && float_raw(v) > 0);
      if (!ok && TRY(funcall_re(cx, Qfunctionp, {v})).truthy()) ok = TRY(makes_height_re(cx, v))
      .truthy();
      if (!ok) return flat("Face height does not produce a positive integer");
      return kNil;
    }
    case kWidth:
      if (!v.is_symbol()) return wrong_type(cx, Qsymbolp, v);
      return one_of(kWidths, v) ? kNil : flat("Invalid face width");
    case kWeight:
      if (!v.is_symbol()) return wrong_type(cx, Qsymbolp, v);
      return one_of(kWeights, v) ? kNil : flat("Invalid face weight");
    case kSlant:
      if (!v.is_symbol()) return wrong_type(cx, Qsymbolp, v);
      return one_of(kSlants, v) ? kNil : flat("Invalid face slant");
    case kUnderline: {
      bool ok = v.is_nil() || v == Qt || (v.is_string() && string_chars(v) > 0);
      for (Value l = v; v.is_cons() && l.is_cons(); l = cdr_of_list(cdr_raw(l).is_list() ? cdr_raw(l) : kNil)) {
        const Value key = car_raw(l);
        const Value value = cdr_raw(l).is_cons() ? car_raw(cdr_raw(l)) : kUnbound;
        ok = (key == QCcolor && (value == Qforeground_color || (value.is_string() && string_chars(value) > 0))) ||
             (key == QCstyle && (value == Qline || value == Qwave));
        if (!ok) break;
      }
      return ok ? kNil : flat("Invalid face underline");
    }
    case kOverline:
    case kStrikeThrough: {
      const bool bad = (v.is_symbol() && v != Qt && v != kNil) || (v.is_string() && string_chars(v) == 0);
      if (bad) return flat(index == kOverline ? "Invalid face overline" : "Invalid face strike-through");
      return kNil;
    }
    case kBox: {
      const bool ok = v.is_nil() || v == Qt || (v.is_fixnum() && v.as_fixnum() != 0) ||
                      (v.is_string() && string_chars(v) > 0) || v.is_cons();
      return ok ? kNil : flat("Invalid face box");
    }
    case kInverse:
    case kExtend:
      if (!v.is_symbol()) return wrong_type(cx, Qsymbolp, v);
      if (v != Qt && v != kNil)
        return flat(index == kInverse ? "Invalid inverse-video face attribute value"
                                      : "Invalid extend face attribute value");
      return kNil;
    case kForeground:
    case kBackground:
    case kDistantForeground:
      if (v.is_nil()) return kNil;
      if (!v.is_string()) return wrong_type(cx, Qstringp, v);
      if (string_chars(v) == 0)
        return list1(index == kForeground   ? "Empty foreground color value"
                     : index == kBackground ? "Empty background color value"
                                            : "Empty distant-foreground color value");
      return kNil;
    case kInherit: {
      bool ok = v.is_symbol();
      for (Value l = v; l.is_cons(); l = cdr_raw(l)) ok = car_raw(l).is_symbol();
      return ok ? kNil : flat("Invalid face inheritance");
    }
    default: return kNil;
  }
}

NEOVM_PRIMITIVE(internal_lisp_face_p, "internal-lisp-face-p", 1, 2, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the attribute vector of FACE, or nil when it is no face.")
(Context& cx, Value face, Value frame) {
  face = resolve_face(cx, face);
  if (frame.is_nil()) return new_frame_face(cx, face);
  const Value f = TRY(decode_live_frame(cx, frame));
  return frame_face(cx, f, face);
}

NEOVM_PRIMITIVE(internal_make_lisp_face, "internal-make-lisp-face", 1, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic, "Make FACE a face, or reset its attributes; with FRAME only there.")
(Context& cx, Value face, Value frame) {
  if (!face.is_symbol()) return wrong_type(cx, Qsymbolp, face);
  face = resolve_face(cx, face);
  if (frame.truthy()) TRY(decode_live_frame(cx, frame));
  Value global = new_frame_face(cx, face);
  if (global.is_nil()) {
    const Value symbol = Qface__new_frame_defaults;
    Value table = variable_value(cx, symbol);
    if (!is_hash_table(table)) {
      table = make_hash_table(cx, HashTest::kEq);
      TRY(set_variable_re(cx, symbol, table));
    }
    global = TRY(make_face_vector(cx));
    const Value id = Value::fixnum(hash_table_count(table));
    hash_table_put(cx, table, face, cons(cx, id, global));
    symbol_put(cx, face, Qface, id);
  } else if (frame.is_nil()) {
    for (int i = 1; i < kFaceVectorSize; ++i) set_slot_raw(global, i, Qunspecified);
  }
  if (frame.is_nil()) return global;
  Value local = frame_face(cx, frame, face);
  if (local.is_nil()) {
    local = TRY(make_face_vector(cx));
    hash_table_put(cx, TRY(frame_face_table(cx, frame)), face, local);
  } else {
    for (int i = 1; i < kFaceVectorSize; ++i) set_slot_raw(local, i, Qunspecified);
  }
  return local;
}

NEOVM_PRIMITIVE(internal_copy_lisp_face, "internal-copy-lisp-face", 4, 4, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic, "Copy face FROM to TO on FRAME (t: the defaults), to NEW-FRAME when given.")
(Context& cx, Value from, Value to, Value frame, Value new_frame) {
  if (!from.is_symbol()) return wrong_type(cx, Qsymbolp, from);
  if (!to.is_symbol()) return wrong_type(cx, Qsymbolp, to);
  const Value source = TRY(lookup_face_checked(cx, from, frame));
  const Value target_frame = frame == Qt ? kNil : (new_frame.is_nil() ? frame : new_frame);
  const Value target = TRY(prim_internal_make_lisp_face(cx, to, target_frame));
  for (int i = 1; i < kFaceVectorSize; ++i) set_slot_raw(target, i, slot_raw(source, i));
  return to;
}

NEOVM_PRIMITIVE(internal_set_lisp_face_attribute, "internal-set-lisp-face-attribute", 3, 4, kWorkerSafe, kStateWrite,
                kMayGc, kReenters, kDeterministic,
                "Set attribute ATTR of FACE to VALUE on FRAME; t: for new frames, 0: for all frames.")
(Context& cx, Value face, Value attribute, Value v, Value frame) {
  if (!face.is_symbol()) return wrong_type(cx, Qsymbolp, face);
  if (!attribute.is_symbol()) return wrong_type(cx, Qsymbolp, attribute);
  face = resolve_face(cx, face);
  if (frame == Value::fixnum(0)) {
    TRY(prim_internal_set_lisp_face_attribute(cx, face, attribute, v, Qt));
    for (Value l = display(cx).frames.get(); l.is_cons(); l = cdr_raw(l))
      TRY(prim_internal_set_lisp_face_attribute(cx, face, attribute, v, car_raw(l)));
    return face;
  }
  Value vector;
  if (frame == Qt) {
    vector = new_frame_face(cx, face);
    if (vector.is_nil()) vector = TRY(prim_internal_make_lisp_face(cx, face, kNil));
  } else {
    const Value f = TRY(decode_live_frame(cx, frame));
    vector = frame_face(cx, f, face);
    if (vector.is_nil()) vector = TRY(prim_internal_make_lisp_face(cx, face, f));
  }
  int index = 0;
  TRY(attribute_index(cx, attribute, &index));
  if (attribute == QCbold) v = v.truthy() ? Qbold : Qnormal;
  if (attribute == QCitalic) v = v.truthy() ? Qitalic : Qnormal;
  TRY(check_attribute_re(cx, index, v));
  if (v == QCignore_defface) v = Qunspecified;
  set_slot_raw(vector, index, v);
  return face;
}

NEOVM_PRIMITIVE(internal_get_lisp_face_attribute, "internal-get-lisp-face-attribute", 2, 3, kWorkerSafe, kStateRead,
                kMayGc, kNoReentry, kDeterministic,
                "Return the value of FACE's attribute KEYWORD on FRAME; t: for new frames.")
(Context& cx, Value face, Value keyword, Value frame) {
  const Value name = face.is_string() ? intern(cx, string_view_of(face)) : face;
  const Value vector = TRY(lookup_face_checked(cx, name, frame));
  if (!face.is_symbol()) return wrong_type(cx, Qsymbolp, face);
  if (!keyword.is_symbol()) return wrong_type(cx, Qsymbolp, keyword);
  int index = 0;
  TRY(attribute_index(cx, keyword, &index));
  return slot_raw(vector, index);
}

NEOVM_PRIMITIVE(internal_lisp_face_equal_p, "internal-lisp-face-equal-p", 2, 3, kWorkerSafe, kStateRead, kMayGc,
                kNoReentry, kDeterministic, "Return t when FACE1 and FACE2 have equal attributes on FRAME.")
(Context& cx, Value a, Value b, Value frame) {
  const Value x = TRY(lookup_face_checked(cx, a, frame));
  const Value y = TRY(lookup_face_checked(cx, b, frame));
  for (int i = 1; i < kFaceVectorSize; ++i)
    if (!TRY(equal(cx, slot_raw(x, i), slot_raw(y, i)))) return kNil;
  return Qt;
}

NEOVM_PRIMITIVE(internal_lisp_face_empty_p, "internal-lisp-face-empty-p", 1, 2, kWorkerSafe, kStateRead, kMayGc,
                kNoReentry, kDeterministic, "Return t when FACE has no specified attribute on FRAME.")
(Context& cx, Value face, Value frame) {
  const Value vector = TRY(lookup_face_checked(cx, face, frame));
  for (int i = 1; i < kFaceVectorSize; ++i)
    if (!unspecified(slot_raw(vector, i))) return kNil;
  return Qt;
}

NEOVM_PRIMITIVE(internal_merge_in_global_face, "internal-merge-in-global-face", 2, 2, kWorkerSafe, kStateWrite, kMayGc,
                kReenters, kDeterministic, "Add FACE's attributes for new frames to those on FRAME.")
(Context& cx, Value face, Value frame) {
  if (!is_frame(frame) || !frame_data(frame).live) return wrong_type(cx, Qframe_live_p, frame);
  const Value global = TRY(lookup_face_checked(cx, face, Qt));
  Value local = frame_face(cx, frame, resolve_face(cx, face));
  if (local.is_nil()) local = TRY(prim_internal_make_lisp_face(cx, face, frame));
  for (int i = 1; i < kFaceVectorSize; ++i)
    if (!unspecified(slot_raw(global, i))) set_slot_raw(local, i, slot_raw(global, i));
  return kNil;
}

NEOVM_PRIMITIVE(internal_lisp_face_attribute_values, "internal-lisp-face-attribute-values", 1, 1, kWorkerSafe,
                kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return the boolean values ATTR can take, nil when it is not boolean.")
(Context& cx, Value attribute) {
  if (!attribute.is_symbol()) return wrong_type(cx, Qsymbolp, attribute);
  for (const Value k : {QCunderline, QCoverline, QCstrike_through, QCinverse_video, QCextend})
    if (k == attribute) return list(cx, {Qt, kNil});
  return kNil;
}

NEOVM_PRIMITIVE(face_attribute_relative_p, "face-attribute-relative-p", 2, 2, kWorkerSafe, kPureRead, kNoGc, kNoReentry,
                kDeterministic, "Return t when VALUE of ATTRIBUTE depends on the underlying face.")
(Context&, Value attribute, Value v) {
  if (unspecified(v)) return Qt;
  return boolean(attribute == QCheight && !v.is_fixnum());
}

NEOVM_PRIMITIVE(merge_face_attribute, "merge-face-attribute", 3, 3, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return the result of merging VALUE1 of ATTRIBUTE with VALUE2.")
(Context& cx, Value attribute, Value a, Value b) {
  if (unspecified(a)) return b;
  if (attribute != QCheight) return a;
  if (a.is_fixnum()) return a;
  if (a.is_float()) {
    if (b.is_fixnum())
      return make_integer(cx, static_cast<std::int64_t>(float_raw(a) * static_cast<double>(b.as_fixnum())));
    if (b.is_float()) return make_float(cx, float_raw(a) * float_raw(b));
    return unspecified(b) ? a : b;
  }
  return funcall_re(cx, a, {b});
}

NEOVM_PRIMITIVE(face_attributes_as_vector, "face-attributes-as-vector", 1, 1, kWorkerSafe, kPureRead, kMayGc,
                kNoReentry, kDeterministic, "Return an attribute vector made from PLIST.")
(Context& cx, Value plist) {
  const Value v = TRY(make_vector(cx, kFaceVectorSize, Qunspecified));
  for (Value l = plist; l.is_cons() && cdr_raw(l).is_cons(); l = cdr_raw(cdr_raw(l)))
    for (const AttributeName& a : kAttributeNames)
      if (a.keyword == car_raw(l)) set_slot_raw(v, a.index, car_raw(cdr_raw(l)));
  return v;
}

NEOVM_PRIMITIVE(frame_face_hash_table, "frame--face-hash-table", 0, 1, kWorkerSafe, kStateRead, kMayGc, kNoReentry,
                kDeterministic, "Return the hash table of FRAME's own faces, from symbols to attribute vectors.")
(Context& cx, Value frame) {
  const Value f = TRY(decode_live_frame(cx, frame));
  return frame_face_table(cx, f);
}

NEOVM_PRIMITIVE(display_supports_face_attributes_p, "display-supports-face-attributes-p", 1, 2, kWorkerSafe, kStateRead,
                kNoGc, kNoReentry, kDeterministic,
                "Return t when DISPLAY can show ATTRIBUTES; the initial terminal shows none.")
(Context&, Value, Value) { return kNil; }

NEOVM_PRIMITIVE(clear_face_cache, "clear-face-cache", 0, 1, kWorkerSafe, kStateWrite, kNoGc, kNoReentry, kDeterministic,
                "Forget realized faces; there are none.")
(Context&, Value) { return kNil; }

NEOVM_PRIMITIVE(internal_set_font_selection_order, "internal-set-font-selection-order", 1, 1, kWorkerSafe, kStateWrite,
                kNoGc, kNoReentry, kDeterministic,
                "Set the order in which font attributes are tried: four distinct keywords.")
(Context& cx, Value order) {
  TRY(check_type(cx, order.is_list(), Qlistp, order));
  // Four of the keywords; one may stand twice in the place of another.
  Value l = order;
  int count = 0;
  for (; l.is_cons() && count < 4; l = cdr_raw(l), ++count) {
    const Value k = car_raw(l);
    if (k != QCwidth && k != QCheight && k != QCweight && k != QCslant) break;
  }
  if (count != 4 || l.truthy()) return invalid(cx, "Invalid font sort order", order);
  return kNil;
}

// ALIST with every entry's strings changed by FUNCTION; what is no string there is left to FUNCTION when all must be strings.
Value changed_alist_re(Context& cx, Value alist, Value function, bool all_strings) {
  TRY(check_type(cx, alist.is_list(), Qlistp, alist));
  Value out = kNil;
  for (; alist.is_cons(); alist = cdr_raw(alist)) {
    Value entry = car_raw(alist);
    Value changed = kNil;
    TRY(check_type(cx, entry.is_list(), Qlistp, entry));
    for (; entry.is_cons(); entry = cdr_raw(entry)) {
      Value name = car_raw(entry);
      if (all_strings) TRY(check_type(cx, name.is_string(), Qstringp, name));
      if (name.is_string()) name = TRY(funcall_re(cx, function, {name}));
      changed = cons(cx, name, changed);
    }
    TRY(check_type(cx, entry.is_nil(), Qlistp, entry));
    out = cons(cx, nreverse_list(changed), out);
  }
  return nreverse_list(out);
}

NEOVM_PRIMITIVE(internal_set_alternative_font_family_alist, "internal-set-alternative-font-family-alist", 1, 1,
                kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Set the alist of alternative font families; returned with symbols for names, fonts are not used here.")
(Context& cx, Value alist) { return changed_alist_re(cx, alist, intern(cx, "intern"), true); }

NEOVM_PRIMITIVE(internal_set_alternative_font_registry_alist, "internal-set-alternative-font-registry-alist", 1, 1,
                kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Set the alist of alternative font registries; returned in small letters, fonts are not used here.")
(Context& cx, Value alist) { return changed_alist_re(cx, alist, intern(cx, "downcase"), false); }

// ---- colors ---------------------------------------------------------------------------------------------

// #RGB, #RRGGBB, #RRRGGGBBB, #RRRRGGGGBBBB, rgb:R/G/B and rgbi:R/G/B, as 16-bit components.
bool parse_color(std::string_view s, std::array<int, 3>* rgb) {
  if (!s.empty() && s[0] == '#') {
    const std::size_t digits = (s.size() - 1) / 3;
    if (digits < 1 || digits > 4 || digits * 3 != s.size() - 1) return false;
    for (std::size_t i = 0; i < 3; ++i) {
      std::int64_t value = 0;
      for (const char c : s.substr(1 + i * digits, digits)) {
        const int d = std::isxdigit(static_cast<unsigned char>(c)) ? (c <= '9' ? c - '0' : (c | 32) - 'a' + 10) : -1;
        if (d < 0) return false;
        value = value * 16 + d;
      }
      (*rgb)[i] = static_cast<int>(value * 65535 / ((1 << (4 * digits)) - 1));
    }
    return true;
  }
  const bool intensity = s.starts_with("rgbi:");
  if (!intensity && !s.starts_with("rgb:")) return false;
  std::string rest(s.substr(intensity ? 5 : 4));
  char* p = rest.data();
  for (std::size_t i = 0; i < 3; ++i) {
    char* end = nullptr;
    if (intensity) {
      const double d = std::strtod(p, &end);
      if (end == p || d < 0 || d > 1) return false;
      (*rgb)[i] = static_cast<int>(std::floor(d * 65535 + 0.5));
    } else {
      const long v = std::strtol(p, &end, 16);
      const auto digits = end - p;
      if (digits < 1 || digits > 4 || *p == '-' || *p == '+') return false;
      (*rgb)[i] = static_cast<int>(v * 65535 / ((1L << (4 * digits)) - 1));
    }
    if (*end != (i < 2 ? '/' : '\0')) return false;
    p = end + 1;
  }
  return true;
}

NEOVM_PRIMITIVE(color_values_from_color_spec, "color-values-from-color-spec", 1, 1, kWorkerSafe, kPureRead, kMayGc,
                kNoReentry, kDeterministic,
                "Parse the numeric color SPEC into a list of 16-bit components, or return nil.")
(Context& cx, Value spec) {
  if (!spec.is_string()) return wrong_type(cx, Qstringp, spec);
  std::array<int, 3> rgb{};
  if (!parse_color(string_view_of(spec), &rgb)) return kNil;
  return list(cx, {Value::fixnum(rgb[0]), Value::fixnum(rgb[1]), Value::fixnum(rgb[2])});
}

Value color_argument_re(Context& cx, Value color, std::array<int, 3>* rgb) {
  Value l = color;
  if (color.is_string() && !parse_color(string_view_of(color), rgb)) {
    l = TRY(funcall_re(cx, Qtty_color_standard_values, {color}));
  } else if (color.is_string()) {
    return Qt;
  }
  for (std::size_t i = 0; i < 3; ++i) {
    if (!l.is_cons() || !car_raw(l).is_fixnum())
      return invalid(cx, "Invalid color", color.is_list() ? color : list(cx, {color}));
    (*rgb)[i] = static_cast<int>(car_raw(l).as_fixnum());
    l = cdr_raw(l);
  }
  return Qt;
}

NEOVM_PRIMITIVE(color_distance, "color-distance", 2, 4, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return a measure of the distance between COLOR1 and COLOR2.")
(Context& cx, Value a, Value b, Value frame, Value metric) {
  TRY(decode_live_frame(cx, frame));
  std::array<int, 3> x{};
  std::array<int, 3> y{};
  TRY(color_argument_re(cx, a, &x));
  TRY(color_argument_re(cx, b, &y));
  if (metric.truthy())
    return funcall_re(cx, metric,
                      {list(cx, {Value::fixnum(x[0]), Value::fixnum(x[1]), Value::fixnum(x[2])}),
                       list(cx, {Value::fixnum(y[0]), Value::fixnum(y[1]), Value::fixnum(y[2])})});
  // Weighted Euclidean distance ("redmean") of 16-bit components.
  const std::int64_t r = x[0] - y[0];
  const std::int64_t g = x[1] - y[1];
  const std::int64_t bl = x[2] - y[2];
  const std::int64_t mean = (x[0] + y[0]) >> 1;
  return Value::fixnum((((0x20000 + mean) * r * r) >> 32) + ((4 * g * g) >> 16) + (((0x2ffff - mean) * bl * bl) >> 32));
}

// The components of a color by number or by name; false when it is not known.
Maybe<bool> known_color_re(Context& cx, Value color, std::array<int, 3>* rgb) {
  if (string_bytes(color) == 0) return true;  // the terminal's default color
  if (parse_color(string_view_of(color), rgb)) return true;
  const Value l = TRY(funcall_re(cx, Qtty_color_standard_values, {color}));
  if (l.is_nil()) return false;
  TRY(color_argument_re(cx, l, rgb));
  return true;
}

NEOVM_PRIMITIVE(color_gray_p, "color-gray-p", 1, 2, kMainOnly, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return t when COLOR is a shade of gray.")
(Context& cx, Value color, Value frame) {
  if (!color.is_string()) return wrong_type(cx, Qstringp, color);
  TRY(decode_any_frame(cx, frame));
  std::array<int, 3> rgb{};
  if (!TRY(known_color_re(cx, color, &rgb))) return kNil;
  return boolean(std::abs(rgb[0] - rgb[1]) < 512 && std::abs(rgb[1] - rgb[2]) < 512);
}

NEOVM_PRIMITIVE(color_supported_p, "color-supported-p", 1, 3, kMainOnly, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return t when COLOR can be shown on FRAME; the initial terminal takes any color that it knows.")
(Context& cx, Value color, Value frame, Value) {
  if (!color.is_string()) return wrong_type(cx, Qstringp, color);
  TRY(decode_any_frame(cx, frame));
  std::array<int, 3> rgb{};
  return boolean(TRY(known_color_re(cx, color, &rgb)));
}

NEOVM_PRIMITIVE(tty_suppress_bold_inverse, "tty-suppress-bold-inverse-default-colors", 1, 1, kWorkerSafe, kStateWrite,
                kNoGc, kNoReentry, kDeterministic, "Set whether bold text in inverse default colors is suppressed.")
(Context&, Value suppress) { return suppress; }

Value make_new_frame_defaults(Context& cx) { return make_hash_table(cx, HashTest::kEq); }
NEOVM_VARIABLE(new_frame_defaults, "face--new-frame-defaults", kGlobalVar, kAny, make_new_frame_defaults,
               "Hash table of the faces that new frames get.")

}  // namespace
}  // namespace neomacs::host
