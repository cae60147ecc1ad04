#include <socketserver/poll_selector.hpp>
#include <socketserver/system_call.hpp>

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
    const auto number = static_cast<std::size_t>(fd);
    if (places_.size() <= number) places_.resize(number + 1);
    places_[number] = polled_.size();
    polled_.push_back({fd, poll_events(events), 0});
  } catch (...) {
    remove_key(fd);
    throw;
  }
  return key;
}

SelectorKey PollSelector::unregister(int fd) {
  const SelectorKey key = remove_key(fd);
  // The last one takes its place.
  const std::size_t place = places_[static_cast<std::size_t>(fd)];
  polled_[place] = polled_.back();
  places_[static_cast<std::size_t>(polled_[place].fd)] = place;
  polled_.pop_back();
  return key;
}

SelectorKey PollSelector::modify(int fd, Events events, void* data) {
  const SelectorKey key = replace_key(fd, events, data);
  polled_[places_[static_cast<std::size_t>(fd)]].events = poll_events(events);
  return key;
}

std::span<const Ready> PollSelector::select(Timeout timeout) {
  check_open();
  const Countdown countdown(timeout);
  int count;
  do {  // again after a signal, or if the time was longer than one wait can be: 24 days
    count = ::poll(polled_.data(), static_cast<nfds_t>(polled_.size()), countdown.milliseconds());
  } while ((count == -1 && errno == EINTR) || (count == 0 && countdown.milliseconds() != 0));
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
  places_ = {};
  ready_ = {};
}

}  // namespace socketserver
