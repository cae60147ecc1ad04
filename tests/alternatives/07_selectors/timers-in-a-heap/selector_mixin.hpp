// Idle deadlines in a heap; one that is out of date is put right when it comes up.

#pragma once

#include <sys/socket.h>
#include <socketserver/base_server.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/selectors.hpp>
#include <socketserver/session.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/udp_server.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iterator>
#include <list>
#include <memory>
#include <optional>
#include <queue>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

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
    Server::server_activate();
    selector_->register_fd(this->fileno(), EVENT_READ);
    selector_->register_fd(this->wake_fileno(), EVENT_READ);
  }

  /// Makes the connection one of those that the loop serves, and returns at once.
  void process_request(Request request) override {
    Connection& connection = connections_.emplace_back(std::move(request));
    connection.place = std::prev(connections_.end());
    try {
      connection.session = session_class_(connection.request.client_address(), *this);
      selector_->register_fd(connection.request.fileno(), EVENT_READ, &connection);
      touch(connection);
    } catch (...) {
      this->report_error(connection.request);
      close(connection);
    }
  }

  /// Called when a signal ends the loop: every client gets the answer to what it has sent, and its
  /// end of file. Returns when the last connection is closed.
  void interrupt_requests() override {
    forget(this->fileno());
    listen_again_.reset();
    Server::interrupt_requests();  // each of them reads its end of file from now on
    while (!connections_.empty()) {
      serve_ready();
      close_idle();
    }
  }

  /// Ends a loop that still runs, then closes every connection and the listener. The second call
  /// does nothing.
  void server_close() override {
    this->BaseServer::server_close();
    while (!connections_.empty()) close(connections_.front());
    selector_->close();
    Server::server_close();
  }

 protected:
  /// Waits until something is ready, and serves it.
  void turn() override {
    watch_listener();
    serve_ready();
    close_idle();
  }

 private:
  using Clock = std::chrono::steady_clock;

  // What is known of a client between two events.
  struct Connection {
    explicit Connection(Request accepted) : request(std::move(accepted)) {}

    Request request;
    std::unique_ptr<Session> session;
    Output output;
    bool at_end = false;  // its end of file has come
    Clock::time_point last_moved{};
    std::uint64_t number = 0;
    typename std::list<Connection>::iterator place{};
  };

  // ---- one turn of the loop --------------------------------------------------------------------

  void serve_ready() {
    bool new_clients = false;
    for (const auto& [key, events] : selector_->select(time_to_wait())) {
      if (key.data != nullptr) {
        serve(*static_cast<Connection*>(key.data), events);
      } else if (key.fd == this->wake_fileno()) {
        this->drain_wake();
      } else {
        new_clients = true;
      }
    }
    // Last: a new connection may get the number of one that this turn has closed.
    if (new_clients) take_new_clients();
  }

  // Until the next thing that only the clock will tell; no value if there is none.
  BaseSelector::Timeout time_to_wait() const {
    std::optional<Clock::time_point> next = listen_again_;
    if (!due_.empty() && (!next || due_.top().time < *next)) next = due_.top().time;
    if (!next) return std::nullopt;
    return *next - Clock::now();
  }

  void close_idle() {
    const Clock::time_point now = Clock::now();
    while (!due_.empty() && due_.top().time <= now) {
      const Due due = due_.top();
      due_.pop();
      const auto found = by_number_.find(due.number);
      if (found == by_number_.end()) continue;  // closed meanwhile
      const Clock::time_point end = found->second->last_moved + *idle_timeout;
      if (end > now) {
        due_.push({end, due.number});
      } else {
        close(*found->second);
      }
    }
  }

  // ---- the listener ----------------------------------------------------------------------------

  void take_new_clients() {
    const bool failed = this->take_requests();
    // Without a free descriptor the listener stays readable: to wait for that would be to spin.
    if (failed) listen_again_ = Clock::now() + Server::pause_after_failure;
  }

  void watch_listener() {
    if (listen_again_ && *listen_again_ <= Clock::now()) listen_again_.reset();
    const bool wanted = !listen_again_ && this->has_room();
    const bool watched = selector_->get_map().find(this->fileno()) != nullptr;
    if (wanted && !watched) selector_->register_fd(this->fileno(), EVENT_READ);
    if (!wanted && watched) selector_->unregister(this->fileno());
  }

  // ---- one connection --------------------------------------------------------------------------

  void serve(Connection& connection, Events events) noexcept {
    try {
      // The memory that an answer is made in is lent: a client keeps only what it does not take.
      const bool lent = connection.output.empty();
      if (lent) connection.output.swap_bytes(shared_memory_);
      bool moved = (events & EVENT_READ) && receive(connection);
      moved |= send(connection);
      if (connection.output.empty()) {
        lent ? connection.output.swap_bytes(shared_memory_) : connection.output.release_memory();
      }
      if (moved) touch(connection);
      settle(connection);
    } catch (...) {
      this->report_error(connection.request);
      close(connection);
    }
  }

  // One recv a turn: a client that sends without end must not keep the others waiting.
  bool receive(Connection& connection) {
    const ssize_t count =
        ::recv(connection.request.fileno(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (count == -1) {
      if (errno == EAGAIN || errno == EINTR) return false;  // nothing is there after all
      throw_system_error("recv");
    }
    connection.at_end = count == 0;
    try {
      if (count == 0) {
        connection.session->ended(connection.output);
      } else {
        connection.session->received({buffer_.data(), static_cast<std::size_t>(count)},
                                     connection.output);
      }
    } catch (...) {
      this->report_error(connection.request);
      connection.output.end();  // what it had said before still goes out
    }
    return true;
  }

  // What the socket does not take now stays in the output, and goes when there is room again.
  bool send(Connection& connection) {
    const std::string_view bytes = connection.output.unsent();
    if (bytes.empty()) return false;
    const ssize_t count = ::send(connection.request.fileno(), bytes.data(), bytes.size(),
                                 MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count == -1) {
      if (errno == EAGAIN || errno == EINTR) return false;  // no room now
      throw_system_error("send");
    }
    connection.output.sent(static_cast<std::size_t>(count));
    return true;
  }

  // What the connection waits for next. If that is nothing, it is over.
  void settle(Connection& connection) {
    const Output& output = connection.output;
    const bool listens = !connection.at_end && !output.ended();
    Events events = 0;
    if (listens && output.size() < max_output) events |= EVENT_READ;
    if (!output.empty()) events |= EVENT_WRITE;

    if (events != 0) {
      selector_->modify(connection.request.fileno(), events, &connection);
    } else {
      close(connection);
    }
  }

  void touch(Connection& connection) {
    if (!idle_timeout) return;
    connection.last_moved = Clock::now();
    if (connection.number != 0) return;
    connection.number = ++last_number_;
    by_number_[connection.number] = &connection;
    due_.push({connection.last_moved + *idle_timeout, connection.number});
  }

  void close(Connection& connection) noexcept {
    forget(connection.request.fileno());  // first: once closed, the number may be somebody else's
    if (connection.at_end && connection.output.empty()) {
      this->close_request(connection.request);  // all is read: closing says end of file by itself
    } else {
      this->shutdown_request(connection.request);
    }
    by_number_.erase(connection.number);
    connections_.erase(connection.place);
  }

  void forget(int fd) noexcept {
    if (selector_->get_map().find(fd) != nullptr) selector_->unregister(fd);
  }

  struct Due {
    Clock::time_point time;
    std::uint64_t number;
    friend bool operator>(const Due& a, const Due& b) { return a.time > b.time; }
  };

  SessionClass session_class_;
  std::unique_ptr<BaseSelector> selector_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::unordered_map<std::uint64_t, Connection*> by_number_;
  std::uint64_t last_number_ = 0;
  std::list<Connection> connections_;
  std::optional<Clock::time_point> listen_again_;  // set while the listener is left alone
  std::array<char, 64 * 1024> buffer_;             // for what has just come, by turns
  Output shared_memory_;                           // for answers, by turns
};

}  // namespace socketserver
