// A stable top-down merge sort. Halves are taken and merged in Emacs's order, because a predicate may show
// the order of its calls. Lists keep their conses, which are linked anew at the end.
#include "sorting.hpp"

#include "neovm/abi/api.hpp"

namespace neovm::elisp {

namespace {

enum Stage : std::int64_t { kSortFront, kSortBack, kStartMerge, kMerging };

std::int64_t get(Frame* f, int slot) { return f->above()[slot].as_fixnum(); }
void put(Frame* f, int slot, std::int64_t n) { f->above()[slot] = Value::fixnum(n); }
int level_slot(Frame* f, SortLevelSlot s) {
  return kSortLevels + kLevelSize * static_cast<int>(get(f, kSortDepth)) + s;
}
std::int64_t total(Frame* f) { return slot_count_raw(f->rest) / 2; }
Value element(Frame* f, std::int64_t i) { return slot_raw(f->rest, i); }

void emit(Frame* f, Value v) {
  const std::int64_t out = get(f, kSortOut);
  set_slot_raw(f->rest, total(f) + out, v);
  put(f, kSortOut, out + 1);
}

void push_level(Frame* f, std::int64_t low, std::int64_t high) {
  put(f, kSortDepth, get(f, kSortDepth) + 1);
  put(f, level_slot(f, kLevelLow), low);
  put(f, level_slot(f, kLevelHigh), high);
  put(f, level_slot(f, kLevelStage), kSortFront);
}

}  // namespace

Value sort_begin(Context& cx, Value sequence) {
  if (sequence.is_list()) {
    const std::int64_t n = TRY(list_length(cx, sequence));
    const Value work = TRY(make_slots(cx, ObjectKind::kInternalSlots, 2 * n, kNil));
    std::int64_t i = 0;
    for (Value l = sequence; l.is_cons(); l = cdr_raw(l)) set_slot_raw(work, i++, l);
    return work;
  }
  if (!is_vector(sequence)) return wrong_type(cx, Qlist_or_vector_p, sequence);
  const std::int64_t n = slot_count_raw(sequence);
  const Value work = TRY(make_slots(cx, ObjectKind::kInternalSlots, 2 * n, kNil));
  for (std::int64_t i = 0; i < n; ++i) set_slot_raw(work, i, slot_raw(sequence, i));
  return work;
}

void sort_start(Frame* f) {
  for (int i = 0; i < kSortState; ++i) put(f, i, 0);
  put(f, kSortDepth, -1);
  push_level(f, 0, total(f));
}

SortStep sort_step(Frame* f) {
  while (true) {
    const std::int64_t low = get(f, level_slot(f, kLevelLow));
    const std::int64_t high = get(f, level_slot(f, kLevelHigh));
    const std::int64_t middle = low + (high - low) / 2;
    if (high - low >= 2) {
      const int stage_slot = level_slot(f, kLevelStage);
      const std::int64_t stage = get(f, stage_slot);
      if (stage == kSortFront) {
        put(f, stage_slot, kSortBack);
        push_level(f, low, middle);
        continue;
      }
      if (stage == kSortBack) {
        put(f, stage_slot, kStartMerge);
        push_level(f, middle, high);
        continue;
      }
      if (stage == kStartMerge) {
        put(f, stage_slot, kMerging);
        put(f, kSortLeft, low);
        put(f, kSortRight, middle);
        put(f, kSortOut, low);
      }
      std::int64_t left = get(f, kSortLeft);
      std::int64_t right = get(f, kSortRight);
      if (left < middle && right < high) return SortStep::kCompare;
      for (; left < middle; ++left) emit(f, element(f, left));
      for (; right < high; ++right) emit(f, element(f, right));
      for (std::int64_t i = low; i < high; ++i) set_slot_raw(f->rest, i, element(f, total(f) + i));
    }
    const std::int64_t depth = get(f, kSortDepth);
    if (depth == 0) return SortStep::kDone;
    put(f, kSortDepth, depth - 1);
  }
}

void sort_operands(Frame* f, Value* left, Value* right) {
  *left = element(f, get(f, kSortLeft));
  *right = element(f, get(f, kSortRight));
  if (f->form.is_cons()) {
    *left = car_raw(*left);
    *right = car_raw(*right);
  }
}

void sort_take(Frame* f, bool right) {
  const SortSlot side = right ? kSortRight : kSortLeft;
  const std::int64_t i = get(f, side);
  emit(f, element(f, i));
  put(f, side, i + 1);
}

Value sort_finish(Frame* f) {
  const std::int64_t n = total(f);
  if (!f->form.is_cons()) {
    const std::int64_t count = f->form.is_nil() ? 0 : slot_count_raw(f->form);
    for (std::int64_t i = 0; i < n && i < count; ++i) set_slot_raw(f->form, i, element(f, i));
    return f->form;
  }
  for (std::int64_t i = 0; i < n; ++i) set_cdr_raw(element(f, i), i + 1 < n ? element(f, i + 1) : kNil);
  return element(f, 0);
}

}  // namespace neovm::elisp
