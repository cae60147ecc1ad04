// An array for poll(2) beside the connections, and sockets made non-blocking; the selector is left
// alone.

#pragma once

#include <sys/socket.h>
#include <socketserver/base_server.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/selectors.hpp>
#include <socketserver/session.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/udp_server.hpp>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
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
    polled_ = {{this->fileno(), POLLIN, 0}, {this->wake_fileno(), POLLIN, 0}};
  }

  void process_request(Request request) override {
    set_nonblocking(request.fileno());
    auto connection =
        std::make_unique<Connection>(Connection{std::move(request), {}, {}, false, Clock::now()});
    try {
      connection->session = session_class_(connection->request.client_address(), *this);
    } catch (...) {
      this->report_error(connection->request);
      return this->shutdown_request(connection->request);
    }
    polled_.push_back({connection->request.fileno(), POLLIN, 0});
    connections_.push_back(std::move(connection));
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
    while (!connections_.empty()) close_at(0);
    Server::server_close();
  }

 protected:
  bool wait(bool for_requests, std::optional<std::chrono::milliseconds> limit) override {
    polled_[0].fd = for_requests ? this->fileno() : -1;
    if (::poll(polled_.data(), static_cast<nfds_t>(polled_.size()), time_to_wait(limit)) == -1) {
      if (errno == EINTR) return false;
      throw_system_error("poll");
    }
    serving_on_ = std::this_thread::get_id();
    const bool new_clients = polled_[0].revents != 0;
    if (polled_[1].revents != 0) this->drain_wake();
    // From the last to the first: closing one moves the last into its place.
    for (std::size_t i = connections_.size(); i-- > 0;) {
      if (polled_[i + 2].revents != 0 && !serve(*connections_[i], polled_[i + 2])) close_at(i);
    }
    if (idle_timeout) {
      for (std::size_t i = connections_.size(); i-- > 0;) {
        if (connections_[i]->last + longest_silence() <= Clock::now()) close_at(i);
      }
    }
    serving_on_ = std::thread::id();
    if (std::exchange(close_after_turn_, false)) SelectorMixIn::server_close();
    return new_clients;
  }

 private:
  using Clock = std::chrono::steady_clock;
  struct Connection {
    Request request;
    std::unique_ptr<Session> session;
    Output output;
    bool at_end;
    Clock::time_point last;
  };

  void finish_conversations() {
    while (!connections_.empty()) (void)wait(false, std::nullopt);
  }

  int time_to_wait(std::optional<std::chrono::milliseconds> limit) const {
    for (const auto& connection : connections_) {
      if (!idle_timeout) break;
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(
          connection->last + longest_silence() - Clock::now());
      if (!limit || left < *limit) limit = left;
    }
    return limit ? static_cast<int>(std::clamp<long long>(limit->count(), 0, INT_MAX)) : -1;
  }

  // idle_timeout, or as much of it as the clock can count with.
  std::chrono::milliseconds longest_silence() const {
    return std::min<std::chrono::milliseconds>(*idle_timeout, std::chrono::years(100));
  }

  // False: it is over.
  bool serve(Connection& connection, pollfd& polled) {
    try {
      Output& output = connection.output;
      if ((polled.events & POLLIN) && (polled.revents & ~POLLOUT)) {
        std::string bytes(20'000, '\0');
        const ssize_t count = ::read(polled.fd, bytes.data(), bytes.size());
        if (count == -1 && errno != EAGAIN && errno != EINTR) throw_system_error("read");
        if (count >= 0) connection.last = Clock::now();
        try {
          if (count > 0)
            connection.session->received(
                std::string_view(bytes).substr(0, static_cast<std::size_t>(count)), output);
          if (count == 0) connection.session->ended(output);
        } catch (...) {
          this->report_error(connection.request);
          output.end();
        }
        connection.at_end = connection.at_end || count == 0;
      }
      if (!output.empty()) {
        const ssize_t count =
            ::send(polled.fd, output.unsent().data(), output.size(), MSG_NOSIGNAL);
        if (count == -1 && errno != EAGAIN && errno != EINTR) throw_system_error("send");
        if (count > 0) {
          output.sent(static_cast<std::size_t>(count));
          connection.last = Clock::now();
        }
      }
      const bool listens = !connection.at_end && !output.ended() && output.size() < max_output;
      polled.events = static_cast<short>((listens ? POLLIN : 0) | (output.empty() ? 0 : POLLOUT));
      return polled.events != 0;
    } catch (...) {
      this->report_error(connection.request);
      return false;
    }
  }

  void close_at(std::size_t i) {
    this->shutdown_request(connections_[i]->request);
    connections_[i] = std::move(connections_.back());
    connections_.pop_back();
    polled_[i + 2] = polled_.back();
    polled_.pop_back();
  }

  SessionClass session_class_;
  std::unique_ptr<BaseSelector> selector_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<pollfd> polled_;  // the listener, the wake pipe, then one for each connection
  std::thread::id serving_on_;
  bool close_after_turn_ = false;
  std::mutex closing_;
};

}  // namespace socketserver
