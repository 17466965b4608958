#include "edit/lines.hpp"
#include "time/time_value.hpp"

#include <algorithm>
#include <cstring>

namespace neomacs::host {

namespace {

// The next newline byte at or after 0-based offset `i`, below `end`; -1 when there is none.
std::int64_t find_newline(const text::Cursor& c, std::int64_t i, std::int64_t end) {
  while (i < end) {
    const std::int64_t stop = i < c.first_bytes ? std::min(end, c.first_bytes) : end;
    const void* hit = std::memchr(c.at(i), '\n', static_cast<std::size_t>(stop - i));
    if (hit != nullptr) return i + (static_cast<const std::uint8_t*>(hit) - c.at(i));
    i = stop;
  }
  return -1;
}

// The last newline before offset `i`, at or above `begin`.
std::int64_t find_newline_backward(const text::Cursor& c, std::int64_t i, std::int64_t begin) {
  while (i > begin) {
    const std::int64_t start = i > c.first_bytes ? std::max(begin, c.first_bytes) : begin;
    const void* hit = memrchr(c.at(start), '\n', static_cast<std::size_t>(i - start));
    if (hit != nullptr) return start + (static_cast<const std::uint8_t*>(hit) - c.at(start));
    i = start;
  }
  return -1;
}

}  // namespace

Pos after_newlines(Buffer& b, Pos from, Pos limit, std::int64_t count, std::int64_t* missing) {
  const text::Cursor c = b.cursor();
  std::int64_t i = from.bytes - 1;
  while (count > 0) {
    const std::int64_t hit = find_newline(c, i, limit.bytes - 1);
    if (hit < 0) {
      if (missing != nullptr) *missing = count;
      return limit;
    }
    i = hit + 1;
    --count;
  }
  if (missing != nullptr) *missing = 0;
  return b.text->at_byte(i + 1);
}

Pos before_newlines(Buffer& b, Pos from, Pos limit, std::int64_t count, std::int64_t* missing) {
  const text::Cursor c = b.cursor();
  std::int64_t i = from.bytes - 1;
  while (count > 0) {
    const std::int64_t hit = find_newline_backward(c, i, limit.bytes - 1);
    if (hit < 0) {
      if (missing != nullptr) *missing = count;
      return limit;
    }
    i = hit;
    --count;
  }
  if (missing != nullptr) *missing = 0;
  return b.text->at_byte(i + 1);
}

Pos line_start(Buffer& b, Pos from) {
  std::int64_t missing = 0;
  const Pos p = before_newlines(b, from, b.begin, 1, &missing);
  return missing != 0 ? p : b.text->next(p);
}

Pos line_end(Buffer& b, Pos from) {
  std::int64_t missing = 0;
  const Pos p = after_newlines(b, from, b.end, 1, &missing);
  return missing != 0 ? p : b.text->previous(p);
}

// More lines than any text has; keeps the arithmetic in range.
constexpr std::int64_t kFar = std::int64_t{1} << 60;

Pos move_lines(Buffer& b, Pos from, std::int64_t lines, std::int64_t* shortage) {
  std::int64_t missing = 0;
  Pos p;
  if (lines <= 0) {
    p = before_newlines(b, from, b.begin, lines < -kFar ? kFar : 1 - lines, &missing);
    if (lines < -kFar && missing > 0) missing += 1 - lines - kFar;
    if (missing == 0) p = b.text->next(p);
    // The first line counts as reached when we started behind its beginning or on a later one.
    if (missing > 0) --missing;
    *shortage = missing;
    return p;
  }
  p = after_newlines(b, from, b.end, lines, &missing);
  // A last line without newline counts as a line, when there was something to move over.
  if (missing > 0 && p.chars > b.begin.chars && p.chars > from.chars && b.text->char_at(b.text->previous(p)) != '\n') {
    --missing;
  }
  *shortage = missing;
  return p;
}

// ---- primitives (cmds.c, editfns.c) ---------------------------------------------------------------------------

NEOVM_COMMAND(forward_line, "forward-line", 0, 1, kWorkerSafe, kStateWrite, kMayGc, kNoReentry, kDeterministic, "^p",
              "Move N lines forward, to the beginning of the line; return how many lines were missing.")
(Context& cx, Value n) {
  std::int64_t count = 1;
  if (!n.is_nil()) {
    count = std::clamp(TRY(integer_clamped(cx, n)), kMostNegativeFixnum, kMostPositiveFixnum);
  }
  Buffer& b = current_buffer(cx);
  std::int64_t shortage = 0;
  set_point(b, move_lines(b, b.point, count, &shortage));
  const Value missing = TRY(make_integer(cx, count <= 0 ? -shortage : shortage));
  if (!is_bignum(n)) return missing;
  // The lines beyond the range of fixnums are all missing.
  Integer total = integer_from_raw(n);
  mpz_sub(total.get(), total.get(), integer_from_raw(Value::fixnum(count)).get());
  mpz_add(total.get(), total.get(), integer_from_raw(missing).get());
  return integer_to_value(cx, total);
}

static Maybe<std::int64_t> line_count(Context& cx, Value n) {
  if (n.is_nil()) return 1;
  return TRY(integer_clamped(cx, n));
}

NEOVM_PRIMITIVE(line_beginning_position, "line-beginning-position", 0, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the position of the beginning of the line N - 1 lines from here.")
(Context& cx, Value n) {
  const std::int64_t count = TRY(line_count(cx, n));
  Buffer& b = current_buffer(cx);
  std::int64_t shortage = 0;
  const Pos p = move_lines(b, b.point, std::max(count, -kFar) - 1, &shortage);
  return Value::fixnum(TRY(constrain_to_field(cx, p.chars, b.point.chars, count != 1, true, kNil)));
}

static Maybe<std::int64_t> end_of_line(Context& cx, std::int64_t count) {
  Buffer& b = current_buffer(cx);
  std::int64_t missing = 0;
  Pos p;
  if (count <= 0) {
    p = before_newlines(b, b.point, b.begin, 1 - std::max(count, -kFar), &missing);
    if (missing != 0) p = b.begin;
  } else {
    p = after_newlines(b, b.point, b.end, count, &missing);
    if (missing == 0) p = b.text->previous(p);
  }
  return constrain_to_field(cx, p.chars, b.point.chars, false, true, kNil);
}

NEOVM_PRIMITIVE(line_end_position, "line-end-position", 0, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the position of the end of the line N - 1 lines from here.")
(Context& cx, Value n) { return Value::fixnum(TRY(end_of_line(cx, TRY(line_count(cx, n))))); }

NEOVM_COMMAND(beginning_of_line, "beginning-of-line", 0, 1, kWorkerSafe, kStateWrite, kNoGc, kNoReentry, kDeterministic,
              "^p", "Move to the beginning of the line, after moving N - 1 lines forward.")
(Context& cx, Value n) {
  if (!n.is_nil()) TRY(fixnum_argument(cx, n));
  const Value p = TRY(prim_line_beginning_position(cx, n));
  Buffer& b = current_buffer(cx);
  set_point(b, clip(b, p.as_fixnum()));
  return kNil;
}

NEOVM_COMMAND(end_of_line, "end-of-line", 0, 1, kWorkerSafe, kStateWrite, kNoGc, kNoReentry, kDeterministic, "^p",
              "Move to the end of the line, after moving N - 1 lines forward.")
(Context& cx, Value n) {
  if (!n.is_nil()) TRY(fixnum_argument(cx, n));
  const std::int64_t p = TRY(end_of_line(cx, TRY(line_count(cx, n))));
  Buffer& b = current_buffer(cx);
  set_point(b, clip(b, p));
  return kNil;
}

}  // namespace neomacs::host
