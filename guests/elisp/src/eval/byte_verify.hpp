// Checks of GNU byte-code objects, and what the walk along their paths finds out.
#pragma once

#include <cstdint>
#include <vector>

#include "neovm/abi/value.hpp"

namespace neovm::elisp {

// Checks the object that is about to run for the first time and marks it as verified. kExit: not safe.
Value verify_byte_code(Context& cx, Value object);

// What is known at each instruction of a function, for its translation.
struct StackFlow {
  int arguments = 0;                     // values on the stack at the start
  std::vector<std::int16_t> depth_at;    // by position; -1: no instruction starts here, or it is never reached
  std::vector<bool> leader;              // a jump, handler or table goes here
  std::vector<bool> loop_start;          // … from a later place
  std::vector<std::int16_t> context_at;  // innermost handler, index into `contexts`; -1: none
  struct HandlerContext {
    std::int16_t parent;
    std::int16_t depth;  // slots below are what the handler finds
  };
  std::vector<HandlerContext> contexts;
  std::vector<bool> argument_written;  // slots of arguments that something else is stored to
  bool mixed = false;                  // a place is reached under different handlers: not for compilers
};

// Follows the code of OBJECT, which verify_byte_code accepts. False: it is not sound.
bool follow_stack_code(Context& cx, Value object, int arguments, StackFlow* flow);
// Arguments that the code of OBJECT finds on its stack.
int stack_arguments(Value object);

}  // namespace neovm::elisp
