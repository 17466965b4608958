// Which image a run starts from, and what happens when there is none that fits.
#pragma once

#include <string>
#include <vector>

#include "neovm/core/context.hpp"
#include "options.hpp"

namespace neomacs {

// The file of the running program, absolute; "" when nobody knows. Ask before the directory is changed: where /proc is
// missing, it is what the program was started by.
std::string program_file();

// Where images are looked for, in this order: --image and nothing else; or beside the program, where it is installed, the
// release build of the same tree. The user's cache ($XDG_CACHE_HOME or ~/.cache, neomacs/BUILD.image) comes last.
std::vector<std::string> image_places(const Options& options);

// Starts the fresh isolate of CX from the first of these images that loads. When none does, another is built with this
// program (about a second), beside it or in the user's cache, with a line about it on standard error; but never for
// --image, which is an order. Returns "" and the file in *image, or why there is nothing to start from.
std::string start_from_image(neovm::Context& cx, const Options& options, std::string* image);

}  // namespace neomacs
