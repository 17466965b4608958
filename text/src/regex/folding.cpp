#include "folding.hpp"

#include <algorithm>
#include <cstring>

namespace neovm::text::regex {
namespace {

// The entries of `table` for ASCII characters, if it has a leaf for them and nothing stands in for nil.
const Value* ascii_entries(Value table) {
  constexpr std::int64_t kLeafContents = 2;
  if (!is_char_table(table) || !slot_raw(table, kCharTableDefault).is_nil() ||
      is_char_table(slot_raw(table, kCharTableParent)))
    return nullptr;
  const Value leaf = slot_raw(table, kCharTableAscii);
  return is_kind(leaf, ObjectKind::kSubCharTable) ? &slots_raw(leaf)->slots[kLeafContents] : nullptr;
}

// Objects are not kept here, so nothing may be one.
bool characters_or_nil(const Value* entries) {
  return std::all_of(entries, entries + 128, [](Value v) { return v.is_nil() || v.is_natnum_fixnum(); });
}

}  // namespace

bool FoldingCache::same(const Value* canonical, const Value* next, const CaseFolder& folder) const {
  return filled_ && pairs_ == !is_char_table(folder.equivalents_table()) &&
         std::memcmp(canonical, canonical_, sizeof canonical_) == 0 && std::memcmp(next, next_, sizeof next_) == 0 &&
         std::all_of(others_.begin(), others_.end(), [&folder](const Entry& e) {
           return char_table_get(folder.canonical_table(), e.c) == e.canonical &&
                  char_table_get(folder.equivalents_table(), e.c) == e.next;
         });
}

// The way from `c` that `equivalents` went: every entry on it must stay what it is. False when that is too much.
bool FoldingCache::note_way(int c, const CaseFolder& folder) {
  if (pairs_) return folder.canonical(c) < 0x80;
  constexpr int kFar = 8;
  int at = c;
  for (int steps = 0; steps < kFar; ++steps) {
    const Value after = at < 0x80 ? next_[at] : char_table_get(folder.equivalents_table(), at);
    if (after.is_nil()) return true;
    if (!after.is_natnum_fixnum()) return false;
    at = static_cast<int>(after.as_fixnum());
    if (at == c) return true;
    if (at < 0x80 || std::any_of(others_.begin(), others_.end(), [at](const Entry& e) { return e.c == at; })) continue;
    const Entry entry = {at, char_table_get(folder.canonical_table(), at),
                         char_table_get(folder.equivalents_table(), at)};
    if (entry.canonical.is_heap() || entry.next.is_heap()) return false;
    others_.push_back(entry);
  }
  return false;
}

bool FoldingCache::fill(const Value* canonical, const Value* next, const CaseFolder& folder) {
  if (!characters_or_nil(canonical) || !characters_or_nil(next)) return false;
  std::copy(canonical, canonical + 128, canonical_);
  std::copy(next, next + 128, next_);
  pairs_ = !is_char_table(folder.equivalents_table());
  others_.clear();
  folding_ = {};
  folding_.canonical = folder.canonical_ascii();
  for (int c = 0; c < 128; ++c) {
    int all[AsciiFolding::kRoom + 1];
    const int n = folder.equivalents(c, all, AsciiFolding::kRoom + 1);
    if (n > AsciiFolding::kRoom || !note_way(c, folder)) return false;
    if (folder.alone(c)) folding_.alone[c >> 6] |= std::uint64_t{1} << (c & 63);
    folding_.count[c] = static_cast<std::uint8_t>(n);
    std::copy(all, all + n, folding_.same[c]);
    for (int i = 1; i < n; ++i) {
      if (all[i] < 0x80) {
        folding_.other_bits[c][all[i] >> 6] |= std::uint64_t{1} << (all[i] & 63);
      } else {
        folding_.wide[c >> 6] |= std::uint64_t{1} << (c & 63);
      }
    }
  }
  return true;
}

const AsciiFolding* FoldingCache::of(const CaseFolder& folder) {
  const bool pairs = !is_char_table(folder.equivalents_table());
  const Value* const canonical = ascii_entries(folder.canonical_table());
  const Value* const next = ascii_entries(pairs ? folder.up_table() : folder.equivalents_table());
  if (canonical == nullptr || next == nullptr) return nullptr;
  if (!same(canonical, next, folder)) filled_ = fill(canonical, next, folder);
  return filled_ ? &folding_ : nullptr;
}

}  // namespace neovm::text::regex
