// Lists, alists and property lists (fns.c of GNU). Circular lists signal circular-list, dotted ones
// (wrong-type-argument listp …) with the data Emacs gives: mostly the whole list, sometimes the tail.
#include <gmp.h>

#include <vector>

#include "equal_to.hpp"
#include "rows.hpp"
#include "sequences.hpp"

namespace neovm::elisp {
namespace {

// What `walk` answers for an element.
enum class Step : std::uint8_t { kGoOn, kStop };

// Calls f(tail) for the conses of LIST; f returns Maybe<Step>. True when f stopped it.
template <class F>
Maybe<bool> walk(Context& cx, Value list, F f) {
  core::CycleFinder cycle(list);
  Value tail = list;
  while (tail.is_cons()) {
    if (TRY(f(tail)) == Step::kStop) return true;
    tail = cdr_raw(tail);
    if (cycle.step(tail)) return signal_error1(cx, Qcircular_list, list);
    if (cycle.at_poll()) TRY(check_quit(cx));
  }
  if (!tail.is_nil()) return wrong_type(cx, Qlistp, list);
  return false;
}

// The first tail (or its car, see callers) that `test` accepts.
template <class F>
Value find_tail(Context& cx, Value list, F test) {
  Value found = kNil;
  TRY(walk(cx, list, [&](Value tail) -> Maybe<Step> {
    if (!TRY(test(car_raw(tail)))) return Step::kGoOn;
    found = tail;
    return Step::kStop;
  }));
  return found;
}
// Does SYMBOL still mean the primitive of its name?
bool is_its_primitive(Context& cx, Value symbol) {
  const Value f = symbol_function(cx, symbol);
  return is_subr(f) && f.as_pointer<SubrObject>()->descriptor->name == symbol_name_view(cx, symbol);
}

template <class F>
Value find_element(Context& cx, Value list, F test) {
  const Value tail = TRY(find_tail(cx, list, test));
  return car_of_list(tail);
}

}  // namespace

// ---- positions --------------------------------------------------------------------------------------------

namespace {

Value nthcdr_large(Context& cx, const mpz_t n, Value list) {
  // Only a circular list is that long: go round once to know the cycle, then take the remainder.
  core::CycleFinder cycle(list);
  Value tail = list;
  std::int64_t steps = 0;
  for (; tail.is_cons();) {
    tail = cdr_raw(tail);
    ++steps;
    if (cycle.step(tail)) break;
    if (cycle.at_poll()) TRY(check_quit(cx));
  }
  if (!tail.is_cons()) {
    if (!tail.is_nil()) return wrong_type(cx, Qlistp, list);
    return kNil;
  }
  std::uint64_t length = 1;
  for (Value p = cdr_raw(tail); p != tail; p = cdr_raw(p)) ++length;
  mpz_t rest;
  mpz_init(rest);
  mpz_sub_ui(rest, n, static_cast<unsigned long>(steps));
  std::uint64_t left = mpz_fdiv_ui(rest, length);
  mpz_clear(rest);
  while (left-- > 0) tail = cdr_raw(tail);
  return tail;
}

Value nthcdr_fixnum(Context& cx, std::int64_t n, Value list) {
  constexpr std::int64_t kLongWalk = 1 << 20;
  Value tail = list;
  for (std::int64_t i = 0; i < n; ++i) {
    if (!tail.is_cons()) {
      if (!tail.is_nil()) return wrong_type(cx, Qlistp, list);
      return kNil;
    }
    if (i == kLongWalk) {
      mpz_t rest;
      mpz_init_set_si(rest, n - i);
      const Value result = nthcdr_large(cx, rest, tail);
      mpz_clear(rest);
      return result;
    }
    tail = cdr_raw(tail);
  }
  return tail;
}

Value nthcdr_of(Context& cx, Value n, Value list) {
  if (n.is_fixnum()) return nthcdr_fixnum(cx, n.as_fixnum(), list);
  if (!is_bignum(n)) return wrong_type(cx, Qintegerp, n);
  if (header_raw(n)->aux != 0) return list;
  mpz_t view;
  const RawObject* limbs = raw_bytes_raw(n);
  mpz_init(view);
  mpz_import(view, limbs->count / 8, -1, 8, 0, 0, limbs->bytes);
  const Value result = nthcdr_large(cx, view, list);
  mpz_clear(view);
  return result;
}

}  // namespace

DATA_LOOKS(nthcdr, "nthcdr", 2, 2, "Take the cdr N times, starting with LIST; return the result.")
(Context& cx, Value n, Value list) { return nthcdr_of(cx, n, list); }
DATA_LOOKS(nth, "nth", 2, 2, "Return element N of LIST, counted from 0; nil past the end.")
(Context& cx, Value n, Value list) {
  const Value tail = TRY(nthcdr_of(cx, n, list));
  if (!tail.is_list()) return wrong_type(cx, Qlistp, tail);
  return car_of_list(tail);
}
DATA_LOOKS(elt, "elt", 2, 2, "Return element INDEX of SEQUENCE, counted from 0.")(Context& cx, Value v, Value n) {
  if (v.is_list()) {
    const Value tail = TRY(nthcdr_of(cx, n, v));
    if (!tail.is_list()) return wrong_type(cx, Qlistp, tail);
    return car_of_list(tail);
  }
  if (!v.is_string() && !is_vector(v) && !is_char_table(v) && !is_bool_vector(v)) return wrong_type(cx, Qsequencep, v);
  if (!n.is_fixnum()) return wrong_type(cx, Qfixnump, n);
  const std::int64_t i = n.as_fixnum();
  const std::int64_t size = is_char_table(v) ? kMaxCharacter + 1 : TRY(sequence_length(cx, v));
  if (i < 0 || i >= size) {
    if (is_char_table(v)) return wrong_type(cx, Qcharacterp, n);
    return args_out_of_range(cx, v, n);
  }
  if (v.is_string()) return Value::fixnum(string_char_raw(v, i));
  if (is_vector(v)) return slot_raw(v, i);
  if (is_bool_vector(v)) return boolean(core::bool_get_raw(v, i));
  return char_table_get(v, static_cast<int>(i));
}
DATA_LOOKS(safe_length, "safe-length", 1, 1,
           "Return the number of conses of LIST; never fails, also when LIST is dotted or circular.")
(Context&, Value list) {
  std::int64_t n = 0;
  core::CycleFinder cycle(list);
  for (Value tail = list; tail.is_cons();) {
    ++n;
    tail = cdr_raw(tail);
    if (cycle.step(tail)) break;
  }
  return Value::fixnum(n);
}
DATA_LOOKS(proper_list_p, "proper-list-p", 1, 1, "Return the length of OBJECT if it is a proper list, else nil.")
(Context&, Value list) {
  std::int64_t n = 0;
  core::CycleFinder cycle(list);
  Value tail = list;
  while (tail.is_cons()) {
    ++n;
    tail = cdr_raw(tail);
    if (cycle.step(tail)) return kNil;
  }
  return tail.is_nil() ? Value::fixnum(n) : kNil;
}

// ---- membership -----------------------------------------------------------------------------------------------

DATA_LOOKS(memq, "memq", 2, 2, "Return the tail of LIST whose car is `eq' to ELT, or nil.")
(Context& cx, Value x, Value list) {
  return find_tail(cx, list, [x](Value e) -> Maybe<bool> { return e == x; });
}
DATA_LOOKS(memql, "memql", 2, 2, "Return the tail of LIST whose car is `eql' to ELT, or nil.")
(Context& cx, Value x, Value list) {
  return find_tail(cx, list, [x](Value e) -> Maybe<bool> { return eql(e, x); });
}
DATA_LOOKS(member, "member", 2, 2, "Return the tail of LIST whose car is `equal' to ELT, or nil.")
(Context& cx, Value x, Value list) { return find_tail(cx, list, EqualTo(cx, x)); }
DATA_LOOKS(assq, "assq", 2, 2, "Return the first element of ALIST whose car is `eq' to KEY, or nil.")
(Context& cx, Value key, Value list) {
  return find_element(cx, list, [key](Value e) -> Maybe<bool> { return e.is_cons() && car_raw(e) == key; });
}
DATA_REENTERS(assoc, "assoc", 2, 3,
              "Return the first element of ALIST whose car is KEY by TESTFN (default `equal'), or nil.")
(Context& cx, Value key, Value list, Value test) {
  if (test.is_nil() || (test == Qequal && is_its_primitive(cx, test))) {
    return find_element(cx, list, [is = EqualTo(cx, key)](Value e) -> Maybe<bool> {
      if (!e.is_cons()) return false;
      return is(car_raw(e));
    });
  }
  return find_element(cx, list, [&cx, key, test](Value e) -> Maybe<bool> {
    if (!e.is_cons()) return false;
    return TRY(funcall_re(cx, test, {car_raw(e), key}))
    .truthy();
  });
}
DATA_LOOKS(rassq, "rassq", 2, 2, "Return the first element of ALIST whose cdr is `eq' to KEY, or nil.")
(Context& cx, Value key, Value list) {
  return find_element(cx, list, [key](Value e) -> Maybe<bool> { return e.is_cons() && cdr_raw(e) == key; });
}
DATA_LOOKS(rassoc, "rassoc", 2, 2, "Return the first element of ALIST whose cdr is `equal' to KEY, or nil.")
(Context& cx, Value key, Value list) {
  return find_element(cx, list, [is = EqualTo(cx, key)](Value e) -> Maybe<bool> {
    if (!e.is_cons()) return false;
    return is(cdr_raw(e));
  });
}

// ---- deletion, concatenation, copies ------------------------------------------------------------------------------

namespace {

// Unlinks the elements that `test` accepts. The error for a dotted list names the list as it is by then
// (`whole`) or its tail.
template <class F>
Value delete_from_list(Context& cx, Value list, bool error_names_tail, F test) {
  Value previous = kNil;
  Value head = list;
  core::CycleFinder cycle(list);
  Value tail = list;
  while (tail.is_cons()) {
    if (TRY(test(car_raw(tail)))) {
      if (previous.is_nil()) {
        head = cdr_raw(tail);
      } else {
        set_cdr_raw(previous, cdr_raw(tail));
      }
    } else {
      previous = tail;
    }
    tail = cdr_raw(tail);
    if (cycle.step(tail)) return signal_error1(cx, Qcircular_list, list);
    if (cycle.at_poll()) TRY(check_quit(cx));
  }
  if (!tail.is_nil()) return wrong_type(cx, Qlistp, error_names_tail ? tail : head);
  return head;
}

}  // namespace

DATA_WRITES(delq, "delq", 2, 2, "Remove the elements `eq' to ELT from LIST, changing it; return the result.")
(Context& cx, Value x, Value list) {
  return delete_from_list(cx, list, false, [x](Value e) -> Maybe<bool> { return e == x; });
}
DATA_WRITES(delete_, "delete", 2, 2, "Remove the elements `equal' to ELT from SEQ; lists are changed, arrays copied.")
(Context& cx, Value x, Value seq) {
  if (is_vector(seq)) {
    const std::int64_t n = slot_count_raw(seq);
    std::vector<Value> kept;
    for (std::int64_t i = 0; i < n; ++i)
      if (!TRY(equal(cx, slot_raw(seq, i), x))) kept.push_back(slot_raw(seq, i));
    if (static_cast<std::int64_t>(kept.size()) == n) return seq;
    return make_vector_from(cx, kept);
  }
  if (seq.is_string()) {
    StringBuilder kept;
    std::string bytes;
    TRY(each_element(cx, seq, [&](Value e) -> Maybe<bool> {
      if (e == x) return true;
      kept.add_char(static_cast<int>(e.as_fixnum()));
      bytes.push_back(static_cast<char>(e.as_fixnum()));
      return true;
    }));
    if (kept.chars() == string_chars(seq)) return seq;
    return string_multibyte(seq) ? kept.finish(cx) : make_unibyte_string(cx, bytes);
  }
  return delete_from_list(cx, seq, false, [&cx, x](Value e) -> Maybe<bool> { return equal(cx, e, x); });
}

DATA_WRITES(nconc, "nconc", 0, kMany,
            "Concatenate the LISTS by changing their last cdrs; the last one may be anything.")
(Context& cx, Arguments args) {
  Value result = kNil;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const Value v = args[i];
    if (v.is_nil()) continue;
    if (result.is_nil()) result = v;
    if (i + 1 == args.size()) break;
    if (!v.is_cons()) return wrong_type(cx, Qconsp, v);
    Value last = v;
    core::CycleFinder cycle(v);
    for (Value tail = v; tail.is_cons();) {
      last = tail;
      tail = cdr_raw(tail);
      if (cycle.step(tail)) return signal_error1(cx, Qcircular_list, v);
      if (cycle.at_poll()) TRY(check_quit(cx));
    }
    Value next = args[i + 1];
    set_cdr_raw(last, next);
    if (next.is_nil()) args[i + 1] = v;  // an empty list in between: go on from the same one
  }
  return result;
}

DATA_MAKES(copy_alist, "copy-alist", 1, 1, "Return a copy of ALIST; the pairs are copied, keys and values are not.")
(Context& cx, Value list) {
  Value head = kNil;
  Value last = kNil;
  TRY(each_element(cx, list, [&](Value e) -> Maybe<bool> {
    const Value copy = e.is_cons() ? cons(cx, car_raw(e), cdr_raw(e)) : e;
    const Value cell = cons(cx, copy, kNil);
    if (last.is_nil()) {
      head = cell;
    } else {
      set_cdr_raw(last, cell);
    }
    last = cell;
    return true;
  }));
  return head;
}

// ---- equality ---------------------------------------------------------------------------------------------------

DATA_LOOKS(eql, "eql", 2, 2, "Return t if the arguments are the same object, or numbers of one type and value.")
(Context&, Value a, Value b) { return boolean(eql(a, b)); }
DATA_LOOKS(equal, "equal", 2, 2, "Return t if the arguments have the same structure and contents.")
(Context& cx, Value a, Value b) { return boolean(TRY(equal(cx, a, b))); }
DATA_LOOKS(equal_including_properties, "equal-including-properties", 2, 2,
           "Like `equal', and strings must have the same text properties.")
(Context& cx, Value a, Value b) { return boolean(TRY(equal_including_properties(cx, a, b))); }

}  // namespace neovm::elisp
