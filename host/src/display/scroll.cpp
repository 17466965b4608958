// Scrolling windows without a screen (window.c).
//
// Nothing was ever drawn, so point is never taken to be on the screen: as batch Emacs does, scrolling first centres the
// window around point and then moves its start.
#include <algorithm>

#include "display/motion.hpp"
#include "edit/lines.hpp"

namespace neomacs::host {

namespace {

Maybe<std::int64_t> body_lines(Context& cx, Value w) {
  const Value height = TRY(funcall_re(cx, intern(cx, "window-body-height"), {w}));
  return std::max<std::int64_t>(1, height.as_fixnum());
}

Maybe<std::int64_t> prefix_number(Context& cx, Value raw) {
  const Value n = TRY(funcall_re(cx, intern(cx, "prefix-numeric-value"), {raw}));
  return std::clamp<std::int64_t>(n.as_fixnum(), INT32_MIN, INT32_MAX);
}

Pos lines_from(Context& cx, Value w, Pos from, std::int64_t lines) {
  std::int64_t moved = 0;
  return ScreenLines(cx, current_buffer(cx), w).move(from, lines, &moved);
}

Value set_start_re(Context& cx, Value w, Pos start) {
  return funcall_re(cx, intern(cx, "set-window-start"), {w, Value::fixnum(start.chars)});
}

// Moves the text of W, whose buffer is current and whose point is that buffer's, LINES up (negative: down).
Value scroll_here_re(Context& cx, Value w, std::int64_t lines) {
  const std::int64_t height = TRY(body_lines(cx, w));
  Buffer& b = current_buffer(cx);
  const Pos centred = lines_from(cx, w, b.point, -(height / 2));
  if (lines < 0 && centred.chars <= b.begin.chars) return signal_error0(cx, intern(cx, "beginning-of-buffer"));
  const Pos start = lines_from(cx, w, centred, lines);
  if (lines > 0 && start.chars >= b.end.chars) return signal_error0(cx, intern(cx, "end-of-buffer"));
  if (b.point.chars < start.chars) {
    set_point(b, start);
  } else if (const Pos last = lines_from(cx, w, start, height - 1); line_end(b, last).chars < b.point.chars) {
    set_point(b, last);
  }
  return set_start_re(cx, w, start);
}

// ARG as scroll-up takes it: nil is a screenful, `-' one in the other direction, else so many lines. SIGN is -1 for down.
Value scroll_re(Context& cx, Value w, Value arg, int sign) {
  std::int64_t lines = 0;
  if (arg.is_nil() || arg == Qminus) {
    const Value kept = variable_value(cx, intern(cx, "next-screen-context-lines"));
    const std::int64_t height = TRY(body_lines(cx, w));
    lines = std::max<std::int64_t>(1, height - (kept.is_fixnum() ? kept.as_fixnum() : 0));
    if (arg == Qminus) lines = -lines;
  } else {
    lines = TRY(prefix_number(cx, arg));
  }
  lines *= sign;
  const Value before = host_hooks(cx).current_buffer(cx);
  const bool selected = w == display(cx).selected_window.get();
  TRY(funcall_re(cx, Qset_buffer, {window_slot(w, kWindowContents)}));
  const Value old_point = TRY(funcall_re(cx, Qpoint, {}));
  if (!selected) TRY(funcall_re(cx, Qgoto_char, {window_slot(w, kWindowPoint)}));
  const Value result = scroll_here_re(cx, w, lines);
  if (!selected) {
    const Value moved = Value::fixnum(current_buffer(cx).point.chars);
    const Value restored = funcall_re(cx, Qgoto_char, {old_point});
    if (!result.is_exit()) TRY(funcall_re(cx, intern(cx, "set-window-point"), {w, moved}));
    TRY(restored);
  }
  if (result.is_exit()) {
    set_current_buffer(cx, buffer_raw(before));
    return result;
  }
  TRY(funcall_re(cx, Qset_buffer, {before}));
  return kNil;
}

Value scroll_columns_re(Context& cx, Value arg, int sign) {
  const Value w = display(cx).selected_window.get();
  std::int64_t columns = 0;
  if (arg.is_nil()) {
    columns = TRY(funcall_re(cx, intern(cx, "window-body-width"), {w}))
    .as_fixnum() - 2;
  } else {
    columns = TRY(prefix_number(cx, arg));
  }
  const std::int64_t wanted = std::max<std::int64_t>(0, window_data(w).hscroll + sign * columns);
  return funcall_re(cx, intern(cx, "set-window-hscroll"), {w, Value::fixnum(wanted)});
}

// The window that `scroll-other-window` scrolls.
Value other_window_re(Context& cx) {
  const Value selected = display(cx).selected_window.get();
  const Value for_minibuffer = variable_value(cx, intern(cx, "minibuffer-scroll-window"));
  Value w = kNil;
  if (window_data(selected).mini && is_live_window(for_minibuffer)) {
    w = for_minibuffer;
  } else if (const Value buffer = variable_value(cx, intern(cx, "other-window-scroll-buffer"));
             host_hooks(cx).is_buffer(buffer)) {
    w = TRY(funcall_re(cx, intern(cx, "get-buffer-window"), {buffer, kNil}));
    if (w.is_nil()) w = TRY(funcall_re(cx, intern(cx, "display-buffer"), {buffer, Qt}));
  } else {
    w = TRY(funcall_re(cx, intern(cx, "next-window"), {selected, kNil, kNil}));
  }
  if (!is_live_window(w)) return wrong_type(cx, Qwindow_live_p, w);
  if (w == selected) return error_text(cx, "There is no other window");
  return w;
}

}  // namespace

NEOVM_COMMAND(scroll_up, "scroll-up", 0, 1, kMainOnly, kStateWrite, kMayGc, kReenters, kDeterministic, "^P",
              "Scroll the text of the selected window up by ARG lines, or nearly a screenful.")
(Context& cx, Value arg) { return scroll_re(cx, display(cx).selected_window.get(), arg, 1); }

NEOVM_COMMAND(scroll_down, "scroll-down", 0, 1, kMainOnly, kStateWrite, kMayGc, kReenters, kDeterministic, "^P",
              "Scroll the text of the selected window down by ARG lines, or nearly a screenful.")
(Context& cx, Value arg) { return scroll_re(cx, display(cx).selected_window.get(), arg, -1); }

NEOVM_PRIMITIVE(other_window_for_scrolling, "other-window-for-scrolling", 0, 0, kMainOnly, kStateRead, kMayGc,
                kReenters, kDeterministic, "Return the window that `scroll-other-window' scrolls.")
(Context& cx) { return other_window_re(cx); }

NEOVM_COMMAND(scroll_other_window, "scroll-other-window", 0, 1, kMainOnly, kStateWrite, kMayGc, kReenters,
              kDeterministic, "P", "Scroll the text of another window up by ARG lines, or nearly a screenful.")
(Context& cx, Value arg) { return scroll_re(cx, TRY(other_window_re(cx)), arg, 1); }

NEOVM_COMMAND(scroll_other_window_down, "scroll-other-window-down", 0, 1, kMainOnly, kStateWrite, kMayGc, kReenters,
              kDeterministic, "P", "Scroll the text of another window down by ARG lines, or nearly a screenful.")
(Context& cx, Value arg) { return scroll_re(cx, TRY(other_window_re(cx)), arg, -1); }

NEOVM_COMMAND(scroll_left, "scroll-left", 0, 2, kMainOnly, kStateWrite, kMayGc, kReenters, kDeterministic, "^P\np",
              "Scroll the selected window ARG columns to the left; return its columns that are then hidden.")
(Context& cx, Value arg, Value) { return scroll_columns_re(cx, arg, 1); }

NEOVM_COMMAND(scroll_right, "scroll-right", 0, 2, kMainOnly, kStateWrite, kMayGc, kReenters, kDeterministic, "^P\np",
              "Scroll the selected window ARG columns to the right; return its columns that are then hidden.")
(Context& cx, Value arg, Value) { return scroll_columns_re(cx, arg, -1); }

NEOVM_COMMAND(
    recenter, "recenter", 0, 2, kMainOnly, kStateWrite, kMayGc, kReenters, kDeterministic, "P\np",
    "Make the selected window start so that point is on its line ARG (negative: from its end), or in the middle.")
(Context& cx, Value arg, Value) {
  const Value w = display(cx).selected_window.get();
  if (window_slot(w, kWindowContents) != host_hooks(cx).current_buffer(cx))
    return error_text(cx, "‘recenter’ing a window that does not display current-buffer.");
  const std::int64_t height = TRY(body_lines(cx, w));
  std::int64_t above = height / 2;
  if (arg.truthy() && !arg.is_cons()) {
    above = TRY(prefix_number(cx, arg));
    if (above < 0) above = std::max<std::int64_t>(0, height + above);
  }
  Buffer& b = current_buffer(cx);
  TRY(set_start_re(cx, w, lines_from(cx, w, b.point, -above)));
  return kNil;
}

NEOVM_COMMAND(move_to_window_line, "move-to-window-line", 1, 1, kMainOnly, kStateWrite, kMayGc, kReenters,
              kDeterministic, "P", "Put point on line ARG of the window (negative: from its end; nil: its middle).")
(Context& cx, Value arg) {
  const Value w = display(cx).selected_window.get();
  if (window_slot(w, kWindowContents) != host_hooks(cx).current_buffer(cx))
    return error_text(cx, "move-to-window-line called from unrelated buffer");
  const std::int64_t height = TRY(body_lines(cx, w));
  std::int64_t line = height / 2;
  if (arg.truthy()) {
    line = TRY(prefix_number(cx, arg));
    if (line < 0) line += height;
  }
  TRY(funcall_re(cx, Qgoto_char, { TRY(funcall_re(cx, intern(cx, "window-start"), {w})) }));
  return funcall_re(cx, intern(cx, "vertical-motion"), {Value::fixnum(line)});
}

}  // namespace neomacs::host
