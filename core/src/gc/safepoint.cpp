// Where the VM lets the collector in.
#include "gc/heap_state.hpp"
#include "neovm/abi/api.hpp"
#include "neovm/core/context.hpp"

namespace neovm {

namespace {

// Callee-saved registers are spilled into this frame, which lies below everything that is scanned.
[[gnu::noinline]] void collect_with_registers(core::Heap& heap, core::CollectKind kind) {
  __builtin_unwind_init();
  heap.collect(kind, __builtin_frame_address(0));
}

void after_collection(Context& cx) {
  if (cx.heap().take_memory_full()) cx.interrupt(kInterruptMemoryFull);
}

}  // namespace

void safepoint_re(Context& cx) {
  core::Heap& heap = cx.heap();
  if (!heap.gc_requested()) return;
  core::CollectKind kind = heap.major_due() ? core::CollectKind::kMajor : core::CollectKind::kMinor;
  core::HeapState& s = heap.state();
  if (s.options.stress) {
    ++s.stress_count;
    const unsigned every = s.options.stress_every == 0 ? 1 : s.options.stress_every;
    if (s.stress_count % every != 0) return;
    if (s.stress_count / every % s.options.stress_major_every == 0) kind = core::CollectKind::kMajor;
  }
  heap.collect(kind, cx.native_scan_from);
  after_collection(cx);
}

void collect_now_re(Context& cx, core::CollectKind kind) {
  collect_with_registers(cx.heap(), kind);
  after_collection(cx);
}

ExitTag signal_memory_full(Context& cx) {
  // The variable was made while there was memory; GNU's library words it anew at start.
  const Value data = cx.cells(Qmemory_signal_data).value;
  if (data.is_cons()) return signal_error(cx, car_raw(data), cdr_raw(data));
  return error_text(cx, "Memory exhausted--use M-x save-some-buffers then exit and restart Emacs");
}

}  // namespace neovm
