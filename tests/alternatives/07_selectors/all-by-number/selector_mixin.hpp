#pragma once

#include <sys/socket.h>
#include <sys/uio.h>
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
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <type_traits>
#include <unordered_map>
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
    const int fd = request.fileno();
    auto state = std::make_unique<State>(std::move(request));
    state->session = session_class_(state->request.client_address(), *this);
    State& kept = *states_.emplace(fd, std::move(state)).first->second;
    try {
      selector_->register_fd(fd, EVENT_READ);
      touch(kept);
    } catch (...) {
      end(fd);
      throw;
    }
  }

  /// Called when a signal ends the loop: every client gets the answer to what it has sent, and its
  /// end of file. Returns when the last connection is closed.
  void interrupt_requests() override {
    Server::interrupt_requests();
    while (!states_.empty()) this->wait(false, {});
  }

  /// Ends a loop that still runs, then closes every connection and the listener. The second call
  /// does nothing.
  void server_close() override {
    this->BaseServer::server_close();
    while (!states_.empty()) end(states_.begin()->first);
    selector_->close();
    Server::server_close();
  }

 protected:
  /// Waits as BaseServer does, and for the connections, which it serves.
  bool wait(bool for_requests, std::optional<std::chrono::milliseconds> limit) override {
    ask_for_requests(for_requests);
    std::optional<std::chrono::nanoseconds> time = limit;
    if (!deadlines_.empty()) {
      const std::chrono::nanoseconds left =
          deadlines_.begin()->first - std::chrono::steady_clock::now();
      time = time ? std::min(*time, left) : left;
    }
    bool requests = false;
    for (const auto& [key, events] : selector_->select(time)) {
      if (key.fd == this->fileno()) {
        requests = for_requests;
      } else if (key.fd == this->wake_fileno()) {
        this->drain_wake();
      } else {
        work_on(key.fd, events);
      }
    }
    end_the_silent();
    return requests;
  }

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  struct State {
    explicit State(Request its_request) : request(std::move(its_request)) {}
    Request request;
    std::unique_ptr<Session> session;
    Output out;
    bool input_over = false;  // the client's end, or ours
    TimePoint deadline{};
  };

  void ask_for_requests(bool asked) {
    const bool registered = selector_->get_map().find(this->fileno()) != nullptr;
    if (asked == registered) return;
    if (asked) {
      selector_->register_fd(this->fileno(), EVENT_READ);
    } else {
      selector_->unregister(this->fileno());
    }
  }

  void work_on(int fd, Events events) {
    State& state = *states_.at(fd);
    bool alive = false;
    try {
      if (events & EVENT_READ) hear(state);
      if (!state.out.empty()) say(state);
      alive = choose_events(state);
    } catch (...) {
      this->report_error(state.request);
    }
    if (!alive) end(fd);
  }

  void hear(State& state) {
    std::array<char, 8192> bytes;
    iovec where{bytes.data(), std::clamp<std::size_t>(max_output, 1, bytes.size())};
    msghdr message{};
    message.msg_iov = &where;
    message.msg_iovlen = 1;
    const ssize_t count = ::recvmsg(state.request.fileno(), &message, MSG_DONTWAIT);
    if (count < 0) {
      if (errno != EAGAIN && errno != EINTR) throw_system_error("recv");
      return;
    }
    touch(state);
    try {
      if (count == 0) {
        state.request.note_end();
        state.input_over = true;
        state.session->ended(state.out);
      } else {
        state.session->received(std::string_view(bytes.data(), static_cast<std::size_t>(count)),
                                state.out);
      }
    } catch (...) {
      this->report_error(state.request);
      state.input_over = true;  // the answers before are still due
    }
    if (state.out.ended()) state.input_over = true;
  }

  void say(State& state) {
    const std::string_view unsent = state.out.unsent();
    iovec where{const_cast<char*>(unsent.data()), unsent.size()};
    msghdr message{};
    message.msg_iov = &where;
    message.msg_iovlen = 1;
    const ssize_t count = ::sendmsg(state.request.fileno(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0) {
      if (errno != EAGAIN && errno != EINTR) throw_system_error("send");
      return;
    }
    state.out.sent(static_cast<std::size_t>(count));
    touch(state);
    if (state.out.empty()) state.out.release_memory();
  }

  // Returns whether there is anything to wait for.
  bool choose_events(State& state) {
    const Events read = !state.input_over && state.out.size() < max_output ? EVENT_READ : 0;
    const Events write = state.out.empty() ? 0 : EVENT_WRITE;
    if ((read | write) == 0) return false;
    const int fd = state.request.fileno();
    if (selector_->get_key(fd).events != (read | write)) {
      selector_->modify(fd, read | write, nullptr);
    }
    return true;
  }

  // Something has moved.
  void touch(State& state) {
    if (!idle_timeout) return;
    deadlines_.erase({state.deadline, state.request.fileno()});
    state.deadline = std::chrono::steady_clock::now() + *idle_timeout;
    deadlines_.insert({state.deadline, state.request.fileno()});
  }

  void end_the_silent() {
    if (deadlines_.empty()) return;
    const TimePoint now = std::chrono::steady_clock::now();
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
      end(deadlines_.begin()->second);
    }
  }

  // The number is free at the end: nothing may remember it then.
  void end(int fd) {
    auto node = states_.extract(fd);
    State& state = *node.mapped();
    deadlines_.erase({state.deadline, fd});
    if (selector_->get_map().find(fd)) selector_->unregister(fd);
    state.session.reset();
    this->shutdown_request(state.request);
  }

  SessionClass session_class_;
  std::unique_ptr<BaseSelector> selector_;
  std::unordered_map<int, std::unique_ptr<State>> states_;
  std::set<std::pair<TimePoint, int>> deadlines_;  // with an idle_timeout only
};

}  // namespace socketserver
