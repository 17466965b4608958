// One search with one compiled pattern.
#pragma once

#include <optional>

#include "../state.hpp"

namespace neovm::text::regex {

enum class MatchResult : std::uint8_t { kNo, kYes, kOverflow, kQuit };

class Matcher {
 public:
  Matcher(Context& cx, const Regex& regex, const RegexSubject& subject, std::int64_t stop);
  ~Matcher();
  Matcher(const Matcher&) = delete;
  Matcher& operator=(const Matcher&) = delete;

  // Matches at `at`; on kYes the registers tell where.
  MatchResult run(std::int64_t at);
  [[nodiscard]] std::int64_t group_start(int group) const { return registers_[2 * group]; }
  [[nodiscard]] std::int64_t group_end(int group) const { return registers_[2 * group + 1]; }
  // Where the run that the last attempt began with ended, or -1. An attempt from inside the run would try a
  // part of what has failed.
  [[nodiscard]] std::int64_t run_end() const { return run_end_; }
  SyntaxReader& syntax() {
    if (!syntax_) syntax_.emplace(current_tables(cx_).syntax, subject_.properties);
    return *syntax_;
  }

 private:
  // More choices than this are "Stack overflow in regexp matcher".
  static constexpr std::size_t kMaxChoices = 800'000;
  static constexpr int kInlineRegisters = 64;

  [[nodiscard]] const std::uint8_t* at(std::int64_t i) const { return (i < split_ ? low_ : high_) + i; }
  [[nodiscard]] Decoded char_at(std::int64_t i) const {
    const std::uint8_t* p = at(i);
    if (!re_.multibyte) return {raw_byte_to_char(*p), 1};
    return decode_char(p);
  }
  [[nodiscard]] Decoded char_before(std::int64_t i) const {
    const std::int64_t p = previous(i);
    return char_at(p);
  }
  [[nodiscard]] std::int64_t previous(std::int64_t i) const {
    --i;
    if (re_.multibyte)
      while (i > 0 && is_continuation(*at(i))) --i;
    return i;
  }
  // Can the path with first bytes `map` start at `i`?
  [[nodiscard]] bool possible(std::uint16_t map, std::int64_t i) const {
    return map == kNoMap || (i < stop_ && re_.maps[map].has(*at(i)));
  }
  bool push(Choice::Kind kind, int where, std::int64_t a, std::int64_t b) {
    if (top_ == stack_end_ && !grow()) return false;
    *top_++ = Choice{kind, static_cast<std::uint32_t>(where), a, b};
    return true;
  }
  bool grow();
  // Sets a register so that backtracking restores it.
  bool set_register(int i, std::int64_t v) {
    if (top_ != stack_base_ && !push(Choice::Kind::kRestore, i, registers_[i], 0)) return false;
    registers_[i] = v;
    return true;
  }
  bool set_holds(const CharSet& s, int c);
  bool set_holds_wide(const CharSet& s, int c);
  bool category_holds(int c, int category);
  // Behind the character at `i` when the single-character instruction `one` matches it, else -1.
  std::int64_t step(const Instruction& one, std::int64_t i);
  std::int64_t scan(const Instruction& one, std::int64_t i, std::int64_t limit, std::int64_t* count);
  bool bytes_equal(const std::uint8_t* what, std::int64_t n, std::int64_t i) const;
  std::int64_t match_folded(const std::int32_t* what, int n, std::int64_t i) const;
  std::int64_t match_backref(int group, std::int64_t i) const;
  bool holds(Assertion a, std::int64_t i);
  bool edge(Assertion a, std::int64_t i);
  // First or last place in [low, high] where `map` is possible, going from `high` down; -1 when none.
  std::int64_t last_possible(std::uint16_t map, std::int64_t high, std::int64_t low) const;

  Context& cx_;
  const Regex& re_;
  const RegexSubject& subject_;
  std::int64_t stop_;
  const std::uint8_t* low_;  // address of offset 0 in each span
  const std::uint8_t* high_;
  std::int64_t split_;
  CaseFolder case_;
  std::optional<SyntaxReader> syntax_;
  Choice* stack_base_ = nullptr;
  Choice* stack_end_ = nullptr;
  Choice* top_ = nullptr;
  std::vector<Choice> own_stack_;
  std::vector<Choice>* stack_;
  bool borrowed_ = false;
  std::int64_t inline_registers_[kInlineRegisters];
  std::vector<std::int64_t> more_registers_;
  std::int64_t* registers_;
  int register_count_;
  int loop_base_;  // first loop register
  std::int64_t run_end_ = -1;
  unsigned ticks_ = 0;
};

}  // namespace neovm::text::regex
