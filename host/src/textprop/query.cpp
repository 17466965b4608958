// Looking text properties up and looking for their changes (textprop.c).
#include <algorithm>

#include "buffer/overlay.hpp"
#include "buffer/saved_places.hpp"
#include "display/display.hpp"
#include "textprop/textprop.hpp"

namespace neomacs::host {

namespace {

// Checks one position (end of the text allowed); args-out-of-range as (POS POS).
Maybe<std::int64_t> position_in(Context& cx, const PropertyTarget& target, Value position) {
  const std::int64_t p = TRY(position_argument(cx, position));
  if (p < target.begin() || p > target.end()) return args_out_of_range(cx, position, position);
  return p;
}

Value plist_at(const PropertyTarget& target, std::int64_t p) {
  if (p >= target.end()) return kNil;
  return target.run_at(p).plist;
}

// (SYMBOL is eq) value of a plain text property, categories and aliases followed.
Value text_value(Context& cx, const PropertyTarget& target, std::int64_t p, Value property) {
  return lookup_char_property(cx, plist_at(target, p), property, true);
}

// A LIMIT argument as the number it is returned as; nil stays nil.
Value limit_argument(Context& cx, Value limit) {
  return limit.is_nil() ? limit : Value::fixnum(TRY(position_argument(cx, limit)));
}

}  // namespace

Value get_char_property(Context& cx, std::int64_t pos, Value property, Value object, Value* overlay) {
  if (overlay != nullptr) *overlay = kNil;
  if (!object.is_string()) {
    Buffer& b = object.is_nil() ? current_buffer(cx) : buffer_raw(object);
    if (b.has_overlays()) {
      std::vector<Overlay*> found = overlays_covering(b, pos);
      sort_overlays(cx, found, kNil);
      for (std::size_t i = found.size(); i-- > 0;) {
        const Value v = lookup_char_property(cx, overlay_plist(found[i]->self), property, false);
        if (v.truthy()) {
          if (overlay != nullptr) *overlay = found[i]->self;
          return v;
        }
      }
    }
    const PropertyTarget target(b);
    return text_value(cx, target, pos, property);
  }
  return text_value(cx, PropertyTarget(object), pos, property);
}

NEOVM_PRIMITIVE(text_properties_at, "text-properties-at", 1, 2, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the property list of the character at POSITION of OBJECT.")
(Context& cx, Value position, Value object) {
  const PropertyTarget target = TRY(property_target(cx, object));
  return plist_at(target, TRY(position_in(cx, target, position)));
}

NEOVM_PRIMITIVE(get_text_property, "get-text-property", 2, 3, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the value of text property PROP of the character at POSITION of OBJECT.")
(Context& cx, Value position, Value property, Value object) {
  const PropertyTarget target = TRY(property_target(cx, object));
  return text_value(cx, target, TRY(position_in(cx, target, position)), property);
}

static Value char_property_at(Context& cx, Value position, Value property, Value object, Value* overlay) {
  const std::int64_t p = TRY(position_argument(cx, position));
  if (is_live_window(object)) object = window_slot(object, kWindowContents);
  if (!object.is_string() && !object.is_nil() && !is_buffer(object)) return wrong_type(cx, Qbuffer_or_string_p, object);
  if (object.is_string()) {
    const PropertyTarget target(object);
    TRY(position_in(cx, target, Value::fixnum(p)));
    return get_char_property(cx, p, property, object, overlay);
  }
  Buffer& b = object.is_nil() ? current_buffer(cx) : buffer_raw(object);
  if (p < b.begin.chars || p > b.end.chars) return signal_error1(cx, Qargs_out_of_range, position);
  return get_char_property(cx, p, property, object, overlay);
}

NEOVM_PRIMITIVE(get_char_property, "get-char-property", 2, 3, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the value of property PROP at POSITION of OBJECT, overlays first.")
(Context& cx, Value position, Value property, Value object) {
  return char_property_at(cx, position, property, object, nullptr);
}

NEOVM_PRIMITIVE(get_char_property_and_overlay, "get-char-property-and-overlay", 2, 3, kWorkerSafe, kStateRead, kMayGc,
                kNoReentry, kDeterministic, "Like get-char-property, but return (VALUE . OVERLAY).")
(Context& cx, Value position, Value property, Value object) {
  Value overlay = kNil;
  const Value v = TRY(char_property_at(cx, position, property, object, &overlay));
  return cons(cx, v, overlay);
}

NEOVM_PRIMITIVE(next_property_change, "next-property-change", 1, 3, kWorkerSafe, kStateRead, kMayGc, kNoReentry,
                kDeterministic,
                "Return the next position after POSITION where any text property of OBJECT changes, or LIMIT.")
(Context& cx, Value position, Value object, Value limit) {
  const bool intervals_only = limit == Qt;  // stop at every boundary
  if (!intervals_only) limit = TRY(limit_argument(cx, limit));
  const PropertyTarget target = TRY(property_target(cx, object));
  const std::int64_t stop = limit.is_fixnum() ? limit.as_fixnum() : target.end();
  const std::int64_t p = TRY(position_in(cx, target, position));
  if (target.plain()) {
    if (intervals_only) return Value::fixnum(target.end());
    return limit;
  }
  if (p >= target.end()) return intervals_only ? Value::fixnum(target.end()) : limit;
  PropertyRun r = target.run_at(p);
  if (intervals_only) return Value::fixnum(std::min(r.end, target.end()));
  const Value start = r.plist;
  while (r.end < target.end() && r.end < stop) {
    r = target.run_at(r.end);
    if (!plists_equal(r.plist, start)) return Value::fixnum(r.start);
  }
  return limit;
}

NEOVM_PRIMITIVE(next_single_property_change, "next-single-property-change", 2, 4, kWorkerSafe, kStateRead, kMayGc,
                kNoReentry, kDeterministic,
                "Return the next position after POSITION where property PROP of OBJECT changes, or LIMIT.")
(Context& cx, Value position, Value property, Value object, Value limit) {
  limit = TRY(limit_argument(cx, limit));
  const PropertyTarget target = TRY(property_target(cx, object));
  const std::int64_t stop = limit.is_fixnum() ? limit.as_fixnum() : target.end();
  const std::int64_t p = TRY(position_in(cx, target, position));
  if (target.plain() || p >= target.end()) return limit;
  PropertyRun r = target.run_at(p);
  const Value start = lookup_char_property(cx, r.plist, property, true);
  while (r.end < target.end() && r.end < stop) {
    r = target.run_at(r.end);
    if (lookup_char_property(cx, r.plist, property, true) != start) return Value::fixnum(r.start);
  }
  return limit;
}

NEOVM_PRIMITIVE(previous_property_change, "previous-property-change", 1, 3, kWorkerSafe, kStateRead, kMayGc, kNoReentry,
                kDeterministic,
                "Return the previous position before POSITION where any text property of OBJECT changes, or LIMIT.")
(Context& cx, Value position, Value object, Value limit) {
  limit = TRY(limit_argument(cx, limit));
  const PropertyTarget target = TRY(property_target(cx, object));
  const std::int64_t stop = limit.is_fixnum() ? limit.as_fixnum() : target.begin();
  const std::int64_t p = TRY(position_in(cx, target, position));
  if (target.plain() || p <= target.begin()) return limit;
  PropertyRun r = target.run_at(p - 1);
  const Value start = r.plist;
  while (r.start > target.begin() && r.start > stop) {
    const std::int64_t boundary = r.start;
    r = target.run_at(boundary - 1);
    if (!plists_equal(r.plist, start)) return Value::fixnum(boundary);
  }
  return limit;
}

NEOVM_PRIMITIVE(previous_single_property_change, "previous-single-property-change", 2, 4, kWorkerSafe, kStateRead,
                kMayGc, kNoReentry, kDeterministic,
                "Return the previous position before POSITION where property PROP of OBJECT changes, or LIMIT.")
(Context& cx, Value position, Value property, Value object, Value limit) {
  limit = TRY(limit_argument(cx, limit));
  const PropertyTarget target = TRY(property_target(cx, object));
  const std::int64_t stop = limit.is_fixnum() ? limit.as_fixnum() : target.begin();
  const std::int64_t p = TRY(position_in(cx, target, position));
  if (target.plain() || p <= target.begin()) return limit;
  PropertyRun r = target.run_at(p - 1);
  const Value start = lookup_char_property(cx, r.plist, property, true);
  while (r.start > target.begin() && r.start > stop) {
    const std::int64_t boundary = r.start;
    r = target.run_at(boundary - 1);
    if (lookup_char_property(cx, r.plist, property, true) != start) return Value::fixnum(boundary);
  }
  return limit;
}

// ---- text and overlays together --------------------------------------------------------------------------------

NEOVM_PRIMITIVE(next_char_property_change, "next-char-property-change", 1, 2, kWorkerSafe, kStateRead, kMayGc,
                kNoReentry, kDeterministic,
                "Return the next position where a text property or an overlay of the current buffer changes.")
(Context& cx, Value position, Value limit) {
  Buffer& b = current_buffer(cx);
  const std::int64_t p = TRY(position_argument(cx, position));
  std::int64_t stop = next_overlay_change(b, p);
  if (limit.truthy()) stop = std::min(stop, TRY(position_argument(cx, limit)));
  const PropertyTarget target(b);
  TRY(position_in(cx, target, position));
  if (target.plain() || p >= target.end()) return Value::fixnum(stop);
  PropertyRun r = target.run_at(p);
  const Value start = r.plist;
  while (r.end < target.end() && r.end < stop) {
    r = target.run_at(r.end);
    if (!plists_equal(r.plist, start)) return Value::fixnum(r.start);
  }
  return Value::fixnum(stop);
}

NEOVM_PRIMITIVE(previous_char_property_change, "previous-char-property-change", 1, 2, kWorkerSafe, kStateRead, kMayGc,
                kNoReentry, kDeterministic,
                "Return the previous position where a text property or an overlay of the current buffer changes.")
(Context& cx, Value position, Value limit) {
  Buffer& b = current_buffer(cx);
  const std::int64_t p = TRY(position_argument(cx, position));
  std::int64_t stop = previous_overlay_change(b, p);
  if (limit.truthy()) stop = std::max(stop, TRY(position_argument(cx, limit)));
  const PropertyTarget target(b);
  TRY(position_in(cx, target, position));
  if (target.plain() || p <= target.begin()) return Value::fixnum(stop);
  PropertyRun r = target.run_at(p - 1);
  const Value start = r.plist;
  while (r.start > target.begin() && r.start > stop) {
    const std::int64_t boundary = r.start;
    r = target.run_at(boundary - 1);
    if (!plists_equal(r.plist, start)) return Value::fixnum(boundary);
  }
  return Value::fixnum(stop);
}

// Next place where a run or an overlay boundary may change a property.
static std::int64_t next_boundary(const PropertyTarget& target, std::int64_t p) {
  std::int64_t next = target.end();
  if (!target.plain() && p < target.end()) next = std::min(next, target.run_at(p).end);
  if (target.buffer() != nullptr) next = std::min(next, next_overlay_change(*target.buffer(), p));
  return next;
}

static std::int64_t previous_boundary(const PropertyTarget& target, std::int64_t p) {
  std::int64_t previous = target.begin();
  if (!target.plain() && p > target.begin()) previous = std::max(previous, target.run_at(p - 1).start);
  if (target.buffer() != nullptr) previous = std::max(previous, previous_overlay_change(*target.buffer(), p));
  return previous;
}

NEOVM_PRIMITIVE(next_single_char_property_change, "next-single-char-property-change", 2, 4, kWorkerSafe, kStateRead,
                kMayGc, kNoReentry, kDeterministic,
                "Return the next position where char property PROP changes; the end or LIMIT when it does not.")
(Context& cx, Value position, Value property, Value object, Value limit) {
  if (object.is_string()) {
    limit = TRY(limit_argument(cx, limit));
    const PropertyTarget target(object);
    const std::int64_t stop = limit.is_fixnum() ? limit.as_fixnum() : target.end();
    const std::int64_t p = TRY(position_in(cx, target, position));
    if (p < target.end()) {
      PropertyRun r = target.run_at(p);
      const Value start = lookup_char_property(cx, r.plist, property, true);
      while (r.end < target.end() && r.end < stop) {
        r = target.run_at(r.end);
        if (lookup_char_property(cx, r.plist, property, true) != start) return Value::fixnum(r.start);
      }
    }
    return limit.is_nil() ? Value::fixnum(target.end()) : Value::fixnum(stop);
  }
  Buffer& b = *TRY(buffer_or_current(cx, object));
  std::int64_t p = TRY(position_argument(cx, position));
  const Value start = TRY(char_property_at(cx, Value::fixnum(p), property, b.self, nullptr));
  const std::int64_t stop = limit.is_nil() ? b.end.chars : TRY(position_argument(cx, limit));
  if (p >= stop) return Value::fixnum(std::min(stop, b.end.chars));
  const PropertyTarget target(b);
  for (;;) {
    p = next_boundary(target, p);
    if (p >= stop) return Value::fixnum(stop);
    if (get_char_property(cx, p, property, b.self, nullptr) != start) return Value::fixnum(p);
    if (p >= b.end.chars) return Value::fixnum(stop);
  }
}

NEOVM_PRIMITIVE(previous_single_char_property_change, "previous-single-char-property-change", 2, 4, kWorkerSafe,
                kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return the previous position where char property PROP changes; the start or LIMIT when it does not.")
(Context& cx, Value position, Value property, Value object, Value limit) {
  if (object.is_string()) {
    limit = TRY(limit_argument(cx, limit));
    const PropertyTarget target(object);
    const std::int64_t stop = limit.is_fixnum() ? limit.as_fixnum() : target.begin();
    const std::int64_t p = TRY(position_in(cx, target, position));
    if (p > target.begin()) {
      PropertyRun r = target.run_at(p - 1);
      const Value start = lookup_char_property(cx, r.plist, property, true);
      while (r.start > target.begin() && r.start > stop) {
        const std::int64_t boundary = r.start;
        r = target.run_at(boundary - 1);
        if (lookup_char_property(cx, r.plist, property, true) != start) return Value::fixnum(boundary);
      }
    }
    return limit.is_nil() ? Value::fixnum(target.begin()) : Value::fixnum(stop);
  }
  Buffer& b = *TRY(buffer_or_current(cx, object));
  std::int64_t p = TRY(position_argument(cx, position));
  const std::int64_t stop = limit.is_nil() ? b.begin.chars : TRY(position_argument(cx, limit));
  if (p <= stop) return Value::fixnum(std::max(stop, b.begin.chars));
  const auto before = [&](std::int64_t at) {
    return char_property_at(cx, Value::fixnum(at >= 0 ? at - 1 : at), property, b.self, nullptr);
  };
  const Value start = TRY(before(p));
  if (p > b.end.chars) return args_out_of_range(cx, Value::fixnum(p), Value::fixnum(p));
  const PropertyTarget target(b);
  for (;;) {
    p = previous_boundary(target, p);
    if (p <= stop) return Value::fixnum(stop);
    if (TRY(before(p)) != start) return Value::fixnum(p);
  }
}

NEOVM_PRIMITIVE(text_property_any, "text-property-any", 4, 5, kWorkerSafe, kStateRead, kMayGc, kNoReentry,
                kDeterministic,
                "Return the first position from START to END of OBJECT where PROPERTY is eq to VALUE, or nil.")
(Context& cx, Value start, Value end, Value property, Value value, Value object) {
  const PropertyTarget target = TRY(property_target(cx, object));
  const auto [from, to] = TRY(span_arguments(cx, target, start, end));
  for (std::int64_t i = from; i < to;) {
    const PropertyRun r = target.plain() ? PropertyRun{target.begin(), target.end(), kNil} : target.run_at(i);
    if (lookup_char_property(cx, r.plist, property, true) == value) return Value::fixnum(i);
    i = r.end;
  }
  return kNil;
}

NEOVM_PRIMITIVE(text_property_not_all, "text-property-not-all", 4, 5, kWorkerSafe, kStateRead, kMayGc, kNoReentry,
                kDeterministic,
                "Return the first position from START to END of OBJECT where PROPERTY is not eq to VALUE, or nil.")
(Context& cx, Value start, Value end, Value property, Value value, Value object) {
  const PropertyTarget target = TRY(property_target(cx, object));
  const auto [from, to] = TRY(span_arguments(cx, target, start, end));
  for (std::int64_t i = from; i < to;) {
    const PropertyRun r = target.plain() ? PropertyRun{target.begin(), target.end(), kNil} : target.run_at(i);
    if (lookup_char_property(cx, r.plist, property, true) != value) return Value::fixnum(i);
    i = r.end;
  }
  return kNil;
}

Value pos_property(Context& cx, std::int64_t p, Value property, Buffer& b) {
  if (b.has_overlays()) {
    std::vector<Overlay*> found = overlays_covering(b, p);
    const std::vector<Overlay*> ending = overlays_ending_at(b, p);
    found.insert(found.end(), ending.begin(), ending.end());
    sort_overlays(cx, found, kNil);
    for (std::size_t i = found.size(); i-- > 0;) {
      const Overlay& o = *found[i];
      const Value v = lookup_char_property(cx, overlay_plist(o.self), property, false);
      if (v.is_nil()) continue;
      // An end at the place counts only when text inserted there would fall inside.
      if ((overlay_start(o) == p && o.start.advance) || (overlay_end(o) == p && !o.end.advance)) continue;
      return v;
    }
  }
  // The characters before and after are looked at in this order.
  const std::int64_t before = p > b.begin.chars ? p - 1 : p;
  for (const std::int64_t at : {before, p}) {
    if (at < b.begin.chars || at > b.end.chars) return args_out_of_range(cx, Value::fixnum(at), Value::fixnum(at));
  }
  const int stickiness = text_property_stickiness(cx, property, p, b);
  const PropertyTarget target(b);
  if (stickiness > 0) return text_value(cx, target, p, property);
  if (stickiness < 0 && p > b.begin.chars) return text_value(cx, target, p - 1, property);
  return kNil;
}

NEOVM_PRIMITIVE(get_pos_property, "get-pos-property", 2, 3, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the value property PROP would have on text inserted at POSITION.")
(Context& cx, Value position, Value property, Value object) {
  const std::int64_t p = TRY(position_argument(cx, position));
  if (is_live_window(object)) object = window_slot(object, kWindowContents);
  if (object.is_nil()) object = current_buffer(cx).self;
  if (is_buffer(object)) return pos_property(cx, p, property, buffer_raw(object));
  const PropertyTarget target = TRY(property_target(cx, object));
  return text_value(cx, target, TRY(position_in(cx, target, Value::fixnum(p))), property);
}

NEOVM_PRIMITIVE(object_intervals, "object-intervals", 1, 1, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return the list ((BEG END PLIST) …) of the property runs of a string or buffer, counted from 0.")
(Context& cx, Value object) {
  if (!object.is_string() && !is_buffer(object)) return wrong_type(cx, Qbuffer_or_string_p, object);
  const PropertyTarget target = TRY(property_target(cx, object));
  if (target.plain()) return kNil;
  std::int64_t offset = 0;
  std::int64_t end = target.end();
  if (target.buffer() != nullptr) {
    offset = 1;
    end = target.buffer()->text->end().chars;
  }
  Value out = kNil;
  for (std::int64_t i = offset; i < end;) {
    const PropertyRun r = target.run_at(i);
    out = cons(cx, list(cx, {Value::fixnum(r.start - offset), Value::fixnum(r.end - offset), r.plist}), out);
    i = r.end;
  }
  return nreverse_list(out);
}

}  // namespace neomacs::host
