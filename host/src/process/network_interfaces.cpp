// The network interfaces of the machine: their addresses, and what the system says about one.
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>

#include "file/names.hpp"
#include "neovm/abi/api.hpp"
#include "process/spawn.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

namespace {

constexpr std::size_t kBytes4 = 4;
constexpr std::size_t kBytes6 = 16;
using Bytes = std::array<std::uint8_t, kBytes6>;

// The bytes of an address in network order; those of IPv4 are the first four.
Bytes bytes_of(const sockaddr* address) {
  Bytes out{};
  if (address->sa_family == AF_INET) {
    std::memcpy(out.data(), &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, kBytes4);
  } else {
    std::memcpy(out.data(), &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, kBytes6);
  }
  return out;
}

// As Lisp has it: octets or 16-bit groups, then a port (0).
Value address_vector(Context& cx, const Bytes& bytes, bool v4) {
  const std::int64_t groups = v4 ? 4 : 8;
  const Value v = TRY(make_vector(cx, groups + 1, Value::fixnum(0)));
  for (std::int64_t i = 0; i < groups; ++i) {
    const auto at = static_cast<std::size_t>(i);
    set_slot_raw(v, i, Value::fixnum(v4 ? bytes[at] : bytes[2 * at] << 8 | bytes[2 * at + 1]));
  }
  return v;
}

Value interface_entry(Context& cx, const ifaddrs& one, bool full) {
  const bool v4 = one.ifa_addr->sa_family == AF_INET;
  const Value name = TRY(make_string(cx, one.ifa_name));
  const Bytes own = bytes_of(one.ifa_addr);
  const Value address = TRY(address_vector(cx, own, v4));
  if (!full) return cons(cx, name, address);
  const Bytes mask = one.ifa_netmask != nullptr ? bytes_of(one.ifa_netmask) : Bytes{};
  Bytes everyone = own;
  if (v4 && (one.ifa_flags & IFF_BROADCAST) != 0 && one.ifa_broadaddr != nullptr) {
    everyone = bytes_of(one.ifa_broadaddr);
  } else {
    for (std::size_t i = 0; i < everyone.size(); ++i) everyone[i] |= static_cast<std::uint8_t>(~mask[i]);
  }
  return list(cx, {
    name, address, TRY(address_vector(cx, everyone, v4))
    , TRY(address_vector(cx, mask, v4))
  });
}

Value entries(Context& cx, const ifaddrs* all, bool full, int family) {
  Value out = kNil;
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr) continue;
    const int of = one->ifa_addr->sa_family;
    if ((of != AF_INET && of != AF_INET6) || (family != AF_UNSPEC && of != family)) continue;
    out = cons(cx, TRY(interface_entry(cx, *one, full)), out);
  }
  return out;
}

NEOVM_PRIMITIVE(network_interface_list, "network-interface-list", 0, 2, kMainOnly, kStateRead, kMayGc, kNoReentry,
                kNondeterministic,
                "Return (NAME . ADDRESS) of each network interface, or (NAME ADDRESS BROADCAST MASK) when FULL.")
(Context& cx, Value full, Value family) {
  int wanted = AF_UNSPEC;
  if (family == intern(cx, "ipv4")) {
    wanted = AF_INET;
  } else if (family == intern(cx, "ipv6")) {
    wanted = AF_INET6;
  } else if (family.truthy()) {
    return error_text(cx, "Unsupported address family");
  }
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return kNil;
  const Value out = entries(cx, all, full.truthy(), wanted);
  freeifaddrs(all);
  return out;
}

struct InterfaceFlag {
  unsigned bit;
  const char* name;
};
constexpr InterfaceFlag kFlags[] = {
    {IFF_UP, "up"},
    {IFF_BROADCAST, "broadcast"},
    {IFF_DEBUG, "debug"},
    {IFF_LOOPBACK, "loopback"},
    {IFF_POINTOPOINT, "pointopoint"},
    {IFF_NOTRAILERS, "notrailers"},
    {IFF_RUNNING, "running"},
    {IFF_NOARP, "noarp"},
    {IFF_PROMISC, "promisc"},
    {IFF_ALLMULTI, "allmulti"},
    {IFF_MASTER, "master"},
    {IFF_SLAVE, "slave"},
    {IFF_MULTICAST, "multicast"},
    {IFF_PORTSEL, "portsel"},
    {IFF_AUTOMEDIA, "automedia"},
    {IFF_DYNAMIC, "dynamic"},
};

Value flag_names(Context& cx, unsigned flags) {
  Value out = kNil;
  for (const InterfaceFlag& f : kFlags) {
    if ((flags & f.bit) == 0) continue;
    out = cons(cx, intern(cx, f.name), out);
    flags &= ~f.bit;
  }
  for (unsigned bit = 0; flags != 0; ++bit, flags >>= 1)
    if ((flags & 1) != 0) out = cons(cx, Value::fixnum(bit), out);
  return out;
}

NEOVM_PRIMITIVE(network_interface_info, "network-interface-info", 1, 1, kMainOnly, kStateRead, kMayGc, kNoReentry,
                kNondeterministic,
                "Return (ADDRESS BROADCAST MASK (TYPE . HARDWARE-ADDRESS) FLAGS) of the interface NAME, or nil.")
(Context& cx, Value name) {
  TRY(check_type(cx, name.is_string(), Qstringp, name));
  ifreq request{};
  const std::string text = to_std_string(name);
  if (text.size() >= sizeof request.ifr_name) return error_text(cx, "interface name too long");
  const Fd socket_fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket_fd.valid()) return kNil;
  bool any = false;
  const auto ask = [&](unsigned long what) {
    std::memset(&request, 0, sizeof request);
    std::strncpy(request.ifr_name, text.c_str(), sizeof request.ifr_name - 1);
    const bool known = ioctl(socket_fd.get(), what, &request) == 0;
    any = any || known;
    return known;
  };
  Value flags = kNil;
  Value hardware = kNil;
  if (ask(SIOCGIFFLAGS)) flags = TRY(flag_names(cx, static_cast<unsigned short>(request.ifr_flags)));
  if (ask(SIOCGIFHWADDR)) {
    const Value bytes = TRY(make_vector(cx, 6, Value::fixnum(0)));
    for (int i = 0; i < 6; ++i)
      set_slot_raw(bytes, i, Value::fixnum(static_cast<unsigned char>(request.ifr_hwaddr.sa_data[i])));
    hardware = cons(cx, Value::fixnum(request.ifr_hwaddr.sa_family), bytes);
  }
  Value addresses[3] = {kNil, kNil, kNil};
  if (ask(SIOCGIFNETMASK)) addresses[2] = TRY(address_vector(cx, bytes_of(&request.ifr_netmask), true));
  if (ask(SIOCGIFBRDADDR)) addresses[1] = TRY(address_vector(cx, bytes_of(&request.ifr_broadaddr), true));
  if (ask(SIOCGIFADDR)) addresses[0] = TRY(address_vector(cx, bytes_of(&request.ifr_addr), true));
  if (!any) return kNil;
  return list(cx, {addresses[0], addresses[1], addresses[2], hardware, flags});
}

}  // namespace
}  // namespace neomacs::host
