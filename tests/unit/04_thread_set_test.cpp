// ThreadSet: threads that are started one by one and waited for together.

#include <socketserver/thread_set.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <vector>

#include "harness/base/catch.hpp"

using socketserver::ThreadSet;

TEST_CASE("join waits for every thread, and what they held is given back") {
  const auto held = std::make_shared<int>(0);
  std::atomic<int> done{0};
  ThreadSet threads;
  for (int i = 0; i < 100; ++i) {
    threads.start([&done, held] { done += 1; });
  }
  threads.join();
  CHECK(done == 100);
  CHECK(threads.size() == 0);
  CHECK(held.use_count() == 1);
  threads.join();  // nothing to wait for
}

TEST_CASE("without room the next thread that ends says so, once") {
  std::promise<void> go;
  const std::shared_future<void> gone = go.get_future().share();
  std::atomic<int> told{0};
  ThreadSet threads([&told] { told += 1; });
  CHECK(threads.has_room(1));
  threads.start([gone] { gone.wait(); });
  threads.start([gone] { gone.wait(); });
  CHECK(threads.size() == 2);
  CHECK(threads.has_room(3));
  CHECK_FALSE(threads.has_room(2));
  CHECK(told == 0);
  go.set_value();
  threads.join();
  CHECK(told == 1);
  threads.start([] {});
  threads.join();
  CHECK(told == 1);  // nobody has asked since
}

TEST_CASE("a thread that joins its own set waits for the others, and not for itself") {
  std::atomic<int> joined{0};
  std::promise<void> go;
  const std::shared_future<void> gone = go.get_future().share();
  ThreadSet threads;
  for (int i = 0; i < 2; ++i) {
    threads.start([&, gone] {
      gone.wait();
      threads.join();  // both at once: neither waits for the other
      joined += 1;
    });
  }
  go.set_value();
  threads.join();
  CHECK(joined == 2);
}

// Destroyed when its thread is on its way out, and has nothing more to do with its set.
struct Leaving {
  std::function<void()> last_thing;
  ~Leaving() {
    if (last_thing) last_thing();
  }
};
thread_local Leaving leaving;

TEST_CASE("threads that end do not queue behind one that is slow to leave") {
  constexpr int others = 20;
  std::promise<void> go, one_is_leaving;
  const std::shared_future<void> gone = go.get_future().share();
  std::atomic<int> left{0};
  std::promise<void> all_but_one_have_left;
  ThreadSet threads;
  threads.start([&, gone] {
    leaving.last_thing = [&one_is_leaving, gone] {
      one_is_leaving.set_value();
      gone.wait();
    };
  });
  one_is_leaving.get_future().wait();
  for (int i = 0; i < others; ++i) {
    threads.start([&] {
      leaving.last_thing = [&] {
        if (++left == others - 1) all_but_one_have_left.set_value();
      };
    });
  }
  // One of them joins the slow one.
  CHECK(all_but_one_have_left.get_future().wait_for(std::chrono::seconds(20)) ==
        std::future_status::ready);
  go.set_value();
  threads.join();
  CHECK(left == others);
}

TEST_CASE("a set is joined by its destructor") {
  std::atomic<bool> done{false};
  {
    ThreadSet threads;
    threads.start([&done] { done = true; });
  }
  CHECK(done);
}

TEST_CASE("threads that have waited here do not wait for each other afterwards") {
  for (int i = 0; i < 50; ++i) {
    ThreadSet threads;
    std::promise<void> first_is_out, second_is_out;
    std::future<void> first = first_is_out.get_future();
    std::future<void> second = second_is_out.get_future();
    threads.start([&] {
      threads.join();
      first_is_out.set_value();
      second.wait();
    });
    threads.start([&] {
      threads.join();
      second_is_out.set_value();
      first.wait();
    });
    threads.join();
  }
}
