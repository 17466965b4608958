#include "native_stack.hpp"

#include <cxxabi.h>
#include <sys/mman.h>

#include <boost/context/detail/fcontext.hpp>
#include <cstring>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
extern "C" {
void* __tsan_get_current_fiber(void);
void* __tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void* fiber);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
}
#endif

namespace neovm::worker {

namespace context = boost::context::detail;

namespace {
constexpr std::size_t kPage = 4096;
// What the C++ runtime keeps per thread: the exceptions being handled and the number of uncaught ones.
constexpr std::size_t kExceptionState = 2 * sizeof(void*);
void swap_exceptions(void** mine) {
  void* other[2];
  void* const globals = abi::__cxa_get_globals();
  std::memcpy(other, globals, kExceptionState);
  std::memcpy(globals, mine, kExceptionState);
  std::memcpy(mine, other, kExceptionState);
}
}  // namespace

struct SwitchedEntry {
  static void entered(SwitchedStack* s) {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(s->fake_here_, &s->back_bottom_, &s->back_size_);
#else
    (void)s;
#endif
  }
  static void run(context::transfer_t t) {
    auto* const s = static_cast<SwitchedStack*>(t.data);
    s->back_ = t.fctx;
    entered(s);
    s->entry_(s->argument_);
    std::terminate();  // entries leave for good
  }
};

SwitchedStack::SwitchedStack(std::size_t bytes) {
  const std::size_t size = (bytes + kPage - 1) / kPage * kPage;
  void* const p = mmap(nullptr, size + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (p == MAP_FAILED) return;
  mprotect(p, kPage, PROT_NONE);
  base_ = p;
  mapped_ = size + kPage;
  bytes_ = size;
}

SwitchedStack::~SwitchedStack() {
#if defined(__SANITIZE_THREAD__)
  if (tsan_here_ != nullptr) __tsan_destroy_fiber(tsan_here_);
#endif
  if (base_ != nullptr) munmap(base_, mapped_);
}

void SwitchedStack::prepare(void (*entry)(void*), void* argument) {
  entry_ = entry;
  argument_ = argument;
  exceptions_[0] = exceptions_[1] = nullptr;
  fake_here_ = nullptr;
  context_ = context::make_fcontext(static_cast<std::byte*>(base_) + mapped_, bytes_, SwitchedEntry::run);
#if defined(__SANITIZE_THREAD__)
  if (tsan_here_ == nullptr) tsan_here_ = __tsan_create_fiber(0);
#endif
}

void SwitchedStack::enter() {
  swap_exceptions(exceptions_);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&fake_back_, static_cast<std::byte*>(base_) + kPage, bytes_);
#endif
#if defined(__SANITIZE_THREAD__)
  tsan_back_ = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(tsan_here_, 0);
#endif
  const context::transfer_t t = context::jump_fcontext(context_, this);
  context_ = t.fctx;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fake_back_, nullptr, nullptr);
#endif
  swap_exceptions(exceptions_);
}

void SwitchedStack::leave() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&fake_here_, back_bottom_, back_size_);
#endif
#if defined(__SANITIZE_THREAD__)
  __tsan_switch_to_fiber(tsan_back_, 0);
#endif
  const context::transfer_t t = context::jump_fcontext(back_, this);
  back_ = t.fctx;
  SwitchedEntry::entered(this);
}

void SwitchedStack::leave_for_good() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(nullptr, back_bottom_, back_size_);
#endif
#if defined(__SANITIZE_THREAD__)
  __tsan_switch_to_fiber(tsan_back_, 0);
#endif
  context::jump_fcontext(back_, this);
  __builtin_unreachable();
}

// ---- tasks on native stacks --------------------------------------------------------------------------------------------

struct NativeStacks {
  static void body(void* p) {
    auto* const n = static_cast<NativeStack*>(p);
    {
      NativeCall& call = *n->call;
      try {
        call.call_(call.argument_);
      } catch (...) {
        call.error_ = std::current_exception();
      }
    }
    n->ended = true;
    n->stack.leave_for_good();
  }

  // Runs until it parks or ends. True: ended, and the stack is back in its worker's pool.
  static bool go(NativeStack* n) {
    WorkerState* const w = current_worker();
    NativeStack* const outer = std::exchange(w->native_current, n);
    n->stack.enter();
    w->native_current = outer;
    if (!n->ended) return false;
    w->native_free.push_back(n);
    return true;
  }

  static void run(TaskHeader* t) {
    NativeStack* const n = t->extra->native;
    if (!go(n)) return;
    t->extra->native = nullptr;
    t->native_pin = -1;
    t->run = n->resume;
    resume_frames(n->point.address());
  }
};

bool NativeCall::enter(TaskHeader& task, std::coroutine_handle<> point) {
  WorkerState* const w = current_worker();
  TaskExtra* const extra = extra_of(&task);
  NativeStack* n = nullptr;
  if (extra != nullptr) {
    if (!w->native_free.empty()) {
      n = w->native_free.back();
      w->native_free.pop_back();
    } else {
      n = new (std::nothrow) NativeStack(task.runtime->config.native_stack_bytes);
      if (n != nullptr && n->stack.bytes() == 0) {
        delete n;
        n = nullptr;
      }
    }
  }
  if (n == nullptr) {
    error_ = std::make_exception_ptr(std::bad_alloc());
    return false;
  }
  n->call = this;
  n->task = &task;
  n->point = point;
  n->ended = false;
  n->resume = task.run;
  n->stack.prepare(NativeStacks::body, n);
  // Before the first switch: a wake-up may come as soon as the call below parks.
  extra->native = n;
  task.native_pin = static_cast<std::int16_t>(w->index);
  task.resume_point = point.address();
  task.run = NativeStacks::run;
  if (!NativeStacks::go(n)) return true;
  extra->native = nullptr;
  task.native_pin = -1;
  task.run = n->resume;
  return false;
}

void NativeCall::await_resume() {
  if (error_) std::rethrow_exception(error_);
}

namespace detail {

OutsideWait::OutsideWait() {
  static_assert(sizeof(ThreadWaiter) <= sizeof(waiter_) && alignof(ThreadWaiter) <= 8);
  static_assert(std::is_trivially_destructible_v<ThreadWaiter>);
  new (waiter_) ThreadWaiter;
}

// The waiter is the task whose native stack this is, or this thread.
Status OutsideWait::park(bool (*begin)(void* op, WaitCell& cell), void* op) {
  WorkerState* const w = current_worker();
  if (w != nullptr && w->native_current != nullptr) {
    NativeStack* const n = w->native_current;
    if (!begin(op, *n->task)) n->stack.leave();
    return Status::kOk;
  }
  if (w != nullptr) return Status::kWouldBlock;
  ThreadWaiter& waiter = *std::launder(reinterpret_cast<ThreadWaiter*>(waiter_));
  if (begin(op, waiter)) return Status::kOk;
  for (;;) {
    if (waiter.word.load(std::memory_order_acquire) != 0) return Status::kOk;
    if (waiter.deadline == kNever) {
      futex_wait(waiter.word, 0);
      continue;
    }
    const Instant t = now();
    if (t < waiter.deadline) {
      futex_wait(waiter.word, 0, std::chrono::nanoseconds(waiter.deadline - t));
      continue;
    }
    if (claim(waiter, Status::kTimeout, 0)) return Status::kOk;
    waiter.deadline = kNever;  // somebody was first: the wake-up is on its way
  }
}

}  // namespace detail
}  // namespace neovm::worker
