// The initial terminal, requests to draw and other output that a screenless process answers trivially.
#include <cstdio>
#include <string>

#include "buffer/buffer.hpp"
#include "display/display.hpp"

namespace neomacs::host {
namespace {

bool is_terminal(Value v) { return is_host(v, &kTerminalType); }

// TERMINAL argument: nil, a terminal or a live frame.
Value decode_terminal(Context& cx, Value v) {
  if (v.is_nil() || (is_frame(v) && frame_data(v).live)) return display(cx).terminal.get();
  return is_terminal(v) ? v : wrong_type(cx, Qterminal_live_p, v);
}

NEOVM_PRIMITIVE(terminal_live_p, "terminal-live-p", 1, 1, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return non-nil when OBJECT is a live terminal (or frame, or nil for the selected one).")
(Context&, Value object) { return boolean(object.is_nil() || is_terminal(object) || is_frame(object)); }

NEOVM_PRIMITIVE(terminal_list, "terminal-list", 0, 0, kMainOnly, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return a list of all terminals.")
(Context& cx) { return list(cx, {display(cx).terminal.get()}); }

NEOVM_PRIMITIVE(terminal_name, "terminal-name", 0, 1, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the name of TERMINAL.")
(Context& cx, Value terminal) {
  const Value t = TRY(decode_terminal(cx, terminal));
  return host_slot_raw(t, kTerminalName);
}

NEOVM_PRIMITIVE(frame_terminal, "frame-terminal", 0, 1, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the terminal FRAME is on.")
(Context& cx, Value frame) {
  const Value f = TRY(decode_live_frame(cx, frame));
  return frame_slot(f, kFrameTerminal);
}

NEOVM_PRIMITIVE(delete_terminal, "delete-terminal", 0, 2, kMainOnly, kStateWrite, kMayGc, kNoReentry, kDeterministic,
                "Delete TERMINAL; the only one cannot be deleted.")
(Context& cx, Value terminal, Value) {
  // What is no terminal, or no longer one, needs no deleting.
  if (terminal.truthy() && !is_terminal(terminal) && !is_frame(terminal)) return kNil;
  TRY(decode_terminal(cx, terminal));
  return error_text(cx, "Attempt to delete the sole active display terminal");
}

NEOVM_PRIMITIVE(terminal_parameters, "terminal-parameters", 0, 1, kMainOnly, kStateRead, kMayGc, kNoReentry,
                kDeterministic, "Return a copy of TERMINAL's parameters.")
(Context& cx, Value terminal) {
  const Value t = TRY(decode_terminal(cx, terminal));
  Value out = kNil;
  for (Value l = host_slot_raw(t, kTerminalParameters); l.is_cons(); l = cdr_raw(l))
    out = cons(cx, cons(cx, car_raw(car_raw(l)), cdr_raw(car_raw(l))), out);
  return nreverse_list(out);
}

NEOVM_PRIMITIVE(terminal_parameter, "terminal-parameter", 2, 2, kMainOnly, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return TERMINAL's value for PARAMETER.")
(Context& cx, Value terminal, Value parameter) {
  if (!parameter.is_symbol()) return wrong_type(cx, Qsymbolp, parameter);
  const Value t = TRY(decode_terminal(cx, terminal));
  const Value entry = assq(parameter, host_slot_raw(t, kTerminalParameters));
  return entry.is_nil() ? kNil : cdr_raw(entry);
}

NEOVM_PRIMITIVE(set_terminal_parameter, "set-terminal-parameter", 3, 3, kMainOnly, kStateWrite, kMayGc, kNoReentry,
                kDeterministic, "Set TERMINAL's value of PARAMETER to VALUE; return the old value.")
(Context& cx, Value terminal, Value parameter, Value v) {
  const Value t = TRY(decode_terminal(cx, terminal));
  const Value entry = assq(parameter, host_slot_raw(t, kTerminalParameters));
  if (entry.is_nil()) {
    set_host_slot_raw(t, kTerminalParameters, cons(cx, cons(cx, parameter, v), host_slot_raw(t, kTerminalParameters)));
    return kNil;
  }
  const Value old = cdr_raw(entry);
  set_cdr_raw(entry, v);
  return old;
}

NEOVM_PRIMITIVE(set_output_flow_control, "set-output-flow-control", 1, 2, kMainOnly, kStateWrite, kNoGc, kNoReentry,
                kDeterministic, "Set flow control on TERMINAL; the initial one has none.")
(Context& cx, Value, Value terminal) {
  TRY(decode_terminal(cx, terminal));
  return kNil;
}

#define NEOVM_TTY_QUERY(id, name, result, doc)                                                   \
  NEOVM_PRIMITIVE(id, name, 0, 1, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic, doc) \
  (Context & cx, Value terminal) {                                                               \
    TRY(decode_terminal(cx, terminal));                                                          \
    return result;                                                                               \
  }
NEOVM_TTY_QUERY(tty_type, "tty-type", kNil, "Return the type of TERMINAL's device; the initial terminal has none.")
NEOVM_TTY_QUERY(tty_display_color_p, "tty-display-color-p", kNil, "Return non-nil when TERMINAL shows colors.")
NEOVM_TTY_QUERY(tty_display_color_cells, "tty-display-color-cells", Value::fixnum(0),
                "Return the number of colors of TERMINAL.")
NEOVM_TTY_QUERY(controlling_tty_p, "controlling-tty-p", kNil, "Return t when TERMINAL is the controlling terminal.")
NEOVM_TTY_QUERY(tty_top_frame, "tty-top-frame", kNil, "Return the topmost frame of a text TERMINAL.")
NEOVM_TTY_QUERY(tty_no_underline, "tty-no-underline", kNil, "Tell TERMINAL not to underline.")
#undef NEOVM_TTY_QUERY

NEOVM_PRIMITIVE(suspend_tty, "suspend-tty", 0, 1, kMainOnly, kStateWrite, kMayGc, kNoReentry, kDeterministic,
                "Suspend the terminal device TTY.")
(Context& cx, Value terminal) {
  TRY(decode_terminal(cx, terminal));
  return error_text(cx, "Attempt to suspend a non-text terminal device");
}

NEOVM_PRIMITIVE(resume_tty, "resume-tty", 0, 1, kMainOnly, kStateWrite, kMayGc, kNoReentry, kDeterministic,
                "Resume the terminal device TTY.")
(Context& cx, Value terminal) {
  TRY(decode_terminal(cx, terminal));
  return error_text(cx, "Attempt to resume a non-text terminal device");
}

NEOVM_PRIMITIVE(send_string_to_terminal, "send-string-to-terminal", 1, 2, kMainOnly, kStateWrite, kNoGc, kNoReentry,
                kNondeterministic, "Send STRING to the terminal: in batch mode, to standard output.")
(Context& cx, Value string, Value terminal) {
  if (!string.is_string()) return wrong_type(cx, Qstringp, string);
  TRY(decode_terminal(cx, terminal));
  const std::string s = to_std_string(string);
  std::fwrite(s.data(), 1, s.size(), stdout);
  std::fflush(stdout);
  return kNil;
}

// ---- drawing ------------------------------------------------------------------------------------------------

NEOVM_PRIMITIVE(redraw_frame, "redraw-frame", 0, 1, kMainOnly, kStateWrite, kNoGc, kNoReentry, kDeterministic,
                "Clear FRAME and draw it again.")
(Context& cx, Value frame) {
  TRY(decode_live_frame(cx, frame));
  return kNil;
}

NEOVM_COMMAND(redraw_display, "redraw-display", 0, 0, kMainOnly, kStateWrite, kNoGc, kNoReentry, kDeterministic, "",
              "Clear and draw all visible frames again.")
(Context&) { return kNil; }

NEOVM_PRIMITIVE(internal_show_cursor, "internal-show-cursor", 2, 2, kMainOnly, kStateWrite, kNoGc, kNoReentry,
                kDeterministic, "Show or hide WINDOW's cursor.")
(Context& cx, Value window, Value) {
  TRY(decode_any_window(cx, window));
  return kNil;
}

NEOVM_PRIMITIVE(internal_show_cursor_p, "internal-show-cursor-p", 0, 1, kMainOnly, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return t when WINDOW's cursor is shown.")
(Context& cx, Value window) {
  TRY(decode_any_window(cx, window));
  return Qt;
}

NEOVM_PRIMITIVE(ding, "ding", 0, 1, kWorkerSafe, kStateWrite, kNoGc, kNoReentry, kDeterministic,
                "Ring the bell; in batch mode that is a BEL on standard output.")
(Context&, Value) {
  std::fputc('\a', stdout);
  std::fflush(stdout);
  return kNil;
}

NEOVM_PRIMITIVE(set_buffer_redisplay, "set-buffer-redisplay", 4, 4, kWorkerSafe, kStateWrite, kNoGc, kNoReentry,
                kDeterministic, "Mark the current buffer for redisplay: a variable watcher.")
(Context&, Value, Value, Value, Value) { return kNil; }

NEOVM_PRIMITIVE(force_window_update, "force-window-update", 0, 1, kWorkerSafe, kStateWrite, kNoGc, kNoReentry,
                kDeterministic, "Ask for windows showing OBJECT to be updated at the next redisplay.")
(Context& cx, Value object) {
  if (object.is_nil()) return Qt;
  if (is_window(object)) return boolean(is_live_window(object));
  if (object.is_string()) {
    Buffer* named = find_buffer(cx, object);
    object = named != nullptr ? named->self : kNil;
  }
  bool shown = false;
  for (Value f = display(cx).frames.get(); f.is_cons() && is_buffer(object); f = cdr_raw(f)) {
    each_frame_leaf(car_raw(f), [&](Value w) {
      shown = shown || window_slot(w, kWindowContents) == object;
      return !shown;
    });
  }
  return boolean(shown);
}

NEOVM_PRIMITIVE(current_bidi_paragraph_direction, "current-bidi-paragraph-direction", 0, 1, kMainOnly, kStateRead,
                kMayGc, kNoReentry, kDeterministic,
                "Return the direction of the paragraph at point; without a display always left-to-right.")
(Context& cx, Value buffer) {
  TRY(buffer_or_current(cx, buffer));
  return Qleft_to_right;
}

NEOVM_PRIMITIVE(format_mode_line, "format-mode-line", 1, 4, kMainOnly, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Format a mode line; the initial terminal has no mode lines, so the result is empty.")
(Context& cx, Value, Value, Value window, Value buffer) {
  TRY(decode_any_window(cx, window));
  TRY(buffer_or_current(cx, buffer));
  return make_string(cx, "");
}

NEOVM_PRIMITIVE(window_text_pixel_size, "window-text-pixel-size", 0, 6, kMainOnly, kStateRead, kMayGc, kNoReentry,
                kDeterministic, "Return the size of WINDOW's text in pixels; the initial terminal shows none.")
(Context& cx, Value window, Value from, Value to, Value, Value, Value) {
  TRY(decode_live_window(cx, window));
  for (const Value v : {from, to})
    if (v.truthy() && v != Qt) TRY(position_argument(cx, v));
  return cons(cx, Value::fixnum(0), Value::fixnum(0));
}

NEOVM_PRIMITIVE(run_window_scroll_functions, "run-window-scroll-functions", 0, 1, kWorkerSafe, kStateWrite, kMayGc,
                kReenters, kDeterministic, "Run window-scroll-functions for WINDOW.")
(Context& cx, Value window) {
  TRY(decode_live_window(cx, window));
  return run_window_scroll_functions_re(cx, window);
}

NEOVM_PRIMITIVE(run_window_configuration_change_hook, "run-window-configuration-change-hook", 0, 1, kMainOnly,
                kStateWrite, kMayGc, kReenters, kDeterministic, "Run window-configuration-change-hook for FRAME.")
(Context& cx, Value frame) {
  TRY(decode_live_frame(cx, frame));
  TRY(run_hook_re(cx, Qwindow_configuration_change_hook));
  return kNil;
}

// What of an overlay- or text-property `invisible` value hides text, by buffer-invisibility-spec.
Value invisible_value(Value spec, Value v) {
  if (spec == Qt) return boolean(v.truthy());
  const auto matches = [&](Value x) -> Value {
    for (Value l = spec; l.is_cons(); l = cdr_raw(l)) {
      const Value e = car_raw(l);
      if (e == x) return Qt;
      if (e.is_cons() && car_raw(e) == x) return cdr_raw(e).truthy() ? Value::fixnum(2) : Qt;
    }
    return kNil;
  };
  const Value direct = matches(v);
  if (direct.truthy()) return direct;
  for (Value l = v; l.is_cons(); l = cdr_raw(l)) {
    const Value r = matches(car_raw(l));
    if (r.truthy()) return r;
  }
  return kNil;
}

NEOVM_PRIMITIVE(
    invisible_p, "invisible-p", 1, 1, kMainOnly, kStateRead, kMayGc, kReenters, kDeterministic,
    "Return non-nil when the text at POS (or with property value POS) is invisible: t, or 2 with an ellipsis.")
(Context& cx, Value position) {
  Value v = position;
  if (position.is_natnum_fixnum() || (host_hooks(cx).is_marker != nullptr && host_hooks(cx).is_marker(position)))
    v = TRY(funcall_re(cx, Qget_char_property, {position, Qinvisible}));
  return invisible_value(variable_value(cx, Qbuffer_invisibility_spec), v);
}

// ---- menus, fonts, native code ---------------------------------------------------------------------------------

NEOVM_PRIMITIVE(x_popup_menu, "x-popup-menu", 2, 2, kMainOnly, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Pop up a menu; the initial terminal cannot, so nothing is chosen.")
(Context& cx, Value position, Value menu) {
  if (position.is_nil()) return kNil;  // only keys of the menu were asked for
  TRY(check_type(cx, position == Qt || position.is_list(), Qlistp, position));
  if (TRY(funcall_re(cx, intern(cx, "keymapp"), {menu})).truthy()) return kNil;
  TRY(check_type(cx, menu.is_list(), Qlistp, menu));
  const Value first = car_of_list(menu);
  if (TRY(funcall_re(cx, intern(cx, "keymapp"), {first})).truthy()) return kNil;
  TRY(check_type(cx, first.is_string(), Qstringp, first));
  for (Value l = cdr_raw(menu); l.is_cons(); l = cdr_raw(l))
    TRY(check_type(cx, car_raw(l).is_list(), Qlistp, car_raw(l)));
  return kNil;
}

NEOVM_PRIMITIVE(menu_bar_menu_at, "menu-bar-menu-at-x-y", 2, 3, kMainOnly, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the menu bar item at X, Y.")
(Context& cx, Value, Value, Value frame) {
  TRY(decode_any_frame(cx, frame));
  return kNil;
}

NEOVM_PRIMITIVE(native_comp_available_p, "native-comp-available-p", 0, 0, kWorkerSafe, kPureRead, kNoGc, kNoReentry,
                kDeterministic, "Return nil: this VM does not use GNU's native compiler.")
(Context&) { return kNil; }

NEOVM_PRIMITIVE(clear_font_cache, "clear-font-cache", 0, 0, kWorkerSafe, kStateWrite, kNoGc, kNoReentry, kDeterministic,
                "Forget cached fonts; there are none.")
(Context&) { return kNil; }

NEOVM_PRIMITIVE(gpm_mouse_start, "gpm-mouse-start", 0, 0, kMainOnly, kStateWrite, kMayGc, kNoReentry, kDeterministic,
                "Connect to gpm.")
(Context& cx) { return error_text(cx, "Gpm-mouse only works in the GNU/Linux console"); }

NEOVM_PRIMITIVE(gpm_mouse_stop, "gpm-mouse-stop", 0, 0, kMainOnly, kStateWrite, kNoGc, kNoReentry, kDeterministic,
                "Disconnect from gpm.")
(Context&) { return kNil; }

// The display moved by these counters: compared with what STATE last saw.
NEOVM_PRIMITIVE(frame_or_buffer_changed_p, "frame-or-buffer-changed-p", 0, 1, kWorkerSafe, kStateWrite, kMayGc,
                kReenters, kDeterministic, "Return t when frames or buffers changed since the last call with VARIABLE.")
(Context& cx, Value variable) {
  Value old = kUnbound;
  const Value symbol = variable.is_nil() ? Qframe_and_buffer_state : variable;
  if (!symbol.is_symbol()) return wrong_type(cx, Qsymbolp, symbol);
  old = variable_value(cx, symbol);
  if (old.is_unbound()) {
    if (variable.truthy()) return signal_error1(cx, Qvoid_variable, variable);
    old = kNil;
  }
  // The state: frames and their names, then live buffers, read-only and modified flags.
  Value state = kNil;
  for (Value f = display(cx).frames.get(); f.is_cons(); f = cdr_raw(f)) {
    state = cons(cx, car_raw(f), state);
    state = cons(cx, frame_slot(car_raw(f), kFrameName), state);
  }
  Value buffers = TRY(funcall_re(cx, Qbuffer_list, {}));
  for (; buffers.is_cons(); buffers = cdr_raw(buffers)) {
    const Value b = car_raw(buffers);
    const Value name = TRY(funcall_re(cx, Qbuffer_name, {b}));
    if (name.is_string() && string_chars(name) > 0 && string_char_raw(name, 0) == ' ') continue;
    state = cons(cx, b, state);
    state = cons(cx, variable_value_in(cx, Qbuffer_read_only, host_hooks(cx).buffer_locals(cx, b)), state);
    state = cons(cx, TRY(funcall_re(cx, Qbuffer_modified_p, {b})), state);
  }
  Value items = kNil;
  std::int64_t n = 0;
  for (Value l = state; l.is_cons(); l = cdr_raw(l), ++n) items = cons(cx, car_raw(l), items);
  const Value fresh = TRY(make_vector(cx, n, kNil));
  for (std::int64_t i = 0; i < n; ++i, items = cdr_raw(items)) set_slot_raw(fresh, i, car_raw(items));
  bool same = is_vector(old) && slot_count_raw(old) == n;
  for (std::int64_t i = 0; same && i < n; ++i) same = slot_raw(old, i) == slot_raw(fresh, i);
  if (same) return kNil;
  TRY(set_variable_re(cx, symbol, fresh));
  return Qt;
}

}  // namespace
}  // namespace neomacs::host
