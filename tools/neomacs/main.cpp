// neomacs: the editor's command line. Only --batch --eval so far.
#include <cstdio>
#include <cstring>

#include "neovm/abi/api.hpp"
#include "neovm/core/context.hpp"
#include "neovm/elisp/elisp.hpp"
#include "neovm/host/host.hpp"

namespace {

neovm::Value eval_text(neovm::Context& cx, void* data) {
  using namespace neovm;
  const Value text = TRY(make_string(cx, static_cast<const char*>(data)));
  const Value read = TRY(funcall_re(cx, Qread_from_string, {text}));
  return eval_form_re(cx, car_raw(read), Qt);
}

}  // namespace

int main(int argc, char** argv) {
  neovm::IsolateOptions options;
  options.building = true;
  neovm::Isolate isolate(options);
  neovm::Context cx(isolate);
  neovm::elisp::attach(cx);
  neomacs::host::attach(cx);
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--batch") == 0) continue;
    if (std::strcmp(argv[i], "--eval") == 0 && i + 1 < argc) {
      const int status = neovm::elisp::run_toplevel_re(cx, eval_text, argv[++i]);
      if (status != 0) return status;
      continue;
    }
    std::fprintf(stderr, "neomacs: unknown option %s\n", argv[i]);
    return 1;
  }
  return 0;
}
