// Does the load generator notice a server that is wrong? Each case runs a load against a server
// that is broken in one way.

#include <signal.h>
#include <stdlib.h>

#include <cstdint>
#include <string>
#include <vector>

#include "harness/base/catch.hpp"
#include "interrupt.hpp"
#include "load.hpp"
#include "measurement.hpp"
#include "plan.hpp"
#include "process_cost.hpp"
#include "server_process.hpp"

namespace kit::bench {
namespace {

// A right server may be slow on a busy machine; a silent one is waited for no longer than it takes
// to see that it is silent.
constexpr Seconds patient{20};
constexpr Seconds impatient{1.5};

// Ended by their number: on a busy machine a fault in the fifth may take more than a moment to
// come.
Timing so_many(std::uint64_t answers, Seconds patience) {
  return {Seconds(0.01), Seconds(60), patience, answers};
}

Row measure_broken(const std::string& fault, const Load& load, const Timing& timing) {
  ::signal(SIGPIPE, SIG_IGN);
  std::vector<std::string> words{KIT_BENCH_BROKEN, fault};
  if (load.transport == Transport::udp || load.transport == Transport::unix_datagram)
    words.emplace_back("--datagram");
  if (load.transport == Transport::http) words.emplace_back("--http");
  return measure("broken", words, load, timing, {}, false);
}

Row measure_broken(const std::string& fault, const Load& load, Seconds patience = patient) {
  return measure_broken(fault, load,
                        so_many(load.transport == Transport::http ? 30 : 500, patience));
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

Load requests(Kind kind, int clients, int content = 1000) {
  return {kind, Transport::http, clients, 1, content};
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
                           datagrams(Transport::udp, 3), datagrams(Transport::unix_datagram, 3),
                           requests(Kind::persistent, 3), requests(Kind::connections, 3)}) {
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
  // Nothing comes that could be counted.
  const Timing a_moment{Seconds(0.01), Seconds(0.03), patient};
  const Row lossy = measure_broken("silent", datagrams(Transport::udp, 2), a_moment);
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

TEST_CASE("an answer over HTTP that is wrong is noticed", "[bench]") {
  const Load kept = requests(Kind::persistent, 1);
  says(measure_broken("flipped", kept), "request 4: the content is not the file's");
  says(measure_broken("doubled", kept), "request 4: more came than the Content-Length of 1,000");
  says(measure_broken("no-length", kept), "expected a Content-Length of 1000, got \"\"");
  says(measure_broken("greets", kept), "expected \"HTTP/1.1 200 \", got \"HELLO");
  says(measure_broken("short", kept, impatient), "999 of 1,000 bytes had come, then nothing");
  says(measure_broken("silent", kept, impatient), "0 bytes of the head had come, then nothing");
  says(measure_broken("ends-early", kept), "request 4: the server ended the connection");
  const Load opened = requests(Kind::connections, 2);
  says(measure_broken("greets", opened), "expected \"HTTP/1.1 200 \", got \"HELLO");
  says(measure_broken("no-end", opened, impatient), "answered, but the server does not end");
}

TEST_CASE("the kit's servers and other people's answer over HTTP, where they are", "[bench]") {
  const Timing brief = so_many(30, patient);
  std::vector<Candidate> candidates;
  add_http_peers(KIT_BENCH_PYTHON, KIT_BENCH_NGINX, KIT_BENCH_MICROHTTPD, candidates);
  add_candidate("plain@http=" KIT_BENCH_PLAIN " --http", candidates);
#ifdef KIT_BENCH_HTTP
  for (const std::string design : {"threads", "forks", "selector"})
    add_candidate(design + "@http=" KIT_BENCH_HTTP " --quiet --design " + design, candidates);
#endif
  for (const Candidate& candidate : candidates)
    for (const Load& load : {requests(Kind::persistent, 2), requests(Kind::connections, 2),
                             requests(Kind::persistent, 2, 1024 * 1024)}) {
      INFO(candidate.label << ", " << in_words(load));
      try {
        const Row row =
            measure(candidate.id, candidate.words.at(Transport::http), load, brief, {}, false);
        INFO(row.fault);
        CHECK(row.fault.empty());
        CHECK(row.answered > 0);
      } catch (const CannotStart& error) {
        WARN(error.what());  // nobody has to have it
      }
    }
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
