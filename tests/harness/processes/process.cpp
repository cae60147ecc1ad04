#include "process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "child.hpp"
#include "harness/base/descriptor.hpp"
#include "orphans.hpp"

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
    in.read = Descriptor(open(options.input_file.c_str(), O_RDONLY | O_CLOEXEC));
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

bool Process::is_one(pid_t pid) {
  return std::ranges::any_of(registry(), [pid](const Process* process) {
    return process->running() && process->pid() == pid;
  });
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

}  // namespace kit
