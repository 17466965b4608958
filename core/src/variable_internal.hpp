// Shared by variable.cpp and bindings.cpp.
#pragma once

#include "neovm/core/variable.hpp"
