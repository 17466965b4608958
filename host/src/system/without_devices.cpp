// Questions about devices and libraries that this machine does without; the answers are those of a terminal-less Emacs where
// that has nothing to tell either.
#include <malloc.h>

#include <cstdio>

#include "display/display.hpp"
#include "neovm/abi/api.hpp"

namespace neomacs::host {

#define NEOVM_NEVER(id, name, min, max, parameters, doc)                                             \
  NEOVM_PRIMITIVE(id, name, min, max, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic, doc) \
  parameters { return kNil; }
NEOVM_NEVER(lcms2_available_p, "lcms2-available-p", 0, 0, (Context&), "Return t if lcms is there; it is not.")
NEOVM_NEVER(profiler_cpu_running_p, "profiler-cpu-running-p", 0, 0, (Context&),
            "Return t if processor time is profiled; it is not.")
NEOVM_NEVER(profiler_memory_running_p, "profiler-memory-running-p", 0, 0, (Context&),
            "Return t if allocation is profiled; it is not.")
NEOVM_NEVER(profiler_cpu_stop, "profiler-cpu-stop", 0, 0, (Context&),
            "Stop profiling processor time; nil when it was not.")
NEOVM_NEVER(profiler_memory_stop, "profiler-memory-stop", 0, 0, (Context&),
            "Stop profiling allocation; nil when it was not.")
NEOVM_NEVER(set_input_mode, "set-input-mode", 3, 4, (Context&, Value, Value, Value, Value),
            "Set how the terminal is read; there is none.")
NEOVM_NEVER(set_input_interrupt_mode, "set-input-interrupt-mode", 1, 1, (Context&, Value),
            "Set whether input interrupts; there is no terminal.")
NEOVM_NEVER(set_quit_char, "set-quit-char", 1, 1, (Context&, Value),
            "Set the terminal's quit character; there is none.")
NEOVM_NEVER(inotify_valid_p, "inotify-valid-p", 1, 1, (Context&, Value), "Return t for a live watch; there are none.")
#undef NEOVM_NEVER
NEOVM_COMMAND(malloc_info, "malloc-info", 0, 0, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic, "",
              "Tell on standard error, in XML, how the C library's heap is filled.")
(Context&) {
  ::malloc_info(0, stderr);
  return kNil;
}

// ---- fonts: specifications exist, but never a font ------------------------------------------------------------

static Value check_font_spec_re(Context& cx, Value spec) {
  const Value is_spec = TRY(funcall_re(cx, intern(cx, "fontp"), {spec, intern(cx, "font-spec")}));
  return is_spec.is_nil() ? wrong_type(cx, intern(cx, "font-spec"), spec) : kNil;
}

NEOVM_PRIMITIVE(font_family_list, "font-family-list", 0, 1, kMainOnly, kStateRead, kMayGc, kNoReentry, kDeterministic,
                "Return the font families of FRAME; there are none.")
(Context& cx, Value frame) {
  TRY(decode_live_frame(cx, frame));
  return kNil;
}

NEOVM_PRIMITIVE(frame_font_cache, "frame-font-cache", 0, 1, kMainOnly, kStateRead, kNoGc, kNoReentry, kDeterministic,
                "Return FRAME's font cache; there is none.")
(Context&, Value) { return kNil; }

NEOVM_PRIMITIVE(find_font, "find-font", 1, 2, kMainOnly, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return a font that matches FONT-SPEC; there are none.")
(Context& cx, Value spec, Value frame) {
  TRY(decode_live_frame(cx, frame));
  return check_font_spec_re(cx, spec);
}

NEOVM_PRIMITIVE(list_fonts, "list-fonts", 1, 4, kMainOnly, kStateRead, kMayGc, kReenters, kDeterministic,
                "List the fonts that match FONT-SPEC; there are none.")
(Context& cx, Value spec, Value frame, Value, Value) {
  TRY(decode_live_frame(cx, frame));
  return check_font_spec_re(cx, spec);
}

#define NEOVM_NO_FONT(id, name, min, max, parameters, wanted, doc)                                    \
  NEOVM_PRIMITIVE(id, name, min, max, kMainOnly, kStateRead, kMayGc, kNoReentry, kDeterministic, doc) \
  parameters { return wrong_type(cx, intern(cx, wanted), font); }
NEOVM_NO_FONT(open_font, "open-font", 1, 3, (Context & cx, Value font, Value, Value), "font-entity",
              "Open FONT-ENTITY.")
NEOVM_NO_FONT(close_font, "close-font", 1, 2, (Context & cx, Value font, Value), "font-object", "Close FONT-OBJECT.")
NEOVM_NO_FONT(query_font, "query-font", 1, 1, (Context & cx, Value font), "font-object", "Describe FONT-OBJECT.")
NEOVM_NO_FONT(font_variation_glyphs, "font-variation-glyphs", 2, 2, (Context & cx, Value font, Value), "font-object",
              "List the variation glyphs of CHARACTER in FONT-OBJECT.")
NEOVM_NO_FONT(font_get_glyphs, "font-get-glyphs", 3, 4, (Context & cx, Value font, Value, Value, Value), "font-object",
              "Return the glyphs of FONT-OBJECT for the characters from FROM to TO.")
#undef NEOVM_NO_FONT

NEOVM_PRIMITIVE(face_font, "face-font", 1, 3, kMainOnly, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return the name of FACE's font on FRAME: that of a terminal; with FRAME t, of new frames: none.")
(Context& cx, Value face, Value frame, Value) {
  if (face.is_string()) face = intern(cx, string_view_of(face));
  TRY(funcall_re(cx, intern(cx, "internal-get-lisp-face-attribute"), {face, intern(cx, ":font"), frame}));
  return frame == Qt ? Value(kNil) : make_string(cx, "tty");
}

// ---- native code, TLS, terminals --------------------------------------------------------------------------------

#define NEOVM_OF_SUBR(id, name, value, doc)                                                      \
  NEOVM_PRIMITIVE(id, name, 1, 1, kMainOnly, kStateRead, kMayGc, kReenters, kDeterministic, doc) \
  (Context & cx, Value subr) {                                                                   \
    const Value is_subr = TRY(funcall_re(cx, Qsubrp, {subr}));                                   \
    return is_subr.is_nil() ? Value(wrong_type(cx, Qsubrp, subr)) : Value(value);                \
  }
NEOVM_OF_SUBR(subr_native_comp_unit, "subr-native-comp-unit", kNil, "Return the file of native code that SUBR is from.")
NEOVM_OF_SUBR(subr_native_lambda_list, "subr-native-lambda-list", Qt,
              "Return the parameters of a natively compiled SUBR, t for any other.")
NEOVM_OF_SUBR(subr_type, "subr-type", kNil, "Return the type of a natively compiled SUBR, nil for any other.")
#undef NEOVM_OF_SUBR

NEOVM_PRIMITIVE(native_comp_unit_file, "native-comp-unit-file", 1, 1, kMainOnly, kPureRead, kMayGc, kNoReentry,
                kDeterministic, "Return the file of COMP-UNIT; there are no such units.")
(Context& cx, Value unit) { return wrong_type(cx, intern(cx, "native-comp-unit"), unit); }

NEOVM_PRIMITIVE(native_comp_unit_set_file, "native-comp-unit-set-file", 2, 2, kMainOnly, kPureRead, kMayGc, kNoReentry,
                kDeterministic, "Set the file of COMP-UNIT; there are no such units.")
(Context& cx, Value unit, Value) { return wrong_type(cx, intern(cx, "native-comp-unit"), unit); }

NEOVM_PRIMITIVE(gnutls_errorp, "gnutls-errorp", 1, 1, kMainOnly, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return t if ERR is the code of a TLS error; t is none.")
(Context&, Value err) { return boolean(err != Qt); }

NEOVM_COMMAND(open_termscript, "open-termscript", 1, 1, kMainOnly, kStateWrite, kMayGc, kNoReentry, kDeterministic,
              "FOpen termscript file: ", "Write what goes to the terminal into FILE, too; there is no terminal.")
(Context& cx, Value) { return error_text(cx, "Current frame is not on a tty device"); }

NEOVM_PRIMITIVE(set_mouse_pixel_position, "set-mouse-pixel-position", 3, 3, kMainOnly, kStateWrite, kMayGc, kNoReentry,
                kDeterministic, "Move the mouse to pixel X, Y of FRAME; there is no mouse.")
(Context& cx, Value frame, Value x, Value y) {
  if (!is_frame(frame) || !frame_data(frame).live) return wrong_type(cx, Qframe_live_p, frame);
  if (!is_integer(x)) return wrong_type(cx, Qintegerp, x);
  if (!is_integer(y)) return wrong_type(cx, Qintegerp, y);
  return kNil;
}

NEOVM_PRIMITIVE(bidi_resolved_levels, "bidi-resolved-levels", 0, 1, kMainOnly, kStateRead, kMayGc, kNoReentry,
                kDeterministic, "Return the bidi levels of the line VPOS on the screen, nil when it is not there.")
(Context& cx, Value line) {
  if (line.truthy()) TRY(fixnum_argument(cx, line));
  return kNil;
}

// ---- coding systems read from a person ------------------------------------------------------------------------

// The history is bound from the start, though not special.
NEOVM_INIT(coding_system_history, kObjects)(Context& cx) {
  set_default_re(cx, intern(cx, "coding-system-history"), kNil);
}

static Value read_coding_re(Context& cx, Value prompt, Value fallback) {
  if (fallback.is_symbol() && fallback.truthy()) fallback = symbol_name(cx, fallback);
  const Value table = variable_value(cx, intern(cx, "coding-system-alist"));
  const Value name =
      TRY(funcall_re(cx, intern(cx, "completing-read"),
                     {prompt, table, kNil, Qt, kNil, intern(cx, "coding-system-history"), fallback, kNil}));
  return name.is_string() && string_chars(name) == 0 ? Value(kNil) : funcall_re(cx, intern(cx, "intern"), {name});
}

NEOVM_PRIMITIVE(read_coding_system, "read-coding-system", 1, 2, kMainOnly, kBlockingIo, kMayGc, kReenters,
                kNondeterministic, "Read the name of a coding system, by default DEFAULT-CODING-SYSTEM.")
(Context& cx, Value prompt, Value fallback) { return read_coding_re(cx, prompt, fallback); }

NEOVM_PRIMITIVE(read_non_nil_coding_system, "read-non-nil-coding-system", 1, 1, kMainOnly, kBlockingIo, kMayGc,
                kReenters, kNondeterministic, "Read the name of a coding system until one is given.")
(Context& cx, Value prompt) {
  for (;;) {
    const Value coding = TRY(read_coding_re(cx, prompt, kNil));
    if (coding.truthy()) return coding;
  }
}

// ---- compositions: text properties that a display would look at -----------------------------------------------

static Value compose_re(Context& cx, Value object, Value start, Value end, Value components, Value modify) {
  const Value from = TRY(funcall_re(cx, intern(cx, "min"), {start, end}));
  const Value to = TRY(funcall_re(cx, intern(cx, "max"), {start, end}));
  const Value length = TRY(funcall_re(cx, intern(cx, "-"), {to, from}));
  const Value composition = cons(cx, cons(cx, length, components), modify);
  return funcall_re(cx, intern(cx, "put-text-property"), {from, to, intern(cx, "composition"), composition, object});
}

NEOVM_PRIMITIVE(compose_region_internal, "compose-region-internal", 2, 4, kMainOnly, kStateWrite, kMayGc, kReenters,
                kDeterministic,
                "Compose the text from START to END into COMPONENTS; MODIFICATION-FUNC is kept with it.")
(Context& cx, Value start, Value end, Value components, Value modify) {
  for (const Value place : {start, end}) {
    const std::int64_t at = TRY(position_argument(cx, place));
    const Value low = TRY(funcall_re(cx, Qpoint_min, {}));
    const Value high = TRY(funcall_re(cx, Qpoint_max, {}));
    if (at < low.as_fixnum() || at > high.as_fixnum())
      return args_out_of_range(cx, host_hooks(cx).current_buffer(cx), start, end);
  }
  TRY(compose_re(cx, kNil, start, end, components, modify));
  return kNil;
}

NEOVM_PRIMITIVE(compose_string_internal, "compose-string-internal", 3, 5, kMainOnly, kStateWrite, kMayGc, kReenters,
                kDeterministic, "Compose the characters of STRING from START to END into COMPONENTS; return STRING.")
(Context& cx, Value string, Value start, Value end, Value components, Value modify) {
  if (!string.is_string()) return wrong_type(cx, Qstringp, string);
  const std::int64_t size = string_chars(string);
  for (const Value place : {start, end}) {
    if (!is_integer(place)) return wrong_type(cx, Qintegerp, place);
    if (!place.is_fixnum() || place.as_fixnum() < 0 || place.as_fixnum() > size || start.bits() > end.bits())
      return args_out_of_range(cx, string, start, end);
  }
  TRY(compose_re(cx, string, start, end, components, modify));
  return string;
}

NEOVM_PRIMITIVE(find_composition_internal, "find-composition-internal", 4, 4, kMainOnly, kStateRead, kMayGc, kReenters,
                kDeterministic, "Return (START END VALID) of the composition at POS of STRING or the buffer, or nil.")
(Context& cx, Value pos, Value, Value string, Value detail) {
  const std::int64_t at = TRY(position_argument(cx, pos));
  if (string.truthy()) {
    if (!string.is_string()) return wrong_type(cx, Qstringp, string);
    if (at < 0 || at > string_chars(string)) return args_out_of_range(cx, string, pos);
  } else {
    const Value low = TRY(funcall_re(cx, Qpoint_min, {}));
    const Value high = TRY(funcall_re(cx, Qpoint_max, {}));
    if (at < low.as_fixnum() || at > high.as_fixnum())
      return args_out_of_range(cx, host_hooks(cx).current_buffer(cx), pos);
  }
  const Value name = intern(cx, "composition");
  const Value here = Value::fixnum(at);
  const Value found = TRY(funcall_re(cx, intern(cx, "get-text-property"), {here, name, string}));
  if (found.is_nil()) return kNil;
  if (detail.truthy()) return unimplemented(cx, "details of a composition");
  const Value next = TRY(funcall_re(cx, intern(cx, "next-single-property-change"), {here, name, string}));
  const Value end = next.truthy()     ? next
                    : string.truthy() ? Value::fixnum(string_chars(string))
                                      : TRY(funcall_re(cx, Qpoint_max, {}));
  const Value start = TRY(funcall_re(cx, intern(cx, "previous-single-property-change"), {end, name, string}));
  const Value begin = start.truthy() ? start : string.truthy() ? Value::fixnum(0) : TRY(funcall_re(cx, Qpoint_min, {}));
  const Value length = found.is_cons() && car_raw(found).is_cons() ? car_raw(car_raw(found)) : Value(kNil);
  const bool valid = length.is_fixnum() && length.as_fixnum() == end.as_fixnum() - begin.as_fixnum();
  return list(cx, {begin, end, boolean(valid)});
}

}  // namespace neomacs::host
