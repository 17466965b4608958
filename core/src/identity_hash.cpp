// Identity hashes: numbers that stay with an object while it moves.
//
// Words that are not addresses hash to a mix of their bits. Headed objects keep a hash in their header from
// the first time it is asked for; conses, which have no header, in a table of their heap.
#include "gc/heap_state.hpp"
#include "neovm/core/context.hpp"

namespace neovm {

namespace {

std::uint32_t mix(std::uint64_t x) {
  x ^= x >> 32;
  x *= 0x9E3779B97F4A7C15U;
  x ^= x >> 29;
  return static_cast<std::uint32_t>(x >> 8);
}

// A new hash, never 0: a plain counter, so that objects put into a table in a row are neighbours there (`number_hash`
// in equal_hash.hpp). The sequence is the heap's own, so runs repeat.
std::uint32_t next_hash(core::HeapState& s) {
  const auto h = static_cast<std::uint32_t>(++s.hash_state);
  return h == 0 ? static_cast<std::uint32_t>(++s.hash_state) : h;
}

}  // namespace

std::uint32_t identity_hash(Context& cx, Value v) {
  if (!v.is_heap()) return mix(v.bits());
  core::HeapState& s = cx.heap().state();
  if (!v.is_cons()) {
    ObjectHeader* h = header_raw(v);
    if (h->hash == 0) h->hash = next_hash(s);
    return h->hash;
  }
  const std::uint64_t address = v.bits() & ~Value::kTagMask;
  core::gc::ConsHashes& table =
      core::gc::is_young(core::gc::use_at(v.as_pointer<void>())) ? s.cons_hashes_young : s.cons_hashes_old;
  std::uint32_t hash = table.find(address);
  if (hash == 0) {
    hash = next_hash(s);
    table.add(address, hash);
  }
  return hash;
}

}  // namespace neovm
