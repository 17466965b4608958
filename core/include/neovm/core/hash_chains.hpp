// Entry-level operations on hash tables, for the primitives (user-defined tests run Lisp between the steps).
// Entries are named by their index; -1 is "none". An index is valid until the table is written.
#pragma once

#include "neovm/abi/error.hpp"
#include "neovm/core/hash_table.hpp"

namespace neovm::core {

// Hash of KEY under a standard test (a user-defined test's hash function is the guest's business).
std::uint32_t hash_for_test(Context& cx, HashTest test, Value key);
// Entry with KEY in a table with a standard test. Fails where `equal` fails.
Maybe<std::int64_t> find_entry(Context& cx, Value table, Value key, std::uint32_t hash);
// The entries whose hash shares a bucket with `hash`.
std::int64_t chain_first(Value table, std::uint32_t hash);
std::int64_t chain_next(Value table, std::int64_t i);
std::uint32_t entry_hash(Value table, std::int64_t i);
// Adds an entry for a key that is not there; may fail with memory-full. Returns VALUE.
Value add_entry(Context& cx, Value table, std::uint32_t hash, Value key, Value value);
// Gives KEY the value V in a table with a standard test. Returns V, or fails as find_entry and add_entry do.
Value put_entry(Context& cx, Value table, Value key, Value v);
void remove_entry(Value table, std::int64_t i);
void clear_entries(Value table);
// Builds chains, free list and count from the entries (after the collector cleared some).
void rechain(Value table);
// The keys were copied from another heap: hashes them anew (a user-defined test keeps its hashes) and rechains.
void rehash(Context& cx, Value table);
Value copy_table(Context& cx, Value table);

}  // namespace neovm::core
