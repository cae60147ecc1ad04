#include "loopback.hpp"

#include <sys/socket.h>

#include "harness/base/descriptor.hpp"

namespace kit {

bool can_bind_plainly(const Address& address, int type) {
  const Descriptor socket(::socket(address.family(), type, 0));
  return socket && ::bind(socket.get(), address.get(), address.size()) == 0;
}

bool have_ipv6() {
  return can_bind_plainly(Address::tcp("::1", 0));
}

}  // namespace kit
