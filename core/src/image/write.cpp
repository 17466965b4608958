// Writing the image.
//
// First everything reachable is met and given a place, by what it is: symbol cells, primitives (together, as
// each of them is touched when the image is loaded), conses, other objects, those without addresses, large objects. Lists are followed
// along their cdrs, so that they lie in order. Then the blocks are laid out one group after the other, objects
// are copied there, and their words are translated to the addresses of the window.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <unordered_map>

#include "gc/heap_state.hpp"
#include "image/format.hpp"
#include "image/parts.hpp"
#include "neovm/core/image.hpp"

namespace neovm::core {

namespace {

using namespace image;  // NOLINT: the format's own names
using gc::BlockUse;
using gc::kGranule;

enum Group : unsigned {
  kCellGroup,
  kPrimitiveGroup,
  kConsGroup,
  kObjectGroup,
  kLeafGroup,  // without addresses: the same wherever the image lies
  kLargeGroup,
  kGroupCount
};

class Writer : public Tracer {
 public:
  explicit Writer(Context& cx) : Tracer(&visit_slot), cx_(cx), isolate_(cx.isolate()) {}

  std::string run(const std::string& path, ImageSize* size) {
    collect_now_re(cx_, CollectKind::kMajor);
    places_.reserve(1 << 20);
    meet_everything();
    if (!error_.empty()) return error_;
    lay_out();
    copy_everything();
    fill_tables();
    if (!error_.empty()) return error_;
    return write_file(path, size);
  }

 private:
  struct Met {
    const void* from;
    std::uint64_t offset;  // in its group, then in the body
    std::uint32_t bytes;
    Group group;
  };

  // ---- meeting ----

  static void visit_slot(Tracer& t, Value* slot) { static_cast<Writer&>(t).meet(*slot); }

  void meet(Value v) {
    if (!v.is_heap() || !place_new(v)) return;
    todo_.push_back(v);
  }

  // Gives the object a place; false when it has one already (or cannot be written).
  bool place_new(Value v) {
    const auto* p = v.as_pointer<const void>();
    if (places_.contains(address(p))) return false;
    if (v.is_cons()) {
      place(p, kConsGroup, sizeof(Cons));
      return true;
    }
    const auto* h = v.as_pointer<ObjectHeader>();
    if (h->kind == ObjectKind::kHost && !acceptable(reinterpret_cast<const HostObject*>(h)->type)) return false;
    if (v.is_string()) string_data_inline(v);
    const std::size_t bytes = gc::size_of(h);
    Group group = kObjectGroup;
    if (gc::shape_of(h) == gc::Shape::kRaw || gc::shape_of(h) == gc::Shape::kFloat) group = kLeafGroup;
    if (h->kind == ObjectKind::kSubr) group = kPrimitiveGroup;
    if (bytes > kLargeObjectBytes) group = kLargeGroup;
    place(p, group, bytes);
    if (h->kind == ObjectKind::kHost) meet_host(v);
    return true;
  }

  // The image has no off-heap bodies.
  void string_data_inline(Value s) {
    if ((string_raw(s)->header.flags & kStringExternalBody) != 0) string_data_for_write(cx_, s);
  }

  bool acceptable(const HostType* type) {
    const auto types = all_host_types();
    if (std::find(types.begin(), types.end(), type) == types.end()) {
      if (error_.empty())
        error_ = std::string("cannot write the image: the type ") + type->name + " has no NEOVM_HOST_TYPE row";
      return false;
    }
    const bool bare = type->payload_bytes == 0 && type->trace == nullptr && type->finalize == nullptr;
    if (type->image != ImagePayload::kRefuse || bare) return true;
    if (error_.empty())
      error_ = std::string("cannot write the image: a live object of type ") + type->name + " is reachable";
    return false;
  }

  void meet_host(Value v) {
    const HostType* type = v.as_pointer<HostObject>()->type;
    if (type->image != ImagePayload::kHooks || type->save == nullptr) return;
    const Value saved = type->save(cx_, v);
    restores_.push_back(v);
    restores_.push_back(saved);
    meet(saved);
  }

  static std::uint64_t address(const void* p) { return reinterpret_cast<std::uint64_t>(p); }

  void place(const void* p, Group group, std::size_t bytes) {
    std::uint64_t& end = group_end_[group];
    const std::uint64_t room = heap_map::kBlockSize - (end & (heap_map::kBlockSize - 1));
    if (group == kLargeGroup) {
      end = (end + heap_map::kBlockSize - 1) & ~(heap_map::kBlockSize - 1);
    } else if (bytes > room) {
      end += room;
    }
    places_.emplace(address(p), met_.size());
    met_.push_back({p, end, static_cast<std::uint32_t>(bytes), group});
    large_bytes_.push_back(group == kLargeGroup ? bytes : 0);
    end += bytes;
    live_bytes_ += bytes;
    ++(group == kConsGroup ? conses_ : objects_);
  }

  void drain() {
    while (!todo_.empty()) {
      Value v = todo_.back();
      todo_.pop_back();
      if (!v.is_cons()) {
        gc::visit_fields(v.as_pointer<ObjectHeader>(), [this](const Value* slot) { meet(*slot); });
        continue;
      }
      for (;;) {  // along the cdrs
        const auto* c = v.as_pointer<Cons>();
        meet(c->car);
        v = c->cdr;
        if (!v.is_cons()) {
          meet(v);
          break;
        }
        if (!place_new(v)) break;
      }
    }
  }

  void meet_everything() {
    roots_.assign(kRootCount, kUnbound);
    const CurrentTables& tables = isolate_.standard_tables();
    roots_[kRootSyntax] = tables.syntax;
    roots_[kRootCategory] = tables.category;
    roots_[kRootDowncase] = tables.downcase;
    roots_[kRootObarray] = isolate_.main_obarray.get();
    for (int i = 0; i < Isolate::kEmptyKinds; ++i) roots_[root_index(kRootEmpty, i)] = isolate_.empty_objects[i].get();
    for (int i = 0; i < static_cast<int>(ExtensionId::kCount); ++i) {
      const Extension& e = isolate_.extension(static_cast<ExtensionId>(i));
      if (e.save != nullptr) roots_[root_index(kRootExtensions, i)] = e.save(cx_, e.state);
    }
    // All chunks: cells of symbols that were uninterned may still be named by their ids.
    for (const SymbolCells* chunk : ImageParts::cell_chunks(isolate_)) {
      place(chunk, kCellGroup, 64 * sizeof(SymbolCells));
      --objects_;
    }
    for (SymbolCells* chunk : ImageParts::cell_chunks(isolate_))
      for (int i = 0; i < 64; ++i) {
        gc::visit_cells(&chunk[i], [this](const Value* slot) { meet(*slot); });
        drain();
      }
    for (const Value v : ImageParts::table(isolate_)) meet(v);
    for (const Value v : roots_) meet(v);
    drain();
  }

  // ---- layout ----

  void lay_out() {
    std::uint64_t at = 0;
    for (unsigned g = 0; g < kGroupCount; ++g) {
      group_base_[g] = at;
      at += (group_end_[g] + heap_map::kBlockSize - 1) & ~(heap_map::kBlockSize - 1);
    }
    for (Met& m : met_) m.offset += group_base_[m.group];
    body_.assign(at, 0);
    blocks_.assign(at >> heap_map::kBlockShift, ImageBlock{});
    relocations_.assign(at / sizeof(Value) / 64, 0);
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      const std::uint64_t offset = std::uint64_t{b} << heap_map::kBlockShift;
      BlockUse use = BlockUse::kLargeTail;  // first blocks of large objects are set when they are copied
      if (offset < group_base_[kPrimitiveGroup]) {
        use = BlockUse::kCells;
      } else if (offset >= group_base_[kConsGroup] && offset < group_base_[kObjectGroup]) {
        use = BlockUse::kOldCons;
      } else if (offset < group_base_[kLargeGroup]) {
        use = BlockUse::kOldObject;
      }
      blocks_[b].use = static_cast<std::uint64_t>(use);
    }
  }

  static constexpr std::uint64_t kWindow =
      heap_map::kBase + (std::uint64_t{gc::kImageWindowFirst} << heap_map::kBlockShift);

  [[nodiscard]] std::uint64_t new_address(const void* p) const { return kWindow + met_[places_.at(address(p))].offset; }
  [[nodiscard]] Value translate(Value v) const {
    if (!v.is_heap()) return v;
    return Value::from_bits(new_address(v.as_pointer<void>()) | (v.bits() & Value::kTagMask));
  }

  void relocate(std::uint64_t offset) {
    const std::uint64_t word = offset / sizeof(Value);
    relocations_[word / 64] |= std::uint64_t{1} << (word % 64);
  }

  // ---- copying ----

  void copy_everything() {
    for (std::size_t i = 0; i < met_.size(); ++i) {
      const Met& m = met_[i];
      ImageBlock& block = blocks_[m.offset >> heap_map::kBlockShift];
      const std::uint64_t bytes = m.group == kLargeGroup ? large_bytes_[i] : m.bytes;
      std::memcpy(&body_[m.offset], m.from, bytes);
      if (m.group == kCellGroup) {
        for (std::uint64_t c = 0; c < 64; ++c) {
          const std::uint64_t at = m.offset + c * sizeof(SymbolCells);
          gc::visit_cells(reinterpret_cast<SymbolCells*>(&body_[at]), [&](Value* slot) { translate_slot(slot); });
        }
        continue;
      }
      block.starts.set((m.offset & (heap_map::kBlockSize - 1)) / kGranule);
      if (m.group == kConsGroup) {
        auto* c = reinterpret_cast<Cons*>(&body_[m.offset]);
        translate_slot(&c->car);
        translate_slot(&c->cdr);
        continue;
      }
      if (m.group == kLargeGroup) {
        set_large(m.offset >> heap_map::kBlockShift, bytes);
      } else {
        const std::uint64_t first = (m.offset & (heap_map::kBlockSize - 1)) >> heap_map::kLineShift;
        const std::uint64_t last = ((m.offset & (heap_map::kBlockSize - 1)) + bytes - 1) >> heap_map::kLineShift;
        for (std::uint64_t l = first; l <= last; ++l) block.lines[l / 64] |= std::uint64_t{1} << (l % 64);
      }
      translate_object(m.offset, m.from);
    }
  }

  void set_large(std::uint64_t block, std::uint64_t bytes) {
    const std::uint64_t count = (bytes + heap_map::kBlockSize - 1) >> heap_map::kBlockShift;
    blocks_[block].use = static_cast<std::uint64_t>(BlockUse::kOldLarge);
    blocks_[block].run_blocks = count;
    blocks_[block].large_bytes = bytes;
    for (std::uint64_t i = 1; i < count; ++i) blocks_[block + i].run_blocks = i;
  }

  void translate_slot(Value* slot) {
    if (!slot->is_heap()) return;
    *slot = translate(*slot);
    relocate(static_cast<std::uint64_t>(reinterpret_cast<std::uint8_t*>(slot) - body_.data()));
  }

  void translate_object(std::uint64_t offset, const void* from) {
    auto* h = reinterpret_cast<ObjectHeader*>(&body_[offset]);
    h->gc = 0;
    if (h->kind == ObjectKind::kString || h->kind == ObjectKind::kArrayList)
      h->flags &= static_cast<std::uint8_t>(~kOneHolder);  // isolates of one image may share it
    switch (gc::shape_of(h)) {
      case gc::Shape::kString: {
        auto* s = reinterpret_cast<StringObject*>(h);
        if (s->body.is_heap()) {
          const std::uint64_t into = address(s->data) - address(s->body.as_pointer<void>());
          s->data = reinterpret_cast<std::uint8_t*>(new_address(s->body.as_pointer<void>()) + into);
          relocate(offset + offsetof(StringObject, data));
        }
        translate_slot(&s->body);
        translate_slot(&s->properties);
        return;
      }
      case gc::Shape::kSubr: {
        auto* s = reinterpret_cast<SubrObject*>(h);
        primitives_.push_back({offset + offsetof(SubrObject, descriptor), name(s->descriptor->name)});
        s->descriptor = nullptr;
        return;
      }
      case gc::Shape::kHost: {
        auto* o = reinterpret_cast<HostObject*>(h);
        const HostType* type = reinterpret_cast<const HostObject*>(from)->type;
        gc::visit_fields(h, [this](Value* slot) { translate_slot(slot); });
        if (type->image == ImagePayload::kHooks)
          std::memset(static_cast<void*>(&o->slots[type->slot_count]), 0, type->payload_bytes);
        host_types_.push_back({offset + offsetof(HostObject, type), shape_index(type)});
        o->type = nullptr;
        return;
      }
      default: gc::visit_fields(h, [this](Value* slot) { translate_slot(slot); });
    }
  }

  std::uint64_t name(const char* text) {
    const auto [it, fresh] = name_offsets_.emplace(text, names_.size());
    if (fresh) names_.append(text, std::strlen(text) + 1);
    return it->second;
  }

  std::uint64_t shape_index(const HostType* type) {
    for (std::size_t i = 0; i < type_order_.size(); ++i)
      if (type_order_[i] == type) return i;
    type_order_.push_back(type);
    shapes_.push_back({name(type->name), type->slot_count, type->payload_bytes});
    return shapes_.size() - 1;
  }

  // ---- the rest of the file ----

  void fill_tables() {
    for (Value& v : roots_) v = translate(v);
    for (Value& v : restores_) v = translate(v);
    table_ = ImageParts::table(isolate_);
    for (Value& v : table_) v = translate(v);
    HeapState& s = cx_.heap().state();
    for (const auto* list : {&s.watched_young, &s.watched_old})
      for (const ObjectHeader* h : *list)
        if (places_.contains(address(h))) watched_.push_back(translate(gc::value_of(h)));
    for (const auto* hashes : {&s.cons_hashes_young, &s.cons_hashes_old})
      hashes->each([this](const gc::ConsHashes::Entry& e) {
        const auto* p = reinterpret_cast<const void*>(e.address);
        if (places_.contains(e.address)) cons_hashes_.push_back({new_address(p), e.hash});
      });
  }

  template <class T>
  Piece append(std::string& tail, const T* data, std::size_t count) {
    const Piece piece = {kBodyOffset + body_.size() + tail.size(), count};
    tail.append(reinterpret_cast<const char*>(data), count * sizeof(T));
    tail.resize((tail.size() + 7) & ~std::size_t{7});
    return piece;
  }
  template <class V>
  Piece append(std::string& tail, const V& v) {
    return append(tail, v.data(), v.size());
  }

  std::string write_file(const std::string& path, ImageSize* size) {
    ImageHeader h{};
    std::memcpy(h.magic, kMagic, sizeof(kMagic));
    h.format = kFormat;
    h.header_bytes = sizeof(ImageHeader);
    h.build_id = image_build_id();
    h.base = kWindow;
    h.blocks = blocks_.size();
    std::string tail;
    h.block_table = append(tail, blocks_);
    h.relocations = append(tail, relocations_);
    h.symbol_table = append(tail, table_);
    h.roots = append(tail, roots_);
    h.buffer_slots = append(tail, isolate_.buffer_slot_symbols);
    h.restores = append(tail, restores_);
    h.watched = append(tail, watched_);
    h.cons_hashes = append(tail, cons_hashes_);
    h.primitives = append(tail, primitives_);
    h.host_types = append(tail, host_types_);
    h.type_shapes = append(tail, shapes_);
    h.names = append(tail, names_);
    h.symbol_ids = ImageParts::next_symbol_id(isolate_);
    h.symbol_total = ImageParts::symbol_total(isolate_);
    h.table_used = ImageParts::table_used(isolate_);
    h.next_gensym = isolate_.next_gensym;
    h.hash_state = cx_.heap().state().hash_state;
    h.live_bytes = live_bytes_;
    h.conses = conses_;
    h.objects = objects_;
    h.file_bytes = kBodyOffset + body_.size() + tail.size();
    const std::uint64_t seed = checksum(&h, offsetof(ImageHeader, checksum), h.build_id);
    h.checksum = checksum(tail.data(), tail.size(), checksum(body_.data(), body_.size(), seed));
    h.header_checksum = checksum(&h, offsetof(ImageHeader, header_checksum), h.format);
    if (size != nullptr) {
      *size = {h.file_bytes, body_.size(), conses_, objects_, 0, h.symbol_ids};
      for (const std::uint64_t bytes : large_bytes_) size->large_objects += bytes != 0;
    }
    std::string first(kBodyOffset, '\0');
    std::memcpy(first.data(), &h, sizeof(h));
    const std::string temporary = path + ".new" + std::to_string(getpid());
    std::FILE* f = std::fopen(temporary.c_str(), "wb");
    bool ok = f != nullptr;
    for (const auto& [data, bytes] : {std::pair<const void*, std::size_t>{first.data(), first.size()},
                                      {body_.data(), body_.size()},
                                      {tail.data(), tail.size()}})
      ok = ok && (bytes == 0 || std::fwrite(data, bytes, 1, f) == 1);
    if (f != nullptr) ok = (std::fclose(f) == 0) && ok;
    if (ok && std::rename(temporary.c_str(), path.c_str()) == 0) return "";
    const std::string why = std::strerror(errno);
    std::remove(temporary.c_str());
    return "cannot write the image " + path + ": " + why;
  }

  Context& cx_;
  Isolate& isolate_;
  std::string error_;
  std::vector<Value> todo_;
  std::unordered_map<std::uint64_t, std::size_t> places_;
  std::vector<Met> met_;
  std::vector<std::uint64_t> large_bytes_;  // parallel to met_; 0 for the others
  std::uint64_t group_end_[kGroupCount] = {};
  std::uint64_t group_base_[kGroupCount] = {};
  std::uint64_t live_bytes_ = 0;
  std::uint64_t conses_ = 0;
  std::uint64_t objects_ = 0;
  std::vector<std::uint8_t> body_;
  std::vector<ImageBlock> blocks_;
  std::vector<std::uint64_t> relocations_;
  std::vector<Value> roots_;
  std::vector<Value> restores_;
  std::vector<Value> table_;
  std::vector<Value> watched_;
  std::vector<ConsHash> cons_hashes_;
  std::vector<Fixup> primitives_;
  std::vector<Fixup> host_types_;
  std::vector<TypeShape> shapes_;
  std::vector<const HostType*> type_order_;
  std::string names_;
  std::unordered_map<std::string, std::uint64_t> name_offsets_;
};

}  // namespace

std::string write_image(Context& cx, const std::string& path, ImageSize* size) { return Writer(cx).run(path, size); }

}  // namespace neovm::core
