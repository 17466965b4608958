#pragma once

#include <string>

#include "neovm/abi/api.hpp"

namespace neomacs::host {

// The list that file-attributes gives for the file NAME in the open directory `fd` (or AT_FDCWD); nil when
// there is no such file. `names`: owner and group as strings.
neovm::Value file_attributes_at(neovm::Context& cx, int fd, const std::string& name, bool names);

// "drwxr-xr-x"
std::string mode_string(unsigned mode);

}  // namespace neomacs::host
