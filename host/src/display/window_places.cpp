// Places and sizes of windows that only a screen could tell more of (window.c, xdisp.c, keyboard.c).
#include <algorithm>
#include <cmath>

#include "display/display.hpp"

namespace neomacs::host {

NEOVM_PRIMITIVE(coordinates_in_window_p, "coordinates-in-window-p", 2, 2, kMainOnly, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return the place of COORDINATES in the text of WINDOW, the part they are in, or nil.")
(Context& cx, Value coordinates, Value window) {
  const Value w = TRY(decode_live_window(cx, window));
  if (!coordinates.is_cons()) return wrong_type(cx, Qconsp, coordinates);
  const double x = TRY(number_as_double(cx, car_raw(coordinates)));
  const double y = TRY(number_as_double(cx, cdr_raw(coordinates)));
  const WindowData& d = window_data(w);
  if (!(x >= d.left && x < d.left + d.width && y >= d.top && y < d.top + d.height)) return kNil;
  const auto column = static_cast<std::int64_t>(x) - d.left;
  const auto line = static_cast<std::int64_t>(y) - d.top;
  const Value body = TRY(funcall_re(cx, intern(cx, "window-body-height"), {w}));
  const Value header = TRY(funcall_re(cx, intern(cx, "window-header-line-height"), {w}));
  if (line >= header.as_fixnum() + body.as_fixnum()) return intern(cx, "mode-line");
  if (line < header.as_fixnum()) return intern(cx, "header-line");
  const bool border = d.left + d.width < frame_data(window_slot(w, kWindowFrame)).width;
  if (border && column == d.width - 1) return intern(cx, "vertical-line");
  return cons(cx, Value::fixnum(column), Value::fixnum(line - header.as_fixnum()));
}

NEOVM_PRIMITIVE(window_text_width, "window-text-width", 0, 2, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the width of WINDOW with its border, without its margins.")
(Context& cx, Value window, Value) {
  const Value w = TRY(decode_live_window(cx, window));
  std::int64_t columns = window_data(w).width;
  for (const WindowSlot margin : {kWindowLeftMargin, kWindowRightMargin})
    if (window_slot(w, margin).is_fixnum()) columns -= window_slot(w, margin).as_fixnum();
  return Value::fixnum(std::max<std::int64_t>(0, columns));
}

NEOVM_PRIMITIVE(window_text_height, "window-text-height", 0, 2, kMainOnly, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return the height of WINDOW's text area.")
(Context& cx, Value window, Value) {
  return funcall_re(cx, intern(cx, "window-body-height"), { TRY(decode_live_window(cx, window)) });
}

NEOVM_PRIMITIVE(line_pixel_height, "line-pixel-height", 0, 0, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the height in pixels of the line of point; a cell is one pixel high.")
(Context&) { return Value::fixnum(1); }

// ---- what redisplay left behind ------------------------------------------------------------------------------

NEOVM_PRIMITIVE(window_line_height, "window-line-height", 0, 2, kMainOnly, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the height of a line of WINDOW on the screen, nil when it is not there.")
(Context& cx, Value, Value window) {
  TRY(decode_live_window(cx, window));
  return kNil;
}

NEOVM_PRIMITIVE(window_lines_pixel_dimensions, "window-lines-pixel-dimensions", 0, 6, kMainOnly, kStateRead, kNoGc,
                kNoReentry, kDeterministic, "Return the sizes of WINDOW's lines on the screen, nil when nothing is.")
(Context& cx, Value window, Value, Value, Value, Value, Value) {
  TRY(decode_live_window(cx, window));
  return kNil;
}

#define NEOVM_WINDOW_OLD(id, name, decode, value, doc)                                           \
  NEOVM_PRIMITIVE(id, name, 0, 1, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic, doc) \
  (Context & cx, Value window) {                                                                 \
    const Value w = TRY(decode(cx, window));                                                     \
    return value;                                                                                \
  }
NEOVM_WINDOW_OLD(window_old_pixel_height, "window-old-pixel-height", decode_valid_window,
                 Value::fixnum(window_data(w).old_height), "Return WINDOW's height in pixels at its last redisplay.")
NEOVM_WINDOW_OLD(window_old_pixel_width, "window-old-pixel-width", decode_valid_window,
                 Value::fixnum(window_data(w).old_width), "Return WINDOW's width in pixels at its last redisplay.")
NEOVM_WINDOW_OLD(window_old_body_pixel_height, "window-old-body-pixel-height", decode_live_window,
                 Value::fixnum(window_data(w).old_body_height),
                 "Return the height in pixels of WINDOW's text area at its last redisplay.")
NEOVM_WINDOW_OLD(window_old_body_pixel_width, "window-old-body-pixel-width", decode_live_window,
                 Value::fixnum(window_data(w).old_body_width),
                 "Return the width in pixels of WINDOW's text area at its last redisplay.")
NEOVM_WINDOW_OLD(window_old_buffer, "window-old-buffer", decode_live_window, window_slot(w, kWindowOldBuffer),
                 "Return the buffer that WINDOW showed at its last redisplay.")
#undef NEOVM_WINDOW_OLD

NEOVM_PRIMITIVE(posn_at_point, "posn-at-point", 0, 2, kMainOnly, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return the place of POS on the screen, nil when it is not there.")
(Context& cx, Value position, Value window) {
  TRY(decode_live_window(cx, window));
  if (position.truthy()) TRY(position_argument(cx, position));
  return kNil;
}

NEOVM_PRIMITIVE(window_bump_use_time, "window-bump-use-time", 0, 1, kMainOnly, kStateWrite, kNoGc, kNoReentry,
                kDeterministic, "Mark WINDOW as the one used last.")
(Context& cx, Value window) {
  window_data(TRY(decode_live_window(cx, window))).use_time = ++display(cx).use_count;
  return kNil;
}

NEOVM_PRIMITIVE(resize_mini_window_internal, "resize-mini-window-internal", 1, 1, kMainOnly, kStateWrite, kMayGc,
                kNoReentry, kDeterministic, "Resize the minibuffer window WINDOW; this terminal's cannot be.")
(Context& cx, Value window) {
  if (!is_live_window(window)) return wrong_type(cx, Qwindow_live_p, window);
  if (!window_data(window).mini) return error_text(cx, "Not a valid minibuffer window");
  return error_text(cx, "Cannot resize mini window");
}

NEOVM_PRIMITIVE(set_window_scroll_bars, "set-window-scroll-bars", 1, 6, kMainOnly, kStateWrite, kNoGc, kNoReentry,
                kDeterministic, "Set WINDOW's scroll bars; without a graphic display nothing changes.")
(Context& cx, Value window, Value, Value, Value, Value, Value) {
  TRY(decode_live_window(cx, window));
  return kNil;
}

// ---- frames ----------------------------------------------------------------------------------------------------

NEOVM_PRIMITIVE(set_frame_position, "set-frame-position", 3, 3, kMainOnly, kStateWrite, kNoGc, kNoReentry,
                kDeterministic, "Put FRAME at column X and line Y of its display; a terminal's stays.")
(Context& cx, Value frame, Value x, Value y) {
  TRY(decode_live_frame(cx, frame));
  if (!is_integer(x)) return wrong_type(cx, Qintegerp, x);
  if (!is_integer(y)) return wrong_type(cx, Qintegerp, y);
  return Qt;
}

NEOVM_PRIMITIVE(x_focus_frame, "x-focus-frame", 1, 2, kMainOnly, kStateWrite, kNoGc, kNoReentry, kDeterministic,
                "Give FRAME the input focus of its window system; there is none.")
(Context&, Value, Value) { return kNil; }

NEOVM_PRIMITIVE(set_was_invisible, "frame--set-was-invisible", 2, 2, kMainOnly, kStateWrite, kNoGc, kNoReentry,
                kDeterministic, "Note whether FRAME was made invisible; return WAS-INVISIBLE as t or nil.")
(Context& cx, Value frame, Value was_invisible) {
  TRY(decode_live_frame(cx, frame));
  return boolean(was_invisible.truthy());
}

NEOVM_PRIMITIVE(track_mouse, "internal--track-mouse", 1, 1, kMainOnly, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Call BODYFUN with mouse movement reported; there is no mouse.")
(Context& cx, Value function) { return funcall_re(cx, function, {}); }

NEOVM_PRIMITIVE(handle_focus_in, "internal-handle-focus-in", 1, 1, kMainOnly, kStateWrite, kMayGc, kNoReentry,
                kDeterministic, "Handle the focus-in EVENT of a frame; the only frame has the focus.")
(Context& cx, Value event) {
  if (!event.is_cons() || car_raw(event) != intern(cx, "focus-in") || !cdr_raw(event).is_cons() ||
      !is_frame(car_raw(cdr_raw(event))))
    return error_text(cx, "invalid focus-in event");
  return kNil;
}

}  // namespace neomacs::host
