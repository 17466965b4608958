// set-buffer-multibyte: the same bytes under the other interpretation.
#include <algorithm>

#include "buffer/buffer.hpp"
#include "buffer/overlay.hpp"
#include "edit/edit.hpp"

namespace neomacs::host {

namespace {

// The new text and, for each old byte offset, where it went.
struct Conversion {
  std::vector<std::uint8_t> bytes;
  std::int64_t chars = 0;
  std::vector<std::int64_t> byte_map;  // old offset -> new offset (start of its character)
  std::vector<std::int64_t> char_map;  // old offset -> new character index
};

void append_char(Conversion* c, int ch) {
  std::uint8_t unit[text::kMaxBytesPerChar];
  const int n = text::encode_char(ch, unit);
  c->bytes.insert(c->bytes.end(), unit, unit + n);
}

// Bytes become characters where they form valid internal sequences, raw bytes elsewhere.
Conversion to_multibyte(const std::uint8_t* p, std::int64_t n) {
  Conversion c;
  c.byte_map.resize(static_cast<std::size_t>(n) + 1);
  c.char_map.resize(static_cast<std::size_t>(n) + 1);
  for (std::int64_t i = 0; i < n;) {
    int length = text::valid_sequence_length(p + i, n - i, true);
    // A raw byte's own two-byte code does not occur in unibyte text: its bytes stay separate.
    if (length == 2 && p[i] < 0xC2) length = 0;
    const std::int64_t used = std::max(length, 1);
    for (std::int64_t k = 0; k < used; ++k) {
      c.byte_map[static_cast<std::size_t>(i + k)] = static_cast<std::int64_t>(c.bytes.size());
      c.char_map[static_cast<std::size_t>(i + k)] = c.chars;
    }
    if (length > 0) {
      c.bytes.insert(c.bytes.end(), p + i, p + i + length);
    } else {
      append_char(&c, text::raw_byte_to_char(p[i]));
    }
    ++c.chars;
    i += used;
  }
  c.byte_map[static_cast<std::size_t>(n)] = static_cast<std::int64_t>(c.bytes.size());
  c.char_map[static_cast<std::size_t>(n)] = c.chars;
  return c;
}

Conversion to_unibyte(const std::uint8_t* p, std::int64_t n) {
  Conversion c;
  c.byte_map.resize(static_cast<std::size_t>(n) + 1);
  for (std::int64_t i = 0; i < n;) {
    const text::Decoded d = text::decode_char(p + i);
    for (int k = 0; k < d.bytes; ++k)
      c.byte_map[static_cast<std::size_t>(i + k)] = static_cast<std::int64_t>(c.bytes.size());
    if (text::is_raw_byte_char(d.c)) {
      c.bytes.push_back(static_cast<std::uint8_t>(text::char_to_raw_byte(d.c)));
    } else {
      c.bytes.insert(c.bytes.end(), p + i, p + i + d.bytes);
    }
    i += d.bytes;
  }
  c.byte_map[static_cast<std::size_t>(n)] = static_cast<std::int64_t>(c.bytes.size());
  c.chars = static_cast<std::int64_t>(c.bytes.size());
  c.char_map = c.byte_map;
  return c;
}

}  // namespace

void convert_buffer_encoding(Context& cx, Buffer& b, bool multibyte) {
  TextStore& store = *b.text;
  const std::int64_t n = store.end().bytes - 1;
  const std::uint8_t* p = store.contiguous(1, n + 1);
  Conversion c = multibyte ? to_multibyte(p, n) : to_unibyte(p, n);
  const auto map = [&](Pos at) {
    const auto i = static_cast<std::size_t>(std::clamp<std::int64_t>(at.bytes - 1, 0, n));
    return Pos{c.char_map[i] + 1, c.byte_map[i] + 1};
  };
  // Properties: by character runs of the old text.
  text::IntervalTree properties(c.chars);
  if (!store.properties.empty()) {
    for (std::int64_t i = 0; i < store.properties.length();) {
      const text::IntervalTree::Run r = store.properties.find(i);
      if (!r.value.is_nil()) {
        // A run that ends inside a new character covers it.
        const auto end = static_cast<std::size_t>(store.byte_of(r.end + 1) - 1);
        const bool inside = end > 0 && end < c.char_map.size() && c.char_map[end] == c.char_map[end - 1];
        properties.replace(map(store.at_char(r.start + 1)).chars - 1, c.char_map[end] + (inside ? 1 : 0), r.value);
      }
      i = r.end;
    }
  }
  // A place inside a new character goes behind it.
  const auto place = [&](Pos at) {
    auto i = static_cast<std::size_t>(std::clamp<std::int64_t>(at.bytes - 1, 0, n));
    if (i > 0 && multibyte)
      for (const std::int64_t before = c.byte_map[i - 1]; i < static_cast<std::size_t>(n) && c.byte_map[i] == before;)
        ++i;
    return Pos{c.char_map[i] + 1, c.byte_map[i] + 1};
  };
  for (Marker* m : store.markers) m->pos = place(m->pos);
  for (Buffer* u : store.users) {
    u->point = place(u->point);
    u->begin = place(u->begin);
    u->end = place(u->end);
    u->overlay_center = std::min(u->overlay_center, c.chars + 1);
    set_buffer_variable(cx, *u, Qenable_multibyte_characters, boolean(multibyte));
  }
  store.properties.swap(properties);
  store.adopt(std::move(c.bytes), c.chars, multibyte);
}

NEOVM_PRIMITIVE(set_buffer_multibyte, "set-buffer-multibyte", 1, 1, kWorkerSafe, kStateWrite, kMayGc, kNoReentry,
                kDeterministic, "Make the current buffer hold characters (FLAG non-nil) or bytes, keeping its bytes.")
(Context& cx, Value flag) {
  Buffer& b = current_buffer(cx);
  if (b.base != nullptr) return error_text(cx, "Cannot do ‘set-buffer-multibyte’ on an indirect buffer");
  if (flag.truthy() == b.multibyte()) return flag;
  if (b.narrowed()) return error_text(cx, "Changing multibyteness in a narrowed buffer");
  convert_buffer_encoding(cx, b, flag.truthy());
  b.text->modified++;
  b.text->chars_modified = b.text->modified;
  return flag;
}

}  // namespace neomacs::host
