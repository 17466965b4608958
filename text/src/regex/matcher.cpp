// The backtracking matcher.
//
// Rules of this file:
//  1. Whatever may be tried again, and whatever must be undone before it is, lies on one stack of Choices.
//     A register written while the stack is empty needs no entry: failing then fails the whole attempt.
//  2. A loop whose body can be empty remembers where it stood at its head; coming back to the head at the same
//     place leaves the loop (greedy) or stops offering the body again (lazy). That is Emacs's rule, and
//     groups set by the empty pass stay set.
//  3. Every path that can run long passes through `fail` or a loop head, and those poll for quit.
#include "matcher.hpp"

#include <algorithm>
#include <cstring>

#include "neovm/abi/error.hpp"

namespace neovm::text::regex {

Matcher::Matcher(Context& cx, const Regex& regex, const RegexSubject& subject, std::int64_t stop)
    : cx_(cx),
      re_(regex),
      subject_(subject),
      stop_(stop),
      low_(subject.text.first),
      high_(subject.text.second_bytes == 0 ? nullptr : subject.text.second - subject.text.first_bytes),
      split_(subject.text.first_bytes),
      case_(current_tables(cx).downcase) {
  if (regex.code.empty()) complete(cx, regex);
  if (subject.text.second_bytes == 0) {
    high_ = low_;
  } else if (subject.text.first_bytes == 0) {
    low_ = high_;
  }
  TextState& state = text_state(cx);
  stack_ = &state.stack;
  borrowed_ = !state.stack_in_use;
  if (borrowed_) {
    state.stack_in_use = true;
  } else {
    stack_ = &own_stack_;
  }
  if (stack_->empty()) stack_->resize(256);
  stack_base_ = top_ = stack_->data();
  stack_end_ = stack_base_ + stack_->size();
  loop_base_ = 2 * (regex.groups + 1);
  register_count_ = loop_base_ + regex.registers;
  registers_ = inline_registers_;
  if (register_count_ > kInlineRegisters) {
    more_registers_.resize(static_cast<std::size_t>(register_count_));
    registers_ = more_registers_.data();
  }
}

Matcher::~Matcher() {
  if (borrowed_) text_state(cx_).stack_in_use = false;
}

bool Matcher::grow() {
  const std::size_t used = stack_->size();
  if (used >= kMaxChoices) return false;
  stack_->resize(std::min(used * 4, kMaxChoices));
  stack_base_ = stack_->data();
  top_ = stack_base_ + used;
  stack_end_ = stack_base_ + stack_->size();
  return true;
}

bool Matcher::set_holds_wide(const CharSet& s, int c) {
  if (s.classes == 0 && !s.walk_equivalents) return in_ranges(s.ranges, c);
  return in_set_wide(s, c, case_, syntax());
}

bool Matcher::set_holds(const CharSet& s, int c) {
  if (c < 0x80) {
    const bool bit = ((s.bits[c >> 6] >> (c & 63)) & 1) != 0;
    if (!s.ascii_by_syntax) return bit;
    bool in = bit;
    if (!in) {
      const SyntaxCode code = syntax().table_code(c);
      in = ((s.classes & kClassWord) != 0 && code == kSyntaxWord) ||
           ((s.classes & kClassSpace) != 0 && code == kSyntaxWhitespace);
    }
    return in != s.negated;
  }
  return set_holds_wide(s, c) != s.negated;
}

bool Matcher::category_holds(int c, int category) {
  const Value table = current_tables(cx_).category;
  return is_char_table(table) && category_in_set(char_table_get(table, c), category);
}

std::int64_t Matcher::step(const Instruction& one, std::int64_t i) {
  if (i >= stop_) return -1;
  switch (one.op) {
    case Op::kByte: return *at(i) == one.value ? i + 1 : -1;
    case Op::kAny:
      if (*at(i) == '\n') return -1;
      return i + (re_.multibyte ? bytes_by_lead(*at(i)) : 1);
    case Op::kSet: {
      const CharSet& s = re_.sets[one.value];
      const std::uint8_t b = *at(i);
      if (!s.ascii_by_syntax && (b < 0x80 || !re_.multibyte))
        return ((s.bits[b >> 6] >> (b & 63)) & 1) != 0 ? i + 1 : -1;
      const Decoded d = char_at(i);
      return set_holds(s, d.c) ? i + d.bytes : -1;
    }
    case Op::kSyntax: {
      const Decoded d = char_at(i);
      return (syntax().code(d.c, i) == one.value) != one.flag ? i + d.bytes : -1;
    }
    case Op::kCategory: {
      const Decoded d = char_at(i);
      return category_holds(d.c, one.value) != one.flag ? i + d.bytes : -1;
    }
    case Op::kFold: return match_folded(&re_.folded[one.value], one.count, i);
    default: return -1;
  }
}

// Up to `limit` (-1: any number) characters matched by `one`; returns the place behind them.
std::int64_t Matcher::scan(const Instruction& one, std::int64_t i, std::int64_t limit, std::int64_t* count) {
  std::int64_t n = 0;
  if (limit < 0) {
    // Byte loops over one span at a time; they do not count.
    while (i < stop_) {
      const std::uint8_t* p = at(i);
      const std::int64_t room = (i < split_ ? std::min(split_, stop_) : stop_) - i;
      const std::uint8_t* const start = p;
      const std::uint8_t* const end = p + room;
      if (one.op == Op::kAny) {
        const void* newline = std::memchr(p, '\n', static_cast<std::size_t>(room));
        p = newline != nullptr ? static_cast<const std::uint8_t*>(newline) : end;
      } else if (one.op == Op::kByte) {
        while (p < end && *p == one.value) ++p;
      } else if (one.op == Op::kSet && !re_.sets[one.value].ascii_by_syntax) {
        const CharSet& s = re_.sets[one.value];
        const std::uint64_t b0 = s.bits[0];
        const std::uint64_t b1 = s.bits[1];
        if (re_.multibyte) {
          while (p < end) {
            const std::uint8_t b = *p;
            if (b < 0x80) {
              if ((((b < 64 ? b0 : b1) >> (b & 63)) & 1) == 0) break;
              ++p;
            } else {
              const Decoded d = decode_char(p);
              if (set_holds_wide(s, d.c) == s.negated) break;
              p += d.bytes;
            }
          }
        } else {
          while (p < end && ((s.bits[*p >> 6] >> (*p & 63)) & 1) != 0) ++p;
        }
      } else {
        break;
      }
      i += p - start;
      n += p != start;
      if (p < end) {
        *count = n;
        return i;
      }
    }
  }
  while (limit < 0 || n < limit) {
    const std::int64_t next = step(one, i);
    if (next < 0) break;
    i = next;
    ++n;
  }
  *count = n;
  return i;
}

bool Matcher::bytes_equal(const std::uint8_t* what, std::int64_t n, std::int64_t i) const {
  if (n > stop_ - i) return false;
  if (i < split_ && i + n > split_) {
    const std::int64_t head = split_ - i;
    return std::memcmp(what, at(i), static_cast<std::size_t>(head)) == 0 &&
           std::memcmp(what + head, at(split_), static_cast<std::size_t>(n - head)) == 0;
  }
  return std::memcmp(what, at(i), static_cast<std::size_t>(n)) == 0;
}

std::int64_t Matcher::match_folded(const std::int32_t* what, int n, std::int64_t i) const {
  for (int k = 0; k < n; ++k) {
    if (i >= stop_) return -1;
    const std::uint8_t b = *at(i);
    if (b < 0x80) {
      if ((*re_.canonical)[b] != what[k]) return -1;
      ++i;
    } else {
      const Decoded d = char_at(i);
      if (case_.canonical(d.c) != what[k]) return -1;
      i += d.bytes;
    }
  }
  return i;
}

std::int64_t Matcher::match_backref(int group, std::int64_t i) const {
  std::int64_t from = registers_[2 * group];
  const std::int64_t to = registers_[2 * group + 1];
  if (from < 0 || to < from) return -1;
  while (from < to) {
    if (i >= stop_) return -1;
    const Decoded a = char_at(from);
    const Decoded b = char_at(i);
    if (a.c != b.c && !(re_.fold && case_.canonical(a.c) == case_.canonical(b.c))) return -1;
    from += a.bytes;
    i += b.bytes;
  }
  return i;
}

// Word and symbol edges.
bool Matcher::edge(Assertion a, std::int64_t i) {
  // What starts must have its first character inside the part that may be matched.
  if ((a == Assertion::kWordStart || a == Assertion::kSymbolStart) && i >= stop_) return false;
  const bool at_begin = i <= subject_.begin;
  const bool at_end = i >= subject_.end;
  int before = -1;
  int after = -1;
  SyntaxCode before_code = kSyntaxWhitespace;
  SyntaxCode after_code = kSyntaxWhitespace;
  if (!at_begin) {
    const std::int64_t p = previous(i);
    before = char_at(p).c;
    before_code = syntax().code(before, p);
  }
  if (!at_end) {
    after = char_at(i).c;
    after_code = syntax().code(after, i);
  }
  if (a == Assertion::kSymbolStart || a == Assertion::kSymbolEnd) {
    const bool symbol_before = !at_begin && (before_code == kSyntaxWord || before_code == kSyntaxSymbol);
    const bool symbol_after = !at_end && (after_code == kSyntaxWord || after_code == kSyntaxSymbol);
    return a == Assertion::kSymbolStart ? symbol_after && !symbol_before : symbol_before && !symbol_after;
  }
  const bool word_before = !at_begin && before_code == kSyntaxWord;
  const bool word_after = !at_end && after_code == kSyntaxWord;
  const bool divided =
      word_before && word_after && !(before < 0x80 && after < 0x80) && word_boundary_between(cx_, before, after);
  switch (a) {
    case Assertion::kWordStart: return word_after && (!word_before || divided);
    case Assertion::kWordEnd: return word_before && (!word_after || divided);
    case Assertion::kWordEdge: return at_begin || at_end || word_before != word_after || divided;
    default: return !(at_begin || at_end || word_before != word_after || divided);
  }
}

bool Matcher::holds(Assertion a, std::int64_t i) {
  switch (a) {
    case Assertion::kLineStart: return i <= subject_.begin || *at(i - 1) == '\n';
    case Assertion::kLineEnd: return i >= subject_.end || *at(i) == '\n';
    case Assertion::kTextStart: return i <= subject_.begin;
    case Assertion::kTextEnd: return i >= subject_.end;
    case Assertion::kPoint: return i == subject_.point;
    default: return edge(a, i);
  }
}

std::int64_t Matcher::last_possible(std::uint16_t map, std::int64_t high, std::int64_t low) const {
  if (map == kNoMap) return high;
  for (;;) {
    if (possible(map, high)) return high;
    if (high <= low) return -1;
    high = previous(high);
  }
}

MatchResult Matcher::run(std::int64_t start) {
  std::fill(registers_, registers_ + register_count_, -1);
  top_ = stack_base_;
  run_end_ = -1;
  const Instruction* const code = re_.code.data();
  std::int64_t pos = start;
  std::int64_t best = -1;  // POSIX: the longest match so far
  std::vector<std::int64_t> best_registers;
  int pc = 0;

  for (;;) {
    const Instruction& in = code[pc];
    switch (in.op) {
      case Op::kByte:
        if (pos >= stop_ || *at(pos) != in.value) goto fail;
        ++pos;
        ++pc;
        continue;
      case Op::kAny:
      case Op::kSet:
      case Op::kSyntax:
      case Op::kCategory:
        pos = step(in, pos);
        if (pos < 0) goto fail;
        ++pc;
        continue;
      case Op::kString:
        if (!bytes_equal(&re_.bytes[in.value], in.count, pos)) goto fail;
        pos += in.count;
        ++pc;
        continue;
      case Op::kFold:
        pos = match_folded(&re_.folded[in.value], in.count, pos);
        if (pos < 0) goto fail;
        ++pc;
        continue;
      case Op::kBackref:
        pos = match_backref(in.value, pos);
        if (pos < 0) goto fail;
        ++pc;
        continue;
      case Op::kAssert:
        if (!holds(static_cast<Assertion>(in.value), pos)) goto fail;
        ++pc;
        continue;
      case Op::kGroupStart:
        if (!set_register(2 * in.value, pos)) return MatchResult::kOverflow;
        ++pc;
        continue;
      case Op::kGroupEnd:
        if (!set_register(2 * in.value + 1, pos)) return MatchResult::kOverflow;
        ++pc;
        continue;
      case Op::kJump: pc = in.target; continue;
      case Op::kSetRegister:
        if (!set_register(loop_base_ + in.value, in.min)) return MatchResult::kOverflow;
        ++pc;
        continue;
      case Op::kSplit: {
        const bool here = possible(in.here_map, pos);
        const bool other = possible(in.other_map, pos);
        if (here && other) {
          if (!push(Choice::Kind::kTry, in.flag ? pc + 1 : in.target, pos, 0)) return MatchResult::kOverflow;
          pc = in.flag ? in.target : pc + 1;
        } else if (here) {
          ++pc;
        } else if (other) {
          pc = in.target;
        } else {
          goto fail;
        }
        continue;
      }
      case Op::kLoop: {
        if ((++ticks_ & 0xffff) == 0 && !check_quit(cx_).ok()) return MatchResult::kQuit;
        const int counter = in.value < 0 ? -1 : loop_base_ + in.value;
        const int position = in.count < 0 ? -1 : loop_base_ + in.count;
        if (counter >= 0) {
          const std::int64_t done = registers_[counter];
          if (done < in.min) {
            if (!set_register(counter, done + 1)) return MatchResult::kOverflow;
            ++pc;
            continue;
          }
          if (in.max >= 0 && done >= in.max) {
            pc = in.target;
            continue;
          }
        }
        if ((position >= 0 && registers_[position] == pos) || !possible(in.here_map, pos)) {
          pc = in.target;
          continue;
        }
        if (in.flag) {
          if (possible(in.other_map, pos)) {
            if (!push(Choice::Kind::kLazyLoop, pc, pos, 0)) return MatchResult::kOverflow;
            pc = in.target;
            continue;
          }
        } else if (possible(in.other_map, pos)) {
          if (!push(Choice::Kind::kTry, in.target, pos, 0)) return MatchResult::kOverflow;
        }
        if (position >= 0 && !set_register(position, pos)) return MatchResult::kOverflow;
        if (counter >= 0 && !set_register(counter, registers_[counter] + 1)) return MatchResult::kOverflow;
        ++pc;
        continue;
      }
      case Op::kRepeatOne: {
        const Instruction& one = code[pc + 1];
        std::int64_t count = 0;
        std::int64_t low = pos;
        if (in.flag || in.min > 1) {
          low = scan(one, pos, in.min, &count);
          if (count < in.min) goto fail;
        }
        if (in.flag) {  // lazy: go on, and come back for one more
          if (in.max < 0 || count < in.max) {
            if (!push(Choice::Kind::kTakeMore, pc, low, count)) return MatchResult::kOverflow;
          }
          pos = low;
          pc += 2;
          if (!possible(in.other_map, pos)) goto fail;
          continue;
        }
        std::int64_t high;
        if (in.min > 1) {
          std::int64_t more = 0;
          high = scan(one, low, in.max < 0 ? -1 : in.max - count, &more);
        } else {
          high = scan(one, pos, in.max, &count);
          if (in.min == 1) {
            if (high == pos) goto fail;
            low = pos + (one.op == Op::kByte || !re_.multibyte ? 1 : bytes_by_lead(*at(pos)));
          }
        }
        if (pc == re_.leading_repeat) run_end_ = high;
        if (!in.possessive && high > low) {
          high = last_possible(in.other_map, high, low);
          if (high < 0) goto fail;
          if (high > low && !push(Choice::Kind::kGiveBack, pc, previous(high), low)) return MatchResult::kOverflow;
        }
        pos = high;
        pc += 2;
        continue;
      }
      case Op::kMatch:
        registers_[0] = start;
        registers_[1] = pos;
        if (re_.posix && top_ != stack_base_ && pos != stop_) {
          if (pos > best) {
            best = pos;
            best_registers.assign(registers_, registers_ + loop_base_);
          }
          goto fail;
        }
        if (best >= pos) std::copy(best_registers.begin(), best_registers.end(), registers_);
        return MatchResult::kYes;
    }

  fail:
    for (;;) {
      if (top_ == stack_base_) {
        if (best < 0) return MatchResult::kNo;
        std::copy(best_registers.begin(), best_registers.end(), registers_);
        return MatchResult::kYes;
      }
      const Choice c = *--top_;
      if (c.kind == Choice::Kind::kRestore) {
        registers_[c.where] = c.a;
        continue;
      }
      if ((++ticks_ & 0xffff) == 0 && !check_quit(cx_).ok()) return MatchResult::kQuit;
      const int where = static_cast<int>(c.where);
      if (c.kind == Choice::Kind::kTry) {
        pos = c.a;
        pc = where;
        break;
      }
      const Instruction& again = code[where];
      if (c.kind == Choice::Kind::kGiveBack) {
        const std::int64_t high = last_possible(again.other_map, c.a, c.b);
        if (high < 0) continue;
        if (high > c.b && !push(Choice::Kind::kGiveBack, where, previous(high), c.b)) return MatchResult::kOverflow;
        pos = high;
        pc = where + 2;
        break;
      }
      if (c.kind == Choice::Kind::kTakeMore) {
        const std::int64_t next = step(code[where + 1], c.a);
        if (next < 0) continue;
        if ((again.max < 0 || c.b + 1 < again.max) && !push(Choice::Kind::kTakeMore, where, next, c.b + 1))
          return MatchResult::kOverflow;
        if (!possible(again.other_map, next)) continue;
        pos = next;
        pc = where + 2;
        break;
      }
      // kLazyLoop: one more round.
      pos = c.a;
      if (again.count >= 0 && !set_register(loop_base_ + again.count, pos)) return MatchResult::kOverflow;
      if (again.value >= 0 && !set_register(loop_base_ + again.value, registers_[loop_base_ + again.value] + 1))
        return MatchResult::kOverflow;
      pc = where + 1;
      break;
    }
  }
}

}  // namespace neovm::text::regex
