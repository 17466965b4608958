// The Lisp reader.
//
// Nesting costs frames on an explicit stack, never C++ frames, so "((((…" of any depth is fine. Values under
// construction live in a RootVector, because \N{…} names, function streams and user-defined hash tests run Lisp.
#pragma once

#include <string>
#include <vector>

#include "neovm/core/context.hpp"
#include "stream.hpp"

namespace neovm::elisp {

class Reader {
 public:
  Reader(Context& cx, ReadStream& in);

  // Reads one object. kExit on error; end-of-file when there is none.
  Value read_re();
  // Skips blanks and comments; false at the end of input. Leaves the stream before the next object.
  // kFailed of the stream comes out as an exit.
  Maybe<bool> skip_to_object_re();

 private:
  enum class Kind : std::uint8_t {
    kList,     // values[base] head, values[base + 1] last cons
    kListDot,  // after the dot: one object is due
    kListEnd,  // only the closing parenthesis may follow
    kVector,   // items from values[base]
    kByteCode,
    kCharTable,
    kSubCharTable,
    kRecord,      // #s(…)
    kPropertied,  // #("…" …)
    kPrefix,      // 'x and the like: values[base] is the symbol
    kLabel,       // #1=: values[base] is the placeholder
  };
  struct Frame {
    Kind kind;
    std::size_t base;
    std::int64_t label;
  };

  // What reading one token gave.
  enum class Step : std::uint8_t { kObject, kPushed, kFailed };
  Step next_token_re(Value* object);
  Step hash_syntax_re(Value* object);
  Step close(char c, Value* object);
  // Gives `object` to the innermost frame; kPushed when more is needed, kObject when the whole is complete.
  Step deliver(Value* object);
  void push(Kind kind, std::int64_t label = 0) { frames_.push_back({kind, values_.values.size(), label}); }
  void push_prefix(Value symbol);
  void pop_to(std::size_t base) { values_.values.resize(base); }
  Value finish_list(const Frame& f, Value tail);

  // Objects from collected items (read_objects.cpp).
  Value finish_items(const Frame& f);
  Value make_record(std::span<const Value> items);
  Value make_hash_table_re(std::span<const Value> items);
  Value make_byte_code(std::span<const Value> items);
  Value make_char_table(std::span<const Value> items);
  Value make_sub_char_table(std::span<const Value> items);
  Value make_propertied(std::span<const Value> items);
  Value finish_label(const Frame& f, Value object);
  Value find_label(std::int64_t number);

  // Atoms (read_atoms.cpp).
  Value read_character_re();
  Value read_string_re();
  Value read_bool_vector_re();
  Value read_radix_re(std::int64_t radix);
  enum class SymbolMode : std::uint8_t { kPlain, kUninterned, kNoShorthand };
  Value read_symbol_re(int first, SymbolMode mode);
  Maybe<int> read_escape_re(bool in_string);
  Maybe<int> read_escape_start_re();  // after "\M-" and the like: a character or another escape
  Maybe<int> read_hex_escape_re(int count);
  Maybe<int> read_named_character_re();
  Value intern_token(std::string_view name, bool ascii, bool shorthand);
  void note_symbol_position(Value symbol, std::int64_t position);
  bool skip_comment_re();
  Maybe<bool> skip_doc_string_re(bool* ended);

  Step object(Value* out, Value v) {
    *out = v;
    return v.is_exit() ? Step::kFailed : Step::kObject;
  }
  Step failed(ExitTag) { return Step::kFailed; }
  ExitTag invalid_syntax(std::string_view what);
  ExitTag end_of_file();

  Context& cx_;
  ReadStream& in_;
  RootVector values_;
  RootVector labels_;  // objects by the order of label_numbers_
  std::vector<std::int64_t> label_numbers_;
  std::vector<Frame> frames_;
  std::string token_;
  Value obarray_ = kNil;  // nil: the isolate's own table
  bool has_shorthands_ = false;
  bool wants_positions_ = false;

 public:
  // `get-file-char` and `#$`: the object that a symbol-positions reader compares with.
  Value positions_key = kNil;
};

// Interning with `obarray` honoured: nil or the main vector means the isolate's table. (obarray.cpp)
Value intern_in(Context& cx, std::string_view name, Value obarray);
Value find_in(Context& cx, std::string_view name, Value obarray);  // kUnbound when there is none
// Checks an OBARRAY argument (nil: the variable `obarray`); returns nil for the main one.
Value obarray_argument(Context& cx, Value obarray);
// Replaces PLACEHOLDER by OBJECT everywhere in TREE. (substitute.cpp)
void substitute_object(Context& cx, Value tree, Value object, Value placeholder);

}  // namespace neovm::elisp
