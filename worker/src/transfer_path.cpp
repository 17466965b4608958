// The error of a transfer: where in the value the stranger is. Runs only after a transfer has failed, so it may be slow.
#include <unordered_set>

#include "neovm/abi/api.hpp"
#include "neovm/core/hash_table.hpp"
#include "neovm/worker/transfer.hpp"

namespace neovm::worker {

namespace {

enum class Step : std::uint8_t { kRoot, kCar, kCdr, kElement, kKey, kHashValue, kProperty, kSymbolCell };

struct Node {
  Value v;
  std::size_t parent;
  Step step;
  std::int64_t index;  // of an element or hash entry; which cell of a symbol
};

class PathFinder {
 public:
  PathFinder(Context& cx, const char* root) : cx_(cx), root_(root) {}

  std::string run(Value root) {
    add(root, 0, Step::kRoot, 0);
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const std::string name = stranger_name(cx_, nodes_[i].v);
      if (!name.empty()) return expression(i) + " is " + name;
      children(i);
    }
    return "";
  }

 private:
  void add(Value v, std::size_t parent, Step step, std::int64_t index) {
    if (!v.is_heap() || !seen_.insert(v.bits()).second) return;
    nodes_.push_back({v, parent, step, index});
  }

  void children(std::size_t i) {
    const Value v = nodes_[i].v;
    if (v.is_cons()) {
      add(car_raw(v), i, Step::kCar, 0);
      add(cdr_raw(v), i, Step::kCdr, 0);
    } else if (v.is_string()) {
      add(string_raw(v)->properties, i, Step::kProperty, 0);
    } else if (v.is_symbol()) {
      const SymbolCells& c = cx_.cells(v);
      if ((c.flags & kSymbolInterned) != 0) return;
      add(c.value, i, Step::kSymbolCell, 0);
      add(c.function, i, Step::kSymbolCell, 1);
      add(c.plist, i, Step::kSymbolCell, 2);
      add(c.next, i, Step::kSymbolCell, 3);
    } else if (is_hash_table(v)) {
      for (std::int64_t k = 0, n = core::hash_capacity_raw(v); k < n; ++k) {
        add(core::hash_key_raw(v, k), i, Step::kKey, k);
        add(core::hash_value_raw(v, k), i, Step::kHashValue, k);
      }
    } else if (v.is_object()) {
      switch (header_raw(v)->kind) {
        case ObjectKind::kVector:
          if ((header_raw(v)->flags & kVectorMainObarray) != 0) return;
          [[fallthrough]];
        case ObjectKind::kInternalSlots:
        case ObjectKind::kRecord:
        case ObjectKind::kByteCode:
        case ObjectKind::kCharTable:
        case ObjectKind::kSubCharTable:
        case ObjectKind::kArrayList:
          for (std::int64_t k = 0, n = slot_count_raw(v); k < n; ++k) add(slot_raw(v, k), i, Step::kElement, k);
          return;
        default: return;
      }
    }
  }

  std::string expression(std::size_t i) {
    std::vector<std::size_t> way;
    for (; nodes_[i].step != Step::kRoot; i = nodes_[i].parent) way.push_back(i);
    std::string e = root_;
    std::int64_t cdrs = 0;
    const auto after_cdrs = [&] {
      if (cdrs == 1) e = "(cdr " + e + ")";
      if (cdrs > 1) e = "(nthcdr " + std::to_string(cdrs) + " " + e + ")";
      cdrs = 0;
    };
    for (std::size_t k = way.size(); k-- > 0;) {
      const Node& n = nodes_[way[k]];
      if (n.step == Step::kCdr) {
        ++cdrs;
        continue;
      }
      if (n.step == Step::kCar) {
        std::string outer = cdrs == 0 ? "(car " : "(nth " + std::to_string(cdrs) + " ";
        e = outer.append(e).append(")");
        cdrs = 0;
        continue;
      }
      after_cdrs();
      e = one_step(n, e);
    }
    after_cdrs();
    return e;
  }

  std::string one_step(const Node& n, const std::string& e) {
    const Value holder = nodes_[n.parent].v;
    switch (n.step) {
      case Step::kElement:
        // Triples of start, end and property list: the inside of a string's properties.
        if (is_kind(holder, ObjectKind::kInternalSlots)) return e;
        if (is_kind(holder, ObjectKind::kArrayList)) return "(an item of " + e + ")";
        if (is_kind(holder, ObjectKind::kCharTable) || is_kind(holder, ObjectKind::kSubCharTable))
          return "(a content of " + e + ")";
        return "(aref " + e + " " + std::to_string(n.index) + ")";
      case Step::kKey: return "(a key of " + e + ")";
      case Step::kHashValue: return "(gethash " + key_text(core::hash_key_raw(holder, n.index)) + " " + e + ")";
      case Step::kProperty: return "(text-properties-at 0 " + e + ")";
      case Step::kSymbolCell: {
        static constexpr const char* kCells[] = {"symbol-value", "symbol-function", "symbol-plist", "next-symbol"};
        return std::string("(") + kCells[n.index] + " " + e + ")";
      }
      default: return e;
    }
  }

  std::string key_text(Value key) {
    if (key.is_fixnum()) return std::to_string(key.as_fixnum());
    if (key.is_symbol()) return "'" + std::string(symbol_name_view(cx_, key));
    if (key.is_string() && string_bytes(key) <= 40) return "\"" + to_std_string(key) + "\"";
    return "KEY";
  }

  Context& cx_;
  const char* root_;
  std::vector<Node> nodes_;
  std::unordered_set<std::uint64_t> seen_;
};

std::string with_article(const std::string& noun) {
  const bool vowel = !noun.empty() && std::string("aeiou").find(noun[0]) != std::string::npos;
  return (vowel ? "an " : "a ") + noun;
}

}  // namespace

std::string stranger_name(Context& cx, Value v) {
  if (!v.is_object()) return "";
  switch (header_raw(v)->kind) {
    case ObjectKind::kFinalizer: return "a finalizer";
    case ObjectKind::kForwarded: return "an unknown object";
    case ObjectKind::kHost: {
      const HostType* type = v.as_pointer<HostObject>()->type;
      if (type->travel != nullptr) {
        void* reference = type->travel->send(cx, v);
        if (reference != nullptr) {
          type->travel->drop(reference);
          return "";
        }
      }
      return with_article(type->name);
    }
    default: return "";
  }
}

std::string path_to_stranger(Context& cx, Value root, const char* root_name) {
  return PathFinder(cx, root_name).run(root);
}

}  // namespace neovm::worker
