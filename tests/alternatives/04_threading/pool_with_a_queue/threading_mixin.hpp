// Differs: requests stand in a queue; workers stay, and one that leaves joins those that left
// before.

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
#include <deque>
#include <iterator>
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
    dismiss();
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
    refused_ = max_threads != 0 && busy_ >= max_threads;
    return !refused_;
  }

  /// Starts a thread that calls process_request_thread() and owns the request. Does not block. If
  /// there can be no further thread, handle_error() is called and the request is shut down.
  void process_request(Request request) override {
    try {
      const std::lock_guard lock(mutex_);
      if (idle_ == queue_.size()) hire();
      queue_.push_back(std::move(request));
      ++busy_;
      work_.notify_one();
    } catch (...) {
      this->report_error(request);
      if (request.fileno() != -1) this->shutdown_request(request);
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
    if (!block_on_close || daemon_threads) return;
    std::unique_lock lock(mutex_);
    const auto self = std::this_thread::get_id();
    const bool member = std::any_of(workers_.begin(), workers_.end(),
                                    [self](const auto& worker) { return worker.get_id() == self; });
    if (member) waiting_.insert(self);
    changed_.notify_all();
    changed_.wait(lock, [&] { return busy_ == (member ? waiting_.size() : 0); });
  }

 private:
  using Workers = std::list<std::thread>;
  static constexpr std::size_t most_idle = 4;

  // One worker more, which counts as idle. Called with the mutex held.
  void hire() {
    workers_.emplace_back();
    const auto self = std::prev(workers_.end());
    try {
      *self = std::thread(&ThreadingMixIn::work, this, self);
    } catch (...) {
      workers_.erase(self);
      throw;
    }
    ++idle_;
  }

  void work(typename Workers::iterator self) noexcept {
    std::unique_lock lock(mutex_);
    for (;;) {
      work_.wait(lock, [this] { return ending_ || !queue_.empty(); });
      --idle_;
      if (queue_.empty()) break;
      {
        Request request = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        process_request_thread(request);
      }
      lock.lock();
      --busy_;
      waiting_.erase(std::this_thread::get_id());
      if (std::exchange(refused_, false)) this->wake();
      changed_.notify_all();
      if (idle_ >= most_idle) break;
      ++idle_;
    }
    Workers gone;
    gone.swap(retired_);
    retired_.splice(retired_.end(), workers_, self);
    changed_.notify_all();
    lock.unlock();
    for (std::thread& thread : gone) thread.join();
  }

  void dismiss() {
    Workers gone;
    {
      std::unique_lock lock(mutex_);
      ending_ = true;
      work_.notify_all();
      changed_.wait(lock, [this] { return workers_.empty(); });
      gone.swap(retired_);
    }
    for (std::thread& thread : gone) thread.join();
  }

  std::mutex mutex_;
  std::condition_variable work_;     // there is something to do
  std::condition_variable changed_;  // something is done
  // Guarded by mutex_:
  std::deque<Request> queue_;
  Workers workers_;
  Workers retired_;
  std::set<std::thread::id> waiting_;  // workers whose handler has called server_close()
  std::size_t busy_ = 0;               // requests in the queue and in work
  std::size_t idle_ = 0;               // workers that wait, or are about to
  bool refused_ = false;
  bool ending_ = false;
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
