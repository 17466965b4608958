// Ending buffers, indirect buffers, swapping texts (buffer.c).
#include <algorithm>

#include "buffer/buffer.hpp"
#include "buffer/overlay.hpp"
#include "buffer/saved_places.hpp"

namespace neomacs::host {

Buffer& new_buffer(Context& cx, Value name, Buffer* base);
Value other_buffer_re(Context& cx, Value buffer, Value visible_ok);
void detach_markers_of(Buffer& b, bool whole_text);

namespace {

// Runs the query functions and kill-buffer-hook with the buffer current. False: somebody objected.
Maybe<bool> ask_and_tell_re(Context& cx, Buffer& b) {
  const std::size_t depth = binding_depth(cx);
  record_save_excursion(cx);
  set_current_buffer(cx, b);
  if (!b.inhibit_hooks) {
    if (symbol_function(cx, Qrun_hook_with_args_until_failure).truthy()) {
      const Value ok = TRY(funcall_re(cx, Qrun_hook_with_args_until_failure, {Qkill_buffer_query_functions}));
      if (ok.is_nil()) {
        TRY(unbind_to_re(cx, depth, kNil));
        return false;
      }
    }
    if (b.live) TRY(run_hook_re(cx, Qkill_buffer_hook));
  }
  TRY(unbind_to_re(cx, depth, kNil));
  return true;
}

}  // namespace

// With kill-buffer-delete-auto-save-files, what was saved of unsaved changes may go with them.
static Value offer_to_delete_auto_save_file_re(Context& cx, Buffer& b) {
  const Value file = buffer_variable(cx, b, Qbuffer_auto_save_file_name);
  if (!file.is_string() || !variable_true(cx, intern(cx, "kill-buffer-delete-auto-save-files"))) return kNil;
  if (b.text->modified <= b.text->saved || TRY(funcall_re(cx, intern(cx, "file-exists-p"), {file})).is_nil())
    return kNil;
  const Value question = TRY(make_string(cx, "Delete auto-save file? "));
  if (TRY(funcall_re(cx, intern(cx, "yes-or-no-p"), {question})).is_nil()) return kNil;
  return funcall_re(cx, intern(cx, "delete-file"), {file});
}

Value kill_buffer_re(Context& cx, Value buffer_or_name_value) {
  BufferState& s = buffers(cx);
  Buffer* b = s.current;
  if (!buffer_or_name_value.is_nil()) b = TRY(buffer_or_name(cx, buffer_or_name_value));
  if (!b->live) return kNil;
  const Value self = b->self;  // keeps the struct alive across the hooks
  if (!TRY(ask_and_tell_re(cx, *b))) return kNil;
  if (!b->live) return Qt;  // a hook did it
  TRY(offer_to_delete_auto_save_file_re(cx, *b));
  if (!b->live) return Qt;

  // Indirect buffers go with their base.
  if (b->base == nullptr && b->indirections > 0) {
    const std::vector<Buffer*> all = s.live;
    for (Buffer* other : all)
      if (other->live && other->base == b) TRY(kill_buffer_re(cx, other->self));
    if (!b->live) return Qt;
  }
  // Windows that show it get something else.
  if (symbol_function(cx, Qreplace_buffer_in_windows).truthy()) {
    TRY(funcall_re(cx, Qreplace_buffer_in_windows, {self}));
    if (!b->live) return Qt;
  }
  if (b == s.current) {
    const Value other = TRY(other_buffer_re(cx, self, kNil));
    if (!b->live) return Qt;
    if (&buffer_raw(other) == b) return kNil;  // the last one stays
    set_current_buffer(cx, buffer_raw(other));
  }
  while (!b->overlays_before.empty()) delete_overlay(b->overlays_before.back());
  while (!b->overlays_after.empty()) delete_overlay(b->overlays_after.back());
  detach_markers_of(*b, b->base == nullptr);
  auto& users = b->text->users;
  users.erase(std::remove(users.begin(), users.end(), b), users.end());
  if (b->base == nullptr) {
    delete b->text;
  } else {
    --b->base->indirections;
  }
  // A dead buffer keeps an empty text of its own, so that code that still holds it finds valid positions.
  b->text = new TextStore(true);
  b->base = nullptr;
  b->point = b->begin = b->end = {};
  b->live = false;
  b->name = kNil;
  b->mark = kNil;
  b->locals = kNil;
  s.live.erase(std::find(s.live.begin(), s.live.end(), b));
  s.dead.push_back(b);
  if (s.last_boundary_buffer == b) s.last_boundary_buffer = nullptr;
  if (!b->inhibit_hooks) TRY(run_hook_re(cx, Qbuffer_list_update_hook));
  return Qt;
}

NEOVM_COMMAND(kill_buffer, "kill-buffer", 0, 1, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
              "bKill buffer: ", "Kill BUFFER-OR-NAME (default: the current buffer); t if it is gone.")
(Context& cx, Value buffer_or_name_value) { return kill_buffer_re(cx, buffer_or_name_value); }

NEOVM_COMMAND(make_indirect_buffer, "make-indirect-buffer", 2, 4, kWorkerSafe, kStateWrite, kMayGc, kReenters,
              kDeterministic, "bMake indirect buffer (to buffer): \nBName of indirect buffer: ",
              "Return a new buffer NAME that shares its text with BASE-BUFFER; CLONE copies its state.")
(Context& cx, Value base_value, Value name, Value clone, Value inhibit_hooks) {
  if (!name.is_string()) return wrong_type(cx, Qstringp, name);
  if (find_buffer(cx, name) != nullptr) {
    return error_format(cx, "Buffer name ‘%s’ is in use", to_std_string(name).c_str());
  }
  Buffer* base = nullptr;
  if (is_buffer(base_value)) {
    base = &buffer_raw(base_value);
  } else {
    if (!base_value.is_string()) return wrong_type(cx, Qstringp, base_value);
    base = find_buffer(cx, base_value);
    if (base == nullptr) return error_format(cx, "No such buffer: ‘%s’", to_std_string(base_value).c_str());
  }
  if (string_chars(name) == 0) return error_text(cx, "Empty string for buffer name is not allowed");
  if (!base->live) return error_text(cx, "Base buffer has been killed");
  Buffer* shown = base;
  if (base->base != nullptr) base = base->base;
  const Value copy = string_multibyte(name) ? TRY(make_multibyte_string(cx, string_view_of(name), string_chars(name)))
                                            : TRY(make_unibyte_string(cx, string_view_of(name)));
                                            Buffer& b = new_buffer(cx, copy, base);
                                            b.inhibit_hooks = inhibit_hooks.truthy();
                                            ++base->indirections;
                                            b.point = shown->point;
                                            b.begin = shown->begin;
                                            b.end = shown->end;
                                            set_buffer_variable(
                                                cx, b, Qenable_multibyte_characters,
                                                buffer_variable(cx, *base, Qenable_multibyte_characters));
                                            set_buffer_variable(cx, b, Qbuffer_undo_list,
                                                                buffer_variable(cx, *base, Qbuffer_undo_list));
                                            if (clone.truthy()) {
                                              // Everything of the buffer we were given, apart from what ties it to its file.
                                              const std::int64_t n = slot_count_raw(shown->locals);
                                              for (std::int64_t i = 1; i < n; ++i)
                                                set_slot_raw(b.locals, i, slot_raw(shown->locals, i));
                                              Value alist = kNil;
                                              for (Value l = slot_raw(shown->locals, kLocalsAlist); l.is_cons();
                                                   l = cdr_raw(l)) {
                                                alist =
                                                    cons(cx, cons(cx, car_raw(car_raw(l)), cdr_raw(car_raw(l))), alist);
                                              }
                                              set_slot_raw(b.locals, kLocalsAlist, nreverse_list(alist));
                                              b.tables =
                                                  shown == buffers(cx).current ? current_tables(cx) : shown->tables;
                                              set_buffer_variable(cx, b, Qbuffer_file_name, kNil);
                                              set_buffer_variable(cx, b, Qbuffer_file_truename, kNil);
                                              set_buffer_variable(cx, b, Qbuffer_auto_save_file_name, kNil);
                                              set_buffer_variable(cx, b, Qbuffer_display_count, Value::fixnum(0));
                                              set_buffer_variable(cx, b, Qbuffer_backed_up, kNil);
                                              if (const Marker* m = marker_raw(shown->mark))
                                                move_marker(cx, b.mark, &b, m->pos);
                                              for (auto* list_of : {&shown->overlays_before, &shown->overlays_after}) {
                                                for (std::size_t i = list_of->size(); i-- > 0;)
                                                  clone_overlay(cx, b, *(*list_of)[i]);
                                              }
                                            }
                                            if (!b.inhibit_hooks) TRY(run_hook_re(cx, Qbuffer_list_update_hook));
                                            return b.self;
}

NEOVM_PRIMITIVE(buffer_swap_text, "buffer-swap-text", 1, 1, kWorkerSafe, kStateWrite, kMayGc, kNoReentry,
                kDeterministic,
                "Exchange the text of the current buffer with that of BUFFER, with markers, overlays and undo list.")
(Context& cx, Value buffer) {
  if (!is_buffer(buffer)) return wrong_type(cx, Qbufferp, buffer);
  Buffer& a = current_buffer(cx);
  Buffer& b = buffer_raw(buffer);
  if (!b.live) return error_text(cx, "Cannot swap a dead buffer’s text");
  if (b.indirections > 0) return error_text(cx, "Cannot swap indirect buffers’s text");
  if (a.base != nullptr || b.base != nullptr || a.indirections > 0) {
    return error_text(cx, "Cannot swap indirect buffers’s text");
  }
  if (&a == &b) return kNil;
  std::swap(a.text, b.text);
  std::replace(a.text->users.begin(), a.text->users.end(), &b, &a);
  std::replace(b.text->users.begin(), b.text->users.end(), &a, &b);
  std::swap(a.point, b.point);
  std::swap(a.begin, b.begin);
  std::swap(a.end, b.end);
  std::swap(a.mark, b.mark);
  std::swap(a.overlays_before, b.overlays_before);
  std::swap(a.overlays_after, b.overlays_after);
  std::swap(a.overlay_center, b.overlay_center);
  for (Buffer* x : {&a, &b}) {
    for (Marker* m : x->text->markers) m->buffer = x;
    for (Overlay* o : x->overlays_before) o->buffer = x;
    for (Overlay* o : x->overlays_after) o->buffer = x;
    x->text->modified++;
    x->text->chars_modified++;
  }
  for (const Value symbol : {Qbuffer_undo_list, Qmark_active, Qenable_multibyte_characters, Qbidi_display_reordering,
                             Qbidi_paragraph_direction, Qpoint_before_scroll, Qbuffer_file_coding_system}) {
    const int i = buffer_slot_index(cx, symbol);
    const Value v = buffer_slot_raw(a, i);
    set_buffer_slot_raw(a, i, buffer_slot_raw(b, i));
    set_buffer_slot_raw(b, i, v);
  }
  return kNil;
}

}  // namespace neomacs::host
