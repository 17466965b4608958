// Calling commands with arguments found as their `interactive` specs say (callint.c).
#include <string>

#include "edit/edit.hpp"

namespace neomacs::host {

NEOVM_PRIMITIVE(prefix_numeric_value, "prefix-numeric-value", 1, 1, kWorkerSafe, kPureRead, kNoGc, kNoReentry,
                kDeterministic, "Return the number that the raw prefix argument RAW stands for.")
(Context& /*cx*/, Value raw) {
  if (raw == Qminus) return Value::fixnum(-1);
  if (raw.is_cons() && car_raw(raw).is_fixnum()) return car_raw(raw);
  if (raw.is_fixnum()) return raw;
  return Value::fixnum(1);
}

namespace {

Maybe<bool> bind_all_re(Context& cx, std::initializer_list<Value> symbols) {
  for (const Value s : symbols) {
    const Value v = variable_value(cx, s);
    if (!v.is_unbound()) TRY(bind_variable_re(cx, s, v));
  }
  return true;
}

Value call_re(Context& cx, Value function, const std::initializer_list<Value>& args) {
  return funcall_re(cx, function, args);
}

// The prompt behind a code letter, with %-constructs filled in from the arguments read so far.
Value prompt_of(Context& cx, const std::string& text, bool multibyte, Value args_reversed) {
  const Value format = multibyte ? TRY(make_multibyte_string(cx, text)) : TRY(make_unibyte_string(cx, text));
  if (text.find('%') == std::string::npos) return format;
  Value all = kNil;
  for (Value l = args_reversed; l.is_cons(); l = cdr_raw(l)) all = cons(cx, car_raw(l), all);
  return funcall_re(cx, Qapply, {Qformat, format, all});
}

// The arguments for one code letter, consed onto *args in reverse; `history` gets the form that repeats each.
Maybe<bool> read_argument_re(Context& cx, char code, Value prompt, Value prefix, Value keys, std::int64_t* next_event,
                             Value* args) {
  const auto push = [&](Value v) { *args = cons(cx, v, *args); };
  switch (code) {
    case 'a':
      push(intern(cx, string_view_of(
                          TRY(call_re(cx, Qcompleting_read,
                                      {prompt, variable_value(cx, Qobarray), Qfboundp, Qt, kNil, kNil, kNil, kNil})))));
      return true;
    case 'b':
    case 'B': {
      Value d = current_buffer(cx).self;
      if (code == 'B') d = TRY(call_re(cx, Qother_buffer, {d, kNil, kNil}));
      push(TRY(call_re(cx, Qread_buffer, {prompt, d, code == 'b' ? Qt : kNil})));
      return true;
    }
    case 'c': push(TRY(call_re(cx, Qread_char, {prompt}))); return true;
    case 'C': push(TRY(call_re(cx, Qread_command, {prompt}))); return true;
    case 'd': push(Value::fixnum(current_buffer(cx).point.chars)); return true;
    case 'D':
      push(TRY(call_re(cx, Qread_directory_name, {prompt, kNil, variable_value(cx, Qdefault_directory), Qlambda})));
      return true;
    case 'f': push(TRY(call_re(cx, Qread_file_name, {prompt, kNil, kNil, Qlambda}))); return true;
    case 'F': push(TRY(call_re(cx, Qread_file_name, {prompt}))); return true;
    case 'G':
      push(TRY(call_re(cx, Qread_file_name, { prompt, kNil, kNil, kNil, TRY(make_unibyte_string(cx, "")) })));
      return true;
    case 'i': push(kNil); return true;
    case 'k':
    case 'K': push(TRY(call_re(cx, Qread_key_sequence, {prompt, kNil, code == 'K' ? Qt : kNil}))); return true;
    case 'U': push(kNil); return true;
    case 'm': {
      const Marker* m = marker_raw(current_buffer(cx).mark);
      if (m == nullptr) return error_text(cx, "The mark is not set now");
      push(Value::fixnum(m->pos.chars));
      return true;
    }
    case 'M': push(TRY(call_re(cx, Qread_string, {prompt, kNil, kNil, kNil, Qt}))); return true;
    case 'N':
      if (prefix.truthy()) {
        push(TRY(call_re(cx, Qprefix_numeric_value, {prefix})));
        return true;
      }
      [[fallthrough]];
    case 'n': push(TRY(call_re(cx, Qread_number, {prompt}))); return true;
    case 'P': push(prefix); return true;
    case 'p': push(TRY(call_re(cx, Qprefix_numeric_value, {prefix}))); return true;
    case 'r':
      push(TRY(call_re(cx, Qregion_beginning, {})));
      push(TRY(call_re(cx, Qregion_end, {})));
      return true;
    case 's': push(TRY(call_re(cx, Qread_string, {prompt}))); return true;
    case 'S': {
      const Value name = TRY(call_re(cx, Qread_string, {prompt}));
      push(name.is_string() ? intern(cx, string_view_of(name)) : name);
      return true;
    }
    case 'v': push(TRY(call_re(cx, Qread_variable, {prompt}))); return true;
    case 'x': push(TRY(call_re(cx, Qread_minibuffer, {prompt}))); return true;
    case 'X': push(TRY(call_re(cx, Qeval_minibuffer, {prompt}))); return true;
    case 'Z': push(prefix.is_nil() ? kNil : TRY(call_re(cx, Qread_non_nil_coding_system, {prompt}))); return true;
    case 'z': push(TRY(call_re(cx, Qread_coding_system, {prompt}))); return true;
    case 'e': {
      const std::int64_t n = is_vector(keys) ? slot_count_raw(keys) : 0;
      while (*next_event < n && !slot_raw(keys, *next_event).is_cons()) ++*next_event;
      if (*next_event >= n) return error_text(cx, "command must be bound to an event with parameters");
      push(slot_raw(keys, (*next_event)++));
      return true;
    }
    case '+':
    default: break;
  }
  char text[120];
  std::snprintf(text, sizeof text, "Invalid control letter ‘%c’ (#o%03o, #x%04x) in interactive calling string", code,
                static_cast<unsigned>(static_cast<unsigned char>(code)),
                static_cast<unsigned>(static_cast<unsigned char>(code)));
  return error_text(cx, text);
}

Value record_history_re(Context& cx, Value form) {
  if (symbol_function(cx, Qadd_to_history).truthy()) {
    return funcall_re(cx, Qadd_to_history, {Qcommand_history, form, kNil, Qt});
  }
  return set_variable_re(cx, Qcommand_history, cons(cx, form, variable_value(cx, Qcommand_history)));
}

// (QUOTE X) unless X evaluates to itself.
Value quoted(Context& cx, Value v) {
  const bool self = !(v.is_cons() || (v.is_symbol() && v != kNil && v != Qt));
  return self ? v : list(cx, {Qquote, v});
}

}  // namespace

NEOVM_PRIMITIVE(call_interactively, "call-interactively", 1, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic, "Call the command FUNCTION with arguments read as its interactive spec says.")
(Context& cx, Value function, Value record_flag, Value keys) {
  const std::size_t depth = binding_depth(cx);
  if (keys.is_nil()) {
    if (symbol_function(cx, Qthis_command_keys_vector).truthy())
      keys = TRY(funcall_re(cx, Qthis_command_keys_vector, {}));
  } else if (!is_vector(keys)) {
    return wrong_type(cx, Qvectorp, keys);
  }
  const Value saved_prefix = variable_value(cx, Qcurrent_prefix_arg);
  const Value prefix = saved_prefix.is_unbound() ? kNil : saved_prefix;
  const Value form = TRY(funcall_re(cx, Qinteractive_form, {function}));
  if (!form.is_cons()) return wrong_type(cx, Qcommandp, function);
  const Value specs = car_of_list(cdr_raw(form));

  if (!specs.is_string()) {
    Value environment = kNil;
    const Value definition = TRY(funcall_re(cx, Qindirect_function, {function}));
    if (definition.is_cons() && car_raw(definition) == Qclosure) environment = car_of_list(cdr_raw(definition));
    const Value values = TRY(eval_form_re(cx, specs, environment));
    TRY(list_length(cx, values));
    if (record_flag.truthy()) {
      Value items = kNil;
      for (Value l = values; l.is_cons(); l = cdr_raw(l)) items = cons(cx, quoted(cx, car_raw(l)), items);
      TRY(record_history_re(cx, cons(cx, function, nreverse_list(items))));
    }
    const Value result = TRY(funcall_re(cx, Qapply, {Qfuncall_interactively, function, values}));
    return unbind_to_re(cx, depth, result);
  }

  TRY(bind_all_re(cx, {Qthis_command, Qthis_original_command, Qreal_this_command, Qlast_command}));
  // Flags in front of the codes.
  const bool multibyte = string_multibyte(specs);
  std::string spec(string_view_of(specs));
  std::size_t i = 0;
  for (; i < spec.size(); ++i) {
    if (spec[i] == '*') {
      TRY(barf_if_read_only(cx, kNil));
    } else if (spec[i] == '^') {
      if (symbol_function(cx, Qhandle_shift_selection).truthy()) TRY(funcall_re(cx, Qhandle_shift_selection, {}));
    } else if (spec[i] == '-') {
      // Ignored: a marker of older programs.
    } else if (spec[i] != '@') {
      break;
    }
  }
  Value args = kNil;  // newest first
  std::int64_t next_event = 0;
  while (i < spec.size()) {
    std::size_t end = spec.find('\n', i);
    if (end == std::string::npos) end = spec.size();
    const char code = spec[i];
    const Value prompt = TRY(prompt_of(cx, spec.substr(i + 1, end - i - 1), multibyte, args));
    TRY(read_argument_re(cx, code, prompt, prefix, keys, &next_event, &args));
    i = end + 1;
  }
  args = nreverse_list(args);
  TRY(unbind_to_re(cx, depth, kNil));
  if (record_flag.truthy()) {
    Value items = kNil;
    for (Value l = args; l.is_cons(); l = cdr_raw(l)) items = cons(cx, quoted(cx, car_raw(l)), items);
    TRY(record_history_re(cx, cons(cx, function, nreverse_list(items))));
  }
  return funcall_re(cx, Qapply, {Qfuncall_interactively, function, args});
}

NEOVM_VARIABLE(current_prefix_arg, "current-prefix-arg", kGlobalVar, kAny, kInitNil,
               "Raw prefix argument of this command.")
NEOVM_VARIABLE(prefix_arg, "prefix-arg", kGlobalVar, kAny, kInitNil, "Raw prefix argument for the next command.")
NEOVM_VARIABLE(last_prefix_arg, "last-prefix-arg", kGlobalVar, kAny, kInitNil,
               "Raw prefix argument of the last command.")
NEOVM_VARIABLE(command_debug_status, "command-debug-status", kGlobalVar, kAny, kInitNil,
               "Debugging status of this command.")
NEOVM_VARIABLE(command_history, "command-history", kGlobalVar, kAny, kInitNil, "Recent commands that read arguments.")
NEOVM_VARIABLE(mark_even_if_inactive, "mark-even-if-inactive", kGlobalVar, kBool, kInitT,
               "Non-nil lets commands use an inactive mark.")
NEOVM_VARIABLE(mouse_leave_buffer_hook, "mouse-leave-buffer-hook", kGlobalVar, kAny, kInitNil,
               "Hook run when the mouse leaves the buffer for another interaction.")
NEOVM_VARIABLE(inhibit_mouse_event_check, "inhibit-mouse-event-check", kGlobalVar, kBool, kInitNil,
               "Non-nil lets the code e accept events without parameters.")

}  // namespace neomacs::host
