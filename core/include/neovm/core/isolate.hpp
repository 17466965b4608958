// An isolate: one heap with its symbol cells, and what is per heap in the layers above.
//
// Nothing here is shared between isolates. At most one thread runs an isolate at a time; it may be
// another one after a hand-over (the worker layer sees to that).
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "neovm/abi/host.hpp"
#include "neovm/abi/primitive.hpp"
#include "neovm/abi/tables.hpp"
#include "neovm/core/heap.hpp"

namespace neovm {

namespace core {
struct ImageParts;  // the image reads and replaces symbol cells and table
}

// Entry points of the guest that runs in the isolate; direct pointers, set once by the guest.
struct GuestHooks {
  Value (*funcall)(Context& cx, Value function, std::span<const Value> args) = nullptr;
  Value (*eval)(Context& cx, Value form, Value lexical) = nullptr;
  // As funcall, for the outermost call of a context: may return kSuspended, and resume goes on with it, on whatever
  // thread runs the context then (its native stack bounds must be set). VALUE is what a parked primitive returns
  // (kExit: what is recorded in the context); after the end of a slice it is not looked at.
  Value (*start)(Context& cx, Value function, std::span<const Value> args) = nullptr;
  Value (*resume)(Context& cx, Value value) = nullptr;
  // Runs variable watchers: (SYMBOL NEWVAL OPERATION WHERE).
  Value (*notify_watchers)(Context& cx, Value symbol, Value newval, Value operation, Value where) = nullptr;
  // Finds who catches the pending exit, after signal-hook-function and the debugger ran; sets
  // exit_resolved and exit_target. Everything is still bound.
  void (*resolve_exit)(Context& cx) = nullptr;
  // If set: told of an error that nothing will catch, everything still bound, in place of the debugger. May run Lisp.
  void (*uncaught_re)(Context& cx, Value symbol, Value data) = nullptr;
  // Lisp wrote quit-flag or inhibit-quit: a quit is due at the next form or call, or is not any more.
  void (*quit_is_due)(Context& cx, bool due) = nullptr;
  // Runs the clean-up of a kUnwindLisp binding; kExit when it fails.
  Value (*run_cleanup)(Context& cx, Value forms, Value env) = nullptr;
  Value (*run_hook)(Context& cx, std::span<const Value> args) = nullptr;
  // GC roots of the guest beyond Context (feedback, code caches).
  void (*trace)(Isolate& isolate, Tracer& t) = nullptr;
};

struct IsolateOptions {
  core::HeapOptions heap;
  bool main = true;       // may run MainOnly primitives
  bool building = false;  // interned symbols get ids (an image will be written)
};

class Isolate {
 public:
  explicit Isolate(const IsolateOptions& options);
  ~Isolate();
  Isolate(const Isolate&) = delete;
  Isolate& operator=(const Isolate&) = delete;

  core::Heap& heap() { return heap_; }
  [[nodiscard]] const IsolateOptions& options() const { return options_; }

  // ---- symbols ----
  static constexpr unsigned kCellChunkShift = 6;
  SymbolCells& cells(Value symbol) {
    if (symbol.bits() < Value::kSymbolIdLimit) [[likely]] {
      const std::uint32_t id = symbol.as_symbol_id();
      return cell_chunks_[id >> kCellChunkShift][id & 63];
    }
    return *symbol.as_pointer<SymbolCells>();
  }
  // Finds or makes the symbol named `name` (internal encoding) in the isolate's table.
  Value intern(std::string_view name, bool* created = nullptr);
  Value find_symbol(std::string_view name);  // kUnbound when there is none
  bool unintern(Value symbol);
  // Calls fn(data, symbol) for each interned symbol; fn must not intern.
  void each_symbol(void (*fn)(void* data, Value symbol), void* data);
  std::size_t symbol_count() const { return symbol_total_; }
  std::uint32_t id_symbol_count() const { return next_symbol_id_; }
  void stop_building() { options_.building = false; }
  // Image loading: makes room for `count` id symbols; returns nothing, cells are zero.
  void reserve_symbol_ids(std::uint32_t count);
  void rebuild_symbol_table();  // from the names in the cells

  // ---- layers above ----
  Extension& extension(ExtensionId id) { return extensions_[static_cast<int>(id)]; }
  HostHooks& host_hooks() { return host_hooks_; }
  GuestHooks& guest_hooks() { return guest_hooks_; }
  CurrentTables& standard_tables() { return standard_tables_; }

  // Which image the isolate started from (0: none), and how many symbol ids that image gave: isolates of one image
  // mean the same symbols by those ids.
  std::uint64_t image_token = 0;
  std::uint32_t image_symbols = 0;

  // The main vector of `obarray`.
  Slot main_obarray;

  // Lisp has one empty string of each kind and one empty vector: `eq` and print-circle show it. Nil until asked for;
  // nothing may write to them.
  enum EmptyKind : int { kEmptyUnibyte, kEmptyMultibyte, kEmptyVector, kEmptyKinds };
  Slot empty_objects[kEmptyKinds];

  // Buffer fixed slots: slot index -> symbol.
  std::vector<Value> buffer_slot_symbols;  // id symbols only, so no tracing needed

  std::vector<Context*>& contexts() { return contexts_; }
  void trace_roots(Tracer& t);  // everything but native stacks
  // The same without tables that hold nothing young.
  void trace_roots_minor(Tracer& t);

  std::uint64_t unimplemented_count = 0;
  std::uint64_t next_gensym = 0;
  std::uint64_t random_state[4] = {};

 private:
  friend class Context;
  friend struct core::ImageParts;
  Value add_symbol(std::string_view name, std::uint32_t hash);
  void grow_table();
  void trace_without_table(Tracer& t);

  IsolateOptions options_;
  core::Heap heap_;
  std::vector<SymbolCells*> cell_chunks_;
  std::uint32_t next_symbol_id_ = 0;
  // Open addressing over name hashes; entries are symbol words, kNil-bits 0 means empty.
  std::vector<Value> table_;
  bool table_has_young_ = false;  // a heap symbol was added since the last collection
  std::size_t symbol_total_ = 0;
  std::size_t table_used_ = 0;
  Extension extensions_[static_cast<int>(ExtensionId::kCount)];
  HostHooks host_hooks_;
  GuestHooks guest_hooks_;
  CurrentTables standard_tables_;
  std::vector<Context*> contexts_;
};

}  // namespace neovm
