// Where printed text goes.
#include <cstdio>

#include "neovm/text/characters.hpp"
#include "printer.hpp"

namespace neovm::elisp {

PrintState& print_state(Context& cx) {
  auto* state = static_cast<PrintState*>(extension_state(cx, ExtensionId::kGuestPrinter));
  if (state == nullptr) {
    state = new PrintState;
    set_extension(cx, ExtensionId::kGuestPrinter, {state, nullptr, [](void* s) {
                                                     auto* p = static_cast<PrintState*>(s);
                                                     if (p->debug_stream != nullptr) std::fclose(p->debug_stream);
                                                     delete p;
                                                   }});
  }
  return *state;
}

void write_encoded(FILE* stream, std::string_view s) {
  const auto* p = reinterpret_cast<const std::uint8_t*>(s.data());
  std::size_t start = 0;
  for (std::size_t i = 0; i < s.size();) {
    if (p[i] != 0xC0 && p[i] != 0xC1) {
      i += static_cast<std::size_t>(text::bytes_by_lead(p[i]));
      continue;
    }
    std::fwrite(p + start, 1, i - start, stream);
    std::putc(text::char_to_raw_byte(text::decode_char(p + i).c), stream);
    i += 2;
    start = i;
  }
  if (start < s.size()) std::fwrite(p + start, 1, s.size() - start, stream);
}

Value resolve_destination(Context& cx, Value destination) {
  if (destination.is_nil()) destination = variable_value(cx, Qstandard_output);
  if (destination.is_nil() || destination.is_unbound()) return Qt;
  return destination;
}

Value emit_re(Context& cx, Value destination, std::string_view s, bool whole) {
  if (s.empty()) return kNil;
  const HostHooks& hooks = host_hooks(cx);
  if (destination == Qt) {
    // The internal encoding goes out as it is: batch Emacs shows a raw byte as its two bytes, too.
    std::fwrite(s.data(), 1, s.size(), stdout);
    PrintState& state = print_state(cx);
    if (!whole) state.last_char = static_cast<unsigned char>(s.back());
    state.needs_newline = true;
    return kNil;
  }
  if ((hooks.is_buffer != nullptr && hooks.is_buffer(destination)) ||
      (hooks.is_marker != nullptr && hooks.is_marker(destination)))
    return hooks.stream_insert_re(cx, destination, TRY(text_to_string(cx, s)));
  const std::string copy(s);  // the function may print itself
  const auto* p = reinterpret_cast<const std::uint8_t*>(copy.data());
  for (std::size_t i = 0; i < copy.size();) {
    const text::Decoded d = text::decode_char(p + i);
    i += static_cast<std::size_t>(d.bytes);
    TRY(funcall_re(cx, destination, {Value::fixnum(d.c)}));
  }
  return kNil;
}

Value text_to_string(Context& cx, std::string_view s) {
  for (const char c : s)
    if (static_cast<std::uint8_t>(c) >= 0x80) return make_multibyte_string(cx, s);
  return make_unibyte_string(cx, s);
}

bool print_to_text(Context& cx, Value v, bool escape, std::string* result) {
  Printer printer(cx);
  printer.for_buffer(true);
  if (!printer.print(v, escape)) return false;
  *result = std::move(printer.out);
  return true;
}

Value print_to_re(Context& cx, Value v, Value destination, bool escape, std::string_view before,
                  std::string_view after) {
  destination = resolve_destination(cx, destination);
  Printer printer(cx);
  const HostHooks& hooks = host_hooks(cx);
  const auto is_buffer = [&hooks](Value object) { return hooks.is_buffer != nullptr && hooks.is_buffer(object); };
  if (is_buffer(destination)) {
    const Value locals = hooks.buffer_locals != nullptr ? hooks.buffer_locals(cx, destination) : kNil;
    printer.for_buffer(locals.is_nil() || variable_value_in(cx, Qenable_multibyte_characters, locals).truthy());
  } else if (hooks.is_marker != nullptr && hooks.is_marker(destination)) {
    printer.for_buffer(true);
  }
  printer.out = before;
  if (!printer.print(v, escape)) {
    // A terminal has seen what came before the error; a buffer has not.
    if (destination == Qt) std::fwrite(printer.out.data(), 1, printer.out.size(), stdout);
    return kExit;
  }
  printer.out.append(after);
  // Numbers, `##`, and the text of strings and of buffers' names go out in one piece.
  const bool whole =
      after.empty() && (is_number(v) || (!escape && (v.is_string() || is_buffer(v))) || printer.out == "##");
  TRY(emit_re(cx, destination, printer.out, whole));
  return v;
}

}  // namespace neovm::elisp
