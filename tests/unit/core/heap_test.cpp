// The collector against shadow models: what a program built must look the same after any collection.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "neovm/core/context.hpp"
#include "neovm/core/external_body.hpp"
#include "neovm/core/hash_table.hpp"

namespace neovm {
namespace {

using core::CollectKind;

IsolateOptions small_heap(std::size_t nursery = std::size_t{256} << 10) {
  IsolateOptions options;
  options.heap.nursery_bytes = nursery;
  options.heap.verify = true;
  return options;
}

void minor(Context& cx) { cx.heap().collect(CollectKind::kMinor, nullptr); }
void major(Context& cx) { cx.heap().collect(CollectKind::kMajor, nullptr); }

// A mirror of a guest graph in C++ memory.
struct Shadow {
  enum Kind { kCons, kVector, kString, kFloat } kind;
  std::vector<int> fields;  // indices of other shadows; -1: fixnum (its own index)
  std::string text;
  double number = 0;
};

class Model {
 public:
  Model(Context& cx, unsigned seed, int roots) : cx_(cx), roots_(cx), random_(seed) {
    roots_.values.resize(static_cast<std::size_t>(roots), kNil);
    root_ids_.resize(static_cast<std::size_t>(roots), -1);
  }

  void step() {
    const auto n = static_cast<int>(roots_.values.size());
    const int target = pick(n);
    switch (pick(8)) {
      case 0:
      case 1: set(target, make_cons(pick(n), pick(n))); break;
      case 2: set(target, make_vector_of(pick(20))); break;
      case 3: set(target, make_text()); break;
      case 4: set(target, make_number()); break;
      case 5: mutate(target, pick(n)); break;
      case 6: mutate(target, pick(n)); break;
      case 7: set(target, {target == 0 ? kNil : kNil, -1}); break;
    }
  }

  // Compares everything reachable from the roots, sharing included.
  void check() {
    std::vector<std::pair<Value, int>> todo;
    std::unordered_map<int, std::uint64_t> seen;
    for (std::size_t i = 0; i < root_ids_.size(); ++i) todo.emplace_back(roots_.values[i], root_ids_[i]);
    while (!todo.empty()) {
      const auto [v, id] = todo.back();
      todo.pop_back();
      if (id < 0) {
        ASSERT_TRUE(v.is_nil() || v.is_fixnum());
        continue;
      }
      const auto [it, fresh] = seen.emplace(id, v.bits());
      ASSERT_EQ(it->second, v.bits()) << "sharing lost";
      if (!fresh) continue;
      const Shadow& s = shadows_[static_cast<std::size_t>(id)];
      switch (s.kind) {
        case Shadow::kCons:
          ASSERT_TRUE(v.is_cons());
          todo.emplace_back(car_raw(v), s.fields[0]);
          todo.emplace_back(cdr_raw(v), s.fields[1]);
          break;
        case Shadow::kVector:
          ASSERT_TRUE(is_vector(v));
          ASSERT_EQ(slot_count_raw(v), static_cast<std::int64_t>(s.fields.size()));
          for (std::size_t i = 0; i < s.fields.size(); ++i)
            todo.emplace_back(slot_raw(v, static_cast<std::int64_t>(i)), s.fields[i]);
          break;
        case Shadow::kString:
          ASSERT_TRUE(v.is_string());
          ASSERT_EQ(string_view_of(v), s.text);
          break;
        case Shadow::kFloat:
          ASSERT_TRUE(v.is_float());
          ASSERT_EQ(float_raw(v), s.number);
          break;
      }
    }
  }

 private:
  struct Node {
    Value value;
    int id;
  };
  int pick(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  int add(Shadow s) {
    shadows_.push_back(std::move(s));
    return static_cast<int>(shadows_.size()) - 1;
  }
  void set(int i, const Node& n) {
    roots_.values[static_cast<std::size_t>(i)] = n.value;
    root_ids_[static_cast<std::size_t>(i)] = n.id;
  }
  Node root(int i) { return {roots_.values[static_cast<std::size_t>(i)], root_ids_[static_cast<std::size_t>(i)]}; }
  Node make_cons(int a, int b) {
    const Node x = root(a);
    const Node y = root(b);
    return {cons(cx_, x.value, y.value), add({Shadow::kCons, {x.id, y.id}, {}})};
  }
  Node make_vector_of(int size) {
    if (pick(50) == 0) size *= 200;  // a large object now and then
    const Value v = make_vector(cx_, size, kNil);
    Shadow s{Shadow::kVector, {}, {}};
    for (int i = 0; i < size; ++i) {
      const Node x = i < 40 ? root(pick(static_cast<int>(root_ids_.size()))) : Node{kNil, -1};
      set_slot_raw(v, i, x.value);
      s.fields.push_back(x.id);
    }
    return {v, add(std::move(s))};
  }
  Node make_text() {
    std::string text(static_cast<std::size_t>(pick(pick(30) == 0 ? 20000 : 60)), 'x');
    for (char& c : text) c = static_cast<char>('a' + pick(26));
    const Value v = make_string(cx_, text);
    return {v, add({Shadow::kString, {}, text})};
  }
  Node make_number() {
    const double d = static_cast<double>(random_()) / 3;
    const Value v = make_float(cx_, d);
    return {v, add({Shadow::kFloat, {}, {}, d})};
  }
  void mutate(int target, int source) {
    const Node t = root(target);
    const Node x = root(source);
    if (t.id < 0) return;
    Shadow& s = shadows_[static_cast<std::size_t>(t.id)];
    if (s.kind == Shadow::kCons) {
      if (pick(2) == 0) {
        set_car_raw(t.value, x.value);
        s.fields[0] = x.id;
      } else {
        set_cdr_raw(t.value, x.value);
        s.fields[1] = x.id;
      }
    } else if (s.kind == Shadow::kVector && !s.fields.empty()) {
      const int i = pick(static_cast<int>(s.fields.size()));
      set_slot_raw(t.value, i, x.value);
      s.fields[static_cast<std::size_t>(i)] = x.id;
    }
  }

  Context& cx_;
  RootVector roots_;
  std::mt19937 random_;
  std::vector<int> root_ids_;
  std::vector<Shadow> shadows_;
};

class RandomGraph : public testing::TestWithParam<unsigned> {};

TEST_P(RandomGraph, LooksTheSameAfterEveryCollection) {
  IsolateOptions options = small_heap();
  options.heap.stress = true;
  Isolate isolate(options);
  Context cx(isolate);
  Model model(cx, GetParam(), 40);
  for (int round = 0; round < 150; ++round) {
    for (int i = 0; i < 60; ++i) model.step();
    safepoint_re(cx);
    model.check();
    if (HasFatalFailure()) return;
  }
  const core::HeapStatistics stats = core::heap_statistics(cx.heap());
  EXPECT_GT(stats.major_collections, 5U);
  EXPECT_GT(stats.objects_moved, 1000U);
}
INSTANTIATE_TEST_SUITE_P(Seeds, RandomGraph, testing::Range(1U, 9U));

TEST(Heap, MillionLongListsSurvive) {
  IsolateOptions options;
  Isolate isolate(options);
  Context cx(isolate);
  RootVector roots(cx);
  constexpr int kLength = 1'000'000;
  roots.values = {kNil, kNil};
  for (int i = 0; i < kLength; ++i) roots.values[0] = cons(cx, Value::fixnum(i), roots.values[0]);
  // Nested in the car, which no loop along cdrs helps with.
  for (int i = 0; i < kLength; ++i) roots.values[1] = cons(cx, roots.values[1], Value::fixnum(i));
  minor(cx);
  major(cx);
  major(cx);
  int n = 0;
  for (Value l = roots.values[0]; l.is_cons(); l = cdr_raw(l)) ASSERT_EQ(car_raw(l), Value::fixnum(kLength - ++n));
  EXPECT_EQ(n, kLength);
  n = 0;
  for (Value l = roots.values[1]; l.is_cons(); l = car_raw(l)) ASSERT_EQ(cdr_raw(l), Value::fixnum(kLength - ++n));
  EXPECT_EQ(n, kLength);
  const auto before = core::heap_statistics(cx.heap()).live_conses;
  roots.values = {kNil, kNil};
  major(cx);
  EXPECT_EQ(before - core::heap_statistics(cx.heap()).live_conses, 2U * kLength);
}

// Values that only the native stack knows stay where they are; their neighbours move.
[[gnu::noinline]] void pinned_frame(Context& cx) {
  RootVector roots(cx);
  roots.values.assign(2000, kNil);
  Value volatile local = kNil;
  const std::uint8_t* volatile interior = nullptr;
  for (std::size_t i = 0; i < roots.values.size(); ++i) {
    roots.values[i] = cons(cx, Value::fixnum(static_cast<int>(i)), kNil);
    if (i == 700) {
      Value v = cons(cx, make_string(cx, "pinned"), make_vector(cx, 3, Value::fixnum(9)));
      std::memcpy(const_cast<Value*>(&local), &v, sizeof(v));
    }
    if (i == 900) interior = string_data_raw(make_string(cx, "only its bytes are known"));
  }
  Value before;
  std::memcpy(&before, const_cast<Value*>(&local), sizeof(before));
  std::vector<std::uint64_t> old;
  for (const Value v : roots.values) old.push_back(v.bits() ^ ~std::uint64_t{0});
  collect_now_re(cx, CollectKind::kMinor);
  collect_now_re(cx, CollectKind::kMajor);
  std::size_t moved = 0;
  for (std::size_t i = 0; i < old.size(); ++i) moved += (old[i] ^ ~std::uint64_t{0}) != roots.values[i].bits();
  EXPECT_GT(moved * 100, old.size() * 95);
  EXPECT_TRUE(before.is_cons());
  EXPECT_EQ(string_view_of(car_raw(before)), "pinned");
  EXPECT_EQ(slot_raw(cdr_raw(before), 2), Value::fixnum(9));
  EXPECT_STREQ(reinterpret_cast<const char*>(const_cast<const std::uint8_t*>(interior)), "only its bytes are known");
}

TEST(Heap, NativeStackPins) {
  IsolateOptions options = small_heap();
  options.heap.stress = true;  // poisons what died
  Isolate isolate(options);
  Context cx(isolate);
  for (int i = 0; i < 20; ++i) pinned_frame(cx);
  const core::HeapStatistics stats = core::heap_statistics(cx.heap());
  EXPECT_GT(stats.objects_pinned, 0U);
  EXPECT_GT(stats.objects_moved * 100, (stats.objects_moved + stats.objects_pinned) * 95);
}

TEST(Heap, CardsFindYoungInOldObjects) {
  Isolate isolate(small_heap());
  Context cx(isolate);
  RootVector roots(cx);
  constexpr int kSlots = 5000;  // large
  roots.values = {make_vector(cx, kSlots, kNil), make_vector(cx, 100, kNil), cons(cx, kNil, kNil),
                  make_symbol(cx, make_string(cx, "uninterned"))};
  minor(cx);
  for (int i = 0; i < kSlots; i += 7) set_slot_raw(roots.values[0], i, make_float(cx, i));
  for (int i = 0; i < 100; i += 3) set_slot_raw(roots.values[1], i, cons(cx, Value::fixnum(i), kNil));
  set_cdr_raw(roots.values[2], make_string(cx, "young"));
  store(&cx.cells(roots.values[3]).plist, list(cx, {Qt, Qnil}));
  store(&cx.cells(Qcar).plist, list(cx, {Qcdr, Qcar}));
  minor(cx);
  minor(cx);
  for (int i = 0; i < kSlots; i += 7) ASSERT_EQ(float_raw(slot_raw(roots.values[0], i)), i);
  for (int i = 0; i < 100; i += 3) ASSERT_EQ(car_raw(slot_raw(roots.values[1], i)), Value::fixnum(i));
  EXPECT_EQ(string_view_of(cdr_raw(roots.values[2])), "young");
  EXPECT_EQ(car_raw(cx.cells(roots.values[3]).plist), Qt);
  EXPECT_EQ(car_raw(cx.cells(Qcar).plist), Qcdr);
}

TEST(Heap, IdentityHashesStay) {
  Isolate isolate(small_heap());
  Context cx(isolate);
  RootVector roots(cx);
  std::vector<std::uint32_t> hashes;
  for (int i = 0; i < 500; ++i) {
    roots.values.push_back(i % 2 == 0 ? cons(cx, kNil, kNil) : make_float(cx, i));
    hashes.push_back(identity_hash(cx, roots.values.back()));
  }
  const auto same = [&] {
    for (std::size_t i = 0; i < hashes.size(); ++i)
      if (identity_hash(cx, roots.values[i]) != hashes[i]) return false;
    return true;
  };
  EXPECT_TRUE(same());
  minor(cx);
  EXPECT_TRUE(same());
  major(cx);
  EXPECT_TRUE(same());
  std::sort(hashes.begin(), hashes.end());
  EXPECT_GT(std::unique(hashes.begin(), hashes.end()) - hashes.begin(), 495);
}

// A weak table as tables.hpp makes it, without needing its code: test, weak kind, entries.
Value weak_table(Context& cx, WeakKind weak, std::initializer_list<Value> entries) {
  const Value table = make_slots(cx, ObjectKind::kHashTable, core::kHashSlotCount, kNil);
  set_slot_raw(table, core::kHashTest, Value::fixnum(0));
  set_slot_raw(table, core::kHashWeak, Value::fixnum(static_cast<int>(weak)));
  set_slot_raw(table, core::kHashCleared, Value::fixnum(0));
  const Value e = make_slots(cx, ObjectKind::kInternalSlots, static_cast<std::int64_t>(entries.size()), kNil);
  std::int64_t i = 0;
  for (const Value v : entries) set_slot_raw(e, i++, v);
  set_slot_raw(table, core::kHashEntries, e);
  return table;
}

TEST(Heap, WeakTablesDropDeadEntries) {
  Isolate isolate(small_heap());
  Context cx(isolate);
  RootVector roots(cx);
  const auto fresh = [&] { return cons(cx, kNil, kNil); };
  const Value live = fresh();
  const Value chained = fresh();
  const Value self = fresh();
  roots.values = {
      live,
      // live -> chained, chained -> x: all stay. self is reached from its own value only: dead.
      weak_table(cx, WeakKind::kKey, {live, chained, chained, fresh(), fresh(), fresh(), self, cons(cx, self, kNil)}),
      weak_table(cx, WeakKind::kValue, {fresh(), live, fresh(), fresh(), Value::fixnum(1), Qt}),
      weak_table(cx, WeakKind::kKeyOrValue, {fresh(), live, live, fresh(), fresh(), fresh()}),
      weak_table(cx, WeakKind::kKeyAndValue, {fresh(), live, live, fresh(), live, live})};
  minor(cx);
  major(cx);
  const auto cleared = [&](int i) { return slot_raw(roots.values[static_cast<std::size_t>(i)], core::kHashCleared); };
  const auto key = [&](int t, int e) { return core::hash_key_raw(roots.values[static_cast<std::size_t>(t)], e); };
  EXPECT_EQ(cleared(1), Value::fixnum(2));
  EXPECT_EQ(key(1, 0), roots.values[0]);
  EXPECT_TRUE(key(1, 1).is_cons());
  EXPECT_TRUE(key(1, 2).is_unbound());
  EXPECT_TRUE(key(1, 3).is_unbound());
  EXPECT_EQ(cleared(2), Value::fixnum(1));
  EXPECT_TRUE(key(2, 1).is_unbound());
  EXPECT_EQ(cleared(3), Value::fixnum(1));
  EXPECT_TRUE(key(3, 2).is_unbound());
  EXPECT_EQ(cleared(4), Value::fixnum(2));
  EXPECT_EQ(key(4, 2), roots.values[0]);
}

TEST(Heap, FinalizersBecomeReadyOnce) {
  Isolate isolate(small_heap());
  Context cx(isolate);
  RootVector roots(cx);
  const auto finalizer = [&](Value function) {
    const Value f = make_slots(cx, ObjectKind::kFinalizer, 1, kNil);
    set_slot_raw(f, 0, function);
    return f;
  };
  roots.values = {finalizer(Qcar), kNil};
  finalizer(list(cx, {Qcdr, Qcar}));
  minor(cx);
  const Value ready = cx.heap().take_ready_finalizer();
  ASSERT_TRUE(ready.is_cons());
  EXPECT_EQ(car_raw(ready), Qcdr);
  EXPECT_TRUE(cx.heap().take_ready_finalizer().is_unbound());
  roots.values[0] = kNil;
  major(cx);
  EXPECT_EQ(cx.heap().take_ready_finalizer(), Qcar);
  major(cx);
  EXPECT_TRUE(cx.heap().take_ready_finalizer().is_unbound());
}

struct Counted {
  int* deaths;
};
const HostType kCountedType = {
    "counted", Qvector, 1, sizeof(Counted), nullptr, [](void* payload) { ++*static_cast<Counted*>(payload)->deaths; },
    nullptr,   nullptr};

TEST(Heap, HostObjectsAreFinalizedOnce) {
  int deaths = 0;
  {
    Isolate isolate(small_heap());
    Context cx(isolate);
    RootVector roots(cx);
    for (int i = 0; i < 10; ++i) {
      const Value v = make_host_object(cx, &kCountedType);
      host_payload_raw<Counted>(v)->deaths = &deaths;
      set_host_slot_raw(v, 0, make_string(cx, "slot"));
      if (i % 2 == 0) roots.values.push_back(v);
    }
    minor(cx);
    EXPECT_EQ(deaths, 5);
    roots.values.resize(3);
    major(cx);
    EXPECT_EQ(deaths, 7);
    EXPECT_EQ(string_view_of(host_slot_raw(roots.values[1], 0)), "slot");
  }
  EXPECT_EQ(deaths, 10);
}

Value external_string(Context& cx, ExternalBody* body) {
  const Value s = make_unibyte_string(cx, "x");  // not the shared empty one
  StringObject* o = string_raw(s);
  o->header.flags |= kStringExternalBody;
  o->data = body->data();
  o->bytes = o->chars = static_cast<std::int64_t>(body->bytes);
  o->body = kNil;
  cx.heap().note_external_string(o);
  return s;
}

TEST(Heap, ExternalBodiesAreReleased) {
  Isolate isolate(small_heap());
  Context cx(isolate);
  RootVector roots(cx);
  ExternalBody* body = make_external_body(10000);
  std::memset(body->data(), 'z', 10000);
  retain(body);
  retain(body);
  roots.values = {external_string(cx, body), kNil};
  external_string(cx, body);
  minor(cx);
  EXPECT_EQ(body->references.load(), 2U);
  EXPECT_EQ(string_view_of(roots.values[0]).size(), 10000U);
  string_data_for_write(cx, roots.values[0])[0] = 'a';  // gets a body of its own
  major(cx);
  EXPECT_EQ(body->references.load(), 1U);
  EXPECT_EQ(string_view_of(roots.values[0]).substr(0, 3), "azz");
  EXPECT_EQ(core::heap_statistics(cx.heap()).external_bytes, 0U);
  release(body);
}

TEST(Heap, LimitIsAnErrorNotAnAbort) {
  IsolateOptions options = small_heap();
  options.heap.limit_bytes = std::size_t{16} << 20;
  options.heap.verify = false;
  Isolate isolate(options);
  Context cx(isolate);
  RootVector roots(cx);
  EXPECT_TRUE(make_vector(cx, std::int64_t{1} << 30, kNil).is_exit());
  EXPECT_TRUE(make_vector(cx, std::int64_t{1} << 39, kNil).is_exit());
  cx.exit_kind = ExitKind::kNone;
  // Garbage does not count.
  for (int i = 0; i < 200; ++i) {
    ASSERT_FALSE(make_vector(cx, 100'000, kNil).is_exit()) << i;
    safepoint_re(cx);
  }
  EXPECT_EQ(cx.interrupts.load(), 0U);
  // Small objects pass the limit, and then the next safepoint says so.
  roots.values = {kNil};
  for (int i = 0; i < 2'000'000 && cx.interrupts.load() == 0; ++i) {
    roots.values[0] = cons(cx, kNil, roots.values[0]);
    if (i % 1000 == 0) safepoint_re(cx);
  }
  EXPECT_EQ(cx.interrupts.load(), static_cast<std::uint32_t>(kInterruptMemoryFull));
  roots.values[0] = kNil;
  cx.interrupts = 0;
  collect_now_re(cx, CollectKind::kMajor);
  EXPECT_EQ(cx.interrupts.load(), 0U);
}

std::size_t resident_bytes() {
  std::FILE* f = std::fopen("/proc/self/statm", "r");
  unsigned long size = 0;
  unsigned long resident = 0;
  if (f == nullptr || std::fscanf(f, "%lu %lu", &size, &resident) != 2) resident = 0;
  if (f != nullptr) std::fclose(f);
  return resident * 4096;
}

TEST(Heap, IsolatesComeAndGoWithoutGrowth) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer keeps freed memory in quarantine";
#endif
  const auto life = [] {
    IsolateOptions options;
    options.heap.nursery_bytes = std::size_t{1} << 20;
    Isolate isolate(options);
    Context cx(isolate);
    RootVector roots(cx);
    roots.values = {kNil};
    for (int i = 0; i < 30'000; ++i) roots.values[0] = cons(cx, make_float(cx, i), roots.values[0]);
    collect_now_re(cx, CollectKind::kMajor);
  };
  for (int i = 0; i < 20; ++i) life();
  const std::size_t before = resident_bytes();
  for (int i = 0; i < 200; ++i) life();
  EXPECT_LT(resident_bytes(), before + (std::size_t{8} << 20));
}

TEST(Heap, TwoIsolatesOnTwoThreads) {
  const auto run = [](unsigned seed) {
    IsolateOptions options;
    options.heap.nursery_bytes = std::size_t{128} << 10;
    options.heap.stress = true;
    Isolate isolate(options);
    Context cx(isolate);
    cx.native_scan_from = __builtin_frame_address(0);  // scan this stack too
    Model model(cx, seed, 30);
    for (int round = 0; round < 60; ++round) {
      for (int i = 0; i < 50; ++i) model.step();
      safepoint_re(cx);
      model.check();
    }
  };
  std::thread a(run, 11U);
  std::thread b(run, 12U);
  a.join();
  b.join();
}

}  // namespace
}  // namespace neovm
