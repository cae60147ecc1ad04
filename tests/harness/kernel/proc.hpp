#pragma once

// What the kernel tells about a process from outside (Linux: /proc). Elsewhere these return
// nothing, and a step that needs one cannot run there.

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/address.hpp"

namespace kit::proc {

struct Status {
  char state = '?';  ///< as in ps: R, S, D, T, Z …
  pid_t parent = 0;
  bool ending = false;  ///< it has called exit or was killed, and is being taken apart
  long threads = 0;
  std::chrono::milliseconds cpu{0};
  std::string name;
};
std::optional<Status> status(pid_t pid);

/// What kept a process from running (nothing where that cannot be seen).
struct Held {
  std::chrono::milliseconds waited{0};  ///< all its threads: ready, while others had the processor
  bool uninterruptible = false;         ///< one of them waits for a disk, a page (state D)
};
Held held(pid_t pid);

/// Its umask; nothing where that cannot be seen.
std::optional<mode_t> umask(pid_t pid);

/// Nothing while a thread of the process or of its children runs. Once all sleep, a number that
/// changes when one of them has run meanwhile. (0 where that cannot be seen.)
std::optional<std::uint64_t> asleep(pid_t pid);

/// All processes that can be seen, by their parents: one look for who asks for a whole tree.
std::map<pid_t, std::vector<pid_t>> families();

/// Every process whose parent this is, zombies included.
std::vector<pid_t> children(pid_t pid);

struct OpenDescriptor {
  int fd;
  std::string what;  ///< "socket 127.0.0.1:40213 listening", "pipe", a path …
};
/// Its open descriptors in order; nothing where that cannot be seen.
std::optional<std::vector<OpenDescriptor>> descriptors(pid_t pid);

/// How many of its open descriptors are sockets.
std::optional<std::size_t> open_sockets(pid_t pid);

/// Whether one of its descriptors is non-blocking (false where that cannot be seen).
bool is_nonblocking(pid_t pid, int fd);

/// Resident memory in KiB.
std::optional<std::size_t> resident_kib(pid_t pid);

/// The system call in which its first thread waits: "accept(3)", "recv(4)"; empty if not known.
std::string waits_in(pid_t pid);

/// One line for each of its threads: what it waits in.
std::vector<std::string> threads_wait_in(pid_t pid);

/// A thread that waits for a mutex, and the thread that holds it (glibc: its number stands in the
/// mutex).
struct LockWait {
  pid_t thread = 0;
  std::uint64_t mutex = 0;
  pid_t owner = 0;
  std::string owner_waits_in{};  ///< as in waits_in(); empty if it does not wait
  friend bool operator==(const LockWait&, const LockWait&) = default;
};
/// Those of a process (nothing where that cannot be seen).
std::vector<LockWait> lock_waits(pid_t pid);

/// Bytes that have come to the socket (`local`, `remote`) and were not read yet; nothing if there
/// is no such socket or it cannot be seen.
std::optional<std::size_t> unread_bytes(const Address& local, const Address& remote);

/// TCP addresses on which the process listens.
std::vector<std::string> listening(pid_t pid);

}  // namespace kit::proc
