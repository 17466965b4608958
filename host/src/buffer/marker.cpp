// Markers: C++ side and the primitives of GNU's marker.c.
#include <algorithm>
#include <string>

#include "buffer/buffer.hpp"

namespace neomacs::host {

namespace {

// What the Lisp object holds. The Marker exists while the marker points into a buffer; type and last
// position are kept here while it does not.
struct MarkerPayload {
  Marker* marker;
  std::int64_t last_position;
  bool advance;
};

MarkerPayload& payload(Value v) { return *host_payload_raw<MarkerPayload>(v); }

Value print_marker(Context& cx, Value self) {
  std::string out = "#<marker ";
  if (payload(self).advance) out += "(moves after insertion) ";
  const Marker* m = payload(self).marker;
  if (m == nullptr) {
    out += "in no buffer>";
    return make_unibyte_string(cx, out);
  }
  out += "at ";
  out += std::to_string(m->pos.chars);
  out += " in ";
  out += string_view_of(m->buffer->name);
  out += '>';
  return string_multibyte(m->buffer->name) ? make_multibyte_string(cx, out) : make_unibyte_string(cx, out);
}

bool equal_markers(Context& /*cx*/, Value a, Value b) {
  const Marker* x = payload(a).marker;
  const Marker* y = payload(b).marker;
  if (x == nullptr || y == nullptr) return x == y;
  return x->buffer == y->buffer && x->pos.chars == y->pos.chars;
}

void trace_marker(Value self, Tracer& /*t*/) {
  if (Marker* m = payload(self).marker) m->self = self;
}

void finalize_marker(void* p) {
  auto* x = static_cast<MarkerPayload*>(p);
  if (x->marker == nullptr) return;
  if (x->marker->buffer != nullptr) x->marker->buffer->text->detach(x->marker);
  delete x->marker;
  x->marker = nullptr;
}

// In the image a marker points nowhere; its buffer puts it back (image.cpp).
Value save_marker(Context& cx, Value self) {
  return cons(cx, Value::fixnum(payload(self).last_position), boolean(payload(self).advance));
}

void restore_marker(Context& /*cx*/, Value self, Value saved) {
  payload(self) = {nullptr, car_raw(saved).as_fixnum(), cdr_raw(saved).truthy()};
}

}  // namespace

const HostType kMarkerType = {"marker",
                              Qmarker,
                              0,
                              sizeof(MarkerPayload),
                              trace_marker,
                              finalize_marker,
                              print_marker,
                              equal_markers,
                              ImagePayload::kHooks,
                              save_marker,
                              restore_marker};
NEOVM_HOST_TYPE(kMarkerType)

void attach_marker(Marker& m, Buffer& b, Pos p, bool advance) {
  m.buffer = &b;
  m.pos = p;
  m.advance = advance;
  b.text->attach(&m);
}

void detach_marker(Marker& m) {
  if (m.buffer == nullptr) return;
  m.buffer->text->detach(&m);
  m.buffer = nullptr;
}

Value make_marker(Context& cx, Buffer* b, Pos p, bool advance) {
  const Value v = make_host_object(cx, &kMarkerType);
  payload(v).advance = advance;
  if (b != nullptr) move_marker(cx, v, b, p);
  return v;
}

Marker* marker_raw(Value v) { return payload(v).marker; }

void move_marker(Context& /*cx*/, Value v, Buffer* b, Pos p) {
  MarkerPayload& x = payload(v);
  if (b == nullptr) {
    detach_marker(v);
    return;
  }
  if (x.marker != nullptr && x.marker->buffer == b) {
    x.marker->pos = p;
    return;
  }
  if (x.marker == nullptr) {
    x.marker = new Marker;
    x.marker->self = v;
  } else {
    detach_marker(*x.marker);
  }
  attach_marker(*x.marker, *b, p, x.advance);
}

void detach_marker(Value v) {
  MarkerPayload& x = payload(v);
  if (x.marker == nullptr) return;
  x.last_position = x.marker->pos.chars;
  detach_marker(*x.marker);
  delete x.marker;
  x.marker = nullptr;
}

// The buffer is being killed: its Lisp markers point nowhere from now on.
void detach_markers_of(Buffer& b, bool whole_text) {
  std::vector<Marker*> mine;
  for (Marker* m : b.text->markers)
    if (whole_text || m->buffer == &b) mine.push_back(m);
  for (Marker* m : mine) {
    if (m->self.is_nil()) {
      detach_marker(*m);
    } else {
      detach_marker(m->self);
    }
  }
}

// ---- primitives -----------------------------------------------------------------------------------------------

NEOVM_PRIMITIVE(marker_buffer, "marker-buffer", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the buffer MARKER points into, or nil.")
(Context& cx, Value marker) {
  if (!is_marker(marker)) return wrong_type(cx, Qmarkerp, marker);
  const Marker* m = marker_raw(marker);
  return m == nullptr ? kNil : m->buffer->self;
}

NEOVM_PRIMITIVE(marker_position, "marker-position", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the position of MARKER, or nil when it points nowhere.")
(Context& cx, Value marker) {
  if (!is_marker(marker)) return wrong_type(cx, Qmarkerp, marker);
  const Marker* m = marker_raw(marker);
  return m == nullptr ? kNil : Value::fixnum(m->pos.chars);
}

static Maybe<Buffer*> marker_target(Context& cx, Value buffer) {
  if (buffer.is_nil()) return &current_buffer(cx);
  if (!is_buffer(buffer)) return wrong_type(cx, Qbufferp, buffer);
  Buffer* b = &buffer_raw(buffer);
  return b->live ? b : nullptr;
}

NEOVM_PRIMITIVE(set_marker, "set-marker", 2, 3, kWorkerSafe, kStateWrite, kNoGc, kNoReentry, kDeterministic,
                "Point MARKER at POSITION in BUFFER; a nil POSITION makes it point nowhere.")
(Context& cx, Value marker, Value position, Value buffer) {
  Buffer* b = TRY(marker_target(cx, buffer));
  if (!is_marker(marker)) return wrong_type(cx, Qmarkerp, marker);
  if (position.is_nil() || (is_marker(position) && marker_raw(position) == nullptr) || b == nullptr) {
    detach_marker(marker);
    return marker;
  }
  Pos p;
  if (is_marker(position) && marker_raw(position)->buffer == b) {
    p = marker_raw(position)->pos;
  } else {
    if (is_bignum(position)) return wrong_type(cx, Qinteger_or_marker_p, position);
    const std::int64_t c = TRY(position_argument(cx, position));
    p = b->text->at_char(std::clamp<std::int64_t>(c, 1, b->text->end().chars));
  }
  move_marker(cx, marker, b, p);
  return marker;
}

NEOVM_PRIMITIVE(
    copy_marker, "copy-marker", 0, 2, kWorkerSafe, kStateWrite, kMayGc, kNoReentry, kDeterministic,
    "Return a new marker at MARKER (a position or marker; default: nowhere), advancing when TYPE is non-nil.")
(Context& cx, Value marker, Value type) {
  if (marker.is_nil()) return make_marker(cx, nullptr, {}, type.truthy());
  if (!is_marker(marker) && !marker.is_fixnum()) return wrong_type(cx, Qinteger_or_marker_p, marker);
  if (is_marker(marker)) {
    const Marker* m = marker_raw(marker);
    return m == nullptr ? make_marker(cx, nullptr, {}, type.truthy())
                        : make_marker(cx, m->buffer, m->pos, type.truthy());
  }
  Buffer& b = current_buffer(cx);
  const std::int64_t c = marker.as_fixnum();
  return make_marker(cx, &b, b.text->at_char(std::clamp<std::int64_t>(c, 1, b.text->end().chars)), type.truthy());
}

NEOVM_PRIMITIVE(make_marker_, "make-marker", 0, 0, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return a new marker that points nowhere.")
(Context& cx) { return make_marker(cx, nullptr, {}); }

NEOVM_PRIMITIVE(marker_insertion_type, "marker-insertion-type", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return t if MARKER stays after text inserted at it.")
(Context& cx, Value marker) {
  if (!is_marker(marker)) return wrong_type(cx, Qmarkerp, marker);
  return boolean(payload(marker).advance);
}

NEOVM_PRIMITIVE(set_marker_insertion_type, "set-marker-insertion-type", 2, 2, kWorkerSafe, kStateWrite, kNoGc,
                kNoReentry, kDeterministic, "Make MARKER advance on insertion at it when TYPE is non-nil.")
(Context& cx, Value marker, Value type) {
  if (!is_marker(marker)) return wrong_type(cx, Qmarkerp, marker);
  payload(marker).advance = type.truthy();
  if (Marker* m = marker_raw(marker)) m->advance = type.truthy();
  return type;
}

NEOVM_PRIMITIVE(buffer_has_markers_at, "buffer-has-markers-at", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return t if some marker of the current buffer is at POSITION.")
(Context& cx, Value position) {
  if (!position.is_fixnum() && !is_marker(position)) return kNil;
  Buffer& b = current_buffer(cx);
  // A marker is taken for a place far beyond the end, wherever it is.
  const std::int64_t asked = position.is_fixnum() ? position.as_fixnum() : kMostPositiveFixnum;
  const std::int64_t c = std::clamp(asked, b.begin.chars, b.end.chars);
  for (const Marker* m : b.text->markers)
    if (m->pos.chars == c) return Qt;
  return kNil;
}

}  // namespace neomacs::host
