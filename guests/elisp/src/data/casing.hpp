// Changing the case of text, for strings here and for buffer text elsewhere.
#pragma once

#include <string>

#include "neovm/abi/api.hpp"

namespace neovm::elisp {

enum class Casing : std::uint8_t { kUp, kDown, kCapitalize, kUpInitials };

// Casts one character after another; remembers whether it is inside a word.
class Caser {
 public:
  Caser() = default;
  // Loads the tables of titlecase letters and, when wanted, of special casing. That may run Lisp and fail.
  static Maybe<Caser> make_re(Context& cx, Casing casing, bool specials);
  // The character(s) for `c`, given the one that follows (-1: none). A single character goes to *one and the
  // result is false; several go to *many (internal encoding) and the result is true.
  bool cast(int c, int next, int* one, std::string* many);
  // Only simple mappings: one character for one.
  int cast_single(int c);

 private:
  int simple(Casing how, int c);
  bool is_word(int c) const;

  Context* cx_ = nullptr;
  Casing casing_ = Casing::kUp;
  bool in_word_ = false;
  Value titlecase_ = kNil;
  Value special_up_ = kNil;
  Value special_down_ = kNil;
  Value special_title_ = kNil;
};

}  // namespace neovm::elisp
