// A task while it runs: its isolate, and the slices in which a worker runs it.
#pragma once

#include <string>
#include <vector>

#include "task/task.hpp"

namespace neovm::elisp {

class TaskBody {
 public:
  TaskBody(LispTask& task, worker::Scope& scope) : task_(task), scope_(scope) {}
  ~TaskBody();
  TaskBody(const TaskBody&) = delete;
  TaskBody& operator=(const TaskBody&) = delete;

  // Runs until the slice is over, the task waits on this native stack, or it has ended. Called on native stacks of the
  // runtime; each slice may have another one, unless a wait is pending.
  void run_slice();
  [[nodiscard]] bool over() const { return over_; }
  [[nodiscard]] TaskOutcome outcome() const { return outcome_; }
  // The wait that the task is parked in; null at the end of a slice.
  std::unique_ptr<PendingWait> pending;
  worker::Selected selected;  // how it ended, for the next slice
  // Once, after the children have ended.
  void end();

  // The leaving of all Lisp has begun: the task is not asked to stop any more while it cleans up.
  bool stopping = false;
  TaskOutcome stop_reason = TaskOutcome::kCancelled;
  // Of the tasks that this one started, those that failed and were never looked at. After they have ended.
  void report_unseen();

 private:
  void boot();
  void run_first();
  void finish(Value v);
  void fail(Value symbol, Value data);

  LispTask& task_;
  worker::Scope& scope_;
  std::unique_ptr<Isolate> isolate_;
  std::unique_ptr<Context> cx_;
  bool begun_ = false;
  bool over_ = false;
  TaskOutcome outcome_ = TaskOutcome::kNone;
  Message message_;
  std::string failure_;
  std::string backtrace_;
};

}  // namespace neovm::elisp
