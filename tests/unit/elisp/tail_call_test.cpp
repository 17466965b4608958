// Tail calls of register code: loops of calls in constant space, whoever calls and whatever is called.
#include <algorithm>

#include "eval/machine.hpp"
#include "register_program.hpp"

namespace {

using namespace neovm;
using core::bytecode::Builder;
using core::bytecode::Code;
using core::bytecode::encode;
using core::bytecode::Op;

// Words of VM stack in use, beyond the caller's own.
Value stack_words(Context& cx) { return Value::fixnum(cx.sp - cx.stack_base); }
constexpr PrimitiveDescriptor kStackWords =
    make_descriptor("test-stack-words", 0, 0, Affinity::kWorkerSafe, Effect::kStateRead, GcEffect::kMayGc,
                    Reentry::kNoReentry, Determinism::kDeterministic, "Words of VM stack.", &stack_words);

enum class Kind { kGlobal, kValue, kFuncall, kApply };

class TailCalls : public ::testing::Test {
 protected:
  explicit TailCalls(bool stress = false) : w_(stress) { w_.define_primitive(&kStackWords); }

  // (NAME n): at zero a tail call of test-stack-words, else one of (NEXT (1- n)), through more registers when PADDED.
  void define_step(const char* name, const char* next, Kind kind, unsigned padded = 0) {
    Builder b;
    b.use(4 + padded);
    const auto go_on = b.make_label();
    b.branch(Op::jump_not_num_eq_k, 0, 1, go_on);
    b.tail_call_global(2, {});
    b.bind(go_on);
    b.emit(Op::sub1, 1, 0);
    b.emit_wide(Op::load_k, 2, 0);
    const std::uint8_t direct[] = {1};
    const std::uint8_t through[] = {2, 1};
    switch (kind) {
      case Kind::kGlobal: b.tail_call_global(0, direct); break;
      case Kind::kValue: b.tail_call(2, direct); break;
      case Kind::kFuncall: b.tail_call_global(3, through); break;
      case Kind::kApply: {
        const std::uint8_t listed[] = {1};
        b.emit_arguments(Op::list, 1, 0, listed);
        b.tail_call_global(4, through);
        break;
      }
    }
    EXPECT_EQ(w_.define(name, b, 1, std::string("[") + next + " 0 test-stack-words funcall apply]"), "");
  }
  // A function of no parameters that calls CALLEE in tail position, with constants as arguments.
  std::string define_caller(const char* name, const std::string& callee, unsigned n, bool by_value = false) {
    Builder b;
    b.use(n + 1);
    std::vector<std::uint8_t> args;
    std::string constants = "[" + callee;
    for (unsigned i = 0; i < n; ++i) {
      b.emit_wide(Op::load_k, i, i + 1);
      args.push_back(static_cast<std::uint8_t>(i));
      constants += " " + std::to_string(10 + i);
    }
    b.emit_wide(Op::load_k, n, 0);
    by_value ? b.tail_call(n, args) : b.tail_call_global(0, args);
    return w_.define(name, b, 0, constants + "]");
  }
  test::RegisterWorld w_;
};

TEST_F(TailCalls, AMillionInConstantSpace) {
  for (const Kind kind : {Kind::kGlobal, Kind::kValue, Kind::kFuncall, Kind::kApply}) {
    define_step("even", "odd", kind);
    define_step("odd", "even", kind, 60);
    // No deeper after a million than after two, and within a limit of depth that calls would pass at once.
    const std::string form = "(let ((max-lisp-eval-depth 60)) (list (even 2) (even %)))";
    const auto at = [&](const char* n) { return w_.eval(std::string(form).replace(form.find('%'), 1, n)); };
    const std::string after = at("1000000");
    EXPECT_EQ(after, at("2")) << static_cast<int>(kind);
    EXPECT_EQ(after.find("failed"), std::string::npos) << after;
  }
}

TEST_F(TailCalls, KindsMixed) {
  define_step("a", "b", Kind::kGlobal);
  define_step("b", "c", Kind::kFuncall, 100);
  define_step("c", "d", Kind::kApply);
  define_step("d", "a", Kind::kValue, 3);
  EXPECT_EQ(w_.eval("(a 4)"), w_.eval("(a 400000)"));
}

class TailCallsStress : public TailCalls {
 protected:
  TailCallsStress() : TailCalls(true) {}
};

// Arguments that are young objects, moved at each safepoint.
TEST_F(TailCallsStress, ArgumentsLive) {
  Builder b;  // (build n l k): at n = 0 l, else (build (1- n) (cons (list n n) l) k), through k
  b.use(5);
  const auto go_on = b.make_label();
  b.branch(Op::jump_not_num_eq_k, 0, 0, go_on);
  b.emit(Op::return_, 1);
  b.bind(go_on);
  const std::uint8_t twice[] = {0, 0};
  b.emit_arguments(Op::list, 3, 0, twice);
  b.emit(Op::cons, 1, 3, 1);
  b.emit(Op::sub1, 0, 0);
  const std::uint8_t all[] = {0, 1, 2};
  const auto by_value = b.make_label();
  b.branch(Op::jump_nil, 2, by_value);
  const std::uint8_t through[] = {2, 0, 1, 2};
  b.tail_call_global(2, through);
  b.bind(by_value);
  b.tail_call_global(1, all);
  ASSERT_EQ(w_.define("build", b, 3, "[0 build funcall]"), "");
  std::string expected = "(";
  for (int i = 1; i <= 200; ++i) {
    const std::string n = std::to_string(i);
    expected.append(i == 1 ? "(" : " (").append(n).append(" ").append(n).append(")");
  }
  EXPECT_EQ(w_.eval("(build 200 nil nil)"), expected + ")");
  EXPECT_EQ(w_.eval("(build 200 nil 'build)"), expected + ")");
}

// Lisp's own calls are none: a loop through an interpreted function nests, and says so when that is too deep. What it calls in
// a loop of its own does not.
TEST_F(TailCalls, InterpretedFunctionsBetween) {
  Builder b;  // (ping n): a tail call of (pong (1- n))
  b.use(1);
  b.emit(Op::sub1, 0, 0);
  const std::uint8_t args[] = {0};
  b.tail_call_global(0, args);
  ASSERT_EQ(w_.define("ping", b, 1, "[pong]"), "");
  w_.eval("(fset 'pong '(lambda (n) (if (> n 0) (ping n) (list 'end n))))");
  EXPECT_EQ(w_.eval("(ping 50)"), "(end 0)");
  const std::string deep = w_.eval("(let ((max-lisp-eval-depth 200)) (ping 1000))");
  EXPECT_NE(deep.find("Lisp nesting exceeds"), std::string::npos) << deep;
  EXPECT_EQ(w_.eval("(let ((i 0) (v nil)) (while (< i 20000) (setq v (ping 1) i (1+ i))) (list i v))"),
            "(20000 (end 0))");
}

// Whoever calls gets the value where it expects it.
TEST_F(TailCalls, EveryCaller) {
  define_step("down", "down", Kind::kGlobal);
  EXPECT_EQ(w_.eval("(fset 'value '(lambda (n) (list n n)))"), "(lambda (n) (list n n))");
  define_caller("to-lisp", "value", 1);
  EXPECT_EQ(w_.eval("(to-lisp)"), "(10 10)");
  EXPECT_EQ(w_.eval("(funcall 'to-lisp)"), "(10 10)");
  EXPECT_EQ(w_.eval("(apply 'to-lisp nil)"), "(10 10)");
  EXPECT_EQ(w_.eval("(eval '(to-lisp) t)"), "(10 10)");
  EXPECT_EQ(w_.eval("(mapcar #'(lambda (_) (to-lisp)) '(1 2))"), "((10 10) (10 10))");
  EXPECT_EQ(w_.eval("(let ((s (mapcar 'down '(3 30 300)))) (list (= (car s) (nth 1 s)) (= (car s) (nth 2 s))))"),
            "(t t)");
  // Stack byte-code, in its own executor at first: (list 1 (to-lisp) (to-lisp)).
  EXPECT_EQ(w_.eval("(fset 'stack #[0 \"\\300\\301 \\301 E\\207\" [1 to-lisp] 3])").substr(0, 2), "#[");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(w_.eval("(stack)"), "(1 (10 10) (10 10))");
  }
  // A predicate of sort.
  Builder b;
  b.use(1);
  const std::uint8_t both[] = {0, 1};
  b.tail_call_global(0, both);
  ASSERT_EQ(w_.define("less", b, 2, "[<]"), "");
  EXPECT_EQ(w_.eval("(sort (list 3 1 2) 'less)"), "(1 2 3)");
  EXPECT_EQ(w_.print(funcall_re(w_.cx(), w_.symbol("to-lisp"), {})), "(10 10)");
}

// Arguments are read before they are overwritten, in any order and number.
TEST_F(TailCalls, ArgumentsChangePlaces) {
  Builder b;  // (turn n a b c): n rounds, each (turn (1- n) c a b)
  b.use(5);
  const auto go_on = b.make_label();
  b.branch(Op::jump_not_num_eq_k, 0, 1, go_on);
  const std::uint8_t all[] = {1, 2, 3};
  b.emit_arguments(Op::list, 4, 0, all);
  b.emit(Op::return_, 4);
  b.bind(go_on);
  b.emit(Op::sub1, 4, 0);
  const std::uint8_t turned[] = {4, 3, 1, 2};
  b.tail_call_global(0, turned);
  ASSERT_EQ(w_.define("turn", b, 4, "[turn 0]"), "");
  EXPECT_EQ(w_.eval("(list (turn 0 1 2 3) (turn 1 1 2 3) (turn 2 1 2 3) (turn 3001 1 2 3))"),
            "((1 2 3) (3 1 2) (2 3 1) (3 1 2))");
  // More than the old frame had room for.
  std::string expected = "(";
  for (unsigned n = 0; n <= 40; n += 8) {
    define_caller("many", "list", n);
    expected = "(";
    for (unsigned i = 0; i < n; ++i) expected += (i == 0 ? "" : " ") + std::to_string(10 + i);
    EXPECT_EQ(w_.eval("(many)"), n == 0 ? "nil" : expected + ")");
  }
  // Optional and rest parameters.
  Builder r;
  const std::uint8_t both[] = {0, 1, 2};
  r.use(3);
  r.emit_arguments(Op::list, 3, 0, both);
  r.emit(Op::return_, 3);
  ASSERT_EQ(w_.define("adjusted", r, 3, "[nil]", 1, true), "");
  const char* const expected_of[] = {"", "(10 nil nil)", "(10 11 nil)", "(10 11 (12))", "(10 11 (12 13))"};
  for (unsigned n = 1; n <= 4; ++n) {
    define_caller("to-adjusted", "adjusted", n, n % 2 == 0);
    EXPECT_EQ(w_.eval("(list (to-adjusted) (to-adjusted))"),
              std::string("(") + expected_of[n] + " " + expected_of[n] + ")");
  }
}

// What cannot be called is reported as for a call.
TEST_F(TailCalls, Errors) {
  for (const bool by_value : {false, true}) {
    define_caller("few", "step", 2, by_value);
    define_step("step", "step", Kind::kGlobal);
    EXPECT_EQ(w_.eval("(few)"), "(failed (wrong-number-of-arguments (1 . 1) 2))");
    EXPECT_EQ(w_.eval("(step 1 2)"), "(failed (wrong-number-of-arguments (1 . 1) 2))");
    define_caller("void", "nobody", 1, by_value);
    EXPECT_EQ(w_.eval("(void)"), "(failed (void-function nobody))");
    define_caller("invalid", "77", 1, by_value);
    EXPECT_EQ(w_.eval("(invalid)"), "(failed (invalid-function 77))");
    define_caller("nothing", "nil", 0, by_value);
    EXPECT_EQ(w_.eval("(nothing)"), "(failed (void-function nil))");
    define_caller("special", "setq", 2, by_value);
    EXPECT_EQ(w_.eval("(special)"), "(failed (invalid-function #<subr setq>))");
    define_caller("primitive", "car", 1, by_value);
    EXPECT_EQ(w_.eval("(primitive)"), "(failed (wrong-type-argument listp 10))");
    define_caller("arity", "car", 2, by_value);
    EXPECT_EQ(w_.eval("(arity)"), "(failed (wrong-number-of-arguments #<subr car> 2))");
    w_.eval("(fset 'one '(lambda (x) x))");
    define_caller("interpreted", "one", 2, by_value);
    EXPECT_EQ(w_.eval("(interpreted)"), "(failed (wrong-number-of-arguments (lambda (x) x) 2))");
    // All is as before after an error.
    EXPECT_EQ(w_.eval("(let* ((a (test-stack-words)) (e (condition-case nil (few) (error nil))) (b (test-stack-words)))"
                      " (= a b))"),
              "t");
  }
}

// A definition changes: the next call takes the new one, quickened or not.
TEST_F(TailCalls, Redefinition) {
  define_step("step", "step", Kind::kGlobal);
  define_step("other", "other", Kind::kGlobal);
  define_caller("call", "step", 1);
  const std::string depth = w_.eval("(call)");
  EXPECT_EQ(depth, w_.eval("(call)"));
  EXPECT_NE(w_.eval("(neovm-register-code (symbol-function 'call) t)").find("tail_code"), std::string::npos);
  EXPECT_EQ(w_.eval("(progn (fset 'step '(lambda (n) (list 'new n))) (list (call) (call)))"), "((new 10) (new 10))");
  EXPECT_EQ(w_.eval("(progn (fset 'step (symbol-function 'other)) 1)"), "1");
  EXPECT_EQ(w_.eval("(call)"), depth);
  EXPECT_EQ(w_.eval("(call)"), depth);
  EXPECT_EQ(w_.eval("(fset 'step 'other)"), "other");
  EXPECT_EQ(w_.eval("(call)"), depth);
  EXPECT_EQ(w_.eval("(progn (fmakunbound 'step) (call))"), "(failed (void-function step))");
  EXPECT_EQ(w_.eval("(progn (fset 'step #[0 \"\\300\\207\" [7] 1]) (call))"),
            "(failed (wrong-number-of-arguments (0 . 0) 1))");
}

TEST_F(TailCalls, BacktraceShowsTheCallee) {
  w_.eval(
      "(fset 'names '(lambda (&rest _) (let ((l nil))"
      "  (mapbacktrace #'(lambda (evald f args _) (if evald (setq l (cons f l))))) (nreverse l))))");
  define_caller("inner", "names", 0);
  define_caller("outer", "inner", 0);
  const std::string shown = w_.eval("(outer)");
  EXPECT_NE(shown.find("names"), std::string::npos) << shown;
  EXPECT_EQ(shown.find("inner"), std::string::npos) << shown;
  EXPECT_EQ(shown.find("outer"), std::string::npos) << shown;
}

// The bindings of the frame are undone before the callee starts, in their order.
TEST_F(TailCalls, BindingsEndBefore) {
  w_.eval("(progn (defvar tail-x 'outer) (defvar tail-log nil) (fset 'look '(lambda () (list tail-x tail-log))))");
  Builder b;
  b.use(1);
  b.emit_wide(Op::load_k, 0, 1);
  b.emit_wide(Op::varbind, 0, 0);
  b.emit_wide(Op::load_k, 0, 2);
  b.emit(Op::unwind_protect, 0);
  b.tail_call_global(3, {});
  ASSERT_EQ(w_.define("binds", b, 0, "[tail-x inner (lambda () (setq tail-log (list tail-x 'cleaned))) look]"), "");
  EXPECT_EQ(w_.eval("(binds)"), "(outer (inner cleaned))");
  EXPECT_EQ(w_.eval("(binds)"), "(outer (inner cleaned))");
  EXPECT_EQ(w_.eval("tail-x"), "outer");
  // A clean-up that fails: the callee does not start.
  Builder f;
  f.use(1);
  f.emit_wide(Op::load_k, 0, 0);
  f.emit(Op::unwind_protect, 0);
  f.tail_call_global(1, {});
  ASSERT_EQ(w_.define("fails", f, 0, "[(lambda () (car 'x)) look]"), "");
  EXPECT_EQ(w_.eval("(fails)"), "(failed (wrong-type-argument listp x))");
}

// An endless loop of tail calls can be quit.
TEST_F(TailCalls, EndlessLoopsEnd) {
  for (const Kind kind : {Kind::kGlobal, Kind::kValue, Kind::kFuncall, Kind::kApply}) {
    define_step("forever", "forever", kind);
    w_.cx().fuel = 5000;
    w_.cx().on_slice_end = [](Context& cx) -> Value {
      cx.fuel = 5000;
      return signal_error0(cx, Qquit);
    };
    EXPECT_EQ(w_.eval("(forever -1)"), "(failed (quit))");
    w_.cx().on_slice_end = nullptr;
  }
}

TEST_F(TailCalls, VerifierRefuses) {
  const auto why = [](std::vector<core::bytecode::Word> words, bool source = false) {
    Code c;
    c.registers = 3;
    c.constants = c.caches = 1;
    c.source = source;
    c.words = std::move(words);
    return verify(c, [](unsigned, unsigned) { return true; });
  };
  EXPECT_EQ(why({encode(Op::tail_call, 0)}), "");
  EXPECT_EQ(why({encode(Op::tail_call_global), 0}), "");
  EXPECT_EQ(why({encode(Op::tail_call, 0)}, true), "word 0: tail call in code made from source");
  EXPECT_EQ(why({encode(Op::tail_call, 3)}), "word 0: register out of range");
  EXPECT_EQ(why({encode(Op::tail_call, 0, 1), 3}), "word 0: argument out of range");
  EXPECT_EQ(why({encode(Op::tail_call, 0, 1)}), "word 0: cut off");
  EXPECT_EQ(why({encode(Op::tail_call_global), 1}), "word 0: constant out of range");
  EXPECT_EQ(why({encode(Op::tail_call_global), 1U << 16}), "word 0: cache out of range");
  EXPECT_EQ(why({encode(Op::tail_code), 0}), "word 0: a quickened form");
  EXPECT_EQ(
      why({encode(Op::push_catch, 0), 1, encode(Op::tail_call, 0), encode(Op::landing, 0), encode(Op::return_, 0)}),
      "word 2: tail call with a handler");
}

}  // namespace
