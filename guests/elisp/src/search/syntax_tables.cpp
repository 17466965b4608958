// Syntax tables as data (syntax.c of GNU). Scanning text by syntax is the host's.
#include <string>

#include "neovm/abi/api.hpp"
#include "neovm/core/char_table.hpp"
#include "neovm/text/characters.hpp"
#include "neovm/text/syntax.hpp"

namespace neovm::elisp {
namespace {

bool is_syntax_table(Value v) { return is_char_table(v) && slot_raw(v, kCharTablePurpose) == Qsyntax_table; }

Maybe<bool> check_syntax_table(Context& cx, Value v) { return check_type(cx, is_syntax_table(v), Qsyntax_table_p, v); }

Value entry_of(Context& cx, Value ch) {
  const int c = TRY(character_argument(cx, ch));
  return char_table_get(current_tables(cx).syntax, c);
}

// Reads a descriptor such as "w" or "( 1n".
Value parse_descriptor(Context& cx, Value string) {
  TRY(check_type(cx, string.is_string(), Qstringp, string));
  const std::string_view text = string_view_of(string);
  const auto letter = static_cast<unsigned char>(text.empty() ? '\0' : text[0]);
  // A letter beyond ASCII is none that is refused: it means whitespace.
  const int code = letter < 0x80 ? text::syntax_code_of_designator(letter) : text::kSyntaxWhitespace;
  if (code < 0 || letter == 0) {
    const char shown[2] = {static_cast<char>(letter), '\0'};
    return error_text(cx, "Invalid syntax description letter: " + std::string(shown, 1));
  }
  if (code == text::kSyntaxInherit) return kNil;
  std::size_t at = 1;
  if (string_multibyte(string)) at = static_cast<std::size_t>(text::decode_char(string_data_raw(string)).bytes);
  Value match = kNil;
  if (text.size() > at) {
    int c = static_cast<unsigned char>(text[at]);
    std::size_t bytes = 1;
    if (string_multibyte(string)) {
      const text::Decoded d = text::decode_char(string_data_raw(string) + at);
      c = d.c;
      bytes = static_cast<std::size_t>(d.bytes);
    }
    at += bytes;
    if (c != ' ') match = Value::fixnum(c);
  }
  std::int64_t value = code;
  for (; at < text.size(); ++at) {
    switch (text[at]) {
      case '1': value |= text::kFlagCommentStart1; break;
      case '2': value |= text::kFlagCommentStart2; break;
      case '3': value |= text::kFlagCommentEnd1; break;
      case '4': value |= text::kFlagCommentEnd2; break;
      case 'p': value |= text::kFlagPrefix; break;
      case 'b': value |= text::kFlagStyleB; break;
      case 'n': value |= text::kFlagNested; break;
      case 'c': value |= text::kFlagStyleC; break;
      default: break;
    }
  }
  if (value < text::kSyntaxCodeCount && match.is_nil()) return text::syntax_code_object(cx, static_cast<int>(value));
  return cons(cx, Value::fixnum(value), match);
}

}  // namespace

// The standard syntax table as it is before the Lisp library refines it.
NEOVM_INIT(standard_syntax_table, kTables)(Context& cx) {
  using namespace text;  // NOLINT: the codes
  symbol_put(cx, Qsyntax_table, Qchar_table_extra_slots, Value::fixnum(0));
  const Value table = make_char_table(cx, Qsyntax_table, syntax_code_object(cx, kSyntaxWhitespace));
  const auto set = [&](int c, SyntaxCode code) { char_table_set(cx, table, c, syntax_code_object(cx, code)); };
  const auto set_pair = [&](int open, int close) {
    char_table_set(cx, table, open, cons(cx, Value::fixnum(kSyntaxOpen), Value::fixnum(close)));
    char_table_set(cx, table, close, cons(cx, Value::fixnum(kSyntaxClose), Value::fixnum(open)));
  };
  char_table_set_range(cx, table, 0, ' ' - 1, syntax_code_object(cx, kSyntaxPunctuation));
  set(0x7f, kSyntaxPunctuation);
  for (int c = 'a'; c <= 'z'; ++c) set(c, kSyntaxWord);
  for (int c = 'A'; c <= 'Z'; ++c) set(c, kSyntaxWord);
  for (int c = '0'; c <= '9'; ++c) set(c, kSyntaxWord);
  set('$', kSyntaxWord);
  set('%', kSyntaxWord);
  for (const char c : {' ', '\t', '\n', '\r', '\f'}) set(c, kSyntaxWhitespace);
  set_pair('(', ')');
  set_pair('[', ']');
  set_pair('{', '}');
  set('"', kSyntaxString);
  set('\\', kSyntaxEscape);
  for (const char c : std::string_view("_-+*/&|<>=")) set(c, kSyntaxSymbol);
  for (const char c : std::string_view(".,;:?!#@~^'`")) set(c, kSyntaxPunctuation);
  char_table_set_range(cx, table, 0x80, kMaxCharacter, syntax_code_object(cx, kSyntaxWord));
  standard_tables(cx).syntax = table;
  if (!is_char_table(current_tables(cx).syntax)) current_tables(cx).syntax = table;
}

NEOVM_PRIMITIVE(syntax_table_p, "syntax-table-p", 1, 1, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return t if OBJECT is a syntax table.")
(Context&, Value object) { return boolean(is_syntax_table(object)); }

NEOVM_PRIMITIVE(syntax_table, "syntax-table", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the syntax table of the current buffer.")
(Context& cx) { return current_tables(cx).syntax; }

NEOVM_PRIMITIVE(standard_syntax_table, "standard-syntax-table", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the standard syntax table, the one new buffers start with.")
(Context& cx) { return standard_tables(cx).syntax; }

NEOVM_PRIMITIVE(copy_syntax_table, "copy-syntax-table", 0, 1, kWorkerSafe, kStateRead, kMayGc, kNoReentry,
                kDeterministic,
                "Return a copy of the syntax table TABLE (default: the standard one). The copy inherits from the\n"
                "standard table what it does not define.")
(Context& cx, Value table) {
  if (table.is_nil()) {
    table = standard_tables(cx).syntax;
  } else {
    TRY(check_syntax_table(cx, table));
  }
  const Value copy = core::copy_char_table(cx, table);
  set_slot_raw(copy, kCharTableDefault, kNil);
  if (slot_raw(copy, kCharTableParent).is_nil()) set_slot_raw(copy, kCharTableParent, standard_tables(cx).syntax);
  return copy;
}

NEOVM_PRIMITIVE(char_syntax, "char-syntax", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the designator of the syntax class of CHARACTER, as a character.")
(Context& cx, Value character) {
  const Value entry = TRY(entry_of(cx, character));
  return Value::fixnum(
      text::kSyntaxDesignators[text::SyntaxReader::code_of(text::SyntaxReader::flags_of_entry(entry))]);
}

NEOVM_PRIMITIVE(syntax_class_to_char, "syntax-class-to-char", 1, 1, kWorkerSafe, kPureRead, kNoGc, kNoReentry,
                kDeterministic, "Return the designator character of the syntax class with number SYNTAX.")
(Context& cx, Value syntax) {
  const std::int64_t code = TRY(fixnum_argument(cx, syntax));
  if (code < 0 || code >= text::kSyntaxCodeCount)
    return args_out_of_range(cx, Value::fixnum(text::kSyntaxCodeCount - 1), syntax);
  return Value::fixnum(text::kSyntaxDesignators[code]);
}

NEOVM_PRIMITIVE(matching_paren, "matching-paren", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the parenthesis that matches CHARACTER, or nil when it is none.")
(Context& cx, Value character) {
  const Value entry = TRY(entry_of(cx, character));
  const int code = text::SyntaxReader::code_of(text::SyntaxReader::flags_of_entry(entry));
  if (code != text::kSyntaxOpen && code != text::kSyntaxClose) return kNil;
  return entry.is_cons() ? cdr_raw(entry) : kNil;
}

NEOVM_PRIMITIVE(string_to_syntax, "string-to-syntax", 1, 1, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic,
                "Return the syntax entry that the descriptor STRING describes: (CODE . MATCH), or nil to inherit.")
(Context& cx, Value string) { return parse_descriptor(cx, string); }

NEOVM_COMMAND(modify_syntax_entry, "modify-syntax-entry", 2, 3, kWorkerSafe, kStateWrite, kMayGc, kNoReentry,
              kDeterministic, "cSet syntax for character: \nsSet syntax for %s to: ",
              "Set the syntax of CHAR, or of the range of characters (MIN . MAX), as NEWENTRY describes it.\n"
              "SYNTAX-TABLE defaults to the current buffer's table.")
(Context& cx, Value character, Value descriptor, Value table) {
  int from;
  int to;
  if (character.is_cons()) {
    from = TRY(character_argument(cx, car_raw(character)));
    to = TRY(character_argument(cx, cdr_raw(character)));
  } else {
    from = to = TRY(character_argument(cx, character));
  }
  if (table.is_nil()) {
    table = current_tables(cx).syntax;
  } else {
    TRY(check_syntax_table(cx, table));
  }
  const Value entry = TRY(parse_descriptor(cx, descriptor));
  if (character.is_cons()) {
    if (from <= to) char_table_set_range(cx, table, from, to, entry);
  } else {
    char_table_set(cx, table, from, entry);
  }
  return kNil;
}

}  // namespace neovm::elisp
