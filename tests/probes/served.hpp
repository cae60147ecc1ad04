#pragma once

// The main of a probe whose handler is all that is its own.

#include <socketserver/program.hpp>

namespace probe {

/// A server of this class serves with such handlers until a signal ends it; what main() returns.
template <class Server, class Handler>
int serve(int argc, char* argv[]) {
  return socketserver::server_main(argc, argv, {}, [](const socketserver::Options& options) {
    Server server(options.address(), socketserver::handler_class<Handler>);
    const socketserver::EndOnSignals end(server);
    socketserver::start_listening(server);
    server.serve_forever();
  });
}

}  // namespace probe
