// The image: the state of an isolate as one file, from which the next process starts.
//
// Everything reachable from the isolate's symbols, standard tables, main obarray and extension states is
// written, densely packed, as blocks of old space laid out for a fixed window of the heap range. The first
// image loaded in a process is mapped privately at that window, so that nothing is touched but what is
// used; further isolates have it elsewhere, relocated by a bitmap, all at once or page by page as it is touched
// (src/image/lazy.hpp). Primitives and host types are found again by name; host objects and extensions
// speak for themselves through the hooks of host.hpp.
//
// An image belongs to the set of symbols, primitives and variables of the build that wrote it (any
// optimization level of it): image_build_id(). It is a cache, not an interchange format.
//
// How to start: make the isolate and its context, attach host and guest (extensions, hooks), then load.
// Before loading, nothing may be interned that is not in symbols.def. Init steps other than kEveryStart are
// not run on a loaded isolate.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "neovm/core/context.hpp"

namespace neovm::core {

struct ImageSize {
  std::uint64_t file_bytes = 0;
  std::uint64_t body_bytes = 0;  // blocks
  std::uint64_t conses = 0;
  std::uint64_t objects = 0;
  std::uint64_t large_objects = 0;
  std::uint64_t symbols = 0;  // with ids
};

// Collects, then writes the isolate of `cx` to `path` (through a temporary file beside it, renamed). No Lisp may be
// running. Returns "" or what went wrong: an unwritable file, or a live object of a type that refuses, by name.
[[nodiscard]] std::string write_image(Context& cx, const std::string& path, ImageSize* size = nullptr);

struct ImageLoadOptions {
  bool check = true;       // compare the checksum of the whole file
  bool use_window = true;  // map at the window when it is free
  // Elsewhere: relocate what is touched when it is touched. The first use installs a handler for SIGSEGV, which passes on
  // what is not meant for it.
  bool lazy = false;
};

// An open image, for those who start many isolates from it; any thread. Null with *why, naming the file.
class ImageSource;
[[nodiscard]] std::shared_ptr<const ImageSource> open_image(const std::string& path, bool check, std::string* why);
[[nodiscard]] std::string load_image(Context& cx, const std::shared_ptr<const ImageSource>& source,
                                     const ImageLoadOptions& options = {});

// Loads `path` into the fresh isolate of `cx`. Returns "" or why not, naming the file: missing, damaged,
// truncated, of another format or build. After a failure the isolate is as it was before.
[[nodiscard]] std::string load_image(Context& cx, const std::string& path, const ImageLoadOptions& options = {});

// Where the image of a heap lies, when it does not lie in the window; for figures and tests.
struct ImagePlace {
  std::uint64_t begin = 0;
  bool lazy = false;
  std::uint64_t pieces = 0;       // lazy: what is made at a time …
  std::uint64_t pieces_made = 0;  // … and how many of these were
};
ImagePlace image_place(Heap& heap);

// What an isolate started with: the cells that the image at `path` gives its symbols, by id, and where the image's objects
// lie; all addresses as in the file. No cells when the file cannot be read.
struct ImageCells {
  std::vector<SymbolCells> cells;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};
ImageCells read_image_cells(const std::string& path);

// Depends on the layouts and on the names of static symbols, primitives and variables of this program.
std::uint64_t image_build_id();

}  // namespace neovm::core
