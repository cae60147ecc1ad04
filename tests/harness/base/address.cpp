#include "address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <charconv>
#include <cstddef>
#include <cstring>
#include <stdexcept>

namespace kit {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > 65535) {
    return std::nullopt;
  }
  return static_cast<std::uint16_t>(value);
}

}  // namespace

Address Address::tcp(std::string_view host, std::uint16_t port) {
  const std::string text(host);
  Address result;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&result.storage_, &v4, sizeof v4);
    result.size_ = sizeof v4;
  } else if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&result.storage_, &v6, sizeof v6);
    result.size_ = sizeof v6;
  } else {
    throw std::invalid_argument("not an address in digits: " + text);
  }
  return result;
}

Address Address::unix_path(std::string_view path) {
  sockaddr_un un{};
  if (path.size() >= sizeof un.sun_path) {
    throw std::invalid_argument("a Unix path of " + std::to_string(path.size()) + " bytes");
  }
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, path.data(), path.size());
  return from(reinterpret_cast<const sockaddr*>(&un),
              static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1));
}

std::optional<Address> Address::parse(std::string_view text) {
  try {
    if (text.starts_with("unix:")) {
      text.remove_prefix(5);
      if (text.empty()) return std::nullopt;
      return unix_path(text);
    }
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto port = parse_port(text.substr(colon + 1));
    std::string_view host = text.substr(0, colon);
    if (!port) return std::nullopt;
    if (host.starts_with('[') && host.ends_with(']')) {
      host = host.substr(1, host.size() - 2);
      if (host.find(':') == std::string_view::npos) return std::nullopt;
    } else if (host == "localhost") {
      host = "127.0.0.1";
    } else if (host.find(':') != std::string_view::npos) {
      return std::nullopt;
    }
    return tcp(host, *port);
  } catch (const std::invalid_argument&) {
    return std::nullopt;
  }
}

Address Address::from(const sockaddr* address, socklen_t length) {
  Address result;
  result.size_ = length < sizeof result.storage_ ? length : socklen_t{sizeof result.storage_};
  if (length > 0) std::memcpy(&result.storage_, address, result.size_);
  return result;
}

Address Address::local_of(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  return from(reinterpret_cast<sockaddr*>(&storage), size);
}

Address Address::peer_of(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  return from(reinterpret_cast<sockaddr*>(&storage), size);
}

std::string Address::host() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(storage_).sin_addr, text, sizeof text);
  } else if (family() == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(storage_).sin6_addr, text,
              sizeof text);
  }
  return text;
}

std::uint16_t Address::port() const {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(storage_).sin_port);
  if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(storage_).sin6_port);
  return 0;
}

std::string Address::path() const {
  constexpr std::size_t before = offsetof(sockaddr_un, sun_path);
  if (!is_unix() || size_ <= before) return {};
  const auto& un = reinterpret_cast<const sockaddr_un&>(storage_);
  return std::string(un.sun_path, strnlen(un.sun_path, size_ - before));
}

Address Address::with_port(std::uint16_t port) const {
  return tcp(host(), port);
}

std::string Address::text() const {
  switch (family()) {
    case AF_INET:
      return host() + ':' + std::to_string(port());
    case AF_INET6:
      return '[' + host() + "]:" + std::to_string(port());
    case AF_UNIX:
      return "unix:" + path();
    default:
      return "nowhere";
  }
}

}  // namespace kit
