// EpollSelector: readiness from the kernel's own list.
// The contract: common/include/socketserver/selectors.hpp. The worked example beside it:
// common/src/poll_selector.cpp. See also: epoll(7), epoll_ctl(2), epoll_wait(2).

#include "epoll_selector.hpp"

#if defined(__linux__)

#include <socketserver/not_written.hpp>
#include <socketserver/system_call.hpp>

#include <cerrno>

namespace socketserver {

EpollSelector::EpollSelector() {
  // TODO(07.A): create the epoll, and keep its descriptor in epoll_.
  not_written("07.A", "EpollSelector::EpollSelector");
}

SelectorKey EpollSelector::register_fd([[maybe_unused]] int fd, [[maybe_unused]] Events events,
                                       [[maybe_unused]] void* data) {
  // TODO(07.A): enter the key (add_key makes every check), and tell the kernel. If it refuses,
  // nothing stays registered.
  not_written("07.A", "EpollSelector::register_fd");
}

SelectorKey EpollSelector::unregister([[maybe_unused]] int fd) {
  // TODO(07.A): take the key out, and tell the kernel. The descriptor may be closed already.
  not_written("07.A", "EpollSelector::unregister");
}

SelectorKey EpollSelector::modify([[maybe_unused]] int fd, [[maybe_unused]] Events events,
                                  [[maybe_unused]] void* data) {
  // TODO(07.A): replace the key, and tell the kernel if the events are others. If it refuses, the
  // descriptor is not registered any more.
  not_written("07.A", "EpollSelector::modify");
}

std::span<const Ready> EpollSelector::select([[maybe_unused]] Timeout timeout) {
  // TODO(07.B): wait, and return the keys of those that are ready, with what they are ready for.
  not_written("07.B", "EpollSelector::select");
}

void EpollSelector::close() {
  BaseSelector::close();  // given: forgets the keys
  // TODO(07.A): close the epoll.
  not_written("07.A", "EpollSelector::close");
}

}  // namespace socketserver

#endif
