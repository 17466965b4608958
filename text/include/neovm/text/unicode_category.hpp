// Unicode general category of a character.
#pragma once

#include <cstdint>

namespace neovm::text {

enum class UnicodeCategory : std::uint8_t {
  kLu,
  kLl,
  kLt,
  kLm,
  kLo,
  kMn,
  kMc,
  kMe,
  kNd,
  kNl,
  kNo,
  kPc,
  kPd,
  kPs,
  kPe,
  kPi,
  kPf,
  kPo,
  kSm,
  kSc,
  kSk,
  kSo,
  kZs,
  kZl,
  kZp,
  kCc,
  kCf,
  kCs,
  kCo,
  kCn,
};

// kCn (unassigned) above 0x10FFFF too. No allocation, about a dozen compares.
UnicodeCategory unicode_category(int c);

}  // namespace neovm::text
