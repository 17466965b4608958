#include "neovm/abi/alloc.hpp"

#include <cstring>

#include "neovm/abi/api.hpp"
#include "neovm/core/context.hpp"
#include "neovm/text/characters.hpp"

namespace neovm {

Value make_heap_symbol(core::Heap& heap, Value name, std::uint32_t hash);  // isolate.cpp

Value cons(Context& cx, Value car, Value cdr) {
  Cons* c = cx.heap().allocate_cons();
  c->car = car;
  c->cdr = cdr;
  return Value::pointer(c, Tag::kCons);
}

Value make_float(Context& cx, double d) {
  auto* f = reinterpret_cast<FloatObject*>(cx.heap().allocate(ObjectKind::kFloat, sizeof(FloatObject)));
  f->value = d;
  return Value::pointer(f, Tag::kFloat);
}

Value list(Context& cx, std::initializer_list<Value> items) {
  return list_from(cx, std::span<const Value>(items.begin(), items.size()));
}

Value list_from(Context& cx, std::span<const Value> items, Value tail) {
  for (std::size_t i = items.size(); i-- > 0;) tail = cons(cx, items[i], tail);
  return tail;
}

Value ensure_memory(Context& cx, std::uint64_t bytes) {
  if (!cx.heap().fits(bytes)) return signal_memory_full(cx);
  return kNil;
}

Value make_slots(Context& cx, ObjectKind kind, std::int64_t count, Value fill) {
  if (count < 0 || count > (std::int64_t{1} << 40)) return signal_memory_full(cx);
  const bool empty_vector = count == 0 && kind == ObjectKind::kVector;
  Slot& empty = cx.isolate().empty_objects[Isolate::kEmptyVector];
  if (empty_vector && !empty.get().is_nil()) return empty.get();
  const auto n = static_cast<std::uint64_t>(count);
  ObjectHeader* h = cx.heap().allocate(kind, sizeof(ObjectHeader) + 8 + n * sizeof(Value));
  if (h == nullptr) return signal_memory_full(cx);
  auto* o = reinterpret_cast<SlotsObject*>(h);
  o->count = n;
  for (std::uint64_t i = 0; i < n; ++i) o->slots[i] = fill;
  if (kind == ObjectKind::kFinalizer) cx.heap().watch(h);
  if (empty_vector) empty.set(Value::pointer(h, Tag::kObject));
  return Value::pointer(h, Tag::kObject);
}

Value make_vector(Context& cx, std::int64_t count, Value fill) {
  return make_slots(cx, ObjectKind::kVector, count, fill);
}

Value make_vector_from(Context& cx, std::span<const Value> items) {
  const Value v = TRY(make_vector(cx, static_cast<std::int64_t>(items.size()), kNil));
  for (std::size_t i = 0; i < items.size(); ++i) store_init_raw(&slots_raw(v)->slots[i], items[i]);
  if (items.size() * sizeof(Value) > core::kLargeObjectBytes / 2)  // a large object may be old at once
    for (std::size_t i = 0; i < items.size(); ++i) heap_map::mark_card(&slots_raw(v)->slots[i]);
  return v;
}

Value make_raw(Context& cx, ObjectKind kind, std::int64_t bytes) {
  if (bytes < 0 || bytes > (std::int64_t{1} << 42)) return signal_memory_full(cx);
  ObjectHeader* h = cx.heap().allocate(kind, sizeof(ObjectHeader) + 8 + static_cast<std::size_t>(bytes));
  if (h == nullptr) return signal_memory_full(cx);
  auto* o = reinterpret_cast<RawObject*>(h);
  o->count = static_cast<std::uint64_t>(bytes);
  std::memset(o->bytes, 0, static_cast<std::size_t>(bytes));
  return Value::pointer(h, Tag::kObject);
}

Value make_string_raw(Context& cx, std::int64_t chars, std::int64_t bytes, bool multibyte) {
  if (bytes < 0 || bytes > (std::int64_t{1} << 42)) return signal_memory_full(cx);
  Slot& empty = cx.isolate().empty_objects[multibyte ? Isolate::kEmptyMultibyte : Isolate::kEmptyUnibyte];
  if (bytes == 0 && !empty.get().is_nil()) return empty.get();
  ObjectHeader* body =
      cx.heap().allocate(ObjectKind::kRawBytes, sizeof(ObjectHeader) + 8 + static_cast<std::size_t>(bytes) + 1);
  if (body == nullptr) return signal_memory_full(cx);
  auto* raw = reinterpret_cast<RawObject*>(body);
  raw->count = static_cast<std::uint64_t>(bytes) + 1;
  raw->bytes[bytes] = 0;
  auto* s = reinterpret_cast<StringObject*>(cx.heap().allocate(ObjectKind::kString, sizeof(StringObject)));
  s->header.flags = multibyte ? kStringMultibyte : 0;
  s->data = raw->bytes;
  s->chars = chars;
  s->bytes = bytes;
  s->body = Value::pointer(body, Tag::kObject);
  s->properties = kNil;
  if (bytes == 0) empty.set(Value::pointer(s, Tag::kString));
  return Value::pointer(s, Tag::kString);
}

Value make_unibyte_string(Context& cx, std::string_view bytes) {
  const auto n = static_cast<std::int64_t>(bytes.size());
  const Value s = TRY(make_string_raw(cx, n, n, false));
  std::memcpy(string_raw(s)->data, bytes.data(), bytes.size());
  return s;
}

Value make_multibyte_string(Context& cx, std::string_view bytes, std::int64_t chars) {
  const auto n = static_cast<std::int64_t>(bytes.size());
  if (chars < 0) chars = text::count_chars(reinterpret_cast<const std::uint8_t*>(bytes.data()), n);
  const Value s = TRY(make_string_raw(cx, chars, n, true));
  std::memcpy(string_raw(s)->data, bytes.data(), bytes.size());
  return s;
}

Value make_string(Context& cx, std::string_view utf8) {
  bool ascii = true;
  for (const char c : utf8) ascii = ascii && static_cast<std::uint8_t>(c) < 0x80;
  if (ascii) return make_unibyte_string(cx, utf8);
  std::string internal;
  internal.reserve(utf8.size() + 8);
  const auto* p = reinterpret_cast<const std::uint8_t*>(utf8.data());
  const auto n = static_cast<std::int64_t>(utf8.size());
  for (std::int64_t i = 0; i < n;) {
    const int length = text::valid_sequence_length(p + i, n - i, false);
    if (length > 0) {
      internal.append(utf8.substr(static_cast<std::size_t>(i), static_cast<std::size_t>(length)));
      i += length;
    } else {
      std::uint8_t out[text::kMaxBytesPerChar];
      const int k = text::encode_char(text::raw_byte_to_char(p[i]), out);
      internal.append(reinterpret_cast<const char*>(out), static_cast<std::size_t>(k));
      ++i;
    }
  }
  return make_multibyte_string(cx, internal);
}

Value make_symbol(Context& cx, Value name) {
  std::uint32_t h = 2166136261U;
  for (const char c : string_view_of(name)) h = (h ^ static_cast<std::uint8_t>(c)) * 16777619U;
  return make_heap_symbol(cx.heap(), name, h | 1U);
}

Value make_host_object(Context& cx, const HostType* type) {
  const std::size_t bytes =
      sizeof(ObjectHeader) + sizeof(void*) + type->slot_count * sizeof(Value) + type->payload_bytes;
  auto* o = reinterpret_cast<HostObject*>(cx.heap().allocate(ObjectKind::kHost, bytes));
  o->type = type;
  for (int i = 0; i < type->slot_count; ++i) o->slots[i] = kNil;
  std::memset(static_cast<void*>(&o->slots[type->slot_count]), 0, type->payload_bytes);
  if (type->finalize != nullptr || type->trace != nullptr) cx.heap().watch(&o->header);
  return Value::pointer(o, Tag::kObject);
}

}  // namespace neovm
