#pragma once

#include <socketserver/address.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace socketserver {

class BaseServer;
class Output;

/// Bytes for a client that are made when they are needed: a large file, and no copy of it.
class Source {
 public:
  virtual ~Source() = default;

  /// Less than Output::enough waits for the client: writes the next piece into `out`. Called on the
  /// server's thread; must not block. What it throws ends the conversation, once the client has got
  /// what was written before.
  /// @returns whether it is to be called again. If not, the output does not know this source any
  ///          more.
  virtual bool more(Output& out) = 0;
};

/// What one client has still to get: bytes in order, and perhaps the end of the conversation.
///
/// A session puts in; the server that owns it takes out, as fast as the client reads.
class Output {
 public:
  /// While a source has more to come, so many bytes wait for the client at least. A server whose
  /// `max_output` is no more than that reads nothing from it meanwhile.
  static constexpr std::size_t enough = 64 * 1024;

  /// Adds `bytes`. Never blocks.
  /// @returns where they stand now, so that they may still be changed; valid until the next call
  std::span<char> write(std::string_view bytes);

  /// From now on `source` is asked for more whenever less than `enough` waits: at once, too, but
  /// not if it is the source itself that calls. Not owned: it is asked no more once the connection
  /// has ended.
  void write_later(Source& source) noexcept;

  /// Ends the conversation: nothing more is read from this client, and when it has got everything
  /// its connection is shut down. The second call does nothing.
  void end() noexcept { ended_ = true; }

  // ---- for the server --------------------------------------------------------------------------

  /// The bytes that are still to be sent. Valid until the next write() or sent().
  [[nodiscard]] std::string_view unsent() const noexcept {
    return std::string_view(bytes_).substr(sent_);
  }

  /// How many bytes are still to be sent.
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size() - sent_; }

  /// Whether none are.
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }

  /// The first `count` unsent bytes have been sent. If there is a source, it writes more.
  void sent(std::size_t count) noexcept;

  /// Whether end() was called.
  [[nodiscard]] bool ended() const noexcept { return ended_; }

  /// Gives back the memory of what has been sent, if that was all.
  void release_memory() noexcept {
    if (empty()) std::string().swap(bytes_);
  }

  /// Exchanges the bytes, and the memory that they stand in, with `other`.
  void swap_bytes(Output& other) noexcept {
    bytes_.swap(other.bytes_);
    std::swap(sent_, other.sent_);
  }

 private:
  void ask_source() noexcept;

  std::string bytes_;
  std::size_t sent_ = 0;  // how many of them are gone
  Source* source_ = nullptr;
  bool asking_ = false;  // the source is being asked
  bool ended_ = false;
};

/// What a service says to one client of a SelectorMixIn: derive, and override received().
///
/// A handler's counterpart where one thread serves all: it is called when bytes have come, and must
/// not block. Between the calls everything it knows stands in its members: that is the state of a
/// connection. What it throws goes to handle_error(), and ends its own connection once the client
/// has got what was written before.
class Session {
 public:
  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session() = default;

  /// Bytes have come, at least one: a piece of the stream, cut anywhere.
  ///
  /// @param bytes  valid during the call only
  /// @param out    where the answer goes
  virtual void received(std::string_view bytes, Output& out) = 0;

  /// The client's end of file: it will send no more, but can still read. The conversation ends when
  /// it has got everything.
  virtual void ended([[maybe_unused]] Output& out) {}
};

/// How a server makes a session for a client. The address outlives the session.
using SessionClass = std::unique_ptr<Session> (*)(const Address& client_address,
                                                  BaseServer& server);

/// The class `S` as a value that a server's constructor takes:
/// `SelectorMixIn<TCPServer> server(address, session_class<EchoSession>);`
template <class S>
inline constexpr SessionClass session_class =
    [](const Address& client_address, BaseServer& server) -> std::unique_ptr<Session> {
  return std::make_unique<S>(client_address, server);
};

}  // namespace socketserver
