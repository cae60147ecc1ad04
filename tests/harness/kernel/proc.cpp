#include "proc.hpp"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <map>
#include <sstream>

#include "harness/base/descriptor.hpp"

#if defined(__linux__)
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#endif

namespace kit::proc {
namespace {

std::optional<std::string> read_file(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  std::string text;
  char buffer[16384];
  for (ssize_t n; (n = read(file.get(), buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  return text;
}

// The names in a folder of /proc that are numbers, in order.
std::vector<pid_t> numbers_in(const std::string& folder) {
  std::vector<pid_t> numbers;
  DIR* const directory = opendir(folder.c_str());
  if (directory == nullptr) return numbers;
  while (const dirent* entry = readdir(directory)) {
    pid_t number = 0;
    const char* const end = entry->d_name + std::strlen(entry->d_name);
    const auto parsed = std::from_chars(entry->d_name, end, number);
    if (parsed.ec == std::errc{} && parsed.ptr == end) numbers.push_back(number);
  }
  closedir(directory);
  std::ranges::sort(numbers);
  return numbers;
}

std::string folder_of(pid_t pid) {
  return "/proc/" + std::to_string(pid);
}

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

std::string link_of(const std::string& path) {
  char target[4096];
  const ssize_t size = readlink(path.c_str(), target, sizeof target);
  return size < 0 ? std::string() : std::string(target, static_cast<std::size_t>(size));
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

#if defined(__linux__)
std::string call_name(long number) {
  switch (number) {
    case SYS_read:
      return "read";
    case SYS_write:
      return "write";
    case SYS_readv:
      return "readv";
    case SYS_writev:
      return "writev";
    case SYS_accept:
      return "accept";
    case SYS_accept4:
      return "accept";
    case SYS_connect:
      return "connect";
    case SYS_recvfrom:
      return "recv";
    case SYS_recvmsg:
      return "recvmsg";
    case SYS_sendto:
      return "send";
    case SYS_sendmsg:
      return "sendmsg";
    case SYS_ppoll:
      return "poll";
    case SYS_pselect6:
      return "select";
    case SYS_epoll_pwait:
      return "epoll_wait";
    case SYS_futex:
      return "a lock, a condition or a join";
    case SYS_wait4:
      return "waitpid";
    case SYS_waitid:
      return "waitid";
    case SYS_clock_nanosleep:
      return "sleep";
    case SYS_nanosleep:
      return "sleep";
    case SYS_rt_sigsuspend:
      return "sigsuspend";
    case SYS_flock:
      return "flock";
#if defined(SYS_poll)
    case SYS_poll:
      return "poll";
    case SYS_select:
      return "select";
    case SYS_epoll_wait:
      return "epoll_wait";
    case SYS_pause:
      return "pause";
#endif
    default:
      return "system call " + std::to_string(number);
  }
}

bool first_argument_is_descriptor(long number) {
  switch (number) {
    case SYS_read:
    case SYS_write:
    case SYS_readv:
    case SYS_writev:
    case SYS_accept:
    case SYS_accept4:
    case SYS_connect:
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_sendto:
    case SYS_sendmsg:
    case SYS_epoll_pwait:
#if defined(SYS_epoll_wait)
    case SYS_epoll_wait:
#endif
      return true;
    default:
      return false;
  }
}

// "running", or "0 0x4 0x7ff…": number and arguments of the call that it is in.
std::string thread_waits_in(pid_t pid, pid_t thread) {
  const auto text = read_file(folder_of(pid) + "/task/" + std::to_string(thread) + "/syscall");
  if (!text || text->empty()) return {};
  if (text->starts_with("running")) return "its own code (it computes)";
  long number = -1;
  unsigned long first = 0;
  if (std::sscanf(text->c_str(), "%ld 0x%lx", &number, &first) < 2 || number < 0) return {};
  std::string call = call_name(number);
  if (first_argument_is_descriptor(number)) call += '(' + std::to_string(first) + ')';
  return call;
}
#endif

}  // namespace

std::optional<mode_t> umask(pid_t pid) {
  constexpr std::string_view name = "\nUmask:\t";
  const auto text = read_file(folder_of(pid) + "/status");
  const std::size_t at = text ? text->find(name) : std::string::npos;
  if (at == std::string::npos) return std::nullopt;
  return static_cast<mode_t>(std::strtoul(text->c_str() + at + name.size(), nullptr, 8));
}

std::optional<Status> status(pid_t pid) {
  const auto text = read_file(folder_of(pid) + "/stat");
  if (!text) return std::nullopt;
  // The name stands in brackets and may itself hold any byte: the last bracket ends it.
  const std::size_t open = text->find('(');
  const std::size_t close = text->rfind(')');
  if (open == std::string::npos || close == std::string::npos) return std::nullopt;
  Status result;
  result.name = text->substr(open + 1, close - open - 1);
  std::istringstream fields(text->substr(close + 1));
  long group = 0, session = 0, terminal = 0, owner = 0, minor = 0, children_minor = 0, major = 0,
       children_major = 0, user = 0, system = 0, children_user = 0, children_system = 0,
       priority = 0, nice = 0;
  unsigned long flags = 0;
  fields >> result.state >> result.parent >> group >> session >> terminal >> owner >> flags >>
      minor >> children_minor >> major >> children_major >> user >> system >> children_user >>
      children_system >> priority >> nice >> result.threads;
  if (!fields) return std::nullopt;
  constexpr unsigned long exiting = 0x4;  // PF_EXITING of the kernel's sched.h
  result.ending = (flags & exiting) != 0 || result.state == 'Z' || result.state == 'X';
  const long ticks = sysconf(_SC_CLK_TCK);
  result.cpu = std::chrono::milliseconds((user + system) * 1000 / (ticks > 0 ? ticks : 100));
  return result;
}

std::optional<std::uint64_t> asleep(pid_t pid) {
#if defined(__linux__)
  std::uint64_t switches = 0;
  for (const pid_t thread : numbers_in(folder_of(pid) + "/task")) {
    const auto text = read_file(folder_of(pid) + "/task/" + std::to_string(thread) + "/status");
    if (!text) continue;  // it has ended since
    std::istringstream lines(*text);
    std::string line;
    while (std::getline(lines, line)) {
      std::istringstream fields(line);
      std::string name, value;
      fields >> name >> value;
      if (name == "State:" && (value == "R" || value == "D")) return std::nullopt;
      if (name.ends_with("voluntary_ctxt_switches:")) switches += std::stoull(value);
    }
    switches += static_cast<std::uint64_t>(thread);  // one that comes or goes changes it, too
  }
  for (const pid_t child : children(pid)) {
    const auto of_child = asleep(child);
    if (!of_child) return std::nullopt;
    switches += *of_child;
  }
  return switches;
#else
  (void)pid;
  return 0;
#endif
}

std::map<pid_t, std::vector<pid_t>> families() {
  std::map<pid_t, std::vector<pid_t>> found;
  for (pid_t candidate : numbers_in("/proc")) {
    if (const auto state = status(candidate)) found[state->parent].push_back(candidate);
  }
  return found;
}

std::vector<pid_t> children(pid_t pid) {
  // /proc/PID/task/TID/children would be quicker but is a kernel option (CONFIG_PROC_CHILDREN).
  std::vector<pid_t> found;
  for (pid_t candidate : numbers_in("/proc")) {
    const auto state = status(candidate);
    if (state && state->parent == pid) found.push_back(candidate);
  }
  return found;
}

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

std::optional<std::size_t> resident_kib(pid_t pid) {
  const auto text = read_file(folder_of(pid) + "/statm");
  if (!text) return std::nullopt;
  std::size_t total = 0, resident = 0;
  if (std::sscanf(text->c_str(), "%zu %zu", &total, &resident) != 2) return std::nullopt;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) / 1024;
}

#if defined(__linux__)

std::string waits_in(pid_t pid) {
  return thread_waits_in(pid, pid);
}

std::vector<std::string> threads_wait_in(pid_t pid) {
  std::vector<std::string> lines;
  for (pid_t thread : numbers_in(folder_of(pid) + "/task")) {
    if (std::string call = thread_waits_in(pid, thread); !call.empty()) lines.push_back(call);
  }
  return lines;
}

#else

std::string waits_in(pid_t) {
  return {};
}
std::vector<std::string> threads_wait_in(pid_t) {
  return {};
}

#endif

#if defined(__linux__) && defined(__GLIBC__)

std::vector<LockWait> lock_waits(pid_t pid) {
  std::vector<LockWait> found;
  const std::vector<pid_t> threads = numbers_in(folder_of(pid) + "/task");
  for (const pid_t thread : threads) {
    const auto text = read_file(folder_of(pid) + "/task/" + std::to_string(thread) + "/syscall");
    long number = -1;
    unsigned long address = 0;
    if (!text || std::sscanf(text->c_str(), "%ld 0x%lx", &number, &address) < 2 ||
        number != SYS_futex) {
      continue;
    }
    // A mutex of glibc begins so; others have waited before if it is 2.
    struct {
      int locked;
      unsigned count;
      int owner;
    } mutex{};
    const iovec here{&mutex, sizeof mutex};
    const iovec there{reinterpret_cast<void*>(address), sizeof mutex};
    constexpr int contended = 2;
    if (process_vm_readv(pid, &here, 1, &there, 1, 0) != static_cast<ssize_t>(sizeof mutex) ||
        mutex.locked != contended || std::ranges::find(threads, mutex.owner) == threads.end()) {
      continue;
    }
    std::string waits = thread_waits_in(pid, mutex.owner);
    if (waits.starts_with("its own code")) waits.clear();
    found.push_back({thread, address, mutex.owner, std::move(waits)});
  }
  return found;
}

#else

std::vector<LockWait> lock_waits(pid_t) {
  return {};
}

#endif

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
