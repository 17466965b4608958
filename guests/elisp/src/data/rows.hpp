// Rows of data primitives fall into a few classes of effect; each class is named once here, so that a row
// says its class in one word. All of them may run on a worker and are deterministic unless their class says not.
#pragma once

#include "neovm/abi/api.hpp"

// Looks at its arguments only; allocates nothing.
#define DATA_LOOKS(id, name, min, max, doc) \
  NEOVM_PRIMITIVE(id, name, min, max, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic, doc)
// Looks at its arguments only and makes a new object.
#define DATA_MAKES(id, name, min, max, doc) \
  NEOVM_PRIMITIVE(id, name, min, max, kWorkerSafe, kPureRead, kMayGc, kNoReentry, kDeterministic, doc)
// Reads variables, symbol cells or tables of the isolate.
#define DATA_READS_STATE(id, name, min, max, doc) \
  NEOVM_PRIMITIVE(id, name, min, max, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kDeterministic, doc)
// Changes its arguments or state of the isolate.
#define DATA_WRITES(id, name, min, max, doc) \
  NEOVM_PRIMITIVE(id, name, min, max, kWorkerSafe, kStateWrite, kMayGc, kNoReentry, kDeterministic, doc)
// May run Lisp.
#define DATA_REENTERS(id, name, min, max, doc) \
  NEOVM_PRIMITIVE(id, name, min, max, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic, doc)
// The same, and a command; `spec` is the string of its `interactive` form.
#define DATA_REENTERS_COMMAND(id, name, min, max, spec, doc) \
  NEOVM_COMMAND(id, name, min, max, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic, spec, doc)
// Depends on the machine: clock, counters, memory.
#define DATA_VARIES(id, name, min, max, doc) \
  NEOVM_PRIMITIVE(id, name, min, max, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kNondeterministic, doc)
