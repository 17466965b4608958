// List services shared by the layers (tables.hpp).
#include "neovm/abi/api.hpp"
#include "neovm/core/list_walk.hpp"

namespace neovm {

Maybe<std::int64_t> list_length(Context& cx, Value list) {
  std::int64_t n = 0;
  core::CycleFinder cycle(list);
  Value tail = list;
  while (tail.is_cons()) {
    ++n;
    tail = cdr_raw(tail);
    if (cycle.step(tail)) return signal_error1(cx, Qcircular_list, list);
  }
  if (!tail.is_nil()) return wrong_type(cx, Qlistp, tail);
  return n;
}

Value assq(Value key, Value alist) {
  core::CycleFinder cycle(alist);
  for (Value tail = alist; tail.is_cons();) {
    const Value item = car_raw(tail);
    if (item.is_cons() && car_raw(item) == key) return item;
    tail = cdr_raw(tail);
    if (cycle.step(tail)) break;
  }
  return kNil;
}

Value memq(Value key, Value list) {
  core::CycleFinder cycle(list);
  for (Value tail = list; tail.is_cons();) {
    if (car_raw(tail) == key) return tail;
    tail = cdr_raw(tail);
    if (cycle.step(tail)) break;
  }
  return kNil;
}

Value plist_get(Value plist, Value property) {
  core::CycleFinder cycle(plist);
  for (Value tail = plist; tail.is_cons();) {
    const Value rest = cdr_raw(tail);
    if (!rest.is_cons()) break;
    if (car_raw(tail) == property) return car_raw(rest);
    tail = cdr_raw(rest);
    if (cycle.step(tail)) break;
  }
  return kNil;
}

Value nreverse_list(Value list) {
  Value result = kNil;
  while (list.is_cons()) {
    const Value next = cdr_raw(list);
    set_cdr_raw(list, result);
    result = list;
    list = next;
  }
  return result;
}

}  // namespace neovm
