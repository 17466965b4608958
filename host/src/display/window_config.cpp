// Saving and restoring the arrangement of windows.
//
// A configuration is a host object: slot 0 the frame, slot 1 a vector of saved windows, parents before
// children. Restoring revives the same window objects, so that Lisp's references stay meaningful.
#include "display/display.hpp"

namespace neomacs::host {
namespace {

enum Saved : int {
  kSavedWindow,
  kSavedParent,
  kSavedNext,
  kSavedPrevious,
  kSavedContents,
  kSavedPoint,
  kSavedStart,
  kSavedGeometry,  // (LEFT TOP WIDTH HEIGHT HORIZONTAL HSCROLL)
  kSavedParameters,
  kSavedPrevBuffers,
  kSavedNextBuffers,
  kSavedDedicated,
  kSavedNormalLines,
  kSavedNormalColumns,
  kSavedCount
};

Value save_window_re(Context& cx, Value w, Value* out) {
  const Value v = TRY(make_slots(cx, ObjectKind::kInternalSlots, kSavedCount, kNil));
  const WindowData& d = window_data(w);
  set_slot_raw(v, kSavedWindow, w);
  set_slot_raw(v, kSavedParent, window_slot(w, kWindowParent));
  set_slot_raw(v, kSavedNext, window_slot(w, kWindowNext));
  set_slot_raw(v, kSavedPrevious, window_slot(w, kWindowPrevious));
  set_slot_raw(v, kSavedContents, window_slot(w, kWindowContents));
  set_slot_raw(v, kSavedGeometry,
               list(cx, {Value::fixnum(d.left), Value::fixnum(d.top), Value::fixnum(d.width), Value::fixnum(d.height),
                         boolean(d.horizontal), Value::fixnum(d.hscroll)}));
  set_slot_raw(v, kSavedParameters, window_slot(w, kWindowParameters));
  set_slot_raw(v, kSavedPrevBuffers, window_slot(w, kWindowPrevBuffers));
  set_slot_raw(v, kSavedNextBuffers, window_slot(w, kWindowNextBuffers));
  set_slot_raw(v, kSavedDedicated, window_slot(w, kWindowDedicated));
  set_slot_raw(v, kSavedNormalLines, window_slot(w, kWindowNormalLines));
  set_slot_raw(v, kSavedNormalColumns, window_slot(w, kWindowNormalColumns));
  if (is_live_window(w)) {
    set_slot_raw(v, kSavedPoint, TRY(funcall_re(cx, Qcopy_marker, {window_slot(w, kWindowPoint)})));
    set_slot_raw(v, kSavedStart, TRY(funcall_re(cx, Qcopy_marker, {window_slot(w, kWindowStart)})));
  }
  *out = cons(cx, v, *out);
  for (Value c = first_child(w); c.truthy(); c = window_slot(c, kWindowNext)) TRY(save_window_re(cx, c, out));
  return kNil;
}

// A dead buffer cannot be shown again: the window then shows the buffer it has, or *scratch*.
Value restore_window_re(Context& cx, Value v) {
  const Value w = slot_raw(v, kSavedWindow);
  const Value shown = window_slot(w, kWindowContents);
  set_window_slot(w, kWindowParent, slot_raw(v, kSavedParent));
  set_window_slot(w, kWindowNext, slot_raw(v, kSavedNext));
  set_window_slot(w, kWindowPrevious, slot_raw(v, kSavedPrevious));
  set_window_slot(w, kWindowParameters, slot_raw(v, kSavedParameters));
  set_window_slot(w, kWindowPrevBuffers, slot_raw(v, kSavedPrevBuffers));
  set_window_slot(w, kWindowNextBuffers, slot_raw(v, kSavedNextBuffers));
  set_window_slot(w, kWindowDedicated, slot_raw(v, kSavedDedicated));
  set_window_slot(w, kWindowNormalLines, slot_raw(v, kSavedNormalLines));
  set_window_slot(w, kWindowNormalColumns, slot_raw(v, kSavedNormalColumns));
  Value g = slot_raw(v, kSavedGeometry);
  WindowData& d = window_data(w);
  std::int64_t numbers[6] = {};
  bool horizontal = false;
  for (int i = 0; g.is_cons(); g = cdr_raw(g), ++i) {
    if (i == 4) horizontal = car_raw(g).truthy();
    if (car_raw(g).is_fixnum()) numbers[i] = car_raw(g).as_fixnum();
  }
  d.left = static_cast<int>(numbers[0]);
  d.top = static_cast<int>(numbers[1]);
  d.width = static_cast<int>(numbers[2]);
  d.height = static_cast<int>(numbers[3]);
  d.horizontal = horizontal;
  d.hscroll = numbers[5];
  Value contents = slot_raw(v, kSavedContents);
  if (is_window(contents)) {
    set_window_slot(w, kWindowContents, contents);
    return kNil;
  }
  const Value live = TRY(funcall_re(cx, Qbuffer_live_p, {contents}));
  if (live.truthy()) {
    set_window_slot(w, kWindowContents, contents);
    TRY(funcall_re(cx, Qset_marker, {window_slot(w, kWindowPoint), slot_raw(v, kSavedPoint), contents}));
    return funcall_re(cx, Qset_marker, {window_slot(w, kWindowStart), slot_raw(v, kSavedStart), contents});
  }
  if (is_live_window(w) && TRY(funcall_re(cx, Qbuffer_live_p, {shown})).truthy()) return kNil;
  return show_buffer_re(cx, w, TRY(funcall_re(cx, Qget_buffer_create, {make_string(cx, "*scratch*")})));
}

NEOVM_PRIMITIVE(window_configuration_p, "window-configuration-p", 1, 1, kWorkerSafe, kPureRead, kNoGc, kNoReentry,
                kDeterministic, "Return t when OBJECT is a window configuration.")
(Context&, Value object) { return boolean(is_host(object, &kWindowConfigurationType)); }

NEOVM_PRIMITIVE(current_window_configuration, "current-window-configuration", 0, 1, kWorkerSafe, kStateRead, kMayGc,
                kReenters, kDeterministic, "Return an object that describes the arrangement of FRAME's windows.")
(Context& cx, Value frame) {
  const Value f = TRY(decode_live_frame(cx, frame));
  TRY(save_selected_point_re(cx));
  Value saved = kNil;
  TRY(save_window_re(cx, frame_slot(f, kFrameRoot), &saved));
  TRY(save_window_re(cx, frame_slot(f, kFrameMinibuffer), &saved));
  const Value c = make_host_object(cx, &kWindowConfigurationType);
  set_host_slot_raw(c, 0, list(cx, {f, display(cx).selected_window.get(), host_hooks(cx).current_buffer(cx)}));
  set_host_slot_raw(c, 1, nreverse_list(saved));
  return c;
}

NEOVM_PRIMITIVE(set_window_configuration, "set-window-configuration", 1, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic, "Restore the arrangement of windows that CONFIGURATION describes.")
(Context& cx, Value configuration, Value, Value) {
  if (!is_host(configuration, &kWindowConfigurationType)) return wrong_type(cx, Qwindow_configuration_p, configuration);
  const Value head = host_slot_raw(configuration, 0);
  const Value f = car_raw(head);
  const Value selected = car_raw(cdr_raw(head));
  const Value buffer = car_raw(cdr_raw(cdr_raw(head)));
  if (!frame_data(f).live) return kNil;
  const Value entered_buffer = host_hooks(cx).current_buffer(cx);
  TRY(save_selected_point_re(cx));
  const Value entered_point = TRY(funcall_re(cx, Qpoint, {}));

  // Windows made since then leave the tree.
  Value current = kNil;
  each_frame_leaf(f, [&](Value w) {
    current = cons(cx, w, current);
    return true;
  });
  for (Value l = current; l.is_cons(); l = cdr_raw(l)) {
    bool kept = false;
    for (Value s = host_slot_raw(configuration, 1); s.is_cons(); s = cdr_raw(s))
      kept = kept || slot_raw(car_raw(s), kSavedWindow) == car_raw(l);
    if (kept) continue;
    for (const WindowSlot slot : {kWindowStart, kWindowPoint, kWindowOldPoint})
      TRY(funcall_re(cx, Qset_marker, {window_slot(car_raw(l), slot), kNil}));
    set_window_slot(car_raw(l), kWindowContents, kNil);
  }
  for (Value s = host_slot_raw(configuration, 1); s.is_cons(); s = cdr_raw(s)) TRY(restore_window_re(cx, car_raw(s)));
  set_frame_slot(f, kFrameRoot, slot_raw(car_raw(host_slot_raw(configuration, 1)), kSavedWindow));
  fit_below_menu(f);

  // Select the saved window without recording; point in the buffer that was current stays.
  display(cx).selected_window.set(selected);
  set_frame_slot(f, kFrameSelected, selected);
  TRY(funcall_re(cx, Qset_buffer, {window_slot(selected, kWindowContents)}));
  const Value position = TRY(funcall_re(cx, Qmarker_position, {window_slot(selected, kWindowPoint)}));
  if (window_slot(selected, kWindowContents) == entered_buffer) {
    TRY(funcall_re(cx, Qgoto_char, {entered_point}));
  } else if (position.is_fixnum()) {
    TRY(funcall_re(cx, Qgoto_char, {position}));
  }
  const Value live = TRY(funcall_re(cx, Qbuffer_live_p, {buffer}));
  if (live.truthy()) TRY(funcall_re(cx, Qset_buffer, {buffer}));
  return boolean(frame_data(f).live);
}

NEOVM_PRIMITIVE(window_configuration_frame, "window-configuration-frame", 1, 1, kWorkerSafe, kStateRead, kNoGc,
                kNoReentry, kDeterministic, "Return the frame CONFIGURATION is for.")
(Context& cx, Value configuration) {
  if (!is_host(configuration, &kWindowConfigurationType)) return wrong_type(cx, Qwindow_configuration_p, configuration);
  return car_raw(host_slot_raw(configuration, 0));
}

NEOVM_PRIMITIVE(compare_window_configurations, "compare-window-configurations", 2, 2, kWorkerSafe, kStateRead, kNoGc,
                kNoReentry, kDeterministic, "Return t when X and Y arrange the same windows in the same way.")
(Context& cx, Value x, Value y) {
  for (const Value c : {x, y})
    if (!is_host(c, &kWindowConfigurationType)) return wrong_type(cx, Qwindow_configuration_p, c);
  Value a = host_slot_raw(x, 1);
  Value b = host_slot_raw(y, 1);
  for (; a.is_cons() && b.is_cons(); a = cdr_raw(a), b = cdr_raw(b)) {
    for (const int slot : {kSavedWindow, kSavedContents, kSavedParent, kSavedNext})
      if (slot_raw(car_raw(a), slot) != slot_raw(car_raw(b), slot)) return kNil;
    Value ga = slot_raw(car_raw(a), kSavedGeometry);
    Value gb = slot_raw(car_raw(b), kSavedGeometry);
    for (; ga.is_cons(); ga = cdr_raw(ga), gb = cdr_raw(gb))
      if (car_raw(ga) != car_raw(gb)) return kNil;
  }
  return boolean(a.is_nil() && b.is_nil());
}

}  // namespace
}  // namespace neomacs::host
