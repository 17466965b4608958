// Variables of messages and questions that belong to no larger group.
#include "neovm/abi/api.hpp"

namespace neomacs::host {
namespace {

using namespace neovm;  // NOLINT: a table of rows

NEOVM_VARIABLE(inhibit_message, "inhibit-message", kGlobalVar, kBool, kInitNil,
               "Non-nil means messages are logged but not shown.")
NEOVM_VARIABLE(message_log_max, "message-log-max", kGlobalVar, kAny, Value::fixnum(1000),
               "Lines kept in *Messages*; nil turns the log off, t never cuts it.")
NEOVM_VARIABLE(message_truncate_lines, "message-truncate-lines", kGlobalVar, kBool, kInitNil,
               "Non-nil means long messages are cut in the echo area.")
NEOVM_VARIABLE(use_dialog_box, "use-dialog-box", kGlobalVar, kBool, kInitT,
               "Non-nil means mouse commands may ask by dialog boxes.")
NEOVM_VARIABLE(use_file_dialog, "use-file-dialog", kGlobalVar, kBool, kInitT,
               "Non-nil means mouse commands may ask for files by dialog boxes.")
NEOVM_VARIABLE(use_short_answers, "use-short-answers", kGlobalVar, kBool, kInitNil,
               "Non-nil means yes-or-no-p takes y and n.")
NEOVM_VARIABLE(indent_tabs_mode, "indent-tabs-mode", kGlobalVar, kBool, kInitT,
               "Indentation may use tabs when non-nil.")

}  // namespace
}  // namespace neomacs::host
