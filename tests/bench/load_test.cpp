// Does the load generator notice a server that is wrong? Each case runs a load against a server
// that is broken in one way.

#include <signal.h>
#include <stdlib.h>

#include <string>
#include <vector>

#include "harness/base/catch.hpp"
#include "interrupt.hpp"
#include "load.hpp"
#include "measurement.hpp"
#include "process_cost.hpp"
#include "server_process.hpp"

namespace kit::bench {
namespace {

// A right server may be slow on a busy machine; a silent one is waited for no longer than it takes
// to see that it is silent.
constexpr Seconds patient{20};
constexpr Seconds impatient{0.4};

Row measure_broken(const std::string& fault, const Load& load, Seconds patience = patient) {
  const Timing brief{Seconds(0.01), Seconds(0.03), patience, 5'000};
  ::signal(SIGPIPE, SIG_IGN);
  std::vector<std::string> words{KIT_BENCH_BROKEN, fault};
  if (load.transport == Transport::udp || load.transport == Transport::unix_datagram)
    words.emplace_back("--datagram");
  return measure("broken", words, load, brief, {}, false);
}

Load streams(int clients, int lines = 1) {
  return {lines == 1 ? Kind::persistent : Kind::pipelined, Transport::tcp, clients, lines};
}

Load connections(int clients) {
  return {Kind::connections, Transport::tcp, clients, 1};
}

Load datagrams(Transport transport, int clients) {
  return {Kind::persistent, transport, clients, 1};
}

bool says(const Row& row, const std::string& words) {
  INFO(row.server << ": " << row.fault);
  CHECK(row.fault.find(words) != std::string::npos);
  return true;
}

}  // namespace

TEST_CASE("a right server has numbers and no fault, under every load", "[bench]") {
  for (const Load& load : {streams(1), streams(9), streams(2, 16), connections(3),
                           Load{Kind::crowd, Transport::tcp, 20, 1},
                           Load{Kind::persistent, Transport::unix_stream, 3, 1},
                           datagrams(Transport::udp, 3), datagrams(Transport::unix_datagram, 3)}) {
    const Row row = measure_broken("none", load);
    INFO(row.fault);
    CHECK(row.fault.empty());
    CHECK(row.answered > 0);
    CHECK(row.lines_per_second > 0);
    CHECK(row.cpu_us > 0);
    CHECK(row.p50_us > 0);
    CHECK(row.p99_us >= row.p50_us);
  }
}

TEST_CASE("a wrong byte, an answer too many, a missing one: each is noticed", "[bench]") {
  says(measure_broken("lower", streams(3)), "line 0: expected ");
  says(measure_broken("flipped", streams(3)), "line 4: expected ");
  says(measure_broken("flipped", streams(1, 16)), "line 4: expected ");
  says(measure_broken("doubled", streams(1)), "expected ");
  says(measure_broken("doubled", streams(1, 5)), "expected nothing more");
  says(measure_broken("short", streams(1), impatient), "63 bytes of 64 came, then nothing");
  says(measure_broken("short", streams(1, 16)), "line 4: expected ");
  says(measure_broken("silent", streams(3), impatient), "0 bytes of 64 came, then nothing");
  says(measure_broken("ends-early", streams(3)), "the server ended the connection");
  says(measure_broken("swapped", streams(1, 16)), "line 4: expected ");
  CHECK_FALSE(measure_broken("other-client", streams(2), impatient).fault.empty());
  says(measure_broken("greets", streams(1)), "got \"HELLO");
}

TEST_CASE("connections that end wrongly are noticed", "[bench]") {
  says(measure_broken("lower", connections(2)), "line 0: expected ");
  says(measure_broken("greets", connections(2)), "got \"HELLO");
  says(measure_broken("no-end", connections(2), impatient), "does not end the connection");
}

TEST_CASE("datagrams: a loss is counted, anything else is a fault", "[bench]") {
  const Row lossy = measure_broken("silent", datagrams(Transport::udp, 2));
  INFO(lossy.fault);
  CHECK(lossy.fault.empty());
  CHECK(lossy.lost >= 1);
  says(measure_broken("lower", datagrams(Transport::udp, 2)), "line 0: expected ");
  says(measure_broken("flipped", datagrams(Transport::udp, 1)), "line 4: expected ");
  says(measure_broken("short", datagrams(Transport::unix_datagram, 1)), "63 bytes)");
  CHECK_FALSE(measure_broken("doubled", datagrams(Transport::udp, 1)).fault.empty());
  CHECK_FALSE(
      measure_broken("other-client", datagrams(Transport::udp, 2), impatient).fault.empty());
}

TEST_CASE("a server that dies is quoted", "[bench]") {
  const Row row = measure_broken("crash", streams(2));
  says(row, "the server itself had ended: this server gives up");
  CHECK_FALSE(row.cpu_us > 0);
}

TEST_CASE("a server that prints all the time is not blocked by it", "[bench]") {
  const Row row = measure_broken("chatty", streams(2));
  INFO(row.fault);
  CHECK(row.fault.empty());
}

TEST_CASE("a server that cannot start says why", "[bench]") {
  try {
    measure_broken("cannot-start", streams(1));
    FAIL("it started");
  } catch (const CannotStart& error) {
    CHECK(std::string(error.what()).find("not written: TCPServer::server_bind (01.C)") !=
          std::string::npos);
  }
}

TEST_CASE("however long TMPDIR is, the paths of sockets are short enough", "[bench]") {
  const char* const before = ::getenv("TMPDIR");
  const std::string kept = before != nullptr ? before : "";
  ::setenv("TMPDIR", ("/tmp/" + std::string(101, 'x')).c_str(), 1);
  const Row row = measure_broken("none", datagrams(Transport::unix_datagram, 1));
  before != nullptr ? ::setenv("TMPDIR", kept.c_str(), 1) : ::unsetenv("TMPDIR");
  CHECK(row.fault.empty());
}

TEST_CASE("a server that ignores SIGTERM is ended all the same", "[bench]") {
  ServerProcess server({KIT_BENCH_BROKEN, "stubborn", "--port", "0"}, {});
  const pid_t pid = server.pid();
  CHECK(server.address().port() != 0);
  CHECK(processor_time(pid).seconds >= 0);
  server.stop();
  CHECK(::kill(pid, 0) == -1);
}

}  // namespace kit::bench
