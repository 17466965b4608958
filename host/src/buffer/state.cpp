// Life of buffers and of the isolate's buffer state.
#include <algorithm>
#include <cstring>

#include "buffer/buffer.hpp"
#include "buffer/image.hpp"

namespace neomacs::host {

BufferState& buffers(Context& cx) { return *static_cast<BufferState*>(extension_state(cx, ExtensionId::kHostBuffers)); }

// ---- host types ----------------------------------------------------------------------------------------

namespace {

Value print_buffer(Context& cx, Value self) {
  const Buffer& b = buffer_raw(self);
  if (!b.live) return make_string(cx, "#<killed buffer>");
  std::string out = "#<buffer ";
  out += string_view_of(b.name);
  out += '>';
  return string_multibyte(b.name) ? make_multibyte_string(cx, out) : make_unibyte_string(cx, out);
}

// The object moved or was found alive: the struct follows it. Live buffers are rooted by the state.
void trace_buffer(Value self, Tracer& /*t*/) {
  if (Buffer* b = *host_payload_raw<Buffer*>(self)) b->self = self;
}

}  // namespace

void free_buffer(Buffer* b);

namespace {
void finalize_buffer(void* payload) {
  if (Buffer* b = *static_cast<Buffer**>(payload)) free_buffer(b);
}
}  // namespace

const HostType kBufferType = {"buffer",
                              Qbuffer,
                              0,
                              sizeof(void*),
                              trace_buffer,
                              finalize_buffer,
                              print_buffer,
                              nullptr,
                              ImagePayload::kHooks,
                              save_buffer_object,
                              restore_buffer_object};
NEOVM_HOST_TYPE(kBufferType)

// A struct may be freed while the state still lists it as dead; the list is swept when a buffer is made.
void free_buffer(Buffer* b) {
  b->self = kUnbound;  // says "collected" to the sweep
}

namespace {
void sweep_dead(BufferState& s) {
  const auto gone = [](Buffer* b) {
    if (!b->self.is_unbound()) return false;
    delete b->text;
    delete b;
    return true;
  };
  s.dead.erase(std::remove_if(s.dead.begin(), s.dead.end(), gone), s.dead.end());
}
}  // namespace

void trace_buffer_state(void* state, Tracer& t) {
  auto& s = *static_cast<BufferState*>(state);
  for (Buffer* b : s.live) {
    t.visit(&b->self);
    t.visit(&b->name);
    t.visit(&b->locals);
    t.visit(&b->tables.syntax);
    t.visit(&b->tables.category);
    t.visit(&b->tables.downcase);
    t.visit(&b->mark);
    for (Overlay* o : b->overlays_before) t.visit(&o->self);
    for (Overlay* o : b->overlays_after) t.visit(&o->self);
    if (b->base == nullptr) b->text->properties.trace(t);
  }
  t.visit(&s.combined_changes);
  t.visit(&s.combined_buffer);
  for (Value& v : s.overlay_hooks) t.visit(&v);
}

// Called when every object was finalized: nothing refers to the structs any more.
void destroy_buffer_state(void* state) {
  auto* s = static_cast<BufferState*>(state);
  for (Buffer* b : s->live) {
    for (Overlay* o : b->overlays_before) delete o;
    for (Overlay* o : b->overlays_after) delete o;
    if (b->base == nullptr) delete b->text;
    delete b;
  }
  for (Buffer* b : s->dead) {
    delete b->text;
    delete b;
  }
  delete s;
}

// The variables must exist: with an image that is only so when it was loaded.
void find_buffer_slots(Context& cx, BufferState& s) {
  s.slot_read_only = buffer_slot_index(cx, Qbuffer_read_only);
  s.slot_undo_list = buffer_slot_index(cx, Qbuffer_undo_list);
  s.slot_multibyte = buffer_slot_index(cx, Qenable_multibyte_characters);
  s.slot_mark_active = buffer_slot_index(cx, Qmark_active);
  s.slot_file_name = buffer_slot_index(cx, Qbuffer_file_name);
  s.slot_case_fold = buffer_slot_index(cx, Qcase_fold_search);
}

// ---- making and finding -----------------------------------------------------------------------------------

Buffer& new_buffer(Context& cx, Value name, Buffer* base) {
  BufferState& s = buffers(cx);
  sweep_dead(s);
  auto* b = new Buffer;
  const Value self = make_host_object(cx, &kBufferType);
  *host_payload_raw<Buffer*>(self) = b;
  b->self = self;
  b->name = name;
  b->base = base;
  b->text = base != nullptr ? base->text : new TextStore(true);
  b->text->users.push_back(b);
  b->locals = make_locals(cx);
  b->tables = standard_tables(cx);
  b->end = b->text->end();
  b->mark = make_marker(cx, nullptr, {});
  s.live.push_back(b);
  if (string_bytes(name) > 0 && string_data_raw(name)[0] == ' ') set_buffer_variable(cx, *b, Qbuffer_undo_list, Qt);
  if (s.current != nullptr) {
    set_buffer_variable(cx, *b, Qdefault_directory, buffer_variable(cx, *s.current, Qdefault_directory));
  }
  return *b;
}

Buffer* find_buffer(Context& cx, Value name) {
  for (Buffer* b : buffers(cx).live)
    if (string_equal(b->name, name)) return b;
  return nullptr;
}

Maybe<Buffer*> get_buffer_create_re(Context& cx, Value name, bool inhibit_hooks) {
  if (is_buffer(name)) return &buffer_raw(name);
  if (!name.is_string()) return wrong_type(cx, Qstringp, name);
  if (Buffer* b = find_buffer(cx, name)) return b;
  if (string_chars(name) == 0) return error_text(cx, "Empty string for buffer name is not allowed");
  const Value copy = string_multibyte(name) ? TRY(make_multibyte_string(cx, string_view_of(name), string_chars(name)))
                                            : TRY(make_unibyte_string(cx, string_view_of(name)));
                                            Buffer& b = new_buffer(cx, copy, nullptr);
                                            b.inhibit_hooks = inhibit_hooks;
                                            if (!inhibit_hooks) TRY(run_hook_re(cx, Qbuffer_list_update_hook));
                                            return &b;
}

Maybe<Buffer*> buffer_or_current(Context& cx, Value v) {
  if (v.is_nil()) return &current_buffer(cx);
  if (!is_buffer(v)) return wrong_type(cx, Qbufferp, v);
  return &buffer_raw(v);
}

Maybe<Buffer*> buffer_or_name(Context& cx, Value v) {
  if (is_buffer(v)) return &buffer_raw(v);
  if (!v.is_string()) return wrong_type(cx, Qstringp, v);
  if (Buffer* b = find_buffer(cx, v)) return b;
  return error_format(cx, "No buffer named %s", to_std_string(v).c_str());
}

// ---- current -------------------------------------------------------------------------------------------------

void set_current_buffer(Context& cx, Buffer& b) {
  BufferState& s = buffers(cx);
  if (s.current == &b) return;
  if (Buffer* old = s.current) {
    old->tables = current_tables(cx);
    // An indirect buffer and its base have one undo list.
    if (old->base != nullptr && old->live) {
      set_buffer_slot_raw(*old->base, s.slot_undo_list, buffer_slot_raw(*old, s.slot_undo_list));
    }
  }
  s.current = &b;
  if (b.base != nullptr) set_buffer_slot_raw(b, s.slot_undo_list, buffer_slot_raw(*b.base, s.slot_undo_list));
  current_tables(cx) = b.tables;
  set_current_locals(cx, b.locals);
}

Value buffer_variable(Context& cx, const Buffer& b, Value symbol) { return variable_value_in(cx, symbol, b.locals); }

void set_buffer_variable(Context& cx, Buffer& b, Value symbol, Value v) {
  set_slot_raw(b.locals, buffer_slot_index(cx, symbol), v);
}

// ---- positions ---------------------------------------------------------------------------------------------------

Pos clip(Buffer& b, std::int64_t charpos) {
  if (charpos <= b.begin.chars) return b.begin;
  if (charpos >= b.end.chars) return b.end;
  return b.text->at_char(charpos);
}

Maybe<Region> region_arguments(Context& cx, Value start, Value end) {
  const std::int64_t from = TRY(position_argument(cx, start));
  const std::int64_t to = TRY(position_argument(cx, end));
  const Region region{std::min(from, to), std::max(from, to)};
  const Buffer& b = current_buffer(cx);
  if (region.start < b.begin.chars || region.end > b.end.chars) {
    return args_out_of_range(cx, b.self, start, end);
  }
  return region;
}

}  // namespace neomacs::host
