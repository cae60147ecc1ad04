// A part of recorder.cpp: calls that would pass the wrappers by are brought to
// them.
//
// The linker wraps names. A program that makes a system call by syscall(2), or
// by the instruction itself, names nothing: the first is wrapped here, and for
// the second the kernel is asked (seccomp(2)) to send SIGSYS for each such call
// that comes from elsewhere than a library. The handler then does what the
// wrapper does: it writes the call down, and the faults are delivered.
#pragma once

#include <link.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <ucontext.h>

#include <cstdarg>

// Where the sanitizers' runtime lies in the program itself (Clang), its own
// calls would come from there too: then only syscall(2) is seen. Null if the
// program has no such runtime.
extern "C" __attribute__((weak)) void __asan_init();  // NOLINT(bugprone-reserved-identifier)
extern "C" __attribute__((weak)) void __tsan_init();  // NOLINT(bugprone-reserved-identifier)

namespace {

using Six = std::int64_t[6];

template <class Type>
Type pointer(std::int64_t value) {
  return reinterpret_cast<Type>(value);
}

/// Makes the call as if the program had made it by name. False: it is none that
/// is recorded.
bool make_by_name(long number, const Six& a, long& result) {
  const auto fd = static_cast<int>(a[0]);
  const auto size = static_cast<std::size_t>(a[2]);
  const auto flags = static_cast<int>(a[3]);
  switch (number) {
    case SYS_socket:
      result = __wrap_socket(fd, static_cast<int>(a[1]), static_cast<int>(a[2]));
      return true;
    case SYS_bind:
      result = __wrap_bind(fd, pointer<const sockaddr*>(a[1]), static_cast<socklen_t>(a[2]));
      return true;
    case SYS_connect:
      result = __wrap_connect(fd, pointer<const sockaddr*>(a[1]), static_cast<socklen_t>(a[2]));
      return true;
    case SYS_listen:
      result = __wrap_listen(fd, static_cast<int>(a[1]));
      return true;
    case SYS_accept:
      result = __wrap_accept(fd, pointer<sockaddr*>(a[1]), pointer<socklen_t*>(a[2]));
      return true;
    case SYS_accept4:
      result = __wrap_accept4(fd, pointer<sockaddr*>(a[1]), pointer<socklen_t*>(a[2]), flags);
      return true;
    case SYS_recvfrom:
      result = __wrap_recvfrom(fd, pointer<void*>(a[1]), size, flags, pointer<sockaddr*>(a[4]),
                               pointer<socklen_t*>(a[5]));
      return true;
    case SYS_recvmsg:
      result = __wrap_recvmsg(fd, pointer<msghdr*>(a[1]), static_cast<int>(a[2]));
      return true;
    case SYS_read:
      result = __wrap_read(fd, pointer<void*>(a[1]), size);
      return true;
    case SYS_readv:
      result = __wrap_readv(fd, pointer<const iovec*>(a[1]), static_cast<int>(a[2]));
      return true;
    case SYS_sendto:
      result = __wrap_sendto(fd, pointer<const void*>(a[1]), size, flags,
                             pointer<const sockaddr*>(a[4]), static_cast<socklen_t>(a[5]));
      return true;
    case SYS_sendmsg:
      result = __wrap_sendmsg(fd, pointer<const msghdr*>(a[1]), static_cast<int>(a[2]));
      return true;
    case SYS_write:
      result = __wrap_write(fd, pointer<const void*>(a[1]), size);
      return true;
    case SYS_writev:
      result = __wrap_writev(fd, pointer<const iovec*>(a[1]), static_cast<int>(a[2]));
      return true;
    case SYS_shutdown:
      result = __wrap_shutdown(fd, static_cast<int>(a[1]));
      return true;
    case SYS_close:
      result = __wrap_close(fd);
      return true;
#ifdef SYS_poll
    case SYS_poll:
      result =
          __wrap_poll(pointer<pollfd*>(a[0]), static_cast<nfds_t>(a[1]), static_cast<int>(a[2]));
      return true;
#endif
    case SYS_ppoll:
      result = __wrap_ppoll(pointer<pollfd*>(a[0]), static_cast<nfds_t>(a[1]),
                            pointer<const timespec*>(a[2]), pointer<const sigset_t*>(a[3]));
      return true;
#ifdef SYS_select
    case SYS_select:
      result = __wrap_select(fd, pointer<fd_set*>(a[1]), pointer<fd_set*>(a[2]),
                             pointer<fd_set*>(a[3]), pointer<timeval*>(a[4]));
      return true;
#endif
    case SYS_epoll_create1:
      result = __wrap_epoll_create1(fd);
      return true;
    case SYS_epoll_ctl:
      result = __wrap_epoll_ctl(fd, static_cast<int>(a[1]), static_cast<int>(a[2]),
                                pointer<epoll_event*>(a[3]));
      return true;
#ifdef SYS_epoll_wait
    case SYS_epoll_wait:
      result = __wrap_epoll_wait(fd, pointer<epoll_event*>(a[1]), static_cast<int>(a[2]), flags);
      return true;
#endif
    case SYS_epoll_pwait:
      result = __wrap_epoll_pwait(fd, pointer<epoll_event*>(a[1]), static_cast<int>(a[2]), flags,
                                  pointer<const sigset_t*>(a[4]));
      return true;
#ifdef SYS_fork
    case SYS_fork:
      result = __wrap_fork();
      return true;
#endif
    case SYS_wait4:
      result =
          __wrap_wait4(fd, pointer<int*>(a[1]), static_cast<int>(a[2]), pointer<rusage*>(a[3]));
      return true;
#ifdef SYS_unlink
    case SYS_unlink:
      result = __wrap_unlink(pointer<const char*>(a[0]));
      return true;
#endif
    default:
      return false;
  }
}

// The numbers of make_by_name(). (A bare vfork or clone would return into the
// handler's frame.)
constexpr unsigned trapped[] = {
    SYS_socket,     SYS_bind,        SYS_connect,  SYS_listen, SYS_accept, SYS_accept4,
    SYS_recvfrom,   SYS_recvmsg,     SYS_read,     SYS_readv,  SYS_sendto, SYS_sendmsg,
    SYS_write,      SYS_writev,      SYS_shutdown, SYS_close,  SYS_ppoll,  SYS_epoll_create1,
    SYS_epoll_ctl,  SYS_epoll_pwait, SYS_wait4,
#ifdef SYS_poll
    SYS_poll,
#endif
#ifdef SYS_select
    SYS_select,
#endif
#ifdef SYS_epoll_wait
    SYS_epoll_wait,
#endif
#ifdef SYS_fork
    SYS_fork,
#endif
#ifdef SYS_unlink
    SYS_unlink,
#endif
};

#if defined(__x86_64__) || defined(__aarch64__)

void on_trap(int, siginfo_t* info, void* context) {
  mcontext_t& registers = static_cast<ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  auto& gregs = registers.gregs;
  const Six arguments = {gregs[REG_RDI], gregs[REG_RSI], gregs[REG_RDX],
                         gregs[REG_R10], gregs[REG_R8],  gregs[REG_R9]};
  auto& answer = gregs[REG_RAX];
#else
  Six arguments;
  for (int i = 0; i < 6; ++i) arguments[i] = static_cast<std::int64_t>(registers.regs[i]);
  auto& answer = registers.regs[0];
#endif
  const int before = errno;
  long result = -1;
  errno = ENOSYS;
  make_by_name(info->si_syscall, arguments, result);
  answer = static_cast<std::remove_reference_t<decltype(answer)>>(result == -1 ? -errno : result);
  errno = before;
}

// The kernel's own form of sigaction(2): libc's is one that ThreadSanitizer
// watches.
struct KernelAction {
  void (*handler)(int, siginfo_t*, void*);
  unsigned long flags;
  void (*restorer)();
  std::uint64_t mask;
};

#if defined(__x86_64__)
extern "C" void kit_recorder_restore();
asm(".text\n.type kit_recorder_restore,@function\nkit_recorder_restore:\n"
    "  mov $15, %eax\n  syscall\n.size kit_recorder_restore, "
    ".-kit_recorder_restore\n");
#endif

bool handle_traps() {
  KernelAction action{};
  action.handler = on_trap;
  // Another trap may come while it runs: a signal handler of the program's own,
  // for one.
  action.flags = SA_SIGINFO | SA_NODEFER;
#if defined(__x86_64__)
  constexpr unsigned long has_restorer = 0x04000000;
  action.flags |= has_restorer;
  action.restorer = kit_recorder_restore;
#endif
  return __real_syscall(SYS_rt_sigaction, SIGSYS, &action, nullptr, sizeof action.mask) == 0;
}

/// The filter as it grows. Addresses have 64 bits and the filter's words 32: a
/// range is cut where the upper half changes.
class Filter {
 public:
  void add(unsigned short code, std::uint32_t value, unsigned char yes = 0, unsigned char no = 0) {
    if (size_ < sizeof all_ / sizeof *all_) all_[size_] = {code, yes, no, value};
    ++size_;
  }
  void load(std::size_t offset) {
    add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
  }
  void answer(std::uint32_t what) { add(BPF_RET | BPF_K, what); }

  /// A call from there is let through.
  void allow(std::uint64_t begin, std::uint64_t end) {
    while (begin < end) {
      const std::uint64_t border = (begin | 0xFFFFFFFFU) + 1;
      const std::uint64_t last = (end < border ? end : border) - 1;
      load(offsetof(seccomp_data, instruction_pointer) + 4);
      add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(begin >> 32), 0, 4);
      load(offsetof(seccomp_data, instruction_pointer));
      add(BPF_JMP | BPF_JGE | BPF_K, static_cast<std::uint32_t>(begin), 0, 2);
      add(BPF_JMP | BPF_JGT | BPF_K, static_cast<std::uint32_t>(last), 1, 0);
      answer(SECCOMP_RET_ALLOW);
      begin = border;
    }
  }

  bool install() {
    if (size_ > sizeof all_ / sizeof *all_) return false;
    const sock_fprog program{static_cast<unsigned short>(size_), all_};
    return __real_syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) == 0 &&
           __real_syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0L, &program) == 0;
  }

 private:
  sock_filter all_[1024] = {};
  std::size_t size_ = 0;
};

Filter trap_filter;  // too large for a stack

int allow_library(dl_phdr_info* info, std::size_t, void* filter) {
  if (!info->dlpi_name || !*info->dlpi_name) return 0;  // the program itself
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& part = info->dlpi_phdr[i];
    if (part.p_type != PT_LOAD || !(part.p_flags & PF_X)) continue;
    const std::uint64_t begin = info->dlpi_addr + part.p_vaddr;
    static_cast<Filter*>(filter)->allow(begin, begin + part.p_memsz);
  }
  return 0;
}

bool is_in_program(void (*function)()) {
  struct Search {
    std::uint64_t address;
    bool found;
  } search{reinterpret_cast<std::uint64_t>(function), false};
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* data) {
        auto* const wanted = static_cast<Search*>(data);
        if (info->dlpi_name && *info->dlpi_name) return 0;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& part = info->dlpi_phdr[i];
          const std::uint64_t begin = info->dlpi_addr + part.p_vaddr;
          if (part.p_type == PT_LOAD && wanted->address >= begin &&
              wanted->address < begin + part.p_memsz)
            wanted->found = true;
        }
        return 1;
      },
      &search);
  return search.found;
}

/// Once this has returned, no call of a recorded kind that the program itself
/// makes is unseen.
void trap_bare_calls() {
  if ((__asan_init && is_in_program(__asan_init)) || (__tsan_init && is_in_program(__tsan_init)))
    return;
#if defined(__x86_64__)
  constexpr std::uint32_t architecture = AUDIT_ARCH_X86_64;
#else
  constexpr std::uint32_t architecture = AUDIT_ARCH_AARCH64;
#endif
  if (!handle_traps()) return;
  Filter& filter = trap_filter;
  filter.load(offsetof(seccomp_data, arch));
  filter.add(BPF_JMP | BPF_JEQ | BPF_K, architecture, 1, 0);
  filter.answer(SECCOMP_RET_ERRNO | ENOSYS);
  filter.load(offsetof(seccomp_data, nr));
#if defined(__x86_64__)
  // The numbers of the x32 calls begin there.
  filter.add(BPF_JMP | BPF_JGE | BPF_K, 0x40000000U, 0, 1);
  filter.answer(SECCOMP_RET_ERRNO | ENOSYS);
#endif
#ifdef SYS_io_uring_setup
  // A ring would make calls on the program's behalf that nobody sees.
  filter.add(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1);
  filter.answer(SECCOMP_RET_ERRNO | ENOSYS);
#endif
  constexpr std::size_t count = sizeof trapped / sizeof *trapped;
  for (std::size_t i = 0; i < count; ++i) {
    // To the end of this list, and past the answer there.
    filter.add(BPF_JMP | BPF_JEQ | BPF_K, trapped[i], static_cast<unsigned char>(count - i), 0);
  }
  filter.answer(SECCOMP_RET_ALLOW);
  dl_iterate_phdr(allow_library, &filter);
  filter.answer(SECCOMP_RET_TRAP);
  filter.install();
}

#else

void trap_bare_calls() {}

#endif

}  // namespace

// NOLINTNEXTLINE(bugprone-reserved-identifier)
extern "C" long __wrap_syscall(long number, ...) {
  Six arguments;
  va_list list;
  va_start(list, number);
  for (std::int64_t& argument : arguments) argument = va_arg(list, long);
  va_end(list);
  long result = -1;
  if (block && make_by_name(number, arguments, result)) return result;
  return __real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3],
                        arguments[4], arguments[5]);
}
