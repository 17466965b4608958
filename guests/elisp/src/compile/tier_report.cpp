#include "compile/tier_report.hpp"

#include <algorithm>
#include <cstdio>

#include "eval/inline_cache.hpp"
#include "eval/lookup_cache.hpp"
#include "eval/machine.hpp"
#include "eval/register_calls.hpp"
#include "neovm/abi/api.hpp"

namespace neovm::elisp {

using core::bytecode::kOpCount;
using core::bytecode::kOpRows;
using core::bytecode::Op;

namespace {

constexpr std::size_t kSitesInReport = 20;
// What a form is worth among instructions: compiled from their source, the programs of bench/speed execute 2.4 to 3.3
// instructions of register code for each form that the interpreter evaluates.
constexpr std::uint64_t kInstructionsPerForm = 3;
constexpr std::size_t kOwnersInReport = 100;
constexpr std::size_t kOpcodesInText = 24;

bool is_quickened(unsigned op) { return kOpRows[op].effects.find('Q') != std::string_view::npos; }
bool has_cache(Op op) { return has_call_cache(op) || is_quickened(static_cast<unsigned>(op)); }

// Caches of quickened forms that did not fit (the calls from source count their own misses).
std::uint64_t quickened_invalidations(const TierStatistics& s) {
  std::uint64_t n = 0;
  for (unsigned i = 0; i < kOpCount; ++i)
    if (is_quickened(i)) n += s.invalidations[i];
  return n;
}

// What kind of site an instruction is, and how many shapes it has met: by its cache where there is one, else by what was seen.
enum class Family : std::uint8_t { kCalls, kLookups, kTypes, kSlots, kNumbers, kValues, kNone };
constexpr const char* kFamilyNames[] = {"calls", "lookups", "types", "slots", "numbers", "values"};
constexpr const char* kStateNames[] = {"empty", "mono", "poly", "mega"};

Family family_of(Op op) {
  switch (op) {
    case Op::call_gethash: return Family::kLookups;
    case Op::check_type:
    case Op::call_type_of: return Family::kTypes;
    case Op::aref:
    case Op::aref_k: return Family::kSlots;
    case Op::call:
    case Op::tail_call: return Family::kValues;
    default: break;
  }
  if (has_cache(op)) return Family::kCalls;
  return op >= Op::add1 && op <= Op::jump_not_num_ge_k && op != Op::rem ? Family::kNumbers : Family::kNone;
}

SiteState state_of_site(const FunctionState& s, std::size_t at, Op op, Family family) {
  const SeenShapes& shapes = s.shapes[at];
  if (family == Family::kNumbers && s.missed[at] != 0) return SiteState::kMega;
  if (family != Family::kCalls && family != Family::kLookups) return shapes.state();
  const CallCache& c = s.caches[s.own_words[at + 1] >> 16];
  if (family == Family::kLookups) return lookup_state(c);
  if (looks_up_calls(op)) return c.misses > kRestlessMisses ? SiteState::kMega : SiteState::kEmpty;
  // A quickened site that the collector has cleared fills its cache again at its next call.
  return is_quickened(static_cast<unsigned>(op)) || c.key != CallCache::kEmpty ? SiteState::kMono : SiteState::kEmpty;
}

// Sums over the sites of each family in each state, of the functions that live.
void append_site_figures(Context& cx, std::vector<TierFigure>* out) {
  struct Sum {
    std::uint64_t sites = 0;
    std::uint64_t executed = 0;
    std::uint64_t missed = 0;
  };
  Sum sums[std::size(kFamilyNames)][std::size(kStateNames)];
  tiers_of(cx).each_state([&](const FunctionState& s) {
    if (s.code == nullptr || !s.executed) return;
    const std::span<const core::bytecode::Word> words(s.own_words.get(), s.code->words.size());
    for (std::size_t at = 0; at < words.size(); at += core::bytecode::length_at(words, at)) {
      const Op op = core::bytecode::op_of(words[at]);
      const Family family = family_of(op);
      if (family == Family::kNone || s.executed[at] == 0) continue;
      Sum& sum = sums[static_cast<unsigned>(family)][static_cast<unsigned>(state_of_site(s, at, op, family))];
      ++sum.sites;
      sum.executed += s.executed[at];
      sum.missed += s.missed[at];
    }
  });
  for (std::size_t f = 0; f < std::size(kFamilyNames); ++f)
    for (std::size_t i = 0; i < std::size(kStateNames); ++i) {
      const Sum& sum = sums[f][i];
      if (sum.sites == 0) continue;
      const std::string name = std::string(kFamilyNames[f]) + "-" + kStateNames[i];
      out->push_back({"sites-" + name, sum.sites});
      out->push_back({"hits-" + name, sum.executed - std::min(sum.executed, sum.missed)});
      out->push_back({"misses-" + name, sum.missed});
    }
}

std::uint64_t figure(const std::vector<TierFigure>& figures, std::string_view name) {
  for (const TierFigure& f : figures)
    if (f.name == name) return f.value;
  return 0;
}

bool is_site_figure(std::string_view name) {
  return name.starts_with("sites-") || name.starts_with("hits-") || name.starts_with("misses-");
}

double percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      out += '?';
    } else {
      out += c;
    }
  }
  return out + "\"";
}

template <class... Ts>
void append_line(std::string* out, const char* format, Ts... values) {
  char line[256];
  std::snprintf(line, sizeof line, format, values...);
  *out += line;
}

}  // namespace

const char* name_of(SiteState state) { return kStateNames[static_cast<unsigned>(state)]; }

std::vector<TierFigure> tier_figures(Context& cx) {
  const TierStatistics& s = tiers_of(cx).statistics;
  std::uint64_t registers = 0;
  std::uint64_t cached = 0;  // executions of instructions with a call cache
  std::uint64_t invalidations = 0;
  for (unsigned i = 0; i < s.instructions.size(); ++i) {
    registers += s.instructions[i];
    if (has_cache(static_cast<Op>(i))) cached += s.instructions[i];
  }
  for (const std::uint64_t n : s.invalidations) invalidations += n;
  // A cache that did not fit is looked up by the same instruction, as a call_global.
  const std::uint64_t looked_up =
      s.instructions.empty() ? 0
                             : s.instructions[static_cast<unsigned>(Op::call_global)] +
                                   s.instructions[static_cast<unsigned>(Op::tail_call_global)] +
                                   quickened_invalidations(s) + s.cleared_calls + s.source_misses + s.lookup_misses;
  std::vector<TierFigure> out = {
      {"functions", s.functions},
      {"functions-freed", s.functions_freed},
      {"translated", s.translated},
      {"loops-entered", s.loops_entered},
      {"shared", s.shared},
      {"refused", s.refused},
      {"cache-fills", s.cache_fills},
      {"invalidations", invalidations},
      {"caches-cleared", s.caches_cleared},
      {"source-compiled", s.source_compiled},
      {"source-dropped", s.source_dropped},
      {"forms", machine(cx).forms},
      {"forms-as-instructions", machine(cx).forms * kInstructionsPerForm},
      {"stack-instructions", s.stack_instructions},
      {"register-instructions", registers},
      {"cache-hits", cached - looked_up},
      {"cache-misses", looked_up},
  };
  if (!s.instructions.empty()) append_site_figures(cx, &out);
  for (const auto& [why, n] : s.source_refused) {
    std::string name = "source-refused-" + why;
    for (char& c : name)
      if (c == ' ') c = '-';
    out.push_back({name, n});
  }
  for (unsigned i = 0; i < s.instructions.size(); ++i)
    if (s.instructions[i] != 0) out.push_back({"op-" + std::string(kOpRows[i].name), s.instructions[i]});
  for (unsigned i = 0; i < kOpCount; ++i)
    if (s.invalidations[i] != 0) out.push_back({"invalid-" + std::string(kOpRows[i].name), s.invalidations[i]});
  return out;
}

std::vector<TierSite> tier_sites(const FunctionState& s) {
  std::vector<TierSite> out;
  if (s.code == nullptr || !s.executed) return out;
  const std::span<const core::bytecode::Word> words(s.own_words.get(), s.code->words.size());
  for (std::size_t at = 0; at < words.size(); at += core::bytecode::length_at(words, at)) {
    const Op op = core::bytecode::op_of(words[at]);
    const Family family = family_of(op);
    if (family == Family::kNone || s.executed[at] == 0) continue;
    TierSite site;
    site.function = s.name;
    site.word = static_cast<std::uint32_t>(at);
    site.op = op;
    site.executed = s.executed[at];
    site.misses = s.missed[at];
    site.state = state_of_site(s, at, op, family);
    if (has_cache(op)) {
      const std::uint32_t cache = words[at + 1] >> 16;
      site.callee = s.callees[cache];
      // A call from source has something else in `misses`.
      if (is_quickened(static_cast<unsigned>(op)) || looks_up_calls(op)) site.refilled = s.caches[cache].misses;
    }
    out.push_back(std::move(site));
  }
  return out;
}

std::vector<TierSite> busiest_sites(Context& cx, std::size_t limit) {
  std::vector<TierSite> all;
  tiers_of(cx).each_state([&](const FunctionState& s) {
    for (TierSite& site : tier_sites(s))
      if (has_cache(site.op)) all.push_back(std::move(site));
  });
  const std::size_t n = std::min(limit, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(n), all.end(),
                    [](const TierSite& a, const TierSite& b) { return a.executed > b.executed; });
  all.resize(n);
  return all;
}

std::vector<TierFigure> busiest_forms(Context& cx, std::size_t limit) {
  std::vector<TierFigure> all;
  for (const auto& [owner, n] : tiers_of(cx).statistics.form_owners) all.push_back({owner, n});
  std::sort(all.begin(), all.end(), [](const TierFigure& a, const TierFigure& b) { return a.value > b.value; });
  if (all.size() > limit) all.resize(limit);
  return all;
}

std::string tier_report_json(Context& cx) {
  std::string out = "{";
  for (const TierFigure& f : tier_figures(cx)) out += quoted(f.name) + ":" + std::to_string(f.value) + ",";
  for (const TierFigure& f : busiest_forms(cx, kOwnersInReport)) {
    std::string name = "interpreted " + f.name;
    for (char& c : name)
      if (c == '"' || c == '\\') c = '?';  // neovm stats reads names as they are
    out += quoted(name) + ":" + std::to_string(f.value) + ",";
  }
  out += "\"sites\":[";
  const char* separator = "";
  for (const TierSite& s : busiest_sites(cx, kSitesInReport)) {
    out += separator;
    out += "{\"function\":" + quoted(s.function) + ",\"word\":" + std::to_string(s.word) +
           ",\"op\":" + quoted(std::string(core::bytecode::row(s.op).name)) + ",\"callee\":" + quoted(s.callee) +
           ",\"executed\":" + std::to_string(s.executed) + ",\"misses\":" + std::to_string(s.misses) +
           ",\"refilled\":" + std::to_string(s.refilled) + ",\"state\":" + quoted(name_of(s.state)) + "}";
    separator = ",";
  }
  return out + "]}\n";
}

std::string tier_report_text(Context& cx) {
  const std::vector<TierFigure> figures = tier_figures(cx);
  std::string out;
  for (const TierFigure& f : figures) {
    if (f.name.starts_with("op-") || f.name.starts_with("invalid-") || is_site_figure(f.name)) continue;
    append_line(&out, "%-24s %14llu\n", f.name.c_str(), static_cast<unsigned long long>(f.value));
  }
  const std::uint64_t registers = figure(figures, "register-instructions");
  const std::uint64_t hits = figure(figures, "cache-hits");
  append_line(
      &out, "%-24s %13.2f%%\n", "share of register code",
      percent(registers, registers + figure(figures, "stack-instructions") + figure(figures, "forms-as-instructions")));
  append_line(&out, "%-24s %13.2f%%\n", "cache hit rate", percent(hits, hits + figure(figures, "cache-misses")));
  append_line(&out, "%-16s %10s %14s %12s\n", "sites", "number", "hits", "misses");
  for (const TierFigure& f : figures) {
    if (!f.name.starts_with("sites-")) continue;
    const std::string name = f.name.substr(6);
    append_line(&out, "  %-14s %10llu %14llu %12llu\n", name.c_str(), static_cast<unsigned long long>(f.value),
                static_cast<unsigned long long>(figure(figures, "hits-" + name)),
                static_cast<unsigned long long>(figure(figures, "misses-" + name)));
  }
  std::vector<TierFigure> opcodes;
  for (const TierFigure& f : figures)
    if (f.name.starts_with("op-")) opcodes.push_back(f);
  std::sort(opcodes.begin(), opcodes.end(), [](const TierFigure& a, const TierFigure& b) { return a.value > b.value; });
  if (opcodes.size() > kOpcodesInText) opcodes.resize(kOpcodesInText);
  for (const TierFigure& f : opcodes)
    append_line(&out, "  %-22s %14llu %6.2f%%  invalidated %llu\n", f.name.c_str() + 3,
                static_cast<unsigned long long>(f.value), percent(f.value, registers),
                static_cast<unsigned long long>(figure(figures, "invalid-" + f.name.substr(3))));
  for (const TierFigure& f : busiest_forms(cx, kSitesInReport))
    append_line(&out, "  %.60s: %llu forms interpreted\n", f.name.c_str(), static_cast<unsigned long long>(f.value));
  for (const TierSite& s : busiest_sites(cx, kSitesInReport))
    append_line(&out, "  %.40s+%u %.20s %.40s: %llu calls, %llu without cache, %s\n",
                s.function.empty() ? "?" : s.function.c_str(), s.word, core::bytecode::row(s.op).name.data(),
                s.callee.empty() ? "?" : s.callee.c_str(), static_cast<unsigned long long>(s.executed),
                static_cast<unsigned long long>(s.misses), name_of(s.state));
  return out;
}

}  // namespace neovm::elisp
