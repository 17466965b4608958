// Decoding and encoding strings, and what belongs to no other file of coding.c.
#include "../charset/charset.hpp"
#include "../rows.hpp"
#include "../sequences.hpp"
#include "coding.hpp"
#include "detect.hpp"
#include "neovm/core/context.hpp"

namespace neovm::elisp {

// clang-format off
NEOVM_VARIABLE(last_coding_system_used, "last-coding-system-used", kGlobalVar, kAny, kInitNil, "Coding system of the latest conversion.")
NEOVM_VARIABLE(last_code_conversion_error, "last-code-conversion-error", kGlobalVar, kAny, kInitNil, "Error of the latest conversion, or nil.")
NEOVM_VARIABLE(coding_system_for_read, "coding-system-for-read", kGlobalVar, kAny, kInitNil, "Coding system to read with, whatever else is said.")
NEOVM_VARIABLE(coding_system_for_write, "coding-system-for-write", kGlobalVar, kAny, kInitNil, "Coding system to write with, whatever else is said.")
NEOVM_VARIABLE(inhibit_eol_conversion, "inhibit-eol-conversion", kGlobalVar, kBool, kInitNil, "Non-nil leaves line ends alone.")
NEOVM_VARIABLE(inherit_process_coding_system, "inherit-process-coding-system", kGlobalVar, kBool, kInitNil, "Non-nil gives a process's coding system to its buffer.")
NEOVM_VARIABLE(inhibit_iso_escape_detection, "inhibit-iso-escape-detection", kGlobalVar, kBool, kInitNil, "Non-nil ignores ISO-2022 sequences in detection.")
NEOVM_VARIABLE(inhibit_null_byte_detection, "inhibit-null-byte-detection", kGlobalVar, kBool, kInitNil, "Non-nil ignores null bytes in detection.")
NEOVM_VARIABLE(disable_ascii_optimization, "disable-ascii-optimization", kGlobalVar, kBool, kInitNil, "Non-nil decodes ASCII like anything else.")
NEOVM_VARIABLE(file_coding_system_alist, "file-coding-system-alist", kGlobalVar, kAny, kInitNil, "Alist of file names' patterns and coding systems.")
NEOVM_VARIABLE(process_coding_system_alist, "process-coding-system-alist", kGlobalVar, kAny, kInitNil, "Alist of programs' patterns and coding systems.")
NEOVM_VARIABLE(network_coding_system_alist, "network-coding-system-alist", kGlobalVar, kAny, kInitNil, "Alist of services and coding systems.")
NEOVM_VARIABLE(locale_coding_system, "locale-coding-system", kGlobalVar, kAny, kInitNil, "Coding system of messages of the operating system.")
NEOVM_VARIABLE(eol_mnemonic_unix, "eol-mnemonic-unix", kGlobalVar, kAny, ":", "Mode line's sign for line ends LF.")
NEOVM_VARIABLE(eol_mnemonic_dos, "eol-mnemonic-dos", kGlobalVar, kAny, "\\", "Mode line's sign for line ends CRLF.")
NEOVM_VARIABLE(eol_mnemonic_mac, "eol-mnemonic-mac", kGlobalVar, kAny, "/", "Mode line's sign for line ends CR.")
NEOVM_VARIABLE(eol_mnemonic_undecided, "eol-mnemonic-undecided", kGlobalVar, kAny, ":", "Mode line's sign for unknown line ends.")
NEOVM_VARIABLE(enable_character_translation, "enable-character-translation", kGlobalVar, kAny, kInitT, "Non-nil applies translation tables.")
NEOVM_VARIABLE(standard_translation_table_for_decode, "standard-translation-table-for-decode", kGlobalVar, kAny, kInitNil, "Translation table for all decoding.")
NEOVM_VARIABLE(standard_translation_table_for_encode, "standard-translation-table-for-encode", kGlobalVar, kAny, kInitNil, "Translation table for all encoding.")
NEOVM_VARIABLE(charset_revision_table, "charset-revision-table", kGlobalVar, kAny, kInitNil, "Alist of charsets and revision numbers.")
NEOVM_VARIABLE(default_process_coding_system, "default-process-coding-system", kGlobalVar, kAny, kInitNil, "Coding systems of processes, (DECODING . ENCODING).")
NEOVM_VARIABLE(select_safe_coding_system_function, "select-safe-coding-system-function", kGlobalVar, kAny, kInitNil, "Function that chooses a coding system for writing.")
NEOVM_VARIABLE(coding_system_require_warning, "coding-system-require-warning", kGlobalVar, kBool, kInitNil, "Non-nil asks about unsafe coding systems always.")
NEOVM_VARIABLE(translation_table_for_input, "translation-table-for-input", kGlobalVar, kAny, kInitNil, "Char-table that translates typed characters.")
NEOVM_VARIABLE(latin_extra_code_table, "latin-extra-code-table", kGlobalVar, kAny, InitialValue([](Context& cx) { return make_vector(cx, 256, kNil); }), "Vector of the bytes 0x80..0x9F that Latin coding systems accept.")
// clang-format on

namespace {

Value check_symbol_coding(Context& cx, Value coding) {
  if (!coding.is_symbol()) return wrong_type(cx, Qsymbolp, coding);
  return coding;
}

// Runs a Lisp conversion function over text in a work buffer; returns the text as a string.
Value convert_in_buffer_re(Context& cx, Value function, Value string, bool post_read) {
  const std::size_t depth = binding_depth(cx);
  const Value buffer = TRY(funcall_re(cx, Qgenerate_new_buffer, { TRY(make_string(cx, " *code-conversion-work*")) }));
  const Value old = TRY(funcall_re(cx, Qcurrent_buffer, {}));
  TRY(funcall_re(cx, Qset_buffer, {buffer}));
  const auto finish = [&](Value result) -> Value {
    TRY(funcall_re(cx, Qset_buffer, {old}));
    TRY(funcall_re(cx, Qkill_buffer, {buffer}));
    return unbind_to_re(cx, depth, result);
  };
  TRY(funcall_re(cx, Qinsert, {string}));
  TRY(funcall_re(cx, Qgoto_char, {Value::fixnum(1)}));
  if (post_read) {
    TRY(funcall_re(cx, function, {Value::fixnum(string_chars(string))}));
  } else {
    TRY(funcall_re(cx, function, { Value::fixnum(1), TRY(funcall_re(cx, Qpoint_max, {})) }));
  }
  const Value result = TRY(funcall_re(cx, Qbuffer_string, {}));
  return finish(result);
}

Value string_of(Context& cx, const Decoded& d) {
  if (d.unibyte) return make_unibyte_string(cx, d.bytes);
  const Value s = TRY(make_multibyte_string(cx, d.bytes, d.chars));
  if (host_hooks(cx).add_string_properties != nullptr)
    for (const Decoded::Run& run : d.runs)
      host_hooks(cx).add_string_properties(cx, s, run.from, run.to,
                                           list(cx, {Qcharset, charset_name(cx, run.charset)}));
  return s;
}

Value insert_result_re(Context& cx, Value result, Value buffer) {
  const Value old = TRY(funcall_re(cx, Qcurrent_buffer, {}));
  TRY(funcall_re(cx, Qset_buffer, {buffer}));
  const Value point = TRY(funcall_re(cx, Qpoint, {}));
  TRY(funcall_re(cx, Qinsert, {result}));
  TRY(funcall_re(cx, Qgoto_char, {point}));
  TRY(funcall_re(cx, Qset_buffer, {old}));
  return Value::fixnum(string_chars(result));
}

Value decode_string_re(Context& cx, Value string, Value name) {
  const CodingSystem coding = TRY(coding_argument_re(cx, name));
  const Decoded d = TRY(decode_text(cx, coding, string_view_of(string), string_multibyte(string)));
  const Value used = d.used;
  Value result = TRY(string_of(cx, d));
  const Value post_read = TRY(coding_argument_re(cx, used))
  .slot(kCoPostRead);
  if (post_read.truthy() && string_chars(result) > 0) result = TRY(convert_in_buffer_re(cx, post_read, result, true));
  TRY(set_variable_re(cx, Qlast_coding_system_used, used));
  return result;
}

Value encode_string_re(Context& cx, Value string, Value name) {
  const CodingSystem coding = TRY(coding_argument_re(cx, name));
  const Value pre_write = coding.slot(kCoPreWrite);
  if (pre_write.truthy() && string_chars(string) > 0) string = TRY(convert_in_buffer_re(cx, pre_write, string, false));
  const std::string bytes = TRY(encode_text(cx, coding, string_view_of(string), string_multibyte(string)));
  TRY(set_variable_re(cx, Qlast_coding_system_used, name));
  return make_unibyte_string(cx, bytes);
}

}  // namespace

DATA_REENTERS(decode_coding_string, "decode-coding-string", 2, 4,
              "Return STRING's bytes decoded by CODING-SYSTEM, or insert them in BUFFER.")
(Context& cx, Value string, Value name, Value no_copy, Value buffer) {
  if (!string.is_string()) return wrong_type(cx, Qstringp, string);
  TRY(check_symbol_coding(cx, name));
  Value result = string;
  if (name.is_nil()) {
    TRY(set_variable_re(cx, Qlast_coding_system_used, Qno_conversion));
    if (no_copy.is_nil()) result = TRY(substring_of(cx, string, 0, string_chars(string), true));
  } else {
    result = TRY(decode_string_re(cx, string, name));
    if (no_copy.truthy() && string_equal(result, string)) result = string;
  }
  return buffer.is_nil() ? result : insert_result_re(cx, result, buffer);
}

DATA_REENTERS(encode_coding_string, "encode-coding-string", 2, 4,
              "Return STRING's characters encoded by CODING-SYSTEM, or insert the bytes in BUFFER.")
(Context& cx, Value string, Value name, Value no_copy, Value buffer) {
  if (!string.is_string()) return wrong_type(cx, Qstringp, string);
  TRY(check_symbol_coding(cx, name));
  Value result = string;
  if (name.is_nil()) {
    TRY(set_variable_re(cx, Qlast_coding_system_used, Qno_conversion));
    if (no_copy.is_nil()) result = TRY(substring_of(cx, string, 0, string_chars(string), true));
  } else {
    result = TRY(encode_string_re(cx, string, name));
    if (no_copy.truthy() && string_equal(result, string)) result = string;
  }
  return buffer.is_nil() ? result : insert_result_re(cx, result, buffer);
}

DATA_REENTERS(detect_coding_string, "detect-coding-string", 1, 2,
              "Return the coding systems STRING's bytes may be in, or (HIGHEST) the likeliest.")
(Context& cx, Value string, Value highest) {
  if (!string.is_string()) return wrong_type(cx, Qstringp, string);
  const std::string raw = to_std_string(string);
  const ByteFacts f =
      survey(raw, !variable_true(cx, Qinhibit_null_byte_detection), !variable_true(cx, Qinhibit_iso_escape_detection));
  const Eol eol = detect_eol(raw);
  std::vector<Value> found;
  if (f.null) {
    found.push_back(Qno_conversion);
  } else if (!f.eight_bit && !f.escape) {
    found.push_back(coding_with_eol(cx, Qundecided, eol));
  } else {
    for (Value tail = variable_value(cx, Qcoding_category_list); tail.is_cons(); tail = cdr_raw(tail)) {
      const Value name = variable_value(cx, car_raw(tail));
      if (name.is_nil() || name.is_unbound()) continue;
      const CodingSystem candidate = TRY(coding_argument_re(cx, name));
      if (TRY(may_be(cx, candidate, f, raw))) found.push_back(coding_with_eol(cx, name, eol));
    }
  }
  if (found.empty()) found.push_back(Qraw_text);
  return highest.truthy() ? found.front() : list_from(cx, found);
}

// ---- terminal, keyboard ------------------------------------------------------------------------------------------------

NEOVM_VARIABLE(terminal_coding_state, " terminal-coding", kGlobalVar, kAny, kInitNil,
               "(TERMINAL . KEYBOARD) coding systems; for the machine only.")
namespace {

Value terminal_codings(Context& cx) {
  Value v = variable_value(cx, Qterminal_coding_state);
  if (!v.is_cons()) {
    v = cons(cx, kNil, Qno_conversion);
    (void)set_variable_re(cx, Qterminal_coding_state, v);
  }
  return v;
}

}  // namespace

namespace {

Maybe<bool> check_terminal_re(Context& cx, Value terminal) {
  if (terminal.is_nil()) return true;
  const Value predicate = intern(cx, "terminal-live-p");
  if (TRY(funcall_re(cx, predicate, {terminal})).is_nil()) return wrong_type(cx, predicate, terminal);
  return true;
}

}  // namespace

DATA_REENTERS(terminal_coding_system, "terminal-coding-system", 0, 1, "Return the coding system of terminal output.")
(Context& cx, Value terminal) {
  TRY(check_terminal_re(cx, terminal));
  return car_raw(terminal_codings(cx));
}
DATA_WRITES(set_terminal_coding_system_internal, "set-terminal-coding-system-internal", 1, 2,
            "Set the coding system of terminal output.")
(Context& cx, Value name, Value) {
  if (!name.is_symbol()) return wrong_type(cx, Qsymbolp, name);
  TRY(coding_argument_re(cx, name));
  set_car_raw(terminal_codings(cx), name);
  return kNil;
}
DATA_WRITES(set_safe_terminal_coding_system_internal, "set-safe-terminal-coding-system-internal", 1, 1,
            "Set the coding system used when the terminal's own fails.")
(Context& cx, Value name) {
  if (!name.is_symbol()) return wrong_type(cx, Qsymbolp, name);
  TRY(coding_argument_re(cx, name));
  return kNil;
}
DATA_REENTERS(keyboard_coding_system, "keyboard-coding-system", 0, 1, "Return the coding system of keyboard input.")
(Context& cx, Value terminal) {
  TRY(check_terminal_re(cx, terminal));
  return cdr_raw(terminal_codings(cx));
}
DATA_WRITES(set_keyboard_coding_system_internal, "set-keyboard-coding-system-internal", 1, 2,
            "Set the coding system of keyboard input.")
(Context& cx, Value name, Value) {
  if (!name.is_symbol()) return wrong_type(cx, Qsymbolp, name);
  TRY(coding_argument_re(cx, name));
  set_cdr_raw(terminal_codings(cx), name);
  return kNil;
}

// ---- find-operation-coding-system ---------------------------------------------------------------------------------------

DATA_REENTERS(find_operation_coding_system, "find-operation-coding-system", 1, kMany,
              "Return the coding systems, (DECODING . ENCODING), that suit OPERATION with ARGUMENTS.")
(Context& cx, Arguments args) {
  if (args.size() < 2) return error_text(cx, "Too few arguments");
  const Value operation = args[0];
  const Value index = operation.is_symbol() ? symbol_get(cx, operation, Qtarget_idx) : kNil;
  if (!index.is_natnum_fixnum()) return error_text(cx, "Invalid first argument");
  const auto at = static_cast<std::size_t>(index.as_fixnum()) + 1;
  if (at >= args.size())
    return error_format(cx, "Too few arguments for operation \u2018%s\u2019",
                        std::string(symbol_name_view(cx, operation)).c_str());
  Value target = args[at];
  const bool buffer_pair = operation == Qinsert_file_contents && target.is_cons() && car_raw(target).is_string();
  if (!target.is_string() && !buffer_pair &&
      !(operation == Qopen_network_stream && (target.is_fixnum() || target == Qt)))
    return error_format(cx, "Invalid argument %ld of operation \u2018%s\u2019", static_cast<long>(at),
                        std::string(symbol_name_view(cx, operation)).c_str());
  if (buffer_pair) target = car_raw(target);
  Value alist = variable_value(cx, Qprocess_coding_system_alist);
  if (operation == Qinsert_file_contents || operation == Qwrite_region)
    alist = variable_value(cx, Qfile_coding_system_alist);
  if (operation == Qopen_network_stream) alist = variable_value(cx, Qnetwork_coding_system_alist);
  const MatchData saved = match_data(cx);
  for (; alist.is_cons(); alist = cdr_raw(alist)) {
    const Value entry = car_raw(alist);
    if (!entry.is_cons()) continue;
    bool match = false;
    if (target.is_string() && car_raw(entry).is_string()) {
      match = TRY(funcall_re(cx, Qstring_match, {car_raw(entry), target}))
      .truthy();
      match_data(cx) = saved;
    } else {
      match = target.is_fixnum() && target == car_raw(entry);
    }
    if (!match) continue;
    Value v = cdr_raw(entry);
    if (v.is_cons()) return v;
    if (!v.is_symbol()) return kNil;
    const Value spec = TRY(coding_spec_re(cx, v));
    if (v.truthy() && !spec.is_nil()) return cons(cx, v, v);
    if (symbol_function(cx, v).truthy()) {
      v = TRY(funcall_re(cx, v, {list_from(cx, args)}));
      if (v.is_cons()) return v;
      if (v.is_symbol() && v.truthy() && !TRY(coding_spec_re(cx, v)).is_nil()) return cons(cx, v, v);
    }
    return kNil;
  }
  return kNil;
}

NEOVM_INIT(coding_targets, kObjects)(Context& cx) {
  symbol_put(cx, Qinsert_file_contents, Qtarget_idx, Value::fixnum(0));
  symbol_put(cx, Qwrite_region, Qtarget_idx, Value::fixnum(2));
  symbol_put(cx, Qcall_process, Qtarget_idx, Value::fixnum(0));
  symbol_put(cx, Qcall_process_region, Qtarget_idx, Value::fixnum(2));
  symbol_put(cx, Qstart_process, Qtarget_idx, Value::fixnum(2));
  symbol_put(cx, Qopen_network_stream, Qtarget_idx, Value::fixnum(3));
}

}  // namespace neovm::elisp
