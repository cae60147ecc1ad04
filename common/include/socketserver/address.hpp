#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace socketserver {

/// A socket address of any of the three families the kit speaks: IPv4, IPv6 and Unix.
///
/// A value: copies freely, and may be used from any thread. Its bytes are what bind(2), connect(2)
/// and sendto(2) take; what accept(2), recvfrom(2) and getsockname(2) have written makes a new one.
class Address {
 public:
  /// No address: family AF_UNSPEC. What an unnamed Unix peer has.
  Address() noexcept = default;

  /// The address that the kernel has written: `size` bytes at `data`.
  Address(const sockaddr* data, socklen_t size) noexcept;

  /// An IPv4 or IPv6 address from its text, or the first one of a name that getaddrinfo(3) knows.
  ///
  /// @param host  "127.0.0.1", "::1", "fe80::1%eth0", "localhost"; may block while a name is looked
  ///              up
  /// @param port  0 lets the kernel pick when it is bound
  /// @throws std::invalid_argument with a sentence that names `host`
  static Address inet(const std::string& host, std::uint16_t port);

  /// All addresses of a name, in the order in which they are to be tried; of a text its own. A host
  /// may have an address of each family, and its server may listen on one of them.
  /// @throws std::invalid_argument with a sentence that names `host`
  static std::vector<Address> inet_all(const std::string& host, std::uint16_t port);

  /// The address of a Unix socket. See unix(7).
  ///
  /// @param path  1 to 107 bytes without a NUL byte (103 on the BSDs and macOS)
  /// @throws std::invalid_argument with a sentence that names what is wrong with `path`
  static Address unix_path(std::string_view path);

  /// The address a socket is bound to. @throws std::system_error naming getsockname.
  static Address of_socket(int fd);

  /// Reads the text forms that text() writes: "127.0.0.1:9999", "[::1]:9999", "unix:/tmp/kit.sock".
  /// What it makes of a text() is equal to the address that wrote it.
  /// @throws std::invalid_argument with a sentence that names `text`
  static Address parse(std::string_view text);

  /// AF_INET, AF_INET6, AF_UNIX, or AF_UNSPEC for no address.
  [[nodiscard]] sa_family_t family() const noexcept { return storage_.ss_family; }

  /// The address as the socket calls take it.
  [[nodiscard]] const sockaddr* data() const noexcept {
    return reinterpret_cast<const sockaddr*>(&storage_);
  }

  /// The number of bytes at data().
  [[nodiscard]] socklen_t size() const noexcept { return size_; }

  /// The port in host byte order; 0 where there is none.
  [[nodiscard]] std::uint16_t port() const noexcept;

  /// The numeric host, "127.0.0.1", "::1" or "fe80::1%eth0"; an IPv4 peer of a dual-stack server is
  /// shown as IPv4 ("::ffff:10.0.0.1" reads "10.0.0.1"). Empty for the other families.
  [[nodiscard]] std::string host() const;

  /// The path of a Unix address; empty for the other families, for an unnamed peer, and for a name
  /// that is no path (Linux: an abstract one, which no file has).
  [[nodiscard]] std::string path() const;

  /// How a person writes it: "127.0.0.1:9999", "[::1]:9999", "unix:/tmp/kit.sock",
  /// "unix:@abstract", "unix:(unnamed)". One line of printable characters, whatever is in a path:
  /// see escaped().
  [[nodiscard]] std::string text() const;

  /// Whether both name the same end point: "10.0.0.1" is "::ffff:10.0.0.1".
  friend bool operator==(const Address& left, const Address& right) noexcept;

 private:
  [[nodiscard]] std::string_view unix_name() const noexcept;
  void set_port(std::uint16_t port) noexcept;

  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

}  // namespace socketserver
