// A coroutine for each connection: it reads as if it blocked, and the loop resumes it when it is
// ready.

#pragma once

#include <sys/socket.h>
#include <socketserver/base_server.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/selectors.hpp>
#include <socketserver/session.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/udp_server.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <coroutine>
#include <exception>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <system_error>
#include <thread>
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

  void server_activate() override {
    Server::server_activate();
    selector_->register_fd(this->fileno(), EVENT_READ);
    selector_->register_fd(this->wake_fileno(), EVENT_READ);
  }

  void process_request(Request request) override {
    Connection& connection = connections_.emplace_back(std::move(request));
    connection.place = std::prev(connections_.end());
    try {
      connection.session = session_class_(connection.request.client_address(), *this);
      connection.last = Clock::now();
      selector_->register_fd(connection.request.fileno(), EVENT_READ, &connection);
      connection.task = converse(connection);
    } catch (...) {
      this->report_error(connection.request);
      close(connection);
    }
  }

  bool handle_request() override {
    if (!Server::handle_request()) return false;
    finish_conversations();
    return true;
  }

  void interrupt_requests() override {
    Server::interrupt_requests();
    finish_conversations();
  }

  void server_close() override {
    this->BaseServer::server_close();
    if (serving_on_ == std::this_thread::get_id()) {
      close_after_turn_ = true;
      return;
    }
    const std::lock_guard lock(closing_);
    while (!connections_.empty()) close(connections_.front());
    forget(this->fileno());
    forget(this->wake_fileno());
    Server::server_close();
  }

 protected:
  bool wait(bool for_requests, std::optional<std::chrono::milliseconds> limit) override {
    const bool watched = selector_->get_map().find(this->fileno()) != nullptr;
    if (watched && !for_requests) selector_->unregister(this->fileno());
    if (!watched && for_requests) limit = listen() ? limit : Server::pause_after_failure;
    const std::span<const Ready> ready = selector_->select(time_to_wait(limit));
    serving_on_ = std::this_thread::get_id();
    bool new_clients = false;
    for (const auto& [key, events] : ready) {
      if (key.fd == this->wake_fileno()) {
        this->drain_wake();
      } else if (key.data == nullptr) {
        new_clients = true;
      } else {
        resume(*static_cast<Connection*>(key.data), events);
      }
    }
    for (auto i = connections_.begin(); idle_timeout && i != connections_.end();) {
      Connection& connection = *i++;
      if (connection.last + longest_silence() <= Clock::now()) close(connection);
    }
    serving_on_ = std::thread::id();
    if (std::exchange(close_after_turn_, false)) SelectorMixIn::server_close();
    return new_clients;
  }

 private:
  using Clock = std::chrono::steady_clock;

  struct Task {
    struct promise_type {
      Task get_return_object() {
        return Task(std::coroutine_handle<promise_type>::from_promise(*this));
      }
      std::suspend_never initial_suspend() noexcept { return {}; }
      std::suspend_always final_suspend() noexcept { return {}; }
      void return_void() {}
      void unhandled_exception() { failure = std::current_exception(); }
      std::exception_ptr failure;
    };
    Task() = default;
    explicit Task(std::coroutine_handle<promise_type> made) : handle(made) {}
    Task(Task&& other) noexcept : handle(std::exchange(other.handle, {})) {}
    Task& operator=(Task&& other) noexcept {
      std::swap(handle, other.handle);
      return *this;
    }
    ~Task() {
      if (handle) handle.destroy();
    }
    std::coroutine_handle<promise_type> handle;
  };

  struct Connection {
    explicit Connection(Request accepted) : request(std::move(accepted)) {}
    Request request;
    std::unique_ptr<Session> session;
    Output output;
    Events ready = 0;
    Task task;
    Clock::time_point last{};
    typename std::list<Connection>::iterator place{};
  };

  // Suspends until the connection is ready for one of these.
  struct Wait {
    BaseSelector& selector;
    Connection& connection;
    Events events;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) {
      selector.modify(connection.request.fileno(), events, &connection);
    }
    Events await_resume() const noexcept { return connection.ready; }
  };

  Task converse(Connection& connection) {
    const int fd = connection.request.fileno();
    Output& output = connection.output;
    bool listens = true;
    while (listens || !output.empty()) {
      const Events wanted = (listens && output.size() < max_output ? EVENT_READ : 0) |
                            (output.empty() ? 0 : EVENT_WRITE);
      const Events ready = co_await Wait{*selector_, connection, wanted};
      if (ready & EVENT_READ) {
        const ssize_t count = ::recv(fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
        if (count == -1 && errno != EAGAIN && errno != EINTR) throw_system_error("recv");
        if (count >= 0) connection.last = Clock::now();
        try {
          if (count > 0) {
            connection.session->received({buffer_.data(), static_cast<std::size_t>(count)}, output);
          }
          if (count == 0) connection.session->ended(output);
        } catch (...) {
          this->report_error(connection.request);
          output.end();
        }
        listens = listens && count != 0 && !output.ended();
      }
      if (output.empty()) continue;
      const ssize_t count =
          ::send(fd, output.unsent().data(), output.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count == -1 && errno != EAGAIN && errno != EINTR) throw_system_error("send");
      if (count <= 0) continue;
      output.sent(static_cast<std::size_t>(count));
      if (output.empty()) output.release_memory();
      connection.last = Clock::now();
    }
  }

  // There may be no place left for it (ENOSPC).
  bool listen() {
    try {
      selector_->register_fd(this->fileno(), EVENT_READ);
      return true;
    } catch (const std::system_error&) {
      return false;
    }
  }

  void finish_conversations() {
    while (!connections_.empty()) (void)wait(false, std::nullopt);
  }

  void resume(Connection& connection, Events events) {
    connection.ready = events;
    connection.task.handle.resume();
    if (!connection.task.handle.done()) return;
    if (connection.task.handle.promise().failure) {
      try {
        std::rethrow_exception(connection.task.handle.promise().failure);
      } catch (...) {
        this->report_error(connection.request);
      }
    }
    close(connection);
  }

  BaseSelector::Timeout time_to_wait(std::optional<std::chrono::milliseconds> limit) const {
    BaseSelector::Timeout least = limit;
    for (const Connection& connection : connections_) {
      if (!idle_timeout) break;
      const auto left = connection.last + longest_silence() - Clock::now();
      if (!least || left < *least) least = left;
    }
    return least;
  }

  // idle_timeout, or as much of it as the clock can count with.
  std::chrono::milliseconds longest_silence() const {
    return std::min<std::chrono::milliseconds>(*idle_timeout, std::chrono::years(100));
  }

  void forget(int fd) {
    if (selector_->get_map().find(fd) != nullptr) selector_->unregister(fd);
  }

  void close(Connection& connection) {
    forget(connection.request.fileno());
    this->shutdown_request(connection.request);
    connections_.erase(connection.place);
  }

  SessionClass session_class_;
  std::unique_ptr<BaseSelector> selector_;
  std::list<Connection> connections_;
  std::thread::id serving_on_;
  bool close_after_turn_ = false;
  std::mutex closing_;
  std::array<char, 32 * 1024> buffer_;
};

}  // namespace socketserver
