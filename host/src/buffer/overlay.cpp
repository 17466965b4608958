// Overlays: storage, order, and what happens to them when text changes.
//
// As in GNU, a buffer's overlays lie in two lists around a "center": those that end at or before it, by
// decreasing end, and the others by increasing start. The lists can be seen (overlay-lists) and give the order of
// unsorted results.
#include "buffer/overlay.hpp"
#include "buffer/image.hpp"

#include <algorithm>
#include <string>

#include "textprop/textprop.hpp"

namespace neomacs::host {

namespace {

struct OverlayPayload {
  Overlay* overlay;
  std::uint64_t number;  // creation order, breaks ties in sorting
  bool front_advance;
  bool rear_advance;
};

OverlayPayload& payload(Value v) { return *host_payload_raw<OverlayPayload>(v); }

Value print_overlay(Context& cx, Value self) {
  const Overlay* o = payload(self).overlay;
  if (o == nullptr) return make_unibyte_string(cx, "#<overlay in no buffer>");
  std::string out =
      "#<overlay from " + std::to_string(overlay_start(*o)) + " to " + std::to_string(overlay_end(*o)) + " in ";
  out += string_view_of(o->buffer->name);
  out += '>';
  return string_multibyte(o->buffer->name) ? make_multibyte_string(cx, out) : make_unibyte_string(cx, out);
}

bool equal_overlays(Context& cx, Value a, Value b) {
  const Overlay* x = payload(a).overlay;
  const Overlay* y = payload(b).overlay;
  if ((x == nullptr) != (y == nullptr)) return false;
  if (x != nullptr &&
      (x->buffer != y->buffer || overlay_start(*x) != overlay_start(*y) || overlay_end(*x) != overlay_end(*y))) {
    return false;
  }
  Maybe<bool> same = equal(cx, overlay_plist(a), overlay_plist(b));
  return same.ok() && same.get_raw();
}

void trace_overlay(Value self, Tracer& /*t*/) {
  if (Overlay* o = payload(self).overlay) o->self = self;
}

Value save_overlay(Context& cx, Value self) {
  const OverlayPayload& p = payload(self);
  return list(cx,
              {Value::fixnum(static_cast<std::int64_t>(p.number)), boolean(p.front_advance), boolean(p.rear_advance)});
}

void restore_overlay_object(Context& /*cx*/, Value self, Value saved) {
  payload(self) = {nullptr, static_cast<std::uint64_t>(car_raw(saved).as_fixnum()), car_raw(cdr_raw(saved)).truthy(),
                   car_raw(cdr_raw(cdr_raw(saved))).truthy()};
}

}  // namespace

const HostType kOverlayType = {"overlay",
                               Qoverlay,
                               1,
                               sizeof(OverlayPayload),
                               trace_overlay,
                               nullptr,
                               print_overlay,
                               equal_overlays,
                               ImagePayload::kHooks,
                               save_overlay,
                               restore_overlay_object};
NEOVM_HOST_TYPE(kOverlayType)

Overlay* overlay_raw(Value v) { return payload(v).overlay; }

// ---- the two lists ------------------------------------------------------------------------------------------------

namespace {

void put_before(Buffer& b, Overlay* o) {
  auto& v = b.overlays_before;
  v.insert(std::find_if(v.begin(), v.end(), [&](Overlay* x) { return overlay_end(*x) <= overlay_end(*o); }), o);
}

void put_after(Buffer& b, Overlay* o) {
  auto& v = b.overlays_after;
  v.insert(std::find_if(v.begin(), v.end(), [&](Overlay* x) { return overlay_start(*x) >= overlay_start(*o); }), o);
}

void link(Buffer& b, Overlay* o) {
  if (overlay_end(*o) <= b.overlay_center) {
    put_before(b, o);
  } else {
    put_after(b, o);
  }
}

void unlink(Overlay* o) {
  for (auto* v : {&o->buffer->overlays_before, &o->buffer->overlays_after}) {
    const auto it = std::find(v->begin(), v->end(), o);
    if (it != v->end()) {
      v->erase(it);
      return;
    }
  }
}

template <class F>
void each_overlay(const Buffer& b, F f) {
  for (Overlay* o : b.overlays_before) f(o);
  for (Overlay* o : b.overlays_after) f(o);
}

}  // namespace

void recenter_overlays(Buffer& b, std::int64_t pos) {
  b.overlay_center = pos;
  std::vector<Overlay*> forward;
  std::vector<Overlay*> backward;
  for (Overlay* o : b.overlays_before)
    if (overlay_end(*o) > pos) forward.push_back(o);
  for (Overlay* o : b.overlays_after)
    if (overlay_end(*o) <= pos) backward.push_back(o);
  for (Overlay* o : forward) unlink(o);
  for (Overlay* o : backward) unlink(o);
  for (std::size_t i = forward.size(); i-- > 0;) put_after(b, forward[i]);
  for (Overlay* o : backward) put_before(b, o);
}

void delete_overlay(Overlay* o) {
  unlink(o);
  detach_marker(o->start);
  detach_marker(o->end);
  payload(o->self).overlay = nullptr;
  delete o;
}

void overlay_text_inserted(Buffer& b, std::int64_t at, std::int64_t count) {
  for (Buffer* u : b.text->users) {
    if (u->overlay_center >= at) u->overlay_center += count;
    // An empty overlay whose start advances and whose end does not would turn inside out.
    each_overlay(*u, [](Overlay* o) {
      if (overlay_start(*o) > overlay_end(*o)) o->start.pos = o->end.pos;
    });
  }
}

void overlay_text_deleted(Buffer& b, std::int64_t at, std::int64_t count) {
  for (Buffer* u : b.text->users) {
    if (u->overlay_center > at) u->overlay_center = std::max(at, u->overlay_center - count);
  }
}

void fix_overlay_order(Buffer& b, std::int64_t from, std::int64_t to) {
  std::vector<Overlay*> touched;
  each_overlay(b, [&](Overlay* o) {
    if (overlay_start(*o) <= to && overlay_end(*o) >= from) touched.push_back(o);
  });
  for (Overlay* o : touched) {
    unlink(o);
    if (overlay_start(*o) > overlay_end(*o)) std::swap(o->start.pos, o->end.pos);
  }
  for (Overlay* o : touched) link(b, o);
}

Maybe<bool> evaporate_overlays_re(Context& cx, Buffer& b, std::int64_t at) {
  if (!b.has_overlays()) return true;
  std::vector<Overlay*> gone;
  each_overlay(b, [&](Overlay* o) {
    if (overlay_start(*o) == at && overlay_end(*o) == at &&
        lookup_char_property(cx, overlay_plist(o->self), Qevaporate, false).truthy()) {
      gone.push_back(o);
    }
  });
  for (Overlay* o : gone) delete_overlay(o);
  return true;
}

// ---- searching ------------------------------------------------------------------------------------------------------

std::vector<Overlay*> overlays_covering(Buffer& b, std::int64_t pos) {
  std::vector<Overlay*> out;
  each_overlay(b, [&](Overlay* o) {
    if (overlay_start(*o) <= pos && pos < overlay_end(*o)) out.push_back(o);
  });
  return out;
}

std::vector<Overlay*> overlays_ending_at(Buffer& b, std::int64_t pos) {
  std::vector<Overlay*> out;
  each_overlay(b, [&](Overlay* o) {
    if (overlay_end(*o) == pos) out.push_back(o);
  });
  return out;
}

namespace {

struct Priority {
  std::int64_t major = 0;
  std::int64_t minor = 0;
};

Priority priority_of(Value overlay) {
  const Value p = plist_get(overlay_plist(overlay), Qpriority);
  Priority out;
  if (p.is_fixnum()) {
    out.major = p.as_fixnum();
  } else if (p.is_cons()) {
    if (car_raw(p).is_fixnum()) out.major = car_raw(p).as_fixnum();
    if (cdr_raw(p).is_fixnum()) out.minor = cdr_raw(p).as_fixnum();
  }
  return out;
}

}  // namespace

void sort_overlays(Context& /*cx*/, std::vector<Overlay*>& overlays, Value window) {
  // Overlays limited to a window count only for that window.
  if (!window.is_nil()) {
    std::erase_if(overlays, [&](Overlay* o) {
      const Value w = plist_get(overlay_plist(o->self), Qwindow);
      return w.truthy() && w != window && is_kind(w, ObjectKind::kHost);
    });
  }
  if (overlays.size() < 2) return;
  std::sort(overlays.begin(), overlays.end(), [](const Overlay* a, const Overlay* b) {
    const Priority p = priority_of(a->self);
    const Priority q = priority_of(b->self);
    if (p.major != q.major) return p.major < q.major;
    if (overlay_start(*a) != overlay_start(*b)) return overlay_start(*a) < overlay_start(*b);
    if (overlay_end(*a) != overlay_end(*b)) return overlay_end(*a) > overlay_end(*b);
    if (p.minor != q.minor) return p.minor < q.minor;
    return payload(a->self).number < payload(b->self).number;
  });
}

std::int64_t next_overlay_change(const Buffer& b, std::int64_t pos) {
  std::int64_t next = b.end.chars;
  each_overlay(b, [&](const Overlay* o) {
    if (overlay_start(*o) > pos) next = std::min(next, overlay_start(*o));
    if (overlay_end(*o) > pos) next = std::min(next, overlay_end(*o));
  });
  return next;
}

std::int64_t previous_overlay_change(const Buffer& b, std::int64_t pos) {
  std::int64_t previous = b.begin.chars;
  each_overlay(b, [&](const Overlay* o) {
    if (overlay_start(*o) < pos) previous = std::max(previous, overlay_start(*o));
    if (overlay_end(*o) < pos) previous = std::max(previous, overlay_end(*o));
  });
  return previous;
}

// ---- change hooks -----------------------------------------------------------------------------------------------------

// The hooks to run after a change are those collected before it.
Maybe<bool> run_overlay_hooks_re(Context& cx, Buffer& b, std::int64_t from, std::int64_t to, bool after,
                                 std::int64_t old_length) {
  BufferState& s = buffers(cx);
  if (!after) {
    s.overlay_hooks.clear();
    const bool insertion = from == to;
    each_overlay(b, [&](Overlay* o) {
      const auto add = [&](Value property) {
        const Value functions = lookup_char_property(cx, overlay_plist(o->self), property, false);
        for (Value l = functions; l.is_cons(); l = cdr_raw(l)) {
          s.overlay_hooks.push_back(car_raw(l));
          s.overlay_hooks.push_back(o->self);
        }
      };
      const std::int64_t start = overlay_start(*o);
      const std::int64_t end = overlay_end(*o);
      if (insertion && (from == start || to == start)) add(Qinsert_in_front_hooks);
      if (insertion && (from == end || to == end)) add(Qinsert_behind_hooks);
      if (to > start && from < end) add(Qmodification_hooks);
    });
  }
  if (s.overlay_hooks.empty()) return true;
  // The functions may edit and so refill the vector: run from a list of our own.
  const Value calls = list_from(cx, s.overlay_hooks);
  if (after) s.overlay_hooks.clear();
  for (Value l = calls; l.is_cons(); l = cdr_raw(cdr_raw(l))) {
    const Value function = car_raw(l);
    const Value overlay = car_raw(cdr_raw(l));
    if (after && overlay_raw(overlay) == nullptr) continue;
    if (after) {
      TRY(funcall_re(cx, function, {overlay, Qt, Value::fixnum(from), Value::fixnum(to), Value::fixnum(old_length)}));
    } else {
      TRY(funcall_re(cx, function, {overlay, kNil, Value::fixnum(from), Value::fixnum(to)}));
    }
  }
  return true;
}

// ---- primitives ----------------------------------------------------------------------------------------------------------

namespace {

Maybe<Overlay*> overlay_argument(Context& cx, Value v) {
  if (!is_overlay(v)) return wrong_type(cx, Qoverlayp, v);
  return overlay_raw(v);
}

// Position of an overlay's end; a marker must be in the buffer.
Maybe<std::int64_t> end_argument(Context& cx, Value v, const Buffer& b) {
  if (is_marker(v)) {
    const Marker* m = marker_raw(v);
    if (m != nullptr && m->buffer != &b) {
      return signal_error(cx, Qerror, list(cx, {
                            TRY(make_string(cx, "Marker points into wrong buffer"))
                            , v
                          }));
    }
  }
  const std::int64_t p = TRY(position_argument(cx, v));
  return std::clamp<std::int64_t>(p, 1, b.text->end().chars);
}

void place(Buffer& b, Overlay* o, std::int64_t from, std::int64_t to, bool front, bool rear) {
  attach_marker(o->start, b, b.text->at_char(from), front);
  attach_marker(o->end, b, b.text->at_char(to), rear);
  o->buffer = &b;
  link(b, o);
}

Value overlay_list(Context& cx, const std::vector<Overlay*>& v) {
  Value out = kNil;
  for (std::size_t i = v.size(); i-- > 0;) out = cons(cx, v[i]->self, out);
  return out;
}

}  // namespace

void restore_overlay(Buffer& b, Value v, std::int64_t from, std::int64_t to) {
  auto* o = new Overlay;
  o->self = v;
  payload(v).overlay = o;
  place(b, o, from, to, payload(v).front_advance, payload(v).rear_advance);
}

void clone_overlay(Context& cx, Buffer& b, const Overlay& original) {
  const Value v = make_host_object(cx, &kOverlayType);
  auto* o = new Overlay;
  o->self = v;
  payload(v) = payload(original.self);
  payload(v).overlay = o;
  payload(v).number = ++buffers(cx).next_buffer_number;
  Value items = kNil;
  for (Value p = overlay_plist(original.self); p.is_cons(); p = cdr_raw(p)) items = cons(cx, car_raw(p), items);
  set_host_slot_raw(v, 0, nreverse_list(items));
  place(b, o, overlay_start(original), overlay_end(original), original.start.advance, original.end.advance);
}

NEOVM_PRIMITIVE(overlayp, "overlayp", 1, 1, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return t if OBJECT is an overlay.")
(Context& /*cx*/, Value object) { return boolean(is_overlay(object)); }

NEOVM_PRIMITIVE(make_overlay, "make-overlay", 2, 5, kWorkerSafe, kStateWrite, kMayGc, kNoReentry, kDeterministic,
                "Return a new overlay from BEG to END in BUFFER; the flags say which ends advance on insertion.")
(Context& cx, Value beg, Value end, Value buffer, Value front_advance, Value rear_advance) {
  Buffer* b = TRY(buffer_or_current(cx, buffer));
  if (is_marker(beg) && marker_raw(beg) != nullptr && marker_raw(beg)->buffer != b) {
    return signal_error(cx, Qerror, list(cx, {
                          TRY(make_string(cx, "Marker points into wrong buffer"))
                          , beg
                        }));
  }
  if (is_marker(end) && marker_raw(end) != nullptr && marker_raw(end)->buffer != b) {
    return signal_error(cx, Qerror, list(cx, {
                          TRY(make_string(cx, "Marker points into wrong buffer"))
                          , end
                        }));
  }
  std::int64_t from = TRY(end_argument(cx, beg, *b));
  std::int64_t to = TRY(end_argument(cx, end, *b));
  if (!b->live) return error_text(cx, "Marker does not point anywhere");
  if (from > to) std::swap(from, to);
  const Value v = make_host_object(cx, &kOverlayType);
  auto* o = new Overlay;
  o->self = v;
  payload(v) = {o, ++buffers(cx).next_buffer_number, front_advance.truthy(), rear_advance.truthy()};
  place(*b, o, from, to, front_advance.truthy(), rear_advance.truthy());
  return v;
}

NEOVM_PRIMITIVE(overlay_start, "overlay-start", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return where OVERLAY starts, or nil when it is deleted.")
(Context& cx, Value overlay) {
  const Overlay* o = TRY(overlay_argument(cx, overlay));
  return o == nullptr ? kNil : Value::fixnum(overlay_start(*o));
}

NEOVM_PRIMITIVE(overlay_end, "overlay-end", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return where OVERLAY ends, or nil when it is deleted.")
(Context& cx, Value overlay) {
  const Overlay* o = TRY(overlay_argument(cx, overlay));
  return o == nullptr ? kNil : Value::fixnum(overlay_end(*o));
}

NEOVM_PRIMITIVE(overlay_buffer, "overlay-buffer", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the buffer OVERLAY is in, or nil.")
(Context& cx, Value overlay) {
  const Overlay* o = TRY(overlay_argument(cx, overlay));
  return o == nullptr ? kNil : o->buffer->self;
}

NEOVM_PRIMITIVE(overlay_properties, "overlay-properties", 1, 1, kWorkerSafe, kStateRead, kMayGc, kNoReentry,
                kDeterministic, "Return a copy of the property list of OVERLAY.")
(Context& cx, Value overlay) {
  TRY(overlay_argument(cx, overlay));
  Value items = kNil;
  for (Value p = overlay_plist(overlay); p.is_cons(); p = cdr_raw(p)) items = cons(cx, car_raw(p), items);
  return nreverse_list(items);
}

NEOVM_PRIMITIVE(overlay_get, "overlay-get", 2, 2, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return property PROP of OVERLAY.")
(Context& cx, Value overlay, Value property) {
  TRY(overlay_argument(cx, overlay));
  return lookup_char_property(cx, overlay_plist(overlay), property, false);
}

NEOVM_PRIMITIVE(overlay_put, "overlay-put", 3, 3, kWorkerSafe, kStateWrite, kMayGc, kNoReentry, kDeterministic,
                "Set property PROP of OVERLAY to VALUE and return VALUE.")
(Context& cx, Value overlay, Value property, Value value) {
  Overlay* o = TRY(overlay_argument(cx, overlay));
  Value p = overlay_plist(overlay);
  for (; p.is_cons() && cdr_raw(p).is_cons(); p = cdr_raw(cdr_raw(p))) {
    if (car_raw(p) == property) {
      set_car_raw(cdr_raw(p), value);
      break;
    }
  }
  if (!p.is_cons()) set_host_slot_raw(overlay, 0, cons(cx, property, cons(cx, value, overlay_plist(overlay))));
  if (o != nullptr) {
    o->buffer->overlay_modified++;
    if (property == Qevaporate && value.truthy() && overlay_start(*o) == overlay_end(*o)) delete_overlay(o);
  }
  return value;
}

NEOVM_PRIMITIVE(delete_overlay, "delete-overlay", 1, 1, kWorkerSafe, kStateWrite, kNoGc, kNoReentry, kDeterministic,
                "Take OVERLAY out of its buffer.")
(Context& cx, Value overlay) {
  if (Overlay* o = TRY(overlay_argument(cx, overlay))) delete_overlay(o);
  return kNil;
}

NEOVM_PRIMITIVE(delete_all_overlays, "delete-all-overlays", 0, 1, kWorkerSafe, kStateWrite, kNoGc, kNoReentry,
                kDeterministic, "Take all overlays out of BUFFER.")
(Context& cx, Value buffer) {
  Buffer* b = TRY(buffer_or_current(cx, buffer));
  while (!b->overlays_before.empty()) delete_overlay(b->overlays_before.back());
  while (!b->overlays_after.empty()) delete_overlay(b->overlays_after.back());
  return kNil;
}

NEOVM_PRIMITIVE(move_overlay, "move-overlay", 3, 4, kWorkerSafe, kStateWrite, kMayGc, kNoReentry, kDeterministic,
                "Make OVERLAY cover the text from BEG to END of BUFFER (default: where it is, else current).")
(Context& cx, Value overlay, Value beg, Value end, Value buffer) {
  Overlay* o = TRY(overlay_argument(cx, overlay));
  Buffer* b = nullptr;
  if (buffer.is_nil()) {
    b = o != nullptr ? o->buffer : &current_buffer(cx);
  } else {
    if (!is_buffer(buffer)) return wrong_type(cx, Qbufferp, buffer);
    b = &buffer_raw(buffer);
  }
  if (!b->live) return error_text(cx, "Attempt to move overlay to a dead buffer");
  std::int64_t from = TRY(end_argument(cx, beg, *b));
  std::int64_t to = TRY(end_argument(cx, end, *b));
  if (from > to) std::swap(from, to);
  if (o != nullptr) {
    unlink(o);
    detach_marker(o->start);
    detach_marker(o->end);
  } else {
    o = new Overlay;
    o->self = overlay;
    payload(overlay).overlay = o;
  }
  place(*b, o, from, to, payload(overlay).front_advance, payload(overlay).rear_advance);
  if (from == to && lookup_char_property(cx, overlay_plist(overlay), Qevaporate, false).truthy()) delete_overlay(o);
  return overlay;
}

NEOVM_PRIMITIVE(overlays_at, "overlays-at", 1, 2, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return the overlays that cover the character at POS; by decreasing priority when SORTED.")
(Context& cx, Value pos, Value sorted) {
  const std::int64_t p = TRY(position_argument(cx, pos));
  Buffer& b = current_buffer(cx);
  std::vector<Overlay*> found = overlays_covering(b, p);
  if (sorted.truthy()) {
    sort_overlays(cx, found, sorted == Qt ? kNil : sorted);
    std::reverse(found.begin(), found.end());
  }
  return overlay_list(cx, found);
}

NEOVM_PRIMITIVE(overlays_in, "overlays-in", 2, 2, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return the overlays that overlap the region BEG … END or are empty inside it.")
(Context& cx, Value beg, Value end) {
  const std::int64_t from = TRY(position_argument(cx, beg));
  const std::int64_t to = TRY(position_argument(cx, end));
  Buffer& b = current_buffer(cx);
  const std::int64_t last = b.end.chars;
  std::vector<Overlay*> found;
  each_overlay(b, [&](Overlay* o) {
    const std::int64_t s = overlay_start(*o);
    const std::int64_t e = overlay_end(*o);
    const bool overlap = from < e && s < to;
    const bool empty = s == e && (from == e || (from < e && (e < to || (to == last && e == to))));
    if (overlap || empty) found.push_back(o);
  });
  return overlay_list(cx, found);
}

NEOVM_PRIMITIVE(next_overlay_change, "next-overlay-change", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the next position after POS where an overlay starts or ends, or point-max.")
(Context& cx, Value pos) {
  return Value::fixnum(next_overlay_change(current_buffer(cx), TRY(position_argument(cx, pos))));
}

NEOVM_PRIMITIVE(previous_overlay_change, "previous-overlay-change", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic,
                "Return the previous position before POS where an overlay starts or ends, or point-min.")
(Context& cx, Value pos) {
  const std::int64_t p = TRY(position_argument(cx, pos));
  const Buffer& b = current_buffer(cx);
  if (p == b.begin.chars) return Value::fixnum(p);
  return Value::fixnum(previous_overlay_change(b, p));
}

NEOVM_PRIMITIVE(overlay_lists, "overlay-lists", 0, 0, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return (BEFORE . AFTER), the overlays around the overlay center.")
(Context& cx) {
  const Buffer& b = current_buffer(cx);
  const Value before = overlay_list(cx, b.overlays_before);
  return cons(cx, before, overlay_list(cx, b.overlays_after));
}

NEOVM_PRIMITIVE(overlay_recenter, "overlay-recenter", 1, 1, kWorkerSafe, kStateWrite, kNoGc, kNoReentry, kDeterministic,
                "Move the overlay center to POS.")
(Context& cx, Value pos) {
  const std::int64_t p = TRY(position_argument(cx, pos));
  recenter_overlays(current_buffer(cx), p);
  return kNil;
}

}  // namespace neomacs::host
