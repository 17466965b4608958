// `neovm stats FILE…`: sums what `neomacs --neovm-tier-report=FILE` has written, one line of JSON for each process.
#pragma once

#include <string>
#include <vector>

namespace neovm {

// Prints shares of the tiers, the hit rate of the inline caches and the busiest opcodes, as text or JSON. Returns the exit status.
int tier_reports(const std::vector<std::string>& files, bool json);

}  // namespace neovm
