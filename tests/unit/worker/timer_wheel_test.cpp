#include "neovm/worker/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace neovm::worker {
namespace {

constexpr std::uint64_t kTick = std::uint64_t{1} << TimerWheel::kTickShift;

struct Timer : TimerNode {
  std::vector<int>* log = nullptr;
  int id = 0;
};
void record(TimerNode* n) {
  auto* t = static_cast<Timer*>(n);
  t->log->push_back(t->id);
}

TEST(TimerWheel, FiresInOrderAndNeverEarly) {
  TimerWheel wheel(0);
  std::vector<int> log;
  std::vector<std::unique_ptr<Timer>> timers;
  const std::uint64_t deadlines[] = {5 * kTick, 1, 70 * kTick, 5000 * kTick, 5 * kTick, 1'000'000 * kTick};
  for (int i = 0; i < 6; ++i) {
    timers.push_back(std::make_unique<Timer>());
    timers[i]->fire = record;
    timers[i]->log = &log;
    timers[i]->id = i;
    wheel.add(timers[i].get(), deadlines[i]);
  }
  EXPECT_EQ(wheel.advance(0), 0U);
  wheel.advance(kTick);
  EXPECT_EQ(log, (std::vector<int>{1}));
  wheel.advance(5 * kTick - 1);
  EXPECT_EQ(log.size(), 1U);
  wheel.advance(5 * kTick);
  EXPECT_EQ(log, (std::vector<int>{1, 0, 4}));
  wheel.advance(999'999 * kTick);
  EXPECT_EQ(log, (std::vector<int>{1, 0, 4, 2, 3}));
  wheel.advance(1'000'000 * kTick);
  EXPECT_EQ(log.back(), 5);
  EXPECT_EQ(wheel.size(), 0U);
  EXPECT_EQ(wheel.next_wakeup_ns(), TimerWheel::kNever);
}

TEST(TimerWheel, CancelIsIdempotent) {
  TimerWheel wheel(123 * kTick);
  std::vector<int> log;
  Timer t;
  t.fire = record;
  t.log = &log;
  wheel.add(&t, 0);  // long past
  EXPECT_TRUE(wheel.cancel(&t));
  EXPECT_FALSE(wheel.cancel(&t));
  EXPECT_EQ(wheel.advance(1000 * kTick), 0U);
}

TEST(TimerWheel, ReAddingFromFireDoesNotLoop) {
  struct Again : TimerNode {
    TimerWheel* wheel = nullptr;
    int count = 0;
  };
  TimerWheel wheel(0);
  Again t;
  t.wheel = &wheel;
  t.fire = [](TimerNode* n) {
    auto* a = static_cast<Again*>(n);
    ++a->count;
    a->wheel->add(a, 0);
  };
  wheel.add(&t, 0);
  EXPECT_EQ(wheel.advance(0), 1U);
  EXPECT_EQ(wheel.advance(0), 1U);
  EXPECT_EQ(t.count, 2);
  wheel.cancel(&t);
}

// Against a sorted map: random adds, cancels and advances, near and far.
TEST(TimerWheel, AgreesWithAModel) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937_64 random(seed);
    std::uint64_t now = random() % (std::uint64_t{1} << 40);
    TimerWheel wheel(now);
    std::vector<int> log;
    std::vector<std::unique_ptr<Timer>> timers;
    std::multimap<std::uint64_t, int> model;  // due tick -> id
    std::uint64_t hand = now >> TimerWheel::kTickShift;
    for (int step = 0; step < 400; ++step) {
      const auto what = random() % 10;
      if (what < 5) {
        timers.push_back(std::make_unique<Timer>());
        Timer& t = *timers.back();
        t.fire = record;
        t.log = &log;
        t.id = static_cast<int>(timers.size()) - 1;
        const std::uint64_t deadline = now + random() % (kTick << (random() % 26));
        wheel.add(&t, deadline);
        model.emplace(std::max((deadline + kTick - 1) >> TimerWheel::kTickShift, hand), t.id);
      } else if (what < 7 && !timers.empty()) {
        Timer& t = *timers[random() % timers.size()];
        const bool armed = t.armed();
        EXPECT_EQ(wheel.cancel(&t), armed);
        for (auto it = model.begin(); it != model.end(); ++it)
          if (it->second == t.id) {
            model.erase(it);
            break;
          }
      } else {
        const std::uint64_t wake = wheel.next_wakeup_ns();
        if (model.empty()) {
          ASSERT_EQ(wake, TimerWheel::kNever);
        } else {
          ASSERT_LE(wake, model.begin()->first << TimerWheel::kTickShift) << "seed " << seed;
        }
        now += random() % (kTick << (random() % 24));
        hand = std::max(hand, now >> TimerWheel::kTickShift);
        log.clear();
        wheel.advance(now);
        std::vector<int> expected;
        while (!model.empty() && model.begin()->first <= hand) {
          expected.push_back(model.begin()->second);
          model.erase(model.begin());
        }
        std::vector<int> got = log;
        std::sort(got.begin(), got.end());
        std::sort(expected.begin(), expected.end());
        ASSERT_EQ(got, expected) << "seed " << seed << " step " << step;
      }
      ASSERT_EQ(wheel.size(), model.size());
    }
    for (auto& t : timers) wheel.cancel(t.get());
  }
}

}  // namespace
}  // namespace neovm::worker
