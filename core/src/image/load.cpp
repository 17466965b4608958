// Loading the image: check, map or read, bind names, hand the blocks to the heap, restore.
//
// Nothing of the isolate is changed before everything that can fail has succeeded.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <unordered_map>

#include "gc/heap_state.hpp"
#include "image/format.hpp"
#include "image/parts.hpp"
#include "neovm/core/image.hpp"

namespace neovm::core {

namespace {

using namespace image;  // NOLINT: the format's own names
using gc::BlockUse;

// A file descriptor and the read-only mapping of the file's tail, both released at the end.
struct File {
  int fd = -1;
  void* tail = MAP_FAILED;
  std::size_t tail_bytes = 0;

  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (tail != MAP_FAILED) munmap(tail, tail_bytes);
    if (fd >= 0) close(fd);
  }
};

bool read_fully(int fd, void* to, std::size_t bytes, std::uint64_t offset) {
  auto* p = static_cast<char*>(to);
  while (bytes != 0) {
    const ssize_t n = pread(fd, p, bytes, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    p += n;
    offset += static_cast<std::uint64_t>(n);
    bytes -= static_cast<std::size_t>(n);
  }
  return true;
}

class Loader {
 public:
  Loader(Context& cx, const std::string& path, const ImageLoadOptions& options)
      : cx_(cx), heap_(cx.heap().state()), path_(path), options_(options) {}
  ~Loader() {
    if (first_ != gc::kNoBlock) drop_blocks();
  }

  std::string run() {
    if (const char* why = open_file(); why != nullptr) return message(why);
    if (const char* why = take_body(); why != nullptr) return message(why);
    if (options_.check && !sound()) return message("is damaged (its checksum is wrong)");
    if (const std::string why = bind_names(); !why.empty()) return message(why.c_str());
    if (delta_ != 0) relocate_body();
    for (const auto& [word, pointer] : bindings_) *word = pointer;
    adopt_blocks();
    install();
    restore();
    return "";
  }

 private:
  [[nodiscard]] std::string message(const char* why) const { return "the image " + path_ + " " + why; }

  const char* open_file() {
    file_.fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (file_.fd < 0) {
      system_error_ = std::string("cannot be read: ") + std::strerror(errno);
      return system_error_.c_str();
    }
    struct stat status {};
    if (fstat(file_.fd, &status) != 0 || !S_ISREG(status.st_mode)) return "is not a file";
    const auto bytes = static_cast<std::uint64_t>(status.st_size);
    if (bytes < sizeof(h_) || !read_fully(file_.fd, &h_, sizeof(h_), 0) ||
        std::memcmp(h_.magic, kMagic, sizeof(kMagic)) != 0)
      return "is not a NeoVM image";
    if (h_.format != kFormat || h_.header_bytes != sizeof(ImageHeader))
      return "has another format version; build it again";
    if (checksum(&h_, offsetof(ImageHeader, header_checksum), h_.format) != h_.header_checksum)
      return "is damaged (its header is wrong)";
    if (h_.build_id != image_build_id()) return "was made by another build of this program; build it again";
    if (bytes != h_.file_bytes) return bytes < h_.file_bytes ? "is truncated" : "is damaged (it is too long)";
    body_bytes_ = h_.blocks << heap_map::kBlockShift;
    tail_offset_ = kBodyOffset + body_bytes_;
    if (h_.blocks == 0 || h_.blocks > gc::kImageWindowBlocks || tail_offset_ >= bytes) return "is damaged";
    for (const auto& [piece, size] : pieces())
      if (piece->offset % 8 != 0 || piece->offset < tail_offset_ || piece->offset > bytes ||
          piece->count > (bytes - piece->offset) / size)
        return "is damaged";
    if (h_.block_table.count != h_.blocks || h_.relocations.count != h_.blocks * 64 || h_.roots.count != kRootCount)
      return "is damaged";
    file_.tail_bytes = bytes - tail_offset_;
    file_.tail = mmap(nullptr, file_.tail_bytes, PROT_READ, MAP_PRIVATE, file_.fd, static_cast<off_t>(tail_offset_));
    return file_.tail == MAP_FAILED ? "cannot be mapped" : nullptr;
  }

  [[nodiscard]] std::vector<std::pair<const Piece*, std::size_t>> pieces() const {
    return {{&h_.block_table, sizeof(ImageBlock)},
            {&h_.relocations, 8},
            {&h_.symbol_table, 8},
            {&h_.roots, 8},
            {&h_.buffer_slots, 8},
            {&h_.restores, 8},
            {&h_.watched, 8},
            {&h_.cons_hashes, sizeof(ConsHash)},
            {&h_.primitives, sizeof(Fixup)},
            {&h_.host_types, sizeof(Fixup)},
            {&h_.type_shapes, sizeof(TypeShape)},
            {&h_.names, 1}};
  }

  template <class T>
  [[nodiscard]] std::span<const T> piece(const Piece& p) const {
    const auto* start = static_cast<const char*>(file_.tail) + (p.offset - tail_offset_);
    return {reinterpret_cast<const T*>(start), p.count};
  }

  // Blocks with the body in them.
  const char* take_body() {
    const auto count = static_cast<std::uint32_t>(h_.blocks);
    gc::BlockPool& pool = gc::BlockPool::instance();
    if (options_.use_window && h_.base == address(gc::block_start(gc::kImageWindowFirst)) &&
        pool.take_image_window(count, &heap_)) {
      first_ = gc::kImageWindowFirst;
      mapped_ = true;
      heap_.blocks_held += count;
      void* p = mmap(gc::block_start(first_), body_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file_.fd,
                     static_cast<off_t>(kBodyOffset));
      return p == MAP_FAILED ? "cannot be mapped" : nullptr;
    }
    first_ = pool.take(count, &heap_);
    if (first_ == gc::kNoBlock) return "does not fit the address range";
    heap_.blocks_held += count;
    delta_ = address(gc::block_start(first_)) - h_.base;
    return read_fully(file_.fd, gc::block_start(first_), body_bytes_, kBodyOffset) ? nullptr : "cannot be read";
  }

  static std::uint64_t address(const void* p) { return reinterpret_cast<std::uint64_t>(p); }

  void drop_blocks() {
    if (mapped_)
      mmap(gc::block_start(first_), body_bytes_, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    heap_.give_blocks(first_, static_cast<std::uint32_t>(h_.blocks));
  }

  [[nodiscard]] bool sound() const {
    const std::uint64_t header = checksum(&h_, offsetof(ImageHeader, checksum), h_.build_id);
    const std::uint64_t body = checksum(gc::block_start(first_), body_bytes_, header);
    return checksum(file_.tail, file_.tail_bytes, body) == h_.checksum;
  }

  // ---- names ----

  [[nodiscard]] const char* name(std::uint64_t offset) const {
    const auto names = piece<char>(h_.names);
    if (offset >= names.size() || names.back() != '\0') return "";
    return names.data() + offset;
  }
  [[nodiscard]] const void** word_at(std::uint64_t offset) const {
    return reinterpret_cast<const void**>(gc::block_start(first_) + offset);
  }

  std::string bind_names() {
    std::unordered_map<std::string_view, const PrimitiveDescriptor*> primitives;
    const auto all = all_primitives();
    primitives.reserve(all.size());
    for (const PrimitiveDescriptor* p : all) primitives.emplace(p->name, p);
    bindings_.reserve(h_.primitives.count + h_.host_types.count);
    for (const Fixup& f : piece<Fixup>(h_.primitives)) {
      const auto it = primitives.find(name(f.name));
      if (it == primitives.end() || f.offset >= body_bytes_)
        return std::string("needs the primitive ") + name(f.name) + ", which this program lacks";
      bindings_.emplace_back(word_at(f.offset), it->second);
    }
    std::vector<const HostType*> types;
    for (const TypeShape& shape : piece<TypeShape>(h_.type_shapes)) {
      const auto known = all_host_types();
      const auto it = std::find_if(known.begin(), known.end(), [&](const HostType* t) {
        return std::strcmp(t->name, name(shape.name)) == 0 && t->slot_count == shape.slot_count &&
               t->payload_bytes == shape.payload_bytes;
      });
      if (it == known.end())
        return std::string("needs the object type ") + name(shape.name) +
               ", which this program lacks or shapes differently";
      types.push_back(*it);
    }
    for (const Fixup& f : piece<Fixup>(h_.host_types)) {
      if (f.name >= types.size() || f.offset >= body_bytes_) return "is damaged";
      bindings_.emplace_back(word_at(f.offset), types[f.name]);
    }
    return "";
  }

  // ---- from here on nothing fails ----

  void relocate_body() {
    auto* words = reinterpret_cast<std::uint64_t*>(gc::block_start(first_));
    for (const std::uint64_t bitmap : piece<std::uint64_t>(h_.relocations)) {
      for (std::uint64_t bits = bitmap; bits != 0; bits &= bits - 1) words[__builtin_ctzll(bits)] += delta_;
      words += 64;
    }
  }

  [[nodiscard]] Value relocated(Value v) const { return v.is_heap() ? Value::from_bits(v.bits() + delta_) : v; }

  void adopt_blocks() {
    std::uint32_t at = first_;
    for (const ImageBlock& b : piece<ImageBlock>(h_.block_table)) {
      gc::BlockMeta& m = gc::meta_of(at);
      const auto use = static_cast<BlockUse>(b.use);
      gc::use_of(at) = use;
      m.fill = 0;
      m.run_blocks = static_cast<std::uint32_t>(b.run_blocks);
      m.large_bytes = b.large_bytes;
      m.starts = b.starts;
      m.marks.clear_all();
      std::copy(std::begin(b.lines), std::end(b.lines), std::begin(m.lines));
      gc::clear_cards(at);
      if (use == BlockUse::kOldCons) heap_.old_conses.push_back(at);
      if (use == BlockUse::kOldObject) heap_.old_objects.push_back(at);
      if (use == BlockUse::kOldLarge) heap_.old_large.push_back(at);
      ++at;
    }
    heap_.live_after_major += h_.live_bytes;
    heap_.major_threshold = std::max(heap_.major_threshold, heap_.live_after_major);
    heap_.hash_state = h_.hash_state;
    for (const Value v : piece<Value>(h_.watched)) heap_.watched_old.push_back(relocated(v).as_pointer<ObjectHeader>());
    for (const ConsHash& c : piece<ConsHash>(h_.cons_hashes))
      heap_.cons_hashes_old.add(c.address + delta_, static_cast<std::uint32_t>(c.hash));
  }

  // Cells of the symbols the isolate was born with stay where they are, since C++ may know their addresses:
  // they are filled from the image. The other chunks are the image's own.
  void adopt_cells() {
    auto& chunks = ImageParts::cell_chunks(cx_.isolate());
    const std::size_t count = (h_.symbol_ids + 63) / 64;
    const std::size_t born = std::min(chunks.size(), count);
    auto* cells = reinterpret_cast<SymbolCells*>(gc::block_start(first_));
    for (std::size_t i = 0; i < born; ++i)
      std::memcpy(static_cast<void*>(chunks[i]), &cells[i * 64], 64 * sizeof(SymbolCells));
    for (std::size_t i = born; i < count; ++i) chunks.push_back(cells + i * 64);
    constexpr std::size_t kChunksPerBlock = heap_map::kBlockSize / (64 * sizeof(SymbolCells));
    for (std::size_t b = 0; b * kChunksPerBlock < count; ++b) {
      const std::uint32_t block = first_ + static_cast<std::uint32_t>(b);
      const std::size_t copied = std::min(born - std::min(born, b * kChunksPerBlock), kChunksPerBlock);
      if (copied == kChunksPerBlock) {
        heap_.give_blocks(block, 1);
        continue;
      }
      // What was copied must not count as a root a second time.
      std::memset(static_cast<void*>(gc::block_start(block)), 0, copied * 64 * sizeof(SymbolCells));
      heap_.cells.push_back(block);
    }
  }

  void install() {
    Isolate& isolate = cx_.isolate();
    adopt_cells();
    ImageParts::next_symbol_id(isolate) = static_cast<std::uint32_t>(h_.symbol_ids);
    ImageParts::symbol_total(isolate) = h_.symbol_total;
    ImageParts::table_used(isolate) = h_.table_used;
    ImageParts::table_has_young(isolate) = false;
    const auto symbols = piece<Value>(h_.symbol_table);
    auto& table = ImageParts::table(isolate);
    table.assign(symbols.begin(), symbols.end());
    if (delta_ != 0)
      for (Value& v : table) v = relocated(v);
    const auto slots = piece<Value>(h_.buffer_slots);
    isolate.buffer_slot_symbols.assign(slots.begin(), slots.end());
    isolate.next_gensym = h_.next_gensym;
    isolate.image_token = h_.checksum;
    isolate.image_symbols = static_cast<std::uint32_t>(h_.symbol_ids);
    const auto roots = piece<Value>(h_.roots);
    CurrentTables& tables = isolate.standard_tables();
    tables.syntax = relocated(roots[kRootSyntax]);
    tables.category = relocated(roots[kRootCategory]);
    tables.downcase = relocated(roots[kRootDowncase]);
    isolate.main_obarray.set(relocated(roots[kRootObarray]));
    for (int i = 0; i < Isolate::kEmptyKinds; ++i)
      isolate.empty_objects[i].set(relocated(roots[static_cast<std::size_t>(kRootEmpty + i)]));
    for (Context* cx : isolate.contexts()) cx->tables = tables;
    first_ = gc::kNoBlock;  // they are the heap's now
  }

  void restore() {
    const auto pairs = piece<Value>(h_.restores);
    for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
      const Value self = relocated(pairs[i]);
      const HostType* type = self.as_pointer<HostObject>()->type;
      if (type->restore != nullptr) type->restore(cx_, self, relocated(pairs[i + 1]));
    }
    const auto roots = piece<Value>(h_.roots);
    for (int i = 0; i < static_cast<int>(ExtensionId::kCount); ++i) {
      const Extension& e = cx_.isolate().extension(static_cast<ExtensionId>(i));
      const Value saved = relocated(roots[static_cast<std::size_t>(kRootExtensions + i)]);
      if (e.restore != nullptr && !saved.is_unbound()) e.restore(cx_, e.state, saved);
    }
  }

  Context& cx_;
  HeapState& heap_;
  const std::string& path_;
  ImageLoadOptions options_;
  File file_;
  ImageHeader h_{};
  std::string system_error_;
  std::uint64_t body_bytes_ = 0;
  std::uint64_t tail_offset_ = 0;
  std::uint32_t first_ = gc::kNoBlock;
  bool mapped_ = false;
  std::uint64_t delta_ = 0;
  std::vector<std::pair<const void**, const void*>> bindings_;
};

}  // namespace

std::string load_image(Context& cx, const std::string& path, const ImageLoadOptions& options) {
  return Loader(cx, path, options).run();
}

}  // namespace neovm::core
