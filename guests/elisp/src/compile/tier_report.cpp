#include "compile/tier_report.hpp"

#include "eval/machine.hpp"

namespace neovm::elisp {

std::vector<TierFigure> tier_figures(Context& cx) {
  const TierStatistics& s = tiers_of(cx).statistics;
  std::uint64_t registers = 0;
  for (const std::uint64_t n : s.instructions) registers += n;
  using core::bytecode::Op;
  const auto executed = [&s](Op op) { return s.instructions.empty() ? 0 : s.instructions[static_cast<unsigned>(op)]; };
  const std::uint64_t hits = executed(Op::call_code) + executed(Op::call_primitive1) + executed(Op::call_primitive2) +
                             executed(Op::call_primitive3) + executed(Op::call_primitive) +
                             executed(Op::call_code_adjusted) + executed(Op::call_reentrant) +
                             executed(Op::call_applied);
  std::vector<TierFigure> out = {
      {"functions", s.functions},
      {"translated", s.translated},
      {"refused", s.refused},
      {"quickened", s.quickened},
      {"cache-fills", s.cache_fills},
      {"cache-misses", s.cache_misses},
      {"caches-cleared", s.caches_cleared},
      {"source-compiled", s.source_compiled},
      {"source-dropped", s.source_dropped},
      {"forms", machine(cx).forms},
      {"stack-instructions", s.stack_instructions},
      {"register-instructions", registers},
      // A call through a filled cache whose key does not fit executes both forms.
      {"global-calls", executed(Op::call_global) + hits - s.cache_misses},
      {"global-calls-uncached", executed(Op::call_global)},
  };
  for (const auto& [why, n] : s.source_refused) {
    std::string name = "source-refused-" + why;
    for (char& c : name)
      if (c == ' ') c = '-';
    out.push_back({name, n});
  }
  for (unsigned i = 0; i < s.instructions.size(); ++i)
    if (s.instructions[i] != 0)
      out.push_back({"op-" + std::string(core::bytecode::kOpRows[i].name), s.instructions[i]});
  return out;
}

}  // namespace neovm::elisp
