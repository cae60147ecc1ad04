#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <socketserver/address.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>

namespace socketserver {
namespace {

constexpr std::size_t path_offset = offsetof(sockaddr_un, sun_path);
constexpr std::size_t room_for_path = sizeof(sockaddr_un::sun_path);
constexpr std::size_t longest_path = room_for_path - 1;  // and the NUL byte that ends it
constexpr std::string_view unix_prefix = "unix:";
constexpr std::string_view unnamed = "(unnamed)";

// sockaddr_storage is made to be looked at as one of the others; memcpy says so to the compiler.
template <class SocketAddress>
SocketAddress view(const sockaddr_storage& storage) noexcept {
  SocketAddress address;
  std::memcpy(&address, &storage, sizeof address);
  return address;
}

std::string in_quotes(std::string_view text) {
  return '"' + escaped(text) + '"';
}

template <class SocketAddress>
Address address_of(const SocketAddress& address) noexcept {
  return {reinterpret_cast<const sockaddr*>(&address), sizeof address};
}

// "fe80::1%eth0": the zone says by which interface a link-local address is meant. ipv6(7)
std::optional<Address> numeric_v6(const std::string& host, std::uint16_t port) {
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  const std::size_t percent = host.find('%');
  if (::inet_pton(AF_INET6, host.substr(0, percent).c_str(), &v6.sin6_addr) != 1) return {};
  if (percent != std::string::npos) {
    const std::string zone = host.substr(percent + 1);
    const char* const end = zone.data() + zone.size();
    v6.sin6_scope_id = ::if_nametoindex(zone.c_str());
    if (v6.sin6_scope_id == 0) {
      const auto [stop, error] = std::from_chars(zone.data(), end, v6.sin6_scope_id);
      if (error != std::errc{} || stop != end) return {};
    }
  }
  return address_of(v6);
}

std::optional<Address> numeric(const std::string& host, std::uint16_t port) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) return address_of(v4);
  return numeric_v6(host, port);
}

// A name of up to as many bytes as there is room for: a path, or on Linux one that begins with a
// NUL byte. Behind a path comes a NUL byte, if there is room for it.
Address unix_address_of(std::string_view name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  const bool ended = name.front() != '\0' && name.size() < room_for_path;
  return {reinterpret_cast<const sockaddr*>(&address),
          static_cast<socklen_t>(path_offset + name.size() + (ended ? 1 : 0))};
}

// What escaped() has written, as it was.
std::string unescaped(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    constexpr std::string_view letters = "nrt0\"\\";
    constexpr std::string_view meant("\n\r\t\0\"\\", 6);
    if (text[i] != '\\' || i + 1 == text.size()) {
      bytes += text[i];
    } else if (const auto letter = letters.find(text[i + 1]); letter != letters.npos) {
      bytes += meant[letter];
      i += 1;
    } else {
      unsigned char value = 0;
      const char* const digits = text.data() + i + 2;
      const char* const end = text.data() + std::min(i + 4, text.size());
      const bool is_hex = text[i + 1] == 'x' && end - digits == 2 &&
                          std::from_chars(digits, end, value, 16).ptr == end;
      bytes += is_hex ? static_cast<char>(value) : text[i];
      if (is_hex) i += 3;
    }
  }
  return bytes;
}

Address parse_unix(std::string_view text) {
  if (text == unnamed) return {};
  std::string name = unescaped(text);
#if defined(__linux__)
  if (text.starts_with('@')) name[0] = '\0';
#endif
  const bool is_abstract = !name.empty() && name.front() == '\0';
  // The kernel names peers by paths that fill the room to its last byte; nobody else should.
  if (!is_abstract && name.size() != room_for_path) return Address::unix_path(name);
  if (name.size() > room_for_path) {
    throw std::invalid_argument(in_quotes(text) + " is too long for the name of a Unix socket");
  }
  return unix_address_of(name);
}

// The IPv4 address that an IPv6 one stands for, or the address itself.
Address plain(const Address& address) noexcept {
  if (address.family() != AF_INET6) return address;
  sockaddr_in6 v6;
  std::memcpy(&v6, address.data(), sizeof v6);
  if (!IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) return address;
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = v6.sin6_port;
  std::memcpy(&v4.sin_addr, v6.sin6_addr.s6_addr + 12, sizeof v4.sin_addr);
  return address_of(v4);
}

}  // namespace

Address::Address(const sockaddr* data, socklen_t size) noexcept {
  if (data == nullptr || size < offsetof(sockaddr, sa_data)) return;
  size_ = std::min<socklen_t>(size, sizeof storage_);
  std::memcpy(&storage_, data, size_);
  if (family() != AF_UNIX) return;
  // Linux counts a NUL byte behind a path that has no room for one, and takes no such size back.
  size_ = std::min<socklen_t>(size_, sizeof(sockaddr_un));
  // A peer without a name: Linux writes the family alone or nothing at all, macOS and the BSDs a
  // path of zero bytes.
  if (unix_name().find_first_not_of('\0') == std::string_view::npos) *this = Address();
}

Address Address::inet(const std::string& host, std::uint16_t port) {
  return inet_all(host, port).front();
}

std::vector<Address> Address::inet_all(const std::string& host, std::uint16_t port) {
  if (const auto address = numeric(host, port)) {
    if (host.find('\0') == std::string::npos) return {*address};
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  // For the C library the name would end at its first NUL byte, for us it does not.
  const bool is_name = !host.empty() && host.find('\0') == std::string::npos;
  const int error = is_name ? ::getaddrinfo(host.c_str(), nullptr, &hints, &found) : EAI_NONAME;
  if (error != 0) {
    throw std::invalid_argument(in_quotes(host) + " is no address: " + ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, &::freeaddrinfo);
  std::vector<Address> addresses;
  for (const addrinfo* each = list.get(); each != nullptr; each = each->ai_next) {
    Address address(each->ai_addr, each->ai_addrlen);
    address.set_port(port);
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) {
      addresses.push_back(address);
    }
  }
  return addresses;
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
  return unix_address_of(path);
}

Address Address::of_socket(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  check(::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size), "getsockname");
  return {reinterpret_cast<const sockaddr*>(&storage), size};
}

Address Address::parse(std::string_view text) {
  if (text.starts_with(unix_prefix)) return parse_unix(text.substr(unix_prefix.size()));
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
  const Address shown = plain(*this);
  if (shown.family() == AF_INET) {
    const in_addr address = view<sockaddr_in>(shown.storage_).sin_addr;
    ::inet_ntop(AF_INET, &address, text, sizeof text);
  } else if (shown.family() == AF_INET6) {
    const auto v6 = view<sockaddr_in6>(storage_);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    if (v6.sin6_scope_id != 0) {
      char zone[IF_NAMESIZE] = "";
      const bool has_name = ::if_indextoname(v6.sin6_scope_id, zone) != nullptr;
      return std::string(text) + '%' + (has_name ? zone : std::to_string(v6.sin6_scope_id));
    }
  }
  return text;
}

// The bytes of a Unix address's name: those of a path, or, if the first one is a NUL byte, all.
std::string_view Address::unix_name() const noexcept {
  if (family() != AF_UNIX || size_ <= path_offset) return {};
  const char* const name = reinterpret_cast<const char*>(&storage_) + path_offset;
  const std::size_t room = size_ - path_offset;
  if (name[0] != '\0') return {name, ::strnlen(name, room)};
#if defined(__linux__)
  return {name, room};  // abstract: every byte counts. unix(7)
#else
  return {};
#endif
}

std::string Address::path() const {
  const std::string_view name = unix_name();
  return name.starts_with('\0') ? std::string() : std::string(name);
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
      const std::string_view name = unix_name();
      std::string shown(unix_prefix);
      if (name.empty()) return shown.append(unnamed);
      if (name.front() == '\0') return shown + '@' + escaped(name.substr(1));
      // A path that looks like one of the two others.
      if (name.front() == '@') return shown + "\\x40" + escaped(name.substr(1));
      if (name == unnamed) return shown + "\\x28" + escaped(name.substr(1));
      return shown + escaped(name);
    }
  }
}

void Address::set_port(std::uint16_t port) noexcept {
  const in_port_t value = htons(port);
  const std::size_t place =
      family() == AF_INET ? offsetof(sockaddr_in, sin_port) : offsetof(sockaddr_in6, sin6_port);
  std::memcpy(reinterpret_cast<char*>(&storage_) + place, &value, sizeof value);
}

// What makes an address, and no more: macOS and the BSDs write a length before the family, and what
// comes behind the address proper is anybody's.
bool operator==(const Address& left, const Address& right) noexcept {
  const Address a = plain(left);
  const Address b = plain(right);
  if (a.family() != b.family() || a.port() != b.port()) return false;
  if (a.family() == AF_UNIX) return a.unix_name() == b.unix_name();
  if (a.family() == AF_INET) {
    return view<sockaddr_in>(a.storage_).sin_addr.s_addr ==
           view<sockaddr_in>(b.storage_).sin_addr.s_addr;
  }
  if (a.family() == AF_INET6) {
    const auto a6 = view<sockaddr_in6>(a.storage_);
    const auto b6 = view<sockaddr_in6>(b.storage_);
    return a6.sin6_scope_id == b6.sin6_scope_id &&
           std::memcmp(&a6.sin6_addr, &b6.sin6_addr, sizeof a6.sin6_addr) == 0;
  }
  return true;  // no address
}

}  // namespace socketserver
