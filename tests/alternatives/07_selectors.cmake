# Right answers to lesson 07, written differently: every step must accept them. The form of an answer:
# tests/cmake/mutants.cmake. A file of which little remains stands whole in 07_selectors/.

kit_answer(
  NAME all-by-number
  SENTENCE "Everything is found by its descriptor, and what is idle by a set of deadlines."
  FILE epoll_selector.hpp
  REPLACE [[#include <vector>
]]
  WITH [[]]
  REPLACE [[  // A turn's worth; what is ready beyond them comes with the next: the kernel takes turns.
  static constexpr std::size_t most_events = 1024;

  FileDescriptor epoll_;
  std::array<epoll_event, most_events> events_;
  std::vector<Ready> ready_;]]
  WITH [[  FileDescriptor epoll_;
  // So many are told at a time; the kernel goes on with the others at the next call.
  static constexpr int most_at_once = 256;
  std::array<epoll_event, most_at_once> happened_{};
  std::array<Ready, most_at_once> ready_{};]]
  WHOLE epoll_selector.cpp
  WHOLE selector_mixin.hpp)

kit_answer(
  NAME client-of-two-threads
  SENTENCE "The client has a thread for each direction: neither waits for the other."
  WHOLE client.cpp)

kit_answer(
  NAME coroutines
  SENTENCE "Each connection is a coroutine: it reads as if it blocked, and the loop resumes it."
  WHOLE selector_mixin.hpp)

kit_answer(
  NAME edge-triggered
  SENTENCE "Edge-triggered: what is ready stands in a list until EAGAIN has been seen; one read a turn."
  WHOLE selector_mixin.hpp)

kit_answer(
  NAME epoll-pwait2
  SENTENCE "The selector waits in epoll_pwait2(), whose timeout has nanoseconds."
  FILE epoll_selector.cpp
  REPLACE [[  do {  // again after a signal, or if the time was longer than one wait can be: 24 days
    count = ::epoll_wait(epoll_.get(), events_.data(), most_events, countdown.milliseconds());
  } while ((count == -1 && errno == EINTR) || (count == 0 && countdown.milliseconds() != 0));]]
  WITH [[  do {
    const auto left = countdown.left();  // to the nanosecond
    timespec limit{};
    if (left) limit = {left->count() / 1'000'000'000, left->count() % 1'000'000'000};
    count =
        ::epoll_pwait2(epoll_.get(), events_.data(), most_events, left ? &limit : nullptr, nullptr);
  } while (count == -1 && errno == EINTR);  // a signal: wait for the rest of the time]])

kit_answer(
  NAME objects-that-are-ready
  SENTENCE "Listener, wake pipe and clients are objects with a virtual ready(); no socket blocks."
  WHOLE selector_mixin.hpp)

kit_answer(
  NAME poll-array
  SENTENCE "An array for poll(2) stands beside the connections; the selector is left alone."
  WHOLE selector_mixin.hpp)

kit_answer(
  NAME ring-buffer
  SENTENCE "What a client does not take waits in a ring, and is sent by one sendmsg()."
  FILE selector_mixin.hpp
  REPLACE [[#include <sys/socket.h>]]
  WITH [[#include <sys/socket.h>
#include <sys/uio.h>]]
  REPLACE [[#include <chrono>]]
  WITH [[#include <chrono>
#include <cstring>]]
  REPLACE [[#include <utility>]]
  WITH [[#include <utility>
#include <vector>]]
  REPLACE [[    Output output;]]
  WITH [[    Output output;           // what the session has just said
    std::vector<char> ring;  // and what of it was not taken: `size` bytes from `begin` on
    std::size_t begin = 0;
    std::size_t size = 0;]]
  REPLACE [[      // The memory that an answer is made in is lent: a client keeps only what it does not take.
]]
  THROUGH [[        lent ? connection.output.swap_bytes(shared_memory_) : connection.output.release_memory();
      }]]
  WITH [[      bool moved = (events & EVENT_READ) && receive(connection);
      keep(connection);
      moved |= send(connection);]]
  REPLACE [[  // What the socket does not take now stays in the output, and goes when there is room again.
]]
  THROUGH [[    connection.output.sent(static_cast<std::size_t>(count));]]
  WITH [[  void keep(Connection& connection) {
    const std::string_view bytes = connection.output.unsent();
    if (connection.size + bytes.size() > connection.ring.size()) grow(connection, bytes.size());
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t end = (connection.begin + connection.size) % connection.ring.size();
      const std::size_t count = std::min(bytes.size() - at, connection.ring.size() - end);
      std::memcpy(&connection.ring[end], bytes.data() + at, count);
      connection.size += count;
      at += count;
    }
    connection.output.sent(bytes.size());
    connection.output.release_memory();
  }

  void grow(Connection& connection, std::size_t more) {
    std::vector<char> larger(2 * (connection.size + more));
    for (std::size_t i = 0; i < connection.size; ++i) {
      larger[i] = connection.ring[(connection.begin + i) % connection.ring.size()];
    }
    connection.ring.swap(larger);
    connection.begin = 0;
  }

  bool send(Connection& connection) {
    if (connection.size == 0) return false;
    const std::size_t first = std::min(connection.size, connection.ring.size() - connection.begin);
    iovec parts[2] = {{&connection.ring[connection.begin], first},
                      {connection.ring.data(), connection.size - first}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = first < connection.size ? 2 : 1;
    const ssize_t count =
        ::sendmsg(connection.request.fileno(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count == -1) {
      if (errno == EAGAIN || errno == EINTR) return false;
      throw_system_error("sendmsg");
    }
    connection.size -= static_cast<std::size_t>(count);
    connection.begin =
        (connection.begin + static_cast<std::size_t>(count)) % connection.ring.size();
    if (connection.size == 0) {
      std::vector<char>().swap(connection.ring);
      connection.begin = 0;
    }]]
  REPLACE [[    const Output& output = connection.output;
    const bool listens = !connection.at_end && !output.ended();
    Events events = 0;
    if (listens && output.size() < max_output) events |= EVENT_READ;
    if (!output.empty()) events |= EVENT_WRITE;]]
  WITH [[    const bool listens = !connection.at_end && !connection.output.ended();
    Events events = 0;
    if (listens && connection.size < max_output) events |= EVENT_READ;
    if (connection.size > 0) events |= EVENT_WRITE;]]
  REPLACE [[    if (connection.at_end && connection.output.empty()) return close(connection);]]
  WITH [[    if (connection.at_end && connection.size == 0) return close(connection);]]
  REPLACE [[    if (connection.at_end && connection.output.empty()) {]]
  WITH [[    if (connection.at_end && connection.size == 0) {]]
  REPLACE [[  Output shared_memory_;                // for answers, by turns
]]
  WITH [[]])

kit_answer(
  NAME sixteen-events-and-poll
  SENTENCE "Sixteen events a call, each with the number of its registration; the client uses poll()."
  FILE epoll_selector.hpp
  REPLACE [[#include <array>]]
  WITH [[#include <cstdint>]]
  REPLACE [[  // A turn's worth; what is ready beyond them comes with the next: the kernel takes turns.
  static constexpr std::size_t most_events = 1024;

  FileDescriptor epoll_;
  std::array<epoll_event, most_events> events_;]]
  WITH [[  static constexpr int most_events = 16;

  FileDescriptor epoll_;
  std::vector<std::uint32_t> numbers_;  // of each descriptor's registration
  std::uint32_t last_number_ = 0;]]
  WHOLE client.cpp
  WHOLE epoll_selector.cpp)

kit_answer(
  NAME timers-in-a-heap
  SENTENCE "Idle deadlines stand in a heap; one that is out of date is corrected when it comes up."
  FILE selector_mixin.hpp
  REPLACE [[#include <chrono>]]
  WITH [[#include <chrono>
#include <cstdint>
#include <functional>]]
  REPLACE [[#include <optional>]]
  WITH [[#include <optional>
#include <queue>]]
  REPLACE [[#include <utility>]]
  WITH [[#include <unordered_map>
#include <utility>
#include <vector>]]
  REPLACE [[    Clock::time_point last_moved{};]]
  WITH [[    Clock::time_point last_moved{};
    std::uint64_t number = 0;]]
  REPLACE [[  // Until the next thing that only the clock will tell, and not longer than `limit`.
  BaseSelector::Timeout time_to_wait(std::optional<std::chrono::milliseconds> limit) const {
    std::optional<Clock::time_point> next;
    if (idle_timeout && !connections_.empty()) {
      next = connections_.front().last_moved + longest_silence();
    }]]
  WITH [[  void close_idle() {
    const Clock::time_point now = Clock::now();
    while (!due_.empty() && due_.top().time <= now) {
      const Due due = due_.top();
      due_.pop();
      const auto found = by_number_.find(due.number);
      if (found == by_number_.end() || found->second->leaving) continue;
      const Clock::time_point end = found->second->last_moved + longest_silence();
      if (end > now) {
        due_.push({end, due.number});
      } else {
        leave(*found->second);
      }
    }
    while (!leaving_.empty() && leaving_.front().last_moved <= now - Request::longest_goodbye) {
      close(leaving_.front());
    }
  }

  // Until the next thing that only the clock will tell, and not longer than `limit`.
  BaseSelector::Timeout time_to_wait(std::optional<std::chrono::milliseconds> limit) const {
    std::optional<Clock::time_point> next;
    if (!due_.empty()) next = due_.top().time;]]
  REPLACE [[  void close_idle() {
    if (!idle_timeout && leaving_.empty()) return;
]]
  THROUGH [[      close(leaving_.front());
    }
  }

]]
  WITH [[]]
  REPLACE [[  // All have the same timeout: in the order of their last movement, the first one is due first.
]]
  WITH [[]]
  REPLACE [[    connections_.splice(connections_.end(), connections_, connection.place);]]
  WITH [[    if (connection.number != 0) return;
    connection.number = ++last_number_;
    by_number_[connection.number] = &connection;
    due_.push({connection.last_moved + longest_silence(), connection.number});]]
  REPLACE [[    (connection.leaving ? leaving_ : connections_).erase(connection.place);]]
  WITH [[    by_number_.erase(connection.number);
    (connection.leaving ? leaving_ : connections_).erase(connection.place);]]
  REPLACE [[  SessionClass session_class_;
  std::unique_ptr<BaseSelector> selector_;]]
  WITH [[  struct Due {
    Clock::time_point time;
    std::uint64_t number;
    friend bool operator>(const Due& a, const Due& b) { return a.time > b.time; }
  };

  SessionClass session_class_;
  std::unique_ptr<BaseSelector> selector_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::unordered_map<std::uint64_t, Connection*> by_number_;
  std::uint64_t last_number_ = 0;]])
