#include <sys/time.h>
#include <socketserver/select_selector.hpp>
#include <socketserver/system_call.hpp>

#include <cerrno>
#include <optional>

namespace socketserver {
namespace {

// Rounded up to microseconds.
timeval time_of(std::chrono::nanoseconds time) {
  using namespace std::chrono;
  constexpr hours longest{24 * 365};  // some systems refuse more than 100,000,000 seconds
  const auto whole = ceil<microseconds>(time < longest ? time : longest);
  const auto seconds_part = floor<seconds>(whole);
  timeval value{};
  value.tv_sec = static_cast<time_t>(seconds_part.count());
  value.tv_usec = static_cast<suseconds_t>((whole - seconds_part).count());
  return value;
}

}  // namespace

SelectSelector::SelectSelector() {
  FD_ZERO(&readers_);
  FD_ZERO(&writers_);
}

SelectorKey SelectSelector::register_fd(int fd, Events events, void* data) {
  check_open();
  if (fd >= FD_SETSIZE) throw_system_error("select", EINVAL);
  const SelectorKey key = add_key(fd, events, data);
  watch(fd, events);
  return key;
}

SelectorKey SelectSelector::unregister(int fd) {
  const SelectorKey key = remove_key(fd);
  watch(fd, 0);
  return key;
}

SelectorKey SelectSelector::modify(int fd, Events events, void* data) {
  const SelectorKey key = replace_key(fd, events, data);
  watch(fd, events);
  return key;
}

std::span<const Ready> SelectSelector::select(Timeout timeout) {
  check_open();
  const Countdown countdown(timeout);
  int highest = -1;
  for (const SelectorKey& key : get_map()) highest = key.fd;
  fd_set readable;
  fd_set writable;
  int count;
  do {
    // The kernel writes its answer over the sets, and on Linux over the time.
    readable = readers_;
    writable = writers_;
    const Timeout left = countdown.left();
    timeval time = time_of(left.value_or(Timeout::value_type::zero()));
    count = ::select(highest + 1, &readable, &writable, nullptr, left ? &time : nullptr);
  } while ((count == -1 && errno == EINTR) || (count == 0 && countdown.milliseconds() != 0));
  check(count, "select");

  ready_.clear();
  if (count == 0) return ready_;
  for (const SelectorKey& key : get_map()) {
    Events events = 0;
    if (FD_ISSET(key.fd, &readable)) events |= EVENT_READ;
    if (FD_ISSET(key.fd, &writable)) events |= EVENT_WRITE;
    if (events != 0) ready_.push_back({key, events});
  }
  return ready_;
}

void SelectSelector::close() {
  BaseSelector::close();
  FD_ZERO(&readers_);
  FD_ZERO(&writers_);
  ready_ = {};
}

void SelectSelector::watch(int fd, Events events) {
  FD_CLR(fd, &readers_);
  FD_CLR(fd, &writers_);
  if (events & EVENT_READ) FD_SET(fd, &readers_);
  if (events & EVENT_WRITE) FD_SET(fd, &writers_);
}

}  // namespace socketserver
