#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <socketserver/base_server.hpp>
#include <socketserver/log.hpp>
#include <socketserver/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "log_failure.hpp"
#include "loop.hpp"

namespace socketserver {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// How poll(2) is told a limit: -1 is none. What is longer than it can say is cut: whoever waits
// looks at the clock again.
int poll_time(std::optional<milliseconds> limit) {
  if (!limit) return -1;
  return static_cast<int>(std::clamp<milliseconds::rep>(limit->count(), 0, INT32_MAX));
}

}  // namespace

BaseServer::BaseServer(const Address& server_address, RequestHandlerClass handler_class)
    : server_address_(server_address),
      handler_class_(handler_class),
      loop_(std::make_unique<Loop>()) {}

BaseServer::~BaseServer() = default;

void BaseServer::bind_and_activate() {
  try {
    server_bind();
    loop_->note_name(server_address_);
    server_activate();
  } catch (...) {
    server_close();
    throw;
  }
}

void BaseServer::Loop::note_name(const Address& bound) {
  bound_inode = 0;
  struct stat file {};
  const std::string path = bound.path();
  if (path.empty() || ::lstat(path.c_str(), &file) == -1) return;
  const std::string absolute = std::filesystem::absolute(path).string();
  if (absolute.size() >= PATH_MAX) return;
  if (!bound_path) bound_path.reset(new char[PATH_MAX]);
  absolute.copy(bound_path.get(), PATH_MAX);
  bound_path[absolute.size()] = '\0';
  bound_device = file.st_dev;
  bound_inode = file.st_ino;
}

// ---- the loop ----------------------------------------------------------------------------------

void BaseServer::serve_forever(std::optional<milliseconds> poll_interval) {
  {
    const std::lock_guard lock(loop_->mutex);
    if (loop_->state == Loop::State::running) {
      throw std::logic_error("serve_forever: this server's loop is running already");
    }
    if (loop_->state == Loop::State::told_to_end_early) {
      loop_->state = Loop::State::ended;
      return;
    }
    require_socket("serve_forever");
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

  loop_->poll_interval = poll_interval;
  try {
    while (!ending()) {
      patiently([this] { turn(); });
      do_service_actions();
    }
  } catch (...) {
    // Whoever closes the server waits for the requests under way, and they for their clients.
    interrupt_after_failure();
    throw;
  }
  while (signalled() && !patiently([this] { interrupt_requests(); })) {
  }
}

void BaseServer::interrupt_after_failure() noexcept {
  try {
    interrupt_requests();
  } catch (...) {
    log_failure("interrupt_requests", current_exception_text());
  }
}

void BaseServer::require_socket(const char* call) const {
  if (fileno() != -1) return;
  throw std::logic_error(std::string(call) +
                         ": the server has no socket: call bind_and_activate() first");
}

bool BaseServer::patiently(const std::function<void()>& step) {
  try {
    step();
    return true;
  } catch (const std::system_error& error) {
    if (!pause_for_want_of_memory(error.code().value())) throw;
  } catch (const std::bad_alloc&) {
    (void)pause_for_want_of_memory(ENOMEM);
  }
  return false;
}

// poll(2), select(2) and epoll_wait(2) need memory in the kernel. Want of it passes, and the
// clients that are there already are no reason to give up. Returns whether `error` is of that kind.
bool BaseServer::pause_for_want_of_memory(int error) {
  if (error != EAGAIN && error != ENOMEM) return false;
  loop_->say_once("cannot wait",
                  error == ENOMEM ? "Cannot allocate memory" : "Resource temporarily unavailable");
  std::this_thread::sleep_for(pause_after_failure);
  return true;
}

// Not twenty times a second, until it succeeds again. No memory is needed for it.
void BaseServer::Loop::say_once(std::string_view what, std::string_view why) noexcept {
  const std::size_t failure =
      std::hash<std::string_view>()(what) ^ std::hash<std::string_view>()(why);
  if (std::exchange(last_failure, failure) != failure) log_failure(what, why);
}

void BaseServer::turn() {
  std::optional<milliseconds> limit = loop_->poll_interval;
  auto& paused_until = loop_->paused_until;
  if (paused_until) {
    const auto left = std::chrono::ceil<milliseconds>(*paused_until - Clock::now());
    if (left <= milliseconds(0)) {
      paused_until.reset();
    } else if (!limit || left < *limit) {
      limit = left;
    }
  }
  const bool ready = wait(!paused_until && ask_for_room(), limit);
  if (!ready || ending()) return;  // what has become readable meanwhile is not taken any more
  const bool failed = take_requests();
  if (failed) paused_until = Clock::now() + pause_after_failure;
}

bool BaseServer::wait(bool for_requests, std::optional<milliseconds> limit) {
  std::vector<pollfd>& fds = loop_->waiting_for;
  fds[0].fd = for_requests ? fileno() : -1;  // poll(2) passes over a negative descriptor
  const int ready = ::poll(fds.data(), static_cast<nfds_t>(fds.size()), poll_time(limit));
  if (ready == -1 && errno != EINTR) throw_system_error("poll");
  if (ready <= 0) return false;
  if (fds[1].revents != 0) drain_wake();
  return fds[0].revents != 0;
}

// Takes those that are there, max_requests_per_turn at most. Returns whether get_request() has
// failed: the listener stays ready then, and to ask it again at once would be to spin.
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
    loop_->say_once("cannot take a request", current_exception_text());
    return Taken::failed;
  }
  loop_->last_failure = 0;
  if (!request) return Taken::none;

  try {
    request->enter(loop_->under_way);
    // The signal may have come before its handler could see this connection.
    if (signalled() && !request->is_packet()) (void)::shutdown(request->fileno(), SHUT_RD);
    if (verify_request(*request)) {
      process_request(std::move(*request));
    } else {
      shutdown_request(*request);
    }
  } catch (...) {
    report_error(*request);
    try {
      if (request->fileno() != -1) shutdown_request(*request);
    } catch (...) {
      report_error(*request);
    }
  }
  return Taken::taken;
}

bool BaseServer::ask_for_room() noexcept {
  try {
    return has_room();
  } catch (...) {
    log_failure("has_room", current_exception_text());
    return true;
  }
}

void BaseServer::do_service_actions() noexcept {
  try {
    service_actions();
  } catch (...) {
    log_failure("service_actions", current_exception_text());
  }
}

bool BaseServer::handle_request() {
  require_socket("handle_request");
  const Clock::time_point begin = Clock::now();
  bool in_vain = false;  // something watched was ready, and yet there is no room
  for (;;) {
    if (signalled()) return false;
    std::optional<milliseconds> left = timeout;
    if (left) *left -= std::chrono::floor<milliseconds>(Clock::now() - begin);
    const bool over = left && *left <= milliseconds(0);
    // Whoever has no room now watches what will tell that there is some again. That may stay
    // readable, for nobody reads it here: then it is left alone for a while.
    std::vector<pollfd>& fds = loop_->waiting_for;
    const bool room = ask_for_room();
    const bool pauses = in_vain && !room && !over;
    fds[0].fd = room ? fileno() : -1;
    const auto watched = static_cast<nfds_t>(room || pauses ? 2 : fds.size());
    if (pauses) left = left ? std::min(*left, pause_after_failure) : pause_after_failure;
    const int ready = ::poll(fds.data(), watched, poll_time(left));
    if (ready == -1 && errno == EINTR) continue;  // a signal neither shortens nor lengthens it
    if (ready == -1) {
      const int error = errno;
      if (!pause_for_want_of_memory(error)) throw_system_error("poll", error);
      continue;
    }
    // Without room only the time counts.
    if (over && (ready == 0 || !room)) {
      handle_timeout();
      return false;
    }
    in_vain = !room && !pauses && fds[1].revents == 0;
    if (fds[1].revents != 0) drain_wake();
    if (signalled() || !room || fds[0].revents == 0) continue;
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

bool BaseServer::signalled() const noexcept {
  return loop_->ends_on_signals && loop_->signalled != 0;
}

bool BaseServer::ending() const noexcept {
  return loop_->told_to_end || signalled();
}

void BaseServer::shutdown() {
  std::unique_lock lock(loop_->mutex);
  if (loop_->state == Loop::State::not_run) loop_->state = Loop::State::told_to_end_early;
  if (loop_->state != Loop::State::running) return;
  loop_->told_to_end = true;
  // A forked child has a copy of all this: the loop that it would wake is its parent's.
  if (loop_->process == ::getpid()) loop_->wake.wake();
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
  loop_->wake.wake();
}

void BaseServer::leave_loop_to_parent() noexcept {
  loop_->wake.close();
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

RequestsUnderWay& BaseServer::under_way() noexcept {
  return loop_->under_way;
}

int BaseServer::wake_fileno() const noexcept {
  return loop_->wake.fileno();
}

void BaseServer::drain_wake() noexcept {
  (void)loop_->wake.drain();
}

// ---- the life of a request ---------------------------------------------------------------------

void BaseServer::process_request(Request request) {
  try {
    finish_request(request);
  } catch (...) {
    report_error(request);
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

void BaseServer::handle_error(const Request& request) {
  log_error("Exception occurred during processing of request from " +
            request.client_address().text() + ": " + current_exception_text());
}

void BaseServer::report_error(const Request& request) noexcept {
  try {
    handle_error(request);
  } catch (...) {
    log_failure("handle_error", current_exception_text());
  }
}

void BaseServer::interrupt_requests() {
  loop_->under_way.shutdown_all(SHUT_RD);
}

}  // namespace socketserver
