#include <socketserver/kqueue_selector.hpp>

#if defined(SOCKETSERVER_HAS_KQUEUE)

#include <sys/event.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <unistd.h>
#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>

#include <cerrno>

namespace socketserver {
namespace {

constexpr std::size_t most_events = 1024;  // a call; what is ready beyond them comes with the next

timespec time_of(std::chrono::nanoseconds time) {
  using namespace std::chrono;
  constexpr hours longest{24};  // some kernels refuse long times; the countdown asks again
  const nanoseconds whole = time < longest ? time : longest;
  const auto seconds_part = floor<seconds>(whole);
  timespec value{};
  value.tv_sec = static_cast<time_t>(seconds_part.count());
  value.tv_nsec = static_cast<long>((whole - seconds_part).count());
  return value;
}

// A regular file is always ready; kqueue(2) calls it so only until its end, and whoever waits for
// that would wait for ever.
void refuse_regular_file(int fd) {
  struct stat file {};
  if (::fstat(fd, &file) == 0 && S_ISREG(file.st_mode)) throw_system_error("kevent", EPERM);
}

}  // namespace

KqueueSelector::KqueueSelector() : kqueue_(check(::kqueue(), "kqueue")) {
  set_close_on_exec(kqueue_.get());
}

// One filter for reading and one for writing, each a registration of its own.
void KqueueSelector::change(int fd, Events events, unsigned short action) {
  for (const Events event : {EVENT_READ, EVENT_WRITE}) {
    if ((events & event) == 0) continue;
    const auto filter = static_cast<short>(event == EVENT_READ ? EVFILT_READ : EVFILT_WRITE);
    struct kevent wanted;
    EV_SET(&wanted, static_cast<uintptr_t>(fd), filter, action, 0, 0, nullptr);
    const int result = ::kevent(kqueue_.get(), &wanted, 1, nullptr, 0, nullptr);
    // A closed descriptor has left the kqueue by itself: then there is nothing to delete.
    if (result == 0 || action == EV_DELETE) continue;
    // macOS says so of a device that cannot be waited for, such as /dev/null.
    throw_system_error("kevent", errno == EINVAL && !::isatty(fd) ? EPERM : errno);
  }
}

SelectorKey KqueueSelector::register_fd(int fd, Events events, void* data) {
  const SelectorKey key = add_key(fd, events, data);
  try {
    refuse_regular_file(fd);
    change(fd, events, EV_ADD);
  } catch (...) {
    change(fd, events, EV_DELETE);
    remove_key(fd);
    throw;
  }
  return key;
}

SelectorKey KqueueSelector::unregister(int fd) {
  const SelectorKey key = remove_key(fd);
  change(fd, key.events, EV_DELETE);
  return key;
}

SelectorKey KqueueSelector::modify(int fd, Events events, void* data) {
  const SelectorKey old = get_key(fd);
  const SelectorKey key = replace_key(fd, events, data);
  try {
    change(fd, events & ~old.events, EV_ADD);
    change(fd, old.events & ~events, EV_DELETE);
  } catch (...) {
    change(fd, old.events | events, EV_DELETE);
    remove_key(fd);
    throw;
  }
  return key;
}

std::span<const Ready> KqueueSelector::select(Timeout timeout) {
  check_open();
  const Countdown countdown(timeout);
  struct kevent events[most_events];
  int count;
  do {
    const Timeout left = countdown.left();
    const timespec time = time_of(left.value_or(Timeout::value_type::zero()));
    count = ::kevent(kqueue_.get(), nullptr, 0, events, most_events, left ? &time : nullptr);
  } while ((count == -1 && errno == EINTR) || (count == 0 && countdown.milliseconds() != 0));
  check(count, "kevent");

  ready_.clear();
  for (const struct kevent& event : std::span(events, static_cast<std::size_t>(count))) {
    const SelectorKey* const key = get_map().find(static_cast<int>(event.ident));
    if (key == nullptr) continue;
    const Events happened = (event.filter == EVFILT_READ ? EVENT_READ : EVENT_WRITE) & key->events;
    if (happened == 0) continue;
    const auto index = static_cast<std::size_t>(key->fd);
    if (place_.size() <= index) place_.resize(index + 1);
    const std::size_t place = place_[index];
    if (place < ready_.size() && ready_[place].key.fd == key->fd) {
      ready_[place].events |= happened;  // both filters of one descriptor
    } else {
      place_[index] = ready_.size();
      ready_.push_back({*key, happened});
    }
  }
  return ready_;
}

void KqueueSelector::close() {
  BaseSelector::close();
  kqueue_.reset();
  ready_ = {};
  place_ = {};
}

}  // namespace socketserver

#endif
