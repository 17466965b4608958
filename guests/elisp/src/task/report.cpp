// What the workers did, for Lisp: the runtime's telemetry as text, and its recording of who ran where.
#include <cstdio>

#include "task/task.hpp"

namespace neovm::elisp {

namespace {

worker::Runtime* runtime_of(Context& cx) {
  TaskState* const state = task_state(cx);
  return state == nullptr || !state->world.runtime ? nullptr : &*state->world.runtime;
}

}  // namespace

NEOVM_PRIMITIVE(neovm_task_statistics, "neovm-task-statistics", 0, 1, kMainOnly, kStateRead, kMayGc, kNoReentry,
                kNondeterministic,
                "Return as text what the workers did, nil before the first task; FORMAT `prometheus' for Prometheus.")
(Context& cx, Value format) {
  worker::Runtime* const runtime = runtime_of(cx);
  if (runtime == nullptr) return kNil;
  const worker::TelemetrySnapshot s = runtime->telemetry().snapshot();
  return make_string(cx, format == intern(cx, "prometheus") ? worker::prometheus_text(s) : worker::telemetry_table(s));
}

NEOVM_PRIMITIVE(neovm_task_trace, "neovm-task-trace", 1, 1, kMainOnly, kBlockingIo, kMayGc, kNoReentry,
                kNondeterministic, "Write who ran where into FILE, for Perfetto; return nil when nothing was recorded.")
(Context& cx, Value file) {
  TRY(check_type(cx, file.is_string(), Qstringp, file));
  worker::Runtime* const runtime = runtime_of(cx);
  if (runtime == nullptr || !runtime->trace().on()) return kNil;
  const std::string json = worker::chrome_trace_json(runtime->trace().read(), runtime->telemetry());
  std::FILE* const out = std::fopen(to_std_string(file).c_str(), "w");
  const bool written = out != nullptr && std::fwrite(json.data(), 1, json.size(), out) == json.size();
  if ((out != nullptr && std::fclose(out) != 0) || !written)
    return error_text(cx, "Cannot write the trace to " + to_std_string(file));
  return Qt;
}

}  // namespace neovm::elisp
