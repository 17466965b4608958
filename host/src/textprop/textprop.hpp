// Text properties of strings and buffers behind one face.
//
// A buffer keeps runs in its store's interval tree. A string keeps them in StringObject::properties: nil, or a
// kInternalSlots object of triples (start end plist) that cover the string's changes, so that strings with
// properties are plain heap data for the collector and the image.
#pragma once

#include <vector>

#include "buffer/buffer.hpp"

namespace neomacs::host {

struct PropertyRun {
  std::int64_t start;
  std::int64_t end;
  Value plist;
};

// Either kind of object, with positions counted as Lisp counts them there (strings from 0, buffers from 1).
class PropertyTarget {
 public:
  PropertyTarget() = default;
  explicit PropertyTarget(Buffer& b);
  explicit PropertyTarget(Value string);

  [[nodiscard]] Value object() const { return buffer_ != nullptr ? buffer_->self : string_; }
  [[nodiscard]] Buffer* buffer() const { return buffer_; }
  // Limits of the accessible text.
  [[nodiscard]] std::int64_t begin() const;
  [[nodiscard]] std::int64_t end() const;
  [[nodiscard]] bool plain() const;  // no properties at all
  // The run at a position; for a position at the very end of the text the last run.
  [[nodiscard]] PropertyRun run_at(std::int64_t pos) const;
  void replace(Context& cx, std::int64_t start, std::int64_t end, Value plist);

 private:
  Buffer* buffer_ = nullptr;
  Value string_ = kNil;
};

// OBJECT argument: nil is the current buffer; else buffer-or-string-p.
Maybe<PropertyTarget> property_target(Context& cx, Value object);

// START and END arguments: ordered; signals args-out-of-range with the arguments as they were given unless both lie in the
// target, or are equal (an empty range is fine anywhere).
Maybe<Region> span_arguments(Context& cx, const PropertyTarget& target, Value start, Value end);

// Value of `property` in a plist, looking at category symbols and char-property-alias-alist, as text and
// overlay properties are looked up. `is_text`: default-text-properties apply too.
Value lookup_char_property(Context& cx, Value plist, Value property, bool is_text);
// True when two plists have the same properties with eq values.
bool plists_equal(Value a, Value b);
// True if PLIST has a value for every property of OTHER, those about stickiness aside.
bool has_properties_of(Value plist, Value other);
// Properties that text inserted between `left` and `right` inherits.
Value sticky_plist(Context& cx, Value left, Value right);
// A new list with the same properties; in the same order, and in the opposite one (copies between strings, and what
// the printer shows).
Value copy_plist(Context& cx, Value plist);
Value reversed_plist(Context& cx, Value plist);
// `inherited` plus the properties of `own` that it lacks.
Value merge_inherited(Context& cx, Value own, Value inherited);
// Whether text inserted at `pos` of the current buffer would inherit `property` from before (-1), after (1), or
// neither (0).
int text_property_stickiness(Context& cx, Value property, std::int64_t pos, Buffer& b);

// Runs of a string; of [from, to) relative to `from`.
std::vector<PropertyRun> string_runs(Value string, std::int64_t from, std::int64_t to);
void set_string_runs(Context& cx, Value string, const std::vector<PropertyRun>& runs);

// Text property primitives for C++ users; no hooks on strings. Result: whether anything changed.
Maybe<bool> add_properties_re(Context& cx, PropertyTarget target, std::int64_t start, std::int64_t end, Value plist);
// What `set-text-properties' does.
Value set_text_properties_re(Context& cx, Value start, Value end, Value properties, Value object);
Maybe<bool> set_properties_re(Context& cx, PropertyTarget target, std::int64_t start, std::int64_t end, Value plist);
// Property of the character at `pos` from text or overlays; `*overlay` (may be null) gets the overlay or nil.
Value get_char_property(Context& cx, std::int64_t pos, Value property, Value object, Value* overlay);

// What text inserted at `pos` would have for `property` (get-pos-property).
Value pos_property(Context& cx, std::int64_t pos, Value property, Buffer& b);

}  // namespace neomacs::host
