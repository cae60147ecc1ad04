#pragma once

#include <socketserver/address.hpp>
#include <socketserver/file_descriptor.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace socketserver {

class RequestsUnderWay;

/// One request: what a client wants answered, and the socket to answer it on.
///
/// Of a stream server it is an accepted connection, which the request owns; of a datagram server
/// it is one packet, and the socket is the server's own. Move-only: whoever holds the request is
/// the one who closes it. A request may be handed to another thread, and is then used there alone.
/// Python's `request`.
class Request {
 public:
  /// How long read_away() waits for a client that neither ends nor reads, at most.
  static constexpr std::chrono::milliseconds longest_goodbye{2000};

  /// A connection that accept(2) has returned, and the peer's address.
  Request(FileDescriptor connection, const Address& client_address) noexcept;

  /// A packet that recvfrom(2) has returned.
  ///
  /// @param packet          its bytes; none is a packet too
  /// @param socket          the server's socket, for the answer; not closed with the request
  /// @param client_address  who has sent it; the family is AF_UNSPEC where the sender has no name
  /// @param truncated       whether the packet was longer than what was received
  Request(std::string packet, int socket, const Address& client_address,
          bool truncated = false) noexcept;

  /// Takes over what `other` holds; `other` holds nothing afterwards, but knows its client still.
  Request(Request&& other) noexcept;
  /// Closes what it holds and takes over what `other` holds.
  Request& operator=(Request&& other) noexcept;
  /// close()
  ~Request();

  /// The descriptor to answer on: the connection, or the datagram server's socket. -1 once closed.
  [[nodiscard]] int fileno() const noexcept { return is_packet_ ? socket_ : connection_.get(); }

  /// Who asks.
  [[nodiscard]] const Address& client_address() const noexcept { return client_address_; }

  /// The bytes of the datagram; empty for a connection.
  [[nodiscard]] std::string_view packet() const noexcept { return packet_; }

  /// Whether the datagram was longer than what was received.
  [[nodiscard]] bool truncated() const noexcept { return truncated_; }

  /// Whether this is a datagram.
  [[nodiscard]] bool is_packet() const noexcept { return is_packet_; }

  /// Reads away what the client still sends, so that close() finds nothing unread: it would make
  /// the kernel send a reset, and drop what of the answer is still under way. Call it after
  /// shutdown(fd, SHUT_WR). tcp(7); RFC 2525, 2.17.
  ///
  /// If a handler has served the request, waits: until the client's end of file; or until our
  /// answer has arrived and the client has been silent for a moment; at most `longest_goodbye`, and
  /// 16 MiB. Otherwise there is no answer to lose, and only what is there is taken.
  void read_away() noexcept;

  /// Says that the client's end of file has been read: read_away() has nothing to do then.
  void note_end() noexcept { at_end_ = true; }

  /// The same as read_away(), without waiting, at most 256 KiB: for a server that serves many on
  /// one thread.
  /// @returns whether the connection may be closed: the client has ended, or nothing was unread and
  ///          the answer has arrived
  bool read_away_now() noexcept;

  /// Closes the connection; does nothing for a datagram, or the second time. See close(2): if input
  /// was left unread the client gets a reset, which is why a server reads it away first.
  void close() noexcept;

  /// Gives the connection away: the caller closes it from now on.
  [[nodiscard]] FileDescriptor release() noexcept;

 private:
  friend class BaseServer;
  friend class BaseRequestHandler;
  void enter(RequestsUnderWay& list);
  bool answer_has_arrived() const noexcept;

  FileDescriptor connection_;
  int socket_ = -1;
  bool is_packet_ = false;
  bool truncated_ = false;
  bool served_ = false;  // a handler has had it
  bool at_end_ = false;
  Address client_address_;
  std::string packet_;
  RequestsUnderWay* list_ = nullptr;
};

}  // namespace socketserver
