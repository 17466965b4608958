// Lisp tasks: what the program that starts an isolate says about them.
//
// A task is a Lisp world of its own (an isolate with a private copy of the image) that the runtime's workers run.
// Values go between tasks by transfer (neovm/worker/transfer.hpp). docs/tasks.md is the Lisp side.
#pragma once

#include <functional>
#include <string>

#include "neovm/core/context.hpp"

namespace neovm::elisp {

struct TaskSettings {
  // Makes the fresh isolate of `cx` a Lisp world like the main one's at its start (the same image). Returns "" or why
  // not. Called on any worker, for several isolates at a time.
  std::function<std::string(Context& cx)> boot;
  std::string image;  // the file that the main isolate started from; "" without one
  core::HeapOptions heap;
  unsigned workers = 0;  // 0: one for each processor
  // Asked before each thread of the runtime (RuntimeConfig::may_start_thread). With no worker spawn-task signals an error; without
  // threads for blocking calls the workers make them.
  std::function<bool(unsigned)> may_start_thread = {};
  bool record = false;  // who ran where, from the first task on: neovm-task-trace
};

// The isolate of `cx` may start tasks; it is the main one. No thread is made before the first task. Its destruction
// cancels the tasks and waits for them. Without this, spawn-task signals an error.
void allow_tasks(Context& cx, TaskSettings settings);

// Has a wait of the main task look at its interrupts. From a signal handler; `cx` is the main one.
void wake_task_waits(Context& cx);

}  // namespace neovm::elisp
