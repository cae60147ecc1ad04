// The memory that a recorded program shares with the check that started it.
//
// The check creates the block and passes its descriptor (RecorderLog); the recorder linked into the
// program maps it, writes calls down, and looks up which faults to deliver. Both sides include this
// file and nothing else of each other.
//
// Every field is a lock-free atomic: the two sides are different processes, a forked child shares
// the block with its parent, and a lock in the recorder would hide the program's own data races
// from ThreadSanitizer.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace kit::recorder {

/// The environment variable that holds the number of the inherited descriptor.
inline constexpr const char* environment_variable = "KIT_RECORDER";

// clang-format off
/// What is recorded. The order is the one of call_names, and of the bits in a set of calls.
enum class Call : std::uint16_t {
  socket, bind, listen, accept, accept4, connect,
  recv, recvfrom, recvmsg, recvmmsg, read, readv, preadv2,
  send, sendto, sendmsg, sendmmsg, write, writev, pwritev2, sendfile,
  shutdown, close,
  poll, ppoll, select, pselect,
  epoll_create1, epoll_ctl, epoll_wait, epoll_pwait, epoll_pwait2,
  fork, vfork, clone, posix_spawn, wait, waitpid, waitid, wait4,
  unlink, thread, pthread_create,
  getsockopt, setsockopt, getsockname, getpeername,
  nanosleep, clock_nanosleep, usleep, sleep, mutex_unlock,
  lstat, chmod, umask, mkdir, rename, unlinkat, fcntl,
};

inline constexpr std::array call_names = {
    "socket", "bind", "listen", "accept", "accept4", "connect",
    "recv", "recvfrom", "recvmsg", "recvmmsg", "read", "readv", "preadv2",
    "send", "sendto", "sendmsg", "sendmmsg", "write", "writev", "pwritev2", "sendfile",
    "shutdown", "close",
    "poll", "ppoll", "select", "pselect",
    "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2",
    "fork", "vfork", "clone", "posix_spawn", "wait", "waitpid", "waitid", "wait4",
    "unlink", "std::thread", "pthread_create",
    "getsockopt", "setsockopt", "getsockname", "getpeername",
    "nanosleep", "clock_nanosleep", "usleep", "sleep", "pthread_mutex_unlock",
    "lstat", "chmod", "umask", "mkdir", "rename", "unlinkat", "fcntl",
};
// clang-format on
inline constexpr std::size_t call_kinds = call_names.size();
static_assert(call_kinds == static_cast<std::size_t>(Call::fcntl) + 1);
static_assert(call_kinds <= 64, "a set of calls is one word");

/// A set of calls, one bit each.
using CallSet = std::uint64_t;
constexpr CallSet set_of(Call call) {
  return CallSet{1} << static_cast<unsigned>(call);
}

/// What a call's descriptor is, and (as a set) which descriptors a rule is for.
enum Socket : std::uint8_t {
  not_asked = 0,
  stream = 1,
  datagram = 2,
  listener = 4,
  other_socket = 8,
  bad_descriptor = 16,
  no_socket = 32,
};

/// In place of an option's value that is no number.
inline constexpr std::int64_t no_value = INT64_MIN;

enum class State : std::uint8_t { entered = 1, returned = 2 };

/// What the recorder did to a call.
enum class Action : std::uint8_t {
  none = 0,
  fail,     ///< return -1 with the rule's errno; the real call is not made
  shorten,  ///< make the real call for at most `amount` bytes
  hold,     ///< wait until the check lets go, then make the real call
  endless,  ///< a receive fills its whole buffer; the real call is not made
  vanish,   ///< take away the connection or datagram that waits, then make the real call
};

/// One call: 18 words, copied word by word.
struct Record {
  std::uint64_t sequence;  ///< 0 while being written; else 1 + its place in the order of returns
  std::int32_t pid;
  std::int32_t tid;
  Call call;
  State state;
  Action injected;
  std::uint8_t socket;  ///< a Socket, not_asked where it was not worth a system call
  std::int32_t error;   ///< errno if result is -1
  std::int64_t result;
  std::int64_t arguments[4];
  std::int64_t entered_at;   ///< nanoseconds of CLOCK_MONOTONIC; 0 unless the block is `timed`
  std::int64_t returned_at;  ///< the same
  std::uint32_t data_size;   ///< bytes kept in data
  std::uint32_t caller;      ///< of some calls: where it will go on, as in Noticed; 0: elsewhere
  std::uint8_t data[48];     ///< the first bytes moved; an address; a path
};
static_assert(sizeof(Record) == 144 && alignof(Record) == 8);
inline constexpr std::size_t record_words = sizeof(Record) / sizeof(std::uint64_t);

using Word = std::atomic<std::uint64_t>;
using HalfWord = std::atomic<std::uint32_t>;
static_assert(Word::is_always_lock_free && HalfWord::is_always_lock_free);
static_assert(sizeof(Word) == 8 && sizeof(HalfWord) == 4);

struct SharedRecord {
  Word words[record_words];
};

/// A call under way. `owner` is the thread that uses the slot, 0 if it is free.
struct OpenCall {
  HalfWord owner;
  HalfWord unused;
  SharedRecord record;
};

enum class RuleState : std::uint32_t { empty = 0, active = 1, withdrawn = 2 };

/// One fault to deliver. Written by the check before `state` becomes active; the recorder writes
/// only seen, delivered, waiting and sticky_descriptor.
struct Rule {
  HalfWord state;              ///< a RuleState
  HalfWord action;             ///< an Action
  Word calls;                  ///< a CallSet
  HalfWord sockets;            ///< a set of Socket; 0: any descriptor, or none
  HalfWord error;              ///< fail: errno
  Word first;                  ///< deliver from this matching call on; the first is 1
  Word every;                  ///< then at each k-th matching call
  Word times;                  ///< this often at most; 0: without limit
  HalfWord in_a_row;           ///< 1: may fail the same thread twice running
  HalfWord peer_port;          ///< only connections to this port (host order); 0: any
  HalfWord descriptor;         ///< only this descriptor, plus one; 0: any
  HalfWord sticky;             ///< 1: stay with the descriptor of the first delivery
  HalfWord sticky_descriptor;  ///< that descriptor, plus one
  HalfWord pattern;            ///< endless: the byte
  Word amount;                 ///< shorten: bytes; endless: length of a line, newline included
  HalfWord hold_ms;            ///< hold: never longer than this
  HalfWord released;           ///< hold: a futex; 1 lets everybody go
  HalfWord waiting;            ///< hold: calls that are held now
  HalfWord unused;
  Word seen;       ///< matching calls so far
  Word delivered;  ///< faults delivered so far
};

/// How many functions up from a call are kept that the recorder notices.
inline constexpr std::size_t callers_kept = 16;

/// What the recorder notices by itself, and keeps the first call of: the last calls are soon
/// others.
struct Noticed {
  Word count;
  HalfWord claimed;  ///< whoever sets it writes `first`
  HalfWord unused;
  SharedRecord first;
  Word callers[callers_kept];  ///< where it will go on, innermost first, as the program's file has
                               ///< it: addr2line(1); 0: no more
};

/// So many calls in a row of one thread that bring nothing are a loop that turns: waits that return
/// at once, receives and sends that move nothing, questions after children that still run. What
/// wakes a loop and is not seen to bring anything (a child that ends) comes a few hundred times in
/// a row at most: a step has no more of them.
inline constexpr std::uint32_t turns_allowed = 1000;
/// So many waits in a row that sleep until their time is over, with nothing done between them, are
/// a loop that looks again and again; as many looks that find nothing (EAGAIN, no child that has
/// ended, nothing ready), with a sleep after each, are one too.
inline constexpr std::uint32_t dozes_allowed = 25;

inline constexpr std::size_t ring_size = 256;
/// How a program begins is kept besides: its last calls are soon others.
inline constexpr std::size_t first_size = 16;
inline constexpr std::size_t open_size = 256;
inline constexpr std::size_t rule_count = 32;
inline constexpr std::uint64_t magic = 0x3172656472636572;  // "recrder1", little-endian
inline constexpr std::uint32_t version = 6;

/// The whole block. All zero is a valid empty one, but for magic, version and size.
struct Block {
  Word magic;
  HalfWord version;
  HalfWord size;
  HalfWord attached;   ///< pid of the program, once its recorder has found the block
  HalfWord rules_end;  ///< rules at and after this index are empty
  HalfWord timed;      ///< 1: calls are to be written down with their times
  HalfWord unused;     ///< keeps what follows at multiples of eight
  Word armed;          ///< every call that some rule is for: one look spares the search
  Word next;           ///< records written so far; the next one's place is next % ring_size
  Word opened;         ///< calls entered so far: the order of the calls under way
  Word entered[64];    ///< calls by kind, at their entry
  Word failed[64];     ///< calls by kind that really failed (no injected errno among them)
  Word sent;           ///< bytes given to calls that send, less what they did not take
  Word received;       ///< bytes that calls which receive have brought
  Noticed closed;      ///< calls on a descriptor that is not open (EBADF)
  Noticed turning;     ///< a thread's turns_allowed-th call in a row that brought nothing
  Noticed dozing;      ///< a thread's dozes_allowed-th wait in a row that was only waited out
  Noticed napping;    ///< a thread's look for nothing after dozes_allowed of them, each slept after
  Word turns_most;    ///< the most turns in a row of one thread
  Word heap;          ///< bytes of memory in use when the program itself last waited or received
  Word heap_at_rest;  ///< the same when it last went to sleep in a wait for readiness
  SharedRecord ring[ring_size];
  SharedRecord first[first_size];  ///< the first calls that returned
  OpenCall open[open_size];
  Rule rules[rule_count];
};

}  // namespace kit::recorder
