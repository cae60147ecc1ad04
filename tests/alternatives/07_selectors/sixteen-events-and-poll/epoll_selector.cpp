// Sixteen events a call, by epoll_pwait, each with the number of its registration: an event of an
// older one is passed over.

#include "epoll_selector.hpp"

#include <socketserver/system_call.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace socketserver {

EpollSelector::EpollSelector() : epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {}

namespace {

std::uint32_t bits_of(Events events) {
  return (events & EVENT_READ ? std::uint32_t{EPOLLIN} : 0) |
         (events & EVENT_WRITE ? std::uint32_t{EPOLLOUT} : 0);
}

}  // namespace

SelectorKey EpollSelector::register_fd(int fd, Events events, void* data) {
  const SelectorKey key = add_key(fd, events, data);
  const auto index = static_cast<std::size_t>(fd);
  if (numbers_.size() <= index) numbers_.resize(index + 1);
  numbers_[index] = ++last_number_;
  epoll_event event{};
  event.events = bits_of(events);
  event.data.u64 = std::uint64_t{last_number_} << 32 | static_cast<std::uint32_t>(fd);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return key;
  const int error = errno;
  remove_key(fd);
  throw_system_error("epoll_ctl", error);
}

SelectorKey EpollSelector::unregister(int fd) {
  const SelectorKey key = remove_key(fd);
  epoll_event unused{};
  (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, &unused);
  return key;
}

SelectorKey EpollSelector::modify(int fd, Events events, void* data) {
  const bool same = get_key(fd).events == events;
  const SelectorKey key = replace_key(fd, events, data);
  if (same) return key;
  epoll_event event{};
  event.events = bits_of(events);
  event.data.u64 =
      std::uint64_t{numbers_[static_cast<std::size_t>(fd)]} << 32 | static_cast<std::uint32_t>(fd);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) == 0) return key;
  const int error = errno;
  unregister(fd);
  throw_system_error("epoll_ctl", error);
}

std::span<const Ready> EpollSelector::select(Timeout timeout) {
  check_open();
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  epoll_event events[most_events];
  int count;
  for (;;) {
    int limit = -1;
    if (timeout) {
      const auto left = *timeout - (Clock::now() - begin);
      const auto whole = std::chrono::ceil<std::chrono::milliseconds>(left).count();
      limit = *timeout <= timeout->zero()
                  ? 0
                  : static_cast<int>(std::clamp<long long>(whole, 0, 1'000'000'000));
    }
    count = ::epoll_pwait(epoll_.get(), events, most_events, limit, nullptr);
    if (count >= 0) break;
    if (errno != EINTR) throw_system_error("epoll_pwait");
  }
  ready_.clear();
  for (int i = 0; i < count; ++i) {
    const int fd = static_cast<int>(events[i].data.u64 & 0xffffffff);
    const SelectorKey* const key = get_map().find(fd);
    if (!key || numbers_[static_cast<std::size_t>(fd)] != events[i].data.u64 >> 32) continue;
    const bool trouble = events[i].events & (EPOLLHUP | EPOLLERR);
    Events told = 0;
    if (trouble || (events[i].events & EPOLLIN)) told |= EVENT_READ;
    if (trouble || (events[i].events & EPOLLOUT)) told |= EVENT_WRITE;
    if (told & key->events) ready_.push_back({*key, told & key->events});
  }
  return ready_;
}

void EpollSelector::close() {
  BaseSelector::close();
  epoll_.reset();
}

}  // namespace socketserver
