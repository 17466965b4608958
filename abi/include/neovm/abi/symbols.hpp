// Constants Qname for the symbols of symbols.def.
//
// Ids are process-wide and fixed at compile time, so these are plain words: no isolate is needed to
// name a symbol, only to read its cells.
#pragma once

#include "neovm/abi/value.hpp"

namespace neovm {

enum class StaticSymbol : std::uint32_t {
#define X(id, name) k_##id,
#include "neovm/abi/symbols.def"
#undef X
  kCount
};
inline constexpr std::uint32_t kStaticSymbolCount = static_cast<std::uint32_t>(StaticSymbol::kCount);

#define X(id, name) inline constexpr Value Q##id = Value::symbol_id(static_cast<std::uint32_t>(StaticSymbol::k_##id));
#include "neovm/abi/symbols.def"
#undef X
static_assert(Qnil == kNil);

// Lisp names by id, for building an isolate.
extern const char* const kStaticSymbolNames[kStaticSymbolCount];

inline constexpr Value boolean(bool b) { return b ? Qt : Qnil; }

}  // namespace neovm
