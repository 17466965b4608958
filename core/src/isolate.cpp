#include "neovm/core/isolate.hpp"

#include <algorithm>

#include "neovm/abi/api.hpp"
#include "neovm/core/context.hpp"
#include "neovm/text/characters.hpp"

namespace neovm {

namespace {

constexpr std::uint64_t kEmptyEntry = 0;  // fixnum 0 never names a symbol

// FNV-1a; names are short.
std::uint32_t hash_name(std::string_view name) {
  std::uint32_t h = 2166136261U;
  for (const char c : name) h = (h ^ static_cast<std::uint8_t>(c)) * 16777619U;
  return h | 1U;
}

}  // namespace

Isolate::Isolate(const IsolateOptions& options) : options_(options), heap_(*this, options.heap) {
  table_.assign(1 << 13, Value::from_bits(kEmptyEntry));
  buffer_slot_symbols.push_back(kNil);  // slot 0 of the locals is the alist
  const bool building = options_.building;
  options_.building = true;  // static symbols have ids, whatever follows
  for (const char* name : kStaticSymbolNames) add_symbol(name, hash_name(name));
  options_.building = building;
  cells(kNil).value = kNil;
  cells(kNil).flags |= kSymbolConstant | kSymbolSpecial;
  cells(Qt).value = Qt;
  cells(Qt).flags |= kSymbolConstant | kSymbolSpecial;
}

Isolate::~Isolate() {
  heap_.shut_down();
  for (Extension& e : extensions_)
    if (e.destroy != nullptr) e.destroy(e.state);
}

namespace {

// The name string of a new symbol. Built by hand: the isolate may have no context yet.
Value name_string(core::Heap& heap, std::string_view name) {
  bool ascii = true;
  for (const char c : name) ascii = ascii && static_cast<std::uint8_t>(c) < 0x80;
  const std::size_t n = name.size();
  ObjectHeader* body = heap.allocate(ObjectKind::kRawBytes, sizeof(ObjectHeader) + 8 + n + 1);
  auto* raw = reinterpret_cast<RawObject*>(body);
  raw->count = n + 1;
  std::copy(name.begin(), name.end(), reinterpret_cast<char*>(raw->bytes));
  raw->bytes[n] = 0;
  auto* s = reinterpret_cast<StringObject*>(heap.allocate(ObjectKind::kString, sizeof(StringObject)));
  s->header.flags = ascii ? 0 : kStringMultibyte;
  s->data = raw->bytes;
  s->bytes = static_cast<std::int64_t>(n);
  s->chars = ascii ? s->bytes : text::count_chars(raw->bytes, s->bytes);
  s->body = Value::pointer(body, Tag::kObject);
  s->properties = kNil;
  return Value::pointer(s, Tag::kString);
}

void initialize_cells(SymbolCells& c, Value name, std::uint32_t hash) {
  c.header = ObjectHeader{ObjectKind::kSymbol, 0, 0, 0, 0};
  c.value = kUnbound;
  c.function = kNil;
  c.plist = kNil;
  c.name = name;
  c.next = kNil;
  c.value_version = c.function_version = 0;
  c.flags = 0;
  c.redirect = kPlain;
  c.slot = 0;
  c.name_hash = hash;
  heap_map::mark_card(&c.name);
}

}  // namespace

Value make_heap_symbol(core::Heap& heap, Value name, std::uint32_t hash) {
  auto* c = reinterpret_cast<SymbolCells*>(heap.allocate(ObjectKind::kSymbol, sizeof(SymbolCells)));
  initialize_cells(*c, name, hash);
  return Value::pointer(c, Tag::kSymbol);
}

void Isolate::reserve_symbol_ids(std::uint32_t count) {
  while (cell_chunks_.size() << kCellChunkShift < count) cell_chunks_.push_back(heap_.allocate_cell_chunk());
  next_symbol_id_ = std::max(next_symbol_id_, count);
}

Value Isolate::add_symbol(std::string_view name, std::uint32_t hash) {
  Slot& empty = empty_objects[kEmptyUnibyte];
  if (name.empty() && empty.get().is_nil()) empty.set(name_string(heap_, name));
  const Value string = name.empty() ? empty.get() : name_string(heap_, name);
  Value symbol;
  if (options_.building) {
    const std::uint32_t id = next_symbol_id_;
    reserve_symbol_ids(id + 1);
    symbol = Value::symbol_id(id);
    initialize_cells(cells(symbol), string, hash);
  } else {
    symbol = make_heap_symbol(heap_, string, hash);
    table_has_young_ = true;
  }
  SymbolCells& c = cells(symbol);
  c.flags = kSymbolInterned;
  if (!name.empty() && name[0] == ':') {
    c.flags |= kSymbolKeyword | kSymbolSpecial;
    c.value = symbol;
    heap_map::mark_card(&c.value);
  }
  if ((table_used_ + 1) * 2 > table_.size()) grow_table();
  const std::size_t mask = table_.size() - 1;
  std::size_t i = hash & mask;
  while (table_[i].bits() != kEmptyEntry && !table_[i].is_unbound()) i = (i + 1) & mask;
  if (table_[i].bits() == kEmptyEntry) ++table_used_;
  table_[i] = symbol;
  ++symbol_total_;
  return symbol;
}

void Isolate::grow_table() {
  std::vector<Value> old;
  old.swap(table_);
  table_.assign(std::max(old.size() * 2, symbol_total_ * 4), Value::from_bits(kEmptyEntry));
  std::size_t size = 1;
  while (size < table_.size()) size *= 2;
  table_.resize(size, Value::from_bits(kEmptyEntry));
  table_used_ = 0;
  for (const Value v : old) {
    if (v.bits() == kEmptyEntry || v.is_unbound()) continue;
    std::size_t i = cells(v).name_hash & (size - 1);
    while (table_[i].bits() != kEmptyEntry) i = (i + 1) & (size - 1);
    table_[i] = v;
    ++table_used_;
  }
}

Value Isolate::find_symbol(std::string_view name) {
  const std::uint32_t hash = hash_name(name);
  const std::size_t mask = table_.size() - 1;
  for (std::size_t i = hash & mask; table_[i].bits() != kEmptyEntry; i = (i + 1) & mask) {
    if (table_[i].is_unbound()) continue;
    const SymbolCells& c = cells(table_[i]);
    if (c.name_hash == hash && string_view_of(c.name) == name) return table_[i];
  }
  return kUnbound;
}

Value Isolate::intern(std::string_view name, bool* created) {
  const Value found = find_symbol(name);
  if (created != nullptr) *created = found.is_unbound();
  return found.is_unbound() ? add_symbol(name, hash_name(name)) : found;
}

bool Isolate::unintern(Value symbol) {
  const std::size_t mask = table_.size() - 1;
  for (std::size_t i = cells(symbol).name_hash & mask; table_[i].bits() != kEmptyEntry; i = (i + 1) & mask) {
    if (table_[i] != symbol) continue;
    table_[i] = kUnbound;  // tombstone
    cells(symbol).flags &= static_cast<std::uint16_t>(~kSymbolInterned);
    --symbol_total_;
    return true;
  }
  return false;
}

void Isolate::each_symbol(void (*fn)(void* data, Value symbol), void* data) {
  for (const Value v : table_)
    if (v.bits() != kEmptyEntry && !v.is_unbound()) fn(data, v);
}

void Isolate::rebuild_symbol_table() {
  table_.assign(table_.size(), Value::from_bits(kEmptyEntry));
  symbol_total_ = table_used_ = 0;
  for (std::uint32_t id = 0; id < next_symbol_id_; ++id) {
    const Value symbol = Value::symbol_id(id);
    SymbolCells& c = cells(symbol);
    if ((c.flags & kSymbolInterned) == 0) continue;
    if ((table_used_ + 1) * 2 > table_.size()) grow_table();
    const std::size_t mask = table_.size() - 1;
    std::size_t i = c.name_hash & mask;
    while (table_[i].bits() != kEmptyEntry) i = (i + 1) & mask;
    table_[i] = symbol;
    ++table_used_;
    ++symbol_total_;
  }
}

void Isolate::trace_roots(Tracer& t) {
  for (Value& v : table_) t.visit(&v);
  trace_without_table(t);
}

void Isolate::trace_roots_minor(Tracer& t) {
  if (table_has_young_)
    for (Value& v : table_) t.visit(&v);
  table_has_young_ = false;
  trace_without_table(t);
}

void Isolate::trace_without_table(Tracer& t) {
  main_obarray.trace(t);
  for (Slot& slot : empty_objects) slot.trace(t);
  t.visit(&standard_tables_.syntax);
  t.visit(&standard_tables_.category);
  t.visit(&standard_tables_.downcase);
  for (Extension& e : extensions_)
    if (e.trace != nullptr) e.trace(e.state, t);
  if (guest_hooks_.trace != nullptr) guest_hooks_.trace(*this, t);
  for (Context* cx : contexts_) cx->trace(t);
}

HostHooks& host_hooks(Context& cx) { return cx.isolate().host_hooks(); }
CurrentTables& standard_tables(Context& cx) { return cx.isolate().standard_tables(); }
void set_extension(Context& cx, ExtensionId id, Extension e) {
  Extension& old = cx.isolate().extension(id);
  if (old.destroy != nullptr) old.destroy(old.state);
  old = e;
}
void* extension_state(Context& cx, ExtensionId id) { return cx.isolate().extension(id).state; }

Value intern(Context& cx, std::string_view name) { return cx.isolate().intern(name); }
Value intern_soft(Context& cx, std::string_view name) { return cx.isolate().find_symbol(name); }
Value symbol_name(Context& cx, Value symbol) { return cx.cells(symbol).name; }
std::string_view symbol_name_view(Context& cx, Value symbol) { return string_view_of(cx.cells(symbol).name); }

}  // namespace neovm
