// Decompressing text in a buffer (decompress.c of GNU).
#include <zlib.h>

#include <string>

#include "edit/edit.hpp"

namespace neomacs::host {
namespace {

struct Inflated {
  bool complete = false;
  bool interrupted = false;
  std::int64_t left = 0;  // bytes of input not consumed
  std::string bytes;
};

// Gzip or zlib data from [from, to) (byte offsets of the cursor).
Inflated inflate_bytes(Context& cx, const text::Cursor& text, std::int64_t from, std::int64_t to) {
  constexpr std::int64_t kInput = 1 << 16;
  constexpr std::size_t kOutput = 1 << 16;
  Inflated result;
  z_stream stream{};
  // 15 + 32: the largest window, header detected by itself.
  if (inflateInit2(&stream, MAX_WBITS + 32) != Z_OK) return result;
  int status = Z_OK;
  std::int64_t at = from;
  std::string buffer(kOutput, '\0');
  while (status == Z_OK) {
    if (stream.avail_in == 0 && at < to) {
      const std::int64_t span_end = at < text.first_bytes ? std::min(text.first_bytes, to) : to;
      const std::int64_t n = std::min(kInput, span_end - at);
      stream.next_in = const_cast<Bytef*>(text.at(at));
      stream.avail_in = static_cast<uInt>(n);
      at += n;
    }
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(kOutput);
    const uInt in_before = stream.avail_in;
    status = inflate(&stream, Z_NO_FLUSH);
    const std::size_t made = kOutput - stream.avail_out;
    result.bytes.append(buffer, 0, made);
    if (status == Z_OK && made == 0 && stream.avail_in == in_before && at >= to) break;  // input ended early
    if (!check_quit(cx).ok()) {
      result.interrupted = true;
      break;
    }
  }
  result.complete = status == Z_STREAM_END;
  result.left = (to - at) + static_cast<std::int64_t>(stream.avail_in);
  inflateEnd(&stream);
  return result;
}

}  // namespace

NEOVM_PRIMITIVE(zlib_available_p, "zlib-available-p", 0, 0, kWorkerSafe, kPureRead, kNoGc, kNoReentry, kDeterministic,
                "Return t: zlib decompression is available.")
(Context&) { return Qt; }

NEOVM_PRIMITIVE(
    zlib_decompress_region, "zlib-decompress-region", 2, 3, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
    "Replace the gzip or zlib data between START and END of the unibyte current buffer by what they hold.\n"
    "Returns t, or nil when the data are damaged (nothing changes then). With ALLOW-PARTIAL damaged data are\n"
    "replaced by what could be read, and the number of bytes left over is returned.")
(Context& cx, Value start, Value end, Value allow_partial) {
  const Region region = TRY(region_arguments(cx, start, end));
  if (current_buffer(cx).multibyte()) return error_text(cx, "This function can be called only in unibyte buffers");
  const Inflated data = inflate_bytes(cx, current_buffer(cx).cursor(), region.start - 1,
                                      region.end - 1);  // unibyte: bytes are characters
  if (data.interrupted) return kFailed;
  if (!data.complete && !allow_partial.truthy()) return kNil;
  const std::int64_t point = current_buffer(cx).point.chars;
  set_point(current_buffer(cx), clip(current_buffer(cx), region.end));
  TRY(insert_bytes_re(cx, data.bytes, static_cast<std::int64_t>(data.bytes.size())));
  TRY(delete_region_re(cx, region.start, region.end));
  Buffer& b = current_buffer(cx);
  set_point(b, clip(b, point));
  return data.complete ? Qt : Value::fixnum(data.left);
}

}  // namespace neomacs::host
