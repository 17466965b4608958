// self-insert-command (cmds.c).
#include <algorithm>

#include "edit/edit.hpp"

namespace neomacs::host {

namespace {

Maybe<bool> truthy_call_re(Context& cx, Value function, std::initializer_list<Value> args) {
  return TRY(funcall_re(cx, function, args))
  .truthy();
}

// overwrite-mode: how many characters after point give way to `count` copies of `c`.
Maybe<std::int64_t> overwritten_re(Context& cx, int c, std::int64_t count) {
  const Value mode = variable_value(cx, Qoverwrite_mode);
  Buffer& b = current_buffer(cx);
  if (mode.is_nil() || b.point.chars >= b.end.chars) return 0;
  if (mode == Qoverwrite_mode_binary) return std::min(count, b.end.chars - b.point.chars);
  const int next = b.text->char_at(b.point);
  if (c == '\n' || next == '\n') return 0;
  // A tab gives way only when it would be passed.
  if (next == '\t') {
    const Value column = TRY(funcall_re(cx, Qcurrent_column, {}));
    const Value tab = buffer_variable(cx, b, Qtab_width);
    const std::int64_t width = tab.is_fixnum() && tab.as_fixnum() > 0 ? tab.as_fixnum() : 8;
    if (column.is_fixnum() && (column.as_fixnum() + count) % width != 0) return 0;
    return 1;
  }
  std::int64_t n = 0;
  for (Pos p = b.point; n < count && p.chars < b.end.chars && b.text->char_at(p) != '\n'; p = b.text->next(p)) ++n;
  return n;
}

}  // namespace

NEOVM_COMMAND(self_insert_command, "self-insert-command", 1, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters,
              kDeterministic, "(list (prefix-numeric-value current-prefix-arg) last-command-event)",
              "Insert CHAR (default: the character that was typed) N times, with overwriting, abbrevs and auto-fill.")
(Context& cx, Value n, Value character) {
  const std::int64_t count = TRY(fixnum_argument(cx, n));
  if (character.is_nil()) character = variable_value(cx, Qlast_command_event);
  if (count < 0) return error_format(cx, "Negative repetition argument %lld", static_cast<long long>(count));
  if (count < 2 && symbol_function(cx, Qundo_auto_amalgamate).truthy()) TRY(funcall_re(cx, Qundo_auto_amalgamate, {}));
  if (!is_character(character)) {
    if (symbol_function(cx, Qding).truthy()) TRY(funcall_re(cx, Qding, {}));
    return kNil;
  }
  const int c = static_cast<int>(character.as_fixnum());
  if (count == 0) return kNil;
  const std::int64_t gone = TRY(overwritten_re(cx, c, count));
  // A character that ends a word may expand the abbrev before it.
  const Value classes = char_table_get(current_tables(cx).syntax, c);
  const bool word = classes.is_cons() && car_raw(classes).is_fixnum() && (car_raw(classes).as_fixnum() & 0xFF) == 2;
  if (variable_true(cx, Qabbrev_mode) && !word && buffer_variable(cx, current_buffer(cx), Qbuffer_read_only).is_nil() &&
      symbol_function(cx, Qexpand_abbrev).truthy()) {
    Buffer& b = current_buffer(cx);
    if (b.point.chars > b.begin.chars) TRY(funcall_re(cx, Qexpand_abbrev, {}));
  }
  if (gone > 0) {
    const std::int64_t at = current_buffer(cx).point.chars;
    TRY(delete_region_re(cx, at, std::min(at + gone, current_buffer(cx).end.chars)));
  }
  TRY(insert_char_re(cx, c, count, kInsertInherit));
  const Value fill = variable_value(cx, Qauto_fill_function);
  if ((c == ' ' || c == '\n') && fill.truthy() && !fill.is_unbound()) {
    // The function sees the place before a newline.
    if (c == '\n') {
      Buffer& b = current_buffer(cx);
      set_point(b, b.text->previous(b.point));
    }
    TRY(truthy_call_re(cx, fill, {}));
    if (c == '\n') {
      Buffer& b = current_buffer(cx);
      if (b.point.chars < b.end.chars) set_point(b, b.text->next(b.point));
    }
  }
  TRY(run_hook_re(cx, Qpost_self_insert_hook));
  return kNil;
}

}  // namespace neomacs::host
