#pragma once

#include <socketserver/address.hpp>
#include <socketserver/request.hpp>
#include <socketserver/request_handler.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

namespace socketserver {

/// The part of a server that is the same for every transport: the loop, and the order of the hooks.
///
///     +------------+
///     | BaseServer |
///     +------------+
///           |
///           v
///     +-----------+        +------------------+
///     | TCPServer |------->| UnixStreamServer |
///     +-----------+        +------------------+
///           |
///           v
///     +-----------+        +--------------------+
///     | UDPServer |------->| UnixDatagramServer |
///     +-----------+        +--------------------+
///
/// A server is constructed, bound, and run:
///
///     TCPServer server(Address::inet("127.0.0.1", 9999), handler_class<EchoHandler>);
///     server.bind_and_activate();
///     server.serve_forever();
///
/// For each request the loop calls `get_request()`, `verify_request()` and `process_request()`;
/// that calls `finish_request()`, which makes a handler and lets it work, and then
/// `shutdown_request()`, which ends in `close_request()`. Each decision is one virtual function:
/// a transport overrides the first and the last ones, a mix-in overrides `process_request()`.
///
/// Attributes are set between the constructor and bind_and_activate(). Unless a function says
/// otherwise it is called on the thread of the loop. Source: Python's `socketserver.BaseServer`.
class BaseServer {
 public:
  /// How long the loop leaves its listener alone after get_request() failed, for example because
  /// the process has no descriptor left: the listener stays readable, and asking again at once
  /// would spin.
  static constexpr std::chrono::milliseconds pause_after_failure{50};

  /// How many requests are taken after one readiness before everything else has its turn.
  static constexpr int max_requests_per_turn = 64;

  /// Whether requests are served one after the other, in the loop. A mix-in that serves them in
  /// another way says `false`: a server has one way alone.
  static constexpr bool serves_in_turn = true;

  /// Stores both; opens no socket.
  BaseServer(const Address& server_address, RequestHandlerClass handler_class);
  BaseServer(const BaseServer&) = delete;
  BaseServer& operator=(const BaseServer&) = delete;

  /// A class that overrides a hook which the loop may still call closes itself in its own
  /// destructor: here, the derived part is gone already.
  virtual ~BaseServer();

  /// Waits at most so long for a request in handle_request(); no value: for ever. serve_forever()
  /// does not look at it.
  std::optional<std::chrono::milliseconds> timeout;

  /// How long a signal that ends the program leaves to the requests under way (EndOnSignals). What
  /// has not ended by then is cut off: its client gets no more, and a handler that waits for that
  /// client is told so. No value: as long as they want.
  std::optional<std::chrono::milliseconds> grace = std::chrono::seconds(5);

  // ---- for the one who runs a server -----------------------------------------------------------

  /// Calls server_bind() and server_activate(). If either throws, closes what was opened and
  /// passes the exception on.
  void bind_and_activate();

  /// Serves requests until shutdown() is called. Blocks.
  ///
  /// Returns at once if shutdown() was called before a first serve_forever(). After it has ended
  /// it may be called again. Where there is no memory for its waiting, it tries again after
  /// pause_after_failure.
  /// @param poll_interval  how often service_actions() is called while nothing comes; no value: not
  ///                       at all, and the loop sleeps until something does. Python: 0.5 s, which
  ///                       it also needs to notice shutdown().
  /// @throws std::logic_error if the server has no socket: bind_and_activate() comes first
  /// @throws std::system_error if the loop itself cannot wait; interrupt_requests() is called
  ///         before. What hooks and handlers throw goes to handle_error() instead.
  void serve_forever(std::optional<std::chrono::milliseconds> poll_interval = std::nullopt);

  /// Waits for one request, for at most `timeout`, and serves it. Blocks.
  ///
  /// Calls handle_timeout() if none has come. Never calls service_actions().
  /// @returns whether there was a request (one that was denied counts); false at once if a signal
  ///          has ended the program (EndOnSignals)
  /// @throws std::logic_error if the server has no socket: bind_and_activate() comes first
  virtual bool handle_request();

  /// Ends serve_forever(): no further request is taken, the one being served is served to its end,
  /// and then the loop returns. Wakes it at once.
  ///
  /// Callable from any thread. Waits until the loop has ended, but not when it is called on the
  /// loop's own thread (there that would be a deadlock). Before the first serve_forever() it makes
  /// that one return at once; after the loop has ended it does nothing.
  void shutdown();

  /// Ends a loop that still runs, as shutdown() does. Derived classes call this first, then close
  /// their socket. Callable more than once.
  virtual void server_close();

  /// Adds `fd` to what serve_forever() waits for: when it is readable, service_actions() is called,
  /// which must read what has come (the loop is level-triggered). handle_request() looks at it only
  /// while has_room() says no, and a mix-in that overrides wait() waits in its own way. Not owned.
  /// Call it before the loop, or on its thread.
  void watch(int fd);

  /// Takes `fd` out again. Call it before closing `fd`.
  void unwatch(int fd);

  // ---- what a transport says -------------------------------------------------------------------

  /// The listening socket, or -1 when there is none. Callable from any thread.
  [[nodiscard]] virtual int fileno() const noexcept = 0;

  /// Opens the socket and binds it to server_address(); sets the address it got.
  virtual void server_bind() = 0;

  /// Makes the bound socket ready for requests.
  virtual void server_activate() {}

  /// Takes the next request, without blocking.
  ///
  /// @returns no value if there is none after all: the client has gone again, or another was faster
  /// @throws std::system_error if it cannot be taken; the loop says so on stderr, pauses, goes on
  [[nodiscard]] virtual std::optional<Request> get_request() = 0;

  /// Tells the client that no more will come, then calls close_request(). Does not throw: the
  /// client may have gone, which is no error.
  virtual void shutdown_request(Request& request) { close_request(request); }

  /// Gives back what the request holds here. Does not throw.
  virtual void close_request(Request& request) { request.close(); }

  // ---- hooks -----------------------------------------------------------------------------------

  /// Whether the request is to be served; otherwise it is shut down unserved.
  virtual bool verify_request([[maybe_unused]] const Request& request) { return true; }

  /// Whether one more request may be taken now. While there is no room the listener is left alone,
  /// and the next client waits in the kernel's queue. Asked before each request, and again when a
  /// watched descriptor becomes readable or wake() is called.
  virtual bool has_room() { return true; }

  /// Serves the request: here, before it returns. A mix-in overrides this to serve it elsewhere.
  ///
  /// Owns the request: sees to it that finish_request() is called, that what it throws goes to
  /// handle_error(), and that the request is shut down.
  virtual void process_request(Request request);

  /// Makes a handler for the request and lets it work. Callable from any thread.
  /// Blocks as long as the handler does; throws what the handler throws.
  virtual void finish_request(Request& request);

  /// Called in a `catch` block with what a request has thrown: prints one line on stderr,
  /// "Exception occurred during processing of request from ADDRESS: …". What an override throws is
  /// reported and goes no further. Called on the thread that served the request.
  /// @param request  not shut down yet; one that process_request() has thrown away with its
  ///                 exception is closed already (fileno() is -1), and still has its address
  virtual void handle_error(const Request& request);

  /// Called by handle_request() when no request has come within `timeout`.
  virtual void handle_timeout() {}

  /// Called by serve_forever() once a turn, and after each request: for chores. See poll_interval.
  virtual void service_actions() {}

  /// Called on the loop's thread when a signal ends the program, or the loop fails: every
  /// connection under way gets `shutdown(fd, SHUT_RD)`. A handler's blocked recv returns what has
  /// come, then 0, and its answer still goes out.
  virtual void interrupt_requests();

  // ---- what is known ---------------------------------------------------------------------------

  /// The address asked for and, once bound, the address that the socket has (port 0 resolved).
  [[nodiscard]] const Address& server_address() const noexcept { return server_address_; }

 protected:
  /// For server_bind(): the address that the socket has got.
  void set_server_address(const Address& address) noexcept { server_address_ = address; }

  /// The requests that have been taken and not closed yet: for a ServerSocket.
  [[nodiscard]] RequestsUnderWay& under_way() noexcept;

  // ---- for a mix-in that serves requests elsewhere: in threads, in processes --------------------

  /// handle_error(), where an exception of its own must not escape. Called in a `catch` block.
  void report_error(const Request& request) noexcept;

  /// Makes a loop that waits look around: has_room() is asked again. Callable from any thread and
  /// in a signal handler.
  void wake() noexcept;

  /// Closes the copies of what wakes the parent's loop: in a forked child, which never goes back
  /// into it.
  void leave_loop_to_parent() noexcept;

  // ---- for a mix-in that waits in its own way: with a selector, for its connections too --------
  //
  //     serve_forever():       until shutdown() or a signal:
  //         wait()                 for requests, for wake_fileno(), for what is watched
  //         for each request:      get_request(), verify_request(), process_request()
  //         service_actions()

  /// Waits until a request is there or something else wants the loop's attention, and for at most
  /// `limit` (no value: for ever). May return sooner.
  ///
  /// An override waits for wake_fileno() as well, and calls drain_wake() when that is ready; and
  /// for what is its own, which it serves.
  /// @param for_requests  whether to wait for fileno(). If not, clients may stand in its queue, and
  ///                      it is readable all the time: there is no room, a request could not be
  ///                      taken a moment ago, or the loop ends.
  /// @returns whether fileno() is ready, and was asked for
  /// @throws std::system_error if it cannot wait; see patiently()
  virtual bool wait(bool for_requests, std::optional<std::chrono::milliseconds> limit);

  /// Calls `step`, in which wait() is called. Want of memory (EAGAIN, ENOMEM, std::bad_alloc)
  /// passes: stderr says so, and after pause_after_failure this returns `false`. The loop calls its
  /// turns and interrupt_requests() so. @throws what else `step` throws
  bool patiently(const std::function<void()>& step);

  /// A descriptor that is readable when the loop has to look around: whether to end, whether there
  /// is room.
  [[nodiscard]] int wake_fileno() const noexcept;

  /// Reads away what has made wake_fileno() readable.
  void drain_wake() noexcept;

 private:
  friend class EndOnSignals;
  struct Loop;
  enum class Taken { none, taken, failed };
  void require_socket(const char* call) const;
  void turn();
  void interrupt_after_failure() noexcept;
  bool pause_for_want_of_memory(int error);
  [[nodiscard]] bool ending() const noexcept;
  [[nodiscard]] bool signalled() const noexcept;
  bool ask_for_room() noexcept;
  bool take_requests() noexcept;
  Taken take_request() noexcept;
  void do_service_actions() noexcept;

  Address server_address_;
  RequestHandlerClass handler_class_;
  std::unique_ptr<Loop> loop_;
};

}  // namespace socketserver
