// Frames. There is one, on the initial terminal; it cannot be deleted or hidden, and no other can be made.
#include "display/display.hpp"

namespace neomacs::host {
namespace {

NEOVM_PRIMITIVE(framep, "framep", 1, 1, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return non-nil when OBJECT is a frame: t for one on a character terminal.")
(Context&, Value object) { return boolean(is_frame(object)); }

NEOVM_PRIMITIVE(frame_live_p, "frame-live-p", 1, 1, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return non-nil when OBJECT is a frame that was not deleted.")
(Context&, Value object) { return boolean(is_frame(object) && frame_data(object).live); }

NEOVM_PRIMITIVE(selected_frame, "selected-frame", 0, 0, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the selected frame.")
(Context& cx) { return display(cx).selected_frame.get(); }

NEOVM_PRIMITIVE(frame_list, "frame-list", 0, 0, kMainOnly, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return a list of all live frames.")
(Context& cx) {
  Value out = kNil;
  for (Value l = display(cx).frames.get(); l.is_cons(); l = cdr_raw(l)) out = cons(cx, car_raw(l), out);
  return nreverse_list(out);
}

NEOVM_PRIMITIVE(visible_frame_list, "visible-frame-list", 0, 0, kMainOnly, kStateRead, kMayGc, kNoReentry,
                kDeterministic, "Return a list of the visible frames; without a window system all are.")
(Context& cx) {
  Value out = kNil;
  for (Value l = display(cx).frames.get(); l.is_cons(); l = cdr_raw(l)) out = cons(cx, car_raw(l), out);
  return nreverse_list(out);
}

NEOVM_PRIMITIVE(window_system, "window-system", 0, 1, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the window system of FRAME: nil for a character terminal.")
(Context& cx, Value frame) {
  if (is_host(frame, &kTerminalType)) return kNil;
  TRY(decode_any_frame(cx, frame));
  return kNil;
}

NEOVM_PRIMITIVE(frame_windows_min_size, "frame-windows-min-size", 4, 4, kMainOnly, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the least size FRAME's windows need.")
(Context&, Value, Value, Value, Value) { return Value::fixnum(0); }

NEOVM_PRIMITIVE(make_terminal_frame, "make-terminal-frame", 1, 1, kMainOnly, kStateWrite, kMayGc, kNoReentry,
                kDeterministic, "Make a frame on another character terminal; there is none to be had here.")
(Context& cx, Value parameters) {
  TRY(check_type(cx, parameters.is_list(), Qlistp, parameters));
  return error_text(cx, "Unknown terminal type");
}

Value select(Context& cx, Value frame, Value norecord) {
  if (!is_frame(frame) || !frame_data(frame).live) return wrong_type(cx, Qframe_live_p, frame);
  if (frame == display(cx).selected_frame.get()) return frame;
  TRY(select_window_re(cx, frame_slot(frame, kFrameSelected), norecord.is_nil()));
  return frame;
}

NEOVM_COMMAND(select_frame, "select-frame", 1, 2, kMainOnly, kStateWrite, kMayGc, kReenters, kDeterministic, "e",
              "Select FRAME and its selected window.")
(Context& cx, Value frame, Value norecord) { return select(cx, frame, norecord); }

NEOVM_COMMAND(handle_switch_frame, "handle-switch-frame", 1, 1, kMainOnly, kStateWrite, kMayGc, kReenters,
              kDeterministic, "^e", "Handle a switch-frame EVENT by selecting its frame.")
(Context& cx, Value event) {
  if (event.is_cons() && car_raw(event) == Qswitch_frame && cdr_raw(event).is_cons()) event = car_raw(cdr_raw(event));
  if (!is_frame(event)) return wrong_type(cx, Qframep, event);
  return frame_data(event).live ? select(cx, event, kNil) : kNil;
}

NEOVM_PRIMITIVE(last_nonminibuffer_frame, "last-nonminibuffer-frame", 0, 0, kMainOnly, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the last selected frame that is not only a minibuffer.")
(Context& cx) { return display(cx).selected_frame.get(); }

NEOVM_PRIMITIVE(old_selected_frame, "old-selected-frame", 0, 0, kMainOnly, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the frame that was selected at the last redisplay.")
(Context& cx) { return display(cx).selected_frame.get(); }

Value neighbour(Context& cx, Value frame) {
  const Value f = TRY(decode_live_frame(cx, frame));
  return f;  // the only frame is its own neighbour
}

NEOVM_PRIMITIVE(next_frame, "next-frame", 0, 2, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the frame after FRAME in the cyclic order.")
(Context& cx, Value frame, Value) { return neighbour(cx, frame); }

NEOVM_PRIMITIVE(previous_frame, "previous-frame", 0, 2, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the frame before FRAME in the cyclic order.")
(Context& cx, Value frame, Value) { return neighbour(cx, frame); }

NEOVM_PRIMITIVE(frame_parent, "frame-parent", 0, 1, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return FRAME's parent frame; a terminal frame has none.")
(Context& cx, Value frame) {
  TRY(decode_live_frame(cx, frame));
  return kNil;
}

NEOVM_PRIMITIVE(frame_ancestor_p, "frame-ancestor-p", 2, 2, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return non-nil when ANCESTOR is an ancestor of DESCENDANT.")
(Context&, Value, Value) { return kNil; }

NEOVM_COMMAND(delete_frame, "delete-frame", 0, 2, kMainOnly, kStateWrite, kMayGc, kNoReentry, kDeterministic, "",
              "Delete FRAME; the only one cannot be deleted.")
(Context& cx, Value frame, Value) {
  const Value f = TRY(decode_any_frame(cx, frame));
  if (!frame_data(f).live) return kNil;
  return error_text(cx, "Attempt to delete the sole visible or iconified frame");
}

NEOVM_COMMAND(make_frame_visible, "make-frame-visible", 0, 1, kMainOnly, kStateWrite, kNoGc, kNoReentry, kDeterministic,
              "", "Make FRAME visible.")
(Context& cx, Value frame) { return decode_live_frame(cx, frame); }

NEOVM_COMMAND(make_frame_invisible, "make-frame-invisible", 0, 2, kMainOnly, kStateWrite, kMayGc, kNoReentry,
              kDeterministic, "", "Make FRAME invisible; the only frame cannot be hidden.")
(Context& cx, Value frame, Value force) {
  TRY(decode_live_frame(cx, frame));
  if (force.truthy()) return kNil;
  return error_text(cx, "Attempt to make invisible the sole visible or iconified frame");
}

NEOVM_COMMAND(iconify_frame, "iconify-frame", 0, 1, kMainOnly, kStateWrite, kNoGc, kNoReentry, kDeterministic, "",
              "Make FRAME an icon; a terminal has no icons.")
(Context& cx, Value frame) {
  TRY(decode_live_frame(cx, frame));
  return kNil;
}

NEOVM_PRIMITIVE(frame_visible_p, "frame-visible-p", 1, 1, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return t when FRAME is visible, icon when it is an icon.")
(Context& cx, Value frame) {
  if (!is_frame(frame) || !frame_data(frame).live) return wrong_type(cx, Qframe_live_p, frame);
  return Qt;
}

NEOVM_COMMAND(raise_frame, "raise-frame", 0, 1, kMainOnly, kStateWrite, kNoGc, kNoReentry, kDeterministic, "",
              "Bring FRAME to the front.")
(Context& cx, Value frame) {
  TRY(decode_live_frame(cx, frame));
  return kNil;
}

NEOVM_COMMAND(lower_frame, "lower-frame", 0, 1, kMainOnly, kStateWrite, kNoGc, kNoReentry, kDeterministic, "",
              "Send FRAME to the back.")
(Context& cx, Value frame) {
  TRY(decode_live_frame(cx, frame));
  return kNil;
}

NEOVM_PRIMITIVE(redirect_frame_focus, "redirect-frame-focus", 1, 2, kMainOnly, kStateWrite, kNoGc, kNoReentry,
                kDeterministic, "Send keystrokes of FRAME to FOCUS-FRAME.")
(Context& cx, Value frame, Value focus) {
  frame = TRY(decode_any_frame(cx, frame));
  if (focus.truthy() && (!is_frame(focus) || !frame_data(focus).live)) return wrong_type(cx, Qframe_live_p, focus);
  set_frame_slot(frame, kFrameFocus, focus);
  return kNil;
}

NEOVM_PRIMITIVE(frame_focus, "frame-focus", 0, 1, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the frame that FRAME's keystrokes go to, nil for itself.")
(Context& cx, Value frame) {
  const Value f = TRY(decode_live_frame(cx, frame));
  return frame_slot(f, kFrameFocus);
}

NEOVM_PRIMITIVE(frame_after_make_frame, "frame-after-make-frame", 2, 2, kMainOnly, kStateWrite, kNoGc, kNoReentry,
                kDeterministic, "Mark FRAME as made.")
(Context& cx, Value frame, Value made) {
  TRY(decode_live_frame(cx, frame));
  return made;
}

// ---- parameters ------------------------------------------------------------------------------------------

// What the frame itself knows, in the order that GNU lists it; the rest is the alist the user set.
Value parameter_list(Context& cx, Value f) {
  Value own = kNil;
  const auto add = [&](Value name, Value v) { own = cons(cx, cons(cx, name, v), own); };
  add(Qminibuffer, Qt);
  // The user's parameters come between, newest first.
  for (Value l = frame_slot(f, kFrameParameters); l.is_cons(); l = cdr_raw(l)) {
    const Value name = car_raw(car_raw(l));
    if (name == Qforeground_color || name == Qbackground_color) continue;
    own = cons(cx, car_raw(l), own);
  }
  const auto color = [&](Value name, const char* fallback) {
    const Value entry = assq(name, frame_slot(f, kFrameParameters));
    add(name, entry.is_nil() ? make_string(cx, fallback) : cdr_raw(entry));
  };
  color(Qforeground_color, "unspecified-fg");
  color(Qbackground_color, "unspecified-bg");
  add(Qfont, make_string(cx, "tty"));
  add(Qname, frame_slot(f, kFrameName));
  add(Qheight, Value::fixnum(frame_data(f).height));
  add(Qwidth, Value::fixnum(frame_data(f).width));
  add(Qmodeline, Qt);
  add(Qunsplittable, kNil);
  add(Qbuffer_list, frame_slot(f, kFrameBufferList));
  add(Qburied_buffer_list, frame_slot(f, kFrameBuriedList));
  add(Qmenu_bar_lines, Value::fixnum(1));
  add(Qtab_bar_lines, Value::fixnum(0));
  return own;
}

NEOVM_PRIMITIVE(frame_parameters, "frame-parameters", 0, 1, kMainOnly, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return the alist of FRAME's parameters.")
(Context& cx, Value frame) {
  const Value f = TRY(decode_any_frame(cx, frame));
  return frame_data(f).live ? parameter_list(cx, f) : kNil;
}

NEOVM_PRIMITIVE(frame_parameter, "frame-parameter", 2, 2, kMainOnly, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return FRAME's value for PARAMETER.")
(Context& cx, Value frame, Value parameter) {
  const Value f = TRY(decode_any_frame(cx, frame));
  if (!parameter.is_symbol()) return wrong_type(cx, Qsymbolp, parameter);
  if (!frame_data(f).live) return kNil;
  const Value entry = assq(parameter, parameter_list(cx, f));
  return entry.is_nil() ? kNil : cdr_raw(entry);
}

NEOVM_PRIMITIVE(modify_frame_parameters, "modify-frame-parameters", 2, 2, kWorkerSafe, kStateWrite, kMayGc, kNoReentry,
                kDeterministic, "Set FRAME's parameters from ALIST.")
(Context& cx, Value frame, Value alist) {
  const Value f = TRY(decode_live_frame(cx, frame));
  TRY(list_length(cx, alist));
  for (Value l = alist; l.is_cons(); l = cdr_raw(l)) {
    const Value entry = car_raw(l);
    if (entry.is_nil()) continue;
    if (!entry.is_cons()) return wrong_type(cx, Qlistp, entry);
    const Value name = car_raw(entry);
    const Value v = cdr_raw(entry);
    if (name == Qname) {
      if (!v.is_string()) return wrong_type(cx, Qstringp, v);
      set_frame_slot(f, kFrameName, v);
    } else if (name == Qbuffer_list) {
      set_frame_slot(f, kFrameBufferList, v);
    } else if (name == Qburied_buffer_list) {
      set_frame_slot(f, kFrameBuriedList, v);
    } else if (name == Qminibuffer && v != Qt && is_window(v)) {
      if (!window_data(v).mini)
        return error_text(cx, "The `minibuffer' parameter does not specify a valid minibuffer window");
    } else if (name == Qwidth || name == Qheight || name == Qfont || name == Qmodeline || name == Qunsplittable ||
               name == Qmenu_bar_lines || name == Qtab_bar_lines || name == Qminibuffer) {
      continue;  // the initial terminal keeps its own
    } else {
      const Value old = assq(name, frame_slot(f, kFrameParameters));
      if (old.truthy()) {
        set_cdr_raw(old, v);
      } else {
        set_frame_slot(f, kFrameParameters, cons(cx, cons(cx, name, v), frame_slot(f, kFrameParameters)));
      }
    }
  }
  return kNil;
}

// ---- sizes -------------------------------------------------------------------------------------------------

#define NEOVM_FRAME_MEASURE(id, name, expr, doc)                                                 \
  NEOVM_PRIMITIVE(id, name, 0, 1, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic, doc) \
  (Context & cx, Value frame) {                                                                  \
    const Value f = TRY(decode_any_frame(cx, frame));                                            \
    [[maybe_unused]] const FrameData& d = frame_data(f);                                         \
    return Value::fixnum(expr);                                                                  \
  }

NEOVM_FRAME_MEASURE(frame_text_width, "frame-text-width", d.width, "Return the width of FRAME's text area in pixels.")
NEOVM_FRAME_MEASURE(frame_text_height, "frame-text-height", d.height,
                    "Return the height of FRAME's text area in pixels.")
NEOVM_FRAME_MEASURE(frame_native_width, "frame-native-width", d.width, "Return FRAME's native width in pixels.")
NEOVM_FRAME_MEASURE(frame_native_height, "frame-native-height", d.height + d.menu_lines,
                    "Return FRAME's native height in pixels.")
NEOVM_FRAME_MEASURE(frame_text_cols, "frame-text-cols", d.width, "Return the width of FRAME's text area in columns.")
NEOVM_FRAME_MEASURE(frame_text_lines, "frame-text-lines", d.height, "Return the height of FRAME's text area in lines.")
NEOVM_FRAME_MEASURE(frame_total_cols, "frame-total-cols", d.width, "Return FRAME's width in columns.")
NEOVM_FRAME_MEASURE(frame_total_lines, "frame-total-lines", d.height + d.menu_lines, "Return FRAME's height in lines.")
NEOVM_FRAME_MEASURE(frame_scroll_bar_width, "frame-scroll-bar-width", 0, "Return the width of FRAME's scroll bars.")
NEOVM_FRAME_MEASURE(frame_scroll_bar_height, "frame-scroll-bar-height", 0, "Return the height of FRAME's scroll bars.")
NEOVM_FRAME_MEASURE(frame_fringe_width, "frame-fringe-width", 0, "Return the width of FRAME's fringes.")
NEOVM_FRAME_MEASURE(frame_internal_border_width, "frame-internal-border-width", 0,
                    "Return the width of FRAME's internal border.")
NEOVM_FRAME_MEASURE(frame_child_frame_border_width, "frame-child-frame-border-width", 0,
                    "Return the width of FRAME's child frame border.")
NEOVM_FRAME_MEASURE(frame_right_divider_width, "frame-right-divider-width", 0,
                    "Return the width of FRAME's right dividers.")
NEOVM_FRAME_MEASURE(frame_bottom_divider_width, "frame-bottom-divider-width", 0,
                    "Return the width of FRAME's bottom dividers.")
#undef NEOVM_FRAME_MEASURE

// Without a window system GNU does not look at the argument of these.
#define NEOVM_FRAME_CONSTANT(id, name, value, doc)                                               \
  NEOVM_PRIMITIVE(id, name, 0, 1, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic, doc) \
  (Context&, Value) { return Value::fixnum(value); }
NEOVM_FRAME_CONSTANT(frame_char_height, "frame-char-height", 1, "Return the height of a line of FRAME.")
NEOVM_FRAME_CONSTANT(frame_char_width, "frame-char-width", 1, "Return the width of a column of FRAME.")
NEOVM_FRAME_CONSTANT(tool_bar_pixel_width, "tool-bar-pixel-width", 0, "Return the width of FRAME's tool bar.")
#undef NEOVM_FRAME_CONSTANT

NEOVM_PRIMITIVE(frame_position, "frame-position", 0, 1, kMainOnly, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return FRAME's position on the display as (X . Y).")
(Context& cx, Value frame) {
  TRY(decode_live_frame(cx, frame));
  return cons(cx, Value::fixnum(0), Value::fixnum(0));
}

NEOVM_PRIMITIVE(frame_scale_factor, "frame-scale-factor", 0, 1, kMainOnly, kStateRead, kMayGc, kNoReentry,
                kDeterministic, "Return FRAME's scale factor.")
(Context& cx, Value frame) {
  TRY(decode_live_frame(cx, frame));
  return make_float(cx, 1.0);
}

NEOVM_PRIMITIVE(frame_pointer_visible_p, "frame-pointer-visible-p", 0, 1, kMainOnly, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return t when the mouse pointer is visible on FRAME.")
(Context& cx, Value frame) {
  TRY(decode_any_frame(cx, frame));
  return Qt;
}

NEOVM_PRIMITIVE(mouse_position, "mouse-position", 0, 0, kMainOnly, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return (FRAME X . Y) of the mouse; a terminal without one gives nil coordinates.")
(Context& cx) { return list(cx, {display(cx).selected_frame.get(), kNil}); }

NEOVM_PRIMITIVE(mouse_pixel_position, "mouse-pixel-position", 0, 0, kMainOnly, kStateRead, kMayGc, kNoReentry,
                kDeterministic,
                "Return (FRAME X . Y) of the mouse in pixels; a terminal without one gives nil coordinates.")
(Context& cx) { return list(cx, {display(cx).selected_frame.get(), kNil}); }

NEOVM_PRIMITIVE(set_mouse_position, "set-mouse-position", 3, 3, kMainOnly, kStateWrite, kNoGc, kNoReentry,
                kDeterministic, "Move the mouse pointer; without a mouse nothing happens.")
(Context& cx, Value frame, Value x, Value y) {
  TRY(decode_live_frame(cx, frame));
  TRY(check_type(cx, x.is_fixnum(), Qintegerp, x));
  TRY(check_type(cx, y.is_fixnum(), Qintegerp, y));
  return kNil;
}

// ---- windows of a frame ---------------------------------------------------------------------------------

// FRAME-OR-WINDOW: nil, a live frame or a valid window, whose frame is meant.
Value frame_or_window(Context& cx, Value v) {
  if (is_valid_window(v)) return window_slot(v, kWindowFrame);
  return decode_live_frame(cx, v);
}

NEOVM_PRIMITIVE(frame_root_window, "frame-root-window", 0, 1, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the root window of FRAME-OR-WINDOW.")
(Context& cx, Value v) {
  const Value f = TRY(frame_or_window(cx, v));
  return frame_slot(f, kFrameRoot);
}

NEOVM_PRIMITIVE(frame_first_window, "frame-first-window", 0, 1, kMainOnly, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the topmost, leftmost live window of FRAME-OR-WINDOW.")
(Context& cx, Value v) {
  const Value f = TRY(frame_or_window(cx, v));
  Value w = is_valid_window(v) ? v : frame_slot(f, kFrameRoot);
  while (first_child(w).truthy()) w = first_child(w);
  return w;
}

NEOVM_PRIMITIVE(frame_selected_window, "frame-selected-window", 0, 1, kMainOnly, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the selected window of FRAME-OR-WINDOW.")
(Context& cx, Value v) {
  const Value f = TRY(frame_or_window(cx, v));
  return frame_slot(f, kFrameSelected);
}

NEOVM_PRIMITIVE(set_frame_selected_window, "set-frame-selected-window", 2, 3, kMainOnly, kStateWrite, kMayGc, kReenters,
                kDeterministic, "Make WINDOW the selected window of FRAME.")
(Context& cx, Value frame, Value window, Value norecord) {
  const Value f = TRY(decode_live_frame(cx, frame));
  if (!is_live_window(window)) return wrong_type(cx, Qwindow_live_p, window);
  if (window_slot(window, kWindowFrame) != f)
    return error_text(cx, "In `set-frame-selected-window', WINDOW is not on FRAME");
  if (f == display(cx).selected_frame.get()) return select_window_re(cx, window, norecord.is_nil());
  set_frame_slot(f, kFrameSelected, window);
  return window;
}

NEOVM_PRIMITIVE(frame_old_selected_window, "frame-old-selected-window", 0, 1, kMainOnly, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return FRAME's selected window at the last redisplay.")
(Context& cx, Value frame) { return frame_slot(TRY(decode_live_frame(cx, frame)), kFrameOldSelected); }

NEOVM_PRIMITIVE(old_selected_window, "old-selected-window", 0, 0, kMainOnly, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the window selected at the last redisplay.")
(Context& cx) { return display(cx).selected_window.get(); }

NEOVM_PRIMITIVE(minibuffer_window, "minibuffer-window", 0, 1, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the minibuffer window of FRAME.")
(Context& cx, Value frame) {
  const Value f = TRY(decode_live_frame(cx, frame));
  return frame_slot(f, kFrameMinibuffer);
}

NEOVM_PRIMITIVE(minibuffer_selected_window, "minibuffer-selected-window", 0, 0, kMainOnly, kStateRead, kNoGc,
                kNoReentry, kDeterministic,
                "Return the window selected before the minibuffer was entered, nil outside it.")
(Context&) { return kNil; }

NEOVM_PRIMITIVE(frame_window_state_change, "frame-window-state-change", 0, 1, kMainOnly, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return t when FRAME's window state change flag is set.")
(Context& cx, Value frame) {
  TRY(decode_live_frame(cx, frame));
  return kNil;
}

NEOVM_PRIMITIVE(set_frame_window_state_change, "set-frame-window-state-change", 0, 2, kMainOnly, kStateWrite, kNoGc,
                kNoReentry, kDeterministic,
                "Set FRAME's window state change flag to ARG; nothing is redisplayed, so it is only returned.")
(Context& cx, Value frame, Value arg) {
  TRY(decode_live_frame(cx, frame));
  return boolean(arg.truthy());
}

Maybe<bool> check_frame_size(Context& cx, Value v) {
  if (!is_integer(v)) return wrong_type(cx, Qintegerp, v);
  if (v.is_fixnum() && v.as_fixnum() >= INT32_MIN && v.as_fixnum() <= INT32_MAX) return true;
  return args_out_of_range(cx, v, Value::fixnum(INT32_MIN), Value::fixnum(INT32_MAX));
}

#define NEOVM_SET_FRAME_SIZE(id, name, spec, doc)                                                     \
  NEOVM_COMMAND(id, name, 2, 4, kMainOnly, kStateWrite, kNoGc, kNoReentry, kDeterministic, spec, doc) \
  (Context & cx, Value frame, Value size, Value, Value) {                                             \
    TRY(decode_live_frame(cx, frame));                                                                \
    TRY(check_frame_size(cx, size));                                                                  \
    return kNil; /* the initial terminal keeps its size */                                            \
  }
NEOVM_SET_FRAME_SIZE(set_frame_height, "set-frame-height",
                     "(set-frame-property--interactive \"Frame height: \" (frame-height))",
                     "Ask for FRAME to have HEIGHT lines; the initial terminal keeps its size.")
NEOVM_SET_FRAME_SIZE(set_frame_width, "set-frame-width",
                     "(set-frame-property--interactive \"Frame width: \" (frame-width))",
                     "Ask for FRAME to have WIDTH columns; the initial terminal keeps its size.")
#undef NEOVM_SET_FRAME_SIZE

NEOVM_PRIMITIVE(set_frame_size, "set-frame-size", 3, 4, kMainOnly, kStateWrite, kNoGc, kNoReentry, kDeterministic,
                "Ask for FRAME to have WIDTH columns and HEIGHT lines; the initial terminal keeps its size.")
(Context& cx, Value frame, Value width, Value height, Value) {
  TRY(decode_live_frame(cx, frame));
  for (const Value v : {width, height}) TRY(check_frame_size(cx, v));
  return kNil;
}

}  // namespace
}  // namespace neomacs::host
