#pragma once

#include <sys/socket.h>
#include <socketserver/base_server.hpp>
#include <socketserver/not_written.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/selectors.hpp>
#include <socketserver/session.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/udp_server.hpp>

#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "epoll_selector.hpp"

namespace socketserver {

/// The third mix-in, which Python lacks: serves all clients on the thread of the loop, with a
/// selector and a state for each connection, where the others take a thread or a process for each.
///
///     SelectorMixIn<TCPServer> server(address, session_class<EchoSession>);
///
/// A `Session` takes the place of the handler: it is called with the bytes that have come, and
/// never waits. For TCPServer and UnixStreamServer, and what derives from them.
template <class Server>
class SelectorMixIn : public Server {
  static_assert(Server::serves_in_turn,
                "a server has one way to serve its requests: threads, processes or a selector");
  static_assert(!std::is_base_of_v<UDPServer, Server>,
                "a datagram server has one socket for all its clients: nothing to select from");

 public:
  /// A request is served beside the others.
  static constexpr bool serves_in_turn = false;

  /// @param session_class  what the service says to a client: `session_class<EchoSession>`
  /// @param selector       what to wait with
  SelectorMixIn(const Address& server_address, SessionClass session_class,
                std::unique_ptr<BaseSelector> selector = std::make_unique<DefaultSelector>())
      : Server(server_address, nullptr),
        session_class_(session_class),
        selector_(std::move(selector)) {}

  /// server_close()
  ~SelectorMixIn() override { SelectorMixIn::server_close(); }

  /// While so many bytes of its answers wait for a client, nothing more is read from it. At
  /// least 1.
  std::size_t max_output = 1024 * 1024;

  /// A connection on which nothing has moved for so long is shut down; no value: never.
  std::optional<std::chrono::milliseconds> idle_timeout;

  /// Activates the server, and registers what the loop waits for.
  void server_activate() override {
    Server::server_activate();  // given: listens
    // TODO(07.D): register the listener, fileno(), and what wakes the loop, wake_fileno().
    not_written("07.D", "SelectorMixIn::server_activate");
  }

  /// Makes the connection one of those that the loop serves, and returns at once.
  void process_request([[maybe_unused]] Request request) override {
    // TODO(07.D): keep the request, make a session for it, and register its descriptor.
    not_written("07.D", "SelectorMixIn::process_request");
  }

  /// Called when a signal ends the loop: every client gets the answer to what it has sent, and its
  /// end of file. Returns when the last connection is closed.
  void interrupt_requests() override {
    Server::interrupt_requests();  // given: each of them reads its end of file from now on
    // TODO(07.F): go on to serve the connections, but take no new one, until none is left.
    not_written("07.F", "SelectorMixIn::interrupt_requests");
  }

  /// Ends a loop that still runs, then closes every connection and the listener. The second call
  /// does nothing.
  void server_close() override {
    this->BaseServer::server_close();  // given: ends a loop that still runs
    // TODO(07.D): close every connection, and the selector.
    not_written("07.D", "SelectorMixIn::server_close");
    Server::server_close();  // given: closes the listener
  }

 protected:
  /// Waits as BaseServer does, and for the connections, which it serves.
  bool wait([[maybe_unused]] bool for_requests,
            [[maybe_unused]] std::optional<std::chrono::milliseconds> limit) override {
    // TODO(07.D): select; receive from each connection that is readable, let its session answer,
    // and send. Return whether the listener is ready.
    // In 07.E: what send() does not take waits until the connection is writable.
    not_written("07.D", "SelectorMixIn::wait");
  }

 private:
  SessionClass session_class_;
  std::unique_ptr<BaseSelector> selector_;
  // Yours: the connections, and what is known of each between two events.
};

}  // namespace socketserver
