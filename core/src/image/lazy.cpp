#include "image/lazy.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "gc/heap_state.hpp"

namespace neovm::core {

namespace {

void on_fault(int signal, siginfo_t* info, void* context);

// What the process did with the signal before. Installed with the first use.
class Handler {
 public:
  Handler() {
    struct sigaction action {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    installed_ = sigaction(SIGSEGV, &action, &previous_) == 0;
  }
  [[nodiscard]] bool installed() const { return installed_; }
  void give_up() const { sigaction(SIGSEGV, &previous_, nullptr); }

 private:
  struct sigaction previous_ {};
  bool installed_ = false;
};

const Handler& handler() {
  static const Handler installed;
  return installed;
}

void on_fault(int signal, siginfo_t* info, void* /*context*/) {
  const int error = errno;
  const auto address = reinterpret_cast<std::uint64_t>(info->si_addr);
  if (info->si_code > 0 && heap_map::contains(address)) {
    const HeapState* const owner = gc::meta_of(gc::block_of(info->si_addr)).owner.load(std::memory_order_relaxed);
    if (owner != nullptr && owner->lazy_image != nullptr && owner->lazy_image->fault(address)) {
      errno = error;
      return;
    }
  }
  // Not one of ours: the instruction faults again, or the signal comes again, and is treated as it was before.
  handler().give_up();
  if (info->si_code <= 0) (void)raise(signal);
  errno = error;
}

}  // namespace

LazyImage::LazyImage(std::shared_ptr<const ImageSource> source, std::uint32_t first)
    : source_(std::move(source)),
      begin_(reinterpret_cast<std::uint64_t>(gc::block_start(first))),
      bytes_(source_->body_bytes()),
      delta_(begin_ - source_->header().base),
      made_(((bytes_ >> kPieceShift) + 63) / 64) {
  source_->lazy_users.fetch_add(1, std::memory_order_relaxed);
}

std::unique_ptr<LazyImage> LazyImage::make(std::shared_ptr<const ImageSource> source, std::uint32_t first) {
  if (!handler().installed() || source->lazy_users.load(std::memory_order_relaxed) >= kMost) return nullptr;
  if (sysconf(_SC_PAGESIZE) > static_cast<long>(kPiece)) return nullptr;
  std::unique_ptr<LazyImage> image(new LazyImage(std::move(source), first));
  return image->map() ? std::move(image) : nullptr;
}

bool LazyImage::map() {
  auto* const begin = reinterpret_cast<std::byte*>(begin_);
  if (mmap(begin, bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
    return false;
  const std::size_t blocks = bytes_ >> heap_map::kBlockShift;
  constexpr std::uint64_t kPiecesPerBlock = heap_map::kBlockSize / kPiece;
  for (std::size_t b = 0; b < blocks;) {
    std::size_t end = b;
    while (end < blocks && source_->same_everywhere(end)) ++end;
    if (end == b) {
      ++b;
      continue;
    }
    const std::uint64_t offset = std::uint64_t{b} << heap_map::kBlockShift;
    if (mmap(begin + offset, (end - b) << heap_map::kBlockShift, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
             source_->descriptor(), static_cast<off_t>(image::kBodyOffset + offset)) == MAP_FAILED)
      return false;
    for (std::uint64_t p = b * kPiecesPerBlock; p < end * kPiecesPerBlock; ++p)
      made_[p / 64] |= std::uint64_t{1} << (p % 64);
    b = end;
  }
  return true;
}

LazyImage::~LazyImage() {
  if (mmap(reinterpret_cast<void*>(begin_), bytes_, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED) {
    std::fputs("neovm: cannot give back the memory of an image\n", stderr);
    std::abort();
  }
  source_->lazy_users.fetch_sub(1, std::memory_order_relaxed);
}

bool LazyImage::fault(std::uint64_t address) {
  if (address - begin_ >= bytes_) return false;
  const std::uint64_t piece = (address - begin_) >> kPieceShift;
  std::uint64_t& word = made_[piece / 64];
  const std::uint64_t bit = std::uint64_t{1} << (piece % 64);
  if ((word & bit) != 0) return false;
  const std::uint64_t offset = piece << kPieceShift;
  auto* const to = reinterpret_cast<std::byte*>(begin_ + offset);
  if (mprotect(to, kPiece, PROT_READ | PROT_WRITE) != 0) {
    static constexpr char kText[] = "neovm: the system has no memory mapping left for an image\n";
    (void)!write(STDERR_FILENO, kText, sizeof kText - 1);
    std::abort();
  }
  word |= bit;
  ++made_count_;
  source_->relocate_to(to, offset, kPiece, delta_);
  return true;
}

}  // namespace neovm::core
