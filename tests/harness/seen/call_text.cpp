// A call as it is written: recv(4, 1024) = 6 "hello ".

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#ifdef __linux__
#include <sys/epoll.h>
#endif

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "harness/base/address.hpp"
#include "harness/base/escape.hpp"
#include "recorder_log.hpp"

namespace kit {
namespace {

using namespace recorder;  // the layout's names, all through this file

struct Name {
  std::int64_t value;
  std::string_view name;
};

template <std::size_t N>
std::string name_of(std::int64_t value, const std::array<Name, N>& names) {
  for (const Name& each : names)
    if (each.value == value) return std::string(each.name);
  return std::to_string(value);
}

// Bits by name, joined by `|`; what is left over as a number.
template <std::size_t N>
std::string names_of(std::int64_t bits, const std::array<Name, N>& names) {
  std::string text;
  const auto add = [&](std::string_view name) {
    if (!text.empty()) text += '|';
    text += name;
  };
  for (const Name& each : names)
    if (each.value && (bits & each.value) == each.value) {
      add(each.name);
      bits &= ~each.value;
    }
  if (bits || text.empty()) add(std::to_string(bits));
  return text;
}

#define KIT_NAME(constant) \
  Name {                   \
    constant, #constant    \
  }

}  // namespace

std::string error_name(int error) {
  // clang-format off
  static constexpr std::array names = {
      KIT_NAME(E2BIG), KIT_NAME(EACCES), KIT_NAME(EADDRINUSE), KIT_NAME(EADDRNOTAVAIL),
      KIT_NAME(EAFNOSUPPORT), KIT_NAME(EAGAIN), KIT_NAME(EALREADY), KIT_NAME(EBADF),
      KIT_NAME(EBADMSG), KIT_NAME(EBUSY), KIT_NAME(ECANCELED), KIT_NAME(ECHILD),
      KIT_NAME(ECONNABORTED), KIT_NAME(ECONNREFUSED), KIT_NAME(ECONNRESET), KIT_NAME(EDEADLK),
      KIT_NAME(EDESTADDRREQ), KIT_NAME(EDOM), KIT_NAME(EDQUOT), KIT_NAME(EEXIST), KIT_NAME(EFAULT),
      KIT_NAME(EFBIG), KIT_NAME(EHOSTDOWN), KIT_NAME(EHOSTUNREACH), KIT_NAME(EIDRM),
      KIT_NAME(EILSEQ), KIT_NAME(EINPROGRESS), KIT_NAME(EINTR), KIT_NAME(EINVAL), KIT_NAME(EIO),
      KIT_NAME(EISCONN), KIT_NAME(EISDIR), KIT_NAME(ELOOP), KIT_NAME(EMFILE), KIT_NAME(EMLINK),
      KIT_NAME(EMSGSIZE), KIT_NAME(ENAMETOOLONG), KIT_NAME(ENETDOWN), KIT_NAME(ENETRESET),
      KIT_NAME(ENETUNREACH), KIT_NAME(ENFILE), KIT_NAME(ENOBUFS), KIT_NAME(ENODEV),
      KIT_NAME(ENOENT), KIT_NAME(ENOEXEC), KIT_NAME(ENOLCK), KIT_NAME(ENOMEM), KIT_NAME(ENOMSG),
      KIT_NAME(ENOPROTOOPT), KIT_NAME(ENOSPC), KIT_NAME(ENOSYS), KIT_NAME(ENOTBLK),
      KIT_NAME(ENOTCONN), KIT_NAME(ENOTDIR), KIT_NAME(ENOTEMPTY), KIT_NAME(ENOTRECOVERABLE),
      KIT_NAME(ENOTSOCK), KIT_NAME(ENOTTY), KIT_NAME(ENXIO), KIT_NAME(EOPNOTSUPP),
      KIT_NAME(ENOTSUP), KIT_NAME(EOVERFLOW), KIT_NAME(EOWNERDEAD), KIT_NAME(EPERM),
      KIT_NAME(EPFNOSUPPORT), KIT_NAME(EPIPE), KIT_NAME(EPROTO), KIT_NAME(EPROTONOSUPPORT),
      KIT_NAME(EPROTOTYPE), KIT_NAME(ERANGE), KIT_NAME(EROFS), KIT_NAME(ESHUTDOWN),
      KIT_NAME(ESOCKTNOSUPPORT), KIT_NAME(ESPIPE), KIT_NAME(ESRCH), KIT_NAME(ESTALE),
      KIT_NAME(ETIME), KIT_NAME(ETIMEDOUT), KIT_NAME(ETOOMANYREFS), KIT_NAME(ETXTBSY),
      KIT_NAME(EUSERS), KIT_NAME(EXDEV)};
  // clang-format on
  return name_of(error, names);
}

namespace {

std::string socket_arguments(const CallRecord& record) {
  static constexpr std::array families = {KIT_NAME(AF_INET), KIT_NAME(AF_INET6), KIT_NAME(AF_UNIX)};
  static constexpr std::array types = {KIT_NAME(SOCK_STREAM), KIT_NAME(SOCK_DGRAM)};
  std::int64_t type = record.arguments[1];
  std::string flags;
#ifdef SOCK_CLOEXEC
  if (type & SOCK_CLOEXEC) flags += "|SOCK_CLOEXEC";
  if (type & SOCK_NONBLOCK) flags += "|SOCK_NONBLOCK";
  type &= ~std::int64_t{SOCK_CLOEXEC | SOCK_NONBLOCK};
#endif
  return name_of(record.arguments[0], families) + ", " + name_of(type, types) + flags;
}

// MSG_NOSIGNAL, on nearly every send, says nothing about what went wrong.
std::string message_flags(std::int64_t flags) {
  static constexpr std::array names = {KIT_NAME(MSG_PEEK),      KIT_NAME(MSG_WAITALL),
                                       KIT_NAME(MSG_TRUNC),     KIT_NAME(MSG_DONTWAIT),
                                       KIT_NAME(MSG_DONTROUTE), KIT_NAME(MSG_OOB)};
#ifdef MSG_NOSIGNAL
  flags &= ~std::int64_t{MSG_NOSIGNAL};
#endif
  return flags ? ", " + names_of(flags, names) : "";
}

std::string epoll_ctl_arguments(const CallRecord& record) {
  const auto& [epoll, operation, fd, events] = record.arguments;
  std::string text = std::to_string(epoll) + ", ";
#ifdef __linux__
  static constexpr std::array operations = {Name{EPOLL_CTL_ADD, "ADD"}, Name{EPOLL_CTL_MOD, "MOD"},
                                            Name{EPOLL_CTL_DEL, "DEL"}};
  static constexpr std::array bits = {Name{EPOLLIN, "IN"}, Name{EPOLLOUT, "OUT"},
                                      Name{EPOLLRDHUP, "RDHUP"}, Name{EPOLLET, "ET"},
                                      Name{EPOLLONESHOT, "ONESHOT"}};
  text += name_of(operation, operations) + ", " + std::to_string(fd);
  if (operation != EPOLL_CTL_DEL) text += ", " + names_of(events, bits);
#else
  text += std::to_string(operation) + ", " + std::to_string(fd) + ", " + std::to_string(events);
#endif
  return text;
}

std::string in_quotes(std::string_view bytes) {
  return '"' + escape(bytes) + '"';
}

std::string address_text(std::string_view raw) {
  sockaddr_storage storage{};
  const std::size_t size = std::min(raw.size(), sizeof storage);
  std::memcpy(&storage, raw.data(), size);
  const bool cut = storage.ss_family == AF_UNIX && size == sizeof(Record::data);
  const auto* address = reinterpret_cast<const sockaddr*>(&storage);
  return escape_text(Address::from(address, static_cast<socklen_t>(size)).text()) +
         (cut ? "…" : "");
}

std::string status_text(std::int64_t status) {
  const int word = static_cast<int>(status);
  if (WIFEXITED(word)) return " (exit " + std::to_string(WEXITSTATUS(word)) + ")";
  if (WIFSIGNALED(word)) return " (signal " + std::to_string(WTERMSIG(word)) + ")";
  return "";
}

// setsockopt(3, SO_REUSEADDR, 1), setsockopt(5, SO_LINGER, 0 s)
std::string option_arguments(const CallRecord& record) {
  static constexpr std::array socket_options = {
      KIT_NAME(SO_REUSEADDR),  KIT_NAME(SO_KEEPALIVE), KIT_NAME(SO_LINGER),
      KIT_NAME(SO_BROADCAST),  KIT_NAME(SO_ERROR),     KIT_NAME(SO_TYPE),
      KIT_NAME(SO_ACCEPTCONN), KIT_NAME(SO_RCVBUF),    KIT_NAME(SO_SNDBUF),
      KIT_NAME(SO_RCVTIMEO),   KIT_NAME(SO_SNDTIMEO),
#ifdef SO_REUSEPORT
      KIT_NAME(SO_REUSEPORT),
#endif
#ifdef SO_PEERCRED
      KIT_NAME(SO_PEERCRED),
#endif
  };
  const auto& [fd, level, name, value] = record.arguments;
  std::string text = std::to_string(fd) + ", ";
  if (level == SOL_SOCKET) {
    text += name_of(name, socket_options);
  } else if (level == IPPROTO_TCP && name == TCP_NODELAY) {
    text += "TCP_NODELAY";
  } else if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY) {
    text += "IPV6_V6ONLY";
  } else {
    text += std::to_string(level) + ", " + std::to_string(name);
  }
  // What getsockopt() has brought is its result: result_text().
  if (value == no_value || !record.returned || !record.is(Calls::setsockopt)) return text;
  if (level != SOL_SOCKET || name != SO_LINGER) return text + ", " + std::to_string(value);
  return text + (value < 0 ? ", off" : ", " + std::to_string(value) + " s");
}

std::string octal(std::int64_t mode) {
  std::string digits;
  for (auto bits = static_cast<std::uint32_t>(mode); bits != 0; bits >>= 3) {
    digits.insert(digits.begin(), static_cast<char>('0' + (bits & 7)));
  }
  return '0' + digits;
}

std::string arguments_text(const CallRecord& record) {
  static constexpr std::array directions = {KIT_NAME(SHUT_RD), KIT_NAME(SHUT_WR),
                                            KIT_NAME(SHUT_RDWR)};
  static constexpr std::array wait_options = {KIT_NAME(WNOHANG), KIT_NAME(WUNTRACED)};
  const auto& arguments = record.arguments;
  const std::string first = std::to_string(arguments[0]);
  const std::string second = std::to_string(arguments[1]);

  if (record.is(Calls::any_recv | Calls::any_send))
    return first + ", " + second + message_flags(arguments[2]);
  if (record.is(Calls::epoll_wait | Calls::epoll_pwait | Calls::epoll_pwait2))
    return first + ", " + second + ", " + std::to_string(arguments[2]);
  if (record.is(Calls::any_wait | Calls::listen)) return first + ", " + second;
  if (record.is(Calls::waitpid | Calls::waitid | Calls::wait4))
    return first + ", " + names_of(arguments[1], wait_options);
  if (record.is(Calls::bind | Calls::connect))
    return first + (record.data.empty() ? "" : ", " + address_text(record.data));
  if (record.is(Calls::any_accept | Calls::close | Calls::getsockname | Calls::getpeername))
    return first;
  if (record.is(Calls::getsockopt | Calls::setsockopt)) return option_arguments(record);
  if (record.is(Calls::umask)) return octal(arguments[0]);
  if (record.is(Calls::fcntl)) {
    static constexpr std::array commands = {KIT_NAME(F_GETFD), KIT_NAME(F_SETFD), KIT_NAME(F_GETFL),
                                            KIT_NAME(F_SETFL)};
    static constexpr std::array flags = {KIT_NAME(O_NONBLOCK), KIT_NAME(O_APPEND)};
    const bool sets = arguments[1] == F_SETFL;
    return first + ", " + name_of(arguments[1], commands) +
           (sets ? ", " + names_of(arguments[2] & ~std::int64_t{O_ACCMODE}, flags) : "");
  }
  if (record.is(Calls::shutdown)) return first + ", " + name_of(arguments[1], directions);
  if (record.is(Calls::socket)) return socket_arguments(record);
  if (record.is(Calls::epoll_ctl)) return epoll_ctl_arguments(record);
  if (record.is(Calls::with_path)) {
    const bool cut = record.data.size() == sizeof(Record::data);
    const std::string path = in_quotes(record.data) + (cut ? "…" : "");
    if (record.is(Calls::rename)) return "…, " + path;
    return path + (record.is(Calls::chmod | Calls::mkdir) ? ", " + octal(arguments[0]) : "");
  }
  return "";
}
#undef KIT_NAME

std::string result_text(const CallRecord& record) {
  if (!record.returned) return record.alive ? " …waiting" : " …never returned";
  std::string text;
  if (record.result == -1) return " = -1" + (record.error ? ' ' + error_name(record.error) : "");
  if (record.is(Calls::any_thread | Calls::posix_spawn) && record.result == 0) return "";
  text = " = " + std::to_string(record.result);
  if (record.is(Calls::umask)) return " = " + octal(record.result);
  if (record.is(Calls::getsockopt) && record.arguments[3] != no_value) {
    const int value = static_cast<int>(record.arguments[3]);
    const bool error = record.arguments[1] == SOL_SOCKET && record.arguments[2] == SO_ERROR;
    return text + " (" + (error && value != 0 ? error_name(value) : std::to_string(value)) + ')';
  }
  if (record.is(Calls::any_recv) && record.result > 0) {
    const std::size_t shown = fitting(record.data, limits::trace_bytes);
    text += ' ' + in_quotes(std::string_view(record.data).substr(0, shown));
    const auto kept = static_cast<std::int64_t>(std::min(shown, record.data.size()));
    if (record.result > kept) text += "…";
  }
  if (record.is(Calls::any_reap) && record.result > 0) text += status_text(record.arguments[2]);
  return text;
}

// What the check did to it, in words: never to be taken for the program's own doing.
std::string injected_text(const CallRecord& record) {
  switch (record.injected) {
    case Action::fail:
      return " (told by the check)";
    case Action::endless:
      return " (filled by the check)";
    case Action::shorten:
      return " (cut short by the check)";
    case Action::hold:
      if (record.returned) return " (held by the check, then let go)";
      // Whoever has ended may have been let go before.
      return record.alive ? " (held by the check)" : " (after the check had held it)";
    case Action::vanish:
      return " (the check took away what waited)";
    case Action::none:
      break;
  }
  return "";
}

}  // namespace

std::optional<std::int64_t> CallRecord::timeout() const {
  if (is(Calls::epoll_wait | Calls::epoll_pwait | Calls::epoll_pwait2)) return arguments[2];
  if (is(Calls::any_wait)) return arguments[1];
  return std::nullopt;
}

std::string CallRecord::text() const {
  return std::string(call_names[static_cast<std::size_t>(call)]) + '(' + arguments_text(*this) +
         ')' + result_text(*this) + injected_text(*this);
}

}  // namespace kit
