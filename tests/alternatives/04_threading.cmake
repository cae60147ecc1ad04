# Right answers to lesson 04, written differently: every step must accept them. The form of an answer:
# tests/cmake/mutants.cmake.

kit_answer(
  NAME a-guard-shuts-down
  SENTENCE "The thread takes a raw pointer over, and a guard object shuts its request down."
  FILE threading_mixin.hpp
  REPLACE [[#include <cstddef>]]
  WITH [[#include <cstddef>
#include <limits>]]
  REPLACE [[  bool has_room() override { return max_threads == 0 || threads_.has_room(max_threads); }]]
  WITH [[  bool has_room() override {
    constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();
    return threads_.has_room(max_threads > 0 ? max_threads : no_limit);
  }]]
  REPLACE [[    // The thread lives longer than this call: the request belongs to both, wherever it ends.
]]
  THROUGH [[      this->shutdown_request(*shared);]]
  WITH [[    Request* const handed_over = new Request(std::move(request));
    try {
      threads_.start([this, handed_over] {
        const std::unique_ptr<Request> own(handed_over);
        process_request_thread(*own);
      });
    } catch (...) {  // the thread has never been: the request is ours still
      const std::unique_ptr<Request> own(handed_over);
      this->report_error(*own);
      this->shutdown_request(*own);]]
  REPLACE [[  virtual void process_request_thread(Request& request) {]]
  WITH [[  virtual void process_request_thread(Request& request) {
    const Goodbye goodbye{*this, request};]]
  REPLACE [[    this->shutdown_request(request);
]]
  WITH [[]]
  REPLACE [[    if (block_on_close && !daemon_threads) threads_.join();
  }

 private:]]
  WITH [[    if (daemon_threads) return;
    if (!block_on_close) return;
    threads_.join();
  }

 private:
  // Shuts the request down on every way out.
  struct Goodbye {
    ThreadingMixIn& server;
    Request& request;
    ~Goodbye() { server.shutdown_request(request); }
  };
]])

kit_answer(
  NAME client-with-threads
  SENTENCE "Each thread has a place for its failure, and sends all questions before it reads an answer."
  FILE client.cpp
  REPLACE [[#include <socketserver/connection.hpp>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>]]
  WITH [[#include <sys/socket.h>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>]]
  REPLACE [[#include <functional>
#include <future>
#include <stdexcept>
#include <string>]]
  WITH [[#include <stdexcept>
#include <string>
#include <thread>]]
  REPLACE [[// No two lines are equal: an answer that belongs to another client is a wrong one.]]
  WITH [[FileDescriptor connect_to(const Address& server) {
  FileDescriptor connection(
      check(::socket(server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  check(::connect(connection.get(), server.data(), server.size()), "connect");
  return connection;
}

std::string upper(std::string text) {
  for (char& byte : text) {
    if (byte >= 'a' && byte <= 'z') byte = static_cast<char>(byte - 'a' + 'A');
  }
  return text;
}

// No two lines are equal: an answer that belongs to another client is a wrong one.]]
  REPLACE [[  StreamWriter questions(connection.get(), 0);
]]
  THROUGH [[                               escaped(upper(line)) + "\", got \"" + escaped(answer) + "\"");]]
  WITH [[  StreamWriter questions(connection.get(), 65536);
  for (long number = 1; number <= lines; ++number) questions.write(line_of(client, number));
  questions.flush();
  check(::shutdown(connection.get(), SHUT_WR), "shutdown");
  for (long number = 1; number <= lines; ++number) {
    const std::string expected = upper(line_of(client, number));
    if (answers.read_line(expected.size()) != expected) {
      throw std::runtime_error("line " + std::to_string(number) + " is wrong or missing");]]
  REPLACE [[  // Each of them waits for its thread when it is destroyed, whatever is thrown meanwhile.
]]
  THROUGH [[      failures[i] = error.what();
    }
  }]]
  WITH [[  std::vector<std::string> failures(static_cast<std::size_t>(clients));
  std::vector<std::thread> threads;
  for (long client = 1; client <= clients; ++client) {
    threads.emplace_back([&failures, &server, client, lines] {
      try {
        converse(server, client, lines);
      } catch (const std::exception& error) {
        failures[static_cast<std::size_t>(client - 1)] = error.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();]]
  REPLACE [[  const std::vector<std::string> failures =
      converse_all(options.reachable_address(), clients, lines);]]
  WITH [[  const std::vector<std::string> failures = converse_all(options.address(), clients, lines);]])

kit_answer(
  NAME detached-with-a-latch
  SENTENCE "Threads are detached and counted under a mutex; the end waits for the count."
  FILE threading_mixin.hpp
  REPLACE [[#include <socketserver/thread_set.hpp>
]]
  WITH [[]]
  REPLACE [[#include <cstddef>
#include <memory>]]
  WITH [[#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>]]
  REPLACE [[  ~ThreadingMixIn() override { ThreadingMixIn::server_close(); }]]
  WITH [[  ~ThreadingMixIn() override {
    ThreadingMixIn::server_close();
    wait_for_all();
  }]]
  REPLACE [[  bool has_room() override { return max_threads == 0 || threads_.has_room(max_threads); }]]
  WITH [[  bool has_room() override { return max_threads == 0 || size() < max_threads; }]]
  REPLACE [[    // The thread lives longer than this call: the request belongs to both, wherever it ends.]]
  THROUGH [[    } catch (...) {]]
  WITH [[    auto shared = std::make_shared<Request>(std::move(request));
    count(+1);
    try {
      std::thread([this, shared]() mutable {
        process_request_thread(*shared);
        shared.reset();
        count(-1);
      }).detach();
    } catch (...) {
      count(-1);]]
  REPLACE [[    if (block_on_close && !daemon_threads) threads_.join();]]
  THROUGH [[  ThreadSet threads_{[this] { this->wake(); }};]]
  WITH [[    if (block_on_close && !daemon_threads) wait_for_all();
  }

 private:
  void count(int change) {
    // All under the lock: whoever waits may destroy the server as soon as it is released.
    const std::lock_guard lock(mutex_);
    running_ = static_cast<std::size_t>(static_cast<int>(running_) + change);
    if (change < 0) this->wake();
    changed_.notify_all();
  }
  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return running_;
  }
  void wait_for_all() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return running_ == 0; });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t running_ = 0;]])

kit_answer(
  NAME detached-with-a-roll
  SENTENCE "Threads are detached; a roll that they share says how many are there."
  FILE threading_mixin.hpp
  REPLACE [[#include <socketserver/thread_set.hpp>
]]
  WITH [[]]
  REPLACE [[#include <cstddef>
#include <memory>]]
  WITH [[#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>]]
  REPLACE [[  ~ThreadingMixIn() override { ThreadingMixIn::server_close(); }]]
  WITH [[  ~ThreadingMixIn() override {
    ThreadingMixIn::server_close();
    wait_for_threads();
  }]]
  REPLACE [[  bool has_room() override { return max_threads == 0 || threads_.has_room(max_threads); }]]
  WITH [[  bool has_room() override {
    const std::lock_guard lock(roll_->mutex);
    roll_->refused = max_threads != 0 && roll_->present >= max_threads;
    return !roll_->refused;
  }]]
  REPLACE [[    // The thread lives longer than this call: the request belongs to both, wherever it ends.
]]
  THROUGH [[      this->shutdown_request(*shared);]]
  WITH [[    const auto parcel = std::make_shared<Request>(std::move(request));
    enter();
    try {
      std::thread(&ThreadingMixIn::work, this, parcel, roll_).detach();
    } catch (...) {
      take_back();
      this->report_error(*parcel);
      this->shutdown_request(*parcel);]]
  REPLACE [[    if (block_on_close && !daemon_threads) threads_.join();]]
  THROUGH [[  ThreadSet threads_{[this] { this->wake(); }};]]
  WITH [[    if (daemon_threads || !block_on_close) return;
    wait_for_threads();
  }

 private:
  // What the server and its detached threads share. The last one who has it gives it back.
  struct Roll {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t present = 0;  // threads that have not said goodbye
    std::size_t waiting = 0;  // those of them that have called server_close()
    bool refused = false;     // has_room() has said no
  };

  void enter() {
    const std::lock_guard lock(roll_->mutex);
    ++roll_->present;
  }

  void take_back() {
    const std::lock_guard lock(roll_->mutex);
    --roll_->present;
    roll_->changed.notify_all();
  }

  void work(std::shared_ptr<Request> request, const std::shared_ptr<Roll> roll) noexcept {
    own_roll_ = roll.get();
    process_request_thread(*request);
    request.reset();
    const std::lock_guard lock(roll->mutex);
    --roll->present;
    if (has_waited_) --roll->waiting;
    // With the lock held: until it is given back, nobody who waits can go on and end the server.
    if (std::exchange(roll->refused, false)) this->wake();
    roll->changed.notify_all();
  }

  void wait_for_threads() {
    std::unique_lock lock(roll_->mutex);
    const bool member = own_roll_ == roll_.get();
    if (member && !std::exchange(has_waited_, true)) {
      ++roll_->waiting;
      roll_->changed.notify_all();
    }
    roll_->changed.wait(lock, [&] { return roll_->present == (member ? roll_->waiting : 0); });
  }

  inline static thread_local const Roll* own_roll_ = nullptr;
  inline static thread_local bool has_waited_ = false;
  const std::shared_ptr<Roll> roll_ = std::make_shared<Roll>();]])

kit_answer(
  NAME futures-in-a-map
  SENTENCE "Threads come from std::async; the future of one that has ended moves to a second map."
  FILE threading_mixin.hpp
  REPLACE [[#include <socketserver/thread_set.hpp>
]]
  WITH [[]]
  REPLACE [[#include <cstddef>
#include <memory>]]
  WITH [[#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <set>]]
  REPLACE [[  ~ThreadingMixIn() override { ThreadingMixIn::server_close(); }]]
  WITH [[  ~ThreadingMixIn() override {
    ThreadingMixIn::server_close();
    wait_for_tasks();
  }]]
  REPLACE [[  bool has_room() override { return max_threads == 0 || threads_.has_room(max_threads); }]]
  WITH [[  bool has_room() override {
    const std::lock_guard lock(mutex_);
    return max_threads == 0 || running_.size() < max_threads;
  }

  /// Lets go of the tasks that have ended: each of them has woken the loop for it.
  void service_actions() override {
    Server::service_actions();
    settle();
  }]]
  REPLACE [[    // The thread lives longer than this call: the request belongs to both, wherever it ends.
    const auto shared = std::make_shared<Request>(std::move(request));
    try {
      threads_.start([this, shared] { process_request_thread(*shared); });]]
  WITH [[    settle();  // handle_request() never calls service_actions()
    const auto shared = std::make_shared<Request>(std::move(request));
    try {
      const std::lock_guard lock(mutex_);
      const auto place = running_.try_emplace(next_number_++).first;
      try {
        place->second =
            std::async(std::launch::async, [this, own = shared, number = place->first]() mutable {
              work(std::move(own), number);
            });
      } catch (...) {
        running_.erase(place);
        throw;
      }]]
  REPLACE [[    if (block_on_close && !daemon_threads) threads_.join();]]
  THROUGH [[  ThreadSet threads_{[this] { this->wake(); }};]]
  WITH [[    if (block_on_close && !daemon_threads) wait_for_tasks();
  }

 private:
  using Tasks = std::map<std::uint64_t, std::future<void>>;

  void work(std::shared_ptr<Request> request, std::uint64_t number) noexcept {
    own_server_ = this;
    own_number_ = number;
    process_request_thread(*request);
    request.reset();
    own_server_ = nullptr;  // the thread may be used for something else
    const std::lock_guard lock(mutex_);
    ended_.insert(running_.extract(number));
    waiting_.erase(number);
    changed_.notify_all();
    this->wake();
  }

  void settle() {
    Tasks gone;
    const std::lock_guard settling(settling_);  // who waits for all waits for these, too
    {
      const std::lock_guard lock(mutex_);
      gone.swap(ended_);
    }
    gone.clear();  // the destructor of such a future waits for the end of its thread
  }

  void wait_for_tasks() {
    {
      std::unique_lock lock(mutex_);
      const bool member = own_server_ == this;
      if (member) waiting_.insert(own_number_);
      changed_.notify_all();
      changed_.wait(lock, [&] { return running_.size() == (member ? waiting_.size() : 0); });
    }
    settle();
  }

  inline static thread_local const void* own_server_ = nullptr;
  inline static thread_local std::uint64_t own_number_ = 0;
  std::mutex settling_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  std::uint64_t next_number_ = 0;
  Tasks running_;
  Tasks ended_;
  std::set<std::uint64_t> waiting_;  // tasks that have called server_close() themselves]])

kit_answer(
  NAME limit-by-queue
  SENTENCE "A pool has max_threads at most; clients above the limit are accepted, and wait in a queue."
  FILE threading_mixin.hpp
  REPLACE [[#include <socketserver/thread_set.hpp>
]]
  WITH [[]]
  REPLACE [[#include <cstddef>
#include <memory>
#include <utility>]]
  WITH [[#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>]]
  REPLACE [[  ~ThreadingMixIn() override { ThreadingMixIn::server_close(); }]]
  WITH [[  ~ThreadingMixIn() override {
    ThreadingMixIn::server_close();
    close_pool();
  }]]
  REPLACE [[  bool has_room() override { return max_threads == 0 || threads_.has_room(max_threads); }]]
  WITH [[  bool has_room() override { return true; }]]
  REPLACE [[      threads_.start([this, shared] { process_request_thread(*shared); });]]
  WITH [[      const std::lock_guard lock(mutex_);
      if (idle_ <= queue_.size() && (max_threads == 0 || pool_.size() < max_threads)) {
        pool_.emplace_back([this] { work(); });
        ++idle_;
      }
      queue_.push_back(shared);
      changed_.notify_one();]]
  REPLACE [[    if (block_on_close && !daemon_threads) threads_.join();]]
  THROUGH [[  ThreadSet threads_{[this] { this->wake(); }};]]
  WITH [[    if (block_on_close && !daemon_threads) close_pool();
  }

 private:
  // What a thread of the pool does: one request after the other, until the pool closes.
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return closing_ || !queue_.empty(); });
      if (queue_.empty()) return;
      std::shared_ptr<Request> request = std::move(queue_.front());
      queue_.pop_front();
      --idle_;
      lock.unlock();
      process_request_thread(*request);
      request.reset();
      lock.lock();
      ++idle_;
    }
  }

  void close_pool() {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
      changed_.notify_all();
    }
    for (std::thread& thread : pool_) thread.join();
    pool_.clear();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Request>> queue_;
  std::size_t idle_ = 0;
  bool closing_ = false;
  std::vector<std::thread> pool_;  // used by the loop's thread alone]])

kit_answer(
  NAME list-of-futures
  SENTENCE "Threads come from std::async; their futures stand in a list, which drops those that are ready."
  FILE threading_mixin.hpp
  REPLACE [[#include <socketserver/thread_set.hpp>
]]
  WITH [[]]
  REPLACE [[#include <cstddef>
#include <memory>]]
  WITH [[#include <atomic>
#include <chrono>
#include <cstddef>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <system_error>]]
  REPLACE [[  bool has_room() override { return max_threads == 0 || threads_.has_room(max_threads); }]]
  WITH [[  bool has_room() override {
    return max_threads == 0 || under_way_ < static_cast<long>(max_threads);
  }]]
  REPLACE [[    // The thread lives longer than this call: the request belongs to both, wherever it ends.]]
  THROUGH [[    } catch (...) {]]
  WITH [[    drop_finished();
    const auto shared = std::make_shared<Request>(std::move(request));
    try {
      running_.push_back(std::async(std::launch::async, [this, shared] {
        process_request_thread(*shared);
        under_way_ -= 1;
        this->wake();
      }));
      under_way_ += 1;
    } catch (const std::system_error&) {]]
  REPLACE [[    if (block_on_close && !daemon_threads) threads_.join();]]
  THROUGH [[  ThreadSet threads_{[this] { this->wake(); }};]]
  WITH [[    if (block_on_close && !daemon_threads) running_.clear();  // ~future waits
  }

 private:
  // Each request makes room for its predecessors' remains.
  void drop_finished() {
    using namespace std::chrono_literals;
    running_.remove_if(
        [](const std::future<void>& one) { return one.wait_for(0s) == std::future_status::ready; });
  }

  std::atomic<long> under_way_{0};
  std::list<std::future<void>> running_;]])

kit_answer(
  NAME list-of-jthreads
  SENTENCE "A thread that ends moves itself into a second list, and the loop joins it."
  FILE threading_mixin.hpp
  REPLACE [[#include <socketserver/thread_set.hpp>
]]
  WITH [[]]
  REPLACE [[#include <cstddef>
#include <memory>]]
  WITH [[#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <thread>]]
  REPLACE [[  ~ThreadingMixIn() override { ThreadingMixIn::server_close(); }]]
  WITH [[  ~ThreadingMixIn() override {
    ThreadingMixIn::server_close();
    wait_for_threads();
  }]]
  REPLACE [[  bool has_room() override { return max_threads == 0 || threads_.has_room(max_threads); }]]
  WITH [[  bool has_room() override {
    if (max_threads == 0) return true;
    const std::lock_guard lock(mutex_);
    return working_.size() < max_threads;  // each thread that ends wakes the loop
  }

  /// Joins the threads that have ended: each of them has woken the loop for it.
  void service_actions() override {
    Server::service_actions();
    join_finished();
  }]]
  REPLACE [[    // The thread lives longer than this call: the request belongs to both, wherever it ends.
    const auto shared = std::make_shared<Request>(std::move(request));
    try {
      threads_.start([this, shared] { process_request_thread(*shared); });]]
  WITH [[    join_finished();  // handle_request() never calls service_actions()
    const auto shared = std::make_shared<Request>(std::move(request));
    Threads fresh(1);
    try {
      const std::lock_guard lock(mutex_);
      fresh.front() = std::jthread([this, own = shared, self = fresh.begin()]() mutable {
        process_request_thread(*own);
        own.reset();
        leave(self);
      });
      working_.splice(working_.end(), fresh);]]
  REPLACE [[    if (block_on_close && !daemon_threads) threads_.join();]]
  THROUGH [[  ThreadSet threads_{[this] { this->wake(); }};]]
  WITH [[    if (block_on_close && !daemon_threads) wait_for_threads();
  }

 private:
  using Threads = std::list<std::jthread>;

  void leave(typename Threads::iterator self) noexcept {
    const std::lock_guard lock(mutex_);
    finished_.splice(finished_.end(), working_, self);
    waiting_.erase(self->get_id());
    changed_.notify_all();
    this->wake();
  }

  void join_finished() {
    Threads gone;
    {
      const std::lock_guard lock(mutex_);
      gone.swap(finished_);
    }
    // The destructors join, outside the lock.
  }

  void wait_for_threads() {
    {
      std::unique_lock lock(mutex_);
      const auto self = std::this_thread::get_id();
      const bool member = std::any_of(working_.begin(), working_.end(), [self](const auto& thread) {
        return thread.get_id() == self;
      });
      if (member) waiting_.insert(self);
      changed_.notify_all();
      changed_.wait(lock, [&] { return working_.size() == (member ? waiting_.size() : 0); });
    }
    join_finished();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  Threads working_;
  Threads finished_;
  std::set<std::thread::id> waiting_;  // threads that have called server_close() themselves]])

kit_answer(
  NAME pool-that-grows
  SENTENCE "Threads stay for the next request: there are as many as were ever needed at once."
  LIKE limit-by-queue
  FILE threading_mixin.hpp
  REPLACE [[  bool has_room() override { return true; }]]
  WITH [[  bool has_room() override {
    const std::lock_guard lock(mutex_);
    return max_threads == 0 || idle_ > queue_.size() || pool_.size() < max_threads;
  }]]
  REPLACE [[      if (idle_ <= queue_.size() && (max_threads == 0 || pool_.size() < max_threads)) {]]
  WITH [[      if (idle_ <= queue_.size()) {]]
  REPLACE [[      lock.lock();
      ++idle_;]]
  WITH [[      lock.lock();
      ++idle_;
      this->wake();]])

kit_answer(
  NAME pool-with-a-queue
  SENTENCE "Requests stand in a queue; workers stay, and one that leaves joins those before it."
  FILE threading_mixin.hpp
  REPLACE [[#include <socketserver/thread_set.hpp>
]]
  WITH [[]]
  REPLACE [[#include <cstddef>
#include <memory>]]
  WITH [[#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <iterator>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <thread>]]
  REPLACE [[  ~ThreadingMixIn() override { ThreadingMixIn::server_close(); }]]
  WITH [[  ~ThreadingMixIn() override {
    ThreadingMixIn::server_close();
    dismiss();
  }]]
  REPLACE [[  bool has_room() override { return max_threads == 0 || threads_.has_room(max_threads); }]]
  WITH [[  bool has_room() override {
    const std::lock_guard lock(mutex_);
    refused_ = max_threads != 0 && busy_ >= max_threads;
    return !refused_;
  }]]
  REPLACE [[    // The thread lives longer than this call: the request belongs to both, wherever it ends.
]]
  THROUGH [[      this->shutdown_request(*shared);]]
  WITH [[    try {
      const std::lock_guard lock(mutex_);
      if (idle_ == queue_.size()) hire();
      queue_.push_back(std::move(request));
      ++busy_;
      work_.notify_one();
    } catch (...) {
      this->report_error(request);
      if (request.fileno() != -1) this->shutdown_request(request);]]
  REPLACE [[    if (block_on_close && !daemon_threads) threads_.join();]]
  THROUGH [[  ThreadSet threads_{[this] { this->wake(); }};]]
  WITH [[    if (!block_on_close || daemon_threads) return;
    std::unique_lock lock(mutex_);
    const auto self = std::this_thread::get_id();
    const bool member = std::any_of(workers_.begin(), workers_.end(),
                                    [self](const auto& worker) { return worker.get_id() == self; });
    if (member) waiting_.insert(self);
    changed_.notify_all();
    changed_.wait(lock, [&] { return busy_ == (member ? waiting_.size() : 0); });
  }

 private:
  using Workers = std::list<std::thread>;
  static constexpr std::size_t most_idle = 4;

  // One worker more, which counts as idle. Called with the mutex held.
  void hire() {
    workers_.emplace_back();
    const auto self = std::prev(workers_.end());
    try {
      *self = std::thread(&ThreadingMixIn::work, this, self);
    } catch (...) {
      workers_.erase(self);
      throw;
    }
    ++idle_;
  }

  void work(typename Workers::iterator self) noexcept {
    std::unique_lock lock(mutex_);
    for (;;) {
      work_.wait(lock, [this] { return ending_ || !queue_.empty(); });
      --idle_;
      if (queue_.empty()) break;
      {
        Request request = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        process_request_thread(request);
      }
      lock.lock();
      --busy_;
      waiting_.erase(std::this_thread::get_id());
      if (std::exchange(refused_, false)) this->wake();
      changed_.notify_all();
      if (idle_ >= most_idle) break;
      ++idle_;
    }
    Workers gone;
    gone.swap(retired_);
    retired_.splice(retired_.end(), workers_, self);
    changed_.notify_all();
    lock.unlock();
    for (std::thread& thread : gone) thread.join();
  }

  void dismiss() {
    Workers gone;
    {
      std::unique_lock lock(mutex_);
      ending_ = true;
      work_.notify_all();
      changed_.wait(lock, [this] { return workers_.empty(); });
      gone.swap(retired_);
    }
    for (std::thread& thread : gone) thread.join();
  }

  std::mutex mutex_;
  std::condition_variable work_;     // there is something to do
  std::condition_variable changed_;  // something is done
  // Guarded by mutex_:
  std::deque<Request> queue_;
  Workers workers_;
  Workers retired_;
  std::set<std::thread::id> waiting_;  // workers whose handler has called server_close()
  std::size_t busy_ = 0;               // requests in the queue and in work
  std::size_t idle_ = 0;               // workers that wait, or are about to
  bool refused_ = false;
  bool ending_ = false;]])
