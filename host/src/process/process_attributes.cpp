// What /proc tells of one process (sysdep.c).
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "neovm/abi/api.hpp"
#include "system/accounts.hpp"
#include "time/time_value.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT: the abi is this layer's language

namespace {

std::string contents(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The numbers of /proc/ID/stat that are told, counted from the process state, which is field 3 there.
struct Stat {
  std::string command;
  std::string state;
  std::array<std::int64_t, 23> fields{};  // fields[i] is field i + 4
  [[nodiscard]] std::int64_t field(int number) const { return fields.at(static_cast<std::size_t>(number) - 4); }
};

bool read_stat(const std::string& folder, Stat* stat) {
  const std::string text = contents(folder + "/stat");
  // The name is in parentheses and may hold any.
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close < open) return false;
  stat->command = text.substr(open + 1, close - open - 1);
  std::istringstream rest(text.substr(close + 1));
  rest >> stat->state;
  for (std::int64_t& field : stat->fields) rest >> field;
  return true;
}

// The name of the terminal with this device number, as /proc/tty/drivers lists ranges of them; "" for none.
std::string terminal_name(std::int64_t device) {
  const auto major = (device >> 8) & 0xfff;
  const auto minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  std::istringstream lines(contents("/proc/tty/drivers"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string driver;
    std::string name;
    std::string range;
    std::int64_t listed = 0;
    if (!(words >> driver >> name >> listed >> range) || listed != major) continue;
    std::int64_t first = 0;
    std::int64_t last = 0;
    const int found = std::sscanf(range.c_str(), "%ld-%ld", &first, &last);
    if (found < 1) continue;
    if (minor >= first && minor <= (found == 2 ? last : first)) return name + "/" + std::to_string(minor);
  }
  return "";
}

// The words of the command line with a space between them; spaces in a word and backslashes get a backslash.
std::string command_line(const std::string& folder, const std::string& command) {
  std::string words = contents(folder + "/cmdline");
  while (!words.empty() && words.back() == '\0') words.pop_back();
  if (words.empty()) return "[" + command + "]";
  std::string out;
  for (const char c : words) {
    if (c == '\0') {
      out.push_back(' ');
      continue;
    }
    if (c == '\\' || std::isspace(static_cast<unsigned char>(c)) != 0) out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

Value decoded_re(Context& cx, const std::string& bytes) {
  const Value coding = variable_value(cx, intern(cx, "locale-coding-system"));
  return funcall_re(
      cx, intern(cx, "decode-coding-string"),
      {make_unibyte_string(cx, bytes), coding.truthy() && !coding.is_unbound() ? coding : intern(cx, "undecided"), Qt});
}

timespec of_ticks(double ticks) {
  const double seconds = ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
  const double whole = std::floor(seconds);
  return {static_cast<time_t>(whole), static_cast<long>(std::llround((seconds - whole) * 1e6)) * 1000};  // NOLINT
}

timespec difference(timespec a, timespec b) {
  timespec d = {a.tv_sec - b.tv_sec, a.tv_nsec - b.tv_nsec};
  if (d.tv_nsec < 0) {
    --d.tv_sec;
    d.tv_nsec += 1000000000;
  }
  return d;
}

double as_seconds(timespec t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9; }

}  // namespace

NEOVM_PRIMITIVE(process_attributes, "process-attributes", 1, 1, kMainOnly, kBlockingIo, kMayGc, kReenters,
                kNondeterministic,
                "Return an alist of what the system knows of the process with number PID, nil when there is none.")
(Context& cx, Value pid) {
  const Value operation = intern(cx, "process-attributes");
  const Value handler =
      TRY(funcall_re(cx, intern(cx, "find-file-name-handler"), {variable_value(cx, Qdefault_directory), operation}));
  if (handler.truthy()) return funcall_re(cx, handler, {operation, pid});
  if (!is_number(pid)) return wrong_type(cx, Qnumberp, pid);
  const auto id = static_cast<std::int64_t>(TRY(number_as_double(cx, pid)));
  const std::string folder = "/proc/" + std::to_string(id);
  struct stat owner {};
  if (id <= 0 || ::stat(folder.c_str(), &owner) != 0) return kNil;
  Value result = kNil;
  const auto add = [&](const char* name, Value v) { result = cons(cx, cons(cx, intern(cx, name), v), result); };
  const auto number = [&](const char* name, std::int64_t n) { add(name, make_integer(cx, n)); };
  const auto ticks = [&](const char* name, std::int64_t n) {
    add(name, time_list(cx, of_ticks(static_cast<double>(n))));
  };
  number("euid", owner.st_uid);
  if (const UserById user(owner.st_uid); user.get() != nullptr) add("user", make_string(cx, user.get()->pw_name));
  number("egid", owner.st_gid);
  if (const GroupById group(owner.st_gid); group.get() != nullptr) add("group", make_string(cx, group.get()->gr_name));
  Stat s;
  if (!read_stat(folder, &s)) return result;
  add("comm", TRY(decoded_re(cx, s.command)));
  add("state", make_string(cx, s.state));
  number("ppid", s.field(4));
  number("pgrp", s.field(5));
  number("sess", s.field(6));
  add("ttname", make_string(cx, terminal_name(s.field(7))));
  number("tpgid", s.field(8));
  number("minflt", s.field(10));
  number("majflt", s.field(12));
  number("cminflt", s.field(11));
  number("cmajflt", s.field(13));
  const std::int64_t used = s.field(14) + s.field(15);
  ticks("utime", s.field(14));
  ticks("stime", s.field(15));
  ticks("time", used);
  ticks("cutime", s.field(16));
  ticks("cstime", s.field(17));
  ticks("ctime", s.field(16) + s.field(17));
  number("pri", s.field(18));
  number("nice", s.field(19));
  number("thcount", s.field(20));
  // Clocks count from the start of the system; whole ticks of its age are told.
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  timespec age{};
  clock_gettime(CLOCK_BOOTTIME, &age);
  const timespec lived = difference(age, of_ticks(static_cast<double>(s.field(22))));
  add("start", time_list(cx, difference(now, lived)));
  number("vsize", s.field(23) / 1024);
  const std::int64_t resident = s.field(24) * (sysconf(_SC_PAGESIZE) / 1024);
  number("rss", resident);
  add("etime", time_list(cx, lived));
  const double spent = as_seconds(of_ticks(static_cast<double>(used)));
  add("pcpu", make_float(cx, as_seconds(lived) <= 0 ? 0 : std::min(100.0, 100 * spent / as_seconds(lived))));
  const double memory =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1024;
  add("pmem", make_float(cx, std::min(100.0, 100 * static_cast<double>(resident) / memory)));
  add("args", TRY(decoded_re(cx, command_line(folder, s.command))));
  return result;
}

}  // namespace neomacs::host
