// Compiled patterns by content, and case folding.
#include <algorithm>
#include <cstring>

#include "../state.hpp"
#include "neovm/abi/alloc.hpp"
#include "neovm/abi/string.hpp"
#include "neovm/abi/symbols.hpp"

namespace neovm::text {
namespace {

std::uint64_t hash_bytes(std::string_view s) {
  std::uint64_t h = 0x9e3779b97f4a7c15ULL ^ s.size();
  const char* p = s.data();
  std::size_t n = s.size();
  const auto mix = [&h](std::uint64_t w) {
    h = (h ^ w) * 0xff51afd7ed558ccdULL;
    h ^= h >> 32;
  };
  for (; n >= 8; n -= 8, p += 8) {
    std::uint64_t w;
    std::memcpy(&w, p, 8);
    mix(w);
  }
  std::uint64_t w = 0;
  std::memcpy(&w, p, n);
  mix(w);
  return h;
}

void append_characters(std::string_view text, bool multibyte, std::vector<int>* out) {
  const auto* p = reinterpret_cast<const std::uint8_t*>(text.data());
  const std::size_t bytes = text.size();
  out->reserve(bytes);
  for (std::size_t i = 0; i < bytes;) {
    if (multibyte && p[i] >= 0x80) {
      const Decoded d = decode_char(p + i);
      out->push_back(d.c);
      i += static_cast<std::size_t>(d.bytes);
    } else {
      out->push_back(raw_byte_to_char(p[i++]));
    }
  }
}

// What a pattern is compiled from, as one byte.
enum Flag : std::uint8_t {
  kTargetMultibyte = 1,
  kPosix = 2,
  kFold = 4,
  kPatternMultibyte = 8,
  kSpaces = 16,
  kSpacesMultibyte = 32,
  kLiteral = 64,
};

char flags_of(const RegexOptions& o, Value pattern) {
  unsigned flags = 0;
  if (o.target_multibyte) flags |= kTargetMultibyte;
  if (o.posix) flags |= kPosix;
  if (o.fold) flags |= kFold;
  if (string_multibyte(pattern)) flags |= kPatternMultibyte;
  if (o.literal) flags |= kLiteral;
  if (o.spaces.is_string()) flags |= string_multibyte(o.spaces) ? kSpaces | kSpacesMultibyte : kSpaces;
  return static_cast<char>(flags);
}

// The flags, the pattern and, with its length before it, search-spaces-regexp.
std::string make_key(char flags, std::string_view pattern, Value spaces) {
  std::string key(1, flags);
  if (!spaces.is_string()) return key.append(pattern);
  key += std::to_string(pattern.size()) + ":";
  return key.append(pattern).append(string_view_of(spaces));
}

// Does `entry` hold this request? Compares without building a key.
bool same_request(const CachedRegex& entry, Value pattern, char flags, const RegexOptions& o, Value case_table) {
  const std::string_view text = string_view_of(pattern);
  if (entry.key[0] != flags || !(entry.case_table.get() == case_table)) return false;
  if (o.spaces.is_string()) return entry.key == make_key(flags, text, o.spaces);
  return entry.key.size() == text.size() + 1 && std::memcmp(entry.key.data() + 1, text.data(), text.size()) == 0;
}

// A request for a pattern, and where in the cache it was the last time that this object was asked for: a pattern is mostly the
// same object as before, and its text then has to be compared, but not hashed.
struct Request {
  Request(Context& cx, Value pattern, const RegexOptions& options)
      : state(text_state(cx)), case_table(current_tables(cx).downcase), flags(flags_of(options, pattern)) {
    // Classes such as [:upper:] ask the case table even when case matters.
    if (!is_char_table(case_table)) case_table = kNil;
    const auto address = reinterpret_cast<std::uintptr_t>(string_data_raw(pattern));
    place = &state.cache_places[((address >> 3) ^ (address >> 11) ^ static_cast<unsigned char>(flags)) & 255];
    if (*place < state.cache.size() && same_request(state.cache[*place], pattern, flags, options, case_table))
      known = &state.cache[*place];
  }
  TextState& state;
  Value case_table;
  char flags;
  std::uint8_t* place;
  CachedRegex* known = nullptr;
};

// Reads what `key` describes into the workspace's tree. Returns null, or the message of invalid-regexp.
const char* read_tree(TextState& state, std::string_view key, Value case_table, CaseFolder* folder) {
  const auto flags = static_cast<std::uint8_t>(key[0]);
  std::string_view pattern = key.substr(1);
  std::string_view spaces;
  if ((flags & kSpaces) != 0) {
    const std::size_t colon = pattern.find(':');
    std::size_t length = 0;
    for (const char digit : pattern.substr(0, colon)) length = 10 * length + static_cast<std::size_t>(digit - '0');
    spaces = pattern.substr(colon + 1 + length);
    pattern = pattern.substr(colon + 1, length);
  }
  regex::Workspace& work = state.workspace;
  work.clear();
  append_characters(pattern, (flags & kPatternMultibyte) != 0, &work.text);
  append_characters(spaces, (flags & kSpacesMultibyte) != 0, &work.spaces);
  if ((flags & kLiteral) != 0) {
    regex::Node node;
    node.kind = regex::NodeKind::kSequence;
    work.tree.nodes.push_back(node);
    work.items.clear();
    node.kind = regex::NodeKind::kChar;
    for (const int c : work.text) {
      node.value = c;
      work.items.push_back(static_cast<int>(work.tree.nodes.size()));
      work.tree.nodes.push_back(node);
    }
    work.tree.set_children(work.tree.nodes[0], work.items);
  } else if (const char* message = regex::parse(&work, (flags & kSpaces) != 0)) {
    return message;
  }
  if (folder->folds()) folder->use(state.folding.of(*folder));
  regex::finish_sets(&work.tree, (flags & kTargetMultibyte) != 0, *folder, CaseFolder(case_table));
  return nullptr;
}

}  // namespace

CaseFolder::CaseFolder(Value case_table) {
  if (!is_char_table(case_table)) return;
  down_ = case_table;
  const std::int64_t extras = slot_count_raw(case_table) - kCharTableExtras;
  if (extras >= 1) up_ = slot_raw(case_table, kCharTableExtras);
  if (extras >= 2) canonical_table_ = slot_raw(case_table, kCharTableExtras + 1);
  if (extras >= 3) equivalents_ = slot_raw(case_table, kCharTableExtras + 2);
  if (!is_char_table(canonical_table_)) canonical_table_ = down_;
}

std::shared_ptr<const AsciiCanonical> CaseFolder::canonical_ascii() const {
  if (ascii_ != nullptr) return ascii_->canonical;
  auto out = std::make_shared<AsciiCanonical>();
  for (int c = 0; c < 128; ++c) (*out)[static_cast<std::size_t>(c)] = canonical(c);
  return out;
}

int CaseFolder::equivalents(int c, int* out, int room) const {
  if (ascii_ != nullptr && c < 0x80) {
    const int known = std::min<int>(ascii_->count[c], room);
    std::copy(ascii_->same[c], ascii_->same[c] + known, out);
    return known;
  }
  out[0] = c;
  int n = 1;
  if (alone(c)) return n;
  if (!is_char_table(equivalents_)) {
    // Without the table of equivalences only the plain pair is known.
    const int low = canonical(c);
    if (low != c && n < room) out[n++] = low;
    if (is_char_table(up_)) {
      const Value up = char_table_get(up_, low);
      if (up.is_fixnum() && up.as_fixnum() != c && up.as_fixnum() != low && n < room)
        out[n++] = static_cast<int>(up.as_fixnum());
    }
    return n;
  }
  const int mine = canonical(c);
  for (int at = c, steps = 0; steps < 64; ++steps) {
    const Value next = char_table_get(equivalents_, at);
    if (!next.is_fixnum()) break;
    at = static_cast<int>(next.as_fixnum());
    if (at == c) break;
    if (canonical(at) == mine && n < room && std::find(out, out + n, at) == out + n) out[n++] = at;
  }
  return n;
}

bool CaseFolder::is_upper(int c) const {
  if (!is_char_table(down_)) return false;
  const Value v = char_table_get(down_, c);
  return v.is_fixnum() && v.as_fixnum() != c;
}

bool CaseFolder::is_lower(int c) const {
  if (!is_char_table(up_) || is_upper(c)) return false;
  const Value v = char_table_get(up_, c);
  return v.is_fixnum() && v.as_fixnum() != c;
}

int regex_group_count(const Regex& regex) { return regex.groups + 1; }

namespace {

const Regex* use_cached(TextState& state, std::size_t i) {
  state.cache[i].last_use = state.uses;
  return state.cache[i].regex.get();
}

// By content, else compiled anew.
[[gnu::noinline]] Maybe<const Regex*> find_or_compile(Context& cx, const Request& request, Value pattern,
                                                      const RegexOptions& options) {
  TextState& state = request.state;
  const Value case_table = request.case_table;
  const char flags = request.flags;
  const std::uint64_t hash = hash_bytes(string_view_of(pattern)) + static_cast<unsigned char>(flags);
  std::uint8_t& hint = state.cache_hints[hash & 255];
  const auto usable = [&](const CachedRegex& entry) {
    return entry.hash == hash && same_request(entry, pattern, flags, options, case_table);
  };
  if (hint < state.cache.size() && usable(state.cache[hint])) {
    *request.place = hint;
    return use_cached(state, hint);
  }
  for (std::size_t i = 0; i < state.cache.size(); ++i) {
    if (!usable(state.cache[i])) continue;
    hint = *request.place = static_cast<std::uint8_t>(i);
    return use_cached(state, i);
  }

  std::string key = make_key(flags, string_view_of(pattern), options.spaces);
  CaseFolder folder(options.fold ? case_table : kNil);
  if (const char* message = read_tree(state, key, case_table, &folder))
    return signal_error1(cx, Qinvalid_regexp, make_unibyte_string(cx, message));
  auto regex = std::make_unique<Regex>();
  regex->posix = options.posix;
  regex::analyze(&state.workspace, folder, options.target_multibyte, regex.get());
  state.workspace.owner = regex.get();

  if (state.cache.size() < TextState::kCacheSize) {
    state.cache.reserve(TextState::kCacheSize);
    state.cache.emplace_back();
  } else {
    std::iter_swap(std::min_element(state.cache.begin(), state.cache.end(),
                                    [](const CachedRegex& a, const CachedRegex& b) { return a.last_use < b.last_use; }),
                   state.cache.end() - 1);
  }
  CachedRegex& entry = state.cache.back();
  hint = *request.place = static_cast<std::uint8_t>(state.cache.size() - 1);
  entry.hash = hash;
  entry.last_use = state.uses;
  entry.key = std::move(key);
  entry.case_table.set(case_table);
  entry.regex = std::move(regex);
  return entry.regex.get();
}

}  // namespace

Maybe<const Regex*> regex_compile(Context& cx, Value pattern, const RegexOptions& options) {
  const Request request(cx, pattern, options);
  ++request.state.uses;
  return request.known != nullptr ? use_cached(request.state, *request.place)
                                  : find_or_compile(cx, request, pattern, options);
}

bool regex_refuses(Context& cx, Value pattern, const RegexOptions& options, std::string_view text) {
  const Request request(cx, pattern, options);
  if (request.known == nullptr) return false;
  request.known->last_use = ++request.state.uses;
  const Regex& regex = *request.known->regex;
  const auto contains = [text](const std::vector<std::uint8_t>& part) {
    return memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
  };
  if (!regex.anchored_at_start) return !regex.prefix.empty() && !contains(regex.prefix);
  const std::size_t n = regex.prefix.size();
  if (n > text.size() || !std::equal(regex.prefix.begin(), regex.prefix.end(), text.begin(),
                                     [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); }))
    return true;
  return !regex.required.empty() && !contains(regex.required);
}

void regex::complete(Context& cx, const Regex& regex) {
  TextState& state = text_state(cx);
  const auto entry = std::find_if(state.cache.rbegin(), state.cache.rend(),
                                  [&regex](const CachedRegex& e) { return e.regex.get() == &regex; });
  const Value case_table = entry->case_table.get();
  CaseFolder folder(regex.fold ? case_table : kNil);
  if (state.workspace.owner != &regex) {  // other patterns came between
    (void)read_tree(state, entry->key, case_table, &folder);
    state.workspace.first.assign(state.workspace.tree.nodes.size(), {});
  } else if (folder.folds()) {
    folder.use(state.folding.of(folder));
  }
  regex::generate(&state.workspace, folder, entry->regex.get());
  state.workspace.owner = nullptr;
}

Maybe<const CharacterSet*> skip_set_compile(Context& cx, Value string, bool target_multibyte) {
  constexpr std::size_t kKept = 24;
  TextState& state = text_state(cx);
  const Value case_table = current_tables(cx).downcase;
  const char kind = static_cast<char>((target_multibyte ? 1 : 0) + (string_multibyte(string) ? 2 : 0));
  const std::string_view text = string_view_of(string);
  auto& sets = state.skip_sets;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const std::string& key = sets[i]->key;
    if (key.size() != text.size() + 1 || key[0] != kind || !(sets[i]->case_table.get() == case_table) ||
        std::string_view(key).substr(1) != text)
      continue;
    if (i > 0)
      std::rotate(sets.begin(), sets.begin() + static_cast<std::ptrdiff_t>(i),
                  sets.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    return &sets[0]->set;
  }
  regex::Workspace& work = state.workspace;
  work.clear();
  append_characters(string_view_of(string), string_multibyte(string), &work.text);
  regex::Tree& tree = work.tree;
  tree.sets.emplace_back();
  if (const char* message = regex::parse_skip_set(work.text, &tree.sets[0])) return error_text(cx, message);
  regex::finish_sets(&tree, target_multibyte, CaseFolder(kNil), CaseFolder(case_table));
  auto entry = std::make_unique<CachedSkipSet>();
  entry->key = std::string(1, kind).append(text);
  entry->case_table.set(case_table);
  entry->set.set = std::move(tree.sets[0]);
  if (sets.size() >= kKept) sets.pop_back();
  sets.insert(sets.begin(), std::move(entry));
  return &sets[0]->set;
}

bool character_set_holds(Context& cx, const CharacterSet& set, const Cursor& text, std::int64_t at,
                         SyntaxReader& syntax) {
  const regex::CharSet& s = set.set;
  const std::uint8_t b = text.byte(at);
  if ((b < 0x80 || !text.multibyte) && !s.ascii_by_syntax) return ((s.bits[b >> 6] >> (b & 63)) & 1) != 0;
  const int c = text.multibyte ? text.char_at(at).c : raw_byte_to_char(b);
  if (c >= 0x80) return regex::in_set_wide(s, c, CaseFolder(current_tables(cx).downcase), syntax) != s.negated;
  bool in = ((s.bits[c >> 6] >> (c & 63)) & 1) != 0;
  if (!in) {
    const SyntaxCode code = syntax.table_code(c);
    in = ((s.classes & regex::kClassWord) != 0 && code == kSyntaxWord) ||
         ((s.classes & regex::kClassSpace) != 0 && code == kSyntaxWhitespace);
  }
  return in != s.negated;
}

}  // namespace neovm::text
