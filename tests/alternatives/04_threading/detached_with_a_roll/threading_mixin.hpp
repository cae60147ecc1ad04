// Differs: detached threads; a roll that they share (a lock, a condition, numbers) says who is
// there.

// ThreadingMixIn: a server that serves each request in a thread of its own.
// Used by: server.cpp. See also: pthreads(7).

#pragma once

#include <socketserver/base_server.hpp>
#include <socketserver/tcp_server.hpp>
#include <socketserver/udp_server.hpp>
#include <socketserver/unix_server.hpp>

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
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
    const std::lock_guard lock(roll_->mutex);
    roll_->refused = max_threads != 0 && roll_->present >= max_threads;
    return !roll_->refused;
  }

  /// Starts a thread that calls process_request_thread() and owns the request. Does not block. If
  /// there can be no further thread, handle_error() is called and the request is shut down.
  void process_request(Request request) override {
    const auto parcel = std::make_shared<Request>(std::move(request));
    enter();
    try {
      std::thread(&ThreadingMixIn::work, this, parcel, roll_).detach();
    } catch (...) {
      take_back();
      this->report_error(*parcel);
      this->shutdown_request(*parcel);
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
    if (daemon_threads || !block_on_close) return;
    wait_for_threads();
  }

 private:
  // What the server and its detached threads share. The last one who has it gives it back.
  struct Roll {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t present = 0;  // threads that have not said goodbye
    std::size_t waiting = 0;  // those of them that have called server_close()
    bool refused = false;     // has_room() has said no
  };

  void enter() {
    const std::lock_guard lock(roll_->mutex);
    ++roll_->present;
  }

  void take_back() {
    const std::lock_guard lock(roll_->mutex);
    --roll_->present;
    roll_->changed.notify_all();
  }

  void work(std::shared_ptr<Request> request, const std::shared_ptr<Roll> roll) noexcept {
    own_roll_ = roll.get();
    process_request_thread(*request);
    request.reset();
    const std::lock_guard lock(roll->mutex);
    --roll->present;
    if (has_waited_) --roll->waiting;
    // With the lock held: until it is given back, nobody who waits can go on and end the server.
    if (std::exchange(roll->refused, false)) this->wake();
    roll->changed.notify_all();
  }

  void wait_for_threads() {
    std::unique_lock lock(roll_->mutex);
    const bool member = own_roll_ == roll_.get();
    if (member && !std::exchange(has_waited_, true)) {
      ++roll_->waiting;
      roll_->changed.notify_all();
    }
    roll_->changed.wait(lock, [&] { return roll_->present == (member ? roll_->waiting : 0); });
  }

  inline static thread_local const Roll* own_roll_ = nullptr;
  inline static thread_local bool has_waited_ = false;
  const std::shared_ptr<Roll> roll_ = std::make_shared<Roll>();
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
