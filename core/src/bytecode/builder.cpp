#include "neovm/core/bytecode/builder.hpp"

#include <algorithm>

namespace neovm::core::bytecode {

Builder::Label Builder::make_label() {
  places_.push_back(kNowhere);
  return {static_cast<std::uint32_t>(places_.size() - 1)};
}

void Builder::bind(Label label) { places_[label.index] = static_cast<std::uint32_t>(code_.words.size()); }

std::size_t Builder::emit(Op op, unsigned a, unsigned b, unsigned c) {
  if (a > 255 || b > 255 || c > 255) failed_ = true;
  code_.words.push_back(encode(op, a & 255, b & 255, c & 255));
  return code_.words.size() - 1;
}

void Builder::emit_wide(Op op, unsigned a, unsigned wide) {
  if (a > 255 || wide > 0xFFFF) failed_ = true;
  code_.words.push_back(encode(op, a & 255) | wide << 16);
}

void Builder::patch_later(std::size_t place, std::size_t from, Label label, bool wide) {
  patches_.push_back({static_cast<std::uint32_t>(place), static_cast<std::uint32_t>(from), label.index, wide});
}

void Builder::jump(Label target) {
  const std::size_t place = emit(bound(target) ? Op::loop : Op::jump);
  patch_later(place, place + 1, target, false);
}

void Builder::branch(Op op, unsigned a, unsigned b, unsigned c, Label target) {
  if (bound(target)) {
    // Only `loop` goes back: jump there, on the way.
    const Label back = make_label();
    const Label over = make_label();
    branch(op, a, b, c, back);
    jump(over);
    bind(back);
    jump(target);
    bind(over);
    return;
  }
  const bool wide = row(op).operands.find('|') != std::string_view::npos;
  const std::size_t place = emit(op, a, wide ? b : 0, wide ? c : 0);
  if (wide) {
    code_.words.push_back(0);
    patch_later(place + 1, place + 2, target, true);
  } else {
    patch_later(place, place + 1, target, false);
  }
}

void Builder::push(Op op, unsigned tag, Label landing) {
  const std::size_t place = emit(op, tag);
  code_.words.push_back(0);
  patch_later(place + 1, place + 2, landing, true);
}

void Builder::arguments(std::span<const std::uint8_t> regs) {
  if (regs.size() > 250) failed_ = true;
  for (std::size_t i = 0; i < regs.size(); i += 4) {
    Word w = 0;
    for (std::size_t k = 0; k < 4 && i + k < regs.size(); ++k) w |= Word{regs[i + k]} << (8 * k);
    code_.words.push_back(w);
  }
}

void Builder::call(unsigned to, unsigned function, std::span<const std::uint8_t> args) {
  emit(Op::call, to, static_cast<unsigned>(args.size()), function);
  arguments(args);
}

void Builder::call_global(unsigned to, unsigned constant, std::span<const std::uint8_t> args) {
  emit_constant(Op::call_global, to, static_cast<unsigned>(args.size()), 0, constant);
  arguments(args);
}

void Builder::tail_call(unsigned function, std::span<const std::uint8_t> args) {
  emit(Op::tail_call, function, static_cast<unsigned>(args.size()));
  arguments(args);
}

void Builder::tail_call_global(unsigned constant, std::span<const std::uint8_t> args) {
  emit_constant(Op::tail_call_global, 0, static_cast<unsigned>(args.size()), 0, constant);
  arguments(args);
}

void Builder::emit_constant(Op op, unsigned a, unsigned b, unsigned c, unsigned constant) {
  emit(op, a, b, c);
  if (constant > 0xFFFF || code_.caches == 0xFFFF) failed_ = true;
  code_.words.push_back((constant & 0xFFFF) | Word{code_.caches} << 16);
  ++code_.caches;
}

void Builder::emit_constant(Op op, unsigned a, unsigned b, unsigned c, unsigned constant, Label target) {
  if (bound(target)) failed_ = true;  // only `loop` goes back
  emit_constant(op, a, b, c, constant);
  code_.words.push_back(0);
  patch_later(code_.words.size() - 1, code_.words.size(), target, true);
}

void Builder::emit_arguments(Op op, unsigned to, unsigned c, std::span<const std::uint8_t> args) {
  emit(op, to, static_cast<unsigned>(args.size()), c);
  arguments(args);
}

void Builder::retarget(std::size_t place, unsigned to) {
  code_.words[place] = (code_.words[place] & ~Word{0xFF00}) | to << 8;
  use(to);
}

void Builder::use(unsigned reg) {
  if (reg >= kMaxRegisters) {
    failed_ = true;
    return;
  }
  code_.registers = std::max<std::uint16_t>(code_.registers, static_cast<std::uint16_t>(reg + 1));
}

void Builder::entry(std::uint32_t position) {
  code_.entries.push_back({position, static_cast<std::uint32_t>(code_.words.size())});
}

void Builder::origin(std::uint32_t position) {
  code_.origins.push_back({static_cast<std::uint32_t>(code_.words.size()), position});
}

Code Builder::finish() {
  for (const Patch& p : patches_) {
    const std::uint32_t target = places_[p.label];
    if (target == kNowhere) {
      failed_ = true;
      continue;
    }
    const std::int64_t distance = static_cast<std::int64_t>(target) - p.from;
    if (p.wide) {
      code_.words[p.place] = static_cast<Word>(static_cast<std::int32_t>(distance));
    } else {
      if (distance < INT16_MIN || distance > INT16_MAX) failed_ = true;
      code_.words[p.place] = (code_.words[p.place] & 0xFFFF) | static_cast<Word>(distance & 0xFFFF) << 16;
    }
  }
  for (const Code::Target& t : switch_targets_) {
    if (places_[t.word] == kNowhere) failed_ = true;
    code_.targets.push_back({t.key, places_[t.word]});
  }
  std::sort(code_.targets.begin(), code_.targets.end(),
            [](const Code::Target& a, const Code::Target& b) { return a.key < b.key; });
  code_.targets.erase(std::unique(code_.targets.begin(), code_.targets.end(),
                                  [](const Code::Target& a, const Code::Target& b) { return a.key == b.key; }),
                      code_.targets.end());
  return std::move(code_);
}

}  // namespace neovm::core::bytecode
