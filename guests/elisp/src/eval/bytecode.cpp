#include "machine.hpp"
#include "neovm/abi/api.hpp"
namespace neovm::elisp {
Action run_bytecode(Context& cx, Machine&, Action) {
  unimplemented(cx, "byte-code");
  return Action::kRaise;
}
}  // namespace neovm::elisp
