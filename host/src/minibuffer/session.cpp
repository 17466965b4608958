// A minibuffer session: a buffer " *Minibuf-N*" in the minibuffer window, the prompt in front of the text, and a recursive
// edit that `exit-minibuffer' leaves.
#include "minibuffer/session.hpp"

#include "buffer/buffer.hpp"

namespace neomacs::host {

namespace {

NEOVM_VARIABLE(minibuffers, "neovm--minibuffers", kGlobalVar, kAny, kInitNil,
               "Buffers of the active minibuffers, the innermost first.")

Value call(Context& cx, const char* name, std::initializer_list<Value> args) {
  return funcall_re(cx, intern(cx, name), args);
}

Value prepare_re(Context& cx, Value buffer, Value window, Value prompt, Value initial, Value keymap) {
  TRY(call(cx, "set-window-buffer", {window, buffer}));
  TRY(call(cx, "select-window", {window, Qt}));
  TRY(call(cx, "set-buffer", {buffer}));
  TRY(call(cx, "kill-all-local-variables", {}));
  const std::size_t depth = binding_depth(cx);
  TRY(bind_variable_re(cx, Qinhibit_read_only, Qt));
  TRY(call(cx, "erase-buffer", {}));
  TRY(call(cx, "insert", {prompt}));
  const Value begin = Value::fixnum(1);
  const Value end = TRY(call(cx, "point", {}));
  TRY(call(cx, "put-text-property", {begin, end, intern(cx, "front-sticky"), Qt}));
  TRY(call(cx, "put-text-property", {begin, end, intern(cx, "rear-nonsticky"), Qt}));
  TRY(call(cx, "put-text-property", {begin, end, Qfield, Qt}));
  TRY(call(cx, "add-text-properties", {begin, end, variable_value(cx, intern(cx, "minibuffer-prompt-properties"))}));
  TRY(unbind_to_re(cx, depth, kNil));
  if (initial.is_cons()) initial = car_raw(initial);
  if (initial.is_string()) TRY(call(cx, "insert", {initial}));
  if (keymap.is_nil()) keymap = variable_value(cx, intern(cx, "minibuffer-local-map"));
  TRY(call(cx, "use-local-map", {keymap}));
  TRY(run_hook_re(cx, intern(cx, "minibuffer-setup-hook")));
  return set_variable_re(cx, intern(cx, "buffer-undo-list"), kNil);  // what the user does from here on can be undone
}

Value session_re(Context& cx, Value buffer, Value window, Value prompt, Value initial, Value keymap) {
  TRY(bind_variable_re(cx, intern(cx, "neovm--minibuffers"), cons(cx, buffer, active_minibuffers(cx))));
  TRY(prepare_re(cx, buffer, window, prompt, initial, keymap));
  TRY(bind_variable_re(cx, intern(cx, "undo-auto--undoably-changed-buffers"), kNil));
  const Value form = list(cx, {Qcatch, list(cx, {Qquote, Qexit}), list(cx, {intern(cx, "neovm--edit-loop")})});
  const Value left = TRY(eval_form_re(cx, form, Qt));
  if (left == Qt) return signal_error0(cx, Qquit);
  if (left.is_string()) return signal_error1(cx, Qerror, left);
  TRY(call(cx, "set-buffer", {buffer}));
  return call(cx, "minibuffer-contents", {});
}

}  // namespace

Value active_minibuffers(Context& cx) { return variable_value(cx, intern(cx, "neovm--minibuffers")); }

Value read_in_minibuffer_re(Context& cx, Value prompt, Value initial, Value keymap, Value history) {
  const std::int64_t nth = TRY(call(cx, "length", {active_minibuffers(cx)}))
  .as_fixnum() + 1;
  const Value name = TRY(make_string(cx, " *Minibuf-" + std::to_string(nth) + "*"));
  const Value buffer = TRY(call(cx, "get-buffer-create", {name, kNil}));
  const Value window = TRY(call(cx, "minibuffer-window", {}));
  const Value was_selected = TRY(call(cx, "selected-window", {}));
  const Value was_shown = TRY(call(cx, "window-buffer", {window}));
  const std::size_t depth = binding_depth(cx);
  host_hooks(cx).record_save_current_buffer(cx);
  // Windows go back by a clean-up form, whatever ends the session.
  const auto quoted = [&cx](Value v) { return list(cx, {Qquote, v}); };
  const Value restore =
      list(cx, {intern(cx, "progn"),
                list(cx, {intern(cx, "with-current-buffer"), quoted(buffer),
                          list(cx, {intern(cx, "let"), list(cx, {list(cx, {Qinhibit_read_only, Qt})}),
                                    list(cx, {intern(cx, "run-hooks"), quoted(intern(cx, "minibuffer-exit-hook"))}),
                                    list(cx, {intern(cx, "erase-buffer")})})}),
                list(cx, {intern(cx, "set-window-buffer"), quoted(window), quoted(was_shown)}),
                list(cx, {intern(cx, "if"), list(cx, {intern(cx, "window-live-p"), quoted(was_selected)}),
                          list(cx, {intern(cx, "select-window"), quoted(was_selected), Qt})})});
  const Value body = list(cx, {intern(cx, "neovm--minibuffer-session"), quoted(buffer), quoted(window), quoted(prompt),
                               quoted(initial), quoted(keymap)});
  const Value text =
      TRY(unbind_to_re(cx, depth, eval_form_re(cx, list(cx, {intern(cx, "unwind-protect"), body, restore}), Qt)));
  if (history.is_cons()) history = car_raw(history);
  if (history.is_nil()) history = intern(cx, "minibuffer-history");
  if (history.is_symbol() && history != Qt && variable_true(cx, intern(cx, "history-add-new-input")))
    TRY(call(cx, "add-to-history", {history, text}));
  return text;
}

namespace {

NEOVM_PRIMITIVE(minibuffer_session, "neovm--minibuffer-session", 5, 5, kMainOnly, kBlockingIo, kMayGc, kReenters,
                kNondeterministic, "Read in BUFFER, shown in WINDOW, with PROMPT, INITIAL text and KEYMAP.")
(Context& cx, Value buffer, Value window, Value prompt, Value initial, Value keymap) {
  const std::size_t depth = binding_depth(cx);
  return unbind_to_re(cx, depth, session_re(cx, buffer, window, prompt, initial, keymap));
}

}  // namespace
}  // namespace neomacs::host
