// Recording keyboard macros (macros.c).
//
// Events become part of the macro when the command that read them ended; without an interactive command loop none does,
// so what a program stores on its own is dropped at the end, and only a macro that is appended to keeps its events.
#include "neovm/abi/api.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

namespace {

// The variable that holds the events of finished commands while a macro is recorded.
constexpr const char* kRecorded = "neovm--recorded-macro";

Value note_re(Context& cx, const char* text) {
  return funcall_re(cx, intern(cx, "message"), { TRY(make_string(cx, text)) });
}

}  // namespace

NEOVM_COMMAND(start_kbd_macro, "start-kbd-macro", 1, 2, kMainOnly, kStateWrite, kMayGc, kReenters, kDeterministic, "P",
              "Start recording a keyboard macro; APPEND: after the last one, which is run first unless NO-EXEC.")
(Context& cx, Value append, Value no_exec) {
  if (variable_true(cx, Qdefining_kbd_macro)) return error_text(cx, "Already defining kbd macro");
  if (append.is_nil()) {
    TRY(set_variable_re(cx, intern(cx, kRecorded), make_string(cx, "")));
    TRY(note_re(cx, "Defining kbd macro..."));
    TRY(set_variable_re(cx, Qdefining_kbd_macro, Qt));
    return kNil;
  }
  const Value last = variable_value(cx, Qlast_kbd_macro);
  if (!last.is_string() && !is_vector(last)) return wrong_type(cx, Qarrayp, last);
  if (no_exec.is_nil()) TRY(funcall_re(cx, intern(cx, "execute-kbd-macro"), {last, Value::fixnum(1), kNil}));
  TRY(set_variable_re(cx, intern(cx, kRecorded), last));
  TRY(note_re(cx, "Appending to kbd macro..."));
  TRY(set_variable_re(cx, Qdefining_kbd_macro, Qt));
  return kNil;
}

NEOVM_COMMAND(end_kbd_macro, "end-kbd-macro", 0, 2, kMainOnly, kStateWrite, kMayGc, kReenters, kDeterministic, "p",
              "Finish recording a keyboard macro, and run it REPEAT - 1 more times (0: until an error).")
(Context& cx, Value repeat, Value loop_function) {
  if (!variable_true(cx, Qdefining_kbd_macro)) return error_text(cx, "Not defining kbd macro");
  std::int64_t times = 1;
  if (repeat.truthy()) times = TRY(fixnum_argument(cx, repeat));
  TRY(set_variable_re(cx, Qdefining_kbd_macro, kNil));
  const Value recorded = variable_value(cx, intern(cx, kRecorded));
  TRY(set_variable_re(cx, Qlast_kbd_macro, recorded.is_unbound() ? make_string(cx, "") : recorded));
  TRY(note_re(cx, "Keyboard macro defined"));
  if (times == 1) return kNil;
  const Value more = Value::fixnum(times == 0 ? 0 : times - 1);
  TRY(funcall_re(cx, intern(cx, "execute-kbd-macro"), {variable_value(cx, Qlast_kbd_macro), more, loop_function}));
  return kNil;
}

NEOVM_PRIMITIVE(cancel_kbd_macro_events, "cancel-kbd-macro-events", 0, 0, kMainOnly, kStateWrite, kNoGc, kNoReentry,
                kDeterministic, "Drop the events that the current command added to the keyboard macro being recorded.")
(Context&) { return kNil; }

NEOVM_PRIMITIVE(store_kbd_macro_event, "store-kbd-macro-event", 1, 1, kMainOnly, kStateWrite, kNoGc, kNoReentry,
                kDeterministic, "Store EVENT into the keyboard macro being recorded, until the current command ends.")
(Context&, Value) { return kNil; }

}  // namespace neomacs::host
