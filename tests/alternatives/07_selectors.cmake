# Right answers to lesson 07, written differently: every step must accept them. The form of an answer:
# tests/cmake/mutants.cmake. A file of which little remains stands whole in 07_selectors/.

kit_answer(
  NAME all-by-number
  SENTENCE "Everything is found by its descriptor, and what is idle by a set of deadlines."
  FILE epoll_selector.hpp
  REPLACE [[#include <vector>
]]
  WITH [[]]
  REPLACE [[  // A turn's worth; what is ready beyond them comes with the next: the kernel takes turns.]]
  THROUGH [[  std::vector<Ready> ready_;]]
  WITH [[  FileDescriptor epoll_;
  // So many are told at a time; the kernel goes on with the others at the next call.
  static constexpr int most_at_once = 256;
  std::array<epoll_event, most_at_once> happened_{};
  std::array<Ready, most_at_once> ready_{};]]
  WHOLE epoll_selector.cpp
  FILE selector_mixin.hpp
  REPLACE [[#include <socketserver/base_server.hpp>]]
  THROUGH [[#include <type_traits>]]
  WITH [[#include <sys/uio.h>
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
#include <unordered_map>]]
  REPLACE [[    Connection& connection = connections_.emplace_back(std::move(request));]]
  THROUGH [[  Output shared_memory_;                // for answers, by turns
};]]
  WITH [[    const int fd = request.fileno();
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
};]])

kit_answer(
  NAME client-of-two-threads
  SENTENCE "The client has a thread for each direction: neither waits for the other."
  WHOLE client.cpp)

kit_answer(
  NAME coroutines
  SENTENCE "Each connection is a coroutine: it reads as if it blocked, and the loop resumes it."
  FILE selector_mixin.hpp
  REPLACE [[#pragma once]]
  THROUGH [[#include <string>]]
  WITH [[// A coroutine for each connection: it reads as if it blocked, and the loop resumes it when it is
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
#include <span>]]
  REPLACE [[  /// Activates the server, and registers what the loop waits for.]]
  THROUGH [[  /// Makes the connection one of those that the loop serves, and returns at once.]]
  WITH [[  void server_activate() override {
    Server::server_activate();
    selector_->register_fd(this->fileno(), EVENT_READ);
    selector_->register_fd(this->wake_fileno(), EVENT_READ);
  }
]]
  REPLACE [[      selector_->register_fd(connection.request.fileno(), EVENT_READ, &connection);]]
  THROUGH [[  /// turn first.]]
  WITH [[      connection.last = Clock::now();
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
]]
  REPLACE [[    while (!leaving_.empty()) close(leaving_.front());]]
  THROUGH [[    close_idle();]]
  WITH [[    forget(this->fileno());
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
    }]]
  REPLACE [[  // What is known of a client between two events.]]
  THROUGH [[  Output shared_memory_;                // for answers, by turns
};]]
  WITH [[  struct Task {
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
};]])

kit_answer(
  NAME edge-triggered
  SENTENCE "Edge-triggered: what is ready stands in a list until EAGAIN has been seen; one read a turn."
  FILE selector_mixin.hpp
  REPLACE [[#pragma once]]
  THROUGH [[#include <utility>]]
  WITH [[// Edge-triggered done right: what is ready stands in a list until EAGAIN has been seen; one read a
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
#include <vector>]]
  REPLACE [[  /// Activates the server, and registers what the loop waits for.]]
  THROUGH [[  /// turn first.]]
  WITH [[  void server_activate() override {
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
]]
  REPLACE [[    while (!leaving_.empty()) close(leaving_.front());]]
  THROUGH [[      }
    }]]
  WITH [[    Server::server_close();
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
    }]]
  REPLACE [[

  // What is known of a client between two events.]]
  THROUGH [[  Output shared_memory_;                // for answers, by turns
};]]
  WITH [[  struct Connection {
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
};]])

kit_answer(
  NAME epoll-pwait2
  SENTENCE "The selector waits in epoll_pwait2(), whose timeout has nanoseconds."
  FILE epoll_selector.cpp
  REPLACE [[  do {  // again after a signal, or if the time was longer than one wait can be: 24 days
    count = ::epoll_wait(epoll_.get(), events_.data(), most_events, countdown.milliseconds());
  } while ((count == -1 && errno == EINTR) || (count == 0 && countdown.milliseconds() != 0));]]
  WITH [[  do {
    const auto left = countdown.left();  // to the nanosecond
    timespec limit{};
    if (left) limit = {left->count() / 1'000'000'000, left->count() % 1'000'000'000};
    count =
        ::epoll_pwait2(epoll_.get(), events_.data(), most_events, left ? &limit : nullptr, nullptr);
  } while (count == -1 && errno == EINTR);  // a signal: wait for the rest of the time]])

kit_answer(
  NAME objects-that-are-ready
  SENTENCE "Listener, wake pipe and clients are objects with a virtual ready(); no socket blocks."
  FILE selector_mixin.hpp
  REPLACE [[

#include <sys/socket.h>]]
  THROUGH [[#include <utility>]]
  WITH [[

// Differs: listener, wake pipe and client are objects with a virtual ready(); the sockets never
// block.

#include <sys/socket.h>
#include <socketserver/base_server.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/selectors.hpp>
#include <socketserver/session.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/udp_server.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>]]
  REPLACE [[    selector_->register_fd(this->fileno(), EVENT_READ);
    selector_->register_fd(this->wake_fileno(), EVENT_READ);]]
  THROUGH [[  Output shared_memory_;                // for answers, by turns
};]]
  WITH [==[    selector_->register_fd(this->wake_fileno(), EVENT_READ, &wake_source_);
  }

  /// Makes the connection one of those that the loop serves, and returns at once.
  void process_request(Request request) override {
    set_nonblocking(request.fileno());
    auto fresh = std::make_unique<Client>(*this, std::move(request));
    Client* const client = fresh.get();
    clients_.emplace(client, std::move(fresh));
    try {
      selector_->register_fd(client->fd(), EVENT_READ, static_cast<Source*>(client));
      client->move_deadline();
    } catch (...) {
      drop(*client);
      throw;
    }
  }

  /// Called when a signal ends the loop: every client gets the answer to what it has sent, and its
  /// end of file. Returns when the last connection is closed.
  void interrupt_requests() override {
    Server::interrupt_requests();
    while (!clients_.empty()) wait(false, std::nullopt);
  }

  /// Ends a loop that still runs, then closes every connection and the listener. The second call
  /// does nothing.
  void server_close() override {
    this->BaseServer::server_close();
    while (!clients_.empty()) drop(*clients_.begin()->first);
    selector_->close();
    Server::server_close();
  }

 protected:
  /// Waits as BaseServer does, and for the connections, which it serves.
  bool wait(bool for_requests, std::optional<std::chrono::milliseconds> limit) override {
    const bool listens = selector_->get_map().find(this->fileno()) != nullptr;
    if (for_requests && !listens) {
      selector_->register_fd(this->fileno(), EVENT_READ, &listener_source_);
    } else if (listens && !for_requests) {
      selector_->unregister(this->fileno());
    }
    BaseSelector::Timeout time;
    if (limit) time = *limit;
    if (!due_.empty()) {
      const auto left = due_.begin()->first - Clock::now();
      if (!time || left < *time) time = left;
    }
    requests_ = false;
    for (const Ready& each : selector_->select(time)) {
      static_cast<Source*>(each.key.data)->ready(each.events);
    }
    for (const auto now = Clock::now(); !due_.empty() && due_.begin()->first <= now;) {
      drop(*due_.begin()->second);
    }
    return requests_;
  }

 private:
  using Clock = std::chrono::steady_clock;
  class Client;
  using Due = std::multimap<Clock::time_point, Client*>;

  // Whatever a selector may tell of.
  class Source {
   public:
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    virtual ~Source() = default;
    virtual void ready(Events events) = 0;
  };

  class Listener final : public Source {
   public:
    explicit Listener(SelectorMixIn& server) : server_(server) {}
    void ready(Events) override { server_.requests_ = true; }

   private:
    SelectorMixIn& server_;
  };

  class Wake final : public Source {
   public:
    explicit Wake(SelectorMixIn& server) : server_(server) {}
    void ready(Events) override { server_.drain_wake(); }

   private:
    SelectorMixIn& server_;
  };

  // One connection. Its descriptor is non-blocking.
  class Client final : public Source {
   public:
    Client(SelectorMixIn& server, Request&& request)
        : server_(server),
          request_(std::move(request)),
          session_(server.session_class_(request_.client_address(), server)),
          due_(server.due_.end()) {}
    ~Client() override {
      if (due_ != server_.due_.end()) server_.due_.erase(due_);
    }

    [[nodiscard]] int fd() const noexcept { return request_.fileno(); }

    void ready(Events events) override {
      try {
        if (phase_ == Phase::goodbye) {
          if (request_.read_away_now()) phase_ = Phase::over;
        } else {
          if ((events & EVENT_READ) != 0) read();
          write();
          go_on();
        }
      } catch (...) {
        server_.report_error(request_);
        phase_ = Phase::over;
      }
      if (phase_ == Phase::over) server_.drop(*this);  // which deletes this
    }

    // Its key, its session, its descriptor.
    void close() {
      if (server_.selector_->get_map().find(fd()) != nullptr) server_.selector_->unregister(fd());
      session_.reset();
      server_.shutdown_request(request_);
    }

    // For a client that talks or reads: from now on. For one that is to go: once.
    void move_deadline() {
      if (phase_ == Phase::goodbye) {
        set_deadline(Request::longest_goodbye);
      } else if (server_.idle_timeout) {
        set_deadline(*server_.idle_timeout);
      }
    }

   private:
    enum class Phase { talk, answer_only, goodbye, over };

    void set_deadline(std::chrono::milliseconds time) {
      const auto fresh = server_.due_.emplace(Clock::now() + time, this);
      if (due_ != server_.due_.end()) server_.due_.erase(due_);
      due_ = fresh;
    }

    void read() {
      if (phase_ != Phase::talk) return;
      std::vector<char>& bytes = server_.bytes_;
      const std::size_t free = server_.max_output > output_.size()
                                   ? server_.max_output - output_.size()
                                   : std::size_t{1};
      const ssize_t count = ::recv(fd(), bytes.data(), std::min(bytes.size(), free), 0);
      if (count == -1 && (errno == EAGAIN || errno == EINTR)) return;
      if (count == -1) throw_system_error("recv");
      move_deadline();
      try {
        if (count == 0) {
          client_has_ended_ = true;
          request_.note_end();
          phase_ = Phase::answer_only;
          session_->ended(output_);
        } else {
          session_->received({bytes.data(), static_cast<std::size_t>(count)}, output_);
        }
      } catch (...) {
        server_.report_error(request_);
        output_.end();
      }
      if (output_.ended()) phase_ = Phase::answer_only;
    }

    void write() {
      if (output_.empty()) return;
      const ssize_t count = ::send(fd(), output_.unsent().data(), output_.size(), MSG_NOSIGNAL);
      if (count >= 0) {
        output_.sent(static_cast<std::size_t>(count));
        if (output_.empty()) output_.release_memory();
        move_deadline();
      } else if (errno != EAGAIN && errno != EINTR) {
        throw_system_error("send");
      }
    }

    void go_on() {
      Events events = output_.empty() ? 0 : EVENT_WRITE;
      if (phase_ == Phase::talk && output_.size() < server_.max_output) events |= EVENT_READ;
      if (events == 0) {
        if (client_has_ended_) {
          phase_ = Phase::over;
          return;
        }
        (void)::shutdown(fd(), SHUT_WR);  // ENOTCONN: read_away_now() sees that too
        if (request_.read_away_now()) {
          phase_ = Phase::over;
          return;
        }
        phase_ = Phase::goodbye;
        move_deadline();
        events = EVENT_READ;
      }
      server_.selector_->modify(fd(), events, static_cast<Source*>(this));
    }

    SelectorMixIn& server_;
    Request request_;
    std::unique_ptr<Session> session_;
    Output output_;
    Phase phase_ = Phase::talk;
    bool client_has_ended_ = false;
    typename Due::iterator due_;
  };

  void drop(Client& client) {
    client.close();
    clients_.erase(&client);
  }

  SessionClass session_class_;
  std::unique_ptr<BaseSelector> selector_;
  bool requests_ = false;
  Listener listener_source_{*this};
  Wake wake_source_{*this};
  std::vector<char> bytes_ = std::vector<char>(16 * 1024);  // what is being received, of anybody
  Due due_;                                                 // outlives its clients
  std::unordered_map<Client*, std::unique_ptr<Client>> clients_;
};]==])

kit_answer(
  NAME poll-array
  SENTENCE "An array for poll(2) stands beside the connections; the selector is left alone."
  FILE selector_mixin.hpp
  REPLACE [[#pragma once]]
  THROUGH [[#include <utility>]]
  WITH [[// An array for poll(2) beside the connections, and sockets made non-blocking; the selector is left
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
#include <vector>]]
  REPLACE [[  /// Activates the server, and registers what the loop waits for.]]
  THROUGH [[  /// turn first.]]
  WITH [[  void server_activate() override {
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
]]
  REPLACE [[    while (!connections_.empty()) close(connections_.front());]]
  THROUGH [[    close_idle();]]
  WITH [[    while (!connections_.empty()) close_at(0);
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
    }]]
  REPLACE [[

  // What is known of a client between two events.]]
  THROUGH [[  Output shared_memory_;                // for answers, by turns
};]]
  WITH [[  struct Connection {
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
};]])

kit_answer(
  NAME ring-buffer
  SENTENCE "What a client does not take waits in a ring, and is sent by one sendmsg()."
  FILE selector_mixin.hpp
  REPLACE [[#include <sys/socket.h>]]
  WITH [[#include <sys/socket.h>
#include <sys/uio.h>]]
  REPLACE [[#include <chrono>]]
  WITH [[#include <chrono>
#include <cstring>]]
  REPLACE [[#include <utility>]]
  WITH [[#include <utility>
#include <vector>]]
  REPLACE [[    Output output;]]
  WITH [[    Output output;           // what the session has just said
    std::vector<char> ring;  // and what of it was not taken: `size` bytes from `begin` on
    std::size_t begin = 0;
    std::size_t size = 0;]]
  REPLACE [[      // The memory that an answer is made in is lent: a client keeps only what it does not take.
]]
  THROUGH [[        lent ? connection.output.swap_bytes(shared_memory_) : connection.output.release_memory();
      }]]
  WITH [[      bool moved = (events & EVENT_READ) && receive(connection);
      keep(connection);
      moved |= send(connection);]]
  REPLACE [[  // What the socket does not take now stays in the output, and goes when there is room again.
]]
  THROUGH [[    connection.output.sent(static_cast<std::size_t>(count));]]
  WITH [[  void keep(Connection& connection) {
    const std::string_view bytes = connection.output.unsent();
    if (connection.size + bytes.size() > connection.ring.size()) grow(connection, bytes.size());
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t end = (connection.begin + connection.size) % connection.ring.size();
      const std::size_t count = std::min(bytes.size() - at, connection.ring.size() - end);
      std::memcpy(&connection.ring[end], bytes.data() + at, count);
      connection.size += count;
      at += count;
    }
    connection.output.sent(bytes.size());
    connection.output.release_memory();
  }

  void grow(Connection& connection, std::size_t more) {
    std::vector<char> larger(2 * (connection.size + more));
    for (std::size_t i = 0; i < connection.size; ++i) {
      larger[i] = connection.ring[(connection.begin + i) % connection.ring.size()];
    }
    connection.ring.swap(larger);
    connection.begin = 0;
  }

  bool send(Connection& connection) {
    if (connection.size == 0) return false;
    const std::size_t first = std::min(connection.size, connection.ring.size() - connection.begin);
    iovec parts[2] = {{&connection.ring[connection.begin], first},
                      {connection.ring.data(), connection.size - first}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = first < connection.size ? 2 : 1;
    const ssize_t count =
        ::sendmsg(connection.request.fileno(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count == -1) {
      if (errno == EAGAIN || errno == EINTR) return false;
      throw_system_error("sendmsg");
    }
    connection.size -= static_cast<std::size_t>(count);
    connection.begin =
        (connection.begin + static_cast<std::size_t>(count)) % connection.ring.size();
    if (connection.size == 0) {
      std::vector<char>().swap(connection.ring);
      connection.begin = 0;
    }]]
  REPLACE [[    const Output& output = connection.output;]]
  THROUGH [[    if (!output.empty()) events |= EVENT_WRITE;]]
  WITH [[    const bool listens = !connection.at_end && !connection.output.ended();
    Events events = 0;
    if (listens && connection.size < max_output) events |= EVENT_READ;
    if (connection.size > 0) events |= EVENT_WRITE;]]
  REPLACE [[    if (connection.at_end && connection.output.empty()) return close(connection);]]
  WITH [[    if (connection.at_end && connection.size == 0) return close(connection);]]
  REPLACE [[    if (connection.at_end && connection.output.empty()) {]]
  WITH [[    if (connection.at_end && connection.size == 0) {]]
  REPLACE [[  Output shared_memory_;                // for answers, by turns
]]
  WITH [[]])

kit_answer(
  NAME sixteen-events-and-poll
  SENTENCE "Sixteen events a call, each with the number of its registration; the client uses poll()."
  FILE epoll_selector.hpp
  REPLACE [[#include <array>]]
  WITH [[#include <cstdint>]]
  REPLACE [[  // A turn's worth; what is ready beyond them comes with the next: the kernel takes turns.]]
  THROUGH [[  std::array<epoll_event, most_events> events_;]]
  WITH [[  static constexpr int most_events = 16;

  FileDescriptor epoll_;
  std::vector<std::uint32_t> numbers_;  // of each descriptor's registration
  std::uint32_t last_number_ = 0;]]
  WHOLE client.cpp
  WHOLE epoll_selector.cpp)

kit_answer(
  NAME timers-in-a-heap
  SENTENCE "Idle deadlines stand in a heap; one that is out of date is corrected when it comes up."
  FILE selector_mixin.hpp
  REPLACE [[#include <chrono>]]
  WITH [[#include <chrono>
#include <cstdint>
#include <functional>]]
  REPLACE [[#include <optional>]]
  WITH [[#include <optional>
#include <queue>]]
  REPLACE [[#include <utility>]]
  WITH [[#include <unordered_map>
#include <utility>
#include <vector>]]
  REPLACE [[    Clock::time_point last_moved{};]]
  WITH [[    Clock::time_point last_moved{};
    std::uint64_t number = 0;]]
  REPLACE [[  // Until the next thing that only the clock will tell, and not longer than `limit`.]]
  THROUGH [[    }]]
  WITH [[  void close_idle() {
    const Clock::time_point now = Clock::now();
    while (!due_.empty() && due_.top().time <= now) {
      const Due due = due_.top();
      due_.pop();
      const auto found = by_number_.find(due.number);
      if (found == by_number_.end() || found->second->leaving) continue;
      const Clock::time_point end = found->second->last_moved + longest_silence();
      if (end > now) {
        due_.push({end, due.number});
      } else {
        leave(*found->second);
      }
    }
    while (!leaving_.empty() && leaving_.front().last_moved <= now - Request::longest_goodbye) {
      close(leaving_.front());
    }
  }

  // Until the next thing that only the clock will tell, and not longer than `limit`.
  BaseSelector::Timeout time_to_wait(std::optional<std::chrono::milliseconds> limit) const {
    std::optional<Clock::time_point> next;
    if (!due_.empty()) next = due_.top().time;]]
  REPLACE [[  void close_idle() {
    if (!idle_timeout && leaving_.empty()) return;
]]
  THROUGH [[      close(leaving_.front());
    }
  }

]]
  WITH [[]]
  REPLACE [[  // All have the same timeout: in the order of their last movement, the first one is due first.
]]
  WITH [[]]
  REPLACE [[    connections_.splice(connections_.end(), connections_, connection.place);]]
  WITH [[    if (connection.number != 0) return;
    connection.number = ++last_number_;
    by_number_[connection.number] = &connection;
    due_.push({connection.last_moved + longest_silence(), connection.number});]]
  REPLACE [[    (connection.leaving ? leaving_ : connections_).erase(connection.place);]]
  WITH [[    by_number_.erase(connection.number);
    (connection.leaving ? leaving_ : connections_).erase(connection.place);]]
  REPLACE [[  SessionClass session_class_;
  std::unique_ptr<BaseSelector> selector_;]]
  WITH [[  struct Due {
    Clock::time_point time;
    std::uint64_t number;
    friend bool operator>(const Due& a, const Due& b) { return a.time > b.time; }
  };

  SessionClass session_class_;
  std::unique_ptr<BaseSelector> selector_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::unordered_map<std::uint64_t, Connection*> by_number_;
  std::uint64_t last_number_ = 0;]])
