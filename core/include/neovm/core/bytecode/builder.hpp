// Writes register bytecode: instructions, labels, registers.
//
// A Builder belongs to one thread and one function. Operands that do not fit their field make it fail as a whole
// (failed()), so that a compiler can write straight on and ask once at the end.
#pragma once

#include <span>

#include "neovm/core/bytecode/code.hpp"

namespace neovm::core::bytecode {

class Builder {
 public:
  struct Label {
    std::uint32_t index;
  };
  Label make_label();
  // The next instruction is the label's place.
  void bind(Label label);
  [[nodiscard]] bool bound(Label label) const { return places_[label.index] != kNowhere; }

  // Returns the place of the instruction.
  std::size_t emit(Op op, unsigned a = 0, unsigned b = 0, unsigned c = 0);
  void emit_wide(Op op, unsigned a, unsigned wide);
  // A jump (`jump`/`loop`, by the label's direction).
  void jump(Label target);
  // A conditional jump of the form RJ or R?|j. Backward ones go through a `loop`.
  void branch(Op op, unsigned a, Label target) { branch(op, a, 0, target); }
  void branch(Op op, unsigned a, unsigned b, Label target) { branch(op, a, b, 0, target); }
  // jump_int and jump_float.
  void compare(Op op, unsigned a, Relation relation, unsigned b, Label target) {
    branch(op, a, b, static_cast<unsigned>(relation), target);
  }
  // push_catch or push_handler.
  void push(Op op, unsigned tag, Label landing);
  void call(unsigned to, unsigned function, std::span<const std::uint8_t> arguments);
  void call_global(unsigned to, unsigned constant, std::span<const std::uint8_t> arguments);
  // Calls whose value is the function's: nothing may follow on this path.
  void tail_call(unsigned function, std::span<const std::uint8_t> arguments);
  void tail_call_global(unsigned constant, std::span<const std::uint8_t> arguments);
  // `list` and `prim`: arguments in auxiliary words.
  void emit_arguments(Op op, unsigned to, unsigned c, std::span<const std::uint8_t> arguments);

  // Any instruction with a constant, a cache, a jump and arguments after it, as its row says: `|k`, `|kj`, `|ka`, `|kja`.
  void emit_constant(Op op, unsigned a, unsigned b, unsigned c, unsigned constant);
  void emit_constant(Op op, unsigned a, unsigned b, unsigned c, unsigned constant, Label target);
  void arguments(std::span<const std::uint8_t> regs);

  // Forwarding: makes the instruction at `place` write another register. Precondition: its A is a W.
  void retarget(std::size_t place, unsigned to);
  [[nodiscard]] Word word_at(std::size_t place) const { return code_.words[place]; }
  [[nodiscard]] std::size_t size() const { return code_.words.size(); }

  // Registers: the caller numbers its own from 0; this only keeps the highest.
  void use(unsigned reg);
  [[nodiscard]] bool failed() const { return failed_; }
  void fail() { failed_ = true; }

  void origin(std::uint32_t position);
  // The place of the next instruction is one of Code::entries.
  void entry(std::uint32_t position);
  void switch_target(std::uint32_t key, Label label) { switch_targets_.push_back({key, label.index}); }

  // The code, with every label in its place. The Builder is used up.
  Code finish();
  Code& code() { return code_; }

 private:
  static constexpr std::uint32_t kNowhere = 0xFFFFFFFF;
  struct Patch {
    std::uint32_t place;  // word to mend
    std::uint32_t from;   // end of the instruction
    std::uint32_t label;
    bool wide;  // a whole word, otherwise the upper half
  };
  void branch(Op op, unsigned a, unsigned b, unsigned c, Label target);
  void patch_later(std::size_t place, std::size_t from, Label label, bool wide);

  Code code_;
  std::vector<std::uint32_t> places_;
  std::vector<Patch> patches_;
  std::vector<Code::Target> switch_targets_;  // word: label
  bool failed_ = false;
};

}  // namespace neovm::core::bytecode
