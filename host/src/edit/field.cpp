// Fields: stretches of text with one value of the `field` property (editfns.c).
#include <algorithm>

#include "buffer/overlay.hpp"
#include "edit/edit.hpp"
#include "edit/lines.hpp"
#include "textprop/textprop.hpp"

namespace neomacs::host {

namespace {

// Field value of the character at `p`; nil outside the accessible portion.
Value field_at(Context& cx, Buffer& b, std::int64_t p) {
  if (p < b.begin.chars || p >= b.text->end().chars) return kNil;
  return get_char_property(cx, p, Qfield, b.self, nullptr);
}

Value char_property(Context& cx, Buffer& b, std::int64_t p, Value property) {
  if (p < b.begin.chars || p >= b.text->end().chars) return kNil;
  return get_char_property(cx, p, property, b.self, nullptr);
}

std::int64_t change_before(Context& cx, Buffer& b, std::int64_t p, std::int64_t limit) {
  if (p <= limit) return limit;
  const Value start = field_at(cx, b, p - 1);
  while (p > limit && field_at(cx, b, p - 1) == start) {
    std::int64_t previous = std::max(limit, previous_overlay_change(b, p));
    if (!b.text->properties.empty()) previous = std::max(previous, b.text->properties.find(p - 2).start + 1);
    p = std::max(limit, previous);
  }
  return p;
}

std::int64_t change_after(Context& cx, Buffer& b, std::int64_t p, std::int64_t limit) {
  if (p >= limit) return limit;
  const Value start = field_at(cx, b, p);
  while (p < limit && field_at(cx, b, p) == start) {
    std::int64_t next = std::min(limit, next_overlay_change(b, p));
    if (!b.text->properties.empty()) next = std::min(next, b.text->properties.find(p - 1).end + 1);
    p = next;
  }
  return p;
}

struct Field {
  std::int64_t begin;
  std::int64_t end;
};

// The field at `pos`. Between two fields, the one that text typed there would join; with `merge`, both.
Maybe<Field> find_field(Context& cx, Value position, bool merge, Value begin_limit, Value end_limit) {
  Buffer& b = current_buffer(cx);
  const std::int64_t pos = position.is_nil() ? b.point.chars : TRY(position_argument(cx, position));
  if (pos < b.begin.chars || pos > b.end.chars) return signal_error1(cx, Qargs_out_of_range, Value::fixnum(pos));
  const std::int64_t low =
      begin_limit.is_nil() ? b.begin.chars : std::max(b.begin.chars, TRY(position_argument(cx, begin_limit)));
  const std::int64_t high =
      end_limit.is_nil() ? b.end.chars : std::min(b.end.chars, TRY(position_argument(cx, end_limit)));
  const Value after = field_at(cx, b, pos);
  const Value before = pos > b.begin.chars ? field_at(cx, b, pos - 1) : kNil;
  bool starts_here = false;
  bool ends_here = false;
  if (!merge) {
    const Value typed = TRY(pos_property(cx, pos, Qfield, b));
    starts_here = typed != before;
    ends_here = typed != after;
    // Text typed here would be in no field while both sides are: no empty field, but two that are not for typing.
    if (typed.is_nil() && starts_here && ends_here) starts_here = ends_here = false;
  }
  Field f{pos, pos};
  if (!starts_here) {
    std::int64_t p = pos;
    if (merge && before == Qboundary) p = change_before(cx, b, p, low);
    f.begin = change_before(cx, b, p, low);
    // The search goes on to the limit, which nothing before the accessible portion can meet.
    if (!begin_limit.is_nil() && f.begin == b.begin.chars && TRY(position_argument(cx, begin_limit)) < f.begin)
      return signal_error1(cx, Qargs_out_of_range, Value::fixnum(f.begin - 1));
  }
  if (!ends_here) {
    std::int64_t p = pos;
    if (merge && after == Qboundary) p = change_after(cx, b, p, high);
    f.end = change_after(cx, b, p, high);
  }
  return f;
}

bool newline_between(Buffer& b, std::int64_t from, std::int64_t to) {
  if (from > to) std::swap(from, to);
  std::int64_t missing = 0;
  after_newlines(b, b.text->at_char(from), b.text->at_char(to), 1, &missing);
  return missing == 0;
}

}  // namespace

Maybe<std::int64_t> constrain_to_field(Context& cx, std::int64_t target, std::int64_t origin, bool escape_from_edge,
                                       bool only_in_line, Value inhibit_capture) {
  Buffer& b = current_buffer(cx);
  if (target == origin || variable_true(cx, Qinhibit_field_text_motion)) return target;
  for (const std::int64_t p : {target, origin}) {
    if (p < b.begin.chars || p > b.end.chars) return signal_error1(cx, Qargs_out_of_range, Value::fixnum(p));
  }
  if (b.text->properties.empty() && !b.has_overlays()) return target;
  const auto near_field = [&](std::int64_t p) {
    return field_at(cx, b, p).truthy() || (p > b.begin.chars && field_at(cx, b, p - 1).truthy());
  };
  if (!near_field(target) && !near_field(origin)) return target;
  if (inhibit_capture.truthy()) {
    // The motion starts in text that asks not to be held back.
    if (TRY(pos_property(cx, origin, inhibit_capture, b)).truthy()) return target;
    if (origin > b.begin.chars && char_property(cx, b, origin, inhibit_capture).truthy() &&
        char_property(cx, b, origin - 1, inhibit_capture).truthy()) {
      return target;
    }
  }
  const bool forward = target > origin;
  const Value limit = Value::fixnum(target);
  const Field f =
      TRY(find_field(cx, Value::fixnum(origin), escape_from_edge, forward ? kNil : limit, forward ? limit : kNil));
  const std::int64_t bound = forward ? f.end : f.begin;
  const bool beyond = forward ? bound < target : bound > target;
  if (!beyond || (only_in_line && newline_between(b, target, bound))) return target;
  return bound;
}

NEOVM_PRIMITIVE(field_beginning, "field-beginning", 0, 3, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return where the field at POS begins, not before LIMIT.")
(Context& cx, Value pos, Value escape_from_edge, Value limit) {
  return Value::fixnum(TRY(find_field(cx, pos, escape_from_edge.truthy(), limit, kNil)).begin);
}

NEOVM_PRIMITIVE(field_end, "field-end", 0, 3, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return where the field at POS ends, not after LIMIT.")
(Context& cx, Value pos, Value escape_from_edge, Value limit) {
  return Value::fixnum(TRY(find_field(cx, pos, escape_from_edge.truthy(), kNil, limit)).end);
}

NEOVM_PRIMITIVE(field_string, "field-string", 0, 1, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return the contents of the field at POS.")
(Context& cx, Value pos) {
  const Field f = TRY(find_field(cx, pos, false, kNil, kNil));
  return buffer_substring(cx, current_buffer(cx), f.begin, f.end, true);
}

NEOVM_PRIMITIVE(field_string_no_properties, "field-string-no-properties", 0, 1, kWorkerSafe, kStateRead, kMayGc,
                kNoReentry, kDeterministic, "Return the contents of the field at POS without properties.")
(Context& cx, Value pos) {
  const Field f = TRY(find_field(cx, pos, false, kNil, kNil));
  return buffer_substring(cx, current_buffer(cx), f.begin, f.end, false);
}

NEOVM_PRIMITIVE(delete_field, "delete-field", 0, 1, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Delete the field at POS.")
(Context& cx, Value pos) {
  const Field f = TRY(find_field(cx, pos, false, kNil, kNil));
  if (f.begin != f.end) TRY(delete_region_re(cx, f.begin, f.end));
  return kNil;
}

NEOVM_PRIMITIVE(constrain_to_field, "constrain-to-field", 2, 5, kWorkerSafe, kStateWrite, kNoGc, kNoReentry,
                kDeterministic,
                "Return the position nearest to NEW-POS in the field of OLD-POS; a nil NEW-POS is point, which moves.")
(Context& cx, Value new_pos, Value old_pos, Value escape_from_edge, Value only_in_line, Value inhibit_capture) {
  Buffer& b = current_buffer(cx);
  const std::int64_t target = new_pos.is_nil() ? b.point.chars : TRY(position_argument(cx, new_pos));
  const std::int64_t origin = TRY(position_argument(cx, old_pos));
  const std::int64_t p =
      TRY(constrain_to_field(cx, target, origin, escape_from_edge.truthy(), only_in_line.truthy(), inhibit_capture));
  if (new_pos.is_nil()) set_point(b, clip(b, p));
  return Value::fixnum(p);
}

}  // namespace neomacs::host
