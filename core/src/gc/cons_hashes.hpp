// Identity hashes of conses, by address. Conses have no header to keep one in.
//
// Open addressing; entries leave only when the collector rebuilds the table, so no tombstones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace neovm::core::gc {

class ConsHashes {
 public:
  struct Entry {
    std::uint64_t address;  // 0: empty
    std::uint32_t hash;
  };

  [[nodiscard]] std::size_t size() const { return used_; }
  // Hash of the cons at `address`; 0 when it has none.
  [[nodiscard]] std::uint32_t find(std::uint64_t address) const {
    if (used_ == 0) return 0;
    for (std::size_t i = slot(address);; i = (i + 1) & (entries_.size() - 1)) {
      if (entries_[i].address == address) return entries_[i].hash;
      if (entries_[i].address == 0) return 0;
    }
  }
  // Precondition: `address` has none yet.
  void add(std::uint64_t address, std::uint32_t hash) {
    if ((used_ + 1) * 2 > entries_.size()) grow();
    place({address, hash});
  }
  // Hands every entry to `fn` and leaves the table empty.
  template <class Fn>
  void drain(Fn&& fn) {
    std::vector<Entry> old;
    old.swap(entries_);
    used_ = 0;
    for (const Entry& e : old)
      if (e.address != 0) fn(e);
  }
  template <class Fn>
  void each(Fn&& fn) const {
    for (const Entry& e : entries_)
      if (e.address != 0) fn(e);
  }

 private:
  [[nodiscard]] std::size_t slot(std::uint64_t address) const {
    return ((address >> 4) * 0x9E3779B97F4A7C15U >> 32) & (entries_.size() - 1);
  }
  void place(const Entry& e) {
    std::size_t i = slot(e.address);
    while (entries_[i].address != 0) i = (i + 1) & (entries_.size() - 1);
    entries_[i] = e;
    ++used_;
  }
  void grow() {
    std::vector<Entry> old;
    old.swap(entries_);
    entries_.assign(old.empty() ? 64 : old.size() * 2, Entry{0, 0});
    used_ = 0;
    for (const Entry& e : old)
      if (e.address != 0) place(e);
  }

  std::vector<Entry> entries_;
  std::size_t used_ = 0;
};

}  // namespace neovm::core::gc
