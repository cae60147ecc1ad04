// The check of lesson 02: a UDP server, and its client.
// The steps, with their points: tests/manifest/02_udp_echo.cmake. What a step may do:
// harness/step/step.hpp.

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>

#include "harness/check.hpp"
#include "harness/wire/loopback.hpp"

namespace {

using kit::Calls;
using kit::DatagramPeer;
using kit::Fault;
using kit::Program;
using kit::Server;
using kit::Step;

constexpr const char* no_answer =
    "The server does not answer. get_request() returns the datagram and who has sent it; setup() "
    "lays it out for handle(); finish() sends what was written to that sender.";

// How many datagrams wait at a socket of ours; they are thrown away.
int waiting_at(const DatagramPeer& peer) {
  int count = 0;
  char byte;
  while (::recv(peer.fd(), &byte, 1, MSG_DONTWAIT) != -1) ++count;
  return count;
}

// When the datagram that waits at a socket of ours came to this machine, by the kernel's own clock:
// however late the check looks, two of them tell the time between them. (Nothing where the kernel
// does not say.) The datagram stays.
std::optional<std::chrono::microseconds> arrival_at(const DatagramPeer& peer) {
  char byte;
  iovec part{&byte, 1};
  alignas(cmsghdr) char control[256];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (::recvmsg(peer.fd(), &message, MSG_PEEK | MSG_DONTWAIT) == -1) return std::nullopt;
  for (cmsghdr* one = CMSG_FIRSTHDR(&message); one != nullptr; one = CMSG_NXTHDR(&message, one)) {
    if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_TIMESTAMP) continue;
    timeval time{};
    std::memcpy(&time, CMSG_DATA(one), sizeof time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  }
  return std::nullopt;
}

void ask(Step& step, DatagramPeer& client, const std::string& message) {
  client.send(message).expect(Step::upper(message));
  (void)step;
}

}  // namespace

// ---- the client ---------------------------------------------------------------------------------

STEP("02.1", "sends one datagram and prints the answer") {
  const std::string words = step.word() + " " + step.word();
  const std::string first = words.substr(0, words.find(' '));
  // On a slow machine too, the first try is answered in time.
  const kit::ClientOptions patient{.args = {"--timeout", "60000"}};
  DatagramPeer& partner = step.datagram_listener();
  step.suspect(
      "Nothing, or something else, has arrived where the client was told to send. sendto() takes "
      "the message and the server's address: data() and size().");
  Program& client = step.client(partner.local(), {first, words.substr(first.size() + 1)}, patient);
  partner.expect(words + "\n");
  step.suspect("The answer was not received, or not printed as the page says.");
  step.suspect_task("02.A", "receive_answer");
  partner.send(Step::upper(words) + "\n");
  client.expect_output("Sent:     " + words + "\nReceived: " + Step::upper(words) + "\n");
  step.suspect("One message is one datagram, and one call of sendto().");
  step.suspect_task("02.A", "send_datagram");
  const int more = waiting_at(partner);
  step.check(more == 0, "no second datagram", std::to_string(more) + " more");

  step.suspect_task("02.A", "receive_answer");
  step.suspect(
      "The end of a long answer is missing. What does not fit into the buffer of recvfrom() is "
      "lost for good: the buffer must have room for the longest datagram.");
  Program& reader = step.client(partner.local(), {first}, patient);
  partner.expect(first + "\n");
  const std::string answer = step.text(60'000);
  partner.send(answer);
  reader.expect_output("Sent:     " + first + "\nReceived: " + answer + "\n");

  step.suspect("An empty datagram is an answer too: recvfrom() returns 0, and that is no end.");
  Program& content = step.client(partner.local(), {first}, patient);
  partner.expect(first + "\n");
  partner.send("");
  content.expect_output("Sent:     " + first + "\nReceived: \n");

  if (kit::have_ipv6()) {
    step.suspect_task("02.A", "send_datagram");
    step.suspect(
        "The client does not reach a server on IPv6. The family of its socket is that of the "
        "server's address (server.family()): AF_INET6 here.");
    DatagramPeer& six = step.datagram_listener("::1");
    Program& client_of_six = step.client(six.local(), {first}, patient);
    six.expect(first + "\n");
    six.send("SIX\n");
    client_of_six.expect_output("Sent:     " + first + "\nReceived: SIX\n");
  }
}

STEP("02.2", "waits for each try, tries again, then fails with a sentence") {
  const std::string word = step.word();
  DatagramPeer& partner = step.datagram_listener();
  step.suspect(
      "Nobody answers, and the client waits for ever, or gives up too early. It must wait "
      "--timeout milliseconds for each try, and send --retries more datagrams after the first.");
  Program& client =
      step.client(partner.local(), {word}, {.args = {"--timeout", "50", "--retries", "2"}});
  for (int i = 0; i < 3; ++i) partner.expect(word + "\n");
  client.expect_error_sentence();
  step.suspect("The client tries more often than it was told: --retries N are N after the first.");
  int more = waiting_at(partner);
  step.check(more == 0, "three datagrams: one, and two retries", std::to_string(more) + " more");

  step.suspect("With --retries 0 there is one try, and then the sentence on stderr.");
  Program& once =
      step.client(partner.local(), {word}, {.args = {"--timeout", "50", "--retries", "0"}});
  partner.expect(word + "\n");
  once.expect_error_sentence();
  more = waiting_at(partner);
  step.check(more == 0, "one datagram", std::to_string(more) + " more");

  step.suspect(
      "Each try waits --timeout, and then the next one goes out. The time of all the tries is not "
      "that of the first.");
  Program& same =
      step.client(partner.local(), {word}, {.args = {"--timeout", "50", "--retries", "1000"}});
  partner.expect(word + "\n");
  const kit::Address first_try = partner.target();
  partner.expect(word + "\n");
  step.suspect(
      "The answer to an earlier try came late and was lost: each try has a socket of its own. One "
      "socket for all of them takes a late answer as well.");
  partner.set_target(first_try);
  partner.send("LATE\n");
  same.expect_output("Sent:     " + word + "\nReceived: LATE\n");
  (void)waiting_at(partner);

  step.suspect("The first datagram was lost, a later one is answered: that answer counts.");
  Program& lucky =
      step.client(partner.local(), {word}, {.args = {"--timeout", "50", "--retries", "1000"}});
  partner.expect(word + "\n");
  partner.expect(word + "\n");
  partner.send("LATE\n");
  lucky.expect_output("Sent:     " + word + "\nReceived: LATE\n");
  (void)waiting_at(partner);

  step.suspect(
      "Nobody listened yet, the kernel said so (ECONNREFUSED, on a connected socket), and the "
      "client gave up. A server may come a moment later: for a try, refused is as good as silent.");
  const std::uint16_t port = step.fixed_port();
  const kit::Address empty = kit::Address::tcp("127.0.0.1", port);
  Program& early = step.client(empty, {word}, {.args = {"--timeout", "30", "--retries", "1000"}});
  if (const kit::RecorderLog* log = early.recorder_if_any()) {
    step.wait_until([&] { return !early.alive() || log->count(Calls::any_send) >= 3; },
                    "the client tries again");
    DatagramPeer& latecomer = step.datagram_listener(empty);
    latecomer.expect(word + "\n");
    latecomer.send("AWAKE\n");
    early.expect_output("Sent:     " + word + "\nReceived: AWAKE\n");
  } else {
    early.kill();
  }

  step.suspect(
      "The client sends again before the time of the first try is over. It must wait for an "
      "answer in between.");
  Program& patient =
      step.client(partner.local(), {word}, {.args = {"--timeout", "60000", "--retries", "3"}});
  partner.expect(word + "\n");
  if (const kit::RecorderLog* log = patient.recorder_if_any()) {
    // It waits now: whatever it meant to send without waiting has been sent.
    step.wait_until([&] { return log->pending(Calls::any_wait | Calls::any_recv); },
                    "the client waits for an answer");
    more = waiting_at(partner);
    step.check(more == 0, "one datagram, while its time is not over",
               std::to_string(1 + more) + " datagrams");
    step.suspect(
        "A time of more than a second is cut or lost on its way into the wait. --timeout may be "
        "any number of milliseconds.");
    const auto wait = log->last_wait();
    const std::int64_t time = wait ? wait->timeout().value_or(60'000) : 60'000;
    // (A wait without end may have a clock of its own among what it waits for.)
    step.check(!wait || time < 0 || (time > 30'000 && time <= 60'000), "a wait of 60,000 ms",
               wait ? wait->text() : "");
  }
  partner.send("AT LAST\n");
  patient.expect_output("Sent:     " + word + "\nReceived: AT LAST\n");

  step.suspect(
      "A try is over before its time, or lasts longer. Each of them waits --timeout milliseconds, "
      "the second as long as the first: no whole seconds, no half.");
  const auto fewest = std::chrono::milliseconds{60};
  const int on = 1;
  (void)::setsockopt(partner.fd(), SOL_SOCKET, SO_TIMESTAMP, &on, sizeof on);
  Program& punctual =
      step.client(partner.local(), {word},
                  {.args = {"--timeout", std::to_string(fewest.count()), "--retries", "2"}});
  std::optional<std::chrono::microseconds> last;
  for (int i = 0; i < 3; ++i) {
    step.wait_until([&] { return arrival_at(partner).has_value(); }, "a datagram for each try");
    const auto now = arrival_at(partner);
    partner.expect(word + "\n");
    if (last && now) {
      const auto between = std::chrono::floor<std::chrono::milliseconds>(*now - *last);
      step.check(between + std::chrono::milliseconds{1} >= fewest,
                 "a try of " + std::to_string(fewest.count()) + " ms",
                 std::to_string(between.count()) + " ms");
    }
    last = now;
  }
  punctual.expect_error_sentence();
  if (const kit::RecorderLog* log = punctual.recorder_if_any()) {
    for (const kit::CallRecord& call : log->records()) {
      step.check(!call.is(Calls::any_wait) || call.timeout().value_or(0) <= fewest.count(),
                 "no wait longer than " + std::to_string(fewest.count()) + " ms", call.text());
    }
  }

  step.suspect(
      "A signal interrupted the wait (-1, EINTR). That is neither an answer nor the end of the "
      "time: wait for the rest of it.");
  Program& interrupted = step.client(
      partner.local(), {word},
      {.args = {"--timeout", "60000", "--retries", "0"},
       .faults = {Fault::fail(Calls::any_wait | Calls::any_recv, EINTR).every(2).times(4)}});
  partner.expect(word + "\n");
  partner.send("STILL HERE\n");
  interrupted.expect_output("Sent:     " + word + "\nReceived: STILL HERE\n");
}

// ---- the server ---------------------------------------------------------------------------------

STEP("02.3", "answers, from its own port") {
  step.suspect(
      "The socket is not opened, bound or made ready. A datagram socket is of type SOCK_DGRAM; it "
      "is bound as in lesson 01, and does not listen.");
  Server& server = step.server();
  DatagramPeer& client = step.datagram_peer(server);
  step.suspect(
      "There is no answer, or it comes from another port. Is the socket of type SOCK_DGRAM? Is the "
      "length of the address set before recvfrom(), which reads it? The answer is sent on the "
      "socket that the request came by (request().fileno()), to who has sent it.");
  ask(step, client, step.word() + "\n");
  step.suspect_task("02.D");
  step.suspect(
      "The first datagram was answered, and none after it. The socket is the server's, and every "
      "client's: shutdown_request() and close_request() leave it alone.");
  ask(step, client, step.word() + "\n");
  std::string every_byte;
  for (int value = 0; value < 256; ++value) every_byte += static_cast<char>(value);
  step.suspect("Bytes are not text: only a to z change, and a 0 ends nothing.");
  ask(step, client, every_byte);
  step.suspect(
      "What has come is answered, and not shown. handle() shows it with log_received(): whoever "
      "runs a server wants to see what it gets.");
  step.suspect_task("02.F");
  const std::string shown = step.word();
  ask(step, client, shown + "\n");
  server.expect_output_contains(shown);
  step.suspect_task("02.D");
  step.suspect("SIGTERM ends the loop, and the program returns from main.");
  server.stop();

  step.suspect(
      "The server was told a port and is not reached there: is the address bound the one that it "
      "was given?");
  const std::uint16_t port = step.fixed_port();
  Server& fixed = step.server({.args = {"--port", std::to_string(port)}});
  step.check(fixed.port() == port, "\"listening on 127.0.0.1:" + std::to_string(port) + "\"",
             "\"listening on " + fixed.address().text() + "\"");
  ask(step, step.datagram_peer(fixed), step.word());
#if defined(__linux__)
  step.suspect(
      "The server answers on another address of the machine than the one it was told: the address "
      "that is bound is server_address(), host and port.");
  DatagramPeer& astray = step.datagram_peer(kit::Address::tcp("127.0.0.2", port));
  astray.send(step.word());
  ask(step, step.datagram_peer(fixed), step.word());
  step.check(!astray.has_more(), "no answer from 127.0.0.2, where nobody listens", "an answer");
#endif
  fixed.stop();
  if (kit::have_ipv6()) {
    step.suspect(
        "The family of the socket must be that of the address (server_address().family()): "
        "AF_INET6 here.");
    Server& ipv6 = step.server({.args = {"--host", "::1", "--port", "0"}});
    ask(step, step.datagram_peer(ipv6), step.word());
    ipv6.stop();

    step.suspect(
        "A server on :: answers IPv4, too, though dual_stack is off: IPV6_V6ONLY must be set, both "
        "ways. What it is otherwise is the machine's choice.");
    Server& six_alone = step.server({.args = {"--host", "::", "--port", "0"}});
    DatagramPeer& four =
        step.datagram_peer(kit::Address::tcp("127.0.0.1", six_alone.address().port()));
    four.send(step.word());
    ask(step, step.datagram_peer(kit::Address::tcp("::1", six_alone.address().port())), "six");
    step.check(!four.has_more(), "no answer to IPv4 from a server on ::", "an answer");
    six_alone.stop();
  }
}

STEP("02.4", "two clients in turn each get their own answer") {
  step.suspect(no_answer);
  Server& server = step.server();
  DatagramPeer& first = step.datagram_peer(server);
  DatagramPeer& second = step.datagram_peer(server);
  for (int i = 0; i < 5; ++i) {
    step.suspect(
        "An answer went to the wrong client, or to none. Each datagram brings the address of its "
        "own sender (recvfrom() writes it), and the answer goes there.");
    ask(step, first, "first " + step.word());
    ask(step, second, "second " + step.word());
  }
  server.signal(SIGSTOP);
  const std::string one = step.word();
  const std::string two = step.word();
  first.send(one);
  second.send(two);
  first.send(two + one);
  server.signal(SIGCONT);
  second.expect(Step::upper(two));
  first.expect(Step::upper(one));
  first.expect(Step::upper(two + one));
  server.stop();
}

STEP("02.5", "one datagram in, one out: never merged, never split") {
  step.suspect(no_answer);
  Server& server = step.server();
  DatagramPeer& client = step.datagram_peer(server);
  step.suspect(
      "An answer has bytes of another datagram, or too many: only the first `count` bytes of the "
      "buffer are this datagram's (count: what recvfrom() returned).");
  const std::string longer = step.text(400);
  ask(step, client, longer);
  ask(step, client, "short");
  ask(step, client, longer + longer);
  ask(step, client, "x");
  step.suspect(
      "A datagram is a message of its own, whatever is in it. Its answer is one datagram: not one "
      "a line, and not one for all that has come.");
  ask(step, client, "one\ntwo\n\nthree");
  server.signal(SIGSTOP);
  std::vector<std::string> messages;
  // More than the loop takes in one turn.
  for (int i = 0; i < 100; ++i) messages.push_back(step.word() + (i % 2 == 0 ? "\n" : ""));
  for (const std::string& message : messages) client.send(message);
  server.signal(SIGCONT);
  for (const std::string& message : messages) client.expect(Step::upper(message));
  ask(step, client, "and no more");
  server.stop();
}

STEP("02.6", "an empty datagram is a message and has an answer") {
  step.suspect(no_answer);
  Server& server = step.server();
  DatagramPeer& client = step.datagram_peer(server);
  ask(step, client, "before");
  step.suspect(
      "A datagram of 0 bytes was taken for an end, or for nothing. recvfrom() returns 0 for it: "
      "there is no connection that could end. handle() writes its answer, of 0 bytes.");
  ask(step, client, "");
  ask(step, client, "");
  ask(step, client, "after");
  server.stop();
}

STEP("02.7", "65,507 bytes come back whole") {
  constexpr std::size_t longest = 65'507;  // of IPv4: 65,535 without two headers
  step.suspect(no_answer);
  Server& server = step.server();
  DatagramPeer& client = step.datagram_peer(server);
  for (const std::size_t size : {1'024UL, 1'500UL, 8'192UL, 8'193UL, 32'768UL, longest}) {
    step.suspect("A datagram of " + std::to_string(size) +
                 " bytes was cut or lost. What does not fit into the buffer of recvfrom() is gone: "
                 "it needs room for max_packet_size bytes.");
    ask(step, client, step.payload(size));
  }
  server.stop();
}

STEP("02.8", "takes an answer only from the server it asked") {
  const std::string word = step.word();
  DatagramPeer& partner = step.datagram_listener();
  step.suspect(
      "Anybody can send a datagram to the client's port. It must compare the sender with the "
      "server it asked (or connect() the socket), and go on waiting.");
  Program& client = step.client(partner.local(), {word}, {.args = {"--timeout", "60000"}});
  partner.expect(word + "\n");
  DatagramPeer& stranger = step.datagram_peer(partner.target());
  stranger.send("LIES\n");
  stranger.send("");
#if defined(__linux__)
  // On the server's own port, of another host.
  DatagramPeer& namesake = step.datagram_listener(kit::Address::tcp("127.0.0.2", partner.port()));
  namesake.set_target(partner.target());
  namesake.send("LIES\n");
#endif
  partner.send("THE TRUTH\n");
  client.expect_output("Sent:     " + word + "\nReceived: THE TRUTH\n");

  step.suspect(
      "Datagrams of a stranger keep the client waiting for ever: each one starts its time anew. "
      "The time of a try has one end, however often recvfrom() returns.");
  // Far more than the pauses between the stranger's datagrams, however slow the machine is.
  const std::string timeout = std::to_string(kit::scaled(std::chrono::milliseconds{200}).count());
  Program& pestered =
      step.client(partner.local(), {word}, {.args = {"--timeout", timeout, "--retries", "0"}});
  partner.expect(word + "\n");
  stranger.set_target(partner.target());
  stranger.send("LIES\n");
  step.wait_until(
      [&] {
        (void)::sendto(stranger.fd(), "LIES\n", 5, 0, stranger.target().get(),
                       stranger.target().size());
        return !pestered.alive();
      },
      "the client gives up when its time is over");
  pestered.expect_error_sentence();

  step.suspect(
      "A call has failed, not for a signal, and the client goes on as if nothing was. Say so on "
      "stderr, and exit with status 1.");
  for (const Calls calls : {Calls::any_recv, Calls::any_wait}) {
    Program& failing = step.client(partner.local(), {word},
                                   {.args = {"--timeout", "1000", "--retries", "0"},
                                    .faults = {Fault::fail(calls, ENOMEM).always().in_a_row()}});
    partner.expect(word + "\n");
    partner.send("HERE\n");
    (void)failing.wait_exit();
    const kit::RecorderLog* const log = failing.recorder_if_any();
    if (log != nullptr && log->count(calls) > 0) {
      failing.expect_error_sentence();
    } else {  // it does without that call
      failing.expect_output("Sent:     " + word + "\nReceived: HERE\n");
    }
    (void)waiting_at(partner);
  }

  step.suspect(
      "poll() has said that an answer is there, and there was none (a wrong checksum, perhaps). "
      "recvfrom() with MSG_DONTWAIT says EAGAIN then: wait on. One that blocks waits for ever.");
  Program& misled = step.client(partner.local(), {word},
                                {.args = {"--timeout", "200", "--retries", "1000"},
                                 .faults = {Fault::vanish(Calls::any_recv)}});
  partner.expect(word + "\n");
  partner.send("HERE\n");
  step.wait_until([&] { return !misled.alive() || partner.has_more(); },
                  "the answer, or the next try");
  if (partner.has_more()) {
    partner.expect(word + "\n");
    partner.send("HERE\n");
  }
  misled.expect_output("Sent:     " + word + "\nReceived: HERE\n");
  (void)waiting_at(partner);
}

STEP("02.9", "a datagram that is too long is reported and not half-answered") {
  step.suspect(no_answer);
  Server& server = step.server({.args = {"--port", "0", "--max-packet-size", "100"}});
  DatagramPeer& client = step.datagram_peer(server);
  step.suspect("A datagram of exactly --max-packet-size bytes is not too long.");
  ask(step, client, step.text(100));
  for (const std::size_t size : {101UL, 150UL, 5'000UL}) {
    step.suspect(
        "Half a message was answered as if it were whole. A longer datagram arrives cut, and "
        "recvfrom() does not say so by itself; Request carries truncated(), and setup() throws if "
        "it is true.");
    client.send(step.text(size));
    ask(step, client, step.word());
  }
  step.suspect(
      "Nobody is told that datagrams were dropped. What setup() throws is reported on stderr, with "
      "the client's address.");
  server.expect_error_contains(client.local().text());
  server.stop();
}

// ---- probes: the learner's classes with a handler of the kit's own ------------------------------

STEP("02.10", "a handler that throws, or never writes, sends nothing") {
  step.suspect(no_answer);
  Server& server = step.probe_server("orders", {.args = {"--port", "0"}});
  server.may_say("processing of request from");
  DatagramPeer& client = step.datagram_peer(server);
  const std::string whole = "HALF AN ANSWER, AND THE OTHER HALF";
  step.suspect("What several calls of write() have written is one answer, in one datagram.");
  client.send("write twice").expect(whole);
  step.suspect(
      "A handler threw, and half its answer went out. finish() runs after an exception too: "
      "handled() says whether handle() has returned.");
  client.send("write and throw");
  client.send("write twice").expect(whole);
  step.suspect(
      "A handler did not write, and yet something was sent. wfile_.written() says whether there "
      "is an answer.");
  client.send("write nothing");
  client.send("throw");
  client.send("write twice").expect(whole);
  step.suspect(
      "A handler wrote an answer of 0 bytes, and it was not sent. Ask wfile_.written(), not "
      "whether there are bytes.");
  client.send("write no bytes").expect("");
  client.send("write twice").expect(whole);
  server.stop();
}

STEP("02.11", "signals, a vanished client, an answer too long: the server lives") {
  const std::string whole = "HALF AN ANSWER, AND THE OTHER HALF";
  const auto faults = std::vector<Fault>{
      Fault::fail(Calls::any_recv, EINTR).every(3).on_datagrams(),
      Fault::fail(Calls::any_send, EINTR).every(2).on_datagrams(),
      Fault::fail(Calls::any_wait, EINTR).every(3),
  };
  step.suspect(
      "A signal interrupted a call (-1, EINTR), and an answer is missing, or the server is gone. "
      "An interrupted sendto() has sent nothing: call it again. An interrupted recvfrom() has "
      "taken nothing: there is no request, and no error.");
  Server& server = step.probe_server("orders", {.args = {"--port", "0"}, .faults = faults});
  DatagramPeer& client = step.datagram_peer(server);
  for (int i = 0; i < 6; ++i) client.send("write twice").expect(whole);

  step.suspect(
      "poll() said \"readable\", and there was no datagram after all (EAGAIN): that is no request, "
      "and no error.");
  kit::FaultHandle nothing_there =
      server.recorder().add(Fault::fail(Calls::any_recv, EAGAIN).on_datagrams());
  client.send("write twice").expect(whole);
  nothing_there.withdraw();
  step.suspect(
      "There was no datagram after all (its checksum was wrong, perhaps), and the receive waits "
      "for the next one: until it comes, nothing wakes the loop. server_activate() makes the "
      "socket non-blocking.");
  step.suspect_task("02.C");
  const auto expect_receive_returns = [&] {
    step.expect_returned(server, Calls::any_recv,
                         "the receive returns, though nothing is there (EAGAIN)",
                         "it waits for the next datagram");
  };
  expect_receive_returns();
  kit::FaultHandle gone_again =
      server.recorder().add(Fault::vanish(Calls::any_recv).on_datagrams());
  client.send("write twice");
  step.wait_until([&] { return gone_again.delivered() > 0; }, "a receive");
  expect_receive_returns();
  client.send("write twice").expect(whole);
  step.suspect(
      "What it reports is no error. A receive that finds nothing after all (EAGAIN), or that a "
      "signal interrupts (EINTR), has brought no request: get_request() returns nothing.");
  step.suspect_task("02.D", "UDPServer::get_request");
  step.check(server.errors().empty(), "nothing on stderr so far: these were no errors",
             "\"" + std::string(server.errors().substr(0, 200)) + "\"");

  step.suspect(
      "The receive failed, not for a signal and not for want of a datagram, and nobody is told. "
      "get_request() throws an error that names the call: the loop says it, and pauses.");
  kit::FaultHandle no_memory =
      server.recorder().add(Fault::fail(Calls::any_recv, ENOMEM).on_datagrams());
  client.send("write twice").expect(whole);
  if (no_memory.delivered() > 0) server.expect_error_contains("cannot take a request");
  const std::string reported(server.errors());

  step.suspect_task("02.I");
  step.suspect(
      "A client that has gone cannot get its answer (ECONNREFUSED, ENOENT). That is neither a "
      "reason to end nor an error to report: the next client is there.");
  for (const int error : {ECONNREFUSED, ENOENT}) {
    kit::FaultHandle gone =
        server.recorder().add(Fault::fail(Calls::any_send, error).on_datagrams());
    DatagramPeer& vanished = step.datagram_peer(server);
    vanished.send("write twice");
    vanished.close();
    client.send("write nothing");  // whatever the failed answer was for, it is behind us then
    step.wait_until([&] { return gone.delivered() > 0; }, "an answer to the client that has gone");
    gone.withdraw();
    client.send("write twice").expect(whole);
  }
  step.check(server.errors() == reported, "nothing on stderr: a client that has gone is no error",
             "\"" + std::string(server.errors().substr(reported.size(), 200)) + "\"");

  step.suspect(
      "An answer could not be sent, and the server ended or stopped serving. The longest UDP "
      "datagram has 65,507 bytes: sendto() fails with EMSGSIZE. Throw; the loop reports it, and "
      "goes on.");
  client.send("write too much");
  client.send("write twice").expect(whole);
  server.expect_error_contains(client.local().text());
  step.suspect(
      "The kernel could not take an answer for now (EAGAIN, ENOBUFS), and the server ended, "
      "stopped serving, or said nothing. A datagram may be lost, and is reported then; a server "
      "may not.");
  for (const int error : {EAGAIN, ENOBUFS}) {
    DatagramPeer& unlucky = step.datagram_peer(server);
    kit::FaultHandle full = server.recorder().add(
        Fault::fail(Calls::any_send, error).on_datagrams().in_a_row().times(3'000));
    unlucky.send("write twice");  // answered later, or reported: both are right
    step.wait_until([&] { return full.delivered() > 0; }, "an answer that the kernel cannot take");
    step.let_rest(server);
    full.withdraw();
    const std::string report = "request from " + unlucky.local().text();
    server.may_say(report);
    step.wait_until(
        [&] {
          return unlucky.has_more() || server.errors().find(report) != std::string_view::npos;
        },
        "an answer after all, or a report of the one that was lost");
    client.send("write twice").expect(whole);
  }
  server.stop();
}

STEP("02.12", "a second server on the port fails") {
  step.suspect(no_answer);
  const std::uint16_t port = step.fixed_port();
  Server& server = step.server({.args = {"--port", std::to_string(port)}});
  DatagramPeer& client = step.datagram_peer(server);
  ask(step, client, "before");
  step.suspect(
      "Two servers share a port, and the second one takes every datagram from the first without a "
      "word. For UDP, do not set SO_REUSEADDR, whatever allow_reuse_address says; SO_REUSEPORT "
      "only if allow_reuse_port is true.");
  Program& rival = step.start("server", {.args = {"--port", std::to_string(port)}});
  rival.expect_error_sentence({std::to_string(port), "bind"});
  ask(step, client, "after");
  server.stop();

  step.suspect(
      "An option of the socket is not what the attribute says: allow_reuse_port is SO_REUSEPORT, "
      "and dual_stack is IPV6_V6ONLY being off, as of a TCPServer. Set them before bind().");
  Program& udp = step.probe("attributes", {"--port", "0"});
  udp.expect_line("allow_reuse_port=true on");
  udp.expect_line("allow_reuse_port=false off");
  udp.expect_exit(0);
  if (kit::have_ipv6()) {
    Program& ipv6 = step.probe("attributes", {"--host", "::", "--port", "0"});
    ipv6.expect_line("dual_stack=true off");
    ipv6.expect_line("dual_stack=false on");
    ipv6.expect_exit(0);
  }
}
