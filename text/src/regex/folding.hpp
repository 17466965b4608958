// What case folding does to ASCII characters, kept while the case table says the same.
#pragma once

#include <cstdint>
#include <vector>

#include "neovm/text/regex.hpp"

namespace neovm::text::regex {

// Compiling with folded case asks for the other cases of each letter again and again, and most patterns are compiled with one
// and the same table. Case tables change in place, so the answers are kept with all the entries that they follow from, which
// must be found unchanged: those of the 128 characters, and of the others that have a case in common with them.
class FoldingCache {
 public:
  // The answers for `folder`; null when its table is not as usual.
  const AsciiFolding* of(const CaseFolder& folder);

 private:
  struct Entry {  // of a character that is not ASCII
    int c;
    Value canonical;
    Value next;
  };
  [[nodiscard]] bool same(const Value* canonical, const Value* next, const CaseFolder& folder) const;
  bool fill(const Value* canonical, const Value* next, const CaseFolder& folder);
  bool note_way(int c, const CaseFolder& folder);

  bool filled_ = false;
  bool pairs_ = false;  // next_ is of the table of upper case, as there is none of equivalences
  Value canonical_[128];
  Value next_[128];
  std::vector<Entry> others_;
  AsciiFolding folding_;
};

}  // namespace neovm::text::regex
