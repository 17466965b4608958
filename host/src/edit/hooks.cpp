// Everything that may object to a change of text or wants to hear of it.
#include <algorithm>

#include "buffer/overlay.hpp"
#include "buffer/saved_places.hpp"
#include "edit/edit.hpp"
#include "edit/undo.hpp"
#include "textprop/textprop.hpp"

namespace neomacs::host {

bool inhibit_hooks(Context& cx) { return variable_true(cx, Qinhibit_modification_hooks); }

Maybe<bool> barf_if_read_only(Context& cx, Value position) {
  BufferState& s = buffers(cx);
  Buffer& b = *s.current;
  if (!position.is_nil() && !position.is_fixnum()) return wrong_type(cx, Qfixnump, position);
  if (buffer_slot_raw(b, s.slot_read_only).is_nil() || variable_true(cx, Qinhibit_read_only)) return true;
  const std::int64_t at = position.is_nil() ? b.point.chars : position.as_fixnum();
  if (at < b.begin.chars || at > b.end.chars) return args_out_of_range(cx, Value::fixnum(at), Value::fixnum(at));
  if (at < b.text->end().chars && !b.text->properties.empty()) {
    const Value plist = b.text->properties.find(at - 1).value;
    if (lookup_char_property(cx, plist, Qinhibit_read_only, true).truthy()) return true;
  }
  return signal_error1(cx, Qbuffer_read_only, b.self);
}

namespace {

bool mentions(Value symbol, Value set) { return set.is_cons() ? memq(symbol, set).truthy() : set.truthy(); }

ExitTag text_read_only(Context& cx, Value property) {
  if (property.is_string()) return signal_error1(cx, Qtext_read_only, property);
  return signal_error0(cx, Qtext_read_only);
}

// Is a read-only property overridden by inhibit-read-only (t, or a list that has the value)?
bool overridden(Context& cx, Value read_only) {
  const Value inhibit = variable_value(cx, Qinhibit_read_only);
  if (inhibit.is_cons()) return memq(read_only, inhibit).truthy();
  return inhibit.truthy();
}

Value plist_at(Buffer& b, std::int64_t pos) {
  if (pos < 1 || pos >= b.text->end().chars) return kNil;
  return b.text->properties.find(pos - 1).value;
}

// Does `plist` itself carry the property (and not through its category)?
bool own(Value plist, Value property) { return plist_get(plist, property).truthy(); }

Maybe<bool> check_insertion(Context& cx, Value before, Value after) {
  const Value after_value = lookup_char_property(cx, after, Qread_only, true);
  if (after_value.truthy() && !overridden(cx, after_value)) {
    const Value front = lookup_char_property(cx, after, Qfront_sticky, true);
    if (mentions(Qread_only, front) || (!own(after, Qread_only) && mentions(Qcategory, front))) {
      return text_read_only(cx, after_value);
    }
  }
  const Value before_value = lookup_char_property(cx, before, Qread_only, true);
  if (before_value.truthy() && !overridden(cx, before_value)) {
    const Value rear = lookup_char_property(cx, before, Qrear_nonsticky, true);
    if (!mentions(Qread_only, rear) && (own(before, Qread_only) || !mentions(Qcategory, rear))) {
      return text_read_only(cx, before_value);
    }
  }
  return true;
}

Maybe<bool> call_all_re(Context& cx, Value functions, Value from, Value to) {
  for (Value l = functions; l.is_cons(); l = cdr_raw(l)) TRY(funcall_re(cx, car_raw(l), {from, to}));
  return true;
}

// Read-only text and the modification-hooks property.
Maybe<bool> check_properties_re(Context& cx, std::int64_t from, std::int64_t to) {
  Buffer& b = current_buffer(cx);
  if (b.text->properties.empty()) return true;
  if (from == to) return check_insertion(cx, plist_at(b, from - 1), plist_at(b, from));
  std::vector<Value> seen;
  Value hooks = kNil;  // newest first
  const bool run_hooks = !inhibit_hooks(cx);
  for (std::int64_t i = from; i < to;) {
    const text::IntervalTree::Run r = b.text->properties.find(i - 1);
    const Value read_only = lookup_char_property(cx, r.value, Qread_only, true);
    if (read_only.truthy() && !overridden(cx, read_only)) return text_read_only(cx, read_only);
    if (run_hooks) {
      const Value h = lookup_char_property(cx, r.value, Qmodification_hooks, true);
      if (h.truthy() && (hooks.is_nil() || car_raw(hooks) != h)) hooks = cons(cx, h, hooks);
    }
    i = r.end + 1;
  }
  hooks = nreverse_list(hooks);
  for (Value l = hooks; l.is_cons(); l = cdr_raw(l)) {
    TRY(call_all_re(cx, car_raw(l), Value::fixnum(from), Value::fixnum(to)));
  }
  return true;
}

// A change hook that fails is removed (set to nil), so that a broken one cannot make the buffer unusable.
void clear_failed_hook(Context& cx, Value cell) {
  if (car_raw(cell).truthy()) set_variable_re(cx, car_raw(cell), kNil);
}

Maybe<bool> run_guarded_re(Context& cx, Value hook, std::span<const Value> args) {
  const std::size_t depth = binding_depth(cx);
  const Value cell = cons(cx, hook, kNil);
  record_unwind(cx, clear_failed_hook, cell);
  TRY(run_hook_with_args_re(cx, hook, args));
  set_car_raw(cell, kNil);
  TRY(unbind_to_re(cx, depth, kNil));
  return true;
}

bool has_functions(Context& cx, Value hook) { return variable_true(cx, hook); }

// insert-behind-hooks of the character before and insert-in-front-hooks of the one after.
Maybe<bool> run_insert_property_hooks_re(Context& cx, Value behind, Value front, Value from, Value to) {
  if (behind.truthy()) TRY(call_all_re(cx, behind, from, to));
  if (front.truthy() && front != behind) TRY(call_all_re(cx, front, from, to));
  return true;
}

}  // namespace

Maybe<bool> prepare_change_re(Context& cx, std::int64_t from, std::int64_t to) {
  BufferState& s = buffers(cx);
  TRY(barf_if_read_only(cx, Value::fixnum(from)));
  TRY(check_properties_re(cx, from, to));
  const bool quiet = inhibit_hooks(cx);
  if (!quiet) {
    if (undo_enabled(cx) && symbol_function(cx, Qundo_auto__undoable_change).truthy()) {
      TRY(funcall_re(cx, Qundo_auto__undoable_change, {}));
    }
    Buffer& b = *s.current;
    const bool first = b.text->modified <= b.text->saved && has_functions(cx, Qfirst_change_hook);
    const bool before = has_functions(cx, Qbefore_change_functions);
    if (first || before || b.has_overlays()) {
      const std::size_t depth = binding_depth(cx);
      TRY(bind_variable_re(cx, Qinhibit_modification_hooks, Qt));
      if (first) TRY(run_guarded_re(cx, Qfirst_change_hook, {}));
      if (before) {
        const Value args[] = {Value::fixnum(from), Value::fixnum(to)};
        TRY(run_guarded_re(cx, Qbefore_change_functions, args));
      }
      TRY(run_overlay_hooks_re(cx, *s.current, from, to, false, 0));
      TRY(unbind_to_re(cx, depth, kNil));
    }
  }
  if (variable_value(cx, Qdeactivate_mark) != Qt) TRY(set_variable_re(cx, Qdeactivate_mark, Qt));
  return true;
}

Maybe<bool> announce_change_re(Context& cx, std::int64_t from, std::int64_t old_length, std::int64_t new_length) {
  if (inhibit_hooks(cx)) return true;
  BufferState& s = buffers(cx);
  Buffer& b = *s.current;
  const bool after = has_functions(cx, Qafter_change_functions);
  // Changes are saved up while combine-after-change-calls is on and nobody asked to hear of each.
  if (variable_true(cx, Qcombine_after_change_calls) && !has_functions(cx, Qbefore_change_functions) &&
      !b.has_overlays()) {
    if (s.combined_changes.truthy() && s.combined_buffer != b.self) {
      if (symbol_function(cx, Qcombine_after_change_execute).truthy()) {
        TRY(funcall_re(cx, Qcombine_after_change_execute, {}));
      }
    }
    const Value record =
        list(cx, {Value::fixnum(from - 1), Value::fixnum(b.text->end().chars - (from - old_length + new_length)),
                  Value::fixnum(new_length - old_length)});
    s.combined_changes = cons(cx, record, s.combined_changes);
    s.combined_buffer = b.self;
    return true;
  }
  if (s.combined_changes.truthy() && symbol_function(cx, Qcombine_after_change_execute).truthy()) {
    TRY(funcall_re(cx, Qcombine_after_change_execute, {}));
  }
  Value behind = kNil;
  Value front = kNil;
  if (old_length == 0 && !b.text->properties.empty()) {
    behind = lookup_char_property(cx, plist_at(b, from - 1), Qinsert_behind_hooks, true);
    front = lookup_char_property(cx, plist_at(b, from + new_length), Qinsert_in_front_hooks, true);
  }
  const bool overlays = b.has_overlays() || !s.overlay_hooks.empty();
  if (!after && !overlays && behind.is_nil() && front.is_nil()) return true;
  const std::size_t depth = binding_depth(cx);
  TRY(bind_variable_re(cx, Qinhibit_modification_hooks, Qt));
  const Value start = Value::fixnum(from);
  const Value end = Value::fixnum(from + new_length);
  if (after) {
    const Value args[] = {start, end, Value::fixnum(old_length)};
    TRY(run_guarded_re(cx, Qafter_change_functions, args));
  }
  if (overlays) TRY(run_overlay_hooks_re(cx, *s.current, from, from + new_length, true, old_length));
  TRY(run_insert_property_hooks_re(cx, behind, front, start, end));
  TRY(unbind_to_re(cx, depth, kNil));
  return true;
}

NEOVM_PRIMITIVE(combine_after_change_execute, "combine-after-change-execute", 0, 0, kWorkerSafe, kStateWrite, kMayGc,
                kReenters, kDeterministic,
                "Run after-change-functions for the changes saved up by combine-after-change-calls.")
(Context& cx) {
  BufferState& s = buffers(cx);
  if (s.combined_changes.is_nil()) return kNil;
  if (!is_buffer(s.combined_buffer) || !buffer_raw(s.combined_buffer).live) {
    s.combined_changes = kNil;
    return kNil;
  }
  const std::size_t depth = binding_depth(cx);
  record_save_current_buffer(cx);
  set_current_buffer(cx, buffer_raw(s.combined_buffer));
  Buffer& b = *s.current;
  std::int64_t before = b.text->end().chars - 1;
  std::int64_t after = before;
  std::int64_t change = 0;
  for (Value l = s.combined_changes; l.is_cons(); l = cdr_raw(l)) {
    const Value e = car_raw(l);
    before = std::min(before, car_raw(e).as_fixnum());
    after = std::min(after, car_raw(cdr_raw(e)).as_fixnum());
    change += car_raw(cdr_raw(cdr_raw(e))).as_fixnum();
  }
  s.combined_changes = kNil;
  const std::int64_t from = 1 + before;
  const std::int64_t to = b.text->end().chars - after;
  TRY(bind_variable_re(cx, Qcombine_after_change_calls, kNil));
  TRY(announce_change_re(cx, from, to - from - change, to - from));
  return unbind_to_re(cx, depth, kNil);
}

NEOVM_PRIMITIVE(barf_if_buffer_read_only, "barf-if-buffer-read-only", 0, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Signal buffer-read-only if the current buffer may not be changed at POSITION.")
(Context& cx, Value position) {
  TRY(barf_if_read_only(cx, position));
  return kNil;
}

}  // namespace neomacs::host
