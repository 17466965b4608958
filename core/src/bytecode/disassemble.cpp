#include <cstdio>

#include "neovm/core/bytecode/code.hpp"

namespace neovm::core::bytecode {

std::string disassemble(const Code& code, std::span<const Word> words,
                        const std::function<std::string(unsigned)>& constant) {
  std::string out = std::to_string(code.registers) + " registers, " + std::to_string(code.mandatory) + " to " +
                    (code.rest ? "any number of" : std::to_string(code.parameters)) + " arguments, " +
                    std::to_string(words.size()) + " words\n";
  const auto name = [&](unsigned k) {
    std::string s = "k" + std::to_string(k);
    // Code that no path reaches may name any.
    if (constant && k < code.constants) s += " " + constant(k);
    return s;
  };
  std::size_t origin = 0;
  for (std::size_t at = 0; at < words.size();) {
    const Word word = words[at];
    const OpRow& r = row(op_of(word));
    const std::size_t end = at + length_at(words, at);
    char head[64];
    while (origin < code.origins.size() && code.origins[origin].word < at) ++origin;
    if (origin < code.origins.size() && code.origins[origin].word == at) {
      std::snprintf(head, sizeof head, "%5zu %5u  ", at, code.origins[origin].position);
    } else {
      std::snprintf(head, sizeof head, "%5zu        ", at);
    }
    out += head;
    out += r.name;
    const unsigned fields[3] = {a_of(word), b_of(word), c_of(word)};
    std::size_t field = 0;
    std::size_t i = 0;
    for (; i < r.operands.size() && r.operands[i] != '|'; ++i, ++field) {
      switch (r.operands[i]) {
        case 'W':
        case 'R': out += " r" + std::to_string(fields[field]); break;
        case 'K': out += " " + name(fields[field]); break;
        case 'L': out += " " + name(wide_of(word)); break;
        case 'U': out += " #" + std::to_string(fields[field]); break;
        case 'J': out += " -> " + std::to_string(static_cast<std::int64_t>(at) + 1 + jump_of(word)); break;
        default: break;
      }
    }
    std::size_t next = at + 1;
    for (++i; i < r.operands.size(); ++i) {
      switch (r.operands[i]) {
        case 'j':
          out += " -> " + std::to_string(static_cast<std::int64_t>(next) + 1 + static_cast<std::int32_t>(words[next]));
          ++next;
          break;
        case 'k':
          out += " " + name(words[next] & 0xFFFF) + " cache " + std::to_string(words[next] >> 16);
          ++next;
          break;
        default:
          for (unsigned n = 0; n < b_of(word); ++n)
            out += (n == 0 ? " (r" : " r") + std::to_string(words[next + n / 4] >> (n % 4 * 8) & 0xFF);
          if (b_of(word) > 0) out += ")";
          next += (b_of(word) + 3) / 4;
          break;
      }
    }
    out += "\n";
    at = end;
  }
  for (const Code::Target& t : code.targets)
    out += "switch " + std::to_string(t.key) + " -> " + std::to_string(t.word) + "\n";
  return out;
}

}  // namespace neovm::core::bytecode
