// Values attached to stretches of text.
//
// The text [0, length) is cut into runs, each with one Value (a property list for the editor; the tree
// itself never looks inside). Runs are kept in a treap ordered by position and addressed by the sum of
// the lengths before them, so that an insertion or deletion costs O(log runs) however long the text is.
// A tree that was never given a value other than nil has no nodes at all.
//
// Neighbouring runs with equal values are not merged (where one stretch ends and the next begins can be
// seen by a program that prints the text), except that nil runs are.
//
// Threads: belongs to the owner of the text. The owner calls trace() at every collection.
#pragma once

#include <cstdint>
#include <vector>

#include "neovm/abi/host.hpp"

namespace neovm::text {

class IntervalTree {
 public:
  struct Run {
    std::int64_t start;
    std::int64_t end;
    Value value;
  };

  explicit IntervalTree(std::int64_t length = 0) : length_(length) {}

  // No run has a value.
  [[nodiscard]] bool empty() const { return root_ == 0; }
  [[nodiscard]] std::int64_t length() const { return length_; }

  // The run that holds position `pos`; 0 <= pos < length.
  [[nodiscard]] Run find(std::int64_t pos) const;
  // Makes [start, end) one run with this value.
  void replace(std::int64_t start, std::int64_t end, Value value);
  // Makes room for `count` units at `pos`, as a run of their own with this value.
  void insert(std::int64_t pos, std::int64_t count, Value value);
  // Makes room for `count` units inside or at the end of the run that holds `pos`, which gets longer.
  void stretch(std::int64_t pos, std::int64_t count);
  void erase(std::int64_t start, std::int64_t end);
  // Drops every value; the text has `length` units now.
  void reset(std::int64_t length);
  void swap(IntervalTree& other) noexcept;

  void trace(Tracer& t);
  // Checks sums and order of the heap property; for tests.
  [[nodiscard]] bool consistent() const;

 private:
  using Index = std::uint32_t;  // 0: no node
  struct Node {
    Index left = 0;
    Index right = 0;
    std::uint32_t priority = 0;
    std::int64_t length = 0;
    std::int64_t total = 0;
    Value value = kNil;
  };

  Index make_node(std::int64_t length, Value value);
  void free_node(Index n);
  void free_subtree(Index n);
  void update(Index n) {
    Node& x = nodes_[n];
    x.total = x.length + nodes_[x.left].total + nodes_[x.right].total;
  }
  void split(Index n, std::int64_t pos, Index* a, Index* b);
  Index merge(Index a, Index b);
  void cut(std::int64_t pos);
  void grow_run(std::int64_t pos, std::int64_t count);
  bool consistent_subtree(Index n) const;

  std::vector<Node> nodes_ = std::vector<Node>(1);
  std::vector<Index> free_;
  Index root_ = 0;
  std::int64_t length_;
  std::uint32_t random_ = 0x9E3779B9U;
};

}  // namespace neovm::text
