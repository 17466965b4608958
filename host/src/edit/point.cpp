// Point, narrowing, and the characters around them (editfns.c, cmds.c).
#include <algorithm>

#include "buffer/buffer.hpp"
#include "edit/edit.hpp"

namespace neomacs::host {

NEOVM_PRIMITIVE(point, "point", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the value of point.")
(Context& cx) { return Value::fixnum(current_buffer(cx).point.chars); }

NEOVM_PRIMITIVE(point_marker, "point-marker", 0, 0, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return a new marker at point.")
(Context& cx) {
  Buffer& b = current_buffer(cx);
  return make_marker(cx, &b, b.point);
}

NEOVM_PRIMITIVE(point_min, "point-min", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the start of the accessible portion.")
(Context& cx) { return Value::fixnum(current_buffer(cx).begin.chars); }

NEOVM_PRIMITIVE(point_min_marker, "point-min-marker", 0, 0, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return a new marker at the start of the accessible portion.")
(Context& cx) {
  Buffer& b = current_buffer(cx);
  return make_marker(cx, &b, b.begin);
}

NEOVM_PRIMITIVE(point_max, "point-max", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the end of the accessible portion.")
(Context& cx) { return Value::fixnum(current_buffer(cx).end.chars); }

NEOVM_PRIMITIVE(point_max_marker, "point-max-marker", 0, 0, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return a new marker at the end of the accessible portion.")
(Context& cx) {
  Buffer& b = current_buffer(cx);
  return make_marker(cx, &b, b.end);
}

NEOVM_COMMAND(goto_char, "goto-char", 1, 1, kWorkerSafe, kStateWrite, kNoGc, kNoReentry, kDeterministic,
              "(goto-char--read-natnum-interactive \"Go to char: \")", "Set point to POSITION and return POSITION.")
(Context& cx, Value position) {
  Buffer& b = current_buffer(cx);
  // Elsewhere an integer that is too large means the end; goto-char wants a fixnum.
  if (is_bignum(position)) return wrong_type(cx, Qinteger_or_marker_p, position);
  if (is_marker(position)) {
    const Marker* m = marker_raw(position);
    if (m != nullptr && m->buffer->text == b.text) {
      set_point(b, m->pos.chars < b.begin.chars ? b.begin : m->pos.chars > b.end.chars ? b.end : m->pos);
      return position;
    }
  }
  set_point(b, clip(b, TRY(position_argument(cx, position))));
  return position;
}

NEOVM_PRIMITIVE(buffer_size, "buffer-size", 0, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the number of characters of BUFFER, narrowed or not.")
(Context& cx, Value buffer) { return Value::fixnum(TRY(buffer_or_current(cx, buffer))->text->end().chars - 1); }

NEOVM_PRIMITIVE(following_char, "following-char", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the character after point, 0 at the end.")
(Context& cx) {
  Buffer& b = current_buffer(cx);
  return Value::fixnum(b.point.chars >= b.end.chars ? 0 : b.text->char_at(b.point));
}

NEOVM_PRIMITIVE(preceding_char, "preceding-char", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the character before point, 0 at the beginning.")
(Context& cx) {
  Buffer& b = current_buffer(cx);
  return Value::fixnum(b.point.chars <= b.begin.chars ? 0 : b.text->char_at(b.text->previous(b.point)));
}

NEOVM_PRIMITIVE(bobp, "bobp", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return t if point is at the beginning of the accessible portion.")
(Context& cx) { return boolean(current_buffer(cx).point == current_buffer(cx).begin); }

NEOVM_PRIMITIVE(eobp, "eobp", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return t if point is at the end of the accessible portion.")
(Context& cx) { return boolean(current_buffer(cx).point == current_buffer(cx).end); }

NEOVM_PRIMITIVE(bolp, "bolp", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return t if point is at the beginning of a line.")
(Context& cx) {
  Buffer& b = current_buffer(cx);
  return boolean(b.point == b.begin || b.text->char_at(b.text->previous(b.point)) == '\n');
}

NEOVM_PRIMITIVE(eolp, "eolp", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return t if point is at the end of a line.")
(Context& cx) {
  Buffer& b = current_buffer(cx);
  return boolean(b.point == b.end || b.text->lead(b.point) == '\n');
}

NEOVM_PRIMITIVE(char_after, "char-after", 0, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the character at POS (default point), nil outside the accessible portion.")
(Context& cx, Value pos) {
  Buffer& b = current_buffer(cx);
  const std::int64_t p = pos.is_nil() ? b.point.chars : TRY(position_argument(cx, pos));
  if (p < b.begin.chars || p >= b.end.chars) return kNil;
  return Value::fixnum(b.text->char_at(p == b.point.chars ? b.point : b.text->at_char(p)));
}

NEOVM_PRIMITIVE(char_before, "char-before", 0, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the character before POS (default point), nil outside the accessible portion.")
(Context& cx, Value pos) {
  Buffer& b = current_buffer(cx);
  const std::int64_t p = pos.is_nil() ? b.point.chars : TRY(position_argument(cx, pos));
  if (p <= b.begin.chars || p > b.end.chars) return kNil;
  const Pos at = p == b.point.chars ? b.point : b.text->at_char(p);
  return Value::fixnum(b.text->char_at(b.text->previous(at)));
}

NEOVM_PRIMITIVE(position_bytes, "position-bytes", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the byte position of character position POSITION, nil outside the text.")
(Context& cx, Value position) {
  const std::int64_t p = TRY(position_argument(cx, position));
  Buffer& b = current_buffer(cx);
  if (p < 1 || p > b.text->end().chars) return kNil;
  return Value::fixnum(b.text->byte_of(p));
}

NEOVM_PRIMITIVE(byte_to_position, "byte-to-position", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the character position of byte position BYTEPOS, nil outside the text.")
(Context& cx, Value bytepos) {
  const std::int64_t p = TRY(fixnum_argument(cx, bytepos));
  Buffer& b = current_buffer(cx);
  const Pos end = b.text->end();
  if (p < 1 || p > end.bytes) return kNil;
  std::int64_t at = p;
  const text::Cursor c = b.cursor();
  if (b.multibyte() && at < end.bytes)
    while (at > 1 && text::is_continuation(c.byte(at - 1))) --at;
  return Value::fixnum(b.text->char_of(at));
}

NEOVM_PRIMITIVE(gap_position, "gap-position", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the position of the gap of the current buffer.")
(Context& cx) { return Value::fixnum(current_buffer(cx).text->gap_position()); }

NEOVM_PRIMITIVE(gap_size, "gap-size", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the size of the gap of the current buffer in bytes.")
(Context& cx) { return Value::fixnum(current_buffer(cx).text->gap_size()); }

// ---- motion by characters ------------------------------------------------------------------------------------------

static Value move_chars(Context& cx, Value n, std::int64_t sign) {
  std::int64_t count = 1;
  if (!n.is_nil()) count = TRY(fixnum_argument(cx, n));
  Buffer& b = current_buffer(cx);
  const std::int64_t target = b.point.chars + sign * count;
  if (target < b.begin.chars) {
    set_point(b, b.begin);
    return signal_error0(cx, Qbeginning_of_buffer);
  }
  if (target > b.end.chars) {
    set_point(b, b.end);
    return signal_error0(cx, Qend_of_buffer);
  }
  set_point(b, b.text->at_char(target));
  return kNil;
}

NEOVM_COMMAND(forward_char, "forward-char", 0, 1, kWorkerSafe, kStateWrite, kNoGc, kNoReentry, kDeterministic, "^p",
              "Move point N characters forward.")
(Context& cx, Value n) { return move_chars(cx, n, 1); }

NEOVM_COMMAND(backward_char, "backward-char", 0, 1, kWorkerSafe, kStateWrite, kNoGc, kNoReentry, kDeterministic, "^p",
              "Move point N characters backward.")
(Context& cx, Value n) { return move_chars(cx, n, -1); }

// ---- narrowing, mark -------------------------------------------------------------------------------------------------

NEOVM_COMMAND(widen, "widen", 0, 0, kWorkerSafe, kStateWrite, kNoGc, kNoReentry, kDeterministic, "",
              "Make the whole text accessible.")
(Context& cx) {
  Buffer& b = current_buffer(cx);
  b.begin = {};
  b.end = b.text->end();
  return kNil;
}

NEOVM_COMMAND(narrow_to_region, "narrow-to-region", 2, 2, kWorkerSafe, kStateWrite, kNoGc, kNoReentry, kDeterministic,
              "r", "Make only the text between START and END accessible.")
(Context& cx, Value start, Value end) {
  std::int64_t from = TRY(position_argument(cx, start));
  std::int64_t to = TRY(position_argument(cx, end));
  if (to < from) std::swap(from, to);
  Buffer& b = current_buffer(cx);
  if (from < 1 || to > b.text->end().chars) return args_out_of_range(cx, start, end);
  b.begin = b.text->at_char(from);
  b.end = b.text->at_char(to);
  if (b.point.chars < from) set_point(b, b.begin);
  if (b.point.chars > to) set_point(b, b.end);
  return kNil;
}

NEOVM_PRIMITIVE(mark_marker, "mark-marker", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the marker of the current buffer's mark.")
(Context& cx) { return current_buffer(cx).mark; }

static Value region_limit(Context& cx, bool beginning) {
  BufferState& s = buffers(cx);
  Buffer& b = *s.current;
  if (variable_true(cx, Qtransient_mark_mode) && variable_value(cx, Qmark_even_if_inactive).is_nil() &&
      buffer_slot_raw(b, s.slot_mark_active).is_nil()) {
    return signal_error0(cx, Qmark_inactive);
  }
  const Marker* m = marker_raw(b.mark);
  if (m == nullptr) return error_text(cx, "The mark is not set now, so there is no region");
  const std::int64_t mark = std::clamp(m->pos.chars, b.begin.chars, b.end.chars);
  return Value::fixnum(beginning ? std::min(mark, b.point.chars) : std::max(mark, b.point.chars));
}

NEOVM_PRIMITIVE(region_beginning, "region-beginning", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the smaller of point and mark.")
(Context& cx) { return region_limit(cx, true); }

NEOVM_PRIMITIVE(region_end, "region-end", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the larger of point and mark.")
(Context& cx) { return region_limit(cx, false); }

}  // namespace neomacs::host
