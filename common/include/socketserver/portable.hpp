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

/// Whether accept(2), failed with `error`, means that nobody is there after all: a signal came
/// first, or the client or its network have gone again. Linux passes on what the network has said
/// about the one connection, and a server goes on to the next. See accept(2), ERRORS.
[[nodiscard]] bool nobody_to_accept(int error) noexcept;

#if defined(__APPLE__)

/// Asked for in socket(2) and accept4(2): here it does nothing, see set_close_on_exec().
inline constexpr int SOCK_CLOEXEC = 0;
#if !defined(MSG_NOSIGNAL)
/// Asked for in send(2): before macOS 11 only the socket can be told, by SO_NOSIGPIPE. accept4()
/// does so, and client_main() ignores the signal.
inline constexpr int MSG_NOSIGNAL = 0;
#endif

/// accept(2), and then what accept4(2) does in one step. The connection waits in recv and send,
/// though the listener does not: here accept(2) alone would hand O_NONBLOCK down to it. Sets
/// SO_NOSIGPIPE too.
int accept4(int listener, sockaddr* address, socklen_t* size, int flags) noexcept;

#else

using ::accept4;

#endif

}  // namespace socketserver
