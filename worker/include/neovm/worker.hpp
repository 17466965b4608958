// The isolate runtime, whole: #include <neovm/worker.hpp>. Start reading at runtime.hpp; docs/runtime.md is the guide.
#pragma once

#include "neovm/worker/channel.hpp"
#include "neovm/worker/futex.hpp"
#include "neovm/worker/ring.hpp"
#include "neovm/worker/runtime.hpp"
#include "neovm/worker/scope.hpp"
#include "neovm/worker/select.hpp"
#include "neovm/worker/status.hpp"
#include "neovm/worker/supervisor.hpp"
#include "neovm/worker/supervisor_wait.hpp"
#include "neovm/worker/task.hpp"
#include "neovm/worker/time.hpp"
