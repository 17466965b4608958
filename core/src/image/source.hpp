// An opened image file: checked, mapped read-only, its names bound to the program. Immutable, so that any number of isolates, on
// any threads, start from one.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "image/format.hpp"
#include "neovm/core/image.hpp"

namespace neovm::core {

class ImageSource {
 public:
  explicit ImageSource(std::string path) : path_(std::move(path)) {}
  ~ImageSource();
  ImageSource(const ImageSource&) = delete;
  ImageSource& operator=(const ImageSource&) = delete;
  // "" or why the file cannot be used, naming it. Once. In two steps for who wants to map the body first: the header, then the rest.
  std::string open(bool check);
  std::string open_header();
  std::string open_rest(bool check);
  // Between the two: the body has been mapped at `body`, too, and is read there from now on, so that its pages are found once.
  void use_body_at(const std::byte* body) { body_ = body; }

  [[nodiscard]] const image::ImageHeader& header() const { return h_; }
  [[nodiscard]] int descriptor() const { return fd_; }
  [[nodiscard]] std::uint64_t body_bytes() const { return body_bytes_; }
  // The blocks as the file has them: addresses are those of the window, pointers into the program are missing.
  [[nodiscard]] const std::byte* body() const { return body_; }
  template <class T>
  [[nodiscard]] std::span<const T> piece(const image::Piece& p) const {
    return {reinterpret_cast<const T*>(static_cast<const char*>(map_) + p.offset), p.count};
  }
  // The words of the body that point into the program, and what belongs there; by offset.
  struct Binding {
    std::uint64_t offset;
    const void* pointer;
  };
  [[nodiscard]] std::span<const Binding> bindings() const { return bindings_; }
  // A block without addresses and bindings is the same wherever it lies.
  [[nodiscard]] bool same_everywhere(std::size_t block) const { return same_[block]; }
  // Copies part of the body to where it is to be used, `delta` bytes from the window. `offset` and `bytes` are multiples
  // of 512.
  void relocate_to(std::byte* to, std::uint64_t offset, std::uint64_t bytes, std::uint64_t delta) const;
  [[nodiscard]] std::string message(const char* why) const { return "the image " + path_ + " " + why; }

  // Isolates that use it page by page (lazy.hpp).
  mutable std::atomic<unsigned> lazy_users{0};

 private:
  const char* open_file();
  [[nodiscard]] bool sound() const;
  std::string bind_names();
  [[nodiscard]] const char* name(std::uint64_t offset) const;

  std::string path_;
  std::string system_error_;
  int fd_ = -1;
  void* map_ = nullptr;
  const std::byte* body_ = nullptr;
  std::uint64_t map_bytes_ = 0;
  std::uint64_t body_bytes_ = 0;
  std::uint64_t tail_offset_ = 0;
  image::ImageHeader h_{};
  std::vector<Binding> bindings_;
  std::vector<bool> same_;
};

}  // namespace neovm::core
