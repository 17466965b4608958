#include "neovm/core/external_body.hpp"

#include <cstdlib>
#include <new>

namespace neovm {

ExternalBody* make_external_body(std::size_t bytes) {
  void* p = std::malloc(sizeof(ExternalBody) + bytes + 1);
  if (p == nullptr) return nullptr;
  auto* body = new (p) ExternalBody{{1}, bytes};
  body->data()[bytes] = 0;
  return body;
}

void retain(ExternalBody* body) { body->references.fetch_add(1, std::memory_order_relaxed); }

void release(ExternalBody* body) {
  if (body->references.fetch_sub(1, std::memory_order_acq_rel) == 1) std::free(body);
}

}  // namespace neovm
