// What the tiers did: figures by name, call sites, and both as JSON.
#pragma once

#include <string>
#include <vector>

#include "eval/tiers.hpp"

namespace neovm::elisp {

struct TierFigure {
  std::string name;
  std::uint64_t value;
};
// Everything that is counted; opcodes that were never executed are left out. cache-hits and cache-misses are calls of
// global names; a call that goes without a cache (new, restless, or of something that has no quickened form) is a miss.
std::vector<TierFigure> tier_figures(Context& cx);

// What had most of its forms interpreted: functions, and forms that were evaluated or loaded, by their head.
std::vector<TierFigure> busiest_forms(Context& cx, std::size_t limit);

// A call of a global name in register code, or another instruction that meets many shapes (arithmetic, elements of records, calls of
// values), with TierOptions::count.
struct TierSite {
  std::string function;  // that the call is in; empty when it has no name
  std::string callee;    // empty when it is no symbol
  std::uint32_t word = 0;
  core::bytecode::Op op{};     // as it is now
  std::uint64_t executed = 0;  // of these calls …
  std::uint64_t misses = 0;    // … went without the cache
  std::uint32_t refilled = 0;  // how often the cache did not fit (restless sites: calls)
  SiteState state{};
};
// empty, mono, poly or mega.
const char* name_of(SiteState state);
// The sites of S that were executed, in order.
std::vector<TierSite> tier_sites(const FunctionState& s);
// The `limit` calls of global names of the isolate that were executed most.
std::vector<TierSite> busiest_sites(Context& cx, std::size_t limit);

// One JSON object in one line: the figures, and the busiest sites under "sites".
std::string tier_report_json(Context& cx);
// The same to be read: shares, hit rate by form, the busiest opcodes and sites.
std::string tier_report_text(Context& cx);

}  // namespace neovm::elisp
