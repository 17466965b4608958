// signal, throw, func-arity and other primitives of evaluation that need no machine support.
#include "machine.hpp"
#include "neovm/abi/api.hpp"

namespace neovm::elisp {

NEOVM_PRIMITIVE(signal, "signal", 2, 2, kWorkerSafe, kStateWrite, kMayGc, kNoReentry, kDeterministic,
                "Signal the error ERROR-SYMBOL with DATA; with a nil symbol DATA is a whole error.")
(Context& cx, Value symbol, Value data) {
  // (signal nil nil) still needs something to signal.
  if (symbol.is_nil() && data.is_nil()) symbol = Qerror;
  if (symbol.is_nil() && !data.is_list()) return wrong_type(cx, Qlistp, data);
  // Only symbols have conditions to look up.
  const Value named = symbol.is_nil() ? car_raw(data) : symbol;
  if (!named.is_symbol()) return wrong_type(cx, Qsymbolp, named);
  return signal_error(cx, symbol, data);
}

NEOVM_PRIMITIVE(throw, "throw", 2, 2, kWorkerSafe, kStateWrite, kMayGc, kNoReentry, kDeterministic,
                "Leave the `catch` of TAG with VALUE.")
(Context& cx, Value tag, Value value) {
  if (tag.is_nil()) return signal_error2(cx, Qno_catch, tag, value);
  return throw_tag(cx, tag, value);
}

NEOVM_PRIMITIVE(functionp, "functionp", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return t if OBJECT is a function.")
(Context& cx, Value object) {
  TRY(indirect_function_re(cx, object));
  return boolean(is_function(cx, object));
}

namespace {

Value arity_pair(Context& cx, std::int64_t min, std::int64_t max) {
  return cons(cx, Value::fixnum(min), max == kMany ? Qmany : (max == kUnevalled ? Qunevalled : Value::fixnum(max)));
}

Value lambda_arity(Context& cx, Value function) {
  Value params = cdr_raw(function);
  if (car_raw(function) == Qclosure) {
    if (!params.is_cons()) return signal_error1(cx, Qinvalid_function, function);
    params = cdr_raw(params);
  }
  if (!params.is_cons()) return signal_error1(cx, Qinvalid_function, function);
  params = car_raw(params);
  std::int64_t min = 0;
  std::int64_t max = 0;
  bool optional = false;
  for (; params.is_cons(); params = cdr_raw(params)) {
    const Value p = car_raw(params);
    if (!p.is_symbol()) return signal_error1(cx, Qinvalid_function, function);
    if (p == Qand_rest) return arity_pair(cx, min, kMany);
    if (p == Qand_optional) {
      optional = true;
      continue;
    }
    if (!optional) ++min;
    ++max;
  }
  if (!params.is_nil()) return signal_error1(cx, Qinvalid_function, function);
  return arity_pair(cx, min, max);
}

}  // namespace

Value func_arity_of(Context& cx, Value function) {
  const Value original = function;
  while (true) {
    function = TRY(indirect_function_re(cx, function));
    if (function.is_cons() && car_raw(function) == Qmacro) function = cdr_raw(function);
    if (is_subr(function)) {
      const PrimitiveDescriptor* d = function.as_pointer<SubrObject>()->descriptor;
      return arity_pair(cx, d->min_args, d->max_args);
    }
    if (is_byte_code(function)) {
      const Value shape = slot_raw(function, 0);
      if (shape.is_fixnum()) {
        const std::int64_t n = shape.as_fixnum();
        return arity_pair(cx, n & 127, (n & 128) != 0 ? kMany : n >> 8);
      }
      return lambda_arity(cx, list(cx, {Qlambda, shape}));
    }
    if (function.is_nil()) return signal_error1(cx, Qvoid_function, original);
    if (!function.is_cons()) return signal_error1(cx, Qinvalid_function, original);
    const Value kind = car_raw(function);
    if (!kind.is_symbol()) return signal_error1(cx, Qinvalid_function, original);
    if (kind == Qlambda || kind == Qclosure) return lambda_arity(cx, function);
    if (kind != Qautoload) return signal_error1(cx, Qinvalid_function, original);
    TRY(autoload_do_load_re(cx, function, original, kNil));
    function = original;
  }
}

NEOVM_PRIMITIVE(func_arity, "func-arity", 1, 1, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return (MIN . MAX), the number of arguments FUNCTION takes; MAX may be `many' or `unevalled'.")
(Context& cx, Value function) { return func_arity_of(cx, function); }

NEOVM_PRIMITIVE(subr_arity, "subr-arity", 1, 1, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return (MIN . MAX), the number of arguments SUBR takes.")
(Context& cx, Value subr) {
  if (!is_subr(subr)) return wrong_type(cx, Qsubrp, subr);
  const PrimitiveDescriptor* d = subr.as_pointer<SubrObject>()->descriptor;
  return arity_pair(cx, d->min_args, d->max_args);
}

NEOVM_PRIMITIVE(subr_name, "subr-name", 1, 1, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return the name of SUBR, a string.")
(Context& cx, Value subr) {
  if (!is_subr(subr)) return wrong_type(cx, Qsubrp, subr);
  return make_string(cx, subr.as_pointer<SubrObject>()->descriptor->name);
}

namespace {

// The `interactive` form of a lambda's body, nil when it has none.
Value body_interactive(Value body) {
  for (Value l = body; l.is_cons(); l = cdr_raw(l)) {
    const Value form = car_raw(l);
    if (form.is_cons() && car_raw(form) == Qinteractive) return form;
  }
  return kNil;
}

Value lambda_body(Value function) {  // (lambda ARGS . BODY) or (closure ENV ARGS . BODY)
  Value l = cdr_raw(function);
  if (car_raw(function) == Qclosure) l = cdr_of_list(l.is_list() ? l : kNil);
  return l.is_cons() ? cdr_raw(l) : kNil;
}

}  // namespace

NEOVM_PRIMITIVE(interactive_form, "interactive-form", 1, 1, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return CMD's `interactive` form, or nil when it is no command.")
(Context& cx, Value command) {
  const Value f = TRY(indirect_function_re(cx, command, true));
  if (f.is_nil()) return kNil;
  // An `interactive-form` property of any name on the way overrides.
  for (Value s = command; s.is_symbol() && !s.is_nil(); s = symbol_function(cx, s)) {
    const Value form = symbol_get(cx, s, Qinteractive_form);
    if (form.truthy()) return form;
  }
  if (is_subr(f)) {
    const char* spec = f.as_pointer<SubrObject>()->descriptor->interactive;
    if (spec == nullptr) return kNil;
    if (spec[0] == '\0') return list(cx, { Qinteractive, TRY(make_string(cx, "")) });
    if (spec[0] == '(') {
      const Value text = TRY(make_string(cx, spec));
      const Value form = TRY(funcall_re(cx, Qread_from_string, {text}));
      return list(cx, {Qinteractive, car_raw(form)});
    }
    return list(cx, { Qinteractive, TRY(make_string(cx, spec)) });
  }
  if (is_byte_code(f)) {
    if (slot_count_raw(f) <= 5) return kNil;
    Value form = slot_raw(f, 5);
    if (is_vector(form)) form = slot_count_raw(form) > 0 ? slot_raw(form, 0) : kNil;  // [FORM MODES]
    return list(cx, {Qinteractive, form});
  }
  if (!f.is_cons()) return kNil;
  if (car_raw(f) == Qautoload) {
    TRY(autoload_do_load_re(cx, f, command, kNil));
    return funcall_re(cx, Qinteractive_form, {command});
  }
  if (car_raw(f) != Qlambda && car_raw(f) != Qclosure) return kNil;
  TRY(list_length(cx, lambda_body(f)));
  const Value form = body_interactive(lambda_body(f));
  if (!form.is_cons()) return kNil;
  // (interactive SPEC MODES…): only the spec.
  const Value rest = cdr_raw(form);
  if (rest.is_cons() && cdr_raw(rest).is_cons()) return list(cx, {Qinteractive, car_raw(rest)});
  return form;
}

NEOVM_PRIMITIVE(command_modes, "command-modes", 1, 1, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return the modes that COMMAND is meant for, a list.")
(Context& cx, Value command) {
  if (command.is_symbol() && !command.is_nil()) {
    const Value modes = symbol_get(cx, command, Qcommand_modes);
    if (modes.truthy()) return modes;
  }
  const Value f = TRY(indirect_function_re(cx, command, true));
  if (is_byte_code(f)) {
    if (slot_count_raw(f) <= 5) return kNil;
    const Value form = slot_raw(f, 5);
    return is_vector(form) && slot_count_raw(form) > 1 ? slot_raw(form, 1) : kNil;
  }
  if (!f.is_cons()) return kNil;
  if (car_raw(f) == Qautoload) {
    TRY(autoload_do_load_re(cx, f, command, kNil));
    return funcall_re(cx, Qcommand_modes, {command});
  }
  if (car_raw(f) != Qlambda && car_raw(f) != Qclosure) return kNil;
  TRY(list_length(cx, lambda_body(f)));
  const Value form = body_interactive(lambda_body(f));
  const Value rest = form.is_cons() ? cdr_raw(form) : kNil;
  return rest.is_cons() ? cdr_raw(rest) : kNil;
}

NEOVM_PRIMITIVE(commandp, "commandp", 1, 2, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return t if FUNCTION may be called interactively.")
(Context& cx, Value function, Value for_call) {
  const Value f = TRY(indirect_function_re(cx, function, true));
  if (function.is_symbol()) {
    for (Value s = function; s.is_symbol() && !s.is_nil(); s = symbol_function(cx, s))
      if (symbol_get(cx, s, Qinteractive_form).truthy()) return Qt;
  }
  if (f.is_nil()) return kNil;
  if (is_subr(f)) return boolean(f.as_pointer<SubrObject>()->descriptor->interactive != nullptr);
  if (is_byte_code(f)) return boolean(slot_count_raw(f) > 5);
  if (f.is_string() || is_vector(f)) return boolean(for_call.is_nil());
  if (!f.is_cons()) return kNil;
  const Value kind = car_raw(f);
  if (kind == Qautoload) {
    Value tail = f;  // (autoload FILE DOC INTERACTIVE …)
    for (int i = 0; i < 3 && tail.is_cons(); ++i) tail = cdr_raw(tail);
    return tail.is_cons() ? boolean(car_raw(tail).truthy()) : kNil;
  }
  if (kind != Qlambda && kind != Qclosure) return kNil;
  return boolean(body_interactive(lambda_body(f)).truthy());
}

}  // namespace neovm::elisp
