// Interning. The isolate's own table is what the vector in `obarray` stands for; any other vector is an obarray in the
// old sense: buckets of symbols chained through their `next` cell, 0 for an empty one.
#include "reader.hpp"

namespace neovm::elisp {

namespace {

constexpr std::int64_t kMainObarrayLength = 15121;

Value make_main_obarray(Context& cx) {
  Slot& slot = cx.isolate().main_obarray;
  if (!is_vector(slot.get())) {
    const Value v = make_vector(cx, kMainObarrayLength, Value::fixnum(0));
    header_raw(v)->flags |= kVectorMainObarray;
    slot.set(v);
  }
  return slot.get();
}

bool is_main(Value v) { return v.is_nil() || (header_raw(v)->flags & kVectorMainObarray) != 0; }

std::uint32_t hash_of(std::string_view name) {
  std::uint32_t h = 2166136261U;
  for (const char c : name) h = (h ^ static_cast<std::uint8_t>(c)) * 16777619U;
  return h;
}

Value* bucket_of(Value obarray, std::string_view name) {
  return &slots_raw(obarray)->slots[hash_of(name) % slots_raw(obarray)->count];
}

bool is_ascii(std::string_view s) {
  for (const char c : s)
    if (static_cast<std::uint8_t>(c) >= 0x80) return false;
  return true;
}

// Symbol of that name in a private obarray, or kUnbound; an error when the bucket holds something else.
Value find_private(Context& cx, std::string_view name, Value obarray) {
  Value s = *bucket_of(obarray, name);
  if (s == Value::fixnum(0)) return kUnbound;
  if (!s.is_symbol()) return error_text(cx, "Bad data in guts of obarray");
  for (std::uint64_t guard = 0;; ++guard) {
    if (symbol_name_view(cx, s) == name) return s;
    s = cx.cells(s).next;
    if (!s.is_symbol() || s.is_nil()) return kUnbound;
  }
}

}  // namespace

Value obarray_argument(Context& cx, Value obarray) {
  if (obarray.is_nil()) {
    obarray = variable_value(cx, Qobarray);
    if (is_vector(obarray) && slot_count_raw(obarray) > 0) return is_main(obarray) ? kNil : obarray;
    // A broken variable is repaired before the error, lest nothing could be read any more.
    const Value wrong = obarray;
    TRY(set_variable_re(cx, Qobarray, make_main_obarray(cx)));
    return wrong_type(cx, Qvectorp, wrong);
  }
  if (!is_vector(obarray) || slot_count_raw(obarray) == 0) return wrong_type(cx, Qvectorp, obarray);
  return is_main(obarray) ? kNil : obarray;
}

Value intern_in(Context& cx, std::string_view name, Value obarray) {
  if (obarray.is_nil()) return intern(cx, name);
  const Value found = TRY(find_private(cx, name, obarray));
  if (!found.is_unbound()) return found;
  const Value string = TRY(is_ascii(name) ? make_unibyte_string(cx, name) : make_multibyte_string(cx, name));
  const Value symbol = make_symbol(cx, string);
  SymbolCells& c = cx.cells(symbol);
  c.flags |= kSymbolInternedPrivate;
  Value* bucket = bucket_of(obarray, string_view_of(string));
  store(&c.next, bucket->is_symbol() ? *bucket : kNil);
  store(bucket, symbol);
  return symbol;
}

Value find_in(Context& cx, std::string_view name, Value obarray) {
  return obarray.is_nil() ? intern_soft(cx, name) : find_private(cx, name, obarray);
}

namespace {

// Name bytes of a string argument, in the internal encoding.
std::string name_of(Value string) {
  if (string_multibyte(string) || is_ascii(string_view_of(string))) return std::string(string_view_of(string));
  std::string out;
  for (const char c : string_view_of(string)) {
    std::uint8_t b[text::kMaxBytesPerChar];
    const int n = text::encode_char(text::raw_byte_to_char(static_cast<std::uint8_t>(c)), b);
    out.append(reinterpret_cast<const char*>(b), static_cast<std::size_t>(n));
  }
  return out;
}

// `read-symbol-shorthands` also guides intern and intern-soft.
std::string with_shorthand(Context& cx, std::string name) {
  const Value table = variable_value(cx, Qread_symbol_shorthands);
  for (Value l = table; l.is_cons(); l = cdr_raw(l)) {
    const Value pair = car_raw(l);
    if (!pair.is_cons() || !car_raw(pair).is_string() || !cdr_raw(pair).is_string()) continue;
    const std::string_view prefix = string_view_of(car_raw(pair));
    if (std::string_view(name).substr(0, prefix.size()) == prefix)
      return std::string(string_view_of(cdr_raw(pair))) + name.substr(prefix.size());
  }
  return name;
}

}  // namespace

NEOVM_PRIMITIVE(intern, "intern", 1, 2, kWorkerSafe, kStateWrite, kMayGc, kNoReentry, kDeterministic,
                "Return the symbol named STRING in OBARRAY, made on first use.")
(Context& cx, Value string, Value obarray) {
  obarray = TRY(obarray_argument(cx, obarray));
  TRY(check_type(cx, string.is_string(), Qstringp, string));
  return intern_in(cx, with_shorthand(cx, name_of(string)), obarray);
}

NEOVM_PRIMITIVE(intern_soft, "intern-soft", 1, 2, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return the symbol named NAME in OBARRAY, or nil; a symbol is looked for itself.")
(Context& cx, Value name, Value obarray) {
  obarray = TRY(obarray_argument(cx, obarray));
  if (name.is_symbol()) {
    const Value found = TRY(find_in(cx, symbol_name_view(cx, name), obarray));
    return found == name ? name : kNil;
  }
  TRY(check_type(cx, name.is_string(), Qstringp, name));
  const Value found = TRY(find_in(cx, with_shorthand(cx, name_of(name)), obarray));
  return found.is_unbound() ? kNil : found;
}

NEOVM_PRIMITIVE(unintern, "unintern", 1, 2, kWorkerSafe, kStateWrite, kMayGc, kNoReentry, kDeterministic,
                "Remove the symbol NAME (string or symbol) from OBARRAY; t when it was there.")
(Context& cx, Value name, Value obarray) {
  obarray = TRY(obarray_argument(cx, obarray));
  std::string text;
  if (name.is_symbol()) {
    text = symbol_name_view(cx, name);
  } else {
    TRY(check_type(cx, name.is_string(), Qstringp, name));
    text = name_of(name);
  }
  const Value found = TRY(find_in(cx, text, obarray));
  if (found.is_unbound() || (name.is_symbol() && found != name)) return kNil;
  if (obarray.is_nil()) {
    cx.isolate().unintern(found);
    return Qt;
  }
  Value* link = bucket_of(obarray, text);
  Value* previous = nullptr;
  for (Value s = *link; s.is_symbol() && !s.is_nil(); s = *previous) {
    const Value next = cx.cells(s).next;
    if (s == found) {
      if (previous == nullptr) {
        store(link, next.is_nil() ? Value::fixnum(0) : next);
      } else {
        store(previous, next);
      }
      break;
    }
    previous = &cx.cells(s).next;
  }
  cx.cells(found).flags &= static_cast<std::uint16_t>(~kSymbolInternedPrivate);
  store(&cx.cells(found).next, kNil);
  return Qt;
}

NEOVM_PRIMITIVE(mapatoms, "mapatoms", 1, 2, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Call FUNCTION with each symbol of OBARRAY.")
(Context& cx, Value function, Value obarray) {
  obarray = TRY(obarray_argument(cx, obarray));
  RootVector symbols(cx);
  if (obarray.is_nil()) {
    symbols.values.reserve(cx.isolate().symbol_count());
    cx.isolate().each_symbol([](void* data, Value s) { static_cast<std::vector<Value>*>(data)->push_back(s); },
                             &symbols.values);
  } else {
    const auto count = slot_count_raw(obarray);
    for (std::int64_t i = count - 1; i >= 0; --i)
      for (Value s = slot_raw(obarray, i); s.is_symbol() && !s.is_nil(); s = cx.cells(s).next)
        symbols.values.push_back(s);
  }
  for (std::size_t i = 0; i < symbols.values.size(); ++i) TRY(funcall_re(cx, function, {symbols.values[i]}));
  return kNil;
}

NEOVM_VARIABLE(obarray, "obarray", kGlobalVar, kAny, &make_main_obarray,
               "The vector that stands for the table of interned symbols.")

}  // namespace neovm::elisp
