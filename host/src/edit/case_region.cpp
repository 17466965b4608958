// Case conversion of regions and words (casefiddle.c); the conversion itself is that of the string primitives.
#include <algorithm>
#include <string>

#include "buffer/list_cycle.hpp"
#include "edit/edit.hpp"
#include "edit/undo.hpp"
#include "textprop/textprop.hpp"

namespace neomacs::host {

namespace {

Maybe<bool> case_region_re(Context& cx, Value operation, Region r) {
  if (r.start == r.end) return true;
  TRY(prepare_change_re(cx, r.start, r.end));
  {
    Buffer& b = current_buffer(cx);
    r.start = std::clamp(r.start, b.begin.chars, b.end.chars);
    r.end = std::clamp(r.end, r.start, b.end.chars);
  }
  const Value old_text = TRY(buffer_substring(cx, current_buffer(cx), r.start, r.end, false));
  const Value new_text = TRY(funcall_re(cx, operation, {old_text}));
  Buffer& b = current_buffer(cx);
  if (!new_text.is_string() || string_equal(old_text, new_text)) return true;
  const std::int64_t old_chars = string_chars(old_text);
  const std::int64_t new_chars = string_chars(new_text);
  std::int64_t head = 0;
  while (head < old_chars && head < new_chars && string_char_raw(old_text, head) == string_char_raw(new_text, head))
    ++head;
  std::int64_t tail = 0;
  while (tail < old_chars - head && tail < new_chars - head &&
         string_char_raw(old_text, old_chars - 1 - tail) == string_char_raw(new_text, new_chars - 1 - tail)) {
    ++tail;
  }
  if (undo_enabled(cx)) {
    TRY(record_delete_re(cx, r.start, TRY(buffer_substring(cx, b, r.start, r.end, true)), false));
    TRY(record_insert_re(cx, r.start, new_chars));
  }
  const std::int64_t from = r.start + head;
  const std::int64_t to = r.end - tail;
  const std::int64_t inserted = new_chars - head - tail;
  const Pos start = b.text->at_char(from);
  const Pos stop = b.text->at_char(to);
  const std::int64_t byte_from = string_char_to_byte(new_text, head);
  const std::int64_t byte_to = string_char_to_byte(new_text, new_chars - tail);
  std::int64_t counted = 0;
  const std::string bytes = recode(string_view_of(new_text).substr(static_cast<std::size_t>(byte_from),
                                                                   static_cast<std::size_t>(byte_to - byte_from)),
                                   string_multibyte(new_text), b.multibyte(), &counted);
  if (inserted == to - from && static_cast<std::int64_t>(bytes.size()) == stop.bytes - start.bytes) {
    // Same shape: markers and properties stay where they are.
    b.text->contiguous(start.bytes, stop.bytes);
    b.text->overwrite(start.bytes, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                      static_cast<std::int64_t>(bytes.size()));
    b.text->reseat_positions(from, to);
  } else {
    // Character by character from the end, so that positions inside keep their place.
    const std::int64_t common = std::min(inserted, to - from);
    const std::int64_t old_point = b.point.chars;
    for (std::int64_t i = (to - from) - 1; i >= 0; --i) {
      const std::int64_t at = from + i;
      const Pos p = b.text->at_char(at);
      const Pos next = b.text->next(p);
      const Value plist = b.text->properties.empty() ? kNil : b.text->properties.find(at - 1).value;
      // The last old character takes all that is left over; with fewer new ones the first ones vanish.
      const std::int64_t new_from = head + std::min(i, common);
      const std::int64_t new_to = i == (to - from) - 1 ? head + inserted : head + std::min(i + 1, common);
      std::int64_t n = 0;
      const std::int64_t a = string_char_to_byte(new_text, new_from);
      const std::int64_t z = string_char_to_byte(new_text, new_to);
      const std::string unit =
          recode(string_view_of(new_text).substr(static_cast<std::size_t>(a), static_cast<std::size_t>(z - a)),
                 string_multibyte(new_text), b.multibyte(), &n);
      // Insert behind, then delete: markers before the character stay there.
      if (!b.text->insert(next, reinterpret_cast<const std::uint8_t*>(unit.data()),
                          static_cast<std::int64_t>(unit.size()), n, false)) {
        return signal_error0(cx, Qmemory_full);
      }
      b.text->properties.insert(at, n, plist);
      b.text->erase(p, next);
      b.text->properties.erase(at - 1, at);
    }
    std::int64_t point = old_point;
    if (old_point >= to) point += inserted - (to - from);
    set_point(b, clip(b, point));
  }
  count_modification(b);
  TRY(announce_change_re(cx, from, to - from, inserted));
  return true;
}

Value region_command_re(Context& cx, Value operation, Value beg, Value end, Value noncontiguous) {
  if (noncontiguous.truthy()) {
    const Value function = variable_value(cx, Qregion_extract_function);
    const Value bounds = TRY(funcall_re(cx, function, {Qbounds}));
    ListCycle cycle(bounds);
    Value tail = bounds;
    for (; tail.is_cons();) {
      TRY(check_quit(cx));
      const Value pair = car_raw(tail);
      if (!pair.is_cons()) return wrong_type(cx, Qconsp, pair);
      TRY(case_region_re(cx, operation, TRY(region_arguments(cx, car_raw(pair), cdr_raw(pair)))));
      tail = cdr_raw(tail);
      if (cycle.step(tail)) return signal_error1(cx, Qcircular_list, bounds);
    }
    return tail.is_nil() ? kNil : wrong_type(cx, Qlistp, tail);
  }
  TRY(case_region_re(cx, operation, TRY(region_arguments(cx, beg, end))));
  return kNil;
}

Value word_command_re(Context& cx, Value operation, Value n) {
  if (!n.is_fixnum()) return wrong_type(cx, Qfixnump, n);
  const std::int64_t origin = current_buffer(cx).point.chars;
  TRY(funcall_re(cx, Qforward_word, {n}));
  const std::int64_t far = current_buffer(cx).point.chars;
  const std::int64_t size = current_buffer(cx).text->end().chars;
  TRY(case_region_re(cx, operation, {std::min(origin, far), std::max(origin, far)}));
  Buffer& b = current_buffer(cx);
  set_point(b, clip(b, std::max(origin, far) + b.text->end().chars - size));
  return kNil;
}

}  // namespace

NEOVM_COMMAND(upcase_region, "upcase-region", 2, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
              "(list (region-beginning) (region-end) (region-noncontiguous-p))",
              "Convert the text between BEG and END to upper case.")
(Context& cx, Value beg, Value end, Value noncontiguous) {
  return region_command_re(cx, Qupcase, beg, end, noncontiguous);
}

NEOVM_COMMAND(downcase_region, "downcase-region", 2, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
              "(list (region-beginning) (region-end) (region-noncontiguous-p))",
              "Convert the text between BEG and END to lower case.")
(Context& cx, Value beg, Value end, Value noncontiguous) {
  return region_command_re(cx, Qdowncase, beg, end, noncontiguous);
}

NEOVM_COMMAND(capitalize_region, "capitalize-region", 2, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
              "(list (region-beginning) (region-end) (region-noncontiguous-p))",
              "Capitalize each word between BEG and END.")
(Context& cx, Value beg, Value end, Value noncontiguous) {
  return region_command_re(cx, Qcapitalize, beg, end, noncontiguous);
}

NEOVM_COMMAND(upcase_initials_region, "upcase-initials-region", 2, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters,
              kDeterministic, "(list (region-beginning) (region-end) (region-noncontiguous-p))",
              "Make the first letter of each word between BEG and END upper case.")
(Context& cx, Value beg, Value end, Value noncontiguous) {
  return region_command_re(cx, Qupcase_initials, beg, end, noncontiguous);
}

NEOVM_COMMAND(upcase_word, "upcase-word", 1, 1, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic, "p",
              "Convert the next ARG words to upper case and move over them.")
(Context& cx, Value arg) { return word_command_re(cx, Qupcase, arg); }

NEOVM_COMMAND(downcase_word, "downcase-word", 1, 1, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic, "p",
              "Convert the next ARG words to lower case and move over them.")
(Context& cx, Value arg) { return word_command_re(cx, Qdowncase, arg); }

NEOVM_COMMAND(capitalize_word, "capitalize-word", 1, 1, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
              "p", "Capitalize the next ARG words and move over them.")
(Context& cx, Value arg) { return word_command_re(cx, Qcapitalize, arg); }

NEOVM_VARIABLE(region_extract_function, "region-extract-function", kGlobalVar, kAny, kInitNil,
               "Function that returns or deletes the region's text, or its bounds.")

}  // namespace neomacs::host
