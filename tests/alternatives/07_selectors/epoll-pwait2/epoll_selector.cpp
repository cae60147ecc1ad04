// Differs: epoll_pwait2(), whose timeout has nanoseconds.

#include "epoll_selector.hpp"

#if defined(__linux__)

#include <socketserver/system_call.hpp>

#include <cerrno>

namespace socketserver {
namespace {

// The descriptor's number and not a pointer: where a copy of a closed descriptor lives on, the
// kernel still reports it (epoll(7), Q6), and a number can be looked up.
epoll_event event_for(int fd, Events events) {
  epoll_event event{};
  if (events & EVENT_READ) event.events |= EPOLLIN;
  if (events & EVENT_WRITE) event.events |= EPOLLOUT;
  event.data.fd = fd;
  return event;
}

// EPOLLERR and EPOLLHUP come unasked, and concern reader and writer both.
Events events_of(std::uint32_t bits) {
  Events events = 0;
  if (bits & ~std::uint32_t{EPOLLOUT}) events |= EVENT_READ;
  if (bits & ~std::uint32_t{EPOLLIN}) events |= EVENT_WRITE;
  return events;
}

}  // namespace

EpollSelector::EpollSelector() : epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {}

SelectorKey EpollSelector::register_fd(int fd, Events events, void* data) {
  const SelectorKey key = add_key(fd, events, data);
  epoll_event event = event_for(fd, events);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == -1) {
    const int error = errno;
    remove_key(fd);
    throw_system_error("epoll_ctl", error);
  }
  return key;
}

SelectorKey EpollSelector::unregister(int fd) {
  const SelectorKey key = remove_key(fd);
  // Fails if fd was closed first, and perhaps opened again: the kernel has forgotten it then.
  (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  return key;
}

SelectorKey EpollSelector::modify(int fd, Events events, void* data) {
  const SelectorKey old = get_key(fd);
  const SelectorKey key = replace_key(fd, events, data);
  if (events == old.events) return key;  // only the data: the kernel does not know them
  epoll_event event = event_for(fd, events);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) == -1) {
    const int error = errno;
    unregister(fd);
    throw_system_error("epoll_ctl", error);
  }
  return key;
}

std::span<const Ready> EpollSelector::select(Timeout timeout) {
  check_open();
  const Countdown countdown(timeout);
  int count;
  do {
    const auto left = countdown.left();  // to the nanosecond
    timespec limit{};
    if (left) limit = {left->count() / 1'000'000'000, left->count() % 1'000'000'000};
    count =
        ::epoll_pwait2(epoll_.get(), events_.data(), most_events, left ? &limit : nullptr, nullptr);
  } while (count == -1 && errno == EINTR);  // a signal: wait for the rest of the time
  check(count, "epoll_wait");

  ready_.clear();
  for (const epoll_event& event : std::span(events_).first(static_cast<std::size_t>(count))) {
    const SelectorKey* const key = get_map().find(event.data.fd);
    if (key == nullptr) continue;
    const Events events = events_of(event.events) & key->events;
    if (events != 0) ready_.push_back({*key, events});
  }
  return ready_;
}

void EpollSelector::close() {
  BaseSelector::close();
  epoll_.reset();
  ready_ = {};
}

}  // namespace socketserver

#endif
