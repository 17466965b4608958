// Charsets: named sets of characters with code points.
//
// What Lisp defined is kept in Lisp objects, so that it is collected, copied and written to images like
// everything else: the variable " charsets" holds a vector (StateSlot), each charset a vector (CharsetSlot).
// C++ works with a `Charset` made from that vector on first use, together with its code maps; those hold no
// Values and are dropped by `clear-charset-maps'.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "neovm/abi/api.hpp"

namespace neovm::elisp {

enum CharsetSlot : std::int64_t {
  kCsId,
  kCsName,
  kCsPlist,
  kCsDimension,
  kCsCodeSpace,  // vector of 8 bytes: minimum and maximum of each dimension, least significant first
  kCsMinCode,
  kCsMaxCode,
  kCsIsoFinal,
  kCsIsoRevision,
  kCsMuleId,
  kCsAsciiCompatible,
  kCsSupplementary,
  kCsInvalidCode,
  kCsCodeOffset,
  kCsMap,
  kCsSubset,    // (ID MIN-CODE MAX-CODE OFFSET)
  kCsSuperset,  // ((ID . OFFSET) …)
  kCsUnifyMap,
  kCsUnified,
  kCsSlotCount,
};

enum CharsetStateSlot : std::int64_t {
  kStByName,  // eq hash table: symbol -> charset vector
  kStById,    // vector of charset vectors
  kStCount,
  kStOrdered,       // list of ids by priority
  kStNonPreferred,  // tail of kStOrdered that `set-charset-priority' did not name
  kStIso,           // eq hash table: dimension, 94 or 96, final -> id
  kStMule,          // vector of 256: id or nil
  kStSlotCount,
};

enum class CharsetMethod : std::uint8_t { kOffset, kMap, kSubset, kSuperset };

inline constexpr std::uint32_t kNoCode = 0xFFFFFFFF;

struct Charset {
  int id = 0;
  Value name;  // an id symbol or pinned by the charset table; see charset_by_id
  int dimension = 1;
  int low[4] = {};
  int size[4] = {};
  std::uint32_t min_code = 0;
  std::uint32_t max_code = 0;
  bool ascii_compatible = false;
  bool supplementary = false;
  bool unified = false;
  CharsetMethod method = CharsetMethod::kOffset;
  int code_offset = 0;
  int iso_final = -1;
  int mule_id = -1;
  bool iso_96 = false;
  int parent = 0;  // subset
  std::uint32_t parent_min = 0;
  std::uint32_t parent_max = 0;
  std::int64_t parent_offset = 0;
  std::vector<std::pair<int, std::int64_t>> parents;  // superset
  bool map_loaded = false;
  std::vector<std::int32_t> chars;                            // by index; -1: none (method kMap, or unified)
  std::vector<std::pair<std::int32_t, std::uint32_t>> codes;  // by character, sorted

  // Index of a code point, -1 when a byte is out of its range.
  [[nodiscard]] std::int64_t index_of(std::uint32_t code) const;
  [[nodiscard]] std::uint32_t code_of(std::int64_t index) const;
  [[nodiscard]] std::int64_t index_count() const;
};

Value charset_state(Context& cx, CharsetStateSlot slot);
// The vector of a charset; nil when NAME names none.
Value charset_vector(Context& cx, Value name);
Value charset_vector_by_id(Context& cx, int id);
// The C++ side. Never null for an existing id.
Charset* charset_by_id(Context& cx, int id);
// Signals (wrong-type-argument charsetp NAME).
Maybe<Charset*> charset_argument(Context& cx, Value name);
Value charset_name(Context& cx, int id);
void forget_charset(Context& cx, int id);
void forget_charset_maps(Context& cx);
int charset_by_iso(Context& cx, int dimension, bool chars96, int final_byte);  // -1: none

// Code point -> character; -1 when there is none. Loads the map if need be, which can fail.
Maybe<int> decode_charset(Context& cx, Charset* cs, std::uint32_t code);
// Character -> code point; kNoCode when it is not in the charset.
Maybe<std::uint32_t> encode_charset(Context& cx, Charset* cs, int c);
Maybe<bool> load_charset_map(Context& cx, Charset* cs);

// The first charset by priority (or in `ids`) that has `c`; -1 when none has.
Maybe<int> charset_of_char(Context& cx, int c, std::uint32_t* code);
Maybe<int> charset_of_char_in(Context& cx, int c, const std::vector<int>& ids, std::uint32_t* code);

// A code point given as an integer, a float or (HIGH . LOW).
Maybe<std::uint32_t> code_argument(Context& cx, Value v);

inline constexpr int kCharsetAscii = 0;
inline constexpr int kCharsetLatin1 = 1;
inline constexpr int kCharsetUnicode = 2;
inline constexpr int kCharsetEmacs = 3;
inline constexpr int kCharsetEightBit = 4;

}  // namespace neovm::elisp
