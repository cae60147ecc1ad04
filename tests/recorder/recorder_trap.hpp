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
#include <cstdint>
#include <utility>

// Where the sanitizers' runtime lies in the program itself (Clang), its own
// calls would come from there too: then only syscall(2) is seen. Null if the
// program has no such runtime.
extern "C" __attribute__((weak)) void __asan_init();  // NOLINT(bugprone-reserved-identifier)
extern "C" __attribute__((weak)) void __tsan_init();  // NOLINT(bugprone-reserved-identifier)

namespace {

using Six = long[6];

template <class Type>
Type as(long value) {
  if constexpr (std::is_pointer_v<Type>) {
    return reinterpret_cast<Type>(value);
  } else {
    return static_cast<Type>(value);
  }
}

template <class Result, class... Types, std::size_t... Places>
long by_name(Result (*call)(Types...), const Six& a, std::index_sequence<Places...>) {
  return static_cast<long>(call(as<Types>(a[Places])...));
}
template <class Result, class... Types>
long by_name(Result (*call)(Types...), const Six& a) {
  return by_name(call, a, std::index_sequence_for<Types...>{});
}

// These three have other arguments than the functions of their names: pselect6(2), readv(2).
long pselect_by_number(const Six& a) {
  struct Mask {
    const sigset_t* set;
    std::size_t size;
  };
  const auto* mask = as<const Mask*>(a[5]);
  return __wrap_pselect(as<int>(a[0]), as<fd_set*>(a[1]), as<fd_set*>(a[2]), as<fd_set*>(a[3]),
                        as<const timespec*>(a[4]), mask ? mask->set : nullptr);
}
long preadv2_by_number(const Six& a) {
  return __wrap_preadv2(as<int>(a[0]), as<const iovec*>(a[1]), as<int>(a[2]), a[3], as<int>(a[5]));
}
long pwritev2_by_number(const Six& a) {
  return __wrap_pwritev2(as<int>(a[0]), as<const iovec*>(a[1]), as<int>(a[2]), a[3], as<int>(a[5]));
}

// The function returns the error's number, the call -1.
long clock_nanosleep_by_number(const Six& a) {
  const int error = static_cast<int>(by_name(__wrap_clock_nanosleep, a));
  if (error != 0) errno = error;
  return error == 0 ? 0 : -1;
}

/// What the wrappers stand in front of, by number.
struct Numbered {
  long number;
  long (*make)(const Six&);
};
#define KIT_NUMBERED(name)                                             \
  {                                                                    \
    SYS_##name, [](const Six& a) { return by_name(__wrap_##name, a); } \
  }
constexpr Numbered numbered[] = {
    KIT_NUMBERED(socket),
    KIT_NUMBERED(bind),
    KIT_NUMBERED(connect),
    KIT_NUMBERED(listen),
    KIT_NUMBERED(accept),
    KIT_NUMBERED(accept4),
    KIT_NUMBERED(recvfrom),
    KIT_NUMBERED(recvmsg),
    KIT_NUMBERED(recvmmsg),
    KIT_NUMBERED(read),
    KIT_NUMBERED(readv),
    {SYS_preadv2, preadv2_by_number},
    KIT_NUMBERED(sendto),
    KIT_NUMBERED(sendmsg),
    KIT_NUMBERED(sendmmsg),
    KIT_NUMBERED(write),
    KIT_NUMBERED(writev),
    KIT_NUMBERED(sendfile),
    {SYS_pwritev2, pwritev2_by_number},
    KIT_NUMBERED(getsockopt),
    KIT_NUMBERED(setsockopt),
    KIT_NUMBERED(getsockname),
    KIT_NUMBERED(getpeername),
    KIT_NUMBERED(shutdown),
    KIT_NUMBERED(close),
    KIT_NUMBERED(ppoll),
    {SYS_pselect6, pselect_by_number},
    KIT_NUMBERED(epoll_ctl),
    KIT_NUMBERED(epoll_create1),
    KIT_NUMBERED(epoll_pwait),
    KIT_NUMBERED(nanosleep),
    {SYS_clock_nanosleep, clock_nanosleep_by_number},
    KIT_NUMBERED(waitid),
    KIT_NUMBERED(wait4),
#ifdef SYS_poll  // machines that Linux came to later have only the newer calls
    KIT_NUMBERED(poll),
    KIT_NUMBERED(select),
    KIT_NUMBERED(epoll_wait),
    KIT_NUMBERED(fork),
    KIT_NUMBERED(unlink),
#endif
#ifdef SYS_epoll_pwait2
    {SYS_epoll_pwait2,
     [](const Six& a) {
       if (__real_epoll_pwait2) return by_name(__wrap_epoll_pwait2, a);
       return __real_syscall(SYS_epoll_pwait2, a[0], a[1], a[2], a[3], a[4], a[5]);
     }},
#endif
};
#undef KIT_NUMBERED

/// Makes the call as if the program had made it by name. False: it is none that
/// is recorded.
bool make_by_name(long number, const Six& a, long& result) {
  for (const Numbered& one : numbered) {
    if (one.number != number) continue;
    result = one.make(a);
    return true;
  }
  return false;
}

// A fork in other words: memory and stack of its own. clone(2)
bool is_fork(unsigned long flags, unsigned long stack) {
  constexpr unsigned long shares_memory = 0x100;  // CLONE_VM
  return !(flags & shares_memory) && stack == 0;
}

/// The forks that only syscall(2) can make: a bare instruction of these would return into the
/// frame of the handler.
bool make_fork(long number, const Six& a, long& result) {
  const auto real = [&] {
    return static_cast<pid_t>(__real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]));
  };
  bool copies = number == SYS_clone && is_fork(as<unsigned long>(a[0]), as<unsigned long>(a[1]));
#ifdef SYS_clone3
  // Of its structure the flags are the first word and the stack the sixth.
  if (const auto* words = as<const std::uint64_t*>(a[0]); number == SYS_clone3 && words)
    copies = is_fork(words[0], words[5]);
#endif
  if (copies) result = fork_call(Call::clone, real);
#ifdef SYS_vfork
  if (number == SYS_vfork) {
    result = __wrap_vfork();
    copies = true;
  }
#endif
  return copies;
}

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
  for (int i = 0; i < 6; ++i) arguments[i] = static_cast<long>(registers.regs[i]);
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
  constexpr std::size_t count = sizeof numbered / sizeof *numbered;
  for (std::size_t i = 0; i < count; ++i) {
    // To the end of this list, and past the answer there.
    filter.add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(numbered[i].number),
               static_cast<unsigned char>(count - i), 0);
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
  for (long& argument : arguments) argument = va_arg(list, long);
  va_end(list);
  long result = -1;
  if (block && (make_by_name(number, arguments, result) || make_fork(number, arguments, result)))
    return result;
  return __real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3],
                        arguments[4], arguments[5]);
}
