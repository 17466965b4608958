#include "compile/code_store.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "neovm/abi/api.hpp"
#include "neovm/core/hash_table.hpp"
#include "neovm/elisp/elisp.hpp"

namespace neovm::elisp {

namespace {

constexpr std::int64_t kLongestTable = 4096;
constexpr std::int64_t kNoTarget = INT64_MIN;
constexpr std::int64_t kLastTarget = INT64_MIN + 1;

void append(std::string* key, std::int64_t n) { key->append(reinterpret_cast<const char*>(&n), sizeof n); }

// Where a jump table may send to, in the order of its entries.
bool append_targets(std::string* key, Value table) {
  const std::int64_t n = core::hash_capacity_raw(table);
  if (n > kLongestTable) return false;
  for (std::int64_t k = 0; k < n; ++k) {
    if (core::hash_key_raw(table, k).is_unbound()) continue;
    const Value target = core::hash_value_raw(table, k);
    append(key, target.is_fixnum() ? target.as_fixnum() : kNoTarget);
  }
  append(key, kLastTarget);
  return true;
}

}  // namespace

bool describe_stack_code(Value object, std::string* key) {
  const Value code = slot_raw(object, 1);
  const Value constants = slot_raw(object, 2);
  const Value shape = slot_raw(object, 0);
  const std::int64_t count = slot_count_raw(constants);
  key->reserve(static_cast<std::size_t>(string_bytes(code) + count) + 64);
  append(key, string_bytes(code));
  key->append(reinterpret_cast<const char*>(string_data_raw(code)), static_cast<std::size_t>(string_bytes(code)));
  append(key, shape.is_fixnum() ? shape.as_fixnum() : -1);  // a list: bound dynamically, no parameters
  append(key, slot_raw(object, 3).as_fixnum());
  append(key, count);
  // Of constants, the translator asks whether they are numbers or symbols, and reads jump tables.
  for (std::int64_t i = 0; i < count; ++i) {
    const Value k = slot_raw(constants, i);
    const bool table = is_hash_table(k);
    key->push_back(is_number(k) ? 'n' : (table ? 't' : (k.is_symbol() ? 's' : 'o')));
    if (table && !append_targets(key, k)) {
      key->clear();
      return false;
    }
  }
  return true;
}

CodeStore::CodePtr CodeStore::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto it = codes_.find(key);
  return it == codes_.end() ? nullptr : it->second;
}

CodeStore::CodePtr CodeStore::publish(const std::string& key, CodePtr code) {
  const std::lock_guard lock(mutex_);
  if (codes_.size() >= sweep_at_) {
    std::erase_if(codes_, [](const auto& entry) { return entry.second.use_count() == 1; });
    sweep_at_ = std::max<std::size_t>(1024, 2 * codes_.size());
  }
  return codes_.try_emplace(key, std::move(code)).first->second;
}

std::size_t CodeStore::size() {
  const std::lock_guard lock(mutex_);
  return codes_.size();
}

std::shared_ptr<CodeStore> make_code_store() { return std::make_shared<CodeStore>(); }

}  // namespace neovm::elisp
