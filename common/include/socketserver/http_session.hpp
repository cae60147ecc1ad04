#pragma once

#include <socketserver/address.hpp>
#include <socketserver/http_body.hpp>
#include <socketserver/http_message.hpp>
#include <socketserver/http_response.hpp>
#include <socketserver/session.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace socketserver {

/// The HTTP service without a thread: what BaseHTTPRequestHandler keeps on its stack while it waits
/// stands here in members. For SelectorMixIn<HTTPServer>.
///
/// Derive, and override answer(). What the client sends is taken apart by the same HeadParser and
/// BodyDecoder; files are sent piece by piece, as fast as the client reads, and the next request is
/// looked at when the answer before it has gone, but for what Output::enough says. The server's
/// `max_output` ought to be that, too: then what a client asks meanwhile stays in its socket.
/// Python has none.
class HttpSession : public Session, private Source {
 public:
  /// @param client_address  outlives the session
  /// @param limits          outlives the session
  HttpSession(const Address& client_address, const HttpLimits& limits) noexcept
      : client_address_(client_address), limits_(limits), parser_(limits) {}

  /// What the server calls itself.
  std::string_view server_version = "socketserver/1.0";

  /// How long a head may take from its first line to its last; no value: as long as the client
  /// likes. Looked at when something comes: who says nothing more is idle, see SelectorMixIn.
  std::optional<std::chrono::milliseconds> head_timeout;

  /// Whether a connection may have more than one request.
  bool keeps_connections = true;

  void received(std::string_view bytes, Output& out) override;

  /// Whether answer() wants the content. If not, it is called at once, and a request that has
  /// content ends its connection.
  [[nodiscard]] virtual bool wants_content([[maybe_unused]] const RequestHead& head) {
    return false;
  }

  /// The answer to a request. Must not block.
  [[nodiscard]] virtual HttpResponse answer(const RequestHead& head, std::string content) = 0;

  /// Says in one line on stdout what was asked and answered.
  virtual void log_request(const RequestHead& head, int status);

 private:
  using Clock = std::chrono::steady_clock;

  bool more(Output& out) override;
  void work(Output& out);
  bool step(Output& out);
  bool take_head_line(Output& out);
  bool take_content();
  std::optional<std::string_view> next_line(std::size_t longest) const;
  void consume(std::size_t size) noexcept;
  void head_is_whole(Output& out);
  void reply(HttpResponse response, Output& out, bool may_keep);
  void write_file(FileSlice file, Output& out);
  void begin_anew();
  [[nodiscard]] bool too_late() const;

  const Address& client_address_;
  const HttpLimits& limits_;
  std::string input_;     // what has come, and was not used yet
  std::size_t used_ = 0;  // how much of it was
  HeadParser parser_;
  Clock::time_point begun_{};  // when the request was
  BodyDecoder body_;
  std::string content_;
  std::optional<FileSlice> file_;  // what is being sent
};

}  // namespace socketserver
