// An image whose pages are made when they are first touched.
//
// Every isolate has its image at addresses of its own, so each address in it has to be moved, and a page with addresses cannot
// be shared. But a small task looks at a few hundredths of the library. So the isolate's blocks are inaccessible at first; the
// first access to a piece of them faults, and the handler of SIGSEGV makes that piece: access is allowed, the file's
// words are copied, addresses among them moved. Blocks without addresses (texts, numbers) are mapped from the file as they
// are, and share its pages until somebody writes.
//
// The rules this rests on:
//  1. Only the thread that runs an isolate touches its blocks, so its faults come one at a time.
//  2. The kernel is never handed an address in a piece that may be missing: it would answer EFAULT instead of raising the
//     signal. What system calls read and write (texts of strings) lies in blocks without addresses.
//  3. The blocks stay one run until the isolate ends. What is swept is emptied and given back with the run, all at once, so
//     that the address range does not crumble.
//
// The handler is the process's; it is installed before the first image of this kind. A fault elsewhere goes to whatever
// was installed before. A debugger should pass the signal on ("handle SIGSEGV nostop noprint pass").
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "image/source.hpp"

namespace neovm::core {

class LazyImage {
 public:
  // What one fault makes. Smaller pieces touch less memory, larger ones fault less often.
  static constexpr unsigned kPieceShift = 14;
  static constexpr std::uint64_t kPiece = std::uint64_t{1} << kPieceShift;
  // Each piece may cost the process a mapping, of which it may have some 65,000. Beyond so many images at a time, others are
  // copied whole.
  static constexpr unsigned kMost = 100;

  // Takes the blocks over; they are owned by the heap and have no contents. Null when it should be done otherwise.
  static std::unique_ptr<LazyImage> make(std::shared_ptr<const ImageSource> source, std::uint32_t first);
  // Makes all pieces accessible memory again, without contents.
  ~LazyImage();
  LazyImage(const LazyImage&) = delete;
  LazyImage& operator=(const LazyImage&) = delete;

  // True: the address was in a missing piece, which is there now. From the signal handler.
  bool fault(std::uint64_t address);
  [[nodiscard]] std::uint64_t pieces() const { return bytes_ >> kPieceShift; }
  [[nodiscard]] std::uint64_t pieces_made() const { return made_count_; }

 private:
  LazyImage(std::shared_ptr<const ImageSource> source, std::uint32_t first);
  bool map();

  std::shared_ptr<const ImageSource> source_;
  std::uint64_t begin_;
  std::uint64_t bytes_;
  std::uint64_t delta_;
  std::uint64_t made_count_ = 0;
  std::vector<std::uint64_t> made_;  // a bit for each piece
};

}  // namespace neovm::core
