// The parser of Emacs regular expressions.
//
// What looks odd here is how Emacs behaves: an operator with nothing to repeat is an ordinary character,
// `^` and `$` are special only at the edges of an alternative, an operator behind \b \B \` \' applies to
// what stands before them together with them, and runs of repetition operators merge into one.
#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "tree.hpp"

namespace neovm::text::regex {
namespace {

constexpr char kTooBig[] = "Regular expression too big";
constexpr char kInvalid[] = "Invalid regular expression";
constexpr char kPremature[] = "Premature end of regular expression";
constexpr char kUnmatchedBracket[] = "Unmatched [ or [^";
constexpr char kUnmatchedParen[] = "Unmatched ( or \\(";
constexpr char kUnmatchedClose[] = "Unmatched ) or \\)";
constexpr char kUnmatchedBrace[] = "Unmatched \\{";
constexpr char kBadInterval[] = "Invalid content of \\{\\}";
constexpr char kBadClass[] = "Invalid character class name";
constexpr char kBadBackref[] = "Invalid back reference";
constexpr char kTrailing[] = "Trailing backslash";
constexpr int kMaxRepeat = 65535;
constexpr std::size_t kMaxDepth = 1000;  // the compiler recurses over the tree

struct ClassName {
  const char* name;
  std::uint32_t classes;  // 0: ASCII ranges only
  const char* ranges;     // pairs of ASCII characters
};
constexpr ClassName kClassNames[] = {
    {"alnum", kClassAlnum, "09AZaz"},  {"alpha", kClassAlpha, "AZaz"},
    {"word", kClassWord, ""},          {"punct", kClassPunct, "!/:@[`{~"},
    {"space", kClassSpace, ""},        {"graph", kClassGraph, "!~"},
    {"print", kClassPrint, " ~"},      {"lower", kClassLower, ""},
    {"upper", kClassUpper, ""},        {"ascii", 0, "\001\177"},
    {"nonascii", kClassMultibyte, ""}, {"multibyte", kClassMultibyte, ""},
    {"unibyte", 0, "\001\177"},        {"digit", 0, "09"},
    {"xdigit", 0, "09AFaf"},           {"cntrl", 0, "\001\037"},
    {"blank", kClassBlank, "\t\t  "},
};

void add_range(CharSet* set, int from, int to) {
  if (from > to) return;
  if (from < 0x80) {
    const int last = std::min(to, 0x7f);
    for (int c = from; c <= last; ++c) set->bits[c >> 6] |= std::uint64_t{1} << (c & 63);
    if (to < 0x80) return;
    // A range from ASCII to a raw byte means bytes, not the characters between.
    from = is_raw_byte_char(to) ? kMax5Byte + 1 : 0x80;
  } else if (!is_raw_byte_char(from) && is_raw_byte_char(to)) {
    return;
  }
  set->ranges.push_back({from, to});
}

// Adds the class to the set; false when there is none of that name.
bool add_class(CharSet* set, const std::string& name) {
  for (const ClassName& k : kClassNames) {
    if (name != k.name) continue;
    set->classes |= k.classes;
    for (const char* r = k.ranges; *r != '\0'; r += 2) add_range(set, r[0], r[1]);
    if (name == "ascii" || name == "unibyte" || name == "cntrl") add_range(set, 0, 0);
    return true;
  }
  return false;
}

// The name between `at` and ":]"; false when no ":]" follows. *end is behind it.
bool read_class_name(const std::vector<int>& text, std::size_t at, std::string* name, std::size_t* end) {
  std::size_t i = at;
  while (i + 1 < text.size() && !(text[i] == ':' && text[i + 1] == ']')) ++i;
  if (i + 1 >= text.size()) return false;
  for (std::size_t k = at; k < i; ++k) name->push_back(text[k] < 0x80 ? static_cast<char>(text[k]) : '?');
  *end = i + 2;
  return true;
}

// An open group: an alternative being read, and the alternatives finished before it.
struct Frame {
  std::size_t alternatives = 0;  // where the group's begin in the workspace, as do its items
  std::size_t items = 0;
  int last = -1;         // first of the items an operator would repeat, -1: none
  int run = -1;          // first of the literal characters just read in a row, -1: none
  bool at_start = true;  // nothing was read yet: `^` is an anchor
  int group = 0;         // number, 0 for shy, -1 for the outermost
};

class Parser {
 public:
  Parser(Workspace* work, bool spaces)
      : text_(work->text),
        spaces_(spaces ? &work->spaces : nullptr),
        tree_(work->tree),
        items_(work->items),
        alternatives_(work->alternatives) {
    tree_.nodes.reserve(text_.size() + 4);
    tree_.links.reserve(text_.size() + 4);
    items_.clear();
    alternatives_.clear();
  }

  const char* run();

 private:
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] bool next_is(int c, std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() && text_[at_ + ahead] == c;
  }
  Frame& frame() { return frames_.back(); }
  int add(NodeKind kind, int value = 0) {
    Node n;
    n.kind = kind;
    n.value = value;
    tree_.nodes.push_back(n);
    return static_cast<int>(tree_.nodes.size()) - 1;
  }
  void append(int node) {
    Frame& f = frame();
    f.last = static_cast<int>(items_.size());
    items_.push_back(node);
    f.at_start = false;
    f.run = -1;
  }
  void literal(int c) {
    int run = frame().run;
    if (run < 0 || next_is('*') || next_is('+') || next_is('?') || next_is('^') || (next_is('\\') && next_is('{', 1)))
      run = static_cast<int>(items_.size());
    append(add(NodeKind::kChar, c));
    frame().run = run;
  }
  // An assertion that operators do not see: one behind it repeats what came before together with it, and
  // before it a run of literal characters is one thing.
  void silent_assertion(Assertion a) {
    const int before = frame().run >= 0 ? frame().run : frame().last;
    assertion(a);
    frame().last = before;
  }
  void assertion(Assertion a) {
    append(add(NodeKind::kAssert, static_cast<int>(a)));
    if (a >= Assertion::kWordStart) tree_.uses_syntax = true;
  }
  int take_last();
  [[nodiscard]] bool all_characters(std::span<const int> nodes) const {
    return std::all_of(nodes.begin(), nodes.end(), [this](int n) { return tree_.nodes[n].kind == NodeKind::kChar; });
  }
  void end_alternative();
  int close_frame();
  void repeat(int min, int max, bool greedy);
  bool substitute_spaces();
  const char* operators(int first);
  const char* escape();
  const char* open_group();
  const char* interval();
  const char* bracket();
  bool class_name(CharSet* set, const char** error);

  std::vector<int>& text_;
  const std::vector<int>* spaces_;
  std::size_t substituted_until_ = 0;  // text before this came from search-spaces-regexp
  Tree& tree_;
  std::vector<int>& items_;
  std::vector<int>& alternatives_;
  std::size_t at_ = 0;
  std::vector<Frame> frames_;
  std::int64_t group_number_ = 0;
};

void Parser::end_alternative() {
  Frame& f = frame();
  const auto items = std::span<const int>(items_).subspan(f.items);
  int node;
  if (items.size() == 1) {
    node = items[0];
  } else {
    node = add(items.empty() ? NodeKind::kEmpty : NodeKind::kSequence);
    tree_.set_children(tree_.nodes[node], items);
  }
  alternatives_.push_back(node);
  items_.resize(f.items);
  f.last = -1;
  f.run = -1;
  f.at_start = true;
}

int Parser::close_frame() {
  end_alternative();
  const Frame f = frames_.back();
  frames_.pop_back();
  const auto alternatives = std::span<const int>(alternatives_).subspan(f.alternatives);
  int node = alternatives[0];
  if (alternatives.size() > 1 && all_characters(alternatives)) {
    CharSet set;
    for (const int a : alternatives) add_range(&set, tree_.nodes[a].value, tree_.nodes[a].value);
    tree_.sets.push_back(std::move(set));
    node = add(NodeKind::kSet, static_cast<int>(tree_.sets.size()) - 1);
  } else if (alternatives.size() > 1) {
    node = add(NodeKind::kAlternatives);
    tree_.set_children(tree_.nodes[node], alternatives);
  }
  alternatives_.resize(f.alternatives);
  if (f.group > 0) {
    const int group = add(NodeKind::kGroup, f.group);
    tree_.set_children(tree_.nodes[group], {&node, 1});
    node = group;
  }
  return node;
}

// Removes and returns what an operator repeats.
int Parser::take_last() {
  const auto from = items_.begin() + frame().last;
  int node = *from;
  if (items_.end() - from > 1) {
    node = add(NodeKind::kSequence);
    tree_.set_children(tree_.nodes[node], {from, items_.end()});
  }
  items_.erase(from, items_.end());
  return node;
}

void Parser::repeat(int min, int max, bool greedy) {
  const int body = take_last();
  const int node = add(NodeKind::kRepeat);
  Node& n = tree_.nodes[node];
  tree_.set_children(n, {&body, 1});
  n.min = min;
  n.max = max;
  n.greedy = greedy;
  items_.push_back(node);
  frame().last = static_cast<int>(items_.size()) - 1;
  frame().run = -1;
}

// A run of spaces stands for search-spaces-regexp, unless an operator follows it.
bool Parser::substitute_spaces() {
  if (spaces_ == nullptr || at_ <= substituted_until_) return false;
  std::size_t after = at_;
  while (after < text_.size() && text_[after] == ' ') ++after;
  if (after < text_.size()) {
    const int c = text_[after];
    if (c == '*' || c == '+' || c == '?') return false;
    if (c == '\\' && after + 1 < text_.size() && text_[after + 1] == '{') return false;
  }
  --at_;
  text_.erase(text_.begin() + static_cast<std::ptrdiff_t>(at_), text_.begin() + static_cast<std::ptrdiff_t>(after));
  text_.insert(text_.begin() + static_cast<std::ptrdiff_t>(at_), spaces_->begin(), spaces_->end());
  substituted_until_ = at_ + spaces_->size();
  return true;
}

const char* Parser::operators(int first) {
  bool zero = false;
  bool many = false;
  bool greedy = true;
  for (int c = first;;) {
    if (c == '?' && (zero || many)) {
      greedy = false;
    } else {
      zero = zero || c != '+';
      many = many || c != '?';
    }
    if (!next_is('*') && !next_is('+') && !next_is('?')) break;
    c = text_[at_++];
  }
  repeat(zero ? 0 : 1, many ? kUnlimited : 1, greedy);
  return nullptr;
}

const char* Parser::open_group() {
  std::int64_t number = 0;
  bool shy = false;
  if (next_is('?')) {
    ++at_;
    shy = true;
    for (;;) {
      if (at_end()) return number == 0 ? kUnmatchedParen : kPremature;
      const int c = text_[at_++];
      if (c == ':') break;
      if (c < '0' || c > '9' || (c == '0' && number == 0)) return kInvalid;
      number = number * 10 + (c - '0');
      if (number > 0x7fffffff) return kTooBig;
    }
  }
  for (const Frame& f : frames_)
    if (shy && number > 0 && f.group == number) return kInvalid;
  if (!shy) {
    number = ++group_number_;
  } else if (number > group_number_) {
    group_number_ = number;
  }
  if (frames_.size() >= kMaxDepth) return kTooBig;
  Frame f;
  f.alternatives = alternatives_.size();
  f.items = items_.size();
  f.group = number <= kMaxGroup ? static_cast<int>(number) : 0;
  tree_.groups = std::max(tree_.groups, f.group);
  frame().at_start = false;
  frames_.push_back(f);
  return nullptr;
}

const char* Parser::interval() {
  const std::size_t start = at_;
  const auto count = [this](int* n) -> const char* {
    while (!at_end() && text_[at_] >= '0' && text_[at_] <= '9') {
      if (*n < 0) *n = 0;
      *n = *n * 10 + (text_[at_++] - '0');
      if (*n > kMaxRepeat) return kBadInterval;
    }
    return at_end() ? kUnmatchedBrace : nullptr;
  };
  int low = -1;
  int high = kUnlimited;
  if (at_end()) return kUnmatchedBrace;
  if (const char* e = count(&low)) return e;
  low = std::max(low, 0);
  if (text_[at_] == ',') {
    ++at_;
    if (at_end()) return kUnmatchedBrace;
    if (const char* e = count(&high)) return e;
  } else {
    high = low;
  }
  if (high != kUnlimited && low > high) return kBadInterval;
  if (text_[at_++] != '\\') return kBadInterval;
  if (at_end()) return kTrailing;
  if (text_[at_++] != '}') return kBadInterval;
  if (frame().last < 0) {  // nothing to repeat: the text stands for itself
    at_ = start;
    literal('{');
    return nullptr;
  }
  if (low == 1 && high == 1) return nullptr;
  // Repetitions of repetitions nest in the tree like groups do.
  std::size_t depth = 0;
  for (int n = items_.back(); tree_.nodes[n].kind == NodeKind::kRepeat; n = tree_.only_child(tree_.nodes[n]))
    if (++depth > kMaxDepth) return kTooBig;
  repeat(low, high, true);
  return nullptr;
}

const char* Parser::escape() {
  if (at_end()) return kTrailing;
  const int c = text_[at_++];
  switch (c) {
    case '(': return open_group();
    case ')': {
      if (frames_.size() == 1) return kUnmatchedClose;
      const int node = close_frame();
      append(node);
      return nullptr;
    }
    case '|': end_alternative(); return nullptr;
    case '{': return interval();
    case '=': assertion(Assertion::kPoint); return nullptr;
    case 'w':
    case 'W': {
      const int node = add(NodeKind::kSyntax, kSyntaxWord);
      tree_.nodes[node].negated = c == 'W';
      tree_.uses_syntax = true;
      append(node);
      return nullptr;
    }
    case 's':
    case 'S': {
      if (at_end()) return kPremature;
      const int code = syntax_code_of_designator(text_[at_++]);
      const int node = add(NodeKind::kSyntax, code < 0 ? 255 : code);
      tree_.nodes[node].negated = c == 'S';
      tree_.uses_syntax = true;
      append(node);
      return nullptr;
    }
    case 'c':
    case 'C': {
      if (at_end()) return kPremature;
      const int node = add(NodeKind::kCategory, text_[at_++]);
      tree_.nodes[node].negated = c == 'C';
      append(node);
      return nullptr;
    }
    case '<': assertion(Assertion::kWordStart); return nullptr;
    case '>': assertion(Assertion::kWordEnd); return nullptr;
    case '_': {
      if (at_end()) return kPremature;
      const int edge = text_[at_++];
      if (edge != '<' && edge != '>') return kInvalid;
      assertion(edge == '<' ? Assertion::kSymbolStart : Assertion::kSymbolEnd);
      return nullptr;
    }
    case 'b': silent_assertion(Assertion::kWordEdge); return nullptr;
    case 'B': silent_assertion(Assertion::kNotWordEdge); return nullptr;
    case '`': silent_assertion(Assertion::kTextStart); return nullptr;
    case '\'': silent_assertion(Assertion::kTextEnd); return nullptr;
    default: break;
  }
  if (c >= '1' && c <= '9') {
    const int group = c - '0';
    if (group > group_number_) return kBadBackref;
    for (const Frame& f : frames_)
      if (f.group == group) return kBadBackref;
    tree_.has_backrefs = true;
    append(add(NodeKind::kBackref, group));
    return nullptr;
  }
  literal(c);
  return nullptr;
}

// Called behind "[:". Reads "name:]" and returns true, or leaves the position alone and returns false.
bool Parser::class_name(CharSet* set, const char** error) {
  std::string name;
  std::size_t end = 0;
  if (!read_class_name(text_, at_, &name, &end)) return false;
  at_ = end;
  if (!add_class(set, name)) *error = kBadClass;
  if ((set->classes & (kClassWord | kClassSpace | kClassPunct)) != 0) tree_.uses_syntax = true;
  return true;
}

const char* Parser::bracket() {
  CharSet set;
  if (at_end()) return kUnmatchedBracket;
  if (next_is('^')) {
    set.negated = true;
    ++at_;
  }
  for (bool first = true;; first = false) {
    if (at_end()) return kUnmatchedBracket;
    int c = text_[at_++];
    if (c == ']' && !first) break;
    if (c == '[' && next_is(':')) {
      ++at_;
      const char* error = nullptr;
      if (class_name(&set, &error)) {
        if (error != nullptr) return error;
        continue;
      }
      --at_;
    }
    int last = c;
    if (next_is('-') && !next_is(']', 1)) {
      ++at_;
      if (at_end()) return kPremature;
      last = text_[at_++];
    }
    add_range(&set, c, last);
  }
  tree_.sets.push_back(std::move(set));
  append(add(NodeKind::kSet, static_cast<int>(tree_.sets.size()) - 1));
  return nullptr;
}

const char* Parser::run() {
  frames_.emplace_back();
  frame().group = -1;
  while (!at_end()) {
    const int c = text_[at_++];
    const char* error = nullptr;
    switch (c) {
      case '\\': error = escape(); break;
      case '[': error = bracket(); break;
      case '.': append(add(NodeKind::kAny)); break;
      case '*':
      case '+':
      case '?':
        if (frame().last >= 0) {
          error = operators(c);
        } else {
          literal(c);
        }
        break;
      case '^':
        if (frame().at_start) {
          silent_assertion(Assertion::kLineStart);
        } else {
          literal(c);
        }
        break;
      case '$':
        if (at_end() || (next_is('\\') && (next_is(')', 1) || next_is('|', 1)))) {
          silent_assertion(Assertion::kLineEnd);
        } else {
          literal(c);
        }
        break;
      case ' ':
        if (!substitute_spaces()) literal(c);
        break;
      default: literal(c); break;
    }
    if (error != nullptr) return error;
  }
  if (frames_.size() != 1) return kUnmatchedParen;
  tree_.root = close_frame();
  return nullptr;
}

}  // namespace

const char* parse(Workspace* work, bool spaces) { return Parser(work, spaces).run(); }

const char* parse_skip_set(const std::vector<int>& text, CharSet* set) {
  std::size_t at = 0;
  if (!text.empty() && text[0] == '^') {
    set->negated = true;
    ++at;
  }
  while (at < text.size()) {
    int c = text[at++];
    if (c == '[' && at < text.size() && text[at] == ':') {
      std::string name;
      std::size_t end = 0;
      if (read_class_name(text, at + 1, &name, &end)) {
        if (!add_class(set, name)) return "Invalid ISO C character class";
        at = end;
        continue;
      }
    }
    if (c == '\\') {
      if (at >= text.size()) break;
      c = text[at++];
    }
    int last = c;
    if (at + 1 < text.size() && text[at] == '-') {
      last = text[at + 1];
      at += 2;
      if (last == '\\' && at < text.size()) last = text[at++];
    }
    add_range(set, c, last);
  }
  return nullptr;
}

}  // namespace neovm::text::regex
