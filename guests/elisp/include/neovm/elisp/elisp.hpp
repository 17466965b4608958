// The Emacs Lisp guest: what embedders and tools call.
#pragma once

#include <memory>

#include "neovm/core/context.hpp"

namespace neovm::elisp {

// Makes the isolate of `cx` an Emacs Lisp world: subrs, variables, error symbols and start-up steps of all
// layers, then attaches the machine. Once per isolate.
void attach(Context& cx);
// Gives one more context (a thread, or the first one after an image was loaded) its machine and hooks.
// Runs the kEveryStart steps when `every_start`.
void attach_context(Context& cx, bool every_start);

// Which tiers run the functions of an isolate, and what is counted on the way.
// Where isolates find register code that another has made already (compile/code_store.hpp).
class CodeStore;
std::shared_ptr<CodeStore> make_code_store();

struct TierOptions {
  bool enabled = true;           // false: forms and GNU's stack byte-code only
  bool count = false;            // instructions by tier, for the statistics
  std::uint32_t threshold = 10;  // calls after which a function gets register code; loops get it as they go round
  std::uint32_t rounds = 64;  // … of all loops in the stack executor; the one that goes the last of these is the one
  std::uint32_t head_start =
      0;               // calls of byte-code that none of this counts: what only starts a program is over by then
  bool source = true;  // interpreted functions, too, are compiled
  std::uint32_t source_threshold = 8;  // calls after which one without loops is
  std::shared_ptr<CodeStore> store;    // null: the isolate's code is its own
};
// Any time between two runs; before attach() to have it for the first one. While an image is built the tiers must
// be off: register code is not part of it.
void configure_tiers(Context& cx, const TierOptions& options);
const TierOptions& tier_options_of(Context& cx);

// Checks the byte-code that symbols name as functions or macros, or have in lists as properties, now, instead of each at its first call: for an image, so that no run
// that starts from it has to, or writes to the pages they lie on.
void verify_functions(Context& cx);

// Evaluates FORM in the lexical environment *env (nil: dynamic scoping, ((VAR . VALUE)… t): lexical). A
// (defvar X) at the top of FORM extends *env, so that a file's forms share it. `load` uses this.
Value eval_in_environment_re(Context& cx, Value form, Value* env);

// Runs `body` as the command loop would: an uncaught error is reported as Emacs does in batch mode
// (backtrace through `debug` when there is one, else the message) and 255 is returned; 0 otherwise.
int run_toplevel_re(Context& cx, Value (*body)(Context&, void*), void* data);

}  // namespace neovm::elisp
