// Open descriptors and sockets of a process: /proc/PID/fd, /proc/net, and sock_diag(7).

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <map>
#include <sstream>

#include "harness/base/descriptor.hpp"
#include "proc.hpp"
#include "proc_files.hpp"

#if defined(__linux__)
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#endif

namespace kit::proc {
namespace {

// A row of /proc/net/tcp or tcp6.
struct Row {
  Address local, remote;
  unsigned state = 0;
  unsigned long unread = 0;
  std::string inode;
};

constexpr unsigned tcp_listen = 0x0A;

// "0100007F:270F": words of four bytes in the machine's order, as they lie in memory.
std::optional<Address> parse_row_address(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon != 8 && colon != 32) return std::nullopt;
  std::uint32_t words[4] = {};
  for (std::size_t i = 0; i < colon / 8; ++i) {
    std::from_chars(text.data() + i * 8, text.data() + i * 8 + 8, words[i], 16);
  }
  unsigned port = 0;
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), port, 16);
  if (colon == 8) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(static_cast<std::uint16_t>(port));
    std::memcpy(&v4.sin_addr, words, 4);
    return Address::from(reinterpret_cast<sockaddr*>(&v4), sizeof v4);
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(static_cast<std::uint16_t>(port));
  std::memcpy(&v6.sin6_addr, words, 16);
  return Address::from(reinterpret_cast<sockaddr*>(&v6), sizeof v6);
}

std::vector<Row> tcp_rows() {
  std::vector<Row> rows;
  for (const char* path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    const auto text = read_file(path);
    if (!text) continue;
    std::istringstream lines(*text);
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
      std::istringstream fields(line);
      std::string number, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
      fields >> number >> local >> remote >> state >> queues >> timer >> retransmits >> uid >>
          timeout >> inode;
      const auto l = parse_row_address(local);
      const auto r = parse_row_address(remote);
      const std::size_t colon = queues.find(':');
      if (!l || !r || colon == std::string::npos) continue;
      rows.push_back({*l, *r, static_cast<unsigned>(std::strtoul(state.c_str(), nullptr, 16)),
                      std::strtoul(queues.c_str() + colon + 1, nullptr, 16), inode});
    }
  }
  return rows;
}

// An IPv4 address as a dual-stack socket sees it.
std::string plain_text(const Address& address) {
  const std::string text = address.text();
  constexpr std::string_view mapped = "[::ffff:";
  if (!text.starts_with(mapped) || text.find('.') == std::string::npos) return text;
  std::string plain = text.substr(mapped.size());
  plain.erase(plain.find(']'), 1);
  return plain;
}

std::string inode_of(const std::string& link) {
  constexpr std::string_view socket = "socket:[";
  if (!link.starts_with(socket)) return {};
  return link.substr(socket.size(), link.size() - socket.size() - 1);
}

// Unix sockets by inode: their path, and whether they listen.
std::map<std::string, std::string> unix_sockets() {
  std::map<std::string, std::string> sockets;
  const auto text = read_file("/proc/net/unix");
  if (!text) return sockets;
  std::istringstream lines(*text);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    std::string number, references, protocol, flags, type, state, inode, path;
    fields >> number >> references >> protocol >> flags >> type >> state >> inode >> path;
    const bool listens = flags == "00010000";
    sockets[inode] = std::string(type == "0002" ? "Unix datagram socket" : "Unix socket") +
                     (path.empty() ? "" : " " + path) + (listens ? ", listening" : "");
  }
  return sockets;
}

}  // namespace

std::optional<std::vector<OpenDescriptor>> descriptors(pid_t pid) {
  const std::string folder = folder_of(pid) + "/fd";
  if (access(folder.c_str(), R_OK | X_OK) != 0) return std::nullopt;
  std::vector<OpenDescriptor> found;
  std::map<std::string, std::string> sockets;
  for (pid_t number : numbers_in(folder)) {
    found.push_back({number, link_of(folder + '/' + std::to_string(number))});
  }
  const bool any_socket = std::ranges::any_of(
      found, [](const OpenDescriptor& one) { return one.what.starts_with("socket:"); });
  if (any_socket) {
    sockets = unix_sockets();
    for (const Row& row : tcp_rows()) {
      sockets[row.inode] = row.state == tcp_listen
                               ? "socket " + row.local.text() + ", listening"
                               : "socket " + row.local.text() + " to " + plain_text(row.remote);
    }
  }
  for (OpenDescriptor& one : found) {
    if (const std::string inode = inode_of(one.what); !inode.empty()) {
      const auto known = sockets.find(inode);
      one.what = known == sockets.end() ? "socket" : known->second;
    } else if (one.what.starts_with("pipe:")) {
      one.what = "pipe";
    } else if (one.what.starts_with("anon_inode:")) {
      one.what = one.what.substr(std::strlen("anon_inode:"));
    }
  }
  return found;
}

std::optional<std::size_t> open_sockets(pid_t pid) {
  const std::string folder = folder_of(pid) + "/fd";
  if (access(folder.c_str(), R_OK | X_OK) != 0) return std::nullopt;
  const auto is_socket = [&folder](pid_t number) {
    return link_of(folder + '/' + std::to_string(number)).starts_with("socket:");
  };
  return static_cast<std::size_t>(std::ranges::count_if(numbers_in(folder), is_socket));
}

bool is_nonblocking(pid_t pid, int fd) {
  const auto text = read_file(folder_of(pid) + "/fdinfo/" + std::to_string(fd));
  const std::size_t at = text ? text->find("flags:") : std::string::npos;
  if (at == std::string::npos) return false;
  constexpr int octal = 8;
  return (std::strtol(text->c_str() + at + std::strlen("flags:"), nullptr, octal) & O_NONBLOCK) !=
         0;
}

namespace {

// The kernel's own answer about one connection, by netlink (sock_diag(7)): it costs the same
// however many connections the machine has. Nothing if it cannot be asked; no value inside if there
// is no such connection.
std::optional<std::optional<std::size_t>> ask_for_unread(const Address& local,
                                                         const Address& remote) {
#if defined(__linux__)
  struct {
    nlmsghdr head;
    inet_diag_req_v2 body;
  } question{};
  question.head.nlmsg_len = sizeof question;
  question.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.head.nlmsg_flags = NLM_F_REQUEST;
  question.body.sdiag_family = static_cast<std::uint8_t>(local.family());
  question.body.sdiag_protocol = IPPROTO_TCP;
  question.body.idiag_states = ~0U;
  inet_diag_sockid& id = question.body.id;
  id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  id.idiag_sport = htons(local.port());
  id.idiag_dport = htons(remote.port());
  const auto copy = [](const Address& address, std::uint32_t(&words)[4]) {
    if (address.family() == AF_INET) {
      const auto* in = reinterpret_cast<const sockaddr_in*>(address.get());
      std::memcpy(words, &in->sin_addr, sizeof in->sin_addr);
    } else {
      const auto* in6 = reinterpret_cast<const sockaddr_in6*>(address.get());
      std::memcpy(words, &in6->sin6_addr, sizeof in6->sin6_addr);
    }
  };
  copy(local, id.idiag_src);
  copy(remote, id.idiag_dst);

  const Descriptor socket(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!socket || ::send(socket.get(), &question, sizeof question, 0) < 0) return std::nullopt;
  alignas(nlmsghdr) char buffer[4096];
  const ssize_t count = ::recv(socket.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  const auto* head = reinterpret_cast<const nlmsghdr*>(buffer);
  if (count < 0 || !NLMSG_OK(head, static_cast<std::size_t>(count))) return std::nullopt;
  if (head->nlmsg_type == SOCK_DIAG_BY_FAMILY) {
    return static_cast<const inet_diag_msg*>(NLMSG_DATA(head))->idiag_rqueue;
  }
  if (head->nlmsg_type == NLMSG_ERROR &&
      static_cast<const nlmsgerr*>(NLMSG_DATA(head))->error == -ENOENT) {
    return std::make_optional<std::optional<std::size_t>>(std::nullopt);
  }
#else
  (void)local, (void)remote;
#endif
  return std::nullopt;
}

}  // namespace

std::optional<std::size_t> unread_bytes(const Address& local, const Address& remote) {
  if (const auto answer = ask_for_unread(local, remote)) return *answer;
  const std::string l = plain_text(local), r = plain_text(remote);
  for (const Row& row : tcp_rows()) {
    if (row.state != tcp_listen && plain_text(row.local) == l && plain_text(row.remote) == r) {
      return row.unread;
    }
  }
  return std::nullopt;
}

std::vector<std::string> listening(pid_t pid) {
  std::vector<std::string> found;
  const std::string folder = folder_of(pid) + "/fd";
  std::vector<std::string> inodes;
  for (pid_t number : numbers_in(folder)) {
    const std::string inode = inode_of(link_of(folder + '/' + std::to_string(number)));
    if (!inode.empty()) inodes.push_back(inode);
  }
  for (const Row& row : tcp_rows()) {
    if (row.state == tcp_listen && std::ranges::find(inodes, row.inode) != inodes.end()) {
      found.push_back(row.local.text());
    }
  }
  return found;
}

}  // namespace kit::proc
