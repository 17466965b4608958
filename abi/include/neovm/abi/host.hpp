// What a host (editor, embedder) implements and what it gets.
//
// Host objects (buffer, marker, window, process, …) are GC objects whose type the host describes with a
// HostType; per-isolate state of the host is an Extension. No pointer to a VM struct crosses this line.
#pragma once

#include "neovm/abi/error.hpp"
#include "neovm/abi/layout.hpp"
#include "neovm/abi/primitive.hpp"

namespace neovm {

// Given to trace functions; `visit` may update the slot, because objects move.
class Tracer {
 public:
  using VisitFn = void (*)(Tracer&, Value*);
  explicit Tracer(VisitFn fn) : fn_(fn) {}
  void visit(Value* slot) {
    if (slot->is_heap()) fn_(*this, slot);
  }

 private:
  VisitFn fn_;
};

// A Value held in C++ memory outside the heap. Its owner must visit it from a trace function.
class Slot {
 public:
  Slot() = default;
  explicit Slot(Value v) : value_(v) {}
  [[nodiscard]] Value get() const { return value_; }
  void set(Value v) { value_ = v; }  // outside the heap: traced at every collection, needs no card
  void trace(Tracer& t) { t.visit(&value_); }

 private:
  Value value_ = kNil;
};

// What the image does with objects of a type. Without an answer an object of the type cannot be written.
enum class ImagePayload : std::uint8_t {
  kRefuse,  // a live one makes writing fail with its type's name (default)
  kPlain,   // the payload holds no pointer: its bytes are written
  kHooks,   // save and restore below; the payload is zero when restore is called
};

// How objects of a type travel to another isolate: as a reference to something that all isolates may hold (a
// channel, a task, a snapshot). The reference is counted: every `send` is answered by one `receive` or one `drop`,
// on whatever thread then has it. None of the three may run Lisp.
struct TravelHooks {
  void* (*send)(Context& from, Value self);        // null: this object does not travel
  Value (*receive)(Context& to, void* reference);  // takes the reference over, also when it fails
  void (*drop)(void* reference);                   // the message was never received
};

struct HostType {
  const char* name;          // "buffer"
  Value type_symbol;         // result of type-of
  std::uint16_t slot_count;  // Values at the start, traced precisely
  std::uint16_t payload_bytes;
  // Any of these may be null. `self` is the object; payload follows the slots.
  void (*trace)(Value self, Tracer& t);        // Values kept outside the slots; must not allocate
  void (*finalize)(void* payload);             // the object died: must not touch Values
  Value (*print_re)(Context& cx, Value self);  // string for prin1, e.g. "#<buffer x>"; may run no Lisp but may allocate
  bool (*equal)(Context& cx, Value a, Value b);  // `equal`; null: eq
  ImagePayload image = ImagePayload::kRefuse;
  // A Value that stands for the payload (a string of text, a vector of numbers …); may allocate, not run Lisp.
  Value (*save)(Context& cx, Value self) = nullptr;
  void (*restore)(Context& cx, Value self, Value saved) = nullptr;
  const TravelHooks* travel = nullptr;  // null: its objects stay in their isolate
  bool prints_slots = false;            // prin1 shows the name and every slot: #<NAME SLOT SLOT…>
};

// Makes a type known by name, so that an image can name it: NEOVM_HOST_TYPE(kBufferType) in the .cpp that
// defines it.
#define NEOVM_HOST_TYPE(type) \
  [[gnu::used, gnu::section("neovm_types")]] static const ::neovm::HostType* const typerow_##type = &type;
std::span<const HostType* const> all_host_types();

struct HostObject {
  ObjectHeader header;
  const HostType* type;
  Value slots[1];  // NOLINT: trailing array
};

Value make_host_object(Context& cx, const HostType* type);
inline bool is_host(Value v, const HostType* type) {
  return is_kind(v, ObjectKind::kHost) && v.as_pointer<HostObject>()->type == type;
}
inline Value host_slot_raw(Value v, int i) { return v.as_pointer<HostObject>()->slots[i]; }
inline void set_host_slot_raw(Value v, int i, Value x) { store(&v.as_pointer<HostObject>()->slots[i], x); }
template <class T>
T* host_payload_raw(Value v) {
  auto* o = v.as_pointer<HostObject>();
  return reinterpret_cast<T*>(&o->slots[o->type->slot_count]);
}

// ---- per-isolate state of layers above the core -------------------------------------------------------

enum class ExtensionId : std::uint8_t {
  kText,
  kHostBuffers,
  kHostFiles,
  kHostProcess,
  kHostDisplay,
  kGuestReader,
  kGuestPrinter,
  kGuestCharsets,
  kGuestEval,
  kGuestTasks,
  kBlocking,  // abi/blocking.hpp
  kGuestMisc,
  kCount
};
struct Extension {
  void* state = nullptr;
  void (*trace)(void* state, Tracer& t) = nullptr;
  void (*destroy)(void* state) = nullptr;
  // The image: a Value that stands for the state; restore gets it back after every host object is whole
  // again, on a state that was attached to the new isolate before. Null: the state is not in the image.
  Value (*save)(Context& cx, void* state) = nullptr;
  void (*restore)(Context& cx, void* state, Value saved) = nullptr;
};
// The isolate of `cx` owns the state and calls destroy once.
void set_extension(Context& cx, ExtensionId id, Extension e);
void* extension_state(Context& cx, ExtensionId id);

// ---- buffer-local variables ------------------------------------------------------------------------------
//
// The core looks variables up in the *current locals*: a kInternalSlots object that the host keeps one of
// per buffer. Slot 0 is the alist ((SYMBOL . VALUE) …), slots 1.. are the fixed ones (kUnbound: use the default).
inline constexpr int kLocalsAlist = 0;
// Makes the locals object of a new buffer: always-local slots get their defaults.
Value make_locals(Context& cx);
void set_current_locals(Context& cx, Value locals);
Value current_locals(Context& cx);
// Fixed-slot index of a kBufferSlot symbol.
int buffer_slot_index(Context& cx, Value symbol);
// Value of SYMBOL as seen in the buffer with these locals; kUnbound when void.
Value variable_value_in(Context& cx, Value symbol, Value locals);

// ---- hooks the evaluator and the reader/printer call; null until a host is attached -------------------------

struct TextSource {  // a guest stream over buffer text; see text/cursor.hpp for the spans
  const std::uint8_t* before_gap;
  std::int64_t before_bytes;
  const std::uint8_t* after_gap;
  std::int64_t after_bytes;
  bool multibyte;
};

struct HostHooks {
  // Special forms: push what the binding stack must restore.
  void (*record_save_excursion)(Context& cx) = nullptr;
  void (*record_save_restriction)(Context& cx) = nullptr;
  void (*record_save_current_buffer)(Context& cx) = nullptr;
  // Buffer behind a `let` of a buffer-local variable: current buffer object; is it live; its locals.
  Value (*current_buffer)(Context& cx) = nullptr;
  Value (*buffer_locals)(Context& cx, Value buffer) = nullptr;  // nil for a dead buffer
  // Streams: `where` is a buffer or a marker. read_char: next character at point/marker, -1 at the end,
  // advancing; unread_char steps back one.
  int (*stream_read_char)(Context& cx, Value where) = nullptr;
  void (*stream_unread_char)(Context& cx, Value where) = nullptr;
  // Line (from 1) and column (from 0) of point in a buffer, for the reader's errors.
  void (*stream_line_column)(Context& cx, Value where, std::int64_t* line, std::int64_t* column) = nullptr;
  Value (*stream_insert_re)(Context& cx, Value where, Value string) = nullptr;
  bool (*is_buffer)(Value v) = nullptr;
  bool (*is_marker)(Value v) = nullptr;
  Value (*marker_position)(Context& cx, Value marker) = nullptr;  // fixnum, or kExit when it points nowhere
  // `message` output (batch: a line on standard error). Argument: string or nil.
  void (*message)(Context& cx, Value string) = nullptr;
  // Text properties of strings: copy the properties of src[from,to) (characters) to dst at `at`;
  // compare for equal-including-properties; list of (START END PLIST) for the printer.
  void (*copy_string_properties)(Context& cx, Value src, std::int64_t from, std::int64_t to, Value dst,
                                 std::int64_t at) = nullptr;
  bool (*string_properties_equal)(Context& cx, Value a, Value b) = nullptr;
  Value (*string_property_intervals)(Context& cx, Value s) = nullptr;
  // (set-text-properties START END PLIST STRING), for the reader; fails as that does.
  Value (*set_string_properties)(Context& cx, Value start, Value end, Value plist, Value string) = nullptr;
  void (*add_string_properties)(Context& cx, Value s, std::int64_t from, std::int64_t to, Value plist) = nullptr;
};
HostHooks& host_hooks(Context& cx);

}  // namespace neovm
