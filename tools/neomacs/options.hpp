// The command line of neomacs: Emacs's, plus a few options of our own.
//
// As in Emacs, the program itself looks at few options (--batch, --script, --version, --help, --chdir and the
// terminal ones) and leaves the rest in command-line-args for startup.el. Options are first put in Emacs's
// order of importance, because startup.el reads them from the front.
#pragma once

#include <string>
#include <vector>

namespace neomacs {

struct Options {
  bool batch = false;
  bool version = false;
  bool help = false;
  bool fingerprint = false;
  std::string chdir;
  std::string image;              // --image FILE
  std::string build_image;        // --neovm-build-image FILE
  bool bare = false;              // --neovm-bare: no image, no Lisp library; -l, --eval and -f in order
  unsigned gc_stress = 0;         // --neovm-gc-stress[=N]: collect at every N-th safepoint, poison what died, report
  bool no_image = false;          // --neovm-no-image: load the Lisp library from its files
  std::vector<std::string> args;  // command-line-args, the program's name first
};

// False, with a message in *error, when an option lacks its argument.
bool parse_options(int argc, char** argv, Options* options, std::string* error);

}  // namespace neomacs
