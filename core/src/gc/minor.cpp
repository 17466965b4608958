// Minor collection: everything young that is reachable moves to old space, or is pinned and becomes old
// where it lies.
//
// 1. Words on native stacks pin what they point into: the object's granule is marked in its block, the
//    block's use says that it has pins.
// 2. Roots, dirty cards and pinned objects are visited. A young object met for the first time is copied; the
//    new address is left behind (kForward in a cons, ObjectKind::kForwarded elsewhere). A long list is
//    copied along its cdrs, so its spine lies together.
// 3. A work list holds what was copied but not yet visited. There is no recursion.
// 4. Nursery blocks without pins are used again; blocks with pins join old space, their other lines free.
// Everything that survives is old afterwards, so all cards are clean.
//
// Weak references count as strong here; major collections clear them.
#include <algorithm>

#include "gc/heap_state.hpp"
#include "gc/survivors.hpp"
#include "neovm/core/isolate.hpp"

namespace neovm::core::gc {

namespace {

// Work list entries are addresses with what remains to be done in the low bits.
enum Todo : std::uint64_t { kTodoCar = 0, kTodoCons = 1, kTodoObject = 2 };

}  // namespace

struct Minor : Tracer {
  explicit Minor(HeapState& state) : Tracer(&visit_slot), s(state), work(state.worklist) {}

  static void visit_slot(Tracer& t, Value* slot) { static_cast<Minor&>(t).visit(slot); }

  void push(const void* p, Todo todo) { work.push_back(reinterpret_cast<std::uint64_t>(p) | todo); }

  void visit(Value* slot) {
    const Value v = *slot;
    if (!v.is_heap()) return;
    const BlockUse use = use_at(v.as_pointer<void>());
    if (!is_young(use)) return;
    if (v.is_cons()) {
      visit_cons(slot, use);
    } else {
      visit_object(slot, use);
    }
  }

  void visit_cons(Value* slot, BlockUse use) {
    for (;;) {
      auto* from = slot->as_pointer<Cons>();
      if (from->car == kForward) {
        *slot = from->cdr;
        return;
      }
      if (use == BlockUse::kYoungConsPinned && meta_of(block_of(from)).marks.test(granule_of(from))) return;
      auto* to = reinterpret_cast<Cons*>(s.old.allocate_cons(s));
      to->car = from->car;
      to->cdr = from->cdr;
      from->car = kForward;
      from->cdr = Value::pointer(to, Tag::kCons);
      *slot = from->cdr;
      ++conses_moved;
      if (to->car.is_heap()) push(to, kTodoCar);
      slot = &to->cdr;
      if (!slot->is_heap()) return;
      use = use_at(slot->as_pointer<void>());
      if (!is_young(use)) return;
      if (!slot->is_cons()) {
        visit_object(slot, use);
        return;
      }
    }
  }

  void visit_object(Value* slot, BlockUse use) {
    auto* from = slot->as_pointer<ObjectHeader>();
    if (use == BlockUse::kYoungLarge) {
      keep_large(from);
      return;
    }
    const Tag tag = slot->tag();
    if (from->kind == ObjectKind::kForwarded) {
      *slot = Value::pointer(forwarded_to(from), tag);
      return;
    }
    if (use == BlockUse::kYoungObjectPinned && meta_of(block_of(from)).marks.test(granule_of(from))) return;
    const std::size_t bytes = size_of(from);
    std::byte* to = s.old.allocate_object(s, bytes);
    std::memcpy(to, from, bytes);
    from->kind = ObjectKind::kForwarded;
    std::memcpy(reinterpret_cast<std::byte*>(from) + 8, &to, sizeof(to));
    *slot = Value::pointer(to, tag);
    ++objects_moved;
    bytes_moved += bytes;
    if (has_fields(reinterpret_cast<ObjectHeader*>(to))) push(to, kTodoObject);
  }

  static bool has_fields(const ObjectHeader* h) {
    const Shape shape = shape_of(h);
    return shape != Shape::kFloat && shape != Shape::kRaw && shape != Shape::kSubr;
  }

  void keep_large(ObjectHeader* h) {
    const std::uint32_t block = block_of(h);
    use_of(block) = BlockUse::kOldLarge;
    bytes_moved += meta_of(block).large_bytes;
    if (has_fields(h)) push(h, kTodoObject);
  }

  void drain() {
    while (!work.empty()) {
      const std::uint64_t entry = work.back();
      work.pop_back();
      auto* p = reinterpret_cast<void*>(entry & ~std::uint64_t{7});
      switch (static_cast<Todo>(entry & 7)) {
        case kTodoCar: visit(&static_cast<Cons*>(p)->car); break;
        case kTodoCons:
          visit(&static_cast<Cons*>(p)->car);
          visit(&static_cast<Cons*>(p)->cdr);
          break;
        case kTodoObject: visit_object_fields(static_cast<ObjectHeader*>(p)); break;
      }
    }
  }

  void visit_object_fields(ObjectHeader* h) {
    visit_fields(h, [this](Value* slot) { visit(slot); });
    if (h->kind == ObjectKind::kHost) {
      const HostType* type = reinterpret_cast<HostObject*>(h)->type;
      if (type->trace != nullptr) type->trace(Value::pointer(h, Tag::kObject), *this);
    }
  }

  // ---- pins ----

  static void pin_word(void* data, std::uint64_t word) { static_cast<Minor*>(data)->pin(word); }

  void pin(std::uint64_t word) {
    const std::uint32_t block = block_of(reinterpret_cast<void*>(word));
    BlockMeta& head = meta_of(block);
    if (head.owner.load(std::memory_order_relaxed) != &s) return;
    BlockUse use = use_of(block);
    if (!is_young(use) && use != BlockUse::kLargeTail) return;
    bool cons = false;
    ObjectHeader* h = find_object(s, word, &cons);
    if (h == nullptr) return;
    const std::uint32_t at = block_of(h);
    use = use_of(at);
    if (!is_young(use)) return;
    if (use == BlockUse::kYoungLarge) {
      keep_large(h);
      return;
    }
    BlockMeta& m = meta_of(at);
    if (use == BlockUse::kYoungCons || use == BlockUse::kYoungObject) {
      use_of(at) = cons ? BlockUse::kYoungConsPinned : BlockUse::kYoungObjectPinned;
      m.marks.clear_all();
    }
    if (m.marks.test(granule_of(h))) return;
    m.marks.set(granule_of(h));
    ++objects_pinned;
    bytes_moved += cons ? sizeof(Cons) : size_of(h);
    push(h, cons ? kTodoCons : kTodoObject);
  }

  // ---- cards ----

  void visit_range(ObjectHeader* h, std::byte* from, std::byte* to) {
    if (shape_of(h) == Shape::kSlots) {
      auto* o = reinterpret_cast<SlotsObject*>(h);
      Value* p = std::max(&o->slots[0], reinterpret_cast<Value*>(from));
      Value* const end = std::min(&o->slots[0] + o->count, reinterpret_cast<Value*>(to));
      for (; p < end; ++p) visit(p);
      return;
    }
    visit_fields(h, [this](Value* slot) { visit(slot); });
  }

  // Calls fn(card index) for each dirty card of a block, cleaning it.
  template <class Fn>
  static void each_dirty_card(std::uint32_t block, Fn&& fn) {
    std::uint8_t* cards = cards_of(block);
    std::uint64_t eights[kCardsPerBlock / 8];
    std::memcpy(eights, cards, sizeof(eights));
    std::uint64_t any = 0;
    for (const std::uint64_t e : eights) any |= e;
    if (any == 0) return;  // nearly always
    std::memset(cards, 0, kCardsPerBlock);
    for (std::size_t i = 0; i < kCardsPerBlock / 8; ++i)
      for (std::uint64_t e = eights[i]; e != 0; e &= e - 1) fn(i * 8 + static_cast<unsigned>(__builtin_ctzll(e)) / 8);
  }

  void visit_cons_cards(std::uint32_t block) {
    const BlockMeta& m = meta_of(block);
    auto* conses = reinterpret_cast<Cons*>(block_start(block));
    each_dirty_card(block, [&](std::size_t card) {
      const std::size_t first = card * kCardGranules;
      std::uint64_t bits = (m.starts.words[first >> 6] >> (first & 63)) & 0xffffffffU;
      for (; bits != 0; bits &= bits - 1) {
        Cons& c = conses[first + static_cast<unsigned>(__builtin_ctzll(bits))];
        visit(&c.car);
        visit(&c.cdr);
      }
    });
  }

  void visit_object_cards(std::uint32_t block) {
    const BlockMeta& m = meta_of(block);
    std::byte* const base = block_start(block);
    each_dirty_card(block, [&](std::size_t card) {
      std::byte* const from = base + card * kCardBytes;
      std::byte* const to = from + kCardBytes;
      const std::size_t first = card * kCardGranules;
      // The object that reaches into the card from before it, then those that start in it.
      if (first > 0) {
        const int before = m.starts.at_or_below(first - 1);
        if (before >= 0) {
          auto* h = reinterpret_cast<ObjectHeader*>(base + static_cast<std::size_t>(before) * kGranule);
          if (reinterpret_cast<std::byte*>(h) + size_of(h) > from) visit_range(h, from, to);
        }
      }
      std::uint64_t bits = (m.starts.words[first >> 6] >> (first & 63)) & 0xffffffffU;
      for (; bits != 0; bits &= bits - 1) {
        const std::size_t g = first + static_cast<unsigned>(__builtin_ctzll(bits));
        visit_range(reinterpret_cast<ObjectHeader*>(base + g * kGranule), from, to);
      }
    });
  }

  void visit_large_cards(std::uint32_t first) {
    auto* h = reinterpret_cast<ObjectHeader*>(block_start(first));
    const std::uint32_t blocks = meta_of(first).run_blocks;
    if (!has_fields(h)) return;
    for (std::uint32_t i = 0; i < blocks; ++i) {
      std::byte* const base = block_start(first + i);
      each_dirty_card(first + i, [&](std::size_t card) {
        visit_range(h, base + card * kCardBytes, base + (card + 1) * kCardBytes);
      });
    }
  }

  void visit_cell_cards(std::uint32_t block) {
    auto* cells = reinterpret_cast<SymbolCells*>(block_start(block));
    constexpr std::size_t kPerCard = kCardBytes / sizeof(SymbolCells);
    each_dirty_card(block, [&](std::size_t card) {
      for (std::size_t i = 0; i < kPerCard; ++i)
        visit_cells(&cells[card * kPerCard + i], [this](Value* slot) { visit(slot); });
    });
  }

  void visit_cards() {
    // Promotion appends blocks while we look; those are visited through the work list.
    for (std::size_t i = 0, n = s.old_conses.size(); i < n; ++i) visit_cons_cards(s.old_conses[i]);
    for (std::size_t i = 0, n = s.old_objects.size(); i < n; ++i) visit_object_cards(s.old_objects[i]);
    for (const std::uint32_t block : s.old_large) visit_large_cards(block);
    for (const std::uint32_t block : s.cells) visit_cell_cards(block);
  }

  // ---- objects that need care ----

  // Where a young object is now; null when it is dead.
  ObjectHeader* survivor(ObjectHeader* h) {
    const BlockUse use = use_at(h);
    if (!is_young(use)) return h;
    if (use == BlockUse::kYoungLarge) return nullptr;
    if (h->kind == ObjectKind::kForwarded) return forwarded_to(h);
    if (use == BlockUse::kYoungObjectPinned && meta_of(block_of(h)).marks.test(granule_of(h))) return h;
    return nullptr;
  }

  void doom_finalizers() {
    for (ObjectHeader* h : s.watched_young) {
      if (h->kind != ObjectKind::kFinalizer || survivor(h) != nullptr) continue;
      Value& function = reinterpret_cast<SlotsObject*>(h)->slots[0];
      if (function.is_nil()) continue;
      s.ready_finalizers.push_back(function);
      function = kNil;  // once only, should the function itself keep its finalizer
    }
    for (Value& v : s.ready_finalizers) visit(&v);
    drain();
  }

  void settle_watched() {
    for (ObjectHeader* h : s.watched_young) {
      if (ObjectHeader* now = survivor(h); now != nullptr) {
        s.watched_old.push_back(now);
      } else if (h->kind == ObjectKind::kHost) {
        finalize_host(h);
      }
    }
    s.watched_young.clear();
    for (ExternalString& e : s.external_young) {
      auto* now = reinterpret_cast<StringObject*>(survivor(&e.string->header));
      settle_external(s, now, e.body);
    }
    s.external_young.clear();
    s.cons_hashes_young.drain([this](const ConsHashes::Entry& e) {
      const auto* c = reinterpret_cast<const Cons*>(e.address);
      if (c->car == kForward) {
        s.cons_hashes_old.add(c->cdr.bits() & ~Value::kTagMask, e.hash);
      } else if (use_at(c) == BlockUse::kYoungConsPinned && meta_of(block_of(c)).marks.test(granule_of(c))) {
        s.cons_hashes_old.add(e.address, e.hash);
      }
    });
  }

  // ---- the nursery afterwards ----

  void adopt_pinned(std::uint32_t block, bool conses) {
    BlockMeta& m = meta_of(block);
    m.starts = m.marks;
    m.marks.clear_all();
    std::fill(std::begin(m.lines), std::end(m.lines), 0);
    if (!conses)
      for (std::size_t g = 0; g < kGranulesPerBlock; ++g)
        if (m.starts.test(g)) {
          auto* h = reinterpret_cast<ObjectHeader*>(block_start(block) + g * kGranule);
          set_lines(m, h, size_of(h));
        }
    clear_cards(block);
    use_of(block) = conses ? BlockUse::kOldCons : BlockUse::kOldObject;
    (conses ? s.old_conses : s.old_objects).push_back(block);
    s.old.add_block_with_holes(block, conses);
    if (s.options.stress) poison_holes(block, conses);
  }

  void poison_holes(std::uint32_t block, bool conses) {
    const BlockMeta& m = meta_of(block);
    std::byte* const base = block_start(block);
    std::size_t g = 0;
    while (g < kGranulesPerBlock) {
      if (m.starts.test(g)) {
        g += conses ? 1 : size_of(reinterpret_cast<ObjectHeader*>(base + g * kGranule)) / kGranule;
      } else {
        poison(base + g * kGranule, kGranule);
        ++g;
      }
    }
  }

  void recycle_nursery() {
    const std::size_t keep = s.options.nursery_bytes >> heap_map::kBlockShift;
    for (auto* list : {&s.young_conses, &s.young_objects}) {
      for (const std::uint32_t block : *list) {
        const BlockUse use = use_of(block);
        if (use == BlockUse::kYoungConsPinned || use == BlockUse::kYoungObjectPinned) {
          adopt_pinned(block, use == BlockUse::kYoungConsPinned);
          continue;
        }
        if (s.options.stress) poison(block_start(block), meta_of(block).fill);
        if (s.spare.size() < keep) {
          use_of(block) = BlockUse::kAside;
          s.spare.push_back(block);
        } else {
          s.give_blocks(block, 1);
        }
      }
      list->clear();
    }
    for (const std::uint32_t first : s.young_large) {
      if (use_of(first) != BlockUse::kOldLarge) {
        free_large(s, first);
        continue;
      }
      s.old_large.push_back(first);
      for (std::uint32_t i = 0; i < meta_of(first).run_blocks; ++i) clear_cards(first + i);
    }
    s.young_large.clear();
    s.young_large_bytes = 0;
  }

  void run(const void* stack_top) {
    work.clear();
    each_native_word(s.isolate, stack_top, &pin_word, this);
    s.isolate.trace_roots_minor(*this);
    for (Value& v : s.ready_finalizers) visit(&v);
    for (ObjectHeader* h : s.watched_old)
      if (h->kind == ObjectKind::kHost) {
        const HostType* type = reinterpret_cast<HostObject*>(h)->type;
        if (type->trace != nullptr) type->trace(Value::pointer(h, Tag::kObject), *this);
      }
    visit_cards();
    drain();
    doom_finalizers();
    settle_watched();
    recycle_nursery();
    const std::uint64_t promoted = bytes_moved + conses_moved * sizeof(Cons);
    s.old_since_major += promoted;
    s.totals.bytes_promoted += promoted;
    s.totals.objects_moved += conses_moved + objects_moved;
    s.totals.objects_pinned += objects_pinned;
  }

  static constexpr std::size_t kCardGranules = kCardBytes / kGranule;

  HeapState& s;
  std::vector<std::uint64_t>& work;
  std::uint64_t conses_moved = 0;
  std::uint64_t objects_moved = 0;
  std::uint64_t objects_pinned = 0;
  std::uint64_t bytes_moved = 0;
};

void collect_minor(HeapState& s, const void* stack_top) { Minor(s).run(stack_top); }

}  // namespace neovm::core::gc
