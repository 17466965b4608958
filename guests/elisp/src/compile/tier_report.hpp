// The figures of the tiers by name.
#pragma once

#include <string>
#include <vector>

#include "eval/tiers.hpp"

namespace neovm::elisp {

struct TierFigure {
  std::string name;
  std::uint64_t value;
};
// Everything that is counted; opcodes that were never executed are left out.
std::vector<TierFigure> tier_figures(Context& cx);

}  // namespace neovm::elisp
