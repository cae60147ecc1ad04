#pragma once

/// @file
/// What Linux and the BSDs have and macOS lacks: the same names, so that lessons and solutions are
/// written with the calls of the man pages.

#include <fcntl.h>
#include <sys/socket.h>

namespace socketserver {

/// Makes reads, writes and accepts on `fd` return at once. @throws std::system_error naming fcntl
void set_nonblocking(int fd);

/// Closes `fd` in a program that this one starts by exec. @throws std::system_error naming fcntl
void set_close_on_exec(int fd);

#if defined(__APPLE__)

/// Asked for in socket(2) and accept4(2): here it does nothing, see set_close_on_exec().
inline constexpr int SOCK_CLOEXEC = 0;
/// Asked for in send(2): here the socket option SO_NOSIGPIPE does it, see accept4().
inline constexpr int MSG_NOSIGNAL = 0;

/// accept(2) and then what accept4(2) does in one step; sets SO_NOSIGPIPE too.
int accept4(int listener, sockaddr* address, socklen_t* size, int flags) noexcept;

#else

using ::accept4;

#endif

}  // namespace socketserver
