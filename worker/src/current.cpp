// The one thread_local of the runtime: which worker this thread is. Everything else is reached from there.
//
// The accessors are out of line on purpose: a coroutine may go on on another thread after a suspension, and an
// inlined access could keep the address of the first thread's variable across it.
#include "core.hpp"

namespace neovm::worker {

namespace {
__attribute__((tls_model("initial-exec"))) thread_local WorkerState* t_worker = nullptr;
}  // namespace

__attribute__((noinline)) WorkerState* current_worker() { return t_worker; }
__attribute__((noinline)) void set_current_worker(WorkerState* w) { t_worker = w; }

}  // namespace neovm::worker
