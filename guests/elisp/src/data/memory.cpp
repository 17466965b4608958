// garbage-collect and the counters of allocation (alloc.c of GNU).
#include <sys/sysinfo.h>

#include <cstdlib>

#include "neovm/core/context.hpp"
#include "neovm/core/heap.hpp"
#include "rows.hpp"

namespace neovm::elisp {

// clang-format off
NEOVM_VARIABLE(gc_cons_threshold, "gc-cons-threshold", kGlobalVar, kInt, Value::fixnum(800000), "Bytes between collections in Emacs; here the heap decides by itself.")
NEOVM_VARIABLE(gc_cons_percentage, "gc-cons-percentage", kGlobalVar, kAny, 0.1, "Part of the heap between collections in Emacs; here the heap decides by itself.")
NEOVM_VARIABLE(pure_bytes_used, "pure-bytes-used", kGlobalVar, kInt, Value::fixnum(0), "Bytes of pure storage; there is none.")
NEOVM_VARIABLE(cons_cells_consed, "cons-cells-consed", kGlobalVar, kInt, Value::fixnum(0), "Number of conses allocated, as of the last garbage-collect.")
NEOVM_VARIABLE(floats_consed, "floats-consed", kGlobalVar, kInt, Value::fixnum(0), "Number of floats allocated.")
NEOVM_VARIABLE(vector_cells_consed, "vector-cells-consed", kGlobalVar, kInt, Value::fixnum(0), "Number of vector cells allocated.")
NEOVM_VARIABLE(symbols_consed, "symbols-consed", kGlobalVar, kInt, Value::fixnum(0), "Number of symbols allocated.")
NEOVM_VARIABLE(string_chars_consed, "string-chars-consed", kGlobalVar, kInt, Value::fixnum(0), "Number of string characters allocated.")
NEOVM_VARIABLE(intervals_consed, "intervals-consed", kGlobalVar, kInt, Value::fixnum(0), "Number of intervals allocated.")
NEOVM_VARIABLE(strings_consed, "strings-consed", kGlobalVar, kInt, Value::fixnum(0), "Number of strings allocated.")
NEOVM_VARIABLE(purify_flag, "purify-flag", kGlobalVar, kAny, kInitNil, "Non-nil while an image is being built.")
NEOVM_VARIABLE(garbage_collection_messages, "garbage-collection-messages", kGlobalVar, kBool, kInitNil, "Non-nil says when garbage is collected.")
NEOVM_VARIABLE(post_gc_hook, "post-gc-hook", kGlobalVar, kAny, kInitNil, "Hook run after garbage-collect.")
NEOVM_VARIABLE(memory_signal_data, "memory-signal-data", kGlobalVar, kAny, InitialValue([](Context& cx) {
  return list(cx, {Qerror, make_string(cx, "Memory exhausted--use M-x save-some-buffers then exit and restart Emacs")}); }), "Error of a request that memory cannot hold.")
NEOVM_VARIABLE(memory_full_variable, "memory-full", kGlobalVar, kAny, kInitNil, "Non-nil when memory is short.")
NEOVM_VARIABLE(gc_elapsed, "gc-elapsed", kGlobalVar, kAny, 0.0, "Seconds spent collecting.")
NEOVM_VARIABLE(gcs_done, "gcs-done", kGlobalVar, kInt, Value::fixnum(0), "Number of collections.")
// clang-format on

namespace {

Value count_of(const core::HeapStatistics& s, std::initializer_list<ObjectKind> kinds) {
  std::uint64_t n = 0;
  for (const ObjectKind k : kinds) n += s.live_count[static_cast<int>(k)];
  return Value::fixnum(static_cast<std::int64_t>(n));
}

}  // namespace

NEOVM_COMMAND(garbage_collect, "garbage-collect", 0, 0, kWorkerSafe, kStateWrite, kMayGc, kReenters, kNondeterministic, "",
              "Collect garbage; return a list of (KIND BYTES USED FREE) for the kinds of objects.")
(Context& cx) {
  // A collection needs a safepoint, which a nested call has: the frames below are scanned conservatively.
  ++cx.native_depth;
  cx.heap().collect(core::CollectKind::kMajor, __builtin_frame_address(0));
  --cx.native_depth;
  const core::HeapStatistics s = core::heap_statistics(cx.heap());
  TRY(set_variable_re(cx, Qgcs_done, Value::fixnum(static_cast<std::int64_t>(s.major_collections + s.minor_collections))));
  TRY(set_variable_re(cx, Qgc_elapsed, make_float(cx, static_cast<double>(s.pause_total_ns) / 1e9)));
  TRY(set_variable_re(cx, Qcons_cells_consed, Value::fixnum(static_cast<std::int64_t>(s.conses_allocated))));
  TRY(run_hook_re(cx, Qpost_gc_hook));
  const auto bytes = [&](ObjectKind k) { return Value::fixnum(static_cast<std::int64_t>(s.live_kind_bytes[static_cast<int>(k)])); };
  const Value zero = Value::fixnum(0);
  const Value vectors = count_of(s, {ObjectKind::kVector, ObjectKind::kRecord, ObjectKind::kByteCode, ObjectKind::kCharTable,
                                     ObjectKind::kSubCharTable, ObjectKind::kHashTable, ObjectKind::kBoolVector, ObjectKind::kBignum});
  return list(cx, {list(cx, {Qconses, Value::fixnum(16), Value::fixnum(static_cast<std::int64_t>(s.live_conses)), zero}),
                   list(cx, {Qsymbols, Value::fixnum(sizeof(SymbolCells)), Value::fixnum(static_cast<std::int64_t>(cx.isolate().symbol_count())), zero}),
                   list(cx, {Qstrings, Value::fixnum(sizeof(StringObject)), count_of(s, {ObjectKind::kString}), zero}),
                   list(cx, {Qstring_bytes, Value::fixnum(1), bytes(ObjectKind::kRawBytes)}),
                   list(cx, {Qvectors, Value::fixnum(16), vectors}),
                   list(cx, {Qvector_slots, Value::fixnum(8), Value::fixnum(bytes(ObjectKind::kVector).as_fixnum() / 8), zero}),
                   list(cx, {Qfloats, Value::fixnum(sizeof(FloatObject)), count_of(s, {ObjectKind::kFloat}), zero}),
                   list(cx, {Qintervals, Value::fixnum(56), zero, zero}),
                   list(cx, {Qbuffers, Value::fixnum(992), count_of(s, {ObjectKind::kHost})})});
}
DATA_VARIES(garbage_collect_maybe, "garbage-collect-maybe", 1, 1, "Collect garbage soon if much was allocated; FACTOR is of no matter here.")
(Context& cx, Value factor) {
  if (!factor.is_natnum_fixnum()) return wrong_type(cx, Qwholenump, factor);
  return kNil;
}
DATA_VARIES(memory_use_counts, "memory-use-counts", 0, 0, "Return counts of what was allocated: conses, floats, vector cells, symbols, string characters, intervals, strings.")
(Context& cx) {
  const core::HeapStatistics s = core::heap_statistics(cx.heap());
  const auto number = [](std::uint64_t n) { return Value::fixnum(static_cast<std::int64_t>(n)); };
  const auto live = [&](ObjectKind k) { return number(s.live_count[static_cast<int>(k)]); };
  return list(cx, {number(s.conses_allocated), live(ObjectKind::kFloat), number(s.objects_allocated),
                   number(cx.isolate().symbol_count()), number(s.bytes_allocated), Value::fixnum(0), live(ObjectKind::kString)});
}
DATA_VARIES(memory_info, "memory-info", 0, 0, "Return (TOTAL-RAM FREE-RAM TOTAL-SWAP FREE-SWAP) of the machine in KiB.")(Context& cx) {
  struct sysinfo info;
  if (sysinfo(&info) != 0) return kNil;
  const auto kib = [&](unsigned long n) { return Value::fixnum(static_cast<std::int64_t>(n * info.mem_unit / 1024)); };
  return list(cx, {kib(info.totalram), kib(info.freeram), kib(info.totalswap), kib(info.freeswap)});
}
DATA_VARIES(load_average, "load-average", 0, 1, "Return the load averages of 1, 5 and 15 minutes, as integers times 100 or as floats.")
(Context& cx, Value use_floats) {
  double loads[3];
  const int n = getloadavg(loads, 3);
  if (n < 0) return error_text(cx, "load-average not implemented for this operating system");
  Value result = kNil;
  for (int i = n; i-- > 0;)
    result = cons(cx, use_floats.truthy() ? make_float(cx, loads[i]) : Value::fixnum(static_cast<std::int64_t>(loads[i] * 100)), result);
  return result;
}

}  // namespace neovm::elisp
