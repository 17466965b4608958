// Joins the host to an isolate: state, hooks, the first buffers.
#include <cstdio>
#include <string>

#include "buffer/buffer.hpp"
#include "buffer/image.hpp"
#include "buffer/saved_places.hpp"
#include "display/display.hpp"
#include "edit/edit.hpp"
#include "edit/lines.hpp"
#include "neovm/host/host.hpp"
#include "textprop/textprop.hpp"

namespace neomacs::host {

void trace_buffer_state(void* state, Tracer& t);
void destroy_buffer_state(void* state);
Buffer& new_buffer(Context& cx, Value name, Buffer* base);

namespace {

Value hook_current_buffer(Context& cx) { return current_buffer(cx).self; }

Value hook_buffer_locals(Context& /*cx*/, Value buffer) {
  const Buffer& b = buffer_raw(buffer);
  return b.live ? b.locals : kNil;
}

// Where a stream reads: the buffer and its own point or the marker's.
struct Stream {
  Buffer* buffer;
  Pos* place;
};

Stream stream_of(Value where) {
  if (is_buffer(where)) {
    Buffer& b = buffer_raw(where);
    return {b.live ? &b : nullptr, &b.point};
  }
  Marker* m = marker_raw(where);
  if (m == nullptr) return {nullptr, nullptr};
  return {m->buffer, &m->pos};
}

int hook_read_char(Context& /*cx*/, Value where) {
  const Stream s = stream_of(where);
  if (s.buffer == nullptr) return -1;
  if (s.place->chars < s.buffer->begin.chars) *s.place = s.buffer->begin;
  if (s.place->chars >= s.buffer->end.chars) return -1;
  const int c = s.buffer->text->char_at(*s.place);
  *s.place = s.buffer->text->next(*s.place);
  return c;
}

void hook_unread_char(Context& /*cx*/, Value where) {
  const Stream s = stream_of(where);
  if (s.buffer == nullptr || s.place->chars <= s.buffer->begin.chars) return;
  *s.place = s.buffer->text->previous(*s.place);
}

void hook_line_column(Context& cx, Value where, std::int64_t* line, std::int64_t* column) {
  const Stream s = stream_of(where);
  if (s.buffer == nullptr) return;
  const Pos place = clip(*s.buffer, s.place->chars);
  *line = 1 + newlines_between(*s.buffer, s.buffer->begin.chars, place.chars);
  *column = column_of(cx, *s.buffer, place);
}

Value hook_stream_insert_re(Context& cx, Value where, Value string) {
  const std::size_t depth = binding_depth(cx);
  record_save_current_buffer(cx);
  if (is_buffer(where)) {
    Buffer& b = buffer_raw(where);
    if (!b.live) return error_text(cx, "Selecting deleted buffer");
    set_current_buffer(cx, b);
    TRY(insert_string_re(cx, string));
    return unbind_to_re(cx, depth, kNil);
  }
  const Marker* m = marker_raw(where);
  if (m == nullptr) return error_text(cx, "Marker does not point anywhere");
  Buffer& b = *m->buffer;
  set_current_buffer(cx, b);
  const std::int64_t start = m->pos.chars;
  if (start < b.begin.chars || start > b.end.chars) return signal_error0(cx, Qend_of_buffer);
  const std::int64_t old_point = b.point.chars;
  set_point(b, m->pos);
  TRY(insert_string_re(cx, string));
  const Pos after = b.point;
  move_marker(cx, where, &b, after);
  set_point(b, clip(b, old_point + (old_point >= start ? after.chars - start : 0)));
  return unbind_to_re(cx, depth, kNil);
}

bool hook_is_buffer(Value v) { return is_buffer(v); }
bool hook_is_marker(Value v) { return is_marker(v); }

Value hook_marker_position(Context& cx, Value marker) {
  const Marker* m = marker_raw(marker);
  if (m == nullptr) return error_text(cx, "Marker does not point anywhere");
  return Value::fixnum(m->pos.chars);
}

void hook_message(Context& /*cx*/, Value string) {
  if (!string.is_string()) return;
  const std::string text = to_std_string(string) + "\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void hook_copy_properties(Context& cx, Value source, std::int64_t from, std::int64_t to, Value target,
                          std::int64_t at) {
  if (string_raw(source)->properties.is_nil()) return;
  std::vector<PropertyRun> runs = string_runs(source, from, to);
  if (runs.empty()) return;
  const std::int64_t n = string_chars(target);
  // Usually appended behind everything the target has; replace() keeps the order in any case.
  std::vector<PropertyRun> all = string_runs(target, 0, n);
  const bool append = all.empty() || all.back().end <= at + runs.front().start;
  if (append) {
    for (const PropertyRun& r : runs)
      all.push_back({at + r.start, std::min(at + r.end, n), reversed_plist(cx, r.plist)});
    set_string_runs(cx, target, all);
    return;
  }
  PropertyTarget t(target);
  for (const PropertyRun& r : runs) t.replace(cx, at + r.start, std::min(at + r.end, n), reversed_plist(cx, r.plist));
}

// equal-including-properties: the same plists, compared by eq values, at every position.
bool hook_properties_equal(Context& /*cx*/, Value a, Value b) {
  const PropertyTarget x(a);
  const PropertyTarget y(b);
  const std::int64_t n = string_chars(a);
  if (n != string_chars(b)) return false;
  for (std::int64_t i = 0; i < n;) {
    const PropertyRun p = x.run_at(i);
    const PropertyRun q = y.run_at(i);
    if (!plists_equal(p.plist, q.plist)) return false;
    i = std::min(p.end, q.end);
  }
  return true;
}

Value hook_property_intervals(Context& cx, Value s) {
  Value out = kNil;
  for (const PropertyRun& r : string_runs(s, 0, string_chars(s))) {
    out = cons(cx, list(cx, {Value::fixnum(r.start), Value::fixnum(r.end), r.plist}), out);
  }
  return nreverse_list(out);
}

void hook_add_properties(Context& cx, Value s, std::int64_t from, std::int64_t to, Value plist) {
  from = std::max<std::int64_t>(from, 0);
  to = std::min(to, string_chars(s));
  if (from >= to || !plist.is_cons()) return;
  (void)add_properties_re(cx, PropertyTarget(s), from, to, plist);
}

}  // namespace

void attach(Context& cx) {
  auto* state = new BufferState;
  set_extension(cx, ExtensionId::kHostBuffers,
                {state, trace_buffer_state, destroy_buffer_state, save_buffer_state, restore_buffer_state});
  find_buffer_slots(cx, *state);

  HostHooks& h = host_hooks(cx);
  h.record_save_excursion = record_save_excursion;
  h.record_save_restriction = record_save_restriction;
  h.record_save_current_buffer = record_save_current_buffer;
  h.current_buffer = hook_current_buffer;
  h.buffer_locals = hook_buffer_locals;
  h.stream_read_char = hook_read_char;
  h.stream_unread_char = hook_unread_char;
  h.stream_line_column = hook_line_column;
  h.stream_insert_re = hook_stream_insert_re;
  h.is_buffer = hook_is_buffer;
  h.is_marker = hook_is_marker;
  h.marker_position = hook_marker_position;
  if (h.message == nullptr) h.message = hook_message;
  h.copy_string_properties = hook_copy_properties;
  h.string_properties_equal = hook_properties_equal;
  h.string_property_intervals = hook_property_intervals;
  h.set_string_properties = set_text_properties_re;
  h.add_string_properties = hook_add_properties;

  const Value name = make_unibyte_string(cx, "*scratch*");
  Buffer& scratch = new_buffer(cx, name, nullptr);
  set_current_buffer(cx, scratch);
  state->last_boundary_buffer = &scratch;
  attach_display(cx);
}

}  // namespace neomacs::host
