// Opening an image: check the file, map it, find what it calls by name.
#include "image/source.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

namespace neovm::core {

using namespace image;  // NOLINT: the format's own names

namespace {

// The program's primitives by name. In one piece, without a node for each: every start makes one.
class PrimitiveNames {
 public:
  PrimitiveNames() {
    const auto all = all_primitives();
    std::size_t size = 16;
    while (size < 2 * all.size()) size *= 2;
    table_.resize(size);
    for (const PrimitiveDescriptor* p : all) {
      std::size_t at = place(p->name);
      while (table_[at] != nullptr) at = (at + 1) & (size - 1);
      table_[at] = p;
    }
  }
  [[nodiscard]] const PrimitiveDescriptor* find(const char* name) const {
    std::size_t at = place(name);
    for (; table_[at] != nullptr; at = (at + 1) & (table_.size() - 1))
      if (std::strcmp(table_[at]->name, name) == 0) return table_[at];
    return nullptr;
  }

 private:
  [[nodiscard]] std::size_t place(const char* name) const {
    std::uint64_t h = 0xCBF29CE484222325U;
    for (; *name != '\0'; ++name) h = (h ^ static_cast<unsigned char>(*name)) * 0x100000001B3U;
    return (h >> 20) & (table_.size() - 1);
  }
  std::vector<const PrimitiveDescriptor*> table_;
};

}  // namespace

ImageSource::~ImageSource() {
  if (map_ != nullptr) munmap(map_, map_bytes_);
  if (fd_ >= 0) close(fd_);
}

std::string ImageSource::open(bool check) {
  const std::string why = open_header();
  return why.empty() ? open_rest(check) : why;
}

std::string ImageSource::open_header() {
  const char* const why = open_file();
  return why == nullptr ? "" : message(why);
}

std::string ImageSource::open_rest(bool check) {
  if (check && !sound()) return message("is damaged (its checksum is wrong)");
  if (const std::string why = bind_names(); !why.empty()) return message(why.c_str());
  same_.resize(h_.blocks);
  const auto bitmaps = piece<std::uint64_t>(h_.relocations);
  constexpr std::size_t kBitmapsPerBlock = heap_map::kBlockSize / sizeof(Value) / 64;
  for (std::size_t b = 0; b < h_.blocks; ++b) {
    const auto of_block = bitmaps.subspan(b * kBitmapsPerBlock, kBitmapsPerBlock);
    same_[b] = std::all_of(of_block.begin(), of_block.end(), [](std::uint64_t bits) { return bits == 0; });
  }
  for (const Binding& b : bindings_) same_[b.offset >> heap_map::kBlockShift] = false;
  return "";
}

const char* ImageSource::open_file() {
  fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ < 0) {
    system_error_ = std::string("cannot be read: ") + std::strerror(errno);
    return system_error_.c_str();
  }
  struct stat status {};
  if (fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) return "is not a file";
  const auto bytes = static_cast<std::uint64_t>(status.st_size);
  if (bytes < sizeof(h_)) return "is not a NeoVM image";
  void* const map = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, fd_, 0);
  if (map == MAP_FAILED) return "cannot be mapped";
  map_ = map;
  map_bytes_ = bytes;
  body_ = static_cast<const std::byte*>(map) + kBodyOffset;
  std::memcpy(&h_, map_, sizeof(h_));
  if (std::memcmp(h_.magic, kMagic, sizeof(kMagic)) != 0) return "is not a NeoVM image";
  if (h_.format != kFormat || h_.header_bytes != sizeof(ImageHeader))
    return "has another format version; build it again";
  if (checksum(&h_, offsetof(ImageHeader, header_checksum), h_.format) != h_.header_checksum)
    return "is damaged (its header is wrong)";
  if (h_.build_id != image_build_id()) return "was made by another build of this program; build it again";
  if (bytes != h_.file_bytes) return bytes < h_.file_bytes ? "is truncated" : "is damaged (it is too long)";
  body_bytes_ = h_.blocks << heap_map::kBlockShift;
  tail_offset_ = kBodyOffset + body_bytes_;
  if (h_.blocks == 0 || h_.blocks > gc::kImageWindowBlocks || tail_offset_ >= bytes) return "is damaged";
  const std::pair<const Piece*, std::size_t> pieces[] = {{&h_.block_table, sizeof(ImageBlock)},
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
  for (const auto& [piece, size] : pieces)
    if (piece->offset % 8 != 0 || piece->offset < tail_offset_ || piece->offset > bytes ||
        piece->count > (bytes - piece->offset) / size)
      return "is damaged";
  if (h_.block_table.count != h_.blocks || h_.relocations.count != h_.blocks * 64 || h_.roots.count != kRootCount)
    return "is damaged";
  return nullptr;
}

bool ImageSource::sound() const {
  const std::uint64_t header = checksum(&h_, offsetof(ImageHeader, checksum), h_.build_id);
  const std::uint64_t of_body = checksum(body(), body_bytes_, header);
  const auto* const tail = static_cast<const char*>(map_) + tail_offset_;
  return checksum(tail, map_bytes_ - tail_offset_, of_body) == h_.checksum;
}

const char* ImageSource::name(std::uint64_t offset) const {
  const auto names = piece<char>(h_.names);
  if (offset >= names.size() || names.back() != '\0') return "";
  return names.data() + offset;
}

std::string ImageSource::bind_names() {
  const PrimitiveNames primitives;
  bindings_.reserve(h_.primitives.count + h_.host_types.count);
  for (const Fixup& f : piece<Fixup>(h_.primitives)) {
    const PrimitiveDescriptor* const primitive = primitives.find(name(f.name));
    if (primitive == nullptr || f.offset % 8 != 0 || f.offset >= body_bytes_)
      return std::string("needs the primitive ") + name(f.name) + ", which this program lacks";
    bindings_.push_back({f.offset, primitive});
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
    if (f.name >= types.size() || f.offset % 8 != 0 || f.offset >= body_bytes_) return "is damaged";
    bindings_.push_back({f.offset, types[f.name]});
  }
  std::sort(bindings_.begin(), bindings_.end(), [](const Binding& a, const Binding& b) { return a.offset < b.offset; });
  return "";
}

void ImageSource::relocate_to(std::byte* to, std::uint64_t offset, std::uint64_t bytes, std::uint64_t delta) const {
  std::memcpy(to, body() + offset, bytes);
  constexpr std::uint64_t kBytesPerBitmap = 64 * sizeof(Value);
  auto* words = reinterpret_cast<std::uint64_t*>(to);
  const auto bitmaps = piece<std::uint64_t>(h_.relocations).subspan(offset / kBytesPerBitmap, bytes / kBytesPerBitmap);
  for (const std::uint64_t bitmap : bitmaps) {
    for (std::uint64_t bits = bitmap; bits != 0; bits &= bits - 1) words[__builtin_ctzll(bits)] += delta;
    words += 64;
  }
  auto b = std::lower_bound(bindings_.begin(), bindings_.end(), offset,
                            [](const Binding& binding, std::uint64_t at) { return binding.offset < at; });
  for (; b != bindings_.end() && b->offset < offset + bytes; ++b)
    std::memcpy(to + (b->offset - offset), &b->pointer, sizeof b->pointer);
}

}  // namespace neovm::core
