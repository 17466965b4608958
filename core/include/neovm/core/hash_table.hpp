// Layout of hash tables, for the collector and the printer; everybody else uses tables.hpp.
//
// A table keeps its entries in one kInternalSlots object, key and value interleaved: entry i has its key in
// slot 2i and its value in slot 2i+1. A key of kUnbound marks a free entry, whose value is nil. Entries are
// handed out in order and freed ones are reused last-in first-out, because `maphash` shows the order to Lisp.
// The index, a kRawBytes object, holds no Values: for N entries uint32 hash[N], uint32 next[N], then
// uint32 bucket[B]; `next` and `bucket` hold entry + 1, 0 ends a chain (the chain of free entries too).
// Both objects are nil until the first put, so that an empty table is small.
//
// Hashes of eq and eql tables do not depend on addresses (identity_hash), so moving needs no rehash.
//
// Weak tables: the collector treats the entries object of a table with kHashWeak != 0 weakly (a key that is
// only reachable from its own value is dead: ephemerons). It clears a dead entry by setting its key to
// kUnbound and its value to nil, and adds the number cleared to slot kHashCleared; chains are mended by the
// table's next user. It subtracts nothing from kHashCount: count_raw() below does.
//
// Threads: a table belongs to one isolate.
#pragma once

#include "neovm/abi/layout.hpp"
#include "neovm/abi/tables.hpp"

namespace neovm::core {

enum HashTableSlot : std::int64_t {
  kHashTest,       // fixnum HashTest
  kHashWeak,       // fixnum WeakKind
  kHashEntries,    // kInternalSlots, or nil
  kHashIndex,      // kRawBytes, or nil
  kHashCount,      // fixnum: entries in use, before kHashCleared is subtracted
  kHashFree,       // fixnum: first free entry + 1, 0 when there is none
  kHashCleared,    // fixnum: entries cleared by the collector since the chains were mended
  kHashSize,       // fixnum: the size that Lisp sees; there is storage for at least as many, but before the first put
  kHashTestName,   // symbol given to :test
  kHashUserEqual,  // user-defined test: equality function
  kHashUserHash,   // user-defined test: hash function
  kHashRehashSize,
  kHashRehashThreshold,
  kHashSlotCount,
};

inline constexpr std::uint8_t kHashPurecopy = 1;  // header flag: made with :purecopy t

inline HashTest hash_test_raw(Value table) { return static_cast<HashTest>(slot_raw(table, kHashTest).as_fixnum()); }
inline WeakKind hash_weak_raw(Value table) { return static_cast<WeakKind>(slot_raw(table, kHashWeak).as_fixnum()); }
inline std::int64_t hash_count_raw(Value table) {
  return slot_raw(table, kHashCount).as_fixnum() - slot_raw(table, kHashCleared).as_fixnum();
}

// Entries there is storage for: the range of `hash_key_raw`'s index. Free ones have the key kUnbound.
inline std::int64_t hash_capacity_raw(Value table) {
  const Value entries = slot_raw(table, kHashEntries);
  return entries.is_nil() ? 0 : slot_count_raw(entries) / 2;
}
inline Value hash_key_raw(Value table, std::int64_t i) { return slot_raw(slot_raw(table, kHashEntries), 2 * i); }
inline Value hash_value_raw(Value table, std::int64_t i) { return slot_raw(slot_raw(table, kHashEntries), 2 * i + 1); }

}  // namespace neovm::core
