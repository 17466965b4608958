// The isolate's private tables, for the image only.
#pragma once

#include "neovm/core/isolate.hpp"

namespace neovm::core {

struct ImageParts {
  static std::vector<Value>& table(Isolate& i) { return i.table_; }
  static std::vector<SymbolCells*>& cell_chunks(Isolate& i) { return i.cell_chunks_; }
  static std::uint32_t& next_symbol_id(Isolate& i) { return i.next_symbol_id_; }
  static std::size_t& symbol_total(Isolate& i) { return i.symbol_total_; }
  static std::size_t& table_used(Isolate& i) { return i.table_used_; }
  static bool& table_has_young(Isolate& i) { return i.table_has_young_; }
};

}  // namespace neovm::core
