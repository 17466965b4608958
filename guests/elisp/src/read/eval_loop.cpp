// Reading and evaluating form after form: files, buffers, regions (lread.c:readevalloop).
#include "../eval/machine.hpp"
#include "load.hpp"
#include "load_history.hpp"
#include "load_state.hpp"

namespace neovm::elisp {

namespace {

// A form that internal-macroexpand-for-load turned into (progn …) is taken apart, so that a macro defined by one
// subform serves the next. `pending` is a Lisp list of forms still to do.
Value eval_expanding_re(Context& cx, Value form, Value expander, Value* env) {
  Value pending = cons(cx, form, kNil);
  Value value = kNil;
  while (pending.is_cons()) {
    const Value next = car_raw(pending);
    pending = cdr_raw(pending);
    const Value expanded = TRY(funcall_re(cx, expander, {next, kNil}));
    if (expanded.is_cons() && car_raw(expanded) == Qprogn) {
      value = kNil;
      // The subforms come before what was pending.
      Value reversed = kNil;
      for (Value l = cdr_raw(expanded); l.is_cons(); l = cdr_raw(l)) reversed = cons(cx, car_raw(l), reversed);
      for (; reversed.is_cons(); reversed = cdr_raw(reversed)) pending = cons(cx, car_raw(reversed), pending);
      continue;
    }
    const Value full = TRY(funcall_re(cx, expander, {expanded, Qt}));
    value = TRY(eval_in_environment_re(cx, full, env));
  }
  return value;
}

bool ends_with(Value string, std::string_view suffix) {
  return string.is_string() && string_view_of(string).ends_with(suffix);
}

// Point and narrowing of the current buffer for reading one form of a region.
Maybe<bool> enter_region_re(Context& cx, const HostHooks& hooks, Value start, Value* end) {
  hooks.record_save_excursion(cx);
  hooks.record_save_restriction(cx);
  TRY(funcall_re(cx, Qgoto_char, {start}));
  if (!end->is_nil()) {
    const Value from = TRY(funcall_re(cx, Qpoint_min, {}));
    TRY(funcall_re(cx, Qnarrow_to_region, {from, *end}));
    if (end->is_fixnum()) *end = TRY(funcall_re(cx, Qpoint_max_marker, {}));
  }
  return true;
}

}  // namespace

Value eval_loop_re(Context& cx, const EvalLoop& loop) {
  const HostHooks& hooks = host_hooks(cx);
  const std::size_t depth = binding_depth(cx);
  Value file = loop.file_name;
  if (!file.is_nil()) TRY(check_type(cx, file.is_string(), Qstringp, file));
  Value expander = Qinternal_macroexpand_for_load;
  if (symbol_function(cx, expander).is_nil() || ends_with(file, ".elc")) expander = kNil;
  TRY(bind_variable_re(cx, Qstandard_input, loop.source));
  TRY(bind_variable_re(cx, Qcurrent_load_list, kNil));
  if (!variable_value(cx, Qmacroexp__dynvars).is_unbound())
    TRY(bind_variable_re(cx, Qmacroexp__dynvars, variable_value(cx, Qmacroexp__dynvars)));
  Value env = variable_true(cx, Qlexical_binding) ? list(cx, {Qt}) : kNil;
  if (file.is_string() && !symbol_function(cx, Qexpand_file_name).is_nil() &&
      variable_value(cx, Qpurify_flag).is_nil() && string_view_of(file).starts_with("/"))
    file = TRY(funcall_re(cx, Qexpand_file_name, {file, kNil}));
  // loadhist: the list ends with the name of the file.
  TRY(set_variable_re(cx, Qcurrent_load_list, file.is_nil() ? list(cx, {kNil}) : list(cx, {file})));
  Value start = loop.start;
  Value end = loop.end;
  bool first = true;
  bool whole_buffer = false;
  bool more = true;
  while (more) {
    const std::size_t inner = binding_depth(cx);
    if (loop.stream == nullptr) {
      if (hooks.buffer_locals(cx, loop.source).is_nil()) return error_text(cx, "Reading from killed buffer");
      if (!start.is_nil()) TRY(enter_region_re(cx, hooks, start, &end));
      if (first) {
        // The buffer that is read need not be the current one.
        const std::size_t here = binding_depth(cx);
        hooks.record_save_current_buffer(cx);
        TRY(funcall_re(cx, Qset_buffer, {loop.source}));
        const Value size = TRY(funcall_re(cx, Qbuffer_size, {}));
        const Value point = TRY(funcall_re(cx, Qpoint, {}));
        const Value limit = TRY(funcall_re(cx, Qpoint_max, {}));
        whole_buffer = point == Value::fixnum(1) && limit == Value::fixnum(size.as_fixnum() + 1);
        TRY(unbind_to_re(cx, here, kNil));
      }
    }
    Value form = kNil;
    {
      ReadStream slow(cx, loop.source);
      ReadStream& in = loop.stream != nullptr ? *loop.stream : slow;
      Reader reader(cx, in);
      if (!TRY(reader.skip_to_object_re())) {
        TRY(unbind_to_re(cx, inner, kNil));
        break;
      }
      if (!loop.read_function.is_nil()) {
        form = TRY(funcall_re(cx, loop.read_function, {loop.source}));
      } else {
        const Value function = variable_value(cx, Qload_read_function);
        if (function == Qread || function.is_nil() || function.is_unbound()) {
          reader.positions_key = loop.source;
          form = TRY(reader.read_re());
        } else {
          form = TRY(funcall_re(cx, function, {loop.source}));
        }
      }
    }
    if (loop.stream == nullptr && !loop.read_function.is_nil() && hooks.is_buffer(loop.source)) {
      // A reader of its own that went to the end has read everything, whatever the form does to point.
      if (TRY(funcall_re(cx, Qeobp, {})).truthy()) more = false;
    }
    if (!start.is_nil() && more) start = TRY(funcall_re(cx, Qpoint_marker, {}));
    TRY(unbind_to_re(cx, inner, kNil));
    const Value value = expander.is_nil() ? TRY(eval_in_environment_re(cx, form, &env)) : TRY(eval_expanding_re(cx, form, expander, &env));
    if (loop.print) {
      TRY(set_variable_re(cx, Qvalues, cons(cx, value, variable_value(cx, Qvalues))));
      TRY(funcall_re(cx, variable_value(cx, Qstandard_output) == Qt ? Qprin1 : Qprint, {value}));
    }
    first = false;
  }
  if (!TRY(record_load_history(cx, file, loop.stream != nullptr || whole_buffer))) return kExit;
  return unbind_to_re(cx, depth, kNil);
}

namespace {

// "VARIABLE: VALUE; …" between -*- marks.
bool cookie_says_lexical(std::string_view line) {
  std::size_t from = line.find("-*-");
  if (from == std::string_view::npos) return false;
  from += 3;
  const std::size_t to = line.find("-*-", from);
  if (to == std::string_view::npos) return false;
  std::string_view vars = line.substr(from, to - from);
  const auto trim = [](std::string_view s) {
    while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
    while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
    return s;
  };
  while (!vars.empty()) {
    const std::size_t semicolon = vars.find(';');
    const std::string_view item = vars.substr(0, semicolon);
    vars = semicolon == std::string_view::npos ? std::string_view{} : vars.substr(semicolon + 1);
    const std::size_t colon = item.find(':');
    if (colon != std::string_view::npos && trim(item.substr(0, colon)) == "lexical-binding")
      return trim(item.substr(colon + 1)) != "nil";
  }
  return false;
}

}  // namespace

Maybe<bool> lexically_bound_re(Context& cx, ReadStream& in) {
  (void)cx;
  const auto line = [&](std::string* text) -> Maybe<bool> {
    for (;;) {
      const int c = in.get_re();
      if (c == ReadStream::kFailed) return kFailed;
      if (c < 0 || c == '\n') return true;
      text->push_back(c < 0x80 ? static_cast<char>(c) : '?');
    }
  };
  int c = in.get_re();
  if (c == '#') {
    const int next = in.get_re();
    if (next != '!') {
      in.unget_re(next);
      in.unget_re(c);
      return false;
    }
    std::string script;
    TRY(line(&script));
    c = in.get_re();
  }
  if (c == ReadStream::kFailed) return kFailed;
  if (c != ';') {
    in.unget_re(c);
    return false;
  }
  std::string text;
  TRY(line(&text));
  return cookie_says_lexical(text);
}

NEOVM_COMMAND(eval_buffer, "eval-buffer", 0, 5, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic, "",
              "Evaluate the accessible part of BUFFER as Lisp code. PRINTFLAG, FILENAME, UNIBYTE and DO-ALLOW-PRINT "
              "tell where output goes and which file load-history names.")
(Context& cx, Value buffer, Value printflag, Value filename, Value, Value do_allow_print) {
  const HostHooks& hooks = host_hooks(cx);
  const std::size_t depth = binding_depth(cx);
  buffer = buffer.is_nil() ? hooks.current_buffer(cx) : TRY(funcall_re(cx, Qget_buffer, {buffer}));
  if (buffer.is_nil()) return error_text(cx, "No such buffer");
  const Value output = printflag.is_nil() && do_allow_print.is_nil() ? Qsymbolp : printflag;
  if (filename.is_nil()) filename = TRY(funcall_re(cx, Qbuffer_file_name, {buffer}));
  TRY(bind_variable_re(cx, Qeval_buffer_list, cons(cx, buffer, variable_value(cx, Qeval_buffer_list))));
  TRY(bind_variable_re(cx, Qstandard_output, output));
  hooks.record_save_excursion(cx);
  const auto rewind = [&]() -> Value {
    const std::size_t here = binding_depth(cx);
    hooks.record_save_current_buffer(cx);
    TRY(funcall_re(cx, Qset_buffer, {buffer}));
    TRY(funcall_re(cx, Qgoto_char, { TRY(funcall_re(cx, Qpoint_min, {})) }));
    return unbind_to_re(cx, here, kNil);
  };
  TRY(rewind());
  ReadStream header(cx, buffer);
  const bool lexical = TRY(lexically_bound_re(cx, header));
  TRY(bind_variable_re(cx, Qlexical_binding, boolean(lexical)));
  TRY(rewind());
  EvalLoop loop{.source = buffer, .stream = nullptr, .file_name = filename, .print = !printflag.is_nil()};
  TRY(eval_loop_re(cx, loop));
  return unbind_to_re(cx, depth, kNil);
}

NEOVM_COMMAND(eval_region, "eval-region", 2, 4, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic, "r",
              "Evaluate the current buffer's text from START to END as Lisp code, reading with READ-FUNCTION.")
(Context& cx, Value start, Value end, Value printflag, Value read_function) {
  const HostHooks& hooks = host_hooks(cx);
  const std::size_t depth = binding_depth(cx);
  const Value buffer = hooks.current_buffer(cx);
  TRY(bind_variable_re(cx, Qstandard_output, printflag.is_nil() ? Qsymbolp : printflag));
  TRY(bind_variable_re(cx, Qeval_buffer_list, cons(cx, buffer, variable_value(cx, Qeval_buffer_list))));
  const Value file = TRY(funcall_re(cx, Qbuffer_file_name, {buffer}));
  EvalLoop loop{.source = buffer,
                .stream = nullptr,
                .file_name = file,
                .print = !printflag.is_nil(),
                .read_function = read_function,
                .start = start,
                .end = end};
  TRY(eval_loop_re(cx, loop));
  return unbind_to_re(cx, depth, kNil);
}

NEOVM_VARIABLE(eval_buffer_list, "eval-buffer-list", kGlobalVar, kAny, kInitNil,
               "Buffers that are being evaluated, innermost first.")
NEOVM_VARIABLE(load_read_function, "load-read-function", kGlobalVar, kAny, Qread,
               "Function that reads the forms of a file.")

}  // namespace neovm::elisp
