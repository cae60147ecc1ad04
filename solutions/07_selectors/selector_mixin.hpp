#pragma once

#include <sys/socket.h>
#include <socketserver/base_server.hpp>
#include <socketserver/log.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/selectors.hpp>
#include <socketserver/session.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/udp_server.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <iterator>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
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

  /// Waits for one client, for at most `timeout`, and serves it, and whoever else is there, to the
  /// end. Blocks as long as they talk.
  bool handle_request() override {
    if (!Server::handle_request()) return false;
    finish_conversations();
    return true;
  }

  /// Called when a signal ends the loop: every client gets the answer to what it has sent, and its
  /// end of file. Returns when the last connection is closed.
  void interrupt_requests() override {
    Server::interrupt_requests();  // each of them reads its end of file from now on
    finish_conversations();
  }

  /// Ends a loop that still runs, then closes every connection and the listener. The second call
  /// does nothing. Callable from any thread; a session that calls it is served to the end of this
  /// turn first.
  void server_close() override {
    this->BaseServer::server_close();
    if (serving_on_ == std::this_thread::get_id()) {
      close_after_turn_ = true;
      return;
    }
    const std::lock_guard lock(closing_);
    while (!connections_.empty()) close(connections_.front());
    while (!leaving_.empty()) close(leaving_.front());
    forget(this->fileno());
    forget(this->wake_fileno());
    Server::server_close();
  }

 protected:
  /// Waits as BaseServer does, and for the connections, which it serves.
  bool wait(bool for_requests, std::optional<std::chrono::milliseconds> limit) override {
    const bool listens = watch_listener(for_requests);
    if (for_requests && !listens) limit = Server::pause_after_failure;
    const std::span<const Ready> ready = selector_->select(time_to_wait(limit));
    serving_on_ = std::this_thread::get_id();
    bool new_clients = false;
    for (const auto& [key, events] : ready) {
      if (key.data != nullptr) {
        serve(*static_cast<Connection*>(key.data), events);
      } else if (key.fd == this->wake_fileno()) {
        this->drain_wake();
      } else {
        new_clients = true;
      }
    }
    close_idle();
    serving_on_ = std::thread::id();
    if (std::exchange(close_after_turn_, false)) SelectorMixIn::server_close();
    return new_clients;
  }

 private:
  using Clock = std::chrono::steady_clock;

  // What is known of a client between two events.
  struct Connection {
    explicit Connection(Request accepted) : request(std::move(accepted)) {}

    Request request;
    std::unique_ptr<Session> session;
    Output output;
    bool at_end = false;   // its end of file has come
    bool leaving = false;  // ours has gone out: what still comes is read away
    Clock::time_point last_moved{};
    typename std::list<Connection>::iterator place{};
  };

  // ---- waiting ---------------------------------------------------------------------------------

  // The kernel may have no place left for the listener (ENOSPC, epoll_ctl(2)): it is told once, and
  // tried again.
  bool watch_listener(bool wanted) {
    const bool watched = selector_->get_map().find(this->fileno()) != nullptr;
    if (watched && !wanted) selector_->unregister(this->fileno());
    if (watched || !wanted) return wanted;
    try {
      selector_->register_fd(this->fileno(), EVENT_READ);
      listens_ = true;
    } catch (const std::system_error& error) {
      if (std::exchange(listens_, false)) log_error(std::string("cannot listen: ") + error.what());
    }
    return listens_;
  }

  // All who are there, and nobody else.
  void finish_conversations() {
    while (!connections_.empty() || !leaving_.empty()) {
      this->patiently([this] { (void)wait(false, std::nullopt); });
    }
  }

  // Until the next thing that only the clock will tell, and not longer than `limit`.
  BaseSelector::Timeout time_to_wait(std::optional<std::chrono::milliseconds> limit) const {
    std::optional<Clock::time_point> next;
    if (idle_timeout && !connections_.empty()) {
      next = connections_.front().last_moved + longest_silence();
    }
    if (!leaving_.empty()) {
      const Clock::time_point end = leaving_.front().last_moved + Request::longest_goodbye;
      if (!next || end < *next) next = end;
    }
    if (!next) return limit;
    const auto left = *next - Clock::now();
    return limit ? std::min<Clock::duration>(left, *limit) : left;
  }

  // idle_timeout, or as much of it as the clock can count with.
  std::chrono::milliseconds longest_silence() const {
    return std::min<std::chrono::milliseconds>(*idle_timeout, std::chrono::years(100));
  }

  void close_idle() {
    if (!idle_timeout && leaving_.empty()) return;
    const Clock::time_point now = Clock::now();
    while (idle_timeout && !connections_.empty() &&
           connections_.front().last_moved <= now - longest_silence()) {
      leave(connections_.front());
    }
    while (!leaving_.empty() && leaving_.front().last_moved <= now - Request::longest_goodbye) {
      close(leaving_.front());
    }
  }

  // ---- one connection --------------------------------------------------------------------------

  void serve(Connection& connection, Events events) noexcept {
    if (connection.leaving) {
      if (connection.request.read_away_now()) close(connection);
      return;
    }
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
      leave(connection);
    }
  }

  // All have the same timeout: in the order of their last movement, the first one is due first.
  void touch(Connection& connection) {
    if (!idle_timeout) return;
    connection.last_moved = Clock::now();
    connections_.splice(connections_.end(), connections_, connection.place);
  }

  // The goodbye of lesson 01, without waiting: our end of file, then what still comes is read away.
  // Closed with input unread, the connection would be reset, and the answer on its way be lost.
  void leave(Connection& connection) noexcept {
    if (connection.at_end && connection.output.empty()) return close(connection);
    (void)::shutdown(connection.request.fileno(), SHUT_WR);  // who has gone needs no goodbye
    if (connection.request.read_away_now()) return close(connection);
    try {
      selector_->modify(connection.request.fileno(), EVENT_READ, &connection);
    } catch (...) {
      return close(connection);
    }
    connection.leaving = true;
    connection.last_moved = Clock::now();
    leaving_.splice(leaving_.end(), connections_, connection.place);
  }

  void close(Connection& connection) noexcept {
    forget(connection.request.fileno());  // first: once closed, the number may be somebody else's
    if (connection.at_end && connection.output.empty()) {
      this->close_request(connection.request);  // all is read: closing says end of file by itself
    } else {
      this->shutdown_request(connection.request);
    }
    (connection.leaving ? leaving_ : connections_).erase(connection.place);
  }

  void forget(int fd) noexcept {
    if (selector_->get_map().find(fd) != nullptr) selector_->unregister(fd);
  }

  SessionClass session_class_;
  std::unique_ptr<BaseSelector> selector_;
  std::list<Connection> connections_;
  std::list<Connection> leaving_;  // in the order of their goodbyes
  bool listens_ = true;            // or has said that it cannot
  std::thread::id serving_on_;     // the loop's thread, in the midst of a turn
  bool close_after_turn_ = false;
  std::mutex closing_;
  std::array<char, 64 * 1024> buffer_;  // for what has just come, by turns
  Output shared_memory_;                // for answers, by turns
};

}  // namespace socketserver
