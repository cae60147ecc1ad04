#pragma once

// Two connected sockets.

#include <sys/socket.h>
#include <unistd.h>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/system_call.hpp>

#include <string>
#include <string_view>

namespace probe {

struct SocketPair {
  SocketPair() {
    int ends[2];
    socketserver::check(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
    near.reset(ends[0]);
    far.reset(ends[1]);
  }
  void far_writes(std::string_view text = "x") const {
    socketserver::check(::write(far.get(), text.data(), text.size()), "write");
  }
  // Until near, which does not block, can take nothing more.
  void fill() const {
    const std::string block(64 * 1024, 'x');
    while (::write(near.get(), block.data(), block.size()) > 0) {
    }
  }
  socketserver::FileDescriptor near, far;
};

}  // namespace probe
