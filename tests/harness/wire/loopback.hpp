#pragma once

// Questions to the machine's loopback that steps ask.

#include <sys/socket.h>

#include "harness/base/address.hpp"

namespace kit {

/// Whether this machine has ::1.
bool have_ipv6();

/// Whether a socket (SOCK_STREAM, SOCK_DGRAM) could be bound to this address now, without
/// SO_REUSEADDR. Nothing stays bound.
bool can_bind_plainly(const Address& address, int type = SOCK_STREAM);

}  // namespace kit
