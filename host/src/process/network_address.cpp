// Network addresses as text: what Lisp knows as vectors of octets (IPv4) or of 16-bit groups (IPv6).
#include <cstdio>
#include <string>

#include "neovm/abi/api.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

namespace {

NEOVM_PRIMITIVE(format_network_address, "format-network-address", 1, 2, kMainOnly, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return ADDRESS as text, without its port when OMIT-PORT; nil when it is no address.")
(Context& cx, Value address, Value omit_port) {
  if (address.is_nil() || address.is_string()) return address;
  // An address of a family Emacs has no notation for: (FAMILY . BYTES).
  if (address.is_cons())
    return funcall_re(cx, intern(cx, "format"), {make_string(cx, "<Family %d>"), car_raw(address)});
  if (!is_vector(address)) return kNil;
  const std::int64_t size = slot_count_raw(address);
  const bool v4 = size == 4 || size == 5;
  if (!v4 && size != 8 && size != 9) return kNil;
  const std::int64_t groups = v4 ? 4 : 8;
  const bool port = size > groups && omit_port.is_nil();
  const std::int64_t shown = port ? groups + 1 : groups;
  std::string text;
  if (port && !v4) text.push_back('[');
  for (std::int64_t i = 0; i < shown; ++i) {
    const Value part = slot_raw(address, i);
    const std::int64_t limit = v4 && i < groups ? 255 : 65535;
    if (!part.is_fixnum() || part.as_fixnum() < 0 || part.as_fixnum() > limit) return kNil;
    if (i == groups && !v4) text.push_back(']');
    if (i > 0) text.push_back(v4 && i < groups ? '.' : ':');
    char digits[24];
    std::snprintf(digits, sizeof digits, v4 || i == groups ? "%lld" : "%llx", static_cast<long long>(part.as_fixnum()));
    text.append(digits);
  }
  return make_unibyte_string(cx, text);
}

}  // namespace

}  // namespace neomacs::host
