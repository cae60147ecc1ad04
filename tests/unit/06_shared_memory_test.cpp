// The stretch goal of lesson 06: memory that forked processes share, and a robust mutex.

#if defined(__linux__)

#include <sys/wait.h>
#include <unistd.h>
#include <stretch_shared_memory.hpp>

#include <csignal>
#include <stdexcept>

#include "harness/base/catch.hpp"
#include "loopback.hpp"

using namespace unit;

TEST_CASE("processes that share memory move money, and none is lost") {
  SharedBalances balances(1000);
  pid_t children[4];
  for (int i = 0; i < 4; ++i) {
    children[i] = ::fork();
    REQUIRE(children[i] != -1);
    if (children[i] == 0) {
      for (int turn = 0; turn < 500; ++turn)
        balances.move(i % 2 == 0 ? 1 : -1, [] { ::usleep(1); });
      ::_exit(0);
    }
  }
  for (int look = 0; look < 100; ++look) CHECK(balances.total() == 1000);
  for (const pid_t child : children) CHECK(::waitpid(child, nullptr, 0) == child);
  CHECK(balances.total() == 1000);
}

TEST_CASE("a process that dies with the lock leaves everything as it was") {
  SharedBalances balances(70, 7);
  const int status = in_child([&] { balances.move(5, [] { ::raise(SIGKILL); }); });
  CHECK(WIFSIGNALED(status));
  CHECK(balances.total() == 77);
  balances.move(5);
  CHECK(balances.total() == 77);
}

TEST_CASE("an exception half-way gives the lock back") {
  SharedBalances balances(10);
  CHECK_THROWS(balances.move(5, [] { throw std::runtime_error("half-way"); }));
  CHECK(balances.total() == 10);
}

#endif
