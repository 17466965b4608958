// Who and where we are.
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cctype>
#include <cmath>
#include <cstdlib>

#include "process/environment.hpp"
#include "system/accounts.hpp"
#include "time/time_value.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

namespace {

std::string login_of(const UserById& entry) {
  const passwd* pw = entry.get();
  return pw != nullptr ? pw->pw_name : "";
}
std::string login_of(uid_t uid) { return login_of(UserById(uid)); }

// The comment field up to the comma, "&" standing for the capitalized login name.
Value full_name(Context& cx, const passwd* pw) {
  if (pw == nullptr) return kNil;
  std::string name = pw->pw_gecos != nullptr ? pw->pw_gecos : "";
  name.resize(std::min(name.size(), name.find(',')));
  const std::size_t amp = name.find('&');
  if (amp != std::string::npos) {
    std::string login = pw->pw_name;
    if (!login.empty()) login[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(login[0])));
    name.replace(amp, 1, login);
  }
  return make_string(cx, name);
}

std::string machine_name() {
  char text[256] = "";
  if (gethostname(text, sizeof text - 1) != 0) return "";
  std::string name = text;
  for (char& c : name)
    if (c == ' ' || c == '\t') c = '-';
  return name;
}

// Facts about the machine and the user are those of this run, not of the image's build.
NEOVM_INIT(identity, kEveryStart)(Context& cx) {
  utsname uts;
  (void)set_default_re(cx, Qsystem_name, make_unibyte_string(cx, machine_name()));
  (void)set_default_re(cx, Qoperating_system_release, uname(&uts) == 0 ? make_string(cx, uts.release) : kNil);
  std::string login;
  const UserById user(geteuid());
  const std::string own = login_of(user);
  const std::string real = getuid() == geteuid() ? own : login_of(getuid());
  if (const char* e = std::getenv("LOGNAME")) login = e;
  if (login.empty()) {
    if (const char* e = std::getenv("USER")) login = e;
  }
  if (login.empty()) login = own;
  if (login.empty()) login = "unknown";
  (void)set_default_re(cx, Quser_login_name, make_string(cx, login));
  (void)set_default_re(cx, Quser_real_login_name, make_string(cx, real.empty() ? "unknown" : real));
  Value name = kNil;
  if (const char* e = std::getenv("NAME")) {
    name = make_string(cx, e);
  } else {
    name = full_name(cx, login == own ? user.get() : UserByName(login.c_str()).get());
  }
  if (name.is_nil()) name = make_string(cx, "unknown");
  (void)set_default_re(cx, Quser_full_name, name);
}

NEOVM_VARIABLE(system_name, "system-name", kGlobalVar, kAny, kInitNil, "Name of the machine.")
NEOVM_VARIABLE(operating_system_release, "operating-system-release", kGlobalVar, kAny, kInitNil,
               "Release of the operating system's kernel.")
NEOVM_VARIABLE(user_login_name_var, "user-login-name", kGlobalVar, kAny, kInitNil, "Login name of the user.")
NEOVM_VARIABLE(user_real_login_name_var, "user-real-login-name", kGlobalVar, kAny, kInitNil,
               "Login name behind the real user id.")
NEOVM_VARIABLE(user_full_name_var, "user-full-name", kGlobalVar, kAny, kInitNil, "Full name of the user.")

// A user or group id given as an integer, an integral float or (HI . LO).
Maybe<std::int64_t> id_argument(Context& cx, Value v) {
  if (v.is_fixnum()) return v.as_fixnum();
  if (v.is_float() && std::trunc(float_raw(v)) == float_raw(v) && std::fabs(float_raw(v)) < 1e18) {
    return static_cast<std::int64_t>(float_raw(v));
  }
  if (v.is_cons() && car_raw(v).is_fixnum()) {
    Value low = cdr_raw(v);
    if (low.is_cons()) low = car_raw(low);
    if (low.is_fixnum()) return (car_raw(v).as_fixnum() << 16) + low.as_fixnum();
  }
  return error_text(cx, "Not an in-range integer, integral float, or cons of integers");
}

NEOVM_PRIMITIVE(user_login_name, "user-login-name", 0, 1, kMainOnly, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return the login name of the user, or of UID; nil for an unknown one.")
(Context& cx, Value uid) {
  if (uid.is_nil()) return variable_value(cx, Quser_login_name);
  const std::int64_t id = TRY(id_argument(cx, uid));
  const UserById entry(static_cast<uid_t>(id));
  const passwd* pw = entry.get();
  return pw != nullptr ? make_string(cx, pw->pw_name) : kNil;
}

NEOVM_PRIMITIVE(user_real_login_name, "user-real-login-name", 0, 0, kMainOnly, kStateRead, kMayGc, kNoReentry,
                kNondeterministic, "Return the login name behind the real user id.")
(Context& cx) { return variable_value(cx, Quser_real_login_name); }

NEOVM_PRIMITIVE(user_full_name, "user-full-name", 0, 1, kMainOnly, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return the full name of the user, or of the user UID (an id or a login name).")
(Context& cx, Value uid) {
  if (uid.is_nil()) return variable_value(cx, Quser_full_name);
  if (uid.is_string()) return full_name(cx, UserByName(to_std_string(uid).c_str()).get());
  if (!is_number(uid)) return error_text(cx, "Invalid UID specification");
  const std::int64_t id = TRY(id_argument(cx, uid));
  return full_name(cx, UserById(static_cast<uid_t>(id)).get());
}

NEOVM_PRIMITIVE(user_uid, "user-uid", 0, 0, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return the effective user id.")
(Context& cx) { return make_unsigned(cx, geteuid()); }

NEOVM_PRIMITIVE(user_real_uid, "user-real-uid", 0, 0, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return the real user id.")
(Context& cx) { return make_unsigned(cx, getuid()); }

NEOVM_PRIMITIVE(group_gid, "group-gid", 0, 0, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return the effective group id.")
(Context& cx) { return make_unsigned(cx, getegid()); }

NEOVM_PRIMITIVE(group_real_gid, "group-real-gid", 0, 0, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return the real group id.")
(Context& cx) { return make_unsigned(cx, getgid()); }

NEOVM_PRIMITIVE(group_name, "group-name", 1, 1, kMainOnly, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return the name of the group GID, nil for an unknown one.")
(Context& cx, Value gid) {
  if (!is_number(gid) && !gid.is_cons()) return error_text(cx, "Invalid GID specification");
  const std::int64_t id = TRY(id_argument(cx, gid));
  const GroupById entry(static_cast<gid_t>(id));
  const group* gr = entry.get();
  return gr != nullptr ? make_string(cx, gr->gr_name) : kNil;
}

NEOVM_PRIMITIVE(system_users, "system-users", 0, 0, kMainOnly, kBlockingIo, kMayGc, kNoReentry, kNondeterministic,
                "Return the login names known to the system.")
(Context& cx) {
  Value out = kNil;
  setpwent();
  while (const passwd* pw = getpwent()) out = cons(cx, make_string(cx, pw->pw_name), out);
  endpwent();
  return out;
}

NEOVM_PRIMITIVE(system_groups, "system-groups", 0, 0, kMainOnly, kBlockingIo, kMayGc, kNoReentry, kNondeterministic,
                "Return the group names known to the system.")
(Context& cx) {
  Value out = kNil;
  setgrent();
  while (const group* gr = getgrent()) out = cons(cx, make_string(cx, gr->gr_name), out);
  endgrent();
  return out;
}

NEOVM_PRIMITIVE(system_name_fn, "system-name", 0, 0, kMainOnly, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return the name of the machine.")
(Context& cx) { return variable_value(cx, Qsystem_name); }

NEOVM_PRIMITIVE(emacs_pid, "emacs-pid", 0, 0, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return the process id of this program.")
(Context& cx) { return make_integer(cx, getpid()); }

NEOVM_PRIMITIVE(num_processors, "num-processors", 0, 1, kWorkerSafe, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return how many processors may be used: all of them, the current ones, or all there are.")
(Context& cx, Value query) {
  if (query == Qall) return make_integer(cx, sysconf(_SC_NPROCESSORS_CONF));
  if (query != Qcurrent) {
    if (const char* limit = std::getenv("OMP_NUM_THREADS")) {
      const long n = std::strtol(limit, nullptr, 10);
      if (n > 0) return make_integer(cx, n);
    }
  }
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return make_integer(cx, CPU_COUNT(&set));
  return make_integer(cx, sysconf(_SC_NPROCESSORS_ONLN));
}

NEOVM_PRIMITIVE(get_internal_run_time, "get-internal-run-time", 0, 0, kWorkerSafe, kStateRead, kMayGc, kNoReentry,
                kNondeterministic, "Return the processor time used, as (HI LO US PS).")
(Context& cx) {
  rusage use;
  getrusage(RUSAGE_SELF, &use);
  const long us = use.ru_utime.tv_usec + use.ru_stime.tv_usec;
  return time_list(cx, timespec{use.ru_utime.tv_sec + use.ru_stime.tv_sec + us / 1'000'000, us % 1'000'000 * 1000});
}

}  // namespace
}  // namespace neomacs::host
