// What the bytes, the calls and the locks of a program prove.

#include "harness/step/facts.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <vector>

#include "harness/base/catch.hpp"

namespace {

using kit::CallRecord;
using kit::recorder::Call;

CallRecord call(Call kind, int fd, std::int64_t size, std::int64_t result, int error = 0) {
  CallRecord record;
  record.call = kind;
  record.pid = record.tid = 7;
  record.returned = true;
  record.arguments = {fd, size, 0, 0};
  record.result = result;
  record.error = error;
  return record;
}

CallRecord interrupted(Call kind, int fd) {
  CallRecord record = call(kind, fd, 100, -1, EINTR);
  record.injected = kit::recorder::Action::fail;
  return record;
}

bool says(const std::optional<std::string>& fact, const std::string& words) {
  return fact && fact->find(words) != std::string::npos;
}

// ... and leads to a call.
bool says(const std::optional<kit::Fact>& fact, const std::string& words) {
  return fact && says(fact->sentence, words) && !fact->calls.empty();
}

}  // namespace

TEST_CASE("bytes that came in place of others") {
  using namespace std::string_literals;
  CHECK(says(kit::fact_of_bytes("WORLD", "\0WORL"s), "A byte of 0"));
  CHECK(says(kit::fact_of_bytes("", "\0"s), "A byte of 0"));
  CHECK(!kit::fact_of_bytes("\0A"s, "\0B"s));
  CHECK(says(kit::fact_of_bytes("HELLO WORLD", "HELLO world"), "From byte 7 on"));
  CHECK(!kit::fact_of_bytes("OK 5", "ok 5"));
  CHECK(!kit::fact_of_bytes("HELLO WORLD", "HELLO wRLD."));
  CHECK(!kit::fact_of_bytes("HELLO", "HELL"));
  CHECK(says(kit::fact_of_datagram("HELLO", "HELL"), "last byte"));
  CHECK(!kit::fact_of_datagram("HELLO", "HEL"));
}

TEST_CASE("a call that a signal interrupted, and that was not made again") {
  CHECK(says(kit::fact_of_calls({interrupted(Call::recv, 5), call(Call::shutdown, 5, 1, 0)}),
             "Ask again after EINTR"));
  CHECK(!kit::fact_of_calls({interrupted(Call::send, 5), call(Call::close, 5, 0, 0)}));
  CHECK(!kit::fact_of_calls(
      {interrupted(Call::recv, 5), call(Call::recv, 5, 100, 0), call(Call::close, 5, 0, 0)}));
  CHECK(!kit::fact_of_calls({interrupted(Call::recv, 5)}));
  CHECK(!kit::fact_of_calls({call(Call::recv, 5, 100, -1, EINTR), call(Call::close, 5, 0, 0)}));
}

TEST_CASE("an answer of another length than the datagram") {
  CHECK(says(kit::fact_of_calls(
                 {call(Call::recvfrom, 5, 65536, 6), call(Call::sendto, 5, 65536, -1, EMSGSIZE)}),
             "as long as what came"));
  CHECK(says(kit::fact_of_calls({call(Call::recvfrom, 5, 512, 6), call(Call::sendto, 5, 512, 512)}),
             "as long as what came"));
  CHECK(says(kit::fact_of_calls({call(Call::recvfrom, 5, 512, 6), call(Call::sendto, 5, 5, 5)}),
             "as long as what came"));
  CHECK(!kit::fact_of_calls({call(Call::recvfrom, 5, 512, 6), call(Call::sendto, 5, 6, 6)}));
  CHECK(!kit::fact_of_calls({call(Call::recvfrom, 5, 512, 6), call(Call::sendto, 9, 512, 512)}));
}

TEST_CASE("a datagram that is looked at and left") {
  CallRecord peek = call(Call::recvfrom, 5, 512, 6);
  peek.arguments[2] = MSG_PEEK;
  peek.data = "hello\n";
  CHECK(says(kit::fact_of_calls({peek, call(Call::sendto, 5, 6, 6), peek}), "MSG_PEEK"));
  CHECK(!kit::fact_of_calls(
      {peek, call(Call::recvfrom, 5, 512, 6), call(Call::sendto, 5, 6, 6), peek}));
}

TEST_CASE("threads that wait for locks") {
  CHECK(!kit::fact_of_locks({}));
  CHECK(says(kit::fact_of_locks({{1, 100, 1, ""}}), "holds itself"));
  CHECK(says(kit::fact_of_locks({{1, 100, 2, "x"}, {2, 200, 3, "x"}, {3, 300, 1, "x"}}),
             "3 threads wait in a circle"));
  CHECK(says(kit::fact_of_locks({{1, 100, 3, "recv(7)"}, {2, 100, 3, "recv(7)"}}),
             "waits in recv(7), and 2 other threads wait for that lock"));
  CHECK(!kit::fact_of_locks({{1, 100, 3, ""}}));
}
