// line-number-at-pos and buffer-line-statistics.
#include <algorithm>

#include "edit/lines.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT: the abi is this layer's language

std::int64_t newlines_between(const Buffer& b, std::int64_t first, std::int64_t last) {
  // Newlines are single bytes in either encoding.
  const text::Cursor text = b.cursor();
  const std::int64_t from = b.text->at_char(first).bytes - 1;
  const std::int64_t to = b.text->at_char(last).bytes - 1;
  std::int64_t lines = 0;
  const std::int64_t split = std::clamp(text.first_bytes, from, to);
  for (std::int64_t i = from; i < split; ++i) lines += text.first[i] == '\n';
  for (std::int64_t i = split; i < to; ++i) lines += text.second[i - text.first_bytes] == '\n';
  return lines;
}

NEOVM_PRIMITIVE(
    line_number_at_pos, "line-number-at-pos", 0, 2, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
    "Return the line number of POSITION (default point) in the accessible portion, or in the whole buffer if "
    "ABSOLUTE.")
(Context& cx, Value position, Value absolute) {
  const Buffer& b = current_buffer(cx);
  const std::int64_t first = absolute.truthy() ? 1 : b.begin.chars;
  std::int64_t at = b.point.chars;
  if (position.truthy()) {
    if (!position.is_fixnum() && !is_marker(position)) return wrong_type(cx, Qfixnump, position);
    at = TRY(position_argument(cx, position));
    if (at < b.begin.chars || at > b.end.chars)
      return args_out_of_range(cx, position, Value::fixnum(b.begin.chars), Value::fixnum(b.end.chars));
  }
  return Value::fixnum(1 + newlines_between(b, first, at));
}

NEOVM_PRIMITIVE(
    buffer_line_statistics, "buffer-line-statistics", 0, 1, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kDeterministic,
    "Return (LINES LONGEST MEAN) of BUFFER-OR-NAME, narrowed or not: how many lines, the bytes of the longest "
    "and of the mean one.")
(Context& cx, Value buffer) {
  const Buffer* b = &current_buffer(cx);
  if (!buffer.is_nil()) b = TRY(buffer_or_name(cx, buffer));
  const text::Cursor text = b->text->cursor();
  const std::int64_t end = b->text->end().bytes - 1;
  std::int64_t lines = 0;
  std::int64_t longest = 0;
  std::int64_t line_start = 0;
  const auto finish_line = [&](std::int64_t at) {
    ++lines;
    longest = std::max(longest, at - line_start);
    line_start = at + 1;
  };
  for (std::int64_t i = 0; i < end; ++i) {
    const std::uint8_t byte = i < text.first_bytes ? text.first[i] : text.second[i - text.first_bytes];
    if (byte == '\n') finish_line(i);
  }
  const std::int64_t newlines = lines;
  if (line_start < end) finish_line(end);
  const double mean = lines == 0 ? 0.0 : static_cast<double>(end - newlines) / static_cast<double>(lines);
  return cons(cx, Value::fixnum(lines), cons(cx, Value::fixnum(longest), cons(cx, make_float(cx, mean), kNil)));
}

}  // namespace neomacs::host
