// From the tree to the program.
//
// Code is made front to back; each piece is told which bytes can follow it. That knowledge pays for most
// of the speed: a choice whose one branch cannot start with the byte at hand is taken without leaving a
// choice point, and a run of single characters that what follows cannot begin with is never given back.
#include <algorithm>
#include <cstring>
#include <span>

#include "program.hpp"

namespace neovm::text::regex {
namespace {

class Compiler {
 public:
  Compiler(Workspace* work, const CaseFolder& folder, Regex* out)
      : work_(*work),
        tree_(work->tree),
        folder_(folder),
        multibyte_(out->multibyte),
        out_(*out),
        first_(work->first),
        literals_(work->literals) {}

  void analyze();
  void make_program();

 private:
  const FirstBytes& first(int node);
  FirstBytes compute_first(const Node& n);
  void first_of_char(int c, FirstBytes* f) const;
  FirstBytes first_of_set(const CharSet& s) const;
  static void add_lead_bytes(int from, int to, FirstBytes* f);

  void generate(int node, const FirstBytes& follow);
  void generate_sequence(const Node& n, const FirstBytes& follow);
  void generate_alternatives(const Node& n, const FirstBytes& follow);
  void generate_repeat(const Node& n, const FirstBytes& follow);
  void generate_literal(std::span<const int> chars);
  void generate_loop(const Node& n, int body, const FirstBytes& follow);
  std::uint16_t map_of(const FirstBytes& f);
  int emit(Op op, int value = 0) {
    Instruction i;
    i.op = op;
    i.value = value;
    out_.code.push_back(i);
    return here() - 1;
  }
  [[nodiscard]] int here() const { return static_cast<int>(out_.code.size()); }
  [[nodiscard]] bool foldable(int c) const;
  [[nodiscard]] bool one_character(const Node& n) const;
  void find_anchors();
  void find_leading_repeat();
  void find_folded_prefix(std::span<const int> items);
  [[nodiscard]] bool taken_in_runs(int alternative, const Node& all, const FirstBytes& after);
  void find_literals();
  int encode(int c, std::uint8_t* out) const;
  bool append_bytes(int c, std::vector<std::uint8_t>* out) const;

  Workspace& work_;
  Tree& tree_;
  const CaseFolder& folder_;
  bool multibyte_;
  Regex& out_;
  std::vector<Workspace::Known>& first_;
  std::vector<int>& literals_;
};

// Can another character than `c` match the literal `c`?
bool Compiler::foldable(int c) const {
  if (!folder_.folds() || folder_.alone(c)) return false;
  int same[4];
  return folder_.equivalents(c, same, 4) > 1;
}

// The bytes of `c` in the target, and how many; 0 when no target text can hold it.
int Compiler::encode(int c, std::uint8_t* out) const {
  if (c < 0x80) {
    *out = static_cast<std::uint8_t>(c);
    return 1;
  }
  if (multibyte_) return encode_char(c, out);
  if (!is_raw_byte_char(c)) return 0;
  *out = static_cast<std::uint8_t>(char_to_raw_byte(c));
  return 1;
}

bool Compiler::append_bytes(int c, std::vector<std::uint8_t>* out) const {
  std::uint8_t buffer[kMaxBytesPerChar];
  const int n = encode(c, buffer);
  out->insert(out->end(), buffer, buffer + n);
  return n > 0;
}

void Compiler::first_of_char(int c, FirstBytes* f) const {
  int same[32];
  const int n = folder_.folds() ? folder_.equivalents(c, same, 32) : (same[0] = c, 1);
  for (int i = 0; i < n; ++i) {
    std::uint8_t bytes[kMaxBytesPerChar];
    if (encode(same[i], bytes) > 0) f->add(bytes[0]);
  }
}

void Compiler::add_lead_bytes(int from, int to, FirstBytes* f) {
  const auto add_between = [f](int a, int b) {
    std::uint8_t low[kMaxBytesPerChar];
    std::uint8_t high[kMaxBytesPerChar];
    encode_char(a, low);
    encode_char(b, high);
    for (int lead = low[0]; lead <= high[0]; ++lead) f->add(static_cast<std::uint8_t>(lead));
  };
  if (from <= kMax5Byte) add_between(from, std::min(to, kMax5Byte));
  if (to > kMax5Byte) add_between(std::max(from, kMax5Byte + 1), to);
}

FirstBytes Compiler::first_of_set(const CharSet& s) const {
  FirstBytes f;
  if (s.ascii_by_syntax) {
    if (s.negated) {
      f.add_all();
      return f;
    }
    if ((s.classes & kClassWord) != 0) f.syntax |= 1U << kSyntaxWord;
    if ((s.classes & kClassSpace) != 0) f.syntax |= 1U << kSyntaxWhitespace;
  }
  for (int i = 0; i < 4; ++i) f.bits[i] = s.bits[i];
  if (!multibyte_) return f;
  f.bits[2] = f.bits[3] = 0;
  if (s.negated || s.classes != 0 || s.walk_equivalents) {
    f.add_non_ascii();
  } else {
    for (const Range& r : s.ranges) add_lead_bytes(r.from, r.to, &f);
  }
  return f;
}

FirstBytes Compiler::compute_first(const Node& n) {
  FirstBytes f;
  switch (n.kind) {
    case NodeKind::kEmpty:
    case NodeKind::kAssert: f.empty = true; break;
    case NodeKind::kChar: first_of_char(n.value, &f); break;
    case NodeKind::kAny:
      f.add_all();
      f.bits[0] &= ~(std::uint64_t{1} << '\n');
      break;
    case NodeKind::kSet: f = first_of_set(tree_.sets[n.value]); break;
    case NodeKind::kSyntax:
      f.syntax = n.value < kSyntaxCodeCount ? 1U << n.value : 0;
      if (n.negated) f.syntax = ~f.syntax;
      f.add_non_ascii();
      break;
    case NodeKind::kCategory: f.add_all(); break;
    case NodeKind::kBackref:
      f.add_all();
      f.empty = true;
      break;
    case NodeKind::kSequence:
      f.empty = true;
      for (const int child : tree_.children(n)) {
        if (!f.empty) break;
        f.then(first(child));
      }
      break;
    case NodeKind::kAlternatives:
      for (const int child : tree_.children(n)) f.merge(first(child));
      break;
    case NodeKind::kGroup: f = first(tree_.only_child(n)); break;
    case NodeKind::kRepeat:
      if (n.max != 0) f = first(tree_.only_child(n));
      f.empty = f.empty || n.min == 0;
      break;
  }
  return f;
}

const FirstBytes& Compiler::first(int node) {
  Workspace::Known& f = first_[node];
  if (!f.known) {
    f.bytes = compute_first(tree_.nodes[node]);
    f.known = true;
  }
  return f.bytes;
}

// A map for deciding at run time, or none when the path can go on without a byte or with nearly any.
std::uint16_t Compiler::map_of(const FirstBytes& f) {
  if (f.empty || f.syntax != 0 || out_.maps.size() >= kNoMap) return kNoMap;
  if ((f.bits[0] & f.bits[1] & f.bits[2] & f.bits[3]) == ~std::uint64_t{0}) return kNoMap;
  const ByteMap m = {{f.bits[0], f.bits[1], f.bits[2], f.bits[3]}};
  for (std::size_t i = 0; i < out_.maps.size() && i < 16; ++i)
    if (std::equal(std::begin(m.bits), std::end(m.bits), std::begin(out_.maps[i].bits)))
      return static_cast<std::uint16_t>(i);
  out_.maps.push_back(m);
  return static_cast<std::uint16_t>(out_.maps.size() - 1);
}

void Compiler::generate_literal(std::span<const int> chars) {
  for (std::size_t i = 0; i < chars.size();) {
    const bool fold = foldable(chars[i]);
    std::size_t end = i + 1;
    if (fold) {
      end = chars.size();  // characters without case go along in a folded run
      const int at = emit(Op::kFold, static_cast<int>(out_.folded.size()));
      for (; i < end; ++i) out_.folded.push_back(folder_.canonical(chars[i]));
      out_.code[at].count = static_cast<int>(out_.folded.size()) - out_.code[at].value;
      continue;
    }
    while (end < chars.size() && !foldable(chars[end])) ++end;
    const std::size_t start = out_.bytes.size();
    bool possible = true;
    for (; i < end; ++i) possible = append_bytes(chars[i], &out_.bytes) && possible;
    if (!possible) {
      out_.bytes.resize(start);
      tree_.sets.emplace_back();  // the empty set matches nothing
      emit(Op::kSet, static_cast<int>(tree_.sets.size()) - 1);
      return;
    }
    if (out_.bytes.size() - start == 1) {
      emit(Op::kByte, out_.bytes[start]);
      out_.bytes.resize(start);
    } else {
      const int at = emit(Op::kString, static_cast<int>(start));
      out_.code[at].count = static_cast<int>(out_.bytes.size() - start);
    }
  }
}

void Compiler::generate_sequence(const Node& n, const FirstBytes& follow) {
  const std::span<const int> children = tree_.children(n);
  const std::size_t count = children.size();
  const auto is_char = [&](std::size_t i) { return tree_.nodes[children[i]].kind == NodeKind::kChar; };
  // What comes behind each child that is not a literal character; such a character needs nobody to know.
  constexpr std::size_t kHere = 4;
  FirstBytes few[kHere];
  std::vector<FirstBytes> many;
  std::size_t pieces = 0;
  for (std::size_t i = 0; i < count; ++i) pieces += is_char(i) ? 0 : 1;
  if (pieces > kHere) many.resize(pieces);
  FirstBytes* const behind = pieces > kHere ? many.data() : few;
  for (std::size_t i = count, at = pieces; i-- > 0;) {
    if (is_char(i)) continue;
    FirstBytes& rest = behind[--at];
    if (i + 1 == count) {
      rest = follow;
      continue;
    }
    rest = first(children[i + 1]);
    if (rest.empty) rest.then(behind[at + 1]);
  }
  literals_.clear();
  const auto flush = [this] {
    if (!literals_.empty()) generate_literal(literals_);
    literals_.clear();
  };
  for (std::size_t i = 0, at = 0; i < count; ++i) {
    if (is_char(i)) {
      literals_.push_back(tree_.nodes[children[i]].value);
      continue;
    }
    flush();
    generate(children[i], behind[at++]);
  }
  flush();
}

void Compiler::generate_alternatives(const Node& n, const FirstBytes& follow) {
  const std::span<const int> children = tree_.children(n);
  const std::size_t count = children.size();
  std::vector<FirstBytes> tails(count);  // first bytes of alternative i and all behind it
  for (std::size_t i = count; i-- > 0;) {
    tails[i] = first(children[i]);
    tails[i].then(follow);
    if (i + 1 < count) tails[i].merge(tails[i + 1]);
  }
  std::vector<int> exits;
  for (std::size_t i = 0; i < count; ++i) {
    int split = -1;
    if (i + 1 < count) {
      FirstBytes mine = first(children[i]);
      mine.then(follow);
      split = emit(Op::kSplit);
      const std::uint16_t here_map = map_of(mine);
      const std::uint16_t other_map = map_of(tails[i + 1]);
      out_.code[split].here_map = here_map;
      out_.code[split].other_map = other_map;
    }
    generate(children[i], follow);
    if (split >= 0) {
      exits.push_back(emit(Op::kJump));
      out_.code[split].target = here();
    }
  }
  for (const int jump : exits) out_.code[jump].target = here();
}

bool Compiler::one_character(const Node& n) const {
  switch (n.kind) {
    case NodeKind::kAny:
    case NodeKind::kSet:
    case NodeKind::kSyntax:
    case NodeKind::kCategory: return true;
    case NodeKind::kChar: {
      std::uint8_t bytes[kMaxBytesPerChar];
      return foldable(n.value) || encode(n.value, bytes) == 1;
    }
    default: return false;
  }
}

// In \(?:S\|…\)* a single character S may be taken in runs when nothing else, in the loop or behind it, can start
// with it: no run is ever given back then.
bool Compiler::taken_in_runs(int alternative, const Node& all, const FirstBytes& after) {
  if (!one_character(tree_.nodes[alternative]) || after.empty || after.syntax != 0) return false;
  const FirstBytes& mine = first(alternative);
  if (mine.syntax != 0) return false;
  FirstBytes others = after;
  for (const int other : tree_.children(all))
    if (other != alternative) others.merge(first(other));
  if (others.syntax != 0 || others.empty) return false;
  for (int i = 0; i < 4; ++i)
    if ((mine.bits[i] & others.bits[i]) != 0) return false;
  return true;
}

void Compiler::generate_loop(const Node& n, int body, const FirstBytes& follow) {
  const bool counted = n.min > 1 || n.max > 1;
  const bool may_be_empty = first(body).empty;
  FirstBytes around = first(body);
  around.then(follow);
  FirstBytes after = first(body);
  after.empty = true;
  after.then(follow);
  int counter = -1;
  if (counted) {
    counter = out_.registers++;
    const int set = emit(Op::kSetRegister, counter);
    out_.code[set].min = 0;
  }
  const int position = may_be_empty ? out_.registers++ : -1;
  const int enter = !counted && n.min == 1 ? emit(Op::kJump) : -1;
  const int head = emit(Op::kLoop);
  const std::uint16_t here_map = map_of(around);
  const std::uint16_t other_map = map_of(follow);
  Instruction& loop = out_.code[head];
  loop.value = counter;
  loop.count = position;
  loop.min = counted ? n.min : 0;
  loop.max = counted ? n.max : kUnlimited;
  loop.flag = !n.greedy;
  loop.here_map = here_map;
  loop.other_map = other_map;
  if (enter >= 0) out_.code[enter].target = here();
  if (!counted && n.greedy && tree_.nodes[body].kind == NodeKind::kAlternatives) {
    std::vector<int> runs;
    for (const int child : tree_.children(tree_.nodes[body]))
      if (taken_in_runs(child, tree_.nodes[body], follow)) runs.push_back(child);
    for (const int child : runs) {
      Node run;
      run.kind = NodeKind::kRepeat;
      run.possessive = true;
      run.min = 1;
      run.max = kUnlimited;
      tree_.set_children(run, {&child, 1});
      const int node = static_cast<int>(tree_.nodes.size());
      tree_.nodes.push_back(run);
      const FirstBytes same = first(child);
      first_.push_back({same, true});
      const auto children = tree_.children(tree_.nodes[body]);
      *std::find(children.begin(), children.end(), child) = node;
    }
  }
  generate(body, after);
  const int back = emit(Op::kJump);
  out_.code[back].target = head;
  out_.code[head].target = here();
}

void Compiler::generate_repeat(const Node& n, const FirstBytes& follow) {
  const int body = tree_.only_child(n);
  if (n.max == 0) return;
  if (one_character(tree_.nodes[body])) {
    const int at = emit(Op::kRepeatOne);
    FirstBytes inside = first(body);
    const std::uint16_t after_map = map_of(follow);
    Instruction& repeat = out_.code[at];
    repeat.flag = !n.greedy;
    repeat.min = n.min;
    repeat.max = n.max;
    repeat.other_map = after_map;
    bool disjoint = !follow.empty && inside.syntax == 0 && follow.syntax == 0;
    for (int i = 0; i < 4; ++i) disjoint = disjoint && (inside.bits[i] & follow.bits[i]) == 0;
    repeat.possessive = disjoint || n.possessive;
    const Node& one = tree_.nodes[body];
    if (one.kind == NodeKind::kChar) {
      generate_literal({&one.value, 1});
    } else {
      generate(body, follow);
    }
    return;
  }
  if (n.min == 0 && n.max == 1) {
    FirstBytes taken = first(body);
    taken.then(follow);
    const int split = emit(Op::kSplit);
    const std::uint16_t here_map = map_of(taken);
    const std::uint16_t other_map = map_of(follow);
    out_.code[split].flag = !n.greedy;
    out_.code[split].here_map = here_map;
    out_.code[split].other_map = other_map;
    generate(body, follow);
    out_.code[split].target = here();
    return;
  }
  generate_loop(n, body, follow);
}

void Compiler::generate(int node, const FirstBytes& follow) {
  const Node& n = tree_.nodes[node];
  switch (n.kind) {
    case NodeKind::kEmpty: break;
    case NodeKind::kChar: generate_literal({&n.value, 1}); break;
    case NodeKind::kAny: emit(Op::kAny); break;
    case NodeKind::kSet: emit(Op::kSet, n.value); break;
    case NodeKind::kSyntax:
    case NodeKind::kCategory: {
      const int at = emit(n.kind == NodeKind::kSyntax ? Op::kSyntax : Op::kCategory, n.value);
      out_.code[at].flag = n.negated;
      break;
    }
    case NodeKind::kBackref: emit(Op::kBackref, n.value); break;
    case NodeKind::kAssert: emit(Op::kAssert, n.value); break;
    case NodeKind::kSequence: generate_sequence(n, follow); break;
    case NodeKind::kAlternatives: generate_alternatives(n, follow); break;
    case NodeKind::kGroup:
      emit(Op::kGroupStart, n.value);
      generate(tree_.only_child(n), follow);
      emit(Op::kGroupEnd, n.value);
      break;
    case NodeKind::kRepeat: generate_repeat(n, follow); break;
  }
}

void Compiler::find_anchors() {
  int node = tree_.root;
  for (;;) {
    const Node& n = tree_.nodes[node];
    if ((n.kind == NodeKind::kSequence || n.kind == NodeKind::kGroup) && n.child_count > 0) {
      node = tree_.only_child(n);
      continue;
    }
    if (n.kind != NodeKind::kAssert) return;
    const auto a = static_cast<Assertion>(n.value);
    out_.anchored_at_start = a == Assertion::kTextStart;
    out_.anchored_at_line = a == Assertion::kLineStart;
    out_.anchored_at_point = a == Assertion::kPoint;
    return;
  }
}

void Compiler::find_leading_repeat() {
  if (tree_.has_backrefs) return;
  std::size_t pc = 0;
  while (out_.code[pc].op == Op::kGroupStart || out_.code[pc].op == Op::kAssert) ++pc;
  const Instruction& in = out_.code[pc];
  if (in.op == Op::kRepeatOne && !in.flag && in.max < 0) out_.leading_repeat = static_cast<int>(pc);
}

// Text for a skipping search when case is ignored: characters whose other cases are ASCII too.
void Compiler::find_folded_prefix(std::span<const int> items) {
  int all[8];
  const auto same = [&](int c) { return std::span<const int>(all, folder_.equivalents(c, all, 8)); };
  std::vector<std::uint8_t>& text = work_.literal;
  text.clear();
  for (const int item : items) {
    if (item < 0 || text.size() >= 200) break;
    const Node& n = tree_.nodes[item];
    if (n.kind == NodeKind::kEmpty || n.kind == NodeKind::kAssert) continue;
    if (n.kind != NodeKind::kChar) break;
    const int c = folder_.canonical(n.value);
    const auto cases = same(c);
    if (cases.size() == 8 || !std::all_of(cases.begin(), cases.end(), [](int k) { return k < 0x80; })) break;
    text.push_back(static_cast<std::uint8_t>(c));
  }
  const std::size_t length = text.size();
  if (length < 2 || length <= out_.prefix.size()) return;
  out_.folded_prefix = text;
  if (out_.anchored_at_start || out_.anchored_at_line || out_.anchored_at_point) return;
  out_.folded_skip = std::make_unique<std::uint8_t[]>(256);
  std::fill_n(out_.folded_skip.get(), 256, static_cast<std::uint8_t>(length));
  for (std::size_t k = 0; k + 1 < length; ++k)
    for (const int c : same(text[k])) out_.folded_skip[c] = static_cast<std::uint8_t>(length - 1 - k);
}

// Exact text at the start of every match, and the longest exact text elsewhere in every match. Behind \` any such text can refuse
// the one place there is; otherwise only what is longer than the prefix finds fewer places.
void Compiler::find_literals() {
  constexpr int kBreak = -1;  // adjacency ends here
  std::vector<int>& items = work_.once;
  std::vector<int>& work = work_.nodes;
  items.clear();
  work.assign(1, tree_.root);
  while (!work.empty()) {  // flatten what is matched exactly once
    const int node = work.back();
    work.pop_back();
    const Node& n = tree_.nodes[node];
    if (n.kind == NodeKind::kSequence || n.kind == NodeKind::kGroup) {
      const std::span<const int> children = tree_.children(n);
      work.insert(work.end(), children.rbegin(), children.rend());
    } else if (n.kind == NodeKind::kRepeat && n.min >= 1 && tree_.nodes[tree_.only_child(n)].kind == NodeKind::kChar) {
      items.insert(items.end(),
                   {tree_.only_child(n), kBreak});  // it occurs; what follows is not adjacent to the first one
    } else {
      items.push_back(node);
    }
  }
  std::vector<std::uint8_t>& run = work_.literal;
  run.clear();
  bool at_front = true;
  const auto finish = [&] {
    const std::size_t known = std::max(out_.required.size(), out_.anchored_at_start ? 0 : out_.prefix.size());
    if (at_front) {
      out_.prefix = run;
    } else if (run.size() > known) {
      out_.required = run;
    }
    at_front = false;
    run.clear();
  };
  for (const int item : items) {
    if (item >= 0) {
      const Node& n = tree_.nodes[item];
      if (n.kind == NodeKind::kEmpty || n.kind == NodeKind::kAssert) continue;
      if (n.kind == NodeKind::kChar && !foldable(n.value) && append_bytes(n.value, &run)) continue;
    }
    finish();
  }
  finish();
  if (out_.fold) find_folded_prefix(items);
}

void Compiler::analyze() {
  first_.assign(tree_.nodes.size(), {});
  out_.groups = tree_.groups;
  out_.fold = folder_.folds();
  if (out_.fold) out_.canonical = folder_.canonical_ascii();
  find_anchors();
  find_literals();
  out_.first = first(tree_.root);
  if (multibyte_) out_.first.bits[2] = 0;  // no character begins with what continues one
}

void Compiler::make_program() {
  // References to nodes and their children stay valid: loops add at most one node with one child for each there is.
  tree_.nodes.reserve(2 * tree_.nodes.size());
  tree_.links.reserve(tree_.links.size() + tree_.nodes.size());
  out_.code.reserve(tree_.nodes.size() / 2 + 4);
  FirstBytes end;
  end.empty = true;
  generate(tree_.root, end);
  emit(Op::kMatch);
  find_leading_repeat();
  out_.sets = std::move(tree_.sets);
}

}  // namespace

void analyze(Workspace* work, const CaseFolder& folder, bool multibyte, Regex* out) {
  out->multibyte = multibyte;
  Compiler(work, folder, out).analyze();
}

void generate(Workspace* work, const CaseFolder& folder, Regex* out) { Compiler(work, folder, out).make_program(); }

}  // namespace neovm::text::regex
