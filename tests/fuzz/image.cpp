// The loader of images: a file that is not exactly what was written is refused, and the isolate stays whole.
//
// Input: mode, then changes of a good image: where (header, what follows the body, body), offset, number of bytes, bytes.
// Mode bit 0: the header's own checksum is made right again, so that what it says is looked at. Bit 1: only names are changed,
// and both checksums are right, so that the names are looked up. Bit 2: not at the window. Bit 3: the file is cut off.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

#include "image/format.hpp"
#include "neovm/core/image.hpp"
#include "world.hpp"

namespace neovm::fuzz {

namespace {

using core::image::ImageHeader;
using core::image::kBodyOffset;

NEOVM_PRIMITIVE(fuzz_image_probe, "fuzz-image-probe", 1, 1, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return ARG; the image has to find this function again.")
(Context&, Value v) { return v; }

[[noreturn]] void fail(const char* what, const std::string& why) {
  std::fprintf(stderr, "fuzz: %s: %s\n", what, why.c_str());
  std::abort();
}

// An isolate without guest or host, to be loaded into.
struct Place {
  Place() : isolate(IsolateOptions{}), cx(isolate) {}
  Isolate isolate;
  Context cx;
};

class Images {
 public:
  static Images& get() {
    static Images images;
    return images;
  }
  const std::string& good() const { return good_; }
  // A copy of the good image, to be changed through poke() and given to load(). What the last run changed is put back.
  std::string& fresh() {
    data_.resize(good_.size());
    for (const std::size_t at : changed_) std::memcpy(&data_[at], &good_[at], std::min(kPage, good_.size() - at));
    dirty_.insert(dirty_.end(), changed_.begin(), changed_.end());
    changed_.clear();
    return data_;
  }
  bool same() const {
    return std::all_of(changed_.begin(), changed_.end(), [&](std::size_t at) {
      return std::memcmp(&data_[at], &good_[at], std::min(kPage, good_.size() - at)) == 0;
    });
  }
  void poke(std::size_t at, const void* bytes, std::size_t n) {
    std::memcpy(&data_[at], bytes, n);
    for (std::size_t page = at / kPage; page <= (at + n - 1) / kPage; ++page) changed_.push_back(page * kPage);
  }
  // What was cut off is put back, too.
  void cut(std::size_t bytes) {
    for (std::size_t page = bytes / kPage; page * kPage < data_.size(); ++page) changed_.push_back(page * kPage);
    data_.resize(bytes);
  }
  // Loads what fresh() gave; "" when it was taken.
  std::string load(bool window) {
    if (ftruncate(fd_, static_cast<off_t>(data_.size())) != 0) fail("cannot cut", path_);
    put();
    if (place_ == nullptr) place_ = std::make_unique<Place>();
    core::ImageLoadOptions options;
    options.use_window = window;
    std::string why = core::load_image(place_->cx, path_, options);
    if (why.empty()) {
      place_->cx.heap().verify("after loading");
      place_.reset();
    } else if (++refusals_ % 1024 == 0) {
      place_->cx.heap().verify("after a refusal");
      if (intern(place_->cx, "car") != Qcar) fail("a refusal changed the isolate", why);
      place_.reset();
    }
    return why;
  }

 private:
  Images() {
    // A file without a name: nothing is left behind, however the process ends.
    fd_ = memfd_create("neovm-fuzz-image", MFD_CLOEXEC);
    path_ = "/proc/self/fd/" + std::to_string(fd_);
    const char* folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    const std::string written = std::string(folder) + "/neovm-fuzz-" + std::to_string(getpid()) + ".image";
    IsolateOptions options;
    options.building = true;
    {
      Isolate isolate(options);
      Context cx(isolate);
      ObjectHeader* subr = cx.heap().allocate(ObjectKind::kSubr, sizeof(SubrObject));
      reinterpret_cast<SubrObject*>(subr)->descriptor = &desc_fuzz_image_probe;
      store(&cx.cells(intern(cx, "fuzz-function")).function, Value::pointer(subr, Tag::kObject));
      store(&cx.cells(intern(cx, "fuzz-value")).value, list(cx, {make_float(cx, 2.5), make_string(cx, "text")}));
      if (const std::string why = core::write_image(cx, written); !why.empty()) fail("cannot write the image", why);
    }
    std::ifstream in(written, std::ios::binary);
    good_.assign(std::istreambuf_iterator<char>(in), {});
    unlink(written.c_str());
    if (fd_ < 0 || good_.empty()) fail("cannot read", written);
    for (std::size_t at = 0; at < good_.size(); at += kPage) dirty_.push_back(at);
    data_ = good_;
  }
  // Makes the file what the data are; only pages that differ from what is there are written.
  void put() {
    dirty_.insert(dirty_.end(), changed_.begin(), changed_.end());
    for (const std::size_t at : dirty_) {
      if (at >= data_.size()) continue;
      const std::size_t n = std::min(kPage, data_.size() - at);
      if (pwrite(fd_, &data_[at], n, static_cast<off_t>(at)) != static_cast<ssize_t>(n)) fail("cannot write", path_);
    }
    dirty_.clear();
  }

  static constexpr std::size_t kPage = 4096;
  std::string path_;
  std::string good_;
  std::string data_;                  // the good image, with changes
  std::vector<std::size_t> changed_;  // pages of data_ that are not the good image's
  std::vector<std::size_t> dirty_;    // pages of the file that are not those of data_
  int fd_ = -1;
  std::unique_ptr<Place> place_;
  std::uint64_t refusals_ = 0;
};

}  // namespace

void image(Bytes bytes) {
  Input in(bytes);
  const unsigned mode = in.byte();
  Images& images = Images::get();
  const std::string& data = images.fresh();
  ImageHeader h;
  std::memcpy(&h, data.data(), sizeof(h));
  const std::size_t tail = kBodyOffset + (h.blocks << heap_map::kBlockShift);
  const bool names_only = (mode & 2) != 0;
  for (int change = 0; change < 16 && !in.empty(); ++change) {
    const unsigned where = in.byte() % 3;
    std::size_t begin = 0;
    std::size_t length = sizeof(ImageHeader);
    if (names_only) {
      begin = h.names.offset;
      length = h.names.count;
    } else if (where == 1) {
      begin = tail;
      length = data.size() - tail;
    } else if (where == 2) {
      begin = kBodyOffset;
      length = tail - kBodyOffset;
    }
    std::size_t at = in.byte();
    if (where != 0 || names_only)
      at |= static_cast<std::size_t>(in.byte()) << 8 | static_cast<std::size_t>(in.byte()) << 16;
    for (unsigned n = 1 + in.byte() % 16; n > 0; --n, ++at) {
      const std::uint8_t byte = in.byte();
      images.poke(begin + at % length, &byte, 1);
    }
  }
  std::memcpy(&h, data.data(), sizeof(h));
  if (names_only) {
    const std::uint64_t seed = core::image::checksum(&h, offsetof(ImageHeader, checksum), h.build_id);
    const std::uint64_t body = core::image::checksum(&data[kBodyOffset], tail - kBodyOffset, seed);
    h.checksum = core::image::checksum(&data[tail], data.size() - tail, body);
  }
  if ((mode & 3) != 0) {
    h.header_checksum = core::image::checksum(&h, offsetof(ImageHeader, header_checksum), h.format);
    images.poke(0, &h, sizeof(h));
  }
  const bool same = images.same();
  if ((mode & 8) != 0 && !names_only) images.cut(data.size() - 1 - mode * 97 % (data.size() - 1));
  const std::string why = images.load((mode & 4) == 0);
  if (why.empty() && !names_only && !same) fail("a damaged image was loaded", std::to_string(mode));
  if (!why.empty() && same && (mode & 8) == 0) fail("a good image was refused", why);
}

}  // namespace neovm::fuzz
