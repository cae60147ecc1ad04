# Right answers to lesson 05, written differently: every step must accept them. The form of an answer:
# tests/cmake/mutants.cmake.

kit_answer(
  NAME a-loop-in-the-child
  SENTENCE "The child of a slow request has a read loop of its own, and needs no flag."
  FILE server.cpp
  REPLACE [[    if (in_child_ || !line.starts_with(slow_word)) return EchoStream::serve_line(line);
    wfile().flush();  // what is gathered here leaves once: the child has a copy of it
    if (halfway_server().fork_child(request()) == 0) serve_rest_and_exit(line);
    request().close();  // our copy, without shutdown: the child still answers on its own]]
  WITH [[    if (!line.starts_with(slow_word)) return EchoStream::serve_line(line);
    wfile().flush();
    const bool is_parent = halfway_server().fork_child(request()) != 0;
    if (!is_parent) live_as_child(line);
    request().close();]]
  REPLACE [=[  [[noreturn]] void serve_rest_and_exit(std::string_view line) noexcept {
]=]
  THROUGH [[    finish();  // after an exception, too: what is answered already goes out]]
  WITH [=[  HalfwayServer<Server>& halfway_server() { return server_as<HalfwayServer<Server>>(server()); }

  [[noreturn]] void live_as_child(std::string_view first_line) noexcept {
    int status = EXIT_SUCCESS;
    try {
      try {
        converse(first_line);
      } catch (...) {
        this->finish();
        throw;
      }
      this->finish();
    } catch (...) {
      server().handle_error(request());
      status = EXIT_FAILURE;
    }]=]
  REPLACE [[  HalfwayServer<Server>& halfway_server() { return server_as<HalfwayServer<Server>>(server()); }

  bool in_child_ = false;]]
  WITH [[  // Slow or quick: here every line is served as EchoStream does.
  void converse(std::string_view line) {
    const std::size_t limit = server_as<Settings>(server()).line_limit;
    while (EchoStream::serve_line(line)) {
      if (!rfile().has_line()) wfile().flush();
      line = rfile().read_line(limit);
      if (line.empty()) return;
      log_received(client_address(), line);
    }
  }]])

kit_answer(
  NAME client-waits-for-any
  SENTENCE "The client calls wait() for whichever child has ended, as often as there are children."
  FILE client.cpp
  REPLACE [[#include <sys/wait.h>
#include <unistd.h>
#include <socketserver/connection.hpp>]]
  WITH [[#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>]]
  REPLACE [[using namespace socketserver;]]
  WITH [[using namespace socketserver;

FileDescriptor connect_to(const Address& server) {
  FileDescriptor connection(
      check(::socket(server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  check(::connect(connection.get(), server.data(), server.size()), "connect");
  return connection;
}

std::string upper(std::string text) {
  for (char& byte : text) {
    if (byte >= 'a' && byte <= 'z') byte = static_cast<char>(byte - 'a' + 'A');
  }
  return text;
}]]
  REPLACE [[  for (const pid_t child : children) {]]
  THROUGH [[    if (status != 0) ++failed;  // another exit status, or killed by a signal]]
  WITH [[  for (std::size_t left = children.size(); left > 0;) {
    int status = 0;
    const pid_t ended = ::wait(&status);
    if (ended == -1 && errno == EINTR) continue;
    check(ended, "wait");
    --left;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) ++failed;]]
  REPLACE [[  const long failed = collect_clients(start_clients(options.reachable_address(), clients, lines));]]
  WITH [[  const long failed = collect_clients(start_clients(options.address(), clients, lines));]])

kit_answer(
  NAME clone3
  SENTENCE "The child is made by clone3(2), called by its number."
  FILE forking_mixin.hpp
  REPLACE [[#include <signal.h>]]
  WITH [[#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>]]
  REPLACE [[    const pid_t child = check(::fork(), "fork");]]
  WITH [[    clone_args arguments{};
    arguments.exit_signal = SIGCHLD;
    const auto child = static_cast<pid_t>(
        check(::syscall(SYS_clone3, &arguments, sizeof arguments), "clone3"));]])

kit_answer(
  NAME exit-in-a-destructor
  SENTENCE "The child leaves by the destructor of a local object; children are collected, then told."
  FILE forking_mixin.hpp
  REPLACE [[    // One signal can stand for any number of children: ask after each.
    std::erase_if(active_children_, [this](pid_t child) { return collect(child, WNOHANG); });]]
  WITH [[    tell(reap(WNOHANG));]]
  REPLACE [[    const pid_t child = check(::fork(), "fork");
]]
  THROUGH [[    return child;]]
  WITH [[    const pid_t result = ::fork();
    switch (result) {
      case -1:
        throw_system_error("fork");
      case 0:
        if (!request.is_packet()) this->socket_.reset();
        active_children_ = {};
        child_watch_.leave_to_parent();
        this->leave_loop_to_parent();
        break;
      default:
        active_children_.emplace_back(result);
    }
    return result;]]
  REPLACE [[    try {
      if (fork_child(request) == 0) serve_and_exit(request);]]
  WITH [[    bool is_parent = true;
    try {
      is_parent = fork_child(request) != 0;]]
  REPLACE [[    this->close_request(request);  // without shutdown: that would end the child's connection, too]]
  WITH [[    if (is_parent) {
      this->close_request(request);
      return;
    }
    LastStep leave;  // whatever comes: behind this line the child has one way out
    serve(request, leave.status);]]
  REPLACE [[    if (!block_on_close) return;
]]
  THROUGH [[    active_children_.clear();]]
  WITH [[    if (block_on_close) tell(reap(0));
  }

 private:
  struct LastStep {
    int status = 1;
    ~LastStep() { ::_exit(status); }
  };

  void serve(Request& request, int& status) noexcept {
    try {
      this->finish_request(request);
      status = 0;
    } catch (...) {
      this->report_error(request);
    }
    this->shutdown_request(request);
  }

  using Ends = std::vector<std::pair<pid_t, int>>;

  // Asks after every child, with the options of waitpid(2). Forgets those that have ended, and
  // returns them with their status.
  Ends reap(int options) {
    Ends ends;
    ends.reserve(active_children_.size());
    std::erase_if(active_children_, [&](pid_t child) {
      for (;;) {
        int status = 0;
        const pid_t answer = ::waitpid(child, &status, options);
        if (answer == 0) return false;
        if (answer == child) ends.emplace_back(child, status);
        if (answer == child || errno != EINTR) return true;
      }
    });
    return ends;
  }

  void tell(const Ends& ends) {
    for (const auto& [child, status] : ends) child_ended(child, status);]])

kit_answer(
  NAME pidfd
  SENTENCE "Each child has a pidfd, which the loop watches; there is no signal at all."
  FILE forking_mixin.hpp
  REPLACE [[#include <signal.h>]]
  WITH [[#include <signal.h>
#include <sys/syscall.h>]]
  REPLACE [[#include <string>]]
  WITH [[#include <string>
#include <unordered_map>]]
  REPLACE [[    // From now on service_actions() is called when a child has ended.
    this->watch(child_watch_.fileno());
]]
  WITH [[]]
  REPLACE [[    this->unwatch(child_watch_.fileno());]]
  WITH [[    for (const auto& [child, pidfd] : pidfds_) this->unwatch(pidfd.get());]]
  REPLACE [[    if (!child_watch_.drain()) return;
]]
  WITH [[]]
  REPLACE [[      active_children_.push_back(child);]]
  WITH [[      active_children_.push_back(child);
      FileDescriptor pidfd(
          static_cast<int>(check(::syscall(SYS_pidfd_open, child, 0), "pidfd_open")));
      this->watch(pidfd.get());
      pidfds_.emplace(child, std::move(pidfd));]]
  REPLACE [[    if (collected == child) child_ended(child, status);]]
  WITH [[    if (collected == child) child_ended(child, status);
    const auto pidfd = pidfds_.find(child);
    if (collected != 0 && pidfd != pidfds_.end()) {
      this->unwatch(pidfd->second.get());
      pidfds_.erase(pidfd);
    }]]
  REPLACE [[    child_watch_.leave_to_parent();]]
  WITH [[    pidfds_.clear();]]
  REPLACE [[  ChildWatch child_watch_;]]
  WITH [[  std::unordered_map<pid_t, FileDescriptor> pidfds_;]])

kit_answer(
  NAME poll-until-all-have-ended
  SENTENCE "At the end poll() on the watch and collecting take turns, and no waitpid() blocks."
  FILE forking_mixin.hpp
  REPLACE [[#include <signal.h>]]
  WITH [[#include <poll.h>
#include <signal.h>]]
  REPLACE [[    if (!child_watch_.drain()) return;
    // One signal can stand for any number of children: ask after each.
    std::erase_if(active_children_, [this](pid_t child) { return collect(child, WNOHANG); });]]
  WITH [[    (void)child_watch_.drain();
    std::vector<std::pair<pid_t, int>> ended;
    for (const pid_t child : std::exchange(active_children_, {})) {
      int status = 0;
      pid_t answer = 0;
      do {
        answer = ::waitpid(child, &status, WNOHANG);
      } while (answer == -1 && errno == EINTR);
      if (answer == 0) active_children_.push_back(child);
      if (answer == child) ended.emplace_back(child, status);
    }
    for (const auto& [child, status] : ended) child_ended(child, status);]]
  REPLACE [[    collect_children();
    return max_children == 0 || active_children_.size() < max_children;]]
  WITH [[    if (max_children == 0) return true;
    collect_children();
    return active_children_.size() < max_children;]]
  REPLACE [[    if (child == 0) {]]
  THROUGH [[    return child;]]
  WITH [[    if (child != 0) {
      active_children_.push_back(child);
      return child;
    }
    this->leave_loop_to_parent();
    child_watch_.leave_to_parent();
    active_children_.clear();
    if (!request.is_packet()) this->socket_.reset();
    return 0;]]
  REPLACE [[    try {
      if (fork_child(request) == 0) serve_and_exit(request);]]
  WITH [[    pid_t child = -1;
    try {
      child = fork_child(request);]]
  REPLACE [[    this->close_request(request);  // without shutdown: that would end the child's connection, too]]
  WITH [[    if (child == 0) serve_and_exit(request);
    this->close_request(request);]]
  REPLACE [[    std::erase_if(active_children_, [this](pid_t child) { return collect(child, 0); });
]]
  THROUGH [[    return collected != 0;
  }
]]
  WITH [[    collect_children();
    while (!active_children_.empty()) {
      pollfd told{child_watch_.fileno(), POLLIN, 0};
      (void)::poll(&told, 1, -1);  // a signal may be what we wait for
      collect_children();
    }
  }

 private:
  // What a child is for.]]
  REPLACE [[  // What fork has copied, and the child has no business with.
]]
  THROUGH [[    active_children_.clear();
  }

]]
  WITH [[]])

kit_answer(
  NAME self-pipe
  SENTENCE "The server has a signal handler and a pipe of its own, in place of ChildWatch."
  FILE forking_mixin.hpp
  REPLACE [[#include <cerrno>]]
  WITH [[#include <fcntl.h>

#include <atomic>
#include <cerrno>]]
  REPLACE [[    // From now on service_actions() is called when a child has ended.
    this->watch(child_watch_.fileno());]]
  WITH [[    int ends[2];
    check(::pipe2(ends, O_NONBLOCK | O_CLOEXEC), "pipe2");
    read_end_.reset(ends[0]);
    write_end_.reset(ends[1]);
    // The handler knows one pipe: there is one such server in a process.
    int none = -1;
    if (!wake_fd_.compare_exchange_strong(none, ends[1])) throw_system_error("SIGCHLD", EBUSY);
    struct sigaction action {};
    action.sa_handler = child_ended_signal;
    action.sa_flags = SA_RESTART | SA_NOCLDSTOP;
    sigemptyset(&action.sa_mask);
    check(::sigaction(SIGCHLD, &action, &old_action_), "sigaction");
    // A mask is inherited, from whoever has started the program.
    sigset_t child_signal;
    sigemptyset(&child_signal);
    sigaddset(&child_signal, SIGCHLD);
    (void)::pthread_sigmask(SIG_UNBLOCK, &child_signal, nullptr);
    this->watch(read_end_.get());]]
  REPLACE [[    this->unwatch(child_watch_.fileno());]]
  WITH [[    this->unwatch(read_end_.get());
    (void)::sigaction(SIGCHLD, &old_action_, nullptr);
    wake_fd_ = -1;]]
  REPLACE [[    if (!child_watch_.drain()) return;]]
  WITH [[    char bytes[16];
    bool any = false;
    while (::read(read_end_.get(), bytes, sizeof bytes) > 0) any = true;
    if (!any) return;]]
  REPLACE [[    child_watch_.leave_to_parent();]]
  WITH [[    wake_fd_ = -1;
    read_end_.reset();
    write_end_.reset();]]
  REPLACE [[  ChildWatch child_watch_;]]
  WITH [=[  static void child_ended_signal(int) {
    const int saved = errno;
    // A full pipe (EAGAIN) is readable, which is all that is wanted.
    [[maybe_unused]] const auto ignored = ::write(wake_fd_, "", 1);
    errno = saved;
  }

  static inline std::atomic<int> wake_fd_{-1};
  struct sigaction old_action_ {};
  FileDescriptor read_end_;
  FileDescriptor write_end_;]=])

kit_answer(
  NAME signalfd
  SENTENCE "SIGCHLD is blocked, and read from a signalfd; no handler runs."
  FILE forking_mixin.hpp
  REPLACE [[#include <signal.h>]]
  WITH [[#include <signal.h>
#include <sys/signalfd.h>]]
  REPLACE [[    // From now on service_actions() is called when a child has ended.
    this->watch(child_watch_.fileno());]]
  WITH [[    this->watch(ended_.get());]]
  REPLACE [[    this->unwatch(child_watch_.fileno());]]
  WITH [[    this->unwatch(ended_.get());]]
  REPLACE [[    if (!child_watch_.drain()) return;]]
  WITH [[    signalfd_siginfo information;
    bool any = false;
    while (::read(ended_.get(), &information, sizeof information) > 0) any = true;
    if (!any) return;]]
  REPLACE [[    child_watch_.leave_to_parent();]]
  WITH [[    ended_.reset();
    // A mask is inherited: what the child starts wants to hear of its own children.
    const sigset_t signals = child_signal();
    (void)::sigprocmask(SIG_UNBLOCK, &signals, nullptr);]]
  REPLACE [[  ChildWatch child_watch_;]]
  WITH [[  static sigset_t child_signal() noexcept {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    return signals;
  }

  static FileDescriptor watch_children() {
    const sigset_t signals = child_signal();
    check(::sigprocmask(SIG_BLOCK, &signals, nullptr), "sigprocmask");
    return FileDescriptor(check(::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC), "signalfd"));
  }

  FileDescriptor ended_ = watch_children();]])

kit_answer(
  NAME waitid-peek
  SENTENCE "waitid() looks at who has ended, and only the server's own children are taken."
  FILE forking_mixin.hpp
  REPLACE [[    // One signal can stand for any number of children: ask after each.]]
  WITH [[    siginfo_t ended{};
    while (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid != 0) {
      if (std::erase(active_children_, ended.si_pid) == 0) break;  // a stranger: ask each
      (void)collect(ended.si_pid, WNOHANG);
      ended.si_pid = 0;
    }
    if (ended.si_pid == 0) return;]])

kit_answer(
  NAME waitid-says-who-ended
  SENTENCE "waitid() with WNOWAIT says who has ended, before waitpid() takes it."
  FILE forking_mixin.hpp
  REPLACE [[#include <cerrno>]]
  WITH [[#include <algorithm>
#include <cerrno>]]
  REPLACE [[    // One signal can stand for any number of children: ask after each.
    std::erase_if(active_children_, [this](pid_t child) { return collect(child, WNOHANG); });]]
  WITH [[    while (!active_children_.empty()) {
      siginfo_t who{};
      const int result = ::waitid(P_ALL, 0, &who, WEXITED | WNOHANG | WNOWAIT);
      if (result == -1 && errno == EINTR) continue;
      if (result == 0 && who.si_pid == 0) return;  // nobody
      // A child that is not ours stays there, and would be named again and again.
      if (result == -1 || !is_ours(who.si_pid)) return ask_after_each();
      take(who.si_pid);
    }]]
  REPLACE [[    collect_children();
    return max_children == 0 || active_children_.size() < max_children;]]
  WITH [[    if (max_children == 0) return true;
    collect_children();
    return active_children_.size() < max_children;]]
  REPLACE [[    if (child == 0) {]]
  THROUGH [[    return child;]]
  WITH [[    if (child != 0) {
      active_children_.push_back(child);
      return child;
    }
    this->leave_loop_to_parent();
    child_watch_.leave_to_parent();
    active_children_.clear();
    if (!request.is_packet()) this->socket_.reset();
    return 0;]]
  REPLACE [[    try {
      if (fork_child(request) == 0) serve_and_exit(request);]]
  WITH [[    pid_t child = -1;
    try {
      child = fork_child(request);]]
  REPLACE [[    this->close_request(request);  // without shutdown: that would end the child's connection, too]]
  WITH [[    if (child == 0) serve_and_exit(request);
    this->close_request(request);]]
  REPLACE [[    std::erase_if(active_children_, [this](pid_t child) { return collect(child, 0); });
]]
  THROUGH [[    return collected != 0;
  }
]]
  WITH [[    while (!active_children_.empty()) {
      const pid_t child = *active_children_.begin();
      siginfo_t who{};
      const int result =
          ::waitid(P_PID, static_cast<id_t>(child), &who, WEXITED | WNOWAIT);  // sleeps
      if (result == 0 || errno != EINTR) take(child);
    }
  }

 private:
  // What a child is for.]]
  REPLACE [[  // What fork has copied, and the child has no business with.
]]
  THROUGH [[    active_children_.clear();]]
  WITH [[  void ask_after_each() {
    const std::vector<pid_t> children = active_children_;
    for (const pid_t child : children) take(child);
  }

  bool is_ours(pid_t child) const {
    return std::count(active_children_.begin(), active_children_.end(), child) != 0;
  }

  // Takes the status of a child that has ended, and forgets the child.
  void take(pid_t child) {
    int status = 0;
    pid_t ended = 0;
    do {
      ended = ::waitpid(child, &status, WNOHANG);
    } while (ended == -1 && errno == EINTR);
    if (ended != 0) std::erase(active_children_, child);
    if (ended > 0) child_ended(child, status);]])
