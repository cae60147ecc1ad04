// ChildWatch: SIGCHLD as a descriptor.

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <socketserver/child_watch.hpp>

#include <atomic>
#include <memory>
#include <thread>

#include "harness/base/catch.hpp"
#include "loopback.hpp"

using namespace unit;

namespace {

bool readable(int fd, int milliseconds) {
  pollfd waiting{fd, POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&waiting, 1, milliseconds);
  } while (ready == -1 && errno == EINTR);
  return ready == 1;
}

pid_t start_child(int status) {
  const pid_t child = check(::fork(), "fork");
  if (child == 0) ::_exit(status);
  return child;
}

int status_of(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) == -1 && errno == EINTR) {
  }
  return status;
}

volatile sig_atomic_t own_handler_calls = 0;
extern "C" void own_handler(int) {
  own_handler_calls = own_handler_calls + 1;
}

}  // namespace

TEST_CASE("a child's end makes every watch readable, until it is drained") {
  ChildWatch first;
  ChildWatch second;
  CHECK(first.drain());  // a child may have ended before
  CHECK(second.drain());
  CHECK_FALSE(first.drain());
  CHECK_FALSE(readable(first.fileno(), 0));
  const pid_t child = start_child(3);
  CHECK(readable(first.fileno(), 5000));
  CHECK(readable(second.fileno(), 5000));
  CHECK(status_of(child) == 3 << 8);
  CHECK(first.drain());
  CHECK_FALSE(readable(first.fileno(), 0));
  CHECK(second.drain());
}

TEST_CASE("an earlier handler of SIGCHLD is still called, and is put back at the end") {
  struct sigaction own {};
  own.sa_handler = own_handler;
  struct sigaction before {};
  check(::sigaction(SIGCHLD, &own, &before), "sigaction");
  own_handler_calls = 0;
  {
    const ChildWatch watch;
    const pid_t child = start_child(0);
    CHECK(readable(watch.fileno(), 5000));
    (void)status_of(child);
    CHECK(own_handler_calls == 1);
  }
  struct sigaction after {};
  check(::sigaction(SIGCHLD, &before, &after), "sigaction");
  CHECK(after.sa_handler == own_handler);
}

TEST_CASE("a child's end is heard though whoever started the program has blocked SIGCHLD") {
  const int status = in_child([] {
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    check(::pthread_sigmask(SIG_BLOCK, &blocked, nullptr), "pthread_sigmask");
    ChildWatch watch;
    (void)watch.drain();
    (void)start_child(0);
    if (!readable(watch.fileno(), 10'000)) ::_exit(1);
  });
  CHECK(status == 0);
}

TEST_CASE("a forked child does not write to its parent's watch, and can give it up") {
  ChildWatch watch;
  (void)watch.drain();
  const int status = in_child([&watch] {
    // A child of the child ends: the parent's pipe must not hear of it.
    (void)status_of(start_child(0));
    if (readable(watch.fileno(), 0)) ::_exit(1);
    watch.leave_to_parent();
    if (watch.fileno() != -1) ::_exit(2);
  });
  CHECK(status == 0);
}

TEST_CASE("a watch that ends waits for a handler that runs on another thread") {
  const ChildWatch keeper;  // the handler stays installed
  std::atomic<bool> over{false};
  std::thread interrupted([&over] {
    while (!over) (void)::pthread_kill(::pthread_self(), SIGCHLD);
  });
  for (int i = 0; i < 30000; ++i)
    (void)std::make_unique<ChildWatch>();  // AddressSanitizer looks on
  over = true;
  interrupted.join();
}

TEST_CASE("the last watch ends and a next one begins under signals: what was there is called") {
  struct sigaction own {};
  own.sa_handler = own_handler;
  struct sigaction before {};
  check(::sigaction(SIGCHLD, &own, &before), "sigaction");
  own_handler_calls = 0;
  std::atomic<int> sent{0};
  std::atomic<bool> over{false};
  std::thread interrupted([&] {
    for (; !over; ++sent) (void)::pthread_kill(::pthread_self(), SIGCHLD);
  });
  for (int i = 0; i < 3000; ++i) (void)std::make_unique<ChildWatch>();
  over = true;
  interrupted.join();
  CHECK(own_handler_calls == sent);
  check(::sigaction(SIGCHLD, &before, nullptr), "sigaction");
}

TEST_CASE("watches leave no descriptor behind") {
  const int before = open_descriptors();
  for (int i = 0; i < 100; ++i) const ChildWatch watch;
  CHECK(open_descriptors() == before);
}

TEST_CASE("how a process ended, in words") {
  CHECK(describe_exit(status_of(start_child(7))) == "exit status 7");
  const pid_t child = check(::fork(), "fork");
  if (child == 0) {
    for (;;) ::pause();
  }
  check(::kill(child, SIGKILL), "kill");
  CHECK(describe_exit(status_of(child)) == "killed by signal 9 (Killed)");
}
