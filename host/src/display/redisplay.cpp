// Redisplay without a screen: nothing is drawn, but windows get their sizes, starts and ends as if it were.
//
// In batch Emacs leaves its initial frame out of redisplay, so that is what usually happens here: nothing. A program that sets
// redisplay-skip-initial-frame to nil gets the rest: the menu bar takes its line, hooks are told of windows that changed, and
// every window starts so that its point can be seen. Fontification and mode lines, which are text on the screen only, are left.
#include <algorithm>

#include "display/motion.hpp"

namespace neomacs::host {

namespace {

struct Change {
  bool buffer = false;
  bool size = false;
  bool selection = false;
  [[nodiscard]] bool any() const { return buffer || size || selection; }
};

Change change_of(Context& cx, Value frame, Value w) {
  const WindowData& d = window_data(w);
  Change c;
  c.buffer = window_slot(w, kWindowOldBuffer) != window_slot(w, kWindowContents);
  c.size = d.width != d.old_width || d.height != d.old_height || window_body_columns(w) != d.old_body_width ||
           window_body_lines(cx, w) != d.old_body_height;
  const Value selected = frame_slot(frame, kFrameSelected);
  const Value before = frame_slot(frame, kFrameOldSelected);
  c.selection = selected != before && (w == selected || w == before);
  return c;
}

// Calls each of FUNCTIONS, a function or a list of them, with ARG; t in a buffer's list stands for the default value, which
// gets its own call.
Value call_each_re(Context& cx, Value functions, Value arg) {
  if (functions.is_nil() || functions.is_unbound()) return kNil;
  if (!functions.is_cons() || car_raw(functions) == Qlambda || car_raw(functions) == Qclosure)
    return funcall_re(cx, functions, {arg});
  for (; functions.is_cons(); functions = cdr_raw(functions))
    if (car_raw(functions) != Qt) TRY(funcall_re(cx, car_raw(functions), {arg}));
  return kNil;
}

using ChangeTest = bool (*)(const Change&);

// A hook for windows that changed: a buffer's own functions are told each of its windows, the others the frame.
Value tell_re(Context& cx, const char* hook, Value frame, ChangeTest changed) {
  const Value name = intern(cx, hook);
  Value windows = kNil;
  each_frame_leaf(frame, [&](Value w) {
    if (changed(change_of(cx, frame, w))) windows = cons(cx, w, windows);
    return true;
  });
  if (windows.is_nil()) return kNil;
  for (windows = nreverse_list(windows); windows.is_cons(); windows = cdr_raw(windows)) {
    const Value w = car_raw(windows);
    if (!is_live_window(w)) continue;
    const Value buffer = window_slot(w, kWindowContents);
    const Value local = TRY(funcall_re(cx, intern(cx, "local-variable-p"), {name, buffer}));
    if (local.is_nil()) continue;
    const Value own = TRY(funcall_re(cx, intern(cx, "buffer-local-value"), {name, buffer}));
    TRY(call_each_re(cx, own, w));
  }
  const Value functions = TRY(funcall_re(cx, intern(cx, "default-value"), {name}));
  return call_each_re(cx, functions, frame);
}

Value tell_changes_re(Context& cx, Value frame) {
  bool any = false;
  each_frame_leaf(frame, [&](Value w) {
    any = change_of(cx, frame, w).any();
    return !any;
  });
  if (!any) return kNil;
  TRY(run_hook_re(cx, intern(cx, "menu-bar-update-hook")));
  TRY(tell_re(cx, "window-buffer-change-functions", frame, [](const Change& c) { return c.buffer; }));
  TRY(tell_re(cx, "window-size-change-functions", frame, [](const Change& c) { return c.size; }));
  TRY(tell_re(cx, "window-selection-change-functions", frame, [](const Change& c) { return c.selection; }));
  TRY(tell_re(cx, "window-state-change-functions", frame, [](const Change& c) { return c.any(); }));
  TRY(run_hook_re(cx, Qwindow_configuration_change_hook));
  TRY(run_hook_re(cx, intern(cx, "window-state-change-hook")));
  each_frame_leaf(frame, [&](Value w) {
    WindowData& d = window_data(w);
    set_window_slot(w, kWindowOldBuffer, window_slot(w, kWindowContents));
    d.old_width = d.width;
    d.old_height = d.height;
    d.old_body_width = window_body_columns(w);
    d.old_body_height = window_body_lines(cx, w);
    return true;
  });
  set_frame_slot(frame, kFrameOldSelected, frame_slot(frame, kFrameSelected));
  return kNil;
}

// The menu bar takes the first line of the frame from the windows, once.
void make_room_for_menu(Value frame) {
  FrameData& d = frame_data(frame);
  if (d.menu_lines > 0) return;
  d.menu_lines = 1;
  --d.height;
  fit_below_menu(frame);
}

// W's start, moved when its point cannot be seen from there, and its end. W's buffer is current.
Value place_text_re(Context& cx, Value w) {
  const int height = std::max(1, window_body_lines(cx, w));
  Buffer& b = current_buffer(cx);
  ScreenLines lines(cx, b, w);
  Pos point = b.point;
  if (w != display(cx).selected_window.get()) {
    const Value own = TRY(funcall_re(cx, Qmarker_position, {window_slot(w, kWindowPoint)}));
    if (own.is_fixnum()) point = clip(b, own.as_fixnum());
  }
  const Value from = TRY(funcall_re(cx, Qmarker_position, {window_slot(w, kWindowStart)}));
  Pos start = clip(b, from.is_fixnum() ? from.as_fixnum() : 1);
  std::int64_t shown = 0;
  Pos end = lines.move(start, height, &shown);
  const bool visible = point.chars >= start.chars && (point.chars < end.chars || shown < height);
  if (!visible) {
    start = lines.move(point, -(height / 2), &shown);
    TRY(funcall_re(cx, Qset_marker,
                   {window_slot(w, kWindowStart), Value::fixnum(start.chars), window_slot(w, kWindowContents)}));
    end = lines.move(start, height, &shown);
  }
  WindowData& d = window_data(w);
  d.end_from_z = b.text->end().chars - end.chars;
  TRY(funcall_re(cx, Qset_marker,
                 {window_slot(w, kWindowOldPoint), Value::fixnum(point.chars), window_slot(w, kWindowContents)}));
  if (d.old_start == start.chars) return kNil;
  d.old_start = start.chars;
  return run_window_scroll_functions_re(cx, w);
}

Value redisplay_re(Context& cx) {
  if (variable_true(cx, intern(cx, "redisplay-skip-initial-frame")) ||
      variable_true(cx, intern(cx, "inhibit-redisplay")))
    return kNil;
  const Value frame = display(cx).selected_frame.get();
  const bool first = frame_slot(frame, kFrameOldSelected).is_nil();
  const Value before = variable_value(cx, intern(cx, "pre-redisplay-function"));
  if (before.truthy() && !before.is_unbound()) TRY(funcall_re(cx, before, {boolean(first)}));
  make_room_for_menu(frame);
  TRY(tell_changes_re(cx, frame));
  Value windows = kNil;
  each_frame_leaf(frame, [&](Value w) {
    if (!window_data(w).mini) windows = cons(cx, w, windows);
    return true;
  });
  for (windows = nreverse_list(windows); windows.is_cons(); windows = cdr_raw(windows)) {
    const Value w = car_raw(windows);
    if (!is_live_window(w)) continue;
    const std::size_t depth = binding_depth(cx);
    host_hooks(cx).record_save_current_buffer(cx);
    TRY(funcall_re(cx, Qset_buffer, {window_slot(w, kWindowContents)}));
    const Value placed = place_text_re(cx, w);
    TRY(unbind_to_re(cx, depth, placed));
  }
  return kNil;
}

}  // namespace

NEOVM_PRIMITIVE(redisplay, "redisplay", 0, 1, kMainOnly, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Bring windows up to date, unless a keyboard macro runs; return whether that was done.")
(Context& cx, Value) {
  if (variable_true(cx, intern(cx, "executing-kbd-macro"))) return kNil;
  TRY(redisplay_re(cx));
  return Qt;
}

NEOVM_PRIMITIVE(
    window_end, "window-end", 0, 2, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
    "Return the last position shown in WINDOW at the last redisplay; before that it is the end of the text.")
(Context& cx, Value window, Value) {
  const Value w = TRY(decode_live_window(cx, window));
  const Buffer& b = buffer_raw(window_slot(w, kWindowContents));
  return Value::fixnum(b.text->end().chars - window_data(w).end_from_z);
}

}  // namespace neomacs::host
