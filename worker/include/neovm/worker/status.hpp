// How a wait or a request ended. Every operation of the runtime answers with one of these; none throws.
#pragma once

#include <cstdint>
#include <string_view>

namespace neovm::worker {

enum class [[nodiscard]] Status : std::uint8_t{
    kOk,          // it happened
    kClosed,      // the channel is closed (and, for a receive, drained)
    kTimeout,     // the timeout of this wait passed first
    kCancelled,   // the waiting task was asked to stop, or (as the answer of a join) the joined one was
    kDeadline,    // the same because of the task's deadline
    kWouldBlock,  // a try found nothing, a select took its default, or a blocking call was made where it may not block
    kFailed,      // the joined task threw, or ended with an error
    kDeadlock,    // the join would wait for itself, directly or around a cycle of joins
    kAlreadyAwaited,  // the handle is empty: joined before, detached, moved from
    kShutdown,        // the runtime is shutting down or gone
    kForked,          // this process is a fork: the runtime's threads stayed in the parent
    kOutOfThreads,    // the system gave no thread
    kNoMemory,        // an allocation failed
    kLimit,           // a limit of the configuration is reached
    kInvalid,         // an argument makes no sense (see the operation)
    kPending,         // not ended yet (status queries only)
};

// "ok", "closed", …: for logs and tests. Static storage.
std::string_view status_name(Status s);

}  // namespace neovm::worker
