#include <socketserver/system_call.hpp>
#include <socketserver/thread_set.hpp>

#include <memory>
#include <utility>

namespace socketserver {
namespace {

// The set that the calling thread belongs to, and whether it has waited for the others.
thread_local const ThreadSet* own_set = nullptr;
thread_local bool has_waited = false;

// std::thread cannot ask for a size of stack.
class ThreadAttributes {
 public:
  ThreadAttributes() {
    if (const int error = ::pthread_attr_init(&attributes_)) {
      throw_system_error("pthread_attr_init", error);
    }
    // The error is ignored: a system that wants more per thread keeps its own default.
    (void)::pthread_attr_setstacksize(&attributes_, ThreadSet::stack_size);
  }
  ThreadAttributes(const ThreadAttributes&) = delete;
  ThreadAttributes& operator=(const ThreadAttributes&) = delete;
  ~ThreadAttributes() { (void)::pthread_attr_destroy(&attributes_); }
  [[nodiscard]] const pthread_attr_t* get() const noexcept { return &attributes_; }

 private:
  pthread_attr_t attributes_;
};

}  // namespace

struct ThreadSet::Thread {
  ThreadSet& set;
  std::function<void()> work;
};

ThreadSet::ThreadSet(std::function<void()> room_again) : room_again_(std::move(room_again)) {}

ThreadSet::~ThreadSet() {
  join();
}

void ThreadSet::start(std::function<void()> work) {
  static const ThreadAttributes attributes;
  auto thread = std::make_unique<Thread>(Thread{*this, std::move(work)});
  {
    const std::lock_guard lock(mutex_);
    ++running_;
  }
  pthread_t id;
  if (const int error = ::pthread_create(&id, attributes.get(), run, thread.get())) {
    const std::lock_guard lock(mutex_);
    --running_;
    changed_.notify_all();
    throw_system_error("pthread_create", error);
  }
  (void)thread.release();  // it is the new thread's now
}

void* ThreadSet::run(void* argument) {
  const std::unique_ptr<Thread> thread(static_cast<Thread*>(argument));
  own_set = &thread->set;
  [&]() noexcept { thread->work(); }();
  thread->work = nullptr;  // what it holds is given back before the thread counts as ended
  thread->set.leave();
  return nullptr;
}

void ThreadSet::leave() noexcept {
  std::unique_lock lock(mutex_);
  // Join first, then be joined: who is joined waits for nobody any more.
  while (const auto previous = std::exchange(last_ended_, std::nullopt)) {
    lock.unlock();
    (void)::pthread_join(*previous, nullptr);
    lock.lock();
  }
  last_ended_ = ::pthread_self();
  --running_;
  if (has_waited) --waiters_;
  const bool room_again = std::exchange(out_of_room_, false);
  changed_.notify_all();
  lock.unlock();
  // Nothing of the set is used from here on but what join() waits for: this thread's end.
  if (room_again && room_again_) room_again_();
}

bool ThreadSet::has_room(std::size_t limit) {
  const std::lock_guard lock(mutex_);
  out_of_room_ = running_ >= limit;
  return !out_of_room_;
}

std::size_t ThreadSet::size() const {
  const std::lock_guard lock(mutex_);
  return running_;
}

void ThreadSet::join() {
  std::unique_lock lock(mutex_);
  const bool member = own_set == this;
  if (member && !has_waited) {
    has_waited = true;
    ++waiters_;
    changed_.notify_all();  // members that wait already need not wait for this one
  }
  changed_.wait(lock, [&] { return running_ == (member ? waiters_ : 0); });
  if (member) return;
  if (const auto last = std::exchange(last_ended_, std::nullopt)) {
    // All who ended before it are joined. It needs the mutex no more.
    (void)::pthread_join(*last, nullptr);
  }
}

}  // namespace socketserver
