#pragma once

// Where somebody listens, in the form that programs print: `127.0.0.1:9999`, `[::1]:9999`,
// `unix:/tmp/kit.sock`.

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kit {

class Address {
 public:
  /// No address: family AF_UNSPEC.
  Address() = default;

  /// IPv4 or IPv6 host in digits. Throws std::invalid_argument on anything else.
  static Address tcp(std::string_view host, std::uint16_t port);

  /// A path of at most 107 bytes (103 on macOS). Throws std::invalid_argument on a longer one.
  static Address unix_path(std::string_view path);

  /// The printed form; nothing if it is not understood.
  static std::optional<Address> parse(std::string_view text);

  /// What getsockname, getpeername or recvfrom gave.
  static Address from(const sockaddr* address, socklen_t length);
  static Address local_of(int fd);
  static Address peer_of(int fd);

  std::string text() const;
  int family() const { return storage_.ss_family; }
  bool is_unix() const { return family() == AF_UNIX; }
  std::string host() const;
  std::uint16_t port() const;
  std::string path() const;
  Address with_port(std::uint16_t port) const;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return size_; }

  friend bool operator==(const Address& a, const Address& b) { return a.text() == b.text(); }

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

}  // namespace kit
