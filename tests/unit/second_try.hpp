#pragma once

// What every server has in common that could not be started at first.

#include <cerrno>
#include <utility>

#include "harness/base/catch.hpp"
#include "loopback.hpp"

namespace unit {

/// Its first activation fails, when all that belongs to it has been done.
template <class Server>
class FailsOnce : public Server {
 public:
  using Server::Server;
  ~FailsOnce() override { Server::server_close(); }
  void server_activate() override {
    Server::server_activate();
    if (!std::exchange(failed_, true)) throw_system_error("listen", ENOBUFS);
  }

 private:
  bool failed_ = false;
};

/// bind_and_activate() fails and leaves nothing open; called again, it succeeds.
inline void bind_at_second_try(BaseServer& server) {
  const int before = open_descriptors();
  CHECK_THROWS_AS(server.bind_and_activate(), std::system_error);
  CHECK(server.fileno() == -1);
  CHECK(open_descriptors() == before);
  server.bind_and_activate();
  CHECK(server.server_address() == Address::of_socket(server.fileno()));
}

/// One connection, served by handle_request(): what it is answered.
inline std::string served(BaseServer& server, std::string_view text) {
  const FileDescriptor client = connect_to(server.server_address());
  send_text(client, text);
  check(::shutdown(client.get(), SHUT_WR), "shutdown");
  CHECK(server.handle_request());
  return receive_all(client);
}

}  // namespace unit
