// The verifier: one pass that finds where instructions begin, then a walk along every path. What it accepts
// cannot read or write outside of registers, constants, caches and instructions, whatever the values are; types are
// the instructions' own business.
#include <array>
#include <utility>

#include "neovm/core/bytecode/code.hpp"

namespace neovm::core::bytecode {

namespace {

// What the verifier asks of a row, read from its letters once.
struct Shape {
  std::uint8_t fixed = 0;  // auxiliary words besides `a`
  bool arguments = false;  // has `a` words
  bool jumps = false;
  bool quickened = false;
  bool ends = false;
  bool writes = false;  // A
};
constexpr std::array<Shape, kOpCount> kShapes = [] {
  std::array<Shape, kOpCount> shapes{};
  for (unsigned op = 0; op < kOpCount; ++op) {
    Shape& s = shapes[op];
    bool auxiliary = false;
    for (const char c : kOpRows[op].operands) {
      if (c == 'J' || c == 'j') s.jumps = true;
      if (c == 'W') s.writes = true;
      if (auxiliary && c == 'a') s.arguments = true;
      if (auxiliary && c != 'a') ++s.fixed;
      auxiliary = auxiliary || c == '|';
    }
    for (const char c : kOpRows[op].effects) {
      if (c == 'Q') s.quickened = true;
      if (c == 'T') s.ends = true;
    }
  }
  return shapes;
}();
constexpr const Shape& shape(Word word) { return kShapes[word & 0xFF]; }

unsigned auxiliary_words(Word word) {
  const Shape& s = shape(word);
  return s.fixed + (s.arguments ? (b_of(word) + 3) / 4 : 0);
}

constexpr unsigned kMaxHandlers = 250;

class Verifier {
 public:
  Verifier(const Code& code, const std::function<bool(unsigned, unsigned)>& primitive)
      : code_(code), primitive_(primitive) {}

  std::string run() {
    if (code_.words.empty()) return "no instructions";
    if (code_.registers > kMaxRegisters) return "too many registers";
    if (code_.parameters > code_.registers || code_.mandatory > code_.parameters)
      return "more parameters than registers";
    if (code_.source && code_.registers < code_.parameters + 2) return "no register for the depth";
    if (code_.words.size() > (std::size_t{1} << 24)) return "too long";
    starts_.assign(code_.words.size(), false);
    for (std::size_t at = 0; at < code_.words.size();) {
      starts_[at] = true;
      if ((code_.words[at] & 0xFF) >= kOpCount) return fail(at, "no such opcode");
      const std::size_t length = 1 + auxiliary_words(code_.words[at]);
      if (length > code_.words.size() - at) return fail(at, "cut off");
      at += length;
    }
    for (std::size_t i = 0; i < code_.targets.size(); ++i)
      if (!is_start(code_.targets[i].word) || (i > 0 && code_.targets[i - 1].key >= code_.targets[i].key))
        return "bad switch target";
    handlers_.assign(code_.words.size(), kUnreached);
    if (code_.source) depths_.assign(code_.words.size(), kUnreachedDepth);
    cache_users_.assign(code_.caches, kNoUser);
    std::string why = reach(0, 0, 0, 0);
    while (why.empty() && !pending_.empty()) {
      const std::size_t at = pending_.back();
      pending_.pop_back();
      why = step(at);
    }
    return why.empty() ? entries() : why;
  }

 private:
  static constexpr std::uint8_t kUnreached = 255;
  static constexpr std::uint16_t kAnyDepth = 256;  // the paths that meet differ
  static constexpr std::uint16_t kUnreachedDepth = 257;
  static constexpr std::size_t kNoUser = ~std::size_t{0};

  std::string fail(std::size_t at, std::string_view what) const {
    std::string s = "word ";
    s += std::to_string(at);
    s += ": ";
    s += what;
    return s;
  }
  // Who comes in the middle has pushed no handlers, and all its values have registers.
  std::string entries() const {
    for (std::size_t i = 0; i < code_.entries.size(); ++i) {
      const Code::Entry& e = code_.entries[i];
      if (!is_start(e.word) || handlers_[e.word] != 0 || code_.source ||
          (i > 0 && code_.entries[i - 1].position >= e.position))
        return "bad entry";
    }
    if (code_.value_homes.size() > code_.parameters) return "bad entry";
    for (const std::uint8_t reg : code_.value_homes)
      if (reg >= code_.registers) return "bad entry";
    return {};
  }
  bool is_start(std::int64_t at) const {
    return at >= 0 && at < static_cast<std::int64_t>(starts_.size()) && starts_[static_cast<std::size_t>(at)];
  }
  // DEPTH: forms in progress.
  std::string reach(std::size_t from, std::int64_t at, unsigned handlers, std::uint16_t depth) {
    if (!is_start(at)) return fail(from, "goes to no instruction");
    if (handlers > kMaxHandlers) return fail(from, "too many handlers");
    const auto place = static_cast<std::size_t>(at);
    std::uint8_t& known = handlers_[place];
    bool look = false;
    if (known == kUnreached) {
      known = static_cast<std::uint8_t>(handlers);
      look = true;
    } else if (known != handlers) {
      return fail(place, "reached with different handlers");
    }
    if (code_.source && depths_[place] != depth && depths_[place] != kAnyDepth) {
      depths_[place] = depths_[place] == kUnreachedDepth ? depth : kAnyDepth;
      look = true;
    }
    if (look) pending_.push_back(place);
    return {};
  }
  // What only code made from source may do, with a depth that it keeps.
  std::string source_step(std::size_t at, Word word, std::uint16_t* depth) const {
    const Op op = op_of(word);
    const bool needs = op == Op::depth || op == Op::materialize || op == Op::write_back || op == Op::guard_body;
    if (!code_.source) return needs ? fail(at, "not made from source") : std::string();
    const unsigned base = code_.parameters + 1U;
    const bool writes = shape(word).writes || op == Op::bind_let || op == Op::bind_env;
    if (writes && a_of(word) == base) return fail(at, "writes the depth");
    if (op == Op::return_ && *depth != 0) return fail(at, "returns at another depth");
    if (op != Op::depth) return {};
    if (a_of(word) != base) return fail(at, "counts from no depth");
    *depth = static_cast<std::uint16_t>(b_of(word));
    return {};
  }
  // Checks one operand letter; `value` is the field it names.
  std::string operand(std::size_t at, char letter, unsigned value) const {
    switch (letter) {
      case 'W':
      case 'R':
        if (value >= code_.registers) return fail(at, "register out of range");
        break;
      case 'K':
      case 'L':
        if (value >= code_.constants) return fail(at, "constant out of range");
        break;
      default: break;
    }
    return {};
  }

  std::string step(std::size_t at) {
    const Word word = code_.words[at];
    const Op op = op_of(word);
    const OpRow& r = row(op);
    if (shape(word).quickened) return fail(at, "a quickened form");
    std::size_t next = at + 1;
    unsigned handlers = handlers_[at];
    std::uint16_t depth = code_.source ? depths_[at] : 0;
    if (std::string why = source_step(at, word, &depth); !why.empty()) return why;
    std::int64_t jump = -1;
    const unsigned fields[3] = {a_of(word), b_of(word), c_of(word)};
    std::size_t field = 0;
    std::size_t i = 0;
    for (; i < r.operands.size() && r.operands[i] != '|'; ++i, ++field) {
      const char letter = r.operands[i];
      if (letter == 'J') {
        jump = static_cast<std::int64_t>(next) + jump_of(word);
        continue;
      }
      if (std::string why = operand(at, letter, letter == 'L' ? wide_of(word) : fields[field]); !why.empty())
        return why;
    }
    for (++i; i < r.operands.size(); ++i) {
      switch (r.operands[i]) {
        case 'j':
          jump = static_cast<std::int64_t>(next) + 1 + static_cast<std::int32_t>(code_.words[next]);
          ++next;
          break;
        case 'k':
          if ((code_.words[next] & 0xFFFF) >= code_.constants) return fail(at, "constant out of range");
          if (const Word cache = code_.words[next] >> 16; cache >= code_.caches) {
            return fail(at, "cache out of range");
          } else if (std::size_t& user = cache_users_[cache]; user != at && user != kNoUser) {
            return fail(at, "cache of another instruction");
          } else {
            user = at;
          }
          ++next;
          break;
        default:
          for (unsigned n = 0; n < b_of(word); ++n)
            if ((code_.words[next + n / 4] >> (n % 4 * 8) & 0xFF) >= code_.registers)
              return fail(at, "argument out of range");
          next += (b_of(word) + 3) / 4;
          break;
      }
    }
    if (compares(op) && c_of(word) >= kRelations) return fail(at, "no such relation");
    if (op == Op::prim && !primitive_(c_of(word), b_of(word))) return fail(at, "no such primitive");
    // Loops pass a safepoint, so that they can be stopped: no other jump goes back.
    if (jump >= 0 && jump <= static_cast<std::int64_t>(at) && op != Op::loop)
      return fail(at, "jumps back without a safepoint");
    if (op == Op::push_catch || op == Op::push_handler) {
      if (std::string why = reach(at, jump, handlers, depth); !why.empty()) return why;
      if (op_of(code_.words[static_cast<std::size_t>(jump)]) != Op::landing)
        return fail(at, "handler without a landing");
      ++handlers;
      jump = -1;
    } else if (op == Op::pop_handler) {
      if (handlers == 0) return fail(at, "no handler to pop");
      --handlers;
    } else if (op == Op::return_ && handlers != 0) {
      return fail(at, "returns with a handler");
    } else if (op == Op::tail_call || op == Op::tail_call_global) {
      if (handlers != 0) return fail(at, "tail call with a handler");
      // Lisp's calls have frames of their own, which backtraces show.
      if (code_.source) return fail(at, "tail call in code made from source");
    } else if (op == Op::switch_) {
      for (const Code::Target& t : code_.targets)
        if (t.key >> 24 != c_of(word)) {
          continue;
        } else if (std::string why = reach(at, t.word, handlers, depth); !why.empty())
          return why;
    }
    if (shape(word).jumps && op != Op::push_catch && op != Op::push_handler)
      if (std::string why = reach(at, jump, handlers, depth); !why.empty()) return why;
    if (shape(word).ends) return {};
    if (next >= code_.words.size()) return fail(at, "runs off the end");
    return reach(at, static_cast<std::int64_t>(next), handlers, depth);
  }

  const Code& code_;
  const std::function<bool(unsigned, unsigned)>& primitive_;
  std::vector<bool> starts_;
  std::vector<std::uint8_t> handlers_;
  std::vector<std::uint16_t> depths_;  // of code made from source
  std::vector<std::size_t> cache_users_;
  std::vector<std::size_t> pending_;
};

}  // namespace

unsigned length_at(std::span<const Word> words, std::size_t at) { return 1 + auxiliary_words(words[at]); }

std::string verify(const Code& code, const std::function<bool(unsigned, unsigned)>& primitive) {
  return Verifier(code, primitive).run();
}

}  // namespace neovm::core::bytecode
