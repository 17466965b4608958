#include "neovm/text/utf_codec.hpp"

#include "neovm/text/characters.hpp"

namespace neovm::text {

namespace {

void append_char(std::string* out, int c) {
  std::uint8_t p[kMaxBytesPerChar];
  const int n = encode_char(c, p);
  out->append(reinterpret_cast<const char*>(p), static_cast<std::size_t>(n));
}

bool is_surrogate(int c) { return c >= 0xD800 && c < 0xE000; }

}  // namespace

std::int64_t decode_utf8(std::string_view source, std::string* out) {
  const auto* p = reinterpret_cast<const std::uint8_t*>(source.data());
  const auto n = static_cast<std::int64_t>(source.size());
  std::int64_t chars = 0;
  out->reserve(out->size() + source.size());
  for (std::int64_t i = 0; i < n;) {
    std::int64_t run = i;
    while (run < n && p[run] < 0x80) ++run;
    if (run > i) {
      out->append(source.substr(static_cast<std::size_t>(i), static_cast<std::size_t>(run - i)));
      chars += run - i;
      i = run;
      continue;
    }
    const int length = p[i] >= 0xC2 ? valid_sequence_length(p + i, n - i, true) : 0;
    if (length > 0 && !is_surrogate(decode_char(p + i).c)) {
      out->append(source.substr(static_cast<std::size_t>(i), static_cast<std::size_t>(length)));
      i += length;
    } else {
      append_char(out, raw_byte_to_char(p[i++]));
    }
    ++chars;
  }
  return chars;
}

void encode_utf8(std::string_view internal, std::string* out) {
  const auto* p = reinterpret_cast<const std::uint8_t*>(internal.data());
  const auto n = static_cast<std::int64_t>(internal.size());
  out->reserve(out->size() + internal.size());
  std::int64_t done = 0;
  for (std::int64_t i = 0; i < n;) {
    if (p[i] == 0xC0 || p[i] == 0xC1) {  // a raw byte
      out->append(internal.substr(static_cast<std::size_t>(done), static_cast<std::size_t>(i - done)));
      out->push_back(static_cast<char>(char_to_raw_byte(decode_char(p + i).c)));
      i += 2;
      done = i;
    } else {
      i += bytes_by_lead(p[i]);
    }
  }
  out->append(internal.substr(static_cast<std::size_t>(done)));
}

std::int64_t decode_utf16(std::string_view source, bool big, std::string* out) {
  const auto* p = reinterpret_cast<const std::uint8_t*>(source.data());
  const std::size_t n = source.size();
  const auto unit = [&](std::size_t i) { return big ? (p[i] << 8) | p[i + 1] : p[i] | (p[i + 1] << 8); };
  std::int64_t chars = 0;
  std::size_t i = 0;
  while (i + 1 < n) {
    const int u = unit(i);
    if (!is_surrogate(u)) {
      append_char(out, u);
      ++chars;
      i += 2;
      continue;
    }
    if (u < 0xDC00 && i + 3 < n) {
      const int v = unit(i + 2);
      if (v >= 0xDC00 && v < 0xE000) {
        append_char(out, 0x10000 + ((u - 0xD800) << 10) + (v - 0xDC00));
        ++chars;
        i += 4;
        continue;
      }
    }
    append_char(out, p[i]);
    append_char(out, p[i + 1]);
    chars += 2;
    i += 2;
  }
  for (; i < n; ++i, ++chars) append_char(out, p[i]);
  return chars;
}

void encode_utf16(std::string_view internal, bool big, int substitute, std::string* out) {
  const auto* p = reinterpret_cast<const std::uint8_t*>(internal.data());
  const auto n = static_cast<std::int64_t>(internal.size());
  const auto put = [&](int u) {
    out->push_back(static_cast<char>(big ? u >> 8 : u));
    out->push_back(static_cast<char>(big ? u : u >> 8));
  };
  for (std::int64_t i = 0; i < n;) {
    const Decoded d = decode_char(p + i);
    i += d.bytes;
    int c = d.c;
    if (c > kMaxUnicode || is_surrogate(c)) c = substitute;
    if (c < 0x10000) {
      put(c);
    } else {
      put(0xD800 + ((c - 0x10000) >> 10));
      put(0xDC00 + ((c - 0x10000) & 0x3FF));
    }
  }
}

}  // namespace neovm::text
