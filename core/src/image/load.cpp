// Loading the image: map it at the window, or give the isolate relocated blocks; then hand them to the heap and restore.
//
// Nothing of the isolate is changed before everything that can fail has succeeded.
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "gc/heap_state.hpp"
#include "image/format.hpp"
#include "image/lazy.hpp"
#include "image/parts.hpp"
#include "image/source.hpp"
#include "neovm/core/image.hpp"

namespace neovm::core {

namespace {

using namespace image;  // NOLINT: the format's own names
using gc::BlockUse;

class Loader {
 public:
  Loader(Context& cx, std::shared_ptr<const ImageSource> source, const ImageLoadOptions& options)
      : cx_(cx), heap_(cx.heap().state()), source_(std::move(source)), h_(source_->header()), options_(options) {}
  ~Loader() {
    if (first_ != gc::kNoBlock) drop_blocks();
  }

  // The source is open.
  std::string run() {
    if (const char* why = map_at_window(); why != nullptr) return source_->message(why);
    return go_on();
  }

  // SOURCE, which nobody else has, is open as far as its header.
  std::string open_and_run(ImageSource& source) {
    if (const char* why = map_at_window(); why != nullptr) return source.message(why);
    if (mapped_) {
      if (options_.check) find_pages();
      source.use_body_at(gc::block_start(first_));
    }
    if (std::string why = source.open_rest(options_.check); !why.empty()) return why;
    return go_on();
  }

 private:
  std::string go_on() {
    if (const char* why = take_body(); why != nullptr) return source_->message(why);
    adopt_blocks();
    install();
    restore();
    return "";
  }

  template <class T>
  [[nodiscard]] std::span<const T> piece(const Piece& p) const {
    return source_->piece<T>(p);
  }

  // The first image of a process goes where the file has it, when this is wanted.
  const char* map_at_window() {
    const auto count = static_cast<std::uint32_t>(h_.blocks);
    if (!options_.use_window || h_.base != address(gc::block_start(gc::kImageWindowFirst)) ||
        !gc::BlockPool::instance().take_image_window(count, &heap_))
      return nullptr;
    first_ = gc::kImageWindowFirst;
    mapped_ = true;
    heap_.blocks_held += count;
    void* p = mmap(gc::block_start(first_), source_->body_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
                   source_->descriptor(), static_cast<off_t>(kBodyOffset));
    return p == MAP_FAILED ? "cannot be mapped" : nullptr;
  }

  // All of it is about to be read: one call instead of a fault every few pages. A kernel that cannot (before 5.14) finds them
  // by faults.
  void find_pages() const { (void)madvise(gc::block_start(first_), source_->body_bytes(), MADV_POPULATE_READ); }

  // Blocks with the body in them.
  const char* take_body() {
    const auto count = static_cast<std::uint32_t>(h_.blocks);
    const std::uint64_t bytes = source_->body_bytes();
    if (mapped_) {
      for (const ImageSource::Binding& b : source_->bindings())
        std::memcpy(gc::block_start(first_) + b.offset, &b.pointer, sizeof b.pointer);
      return nullptr;
    }
    gc::BlockPool& pool = gc::BlockPool::instance();
    first_ = pool.take(count, &heap_);
    if (first_ == gc::kNoBlock) return "does not fit the address range";
    heap_.blocks_held += count;
    delta_ = address(gc::block_start(first_)) - h_.base;
    if (options_.lazy) heap_.lazy_image = LazyImage::make(source_, first_);
    if (heap_.lazy_image == nullptr) source_->relocate_to(gc::block_start(first_), 0, bytes, delta_);
    heap_.image_first = first_;
    heap_.image_blocks = count;
    return nullptr;
  }

  static std::uint64_t address(const void* p) { return reinterpret_cast<std::uint64_t>(p); }

  void drop_blocks() {
    if (mapped_ && mmap(gc::block_start(first_), source_->body_bytes(), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
      std::abort();  // the heap's range would have a hole
    heap_.give_blocks(first_, static_cast<std::uint32_t>(h_.blocks));
  }

  // ---- from here on nothing fails ----

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
    constexpr std::size_t kChunkBytes = 64 * sizeof(SymbolCells);
    for (std::size_t i = 0; i < born; ++i)
      source_->relocate_to(reinterpret_cast<std::byte*>(chunks[i]), i * kChunkBytes, kChunkBytes, delta_);
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
      isolate.empty_objects[i].set(relocated(roots[root_index(kRootEmpty, i)]));
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
      const Value saved = relocated(roots[root_index(kRootExtensions, i)]);
      if (e.restore != nullptr && !saved.is_unbound()) e.restore(cx_, e.state, saved);
    }
  }

  Context& cx_;
  HeapState& heap_;
  std::shared_ptr<const ImageSource> source_;
  const ImageHeader& h_;
  ImageLoadOptions options_;
  std::uint32_t first_ = gc::kNoBlock;
  bool mapped_ = false;
  std::uint64_t delta_ = 0;
};

}  // namespace

std::shared_ptr<const ImageSource> open_image(const std::string& path, bool check, std::string* why) {
  auto source = std::make_shared<ImageSource>(path);
  *why = source->open(check);
  return why->empty() ? source : nullptr;
}

std::string load_image(Context& cx, const std::shared_ptr<const ImageSource>& source, const ImageLoadOptions& options) {
  return Loader(cx, source, options).run();
}

ImagePlace image_place(Heap& heap) {
  const HeapState& s = heap.state();
  ImagePlace place;
  if (s.image_blocks != 0) place.begin = reinterpret_cast<std::uint64_t>(gc::block_start(s.image_first));
  if (s.lazy_image == nullptr) return place;
  place.lazy = true;
  place.pieces = s.lazy_image->pieces();
  place.pieces_made = s.lazy_image->pieces_made();
  return place;
}

std::string load_image(Context& cx, const std::string& path, const ImageLoadOptions& options) {
  const auto source = std::make_shared<ImageSource>(path);
  const std::string why = source->open_header();
  return why.empty() ? Loader(cx, source, options).open_and_run(*source) : why;
}

}  // namespace neovm::core
