// Users and groups of the system, looked up without the C library's static buffers: several isolates ask at a time.
#pragma once

#include <grp.h>
#include <pwd.h>

#include <cerrno>
#include <string>
#include <vector>

namespace neomacs::host {

// One lookup and its result, which lives as long as the object; get() is null for what the system does not know.
template <class Entry, class Key, int (*Find)(Key, Entry*, char*, std::size_t, Entry**)>
class AccountLookup {
 public:
  explicit AccountLookup(Key key) : buffer_(1024) {
    while (Find(key, &entry_, buffer_.data(), buffer_.size(), &found_) == ERANGE) buffer_.resize(buffer_.size() * 2);
  }
  AccountLookup(const AccountLookup&) = delete;
  AccountLookup& operator=(const AccountLookup&) = delete;
  [[nodiscard]] const Entry* get() const { return found_; }

 private:
  std::vector<char> buffer_;
  Entry entry_{};
  Entry* found_ = nullptr;
};

using UserById = AccountLookup<passwd, uid_t, getpwuid_r>;
using UserByName = AccountLookup<passwd, const char*, getpwnam_r>;
using GroupById = AccountLookup<group, gid_t, getgrgid_r>;
using GroupByName = AccountLookup<group, const char*, getgrnam_r>;

}  // namespace neomacs::host
