// garbage-collect and the counters of storage (alloc.c of GNU).
//
// The counters of objects are estimates: nurseries are not walked, one block of each collection stands for the rest.
// Conses are counted exactly. Nothing is counted between collections.
#include "memory/garbage.hpp"

#include <sys/sysinfo.h>

#include "neovm/core/context.hpp"

namespace neovm::elisp {

namespace {

Value memory_signal_data(Context& cx) {
  return list(cx, {Qerror, make_string(cx, "Memory exhausted--use M-x save-some-buffers then exit and restart Emacs")});
}

std::uint64_t at(const std::uint64_t (&by_kind)[static_cast<int>(ObjectKind::kCount)], ObjectKind k) {
  return by_kind[static_cast<int>(k)];
}

constexpr ObjectKind kVectorKinds[] = {ObjectKind::kBignum,    ObjectKind::kBoolVector,   ObjectKind::kInternalSlots,
                                       ObjectKind::kVector,    ObjectKind::kRecord,       ObjectKind::kByteCode,
                                       ObjectKind::kCharTable, ObjectKind::kSubCharTable, ObjectKind::kHashTable,
                                       ObjectKind::kFinalizer, ObjectKind::kHost,         ObjectKind::kArrayList};

std::uint64_t sum(const std::uint64_t (&by_kind)[static_cast<int>(ObjectKind::kCount)]) {
  std::uint64_t total = 0;
  for (const ObjectKind k : kVectorKinds) total += at(by_kind, k);
  return total;
}

struct Counters {
  std::uint64_t conses, floats, vector_cells, symbols, string_chars, strings;
};

Counters counters(const core::HeapStatistics& s) {
  return {s.conses_allocated,
          at(s.allocated_count, ObjectKind::kFloat),
          sum(s.allocated_kind_bytes) / sizeof(Value),
          at(s.allocated_count, ObjectKind::kSymbol),
          at(s.allocated_kind_bytes, ObjectKind::kRawBytes),
          at(s.allocated_count, ObjectKind::kString)};
}

Value number(std::uint64_t n) { return Value::fixnum(static_cast<std::int64_t>(n)); }

void set(Context& cx, Value symbol, Value v) { store(&cx.cells(symbol).value, v); }

void update_counters(Context& cx) {
  const core::HeapStatistics s = core::heap_statistics(cx.heap());
  const Counters c = counters(s);
  set(cx, Qcons_cells_consed, number(c.conses));
  set(cx, Qfloats_consed, number(c.floats));
  set(cx, Qvector_cells_consed, number(c.vector_cells));
  set(cx, Qsymbols_consed, number(c.symbols));
  set(cx, Qstring_chars_consed, number(c.string_chars));
  set(cx, Qstrings_consed, number(c.strings));
  note_collection(cx);
}

Value call_finalizer(Context& cx, void* function) {
  return funcall_re(cx, *static_cast<Value*>(function), std::span<const Value>());
}
Value run_post_gc_hook(Context& cx, void*) { return run_hook_re(cx, Qpost_gc_hook); }

}  // namespace

void note_collection(Context& cx) {
  const core::Heap::Totals t = cx.heap().totals();
  set(cx, Qgcs_done, number(t.collections));
  set(cx, Qgc_elapsed, make_float(cx, t.seconds));
}

void run_after_collection_re(Context& cx) {
  update_counters(cx);
  // Finalizers run with quitting inhibited and outside of any other run of this function.
  if (cx.cells(Qinhibit_quit).value == Qpost_gc_hook) return;
  const std::size_t depth = binding_depth(cx);
  if (bind_variable_re(cx, Qinhibit_quit, Qpost_gc_hook).is_exit()) return;
  Value error = kNil;
  for (Value f = cx.heap().take_ready_finalizer(); !f.is_unbound(); f = cx.heap().take_ready_finalizer())
    (void)call_catching_errors_re(cx, Qt, call_finalizer, &f, &error);
  if (cx.cells(Qpost_gc_hook).value.truthy()) (void)call_catching_errors_re(cx, Qt, run_post_gc_hook, nullptr, &error);
  (void)unbind_to_re(cx, depth, kNil);
}

NEOVM_COMMAND(garbage_collect, "garbage-collect", 0, 0, kWorkerSafe, kStateWrite, kMayGc, kReenters, kNondeterministic,
              "", "Reclaim storage; return a list of (TYPE SIZE USED FREE) by type of object.")
(Context& cx) {
  collect_now_re(cx, core::CollectKind::kMajor);
  run_after_collection_re(cx);
  const core::HeapStatistics s = core::heap_statistics(cx.heap());
  const std::uint64_t live = s.live_bytes < s.held_bytes ? s.live_bytes : s.held_bytes;
  const auto row = [&cx](Value name, std::uint64_t size, std::uint64_t used) {
    return list(cx, {name, number(size), number(used), Value::fixnum(0)});
  };
  const auto symbols = at(s.live_count, ObjectKind::kSymbol) + cx.isolate().id_symbol_count();
  return list(
      cx, {row(Qconses, sizeof(Cons), s.live_conses), row(Qsymbols, sizeof(SymbolCells), symbols),
           row(Qstrings, sizeof(StringObject), at(s.live_count, ObjectKind::kString)),
           list(cx, {Qstring_bytes, Value::fixnum(1), number(at(s.live_kind_bytes, ObjectKind::kRawBytes))}),
           list(cx, {Qvectors, Value::fixnum(16), number(sum(s.live_count))}),
           row(Qvector_slots, sizeof(Value), sum(s.live_kind_bytes) / sizeof(Value)),
           row(Qfloats, sizeof(FloatObject), at(s.live_count, ObjectKind::kFloat)), row(Qintervals, 56, 0),
           list(cx, {Qbuffers, Value::fixnum(992), number(at(s.live_count, ObjectKind::kHost))}),
           list(cx, {Qheap, Value::fixnum(1024), number(s.held_bytes / 1024), number((s.held_bytes - live) / 1024)})});
}

NEOVM_PRIMITIVE(garbage_collect_maybe, "garbage-collect-maybe", 1, 1, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kNondeterministic,
                "Reclaim storage when 1/FACTOR of the way to the next collection is behind; t if so.")
(Context& cx, Value factor) {
  if (!factor.is_natnum_fixnum()) return wrong_type(cx, Qwholenump, factor);
  if (factor.as_fixnum() < 1 || !cx.heap().major_due_within(static_cast<std::uint64_t>(factor.as_fixnum())))
    return Qnil;
  collect_now_re(cx, core::CollectKind::kMajor);
  run_after_collection_re(cx);
  return Qt;
}

NEOVM_PRIMITIVE(memory_use_counts, "memory-use-counts", 0, 0, kWorkerSafe, kStateRead, kMayGc, kNoReentry,
                kNondeterministic,
                "Return how many conses, floats, vector cells, symbols, string chars, intervals and strings were made.")
(Context& cx) {
  update_counters(cx);
  const Counters c = counters(core::heap_statistics(cx.heap()));
  return list(cx, {number(c.conses), number(c.floats), number(c.vector_cells), number(c.symbols),
                   number(c.string_chars), Value::fixnum(0), number(c.strings)});
}

NEOVM_PRIMITIVE(memory_info, "memory-info", 0, 0, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return (TOTAL-RAM FREE-RAM TOTAL-SWAP FREE-SWAP) of the machine in KiB, or nil.")
(Context& cx) {
  struct sysinfo info {};
  if (sysinfo(&info) != 0) return Qnil;
  const auto kib = [&info](unsigned long n) { return number(std::uint64_t{n} * info.mem_unit / 1024); };
  return list(cx, {kib(info.totalram), kib(info.freeram), kib(info.totalswap), kib(info.freeswap)});
}

NEOVM_PRIMITIVE(neovm_gc_statistics, "neovm-gc-statistics", 0, 0, kWorkerSafe, kStateRead, kMayGc, kNoReentry,
                kNondeterministic, "Return an alist of what the collector did: counts, bytes, pauses in nanoseconds.")
(Context& cx) {
  const core::HeapStatistics s = core::heap_statistics(cx.heap());
  const std::pair<const char*, std::uint64_t> rows[] = {{"minor-collections", s.minor_collections},
                                                        {"major-collections", s.major_collections},
                                                        {"conses-allocated", s.conses_allocated},
                                                        {"bytes-allocated", s.bytes_allocated},
                                                        {"bytes-promoted", s.bytes_promoted},
                                                        {"objects-moved", s.objects_moved},
                                                        {"objects-pinned", s.objects_pinned},
                                                        {"live-bytes", s.live_bytes},
                                                        {"held-bytes", s.held_bytes},
                                                        {"external-bytes", s.external_bytes},
                                                        {"pause-total", s.pause_total_ns},
                                                        {"minor-pause-p50", s.minor_pause_p50_ns},
                                                        {"minor-pause-p99", s.minor_pause_p99_ns},
                                                        {"minor-pause-max", s.minor_pause_max_ns},
                                                        {"major-pause-p50", s.major_pause_p50_ns},
                                                        {"major-pause-max", s.major_pause_max_ns}};
  Value result = kNil;
  for (std::size_t i = std::size(rows); i-- > 0;)
    result = cons(cx, cons(cx, intern(cx, rows[i].first), number(rows[i].second)), result);
  return result;
}

// The counters are this process's, not those of the one that wrote the image.
NEOVM_INIT(storage_counters, kEveryStart)(Context& cx) { update_counters(cx); }

// ---- variables ----

NEOVM_VARIABLE(gc_cons_threshold, "gc-cons-threshold", kGlobalVar, kInt, Value::fixnum(800000),
               "Bytes of consing between collections. Accepted; the heap has a policy of its own.")
NEOVM_VARIABLE(gc_cons_percentage, "gc-cons-percentage", kGlobalVar, kAny, 0.1,
               "Portion of the heap between collections. Accepted; the heap has a policy of its own.")
NEOVM_VARIABLE(pure_bytes_used, "pure-bytes-used", kGlobalVar, kInt, Value::fixnum(0),
               "Bytes of pure storage: there is none.")
NEOVM_VARIABLE(cons_cells_consed, "cons-cells-consed", kGlobalVar, kInt, Value::fixnum(0), "Conses made so far.")
NEOVM_VARIABLE(floats_consed, "floats-consed", kGlobalVar, kInt, Value::fixnum(0), "Floats made so far.")
NEOVM_VARIABLE(vector_cells_consed, "vector-cells-consed", kGlobalVar, kInt, Value::fixnum(0),
               "Words of vectors made so far.")
NEOVM_VARIABLE(symbols_consed, "symbols-consed", kGlobalVar, kInt, Value::fixnum(0), "Symbols made so far.")
NEOVM_VARIABLE(string_chars_consed, "string-chars-consed", kGlobalVar, kInt, Value::fixnum(0),
               "Bytes of strings made so far.")
NEOVM_VARIABLE(intervals_consed, "intervals-consed", kGlobalVar, kInt, Value::fixnum(0), "Intervals made so far.")
NEOVM_VARIABLE(strings_consed, "strings-consed", kGlobalVar, kInt, Value::fixnum(0), "Strings made so far.")
NEOVM_VARIABLE(gcs_done, "gcs-done", kGlobalVar, kInt, Value::fixnum(0), "Collections so far, minor ones included.")
NEOVM_VARIABLE(gc_elapsed, "gc-elapsed", kGlobalVar, kAny, 0.0, "Seconds spent in collections so far.")
NEOVM_VARIABLE(garbage_collection_messages, "garbage-collection-messages", kGlobalVar, kBool, kInitNil,
               "Non-nil asks for messages around collections. Collections are too short to tell.")
NEOVM_VARIABLE(post_gc_hook, "post-gc-hook", kGlobalVar, kAny, kInitNil, "Hook run after a collection.")
NEOVM_VARIABLE(memory_signal_data_var, "memory-signal-data", kGlobalVar, kAny, &memory_signal_data,
               "Condition signaled when memory is exhausted, made while there is some.")
NEOVM_VARIABLE(memory_full, "memory-full", kGlobalVar, kAny, kInitNil, "Non-nil while memory is nearly exhausted.")
NEOVM_VARIABLE(purify_flag, "purify-flag", kGlobalVar, kAny, kInitNil, "Non-nil while pure storage is filled: never.")

}  // namespace neovm::elisp
