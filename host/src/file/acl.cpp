// Access control lists in their text form, read and written as the attribute the kernel keeps.
#include <endian.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

#include "file/names.hpp"
#include "neovm/abi/blocking.hpp"
#include "system/accounts.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

namespace {

constexpr const char* kAttribute = "system.posix_acl_access";

enum AclTag : std::uint16_t { kUserObj = 1, kUser = 2, kGroupObj = 4, kGroup = 8, kMask = 16, kOther = 32 };

struct Entry {
  std::uint16_t tag;
  std::uint16_t permissions;
  std::uint32_t id;
};

std::string permissions_text(unsigned p) {
  return std::string() + ((p & 4) != 0 ? 'r' : '-') + ((p & 2) != 0 ? 'w' : '-') + ((p & 1) != 0 ? 'x' : '-');
}

std::string entry_text(const Entry& e) {
  std::string who;
  switch (e.tag) {
    case kUserObj: who = "user:"; break;
    case kUser: {
      const UserById entry(e.id);
      const passwd* pw = entry.get();
      who = "user:" + (pw != nullptr ? std::string(pw->pw_name) : std::to_string(e.id));
      break;
    }
    case kGroupObj: who = "group:"; break;
    case kGroup: {
      const GroupById entry(e.id);
      const group* gr = entry.get();
      who = "group:" + (gr != nullptr ? std::string(gr->gr_name) : std::to_string(e.id));
      break;
    }
    case kMask: who = "mask:"; break;
    default: who = "other:"; break;
  }
  return who + ":" + permissions_text(e.permissions) + "\n";
}

// "user:NAME:rwx" lines; false when the text is not an access control list.
bool parse_entries(const std::string& text, std::vector<Entry>* out) {
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    line.resize(std::min(line.size(), line.find('#')));
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t')) line.pop_back();
    if (line.empty()) continue;
    const std::size_t a = line.find(':');
    const std::size_t b = a == std::string::npos ? a : line.find(':', a + 1);
    if (b == std::string::npos) return false;
    const std::string kind = line.substr(0, a);
    const std::string name = line.substr(a + 1, b - a - 1);
    Entry e{0, 0, 0xFFFFFFFFU};
    for (const char c : line.substr(b + 1)) {
      if (c == 'r')
        e.permissions |= 4;
      else if (c == 'w')
        e.permissions |= 2;
      else if (c == 'x')
        e.permissions |= 1;
      else if (c != '-')
        return false;
    }
    if (kind == "user" || kind == "u") {
      e.tag = name.empty() ? kUserObj : kUser;
      if (!name.empty()) {
        const UserByName entry(name.c_str());
        const passwd* pw = entry.get();
        e.id = pw != nullptr ? pw->pw_uid : static_cast<std::uint32_t>(std::strtoul(name.c_str(), nullptr, 10));
      }
    } else if (kind == "group" || kind == "g") {
      e.tag = name.empty() ? kGroupObj : kGroup;
      if (!name.empty()) {
        const GroupByName entry(name.c_str());
        const group* gr = entry.get();
        e.id = gr != nullptr ? gr->gr_gid : static_cast<std::uint32_t>(std::strtoul(name.c_str(), nullptr, 10));
      }
    } else if (kind == "mask" || kind == "m") {
      e.tag = kMask;
    } else if (kind == "other" || kind == "o") {
      e.tag = kOther;
    } else {
      return false;
    }
    out->push_back(e);
  }
  return !out->empty();
}

NEOVM_PRIMITIVE(file_acl, "file-acl", 1, 1, kWorkerSafe, kBlockingIo, kMayGc, kReenters, kNondeterministic,
                "Return the access control list of FILENAME as text, or nil.")
(Context& cx, Value name) {
  const Value full = TRY(expand_re(cx, name));
  NEOMACS_TRY_HANDLER(cx, full, Qfile_acl, full);
  const std::string path = TRY(encode_file_name(cx, full));
  struct stat st;
  if (stat_file(cx, path, &st) != 0) return kNil;
  std::vector<unsigned char> raw(4096);
  const ssize_t n = run_blocking(cx, [&] { return getxattr(path.c_str(), kAttribute, raw.data(), raw.size()); });
  std::string text;
  if (n >= 4) {
    for (std::size_t at = 4; at + 8 <= static_cast<std::size_t>(n); at += 8) {
      Entry e;
      std::memcpy(&e, raw.data() + at, 8);
      e.tag = le16toh(e.tag);
      e.permissions = le16toh(e.permissions);
      e.id = le32toh(e.id);
      text += entry_text(e);
    }
  } else if (errno == ENODATA || errno == EOPNOTSUPP) {
    text = entry_text({kUserObj, static_cast<std::uint16_t>((st.st_mode >> 6) & 7), 0}) +
           entry_text({kGroupObj, static_cast<std::uint16_t>((st.st_mode >> 3) & 7), 0}) +
           entry_text({kOther, static_cast<std::uint16_t>(st.st_mode & 7), 0});
  } else {
    return kNil;
  }
  return make_string(cx, text);
}

NEOVM_PRIMITIVE(set_file_acl, "set-file-acl", 2, 2, kWorkerSafe, kBlockingIo, kMayGc, kReenters, kNondeterministic,
                "Set the access control list of FILENAME; t when that worked.")
(Context& cx, Value name, Value acl) {
  const Value full = TRY(expand_re(cx, name));
  NEOMACS_TRY_HANDLER(cx, full, Qset_file_acl, full, acl);
  if (!acl.is_string()) return kNil;
  const std::string path = TRY(encode_file_name(cx, full));
  std::vector<Entry> entries;
  if (!parse_entries(to_std_string(acl), &entries)) return kNil;
  mode_t mode = 0;
  bool plain = true;
  for (const Entry& e : entries) {
    if (e.tag == kUserObj)
      mode |= static_cast<mode_t>(e.permissions << 6);
    else if (e.tag == kGroupObj)
      mode |= static_cast<mode_t>(e.permissions << 3);
    else if (e.tag == kOther)
      mode |= e.permissions;
    else
      plain = false;
  }
  struct stat st;
  if (stat_file(cx, path, &st) != 0) return kNil;
  if (plain) {
    removexattr(path.c_str(), kAttribute);
    return boolean(run_blocking(cx, [&] { return chmod(path.c_str(), (st.st_mode & 07000) | mode); }) == 0);
  }
  std::vector<unsigned char> raw{2, 0, 0, 0};
  for (Entry e : entries) {
    e.tag = htole16(e.tag);
    e.permissions = htole16(e.permissions);
    e.id = htole32(e.id);
    const auto* p = reinterpret_cast<const unsigned char*>(&e);
    raw.insert(raw.end(), p, p + 8);
  }
  return boolean(run_blocking(cx, [&] { return setxattr(path.c_str(), kAttribute, raw.data(), raw.size(), 0); }) == 0);
}

NEOVM_PRIMITIVE(next_read_file_uses_dialog, "next-read-file-uses-dialog-p", 0, 0, kWorkerSafe, kStateRead, kNoGc,
                kNoReentry, kNondeterministic, "Return nil: files are not asked for by a dialog here.")
(Context&) { return kNil; }

}  // namespace
}  // namespace neomacs::host
