// Truth, equality and arithmetic of guests other than Lisp: results and errors for every combination of operand types.
#include <cmath>
#include <random>

#include "neovm/core/array_list.hpp"
#include "neovm/core/op_families.hpp"
#include "register_program.hpp"

namespace {

using namespace neovm;
using core::bytecode::Builder;
using core::bytecode::Op;
using core::bytecode::Relation;

class OpFamilies : public ::testing::Test {
 protected:
  OpFamilies() {
    // (new-list ARGS...), of any number.
    for (unsigned n = 0; n <= 3; ++n) {
      Builder b;
      b.use(n + 1);
      std::vector<std::uint8_t> args;
      for (unsigned i = 0; i < n; ++i) args.push_back(static_cast<std::uint8_t>(i));
      b.emit_arguments(Op::make_list, n, 0, args);
      b.emit(Op::return_, n);
      EXPECT_EQ(w_.define(("list" + std::to_string(n)).c_str(), b, n, "[nil]"), "");
    }
  }
  // (NAME a b): what the instruction makes of them.
  void define_binary(const char* name, Op op) {
    Builder b;
    b.use(2);
    b.emit(op, 2, 0, 1);
    b.emit(Op::return_, 2);
    EXPECT_EQ(w_.define(name, b, 2, "[nil]"), "");
  }
  // (NAME a b): does it jump?
  void define_jump(const char* name, Op op, unsigned parameters, const std::string& k = "false", int relation = -1) {
    Builder b;
    b.use(2);
    const auto there = b.make_label();
    if (relation >= 0)
      b.compare(op, 0, static_cast<Relation>(relation), 1, there);
    else
      b.branch(op, 0, parameters == 2 ? 1 : 0, there);
    b.emit_wide(Op::load_k, 0, 1);
    b.emit(Op::return_, 0);
    b.bind(there);
    b.emit_wide(Op::load_k, 0, 2);
    b.emit(Op::return_, 0);
    EXPECT_EQ(w_.define(name, b, parameters, "[" + k + " nil t]"), "");
  }
  std::string call(const char* f, const std::string& a) { return w_.eval(std::string("(") + f + " " + a + ")"); }
  std::string call(const char* f, const std::string& a, const std::string& b) { return call(f, a + " " + b); }
  test::RegisterWorld w_;
};

const std::string kLeast = "-9223372036854775808";
const std::string kMost = "9223372036854775807";

enum class Kind { kInt, kBig, kFloat, kString, kList, kOther };
struct Operand {
  const char* form;
  Kind kind;
};
const Operand kOperands[] = {
    {"0", Kind::kInt},
    {"-7", Kind::kInt},
    {"2305843009213693951", Kind::kInt},   // the last fixnum
    {"2305843009213693952", Kind::kInt},   // the first bignum
    {"-9223372036854775808", Kind::kInt},  // the last of 64 bits
    {"9223372036854775807", Kind::kInt},
    {"9223372036854775808", Kind::kBig},  // one too many
    {"-9223372036854775809", Kind::kBig},
    {"100000000000000000000000000", Kind::kBig},
    {"1.5", Kind::kFloat},
    {"-0.0", Kind::kFloat},
    {"0.0e+NaN", Kind::kFloat},
    {"\"\"", Kind::kString},
    {"\"ab\"", Kind::kString},
    {"(list0)", Kind::kList},
    {"(list2 1 'x)", Kind::kList},
    {"nil", Kind::kOther},
    {"'sym", Kind::kOther},
    {"(list 1 2)", Kind::kOther},
    {"(vector 1 2)", Kind::kOther},
    {"(make-hash-table)", Kind::kOther},
};
bool is_number(Kind k) { return k == Kind::kInt || k == Kind::kBig || k == Kind::kFloat; }
bool failed_with(const std::string& what, const std::string& start) { return what.rfind("(failed (" + start, 0) == 0; }

TEST_F(OpFamilies, PlusOfEveryCombination) {
  define_binary("plus", Op::plus);
  for (const Operand& a : kOperands)
    for (const Operand& b : kOperands) {
      const std::string v = call("plus", a.form, b.form);
      SCOPED_TRACE(std::string(a.form) + " + " + b.form + " = " + v);
      const bool both_integers =
          is_number(a.kind) && is_number(b.kind) && a.kind != Kind::kFloat && b.kind != Kind::kFloat;
      if (is_number(a.kind) && is_number(b.kind)) {
        if (a.kind == Kind::kBig || b.kind == Kind::kBig) {
          EXPECT_TRUE(failed_with(v, "wrong-type-argument int64p"));
        } else if (both_integers) {
          const auto sum = static_cast<std::int64_t>(static_cast<std::uint64_t>(std::stoll(a.form)) +
                                                     static_cast<std::uint64_t>(std::stoll(b.form)));
          EXPECT_EQ(v, std::to_string(sum));
        } else {
          EXPECT_EQ(v, w_.eval(std::string("(+ ") + a.form + " " + b.form + ")"));
        }
      } else if (is_number(a.kind)) {
        EXPECT_TRUE(failed_with(v, "wrong-type-argument numberp"));
      } else if (a.kind == Kind::kString) {
        if (b.kind == Kind::kString)
          EXPECT_EQ(v, w_.eval(std::string("(concat ") + a.form + " " + b.form + ")"));
        else
          EXPECT_TRUE(failed_with(v, "wrong-type-argument stringp"));
      } else if (a.kind == Kind::kList) {
        if (b.kind == Kind::kList)
          EXPECT_EQ(v.substr(0, 12), "#<array-list");
        else
          EXPECT_TRUE(failed_with(v, "wrong-type-argument array-list-p"));
      } else {
        EXPECT_TRUE(failed_with(v, "wrong-type-argument addable-p"));
      }
    }
  EXPECT_EQ(call("plus", "(list2 1 'x)", "(list3 2.5 \"s\" (list0))"), "#<array-list 1 x 2.5 \"s\" #<array-list>>");
  EXPECT_EQ(call("plus", "(list0)", "(list0)"), "#<array-list>");
  EXPECT_EQ(call("plus", kMost, "1"), kLeast);
}

TEST_F(OpFamilies, MinusAndTimesOfEveryCombination) {
  define_binary("minus", Op::minus);
  define_binary("times", Op::times);
  for (const Operand& a : kOperands)
    for (const Operand& b : kOperands)
      for (const char* f : {"minus", "times"}) {
        const bool minus = f[0] == 'm';
        const std::string v = call(f, a.form, b.form);
        SCOPED_TRACE(std::string(a.form) + " " + f + " " + b.form + " = " + v);
        if (!is_number(a.kind) || !is_number(b.kind)) {
          EXPECT_TRUE(failed_with(v, "wrong-type-argument numberp"));
        } else if (a.kind == Kind::kBig || b.kind == Kind::kBig) {
          EXPECT_TRUE(failed_with(v, "wrong-type-argument int64p"));
        } else if (a.kind == Kind::kInt && b.kind == Kind::kInt) {
          const auto x = static_cast<std::uint64_t>(std::stoll(a.form));
          const auto y = static_cast<std::uint64_t>(std::stoll(b.form));
          EXPECT_EQ(v, std::to_string(static_cast<std::int64_t>(minus ? x - y : x * y)));
        } else {
          EXPECT_EQ(v, w_.eval(std::string(minus ? "(- " : "(* ") + a.form + " " + b.form + ")"));
        }
      }
}

// The model of integers is the compiler's 128 bits.
TEST_F(OpFamilies, Integers) {
  struct Case {
    const char* name;
    Op op;
    char sign;
    bool checked;
  };
  const Case cases[] = {{"add", Op::int_add, '+', false},         {"sub", Op::int_sub, '-', false},
                        {"mul", Op::int_mul, '*', false},         {"add!", Op::int_add_checked, '+', true},
                        {"sub!", Op::int_sub_checked, '-', true}, {"mul!", Op::int_mul_checked, '*', true},
                        {"div", Op::int_div, '/', true},          {"rem", Op::int_rem, '%', true}};
  std::mt19937_64 random(5);
  std::vector<std::string> numbers = {"0",
                                      "1",
                                      "-1",
                                      "2",
                                      "-3",
                                      "2305843009213693951",
                                      "-2305843009213693952",
                                      "2305843009213693952",
                                      "-2305843009213693953",
                                      kLeast,
                                      kMost};
  for (int i = 0; i < 12; ++i)
    numbers.push_back(std::to_string(static_cast<std::int64_t>(random()) >> (random() % 63)));
  for (const Case& c : cases) {
    define_binary(c.name, c.op);
    for (const std::string& a : numbers)
      for (const std::string& b : numbers) {
        const __int128 x = std::stoll(a);
        const __int128 y = std::stoll(b);
        std::string expected;
        if ((c.sign == '/' || c.sign == '%') && y == 0) {
          expected = "(failed (arith-error))";
        } else {
          const __int128 r = c.sign == '+'   ? x + y
                             : c.sign == '-' ? x - y
                             : c.sign == '*' ? x * y
                             : c.sign == '/' ? x / y
                                             : x % y;
          const bool overflows = r < INT64_MIN || r > INT64_MAX || (c.sign == '%' && x == INT64_MIN && y == -1);
          expected = overflows && c.checked
                         ? "(failed (overflow-error))"
                         : std::to_string(static_cast<std::int64_t>(static_cast<unsigned __int128>(r)));
        }
        EXPECT_EQ(call(c.name, a, b), expected) << a << " " << c.name << " " << b;
      }
    for (const Operand& o : kOperands) {
      if (o.kind == Kind::kInt) continue;
      EXPECT_TRUE(failed_with(call(c.name, o.form, "1"), "wrong-type-argument int64p")) << o.form;
      EXPECT_TRUE(failed_with(call(c.name, "1", o.form), "wrong-type-argument int64p")) << o.form;
    }
  }
}

TEST_F(OpFamilies, IntegersCompared) {
  const std::string numbers[] = {"0", "-1", "5", "2305843009213693951", "2305843009213693952", kLeast, kMost};
  for (int r = 0; r < static_cast<int>(core::bytecode::kRelations); ++r) {
    define_jump("compare", Op::jump_int, 2, "false", r);
    for (const std::string& a : numbers)
      for (const std::string& b : numbers) {
        const std::int64_t x = std::stoll(a);
        const std::int64_t y = std::stoll(b);
        const bool holds[] = {x == y, x != y, x<y, x <= y, x >= y, x> y};
        EXPECT_EQ(call("compare", a, b), holds[r] ? "t" : "nil") << a << " " << r << " " << b;
      }
    EXPECT_EQ(call("compare", "1.0", "1"), "(failed (wrong-type-argument int64p 1.0))");
    EXPECT_EQ(call("compare", "1", "nil"), "(failed (wrong-type-argument int64p nil))");
    EXPECT_EQ(call("compare", "1", "9223372036854775808"), "(failed (wrong-type-argument int64p 9223372036854775808))");
  }
}

TEST_F(OpFamilies, Floats) {
  const std::string numbers[] = {"0.0", "-0.0", "1.5", "-2.25", "1e308", "1.0e+INF", "0.0e+NaN"};
  const std::pair<const char*, Op> ops[] = {
      {"+", Op::float_add}, {"-", Op::float_sub}, {"*", Op::float_mul}, {"/", Op::float_div}};
  for (const auto& [sign, op] : ops) {
    define_binary("f", op);
    for (const std::string& a : numbers)
      for (const std::string& b : numbers) {
        std::string form = "(";
        form.append(sign).append(" ").append(a).append(" ").append(b).append(")");
        EXPECT_EQ(call("f", a, b), w_.eval(form)) << form;
      }
    for (const Operand& o : kOperands) {
      if (o.kind == Kind::kFloat) continue;
      EXPECT_TRUE(failed_with(call("f", o.form, "1.0"), "wrong-type-argument floatp")) << o.form;
      EXPECT_TRUE(failed_with(call("f", "1.0", o.form), "wrong-type-argument floatp")) << o.form;
    }
  }
  const double values[] = {0.0, -0.0, 1.5, -2.25, 1e308, HUGE_VAL, NAN};
  for (int r = 0; r < static_cast<int>(core::bytecode::kRelations); ++r) {
    define_jump("compare", Op::jump_float, 2, "false", r);
    for (int i = 0; i < 7; ++i)
      for (int k = 0; k < 7; ++k) {
        const double x = values[i];
        const double y = values[k];
        const bool holds[] = {x == y, x != y, x < y, x <= y, !(x < y), !(x <= y)};
        EXPECT_EQ(call("compare", numbers[i], numbers[k]), holds[r] ? "t" : "nil") << x << " " << r << " " << y;
      }
    EXPECT_EQ(call("compare", "1", "1.0"), "(failed (wrong-type-argument floatp 1))");
    EXPECT_EQ(call("compare", "1.0", "1"), "(failed (wrong-type-argument floatp 1))");
  }
}

TEST_F(OpFamilies, Truth) {
  define_jump("false?", Op::jump_false, 1);
  define_jump("true?", Op::jump_not_false, 1);
  define_jump("empty?", Op::jump_empty, 1);
  define_jump("full?", Op::jump_not_empty, 1);
  struct Case {
    const char* form;
    bool is_false;
    bool is_empty;
  };
  const Case cases[] = {{"nil", true, true},
                        {"'false", true, true},
                        {"'true", false, false},
                        {"t", false, false},
                        {"0", false, true},
                        {"1", false, false},
                        {"-9223372036854775808", false, false},
                        {"0.0", false, true},
                        {"-0.0", false, true},
                        {"0.5", false, false},
                        {"0.0e+NaN", false, false},
                        {"\"\"", false, true},
                        {"(string-to-multibyte \"\")", false, true},
                        {"\"0\"", false, false},
                        {"[]", false, true},
                        {"[0]", false, false},
                        {"(make-bool-vector 0 nil)", false, true},
                        {"(make-bool-vector 1 nil)", false, false},
                        {"(make-hash-table)", false, true},
                        {"(let ((h (make-hash-table))) (puthash nil nil h) h)", false, false},
                        {"(let ((h (make-hash-table))) (puthash 1 1 h) (remhash 1 h) h)", false, true},
                        {"(list0)", false, true},
                        {"(list1 nil)", false, false},
                        {"(list nil)", false, false},
                        {"(record 'x)", false, false},
                        {"'car", false, false},
                        {"(symbol-function 'car)", false, false}};
  for (const Case& c : cases) {
    EXPECT_EQ(call("false?", c.form), c.is_false ? "t" : "nil") << c.form;
    EXPECT_EQ(call("true?", c.form), c.is_false ? "nil" : "t") << c.form;
    EXPECT_EQ(call("empty?", c.form), c.is_empty ? "t" : "nil") << c.form;
    EXPECT_EQ(call("full?", c.form), c.is_empty ? "nil" : "t") << c.form;
  }
}

class OpEquality : public OpFamilies {
 protected:
  OpEquality() {
    define_binary("same", Op::same);
    define_jump("same?", Op::jump_same, 2);
    define_jump("other?", Op::jump_not_same, 2);
  }
  // Both ways round, as a value and as both jumps.
  std::string same(const std::string& a, const std::string& b) {
    const std::string v = call("same", a, b);
    EXPECT_EQ(call("same", b, a), v) << a << " " << b;
    EXPECT_EQ(call("same?", a, b), v) << a << " " << b;
    EXPECT_EQ(call("other?", a, b), v == "t" ? "nil" : "t") << a << " " << b;
    return v;
  }
};

TEST_F(OpEquality, EveryCombination) {
  // Operands are read anew each time: no two are one object, but symbols and fixnums.
  for (std::size_t i = 0; i < std::size(kOperands); ++i)
    for (std::size_t k = 0; k < std::size(kOperands); ++k) {
      const std::string a = kOperands[i].form;
      const std::string b = kOperands[k].form;
      const bool equal = (i == k && a != "0.0e+NaN") || (a == "0" && b == "-0.0") || (a == "-0.0" && b == "0");
      EXPECT_EQ(same(a, b), equal ? "t" : "nil") << a << " " << b;
    }
}

TEST_F(OpEquality, Numbers) {
  EXPECT_EQ(same("1", "1.0"), "t");
  EXPECT_EQ(same("9007199254740992", "9007199254740992.0"), "t");
  EXPECT_EQ(same("9007199254740993", "9007199254740992.0"), "nil");
  EXPECT_EQ(same("9223372036854775807", "9223372036854775808.0"), "nil");
  EXPECT_EQ(same("9223372036854775808", "9223372036854775808.0"), "t");
  EXPECT_EQ(same("1", "\"1\""), "nil");
  EXPECT_EQ(same("0", "nil"), "nil");
  // NaN differs from itself, one object or not, at the top or inside.
  EXPECT_EQ(w_.eval("(let ((n 0.0e+NaN)) (same n n))"), "nil");
  EXPECT_EQ(w_.eval("(let ((v (vector 1 (list1 0.0e+NaN)))) (same v v))"), "nil");
  EXPECT_EQ(w_.eval("(let ((v (vector 1 (list1 2.0)))) (same v v))"), "t");
}

TEST_F(OpEquality, Contents) {
  EXPECT_EQ(same("(list2 1 (list1 \"a\"))", "(list2 1.0 (list1 \"a\"))"), "t");
  EXPECT_EQ(same("(list2 1 2)", "(list3 1 2 3)"), "nil");
  EXPECT_EQ(same("(list2 1 2)", "(vector 1 2)"), "nil");
  EXPECT_EQ(same("(list2 1 2)", "(list 1 2)"), "nil");
  EXPECT_EQ(same("'(1 (2 . 3) . 4)", "'(1.0 (2 . 3) . 4)"), "t");
  EXPECT_EQ(same("'(1 2)", "'(1 2 . 3)"), "nil");
  EXPECT_EQ(same("[1 [2 \"x\"] nil]", "[1 [2 \"x\"] nil]"), "t");
  EXPECT_EQ(same("(record 'p 1)", "(record 'p 1)"), "t");
  EXPECT_EQ(same("(record 'p 1)", "(vector 'p 1)"), "nil");
  EXPECT_EQ(same("(make-bool-vector 9 t)", "(make-bool-vector 9 t)"), "t");
  EXPECT_EQ(same("(make-bool-vector 9 t)", "(make-bool-vector 10 t)"), "nil");
  EXPECT_EQ(same("\"\\u00e9\"", "\"\\u00e9\""), "t");
  EXPECT_EQ(same("\"a\"", "(string-to-multibyte \"a\")"), "t");
  const auto table = [](const char* puts, const char* test = "equal") {
    return std::string("(let ((h (make-hash-table :test '") + test + "))) " + puts + " h)";
  };
  EXPECT_EQ(same(table("(puthash \"a\" (list1 1) h) (puthash 'b 2 h)"),
                 table("(puthash 'b 2.0 h) (puthash \"a\" (list1 1) h)")),
            "t");
  EXPECT_EQ(same(table("(puthash 'a 1 h)"), table("(puthash 'a 2 h)")), "nil");
  EXPECT_EQ(same(table("(puthash 'a 1 h)"), table("(puthash 'b 1 h)")), "nil");
  EXPECT_EQ(same(table("(puthash 'a nil h)"), table("")), "nil");
  EXPECT_EQ(same(table("(puthash 'a 1 h)"), table("(puthash 'a 1 h)", "eq")), "nil");
  // Functions are the same when they are identical.
  EXPECT_EQ(w_.eval("(same #[0 \"\\300\\207\" [1] 1] #[0 \"\\300\\207\" [1] 1])"), "nil");
  EXPECT_EQ(w_.eval("(let ((f #[0 \"\\300\\207\" [1] 1])) (same f f))"), "t");
  EXPECT_EQ(w_.eval("(let ((f #[0 \"\\300\\207\" [1] 1])) (same (list1 f) (list1 f)))"), "t");
  EXPECT_EQ(same("(make-symbol \"a\")", "(make-symbol \"a\")"), "nil");
}

TEST_F(OpEquality, Cycles) {
  w_.eval("(fset 'ring '(lambda (n) (let* ((l (make-list n 1))) (setcdr (nthcdr (1- n) l) l) l)))");
  EXPECT_EQ(same("(ring 3)", "(ring 3)"), "t");
  EXPECT_EQ(same("(ring 1000)", "(ring 1000)"), "t");
  // The same endless list, told in different lengths: as many steps as there are conses, not as pairs of them.
  EXPECT_EQ(same("(ring 3001)", "(ring 2003)"), "t");
  EXPECT_EQ(same("(ring 1000)", "(make-list 5000 1)"), "nil");
  EXPECT_EQ(same("(let ((l (ring 3))) (setcar (cdr l) 2) l)", "(ring 3)"), "nil");
  const char* self = "(let ((v (vector 1 nil))) (aset v 1 v) v)";
  EXPECT_EQ(same(self, self), "t");
  EXPECT_EQ(w_.eval(std::string("(let ((v ") + self + ")) (same v v))"), "t");
  EXPECT_EQ(same(self, std::string("(vector 1 ") + self + ")"), "t");
  EXPECT_EQ(same(self, "(let ((v (vector 1 nil))) (aset v 1 (list1 v)) v)"), "nil");
}

// Depth takes no native stack, sharing no more steps than there are objects.
TEST_F(OpEquality, DeepAndShared) {
  w_.eval("(fset 'deep '(lambda (n) (let ((v 1)) (while (> n 0) (setq v (vector v) n (1- n))) v)))");
  w_.eval("(fset 'deep-list '(lambda (n) (let ((v 1)) (while (> n 0) (setq v (list1 v) n (1- n))) v)))");
  w_.eval("(fset 'tree '(lambda (n) (let ((v 1)) (while (> n 0) (setq v (cons v v) n (1- n))) v)))");
  EXPECT_EQ(same("(deep 200000)", "(deep 200000)"), "t");
  EXPECT_EQ(same("(deep-list 200000)", "(deep-list 200000)"), "t");
  EXPECT_EQ(same("(deep 200000)", "(deep 199999)"), "nil");
  EXPECT_EQ(same("(tree 500)", "(tree 500)"), "t");
  EXPECT_EQ(w_.eval("(let ((v (tree 500))) (same v v))"), "t");
  EXPECT_EQ(same("(tree 500)", "(tree 501)"), "nil");
}

// Straight programs in variables that hold integers, floats and strings, against C++'s own; strings are copied to other
// variables and grow in place.
class RandomValues {
 public:
  static constexpr unsigned kVariables = 6;
  static constexpr const char* kConstants =
      "[0 1 -1 7 4611686018427387904 -9223372036854775808 0.5 -3.25 1e10 \"a\" \"bc\" \"\" garbage-collect]";
  RandomValues(Builder& b, std::mt19937& random) : b_(b), random_(random), vars_(kVariables) {
    b_.use(kVariables + 1);
    for (unsigned v = 0; v < kVariables; ++v) load(v, pick(12));
  }
  void statement() {
    const unsigned x = pick(kVariables);
    const unsigned y = pick(kVariables);
    const unsigned z = pick(3) == 0 ? x : pick(kVariables);
    const Model a = vars_[y];
    const Model c = vars_[z];
    switch (pick(8)) {
      case 0: load(x, pick(12)); return;
      case 1:
        if (x == y) return;
        b_.emit(Op::share, y);
        b_.emit(Op::mov, x, y);
        vars_[x] = a;
        return;
      case 2: b_.call_global(kVariables, 12, {}); return;
      case 3: return integers(x, y, z);
      case 4:
        if (a.kind != 'f' || c.kind != 'f') return;
        b_.emit(Op::float_div, x, y, z);
        vars_[x] = {'f', 0, a.real / c.real, ""};
        return;
      default: break;
    }
    const unsigned op = a.kind == 's' ? 0 : pick(3);
    constexpr Op kOps[] = {Op::plus, Op::minus, Op::times};
    if (a.kind == 's' || c.kind == 's') {
      if (a.kind != c.kind || a.text.size() + c.text.size() > 200) return;
      vars_[x] = {'s', 0, 0, a.text + c.text};
    } else if (a.kind == 'i' && c.kind == 'i') {
      const auto u = static_cast<std::uint64_t>(a.integer);
      const auto v = static_cast<std::uint64_t>(c.integer);
      vars_[x] = {'i', static_cast<std::int64_t>(op == 0 ? u + v : op == 1 ? u - v : u * v), 0, ""};
    } else {
      const double u = a.kind == 'i' ? static_cast<double>(a.integer) : a.real;
      const double v = c.kind == 'i' ? static_cast<double>(c.integer) : c.real;
      vars_[x] = {'f', 0, op == 0 ? u + v : op == 1 ? u - v : u * v, ""};
    }
    b_.emit(kOps[op], x, y, z);
  }
  // Ends the program, which returns a list of the variables.
  void finish() {
    std::vector<std::uint8_t> all;
    for (unsigned v = 0; v < kVariables; ++v) all.push_back(static_cast<std::uint8_t>(v));
    b_.emit_arguments(Op::list, kVariables, 0, all);
    b_.emit(Op::return_, kVariables);
  }
  void check(Context& cx, Value v) {
    for (const Model& m : vars_) {
      ASSERT_TRUE(v.is_cons());
      const Value found = car_raw(v);
      v = cdr_raw(v);
      if (m.kind == 'i') {
        EXPECT_EQ(found.is_exit() ? 0 : integer_clamped(cx, found).get_raw(), m.integer);
      } else if (m.kind == 's') {
        ASSERT_TRUE(found.is_string());
        EXPECT_EQ(to_std_string(found), m.text);
      } else {
        ASSERT_TRUE(found.is_float());
        const double d = float_raw(found);
        EXPECT_TRUE(d == m.real || (std::isnan(d) && std::isnan(m.real))) << d << " " << m.real;
      }
    }
  }

 private:
  struct Model {
    char kind = 'i';  // i, f or s
    std::int64_t integer = 0;
    double real = 0;
    std::string text;
  };
  unsigned pick(unsigned n) { return static_cast<unsigned>(random_()) % n; }
  void load(unsigned x, unsigned k) {
    const Model known[] = {{'i', 0, 0, ""},         {'i', 1, 0, ""},         {'i', -1, 0, ""},  {'i', 7, 0, ""},
                           {'i', 1LL << 62, 0, ""}, {'i', INT64_MIN, 0, ""}, {'f', 0, 0.5, ""}, {'f', 0, -3.25, ""},
                           {'f', 0, 1e10, ""},      {'s', 0, 0, "a"},        {'s', 0, 0, "bc"}, {'s', 0, 0, ""}};
    b_.emit_wide(Op::load_k, x, k);
    vars_[x] = known[k];
  }
  // What cannot fail of the integers, and a jump over a load.
  void integers(unsigned x, unsigned y, unsigned z) {
    const Model& a = vars_[y];
    const Model& c = vars_[z];
    if (a.kind != 'i' || c.kind != 'i') return;
    const __int128 u = a.integer;
    const __int128 v = c.integer;
    const unsigned which = pick(5);
    if (which == 4) {
      const auto over = b_.make_label();
      const auto relation = static_cast<Relation>(pick(core::bytecode::kRelations));
      const bool jumps = core::relation_holds(static_cast<unsigned>(relation), a.integer, c.integer);
      const Model before = vars_[x];
      b_.compare(Op::jump_int, y, relation, z, over);
      load(x, pick(12));
      b_.bind(over);
      if (jumps) vars_[x] = before;
      return;
    }
    if (which == 3 && v == 0) return;
    const __int128 r = which == 0 ? u + v : which == 1 ? u - v : which == 2 ? u * v : u / v;
    if (r < INT64_MIN || r > INT64_MAX) return;
    constexpr Op kOps[] = {Op::int_add_checked, Op::int_sub_checked, Op::int_mul_checked, Op::int_div};
    b_.emit(kOps[which], x, y, z);
    vars_[x] = {'i', static_cast<std::int64_t>(r), 0, ""};
  }
  Builder& b_;
  std::mt19937& random_;
  std::vector<Model> vars_;
};

void run_random_values(test::RegisterWorld& w, int rounds) {
  std::mt19937 random(static_cast<unsigned>(20261121 + ::testing::UnitTest::GetInstance()->random_seed()));
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE(round);
    Builder b;
    RandomValues program(b, random);
    for (int i = 0; i < 80; ++i) program.statement();
    program.finish();
    ASSERT_EQ(w.define("program", b, 0, RandomValues::kConstants), "");
    for (int times = 0; times < 2; ++times) program.check(w.cx(), funcall_re(w.cx(), w.symbol("program"), {}));
    if (::testing::Test::HasFailure()) return;
  }
}

TEST_F(OpFamilies, RandomPrograms) { run_random_values(w_, 300); }

TEST(OpFamiliesStress, RandomPrograms) {
  test::RegisterWorld w(true);
  run_random_values(w, 20);
}

TEST_F(OpFamilies, VerifierRefusesRelations) {
  core::bytecode::Code c;
  c.registers = 2;
  c.words = {core::bytecode::encode(Op::jump_int, 0, 1, core::bytecode::kRelations), 0,
             core::bytecode::encode(Op::return_, 0)};
  const auto any = [](unsigned, unsigned) { return true; };
  EXPECT_EQ(verify(c, any), "word 0: no such relation");
  c.words[0] = core::bytecode::encode(Op::jump_float, 0, 1, core::bytecode::kRelations - 1);
  EXPECT_EQ(verify(c, any), "");
}

}  // namespace
