// Major collection: mark and sweep of old space. It runs right after a minor one, so nothing is young.
//
// Marking uses side bits and a work list; lists are followed along their cdrs. Old objects stay where they
// are, so native stacks only add marks. Sweeping is a few words of bit work per block: what begins and is
// not marked is gone; empty blocks go back to the pool, the holes of the others to the allocators.
//
// Weak tables wait until everything else is marked, then live entries are found by going round until
// nothing changes (a value may keep another table's key alive).
#include <algorithm>

#include "gc/heap_state.hpp"
#include "gc/survivors.hpp"
#include "neovm/core/context.hpp"
#include "neovm/core/hash_table.hpp"
#include "neovm/core/isolate.hpp"

namespace neovm::core::gc {

struct Major : Tracer {
  explicit Major(HeapState& state) : Tracer(&visit_slot), s(state), work(state.worklist) {}

  static void visit_slot(Tracer& t, Value* slot) { static_cast<Major&>(t).mark(*slot); }

  static bool is_marked(Value v) {
    if (!v.is_heap()) return true;
    const auto* p = v.as_pointer<void>();
    return meta_of(block_of(p)).marks.test(granule_of(p));
  }

  // True when `p` was not marked before.
  static bool set_mark(const void* p) {
    GranuleBits& marks = meta_of(block_of(p)).marks;
    const std::size_t g = granule_of(p);
    if (marks.test(g)) return false;
    marks.set(g);
    return true;
  }

  void mark(Value v) {
    if (!v.is_heap()) return;
    auto* p = v.as_pointer<void>();
    if (!set_mark(p)) return;
    if (v.is_float()) {  // nothing to look into
      set_lines(meta_of(block_of(p)), p, sizeof(FloatObject));
      ++counts[static_cast<std::size_t>(ObjectKind::kFloat)];
      kind_bytes[static_cast<std::size_t>(ObjectKind::kFloat)] += sizeof(FloatObject);
      return;
    }
    work.push_back(v.bits());
  }

  void drain() {
    while (!work.empty()) {
      const Value v = Value::from_bits(work.back());
      work.pop_back();
      if (v.is_cons()) {
        scan_list(v.as_pointer<Cons>());
      } else {
        scan_object(v.as_pointer<ObjectHeader>());
      }
    }
  }

  void scan_list(Cons* c) {
    for (;;) {
      ++conses;
      mark(c->car);
      const Value next = c->cdr;
      if (!next.is_cons()) {
        mark(next);
        return;
      }
      c = next.as_pointer<Cons>();
      if (!set_mark(c)) return;
    }
  }

  void scan_object(ObjectHeader* h) {
    const auto kind = static_cast<std::size_t>(h->kind);
    const std::size_t bytes = size_of(h);
    const std::uint32_t block = block_of(h);
    if (use_of(block) == BlockUse::kOldObject) set_lines(meta_of(block), h, bytes);
    ++counts[kind];
    kind_bytes[kind] += bytes;
    if (h->kind == ObjectKind::kHashTable && is_weak(h)) {
      scan_weak_table(reinterpret_cast<SlotsObject*>(h));
      return;
    }
    if (h->kind == ObjectKind::kByteCode && s.functions_alive)
      s.functions_alive->set(std::size_t{h->flags} | static_cast<std::size_t>(h->aux) << 8);
    visit_fields(h, [this](const Value* slot) { mark(*slot); });
    if (h->kind == ObjectKind::kHost) {
      const HostType* type = reinterpret_cast<HostObject*>(h)->type;
      if (type->trace != nullptr) type->trace(Value::pointer(h, Tag::kObject), *this);
    }
  }

  // ---- weak tables ----

  static bool is_weak(const ObjectHeader* h) {
    const auto* o = reinterpret_cast<const SlotsObject*>(h);
    return o->count > kHashWeak && o->slots[kHashWeak] != Value::fixnum(0);
  }

  void scan_weak_table(SlotsObject* table) {
    weak_tables.push_back(table);
    for (std::uint64_t i = 0; i < table->count; ++i) {
      const Value v = table->slots[i];
      if (i == kHashEntries && v.is_heap()) {
        // The entries object itself lives, its contents are judged later.
        if (!set_mark(v.as_pointer<void>())) continue;
        auto* h = v.as_pointer<ObjectHeader>();
        const std::uint32_t block = block_of(h);
        if (use_of(block) == BlockUse::kOldObject) set_lines(meta_of(block), h, size_of(h));
        counts[static_cast<std::size_t>(h->kind)] += 1;
        kind_bytes[static_cast<std::size_t>(h->kind)] += size_of(h);
      } else {
        mark(v);
      }
    }
  }

  static SlotsObject* entries_of(const SlotsObject* table) {
    const Value entries = table->slots[kHashEntries];
    return entries.is_heap() ? entries.as_pointer<SlotsObject>() : nullptr;
  }

  static bool entry_lives(WeakKind weak, Value key, Value value) {
    switch (weak) {
      case WeakKind::kKey: return is_marked(key);
      case WeakKind::kValue: return is_marked(value);
      case WeakKind::kKeyOrValue: return is_marked(key) || is_marked(value);
      case WeakKind::kKeyAndValue: return is_marked(key) && is_marked(value);
      case WeakKind::kNone: break;
    }
    return true;
  }

  void mark_live_entries() {
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t t = 0; t < weak_tables.size(); ++t) {  // grows while we mark
        const SlotsObject* table = weak_tables[t];
        SlotsObject* entries = entries_of(table);
        if (entries == nullptr) continue;
        const auto weak = static_cast<WeakKind>(table->slots[kHashWeak].as_fixnum());
        for (std::uint64_t i = 0; i + 1 < entries->count; i += 2) {
          const Value key = entries->slots[i];
          const Value value = entries->slots[i + 1];
          if (key.is_unbound() || !entry_lives(weak, key, value)) continue;
          if (is_marked(key) && is_marked(value)) continue;
          mark(key);
          mark(value);
          changed = true;
        }
        drain();
      }
    }
  }

  void clear_dead_entries() {
    for (SlotsObject* table : weak_tables) {
      SlotsObject* entries = entries_of(table);
      if (entries == nullptr) continue;
      std::int64_t cleared = 0;
      for (std::uint64_t i = 0; i + 1 < entries->count; i += 2) {
        if (entries->slots[i].is_unbound()) continue;
        if (is_marked(entries->slots[i]) && is_marked(entries->slots[i + 1])) continue;
        entries->slots[i] = kUnbound;
        entries->slots[i + 1] = kNil;
        ++cleared;
      }
      if (cleared != 0) table->slots[kHashCleared] = Value::fixnum(table->slots[kHashCleared].as_fixnum() + cleared);
    }
  }

  // ---- objects that need care ----

  void doom_finalizers() {
    for (ObjectHeader* h : s.watched_old) {
      if (h->kind != ObjectKind::kFinalizer) continue;
      Value& function = reinterpret_cast<SlotsObject*>(h)->slots[0];
      if (is_marked(value_of(h)) || function.is_nil()) continue;
      s.ready_finalizers.push_back(function);
      function = kNil;  // once only, should the function itself keep its finalizer
    }
    for (const Value v : s.ready_finalizers) mark(v);
    drain();
  }

  void settle_watched() {
    std::size_t kept = 0;
    for (ObjectHeader* h : s.watched_old) {
      if (is_marked(value_of(h))) {
        s.watched_old[kept++] = h;
      } else if (h->kind == ObjectKind::kHost) {
        finalize_host(h);
      }
    }
    s.watched_old.resize(kept);
    std::vector<ExternalString> strings;
    strings.swap(s.external_old);
    for (const ExternalString& e : strings)
      settle_external(s, is_marked(Value::pointer(e.string, Tag::kString)) ? e.string : nullptr, e.body);
    ConsHashes before;
    std::swap(before, s.cons_hashes_old);
    before.drain([this](const ConsHashes::Entry& e) {
      const auto* p = reinterpret_cast<const void*>(e.address);
      if (meta_of(block_of(p)).marks.test(granule_of(p))) s.cons_hashes_old.add(e.address, e.hash);
    });
  }

  // ---- sweeping ----

  static void poison_dead(std::uint32_t block, bool conses_only) {
    const BlockMeta& m = meta_of(block);
    std::byte* const base = block_start(block);
    std::size_t g = 0;
    while (g < kGranulesPerBlock) {
      if (m.marks.test(g)) {
        g += conses_only ? 1 : size_of(reinterpret_cast<ObjectHeader*>(base + g * kGranule)) / kGranule;
      } else {
        poison(base + g * kGranule, kGranule);
        ++g;
      }
    }
  }

  void sweep_blocks(std::vector<std::uint32_t>& blocks, bool conses_only) {
    std::size_t kept = 0;
    for (const std::uint32_t block : blocks) {
      BlockMeta& m = meta_of(block);
      std::size_t used = 0;
      for (const std::uint64_t w : m.marks.words) used += static_cast<unsigned>(__builtin_popcountll(w));
      if (used == 0) {
        if (s.options.stress) poison(block_start(block), heap_map::kBlockSize);
        s.give_blocks(block, 1);
        continue;
      }
      if (s.options.stress) poison_dead(block, conses_only);
      m.starts = m.marks;
      m.marks.clear_all();
      blocks[kept++] = block;
      std::size_t free = 0;
      std::size_t total = kGranulesPerBlock;
      if (conses_only) {
        free = kGranulesPerBlock - used;
      } else {
        total = kLinesPerBlock;
        free = kLinesPerBlock;
        for (const std::uint64_t w : m.lines) free -= static_cast<unsigned>(__builtin_popcountll(w));
      }
      if (free * 8 >= total) s.old.add_block_with_holes(block, conses_only);
    }
    blocks.resize(kept);
    std::sort(blocks.begin(), blocks.end());  // minor collections read the cards in address order
  }

  void sweep_large() {
    std::size_t kept = 0;
    for (const std::uint32_t first : s.old_large) {
      BlockMeta& m = meta_of(first);
      if (m.marks.test(0)) {
        m.marks.clear_all();
        s.old_large[kept++] = first;
      } else {
        free_large(s, first);
      }
    }
    s.old_large.resize(kept);
  }

  static void mark_word(void* data, std::uint64_t word) {
    auto& m = *static_cast<Major*>(data);
    bool cons = false;
    ObjectHeader* h = find_object(m.s, word, &cons);
    if (h != nullptr) m.mark(cons ? Value::pointer(h, Tag::kCons) : value_of(h));
  }

  void run(const void* stack_top) {
    work.clear();
    s.old.retire();
    for (const std::uint32_t block : s.old_objects)
      std::fill(std::begin(meta_of(block).lines), std::end(meta_of(block).lines), 0);
    each_native_word(s.isolate, stack_top, &mark_word, this);
    s.isolate.trace_roots(*this);
    for (const std::uint32_t block : s.cells) {
      auto* cells = reinterpret_cast<SymbolCells*>(block_start(block));
      for (std::size_t i = 0; i < heap_map::kBlockSize / sizeof(SymbolCells); ++i)
        visit_cells(&cells[i], [this](const Value* slot) { mark(*slot); });
    }
    drain();
    mark_live_entries();
    doom_finalizers();
    mark_live_entries();
    clear_dead_entries();
    if (s.functions_alive) {
      s.function_watcher.survived(s.function_watcher.data, *s.functions_alive);
      s.functions_alive->reset();
    }
    settle_watched();
    sweep_blocks(s.old_conses, true);
    sweep_blocks(s.old_objects, false);
    sweep_large();
    account();
  }

  void account() {
    std::size_t live = conses * sizeof(Cons);
    for (std::size_t i = 0; i < static_cast<std::size_t>(ObjectKind::kCount); ++i) {
      live += kind_bytes[i];
      s.totals.live_count[i] = counts[i];
      s.totals.live_kind_bytes[i] = kind_bytes[i];
    }
    s.totals.live_conses = conses;
    s.totals.live_bytes = live;
    s.live_after_major = live;
    s.old_since_major = 0;
    s.external_at_major = s.external_bytes;
  }

  HeapState& s;
  std::vector<std::uint64_t>& work;
  std::vector<SlotsObject*> weak_tables;
  std::uint64_t conses = 0;
  std::uint64_t counts[static_cast<int>(ObjectKind::kCount)] = {};
  std::uint64_t kind_bytes[static_cast<int>(ObjectKind::kCount)] = {};
};

}  // namespace neovm::core::gc

namespace neovm::core {

void watch_functions(Context& cx, FunctionWatcher watcher) {
  HeapState& s = cx.heap().state();
  s.function_watcher = watcher;
  s.functions_alive = std::make_unique<FunctionNumbers>();
}

}  // namespace neovm::core

namespace neovm::core::gc {

void mark_and_sweep(HeapState& s, const void* stack_top) { Major(s).run(stack_top); }

}  // namespace neovm::core::gc
