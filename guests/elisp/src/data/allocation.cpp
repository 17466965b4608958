// Making objects (alloc.c of GNU).
#include <algorithm>
#include <cstring>

#include "eval/tiers.hpp"
#include "neovm/core/bool_vector.hpp"
#include "neovm/core/context.hpp"
#include "neovm/text/characters.hpp"
#include "rows.hpp"

namespace neovm::elisp {
namespace {

constexpr std::int64_t kMaxRecordSlots = 4095;

Maybe<std::int64_t> whole_number(Context& cx, Value v) {
  if (!v.is_natnum_fixnum()) return wrong_type(cx, Qwholenump, v);
  return v.as_fixnum();
}

}  // namespace

DATA_MAKES(cons, "cons", 2, 2, "Return a new cons cell of CAR and CDR.")(Context& cx, Value a, Value d) {
  return cons(cx, a, d);
}
DATA_MAKES(list, "list", 0, kMany, "Return a new list of the ARGUMENTS.")(Context& cx, Arguments args) {
  return list_from(cx, args);
}
DATA_MAKES(make_list, "make-list", 2, 2, "Return a new list of LENGTH elements, each INIT.")
(Context& cx, Value n, Value init) {
  Value result = kNil;
  constexpr std::int64_t kStep = 1 << 16;
  const std::int64_t count = TRY(whole_number(cx, n));
  TRY(ensure_memory(cx, static_cast<std::uint64_t>(std::min(count, std::int64_t{1} << 56)) * sizeof(Cons)));
  for (std::int64_t i = count; i > 0; --i) {
    result = cons(cx, init, result);
    if (i % kStep == 0) TRY(check_quit(cx));
  }
  return result;
}
DATA_MAKES(vector, "vector", 0, kMany, "Return a new vector of the ARGUMENTS.")(Context& cx, Arguments args) {
  return make_vector_from(cx, args);
}
DATA_MAKES(make_vector, "make-vector", 2, 2, "Return a new vector of LENGTH elements, each INIT.")
(Context& cx, Value n, Value init) {
  const std::int64_t count = TRY(whole_number(cx, n));
  const Value v = TRY(make_vector(cx, count, init));
  return v;
}
DATA_MAKES(record, "record", 1, kMany, "Return a new record of type TYPE with the SLOTS.")
(Context& cx, Arguments args) {
  const auto n = static_cast<std::int64_t>(args.size());
  if (n > kMaxRecordSlots)
    return error_format(cx, "Attempt to allocate a record of %ld slots; max is %ld", static_cast<long>(n),
                        static_cast<long>(kMaxRecordSlots));
  const Value r = TRY(make_slots(cx, ObjectKind::kRecord, n, kNil));
  for (std::int64_t i = 0; i < n; ++i) set_slot_raw(r, i, args[static_cast<std::size_t>(i)]);
  return r;
}
DATA_MAKES(make_record, "make-record", 3, 3, "Return a new record of type TYPE with SLOTS slots, each INIT.")
(Context& cx, Value type, Value slots, Value init) {
  const std::int64_t n = TRY(whole_number(cx, slots));
  if (n >= kMaxRecordSlots)
    return error_format(cx, "Attempt to allocate a record of %ld slots; max is %ld", static_cast<long>(n) + 1,
                        static_cast<long>(kMaxRecordSlots));
  const Value r = TRY(make_slots(cx, ObjectKind::kRecord, n + 1, init));
  set_slot_raw(r, 0, type);
  return r;
}
DATA_MAKES(make_string, "make-string", 2, 3,
           "Return a new string of LENGTH characters INIT; MULTIBYTE asks for a multibyte one.")
(Context& cx, Value n, Value init, Value multibyte) {
  const std::int64_t count = TRY(whole_number(cx, n));
  const int c = TRY(character_argument(cx, init));
  std::uint8_t encoded[text::kMaxBytesPerChar];
  const int bytes = text::encode_char(c, encoded);
  if (count > (std::int64_t{1} << 42)) return signal_memory_full(cx);
  const Value s = TRY(make_string_raw(cx, count, count * bytes, c >= 0x80 || multibyte.truthy()));
  std::uint8_t* p = string_raw(s)->data;
  if (bytes == 1) {
    std::memset(p, c, static_cast<std::size_t>(count));
  } else {
    for (std::int64_t i = 0; i < count; ++i) std::memcpy(p + i * bytes, encoded, static_cast<std::size_t>(bytes));
  }
  return s;
}
DATA_MAKES(make_bool_vector, "make-bool-vector", 2, 2,
           "Return a new bool-vector of LENGTH elements, all t if INIT is non-nil.")
(Context& cx, Value n, Value init) {
  const std::int64_t count = TRY(whole_number(cx, n));
  const Value v = TRY(core::make_bool_vector(cx, count));
  if (init.truthy()) core::bool_fill_raw(v, true);
  return v;
}
DATA_MAKES(bool_vector, "bool-vector", 0, kMany, "Return a new bool-vector of the truth values of the ARGUMENTS.")
(Context& cx, Arguments args) {
  const Value v = TRY(core::make_bool_vector(cx, static_cast<std::int64_t>(args.size())));
  for (std::size_t i = 0; i < args.size(); ++i) core::bool_set_raw(v, static_cast<std::int64_t>(i), args[i].truthy());
  return v;
}
DATA_MAKES(make_symbol, "make-symbol", 1, 1, "Return a new uninterned symbol named NAME.")(Context& cx, Value name) {
  if (!name.is_string()) return wrong_type(cx, Qstringp, name);
  return make_symbol(cx, name);
}

// Byte-code objects: arglist, code, constants, depth, then docstring and interactive spec.
DATA_MAKES(make_byte_code, "make-byte-code", 4, kMany,
           "Return a byte-code function of ARGLIST, BYTE-CODE, CONSTANTS, DEPTH and more.")
(Context& cx, Arguments args) {
  const bool arglist = args[0].is_fixnum() || args[0].is_list() || is_vector(args[0]);
  const bool code =
      (args[1].is_string() && !string_multibyte(args[1])) && is_vector(args[2]) && args[3].is_natnum_fixnum();
  if (!arglist || !code) return error_text(cx, "Invalid byte-code object");
  const auto n = static_cast<std::int64_t>(args.size());
  const Value f = TRY(make_slots(cx, ObjectKind::kByteCode, n, kNil));
  for (std::int64_t i = 0; i < n; ++i) set_slot_raw(f, i, args[static_cast<std::size_t>(i)]);
  return f;
}
DATA_MAKES(make_closure, "make-closure", 1, kMany,
           "Return a copy of the byte-code function PROTOTYPE whose first constants are CLOSURE-VARS.")
(Context& cx, Arguments args) {
  const Value prototype = args[0];
  if (!is_byte_code(prototype)) return wrong_type(cx, Qbyte_code_function_p, prototype);
  const Value old_constants = slot_raw(prototype, 2);
  if (!is_vector(old_constants)) return wrong_type(cx, Qvectorp, old_constants);
  const std::int64_t captured = static_cast<std::int64_t>(args.size()) - 1;
  const std::int64_t count = slot_count_raw(old_constants);
  if (captured > count) return error_text(cx, "Closure vars do not fit in constvec");
  const Value constants = TRY(make_vector(cx, count, kNil));
  for (std::int64_t i = 0; i < count; ++i)
    set_slot_raw(constants, i, i < captured ? args[static_cast<std::size_t>(i) + 1] : slot_raw(old_constants, i));
  const std::int64_t n = slot_count_raw(prototype);
  const Value f = TRY(make_slots(cx, ObjectKind::kByteCode, n, kNil));
  for (std::int64_t i = 0; i < n; ++i) set_slot_raw(f, i, i == 2 ? constants : slot_raw(prototype, i));
  share_function_state(cx, prototype, f);
  return f;
}
DATA_MAKES(make_finalizer, "make-finalizer", 1, 1, "Return an object after whose death FUNCTION is called.")
(Context& cx, Value function) { return make_slots(cx, ObjectKind::kFinalizer, 1, function); }

DATA_LOOKS(purecopy, "purecopy", 1, 1, "Return OBJECT itself: there is no pure storage.")(Context&, Value v) {
  return v;
}
DATA_LOOKS(suspicious_object, "suspicious-object", 1, 1, "Return OBJ; a hook for debuggers of the machine.")
(Context&, Value v) { return v; }

}  // namespace neovm::elisp
