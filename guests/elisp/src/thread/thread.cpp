// GNU threads: contexts of one isolate that switch cooperatively.
//
// An isolate starts with its main thread. Mutexes and condition variables are complete for one thread;
// make-thread is not built yet and says so.
#include <string>

#include "neovm/abi/api.hpp"

namespace neovm::elisp {
namespace {

std::string address_of(Value v) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (std::uint64_t n = v.bits() & ~Value::kTagMask; n != 0; n >>= 4) out.insert(out.begin(), kDigits[n & 15]);
  return "0x" + out;
}

// Slot 0 is the name, or nil.
Value print_named(Context& cx, Value self, const char* type) {
  const Value name = host_slot_raw(self, 0);
  return make_string(
      cx, std::string("#<") + type + " " + (name.is_string() ? to_std_string(name) : address_of(self)) + ">");
}
Value print_thread(Context& cx, Value self) { return print_named(cx, self, "thread"); }
Value print_mutex(Context& cx, Value self) { return print_named(cx, self, "mutex"); }
Value print_condition(Context& cx, Value self) { return print_named(cx, self, "condvar"); }

constexpr HostType thread_type(const char* name, Value symbol, std::uint16_t slots, std::uint16_t payload,
                               Value (*print)(Context&, Value)) {
  HostType t{};
  t.name = name;
  t.type_symbol = symbol;
  t.slot_count = slots;
  t.payload_bytes = payload;
  t.print_re = print;
  t.image = ImagePayload::kPlain;
  return t;
}

struct MutexData {
  std::int64_t count;  // how often its owner locked it
};
enum MutexSlot : int { kMutexName, kMutexOwner, kMutexSlots };
enum ConditionSlot : int { kConditionName, kConditionMutex, kConditionSlots };

constexpr HostType kThreadType = thread_type("thread", Qthread, 1, 0, print_thread);
constexpr HostType kMutexType = thread_type("mutex", Qmutex, kMutexSlots, sizeof(MutexData), print_mutex);
constexpr HostType kConditionType =
    thread_type("condition-variable", Qcondition_variable, kConditionSlots, 0, print_condition);
NEOVM_HOST_TYPE(kThreadType)
NEOVM_HOST_TYPE(kMutexType)
NEOVM_HOST_TYPE(kConditionType)

Value make_main_thread(Context& cx) { return make_host_object(cx, &kThreadType); }
NEOVM_VARIABLE(main_thread, "main-thread", kGlobalVar, kAny, make_main_thread, "The main thread.")

Value current(Context& cx) { return variable_value(cx, Qmain_thread); }

Value check_thread(Context& cx, Value v) { return is_host(v, &kThreadType) ? v : wrong_type(cx, Qthreadp, v); }
Value check_mutex(Context& cx, Value v) { return is_host(v, &kMutexType) ? v : wrong_type(cx, Qmutexp, v); }
Value check_condition(Context& cx, Value v) {
  return is_host(v, &kConditionType) ? v : wrong_type(cx, Qcondition_variable_p, v);
}

NEOVM_PRIMITIVE(current_thread, "current-thread", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the running thread.")
(Context& cx) { return current(cx); }

NEOVM_PRIMITIVE(all_threads, "all-threads", 0, 0, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return a list of all live threads.")
(Context& cx) { return list(cx, {current(cx)}); }

NEOVM_PRIMITIVE(make_thread, "make-thread", 1, 2, kMainOnly, kStateWrite, kMayGc, kReenters, kNondeterministic,
                "Start a thread that calls FUNCTION.")
(Context& cx, Value, Value name) {
  if (name.truthy() && !name.is_string()) return wrong_type(cx, Qstringp, name);
  return unimplemented(cx, "make-thread");
}

NEOVM_PRIMITIVE(thread_name, "thread-name", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the name of THREAD, or nil.")
(Context& cx, Value thread) {
  TRY(check_thread(cx, thread));
  return host_slot_raw(thread, 0);
}

NEOVM_PRIMITIVE(thread_live_p, "thread-live-p", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return t when THREAD has not finished.")
(Context& cx, Value thread) {
  TRY(check_thread(cx, thread));
  return Qt;
}

NEOVM_PRIMITIVE(thread_blocker, "thread--blocker", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return what THREAD waits for; the running one waits for nothing.")
(Context& cx, Value thread) {
  TRY(check_thread(cx, thread));
  return kNil;
}

NEOVM_PRIMITIVE(thread_join, "thread-join", 1, 1, kWorkerSafe, kStateWrite, kMayGc, kNoReentry, kDeterministic,
                "Wait for THREAD to finish; a thread cannot wait for itself.")
(Context& cx, Value thread) {
  TRY(check_thread(cx, thread));
  return error_text(cx, "Cannot join current thread");
}

NEOVM_PRIMITIVE(thread_signal, "thread-signal", 3, 3, kWorkerSafe, kStateWrite, kMayGc, kNoReentry, kDeterministic,
                "Signal ERROR-SYMBOL with DATA in THREAD.")
(Context& cx, Value thread, Value symbol, Value data) {
  TRY(check_thread(cx, thread));
  return signal_error(cx, symbol, data);
}

NEOVM_PRIMITIVE(thread_last_error, "thread-last-error", 0, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the error that ended a thread last; none has ended.")
(Context&, Value) { return kNil; }

NEOVM_PRIMITIVE(thread_yield, "thread-yield", 0, 0, kWorkerSafe, kStateWrite, kNoGc, kNoReentry, kDeterministic,
                "Let other threads run.")
(Context&) { return kNil; }

// ---- mutexes and condition variables ------------------------------------------------------------------------

NEOVM_PRIMITIVE(make_mutex, "make-mutex", 0, 1, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return a new mutex called NAME.")
(Context& cx, Value name) {
  if (name.truthy() && !name.is_string()) return wrong_type(cx, Qstringp, name);
  const Value m = make_host_object(cx, &kMutexType);
  set_host_slot_raw(m, kMutexName, name);
  return m;
}

NEOVM_PRIMITIVE(mutex_name, "mutex-name", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the name of MUTEX, or nil.")
(Context& cx, Value mutex) {
  TRY(check_mutex(cx, mutex));
  return host_slot_raw(mutex, kMutexName);
}

NEOVM_PRIMITIVE(mutex_lock, "mutex-lock", 1, 1, kWorkerSafe, kStateWrite, kNoGc, kNoReentry, kDeterministic,
                "Lock MUTEX; its owner may lock it again.")
(Context& cx, Value mutex) {
  TRY(check_mutex(cx, mutex));
  set_host_slot_raw(mutex, kMutexOwner, current(cx));
  ++host_payload_raw<MutexData>(mutex)->count;
  return kNil;
}

NEOVM_PRIMITIVE(mutex_unlock, "mutex-unlock", 1, 1, kWorkerSafe, kStateWrite, kMayGc, kNoReentry, kDeterministic,
                "Undo one lock of MUTEX.")
(Context& cx, Value mutex) {
  TRY(check_mutex(cx, mutex));
  if (host_slot_raw(mutex, kMutexOwner) != current(cx))
    return error_text(cx, "Cannot unlock mutex owned by another thread");
  if (--host_payload_raw<MutexData>(mutex)->count == 0) set_host_slot_raw(mutex, kMutexOwner, kNil);
  return kNil;
}

NEOVM_PRIMITIVE(make_condition_variable, "make-condition-variable", 1, 2, kWorkerSafe, kPureRead, kMayGc, kNoReentry,
                kDeterministic, "Return a new condition variable of MUTEX called NAME.")
(Context& cx, Value mutex, Value name) {
  TRY(check_mutex(cx, mutex));
  if (name.truthy() && !name.is_string()) return wrong_type(cx, Qstringp, name);
  const Value c = make_host_object(cx, &kConditionType);
  set_host_slot_raw(c, kConditionName, name);
  set_host_slot_raw(c, kConditionMutex, mutex);
  return c;
}

NEOVM_PRIMITIVE(condition_mutex, "condition-mutex", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the mutex of the condition variable COND.")
(Context& cx, Value cond) {
  TRY(check_condition(cx, cond));
  return host_slot_raw(cond, kConditionMutex);
}

NEOVM_PRIMITIVE(condition_name, "condition-name", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the name of the condition variable COND, or nil.")
(Context& cx, Value cond) {
  TRY(check_condition(cx, cond));
  return host_slot_raw(cond, kConditionName);
}

Value check_held(Context& cx, Value cond) {
  TRY(check_condition(cx, cond));
  if (host_slot_raw(host_slot_raw(cond, kConditionMutex), kMutexOwner) != current(cx))
    return error_text(cx, "Condition variable’s mutex is not held by current thread");
  return kNil;
}

NEOVM_PRIMITIVE(condition_notify, "condition-notify", 1, 2, kWorkerSafe, kStateWrite, kMayGc, kNoReentry,
                kDeterministic, "Wake a thread (or ALL) waiting for COND; none can be waiting.")
(Context& cx, Value cond, Value) {
  TRY(check_held(cx, cond));
  return kNil;
}

NEOVM_PRIMITIVE(condition_wait, "condition-wait", 1, 1, kWorkerSafe, kStateWrite, kMayGc, kReenters, kNondeterministic,
                "Wait for COND to be notified.")
(Context& cx, Value cond) {
  TRY(check_held(cx, cond));
  // The only thread would wait for ever.
  return unimplemented(cx, "condition-wait");
}

}  // namespace
}  // namespace neovm::elisp
