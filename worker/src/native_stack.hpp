// Native stacks: pooled, guarded, switched by Boost.Context, announced to the sanitizers.
#pragma once

#include <cstddef>
#include <exception>

#include "core.hpp"

namespace neovm::worker {

// A stack that can be switched to. Sanitizers follow through the three calls around each switch.
class SwitchedStack {
 public:
  explicit SwitchedStack(std::size_t bytes);  // bytes() == 0 when there was no memory
  ~SwitchedStack();
  SwitchedStack(const SwitchedStack&) = delete;
  SwitchedStack& operator=(const SwitchedStack&) = delete;
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  // Prepares to run `entry(argument)` here; it must never return but leave by leave_for_good().
  void prepare(void (*entry)(void*), void* argument);
  // By whoever runs elsewhere: goes on here until it goes back.
  void enter();
  // By what runs here.
  void leave();
  void leave_for_good();

 private:
  friend struct SwitchedEntry;
  void* base_ = nullptr;  // mapping, guard page first
  std::size_t mapped_ = 0;
  std::size_t bytes_ = 0;
  void* context_ = nullptr;  // of what is suspended here
  void* back_ = nullptr;     // of who entered
  void (*entry_)(void*) = nullptr;
  void* argument_ = nullptr;
  // C++ keeps the exceptions being handled per thread; each stack has its own.
  void* exceptions_[2] = {};
  // Sanitizers.
  void* fake_here_ = nullptr;
  void* fake_back_ = nullptr;
  const void* back_bottom_ = nullptr;
  std::size_t back_size_ = 0;
  void* tsan_here_ = nullptr;
  void* tsan_back_ = nullptr;
};

struct NativeStack {
  explicit NativeStack(std::size_t bytes) : stack(bytes) {}
  SwitchedStack stack;
  NativeCall* call = nullptr;
  TaskHeader* task = nullptr;
  std::coroutine_handle<> point;
  void (*resume)(TaskHeader*) = nullptr;  // how the task runs when the call is over
  bool ended = false;
};

}  // namespace neovm::worker
