// The templates behind task.hpp. Included at its end; not for users.
#pragma once

#include "neovm/worker/task.hpp"

namespace neovm::worker {
namespace detail {

template <class P>
struct FinalAwait {
  bool await_ready() noexcept { return false; }
  void await_suspend(std::coroutine_handle<P> h) noexcept {
    if (h.promise().caller) {
      go_on_with(h.promise().caller);
      return;
    }
    TaskHeader* task = h.promise().task;
    h.promise().hand_over(task);
    h.destroy();
    root_ended(task);
  }
  void await_resume() noexcept {}
};

template <class T>
struct Promise : PromiseBase {
  static_assert(std::is_nothrow_move_constructible_v<T>, "a task's value is moved between threads");
  std::optional<T> value;

  Task<T> get_return_object() { return Task<T>(std::coroutine_handle<Promise>::from_promise(*this)); }
  static Task<T> get_return_object_on_allocation_failure() { return {}; }
  FinalAwait<Promise> final_suspend() noexcept { return {}; }
  template <class U>
  void return_value(U&& v) {
    value.emplace(std::forward<U>(v));
  }
  void hand_over(TaskHeader* t) noexcept {
    if (error) {
      t->error = std::move(error);
    } else {
      static_cast<TaskBlock<T>*>(t)->value.emplace(std::move(*value));
    }
  }
  T take() {
    if (error) std::rethrow_exception(error);
    return std::move(*value);
  }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  static Task<void> get_return_object_on_allocation_failure();
  FinalAwait<Promise> final_suspend() noexcept { return {}; }
  void return_void() {}
  void hand_over(TaskHeader* t) noexcept {
    if (error) t->error = std::move(error);
  }
  void take() {
    if (error) std::rethrow_exception(error);
  }
};
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object_on_allocation_failure() { return {}; }

// Fills in the header and queues the task. Returns kOk or why it was refused (then nothing is kept).
// Without options: nothing but the defaults.
Status launch(RuntimeCore* rt, TaskHeader* task, const SpawnOptions* options);
void run_coroutine(TaskHeader* task);
Status may_spawn(RuntimeCore* rt);

template <class T>
void discard_frame(TaskHeader* t) {
  std::coroutine_handle<Promise<T>>::from_address(t->resume_point).destroy();
}

template <class T>
void drop_value(TaskHeader* t) {
  static_cast<TaskBlock<T>*>(t)->value.reset();
}
template <class T>
constexpr TaskKind task_kind() {
  if constexpr (!std::is_void_v<T>) {
    if constexpr (!std::is_trivially_destructible_v<T>) return {discard_frame<T>, drop_value<T>};
  }
  return {discard_frame<T>, nullptr};
}
template <class T>
inline constexpr TaskKind kTaskKind = task_kind<T>();

template <class T>
JoinHandle<T> spawn_on(RuntimeCore* rt, Task<T> task, const SpawnOptions* options) {
  if (rt == nullptr) return JoinHandle<T>(Status::kInvalid);
  if (!task) return JoinHandle<T>(Status::kNoMemory);
  void* memory = pool_allocate(sizeof(TaskBlock<T>));
  if (memory == nullptr) return JoinHandle<T>(Status::kNoMemory);
  auto* block = new (memory) TaskBlock<T>;
  block->run = run_coroutine;
  block->kind = &kTaskKind<T>;
  auto frame = task.release();
  frame.promise().task = block;
  block->resume_point = frame.address();
  const Status s = launch(rt, block, options);
  if (s != Status::kOk) {
    frame.destroy();
    block->~TaskBlock<T>();
    pool_free(memory);
    return JoinHandle<T>(s);
  }
  return JoinHandle<T>(block);
}

// The joined task is done: its outcome, and the handle's right to it is used up. Frees the task.
Status take_end(TaskHeader* t, std::exception_ptr* error);
void free_joined(TaskHeader* t);

}  // namespace detail

template <class T>
JoinResult<T> JoinOp<T>::finish() {
  JoinResult<T> result;
  TaskHeader* t = handle_->task_;
  if (t == nullptr) {
    result.status = handle_->refused_;
    return result;
  }
  result.status = wait_finish(t);
  if (result.status != Status::kOk) return result;
  result.status = detail::take_end(t, &result.error);
  if constexpr (!std::is_void_v<T>) {
    if (result.status == Status::kOk) result.value.emplace(std::move(*static_cast<TaskBlock<T>*>(t)->value));
  }
  handle_->task_ = nullptr;
  detail::free_joined(t);
  return result;
}

template <class T>
JoinOp<T> JoinHandle<T>::join_for(Duration d) {
  return JoinOp<T>(*this, after(d));
}

}  // namespace neovm::worker
