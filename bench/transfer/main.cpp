// What a transfer costs: a list of 100 small integers, a list of 100 floats, a vector of 20 strings, and a string of
// 100 KB, each sent from one isolate and received in another on one thread, collections of both heaps included.
// Prints one line a case: NAME NANOSECONDS (the best of several rounds).
#include <chrono>
#include <cstdio>
#include <string>

#include "neovm/abi/api.hpp"
#include "neovm/worker/transfer.hpp"

namespace {

using namespace neovm;

struct Side {
  Isolate isolate{IsolateOptions{}};
  Context cx{isolate};
  worker::Transfer transfer;
  explicit Side(worker::FragmentPool& pool) : transfer(pool) {}
  void safepoint() {
    if (cx.heap().gc_requested()) cx.heap().collect(core::CollectKind::kMinor, nullptr);
  }
};

double best_ns(worker::FragmentPool& pool, Value (*make)(Context&), int count) {
  Side a(pool);
  Side b(pool);
  RootVector kept(a.cx);
  kept.values = {make(a.cx)};
  double best = 1e18;
  for (int round = 0; round < 7; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i) {
      worker::Message m;
      if (!a.transfer.send(a.cx, kept.values[0], {}, &m).ok()) return -1;
      if (b.transfer.receive(b.cx, std::move(m)).is_exit()) return -1;
      a.safepoint();
      b.safepoint();
    }
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - begin;
    if (spent.count() / count < best) best = spent.count() / count;
  }
  return best;
}

Value list_of_integers(Context& cx) {
  Value l = kNil;
  for (int i = 100; i > 0; --i) l = cons(cx, Value::fixnum(i), l);
  return l;
}
Value list_of_floats(Context& cx) {
  Value l = kNil;
  for (int i = 100; i > 0; --i) l = cons(cx, make_float(cx, i), l);
  return l;
}
Value vector_of_strings(Context& cx) {
  const Value v = make_vector(cx, 20, kNil);
  for (int i = 0; i < 20; ++i) set_slot_raw(v, i, make_string(cx, "string number " + std::to_string(i)));
  return v;
}
Value long_string(Context& cx) { return make_string(cx, std::string(100'000, 's')); }

}  // namespace

int main() {
  worker::FragmentPool pool;
  std::printf("list100 %.1f\n", best_ns(pool, list_of_integers, 200'000));
  std::printf("floats100 %.1f\n", best_ns(pool, list_of_floats, 50'000));
  std::printf("strings20 %.1f\n", best_ns(pool, vector_of_strings, 50'000));
  std::printf("string100k %.1f\n", best_ns(pool, long_string, 100'000));
  return 0;
}
