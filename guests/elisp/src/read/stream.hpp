// Where the reader gets characters from.
//
// One class serves strings, files in memory, and the slow streams (buffers, markers, functions) that hand over a
// character at a time. Text spans are the fast path: get() is a compare and a load for ASCII. The span is
// borrowed; a string's body stays in place because the stream lives on the native stack, which pins what it names.
#pragma once

#include <cstdint>
#include <string_view>

#include "neovm/abi/api.hpp"
#include "neovm/text/characters.hpp"

namespace neovm::elisp {

class ReadStream {
 public:
  static constexpr int kEof = -1;
  static constexpr int kFailed = -2;  // a pending exit

  // Text in the internal encoding. With `checked`, sequences that are not valid come out as raw bytes.
  ReadStream(Context& cx, std::string_view text, bool multibyte, bool checked)
      : cx_(cx),
        begin_(reinterpret_cast<const std::uint8_t*>(text.data())),
        p_(begin_),
        end_(begin_ + text.size()),
        multibyte_(multibyte),
        checked_(checked) {}
  // A buffer, a marker or a function.
  ReadStream(Context& cx, Value source) : cx_(cx), source_(source) {}
  ReadStream(const ReadStream&) = delete;
  ReadStream& operator=(const ReadStream&) = delete;

  // Next character (a raw byte as 0x3FFF80..), kEof or kFailed. May run Lisp for function streams.
  int get_re() {
    if (p_ < end_) [[likely]] {
      if (*p_ < 0x80 || !multibyte_) return *p_++;
      return get_multibyte();
    }
    return is_text() ? kEof : get_slow_re();
  }
  // Steps back over `c`, which get_re() returned just before. Nothing happens for kEof.
  void unget_re(int c) {
    if (c < 0) return;
    if (is_text()) {
      p_ -= multibyte_ && c >= 0x80 ? last_bytes(c) : 1;
      return;
    }
    unget_slow_re(c);
  }
  [[nodiscard]] bool is_text() const { return source_.is_nil(); }
  // The text is a whole file: #@N counts its bytes.
  [[nodiscard]] bool is_file() const { return checked_; }
  [[nodiscard]] std::int64_t byte_position() const { return p_ - begin_; }
  void set_byte_position(std::int64_t byte) { p_ = begin_ + byte; }
  [[nodiscard]] std::int64_t size() const { return end_ - begin_; }
  [[nodiscard]] const std::uint8_t* begin() const { return begin_; }
  [[nodiscard]] Value source() const { return source_; }
  // Characters handed out so far (for read-symbol-positions-list).
  [[nodiscard]] std::int64_t chars_read() const;
  // An unread of a function stream failed: the exit is pending.
  [[nodiscard]] bool failed() const { return failed_; }

  // The rest of a token in plain ASCII can be taken without a call per character.
  [[nodiscard]] const std::uint8_t* cursor() const { return p_; }
  [[nodiscard]] const std::uint8_t* limit() const { return end_; }
  void set_cursor(const std::uint8_t* p) { p_ = p; }

 private:
  int get_multibyte();
  int get_slow_re();
  void unget_slow_re(int c);
  // Bytes that `c` took in this text.
  [[nodiscard]] std::ptrdiff_t last_bytes(int c) const {
    if (checked_ && text::is_raw_byte_char(c) && raw_was_single_) return 1;
    return text::char_bytes(c);
  }

  Context& cx_;
  Value source_ = kNil;
  const std::uint8_t* begin_ = nullptr;
  const std::uint8_t* p_ = nullptr;
  const std::uint8_t* end_ = nullptr;
  std::int64_t slow_count_ = 0;
  bool multibyte_ = true;
  bool checked_ = false;
  bool raw_was_single_ = false;
  bool failed_ = false;
};

}  // namespace neovm::elisp
