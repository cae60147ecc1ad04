// The bank's waiting: who leaves keeps nothing, and who waits for another account is left asleep.

#include <sys/resource.h>
#include <unistd.h>
#include <socketserver/client_watch.hpp>
#include <socketserver/server_with.hpp>

#include <atomic>
#include <bank.hpp>
#include <chrono>
#include <ctime>
#include <optional>
#include <stream_handler.hpp>
#include <thread>
#include <threading_mixin.hpp>
#include <vector>

#include "harness/base/catch.hpp"
#include "loopback.hpp"

using namespace unit;

namespace {

constexpr std::int64_t never = Ledger::most;

// How often a thread of this process has gone to sleep.
long sleeps() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_nvcsw;
}

}  // namespace

TEST_CASE("bank: a deposit wakes nobody who waits for another account") {
  constexpr int crowd = 200;
  Bank bank;
  bank.deposit("mine", 1);
  bank.deposit("theirs", 1);
  const std::atomic<bool> given_up{false};
  std::atomic<int> begun{0};
  std::vector<std::thread> waiting;
  for (int i = 0; i < crowd; ++i) {
    waiting.emplace_back([&] {
      begun += 1;
      CHECK_THROWS_AS(bank.wait_for("theirs", never, given_up), Refused);
    });
  }
  while (begun < crowd) std::this_thread::yield();
  // All sleep when a deposit beside them costs its own sleeps in the ledger, and no more.
  long most = crowd;
  for (int i = 0; i < 1000 && most >= crowd; ++i) {
    const long before = sleeps();
    bank.deposit("mine", 1);
    most = sleeps() - before;
  }
  CHECK(most < crowd);
  bank.stop();
  for (std::thread& thread : waiting) thread.join();
}

TEST_CASE("bank: who is given up is woken, and nobody else") {
  Bank bank;
  bank.deposit("a", 1);
  std::atomic<bool> given_up{false};
  const std::atomic<bool> patient{false};
  std::atomic<bool> other_ended{false};
  std::thread gone([&] { CHECK_THROWS_AS(bank.wait_for("a", never, given_up), Refused); });
  std::thread other([&] {
    CHECK(bank.wait_for("a", 5, patient) == 5);
    other_ended = true;
  });
  given_up = true;
  bank.look_again();
  gone.join();
  CHECK_FALSE(other_ended);
  bank.deposit("a", 4);
  other.join();
}

TEST_CASE("client watch: notices the client's end and reset, and not our own end") {
  TCPServer server(any_port(), handler_class<OnceHandler>);
  server.bind_and_activate();
  const auto accept = [&] {
    return FileDescriptor(check(::accept(server.fileno(), nullptr, nullptr), "accept"));
  };
  const auto wait_for_client = [&] {
    pollfd waiting{server.fileno(), POLLIN, 0};
    check(::poll(&waiting, 1, -1), "poll");
  };
  std::atomic<int> noticed{0};
  ClientWatch watch([&] { noticed += 1; });

  FileDescriptor ends = connect_to(server.server_address());
  wait_for_client();
  const FileDescriptor ended = accept();
  FileDescriptor resets = connect_to(server.server_address());
  wait_for_client();
  const FileDescriptor reset = accept();
  const FileDescriptor stays = connect_to(server.server_address());
  wait_for_client();
  const FileDescriptor interrupted = accept();

  const ClientWatch::Client one(watch, ended.get());
  const ClientWatch::Client two(watch, reset.get());
  const ClientWatch::Client three(watch, interrupted.get());
  send_text(ends, "unread");
  ends.reset();
  while (!one.left()) std::this_thread::yield();
  const linger at_once{1, 0};
  check(::setsockopt(resets.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), "setsockopt");
  resets.reset();
  while (!two.left()) std::this_thread::yield();
  check(::shutdown(interrupted.get(), SHUT_RD), "shutdown");
  {
    // Whoever comes later makes the watch look around once more.
    const ClientWatch::Client again(watch, ended.get());
    while (!again.left()) std::this_thread::yield();
  }
  CHECK_FALSE(three.left());
  CHECK(noticed >= 2);
}

TEST_CASE("client watch: where poll fails it pauses before it asks again") {
  using namespace std::chrono_literals;
  CHECK(in_child([] {
          ClientWatch watch([] {});
          int ends[2];
          check(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
          // A client and its own pipe: more than it may ask for (EINVAL). poll(2)
          const rlimit one{1, 1};
          check(::setrlimit(RLIMIT_NOFILE, &one), "setrlimit");
          const ClientWatch::Client client(watch, ends[0]);
          const std::clock_t before = std::clock();
          std::this_thread::sleep_for(400ms);
          const std::clock_t used = std::clock() - before;
          ::_exit(used > CLOCKS_PER_SEC / 10 ? 1 : 0);  // it was all that there is
        }) == 0);
}

TEST_CASE("bank: clients that wait and leave keep neither thread nor descriptor") {
  constexpr int crowd = 100;
  struct Shared {
    Bank bank;
    std::atomic<int> waiting{0};
    std::optional<ClientWatch> clients;
  };
  class WaitingHandler : public StreamRequestHandler {
   public:
    using StreamRequestHandler::StreamRequestHandler;
    void handle() override {
      Shared& shared = server_as<Shared>(server());
      const ClientWatch::Client client(*shared.clients, request().fileno());
      shared.waiting += 1;
      try {
        (void)shared.bank.wait_for("a", never, client.left());
      } catch (const Refused&) {
        shared.waiting -= 1;
      }
    }
  };
  ServerWith<Shared, ThreadingTCPServer> server(any_port(), handler_class<WaitingHandler>);
  server.clients.emplace([&server] { server.bank.look_again(); });
  server.bank.deposit("a", 1);
  server.bind_and_activate();
  Running loop(server);
  const int before = open_descriptors();
  {
    std::vector<FileDescriptor> clients;
    for (int i = 0; i < crowd; ++i) clients.push_back(connect_to(server.server_address()));
    while (server.waiting < crowd) std::this_thread::yield();
  }
  while (server.waiting > 0) std::this_thread::yield();
  loop.stop();
  server.max_threads = 1;
  while (!server.has_room()) std::this_thread::yield();  // no thread is left
  CHECK(open_descriptors() == before);
}
