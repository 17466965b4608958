#include "neovm/worker/message.hpp"

#include <cstdio>
#include <cstdlib>

namespace neovm::worker {

Words::~Words() { std::free(data_); }

void Words::grow(std::size_t words) {
  std::size_t capacity = capacity_ < 64 ? 64 : capacity_ * 2;
  if (capacity < words) capacity = words;
  void* p = std::realloc(data_, capacity * sizeof(std::uint64_t));
  if (p == nullptr) {
    std::fputs("neovm: no memory for a message\n", stderr);
    std::abort();
  }
  data_ = static_cast<std::uint64_t*>(p);
  capacity_ = capacity;
}

void Fragment::release_references() {
  for (ExternalBody* body : bodies) release(body);
  bodies.clear();
  for (const Traveller& t : travellers) t.hooks->drop(t.reference);
  travellers.clear();
}

void Fragment::clear() {
  release_references();
  cons_count = object_words = 0;
  root = 0;
  image_token = 0;
  moved_bytes = 0;
}

void FragmentPool::take(std::vector<std::unique_ptr<Fragment>>* to, std::size_t count) {
  const std::lock_guard lock(mutex_);
  for (; count != 0 && !free_.empty(); --count) {
    to->push_back(std::move(free_.back()));
    free_.pop_back();
  }
}

void FragmentPool::give(std::vector<std::unique_ptr<Fragment>>* from, std::size_t count) {
  std::vector<std::unique_ptr<Fragment>> surplus;  // freed without the lock
  const std::lock_guard lock(mutex_);
  for (; count != 0 && !from->empty(); --count) {
    (free_.size() < kMost ? free_ : surplus).push_back(std::move(from->back()));
    from->pop_back();
  }
}

}  // namespace neovm::worker
