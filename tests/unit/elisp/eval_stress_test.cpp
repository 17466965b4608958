// The evaluator with a collection at every safepoint, from-space poisoned and the heap verified.
#include <gtest/gtest.h>

#include <string>

#include "neovm/abi/api.hpp"
#include "neovm/core/context.hpp"
#include "neovm/elisp/elisp.hpp"
#include "neovm/host/host.hpp"

namespace {

using namespace neovm;

// In each tier: forms and stack byte-code only; as it comes; everything in register code.
const elisp::TierOptions kTiers[] = {
    {.enabled = false}, {}, {.enabled = true, .threshold = 1, .source = true, .source_threshold = 1}};

class EvalStress : public ::testing::TestWithParam<int> {
 protected:
  static IsolateOptions options() {
    IsolateOptions o;
    o.building = true;
    o.heap.stress = true;
    o.heap.verify = true;
    return o;
  }
  EvalStress() : isolate_(options()), cx_(isolate_) {
    elisp::attach(cx_);
    neomacs::host::attach(cx_);
    elisp::configure_tiers(cx_, kTiers[GetParam()]);
  }
  // Printed value of the forms in TEXT, evaluated in one lexical progn.
  std::string run(const std::string& text) {
    const Value string = make_string(cx_, "(progn " + text + ")");
    const Value read = funcall_re(cx_, Qread_from_string, {string});
    EXPECT_FALSE(read.is_exit());
    const Value value = eval_form_re(cx_, car_raw(read), Qt);
    if (value.is_exit()) return "exit";
    const Value printed = funcall_re(cx_, Qprin1_to_string, {value});
    return printed.is_exit() ? "exit" : to_std_string(printed);
  }
  Isolate isolate_;
  Context cx_;
};

TEST_P(EvalStress, Calls) {
  EXPECT_EQ(run("(fset 'fib #'(lambda (n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2)))))) (fib 12)"), "144");
  EXPECT_EQ(run("(apply #'(lambda (a &optional b &rest c) (list a b c)) (list 1 2 3 4))"), "(1 2 (3 4))");
}

TEST_P(EvalStress, Loops) {
  EXPECT_EQ(run("(let ((i 0) (l nil)) (while (< i 100) (setq l (cons (list i (concat \"a\" \"b\")) l) i (1+ i)))"
                "(list (length l) (car l)))"),
            "(100 (99 \"ab\"))");
  EXPECT_EQ(run("(mapcar #'(lambda (x) (let ((y (list x x))) (mapc #'(lambda (z) (list z)) y) y)) '(1 2 3))"),
            "((1 1) (2 2) (3 3))");
  EXPECT_EQ(run("(mapconcat #'(lambda (x) (concat x x)) '(\"a\" \"b\") \"-\")"), "\"aa-bb\"");
  EXPECT_EQ(run("(sort (list 5 3 8 1 9 2 7) #'(lambda (a b) (list a) (< a b)))"), "(1 2 3 5 7 8 9)");
}

TEST_P(EvalStress, Exits) {
  EXPECT_EQ(run("(let ((l nil)) (list (condition-case e (unwind-protect (car (list 1 (car 5)))"
                "(setq l (list 1 (copy-sequence \"x\")))) (error (list e (mapcar #'list '(1 2))))) l))"),
            "(((wrong-type-argument listp 5) ((1) (2))) (1 \"x\"))");
  EXPECT_EQ(run("(catch 'a (mapc #'(lambda (x) (if (> x 2) (throw 'a (list x (list x))))) '(1 2 3 4)))"), "(3 (3))");
  EXPECT_EQ(run("(let ((max-lisp-eval-depth 200)) (fset 'inf #'(lambda (x) (inf (cons x x))))"
                "(condition-case e (inf 1) (error (car e))))"),
            "error");
}

TEST_P(EvalStress, ByteCode) {
  // (lambda (n) (let ((r nil)) (while (> n 0) (setq r (cons n r)) (setq n (1- n))) r))
  EXPECT_EQ(
      run("(funcall #[257 \"\\300\\1\\301V\\203\\23\\0\\1\\1B\\262\\1\\1S\\262\\2\\202\\1\\0\\207\" [nil 0] 4] 9)"),
      "(1 2 3 4 5 6 7 8 9)");
}

TEST_P(EvalStress, DamagedByteCode) {
  EXPECT_EQ(run("(condition-case e (funcall #[0 \"\\300\\207\" [] 4]) (error e))"), "(error \"Invalid byte code\")");
  EXPECT_EQ(run("(condition-case e (funcall #[0 \"\\210\\207\" [] 4]) (error e))"), "(error \"Invalid byte code\")");
  EXPECT_EQ(run("(condition-case e (funcall #[0 \"\\202\\377\\377\" [] 4]) (error e))"),
            "(error \"Invalid byte code\")");
  EXPECT_EQ(run("(condition-case e (funcall #[0 \"\\300\" [1] 4]) (error e))"), "(error \"Invalid byte code\")");
}

TEST_P(EvalStress, Bindings) {
  EXPECT_EQ(run("(defvar s-x (list 1)) (fset 's-f #'(lambda () (copy-sequence s-x)))"
                "(list (let ((s-x (list 2 3))) (s-f)) (s-f))"),
            "((2 3) (1))");
}

INSTANTIATE_TEST_SUITE_P(Tiers, EvalStress, ::testing::Values(0, 1, 2));

}  // namespace
