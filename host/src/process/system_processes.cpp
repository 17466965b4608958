// The processes of the whole system, read from /proc (sysdep.c).
#include <dirent.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <vector>

#include "neovm/abi/api.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT: the abi is this layer's language

NEOVM_PRIMITIVE(list_system_processes, "list-system-processes", 0, 0, kMainOnly, kBlockingIo, kMayGc, kReenters,
                kNondeterministic,
                "Return the ids of all processes of the system, smallest first; a handler of `default-directory' may "
                "tell those of another host.")
(Context& cx) {
  const Value operation = intern(cx, "list-system-processes");
  const Value finder = intern(cx, "find-file-name-handler");
  const Value handler = TRY(funcall_re(cx, finder, {variable_value(cx, Qdefault_directory), operation}));
  if (handler.truthy()) return funcall_re(cx, handler, {operation});
  DIR* const proc = opendir("/proc");
  if (proc == nullptr) return kNil;
  std::vector<std::int64_t> ids;
  while (const dirent* entry = readdir(proc)) {
    std::int64_t id = 0;
    const char* end = entry->d_name + std::strlen(entry->d_name);
    const auto number = std::from_chars(entry->d_name, end, id);
    if (number.ec == std::errc() && number.ptr == end) ids.push_back(id);
  }
  closedir(proc);
  std::sort(ids.begin(), ids.end(), std::greater<>());
  Value result = kNil;
  for (const std::int64_t id : ids) result = cons(cx, Value::fixnum(id), result);
  return result;
}

}  // namespace neomacs::host
