// Walking a list that Lisp made, which may be circular.
#pragma once

#include "neovm/abi/layout.hpp"

namespace neomacs::host {

// Told each tail after the first, answers true when the list goes round (a mark jumps ahead at doubling distances).
class ListCycle {
 public:
  explicit ListCycle(neovm::Value start) : mark_(start) {}
  bool step(neovm::Value tail) {
    if (tail.is_cons() && tail == mark_) return true;
    if (--left_ == 0) {
      power_ *= 2;
      left_ = power_;
      mark_ = tail;
    }
    return false;
  }

 private:
  neovm::Value mark_;
  std::uint64_t power_ = 2;
  std::uint64_t left_ = 2;
};

}  // namespace neomacs::host
