// What a new task knows beyond the image: the names that its starter defined since, and settings of the whole program.
//
// A definition is [SYMBOL FUNCTION PLIST SPECIAL VALUE]. A symbol of the image is defined anew when its function is not the
// one it started with, when it has become a special variable, or when properties were put; all of that goes along. A new
// value of a variable that was there before stays with the task that set it, unless it had none in the image: options whose
// first value is worked out at the start (custom-initialize-delay). A part that cannot travel is left out.
#include <utility>

#include "task/task.hpp"

namespace neovm::elisp {

namespace {

// Settings of the command line and the start-up that every task shares; the variable's default value travels.
constexpr const char* kShared[] = {
    "features",
    "load-path",
    "default-directory",
    "process-environment",
    "exec-path",
    "temporary-file-directory",
    "user-emacs-directory",
    "locale-coding-system",
    "file-name-coding-system",
    "default-file-name-coding-system",
    "default-process-coding-system",
    "current-language-environment",
    "coding-system-for-read",
    "coding-system-for-write",
    "noninteractive",
    "load-prefer-newer",
    "text-quoting-style",
    "internal--text-quoting-flag",
    "gc-cons-threshold",
    "max-lisp-eval-depth",
    "max-specpdl-size",
};

bool travels(Context& cx, Value v) { return !v.is_heap() || worker::path_to_stranger(cx, v, "x").empty(); }

struct Collector {
  Context& cx;
  std::uint64_t known_ids;
  const core::ImageCells& image;
  std::uint64_t moved;  // how far the image lies from where its file says
  Value out = kNil;
  Value shared = kNil;  // (SYMBOL . VALUE)

  [[nodiscard]] bool is_new(Value v) const {
    return v.is_heap() && (v.bits() < image.begin + moved || v.bits() >= image.end + moved);
  }
  // Properties that were put since: their conses or their values do not lie in the image.
  [[nodiscard]] bool has_new_property(Value plist) const {
    for (int most = 1000; plist.is_cons() && most > 0; plist = cdr_raw(plist), --most)
      if (is_new(plist) || is_new(car_raw(plist))) return true;
    return false;
  }
  [[nodiscard]] bool is_as_in_image(const SymbolCells& now, std::uint32_t id, bool special) const {
    if (id >= image.cells.size()) return true;
    const SymbolCells& then = image.cells[id];
    const Value function = then.function.is_heap() ? Value::from_bits(then.function.bits() + moved) : then.function;
    return now.function == function && (!special || (then.flags & kSymbolSpecial) != 0) && !has_new_property(now.plist);
  }
};

// A variable of the image that was void there has got its first value.
bool has_first_value(const Collector& c, const SymbolCells& now, std::uint32_t id) {
  if (now.redirect != kPlain || (now.flags & kSymbolSpecial) == 0 || now.value.is_unbound()) return false;
  if (id >= c.image.cells.size()) return false;
  const SymbolCells& then = c.image.cells[id];
  return then.redirect == kPlain && (then.flags & kSymbolSpecial) != 0 && then.value.is_unbound();
}

void collect_one(Collector& c, Value symbol, const SymbolCells& cells) {
  bool special = (cells.flags & kSymbolSpecial) != 0 && (cells.flags & kSymbolKeyword) == 0;
  bool valued = (cells.flags & kSymbolKeyword) == 0 && cells.redirect == kPlain && !cells.value.is_unbound();
  if (!symbol.is_heap() && symbol.as_symbol_id() < c.known_ids) {
    const std::uint32_t id = symbol.as_symbol_id();
    if (c.is_as_in_image(cells, id, special)) return;
    if (id < c.image.cells.size() && (c.image.cells[id].flags & kSymbolSpecial) != 0) special = false;
    if (!special) valued = false;  // it had one before, which stays here
  }
  if (cells.function.is_nil() && cells.plist.is_nil() && !special && !valued) return;
  const Value value = valued ? cells.value : kUnbound;
  const Value parts[] = {symbol, cells.function, cells.plist, boolean(special), value};
  c.out = cons(c.cx, make_vector_from(c.cx, parts), c.out);
}

// Symbols of the image in the order of their ids, for their cells lie side by side; then the others.
void collect(Collector& c, Isolate& isolate) {
  for (std::uint64_t id = 0; id < c.known_ids; ++id) {
    const Value symbol = Value::symbol_id(static_cast<std::uint32_t>(id));
    const SymbolCells& cells = c.cx.cells(symbol);
    if ((cells.flags & kSymbolInterned) == 0) continue;
    collect_one(c, symbol, cells);
    if (has_first_value(c, cells, static_cast<std::uint32_t>(id)) && travels(c.cx, cells.value))
      c.shared = cons(c.cx, cons(c.cx, symbol, cells.value), c.shared);
  }
  isolate.each_symbol(
      [](void* data, Value symbol) {
        auto& all = *static_cast<Collector*>(data);
        if (symbol.is_heap() || symbol.as_symbol_id() >= all.known_ids) collect_one(all, symbol, all.cx.cells(symbol));
      },
      &c);
}

void leave_out_strangers(Context& cx, Value definitions) {
  for (Value l = definitions; l.is_cons(); l = cdr_raw(l)) {
    const Value d = car_raw(l);
    if (!travels(cx, slot_raw(d, 1))) set_slot_raw(d, 1, kNil);
    if (!travels(cx, slot_raw(d, 2))) set_slot_raw(d, 2, kNil);
    if (!travels(cx, slot_raw(d, 4))) set_slot_raw(d, 4, kUnbound);
  }
}

}  // namespace

Value task_definitions(Context& cx) {
  Isolate& isolate = cx.isolate();
  const std::uint64_t ids = isolate.image_token != 0 ? isolate.image_symbols : kStaticSymbolCount;
  TaskState* state = TRY(need_tasks(cx));
  TaskWorld& world = state->world;
  {
    const std::lock_guard<std::mutex> lock(world.mutex);
    if (!std::exchange(world.cells_read, true)) world.image = core::read_image_cells(world.settings.image);
  }
  // Names never change: where nil's lies tells where the image lies.
  const std::uint64_t moved =
      world.image.cells.empty() ? 0 : cx.cells(kNil).name.bits() - world.image.cells[0].name.bits();
  Collector c{cx, ids, world.image, moved};
  collect(c, isolate);
  Value shared = c.shared;
  for (const char* name : kShared) {
    const Value symbol = isolate.find_symbol(name);
    if (symbol.is_unbound()) continue;
    const Value v = variable_value(cx, symbol);
    if (!v.is_unbound() && travels(cx, v)) shared = cons(cx, cons(cx, symbol, v), shared);
  }
  const Value both = cons(cx, c.out, shared);
  Message probe;
  if (!state->transfer.send(cx, both, {}, &probe).ok()) leave_out_strangers(cx, c.out);
  return both;
}

Value install_definitions(Context& cx, Value definitions) {
  RootVector kept(cx);
  kept.values = {car_raw(definitions), cdr_raw(definitions)};
  for (Value l = kept.values[0]; l.is_cons(); l = cdr_raw(l)) {
    const Value d = car_raw(l);
    const Value symbol = slot_raw(d, 0);
    SymbolCells& cells = cx.cells(symbol);
    if (!slot_raw(d, 1).is_nil()) set_symbol_function(cx, symbol, slot_raw(d, 1));
    store(&cells.plist, slot_raw(d, 2));
    if (slot_raw(d, 3).truthy()) cells.flags |= kSymbolSpecial;
    if (!slot_raw(d, 4).is_unbound() && cells.redirect == kPlain) store(&cells.value, slot_raw(d, 4));
  }
  for (Value l = kept.values[1]; l.is_cons(); l = cdr_raw(l)) {
    const Value symbol = car_raw(car_raw(l));
    const Value v = cdr_raw(car_raw(l));
    TRY(set_default_re(cx, symbol, v));
    if (symbol == Qdefault_directory) TRY(set_variable_re(cx, symbol, v));
  }
  return kNil;
}

}  // namespace neovm::elisp
