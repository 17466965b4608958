// The table of charsets and how they are defined (charset.c of GNU).
#include <algorithm>

#include "../rows.hpp"
#include "charset.hpp"

namespace neovm::elisp {

NEOVM_VARIABLE(charsets_state, " charsets", kGlobalVar, kAny, kInitNil,
               "The charsets, by name and number; for the machine only.")
NEOVM_VARIABLE(charset_map_path, "charset-map-path", kGlobalVar, kAny, kInitNil,
               "List of the folders that hold the map files of charsets.")
NEOVM_VARIABLE(inhibit_load_charset_map, "inhibit-load-charset-map", kGlobalVar, kBool, kInitNil,
               "Non-nil while maps should not be loaded.")
NEOVM_VARIABLE(charset_list, "charset-list", kGlobalVar, kAny, kInitNil, "List of the names of all charsets.")
NEOVM_VARIABLE(current_iso639_language, "current-iso639-language", kGlobalVar, kAny, kInitNil,
               "ISO 639 code of the current language, as a symbol.")

namespace {

// The C++ sides by id. Holds no Values that need tracing: names are read from the vectors.
struct CharsetCache {
  std::vector<std::unique_ptr<Charset>> charsets;
};

CharsetCache& cache(Context& cx) {
  if (void* state = extension_state(cx, ExtensionId::kGuestCharsets)) return *static_cast<CharsetCache*>(state);
  Extension e;
  auto* made = new CharsetCache;
  e.state = made;
  e.destroy = [](void* state) { delete static_cast<CharsetCache*>(state); };
  set_extension(cx, ExtensionId::kGuestCharsets, e);
  return *made;
}

std::uint32_t code_slot(Value vector, CharsetSlot slot) {
  const Value v = slot_raw(vector, slot);
  return v.is_fixnum() ? static_cast<std::uint32_t>(v.as_fixnum()) : 0;
}

std::unique_ptr<Charset> build(Value vector) {
  auto cs = std::make_unique<Charset>();
  cs->id = static_cast<int>(slot_raw(vector, kCsId).as_fixnum());
  cs->dimension = static_cast<int>(slot_raw(vector, kCsDimension).as_fixnum());
  const Value space = slot_raw(vector, kCsCodeSpace);
  for (int i = 0; i < 4; ++i) {
    cs->low[i] = static_cast<int>(slot_raw(space, 2 * i).as_fixnum());
    cs->size[i] = static_cast<int>(slot_raw(space, 2 * i + 1).as_fixnum()) - cs->low[i] + 1;
  }
  cs->iso_96 = cs->size[0] == 96;
  cs->min_code = code_slot(vector, kCsMinCode);
  cs->max_code = code_slot(vector, kCsMaxCode);
  cs->ascii_compatible = slot_raw(vector, kCsAsciiCompatible).truthy();
  cs->supplementary = slot_raw(vector, kCsSupplementary).truthy();
  cs->unified = slot_raw(vector, kCsUnified).truthy();
  if (slot_raw(vector, kCsIsoFinal).is_fixnum())
    cs->iso_final = static_cast<int>(slot_raw(vector, kCsIsoFinal).as_fixnum());
  if (slot_raw(vector, kCsMuleId).is_fixnum()) cs->mule_id = static_cast<int>(slot_raw(vector, kCsMuleId).as_fixnum());
  const Value subset = slot_raw(vector, kCsSubset);
  const Value superset = slot_raw(vector, kCsSuperset);
  if (slot_raw(vector, kCsCodeOffset).is_fixnum()) {
    cs->method = CharsetMethod::kOffset;
    cs->code_offset = static_cast<int>(slot_raw(vector, kCsCodeOffset).as_fixnum());
  } else if (slot_raw(vector, kCsMap).truthy()) {
    cs->method = CharsetMethod::kMap;
  } else if (subset.is_cons()) {
    cs->method = CharsetMethod::kSubset;
    const Value rest = cdr_raw(subset);
    cs->parent = static_cast<int>(car_raw(subset).as_fixnum());
    cs->parent_min = static_cast<std::uint32_t>(car_raw(rest).as_fixnum());
    cs->parent_max = static_cast<std::uint32_t>(car_raw(cdr_raw(rest)).as_fixnum());
    cs->parent_offset = car_raw(cdr_raw(cdr_raw(rest))).as_fixnum();
  } else {
    cs->method = CharsetMethod::kSuperset;
    for (Value tail = superset; tail.is_cons(); tail = cdr_raw(tail))
      cs->parents.emplace_back(static_cast<int>(car_raw(car_raw(tail)).as_fixnum()),
                               cdr_raw(car_raw(tail)).as_fixnum());
  }
  return cs;
}

}  // namespace

Value charset_state(Context& cx, CharsetStateSlot slot) {
  const Value state = variable_value(cx, Qcharsets_state);
  return is_vector(state) ? slot_raw(state, slot) : kNil;
}
namespace {
void set_charset_state(Context& cx, CharsetStateSlot slot, Value v) {
  const Value state = variable_value(cx, Qcharsets_state);
  if (is_vector(state)) set_slot_raw(state, slot, v);
}
}  // namespace

Value charset_vector(Context& cx, Value name) {
  const Value by_name = charset_state(cx, kStByName);
  if (!is_hash_table(by_name) || !name.is_symbol()) return kNil;
  const Value found = hash_table_get(cx, by_name, name);
  return found.is_unbound() ? kNil : found;
}
Value charset_vector_by_id(Context& cx, int id) { return slot_raw(charset_state(cx, kStById), id); }
Value charset_name(Context& cx, int id) { return slot_raw(charset_vector_by_id(cx, id), kCsName); }

Charset* charset_by_id(Context& cx, int id) {
  CharsetCache& c = cache(cx);
  if (static_cast<std::size_t>(id) >= c.charsets.size()) c.charsets.resize(static_cast<std::size_t>(id) + 1);
  std::unique_ptr<Charset>& cs = c.charsets[static_cast<std::size_t>(id)];
  if (cs == nullptr) cs = build(charset_vector_by_id(cx, id));
  return cs.get();
}
Maybe<Charset*> charset_argument(Context& cx, Value name) {
  const Value vector = charset_vector(cx, name);
  if (vector.is_nil()) return wrong_type(cx, Qcharsetp, name);
  return charset_by_id(cx, static_cast<int>(slot_raw(vector, kCsId).as_fixnum()));
}
void forget_charset(Context& cx, int id) {
  CharsetCache& c = cache(cx);
  if (static_cast<std::size_t>(id) < c.charsets.size()) c.charsets[static_cast<std::size_t>(id)].reset();
}
void forget_charset_maps(Context& cx) { cache(cx).charsets.clear(); }

namespace {
Value iso_key(int dimension, bool chars96, int final_byte) {
  return Value::fixnum((dimension * 2 + (chars96 ? 1 : 0)) * 256 + final_byte);
}
}  // namespace
int charset_by_iso(Context& cx, int dimension, bool chars96, int final_byte) {
  const Value id = hash_table_get(cx, charset_state(cx, kStIso), iso_key(dimension, chars96, final_byte));
  return id.is_fixnum() ? static_cast<int>(id.as_fixnum()) : -1;
}

namespace {

// Registers a complete charset vector (all slots but the id) and gives it its number.
Value enter(Context& cx, Value vector) {
  const Value name = slot_raw(vector, kCsName);
  const Value old = charset_vector(cx, name);
  std::int64_t id = charset_state(cx, kStCount).as_fixnum();
  if (old.is_nil()) {
    set_charset_state(cx, kStCount, Value::fixnum(id + 1));
    const Value table = charset_state(cx, kStById);
    if (id >= slot_count_raw(table)) {
      const Value grown = TRY(make_vector(cx, 2 * id, kNil));
      for (std::int64_t i = 0; i < id; ++i) set_slot_raw(grown, i, slot_raw(table, i));
      set_charset_state(cx, kStById, grown);
    }
  } else {
    id = slot_raw(old, kCsId).as_fixnum();
  }
  set_slot_raw(vector, kCsId, Value::fixnum(id));
  set_slot_raw(charset_state(cx, kStById), id, vector);
  hash_table_put(cx, charset_state(cx, kStByName), name, vector);
  forget_charset(cx, static_cast<int>(id));
  const Charset* cs = charset_by_id(cx, static_cast<int>(id));
  if (cs->iso_final >= 0)
    hash_table_put(cx, charset_state(cx, kStIso), iso_key(cs->dimension, cs->iso_96, cs->iso_final), Value::fixnum(id));
  if (cs->mule_id >= 0 && cs->mule_id < 256) set_slot_raw(charset_state(cx, kStMule), cs->mule_id, Value::fixnum(id));
  if (!old.is_nil()) return kNil;
  const Value names = variable_value(cx, Qcharset_list);
  TRY(set_variable_re(cx, Qcharset_list, cons(cx, name, names.is_unbound() ? kNil : names)));

  // A supplementary charset goes to the end of the order, others before the first supplementary one.
  const Value entry = cons(cx, Value::fixnum(id), kNil);
  const Value ordered = charset_state(cx, kStOrdered);
  Value previous = kNil;
  Value tail = ordered;
  while (tail.is_cons()) {
    if (!cs->supplementary && charset_by_id(cx, static_cast<int>(car_raw(tail).as_fixnum()))->supplementary) break;
    previous = tail;
    tail = cdr_raw(tail);
  }
  set_cdr_raw(entry, tail);
  if (previous.is_nil()) {
    set_charset_state(cx, kStOrdered, entry);
  } else {
    set_cdr_raw(previous, entry);
  }
  if (charset_state(cx, kStNonPreferred) == tail && tail.is_cons()) set_charset_state(cx, kStNonPreferred, entry);
  return kNil;
}

}  // namespace

DATA_WRITES(define_charset_internal, "define-charset-internal", 17, kMany,
            "For `define-charset': define a charset from its attributes.")
(Context& cx, Arguments args) {
  if (args.size() != 17)
    return signal_error2(cx, Qwrong_number_of_arguments, Qdefine_charset_internal,
                         Value::fixnum(static_cast<std::int64_t>(args.size())));
  enum {
    kName,
    kDim,
    kSpace,
    kMin,
    kMax,
    kFinal,
    kRevision,
    kMule,
    kAscii,
    kSupp,
    kInvalid,
    kOffset,
    kMapArg,
    kSubsetArg,
    kSupersetArg,
    kUnify,
    kPlist
  };
  if (!args[kName].is_symbol()) return wrong_type(cx, Qsymbolp, args[kName]);
  const Value v = TRY(make_vector(cx, kCsSlotCount, kNil));
  set_slot_raw(v, kCsName, args[kName]);
  const Value space_in = args[kSpace];
  if (!is_vector(space_in)) return wrong_type(cx, Qarrayp, space_in);
  if (slot_count_raw(space_in) < 8) return args_out_of_range(cx, space_in, Value::fixnum(slot_count_raw(space_in)));
  int dimension = 0;
  for (int i = 0; i < 4; ++i) {
    const Value low = slot_raw(space_in, 2 * i);
    const Value high = slot_raw(space_in, 2 * i + 1);
    for (const Value limit : {low, high})
      if (!limit.is_natnum_fixnum() || limit.as_fixnum() > 255)
        return args_out_of_range(cx, limit, Value::fixnum(0), Value::fixnum(255));
    if (high.as_fixnum() > 0) dimension = i + 1;
  }
  const Value space = TRY(make_vector(cx, 8, Value::fixnum(0)));
  for (int i = 0; i < 8; ++i) set_slot_raw(space, i, slot_raw(space_in, i));
  set_slot_raw(v, kCsCodeSpace, space);
  if (args[kDim].is_fixnum()) dimension = static_cast<int>(args[kDim].as_fixnum());
  if (dimension < 1 || dimension > 4) return args_out_of_range(cx, args[kDim], Value::fixnum(1), Value::fixnum(4));
  set_slot_raw(v, kCsDimension, Value::fixnum(dimension));
  std::uint32_t min_code = 0;
  std::uint32_t max_code = 0;
  for (int i = 0; i < dimension; ++i) {
    min_code |= static_cast<std::uint32_t>(slot_raw(space, 2 * i).as_fixnum()) << (8 * i);
    max_code |= static_cast<std::uint32_t>(slot_raw(space, 2 * i + 1).as_fixnum()) << (8 * i);
  }
  const std::uint32_t space_min = min_code;
  const std::uint32_t space_max = max_code;
  if (args[kMin].truthy()) {
    min_code = TRY(code_argument(cx, args[kMin]));
    if (min_code < space_min || min_code > space_max)
      return args_out_of_range(cx, Value::fixnum(space_min), Value::fixnum(space_max), args[kMin]);
  }
  if (args[kMax].truthy()) {
    max_code = TRY(code_argument(cx, args[kMax]));
    if (max_code < space_min || max_code > space_max)
      return args_out_of_range(cx, Value::fixnum(space_min), Value::fixnum(space_max), args[kMax]);
  }
  set_slot_raw(v, kCsMinCode, Value::fixnum(min_code));
  set_slot_raw(v, kCsMaxCode, Value::fixnum(max_code));
  if (args[kFinal].truthy()) {
    if (!args[kFinal].is_fixnum()) return wrong_type(cx, Qfixnump, args[kFinal]);
    if (args[kFinal].as_fixnum() < '0' || args[kFinal].as_fixnum() > 127)
      return error_format(cx, "Invalid iso-final-char: %ld", static_cast<long>(args[kFinal].as_fixnum()));
  }
  set_slot_raw(v, kCsIsoFinal, args[kFinal]);
  if (args[kRevision].truthy() &&
      (!args[kRevision].is_fixnum() || args[kRevision].as_fixnum() < -1 || args[kRevision].as_fixnum() > 63))
    return args_out_of_range(cx, Value::fixnum(-1), args[kRevision], Value::fixnum(63));
  set_slot_raw(v, kCsIsoRevision, args[kRevision]);
  if (args[kMule].truthy()) {
    if (!args[kMule].is_natnum_fixnum()) return wrong_type(cx, Qnatnump, args[kMule]);
    const std::int64_t id = args[kMule].as_fixnum();
    if ((id > 0 && id <= 128) || id >= 256)
      return error_format(cx, "Invalid emacs-mule-id: %ld", static_cast<long>(id));
  }
  set_slot_raw(v, kCsMuleId, args[kMule]);
  set_slot_raw(v, kCsAsciiCompatible, args[kAscii]);
  set_slot_raw(v, kCsSupplementary, args[kSupp]);
  set_slot_raw(v, kCsInvalidCode, args[kInvalid]);
  set_slot_raw(v, kCsUnifyMap, args[kUnify]);
  set_slot_raw(v, kCsPlist, args[kPlist]);
  if (args[kOffset].truthy()) {
    if (!is_character(args[kOffset])) return wrong_type(cx, Qcharacterp, args[kOffset]);
    set_slot_raw(v, kCsCodeOffset, args[kOffset]);
  } else if (args[kMapArg].truthy()) {
    set_slot_raw(v, kCsMap, args[kMapArg]);
  } else if (args[kSubsetArg].truthy()) {
    const Value parent = args[kSubsetArg].is_cons() ? car_raw(args[kSubsetArg]) : kNil;
    const Charset* p = TRY(charset_argument(cx, parent));
    Value items[3] = {kNil, kNil, kNil};
    Value rest = cdr_raw(args[kSubsetArg]);
    for (Value& item : items) {
      if (!rest.is_cons() || !car_raw(rest).is_fixnum()) return wrong_type(cx, Qfixnump, car_of_list(rest));
      item = car_raw(rest);
      rest = cdr_raw(rest);
    }
    set_slot_raw(v, kCsSubset, list(cx, {Value::fixnum(p->id), items[0], items[1], items[2]}));
  } else if (args[kSupersetArg].truthy()) {
    Value parents = kNil;
    for (Value tail = args[kSupersetArg]; tail.is_cons(); tail = cdr_raw(tail)) {
      const Value item = car_raw(tail);
      const Charset* p = TRY(charset_argument(cx, item.is_cons() ? car_raw(item) : item));
      const Value offset = item.is_cons() ? cdr_raw(item) : Value::fixnum(0);
      if (!offset.is_fixnum()) return wrong_type(cx, Qfixnump, offset);
      parents = cons(cx, cons(cx, Value::fixnum(p->id), offset), parents);
    }
    set_slot_raw(v, kCsSuperset, nreverse_list(parents));
  } else {
    return error_text(cx, "None of :code-offset, :map, :parents are specified");
  }
  return enter(cx, v);
}

DATA_WRITES(define_charset_alias, "define-charset-alias", 2, 2, "Define ALIAS as another name of CHARSET.")
(Context& cx, Value alias, Value name) {
  const Value vector = charset_vector(cx, name);
  if (vector.is_nil()) return wrong_type(cx, Qcharsetp, name);
  hash_table_put(cx, charset_state(cx, kStByName), alias, vector);
  TRY(set_variable_re(cx, Qcharset_list, cons(cx, alias, variable_value(cx, Qcharset_list))));
  return kNil;
}

DATA_WRITES(unify_charset, "unify-charset", 1, 3,
            "Let CHARSET's characters be those of Unicode that UNIFY-MAP gives; DEUNIFY undoes it.")
(Context& cx, Value name, Value map, Value deunify) {
  const Charset* cs = TRY(charset_argument(cx, name));
  const Value vector = charset_vector_by_id(cx, cs->id);
  const bool off = deunify.truthy();
  if (cs->unified != off) return kNil;
  if (!off) {
    if (cs->method != CharsetMethod::kOffset || cs->code_offset < 0x110000)
      return error_format(cx, "Can\u2019t unify charset: %s", std::string(symbol_name_view(cx, name)).c_str());
    if (map.is_nil()) map = slot_raw(vector, kCsUnifyMap);
    if (!map.is_string() && !is_vector(map)) return error_text(cx, "Bad unify-map");
    set_slot_raw(vector, kCsUnifyMap, map);
  }
  set_slot_raw(vector, kCsUnified, boolean(!off));
  forget_charset(cx, cs->id);
  return kNil;
}

DATA_WRITES(set_charset_priority, "set-charset-priority", 1, kMany, "Put the CHARSETS first in the order of priority.")
(Context& cx, Arguments args) {
  std::vector<int> order;
  std::vector<bool> seen;
  const auto add = [&](int id) {
    const auto i = static_cast<std::size_t>(id);
    if (i >= seen.size()) seen.resize(2 * i + 1);
    if (!seen[i]) order.push_back(id);
    seen[i] = true;
  };
  for (const Value name : args) add(TRY(charset_argument(cx, name))->id);
  const std::size_t named = order.size();
  for (Value tail = charset_state(cx, kStOrdered); tail.is_cons(); tail = cdr_raw(tail))
    add(static_cast<int>(car_raw(tail).as_fixnum()));
  Value result = kNil;
  for (std::size_t i = order.size(); i-- > 0;) {
    if (i + 1 == named) set_charset_state(cx, kStNonPreferred, result);
    result = cons(cx, Value::fixnum(order[i]), result);
  }
  set_charset_state(cx, kStOrdered, result);
  return kNil;
}

// ---- the charsets that exist before Lisp defines any ---------------------------------------------------------

namespace {

struct Builtin {
  Value name;
  int dimension;
  int space[8];
  int final_byte;
  int mule_id;
  bool ascii;
  bool supplementary;
  int offset;
};

}  // namespace

NEOVM_INIT(builtin_charsets, kTables)(Context& cx) {
  const Value state = make_vector(cx, kStSlotCount, kNil);
  set_slot_raw(state, kStByName, make_hash_table(cx, HashTest::kEq));
  set_slot_raw(state, kStById, make_vector(cx, 256, kNil));
  set_slot_raw(state, kStCount, Value::fixnum(0));
  set_slot_raw(state, kStIso, make_hash_table(cx, HashTest::kEq));
  set_slot_raw(state, kStMule, make_vector(cx, 256, kNil));
  (void)set_variable_re(cx, Qcharsets_state, state);
  static constexpr Builtin kBuiltins[] = {
      {Qascii, 1, {0, 127, 0, 0, 0, 0, 0, 0}, 'B', 0, true, false, 0},
      {Qiso_8859_1, 1, {0, 255, 0, 0, 0, 0, 0, 0}, -1, -1, true, false, 0},
      {Qunicode, 3, {0, 255, 0, 255, 0, 16, 0, 0}, -1, -1, true, false, 0},
      {Qemacs, 3, {0, 255, 0, 255, 0, 63, 0, 0}, -1, -1, true, true, 0},
      {Qeight_bit, 1, {128, 255, 0, 0, 0, 0, 0, 0}, -1, -1, false, true, 0x3FFF80},
  };
  for (const Builtin& b : kBuiltins) {
    const Value v = make_vector(cx, kCsSlotCount, kNil);
    const Value space = make_vector(cx, 8, kNil);
    for (int i = 0; i < 8; ++i) set_slot_raw(space, i, Value::fixnum(b.space[i]));
    const auto number_or_nil = [](int n) { return n < 0 ? kNil : Value::fixnum(n); };
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    for (int i = 0; i < b.dimension; ++i) {
      low |= static_cast<std::uint32_t>(b.space[2 * i]) << (8 * i);
      high |= static_cast<std::uint32_t>(b.space[2 * i + 1]) << (8 * i);
    }
    if (b.name == Qunicode) high = 0x10FFFF;
    if (b.name == Qemacs) high = 0x3FFF7F;
    set_slot_raw(v, kCsName, b.name);
    set_slot_raw(v, kCsDimension, Value::fixnum(b.dimension));
    set_slot_raw(v, kCsCodeSpace, space);
    set_slot_raw(v, kCsMinCode, Value::fixnum(low));
    set_slot_raw(v, kCsMaxCode, Value::fixnum(high));
    set_slot_raw(v, kCsIsoFinal, number_or_nil(b.final_byte));
    set_slot_raw(v, kCsMuleId, number_or_nil(b.mule_id));
    set_slot_raw(v, kCsAsciiCompatible, boolean(b.ascii));
    set_slot_raw(v, kCsSupplementary, boolean(b.supplementary));
    set_slot_raw(v, kCsCodeOffset, Value::fixnum(b.offset));
    set_slot_raw(v, kCsPlist,
                 list(cx, {QCname, b.name, QCdimension, Value::fixnum(b.dimension), QCcode_space, space,
                           QCiso_final_char, number_or_nil(b.final_byte), QCemacs_mule_id, number_or_nil(b.mule_id),
                           QCascii_compatible_p, boolean(b.ascii), QCcode_offset, Value::fixnum(b.offset)}));
    (void)enter(cx, v);
  }
}

}  // namespace neovm::elisp
