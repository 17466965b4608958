// Everything an author of primitives needs.
#pragma once

#include "neovm/abi/alloc.hpp"
#include "neovm/abi/call.hpp"
#include "neovm/abi/error.hpp"
#include "neovm/abi/host.hpp"
#include "neovm/abi/layout.hpp"
#include "neovm/abi/number.hpp"
#include "neovm/abi/primitive.hpp"
#include "neovm/abi/string.hpp"
#include "neovm/abi/symbols.hpp"
#include "neovm/abi/tables.hpp"
#include "neovm/abi/variable.hpp"
