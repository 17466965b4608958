// What an isolate keeps about its functions: how large it may be, when it goes, what isolates share.
#include "eval/tiers.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "compile/code_store.hpp"
#include "compile/tier_report.hpp"
#include "eval/machine.hpp"
#include "neovm/abi/api.hpp"
#include "neovm/core/context.hpp"
#include "neovm/elisp/elisp.hpp"
#include "neovm/host/host.hpp"

namespace {

using namespace neovm;

// The budget: what a call, a site and a function cost in memory. A larger figure needs a reason.
TEST(LayoutBudget, Tiers) {
  EXPECT_EQ(sizeof(core::bytecode::Word), 4U);
  EXPECT_EQ(sizeof(elisp::Frame), 48U);
  EXPECT_EQ(sizeof(elisp::CallCache), 32U);
  EXPECT_EQ(sizeof(Binding), 40U);
  EXPECT_LE(sizeof(Handler), 56U);
  EXPECT_LE(sizeof(elisp::FunctionState), 168U);
  EXPECT_LE(sizeof(core::bytecode::Code), 136U);
}

class World {
 public:
  explicit World(const elisp::TierOptions& tiers) : isolate_(options()), cx_(isolate_) {
    elisp::configure_tiers(cx_, tiers);
    elisp::attach(cx_);
    neomacs::host::attach(cx_);
  }
  Value read(const std::string& text) {
    const Value result = funcall_re(cx_, Qread_from_string, {make_string(cx_, text)});
    EXPECT_FALSE(result.is_exit()) << text;
    return result.is_exit() ? kNil : car_raw(result);
  }
  std::string eval(const std::string& text) {
    const Value v = eval_form_re(cx_, read(text), Qt);
    EXPECT_FALSE(v.is_exit()) << text;
    if (v.is_exit()) {
      cx_.exit_kind = ExitKind::kNone;
      return "exit";
    }
    return to_std_string(funcall_re(cx_, Qprin1_to_string, {v}));
  }
  std::uint64_t figure(const std::string& name) {
    for (const elisp::TierFigure& f : elisp::tier_figures(cx_))
      if (f.name == name) return f.value;
    return 0;
  }
  const elisp::FunctionState& state(const char* function) {
    return *elisp::tiers_of(cx_).state(elisp::state_number(cx_.cells(intern(cx_, function)).function));
  }
  Context& context() { return cx_; }
  // A major collection from outside of Lisp: no frame has words that look like objects.
  void collect() { cx_.heap().collect(core::CollectKind::kMajor, nullptr); }

 private:
  static IsolateOptions options() {
    IsolateOptions o;
    o.building = true;
    o.heap.limit_bytes = std::size_t{256} << 20;
    return o;
  }
  Isolate isolate_;
  Context cx_;
};

constexpr const char* kMakeMany =
    "(let ((i 0) (sum 0)) (while (< i %) (setq sum (+ sum (funcall (make-byte-code 0 \"\\300\\207\" (vector 1) 2)))"
    " i (1+ i))) sum)";

std::string make_many(int n) {
  std::string form = kMakeMany;
  return form.replace(form.find('%'), 1, std::to_string(n));
}

TEST(FunctionStates, GoWithTheirFunctions) {
  World w({.enabled = true, .threshold = 1});
  w.eval("(fset 'kept #[0 \"\\300\\301 \\207\" [nil kept-callee] 2])");
  w.eval("(fset 'kept-callee #[0 \"\\300\\207\" [7] 2])");
  EXPECT_EQ(w.eval("(kept)"), "7");
  EXPECT_EQ(w.eval("(kept)"), "7");
  EXPECT_EQ(w.eval(make_many(3000)), "3000");
  EXPECT_GE(w.figure("translated"), 3000U);
  w.eval("(garbage-collect)");
  EXPECT_GE(w.figure("functions-freed"), 2900U);
  // What lives keeps its code, and its caches lead to what they led to.
  EXPECT_NE(w.state("kept").words, nullptr);
  EXPECT_EQ(w.eval("(kept)"), "7");
  // Closures of one prototype live on one state, the last of them as well as the first.
  w.eval("(setq closure (let ((made (make-closure #[0 \"\\300\\207\" [0] 2] 5))) (funcall made) made))");
  w.eval("(garbage-collect)");
  w.eval("(fset 'made closure)");
  EXPECT_NE(w.state("made").words, nullptr);
  EXPECT_EQ(w.eval("(made)"), "5");
}

// Numbers are 16 bits wide: a program that makes functions all the time must get them back.
TEST(FunctionStates, NumbersAreReused) {
  World w({.enabled = true, .threshold = 1});
  for (int i = 0; i < 14; ++i) {
    EXPECT_EQ(w.eval(make_many(5000)), "5000");
    w.eval("(garbage-collect)");
  }
  EXPECT_GT(w.figure("functions"), 65536U);
  const std::uint64_t before = w.figure("translated");
  w.eval("(fset 'late #[0 \"\\300\\207\" [3] 2])");
  EXPECT_EQ(w.eval("(late)"), "3");
  EXPECT_EQ(w.figure("translated"), before + 1);
}

// A function that is running, and nowhere else any more, keeps its state.
TEST(FunctionStates, RunningFunctionsStay) {
  World w({.enabled = true, .threshold = 1});
  // (once): (fmakunbound 'once) (garbage-collect) (callee)
  w.eval("(fset 'callee #[0 \"\\300\\207\" [9] 2])");
  w.eval("(fset 'once #[0 \"\\300\\301!\\210\\302 \\210\\303 \\207\" [fmakunbound once garbage-collect callee] 2])");
  EXPECT_EQ(w.eval("(once)"), "9");
  EXPECT_EQ(w.eval("(fboundp 'once)"), "nil");
}

constexpr const char* kShared =
    "(fset 'shared #[257 \"\\211\\300V\\203\\10\\0\\301\\207\\302\\207\" [10 large small] 3 nil])";

TEST(CodeStore, IsolatesRunTheSameCode) {
  const auto store = elisp::make_code_store();
  World one({.enabled = true, .threshold = 1, .store = store});
  World two({.enabled = true, .threshold = 1, .store = store});
  one.eval(kShared);
  // Other constants of the same types are the same code.
  two.eval("(fset 'shared #[257 \"\\211\\300V\\203\\10\\0\\301\\207\\302\\207\" [20 big little] 3 nil])");
  EXPECT_EQ(one.eval("(list (shared 11) (shared 9))"), "(large small)");
  EXPECT_EQ(two.eval("(list (shared 21) (shared 19))"), "(big little)");
  EXPECT_NE(one.state("shared").code, nullptr);
  EXPECT_EQ(one.state("shared").code, two.state("shared").code);
  EXPECT_NE(one.state("shared").own_words.get(), two.state("shared").own_words.get());
  EXPECT_GE(two.figure("shared"), 1U);
  // A number where another has a symbol may be compiled otherwise.
  two.eval("(fset 'other #[257 \"\\211\\300V\\203\\10\\0\\301\\207\\302\\207\" [mark big little] 3 nil])");
  two.eval("(condition-case nil (other 1) (error nil))");
  EXPECT_NE(one.state("shared").code, two.state("other").code);
}

TEST(CodeStore, ManyThreadsAtOnce) {
  const auto store = elisp::make_code_store();
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&store] {
      World w({.enabled = true, .threshold = 1, .store = store});
      w.eval(kShared);
      EXPECT_EQ(w.eval("(shared 11)"), "large");
      EXPECT_EQ(w.eval(make_many(300)), "300");
    });
  for (std::thread& t : threads) t.join();
  EXPECT_GE(store->size(), 2U);
}

// Sites tell what became of their calls.
TEST(CallSites, CountHitsAndMisses) {
  World w({.enabled = true, .count = true, .threshold = 1});
  w.eval("(fset 'callee #[0 \"\\300\\207\" [1] 2])");
  w.eval("(fset 'caller #[0 \"\\300 \\207\" [callee] 2])");
  w.eval("(let ((i 0)) (while (< i 1000) (caller) (setq i (1+ i))))");
  const auto sites = elisp::tier_sites(w.state("caller"));
  ASSERT_EQ(sites.size(), 1U);
  EXPECT_EQ(sites[0].function, "caller");
  EXPECT_EQ(sites[0].callee, "callee");
  EXPECT_EQ(sites[0].executed, 1000U);
  EXPECT_LE(sites[0].misses, 3U);
  EXPECT_EQ(core::bytecode::row(sites[0].op).name, "call_code");
  const std::uint64_t invalid = w.figure("invalidations");
  w.eval("(fset 'callee #[0 \"\\300\\207\" [2] 2])");
  EXPECT_EQ(w.eval("(caller)"), "2");
  EXPECT_EQ(w.figure("invalidations"), invalid + 1);
  EXPECT_EQ(elisp::tier_sites(w.state("caller"))[0].refilled, 0U);  // its callee was still cold
  EXPECT_NE(elisp::tier_report_json(w.context()).find("\"cache-hits\":"), std::string::npos);
}

// ---- interpreted functions -----------------------------------------------------------------------------------------

const elisp::TierOptions kSource = {
    .enabled = true, .count = true, .threshold = 1, .source = true, .source_threshold = 1};

// Calls N interpreted functions that nobody has called before, and nobody keeps.
std::string call_fresh(int n) {
  return "(let ((i 0) (sum 0)) (while (< i " + std::to_string(n) +
         ") (setq sum (+ sum (funcall (list 'lambda (list 'x) (list '+ 'x i)) (- 1 i))) i (1+ i))) sum)";
}

// Their states go like those of byte-code, although the object that a state belongs to refers to the body.
TEST(SourceStates, GoWithTheirFunctions) {
  World w(kSource);
  const std::uint64_t compiled = w.figure("source-compiled");
  EXPECT_EQ(w.eval(call_fresh(2000)), "2000");
  EXPECT_GE(w.figure("source-compiled"), compiled + 2000);
  w.collect();
  EXPECT_GE(w.figure("functions-freed"), 1900U);
}

// 100,000 of them are more than there are numbers: those that find none are interpreted, and a collection brings
// numbers back for the next.
TEST(SourceStates, NumbersAreReused) {
  World w(kSource);
  w.eval("(fset 'kept #'(lambda (x) (1+ x)))");
  EXPECT_EQ(w.eval("(kept 1)"), "2");
  EXPECT_EQ(w.eval(call_fresh(100000)), "100000");
  w.collect();
  EXPECT_EQ(w.eval("(kept 2)"), "3");
  EXPECT_EQ(w.eval("(null (neovm-register-code 'kept))"), "nil");
  w.eval("(fset 'late #'(lambda (x) (+ x 2)))");
  const std::uint64_t compiled = w.figure("source-compiled");
  EXPECT_EQ(w.eval("(late 1)"), "3");
  EXPECT_EQ(w.eval("(null (neovm-register-code 'late))"), "nil");
  EXPECT_GE(w.figure("source-compiled"), compiled + 2);  // the function, and the form that calls it
  EXPECT_EQ(w.eval(call_fresh(5000)), "5000");
  EXPECT_GE(w.figure("source-compiled"), compiled + 5001);
}

TEST(SourceCalls, CountInTheHitRate) {
  World w(kSource);
  w.eval("(fset 'callee #'(lambda (x) x))");
  w.eval("(fset 'caller #'(lambda (n) (while (> n 0) (callee n) (setq n (1- n)))))");
  const std::uint64_t hits = w.figure("cache-hits");
  const std::uint64_t misses = w.figure("cache-misses");
  w.eval("(caller 1000)");
  EXPECT_GE(w.figure("cache-hits"), hits + 2990);  // callee, > and 1-
  EXPECT_LE(w.figure("cache-misses"), misses + 10);
  const auto state_of = [&](const char* name) -> const elisp::FunctionState& {
    const Value function = w.context().cells(intern(w.context(), name)).function;
    elisp::Tiers& tiers = elisp::tiers_of(w.context());
    return *tiers.state(elisp::state_number(tiers.source_code(w.context(), function, false)));
  };
  bool told = false;
  for (const elisp::TierSite& site : elisp::tier_sites(state_of("caller"))) {
    if (site.callee != "callee") continue;
    told = true;
    EXPECT_EQ(site.function, "caller");
    EXPECT_EQ(site.executed, 1000U);
    EXPECT_EQ(site.misses, 1U);
  }
  EXPECT_TRUE(told);
  // One miss for one redefinition.
  const std::uint64_t before = w.figure("cache-misses");
  w.eval("(fset 'callee #'(lambda (x) (list x)))");
  w.eval("(caller 100)");
  EXPECT_LE(w.figure("cache-misses"), before + 5);
}

TEST(SourceControls, CompileDumpAndVeto) {
  World w({.enabled = true, .threshold = 1, .source = true, .source_threshold = 1000});
  w.eval("(fset 'f #'(lambda (x) (car x)))");
  EXPECT_EQ(w.eval("(neovm-register-code 'f)"), "nil");
  EXPECT_EQ(w.eval("(neovm-tier-compile 'f)"), "t");
  EXPECT_NE(w.eval("(neovm-register-code 'f)").find("call_source"), std::string::npos);
  EXPECT_EQ(w.eval("(f '(3))"), "3");
  EXPECT_EQ(w.eval("(neovm-tier-veto 'f)"), "t");
  EXPECT_EQ(w.eval("(list (f '(4)) (neovm-register-code 'f) (neovm-tier-compile 'f))"), "(4 nil nil)");
  w.eval("(garbage-collect)");
  EXPECT_EQ(w.eval("(list (f '(4)) (neovm-tier-compile 'f))"), "(4 nil)");
  // A body that has been written to is not what was compiled.
  w.eval("(fset 'g (list 'lambda nil (list 'identity 1)))");
  EXPECT_EQ(w.eval("(list (neovm-tier-compile 'g) (g))"), "(t 1)");
  w.eval("(setcar (cdr (nth 2 (symbol-function 'g))) 2)");
  EXPECT_EQ(w.eval("(list (neovm-register-code 'g) (g))"), "(nil 2)");
}

// A veto holds, and what runs goes on in the words it has.
TEST(Vetoes, AreForGood) {
  World w({.enabled = true, .threshold = 1});
  w.eval("(fset 'callee #[0 \"\\300\\301!\\210\\302\\301!\\207\" [neovm-tier-veto running neovm-tier-compile] 2])");
  w.eval("(fset 'running #[0 \"\\300 \\301D\\207\" [callee after] 3])");
  EXPECT_EQ(w.eval("(running)"), "(nil after)");
  EXPECT_EQ(w.eval("(list (running) (neovm-tier-compile 'running))"), "((nil after) nil)");
}

}  // namespace
