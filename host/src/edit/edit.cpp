// The complete text operations of edit.hpp, in the order in which GNU's insdel.c lets their effects be seen:
// permission and before-hooks, undo record, text, properties, counts, point, after-hooks.
#include "edit/edit.hpp"

#include <algorithm>
#include <cstring>

#include "buffer/overlay.hpp"
#include "edit/undo.hpp"
#include "textprop/textprop.hpp"

namespace neomacs::host {

std::string recode(std::string_view bytes, bool from_multibyte, bool to_multibyte, std::int64_t* chars) {
  if (from_multibyte == to_multibyte) {
    const auto n = static_cast<std::int64_t>(bytes.size());
    *chars = from_multibyte ? text::count_chars(reinterpret_cast<const std::uint8_t*>(bytes.data()), n) : n;
    return std::string(bytes);
  }
  std::string out;
  out.reserve(bytes.size());
  const auto* p = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const auto n = static_cast<std::int64_t>(bytes.size());
  *chars = 0;
  for (std::int64_t i = 0; i < n; ++*chars) {
    if (to_multibyte) {
      std::uint8_t buffer[text::kMaxBytesPerChar];
      const int k = text::encode_char(text::raw_byte_to_char(p[i]), buffer);
      out.append(reinterpret_cast<const char*>(buffer), static_cast<std::size_t>(k));
      ++i;
    } else {
      const text::Decoded d = text::decode_char(p + i);
      out.push_back(static_cast<char>(d.c & 0xFF));
      i += d.bytes;
    }
  }
  return out;
}

void count_modification(Buffer& b, bool chars) {
  b.text->modified += 1;
  if (chars) b.text->chars_modified = b.text->modified;
}

void note_inserted_properties(Context& cx, Buffer& b, Pos at, std::int64_t count, bool inherit) {
  text::IntervalTree& tree = b.text->properties;
  if (tree.empty()) return tree.insert(at.chars - 1, count, kNil);
  const std::int64_t i = at.chars - 1;
  const text::IntervalTree::Run before = i > 0 ? tree.find(i - 1) : text::IntervalTree::Run{0, 0, kNil};
  const bool within_run = before.end > i && !before.value.is_nil();
  Value plist = kNil;
  if (inherit) {
    plist = sticky_plist(cx, before.value, i < tree.length() ? tree.find(i).value : kNil);
    const bool same = within_run ? has_properties_of(plist, before.value) : plists_equal(plist, before.value);
    if (same && !before.value.is_nil()) return tree.stretch(i - 1, count);  // all of it: the run before grows
  }
  tree.insert(i, count, plist);
  // The two halves of the run do not share a list that Lisp could write to.
  if (within_run) tree.replace(i + count, before.end + count, copy_plist(cx, before.value));
}

Maybe<bool> insert_raw(Context& cx, Buffer& b, Pos at, const std::uint8_t* bytes, std::int64_t byte_count,
                       std::int64_t char_count, unsigned flags) {
  if (byte_count == 0) return true;
  TRY(ensure_memory(cx, static_cast<std::uint64_t>(b.text->end().bytes + byte_count)));
  if (!b.text->reserve(byte_count)) return signal_error0(cx, Qmemory_full);
  if (&b == buffers(cx).current) TRY(record_insert_re(cx, at.chars, char_count));
  if (!b.text->insert(at, bytes, byte_count, char_count, (flags & kInsertBeforeMarkers) != 0)) {
    return signal_error0(cx, Qmemory_full);
  }
  overlay_text_inserted(b, at.chars, char_count);
  note_inserted_properties(cx, b, at, char_count, (flags & kInsertInherit) != 0);
  count_modification(b);
  return true;
}

Maybe<bool> delete_raw(Context& cx, Buffer& b, Pos from, Pos to, Value* deleted) {
  if (deleted != nullptr) *deleted = kNil;
  if (from.chars == to.chars) return true;
  const bool undo = undo_enabled(cx);
  if (undo || deleted != nullptr) {
    const Value text = TRY(buffer_substring(cx, b, from.chars, to.chars, true));
    if (deleted != nullptr) *deleted = text;
    if (undo) TRY(record_delete_re(cx, from.chars, text, true));
  }
  b.text->erase(from, to);
  b.text->properties.erase(from.chars - 1, to.chars - 1);
  count_modification(b);
  overlay_text_deleted(b, from.chars, to.chars - from.chars);
  TRY(evaporate_overlays_re(cx, b, from.chars));
  return true;
}

// ---- insertion ---------------------------------------------------------------------------------------------

Maybe<bool> insert_bytes_re(Context& cx, std::string_view bytes, std::int64_t chars, unsigned flags) {
  if (bytes.empty()) return true;
  const auto* p = reinterpret_cast<const std::uint8_t*>(bytes.data());
  auto n = static_cast<std::int64_t>(bytes.size());
  bool multibyte;
  {
    Buffer& b = current_buffer(cx);
    multibyte = b.multibyte();
    if (chars < 0) chars = multibyte ? text::count_chars(p, n) : n;
    TRY(prepare_change_re(cx, b.point.chars, b.point.chars));
  }
  Buffer& b = current_buffer(cx);
  std::string other;
  if (b.multibyte() != multibyte) {  // the hooks have done that
    other = recode(bytes, multibyte, b.multibyte(), &chars);
    p = reinterpret_cast<const std::uint8_t*>(other.data());
    n = static_cast<std::int64_t>(other.size());
  }
  const Pos at = b.point;
  TRY(insert_raw(cx, b, at, p, n, chars, flags));
  b.point = {at.chars + chars, at.bytes + n};
  TRY(announce_change_re(cx, at.chars, 0, chars));
  return true;
}

Maybe<bool> insert_string_re(Context& cx, Value string, std::int64_t from, std::int64_t to, unsigned flags) {
  if (from >= to) return true;
  {
    const Pos p = current_buffer(cx).point;
    TRY(prepare_change_re(cx, p.chars, p.chars));
  }
  // The hooks may have switched buffers or changed the string.
  Buffer& b = current_buffer(cx);
  to = std::min(to, string_chars(string));
  if (from >= to) return true;
  const std::int64_t from_byte = string_char_to_byte(string, from);
  const std::int64_t to_byte = string_char_to_byte(string, to);
  const std::string_view part =
      string_view_of(string).substr(static_cast<std::size_t>(from_byte), static_cast<std::size_t>(to_byte - from_byte));
  const Pos at = b.point;
  const std::int64_t chars = to - from;
  std::int64_t bytes = to_byte - from_byte;
  if (string_multibyte(string) == b.multibyte() || bytes == chars) {
    bool ascii = true;
    if (string_multibyte(string) != b.multibyte())
      for (const char c : part) ascii = ascii && static_cast<std::uint8_t>(c) < 0x80;
    if (ascii) {
      TRY(insert_raw(cx, b, at, reinterpret_cast<const std::uint8_t*>(part.data()), bytes, chars, flags));
    } else {
      std::int64_t n = 0;
      const std::string other = recode(part, string_multibyte(string), b.multibyte(), &n);
      bytes = static_cast<std::int64_t>(other.size());
      TRY(insert_raw(cx, b, at, reinterpret_cast<const std::uint8_t*>(other.data()), bytes, chars, flags));
    }
  } else {
    std::int64_t n = 0;
    const std::string other = recode(part, string_multibyte(string), b.multibyte(), &n);
    bytes = static_cast<std::int64_t>(other.size());
    TRY(insert_raw(cx, b, at, reinterpret_cast<const std::uint8_t*>(other.data()), bytes, chars, flags));
  }
  if (!string_raw(string)->properties.is_nil()) {
    const Value inherited = (flags & kInsertInherit) != 0 ? b.text->properties.find(at.chars - 1).value : kNil;
    for (const PropertyRun& r : string_runs(string, from, to)) {
      const Value plist = inherited.is_nil() ? copy_plist(cx, r.plist) : merge_inherited(cx, r.plist, inherited);
      b.text->properties.replace(at.chars - 1 + r.start, at.chars - 1 + r.end, plist);
    }
  }
  b.point = {at.chars + chars, at.bytes + bytes};
  TRY(announce_change_re(cx, at.chars, 0, chars));
  return true;
}

Maybe<bool> insert_string_re(Context& cx, Value string, unsigned flags) {
  return insert_string_re(cx, string, 0, string_chars(string), flags);
}

Maybe<bool> insert_text_re(Context& cx, std::string_view utf8) {
  return insert_string_re(cx, TRY(make_string(cx, utf8)));
}

Maybe<bool> insert_char_re(Context& cx, int c, std::int64_t count, unsigned flags) {
  if (count <= 0) return true;
  constexpr std::int64_t kMost = std::int64_t{1} << 40;
  if (count > kMost) return error_text(cx, "Maximum buffer size exceeded");
  TRY(ensure_memory(cx, static_cast<std::uint64_t>(count)));
  std::uint8_t unit[text::kMaxBytesPerChar];
  int length = 1;
  if (current_buffer(cx).multibyte()) {
    length = text::encode_char(c, unit);
  } else {
    unit[0] = static_cast<std::uint8_t>(c & 0xFF);
  }
  // In pieces, so that a quit gets through and hooks see moderate changes.
  constexpr std::int64_t kPieceBytes = 4000;
  const std::int64_t per_piece = std::min(count, kPieceBytes / length);
  std::string piece;
  for (std::int64_t i = 0; i < per_piece; ++i)
    piece.append(reinterpret_cast<const char*>(unit), static_cast<std::size_t>(length));
  while (count > 0) {
    TRY(check_quit(cx));
    const std::int64_t n = std::min(count, per_piece);
    TRY(insert_bytes_re(cx, std::string_view(piece).substr(0, static_cast<std::size_t>(n * length)), n, flags));
    count -= n;
  }
  return true;
}

Maybe<bool> insert_from_buffer_re(Context& cx, Buffer& source, std::int64_t from, std::int64_t to) {
  if (from >= to) return true;
  const Value text = TRY(buffer_substring(cx, source, from, to, true));
  return insert_string_re(cx, text);
}

// ---- deletion ------------------------------------------------------------------------------------------------

static Maybe<bool> delete_range_re(Context& cx, std::int64_t from, std::int64_t to, Value* deleted) {
  if (deleted != nullptr) *deleted = TRY(make_unibyte_string(cx, ""));
  if (from >= to) return true;
  TRY(prepare_change_re(cx, from, to));
  Buffer& b = current_buffer(cx);
  from = std::clamp(from, b.begin.chars, b.end.chars);
  to = std::clamp(to, from, b.end.chars);
  if (from == to) return true;
  TRY(delete_raw(cx, b, b.text->at_char(from), b.text->at_char(to), deleted));
  TRY(announce_change_re(cx, from, to - from, 0));
  return true;
}

Maybe<bool> delete_region_re(Context& cx, std::int64_t from, std::int64_t to) {
  return delete_range_re(cx, from, to, nullptr);
}

Value delete_and_extract_re(Context& cx, std::int64_t from, std::int64_t to) {
  Value deleted = kNil;
  TRY(delete_range_re(cx, from, to, &deleted));
  return deleted;
}

// ---- replacement ------------------------------------------------------------------------------------------------

Maybe<bool> replace_range_re(Context& cx, std::int64_t from, std::int64_t to, Value string, bool inherit,
                             Marker* end_marker) {
  TRY(prepare_change_re(cx, from, to));
  Buffer& b = current_buffer(cx);
  from = std::clamp(from, b.begin.chars, b.end.chars);
  to = std::clamp(to, from, b.end.chars);
  const std::int64_t inserted = string_chars(string);
  std::int64_t counted = inserted;
  const std::string bytes = string_multibyte(string) == b.multibyte()
                                ? std::string(string_view_of(string))
                                : recode(string_view_of(string), string_multibyte(string), b.multibyte(), &counted);
  if (undo_enabled(cx) && to > from) {
    const Value old = TRY(buffer_substring(cx, b, from, to, true));
    TRY(record_insert_re(cx, to, inserted));
    TRY(record_delete_re(cx, from, old, false));
  } else if (inserted > 0) {
    TRY(record_insert_re(cx, from, inserted));
  }
  const Pos start = b.text->at_char(from);
  const Pos stop = b.text->at_char(to);
  const std::int64_t old_point = b.point.chars;
  // Markers of either kind inside of the old text go to its start, those at its end stay behind the new text.
  std::vector<Marker*> inside;
  std::vector<Marker*> behind;
  for (Marker* m : b.text->markers)
    if (m->pos.chars >= from && m->pos.chars <= to) (m->pos.chars < to ? inside : behind).push_back(m);
  b.text->erase(start, stop);
  b.text->properties.erase(from - 1, to - 1);
  overlay_text_deleted(b, from, to - from);
  if (!bytes.empty()) {
    if (!b.text->insert(start, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                        static_cast<std::int64_t>(bytes.size()), inserted, false)) {
      return signal_error0(cx, Qmemory_full);
    }
    overlay_text_inserted(b, from, inserted);
    note_inserted_properties(cx, b, start, inserted, inherit);
    if (!string_raw(string)->properties.is_nil()) {
      const Value inherited = inherit ? b.text->properties.find(from - 1).value : kNil;
      for (const PropertyRun& r : string_runs(string, 0, inserted)) {
        const Value plist = inherited.is_nil() ? copy_plist(cx, r.plist) : merge_inherited(cx, r.plist, inherited);
        b.text->properties.replace(from - 1 + r.start, from - 1 + r.end, plist);
      }
    }
  }
  const Pos end = {start.chars + inserted, start.bytes + static_cast<std::int64_t>(bytes.size())};
  for (Marker* m : inside) m->pos = start;
  for (Marker* m : behind) m->pos = end;
  // Point behind the start goes behind the new text when it was inside the old one.
  if (old_point > from && old_point <= to) b.point = end;
  count_modification(b);
  TRY(evaporate_overlays_re(cx, b, from));
  if (end_marker != nullptr) attach_marker(*end_marker, b, end, false);
  TRY(announce_change_re(cx, from, to - from, inserted));
  return true;
}

// ---- extraction --------------------------------------------------------------------------------------------------

Value buffer_substring(Context& cx, Buffer& b, std::int64_t from, std::int64_t to, bool with_properties) {
  const Pos start = b.text->at_char(from);
  const Pos stop = b.text->at_char(to);
  const std::int64_t bytes = stop.bytes - start.bytes;
  const Value s = TRY(make_string_raw(cx, to - from, bytes, b.multibyte()));
  if (bytes > 0) {
    std::uint8_t* out = string_raw(s)->data;
    const text::Cursor c = b.cursor();
    const std::int64_t first = std::clamp<std::int64_t>(c.first_bytes - (start.bytes - 1), 0, bytes);
    if (first > 0) std::memcpy(out, c.first + (start.bytes - 1), static_cast<std::size_t>(first));
    if (first < bytes) std::memcpy(out + first, c.at(start.bytes - 1 + first), static_cast<std::size_t>(bytes - first));
  }
  if (with_properties && from < to && !b.text->properties.empty()) {
    std::vector<PropertyRun> runs;
    for (std::int64_t i = from - 1; i < to - 1;) {
      const text::IntervalTree::Run r = b.text->properties.find(i);
      const std::int64_t end = std::min(r.end, to - 1);
      if (!r.value.is_nil()) runs.push_back({i - (from - 1), end - (from - 1), copy_plist(cx, r.value)});
      i = end;
    }
    set_string_runs(cx, s, runs);
  }
  return s;
}

}  // namespace neomacs::host
