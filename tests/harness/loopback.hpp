#pragma once

// Questions to the machine's loopback that steps ask.

#include "address.hpp"

namespace kit {

/// Whether this machine has ::1.
bool have_ipv6();

/// Whether a stream socket could be bound to this address now, without SO_REUSEADDR. Nothing stays
/// bound.
bool can_bind_plainly(const Address& address);

}  // namespace kit
