// The file, part by part:
//   ImageHeader                      (one page)
//   body: blocks                     at kBodyOffset, ready to be mapped
//   ImageBlock for each block
//   relocation bitmap                one bit for each word of the body that holds an address in the body
//   word lists                       symbol table, roots, buffer slots, restores, watched, cons hashes
//   fix-ups                          where pointers into the program belong
//   names                            zero-terminated
// Addresses in the file are those of the window. The header has a checksum of its own; `checksum` covers
// the header, too, and everything behind its page. Numbers are the machine's (little-endian 64 bit is the only one there is).
#pragma once

#include <cstddef>
#include <cstdint>

#include "gc/block_pool.hpp"
#include "neovm/core/isolate.hpp"

namespace neovm::core::image {

inline constexpr char kMagic[8] = {'N', 'e', 'o', 'V', 'M', 'i', 'm', 'g'};
inline constexpr std::uint32_t kFormat = 3;
inline constexpr std::size_t kBodyOffset = heap_map::kBlockSize;

// A piece of the file: offset from its start, and number of elements.
struct Piece {
  std::uint64_t offset;
  std::uint64_t count;
};

inline constexpr int kRootSyntax = 0;
inline constexpr int kRootCategory = 1;
inline constexpr int kRootDowncase = 2;
inline constexpr int kRootObarray = 3;
inline constexpr int kRootEmpty = 4;                                       // Isolate::empty_objects
inline constexpr int kRootExtensions = kRootEmpty + Isolate::kEmptyKinds;  // kUnbound: saved nothing
inline constexpr int kRootCount = kRootExtensions + static_cast<int>(ExtensionId::kCount);
constexpr std::size_t root_index(int first, int i) {
  const int index = first + i;
  return static_cast<std::size_t>(index);
}

struct ImageHeader {
  char magic[8];
  std::uint32_t format;
  std::uint32_t header_bytes;
  std::uint64_t build_id;
  std::uint64_t base;  // address of the first block
  std::uint64_t file_bytes;
  std::uint64_t blocks;
  Piece block_table;   // ImageBlock
  Piece relocations;   // uint64, blocks * 64 of them
  Piece symbol_table;  // Value
  Piece roots;         // Value
  Piece buffer_slots;  // Value
  Piece restores;      // Value, pairs: host object, saved
  Piece watched;       // Value
  Piece cons_hashes;   // ConsHash
  Piece primitives;    // Fixup
  Piece host_types;    // Fixup
  Piece type_shapes;   // TypeShape
  Piece names;         // char
  std::uint64_t symbol_ids;
  std::uint64_t symbol_total;
  std::uint64_t table_used;
  std::uint64_t next_gensym;
  std::uint64_t hash_state;
  std::uint64_t live_bytes;
  std::uint64_t conses;
  std::uint64_t objects;
  std::uint64_t checksum;         // of everything above and of everything behind the header's page
  std::uint64_t header_checksum;  // of everything above
};
static_assert(sizeof(ImageHeader) < 4096);

struct ImageBlock {
  std::uint64_t use;  // gc::BlockUse
  std::uint64_t run_blocks;
  std::uint64_t large_bytes;
  gc::GranuleBits starts;
  std::uint64_t lines[gc::kLinesPerBlock / 64];
};

struct ConsHash {
  std::uint64_t address;
  std::uint64_t hash;
};

struct Fixup {
  std::uint64_t offset;  // in the body: the word that gets the pointer
  std::uint64_t name;    // primitive: offset into names; host type: index of its shape
};

struct TypeShape {
  std::uint64_t name;  // offset into names
  std::uint32_t slot_count;
  std::uint32_t payload_bytes;
};

// Four lanes of multiply and rotate over 32-byte steps: about memory speed. Finds accidents, not attackers.
std::uint64_t checksum(const void* data, std::size_t bytes, std::uint64_t seed);

}  // namespace neovm::core::image
