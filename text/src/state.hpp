// What text/ keeps per isolate.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "neovm/abi/host.hpp"
#include "regex/folding.hpp"
#include "regex/program.hpp"

namespace neovm::text {

namespace regex {
// One entry of the matcher's stack: a choice to come back to, or a register to restore on the way.
struct Choice {
  enum class Kind : std::uint32_t { kTry, kRestore, kGiveBack, kTakeMore, kLazyLoop };
  Kind kind;
  std::uint32_t where;  // instruction, or register for kRestore
  std::int64_t a;
  std::int64_t b;
};
}  // namespace regex

struct CachedRegex {
  std::uint64_t hash = 0;
  std::uint64_t last_use = 0;
  std::string key;  // pattern and search-spaces-regexp, with their multibyteness and the flags
  Slot case_table;
  std::unique_ptr<Regex> regex;
};

class CharacterSet {
 public:
  regex::CharSet set;
};

struct CachedSkipSet {
  std::string key;
  Slot case_table;
  CharacterSet set;
};

struct TextState {
  static constexpr std::size_t kCacheSize = 128;
  std::vector<CachedRegex> cache;
  std::uint8_t cache_hints[256] = {};   // by low bits of the hash: where the pattern may be
  std::uint8_t cache_places[256] = {};  // by the address of the pattern's text: the same
  std::uint64_t uses = 0;
  regex::Workspace workspace;
  regex::FoldingCache folding;
  std::vector<std::unique_ptr<CachedSkipSet>> skip_sets;  // most recently used first
  Slot syntax_codes;                                      // vector of the shared entries, or nil
  std::vector<regex::Choice> stack;
  bool stack_in_use = false;
};
TextState& text_state(Context& cx);

}  // namespace neovm::text
