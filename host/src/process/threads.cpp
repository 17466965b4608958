// Threads as far as one of them goes: the main thread, mutexes and condition variables it may hold.
#include <cstdio>
#include <string>

#include "neovm/abi/api.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

namespace {

enum ThreadSlot : int { kThreadName, kThreadSlotCount };
enum MutexSlot : int { kMutexName, kMutexSlotCount };
enum ConditionSlot : int { kConditionName, kConditionMutex, kConditionSlotCount };

std::string address_text(const char* type, Value self) {
  char text[64];
  std::snprintf(text, sizeof text, "#<%s 0x%llx>", type, static_cast<unsigned long long>(self.bits() & ~7ULL));
  return text;
}

Value print_named(Context& cx, Value self, const char* type, Value name) {
  if (name.is_string()) return make_string(cx, std::string("#<") + type + " " + to_std_string(name) + ">");
  return make_string(cx, address_text(type, self));
}
Value print_thread(Context& cx, Value self) {
  return print_named(cx, self, "thread", host_slot_raw(self, kThreadName));
}
Value print_mutex(Context& cx, Value self) { return print_named(cx, self, "mutex", host_slot_raw(self, kMutexName)); }
Value print_condition(Context& cx, Value self) {
  return print_named(cx, self, "condvar", host_slot_raw(self, kConditionName));
}

const HostType kThreadType = {
    .name = "thread",
    .type_symbol = Qthread,
    .slot_count = kThreadSlotCount,
    .payload_bytes = 8,
    .trace = nullptr,
    .finalize = nullptr,
    .print_re = print_thread,
    .equal = nullptr,
    .image = ImagePayload::kPlain,
};
NEOVM_HOST_TYPE(kThreadType)
// Payload: how often the mutex is locked (by the only thread there is).
const HostType kMutexType = {
    .name = "mutex",
    .type_symbol = Qmutex,
    .slot_count = kMutexSlotCount,
    .payload_bytes = 8,
    .trace = nullptr,
    .finalize = nullptr,
    .print_re = print_mutex,
    .equal = nullptr,
    .image = ImagePayload::kPlain,
};
NEOVM_HOST_TYPE(kMutexType)
const HostType kConditionType = {
    .name = "condition-variable",
    .type_symbol = Qcondition_variable,
    .slot_count = kConditionSlotCount,
    .payload_bytes = 8,
    .trace = nullptr,
    .finalize = nullptr,
    .print_re = print_condition,
    .equal = nullptr,
    .image = ImagePayload::kPlain,
};
NEOVM_HOST_TYPE(kConditionType)

bool is_thread(Value v) { return is_host(v, &kThreadType); }
bool is_mutex(Value v) { return is_host(v, &kMutexType); }
bool is_condition(Value v) { return is_host(v, &kConditionType); }
std::int64_t& lock_count(Value mutex) { return *host_payload_raw<std::int64_t>(mutex); }

NEOVM_VARIABLE(
    main_thread, "main-thread", kGlobalVar, kAny, +[](Context& cx) { return make_host_object(cx, &kThreadType); },
    "The main thread.")

Value name_argument(Context& cx, Value name) {
  if (!name.is_nil() && !name.is_string()) return wrong_type(cx, Qstringp, name);
  return name;
}

NEOVM_PRIMITIVE(current_thread, "current-thread", 0, 0, kMainOnly, kStateRead, kNoGc, kNoReentry, kNondeterministic,
                "Return the current thread.")
(Context& cx) { return variable_value(cx, Qmain_thread); }

NEOVM_PRIMITIVE(all_threads, "all-threads", 0, 0, kMainOnly, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return the live threads.")
(Context& cx) { return list(cx, {variable_value(cx, Qmain_thread)}); }

NEOVM_PRIMITIVE(thread_name, "thread-name", 1, 1, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the name of THREAD.")
(Context& cx, Value thread) {
  TRY(check_type(cx, is_thread(thread), Qthreadp, thread));
  return host_slot_raw(thread, kThreadName);
}

NEOVM_PRIMITIVE(thread_live_p, "thread-live-p", 1, 1, kMainOnly, kStateRead, kNoGc, kNoReentry, kNondeterministic,
                "Return t when THREAD has not ended.")
(Context& cx, Value thread) {
  TRY(check_type(cx, is_thread(thread), Qthreadp, thread));
  return Qt;
}

NEOVM_PRIMITIVE(thread_blocker, "thread--blocker", 1, 1, kMainOnly, kStateRead, kNoGc, kNoReentry, kNondeterministic,
                "Return what THREAD waits for.")
(Context& cx, Value thread) {
  TRY(check_type(cx, is_thread(thread), Qthreadp, thread));
  return kNil;
}

NEOVM_PRIMITIVE(thread_join, "thread-join", 1, 1, kMainOnly, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Wait for THREAD to end and return its result.")
(Context& cx, Value thread) {
  TRY(check_type(cx, is_thread(thread), Qthreadp, thread));
  return error_text(cx, "Cannot join current thread");
}

NEOVM_PRIMITIVE(thread_yield, "thread-yield", 0, 0, kMainOnly, kStateWrite, kNoGc, kNoReentry, kNondeterministic,
                "Let another thread run.")
(Context&) { return kNil; }

NEOVM_PRIMITIVE(thread_last_error, "thread-last-error", 0, 1, kMainOnly, kStateRead, kNoGc, kNoReentry,
                kNondeterministic, "Return the error that ended the last thread that died of one.")
(Context&, Value) { return kNil; }

NEOVM_PRIMITIVE(make_thread, "make-thread", 1, 2, kMainOnly, kStateWrite, kMayGc, kNoReentry, kNondeterministic,
                "Start a thread that runs FUNCTION.")
(Context& cx, Value, Value name) {
  TRY(name_argument(cx, name));
  return unimplemented(cx, "make-thread");
}

NEOVM_PRIMITIVE(make_mutex, "make-mutex", 0, 1, kMainOnly, kStateWrite, kMayGc, kNoReentry, kDeterministic,
                "Return a new mutex named NAME.")
(Context& cx, Value name) {
  name = TRY(name_argument(cx, name));
  const Value mutex = TRY(make_host_object(cx, &kMutexType));
  set_host_slot_raw(mutex, kMutexName, name);
  return mutex;
}

NEOVM_PRIMITIVE(mutex_name, "mutex-name", 1, 1, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the name of MUTEX.")
(Context& cx, Value mutex) {
  TRY(check_type(cx, is_mutex(mutex), Qmutexp, mutex));
  return host_slot_raw(mutex, kMutexName);
}

NEOVM_PRIMITIVE(mutex_lock, "mutex-lock", 1, 1, kMainOnly, kStateWrite, kMayGc, kNoReentry, kNondeterministic,
                "Lock MUTEX; the thread that holds it may lock it again.")
(Context& cx, Value mutex) {
  TRY(check_type(cx, is_mutex(mutex), Qmutexp, mutex));
  ++lock_count(mutex);
  return kNil;
}

NEOVM_PRIMITIVE(mutex_unlock, "mutex-unlock", 1, 1, kMainOnly, kStateWrite, kMayGc, kNoReentry, kNondeterministic,
                "Undo one locking of MUTEX.")
(Context& cx, Value mutex) {
  TRY(check_type(cx, is_mutex(mutex), Qmutexp, mutex));
  if (lock_count(mutex) == 0) return error_text(cx, "Cannot unlock mutex owned by another thread");
  --lock_count(mutex);
  return kNil;
}

NEOVM_PRIMITIVE(make_condition, "make-condition-variable", 1, 2, kMainOnly, kStateWrite, kMayGc, kNoReentry,
                kDeterministic, "Return a new condition variable that goes with MUTEX.")
(Context& cx, Value mutex, Value name) {
  TRY(check_type(cx, is_mutex(mutex), Qmutexp, mutex));
  name = TRY(name_argument(cx, name));
  const Value condition = TRY(make_host_object(cx, &kConditionType));
  set_host_slot_raw(condition, kConditionName, name);
  set_host_slot_raw(condition, kConditionMutex, mutex);
  return condition;
}

NEOVM_PRIMITIVE(condition_name, "condition-name", 1, 1, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the name of COND.")
(Context& cx, Value condition) {
  TRY(check_type(cx, is_condition(condition), Qcondition_variable_p, condition));
  return host_slot_raw(condition, kConditionName);
}

NEOVM_PRIMITIVE(condition_mutex, "condition-mutex", 1, 1, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the mutex of COND.")
(Context& cx, Value condition) {
  TRY(check_type(cx, is_condition(condition), Qcondition_variable_p, condition));
  return host_slot_raw(condition, kConditionMutex);
}

NEOVM_PRIMITIVE(condition_notify, "condition-notify", 1, 2, kMainOnly, kStateWrite, kMayGc, kNoReentry,
                kNondeterministic, "Wake a thread (ALL: every one) that waits for COND.")
(Context& cx, Value condition, Value) {
  TRY(check_type(cx, is_condition(condition), Qcondition_variable_p, condition));
  if (lock_count(host_slot_raw(condition, kConditionMutex)) == 0) {
    return error_text(cx, "Condition variable’s mutex is not held by current thread");
  }
  return kNil;
}

}  // namespace
}  // namespace neomacs::host
