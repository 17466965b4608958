// Walking, selecting, splitting, deleting and resizing windows.
#include <algorithm>
#include <cmath>

#include "display/display.hpp"

namespace neomacs::host {

// Children keep their share of a combination; the last one takes what rounding left over.
void place_window(Value w, int left, int top, int width, int height) {
  WindowData& d = window_data(w);
  const int old_extent = d.horizontal ? d.width : d.height;
  d.left = left;
  d.top = top;
  d.width = width;
  d.height = height;
  const int extent = d.horizontal ? width : height;
  int used = 0;
  for (Value c = first_child(w); c.truthy(); c = window_slot(c, kWindowNext)) {
    const WindowData& child = window_data(c);
    const int size = d.horizontal ? child.width : child.height;
    int share = old_extent > 0 ? size * extent / old_extent : 0;
    if (window_slot(c, kWindowNext).is_nil()) share = extent - used;
    if (d.horizontal) {
      place_window(c, left + used, top, share, height);
    } else {
      place_window(c, left, top + used, width, share);
    }
    used += share;
  }
}

// The frame's first line belongs to the menu bar, which GNU's frame starts without. What lays windows out anew first only counts
// their lines from below it (`window-top-line'); saved arrangements and redisplay then really move them.
void count_lines_from_menu(Value frame) {
  if (window_data(frame_slot(frame, kFrameRoot)).top == 0) frame_data(frame).line_shift = 1;
}

// Puts the root below the menu bar, with the lines that this and the minibuffer leave it.
void fit_below_menu(Value frame) {
  const Value root = frame_slot(frame, kFrameRoot);
  const Value mini = frame_slot(frame, kFrameMinibuffer);
  FrameData& f = frame_data(frame);
  f.line_shift = 0;
  if (const WindowData d = window_data(root); d.top == 0) {
    place_window(root, d.left, 1, d.width, d.height);
    window_data(mini).top = 1 + d.height;
  }
  const int over =
      window_data(root).top + window_data(root).height + window_data(mini).height - f.height - f.menu_lines;
  if (over <= 0 || window_data(root).height <= over) return;
  // The last window gives the lines, when it has them.
  Value last = root;
  while (!window_data(last).horizontal && first_child(last).truthy())
    for (last = first_child(last); window_slot(last, kWindowNext).truthy();) last = window_slot(last, kWindowNext);
  if (window_data(last).height > over + 3) {
    for (Value w = last; w.truthy(); w = window_slot(w, kWindowParent)) {
      const WindowData d = window_data(w);
      if (w == last) {
        place_window(w, d.left, d.top, d.width, d.height - over);
      } else {
        window_data(w).height -= over;
      }
    }
  } else {
    const WindowData d = window_data(root);
    place_window(root, d.left, d.top, d.width, d.height - over);
  }
  window_data(mini).top -= over;
}

Value save_selected_point_re(Context& cx) {
  const Value w = display(cx).selected_window.get();
  if (!is_live_window(w) || host_hooks(cx).current_buffer(cx) != window_slot(w, kWindowContents)) return kNil;
  const Value point = TRY(funcall_re(cx, Qpoint, {}));
  return funcall_re(cx, Qset_marker, {window_slot(w, kWindowPoint), point, window_slot(w, kWindowContents)});
}

Value select_window_re(Context& cx, Value w, bool record) {
  DisplayState& d = display(cx);
  if (record) window_data(w).use_time = ++d.use_count;
  const Value buffer = window_slot(w, kWindowContents);
  if (w == d.selected_window.get()) {
    TRY(funcall_re(cx, Qset_buffer, {buffer}));
    return w;
  }
  // The window that loses the selection remembers its buffer's point.
  const Value old = d.selected_window.get();
  if (is_live_window(old)) {
    const std::size_t depth = binding_depth(cx);
    host_hooks(cx).record_save_current_buffer(cx);
    TRY(funcall_re(cx, Qset_buffer, {window_slot(old, kWindowContents)}));
    const Value point = TRY(funcall_re(cx, Qpoint, {}));
    TRY(funcall_re(cx, Qset_marker, {window_slot(old, kWindowPoint), point, window_slot(old, kWindowContents)}));
    TRY(unbind_to_re(cx, depth, kNil));
  }
  d.selected_window.set(w);
  d.selected_frame.set(window_slot(w, kWindowFrame));
  set_frame_slot(window_slot(w, kWindowFrame), kFrameSelected, w);
  TRY(funcall_re(cx, Qset_buffer, {buffer}));
  const Value position = TRY(funcall_re(cx, Qmarker_position, {window_slot(w, kWindowPoint)}));
  if (position.is_fixnum()) TRY(funcall_re(cx, Qgoto_char, {position}));
  return w;
}

namespace {

// Marks a window that leaves the tree; markers let go of their buffer.
Value detach_markers_re(Context& cx, Value w) {
  for (const WindowSlot slot : {kWindowStart, kWindowPoint, kWindowOldPoint})
    TRY(funcall_re(cx, Qset_marker, {window_slot(w, slot), kNil}));
  return kNil;
}

Value delete_subtree_re(Context& cx, Value w) {
  for (Value c = first_child(w); c.truthy(); c = window_slot(c, kWindowNext)) TRY(delete_subtree_re(cx, c));
  TRY(detach_markers_re(cx, w));
  set_window_slot(w, kWindowContents, kNil);
  return kNil;
}

void replace_in_parent(Value old, Value fresh) {
  const Value parent = window_slot(old, kWindowParent);
  const Value next = window_slot(old, kWindowNext);
  const Value previous = window_slot(old, kWindowPrevious);
  set_window_slot(fresh, kWindowParent, parent);
  set_window_slot(fresh, kWindowNext, next);
  set_window_slot(fresh, kWindowPrevious, previous);
  if (next.truthy()) set_window_slot(next, kWindowPrevious, fresh);
  if (previous.truthy()) set_window_slot(previous, kWindowNext, fresh);
  if (parent.truthy() && window_slot(parent, kWindowContents) == old) set_window_slot(parent, kWindowContents, fresh);
  const Value frame = window_slot(old, kWindowFrame);
  if (frame_slot(frame, kFrameRoot) == old) set_frame_slot(frame, kFrameRoot, fresh);
}

// Which windows a walk visits: ALL-FRAMES and MINIBUF arguments as in `next-window`.
struct Walk {
  bool minibuffer;
};
Walk decode_walk(Value minibuffer) { return {minibuffer == Qt}; }

template <class Fn>
void each_window(Context& cx, const Walk& walk, Fn&& fn) {
  for (Value f = display(cx).frames.get(); f.is_cons(); f = cdr_raw(f)) {
    const bool more = each_frame_leaf(car_raw(f), [&](Value w) {
      if (window_data(w).mini && !walk.minibuffer) return true;
      return fn(w);
    });
    if (!more) return;
  }
}

// The walk from `window` on as a list.
Value window_cycle(Context& cx, Value window, const Walk& walk) {
  Value before = kNil;
  Value after = kNil;
  bool seen = false;
  each_window(cx, walk, [&](Value w) {
    seen = seen || w == window;
    if (seen) {
      after = cons(cx, w, after);
    } else {
      before = cons(cx, w, before);
    }
    return true;
  });
  after = nreverse_list(after);
  if (after.is_nil()) return nreverse_list(before);
  Value tail = after;
  while (cdr_raw(tail).is_cons()) tail = cdr_raw(tail);
  set_cdr_raw(tail, nreverse_list(before));
  return after;
}

}  // namespace

NEOVM_PRIMITIVE(window_list_1, "window-list-1", 0, 3, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return a list of all live windows, starting with WINDOW.")
(Context& cx, Value window, Value minibuffer, Value) {
  const Value w = TRY(decode_live_window(cx, window));
  return window_cycle(cx, w, decode_walk(minibuffer));
}

NEOVM_PRIMITIVE(window_list, "window-list", 0, 3, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return the live windows of FRAME, starting with WINDOW.")
(Context& cx, Value frame, Value minibuffer, Value window) {
  // FRAME is not looked at but compared with WINDOW's.
  const DisplayState& d = display(cx);
  if (window.is_nil()) window = is_frame(frame) ? frame_slot(frame, kFrameSelected) : d.selected_window.get();
  if (!is_window(window)) return wrong_type(cx, Qwindowp, window);
  const Value f = frame.is_nil() ? d.selected_frame.get() : frame;
  const Value w = window;
  if (window_slot(w, kWindowFrame) != f) return error_text(cx, "Window is on a different frame");
  return window_cycle(cx, w, decode_walk(minibuffer));
}

NEOVM_PRIMITIVE(next_window, "next-window", 0, 3, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return the live window after WINDOW in the cyclic order.")
(Context& cx, Value window, Value minibuffer, Value) {
  const Value w = TRY(decode_live_window(cx, window));
  const Value all = window_cycle(cx, w, decode_walk(minibuffer));
  if (all.is_nil()) return w;
  return car_raw(all) == w && cdr_raw(all).is_cons() ? car_raw(cdr_raw(all)) : car_raw(all);
}

NEOVM_PRIMITIVE(previous_window, "previous-window", 0, 3, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return the live window before WINDOW in the cyclic order.")
(Context& cx, Value window, Value minibuffer, Value) {
  const Value w = TRY(decode_live_window(cx, window));
  Value all = window_cycle(cx, w, decode_walk(minibuffer));
  Value last = w;
  for (; all.is_cons(); all = cdr_raw(all)) last = car_raw(all);
  return last;
}

NEOVM_PRIMITIVE(get_buffer_window, "get-buffer-window", 0, 2, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return a window that shows BUFFER-OR-NAME, the selected one if it does, or nil.")
(Context& cx, Value buffer_or_name, Value) {
  Value buffer =
      buffer_or_name.is_nil() ? host_hooks(cx).current_buffer(cx) : TRY(funcall_re(cx, Qget_buffer, {buffer_or_name}));
  if (buffer.is_nil()) return kNil;
  const Value selected = display(cx).selected_window.get();
  if (window_slot(selected, kWindowContents) == buffer) return selected;
  Value found = kNil;
  each_window(cx, {true}, [&](Value w) {
    if (window_slot(w, kWindowContents) == buffer) found = w;
    return found.is_nil();
  });
  return found;
}

NEOVM_PRIMITIVE(window_at, "window-at", 2, 3, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return the window that covers column X and line Y of FRAME.")
(Context& cx, Value x, Value y, Value frame) {
  const Value f = TRY(decode_live_frame(cx, frame));
  // Parts of a column count towards column 0, on its left too.
  const double column = std::trunc(TRY(number_as_double(cx, x)));
  const double line = std::trunc(TRY(number_as_double(cx, y)));
  Value found = kNil;
  each_frame_leaf(f, [&](Value w) {
    const WindowData& d = window_data(w);
    if (column >= d.left && column < d.left + d.width && line >= d.top && line < d.top + d.height) found = w;
    return found.is_nil();
  });
  return found;
}

NEOVM_PRIMITIVE(select_window, "select-window", 1, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Select WINDOW and make its buffer current; NORECORD leaves the order of buffers alone.")
(Context& cx, Value window, Value norecord) {
  if (!is_live_window(window)) return wrong_type(cx, Qwindow_live_p, window);
  return select_window_re(cx, window, norecord.is_nil());
}

NEOVM_PRIMITIVE(set_window_buffer, "set-window-buffer", 2, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic, "Make WINDOW show BUFFER-OR-NAME.")
(Context& cx, Value window, Value buffer_or_name, Value keep_margins) {
  const Value w = TRY(decode_live_window(cx, window));
  const Value buffer = TRY(funcall_re(cx, Qget_buffer, {buffer_or_name}));
  if (buffer.is_nil()) return wrong_type(cx, Qbufferp, buffer);
  const Value live = TRY(funcall_re(cx, Qbuffer_live_p, {buffer}));
  if (live.is_nil()) return error_text(cx, "Attempt to display deleted buffer");
  const Value old = window_slot(w, kWindowContents);
  if (old != buffer) {
    const Value dedicated = window_slot(w, kWindowDedicated);
    if (dedicated == Qt)
      return error_format(cx, "Window is dedicated to ‘%s’",
                          to_std_string(TRY(funcall_re(cx, Qbuffer_name, {old}))).c_str());
    if (dedicated.truthy()) set_window_slot(w, kWindowDedicated, kNil);
  }
  if (w == display(cx).selected_window.get()) TRY(save_selected_point_re(cx));
  TRY(show_buffer_re(cx, w, buffer));
  window_data(w).hscroll = window_data(w).vscroll = 0;
  if (keep_margins.is_nil()) {
    set_window_slot(w, kWindowLeftMargin, kNil);
    set_window_slot(w, kWindowRightMargin, kNil);
  }
  return run_window_scroll_functions_re(cx, w);
}

NEOVM_PRIMITIVE(split_window_internal, "split-window-internal", 4, 4, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic, "Split OLD: give a new window PIXEL-SIZE on SIDE; NORMAL-SIZE is its share.")
(Context& cx, Value old, Value pixel_size, Value side, Value normal_size) {
  if (!is_window(old)) return wrong_type(cx, Qwindowp, old);
  const Value o = TRY(decode_valid_window(cx, old));
  const Value frame = window_slot(o, kWindowFrame);
  if (!pixel_size.is_fixnum()) return wrong_type(cx, Qfixnump, pixel_size);
  const bool horizontal = side == Qt || side == Qleft || side == Qright;
  WindowData& d = window_data(o);
  if (d.mini) return error_text(cx, "Attempt to split minibuffer window");
  const auto size = static_cast<int>(pixel_size.as_fixnum());
  if (size < (horizontal ? 2 : 1)) return error_text(cx, "Size of new window too small (after split)");
  const Value parent = window_slot(o, kWindowParent);
  const bool combine = parent.is_nil() || variable_value(cx, Qwindow_combination_limit) == Qt ||
                       window_data(parent).horizontal != horizontal;
  const bool resize = variable_value(cx, Qwindow_combination_resize).truthy() && !combine;
  const int extent = horizontal ? d.width : d.height;
  if (!resize) {
    const Value fresh_size = window_slot(o, kWindowNewPixel);
    if (!fresh_size.is_fixnum() || fresh_size.as_fixnum() < (horizontal ? 2 : 1))
      return error_text(cx, "Resizing old window failed");
    if (fresh_size.as_fixnum() + size != extent) return error_text(cx, "Sum of sizes of old and new window don’t fit");
  }
  const bool before = side == Qleft || side == Qabove;

  // A selected leaf stays the reference for buffer and point of the new one.
  Value reference = o;
  if (!is_live_window(reference)) reference = frame_slot(frame, kFrameSelected);

  if (combine) {
    const Value p = TRY(make_window_re(cx, frame));
    replace_in_parent(o, p);
    WindowData& pd = window_data(p);
    pd.left = d.left;
    pd.top = d.top;
    pd.width = d.width;
    pd.height = d.height;
    pd.horizontal = horizontal;
    set_window_slot(p, kWindowNormalLines, window_slot(o, kWindowNormalLines));
    set_window_slot(p, kWindowNormalColumns, window_slot(o, kWindowNormalColumns));
    set_window_slot(p, kWindowCombinationLimit, variable_value(cx, Qwindow_combination_limit) == Qt ? Qt : kNil);
    set_window_slot(p, kWindowContents, o);
    set_window_slot(o, kWindowParent, p);
    set_window_slot(o, kWindowNext, kNil);
    set_window_slot(o, kWindowPrevious, kNil);
    set_window_slot(o, horizontal ? kWindowNormalLines : kWindowNormalColumns, make_float(cx, 1.0));
    for (const WindowSlot slot : {kWindowStart, kWindowPoint, kWindowOldPoint})
      TRY(funcall_re(cx, Qset_marker, {window_slot(p, slot), kNil}));
  }
  const Value n = TRY(make_window_re(cx, frame));
  set_window_slot(n, kWindowParent, window_slot(o, kWindowParent));
  if (before) {
    const Value previous = window_slot(o, kWindowPrevious);
    set_window_slot(n, kWindowPrevious, previous);
    set_window_slot(n, kWindowNext, o);
    if (previous.truthy()) {
      set_window_slot(previous, kWindowNext, n);
    } else {
      set_window_slot(window_slot(o, kWindowParent), kWindowContents, n);
    }
    set_window_slot(o, kWindowPrevious, n);
  } else {
    const Value next = window_slot(o, kWindowNext);
    set_window_slot(n, kWindowNext, next);
    set_window_slot(n, kWindowPrevious, o);
    if (next.truthy()) set_window_slot(next, kWindowPrevious, n);
    set_window_slot(o, kWindowNext, n);
  }
  WindowData& nd = window_data(n);
  const int rest = extent - size;
  if (resize) {
    // The other members of the combination already carry their new sizes.
    const Value p = window_slot(o, kWindowParent);
    set_window_slot(n, kWindowNewPixel, pixel_size);
    int at = horizontal ? window_data(p).left : window_data(p).top;
    for (Value c = first_child(p); c.truthy(); c = window_slot(c, kWindowNext)) {
      const auto share = static_cast<int>(window_slot(c, kWindowNewPixel).as_fixnum());
      if (horizontal) {
        place_window(c, at, window_data(p).top, share, window_data(p).height);
      } else {
        place_window(c, window_data(p).left, at, window_data(p).width, share);
      }
      if (c != n)
        set_window_slot(c, horizontal ? kWindowNormalColumns : kWindowNormalLines, window_slot(c, kWindowNewNormal));
      at += share;
    }
  } else if (horizontal) {
    const int left = d.left;
    place_window(o, before ? left + size : left, d.top, rest, d.height);
    nd.left = before ? left : left + rest;
    nd.top = d.top;
    nd.width = size;
    nd.height = d.height;
  } else {
    const int top = d.top;
    place_window(o, d.left, before ? top + size : top, d.width, rest);
    nd.left = d.left;
    nd.top = before ? top : top + rest;
    nd.width = d.width;
    nd.height = size;
  }
  if (!resize)
    set_window_slot(o, horizontal ? kWindowNormalColumns : kWindowNormalLines, window_slot(o, kWindowNewNormal));
  set_window_slot(n, horizontal ? kWindowNormalColumns : kWindowNormalLines, normal_size);
  set_window_slot(n, horizontal ? kWindowNormalLines : kWindowNormalColumns, make_float(cx, 1.0));
  TRY(show_buffer_re(cx, n, window_slot(reference, kWindowContents)));
  for (const WindowSlot slot : {kWindowLeftMargin, kWindowRightMargin, kWindowDisplayTable})
    set_window_slot(n, slot, window_slot(reference, slot));
  TRY(run_window_scroll_functions_re(cx, n));
  return n;
}

NEOVM_PRIMITIVE(delete_window_internal, "delete-window-internal", 1, 1, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic, "Remove WINDOW from its frame; its siblings must carry their new sizes.")
(Context& cx, Value window) {
  const Value w = TRY(decode_any_window(cx, window));
  if (!is_valid_window(w)) return kNil;
  const Value parent = window_slot(w, kWindowParent);
  if (parent.is_nil()) return error_text(cx, "Attempt to delete minibuffer or sole ordinary window");
  const Value frame = window_slot(w, kWindowFrame);
  TRY(save_selected_point_re(cx));
  const Value next = window_slot(w, kWindowNext);
  const Value previous = window_slot(w, kWindowPrevious);
  if (previous.truthy()) {
    set_window_slot(previous, kWindowNext, next);
  } else {
    set_window_slot(parent, kWindowContents, next);
  }
  if (next.truthy()) set_window_slot(next, kWindowPrevious, previous);
  // The siblings carry their new sizes.
  WindowData& pd = window_data(parent);
  int at = pd.horizontal ? pd.left : pd.top;
  int total = 0;
  for (Value c = first_child(parent); c.truthy(); c = window_slot(c, kWindowNext))
    total += static_cast<int>(window_slot(c, kWindowNewPixel).as_fixnum());
  const bool fits = total == (pd.horizontal ? pd.width : pd.height);
  for (Value c = first_child(parent); fits && c.truthy(); c = window_slot(c, kWindowNext)) {
    const auto share = static_cast<int>(window_slot(c, kWindowNewPixel).as_fixnum());
    if (pd.horizontal) {
      place_window(c, at, pd.top, share, pd.height);
    } else {
      place_window(c, pd.left, at, pd.width, share);
    }
    if (window_slot(c, kWindowNewNormal).is_float())
      set_window_slot(c, pd.horizontal ? kWindowNormalColumns : kWindowNormalLines, window_slot(c, kWindowNewNormal));
    at += share;
  }
  TRY(delete_subtree_re(cx, w));
  // A combination of one is replaced by its only child.
  const Value only = first_child(parent);
  if (window_slot(only, kWindowNext).is_nil()) {
    const WindowData area = window_data(parent);
    set_window_slot(only, kWindowNormalLines, window_slot(parent, kWindowNormalLines));
    set_window_slot(only, kWindowNormalColumns, window_slot(parent, kWindowNormalColumns));
    replace_in_parent(parent, only);
    set_window_slot(parent, kWindowContents, kNil);
    place_window(only, area.left, area.top, area.width, area.height);
  }
  if (!is_live_window(display(cx).selected_window.get())) {
    Value fresh = kNil;
    each_frame_leaf(frame, [&](Value leaf) {
      if (!window_data(leaf).mini && (fresh.is_nil() || window_data(leaf).use_time > window_data(fresh).use_time))
        fresh = leaf;
      return true;
    });
    TRY(select_window_re(cx, fresh, true));
  }
  return kNil;
}

NEOVM_COMMAND(delete_other_windows_internal, "delete-other-windows-internal", 0, 2, kWorkerSafe, kStateWrite, kMayGc,
              kReenters, kDeterministic, "", "Make WINDOW fill its frame, or ROOT, deleting the others.")
(Context& cx, Value window, Value root) {
  const Value w = TRY(decode_valid_window(cx, window));
  const Value frame = window_slot(w, kWindowFrame);
  const Value r = root.is_nil() ? frame_slot(frame, kFrameRoot) : TRY(decode_valid_window(cx, root));
  if (window_data(w).mini) return error_text(cx, "Can\u2019t expand minibuffer to full frame");
  if (w == r) return kNil;
  TRY(save_selected_point_re(cx));
  const WindowData area = window_data(r);
  // Unhook W from its siblings, then let it take the root's place.
  const Value next = window_slot(w, kWindowNext);
  const Value previous = window_slot(w, kWindowPrevious);
  const Value parent = window_slot(w, kWindowParent);
  if (previous.truthy()) {
    set_window_slot(previous, kWindowNext, next);
  } else {
    set_window_slot(parent, kWindowContents, next.truthy() ? next : kNil);
  }
  if (next.truthy()) set_window_slot(next, kWindowPrevious, previous);
  set_window_slot(w, kWindowNormalLines, window_slot(r, kWindowNormalLines));
  set_window_slot(w, kWindowNormalColumns, window_slot(r, kWindowNormalColumns));
  const Value keep = r;
  replace_in_parent(r, w);
  place_window(w, area.left, area.top, area.width, area.height);
  count_lines_from_menu(frame);
  TRY(delete_subtree_re(cx, keep));
  if (!is_live_window(display(cx).selected_window.get())) {
    Value fresh = w;
    while (first_child(fresh).truthy()) fresh = first_child(fresh);
    TRY(select_window_re(cx, fresh, true));
  }
  return kNil;
}

namespace {

void apply_new_sizes(Value w, bool horizontal) {
  WindowData& d = window_data(w);
  const auto size = static_cast<int>(window_slot(w, kWindowNewPixel).as_fixnum());
  (horizontal ? d.width : d.height) = size;
  set_window_slot(w, horizontal ? kWindowNormalColumns : kWindowNormalLines, window_slot(w, kWindowNewNormal));
  int at = d.horizontal ? d.left : d.top;
  for (Value c = first_child(w); c.truthy(); c = window_slot(c, kWindowNext)) {
    WindowData& cd = window_data(c);
    cd.left = d.horizontal ? at : d.left;
    cd.top = d.horizontal ? d.top : at;
    apply_new_sizes(c, horizontal);
    at += d.horizontal ? cd.width : cd.height;
  }
}

bool check_new_sizes(Value w, bool horizontal) {
  const std::int64_t size = window_slot(w, kWindowNewPixel).as_fixnum();
  std::int64_t sum = 0;
  for (Value c = first_child(w); c.truthy(); c = window_slot(c, kWindowNext)) {
    const std::int64_t child = window_slot(c, kWindowNewPixel).as_fixnum();
    if (!check_new_sizes(c, horizontal)) return false;
    if (window_data(w).horizontal == horizontal) {
      sum += child;
    } else if (child != size) {
      return false;
    }
  }
  return first_child(w).is_nil() || window_data(w).horizontal != horizontal ? size >= 1 : sum == size;
}

}  // namespace

NEOVM_PRIMITIVE(window_resize_apply, "window-resize-apply", 0, 2, kWorkerSafe, kStateWrite, kMayGc, kNoReentry,
                kDeterministic, "Apply the requested new sizes of FRAME's windows; return t when they fit.")
(Context& cx, Value frame, Value horizontal) {
  const Value f = TRY(decode_live_frame(cx, frame));
  const Value root = frame_slot(f, kFrameRoot);
  const WindowData& d = window_data(root);
  const bool h = horizontal.truthy();
  if (!check_new_sizes(root, h) || window_slot(root, kWindowNewPixel).as_fixnum() != (h ? d.width : d.height))
    return kNil;
  apply_new_sizes(root, h);
  return Qt;
}

NEOVM_PRIMITIVE(window_resize_apply_total, "window-resize-apply-total", 0, 2, kWorkerSafe, kStateWrite, kMayGc,
                kNoReentry, kDeterministic,
                "Apply the requested total sizes; cells are pixels here, so nothing is left to do.")
(Context& cx, Value frame, Value horizontal) {
  const Value f = TRY(decode_live_frame(cx, frame));
  if (horizontal.is_nil()) count_lines_from_menu(f);
  return Qt;
}

}  // namespace neomacs::host
