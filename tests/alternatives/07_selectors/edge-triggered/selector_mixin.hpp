// Edge-triggered done right: what is ready stands in a list until EAGAIN has been seen; one read a
// turn.

#pragma once

#include <sys/socket.h>
#include <socketserver/base_server.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/selectors.hpp>
#include <socketserver/session.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/udp_server.hpp>

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <type_traits>
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

  void server_activate() override {
    Server::server_activate();
    epoll_.reset(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
    listener_added_ = false;
    add(this->wake_fileno(), EPOLLIN, &wake_mark_);
  }

  void process_request(Request request) override {
    connections_.emplace_back();
    Connection& connection = connections_.back();
    connection.place = std::prev(connections_.end());
    connection.request.emplace(std::move(request));
    try {
      connection.session = session_class_(connection.request->client_address(), *this);
      connection.last = Clock::now();
      add(connection.request->fileno(), EPOLLIN | EPOLLOUT | EPOLLET, &connection);
    } catch (...) {
      this->report_error(*connection.request);
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
    Server::server_close();
    epoll_.reset();
  }

 protected:
  bool wait(bool for_requests, std::optional<std::chrono::milliseconds> limit) override {
    if (!for_requests && listener_added_) remove_listener();
    if (!for_requests) listener_added_ = false;
    if (for_requests && !listener_added_)
      limit = add_listener() ? limit : Server::pause_after_failure;
    std::array<epoll_event, 64> events;
    const int count = ::epoll_wait(epoll_.get(), events.data(), 64, time_to_wait(limit));
    if (count == -1 && errno != EINTR) throw_system_error("epoll_wait");
    serving_on_ = std::this_thread::get_id();
    bool new_clients = false;
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.ptr == &listener_mark_) {
        new_clients = true;
      } else if (event.data.ptr == &wake_mark_) {
        this->drain_wake();
      } else {
        Connection& connection = *static_cast<Connection*>(event.data.ptr);
        if (event.events & ~unsigned{EPOLLOUT}) connection.may_read = true;
        if (event.events & ~unsigned{EPOLLIN}) connection.may_write = true;
        if (!connection.listed) todo_.push_back(&connection);
        connection.listed = true;
      }
    }
    // Each one in the list has one turn; who has more to do stands at its end again.
    for (std::size_t left = todo_.size(); left > 0; --left) {
      Connection& connection = *todo_.front();
      todo_.pop_front();
      connection.listed = false;
      serve(connection);
    }
    close_idle();
    serving_on_ = std::thread::id();
    if (std::exchange(close_after_turn_, false)) SelectorMixIn::server_close();
    return new_clients;
  }

 private:
  using Clock = std::chrono::steady_clock;
  struct Connection {
    std::optional<Request> request;
    std::unique_ptr<Session> session;
    Output output;
    bool may_read = false;
    bool may_write = true;
    bool listed = false;
    bool at_end = false;
    Clock::time_point last;
    typename std::list<Connection>::iterator place;
  };

  void add(int fd, unsigned events, void* data) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = data;
    check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  }

  void finish_conversations() {
    while (!connections_.empty()) (void)wait(false, std::nullopt);
  }

  // There may be no place left for it (ENOSPC).
  bool add_listener() {
    try {
      add(this->fileno(), EPOLLIN, &listener_mark_);
      listener_added_ = true;
    } catch (const std::system_error&) {
    }
    return listener_added_;
  }

  void remove_listener() {
    (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, this->fileno(), nullptr);
  }

  int time_to_wait(std::optional<std::chrono::milliseconds> limit) const {
    if (!todo_.empty()) return 0;
    for (const Connection& connection : connections_) {
      if (!idle_timeout) break;
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(
          connection.last + longest_silence() - Clock::now());
      if (!limit || left < *limit) limit = left;
    }
    return limit ? static_cast<int>(std::clamp<long long>(limit->count(), 0, 1'000'000'000)) : -1;
  }

  // idle_timeout, or as much of it as the clock can count with.
  std::chrono::milliseconds longest_silence() const {
    return std::min<std::chrono::milliseconds>(*idle_timeout, std::chrono::years(100));
  }

  void close_idle() {
    if (!idle_timeout) return;
    for (auto i = connections_.begin(); i != connections_.end();) {
      Connection& connection = *i++;
      if (connection.last + longest_silence() <= Clock::now()) close(connection);
    }
  }

  void serve(Connection& connection) {
    Output& output = connection.output;
    try {
      const bool listens = !connection.at_end && !output.ended();
      if (connection.may_read && listens && output.size() < max_output) receive(connection);
      if (connection.may_write && !output.empty()) send(connection);
    } catch (...) {
      this->report_error(*connection.request);
      return close(connection);
    }
    const bool listens = !connection.at_end && !output.ended();
    if (!listens && output.empty()) return close(connection);
    const bool reads_on = connection.may_read && listens && output.size() < max_output;
    const bool writes_on = connection.may_write && !output.empty();
    if (!reads_on && !writes_on) return;  // the next edge will tell
    todo_.push_back(&connection);
    connection.listed = true;
  }

  void receive(Connection& connection) {
    const ssize_t count =
        ::recv(connection.request->fileno(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (count == -1 && errno == EAGAIN) {
      connection.may_read = false;
      return;
    }
    if (count == -1 && errno == EINTR) return;
    if (count == -1) throw_system_error("recv");
    connection.last = Clock::now();
    connection.at_end = count == 0;
    try {
      if (count == 0) connection.session->ended(connection.output);
      if (count > 0)
        connection.session->received({buffer_.data(), static_cast<std::size_t>(count)},
                                     connection.output);
    } catch (...) {
      this->report_error(*connection.request);
      connection.output.end();
    }
  }

  void send(Connection& connection) {
    const ssize_t count = ::send(connection.request->fileno(), connection.output.unsent().data(),
                                 connection.output.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count == -1 && errno == EAGAIN) {
      pollfd look{connection.request->fileno(), POLLOUT, 0};
      connection.may_write = ::poll(&look, 1, 0) > 0;
      return;
    }
    if (count == -1 && errno == EINTR) return;
    if (count == -1) throw_system_error("send");
    connection.last = Clock::now();
    connection.output.sent(static_cast<std::size_t>(count));
    if (connection.output.empty()) connection.output.release_memory();
  }

  void close(Connection& connection) {
    todo_.remove(&connection);
    this->shutdown_request(*connection.request);
    connections_.erase(connection.place);
  }

  SessionClass session_class_;
  std::unique_ptr<BaseSelector> selector_;
  FileDescriptor epoll_;
  std::list<Connection> connections_;
  std::list<Connection*> todo_;
  bool listener_added_ = false;
  std::thread::id serving_on_;
  bool close_after_turn_ = false;
  std::mutex closing_;
  char listener_mark_ = 0;
  char wake_mark_ = 0;
  std::array<char, 8 * 1024> buffer_;
};

}  // namespace socketserver
