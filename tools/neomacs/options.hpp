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
  std::string program;           // the program's own file, absolute; "": unknown
  std::string image;             // --image FILE
  std::string build_image;       // --neovm-build-image FILE
  bool bare = false;             // --neovm-bare: no image, no Lisp library; -l, --eval and -f in order
  bool tier1 = true;             // --neovm-tier=0: forms and stack byte-code only
  unsigned tier_rounds = 0;      // --neovm-tier-rounds=N: rounds of loops before one gets register code; 0: as built in
  unsigned tier_threshold = 0;   // --neovm-tier-threshold=N: calls before a function gets register code; 0: as built in
  bool tier_source = true;       // --neovm-tier-source=0: interpreted functions are not compiled
  bool tier_count = false;       // --neovm-tier-count: count instructions for neovm-tier-statistics
  bool tier_report = false;      // --neovm-tier-report[=FILE]: count, and tell at exit, …
  std::string tier_report_file;  // … in this file, one line of JSON for each process (empty: as text)
  unsigned jobs = 0;             // -j N: workers that run Lisp tasks; 0: one for each processor
  unsigned gc_stress = 0;        // --neovm-gc-stress[=N]: collect at every N-th safepoint, poison what died, report
  bool task_stats = false;       // --neovm-task-stats: what the workers did, at exit
  std::string task_trace;        // --neovm-task-trace=FILE: who ran where, for Perfetto
  std::size_t memory_limit = 0;  // --neovm-memory-limit=MB, in bytes; 0: by the machine's memory
  bool no_image = false;         // --neovm-no-image: load the Lisp library from its files
  std::vector<std::string> args;  // command-line-args, the program's name first
};

// False, with a message in *error, when an option lacks its argument.
bool parse_options(int argc, char** argv, Options* options, std::string* error);

}  // namespace neomacs
