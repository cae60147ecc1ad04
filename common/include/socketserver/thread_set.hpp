#pragma once

#include <pthread.h>

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>

namespace socketserver {

/// Threads that are started one by one, and waited for together.
///
/// Starting one costs the same with five running as with five thousand, and a thread that has ended
/// leaves nothing behind: the next one to end joins it. Every function may be called from any
/// thread; its one mutex is held for a few instructions and never while a thread works.
/// See pthread_create(3), pthread_join(3).
class ThreadSet {
 public:
  /// How much stack a thread gets. The usual 8 MiB are address space that a handler does not use,
  /// and too large for the C library to keep for the next thread: stacks of this size it reuses.
  static constexpr std::size_t stack_size = 512 * 1024;

  /// @param room_again  called after has_room() has said no and a thread has ended since, on that
  ///                    thread; must not throw, nor use this set
  explicit ThreadSet(std::function<void()> room_again = {});
  ThreadSet(const ThreadSet&) = delete;
  ThreadSet& operator=(const ThreadSet&) = delete;

  /// join()
  ~ThreadSet();

  /// Starts a thread that calls `work`. What `work` throws ends the program, as with std::thread.
  /// @throws std::system_error naming pthread_create if there can be no further thread; `work` is
  ///         not called then
  void start(std::function<void()> work);

  /// Whether fewer than `limit` threads run. If not, `room_again` is called when the next one ends.
  [[nodiscard]] bool has_room(std::size_t limit);

  /// How many threads run.
  [[nodiscard]] std::size_t size() const;

  /// Blocks until every thread has ended. A thread of this set that calls it waits for the others,
  /// but not for itself, nor for those that wait or have waited here: what two of them do is never
  /// to wait for each other.
  void join();

 private:
  struct Thread;
  static void* run(void* thread);
  void leave() noexcept;

  const std::function<void()> room_again_;
  mutable std::mutex mutex_;
  // Guarded by mutex_:
  std::condition_variable changed_;
  std::size_t running_ = 0;
  std::size_t waiters_ = 0;  // of those that run: how many have called join()
  bool out_of_room_ = false;
  std::optional<pthread_t> last_ended_;  // not joined yet
};

}  // namespace socketserver
