#include "process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "harness/base/descriptor.hpp"
#include "harness/kernel/proc.hpp"

#if defined(__linux__)
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

namespace kit {
namespace {

[[noreturn]] void fail(const char* call) {
  throw std::system_error(errno, std::generic_category(), call);
}

struct Pipe {
  Descriptor read, write;
};

Pipe make_pipe() {
  int ends[2];
  if (pipe(ends) != 0) fail("pipe");
  Pipe result{Descriptor(ends[0]), Descriptor(ends[1])};
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  return result;
}

void set_nonblocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

// The running processes that this one has started on purpose.
std::vector<Process*>& registry() {
  static std::vector<Process*> processes;
  return processes;
}

// -- in the child, between fork and exec --------------------------------------------------------
// The harness has one thread, so that the child may do whatever the parent might.

// What the parent is told if the child cannot become the program.
struct ChildError {
  int error;
  char call[24];
};

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

struct ChildStreams {
  int in, out, err;
};

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

// -- terminals ------------------------------------------------------------------------------------

Pipe make_terminal() {
  Descriptor master(posix_openpt(O_RDWR | O_NOCTTY));
  if (!master || grantpt(master.get()) != 0 || unlockpt(master.get()) != 0) fail("posix_openpt");
  fcntl(master.get(), F_SETFD, FD_CLOEXEC);
  const char* const name = ptsname(master.get());
  if (name == nullptr) fail("ptsname");
  Descriptor slave(open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!slave) fail("open of a pty");
  termios modes{};
  if (tcgetattr(slave.get(), &modes) == 0) {
    // Lines and end of file as a person types them; but nothing echoed and no \r added, so that
    // what comes out is what the program wrote.
    modes.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    modes.c_oflag &= ~static_cast<tcflag_t>(OPOST);
    tcsetattr(slave.get(), TCSANOW, &modes);
  }
  return {std::move(master), std::move(slave)};
}

constexpr char end_of_file_key = 4;  // Ctrl-D

}  // namespace

// ---- exits -------------------------------------------------------------------------------------

std::string signal_name(int number) {
  switch (number) {
    case SIGHUP:
      return "SIGHUP";
    case SIGINT:
      return "SIGINT";
    case SIGQUIT:
      return "SIGQUIT";
    case SIGILL:
      return "SIGILL";
    case SIGABRT:
      return "SIGABRT";
    case SIGBUS:
      return "SIGBUS";
    case SIGFPE:
      return "SIGFPE";
    case SIGKILL:
      return "SIGKILL";
    case SIGSEGV:
      return "SIGSEGV";
    case SIGPIPE:
      return "SIGPIPE";
    case SIGALRM:
      return "SIGALRM";
    case SIGTERM:
      return "SIGTERM";
    case SIGCHLD:
      return "SIGCHLD";
    case SIGSTOP:
      return "SIGSTOP";
    case SIGCONT:
      return "SIGCONT";
    case SIGUSR1:
      return "SIGUSR1";
    case SIGUSR2:
      return "SIGUSR2";
    case SIGXCPU:
      return "SIGXCPU";
    case SIGXFSZ:
      return "SIGXFSZ";
    case SIGTRAP:
      return "SIGTRAP";
    default:
      return "signal " + std::to_string(number);
  }
}

std::string Exit::text() const {
  if (signal == 0) return "exit " + std::to_string(code);
  const char* why = "";
  switch (signal) {
    case SIGSEGV:
      why = " (it used memory that is not its own)";
      break;
    case SIGABRT:
      why = " (it called abort, as an exception that nobody catches does)";
      break;
    case SIGPIPE:
      why = " (it wrote to a connection whose other side is gone)";
      break;
    case SIGXCPU:
      why = " (it used up its processor time)";
      break;
    case SIGXFSZ:
      why = " (it wrote too large a file)";
      break;
    case SIGFPE:
      why = " (a division by zero)";
      break;
    default:
      break;
  }
  return "killed by " + signal_name(signal) + why;
}

// ---- output ------------------------------------------------------------------------------------

void Captured::append(std::string_view bytes) {
  size_ += bytes.size();
  const std::size_t room = limits::output_head - head_.size();
  head_ += bytes.substr(0, room);
  if (bytes.size() <= room) return;
  tail_ += bytes.substr(room);
  if (tail_.size() > 2 * limits::output_tail) tail_.erase(0, tail_.size() - limits::output_tail);
}

std::string Captured::tail() const {
  if (tail_.size() >= limits::output_tail) return tail_;
  const std::size_t from_head = std::min(head_.size(), limits::output_tail);
  return head_.substr(head_.size() - from_head) + tail_;
}

// ---- the process -------------------------------------------------------------------------------

struct Process::Stream {
  Descriptor end;
  std::unique_ptr<Watch> watch;
};

Process::Process(const ProcessOptions& options) : command_(options.command) {
  adopt_orphans();
  on_child_event(&Process::reap_all);

  Pipe report = make_pipe();
  Pipe err = make_pipe();
  Pipe in, out;
  Descriptor second;  // the same pty, for the other direction
  ChildStreams streams{-1, -1, err.write.get()};
  terminal_ = options.terminal == Terminal::input_and_output;
  if (options.terminal == Terminal::none) {
    out = make_pipe();
  } else {
    out = make_terminal();
  }
  streams.out = out.write.get();
  if (terminal_) {
    in.write = Descriptor(fcntl(out.read.get(), F_DUPFD_CLOEXEC, 0));
    streams.in = streams.out;
  } else if (options.input == Input::pipe) {
    in = make_pipe();
    streams.in = in.read.get();
  } else {
    in.read = Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC));
    streams.in = in.read.get();
  }

  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) fail("fork");
  if (pid_ == 0) become_program(options, streams, report.write.get(), parent);
  registry().push_back(this);

  // Its ends are its own now. The report pipe closes when it has become the program.
  report.write.close();
  err.write.close();
  out.write.close();
  in.read.close();
  ChildError error{};
  ssize_t got;
  do {
    got = read(report.read.get(), &error, sizeof error);
  } while (got < 0 && errno == EINTR);
  if (got > 0) {
    end();
    std::erase(registry(), this);
    throw std::system_error(error.error, std::generic_category(),
                            std::string(error.call) + " of " + options.command.front());
  }

  const auto open_stream = [this](std::unique_ptr<Stream>& stream, Descriptor end,
                                  Captured& captured) {
    set_nonblocking(end.get());
    stream = std::make_unique<Stream>();
    stream->end = std::move(end);
    stream->watch = std::make_unique<Watch>(
        stream->end.get(), POLLIN,
        [this, &stream, &captured](short) { read_stream(*stream, captured); });
  };
  open_stream(stdout_, std::move(out.read), out_);
  open_stream(stderr_, std::move(err.read), err_);
  if (in.write) {
    set_nonblocking(in.write.get());
    stdin_ = std::make_unique<Stream>();
    stdin_->end = std::move(in.write);
    stdin_->watch = std::make_unique<Watch>(stdin_->end.get(), 0, [this](short) { flush_input(); });
  }
}

Process::~Process() {
  end();
  std::erase(registry(), this);
}

void Process::read_stream(Stream& stream, Captured& captured) {
  char buffer[65536];
  // A flood must not keep the harness here: a turn takes at most 1 MiB.
  for (int i = 0; i < 16 && stream.end; ++i) {
    const ssize_t n = read(stream.end.get(), buffer, sizeof buffer);
    if (n > 0) {
      captured.append({buffer, static_cast<std::size_t>(n)});
    } else if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
      return;
    } else {
      // End of file; on a pty EIO says the same.
      captured.ended_ = true;
      stream.watch->set_events(0);
      stream.end.close();
    }
  }
}

void Process::drain() {
  if (stdout_ && stdout_->end) read_stream(*stdout_, out_);
  if (stderr_ && stderr_->end) read_stream(*stderr_, err_);
}

void Process::reaped(int status) {
  Exit exit;
  if (WIFSIGNALED(status)) {
    exit.signal = WTERMSIG(status);
  } else {
    exit.code = WEXITSTATUS(status);
  }
  exit_ = exit;
  drain();
}

void Process::reap_all() {
  for (Process* process : registry()) {
    int status = 0;
    if (process->running() && waitpid(process->pid_, &status, WNOHANG) == process->pid_) {
      process->reaped(status);
    }
  }
}

bool Process::wait_exit(Deadline until) {
  return wait_until([this] { return !running(); }, until);
}

void Process::signal(int number) {
  if (running()) kill(pid_, number);
}

void Process::write_input(std::string_view bytes) {
  input_ += bytes;
  flush_input();
}

void Process::close_input() {
  if (terminal_) input_ += end_of_file_key;
  input_ends_ = true;
  flush_input();
}

void Process::flush_input() {
  if (!stdin_ || !stdin_->end) return;
  while (!input_.empty()) {
    const ssize_t n = write(stdin_->end.get(), input_.data(), input_.size());
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
      stdin_->watch->set_events(POLLOUT);
      return;
    }
    if (n < 0) {
      // It has closed its standard input: nobody wants the rest.
      input_.clear();
      input_ends_ = true;
      break;
    }
    input_.erase(0, static_cast<std::size_t>(n));
  }
  stdin_->watch->set_events(0);
  // On a terminal the end of file was a byte; closing would hang it up.
  if (input_ends_ && !terminal_) stdin_->end.close();
}

bool Process::group_left() const {
#if defined(__linux__)
  return false;  // who is left is our child by now
#else
  return !running() && kill(-pid_, 0) == 0;
#endif
}

void Process::end() noexcept {
  if (pid_ <= 0) return;
  try {
    const Uninterrupted cleaning;
    // The group first, and as one: what it forks meanwhile dies with it. Its number stays ours
    // while a member lives or the process is unreaped; after that the call finds nobody.
    if (running() || group_left()) kill(-pid_, SIGKILL);
    if (running()) kill(pid_, SIGKILL);
    const Deadline until = after(limits::reap);
    while (running() && Clock::now() < until) {
      reap_all();
      if (running()) {
        std::vector<pollfd> none;
        serve(none, after(limits::proc_poll));
      }
    }
    drain();
  } catch (...) {
    // Nothing more can be done here; end_orphans looks again.
  }
  stdin_.reset();
  stdout_.reset();
  stderr_.reset();
}

// ---- orphans -----------------------------------------------------------------------------------

void adopt_orphans() {
#if defined(__linux__)
  static const bool once = prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
  (void)once;
#endif
}

namespace {

// Our children that are no Process: reaps those that have ended, and returns the others. One that
// has ended gives its own children to us, perhaps behind our back in the list: only a look that
// finds no child at all has found none.
std::vector<pid_t> reap_orphans() {
  for (;;) {
    std::vector<pid_t> left;
    bool reaped = false;
    for (pid_t child : proc::children(getpid())) {
      const bool ours = std::ranges::any_of(registry(), [child](const Process* process) {
        return process->running() && process->pid() == child;
      });
      if (ours) continue;
      if (waitpid(child, nullptr, WNOHANG) == 0) {
        left.push_back(child);
      } else {
        reaped = true;
      }
    }
    if (!left.empty() || !reaped) return left;
  }
}

#if defined(__linux__)
// Kills every process of a user, all at once: nothing it forks meanwhile escapes.
void kill_all_of(uid_t user) {
  const pid_t helper = fork();
  if (helper < 0) return;
  if (helper == 0) {
    // Its effective user may send to those processes; its real and saved user, which nobody else
    // has, keep them from sending to it.
    const uid_t unreachable = user + 1000;
    if (setgroups(0, nullptr) != 0 || setresuid(unreachable, user, unreachable) != 0) _exit(1);
    kill(-1, SIGKILL);
    _exit(0);
  }
  while (waitpid(helper, nullptr, 0) < 0 && errno == EINTR) {
  }
}
#endif

}  // namespace

std::vector<pid_t> orphans() {
  std::vector<pid_t> running;
  for (pid_t child : reap_orphans()) {
    const auto state = proc::status(child);
    if (state && !state->ending) running.push_back(child);
  }
  return running;
}

std::size_t end_orphans(std::optional<uid_t> user) noexcept {
  try {
    const Uninterrupted cleaning;
    std::size_t found = 0;
    bool first = true;
    const Deadline until = after(limits::reap);
    do {
#if defined(__linux__)
      if (user) kill_all_of(*user);
#else
      (void)user;
#endif
      const std::vector<pid_t> left = reap_orphans();
      if (first) found = left.size();
      first = false;
      if (left.empty()) return found;
      // Stop them all before any is killed, so that the last does not see the others go.
      for (pid_t child : left) kill(child, SIGSTOP);
      for (pid_t child : left) {
        kill(-child, SIGKILL);  // a group of its own, if it made one
        kill(child, SIGKILL);
      }
      std::vector<pollfd> none;
      serve(none, after(std::chrono::milliseconds(1)));
    } while (Clock::now() < until);
    return found;
  } catch (...) {
    return 0;
  }
}

}  // namespace kit
