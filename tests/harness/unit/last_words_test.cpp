// Symptoms in a program's stderr: reports of the sanitizers as GCC 12 and Clang 14 print them, and
// the line of a starter's hole.

#include <string>
#include <vector>

#include "harness/base/catch.hpp"
#include "harness/kernel/frames.hpp"
#include "harness/seen/last_words.hpp"

namespace {

const std::vector<std::string> files = {"tcp_server.cpp", "server.cpp", "client.cpp"};

constexpr const char* use_after_free =
    "a line of the program's own\n"
    "=================================================================\n"
    "==29841==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000013 at pc 0x5630\n"
    "READ of size 1 at 0x602000000013 thread T0\n"
    "    #0 0x5630fddcd536 in std::copy(char*) /usr/include/c++/12/bits/stl_algobase.h:620\n"
    "    #1 0x5630fddcd536 in EchoHandler::handle() "
    "/home/me/kit/lessons/01_tcp_echo/server.cpp:31:7\n"
    "    #2 0x5630fddcd537 in main /home/me/kit/lessons/01_tcp_echo/server.cpp:60\n";

constexpr const char* undefined =
    "/home/me/lessons/01_tcp_echo/server.cpp:15:42: runtime error: signed integer overflow: 2 + "
    "2147483647 cannot be represented in type 'int'\n"
    "    #0 0x5602ac5525e8 in EchoHandler::handle() /home/me/server.cpp:15\n";

constexpr const char* race =
    "==================\n"
    "WARNING: ThreadSanitizer: data race (pid=30164)\n"
    "  Read of size 4 at 0x5555555590e4 by main thread:\n"
    "    #0 EchoHandler::count()::{lambda()#1}::operator()() const /home/me/server.cpp:11 "
    "(s+0x28)\n"
    "    #1 main /home/me/server.cpp:17 (s+0x2331)\n";

constexpr const char* in_a_template =
    "WARNING: ThreadSanitizer: data race (pid=1)\n"
    "    #0 void socketserver::Mix<socketserver::TCPServer>::run<std::function<void ()> >(int&) "
    "const <null> (server+0x72b0) /home/me/server.cpp:70\n";

constexpr const char* inversion =
    "==================\n"
    "WARNING: ThreadSanitizer: lock-order-inversion (potential deadlock) (pid=30188)\n"
    "  Cycle in lock order graph: M9 (0x7fffffffe480) => M10 (0x7fffffffe450) => M9\n\n"
    "  Mutex M10 acquired here while holding mutex M9 in thread T1:\n"
    "    #0 pthread_mutex_lock ../../src/libsanitizer/sanitizer_common_interceptors.inc:4324 "
    "(l+0x5)\n"
    "    #4 Bank::transfer(int) /home/me/lessons/06_shared_state/server.cpp:12 (gt+0x266e)\n";

}  // namespace

TEST_CASE("a sanitizer's report becomes one sentence with the learner's line") {
  const auto memory = kit::find_sanitizer_report(use_after_free, files);
  REQUIRE(memory);
  CHECK(memory->kind == "heap-use-after-free");
  CHECK(memory->function == "EchoHandler::handle");
  CHECK(memory->place.file == "server.cpp");
  CHECK(memory->place.line == 31);
  CHECK(memory->sentence() ==
        "It used memory that had been given back (heap-use-after-free), in EchoHandler::handle, "
        "server.cpp:31.");

  const auto overflow = kit::find_sanitizer_report(undefined, files);
  REQUIRE(overflow);
  CHECK(overflow->place.line == 15);
  CHECK(overflow->sentence().find("signed integer overflow") != std::string::npos);

  const auto two_threads = kit::find_sanitizer_report(race, files);
  REQUIRE(two_threads);
  CHECK(two_threads->kind == "data race");
  CHECK(two_threads->function == "EchoHandler::count");
  CHECK(two_threads->place.line == 11);

  const auto of_a_template = kit::find_sanitizer_report(in_a_template, files);
  REQUIRE(of_a_template);
  CHECK(of_a_template->function == "Mix::run");
  CHECK(of_a_template->place.line == 70);

  const auto two_locks = kit::find_sanitizer_report(inversion, files);
  REQUIRE(two_locks);
  CHECK(two_locks->kind == "lock-order-inversion");
  CHECK(two_locks->function == "Bank::transfer");

  const auto hog = kit::find_sanitizer_report(
      "==2==AddressSanitizer: hard rss limit exhausted (512Mb vs 546Mb)\n", files);
  REQUIRE(hog);
  CHECK(hog->sentence() == "It took more memory than any step allows (hard rss limit exhausted).");
  CHECK(hog->place.empty());
}

TEST_CASE("a frame in somebody else's file of that name's ending is not the learner's") {
  const auto report = kit::find_sanitizer_report(
      "==1==ERROR: AddressSanitizer: SEGV on unknown address 0x0 (pc 0x1)\n"
      "    #0 0x1 in f() /home/me/common/src/base_server.cpp:9\n",
      files);
  REQUIRE(report);
  CHECK(report->kind == "SEGV");
  CHECK(report->place.empty());
}

TEST_CASE("what is no report is none") {
  CHECK(!kit::find_sanitizer_report("", files));
  CHECK(!kit::find_sanitizer_report("==1==WARNING: ASan is ignoring requested __asan_handle\n",
                                    files));
  CHECK(kit::without_sanitizer_notes("==1==WARNING: ASan is ignoring this\nmine\n") == "mine\n");
  CHECK(kit::own_words(use_after_free) == "a line of the program's own\n");
  CHECK(kit::own_words(undefined).empty());
  CHECK(kit::own_words("mine\n") == "mine\n");
  CHECK(kit::may_not_have_started("FATAL: ThreadSanitizer: unexpected memory mapping 0x5-0x6\n"));
  CHECK(kit::may_not_have_started(
      "==7==Can't open /proc/6/task for reading.\n"
      "==6==LeakSanitizer has encountered a fatal error.\n"));
  CHECK(!kit::may_not_have_started("a line of my own server\n"));
}

TEST_CASE("a hole of a starter") {
  const auto hole = kit::find_hole(
      "something before\n"
      "not written: TCPServer::server_bind (01.B)  lessons/01_tcp_echo/tcp_server.cpp:31\n");
  REQUIRE(hole);
  CHECK(hole->what == "TCPServer::server_bind");
  CHECK(hole->task == "01.B");
  CHECK(hole->place.file == "tcp_server.cpp");
  CHECK(hole->place.line == 31);
  CHECK(!kit::find_hole("it is not written: whatever\n"));
  CHECK(!kit::find_hole("not written: no task\n"));
}

TEST_CASE("frames without a line get one, if the program has it") {
  const std::string unknown = "    #0 f() <null> (no-such-program+0x10)\n";
  CHECK(kit::with_lines(unknown, "/no-such-program") == unknown);
  const std::string known = "    #0 f() /home/me/server.cpp:7 (server+0x10)\n";
  CHECK(kit::with_lines(known, "/server") == known);
  CHECK(kit::with_lines("no report at all\n", "/server") == "no report at all\n");
}
