// Off-heap string bodies: immutable bytes with a reference count, shared by isolates without copying.
//
// A string whose header has kStringExternalBody points into one. The heap that holds the string owns one
// reference (Heap::note_external_string) and gives it back when the string dies or gets a body of its own.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace neovm {

struct ExternalBody {
  std::atomic<std::uint64_t> references;
  std::uint64_t bytes;  // without the final 0

  [[nodiscard]] std::uint8_t* data() { return reinterpret_cast<std::uint8_t*>(this + 1); }
};

// One reference, bytes uninitialized but for the final 0. Null when there is no memory.
ExternalBody* make_external_body(std::size_t bytes);
void retain(ExternalBody* body);
void release(ExternalBody* body);

}  // namespace neovm
