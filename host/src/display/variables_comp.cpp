// Variables of native compilation, which this VM does not offer: GNU's Lisp library looks at them.
// GNU's Lisp library reads and sets these; without a display most of them only hold their value.
#include "display/initial_values.hpp"
#include "neovm/abi/api.hpp"

namespace neomacs::host {
namespace {

using namespace neovm;  // NOLINT: a table of rows

NEOVM_VARIABLE(comp_abi_hash, "comp-abi-hash", kGlobalVar, kAny, kInitNil, "Signature of the native compiler's ABI.")
NEOVM_VARIABLE(comp_ctxt, "comp-ctxt", kGlobalVar, kAny, kInitNil, "Context of the running native compilation.")
NEOVM_VARIABLE(comp_deferred_pending_h, "comp-deferred-pending-h", kGlobalVar, kAny, make_eq_table,
               "Functions waiting for native compilation.")
NEOVM_VARIABLE(comp_eln_to_el_h, "comp-eln-to-el-h", kGlobalVar, kAny, make_equal_table,
               "Source files of loaded native files.")
NEOVM_VARIABLE(comp_enable_subr_trampolines, "comp-enable-subr-trampolines", kGlobalVar, kBool, kInitT,
               "Non-nil enables trampolines for advised primitives.")
NEOVM_VARIABLE(comp_file_preloaded_p, "comp-file-preloaded-p", kGlobalVar, kBool, kInitNil,
               "Non-nil while a preloaded file is compiled.")
NEOVM_VARIABLE(comp_installed_trampolines_h, "comp-installed-trampolines-h", kGlobalVar, kAny, make_eq_table,
               "Trampolines installed so far.")
NEOVM_VARIABLE(comp_native_version_dir, "comp-native-version-dir", kGlobalVar, kAny, kInitNil,
               "Directory name of native files of this version.")
NEOVM_VARIABLE(comp_no_native_file_h, "comp-no-native-file-h", kGlobalVar, kAny, make_equal_table,
               "Files without native code.")
NEOVM_VARIABLE(comp_subr_list, "comp-subr-list", kGlobalVar, kAny, kInitNil, "Every primitive.")
NEOVM_VARIABLE(inhibit_automatic_native_compilation, "inhibit-automatic-native-compilation", kGlobalVar, kAny, kInitNil,
               "Non-nil stops automatic native compilation.")
NEOVM_VARIABLE(native_comp_deferred_compilation, "native-comp-deferred-compilation", kGlobalVar, kBool, kInitT,
               "Non-nil compiles loaded byte-code natively in the background.")
NEOVM_VARIABLE(native_comp_eln_load_path, "native-comp-eln-load-path", kGlobalVar, kAny, kInitNil,
               "Directories searched for native files.")

}  // namespace
}  // namespace neomacs::host
