// Printing an object to text, and text to a print destination.
#pragma once

#include <string>

#include "neovm/core/context.hpp"

namespace neovm::elisp {

// The printer's variables, looked up once per top-level print.
struct PrintOptions {
  explicit PrintOptions(Context& cx);
  std::int64_t length = -1;  // -1: no limit
  std::int64_t level = -1;
  bool circle = false;
  bool gensym = false;
  bool quoted = true;
  bool escape_newlines = false;
  bool escape_control = false;
  bool escape_nonascii = false;
  bool escape_multibyte = false;
  bool continuous = false;
  bool integers_as_characters = false;
  Value charset_property = kNil;
};

// Text in the internal multibyte encoding.
class Printer {
 public:
  explicit Printer(Context& cx) : cx_(cx), options_(cx) {}
  // The text goes into a buffer (or a string made by way of one): what it could not hold as such is escaped.
  void for_buffer(bool multibyte);
  // Appends the printed form; with `escape`, as prin1. False: an error is pending, `out` holds what came before it.
  bool print(Value v, bool escape);
  std::string out;

 private:
  bool object(Value v, bool escape);
  bool cons_cell(Value v, bool escape);
  bool vector_like(Value v, bool escape);
  [[gnu::noinline]] bool host_object(Value v, bool escape);
  [[gnu::noinline]] bool array_list(Value v, bool escape);
  [[gnu::noinline]] void subr(Value v);
  [[gnu::noinline]] void number(Value v);
  // BEFORE, the number and AFTER.
  [[gnu::noinline]] void mark(const char* before, std::int64_t n, const char* after);
  bool items(Value v, std::int64_t from, bool escape);
  [[gnu::noinline]] bool hash_table(Value v, bool escape);
  [[gnu::noinline]] bool string(Value v);
  // The characters of a string as they are; a buffer is given the bytes above ASCII as octal escapes.
  void text_of(Value s);
  void text_of(Value s, std::int64_t from_byte, std::int64_t to_byte);
  [[gnu::noinline]] void symbol(Value v, bool escape);
  [[gnu::noinline]] void bool_vector(Value v);
  void character_integer(int c);
  void octal(unsigned c, bool digit_follows);
  void add(std::string_view s) { out.append(s); }
  void add_char(int c);
  std::string readable_name(Value symbol);

  static constexpr int kMaxDepth = 200;
  Context& cx_;
  PrintOptions options_;
  Value table_ = kNil;  // print-number-table in use
  int depth_ = 0;
  int backquote_ = 0;
  Value being_printed_[kMaxDepth];
};

// Whether print-circle may give V a number. A string without properties gets one only where it is DEEP: neither the object
// printed nor an element of it, unless numbers go on from print to print.
bool can_be_shared(Context& cx, Value v, bool gensym, bool deep);
// Notes in `print-number-table` what OBJECT holds twice (print-circle), with its number negated.
void number_shared_objects(Context& cx, Value object);

// An element of what the hook string_property_intervals lists is (START END PLIST).
Value plist_of_interval(Value interval);
// The text properties of S to print, as (START END PLIST) each. The property `charset` is left out unless
// CHARSET_PROPERTY (`print-charset-text-property`) is t, or is not nil and some character's charset would be guessed wrong
// without it. Where it stays, plists are printed as they are stored, else in the order of a copy. May read a charset's map
// from a file; kExit when that fails.
Value printed_intervals(Context& cx, Value s, Value charset_property);

// Where output goes: nil is `standard-output`, t the terminal (standard output in batch), or a buffer, marker, function.
Value resolve_destination(Context& cx, Value destination);
// Sends text (internal encoding) there. Functions get a character at a time. With `whole`, standard output does not note the
// last character for (terpri nil t): Emacs notes what it writes character by character only.
Value emit_re(Context& cx, Value destination, std::string_view text, bool whole = false);
// Prints V to DESTINATION.
Value print_to_re(Context& cx, Value v, Value destination, bool escape, std::string_view before = {},
                  std::string_view after = {});
// A string with that text: unibyte when it is ASCII.
Value text_to_string(Context& cx, std::string_view text);
// As prin1-to-string / princ to a string, in C++ memory. False: error pending.
bool print_to_text(Context& cx, Value v, bool escape, std::string* text);

// Writes text to a stdio stream, raw bytes as bytes, the rest as UTF-8.
void write_encoded(FILE* stream, std::string_view text);

struct PrintState {
  int last_char = 0;              // last character noted on standard output, for (terpri nil t)
  bool needs_newline = false;     // standard output does not end a line; `message` starts one
  FILE* debug_stream = nullptr;   // redirect-debugging-output
  std::int64_t number_index = 0;  // print-number-table numbers given so far
};
PrintState& print_state(Context& cx);

// The message of (ERROR-SYMBOL . DATA), as the command loop shows it.
Value error_message_re(Context& cx, Value error);

}  // namespace neovm::elisp
