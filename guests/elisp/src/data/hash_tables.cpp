// Hash table primitives (fns.c of GNU). Tables with a user-defined test run Lisp while they are searched;
// changing such a table from its own test is an error, which the header's aux byte makes known.
#include <vector>

#include "neovm/core/context.hpp"
#include "neovm/core/equal_hash.hpp"
#include "neovm/core/hash_chains.hpp"
#include "neovm/core/list_walk.hpp"
#include "rows.hpp"

namespace neovm::elisp {
namespace {

using namespace core;

Maybe<bool> check_table(Context& cx, Value v) { return check_type(cx, is_hash_table(v), Qhash_table_p, v); }

bool is_user(Value table) { return hash_test_raw(table) == HashTest::kUser; }

Maybe<bool> check_mutable(Context& cx, Value table) {
  if (header_raw(table)->aux != 0)
    return signal_error2(cx, Qerror, TRY(make_string(cx, "hash table test modifies table")), table);
  return true;
}

// Calls a test's function with the table locked.
Value call_locked_re(Context& cx, Value table, Value function, std::span<const Value> args) {
  const std::uint8_t old = header_raw(table)->aux;
  header_raw(table)->aux = 1;
  const Value result = funcall_re(cx, function, args);
  header_raw(table)->aux = old;
  return result;
}

Maybe<std::uint32_t> hash_of_re(Context& cx, Value table, Value key) {
  if (!is_user(table)) return hash_for_test(cx, hash_test_raw(table), key);
  const Value h = TRY(call_locked_re(cx, table, slot_raw(table, kHashUserHash), {&key, 1}));
  return static_cast<std::uint32_t>(hash_eql(cx, h));
}

Maybe<std::int64_t> find_re(Context& cx, Value table, Value key, std::uint32_t hash) {
  if (!is_user(table)) return find_entry(cx, table, key, hash);
  for (std::int64_t i = chain_first(table, hash); i >= 0; i = chain_next(table, i)) {
    if (hash_key_raw(table, i) == key) return i;
    if (entry_hash(table, i) != hash || hash_key_raw(table, i).is_unbound()) continue;
    const Value args[] = {key, hash_key_raw(table, i)};
    if (TRY(call_locked_re(cx, table, slot_raw(table, kHashUserEqual), args)).truthy()) return i;
  }
  return std::int64_t{-1};
}

// The data of such an error is V itself after the text when that is a proper list, so that it is spread out.
Value invalid(Context& cx, const char* what, Value v) {
  const Value message = TRY(make_string(cx, what));
  core::CycleFinder cycle(v);
  Value end = v;
  while (end.is_cons()) {
    end = cdr_raw(end);
    if (cycle.step(end)) break;
  }
  return signal_error(cx, Qerror, cons(cx, message, end.is_nil() ? v : list(cx, {v})));
}

// Finds the first KEYWORD in args and takes it and its value out of use.
Value take_argument(Arguments args, std::vector<bool>& used, Value keyword, bool* present) {
  for (std::size_t i = 0; i + 1 < args.size(); ++i) {
    if (used[i] || args[i] != keyword) continue;
    used[i] = used[i + 1] = true;
    *present = true;
    return args[i + 1];
  }
  *present = false;
  return kNil;
}

}  // namespace

DATA_READS_STATE(make_hash_table, "make-hash-table", 0, kMany,
                 "Return a new hash table; keywords :test :size :rehash-size :rehash-threshold :weakness :purecopy.")
(Context& cx, Arguments args) {
  std::vector<bool> used(args.size());
  bool present = false;
  Value test = take_argument(args, used, QCtest, &present);
  if (!present) test = Qeql;
  const Value purecopy = take_argument(args, used, QCpurecopy, &present);
  const Value size = take_argument(args, used, QCsize, &present);
  HashTest kind = HashTest::kUser;
  Value user_equal = kNil;
  Value user_hash = kNil;
  if (test == Qeq) {
    kind = HashTest::kEq;
  } else if (test == Qeql) {
    kind = HashTest::kEql;
  } else if (test == Qequal) {
    kind = HashTest::kEqual;
  } else {
    const Value functions = test.is_symbol() ? symbol_get(cx, test, Qhash_table_test) : kNil;
    if (!functions.is_cons() || !cdr_raw(functions).is_cons()) return invalid(cx, "Invalid hash table test", test);
    user_equal = car_raw(functions);
    user_hash = car_raw(cdr_raw(functions));
  }
  if (!size.is_nil() && !size.is_natnum_fixnum()) return invalid(cx, "Invalid hash table size", size);
  Value rehash_size = take_argument(args, used, QCrehash_size, &present);
  if (!present) {
    rehash_size = make_float(cx, 1.5);
  } else if (rehash_size.is_fixnum()) {
    if (rehash_size.as_fixnum() <= 0) return invalid(cx, "Invalid hash table rehash size", rehash_size);
  } else if (rehash_size.is_float() && float_raw(rehash_size) > 1.0) {
    rehash_size = make_float(cx, static_cast<double>(static_cast<float>(float_raw(rehash_size) - 1)) + 1);
  } else {
    return invalid(cx, "Invalid hash table rehash size", rehash_size);
  }
  Value threshold = take_argument(args, used, QCrehash_threshold, &present);
  if (!present) {
    threshold = make_float(cx, 0.8125);
  } else if (threshold.is_float() && float_raw(threshold) > 0 && float_raw(threshold) <= 1) {
    threshold = make_float(cx, static_cast<double>(static_cast<float>(float_raw(threshold))));
  } else {
    return invalid(cx, "Invalid hash table rehash threshold", threshold);
  }
  const Value weakness = take_argument(args, used, QCweakness, &present);
  WeakKind weak = WeakKind::kNone;
  if (weakness == Qkey) {
    weak = WeakKind::kKey;
  } else if (weakness == Qvalue) {
    weak = WeakKind::kValue;
  } else if (weakness == Qkey_or_value) {
    weak = WeakKind::kKeyOrValue;
  } else if (weakness == Qkey_and_value || weakness == Qt) {
    weak = WeakKind::kKeyAndValue;
  } else if (!weakness.is_nil()) {
    return invalid(cx, "Invalid hash table weakness", weakness);
  }
  for (std::size_t i = 0; i < args.size(); ++i)
    if (!used[i]) return invalid(cx, "Invalid argument list", args[i]);
  // Storage comes with the first entry; what could never be had is refused now.
  if (!size.is_nil() && size.as_fixnum() > (std::int64_t{1} << 31)) return signal_memory_full(cx);
  const Value table = TRY(make_hash_table(cx, kind, weak));
  if (!size.is_nil()) set_slot_raw(table, kHashSize, size);
  set_slot_raw(table, kHashTestName, test);
  set_slot_raw(table, kHashUserEqual, user_equal);
  set_slot_raw(table, kHashUserHash, user_hash);
  set_slot_raw(table, kHashRehashSize, rehash_size);
  set_slot_raw(table, kHashRehashThreshold, threshold);
  header_raw(table)->flags = purecopy.truthy() ? kHashPurecopy : 0;
  return table;
}

DATA_MAKES(copy_hash_table, "copy-hash-table", 1, 1, "Return a copy of TABLE; keys and values are not copied.")
(Context& cx, Value table) {
  TRY(check_table(cx, table));
  return copy_table(cx, table);
}
DATA_LOOKS(hash_table_count, "hash-table-count", 1, 1, "Return the number of entries in TABLE.")
(Context& cx, Value table) {
  TRY(check_table(cx, table));
  return Value::fixnum(hash_count_raw(table));
}
DATA_LOOKS(hash_table_rehash_size, "hash-table-rehash-size", 1, 1, "Return by how much TABLE grows.")
(Context& cx, Value table) {
  TRY(check_table(cx, table));
  return slot_raw(table, kHashRehashSize);
}
DATA_LOOKS(hash_table_rehash_threshold, "hash-table-rehash-threshold", 1, 1,
           "Return the rehash threshold TABLE was made with.")
(Context& cx, Value table) {
  TRY(check_table(cx, table));
  return slot_raw(table, kHashRehashThreshold);
}
DATA_LOOKS(hash_table_size, "hash-table-size", 1, 1, "Return for how many entries TABLE has room before it grows.")
(Context& cx, Value table) {
  TRY(check_table(cx, table));
  return slot_raw(table, kHashSize);
}
DATA_LOOKS(hash_table_test, "hash-table-test", 1, 1, "Return the name of TABLE's test.")(Context& cx, Value table) {
  TRY(check_table(cx, table));
  return slot_raw(table, kHashTestName);
}
DATA_LOOKS(hash_table_weakness, "hash-table-weakness", 1, 1,
           "Return the weakness of TABLE: nil, key, value, key-or-value or key-and-value.")
(Context& cx, Value table) {
  TRY(check_table(cx, table));
  static constexpr Value kNames[] = {kNil, Qkey, Qvalue, Qkey_or_value, Qkey_and_value};
  return kNames[static_cast<int>(hash_weak_raw(table))];
}
DATA_LOOKS(hash_table_p, "hash-table-p", 1, 1, "Return t if OBJ is a hash table.")(Context&, Value v) {
  return boolean(is_hash_table(v));
}
DATA_WRITES(clrhash, "clrhash", 1, 1, "Remove all entries from TABLE; return TABLE.")(Context& cx, Value table) {
  TRY(check_table(cx, table));
  TRY(check_mutable(cx, table));
  clear_entries(table);
  return table;
}
DATA_REENTERS(gethash, "gethash", 2, 3, "Return the value of KEY in TABLE, or DFLT.")
(Context& cx, Value key, Value table, Value otherwise) {
  TRY(check_table(cx, table));
  if (hash_count_raw(table) == 0 && !is_user(table)) return otherwise;
  const std::uint32_t hash = TRY(hash_of_re(cx, table, key));
  const std::int64_t i = TRY(find_re(cx, table, key, hash));
  return i < 0 ? otherwise : hash_value_raw(table, i);
}
DATA_REENTERS(puthash, "puthash", 3, 3, "Make VALUE the value of KEY in TABLE; return VALUE.")
(Context& cx, Value key, Value v, Value table) {
  TRY(check_table(cx, table));
  TRY(check_mutable(cx, table));
  const std::uint32_t hash = TRY(hash_of_re(cx, table, key));
  const std::int64_t i = TRY(find_re(cx, table, key, hash));
  if (i < 0) return add_entry(cx, table, hash, key, v);
  set_slot_raw(slot_raw(table, kHashEntries), 2 * i + 1, v);
  return v;
}
DATA_REENTERS(remhash, "remhash", 2, 2, "Remove KEY from TABLE.")(Context& cx, Value key, Value table) {
  TRY(check_table(cx, table));
  TRY(check_mutable(cx, table));
  const std::uint32_t hash = TRY(hash_of_re(cx, table, key));
  const std::int64_t i = TRY(find_re(cx, table, key, hash));
  if (i >= 0) remove_entry(table, i);
  return kNil;
}
DATA_WRITES(define_hash_table_test, "define-hash-table-test", 3, 3,
            "Define NAME as a test with equality function TEST and hash function HASH.")
(Context& cx, Value name, Value test, Value hash) {
  if (!name.is_symbol()) return wrong_type(cx, Qsymbolp, name);
  const Value functions = list(cx, {test, hash});
  symbol_put(cx, name, Qhash_table_test, functions);
  return functions;
}

// ---- hashes as Lisp sees them: fixnums that are never negative --------------------------------------------

namespace {
Value as_hash(std::uint64_t h) { return Value::fixnum(static_cast<std::int64_t>(h & ((std::uint64_t{1} << 61) - 1))); }
}  // namespace

DATA_VARIES(sxhash_eq, "sxhash-eq", 1, 1, "Return a hash of OBJ that agrees with `eq'.")(Context& cx, Value v) {
  return as_hash(hash_eq(cx, v));
}
DATA_VARIES(sxhash_eql, "sxhash-eql", 1, 1, "Return a hash of OBJ that agrees with `eql'.")(Context& cx, Value v) {
  return as_hash(hash_eql(cx, v));
}
DATA_VARIES(sxhash_equal, "sxhash-equal", 1, 1, "Return a hash of OBJ that agrees with `equal'.")
(Context& cx, Value v) { return as_hash(hash_equal(cx, v)); }
DATA_VARIES(sxhash_equal_including_properties, "sxhash-equal-including-properties", 1, 1,
            "Return a hash of OBJ that agrees with `equal-including-properties'.")
(Context& cx, Value v) {
  if (v.is_string() && !string_raw(v)->properties.is_nil() && host_hooks(cx).string_property_intervals != nullptr) {
    const Value intervals = TRY(host_hooks(cx).string_property_intervals(cx, v));
    return as_hash(mix(hash_equal(cx, v) * 31 + hash_equal(cx, intervals)));
  }
  return as_hash(hash_equal(cx, v));
}

}  // namespace neovm::elisp
