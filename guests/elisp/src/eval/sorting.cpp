// A stable bottom-up merge sort. Lists keep their conses, which are linked anew at the end; the predicate
// always asks whether the right element must go before the left one, so that equal ones keep their order.
#include "sorting.hpp"

#include <algorithm>

#include "neovm/abi/api.hpp"

namespace neovm::elisp {

namespace {

std::int64_t get(Frame* f, SortSlot s) { return f->above()[s].as_fixnum(); }
void put(Frame* f, SortSlot s, std::int64_t n) { f->above()[s] = Value::fixnum(n); }
std::int64_t total(Frame* f) { return slot_count_raw(f->rest) / 2; }

Value element(Frame* f, std::int64_t i) { return slot_raw(f->rest, get(f, kSortSource) + i); }
void emit(Frame* f, Value v) {
  const std::int64_t n = total(f);
  const std::int64_t out = get(f, kSortOut);
  set_slot_raw(f->rest, (get(f, kSortSource) == 0 ? n : 0) + out, v);
  put(f, kSortOut, out + 1);
}

std::int64_t middle(Frame* f) { return std::min(get(f, kSortLow) + get(f, kSortWidth), total(f)); }
std::int64_t high(Frame* f) { return std::min(get(f, kSortLow) + 2 * get(f, kSortWidth), total(f)); }

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

void sort_start_run(Frame* f) {
  const std::int64_t low = get(f, kSortLow);
  put(f, kSortLeft, low);
  put(f, kSortRight, middle(f));
  put(f, kSortOut, low);
}

SortStep sort_step(Frame* f) {
  const std::int64_t n = total(f);
  while (get(f, kSortWidth) < n) {
    const std::int64_t mid = middle(f);
    const std::int64_t end = high(f);
    std::int64_t left = get(f, kSortLeft);
    std::int64_t right = get(f, kSortRight);
    if (left < mid && right < end) return SortStep::kCompare;
    for (; left < mid; ++left) emit(f, element(f, left));
    for (; right < end; ++right) emit(f, element(f, right));
    put(f, kSortLow, end);
    if (end >= n) {
      put(f, kSortLow, 0);
      put(f, kSortWidth, get(f, kSortWidth) * 2);
      put(f, kSortSource, get(f, kSortSource) == 0 ? n : 0);
    }
    sort_start_run(f);
  }
  return SortStep::kDone;
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
