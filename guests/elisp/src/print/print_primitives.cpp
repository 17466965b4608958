// The primitives of print.c and the printer's variables.
#include <cstdio>

#include "neovm/text/characters.hpp"
#include "printer.hpp"

namespace neovm::elisp {

NEOVM_PRIMITIVE(prin1, "prin1", 1, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Print OBJECT so that it can be read back, to PRINTCHARFUN or `standard-output`.")
(Context& cx, Value object, Value printcharfun) { return print_to_re(cx, object, printcharfun, true); }

NEOVM_PRIMITIVE(princ, "princ", 1, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Print OBJECT for people: strings without quotes, no escapes.")
(Context& cx, Value object, Value printcharfun) { return print_to_re(cx, object, printcharfun, false); }

NEOVM_PRIMITIVE(print, "print", 1, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Print OBJECT as prin1 does, between newlines.")
(Context& cx, Value object, Value printcharfun) { return print_to_re(cx, object, printcharfun, true, "\n", "\n"); }

NEOVM_PRIMITIVE(terpri, "terpri", 0, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Output a newline; with ENSURE only when not at the beginning of a line. Returns whether it did.")
(Context& cx, Value printcharfun, Value ensure) {
  const Value destination = resolve_destination(cx, printcharfun);
  if (!ensure.is_nil()) {
    const HostHooks& hooks = host_hooks(cx);
    if ((hooks.is_buffer != nullptr && hooks.is_buffer(destination)) ||
        (hooks.is_marker != nullptr && hooks.is_marker(destination))) {
      std::int64_t line = 0;
      std::int64_t column = 0;
      if (hooks.stream_line_column != nullptr) hooks.stream_line_column(cx, destination, &line, &column);
      if (column == 0) return kNil;
    } else if (destination != Qt && TRY(funcall_re(cx, Qfunctionp, {destination})).truthy()) {
      const Value data = destination.is_cons() ? destination : list(cx, {destination});
      return signal_error(cx, Qerror, cons(cx, make_string(cx, "Unsupported function argument"), data));
    } else if (print_state(cx).last_char == '\n') {
      return kNil;  // also where nothing can be printed
    }
  }
  TRY(emit_re(cx, destination, "\n"));
  return Qt;
}

NEOVM_PRIMITIVE(write_char, "write-char", 1, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Output the character CHARACTER.")
(Context& cx, Value character, Value printcharfun) {
  const std::int64_t n = TRY(fixnum_argument(cx, character));
  const Value destination = resolve_destination(cx, printcharfun);
  const HostHooks& hooks = host_hooks(cx);
  const bool to_function = destination != Qt && !(hooks.is_buffer != nullptr && hooks.is_buffer(destination)) &&
                           !(hooks.is_marker != nullptr && hooks.is_marker(destination));
  if (to_function) {  // it is given what is no character, too
    TRY(funcall_re(cx, destination, {Value::fixnum(n & 0xFFFFFFFF)}));
    return character;
  }
  std::uint8_t b[text::kMaxBytesPerChar];
  const int length = text::encode_char(static_cast<int>(n & text::kMaxChar), b);
  TRY(emit_re(cx, destination, {reinterpret_cast<const char*>(b), static_cast<std::size_t>(length)}));
  return character;
}

NEOVM_PRIMITIVE(prin1_to_string, "prin1-to-string", 1, 2, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return the text that prin1 (princ with NOESCAPE) prints for OBJECT.")
(Context& cx, Value object, Value noescape) {
  Printer printer(cx);
  printer.for_buffer(true);
  if (!printer.print(object, noescape.is_nil())) return kExit;
  return text_to_string(cx, printer.out);
}

NEOVM_PRIMITIVE(print_preprocess, "print--preprocess", 1, 1, kWorkerSafe, kStateWrite, kMayGc, kNoReentry,
                kDeterministic,
                "Note the shared parts of OBJECT in `print-number-table`, when `print-circle` asks for it.")
(Context& cx, Value object) {
  if (variable_true(cx, Qprint_circle)) number_shared_objects(cx, object);
  return kNil;
}

NEOVM_PRIMITIVE(external_debugging_output, "external-debugging-output", 1, 1, kWorkerSafe, kStateWrite, kNoGc,
                kNoReentry, kDeterministic, "Write CHARACTER to standard error.")
(Context& cx, Value character) {
  const std::int64_t n = TRY(fixnum_argument(cx, character));
  std::uint8_t b[text::kMaxBytesPerChar];
  const int length = text::encode_char(static_cast<int>(n & text::kMaxChar), b);
  FILE* stream = print_state(cx).debug_stream;
  write_encoded(stream != nullptr ? stream : stderr,
                {reinterpret_cast<const char*>(b), static_cast<std::size_t>(length)});
  return character;
}

NEOVM_COMMAND(redirect_debugging_output, "redirect-debugging-output", 1, 2, kMainOnly, kStateWrite, kMayGc, kReenters,
              kDeterministic, "FDebug output file: \nP",
              "Send debugging output to FILE instead of standard error; nil undoes that.")
(Context& cx, Value file, Value append) {
  PrintState& state = print_state(cx);
  if (!file.is_nil()) {
    file = TRY(funcall_re(cx, Qexpand_file_name, {file}));
    FILE* stream = std::fopen(to_std_string(file).c_str(), append.is_nil() ? "w" : "a");
    if (stream == nullptr)
      return signal_error2(cx, Qfile_error, make_string(cx, "Cannot open debugging output stream"), file);
    if (state.debug_stream != nullptr) std::fclose(state.debug_stream);
    state.debug_stream = stream;
    return kNil;
  }
  if (state.debug_stream != nullptr) std::fclose(state.debug_stream);
  state.debug_stream = nullptr;
  return kNil;
}

NEOVM_VARIABLE(standard_output, "standard-output", kGlobalVar, kAny, kInitT,
               "Where the printing functions print by default.")
NEOVM_VARIABLE(float_output_format, "float-output-format", kGlobalVar, kAny, kInitNil,
               "printf-like format of floats, such as \"%.5g\"; nil: as few digits as identify the number.")
NEOVM_VARIABLE(print_integers_as_characters, "print-integers-as-characters", kGlobalVar, kBool, kInitNil,
               "Non-nil: prin1 shows integers that are printable characters in ? syntax.")
NEOVM_VARIABLE(print_length, "print-length", kGlobalVar, kAny, kInitNil, "Most elements of a list or vector to print.")
NEOVM_VARIABLE(print_level, "print-level", kGlobalVar, kAny, kInitNil, "Deepest level of lists to print.")
NEOVM_VARIABLE(print_escape_newlines, "print-escape-newlines", kGlobalVar, kBool, kInitNil,
               "Non-nil: newlines and form feeds in strings print as escapes.")
NEOVM_VARIABLE(print_escape_control_characters, "print-escape-control-characters", kGlobalVar, kBool, kInitNil,
               "Non-nil: control characters in strings print as octal escapes.")
NEOVM_VARIABLE(print_escape_nonascii, "print-escape-nonascii", kGlobalVar, kBool, kInitNil,
               "Non-nil: bytes above ASCII in unibyte strings print as octal escapes.")
NEOVM_VARIABLE(print_escape_multibyte, "print-escape-multibyte", kGlobalVar, kBool, kInitNil,
               "Non-nil: characters above ASCII print as hexadecimal escapes.")
NEOVM_VARIABLE(print_quoted, "print-quoted", kGlobalVar, kBool, kInitT, "Non-nil: quotes print in their short syntax.")
NEOVM_VARIABLE(print_gensym, "print-gensym", kGlobalVar, kAny, kInitNil,
               "Non-nil: uninterned symbols print with the prefix #:.")
NEOVM_VARIABLE(print_circle, "print-circle", kGlobalVar, kAny, kInitNil,
               "Non-nil: shared and circular structure prints with #N= and #N#.")
NEOVM_VARIABLE(print_continuous_numbering, "print-continuous-numbering", kGlobalVar, kAny, kInitNil,
               "Non-nil: numbers of shared objects go on from one print to the next.")
NEOVM_VARIABLE(print_number_table, "print-number-table", kGlobalVar, kAny, kInitNil,
               "Table of the numbers of shared objects, while printing.")
NEOVM_VARIABLE(print_charset_text_property, "print-charset-text-property", kGlobalVar, kAny, Qdefault,
               "Whether the text property `charset` is printed: t, nil, or default.")

}  // namespace neovm::elisp
