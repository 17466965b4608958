#include "buffer/text_store.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "buffer/buffer.hpp"

namespace neomacs::host {

TextStore::~TextStore() { std::free(data_); }

// ---- gap ---------------------------------------------------------------------------------------------

void TextStore::move_gap(Pos to) {
  const std::int64_t target = to.bytes - 1;
  const std::int64_t size = gap_end_ - gap_start_;
  if (target < gap_start_) {
    const std::int64_t n = gap_start_ - target;
    std::memmove(data_ + gap_end_ - n, data_ + target, static_cast<std::size_t>(n));
  } else if (target > gap_start_) {
    const std::int64_t n = target - gap_start_;
    std::memmove(data_ + gap_start_, data_ + gap_end_, static_cast<std::size_t>(n));
  }
  gap_start_ = target;
  gap_end_ = target + size;
  gap_chars_ = to.chars - 1;
}

bool TextStore::reserve(std::int64_t bytes) {
  if (gap_end_ - gap_start_ >= bytes) return true;
  if (bytes > (std::int64_t{1} << 42)) return false;
  // As in Emacs a buffer begins with a gap of 20 and a gap that grows gets 2000 bytes to spare; a large text more.
  const std::int64_t wanted = bytes_ + bytes;
  const bool first = capacity_ == 0 && bytes <= kInitialGap;
  const std::int64_t capacity = first ? kInitialGap : wanted + std::max<std::int64_t>(2000, wanted / 4);
  auto* grown = static_cast<std::uint8_t*>(std::realloc(data_, static_cast<std::size_t>(capacity)));
  if (grown == nullptr) return false;
  data_ = grown;
  const std::int64_t tail = capacity_ - gap_end_;
  std::memmove(data_ + capacity - tail, data_ + gap_end_, static_cast<std::size_t>(tail));
  gap_end_ = capacity - tail;
  capacity_ = capacity;
  return true;
}

const std::uint8_t* TextStore::contiguous(std::int64_t from_byte, std::int64_t to_byte) {
  const std::int64_t from = from_byte - 1;
  const std::int64_t to = to_byte - 1;
  if (to <= gap_start_) return data_ + from;
  if (from >= gap_start_) return data_ + from + (gap_end_ - gap_start_);
  // The cheaper end.
  if (gap_start_ - from < to - gap_start_) {
    move_gap(at_byte(from_byte));
    return data_ + gap_end_;
  }
  move_gap(at_byte(to_byte));
  return data_ + from;
}

// ---- conversions ---------------------------------------------------------------------------------------

void TextStore::forget_hints() {
  for (Pos& h : hints_) h = Pos{};
}

void TextStore::remember(Pos p) {
  hints_[next_hint_] = p;
  next_hint_ = (next_hint_ + 1) % kHints;
}

void TextStore::nearest(std::int64_t target, bool by_byte, Pos* below, Pos* above) {
  *below = Pos{1, 1};
  *above = end();
  const auto consider = [&](Pos p) {
    const std::int64_t key = by_byte ? p.bytes : p.chars;
    if (key <= target) {
      if (p.chars > below->chars) *below = p;
    } else if (p.chars < above->chars) {
      *above = p;
    }
  };
  consider({gap_chars_ + 1, gap_start_ + 1});
  for (const Pos& h : hints_) consider(h);
  for (const Buffer* b : users) {
    consider(b->point);
    consider(b->begin);
    consider(b->end);
  }
}

std::int64_t TextStore::byte_of(std::int64_t charpos) {
  if (chars_ == bytes_) return charpos;
  if (charpos >= chars_ + 1) return bytes_ + 1;
  Pos below;
  Pos above;
  nearest(charpos, false, &below, &above);
  if (above.chars - below.chars == above.bytes - below.bytes) return below.bytes + (charpos - below.chars);
  const text::Cursor c = cursor();
  const bool forward = charpos - below.chars <= above.chars - charpos;
  std::int64_t distance = 0;
  std::int64_t byte;
  if (forward) {
    byte = below.bytes - 1;
    for (distance = charpos - below.chars; distance > 0; --distance) byte = c.next(byte);
    distance = charpos - below.chars;
  } else {
    byte = above.bytes - 1;
    distance = above.chars - charpos;
    for (std::int64_t i = distance; i > 0; --i) byte = c.previous(byte);
  }
  if (distance > 500) remember({charpos, byte + 1});
  return byte + 1;
}

std::int64_t TextStore::char_of(std::int64_t bytepos) {
  if (chars_ == bytes_) return bytepos;
  if (bytepos >= bytes_ + 1) return chars_ + 1;
  Pos below;
  Pos above;
  nearest(bytepos, true, &below, &above);
  if (above.chars - below.chars == above.bytes - below.bytes) return below.chars + (bytepos - below.bytes);
  const text::Cursor c = cursor();
  const auto count = [&](std::int64_t from, std::int64_t to) {  // 0-based byte offsets
    std::int64_t n = 0;
    const std::int64_t middle = std::clamp(c.first_bytes, from, to);
    if (from < middle) n += text::count_chars(c.at(from), middle - from);
    if (middle < to) n += text::count_chars(c.at(middle), to - middle);
    return n;
  };
  std::int64_t result;
  const bool forward = bytepos - below.bytes <= above.bytes - bytepos;
  if (forward) {
    result = below.chars + count(below.bytes - 1, bytepos - 1);
  } else {
    result = above.chars - count(bytepos - 1, above.bytes - 1);
  }
  if (std::min(bytepos - below.bytes, above.bytes - bytepos) > 1000) remember({result, bytepos});
  return result;
}

Pos TextStore::previous(Pos p) const { return {p.chars - 1, cursor().previous(p.bytes - 1) + 1}; }

// ---- edits -----------------------------------------------------------------------------------------------

namespace {

void shift_right(Pos* p, Pos at, std::int64_t chars, std::int64_t bytes, bool advance) {
  if (p->chars > at.chars || (advance && p->chars == at.chars)) {
    p->chars += chars;
    p->bytes += bytes;
  }
}

void shift_left(Pos* p, Pos from, Pos to) {
  if (p->chars >= to.chars) {
    p->chars -= to.chars - from.chars;
    p->bytes -= to.bytes - from.bytes;
  } else if (p->chars > from.chars) {
    *p = from;
  }
}

}  // namespace

void TextStore::adjust_for_insert(Pos at, std::int64_t chars, std::int64_t bytes, bool before_markers) {
  for (Marker* m : markers) shift_right(&m->pos, at, chars, bytes, m->advance || before_markers);
  for (Pos& h : hints_) shift_right(&h, at, chars, bytes, false);
  for (Buffer* b : users) {
    shift_right(&b->begin, at, chars, bytes, false);
    shift_right(&b->end, at, chars, bytes, true);
    shift_right(&b->point, at, chars, bytes, false);
  }
}

void TextStore::adjust_for_erase(Pos from, Pos to) {
  for (Marker* m : markers) shift_left(&m->pos, from, to);
  for (Pos& h : hints_) shift_left(&h, from, to);
  for (Buffer* b : users) {
    shift_left(&b->begin, from, to);
    shift_left(&b->end, from, to);
    shift_left(&b->point, from, to);
  }
}

bool TextStore::insert(Pos at, const std::uint8_t* bytes, std::int64_t byte_count, std::int64_t char_count,
                       bool before_markers) {
  if (byte_count == 0) return true;
  if (!reserve(byte_count)) return false;
  if (at.bytes - 1 != gap_start_) move_gap(at);
  std::memcpy(data_ + gap_start_, bytes, static_cast<std::size_t>(byte_count));
  gap_start_ += byte_count;
  gap_chars_ += char_count;
  chars_ += char_count;
  bytes_ += byte_count;
  adjust_for_insert(at, char_count, byte_count, before_markers);
  return true;
}

void TextStore::erase(Pos from, Pos to) {
  if (from.chars == to.chars) return;
  // Bring the gap to the nearer end, or use that it is inside already.
  if (gap_start_ < from.bytes - 1) {
    move_gap(from);
  } else if (gap_start_ > to.bytes - 1) {
    move_gap(to);
  }
  const std::int64_t after = to.bytes - 1 - gap_start_;  // bytes to drop behind the gap
  gap_end_ += after;
  gap_start_ = from.bytes - 1;
  gap_chars_ = from.chars - 1;
  chars_ -= to.chars - from.chars;
  bytes_ -= to.bytes - from.bytes;
  adjust_for_erase(from, to);
}

void TextStore::overwrite(std::int64_t bytepos, const std::uint8_t* bytes, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t at = bytepos - 1 + i;
    data_[at < gap_start_ ? at : at + (gap_end_ - gap_start_)] = bytes[i];
  }
  if (multibyte_) forget_hints();  // character boundaries inside the stretch may have moved
}

void TextStore::reseat_positions(std::int64_t from, std::int64_t to) {
  if (chars_ == bytes_) return;
  forget_hints();
  const Pos start = [&] {
    // Count from the beginning: nothing between may be trusted.
    const text::Cursor c = cursor();
    std::int64_t byte = 0;
    for (std::int64_t i = 1; i < from; ++i) byte = c.next(byte);
    return Pos{from, byte + 1};
  }();
  std::vector<std::int64_t> bytes;
  bytes.reserve(static_cast<std::size_t>(to - from) + 1);
  {
    const text::Cursor c = cursor();
    std::int64_t byte = start.bytes - 1;
    for (std::int64_t i = from; i <= to; ++i) {
      bytes.push_back(byte + 1);
      if (i < to) byte = c.next(byte);
    }
  }
  const auto fix = [&](Pos* p) {
    if (p->chars >= from && p->chars <= to) p->bytes = bytes[static_cast<std::size_t>(p->chars - from)];
  };
  for (Marker* m : markers) fix(&m->pos);
  for (Buffer* b : users) {
    fix(&b->point);
    fix(&b->begin);
    fix(&b->end);
  }
  const std::int64_t gap = gap_start_ + 1;
  if (gap >= start.bytes && gap <= bytes.back()) {
    gap_chars_ = from - 1 + (std::lower_bound(bytes.begin(), bytes.end(), gap) - bytes.begin());
  }
}

void TextStore::adopt(std::vector<std::uint8_t> bytes, std::int64_t chars, bool multibyte) {
  const auto n = static_cast<std::int64_t>(bytes.size());
  bytes_ = chars_ = 0;
  gap_start_ = 0;
  gap_end_ = capacity_;
  gap_chars_ = 0;
  forget_hints();
  multibyte_ = multibyte;
  if (!reserve(n)) std::abort();
  if (n > 0) std::memcpy(data_, bytes.data(), bytes.size());
  gap_start_ = n;
  gap_chars_ = chars;
  chars_ = chars;
  bytes_ = n;
}

void TextStore::swap_contents(TextStore& o) {
  std::swap(data_, o.data_);
  std::swap(capacity_, o.capacity_);
  std::swap(gap_start_, o.gap_start_);
  std::swap(gap_end_, o.gap_end_);
  std::swap(gap_chars_, o.gap_chars_);
  std::swap(chars_, o.chars_);
  std::swap(bytes_, o.bytes_);
  std::swap(multibyte_, o.multibyte_);
  std::swap(saved, o.saved);
  std::swap(auto_saved, o.auto_saved);
  properties.swap(o.properties);
  forget_hints();
  o.forget_hints();
}

void TextStore::attach(Marker* m) {
  m->index = static_cast<std::uint32_t>(markers.size());
  markers.push_back(m);
}

void TextStore::detach(Marker* m) {
  Marker* last = markers.back();
  markers[m->index] = last;
  last->index = m->index;
  markers.pop_back();
}

}  // namespace neomacs::host
