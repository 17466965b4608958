// Random stack byte-code in the stack executor and in its translation: the same value or the same error. Then damaged
// code: whatever it does, nothing breaks. The seed is gtest's (--gtest_random_seed; --gtest_shuffle --gtest_repeat=N takes
// N seeds).
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "neovm/abi/api.hpp"
#include "neovm/core/context.hpp"
#include "neovm/elisp/elisp.hpp"
#include "neovm/host/host.hpp"

namespace {

using namespace neovm;
using Random = std::mt19937;

// Constants that every program has, in this order.
enum Constant {
  kNilK,
  kTrueK,
  kZero,
  kOne,
  kSeven,
  kFloatK,
  kListK,
  kSymbolK,
  kVectorK,
  kList,
  kPlus,
  kCar,
  kErrors,
  kVariable,
  kConstants
};

// Writes expressions of GNU's byte-code: each leaves one value more on the stack.
class Program {
 public:
  Program(Random& random, int arguments) : random_(random), depth_(arguments) {
    expression(5);
    byte(135);  // return
  }
  std::string code;
  int deepest = 0;

 private:
  unsigned pick(unsigned n) { return static_cast<unsigned>(random_()) % n; }
  void byte(unsigned b) { code.push_back(static_cast<char>(b)); }
  void push(int n = 1) {
    depth_ += n;
    deepest = std::max(deepest, depth_);
  }
  void constant(unsigned k) {
    byte(192 + k);
    push();
  }
  void stack_ref(int n) {
    if (n == 0) {
      byte(137);
    } else if (n < 6) {
      byte(static_cast<unsigned>(n));
    } else {
      byte(6);
      byte(static_cast<unsigned>(n));
    }
    push();
  }
  std::size_t jump(unsigned op) {
    byte(op);
    byte(0);
    byte(0);
    return code.size() - 2;
  }
  void land(std::size_t place, std::size_t target) {
    code[place] = static_cast<char>(target & 255);
    code[place + 1] = static_cast<char>(target >> 8);
  }
  void land(std::size_t place) { land(place, code.size()); }

  void expression(int budget) {
    if (budget <= 0 || pick(12) == 0) {
      if (depth_ > 0 && pick(3) != 0) {
        stack_ref(static_cast<int>(pick(static_cast<unsigned>(depth_))));
      } else {
        constant(pick(kList));
      }
      return;
    }
    switch (pick(14)) {
      case 0: {
        constexpr unsigned kUnary[] = {57, 58, 59, 60, 63, 64, 65, 67, 71, 83, 84, 91, 162, 163, 167, 168};
        expression(budget - 1);
        byte(kUnary[pick(16)]);
        break;
      }
      case 1:
      case 2:
      case 3: {
        constexpr unsigned kBinary[] = {56, 61, 62, 66, 68, 72,  85,  86,  87,  88,
                                        89, 90, 92, 95, 61, 155, 158, 165, 166, 93};
        expression(budget - 1);
        expression(budget - 1);
        byte(kBinary[pick(20)]);
        push(-1);
        break;
      }
      case 4: {  // if
        condition(budget);
        const std::size_t over = jump(pick(2) == 0 ? 131 : 132);
        push(-1);
        expression(budget - 1);
        const std::size_t out = jump(130);
        push(-1);
        land(over);
        expression(budget - 1);
        land(out);
        break;
      }
      case 5: {  // and, or
        condition(budget);
        const std::size_t out = jump(pick(2) == 0 ? 133 : 134);
        push(-1);
        expression(budget - 1);
        land(out);
        break;
      }
      case 6:  // let
        expression(budget - 1);
        expression(budget - 1);
        byte(182);
        byte(0x81);
        push(-1);
        break;
      case 7:  // setq
        if (depth_ == 0) return constant(kOne);
        expression(budget - 1);
        byte(137);
        push();
        byte(178);
        byte(1 + pick(static_cast<unsigned>(depth_ - 1)));
        push(-1);
        break;
      case 8: {  // condition-case
        constant(kErrors);
        const std::size_t handler = jump(49);
        push(-1);
        expression(budget - 1);
        byte(48);
        const std::size_t out = jump(130);
        land(handler);
        if (pick(2) == 0) byte(64);  // car of the error
        land(out);
        break;
      }
      case 9: {  // a call
        const unsigned n = pick(4);
        const int before = depth_;
        constant(kList + pick(3));
        for (unsigned i = 0; i < n; ++i) expression(budget - 2);
        byte(32 + n);
        push(before + 1 - depth_);
        break;
      }
      case 10: {  // a loop of three rounds, its counter a variable
        constant(kSeven);
        const std::size_t again = code.size();
        expression(budget - 2);
        byte(136);
        push(-1);
        byte(83);
        stack_ref(0);
        constant(kOne);
        byte(86);
        push(-1);
        land(jump(132), again);
        push(-1);
        break;
      }
      case 11: {  // a dynamic binding
        expression(budget - 1);
        byte(24 + 6);
        byte(kVariable);
        push(-1);
        expression(budget - 1);
        byte(8 + 6);
        byte(kVariable);
        push();
        byte(66);
        push(-1);
        byte(41);
        break;
      }
      case 12: {  // list of several
        const unsigned n = 1 + pick(5);
        for (unsigned i = 0; i < n; ++i) expression(budget - 2);
        byte(175);
        byte(n);
        push(1 - static_cast<int>(n));
        break;
      }
      default:  // setcar, progn
        expression(budget - 1);
        byte(136);
        push(-1);
        constant(kListK);
        expression(budget - 1);
        byte(160);
        push(-1);
        break;
    }
  }
  void condition(int budget) {
    expression(budget - 1);
    if (pick(2) == 0) return;
    expression(budget - 2);
    constexpr unsigned kCompare[] = {61, 85, 86, 87, 88, 89};
    byte(kCompare[pick(6)]);
    push(-1);
  }

  Random& random_;
  int depth_;
};

// Ends what runs too long, with a quit.
Value stop(Context& cx) {
  cx.fuel = 3000;
  return signal_error0(cx, Qquit);
}

class Translate : public ::testing::Test {
 protected:
  static IsolateOptions options() {
    IsolateOptions o;
    o.building = true;
    o.heap.limit_bytes = std::size_t{256} << 20;  // random programs may ask for anything
    return o;
  }
  Translate() : isolate_(options()), cx_(isolate_), kept_(cx_) {
    elisp::attach(cx_);
    neomacs::host::attach(cx_);
    random_.seed(static_cast<unsigned>(20260729 + ::testing::UnitTest::GetInstance()->random_seed()));
    kept_.values.resize(3);
    kept_.values[0] = read(
        "(closure (t) (f args) (condition-case e (prin1-to-string (apply f args)) (error (prin1-to-string e))"
        " (quit \"quit\")))");
    // Results that share their parts print as trees: keep those small. (And no program asks `equal`.)
    (void)eval_form_re(cx_, read("(progn (defvar translate-variable 5) (setq print-length 6 print-level 6))"), kNil);
  }
  Value read(const std::string& text) {
    const Value result = funcall_re(cx_, Qread_from_string, {make_string(cx_, text)});
    EXPECT_FALSE(result.is_exit()) << text;
    return result.is_exit() ? kNil : car_raw(result);
  }
  Value function(const std::string& code, int arguments, int depth) {
    kept_.values[1] = read("[nil t 0 1 7 2.5 (1 2 3) symbol [1 2.5 a] list + car (error) translate-variable]");
    EXPECT_EQ(slot_count_raw(kept_.values[1]), kConstants);
    const Value parts[] = {Value::fixnum(arguments << 8 | arguments), make_unibyte_string(cx_, code), kept_.values[1],
                           Value::fixnum(depth)};
    return funcall_re(cx_, intern(cx_, "make-byte-code"), parts);
  }
  std::string call(Value f, const std::string& arguments) {
    kept_.values[2] = f;
    const Value args = read(arguments);
    cx_.fuel = 3000;
    cx_.on_slice_end = stop;
    const Value v = funcall_re(cx_, kept_.values[0], {kept_.values[2], args});
    cx_.on_slice_end = nullptr;
    if (!v.is_exit()) return to_std_string(v);
    cx_.exit_kind = ExitKind::kNone;
    return "exit";
  }
  std::string register_code() {
    const Value text = funcall_re(cx_, intern(cx_, "neovm-register-code"), {kept_.values[2]});
    return text.is_string() ? to_std_string(text) : "no register code";
  }
  static constexpr const char* kArguments[] = {"(1 nil (4 5))", "(2.5 symbol 3)", "((a . b) 7 0)"};

  Isolate isolate_;
  Context cx_;
  RootVector kept_;
  Random random_;
};

TEST_F(Translate, SameAsTheStackExecutor) {
  int translated = 0;
  for (int round = 0; round < 1500; ++round) {
    Program p(random_, 3);
    if (p.code.size() > 60000) continue;
    const Value reference = function(p.code, 3, p.deepest + 2);
    ASSERT_FALSE(reference.is_exit());
    (void)funcall_re(cx_, intern(cx_, "neovm-tier-veto"), {reference});
    std::string expected[3];
    kept_.values[2] = reference;
    for (int i = 0; i < 3; ++i) expected[i] = call(kept_.values[2], kArguments[i]);
    kept_.values[2] = function(p.code, 3, p.deepest + 2);
    if (funcall_re(cx_, intern(cx_, "neovm-tier-compile"), {kept_.values[2]}).truthy()) ++translated;
    for (int i = 0; i < 3; ++i) {
      const std::string got = call(kept_.values[2], kArguments[i]);
      // A setq may make a loop endless.
      if (got == "quit" || expected[i] == "quit") continue;
      ASSERT_EQ(got, expected[i]) << "round " << round << "\n" << register_code();
    }
  }
  // A few use constructs that only the stack executor runs.
  EXPECT_GT(translated, 1400);
}

// Loops that go on as register code in the middle, at one of the first rounds.
TEST_F(Translate, LoopsChangeTheirExecutor) {
  for (int round = 0; round < 2000; ++round) {
    Program p(random_, 3);
    if (p.code.size() > 60000) continue;
    const auto rounds = static_cast<std::uint32_t>(random_()) % 4 + 1;
    std::string results[2];
    for (const bool changes : {false, true}) {
      elisp::configure_tiers(cx_, {.enabled = true, .threshold = 1U << 30, .rounds = changes ? rounds : 1U << 30});
      kept_.values[2] = function(p.code, 3, p.deepest + 2);
      results[changes] = call(kept_.values[2], kArguments[round % 3]);
    }
    if (results[0] == "quit" || results[1] == "quit") continue;
    ASSERT_EQ(results[1], results[0]) << "program " << round << ", after " << rounds << "\n" << register_code();
    ASSERT_EQ(cx_.handlers.size(), 0U);
    ASSERT_EQ(cx_.sp, cx_.stack_base);
  }
  const Value entered = eval_form_re(cx_, read("(cdr (assq 'loops-entered (neovm-tier-statistics)))"), kNil);
  EXPECT_GT(entered.as_fixnum(), 200);
}

TEST_F(Translate, DamagedCodeIsContained) {
  for (const auto& [tier1, threshold, rounds] : {std::tuple{true, 1U, 64U}, {false, 1U, 64U}, {true, 1U << 30, 1U}}) {
    elisp::configure_tiers(cx_, {.enabled = tier1, .threshold = threshold, .rounds = rounds});
    for (int round = 0; round < 1500; ++round) {
      std::string code = Program(random_, 3).code;
      const unsigned changes = 1 + static_cast<unsigned>(random_()) % 4;
      for (unsigned i = 0; i < changes; ++i)
        code[static_cast<std::size_t>(random_()) % code.size()] = static_cast<char>(random_() & 255);
      if (random_() % 8 == 0) code.resize(static_cast<std::size_t>(random_()) % code.size());
      const Value f = function(code, 3, 30);
      if (f.is_exit()) {
        cx_.exit_kind = ExitKind::kNone;
        continue;
      }
      const std::string result = call(f, kArguments[round % 3]);
      ASSERT_EQ(cx_.handlers.size(), 0U) << result << " " << to_std_string(cx_.cells(cx_.exit_tag).name);
      ASSERT_EQ(cx_.sp, cx_.stack_base);
      ASSERT_TRUE(cx_.bindings.empty());
    }
  }
}

// Definitions that change at each call stay right, and calls are cached again when that is over.
TEST_F(Translate, RedefinitionStorm) {
  elisp::configure_tiers(cx_, {.enabled = true, .count = true, .threshold = 1});
  const auto eval = [&](const char* form) {
    const Value v = eval_form_re(cx_, read(form), Qt);
    EXPECT_FALSE(v.is_exit());
    return v.is_exit() ? std::string("exit") : to_std_string(funcall_re(cx_, Qprin1_to_string, {v}));
  };
  (void)eval(
      "(progn (fset 'storm-caller #[0 \"\\300 \\207\" [storm] 2]) (fset 'storm-one #[0 \"\\300\\207\" [1] 2])"
      " (fset 'storm-two #[0 \"\\300\\207\" [2] 2]))");
  EXPECT_EQ(eval("(let ((i 0) (sum 0)) (while (< i 5000)"
                 " (fset 'storm (if (= (% i 2) 0) (symbol-function 'storm-one) (symbol-function 'storm-two)))"
                 " (setq sum (+ sum (storm-caller)) i (1+ i))) sum)"),
            "7500");
  const char* const cached = "(or (cdr (assq 'op-call_code (neovm-tier-statistics))) 0)";
  const int before = std::stoi(eval(cached));
  EXPECT_LT(before, 200);
  (void)eval("(let ((i 0)) (while (< i 2000) (storm-caller) (setq i (1+ i))))");
  EXPECT_GT(std::stoi(eval(cached)) - before, 1700);
}

// A jump table that Lisp has changed leads nowhere that the values on the stack do not fit, and loops through it can be stopped.
TEST_F(Translate, ChangedJumpTables) {
  for (const bool tier1 : {true, false}) {
    elisp::configure_tiers(cx_, {.enabled = tier1, .threshold = 1});
    kept_.values[1] = read("(make-hash-table)");
    const Value table = eval_form_re(cx_, kept_.values[1], Qt);
    kept_.values[1] = table;
    const Value constants = make_vector(cx_, 3, kNil);
    set_slot_raw(constants, 0, table);
    set_slot_raw(constants, 1, Value::fixnum(10));
    set_slot_raw(constants, 2, Value::fixnum(20));
    // dup, table, switch, no: constant 1, return; 5: constant 2, return; 7: many discards, constants, return
    std::string code{static_cast<char>(137), static_cast<char>(192), static_cast<char>(183), static_cast<char>(193),
                     static_cast<char>(135), static_cast<char>(194), static_cast<char>(135)};
    code += std::string(12, static_cast<char>(136)) + std::string(9, static_cast<char>(194)) + static_cast<char>(135);
    const Value parts[] = {Value::fixnum(0x101), make_unibyte_string(cx_, code), constants, Value::fixnum(9)};
    const Value puthash = intern(cx_, "puthash");
    (void)funcall_re(cx_, puthash, {Value::fixnum(1), Value::fixnum(5), table});
    kept_.values[2] = funcall_re(cx_, intern(cx_, "make-byte-code"), parts);
    EXPECT_EQ(call(kept_.values[2], "(1)"), "20");
    EXPECT_EQ(call(kept_.values[2], "(2)"), "10");
    for (const int target : {1, 4, 7, 8, 12}) {
      (void)funcall_re(cx_, puthash, {Value::fixnum(1), Value::fixnum(target), kept_.values[1]});
      EXPECT_EQ(call(kept_.values[2], "(1)"), "(error \"Invalid byte code\")") << target;
    }
    // A way back that fits is a loop in the stack executor, which can be stopped.
    (void)funcall_re(cx_, puthash, {Value::fixnum(1), Value::fixnum(0), kept_.values[1]});
    EXPECT_EQ(call(kept_.values[2], "(1)"), tier1 ? "(error \"Invalid byte code\")" : "quit");
    (void)funcall_re(cx_, puthash, {Value::fixnum(1), Value::fixnum(5), kept_.values[1]});
    EXPECT_EQ(call(kept_.values[2], "(1)"), "20");
  }
}

// Lisp may write to the constants of a function, but not to its checked code.
TEST_F(Translate, WritesToConstantsAndCode) {
  for (const bool tier1 : {true, false}) {
    elisp::configure_tiers(cx_, {.enabled = tier1, .threshold = 1});
    std::string code{8 + 6, kVariable, static_cast<char>(135)};
    const Value f = function(code, 0, 3);
    kept_.values[2] = f;
    EXPECT_EQ(call(kept_.values[2], "nil"), "5");
    const Value aset = intern(cx_, "aset");
    (void)funcall_re(cx_, aset, {slot_raw(kept_.values[2], 2), Value::fixnum(kVariable), Value::fixnum(1 << 20)});
    EXPECT_EQ(call(kept_.values[2], "nil"), "(wrong-type-argument symbolp 1048576)");
    const Value v = funcall_re(cx_, aset, {slot_raw(kept_.values[2], 1), Value::fixnum(0), Value::fixnum(192)});
    EXPECT_TRUE(v.is_exit());
    cx_.exit_kind = ExitKind::kNone;
  }
}

}  // namespace
