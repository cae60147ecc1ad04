#pragma once

// Where the kit keeps what its checks agree on (locks of ports and of users) and where it puts
// private folders.

#include <string>

namespace kit {

/// A folder of this user's that nobody else can enter, write to or take away, made if it is not
/// there: /run/kit-WHAT for root, /run/user/UID/kit-WHAT, or else /tmp/.kit-WHAT-UID. What another
/// user has put in its place is passed over, and the next name taken. "" if there is none at all.
std::string own_place(const std::string& what);

/// Where private folders are made: /tmp, but for programs that may remove what lies there
/// (KIT_CONFINE) /var/tmp.
std::string private_base();

}  // namespace kit
