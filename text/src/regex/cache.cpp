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

void append_characters(Value string, std::vector<int>* out) {
  const std::uint8_t* p = string_data_raw(string);
  const std::int64_t bytes = string_bytes(string);
  out->reserve(static_cast<std::size_t>(string_chars(string)));
  if (!string_multibyte(string)) {
    for (std::int64_t i = 0; i < bytes; ++i) out->push_back(raw_byte_to_char(p[i]));
    return;
  }
  for (std::int64_t i = 0; i < bytes;) {
    const Decoded d = decode_char(p + i);
    out->push_back(d.c);
    i += d.bytes;
  }
}

char flags_of(const RegexOptions& o, Value pattern) {
  unsigned flags = 0;
  if (o.target_multibyte) flags |= 1;
  if (o.posix) flags |= 2;
  if (o.fold) flags |= 4;
  if (string_multibyte(pattern)) flags |= 8;
  if (o.literal) flags |= 64;
  if (o.spaces.is_string()) flags |= string_multibyte(o.spaces) ? 48 : 16;
  return static_cast<char>(flags);
}

// Does `entry` hold this request? Compares without building a key.
bool same_request(const CachedRegex& entry, Value pattern, char flags, const RegexOptions& o, Value case_table) {
  const std::string_view text = string_view_of(pattern);
  if (entry.key[0] != flags || !(entry.case_table.get() == case_table)) return false;
  if (!o.spaces.is_string()) return std::string_view(entry.key).substr(1) == text;
  const std::string_view spaces = string_view_of(o.spaces);
  std::string key = std::to_string(text.size()) + ":";
  key.append(text).append(spaces);
  return std::string_view(entry.key).substr(1) == key;
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

void CaseFolder::alone_ascii(std::uint64_t* out) const {
  out[0] = out[1] = 0;
  if (ascii_ != nullptr) {
    std::copy(ascii_->alone, ascii_->alone + 2, out);
    return;
  }
  for (int c = 0; c < 128; ++c)
    if (alone(c)) out[c >> 6] |= std::uint64_t{1} << (c & 63);
}

void CaseFolder::canonical_ascii(std::int32_t* out) const {
  if (ascii_ != nullptr) {
    std::copy(ascii_->canonical, ascii_->canonical + 128, out);
    return;
  }
  for (int c = 0; c < 128; ++c) out[c] = canonical(c);
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

Maybe<const Regex*> regex_compile(Context& cx, Value pattern, const RegexOptions& options) {
  TextState& state = text_state(cx);
  const Value tables = current_tables(cx).downcase;
  // Classes such as [:upper:] ask the case table even when case matters.
  const Value case_table = is_char_table(tables) ? tables : kNil;
  const char flags = flags_of(options, pattern);
  ++state.uses;
  // A pattern is mostly the same object as before: its text then has to be compared, but not hashed.
  const auto address = reinterpret_cast<std::uintptr_t>(string_data_raw(pattern));
  std::uint8_t& place =
      state.cache_places[((address >> 3) ^ (address >> 11) ^ static_cast<unsigned char>(flags)) & 255];
  const auto use = [&](std::size_t i) {
    place = static_cast<std::uint8_t>(i);
    state.cache[i].last_use = state.uses;
    return state.cache[i].regex.get();
  };
  if (place < state.cache.size() && same_request(state.cache[place], pattern, flags, options, case_table))
    return use(place);
  const std::uint64_t hash = hash_bytes(string_view_of(pattern)) + static_cast<unsigned char>(flags);
  std::uint8_t& hint = state.cache_hints[hash & 255];
  const auto usable = [&](const CachedRegex& entry) {
    return entry.hash == hash && same_request(entry, pattern, flags, options, case_table);
  };
  if (hint < state.cache.size() && usable(state.cache[hint])) return use(hint);
  for (std::size_t i = 0; i < state.cache.size(); ++i) {
    if (!usable(state.cache[i])) continue;
    hint = static_cast<std::uint8_t>(i);
    return use(i);
  }

  regex::Workspace& work = state.workspace;
  work.clear();
  append_characters(pattern, &work.text);
  if (options.spaces.is_string()) append_characters(options.spaces, &work.spaces);
  if (options.literal) {
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
  } else if (const char* message = regex::parse(&work, options.spaces.is_string())) {
    return signal_error1(cx, Qinvalid_regexp, make_unibyte_string(cx, message));
  }
  const CaseFolder classes(case_table);
  CaseFolder folder(options.fold ? case_table : kNil);
  if (options.fold) folder.use(state.folding.of(folder));
  regex::finish_sets(&work.tree, options.target_multibyte, folder, classes);
  auto regex = std::make_unique<Regex>();
  regex::compile(&work, folder, options.target_multibyte, regex.get());
  regex->posix = options.posix;

  if (state.cache.size() < TextState::kCacheSize) {
    state.cache.reserve(TextState::kCacheSize);
    state.cache.emplace_back();
  } else {
    std::iter_swap(std::min_element(state.cache.begin(), state.cache.end(),
                                    [](const CachedRegex& a, const CachedRegex& b) { return a.last_use < b.last_use; }),
                   state.cache.end() - 1);
  }
  CachedRegex& entry = state.cache.back();
  hint = place = static_cast<std::uint8_t>(state.cache.size() - 1);
  entry.hash = hash;
  entry.last_use = state.uses;
  entry.key.assign(1, flags);
  if (options.spaces.is_string()) {
    entry.key += std::to_string(string_view_of(pattern).size()) + ":";
    entry.key.append(string_view_of(pattern)).append(string_view_of(options.spaces));
  } else {
    entry.key.append(string_view_of(pattern));
  }
  entry.case_table.set(case_table);
  entry.regex = std::move(regex);
  return entry.regex.get();
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
  append_characters(string, &work.text);
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
