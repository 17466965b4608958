#include "neovm/worker/status.hpp"

namespace neovm::worker {

std::string_view status_name(Status s) {
  switch (s) {
    case Status::kOk: return "ok";
    case Status::kClosed: return "closed";
    case Status::kTimeout: return "timeout";
    case Status::kCancelled: return "cancelled";
    case Status::kDeadline: return "deadline";
    case Status::kWouldBlock: return "would block";
    case Status::kFailed: return "failed";
    case Status::kDeadlock: return "deadlock";
    case Status::kAlreadyAwaited: return "already awaited";
    case Status::kShutdown: return "shutdown";
    case Status::kForked: return "forked";
    case Status::kOutOfThreads: return "out of threads";
    case Status::kNoMemory: return "no memory";
    case Status::kLimit: return "limit";
    case Status::kInvalid: return "invalid";
    case Status::kPending: return "pending";
  }
  return "?";
}

}  // namespace neovm::worker
