// The merge sort behind `sort`, as a state machine: the machine runs the predicate between its steps.
#pragma once

#include "machine.hpp"

namespace neovm::elisp {

// Values above a kSort frame, all fixnums. The frame's `rest` is an internal store of twice the elements:
// runs are merged from one half into the other.
enum SortSlot : int { kSortWidth, kSortLow, kSortLeft, kSortRight, kSortOut, kSortSource, kSortState };
enum class SortStep { kCompare, kDone };

// Copies the elements (of a list: its conses) into the store; signals what `sort` signals for SEQUENCE.
Value sort_begin(Context& cx, Value sequence);
void sort_start_run(Frame* f);
// Advances until the predicate is needed or everything is sorted.
SortStep sort_step(Frame* f);
// The elements to compare: the predicate gets RIGHT first.
void sort_operands(Frame* f, Value* left, Value* right);
// Takes the right element when the predicate held, else the left one.
void sort_take(Frame* f, bool right);
// Writes the order back and gives the sorted sequence.
Value sort_finish(Frame* f);

}  // namespace neovm::elisp
