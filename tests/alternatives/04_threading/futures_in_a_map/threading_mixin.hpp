// Differs: std::async; a future whose thread has ended moves to a second map and wakes the
// loop.

// ThreadingMixIn: a server that serves each request in a thread of its own.
// Used by: server.cpp. See also: pthreads(7).

#pragma once

#include <socketserver/base_server.hpp>
#include <socketserver/tcp_server.hpp>
#include <socketserver/udp_server.hpp>
#include <socketserver/unix_server.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <set>
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
    wait_for_tasks();
  }

  /// Whether the threads may be abandoned in the midst of a request: server_close() does not wait.
  bool daemon_threads = false;

  /// Whether server_close() waits until the threads have ended.
  bool block_on_close = true;

  /// How many threads there are at most; further clients wait their turn. 0: no limit.
  std::size_t max_threads = 0;

  /// Whether fewer than max_threads run. Does not block.
  bool has_room() override {
    const std::lock_guard lock(mutex_);
    return max_threads == 0 || running_.size() < max_threads;
  }

  /// Lets go of the tasks that have ended: each of them has woken the loop for it.
  void service_actions() override {
    Server::service_actions();
    settle();
  }

  /// Starts a thread that calls process_request_thread() and owns the request. Does not block. If
  /// there can be no further thread, handle_error() is called and the request is shut down.
  void process_request(Request request) override {
    settle();  // handle_request() never calls service_actions()
    const auto shared = std::make_shared<Request>(std::move(request));
    try {
      const std::lock_guard lock(mutex_);
      const auto place = running_.try_emplace(next_number_++).first;
      try {
        place->second =
            std::async(std::launch::async, [this, own = shared, number = place->first]() mutable {
              work(std::move(own), number);
            });
      } catch (...) {
        running_.erase(place);
        throw;
      }
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
    if (block_on_close && !daemon_threads) wait_for_tasks();
  }

 private:
  using Tasks = std::map<std::uint64_t, std::future<void>>;

  void work(std::shared_ptr<Request> request, std::uint64_t number) noexcept {
    own_server_ = this;
    own_number_ = number;
    process_request_thread(*request);
    request.reset();
    own_server_ = nullptr;  // the thread may be used for something else
    const std::lock_guard lock(mutex_);
    ended_.insert(running_.extract(number));
    waiting_.erase(number);
    changed_.notify_all();
    this->wake();
  }

  void settle() {
    Tasks gone;
    const std::lock_guard settling(settling_);  // who waits for all waits for these, too
    {
      const std::lock_guard lock(mutex_);
      gone.swap(ended_);
    }
    gone.clear();  // the destructor of such a future waits for the end of its thread
  }

  void wait_for_tasks() {
    {
      std::unique_lock lock(mutex_);
      const bool member = own_server_ == this;
      if (member) waiting_.insert(own_number_);
      changed_.notify_all();
      changed_.wait(lock, [&] { return running_.size() == (member ? waiting_.size() : 0); });
    }
    settle();
  }

  inline static thread_local const void* own_server_ = nullptr;
  inline static thread_local std::uint64_t own_number_ = 0;
  std::mutex settling_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  std::uint64_t next_number_ = 0;
  Tasks running_;
  Tasks ended_;
  std::set<std::uint64_t> waiting_;  // tasks that have called server_close() themselves
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
