#include "stream.hpp"

namespace neovm::elisp {

int ReadStream::get_multibyte() {
  if (checked_) {
    const int n = text::valid_sequence_length(p_, end_ - p_, true);
    if (n == 0) {
      raw_was_single_ = true;
      return text::raw_byte_to_char(*p_++);
    }
    raw_was_single_ = false;
  }
  const text::Decoded d = text::decode_char(p_);
  p_ += d.bytes;
  return d.c;
}

int ReadStream::get_slow_re() {
  const HostHooks& hooks = host_hooks(cx_);
  if ((hooks.is_buffer != nullptr && hooks.is_buffer(source_)) ||
      (hooks.is_marker != nullptr && hooks.is_marker(source_))) {
    const int c = hooks.stream_read_char(cx_, source_);
    if (c >= 0) ++slow_count_;
    return c;
  }
  const Value v = funcall_re(cx_, source_, {});
  if (v.is_exit()) {
    failed_ = true;
    return kFailed;
  }
  if (!v.is_fixnum()) return kEof;
  ++slow_count_;
  return static_cast<int>(v.as_fixnum());
}

void ReadStream::unget_slow_re(int c) {
  --slow_count_;
  const HostHooks& hooks = host_hooks(cx_);
  if ((hooks.is_buffer != nullptr && hooks.is_buffer(source_)) ||
      (hooks.is_marker != nullptr && hooks.is_marker(source_))) {
    hooks.stream_unread_char(cx_, source_);
    return;
  }
  if (funcall_re(cx_, source_, {Value::fixnum(c)}).is_exit()) failed_ = true;
}

std::int64_t ReadStream::chars_read() const {
  if (!is_text()) return slow_count_;
  return multibyte_ ? text::count_chars(begin_, p_ - begin_) : p_ - begin_;
}

}  // namespace neovm::elisp
