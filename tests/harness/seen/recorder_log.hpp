// The check's side of the recorder: what a program called, and the faults it is to meet.
//
//     kit::RecorderLog log;                                    // before the program starts
//     log.add(kit::Fault::fail(kit::Calls::any_accept, ECONNABORTED));
//     …start the program with log.fd() inherited as N and KIT_RECORDER=N in its environment…
//     auto held = log.add(kit::Fault::hold(kit::Calls::any_send));      // or while it runs
//     held.release();
//     std::cerr << log.text();
//
// The program can write to the block as well as we can: what is read from it may be nonsense, and
// is never more than numbers and bytes to us.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/limits.hpp"
#include "recorder/recorder_block.hpp"

namespace kit {

/// A set of calls. `Calls::accept` is one, `Calls::any_accept` all that accept; `a | b` is both.
class Calls {
 public:
  constexpr explicit Calls(recorder::CallSet bits) : bits_(bits) {}
  constexpr explicit Calls(recorder::Call call) : bits_(recorder::set_of(call)) {}

  constexpr recorder::CallSet bits() const { return bits_; }
  constexpr bool contains(recorder::Call call) const { return bits_ & recorder::set_of(call); }
  friend constexpr Calls operator|(Calls a, Calls b) { return Calls(a.bits_ | b.bits_); }

  static const Calls socket, bind, listen, accept, accept4, connect;
  static const Calls recv, recvfrom, recvmsg, recvmmsg, read, readv, preadv2;
  static const Calls send, sendto, sendmsg, sendmmsg, write, writev, pwritev2, sendfile;
  static const Calls shutdown, close;
  static const Calls poll, ppoll, select, pselect;
  static const Calls epoll_create1, epoll_ctl, epoll_wait, epoll_pwait, epoll_pwait2;
  static const Calls fork, vfork, clone, posix_spawn, wait, waitpid, waitid, wait4;
  static const Calls unlink, thread, pthread_create;
  static const Calls getsockopt, setsockopt, getsockname, getpeername;
  static const Calls nanosleep, clock_nanosleep, usleep, sleep;
  static const Calls lstat, chmod, umask, mkdir, rename, unlinkat, fcntl;
  static const Calls mutex_unlock;  ///< held after it has been made; of std::shared_mutex, too

  static const Calls any_accept;  ///< accept, accept4
  static const Calls any_recv;    ///< recv and its relatives; read, readv, preadv2 of a socket
  static const Calls
      any_send;  ///< send and its relatives; write, writev, pwritev2, sendfile to a socket
  static const Calls any_wait;    ///< poll, select, epoll_wait and their relatives
  static const Calls any_fork;    ///< fork, vfork, clone without shared memory, posix_spawn(p)
  static const Calls any_reap;    ///< wait, waitpid, waitid, wait4
  static const Calls any_sleep;   ///< nanosleep (std::this_thread::sleep_for, too) and relatives
  static const Calls any_thread;  ///< std::thread's start, pthread_create
  static const Calls with_path;   ///< unlink, lstat and their like: a path is their first argument
  static const Calls any;         ///< everything that is recorded

 private:
  recorder::CallSet bits_;
};

// clang-format off
#define KIT_CALL(name) inline constexpr Calls Calls::name{recorder::Call::name}
KIT_CALL(socket); KIT_CALL(bind); KIT_CALL(listen); KIT_CALL(accept); KIT_CALL(accept4);
KIT_CALL(connect); KIT_CALL(recv); KIT_CALL(recvfrom); KIT_CALL(recvmsg); KIT_CALL(recvmmsg);
KIT_CALL(read); KIT_CALL(readv); KIT_CALL(preadv2); KIT_CALL(send); KIT_CALL(sendto);
KIT_CALL(sendmsg); KIT_CALL(sendmmsg); KIT_CALL(write); KIT_CALL(writev); KIT_CALL(pwritev2);
KIT_CALL(sendfile);
KIT_CALL(shutdown); KIT_CALL(close); KIT_CALL(poll); KIT_CALL(ppoll); KIT_CALL(select);
KIT_CALL(pselect); KIT_CALL(epoll_create1); KIT_CALL(epoll_ctl); KIT_CALL(epoll_wait);
KIT_CALL(epoll_pwait); KIT_CALL(epoll_pwait2); KIT_CALL(fork); KIT_CALL(vfork); KIT_CALL(clone);
KIT_CALL(posix_spawn); KIT_CALL(wait); KIT_CALL(waitpid); KIT_CALL(waitid); KIT_CALL(wait4);
KIT_CALL(unlink); KIT_CALL(thread); KIT_CALL(pthread_create); KIT_CALL(getsockopt);
KIT_CALL(setsockopt); KIT_CALL(getsockname); KIT_CALL(getpeername); KIT_CALL(nanosleep);
KIT_CALL(clock_nanosleep); KIT_CALL(usleep); KIT_CALL(sleep);
KIT_CALL(mutex_unlock); KIT_CALL(lstat); KIT_CALL(chmod); KIT_CALL(umask); KIT_CALL(mkdir);
KIT_CALL(rename); KIT_CALL(unlinkat); KIT_CALL(fcntl);
#undef KIT_CALL
// clang-format on
inline constexpr Calls Calls::any_accept = accept | accept4;
inline constexpr Calls Calls::any_recv =
    recv | recvfrom | recvmsg | recvmmsg | read | readv | preadv2;
inline constexpr Calls Calls::any_send =
    send | sendto | sendmsg | sendmmsg | write | writev | pwritev2 | sendfile;
inline constexpr Calls Calls::any_wait =
    poll | ppoll | select | pselect | epoll_wait | epoll_pwait | epoll_pwait2;
inline constexpr Calls Calls::any_fork = fork | vfork | clone | posix_spawn;
inline constexpr Calls Calls::any_reap = wait | waitpid | waitid | wait4;
inline constexpr Calls Calls::any_sleep = nanosleep | clock_nanosleep | usleep | sleep;
inline constexpr Calls Calls::any_thread = thread | pthread_create;
inline constexpr Calls Calls::with_path = unlink | lstat | chmod | mkdir | rename | unlinkat;
inline constexpr Calls Calls::any{(recorder::CallSet{1} << recorder::call_kinds) - 1};

/// A fault to deliver: what, to which calls, and when. Each fault counts the calls that it is for
/// (kind of call, descriptor, peer) from the moment it is added.
///
///     Fault::fail(Calls::any_accept, ECONNABORTED).at(2)       the second accept
///     Fault::fail(Calls::any_recv, EINTR).every(3)             the 1st, 4th, 7th, …
///     Fault::shorten(Calls::any_send, 1).times(100)
///     Fault::hold(Calls::any_send).peer(client.local_port())
///     Fault::endless().peer(client.local_port())
class Fault {
 public:
  /// -1 and this errno; the call is not made. Once, unless told otherwise; and never twice running
  /// for one thread (a loop that is right would not end), unless in_a_row().
  static Fault fail(Calls calls, int error);
  /// At most this many bytes are received or sent, by each such call on a stream.
  static Fault shorten(Calls calls, std::size_t bytes);
  /// The call waits before it is made, until the handle's release(): the first such call.
  static Fault hold(Calls calls);
  /// Receives on a stream fill their whole buffer with lines of `line` bytes (newline included),
  /// and leave the socket's own bytes alone. Readiness is not faked: leave something unread.
  static Fault endless(char byte = 'x', std::size_t line = 1024);
  /// What waits at the socket has gone when the call looks: a connection to accept, a datagram to
  /// receive. The first such call at which something waits.
  static Fault vanish(Calls calls);

  Fault at(std::uint64_t nth) const;         ///< not before the nth such call (the first is 1)
  Fault every(std::uint64_t kth) const;      ///< from there on each kth; without limit
  Fault times(std::uint64_t most) const;     ///< this often at most
  Fault always() const { return times(0); }  ///< without limit
  Fault in_a_row() const;                    ///< fail: also twice running
  Fault on_streams() const;                  ///< sockets of this kind only; several add up
  Fault on_datagrams() const;
  Fault on_listeners() const;
  Fault descriptor(int fd) const;        ///< this descriptor only
  Fault one_descriptor() const;          ///< the descriptor of the first delivery only
  Fault peer(std::uint16_t port) const;  ///< connections from, or datagrams to, this port only
  Fault for_at_most(std::chrono::milliseconds time) const;  ///< hold: let go by itself after

 private:
  friend class RecorderLog;
  recorder::Action action_ = recorder::Action::none;
  Calls calls_ = Calls::any;
  int error_ = 0;
  std::uint64_t first_ = 1;
  std::uint64_t every_ = 1;
  std::optional<std::uint64_t> times_;
  bool in_a_row_ = false;
  unsigned sockets_ = 0;
  int descriptor_ = -1;
  bool sticky_ = false;
  std::uint16_t peer_port_ = 0;
  unsigned char pattern_ = 0;
  std::size_t amount_ = 0;
  std::chrono::milliseconds longest_hold_ = limits::longest_hold;
};

/// One call, as the recorder wrote it down.
/// EINTR -> "EINTR".
std::string error_name(int error);

struct CallRecord {
  std::uint64_t sequence = 0;  ///< order of the returns; for calls under way, of the entries
  int pid = 0;
  int tid = 0;
  recorder::Call call{};
  bool returned = false;
  bool alive = true;  ///< not returned: whether its thread still lives
  recorder::Action injected = recorder::Action::none;
  recorder::Socket socket = recorder::not_asked;  ///< always known for read, write, shutdown, close
  int error = 0;                                  ///< errno of a result of -1
  std::int64_t result = 0;
  std::array<std::int64_t, 4> arguments{};
  std::string data;              ///< up to 48 bytes: received or sent, a raw address, a path
  std::int64_t entered_at = 0;   ///< nanoseconds of the steady clock, after keep_times(); else 0
  std::int64_t returned_at = 0;  ///< the same
  /// Who called, innermost first, as frames.hpp's lines_at() takes it: of a call that was noticed;
  /// of each other close(), recv(), recvfrom(), read() and sendto() the caller alone.
  std::vector<std::uint64_t> callers{};

  bool is(Calls calls) const { return calls.contains(call); }
  /// A wait's timeout in milliseconds, rounded up; negative for one without end.
  std::optional<std::int64_t> timeout() const;
  /// `recv(4, 1024) = 6 "hello "`, `accept(3) = -1 EMFILE (told by the check)`,
  /// `poll(2, -1) …waiting`
  std::string text() const;
};

class RecorderLog;

/// A fault that was added. May outlive its log.
class FaultHandle {
 public:
  std::uint64_t delivered() const;  ///< how often so far
  std::uint64_t seen() const;       ///< calls that it is for, so far
  std::uint32_t holding() const;    ///< hold: calls waiting now
  void release();                   ///< hold: lets go whoever waits, and holds nobody any more
  void withdraw();                  ///< delivers no more; lets go

 private:
  friend class RecorderLog;
  struct Memory;
  FaultHandle(std::shared_ptr<Memory> memory, std::size_t rule)
      : memory_(std::move(memory)), rule_(rule) {}
  std::shared_ptr<Memory> memory_;
  std::size_t rule_;
};

/// The shared block of one program and its children.
class RecorderLog {
 public:
  /// Throws std::system_error if the block cannot be made.
  RecorderLog();

  static constexpr const char* environment_variable = recorder::environment_variable;
  /// Whether this machine can record at all (the recorder is Linux's).
  static bool available() noexcept;

  /// The descriptor to inherit. Close-on-exec here: give the program a copy (dup2) under any number
  /// and that number in KIT_RECORDER; the program closes it before main.
  int fd() const noexcept;
  /// Whether a program's recorder has found the block: it is built with one.
  bool attached() const;

  /// Takes effect at once. At most 32 a log (std::length_error).
  FaultHandle add(const Fault& fault);
  /// Ends every hold: before the program is asked to end.
  void release_all();

  /// Ends every fault: the program meets none from here on, and whoever is held goes on.
  void withdraw_all();

  // What the recorder notices in every step, of the program and its children; nothing if it is not
  // so. It is the first such call.
  std::optional<CallRecord> closed_used() const;  ///< on a descriptor that is not open (EBADF)
  std::optional<CallRecord> turning() const;      ///< call after call in one thread brought nothing
  std::optional<CallRecord> dozing() const;       ///< wait after wait was waited out, for nothing
  std::optional<CallRecord> napping() const;      ///< look after look found nothing, slept after
  std::uint64_t turns_most() const;  ///< the most calls in a row of one thread that brought nothing
  /// Bytes of memory in use when the program (not a child) last waited or received; 0 if not known.
  std::size_t heap() const;
  /// The same when it last went to sleep in a wait for readiness.
  std::size_t heap_at_rest() const;

  struct Delivered {
    std::string fault;  ///< "recv EINTR", "send held"
    std::uint64_t times = 0;
  };
  /// How often each of the faults that were added has been delivered.
  std::vector<Delivered> delivered() const;

  std::uint64_t count(Calls calls) const;   ///< how often entered, injected failures included
  std::uint64_t failed(Calls calls) const;  ///< how often the real call failed
  /// Bytes that calls which send were given, less what they did not take: at least as many as have
  /// reached anybody.
  std::uint64_t sent() const;
  /// Bytes that calls which receive have brought.
  std::uint64_t received() const;
  /// Whether one of the faults that were added is for calls that receive.
  bool has_receive_faults() const;
  /// Whether the faults in the block are still those that were added.
  bool faults_are_ours() const;

  /// The last calls that have returned, oldest first (256 at most).
  std::vector<CallRecord> records(std::size_t last = 64) const;
  /// The first calls that have returned, oldest first (16 at most).
  std::vector<CallRecord> first_records() const;
  /// Calls are written down with their times from here on: before the program starts.
  void keep_times();
  /// The calls that have returned since this was last asked, in their order: `seen` is how many
  /// that were, 0 at first. The block holds 256: `lost` counts those that were gone already.
  std::vector<CallRecord> since(std::uint64_t& seen, std::uint64_t& lost) const;
  /// Calls under way whose thread lives, oldest first.
  std::vector<CallRecord> pending() const;
  /// Whether one of these calls is under way, in a thread that lives.
  bool pending(Calls calls) const;
  /// The newest wait for readiness: the one under way, or the last that returned.
  std::optional<CallRecord> last_wait() const;

  struct Layout {
    std::size_t columns = limits::report_width;
    std::size_t indent = 4;
    std::size_t last = 64;
    std::size_t lines = 0;  ///< the most of them: the first few and the last; 0: all
  };
  /// What the program did, for a report: its first calls, the last ones, then those under way;
  /// what is repeated, once and how often. Empty if nothing is known.
  std::string text(Layout layout) const;
  std::string text() const { return text(Layout{}); }

 private:
  std::vector<CallRecord> under_way() const;
  std::shared_ptr<FaultHandle::Memory> memory_;
};

}  // namespace kit
