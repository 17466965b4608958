// Syntax of characters: the classes, the flags, and how a scanner asks for them.
//
// An entry of a syntax table is (CODE+FLAGS . MATCH) or nil; a missing entry means whitespace. With
// parse-sexp-lookup-properties the `syntax-table` text property overrides the table for single
// characters; where properties live is the caller's business, so it hands in a function.
#pragma once

#include <cstdint>

#include "neovm/abi/layout.hpp"
#include "neovm/abi/tables.hpp"

namespace neovm::text {

enum SyntaxCode : std::uint8_t {
  kSyntaxWhitespace,
  kSyntaxPunctuation,
  kSyntaxWord,
  kSyntaxSymbol,
  kSyntaxOpen,
  kSyntaxClose,
  kSyntaxQuote,  // expression prefix
  kSyntaxString,
  kSyntaxMath,  // paired delimiter
  kSyntaxEscape,
  kSyntaxCharQuote,
  kSyntaxComment,
  kSyntaxEndComment,
  kSyntaxInherit,
  kSyntaxCommentFence,
  kSyntaxStringFence,
  kSyntaxCodeCount
};

// Flags above the code in the car of an entry.
enum SyntaxFlag : std::uint32_t {
  kFlagCommentStart1 = 1U << 16,
  kFlagCommentStart2 = 1U << 17,
  kFlagCommentEnd1 = 1U << 18,
  kFlagCommentEnd2 = 1U << 19,
  kFlagPrefix = 1U << 20,
  kFlagStyleB = 1U << 21,
  kFlagNested = 1U << 22,
  kFlagStyleC = 1U << 23,
};

// Designator character of each code, and back: -1 for characters that designate nothing.
inline constexpr char kSyntaxDesignators[] = " .w_()'\"$\\/<>@!|";
int syntax_code_of_designator(int c);

// The text around a position over which the `syntax-table` property has one value.
struct SyntaxRun {
  std::int64_t from = 0;  // byte offsets in the caller's view
  std::int64_t to = 0;
  Value property = kNil;  // nil, an entry, or a syntax table
};
struct SyntaxProperties {
  void* data = nullptr;
  // Fills in the run that contains the character at byte offset `at`. No Lisp, no allocation.
  void (*run_at)(void* data, std::int64_t at, SyntaxRun* run) = nullptr;
};

// Reads syntax for one scan. Borrows the table: valid until the table changes or a safepoint is passed.
class SyntaxReader {
 public:
  explicit SyntaxReader(Value table, const SyntaxProperties* properties = nullptr)
      : table_(table), properties_(properties) {
    for (std::int32_t& a : ascii_) a = -1;
  }

  // Code and flags of character `c` that stands at byte offset `at`.
  int flags(int c, std::int64_t at) {
    if (properties_ != nullptr) {
      if (at < run_.from || at >= run_.to) find_run(at);
      if (overridden_) [[unlikely]]
        return flags_of_entry(entry(c, at));
    }
    return table_flags(c);
  }
  SyntaxCode code(int c, std::int64_t at) { return code_of(flags(c, at)); }
  // By the table alone, as the character classes of regular expressions want it.
  int table_flags(int c) {
    if (static_cast<unsigned>(c) < 128 && ascii_[c] >= 0) [[likely]]
      return ascii_[c];
    return look_up(c);
  }
  SyntaxCode table_code(int c) { return code_of(table_flags(c)); }
  // The whole entry, or nil.
  Value entry(int c, std::int64_t at) {
    if (properties_ != nullptr) {
      if (at < run_.from || at >= run_.to) find_run(at);
      if (run_.property.is_cons()) return run_.property;
      if (is_char_table(run_.property)) return char_table_get(run_.property, c);
    }
    return char_table_get(table_, c);
  }
  [[nodiscard]] bool has_properties() const { return properties_ != nullptr; }

  static int flags_of_entry(Value entry) {
    if (!entry.is_cons()) return kSyntaxWhitespace;
    const Value car = car_raw(entry);
    return car.is_fixnum() ? static_cast<int>(car.as_fixnum() & 0x7fffffff) : 0;
  }
  static SyntaxCode code_of(int flags) {
    const int code = flags & 0xff;
    return code < kSyntaxCodeCount ? static_cast<SyntaxCode>(code) : kSyntaxWhitespace;
  }

 private:
  void find_run(std::int64_t at);
  int look_up(int c);

  Value table_;
  const SyntaxProperties* properties_;
  SyntaxRun run_;
  bool overridden_ = false;  // the run's property counts, not the table
  std::int32_t ascii_[128];
};

// The shared entry (CODE) without a match or flags: equal descriptors without extras are the same object.
Value syntax_code_object(Context& cx, int code);

// Does category set `set` (a bool-vector, or nil) hold category `category`?
bool category_in_set(Value set, int category);
// Is there a word boundary between two adjacent word constituents, at least one of them not ASCII?
// Asks char-script-table, word-combining-categories and word-separating-categories.
bool word_boundary_between(Context& cx, int before, int after);

}  // namespace neovm::text
