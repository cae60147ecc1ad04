// A stretch goal: two balances that forked processes share, under a mutex that survives the death
// of the process that holds it. See also: mmap(2), pthread_mutexattr_setpshared(3),
// pthread_mutexattr_setrobust(3), pthread_mutex_consistent(3). (macOS has no robust mutexes.)

#pragma once

#include <pthread.h>
#include <sys/mman.h>
#include <socketserver/system_call.hpp>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <new>

namespace socketserver {

/// Money on two sides, in memory that is shared with every process forked after it was made. It may
/// be moved, and never becomes more or less. Every function may be called from any process.
class SharedBalances {
 public:
  /// @throws std::system_error naming the call that failed
  explicit SharedBalances(std::int64_t left, std::int64_t right = 0) {
    void* const memory =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw_system_error("mmap");
    shared_ = new (memory) Shared{};
    shared_->now = {left, right};
    pthread_mutexattr_t attributes;
    expect_zero(::pthread_mutexattr_init(&attributes), "pthread_mutexattr_init");
    expect_zero(::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED),
                "pthread_mutexattr_setpshared");
    expect_zero(::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST),
                "pthread_mutexattr_setrobust");
    expect_zero(::pthread_mutex_init(&shared_->mutex, &attributes), "pthread_mutex_init");
    ::pthread_mutexattr_destroy(&attributes);
  }
  SharedBalances(const SharedBalances&) = delete;
  SharedBalances& operator=(const SharedBalances&) = delete;
  /// Other processes keep what they have mapped.
  ~SharedBalances() { ::munmap(shared_, sizeof(Shared)); }

  /// Moves `amount` from left to right (less than 0: from right to left). `half_way` is called when
  /// the money has left and not come yet: that is where a process may die.
  void move(
      std::int64_t amount, const std::function<void()>& half_way = [] {}) {
    const Lock lock(*shared_);
    shared_->before = shared_->now;
    shared_->moving = true;  // from here on `before` is what holds, whatever happens
    try {
      shared_->now.left -= amount;
      half_way();
      shared_->now.right += amount;
    } catch (...) {
      shared_->now = shared_->before;
      shared_->moving = false;
      throw;
    }
    shared_->moving = false;
  }

  /// Left and right together.
  [[nodiscard]] std::int64_t total() const {
    const Lock lock(*shared_);
    return shared_->now.left + shared_->now.right;
  }

 private:
  struct Balances {
    std::int64_t left, right;
  };
  struct Shared {
    pthread_mutex_t mutex;
    // Guarded by mutex.
    Balances now, before;
    std::atomic<bool> moving;  // and what is written before it is there before it
  };

  class Lock {
   public:
    explicit Lock(Shared& shared) : shared_(shared) {
      const int error = ::pthread_mutex_lock(&shared_.mutex);
      if (error == EOWNERDEAD) {
        // Its holder has died, perhaps half-way: the lock is ours, and so is the repair.
        if (shared_.moving) shared_.now = shared_.before;
        shared_.moving = false;
        expect_zero(::pthread_mutex_consistent(&shared_.mutex), "pthread_mutex_consistent");
      } else {
        expect_zero(error, "pthread_mutex_lock");
      }
    }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    ~Lock() { ::pthread_mutex_unlock(&shared_.mutex); }

   private:
    Shared& shared_;
  };

  static void expect_zero(int error, const char* call) {
    if (error != 0) throw_system_error(call, error);
  }

  Shared* shared_;
};

}  // namespace socketserver
