// Register bytecode: the format, and what reads it without running it.
//
// `Code` is made once, by a Builder, and immutable from then on: any number of isolates may run it at the same
// time, each with constants, caches and (where it is hot) a copy of the instructions of its own. It holds no Value:
// constants are numbered, and belong to the function object that is running.
// Rows of opcodes.def: the format of every instruction. docs/bytecode.md tells the whole story.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace neovm::core::bytecode {

enum class Op : std::uint8_t {
#define X(name, operands, effects) name,
#include "neovm/core/bytecode/opcodes.def"
#undef X
};
inline constexpr unsigned kOpCount = 0
#define X(name, operands, effects) +1
#include "neovm/core/bytecode/opcodes.def"
#undef X
    ;
static_assert(kOpCount <= 256);

struct OpRow {
  std::string_view name;
  std::string_view operands;
  std::string_view effects;
};
inline constexpr OpRow kOpRows[] = {
#define X(name, operands, effects) {#name, operands, effects},
#include "neovm/core/bytecode/opcodes.def"
#undef X
};
constexpr const OpRow& row(Op op) { return kOpRows[static_cast<unsigned>(op)]; }

using Word = std::uint32_t;
constexpr Op op_of(Word w) { return static_cast<Op>(w & 0xFF); }
constexpr unsigned a_of(Word w) { return w >> 8 & 0xFF; }
constexpr unsigned b_of(Word w) { return w >> 16 & 0xFF; }
constexpr unsigned c_of(Word w) { return w >> 24; }
constexpr unsigned wide_of(Word w) { return w >> 16; }
constexpr std::int32_t jump_of(Word w) { return static_cast<std::int32_t>(w) >> 16; }
constexpr Word encode(Op op, unsigned a = 0, unsigned b = 0, unsigned c = 0) {
  return static_cast<Word>(op) | a << 8 | b << 16 | c << 24;
}

// What the comparing jumps ask. Those with `not` differ from the opposite relation when an operand is NaN; for the others
// exchange the operands.
enum class Relation : std::uint8_t { kEqual, kNotEqual, kLess, kLessEqual, kNotLess, kNotLessEqual };
inline constexpr unsigned kRelations = 6;
constexpr bool compares(Op op) { return op == Op::jump_int || op == Op::jump_float; }

inline constexpr unsigned kMaxRegisters = 250;

struct Code {
  std::vector<Word> words;
  std::uint16_t registers = 0;   // parameters first
  std::uint16_t parameters = 0;  // registers that arguments go to, a list of the rest included
  std::uint16_t mandatory = 0;
  bool rest = false;
  // Made from source. The two registers after the parameters get the closure's environment and the depth of the call when it is
  // entered; nothing may write the second, which `depth` counts from.
  bool source = false;
  std::uint16_t constants = 0;  // the function's vector has at least so many
  std::uint16_t caches = 0;     // inline caches that instructions number, each one of its own
  // Targets of `switch_`: its U in the upper 8 bits, below what the guest's table holds, and the word to go on at.
  // Sorted.
  struct Target {
    std::uint32_t key;
    std::uint32_t word;
  };
  std::vector<Target> targets;
  // Where a line of the source of the code (GNU's: its byte position) begins, for dumps. Sorted by word.
  struct Origin {
    std::uint32_t word;
    std::uint32_t position;
  };
  std::vector<Origin> origins;
  // Where a frame of a lower tier, which has this code's function halfway through, may go on: at `word`, without handlers of its own,
  // when it is at `position` there. Sorted by position. Its i-th value belongs into register value_homes[i]; later ones into the register
  // of their number.
  struct Entry {
    std::uint32_t position;
    std::uint32_t word;
  };
  std::vector<Entry> entries;
  std::vector<std::uint8_t> value_homes;
};

// Words of the instruction at `at`. Precondition: its auxiliary words are there (verify() has seen it).
unsigned length_at(std::span<const Word> words, std::size_t at);

// Is CODE safe to run: registers, constants, caches and jumps in range, each path ending, handlers popped as often as
// pushed, wherever control can go, caches not shared, the depth of the call put back at each return? Empty: yes; otherwise the reason. `primitive` says whether an immediate of `prim`
// names a primitive that takes so many arguments. Linear in the size of the code.
std::string verify(const Code& code, const std::function<bool(unsigned, unsigned)>& primitive);

// One line an instruction. `constant` prints a constant by its index (may be empty). `words` are those of the code
// or a quickened copy of them.
std::string disassemble(const Code& code, std::span<const Word> words,
                        const std::function<std::string(unsigned)>& constant);

}  // namespace neovm::core::bytecode
