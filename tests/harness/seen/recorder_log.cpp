#include "recorder_log.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/futex.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#endif

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "harness/base/address.hpp"
#include "harness/base/escape.hpp"
#include "harness/kernel/landlock.hpp"

namespace kit {

namespace {

using namespace recorder;  // the layout's names, all through this file

template <class Enum>
constexpr std::uint32_t number(Enum value) {
  return static_cast<std::uint32_t>(value);
}

[[noreturn]] void fail_with(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// ---------------------------------------------------------------------------------------------
// Names for numbers.

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

// ---------------------------------------------------------------------------------------------
// Reading a record that the program may be writing, or may have filled with anything.

std::optional<CallRecord> read_record(const SharedRecord& shared) {
  const std::uint64_t sequence = shared.words[0].load(std::memory_order_acquire);
  if (sequence == 0) return std::nullopt;
  std::uint64_t words[record_words];
  words[0] = sequence;
  for (std::size_t i = 1; i < record_words; ++i)
    words[i] = shared.words[i].load(std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_acquire);
  if (shared.words[0].load(std::memory_order_relaxed) != sequence) return std::nullopt;

  Record raw;
  std::memcpy(&raw, words, sizeof raw);
  if (static_cast<std::size_t>(raw.call) >= call_kinds) return std::nullopt;
  if (number(raw.injected) > number(Action::vanish)) raw.injected = Action::none;

  CallRecord record;
  record.sequence = sequence;
  record.pid = raw.pid;
  record.tid = raw.tid;
  record.call = raw.call;
  record.returned = raw.state == State::returned;
  record.injected = raw.injected;
  record.socket = static_cast<Socket>(raw.socket);
  record.error = raw.error;
  record.result = raw.result;
  record.entered_at = raw.entered_at;
  record.returned_at = raw.returned_at;
  if (raw.caller != 0) record.callers.push_back(raw.caller);
  std::copy(std::begin(raw.arguments), std::end(raw.arguments), record.arguments.begin());
  record.data.assign(reinterpret_cast<const char*>(raw.data),
                     std::min<std::size_t>(raw.data_size, sizeof raw.data));
  return record;
}

bool by_sequence(const CallRecord& a, const CallRecord& b) {
  return a.sequence < b.sequence;
}

// Whether the thread is there and no zombie. proc(5): the state follows the last parenthesis.
bool is_alive(int pid, int tid) {
  if (pid <= 0 || tid <= 0) return false;
#ifdef __linux__
  const std::string path =
      "/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/stat";
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char text[512];
  const ssize_t size = ::read(fd, text, sizeof text);
  ::close(fd);
  if (size <= 0) return false;
  const std::string_view line(text, static_cast<std::size_t>(size));
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string_view::npos || name_end + 2 >= line.size()) return false;
  const char state = line[name_end + 2];
  return state != 'Z' && state != 'X' && state != 'x';
#else
  return ::kill(pid, 0) == 0;
#endif
}

void wake(HalfWord& word) {
#ifdef __linux__
  ::syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
#else
  static_cast<void>(word);
#endif
}

int make_shared_file() {
  int fd = -1;
#if defined(__linux__) || defined(__FreeBSD__)
  fd = ::memfd_create("kit-recorder", MFD_CLOEXEC | MFD_ALLOW_SEALING);
#endif
  if (fd < 0) {
    const char* folder = std::getenv("TMPDIR");
    std::string name = std::string(folder && *folder ? folder : "/tmp") + "/kit-recorder-XXXXXX";
    fd = ::mkstemp(name.data());
    if (fd < 0) fail_with("cannot make the recorder's file");
    ::unlink(name.c_str());
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  if (::ftruncate(fd, sizeof(Block)) < 0) {
    const int error = errno;
    ::close(fd);
    errno = error;
    fail_with("cannot size the recorder's file");
  }
  return fd;
}

}  // namespace

// ---------------------------------------------------------------------------------------------

struct FaultHandle::Memory {
  int fd = -1;
  bool sealed = false;
  Block* block = nullptr;
  std::vector<Fault> faults;  // our own list: the program cannot change it
  std::set<std::size_t> withdrawn;
  CallSet armed = 0;

  Memory() : fd(make_shared_file()) {
#ifdef F_ADD_SEALS
    // A program that cut the file short would kill us with SIGBUS.
    sealed = ::fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0;
#endif
    void* at = ::mmap(nullptr, sizeof(Block), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) {
      const int error = errno;
      ::close(fd);
      errno = error;
      fail_with("cannot map the recorder's file");
    }
    block = static_cast<Block*>(at);
    block->size.store(sizeof(Block));
    block->version.store(recorder::version);
    block->magic.store(recorder::magic);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() {
    ::munmap(block, sizeof(Block));
    ::close(fd);
  }

  // Only where the file could not be sealed can the block be missing.
  bool intact() const {
    struct stat now {};
    return sealed || (::fstat(fd, &now) == 0 && now.st_size >= static_cast<off_t>(sizeof(Block)));
  }

  void let_go(std::size_t rule) {
    block->rules[rule].released.store(1);
    wake(block->rules[rule].released);
  }

  void withdraw(std::size_t rule) {
    withdrawn.insert(rule);
    if (!intact()) return;
    block->rules[rule].state.store(number(RuleState::withdrawn));
    let_go(rule);
  }
};

std::uint64_t FaultHandle::delivered() const {
  return memory_->intact() ? memory_->block->rules[rule_].delivered.load() : 0;
}

std::uint64_t FaultHandle::seen() const {
  return memory_->intact() ? memory_->block->rules[rule_].seen.load() : 0;
}

std::uint32_t FaultHandle::holding() const {
  return memory_->intact() ? memory_->block->rules[rule_].waiting.load() : 0;
}

void FaultHandle::release() {
  if (memory_->intact()) memory_->let_go(rule_);
}

void FaultHandle::withdraw() {
  memory_->withdraw(rule_);
}

// ---------------------------------------------------------------------------------------------

Fault Fault::fail(Calls calls, int error) {
  Fault fault;
  fault.action_ = Action::fail;
  fault.calls_ = calls;
  fault.error_ = error;
  return fault;
}

Fault Fault::shorten(Calls calls, std::size_t bytes) {
  Fault fault;
  fault.action_ = Action::shorten;
  fault.calls_ = calls;
  fault.amount_ = std::max<std::size_t>(bytes, 1);  // 0 bytes would mean the end of the stream
  fault.sockets_ = recorder::stream;
  fault.times_ = 0;
  return fault;
}

Fault Fault::hold(Calls calls) {
  Fault fault;
  fault.action_ = Action::hold;
  fault.calls_ = calls;
  return fault;
}

Fault Fault::endless(char byte, std::size_t line) {
  Fault fault;
  fault.action_ = Action::endless;
  fault.calls_ = Calls::any_recv;
  fault.amount_ = line;
  fault.pattern_ = static_cast<unsigned char>(byte);
  fault.sockets_ = recorder::stream;
  fault.times_ = 0;
  return fault;
}

Fault Fault::vanish(Calls calls) {
  Fault fault;
  fault.action_ = Action::vanish;
  fault.calls_ = calls;
  fault.sockets_ = recorder::listener | recorder::datagram;
  return fault;
}

namespace {
template <class Change>
Fault changed(Fault fault, Change change) {
  change(fault);
  return fault;
}
}  // namespace

Fault Fault::at(std::uint64_t nth) const {
  return changed(*this, [&](Fault& fault) { fault.first_ = std::max<std::uint64_t>(nth, 1); });
}
Fault Fault::every(std::uint64_t kth) const {
  return changed(*this, [&](Fault& fault) {
    fault.every_ = std::max<std::uint64_t>(kth, 1);
    if (!fault.times_) fault.times_ = 0;
  });
}
Fault Fault::times(std::uint64_t most) const {
  return changed(*this, [&](Fault& fault) { fault.times_ = most; });
}
Fault Fault::in_a_row() const {
  return changed(*this, [](Fault& fault) { fault.in_a_row_ = true; });
}
Fault Fault::on_streams() const {
  return changed(*this, [](Fault& fault) { fault.sockets_ |= recorder::stream; });
}
Fault Fault::on_datagrams() const {
  return changed(*this, [](Fault& fault) { fault.sockets_ |= recorder::datagram; });
}
Fault Fault::on_listeners() const {
  return changed(*this, [](Fault& fault) { fault.sockets_ |= recorder::listener; });
}
Fault Fault::descriptor(int fd) const {
  return changed(*this, [&](Fault& fault) { fault.descriptor_ = fd; });
}
Fault Fault::one_descriptor() const {
  return changed(*this, [](Fault& fault) { fault.sticky_ = true; });
}
Fault Fault::peer(std::uint16_t port) const {
  return changed(*this, [&](Fault& fault) { fault.peer_port_ = port; });
}
Fault Fault::for_at_most(std::chrono::milliseconds time) const {
  return changed(*this, [&](Fault& fault) { fault.longest_hold_ = time; });
}

// ---------------------------------------------------------------------------------------------

std::optional<std::int64_t> CallRecord::timeout() const {
  if (is(Calls::epoll_wait | Calls::epoll_pwait | Calls::epoll_pwait2)) return arguments[2];
  if (is(Calls::any_wait)) return arguments[1];
  return std::nullopt;
}

std::string CallRecord::text() const {
  return std::string(call_names[static_cast<std::size_t>(call)]) + '(' + arguments_text(*this) +
         ')' + result_text(*this) + injected_text(*this);
}

// ---------------------------------------------------------------------------------------------

RecorderLog::RecorderLog() : memory_(std::make_shared<FaultHandle::Memory>()) {}

bool RecorderLog::available() noexcept {
#if defined(__linux__) && !defined(KIT_NO_RECORDER)
  return !is_left_out("recorder");
#else
  return false;
#endif
}

int RecorderLog::fd() const noexcept {
  return memory_->fd;
}

bool RecorderLog::attached() const {
  return memory_->intact() && memory_->block->attached.load() != 0;
}

FaultHandle RecorderLog::add(const Fault& fault) {
  const std::size_t index = memory_->faults.size();
  if (index >= rule_count) throw std::length_error("no more than 32 faults a program");
  memory_->faults.push_back(fault);
  memory_->armed |= fault.calls_.bits();
  FaultHandle handle(memory_, index);
  if (!memory_->intact()) return handle;

  Rule& rule = memory_->block->rules[index];
  rule.action.store(number(fault.action_));
  rule.calls.store(fault.calls_.bits());
  rule.sockets.store(fault.sockets_);
  rule.error.store(static_cast<std::uint32_t>(fault.error_));
  rule.first.store(fault.first_);
  rule.every.store(fault.every_);
  rule.times.store(fault.times_.value_or(1));
  rule.in_a_row.store(fault.in_a_row_);
  rule.peer_port.store(fault.peer_port_);
  rule.descriptor.store(static_cast<std::uint32_t>(fault.descriptor_ + 1));
  rule.sticky.store(fault.sticky_);
  rule.pattern.store(fault.pattern_);
  rule.amount.store(fault.amount_);
  rule.hold_ms.store(static_cast<std::uint32_t>(
      std::clamp<std::chrono::milliseconds::rep>(fault.longest_hold_.count(), 0, INT_MAX)));
  rule.state.store(number(RuleState::active), std::memory_order_release);
  memory_->block->rules_end.store(static_cast<std::uint32_t>(index + 1));
  memory_->block->armed.store(memory_->armed);
  return handle;
}

void RecorderLog::release_all() {
  if (!memory_->intact()) return;
  for (std::size_t rule = 0; rule < memory_->faults.size(); ++rule) memory_->let_go(rule);
}

void RecorderLog::withdraw_all() {
  for (std::size_t rule = 0; rule < memory_->faults.size(); ++rule) memory_->withdraw(rule);
}

namespace {
std::optional<CallRecord> first_of(const Noticed& noticed) {
  if (noticed.count.load() == 0) return std::nullopt;
  auto record = read_record(noticed.first);
  if (!record) return CallRecord{};  // it is being written, or is nonsense: noticed all the same
  record->returned = true;
  record->callers.clear();
  for (const Word& caller : noticed.callers) {
    const std::uint64_t address = caller.load(std::memory_order_relaxed);
    if (address == 0) break;
    record->callers.push_back(address);
  }
  return record;
}

// Of a set of calls the name that stands first: "recv" for all that receive.
std::string_view first_name(Calls calls) {
  for (std::size_t call = 0; call < call_kinds; ++call)
    if (calls.contains(static_cast<Call>(call))) return call_names[call];
  return "";
}
}  // namespace

std::optional<CallRecord> RecorderLog::closed_used() const {
  return memory_->intact() ? first_of(memory_->block->closed) : std::nullopt;
}

std::optional<CallRecord> RecorderLog::turning() const {
  return memory_->intact() ? first_of(memory_->block->turning) : std::nullopt;
}

std::optional<CallRecord> RecorderLog::dozing() const {
  return memory_->intact() ? first_of(memory_->block->dozing) : std::nullopt;
}

std::uint64_t RecorderLog::turns_most() const {
  return memory_->intact() ? memory_->block->turns_most.load() : 0;
}

std::size_t RecorderLog::heap() const {
  return memory_->intact() ? static_cast<std::size_t>(memory_->block->heap.load()) : 0;
}

std::size_t RecorderLog::heap_at_rest() const {
  return memory_->intact() ? static_cast<std::size_t>(memory_->block->heap_at_rest.load()) : 0;
}

std::vector<RecorderLog::Delivered> RecorderLog::delivered() const {
  std::vector<Delivered> all;
  if (!memory_->intact()) return all;
  for (std::size_t rule = 0; rule < memory_->faults.size(); ++rule) {
    const Fault& fault = memory_->faults[rule];
    std::string text(first_name(fault.calls_));
    switch (fault.action_) {
      case Action::fail:
        text += ' ' + error_name(fault.error_);
        break;
      case Action::shorten:
        text += " short";
        break;
      case Action::hold:
        text += " held";
        break;
      case Action::endless:
        text += " endless";
        break;
      case Action::vanish:
        text += " vanished";
        break;
      case Action::none:
        break;
    }
    all.push_back({std::move(text), memory_->block->rules[rule].delivered.load()});
  }
  return all;
}

namespace {
std::uint64_t sum(const Word (&counters)[64], Calls calls) {
  std::uint64_t total = 0;
  for (std::size_t call = 0; call < call_kinds; ++call)
    if (calls.contains(static_cast<Call>(call))) total += counters[call].load();
  return total;
}
}  // namespace

std::uint64_t RecorderLog::count(Calls calls) const {
  return memory_->intact() ? sum(memory_->block->entered, calls) : 0;
}

std::uint64_t RecorderLog::failed(Calls calls) const {
  return memory_->intact() ? sum(memory_->block->failed, calls) : 0;
}

std::uint64_t RecorderLog::sent() const {
  return memory_->intact() ? memory_->block->sent.load() : 0;
}

bool RecorderLog::faults_are_ours() const {
  if (!memory_->intact()) return false;
  for (std::size_t i = 0; i < memory_->faults.size(); ++i) {
    const Fault& fault = memory_->faults[i];
    const Rule& rule = memory_->block->rules[i];
    const bool withdrawn = memory_->withdrawn.contains(i);
    const bool same =
        rule.state.load() == number(withdrawn ? RuleState::withdrawn : RuleState::active) &&
        rule.action.load() == number(fault.action_) && rule.calls.load() == fault.calls_.bits() &&
        rule.sockets.load() == fault.sockets_ && rule.first.load() == fault.first_ &&
        rule.every.load() == fault.every_ && rule.times.load() == fault.times_.value_or(1);
    if (!same) return false;
  }
  return memory_->block->rules_end.load() == memory_->faults.size() &&
         memory_->block->armed.load() == memory_->armed;
}

std::vector<CallRecord> RecorderLog::records(std::size_t last) const {
  std::vector<CallRecord> found;
  if (!memory_->intact()) return found;
  for (const SharedRecord& shared : memory_->block->ring)
    if (auto record = read_record(shared); record && record->returned)
      found.push_back(std::move(*record));
  std::sort(found.begin(), found.end(), by_sequence);
  if (found.size() > last) found.erase(found.begin(), found.end() - static_cast<long>(last));
  return found;
}

void RecorderLog::keep_times() {
  if (memory_->intact()) memory_->block->timed.store(1);
}

std::vector<CallRecord> RecorderLog::since(std::uint64_t& seen, std::uint64_t& lost) const {
  std::vector<CallRecord> found;
  if (!memory_->intact()) return found;
  const std::uint64_t end = memory_->block->next.load(std::memory_order_acquire);
  if (end < seen) return found;  // it is not ours to say what the program has made of it
  if (end - seen > ring_size) {
    lost += end - seen - ring_size;
    seen = end - ring_size;
  }
  for (; seen < end; ++seen) {
    auto record = read_record(memory_->block->ring[seen % ring_size]);
    // One that is being written: the next time.
    if (!record || record->sequence <= seen) break;
    if (record->sequence == seen + 1 && record->returned) found.push_back(std::move(*record));
  }
  return found;
}

std::vector<CallRecord> RecorderLog::under_way() const {
  std::vector<CallRecord> found;
  if (!memory_->intact()) return found;
  for (const OpenCall& slot : memory_->block->open) {
    if (slot.owner.load(std::memory_order_acquire) == 0) continue;
    auto record = read_record(slot.record);
    if (!record) continue;
    record->returned = false;
    record->alive = is_alive(record->pid, record->tid);
    found.push_back(std::move(*record));
  }
  std::sort(found.begin(), found.end(), by_sequence);
  return found;
}

std::vector<CallRecord> RecorderLog::pending() const {
  std::vector<CallRecord> found = under_way();
  std::erase_if(found, [](const CallRecord& record) { return !record.alive; });
  return found;
}

bool RecorderLog::pending(Calls calls) const {
  const std::vector<CallRecord> found = pending();
  return std::any_of(found.begin(), found.end(),
                     [&](const CallRecord& record) { return record.is(calls); });
}

std::optional<CallRecord> RecorderLog::last_wait() const {
  for (auto calls : {pending(), records(ring_size)}) {
    const auto newest = std::find_if(calls.rbegin(), calls.rend(), [](const CallRecord& record) {
      return record.is(Calls::any_wait);
    });
    if (newest != calls.rend()) return *newest;
  }
  return std::nullopt;
}

namespace {

// An entry of a trace, which may stand for several calls: what stands before its descriptor, the
// descriptor, and the rest; or all of it as `before`, where there is none.
struct Told {
  std::string before{}, after{};
  std::string who{};       // "[1234] ", if there are several processes
  bool continues = false;  // it belongs to the row that began above
  bool begins = false;     // a row that takes several lines
  std::int64_t fd = -1;
  std::size_t calls = 1;
  std::size_t injected = 0;  // how many of them the check had a hand in

  std::string text() const { return before + (fd < 0 ? "" : std::to_string(fd)) + after; }
  bool same_as(const Told& other) const {
    return fd == other.fd && before == other.before && after == other.after && who == other.who;
  }
  // The same, of another descriptor perhaps.
  bool like(const Told& other) const {
    return fd >= 0 && other.fd >= 0 && before == other.before && after == other.after &&
           who == other.who;
  }
};

std::string cut_to(std::string text, std::size_t columns) {
  if (width_of(text) <= columns) return text;
  return text.substr(0, bytes_of(text, columns - 1)) + "…";
}

Told told(const CallRecord& call, bool says_who, std::size_t columns) {
  Told entry;
  entry.who = says_who ? '[' + std::to_string(call.pid) + "] " : "";
  // Room for " ×1,000" behind it; of what is too wide, the bytes are cut, and not what follows.
  constexpr std::size_t number = 8;
  const std::size_t room = columns - entry.who.size() - number;
  CallRecord shown = call;
  while (width_of(shown.text()) > room && shown.is(Calls::any_recv) && shown.data.size() > 4) {
    shown.data.resize(shown.data.size() - 1);
  }
  const std::string text = cut_to(shown.text(), room);
  entry.injected = call.injected == Action::none ? 0 : 1;
  const std::size_t open = text.find('(') + 1;
  const std::string fd = std::to_string(call.arguments[0]);
  const bool has_descriptor = !call.is(Calls::any_wait | Calls::any_reap | Calls::umask) &&
                              call.arguments[0] >= 0 &&
                              std::string_view(text).substr(open).starts_with(fd);
  entry.before = has_descriptor ? text.substr(0, open) : text;
  if (has_descriptor) {
    entry.fd = call.arguments[0];
    entry.after = text.substr(open + fd.size());
  }
  return entry;
}

// How often the `length` entries from `at` on come one after the other.
std::size_t repeats(const std::vector<Told>& calls, std::size_t at, std::size_t length) {
  std::size_t times = 1;
  for (; at + (times + 1) * length <= calls.size(); ++times) {
    for (std::size_t i = 0; i < length; ++i) {
      const bool one_process = calls[at + i].who == calls[at].who;
      if (!one_process || !calls[at + i].same_as(calls[at + times * length + i])) return times;
    }
  }
  return times;
}

// The same call again and again is told once, and so is a row of up to four calls: (a   b) ×9; the
// same of one descriptor after the other: close(5…54) = 0 ×50.
std::vector<Told> without_repeats(const std::vector<Told>& calls, std::size_t columns) {
  constexpr std::size_t longest_row = 4;
  constexpr std::size_t least_alike = 4;
  std::vector<Told> result;
  for (std::size_t at = 0; at < calls.size();) {
    std::size_t row = 1;
    std::size_t times = repeats(calls, at, 1);
    while (times == 1 && ++row <= longest_row) {
      times = repeats(calls, at, row);
      if (times == 2) times = 1;  // twice the same few calls are told as they are
    }
    const auto injected = [&](std::size_t from, std::size_t count) {
      std::size_t sum = 0;
      for (std::size_t i = 0; i < count; ++i) sum += calls[from + i].injected;
      return sum;
    };
    if (times > 1) {
      // A row that has room in one line stays in one.
      const std::string many = (row > 1 ? ") ×" : " ×") + with_commas(times);
      Told all{.before = row > 1 ? "(" : "", .who = calls[at].who, .calls = row * times};
      std::vector<Told> each;
      for (std::size_t i = 0; i < row; ++i) {
        const std::size_t by_check = calls[at + i].injected * times;
        const std::string text = calls[at + i].text();
        all.before += (i == 0 ? "" : "   ") + text;
        all.injected += by_check;
        each.push_back({.before = (i == 0 && row > 1 ? "(" : "") + text,
                        .who = calls[at].who,
                        .continues = i > 0,
                        .begins = i == 0 && row > 1,
                        .calls = times,
                        .injected = by_check});
      }
      all.before += many;
      each.back().before += many;
      if (all.who.size() + width_of(all.before) <= columns) each = {std::move(all)};
      result.insert(result.end(), each.begin(), each.end());
      at += row * times;
      continue;
    }
    std::size_t alike = 1;
    Told entry = calls[at];
    std::int64_t most = entry.fd;
    while (at + alike < calls.size() && calls[at].like(calls[at + alike])) {
      entry.fd = std::min(entry.fd, calls[at + alike].fd);
      most = std::max(most, calls[at + alike].fd);
      ++alike;
    }
    if (alike < least_alike) {
      result.push_back(calls[at++]);
      continue;
    }
    entry.after = "…" + std::to_string(most) + entry.after + " ×" + with_commas(alike);
    result.push_back({.before = entry.text(),
                      .who = entry.who,
                      .calls = alike,
                      .injected = injected(at, alike)});
    at += alike;
  }
  return result;
}

// As many to a line as there is room for.
struct TraceLine {
  std::string text;
  bool continues = false;  // its first entry belongs to a row that began above
  std::size_t calls = 0, injected = 0;
};
std::vector<TraceLine> in_trace_lines(const std::vector<Told>& entries,
                                      const RecorderLog::Layout& layout) {
  constexpr std::size_t gap = 3;
  std::vector<TraceLine> lines;
  std::string who;
  for (const Told& entry : entries) {
    // Whose call it is, where that is another than the one before.
    std::string text = (entry.who == who ? "" : entry.who) + entry.text();
    if (lines.empty() || entry.begins ||
        width_of(lines.back().text) + gap + width_of(text) > layout.columns) {
      text = entry.who + entry.text();
      lines.push_back({std::string(layout.indent, ' '), entry.continues});
    } else {
      lines.back().text += std::string(gap, ' ');
    }
    who = entry.who;
    lines.back().text += text;
    lines.back().calls += entry.calls;
    lines.back().injected += entry.injected;
  }
  return lines;
}

}  // namespace

std::vector<CallRecord> RecorderLog::first_records() const {
  std::vector<CallRecord> found;
  if (!memory_->intact()) return found;
  for (const SharedRecord& shared : memory_->block->first)
    if (auto record = read_record(shared); record && record->returned)
      found.push_back(std::move(*record));
  std::sort(found.begin(), found.end(), by_sequence);
  return found;
}

std::string RecorderLog::text(Layout layout) const {
  if (!memory_->intact()) return "";
  std::vector<CallRecord> last = records(layout.last);
  std::vector<CallRecord> first = first_records();
  const std::uint64_t from = last.empty() ? 0 : last.front().sequence;
  std::erase_if(first, [from](const CallRecord& call) { return call.sequence >= from; });
  const std::uint64_t between =
      last.empty() ? 0 : from - 1 - std::min<std::uint64_t>(from - 1, first.size());
  for (CallRecord& record : under_way()) last.push_back(std::move(record));
  if (between == 0) {
    last.insert(last.begin(), first.begin(), first.end());
    first.clear();
  }
  std::set<int> processes;
  for (const CallRecord& record : first) processes.insert(record.pid);
  for (const CallRecord& record : last) processes.insert(record.pid);
  const auto lines_of = [&](const std::vector<CallRecord>& calls) {
    std::vector<Told> entries;
    for (const CallRecord& call : calls) {
      entries.push_back(told(call, processes.size() > 1, layout.columns - layout.indent));
    }
    return in_trace_lines(without_repeats(entries, layout.columns - layout.indent), layout);
  };

  // The first few lines, how many calls are left out, and the last lines.
  constexpr std::size_t first_lines = 3;
  std::vector<TraceLine> head = lines_of(first);
  std::vector<TraceLine> tail = lines_of(last);
  const bool in_one = first.empty();
  if (in_one) std::swap(head, tail);
  const bool cut = !in_one || (layout.lines > 0 && head.size() > layout.lines);
  std::uint64_t left_out = between;
  std::uint64_t injected = 0;
  const auto leave_out = [&](std::vector<TraceLine>& lines, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      left_out += lines[i].calls, injected += lines[i].injected;
    lines.erase(lines.begin() + static_cast<long>(begin), lines.begin() + static_cast<long>(end));
  };
  if (cut) {
    // A row is told whole, or not at all.
    const auto row_begin = [](const std::vector<TraceLine>& lines, std::size_t at) {
      while (at > 0 && at < lines.size() && lines[at].continues) --at;
      return at;
    };
    const auto row_end = [](const std::vector<TraceLine>& lines, std::size_t at) {
      while (at < lines.size() && lines[at].continues) ++at;
      return at;
    };
    const std::size_t shown = row_begin(head, std::min(first_lines, head.size()));
    if (in_one) {
      tail.assign(head.begin() + static_cast<long>(shown), head.end());
      head.resize(shown);
    }
    leave_out(head, shown, head.size());
    const std::size_t room = layout.lines == 0 ? tail.size() : layout.lines - head.size() - 1;
    if (tail.size() > room) leave_out(tail, 0, row_end(tail, tail.size() - room));
  }
  std::string text;
  for (const TraceLine& line : head) text += line.text + '\n';
  if (cut) {
    text += std::string(layout.indent, ' ') + "… " + counted(left_out, "more call") +
            (injected > 0 ? ", " + with_commas(injected) + " of them told, cut or held by the check"
                          : "") +
            " …\n";
  }
  for (const TraceLine& line : tail) text += line.text + '\n';
  return text;
}

}  // namespace kit
