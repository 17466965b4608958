// `equal` of many values to one: what the one is, is asked once.
#pragma once

#include "neovm/abi/api.hpp"

namespace neovm::elisp {

class EqualTo {
 public:
  EqualTo(Context& cx, Value key)
      : cx_(cx),
        key_(key),
        text_(key.is_string()),
        same_(!key.is_heap() || key.has_tag(Tag::kSymbol)),
        size_(text_ ? string_raw(key)->chars : 0) {}
  Maybe<bool> operator()(Value v) const {
    if (v == key_) return true;
    if (same_) return false;
    if (text_) return v.is_string() && string_raw(v)->chars == size_ && string_equal(v, key_);
    return equal(cx_, v, key_);
  }

 private:
  Context& cx_;
  Value key_;
  bool text_;
  bool same_;  // nothing else is equal to it
  std::int64_t size_;
};

}  // namespace neovm::elisp
