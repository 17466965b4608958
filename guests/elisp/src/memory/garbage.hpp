// Lisp's side of collections: counters, finalizers, post-gc-hook.
#pragma once

#include "neovm/abi/api.hpp"

namespace neovm::elisp {

// After every collection: gcs-done and gc-elapsed.
void note_collection(Context& cx);
// To be called where Lisp may run, after a collection that left finalizers ready, or when post-gc-hook is
// set. Errors of finalizers and of the hook go no further.
void run_after_collection_re(Context& cx);

}  // namespace neovm::elisp
