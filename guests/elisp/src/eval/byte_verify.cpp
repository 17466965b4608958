#include "byte_verify.hpp"

#include "machine.hpp"
#include "neovm/abi/api.hpp"

namespace neovm::elisp {

Value verify_byte_code(Context& cx, Value object) {
  if (slot_count_raw(object) < 4) return signal_error1(cx, Qinvalid_function, object);
  const Value code = slot_raw(object, 1);
  if (!code.is_string()) return wrong_type(cx, Qstringp, code);
  if (!is_vector(slot_raw(object, 2))) return wrong_type(cx, Qvectorp, slot_raw(object, 2));
  const Value depth = slot_raw(object, 3);
  if (!depth.is_natnum_fixnum() || depth.as_fixnum() > 0xFFFF) return wrong_type(cx, Qwholenump, depth);
  if (string_multibyte(code)) {
    const Value bytes = TRY(make_unibyte_string(cx, to_std_string(code)));
    set_slot_raw(object, 1, bytes);
  }
  header_raw(object)->aux = 1;
  return kNil;
}

}  // namespace neovm::elisp
