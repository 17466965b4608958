// What Lisp may ask about the tiers, and tell them.
#include <cstdio>

#include "compile/tier_report.hpp"
#include "eval/byte_verify.hpp"
#include "eval/machine.hpp"
#include "eval/tiers.hpp"
#include "neovm/abi/api.hpp"

namespace neovm::elisp {

namespace {

bool is_interpreted(Value function) {
  return function.is_cons() && (car_raw(function) == Qlambda || car_raw(function) == Qclosure);
}

// The byte-code object or interpreted function that FUNCTION names; kExit with an error when it is something else.
Value function_of(Context& cx, Value function) {
  if (function.is_symbol()) function = resolve_function(cx, function);
  if (is_interpreted(function)) return function;
  if (!is_byte_code(function)) return wrong_type(cx, Qbyte_code_function_p, function);
  if (state_number(function) == kNotVerified) TRY(verify_byte_code(cx, function));
  return function;
}

// The object that has the register code of FUNCTION; nil when an interpreted function has none.
Value code_object_of(Context& cx, Value function) {
  function = TRY(function_of(cx, function));
  return function.is_cons() ? tiers_of(cx).source_code(cx, function, false) : function;
}

}  // namespace

NEOVM_PRIMITIVE(neovm_tier_statistics, "neovm-tier-statistics", 0, 0, kWorkerSafe, kStateRead, kMayGc, kNoReentry,
                kNondeterministic,
                "Return an alist of what the tiers of this isolate did; instructions only with --neovm-tier-count.")
(Context& cx) {
  Value result = kNil;
  const std::vector<TierFigure> figures = tier_figures(cx);
  for (std::size_t i = figures.size(); i-- > 0;)
    result = cons(cx, cons(cx, intern(cx, figures[i].name), Value::fixnum(static_cast<std::int64_t>(figures[i].value))),
                  result);
  return result;
}

NEOVM_PRIMITIVE(neovm_register_code, "neovm-register-code", 1, 2, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kDeterministic,
                "Return the register code of FUNCTION as text, or nil when it has none; with QUICKENED as it is now.")
(Context& cx, Value function, Value quickened) {
  const Value object = TRY(code_object_of(cx, function));
  if (object.is_nil()) return kNil;
  const FunctionState* s = tiers_of(cx).state(state_number(object));
  if (s->code == nullptr) return kNil;
  RootVector roots(cx);
  roots.values = {slot_raw(object, 2)};
  const auto constant = [&](unsigned k) {
    const Value printed = funcall_re(cx, Qprin1_to_string, {slot_raw(roots.values[0], k)});
    if (printed.is_exit()) cx.exit_kind = ExitKind::kNone;
    std::string text = printed.is_exit() ? "?" : to_std_string(printed);
    if (text.size() > 60) text = text.substr(0, 57) + "...";
    return text;
  };
  const std::span<const core::bytecode::Word> words =
      quickened.truthy() ? std::span<const core::bytecode::Word>(s->own_words.get(), s->code->words.size())
                         : std::span<const core::bytecode::Word>(s->code->words);
  return make_string(cx, core::bytecode::disassemble(*s->code, words, constant));
}

NEOVM_PRIMITIVE(
    neovm_tier_sites, "neovm-tier-sites", 0, 1, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kNondeterministic,
    "Return the call sites and other sites of FUNCTION that meet many shapes (nil: the busiest calls of all), each a list: "
    "the function it is in, its word, its form, what it calls, how often, how often in vain, its state (empty, mono, "
    "poly or mega); only with --neovm-tier-count.")
(Context& cx, Value function) {
  std::vector<TierSite> sites;
  if (function.is_nil()) {
    sites = busiest_sites(cx, 20);
  } else {
    const Value object = TRY(code_object_of(cx, function));
    if (!object.is_nil()) sites = tier_sites(*tiers_of(cx).state(state_number(object)));
  }
  const auto name = [&cx](const std::string& text) { return text.empty() ? kNil : intern(cx, text); };
  Value result = kNil;
  for (std::size_t i = sites.size(); i-- > 0;) {
    const TierSite& s = sites[i];
    result = cons(cx,
                  list(cx, {name(s.function), Value::fixnum(s.word), name(std::string(core::bytecode::row(s.op).name)),
                            name(s.callee), Value::fixnum(static_cast<std::int64_t>(s.executed)),
                            Value::fixnum(static_cast<std::int64_t>(s.misses)), intern(cx, name_of(s.state))}),
                  result);
  }
  return result;
}

NEOVM_PRIMITIVE(neovm_tier_report, "neovm-tier-report", 0, 1, kMainOnly, kBlockingIo, kMayGc, kReenters,
                kNondeterministic,
                "Return what the tiers did as text; with FILE, append it there as a line of JSON for `neovm stats'.")
(Context& cx, Value file) {
  if (file.is_nil()) return make_string(cx, tier_report_text(cx));
  TRY(check_type(cx, file.is_string(), Qstringp, file));
  const std::string json = tier_report_json(cx);
  if (!symbol_function(cx, Qexpand_file_name).is_nil()) file = TRY(funcall_re(cx, Qexpand_file_name, {file}));
  const std::string name = to_std_string(file);
  std::FILE* const out = std::fopen(name.c_str(), "a");
  const bool written = out != nullptr && std::fwrite(json.data(), 1, json.size(), out) == json.size();
  if ((out != nullptr && std::fclose(out) != 0) || !written)
    return error_text(cx, "Cannot write the report to " + name);
  return Qt;
}

NEOVM_PRIMITIVE(neovm_tier_compile, "neovm-tier-compile", 1, 1, kWorkerSafe, kStateWrite, kMayGc, kNoReentry,
                kDeterministic,
                "Give FUNCTION, byte-code or interpreted, register code now; return nil when that cannot be.")
(Context& cx, Value function) {
  const Value object = TRY(function_of(cx, function));
  Tiers& tiers = tiers_of(cx);
  if (object.is_cons()) return boolean(!tiers.source_code(cx, object, true).is_nil());
  return boolean(tiers.options.enabled && tiers.translate(cx, object));
}

NEOVM_PRIMITIVE(neovm_tier_veto, "neovm-tier-veto", 1, 1, kWorkerSafe, kStateWrite, kMayGc, kNoReentry, kDeterministic,
                "Keep FUNCTION out of register code from its next call on; return nil when that cannot be.\n"
                "Byte-code stays in the stack executor, an interpreted function with all closures of the same lambda "
                "form in the interpreter.")
(Context& cx, Value function) {
  const Value object = TRY(function_of(cx, function));
  if (object.is_cons()) return boolean(tiers_of(cx).veto_source(cx, object));
  return boolean(tiers_of(cx).veto(cx, object));
}

}  // namespace neovm::elisp
