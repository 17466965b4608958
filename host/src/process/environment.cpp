// process-environment: a list of "NAME=VALUE" strings, first one wins; "NAME" alone hides the variable.
#include "process/environment.hpp"

#include <unistd.h>

#include <unordered_set>

extern char** environ;  // NOLINT: POSIX's own name

namespace neomacs::host {

using namespace neovm;  // NOLINT

namespace {

enum class Found : std::uint8_t { kNo, kHidden, kValue };

Found search(Value env, std::string_view name, Value* entry) {
  Value behind = env;  // at half the speed: a circular list ends when it is caught up with
  for (std::int64_t i = 0; env.is_cons(); env = cdr_raw(env), ++i) {
    if (i > 0 && i % 2 == 0) behind = cdr_raw(behind);
    if (i > 0 && behind == env) break;
    const Value e = car_raw(env);
    if (!e.is_string()) continue;
    const std::string_view text = string_view_of(e);
    if (text.size() < name.size() || text.compare(0, name.size(), name) != 0) continue;
    *entry = e;
    if (text.size() == name.size()) return Found::kHidden;
    if (text[name.size()] == '=') return Found::kValue;
  }
  return Found::kNo;
}

Value environ_list(Context& cx) {
  Value out = kNil;
  for (char** e = environ; e != nullptr && *e != nullptr; ++e) out = cons(cx, make_string(cx, *e), out);
  return nreverse_list(out);
}

// The image must not carry the environment of the build.
NEOVM_INIT(environment, kEveryStart)(Context& cx) {
  const Value env = environ_list(cx);
  (void)set_default_re(cx, Qprocess_environment, env);
  (void)set_default_re(cx, Qinitial_environment, env);
}

NEOVM_VARIABLE(process_environment, "process-environment", kGlobalVar, kAny, kInitNil,
               "List of \"NAME=VALUE\" strings given to child processes; \"NAME\" alone hides a variable.")
NEOVM_VARIABLE(initial_environment, "initial-environment", kGlobalVar, kAny, kInitNil,
               "Environment the program was started with.")

NEOVM_PRIMITIVE(getenv_internal, "getenv-internal", 1, 2, kMainOnly, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Look VARIABLE up in the list ENV, or in process-environment; nil when unset.")
(Context& cx, Value variable, Value env) {
  TRY(check_type(cx, variable.is_string(), Qstringp, variable));
  const std::string_view name = string_view_of(variable);
  Value entry = kNil;
  const bool given = env.is_cons();
  switch (search(given ? env : variable_value(cx, Qprocess_environment), name, &entry)) {
    case Found::kNo: return kNil;
    case Found::kHidden: return boolean(given);
    case Found::kValue: break;
  }
  const std::string value(string_view_of(entry).substr(name.size() + 1));
  return string_multibyte(entry) ? make_multibyte_string(cx, value) : make_unibyte_string(cx, value);
}

}  // namespace

bool lisp_getenv(Context& cx, std::string_view name, std::string* value) {
  Value entry = kNil;
  if (search(variable_value(cx, Qprocess_environment), name, &entry) != Found::kValue) return false;
  *value = to_std_string(entry).substr(name.size() + 1);
  return true;
}

std::vector<std::string> child_environment(Context& cx) {
  std::vector<std::string> out;
  std::unordered_set<std::string> seen;
  for (Value env = variable_value(cx, Qprocess_environment); env.is_cons(); env = cdr_raw(env)) {
    const Value e = car_raw(env);
    if (!e.is_string()) continue;
    std::string text = to_std_string(e);
    text.resize(std::min(text.size(), text.find('\0')));
    const std::size_t equals = text.find('=');
    if (seen.insert(text.substr(0, equals)).second && equals != std::string::npos) out.push_back(std::move(text));
  }
  return out;
}

}  // namespace neomacs::host
