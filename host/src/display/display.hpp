// Windows, frames and the terminal of an isolate that has no screen.
//
// GNU's Lisp library expects at least one frame with a window and a minibuffer window even in batch
// mode, and programs split, select, save and restore windows there. The tree and its geometry are
// kept exactly (in characters; a character cell measures 1x1 pixels, as on GNU's initial terminal);
// nothing is drawn.
//
// A window is live (its contents are a buffer), internal (its contents are a child window) or deleted
// (its contents are nil). Host objects, so that the collector moves and frees them; the roots are the
// frame list and the selected window in DisplayState.
#pragma once

#include "neovm/abi/api.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT: the abi is this layer's language

enum WindowSlot : int {
  kWindowContents,  // buffer, first child, or nil
  kWindowParent,
  kWindowNext,
  kWindowPrevious,
  kWindowFrame,
  kWindowStart,     // marker
  kWindowPoint,     // marker, meaningful while the window is not selected
  kWindowOldPoint,  // marker
  kWindowParameters,
  kWindowPrevBuffers,
  kWindowNextBuffers,
  kWindowDedicated,
  kWindowDisplayTable,
  kWindowNewPixel,
  kWindowNewTotal,
  kWindowNewNormal,
  kWindowNormalLines,
  kWindowNormalColumns,
  kWindowCombinationLimit,
  kWindowRedisplayEnd,
  kWindowLeftMargin,
  kWindowRightMargin,
  kWindowLeftFringe,
  kWindowRightFringe,
  kWindowScrollBarType,
  kWindowOldBuffer,  // shown at the last redisplay
  kWindowSlotCount,
};

struct WindowData {
  std::int64_t sequence;
  std::int64_t use_time;
  std::int64_t hscroll;
  std::int64_t vscroll;
  std::int32_t left, top, width, height;
  // As the last redisplay left it; zero when there was none.
  std::int32_t old_width, old_height, old_body_width, old_body_height;
  std::int64_t old_start;   // a position
  std::int64_t end_from_z;  // the last position shown, counted from the end of the text
  bool horizontal;          // children lie side by side
  bool mini;
  bool fringes_outside_margins;
};

enum FrameSlot : int {
  kFrameRoot,
  kFrameSelected,
  kFrameMinibuffer,
  kFrameName,
  kFrameParameters,
  kFrameBufferList,
  kFrameBuriedList,
  kFrameTerminal,
  kFrameFocus,
  kFrameFaces,  // hash table from face to attribute vector
  kFrameOldSelected,
  kFrameSlotCount,
};

struct FrameData {
  std::int32_t width, height;  // characters, minibuffer included
  std::int32_t menu_lines;     // above these; 0 until a redisplay
  std::int32_t line_shift;     // what window-top-line counts above the windows
  bool live;
};

enum TerminalSlot : int { kTerminalName, kTerminalParameters, kTerminalSlotCount };
struct TerminalData {
  std::int64_t id;
  bool live;
};

extern const HostType kWindowType;
extern const HostType kFrameType;
extern const HostType kTerminalType;
extern const HostType kWindowConfigurationType;

struct DisplayState {
  Slot selected_window;
  Slot selected_frame;
  Slot terminal;
  Slot frames;  // list
  std::int64_t next_window = 0;
  std::int64_t use_count = 1;
  std::int64_t lossage_size = 300;  // how many keys `recent-keys' would keep
};
DisplayState& display(Context& cx);
// Makes frame F1 with a root window on *scratch* and a minibuffer window, on the initial terminal.
// Buffers must be attached. (Re-enters for buffers and markers, at start-up only.)
void attach_display(Context& cx);

inline WindowData& window_data(Value w) { return *host_payload_raw<WindowData>(w); }
inline FrameData& frame_data(Value f) { return *host_payload_raw<FrameData>(f); }
inline Value window_slot(Value w, WindowSlot s) { return host_slot_raw(w, s); }
inline void set_window_slot(Value w, WindowSlot s, Value v) { set_host_slot_raw(w, s, v); }
inline Value frame_slot(Value f, FrameSlot s) { return host_slot_raw(f, s); }
inline void set_frame_slot(Value f, FrameSlot s, Value v) { set_host_slot_raw(f, s, v); }

inline bool is_window(Value v) { return is_host(v, &kWindowType); }
inline bool is_frame(Value v) { return is_host(v, &kFrameType); }
// A leaf that shows a buffer.
inline bool is_live_window(Value v) {
  return is_window(v) && window_slot(v, kWindowContents).truthy() && !is_window(window_slot(v, kWindowContents));
}
// Live or internal, not deleted.
inline bool is_valid_window(Value v) { return is_window(v) && window_slot(v, kWindowContents).truthy(); }
inline Value first_child(Value w) {
  const Value c = window_slot(w, kWindowContents);
  return is_window(c) ? c : kNil;
}

// Argument decoding: nil is the selected window or frame; otherwise signals wrong-type-argument with
// windowp, window-live-p, window-valid-p, framep or frame-live-p.
Value decode_any_window(Context& cx, Value w);
Value decode_live_window(Context& cx, Value w);
Value decode_valid_window(Context& cx, Value w);
Value decode_live_frame(Context& cx, Value f);
Value decode_any_frame(Context& cx, Value f);

// A detached window with fresh markers. May fail (re-enters for the markers).
Value make_window_re(Context& cx, Value frame);
// Points W at BUFFER (a live buffer), start and point at the buffer's; no hooks.
Value show_buffer_re(Context& cx, Value w, Value buffer);
// Gives `w` a rectangle and lays its children out in proportion to their present sizes.
void place_window(Value w, int left, int top, int width, int height);
// Runs window-scroll-functions with WINDOW (nil: the selected one, which they are told as nil) and its start.
Value run_window_scroll_functions_re(Context& cx, Value window);
// Lines and columns of text that W, a live window, has room for.
int window_body_lines(Context& cx, Value w);
int window_body_columns(Value w);
// Moves FRAME's windows below the line of its menu bar and makes them end where the frame does.
void fit_below_menu(Value frame);
// Makes W selected: saves and restores points and switches the current buffer.
Value select_window_re(Context& cx, Value w, bool record);
// Takes over point from the current buffer into the selected window's marker / back.
Value save_selected_point_re(Context& cx);

// Visits the leaves below `root` in cyclic order; fn returns false to stop.
template <class Fn>
bool each_leaf(Value root, Fn&& fn) {
  for (Value w = root; w.truthy(); w = window_slot(w, kWindowNext)) {
    const Value child = first_child(w);
    if (child.truthy() ? !each_leaf(child, fn) : !fn(w)) return false;
  }
  return true;
}
// All leaves of a frame: the tree, then the minibuffer window.
template <class Fn>
bool each_frame_leaf(Value frame, Fn&& fn) {
  const Value root = frame_slot(frame, kFrameRoot);
  const Value child = first_child(root);
  if (child.truthy() ? !each_leaf(child, fn) : !fn(root)) return false;
  return fn(frame_slot(frame, kFrameMinibuffer));
}

}  // namespace neomacs::host
