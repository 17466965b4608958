// The display state of an isolate: types, argument checks, and the initial frame.
#include "display/display.hpp"

#include <cstdio>

#include "buffer/buffer.hpp"

namespace neomacs::host {

namespace {

std::string address_of(Value v) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(v.bits() & ~Value::kTagMask));
  return text;
}

Value print_window(Context& cx, Value w) {
  std::string s = "#<window " + std::to_string(window_data(w).sequence);
  if (is_live_window(w)) {
    const Value name = buffer_raw(window_slot(w, kWindowContents)).name;
    if (name.is_string()) s += " on " + to_std_string(name);
  }
  return make_string(cx, s + ">");
}

Value print_frame(Context& cx, Value f) {
  const Value name = frame_slot(f, kFrameName);
  return make_string(cx, std::string(frame_data(f).live ? "#<frame " : "#<dead frame ") +
                             (name.is_string() ? to_std_string(name) : "") + " " + address_of(f) + ">");
}

Value print_terminal(Context& cx, Value t) {
  const auto* data = host_payload_raw<TerminalData>(t);
  return make_string(
      cx, "#<terminal " + std::to_string(data->id) + " on " + to_std_string(host_slot_raw(t, kTerminalName)) + ">");
}

Value print_configuration(Context& cx, Value) { return make_string(cx, "#<window-configuration>"); }

void trace_state(void* state, Tracer& t) {
  auto* d = static_cast<DisplayState*>(state);
  d->selected_window.trace(t);
  d->selected_frame.trace(t);
  d->terminal.trace(t);
  d->frames.trace(t);
}

void destroy_state(void* state) { delete static_cast<DisplayState*>(state); }

Value save_state(Context& cx, void* state) {
  auto* d = static_cast<DisplayState*>(state);
  return list(cx, {d->selected_window.get(), d->selected_frame.get(), d->terminal.get(), d->frames.get(),
                   Value::fixnum(d->next_window), Value::fixnum(d->use_count)});
}

void restore_state(Context&, void* state, Value saved) {
  auto* d = static_cast<DisplayState*>(state);
  Slot* const slots[] = {&d->selected_window, &d->selected_frame, &d->terminal, &d->frames};
  for (Slot* s : slots) {
    s->set(car_raw(saved));
    saved = cdr_raw(saved);
  }
  d->next_window = car_raw(saved).as_fixnum();
  d->use_count = car_raw(cdr_raw(saved)).as_fixnum();
}

}  // namespace

namespace {

constexpr HostType display_type(const char* name, Value symbol, int slots, std::size_t payload,
                                Value (*print)(Context&, Value)) {
  HostType t{};
  t.name = name;
  t.type_symbol = symbol;
  t.slot_count = static_cast<std::uint16_t>(slots);
  t.payload_bytes = static_cast<std::uint16_t>(payload);
  t.print_re = print;
  t.image = ImagePayload::kPlain;
  return t;
}

}  // namespace

constexpr HostType kWindowType = display_type("window", Qwindow, kWindowSlotCount, sizeof(WindowData), print_window);
constexpr HostType kFrameType = display_type("frame", Qframe, kFrameSlotCount, sizeof(FrameData), print_frame);
constexpr HostType kTerminalType =
    display_type("terminal", Qterminal, kTerminalSlotCount, sizeof(TerminalData), print_terminal);
constexpr HostType kWindowConfigurationType =
    display_type("window-configuration", Qwindow_configuration, 2, 0, print_configuration);
NEOVM_HOST_TYPE(kWindowType)
NEOVM_HOST_TYPE(kFrameType)
NEOVM_HOST_TYPE(kTerminalType)
NEOVM_HOST_TYPE(kWindowConfigurationType)

DisplayState& display(Context& cx) {
  auto* state = static_cast<DisplayState*>(extension_state(cx, ExtensionId::kHostDisplay));
  if (state == nullptr) {
    state = new DisplayState;  // owned by the isolate through the extension
    set_extension(cx, ExtensionId::kHostDisplay, {state, trace_state, destroy_state, save_state, restore_state});
  }
  return *state;
}

Value decode_any_window(Context& cx, Value w) {
  if (w.is_nil()) return display(cx).selected_window.get();
  return is_window(w) ? w : wrong_type(cx, Qwindowp, w);
}

Value decode_live_window(Context& cx, Value w) {
  if (w.is_nil()) return display(cx).selected_window.get();
  return is_live_window(w) ? w : wrong_type(cx, Qwindow_live_p, w);
}

Value decode_valid_window(Context& cx, Value w) {
  if (w.is_nil()) return display(cx).selected_window.get();
  return is_valid_window(w) ? w : wrong_type(cx, Qwindow_valid_p, w);
}

Value decode_live_frame(Context& cx, Value f) {
  if (f.is_nil()) return display(cx).selected_frame.get();
  return is_frame(f) && frame_data(f).live ? f : wrong_type(cx, Qframe_live_p, f);
}

Value decode_any_frame(Context& cx, Value f) {
  if (f.is_nil()) return display(cx).selected_frame.get();
  return is_frame(f) ? f : wrong_type(cx, Qframep, f);
}

Value make_window_re(Context& cx, Value frame) {
  Value w = make_host_object(cx, &kWindowType);
  WindowData& d = window_data(w);
  d = {};
  d.sequence = ++display(cx).next_window;
  set_window_slot(w, kWindowFrame, frame);
  set_window_slot(w, kWindowNewPixel, Value::fixnum(0));
  set_window_slot(w, kWindowNewNormal, Value::fixnum(0));
  set_window_slot(w, kWindowNewTotal, Value::fixnum(0));
  set_window_slot(w, kWindowNormalLines, make_float(cx, 1.0));
  set_window_slot(w, kWindowNormalColumns, make_float(cx, 1.0));
  set_window_slot(w, kWindowScrollBarType, Qt);
  for (const WindowSlot slot : {kWindowStart, kWindowPoint, kWindowOldPoint}) {
    const Value marker = TRY(funcall_re(cx, Qmake_marker, {}));
    set_window_slot(w, slot, marker);
  }
  return w;
}

Value show_buffer_re(Context& cx, Value w, Value buffer) {
  window_data(w).old_start = 1;
  window_data(w).end_from_z = 0;
  set_window_slot(w, kWindowContents, buffer);
  const std::size_t depth = binding_depth(cx);
  host_hooks(cx).record_save_current_buffer(cx);
  TRY(funcall_re(cx, Qset_buffer, {buffer}));
  const Value point = TRY(funcall_re(cx, Qpoint, {}));
  TRY(funcall_re(cx, Qset_marker, {window_slot(w, kWindowPoint), point, buffer}));
  TRY(funcall_re(cx, Qset_marker, {window_slot(w, kWindowOldPoint), point, buffer}));
  TRY(funcall_re(cx, Qset_marker, {window_slot(w, kWindowStart), Value::fixnum(1), buffer}));
  return unbind_to_re(cx, depth, w);
}

Value run_window_scroll_functions_re(Context& cx, Value window) {
  const Value functions = variable_value(cx, Qwindow_scroll_functions);
  if (functions.is_nil() || functions.is_unbound()) return kNil;
  const Value w = window.is_nil() ? display(cx).selected_window.get() : window;
  const Value start = TRY(funcall_re(cx, Qmarker_position, {window_slot(w, kWindowStart)}));
  const Value args[] = {window, start};
  TRY(run_hook_with_args_re(cx, Qwindow_scroll_functions, args));
  return kNil;
}

// Frame F1 with a root and a minibuffer window on GNU's "initial terminal", 80 by 25.
void attach_display(Context& cx) {
  DisplayState& d = display(cx);
  const Value terminal = make_host_object(cx, &kTerminalType);
  set_host_slot_raw(terminal, kTerminalName, make_string(cx, "initial_terminal"));
  *host_payload_raw<TerminalData>(terminal) = {0, true};
  d.terminal.set(terminal);

  const Value frame = make_host_object(cx, &kFrameType);
  frame_data(frame) = {80, 25, 0, 0, true};
  set_frame_slot(frame, kFrameName, make_string(cx, "F1"));
  set_frame_slot(frame, kFrameTerminal, terminal);
  d.selected_frame.set(frame);
  d.frames.set(list(cx, {frame}));

  const Value root = make_window_re(cx, frame);
  if (root.is_exit()) return;  // a build without buffers
  set_frame_slot(d.selected_frame.get(), kFrameRoot, root);
  d.selected_window.set(root);
  const Value mini = make_window_re(cx, d.selected_frame.get());
  window_data(mini).mini = true;
  const Value f = d.selected_frame.get();
  set_frame_slot(f, kFrameMinibuffer, mini);
  set_frame_slot(f, kFrameSelected, d.selected_window.get());
  set_window_slot(d.selected_window.get(), kWindowNext, mini);
  set_window_slot(mini, kWindowPrevious, d.selected_window.get());
  const Value scratch = funcall_re(cx, Qget_buffer_create, {make_string(cx, "*scratch*")});
  if (scratch.is_exit()) return;
  show_buffer_re(cx, d.selected_window.get(), scratch);
  const Value minibuffer = funcall_re(cx, Qget_buffer_create, {make_string(cx, " *Minibuf-0*")});
  if (minibuffer.is_exit()) return;
  show_buffer_re(cx, frame_slot(d.selected_frame.get(), kFrameMinibuffer), minibuffer);
  // GNU's start-up code expects the log of messages to exist.
  if (funcall_re(cx, Qget_buffer_create, {make_string(cx, "*Messages*")}).is_exit()) return;
  place_window(d.selected_window.get(), 0, 0, 80, 24);
  place_window(frame_slot(d.selected_frame.get(), kFrameMinibuffer), 0, 24, 80, 1);
  d.use_count = 1;
  window_data(d.selected_window.get()).use_time = 1;
  set_variable_re(cx, Qterminal_frame, d.selected_frame.get());
}

NEOVM_VARIABLE(terminal_frame, "terminal-frame", kGlobalVar, kAny, kInitNil,
               "The initial frame, which is on no display.")

}  // namespace neomacs::host
