// The symbol cells of an image file, for those who want to know what has changed since.
#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "image/format.hpp"
#include "neovm/core/image.hpp"

namespace neovm::core {

ImageCells read_image_cells(const std::string& path) {
  ImageCells out;
  std::vector<SymbolCells>& cells = out.cells;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return out;
  image::ImageHeader h{};
  if (pread(fd, &h, sizeof h, 0) == static_cast<ssize_t>(sizeof h) &&
      std::memcmp(h.magic, image::kMagic, sizeof h.magic) == 0 && h.format == image::kFormat &&
      h.build_id == image_build_id()) {
    out.begin = h.base;
    out.end = h.base + (h.blocks << heap_map::kBlockShift);
    // The first blocks of the body are the chunks of cells.
    cells.resize(h.symbol_ids);
    const std::size_t bytes = cells.size() * sizeof(SymbolCells);
    if (pread(fd, static_cast<void*>(cells.data()), bytes, image::kBodyOffset) != static_cast<ssize_t>(bytes))
      cells.clear();
  }
  close(fd);
  return out;
}

}  // namespace neovm::core
