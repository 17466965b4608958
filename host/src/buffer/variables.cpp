// Variables of GNU's buffer.c: the per-buffer ones in fixed slots, and the global hooks around them.
#include "buffer/buffer.hpp"

namespace neomacs::host {

// ---- one value a buffer, or a default until set ---------------------------------------------------------------
NEOVM_VARIABLE(abbrev_mode, "abbrev-mode", kBufferSlotVar, kAny, kInitNil,
               "Non-nil when abbrevs expand as they are typed.")
NEOVM_VARIABLE(auto_fill_function, "auto-fill-function", kBufferSlotVar, kAny, kInitNil,
               "Function called to break a line that got too long, or nil.")
NEOVM_VARIABLE(bidi_display_reordering, "bidi-display-reordering", kBufferSlotVar, kAny, kInitT,
               "Non-nil to reorder bidirectional text for display.")
NEOVM_VARIABLE(bidi_paragraph_direction, "bidi-paragraph-direction", kBufferSlotVar, kAny, kInitNil,
               "Forced direction of paragraphs, or nil to find it from the text.")
NEOVM_VARIABLE(bidi_paragraph_separate_re, "bidi-paragraph-separate-re", kBufferSlotVar, kAny, kInitNil,
               "Regexp for lines that separate paragraphs when direction is found.")
NEOVM_VARIABLE(bidi_paragraph_start_re, "bidi-paragraph-start-re", kBufferSlotVar, kAny, kInitNil,
               "Regexp for lines that start paragraphs when direction is found.")
NEOVM_VARIABLE(buffer_auto_save_file_format, "buffer-auto-save-file-format", kAlwaysLocalSlotVar, kAny, kInitT,
               "File formats used for auto-saving; t: those of the file.")
NEOVM_VARIABLE(buffer_auto_save_file_name, "buffer-auto-save-file-name", kAlwaysLocalSlotVar, kStringOrNil, kInitNil,
               "File to auto-save the buffer in, or nil.")
NEOVM_VARIABLE(buffer_backed_up, "buffer-backed-up", kAlwaysLocalSlotVar, kAny, kInitNil,
               "Non-nil once the visited file was backed up.")
NEOVM_VARIABLE(buffer_display_count, "buffer-display-count", kAlwaysLocalSlotVar, kNumberOrNil, Value::fixnum(0),
               "How often the buffer was shown in a window.")
NEOVM_VARIABLE(buffer_display_table, "buffer-display-table", kBufferSlotVar, kAny, kInitNil,
               "Display table of the buffer, or nil.")
NEOVM_VARIABLE(buffer_display_time, "buffer-display-time", kAlwaysLocalSlotVar, kAny, kInitNil,
               "When the buffer was last shown in a window, or nil.")
NEOVM_VARIABLE(buffer_file_coding_system, "buffer-file-coding-system", kBufferSlotVar, kAny, kInitNil,
               "Coding system for saving the buffer.")
NEOVM_VARIABLE(buffer_file_format, "buffer-file-format", kAlwaysLocalSlotVar, kAny, kInitNil,
               "File formats the buffer was read with.")
NEOVM_VARIABLE(buffer_file_name, "buffer-file-name", kAlwaysLocalSlotVar, kStringOrNil, kInitNil,
               "File the buffer visits, or nil.")
NEOVM_VARIABLE(buffer_file_truename, "buffer-file-truename", kAlwaysLocalSlotVar, kStringOrNil, kInitNil,
               "Truename of the visited file, abbreviated, or nil.")
NEOVM_VARIABLE(buffer_invisibility_spec, "buffer-invisibility-spec", kAlwaysLocalSlotVar, kAny, kInitT,
               "Which values of the invisible property hide text.")
NEOVM_VARIABLE(buffer_read_only, "buffer-read-only", kAlwaysLocalSlotVar, kAny, kInitNil,
               "Non-nil when the text must not be changed.")
NEOVM_VARIABLE(buffer_saved_size, "buffer-saved-size", kAlwaysLocalSlotVar, kNumberOrNil, Value::fixnum(0),
               "Length of the text when it was last saved; -1: do not auto-save.")
NEOVM_VARIABLE(buffer_undo_list, "buffer-undo-list", kAlwaysLocalSlotVar, kAny, kInitNil,
               "Records of changes, newest first; t when undo is off.")
NEOVM_VARIABLE(cache_long_scans, "cache-long-scans", kBufferSlotVar, kAny, kInitT,
               "Non-nil to remember the results of long scans.")
NEOVM_VARIABLE(case_fold_search, "case-fold-search", kBufferSlotVar, kAny, kInitT, "Non-nil when searches ignore case.")
NEOVM_VARIABLE(ctl_arrow, "ctl-arrow", kBufferSlotVar, kAny, kInitT, "Non-nil to show control characters with a caret.")
NEOVM_VARIABLE(cursor_in_non_selected_windows, "cursor-in-non-selected-windows", kBufferSlotVar, kAny, kInitT,
               "How the cursor looks in other windows.")
NEOVM_VARIABLE(cursor_type, "cursor-type", kBufferSlotVar, kAny, kInitT, "Shape of the cursor.")
NEOVM_VARIABLE(default_directory, "default-directory", kAlwaysLocalSlotVar, kStringOrNil, kInitNil,
               "Directory that file names are relative to; ends in a slash.")
NEOVM_VARIABLE(enable_multibyte_characters, "enable-multibyte-characters", kAlwaysLocalSlotVar, kAny, kInitT,
               "Non-nil when the buffer holds characters rather than bytes.")
NEOVM_VARIABLE(fill_column, "fill-column", kBufferSlotVar, kNumberOrNil, Value::fixnum(70),
               "Column beyond which lines are broken.")
NEOVM_VARIABLE(fringe_cursor_alist, "fringe-cursor-alist", kBufferSlotVar, kAny, kInitNil,
               "Fringe bitmaps for cursors.")
NEOVM_VARIABLE(fringe_indicator_alist, "fringe-indicator-alist", kBufferSlotVar, kAny, kInitNil,
               "Fringe bitmaps for indicators.")
NEOVM_VARIABLE(fringes_outside_margins, "fringes-outside-margins", kBufferSlotVar, kAny, kInitNil,
               "Non-nil to show fringes outside the margins.")
NEOVM_VARIABLE(header_line_format, "header-line-format", kBufferSlotVar, kAny, kInitNil,
               "Contents of the header line, or nil.")
NEOVM_VARIABLE(horizontal_scroll_bar, "horizontal-scroll-bar", kBufferSlotVar, kAny, kInitT,
               "Whether windows show a horizontal scroll bar.")
NEOVM_VARIABLE(indicate_buffer_boundaries, "indicate-buffer-boundaries", kBufferSlotVar, kAny, kInitNil,
               "Whether fringes show the ends of the buffer.")
NEOVM_VARIABLE(indicate_empty_lines, "indicate-empty-lines", kBufferSlotVar, kAny, kInitNil,
               "Whether fringes mark lines after the end.")
NEOVM_VARIABLE(left_fringe_width, "left-fringe-width", kBufferSlotVar, kNumberOrNil, kInitNil,
               "Width of the left fringe, or nil for the frame's.")
NEOVM_VARIABLE(left_margin, "left-margin", kBufferSlotVar, kNumberOrNil, Value::fixnum(0),
               "Column that indentation starts from.")
NEOVM_VARIABLE(left_margin_width, "left-margin-width", kBufferSlotVar, kNumberOrNil, Value::fixnum(0),
               "Width of the left margin in columns.")
NEOVM_VARIABLE(line_spacing, "line-spacing", kBufferSlotVar, kAny, kInitNil, "Additional space below lines.")
NEOVM_VARIABLE(local_abbrev_table, "local-abbrev-table", kBufferSlotVar, kAny, kInitNil,
               "Abbrev table of the buffer's mode.")
NEOVM_VARIABLE(local_minor_modes, "local-minor-modes", kAlwaysLocalSlotVar, kAny, kInitNil,
               "Minor modes that are on in the buffer only.")
NEOVM_VARIABLE(major_mode, "major-mode", kAlwaysLocalSlotVar, kSymbolOrNil, Qfundamental_mode,
               "Symbol of the major mode.")
NEOVM_VARIABLE(mark_active, "mark-active", kAlwaysLocalSlotVar, kAny, kInitNil, "Non-nil when the mark is active.")
NEOVM_VARIABLE(mode_line_format, "mode-line-format", kBufferSlotVar, kAny, "%-", "Contents of the mode line.")
NEOVM_VARIABLE(mode_name, "mode-name", kAlwaysLocalSlotVar, kAny, "Fundamental",
               "Name of the major mode for the mode line.")
NEOVM_VARIABLE(overwrite_mode, "overwrite-mode", kBufferSlotVar, kSymbolOrNil, kInitNil,
               "Non-nil when typed characters replace text.")
NEOVM_VARIABLE(point_before_scroll, "point-before-scroll", kAlwaysLocalSlotVar, kAny, kInitNil,
               "Where point was before a scroll-bar scroll, or nil.")
NEOVM_VARIABLE(right_fringe_width, "right-fringe-width", kBufferSlotVar, kNumberOrNil, kInitNil,
               "Width of the right fringe, or nil for the frame's.")
NEOVM_VARIABLE(right_margin_width, "right-margin-width", kBufferSlotVar, kNumberOrNil, Value::fixnum(0),
               "Width of the right margin in columns.")
NEOVM_VARIABLE(scroll_bar_height, "scroll-bar-height", kBufferSlotVar, kNumberOrNil, kInitNil,
               "Height of the horizontal scroll bar, or nil.")
NEOVM_VARIABLE(scroll_bar_width, "scroll-bar-width", kBufferSlotVar, kNumberOrNil, kInitNil,
               "Width of the vertical scroll bar, or nil.")
NEOVM_VARIABLE(scroll_down_aggressively, "scroll-down-aggressively", kBufferSlotVar, kAny, kInitNil,
               "How far scrolling down goes, or nil.")
NEOVM_VARIABLE(scroll_up_aggressively, "scroll-up-aggressively", kBufferSlotVar, kAny, kInitNil,
               "How far scrolling up goes, or nil.")
NEOVM_VARIABLE(selective_display, "selective-display", kBufferSlotVar, kAny, kInitNil,
               "Hides text after carriage returns or beyond an indentation.")
NEOVM_VARIABLE(selective_display_ellipses, "selective-display-ellipses", kBufferSlotVar, kAny, kInitT,
               "Non-nil to show dots for hidden text.")
NEOVM_VARIABLE(tab_line_format, "tab-line-format", kBufferSlotVar, kAny, kInitNil, "Contents of the tab line, or nil.")
NEOVM_VARIABLE(tab_width, "tab-width", kBufferSlotVar, kNumberOrNil, Value::fixnum(8), "Distance of tab stops.")
NEOVM_VARIABLE(truncate_lines, "truncate-lines", kBufferSlotVar, kAny, kInitNil,
               "Non-nil to cut long lines instead of wrapping them.")
NEOVM_VARIABLE(vertical_scroll_bar, "vertical-scroll-bar", kBufferSlotVar, kAny, kInitT,
               "Whether windows show a vertical scroll bar.")
NEOVM_VARIABLE(word_wrap, "word-wrap", kBufferSlotVar, kAny, kInitNil, "Non-nil to wrap lines at spaces.")

// ---- global --------------------------------------------------------------------------------------------------------
NEOVM_VARIABLE(after_change_functions, "after-change-functions", kGlobalVar, kAny, kInitNil,
               "Functions called after text changed, with start, end and old length.")
NEOVM_VARIABLE(before_change_functions, "before-change-functions", kGlobalVar, kAny, kInitNil,
               "Functions called before text changes, with start and end.")
NEOVM_VARIABLE(buffer_list_update_hook, "buffer-list-update-hook", kGlobalVar, kAny, kInitNil,
               "Hook run when the list of buffers changes.")
NEOVM_VARIABLE(change_major_mode_hook, "change-major-mode-hook", kGlobalVar, kAny, kInitNil,
               "Hook run before local variables are killed.")
NEOVM_VARIABLE(delete_auto_save_files, "delete-auto-save-files", kGlobalVar, kBool, kInitT,
               "Non-nil to delete auto-save files when buffers are saved.")
NEOVM_VARIABLE(first_change_hook, "first-change-hook", kGlobalVar, kAny, kInitNil,
               "Hook run before the first change of an unmodified buffer.")
NEOVM_VARIABLE(inhibit_read_only, "inhibit-read-only", kGlobalVar, kAny, kInitNil,
               "Non-nil lets read-only text be changed; a list overrides only those property values.")
NEOVM_VARIABLE(kill_buffer_query_functions, "kill-buffer-query-functions", kGlobalVar, kAny, kInitNil,
               "Functions that must all agree before a buffer is killed.")
NEOVM_VARIABLE(kill_buffer_delete_auto_save_files, "kill-buffer-delete-auto-save-files", kGlobalVar, kBool, kInitNil,
               "Non-nil to offer deleting the auto-save file when a buffer is killed.")
NEOVM_VARIABLE(transient_mark_mode, "transient-mark-mode", kGlobalVar, kAny, kInitNil,
               "Non-nil when the mark is active only for a while.")
NEOVM_VARIABLE(inhibit_field_text_motion, "inhibit-field-text-motion", kGlobalVar, kAny, kInitNil,
               "Non-nil when motion ignores fields.")
NEOVM_VARIABLE(buffer_access_fontify_functions, "buffer-access-fontify-functions", kGlobalVar, kAny, kInitNil,
               "Functions called before text is taken from a buffer.")
NEOVM_VARIABLE(buffer_access_fontified_property, "buffer-access-fontified-property", kGlobalVar, kAny, kInitNil,
               "Property that says text was fontified already, or nil.")
NEOVM_VARIABLE(binary_as_unsigned, "binary-as-unsigned", kGlobalVar, kBool, kInitNil,
               "Non-nil to format negative integers in two's complement for %x and %o.")
NEOVM_VARIABLE(combine_after_change_calls, "combine-after-change-calls", kGlobalVar, kAny, kInitNil,
               "Non-nil lets calls of after-change-functions be combined.")
NEOVM_VARIABLE(inhibit_modification_hooks, "inhibit-modification-hooks", kGlobalVar, kBool, kInitNil,
               "Non-nil turns change hooks off.")
NEOVM_VARIABLE(char_property_alias_alist, "char-property-alias-alist", kGlobalVar, kAny, kInitNil,
               "Alternatives for property names: (NAME ALTERNATIVE …).")
NEOVM_VARIABLE(default_text_properties, "default-text-properties", kGlobalVar, kAny, kInitNil,
               "Property list used where text has no value of its own.")
NEOVM_VARIABLE(inhibit_point_motion_hooks, "inhibit-point-motion-hooks", kGlobalVar, kAny, kInitT,
               "Non-nil turns point-entered and point-left off.")
static Value initial_nonsticky(Context& cx) {
  return list(cx, {cons(cx, Qsyntax_table, Qt), cons(cx, Qdisplay, Qt), cons(cx, Qcomposition, Qt)});
}
NEOVM_VARIABLE(text_property_default_nonsticky, "text-property-default-nonsticky", kGlobalVar, kAny, initial_nonsticky,
               "Stickiness of properties where the text does not say: (NAME . NONSTICKY).")
NEOVM_VARIABLE(undo_inhibit_record_point, "undo-inhibit-record-point", kGlobalVar, kBool, kInitNil,
               "Non-nil keeps point out of undo records.")
NEOVM_VARIABLE(undo_limit, "undo-limit", kGlobalVar, kInt, Value::fixnum(160000),
               "Bytes of undo records kept at a collection.")
NEOVM_VARIABLE(undo_strong_limit, "undo-strong-limit", kGlobalVar, kInt, Value::fixnum(240000),
               "Bytes of undo records beyond which even the last command's are dropped.")
NEOVM_VARIABLE(undo_outer_limit, "undo-outer-limit", kGlobalVar, kAny, Value::fixnum(24000000),
               "Bytes beyond which a single command's records are dropped, or nil.")
NEOVM_VARIABLE(undo_outer_limit_function, "undo-outer-limit-function", kGlobalVar, kAny, kInitNil,
               "Function called when one command exceeds undo-outer-limit.")
NEOVM_VARIABLE(post_self_insert_hook, "post-self-insert-hook", kGlobalVar, kAny, kInitNil,
               "Hook run after self-insert-command.")

}  // namespace neomacs::host
