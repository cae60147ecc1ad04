// WakePipe: what wakes a thread that waits for descriptors.

#include <poll.h>
#include <socketserver/wake_pipe.hpp>

#include <atomic>
#include <cerrno>
#include <thread>
#include <vector>

#include "harness/base/catch.hpp"
#include "loopback.hpp"

using namespace unit;

namespace {

bool is_readable(int fd) {
  pollfd waiting{fd, POLLIN, 0};
  return ::poll(&waiting, 1, 0) == 1;
}

}  // namespace

TEST_CASE("a pipe is readable from wake() to drain(), however often it was woken") {
  WakePipe pipe;
  CHECK_FALSE(is_readable(pipe.fileno()));
  CHECK_FALSE(pipe.drain());
  for (int i = 0; i < 100'000; ++i) pipe.wake();  // more than a pipe holds
  CHECK(is_readable(pipe.fileno()));
  CHECK(pipe.drain());
  CHECK_FALSE(is_readable(pipe.fileno()));
  CHECK_FALSE(pipe.drain());
}

TEST_CASE("wake() leaves errno alone, and a pipe that is closed wakes nobody") {
  WakePipe pipe;
  pipe.close();
  errno = EDOM;
  pipe.wake();
  CHECK(errno == EDOM);
  CHECK(pipe.fileno() == -1);
}

TEST_CASE("threads that wake and one that drains lose no wake-up, and it never wakes for nothing") {
  WakePipe pipe;
  std::atomic<int> said{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 1000; ++j) {
        said += 1;
        pipe.wake();
      }
    });
  }
  pollfd waiting{pipe.fileno(), POLLIN, 0};
  int seen = 0;
  int for_nothing = 0;
  while (seen < 4000 && ::poll(&waiting, 1, 10'000) == 1) {
    if (!pipe.drain()) ++for_nothing;
    seen = said;
  }
  CHECK(seen == 4000);
  CHECK(for_nothing == 0);
  for (std::thread& thread : threads) thread.join();
}
