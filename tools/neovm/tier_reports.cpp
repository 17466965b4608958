#include "tier_reports.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>

namespace neovm {

namespace {

using Sums = std::map<std::string, unsigned long long>;

// Adds the members of LINE that are numbers, up to the list of sites: {"name":number,…,"sites":[…]}.
bool add_line(const std::string& line, Sums* sums) {
  if (line.empty() || line[0] != '{') return false;
  std::size_t at = 1;
  while (at < line.size() && line[at] == '"') {
    const std::size_t end = line.find('"', at + 1);
    if (end == std::string::npos || end + 1 >= line.size() || line[end + 1] != ':') return false;
    const std::string name = line.substr(at + 1, end - at - 1);
    if (name == "sites") return true;
    char* after = nullptr;
    const unsigned long long value = std::strtoull(line.c_str() + end + 2, &after, 10);
    if (after == line.c_str() + end + 2) return false;
    (*sums)[name] += value;
    at = static_cast<std::size_t>(after - line.c_str()) + 1;
  }
  return false;
}

double percent(unsigned long long part, unsigned long long whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

// Sites of a kind in a state: their number, hits and misses.
bool is_site_figure(const std::string& name) {
  return name.starts_with("sites-") || name.starts_with("hits-") || name.starts_with("misses-");
}

}  // namespace

int tier_reports(const std::vector<std::string>& files, bool json) {
  Sums sums;
  unsigned long long processes = 0;
  for (const std::string& file : files) {
    std::ifstream in(file);
    if (!in) {
      std::fprintf(stderr, "neovm: cannot read %s\n", file.c_str());
      return 1;
    }
    for (std::string line; std::getline(in, line); ++processes)
      if (!add_line(line, &sums)) {
        std::fprintf(stderr, "neovm: %s is not a report of the tiers\n", file.c_str());
        return 1;
      }
  }
  const unsigned long long registers = sums["register-instructions"];
  const unsigned long long others = sums["stack-instructions"] + sums["forms-as-instructions"];
  const double share = percent(registers, registers + others);
  const double hits = percent(sums["cache-hits"], sums["cache-hits"] + sums["cache-misses"]);
  if (json) {
    std::printf("{\"processes\":%llu,\"register-share\":%.4f,\"cache-hit-rate\":%.4f", processes, share, hits);
    for (const auto& [name, value] : sums) std::printf(",\"%s\":%llu", name.c_str(), value);
    std::printf("}\n");
    return 0;
  }
  std::printf("%-28s %16llu\n%-28s %15.2f%%\n%-28s %15.2f%%\n", "processes", processes, "share of register code", share,
              "cache hit rate", hits);
  using Counts = std::vector<std::pair<std::string, unsigned long long>>;
  const auto descending = [](const auto& a, const auto& b) { return a.second > b.second; };
  Counts opcodes;
  Counts owners;
  for (const auto& [name, value] : sums) {
    if (name.starts_with("op-")) {
      opcodes.emplace_back(name.substr(3), value);
    } else if (name.starts_with("interpreted ")) {
      owners.emplace_back(name.substr(12), value);
    } else if (!name.starts_with("invalid-") && !is_site_figure(name)) {
      std::printf("%-28s %16llu\n", name.c_str(), value);
    }
  }
  std::sort(opcodes.begin(), opcodes.end(), descending);
  std::sort(owners.begin(), owners.end(), descending);
  std::printf("\n%-28s %16s %16s %12s\n", "sites", "number", "hits", "misses");
  for (const auto& [name, value] : Sums(sums)) {
    if (!name.starts_with("sites-")) continue;
    const std::string kind = name.substr(6);
    std::printf("%-28s %16llu %16llu %12llu\n", kind.c_str(), value, sums["hits-" + kind], sums["misses-" + kind]);
  }
  std::printf("\n%-28s %16s %8s %12s\n", "opcode", "executed", "share", "invalidated");
  for (const auto& [name, value] : opcodes) {
    const auto invalid = sums.find("invalid-" + name);
    std::printf("%-28s %16llu %7.2f%% %12llu\n", name.c_str(), value, percent(value, registers),
                invalid == sums.end() ? 0 : invalid->second);
  }
  if (owners.empty()) return 0;
  std::printf("\n%-60s %16s\n", "interpreted forms of", "executed");
  constexpr std::size_t kShown = 40;
  for (std::size_t i = 0; i < owners.size() && i < kShown; ++i)
    std::printf("%-60.60s %16llu\n", owners[i].first.c_str(), owners[i].second);
  return 0;
}

}  // namespace neovm
