#pragma once

/// @file
/// What the first lessons have you write once, and give from then on: how a client connects, sends
/// all of a message and receives all of an answer, and what "in upper case" means.

#include <socketserver/address.hpp>
#include <socketserver/file_descriptor.hpp>

#include <string>
#include <string_view>

namespace socketserver {

/// A stream connection to `server`. Blocks until it stands.
/// @throws std::system_error naming socket or connect
[[nodiscard]] FileDescriptor connect_to(const Address& server);

/// Sends all of `bytes` on a blocking stream socket, however many calls of send(2) that takes, and
/// whatever signals come. A peer that has gone raises no SIGPIPE.
/// @throws std::system_error naming send; std::errc::timed_out if SO_SNDTIMEO is over
void send_all(int connection, std::string_view bytes);

/// Everything that comes on a blocking stream socket until its end of file.
/// @throws std::system_error naming recv
[[nodiscard]] std::string receive_all(int connection);

/// a–z of ASCII in upper case, whatever the locale says; every other byte as it is.
[[nodiscard]] constexpr char upper(char byte) noexcept {
  return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 'a' + 'A') : byte;
}

/// Each byte of `text` as upper(char) has it.
[[nodiscard]] std::string upper(std::string text);

}  // namespace socketserver
