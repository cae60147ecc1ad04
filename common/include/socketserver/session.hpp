#pragma once

#include <socketserver/address.hpp>

#include <cstddef>
#include <limits>
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

  /// Everything that was written before has been sent: writes the next piece into `out`, at least
  /// one byte if there is more to come. Called on the server's thread; must not block.
  /// @returns whether it is to be called again. If not, the output does not know this source any
  ///          more.
  virtual bool more(Output& out) = 0;
};

/// What one client has still to get: bytes in order, and perhaps the end of the conversation.
///
/// A session puts in; the server that owns it takes out, as fast as the client reads.
class Output {
 public:
  /// Adds `bytes`. Never blocks.
  /// @returns where they stand now, so that they may still be changed; valid until the next call
  std::span<char> write(std::string_view bytes);

  /// From now on `source` is asked for more whenever all has been sent; call it after a write(). As
  /// long as it has more, nothing is read from this client. Not owned: it is asked no more once the
  /// connection has ended.
  void write_later(Source& source) noexcept { source_ = &source; }

  /// Ends the conversation: nothing more is read from this client, and when it has got everything
  /// its connection is shut down. The second call does nothing.
  void end() noexcept { ended_ = true; }

  // ---- for the server --------------------------------------------------------------------------

  /// The bytes that are still to be sent. Valid until the next write() or sent().
  [[nodiscard]] std::string_view unsent() const noexcept {
    return std::string_view(bytes_).substr(sent_);
  }

  /// How many bytes are still to be sent; with a source that has more to come, as many as there are
  /// numbers for.
  [[nodiscard]] std::size_t size() const noexcept {
    return source_ ? std::numeric_limits<std::size_t>::max() : bytes_.size() - sent_;
  }

  /// Whether none are.
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }

  /// The first `count` unsent bytes have been sent. If those were all, the source writes more.
  /// Throws what the source throws.
  void sent(std::size_t count);

  /// Whether end() was called.
  [[nodiscard]] bool ended() const noexcept { return ended_; }

  /// Gives back the memory of what has been sent. Only when empty().
  void release_memory() noexcept { std::string().swap(bytes_); }

  /// Exchanges the bytes, and the memory that they stand in, with `other`.
  void swap_bytes(Output& other) noexcept {
    bytes_.swap(other.bytes_);
    std::swap(sent_, other.sent_);
  }

 private:
  std::string bytes_;
  std::size_t sent_ = 0;  // how many of them are gone
  Source* source_ = nullptr;
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
