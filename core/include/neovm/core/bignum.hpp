// Bignums: GMP integers over limbs that live in the Lisp heap.
//
// A kBignum object holds its magnitude as little-endian limbs (no leading zero limb) and its sign in
// `aux`. It never holds a value that fits a fixnum: everything that makes an integer goes through
// integer_from_mpz, so that `eql` integers of fixnum size are `eq`.
#pragma once

#include <gmp.h>

#include <cmath>
#include <string>

#include "neovm/abi/error.hpp"
#include "neovm/abi/layout.hpp"

namespace neovm::core {

static_assert(sizeof(mp_limb_t) == 8);

// A read-only GMP view of a bignum or a fixnum. Borrows the bignum's limbs: valid until the next safepoint.
class IntegerView {
 public:
  // Precondition: is_integer(v).
  explicit IntegerView(Value v) {
    if (v.is_fixnum()) {
      const std::int64_t n = v.as_fixnum();
      limb_ = n < 0 ? mp_limb_t{0} - static_cast<mp_limb_t>(n) : static_cast<mp_limb_t>(n);
      mpz_roinit_n(z_, &limb_, n == 0 ? 0 : (n < 0 ? -1 : 1));
    } else {
      const RawObject* o = raw_bytes_raw(v);
      const auto count = static_cast<mp_size_t>(o->count / sizeof(mp_limb_t));
      mpz_roinit_n(z_, reinterpret_cast<const mp_limb_t*>(o->bytes), o->header.aux != 0 ? -count : count);
    }
  }
  IntegerView(const IntegerView&) = delete;
  IntegerView& operator=(const IntegerView&) = delete;
  [[nodiscard]] mpz_srcptr get() const { return z_; }

 private:
  mp_limb_t limb_ = 0;
  mpz_t z_;
};

// An mpz that frees itself. Its digits are C++ memory.
class Integer {
 public:
  Integer() { mpz_init(z_); }
  explicit Integer(std::int64_t n) { mpz_init_set_si(z_, n); }
  explicit Integer(double d) { mpz_init_set_d(z_, d); }
  explicit Integer(mpz_srcptr z) { mpz_init_set(z_, z); }
  ~Integer() { mpz_clear(z_); }
  Integer(const Integer&) = delete;
  Integer& operator=(const Integer&) = delete;
  [[nodiscard]] mpz_ptr get() { return z_; }
  [[nodiscard]] mpz_srcptr get() const { return z_; }

 private:
  mpz_t z_;
};

// A fixnum when it fits, else a new bignum; signals overflow-error past `integer-width` bits.
Value integer_from_mpz(Context& cx, mpz_srcptr z);
// Truncates towards zero. Precondition: finite.
Value integer_from_double(Context& cx, double d);
// Nearest double (ties to even), infinite when too large. Precondition: is_integer(v).
double integer_to_double(Value v);
// Sign of an integer: -1, 0, 1.
inline int integer_sign(Value v) {
  if (v.is_fixnum()) return v.as_fixnum() < 0 ? -1 : (v.as_fixnum() > 0 ? 1 : 0);
  return header_raw(v)->aux != 0 ? -1 : 1;
}
// Exact comparison of two numbers of any type; 2 when unordered.
int compare_integers(Value a, Value b);
// Would a result of that many bits be refused? Signals overflow-error then; to be asked before a huge computation.
Maybe<bool> check_integer_width(Context& cx, std::uint64_t bits);
// Digits of an integer in a base from 2 to 36, lower case.
std::string integer_to_string(Value v, int base);

}  // namespace neovm::core
