// Objects made from the items that were read between brackets.
#include "neovm/core/list_walk.hpp"
#include "reader.hpp"

namespace neovm::elisp {

Value Reader::finish_items(const Frame& f) {
  const std::span<const Value> items(values_.values.data() + f.base, values_.values.size() - f.base);
  switch (f.kind) {
    case Kind::kVector: return make_vector_from(cx_, items);
    case Kind::kRecord: return make_record(items);
    case Kind::kByteCode: return make_byte_code(items);
    case Kind::kCharTable: return make_char_table(items);
    case Kind::kSubCharTable: return make_sub_char_table(items);
    default: return make_propertied(items);
  }
}

namespace {

Value make_slots_from(Context& cx, ObjectKind kind, std::span<const Value> items) {
  const Value v = TRY(make_slots(cx, kind, static_cast<std::int64_t>(items.size()), kNil));
  for (std::size_t i = 0; i < items.size(); ++i) set_slot_raw(v, static_cast<std::int64_t>(i), items[i]);
  return v;
}

}  // namespace

Value Reader::make_record(std::span<const Value> items) {
  if (!items.empty() && items[0] == Qhash_table) return make_hash_table_re(items);
  if (items.empty()) return wrong_type(cx_, Qwholenump, Value::fixnum(-1));
  return make_slots_from(cx_, ObjectKind::kRecord, items);
}

// #s(hash-table size N test T … data (KEY VALUE …)); unknown properties are ignored.
Value Reader::make_hash_table_re(std::span<const Value> items) {
  static constexpr Value kNames[] = {Qsize, Qtest, Qweakness, Qrehash_size, Qrehash_threshold, Qpurecopy};
  static constexpr Value kKeys[] = {QCsize, QCtest, QCweakness, QCrehash_size, QCrehash_threshold, QCpurecopy};
  Value arguments[12];
  std::size_t count = 0;
  Value data = kNil;
  // Earlier properties win, as with plist-get; an odd one at the end is ignored.
  const auto find = [&](Value name) {
    for (std::size_t i = 1; i + 1 < items.size(); i += 2)
      if (items[i] == name) return items[i + 1];
    return kNil;
  };
  for (std::size_t k = 0; k < std::size(kNames); ++k) {
    const Value v = find(kNames[k]);
    if (v.is_nil()) continue;
    arguments[count++] = kKeys[k];
    arguments[count++] = v;
  }
  data = find(Qdata);
  const Value table = TRY(funcall_re(cx_, Qmake_hash_table, std::span<const Value>(arguments, count)));
  // Looked at as a whole first: data read through #N= may be circular, and filling the table would never end.
  core::CycleFinder cycle(data);
  bool even = true;
  Value rest = data;
  for (; rest.is_cons(); even = !even) {
    rest = cdr_raw(rest);
    if (cycle.step(rest)) break;
  }
  if (!rest.is_nil() || !even) return error_text(cx_, "Hash table data is not a list of even length");
  while (data.is_cons()) {
    const Value key = car_raw(data);
    data = cdr_raw(data);
    TRY(funcall_re(cx_, Qputhash, {key, car_raw(data), table}));
    data = cdr_raw(data);
  }
  return table;
}

Value Reader::make_byte_code(std::span<const Value> items) {
  // ARGLIST CODE CONSTANTS DEPTH [DOC [INTERACTIVE]]; code still in its file is (FILE . POSITION) without constants.
  bool valid = items.size() >= 4;
  if (valid) {
    const Value arglist = items[0];
    const Value code = items[1];
    const Value constants = items[2];
    valid = (arglist.is_fixnum() || arglist.is_list()) &&
            ((code.is_string() && is_vector(constants)) || (code.is_cons() && constants.is_nil())) &&
            items[3].is_natnum_fixnum();
  }
  if (!valid) return invalid_syntax("Invalid byte-code object");
  const Value v = TRY(make_slots_from(cx_, ObjectKind::kByteCode, items));
  const Value code = slot_raw(v, 1);
  if (code.is_string() && string_multibyte(code)) {
    // The bytes of the internal encoding, as `string-as-unibyte` gives them; raw bytes count as themselves.
    set_slot_raw(v, 1, TRY(make_unibyte_string(cx_, to_std_string(code))));
  }
  return v;
}

Value Reader::make_char_table(std::span<const Value> items) {
  // Default, parent, purpose, ASCII leaf, 64 contents, extras.
  if (items.size() < static_cast<std::size_t>(kCharTableExtras)) return error_text(cx_, "Invalid size char-table");
  return make_slots_from(cx_, ObjectKind::kCharTable, items);
}

Value Reader::make_sub_char_table(std::span<const Value> items) {
  static constexpr std::size_t kSizes[] = {0, 16, 32, 128};
  if (items.empty()) return error_text(cx_, "Zero-sized sub char-table");
  if (!items[0].is_fixnum() || items[0].as_fixnum() < 1 || items[0].as_fixnum() > 3)
    return error_text(cx_, "Invalid depth in sub char-table");
  if (items.size() != kSizes[items[0].as_fixnum()] + 2) return error_text(cx_, "Invalid size in sub char-table");
  if (!items[1].is_fixnum() || items[1].as_fixnum() < 0 || items[1].as_fixnum() > kMaxCharacter)
    return error_text(cx_, "Invalid minimum character in sub-char-table");
  return make_slots_from(cx_, ObjectKind::kSubCharTable, items);
}

Value Reader::make_propertied(std::span<const Value> items) {
  if (items.empty() || !items[0].is_string()) return invalid_syntax("#");
  const Value string = items[0];
  for (std::size_t i = 1; i < items.size(); i += 3) {
    if (i + 2 >= items.size()) return invalid_syntax("Invalid string property list");
    const HostHooks& hooks = host_hooks(cx_);
    if (hooks.set_string_properties != nullptr)
      TRY(hooks.set_string_properties(cx_, items[i], items[i + 1], items[i + 2], string));
  }
  return string;
}

}  // namespace neovm::elisp
