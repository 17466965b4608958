// Columns and indentation (indent.c).
#include "indent/columns.hpp"

#include <algorithm>

#include "buffer/overlay.hpp"
#include "edit/edit.hpp"
#include "edit/lines.hpp"
#include "textprop/textprop.hpp"

namespace neomacs::host {

namespace {

// Does buffer-invisibility-spec hide text with this value of `invisible`? 2: shown as an ellipsis.
int hidden_by(Context& cx, Buffer& b, Value property) {
  if (property.is_nil()) return 0;
  const Value spec = buffer_variable(cx, b, Qbuffer_invisibility_spec);
  if (!spec.is_cons()) return spec.truthy() ? 1 : 0;
  const auto one = [&](Value p) {
    for (Value l = spec; l.is_cons(); l = cdr_raw(l)) {
      const Value e = car_raw(l);
      if (e == p) return 1;
      if (e.is_cons() && car_raw(e) == p) return cdr_raw(e).truthy() ? 2 : 1;
    }
    return 0;
  };
  if (const int direct = one(property)) return direct;
  for (Value l = property; l.is_cons(); l = cdr_raw(l))
    if (const int r = one(car_raw(l))) return r;
  return 0;
}

}  // namespace

ColumnMeasure column_measure(Context& cx, Buffer& b) {
  const Value tab = buffer_variable(cx, b, Qtab_width);
  std::int64_t width = tab.is_fixnum() ? tab.as_fixnum() : 8;
  if (width <= 0 || width > 1000) width = 8;
  return {width, buffer_variable(cx, b, Qctl_arrow).truthy(), variable_value(cx, Qchar_width_table), b.multibyte(),
          !b.text->properties.empty() || b.has_overlays()};
}

std::int64_t char_columns(const ColumnMeasure& m, int c) {
  if (c < 0x20 || c == 0x7F) return m.arrow ? 2 : 4;
  if (c < 0x80) return 1;
  if (!m.multibyte || text::is_raw_byte_char(c)) return 4;
  if (is_char_table(m.widths)) {
    const Value w = char_table_get(m.widths, c);
    if (w.is_fixnum()) return std::clamp<std::int64_t>(w.as_fixnum(), 0, 1000);
  }
  return 1;
}

bool is_hidden_at(Context& cx, Buffer& b, std::int64_t pos) {
  return hidden_by(cx, b, get_char_property(cx, pos, Qinvisible, b.self, nullptr)) != 0;
}

namespace {

struct Scan {
  Pos pos;
  std::int64_t column = 0;
  std::int64_t previous_column = 0;  // before the last character
};

// The columns of printable ASCII and tabs from S on, on this side of the gap. Returns their number.
std::int64_t scan_plain(const ColumnMeasure& m, const TextStore& store, std::int64_t limit_chars, std::int64_t goal,
                        Scan* s) {
  const text::Cursor text = store.cursor();
  const std::int64_t from = s->pos.bytes - 1;
  const std::int64_t side = (from < text.first_bytes ? text.first_bytes : text.size()) - from;
  const std::uint8_t* const begin = text.at(from);
  const std::uint8_t* const end = begin + std::min(side, limit_chars - s->pos.chars);
  const std::uint8_t* p = begin;
  for (; p < end && s->column < goal && ((*p >= 0x20 && *p < 0x7F) || *p == '\t'); ++p) {
    s->previous_column = s->column;
    s->column += *p == '\t' ? m.tab - s->column % m.tab : 1;
  }
  return p - begin;
}

// From the beginning of a line until `limit` or column `goal`.
Scan scan_columns(Context& cx, Buffer& b, Pos from, Pos limit, std::int64_t goal) {
  const ColumnMeasure m = column_measure(cx, b);
  const bool returns_end = buffer_variable(cx, b, Qselective_display) == Qt;
  Scan s{from, 0, 0};
  bool hidden = false;
  std::int64_t same_until = 0;  // where that may be otherwise
  while (s.pos.chars < limit.chars) {
    if (m.hides && s.pos.chars >= same_until) {
      hidden = is_hidden_at(cx, b, s.pos.chars);
      same_until = std::min(PropertyTarget(b).run_at(s.pos.chars).end, next_overlay_change(b, s.pos.chars));
    }
    if (hidden) {
      s.pos = b.text->next(s.pos);
      continue;
    }
    if (s.column >= goal) break;  // behind what is hidden there
    if (const std::int64_t n =
            scan_plain(m, *b.text, m.hides ? std::min(limit.chars, same_until) : limit.chars, goal, &s)) {
      s.pos = {s.pos.chars + n, s.pos.bytes + n};
      continue;
    }
    const int c = b.text->char_at(s.pos);
    if (c == '\n' || (c == '\r' && returns_end)) break;
    s.previous_column = s.column;
    s.column += c == '\t' ? m.tab - s.column % m.tab : char_columns(m, c);
    s.pos = b.text->next(s.pos);
  }
  return s;
}

std::int64_t current_column(Context& cx) { return column_of(cx, current_buffer(cx), current_buffer(cx).point); }

Value indent_to_re(Context& cx, std::int64_t column, std::int64_t minimum) {
  const std::int64_t from = current_column(cx);
  const std::int64_t target = std::max(column, from + minimum);
  if (target == from) return Value::fixnum(target);
  std::int64_t at = from;
  if (variable_true(cx, Qindent_tabs_mode)) {
    const std::int64_t tab = column_measure(cx, current_buffer(cx)).tab;
    const std::int64_t tabs = target / tab - from / tab;
    if (tabs > 0) {
      TRY(insert_char_re(cx, '\t', tabs, kInsertInherit));
      at = target / tab * tab;
    }
  }
  TRY(insert_char_re(cx, ' ', target - at, kInsertInherit));
  return Value::fixnum(target);
}

}  // namespace

std::int64_t column_of(Context& cx, Buffer& b, Pos place) {
  return scan_columns(cx, b, line_start(b, place), place, std::int64_t{1} << 60).column;
}

NEOVM_PRIMITIVE(current_column, "current-column", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the column of point, counting widths of tabs, control and wide characters.")
(Context& cx) { return Value::fixnum(current_column(cx)); }

NEOVM_PRIMITIVE(current_indentation, "current-indentation", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the column of the first character of the line that is not blank.")
(Context& cx) {
  Buffer& b = current_buffer(cx);
  const std::int64_t tab = column_measure(cx, b).tab;
  std::int64_t column = 0;
  for (Pos p = line_start(b, b.point); p.chars < b.end.chars; p = b.text->next(p)) {
    const int c = b.text->char_at(p);
    if (c == ' ') {
      ++column;
    } else if (c == '\t') {
      column += tab - column % tab;
    } else {
      break;
    }
  }
  return Value::fixnum(column);
}

NEOVM_COMMAND(indent_to, "indent-to", 1, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
              "NIndent to column: ",
              "Indent with tabs and spaces to COLUMN, by at least MINIMUM; return the column reached.")
(Context& cx, Value column, Value minimum) {
  const std::int64_t target = TRY(fixnum_argument(cx, column));
  const std::int64_t least = minimum.is_nil() ? 0 : TRY(fixnum_argument(cx, minimum));
  return indent_to_re(cx, target, least);
}

NEOVM_COMMAND(move_to_column, "move-to-column", 1, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
              "NMove to column: ",
              "Move to COLUMN in the line; FORCE splits tabs and (t) extends short lines. Return the column reached.")
(Context& cx, Value column, Value force) {
  if (!column.is_natnum_fixnum()) return wrong_type(cx, Qwholenump, column);
  const std::int64_t goal = column.as_fixnum();
  Buffer& b = current_buffer(cx);
  const Scan s = scan_columns(cx, b, line_start(b, b.point), b.end, goal);
  set_point(b, s.pos);
  std::int64_t reached = s.column;
  if (force.truthy() && reached > goal && b.text->char_at(b.text->previous(s.pos)) == '\t' &&
      s.previous_column < goal) {
    // Spaces up to the goal, then a shorter indentation instead of the tab.
    set_point(b, b.text->previous(s.pos));
    TRY(insert_char_re(cx, ' ', goal - s.previous_column, kInsertInherit));
    const std::int64_t here = current_buffer(cx).point.chars;
    TRY(delete_region_re(cx, here, here + 1));
    TRY(indent_to_re(cx, reached, 0));
    Buffer& now = current_buffer(cx);
    set_point(now, clip(now, here));
    reached = goal;
  }
  if (reached < goal && force == Qt) {
    TRY(indent_to_re(cx, goal, 0));
    reached = goal;
  }
  return Value::fixnum(reached);
}

NEOVM_PRIMITIVE(line_number_display_width, "line-number-display-width", 0, 1, kWorkerSafe, kStateRead, kMayGc,
                kNoReentry, kDeterministic, "Return the columns that line numbers take in the selected window.")
(Context& cx, Value pixelwise) { return pixelwise == intern(cx, "columns") ? make_float(cx, 0.0) : Value::fixnum(0); }

}  // namespace neomacs::host
