// Char-tables, hash tables, equality, match data: the services that text/, host/ and guests share.
// Implemented by the core.
#pragma once

#include "neovm/abi/error.hpp"
#include "neovm/abi/layout.hpp"

namespace neovm {

// ---- char-tables (chartab) ------------------------------------------------------------------------
// Layout of the kCharTable slots object: these, then 64 contents of 65,536 characters each, then extras.
inline constexpr int kCharTableDefault = 0;
inline constexpr int kCharTableParent = 1;
inline constexpr int kCharTablePurpose = 2;
inline constexpr int kCharTableAscii = 3;  // cached 128-character leaf or value
inline constexpr int kCharTableContents = 4;
inline constexpr int kCharTableExtras = 68;

Value make_char_table(Context& cx, Value purpose, Value init);
// Value for character `c` (default and parent applied); nil when there is none.
Value char_table_get(Value table, int c);
void char_table_set(Context& cx, Value table, int c, Value v);
void char_table_set_range(Context& cx, Value table, int from, int to, Value v);

// ---- hash tables ------------------------------------------------------------------------------------
enum class HashTest : std::uint8_t { kEq, kEql, kEqual, kUser };
enum class WeakKind : std::uint8_t { kNone, kKey, kValue, kKeyOrValue, kKeyAndValue };
// For C++ users; tests eq, eql, equal only. kUnbound when absent.
Value make_hash_table(Context& cx, HashTest test, WeakKind weak = WeakKind::kNone);
Value hash_table_get(Context& cx, Value table, Value key);
void hash_table_put(Context& cx, Value table, Value key, Value v);
void hash_table_remove(Context& cx, Value table, Value key);
std::int64_t hash_table_count(Value table);
// Identity hash that survives moving; conses get theirs from a side table.
std::uint32_t identity_hash(Context& cx, Value v);

// ---- equality ---------------------------------------------------------------------------------------
bool eql(Value a, Value b);
// `equal`; fails with circular/recursion errors as Emacs does ("Stack overflow in equal").
Maybe<bool> equal(Context& cx, Value a, Value b);
Maybe<bool> equal_including_properties(Context& cx, Value a, Value b);

// ---- lists --------------------------------------------------------------------------------------------
// Length of a proper list; signals wrong-type-argument listp / circular-list as `length` does.
Maybe<std::int64_t> list_length(Context& cx, Value list);
Value assq(Value key, Value alist);  // first (KEY . X) or nil; tolerates non-cons elements, stops at a non-list tail
Value memq(Value key, Value list);
Value plist_get(Value plist, Value property);  // eq; nil when absent
Value nreverse_list(Value list);               // proper list, destructive

// ---- tables of the current buffer ------------------------------------------------------------------
// Kept by the host when it switches buffers; without a host, the standard tables.
struct CurrentTables {
  Value syntax;    // char-table
  Value category;  // char-table
  Value downcase;  // char-table; extras: up, canonicalize, equivalences
};
CurrentTables& current_tables(Context& cx);   // traced by the context
CurrentTables& standard_tables(Context& cx);  // traced by the isolate

// ---- match data --------------------------------------------------------------------------------------
// Registers of the last successful search, in characters; -1 for groups that did not match.
struct MatchData {
  static constexpr int kMaxGroups = 256;
  int count = 0;  // groups recorded, 0: no search yet
  std::int64_t start[kMaxGroups];
  std::int64_t end[kMaxGroups];
  Value last = kNil;  // the buffer searched, t for a string, nil when unknown (host object; traced)
};
MatchData& match_data(Context& cx);

}  // namespace neovm
