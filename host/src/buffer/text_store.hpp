// The text behind a buffer: bytes with a gap, the markers that point into it, and its properties.
//
// Positions are pairs of a character position and a byte position, both counted from 1 as Lisp counts
// them. Bytes are in the internal encoding when `multibyte`, one byte a character otherwise. The gap never
// splits a character. Several buffers share one store when some are indirect.
//
// The functions here change bytes, markers, hints and the bounds of the sharing buffers, and nothing else:
// no undo record, no hooks, no modification count (edit.hpp has the complete operations).
#pragma once

#include <cstdint>
#include <vector>

#include "neovm/abi/host.hpp"
#include "neovm/text/cursor.hpp"
#include "neovm/text/interval_tree.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT: the host is written in terms of the abi

struct Buffer;

struct Pos {
  std::int64_t chars = 1;
  std::int64_t bytes = 1;
  friend bool operator==(Pos a, Pos b) { return a.chars == b.chars; }
};

// A position that follows the text. Lisp markers, overlay ends and saved positions have one each.
struct Marker {
  Buffer* buffer = nullptr;  // null: points nowhere
  Pos pos;
  bool advance = false;     // insertion type: stays after text inserted at it
  std::uint32_t index = 0;  // in the store's vector
  Value self = kNil;        // the Lisp marker, kept up to date when it moves but not kept alive; nil: internal
};

class TextStore {
 public:
  explicit TextStore(bool multibyte) : multibyte_(multibyte) {}
  ~TextStore();
  TextStore(const TextStore&) = delete;
  TextStore& operator=(const TextStore&) = delete;

  [[nodiscard]] bool multibyte() const { return multibyte_; }
  [[nodiscard]] Pos end() const { return {chars_ + 1, bytes_ + 1}; }
  [[nodiscard]] std::int64_t gap_position() const { return gap_chars_ + 1; }
  // In bytes. A store that was never written to has no memory yet, but says what it will begin with.
  [[nodiscard]] std::int64_t gap_size() const { return capacity_ == 0 ? kInitialGap : gap_end_ - gap_start_; }
  // The whole text; byte offset 0 is byte position 1. Valid until the text changes.
  [[nodiscard]] text::Cursor cursor() const {
    return {data_, gap_start_, data_ + gap_end_, capacity_ - gap_end_, multibyte_};
  }
  // Contiguous bytes [from, to) (byte positions), moving the gap out of the way when it is inside.
  const std::uint8_t* contiguous(std::int64_t from_byte, std::int64_t to_byte);

  // Conversions; O(distance to the nearest known position).
  std::int64_t byte_of(std::int64_t charpos);
  std::int64_t char_of(std::int64_t bytepos);
  Pos at_char(std::int64_t charpos) { return {charpos, byte_of(charpos)}; }
  Pos at_byte(std::int64_t bytepos) { return {char_of(bytepos), bytepos}; }
  // Moves one character. Preconditions: not at the end / the beginning of the text.
  [[nodiscard]] Pos next(Pos p) const {
    return {p.chars + 1, p.bytes + (multibyte_ ? text::bytes_by_lead(lead(p)) : 1)};
  }
  [[nodiscard]] Pos previous(Pos p) const;
  // Character at a position before the end; unibyte text gives bytes.
  [[nodiscard]] int char_at(Pos p) const { return cursor().char_at(p.bytes - 1).c; }
  [[nodiscard]] std::uint8_t lead(Pos p) const {
    const std::int64_t i = p.bytes - 1;
    return data_[i < gap_start_ ? i : i + (gap_end_ - gap_start_)];
  }

  // Puts bytes in. `bytes` must not point into this store. False: out of memory, nothing changed.
  // `before_markers`: markers at the place move too, as if all were of advancing type.
  [[nodiscard]] bool insert(Pos at, const std::uint8_t* bytes, std::int64_t byte_count, std::int64_t char_count,
                            bool before_markers);
  void erase(Pos from, Pos to);
  // Overwrites a stretch with as many bytes and characters; nothing moves.
  void overwrite(std::int64_t bytepos, const std::uint8_t* bytes, std::int64_t count);
  // After overwrite() put characters of other lengths between these character positions: byte positions of markers,
  // points and bounds inside are found anew from their characters.
  void reseat_positions(std::int64_t from, std::int64_t to);
  // Makes sure the gap holds at least `bytes` bytes.
  [[nodiscard]] bool reserve(std::int64_t bytes);
  // Replaces all bytes by another encoding of the same text; markers are mapped by the caller.
  void adopt(std::vector<std::uint8_t> bytes, std::int64_t chars, bool multibyte);
  // Exchanges text, properties and counts; users and markers stay.
  void swap_contents(TextStore& other);

  void attach(Marker* m);
  void detach(Marker* m);

  std::vector<Marker*> markers;
  std::vector<Buffer*> users;  // buffers that show this text, the base first
  text::IntervalTree properties;

  // Modification counts ("ticks").
  std::int64_t modified = 1;
  std::int64_t chars_modified = 1;
  std::int64_t saved = 1;  // value of `modified` when the text was saved
  std::int64_t auto_saved = 1;
  std::int64_t compact_cost = 0;
  bool redisplay_needed = false;
  bool inhibit_shrinking = false;

 private:
  void move_gap(Pos to);
  void forget_hints();
  void remember(Pos p);
  void nearest(std::int64_t target, bool by_byte, Pos* below, Pos* above);
  void adjust_for_insert(Pos at, std::int64_t chars, std::int64_t bytes, bool before_markers);
  void adjust_for_erase(Pos from, Pos to);

  std::uint8_t* data_ = nullptr;
  static constexpr std::int64_t kInitialGap = 20;
  std::int64_t capacity_ = 0;
  std::int64_t gap_start_ = 0;
  std::int64_t gap_end_ = 0;
  std::int64_t gap_chars_ = 0;  // characters before the gap
  std::int64_t chars_ = 0;
  std::int64_t bytes_ = 0;
  bool multibyte_;
  // Positions known from earlier conversions; they follow the text like markers.
  static constexpr int kHints = 8;
  Pos hints_[kHints];
  int next_hint_ = 0;
};

}  // namespace neomacs::host
