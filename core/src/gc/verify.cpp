// The verifier: walks every block and checks every field. Slow, for stress runs and tests.
#include <cstdio>
#include <cstdlib>

#include "gc/heap_state.hpp"
#include "neovm/core/isolate.hpp"

namespace neovm::core::gc {

void poison(std::byte* from, std::size_t bytes) {
  // As a word: a float at an address that faults.
  std::memset(static_cast<void*>(from), 0xd5, bytes);
}

namespace {

struct Verifier : Tracer {
  Verifier(HeapState& state, const char* w) : Tracer(&visit_slot), s(state), when(w) {}

  static void visit_slot(Tracer& t, Value* slot) {
    auto& v = static_cast<Verifier&>(t);
    v.check(slot, nullptr);
  }

  [[noreturn]] void fail(const char* what, const void* where, std::uint64_t word) {
    std::fprintf(stderr, "neovm: heap damaged (%s): %s: word %#llx in %p\n", when, what,
                 static_cast<unsigned long long>(word), where);
    std::abort();
  }

  // Checks that a field holds a word that is a value of this heap. `holder` is null for roots.
  void check(const Value* slot, const void* holder) {
    const Value v = *slot;
    const void* where = holder == nullptr ? slot : holder;
    if (v == kForward) fail("forwarding word left behind", where, v.bits());
    if (!v.is_heap()) return;
    const auto* p = v.as_pointer<std::byte>();
    if (!heap_map::contains(reinterpret_cast<std::uint64_t>(p))) fail("address outside the heap", where, v.bits());
    const std::uint32_t block = block_of(p);
    const BlockMeta& m = meta_of(block);
    if (m.owner.load(std::memory_order_relaxed) != &s) fail("object of another heap", where, v.bits());
    const BlockUse use = use_of(block);
    const std::size_t g = granule_of(p);
    switch (use) {
      case BlockUse::kYoungCons:
        if (!v.is_cons() || g * kGranule >= m.fill) fail("bad pointer to a young cons", where, v.bits());
        break;
      case BlockUse::kOldCons:
        if (!v.is_cons() || !m.starts.test(g)) fail("bad pointer to an old cons", where, v.bits());
        break;
      case BlockUse::kYoungObject:
      case BlockUse::kOldObject:
      case BlockUse::kYoungLarge:
      case BlockUse::kOldLarge: {
        if (v.is_cons() || !m.starts.test(g)) fail("bad pointer to an object", where, v.bits());
        const auto* h = v.as_pointer<const ObjectHeader>();
        if (value_of(h) != v) fail("tag and kind differ", where, v.bits());
        break;
      }
      default: fail("pointer to a block not in use", where, v.bits());
    }
    if (holder != nullptr && is_young(use) && !is_young(use_at(slot)) && *heap_map::card_of(slot) == 0)
      fail("old object points to a young one without a dirty card", where, v.bits());
  }

  void check_object(ObjectHeader* h) {
    if (h->kind == ObjectKind::kForwarded || h->kind >= ObjectKind::kCount)
      fail("bad header", h, *reinterpret_cast<std::uint64_t*>(h));
    if (h->kind == ObjectKind::kString) {
      const auto* o = reinterpret_cast<StringObject*>(h);
      if (o->body.is_heap()) {
        const auto* body = o->body.as_pointer<RawObject>();
        check(&o->body, h);
        if (body->header.kind != ObjectKind::kRawBytes) fail("string body of another kind", h, o->body.bits());
        if (o->data < body->bytes || o->data + o->bytes >= body->bytes + body->count)
          fail("string data outside its body", h, reinterpret_cast<std::uint64_t>(o->data));
      }
      check(&o->properties, h);
      return;
    }
    visit_fields(h, [this, h](const Value* slot) { check(slot, h); });
  }

  void check_block(std::uint32_t block, bool conses) {
    const BlockMeta& m = meta_of(block);
    for (std::size_t g = 0; g < kGranulesPerBlock; ++g) {
      if (!m.starts.test(g)) continue;
      std::byte* p = block_start(block) + g * kGranule;
      if (conses) {
        check(&reinterpret_cast<Cons*>(p)->car, p);
        check(&reinterpret_cast<Cons*>(p)->cdr, p);
      } else {
        check_object(reinterpret_cast<ObjectHeader*>(p));
      }
    }
  }

  void run() {
    for (const std::uint32_t b : s.young_objects) fill_starts(b);
    for (const std::uint32_t b : s.young_conses) {
      auto* c = reinterpret_cast<Cons*>(block_start(b));
      auto* end = reinterpret_cast<Cons*>(block_start(b) + meta_of(b).fill);
      for (; c < end; ++c) {
        check(&c->car, c);
        check(&c->cdr, c);
      }
    }
    for (const std::uint32_t b : s.young_objects) check_block(b, false);
    for (const std::uint32_t b : s.old_conses) check_block(b, true);
    for (const std::uint32_t b : s.old_objects) check_block(b, false);
    for (const std::uint32_t b : s.young_large) check_object(reinterpret_cast<ObjectHeader*>(block_start(b)));
    for (const std::uint32_t b : s.old_large) check_object(reinterpret_cast<ObjectHeader*>(block_start(b)));
    for (const std::uint32_t b : s.cells) {
      auto* cells = reinterpret_cast<SymbolCells*>(block_start(b));
      for (std::size_t i = 0; i < heap_map::kBlockSize / sizeof(SymbolCells); ++i)
        visit_cells(&cells[i], [this, &cells, i](const Value* slot) { check(slot, &cells[i]); });
    }
    s.isolate.trace_roots(*this);
    for (Value& v : s.ready_finalizers) visit(&v);
  }

  HeapState& s;
  const char* when;
};

}  // namespace

void verify_heap(HeapState& s, const char* when) { Verifier(s, when).run(); }

}  // namespace neovm::core::gc
