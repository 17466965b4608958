// The corpus of eval, data and fns in two isolates on two threads at once: every answer is the recorded one, and under
// ThreadSanitizer nothing that isolates share is written without order.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <barrier>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "neovm/abi/api.hpp"
#include "neovm/core/context.hpp"
#include "neovm/core/image.hpp"
#include "neovm/elisp/elisp.hpp"
#include "neovm/host/host.hpp"

namespace {

using namespace neovm;
namespace fs = std::filesystem;

// build/PRESET/bin, where this program is.
fs::path bin_folder() { return fs::read_symlink("/proc/self/exe").parent_path(); }
fs::path root() { return bin_folder().parent_path().parent_path().parent_path(); }

std::string text_of(const fs::path& file) {
  std::ostringstream out;
  out << std::ifstream(file, std::ios::binary).rdbuf();
  return out.str();
}

// As the program finds it: beside itself, or the release build's.
std::string image() {
  for (const char* place : {"neomacs.image", "../../release/bin/neomacs.image"})
    if (fs::exists(bin_folder() / place)) return (bin_folder() / place).string();
  return "";
}

struct Recorded {
  std::string id;
  std::string answer;
};

struct CorpusFile {
  std::string name;
  std::string text;
  std::vector<Recorded> recorded;  // one for each form, in order
};

// Forms whose difference from Emacs is understood: "FILE\tID".
std::set<std::string> known_differences() {
  std::set<std::string> known;
  std::istringstream lines(text_of(root() / "tests/oracle/known-differences.tsv"));
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with('#') && line.find('\t') != std::string::npos)
      known.insert(line.substr(0, line.find('\t', line.find('\t') + 1)));
  return known;
}

std::vector<CorpusFile> corpus() {
  const fs::path folder = root() / "tests/conformance/elisp";
  std::vector<fs::path> paths;
  for (const char* area : {"eval", "data", "fns"}) {
    for (const auto& entry : fs::directory_iterator(folder / area))
      if (entry.path().extension() == ".el") paths.push_back(entry.path());
    paths.push_back(folder / "generated" / (std::string(area) + ".el"));
  }
  std::sort(paths.begin(), paths.end());
  std::vector<CorpusFile> files;
  for (fs::path path : paths) {
    CorpusFile file{fs::relative(path, root()).string(), text_of(path), {}};
    std::istringstream lines(text_of(path.replace_extension(".expected")));
    for (std::string line; std::getline(lines, line);)
      if (!line.empty() && line[0] != '#')
        file.recorded.push_back({line.substr(0, line.find(' ')), line.substr(line.find(' ') + 1)});
    files.push_back(std::move(file));
  }
  return files;
}

// An image belongs to one set of primitives. This is the one that the program `neomacs` has beside its libraries'.
NEOVM_PRIMITIVE(dump_emacs_portable, "dump-emacs-portable", 1, 2, kMainOnly, kStateWrite, kMayGc, kReenters,
                kNondeterministic, "Say that no image is written here.")
(Context& cx, Value, Value) { return error_text(cx, "No image is written here"); }

// The one thing that two equal machines print differently: hexadecimal numbers of four digits or more become 0xADDRESS.
std::string without_addresses(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = text.compare(i, 2, "0x") == 0 ? text.find_first_not_of("0123456789abcdef", i + 2) : 0;
    if (end != std::string::npos && end >= i + 6) {
      out += "0xADDRESS";
      i = end;
    } else {
      out += text[i++];
    }
  }
  return out;
}

// Long answers are recorded as `BEGINNING ...[N characters, sha1 DIGEST]`: the beginning and the length are compared.
// Where Emacs itself ended, or the form silenced the driver (EXIT), any answer will do.
bool same(const std::string& recorded, std::string got) {
  if (recorded.starts_with("EXIT") || recorded.starts_with("CRASH") || recorded.starts_with("TIMEOUT"))
    return got.starts_with("OK") || got.starts_with("ERR");
  got = without_addresses(got);
  const std::size_t cut = recorded.rfind(" ...[");
  if (cut == std::string::npos || recorded.find(" characters, sha1 ", cut) == std::string::npos) return got == recorded;
  return got.size() == std::stoul(recorded.substr(cut + 5)) && got.compare(0, cut, recorded, 0, cut) == 0;
}

// One Emacs with the driver of the corpus in it, whose answers come to a variable instead of standard error.
class World {
 public:
  World(const std::string& image_file, const elisp::TierOptions& tiers) : isolate_(IsolateOptions{}), cx_(isolate_) {
    elisp::attach_context(cx_, false);
    neomacs::host::attach(cx_);
    elisp::configure_tiers(cx_, tiers);
    failure_ = core::load_image(cx_, image_file);
    if (!failure_.empty()) return;
    elisp::attach_context(cx_, true);
    run("(setq noninteractive t load-path (list \"/usr/share/emacs/28.2/lisp\"))");
    run("(let ((default-directory (car load-path))) (normal-top-level-add-subdirs-to-load-path))");
    run("(setq default-directory \"/\")");
    run("(load \"" + (root() / "tests/oracle/driver.el").string() + "\" nil t t)");
    run("(defalias 'oracle--say #'(lambda (line) (setq oracle--said line)))");
  }
  [[nodiscard]] const std::string& failure() const { return failure_; }

  // The printed answer of the form that begins in TEXT at character START (blank space and comments may come before it),
  // and where it ends.
  std::string answer(const std::string& text, std::int64_t start, std::int64_t* end) {
    const Value all = make_string(cx_, text);
    (void)set_default_re(cx_, intern(cx_, "oracle--all"), all);
    const Value read = funcall_re(cx_, Qread_from_string, {all, Value::fixnum(start)});
    if (read.is_exit()) {
      *end = -1;
      return "";
    }
    *end = cdr_raw(read).as_fixnum();
    const std::string from = std::to_string(start);
    const std::string to = std::to_string(*end);
    run("(setq oracle--form (substring oracle--all " + from + " " + to + "))");
    // The comment `;; state: NAME, NAME` right above the form names what is shown beside the value.
    run("(setq oracle--names (let ((case-fold-search nil)) (if (string-match "
        "\"\\\\(?:\\\\`\\\\|\\n\\\\);+ *state: *\\\\([^\\n]*\\\\)\\n\\\\(?:;.*\\n\\\\)*[^;\\n]\" oracle--form)"
        " (mapcar #'intern (split-string (match-string 1 oracle--form) \"[, ]+\" t)))))");
    run("(oracle--case 0 oracle--form oracle--names nil)");
    const Value said = variable_value(cx_, intern(cx_, "oracle--said"));
    return said.is_string() ? to_std_string(said).substr(std::string("@@oracle 0 = ").size()) : "nothing said";
  }

 private:
  void run(const std::string& form) {
    const Value read = funcall_re(cx_, Qread_from_string, {make_string(cx_, form)});
    if (read.is_exit() || eval_form_re(cx_, car_raw(read), kNil).is_exit()) {
      cx_.exit_kind = ExitKind::kNone;
      cx_.exit_resolved = false;
      failure_ += "failed: " + form + "\n";
    }
  }

  Isolate isolate_;
  Context cx_;
  std::string failure_;
};

// What was wrong with FILE, line by line; nothing when all of it was as recorded.
std::string run_file(const CorpusFile& file, const std::string& image_file, const elisp::TierOptions& tiers,
                     const std::set<std::string>& known) {
  World world(image_file, tiers);
  std::string wrong;
  std::int64_t at = 0;
  for (const Recorded& r : file.recorded) {
    if (!world.failure().empty()) break;
    const std::string got = world.answer(file.text, at, &at);
    if (at < 0) return wrong + file.name + ": fewer forms than answers\n";
    if (!same(r.answer, got) && !known.contains(file.name + "\t" + r.id))
      wrong += file.name + " " + r.id + ": " + got + ", not " + r.answer + "\n";
  }
  return wrong + world.failure();
}

TEST(TwoIsolates, CorpusOnTwoThreads) {
  const std::string image_file = image();
  ASSERT_NE(image_file, "") << "no image: ./neo build";
  const std::vector<CorpusFile> files = corpus();
  const std::set<std::string> known = known_differences();
  std::size_t forms = 0;
  for (const CorpusFile& file : files) forms += file.recorded.size();
  ASSERT_GT(files.size(), 10U);
  ASSERT_GT(forms, 2000U);
  // One as it comes, the other with everything in register code; what one has translated the other takes.
  elisp::TierOptions tiers[2];
  tiers[1].threshold = tiers[1].source_threshold = 1;
  tiers[0].store = tiers[1].store = elisp::make_code_store();
  std::barrier together(2);  // every file begins on both threads at once
  std::string wrong[2];
  std::thread threads[2];
  for (int i = 0; i < 2; ++i) {
    threads[i] = std::thread([&, i] {
      for (const CorpusFile& file : files) {
        together.arrive_and_wait();
        wrong[i] += run_file(file, image_file, tiers[i], known);
      }
    });
  }
  for (std::thread& t : threads) t.join();
  std::puts("");  // what forms printed has no end of line
  std::fflush(stdout);
  EXPECT_EQ(wrong[0], "");
  EXPECT_EQ(wrong[1], "");
}

}  // namespace
