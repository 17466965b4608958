// Finding where to try a match.
//
// Cheap tests come first: an anchor leaves few places, an exact prefix is found with memmem, else the first
// byte must be in a bitmap. A matcher is only made where these let something through. Text every match must contain is looked up ahead of trying anything, so
// that a hopeless search ends in one pass.
#include <algorithm>
#include <cstring>
#include <span>

#include "matcher.hpp"

namespace neovm::text {
namespace {

using regex::Matcher;
using regex::MatchResult;

// Start of the first occurrence of `what` wholly inside [from, to), or -1.
std::int64_t find_bytes(const Cursor& text, std::span<const std::uint8_t> what, std::int64_t from, std::int64_t to) {
  const auto n = static_cast<std::int64_t>(what.size());
  const auto in_span = [&](std::int64_t low, std::int64_t high) -> std::int64_t {
    if (high - low < n) return -1;
    const std::uint8_t* start = text.at(low);
    const void* hit = n == 1 ? std::memchr(start, what[0], static_cast<std::size_t>(high - low))
                             : memmem(start, static_cast<std::size_t>(high - low), what.data(), what.size());
    return hit == nullptr ? -1 : low + (static_cast<const std::uint8_t*>(hit) - start);
  };
  const std::int64_t split = text.first_bytes;
  if (to <= split || from >= split) return in_span(from, to);
  const std::int64_t before = in_span(from, split);
  if (before >= 0) return before;
  for (std::int64_t i = std::max(from, split - n + 1); i < split && i + n <= to; ++i) {  // across the gap
    std::int64_t k = 0;
    while (k < n && text.byte(i + k) == what[static_cast<std::size_t>(k)]) ++k;
    if (k == n) return i;
  }
  return in_span(split, to);
}

class Searcher {
 public:
  Searcher(Context& cx, const Regex& regex, const RegexSubject& subject, std::int64_t stop)
      : cx_(cx), re_(regex), subject_(subject), stop_(stop) {}

  Maybe<std::int64_t> forward(std::int64_t from, std::int64_t to);
  Maybe<std::int64_t> backward(std::int64_t from, std::int64_t to);
  void copy_registers(RegexRegisters* r) const {
    r->count = re_.groups + 1;
    for (int g = 0; g <= re_.groups; ++g) {
      const bool set = matcher_->group_end(g) >= 0;
      r->start[g] = set ? matcher_->group_start(g) : -1;
      r->end[g] = set ? matcher_->group_end(g) : -1;
    }
  }
  // No match can start at `i`: what every match starts with is not there.
  [[nodiscard]] bool refused(std::int64_t i) const;
  Maybe<bool> at(std::int64_t i) {
    switch (matcher().run(i)) {
      case MatchResult::kYes: return true;
      case MatchResult::kNo: return false;
      case MatchResult::kOverflow: return error_text(cx_, "Stack overflow in regexp matcher");
      case MatchResult::kQuit: break;
    }
    return kFailed;
  }

 private:
  // Made when there is something to try: most searches in short strings end before.
  Matcher& matcher() { return matcher_ ? *matcher_ : matcher_.emplace(cx_, re_, subject_, stop_); }
  // So little text from there on that a look at all of it is cheaper than trying to match.
  [[nodiscard]] bool is_short(std::int64_t from) const { return stop_ - from <= 512; }
  void prepare_map();
  [[nodiscard]] std::int64_t find_folded(std::int64_t from) const;
  // The next place up to `to` with a byte that can be the first of a match, or -1. By bits: where there is no map.
  [[nodiscard]] std::int64_t skip_by_bits(std::int64_t i, std::int64_t to) const;
  [[nodiscard]] std::int64_t skip_by_map(std::int64_t i, std::int64_t to) const;

  Context& cx_;
  const Regex& re_;
  const RegexSubject& subject_;
  std::int64_t stop_;
  std::optional<Matcher> matcher_;
  const std::uint8_t* map_ = nullptr;  // null: any byte may start a match, or nobody has asked yet
  std::uint8_t own_map_[256];
};

bool Searcher::refused(std::int64_t i) const {
  const Cursor& text = subject_.text;
  const auto n = static_cast<std::int64_t>(re_.prefix.size());
  if (n > stop_ - i) return true;
  for (std::int64_t k = 0; k < n; ++k)
    if (text.byte(i + k) != re_.prefix[static_cast<std::size_t>(k)]) return true;
  const auto folded = static_cast<std::int64_t>(re_.folded_prefix.size());
  for (std::int64_t k = n; k < folded; ++k) {
    if (i + k >= stop_) return true;
    const std::uint8_t b = text.byte(i + k);
    if (b >= 0x80 || (*re_.canonical)[b] != re_.folded_prefix[static_cast<std::size_t>(k)]) return true;
  }
  if (n > 0 || re_.first.empty || re_.first.syntax != 0) return false;
  return i >= stop_ || !re_.first.has(text.byte(i));
}

void Searcher::prepare_map() {
  if (re_.first.empty) return;
  if (re_.first_map == nullptr) {
    re_.first_map = std::make_unique<std::uint8_t[]>(256);
    for (int b = 0; b < 256; b += 8) {  // eight bits to eight bytes
      const std::uint64_t bits = (re_.first.bits[b >> 6] >> (b & 63)) & 0xFF;
      const std::uint64_t each = (bits * 0x0101010101010101U) & 0x8040201008040201U;
      const std::uint64_t ones = ((each + 0x7F7F7F7F7F7F7F7FU) | each) >> 7 & 0x0101010101010101U;
      std::memcpy(re_.first_map.get() + b, &ones, sizeof ones);
    }
  }
  map_ = re_.first_map.get();
  if (re_.first.syntax == 0) return;
  // The syntax table has a say: for this search only.
  std::copy(map_, map_ + 256, own_map_);
  const bool any = subject_.properties != nullptr;
  for (int c = 0; c < 128; ++c)
    if (any || ((re_.first.syntax >> matcher().syntax().table_code(c)) & 1) != 0) own_map_[c] = 1;
  if (any && re_.multibyte) std::fill(own_map_ + 0xC0, own_map_ + 256, std::uint8_t{1});
  map_ = own_map_;
}

// Next occurrence of the folded prefix before `stop_`, looking at the byte under its end and skipping.
std::int64_t Searcher::find_folded(std::int64_t from) const {
  const Cursor& text = subject_.text;
  const auto length = static_cast<std::int64_t>(re_.folded_prefix.size());
  const std::uint8_t* const low = text.first;
  const std::uint8_t* const high = text.second_bytes == 0 ? nullptr : text.second - text.first_bytes;
  const std::int64_t split = text.first_bytes;
  const auto byte = [&](std::int64_t i) { return (i < split ? low : high)[i]; };
  const std::uint8_t last = re_.folded_prefix.back();
  const AsciiCanonical& canonical = *re_.canonical;
  for (std::int64_t end = from + length - 1; end < stop_;) {
    const std::uint8_t b = byte(end);
    if (b < 0x80 && canonical[b] == last) {
      std::int64_t k = length - 2;
      for (; k >= 0; --k) {
        const std::uint8_t c = byte(end - length + 1 + k);
        if (c >= 0x80 || canonical[c] != re_.folded_prefix[static_cast<std::size_t>(k)]) break;
      }
      if (k < 0) return end - length + 1;
    }
    end += re_.folded_skip[b];
  }
  return -1;
}

std::int64_t Searcher::skip_by_bits(std::int64_t i, std::int64_t to) const {
  while (i <= to && i < stop_ && !re_.first.has(subject_.text.byte(i))) ++i;
  return i < stop_ && i <= to ? i : -1;
}

std::int64_t Searcher::skip_by_map(std::int64_t i, std::int64_t to) const {
  while (i <= to && i < stop_) {
    const std::int64_t split = subject_.text.first_bytes;
    const std::uint8_t* const start = subject_.text.at(i);
    const std::uint8_t* p = start;
    const std::uint8_t* const end = start + ((i < split ? std::min(split, stop_) : stop_) - i);
    while (end - p >= 4) {
      if (map_[p[0]] != 0) break;
      if (map_[p[1]] != 0) {
        p += 1;
        break;
      }
      if (map_[p[2]] != 0) {
        p += 2;
        break;
      }
      if (map_[p[3]] != 0) {
        p += 3;
        break;
      }
      p += 4;
    }
    while (p < end && map_[*p] == 0) ++p;
    i += p - start;
    if (p < end) break;
  }
  return i < stop_ && i <= to ? i : -1;
}

Maybe<std::int64_t> Searcher::forward(std::int64_t from, std::int64_t to) {
  const Cursor& text = subject_.text;
  const bool use_required = !re_.required.empty();
  if (re_.anchored_at_start || re_.anchored_at_point) {
    const std::int64_t only = re_.anchored_at_start ? subject_.begin : subject_.point;
    if (only < from || only > to || refused(only)) return -1;
    // In a long text the match may be over long before its end.
    if (use_required && is_short(only) && find_bytes(text, re_.required, only, stop_) < 0) return -1;
    return TRY(at(only))
    ? only : -1;
  }
  std::int64_t required_at = -1;
  static constexpr std::uint8_t newline[] = {'\n'};
  unsigned tries = 0;
  for (std::int64_t i = from; i <= to;) {
    if (use_required && required_at < i) {
      required_at = find_bytes(text, re_.required, i, stop_);
      if (required_at < 0) return -1;
    }
    if (re_.anchored_at_line) {
      if (i > subject_.begin && text.byte(i - 1) != '\n') {
        const std::int64_t end_of_line = find_bytes(text, newline, i, std::min(to, subject_.end));
        if (end_of_line < 0) return -1;
        i = end_of_line + 1;
        continue;
      }
    } else if (!re_.prefix.empty() && (re_.folded_prefix.empty() || !is_short(i))) {
      i = find_bytes(text, re_.prefix, i, stop_);
      if (i < 0 || i > to) return -1;
    } else if (!re_.folded_prefix.empty()) {
      i = find_folded(i);
      if (i < 0 || i > to) return -1;
    } else if (!re_.first.empty) {
      if (map_ == nullptr && re_.first.syntax == 0 && is_short(i)) {
        i = skip_by_bits(i, to);
        if (i < 0) return -1;
      } else if (map_ == nullptr) {
        // A map that depends on syntax costs a hundred lookups: not for a short text.
        if (re_.first.syntax == 0 || ++tries > 8) prepare_map();
      }
      if (map_ != nullptr) {
        i = skip_by_map(i, to);
        if (i < 0) return -1;
      }
    }
    if (use_required && required_at < i) continue;
    if (TRY(at(i))) return i;
    if (i >= subject_.end) break;
    i = std::max(text.next(i), matcher_->run_end());
  }
  return -1;
}

Maybe<std::int64_t> Searcher::backward(std::int64_t from, std::int64_t to) {
  const Cursor& text = subject_.text;
  if (!re_.first.empty && re_.first.syntax == 0) prepare_map();
  for (std::int64_t i = from; i >= to;) {
    const bool candidate = map_ == nullptr || (i < stop_ && map_[text.byte(i)] != 0);
    const bool anchored = !re_.anchored_at_line || i <= subject_.begin || text.byte(i - 1) == '\n';
    if (candidate && anchored && TRY(at(i))) return i;
    if (i <= subject_.begin) break;
    i = text.previous(i);
  }
  return -1;
}

}  // namespace

Maybe<bool> regex_match_at(Context& cx, const Regex& regex, const RegexSubject& subject, std::int64_t at,
                           std::int64_t stop, RegexRegisters* registers) {
  Searcher searcher(cx, regex, subject, stop);
  if (searcher.refused(at)) return false;
  const bool found = TRY(searcher.at(at));
  if (found && registers != nullptr) searcher.copy_registers(registers);
  return found;
}

Maybe<std::int64_t> regex_search(Context& cx, const Regex& regex, const RegexSubject& subject, std::int64_t from,
                                 std::int64_t to, std::int64_t stop, RegexRegisters* registers) {
  Searcher searcher(cx, regex, subject, stop);
  const std::int64_t found = TRY(to >= from ? searcher.forward(from, to) : searcher.backward(from, to));
  if (found >= 0 && registers != nullptr) searcher.copy_registers(registers);
  return found;
}

}  // namespace neovm::text
