// Equality of contents, for guests other than Lisp.
//
// The pairs still to be compared are on a list of our own. Objects found in corresponding places are put into one class
// (union-find by address, as when finite automata are compared): a pair of one class has been compared or is waiting to be,
// and any difference ends everything. So each comparison that goes on joins two classes, and there are at most as many as
// there are objects (and a few, see kUnremembered), however often they are shared and however they contain each other. Nothing moves meanwhile.
#include <cstring>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "neovm/abi/api.hpp"
#include "neovm/core/array_list.hpp"
#include "neovm/core/hash_table.hpp"
#include "neovm/core/op_families.hpp"

namespace neovm::core {

namespace {

// Before so many objects nothing is remembered: most comparisons end there.
constexpr std::uint64_t kUnremembered = 512;

bool same_numbers(Value a, Value b) { return is_number(b) && compare_numbers_raw(a, b) == 0; }

class Comparison {
 public:
  explicit Comparison(Context& cx) : cx_(cx) {}
  Maybe<bool> run(Value a, Value b) {
    if (!pair(a, b)) return false;
    while (!todo_.empty()) {
      const auto [x, y] = todo_.back();
      todo_.pop_back();
      if ((++steps_ & 4095) == 0) TRY(check_quit(cx_));
      if (!TRY(contents(x, y))) return false;
    }
    return true;
  }

 private:
  static bool has_contents(Value v) {
    if (v.is_cons()) return true;
    if (!v.is_object()) return false;
    switch (header_raw(v)->kind) {
      case ObjectKind::kVector:
      case ObjectKind::kRecord:
      case ObjectKind::kArrayList: return true;
      case ObjectKind::kHashTable: return hash_test_raw(v) != HashTest::kUser;
      default: return false;
    }
  }
  // Compares what has no parts; puts the rest on the list. False: they differ.
  bool pair(Value a, Value b) {
    if (is_number(a)) return same_numbers(a, b);
    if (a.is_string()) return b.is_string() && (a == b || string_equal(a, b));
    if (!has_contents(a)) {
      if (a == b) return true;
      return is_bool_vector(a) && is_bool_vector(b) && raw_bytes_raw(a)->count == raw_bytes_raw(b)->count &&
             std::memcmp(raw_bytes_raw(a)->bytes, raw_bytes_raw(b)->bytes, raw_bytes_raw(a)->count) == 0;
    }
    if (!has_contents(b) || a.tag() != b.tag()) return false;
    if (a.is_object() && header_raw(a)->kind != header_raw(b)->kind) return false;
    // With itself: only a NaN inside makes it differ.
    if (steps_ < kUnremembered || (a == b ? with_itself_.insert(a.bits()).second : join(a.bits(), b.bits())))
      todo_.push_back({a, b});
    return true;
  }
  Maybe<bool> contents(Value a, Value b) {
    if (a.is_cons()) return pair(car_raw(a), car_raw(b)) && pair(cdr_raw(a), cdr_raw(b));
    switch (header_raw(a)->kind) {
      case ObjectKind::kArrayList: {
        const std::int64_t n = array_list_length(a);
        if (n != array_list_length(b)) return false;
        for (std::int64_t i = 0; i < n; ++i)
          if (!pair(array_list_item(a, i), array_list_item(b, i))) return false;
        return true;
      }
      case ObjectKind::kHashTable: return tables(a, b);
      default: {
        const std::int64_t n = slot_count_raw(a);
        if (n != slot_count_raw(b)) return false;
        for (std::int64_t i = 0; i < n; ++i)
          if (!pair(slot_raw(a, i), slot_raw(b, i))) return false;
        return true;
      }
    }
  }
  Maybe<bool> tables(Value a, Value b) {
    if (hash_count_raw(a) != hash_count_raw(b) || hash_test_raw(a) != hash_test_raw(b)) return false;
    const std::int64_t n = hash_capacity_raw(a);
    for (std::int64_t i = 0; i < n; ++i) {
      const Value key = hash_key_raw(a, i);
      if (key.is_unbound()) continue;
      const Value other = hash_table_get(cx_, b, key);
      if (other.is_exit()) return kFailed;
      if (other.is_unbound() || !pair(hash_value_raw(a, i), other)) return false;
    }
    return true;
  }

  std::uint64_t class_of(std::uint64_t v) {
    std::uint64_t root = v;
    for (auto it = parent_.find(root); it != parent_.end(); it = parent_.find(root)) root = it->second;
    while (v != root) {
      std::uint64_t& up = parent_[v];
      v = up;
      up = root;
    }
    return root;
  }
  // False: they are of one class.
  bool join(std::uint64_t a, std::uint64_t b) {
    a = class_of(a);
    b = class_of(b);
    if (a == b) return false;
    parent_[a] = b;
    return true;
  }

  Context& cx_;
  std::uint64_t steps_ = 0;
  std::vector<std::pair<Value, Value>> todo_;
  std::unordered_map<std::uint64_t, std::uint64_t> parent_;  // of what is not its class's root
  std::unordered_set<std::uint64_t> with_itself_;
};

}  // namespace

Maybe<bool> same_contents(Context& cx, Value a, Value b) {
  if (is_number(a)) return same_numbers(a, b);
  if (a.is_string()) return b.is_string() && string_equal(a, b);
  return Comparison(cx).run(a, b);
}

}  // namespace neovm::core
