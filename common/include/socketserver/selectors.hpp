#pragma once

#include <chrono>
#include <cstddef>
#include <iterator>
#include <optional>
#include <span>
#include <vector>

namespace socketserver {

/// A set of what a descriptor may be ready for: EVENT_READ, EVENT_WRITE, or both.
using Events = unsigned;

/// recv(2), accept(2) or read(2) would not block: bytes, a connection, the end or an error is
/// there.
inline constexpr Events EVENT_READ = 1;

/// send(2) or write(2) would not block: there is room for a byte at least, or an error is there.
inline constexpr Events EVENT_WRITE = 2;

/// What is known of a registered descriptor. A value: it does not change when the selector does.
/// Python's `SelectorKey`.
struct SelectorKey {
  /// The descriptor; it stays the caller's own.
  int fd = -1;
  /// What it is watched for.
  Events events = 0;
  /// Whatever the caller wants to find again when it is ready; the selector never looks at it.
  void* data = nullptr;
};

/// A descriptor that is ready.
struct Ready {
  /// As it was registered when select() returned.
  SelectorKey key;
  /// What it is ready for, out of key.events.
  Events events = 0;
};

/// The keys of a selector, in the order of their descriptors. Read-only for everybody but the
/// selector, and live: it shows the state of the moment. Python's `get_map()`.
class SelectorMap {
 public:
  /// Walks over the keys. Registering or unregistering a descriptor ends its validity.
  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = SelectorKey;
    using difference_type = std::ptrdiff_t;
    using pointer = const SelectorKey*;
    using reference = const SelectorKey&;

    Iterator() = default;
    Iterator(pointer at, pointer end) : at_(at), end_(end) { skip_gaps(); }
    reference operator*() const { return *at_; }
    pointer operator->() const { return at_; }
    Iterator& operator++() {
      ++at_;
      skip_gaps();
      return *this;
    }
    Iterator operator++(int) {
      const Iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    void skip_gaps() {
      while (at_ != end_ && at_->fd == -1) ++at_;
    }
    pointer at_ = nullptr;
    pointer end_ = nullptr;
  };

  /// How many descriptors are registered.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Whether none is.
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  /// The key of `fd`, or nullptr if it is not registered. Valid until the next change.
  [[nodiscard]] const SelectorKey* find(int fd) const noexcept {
    const auto index = static_cast<std::size_t>(fd);  // -1 becomes a number beyond every table
    return index < keys_.size() && keys_[index].fd == fd ? &keys_[index] : nullptr;
  }
  /// The key with the smallest descriptor.
  [[nodiscard]] Iterator begin() const { return {keys_.data(), keys_.data() + keys_.size()}; }
  /// Behind the last key.
  [[nodiscard]] Iterator end() const {
    return {keys_.data() + keys_.size(), keys_.data() + keys_.size()};
  }

 private:
  friend class BaseSelector;
  // Indexed by descriptor: the kernel gives the smallest free number, so that the gaps are few, and
  // a key is found by one look.
  std::vector<SelectorKey> keys_;
  std::size_t size_ = 0;
};

/// Waits until one of many descriptors is ready. Python's `selectors.BaseSelector`.
///
/// Level-triggered: what is ready stays ready, and is reported by each select(), until it has been
/// read, or written full. An error or a hang-up is reported as every event that was registered:
/// the next recv or send tells which it is.
///
/// A closed selector throws std::logic_error from everything but close() and get_map(). One thread
/// at a time may use a selector.
class BaseSelector {
 public:
  /// How long select() waits: zero or less looks and does not wait; no value waits for ever.
  using Timeout = std::optional<std::chrono::nanoseconds>;

  BaseSelector() = default;
  BaseSelector(const BaseSelector&) = delete;
  BaseSelector& operator=(const BaseSelector&) = delete;
  virtual ~BaseSelector() = default;

  /// Begins to watch `fd`. Python's `register`, which is a keyword here.
  ///
  /// @param events  EVENT_READ, EVENT_WRITE, or both
  /// @param data    handed back with each readiness
  /// @returns the new key
  /// @throws std::invalid_argument if `events` is 0 or has other bits, `fd` is negative or
  /// registered
  ///         already
  /// @throws std::system_error if the kernel refuses; then nothing is registered
  virtual SelectorKey register_fd(int fd, Events events, void* data = nullptr) = 0;

  /// Ends to watch `fd`, even if it has been closed meanwhile.
  /// @returns the key it had
  /// @throws std::out_of_range if it is not registered
  virtual SelectorKey unregister(int fd) = 0;

  /// Replaces both the events and the data of `fd`. With the same events it costs no system call.
  /// @returns the new key
  /// @throws std::out_of_range if it is not registered
  /// @throws std::invalid_argument if `events` is 0 or has other bits; then nothing has changed
  /// @throws std::system_error if the kernel refuses; then it is not registered any more
  virtual SelectorKey modify(int fd, Events events, void* data) = 0;

  /// Waits until a descriptor is ready, or the timeout is over. Blocks.
  ///
  /// A timeout is rounded up to what the kernel can wait, never down; a signal neither shortens nor
  /// lengthens it. Without a descriptor it waits for the timeout.
  /// @returns those that are ready; none if the time is over. Valid until the next select().
  /// @throws std::system_error if it cannot wait
  virtual std::span<const Ready> select(Timeout timeout = {}) = 0;

  /// Forgets every descriptor, and gives back what the selector itself has open. The second call
  /// does nothing.
  virtual void close();

  /// The key of `fd`. @throws std::out_of_range if it is not registered
  [[nodiscard]] SelectorKey get_key(int fd) const;

  /// All keys; empty once closed.
  [[nodiscard]] const SelectorMap& get_map() const noexcept { return map_; }

 protected:
  /// @throws std::logic_error if the selector is closed
  void check_open() const;

  /// @throws std::invalid_argument if `events` is 0 or has other bits
  static void check_events(Events events);

  /// Enters a key, after every check that register_fd() promises.
  SelectorKey add_key(int fd, Events events, void* data);

  /// Puts another key in the place of the one that `fd` has, after the checks of modify().
  SelectorKey replace_key(int fd, Events events, void* data);

  /// Takes the key of `fd` out. @throws std::out_of_range if it is not registered
  SelectorKey remove_key(int fd);

 private:
  SelectorMap map_;
  bool closed_ = false;
};

/// What is left of a timeout, for waits that a signal may interrupt.
class Countdown {
 public:
  /// Begins to count.
  explicit Countdown(BaseSelector::Timeout timeout);

  /// What is left as poll(2) and epoll_wait(2) take it: whole milliseconds, rounded up; 0 when the
  /// time is over, -1 if there is no limit.
  [[nodiscard]] int milliseconds() const;

  /// What is left, as select(2) and kevent(2) can wait; zero when the time is over. No value if
  /// there is no limit.
  [[nodiscard]] BaseSelector::Timeout left() const;

 private:
  // No clock is read for a wait without a limit, or without waiting.
  bool limited_ = false;
  std::optional<std::chrono::steady_clock::time_point> end_;
};

}  // namespace socketserver
