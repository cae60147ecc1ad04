// Differs: a thread that ends moves itself into a second list, and the loop joins it.

// ThreadingMixIn: a server that serves each request in a thread of its own.
// Used by: server.cpp. See also: pthreads(7).

#pragma once

#include <socketserver/base_server.hpp>
#include <socketserver/tcp_server.hpp>
#include <socketserver/udp_server.hpp>
#include <socketserver/unix_server.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
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
  ~ThreadingMixIn() override {
    ThreadingMixIn::server_close();
    wait_for_threads();
  }

  /// Whether the threads may be abandoned in the midst of a request: server_close() does not wait.
  bool daemon_threads = false;

  /// Whether server_close() waits until the threads have ended.
  bool block_on_close = true;

  /// How many threads there are at most; further clients wait their turn. 0: no limit.
  std::size_t max_threads = 0;

  /// Whether fewer than max_threads run. Does not block.
  bool has_room() override {
    if (max_threads == 0) return true;
    const std::lock_guard lock(mutex_);
    return working_.size() < max_threads;  // each thread that ends wakes the loop
  }

  /// Joins the threads that have ended: each of them has woken the loop for it.
  void service_actions() override {
    Server::service_actions();
    join_finished();
  }

  /// Starts a thread that calls process_request_thread() and owns the request. Does not block. If
  /// there can be no further thread, handle_error() is called and the request is shut down.
  void process_request(Request request) override {
    join_finished();  // handle_request() never calls service_actions()
    const auto shared = std::make_shared<Request>(std::move(request));
    Threads fresh(1);
    try {
      const std::lock_guard lock(mutex_);
      fresh.front() = std::jthread([this, own = shared, self = fresh.begin()]() mutable {
        process_request_thread(*own);
        own.reset();
        leave(self);
      });
      working_.splice(working_.end(), fresh);
    } catch (...) {
      this->report_error(*shared);
      this->shutdown_request(*shared);
    }
  }

  /// Serves the request to its end, on the thread that is its own. Blocks as long as the handler
  /// does. What that throws goes to handle_error(): nothing may leave a thread.
  virtual void process_request_thread(Request& request) {
    try {
      this->finish_request(request);
    } catch (...) {
      this->report_error(request);
    }
    this->shutdown_request(request);
  }

  /// Ends the loop, closes the listener, and then waits for the requests under way, if
  /// block_on_close and not daemon_threads. May be called from a handler, which it does not wait
  /// for.
  void server_close() override {
    Server::server_close();
    if (block_on_close && !daemon_threads) wait_for_threads();
  }

 private:
  using Threads = std::list<std::jthread>;

  void leave(typename Threads::iterator self) noexcept {
    const std::lock_guard lock(mutex_);
    finished_.splice(finished_.end(), working_, self);
    waiting_.erase(self->get_id());
    changed_.notify_all();
    this->wake();
  }

  void join_finished() {
    Threads gone;
    {
      const std::lock_guard lock(mutex_);
      gone.swap(finished_);
    }
    // The destructors join, outside the lock.
  }

  void wait_for_threads() {
    {
      std::unique_lock lock(mutex_);
      const auto self = std::this_thread::get_id();
      const bool member = std::any_of(working_.begin(), working_.end(), [self](const auto& thread) {
        return thread.get_id() == self;
      });
      if (member) waiting_.insert(self);
      changed_.notify_all();
      changed_.wait(lock, [&] { return working_.size() == (member ? waiting_.size() : 0); });
    }
    join_finished();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  Threads working_;
  Threads finished_;
  std::set<std::thread::id> waiting_;  // threads that have called server_close() themselves
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
