#pragma once

#include <socketserver/request.hpp>

#include <memory>

namespace socketserver {

class BaseServer;

/// What a service does with one request: derive, and override handle().
///
/// The server makes one handler for each request and calls `setup(); handle(); finish();` on the thread
/// (or in the process) that serves the request. finish() is called even if handle() threw, and is
/// skipped only if setup() did. Python's `BaseRequestHandler`, with one difference: there the
/// constructor makes the three calls, which in C++ would not reach the derived class.
class BaseRequestHandler {
 public:
  /// Keeps references to both, which outlive the handler.
  BaseRequestHandler(Request& request, BaseServer& server) noexcept
      : request_(request), server_(server) {
    request.served_ = true;
  }
  BaseRequestHandler(const BaseRequestHandler&) = delete;
  BaseRequestHandler& operator=(const BaseRequestHandler&) = delete;
  virtual ~BaseRequestHandler() = default;

  /// Prepares what handle() uses. Does nothing here.
  virtual void setup() {}

  /// Serves the request. May block, and may throw: the exception ends this request alone.
  virtual void handle() = 0;

  /// Completes what handle() began. Does nothing here.
  virtual void finish() {}

  /// The request that is served.
  [[nodiscard]] Request& request() noexcept { return request_; }
  /// Who asks. Python's `client_address`.
  [[nodiscard]] const Address& client_address() const noexcept { return request_.client_address(); }
  /// The server that the request came to.
  [[nodiscard]] BaseServer& server() noexcept { return server_; }
  /// Whether handle() has returned, and not thrown: for a finish() that must know.
  [[nodiscard]] bool handled() const noexcept { return handled_; }

 private:
  friend class BaseServer;
  Request& request_;
  BaseServer& server_;
  bool handled_ = false;
};

/// How a server makes a handler for a request: Python's `RequestHandlerClass`.
using RequestHandlerClass = std::unique_ptr<BaseRequestHandler> (*)(Request& request,
                                                                    BaseServer& server);

/// The class `Handler` as a value that a server's constructor takes:
/// `TCPServer server(address, handler_class<EchoHandler>);`
template <class Handler>
inline constexpr RequestHandlerClass handler_class =
    [](Request& request, BaseServer& server) -> std::unique_ptr<BaseRequestHandler> {
  return std::make_unique<Handler>(request, server);
};

}  // namespace socketserver
