#pragma once

#include <socketserver/base_server.hpp>

namespace socketserver {

/// A server that has something of the service's own, for its handlers: in Python it would be given
/// attributes.
///
///     struct Settings { std::size_t line_limit = 65536; };
///
///     ServerWith<Settings, ThreadingTCPServer> server(address, handler_class<LineHandler>);
///     server.line_limit = 1000;
///
/// A handler reaches it by server_as(): `server_as<Settings>(server()).line_limit`. It is made
/// before the server, and outlives its last request.
template <class Attributes, class Server>
class ServerWith : public Attributes, public Server {
 public:
  using Server::Server;
};

/// The server as what it also is: its own class, or the attributes of a ServerWith.
///
/// Does not block. Callable from any thread; what several threads use at once needs a lock, or is
/// set before the loop begins. Python's `self.server`, which is whatever class it was made of.
/// @throws std::bad_cast if the server is no `T`
template <class T>
[[nodiscard]] T& server_as(BaseServer& server) {
  return dynamic_cast<T&>(server);
}

}  // namespace socketserver
