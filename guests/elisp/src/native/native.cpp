// What GNU's Lisp library asks about native compilation and dumping. NeoVM has its own code generation;
// GNU's `.eln` files are not used.
#include <string>

#include "neovm/abi/api.hpp"

namespace neovm::elisp {
namespace {

NEOVM_PRIMITIVE(function_equal, "function-equal", 2, 2, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return non-nil when F1 and F2 come of the same source: one function, or closures over the same code.")
(Context&, Value a, Value b) {
  if (a == b) return Qt;
  // The parts after the environment are shared by all closures of one `lambda`, as is the code of byte code.
  if (a.is_cons() && b.is_cons() && car_raw(a) == Qclosure && car_raw(b) == Qclosure) {
    const Value x = cdr_raw(a);
    const Value y = cdr_raw(b);
    return boolean(x.is_cons() && y.is_cons() && cdr_raw(x) == cdr_raw(y));
  }
  return boolean(is_byte_code(a) && is_byte_code(b) && slot_raw(a, 1) == slot_raw(b, 1));
}

NEOVM_PRIMITIVE(comp_subr_signature, "comp--subr-signature", 1, 1, kWorkerSafe, kPureRead, kMayGc, kNoReentry,
                kDeterministic, "Return a string of SUBR's name and arity.")
(Context& cx, Value subr) {
  if (!is_subr(subr)) return wrong_type(cx, Qsubrp, subr);
  const PrimitiveDescriptor* d = subr.as_pointer<SubrObject>()->descriptor;
  const std::string max = d->max_args == kMany        ? "many"
                          : d->max_args == kUnevalled ? "unevalled"
                                                      : std::to_string(d->max_args);
  return make_string(cx, std::string(d->name) + "(" + std::to_string(d->min_args) + " . " + max + ")");
}

NEOVM_PRIMITIVE(pdumper_stats, "pdumper-stats", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return nil: this process was not started from a portable dump.")
(Context&) { return kNil; }

}  // namespace
}  // namespace neovm::elisp
