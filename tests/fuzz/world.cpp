#include "world.hpp"

#include <cstdio>
#include <cstdlib>

#include "eval/tiers.hpp"
#include "neovm/elisp/elisp.hpp"
#include "neovm/host/host.hpp"

namespace neovm::fuzz {

namespace {

constexpr std::uint32_t kUsesOfAWorld = 6000;
constexpr std::int64_t kFuel = 250;  // a loop that scans what it inserts takes the square of it
enum Kept : unsigned {
  kDriver = 4,
  kReset,
  kTell,
  kMakeConstants,
  kArguments,
  kKeptCount = kArguments + World::kArgumentSets
};

// What programs can name. Nothing here waits, touches files, or asks for more memory than a program is long.
// (Read anew each time: a program may write to every list it gets.)
constexpr const char* kMakeConstantsForm = R"((progn
  (fset 'fuzz-helper (function (lambda (x &optional y) (cons y x))))
  (fset 'fuzz-macro (cons 'macro (function (lambda (x) x))))
  (vector nil t 0 1 7 2.5 (list 1 2 3) 'fuzz-symbol (vector 1 2.5 'a) 'list '+ 'car (list 'error) 'fuzz-variable "text"
          'mapcar 'funcall 'apply 'sort 'fuzz-self 'fuzz-helper fuzz-table 'signal 'throw
          (lambda (x) (setq fuzz-variable (list x))) most-positive-fixnum (* 4 most-positive-fixnum) (cons 1 2) 'fuzz-macro
          (list '(wrong-type-argument 1) '(t 2)) 'mapconcat 'fuzz-local)))";

constexpr const char* kSetup = R"((progn
  (setq fuzz-buffer (get-buffer-create "fuzz") print-length 6 print-level 6)
  (set-buffer fuzz-buffer)
  (setq buffer-undo-list t)
  (set 'fuzz-local 1)
  (make-variable-buffer-local 'fuzz-local)
  (setq fuzz-table (make-hash-table))
  (set-default 'fuzz-local 1)))";

constexpr const char* kResetForm = R"((lambda (f)
  (fset 'fuzz-self f)
  (set-default 'fuzz-local 1)
  (clrhash fuzz-table)
  (puthash 1 8 fuzz-table) (puthash 'fuzz-symbol 14 fuzz-table) (puthash 7 3 fuzz-table)
  (set-buffer fuzz-buffer)
  (kill-local-variable 'fuzz-local)
  (kill-local-variable 'fuzz-variable)
  (widen)
  (erase-buffer)
  (insert "some text, (and more)\n  of it\n")
  (goto-char 6)
  (set-marker (mark-marker) 9)
  (set-match-data nil)))";

constexpr const char* kDriverForm = R"((lambda (f args)
  (condition-case e (prin1-to-string (apply f args)) (error (prin1-to-string e)) (quit "quit")
    (neovm-unimplemented "unimplemented"))))";

constexpr const char* kTellForm = R"((lambda ()
  (format "; %d %S %S" (point) (buffer-string) (list fuzz-variable (default-value 'fuzz-local) (marker-position (mark-marker))))))";

constexpr const char* kArgumentForms[World::kArgumentSets] = {
    "(list 1 nil (list 4 5))", "(list 2.5 'fuzz-symbol 3)", "(list (cons 'a 'b) 7 0)", "(list \"ab\" t (vector 1 2))"};

// The slice is over: an end that nothing catches.
Value stop(Context& cx) {
  cx.fuel = kFuel;
  cx.exit_kind = ExitKind::kKill;
  cx.exit_tag = cx.exit_data = kNil;
  cx.exit_resolved = false;
  return kExit;
}

std::unique_ptr<World>& current() {
  static std::unique_ptr<World> world;
  return world;
}

}  // namespace

World::World() {
  IsolateOptions options;
  options.building = true;
  options.heap.limit_bytes = std::size_t{4} << 20;  // text counts, and is looked through by much
  options.heap.nursery_bytes = std::size_t{256} << 10;
  isolate_ = std::make_unique<Isolate>(options);
  cx_ = std::make_unique<Context>(*isolate_);
  elisp::attach(*cx_);
  neomacs::host::attach(*cx_);
  kept_ = std::make_unique<RootVector>(*cx_);
  kept_->values.resize(kKeptCount);
  (void)eval("(defalias 'lambda (cons 'macro (function (lambda (&rest f) (list 'function (cons 'lambda f))))))");
  (void)eval("(defvar fuzz-variable 5)");
  (void)eval(kSetup);
  kept_->values[kReset] = eval(kResetForm);
  kept_->values[kDriver] = eval(kDriverForm);
  kept_->values[kTell] = eval(kTellForm);
  save_symbols();
  for (unsigned i = 0; i < kArgumentSets; ++i)
    kept_->values[kArguments + i] = eval(std::string("(lambda () ") + kArgumentForms[i] + ")");
}

World::~World() {
  cells_.reset();
  kept_.reset();
  cx_.reset();
  isolate_.reset();
}

World& World::get() {
  std::unique_ptr<World>& world = current();
  if (world == nullptr || ++world->uses_ > kUsesOfAWorld) {
    world.reset();
    world = std::make_unique<World>();
  }
  return *world;
}

void World::forget() { current().reset(); }

Value World::read(std::string_view text) {
  const Value result = funcall_re(*cx_, Qread_from_string, {make_string(*cx_, text)});
  if (result.is_exit()) {
    std::fprintf(stderr, "fuzz: cannot read %.*s\n", static_cast<int>(text.size()), text.data());
    std::abort();
  }
  return car_raw(result);
}

Value World::eval(std::string_view text) {
  const Value v = eval_form_re(*cx_, read(text), Qt);
  if (v.is_exit()) {
    std::fprintf(stderr, "fuzz: %s from %.*s\n", to_std_string(cx_->cells(cx_->exit_tag).name).c_str(),
                 static_cast<int>(text.size()), text.data());
    std::abort();
  }
  return v;
}

Value World::constants() {
  restore_symbols(true);
  const Value v = eval(kMakeConstantsForm);
  if (slot_count_raw(v) != kConstants) std::abort();
  return v;
}

// What programs reach is more than what they are given: the data of an error hold symbols, too. So all are put back now and then,
// and those within easy reach after each run.
constexpr const char* kNear[] = {
    "fuzz-self", "fuzz-helper", "fuzz-macro", "fuzz-symbol", "fuzz-variable", "fuzz-local", "a",
    "x",         "y",           "list",       "+",           "car",           "error",      "mapcar",
    "funcall",   "apply",       "sort",       "signal",      "throw",         "mapconcat",  "closure",
    "lambda",    "macro",       "setq",       "function",    "cons",          "quote",      "wrong-type-argument"};

void World::save_symbols() {
  cells_ = std::make_unique<RootVector>(*cx_);
  const auto save = [](void* data, Value symbol) {
    auto& w = *static_cast<World*>(data);
    const SymbolCells& c = w.cx_->cells(symbol);
    w.cells_->values.insert(w.cells_->values.end(), {symbol, c.function, c.value, c.plist});
  };
  for (const char* name : kNear) save(this, intern(*cx_, name));
  isolate_->each_symbol(save, this);
}

void World::restore_symbols(bool values) {
  const std::vector<Value>& saved = cells_->values;
  const std::size_t end = uses_ % 64 == 0 ? saved.size() : 4 * std::size(kNear);
  for (std::size_t i = 0; i < end; i += 4) {
    SymbolCells& c = cx_->cells(saved[i]);
    if (c.function != saved[i + 1]) set_symbol_function(*cx_, saved[i], saved[i + 1]);
    if (!values) continue;
    if (c.redirect == kPlain && c.value != saved[i + 2]) store(&c.value, saved[i + 2]);
    if (c.plist != saved[i + 3]) store(&c.plist, saved[i + 3]);
  }
}

void World::limit() {
  cx_->fuel = kFuel;
  cx_->on_slice_end = stop;
  cx_->interrupts = 0;
}

std::string World::run(Value function, unsigned set) {
  kept_->values[3] = function;
  cx_->on_slice_end = nullptr;
  if (funcall_re(*cx_, kept_->values[kReset], {function}).is_exit()) {
    // The program before wrote to a part of the world itself.
    cx_->exit_kind = ExitKind::kNone;
    uses_ = kUsesOfAWorld;
    return "stopped";
  }
  const Value arguments = funcall_re(*cx_, kept_->values[kArguments + set], {});
  limit();
  const Value v = funcall_re(*cx_, kept_->values[kDriver], {kept_->values[3], arguments});
  cx_->on_slice_end = nullptr;
  std::string told;
  if (!v.is_exit()) {
    told = to_std_string(v);
  } else {
    told = cx_->exit_kind == ExitKind::kKill ? "stopped" : "exit";
    cx_->exit_kind = ExitKind::kNone;
  }
  check("a run");
  if (told == "stopped") return told;
  restore_symbols(false);
  limit();
  const Value more = funcall_re(*cx_, kept_->values[kTell], {});
  cx_->on_slice_end = nullptr;
  if (!more.is_exit()) return told + to_std_string(more);
  cx_->exit_kind = ExitKind::kNone;
  return told + "; nothing to tell";
}

void World::run_quietly(Value function, std::span<const Value> arguments) {
  limit();
  const Value v = funcall_re(*cx_, function, arguments);
  cx_->on_slice_end = nullptr;
  if (v.is_exit()) cx_->exit_kind = ExitKind::kNone;
  check("a quiet run");
}

void World::check(const char* when) {
  const char* left = cx_->sp != cx_->stack_base
                         ? "frames"
                         : (!cx_->bindings.empty() ? "bindings" : (!cx_->handlers.empty() ? "handlers" : nullptr));
  if (left == nullptr && cx_->eval_depth != 0) left = "depth";
  if (left == nullptr && cx_->native_depth != 0) left = "native depth";
  if (left != nullptr) {
    std::fprintf(stderr, "fuzz: %s left after %s\n", left, when);
    std::abort();
  }
  if (uses_ % 512 == 511) {
    collect_now_re(*cx_, uses_ % 4096 == 4095 ? core::CollectKind::kMajor : core::CollectKind::kMinor);
    cx_->heap().verify(when);
  }
}

}  // namespace neovm::fuzz
