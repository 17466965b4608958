// The visited file of a buffer and how it looked.
#pragma once

#include <sys/stat.h>

#include "buffer/buffer.hpp"

namespace neomacs::host {

inline FileStamp stamp_of(const struct stat& st) {
  return {st.st_mtim.tv_sec, st.st_mtim.tv_nsec, S_ISREG(st.st_mode) ? st.st_size : -1};
}

}  // namespace neomacs::host
