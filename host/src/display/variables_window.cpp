// Variables of windows.
// GNU's Lisp library reads and sets these; without a display most of them only hold their value.
#include "display/initial_values.hpp"
#include "neovm/abi/api.hpp"

namespace neomacs::host {
namespace {

using namespace neovm;  // NOLINT: a table of rows

NEOVM_VARIABLE(auto_window_vscroll, "auto-window-vscroll", kGlobalVar, kBool, kInitT,
               "Non-nil lets tall lines scroll by parts.")
NEOVM_VARIABLE(fast_but_imprecise_scrolling, "fast-but-imprecise-scrolling", kGlobalVar, kBool, kInitNil,
               "Non-nil scrolls faster without exact line heights.")
NEOVM_VARIABLE(minibuffer_scroll_window, "minibuffer-scroll-window", kGlobalVar, kAny, kInitNil,
               "Window scrolled by scroll-other-window from the minibuffer.")
NEOVM_VARIABLE(mode_line_in_non_selected_windows, "mode-line-in-non-selected-windows", kGlobalVar, kBool, kInitT,
               "Non-nil shows other windows' mode lines in their own face.")
NEOVM_VARIABLE(next_screen_context_lines, "next-screen-context-lines", kGlobalVar, kInt, Value::fixnum(2),
               "Lines kept when scrolling by screenfuls.")
NEOVM_VARIABLE(other_window_scroll_buffer, "other-window-scroll-buffer", kGlobalVar, kAny, kInitNil,
               "Buffer that scroll-other-window scrolls.")
NEOVM_VARIABLE(recenter_redisplay, "recenter-redisplay", kGlobalVar, kAny, Qtty, "Whether recenter redraws the frame.")
NEOVM_VARIABLE(scroll_preserve_screen_position, "scroll-preserve-screen-position", kGlobalVar, kAny, kInitNil,
               "Whether scroll commands keep point's place on the screen.")
NEOVM_VARIABLE(temp_buffer_show_function, "temp-buffer-show-function", kGlobalVar, kAny, kInitNil,
               "Function that shows a help buffer.")
NEOVM_VARIABLE(window_buffer_change_functions, "window-buffer-change-functions", kGlobalVar, kAny, kInitNil,
               "Functions run when a window's buffer changed.")
NEOVM_VARIABLE(window_combination_limit, "window-combination-limit", kGlobalVar, kAny, Qwindow_size,
               "When splitting makes a new parent window.")
NEOVM_VARIABLE(window_combination_resize, "window-combination-resize", kGlobalVar, kAny, kInitNil,
               "Whether sizes of a combination are spread evenly.")
NEOVM_VARIABLE(window_configuration_change_hook, "window-configuration-change-hook", kGlobalVar, kAny, kInitNil,
               "Hook run when the window configuration changed.")
NEOVM_VARIABLE(window_persistent_parameters, "window-persistent-parameters", kGlobalVar, kAny,
               make_persistent_parameters, "Window parameters that window states keep.")
NEOVM_VARIABLE(window_point_insertion_type, "window-point-insertion-type", kGlobalVar, kAny, kInitNil,
               "Insertion type of window point markers.")
NEOVM_VARIABLE(window_resize_pixelwise, "window-resize-pixelwise", kGlobalVar, kBool, kInitNil,
               "Non-nil resizes windows by pixels.")
NEOVM_VARIABLE(window_selection_change_functions, "window-selection-change-functions", kGlobalVar, kAny, kInitNil,
               "Functions run when the selected window changed.")
NEOVM_VARIABLE(window_size_change_functions, "window-size-change-functions", kGlobalVar, kAny, kInitNil,
               "Functions run when a window's size changed.")
NEOVM_VARIABLE(window_state_change_functions, "window-state-change-functions", kGlobalVar, kAny, kInitNil,
               "Functions run when a window's state changed.")
NEOVM_VARIABLE(window_state_change_hook, "window-state-change-hook", kGlobalVar, kAny, kInitNil,
               "Hook run when window states changed.")

}  // namespace
}  // namespace neomacs::host
