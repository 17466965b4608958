// The one-word value that every layer passes around.
//
// A Value is 64 bits. The low three bits are the tag:
//
//   000 / 100  fixnum, 62 bits, value << 2 (so both patterns are "low two bits zero")
//   001        cons: two words without a header
//   010        string: headed object (layout.hpp)
//   011        symbol: either an id (word < 2^32, id << 3) whose cells live in the isolate,
//              or a pointer to a heap symbol that carries its own cells
//   101        float: headed box
//   110        object: headed, ObjectKind tells which
//   111        immediate: nil, Exit, Forward, Unbound, Frozen(offset)
//
// `nil` is an immediate constant so that a nil test is one compare; as a symbol it owns id 0.
// Values are plain words: they may be copied freely and compared with ==, which is Lisp's `eq`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace neovm {

enum class Tag : std::uint8_t {
  kFixnum0 = 0,
  kCons = 1,
  kString = 2,
  kSymbol = 3,
  kFixnum1 = 4,
  kFloat = 5,
  kObject = 6,
  kImmediate = 7,
};

class Value {
 public:
  static constexpr unsigned kTagBits = 3;
  static constexpr std::uint64_t kTagMask = 7;
  // Words of the immediates; Unbound and Frozen are last so that one compare finds both.
  static constexpr std::uint64_t kNilBits = 0x07;
  static constexpr std::uint64_t kExitBits = 0x0f;
  static constexpr std::uint64_t kForwardBits = 0x17;
  static constexpr std::uint64_t kUnboundBits = 0x1f;
  static constexpr std::uint64_t kFrozenByte = 0x27;
  // Addresses handed out by the heap are above this, symbol ids below.
  static constexpr std::uint64_t kSymbolIdLimit = std::uint64_t{1} << 32;

  constexpr Value() = default;
  static constexpr Value from_bits(std::uint64_t bits) { return Value(bits); }
  static constexpr Value fixnum(std::int64_t n) { return Value(static_cast<std::uint64_t>(n) << 2); }
  static constexpr Value symbol_id(std::uint32_t id) {
    return id == 0 ? Value(kNilBits) : Value((std::uint64_t{id} << kTagBits) | 3U);
  }
  static Value pointer(const void* p, Tag tag) {
    return Value(reinterpret_cast<std::uint64_t>(p) | static_cast<std::uint64_t>(tag));
  }

  [[nodiscard]] constexpr std::uint64_t bits() const { return bits_; }
  [[nodiscard]] constexpr Tag tag() const { return static_cast<Tag>(bits_ & kTagMask); }
  [[nodiscard]] constexpr bool has_tag(Tag t) const { return tag() == t; }

  [[nodiscard]] constexpr bool is_nil() const { return bits_ == kNilBits; }
  [[nodiscard]] constexpr bool is_exit() const { return bits_ == kExitBits; }
  [[nodiscard]] constexpr bool is_unbound() const { return bits_ == kUnboundBits; }
  [[nodiscard]] constexpr bool is_frozen() const { return (bits_ & 0xff) == kFrozenByte; }
  [[nodiscard]] constexpr bool is_unbound_or_frozen() const {
    return (bits_ & kTagMask) == 7 && (bits_ & 0xff) >= kUnboundBits;
  }
  [[nodiscard]] constexpr bool is_fixnum() const { return (bits_ & 3) == 0; }
  [[nodiscard]] constexpr bool is_natnum_fixnum() const {
    return (bits_ & 3) == 0 && static_cast<std::int64_t>(bits_) >= 0;
  }
  [[nodiscard]] constexpr bool is_cons() const { return has_tag(Tag::kCons); }
  [[nodiscard]] constexpr bool is_list() const { return is_cons() || is_nil(); }
  [[nodiscard]] constexpr bool is_string() const { return has_tag(Tag::kString); }
  // True for nil too: nil is a symbol.
  [[nodiscard]] constexpr bool is_symbol() const { return has_tag(Tag::kSymbol) || is_nil(); }
  [[nodiscard]] constexpr bool is_id_symbol() const { return is_symbol() && bits_ < kSymbolIdLimit; }
  [[nodiscard]] constexpr bool is_float() const { return has_tag(Tag::kFloat); }
  [[nodiscard]] constexpr bool is_object() const { return has_tag(Tag::kObject); }
  // True for anything that lies in a heap: pointer-tagged words and not symbol ids or immediates.
  [[nodiscard]] constexpr bool is_heap() const {
    return (bits_ & 3) != 0 && !has_tag(Tag::kImmediate) && bits_ >= kSymbolIdLimit;
  }

  [[nodiscard]] constexpr std::int64_t as_fixnum() const { return static_cast<std::int64_t>(bits_) >> 2; }
  [[nodiscard]] constexpr std::uint32_t as_symbol_id() const {
    return is_nil() ? 0 : static_cast<std::uint32_t>(bits_ >> kTagBits);
  }
  // Address without the tag. Precondition: is_heap().
  template <class T>
  [[nodiscard]] T* as_pointer() const {
    return reinterpret_cast<T*>(bits_ & ~kTagMask);
  }

  friend constexpr bool operator==(Value a, Value b) { return a.bits_ == b.bits_; }
  // Lisp truth.
  [[nodiscard]] constexpr bool truthy() const { return bits_ != kNilBits; }

 private:
  explicit constexpr Value(std::uint64_t bits) : bits_(bits) {}
  std::uint64_t bits_ = kNilBits;
};

inline constexpr Value kNil = Value::from_bits(Value::kNilBits);
inline constexpr Value kExit = Value::from_bits(Value::kExitBits);
inline constexpr Value kForward = Value::from_bits(Value::kForwardBits);
inline constexpr Value kUnbound = Value::from_bits(Value::kUnboundBits);

inline constexpr std::int64_t kMostPositiveFixnum = (std::int64_t{1} << 61) - 1;
inline constexpr std::int64_t kMostNegativeFixnum = -(std::int64_t{1} << 61);
constexpr bool fits_fixnum(std::int64_t n) { return n >= kMostNegativeFixnum && n <= kMostPositiveFixnum; }

static_assert(sizeof(Value) == 8 && std::is_trivially_copyable_v<Value>);
static_assert(Value::fixnum(kMostNegativeFixnum).as_fixnum() == kMostNegativeFixnum);

class Context;  // One line of execution: VM stack, bindings, handlers (core/context.hpp).
class Isolate;  // One heap with its symbol cells (core/isolate.hpp).

}  // namespace neovm
