#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <socketserver/address.hpp>
#include <socketserver/system_call.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace socketserver {
namespace {

constexpr std::size_t path_offset = offsetof(sockaddr_un, sun_path);
constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path) - 1;

// sockaddr_storage is made to be looked at as one of the others; memcpy says so to the compiler.
template <class SocketAddress>
SocketAddress view(const sockaddr_storage& storage) noexcept {
  SocketAddress address;
  std::memcpy(&address, &storage, sizeof address);
  return address;
}

// The name of a Unix socket. A path ends with its NUL byte, which need not be there. Linux: a name
// that begins with one is abstract, and every byte of it counts. unix(7)
std::string_view unix_name(const sockaddr_storage& storage, socklen_t size) noexcept {
  if (size <= path_offset) return {};
  const char* const name = reinterpret_cast<const char*>(&storage) + path_offset;
  const std::size_t room = size - path_offset;
  return {name, name[0] == '\0' ? room : ::strnlen(name, room)};
}

std::string in_quotes(std::string_view text) {
  return '"' + std::string(text) + '"';
}

}  // namespace

Address::Address(const sockaddr* data, socklen_t size) noexcept {
  if (data == nullptr || size < offsetof(sockaddr, sa_data)) return;
  size_ = std::min<socklen_t>(size, sizeof storage_);
  std::memcpy(&storage_, data, size_);
  if (family() != AF_UNIX) return;
  // A peer without a name: Linux writes the family alone or nothing at all, macOS and the BSDs a
  // path of zero bytes.
  const std::string_view name = unix_name(storage_, size_);
  if (name.find_first_not_of('\0') == std::string_view::npos) *this = Address();
}

Address Address::inet(const std::string& host, std::uint16_t port) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    return {reinterpret_cast<const sockaddr*>(&v4), sizeof v4};
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    return {reinterpret_cast<const sockaddr*>(&v6), sizeof v6};
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = host.empty()
                        ? EAI_NONAME
                        : ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) {
    throw std::invalid_argument(in_quotes(host) + " is no address: " + ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, &::freeaddrinfo);
  return {list->ai_addr, list->ai_addrlen};
}

Address Address::unix_path(std::string_view path) {
  if (path.empty()) throw std::invalid_argument("the path of a Unix socket is empty");
  if (path.size() > longest_path) {
    throw std::invalid_argument(in_quotes(path) +
                                " is too long for a Unix socket: " + std::to_string(path.size()) +
                                " bytes, " + std::to_string(longest_path) + " at most");
  }
  if (path.find('\0') != std::string_view::npos) {
    throw std::invalid_argument(in_quotes(path.substr(0, path.find('\0'))) +
                                " is followed by a NUL byte, which no path can contain");
  }
  sockaddr_un address{};  // zeroed: the byte after the path ends it
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return {reinterpret_cast<const sockaddr*>(&address),
          static_cast<socklen_t>(path_offset + path.size() + 1)};
}

Address Address::of_socket(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  check(::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size), "getsockname");
  return {reinterpret_cast<const sockaddr*>(&storage), size};
}

Address Address::parse(std::string_view text) {
  constexpr std::string_view unix_prefix = "unix:";
  if (text.starts_with(unix_prefix)) return unix_path(text.substr(unix_prefix.size()));
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    throw std::invalid_argument(in_quotes(text) +
                                " has no port: HOST:PORT, [HOST]:PORT or unix:PATH");
  }
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size()) {
    throw std::invalid_argument(in_quotes(text) +
                                " has no port from 0 to 65535 behind its last colon");
  }
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return inet(std::string(host), port);
}

std::uint16_t Address::port() const noexcept {
  if (family() == AF_INET) return ntohs(view<sockaddr_in>(storage_).sin_port);
  if (family() == AF_INET6) return ntohs(view<sockaddr_in6>(storage_).sin6_port);
  return 0;
}

std::string Address::host() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET) {
    const in_addr address = view<sockaddr_in>(storage_).sin_addr;
    ::inet_ntop(AF_INET, &address, text, sizeof text);
  } else if (family() == AF_INET6) {
    const in6_addr address = view<sockaddr_in6>(storage_).sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&address)) {
      ::inet_ntop(AF_INET, address.s6_addr + 12, text, sizeof text);
    } else {
      ::inet_ntop(AF_INET6, &address, text, sizeof text);
    }
  }
  return text;
}

std::string Address::path() const {
  if (family() != AF_UNIX) return {};
  const std::string_view name = unix_name(storage_, size_);
  if (name.starts_with('\0')) return '@' + std::string(name.substr(1));
  return std::string(name);
}

std::string Address::text() const {
  switch (family()) {
    case AF_INET:
    case AF_INET6: {
      const std::string name = host();
      const bool bracketed = name.find(':') != std::string::npos;
      return (bracketed ? '[' + name + ']' : name) + ':' + std::to_string(port());
    }
    default: {
      const std::string name = path();
      return "unix:" + (name.empty() ? "(unnamed)" : name);
    }
  }
}

// What makes an address, and no more: macOS and the BSDs write a length before the family, and what
// comes behind the address proper is anybody's.
bool operator==(const Address& left, const Address& right) noexcept {
  if (left.family() != right.family()) return false;
  if (left.family() == AF_INET) {
    const auto one = view<sockaddr_in>(left.storage_);
    const auto other = view<sockaddr_in>(right.storage_);
    return one.sin_port == other.sin_port && one.sin_addr.s_addr == other.sin_addr.s_addr;
  }
  if (left.family() == AF_INET6) {
    const auto one = view<sockaddr_in6>(left.storage_);
    const auto other = view<sockaddr_in6>(right.storage_);
    return one.sin6_port == other.sin6_port && one.sin6_scope_id == other.sin6_scope_id &&
           std::memcmp(&one.sin6_addr, &other.sin6_addr, sizeof one.sin6_addr) == 0;
  }
  return unix_name(left.storage_, left.size_) == unix_name(right.storage_, right.size_);
}

}  // namespace socketserver
