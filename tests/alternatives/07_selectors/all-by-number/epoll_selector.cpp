// Differs: everything is found by its descriptor; idle ones by a set of deadline and number.

// EpollSelector: readiness from the kernel's own list.
// The contract: common/include/socketserver/selectors.hpp. See also: epoll(7), epoll_ctl(2).

#include "epoll_selector.hpp"

#if defined(__linux__)

#include <socketserver/system_call.hpp>

#include <algorithm>
#include <cerrno>

namespace socketserver {

EpollSelector::EpollSelector() {
  epoll_.reset(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
}

SelectorKey EpollSelector::register_fd(int fd, Events events, void* data) {
  const SelectorKey key = add_key(fd, events, data);
  epoll_event event{};
  event.events = ((events & EVENT_READ) ? EPOLLIN : 0U) | ((events & EVENT_WRITE) ? EPOLLOUT : 0U);
  event.data.fd = fd;
  const int error = ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
  if (error == 0) return key;
  (void)remove_key(fd);
  throw_system_error("epoll_ctl", error);
}

SelectorKey EpollSelector::unregister(int fd) {
  const SelectorKey key = remove_key(fd);
  epoll_event ignored{};  // Linux before 2.6.9 wanted one
  (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, &ignored);
  return key;
}

SelectorKey EpollSelector::modify(int fd, Events events, void* data) {
  const SelectorKey old = get_key(fd);
  const SelectorKey key = replace_key(fd, events, data);
  if (old.events != key.events) {
    epoll_event event{};
    event.events =
        ((events & EVENT_READ) ? EPOLLIN : 0U) | ((events & EVENT_WRITE) ? EPOLLOUT : 0U);
    event.data.fd = fd;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) != 0) {
      const int error = errno;
      (void)remove_key(fd);
      // For want of memory, say: then the kernel would go on to tell of it.
      if (error != EBADF && error != ENOENT) {
        (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, &event);
      }
      throw_system_error("epoll_ctl", error);
    }
  }
  return key;
}

std::span<const Ready> EpollSelector::select(Timeout timeout) {
  check_open();
  int count = 0;
  for (const Countdown countdown(timeout);;) {
    const int time = countdown.milliseconds();
    count = ::epoll_wait(epoll_.get(), happened_.data(), most_at_once, time);
    if (count > 0 || (count == 0 && countdown.milliseconds() == 0)) break;
    if (count == -1 && errno != EINTR) throw_system_error("epoll_wait");
  }
  std::size_t told = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    const SelectorKey* const key = get_map().find(happened_[i].data.fd);
    if (key == nullptr) continue;
    const bool broken = (happened_[i].events & (EPOLLERR | EPOLLHUP)) != 0;
    Events events = 0;
    if (broken || (happened_[i].events & EPOLLIN) != 0) events |= key->events & EVENT_READ;
    if (broken || (happened_[i].events & EPOLLOUT) != 0) events |= key->events & EVENT_WRITE;
    if (events == 0) continue;
    ready_[told] = {*key, events};
    told += 1;
  }
  return {ready_.data(), told};
}

void EpollSelector::close() {
  BaseSelector::close();
  epoll_.reset();
}

}  // namespace socketserver

#endif
