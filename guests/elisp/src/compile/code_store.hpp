// Register code that isolates share.
//
// `Code` is found by what it was made from: everything the translator reads of a function, written as one string
// (describe_stack_code). Two functions with the same description have the same code, in whatever isolate they are and
// however their constants differ otherwise. An isolate keeps the code it uses; the store forgets what nobody uses.
// Threads: any, at the same time.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "neovm/abi/value.hpp"
#include "neovm/core/bytecode/code.hpp"

namespace neovm::elisp {

class CodeStore {
 public:
  using CodePtr = std::shared_ptr<const core::bytecode::Code>;
  CodePtr find(const std::string& key);
  // Gives others CODE, verified, for KEY. Returns what they get: another isolate may have been first.
  CodePtr publish(const std::string& key, CodePtr code);
  std::size_t size();

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, CodePtr> codes_;
  std::size_t sweep_at_ = 1024;
};

// Everything that translate_stack_code reads of OBJECT; false when that is too much to be worth it.
bool describe_stack_code(Value object, std::string* key);

}  // namespace neovm::elisp
