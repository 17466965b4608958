// Changing buffer text, complete: read-only checks, change hooks, undo, text properties, modification counts.
//
// All of these act on the current buffer unless a Buffer is given, run hooks (hence _re), and fail with the
// errors of Emacs (buffer-read-only, text-read-only, memory-full). Character positions are checked by the
// caller. After any of them, views and Pos values taken before are stale.
#pragma once

#include <string>

#include "buffer/buffer.hpp"

namespace neomacs::host {

enum InsertFlags : unsigned {
  kInsertPlain = 0,
  kInsertInherit = 1,        // take sticky properties of the neighbours
  kInsertBeforeMarkers = 2,  // markers at point end up after the text
};

// Insert at point and leave point after the text.
// `bytes` in the buffer's own encoding; must not point into the buffer or the Lisp heap. chars < 0: counted.
Maybe<bool> insert_bytes_re(Context& cx, std::string_view bytes, std::int64_t chars, unsigned flags = kInsertPlain);
// Characters [from, to) of a Lisp string with their properties; encoding is converted.
Maybe<bool> insert_string_re(Context& cx, Value string, std::int64_t from, std::int64_t to,
                             unsigned flags = kInsertPlain);
Maybe<bool> insert_string_re(Context& cx, Value string, unsigned flags = kInsertPlain);
// UTF-8 text from C++.
Maybe<bool> insert_text_re(Context& cx, std::string_view utf8);
Maybe<bool> insert_char_re(Context& cx, int c, std::int64_t count, unsigned flags = kInsertPlain);
// [from, to) of another buffer (or the same one), with properties.
Maybe<bool> insert_from_buffer_re(Context& cx, Buffer& source, std::int64_t from, std::int64_t to);

// Delete [from, to); point moves as a marker would. The second form returns the text as a string.
Maybe<bool> delete_region_re(Context& cx, std::int64_t from, std::int64_t to);
Value delete_and_extract_re(Context& cx, std::int64_t from, std::int64_t to);
// Replace [from, to) by a string, as one change; markers inside go to `from`… as in Emacs's replace_range.
// Point stays where it was relative to the text (it moves only when it lies behind `from`).
// END_MARKER, if given, is attached to the end of the new text before the hooks run; the caller detaches it.
Maybe<bool> replace_range_re(Context& cx, std::int64_t from, std::int64_t to, Value string, bool inherit,
                             Marker* end_marker = nullptr);

// [from, to) as a Lisp string. May fail when large.
Value buffer_substring(Context& cx, Buffer& b, std::int64_t from, std::int64_t to, bool with_properties);

// ---- pieces, for operations that change text in place -------------------------------------------------------

// Before any change of [from, to): read-only, properties' hooks, first-change-hook, before-change-functions.
Maybe<bool> prepare_change_re(Context& cx, std::int64_t from, std::int64_t to);
// As above without the hooks, for a change that was announced already (or must not be).
Maybe<bool> barf_if_read_only(Context& cx, Value position);
// After a change: `old_length` characters at `from` became `new_length`.
Maybe<bool> announce_change_re(Context& cx, std::int64_t from, std::int64_t old_length, std::int64_t new_length);
// Text properties of the buffer's [from, to) after raw insertion of `count` characters at `at`.
void note_inserted_properties(Context& cx, Buffer& b, Pos at, std::int64_t count, bool inherit);
// Counts one modification (of characters when `chars`).
void count_modification(Buffer& b, bool chars = true);
// Raw insertion at `at` with properties (nil), undo record, counts; no hooks. Point does not move if it is at `at`.
Maybe<bool> insert_raw(Context& cx, Buffer& b, Pos at, const std::uint8_t* bytes, std::int64_t byte_count,
                       std::int64_t char_count, unsigned flags);
// Raw deletion with undo record; no hooks. `deleted` receives the text when not null.
Maybe<bool> delete_raw(Context& cx, Buffer& b, Pos from, Pos to, Value* deleted);

// Converts to the encoding of a multibyte or unibyte text (unibyte → raw bytes; multibyte → low bytes).
std::string recode(std::string_view bytes, bool from_multibyte, bool to_multibyte, std::int64_t* chars);

// The overlay hooks and change-function lists are quiet: nothing to run. (insdel)
bool inhibit_hooks(Context& cx);

}  // namespace neomacs::host
