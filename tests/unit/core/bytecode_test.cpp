// Register bytecode: what the builder writes, what the verifier accepts, what the disassembler shows.
#include <gtest/gtest.h>

#include <random>

#include "neovm/core/bytecode/builder.hpp"

namespace {

using namespace neovm::core::bytecode;

bool any_primitive(unsigned, unsigned) { return true; }

Code loop_code() {
  // r0: a number. Counts it down to zero, under a handler that gives its error to r2.
  Builder b;
  b.use(3);
  const auto again = b.make_label();
  const auto done = b.make_label();
  const auto landing = b.make_label();
  b.emit_wide(Op::load_k, 1, 0);
  b.push(Op::push_handler, 1, landing);
  b.bind(again);
  b.branch(Op::jump_num_le_k, 0, 1, done);
  b.emit(Op::sub1, 0, 0);
  b.jump(again);
  b.bind(done);
  b.emit(Op::pop_handler);
  const std::uint8_t args[] = {0, 1};
  b.call_global(2, 2, args);
  b.emit(Op::return_, 2);
  b.bind(landing);
  b.emit(Op::landing, 2);
  b.emit(Op::return_, 2);
  EXPECT_FALSE(b.failed());
  Code c = b.finish();
  EXPECT_FALSE(b.failed());
  c.parameters = c.mandatory = 1;
  c.constants = 3;
  return c;
}

TEST(Bytecode, BuilderAndVerifierAgree) {
  const Code c = loop_code();
  EXPECT_EQ(verify(c, any_primitive), "");
  EXPECT_EQ(c.caches, 1);
}

TEST(Bytecode, Disassembly) {
  const Code c = loop_code();
  EXPECT_EQ(disassemble(c, c.words, [](unsigned k) { return "<" + std::to_string(k) + ">"; }),
            "4 registers, 1 to 1 arguments, 14 words\n"
            "    0        load_k r1 k0 <0>\n"
            "    1        push_handler r1 -> 12\n"
            "    3        jump_num_le_k r0 k1 <1> -> 7\n"
            "    5        sub1 r0 r0\n"
            "    6        loop -> 3\n"
            "    7        pop_handler\n"
            "    8        call_global r2 k2 <2> cache 0 (r0 r1)\n"
            "   11        return_ r2\n"
            "   12        landing r2\n"
            "   13        return_ r2\n");
}

// What is never reached may hold any operand: it is shown, but its constants are not looked up.
TEST(Bytecode, DisassemblyOfUnreachedCode) {
  Code c;
  c.registers = 1;
  c.constants = 1;
  c.words = {encode(Op::return_, 0), encode(Op::load_k, 9) | 300U << 16, encode(Op::return_, 0)};
  ASSERT_EQ(verify(c, any_primitive), "");
  unsigned asked = 0;
  const std::string text = disassemble(c, c.words, [&](unsigned k) {
    asked += k + 1;
    return std::string("constant");
  });
  EXPECT_NE(text.find("load_k r9 k300\n"), std::string::npos) << text;
  EXPECT_EQ(asked, 0U);
}

TEST(Bytecode, BackwardBranchesPassASafepoint) {
  Builder b;
  b.use(0);
  const auto again = b.make_label();
  b.bind(again);
  b.emit(Op::sub1, 0, 0);
  b.branch(Op::jump_true, 0, again);
  b.emit(Op::return_, 0);
  const Code c = b.finish();
  EXPECT_EQ(verify(c, any_primitive), "");
  // The same without `loop` is refused.
  Code wrong;
  wrong.registers = 1;
  wrong.words = {encode(Op::jump_true, 0) | 0xFFFFU << 16, encode(Op::return_, 0)};
  EXPECT_NE(verify(wrong, any_primitive).find("without a safepoint"), std::string::npos);
}

TEST(Bytecode, RefusalsHaveReasons) {
  const auto why = [](std::vector<Word> words, auto change) {
    Code c;
    c.registers = 2;
    c.constants = 1;
    c.words = std::move(words);
    change(c);
    return verify(c, [](unsigned opcode, unsigned n) { return opcode == 80 && n == 2; });
  };
  const auto same = [](Code&) {};
  EXPECT_EQ(why({encode(Op::return_, 1)}, same), "");
  EXPECT_EQ(why({}, same), "no instructions");
  EXPECT_EQ(why({encode(Op::return_, 2)}, same), "word 0: register out of range");
  EXPECT_EQ(why({encode(Op::mov, 0, 1)}, same), "word 0: runs off the end");
  EXPECT_EQ(why({0xFF}, same), "word 0: no such opcode");
  EXPECT_EQ(why({encode(Op::load_k, 0) | 1U << 16, encode(Op::return_, 0)}, same), "word 0: constant out of range");
  EXPECT_EQ(why({encode(Op::call_global, 0, 1), 0, 0, encode(Op::return_, 0)}, same), "word 0: cache out of range");
  EXPECT_EQ(why({encode(Op::call_global, 0, 1), 0}, same), "word 0: cut off");
  EXPECT_EQ(why({encode(Op::call, 0, 2, 1), 0x0200, encode(Op::return_, 0)}, same), "word 0: argument out of range");
  EXPECT_EQ(why({encode(Op::jump) | 7U << 16}, same), "word 0: goes to no instruction");
  EXPECT_EQ(why({encode(Op::pop_handler), encode(Op::return_, 0)}, same), "word 0: no handler to pop");
  EXPECT_EQ(why({encode(Op::push_catch, 0), 0, encode(Op::return_, 0)}, same), "word 0: handler without a landing");
  EXPECT_EQ(why({encode(Op::push_catch, 0), 0, encode(Op::landing, 0), encode(Op::return_, 0)}, same),
            "word 2: reached with different handlers");
  EXPECT_EQ(why({encode(Op::prim, 0, 1, 80), 0, encode(Op::return_, 0)}, same), "word 0: no such primitive");
  EXPECT_EQ(why({encode(Op::prim, 0, 2, 80), 0, encode(Op::return_, 0)}, same), "");
  EXPECT_EQ(why({encode(Op::call_code, 0, 0), 0, encode(Op::return_, 0)}, same), "word 0: a quickened form");
  EXPECT_EQ(why({encode(Op::return_, 1)}, [](Code& c) { c.parameters = 3; }), "more parameters than registers");
  EXPECT_EQ(why({encode(Op::return_, 1)}, [](Code& c) { c.targets = {{0, 5}}; }), "bad switch target");
  // A cache knows what its instruction does with the function: it serves no other.
  const auto one_cache = [](Code& c) { c.caches = 1; };
  const std::vector<Word> sharing = {encode(Op::call_global, 0, 1), 0, 0, encode(Op::call_source, 0, 1), 0, 1, 0,
                                     encode(Op::return_, 0)};
  EXPECT_EQ(why(sharing, one_cache), "word 3: cache of another instruction");
  EXPECT_EQ(why({encode(Op::call_global, 0, 1), 0, 0, encode(Op::loop) | 0xFFFCU << 16}, one_cache), "");
}

// Code made from source says how many forms are in progress: it counts from where it was entered, and is back there at the end.
TEST(Bytecode, VerifierFollowsTheDepth) {
  const auto why = [](std::vector<Word> words, bool source = true) {
    Code c;
    c.registers = 3;
    c.parameters = 1;
    c.source = source;
    c.words = std::move(words);
    return verify(c, any_primitive);
  };
  const Word end = encode(Op::return_, 0);
  const auto depth = [](unsigned k) { return encode(Op::depth, 2, k); };
  EXPECT_EQ(why({depth(3), depth(0), end}), "");
  EXPECT_EQ(why({depth(3), depth(0), end}, false), "word 0: not made from source");
  EXPECT_EQ(why({encode(Op::materialize, 0), end}, false), "word 0: not made from source");
  EXPECT_EQ(why({depth(1), end}), "word 1: returns at another depth");
  EXPECT_EQ(why({encode(Op::depth, 1, 0), end}), "word 0: counts from no depth");
  EXPECT_EQ(why({encode(Op::mov, 2, 0), end}), "word 0: writes the depth");
  EXPECT_EQ(why({encode(Op::bind_env, 2, 0), 0, end}), "word 0: writes the depth");
  // One path leaves a form in progress.
  EXPECT_EQ(why({encode(Op::jump_nil, 0) | 1U << 16, depth(1), end}), "word 2: returns at another depth");
  EXPECT_EQ(why({encode(Op::jump_nil, 0) | 1U << 16, depth(1), depth(0), end}), "");
  // A handler goes on at the depth that it was pushed at.
  const std::vector<Word> handled = {
      depth(1),        encode(Op::push_catch, 0), 5,        depth(2), encode(Op::pop_handler), depth(0), end,
      encode(Op::nop), encode(Op::landing, 0),    depth(0), end};
  EXPECT_EQ(why(handled), "");
  std::vector<Word> forgets = handled;
  forgets[9] = encode(Op::nop);
  EXPECT_EQ(why(forgets), "word 10: returns at another depth");
  Code c;
  c.registers = 2;
  c.parameters = 1;
  c.source = true;
  c.words = {end};
  EXPECT_EQ(verify(c, any_primitive), "no register for the depth");
}

// Whatever the words are, verify() ends and reads nothing outside of them (the sanitizers watch).
TEST(Bytecode, VerifierTakesAnything) {
  std::mt19937 random(static_cast<unsigned>(20260729 + ::testing::UnitTest::GetInstance()->random_seed()));
  int accepted = 0;
  for (int round = 0; round < 200000; ++round) {
    Code c;
    c.registers = static_cast<std::uint16_t>(random() % 6);
    c.constants = static_cast<std::uint16_t>(random() % 4);
    c.caches = static_cast<std::uint16_t>(random() % 3);
    const std::size_t n = random() % 12;
    for (std::size_t i = 0; i < n; ++i) {
      const Word op = random() % 4 == 0 ? random() % 256 : random() % kOpCount;
      c.words.push_back(op | (random() % 4) << 8 | (random() % 4) << 16 | (random() % 4) << 24);
    }
    if (random() % 4 == 0) c.targets = {{0, static_cast<std::uint32_t>(random() % 14)}};
    if (verify(c, any_primitive).empty()) {
      ++accepted;
      EXPECT_FALSE(disassemble(c, c.words, {}).empty());
    }
  }
  EXPECT_GT(accepted, 100);
}

TEST(Bytecode, RowsAreWellFormed) {
  for (unsigned i = 0; i < kOpCount; ++i) {
    const OpRow& r = kOpRows[i];
    EXPECT_EQ(r.operands.find_first_not_of("WRKUNLJ.|jka"), std::string_view::npos) << r.name;
    EXPECT_EQ(r.effects.find_first_not_of("CPEATQ"), std::string_view::npos) << r.name;
    // W only as A, so that a builder can retarget it; arguments need their number.
    EXPECT_TRUE(r.operands.find('W') == std::string_view::npos || r.operands.find('W') == 0) << r.name;
    if (r.operands.find('a') != std::string_view::npos) {
      EXPECT_EQ(r.operands.find('N'), 1U) << r.name;
    }
  }
}

}  // namespace
