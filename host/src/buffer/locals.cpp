// Local variables of buffers as a whole (buffer.c). Single variables are the evaluator's business.
#include "buffer/buffer.hpp"
#include "buffer/saved_places.hpp"
#include "neovm/abi/watchers.hpp"

namespace neomacs::host {

namespace {

struct SlotVariable {
  Value symbol;
  bool always_local;
};

std::vector<SlotVariable> slot_variables(Context& cx) {
  std::vector<SlotVariable> out;
  for (const VariableDescriptor* d : all_variables()) {
    if (d->scope != VariableScope::kBufferSlotVar && d->scope != VariableScope::kAlwaysLocalSlotVar) continue;
    out.push_back({intern(cx, d->name), d->scope == VariableScope::kAlwaysLocalSlotVar});
  }
  return out;
}

// Slots that a major mode does not reset.
bool permanent_slot(Value symbol) { return symbol == Qtruncate_lines || symbol == Qbuffer_file_coding_system; }

}  // namespace

// Back to the defaults. Without `everything`, what is marked permanent stays.
void reset_buffer_locals(Context& cx, Buffer& b, bool everything) {
  for (const SlotVariable& v : slot_variables(cx)) {
    const int i = buffer_slot_index(cx, v.symbol);
    if (!v.always_local) {
      if (everything || !permanent_slot(v.symbol)) set_buffer_slot_raw(b, i, kUnbound);
    }
  }
  set_buffer_variable(cx, b, Qmajor_mode, Qfundamental_mode);
  set_buffer_variable(cx, b, Qmode_name, make_unibyte_string(cx, "Fundamental"));
  set_buffer_variable(cx, b, Qlocal_minor_modes, kNil);
  set_buffer_variable(cx, b, Qbuffer_invisibility_spec, Qt);
  if (&b == buffers(cx).current) {
    current_tables(cx) = standard_tables(cx);
  } else {
    b.tables = standard_tables(cx);
  }
  Value kept = kNil;
  if (!everything) {
    for (Value l = slot_raw(b.locals, kLocalsAlist); l.is_cons(); l = cdr_raw(l)) {
      const Value cell = car_raw(l);
      const Value mark = symbol_get(cx, car_raw(cell), Qpermanent_local);
      if (mark.is_nil()) continue;
      if (mark == Qpermanent_local_hook && cdr_raw(cell).is_cons()) {
        // Of a hook only the functions that say so themselves stay.
        Value functions = kNil;
        for (Value f = cdr_raw(cell); f.is_cons(); f = cdr_raw(f)) {
          const Value fn = car_raw(f);
          if (fn == Qt || (fn.is_symbol() && symbol_get(cx, fn, Qpermanent_local_hook).truthy())) {
            functions = cons(cx, fn, functions);
          }
        }
        set_cdr_raw(cell, nreverse_list(functions));
      }
      kept = cons(cx, cell, kept);
    }
  }
  set_slot_raw(b.locals, kLocalsAlist, nreverse_list(kept));
}

namespace {

// Watchers hear of all local variables, before any is gone; of those that will stay too.
Value notify_killed_locals_re(Context& cx, const Buffer& b) {
  for (Value l = slot_raw(b.locals, kLocalsAlist); l.is_cons(); l = cdr_raw(l)) {
    TRY(notify_watchers_re(cx, car_raw(car_raw(l)), kNil, Qmakunbound, b.self));
    if (!b.live) return kNil;
  }
  return kNil;
}

}  // namespace

NEOVM_PRIMITIVE(kill_all_local_variables, "kill-all-local-variables", 0, 0, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic, "Run change-major-mode-hook and drop local variables that are not permanent.")
(Context& cx) {
  TRY(run_hook_re(cx, Qchange_major_mode_hook));
  TRY(notify_killed_locals_re(cx, current_buffer(cx)));
  reset_buffer_locals(cx, current_buffer(cx), false);
  return kNil;
}

NEOVM_PRIMITIVE(buffer_local_value, "buffer-local-value", 2, 2, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the value of VARIABLE in BUFFER; its default value when it is not local there.")
(Context& cx, Value variable, Value buffer) {
  if (!variable.is_symbol()) return wrong_type(cx, Qsymbolp, variable);
  if (!is_buffer(buffer)) return wrong_type(cx, Qbufferp, buffer);
  const Buffer& b = buffer_raw(buffer);
  const Value v = b.live ? variable_value_in(cx, variable, b.locals) : default_value(cx, variable);
  if (v.is_unbound()) return signal_error1(cx, Qvoid_variable, variable);
  return v;
}

NEOVM_PRIMITIVE(buffer_local_variables, "buffer-local-variables", 0, 1, kWorkerSafe, kStateRead, kMayGc, kNoReentry,
                kDeterministic, "Return an alist of the local variables of BUFFER; a void one is just its symbol.")
(Context& cx, Value buffer) {
  const Buffer* b = TRY(buffer_or_current(cx, buffer));
  if (!b->live) return kNil;
  Value out = kNil;
  for (Value l = slot_raw(b->locals, kLocalsAlist); l.is_cons(); l = cdr_raw(l)) {
    const Value cell = car_raw(l);
    out = cons(cx, cdr_raw(cell).is_unbound() ? car_raw(cell) : cons(cx, car_raw(cell), cdr_raw(cell)), out);
  }
  out = nreverse_list(out);
  for (const SlotVariable& v : slot_variables(cx)) {
    if (v.symbol == Qbuffer_undo_list) continue;
    const Value value = buffer_slot_raw(*b, buffer_slot_index(cx, v.symbol));
    if (!value.is_unbound()) out = cons(cx, cons(cx, v.symbol, value), out);
  }
  return cons(cx, cons(cx, Qbuffer_undo_list, buffer_variable(cx, *b, Qbuffer_undo_list)), out);
}

}  // namespace neomacs::host
