// Parking on a word: the futex system call, nothing more.
//
// A waiter sleeps while *word == expected; a waker changes the word first and wakes after. Spurious
// returns are allowed, so callers loop. Words in memory shared between processes need `shared`.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace neovm::worker {

// Returns false when the timeout passed, true in every other case (woken, changed, interrupted).
bool futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected,
                std::optional<std::chrono::nanoseconds> timeout = std::nullopt, bool shared = false);
// Wakes up to `count` waiters; returns how many.
int futex_wake(std::atomic<std::uint32_t>& word, int count, bool shared = false);

}  // namespace neovm::worker
