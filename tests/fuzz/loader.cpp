// The reader and the loader of compiled files: any bytes load, or are refused with an error.
//
// Input: mode, then text. Mode 0: a compiled file whose header is right; 1: a file as it is; 2: read by read-from-string, printed
// and read again; 3: the same with raw bytes. Forms of files are evaluated, so primitives that reach out of the
// process are taken away from Lisp first.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "neovm/abi/primitive.hpp"
#include "world.hpp"

namespace neovm::fuzz {

namespace {

using namespace std::string_literals;  // NOLINT: a header with zeros in it

constexpr const char* kHarmful[] = {"kill-emacs",
                                    "sleep-for",
                                    "signal-process",
                                    "make-thread",
                                    "set-default-file-modes",
                                    "make-list",
                                    "make-vector",
                                    "make-string",
                                    "make-bool-vector",
                                    "redirect-debugging-output",
                                    "external-debugging-output",
                                    "send-string-to-terminal",
                                    "message",
                                    "ding"};

Value tame(World& w) {
  Context& cx = w.cx();
  const Value fmakunbound = intern(cx, "fmakunbound");
  for (const PrimitiveDescriptor* d : all_primitives()) {
    bool harmful = d->effect == Effect::kBlockingIo && std::strcmp(d->name, "load") != 0;
    for (const char* name : kHarmful) harmful |= std::strcmp(name, d->name) == 0;
    if (harmful && funcall_re(cx, fmakunbound, {intern(cx, d->name)}).is_exit()) std::abort();
  }
  return w.eval(R"((cons
    (lambda (file) (condition-case e (load file nil t t t) ((error quit neovm-unimplemented) e)))
    (lambda (text)
      (condition-case e
          (let ((at 0))
            (while (< at (length text))
              (let ((one (read-from-string text at)))
                (setq at (cdr one))
                (let ((print-circle t) (print-length 50) (print-level 20))
                  (prin1-to-string (car one))))))
        ((error quit neovm-unimplemented) e)))))");
}

const char* file_name() {
  static const std::string name = [] {
    const char* folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    std::string path = std::string(folder) + "/neovm-fuzz-" + std::to_string(getpid()) + ".elc";
    return path;
  }();
  return name.c_str();
}

}  // namespace

void loader(Bytes bytes) {
  Input in(bytes);
  const unsigned mode = in.byte() % 4;
  const Bytes text = in.rest();
  World& w = World::get();
  Context& cx = w.cx();
  // A file may redefine what its world is made of: each world serves until something was loaded into it for a while.
  if (!cx.cells(intern(cx, "fuzz-tamed")).value.is_cons()) {
    w.kept(0) = tame(w);
    (void)set_default_re(cx, intern(cx, "fuzz-tamed"), w.kept(0));
  }
  w.kept(0) = cx.cells(intern(cx, "fuzz-tamed")).value;
  const std::string_view content(reinterpret_cast<const char*>(text.data()), text.size());
  if (mode >= 2) {
    w.kept(1) = mode == 2 ? make_string(cx, content) : make_unibyte_string(cx, content);
    const Value arguments[] = {w.kept(1)};
    w.run_quietly(cdr_raw(w.kept(0)), arguments);
  } else {
    std::string file;
    if (mode == 0) file = ";ELC\x1c\0\0\0\n;;; Compiled\n;;; in Emacs version 28.2\n\n"s;
    file += content;
    const int fd = open(file_name(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, file.data(), file.size()) != static_cast<ssize_t>(file.size())) std::abort();
    close(fd);
    w.kept(1) = make_string(cx, file_name());
    const Value arguments[] = {w.kept(1)};
    w.run_quietly(car_raw(w.kept(0)), arguments);
    unlink(file_name());
    // Forms ran: what they defined must not reach the next input.
    if (content.find("(def") != std::string_view::npos || content.find("(fset") != std::string_view::npos ||
        content.find("(set") != std::string_view::npos)
      World::forget();
  }
}

}  // namespace neovm::fuzz
