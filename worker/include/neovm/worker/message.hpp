// A message: values on their way from one heap to another.
//
// A message is a fragment of memory of its own, in a form that belongs to no heap: conses and objects lie packed in two
// areas and name each other by position, so that the receiver copies them into its nursery in one pass. What is
// immutable (string bodies above kMovedStringBytes, travelling host objects) is not copied but referred to, with a
// counted reference each; a message that is destroyed unreceived gives its references back.
//
// Ownership: a Message owns its fragment; moving it is two words. Threads: any thread may hold, move or destroy a
// message, one at a time. Nothing here allocates in a heap, runs Lisp or parks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "neovm/abi/host.hpp"
#include "neovm/core/external_body.hpp"

namespace neovm::worker {

// Strings of at least this many bytes travel by a reference to their body.
inline constexpr std::int64_t kMovedStringBytes = 1024;

// A growable array of words whose new room is not initialized.
class Words {
 public:
  Words() = default;
  ~Words();
  Words(const Words&) = delete;
  Words& operator=(const Words&) = delete;
  std::uint64_t& operator[](std::size_t i) { return data_[i]; }
  std::uint64_t* data() { return data_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  // Room for at least `words`, contents kept. Aborts the program when there is no memory.
  void reserve(std::size_t words) {
    if (words > capacity_) [[unlikely]]
      grow(words);
  }

 private:
  void grow(std::size_t words);
  std::uint64_t* data_ = nullptr;
  std::size_t capacity_ = 0;
};

// The body of a message; its layout is between transfer.cpp's two directions.
struct Fragment {
  Words conses;  // two words a cell
  Words objects;
  std::size_t cons_count = 0;
  std::size_t object_words = 0;
  std::uint64_t root = 0;
  std::uint64_t image_token = 0;  // symbol ids above the program's own mean those of this image
  std::uint64_t moved_bytes = 0;
  struct Traveller {
    const TravelHooks* hooks;
    void* reference;
  };
  std::vector<ExternalBody*> bodies;
  std::vector<Traveller> travellers;

  Fragment() = default;
  ~Fragment() { release_references(); }
  Fragment(const Fragment&) = delete;
  Fragment& operator=(const Fragment&) = delete;
  void release_references();
  // Empty, as new; capacity stays.
  void clear();
  [[nodiscard]] std::size_t held_bytes() const { return (conses.capacity() + objects.capacity()) * 8; }
};

// Fragments that wait for their next use, for all isolates of a runtime. Any thread; must outlive its Transfers.
class FragmentPool {
 public:
  // Moves up to `count` fragments into `to`; may move none.
  void take(std::vector<std::unique_ptr<Fragment>>* to, std::size_t count);
  // Takes over the last `count` of `from`. Above its bound it frees them.
  void give(std::vector<std::unique_ptr<Fragment>>* from, std::size_t count);

 private:
  static constexpr std::size_t kMost = 256;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Fragment>> free_;
};

class Message {
 public:
  Message() = default;
  explicit Message(std::unique_ptr<Fragment> fragment) : fragment_(std::move(fragment)) {}
  [[nodiscard]] bool empty() const { return fragment_ == nullptr; }
  // Bytes of the fragment in use, and bytes that travel by reference.
  [[nodiscard]] std::size_t copied_bytes() const {
    return fragment_ ? (fragment_->cons_count * 2 + fragment_->object_words) * 8 : 0;
  }
  [[nodiscard]] std::size_t moved_bytes() const { return fragment_ ? fragment_->moved_bytes : 0; }
  std::unique_ptr<Fragment> take() { return std::move(fragment_); }

 private:
  std::unique_ptr<Fragment> fragment_;
};

}  // namespace neovm::worker
