#pragma once

// What a server makes of its attributes: each is set to both values, one after the other, and the
// socket is asked which option it has.

#include <sys/socket.h>
#include <socketserver/address.hpp>
#include <socketserver/base_server.hpp>

#include <string>

#include "probe.hpp"

namespace probe {
namespace {

class NoHandler : public socketserver::BaseRequestHandler {
 public:
  using BaseRequestHandler::BaseRequestHandler;
  void handle() override {}
};

/// Says "ATTRIBUTE=true on", or off, and the same for false.
template <typename Server>
void say_option(const std::string& attribute, bool Server::*member,
                const socketserver::Address& address, int level, int option) {
  for (const bool value : {true, false}) {
    Server server(address, socketserver::handler_class<NoHandler>);
    server.*member = value;
    server.server_bind();
    int set = 0;
    socklen_t size = sizeof set;
    const bool known = ::getsockopt(server.fileno(), level, option, &set, &size) == 0;
    say(attribute + (value ? "=true " : "=false ") + (!known ? "?" : set ? "on" : "off"));
  }
}

}  // namespace
}  // namespace probe
