// Hash tables. core/hash_table.hpp describes the layout; user-defined tests live in the guest, which
// uses the chain functions of hash_chains.hpp.
#include "neovm/core/hash_table.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "neovm/abi/api.hpp"
#include "neovm/core/context.hpp"
#include "neovm/core/equal_hash.hpp"
#include "neovm/core/hash_chains.hpp"

namespace neovm {
namespace core {

namespace {

std::int64_t fixnum_slot(Value table, std::int64_t slot) { return slot_raw(table, slot).as_fixnum(); }
void set_fixnum_slot(Value table, std::int64_t slot, std::int64_t n) { set_slot_raw(table, slot, Value::fixnum(n)); }

std::uint32_t* index_words(Value table) {
  return reinterpret_cast<std::uint32_t*>(raw_bytes_raw(slot_raw(table, kHashIndex))->bytes);
}
std::int64_t bucket_count(Value table) {
  return static_cast<std::int64_t>(raw_bytes_raw(slot_raw(table, kHashIndex))->count / 4) -
         2 * hash_capacity_raw(table);
}

struct Index {
  std::uint32_t* hash;
  std::uint32_t* next;
  std::uint32_t* bucket;
  unsigned bits;  // of the number of buckets

  std::uint32_t& bucket_for(std::uint32_t h) const { return bucket[bucket_of(h, bits)]; }
};
Index index_of(Value table) {
  const std::int64_t n = hash_capacity_raw(table);
  std::uint32_t* p = index_words(table);
  return {p, p + n, p + 2 * n,
          static_cast<unsigned>(std::countr_zero(static_cast<std::uint64_t>(bucket_count(table))))};
}

// Bucket counts are powers of two, at least the number of entries.
std::int64_t buckets_for(std::int64_t entries) {
  std::int64_t n = 4;
  while (n < entries) n <<= 1;
  return n;
}

// Copies slots into a new object, which may be old at once when it is large: its cards are marked.
void copy_entries(Value to, Value from, std::int64_t slots) {
  Value* const p = slots_raw(to)->slots;
  std::memcpy(p, slots_raw(from)->slots, static_cast<std::size_t>(slots) * sizeof(Value));
  constexpr std::int64_t kSlotsPerCard = std::int64_t{1} << (heap_map::kCardShift - 3);
  for (std::int64_t i = 0; i < slots; i += kSlotsPerCard) heap_map::mark_card(p + i);
  if (slots > 0) heap_map::mark_card(p + slots - 1);
}

// Gives the table storage for `capacity` entries and chains the old ones anew.
Value rebuild(Context& cx, Value table, std::int64_t capacity) {
  const std::int64_t old_capacity = hash_capacity_raw(table);
  const std::int64_t buckets = buckets_for(capacity);
  if (capacity >= (std::int64_t{1} << 32) - 2) return signal_memory_full(cx);
  const Value entries = TRY(make_slots(cx, ObjectKind::kInternalSlots, 2 * capacity, kUnbound));
  const Value index = TRY(make_raw(cx, ObjectKind::kRawBytes, 4 * (2 * capacity + buckets)));
  auto* words = reinterpret_cast<std::uint32_t*>(raw_bytes_raw(index)->bytes);
  if (old_capacity > 0) {
    std::memcpy(words, index_words(table), static_cast<std::size_t>(old_capacity) * 4);
    copy_entries(entries, slot_raw(table, kHashEntries), 2 * old_capacity);
  }
  set_slot_raw(table, kHashEntries, entries);
  set_slot_raw(table, kHashIndex, index);
  rechain(table);
  return table;
}

std::int64_t grown_size(Value table) {
  const std::int64_t size = fixnum_slot(table, kHashSize);
  const Value rate = slot_raw(table, kHashRehashSize);
  std::int64_t grown = size + 1;
  if (rate.is_fixnum()) {
    grown = size + rate.as_fixnum();
  } else if (rate.is_float()) {
    const double wanted = static_cast<double>(size) * float_raw(rate);
    grown = wanted >= 4e18 ? std::int64_t{1} << 61 : static_cast<std::int64_t>(wanted);
  }
  return std::max(grown, size + 1);
}

}  // namespace

void rechain(Value table) {
  const Index ix = index_of(table);
  const std::int64_t n = hash_capacity_raw(table);
  std::fill_n(ix.bucket, std::uint64_t{1} << ix.bits, 0U);
  std::uint32_t free = 0;
  std::int64_t used = 0;
  for (std::int64_t i = n; i-- > 0;) {
    if (hash_key_raw(table, i).is_unbound()) {
      ix.next[i] = free;
      free = static_cast<std::uint32_t>(i) + 1;
    } else {
      std::uint32_t& bucket = ix.bucket_for(ix.hash[i]);
      ix.next[i] = bucket;
      bucket = static_cast<std::uint32_t>(i) + 1;
      ++used;
    }
  }
  set_fixnum_slot(table, kHashFree, free);
  set_fixnum_slot(table, kHashCount, used);
  set_fixnum_slot(table, kHashCleared, 0);
}

std::int64_t chain_first(Value table, std::uint32_t hash) {
  if (slot_raw(table, kHashIndex).is_nil()) return -1;
  if (fixnum_slot(table, kHashCleared) != 0) rechain(table);
  const Index ix = index_of(table);
  return static_cast<std::int64_t>(ix.bucket_for(hash)) - 1;
}
std::int64_t chain_next(Value table, std::int64_t i) { return static_cast<std::int64_t>(index_of(table).next[i]) - 1; }
std::uint32_t entry_hash(Value table, std::int64_t i) { return index_words(table)[i]; }

Value add_entry(Context& cx, Value table, std::uint32_t hash, Value key, Value value) {
  if (slot_raw(table, kHashEntries).is_nil()) {
    set_fixnum_slot(table, kHashSize, std::max<std::int64_t>(fixnum_slot(table, kHashSize), 1));
    TRY(rebuild(cx, table, fixnum_slot(table, kHashSize)));
  }
  if (fixnum_slot(table, kHashCleared) != 0) rechain(table);
  // The size that Lisp sees grows by the table's own rule, the storage at least twofold.
  const std::int64_t old_count = fixnum_slot(table, kHashCount);
  if (old_count >= fixnum_slot(table, kHashSize)) set_fixnum_slot(table, kHashSize, grown_size(table));
  if (fixnum_slot(table, kHashFree) == 0)
    TRY(rebuild(cx, table, std::max(fixnum_slot(table, kHashSize), 2 * hash_capacity_raw(table))));
  const Index ix = index_of(table);
  const std::int64_t i = fixnum_slot(table, kHashFree) - 1;
  set_fixnum_slot(table, kHashFree, ix.next[i]);
  ix.hash[i] = hash;
  std::uint32_t& bucket = ix.bucket_for(hash);
  ix.next[i] = bucket;
  bucket = static_cast<std::uint32_t>(i) + 1;
  const Value entries = slot_raw(table, kHashEntries);
  set_slot_raw(entries, 2 * i, key);
  set_slot_raw(entries, 2 * i + 1, value);
  set_fixnum_slot(table, kHashCount, old_count + 1);
  return value;
}

void remove_entry(Value table, std::int64_t i) {
  const Index ix = index_of(table);
  std::uint32_t* link = &ix.bucket_for(ix.hash[i]);
  while (*link != static_cast<std::uint32_t>(i) + 1) link = &ix.next[*link - 1];
  *link = ix.next[i];
  const Value entries = slot_raw(table, kHashEntries);
  set_slot_raw(entries, 2 * i, kUnbound);
  set_slot_raw(entries, 2 * i + 1, kNil);
  ix.next[i] = static_cast<std::uint32_t>(fixnum_slot(table, kHashFree));
  set_fixnum_slot(table, kHashFree, i + 1);
  set_fixnum_slot(table, kHashCount, fixnum_slot(table, kHashCount) - 1);
}

void clear_entries(Value table) {
  if (slot_raw(table, kHashEntries).is_nil()) return;
  const Value entries = slot_raw(table, kHashEntries);
  for (std::int64_t i = 0, n = hash_capacity_raw(table); i < n; ++i) {
    set_slot_raw(entries, 2 * i, kUnbound);
    set_slot_raw(entries, 2 * i + 1, kNil);
  }
  rechain(table);
}

std::uint32_t hash_for_test(Context& cx, HashTest test, Value key) {
  if (key.is_fixnum()) return number_hash(static_cast<std::uint64_t>(key.as_fixnum()));
  switch (test) {
    case HashTest::kEq: return static_cast<std::uint32_t>(hash_eq(cx, key));
    case HashTest::kEql: return static_cast<std::uint32_t>(hash_eql(cx, key));
    default: return static_cast<std::uint32_t>(hash_equal(cx, key));
  }
}

void rehash(Context& cx, Value table) {
  if (slot_raw(table, kHashIndex).is_nil()) return;
  const HashTest test = hash_test_raw(table);
  if (test != HashTest::kUser) {
    std::uint32_t* const hash = index_words(table);
    for (std::int64_t i = 0, n = hash_capacity_raw(table); i < n; ++i) {
      const Value key = hash_key_raw(table, i);
      if (!key.is_unbound()) hash[i] = hash_for_test(cx, test, key);
    }
  }
  rechain(table);
}

namespace {

// Are there no two different words that the test calls the same as this key?
bool same_means_eq(HashTest test, Value key) {
  if (test == HashTest::kEq) return true;
  if (!key.is_heap() || key.has_tag(Tag::kSymbol)) return true;
  return test == HashTest::kEql && !key.is_float() && !is_bignum(key);
}

}  // namespace

Maybe<std::int64_t> find_entry(Context& cx, Value table, Value key, std::uint32_t hash) {
  if (slot_raw(table, kHashIndex).is_nil()) return std::int64_t{-1};
  if (fixnum_slot(table, kHashCleared) != 0) rechain(table);
  const Index ix = index_of(table);
  auto i = static_cast<std::int64_t>(ix.bucket_for(hash)) - 1;
  const HashTest test = hash_test_raw(table);
  const Value* const entries = slots_raw(slot_raw(table, kHashEntries))->slots;
  if (same_means_eq(test, key)) {
    while (i >= 0 && entries[2 * i] != key) i = static_cast<std::int64_t>(ix.next[i]) - 1;
    return i;
  }
  for (; i >= 0; i = static_cast<std::int64_t>(ix.next[i]) - 1) {
    const Value k = entries[2 * i];
    if (k == key) return i;
    if (ix.hash[i] != hash) continue;
    if (test == HashTest::kEql ? eql(k, key) : TRY(equal(cx, k, key))) return i;
  }
  return std::int64_t{-1};
}

Value put_entry(Context& cx, Value table, Value key, Value v) {
  const std::uint32_t hash = hash_for_test(cx, hash_test_raw(table), key);
  const std::int64_t i = TRY(find_entry(cx, table, key, hash));
  if (i < 0) return add_entry(cx, table, hash, key, v);
  set_slot_raw(slot_raw(table, kHashEntries), 2 * i + 1, v);
  return v;
}

Value copy_table(Context& cx, Value table) {
  const Value copy = TRY(make_slots(cx, ObjectKind::kHashTable, kHashSlotCount, kNil));
  header_raw(copy)->flags = header_raw(table)->flags;
  for (std::int64_t i = 0; i < kHashSlotCount; ++i) set_slot_raw(copy, i, slot_raw(table, i));
  if (slot_raw(table, kHashEntries).is_nil()) return copy;
  const std::int64_t n = hash_capacity_raw(table);
  const Value entries = TRY(make_slots(cx, ObjectKind::kInternalSlots, 2 * n, kNil));
  copy_entries(entries, slot_raw(table, kHashEntries), 2 * n);
  const RawObject* old_index = raw_bytes_raw(slot_raw(table, kHashIndex));
  const Value index = TRY(make_raw(cx, ObjectKind::kRawBytes, static_cast<std::int64_t>(old_index->count)));
  std::memcpy(raw_bytes_raw(index)->bytes, raw_bytes_raw(slot_raw(table, kHashIndex))->bytes,
              raw_bytes_raw(index)->count);
  set_slot_raw(copy, kHashEntries, entries);
  set_slot_raw(copy, kHashIndex, index);
  return copy;
}

}  // namespace core

Value make_hash_table(Context& cx, HashTest test, WeakKind weak) {
  using namespace core;
  const Value table = TRY(make_slots(cx, ObjectKind::kHashTable, kHashSlotCount, kNil));
  static constexpr Value kNames[] = {Qeq, Qeql, Qequal, kNil};
  set_slot_raw(table, kHashTest, Value::fixnum(static_cast<int>(test)));
  set_slot_raw(table, kHashWeak, Value::fixnum(static_cast<int>(weak)));
  set_slot_raw(table, kHashCount, Value::fixnum(0));
  set_slot_raw(table, kHashFree, Value::fixnum(0));
  set_slot_raw(table, kHashCleared, Value::fixnum(0));
  set_slot_raw(table, kHashSize, Value::fixnum(65));
  set_slot_raw(table, kHashTestName, kNames[static_cast<int>(test)]);
  set_slot_raw(table, kHashRehashSize, make_float(cx, 1.5));
  set_slot_raw(table, kHashRehashThreshold, make_float(cx, 0.8125));
  return table;
}

Value hash_table_get(Context& cx, Value table, Value key) {
  if (core::hash_count_raw(table) == 0) return kUnbound;
  const std::int64_t i =
      TRY(core::find_entry(cx, table, key, core::hash_for_test(cx, core::hash_test_raw(table), key)));
  return i < 0 ? kUnbound : core::hash_value_raw(table, i);
}

void hash_table_put(Context& cx, Value table, Value key, Value v) { (void)core::put_entry(cx, table, key, v); }

void hash_table_remove(Context& cx, Value table, Value key) {
  Maybe<std::int64_t> found =
      core::find_entry(cx, table, key, core::hash_for_test(cx, core::hash_test_raw(table), key));
  if (found.ok() && found.get_raw() >= 0) core::remove_entry(table, found.get_raw());
}

std::int64_t hash_table_count(Value table) { return core::hash_count_raw(table); }

}  // namespace neovm
