// Errors without exceptions.
//
// A function that can fail returns Value (kExit: a signal, throw or quit is pending in the context)
// or Maybe<T>. TRY(expr) hands the failure on. A primitive only records the error; the VM's call
// boundary runs signal-hook-function and the debugger with all bindings intact, pops whatever the
// primitive left on the binding stack, and unwinds.
#pragma once

#include <string_view>
#include <utility>

#include "neovm/abi/value.hpp"

namespace neovm {

struct ExitTag {
  constexpr operator Value() const { return kExit; }  // NOLINT: implicit on purpose
};
inline constexpr ExitTag kFailed{};

// Either a T or "pending exit".
template <class T>
class [[nodiscard]] Maybe {
 public:
  constexpr Maybe(ExitTag) : value_(), ok_(false) {}         // NOLINT
  constexpr Maybe(T v) : value_(std::move(v)), ok_(true) {}  // NOLINT
  [[nodiscard]] constexpr bool ok() const { return ok_; }
  constexpr T& get_raw() { return value_; }

 private:
  T value_;
  bool ok_;
};

namespace detail {
inline bool failed(Value v) { return v.is_exit(); }
inline Value unwrap(Value v) { return v; }
template <class T>
bool failed(const Maybe<T>& m) {
  return !m.ok();
}
template <class T>
T unwrap(Maybe<T>&& m) {
  return std::move(m.get_raw());
}
}  // namespace detail

// Evaluates to the result, or returns from the enclosing function with the failure.
#define TRY(...)                                           \
  ({                                                       \
    auto try_result_ = (__VA_ARGS__);                      \
    if (::neovm::detail::failed(try_result_)) [[unlikely]] \
      return ::neovm::kFailed;                             \
    ::neovm::detail::unwrap(std::move(try_result_));       \
  })

// Records (SYMBOL . DATA) as the pending error; always returns kFailed so that it can be returned.
ExitTag signal_error(Context& cx, Value symbol, Value data);
// Shorthands: signal with a list of the given values as data.
ExitTag signal_error0(Context& cx, Value symbol);
ExitTag signal_error1(Context& cx, Value symbol, Value a);
ExitTag signal_error2(Context& cx, Value symbol, Value a, Value b);
ExitTag signal_error3(Context& cx, Value symbol, Value a, Value b, Value c);
ExitTag wrong_type(Context& cx, Value predicate, Value v);
ExitTag args_out_of_range(Context& cx, Value a, Value b);
ExitTag args_out_of_range(Context& cx, Value a, Value b, Value c);
// (error "message"): `text` is printf-formatted by the caller and is the finished message (UTF-8).
ExitTag error_text(Context& cx, std::string_view text);
// printf-style convenience over error_text. %s takes C strings.
[[gnu::format(printf, 2, 3)]] ExitTag error_format(Context& cx, const char* format, ...);
// (throw TAG VALUE); signals no-catch when nothing catches TAG.
ExitTag throw_tag(Context& cx, Value tag, Value value);
// The primitive (or this case of it) is not built yet: signals neovm-unimplemented, which is not a
// child of `error`, and is counted.
ExitTag unimplemented(Context& cx, const char* what);

// Polls the interrupt flag (Ctrl-C, deadline, cancellation) and burns fuel; call it in loops whose
// length the argument decides. Does not run Lisp. Fails with a pending quit.
Maybe<bool> check_quit(Context& cx);

// ---- argument checks: TRY(check_…(cx, v)) -----------------------------------------------------------
inline Maybe<bool> check_type(Context& cx, bool ok, Value predicate, Value v) {
  if (!ok) [[unlikely]]
    return wrong_type(cx, predicate, v);
  return true;
}

}  // namespace neovm
