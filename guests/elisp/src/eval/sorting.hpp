// The merge sort behind `sort`, as a state machine: the machine runs the predicate between its steps.
#pragma once

#include "machine.hpp"

namespace neovm::elisp {

// Values above a kSort frame, all fixnums: the merge in progress, then the halves being sorted, three values
// a level. The frame's `rest` is an internal store of twice the elements; the second half is for merging.
enum SortSlot : int { kSortLeft, kSortRight, kSortOut, kSortDepth, kSortLevels };
enum SortLevelSlot : int { kLevelLow, kLevelHigh, kLevelStage, kLevelSize };
inline constexpr int kSortMaxLevels = 44;
inline constexpr int kSortState = kSortLevels + kLevelSize * kSortMaxLevels;
enum class SortStep { kCompare, kDone };

// Copies the elements (of a list: its conses) into the store; signals what `sort` signals for SEQUENCE.
Value sort_begin(Context& cx, Value sequence);
// Fills the kSortState values above the frame.
void sort_start(Frame* f);
// Advances until the predicate is needed or everything is sorted.
SortStep sort_step(Frame* f);
// The elements to compare: the predicate gets RIGHT first.
void sort_operands(Frame* f, Value* left, Value* right);
// Takes the right element when the predicate held, else the left one.
void sort_take(Frame* f, bool right);
// Writes the order back and gives the sorted sequence.
Value sort_finish(Frame* f);

}  // namespace neovm::elisp
