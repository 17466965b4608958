#include <cstring>

#include "image/format.hpp"
#include "neovm/abi/primitive.hpp"
#include "neovm/abi/symbols.hpp"
#include "neovm/core/image.hpp"

namespace neovm::core {

namespace image {

namespace {
std::uint64_t rotate(std::uint64_t x) { return (x << 31) | (x >> 33); }
constexpr std::uint64_t kPrime = 0x9E3779B185EBCA87U;
}  // namespace

std::uint64_t checksum(const void* data, std::size_t bytes, std::uint64_t seed) {
  std::uint64_t lane[4] = {seed ^ 0x60EA27EEADC0B5D6U, seed ^ 0xC2B2AE3D27D4EB4FU, seed, seed ^ 0x61C8864E7A143579U};
  const auto* p = static_cast<const unsigned char*>(data);
  std::uint64_t word[4];
  std::size_t left = bytes;
  for (; left >= sizeof(word); left -= sizeof(word), p += sizeof(word)) {
    std::memcpy(word, p, sizeof(word));
    for (int i = 0; i < 4; ++i) lane[i] = rotate(lane[i] ^ word[i]) * kPrime;
  }
  std::uint64_t h = bytes * kPrime;
  for (const std::uint64_t l : lane) h = rotate(h ^ l) * kPrime;
  for (; left != 0; --left) h = rotate(h ^ *p++) * kPrime;
  h ^= h >> 29;
  return h;
}

}  // namespace image

namespace {

std::uint64_t compute_build_id() {
  const auto text = [](const char* s, std::uint64_t seed) { return image::checksum(s, std::strlen(s), seed); };
  std::uint64_t id = image::kFormat;
  const std::uint64_t sizes[] = {sizeof(SymbolCells), sizeof(StringObject),
                                 static_cast<std::uint64_t>(ObjectKind::kCount),
                                 static_cast<std::uint64_t>(ExtensionId::kCount), sizeof(Value)};
  id = image::checksum(sizes, sizeof(sizes), id);
  for (const char* name : kStaticSymbolNames) id = text(name, id);
  // Link order may differ between optimization levels of one build, so order does not count.
  std::uint64_t sum = 0;
  for (const PrimitiveDescriptor* p : all_primitives())
    sum += text(p->name, static_cast<std::uint64_t>(p->min_args * 64 + p->max_args));
  for (const VariableDescriptor* v : all_variables()) sum += text(v->name, static_cast<std::uint64_t>(v->scope) + 1000);
  return id ^ (sum * 0x9E3779B97F4A7C15U);
}

}  // namespace

std::uint64_t image_build_id() {
  static const std::uint64_t id = compute_build_id();
  return id;
}

}  // namespace neovm::core
