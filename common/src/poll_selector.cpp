#include <socketserver/poll_selector.hpp>
#include <socketserver/system_call.hpp>

#include <algorithm>
#include <cerrno>

namespace socketserver {
namespace {

short poll_events(Events events) {
  int bits = 0;
  if (events & EVENT_READ) bits |= POLLIN;
  if (events & EVENT_WRITE) bits |= POLLOUT;
  return static_cast<short>(bits);
}

// Everything but "there is room" concerns the reader and everything but "bytes have come" the
// writer: POLLERR, POLLHUP and POLLNVAL come unasked, and concern both.
Events events_of(short bits) {
  Events events = 0;
  if (bits & ~POLLOUT) events |= EVENT_READ;
  if (bits & ~POLLIN) events |= EVENT_WRITE;
  return events;
}

}  // namespace

SelectorKey PollSelector::register_fd(int fd, Events events, void* data) {
  const SelectorKey key = add_key(fd, events, data);
  try {
    polled_.push_back({fd, poll_events(events), 0});
  } catch (...) {
    remove_key(fd);
    throw;
  }
  return key;
}

SelectorKey PollSelector::unregister(int fd) {
  const SelectorKey key = remove_key(fd);
  *find(fd) = polled_.back();
  polled_.pop_back();
  return key;
}

SelectorKey PollSelector::modify(int fd, Events events, void* data) {
  const SelectorKey key = replace_key(fd, events, data);
  find(fd)->events = poll_events(events);
  return key;
}

std::span<const Ready> PollSelector::select(Timeout timeout) {
  check_open();
  const Countdown countdown(timeout);
  int count;
  do {
    count = ::poll(polled_.data(), static_cast<nfds_t>(polled_.size()), countdown.milliseconds());
  } while (count == -1 && errno == EINTR);  // a signal: wait for the rest of the time
  check(count, "poll");

  ready_.clear();
  for (const pollfd& polled : polled_) {
    if (count == 0) break;
    if (polled.revents == 0) continue;
    count -= 1;
    const SelectorKey key = *get_map().find(polled.fd);
    ready_.push_back({key, events_of(polled.revents) & key.events});
  }
  return ready_;
}

void PollSelector::close() {
  BaseSelector::close();
  polled_ = {};
  ready_ = {};
}

std::vector<pollfd>::iterator PollSelector::find(int fd) {
  return std::find_if(polled_.begin(), polled_.end(),
                      [fd](const pollfd& polled) { return polled.fd == fd; });
}

}  // namespace socketserver
