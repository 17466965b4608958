// load-average; collecting and counting storage is in memory/.
#include <cstdlib>

#include "neovm/core/context.hpp"
#include "rows.hpp"

namespace neovm::elisp {

// clang-format off
DATA_VARIES(load_average, "load-average", 0, 1, "Return the load averages of 1, 5 and 15 minutes, as integers times 100 or as floats.")
(Context& cx, Value use_floats) {
  double loads[3];
  const int n = getloadavg(loads, 3);
  if (n < 0) return error_text(cx, "load-average not implemented for this operating system");
  Value result = kNil;
  for (int i = n; i-- > 0;)
    result = cons(cx, use_floats.truthy() ? make_float(cx, loads[i]) : Value::fixnum(static_cast<std::int64_t>(loads[i] * 100)), result);
  return result;
}

}  // namespace neovm::elisp
