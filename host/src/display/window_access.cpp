// Reading and setting the parts of a window. Sizes in characters; a character is one pixel here.
#include "display/display.hpp"

#include <algorithm>

namespace neomacs::host {
namespace {

Value fix(std::int64_t n) { return Value::fixnum(n); }

NEOVM_PRIMITIVE(windowp, "windowp", 1, 1, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return t when OBJECT is a window.")
(Context&, Value object) { return boolean(is_window(object)); }

NEOVM_PRIMITIVE(window_valid_p, "window-valid-p", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return t when OBJECT is a live or internal window.")
(Context&, Value object) { return boolean(is_valid_window(object)); }

NEOVM_PRIMITIVE(window_live_p, "window-live-p", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return t when OBJECT is a window that shows a buffer.")
(Context&, Value object) { return boolean(is_live_window(object)); }

NEOVM_PRIMITIVE(selected_window, "selected-window", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the selected window.")
(Context& cx) { return display(cx).selected_window.get(); }

NEOVM_PRIMITIVE(window_minibuffer_p, "window-minibuffer-p", 0, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return t when WINDOW is a minibuffer window.")
(Context& cx, Value window) {
  const Value w = TRY(decode_valid_window(cx, window));
  return boolean(window_data(w).mini);
}

NEOVM_PRIMITIVE(window_frame, "window-frame", 0, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the frame WINDOW is on.")
(Context& cx, Value window) {
  const Value w = TRY(decode_valid_window(cx, window));
  return window_slot(w, kWindowFrame);
}

NEOVM_PRIMITIVE(window_buffer, "window-buffer", 0, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the buffer WINDOW shows, nil for an internal or deleted window.")
(Context& cx, Value window) {
  const Value w = TRY(decode_any_window(cx, window));
  return is_live_window(w) ? window_slot(w, kWindowContents) : kNil;
}

NEOVM_PRIMITIVE(pos_visible_in_window_p, "pos-visible-in-window-p", 0, 3, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return whether position POS is on the screen in WINDOW: nil, there being no screen.")
(Context& cx, Value pos, Value window, Value) {
  TRY(decode_live_window(cx, window));
  if (pos.is_nil() || pos == Qt || is_integer(pos)) return kNil;
  if (host_hooks(cx).is_marker == nullptr || !host_hooks(cx).is_marker(pos))
    return wrong_type(cx, Qinteger_or_marker_p, pos);
  const Value position = TRY(funcall_re(cx, intern(cx, "marker-position"), {pos}));
  if (position.is_nil()) return error_text(cx, "Marker does not point anywhere");
  return kNil;
}

NEOVM_PRIMITIVE(window_parent, "window-parent", 0, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return WINDOW's parent window.")
(Context& cx, Value window) {
  const Value w = TRY(decode_valid_window(cx, window));
  return window_slot(w, kWindowParent);
}

Value child_along(Context& cx, Value window, bool horizontal) {
  const Value w = TRY(decode_valid_window(cx, window));
  return window_data(w).horizontal == horizontal ? first_child(w) : kNil;
}

NEOVM_PRIMITIVE(window_top_child, "window-top-child", 0, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the topmost child of a vertical combination.")
(Context& cx, Value window) { return child_along(cx, window, false); }

NEOVM_PRIMITIVE(window_left_child, "window-left-child", 0, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the leftmost child of a horizontal combination.")
(Context& cx, Value window) { return child_along(cx, window, true); }

NEOVM_PRIMITIVE(window_next_sibling, "window-next-sibling", 0, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return WINDOW's next sibling.")
(Context& cx, Value window) {
  const Value w = TRY(decode_valid_window(cx, window));
  return window_slot(w, kWindowNext);
}

NEOVM_PRIMITIVE(window_prev_sibling, "window-prev-sibling", 0, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return WINDOW's previous sibling.")
(Context& cx, Value window) {
  const Value w = TRY(decode_valid_window(cx, window));
  return window_slot(w, kWindowPrevious);
}

// ---- plain slots: reader and writer ------------------------------------------------------------------

#define NEOVM_WINDOW_SLOT_READER(id, name, slot, decode, doc)                                      \
  NEOVM_PRIMITIVE(id, name, 0, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic, doc) \
  (Context & cx, Value window) {                                                                   \
    const Value w = TRY(decode(cx, window));                                                       \
    return window_slot(w, slot);                                                                   \
  }

NEOVM_PRIMITIVE(window_combination_limit, "window-combination-limit", 1, 1, kMainOnly, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the combination limit of WINDOW, which is no leaf.")
(Context& cx, Value window) {
  if (!is_valid_window(window)) return wrong_type(cx, Qwindow_valid_p, window);
  if (is_live_window(window)) return error_text(cx, "Combination limit is meaningful for internal windows only");
  return window_slot(window, kWindowCombinationLimit);
}
NEOVM_WINDOW_SLOT_READER(window_prev_buffers, "window-prev-buffers", kWindowPrevBuffers, decode_live_window,
                         "Return the buffers shown earlier in WINDOW.")
NEOVM_WINDOW_SLOT_READER(window_next_buffers, "window-next-buffers", kWindowNextBuffers, decode_live_window,
                         "Return the buffers to be shown next in WINDOW.")
NEOVM_WINDOW_SLOT_READER(window_dedicated_p, "window-dedicated-p", kWindowDedicated, decode_live_window,
                         "Return non-nil when WINDOW is dedicated to its buffer.")
NEOVM_WINDOW_SLOT_READER(window_display_table, "window-display-table", kWindowDisplayTable, decode_live_window,
                         "Return WINDOW's display table.")
NEOVM_WINDOW_SLOT_READER(window_redisplay_end_trigger, "window-redisplay-end-trigger", kWindowRedisplayEnd,
                         decode_live_window, "Return WINDOW's redisplay end trigger.")
NEOVM_WINDOW_SLOT_READER(window_parameters, "window-parameters", kWindowParameters, decode_valid_window,
                         "Return WINDOW's parameters.")
NEOVM_WINDOW_SLOT_READER(window_new_pixel, "window-new-pixel", kWindowNewPixel, decode_valid_window,
                         "Return WINDOW's new pixel size.")
NEOVM_WINDOW_SLOT_READER(window_new_total, "window-new-total", kWindowNewTotal, decode_valid_window,
                         "Return WINDOW's new total size.")
NEOVM_WINDOW_SLOT_READER(window_new_normal, "window-new-normal", kWindowNewNormal, decode_valid_window,
                         "Return WINDOW's new normal size.")
#undef NEOVM_WINDOW_SLOT_READER

#define NEOVM_WINDOW_SLOT_WRITER(id, name, slot, decode, doc)                                       \
  NEOVM_PRIMITIVE(id, name, 2, 2, kWorkerSafe, kStateWrite, kNoGc, kNoReentry, kDeterministic, doc) \
  (Context & cx, Value window, Value v) {                                                           \
    const Value w = TRY(decode(cx, window));                                                        \
    set_window_slot(w, slot, v);                                                                    \
    return v;                                                                                       \
  }

NEOVM_PRIMITIVE(set_window_combination_limit, "set-window-combination-limit", 2, 2, kWorkerSafe, kStateWrite, kMayGc,
                kNoReentry, kDeterministic, "Set the combination limit of WINDOW, which is no leaf, to LIMIT.")
(Context& cx, Value window, Value limit) {
  if (!is_valid_window(window)) return wrong_type(cx, Qwindow_valid_p, window);
  if (is_live_window(window)) return error_text(cx, "Combination limit is meaningful for internal windows only");
  set_window_slot(window, kWindowCombinationLimit, limit);
  return limit;
}

NEOVM_WINDOW_SLOT_WRITER(set_window_prev_buffers, "set-window-prev-buffers", kWindowPrevBuffers, decode_live_window,
                         "Set the buffers shown earlier in WINDOW.")
NEOVM_WINDOW_SLOT_WRITER(set_window_next_buffers, "set-window-next-buffers", kWindowNextBuffers, decode_live_window,
                         "Set the buffers to be shown next in WINDOW.")
NEOVM_WINDOW_SLOT_WRITER(set_window_dedicated_p, "set-window-dedicated-p", kWindowDedicated, decode_live_window,
                         "Mark WINDOW as dedicated to its buffer according to FLAG.")
NEOVM_WINDOW_SLOT_WRITER(set_window_display_table, "set-window-display-table", kWindowDisplayTable, decode_live_window,
                         "Set WINDOW's display table.")
NEOVM_WINDOW_SLOT_WRITER(set_window_redisplay_end_trigger, "set-window-redisplay-end-trigger", kWindowRedisplayEnd,
                         decode_live_window, "Set WINDOW's redisplay end trigger.")
#undef NEOVM_WINDOW_SLOT_WRITER

NEOVM_PRIMITIVE(window_parameter, "window-parameter", 2, 2, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return WINDOW's value for PARAMETER.")
(Context& cx, Value window, Value parameter) {
  const Value w = TRY(decode_any_window(cx, window));
  const Value entry = assq(parameter, window_slot(w, kWindowParameters));
  return entry.is_nil() ? kNil : cdr_raw(entry);
}

NEOVM_PRIMITIVE(set_window_parameter, "set-window-parameter", 3, 3, kWorkerSafe, kStateWrite, kMayGc, kNoReentry,
                kDeterministic, "Set WINDOW's value of PARAMETER to VALUE.")
(Context& cx, Value window, Value parameter, Value v) {
  const Value w = TRY(decode_any_window(cx, window));
  const Value entry = assq(parameter, window_slot(w, kWindowParameters));
  if (entry.is_nil()) {
    set_window_slot(w, kWindowParameters, cons(cx, cons(cx, parameter, v), window_slot(w, kWindowParameters)));
  } else {
    set_cdr_raw(entry, v);
  }
  return v;
}

NEOVM_PRIMITIVE(window_normal_size, "window-normal-size", 0, 2, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return WINDOW's normal height, or width when HORIZONTAL.")
(Context& cx, Value window, Value horizontal) {
  const Value w = TRY(decode_valid_window(cx, window));
  return window_slot(w, horizontal.truthy() ? kWindowNormalColumns : kWindowNormalLines);
}

Value set_new_size(Context& cx, Value window, Value size, Value add, WindowSlot slot) {
  const Value w = TRY(decode_valid_window(cx, window));
  const std::int64_t base = add.truthy() ? window_slot(w, slot).as_fixnum() : 0;
  if (slot == kWindowNewPixel) {
    if (!is_integer(size)) return wrong_type(cx, Qintegerp, size);
    if (!size.is_fixnum() || size.as_fixnum() < -base || size.as_fixnum() > INT32_MAX - base)
      return args_out_of_range(cx, size, fix(-base), fix(INT32_MAX - base));
  }
  if (!size.is_fixnum()) return wrong_type(cx, Qfixnump, size);
  set_window_slot(w, slot, fix(base + size.as_fixnum()));
  return window_slot(w, slot);
}

NEOVM_PRIMITIVE(set_window_new_pixel, "set-window-new-pixel", 2, 3, kWorkerSafe, kStateWrite, kMayGc, kNoReentry,
                kDeterministic, "Set (or ADD to) WINDOW's new pixel size.")
(Context& cx, Value window, Value size, Value add) { return set_new_size(cx, window, size, add, kWindowNewPixel); }

NEOVM_PRIMITIVE(set_window_new_total, "set-window-new-total", 2, 3, kWorkerSafe, kStateWrite, kMayGc, kNoReentry,
                kDeterministic, "Set (or ADD to) WINDOW's new total size.")
(Context& cx, Value window, Value size, Value add) { return set_new_size(cx, window, size, add, kWindowNewTotal); }

NEOVM_PRIMITIVE(set_window_new_normal, "set-window-new-normal", 1, 2, kWorkerSafe, kStateWrite, kNoGc, kNoReentry,
                kDeterministic, "Set WINDOW's new normal size.")
(Context& cx, Value window, Value size) {
  const Value w = TRY(decode_valid_window(cx, window));
  set_window_slot(w, kWindowNewNormal, size);
  return size;
}

// ---- geometry -----------------------------------------------------------------------------------------

// Lines taken by the mode line: none in the minibuffer or when the buffer has no mode line.
int mode_line_lines(Context& cx, Value w) {
  if (!is_live_window(w) || window_data(w).mini || window_data(w).height <= 1) return 0;
  const Value locals = host_hooks(cx).buffer_locals(cx, window_slot(w, kWindowContents));
  return locals.truthy() && variable_value_in(cx, Qmode_line_format, locals).truthy() ? 1 : 0;
}

int header_line_lines(Context& cx, Value w) {
  if (!is_live_window(w) || window_data(w).mini) return 0;
  const Value locals = host_hooks(cx).buffer_locals(cx, window_slot(w, kWindowContents));
  return locals.truthy() && variable_value_in(cx, Qheader_line_format, locals).truthy() &&
                 window_data(w).height > 1 + mode_line_lines(cx, w)
             ? 1
             : 0;
}

#define NEOVM_WINDOW_MEASURE(id, name, min, max, params, decode, expr, doc)                            \
  NEOVM_PRIMITIVE(id, name, min, max, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic, doc) \
  params {                                                                                             \
    const Value w = TRY(decode(cx, window));                                                           \
    [[maybe_unused]] const WindowData& d = window_data(w);                                             \
    return fix(expr);                                                                                  \
  }
// Without horizontal scroll bars GNU does not look at the argument.
NEOVM_PRIMITIVE(window_scroll_bar_height, "window-scroll-bar-height", 0, 1, kMainOnly, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the height of WINDOW's horizontal scroll bar.")
(Context&, Value) { return fix(0); }

#define NEOVM_ONE (Context & cx, Value window)
#define NEOVM_TWO (Context & cx, Value window, Value)

NEOVM_WINDOW_MEASURE(window_pixel_width, "window-pixel-width", 0, 1, NEOVM_ONE, decode_valid_window, d.width,
                     "Return WINDOW's width in pixels.")
NEOVM_WINDOW_MEASURE(window_pixel_height, "window-pixel-height", 0, 1, NEOVM_ONE, decode_valid_window, d.height,
                     "Return WINDOW's height in pixels.")
NEOVM_WINDOW_MEASURE(window_total_height, "window-total-height", 0, 2, NEOVM_TWO, decode_valid_window, d.height,
                     "Return WINDOW's height in lines.")
NEOVM_WINDOW_MEASURE(window_total_width, "window-total-width", 0, 2, NEOVM_TWO, decode_valid_window, d.width,
                     "Return WINDOW's width in columns.")
NEOVM_WINDOW_MEASURE(window_pixel_left, "window-pixel-left", 0, 1, NEOVM_ONE, decode_valid_window, d.left,
                     "Return WINDOW's left edge in pixels.")
NEOVM_WINDOW_MEASURE(window_pixel_top, "window-pixel-top", 0, 1, NEOVM_ONE, decode_valid_window, d.top,
                     "Return WINDOW's top edge in pixels.")
NEOVM_WINDOW_MEASURE(window_left_column, "window-left-column", 0, 1, NEOVM_ONE, decode_valid_window, d.left,
                     "Return WINDOW's left column.")
NEOVM_WINDOW_MEASURE(window_top_line, "window-top-line", 0, 1, NEOVM_ONE, decode_valid_window,
                     d.top + frame_data(window_slot(w, kWindowFrame)).line_shift, "Return WINDOW's top line.")
NEOVM_WINDOW_MEASURE(window_mode_line_height, "window-mode-line-height", 0, 1, NEOVM_ONE, decode_live_window,
                     mode_line_lines(cx, w), "Return the height of WINDOW's mode line.")
NEOVM_WINDOW_MEASURE(window_header_line_height, "window-header-line-height", 0, 1, NEOVM_ONE, decode_live_window,
                     header_line_lines(cx, w), "Return the height of WINDOW's header line.")
NEOVM_WINDOW_MEASURE(window_tab_line_height, "window-tab-line-height", 0, 1, NEOVM_ONE, decode_live_window, 0,
                     "Return the height of WINDOW's tab line.")
NEOVM_WINDOW_MEASURE(window_right_divider_width, "window-right-divider-width", 0, 1, NEOVM_ONE, decode_live_window, 0,
                     "Return the width of WINDOW's right divider.")
NEOVM_WINDOW_MEASURE(window_bottom_divider_width, "window-bottom-divider-width", 0, 1, NEOVM_ONE, decode_live_window, 0,
                     "Return the width of WINDOW's bottom divider.")
NEOVM_WINDOW_MEASURE(window_scroll_bar_width, "window-scroll-bar-width", 0, 1, NEOVM_ONE, decode_live_window, 0,
                     "Return the width of WINDOW's vertical scroll bar.")
NEOVM_WINDOW_MEASURE(window_body_height, "window-body-height", 0, 2, NEOVM_TWO, decode_live_window,
                     window_body_lines(cx, w), "Return the height of WINDOW's text area.")
NEOVM_WINDOW_MEASURE(window_hscroll, "window-hscroll", 0, 1, NEOVM_ONE, decode_live_window, d.hscroll,
                     "Return the columns WINDOW is scrolled left.")
NEOVM_WINDOW_MEASURE(window_vscroll, "window-vscroll", 0, 2, NEOVM_TWO, decode_live_window, d.vscroll,
                     "Return the amount WINDOW is scrolled within a line.")
NEOVM_WINDOW_MEASURE(window_use_time, "window-use-time", 0, 1, NEOVM_ONE, decode_live_window, d.use_time,
                     "Return when WINDOW was last selected.")
#undef NEOVM_WINDOW_MEASURE

}  // namespace

int window_body_lines(Context& cx, Value w) {
  return std::max(0, window_data(w).height - mode_line_lines(cx, w) - header_line_lines(cx, w));
}

int window_body_columns(Value w) {
  const WindowData& d = window_data(w);
  int columns = d.width;
  for (const WindowSlot margin : {kWindowLeftMargin, kWindowRightMargin})
    if (window_slot(w, margin).is_fixnum()) columns -= static_cast<int>(window_slot(w, margin).as_fixnum());
  // Windows not at the frame's right edge give one column to the vertical border.
  if (d.left + d.width < frame_data(window_slot(w, kWindowFrame)).width) --columns;
  return std::max(0, columns);
}

namespace {

NEOVM_PRIMITIVE(window_body_width, "window-body-width", 0, 2, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the width of WINDOW's text area.")
(Context& cx, Value window, Value) {
  const Value w = TRY(decode_live_window(cx, window));
  return fix(window_body_columns(w));
}

NEOVM_PRIMITIVE(set_window_hscroll, "set-window-hscroll", 2, 2, kWorkerSafe, kStateWrite, kNoGc, kNoReentry,
                kDeterministic, "Scroll WINDOW left by NCOL columns.")
(Context& cx, Value window, Value columns) {
  if (!columns.is_fixnum()) return wrong_type(cx, Qfixnump, columns);
  const Value w = TRY(decode_live_window(cx, window));
  window_data(w).hscroll = std::clamp<std::int64_t>(columns.as_fixnum(), 0, INT32_MAX);
  return fix(window_data(w).hscroll);
}

NEOVM_PRIMITIVE(set_window_vscroll, "set-window-vscroll", 2, 3, kWorkerSafe, kStateWrite, kNoGc, kNoReentry,
                kDeterministic, "Scroll WINDOW within a line; a terminal has no such scrolling, so the result is 0.")
(Context& cx, Value window, Value amount, Value) {
  TRY(decode_live_window(cx, window));
  if (!is_number(amount)) return wrong_type(cx, Qnumberp, amount);
  return fix(0);
}

NEOVM_PRIMITIVE(window_margins, "window-margins", 0, 1, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return (LEFT . RIGHT), WINDOW's margins in columns, nil for none.")
(Context& cx, Value window) {
  const Value w = TRY(decode_live_window(cx, window));
  return cons(cx, window_slot(w, kWindowLeftMargin), window_slot(w, kWindowRightMargin));
}

NEOVM_PRIMITIVE(set_window_margins, "set-window-margins", 2, 3, kWorkerSafe, kStateWrite, kMayGc, kNoReentry,
                kDeterministic, "Set WINDOW's margins to LEFT and RIGHT columns; return t when that changed them.")
(Context& cx, Value window, Value left, Value right) {
  const Value w = TRY(decode_live_window(cx, window));
  const Value wanted[2] = {left, right};
  for (const Value v : wanted) {
    if (v.is_nil()) continue;
    if (!is_integer(v)) return wrong_type(cx, Qintegerp, v);
    if (!v.is_natnum_fixnum() || v.as_fixnum() > INT32_MAX) return args_out_of_range(cx, v, fix(0), fix(INT32_MAX));
  }
  const Value l = left == fix(0) ? kNil : left;
  const Value r = right == fix(0) ? kNil : right;
  // What leaves no room for text is not done.
  const std::int64_t both = (l.is_nil() ? 0 : l.as_fixnum()) + (r.is_nil() ? 0 : r.as_fixnum());
  if (both > 0 && both > window_data(w).width - 2) return kNil;
  const bool changed = window_slot(w, kWindowLeftMargin) != l || window_slot(w, kWindowRightMargin) != r;
  set_window_slot(w, kWindowLeftMargin, l);
  set_window_slot(w, kWindowRightMargin, r);
  return boolean(changed);
}

NEOVM_PRIMITIVE(window_fringes, "window-fringes", 0, 1, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return WINDOW's fringes; a terminal has none.")
(Context& cx, Value window) {
  const Value w = TRY(decode_live_window(cx, window));
  return list(cx, {fix(0), fix(0), boolean(window_data(w).fringes_outside_margins), kNil});
}

NEOVM_PRIMITIVE(set_window_fringes, "set-window-fringes", 2, 5, kWorkerSafe, kStateWrite, kNoGc, kNoReentry,
                kDeterministic, "Set WINDOW's fringes; without a graphic display nothing changes.")
(Context& cx, Value window, Value, Value, Value, Value) {
  TRY(decode_live_window(cx, window));
  return kNil;
}

NEOVM_PRIMITIVE(window_scroll_bars, "window-scroll-bars", 0, 1, kWorkerSafe, kStateRead, kMayGc, kNoReentry,
                kDeterministic, "Return the description of WINDOW's scroll bars.")
(Context& cx, Value window) {
  const Value w = TRY(decode_live_window(cx, window));
  const Value type = window_slot(w, kWindowScrollBarType);
  return list(cx, {kNil, fix(0), type, kNil, fix(0), Qt, kNil});
}

// ---- point and start -------------------------------------------------------------------------------------

NEOVM_PRIMITIVE(window_point, "window-point", 0, 1, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return the position of point in WINDOW.")
(Context& cx, Value window) {
  const Value w = TRY(decode_live_window(cx, window));
  if (w == display(cx).selected_window.get() && host_hooks(cx).current_buffer(cx) == window_slot(w, kWindowContents))
    return funcall_re(cx, Qpoint, {});
  return funcall_re(cx, Qmarker_position, {window_slot(w, kWindowPoint)});
}

NEOVM_PRIMITIVE(set_window_point, "set-window-point", 2, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Put point of WINDOW at POS.")
(Context& cx, Value window, Value position) {
  const Value w = TRY(decode_live_window(cx, window));
  const std::int64_t place = TRY(position_argument(cx, position));
  if (w == display(cx).selected_window.get()) {
    // Its point is the buffer's own.
    const Value before = host_hooks(cx).current_buffer(cx);
    TRY(funcall_re(cx, Qset_buffer, {window_slot(w, kWindowContents)}));
    const Value moved = funcall_re(cx, Qgoto_char, {fix(place)});
    if (!moved.is_exit()) TRY(funcall_re(cx, Qset_buffer, {before}));
    TRY(moved);
    return fix(place);
  } else {
    TRY(funcall_re(cx, Qset_marker, {window_slot(w, kWindowPoint), position, window_slot(w, kWindowContents)}));
  }
  return position;
}

NEOVM_PRIMITIVE(window_old_point, "window-old-point", 0, 1, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return the position of point in WINDOW at its last redisplay.")
(Context& cx, Value window) {
  const Value w = TRY(decode_live_window(cx, window));
  return funcall_re(cx, Qmarker_position, {window_slot(w, kWindowOldPoint)});
}

NEOVM_PRIMITIVE(window_start, "window-start", 0, 1, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return the position at which display starts in WINDOW.")
(Context& cx, Value window) {
  const Value w = TRY(decode_live_window(cx, window));
  return funcall_re(cx, Qmarker_position, {window_slot(w, kWindowStart)});
}

NEOVM_PRIMITIVE(set_window_start, "set-window-start", 2, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Make display in WINDOW start at POS.")
(Context& cx, Value window, Value position, Value) {
  const Value w = TRY(decode_live_window(cx, window));
  if (is_integer(position) && !position.is_fixnum()) return wrong_type(cx, Qinteger_or_marker_p, position);
  if (position.truthy()) TRY(position_argument(cx, position));  // nil: nowhere
  TRY(funcall_re(cx, Qset_marker, {window_slot(w, kWindowStart), position, window_slot(w, kWindowContents)}));
  return position;
}

}  // namespace
}  // namespace neomacs::host
