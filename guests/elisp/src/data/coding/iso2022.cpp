// The arguments of a coding system of this type: initial designations, registers by size of set, registers
// asked for by charset, and flags. Composition and direction sequences pass through as they are.
#include "iso2022.hpp"

#include <algorithm>

#include "../charset/charset.hpp"
#include "multibyte_codecs.hpp"
#include "neovm/text/characters.hpp"

namespace neovm::elisp {
namespace {

// Positions in `coding-system-iso-2022-flags'.
enum IsoFlag : std::int64_t {
  kLongForm = 1 << 0,
  kAsciiAtEol = 1 << 1,
  kAsciiAtControl = 1 << 2,
  kSevenBits = 1 << 3,
  kLockingShift = 1 << 4,
  kSingleShift = 1 << 5,
  kDesignation = 1 << 6,
  kInitAtBol = 1 << 9,
  kLevel4 = 1 << 17,
};

constexpr std::uint8_t kEsc = 0x1B;
constexpr std::uint8_t kSo = 0x0E;
constexpr std::uint8_t kSi = 0x0F;
constexpr std::uint8_t kSs2 = 0x8E;
constexpr std::uint8_t kSs3 = 0x8F;

struct State {
  Value request;
  int reg94 = 4;
  int reg96 = 4;
  std::int64_t flags = 0;
  int initial[4] = {-1, -1, -1, -1};
  int designated[4] = {-1, -1, -1, -1};
  int gl = 0;
  int gr = 1;

  void reset() {
    std::copy(initial, initial + 4, designated);
    gl = 0;
  }
  [[nodiscard]] bool has(IsoFlag f) const { return (flags & f) != 0; }
};

State start(Context& cx, const CodingSystem& coding) {
  State s;
  const Value extra = coding.slot(kCoExtra);
  const auto at = [&](int i) { return slot_count_raw(extra) > i ? slot_raw(extra, i) : kNil; };
  if (is_vector(at(0)))
    for (int i = 0; i < 4; ++i) {
      const Value vector = charset_vector(cx, slot_raw(at(0), i));
      if (!vector.is_nil()) s.initial[i] = static_cast<int>(slot_raw(vector, kCsId).as_fixnum());
    }
  if (at(1).is_cons()) {
    if (car_raw(at(1)).is_fixnum()) s.reg94 = static_cast<int>(car_raw(at(1)).as_fixnum());
    if (cdr_raw(at(1)).is_fixnum()) s.reg96 = static_cast<int>(cdr_raw(at(1)).as_fixnum());
  }
  s.request = at(2);
  if (at(3).is_fixnum()) s.flags = at(3).as_fixnum();
  s.reset();
  s.gr = s.has(kSevenBits) ? -1 : 1;
  return s;
}

// Bytes of a designation sequence at `i` (an ESC): 0 when it is none. Sets register and charset.
std::size_t parse_designation(Context& cx, std::string_view b, std::size_t i, int* reg, int* charset) {
  const auto at = [&](std::size_t k) {
    return i + k < b.size() ? static_cast<std::uint8_t>(b[i + k]) : std::uint8_t{0};
  };
  std::size_t k = 1;
  int dimension = 1;
  if (at(k) == '$') {
    dimension = 2;
    ++k;
  }
  const std::uint8_t intermediate = at(k);
  bool chars96 = false;
  if (dimension == 2 && intermediate >= '@' && intermediate <= 'B') {
    *reg = 0;
  } else if (intermediate >= '(' && intermediate <= '+') {
    *reg = intermediate - '(';
    ++k;
  } else if (intermediate >= ',' && intermediate <= '/') {
    *reg = intermediate - ',';
    chars96 = true;
    ++k;
  } else {
    return 0;
  }
  const std::uint8_t final_byte = at(k);
  if (final_byte < '0' || final_byte > '~') return 0;
  *charset = charset_by_iso(cx, dimension, chars96, final_byte);
  return *charset < 0 ? 0 : k + 1;
}

}  // namespace

Maybe<bool> decode_iso2022(Context& cx, const CodingSystem& coding, std::string_view bytes, Decoded* out) {
  State s = start(cx, coding);
  DecodedSink sink(out);
  const std::vector<int> allowed = TRY(coding_system_charsets(cx, coding.name));
  for (std::size_t i = 0; i < bytes.size();) {
    const auto b = static_cast<std::uint8_t>(bytes[i]);
    const std::uint8_t b1 = i + 1 < bytes.size() ? static_cast<std::uint8_t>(bytes[i + 1]) : 0;
    int shifted = -1;  // register of a single shift
    std::size_t at = i;
    if (b == kEsc) {
      int reg = 0;
      int charset = -1;
      const std::size_t length = parse_designation(cx, bytes, i, &reg, &charset);
      if (length > 0 && std::find(allowed.begin(), allowed.end(), charset) != allowed.end()) {
        s.designated[reg] = charset;
        i += length;
        continue;
      }
      if (s.has(kLockingShift) && (b1 == 'n' || b1 == 'o')) {
        s.gl = b1 == 'n' ? 2 : 3;
        i += 2;
        continue;
      }
      if (s.has(kSingleShift) && (b1 == 'N' || b1 == 'O')) {
        shifted = b1 == 'N' ? 2 : 3;
        at += 2;
      }
    } else if (s.has(kLockingShift) && (b == kSo || b == kSi)) {
      s.gl = b == kSo ? 1 : 0;
      ++i;
      continue;
    } else if (s.has(kSingleShift) && (b == kSs2 || b == kSs3)) {
      shifted = b == kSs2 ? 2 : 3;
      ++at;
    }
    const auto lead = at < bytes.size() ? static_cast<std::uint8_t>(bytes[at]) : std::uint8_t{0};
    int charset = -1;
    if (shifted >= 0) {
      charset = s.designated[shifted];
    } else if (lead >= 0xA0) {
      charset = s.gr >= 0 ? s.designated[s.gr] : -1;
    } else if (lead >= 0x20 && lead < 0x80) {
      charset = s.designated[s.gl];
    }
    int c = -1;
    std::size_t used = 0;
    if (charset == kCharsetAscii && lead < 0x80) {
      c = lead;
      used = 1;
    } else if (charset >= 0) {
      Charset* cs = charset_by_id(cx, charset);
      const auto d = static_cast<std::size_t>(cs->dimension);
      const bool high = lead >= 0x80;
      std::uint32_t code = 0;
      bool good = at + d <= bytes.size();
      for (std::size_t k = 0; good && k < d; ++k) {
        const auto x = static_cast<std::uint8_t>(bytes[at + k]);
        good = (x >= 0x80) == high;
        code = (code << 8) | (x & 0x7FU);
      }
      if (good) c = TRY(decode_charset(cx, cs, code));
      used = d;
      if (c < 0 && !high && (lead == 0x20 || lead == 0x7F)) {
        c = lead;
        used = 1;
        charset = -1;
      }
    }
    if (c >= 0) {
      sink.add(c, charset);
      i = at + used;
      continue;
    }
    if (b < 0x80) {
      if (b == '\n' && s.has(kInitAtBol)) s.reset();
      sink.add(b, -1);
    } else {
      sink.add_raw(b);
    }
    ++i;
  }
  return true;
}

namespace {

class Encoder {
 public:
  Encoder(const State& s, std::string* out) : s_(s), out_(out) {}
  State& state() { return s_; }

  void put(int b) { out_->push_back(static_cast<char>(b)); }

  void designate(const Charset* cs, int reg) {
    put(kEsc);
    const char* intermediates = cs->iso_96 ? ",-./" : "()*+";
    if (cs->dimension == 1) {
      put(intermediates[reg]);
    } else {
      put('$');
      const bool short_form =
          reg == 0 && !cs->iso_96 && !s_.has(kLongForm) && cs->iso_final >= '@' && cs->iso_final <= 'B';
      if (!short_form) put(intermediates[reg]);
    }
    put(cs->iso_final);
    s_.designated[reg] = cs->id;
  }

  void shift_to_g0() {
    if (s_.gl != 0) {
      put(kSi);
      s_.gl = 0;
    }
  }

  // Back to the initial state, as at line ends and at the end of the text.
  void reset(Context& cx) {
    shift_to_g0();
    for (int r = 0; r < 4; ++r)
      if (s_.initial[r] >= 0 && s_.designated[r] != s_.initial[r]) designate(charset_by_id(cx, s_.initial[r]), r);
  }

  // False when no register can hold the charset.
  bool put_code(const Charset* cs, std::uint32_t code) {
    int reg = -1;
    for (int r = 0; r < 4 && reg < 0; ++r)
      if (s_.designated[r] == cs->id) reg = r;
    if (reg < 0) {
      reg = cs->iso_96 ? s_.reg96 : s_.reg94;
      for (Value tail = s_.request; tail.is_cons(); tail = cdr_raw(tail)) {
        const Value item = car_raw(tail);
        if (item.is_cons() && cdr_raw(item).is_fixnum() && request_id(item) == cs->id)
          reg = static_cast<int>(cdr_raw(item).as_fixnum());
      }
      if (reg < 0 || reg > 3) return false;
      designate(cs, reg);
    }
    int high = 0;
    if (reg == s_.gl) {
      high = 0;
    } else if (reg == s_.gr) {
      high = 0x80;
    } else if (reg >= 2 && s_.has(kSingleShift)) {
      if (s_.has(kSevenBits)) {
        put(kEsc);
        put(reg == 2 ? 'N' : 'O');
      } else {
        put(reg == 2 ? kSs2 : kSs3);
        high = s_.has(kLevel4) ? 0 : 0x80;
      }
    } else if (s_.has(kLockingShift)) {
      if (reg == 0) {
        put(kSi);
      } else if (reg == 1) {
        put(kSo);
      } else {
        put(kEsc);
        put(reg == 2 ? 'n' : 'o');
      }
      s_.gl = reg;
    } else {
      return false;
    }
    for (int k = cs->dimension - 1; k >= 0; --k) put(static_cast<int>((code >> (8 * k)) & 0x7F) | high);
    return true;
  }

  Context* cx = nullptr;

 private:
  int request_id(Value item) const {
    const Value vector = charset_vector(*cx, car_raw(item));
    return vector.is_nil() ? -1 : static_cast<int>(slot_raw(vector, kCsId).as_fixnum());
  }
  State s_;
  std::string* out_;
};

}  // namespace

Maybe<bool> encode_iso2022(Context& cx, const CodingSystem& coding, std::string_view text, std::string* out) {
  Encoder encoder(start(cx, coding), out);
  encoder.cx = &cx;
  State& s = encoder.state();
  const std::vector<int> ids = TRY(coding_system_charsets(cx, coding.name));
  const Value substitute = coding.slot(kCoDefaultChar);
  const auto* p = reinterpret_cast<const std::uint8_t*>(text.data());
  for (std::size_t i = 0; i < text.size();) {
    const text::Decoded d = text::decode_char(p + i);
    i += static_cast<std::size_t>(d.bytes);
    int c = d.c;
    if (c == '\n') {
      if (s.has(kAsciiAtEol)) encoder.reset(cx);
      encoder.put(c);
      if (s.has(kInitAtBol)) s.reset();
      continue;
    }
    if (c < 0x20 || c == 0x7F) {
      if (s.has(kAsciiAtControl)) encoder.reset(cx);
      encoder.put(c);
      continue;
    }
    if (text::is_raw_byte_char(c)) {
      encoder.put(text::char_to_raw_byte(c));
      continue;
    }
    std::uint32_t code = 0;
    int id = kCharsetAscii;
    if (c < 0x80) {
      code = static_cast<std::uint32_t>(c);
    } else {
      id = TRY(charset_of_char_in(cx, c, ids, &code));
    }
    if (id >= 0 && encoder.put_code(charset_by_id(cx, id), code)) continue;
    const int replacement = is_character(substitute) ? static_cast<int>(substitute.as_fixnum()) : '?';
    if (replacement < 0x80 &&
        !encoder.put_code(charset_by_id(cx, kCharsetAscii), static_cast<std::uint32_t>(replacement)))
      encoder.put(replacement);
  }
  encoder.reset(cx);
  return true;
}

}  // namespace neovm::elisp
