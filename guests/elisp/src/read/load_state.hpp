// State of the reader and loader in one isolate.
#pragma once

#include <vector>

#include "stream.hpp"

namespace neovm::elisp {

struct ReaderState {
  ReadStream* file = nullptr;  // the file `load` is reading, on some native stack
  int load_depth = 0;
};
ReaderState& reader_state(Context& cx);

// (read STREAM)
Value read_stream_re(Context& cx, Value stream);

}  // namespace neovm::elisp
