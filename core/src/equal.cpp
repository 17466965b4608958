// eql, equal and the hashes that go with them.
//
// `equal` walks cdrs in a loop and everything else by recursion to a depth of 200, past which Emacs signals
// "Stack overflow in equal". From depth 11 on it remembers the pairs it is comparing, so that structures that
// contain themselves compare equal instead of running into that limit.
#include <bit>
#include <cstring>
#include <unordered_set>

#include "neovm/abi/api.hpp"
#include "neovm/core/context.hpp"
#include "neovm/core/equal_hash.hpp"
#include "neovm/core/list_walk.hpp"

namespace neovm {

namespace {

constexpr int kMaxDepth = 200;
constexpr int kRememberDepth = 10;

bool same_raw_bytes(Value a, Value b) {
  const RawObject* x = raw_bytes_raw(a);
  const RawObject* y = raw_bytes_raw(b);
  return x->header.aux == y->header.aux && x->count == y->count && std::memcmp(x->bytes, y->bytes, x->count) == 0;
}

bool same_float(Value a, Value b) {
  return std::bit_cast<std::uint64_t>(float_raw(a)) == std::bit_cast<std::uint64_t>(float_raw(b));
}

struct PairHash {
  std::size_t operator()(const std::pair<std::uint64_t, std::uint64_t>& p) const {
    return core::mix(p.first * 31 + p.second);
  }
};

class Comparer {
 public:
  Comparer(Context& cx, bool properties) : cx_(cx), properties_(properties) {}
  Maybe<bool> compare(Value a, Value b, int depth);

 private:
  Maybe<bool> compare_conses(Value a, Value b, int depth);
  Maybe<bool> compare_objects(Value a, Value b, int depth);
  // True when this very pair is being (or has been) compared further out.
  bool met_before(Value a, Value b) { return !met_.insert({a.bits(), b.bits()}).second; }

  Context& cx_;
  bool properties_;
  std::unordered_set<std::pair<std::uint64_t, std::uint64_t>, PairHash> met_;
};

Maybe<bool> Comparer::compare(Value a, Value b, int depth) {
  if (a == b) return true;
  if (a.tag() != b.tag() || !a.is_heap()) return false;
  switch (a.tag()) {
    case Tag::kFloat: return same_float(a, b);
    case Tag::kString:
      if (!string_equal(a, b)) return false;
      if (!properties_) return true;
      if (string_raw(a)->properties.is_nil() && string_raw(b)->properties.is_nil()) return true;
      return host_hooks(cx_).string_properties_equal == nullptr || host_hooks(cx_).string_properties_equal(cx_, a, b);
    case Tag::kCons:
    case Tag::kObject: break;
    default: return false;
  }
  if (a.is_object() && header_raw(a)->kind != header_raw(b)->kind) return false;
  if (depth > kRememberDepth) {
    if (depth > kMaxDepth) return error_text(cx_, "Stack overflow in equal");
    if (met_before(a, b)) return true;
  }
  return a.is_cons() ? compare_conses(a, b, depth) : compare_objects(a, b, depth);
}

Maybe<bool> Comparer::compare_conses(Value a, Value b, int depth) {
  const Value whole = a;
  core::CycleFinder cycle(a);
  while (a.is_cons()) {
    if (!b.is_cons()) return false;
    if (!TRY(compare(car_raw(a), car_raw(b), depth + 1))) return false;
    a = cdr_raw(a);
    b = cdr_raw(b);
    if (a == b) return true;
    if (cycle.step(a)) return signal_error1(cx_, Qcircular_list, whole);
    if (cycle.at_poll()) TRY(check_quit(cx_));
  }
  return compare(a, b, depth + 1);
}

Maybe<bool> Comparer::compare_objects(Value a, Value b, int depth) {
  switch (header_raw(a)->kind) {
    case ObjectKind::kBignum:
    case ObjectKind::kBoolVector: return same_raw_bytes(a, b);
    case ObjectKind::kVector:
    case ObjectKind::kRecord:
    case ObjectKind::kByteCode:
    case ObjectKind::kCharTable:
    case ObjectKind::kSubCharTable: {
      const std::int64_t n = slot_count_raw(a);
      if (n != slot_count_raw(b)) return false;
      for (std::int64_t i = 0; i < n; ++i)
        if (!TRY(compare(slot_raw(a, i), slot_raw(b, i), depth + 1))) return false;
      return true;
    }
    case ObjectKind::kHost: {
      const HostType* type = a.as_pointer<HostObject>()->type;
      return type == b.as_pointer<HostObject>()->type && type->equal != nullptr && type->equal(cx_, a, b);
    }
    default: return false;
  }
}

}  // namespace

bool eql(Value a, Value b) {
  if (a == b) return true;
  if (a.is_float() && b.is_float()) return same_float(a, b);
  return is_bignum(a) && is_bignum(b) && same_raw_bytes(a, b);
}

Maybe<bool> equal(Context& cx, Value a, Value b) {
  // Most comparisons are over here.
  if (a == b) return true;
  if (a.tag() != b.tag() || !a.is_heap()) return false;
  if (a.is_string()) return string_equal(a, b);
  if (a.has_tag(Tag::kSymbol)) return false;
  return Comparer(cx, false).compare(a, b, 0);
}
Maybe<bool> equal_including_properties(Context& cx, Value a, Value b) { return Comparer(cx, true).compare(a, b, 0); }

namespace core {

std::uint64_t hash_bytes(const std::uint8_t* p, std::size_t n) {
  std::uint64_t h = n * 0x9E3779B97F4A7C15U;
  for (; n >= 8; p += 8, n -= 8) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    h = mix(h ^ word);
  }
  std::uint64_t word = 0;
  std::memcpy(&word, p, n);
  return mix(h ^ word);
}

std::uint64_t hash_eq(Context& cx, Value v) {
  if (v.is_fixnum()) return number_hash(static_cast<std::uint64_t>(v.as_fixnum()));
  if (!v.is_heap()) return number_hash(v.bits() >> 3);
  return number_hash(identity_hash(cx, v));
}

std::uint64_t hash_eql(Context& cx, Value v) {
  if (v.is_float()) {
    const double d = float_raw(v);
    std::uint64_t bits;
    std::memcpy(&bits, &d, sizeof bits);
    return mix(bits);
  }
  if (is_bignum(v)) return hash_bytes(raw_bytes_raw(v)->bytes, raw_bytes_raw(v)->count);
  return hash_eq(cx, v);
}

namespace {

// Structures are sampled: this deep, and this many elements a level.
constexpr int kHashDepth = 4;
constexpr int kHashElements = 12;

std::uint64_t hash_at(Context& cx, Value v, int depth) {
  if (!v.is_heap() || v.has_tag(Tag::kSymbol)) return hash_eq(cx, v);
  if (v.is_float()) return hash_eql(cx, v);
  if (v.is_string()) return hash_bytes(string_data_raw(v), static_cast<std::size_t>(string_bytes(v)));
  if (depth > kHashDepth) return 7;
  if (v.is_cons()) {
    std::uint64_t h = 11;
    int n = 0;
    for (; v.is_cons() && n < kHashElements; v = cdr_raw(v), ++n) h = mix(h * 31 + hash_at(cx, car_raw(v), depth + 1));
    return v.is_cons() || v.is_nil() ? h : mix(h * 31 + hash_at(cx, v, depth + 1));
  }
  switch (header_raw(v)->kind) {
    case ObjectKind::kBignum:
    case ObjectKind::kBoolVector: return hash_bytes(raw_bytes_raw(v)->bytes, raw_bytes_raw(v)->count);
    case ObjectKind::kVector:
    case ObjectKind::kRecord:
    case ObjectKind::kByteCode:
    case ObjectKind::kCharTable: {
      const std::int64_t n = slot_count_raw(v);
      std::uint64_t h = static_cast<std::uint64_t>(n);
      for (std::int64_t i = 0; i < n && i < kHashElements; ++i)
        h = mix(h * 31 + hash_at(cx, slot_raw(v, i), depth + 1));
      return h;
    }
    case ObjectKind::kHost:
      // Equal host objects (markers at one place) must hash alike, whatever identity they have.
      if (v.as_pointer<HostObject>()->type->equal != nullptr) return 13;
      return hash_eq(cx, v);
    default: return hash_eq(cx, v);
  }
}

}  // namespace

std::uint64_t hash_equal(Context& cx, Value v) { return hash_at(cx, v, 0); }

}  // namespace core
}  // namespace neovm
