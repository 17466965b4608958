// Buffers in the image.
//
// Host objects are restored one by one first: buffers come back dead, markers and overlays pointing nowhere. Then
// the state itself is restored from what save_buffer_state made of the live buffers: it revives those, fills their
// texts and puts markers and overlays back. What attach() had made in the fresh isolate is dropped.
#include "buffer/image.hpp"

#include <algorithm>

#include "buffer/overlay.hpp"
#include "edit/edit.hpp"

namespace neomacs::host {

void detach_markers_of(Buffer& b, bool whole_text);

namespace {

// Slots of the vector that stands for a live buffer.
enum Field : int {
  kSelf,
  kName,
  kLocals,
  kSyntax,
  kCategory,
  kDowncase,
  kMark,
  kBase,
  kInhibitHooks,
  kPoint,
  kBegin,
  kEnd,
  kText,        // string, or nil for an indirect buffer
  kProperties,  // list of (START END PLIST), 0-based
  kMarkers,     // list of (MARKER . POSITION)
  kOverlays,    // list of (OVERLAY START . END)
  kCenter,
  kModified,
  kCharsModified,
  kSaved,
  kFieldCount,
};

Value save_overlays(Context& cx, const Buffer& b) {
  Value out = kNil;
  for (const auto* v : {&b.overlays_before, &b.overlays_after}) {
    for (const Overlay* o : *v) {
      out =
          cons(cx, cons(cx, o->self, cons(cx, Value::fixnum(overlay_start(*o)), Value::fixnum(overlay_end(*o)))), out);
    }
  }
  return out;  // last first: linking puts each in front of its equals
}

Value save_buffer(Context& cx, Buffer& b) {
  const Value v = TRY(make_vector(cx, kFieldCount, kNil));
  const CurrentTables& tables = &b == buffers(cx).current ? current_tables(cx) : b.tables;
  const auto put = [&](Field f, Value x) { set_slot_raw(v, f, x); };
  put(kSelf, b.self);
  put(kName, b.name);
  put(kLocals, b.locals);
  put(kSyntax, tables.syntax);
  put(kCategory, tables.category);
  put(kDowncase, tables.downcase);
  put(kMark, b.mark);
  put(kInhibitHooks, boolean(b.inhibit_hooks));
  put(kPoint, Value::fixnum(b.point.chars));
  put(kBegin, Value::fixnum(b.begin.chars));
  put(kEnd, Value::fixnum(b.end.chars));
  put(kOverlays, save_overlays(cx, b));
  put(kCenter, Value::fixnum(b.overlay_center));
  Value markers = kNil;
  for (const Marker* m : b.text->markers) {
    if (m->buffer == &b && !m->self.is_nil())
      markers = cons(cx, cons(cx, m->self, Value::fixnum(m->pos.chars)), markers);
  }
  put(kMarkers, markers);
  if (b.base != nullptr) {
    put(kBase, b.base->self);
    return v;
  }
  put(kText, TRY(buffer_substring(cx, b, 1, b.text->end().chars, false)));
  Value properties = kNil;
  const text::IntervalTree& tree = b.text->properties;
  for (std::int64_t i = 0; !tree.empty() && i < tree.length();) {
    const text::IntervalTree::Run r = tree.find(i);
    if (!r.value.is_nil()) {
      properties = cons(cx, list(cx, {Value::fixnum(r.start), Value::fixnum(r.end), r.value}), properties);
    }
    i = r.end;
  }
  put(kProperties, properties);
  put(kModified, Value::fixnum(b.text->modified));
  put(kCharsModified, Value::fixnum(b.text->chars_modified));
  put(kSaved, Value::fixnum(b.text->saved));
  return v;
}

// Takes a buffer of the fresh isolate out of service without telling anybody.
void drop(BufferState& s, Buffer* b) {
  while (!b->overlays_before.empty()) delete_overlay(b->overlays_before.back());
  while (!b->overlays_after.empty()) delete_overlay(b->overlays_after.back());
  detach_markers_of(*b, b->base == nullptr);
  auto& users = b->text->users;
  users.erase(std::remove(users.begin(), users.end(), b), users.end());
  if (b->base == nullptr) delete b->text;
  b->text = new TextStore(true);
  b->base = nullptr;
  b->point = b->begin = b->end = {};
  b->live = false;
  b->name = b->mark = b->locals = kNil;
  s.dead.push_back(b);
}

void revive(BufferState& s, Value saved) {
  Buffer& b = buffer_raw(slot_raw(saved, kSelf));
  s.dead.erase(std::remove(s.dead.begin(), s.dead.end(), &b), s.dead.end());
  s.live.push_back(&b);
  b.live = true;
  b.name = slot_raw(saved, kName);
  b.locals = slot_raw(saved, kLocals);
  b.tables = {slot_raw(saved, kSyntax), slot_raw(saved, kCategory), slot_raw(saved, kDowncase)};
  b.mark = slot_raw(saved, kMark);
  b.inhibit_hooks = slot_raw(saved, kInhibitHooks).truthy();
  const Value text = slot_raw(saved, kText);
  if (text.is_string()) {
    const std::string_view bytes = string_view_of(text);
    b.text->adopt(std::vector<std::uint8_t>(bytes.begin(), bytes.end()), string_chars(text), string_multibyte(text));
    b.text->properties.reset(string_chars(text));
    for (Value l = slot_raw(saved, kProperties); l.is_cons(); l = cdr_raw(l)) {
      const Value run = car_raw(l);
      b.text->properties.replace(car_raw(run).as_fixnum(), car_raw(cdr_raw(run)).as_fixnum(),
                                 car_raw(cdr_raw(cdr_raw(run))));
    }
    b.text->modified = slot_raw(saved, kModified).as_fixnum();
    b.text->chars_modified = slot_raw(saved, kCharsModified).as_fixnum();
    b.text->saved = slot_raw(saved, kSaved).as_fixnum();
  }
  b.text->users.push_back(&b);
}

void place_points(Context& cx, Value saved) {
  Buffer& b = buffer_raw(slot_raw(saved, kSelf));
  b.point = b.text->at_char(slot_raw(saved, kPoint).as_fixnum());
  b.begin = b.text->at_char(slot_raw(saved, kBegin).as_fixnum());
  b.end = b.text->at_char(slot_raw(saved, kEnd).as_fixnum());
  b.overlay_center = slot_raw(saved, kCenter).as_fixnum();
  for (Value l = slot_raw(saved, kMarkers); l.is_cons(); l = cdr_raw(l)) {
    const Value cell = car_raw(l);
    move_marker(cx, car_raw(cell), &b, b.text->at_char(cdr_raw(cell).as_fixnum()));
  }
  for (Value l = slot_raw(saved, kOverlays); l.is_cons(); l = cdr_raw(l)) {
    const Value cell = car_raw(l);
    restore_overlay(b, car_raw(cell), car_raw(cdr_raw(cell)).as_fixnum(), cdr_raw(cdr_raw(cell)).as_fixnum());
  }
}

}  // namespace

Value save_buffer_state(Context& cx, void* state) {
  auto& s = *static_cast<BufferState*>(state);
  Value out = kNil;
  for (std::size_t i = s.live.size(); i-- > 0;) out = cons(cx, TRY(save_buffer(cx, *s.live[i])), out);
  return list(cx, {out, s.current->self, Value::fixnum(static_cast<std::int64_t>(s.next_buffer_number))});
}

void restore_buffer_state(Context& cx, void* state, Value saved) {
  auto& s = *static_cast<BufferState*>(state);
  find_buffer_slots(cx, s);
  const std::vector<Buffer*> old = std::move(s.live);
  s.live.clear();
  for (Buffer* b : old) drop(s, b);
  const Value all = car_raw(saved);
  // Base buffers own the texts, so they come first; the order of the list is that of buffer-list.
  for (Value l = all; l.is_cons(); l = cdr_raw(l)) revive(s, car_raw(l));
  for (Value l = all; l.is_cons(); l = cdr_raw(l)) {
    const Value base = slot_raw(car_raw(l), kBase);
    if (base.is_nil()) continue;
    Buffer& b = buffer_raw(slot_raw(car_raw(l), kSelf));
    delete b.text;
    b.base = &buffer_raw(base);
    b.text = b.base->text;
    b.text->users.push_back(&b);
    b.base->indirections++;
  }
  for (Value l = all; l.is_cons(); l = cdr_raw(l)) place_points(cx, car_raw(l));
  s.next_buffer_number = static_cast<std::uint64_t>(car_raw(cdr_raw(cdr_raw(saved))).as_fixnum());
  s.current = nullptr;
  set_current_buffer(cx, buffer_raw(car_raw(cdr_raw(saved))));
  s.last_boundary_buffer = s.current;
  s.last_boundary_position = s.current->point.chars;
}

// ---- single objects ---------------------------------------------------------------------------------------------

Value save_buffer_object(Context& /*cx*/, Value /*self*/) { return kNil; }

void restore_buffer_object(Context& cx, Value self, Value /*saved*/) {
  auto* b = new Buffer;
  b->self = self;
  b->live = false;
  b->text = new TextStore(true);
  *host_payload_raw<Buffer*>(self) = b;
  buffers(cx).dead.push_back(b);
}

}  // namespace neomacs::host
