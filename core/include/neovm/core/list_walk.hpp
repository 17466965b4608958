// Walking lists that may be circular or dotted.
#pragma once

#include <cstdint>

#include "neovm/abi/error.hpp"
#include "neovm/abi/layout.hpp"

namespace neovm::core {

// Brent's cycle finder: `step(tail)` is told each tail after the first and answers true when the list goes
// round. The mark jumps forward at growing distances, so a plain list costs one compare an element. The first
// distance is 2, which fixes what `safe-length` answers for a circular list.
class CycleFinder {
 public:
  explicit CycleFinder(Value start) : mark_(start) {}
  bool step(Value tail) {
    if (--left_ != 0) return tail == mark_;
    power_ <<= 1;
    left_ = power_;
    mark_ = tail;
    return false;
  }
  // True every now and then: time to poll for a quit.
  [[nodiscard]] bool at_poll() const { return left_ == power_ && power_ >= 4096; }

 private:
  Value mark_;
  std::uint64_t power_ = 2;
  std::uint64_t left_ = 2;
};

}  // namespace neovm::core
