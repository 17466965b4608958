// md5 and the SHA family (RFC 1321, FIPS 180-4), and secure-hash over strings and buffers (fns.c of GNU).
#include <sys/random.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>

#include "neovm/core/list_walk.hpp"
#include "rows.hpp"
#include "sequences.hpp"

namespace neovm::elisp {
namespace {

using Bytes = std::string;

constexpr std::int64_t kMaxRandomBytes = std::int64_t{1} << 31;

// Appends 0x80, zeros and the length in bits, so that the whole is a multiple of `block` bytes.
Bytes padded(const Bytes& message, std::size_t block, std::size_t length_bytes, bool big) {
  Bytes m = message;
  const std::uint64_t bits = std::uint64_t{message.size()} * 8;
  m.push_back(static_cast<char>(0x80));
  while (m.size() % block != block - length_bytes) m.push_back(0);
  for (std::size_t i = 0; i < length_bytes; ++i) {
    const std::size_t shift = 8 * (big ? length_bytes - 1 - i : i);
    m.push_back(static_cast<char>(shift < 64 ? bits >> shift : 0));
  }
  return m;
}

template <class Word>
Word load_big(const char* p) {
  Word w = 0;
  for (std::size_t i = 0; i < sizeof(Word); ++i) w = static_cast<Word>(w << 8) | static_cast<std::uint8_t>(p[i]);
  return w;
}
template <class Word, std::size_t N>
Bytes store_big(const std::array<Word, N>& words, std::size_t bytes) {
  Bytes out;
  for (const Word w : words)
    for (std::size_t i = sizeof(Word); i-- > 0;) out.push_back(static_cast<char>(w >> (8 * i)));
  out.resize(bytes);
  return out;
}

Bytes md5(const Bytes& message) {
  // Constants are floor(2^32 * abs(sin(i + 1))).
  static constexpr std::uint32_t kSine[64] = {
      0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
      0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
      0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
      0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
      0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
      0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
      0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
      0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};
  static constexpr int kTurn[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
  std::uint32_t h[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  const Bytes m = padded(message, 64, 8, false);
  for (std::size_t at = 0; at < m.size(); at += 64) {
    std::uint32_t x[16];
    std::memcpy(x, m.data() + at, 64);
    auto [a, b, c, d] = std::array<std::uint32_t, 4>{h[0], h[1], h[2], h[3]};
    for (int i = 0; i < 64; ++i) {
      std::uint32_t f = 0;
      int k = i;
      switch (i / 16) {
        case 0: f = (b & c) | (~b & d); break;
        case 1:
          f = (d & b) | (~d & c);
          k = (5 * i + 1) & 15;
          break;
        case 2:
          f = b ^ c ^ d;
          k = (3 * i + 5) & 15;
          break;
        default: f = c ^ (b | ~d); k = (7 * i) & 15;
      }
      const std::uint32_t turned = std::rotl(a + f + kSine[i] + x[k & 15], kTurn[i / 16][i & 3]);
      a = d;
      d = c;
      c = b;
      b += turned;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
  }
  return Bytes(reinterpret_cast<const char*>(h), 16);
}

Bytes sha1(const Bytes& message) {
  std::array<std::uint32_t, 5> h = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  const Bytes m = padded(message, 64, 8, true);
  for (std::size_t at = 0; at < m.size(); at += 64) {
    std::uint32_t w[80];
    for (int i = 0; i < 16; ++i) w[i] = load_big<std::uint32_t>(m.data() + at + static_cast<std::size_t>(4 * i));
    for (int i = 16; i < 80; ++i) w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    auto [a, b, c, d, e] = h;
    for (int i = 0; i < 80; ++i) {
      const std::uint32_t f = i < 20   ? (b & c) | (~b & d)
                              : i < 40 ? b ^ c ^ d
                              : i < 60 ? (b & c) | (b & d) | (c & d)
                                       : b ^ c ^ d;
      const std::uint32_t k = i < 20 ? 0x5a827999 : i < 40 ? 0x6ed9eba1 : i < 60 ? 0x8f1bbcdc : 0xca62c1d6;
      const std::uint32_t t = std::rotl(a, 5) + f + e + k + w[i];
      e = d;
      d = c;
      c = std::rotl(b, 30);
      b = a;
      a = t;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
  }
  return store_big(h, 20);
}

// Fractional parts of the cube roots of the first 80 primes; SHA-256 uses the upper halves of the first 64.
constexpr std::uint64_t kCubeRoots[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc, 0x3956c25bf348b538,
    0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118, 0xd807aa98a3030242, 0x12835b0145706fbe,
    0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2, 0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235,
    0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5, 0x983e5152ee66dfab,
    0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4, 0xc6e00bf33da88fc2, 0xd5a79147930aa725,
    0x06ca6351e003826f, 0x142929670a0e6e70, 0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed,
    0x53380d139d95b3df, 0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30, 0xd192e819d6ef5218,
    0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8, 0x19a4c116b8d2d0c8, 0x1e376c085141ab53,
    0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8, 0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373,
    0x682e6ff3d6b2b8a3, 0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b, 0xca273eceea26619c,
    0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, 0x06f067aa72176fba, 0x0a637dc5a2c898a6,
    0x113f9804bef90dae, 0x1b710b35131c471b, 0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc,
    0x431d67c49c100d4c, 0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817};

struct Turns {
  int s0[3];  // message schedule; the third is a shift
  int s1[3];
  int e0[3];
  int e1[3];
};

template <class Word, int Rounds>
Bytes sha2(const Bytes& message, std::array<Word, 8> h, const Turns& turn, std::size_t result_bytes) {
  constexpr std::size_t kBlock = 16 * sizeof(Word);
  const Bytes m = padded(message, kBlock, 2 * sizeof(Word), true);
  const auto constant = [](int i) {
    return static_cast<Word>(sizeof(Word) == 4 ? kCubeRoots[i] >> 32 : kCubeRoots[i]);
  };
  for (std::size_t at = 0; at < m.size(); at += kBlock) {
    Word w[Rounds];
    for (int i = 0; i < 16; ++i) w[i] = load_big<Word>(m.data() + at + sizeof(Word) * static_cast<std::size_t>(i));
    for (int i = 16; i < Rounds; ++i) {
      const Word a = w[i - 15];
      const Word b = w[i - 2];
      const Word s0 = std::rotr(a, turn.s0[0]) ^ std::rotr(a, turn.s0[1]) ^ (a >> turn.s0[2]);
      const Word s1 = std::rotr(b, turn.s1[0]) ^ std::rotr(b, turn.s1[1]) ^ (b >> turn.s1[2]);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    std::array<Word, 8> v = h;
    for (int i = 0; i < Rounds; ++i) {
      const Word e1 = std::rotr(v[4], turn.e1[0]) ^ std::rotr(v[4], turn.e1[1]) ^ std::rotr(v[4], turn.e1[2]);
      const Word t1 = v[7] + e1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + constant(i) + w[i];
      const Word e0 = std::rotr(v[0], turn.e0[0]) ^ std::rotr(v[0], turn.e0[1]) ^ std::rotr(v[0], turn.e0[2]);
      const Word t2 = e0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
      v = {t1 + t2, v[0], v[1], v[2], v[3] + t1, v[4], v[5], v[6]};
    }
    for (std::size_t i = 0; i < 8; ++i) h[i] += v[i];
  }
  return store_big(h, result_bytes);
}

constexpr Turns kTurns32 = {{7, 18, 3}, {17, 19, 10}, {2, 13, 22}, {6, 11, 25}};
constexpr Turns kTurns64 = {{1, 8, 7}, {19, 61, 6}, {28, 34, 39}, {14, 18, 41}};

// False when the algorithm is unknown.
bool digest(std::string_view algorithm, const Bytes& m, Bytes* out) {
  if (algorithm == "md5") {
    *out = md5(m);
  } else if (algorithm == "sha1") {
    *out = sha1(m);
  } else if (algorithm == "sha224") {
    *out = sha2<std::uint32_t, 64>(
        m, {0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939, 0xffc00b31, 0x68581511, 0x64f98fa7, 0xbefa4fa4}, kTurns32,
        28);
  } else if (algorithm == "sha256") {
    *out = sha2<std::uint32_t, 64>(
        m, {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}, kTurns32,
        32);
  } else if (algorithm == "sha384") {
    *out = sha2<std::uint64_t, 80>(m,
                                   {0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
                                    0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4},
                                   kTurns64, 48);
  } else if (algorithm == "sha512") {
    *out = sha2<std::uint64_t, 80>(m,
                                   {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                                    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179},
                                   kTurns64, 64);
  } else {
    return false;
  }
  return true;
}

std::string hex(const Bytes& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string s;
  for (const char b : bytes) {
    s.push_back(kDigits[static_cast<std::uint8_t>(b) >> 4]);
    s.push_back(kDigits[b & 15]);
  }
  return s;
}

// What stands for "take so many random bytes instead": the symbol iv-auto, with their number as START.
Value random_bytes(Context& cx, Value count) {
  if (!count.is_natnum_fixnum()) return error_text(cx, "Without a length, ‘iv-auto’ can’t be used; see ELisp manual");
  if (count.as_fixnum() > kMaxRandomBytes) return error_text(cx, "Memory exhausted");
  Bytes bytes(static_cast<std::size_t>(count.as_fixnum()), '\0');
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t got = getrandom(bytes.data() + at, bytes.size() - at, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return error_text(cx, "Getting random data");
    at += static_cast<std::size_t>(got);
  }
  return make_unibyte_string(cx, bytes);
}

// The bytes of a string or buffer, in UTF-8 or the coding system given; or random ones.
Value object_bytes_re(Context& cx, Value object, Value start, Value end, Value coding) {
  Value text = object;
  if (object.is_string()) {
    // START and END count in the encoded bytes.
    if (string_multibyte(object))
      text = TRY(funcall_re(cx, Qencode_coding_string, {object, coding.is_nil() ? Value(Qutf_8) : coding, Qt}));
    const Range r = TRY(subarray_range(cx, text, start, end, string_chars(text)));
    return substring_of(cx, text, r.from, r.to, false);
  } else if (object == intern(cx, "iv-auto")) {
    return random_bytes(cx, start);
  } else {
    if (host_hooks(cx).is_buffer == nullptr || !host_hooks(cx).is_buffer(object)) {
      const Value message = TRY(make_string(cx, "Invalid object argument"));
      if (object.is_nil()) object = symbol_name(cx, object);
      core::CycleFinder cycle(object);
      Value end = object;
      while (end.is_cons()) {
        end = cdr_raw(end);
        if (cycle.step(end)) break;
      }
      // A proper list is spread out after the text.
      return signal_error(cx, Qerror, cons(cx, message, end.is_nil() ? object : list(cx, {object})));
    }
    const Value old = TRY(funcall_re(cx, Qcurrent_buffer, {}));
    TRY(funcall_re(cx, Qset_buffer, {object}));
    const Value from = start.is_nil() ? TRY(funcall_re(cx, Qpoint_min, {})) : start;
    const Value to = end.is_nil()     ? TRY(funcall_re(cx, Qpoint_max, {})) : end;
    const Value part = funcall_re(cx, Qbuffer_substring_no_properties, {from, to});
    if (part.is_exit()) return kFailed;
    TRY(funcall_re(cx, Qset_buffer, {old}));
    text = part;
  }
  if (!string_multibyte(text)) return text;
  return funcall_re(cx, Qencode_coding_string, {text, coding.is_nil() ? Value(Qutf_8) : coding, Qt});
}

}  // namespace

DATA_REENTERS(md5, "md5", 1, 5,
              "Return the MD5 digest, in hexadecimal, of OBJECT (a string or buffer) from START to END.")
(Context& cx, Value object, Value start, Value end, Value coding, Value no_error) {
  if (coding.truthy() && no_error.truthy() && TRY(funcall_re(cx, Qcoding_system_p, {coding})).is_nil())
    coding = Qraw_text;
  const Value text = TRY(object_bytes_re(cx, object, start, end, coding));
  return make_string(cx, hex(md5(std::string(string_view_of(text)))));
}
DATA_REENTERS(secure_hash, "secure-hash", 2, 5,
              "Return the digest by ALGORITHM of OBJECT from START to END, in hexadecimal or (BINARY) as bytes.")
(Context& cx, Value algorithm, Value object, Value start, Value end, Value binary) {
  if (!algorithm.is_symbol()) return wrong_type(cx, Qsymbolp, algorithm);
  const std::string name(symbol_name_view(cx, algorithm));
  const Value text = TRY(object_bytes_re(cx, object, start, end, kNil));
  Bytes out;
  if (!digest(name, std::string(string_view_of(text)), &out))
    return error_format(cx, "Invalid algorithm arg: %s", name.c_str());
  return binary.truthy() ? make_unibyte_string(cx, out) : make_string(cx, hex(out));
}
DATA_MAKES(secure_hash_algorithms, "secure-hash-algorithms", 0, 0, "Return a list of the algorithms of `secure-hash'.")
(Context& cx) {
  Value result = kNil;
  for (const char* name : {"sha512", "sha384", "sha256", "sha224", "sha1", "md5"})
    result = cons(cx, intern(cx, name), result);
  return result;
}
DATA_REENTERS(buffer_hash, "buffer-hash", 0, 1, "Return a digest of BUFFER's whole text.")(Context& cx, Value buffer) {
  if (buffer.is_nil()) buffer = TRY(funcall_re(cx, Qcurrent_buffer, {}));
  if (buffer.is_string()) {
    const Value named = TRY(funcall_re(cx, Qget_buffer, {buffer}));
    if (named.is_nil())
      return signal_error1(cx, Qerror, TRY(make_string(cx, "No buffer named " + to_std_string(buffer))));
    buffer = named;
  }
  const std::size_t depth = binding_depth(cx);
  if (host_hooks(cx).record_save_current_buffer != nullptr) host_hooks(cx).record_save_current_buffer(cx);
  TRY(funcall_re(cx, Qset_buffer, {buffer}));
  if (host_hooks(cx).record_save_restriction != nullptr) host_hooks(cx).record_save_restriction(cx);
  TRY(funcall_re(cx, Qwiden, {}));
  const Value text = TRY(funcall_re(cx, Qbuffer_string, {}));
  TRY(unbind_to_re(cx, depth, kNil));
  return make_string(cx, hex(sha1(std::string(string_view_of(text)))));
}

}  // namespace neovm::elisp
