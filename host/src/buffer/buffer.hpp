// Buffers as the host's C++ sees them, and the accessors every other part of the host uses.
//
// A Lisp buffer is a host object whose payload points to a Buffer; the struct lives until the object is
// collected, also after kill-buffer. Live buffers are rooted by BufferState, which is the isolate's
// kHostBuffers extension: everything a live Buffer holds in C++ memory is traced from there at every
// collection.
//
// A Buffer& stays valid across re-entry as long as its Lisp object is reachable, but the buffer may have
// been killed meanwhile: look at `live`. Positions and text views do not survive re-entry.
#pragma once

#include <memory>
#include <vector>

#include "buffer/text_store.hpp"
#include "neovm/abi/api.hpp"

namespace neomacs::host {

struct Overlay {
  Buffer* buffer = nullptr;
  Marker start;
  Marker end;
  Value self = kNil;  // strong: a buffer keeps its overlays
};

// The visited file as it was when last read or written. (fileio)
struct FileStamp {
  static constexpr std::int64_t kUnknown = -1;  // values of nanoseconds
  static constexpr std::int64_t kNonexistent = -2;
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = kUnknown;
  std::int64_t size = -1;  // -1: not compared
};

struct Buffer {
  Value self = kNil;
  bool live = true;
  FileStamp stamp;
  bool inhibit_hooks = false;  // buffer made for internal use: no buffer hooks
  TextStore* text = nullptr;
  Buffer* base = nullptr;  // of an indirect buffer
  int indirections = 0;    // indirect buffers that have this one as base
  // Point and the accessible portion.
  Pos point;
  Pos begin;
  Pos end;

  Value name = kNil;    // string; nil when dead
  Value locals = kNil;  // variable bindings, see abi/host.hpp
  CurrentTables tables;
  Value mark = kNil;  // the marker of mark-marker
  std::int64_t overlay_modified = 1;

  // Overlays that end before or at `overlay_center` (by decreasing end), and the others (by increasing start).
  std::vector<Overlay*> overlays_before;
  std::vector<Overlay*> overlays_after;
  std::int64_t overlay_center = 1;

  [[nodiscard]] bool multibyte() const { return text->multibyte(); }
  [[nodiscard]] text::Cursor cursor() const { return text->cursor(); }
  [[nodiscard]] bool narrowed() const { return begin.chars != 1 || end.chars != text->end().chars; }
  [[nodiscard]] bool has_overlays() const { return !overlays_before.empty() || !overlays_after.empty(); }
};

// Saved by save-excursion and save-restriction; indexes into this pool travel on the binding stack.
struct SavedPlace {
  bool used = false;
  bool restriction = false;  // save-restriction that saw a narrowed buffer
  Marker point;              // or the beginning
  Marker end;
  std::uint32_t next_free = 0;
};

struct BufferState {
  std::vector<Buffer*> live;  // in the order of buffer-list
  std::vector<Buffer*> dead;  // killed, object not collected yet
  Buffer* current = nullptr;
  // Deque-like pool with stable addresses: markers are linked by address.
  std::vector<std::unique_ptr<SavedPlace>> saved_places;
  std::vector<std::uint32_t> free_saved_places;
  // Fixed slots read on hot paths.
  int slot_read_only = 0;
  int slot_undo_list = 0;
  int slot_multibyte = 0;
  int slot_mark_active = 0;
  int slot_file_name = 0;
  int slot_case_fold = 0;
  // Undo: the buffer of the last recorded change, and where point was at the last boundary or command.
  Buffer* last_undo_buffer = nullptr;
  std::int64_t last_boundary_position = 1;
  Buffer* last_boundary_buffer = nullptr;
  // combine-after-change-calls: pending (BEG-FROM-START END-FROM-END CHANGE) records and their buffer.
  Value combined_changes = kNil;
  Value combined_buffer = kNil;
  // Hook results kept while after-change functions of overlays wait for the change.
  std::vector<Value> overlay_hooks;  // pairs (function, overlay)
  std::uint64_t next_buffer_number = 0;
};

BufferState& buffers(Context& cx);
extern const HostType kBufferType;
extern const HostType kMarkerType;
extern const HostType kOverlayType;

inline bool is_buffer(Value v) { return is_host(v, &kBufferType); }
inline bool is_marker(Value v) { return is_host(v, &kMarkerType); }
inline bool is_overlay(Value v) { return is_host(v, &kOverlayType); }
// Precondition: is_buffer(v).
inline Buffer& buffer_raw(Value v) { return **host_payload_raw<Buffer*>(v); }

inline Buffer& current_buffer(Context& cx) { return *buffers(cx).current; }
// Switches locals and tables too. Never runs Lisp.
void set_current_buffer(Context& cx, Buffer& b);

// A buffer argument: nil is the current buffer; else it must be a buffer (bufferp), dead or not.
Maybe<Buffer*> buffer_or_current(Context& cx, Value v);
// A buffer or the name of one that must exist: signals as `get-buffer` users do (error "No buffer named x").
Maybe<Buffer*> buffer_or_name(Context& cx, Value v);
// The live buffer with this name, or null.
Buffer* find_buffer(Context& cx, Value name);
// get-buffer-create; runs buffer-list-update-hook unless inhibited.
Maybe<Buffer*> get_buffer_create_re(Context& cx, Value name, bool inhibit_hooks);
Value kill_buffer_re(Context& cx, Value buffer_or_name);

// Per-buffer variables of any buffer.
Value buffer_variable(Context& cx, const Buffer& b, Value symbol);
void set_buffer_variable(Context& cx, Buffer& b, Value symbol, Value v);  // fixed slots only
inline Value buffer_slot_raw(const Buffer& b, int slot) { return slot_raw(b.locals, slot); }
inline void set_buffer_slot_raw(Buffer& b, int slot, Value v) { set_slot_raw(b.locals, slot, v); }

// ---- positions ------------------------------------------------------------------------------------------
inline void set_point(Buffer& b, Pos p) { b.point = p; }
// Clips to the accessible portion.
Pos clip(Buffer& b, std::int64_t charpos);

struct Region {
  std::int64_t start;
  std::int64_t end;
};
// START and END arguments (integers or markers) in the current buffer: ordered; signals args-out-of-range
// with the buffer and both as given unless both lie in the accessible portion.
Maybe<Region> region_arguments(Context& cx, Value start, Value end);

// ---- markers ----------------------------------------------------------------------------------------------
// A new Lisp marker in `b` (null: nowhere).
Value make_marker(Context& cx, Buffer* b, Pos p, bool advance = false);
// The position it points to; null when nowhere. Precondition: is_marker(v).
Marker* marker_raw(Value v);
void move_marker(Context& cx, Value marker, Buffer* b, Pos p);
void detach_marker(Value marker);

void attach_marker(Marker& m, Buffer& b, Pos p, bool advance);  // internal ones
void detach_marker(Marker& m);

}  // namespace neomacs::host
