#include <poll.h>
#include <unistd.h>
#include <socketserver/base_server.hpp>
#include <socketserver/log.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "requests_under_way.hpp"

namespace socketserver {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// What a signal handler may look at: one server of the process ends on signals (EndOnSignals).
struct SignalState {
  std::atomic<bool> ending{false};
  std::atomic<int> first{0};     // the signal that came first
  std::atomic<int> wake_fd{-1};  // written to in the process that installed the handler
  std::atomic<pid_t> owner{0};   // that process: a forked child has a copy of the pipe
  std::atomic<int> serving{-1};  // the connection that the loop's own thread is serving
};
SignalState signals;
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

void write_wake_byte(int fd) noexcept {
  const int saved = errno;
  // A full pipe (EAGAIN) is as good as one more byte: the loop will wake.
  [[maybe_unused]] const auto ignored = ::write(fd, "!", 1);
  errno = saved;
}

// A pipe whose reading end becomes readable when the loop must wake: poll(2) can wait for it, and a
// signal handler may write to it ("self-pipe").
struct WakePipe {
  WakePipe() {
    int ends[2];
    check(::pipe(ends), "pipe");
    read_end.reset(ends[0]);
    write_end.reset(ends[1]);
    for (const int fd : ends) {
      set_nonblocking(fd);
      set_close_on_exec(fd);
    }
  }

  void drain() const noexcept {
    char bytes[64];
    while (::read(read_end.get(), bytes, sizeof bytes) > 0) {
    }
  }

  FileDescriptor read_end;
  FileDescriptor write_end;
};

std::string current_exception_text() {
  try {
    throw;
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "something that is no std::exception";
  }
}

}  // namespace

// The state of the loop, out of the header: a learner's file does not compile it again.
struct BaseServer::Loop {
  enum class State { not_run, told_to_end_early, running, ended };

  // Guarded by `mutex`: who runs the loop, and whether it has ended.
  std::mutex mutex;
  std::condition_variable changed;
  State state = State::not_run;
  unsigned long run = 0;
  std::thread::id thread;
  pid_t process = 0;

  std::atomic<bool> told_to_end{false};
  std::atomic<bool> ends_on_signals{false};
  WakePipe wake;
  RequestsUnderWay under_way;

  // Used on the loop's thread alone.
  std::vector<pollfd> waiting_for{{-1, POLLIN, 0}, {wake.read_end.get(), POLLIN, 0}};
  bool paused = false;
  std::string last_failure;
};

BaseServer::BaseServer(const Address& server_address, RequestHandlerClass handler_class)
    : server_address_(server_address),
      handler_class_(handler_class),
      loop_(std::make_unique<Loop>()) {}

BaseServer::~BaseServer() = default;

void BaseServer::bind_and_activate() {
  try {
    server_bind();
    server_activate();
  } catch (...) {
    server_close();
    throw;
  }
}

// ---- the loop ----------------------------------------------------------------------------------

void BaseServer::serve_forever() {
  {
    const std::lock_guard lock(loop_->mutex);
    if (loop_->state == Loop::State::running) {
      throw std::logic_error("serve_forever: this server's loop is running already");
    }
    if (loop_->state == Loop::State::told_to_end_early) {
      loop_->state = Loop::State::ended;
      return;
    }
    loop_->state = Loop::State::running;
    loop_->run += 1;
    loop_->thread = std::this_thread::get_id();
    loop_->process = ::getpid();
    loop_->told_to_end = false;
  }
  struct Ended {  // also when turn() throws: who waits in shutdown() is released
    Loop& loop;
    ~Ended() {
      const std::lock_guard lock(loop.mutex);
      loop.state = Loop::State::ended;
      loop.changed.notify_all();
    }
  } ended{*loop_};

  while (!ending()) {
    turn();
    do_service_actions();
  }
  if (loop_->ends_on_signals && signals.ending) interrupt_requests();
}

void BaseServer::turn() {
  std::vector<pollfd>& fds = loop_->waiting_for;
  // poll(2) passes over a negative descriptor
  fds[0].fd = !loop_->paused && ask_for_room() ? fileno() : -1;
  const int limit = loop_->paused ? static_cast<int>(pause_after_failure.count()) : -1;
  const int ready = ::poll(fds.data(), static_cast<nfds_t>(fds.size()), limit);
  if (ready == -1 && errno != EINTR) throw_system_error("poll");
  loop_->paused = false;
  if (ready == -1) return;

  if (fds[1].revents != 0) drain_wake();
  if (ending()) return;  // what has become readable meanwhile is not taken any more
  if (fds[0].revents != 0) loop_->paused = take_requests();
}

bool BaseServer::take_requests() noexcept {
  for (int i = 0; i < max_requests_per_turn && !ending() && ask_for_room(); ++i) {
    const Taken taken = take_request();
    if (taken != Taken::taken) return taken == Taken::failed;
    do_service_actions();
  }
  return false;
}

BaseServer::Taken BaseServer::take_request() noexcept {
  std::optional<Request> request;
  try {
    request = get_request();
  } catch (...) {
    // Said once, not twenty times a second, until it succeeds again.
    const std::string failure = current_exception_text();
    if (failure != loop_->last_failure) log_error("cannot take a request: " + failure);
    loop_->last_failure = failure;
    return Taken::failed;
  }
  loop_->last_failure.clear();
  if (!request) return Taken::none;

  const Address client_address = request->client_address();
  try {
    request->enter(loop_->under_way);
    signals.serving = request->is_packet() ? -1 : request->fileno();
    // The signal may have come before the handler could see this connection.
    if (loop_->ends_on_signals && signals.ending) (void)::shutdown(request->fileno(), SHUT_RD);
    if (verify_request(*request)) {
      process_request(std::move(*request));
    } else {
      shutdown_request(*request);
    }
  } catch (...) {
    report_error(client_address);
    try {
      if (request->fileno() != -1) shutdown_request(*request);
    } catch (...) {
      report_error(client_address);
    }
  }
  signals.serving = -1;
  return Taken::taken;
}

bool BaseServer::ask_for_room() noexcept {
  try {
    return has_room();
  } catch (...) {
    log_error("has_room: " + current_exception_text());
    return true;
  }
}

void BaseServer::do_service_actions() noexcept {
  try {
    service_actions();
  } catch (...) {
    log_error("service_actions: " + current_exception_text());
  }
}

bool BaseServer::handle_request() {
  const Clock::time_point begin = Clock::now();
  for (;;) {
    if (ending()) return false;
    int limit = -1;
    if (timeout) {
      const auto left = *timeout - std::chrono::floor<milliseconds>(Clock::now() - begin);
      limit = static_cast<int>(std::clamp<milliseconds::rep>(left.count(), 0, INT32_MAX));
    }
    // Whoever has no room now watches what will tell that there is some again.
    std::vector<pollfd>& fds = loop_->waiting_for;
    const bool room = ask_for_room();
    fds[0].fd = room ? fileno() : -1;
    const int ready = ::poll(fds.data(), room ? 2 : static_cast<nfds_t>(fds.size()), limit);
    if (ready == -1 && errno != EINTR) throw_system_error("poll");
    if (ready == -1) continue;  // a signal neither shortens nor lengthens the wait
    // Without room only the time counts: what is watched may stay readable.
    if (ready == 0 || (limit == 0 && !room)) {
      handle_timeout();
      return false;
    }
    if (fds[1].revents != 0) drain_wake();
    if (ending() || !room || fds[0].revents == 0) continue;
    switch (take_request()) {
      case Taken::taken:
        return true;
      case Taken::failed:
        ::poll(&fds[1], 1, static_cast<int>(pause_after_failure.count()));
        return false;
      case Taken::none:
        break;
    }
  }
}

bool BaseServer::ending() const noexcept {
  return loop_->told_to_end || (loop_->ends_on_signals && signals.ending);
}

void BaseServer::shutdown() {
  std::unique_lock lock(loop_->mutex);
  if (loop_->state == Loop::State::not_run) loop_->state = Loop::State::told_to_end_early;
  if (loop_->state != Loop::State::running) return;
  loop_->told_to_end = true;
  // A forked child has a copy of all this: the loop that it would wake is its parent's.
  if (loop_->process == ::getpid()) write_wake_byte(loop_->wake.write_end.get());
  if (loop_->thread == std::this_thread::get_id()) return;
  const unsigned long run = loop_->run;
  loop_->changed.wait(lock,
                      [&] { return loop_->state != Loop::State::running || loop_->run != run; });
}

void BaseServer::server_close() {
  {
    const std::lock_guard lock(loop_->mutex);
    if (loop_->state != Loop::State::running) return;
  }
  shutdown();
}

void BaseServer::wake() noexcept {
  write_wake_byte(loop_->wake.write_end.get());
}

void BaseServer::leave_loop_to_parent() noexcept {
  loop_->wake.read_end.reset();
  loop_->wake.write_end.reset();
}

void BaseServer::watch(int fd) {
  loop_->waiting_for.push_back({fd, POLLIN, 0});
}

void BaseServer::unwatch(int fd) {
  std::vector<pollfd>& fds = loop_->waiting_for;
  const auto watched = fds.begin() + 2;  // behind the listener and the pipe
  const auto found =
      std::find_if(watched, fds.end(), [fd](pollfd entry) { return entry.fd == fd; });
  if (found != fds.end()) fds.erase(found);
}

int BaseServer::wake_fileno() const noexcept {
  return loop_->wake.read_end.get();
}

void BaseServer::drain_wake() noexcept {
  loop_->wake.drain();
}

// ---- the life of a request ---------------------------------------------------------------------

void BaseServer::process_request(Request request) {
  try {
    finish_request(request);
  } catch (...) {
    report_error(request.client_address());
  }
  shutdown_request(request);
}

void BaseServer::finish_request(Request& request) {
  const std::unique_ptr<BaseRequestHandler> handler = handler_class_(request, *this);
  handler->setup();
  try {
    handler->handle();
    handler->handled_ = true;
  } catch (...) {
    handler->finish();
    throw;
  }
  handler->finish();
}

void BaseServer::handle_error(const Address& client_address) {
  log_error("Exception occurred during processing of request from " + client_address.text() + ": " +
            current_exception_text());
}

void BaseServer::report_error(const Address& client_address) noexcept {
  try {
    handle_error(client_address);
  } catch (...) {
    log_error("handle_error: " + current_exception_text());
  }
}

void BaseServer::interrupt_requests() {
  loop_->under_way.interrupt_all();
}

// ---- the end by a signal -----------------------------------------------------------------------

namespace {

extern "C" void end_on_signal(int number) {
  const bool own_loop = signals.owner == ::getpid();
  if (signals.ending.exchange(true)) {
    // The second one kills; a forked child may get the first one twice, from the terminal and
    // passed on by its parent: there, the second of its kind does.
    if (!own_loop && number != signals.first) return;
    std::signal(number, SIG_DFL);
    std::raise(number);
    return;
  }
  signals.first = number;
  const int saved = errno;
  if (own_loop) write_wake_byte(signals.wake_fd);
  // Where the loop's own thread serves, it may sit in recv and never look at the pipe.
  (void)::shutdown(signals.serving, SHUT_RD);
  errno = saved;
}

}  // namespace

EndOnSignals::EndOnSignals(BaseServer& server) : server_(server) {
  signals.ending = false;
  signals.serving = -1;
  signals.owner = ::getpid();
  signals.wake_fd = server.loop_->wake.write_end.get();
  server.loop_->ends_on_signals = true;
  struct sigaction action {};
  action.sa_handler = end_on_signal;
  sigemptyset(&action.sa_mask);
  check(::sigaction(SIGINT, &action, &old_interrupt_), "sigaction");
  check(::sigaction(SIGTERM, &action, &old_terminate_), "sigaction");
}

EndOnSignals::~EndOnSignals() {
  // Neither can fail: the numbers are those of the constructor.
  (void)::sigaction(SIGINT, &old_interrupt_, nullptr);
  (void)::sigaction(SIGTERM, &old_terminate_, nullptr);
  server_.loop_->ends_on_signals = false;
  signals.wake_fd = -1;
}

bool EndOnSignals::requested() const noexcept {
  return signals.ending;
}

}  // namespace socketserver
