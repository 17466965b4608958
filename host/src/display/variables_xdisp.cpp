// Variables of redisplay.
// GNU's Lisp library reads and sets these; without a display most of them only hold their value.
#include "display/initial_values.hpp"
#include "neovm/abi/api.hpp"

namespace neomacs::host {
namespace {

using namespace neovm;  // NOLINT: a table of rows

NEOVM_VARIABLE(auto_hscroll_mode, "auto-hscroll-mode", kGlobalVar, kAny, kInitT, "Redisplay option: auto hscroll mode.")
NEOVM_VARIABLE(auto_raise_tab_bar_buttons, "auto-raise-tab-bar-buttons", kGlobalVar, kBool, kInitT,
               "Redisplay option: auto raise tab bar buttons.")
NEOVM_VARIABLE(auto_raise_tool_bar_buttons, "auto-raise-tool-bar-buttons", kGlobalVar, kBool, kInitT,
               "Redisplay option: auto raise tool bar buttons.")
NEOVM_VARIABLE(auto_resize_tab_bars, "auto-resize-tab-bars", kGlobalVar, kAny, kInitT,
               "Redisplay option: auto resize tab bars.")
NEOVM_VARIABLE(auto_resize_tool_bars, "auto-resize-tool-bars", kGlobalVar, kAny, kInitT,
               "Redisplay option: auto resize tool bars.")
NEOVM_VARIABLE(bidi_inhibit_bpa, "bidi-inhibit-bpa", kGlobalVar, kBool, kInitNil, "Redisplay option: bidi inhibit bpa.")
NEOVM_VARIABLE(blink_cursor_alist, "blink-cursor-alist", kGlobalVar, kAny, kInitNil,
               "Redisplay option: blink cursor alist.")
NEOVM_VARIABLE(clear_message_function, "clear-message-function", kGlobalVar, kAny, kInitNil,
               "Redisplay option: clear message function.")
NEOVM_VARIABLE(debug_on_message, "debug-on-message", kGlobalVar, kAny, kInitNil, "Redisplay option: debug on message.")
NEOVM_VARIABLE(display_fill_column_indicator, "display-fill-column-indicator", kAutoLocalVar, kBool, kInitNil,
               "Redisplay option: display fill column indicator.")
NEOVM_VARIABLE(display_fill_column_indicator_character, "display-fill-column-indicator-character", kAutoLocalVar, kAny,
               kInitNil, "Redisplay option: display fill column indicator character.")
NEOVM_VARIABLE(display_fill_column_indicator_column, "display-fill-column-indicator-column", kAutoLocalVar, kAny,
               kInitT, "Redisplay option: display fill column indicator column.")
NEOVM_VARIABLE(display_hourglass, "display-hourglass", kGlobalVar, kBool, kInitT,
               "Redisplay option: display hourglass.")
NEOVM_VARIABLE(display_line_numbers, "display-line-numbers", kAutoLocalVar, kAny, kInitNil,
               "Redisplay option: display line numbers.")
NEOVM_VARIABLE(display_line_numbers_current_absolute, "display-line-numbers-current-absolute", kGlobalVar, kAny, kInitT,
               "Redisplay option: display line numbers current absolute.")
NEOVM_VARIABLE(display_line_numbers_major_tick, "display-line-numbers-major-tick", kGlobalVar, kInt, Value::fixnum(0),
               "Redisplay option: display line numbers major tick.")
NEOVM_VARIABLE(display_line_numbers_minor_tick, "display-line-numbers-minor-tick", kGlobalVar, kInt, Value::fixnum(0),
               "Redisplay option: display line numbers minor tick.")
NEOVM_VARIABLE(display_line_numbers_offset, "display-line-numbers-offset", kAutoLocalVar, kInt, Value::fixnum(0),
               "Redisplay option: display line numbers offset.")
NEOVM_VARIABLE(display_line_numbers_widen, "display-line-numbers-widen", kAutoLocalVar, kBool, kInitNil,
               "Redisplay option: display line numbers widen.")
NEOVM_VARIABLE(display_line_numbers_width, "display-line-numbers-width", kAutoLocalVar, kAny, kInitNil,
               "Redisplay option: display line numbers width.")
NEOVM_VARIABLE(display_pixels_per_inch, "display-pixels-per-inch", kGlobalVar, kAny, 72.0,
               "Redisplay option: display pixels per inch.")
NEOVM_VARIABLE(display_raw_bytes_as_hex, "display-raw-bytes-as-hex", kGlobalVar, kBool, kInitNil,
               "Redisplay option: display raw bytes as hex.")
NEOVM_VARIABLE(fontification_functions, "fontification-functions", kAutoLocalVar, kAny, kInitNil,
               "Redisplay option: fontification functions.")
NEOVM_VARIABLE(frame_title_format, "frame-title-format", kGlobalVar, kAny, kInitNil,
               "Redisplay option: frame title format.")
NEOVM_VARIABLE(global_mode_string, "global-mode-string", kGlobalVar, kAny, kInitNil,
               "Redisplay option: global mode string.")
NEOVM_VARIABLE(glyphless_char_display, "glyphless-char-display", kGlobalVar, kAny, make_glyphless_table,
               "Redisplay option: glyphless char display.")
NEOVM_VARIABLE(highlight_nonselected_windows, "highlight-nonselected-windows", kGlobalVar, kBool, kInitNil,
               "Redisplay option: highlight nonselected windows.")
NEOVM_VARIABLE(hourglass_delay, "hourglass-delay", kGlobalVar, kAny, Value::fixnum(1),
               "Redisplay option: hourglass delay.")
NEOVM_VARIABLE(hscroll_margin, "hscroll-margin", kGlobalVar, kInt, Value::fixnum(5),
               "Redisplay option: hscroll margin.")
NEOVM_VARIABLE(hscroll_step, "hscroll-step", kGlobalVar, kAny, Value::fixnum(0), "Redisplay option: hscroll step.")
NEOVM_VARIABLE(icon_title_format, "icon-title-format", kGlobalVar, kAny, kInitNil,
               "Redisplay option: icon title format.")
NEOVM_VARIABLE(inhibit_bidi_mirroring, "inhibit-bidi-mirroring", kGlobalVar, kBool, kInitNil,
               "Redisplay option: inhibit bidi mirroring.")
NEOVM_VARIABLE(inhibit_eval_during_redisplay, "inhibit-eval-during-redisplay", kGlobalVar, kBool, kInitNil,
               "Redisplay option: inhibit eval during redisplay.")
NEOVM_VARIABLE(inhibit_free_realized_faces, "inhibit-free-realized-faces", kGlobalVar, kBool, kInitNil,
               "Redisplay option: inhibit free realized faces.")
NEOVM_VARIABLE(inhibit_menubar_update, "inhibit-menubar-update", kGlobalVar, kBool, kInitNil,
               "Redisplay option: inhibit menubar update.")
NEOVM_VARIABLE(inhibit_redisplay, "inhibit-redisplay", kGlobalVar, kAny, kInitNil,
               "Redisplay option: inhibit redisplay.")
NEOVM_VARIABLE(line_number_display_limit, "line-number-display-limit", kGlobalVar, kAny, kInitNil,
               "Redisplay option: line number display limit.")
NEOVM_VARIABLE(line_number_display_limit_width, "line-number-display-limit-width", kGlobalVar, kInt, Value::fixnum(200),
               "Redisplay option: line number display limit width.")
NEOVM_VARIABLE(line_prefix, "line-prefix", kAutoLocalVar, kAny, kInitNil, "Redisplay option: line prefix.")
NEOVM_VARIABLE(make_cursor_line_fully_visible, "make-cursor-line-fully-visible", kGlobalVar, kAny, kInitT,
               "Redisplay option: make cursor line fully visible.")
NEOVM_VARIABLE(max_mini_window_height, "max-mini-window-height", kGlobalVar, kAny, 0.25,
               "Redisplay option: max mini window height.")
NEOVM_VARIABLE(maximum_scroll_margin, "maximum-scroll-margin", kGlobalVar, kAny, 0.25,
               "Redisplay option: maximum scroll margin.")
NEOVM_VARIABLE(menu_bar_update_hook, "menu-bar-update-hook", kGlobalVar, kAny, kInitNil,
               "Redisplay option: menu bar update hook.")
NEOVM_VARIABLE(menu_updating_frame, "menu-updating-frame", kGlobalVar, kAny, kInitNil,
               "Redisplay option: menu updating frame.")
NEOVM_VARIABLE(mode_line_compact, "mode-line-compact", kGlobalVar, kAny, kInitNil,
               "Redisplay option: mode line compact.")
NEOVM_VARIABLE(mouse_autoselect_window, "mouse-autoselect-window", kGlobalVar, kAny, kInitNil,
               "Redisplay option: mouse autoselect window.")
NEOVM_VARIABLE(mouse_fine_grained_tracking, "mouse-fine-grained-tracking", kGlobalVar, kBool, kInitNil,
               "Redisplay option: mouse fine grained tracking.")
NEOVM_VARIABLE(multiple_frames, "multiple-frames", kGlobalVar, kBool, kInitNil, "Redisplay option: multiple frames.")
NEOVM_VARIABLE(nobreak_char_ascii_display, "nobreak-char-ascii-display", kGlobalVar, kBool, kInitNil,
               "Redisplay option: nobreak char ascii display.")
NEOVM_VARIABLE(nobreak_char_display, "nobreak-char-display", kGlobalVar, kAny, kInitT,
               "Redisplay option: nobreak char display.")
NEOVM_VARIABLE(overlay_arrow_position, "overlay-arrow-position", kGlobalVar, kAny, kInitNil,
               "Redisplay option: overlay arrow position.")
NEOVM_VARIABLE(overlay_arrow_string, "overlay-arrow-string", kGlobalVar, kAny, "=>",
               "Redisplay option: overlay arrow string.")
NEOVM_VARIABLE(overlay_arrow_variable_list, "overlay-arrow-variable-list", kGlobalVar, kAny, make_arrow_list,
               "Redisplay option: overlay arrow variable list.")
NEOVM_VARIABLE(overline_margin, "overline-margin", kGlobalVar, kInt, Value::fixnum(2),
               "Redisplay option: overline margin.")
NEOVM_VARIABLE(pre_redisplay_function, "pre-redisplay-function", kGlobalVar, kAny, ignore_function,
               "Redisplay option: pre redisplay function.")
NEOVM_VARIABLE(redisplay__all_windows_cause, "redisplay--all-windows-cause", kGlobalVar, kAny, make_eq_table,
               "Redisplay option: redisplay all windows cause.")
NEOVM_VARIABLE(redisplay__inhibit_bidi, "redisplay--inhibit-bidi", kGlobalVar, kBool, kInitNil,
               "Redisplay option: redisplay inhibit bidi.")
NEOVM_VARIABLE(redisplay__mode_lines_cause, "redisplay--mode-lines-cause", kGlobalVar, kAny, make_eq_table,
               "Redisplay option: redisplay mode lines cause.")
NEOVM_VARIABLE(redisplay_adhoc_scroll_in_resize_mini_windows, "redisplay-adhoc-scroll-in-resize-mini-windows",
               kGlobalVar, kBool, kInitT, "Redisplay option: redisplay adhoc scroll in resize mini windows.")
NEOVM_VARIABLE(redisplay_end_trigger_functions, "redisplay-end-trigger-functions", kGlobalVar, kAny, kInitNil,
               "Redisplay option: redisplay end trigger functions.")
NEOVM_VARIABLE(redisplay_skip_fontification_on_input, "redisplay-skip-fontification-on-input", kGlobalVar, kBool,
               kInitNil, "Redisplay option: redisplay skip fontification on input.")
NEOVM_VARIABLE(redisplay_skip_initial_frame, "redisplay-skip-initial-frame", kGlobalVar, kBool, kInitT,
               "Redisplay option: redisplay skip initial frame.")
NEOVM_VARIABLE(resize_mini_windows, "resize-mini-windows", kGlobalVar, kAny, Qgrow_only,
               "Redisplay option: resize mini windows.")
NEOVM_VARIABLE(scroll_conservatively, "scroll-conservatively", kGlobalVar, kInt, Value::fixnum(0),
               "Redisplay option: scroll conservatively.")
NEOVM_VARIABLE(scroll_margin, "scroll-margin", kGlobalVar, kInt, Value::fixnum(0), "Redisplay option: scroll margin.")
NEOVM_VARIABLE(scroll_minibuffer_conservatively, "scroll-minibuffer-conservatively", kGlobalVar, kBool, kInitT,
               "Redisplay option: scroll minibuffer conservatively.")
NEOVM_VARIABLE(scroll_step, "scroll-step", kGlobalVar, kInt, Value::fixnum(0), "Redisplay option: scroll step.")
NEOVM_VARIABLE(set_message_function, "set-message-function", kGlobalVar, kAny, kInitNil,
               "Redisplay option: set message function.")
NEOVM_VARIABLE(show_trailing_whitespace, "show-trailing-whitespace", kAutoLocalVar, kAny, kInitNil,
               "Redisplay option: show trailing whitespace.")
NEOVM_VARIABLE(tab_bar__dragging_in_progress, "tab-bar--dragging-in-progress", kGlobalVar, kBool, kInitNil,
               "Redisplay option: tab bar dragging in progress.")
NEOVM_VARIABLE(tab_bar_border, "tab-bar-border", kGlobalVar, kAny, Qinternal_border_width,
               "Redisplay option: tab bar border.")
NEOVM_VARIABLE(tab_bar_button_margin, "tab-bar-button-margin", kGlobalVar, kAny, Value::fixnum(1),
               "Redisplay option: tab bar button margin.")
NEOVM_VARIABLE(tab_bar_button_relief, "tab-bar-button-relief", kGlobalVar, kInt, Value::fixnum(1),
               "Redisplay option: tab bar button relief.")
NEOVM_VARIABLE(tool_bar_border, "tool-bar-border", kGlobalVar, kAny, Qinternal_border_width,
               "Redisplay option: tool bar border.")
NEOVM_VARIABLE(tool_bar_button_margin, "tool-bar-button-margin", kGlobalVar, kAny, Value::fixnum(4),
               "Redisplay option: tool bar button margin.")
NEOVM_VARIABLE(tool_bar_button_relief, "tool-bar-button-relief", kGlobalVar, kInt, Value::fixnum(1),
               "Redisplay option: tool bar button relief.")
NEOVM_VARIABLE(tool_bar_max_label_size, "tool-bar-max-label-size", kGlobalVar, kInt, Value::fixnum(14),
               "Redisplay option: tool bar max label size.")
NEOVM_VARIABLE(tool_bar_style, "tool-bar-style", kGlobalVar, kAny, kInitNil, "Redisplay option: tool bar style.")
NEOVM_VARIABLE(truncate_partial_width_windows, "truncate-partial-width-windows", kGlobalVar, kAny, Value::fixnum(50),
               "Redisplay option: truncate partial width windows.")
NEOVM_VARIABLE(underline_minimum_offset, "underline-minimum-offset", kGlobalVar, kInt, Value::fixnum(1),
               "Redisplay option: underline minimum offset.")
NEOVM_VARIABLE(unibyte_display_via_language_environment, "unibyte-display-via-language-environment", kGlobalVar, kBool,
               kInitNil, "Redisplay option: unibyte display via language environment.")
NEOVM_VARIABLE(void_text_area_pointer, "void-text-area-pointer", kGlobalVar, kAny, Qarrow,
               "Redisplay option: void text area pointer.")
NEOVM_VARIABLE(window_scroll_functions, "window-scroll-functions", kGlobalVar, kAny, kInitNil,
               "Redisplay option: window scroll functions.")
NEOVM_VARIABLE(word_wrap_by_category, "word-wrap-by-category", kGlobalVar, kBool, kInitNil,
               "Redisplay option: word wrap by category.")
NEOVM_VARIABLE(wrap_prefix, "wrap-prefix", kAutoLocalVar, kAny, kInitNil, "Redisplay option: wrap prefix.")

}  // namespace
}  // namespace neomacs::host
