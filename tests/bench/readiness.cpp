#include "readiness.hpp"

#include <cerrno>
#include <socketserver/system_call.hpp>

namespace kit::bench {

using socketserver::check;
using socketserver::throw_system_error;

#if defined(__linux__)

namespace {
constexpr std::size_t events_a_turn = 256;
}

Readiness::Readiness()
    : epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")), events_(events_a_turn) {}

void Readiness::control(int operation, int fd, std::uint32_t token, bool writing) {
  epoll_event event{};
  event.events = EPOLLIN | (writing ? EPOLLOUT : 0U);
  event.data.u32 = token;
  check(::epoll_ctl(epoll_.get(), operation, fd, &event), "epoll_ctl");
}

void Readiness::add(int fd, std::uint32_t token, bool writing) {
  control(EPOLL_CTL_ADD, fd, token, writing);
}

void Readiness::change(int fd, std::uint32_t token, bool writing) {
  control(EPOLL_CTL_MOD, fd, token, writing);
}

void Readiness::remove(int fd, std::uint32_t /*token*/) noexcept {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

std::span<const Ready> Readiness::wait(std::chrono::milliseconds timeout) {
  const int count = ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()),
                                 static_cast<int>(timeout.count()));
  if (count == -1 && errno != EINTR) throw_system_error("epoll_wait");
  ready_.clear();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    ready_.push_back({event.data.u32, (event.events & ~static_cast<unsigned>(EPOLLOUT)) != 0,
                      (event.events & EPOLLOUT) != 0});
  }
  return ready_;
}

#else

Readiness::Readiness() = default;

void Readiness::add(int fd, std::uint32_t token, bool writing) {
  if (token >= watched_.size()) watched_.resize(token + 1, pollfd{-1, 0, 0});
  change(fd, token, writing);
}

void Readiness::change(int fd, std::uint32_t token, bool writing) {
  watched_[token] = pollfd{fd, static_cast<short>(writing ? POLLIN | POLLOUT : POLLIN), 0};
}

void Readiness::remove(int /*fd*/, std::uint32_t token) noexcept {
  if (token < watched_.size()) watched_[token].fd = -1;
}

std::span<const Ready> Readiness::wait(std::chrono::milliseconds timeout) {
  const int count = ::poll(watched_.data(), static_cast<nfds_t>(watched_.size()),
                           static_cast<int>(timeout.count()));
  if (count == -1 && errno != EINTR) throw_system_error("poll");
  ready_.clear();
  if (count <= 0) return ready_;
  for (std::uint32_t token = 0; token < watched_.size(); ++token) {
    const short events = watched_[token].revents;
    if (watched_[token].fd == -1 || events == 0) continue;
    ready_.push_back({token, (events & ~POLLOUT) != 0, (events & POLLOUT) != 0});
  }
  return ready_;
}

#endif

}  // namespace kit::bench
