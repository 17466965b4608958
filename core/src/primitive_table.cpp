// The linker gathers every descriptor pointer into one section per table; these are its ends. They are
// weak so that a program without any guest still links.
#include "neovm/abi/primitive.hpp"

#include "neovm/abi/host.hpp"

extern "C" {
extern const neovm::PrimitiveDescriptor* const __start_neovm_prims[] __attribute__((weak));  // NOLINT
extern const neovm::PrimitiveDescriptor* const __stop_neovm_prims[] __attribute__((weak));   // NOLINT
extern const neovm::VariableDescriptor* const __start_neovm_vars[] __attribute__((weak));    // NOLINT
extern const neovm::VariableDescriptor* const __stop_neovm_vars[] __attribute__((weak));     // NOLINT
extern const neovm::InitStep* const __start_neovm_inits[] __attribute__((weak));             // NOLINT
extern const neovm::InitStep* const __stop_neovm_inits[] __attribute__((weak));              // NOLINT
extern const neovm::HostType* const __start_neovm_types[] __attribute__((weak));             // NOLINT
extern const neovm::HostType* const __stop_neovm_types[] __attribute__((weak));              // NOLINT
}

namespace neovm {

std::span<const PrimitiveDescriptor* const> all_primitives() { return {__start_neovm_prims, __stop_neovm_prims}; }
std::span<const VariableDescriptor* const> all_variables() { return {__start_neovm_vars, __stop_neovm_vars}; }
std::span<const InitStep* const> all_init_steps() { return {__start_neovm_inits, __stop_neovm_inits}; }
std::span<const HostType* const> all_host_types() { return {__start_neovm_types, __stop_neovm_types}; }

}  // namespace neovm
