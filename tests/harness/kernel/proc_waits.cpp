// What the threads of a process wait for: /proc/PID/task/TID/syscall, and the mutexes of glibc.

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "proc.hpp"
#include "proc_files.hpp"

#if defined(__linux__)
#include <sys/syscall.h>
#include <sys/uio.h>
#endif

namespace kit::proc {
namespace {

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

}  // namespace kit::proc
