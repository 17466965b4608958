// Naming, listing and selecting buffers (buffer.c).
#include <algorithm>
#include <string>

#include "buffer/buffer.hpp"
#include "buffer/saved_places.hpp"
#include "display/display.hpp"
#include "edit/edit.hpp"

namespace neomacs::host {

Buffer& new_buffer(Context& cx, Value name, Buffer* base);
Value window_showing(Context& cx, Value buffer);

NEOVM_PRIMITIVE(buffer_live_p, "buffer-live-p", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return t if OBJECT is a buffer that was not killed.")
(Context& /*cx*/, Value object) { return boolean(is_buffer(object) && buffer_raw(object).live); }

NEOVM_PRIMITIVE(buffer_list, "buffer-list", 0, 1, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return the list of live buffers.")
(Context& cx, Value /*frame*/) {
  std::vector<Buffer*>& live = buffers(cx).live;
  Value out = kNil;
  for (std::size_t i = live.size(); i-- > 0;) out = cons(cx, live[i]->self, out);
  return out;
}

NEOVM_PRIMITIVE(get_buffer, "get-buffer", 1, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the buffer named BUFFER-OR-NAME, or nil; a buffer is returned as it is.")
(Context& cx, Value buffer_or_name) {
  if (is_buffer(buffer_or_name)) return buffer_or_name;
  if (!buffer_or_name.is_string()) return wrong_type(cx, Qstringp, buffer_or_name);
  const Buffer* b = find_buffer(cx, buffer_or_name);
  return b == nullptr ? kNil : b->self;
}

NEOVM_PRIMITIVE(get_buffer_create, "get-buffer-create", 1, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic, "Return the buffer BUFFER-OR-NAME, making it if needed.")
(Context& cx, Value buffer_or_name, Value inhibit_hooks) {
  Buffer* b = TRY(get_buffer_create_re(cx, buffer_or_name, inhibit_hooks.truthy()));
  return b->self;
}

NEOVM_PRIMITIVE(get_file_buffer, "get-file-buffer", 1, 1, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return the buffer visiting FILENAME, or nil.")
(Context& cx, Value filename) {
  if (!filename.is_string()) return wrong_type(cx, Qstringp, filename);
  Value name = filename;
  if (symbol_function(cx, Qexpand_file_name).truthy()) name = TRY(funcall_re(cx, Qexpand_file_name, {filename}));
  if (symbol_function(cx, Qfind_file_name_handler).truthy()) {
    const Value handler = TRY(funcall_re(cx, Qfind_file_name_handler, {name, Qget_file_buffer}));
    if (handler.truthy()) {
      const Value found = TRY(funcall_re(cx, handler, {Qget_file_buffer, name}));
      return is_buffer(found) ? found : kNil;
    }
  }
  for (const Buffer* b : buffers(cx).live) {
    const Value file = buffer_variable(cx, *b, Qbuffer_file_name);
    if (file.is_string() && string_equal(file, name)) return b->self;
  }
  return kNil;
}

NEOVM_PRIMITIVE(generate_new_buffer_name, "generate-new-buffer-name", 1, 2, kWorkerSafe, kStateRead, kMayGc, kNoReentry,
                kNondeterministic, "Return a buffer name made from NAME that no buffer has; IGNORE may be in use.")
(Context& cx, Value name, Value ignore) {
  if (!name.is_string()) return wrong_type(cx, Qstringp, name);
  if (!ignore.is_symbol() && !ignore.is_string()) return wrong_type(cx, Qstringp, ignore);
  if ((ignore.is_string() && string_equal(name, ignore)) || find_buffer(cx, name) == nullptr) return name;
  std::string base(string_view_of(name));
  const bool multibyte = string_multibyte(name);
  const auto make = [&](const std::string& s) {
    return multibyte ? make_multibyte_string(cx, s) : make_unibyte_string(cx, s);
  };
  if (!base.empty() && base[0] == ' ') {  // hidden: a random suffix keeps a series of them cheap
    std::uint64_t seed = ++buffers(cx).next_buffer_number * 2654435761U;
    base += '-' + std::to_string(seed % 1000000);
    const Value v = TRY(make(base));
    if (find_buffer(cx, v) == nullptr) return v;
  }
  for (std::int64_t n = 2;; ++n) {
    const Value v = TRY(make(base + '<' + std::to_string(n) + '>'));
    if (ignore.is_string() && string_equal(v, ignore)) return v;
    if (find_buffer(cx, v) == nullptr) return v;
  }
}

NEOVM_PRIMITIVE(buffer_name, "buffer-name", 0, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the name of BUFFER, or nil when it was killed.")
(Context& cx, Value buffer) {
  return TRY(buffer_or_current(cx, buffer))
  ->name;
}

NEOVM_PRIMITIVE(buffer_file_name, "buffer-file-name", 0, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the name of the file BUFFER visits, or nil.")
(Context& cx, Value buffer) {
  const Buffer* b = TRY(buffer_or_current(cx, buffer));
  return b->live ? buffer_variable(cx, *b, Qbuffer_file_name) : kNil;
}

NEOVM_PRIMITIVE(buffer_base_buffer, "buffer-base-buffer", 0, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the base buffer of the indirect buffer BUFFER, or nil.")
(Context& cx, Value buffer) {
  const Buffer* b = TRY(buffer_or_current(cx, buffer));
  return b->base == nullptr ? kNil : b->base->self;
}

NEOVM_COMMAND(rename_buffer, "rename-buffer", 1, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
              "(list (read-string \"Rename buffer (to new name): \" nil 'buffer-name-history (buffer-name "
              "(current-buffer))) current-prefix-arg)",
              "Change the name of the current buffer to NEWNAME; with UNIQUE to a variant that is free.")
(Context& cx, Value name, Value unique) {
  if (!name.is_string()) return wrong_type(cx, Qstringp, name);
  if (string_chars(name) == 0) return error_text(cx, "Empty string is invalid as a buffer name");
  Buffer& b = current_buffer(cx);
  Buffer* other = find_buffer(cx, name);
  if (other != nullptr) {
    if (unique.is_nil() && other == &b) return b.name;
    if (unique.truthy()) {
      name = TRY(prim_generate_new_buffer_name(cx, name, b.name));
    } else {
      return error_format(cx, "Buffer name ‘%s’ is in use", to_std_string(name).c_str());
    }
  }
  b.name = string_multibyte(name) ? TRY(make_multibyte_string(cx, string_view_of(name), string_chars(name)))
                                  : TRY(make_unibyte_string(cx, string_view_of(name)));
                                  const Value file = buffer_variable(cx, b, Qbuffer_file_name);
                                  if (file.is_nil() &&
                                      buffer_variable(cx, b, Qbuffer_auto_save_file_name).is_string() &&
                                      symbol_function(cx, Qrename_auto_save_file).truthy()) {
                                    TRY(funcall_re(cx, Qrename_auto_save_file, {}));
                                  }
                                  if (!b.inhibit_hooks) TRY(run_hook_re(cx, Qbuffer_list_update_hook));
                                  return current_buffer(cx).name;
}

NEOVM_PRIMITIVE(current_buffer, "current-buffer", 0, 0, kWorkerSafe, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return the current buffer.")
(Context& cx) { return current_buffer(cx).self; }

NEOVM_PRIMITIVE(set_buffer, "set-buffer", 1, 1, kWorkerSafe, kStateWrite, kNoGc, kNoReentry, kDeterministic,
                "Make BUFFER-OR-NAME the current buffer and return it.")
(Context& cx, Value buffer_or_name_value) {
  Buffer* b = TRY(buffer_or_name(cx, buffer_or_name_value));
  if (!b->live) return error_text(cx, "Selecting deleted buffer");
  set_current_buffer(cx, *b);
  return b->self;
}

// ---- other-buffer and order --------------------------------------------------------------------------------------

// The window showing a buffer, when windows exist; nil otherwise.
Value window_showing(Context& cx, Value buffer) {
  if (symbol_function(cx, Qget_buffer_window).is_nil()) return kNil;
  const Value w = funcall_re(cx, Qget_buffer_window, {buffer, Value::fixnum(0)});
  return w;
}

static bool hidden(const Buffer& b) { return string_bytes(b.name) > 0 && string_data_raw(b.name)[0] == ' '; }

Value other_buffer_re(Context& cx, Value buffer, Value visible_ok) {
  const Buffer* avoid = is_buffer(buffer) ? &buffer_raw(buffer) : &current_buffer(cx);
  Value fallback = kNil;
  const std::vector<Buffer*> candidates = buffers(cx).live;
  for (Buffer* b : candidates) {
    if (!b->live || b == avoid || hidden(*b)) continue;
    if (visible_ok.truthy() || TRY(window_showing(cx, b->self)).is_nil()) return b->self;
    if (fallback.is_nil()) fallback = b->self;
  }
  if (fallback.truthy()) return fallback;
  const Value name = TRY(make_unibyte_string(cx, "*scratch*"));
  if (Buffer* scratch = find_buffer(cx, name)) return scratch->self;
  Buffer* made = TRY(get_buffer_create_re(cx, name, false));
  return made->self;
}

NEOVM_PRIMITIVE(other_buffer, "other-buffer", 0, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Return the best buffer to show instead of BUFFER; VISIBLE-OK allows one that is shown already.")
(Context& cx, Value buffer, Value visible_ok, Value frame) {
  TRY(decode_live_frame(cx, frame));
  return other_buffer_re(cx, buffer, visible_ok);
}

NEOVM_PRIMITIVE(bury_buffer_internal, "bury-buffer-internal", 1, 1, kWorkerSafe, kStateWrite, kNoGc, kNoReentry,
                kDeterministic, "Move BUFFER to the end of the list of buffers.")
(Context& cx, Value buffer) {
  if (!is_buffer(buffer)) return wrong_type(cx, Qbufferp, buffer);
  std::vector<Buffer*>& live = buffers(cx).live;
  const auto it = std::find(live.begin(), live.end(), &buffer_raw(buffer));
  if (it != live.end()) std::rotate(it, it + 1, live.end());
  return kNil;
}

NEOVM_PRIMITIVE(set_buffer_major_mode, "set-buffer-major-mode", 1, 1, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic, "Set the major mode of BUFFER to the default (initial mode for *scratch*).")
(Context& cx, Value buffer) {
  if (!is_buffer(buffer)) return wrong_type(cx, Qbufferp, buffer);
  Buffer& b = buffer_raw(buffer);
  if (!b.live) return error_text(cx, "Attempt to set major mode for a dead buffer");
  Value function = kNil;
  if (string_view_of(b.name) == "*scratch*") {
    function = variable_value(cx, Qinitial_major_mode);
    if (function.is_unbound()) function = kNil;
  } else {
    function = default_value(cx, Qmajor_mode);
    if (function.is_nil()) {
      const Value current = buffer_variable(cx, current_buffer(cx), Qmajor_mode);
      if (current.is_symbol() && symbol_get(cx, current, Qmode_class).is_nil()) function = current;
    }
  }
  if (function.is_nil() || function.is_unbound()) return kNil;
  const std::size_t depth = binding_depth(cx);
  record_save_current_buffer(cx);
  set_current_buffer(cx, b);
  TRY(funcall_re(cx, function, {}));
  return unbind_to_re(cx, depth, kNil);
}

// ---- modified flags -------------------------------------------------------------------------------------------------

NEOVM_PRIMITIVE(buffer_modified_p, "buffer-modified-p", 0, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return t if BUFFER changed since it was saved.")
(Context& cx, Value buffer) {
  const Buffer* b = TRY(buffer_or_current(cx, buffer));
  if (!b->live) return kNil;
  const TextStore& t = *b->text;
  if (t.saved >= t.modified) return kNil;
  return Qt;
}

NEOVM_PRIMITIVE(force_mode_line_update, "force-mode-line-update", 0, 1, kWorkerSafe, kStateWrite, kNoGc, kNoReentry,
                kDeterministic, "Have the mode line of the current buffer (ALL: of every one) redrawn; return ALL.")
(Context& cx, Value all) {
  current_buffer(cx).text->redisplay_needed = true;
  return all;
}

static Value set_modified(Context& cx, Value flag) {
  TextStore& t = *current_buffer(cx).text;
  if (flag.is_nil()) {
    t.saved = t.modified;
  } else {
    if (t.saved >= t.modified) t.saved = t.modified++;
    if (flag == Qautosaved) t.auto_saved = t.modified;
  }
  return flag;
}

NEOVM_PRIMITIVE(restore_buffer_modified_p, "restore-buffer-modified-p", 1, 1, kWorkerSafe, kStateWrite, kNoGc,
                kNoReentry, kDeterministic, "Like set-buffer-modified-p, but without redrawing the mode line.")
(Context& cx, Value flag) { return set_modified(cx, flag); }

NEOVM_PRIMITIVE(set_buffer_modified_p, "set-buffer-modified-p", 1, 1, kWorkerSafe, kStateWrite, kNoGc, kNoReentry,
                kDeterministic, "Mark the current buffer as changed (FLAG) or unchanged (nil).")
(Context& cx, Value flag) {
  set_modified(cx, flag);
  current_buffer(cx).text->redisplay_needed = true;
  return kNil;
}

NEOVM_PRIMITIVE(buffer_modified_tick, "buffer-modified-tick", 0, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return the count of modifications of BUFFER.")
(Context& cx, Value buffer) { return Value::fixnum(TRY(buffer_or_current(cx, buffer))->text->modified); }

NEOVM_PRIMITIVE(buffer_chars_modified_tick, "buffer-chars-modified-tick", 0, 1, kWorkerSafe, kStateRead, kNoGc,
                kNoReentry, kDeterministic,
                "Return the modification count of BUFFER at the last change of its characters.")
(Context& cx, Value buffer) { return Value::fixnum(TRY(buffer_or_current(cx, buffer))->text->chars_modified); }

NEOVM_COMMAND(buffer_enable_undo, "buffer-enable-undo", 0, 1, kWorkerSafe, kStateWrite, kNoGc, kNoReentry,
              kDeterministic, "", "Start keeping undo records in BUFFER.")
(Context& cx, Value buffer) {
  Buffer* b = &current_buffer(cx);
  if (!buffer.is_nil()) b = TRY(buffer_or_name(cx, buffer));
  if (buffer_variable(cx, *b, Qbuffer_undo_list) == Qt) set_buffer_variable(cx, *b, Qbuffer_undo_list, kNil);
  return kNil;
}

NEOVM_COMMAND(erase_buffer, "erase-buffer", 0, 0, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic, "*",
              "Delete the whole text of the current buffer, narrowed or not.")
(Context& cx) {
  {
    Buffer& b = current_buffer(cx);
    b.begin = {};
    b.end = b.text->end();
  }
  TRY(delete_region_re(cx, 1, current_buffer(cx).end.chars));
  set_buffer_variable(cx, current_buffer(cx), Qbuffer_saved_size, Value::fixnum(0));
  return kNil;
}

}  // namespace neomacs::host
