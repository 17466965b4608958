// A context that stops at safepoints and in parking primitives, and goes on on other threads.
#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "neovm/abi/api.hpp"
#include "neovm/core/context.hpp"
#include "neovm/elisp/elisp.hpp"
#include "neovm/host/host.hpp"

namespace {

using namespace neovm;

Value wait_here(Context& cx, Value question) {
  if (!cx.may_suspend()) return signal_error1(cx, Qerror, question);
  return park(cx);
}
constexpr PrimitiveDescriptor kWait =
    make_descriptor("suspend-test-wait", 1, 1, Affinity::kWorkerSafe, Effect::kStateRead, GcEffect::kMayGc,
                    Reentry::kNoReentry, Determinism::kDeterministic, "Wait for the test's answer.", &wait_here);

Value end_slice(Context& cx) {
  cx.fuel = 1000;
  return cx.may_suspend() ? kSuspended : kNil;
}

// Forms and stack byte-code only; register code of byte-code; of interpreted functions and forms, too.
const elisp::TierOptions kTiers[] = {{.enabled = false},
                                     {.enabled = true, .threshold = 1, .source = false},
                                     {.enabled = true, .threshold = 1, .source = true, .source_threshold = 1}};

class SuspendThreads : public ::testing::Test {
 protected:
  static IsolateOptions options() {
    IsolateOptions o;
    o.building = true;
    return o;
  }
  SuspendThreads() : isolate_(options()), cx_(isolate_) {
    elisp::attach(cx_);
    neomacs::host::attach(cx_);
    auto* subr = reinterpret_cast<SubrObject*>(cx_.heap().allocate(ObjectKind::kSubr, sizeof(SubrObject)));
    subr->descriptor = &kWait;
    store(&cx_.cells(intern(cx_, kWait.name)).function, Value::pointer(subr, Tag::kObject));
  }
  Value read(const std::string& text) {
    const Value result = funcall_re(cx_, Qread_from_string, {make_string(cx_, text)});
    EXPECT_FALSE(result.is_exit());
    return car_raw(result);
  }
  std::string print(Value v) {
    if (v == kSuspended) return "suspended";
    if (v.is_exit()) return "exit";
    return to_std_string(funcall_re(cx_, Qprin1_to_string, {v}));
  }
  // Runs `step` on a thread of its own, with that thread's native stack.
  template <class Step>
  Value elsewhere(Step step) {
    Value v = kNil;
    std::thread([&] {
      auto* const here = static_cast<char*>(__builtin_frame_address(0));
      cx_.native_stack_base = here;
      cx_.native_stack_limit = here - (std::size_t{1} << 20);
      v = step();
    }).join();
    return v;
  }
  // (FUNCTION) from start to end, one slice a thread. Returns how often it was suspended.
  int run_in_slices(const std::string& function, std::string* result) {
    cx_.fuel = 1000;
    cx_.on_slice_end = end_slice;
    const Value f = read(function);
    Value v = elsewhere([&] { return isolate_.guest_hooks().start(cx_, f, {}); });
    int suspended = 0;
    for (; v == kSuspended && suspended < 100000; ++suspended)
      v = elsewhere([&] { return isolate_.guest_hooks().resume(cx_, kNil); });
    cx_.on_slice_end = nullptr;
    *result = print(v);
    return suspended;
  }
  Isolate isolate_;
  Context cx_;
};

class SuspendInTier : public SuspendThreads, public ::testing::WithParamInterface<int> {
 protected:
  SuspendInTier() { elisp::configure_tiers(cx_, kTiers[GetParam()]); }
};
INSTANTIATE_TEST_SUITE_P(Tiers, SuspendInTier, ::testing::Values(0, 1, 2));

TEST_P(SuspendInTier, LoopsGoOnOnOtherThreads) {
  std::string result;
  EXPECT_GT(run_in_slices("(closure (t) () (let ((i 0) (l nil)) (while (< i 30000) (setq l (list i l) i (1+ i))) i))",
                          &result),
            20);
  EXPECT_EQ(result, "30000");
}

TEST_P(SuspendInTier, EveryKindOfSafepoint) {
  std::string result;
  EXPECT_GT(
      run_in_slices(
          "(closure (t) () (let ((h (make-hash-table)) (n 0)) (put 'f 'n 0)"
          "  (mapc #'(lambda (i) (puthash i i h)) (make-list 9 1)) (mapc #'(lambda (i) (puthash i 1 h)) '(1 2 3))"
          "  (let ((i 0)) (while (< i 900) (setq n (+ n (apply #'+ (mapcar #'(lambda (x) (1+ x)) '(1 2 3 4)))"
          "     (car (sort (list 5 3 8 1) #'(lambda (a b) (< a b)))) (length (mapconcat #'identity '(\"a\" \"b\") \"-\")))"
          "     i (1+ i)) (maphash #'(lambda (k v) (setq n (+ n v))) h)"
          "     (let ((hook (list #'(lambda () (setq n (1+ n)))))) (set 'suspend-hook hook) (run-hooks 'suspend-hook)))"
          "  n)))",
          &result),
      10);
  EXPECT_EQ(result, std::to_string(900 * (14 + 1 + 3 + 3 + 1)));
}

TEST_F(SuspendThreads, RegisterCode) {
  // (lambda (n) (let ((r nil)) (while (> n 0) (setq r (cons n r)) (setq n (1- n))) r)), then calls of (lambda (x) (1+ x)).
  std::string result;
  EXPECT_GT(
      run_in_slices("(closure (t) () (apply #'+ (mapcar #[257 \"\\211T\\207\" [] 3] (funcall #[257 "
                    "\"\\300\\1\\301V\\203\\23\\0\\1\\1B\\262\\1\\1S\\262\\2\\202\\1\\0\\207\" [nil 0] 4] 20000))))",
                    &result),
      20);
  EXPECT_EQ(result, std::to_string(20000LL * 20001 / 2 + 20000));
  const Value translated = eval_form_re(cx_, read("(cdr (assq 'translated (neovm-tier-statistics)))"), Qt);
  EXPECT_EQ(print(translated), "2");
}

// The same work in each loop: forms, stack byte-code, register code. (sum of (1+ x) over 1..n, by mapcar and calls)
constexpr const char* kLoops[] = {
    "(closure (t) () (let ((n 3000) (r nil)) (while (> n 0) (setq r (cons n r)) (setq n (1- n)))"
    " (apply #'+ (mapcar #'(lambda (x) (1+ x)) r))))",
    "(closure (t) () (apply #'+ (mapcar #[257 \"\\211T\\207\" [] 3] (funcall #[257 "
    "\"\\300\\1\\301V\\203\\23\\0\\1\\1B\\262\\1\\1S\\262\\2\\202\\1\\0\\207\" [nil 0] 4] 3000))))"};
const std::string kLoopSum = std::to_string(3000LL * 3001 / 2 + 3000);

TEST_F(SuspendThreads, EveryLoop) {
  for (const elisp::TierOptions& tiers : kTiers) {
    elisp::configure_tiers(cx_, tiers);
    for (const char* loop : kLoops) {
      std::string result;
      EXPECT_GT(run_in_slices(loop, &result), 3) << loop;
      EXPECT_EQ(result, kLoopSum) << loop;
    }
  }
}

// Under a primitive that re-enters, frames of the thread that runs now are scanned, and its stack is what limits recursion.
TEST_P(SuspendInTier, NativeStackOfTheThreadThatResumes) {
  const Value f = read(
      "(closure (t) () (suspend-test-wait 1)"
      "  (let ((h (make-hash-table)) (i 0) (seen nil)) (while (< i 30) (puthash i (list i) h) (setq i (1+ i)))"
      "    (maphash #'(lambda (k v) (garbage-collect) (setq seen (cons (+ k (car v)) seen))) h)"
      "    (list (apply #'+ seen)"
      "          (condition-case e"
      "              (let ((d nil) (n 0)) (while (< n 200000) (setq d (vector d) n (1+ n))) (prin1-to-string d))"
      "            (error (car e))))))");
  EXPECT_EQ(isolate_.guest_hooks().start(cx_, f, {}), kSuspended);
  const void* const before = cx_.native_stack_limit;
  const Value v = elsewhere([&] { return isolate_.guest_hooks().resume(cx_, kNil); });
  EXPECT_NE(cx_.native_stack_limit, before);
  EXPECT_EQ(print(v), "(870 error)");
}

// Several worlds on a few threads: each thread takes whichever context waits, gives it its own stack and one slice.
TEST(SuspendThreadsTogether, ContextsChangeHandsWhileOthersRun) {
  struct World {
    Isolate isolate{[] {
      IsolateOptions o;
      o.building = true;
      return o;
    }()};
    Context cx{isolate};
    std::string result;
    int slices = 0;
    int loop = 0;
  };
  std::vector<std::unique_ptr<World>> worlds;
  std::mutex lock;
  std::deque<World*> waiting;
  for (int i = 0; i < 6; ++i) {
    auto w = std::make_unique<World>();
    elisp::attach(w->cx);
    neomacs::host::attach(w->cx);
    elisp::configure_tiers(w->cx, kTiers[i % 3]);
    w->loop = i % 2;
    w->cx.fuel = 1000;
    w->cx.on_slice_end = end_slice;
    waiting.push_back(w.get());
    worlds.push_back(std::move(w));
  }
  const auto run = [&] {
    for (;;) {
      World* w = nullptr;
      {
        const std::lock_guard<std::mutex> held(lock);
        if (waiting.empty()) return;
        w = waiting.front();
        waiting.pop_front();
      }
      Context& cx = w->cx;
      auto* const here = static_cast<char*>(__builtin_frame_address(0));
      cx.native_stack_base = here;
      cx.native_stack_limit = here - (std::size_t{1} << 20);
      Value v = kNil;
      if (w->slices++ == 0) {
        const Value text = make_string(cx, kLoops[w->loop]);
        const Value f = car_raw(funcall_re(cx, Qread_from_string, {text}));
        v = w->isolate.guest_hooks().start(cx, f, {});
      } else {
        v = w->isolate.guest_hooks().resume(cx, kNil);
      }
      if (v == kSuspended) {
        const std::lock_guard<std::mutex> held(lock);
        waiting.push_back(w);
      } else {
        cx.on_slice_end = nullptr;
        w->result = v.is_exit() ? "exit" : to_std_string(funcall_re(cx, Qprin1_to_string, {v}));
      }
    }
  };
  std::vector<std::thread> threads;
  threads.reserve(3);
  for (int i = 0; i < 3; ++i) threads.emplace_back(run);
  for (std::thread& t : threads) t.join();
  run();  // what a thread put back while the others had left
  for (const auto& w : worlds) {
    EXPECT_EQ(w->result, kLoopSum);
    EXPECT_GT(w->slices, 3);
  }
}

TEST_F(SuspendThreads, ParkedPrimitiveGetsItsValue) {
  const Value f = read(
      "(closure (t) (x) (condition-case e (list (suspend-test-wait x) (suspend-test-wait 2) x) "
      "(quit (cons 'caught e))))");
  const Value arg = Value::fixnum(7);
  EXPECT_EQ(isolate_.guest_hooks().start(cx_, f, {&arg, 1}), kSuspended);
  EXPECT_EQ(elsewhere([&] { return isolate_.guest_hooks().resume(cx_, Value::fixnum(40)); }), kSuspended);
  EXPECT_EQ(print(elsewhere([&] { return isolate_.guest_hooks().resume(cx_, Value::fixnum(41)); })), "(40 41 7)");
  // An error instead of a value is raised where the primitive waits.
  EXPECT_EQ(isolate_.guest_hooks().start(cx_, f, {&arg, 1}), kSuspended);
  (void)signal_error0(cx_, Qquit);
  EXPECT_EQ(print(isolate_.guest_hooks().resume(cx_, kExit)), "(caught quit)");
  EXPECT_EQ(cx_.sp, cx_.stack_base);
  EXPECT_EQ(cx_.eval_depth, 0);
}

// A context that is told to end does so, even where a clean-up fails inside of a handler in a loop.
TEST_F(SuspendThreads, EndsThoughCleanUpsFail) {
  cx_.fuel = 1000;
  cx_.on_slice_end = [](Context& cx) -> Value {
    cx.fuel = 1000;
    cx.exit_kind = ExitKind::kKill;
    cx.exit_tag = cx.exit_data = kNil;
    cx.exit_resolved = false;
    return kExit;
  };
  const Value f = read(
      "(closure (t) () (while t (condition-case nil (unwind-protect (while t (setq suspend-ran t)) (car 1)) (error nil))))");
  EXPECT_TRUE(isolate_.guest_hooks().start(cx_, f, {}).is_exit());
  EXPECT_EQ(cx_.exit_kind, ExitKind::kKill);
  cx_.exit_kind = ExitKind::kNone;
  cx_.on_slice_end = nullptr;
  EXPECT_TRUE(cx_.bindings.empty());
  EXPECT_TRUE(cx_.handlers.empty());
  EXPECT_EQ(cx_.sp, cx_.stack_base);
}

TEST_F(SuspendThreads, NotUnderNativeFrames) {
  // `eval_form_re` is no start: the primitive must see that it may not park.
  const Value v = eval_form_re(cx_, read("(condition-case e (suspend-test-wait 1) (error e))"), Qt);
  EXPECT_EQ(print(v), "(error 1)");
}

}  // namespace
