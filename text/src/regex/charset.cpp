// Bracket expressions for one kind of target: bitmaps for bytes, ranges for the rest, closed under case.
#include <algorithm>
#include <bit>

#include "neovm/text/unicode_category.hpp"
#include "tree.hpp"

namespace neovm::text::regex {
namespace {

// A range with more characters than this is not expanded by case; matching walks the case table instead.
constexpr std::int64_t kMaxExpanded = 4096;

void normalize(std::vector<Range>* ranges) {
  if (ranges->size() < 2) return;
  std::sort(ranges->begin(), ranges->end(), [](const Range& a, const Range& b) { return a.from < b.from; });
  std::vector<Range> merged;
  for (const Range& r : *ranges) {
    if (!merged.empty() && r.from <= merged.back().to + 1) {
      merged.back().to = std::max(merged.back().to, r.to);
    } else {
      merged.push_back(r);
    }
  }
  *ranges = std::move(merged);
}

bool ascii_in_classes(std::uint32_t classes, int c, const CaseFolder& folder) {
  if ((classes & kClassLower) != 0 && folder.is_lower(c)) return true;
  if ((classes & kClassUpper) != 0 && folder.is_upper(c)) return true;
  return (classes & kClassCased) != 0 && (folder.is_lower(c) || folder.is_upper(c));
}

bool has_bit(const CharSet& s, int c) { return ((s.bits[c >> 6] >> (c & 63)) & 1) != 0; }

// Calls visit(c) for each of `bits`.
template <class Visit>
void each_bit(std::uint64_t low, std::uint64_t high, Visit visit) {
  for (; low != 0; low &= low - 1) visit(std::countr_zero(low));
  for (; high != 0; high &= high - 1) visit(64 + std::countr_zero(high));
}

// Adds to `closed` the ASCII characters whose other cases the set has.
void close_ascii(const CharSet& s, const CaseFolder& folder, std::uint64_t* closed) {
  const auto add = [closed](int c) { closed[c >> 6] |= std::uint64_t{1} << (c & 63); };
  const auto ask = [&](int c) {
    int same[32];
    const int n = folder.equivalents(c, same, 32);
    for (int i = 1; i < n; ++i)
      if (same[i] < 128 ? has_bit(s, same[i]) : in_ranges(s.ranges, same[i])) return add(c);
  };
  if (const AsciiFolding* const known = folder.ascii()) {
    each_bit(~known->alone[0] & ~s.bits[0], ~known->alone[1] & ~s.bits[1], [&](int c) {
      if (((known->other_bits[c][0] & s.bits[0]) | (known->other_bits[c][1] & s.bits[1])) != 0) {
        add(c);
      } else if (((known->wide[c >> 6] >> (c & 63)) & 1) != 0) {
        ask(c);
      }
    });
    return;
  }
  for (int c = 0; c < 128; ++c)
    if (!has_bit(s, c) && !folder.alone(c)) ask(c);
}

// Adds to `more` the other cases of the set's ASCII characters that are not ASCII.
void add_wide_cases(const CharSet& s, const CaseFolder& folder, std::vector<Range>* more) {
  const AsciiFolding* const known = folder.ascii();
  const std::uint64_t all = ~std::uint64_t{0};
  each_bit(s.bits[0] & (known != nullptr ? known->wide[0] : all), s.bits[1] & (known != nullptr ? known->wide[1] : all),
           [&](int c) {
             int same[32];
             const int n = folder.equivalents(c, same, 32);
             for (int i = 1; i < n; ++i)
               if (same[i] >= 128) more->push_back({same[i], same[i]});
           });
}

}  // namespace

bool in_ranges(const std::vector<Range>& ranges, int c) {
  std::size_t low = 0;
  std::size_t high = ranges.size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (c > ranges[middle].to) {
      low = middle + 1;
    } else if (c < ranges[middle].from) {
      high = middle;
    } else {
      return true;
    }
  }
  return false;
}

bool in_unicode_class(std::uint32_t classes, int c, const CaseFolder& folder) {
  using enum UnicodeCategory;
  if ((classes & kClassMultibyte) != 0) return true;
  if ((classes & (kClassLower | kClassCased)) != 0 && folder.is_lower(c)) return true;
  if ((classes & (kClassUpper | kClassCased)) != 0 && folder.is_upper(c)) return true;
  if ((classes & (kClassAlnum | kClassAlpha | kClassBlank | kClassGraph | kClassPrint)) == 0) return false;
  const UnicodeCategory k = unicode_category(c);
  if ((classes & (kClassAlnum | kClassAlpha)) != 0) {
    if (k <= kMe || k == kNl) return true;
    if ((classes & kClassAlnum) != 0 && k == kNd) return true;
  }
  if ((classes & kClassBlank) != 0 && k == kZs) return true;
  if ((classes & kClassPrint) != 0 && k != kCc && k != kCs && k != kCn) return true;
  return (classes & kClassGraph) != 0 && k != kZs && k != kZl && k != kZp && k != kCc && k != kCs && k != kCn;
}

bool in_set_wide(const CharSet& s, int c, const CaseFolder& folder, SyntaxReader& syntax) {
  if (in_ranges(s.ranges, c)) return true;
  if (s.walk_equivalents) {
    int same[32];
    const int n = folder.equivalents(c, same, 32);
    for (int i = 1; i < n; ++i)
      if (same[i] < 0x80 ? ((s.bits[same[i] >> 6] >> (same[i] & 63)) & 1) != (s.negated ? 1U : 0U)
                         : in_ranges(s.ranges, same[i]))
        return true;
  }
  if (s.classes == 0 || is_raw_byte_char(c)) return false;
  if (in_unicode_class(s.classes, c, folder)) return true;
  if ((s.classes & (kClassWord | kClassSpace | kClassPunct)) == 0) return false;
  const SyntaxCode code = syntax.table_code(c);
  if ((s.classes & kClassWord) != 0 && code == kSyntaxWord) return true;
  if ((s.classes & kClassSpace) != 0 && code == kSyntaxWhitespace) return true;
  return (s.classes & kClassPunct) != 0 && code != kSyntaxWord;
}

void finish_sets(Tree* tree, bool target_multibyte, const CaseFolder& folder, const CaseFolder& classes) {
  for (CharSet& s : tree->sets) {
    if (folder.folds() && (s.classes & (kClassLower | kClassUpper)) != 0) s.classes |= kClassCased;
    if ((s.classes & (kClassLower | kClassUpper | kClassCased)) != 0)
      for (int c = 0; c < 128; ++c)
        if (ascii_in_classes(s.classes, c, classes)) s.bits[c >> 6] |= std::uint64_t{1} << (c & 63);
    normalize(&s.ranges);
    if (folder.folds()) {
      std::uint64_t closed[2] = {s.bits[0], s.bits[1]};
      int same[32];
      close_ascii(s, folder, closed);
      std::int64_t total = 0;
      for (const Range& r : s.ranges) total += r.to - r.from + 1;
      if (total > kMaxExpanded) {
        s.walk_equivalents = true;
      } else {
        std::vector<Range> more;
        for (const Range& r : s.ranges) {
          for (int c = r.from; c <= r.to; ++c) {
            const int n = folder.equivalents(c, same, 32);
            for (int i = 1; i < n; ++i)
              if (same[i] >= 128) more.push_back({same[i], same[i]});
          }
        }
        add_wide_cases(s, folder, &more);
        s.ranges.insert(s.ranges.end(), more.begin(), more.end());
        normalize(&s.ranges);
      }
      s.bits[0] = closed[0];
      s.bits[1] = closed[1];
    }
    s.ascii_by_syntax = (s.classes & (kClassSpace | kClassWord)) != 0;
    if (!target_multibyte && !s.ranges.empty()) {
      for (int b = 0x80; b < 0x100; ++b)
        if (in_ranges(s.ranges, raw_byte_to_char(static_cast<unsigned>(b))))
          s.bits[b >> 6] |= std::uint64_t{1} << (b & 63);
    }
    if (s.negated && !s.ascii_by_syntax)
      for (std::uint64_t& word : s.bits) word = ~word;
  }
}

}  // namespace neovm::text::regex
