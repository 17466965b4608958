#include "neovm/text/interval_tree.hpp"

#include <utility>

namespace neovm::text {

// Indexes instead of pointers: the pool is traced by walking one vector. make_node may move the pool, so
// no reference to a node is held across it.
IntervalTree::Index IntervalTree::make_node(std::int64_t length, Value value) {
  Index n;
  if (!free_.empty()) {
    n = free_.back();
    free_.pop_back();
  } else {
    n = static_cast<Index>(nodes_.size());
    nodes_.emplace_back();
  }
  random_ ^= random_ << 13;
  random_ ^= random_ >> 17;
  random_ ^= random_ << 5;
  nodes_[n] = Node{0, 0, random_, length, length, value};
  return n;
}

void IntervalTree::free_node(Index n) {
  nodes_[n] = Node{};
  free_.push_back(n);
}

void IntervalTree::free_subtree(Index n) {
  if (n == 0) return;
  std::vector<Index> pending{n};
  while (!pending.empty()) {
    const Index i = pending.back();
    pending.pop_back();
    if (nodes_[i].left != 0) pending.push_back(nodes_[i].left);
    if (nodes_[i].right != 0) pending.push_back(nodes_[i].right);
    free_node(i);
  }
}

// Parts the subtree into its first `pos` units and the rest; `pos` is a boundary. Depth is logarithmic with
// overwhelming probability, so recursion is safe.
void IntervalTree::split(Index n, std::int64_t pos, Index* a, Index* b) {
  if (n == 0) {
    *a = *b = 0;
    return;
  }
  const std::int64_t before = nodes_[nodes_[n].left].total;
  if (pos <= before) {
    Index rest;
    split(nodes_[n].left, pos, a, &rest);
    nodes_[n].left = rest;
    update(n);
    *b = n;
    return;
  }
  Index rest;
  split(nodes_[n].right, pos - before - nodes_[n].length, &rest, b);
  nodes_[n].right = rest;
  update(n);
  *a = n;
}

// Makes `pos` a boundary between runs. The new run enters through merge like any other, so that it gets a place of its
// own priority and the tree stays balanced.
void IntervalTree::cut(std::int64_t pos) {
  if (pos <= 0 || pos >= nodes_[root_].total) return;
  const Run r = find(pos);
  if (r.start == pos) return;
  grow_run(r.start, pos - r.end);
  Index a;
  Index b;
  split(root_, pos, &a, &b);
  const Index n = make_node(r.end - pos, r.value);
  root_ = merge(merge(a, n), b);
}

IntervalTree::Index IntervalTree::merge(Index a, Index b) {
  if (a == 0) return b;
  if (b == 0) return a;
  if (nodes_[a].priority > nodes_[b].priority) {
    const Index m = merge(nodes_[a].right, b);
    nodes_[a].right = m;
    update(a);
    return a;
  }
  const Index m = merge(a, nodes_[b].left);
  nodes_[b].left = m;
  update(b);
  return b;
}

IntervalTree::Run IntervalTree::find(std::int64_t pos) const {
  if (root_ == 0) return {0, length_, kNil};
  Index n = root_;
  std::int64_t start = 0;
  for (;;) {
    const Node& x = nodes_[n];
    const std::int64_t before = nodes_[x.left].total;
    if (pos < start + before) {
      n = x.left;
    } else if (pos < start + before + x.length || x.right == 0) {
      return {start + before, start + before + x.length, x.value};
    } else {
      start += before + x.length;
      n = x.right;
    }
  }
}

void IntervalTree::grow_run(std::int64_t pos, std::int64_t count) {
  Index n = root_;
  for (;;) {
    Node& x = nodes_[n];
    x.total += count;
    const std::int64_t before = nodes_[x.left].total;
    if (pos < before) {
      n = x.left;
    } else if (pos < before + x.length || x.right == 0) {
      x.length += count;
      return;
    } else {
      pos -= before + x.length;
      n = x.right;
    }
  }
}

void IntervalTree::stretch(std::int64_t pos, std::int64_t count) {
  if (root_ != 0) grow_run(pos, count);
  length_ += count;
}

void IntervalTree::replace(std::int64_t start, std::int64_t end, Value value) {
  if (start >= end) return;
  if (root_ == 0) {
    if (value.is_nil()) return;
    root_ = make_node(length_, kNil);
  }
  if (value.is_nil()) {  // swallow nil neighbours
    if (start > 0) {
      const Run r = find(start - 1);
      if (r.value.is_nil()) start = r.start;
    }
    if (end < length_) {
      const Run r = find(end);
      if (r.value.is_nil()) end = r.end;
    }
    if (start == 0 && end == length_) {
      reset(length_);
      return;
    }
  }
  Index a;
  Index rest;
  Index middle;
  Index c;
  cut(start);
  cut(end);
  split(root_, start, &a, &rest);
  split(rest, end - start, &middle, &c);
  free_subtree(middle);
  const Index n = make_node(end - start, value);
  root_ = merge(merge(a, n), c);
}

void IntervalTree::insert(std::int64_t pos, std::int64_t count, Value value) {
  if (count <= 0) return;
  if (root_ == 0) {
    if (value.is_nil()) {
      length_ += count;
      return;
    }
    if (length_ > 0) root_ = make_node(length_, kNil);
  }
  if (value.is_nil() && length_ > 0) {
    const bool before = pos > 0 && find(pos - 1).value.is_nil();
    if (before || (pos < length_ && find(pos).value.is_nil())) {
      grow_run(before ? pos - 1 : pos, count);
      length_ += count;
      return;
    }
  }
  cut(pos);
  Index a;
  Index b;
  split(root_, pos, &a, &b);
  const Index n = make_node(count, value);
  root_ = merge(merge(a, n), b);
  length_ += count;
}

void IntervalTree::erase(std::int64_t start, std::int64_t end) {
  if (start >= end) return;
  length_ -= end - start;
  if (root_ == 0) return;
  Index a;
  Index rest;
  Index middle;
  Index c;
  cut(start);
  cut(end);
  split(root_, start, &a, &rest);
  split(rest, end - start, &middle, &c);
  free_subtree(middle);
  root_ = merge(a, c);
}

void IntervalTree::reset(std::int64_t length) {
  nodes_.resize(1);
  free_.clear();
  root_ = 0;
  length_ = length;
}

void IntervalTree::swap(IntervalTree& other) noexcept {
  nodes_.swap(other.nodes_);
  free_.swap(other.free_);
  std::swap(root_, other.root_);
  std::swap(length_, other.length_);
  std::swap(random_, other.random_);
}

void IntervalTree::trace(Tracer& t) {
  for (Node& n : nodes_) t.visit(&n.value);
}

bool IntervalTree::consistent_subtree(Index n) const {
  if (n == 0) return true;
  const Node& x = nodes_[n];
  if (x.length <= 0) return false;
  if (x.total != x.length + nodes_[x.left].total + nodes_[x.right].total) return false;
  if (x.left != 0 && nodes_[x.left].priority > x.priority) return false;
  if (x.right != 0 && nodes_[x.right].priority > x.priority) return false;
  return consistent_subtree(x.left) && consistent_subtree(x.right);
}

bool IntervalTree::consistent() const {
  if (root_ == 0) return true;
  return nodes_[root_].total == length_ && consistent_subtree(root_);
}

}  // namespace neovm::text
