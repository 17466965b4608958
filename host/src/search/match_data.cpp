// match-data and set-match-data (search.c of GNU).
#include <vector>

#include "buffer/buffer.hpp"

namespace neomacs::host {
namespace {

Value position_value(Context& cx, Value where, std::int64_t charpos, bool integers) {
  if (integers || !is_buffer(where)) return Value::fixnum(charpos);
  Buffer& b = buffer_raw(where);
  if (!b.live) return make_marker(cx, nullptr, Pos{});
  const std::int64_t last = b.text->end().chars;
  return make_marker(cx, &b, b.text->at_char(std::min(std::max<std::int64_t>(charpos, 1), last)));
}

// A marker that points nowhere counts as 0.
Maybe<std::int64_t> match_position(Context& cx, Value v, Value* where) {
  if (is_marker(v)) {
    const Marker* m = marker_raw(v);
    if (m == nullptr) return 0;
    *where = m->buffer->self;
    return m->pos.chars;
  }
  return position_argument(cx, v);
}

}  // namespace

NEOVM_PRIMITIVE(match_data, "match-data", 0, 3, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return the positions of the last match as a list (START0 END0 START1 END1 …).\n"
                "They are markers after a search in a buffer, unless INTEGERS is non-nil: then the buffer comes last.\n"
                "REUSE is a list to store them in; with RESEAT its markers are detached first.")
(Context& cx, Value integers, Value reuse, Value reseat) {
  if (reseat.truthy()) {
    for (Value l = reuse; l.is_cons(); l = cdr_raw(l)) {
      TRY(check_quit(cx));
      if (!is_marker(car_raw(l))) continue;
      detach_marker(car_raw(l));
      set_car_raw(l, kNil);
    }
  }
  const MatchData& data = neovm::match_data(cx);
  if (data.last.is_nil()) return kNil;
  const bool numbers = integers.truthy() || data.last == Qt;
  int groups = 0;
  for (int i = 0; i < data.count; ++i)
    if (data.start[i] >= 0) groups = i + 1;
  std::vector<Value> items;
  for (int i = 0; i < groups; ++i) {
    if (data.start[i] < 0) {
      items.insert(items.end(), {kNil, kNil});
      continue;
    }
    items.push_back(position_value(cx, data.last, data.start[i], numbers));
    items.push_back(position_value(cx, data.last, data.end[i], numbers));
  }
  if (is_buffer(data.last) && integers.truthy()) items.push_back(data.last);
  if (!reuse.is_cons()) return list_from(cx, items);
  std::size_t i = 0;
  Value tail = reuse;
  for (Value l = reuse; l.is_cons(); l = cdr_raw(l), ++i) {
    TRY(check_quit(cx));
    set_car_raw(l, i < items.size() ? items[i] : kNil);
    tail = l;
  }
  if (i < items.size()) set_cdr_raw(tail, list_from(cx, std::span<const Value>(items).subspan(i)));
  return reuse;
}

NEOVM_PRIMITIVE(set_match_data, "set-match-data", 1, 2, kWorkerSafe, kStateWrite, kNoGc, kNoReentry, kDeterministic,
                "Make LIST, as `match-data' returns it, the match data. With RESEAT its markers are detached.")
(Context& cx, Value positions, Value reseat) {
  TRY(check_type(cx, positions.is_list(), Qlistp, positions));
  const std::int64_t groups = TRY(list_length(cx, positions))
  / 2;
  MatchData& data = neovm::match_data(cx);
  data.last = Qt;
  const auto detach = [&](Value cell) {
    if (!reseat.truthy() || !is_marker(car_raw(cell))) return;
    detach_marker(car_raw(cell));
    set_car_raw(cell, kNil);
  };
  const int room = static_cast<int>(std::min<std::int64_t>(groups, MatchData::kMaxGroups));
  int i = 0;
  Value l = positions;
  // Emacs keeps as many registers as it ever needed; the others count as not matched.
  for (; l.is_cons(); ++i) {
    const Value first = car_raw(l);
    if (is_buffer(first)) {
      data.last = first;
      break;
    }
    if (i >= room) break;
    data.start[i] = data.end[i] = -1;
    if (i >= data.count) data.count = i + 1;
    if (first.is_nil()) {
      l = cdr_raw(l);
      if (!l.is_cons()) break;
    } else {
      const std::int64_t from = TRY(match_position(cx, first, &data.last));
      detach(l);
      l = cdr_raw(l);
      if (!l.is_cons()) break;
      const std::int64_t to = TRY(match_position(cx, car_raw(l), &data.last));
      data.start[i] = from;
      data.end[i] = to;
      detach(l);
    }
    l = cdr_raw(l);
  }
  for (; i < data.count; ++i) data.start[i] = data.end[i] = -1;
  return kNil;
}

}  // namespace neomacs::host
