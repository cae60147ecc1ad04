// ForkingMixIn: a server that serves each request in a process of its own.
// Used by: server.cpp. Built on: common/include/socketserver/child_watch.hpp. See also: fork(2),
// waitpid(2), _exit(2).

#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <socketserver/base_server.hpp>
#include <socketserver/child_watch.hpp>
#include <socketserver/log.hpp>
#include <socketserver/system_call.hpp>
#include <socketserver/tcp_server.hpp>
#include <socketserver/udp_server.hpp>
#include <socketserver/unix_server.hpp>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace socketserver {

/// Serves each request of a `Server` in a process of its own:
/// `ForkingMixIn<TCPServer> server(address, handler_class<EchoHandler>);`
///
/// The handler runs in a child, on a copy of everything that the server has: what it changes is
/// changed there alone. The child serves this one request and ends. Attributes are set before
/// serve_forever(). Not for a program with threads: a child has a copy of every lock, and none of
/// the threads that would unlock them. Python's `socketserver.ForkingMixIn`.
template <class Server>
class ForkingMixIn : public Server {
  static_assert(Server::serves_in_turn,
                "threading and forking cannot be combined: a server has one way to serve its "
                "requests, and this one has its way already");

 public:
  /// A request is served beside the others.
  static constexpr bool serves_in_turn = false;

  /// What `timeout` is at first: so often handle_request() looks after the children although nobody
  /// comes. Python: the same.
  static constexpr std::chrono::seconds default_timeout{300};

  /// As the constructor of `Server`.
  /// @throws std::system_error if the process cannot watch its children
  ForkingMixIn(const Address& server_address, RequestHandlerClass handler_class)
      : Server(server_address, handler_class) {
    // From now on service_actions() is called when a child has ended.
    this->watch(child_watch_.fileno());
    this->timeout = default_timeout;
  }

  /// server_close()
  ~ForkingMixIn() override {
    ForkingMixIn::server_close();
    this->unwatch(child_watch_.fileno());
  }

  /// How many children there are at most; further clients wait their turn. 0: no limit.
  std::size_t max_children = 40;

  /// Whether server_close() waits until the children have ended.
  bool block_on_close = true;

  /// The children that have not been collected yet.
  [[nodiscard]] const std::vector<pid_t>& active_children() const noexcept {
    return active_children_;
  }

  /// Collects the children that have ended since the last call, and calls child_ended() for each.
  /// Children that are not this server's are left alone. Does not block. See waitpid(2).
  void collect_children() {
    if (!child_watch_.drain()) return;
    // One signal can stand for any number of children: ask after each.
    std::erase_if(active_children_, [this](pid_t child) { return collect(child, WNOHANG); });
  }

  /// Whether fewer than max_children run. Does not block.
  bool has_room() override {
    collect_children();
    return max_children == 0 || active_children_.size() < max_children;
  }

  /// Forks, as fork(2) does: returns the child's number in the parent, and 0 in the child.
  ///
  /// The child gives up what is its parent's: the listener, and what wakes the loop. The parent has
  /// one active child more. Whoever calls this in the child ends it by _exit(2), and never returns
  /// into the loop.
  /// @throws std::system_error naming fork if there can be no further process
  pid_t fork_child(const Request& request) {
    const pid_t child = check(::fork(), "fork");
    if (child == 0) {
      leave_all_to_parent(request);
    } else {
      remember(child);
    }
    return child;
  }

  /// Has a child serve the request, which ends with status 0, or with 1 if the handler has thrown.
  /// The parent closes its copy of the connection; the child still uses its own. Does not block. If
  /// there can be no further process, handle_error() is called and the request is shut down.
  void process_request(Request request) override {
    try {
      if (fork_child(request) == 0) serve_and_exit(request);
    } catch (...) {
      this->report_error(request);
      this->shutdown_request(request);
      return;
    }
    this->close_request(request);  // without shutdown: that would end the child's connection, too
  }

  /// Called when a child has been collected, with the status that waitpid(2) gives: says on stderr
  /// how it ended, unless that is exit status 0.
  virtual void child_ended(pid_t child, int status) {
    if (status == 0) return;
    log_error("child " + std::to_string(child) + ": " + describe_exit(status));
  }

  /// collect_children(): serve_forever() calls it when a child has ended.
  void service_actions() override { collect_children(); }

  /// collect_children(): handle_request() calls it when no request has come within `timeout`.
  void handle_timeout() override { collect_children(); }

  /// Passes the signal on: each child's blocked read ends, and its answer still goes out.
  void interrupt_requests() override {
    Server::interrupt_requests();
    for (const pid_t child : active_children_) {
      // -1 would be every process of the user. One that has ended already takes it without harm.
      if (child > 0) (void)::kill(child, SIGTERM);
    }
  }

  /// Ends the loop, closes the listener, and then waits until every child has ended, if
  /// block_on_close.
  void server_close() override {
    Server::server_close();
    if (!block_on_close) return;
    std::erase_if(active_children_, [this](pid_t child) { return collect(child, 0); });
  }

 private:
  // Whoever is in no list is collected by nobody: a child that finds no memory there has to go.
  void remember(pid_t child) {
    try {
      active_children_.push_back(child);
    } catch (...) {
      (void)::kill(child, SIGKILL);
      collect(child, 0);
      throw;
    }
  }

  // Whether the child is no more: collected here, or by somebody else before (ECHILD).
  bool collect(pid_t child, int options) {
    int status = 0;
    pid_t collected = 0;
    do {
      collected = ::waitpid(child, &status, options);
    } while (collected == -1 && errno == EINTR);
    if (collected == child) child_ended(child, status);
    return collected != 0;
  }

  [[noreturn]] void serve_and_exit(Request& request) noexcept {
    int status = 0;
    try {
      this->finish_request(request);
    } catch (...) {
      this->report_error(request);
      status = 1;
    }
    this->shutdown_request(request);
    // Not exit(): what stands in the parent's buffers, and what it does at its end, is the
    // parent's.
    ::_exit(status);
  }

  // What fork has copied, and the child has no business with.
  void leave_all_to_parent(const Request& request) noexcept {
    // As long as one process holds the listener the port is taken. (A datagram is answered on it.)
    if (!request.is_packet()) this->socket_.reset();
    this->leave_loop_to_parent();
    child_watch_.leave_to_parent();
    active_children_.clear();
  }

  ChildWatch child_watch_;
  std::vector<pid_t> active_children_;  // in one piece: a child forgets it without touching it
};

/// A TCP server that serves each connection in a process of its own.
using ForkingTCPServer = ForkingMixIn<TCPServer>;
/// A UDP server that serves each datagram in a process of its own.
using ForkingUDPServer = ForkingMixIn<UDPServer>;
/// A Unix stream server that serves each connection in a process of its own.
using ForkingUnixStreamServer = ForkingMixIn<UnixStreamServer>;
/// A Unix datagram server that serves each datagram in a process of its own.
using ForkingUnixDatagramServer = ForkingMixIn<UnixDatagramServer>;

}  // namespace socketserver
