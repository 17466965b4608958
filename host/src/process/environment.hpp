// The environment as Lisp sees it: process-environment, not the C one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "neovm/abi/api.hpp"

namespace neomacs::host {

// Value of NAME in process-environment. False when it is unset (also by an entry without "=").
bool lisp_getenv(neovm::Context& cx, std::string_view name, std::string* value);
// "NAME=VALUE" entries for a child, first entry of a name wins; entries without "=" unset the name.
std::vector<std::string> child_environment(neovm::Context& cx);

}  // namespace neomacs::host
