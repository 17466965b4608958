// Codecs that are made of charsets. All append to `out`.
#pragma once

#include "../charset/charset.hpp"
#include "coding.hpp"

namespace neovm::elisp {

// Collects decoded characters and the runs of one charset among them.
class DecodedSink {
 public:
  explicit DecodedSink(Decoded* out) : out_(out) {}
  // `charset` < 0: no charset to remember.
  void add(int c, int charset);
  void add_raw(std::uint8_t byte);

 private:
  Decoded* out_;
};

Maybe<bool> decode_by_charsets(Context& cx, const CodingSystem& coding, std::string_view bytes, Decoded* out);
Maybe<bool> encode_by_charsets(Context& cx, const CodingSystem& coding, std::string_view text, std::string* out);
Maybe<bool> decode_shift_jis(Context& cx, const CodingSystem& coding, std::string_view bytes, Decoded* out);
Maybe<bool> encode_shift_jis(Context& cx, const CodingSystem& coding, std::string_view text, std::string* out);
Maybe<bool> decode_big5(Context& cx, const CodingSystem& coding, std::string_view bytes, Decoded* out);
Maybe<bool> encode_big5(Context& cx, const CodingSystem& coding, std::string_view text, std::string* out);
Maybe<bool> decode_emacs_mule(Context& cx, const CodingSystem& coding, std::string_view bytes, Decoded* out);
Maybe<bool> encode_emacs_mule(Context& cx, const CodingSystem& coding, std::string_view text, std::string* out);

// Translation tables: char-tables (or lists of them, or symbols that name them) from character to character.
void translate_decoded(Context& cx, const CodingSystem& coding, Decoded* out);
void translate_for_encoding(Context& cx, const CodingSystem& coding, std::string* text);

}  // namespace neovm::elisp
