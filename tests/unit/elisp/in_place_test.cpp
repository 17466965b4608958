// x = x + … in place while one variable holds the value, and never when another holder could see it.
#include <random>

#include "neovm/core/array_list.hpp"
#include "neovm/core/heap.hpp"
#include "register_program.hpp"

namespace {

using namespace neovm;
using core::bytecode::Builder;
using core::bytecode::Op;
using core::bytecode::Relation;

std::uint64_t allocated(Context& cx) { return core::heap_statistics(cx.heap()).bytes_allocated; }

class InPlace : public ::testing::Test {
 protected:
  // (fill n every): x starts as constant 0 of CONSTANTS, or as a new list; n times x = x + [i] (with a list) or
  // x = x + constant 3; each EVERY rounds another variable gets x. Returns the length of x.
  void define_fill(const char* name, bool lists, const std::string& start = "nil") {
    Builder b;
    b.use(7);
    const unsigned x = 2;
    const unsigned i = 3;
    const unsigned y = 4;
    const unsigned t = 5;
    const unsigned zero = 6;
    const auto again = b.make_label();
    const auto done = b.make_label();
    const auto go_on = b.make_label();
    b.emit_wide(Op::load_k, zero, 1);
    b.emit_wide(Op::load_k, i, 1);
    lists ? b.emit_arguments(Op::make_list, x, 0, {}) : b.emit_wide(Op::load_k, x, 0);
    b.bind(again);
    b.compare(Op::jump_int, i, Relation::kNotLess, 0, done);
    if (lists) {
      b.emit(Op::append_item, x, x, i);
    } else {
      b.emit_wide(Op::load_k, t, 3);
      b.emit(Op::plus, x, x, t);
    }
    b.emit_wide(Op::load_k, t, 2);
    b.emit(Op::int_add, i, i, t);
    b.emit(Op::int_rem, t, i, 1);
    b.compare(Op::jump_int, t, Relation::kNotEqual, zero, go_on);
    b.emit(Op::share, x);
    b.emit(Op::mov, y, x);
    b.bind(go_on);
    b.jump(again);
    b.bind(done);
    b.emit(Op::length_of, x, x);
    b.emit(Op::return_, x);
    EXPECT_EQ(w_.define(name, b, 2, "[" + start + " 0 1 \"abc\"]"), "");
  }
  // Bytes allocated by a call.
  std::uint64_t cost(const std::string& call, const std::string& value) {
    (void)w_.eval("(garbage-collect)");
    const std::uint64_t before = allocated(w_.cx());
    EXPECT_EQ(w_.eval(call), value) << call;
    (void)w_.eval("(garbage-collect)");
    return allocated(w_.cx()) - before;
  }
  test::RegisterWorld w_;
};

// In bytes, because they do not depend on the machine.
TEST_F(InPlace, AppendsAreLinear) {
  constexpr std::uint64_t kSlack = 4 << 20;  // what is around the call
  define_fill("fill", true);
  const std::uint64_t alone = cost("(fill 100000 200000)", "100000");
  EXPECT_LT(alone, 100'000 * 8 * 6 + kSlack);
  // A second holder now and then costs a copy each time.
  const std::uint64_t shared = cost("(fill 100000 10000)", "100000");
  EXPECT_LT(shared, alone + 10 * 100'000 * 8 * 3);
  // One at each turn: every append copies.
  EXPECT_GT(cost("(fill 4000 1)", "4000"), 4000ULL * 4000 / 2 * 8 * 9 / 10);
}

TEST_F(InPlace, StringsAreLinear) {
  constexpr std::uint64_t kSlack = 4 << 20;
  define_fill("fill", false, "\"\"");
  const std::uint64_t alone = cost("(fill 100000 200000)", "300000");
  EXPECT_LT(alone, 300'000 * 6 + kSlack);
  EXPECT_LT(cost("(fill 100000 10000)", "300000"), alone + 10 * 300'000 * 3);
  EXPECT_GT(cost("(fill 8000 1)", "24000"), 8000ULL * 8000 / 2 * 3 * 9 / 10);
  // The constant that it started from is what it was.
  define_fill("more", false, "\"start\"");
  EXPECT_EQ(w_.eval("(list (more 5 100) (more 5 100) (aref (aref (symbol-function 'more) 2) 0))"), "(20 20 \"start\")");
  EXPECT_EQ(w_.eval("(aref (aref (symbol-function 'more) 2) 3)"), "\"abc\"");
}

// Each of these ends with (list x y …) of one program.
class Aliases : public InPlace {
 protected:
  Aliases() {
    for (unsigned r = 0; r < 8; ++r) b_.use(r);
    list(x, {});
    append(x, 1);
  }
  static constexpr unsigned x = 0, y = 1, z = 2, t = 3;
  void list(unsigned to, std::initializer_list<std::uint8_t> items) {
    b_.emit_arguments(Op::make_list, to, 0, std::vector<std::uint8_t>(items));
  }
  void append(unsigned to, unsigned constant) {
    b_.emit_wide(Op::load_k, t, constant);
    b_.emit(Op::append_item, to, to, t);
  }
  void call(unsigned to, unsigned constant, std::initializer_list<std::uint8_t> args) {
    b_.call_global(to, constant, std::vector<std::uint8_t>(args));
  }
  std::string result(std::initializer_list<std::uint8_t> shown) {
    b_.emit_arguments(Op::list, t, 0, std::vector<std::uint8_t>(shown));
    b_.emit(Op::return_, t);
    EXPECT_EQ(w_.define("program", b_, 0, "[0 1 2 3 vector aset aref callee fset-later identity prin1-to-string]"), "");
    const std::string once = w_.eval("(program)");
    EXPECT_EQ(w_.eval("(program)"), once);
    return once;
  }
  Builder b_;
};

TEST_F(Aliases, AnotherVariable) {
  b_.emit(Op::share, x);
  b_.emit(Op::mov, y, x);
  append(x, 2);
  append(y, 3);
  append(x, 2);
  EXPECT_EQ(result({x, y}), "(#<array-list 1 2 2> #<array-list 1 3>)");
}

TEST_F(Aliases, ReplacedItems) {
  b_.emit(Op::share, x);
  b_.emit(Op::mov, y, x);
  b_.emit_wide(Op::load_k, z, 0);
  b_.emit_wide(Op::load_k, t, 3);
  b_.emit(Op::replace_item, x, z, t);
  b_.emit_wide(Op::load_k, t, 2);
  b_.emit(Op::replace_item, x, z, t);  // now in place
  EXPECT_EQ(result({x, y}), "(#<array-list 2> #<array-list 1>)");
}

TEST_F(Aliases, TheSameTwiceInOneExpression) {
  append(x, 2);
  b_.emit(Op::plus, y, x, x);
  b_.emit(Op::plus, x, x, x);
  b_.emit(Op::plus, x, x, x);
  EXPECT_EQ(result({x, y}), "(#<array-list 1 2 1 2 1 2 1 2> #<array-list 1 2 1 2>)");
}

TEST_F(Aliases, IntoItself) {
  b_.emit(Op::append_item, x, x, x);
  b_.emit(Op::append_item, x, x, x);
  append(x, 3);
  EXPECT_EQ(result({x}), "(#<array-list 1 #<array-list 1> #<array-list 1 #<array-list 1>> 3>)");
}

TEST_F(Aliases, InAnotherList) {
  list(y, {x, x});
  append(x, 2);
  b_.emit_wide(Op::load_k, t, 0);
  b_.emit(Op::item_at, z, y, t);
  append(z, 3);
  EXPECT_EQ(result({x, y, z}), "(#<array-list 1 2> #<array-list #<array-list 1> #<array-list 1>> #<array-list 1 3>)");
}

TEST_F(Aliases, OneThatWasReplacedInto) {
  list(y, {x});
  list(x, {});
  append(x, 2);
  b_.emit_wide(Op::load_k, z, 0);
  b_.emit(Op::replace_item, y, z, x);
  append(x, 3);
  EXPECT_EQ(result({x, y}), "(#<array-list 2 3> #<array-list #<array-list 2>>)");
}

TEST_F(Aliases, InAVector) {
  b_.emit(Op::share, x);
  call(y, 4, {x, x});
  append(x, 2);
  b_.emit_wide(Op::load_k, t, 0);
  call(z, 6, {y, t});
  b_.emit(Op::share, z);
  append(z, 3);
  EXPECT_EQ(result({x, y, z}), "(#<array-list 1 2> [#<array-list 1> #<array-list 1>] #<array-list 1 3>)");
}

TEST_F(Aliases, AsAnArgument) {
  Builder f;  // (callee p): p = p + [2]
  f.use(1);
  f.emit_wide(Op::load_k, 1, 0);
  f.emit(Op::append_item, 0, 0, 1);
  f.emit(Op::return_, 0);
  ASSERT_EQ(w_.define("callee", f, 1, "[2]"), "");
  b_.emit(Op::share, x);
  call(y, 7, {x});
  append(x, 3);
  append(y, 3);
  EXPECT_EQ(result({x, y}), "(#<array-list 1 3> #<array-list 1 2 3>)");
}

TEST_F(Aliases, InAClosure) {
  w_.eval("(fset 'callee '(lambda (v) (make-closure #[0 \"\\300\\207\" [v] 1] v)))");
  b_.emit(Op::share, x);
  call(y, 7, {x});
  append(x, 2);
  b_.call(z, y, {});
  b_.emit(Op::share, z);
  append(z, 3);
  b_.call(y, y, {});
  EXPECT_EQ(result({x, y, z}), "(#<array-list 1 2> #<array-list 1> #<array-list 1 3>)");
}

// What Lisp has seen does not change, lists and strings alike.
TEST_F(Aliases, InLispsVariables) {
  w_.eval("(fset 'callee '(lambda (v s) (setq seen-list v seen-string s seen-copy (prin1-to-string v))))");
  b_.emit_wide(Op::load_k, y, 10);
  call(y, 10, {y});
  b_.emit(Op::plus, y, y, y);
  b_.emit(Op::plus, y, y, y);
  b_.emit(Op::share, x);
  b_.emit(Op::share, y);
  call(z, 7, {x, y});
  append(x, 2);
  b_.emit(Op::plus, y, y, y);
  EXPECT_EQ(w_.eval("(setq print-length nil)"), "nil");
  const std::string four = "prin1-to-stringprin1-to-stringprin1-to-stringprin1-to-string";
  EXPECT_EQ(result({x, y}), "(#<array-list 1 2> \"" + four + four + "\")");
  EXPECT_EQ(w_.eval("(list seen-list seen-string seen-copy)"),
            "(#<array-list 1> \"" + four + "\" \"#<array-list 1>\")");
}

TEST_F(Aliases, FailuresChangeNothing) {
  Builder p;
  p.use(3);
  p.emit_arguments(Op::make_list, 1, 0, {});
  p.emit_wide(Op::load_k, 2, 0);
  p.emit(Op::append_item, 1, 1, 2);
  const auto landing = p.make_label();
  const auto end = p.make_label();
  p.emit_wide(Op::load_k, 2, 1);
  p.push(Op::push_handler, 2, landing);
  p.emit(Op::plus, 1, 1, 0);
  p.emit(Op::replace_item, 1, 0, 2);
  p.emit(Op::pop_handler);
  p.jump(end);
  p.bind(landing);
  p.emit(Op::landing, 2);
  p.bind(end);
  const std::uint8_t shown[] = {1, 2};
  p.emit_arguments(Op::list, 2, 0, shown);
  p.emit(Op::return_, 2);
  ASSERT_EQ(w_.define("fails", p, 1, "[7 (error)]"), "");
  EXPECT_EQ(w_.eval("(fails 1)"), "(#<array-list 7> (wrong-type-argument array-list-p 1))");
  EXPECT_EQ(w_.eval("(fails \"s\")"), "(#<array-list 7> (wrong-type-argument array-list-p \"s\"))");
  Builder r;
  r.use(3);
  r.emit(Op::replace_item, 0, 1, 2);
  r.emit(Op::return_, 0);
  ASSERT_EQ(w_.define("replace", r, 3, "[nil]"), "");
  Builder a;
  a.use(2);
  a.emit(Op::item_at, 2, 0, 1);
  a.emit(Op::return_, 2);
  ASSERT_EQ(w_.define("at", a, 2, "[nil]"), "");
  Builder m;
  m.use(2);
  m.emit_arguments(Op::make_list, 2, 0, std::vector<std::uint8_t>{0, 1});
  m.emit(Op::return_, 2);
  ASSERT_EQ(w_.define("pair", m, 2, "[nil]"), "");
  Builder l;
  l.use(1);
  l.emit(Op::length_of, 1, 0);
  l.emit(Op::return_, 1);
  ASSERT_EQ(w_.define("size", l, 1, "[nil]"), "");
  EXPECT_EQ(w_.eval("(at (pair 1 2) 1)"), "2");
  EXPECT_EQ(w_.eval("(at (pair 1 2) 2)"), "(failed (args-out-of-range #<array-list 1 2> 2))");
  EXPECT_EQ(w_.eval("(at (pair 1 2) -1)"), "(failed (args-out-of-range #<array-list 1 2> -1))");
  EXPECT_EQ(w_.eval("(at (pair 1 2) 9223372036854775808)"),
            "(failed (args-out-of-range #<array-list 1 2> 9223372036854775808))");
  EXPECT_EQ(w_.eval("(at (pair 1 2) 1.0)"), "(failed (wrong-type-argument integerp 1.0))");
  EXPECT_EQ(w_.eval("(at [1 2] 0)"), "(failed (wrong-type-argument array-list-p [1 2]))");
  EXPECT_EQ(w_.eval("(replace (pair 1 2) 0 'new)"), "#<array-list new 2>");
  EXPECT_EQ(w_.eval("(replace (pair 1 2) 2 'new)"), "(failed (args-out-of-range #<array-list 1 2> 2))");
  EXPECT_EQ(w_.eval("(replace '(1 2) 0 'new)"), "(failed (wrong-type-argument array-list-p (1 2)))");
  EXPECT_EQ(w_.eval("(list (size (pair 1 2)) (size \"h\\u00e9\") (size [1 2 3]) (size (make-hash-table)))"),
            "(2 2 3 0)");
  EXPECT_EQ(w_.eval("(size 'x)"), "(failed (wrong-type-argument sequencep x))");
  EXPECT_EQ(w_.eval("(type-of (pair 1 2))"), "array-list");
  EXPECT_EQ(w_.eval("(let ((p (pair 1 2))) (list (equal p p) (equal p (pair 1 2)) (sequencep p) (arrayp p)))"),
            "(t nil nil nil)");
  EXPECT_EQ(w_.eval("(let ((print-length 1)) (prin1-to-string (pair 1 2)))"), "\"#<array-list 1 ...>\"");
  EXPECT_EQ(w_.eval("(let ((v (vector nil))) (aset v 0 (pair v 1)) (prin1-to-string v))"), "\"[#<array-list #0 1>]\"");
  EXPECT_EQ(w_.eval("(let* ((print-circle t) (p (pair 1 2))) (prin1-to-string (pair p p)))"),
            "\"#<array-list #1=#<array-list 1 2> #1#>\"");
}

// Unibyte text above ASCII, multibyte text, and what becomes of one with the other.
TEST_F(InPlace, KindsOfStrings) {
  Builder b;  // (join a b c): x = a + b; x = x + c; x = x + x
  b.use(3);
  b.emit(Op::plus, 3, 0, 1);
  b.emit(Op::plus, 3, 3, 2);
  b.emit(Op::plus, 3, 3, 3);
  b.emit(Op::return_, 3);
  ASSERT_EQ(w_.define("join", b, 3, "[nil]"), "");
  const char* const strings[] = {"\"\"",
                                 "\"a\"",
                                 "\"\\303\\251\"",
                                 "\"\u00e9\u20ac\"",
                                 "(string-to-multibyte \"\\377x\")",
                                 "(propertize \"p\" 'face 'bold)"};
  w_.eval("(fset 'propertize '(lambda (s &rest p) s))");
  for (const char* a : strings)
    for (const char* c : strings)
      for (const char* d : strings) {
        const std::string args = std::string(a) + " " + c + " " + d;
        std::string form = "(let ((j (join ";
        form += args;
        form += ")) (c (concat ";
        form += args;
        form += " ";
        form += args;
        form += "))) (list (equal j c) (eq (multibyte-string-p j) (multibyte-string-p c))))";
        EXPECT_EQ(w_.eval(form), "(t t)") << args;
      }
}

// ---- random programs against a model of values ------------------------------------------------------------------------------

struct Model {
  bool is_list = false;
  std::int64_t number = 0;
  std::vector<Model> items;
  [[nodiscard]] std::string text() const {
    if (!is_list) return std::to_string(number);
    std::string s = "#<array-list";
    for (const Model& m : items) s += " " + m.text();
    return s + ">";
  }
  [[nodiscard]] std::size_t size() const {
    std::size_t n = 1;
    for (const Model& m : items) n += m.size();
    return n;
  }
};

// A program in variables that hold lists, with the model of what they hold.
class RandomLists {
 public:
  static constexpr unsigned kVariables = 5;
  RandomLists(Builder& b, std::mt19937& random) : b_(b), random_(random), vars_(kVariables) {
    b_.use(kVariables + 2);
    for (unsigned v = 0; v < kVariables; ++v) {
      b_.emit_arguments(Op::make_list, v, 0, {});
      vars_[v].is_list = true;
    }
  }
  void statement() {
    const unsigned x = pick(kVariables);
    const unsigned y = pick(kVariables);
    const unsigned z = pick(kVariables);
    const unsigned t = kVariables;
    switch (pick(12)) {
      case 0:  // x = y
        if (x == y) break;
        b_.emit(Op::share, y);
        b_.emit(Op::mov, x, y);
        vars_[x] = Model(vars_[y]);
        break;
      case 1:
      case 2:
      case 3: {  // x = x + [number]
        const unsigned k = pick(4);
        b_.emit_wide(Op::load_k, t, k);
        b_.emit(Op::append_item, x, x, t);
        Model m;
        m.number = k;
        vars_[x].items.push_back(m);
        break;
      }
      case 4: {  // x = x + [y]
        if (vars_[x].size() + vars_[y].size() > 300) break;
        const Model m = vars_[y];
        b_.emit(Op::append_item, x, x, y);
        vars_[x].items.push_back(m);
        break;
      }
      case 5:
      case 6: {  // x = y + z
        if (vars_[y].size() + vars_[z].size() > 300) break;
        Model m = vars_[y];
        const Model more = vars_[z];
        m.items.insert(m.items.end(), more.items.begin(), more.items.end());
        b_.emit(Op::plus, x, y, z);
        vars_[x] = m;
        break;
      }
      case 7: {  // x[i] = number, or y
        if (vars_[x].items.empty()) break;
        const unsigned i = pick(std::min<unsigned>(4, static_cast<unsigned>(vars_[x].items.size())));
        b_.emit_wide(Op::load_k, t, i);
        const Model m = vars_[y];
        if (vars_[x].size() + m.size() > 300) break;
        b_.emit(Op::replace_item, x, t, y);
        vars_[x].items[i] = m;
        break;
      }
      case 8: {  // x = y[i], where that is a list
        const unsigned n = std::min<unsigned>(4, static_cast<unsigned>(vars_[y].items.size()));
        if (n == 0) break;
        const unsigned i = pick(n);
        if (!vars_[y].items[i].is_list) break;
        const Model m = vars_[y].items[i];
        b_.emit_wide(Op::load_k, t, i);
        b_.emit(Op::item_at, x, y, t);
        vars_[x] = m;
        break;
      }
      case 9: {  // x = [y, z]
        if (vars_[y].size() + vars_[z].size() > 300) break;
        Model m;
        m.is_list = true;
        m.items = {vars_[y], vars_[z]};
        b_.emit_arguments(Op::make_list, x, 0,
                          std::vector<std::uint8_t>{static_cast<std::uint8_t>(y), static_cast<std::uint8_t>(z)});
        vars_[x] = m;
        break;
      }
      case 10: {  // x = grown(y)
        if (vars_[y].size() > 300) break;
        Model m = vars_[y];
        Model seven;
        seven.number = 7;
        m.items.push_back(seven);
        b_.emit(Op::share, y);
        b_.call_global(x, 4, std::vector<std::uint8_t>{static_cast<std::uint8_t>(y)});
        vars_[x] = m;
        break;
      }
      default: b_.call_global(t, 5, {}); break;  // garbage-collect
    }
  }
  std::string finish() {
    std::vector<std::uint8_t> all;
    std::string expected = "(";
    for (unsigned v = 0; v < kVariables; ++v) {
      all.push_back(static_cast<std::uint8_t>(v));
      expected += (v == 0 ? "" : " ") + vars_[v].text();
    }
    b_.emit_arguments(Op::list, kVariables, 0, all);
    b_.emit(Op::return_, kVariables);
    return expected + ")";
  }

 private:
  unsigned pick(unsigned n) { return static_cast<unsigned>(random_()) % n; }
  Builder& b_;
  std::mt19937& random_;
  std::vector<Model> vars_;
};

void run_random_lists(test::RegisterWorld& w, int rounds, int statements) {
  Builder f;
  f.use(1);
  f.emit_wide(Op::load_k, 1, 0);
  f.emit(Op::append_item, 0, 0, 1);
  f.emit(Op::return_, 0);
  ASSERT_EQ(w.define("grown", f, 1, "[7]"), "");
  std::mt19937 random(static_cast<unsigned>(20261121 + ::testing::UnitTest::GetInstance()->random_seed()));
  for (int round = 0; round < rounds; ++round) {
    Builder b;
    RandomLists program(b, random);
    for (int i = 0; i < statements; ++i) program.statement();
    const std::string expected = program.finish();
    ASSERT_EQ(w.define("program", b, 0, "[0 1 2 3 grown garbage-collect]"), "");
    ASSERT_EQ(w.eval("(program)"), expected) << "round " << round;
    ASSERT_EQ(w.eval("(program)"), expected) << "round " << round << ", quickened";
  }
}

TEST_F(InPlace, RandomProgramsKeepValues) { run_random_lists(w_, 120, 60); }

TEST(InPlaceStress, RandomProgramsKeepValues) {
  test::RegisterWorld w(true);
  run_random_lists(w, 12, 40);
}

// ---- stopped in between -------------------------------------------------------------------------------------------------------

// (grow-forever): the variable `held` of Lisp gets x after three items; then x grows without end.
void define_grow_forever(test::RegisterWorld& w) {
  Builder b;
  b.use(2);
  const auto again = b.make_label();
  b.emit_arguments(Op::make_list, 0, 0, {});
  b.emit_wide(Op::load_k, 1, 0);
  for (int i = 0; i < 3; ++i) b.emit(Op::append_item, 0, 0, 1);
  b.emit(Op::share, 0);
  b.emit_wide(Op::varset, 0, 1);
  b.bind(again);
  b.emit(Op::append_item, 0, 0, 1);
  b.jump(again);
  ASSERT_EQ(w.define("grow-forever", b, 0, "[5 held]"), "");
}

TEST_F(InPlace, CancelledInBetween) {
  define_grow_forever(w_);
  w_.cx().fuel = 3000;
  w_.cx().on_slice_end = [](Context& cx) -> Value {
    cx.fuel = 3000;
    return signal_error0(cx, Qquit);
  };
  EXPECT_EQ(w_.eval("(grow-forever)"), "(failed (quit))");
  w_.cx().on_slice_end = nullptr;
  EXPECT_EQ(w_.eval("held"), "#<array-list 5 5 5>");
}

// On other threads, slice by slice: lists and strings that grow, tail calls, and the other families in a loop.
TEST_F(InPlace, SuspendedInBetween) {
  // (turn n list text float): while n is not empty, a tail call with all of them grown.
  Builder b;
  b.use(8);
  const auto go_on = b.make_label();
  b.branch(Op::jump_not_empty, 0, 3, go_on);
  b.emit(Op::length_of, 4, 1);
  b.emit(Op::length_of, 5, 2);
  b.emit(Op::share, 2);
  const std::uint8_t shown[] = {4, 5, 3};
  b.emit_arguments(Op::list, 4, 0, shown);
  b.emit(Op::return_, 4);
  b.bind(go_on);
  b.emit(Op::append_item, 1, 1, 0);
  b.emit_wide(Op::load_k, 4, 1);
  b.emit(Op::plus, 2, 2, 4);
  b.emit_wide(Op::load_k, 4, 2);
  b.emit(Op::float_add, 3, 3, 4);
  b.emit_wide(Op::load_k, 4, 4);
  b.emit(Op::int_sub_checked, 0, 0, 4);
  const std::uint8_t all[] = {0, 1, 2, 3};
  b.tail_call_global(0, all);
  ASSERT_EQ(w_.define("turn", b, 4, "[turn \"xy\" 0.5 false 1]"), "");
  Builder s;
  s.use(4);
  s.emit_wide(Op::load_k, 0, 1);
  s.emit_arguments(Op::make_list, 1, 0, {});
  s.emit_wide(Op::load_k, 2, 2);
  s.emit_wide(Op::load_k, 3, 3);
  s.tail_call_global(0, all);
  ASSERT_EQ(w_.define("start", s, 0, "[turn 30000 \"\" 0.0]"), "");
  std::string result;
  EXPECT_GT(w_.run_in_slices("start", &result), 20);
  EXPECT_EQ(result, "(30000 60000 15000.0)");
}

}  // namespace
