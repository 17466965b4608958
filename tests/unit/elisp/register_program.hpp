// Register code that tests write by hand: functions of it with names, called from Lisp.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "eval/tiers.hpp"
#include "neovm/abi/api.hpp"
#include "neovm/core/bytecode/builder.hpp"
#include "neovm/core/context.hpp"
#include "neovm/elisp/elisp.hpp"
#include "neovm/host/host.hpp"

namespace neovm::test {

// A Lisp world for them.
class RegisterWorld {
 public:
  // STRESS: collects at every safepoint, and verifies the heap each time.
  explicit RegisterWorld(bool stress = false) : isolate_(options(stress)), cx_(isolate_), kept_(cx_) {
    elisp::attach(cx_);
    neomacs::host::attach(cx_);
    kept_.values.resize(1);
  }
  static constexpr std::int64_t kSlice = 1000;
  Context& cx() { return cx_; }
  Isolate& isolate() { return isolate_; }
  Value symbol(std::string_view name) { return intern(cx_, name); }

  Value read(const std::string& text) {
    const Value result = funcall_re(cx_, Qread_from_string, {make_string(cx_, text)});
    EXPECT_FALSE(result.is_exit()) << text;
    return result.is_exit() ? kNil : car_raw(result);
  }
  std::string print(Value v) {
    if (v == kSuspended) return "suspended";
    if (v.is_exit()) {
      cx_.exit_kind = ExitKind::kNone;
      return "exit";
    }
    return to_std_string(funcall_re(cx_, Qprin1_to_string, {v}));
  }
  // The value of a form as Lisp prints it; of one that fails its error.
  std::string eval(const std::string& text) {
    return print(eval_form_re(cx_, read("(condition-case e " + text + " ((error quit) (list 'failed e)))"), Qt));
  }

  // Makes NAME a function of MANDATORY and PARAMETERS (all, one for the rest included) that runs what was built, with the
  // constants that CONSTANTS, a vector, reads as. Returns what the verifier says.
  std::string define(const char* name, core::bytecode::Builder& b, unsigned parameters, const std::string& constants,
                     int mandatory = -1, bool rest = false) {
    core::bytecode::Code code = b.finish();
    EXPECT_FALSE(b.failed()) << name;
    code.parameters = static_cast<std::uint16_t>(parameters);
    code.mandatory = static_cast<std::uint16_t>(mandatory < 0 ? static_cast<int>(parameters) : mandatory);
    code.rest = rest;
    const Value k = read(constants);
    code.constants = static_cast<std::uint16_t>(slot_count_raw(k));
    const std::int64_t shape =
        code.mandatory | static_cast<std::int64_t>(parameters - (rest ? 1 : 0)) << 8 | (rest ? 128 : 0);
    const Value parts[] = {Value::fixnum(shape), make_unibyte_string(cx_, "\300\207"), k, Value::fixnum(4)};
    kept_.values[0] = funcall_re(cx_, intern(cx_, "make-byte-code"), parts);
    // Its stack code, which never runs, is verified first, as it always is.
    EXPECT_FALSE(funcall_re(cx_, intern(cx_, "func-arity"), {kept_.values[0]}).is_exit());
    EXPECT_FALSE(funcall_re(cx_, intern(cx_, "neovm-register-code"), {kept_.values[0]}).is_exit());
    std::string why = elisp::tiers_of(cx_).adopt(cx_, kept_.values[0], std::move(code));
    EXPECT_FALSE(funcall_re(cx_, intern(cx_, "fset"), {intern(cx_, name), kept_.values[0]}).is_exit());
    return why;
  }
  // (FUNCTION) from start to end in slices of kSlice safepoints, each on a thread of its own. Returns how often it was
  // suspended.
  int run_in_slices(const char* function, std::string* result) {
    const auto elsewhere = [&](auto step) {
      Value v = kNil;
      std::thread([&] {
        auto* const here = static_cast<char*>(__builtin_frame_address(0));
        cx_.native_stack_base = here;
        cx_.native_stack_limit = here - (std::size_t{1} << 20);
        v = step();
      }).join();
      return v;
    };
    cx_.fuel = kSlice;
    cx_.on_slice_end = [](Context& cx) -> Value {
      cx.fuel = kSlice;
      return cx.may_suspend() ? kSuspended : kNil;
    };
    const Value f = intern(cx_, function);
    Value v = elsewhere([&] { return isolate_.guest_hooks().start(cx_, f, {}); });
    int suspended = 0;
    for (; v == kSuspended; ++suspended) v = elsewhere([&] { return isolate_.guest_hooks().resume(cx_, kNil); });
    cx_.on_slice_end = nullptr;
    *result = print(v);
    return suspended;
  }
  // A primitive of the test's own.
  void define_primitive(const PrimitiveDescriptor* d) {
    auto* subr = reinterpret_cast<SubrObject*>(cx_.heap().allocate(ObjectKind::kSubr, sizeof(SubrObject)));
    subr->descriptor = d;
    EXPECT_FALSE(
        funcall_re(cx_, intern(cx_, "fset"), {intern(cx_, d->name), Value::pointer(subr, Tag::kObject)}).is_exit());
  }

 private:
  static IsolateOptions options(bool stress) {
    IsolateOptions o;
    o.building = true;
    o.heap.stress = o.heap.verify = stress;
    return o;
  }
  Isolate isolate_;
  Context cx_;
  RootVector kept_;
};

}  // namespace neovm::test
