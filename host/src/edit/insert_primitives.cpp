// Inserting, deleting and extracting text (editfns.c).
#include <algorithm>

#include "buffer/saved_places.hpp"
#include "edit/edit.hpp"
#include "textprop/textprop.hpp"

namespace neomacs::host {

namespace {

Value insert_all_re(Context& cx, Arguments args, unsigned flags) {
  for (const Value& v : args) {
    if (is_character(v)) {
      std::uint8_t unit[text::kMaxBytesPerChar];
      int n = 1;
      if (current_buffer(cx).multibyte()) {
        n = text::encode_char(static_cast<int>(v.as_fixnum()), unit);
      } else {
        unit[0] = static_cast<std::uint8_t>(v.as_fixnum() & 0xFF);
      }
      TRY(insert_bytes_re(cx, std::string_view(reinterpret_cast<const char*>(unit), static_cast<std::size_t>(n)), 1,
                          flags));
    } else if (v.is_string()) {
      TRY(insert_string_re(cx, v, flags));
    } else {
      return wrong_type(cx, Qchar_or_string_p, v);
    }
  }
  return kNil;
}

}  // namespace

NEOVM_PRIMITIVE(insert, "insert", 0, kMany, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Insert the strings and characters at point.")
(Context& cx, Arguments args) { return insert_all_re(cx, args, kInsertPlain); }

NEOVM_PRIMITIVE(insert_and_inherit, "insert-and-inherit", 0, kMany, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic,
                "Insert the strings and characters at point; they take sticky properties of their neighbours.")
(Context& cx, Arguments args) { return insert_all_re(cx, args, kInsertInherit); }

NEOVM_PRIMITIVE(insert_before_markers, "insert-before-markers", 0, kMany, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic, "Insert the strings and characters at point, moving markers there behind them.")
(Context& cx, Arguments args) { return insert_all_re(cx, args, kInsertBeforeMarkers); }

NEOVM_PRIMITIVE(insert_before_markers_and_inherit, "insert-before-markers-and-inherit", 0, kMany, kWorkerSafe,
                kStateWrite, kMayGc, kReenters, kDeterministic,
                "Insert at point, moving markers there and taking sticky properties.")
(Context& cx, Arguments args) { return insert_all_re(cx, args, kInsertBeforeMarkers | kInsertInherit); }

NEOVM_COMMAND(insert_char, "insert-char", 1, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
              "(list (read-char-by-name \"Insert character (Unicode name or hex): \") (prefix-numeric-value "
              "current-prefix-arg) t)",
              "Insert COUNT (default 1) copies of CHARACTER.")
(Context& cx, Value character, Value count, Value inherit) {
  const int c = TRY(character_argument(cx, character));
  const std::int64_t n = count.is_nil() ? 1 : TRY(fixnum_argument(cx, count));
  if (n <= 0) return kNil;
  TRY(insert_char_re(cx, c, n, inherit.truthy() ? kInsertInherit : kInsertPlain));
  return kNil;
}

NEOVM_PRIMITIVE(insert_byte, "insert-byte", 2, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Insert COUNT copies of BYTE.")
(Context& cx, Value byte, Value count, Value inherit) {
  const std::int64_t b = TRY(fixnum_argument(cx, byte));
  if (b < 0 || b > 255) return args_out_of_range(cx, byte, Value::fixnum(0), Value::fixnum(255));
  const int c = b >= 128 && current_buffer(cx).multibyte() ? text::raw_byte_to_char(static_cast<unsigned>(b))
                                                           : static_cast<int>(b);
  const std::int64_t n = TRY(fixnum_argument(cx, count));
  if (n <= 0) return kNil;
  TRY(insert_char_re(cx, c, n, inherit.truthy() ? kInsertInherit : kInsertPlain));
  return kNil;
}

// ---- extracting ------------------------------------------------------------------------------------------------

// Gives the fontifiers their chance before text with properties is taken.
static Maybe<bool> run_fontifiers_re(Context& cx, Region r) {
  if (!variable_true(cx, Qbuffer_access_fontify_functions)) return true;
  const Value property = variable_value(cx, Qbuffer_access_fontified_property);
  if (property.truthy() && !property.is_unbound()) {
    Buffer& b = current_buffer(cx);
    const PropertyTarget target(b);
    bool all = true;
    for (std::int64_t i = r.start; all && i < r.end;) {
      const PropertyRun run = target.run_at(i);
      all = lookup_char_property(cx, run.plist, property, true).truthy();
      i = run.end;
    }
    if (all) return true;
  }
  const Value args[] = {Value::fixnum(r.start), Value::fixnum(r.end)};
  TRY(run_hook_with_args_re(cx, Qbuffer_access_fontify_functions, args));
  return true;
}

NEOVM_PRIMITIVE(buffer_substring, "buffer-substring", 2, 2, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return the text between START and END with its properties.")
(Context& cx, Value start, Value end) {
  const Region r = TRY(region_arguments(cx, start, end));
  TRY(run_fontifiers_re(cx, r));
  return buffer_substring(cx, current_buffer(cx), r.start, r.end, true);
}

NEOVM_PRIMITIVE(buffer_substring_no_properties, "buffer-substring-no-properties", 2, 2, kWorkerSafe, kStateRead, kMayGc,
                kNoReentry, kDeterministic, "Return the text between START and END without properties.")
(Context& cx, Value start, Value end) {
  const Region r = TRY(region_arguments(cx, start, end));
  return buffer_substring(cx, current_buffer(cx), r.start, r.end, false);
}

NEOVM_PRIMITIVE(buffer_string, "buffer-string", 0, 0, kWorkerSafe, kStateRead, kMayGc, kReenters, kDeterministic,
                "Return the accessible text with its properties.")
(Context& cx) {
  Buffer& b = current_buffer(cx);
  TRY(run_fontifiers_re(cx, {b.begin.chars, b.end.chars}));
  Buffer& now = current_buffer(cx);
  return buffer_substring(cx, now, now.begin.chars, now.end.chars, true);
}

NEOVM_PRIMITIVE(insert_buffer_substring, "insert-buffer-substring", 1, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters,
                kDeterministic, "Insert the text of BUFFER between START and END (default: all accessible) at point.")
(Context& cx, Value buffer, Value start, Value end) {
  Buffer* source = TRY(buffer_or_name(cx, buffer));
  if (!source->live) return error_text(cx, "Selecting deleted buffer");
  std::int64_t from = start.is_nil() ? source->begin.chars : TRY(position_argument(cx, start));
  std::int64_t to = end.is_nil() ? source->end.chars : TRY(position_argument(cx, end));
  if (from > to) std::swap(from, to);
  if (from < source->begin.chars || to > source->end.chars) {
    return args_out_of_range(cx, start.is_nil() ? Value::fixnum(from) : start, end.is_nil() ? Value::fixnum(to) : end);
  }
  TRY(insert_from_buffer_re(cx, *source, from, to));
  return kNil;
}

// ---- deleting --------------------------------------------------------------------------------------------------

NEOVM_COMMAND(delete_region, "delete-region", 2, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic, "r",
              "Delete the text between START and END.")
(Context& cx, Value start, Value end) {
  const Region r = TRY(region_arguments(cx, start, end));
  TRY(delete_region_re(cx, r.start, r.end));
  return kNil;
}

NEOVM_PRIMITIVE(delete_and_extract_region, "delete-and-extract-region", 2, 2, kWorkerSafe, kStateWrite, kMayGc,
                kReenters, kDeterministic, "Delete the text between START and END and return it.")
(Context& cx, Value start, Value end) {
  const Region r = TRY(region_arguments(cx, start, end));
  if (r.start == r.end) return make_unibyte_string(cx, "");
  return delete_and_extract_re(cx, r.start, r.end);
}

NEOVM_COMMAND(delete_char, "delete-char", 1, 2, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic, "p\nP",
              "Delete N characters after point (before it when negative); KILLFLAG: kill them.")
(Context& cx, Value n, Value killflag) {
  const std::int64_t count = TRY(fixnum_argument(cx, n));
  if (count < 2 && count > -2) {
    if (symbol_function(cx, Qundo_auto_amalgamate).truthy()) TRY(funcall_re(cx, Qundo_auto_amalgamate, {}));
  }
  Buffer& b = current_buffer(cx);
  const std::int64_t target = b.point.chars + count;
  if (killflag.is_nil()) {
    if (count < 0) {
      if (target < b.begin.chars) return signal_error0(cx, Qbeginning_of_buffer);
      TRY(delete_region_re(cx, target, b.point.chars));
    } else {
      if (target > b.end.chars) return signal_error0(cx, Qend_of_buffer);
      TRY(delete_region_re(cx, b.point.chars, target));
    }
    return kNil;
  }
  TRY(funcall_re(cx, Qkill_forward_chars, {n}));
  return kNil;
}

}  // namespace neomacs::host
