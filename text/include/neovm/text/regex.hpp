// Emacs regular expressions over a text cursor.
//
// A pattern is parsed to a tree, compiled to a compact program for one kind of target (unibyte or
// multibyte) and kept in a per-isolate cache. Matching backtracks on an explicit stack, so neither deep
// patterns nor long texts use C++ stack. Positions are byte offsets in the subject's cursor.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "neovm/abi/error.hpp"
#include "neovm/text/cursor.hpp"
#include "neovm/text/syntax.hpp"

namespace neovm::text {

class Regex;  // A compiled pattern. Owned by the cache; valid until the next regex_compile.

struct RegexOptions {
  bool target_multibyte = false;
  bool posix = false;    // longest match instead of the first one found
  bool fold = false;     // ignore case by the current buffer's case table
  bool literal = false;  // the pattern is plain text
  Value spaces = kNil;   // search-spaces-regexp: nil or a string
};

// Compiles PATTERN (a string) or takes it from the cache. Signals invalid-regexp.
Maybe<const Regex*> regex_compile(Context& cx, Value pattern, const RegexOptions& options);
// Is it plain, from what is remembered of PATTERN, that nothing in TEXT, all of it accessible, matches? False for "not so
// plain". For patterns that are tried on every file name and hardly ever match.
bool regex_refuses(Context& cx, Value pattern, const RegexOptions& options, std::string_view text);
// Groups of the pattern that are recorded, the whole match (0) included.
int regex_group_count(const Regex& regex);

struct RegexSubject {
  Cursor text;
  std::int64_t begin = 0;  // accessible part: \` matches at begin, \' at end
  std::int64_t end = 0;
  std::int64_t point = -1;  // \= matches here
  const SyntaxProperties* properties = nullptr;
};

struct RegexRegisters {
  int count = 0;  // groups, the whole match included; the rest is undefined
  std::int64_t start[256];
  std::int64_t end[256];
};

// Stores the groups of a match, each position mapped to characters, as the match data. The data never get
// fewer groups than they had: those of earlier searches count as not matched.
template <class ToChars>
void record_match(MatchData& data, const RegexRegisters& r, ToChars&& to_chars) {
  for (int i = 0; i < r.count; ++i) {
    const bool set = r.start[i] >= 0;
    data.start[i] = set ? to_chars(r.start[i]) : -1;
    data.end[i] = set ? to_chars(r.end[i]) : -1;
  }
  for (int i = r.count; i < data.count; ++i) data.start[i] = data.end[i] = -1;
  if (data.count < r.count) data.count = r.count;
}

// Does REGEX match at `at`, consuming nothing at or past `stop`? Fails with
// "Stack overflow in regexp matcher" or a pending quit. `registers` may be null.
Maybe<bool> regex_match_at(Context& cx, const Regex& regex, const RegexSubject& subject, std::int64_t at,
                           std::int64_t stop, RegexRegisters* registers);
// First match that starts at `from`, then further on up to and including `to` (backwards when to < from).
// Returns its start or -1.
Maybe<std::int64_t> regex_search(Context& cx, const Regex& regex, const RegexSubject& subject, std::int64_t from,
                                 std::int64_t to, std::int64_t stop, RegexRegisters* registers);

// ---- sets of characters, for skipping -------------------------------------------------------------------

class CharacterSet;  // Owned by the cache; valid until the next skip_set_compile.
// Compiles the STRING argument of skip-chars-forward. Signals "Invalid ISO C character class".
Maybe<const CharacterSet*> skip_set_compile(Context& cx, Value string, bool target_multibyte);
// Is the character at byte offset `at` in the set?
bool character_set_holds(Context& cx, const CharacterSet& set, const Cursor& text, std::int64_t at,
                         SyntaxReader& syntax);

// ---- case folding, shared with plain searches ---------------------------------------------------------

// The canonical forms of the ASCII characters.
using AsciiCanonical = std::array<std::int32_t, 128>;

// What a CaseFolder says about ASCII characters, worked out before.
struct AsciiFolding {
  static constexpr int kRoom = 4;
  std::shared_ptr<const AsciiCanonical> canonical;
  std::uint64_t alone[2];
  std::uint64_t wide[2];             // characters with other cases that are not ASCII
  std::uint64_t other_bits[128][2];  // the other cases that are
  std::uint8_t count[128];
  std::int32_t same[128][kRoom];
};

// Canonical characters by a case table (nil: identity).
class CaseFolder {
 public:
  explicit CaseFolder(Value case_table);
  // To be asked first; null: none. Good while the table stays as it is.
  void use(const AsciiFolding* ascii) { ascii_ = ascii; }
  [[nodiscard]] const AsciiFolding* ascii() const { return ascii_; }
  [[nodiscard]] bool folds() const { return canonical_table_ != kNil; }
  [[nodiscard]] int canonical(int c) const {
    if (canonical_table_ == kNil) return c;
    const Value v = look_up(canonical_table_, c);
    return v.is_fixnum() ? static_cast<int>(v.as_fixnum()) : c;
  }
  [[nodiscard]] std::shared_ptr<const AsciiCanonical> canonical_ascii() const;
  // Certainly without other cases: most characters, and cheap to ask.
  [[nodiscard]] bool alone(int c) const {
    if (ascii_ != nullptr && c < 0x80) return ((ascii_->alone[c >> 6] >> (c & 63)) & 1) != 0;
    if (is_char_table(equivalents_)) return look_up(equivalents_, c) == Value::fixnum(c);
    if (canonical(c) != c) return false;
    if (!is_char_table(up_)) return true;
    const Value up = look_up(up_, c);
    return !up.is_fixnum() || up == Value::fixnum(c);
  }
  // Characters with the same canonical form as `c`, `c` first. Returns how many (at most `room`).
  int equivalents(int c, int* out, int room) const;
  [[nodiscard]] bool is_upper(int c) const;
  [[nodiscard]] bool is_lower(int c) const;
  [[nodiscard]] Value canonical_table() const { return canonical_table_; }
  // The table of equivalences, which is not always there, and that of upper case, asked instead.
  [[nodiscard]] Value equivalents_table() const { return equivalents_; }
  [[nodiscard]] Value up_table() const { return up_; }

 private:
  // char_table_get, inline for ASCII characters that have a leaf of the table to themselves.
  static Value look_up(Value table, int c) {
    if (c < 0x80) {
      const Value leaf = slot_raw(table, kCharTableAscii);
      if (is_kind(leaf, ObjectKind::kSubCharTable)) {
        const Value v = slot_raw(leaf, kLeafContents + c);
        if (!v.is_nil()) return v;
      }
    }
    return char_table_get(table, c);
  }
  static constexpr int kLeafContents = 2;

  Value down_ = kNil;
  Value up_ = kNil;
  Value canonical_table_ = kNil;
  Value equivalents_ = kNil;
  const AsciiFolding* ascii_ = nullptr;
};

}  // namespace neovm::text
