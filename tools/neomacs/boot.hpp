// Starting an isolate as an Emacs: from an image, or from the Lisp library's files.
#pragma once

#include <ctime>
#include <string>

#include "neovm/core/context.hpp"
#include "neovm/elisp/elisp.hpp"
#include "options.hpp"

namespace neomacs {

// A bare world: primitives, variables, buffers; none of GNU's Lisp.
void boot_bare(neovm::Context& cx);
// Starts a task's isolate from the image that the program runs from; returns "" or why not. `check`: compare its checksum.
std::string boot_image(neovm::Context& cx, const std::string& path, bool check = true);

// What the command line says of the tiers.
neovm::elisp::TierOptions tier_options(const Options& options);

// Says how tasks started in the main isolate come to their own world: from the same image, or bare where there is none.
void allow_tasks(neovm::Context& cx, const Options& options, const std::string& image);

// Facts of this run: command-line-args, noninteractive, invocation-name, default-directory …
void set_run_variables(neovm::Context& cx, const Options& options, bool bare);

// How long a start takes: neovm-start-times has the times when the program began and when its image was there.
struct StartTimes {
  timespec began;
  timespec mapped;
};
timespec now();
void set_start_times(neovm::Context& cx, const StartTimes& times);

// Runs GNU's loadup.el as its own build does and writes the image to options.build_image. Exit code.
int build_image(neovm::Context& cx, const Options& options);

// Evaluates FORM text as the command loop would; exit code.
int run_text(neovm::Context& cx, const char* text);
// Evaluates the value of `top-level`, the start of everything.
int run_top_level(neovm::Context& cx);

}  // namespace neomacs
