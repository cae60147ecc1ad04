#pragma once

// Linux with the habits of macOS, for programs that are compiled with `-D__APPLE__ -U__linux__` and
// this file in front of each source: a name that macOS lacks is not there, and a call behaves as
// its manual pages say (macos.cpp). It shows what a port would meet; it is no proof of one.

// <sys/socket.h> of Linux names these; what is compiled after it must not see them.
#define SOCK_CLOEXEC kit_linux_sock_cloexec
#define SOCK_NONBLOCK kit_linux_sock_nonblock
#define MSG_NOSIGNAL kit_linux_msg_nosignal
#define accept4 kit_linux_accept4
#include <sys/socket.h>
#undef SOCK_CLOEXEC
#undef SOCK_NONBLOCK
#undef MSG_NOSIGNAL
#undef accept4

#define SO_NOSIGPIPE 0x1022
#define OPEN_MAX 10240

extern "C" int getpeereid(int socket, unsigned* uid, unsigned* gid);
