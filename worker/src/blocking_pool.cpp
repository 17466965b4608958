// Threads for work that blocks. They are made when work comes and none is idle, and sleep until shutdown after.
#include "core.hpp"

namespace neovm::worker {

bool BlockingOp::begin(WaitCell& cell) {
  if (stop_requested(cell, &outcome_)) return true;
  if (!cell.is_task) {
    outcome_ = Status::kInvalid;  // a thread outside may block by itself
    return true;
  }
  auto& t = static_cast<TaskHeader&>(cell);
  WorkerState* const w = current_worker();
  w->metrics->blocking_calls.add();
  if (w->rt->trace->on()) traced_from_ = w->rt->now();
  if (t.runtime->config.deterministic || t.runtime->simulation != nullptr) {
    try {
      function_();
    } catch (...) {
      error_ = std::current_exception();
      outcome_ = Status::kFailed;
    }
    return true;
  }
  cell_ = &cell;
  // What it runs cannot be taken back, so the wait is not cancellable.
  cell.state.store(CellState::kArmedShielded, std::memory_order_release);
  const Status s = t.runtime->blocking.submit(this);
  if (s == Status::kOk) return false;
  cell.state.store(CellState::kIdle, std::memory_order_relaxed);
  cell_ = nullptr;
  outcome_ = s;
  return true;
}

Status BlockingOp::finish() {
  WorkerState* const w = current_worker();
  if (traced_from_ != 0 && w != nullptr && w->current != nullptr && w->rt->trace->on())
    w->rt->trace->record(w->index, {.kind = TraceKind::kBlocking,
                                    .priority = w->current->priority,
                                    .name = w->current->name,
                                    .task = w->current->id,
                                    .begin_ns = traced_from_,
                                    .duration_ns = w->rt->now() - traced_from_});
  traced_from_ = 0;
  return outcome_;
}

Status BlockingPool::submit(BlockingOp* op) {
  const std::lock_guard guard(lock_);
  if (stopping_) return Status::kShutdown;
  if (idle_ <= queued_ && threads_.size() < rt_->config.max_blocking_threads) {
    bool made = false;
    if (!rt_->config.may_start_thread ||
        rt_->config.may_start_thread(rt_->worker_count + static_cast<unsigned>(threads_.size()))) {
      try {
        threads_.emplace_back([this] { run(); });
        made = true;
      } catch (const std::exception&) {
        made = false;
      }
    }
    // With at least one thread it only takes longer.
    if (!made && threads_.empty()) return Status::kOutOfThreads;
  }
  op->next_ = nullptr;
  *tail_ = op;
  tail_ = &op->next_;
  ++queued_;
  work_.notify_one();
  return Status::kOk;
}

void BlockingPool::run() {
  std::unique_lock guard(lock_);
  for (;;) {
    if (head_ == nullptr) {
      if (stopping_) return;
      ++idle_;
      work_.wait(guard, [this] { return head_ != nullptr || stopping_; });
      --idle_;
      continue;
    }
    BlockingOp* const op = head_;
    head_ = op->next_;
    if (head_ == nullptr) tail_ = &head_;
    --queued_;
    guard.unlock();
    try {
      op->function_();
    } catch (...) {
      op->error_ = std::current_exception();
      op->outcome_ = Status::kFailed;
    }
    WaitCell* const cell = op->cell_;
    if (claim(*cell, Status::kOk, 0)) make_runnable(static_cast<TaskHeader*>(cell));  // the operation may be gone now
    guard.lock();
  }
}

void BlockingPool::stop() {
  {
    const std::lock_guard guard(lock_);
    stopping_ = true;
  }
  work_.notify_all();
  for (std::thread& t : threads_) t.join();
  threads_.clear();
}

}  // namespace neovm::worker
