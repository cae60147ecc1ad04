// Differs: the thread takes a raw pointer over, and a guard object shuts its request down.

// ThreadingMixIn: a server that serves each request in a thread of its own.
// Used by: server.cpp. Built on: common/include/socketserver/thread_set.hpp. See also: pthreads(7).

#pragma once

#include <socketserver/base_server.hpp>
#include <socketserver/tcp_server.hpp>
#include <socketserver/thread_set.hpp>
#include <socketserver/udp_server.hpp>
#include <socketserver/unix_server.hpp>

#include <cstddef>
#include <limits>
#include <memory>
#include <utility>

namespace socketserver {

/// Serves each request of a `Server` in a thread of its own, so that the loop is free for the next
/// client at once: `ThreadingMixIn<TCPServer> server(address, handler_class<EchoHandler>);`
///
/// The handler runs in that thread, with the connection to itself; what handlers share among each
/// other or with the server they have to lock. Attributes are set before serve_forever(). A class
/// that overrides a hook closes itself in its own destructor: threads may still call the hook until
/// then. Python's `socketserver.ThreadingMixIn`.
template <class Server>
class ThreadingMixIn : public Server {
  static_assert(Server::serves_in_turn,
                "threading and forking cannot be combined: a server has one way to serve its "
                "requests, and this one has its way already");

 public:
  /// A request is served beside the others.
  static constexpr bool serves_in_turn = false;

  using Server::Server;

  /// server_close(); then waits for every thread, whatever the attributes say: the threads use the
  /// server. A program that must not wait calls server_close() and ends by std::_Exit(3).
  ~ThreadingMixIn() override { ThreadingMixIn::server_close(); }

  /// Whether the threads may be abandoned in the midst of a request: server_close() does not wait.
  bool daemon_threads = false;

  /// Whether server_close() waits until the threads have ended.
  bool block_on_close = true;

  /// How many threads there are at most; further clients wait their turn. 0: no limit.
  std::size_t max_threads = 0;

  /// Whether fewer than max_threads run. Does not block.
  bool has_room() override {
    constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();
    return threads_.has_room(max_threads > 0 ? max_threads : no_limit);
  }

  /// Starts a thread that calls process_request_thread() and owns the request. Does not block. If
  /// there can be no further thread, handle_error() is called and the request is shut down.
  void process_request(Request request) override {
    Request* const handed_over = new Request(std::move(request));
    try {
      threads_.start([this, handed_over] {
        const std::unique_ptr<Request> own(handed_over);
        process_request_thread(*own);
      });
    } catch (...) {  // the thread has never been: the request is ours still
      const std::unique_ptr<Request> own(handed_over);
      this->report_error(*own);
      this->shutdown_request(*own);
    }
  }

  /// Serves the request to its end, on the thread that is its own. Blocks as long as the handler
  /// does. What that throws goes to handle_error(): nothing may leave a thread.
  virtual void process_request_thread(Request& request) {
    const Goodbye goodbye{*this, request};
    try {
      this->finish_request(request);
    } catch (...) {
      this->report_error(request);
    }
  }

  /// Ends the loop, closes the listener, and then waits for the requests under way, if
  /// block_on_close and not daemon_threads. May be called from a handler, which it does not wait
  /// for.
  void server_close() override {
    Server::server_close();
    if (daemon_threads) return;
    if (!block_on_close) return;
    threads_.join();
  }

 private:
  // Shuts the request down on every way out.
  struct Goodbye {
    ThreadingMixIn& server;
    Request& request;
    ~Goodbye() { server.shutdown_request(request); }
  };

  // A thread that ends wakes a loop that had no room.
  ThreadSet threads_{[this] { this->wake(); }};
};

/// A TCP server that serves each connection in a thread of its own.
using ThreadingTCPServer = ThreadingMixIn<TCPServer>;
/// A UDP server that serves each datagram in a thread of its own.
using ThreadingUDPServer = ThreadingMixIn<UDPServer>;
/// A Unix stream server that serves each connection in a thread of its own.
using ThreadingUnixStreamServer = ThreadingMixIn<UnixStreamServer>;
/// A Unix datagram server that serves each datagram in a thread of its own.
using ThreadingUnixDatagramServer = ThreadingMixIn<UnixDatagramServer>;

}  // namespace socketserver
