// Property runs: storage in strings and buffers, lookup, stickiness.
#include <algorithm>

#include "buffer/overlay.hpp"
#include "textprop/textprop.hpp"

namespace neomacs::host {

// ---- runs of strings -----------------------------------------------------------------------------------------

namespace {

// Triples of a string's property object; 0 when it has none.
std::int64_t triple_count(Value properties) {
  return is_kind(properties, ObjectKind::kInternalSlots) ? slot_count_raw(properties) / 3 : 0;
}

std::vector<PropertyRun> all_string_runs(Value string) {
  std::vector<PropertyRun> runs;
  const Value p = string_raw(string)->properties;
  const std::int64_t n = triple_count(p);
  runs.reserve(static_cast<std::size_t>(n) + 2);
  for (std::int64_t i = 0; i < n; ++i) {
    runs.push_back({slot_raw(p, 3 * i).as_fixnum(), slot_raw(p, 3 * i + 1).as_fixnum(), slot_raw(p, 3 * i + 2)});
  }
  return runs;
}

// The run at `pos`, also when nothing is stored for it.
PropertyRun string_run_at(Value string, std::int64_t pos) {
  const Value p = string_raw(string)->properties;
  std::int64_t low = 0;
  std::int64_t high = triple_count(p);  // the first triple that ends behind pos
  const std::int64_t n = high;
  while (low < high) {
    const std::int64_t middle = (low + high) / 2;
    if (slot_raw(p, 3 * middle + 1).as_fixnum() <= pos) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const std::int64_t before = low > 0 ? slot_raw(p, 3 * low - 2).as_fixnum() : 0;
  if (low == n) return {before, string_chars(string), kNil};
  const std::int64_t start = slot_raw(p, 3 * low).as_fixnum();
  if (pos < start) return {before, start, kNil};
  return {start, slot_raw(p, 3 * low + 1).as_fixnum(), slot_raw(p, 3 * low + 2)};
}

}  // namespace

void set_string_runs(Context& cx, Value string, const std::vector<PropertyRun>& runs) {
  StringObject* s = string_raw(string);
  if (runs.empty() || s->bytes == 0) {
    store(&s->properties, kNil);
    return;
  }
  const Value p = make_slots(cx, ObjectKind::kInternalSlots, static_cast<std::int64_t>(runs.size()) * 3, kNil);
  if (p.is_exit()) return;  // the error stays pending
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto k = static_cast<std::int64_t>(3 * i);
    set_slot_raw(p, k, Value::fixnum(runs[i].start));
    set_slot_raw(p, k + 1, Value::fixnum(runs[i].end));
    set_slot_raw(p, k + 2, runs[i].plist);
  }
  store(&s->properties, p);
}

std::vector<PropertyRun> string_runs(Value string, std::int64_t from, std::int64_t to) {
  std::vector<PropertyRun> out;
  for (const PropertyRun& r : all_string_runs(string)) {
    const std::int64_t start = std::max(r.start, from);
    const std::int64_t end = std::min(r.end, to);
    if (start < end && !r.plist.is_nil()) out.push_back({start - from, end - from, r.plist});
  }
  return out;
}

// ---- target -----------------------------------------------------------------------------------------------------

PropertyTarget::PropertyTarget(Buffer& b) : buffer_(&b) {}
PropertyTarget::PropertyTarget(Value string) : string_(string) {}

std::int64_t PropertyTarget::begin() const { return buffer_ != nullptr ? buffer_->begin.chars : 0; }
std::int64_t PropertyTarget::end() const { return buffer_ != nullptr ? buffer_->end.chars : string_chars(string_); }
bool PropertyTarget::plain() const {
  return buffer_ != nullptr ? buffer_->text->properties.empty() : string_raw(string_)->properties.is_nil();
}

PropertyRun PropertyTarget::run_at(std::int64_t pos) const {
  if (buffer_ == nullptr) return string_run_at(string_, pos);
  const text::IntervalTree::Run r = buffer_->text->properties.find(std::max<std::int64_t>(pos, 1) - 1);
  return {r.start + 1, r.end + 1, r.value};
}

void PropertyTarget::replace(Context& cx, std::int64_t start, std::int64_t end, Value plist) {
  if (start >= end) return;
  if (buffer_ != nullptr) {
    text::IntervalTree& tree = buffer_->text->properties;
    const bool splits = !tree.empty() && start > 1 && end - 1 < tree.length();
    const text::IntervalTree::Run around = splits ? tree.find(start - 1) : text::IntervalTree::Run{0, 0, kNil};
    tree.replace(start - 1, end - 1, plist);
    // What was one run on both sides is two now: they do not share a list that Lisp could write to.
    if (splits && around.start < start - 1 && around.end > end - 1 && !around.value.is_nil()) {
      tree.replace(end - 1, around.end, copy_plist(cx, around.value));
    }
    return;
  }
  std::vector<PropertyRun> out;
  bool placed = false;
  const auto place = [&] {
    // Bare text that once had properties stays a run, for object-intervals to tell.
    if (!placed) out.push_back({start, end, plist});
    placed = true;
  };
  for (const PropertyRun& r : all_string_runs(string_)) {
    if (r.end <= start) {
      out.push_back(r);
      continue;
    }
    if (r.start < start) out.push_back({r.start, start, r.plist});
    place();
    if (r.end > end)
      out.push_back({std::max(r.start, end), r.end, r.start < start ? copy_plist(cx, r.plist) : r.plist});
  }
  place();
  set_string_runs(cx, string_, out);
}

Maybe<PropertyTarget> property_target(Context& cx, Value object) {
  if (object.is_nil()) return PropertyTarget(current_buffer(cx));
  if (object.is_string()) return PropertyTarget(object);
  if (is_buffer(object)) return PropertyTarget(buffer_raw(object));
  return wrong_type(cx, Qbuffer_or_string_p, object);
}

// ---- plists -------------------------------------------------------------------------------------------------------

Value copy_plist(Context& cx, Value plist) {
  Value out = kNil;
  for (; plist.is_cons() && cdr_raw(plist).is_cons(); plist = cdr_raw(cdr_raw(plist))) {
    out = cons(cx, car_raw(cdr_raw(plist)), cons(cx, car_raw(plist), out));
  }
  return nreverse_list(out);
}

Value reversed_plist(Context& cx, Value plist) {
  Value out = kNil;
  for (; plist.is_cons() && cdr_raw(plist).is_cons(); plist = cdr_raw(cdr_raw(plist))) {
    out = cons(cx, car_raw(plist), cons(cx, car_raw(cdr_raw(plist)), out));
  }
  return out;
}

namespace {

// Cell whose car is the value of `property`, or nil.
Value plist_cell(Value plist, Value property) {
  for (; plist.is_cons() && cdr_raw(plist).is_cons(); plist = cdr_raw(cdr_raw(plist)))
    if (car_raw(plist) == property) return cdr_raw(plist);
  return kNil;
}

std::int64_t plist_size(Value plist) {
  std::int64_t n = 0;
  for (; plist.is_cons() && cdr_raw(plist).is_cons(); plist = cdr_raw(cdr_raw(plist))) ++n;
  return n;
}

}  // namespace

bool plists_equal(Value a, Value b) {
  if (a == b) return true;
  if (plist_size(a) != plist_size(b)) return false;
  for (; a.is_cons() && cdr_raw(a).is_cons(); a = cdr_raw(cdr_raw(a))) {
    const Value cell = plist_cell(b, car_raw(a));
    if (cell.is_nil() || car_raw(cell) != car_raw(cdr_raw(a))) return false;
  }
  return true;
}

bool has_properties_of(Value plist, Value other) {
  for (; other.is_cons() && cdr_raw(other).is_cons(); other = cdr_raw(cdr_raw(other))) {
    const Value p = car_raw(other);
    if (p != Qrear_nonsticky && p != Qfront_sticky && plist_cell(plist, p).is_nil()) return false;
  }
  return true;
}

Value merge_inherited(Context& cx, Value own, Value inherited) {
  Value out = copy_plist(cx, inherited);
  for (; own.is_cons() && cdr_raw(own).is_cons(); own = cdr_raw(cdr_raw(own))) {
    if (plist_cell(inherited, car_raw(own)).is_nil())
      out = cons(cx, car_raw(own), cons(cx, car_raw(cdr_raw(own)), out));
  }
  return out;
}

Value lookup_char_property(Context& cx, Value plist, Value property, bool is_text) {
  Value fallback = kNil;
  for (Value p = plist; p.is_cons() && cdr_raw(p).is_cons(); p = cdr_raw(cdr_raw(p))) {
    const Value name = car_raw(p);
    if (name == property) return car_raw(cdr_raw(p));
    if (name == Qcategory && car_raw(cdr_raw(p)).is_symbol()) {
      fallback = symbol_get(cx, car_raw(cdr_raw(p)), property);
    }
  }
  if (fallback.truthy()) return fallback;
  const Value alias = assq(property, variable_value(cx, Qchar_property_alias_alist));
  if (alias.is_cons()) {
    for (Value l = cdr_raw(alias); fallback.is_nil() && l.is_cons(); l = cdr_raw(l))
      fallback = plist_get(plist, car_raw(l));
  }
  if (is_text && fallback.is_nil()) {
    const Value defaults = variable_value(cx, Qdefault_text_properties);
    if (defaults.is_cons()) fallback = plist_get(defaults, property);
  }
  return fallback;
}

// ---- stickiness ----------------------------------------------------------------------------------------------------

namespace {

bool mentions(Value symbol, Value set) { return set.is_cons() ? memq(symbol, set).truthy() : set.truthy(); }

struct StickySide {
  Value plist;
  Value front;
  Value rear;
};

StickySide side(Context& cx, Value plist) {
  return {plist, lookup_char_property(cx, plist, Qfront_sticky, true),
          lookup_char_property(cx, plist, Qrear_nonsticky, true)};
}

struct StickyResult {
  Value plist = kNil;
  Value front = kNil;
  Value rear = kNil;
};

void take(Context& cx, StickyResult* out, Value property, Value value, const StickySide& from) {
  out->plist = cons(cx, value, cons(cx, property, out->plist));  // turned around at the end
  if (mentions(property, from.front)) out->front = cons(cx, property, out->front);
  if (mentions(property, from.rear)) out->rear = cons(cx, property, out->rear);
}

// Which side gives `property` to text put between `left` and `right`.
void inherit_one(Context& cx, StickyResult* out, Value property, const StickySide& left, const StickySide& right,
                 Value defaults) {
  const Value left_cell = plist_cell(left.plist, property);
  const Value right_cell = plist_cell(right.plist, property);
  const Value entry = assq(property, defaults);
  bool use_left =
      left_cell.is_cons() && !(mentions(property, left.rear) || (entry.is_cons() && cdr_raw(entry).truthy()));
  bool use_right =
      right_cell.is_cons() && (mentions(property, right.front) || (entry.is_cons() && cdr_raw(entry).is_nil()));
  if (use_left && use_right) {
    if (car_raw(left_cell).is_nil()) {
      use_left = false;
    } else if (car_raw(right_cell).is_nil()) {
      use_right = false;
    }
  }
  if (use_left) {
    take(cx, out, property, car_raw(left_cell), left);
  } else if (use_right) {
    take(cx, out, property, car_raw(right_cell), right);
  }
}

}  // namespace

Value sticky_plist(Context& cx, Value left_plist, Value right_plist) {
  if (left_plist.is_nil() && right_plist.is_nil()) return kNil;
  const StickySide left = side(cx, left_plist);
  const StickySide right = side(cx, right_plist);
  const Value defaults = variable_value(cx, Qtext_property_default_nonsticky);
  StickyResult out;
  const auto bookkeeping = [](Value p) { return p == Qrear_nonsticky || p == Qfront_sticky; };
  for (Value p = right_plist; p.is_cons() && cdr_raw(p).is_cons(); p = cdr_raw(cdr_raw(p))) {
    if (!bookkeeping(car_raw(p))) inherit_one(cx, &out, car_raw(p), left, right, defaults);
  }
  for (Value p = left_plist; p.is_cons() && cdr_raw(p).is_cons(); p = cdr_raw(cdr_raw(p))) {
    if (!bookkeeping(car_raw(p)) && plist_cell(right_plist, car_raw(p)).is_nil()) {
      const Value before = out.plist;
      inherit_one(cx, &out, car_raw(p), left, right, defaults);
      // Not inherited, but the right side is sticky for it: the stickiness is.
      if (out.plist == before) {
        if (mentions(car_raw(p), right.front)) out.front = cons(cx, car_raw(p), out.front);
        if (mentions(car_raw(p), right.rear)) out.rear = cons(cx, car_raw(p), out.rear);
      }
    }
  }
  Value plist = nreverse_list(out.plist);
  if (out.rear.truthy()) plist = cons(cx, Qrear_nonsticky, cons(cx, nreverse_list(out.rear), plist));
  const Value category = plist_get(plist, Qcategory);
  const bool category_sticky =
      category.is_symbol() && category.truthy() && symbol_get(cx, category, Qfront_sticky) == Qt;
  if (out.front.truthy() && !category_sticky) {
    plist = cons(cx, Qfront_sticky, cons(cx, nreverse_list(out.front), plist));
  }
  return plist;
}

int text_property_stickiness(Context& cx, Value property, std::int64_t pos, Buffer& b) {
  const PropertyTarget target(b);
  bool rear_sticky = false;
  Value before = kNil;
  if (pos > b.begin.chars) {
    before = target.run_at(pos - 1).plist;
    const Value rear = lookup_char_property(cx, before, Qrear_nonsticky, true);
    const Value entry = assq(property, variable_value(cx, Qtext_property_default_nonsticky));
    rear_sticky = !mentions(property, rear) && !(entry.is_cons() && cdr_raw(entry).truthy());
  }
  bool front_sticky = false;
  if (pos < b.end.chars) {
    const Value front = lookup_char_property(cx, target.run_at(pos).plist, Qfront_sticky, true);
    front_sticky = front == Qt || (front.is_cons() && memq(property, front).truthy());
  }
  if (rear_sticky != front_sticky) return rear_sticky ? -1 : 1;
  if (!rear_sticky) return 0;
  return lookup_char_property(cx, before, property, true).is_nil() ? 1 : -1;
}

}  // namespace neomacs::host
