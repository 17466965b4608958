// Code points and characters: arithmetic of code spaces, the four methods, and map files.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "charset.hpp"
#include "neovm/text/characters.hpp"

namespace neovm::elisp {

std::int64_t Charset::index_of(std::uint32_t code) const {
  std::int64_t index = 0;
  std::int64_t scale = 1;
  for (int i = 0; i < dimension; ++i) {
    const int byte = static_cast<int>((code >> (8 * i)) & 0xFF) - low[i];
    if (byte < 0 || byte >= size[i]) return -1;
    index += byte * scale;
    scale *= size[i];
  }
  if (dimension < 4 && (code >> (8 * dimension)) != 0) return -1;
  return index;
}

std::uint32_t Charset::code_of(std::int64_t index) const {
  std::uint32_t code = 0;
  for (int i = 0; i < dimension; ++i) {
    code |= static_cast<std::uint32_t>(low[i] + index % size[i]) << (8 * i);
    index /= size[i];
  }
  return code;
}

std::int64_t Charset::index_count() const {
  std::int64_t n = 1;
  for (int i = 0; i < dimension; ++i) n *= size[i];
  return n;
}

namespace {

void add_run(Charset* cs, std::uint32_t from, std::uint32_t to, std::int32_t c) {
  const std::int64_t first = cs->index_of(from);
  const std::int64_t last = cs->index_of(to);
  if (first < 0 || last < first || last >= static_cast<std::int64_t>(cs->chars.size())) return;
  for (std::int64_t i = first; i <= last; ++i, ++c) {
    const std::uint32_t code = cs->code_of(i);
    if (code < cs->min_code || code > cs->max_code || c > text::kMaxChar) continue;
    cs->chars[static_cast<std::size_t>(i)] = c;
    cs->codes.emplace_back(c, code);
  }
}

// Lines "0xCODE 0xCHAR" or "0xFROM-0xTO 0xCHAR"; anything else is a comment.
void read_map(Charset* cs, std::FILE* f) {
  char line[256];
  while (std::fgets(line, sizeof line, f) != nullptr) {
    if (line[0] != '0') continue;
    char* end = nullptr;
    const auto from = static_cast<std::uint32_t>(std::strtoul(line, &end, 16));
    std::uint32_t to = from;
    if (*end == '-') to = static_cast<std::uint32_t>(std::strtoul(end + 1, &end, 16));
    char* rest = nullptr;
    const long c = std::strtol(end, &rest, 16);
    if (rest != end) add_run(cs, from, to, static_cast<std::int32_t>(c));
  }
}

std::FILE* open_map(Context& cx, const std::string& name) {
  const auto try_folder = [&](Value folder) -> std::FILE* {
    if (!folder.is_string()) return nullptr;
    const std::string base = to_std_string(folder) + "/" + name;
    for (const char* suffix : {".map", ".TXT", ""})
      if (std::FILE* f = std::fopen((base + suffix).c_str(), "re")) return f;
    return nullptr;
  };
  for (Value path = variable_value(cx, Qcharset_map_path); path.is_cons(); path = cdr_raw(path))
    if (std::FILE* f = try_folder(car_raw(path))) return f;
  const Value data = variable_value(cx, Qdata_directory);
  if (data.is_string())
    if (std::FILE* f = std::fopen((to_std_string(data) + "/charsets/" + name + ".map").c_str(), "re")) return f;
  return nullptr;
}

}  // namespace

Maybe<bool> load_charset_map(Context& cx, Charset* cs) {
  if (cs->map_loaded) return true;
  const Value vector = charset_vector_by_id(cx, cs->id);
  const Value map = slot_raw(vector, cs->method == CharsetMethod::kMap ? kCsMap : kCsUnifyMap);
  cs->chars.assign(static_cast<std::size_t>(cs->index_count()), -1);
  cs->codes.clear();
  if (map.is_string()) {
    const std::string name = to_std_string(map);
    std::FILE* f = open_map(cx, name);
    if (f == nullptr) return error_format(cx, "Failed to load charset map: %s", name.c_str());
    read_map(cs, f);
    std::fclose(f);
  } else if (is_vector(map)) {
    for (std::int64_t i = 0; i + 1 < slot_count_raw(map); i += 2) {
      const Value key = slot_raw(map, i);
      const Value c = slot_raw(map, i + 1);
      if (!is_character(c)) continue;
      const Value from = key.is_cons() ? car_raw(key) : key;
      const Value to = key.is_cons() ? cdr_raw(key) : key;
      if (from.is_fixnum() && to.is_fixnum())
        add_run(cs, static_cast<std::uint32_t>(from.as_fixnum()), static_cast<std::uint32_t>(to.as_fixnum()),
                static_cast<std::int32_t>(c.as_fixnum()));
    }
  }
  // A character with several codes is encoded as the first of them in the map.
  std::stable_sort(cs->codes.begin(), cs->codes.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  cs->codes.erase(
      std::unique(cs->codes.begin(), cs->codes.end(), [](const auto& a, const auto& b) { return a.first == b.first; }),
      cs->codes.end());
  cs->map_loaded = true;
  return true;
}

namespace {

std::uint32_t code_in_map(const Charset* cs, int c) {
  const auto it = std::lower_bound(cs->codes.begin(), cs->codes.end(), std::pair<std::int32_t, std::uint32_t>(c, 0));
  return it != cs->codes.end() && it->first == c ? it->second : kNoCode;
}

}  // namespace

Maybe<int> decode_charset(Context& cx, Charset* cs, std::uint32_t code) {
  if (code < cs->min_code || code > cs->max_code) return -1;
  switch (cs->method) {
    case CharsetMethod::kSubset: {
      const std::int64_t in_parent = static_cast<std::int64_t>(code) - cs->parent_offset;
      if (in_parent < cs->parent_min || in_parent > cs->parent_max) return -1;
      return decode_charset(cx, charset_by_id(cx, cs->parent), static_cast<std::uint32_t>(in_parent));
    }
    case CharsetMethod::kSuperset:
      for (const auto& [id, offset] : cs->parents) {
        const std::int64_t in_parent = static_cast<std::int64_t>(code) - offset;
        if (in_parent < 0 || in_parent > kNoCode) continue;
        const int c = TRY(decode_charset(cx, charset_by_id(cx, id), static_cast<std::uint32_t>(in_parent)));
        if (c >= 0) return c;
      }
      return -1;
    case CharsetMethod::kMap: {
      const std::int64_t i = cs->index_of(code);
      if (i < 0) return -1;
      TRY(load_charset_map(cx, cs));
      return cs->chars[static_cast<std::size_t>(i)];
    }
    case CharsetMethod::kOffset: {
      const std::int64_t i = cs->index_of(code);
      if (i < 0) return -1;
      const std::int64_t c = i + cs->code_offset;
      if (c > text::kMaxChar) return -1;
      if (cs->unified && c > text::kMaxUnicode) {
        TRY(load_charset_map(cx, cs));
        const int unified = cs->chars[static_cast<std::size_t>(i)];
        if (unified >= 0) return unified;
      }
      return static_cast<int>(c);
    }
  }
  return -1;
}

Maybe<std::uint32_t> encode_charset(Context& cx, Charset* cs, int c) {
  switch (cs->method) {
    case CharsetMethod::kSubset: {
      const std::uint32_t code = TRY(encode_charset(cx, charset_by_id(cx, cs->parent), c));
      if (code == kNoCode || code < cs->parent_min || code > cs->parent_max) return kNoCode;
      return static_cast<std::uint32_t>(code + cs->parent_offset);
    }
    case CharsetMethod::kSuperset:
      for (const auto& [id, offset] : cs->parents) {
        const std::uint32_t code = TRY(encode_charset(cx, charset_by_id(cx, id), c));
        if (code != kNoCode) return static_cast<std::uint32_t>(code + offset);
      }
      return kNoCode;
    case CharsetMethod::kMap: TRY(load_charset_map(cx, cs)); return code_in_map(cs, c);
    case CharsetMethod::kOffset: {
      if (cs->unified) {
        TRY(load_charset_map(cx, cs));
        const std::uint32_t code = code_in_map(cs, c);
        if (code != kNoCode) return code;
      }
      const std::int64_t i = static_cast<std::int64_t>(c) - cs->code_offset;
      if (i < 0 || i >= cs->index_count()) return kNoCode;
      const std::uint32_t code = cs->code_of(i);
      return code < cs->min_code || code > cs->max_code ? kNoCode : code;
    }
  }
  return kNoCode;
}

Maybe<int> charset_of_char_in(Context& cx, int c, const std::vector<int>& ids, std::uint32_t* code) {
  for (const int id : ids) {
    *code = TRY(encode_charset(cx, charset_by_id(cx, id), c));
    if (*code != kNoCode) return id;
  }
  return -1;
}

Maybe<int> charset_of_char(Context& cx, int c, std::uint32_t* code) {
  const Value rest = charset_state(cx, kStNonPreferred);
  for (Value tail = charset_state(cx, kStOrdered); tail.is_cons(); tail = cdr_raw(tail)) {
    // Past what set-charset-priority named, Unicode is as good as any.
    if (tail == rest && c <= text::kMaxUnicode) {
      *code = static_cast<std::uint32_t>(c);
      return kCharsetUnicode;
    }
    const auto id = static_cast<int>(car_raw(tail).as_fixnum());
    *code = TRY(encode_charset(cx, charset_by_id(cx, id), c));
    if (*code != kNoCode) return id;
  }
  return -1;
}

Maybe<std::uint32_t> code_argument(Context& cx, Value v) {
  constexpr const char* kBad = "Not an in-range integer, integral float, or cons of integers";
  if (v.is_fixnum() && v.as_fixnum() >= 0 && v.as_fixnum() <= kNoCode) return static_cast<std::uint32_t>(v.as_fixnum());
  if (v.is_float()) {
    const double d = float_raw(v);
    if (d >= 0 && d <= static_cast<double>(kNoCode) && d == std::floor(d)) return static_cast<std::uint32_t>(d);
  }
  if (v.is_cons() && car_raw(v).is_natnum_fixnum()) {
    Value low = cdr_raw(v);
    if (low.is_cons()) low = car_raw(low);
    if (low.is_natnum_fixnum() && car_raw(v).as_fixnum() <= 0xFFFF && low.as_fixnum() <= 0xFFFF)
      return static_cast<std::uint32_t>((car_raw(v).as_fixnum() << 16) | low.as_fixnum());
  }
  return error_text(cx, kBad);
}

}  // namespace neovm::elisp
