// Variables of frames, terminals, faces, fonts and keyboard macros.
// GNU's Lisp library reads and sets these; without a display most of them only hold their value.
#include "display/initial_values.hpp"
#include "neovm/abi/api.hpp"

namespace neomacs::host {
namespace {

using namespace neovm;  // NOLINT: a table of rows

NEOVM_VARIABLE(after_delete_frame_functions, "after-delete-frame-functions", kGlobalVar, kAny, kInitNil,
               "Functions run after a frame was deleted.")
NEOVM_VARIABLE(default_frame_alist, "default-frame-alist", kGlobalVar, kAny, kInitNil,
               "Default parameters of new frames.")
NEOVM_VARIABLE(default_frame_scroll_bars, "default-frame-scroll-bars", kGlobalVar, kAny, kInitNil,
               "Default side of vertical scroll bars.")
NEOVM_VARIABLE(default_minibuffer_frame, "default-minibuffer-frame", kGlobalVar, kAny, kInitNil,
               "Frame whose minibuffer minibuffer-less frames use.")
NEOVM_VARIABLE(delete_frame_functions, "delete-frame-functions", kGlobalVar, kAny, kInitNil,
               "Functions run before a frame is deleted.")
NEOVM_VARIABLE(focus_follows_mouse, "focus-follows-mouse", kGlobalVar, kAny, kInitNil,
               "Whether the window manager moves focus with the mouse.")
NEOVM_VARIABLE(frame_inhibit_implied_resize, "frame-inhibit-implied-resize", kGlobalVar, kAny, kInitT,
               "Whether frames keep their size when fonts or bars change.")
NEOVM_VARIABLE(frame_resize_pixelwise, "frame-resize-pixelwise", kGlobalVar, kBool, kInitNil,
               "Non-nil resizes frames by pixels.")
NEOVM_VARIABLE(frame_size_history, "frame-size-history", kGlobalVar, kAny, kInitNil, "Log of frame size changes.")
NEOVM_VARIABLE(iconify_child_frame, "iconify-child-frame", kGlobalVar, kAny, Qiconify_top_level,
               "What iconifying a child frame does.")
NEOVM_VARIABLE(make_pointer_invisible, "make-pointer-invisible", kGlobalVar, kAny, kInitT,
               "Non-nil hides the mouse pointer while typing.")
NEOVM_VARIABLE(menu_bar_mode, "menu-bar-mode", kGlobalVar, kAny, kInitNil, "Non-nil when menu bars are shown.")
NEOVM_VARIABLE(mouse_highlight, "mouse-highlight", kGlobalVar, kAny, kInitT, "Whether mouse-face highlighting is on.")
NEOVM_VARIABLE(mouse_position_function, "mouse-position-function", kGlobalVar, kAny, kInitNil,
               "Function that filters mouse-position.")
NEOVM_VARIABLE(move_frame_functions, "move-frame-functions", kGlobalVar, kAny, kInitNil,
               "Functions run after a frame moved.")
NEOVM_VARIABLE(resize_mini_frames, "resize-mini-frames", kGlobalVar, kAny, kInitNil,
               "Whether minibuffer-only frames are resized.")
NEOVM_VARIABLE(scroll_bar_adjust_thumb_portion, "scroll-bar-adjust-thumb-portion", kGlobalVar, kBool, kInitT,
               "Whether the thumb's size is adjusted for overscrolling.")
NEOVM_VARIABLE(tab_bar_mode, "tab-bar-mode", kGlobalVar, kAny, kInitNil, "Non-nil when tab bars are shown.")
NEOVM_VARIABLE(tool_bar_mode, "tool-bar-mode", kGlobalVar, kAny, kInitNil, "Non-nil when tool bars are shown.")
NEOVM_VARIABLE(tooltip_reuse_hidden_frame, "tooltip-reuse-hidden-frame", kGlobalVar, kBool, kInitNil,
               "Non-nil reuses hidden tooltip frames.")
NEOVM_VARIABLE(glyph_table, "glyph-table", kGlobalVar, kAny, kInitNil, "Table of glyph translations, or nil.")
NEOVM_VARIABLE(baud_rate, "baud-rate", kGlobalVar, kInt, Value::fixnum(0), "Output speed of the terminal.")
NEOVM_VARIABLE(cursor_in_echo_area, "cursor-in-echo-area", kGlobalVar, kBool, kInitNil,
               "Non-nil puts the cursor in the echo area.")
NEOVM_VARIABLE(initial_window_system, "initial-window-system", kGlobalVar, kAny, kInitNil,
               "Window system of the first frame.")
NEOVM_VARIABLE(inverse_video, "inverse-video", kGlobalVar, kBool, kInitNil, "Non-nil asks for inverse video.")
NEOVM_VARIABLE(no_redraw_on_reenter, "no-redraw-on-reenter", kGlobalVar, kBool, kInitNil,
               "Non-nil keeps the screen when Emacs is re-entered.")
NEOVM_VARIABLE(redisplay_dont_pause, "redisplay-dont-pause", kGlobalVar, kBool, kInitT,
               "Obsolete: redisplay is never paused.")
NEOVM_VARIABLE(standard_display_table, "standard-display-table", kGlobalVar, kAny, kInitNil,
               "Display table for buffers without one.")
NEOVM_VARIABLE(tab_bar_position, "tab-bar-position", kGlobalVar, kAny, kInitNil, "Place of the tab bar.")
NEOVM_VARIABLE(visible_bell, "visible-bell", kGlobalVar, kBool, kInitNil,
               "Non-nil flashes the frame instead of ringing.")
NEOVM_VARIABLE(window_system, "window-system", kGlobalVar, kAny, kInitNil,
               "Window system of the selected frame; nil for a terminal.")
NEOVM_VARIABLE(window_system_version, "window-system-version", kGlobalVar, kAny, kInitNil,
               "Version of the window system.")
NEOVM_VARIABLE(resume_tty_functions, "resume-tty-functions", kGlobalVar, kAny, kInitNil,
               "Functions run after a terminal was resumed.")
NEOVM_VARIABLE(suspend_tty_functions, "suspend-tty-functions", kGlobalVar, kAny, kInitNil,
               "Functions run after a terminal was suspended.")
NEOVM_VARIABLE(system_uses_terminfo, "system-uses-terminfo", kGlobalVar, kBool, kInitT,
               "Non-nil when terminals are described by terminfo.")
NEOVM_VARIABLE(tty_menu_calls_mouse_position_function, "tty-menu-calls-mouse-position-function", kGlobalVar, kBool,
               kInitNil, "Whether terminal menus call mouse-position-function.")
NEOVM_VARIABLE(visible_cursor, "visible-cursor", kGlobalVar, kBool, kInitT, "Non-nil makes the cursor very visible.")
NEOVM_VARIABLE(delete_terminal_functions, "delete-terminal-functions", kGlobalVar, kAny, kInitNil,
               "Functions run before a terminal is deleted.")
NEOVM_VARIABLE(ring_bell_function, "ring-bell-function", kGlobalVar, kAny, kInitNil, "Function that rings the bell.")
NEOVM_VARIABLE(face_default_stipple, "face-default-stipple", kGlobalVar, kAny, "gray3",
               "Default stipple of monochrome displays.")
NEOVM_VARIABLE(face_filters_always_match, "face-filters-always-match", kGlobalVar, kBool, kInitNil,
               "Non-nil makes face filters always match.")
NEOVM_VARIABLE(face_font_rescale_alist, "face-font-rescale-alist", kGlobalVar, kAny, kInitNil,
               "Alist of fonts and rescale factors.")
NEOVM_VARIABLE(face_ignored_fonts, "face-ignored-fonts", kGlobalVar, kAny, kInitNil,
               "Regular expressions of fonts to ignore.")
NEOVM_VARIABLE(face_near_same_color_threshold, "face-near-same-color-threshold", kGlobalVar, kInt, Value::fixnum(30000),
               "Distance below which colors count as near.")
NEOVM_VARIABLE(face_remapping_alist, "face-remapping-alist", kGlobalVar, kAny, kInitNil, "Alist of face remappings.")
NEOVM_VARIABLE(scalable_fonts_allowed, "scalable-fonts-allowed", kGlobalVar, kAny, kInitNil,
               "Which scalable fonts may be used.")
NEOVM_VARIABLE(tty_defined_color_alist, "tty-defined-color-alist", kGlobalVar, kAny, kInitNil,
               "Colors defined for the terminal.")
NEOVM_VARIABLE(defining_kbd_macro, "defining-kbd-macro", kGlobalVar, kAny, kInitNil,
               "Non-nil while a keyboard macro is being defined.")
NEOVM_VARIABLE(executing_kbd_macro, "executing-kbd-macro", kGlobalVar, kAny, kInitNil,
               "The keyboard macro being executed, or nil.")
NEOVM_VARIABLE(executing_kbd_macro_index, "executing-kbd-macro-index", kGlobalVar, kInt, Value::fixnum(0),
               "Index of the next event of the executing macro.")
NEOVM_VARIABLE(kbd_macro_termination_hook, "kbd-macro-termination-hook", kGlobalVar, kAny, kInitNil,
               "Hook run when a keyboard macro ends.")
NEOVM_VARIABLE(last_kbd_macro, "last-kbd-macro", kGlobalVar, kAny, kInitNil, "The last keyboard macro defined.")

}  // namespace
}  // namespace neomacs::host
