// The recorder: stands between a checked program and its system calls (`-Wl,--wrap=…`, see
// wraps.cmake), writes the calls down and delivers the faults that the check asks for.
//
// What it must not do decides how it looks:
//  - hide a data race. It is compiled without sanitizers, takes no lock, and calls nothing that
//    ThreadSanitizer intercepts, not even memcpy: its atomics are invisible to TSan, and two
//    threads that meet here stay unordered in TSan's eyes.
//  - disturb a signal handler: every wrapper is async-signal-safe.
//  - be seen. Without KIT_RECORDER each wrapper is one test and the real call; with it, the
//    descriptor that brought the block is closed before main, and errno is left as the call left
//    it.
#include "recorder_block.hpp"

#include <fcntl.h>
#include <link.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstddef>
#include <initializer_list>
#include <new>
#include <type_traits>

#ifdef __GLIBCXX__
#include <bits/functexcept.h>  // std::__throw_system_error: what std::thread itself throws with
#endif

using namespace kit::recorder;  // NOLINT: this file has no other business

extern "C" int __real_poll(pollfd*, nfds_t, int);  // what the linker calls the poll behind ours
extern "C" long __real_syscall(long, ...);
// ASan and TSan keep the count. (None of its names is the kit's: the sanitizer's interface.)
extern "C" std::size_t __sanitizer_get_current_allocated_bytes() __attribute__((weak));

namespace {

Block* block = nullptr;

// ---------------------------------------------------------------------------------------------
// Who calls. A system call costs about 100 ns here, so both numbers are kept: the process's on a
// page that the kernel zeroes in a forked child (madvise(2), MADV_WIPEONFORK), however it forked.

HalfWord* cached_pid = nullptr;

struct Self {
  pid_t pid;  // the process for which tid was asked
  pid_t tid;
  std::uint32_t just_failed;  // bit r: rule r failed this thread's last call of its kind
  std::uint32_t turns;        // its last calls that brought nothing
  std::uint32_t dozes;        // its last waits that were only waited out
  std::uint32_t naps;         // its last sleeps, each after a look that found nothing
  bool found_nothing;         // it has looked so, and not slept since
  bool woke_itself;           // it has written to what is no socket, perhaps its own pipe
  int unknown;                // one more than the descriptor its last poll found closed, or 0
};
thread_local Self self;

pid_t process_id() {
  if (!cached_pid) return static_cast<pid_t>(__real_syscall(SYS_getpid));
  auto pid = static_cast<pid_t>(cached_pid->load(std::memory_order_relaxed));
  if (pid == 0) {
    pid = static_cast<pid_t>(__real_syscall(SYS_getpid));
    cached_pid->store(static_cast<std::uint32_t>(pid), std::memory_order_relaxed);
  }
  return pid;
}

pid_t thread_id(pid_t pid) {
  if (self.pid != pid) {
    self.tid = static_cast<pid_t>(__real_syscall(SYS_gettid));
    self.pid = pid;
  }
  return self.tid;
}

// ---------------------------------------------------------------------------------------------
// Finding the block, before any other constructor of the program.

int descriptor_from_environment() {
  constexpr int none = -1;
  for (char** entry = environ; entry && *entry; ++entry) {
    const char* name = environment_variable;
    const char* text = *entry;
    while (*name && *name == *text) ++name, ++text;
    if (*name || *text != '=') continue;
    for (char** rest = entry; *rest; ++rest) *rest = rest[1];
    int number = 0;
    for (++text; *text >= '0' && *text <= '9' && number < 100'000; ++text)
      number = number * 10 + (*text - '0');
    return *text ? none : number;
  }
  return none;
}

constexpr std::size_t page_size = 4096;

// Where the program's own code lies, and how far from where its file has it.
std::uint64_t program_begin = 0;
std::uint64_t program_end = 0;
std::uint64_t program_moved_by = 0;

// As the program's file has it; 0 of what is not its code.
std::uint64_t place_in_program(std::uint64_t address) {
  const bool own = address >= program_begin && address < program_end;
  return own ? address - program_moved_by : 0;
}

int find_program(dl_phdr_info* info, std::size_t, void*) {
  program_moved_by = info->dlpi_addr;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& part = info->dlpi_phdr[i];
    if (part.p_type != PT_LOAD || !(part.p_flags & PF_X)) continue;
    program_begin = info->dlpi_addr + part.p_vaddr;
    program_end = program_begin + part.p_memsz;
  }
  return 1;  // the program itself comes first
}

void trap_bare_calls();  // recorder_trap.hpp

void* map(std::size_t size, int flags, int fd) {
  const long at = __real_syscall(SYS_mmap, nullptr, size, PROT_READ | PROT_WRITE, flags, fd, 0L);
  return at == -1 ? nullptr : reinterpret_cast<void*>(at);
}

__attribute__((constructor(101))) void attach() {
  const int fd = descriptor_from_environment();
  if (fd < 0) return;
  // A smaller file would be a SIGBUS later.
  if (__real_syscall(SYS_lseek, fd, 0, SEEK_END) < static_cast<long>(sizeof(Block))) return;
  auto* found = static_cast<Block*>(map(sizeof(Block), MAP_SHARED, fd));
  if (!found) return;
  if (found->magic.load() != magic || found->version.load() != version) return;
  __real_syscall(SYS_close, fd);

  void* page = map(page_size, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (page && __real_syscall(SYS_madvise, page, page_size, MADV_WIPEONFORK) == 0)
    cached_pid = new (page) HalfWord{0};
  found->attached.store(static_cast<std::uint32_t>(process_id()));
  dl_iterate_phdr(find_program, nullptr);
  block = found;
  trap_bare_calls();
}

// ---------------------------------------------------------------------------------------------
// What a descriptor is.

Socket socket_of(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  const int before = errno;
  const long got = __real_syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, &type, &size);
  const int error = errno;
  errno = before;
  if (got < 0) return error == EBADF ? bad_descriptor : no_socket;
  if (type == SOCK_DGRAM) return datagram;
  return type == SOCK_STREAM ? stream : other_socket;
}

Socket socket_or_listener(int fd) {
  const Socket kind = socket_of(fd);
  if (kind != stream) return kind;
  int listening = 0;
  socklen_t size = sizeof listening;
  const int before = errno;
  __real_syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size);
  errno = before;
  return listening ? listener : stream;
}

unsigned port_of(const void* address, std::size_t size) {
  const auto* bytes = static_cast<const volatile unsigned char*>(address);
  if (!address || size < sizeof(sockaddr_in)) return 0;
  const auto family = static_cast<const sockaddr*>(address)->sa_family;
  if (family != AF_INET && family != AF_INET6) return 0;
  return bytes[2] * 256U + bytes[3];  // sin_port and sin6_port stand at the same place
}

unsigned peer_port_of(int fd) {
  sockaddr_storage address;
  socklen_t size = sizeof address;
  const int before = errno;
  const long got = __real_syscall(SYS_getpeername, fd, &address, &size);
  errno = before;
  return got < 0 ? 0 : port_of(&address, size);
}

// ---------------------------------------------------------------------------------------------
// Rules.

struct Target {
  Call call;
  int fd = -1;              // -1: the call has no descriptor
  std::uint64_t bytes = 0;  // how much a send or receive asked for
  bool receives = false;
  const void* to = nullptr;  // where a datagram goes
  std::size_t to_size = 0;
  const void* goes_on = nullptr;  // where the caller does, of calls that lead to a learner's line

  Target from(const void* caller) const {
    Target target = *this;
    target.goes_on = caller;
    return target;
  }
};

struct Fault {
  Action action = Action::none;
  int error = 0;
  std::uint64_t amount = 0;
  unsigned char pattern = 0;
  Rule* held_by = nullptr;
};

// What costs a system call is asked once a call, and only if a rule wants to know.
struct Known {
  Socket kind = not_asked;
  unsigned port = 0;
  bool port_asked = false;
};

bool applies(const Rule& rule, const Target& target, Known& known) {
  if (rule.state.load(std::memory_order_acquire) != static_cast<std::uint32_t>(RuleState::active))
    return false;
  if (!(rule.calls.load(std::memory_order_relaxed) & set_of(target.call))) return false;

  const auto here = static_cast<std::uint32_t>(target.fd) + 1;
  const auto only = rule.descriptor.load(std::memory_order_relaxed);
  if (only && only != here) return false;
  const auto sticky = rule.sticky_descriptor.load(std::memory_order_relaxed);
  if (sticky && sticky != here) return false;

  if (const auto sockets = rule.sockets.load(std::memory_order_relaxed)) {
    if (target.fd < 0) return false;
    if (known.kind == not_asked)
      known.kind = target.bytes ? socket_of(target.fd) : socket_or_listener(target.fd);
    if (!(sockets & known.kind)) return false;
  }
  if (const auto port = rule.peer_port.load(std::memory_order_relaxed)) {
    if (target.fd < 0) return false;
    if (!known.port_asked) {
      known.port = target.to ? port_of(target.to, target.to_size) : peer_port_of(target.fd);
      known.port_asked = true;
    }
    if (port != known.port) return false;
  }
  return true;
}

bool something_waits(int fd) {
  pollfd one{fd, POLLIN, 0};
  timespec at_once{};
  const int before = errno;
  const long ready = __real_syscall(SYS_ppoll, &one, 1, &at_once, nullptr, 0);
  errno = before;
  return ready == 1;
}

// As if who waits at the socket had gone again between the wait for readiness and this call.
void take_away(const Target& target) {
  if (target.receives) {
    char byte;  // the rest of the datagram is cut off
    __real_syscall(SYS_recvfrom, target.fd, &byte, sizeof byte, MSG_DONTWAIT, nullptr, nullptr);
  } else if (const long fd = __real_syscall(SYS_accept4, target.fd, nullptr, nullptr, 0); fd >= 0) {
    __real_syscall(SYS_close, fd);
  }
}

// Whether the rule's turn has come; the turn is used up by `take`.
bool is_due(Rule& rule, unsigned index, Action action, const Target& target) {
  const std::uint64_t seen = rule.seen.fetch_add(1, std::memory_order_relaxed) + 1;
  const std::uint32_t mine = 1U << index;
  const bool failed_before = self.just_failed & mine;
  self.just_failed &= ~mine;

  const std::uint64_t first = rule.first.load(std::memory_order_relaxed);
  const std::uint64_t every = rule.every.load(std::memory_order_relaxed);
  if (seen < first || (every > 1 && (seen - first) % every != 0)) return false;
  switch (action) {
    case Action::fail:
      return !failed_before || rule.in_a_row.load(std::memory_order_relaxed);
    case Action::shorten:
      return target.bytes > rule.amount.load(std::memory_order_relaxed);
    case Action::endless:
      return target.receives && target.bytes > 0;
    case Action::hold:
      return !rule.released.load(std::memory_order_relaxed);
    case Action::vanish:
      return something_waits(target.fd);
    case Action::none:
      break;
  }
  return false;
}

bool take(Rule& rule, int fd) {
  const std::uint64_t times = rule.times.load(std::memory_order_relaxed);
  std::uint64_t delivered = rule.delivered.load(std::memory_order_relaxed);
  do {
    if (times && delivered >= times) return false;
  } while (
      !rule.delivered.compare_exchange_weak(delivered, delivered + 1, std::memory_order_relaxed));
  if (rule.sticky.load(std::memory_order_relaxed) && fd >= 0) {
    std::uint32_t nobody = 0;
    rule.sticky_descriptor.compare_exchange_strong(nobody, static_cast<std::uint32_t>(fd) + 1,
                                                   std::memory_order_relaxed);
  }
  return true;
}

// Each rule counts the calls that it is for; the first one whose turn has come is delivered.
Fault choose_fault(const Target& target, Known& known) {
  Fault fault;
  auto end = block->rules_end.load(std::memory_order_acquire);
  if (end > rule_count) end = rule_count;
  for (unsigned index = 0; index < end; ++index) {
    Rule& rule = block->rules[index];
    if (!applies(rule, target, known)) continue;
    const auto action = static_cast<Action>(rule.action.load(std::memory_order_relaxed));
    const bool due = is_due(rule, index, action, target);
    if (!due || fault.action != Action::none || !take(rule, target.fd)) continue;

    fault.action = action;
    fault.error = static_cast<int>(rule.error.load(std::memory_order_relaxed));
    fault.amount = rule.amount.load(std::memory_order_relaxed);
    fault.pattern = static_cast<unsigned char>(rule.pattern.load(std::memory_order_relaxed));
    if (action == Action::hold) fault.held_by = &rule;
    if (action == Action::fail) self.just_failed |= 1U << index;
  }
  return fault;
}

std::int64_t now_ms() {
  timespec now{};
  __real_syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

// A futex (futex(2)): the check wakes it with one system call, from its own process. A signal
// handler runs while the call is held; the hold itself goes on. (TSan keeps a signal back until the
// thread enters a blocking call that it knows, hence the empty poll.)
void hold(Rule& rule) {
  const std::int64_t end = now_ms() + rule.hold_ms.load(std::memory_order_relaxed);
  rule.waiting.fetch_add(1);
  while (!rule.released.load() &&
         rule.state.load() == static_cast<std::uint32_t>(RuleState::active)) {
    const std::int64_t left = end - now_ms();
    if (left <= 0) break;
    timespec slice{};
    slice.tv_sec = static_cast<time_t>(left / 1000);
    slice.tv_nsec = static_cast<long>(left % 1000) * 1'000'000;
    if (__real_syscall(SYS_futex, &rule.released, FUTEX_WAIT, 0, &slice, nullptr, 0) < 0 &&
        errno == EINTR)
      __real_poll(nullptr, 0, 0);
  }
  rule.waiting.fetch_sub(1);
}

// ---------------------------------------------------------------------------------------------
// Writing down.

using AliasedWord = std::uint64_t __attribute__((may_alias));

// By the system call itself: a sanitizer stands before the library's function.
std::int64_t now_if_timed() {
  if (block->timed.load(std::memory_order_relaxed) == 0) return 0;
  timespec now{};
  const int before = errno;
  __real_syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  errno = before;
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// Word by word, by atomics: a plain loop would become a call of memcpy, which TSan watches.
void copy_record(const Record& from, SharedRecord& to) {
  const auto* words = reinterpret_cast<const AliasedWord*>(&from);
  const std::size_t header = offsetof(Record, data) / sizeof(std::uint64_t);
  const std::size_t used = header + (from.data_size + 7) / sizeof(std::uint64_t);
  for (std::size_t i = 1; i < used; ++i) to.words[i].store(words[i], std::memory_order_relaxed);
}

void put(const Record& record, SharedRecord& slot, std::uint64_t ticket) {
  slot.words[0].store(0, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  copy_record(record, slot);
  slot.words[0].store(ticket + 1, std::memory_order_release);
}

void publish(const Record& record) {
  const std::uint64_t ticket = block->next.fetch_add(1, std::memory_order_relaxed);
  put(record, block->ring[ticket % ring_size], ticket);
  if (ticket < first_size) put(record, block->first[ticket], ticket);
}

// With the table full a call is not shown while it is under way, only when it has returned.
OpenCall* open_call(const Record& record) {
  const auto start = static_cast<std::uint32_t>(record.tid);
  for (std::uint32_t i = 0; i < open_size; ++i) {
    OpenCall& slot = block->open[(start + i) % open_size];
    std::uint32_t nobody = 0;
    if (slot.owner.load(std::memory_order_relaxed) ||
        !slot.owner.compare_exchange_strong(nobody, start, std::memory_order_acquire))
      continue;
    copy_record(record, slot.record);
    const std::uint64_t order = block->opened.fetch_add(1, std::memory_order_relaxed) + 1;
    slot.record.words[0].store(order, std::memory_order_release);
    return &slot;
  }
  return nullptr;
}

void close_call(OpenCall* slot) {
  if (!slot) return;
  slot->record.words[0].store(0, std::memory_order_relaxed);
  slot->owner.store(0, std::memory_order_release);
}

// By the chain of frame pointers, which the program's functions and this file's keep, and the
// libraries' may not: so the kernel is asked to read it, who cannot crash (process_vm_readv(2)).
void keep_callers(Noticed& place) {
  struct Frame {
    const Frame* caller;
    std::uint64_t goes_on;
  };
  const auto* at = static_cast<const Frame*>(__builtin_frame_address(0));
  const int before = errno;
  for (std::size_t i = 0; i < callers_kept;) {
    Frame frame{};
    const iovec to{&frame, sizeof frame};
    const iovec from{const_cast<Frame*>(at), sizeof frame};
    if (__real_syscall(SYS_process_vm_readv, process_id(), &to, 1L, &from, 1L, 0L) !=
        static_cast<long>(sizeof frame))
      break;
    if (const std::uint64_t here = place_in_program(frame.goes_on))
      place.callers[i++].store(here, std::memory_order_relaxed);
    // The stack grows downwards: who has called stands above.
    if (frame.caller <= at) break;
    at = frame.caller;
  }
  errno = before;
}

// The first of its kind is kept.
[[gnu::noinline]] void notice(Noticed& place, const Record& record) {
  place.count.fetch_add(1, std::memory_order_relaxed);
  std::uint32_t nobody = 0;
  if (!place.claimed.compare_exchange_strong(nobody, 1, std::memory_order_relaxed)) return;
  keep_callers(place);
  copy_record(record, place.first);
  place.first.words[0].store(1, std::memory_order_release);
}

// clang-format off
constexpr CallSet set_of_all(std::initializer_list<Call> calls) {
  CallSet set = 0;
  for (const Call call : calls) set |= set_of(call);
  return set;
}
constexpr CallSet waiting_calls = set_of_all({Call::poll, Call::ppoll, Call::select, Call::pselect,
    Call::epoll_wait, Call::epoll_pwait, Call::epoll_pwait2});
constexpr CallSet sending_calls = set_of_all({Call::send, Call::sendto, Call::sendmsg,
    Call::sendmmsg, Call::write, Call::writev, Call::pwritev2, Call::sendfile});
constexpr CallSet moving_calls = sending_calls | set_of_all({
    Call::recv, Call::recvfrom, Call::recvmsg, Call::recvmmsg, Call::read, Call::readv,
    Call::preadv2});
constexpr CallSet accepting_calls = set_of_all({Call::accept, Call::accept4});
constexpr CallSet sleeping_calls = set_of_all({Call::nanosleep, Call::clock_nanosleep,
    Call::usleep, Call::sleep});
constexpr CallSet reaping_calls = set_of_all({Call::wait, Call::waitpid, Call::waitid, Call::wait4});
constexpr CallSet bringing_calls = moving_calls | reaping_calls | accepting_calls | set_of_all({
    Call::connect, Call::fork, Call::vfork, Call::clone,
    Call::posix_spawn, Call::thread, Call::pthread_create});
// clang-format on

struct Arguments {
  std::int64_t value[4];
};

// One call, from its entry to its return. If the real call leaves by an exception (a thread that
// cannot start, a cancelled thread), the destructor writes it down as failed.
class UnderWay {
 public:
  UnderWay(const Target& target, const Arguments& arguments, Socket kind = not_asked);

  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;
  ~UnderWay() {
    if (record_.state == State::entered) finish(-1, 0);
  }

  bool must_fail() const { return fault.action == Action::fail; }

  // The result of a call that was made, or -1 and the injected errno; sets errno for the caller.
  long done(long result) {
    int error = result == -1 ? errno : 0;
    if (must_fail()) result = -1, error = fault.error;
    finish(result, error);
    errno = error ? error : errno_before_;
    return result;
  }

  void keep(const void* bytes, std::size_t size) {
    const auto* from = static_cast<const volatile unsigned char*>(bytes);
    for (std::size_t i = 0; i < size && record_.data_size < sizeof record_.data; ++i)
      record_.data[record_.data_size++] = from[i];
  }

  void set_argument(int index, std::int64_t value) { record_.arguments[index] = value; }

  // Not written down unless it fails: what every program does in passing.
  void show_failure_only() { only_failure_ = true; }

  // A call that brings nothing: the result says so, or the caller knows.
  void brings_nothing() { brings_nothing_ = true; }

  // Here the program goes to sleep, or may: how much memory it uses.
  void note_heap(Word& place);

  // A wait that will sleep, and one whose time was then over with nothing ready.
  void will_sleep();
  void waited_out() { waited_out_ = true; }

  // It was told of a descriptor that is not open.
  void uses_closed() { closed_ = true; }

  // The child of a fork: its parent's place in the table stays its parent's.
  void is_child() {
    slot_ = nullptr;
    record_.pid = process_id();
    record_.tid = thread_id(record_.pid);
  }

  Fault fault;

 private:
  std::size_t number() const { return static_cast<std::size_t>(record_.call); }

  void finish(long result, int error);
  void count_turns(long result);
  void count_naps(long result, int error);

  int fd_;
  int errno_before_;
  bool only_failure_ = false;
  bool brings_nothing_ = false;
  bool slept_ = false;
  bool waited_out_ = false;
  bool closed_ = false;
  OpenCall* slot_ = nullptr;
  Record record_;
};

[[gnu::noinline]] UnderWay::UnderWay(const Target& target, const Arguments& arguments, Socket kind)
    : fd_(target.fd), errno_before_(errno) {
  record_.pid = process_id();
  record_.tid = thread_id(record_.pid);
  record_.call = target.call;
  record_.state = State::entered;
  record_.error = 0;
  record_.result = 0;
  for (int i = 0; i < 4; ++i) record_.arguments[i] = arguments.value[i];
  record_.entered_at = now_if_timed();
  record_.returned_at = 0;
  record_.data_size = 0;
  record_.caller =
      static_cast<std::uint32_t>(place_in_program(reinterpret_cast<std::uint64_t>(target.goes_on)));
  block->entered[number()].fetch_add(1, std::memory_order_relaxed);

  Known known;
  known.kind = kind;
  if (block->armed.load(std::memory_order_relaxed) & set_of(target.call))
    fault = choose_fault(target, known);
  record_.injected = fault.action;
  record_.socket = known.kind;
  slot_ = open_call(record_);
  if (fault.held_by) hold(*fault.held_by);
  if (fault.action == Action::vanish) take_away(target);
  errno = errno_before_;
}

[[gnu::noinline]] void UnderWay::finish(long result, int error) {
  record_.state = State::returned;
  record_.returned_at = now_if_timed();
  record_.result = result;
  record_.error = error;
  if (result == -1 && !must_fail()) {
    block->failed[number()].fetch_add(1, std::memory_order_relaxed);
    // Number -1 says openly that it is none; it is never somebody else's.
    if (error == EBADF && fd_ >= 0) closed_ = true;
  }
  if (closed_) notice(block->closed, record_);
  if (!must_fail()) count_naps(result, error);
  count_turns(result);
  if (!only_failure_ || result == -1) publish(record_);
  close_call(slot_);
}

void UnderWay::note_heap(Word& place) {
  if (__sanitizer_get_current_allocated_bytes &&
      static_cast<std::uint32_t>(record_.pid) == block->attached.load(std::memory_order_relaxed))
    place.store(__sanitizer_get_current_allocated_bytes(), std::memory_order_relaxed);
}

void UnderWay::will_sleep() {
  slept_ = true;
  self.turns = 0;
  note_heap(block->heap);
  note_heap(block->heap_at_rest);
}

// Looks that find nothing, each with a sleep after it. (When a datagram can be sent, nobody tells:
// the other's queue is full. So it is with connect().)
[[gnu::noinline]] void UnderWay::count_naps(long result, int error) {
  const CallSet mine = set_of(record_.call);
  if (mine & sleeping_calls) {
    if (self.found_nothing) ++self.naps;
    self.found_nothing = false;
    return;
  }
  constexpr CallSet looks = waiting_calls | moving_calls | reaping_calls | accepting_calls;
  const bool none = mine & waiting_calls ? result == 0
                                         : (result == 0 && brings_nothing_) ||
                                               (error == EAGAIN || error == EWOULDBLOCK);
  if (!none) {
    if (result != -1 && !brings_nothing_) self.naps = 0, self.found_nothing = false;
  } else if ((mine & looks) && (!(mine & sending_calls) || socket_of(fd_) == stream)) {
    self.found_nothing = true;
    if (self.naps >= dozes_allowed) notice(block->napping, record_);
  }
}

// What a call has brought: bytes, a connection, a process or thread, the end of one. Calls that
// only prepare (socket, epoll_ctl, close, …) neither bring anything nor turn.
[[gnu::noinline]] void UnderWay::count_turns(long result) {
  const CallSet mine = set_of(record_.call);
  if (mine & waiting_calls) {
    if (waited_out_ && ++self.dozes == dozes_allowed) notice(block->dozing, record_);
    if (!waited_out_ && result > 0) self.dozes = 0;
    if (slept_) return;
  } else {
    if (result != -1 && !brings_nothing_) self.dozes = 0;
    if (!(mine & bringing_calls)) return;
    const bool brought = mine & (moving_calls | reaping_calls)
                             ? result > 0 || (result == 0 && !brings_nothing_)
                             : result != -1;
    if (brought) {
      self.turns = 0;
      return;
    }
  }
  const std::uint32_t turns = ++self.turns;
  if (turns == turns_allowed) notice(block->turning, record_);
  if (turns > block->turns_most.load(std::memory_order_relaxed))
    block->turns_most.store(turns, std::memory_order_relaxed);
}

// ---------------------------------------------------------------------------------------------
// Sending and receiving: six ways to receive and five to send, all seen as a list of parts.

struct Parts {
  const iovec* list;
  std::size_t count;
};

constexpr std::size_t most_parts = IOV_MAX;

std::uint64_t size_of(Parts parts) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < parts.count && i < most_parts; ++i) sum += parts.list[i].iov_len;
  return sum;
}

// The first `size` bytes of the parts, in at most `room` parts.
Parts first_bytes(Parts parts, std::uint64_t size, iovec* cut, std::size_t room) {
  std::size_t used = 0;
  for (; used < parts.count && used < room && size > 0; ++used) {
    cut[used] = parts.list[used];
    if (cut[used].iov_len > size) cut[used].iov_len = static_cast<std::size_t>(size);
    size -= cut[used].iov_len;
  }
  return {cut, used};
}

// Lines of `line` bytes, newline included, as if they had come from the network; the buffer always
// ends with a newline.
long fill(Parts parts, unsigned char pattern, std::uint64_t line) {
  const std::uint64_t size = size_of(parts);
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < parts.count && i < most_parts; ++i) {
    auto* to = static_cast<volatile unsigned char*>(parts.list[i].iov_base);
    for (std::size_t j = 0; j < parts.list[i].iov_len; ++j) {
      ++at;
      to[j] = at == size || (line && at % line == 0) ? '\n' : pattern;
    }
  }
  return static_cast<long>(size);
}

void keep_bytes(UnderWay& call, Parts parts, long moved) {
  auto left = static_cast<std::uint64_t>(moved);
  for (std::size_t i = 0; i < parts.count && i < most_parts && left > 0; ++i) {
    const std::uint64_t here = parts.list[i].iov_len < left ? parts.list[i].iov_len : left;
    call.keep(parts.list[i].iov_base, static_cast<std::size_t>(here));
    left -= here;
  }
}

template <class Real>
ssize_t transfer(Target target, int flags, Parts parts, Socket kind, Real real) {
  target.bytes = size_of(parts);
  UnderWay call(target, {target.fd, static_cast<std::int64_t>(target.bytes), flags}, kind);
  if (call.must_fail()) return call.done(-1);
  if (target.receives) call.note_heap(block->heap);
  // Before the call: whoever gets them may look before it has returned.
  if (!target.receives) block->sent.fetch_add(target.bytes, std::memory_order_relaxed);

  iovec cut[16];
  if (call.fault.action == Action::shorten) parts = first_bytes(parts, call.fault.amount, cut, 16);
  const long moved = call.fault.action == Action::endless
                         ? fill(parts, call.fault.pattern, call.fault.amount)
                         : real(parts);
  // After the call: the bytes sent are known to be readable, the bytes received are there.
  if (moved > 0) keep_bytes(call, parts, moved);
  const auto gone = moved > 0 ? static_cast<std::uint64_t>(moved) : 0;
  if (target.receives) {
    block->received.fetch_add(gone, std::memory_order_relaxed);
  } else {
    block->sent.fetch_sub(target.bytes - gone, std::memory_order_relaxed);
  }
  // The end of a stream brings nothing the second time; an empty datagram is a message.
  if (moved == 0 && socket_of(target.fd) != datagram) call.brings_nothing();
  return call.done(moved);
}

iovec one_part(const void* bytes, std::size_t size) {
  return {const_cast<void*>(bytes), size};
}

// A message whose parts may have been cut, and what the kernel says about it.
template <class Message, class Real>
ssize_t with_parts(Message* message, Parts parts, Real real) {
  if (parts.list == message->msg_iov) return real(message);
  msghdr cut;
  cut.msg_name = message->msg_name;
  cut.msg_namelen = message->msg_namelen;
  cut.msg_iov = const_cast<iovec*>(parts.list);
  cut.msg_iovlen = parts.count;
  cut.msg_control = message->msg_control;
  cut.msg_controllen = message->msg_controllen;
  cut.msg_flags = message->msg_flags;
  const ssize_t moved = real(&cut);
  if constexpr (!std::is_const_v<Message>) {
    message->msg_namelen = cut.msg_namelen;
    message->msg_controllen = cut.msg_controllen;
    message->msg_flags = cut.msg_flags;
  }
  return moved;
}

// ---------------------------------------------------------------------------------------------
// Small shapes that many calls share.

template <class Real>
long plain_call(UnderWay& call, Real real) {
  return call.done(call.must_fail() ? -1 : real());
}

template <class Real>
int address_call(Target target, const sockaddr* address, socklen_t size, Real real) {
  UnderWay call(target, {target.fd});
  if (call.must_fail()) return static_cast<int>(call.done(-1));
  const int result = real();
  if (address && (result == 0 || errno != EFAULT)) call.keep(address, size);
  return static_cast<int>(call.done(result));
}

template <class Real>
pid_t fork_call(Call kind, Real real) {
  UnderWay call({kind}, {});
  if (call.must_fail()) return static_cast<pid_t>(call.done(-1));
  const pid_t pid = real();
  if (pid == 0) call.is_child();
  return static_cast<pid_t>(call.done(pid));
}

template <class Real>
pid_t wait_call(Call kind, pid_t which, int options, int* status, Real real) {
  UnderWay call({kind}, {which, options});
  if (call.must_fail()) return static_cast<pid_t>(call.done(-1));
  int own_status = 0;
  const pid_t pid = real(status ? status : &own_status);
  if (pid > 0) call.set_argument(2, status ? *status : own_status);
  if (pid == 0) call.brings_nothing();
  return static_cast<pid_t>(call.done(pid));
}

// For calls that return an error number in place of -1 and errno.
template <class Real>
int numbered_call(UnderWay& call, Real real) {
  const int before = errno;
  const int number = call.must_fail() ? call.fault.error : real();
  errno = number;
  call.done(number ? -1 : 0);
  errno = before;
  return number;
}

// Rounded up: a timeout that is not zero must not look like one that is.
std::int64_t milliseconds(const timespec* time) {
  return time ? std::int64_t{time->tv_sec} * 1000 + (time->tv_nsec + 999'999) / 1'000'000 : -1;
}
std::int64_t milliseconds(const timeval* time) {
  return time ? std::int64_t{time->tv_sec} * 1000 + (time->tv_usec + 999) / 1000 : -1;
}

// Asked first without waiting: so it is known, and not measured, whether the wait slept.
// `real(true)` does not wait; `waits`: whether the caller's own timeout is not 0.
template <class Real>
int wait_ready(Call kind, const Arguments& arguments, bool waits, Real real,
               const pollfd* list = nullptr, nfds_t count = 0) {
  UnderWay call({kind}, arguments);
  if (call.must_fail()) return static_cast<int>(call.done(-1));
  int ready = real(true);
  if (ready == 0 && waits) {
    call.will_sleep();
    ready = real(false);
    if (ready == 0) call.waited_out();
  }
  const int error = errno;
  // Another thread may close what is being waited for: that is harmless once, and the next poll
  // leaves it out.
  int unknown = 0;
  for (nfds_t i = 0; ready > 0 && i < count; ++i) {
    if (!(list[i].revents & POLLNVAL)) continue;
    unknown = list[i].fd + 1;
    if (unknown == self.unknown) call.uses_closed();
  }
  self.unknown = unknown;
  errno = error;
  return static_cast<int>(call.done(ready));
}

constexpr timespec no_time{};

// select() leaves its answer in its sets: the question must be kept.
struct Sets {
  fd_set in, out, error;
};
fd_set* copied(const fd_set* from, fd_set& to) {
  if (!from) return nullptr;
  const auto* words = reinterpret_cast<const volatile AliasedWord*>(from);
  auto* copies = reinterpret_cast<volatile AliasedWord*>(&to);
  for (std::size_t i = 0; i < sizeof(fd_set) / sizeof(AliasedWord); ++i) copies[i] = words[i];
  return &to;
}
template <class Real>
int select_ready(Call kind, const Arguments& arguments, bool waits, int count, fd_set* in,
                 fd_set* out, fd_set* error, Real real) {
  Sets kept;
  return wait_ready(kind, arguments, waits, [&](bool at_once) {
    if (!at_once) return real(in, out, error, false);
    // A set that is larger than fd_set is the caller's own affair.
    if (count > FD_SETSIZE || !waits) return waits ? 0 : real(in, out, error, true);
    const int ready =
        real(copied(in, kept.in), copied(out, kept.out), copied(error, kept.error), true);
    if (ready > 0) {
      if (in) copied(&kept.in, *in);
      if (out) copied(&kept.out, *out);
      if (error) copied(&kept.error, *error);
    }
    return ready;
  });
}

}  // namespace

// ---------------------------------------------------------------------------------------------
// An exception that was handed from one thread to another (std::exception_ptr, a promise) is freed
// by the last of them. The count of its owners is in the C++ library, which is not instrumented:
// TSan does not see that they take turns. (The name is the sanitizer's.)

// NOLINTNEXTLINE(bugprone-reserved-identifier)
extern "C" const char* __tsan_default_suppressions() {
  return "race:std::__exception_ptr::exception_ptr::_M_release\n"
         "race:__cxa_end_catch\n";
}

// ---------------------------------------------------------------------------------------------
// The wrappers. `__real_x` is what the program would have called: libc's x, or the sanitizer's.

// NOLINTBEGIN(bugprone-reserved-identifier): the names are the linker's
#define KIT_WRAP(type, name, ...)             \
  extern "C" type __real_##name(__VA_ARGS__); \
  extern "C" type __wrap_##name(__VA_ARGS__); \
  extern "C" type __wrap_##name(__VA_ARGS__)
#define KIT_WRAP_WEAK(type, name, ...)                              \
  extern "C" type __real_##name(__VA_ARGS__) __attribute__((weak)); \
  extern "C" type __wrap_##name(__VA_ARGS__);                       \
  extern "C" type __wrap_##name(__VA_ARGS__)

KIT_WRAP(int, socket, int domain, int type, int protocol) {
  if (!block) return __real_socket(domain, type, protocol);
  UnderWay call({Call::socket}, {domain, type, protocol});
  return static_cast<int>(plain_call(call, [&] { return __real_socket(domain, type, protocol); }));
}

KIT_WRAP(int, bind, int fd, const sockaddr* address, socklen_t size) {
  if (!block) return __real_bind(fd, address, size);
  return address_call({Call::bind, fd}, address, size,
                      [&] { return __real_bind(fd, address, size); });
}

KIT_WRAP(int, connect, int fd, const sockaddr* address, socklen_t size) {
  if (!block) return __real_connect(fd, address, size);
  return address_call({Call::connect, fd}, address, size,
                      [&] { return __real_connect(fd, address, size); });
}

KIT_WRAP(int, listen, int fd, int backlog) {
  if (!block) return __real_listen(fd, backlog);
  UnderWay call({Call::listen, fd}, {fd, backlog});
  return static_cast<int>(plain_call(call, [&] { return __real_listen(fd, backlog); }));
}

KIT_WRAP(int, accept, int fd, sockaddr* address, socklen_t* size) {
  if (!block) return __real_accept(fd, address, size);
  UnderWay call({Call::accept, fd}, {fd});
  return static_cast<int>(plain_call(call, [&] { return __real_accept(fd, address, size); }));
}

KIT_WRAP(int, accept4, int fd, sockaddr* address, socklen_t* size, int flags) {
  if (!block) return __real_accept4(fd, address, size, flags);
  UnderWay call({Call::accept4, fd}, {fd, flags});
  return static_cast<int>(
      plain_call(call, [&] { return __real_accept4(fd, address, size, flags); }));
}

KIT_WRAP(ssize_t, recv, int fd, void* bytes, std::size_t size, int flags) {
  if (!block) return __real_recv(fd, bytes, size, flags);
  const iovec part = one_part(bytes, size);
  return transfer(Target{Call::recv, fd, 0, true}.from(__builtin_return_address(0)), flags,
                  {&part, 1}, not_asked,
                  [&](Parts parts) { return __real_recv(fd, bytes, parts.list->iov_len, flags); });
}

KIT_WRAP(ssize_t, recvfrom, int fd, void* bytes, std::size_t size, int flags, sockaddr* from,
         socklen_t* from_size) {
  if (!block) return __real_recvfrom(fd, bytes, size, flags, from, from_size);
  const iovec part = one_part(bytes, size);
  return transfer(Target{Call::recvfrom, fd, 0, true}.from(__builtin_return_address(0)), flags,
                  {&part, 1}, not_asked, [&](Parts parts) {
                    return __real_recvfrom(fd, bytes, parts.list->iov_len, flags, from, from_size);
                  });
}

KIT_WRAP(ssize_t, recvmsg, int fd, msghdr* message, int flags) {
  if (!block || !message) return __real_recvmsg(fd, message, flags);
  return transfer({Call::recvmsg, fd, 0, true}, flags, {message->msg_iov, message->msg_iovlen},
                  not_asked, [&](Parts parts) {
                    return with_parts(message, parts, [&](msghdr* whole_or_cut) {
                      return __real_recvmsg(fd, whole_or_cut, flags);
                    });
                  });
}

// Of what is no socket this alone is known: it brought something, as a pipe that wakes a loop does;
// unless the thread has written that itself.
ssize_t from_elsewhere(ssize_t result) {
  if (result > 0 && !self.woke_itself) self.turns = 0;
  if (result > 0) self.woke_itself = false;
  return result;
}

ssize_t to_elsewhere(int fd, ssize_t result) {
  if (result > 0 && fd > STDERR_FILENO) self.woke_itself = true;
  return result;
}

KIT_WRAP(ssize_t, read, int fd, void* bytes, std::size_t size) {
  const Socket kind = block ? socket_of(fd) : no_socket;
  if (kind == no_socket) return from_elsewhere(__real_read(fd, bytes, size));
  const iovec part = one_part(bytes, size);
  return transfer(Target{Call::read, fd, 0, true}.from(__builtin_return_address(0)), 0, {&part, 1},
                  kind, [&](Parts parts) { return __real_read(fd, bytes, parts.list->iov_len); });
}

KIT_WRAP(int, eventfd_read, int fd, eventfd_t* value) {
  const int result = __real_eventfd_read(fd, value);
  if (result == 0) self.turns = 0;
  return result;
}

KIT_WRAP(ssize_t, readv, int fd, const iovec* list, int count) {
  const Socket kind = block && count > 0 ? socket_of(fd) : no_socket;
  if (kind == no_socket) return from_elsewhere(__real_readv(fd, list, count));
  return transfer(
      {Call::readv, fd, 0, true}, 0, {list, static_cast<std::size_t>(count)}, kind,
      [&](Parts parts) { return __real_readv(fd, parts.list, static_cast<int>(parts.count)); });
}

// Reads on a socket have no place: -1 is the only one. readv(2)
KIT_WRAP_WEAK(ssize_t, preadv2, int fd, const iovec* list, int count, off_t place, int flags) {
  const Socket kind = block && count > 0 ? socket_of(fd) : no_socket;
  if (kind == no_socket) return __real_preadv2(fd, list, count, place, flags);
  return transfer({Call::preadv2, fd, 0, true}, 0, {list, static_cast<std::size_t>(count)}, kind,
                  [&](Parts parts) {
                    return __real_preadv2(fd, parts.list, static_cast<int>(parts.count), place,
                                          flags);
                  });
}

// Several messages in one call: of the first it is told what it was.
template <class Real>
int transfer_messages(Target target, int flags, mmsghdr* list, unsigned count, Real real) {
  const Parts first{list->msg_hdr.msg_iov, list->msg_hdr.msg_iovlen};
  target.bytes = size_of(first);
  target.to = target.receives ? nullptr : list->msg_hdr.msg_name;
  target.to_size = list->msg_hdr.msg_namelen;
  UnderWay call(target, {target.fd, static_cast<std::int64_t>(target.bytes), flags});
  if (call.must_fail()) return static_cast<int>(call.done(-1));
  std::uint64_t given = 0;
  for (unsigned i = 0; !target.receives && i < count; ++i)
    given += size_of({list[i].msg_hdr.msg_iov, list[i].msg_hdr.msg_iovlen});
  block->sent.fetch_add(given, std::memory_order_relaxed);
  const int moved = real();
  if (moved > 0) keep_bytes(call, first, static_cast<long>(list->msg_len));
  for (int i = 0; i < moved; ++i) {
    if (target.receives) {
      block->received.fetch_add(list[i].msg_len, std::memory_order_relaxed);
    } else {
      given -= list[i].msg_len;
    }
  }
  block->sent.fetch_sub(given, std::memory_order_relaxed);
  return static_cast<int>(call.done(moved));
}

KIT_WRAP(int, recvmmsg, int fd, mmsghdr* list, unsigned count, int flags, timespec* timeout) {
  if (!block || !list || count == 0) return __real_recvmmsg(fd, list, count, flags, timeout);
  return transfer_messages({Call::recvmmsg, fd, 0, true}, flags, list, count,
                           [&] { return __real_recvmmsg(fd, list, count, flags, timeout); });
}

KIT_WRAP(int, sendmmsg, int fd, mmsghdr* list, unsigned count, int flags) {
  if (!block || !list || count == 0) return __real_sendmmsg(fd, list, count, flags);
  return transfer_messages({Call::sendmmsg, fd}, flags, list, count,
                           [&] { return __real_sendmmsg(fd, list, count, flags); });
}

KIT_WRAP(ssize_t, send, int fd, const void* bytes, std::size_t size, int flags) {
  if (!block) return __real_send(fd, bytes, size, flags);
  const iovec part = one_part(bytes, size);
  return transfer({Call::send, fd}, flags, {&part, 1}, not_asked,
                  [&](Parts parts) { return __real_send(fd, bytes, parts.list->iov_len, flags); });
}

KIT_WRAP(ssize_t, sendto, int fd, const void* bytes, std::size_t size, int flags,
         const sockaddr* to, socklen_t to_size) {
  if (!block) return __real_sendto(fd, bytes, size, flags, to, to_size);
  const iovec part = one_part(bytes, size);
  const Target target{Call::sendto, fd, 0, false, to, to_size};
  return transfer(target.from(__builtin_return_address(0)), flags, {&part, 1}, not_asked,
                  [&](Parts parts) {
                    return __real_sendto(fd, bytes, parts.list->iov_len, flags, to, to_size);
                  });
}

KIT_WRAP(ssize_t, sendmsg, int fd, const msghdr* message, int flags) {
  if (!block || !message) return __real_sendmsg(fd, message, flags);
  return transfer({Call::sendmsg, fd, 0, false, message->msg_name, message->msg_namelen}, flags,
                  {message->msg_iov, message->msg_iovlen}, not_asked, [&](Parts parts) {
                    return with_parts(message, parts, [&](const msghdr* whole_or_cut) {
                      return __real_sendmsg(fd, whole_or_cut, flags);
                    });
                  });
}

KIT_WRAP(ssize_t, write, int fd, const void* bytes, std::size_t size) {
  const Socket kind = block ? socket_of(fd) : no_socket;
  if (kind == no_socket) return to_elsewhere(fd, __real_write(fd, bytes, size));
  const iovec part = one_part(bytes, size);
  return transfer({Call::write, fd}, 0, {&part, 1}, kind,
                  [&](Parts parts) { return __real_write(fd, bytes, parts.list->iov_len); });
}

KIT_WRAP(ssize_t, writev, int fd, const iovec* list, int count) {
  const Socket kind = block && count > 0 ? socket_of(fd) : no_socket;
  if (kind == no_socket) return to_elsewhere(fd, __real_writev(fd, list, count));
  return transfer(
      {Call::writev, fd}, 0, {list, static_cast<std::size_t>(count)}, kind,
      [&](Parts parts) { return __real_writev(fd, parts.list, static_cast<int>(parts.count)); });
}

KIT_WRAP_WEAK(ssize_t, pwritev2, int fd, const iovec* list, int count, off_t place, int flags) {
  const Socket kind = block && count > 0 ? socket_of(fd) : no_socket;
  if (kind == no_socket) return __real_pwritev2(fd, list, count, place, flags);
  return transfer(
      {Call::pwritev2, fd}, 0, {list, static_cast<std::size_t>(count)}, kind, [&](Parts parts) {
        return __real_pwritev2(fd, parts.list, static_cast<int>(parts.count), place, flags);
      });
}

// The bytes of a file: they are nowhere in this process, and nothing of them is kept.
KIT_WRAP(ssize_t, sendfile, int fd, int file, off_t* place, std::size_t size) {
  const Socket kind = block ? socket_of(fd) : no_socket;
  if (kind == no_socket) return __real_sendfile(fd, file, place, size);
  Target target{Call::sendfile, fd};
  target.bytes = size;
  UnderWay call(target, {fd, static_cast<std::int64_t>(size), 0}, kind);
  if (call.must_fail()) return call.done(-1);
  if (call.fault.action == Action::shorten) size = std::min<std::size_t>(size, call.fault.amount);
  block->sent.fetch_add(size, std::memory_order_relaxed);
  const ssize_t moved = __real_sendfile(fd, file, place, size);
  const std::size_t gone = moved > 0 ? static_cast<std::size_t>(moved) : 0;
  block->sent.fetch_sub(size - gone, std::memory_order_relaxed);
  return call.done(moved);
}

// What every program asks in passing.
template <class Real>
int name_call(Call kind, int fd, Real real) {
  UnderWay call({kind, fd}, {fd});
  call.show_failure_only();
  return static_cast<int>(plain_call(call, real));
}

// The value of an option that is a number, or of SO_LINGER: its seconds, or -1; else no_value.
std::int64_t option_value(int level, int name, const void* value, socklen_t size) {
  if (!value) return no_value;
  const auto* numbers = static_cast<const volatile int*>(value);
  if (size == sizeof(int)) return numbers[0];
  if (level == SOL_SOCKET && name == SO_LINGER && size == sizeof(linger))
    return numbers[0] ? numbers[1] : -1;
  return no_value;
}

KIT_WRAP(int, getsockopt, int fd, int level, int name, void* value, socklen_t* size) {
  if (!block) return __real_getsockopt(fd, level, name, value, size);
  UnderWay call({Call::getsockopt, fd}, {fd, level, name, no_value});
  if (call.must_fail()) return static_cast<int>(call.done(-1));
  const int result = __real_getsockopt(fd, level, name, value, size);
  if (result == 0 && size) call.set_argument(3, option_value(level, name, value, *size));
  return static_cast<int>(call.done(result));
}

KIT_WRAP(int, setsockopt, int fd, int level, int name, const void* value, socklen_t size) {
  if (!block) return __real_setsockopt(fd, level, name, value, size);
  UnderWay call({Call::setsockopt, fd}, {fd, level, name, no_value});
  if (call.must_fail()) return static_cast<int>(call.done(-1));
  const int result = __real_setsockopt(fd, level, name, value, size);
  const int error = errno;
  if (result == 0 || error != EFAULT) call.set_argument(3, option_value(level, name, value, size));
  errno = error;
  return static_cast<int>(call.done(result));
}

KIT_WRAP(int, getsockname, int fd, sockaddr* address, socklen_t* size) {
  if (!block) return __real_getsockname(fd, address, size);
  return name_call(Call::getsockname, fd, [&] { return __real_getsockname(fd, address, size); });
}

KIT_WRAP(int, getpeername, int fd, sockaddr* address, socklen_t* size) {
  if (!block) return __real_getpeername(fd, address, size);
  return name_call(Call::getpeername, fd, [&] { return __real_getpeername(fd, address, size); });
}

KIT_WRAP(int, shutdown, int fd, int how) {
  if (!block) return __real_shutdown(fd, how);
  UnderWay call({Call::shutdown, fd}, {fd, how}, socket_or_listener(fd));
  return static_cast<int>(plain_call(call, [&] { return __real_shutdown(fd, how); }));
}

// A close of a number that is not open is worth knowing: it is written down too.
KIT_WRAP(int, close, int fd) {
  const Socket kind = block ? socket_or_listener(fd) : no_socket;
  if (kind == no_socket) return __real_close(fd);
  UnderWay call(Target{Call::close, fd}.from(__builtin_return_address(0)), {fd}, kind);
  return static_cast<int>(plain_call(call, [&] { return __real_close(fd); }));
}

KIT_WRAP(int, poll, pollfd* list, nfds_t count, int timeout) {
  if (!block) return __real_poll(list, count, timeout);
  return wait_ready(
      Call::poll, {static_cast<std::int64_t>(count), timeout}, timeout != 0,
      [&](bool at_once) { return __real_poll(list, count, at_once ? 0 : timeout); }, list, count);
}

KIT_WRAP(int, ppoll, pollfd* list, nfds_t count, const timespec* timeout, const sigset_t* mask) {
  if (!block) return __real_ppoll(list, count, timeout, mask);
  const std::int64_t time = milliseconds(timeout);
  return wait_ready(
      Call::ppoll, {static_cast<std::int64_t>(count), time}, time != 0,
      [&](bool at_once) { return __real_ppoll(list, count, at_once ? &no_time : timeout, mask); },
      list, count);
}

KIT_WRAP(int, select, int count, fd_set* in, fd_set* out, fd_set* error, timeval* timeout) {
  if (!block) return __real_select(count, in, out, error, timeout);
  const std::int64_t time = milliseconds(timeout);
  return select_ready(Call::select, {count, time}, time != 0, count, in, out, error,
                      [&](fd_set* read, fd_set* write, fd_set* broken, bool at_once) {
                        timeval none{};
                        return __real_select(count, read, write, broken, at_once ? &none : timeout);
                      });
}

KIT_WRAP(int, pselect, int count, fd_set* in, fd_set* out, fd_set* error, const timespec* timeout,
         const sigset_t* mask) {
  if (!block) return __real_pselect(count, in, out, error, timeout, mask);
  const std::int64_t time = milliseconds(timeout);
  return select_ready(Call::pselect, {count, time}, time != 0, count, in, out, error,
                      [&](fd_set* read, fd_set* write, fd_set* broken, bool at_once) {
                        return __real_pselect(count, read, write, broken,
                                              at_once ? &no_time : timeout, mask);
                      });
}

KIT_WRAP(int, epoll_create1, int flags) {
  if (!block) return __real_epoll_create1(flags);
  UnderWay call({Call::epoll_create1}, {flags});
  return static_cast<int>(plain_call(call, [&] { return __real_epoll_create1(flags); }));
}

KIT_WRAP(int, epoll_ctl, int epoll, int operation, int fd, epoll_event* event) {
  if (!block) return __real_epoll_ctl(epoll, operation, fd, event);
  const std::int64_t events = event && operation != EPOLL_CTL_DEL ? event->events : 0;
  UnderWay call({Call::epoll_ctl, fd}, {epoll, operation, fd, events});
  return static_cast<int>(
      plain_call(call, [&] { return __real_epoll_ctl(epoll, operation, fd, event); }));
}

KIT_WRAP(int, epoll_wait, int epoll, epoll_event* events, int most, int timeout) {
  if (!block) return __real_epoll_wait(epoll, events, most, timeout);
  return wait_ready(Call::epoll_wait, {epoll, most, timeout}, timeout != 0, [&](bool at_once) {
    return __real_epoll_wait(epoll, events, most, at_once ? 0 : timeout);
  });
}

KIT_WRAP(int, epoll_pwait, int epoll, epoll_event* events, int most, int timeout,
         const sigset_t* mask) {
  if (!block) return __real_epoll_pwait(epoll, events, most, timeout, mask);
  return wait_ready(Call::epoll_pwait, {epoll, most, timeout}, timeout != 0, [&](bool at_once) {
    return __real_epoll_pwait(epoll, events, most, at_once ? 0 : timeout, mask);
  });
}

// Weak, as every call below that an older C library lacks: nobody calls it there.
KIT_WRAP_WEAK(int, epoll_pwait2, int epoll, epoll_event* events, int most, const timespec* timeout,
              const sigset_t* mask) {
  if (!block) return __real_epoll_pwait2(epoll, events, most, timeout, mask);
  const std::int64_t time = milliseconds(timeout);
  return wait_ready(Call::epoll_pwait2, {epoll, most, time}, time != 0, [&](bool at_once) {
    return __real_epoll_pwait2(epoll, events, most, at_once ? &no_time : timeout, mask);
  });
}

KIT_WRAP(pid_t, fork) {
  if (!block) return __real_fork();
  return fork_call(Call::fork, [] { return __real_fork(); });
}

// A real vfork would return twice into a frame that is gone the second time (vfork(2)).
KIT_WRAP(pid_t, vfork) {
  if (!block) return __real_fork();
  return fork_call(Call::vfork, [] { return __real_fork(); });
}

KIT_WRAP_WEAK(pid_t, _Fork) {
  if (!block) return __real__Fork();
  return fork_call(Call::fork, [] { return __real__Fork(); });
}

#define KIT_WRAP_SPAWN(name)                                                                   \
  KIT_WRAP(int, name, pid_t* pid, const char* file, const posix_spawn_file_actions_t* actions, \
           const posix_spawnattr_t* attributes, char* const* argv, char* const* envp) {        \
    if (!block) return __real_##name(pid, file, actions, attributes, argv, envp);              \
    UnderWay call({Call::posix_spawn}, {});                                                    \
    return numbered_call(                                                                      \
        call, [&] { return __real_##name(pid, file, actions, attributes, argv, envp); });      \
  }
KIT_WRAP_SPAWN(posix_spawn)
KIT_WRAP_SPAWN(posix_spawnp)

KIT_WRAP(pid_t, wait, int* status) {
  if (!block) return __real_wait(status);
  return wait_call(Call::wait, -1, 0, status, [&](int* to) { return __real_wait(to); });
}

KIT_WRAP(pid_t, waitpid, pid_t pid, int* status, int options) {
  if (!block) return __real_waitpid(pid, status, options);
  return wait_call(Call::waitpid, pid, options, status,
                   [&](int* to) { return __real_waitpid(pid, to, options); });
}

KIT_WRAP(int, waitid, idtype_t type, id_t id, siginfo_t* info, int options) {
  if (!block) return __real_waitid(type, id, info, options);
  UnderWay call({Call::waitid}, {static_cast<std::int64_t>(id), options});
  if (call.must_fail()) return static_cast<int>(call.done(-1));
  siginfo_t own{};
  siginfo_t* const told = info ? info : &own;
  told->si_pid = 0;
  const int result = __real_waitid(type, id, told, options);
  if (result == 0 && told->si_pid == 0) call.brings_nothing();
  return static_cast<int>(call.done(result));
}

KIT_WRAP(pid_t, wait4, pid_t pid, int* status, int options, rusage* usage) {
  if (!block) return __real_wait4(pid, status, options, usage);
  return wait_call(Call::wait4, pid, options, status,
                   [&](int* to) { return __real_wait4(pid, to, options, usage); });
}

template <class Real>
int path_call(Call kind, const Arguments& arguments, const char* path, Real real) {
  UnderWay call({kind}, arguments);
  if (call.must_fail()) return static_cast<int>(call.done(-1));
  const int result = real();
  const int error = errno;
  if (result == 0 || error != EFAULT) {
    std::size_t length = 0;
    while (length < sizeof(Record::data) && path[length]) ++length;
    call.keep(path, length);
  }
  errno = error;
  return static_cast<int>(call.done(result));
}

KIT_WRAP(int, unlink, const char* path) {
  if (!block || !path) return __real_unlink(path);
  return path_call(Call::unlink, {}, path, [&] { return __real_unlink(path); });
}

KIT_WRAP(int, unlinkat, int folder, const char* path, int flags) {
  if (!block || !path) return __real_unlinkat(folder, path, flags);
  return path_call(Call::unlinkat, {}, path, [&] { return __real_unlinkat(folder, path, flags); });
}

KIT_WRAP(int, lstat, const char* path, struct stat* status) {
  if (!block || !path) return __real_lstat(path, status);
  return path_call(Call::lstat, {}, path, [&] { return __real_lstat(path, status); });
}

KIT_WRAP(int, chmod, const char* path, mode_t mode) {
  if (!block || !path) return __real_chmod(path, mode);
  return path_call(Call::chmod, {mode}, path, [&] { return __real_chmod(path, mode); });
}

KIT_WRAP(int, mkdir, const char* path, mode_t mode) {
  if (!block || !path) return __real_mkdir(path, mode);
  return path_call(Call::mkdir, {mode}, path, [&] { return __real_mkdir(path, mode); });
}

// Of the two names the new one is kept.
KIT_WRAP(int, rename, const char* from, const char* to) {
  if (!block || !from || !to) return __real_rename(from, to);
  return path_call(Call::rename, {}, to, [&] { return __real_rename(from, to); });
}

KIT_WRAP(mode_t, umask, mode_t mask) {
  if (!block) return __real_umask(mask);
  UnderWay call({Call::umask}, {mask});
  return static_cast<mode_t>(call.done(__real_umask(mask)));
}

// Shown where it changes how a socket works. What is asked of a descriptor that may be closed
// is asked for that reason.
KIT_WRAP(int, fcntl, int fd, int command, ...) {
  va_list list;
  va_start(list, command);
  const long argument = va_arg(list, long);
  va_end(list);
  if (!block) return __real_fcntl(fd, command, argument);
  UnderWay call({Call::fcntl}, {fd, command, argument});
  if (command != F_SETFL || socket_of(fd) == no_socket) call.show_failure_only();
  return static_cast<int>(plain_call(call, [&] { return __real_fcntl(fd, command, argument); }));
}

KIT_WRAP(int, pthread_create, pthread_t* thread, const pthread_attr_t* attributes,
         void* (*start)(void*), void* argument) {
  if (!block) return __real_pthread_create(thread, attributes, start, argument);
  UnderWay call({Call::pthread_create}, {});
  return numbered_call(call,
                       [&] { return __real_pthread_create(thread, attributes, start, argument); });
}

#ifdef __GLIBCXX__
// void std::thread::_M_start_thread(std::thread::_State_ptr, void (*)()): `this`, the address of
// the unique_ptr (its type is not trivial), and a function that only pulls in the thread library.
KIT_WRAP(void,
         _ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE,
         void* thread, void* state, void (*depend)()) {
  const auto real =
      __real__ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE;
  if (!block) return real(thread, state, depend);
  UnderWay call({Call::thread}, {});
  if (call.must_fail()) {
    call.done(-1);
    std::__throw_system_error(call.fault.error);
  }
  real(thread, state, depend);
  call.done(0);
}
#endif

// Counted, and shown to nobody. (std::this_thread::sleep_for() of libstdc++ calls the first.)
template <class Real>
auto sleep_call(Call kind, Real real) {
  UnderWay call({kind}, {});
  call.show_failure_only();
  call.brings_nothing();
  const auto result = real();
  call.done(static_cast<long>(result));
  return result;
}

KIT_WRAP(int, nanosleep, const timespec* time, timespec* left) {
  if (!block) return __real_nanosleep(time, left);
  return sleep_call(Call::nanosleep, [&] { return __real_nanosleep(time, left); });
}

KIT_WRAP(int, clock_nanosleep, clockid_t clock, int flags, const timespec* time, timespec* left) {
  if (!block) return __real_clock_nanosleep(clock, flags, time, left);
  return sleep_call(Call::clock_nanosleep,
                    [&] { return __real_clock_nanosleep(clock, flags, time, left); });
}

KIT_WRAP(int, usleep, useconds_t time) {
  if (!block) return __real_usleep(time);
  return sleep_call(Call::usleep, [&] { return __real_usleep(time); });
}

KIT_WRAP(unsigned, sleep, unsigned seconds) {
  if (!block) return __real_sleep(seconds);
  return sleep_call(Call::sleep, [&] { return __real_sleep(seconds); });
}

// Of locks it knows this alone, and only if somebody asks: a thread is held when it has given its
// lock back, so that others come in between what it does under one lock and under the next.
template <class Real>
int unlock_call(Real real) {
  const int result = real();
  if (!block || !(block->armed.load(std::memory_order_relaxed) & set_of(Call::mutex_unlock)))
    return result;
  UnderWay call({Call::mutex_unlock}, {});
  call.show_failure_only();
  call.brings_nothing();
  call.done(0);
  return result;
}

KIT_WRAP(int, pthread_mutex_unlock, pthread_mutex_t* mutex) {
  return unlock_call([&] { return __real_pthread_mutex_unlock(mutex); });
}

KIT_WRAP(int, pthread_rwlock_unlock, pthread_rwlock_t* lock) {
  return unlock_call([&] { return __real_pthread_rwlock_unlock(lock); });
}

// ThreadSanitizer of GCC 12 does not know this one: every std::timed_mutex would be a data race. It
// knows its elder, which takes the time of day.
KIT_WRAP_WEAK(int, pthread_mutex_clocklock, pthread_mutex_t* mutex, clockid_t clock,
              const timespec* until) {
  if (!block || !until) return __real_pthread_mutex_clocklock(mutex, clock, until);
  timespec here{}, day{};
  __real_syscall(SYS_clock_gettime, clock, &here);
  __real_syscall(SYS_clock_gettime, CLOCK_REALTIME, &day);
  constexpr long second = 1'000'000'000;
  timespec then{day.tv_sec + until->tv_sec - here.tv_sec,
                day.tv_nsec + until->tv_nsec - here.tv_nsec};
  for (; then.tv_nsec < 0; then.tv_nsec += second) --then.tv_sec;
  for (; then.tv_nsec >= second; then.tv_nsec -= second) ++then.tv_sec;
  return pthread_mutex_timedlock(mutex, &then);
}
// NOLINTEND(bugprone-reserved-identifier)

#include "recorder_trap.hpp"
