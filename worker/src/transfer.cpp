// The two directions of a transfer.
//
// Encoding. Conses are numbered in the order they are met, along their cdrs first, so that a list is a row; objects
// lie one behind the other in 16-byte granules. A word in the message is what it is in a heap, except for references:
//   cons      number << 3 | 1
//   object    granule << 3 | tag
//   symbol    2^32 + (granule << 3 | 3)   (words below 2^32 are symbol ids)
// Whatever has fields waits in `pending_`; nothing recurses. An object item begins with its header, then the object's own
// layout. Items that are not copies of objects: a string is followed by its bytes (or refers to a body), a symbol's
// name has kind kForwarded and its length, a host object holds the index of its reference.
//
// Decoding. First every object is allocated and copied, and its granule in the message is overwritten by the new
// word; then conses are taken in runs; then fields are translated. Nothing can collect in between (R1).
#include "neovm/worker/transfer.hpp"

#include <cstring>

#include "core.hpp"
#include "neovm/abi/api.hpp"
#include "neovm/core/hash_chains.hpp"

namespace neovm::worker {

namespace {

constexpr std::uint64_t kConsesPerBlock = heap_map::kBlockSize / sizeof(Cons);

std::size_t granule_words(std::size_t bytes) { return ((bytes + 15) & ~std::size_t{15}) / 8; }

bool has_slots(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kInternalSlots:
    case ObjectKind::kVector:
    case ObjectKind::kRecord:
    case ObjectKind::kByteCode:
    case ObjectKind::kCharTable:
    case ObjectKind::kSubCharTable:
    case ObjectKind::kHashTable:
    case ObjectKind::kArrayList: return true;
    default: return false;
  }
}

ObjectHeader header_of(std::uint64_t word) {
  ObjectHeader h;
  std::memcpy(&h, &word, sizeof h);
  return h;
}
std::uint64_t word_of(const ObjectHeader& h) {
  std::uint64_t word;
  std::memcpy(&word, &h, sizeof word);
  return word;
}

}  // namespace

// ---- sending ----------------------------------------------------------------------------------------------------

class Encoder {
 public:
  Encoder(Transfer& t, Context& cx, const TransferOptions& options, Fragment& f)
      : t_(t), cx_(cx), f_(f), max_words_(options.max_bytes / 8) {
    const bool image = options.same_image && cx.isolate().image_token != 0;
    if (image) f_.image_token = cx.isolate().image_token;
    const std::uint64_t ids = image ? cx.isolate().image_symbols : kStaticSymbolCount;
    id_limit_ = ids << Value::kTagBits;
  }

  TransferStatus run(Value root) {
    std::uint64_t word = encode(root);
    while (!t_.pending_.empty() && status_ == TransferStatus::kOk) {
      const std::uint64_t next = t_.pending_.back();
      t_.pending_.pop_back();
      if ((next & 1) == 0) {
        const auto* source = reinterpret_cast<const Cons*>(t_.cons_sources_[next >> 1]);
        const std::uint64_t car = encode(source->car);
        f_.conses[next] = car;
      } else {
        fields(next >> 1);
      }
    }
    t_.pending_.clear();
    t_.id_symbols_.clear();
    f_.root = word;
    f_.cons_count = conses_;
    f_.object_words = words_;
    if (conses_ * 2 + words_ > max_words_ && status_ == TransferStatus::kOk) status_ = TransferStatus::kTooLarge;
    return status_;
  }

 private:
  std::uint64_t encode(Value v) {
    if (!v.is_heap()) return encode_plain(v);
    return v.is_cons() ? encode_cons(v.bits() - 1) : encode_object(v);
  }

  std::uint64_t encode_plain(Value v) {
    if (v.has_tag(Tag::kSymbol) && v.bits() >= id_limit_) [[unlikely]]
      return encode_id_symbol(v);
    return v.bits();
  }

  static std::uint64_t cons_word(std::uint64_t number) { return number << 3 | 1; }

  bool met_cons(std::uint64_t address, std::uint32_t position) {
    return position < conses_ && t_.cons_sources_[position] == address;
  }

  void more_conses() {
    if (conses_ * 2 + words_ > max_words_ || conses_ > 0xfffffff0U) status_ = TransferStatus::kTooLarge;
    t_.cons_sources_.reserve(conses_ * 2 + 64);
    f_.conses.reserve((conses_ * 2 + 64) * 2);
    room_ = std::min(t_.cons_sources_.capacity(), f_.conses.capacity() / 2);
  }

  // The cons at `address`, and those after it along the cdrs.
  std::uint64_t encode_cons(std::uint64_t address) {
    std::uint32_t* position = t_.position_of(address);
    if (met_cons(address, *position)) return cons_word(*position);
    const std::uint64_t first = conses_;
    for (;;) {
      if (conses_ >= room_) [[unlikely]] {
        more_conses();
        if (status_ != TransferStatus::kOk) return Value::kNilBits;
      }
      const std::size_t number = conses_++;
      *position = static_cast<std::uint32_t>(number);
      t_.cons_sources_[number] = address;
      const auto* c = reinterpret_cast<const Cons*>(address);
      const Value car = c->car;
      const Value cdr = c->cdr;
      if (!car.is_heap()) {
        f_.conses[2 * number] = encode_plain(car);
      } else {
        t_.pending_.push_back(number << 1);
      }
      if (!cdr.is_cons()) {
        const std::uint64_t end = cdr.is_heap() ? encode_object(cdr) : encode_plain(cdr);
        f_.conses[2 * number + 1] = end;
        break;
      }
      address = cdr.bits() - 1;
      position = t_.position_of(address);
      if (met_cons(address, *position)) {
        f_.conses[2 * number + 1] = cons_word(*position);
        break;
      }
      f_.conses[2 * number + 1] = cons_word(number + 1);
    }
    return cons_word(first);
  }

  // Room for an item; its offset in words. Zero words (the root's own) never happen to be an item: it may be 0.
  std::uint64_t add_item(std::size_t words) {
    const std::uint64_t at = words_;
    if (words > max_words_ || conses_ * 2 + words_ + words > max_words_) {
      status_ = TransferStatus::kTooLarge;
      return kNoItem;
    }
    f_.objects.reserve(words_ + words);
    words_ += words;
    return at;
  }

  static std::uint64_t object_word(std::uint64_t offset, Tag tag) {
    const std::uint64_t word = (offset / 2) << 3 | static_cast<std::uint64_t>(tag);
    return tag == Tag::kSymbol ? word + Value::kSymbolIdLimit : word;
  }

  std::uint64_t encode_object(Value v) {
    const std::uint64_t address = v.bits() & ~Value::kTagMask;
    std::uint32_t* const position = t_.position_of(address);
    const std::uint32_t p = *position;
    if (p < objects_ && t_.object_sources_[2 * p] == address)
      return object_word(t_.object_sources_[2 * p + 1], v.tag());
    const std::uint64_t at = copy(v);
    if (at == kNoItem) return Value::kNilBits;
    t_.object_sources_.reserve(2 * objects_ + 2);
    *position = static_cast<std::uint32_t>(objects_);
    t_.object_sources_[2 * objects_] = address;
    t_.object_sources_[2 * objects_ + 1] = at;
    ++objects_;
    return object_word(at, v.tag());
  }

  std::uint64_t refuse() {
    status_ = TransferStatus::kCannotTravel;
    return kNoItem;
  }

  // An item with the first `bytes` of the object, its header cleaned of what is the collector's.
  std::uint64_t copy_bytes(const void* from, std::size_t bytes) {
    const std::uint64_t at = add_item(granule_words(bytes));
    if (at == kNoItem) return at;
    std::memcpy(&f_.objects[at], from, bytes);
    ObjectHeader h = header_of(f_.objects[at]);
    h.gc = 0;
    if (h.kind == ObjectKind::kByteCode) h.flags = h.aux = 0;  // a guest's own marks, good in one isolate only
    if (h.kind == ObjectKind::kArrayList) h.flags = 0;         // the message may hold it twice
    f_.objects[at] = word_of(h);
    return at;
  }

  void wait(std::uint64_t at) { t_.pending_.push_back(at << 1 | 1); }

  std::uint64_t copy(Value v) {
    const ObjectHeader* h = header_raw(v);
    switch (h->kind) {
      case ObjectKind::kFloat: return copy_bytes(h, sizeof(FloatObject));
      case ObjectKind::kString: return copy_string(v);
      case ObjectKind::kSymbol: return copy_symbol(*v.as_pointer<SymbolCells>());
      case ObjectKind::kRawBytes:
      case ObjectKind::kBignum:
      case ObjectKind::kBoolVector: return copy_bytes(h, 16 + reinterpret_cast<const RawObject*>(h)->count);
      case ObjectKind::kSubr: return copy_bytes(h, sizeof(SubrObject));
      case ObjectKind::kHost: return copy_host(v);
      default: break;
    }
    if (!has_slots(h->kind)) return refuse();
    const auto* o = reinterpret_cast<const SlotsObject*>(h);
    if (h->kind == ObjectKind::kVector && (h->flags & kVectorMainObarray) != 0) {
      const std::uint64_t at = copy_bytes(h, 16);
      if (at != kNoItem) f_.objects[at + 1] = 0;
      return at;
    }
    const std::uint64_t at = copy_bytes(h, 16 + o->count * sizeof(Value));
    if (at != kNoItem) wait(at);
    return at;
  }

  std::uint64_t copy_string(Value v) {
    StringObject* s = string_raw(v);
    if (s->bytes >= kMovedStringBytes && (s->header.flags & kStringExternalBody) == 0) share_body(s);
    const bool shared = (s->header.flags & kStringExternalBody) != 0;
    const std::size_t inline_bytes = shared ? 0 : static_cast<std::size_t>(s->bytes) + 1;
    const std::uint64_t at = add_item(sizeof(StringObject) / 8 + granule_words(inline_bytes));
    if (at == kNoItem) return at;
    StringObject item = *s;
    item.header.gc = 0;
    item.header.flags &= kStringMultibyte | kStringExternalBody;
    item.body = kNil;
    std::memcpy(&f_.objects[at], static_cast<const void*>(&item), sizeof item);
    if (shared) {
      auto* body = reinterpret_cast<ExternalBody*>(s->data) - 1;
      retain(body);
      f_.bodies.push_back(body);
      f_.moved_bytes += static_cast<std::uint64_t>(s->bytes);
    } else {
      std::memcpy(&f_.objects[at + sizeof(StringObject) / 8], s->data, inline_bytes);
    }
    if (s->properties.is_heap()) wait(at);
    return at;
  }

  // Gives a string a body that isolates can share; without memory it keeps the one it has.
  void share_body(StringObject* s) {
    ExternalBody* body = make_external_body(static_cast<std::size_t>(s->bytes));
    if (body == nullptr) return;
    std::memcpy(body->data(), s->data, static_cast<std::size_t>(s->bytes));
    s->data = body->data();
    s->body = kNil;  // an immediate: no card
    s->header.flags &= static_cast<std::uint8_t>(~kStringSharedBody);
    s->header.flags |= kStringExternalBody;
    cx_.heap().note_external_string(s);
  }

  std::uint64_t copy_symbol(const SymbolCells& cells) {
    if ((cells.flags & kSymbolInterned) != 0) return copy_name(cells.name);
    const std::uint64_t at = copy_bytes(&cells, sizeof cells);
    if (at != kNoItem) wait(at);
    return at;
  }

  std::uint64_t copy_name(Value name) {
    const std::string_view text = string_view_of(name);
    const std::uint64_t at = add_item(2 + granule_words(text.size()));
    if (at == kNoItem) return at;
    f_.objects[at] = word_of(ObjectHeader{ObjectKind::kForwarded, 0, 0, 0, 0});
    f_.objects[at + 1] = text.size();
    std::memcpy(&f_.objects[at + 2], text.data(), text.size());
    return at;
  }

  // A symbol that the receiver may know by another id, or not at all.
  std::uint64_t encode_id_symbol(Value v) {
    const std::uint32_t id = v.as_symbol_id();
    if (const auto it = t_.id_symbols_.find(id); it != t_.id_symbols_.end())
      return object_word(it->second, Tag::kSymbol);
    const std::uint64_t at = copy_symbol(cx_.cells(v));
    if (at == kNoItem) return Value::kNilBits;
    t_.id_symbols_.emplace(id, at);
    return object_word(at, Tag::kSymbol);
  }

  std::uint64_t copy_host(Value v) {
    const auto* o = v.as_pointer<const HostObject>();
    const TravelHooks* hooks = o->type->travel;
    if (hooks == nullptr) return refuse();
    void* reference = hooks->send(cx_, v);
    if (reference == nullptr) return refuse();
    f_.travellers.push_back({hooks, reference});
    const std::uint64_t at = add_item(2);
    if (at == kNoItem) return at;
    f_.objects[at] = word_of(ObjectHeader{ObjectKind::kHost, 0, 0, 0, 0});
    f_.objects[at + 1] = f_.travellers.size() - 1;
    return at;
  }

  void field(std::uint64_t at) {
    const Value v = Value::from_bits(f_.objects[at]);
    const std::uint64_t word = encode(v);
    f_.objects[at] = word;
  }

  void fields(std::uint64_t at) {
    switch (header_of(f_.objects[at]).kind) {
      case ObjectKind::kString: field(at + offsetof(StringObject, properties) / 8); return;
      case ObjectKind::kSymbol:
        field(at + offsetof(SymbolCells, value) / 8);
        field(at + offsetof(SymbolCells, function) / 8);
        field(at + offsetof(SymbolCells, plist) / 8);
        field(at + offsetof(SymbolCells, name) / 8);
        field(at + offsetof(SymbolCells, next) / 8);
        return;
      default: {
        const std::uint64_t end = at + 2 + f_.objects[at + 1];
        for (std::uint64_t i = at + 2; i < end && status_ == TransferStatus::kOk; ++i) field(i);
      }
    }
  }

  static constexpr std::uint64_t kNoItem = ~std::uint64_t{0};
  Transfer& t_;
  Context& cx_;
  Fragment& f_;
  std::size_t max_words_;
  std::uint64_t id_limit_;
  std::size_t conses_ = 0;
  std::size_t room_ = 0;
  std::size_t objects_ = 0;
  std::size_t words_ = 0;
  TransferStatus status_ = TransferStatus::kOk;
};

// ---- receiving --------------------------------------------------------------------------------------------------

class Decoder {
 public:
  Decoder(Transfer& t, Context& cx, Fragment& f) : t_(t), cx_(cx), f_(f) {}

  Value run() {
    if (!take_objects()) {
      neutralize();
      return kExit;
    }
    take_conses();
    fill_conses();
    for (ObjectHeader* h : t_.fields_) fill(h);
    for (const Value table : t_.tables_to_hash_) core::rehash(cx_, table);
    return Value::from_bits(translate(f_.root));
  }

 private:
  [[nodiscard]] std::uint64_t translate(std::uint64_t word) {
    if ((word & 3) == 0) return word;
    switch (static_cast<Tag>(word & Value::kTagMask)) {
      case Tag::kCons: return cons_at(word >> 3);
      case Tag::kImmediate: return word;
      case Tag::kSymbol:
        if (word < Value::kSymbolIdLimit) return word;
        word -= Value::kSymbolIdLimit;
        [[fallthrough]];
      default: return f_.objects[(word >> 3) * 2];
    }
  }

  // The tagged word of a cons by its number: the first run, then whole blocks.
  [[nodiscard]] std::uint64_t cons_at(std::uint64_t number) const {
    if (number < first_count_) [[likely]]
      return reinterpret_cast<std::uint64_t>(first_ + number) | 1;
    number -= first_count_;
    return reinterpret_cast<std::uint64_t>(t_.later_conses_[number / kConsesPerBlock] + number % kConsesPerBlock) | 1;
  }

  void take_conses() {
    std::size_t left = f_.cons_count;
    if (left == 0) return;
    first_ = cx_.heap().allocate_conses(left, &first_count_);
    left -= first_count_;
    while (left != 0) {  // a run that is not the last one fills its block
      std::size_t got = 0;
      t_.later_conses_.push_back(cx_.heap().allocate_conses(left, &got));
      left -= got;
    }
  }

  void fill_conses() {
    const std::uint64_t* from = f_.conses.data();
    from = fill_run(first_, first_count_, from);
    std::size_t left = f_.cons_count - first_count_;
    for (Cons* run : t_.later_conses_) {
      const std::size_t count = std::min<std::size_t>(left, kConsesPerBlock);
      from = fill_run(run, count, from);
      left -= count;
    }
  }
  const std::uint64_t* fill_run(Cons* to, std::size_t count, const std::uint64_t* from) {
    for (Cons* const end = to + count; to != end; ++to, from += 2) {
      to->car = Value::from_bits(translate(from[0]));
      to->cdr = Value::from_bits(translate(from[1]));
    }
    return from;
  }

  bool take_objects() {
    std::uint64_t* const words = f_.objects.data();
    for (std::size_t at = 0; at < f_.object_words;) {
      const ObjectHeader h = header_of(words[at]);
      std::size_t size = 0;  // of the item, in words
      const Value v = take_object(h, at, &size);
      if (v.is_exit()) return false;
      words[at] = v.bits();
      at += size;
    }
    return true;
  }

  // Null: no memory.
  ObjectHeader* allocate(const ObjectHeader& h, std::size_t bytes) {
    ObjectHeader* to = cx_.heap().allocate(h.kind, bytes);
    if (to == nullptr) signal_memory_full(cx_);
    return to;
  }

  Value take_object(const ObjectHeader& h, std::size_t at, std::size_t* size) {
    std::uint64_t* const item = &f_.objects[at];
    switch (h.kind) {
      case ObjectKind::kForwarded:
        *size = 2 + granule_words(item[1]);
        return cx_.isolate().intern({reinterpret_cast<const char*>(item + 2), static_cast<std::size_t>(item[1])});
      case ObjectKind::kString: return take_string(item, size);
      case ObjectKind::kSubr: *size = 2; return take_subr(item);
      case ObjectKind::kHost: *size = 2; return take_traveller(item[1]);
      case ObjectKind::kFloat: *size = 2; break;
      case ObjectKind::kSymbol: *size = sizeof(SymbolCells) / 8; break;
      case ObjectKind::kRawBytes:
      case ObjectKind::kBignum:
      case ObjectKind::kBoolVector: *size = granule_words(16 + item[1]); break;
      default:
        *size = granule_words(16 + item[1] * 8);
        if (h.kind == ObjectKind::kVector && (h.flags & kVectorMainObarray) != 0)
          return cx_.isolate().main_obarray.get();
        if (h.kind == ObjectKind::kVector && item[1] == 0) return make_vector(cx_, 0, kNil);  // there is one only
    }
    ObjectHeader* to = allocate(h, *size * 8);
    if (to == nullptr) return kExit;
    std::memcpy(static_cast<void*>(to), item, *size * 8);
    if (h.kind == ObjectKind::kFloat) return Value::pointer(to, Tag::kFloat);
    if (h.kind == ObjectKind::kSymbol) {
      t_.fields_.push_back(to);
      return Value::pointer(to, Tag::kSymbol);
    }
    const Value v = Value::pointer(to, Tag::kObject);
    if (has_slots(h.kind)) t_.fields_.push_back(to);
    if (h.kind == ObjectKind::kHashTable) t_.tables_to_hash_.push_back(v);
    return v;
  }

  Value take_string(std::uint64_t* item, std::size_t* size) {
    const auto* from = reinterpret_cast<const StringObject*>(item);
    const bool shared = (from->header.flags & kStringExternalBody) != 0;
    const std::size_t inline_bytes = shared ? 0 : static_cast<std::size_t>(from->bytes) + 1;
    *size = sizeof(StringObject) / 8 + granule_words(inline_bytes);
    if (from->bytes == 0) return make_string_raw(cx_, 0, 0, (from->header.flags & kStringMultibyte) != 0);  // likewise
    RawObject* body = nullptr;
    if (!shared) {
      body = reinterpret_cast<RawObject*>(allocate(ObjectHeader{ObjectKind::kRawBytes, 0, 0, 0, 0}, 16 + inline_bytes));
      if (body == nullptr) return kExit;
      body->count = inline_bytes;
      std::memcpy(body->bytes, item + sizeof(StringObject) / 8, inline_bytes);
    }
    auto* s = reinterpret_cast<StringObject*>(allocate(from->header, sizeof(StringObject)));
    std::memcpy(static_cast<void*>(s), item, sizeof(StringObject));
    if (shared) {
      // Bodies were gathered in the order of the items: this one's reference is now the heap's.
      ++bodies_taken_;
      cx_.heap().note_external_string(s);
    } else {
      s->data = body->bytes;
      s->body = Value::pointer(body, Tag::kObject);
    }
    if ((s->properties.bits() & 3) != 0 && !s->properties.has_tag(Tag::kImmediate)) t_.fields_.push_back(&s->header);
    return Value::pointer(s, Tag::kString);
  }

  // The receiver's own subr where its name still has it, so that `eq` holds.
  Value take_subr(std::uint64_t* item) {
    const auto* from = reinterpret_cast<const SubrObject*>(item);
    const Value symbol = cx_.isolate().find_symbol(from->descriptor->name);
    if (!symbol.is_unbound()) {
      const Value own = cx_.cells(symbol).function;
      if (is_subr(own) && own.as_pointer<SubrObject>()->descriptor == from->descriptor) return own;
    }
    ObjectHeader* to = allocate(from->header, sizeof(SubrObject));
    std::memcpy(static_cast<void*>(to), item, sizeof(SubrObject));
    return Value::pointer(to, Tag::kObject);
  }

  Value take_traveller(std::uint64_t index) {
    Fragment::Traveller& t = f_.travellers[index];
    travellers_taken_ = index + 1;
    return t.hooks->receive(cx_, t.reference);
  }

 public:
  // What has been handed to the heap is no longer the message's.
  void settle_references() {
    f_.bodies.erase(f_.bodies.begin(), f_.bodies.begin() + static_cast<std::ptrdiff_t>(bodies_taken_));
    f_.travellers.erase(f_.travellers.begin(), f_.travellers.begin() + static_cast<std::ptrdiff_t>(travellers_taken_));
  }

 private:
  void fill_field(Value* field) { *field = Value::from_bits(translate(field->bits())); }

  void fill(ObjectHeader* h) {
    switch (h->kind) {
      case ObjectKind::kString: fill_field(&reinterpret_cast<StringObject*>(h)->properties); return;
      case ObjectKind::kSymbol: {
        auto* c = reinterpret_cast<SymbolCells*>(h);
        for (Value* field : {&c->value, &c->function, &c->plist, &c->name, &c->next}) fill_field(field);
        return;
      }
      default: {
        auto* o = reinterpret_cast<SlotsObject*>(h);
        const bool large = 16 + o->count * sizeof(Value) > core::kLargeObjectBytes;
        for (Value* field = o->slots; field != o->slots + o->count; ++field) {
          fill_field(field);
          if (large) heap_map::mark_card(field);  // the collector finds the fields of large objects by their cards
        }
        return;
      }
    }
  }

  // After a failure: what was allocated is garbage, but must not hold words of the message.
  void neutralize() {
    for (ObjectHeader* h : t_.fields_) {
      switch (h->kind) {
        case ObjectKind::kString: reinterpret_cast<StringObject*>(h)->properties = kNil; break;
        case ObjectKind::kSymbol: {
          auto* c = reinterpret_cast<SymbolCells*>(h);
          c->value = c->function = c->plist = c->name = c->next = kNil;
          break;
        }
        default: {
          auto* o = reinterpret_cast<SlotsObject*>(h);
          for (std::uint64_t i = 0; i < o->count; ++i) o->slots[i] = kNil;
        }
      }
    }
  }

  Transfer& t_;
  Context& cx_;
  Fragment& f_;
  Cons* first_ = nullptr;
  std::size_t first_count_ = 0;
  std::size_t bodies_taken_ = 0;
  std::size_t travellers_taken_ = 0;
};

// ---- the two doors ----------------------------------------------------------------------------------------------

Transfer::Transfer(FragmentPool& pool) : pool_(pool) {}
Transfer::~Transfer() { pool_.give(&spare_, spare_.size()); }

std::unique_ptr<Fragment> Transfer::take_fragment() {
  if (spare_.empty()) pool_.take(&spare_, 4);
  if (spare_.empty()) return std::make_unique<Fragment>();
  std::unique_ptr<Fragment> f = std::move(spare_.back());
  spare_.pop_back();
  return f;
}

void Transfer::give_fragment(std::unique_ptr<Fragment> fragment) {
  constexpr std::size_t kMostKept = std::size_t{1} << 20;
  if (fragment->held_bytes() > kMostKept) return;
  fragment->clear();
  spare_.push_back(std::move(fragment));
  if (spare_.size() > 8) pool_.give(&spare_, 4);
}

void Transfer::find_table(std::uint64_t block, Cached* c) {
  std::unique_ptr<Table>& table = tables_[block];
  if (table == nullptr) table = std::make_unique<Table>();
  *c = {block, table.get()};
}

// A message that wandered over a large heap leaves many tables behind.
void Transfer::trim() {
  if (tables_.size() <= kMostTables) return;
  tables_.clear();
  for (Cached& c : cached_) c = Cached{};
}

TransferResult Transfer::send(Context& cx, Value v, const TransferOptions& options, Message* out) {
  std::unique_ptr<Fragment> fragment = take_fragment();
  const TransferStatus status = Encoder(*this, cx, options, *fragment).run(v);
  trim();
  if (status == TransferStatus::kOk) {
    *out = Message(std::move(fragment));
    if (const WorkerState* const w = current_worker()) {
      w->metrics->bytes_copied.add(out->copied_bytes());
      w->metrics->bytes_moved.add(out->moved_bytes());
    }
    return {};
  }
  give_fragment(std::move(fragment));
  if (status == TransferStatus::kTooLarge)
    return {status, "the message is larger than " + std::to_string(options.max_bytes) + " bytes"};
  return {status, path_to_stranger(cx, v, options.root_name)};
}

Value Transfer::receive(Context& cx, Message&& message) {
  std::unique_ptr<Fragment> fragment = message.take();
  if (fragment == nullptr) return kNil;
  if (fragment->image_token != 0 && fragment->image_token != cx.isolate().image_token) {
    fragment.reset();
    return error_text(cx, "The message belongs to isolates of another image");
  }
  Decoder decoder(*this, cx, *fragment);
  const Value v = decoder.run();
  decoder.settle_references();
  fields_.clear();
  tables_to_hash_.clear();
  later_conses_.clear();
  give_fragment(std::move(fragment));
  return v;
}

}  // namespace neovm::worker
