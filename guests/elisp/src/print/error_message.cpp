// Error messages as people see them (print.c:print_error_message).
#include "neovm/core/list_walk.hpp"
#include "printer.hpp"

namespace neovm::elisp {

Value error_message_re(Context& cx, Value error) {
  std::string text;
  const Value symbol = car_of_list(error);
  Value message = kNil;
  Value tail = kNil;
  bool is_file_error = false;
  if (symbol == Qerror) {
    const Value data = cdr_raw(error);
    if (data.is_cons()) {
      message = car_raw(data);
      tail = cdr_raw(data);
    }
  } else {
    TRY(check_type(cx, symbol.is_symbol(), Qsymbolp, symbol));
    message = symbol_get(cx, symbol, Qerror_message);
    is_file_error = !memq(Qfile_error, symbol_get(cx, symbol, Qerror_conditions)).is_nil();
    tail = cdr_of_list(error);
    // A file error tells what was tried; that is the better message.
    if (is_file_error && tail.is_cons()) {
      message = car_raw(tail);
      tail = cdr_raw(tail);
    } else if (is_file_error) {
      tail = kNil;
    }
  }
  const char* separator = ": ";
  if (!message.is_string()) {
    text = "peculiar error";
  } else if (symbol == Quser_error && string_chars(message) == 0) {
    separator = nullptr;  // the data is all there is to say
  } else if (string_chars(message) > 0) {
    if (!symbol_function(cx, Qsubstitute_command_keys).is_nil() && symbol != Qerror) {
      const Value shown = TRY(funcall_re(cx, Qsubstitute_command_keys, {message}));
      if (shown.is_string()) message = shown;
    }
    if (!print_to_text(cx, message, false, &text)) return kExit;
  } else {
    separator = nullptr;
  }
  const Value data = tail;
  core::CycleFinder cycle(tail);
  while (tail.is_cons()) {
    if (separator != nullptr) text += separator;
    separator = ", ";
    std::string part;
    const bool plain = is_file_error || symbol == Qend_of_file || symbol == Quser_error;
    if (!print_to_text(cx, car_raw(tail), !plain, &part)) return kExit;
    text += part;
    tail = cdr_raw(tail);
    if (cycle.step(tail)) return signal_error1(cx, Qcircular_list, data);
  }
  return text_to_string(cx, text);
}

NEOVM_PRIMITIVE(error_message_string, "error-message-string", 1, 1, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return the message of an error description (ERROR-SYMBOL . DATA).")
(Context& cx, Value error) {
  TRY(check_type(cx, error.is_list(), Qlistp, error));
  // The usual case: (error "message") is its message.
  if (error.is_cons() && car_raw(error) == Qerror && cdr_raw(error).is_cons() && car_raw(cdr_raw(error)).is_string() &&
      cdr_raw(cdr_raw(error)).is_nil())
    return car_raw(cdr_raw(error));
  return error_message_re(cx, error);
}

}  // namespace neovm::elisp
