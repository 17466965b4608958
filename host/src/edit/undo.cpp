#include "edit/undo.hpp"

#include "edit/edit.hpp"

namespace neomacs::host {

namespace {

Value undo_list(Context& cx) {
  BufferState& s = buffers(cx);
  return buffer_slot_raw(*s.current, s.slot_undo_list);
}

void set_undo_list(Context& cx, Value v) {
  BufferState& s = buffers(cx);
  set_buffer_slot_raw(*s.current, s.slot_undo_list, v);
}

void push(Context& cx, Value entry) { set_undo_list(cx, cons(cx, entry, undo_list(cx))); }

// What comes before the first record of a command: the unmodified state, and where point was.
void record_point(Context& cx, std::int64_t at) {
  BufferState& s = buffers(cx);
  const Value list = undo_list(cx);
  const bool at_boundary = !list.is_cons() || car_raw(list).is_nil();
  if (variable_true(cx, Qundo_inhibit_record_point)) return;
  if (s.current->text->modified <= s.current->text->saved) record_first_change(cx);
  if (at_boundary && s.last_boundary_buffer == s.current && s.last_boundary_position != at) {
    push(cx, Value::fixnum(s.last_boundary_position));
  }
}

// Markers that the deletion of [from, to) will pull together, so that undo can put them back.
void record_marker_adjustments(Context& cx, std::int64_t from, std::int64_t to) {
  Buffer& b = current_buffer(cx);
  for (std::size_t i = b.text->markers.size(); i-- > 0;) {  // newest first
    const Marker* m = b.text->markers[i];
    if (m->self.is_nil() || m->buffer != &b) continue;
    const std::int64_t p = m->pos.chars;
    if (p < from || p > to) continue;
    const std::int64_t adjustment = (m->advance ? to : from) - p;
    if (adjustment != 0) push(cx, cons(cx, m->self, Value::fixnum(adjustment)));
  }
}

}  // namespace

bool undo_enabled(Context& cx) { return undo_list(cx) != Qt; }

void record_first_change(Context& cx) {
  if (!undo_enabled(cx)) return;
  Value modtime = Value::fixnum(0);
  const Value file = buffer_variable(cx, current_buffer(cx), Qbuffer_file_name);
  if (file.truthy() && symbol_function(cx, Qvisited_file_modtime).truthy()) {
    const Value v = funcall_re(cx, Qvisited_file_modtime, {});
    if (!v.is_exit()) modtime = v;
  }
  push(cx, cons(cx, Qt, modtime));
}

Maybe<bool> record_insert_re(Context& cx, std::int64_t at, std::int64_t count) {
  if (!undo_enabled(cx)) return true;
  record_point(cx, at);
  const Value list = undo_list(cx);
  if (list.is_cons()) {
    const Value last = car_raw(list);
    if (last.is_cons() && car_raw(last).is_fixnum() && cdr_raw(last).is_fixnum() && cdr_raw(last).as_fixnum() == at) {
      set_cdr_raw(last, Value::fixnum(at + count));
      return true;
    }
  }
  push(cx, cons(cx, Value::fixnum(at), Value::fixnum(at + count)));
  return true;
}

Maybe<bool> record_delete_re(Context& cx, std::int64_t at, Value string, bool record_markers) {
  if (!undo_enabled(cx)) return true;
  record_point(cx, at);
  const std::int64_t length = string_chars(string);
  const bool behind = current_buffer(cx).point.chars == at + length;
  if (record_markers) record_marker_adjustments(cx, at, at + length);
  push(cx, cons(cx, string, Value::fixnum(behind ? -at : at)));
  return true;
}

Maybe<bool> record_change_re(Context& cx, std::int64_t at, Value old_text) {
  TRY(record_delete_re(cx, at, old_text, false));
  return record_insert_re(cx, at, string_chars(old_text));
}

Maybe<bool> record_property_change_re(Context& cx, std::int64_t from, std::int64_t to, Value property, Value value,
                                      Value object) {
  Buffer& target = buffer_raw(object);
  Buffer& previous = current_buffer(cx);
  if (&target != &previous) set_current_buffer(cx, target);
  if (undo_enabled(cx)) {
    if (target.text->modified <= target.text->saved) record_first_change(cx);
    const Value range = cons(cx, Value::fixnum(from), Value::fixnum(to));
    push(cx, cons(cx, kNil, cons(cx, property, cons(cx, value, range))));
  }
  if (&target != &previous) set_current_buffer(cx, previous);
  return true;
}

void undo_boundary(Context& cx) {
  if (undo_enabled(cx)) {
    const Value list = undo_list(cx);
    if (list.is_cons() && !car_raw(list).is_nil()) push(cx, kNil);
  }
  note_point_before_command(cx);
}

void note_point_before_command(Context& cx) {
  BufferState& s = buffers(cx);
  s.last_boundary_position = s.current->point.chars;
  s.last_boundary_buffer = s.current;
}

NEOVM_PRIMITIVE(undo_boundary, "undo-boundary", 0, 0, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Separate the changes made so far from later ones in the undo list.")
(Context& cx) {
  undo_boundary(cx);
  TRY(set_variable_re(cx, Qundo_auto__last_boundary_cause, Qexplicit));
  return kNil;
}

}  // namespace neomacs::host
