// Adding, replacing and removing text properties (textprop.c).
//
// Each operation first looks whether anything would change; only then a buffer's change hooks run, and the
// looking is done again because hooks may have changed the text.
#include <algorithm>

#include "edit/edit.hpp"
#include "edit/undo.hpp"
#include "textprop/textprop.hpp"

namespace neomacs::host {

namespace {

Value cell_of(Value plist, Value property) {
  for (; plist.is_cons() && cdr_raw(plist).is_cons(); plist = cdr_raw(cdr_raw(plist)))
    if (car_raw(plist) == property) return cdr_raw(plist);
  return kNil;
}

Value without(Context& cx, Value plist, Value property) {
  Value out = kNil;
  for (; plist.is_cons() && cdr_raw(plist).is_cons(); plist = cdr_raw(cdr_raw(plist))) {
    if (car_raw(plist) != property) out = cons(cx, car_raw(cdr_raw(plist)), cons(cx, car_raw(plist), out));
  }
  return nreverse_list(out);
}

// `old` with the value of `property` replaced in place of the list (a fresh list: others may share it).
Value with_value(Context& cx, Value plist, Value property, Value value) {
  Value out = kNil;
  for (; plist.is_cons() && cdr_raw(plist).is_cons(); plist = cdr_raw(cdr_raw(plist))) {
    const Value v = car_raw(plist) == property ? value : car_raw(cdr_raw(plist));
    out = cons(cx, v, cons(cx, car_raw(plist), out));
  }
  return nreverse_list(out);
}

// One operation on one run's plist. `changed` is set when the result differs; undo records go out when
// `record` says so.
struct Edit {
  enum class Kind { kAdd, kSet, kRemove, kRemoveList } kind;
  Value plist;              // properties to add / the new plist / plist or list of names to remove
  bool merge_face = false;  // kAdd: `face` values are combined with the old one
  bool append = false;
  bool destructive = false;
};

Value merge_face(Context& cx, const Edit& e, Value old, Value value, bool* same) {
  *same = false;
  // A lone face is promoted to a list; a property list of attributes counts as one face.
  const auto promoted = [&](Value v) {
    const bool attributes =
        v.is_cons() &&
        (car_raw(v) == Qforeground_color || car_raw(v) == Qbackground_color ||
         (car_raw(v).is_symbol() && car_raw(v).truthy() && symbol_name_view(cx, car_raw(v)).substr(0, 1) == ":"));
    return v.is_cons() && !attributes ? v : list(cx, {v});
  };
  if (old.is_nil()) return value;
  Value faces = promoted(old);
  const Value added = promoted(value);
  // Already there at the right end?
  if (e.append) {
    Value copy = kNil;
    for (Value l = faces; l.is_cons(); l = cdr_raw(l)) copy = cons(cx, car_raw(l), copy);
    Value out = added;
    for (Value l = copy; l.is_cons(); l = cdr_raw(l)) out = cons(cx, car_raw(l), out);
    return out;
  }
  Value reversed = kNil;
  for (Value l = added; l.is_cons(); l = cdr_raw(l)) reversed = cons(cx, car_raw(l), reversed);
  for (Value l = reversed; l.is_cons(); l = cdr_raw(l)) faces = cons(cx, car_raw(l), faces);
  return faces;
}

Maybe<Value> apply(Context& cx, const Edit& e, const PropertyTarget& target, std::int64_t from, std::int64_t to,
                   Value plist, bool* changed, bool record) {
  record = record && target.buffer() != nullptr;
  Value out = plist;
  switch (e.kind) {
    case Edit::Kind::kAdd:
      for (Value p = e.plist; p.is_cons() && cdr_raw(p).is_cons(); p = cdr_raw(cdr_raw(p))) {
        const Value name = car_raw(p);
        Value value = car_raw(cdr_raw(p));
        const Value cell = cell_of(out, name);
        if (cell.is_cons()) {
          if (car_raw(cell) == value) continue;
          if (e.merge_face) {
            bool same = false;
            value = merge_face(cx, e, car_raw(cell), value, &same);
          }
          if (record) TRY(record_property_change_re(cx, from, to, name, car_raw(cell), target.object()));
          out = with_value(cx, out, name, value);
        } else {
          if (record) TRY(record_property_change_re(cx, from, to, name, kNil, target.object()));
          out = cons(cx, name, cons(cx, value, out));
        }
        *changed = true;
      }
      return out;
    case Edit::Kind::kSet:
      if (record) {
        for (Value p = plist; p.is_cons() && cdr_raw(p).is_cons(); p = cdr_raw(cdr_raw(p))) {
          const Value cell = cell_of(e.plist, car_raw(p));
          if (cell.is_nil() || car_raw(cell) != car_raw(cdr_raw(p))) {
            TRY(record_property_change_re(cx, from, to, car_raw(p), car_raw(cdr_raw(p)), target.object()));
          }
        }
        for (Value p = e.plist; p.is_cons() && cdr_raw(p).is_cons(); p = cdr_raw(cdr_raw(p))) {
          if (cell_of(plist, car_raw(p)).is_nil()) {
            TRY(record_property_change_re(cx, from, to, car_raw(p), kNil, target.object()));
          }
        }
      }
      *changed = true;
      return e.plist;
    case Edit::Kind::kRemove:
    case Edit::Kind::kRemoveList:
      for (Value p = e.plist; p.is_cons();) {
        const Value cell = cell_of(out, car_raw(p));
        if (cell.is_cons()) {
          if (record) TRY(record_property_change_re(cx, from, to, car_raw(p), car_raw(cell), target.object()));
          out = without(cx, out, car_raw(p));
          *changed = true;
        }
        p = cdr_raw(p);
        if (e.kind == Edit::Kind::kRemove) p = p.is_cons() ? cdr_raw(p) : kNil;
      }
      return out;
  }
  return out;
}

// Would `e` change anything in the span?
Maybe<bool> would_change(Context& cx, const Edit& e, const PropertyTarget& target, Region s) {
  for (std::int64_t i = s.start; i < s.end;) {
    const PropertyRun r = target.run_at(i);
    bool changed = false;
    TRY(apply(cx, e, target, i, std::min(r.end, s.end), r.plist, &changed, false));
    if (changed) return true;
    i = r.end;
  }
  return false;
}

Maybe<bool> edit_properties_re(Context& cx, PropertyTarget target, const Edit& e, Region s) {
  if (s.start >= s.end) return false;
  if (!TRY(would_change(cx, e, target, s))) return false;
  Buffer* b = target.buffer();
  if (b == nullptr) {
    for (std::int64_t i = s.start; i < s.end;) {
      const PropertyRun r = target.run_at(i);
      const std::int64_t end = std::min(r.end, s.end);
      bool changed = false;
      const Value plist = TRY(apply(cx, e, target, i, end, r.plist, &changed, false));
      if (changed && e.kind != Edit::Kind::kSet) target.replace(cx, i, end, plist);
      i = end;
    }
    if (e.kind == Edit::Kind::kSet) target.replace(cx, s.start, s.end, e.plist);
    return true;
  }
  const std::size_t depth = binding_depth(cx);
  Buffer& previous = current_buffer(cx);
  if (b != &previous) {
    host_hooks(cx).record_save_current_buffer(cx);
    set_current_buffer(cx, *b);
  }
  const std::int64_t old_end = b->text->end().chars;
  TRY(prepare_change_re(cx, s.start, s.end));
  if (!b->live) return unbind_to_re(cx, depth, kNil).is_exit() ? Maybe<bool>(kFailed) : Maybe<bool>(true);
  (void)old_end;
  s.end = std::min(s.end, b->end.chars);
  bool any = false;
  std::int64_t at = s.start;
  while (at < s.end) {
    const PropertyRun r = target.run_at(at);
    const std::int64_t end = std::min(r.end, s.end);
    bool changed = false;
    // A run that an end of the span cuts counts as bare when it is replaced: no record of what it had.
    const bool cut = e.kind == Edit::Kind::kSet && (r.start < at || r.end > s.end);
    const Value plist = TRY(apply(cx, e, target, at, end, cut ? kNil : r.plist, &changed, true));
    if (changed && e.kind != Edit::Kind::kSet) target.replace(cx, at, end, plist);
    any = any || changed;
    at = end;
  }
  // What is set becomes one run.
  if (e.kind == Edit::Kind::kSet && any) target.replace(cx, s.start, s.end, e.plist);
  if (any) {
    if (b->text->modified <= b->text->saved) record_first_change(cx);
    count_modification(*b, false);
  }
  TRY(announce_change_re(cx, s.start, s.end - s.start, s.end - s.start));
  TRY(unbind_to_re(cx, depth, kNil));
  return any;
}

// A plist argument: nil, a proper list of even length, or an atom that stands for (ATOM nil).
Value plist_argument(Context& cx, Value list_value) {
  if (list_value.is_nil()) return kNil;
  if (!list_value.is_cons()) return list(cx, {list_value, kNil});
  std::int64_t pairs = 0;
  Value slow = list_value;
  for (Value l = list_value; l.is_cons(); ++pairs) {
    if (!cdr_raw(l).is_cons()) return error_text(cx, "Odd length text property list");
    l = cdr_raw(cdr_raw(l));
    if ((pairs & 1) != 0) slow = cdr_raw(cdr_raw(slow));
    if (l == slow && l.is_cons() && pairs > 0) return signal_error1(cx, Qcircular_list, list_value);
  }
  return list_value;
}

}  // namespace

Maybe<Region> span_arguments(Context& cx, const PropertyTarget& target, Value start, Value end) {
  const std::int64_t a = TRY(position_argument(cx, start));
  const std::int64_t b = TRY(position_argument(cx, end));
  const Region span{std::min(a, b), std::max(a, b)};
  if (a != b && (span.start < target.begin() || span.end > target.end())) return args_out_of_range(cx, start, end);
  return span;
}

Maybe<bool> add_properties_re(Context& cx, PropertyTarget target, std::int64_t start, std::int64_t end, Value plist) {
  return edit_properties_re(cx, target, Edit{Edit::Kind::kAdd, plist}, {start, end});
}

Maybe<bool> set_properties_re(Context& cx, PropertyTarget target, std::int64_t start, std::int64_t end, Value plist) {
  return edit_properties_re(cx, target, Edit{Edit::Kind::kSet, plist}, {start, end});
}

NEOVM_PRIMITIVE(add_text_properties, "add-text-properties", 3, 4, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic,
                "Add the properties of PROPERTIES to the text from START to END of OBJECT; t if that changed any.")
(Context& cx, Value start, Value end, Value properties, Value object) {
  const PropertyTarget target = TRY(property_target(cx, object));
  const Value plist = TRY(plist_argument(cx, properties));
  if (plist.is_nil()) return kNil;
  const Region s = TRY(span_arguments(cx, target, start, end));
  return boolean(TRY(edit_properties_re(cx, target, Edit{Edit::Kind::kAdd, plist}, s)));
}

NEOVM_PRIMITIVE(put_text_property, "put-text-property", 4, 5, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic, "Give the text from START to END of OBJECT the property PROPERTY with VALUE.")
(Context& cx, Value start, Value end, Value property, Value value, Value object) {
  const PropertyTarget target = TRY(property_target(cx, object));
  const Region s = TRY(span_arguments(cx, target, start, end));
  const Value plist = list(cx, {property, value});
  TRY(edit_properties_re(cx, target, Edit{Edit::Kind::kAdd, plist}, s));
  return kNil;
}

Value set_text_properties_re(Context& cx, Value start, Value end, Value properties, Value object) {
  const PropertyTarget target = TRY(property_target(cx, object));
  const Value plist = TRY(plist_argument(cx, properties));
  std::int64_t from = 0;
  std::int64_t to = 0;
  // Wiping a whole string of its properties works whatever the limits are.
  if (plist.is_nil() && object.is_string() && start == Value::fixnum(0) && end == Value::fixnum(string_chars(object))) {
    if (target.plain()) return kNil;
    set_string_runs(cx, object, {});
    return Qt;
  }
  const Region s = TRY(span_arguments(cx, target, start, end));
  from = s.start;
  to = s.end;
  if (from == to) return kNil;
  if (plist.is_nil() && target.plain()) return kNil;
  Value tail = plist;
  while (tail.is_cons()) tail = cdr_raw(tail);
  TRY(check_type(cx, tail.is_nil(), Qlistp, tail));
  TRY(edit_properties_re(cx, target, Edit{Edit::Kind::kSet, copy_plist(cx, plist)}, {from, to}));
  return Qt;
}

NEOVM_PRIMITIVE(set_text_properties, "set-text-properties", 3, 4, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic, "Replace all properties of the text from START to END of OBJECT by PROPERTIES.")
(Context& cx, Value start, Value end, Value properties, Value object) {
  return set_text_properties_re(cx, start, end, properties, object);
}

NEOVM_PRIMITIVE(remove_text_properties, "remove-text-properties", 3, 4, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic,
                "Remove the properties named in the plist PROPERTIES from START to END of OBJECT; t if any was there.")
(Context& cx, Value start, Value end, Value properties, Value object) {
  const PropertyTarget target = TRY(property_target(cx, object));
  const Region s = TRY(span_arguments(cx, target, start, end));
  return boolean(TRY(edit_properties_re(cx, target, Edit{Edit::Kind::kRemove, properties}, s)));
}

NEOVM_PRIMITIVE(remove_list_of_text_properties, "remove-list-of-text-properties", 3, 4, kWorkerSafe, kStateWrite,
                kMayGc, kReenters, kDeterministic,
                "Remove the properties in the list PROPERTIES from START to END of OBJECT; t if any was there.")
(Context& cx, Value start, Value end, Value properties, Value object) {
  const PropertyTarget target = TRY(property_target(cx, object));
  const Region s = TRY(span_arguments(cx, target, start, end));
  return boolean(TRY(edit_properties_re(cx, target, Edit{Edit::Kind::kRemoveList, properties}, s)));
}

NEOVM_PRIMITIVE(add_face_text_property, "add-face-text-property", 3, 5, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic,
                "Add FACE to the face property of the text from START to END of OBJECT, in front or (APPENDP) behind.")
(Context& cx, Value start, Value end, Value face, Value append, Value object) {
  const PropertyTarget target = TRY(property_target(cx, object));
  const Region s = TRY(span_arguments(cx, target, start, end));
  Edit e{Edit::Kind::kAdd, list(cx, {Qface, face})};
  e.merge_face = true;
  e.append = append.truthy();
  TRY(edit_properties_re(cx, target, e, s));
  return kNil;
}

NEOVM_PRIMITIVE(propertize, "propertize", 1, kMany, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return a copy of STRING with the text properties PROPERTY VALUE ….")
(Context& cx, Arguments args) {
  if ((args.size() & 1) == 0) {
    return signal_error2(cx, Qwrong_number_of_arguments, Qpropertize,
                         Value::fixnum(static_cast<std::int64_t>(args.size())));
  }
  const Value string = args[0];
  if (!string.is_string()) return wrong_type(cx, Qstringp, string);
  const std::int64_t n = string_chars(string);
  const Value copy = string_multibyte(string) ? TRY(make_multibyte_string(cx, string_view_of(string), n))
                                              : TRY(make_unibyte_string(cx, string_view_of(string)));
                                              std::vector<PropertyRun> runs = string_runs(string, 0, n);
                                              for (PropertyRun& r : runs) r.plist = reversed_plist(cx, r.plist);
                                              set_string_runs(cx, copy, runs);
                                              Value plist = kNil;
                                              for (std::size_t i = 1; i < args.size(); i += 2)
                                                plist = cons(cx, args[i], cons(cx, args[i + 1], plist));
                                              if (n > 0)
                                                TRY(edit_properties_re(cx, PropertyTarget(copy),
                                                                       Edit{Edit::Kind::kAdd, plist}, {0, n}));
                                              return copy;
}

}  // namespace neomacs::host
