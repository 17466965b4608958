// Vertical motion over screen lines (indent.c). Where lines break was learned from what vertical-motion answers in batch.
#include "display/motion.hpp"

#include "edit/lines.hpp"
#include "textprop/textprop.hpp"

namespace neomacs::host {

namespace {

// Does W, which shows B, let long lines run over its edge?
bool truncates(Context& cx, Buffer& b, Value w) {
  const WindowData& d = window_data(w);
  if (d.hscroll > 0 || buffer_variable(cx, b, intern(cx, "truncate-lines")).truthy()) return true;
  if (d.width >= frame_data(window_slot(w, kWindowFrame)).width) return false;
  const Value partial = variable_value(cx, intern(cx, "truncate-partial-width-windows"));
  return partial.is_fixnum() ? d.width < partial.as_fixnum() : partial.truthy();
}

}  // namespace

ScreenLines::ScreenLines(Context& cx, Buffer& b, Value window) : cx_(cx), b_(b), measure_(column_measure(cx, b)) {
  if (!truncates(cx, b, window)) width_ = std::max(0, window_body_columns(window) - 1);
  const Value selective = buffer_variable(cx, b, Qselective_display);
  if (selective.is_fixnum() && selective.as_fixnum() > 0) selective_ = selective.as_fixnum();
  returns_end_ = selective == Qt;
}

bool ScreenLines::newline_hidden(Pos newline) {
  if (measure_.hides && is_hidden_at(cx_, b_, newline.chars)) return true;
  if (selective_ == 0) return false;
  std::int64_t indentation = 0;
  for (Pos p = b_.text->next(newline); p.chars < b_.end.chars && indentation < selective_; p = b_.text->next(p)) {
    const int c = b_.text->char_at(p);
    if (c != ' ' && c != '\t') break;
    indentation += c == ' ' ? 1 : measure_.tab - indentation % measure_.tab;
  }
  return indentation >= selective_;
}

bool ScreenLines::next(Start& at) {
  for (;;) {
    if (width_ > 0 && at.column > width_) {
      // A tab or a control character went over the edge; what is over stands at the start of the next screen line.
      const std::int64_t lines = (at.column - 1) / width_;
      at.column -= lines * width_;
      at.skipped += lines * width_;
      return true;
    }
    if (at.pos.chars >= b_.end.chars) return false;
    const int c = b_.text->char_at(at.pos);
    if (c == '\n') {
      const bool hidden = newline_hidden(at.pos);
      at.pos = b_.text->next(at.pos);
      if (hidden && selective_ > 0) at.pos = line_end(b_, at.pos);
      if (hidden) continue;
      at.column = at.skipped = 0;
      return true;
    }
    if (c == '\r' && returns_end_) {
      at.pos = line_end(b_, at.pos);
      continue;
    }
    if (measure_.hides && is_hidden_at(cx_, b_, at.pos.chars)) {
      at.pos = b_.text->next(at.pos);
      continue;
    }
    const std::int64_t columns =
        c == '\t' ? measure_.tab - (at.column + at.skipped) % measure_.tab : char_columns(measure_, c);
    // Wide characters are not cut in two.
    const bool whole = c >= 0x80 && measure_.multibyte && columns > 1 && at.column > 0;
    if (width_ > 0 && (at.column == width_ || (whole && at.column + columns > width_))) {
      at.column = 0;
      at.skipped += width_;
      return true;
    }
    at.column += columns;
    at.pos = b_.text->next(at.pos);
  }
}

Pos ScreenLines::visible_line_start(Pos from) {
  Pos start = line_start(b_, from);
  while (start.chars > b_.begin.chars) {
    const Pos newline = b_.text->previous(start);
    if (!newline_hidden(newline)) break;
    start = line_start(b_, newline);
  }
  return start;
}

std::vector<ScreenLines::Start> ScreenLines::starts_until(Pos line, Pos last) {
  std::vector<Start> starts = {{line, 0, 0}};
  if (width_ == 0) return starts;
  for (Start at = starts[0]; next(at) && at.pos.chars <= last.chars;) starts.push_back(at);
  return starts;
}

Pos ScreenLines::move(Pos from, std::int64_t count, std::int64_t* moved) {
  std::int64_t missing = 0;
  if (width_ == 0 && selective_ == 0 && !returns_end_ && !measure_.hides) {
    const Pos to =
        count <= 0 ? move_lines(b_, from, count, &missing) : after_newlines(b_, from, b_.end, count, &missing);
    *moved = count <= 0 ? count + missing : count - missing;
    return to;
  }
  Pos line = visible_line_start(from);
  std::vector<Start> starts = starts_until(line, from);
  if (count > 0) {
    Start at = starts.back();
    for (*moved = 0; *moved < count; ++*moved)
      if (!next(at)) return b_.end;
    return at.pos;
  }
  missing = -count;
  std::int64_t above = static_cast<std::int64_t>(starts.size()) - 1;
  while (above < missing) {
    missing -= above;
    if (line.chars <= b_.begin.chars) {
      *moved = count + missing;
      return b_.begin;
    }
    const Pos newline = b_.text->previous(line);
    line = visible_line_start(newline);
    starts = starts_until(line, newline);
    above = static_cast<std::int64_t>(starts.size()) - 1;
    --missing;  // into this line's last
  }
  *moved = count;
  return starts[static_cast<std::size_t>(above - missing)].pos;
}

NEOVM_PRIMITIVE(vertical_motion, "vertical-motion", 1, 3, kWorkerSafe, kStateWrite, kMayGc, kNoReentry, kDeterministic,
                "Move to the start of the screen line LINES down in WINDOW; return how many lines that was.")
(Context& cx, Value lines, Value window, Value /*current_column*/) {
  // (COLUMN . LINES): without a display the column is not looked for.
  if (lines.is_cons()) {
    if (!is_number(car_raw(lines))) return wrong_type(cx, Qnumberp, car_raw(lines));
    lines = cdr_raw(lines);
  }
  const std::int64_t n = TRY(fixnum_argument(cx, lines));
  const Value w = TRY(decode_live_window(cx, window));
  Buffer& b = current_buffer(cx);
  std::int64_t moved = 0;
  set_point(b, ScreenLines(cx, b, w).move(b.point, n, &moved));
  return Value::fixnum(moved);
}

NEOVM_PRIMITIVE(line_is_continued_p, "display--line-is-continued-p", 0, 0, kMainOnly, kStateRead, kMayGc, kNoReentry,
                kDeterministic, "Return t if the line of point goes on below its screen line in the selected window.")
(Context& cx) {
  Buffer& b = current_buffer(cx);
  const Value w = display(cx).selected_window.get();
  if (window_slot(w, kWindowContents) != b.self) return kNil;
  std::int64_t moved = 0;
  const Pos below = ScreenLines(cx, b, w).move(b.point, 1, &moved);
  return boolean(moved == 1 && below.chars <= line_end(b, b.point).chars);
}

}  // namespace neomacs::host
