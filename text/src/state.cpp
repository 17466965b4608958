#include "state.hpp"

namespace neovm::text {

TextState& text_state(Context& cx) {
  if (void* state = extension_state(cx, ExtensionId::kText)) return *static_cast<TextState*>(state);
  Extension e;
  e.state = new TextState;
  e.trace = [](void* state, Tracer& t) {
    auto* text = static_cast<TextState*>(state);
    for (CachedRegex& c : text->cache) c.case_table.trace(t);
    for (const auto& s : text->skip_sets) s->case_table.trace(t);
    text->syntax_codes.trace(t);
  };
  e.destroy = [](void* state) { delete static_cast<TextState*>(state); };
  set_extension(cx, ExtensionId::kText, e);
  return *static_cast<TextState*>(e.state);
}

}  // namespace neovm::text
