// Changing characters in place, exchanging regions, comparing buffers (editfns.c).
#include <algorithm>
#include <string>

#include "buffer/overlay.hpp"
#include "edit/edit.hpp"
#include "edit/undo.hpp"
#include "textprop/textprop.hpp"

namespace neomacs::host {

int downcase_char(Context& cx, int c);

// ---- comparing -------------------------------------------------------------------------------------------------

namespace {

struct Stretch {
  Buffer* buffer;
  std::int64_t from;
  std::int64_t to;
};

Maybe<Stretch> stretch_argument(Context& cx, Value buffer, Value start, Value end) {
  Buffer* b = &current_buffer(cx);
  if (!buffer.is_nil()) {
    b = TRY(buffer_or_name(cx, buffer));
    if (!b->live) return error_text(cx, "Selecting deleted buffer");
  }
  std::int64_t from = start.is_nil() ? b->begin.chars : TRY(position_argument(cx, start));
  std::int64_t to = end.is_nil() ? b->end.chars : TRY(position_argument(cx, end));
  if (from > to) std::swap(from, to);
  if (from < b->begin.chars || to > b->end.chars) return args_out_of_range(cx, start, end);
  return Stretch{b, from, to};
}

// Unibyte text compares as if it were multibyte.
int comparable_char(const Buffer& b, int c) {
  return b.multibyte() || c < 0x80 ? c : text::raw_byte_to_char(static_cast<unsigned>(c));
}

}  // namespace

NEOVM_PRIMITIVE(compare_buffer_substrings, "compare-buffer-substrings", 6, 6, kWorkerSafe, kStateRead, kNoGc,
                kNoReentry, kDeterministic,
                "Compare two stretches of buffers: 0 when equal, else signed 1 + the number of equal characters.")
(Context& cx, Value buffer1, Value start1, Value end1, Value buffer2, Value start2, Value end2) {
  const Stretch a = TRY(stretch_argument(cx, buffer1, start1, end1));
  const Stretch b = TRY(stretch_argument(cx, buffer2, start2, end2));
  const bool fold = variable_true(cx, Qcase_fold_search);
  Pos p = a.buffer->text->at_char(a.from);
  Pos q = b.buffer->text->at_char(b.from);
  std::int64_t equal_chars = 0;
  while (p.chars < a.to && q.chars < b.to) {
    int c = comparable_char(*a.buffer, a.buffer->text->char_at(p));
    int d = comparable_char(*b.buffer, b.buffer->text->char_at(q));
    if (c != d && fold) {
      c = downcase_char(cx, c);
      d = downcase_char(cx, d);
    }
    if (c != d) return Value::fixnum(c < d ? -(equal_chars + 1) : equal_chars + 1);
    ++equal_chars;
    if ((equal_chars & 0xFFFF) == 0) TRY(check_quit(cx));
    p = a.buffer->text->next(p);
    q = b.buffer->text->next(q);
  }
  if (p.chars < a.to) return Value::fixnum(equal_chars + 1);
  if (q.chars < b.to) return Value::fixnum(-(equal_chars + 1));
  return Value::fixnum(0);
}

// ---- in-place substitution -------------------------------------------------------------------------------------------

NEOVM_PRIMITIVE(subst_char_in_region, "subst-char-in-region", 4, 5, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic,
                "Replace FROMCHAR by TOCHAR from START to END; NOUNDO: leave no undo record and no modified mark.")
(Context& cx, Value start, Value end, Value fromchar, Value tochar, Value noundo) {
  const Region r = TRY(region_arguments(cx, start, end));
  const int from = TRY(character_argument(cx, fromchar));
  const int to = TRY(character_argument(cx, tochar));
  std::uint8_t old_unit[text::kMaxBytesPerChar];
  std::uint8_t new_unit[text::kMaxBytesPerChar];
  int n = 1;
  bool impossible = false;
  if (current_buffer(cx).multibyte()) {
    n = text::encode_char(from, old_unit);
    if (text::encode_char(to, new_unit) != n) {
      return error_text(cx, "Characters in ‘subst-char-in-region’ have different byte-lengths");
    }
  } else {
    old_unit[0] = static_cast<std::uint8_t>(from);
    new_unit[0] = static_cast<std::uint8_t>(to);
    impossible = from > 255 || to > 255;
  }
  if (impossible) return kNil;
  std::int64_t first_change = -1;
  std::int64_t last_change = 0;
  std::int64_t end_limit = r.end;
  Pos p = current_buffer(cx).text->at_char(r.start);
  while (p.chars < end_limit) {
    Buffer& b = current_buffer(cx);
    bool hit = b.text->lead(p) == old_unit[0];
    for (int i = 1; hit && i < n; ++i) hit = b.text->lead({p.chars, p.bytes + i}) == old_unit[i];
    if (!hit) {
      p = b.text->next(p);
      continue;
    }
    if (first_change < 0) {
      first_change = p.chars;
      TRY(prepare_change_re(cx, p.chars, end_limit));
      Buffer& now = current_buffer(cx);  // hooks may have edited
      end_limit = std::min(end_limit, now.end.chars);
      if (p.chars >= end_limit) break;
      p = now.text->at_char(p.chars);
      first_change = -2 - p.chars;  // recheck this place once
    }
    Buffer& now = current_buffer(cx);
    if (first_change < -1) {
      first_change = -2 - first_change;
      if (noundo.truthy()) {
        if (now.text->modified - 1 == now.text->saved) now.text->saved++;
      }
      bool still = now.text->lead(p) == old_unit[0];
      for (int i = 1; still && i < n; ++i) still = now.text->lead({p.chars, p.bytes + i}) == old_unit[i];
      if (!still) {
        p = now.text->next(p);
        continue;
      }
      const bool unmodified = now.text->modified <= now.text->saved;
      if (noundo.is_nil()) {
        TRY(record_change_re(cx, p.chars, TRY(buffer_substring(cx, now, p.chars, p.chars + 1, true))));
      }
      count_modification(now);
      if (noundo.truthy() && unmodified) now.text->saved = now.text->modified;
    } else {
      if (noundo.is_nil()) {
        TRY(record_change_re(cx, p.chars, TRY(buffer_substring(cx, now, p.chars, p.chars + 1, true))));
      }
    }
    now.text->overwrite(p.bytes, new_unit, n);
    last_change = p.chars + 1;
    p = now.text->next(p);
  }
  if (first_change > 0 && last_change > 0) {
    TRY(announce_change_re(cx, first_change, last_change - first_change, last_change - first_change));
  }
  return kNil;
}

NEOVM_PRIMITIVE(translate_region_internal, "translate-region-internal", 3, 3, kWorkerSafe, kStateWrite, kMayGc,
                kReenters, kDeterministic,
                "Translate the characters from START to END by TABLE (string or char-table); return how many changed.")
(Context& cx, Value start, Value end, Value table) {
  const Region r = TRY(region_arguments(cx, start, end));
  const bool by_string = table.is_string();
  if (!by_string && !(is_char_table(table) && slot_raw(table, kCharTablePurpose) == Qtranslation_table)) {
    return error_text(cx, "Not a translation table");
  }
  const std::int64_t size = by_string ? string_chars(table) : 0;
  std::int64_t count = 0;
  std::int64_t limit = r.end;
  std::int64_t p = r.start;
  while (p < limit) {
    Buffer& b = current_buffer(cx);
    const Pos at = b.text->at_char(p);
    int c = b.text->char_at(at);
    if (!b.multibyte() && c >= 0x80 && !by_string) c = text::raw_byte_to_char(static_cast<unsigned>(c));
    if (by_string) {
      // A byte table maps raw bytes too.
      int index = c;
      if (!string_multibyte(table) && text::is_raw_byte_char(c)) index = text::char_to_raw_byte(c);
      if (index >= size) {
        ++p;
        continue;
      }
      int to = string_char_raw(table, index);
      if (!string_multibyte(table) && to >= 0x80 && b.multibyte())
        to = text::raw_byte_to_char(static_cast<unsigned>(to));
      if (to == c) {
        ++p;
        continue;
      }
      std::uint8_t unit[text::kMaxBytesPerChar];
      int n = 1;
      if (b.multibyte()) {
        n = text::encode_char(to, unit);
      } else {
        unit[0] = static_cast<std::uint8_t>(to & 0xFF);
      }
      const int old_n = b.multibyte() ? text::char_bytes(c) : 1;
      if (n != old_n) {
        const Value s = b.multibyte()
            ? TRY(make_multibyte_string(
                  cx, std::string_view(reinterpret_cast<const char*>(unit), static_cast<std::size_t>(n)), 1))
                                      : TRY(make_unibyte_string(cx, std::string_view(reinterpret_cast<const char*>(unit), 1)));
                                      TRY(replace_range_re(cx, p, p + 1, s, true));
      } else {
        TRY(prepare_change_re(cx, p, p + 1));
        Buffer& now = current_buffer(cx);
        TRY(record_change_re(cx, p, TRY(buffer_substring(cx, now, p, p + 1, true))));
        now.text->overwrite(now.text->byte_of(p), unit, n);
        count_modification(now);
        TRY(announce_change_re(cx, p, 1, 1));
      }
      ++count;
      ++p;
      continue;
    }
    const Value v = char_table_get(table, c);
    if (is_character(v)) {
      if (static_cast<int>(v.as_fixnum()) == c) {
        ++p;
        continue;
      }
      std::uint8_t unit[text::kMaxBytesPerChar];
      const int n = text::encode_char(static_cast<int>(v.as_fixnum()), unit);
      const Value s = TRY(make_multibyte_string(
          cx, std::string_view(reinterpret_cast<const char*>(unit), static_cast<std::size_t>(n)), 1));
      if (b.multibyte() && n == text::char_bytes(c)) {
        TRY(prepare_change_re(cx, p, p + 1));
        Buffer& now = current_buffer(cx);
        TRY(record_change_re(cx, p, TRY(buffer_substring(cx, now, p, p + 1, true))));
        now.text->overwrite(now.text->byte_of(p), unit, n);
        count_modification(now);
        TRY(announce_change_re(cx, p, 1, 1));
      } else {
        TRY(replace_range_re(cx, p, p + 1, s, true));
      }
      ++count;
      ++p;
    } else if (is_vector(v)) {  // a string of characters instead
      std::string text;
      for (std::int64_t i = 0; i < slot_count_raw(v); ++i) {
        const int item = TRY(character_argument(cx, slot_raw(v, i)));
        std::uint8_t unit[text::kMaxBytesPerChar];
        text.append(reinterpret_cast<const char*>(unit), static_cast<std::size_t>(text::encode_char(item, unit)));
      }
      const Value s = TRY(make_multibyte_string(cx, text));
      TRY(replace_range_re(cx, p, p + 1, s, true));
      ++count;
      p += slot_count_raw(v);
      limit += slot_count_raw(v) - 1;
    } else if (v.is_cons()) {  // (([CHAR …] . REPLACEMENT) …): the first that matches here
      bool replaced = false;
      Value alternatives = v;
      if (is_vector(car_raw(v))) alternatives = list(cx, {v});
      for (Value l = alternatives; l.is_cons() && !replaced; l = cdr_raw(l)) {
        const Value entry = car_raw(l);
        if (!entry.is_cons() || !is_vector(car_raw(entry))) continue;
        const Value from = car_raw(entry);
        const std::int64_t n = slot_count_raw(from);
        if (n == 0 || p + n > limit) continue;
        bool match = true;
        for (std::int64_t i = 0; match && i < n; ++i) {
          match = slot_raw(from, i) == Value::fixnum(b.text->char_at(b.text->at_char(p + i)));
        }
        if (!match) continue;
        std::string text;
        std::int64_t length = 0;
        const Value to = cdr_raw(entry);
        const auto add = [&](int c2) {
          std::uint8_t unit[text::kMaxBytesPerChar];
          text.append(reinterpret_cast<const char*>(unit), static_cast<std::size_t>(text::encode_char(c2, unit)));
          ++length;
        };
        if (is_vector(to)) {
          for (std::int64_t i = 0; i < slot_count_raw(to); ++i) add(TRY(character_argument(cx, slot_raw(to, i))));
        } else {
          add(TRY(character_argument(cx, to)));
        }
        const Value s = TRY(make_multibyte_string(cx, text));
        TRY(replace_range_re(cx, p, p + n, s, true));
        ++count;
        p += length;
        limit += length - n;
        replaced = true;
      }
      if (!replaced) ++p;
    } else {
      ++p;
    }
    limit = std::min(limit, current_buffer(cx).end.chars);
  }
  return Value::fixnum(count);
}

// ---- transposing ------------------------------------------------------------------------------------------------------

NEOVM_COMMAND(
    transpose_regions, "transpose-regions", 4, 5, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
    "(if (< (length mark-ring) 2) (error \"Other region must be marked before transposing two regions\") (let* "
    "((num (if current-prefix-arg (prefix-numeric-value current-prefix-arg) 0)) (ring-length (length "
    "mark-ring)) (eltnum (mod num ring-length)) (eltnum2 (mod (1+ num) ring-length))) (list (point) (mark) "
    "(elt mark-ring eltnum) (elt mark-ring eltnum2))))",
    "Exchange the text between STARTR1 and ENDR1 with that between STARTR2 and ENDR2.")
(Context& cx, Value startr1, Value endr1, Value startr2, Value endr2, Value leave_markers) {
  Region a = TRY(region_arguments(cx, startr1, endr1));
  Region b = TRY(region_arguments(cx, startr2, endr2));
  if (b.start < a.start) std::swap(a, b);
  if (a.end > b.start) return error_text(cx, "Transposed regions overlap");
  const std::int64_t n1 = a.end - a.start;
  const std::int64_t n2 = b.end - b.start;
  if ((n1 == 0 || n2 == 0) && a.end == b.start) return kNil;
  if (n1 == 0 && n2 == 0) return kNil;
  const std::int64_t from = a.start;
  const std::int64_t to = b.end;
  TRY(prepare_change_re(cx, from, to));
  Buffer& buffer = current_buffer(cx);
  if (buffer.end.chars < to) return kNil;
  const Value first = TRY(buffer_substring(cx, buffer, a.start, a.end, true));
  const Value middle = TRY(buffer_substring(cx, buffer, a.end, b.start, true));
  const Value second = TRY(buffer_substring(cx, buffer, b.start, b.end, true));
  const bool same_length = n1 == n2 && string_bytes(first) == string_bytes(second);
  if (undo_enabled(cx)) {
    if (same_length && a.end != b.start) {
      TRY(record_change_re(cx, a.start, first));
      TRY(record_change_re(cx, b.start, second));
    } else {
      TRY(record_change_re(cx, from, TRY(buffer_substring(cx, buffer, from, to, true))));
    }
  }
  std::string bytes(string_view_of(second));
  bytes += string_view_of(middle);
  bytes += string_view_of(first);
  const std::int64_t from_byte = buffer.text->byte_of(from);
  // Where a place inside the regions goes.
  const auto moved = [&](std::int64_t p) {
    if (p < from || p >= to) return p;
    if (p < a.end) return p + n2 + (b.start - a.end);
    if (p < b.start) return p + n2 - n1;
    return p - n1 - (b.start - a.end);
  };
  const std::int64_t old_point = buffer.point.chars;
  std::vector<std::int64_t> marks;
  for (const Marker* m : buffer.text->markers) marks.push_back(m->pos.chars);
  buffer.text->contiguous(from_byte, buffer.text->byte_of(to));  // the gap must not split a new character
  buffer.text->overwrite(from_byte, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                         static_cast<std::int64_t>(bytes.size()));
  // Characters of other lengths changed places: every position inside is stale.
  text::IntervalTree& tree = buffer.text->properties;
  if (!tree.empty()) {
    tree.replace(from - 1, to - 1, kNil);
    const auto put = [&](std::int64_t at, Value s) {
      for (const PropertyRun& r : string_runs(s, 0, string_chars(s))) {
        tree.replace(at - 1 + r.start, at - 1 + r.end, copy_plist(cx, r.plist));
      }
    };
    put(from, second);
    put(from + n2, middle);
    put(b.end - n1, first);
  }
  buffer.text->reseat_positions(from, to);
  if (leave_markers.is_nil()) {
    for (std::size_t i = 0; i < marks.size(); ++i) {
      Marker* m = buffer.text->markers[i];
      const std::int64_t p = moved(marks[i]);
      if (p != marks[i]) m->pos = buffer.text->at_char(p);
    }
    set_point(buffer, buffer.text->at_char(moved(old_point)));
    fix_overlay_order(buffer, from, to);
  }
  count_modification(buffer);
  if (same_length && a.end != b.start) count_modification(buffer);
  TRY(announce_change_re(cx, from, to - from, to - from));
  return kNil;
}

// ---- replace-buffer-contents ---------------------------------------------------------------------------------------------

NEOVM_COMMAND(
    replace_buffer_contents, "replace-buffer-contents", 1, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters,
    kDeterministic, "bSource buffer: ",
    "Make the accessible text equal to that of SOURCE, changing no more than needed; t unless limits were hit.")
(Context& cx, Value source_value, Value max_secs, Value max_costs) {
  if (!is_buffer(source_value) && !source_value.is_string()) return wrong_type(cx, Qstringp, source_value);
  Buffer* source = TRY(buffer_or_name(cx, source_value));
  if (!source->live) return error_text(cx, "Selecting deleted buffer");
  Buffer& target = current_buffer(cx);
  if (source == &target) return error_text(cx, "Cannot replace a buffer with itself");
  if (!max_secs.is_nil() && !is_number(max_secs)) return error_text(cx, "Invalid time specification");
  if (!max_costs.is_nil() && !is_integer(max_costs)) return wrong_type(cx, Qintegerp, max_costs);
  // Common text at both ends stays; between them, a longest-common-subsequence walk when it is affordable.
  std::vector<int> a;
  std::vector<int> b;
  for (Pos p = target.begin; p.chars < target.end.chars; p = target.text->next(p)) {
    a.push_back(comparable_char(target, target.text->char_at(p)));
  }
  for (Pos p = source->begin; p.chars < source->end.chars; p = source->text->next(p)) {
    b.push_back(comparable_char(*source, source->text->char_at(p)));
  }
  std::size_t head = 0;
  while (head < a.size() && head < b.size() && a[head] == b[head]) ++head;
  std::size_t tail = 0;
  while (tail < a.size() - head && tail < b.size() - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  const std::size_t n = a.size() - head - tail;
  const std::size_t m = b.size() - head - tail;
  const std::int64_t a0 = target.begin.chars + static_cast<std::int64_t>(head);
  const std::int64_t b0 = source->begin.chars + static_cast<std::int64_t>(head);
  const Buffer* source_buffer = source;
  struct Piece {
    std::size_t a_from, a_to, b_from, b_to;
  };
  std::vector<Piece> pieces;
  constexpr std::size_t kAffordable = std::size_t{4} << 20;
  if (n != 0 && m != 0 && n * m <= kAffordable) {
    std::vector<std::uint32_t> table((n + 1) * (m + 1));
    const auto at = [&](std::size_t i, std::size_t j) -> std::uint32_t& { return table[i * (m + 1) + j]; };
    for (std::size_t i = n; i-- > 0;)
      for (std::size_t j = m; j-- > 0;)
        at(i, j) = a[head + i] == b[head + j] ? at(i + 1, j + 1) + 1 : std::max(at(i + 1, j), at(i, j + 1));
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < n || j < m) {
      if (i < n && j < m && a[head + i] == b[head + j]) {
        ++i;
        ++j;
        continue;
      }
      Piece piece{i, i, j, j};
      while ((i < n || j < m) && !(i < n && j < m && a[head + i] == b[head + j] && at(i, j) == at(i + 1, j + 1) + 1)) {
        if (j >= m || (i < n && at(i + 1, j) >= at(i, j + 1))) {
          ++i;
        } else {
          ++j;
        }
      }
      piece.a_to = i;
      piece.b_to = j;
      pieces.push_back(piece);
    }
  } else if (n != 0 || m != 0) {
    pieces.push_back({0, n, 0, m});
  }
  if (pieces.empty()) return Qt;
  (void)source_buffer;
  const Value source_self = source->self;
  const Pos old_point = target.point;
  const Value point_marker = make_marker(cx, &target, old_point);
  // Back to front, so that earlier positions stay valid.
  for (std::size_t k = pieces.size(); k-- > 0;) {
    const Piece& p = pieces[k];
    Buffer& s = buffer_raw(source_self);
    if (!s.live) break;
    const std::int64_t from = a0 + static_cast<std::int64_t>(p.a_from);
    const std::int64_t to = a0 + static_cast<std::int64_t>(p.a_to);
    if (p.a_to > p.a_from) TRY(delete_region_re(cx, from, to));
    if (p.b_to > p.b_from) {
      Buffer& now = current_buffer(cx);
      set_point(now, clip(now, from));
      TRY(insert_from_buffer_re(cx, s, b0 + static_cast<std::int64_t>(p.b_from),
                                b0 + static_cast<std::int64_t>(p.b_to)));
    }
  }
  Buffer& now = current_buffer(cx);
  if (const Marker* mk = marker_raw(point_marker)) set_point(now, clip(now, mk->pos.chars));
  detach_marker(point_marker);
  return Qt;
}

}  // namespace neomacs::host
