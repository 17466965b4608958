// Coding systems: names for ways to decode bytes to characters and back.
//
// Lisp objects hold what Lisp defined (variable " coding-systems": the state vector), C++ reads them when it
// converts. A coding system's spec is shared by its aliases and says (ATTRIBUTES ALIASES EOL-TYPE); the
// attributes are shared with the variants for one kind of line end (-unix, -dos, -mac).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "neovm/abi/api.hpp"

namespace neovm::elisp {

enum CodingSlot : std::int64_t {
  kCoName,
  kCoType,
  kCoMnemonic,
  kCoCharsets,  // list of charset names, or a symbol such as iso-2022
  kCoAsciiCompatible,
  kCoDecodeTable,
  kCoEncodeTable,
  kCoPostRead,
  kCoPreWrite,
  kCoDefaultChar,
  kCoForUnibyte,
  kCoPlist,
  kCoCategory,  // symbol
  kCoExtra,     // vector of the arguments of this type
  kCoSlotCount,
};
enum SpecSlot : std::int64_t { kSpAttributes, kSpAliases, kSpEol, kSpSlotCount };

enum class Eol : std::uint8_t { kUnix, kDos, kMac, kUndecided };

struct CodingSystem {
  Value name;        // as given
  Value attributes;  // vector of CodingSlot
  Eol eol = Eol::kUndecided;
  [[nodiscard]] Value slot(CodingSlot s) const { return slot_raw(attributes, s); }
  [[nodiscard]] Value type() const { return slot(kCoType); }
};

// Spec of a coding system, nil when the symbol names none. May load what `coding-system-define-form' promises.
Value coding_spec_re(Context& cx, Value name);
// Signals (coding-system-error NAME); nil is no-conversion.
Maybe<CodingSystem> coding_argument_re(Context& cx, Value name);
// The ids of a coding system's charsets, for char-charset.
Maybe<std::vector<int>> coding_system_charsets(Context& cx, Value name);
// NAME with the line ends given: the variant's name, or NAME itself when it has none.
Value coding_with_eol(Context& cx, Value name, Eol eol);

// Result of decoding. `bytes` is in the internal encoding; with `unibyte` they are the bytes themselves.
struct Decoded {
  std::string bytes;
  std::int64_t chars = 0;
  bool unibyte = false;
  Value used;  // the coding system that did it, for last-coding-system-used
  struct Run {
    std::int64_t from;
    std::int64_t to;
    int charset;
  };
  std::vector<Run> runs;  // where the charset property goes
};
// `source` holds bytes, or with `multibyte` internal text whose raw bytes are the ones to decode.
// Neither runs post-read-conversion nor pre-write-conversion functions.
Maybe<Decoded> decode_text(Context& cx, const CodingSystem& coding, std::string_view source, bool multibyte);
Maybe<std::string> encode_text(Context& cx, const CodingSystem& coding, std::string_view source, bool multibyte);

// What `undecided' finds in bytes: a coding system without line ends, or with them when all agree.
Maybe<CodingSystem> detect_coding(Context& cx, const CodingSystem& coding, std::string_view source);
// Line ends of the bytes: one kind throughout, or kUndecided when there are none; mixed ones are kUnix.
Eol detect_eol(std::string_view source);
Eol detect_eol_utf16(std::string_view source, bool big);

inline constexpr const char* kCodingCategories[] = {"coding-category-iso-7",
                                                    "coding-category-iso-7-tight",
                                                    "coding-category-iso-8-1",
                                                    "coding-category-iso-8-2",
                                                    "coding-category-iso-7-else",
                                                    "coding-category-iso-8-else",
                                                    "coding-category-utf-8-auto",
                                                    "coding-category-utf-8",
                                                    "coding-category-utf-8-sig",
                                                    "coding-category-utf-16-auto",
                                                    "coding-category-utf-16-be",
                                                    "coding-category-utf-16-le",
                                                    "coding-category-utf-16-be-nosig",
                                                    "coding-category-utf-16-le-nosig",
                                                    "coding-category-charset",
                                                    "coding-category-sjis",
                                                    "coding-category-big5",
                                                    "coding-category-ccl",
                                                    "coding-category-emacs-mule",
                                                    "coding-category-raw-text",
                                                    "coding-category-undecided"};

}  // namespace neovm::elisp
