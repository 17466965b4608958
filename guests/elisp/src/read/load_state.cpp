#include "load_state.hpp"

namespace neovm::elisp {

ReaderState& reader_state(Context& cx) {
  auto* state = static_cast<ReaderState*>(extension_state(cx, ExtensionId::kGuestReader));
  if (state == nullptr) {
    state = new ReaderState;
    set_extension(cx, ExtensionId::kGuestReader,
                  {state, nullptr, [](void* s) { delete static_cast<ReaderState*>(s); }});
  }
  return *state;
}

}  // namespace neovm::elisp
