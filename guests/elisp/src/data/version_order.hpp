// The order of file names with version numbers in them: a2 before a10. (GNU coreutils manual, "Version sort ordering".)
#pragma once

#include <string_view>

namespace neovm::elisp {

// Negative, zero or positive as X comes before, is equal to or comes after Y. Bytewise; zero only for equal names.
int compare_version_names(std::string_view x, std::string_view y);

}  // namespace neovm::elisp
