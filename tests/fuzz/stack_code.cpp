// GNU's stack byte-code, made by hand: whatever make-byte-code is given is refused or contained, and what the translator
// takes means the same as register code as in the stack executor.
//
// Input: arity byte, depth byte, argument set (and in the upper half N, when it is not 0: the program starts in the stack executor and
// goes on as register code at about the N-th round of its loops), then code. Arity: low two bits mandatory, next two optional, bit 4 rest, bit 5
// an old-style parameter list, bits 6 and 7 another shape altogether.
#include <cstdio>
#include <cstdlib>

#include "eval/tiers.hpp"
#include "world.hpp"

namespace neovm::fuzz {

namespace {

Value shape_of(World& w, unsigned arity) {
  const unsigned mandatory = arity & 3;
  const unsigned all = mandatory + (arity >> 2 & 3);
  switch (arity >> 6) {
    case 1: return Value::fixnum(static_cast<std::int64_t>(arity) * 0x9E37 - 0x40000);  // mostly nonsense
    default: break;
  }
  if ((arity & 0x20) != 0)
    return w.read((arity & 0x10) != 0 ? "(fuzz-variable &rest fuzz-local)" : "(a fuzz-variable x)");
  return Value::fixnum(mandatory | all << 8 | ((arity & 0x10) != 0 ? 128U : 0U));
}

Value function(World& w, unsigned arity, unsigned depth, Bytes code) {
  Context& cx = w.cx();
  w.kept(0) = w.constants();
  w.kept(1) = make_unibyte_string(cx, std::string_view(reinterpret_cast<const char*>(code.data()), code.size()));
  w.kept(2) = shape_of(w, arity);
  const Value parts[] = {w.kept(2), w.kept(1), w.kept(0), Value::fixnum(depth)};
  const Value f = funcall_re(cx, intern(cx, "make-byte-code"), parts);
  if (f.is_exit()) cx.exit_kind = ExitKind::kNone;
  return f;
}

// What the program tells in each of the executors; false when there are no two to compare.
bool both(unsigned arity, unsigned depth, unsigned how, Bytes code, std::string* in_stack, std::string* in_register) {
  const unsigned set = (how & 15) % World::kArgumentSets;
  const unsigned rounds = how >> 4;
  World& w = World::get();
  Context& cx = w.cx();
  Value f = function(w, arity, depth, code);
  if (f.is_exit()) return false;
  w.kept(0) = f;
  const bool known = !funcall_re(cx, intern(cx, "neovm-tier-veto"), {f}).is_exit();
  cx.exit_kind = ExitKind::kNone;
  *in_stack = w.run(w.kept(0), set);
  if (!known) return false;  // refused: no call runs it
  f = function(w, arity, depth, code);
  w.kept(0) = f;
  if (rounds != 0) {
    elisp::configure_tiers(cx, {.threshold = 1U << 30, .rounds = rounds});
    *in_register = w.run(w.kept(0), set);
    elisp::configure_tiers(cx, {});
    return *in_stack != "stopped" && *in_register != "stopped";
  }
  const Value translated = funcall_re(cx, intern(cx, "neovm-tier-compile"), {f});
  if (translated.is_exit() || translated.is_nil()) {
    cx.exit_kind = ExitKind::kNone;
    return false;
  }
  *in_register = w.run(w.kept(0), set);
  return *in_stack != "stopped" && *in_register != "stopped";
}

}  // namespace

void stack_code(Bytes bytes) {
  Input in(bytes);
  const unsigned arity = in.byte();
  const unsigned depth = in.byte();
  const unsigned how = in.byte();
  const Bytes code = in.rest();
  std::string in_stack;
  std::string in_register;
  if (!both(arity, depth, how, code, &in_stack, &in_register) || in_stack == in_register) return;
  // A program can write to lists that outlast it (a property list's, say): only a difference in a fresh world counts.
  World::forget();
  if (!both(arity, depth, how, code, &in_stack, &in_register) || in_stack == in_register) return;
  std::fprintf(stderr, "fuzz: stack code tells    %s\n      register code tells %s\n", in_stack.c_str(),
               in_register.c_str());
  World& w = World::get();
  w.kept(0) = function(w, arity, depth, code);
  (void)funcall_re(w.cx(), intern(w.cx(), "neovm-tier-compile"), {w.kept(0)});
  std::fprintf(stderr, "%s\n",
               to_std_string(funcall_re(w.cx(), intern(w.cx(), "neovm-register-code"), {w.kept(0)})).c_str());
  std::abort();
}

}  // namespace neovm::fuzz
