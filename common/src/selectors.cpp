#include <fcntl.h>
#include <socketserver/selectors.hpp>
#include <socketserver/system_call.hpp>

#include <algorithm>
#include <climits>
#include <stdexcept>
#include <string>

namespace socketserver {

namespace {
constexpr std::size_t largest_jump = 4096;
}

void BaseSelector::close() {
  map_ = {};
  closed_ = true;
}

SelectorKey BaseSelector::get_key(int fd) const {
  check_open();
  const SelectorKey* const key = map_.find(fd);
  if (key == nullptr) {
    throw std::out_of_range("descriptor " + std::to_string(fd) + " is not registered");
  }
  return *key;
}

void BaseSelector::check_open() const {
  if (closed_) throw std::logic_error("the selector is closed");
}

void BaseSelector::check_events(Events events) {
  if (events == 0 || (events & ~(EVENT_READ | EVENT_WRITE)) != 0) {
    throw std::invalid_argument("the events " + std::to_string(events) +
                                " are not EVENT_READ, EVENT_WRITE, or both");
  }
}

SelectorKey BaseSelector::add_key(int fd, Events events, void* data) {
  check_open();
  check_events(events);
  if (fd < 0) throw std::invalid_argument(std::to_string(fd) + " is no descriptor");
  if (map_.find(fd) != nullptr) {
    throw std::invalid_argument("descriptor " + std::to_string(fd) + " is already registered");
  }
  const auto index = static_cast<std::size_t>(fd);
  // A number far beyond the table is more likely a mistake, and would cost gigabytes.
  if (index >= map_.keys_.size() + largest_jump) check(::fcntl(fd, F_GETFD), "fcntl");
  if (index >= map_.keys_.size()) map_.keys_.resize(index + 1);
  map_.size_ += 1;
  return map_.keys_[index] = {fd, events, data};
}

SelectorKey BaseSelector::replace_key(int fd, Events events, void* data) {
  (void)get_key(fd);  // throws if there is none
  check_events(events);
  return map_.keys_[static_cast<std::size_t>(fd)] = {fd, events, data};
}

SelectorKey BaseSelector::remove_key(int fd) {
  const SelectorKey key = get_key(fd);
  map_.keys_[static_cast<std::size_t>(fd)] = {};
  map_.size_ -= 1;
  return key;
}

Countdown::Countdown(BaseSelector::Timeout timeout) : limited_(timeout.has_value()) {
  using std::chrono::steady_clock;
  if (!timeout || *timeout <= timeout->zero()) return;
  const auto now = steady_clock::now();
  const auto longest = steady_clock::time_point::max() - now;
  end_ = now + std::min<std::chrono::nanoseconds>(*timeout, longest);
}

BaseSelector::Timeout Countdown::left() const {
  if (!limited_) return std::nullopt;
  if (!end_) return BaseSelector::Timeout::value_type::zero();
  const auto left = *end_ - std::chrono::steady_clock::now();
  return std::max<std::chrono::nanoseconds>(left, left.zero());
}

int Countdown::milliseconds() const {
  const BaseSelector::Timeout time = left();
  if (!time) return -1;
  // Rounded down, the last fraction of a millisecond would be waited for by a busy loop.
  const auto whole = std::chrono::ceil<std::chrono::milliseconds>(*time);
  return static_cast<int>(std::min<long long>(whole.count(), INT_MAX));
}

}  // namespace socketserver
