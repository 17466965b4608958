// The parsed form of a pattern, and what analysis finds out about it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "neovm/text/regex.hpp"

namespace neovm::text::regex {

inline constexpr int kMaxGroup = 255;
inline constexpr int kUnlimited = -1;

enum class NodeKind : std::uint8_t {
  kEmpty,
  kChar,
  kAny,
  kSet,
  kSyntax,
  kCategory,
  kSequence,
  kAlternatives,
  kGroup,
  kRepeat,
  kBackref,
  kAssert,
};
enum class Assertion : std::uint8_t {
  kLineStart,
  kLineEnd,
  kTextStart,
  kTextEnd,
  kPoint,
  kWordStart,
  kWordEnd,
  kWordEdge,
  kNotWordEdge,
  kSymbolStart,
  kSymbolEnd,
};

// Character classes of bracket expressions, as bits.
enum ClassBit : std::uint32_t {
  kClassAlnum = 1,
  kClassAlpha = 2,
  kClassBlank = 4,
  kClassGraph = 8,
  kClassLower = 16,
  kClassPrint = 32,
  kClassPunct = 64,
  kClassSpace = 128,
  kClassUpper = 256,
  kClassWord = 512,
  kClassMultibyte = 1024,
  kClassCased = 2048,  // upper or lower, when case is ignored
};

struct Range {
  int from;
  int to;
};

// A bracket expression.
struct CharSet {
  bool negated = false;
  bool walk_equivalents = false;  // ignore case by walking the case table for non-ASCII characters
  bool ascii_by_syntax = false;   // the low bits depend on the syntax table (space, word)
  std::uint32_t classes = 0;
  std::uint64_t bits[4] = {};  // ASCII (unibyte targets: all bytes); negation is applied already unless ascii_by_syntax
  std::vector<Range> ranges;   // of non-ASCII characters, sorted, disjoint
};

struct Node {
  NodeKind kind = NodeKind::kEmpty;
  bool greedy = true;
  bool possessive = false;  // kRepeat: never gives anything back
  bool negated = false;     // kSyntax, kCategory
  int value = 0;            // character, set index, syntax code, category, group number (0: shy), Assertion
  int min = 0;
  int max = 0;          // kRepeat
  int first_child = 0;  // in Tree::links
  int child_count = 0;
};

struct Tree {
  std::vector<Node> nodes;
  std::vector<int> links;  // the children of all nodes, those of one in a row
  std::vector<CharSet> sets;
  int root = 0;
  int groups = 0;  // highest group number recorded
  bool uses_syntax = false;
  bool has_backrefs = false;

  // Good until the next set_children.
  [[nodiscard]] std::span<int> children(const Node& n) {
    return {links.data() + n.first_child, static_cast<std::size_t>(n.child_count)};
  }
  [[nodiscard]] int only_child(const Node& n) const { return links[static_cast<std::size_t>(n.first_child)]; }
  void set_children(Node& n, std::span<const int> children) {
    n.first_child = static_cast<int>(links.size());
    n.child_count = static_cast<int>(children.size());
    links.insert(links.end(), children.begin(), children.end());
  }
  void clear() {
    nodes.clear();
    links.clear();
    sets.clear();
    root = groups = 0;
    uses_syntax = has_backrefs = false;
  }
};

// Which bytes can come first on a path, and whether it can end without one.
struct FirstBytes {
  std::uint64_t bits[4] = {};
  std::uint32_t syntax = 0;  // ASCII characters of these syntax codes too (they depend on the table)
  bool empty = false;

  [[nodiscard]] bool has(std::uint8_t b) const { return ((bits[b >> 6] >> (b & 63)) & 1) != 0; }
  void add(std::uint8_t b) { bits[b >> 6] |= std::uint64_t{1} << (b & 63); }
  void add_non_ascii() { bits[2] = bits[3] = ~std::uint64_t{0}; }
  void add_all() {
    for (std::uint64_t& w : bits) w = ~std::uint64_t{0};
  }
  void merge(const FirstBytes& o) {
    for (int i = 0; i < 4; ++i) bits[i] |= o.bits[i];
    syntax |= o.syntax;
    empty = empty || o.empty;
  }
  // This path, then `o`.
  void then(const FirstBytes& o) {
    if (!empty) return;
    empty = false;
    merge(o);
  }
};

// What making a program needs for the moment. It stays from one pattern to the next, for the memory.
struct Workspace {
  Tree tree;
  std::vector<int> text;    // the pattern
  std::vector<int> spaces;  // search-spaces-regexp
  // The parser's: items and alternatives of all open groups, the inner ones last.
  std::vector<int> items;
  std::vector<int> alternatives;
  // The compiler's.
  struct Known {
    FirstBytes bytes;
    bool known = false;
  };
  std::vector<Known> first;           // by node
  std::vector<int> literals;          // a run of characters on its way to the program
  std::vector<int> nodes;             // still to be looked at
  std::vector<int> once;              // matched exactly once, in a row
  std::vector<std::uint8_t> literal;  // bytes of a run among them

  // Whose tree this is, until its program is made.
  const Regex* owner = nullptr;

  // For the next pattern; what a giant one took is given back.
  void clear() {
    constexpr std::size_t kMany = 10'000;
    if (tree.nodes.capacity() > kMany || text.capacity() > kMany) *this = {};
    owner = nullptr;
    tree.clear();
    text.clear();
    spaces.clear();
  }
};

// Parses the workspace's text (characters; bytes of unibyte patterns as raw-byte characters) to its tree; `spaces`: its
// spaces stand for each run of spaces. Returns null, or the message of invalid-regexp.
const char* parse(Workspace* work, bool spaces);

// Parses the STRING argument of skip-chars-forward. Returns null, or the error message.
const char* parse_skip_set(const std::vector<int>& text, CharSet* set);

// Computes the bitmaps of the sets for a target and closes them under `folder`; `classes` answers what is
// upper and lower case, which matters without folding too.
void finish_sets(Tree* tree, bool target_multibyte, const CaseFolder& folder, const CaseFolder& classes);

// Is the non-ASCII character `c` in a class of `classes` that does not depend on syntax?
bool in_unicode_class(std::uint32_t classes, int c, const CaseFolder& folder);
// Membership of a non-ASCII character, negation not applied; `syntax` is asked for what depends on it.
bool in_set_wide(const CharSet& s, int c, const CaseFolder& folder, SyntaxReader& syntax);
bool in_ranges(const std::vector<Range>& ranges, int c);

}  // namespace neovm::text::regex
