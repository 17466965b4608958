// Records of what was typed (keyboard.c). In batch nothing is typed, so they stay empty.
#include <fcntl.h>
#include <unistd.h>

#include "display/display.hpp"
#include "file/names.hpp"

namespace neomacs::host {

NEOVM_COMMAND(lossage_size, "lossage-size", 0, 1, kMainOnly, kStateWrite, kMayGc, kReenters, kDeterministic,
              "(list (read-number \"Set maximum keystrokes to: \" (lossage-size)))",
              "Return how many keys `recent-keys' keeps; with ARG, at least 100, keep so many.")
(Context& cx, Value arg) {
  DisplayState& d = display(cx);
  if (arg.is_nil()) return Value::fixnum(d.lossage_size);
  constexpr std::int64_t kLeast = 100;
  const auto refuse = [&](const char* text) { return signal_error1(cx, Quser_error, make_string(cx, text)); };
  if (!arg.is_natnum_fixnum()) return refuse("Value must be a positive integer");
  if (arg.as_fixnum() < kLeast) return refuse("Value must be >= 100");
  d.lossage_size = arg.as_fixnum();
  return arg;
}

NEOVM_COMMAND(open_dribble_file, "open-dribble-file", 1, 1, kMainOnly, kBlockingIo, kMayGc, kReenters, kDeterministic,
              "FOpen dribble file: ",
              "Write what is typed from now on into FILE; nil: no longer. FILE is made for its owner alone.")
(Context& cx, Value file) {
  if (file.is_nil()) return kNil;
  const Value name = TRY(funcall_re(cx, Qexpand_file_name, {file}));
  const std::string path = TRY(encode_file_name(cx, name));
  constexpr int kMode = S_IRUSR | S_IWUSR;
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode);
  if (fd < 0 && errno == EEXIST && ::unlink(path.c_str()) == 0)
    fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode);
  if (fd < 0) return file_error(cx, "Opening dribble", name);
  ::close(fd);
  return kNil;
}

}  // namespace neomacs::host
