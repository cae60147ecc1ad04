#pragma once

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
    selector_->register_fd(this->wake_fileno(), EVENT_READ, &wake_source_);
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
};

}  // namespace socketserver
