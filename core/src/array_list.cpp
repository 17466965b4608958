#include "neovm/core/array_list.hpp"

#include <algorithm>
#include <cstring>

#include "neovm/abi/api.hpp"
#include "neovm/core/context.hpp"
#include "neovm/text/characters.hpp"

namespace neovm::core {

namespace {

constexpr std::int64_t kLeastRoom = 4;

std::int64_t room_of(Value list) {
  const Value items = slot_raw(list, kListItems);
  return items.is_nil() ? 0 : slot_count_raw(items);
}

// A list with room for so many, the first of which are those of FROM (an array list, or nil).
Value list_with_room(Context& cx, Value from, std::int64_t room) {
  const Value list = TRY(make_slots(cx, ObjectKind::kArrayList, kListSlotCount, kNil));
  set_slot_raw(list, kListLength, Value::fixnum(0));
  header_raw(list)->flags |= kOneHolder;
  if (room == 0) return list;
  const Value items = TRY(make_slots(cx, ObjectKind::kInternalSlots, room, kNil));
  set_slot_raw(list, kListItems, items);
  if (from.is_nil()) return list;
  const std::int64_t n = array_list_length(from);
  for (std::int64_t i = 0; i < n; ++i) set_slot_raw(items, i, array_list_item(from, i));
  set_slot_raw(list, kListLength, Value::fixnum(n));
  return list;
}

// LIST itself when it may grow in place, else a copy; either with room for MORE items. What is going to grow gets room to grow
// again, so that many appends cost a constant each.
Value growing(Context& cx, Value list, std::int64_t more, bool in_place) {
  const std::int64_t needed = array_list_length(list) + more;
  if (!in_place) return list_with_room(cx, list, needed);
  const std::int64_t wanted = std::max(needed + needed / 2, kLeastRoom);
  if (!has_one_holder(list)) return list_with_room(cx, list, wanted);
  if (needed <= room_of(list)) return list;
  const Value items = TRY(make_slots(cx, ObjectKind::kInternalSlots, wanted, kNil));
  const std::int64_t n = array_list_length(list);
  for (std::int64_t i = 0; i < n; ++i) set_slot_raw(items, i, array_list_item(list, i));
  set_slot_raw(list, kListItems, items);
  return list;
}

Maybe<std::int64_t> index_in(Context& cx, Value list, Value index) {
  if (!index.is_fixnum()) {
    if (!is_integer(index)) return wrong_type(cx, Qintegerp, index);
  } else if (index.as_fixnum() >= 0 && index.as_fixnum() < array_list_length(list)) {
    return index.as_fixnum();
  }
  return args_out_of_range(cx, list, index);
}

}  // namespace

Value make_array_list(Context& cx, std::span<const Value> items) {
  const auto n = static_cast<std::int64_t>(items.size());
  const Value list = TRY(list_with_room(cx, kNil, n));
  for (std::int64_t i = 0; i < n; ++i) {
    share(items[static_cast<std::size_t>(i)]);
    set_slot_raw(slot_raw(list, kListItems), i, items[static_cast<std::size_t>(i)]);
  }
  set_slot_raw(list, kListLength, Value::fixnum(n));
  return list;
}

Value array_list_append(Context& cx, Value list, Value item, bool in_place) {
  share(item);  // first: it may be LIST
  const Value result = TRY(growing(cx, list, 1, in_place));
  const std::int64_t n = array_list_length(result);
  set_slot_raw(slot_raw(result, kListItems), n, item);
  set_slot_raw(result, kListLength, Value::fixnum(n + 1));
  return result;
}

Value array_list_append_all(Context& cx, Value list, Value more, bool in_place) {
  const std::int64_t added = array_list_length(more);
  const Value result = TRY(growing(cx, list, added, in_place));
  const std::int64_t n = array_list_length(result);
  const Value items = slot_raw(result, kListItems);
  for (std::int64_t i = 0; i < added; ++i) set_slot_raw(items, n + i, array_list_item(more, i));
  set_slot_raw(result, kListLength, Value::fixnum(n + added));
  return result;
}

Value array_list_replace(Context& cx, Value list, Value index, Value item, bool in_place) {
  const std::int64_t i = TRY(index_in(cx, list, index));
  share(item);
  const Value result = TRY(growing(cx, list, 0, in_place));
  set_slot_raw(slot_raw(result, kListItems), i, item);
  return result;
}

Value array_list_at(Context& cx, Value list, Value index) {
  return array_list_item(list, TRY(index_in(cx, list, index)));
}

// ---- strings ---------------------------------------------------------------------------------------------------------

namespace {

std::int64_t bytes_above_ascii(Value s) {
  return std::count_if(string_data_raw(s), string_data_raw(s) + string_bytes(s),
                       [](std::uint8_t b) { return b >= 0x80; });
}

// Bytes that S takes in a string of the one kind or the other.
std::int64_t bytes_in(Value s, bool multibyte) {
  return string_bytes(s) + (multibyte && !string_multibyte(s) ? bytes_above_ascii(s) : 0);
}

// Returns the end of what it has written.
std::uint8_t* write_in(std::uint8_t* to, Value s, bool multibyte) {
  const std::uint8_t* const from = string_data_raw(s);
  const std::int64_t n = string_bytes(s);
  if (string_multibyte(s) || !multibyte) {
    std::memcpy(to, from, static_cast<std::size_t>(n));
    return to + n;
  }
  for (std::int64_t i = 0; i < n; ++i) to += text::encode_char(text::raw_byte_to_char(from[i]), to);
  return to;
}

// May S, which one variable holds, get more bytes behind those it has?
bool can_grow(Value s, bool multibyte) {
  const StringObject* o = string_raw(s);
  return (o->header.flags & (kOneHolder | kStringSharedBody | kStringExternalBody)) == kOneHolder &&
         o->header.aux == 0 && o->body.is_heap() && o->properties.is_nil() &&
         (string_multibyte(s) == multibyte || bytes_above_ascii(s) == 0);
}

}  // namespace

Value concat_strings(Context& cx, Value first, Value second, bool in_place) {
  const bool multibyte = string_multibyte(first) || string_multibyte(second);
  const std::int64_t added = bytes_in(second, multibyte);
  const std::int64_t chars = string_chars(first) + string_chars(second);
  if (in_place && can_grow(first, multibyte)) {
    StringObject* const o = string_raw(first);
    const std::int64_t total = o->bytes + added;
    const auto used = o->data - raw_bytes_raw(o->body)->bytes;
    if (used + total >= static_cast<std::int64_t>(raw_bytes_raw(o->body)->count)) {
      const Value body = TRY(make_raw(cx, ObjectKind::kRawBytes, total * 2 + 16));
      std::memcpy(raw_bytes_raw(body)->bytes, o->data, static_cast<std::size_t>(o->bytes));
      store(&o->body, body);
      o->data = raw_bytes_raw(body)->bytes;
    }
    // SECOND may be FIRST: nothing of it has changed so far.
    *write_in(o->data + o->bytes, second, multibyte) = 0;
    o->bytes = total;
    o->chars = chars;
    if (multibyte) o->header.flags |= kStringMultibyte;
    return first;
  }
  const Value s = TRY(make_string_raw(cx, chars, bytes_in(first, multibyte) + added, multibyte));
  if (string_bytes(s) == 0) return s;  // there is one only
  write_in(write_in(string_raw(s)->data, first, multibyte), second, multibyte);
  string_raw(s)->header.flags |= kOneHolder;
  return s;
}

}  // namespace neovm::core
