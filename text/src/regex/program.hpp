// The compiled form of a pattern.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tree.hpp"

namespace neovm::text {
namespace regex {

enum class Op : std::uint8_t {
  // Consume one character.
  kByte,      // value = the byte
  kAny,       // anything but newline
  kSet,       // value = set
  kSyntax,    // value = code; flag = negated
  kCategory,  // value = category; flag = negated
  // Consume text.
  kString,   // bytes[value, value + count)
  kFold,     // canonical characters folded[value, value + count)
  kBackref,  // value = group
  kAssert,   // value = Assertion
  // Control. Targets are instruction indexes.
  kGroupStart,  // value = group
  kGroupEnd,
  kJump,         // target
  kSplit,        // try the next instruction, then target; flag: the other way round
  kLoop,         // head of a general loop: value = counter register or -1, count = position register or -1,
                 // min, max; the body follows, target is the exit; flag = lazy
  kSetRegister,  // value = register, min = what
  kRepeatOne,    // the next instruction (one character) min..max times, then go on behind it; flag = lazy
  kMatch,
};

inline constexpr std::uint16_t kNoMap = 0xffff;

struct Instruction {
  Op op = Op::kMatch;
  bool flag = false;
  bool possessive = false;           // kRepeatOne: what follows cannot start inside what was repeated
  std::uint16_t here_map = kNoMap;   // kSplit, kLoop: first bytes of the path that follows
  std::uint16_t other_map = kNoMap;  // … of the path at target; kRepeatOne: of what comes after
  std::int32_t value = 0;
  std::int32_t count = 0;
  std::int32_t min = 0;
  std::int32_t max = 0;
  std::int32_t target = 0;
};

struct ByteMap {
  std::uint64_t bits[4];
  [[nodiscard]] bool has(std::uint8_t b) const { return ((bits[b >> 6] >> (b & 63)) & 1) != 0; }
};

}  // namespace regex

// A pattern that is searched for: what every match must have, and the program that decides. Many a pattern is only ever
// looked for in text that lacks what a match must have, so the program is made when something has to be tried.
class Regex {
 public:
  // What a search looks at.
  int groups = 0;  // highest group number
  bool multibyte = false;
  bool posix = false;
  bool fold = false;
  bool anchored_at_start = false;                     // begins with \`
  bool anchored_at_line = false;                      // begins with ^
  bool anchored_at_point = false;                     // begins with \=
  regex::FirstBytes first;                            // never the continuation of a character
  mutable std::unique_ptr<std::uint8_t[]> first_map;  // the same by byte, made by the first search through a long text
  std::vector<std::uint8_t> prefix;                   // exact bytes every match starts with
  std::vector<std::uint8_t> folded_prefix;  // ASCII, canonical: text every match starts with when case is ignored
  std::unique_ptr<std::uint8_t[]>
      folded_skip;                     // how far a search for folded_prefix may skip, by the byte under its end
  std::vector<std::uint8_t> required;  // exact bytes every match contains, when they say more than the prefix
  std::shared_ptr<const AsciiCanonical> canonical;  // when case is ignored

  // The program; empty code: not yet made.
  std::vector<regex::Instruction> code;
  std::vector<regex::CharSet> sets;
  std::vector<regex::ByteMap> maps;
  std::vector<std::uint8_t> bytes;
  std::vector<std::int32_t> folded;
  int registers = 0;        // loop counters and positions
  int leading_repeat = -1;  // the instruction that takes a run of characters at the start of every match
};

namespace regex {
// Finds out what every match of the workspace's tree must have.
void analyze(Workspace* work, const CaseFolder& folder, bool multibyte, Regex* out);
// Makes the program of the tree that was analyzed last, which is spent then.
void generate(Workspace* work, const CaseFolder& folder, Regex* out);
// Makes the program of a pattern in the cache.
void complete(Context& cx, const Regex& regex);
}  // namespace regex

}  // namespace neovm::text
