// Register code: the verifier ends on anything, and what it accepts runs without harm.
//
// Input: mode, registers, parameters, caches, targets, then code. Mode bit 0: words as they are; otherwise each instruction
// is an opcode and operands that are taken modulo what there is, so that most programs get past the verifier. Bit 5: code made from
// source, with a map of places (which is the compiler's own, and sound).
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "eval/machine.hpp"
#include "eval/source.hpp"
#include "eval/tiers.hpp"
#include "world.hpp"

namespace neovm::fuzz {

namespace {

using namespace core::bytecode;  // NOLINT: the format's own names

struct Shaper {
  Input& in;
  Code& code;
  struct Jump {
    std::size_t word;         // that holds the distance
    std::size_t end;          // of its instruction
    std::size_t instruction;  // its number
    int distance;             // in instructions, or in landings for a handler
    bool wide;
    bool handler;
  };
  std::vector<std::size_t> starts;
  std::vector<Jump> jumps;

  unsigned reg() { return in.byte() % std::max<unsigned>(code.registers, 1); }
  // Mostly one of its own.
  unsigned cache() {
    const unsigned which = in.byte();
    return which >= 0xF0 ? which % 4 : code.caches++;
  }
  unsigned constant() { return in.byte() % std::max<unsigned>(code.constants, 1); }

  void instruction() {
    unsigned number = in.byte() % kOpCount;
    // Quickened forms are refused, whatever else there is.
    if (kOpRows[number].effects.find('Q') != std::string_view::npos && in.byte() < 0xF8)
      number = static_cast<unsigned>(Op::call_global);
    const OpRow& r = kOpRows[number];
    if (code.source && number == static_cast<unsigned>(Op::return_) && in.byte() < 0xF0) {
      starts.push_back(code.words.size());
      code.words.push_back(encode(Op::depth, code.parameters + 1U, 0));
    }
    const std::size_t at = code.words.size();
    starts.push_back(at);
    code.words.push_back(number);
    Word w = number;
    unsigned field = 0;
    const bool depth = code.source && number == static_cast<unsigned>(Op::depth);
    const bool handler =
        number == static_cast<unsigned>(Op::push_catch) || number == static_cast<unsigned>(Op::push_handler);
    std::size_t i = 0;
    for (; i < r.operands.size() && r.operands[i] != '|'; ++i, ++field) {
      unsigned value = 0;
      switch (r.operands[i]) {
        case 'W':
        case 'R': value = depth ? code.parameters + 1U : reg(); break;
        case 'K': value = constant(); break;
        case 'U':
          value = in.byte();
          if (compares(static_cast<Op>(number))) value %= kRelations;
          break;
        case 'N': value = in.byte() % 5; break;
        case 'L': w |= constant() << 16; continue;
        case 'J':
          jumps.push_back({at, at + 1, starts.size() - 1, static_cast<std::int8_t>(in.byte()), false, false});
          continue;
        default: break;
      }
      w |= value << (8 + 8 * field);
    }
    code.words[at] = w;
    for (++i; i < r.operands.size(); ++i) {
      switch (r.operands[i]) {
        case 'j':
          jumps.push_back(
              {code.words.size(), 0, starts.size() - 1, static_cast<std::int8_t>(in.byte()), true, handler});
          jumps.back().end = code.words.size() + 1;
          code.words.push_back(0);
          break;
        case 'k': {
          const Word k = constant();
          code.words.push_back(k | static_cast<Word>(cache()) << 16);
          break;
        }
        default:
          for (unsigned n = 0; n < b_of(w); n += 4) {
            Word words = 0;
            for (unsigned k = 0; k < 4; ++k) words |= static_cast<Word>(n + k < b_of(w) ? reg() : 0) << (8 * k);
            code.words.push_back(words);
          }
      }
    }
  }
  void resolve() {
    for (const Jump& j : jumps) {
      std::size_t to = 0;
      if (j.handler) {  // forward to a landing
        int left = (j.distance & 3) + 1;
        std::size_t n = j.instruction + 1;
        for (; n < starts.size(); ++n)
          if (op_of(code.words[starts[n]]) == Op::landing && --left == 0) break;
        to = n < starts.size() ? starts[n] : 0;
      } else {
        const bool loop = op_of(code.words[starts[j.instruction]]) == Op::loop;
        const int distance = loop ? -(j.distance & 15) : (j.distance & 7) + 1;
        const auto n = static_cast<std::int64_t>(j.instruction) + distance;
        to = starts[static_cast<std::size_t>(
            std::clamp<std::int64_t>(n, 0, static_cast<std::int64_t>(starts.size()) - 1))];
      }
      const auto words = static_cast<std::int64_t>(to) - static_cast<std::int64_t>(j.end);
      if (j.wide) {
        code.words[j.word] = static_cast<Word>(static_cast<std::int32_t>(words));
      } else {
        code.words[j.word] |= static_cast<Word>(static_cast<std::uint16_t>(words)) << 16;
      }
    }
  }
};

// A map of places for CODE, which differs with it: forms, variables and environments inside each other.
std::unique_ptr<elisp::SourceMap> source_map(Code& code, unsigned mode) {
  using Kind = elisp::SourceMap::Kind;
  auto map = std::make_unique<elisp::SourceMap>();
  map->lexical = (mode & 0x40) == 0;
  map->nodes.push_back({Kind::kRoot, static_cast<std::uint8_t>(code.parameters), 0, 0});
  constexpr Kind kKinds[] = {Kind::kForm, Kind::kVariable, Kind::kMark, Kind::kEnvironment};
  for (std::size_t at = 0; at < code.words.size() && at < 40; ++at) {
    const Word w = code.words[at] * 0x9E3779B1U;
    const auto known = static_cast<std::uint32_t>(map->nodes.size());
    map->nodes.push_back({kKinds[w >> 30], static_cast<std::uint8_t>((w >> 8 & 0xFF) % code.registers),
                          static_cast<std::uint16_t>((w >> 16 & 0xFF) % code.constants), (w & 0xFF) % known});
    code.origins.push_back({static_cast<std::uint32_t>(at), (w >> 4 & 0xFF) % (known + 1)});
  }
  return map;
}

}  // namespace

void register_code(Bytes bytes) {
  Input in(bytes);
  const unsigned mode = in.byte();
  Code code;
  const unsigned registers = in.byte();
  code.registers = static_cast<std::uint16_t>(registers < 240 ? registers % 12 : 246 + registers % 8);
  const unsigned parameters = in.byte();
  code.rest = (parameters & 0x80) != 0;
  code.parameters = static_cast<std::uint16_t>((parameters & 7) + (code.rest ? 1U : 0U));
  code.mandatory = static_cast<std::uint16_t>(parameters >> 3 & 7);
  code.constants = World::kConstants;
  code.source = (mode & 0x20) != 0;
  if (code.source) code.registers = std::max<std::uint16_t>(code.registers, code.parameters + 2);
  code.caches = in.byte() % 4;
  std::uint32_t key = 0;
  for (unsigned n = in.byte() % 4; n > 0; --n) {
    key = (key & 0xFF000000) + (static_cast<std::uint32_t>(in.byte() % 3) << 24) + in.byte() % 16;
    code.targets.push_back({key, in.byte()});
  }
  if ((mode & 1) != 0) {
    while (!in.empty()) code.words.push_back(in.word());
  } else {
    Shaper shaper{in, code, {}, {}};
    while (!in.empty()) shaper.instruction();
    shaper.starts.push_back(code.words.size());
    if (code.source) code.words.push_back(encode(Op::depth, code.parameters + 1U, 0));
    code.words.push_back(encode(Op::return_, 0));
    shaper.resolve();
  }
  std::unique_ptr<elisp::SourceMap> map = code.source ? source_map(code, mode) : nullptr;
  World& w = World::get();
  Context& cx = w.cx();
  // What the verifier accepts is shown, too.
  if (verify(code, [](unsigned, unsigned) { return true; }).empty()) (void)disassemble(code, code.words, {});
  const unsigned named = code.parameters - (code.rest ? 1U : 0U);
  if (code.parameters > code.registers || code.mandatory > named) return;
  w.kept(0) = w.constants();
  const Value parts[] = {Value::fixnum(code.mandatory | named << 8 | (code.rest ? 128U : 0U)),
                         make_unibyte_string(cx, "\300\207"), w.kept(0), Value::fixnum(4)};
  const Value f = funcall_re(cx, intern(cx, "make-byte-code"), parts);
  if (f.is_exit()) std::abort();
  w.kept(0) = f;
  if (funcall_re(cx, intern(cx, "func-arity"), {f}).is_exit()) std::abort();
  // Its stack code is verified first, as it always is.
  if (funcall_re(cx, intern(cx, "neovm-register-code"), {w.kept(0)}).is_exit()) std::abort();
  if (!elisp::tiers_of(cx).adopt(cx, w.kept(0), std::move(code)).empty()) return;
  if (map != nullptr) {
    elisp::FunctionState* const state = elisp::tiers_of(cx).ensure_state(w.kept(0));
    state->exact_arguments = 0xFFFFFFFF;
    state->source = std::move(map);
  }
  (void)w.run(w.kept(0), (mode >> 1) % World::kArgumentSets);
  (void)w.run(w.kept(0), (mode >> 3) % World::kArgumentSets);  // with its call sites quickened
  if (funcall_re(cx, intern(cx, "neovm-register-code"), {w.kept(0), Qt}).is_exit()) cx.exit_kind = ExitKind::kNone;
}

}  // namespace neovm::fuzz
