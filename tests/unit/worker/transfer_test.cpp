// What arrives is what was sent: structure, sharing, cycles, symbols, tables; and what cannot travel is named.
#include "neovm/worker/transfer.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <thread>
#include <unordered_map>

#include "neovm/abi/api.hpp"
#include "neovm/core/array_list.hpp"
#include "neovm/core/bool_vector.hpp"
#include "neovm/core/hash_table.hpp"

namespace neovm::worker {
namespace {

// A reference that all isolates may hold, and how often it is held.
struct Ticket {
  std::atomic<int> held{0};
};
struct TicketPayload {
  Ticket* ticket;
};
extern const HostType kTicketType;
void* send_ticket(Context&, Value self) {
  Ticket* t = host_payload_raw<TicketPayload>(self)->ticket;
  if (t != nullptr) t->held.fetch_add(1);
  return t;
}
Value receive_ticket(Context& cx, void* reference) {
  const Value v = make_host_object(cx, &kTicketType);
  host_payload_raw<TicketPayload>(v)->ticket = static_cast<Ticket*>(reference);
  return v;
}
void drop_ticket(void* reference) { static_cast<Ticket*>(reference)->held.fetch_sub(1); }
void finalize_ticket(void* payload) {
  if (Ticket* t = static_cast<TicketPayload*>(payload)->ticket) t->held.fetch_sub(1);
}
constexpr TravelHooks kTicketHooks = {send_ticket, receive_ticket, drop_ticket};
constexpr HostType ticket_type() {
  HostType t{};
  t.name = "ticket";
  t.type_symbol = Qvector;
  t.payload_bytes = sizeof(TicketPayload);
  t.finalize = finalize_ticket;
  t.travel = &kTicketHooks;
  return t;
}
const HostType kTicketType = ticket_type();
constexpr HostType anchored_type() {
  HostType t{};
  t.name = "anchored thing";
  t.type_symbol = Qvector;
  return t;
}
const HostType kAnchoredType = anchored_type();

IsolateOptions checked() {
  IsolateOptions o;
  o.heap.verify = true;
  return o;
}

class Transfers : public ::testing::Test {
 protected:
  Value carry(Value v, const TransferOptions& options = {}) {
    Message m;
    const TransferResult r = out_.send(a_, v, options, &m);
    EXPECT_TRUE(r.ok()) << r.why;
    const Value copy = in_.receive(b_, std::move(m));
    collect_now_re(b_, core::CollectKind::kMinor);  // the verifier looks at what arrived
    return copy;
  }
  // The same, and what arrives is kept alive in `arrived`.
  Value keep(Value v) {
    Message m;
    EXPECT_TRUE(out_.send(a_, v, {}, &m).ok());
    arrived.values = {in_.receive(b_, std::move(m))};
    collect_now_re(b_, core::CollectKind::kMajor);
    return arrived.values[0];
  }
  std::string why_not(Value v) {
    Message m;
    const TransferResult r = out_.send(a_, v, {}, &m);
    EXPECT_TRUE(m.empty());
    return r.why;
  }

  FragmentPool pool_;
  Ticket ticket_;  // outlives the isolates, whose finalizers give it back
  Isolate from_{checked()};
  Isolate to_{checked()};
  Context a_{from_};
  Context b_{to_};
  Transfer out_{pool_};
  Transfer in_{pool_};
  RootVector arrived{b_};
};

// True when the two graphs are the same but for addresses: every pair of words met agrees, and the pairing is one to one.
class SameShape {
 public:
  bool run(Value a, Value b) {
    todo_ = {{a, b}};
    while (!todo_.empty()) {
      const auto [x, y] = todo_.back();
      todo_.pop_back();
      if (!pair(x, y)) return false;
    }
    return true;
  }

 private:
  bool pair(Value a, Value b) {
    if (!a.is_heap() || !b.is_heap()) return a == b;
    if (a == b || a.tag() != b.tag()) return false;  // different heaps
    const auto [there, fresh] = forth_.emplace(a.bits(), b.bits());
    const auto [back, fresh_back] = back_.emplace(b.bits(), a.bits());
    if (there->second != b.bits() || back->second != a.bits() || fresh != fresh_back) return false;
    if (!fresh) return true;
    if (a.is_cons()) {
      todo_.emplace_back(car_raw(a), car_raw(b));
      todo_.emplace_back(cdr_raw(a), cdr_raw(b));
      return true;
    }
    if (a.is_float()) return float_raw(a) == float_raw(b);
    if (a.is_string()) {
      todo_.emplace_back(string_raw(a)->properties, string_raw(b)->properties);
      return string_view_of(a) == string_view_of(b) && string_multibyte(a) == string_multibyte(b) &&
             string_chars(a) == string_chars(b);
    }
    if (a.is_symbol()) return true;
    if (header_raw(a)->kind != header_raw(b)->kind) return false;
    if (is_bignum(a))
      return raw_bytes_raw(a)->count == raw_bytes_raw(b)->count && header_raw(a)->aux == header_raw(b)->aux &&
             std::memcmp(raw_bytes_raw(a)->bytes, raw_bytes_raw(b)->bytes, raw_bytes_raw(a)->count) == 0;
    if (slot_count_raw(a) != slot_count_raw(b)) return false;
    for (std::int64_t i = 0; i < slot_count_raw(a); ++i) todo_.emplace_back(slot_raw(a, i), slot_raw(b, i));
    return true;
  }
  std::vector<std::pair<Value, Value>> todo_;
  std::unordered_map<std::uint64_t, std::uint64_t> forth_;
  std::unordered_map<std::uint64_t, std::uint64_t> back_;
};

TEST_F(Transfers, WordsThatAreNoAddresses) {
  for (const Value v : {kNil, Qt, Value::fixnum(0), Value::fixnum(kMostNegativeFixnum), Qcar, kUnbound})
    EXPECT_EQ(carry(v), v);
  EXPECT_TRUE(in_.receive(b_, Message()).is_nil());
}

TEST_F(Transfers, RandomGraphsKeepTheirShape) {
  std::mt19937 random(17);
  for (int round = 0; round < 200; ++round) {
    std::vector<Value> nodes = {kNil, Qt, Value::fixnum(7)};
    const auto any = [&] { return nodes[random() % nodes.size()]; };
    std::vector<Value> open;  // whose fields are set at the end, to close cycles
    const int count = static_cast<int>(random() % 300);
    for (int i = 0; i < count; ++i) {
      switch (random() % 8) {
        case 0: nodes.push_back(make_float(a_, static_cast<double>(random()))); break;
        case 1: nodes.push_back(make_string(a_, std::string(random() % 40, 'x') + "ä")); break;
        case 2: nodes.push_back(make_string(a_, std::string(kMovedStringBytes + random() % 3, 'y'))); break;
        case 3: nodes.push_back(make_integer(a_, std::numeric_limits<std::int64_t>::min() + random())); break;
        case 4:
          nodes.push_back(make_vector(a_, static_cast<std::int64_t>(random() % 9), any()));
          open.push_back(nodes.back());
          break;
        case 5: nodes.push_back(make_slots(a_, ObjectKind::kRecord, 3, any())); break;
        default: nodes.push_back(cons(a_, any(), any())); open.push_back(nodes.back());
      }
    }
    for (const Value v : open) {
      if (v.is_cons()) {
        if (random() % 4 == 0) set_cdr_raw(v, any());
        if (random() % 4 == 0) set_car_raw(v, any());
      } else {
        for (std::int64_t i = 0; i < slot_count_raw(v); ++i) set_slot_raw(v, i, any());
      }
    }
    const Value root = make_vector_from(a_, nodes);
    RootVector kept(a_);
    kept.values = {root};
    const Value copy = keep(root);
    ASSERT_TRUE(SameShape().run(kept.values[0], copy)) << "round " << round;
  }
}

TEST_F(Transfers, DeepAndLongStructuresNeedNoStack) {
  Value deep = kNil;
  Value both = kNil;
  for (int i = 0; i < 300'000; ++i) deep = cons(a_, deep, kNil);
  for (int i = 0; i < 100'000; ++i) both = cons(a_, make_vector(a_, 1, both), Value::fixnum(i));
  RootVector kept(a_);
  kept.values = {cons(a_, deep, both)};
  const Value copy = keep(kept.values[0]);
  EXPECT_TRUE(SameShape().run(kept.values[0], copy));
}

TEST_F(Transfers, LargeObjects) {
  const Value big = make_vector(a_, 100'000, kNil);
  for (int i = 0; i < 100'000; ++i) set_slot_raw(big, i, make_float(a_, i));
  RootVector kept(a_);
  kept.values = {big};
  EXPECT_TRUE(SameShape().run(big, keep(big)));
}

TEST_F(Transfers, LongStringsShareTheirBody) {
  const Value s = make_string(a_, std::string(100'000, 'a'));
  Message m;
  ASSERT_TRUE(out_.send(a_, list(a_, {s, s}), {}, &m).ok());
  EXPECT_EQ(m.moved_bytes(), 100'000U);
  EXPECT_LT(m.copied_bytes(), 200U);
  const Value copy = in_.receive(b_, std::move(m));
  EXPECT_EQ(car_raw(copy), car_raw(cdr_raw(copy)));
  EXPECT_EQ(string_data_raw(car_raw(copy)), string_data_raw(s));
  // Writing makes a body of one's own.
  string_data_for_write(b_, car_raw(copy))[0] = 'b';
  EXPECT_EQ(string_data_raw(s)[0], 'a');
  EXPECT_EQ(string_data_raw(car_raw(copy))[0], 'b');
}

TEST_F(Transfers, UnreceivedMessagesGiveBackWhatTheyHold) {
  const Value v = make_host_object(a_, &kTicketType);
  host_payload_raw<TicketPayload>(v)->ticket = &ticket_;
  ticket_.held = 1;
  {
    Message m;
    ASSERT_TRUE(out_.send(a_, list(a_, {v, make_string(a_, std::string(5000, 'q'))}), {}, &m).ok());
    EXPECT_EQ(ticket_.held, 2);
  }
  EXPECT_EQ(ticket_.held, 1);
  const Value copy = carry(v);
  EXPECT_TRUE(is_host(copy, &kTicketType) || copy.is_heap());
  collect_now_re(b_, core::CollectKind::kMajor);
  host_payload_raw<TicketPayload>(v)->ticket = nullptr;
  EXPECT_EQ(why_not(list(a_, {v})), "(car x) is a ticket");  // the hook may refuse an object
}

TEST_F(Transfers, Symbols) {
  const Value known = a_.isolate().intern("transfer-test-known");
  const Value keyword = a_.isolate().intern(":transfer-test");
  const Value lonely = make_symbol(a_, make_string(a_, "lonely"));
  store(&a_.cells(lonely).plist, list(a_, {lonely, Value::fixnum(4)}));
  const Value copy = keep(list(a_, {known, lonely, lonely, keyword, known, Qcar}));
  const Value there = b_.isolate().find_symbol("transfer-test-known");
  ASSERT_FALSE(there.is_unbound());
  EXPECT_EQ(car_raw(copy), there);
  Value l = cdr_raw(copy);
  const Value lonely_there = car_raw(l);
  EXPECT_NE(lonely_there, lonely);
  EXPECT_EQ(symbol_name_view(b_, lonely_there), "lonely");
  EXPECT_EQ(b_.cells(lonely_there).flags & kSymbolInterned, 0);
  EXPECT_EQ(car_raw(b_.cells(lonely_there).plist), lonely_there);
  EXPECT_EQ(car_raw(cdr_raw(l)), lonely_there);
  l = cdr_raw(cdr_raw(l));
  EXPECT_EQ(b_.cells(car_raw(l)).value, car_raw(l));  // a keyword is its own value
  EXPECT_EQ(car_raw(cdr_raw(l)), there);
  EXPECT_EQ(car_raw(cdr_raw(cdr_raw(l))), Qcar);
}

TEST_F(Transfers, SymbolIdsOfOneImageOnly) {
  IsolateOptions building;
  building.building = true;
  Isolate one(building);
  Context cx(one);
  const Value s = one.intern("transfer-test-with-an-id");
  ASSERT_TRUE(s.is_id_symbol());
  // Without an image in common, by name.
  Message m;
  ASSERT_TRUE(out_.send(cx, s, {}, &m).ok());
  Value by_its_name = in_.receive(b_, std::move(m));
  EXPECT_EQ(by_its_name, b_.isolate().find_symbol("transfer-test-with-an-id"));
  // With one, as it is; and only to isolates of that image.
  one.image_token = 99;
  one.image_symbols = one.id_symbol_count();
  ASSERT_TRUE(out_.send(cx, s, {}, &m).ok());
  EXPECT_EQ(m.copied_bytes(), 0U);
  EXPECT_TRUE(in_.receive(b_, std::move(m)).is_exit());
  b_.exit_kind = ExitKind::kNone;
  TransferOptions by_name;
  by_name.same_image = false;
  ASSERT_TRUE(out_.send(cx, s, by_name, &m).ok());
  by_its_name = in_.receive(b_, std::move(m));
  EXPECT_EQ(by_its_name, b_.isolate().find_symbol("transfer-test-with-an-id"));
}

TEST_F(Transfers, HashTablesFindTheirKeysAgain) {
  for (const HashTest test : {HashTest::kEq, HashTest::kEql, HashTest::kEqual}) {
    const Value table = make_hash_table(a_, test);
    Value keys = kNil;
    for (int i = 0; i < 500; ++i) {
      Value key = Value::fixnum(i);
      if (i % 3 == 0) key = list(a_, {Value::fixnum(i)});
      if (i % 3 == 1) key = a_.isolate().intern("transfer-key-" + std::to_string(i));
      hash_table_put(a_, table, key, Value::fixnum(i * i));
      keys = cons(a_, key, keys);
    }
    for (Value l = keys; l.is_cons(); l = cdr_raw(l))
      if (identity_hash(a_, l) % 5 == 0) hash_table_remove(a_, table, car_raw(l));
    if (test != HashTest::kEqual) hash_table_put(a_, table, table, table);
    const Value copy = keep(cons(a_, table, keys));
    const Value there = car_raw(copy);
    EXPECT_EQ(hash_table_count(there), hash_table_count(table));
    if (test != HashTest::kEqual) {
      EXPECT_EQ(hash_table_get(b_, there, there), there);
    }
    Value l = cdr_raw(copy);
    for (Value k = keys; k.is_cons(); k = cdr_raw(k), l = cdr_raw(l))
      EXPECT_EQ(hash_table_get(b_, there, car_raw(l)), hash_table_get(a_, table, car_raw(k)));
  }
}

TEST_F(Transfers, TablesVectorsAndBits) {
  const Value chars = make_char_table(a_, Qcar, Value::fixnum(1));
  char_table_set(a_, chars, 0x4e00, Value::fixnum(77));
  const Value bits = core::make_bool_vector(a_, 100);
  core::bool_set_raw(bits, 63, true);
  const Value copy = keep(list(a_, {chars, bits}));
  EXPECT_EQ(char_table_get(car_raw(copy), 0x4e00), Value::fixnum(77));
  EXPECT_EQ(char_table_get(car_raw(copy), 'x'), Value::fixnum(1));
  const Value there = car_raw(cdr_raw(copy));
  ASSERT_TRUE(is_bool_vector(there));
  EXPECT_EQ(core::bool_length_raw(there), 100);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(core::bool_get_raw(there, i), i == 63);
}

TEST_F(Transfers, EmptyObjectsAreTheReceiversOwn) {
  const Value copy = keep(list(a_, {make_string(a_, ""), make_vector(a_, 0, kNil)}));
  EXPECT_EQ(car_raw(copy), make_string(b_, ""));
  EXPECT_EQ(car_raw(cdr_raw(copy)), make_vector(b_, 0, kNil));
}

TEST_F(Transfers, MarksOnByteCodeStayBehind) {
  const Value code = make_slots(a_, ObjectKind::kByteCode, 4, kNil);
  header_raw(code)->flags = 3;
  header_raw(code)->aux = 9;
  const Value copy = keep(code);
  EXPECT_EQ(header_raw(copy)->flags, 0);
  EXPECT_EQ(header_raw(copy)->aux, 0);
  EXPECT_EQ(header_raw(code)->aux, 9);
}

TEST_F(Transfers, TheMainObarrayIsTheReceivers) {
  for (Context* cx : {&a_, &b_}) {
    cx->isolate().main_obarray.set(make_vector(*cx, 1, Value::fixnum(0)));
    header_raw(cx->isolate().main_obarray.get())->flags |= kVectorMainObarray;
  }
  const Value copy = carry(list(a_, {a_.isolate().main_obarray.get()}));
  EXPECT_TRUE(copy.is_cons());
  Message m;
  ASSERT_TRUE(out_.send(a_, a_.isolate().main_obarray.get(), {}, &m).ok());
  EXPECT_EQ(in_.receive(b_, std::move(m)), b_.isolate().main_obarray.get());
}

// A message holds what the sender's variable held, and nothing that either side does in place reaches the other.
TEST_F(Transfers, ArrayListsAndGrownStrings) {
  const Value inner = core::make_array_list(a_, std::vector<Value>{Value::fixnum(1)});
  Value outer = core::make_array_list(a_, std::vector<Value>{inner, inner, make_float(a_, 2.5)});
  Value text = core::concat_strings(a_, make_string(a_, "ab"), make_string(a_, "c"), true);
  text = core::concat_strings(a_, text, text, true);  // with room behind it
  outer = core::array_list_append(a_, outer, text, true);
  const Value arrived_list = keep(outer);
  EXPECT_EQ(core::array_list_append(a_, outer, kNil, true), outer);
  ASSERT_TRUE(core::is_array_list(arrived_list));
  ASSERT_EQ(core::array_list_length(arrived_list), 4);
  EXPECT_EQ(core::array_list_item(arrived_list, 0), core::array_list_item(arrived_list, 1));
  const Value arrived_text = core::array_list_item(arrived_list, 3);
  EXPECT_EQ(string_view_of(arrived_text), "abcabc");
  // What arrived may be held twice: it is copied first.
  EXPECT_FALSE(core::has_one_holder(arrived_list));
  EXPECT_FALSE(core::has_one_holder(arrived_text));
  const Value longer = core::array_list_append(b_, arrived_list, kNil, true);
  EXPECT_NE(longer, arrived_list);
  EXPECT_EQ(core::array_list_append(b_, longer, kNil, true), longer);
  EXPECT_NE(core::concat_strings(b_, arrived_text, arrived_text, true), arrived_text);
  EXPECT_EQ(core::array_list_length(arrived_list), 4);
  // In a list by itself, a string still has its flag.
  const Value alone = keep(core::concat_strings(a_, text, make_string(a_, "!"), false));
  EXPECT_EQ(string_view_of(alone), "abcabc!");
  EXPECT_FALSE(core::has_one_holder(alone));
  // Items that cannot travel are named.
  const Value stranger = make_host_object(a_, &kAnchoredType);
  const Value with_stranger = core::make_array_list(a_, std::vector<Value>{kNil, cons(a_, kNil, stranger)});
  EXPECT_EQ(why_not(with_stranger), "(cdr (an item of x)) is an anchored thing");
}

TEST_F(Transfers, StrangersAreNamedWithTheirPath) {
  const Value stranger = make_host_object(a_, &kAnchoredType);
  EXPECT_EQ(why_not(stranger), "x is an anchored thing");
  EXPECT_EQ(why_not(list(a_, {kNil, kNil, stranger})), "(nth 2 x) is an anchored thing");
  const Value v = make_vector(a_, 5, kNil);
  set_slot_raw(v, 3, cons(a_, Qt, stranger));
  EXPECT_EQ(why_not(v), "(cdr (aref x 3)) is an anchored thing");
  EXPECT_EQ(why_not(list(a_, {cons(a_, v, kNil)})), "(cdr (aref (car (car x)) 3)) is an anchored thing");
  const Value table = make_hash_table(a_, HashTest::kEqual);
  hash_table_put(a_, table, Qcar, list(a_, {kNil, stranger}));
  EXPECT_EQ(why_not(table), "(nth 1 (gethash 'car x)) is an anchored thing");
  EXPECT_EQ(why_not(cons(a_, kNil, make_slots(a_, ObjectKind::kFinalizer, 1, kNil))), "(cdr x) is a finalizer");
  TransferOptions named;
  named.root_name = "ARG";
  Message m;
  EXPECT_EQ(out_.send(a_, cons(a_, stranger, kNil), named, &m).why, "(car ARG) is an anchored thing");
  // A failed sending leaves nothing behind that a later one would meet.
  EXPECT_TRUE(SameShape().run(list(a_, {v}), kNil) == false);
  EXPECT_EQ(carry(Value::fixnum(3)), Value::fixnum(3));
}

TEST_F(Transfers, LimitsAreKept) {
  Value l = kNil;
  for (int i = 0; i < 100'000; ++i) l = cons(a_, Value::fixnum(i), l);
  TransferOptions small;
  small.max_bytes = 10'000;
  Message m;
  for (const Value v : {l, make_vector(a_, 10'000, kNil), list(a_, {l, l})}) {
    const TransferResult r = out_.send(a_, v, small, &m);
    EXPECT_EQ(r.status, TransferStatus::kTooLarge);
    EXPECT_EQ(r.why, "the message is larger than 10000 bytes");
  }
  EXPECT_TRUE(out_.send(a_, make_string(a_, std::string(100'000, 'x')), small, &m).ok());  // moved, not copied
}

TEST_F(Transfers, AReceiverWithoutMemorySaysSo) {
  IsolateOptions tight = checked();
  tight.heap.limit_bytes = std::size_t{4} << 20;
  Isolate small(tight);
  Context cx(small);
  const Value v = make_host_object(a_, &kTicketType);
  host_payload_raw<TicketPayload>(v)->ticket = &ticket_;
  ticket_.held = 1;
  Value big = make_vector(a_, 2'000'000, v);
  set_slot_raw(big, 1, make_string(a_, std::string(5000, 'q')));
  Message m;
  ASSERT_TRUE(out_.send(a_, list(a_, {make_vector(a_, 3, v), big}), {}, &m).ok());
  EXPECT_TRUE(in_.receive(cx, std::move(m)).is_exit());
  EXPECT_EQ(cx.exit_kind, ExitKind::kSignal);
  cx.exit_kind = ExitKind::kNone;
  collect_now_re(cx, core::CollectKind::kMajor);
  EXPECT_EQ(ticket_.held, 1);
}

TEST_F(Transfers, BetweenTwoThreads) {
  // Each thread runs its isolate; messages go round through a mailbox.
  struct Box {
    std::mutex mutex;
    Message message;
    bool full = false;
  };
  Box boxes[2];
  const auto put = [](Box& box, Message&& m) {
    for (;;) {
      {
        const std::lock_guard lock(box.mutex);
        if (!box.full) {
          box.message = std::move(m);
          box.full = true;
          return;
        }
      }
      std::this_thread::yield();
    }
  };
  const auto get = [](Box& box) {
    for (;;) {
      {
        const std::lock_guard lock(box.mutex);
        if (box.full) {
          box.full = false;
          return std::move(box.message);
        }
      }
      std::this_thread::yield();
    }
  };
  constexpr int kRounds = 300;
  const auto run = [&](Context& cx, Transfer& t, int side) {
    RootVector kept(cx);
    kept.values = {kNil};
    for (int i = 0; i < kRounds; ++i) {
      if (side == 1 || i > 0) kept.values[0] = t.receive(cx, get(boxes[1 - side]));
      kept.values[0] = list(cx, {kept.values[0], make_string(cx, std::string(2000, 'z')), make_float(cx, i)});
      if (i % 16 == 0) kept.values[0] = kNil;
      Message m;
      ASSERT_TRUE(t.send(cx, kept.values[0], {}, &m).ok());
      put(boxes[side], std::move(m));
    }
    if (side == 0) (void)t.receive(cx, get(boxes[1]));
  };
  std::thread other([&] {
    Isolate isolate(checked());
    Context cx(isolate);
    run(cx, in_, 1);
  });
  run(a_, out_, 0);
  other.join();
}

}  // namespace
}  // namespace neovm::worker
