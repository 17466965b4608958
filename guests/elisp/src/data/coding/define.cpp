// Defining coding systems, their aliases and priorities (coding.c of GNU).
#include <cstring>

#include "../charset/charset.hpp"
#include "../rows.hpp"
#include "coding.hpp"

namespace neovm::elisp {

NEOVM_VARIABLE(coding_systems_state, " coding-systems", kGlobalVar, kAny, kInitNil,
               "Specs of the coding systems, by name; for the machine only.")
NEOVM_VARIABLE(coding_system_list, "coding-system-list", kGlobalVar, kAny, kInitNil,
               "List of the names of all coding systems.")
NEOVM_VARIABLE(coding_system_alist, "coding-system-alist", kGlobalVar, kAny, kInitNil,
               "Alist of the names of coding systems, for completion.")
NEOVM_VARIABLE(coding_category_list, "coding-category-list", kGlobalVar, kAny, kInitNil,
               "List of coding categories by priority.")

namespace {

constexpr const char* kEolSuffix[] = {"-unix", "-dos", "-mac"};

Value table(Context& cx) {
  const Value v = variable_value(cx, Qcoding_systems_state);
  return is_hash_table(v) ? v : kNil;
}
Value find_spec(Context& cx, Value name) {
  if (!name.is_symbol() || table(cx).is_nil()) return kNil;
  const Value v = hash_table_get(cx, table(cx), name);
  return v.is_unbound() ? kNil : v;
}
Value category_symbol(Context& cx, int i) { return intern(cx, kCodingCategories[i]); }
Value category(Context& cx, std::string_view suffix) { return intern(cx, "coding-category-" + std::string(suffix)); }

Value variant_name(Context& cx, Value name, int eol) {
  return intern(cx, std::string(symbol_name_view(cx, name)) + kEolSuffix[eol]);
}

Maybe<bool> announce(Context& cx, Value name) {
  TRY(set_variable_re(cx, Qcoding_system_list, cons(cx, name, variable_value(cx, Qcoding_system_list))));
  const Value alist = variable_value(cx, Qcoding_system_alist);
  const Value key = symbol_name(cx, name);
  for (Value tail = alist; tail.is_cons(); tail = cdr_raw(tail))
    if (car_raw(tail).is_cons() && car_raw(car_raw(tail)).is_string() && string_equal(car_raw(car_raw(tail)), key))
      return true;
  TRY(set_variable_re(cx, Qcoding_system_alist, cons(cx, cons(cx, key, kNil), alist)));
  return true;
}

Value make_spec(Context& cx, Value attributes, Value aliases, Value eol) {
  const Value spec = make_vector(cx, kSpSlotCount, kNil);
  set_slot_raw(spec, kSpAttributes, attributes);
  set_slot_raw(spec, kSpAliases, aliases);
  set_slot_raw(spec, kSpEol, eol);
  return spec;
}

// Makes NAME-unix, NAME-dos and NAME-mac and returns the vector of them.
Value make_variants(Context& cx, Value name, Value attributes, bool list_them) {
  const Value variants = TRY(make_vector(cx, 3, kNil));
  static constexpr Value kKinds[] = {Qunix, Qdos, Qmac};
  for (int i = 0; i < 3; ++i) {
    const Value variant = variant_name(cx, name, i);
    set_slot_raw(variants, i, variant);
    hash_table_put(cx, table(cx), variant, make_spec(cx, attributes, list(cx, {variant}), kKinds[i]));
    if (list_them) TRY(announce(cx, variant));
  }
  return variants;
}

Value charset_list_argument(Context& cx, Value type, Value v, bool* iso2022) {
  if (v.is_symbol() && !v.is_nil()) {
    if (v == Qiso_2022) {
      if (type != Qiso_2022) return error_text(cx, "Invalid charset-list");
      *iso2022 = true;
      return v;
    }
    if (v == Qemacs_mule) {
      if (type != Qemacs_mule) return error_text(cx, "Invalid charset-list");
      return v;
    }
    return error_text(cx, "Invalid charset-list");
  }
  for (Value tail = v; tail.is_cons(); tail = cdr_raw(tail)) TRY(charset_argument(cx, car_raw(tail)));
  return v;
}

Value argument(Arguments args, std::size_t i) { return i < args.size() ? args[i] : kNil; }

constexpr std::int64_t kIsoLockingShift = 0x10;
constexpr std::int64_t kIsoSingleShift = 0x20;
constexpr std::int64_t kIsoSevenBits = 0x08;

// Category by type and arguments; also corrects ASCII compatibility.
Value classify(Context& cx, Arguments args, Value type, bool iso2022_list, Value* ascii) {
  const Value first = argument(args, 13);
  if (type == Qcharset) {
    *ascii = kNil;
    for (Value tail = args[3]; tail.is_cons(); tail = cdr_raw(tail))
      if (TRY(charset_argument(cx, car_raw(tail)))->ascii_compatible) *ascii = Qt;
    return category(cx, "charset");
  }
  if (type == Qccl) return category(cx, "ccl");
  if (type == Qutf_16) {
    *ascii = kNil;
    const bool little = argument(args, 14) == Qlittle;
    if (first.is_cons()) return category(cx, "utf-16-auto");
    if (first.truthy()) return category(cx, little ? "utf-16-le" : "utf-16-be");
    return category(cx, little ? "utf-16-le-nosig" : "utf-16-be-nosig");
  }
  if (type == Qiso_2022) {
    const std::int64_t flags = argument(args, 16).is_fixnum() ? argument(args, 16).as_fixnum() : 0;
    if ((flags & kIsoSevenBits) != 0) {
      if ((flags & (kIsoLockingShift | kIsoSingleShift)) != 0) return category(cx, "iso-7-else");
      return category(cx, iso2022_list ? "iso-7" : "iso-7-tight");
    }
    const Value initial = first;
    const Value g1 =
        is_vector(initial) && slot_raw(initial, 1).is_symbol() ? charset_vector(cx, slot_raw(initial, 1)) : kNil;
    if ((flags & kIsoLockingShift) != 0 || iso2022_list || g1.is_nil()) return category(cx, "iso-8-else");
    *ascii = Qt;
    return category(cx, slot_raw(g1, kCsDimension) == Value::fixnum(1) ? "iso-8-1" : "iso-8-2");
  }
  if (type == Qemacs_mule) {
    *ascii = Qt;
    return category(cx, "emacs-mule");
  }
  if (type == Qshift_jis || type == Qbig5) {
    *ascii = Qt;
    return category(cx, type == Qbig5 ? "big5" : "sjis");
  }
  if (type == Qraw_text) {
    *ascii = Qt;
    return category(cx, "raw-text");
  }
  if (type == Qutf_8) {
    *ascii = boolean(first.is_nil());
    if (first.is_nil()) return category(cx, "utf-8");
    return category(cx, first.is_cons() ? "utf-8-auto" : "utf-8-sig");
  }
  if (type == Qundecided) return category(cx, "undecided");
  return error_format(cx, "Invalid coding system type: %s",
                      type.is_symbol() ? std::string(symbol_name_view(cx, type)).c_str() : "?");
}

}  // namespace

Value coding_spec_re(Context& cx, Value name) {
  if (name.is_nil()) name = Qno_conversion;
  const Value spec = find_spec(cx, name);
  if (!spec.is_nil() || !name.is_symbol()) return spec;
  const Value form = symbol_get(cx, name, Qcoding_system_define_form);
  if (form.is_nil()) return kNil;
  symbol_put(cx, name, Qcoding_system_define_form, kNil);
  TRY(eval_form_re(cx, form, kNil));
  return find_spec(cx, name);
}

Maybe<CodingSystem> coding_argument_re(Context& cx, Value name) {
  const Value spec = TRY(coding_spec_re(cx, name));
  if (spec.is_nil() && !name.is_symbol()) return wrong_type(cx, Qsymbolp, name);
  if (spec.is_nil()) return signal_error1(cx, Qcoding_system_error, name);
  CodingSystem coding;
  coding.name = name.is_nil() ? Qno_conversion : name;
  coding.attributes = slot_raw(spec, kSpAttributes);
  const Value eol = slot_raw(spec, kSpEol);
  coding.eol = eol == Qunix ? Eol::kUnix : eol == Qdos ? Eol::kDos : eol == Qmac ? Eol::kMac : Eol::kUndecided;
  return coding;
}

Value coding_with_eol(Context& cx, Value name, Eol eol) {
  const Value spec = find_spec(cx, name);
  if (spec.is_nil() || eol == Eol::kUndecided || !is_vector(slot_raw(spec, kSpEol))) return name;
  return slot_raw(slot_raw(spec, kSpEol), static_cast<int>(eol));
}

Maybe<std::vector<int>> coding_system_charsets(Context& cx, Value name) {
  const CodingSystem coding = TRY(coding_argument_re(cx, name));
  std::vector<int> ids;
  const Value names = coding.slot(kCoCharsets);
  if (names.is_symbol() && names.truthy()) {
    // All the charsets the type can express.
    for (Value tail = charset_state(cx, kStOrdered); tail.is_cons(); tail = cdr_raw(tail)) {
      const auto id = static_cast<int>(car_raw(tail).as_fixnum());
      const Charset* cs = charset_by_id(cx, id);
      if (names == Qiso_2022 ? cs->iso_final >= 0 : cs->mule_id >= 0) ids.push_back(id);
    }
    return ids;
  }
  for (Value tail = names; tail.is_cons(); tail = cdr_raw(tail))
    ids.push_back(TRY(charset_argument(cx, car_raw(tail)))->id);
  return ids;
}

DATA_REENTERS(define_coding_system_internal, "define-coding-system-internal", 13, kMany,
              "For `define-coding-system': define a coding system from its attributes.")
(Context& cx, Arguments args) {
  const Value name = args[0];
  if (!name.is_symbol()) return wrong_type(cx, Qsymbolp, name);
  const Value attributes = TRY(make_vector(cx, kCoSlotCount, kNil));
  if (!is_character(args[1])) return wrong_type(cx, Qcharacterp, args[1]);
  const Value type = args[2];
  if (!type.is_symbol()) return wrong_type(cx, Qsymbolp, type);
  bool iso2022_list = false;
  const Value charsets = TRY(charset_list_argument(cx, type, args[3], &iso2022_list));
  Value ascii = args[4];
  const Value category_name = TRY(classify(cx, args, type, iso2022_list, &ascii));
  for (const std::size_t i : {5U, 6U}) {
    const Value t = args[i];
    if (t.is_symbol() || is_char_table(t) || t.is_cons()) continue;
    return wrong_type(cx, Qchar_table_p, t);
  }
  Value default_char = args[9];
  if (default_char.is_nil()) {
    default_char = Value::fixnum(' ');
  } else if (!is_character(default_char)) {
    return wrong_type(cx, Qcharacterp, default_char);
  }
  const Value plist_tail = args[11];
  if (!plist_tail.is_list()) return wrong_type(cx, Qlistp, plist_tail);
  const Value plist =
      list_from(cx, std::vector<Value>{QCascii_compatible_p, ascii, QCcategory, category_name}, plist_tail);
  set_slot_raw(attributes, kCoName, name);
  set_slot_raw(attributes, kCoType, type);
  set_slot_raw(attributes, kCoMnemonic, args[1]);
  set_slot_raw(attributes, kCoCharsets, charsets);
  set_slot_raw(attributes, kCoAsciiCompatible, ascii);
  set_slot_raw(attributes, kCoDecodeTable, args[5]);
  set_slot_raw(attributes, kCoEncodeTable, args[6]);
  set_slot_raw(attributes, kCoPostRead, args[7]);
  set_slot_raw(attributes, kCoPreWrite, args[8]);
  set_slot_raw(attributes, kCoDefaultChar, default_char);
  set_slot_raw(attributes, kCoForUnibyte, args[10]);
  set_slot_raw(attributes, kCoPlist, plist);
  set_slot_raw(attributes, kCoCategory, category_name);
  set_slot_raw(attributes, kCoExtra, TRY(make_vector_from(cx, args.subspan(13))));
  Value eol = args[12];
  if (!eol.is_nil() && eol != Qunix && eol != Qdos && eol != Qmac) return error_text(cx, "Invalid eol-type");
  if (eol.is_nil()) eol = TRY(make_variants(cx, name, attributes, true));
  hash_table_put(cx, table(cx), name, make_spec(cx, attributes, list(cx, {name}), eol));
  TRY(announce(cx, name));
  // The first of its category stands for it in detection.
  const Value current = variable_value(cx, category_name);
  if (current.is_nil() || current.is_unbound() || current == name) TRY(set_variable_re(cx, category_name, name));
  return kNil;
}

DATA_WRITES(define_coding_system_alias, "define-coding-system-alias", 2, 2,
            "Define ALIAS as another name of CODING-SYSTEM.")
(Context& cx, Value alias, Value name) {
  const Value spec = TRY(coding_spec_re(cx, name));
  if (!alias.is_symbol()) return wrong_type(cx, Qsymbolp, alias);
  if (spec.is_nil()) return signal_error1(cx, Qcoding_system_error, name);
  const auto append_alias = [&](Value of, Value addition) {
    Value last = slot_raw(of, kSpAliases);
    if (memq(addition, last).is_cons()) return;
    while (cdr_raw(last).is_cons()) last = cdr_raw(last);
    set_cdr_raw(last, cons(cx, addition, kNil));
  };
  append_alias(spec, alias);
  Value eol = slot_raw(spec, kSpEol);
  if (is_vector(eol)) {
    // The variants of the alias are aliases of the variants.
    for (int i = 0; i < 3; ++i) {
      const Value variant = variant_name(cx, alias, i);
      const Value original = find_spec(cx, slot_raw(eol, i));
      if (original.is_nil()) continue;
      append_alias(original, variant);
      hash_table_put(cx, table(cx), variant, original);
      TRY(announce(cx, variant));
    }
  }
  hash_table_put(cx, table(cx), alias, spec);
  TRY(announce(cx, alias));
  return kNil;
}

DATA_WRITES(coding_system_put, "coding-system-put", 3, 3, "Set property PROP of CODING-SYSTEM to VAL.")
(Context& cx, Value name, Value property, Value v) {
  const CodingSystem coding = TRY(coding_argument_re(cx, name));
  const Value attributes = coding.attributes;
  if (property == QCmnemonic) {
    if (v.is_string() && string_chars(v) > 0) v = Value::fixnum(string_char_raw(v, 0));
    if (!is_character(v)) return wrong_type(cx, Qcharacterp, v);
    set_slot_raw(attributes, kCoMnemonic, v);
  } else if (property == QCdefault_char) {
    if (v.is_nil()) v = Value::fixnum(' ');
    if (!is_character(v)) return wrong_type(cx, Qcharacterp, v);
    set_slot_raw(attributes, kCoDefaultChar, v);
  } else if (property == QCdecode_translation_table) {
    set_slot_raw(attributes, kCoDecodeTable, v);
  } else if (property == QCencode_translation_table) {
    set_slot_raw(attributes, kCoEncodeTable, v);
  } else if (property == QCpost_read_conversion) {
    set_slot_raw(attributes, kCoPostRead, v);
  } else if (property == QCpre_write_conversion) {
    set_slot_raw(attributes, kCoPreWrite, v);
  } else if (property == QCascii_compatible_p) {
    set_slot_raw(attributes, kCoAsciiCompatible, v);
  } else if (property == QCcharset_list) {
    for (Value tail = v; tail.is_cons(); tail = cdr_raw(tail)) TRY(charset_argument(cx, car_raw(tail)));
    set_slot_raw(attributes, kCoCharsets, v);
  }
  const Value plist = slot_raw(attributes, kCoPlist);
  for (Value tail = plist; tail.is_cons() && cdr_raw(tail).is_cons(); tail = cdr_raw(cdr_raw(tail)))
    if (car_raw(tail) == property) {
      set_car_raw(cdr_raw(tail), v);
      return v;
    }
  set_slot_raw(attributes, kCoPlist, cons(cx, property, cons(cx, v, plist)));
  return v;
}

// ---- looking -----------------------------------------------------------------------------------------------------

DATA_REENTERS(coding_system_p, "coding-system-p", 1, 1, "Return t if OBJECT is nil or names a coding system.")
(Context& cx, Value v) {
  if (v.is_nil()) return Qt;
  const Value spec = TRY(coding_spec_re(cx, v));
  return boolean(!spec.is_nil());
}
DATA_REENTERS(check_coding_system, "check-coding-system", 1, 1,
              "Return CODING-SYSTEM if it is one, else signal `coding-system-error'.")
(Context& cx, Value v) {
  if (v.is_nil()) return v;
  if (!v.is_symbol()) return wrong_type(cx, Qsymbolp, v);
  TRY(coding_argument_re(cx, v));
  return v;
}
DATA_REENTERS(coding_system_base, "coding-system-base", 1, 1, "Return the name CODING-SYSTEM was defined with.")
(Context& cx, Value v) {
  if (v.is_nil()) return Qno_conversion;
  return TRY(coding_argument_re(cx, v))
  .slot(kCoName);
}
DATA_REENTERS(coding_system_plist, "coding-system-plist", 1, 1, "Return the property list of CODING-SYSTEM.")
(Context& cx, Value v) {
  return TRY(coding_argument_re(cx, v))
  .slot(kCoPlist);
}
DATA_REENTERS(coding_system_aliases, "coding-system-aliases", 1, 1, "Return the list of names of CODING-SYSTEM.")
(Context& cx, Value v) {
  const Value spec = TRY(coding_spec_re(cx, v));
  if (spec.is_nil() && !v.is_symbol()) return wrong_type(cx, Qsymbolp, v);
  if (spec.is_nil()) return signal_error1(cx, Qcoding_system_error, v);
  return slot_raw(spec, kSpAliases);
}
DATA_REENTERS(coding_system_eol_type, "coding-system-eol-type", 1, 1,
              "Return 0 (LF), 1 (CRLF) or 2 (CR), or a vector of the variants of CODING-SYSTEM.")
(Context& cx, Value v) {
  const Value spec = TRY(coding_spec_re(cx, v));
  if (spec.is_nil()) return kNil;
  const Value eol = slot_raw(spec, kSpEol);
  if (is_vector(eol)) {
    const Value copy = TRY(make_vector(cx, 3, kNil));
    for (int i = 0; i < 3; ++i) set_slot_raw(copy, i, slot_raw(eol, i));
    return copy;
  }
  return Value::fixnum(eol == Qdos ? 1 : eol == Qmac ? 2 : 0);
}

// ---- priorities -----------------------------------------------------------------------------------------------------

DATA_WRITES(set_coding_system_priority, "set-coding-system-priority", 0, kMany,
            "Prefer the CODING-SYSTEMS in detection, in this order.")
(Context& cx, Arguments args) {
  std::vector<Value> order;
  std::vector<Value> systems;
  for (const Value name : args) {
    const CodingSystem coding = TRY(coding_argument_re(cx, name));
    const Value c = coding.slot(kCoCategory);
    bool seen = false;
    for (const Value known : order) seen = seen || known == c;
    if (seen) continue;  // the first of a category counts
    order.push_back(c);
    systems.push_back(name);
  }
  for (std::size_t i = 0; i < order.size(); ++i) TRY(set_variable_re(cx, order[i], systems[i]));
  for (Value tail = variable_value(cx, Qcoding_category_list); tail.is_cons(); tail = cdr_raw(tail)) {
    bool seen = false;
    for (const Value known : order) seen = seen || known == car_raw(tail);
    if (!seen) order.push_back(car_raw(tail));
  }
  TRY(set_variable_re(cx, Qcoding_category_list, list_from(cx, order)));
  return kNil;
}
DATA_READS_STATE(coding_system_priority_list, "coding-system-priority-list", 0, 1,
                 "Return the coding systems by priority, or only the first.")
(Context& cx, Value highest) {
  Value result = kNil;
  for (Value tail = variable_value(cx, Qcoding_category_list); tail.is_cons(); tail = cdr_raw(tail)) {
    const Value name = variable_value(cx, car_raw(tail));
    if (name.is_nil() || name.is_unbound()) continue;
    const Value spec = find_spec(cx, name);
    if (spec.is_nil()) continue;
    const Value base = slot_raw(slot_raw(spec, kSpAttributes), kCoName);
    if (highest.truthy()) return base;
    result = cons(cx, base, result);
  }
  return nreverse_list(result);
}

// ---- what exists before Lisp defines any ------------------------------------------------------------------------------

NEOVM_INIT(builtin_coding_systems, kObjects)(Context& cx) {
  (void)set_variable_re(cx, Qcoding_systems_state, make_hash_table(cx, HashTest::kEq));
  Value categories = kNil;
  for (int i = static_cast<int>(std::size(kCodingCategories)); i-- > 0;) {
    const Value c = category_symbol(cx, i);
    categories = cons(cx, c, categories);
    (void)set_variable_re(cx, c, kNil);
  }
  (void)set_variable_re(cx, Qcoding_category_list, categories);
  const auto define = [&](Value name, int mnemonic, Value type, Value charsets, Value default_char, Value unibyte,
                          const char* doc, Value eol) {
    const Value ascii_attr = Qt;
    const Value doc_string = make_string(cx, doc);
    const Value plist = type == Qraw_text
                            ? list(cx, {QCname, name, QCmnemonic, Value::fixnum(mnemonic), QCcoding_type, type,
                                        QCascii_compatible_p, Qt, QCdefault_char, default_char, QCfor_unibyte, unibyte,
                                        QCdocstring, doc_string, QCeol_type, eol})
                            : list(cx, {QCname, name, QCmnemonic, Value::fixnum(mnemonic), QCcoding_type, type,
                                        QCascii_compatible_p, Qt, QCcharset_list, charsets, QCfor_unibyte, unibyte,
                                        QCdocstring, doc_string, QCeol_type, eol});
    Value arguments[] = {name,
                         Value::fixnum(mnemonic),
                         type,
                         charsets,
                         ascii_attr,
                         kNil,
                         kNil,
                         kNil,
                         kNil,
                         default_char,
                         unibyte,
                         plist,
                         eol,
                         Value::fixnum(0),
                         Value::fixnum(0)};
    (void)prim_define_coding_system_internal(cx, Arguments(arguments, type == Qundecided ? 15 : 13));
  };
  define(Qno_conversion, '=', Qraw_text, kNil, Value::fixnum(0), Qt,
         "Bytes stay bytes: files come into unibyte buffers unchanged.", Qunix);
  define(Qundecided, '-', Qundecided, list(cx, {Qascii}), kNil, kNil,
         "Decode as what the bytes look like; encode as they are.", kNil);
}

}  // namespace neovm::elisp
