#include "child.hpp"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#if defined(__linux__)
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

namespace kit {
namespace {

[[noreturn]] void give_up(int report, const char* call) {
  ChildError what{errno, {}};
  std::strncpy(what.call, call, sizeof what.call - 1);
  // If even this fails the parent sees exit status 127.
  [[maybe_unused]] const auto written = write(report, &what, sizeof what);
  _exit(127);
}

void limit(int resource, std::size_t value, int report) {
  if (value == 0) return;
  const rlimit both{static_cast<rlim_t>(value), static_cast<rlim_t>(value)};
  // glibc wants its own enum for the first argument.
  if (setrlimit(static_cast<decltype(RLIMIT_CORE)>(resource), &both) == 0) return;
  // A hard limit of ours that is lower already serves as well.
  rlimit ours{};
  getrlimit(static_cast<decltype(RLIMIT_CORE)>(resource), &ours);
  if (errno == EPERM && ours.rlim_max < both.rlim_max) return;
  give_up(report, "setrlimit");
}

void set_limits(const ProcessOptions& options, int report) {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  limit(RLIMIT_CPU, options.limits.cpu_seconds, report);
  limit(RLIMIT_NOFILE, options.limits.open_files, report);
  limit(RLIMIT_FSIZE, options.limits.file_size, report);
#if defined(__linux__)
  if (options.user) limit(RLIMIT_NPROC, options.limits.processes, report);
#endif
}

void become_user(uid_t user, int report) {
  // Another number than the user's: whoever takes one for the other is seen.
  constexpr gid_t apart = 1'000;
  const gid_t group = static_cast<gid_t>(user) - apart;
  if (setgroups(0, nullptr) != 0) give_up(report, "setgroups");
  if (setgid(group) != 0) give_up(report, "setgid");
  if (setuid(user) != 0) give_up(report, "setuid");
}

// Signals as a fresh login has them: dispositions to default, nothing blocked.
void reset_signals() {
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

void close_from(int first) {
#if defined(SYS_close_range)
  if (syscall(SYS_close_range, static_cast<unsigned>(first), ~0U, 0U) == 0) return;
#endif
  const long most = sysconf(_SC_OPEN_MAX);
  for (int fd = first; fd < (most > 0 && most < 65536 ? most : 65536); ++fd) close(fd);
}

// Gives each descriptor its number in the program and closes all others; `report` stays open until
// exec, at the first number that is free.
void place_descriptors(std::vector<ProcessOptions::Inherited> wanted, int& report) {
  int highest = 3;
  for (const auto& one : wanted) highest = std::max(highest, one.as + 1);
  // First out of the way, above every number that is wanted; then down to it.
  report = fcntl(report, F_DUPFD_CLOEXEC, highest + 1);
  for (auto& one : wanted) one.fd = fcntl(one.fd, F_DUPFD, highest + 1);
  for (const auto& one : wanted) {
    if (dup2(one.fd, one.as) < 0) give_up(report, "dup2");
  }
  for (int fd = 3; fd < highest; ++fd) {
    const bool kept = std::ranges::any_of(wanted, [&](const auto& one) { return one.as == fd; });
    if (!kept) close(fd);
  }
  report = fcntl(report, F_DUPFD_CLOEXEC, highest);
  if (report != highest) {
    // `highest` was taken by one of ours: it is free to be replaced.
    dup2(report, highest);
    fcntl(highest, F_SETFD, FD_CLOEXEC);
    report = highest;
  }
  close_from(highest + 1);
}

std::vector<std::string> environment_of(const ProcessOptions& options) {
  std::vector<std::string> variables = {"PATH=/usr/local/bin:/usr/bin:/bin",
                                        "LANG=C",
                                        "LC_ALL=C",
                                        "TZ=UTC0",
                                        "HOME=" + options.folder,
                                        "TMPDIR=" + options.folder};
  for (const std::string& given : options.environment) {
    const std::string name = given.substr(0, given.find('=') + 1);
    std::erase_if(variables, [&](const std::string& one) { return one.starts_with(name); });
    variables.push_back(given);
  }
  return variables;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

[[noreturn]] void become_program(const ProcessOptions& options, ChildStreams streams, int report,
                                 pid_t parent) {
  setsid();  // a group of its own, and no terminal to take Ctrl-C from or to open
#if defined(TIOCSCTTY)
  if (options.terminal != Terminal::none) ioctl(streams.out, TIOCSCTTY, 0);
#endif
  std::vector<ProcessOptions::Inherited> wanted = options.inherited;
  wanted.insert(wanted.begin(), {{streams.in, 0}, {streams.out, 1}, {streams.err, 2}});
  place_descriptors(std::move(wanted), report);

  umask(options.umask);
  set_limits(options, report);
#if defined(__linux__)
  if (options.fixed_addresses) {
    const int now = personality(0xffffffff);
    // Some containers refuse it; the program then starts or says why it cannot.
    if (now >= 0) personality(static_cast<unsigned long>(now) | ADDR_NO_RANDOMIZE);
  }
  // No set-uid program, sudo for one, gives it back what it lacks.
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#endif
  if (options.user) become_user(*options.user, report);
  if (chdir(options.folder.c_str()) != 0) give_up(report, "chdir");
  if (options.confinement) {
    Confinement confinement = *options.confinement;
    confinement.executable.push_back(options.command.front());
    confine(confinement);  // where it cannot: the user of its own and the limits remain
  }
#if defined(__linux__)
  // After setuid, which clears it. If the parent is gone by now nobody will send the signal.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
#else
  (void)parent;
#endif
  reset_signals();

  std::vector<std::string> command = options.command;
  std::vector<std::string> variables = environment_of(options);
  const std::vector<char*> arguments = pointers(command);
  const std::vector<char*> environment = pointers(variables);
#if defined(__linux__)
  // Last of all: what we are now may be larger than the program may become.
  limit(RLIMIT_AS, options.limits.address_space, report);
#endif
  execve(command.front().c_str(), arguments.data(), environment.data());
  give_up(report, "execve");
}

}  // namespace kit
