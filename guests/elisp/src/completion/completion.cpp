// try-completion and its relatives over lists, obarrays, hash tables and functions (minibuf.c).
//
// The candidates are gathered first (they may be many, and the predicate may run Lisp that changes the
// collection), then filtered in order.
#include <algorithm>
#include <string>

#include "neovm/core/context.hpp"
#include "neovm/core/hash_table.hpp"
#include "neovm/core/list_walk.hpp"
#include "neovm/text/characters.hpp"

namespace neovm::elisp {

namespace {

int folded(Context& cx, int c) {
  const Value d = char_table_get(current_tables(cx).downcase, c);
  return d.is_fixnum() ? static_cast<int>(d.as_fixnum()) : c;
}

struct Characters {
  explicit Characters(Value s) : p_(string_data_raw(s)), left_(string_chars(s)), multibyte_(string_multibyte(s)) {}
  [[nodiscard]] bool done() const { return left_ == 0; }
  int next() {
    --left_;
    if (!multibyte_) return text::raw_byte_to_char(*p_++);
    const text::Decoded d = text::decode_char(p_);
    p_ += d.bytes;
    return d.c;
  }

 private:
  const std::uint8_t* p_;
  std::int64_t left_;
  bool multibyte_;
};

// How many characters the strings have in common at their beginnings.
std::int64_t common_prefix(Context& cx, Value a, Value b, bool fold) {
  Characters x(a);
  Characters y(b);
  std::int64_t n = 0;
  while (!x.done() && !y.done()) {
    const int c = x.next();
    const int d = y.next();
    if (c != d && !(fold && folded(cx, c) == folded(cx, d))) break;
    ++n;
  }
  return n;
}

bool starts_with(Context& cx, Value candidate, Value prefix, bool fold) {
  const std::int64_t n = string_chars(prefix);
  return string_chars(candidate) >= n && common_prefix(cx, candidate, prefix, fold) == n;
}

enum class Kind { kList, kObarray, kHash, kFunction };

Kind kind_of(Value collection) {
  if (is_hash_table(collection)) return Kind::kHash;
  if (is_vector(collection)) return Kind::kObarray;
  if (collection.is_nil()) return Kind::kList;
  if (collection.is_cons())
    return car_raw(collection) == Qlambda || car_raw(collection) == Qclosure ? Kind::kFunction : Kind::kList;
  return Kind::kFunction;
}

// A candidate: what it is called, and what the predicate gets.
struct Candidate {
  Value name;     // string
  Value element;  // list element, symbol, or hash key
  Value extra;    // hash value, or unbound
};

// A vector is an obarray: empty it is none, and only symbols may be in it.
Maybe<bool> check_obarray(Context& cx, Value collection) {
  if (!is_vector(collection) || (header_raw(collection)->flags & kVectorMainObarray) != 0) return true;
  const std::int64_t n = slot_count_raw(collection);
  if (n == 0) return wrong_type(cx, Qvectorp, collection);
  for (std::int64_t i = 0; i < n; ++i)
    if (const Value v = slot_raw(collection, i); !v.is_symbol() && v != Value::fixnum(0))
      return error_text(cx, "Bad data in guts of obarray");
  return true;
}

class Candidates {
 public:
  Candidates(Context& cx, Value collection) : cx_(cx), values_(cx) {
    switch (kind_of(collection)) {
      case Kind::kHash:
        for (std::int64_t i = 0; i < core::hash_capacity_raw(collection); ++i) {
          const Value key = core::hash_key_raw(collection, i);
          if (!key.is_unbound()) add(key, key, core::hash_value_raw(collection, i));
        }
        break;
      case Kind::kObarray:
        if ((header_raw(collection)->flags & kVectorMainObarray) != 0) {
          struct Sink {
            Candidates* self;
          } sink{this};
          cx.isolate().each_symbol([](void* data, Value s) { static_cast<Sink*>(data)->self->add_symbol(s); }, &sink);
        } else {
          for (std::int64_t i = 0; i < slot_count_raw(collection); ++i) {
            const Value bucket = slot_raw(collection, i);
            // A plain vector of symbols works too: each is its own chain.
            for (Value s = bucket; s.is_symbol() && !s.is_nil(); s = cx.cells(s).next) add_symbol(s);
          }
        }
        break;
      default:
        core::CycleFinder cycle(collection);  // once round a circular list is enough
        for (Value l = collection; l.is_cons();) {
          const Value element = car_raw(l);
          add(element.is_cons() ? car_raw(element) : element, element, kUnbound);
          l = cdr_raw(l);
          if (cycle.step(l)) break;
        }
    }
  }

  [[nodiscard]] std::size_t size() const { return values_.values.size() / 3; }
  [[nodiscard]] Candidate operator[](std::size_t i) const {
    return {values_.values[3 * i], values_.values[3 * i + 1], values_.values[3 * i + 2]};
  }

 private:
  void add_symbol(Value s) { add(s, s, kUnbound); }
  void add(Value key, Value element, Value extra) {
    if (key.is_symbol()) key = symbol_name(cx_, key);
    if (!key.is_string()) return;
    values_.values.push_back(key);
    values_.values.push_back(element);
    values_.values.push_back(extra);
  }

  Context& cx_;
  RootVector values_;
};

// completion-regexp-list and the predicate.
Maybe<bool> accepted_re(Context& cx, const Candidate& c, Value predicate) {
  const Value regexps = variable_value(cx, Qcompletion_regexp_list);
  if (regexps.is_cons()) {
    const std::size_t depth = binding_depth(cx);
    TRY(bind_variable_re(cx, Qcase_fold_search, boolean(variable_true(cx, Qcompletion_ignore_case))));
    TRY(bind_variable_re(cx, Qinhibit_changing_match_data, Qt));
    bool ok = true;
    for (Value l = regexps; ok && l.is_cons(); l = cdr_raw(l)) {
      if (car_raw(l).is_string()) ok = TRY(funcall_re(cx, Qstring_match, {car_raw(l), c.name}))
      .truthy();
    }
    TRY(unbind_to_re(cx, depth, kNil));
    if (!ok) return false;
  }
  if (predicate.is_nil()) return true;
  const Value v = c.extra.is_unbound() ? TRY(funcall_re(cx, predicate, {c.element}))
                                       : TRY(funcall_re(cx, predicate, {c.element, c.extra}));
                                       return v.truthy();
}

Value take(Context& cx, Value s, std::int64_t chars) {
  const std::int64_t bytes = string_char_to_byte(s, chars);
  const std::string_view part = string_view_of(s).substr(0, static_cast<std::size_t>(bytes));
  return string_multibyte(s) ? make_multibyte_string(cx, part, chars) : make_unibyte_string(cx, part);
}

}  // namespace

NEOVM_PRIMITIVE(
    try_completion, "try-completion", 2, 3, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
    "Return the longest common completion of STRING in COLLECTION, t when it is exact and unique, nil without any.")
(Context& cx, Value string, Value collection, Value predicate) {
  if (!string.is_string()) return wrong_type(cx, Qstringp, string);
  if (kind_of(collection) == Kind::kFunction) return funcall_re(cx, collection, {string, predicate, kNil});
  const bool fold = variable_true(cx, Qcompletion_ignore_case);
  const std::int64_t wanted = string_chars(string);
  TRY(check_obarray(cx, collection));
  const Candidates all(cx, collection);
  Value best = kNil;
  std::int64_t best_size = 0;
  std::int64_t count = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if ((i & 0xFFF) == 0xFFF) TRY(check_quit(cx));
    const Candidate c = all[i];
    if (!starts_with(cx, c.name, string, fold)) continue;
    if (!TRY(accepted_re(cx, c, predicate))) continue;
    const std::int64_t size = string_chars(c.name);
    if (best.is_nil()) {
      count = 1;
      best = c.name;
      best_size = size;
      continue;
    }
    std::int64_t match = std::min(common_prefix(cx, best, c.name, fold), best_size);
    const bool same = string_equal(best, c.name);
    if (fold) {
      // Prefer the candidate that is no longer than the common part, and then the one spelled like STRING.
      const bool this_exact = match == size;
      const bool best_exact = match == string_chars(best);
      const bool this_spelled = starts_with(cx, c.name, string, false);
      const bool best_spelled = starts_with(cx, best, string, false);
      if ((this_exact && match < string_chars(best)) || (this_exact == best_exact && this_spelled && !best_spelled)) {
        best = c.name;
      }
    }
    if (best_size != size || match != size || !same) ++count;
    best_size = match;
    if (match <= wanted && !fold) {
      // Nothing longer than what was typed can come of it, unless case decides the spelling.
      if (count > 1) break;
    }
  }
  if (best.is_nil()) return kNil;
  // The input itself, spelled differently only by case, stays as it was typed.
  if (fold && best_size == wanted && string_chars(best) > best_size) return string;
  if (count == 1 && string_chars(best) == wanted && string_equal(best, string)) return Qt;
  return take(cx, best, best_size);
}

NEOVM_PRIMITIVE(all_completions, "all-completions", 2, 4, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return the list of all completions of STRING in COLLECTION.")
(Context& cx, Value string, Value collection, Value predicate, Value hide_spaces) {
  if (!string.is_string()) return wrong_type(cx, Qstringp, string);
  if (kind_of(collection) == Kind::kFunction) return funcall_re(cx, collection, {string, predicate, Qt});
  const bool fold = variable_true(cx, Qcompletion_ignore_case);
  TRY(check_obarray(cx, collection));
  const Candidates all(cx, collection);
  Value out = kNil;
  const bool typed_space = string_chars(string) > 0 && string_data_raw(string)[0] == ' ';
  for (std::size_t i = 0; i < all.size(); ++i) {
    if ((i & 0xFFF) == 0xFFF) TRY(check_quit(cx));
    const Candidate c = all[i];
    if (!starts_with(cx, c.name, string, fold)) continue;
    if (hide_spaces.truthy() && !typed_space && string_chars(c.name) > 0 && string_data_raw(c.name)[0] == ' ') continue;
    if (!TRY(accepted_re(cx, c, predicate))) continue;
    out = cons(cx, c.name, out);
  }
  return nreverse_list(out);
}

NEOVM_PRIMITIVE(test_completion, "test-completion", 2, 3, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return non-nil if STRING is a valid completion in COLLECTION.")
(Context& cx, Value string, Value collection, Value predicate) {
  if (!string.is_string()) return wrong_type(cx, Qstringp, string);
  if (kind_of(collection) == Kind::kFunction) return funcall_re(cx, collection, {string, predicate, Qlambda});
  const bool fold = variable_true(cx, Qcompletion_ignore_case);
  TRY(check_obarray(cx, collection));
  const Candidates all(cx, collection);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Candidate c = all[i];
    if (string_chars(c.name) != string_chars(string) || !starts_with(cx, c.name, string, fold)) continue;
    return boolean(TRY(accepted_re(cx, c, predicate)));
  }
  return kNil;
}

NEOVM_PRIMITIVE(
    assoc_string, "assoc-string", 2, 3, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
    "Return the element of LIST that is, or whose car is, the string or symbol KEY; case ignored with CASE-FOLD.")
(Context& cx, Value key, Value list, Value case_fold) {
  if (key.is_symbol()) key = symbol_name(cx, key);
  core::CycleFinder cycle(list);
  for (Value l = list; l.is_cons(); l = cdr_raw(l)) {
    if (l != list && cycle.step(l)) return kNil;  // all round a circular list
    const Value element = car_raw(l);
    Value name = element.is_cons() ? car_raw(element) : element;
    if (name.is_symbol()) name = symbol_name(cx, name);
    if (!name.is_string()) continue;
    if (!key.is_string()) return wrong_type(cx, Qstringp, key);
    if (string_chars(name) == string_chars(key) && starts_with(cx, name, key, case_fold.truthy())) return element;
    TRY(check_quit(cx));
  }
  return kNil;
}

NEOVM_PRIMITIVE(internal_complete_buffer, "internal-complete-buffer", 3, 3, kWorkerSafe, kStateRead, kMayGc, kReenters,
                kDeterministic, "Completion function over buffer names.")
(Context& cx, Value string, Value predicate, Value flag) {
  const Value buffers = TRY(funcall_re(cx, Qbuffer_list, {}));
  Value alist = kNil;
  for (Value l = buffers; l.is_cons(); l = cdr_raw(l)) {
    const Value name = TRY(funcall_re(cx, Qbuffer_name, {car_raw(l)}));
    if (name.is_string()) alist = cons(cx, cons(cx, name, car_raw(l)), alist);
  }
  alist = nreverse_list(alist);
  if (flag.is_nil()) return prim_try_completion(cx, string, alist, predicate);
  if (flag == Qt) {
    const Value found = TRY(prim_all_completions(cx, string, alist, predicate, kNil));
    if (string_chars(string) > 0) return found;
    // Hidden buffers are offered only when there is nothing else.
    Value visible = kNil;
    for (Value l = found; l.is_cons(); l = cdr_raw(l)) {
      const Value name = car_raw(l);
      if (string_bytes(name) == 0 || string_data_raw(name)[0] != ' ') visible = cons(cx, name, visible);
    }
    return visible.is_nil() ? found : nreverse_list(visible);
  }
  if (flag == Qlambda) return prim_test_completion(cx, string, alist, predicate);
  if (flag == Qmetadata)
    return list(cx, {Qmetadata, cons(cx, Qcategory, Qbuffer), cons(cx, Qcycle_sort_function, Qidentity)});
  return kNil;
}

NEOVM_VARIABLE(completion_ignore_case, "completion-ignore-case", kGlobalVar, kBool, kInitNil,
               "Non-nil makes completion ignore case.")
NEOVM_VARIABLE(completion_regexp_list, "completion-regexp-list", kGlobalVar, kAny, kInitNil,
               "Regexps that every completion must match.")

// enable-multibyte-characters tells what set-buffer-multibyte did: setting it is an error.
NEOVM_INIT(constant_buffer_variables, kLate)(Context& cx) {
  cx.cells(Qenable_multibyte_characters).flags |= kSymbolConstant;
}

}  // namespace neovm::elisp
