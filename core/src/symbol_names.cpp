#include "neovm/abi/symbols.hpp"

namespace neovm {

const char* const kStaticSymbolNames[kStaticSymbolCount] = {
#define X(id, name) name,
#include "neovm/abi/symbols.def"
#undef X
};

}  // namespace neovm
