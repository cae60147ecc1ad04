// The check of lesson 01: a synchronous TCP server, and its client.
// The steps, with their points: tests/manifest/01_tcp_echo.cmake. What a step may do:
// harness/step/step.hpp.

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <vector>

#include "harness/check.hpp"
#include "harness/kernel/proc.hpp"
#include "harness/wire/loopback.hpp"

namespace {

using kit::Calls;
using kit::Fault;
using kit::Listener;
using kit::Peer;
using kit::Program;
using kit::RecorderLog;
using kit::Server;
using kit::Step;

constexpr const char* one_recv =
    "One recv() was taken for one message. TCP delivers a stream: a message can arrive in any "
    "number of pieces.";

// A client that says one thing and gets one answer, both whole.
void ask(Step& step, const Server& server, const std::string& message) {
  Peer& client = step.connect(server);
  client.send(message);
  client.expect(Step::upper(message));
  client.half_close();
  client.expect_end();
}

}  // namespace

// ---- the client ---------------------------------------------------------------------------------

STEP("01.1", "sends its words and a newline, half-closes, prints the answer") {
  const std::string message = step.word() + " " + step.word() + "\n";
  const std::string first = message.substr(0, message.find(' '));
  const std::string second = message.substr(first.size() + 1, message.size() - first.size() - 2);
  Listener& partner = step.listen();
  step.suspect(
      "The client does not connect to the address it was given: socket() of server.family(), then "
      "connect() to server.data(), server.size().");
  Program& client = step.client(partner.address(), {first, second});
  step.know(
      [&client] {
        if (client.recorder_if_any() == nullptr) return std::string();
        for (const kit::CallRecord& call : client.recorder_if_any()->records()) {
          if (!call.is(Calls::shutdown) || call.arguments[1] == SHUT_WR) continue;
          return "The client has not said that it sends no more, but that it hears no more: " +
                 call.text() +
                 ". shutdown(fd, SHUT_WR) ends what it sends; the answer can still come.";
        }
        return std::string();
      },
      "01.A", "half_close");
  Peer& server = partner.accept();
  step.suspect(
      "The client does not send what it was told: all of its message, once, and nothing else.");
  step.suspect_task("01.A", "send_all");
  server.expect(message);
  step.suspect(
      "The client does not half-close. Only shutdown(fd, SHUT_WR) tells the server that no more "
      "will come; a server that waits for the end waits for ever.");
  step.suspect_task("01.A", "half_close");
  server.expect_end();
  step.suspect("The answer was not received, or not printed as the page says.");
  step.suspect_task("01.A", "receive_all");
  server.send(Step::upper(message));
  server.close();
  client.expect_output("Sent:     " + first + " " + second +
                       "\nReceived: " + Step::upper(first + " " + second) + "\n");

  if (kit::have_ipv6()) {
    step.suspect_task("01.A");
    step.suspect(
        "The client does not reach a server on IPv6. The family of the socket is that of the "
        "server's address (server.family()): AF_INET6 here.");
    Listener& six = step.listen("::1");
    Program& client_of_six = step.client(six.address(), {first});
    six.accept().expect(first + "\n").send("SIX\n").close();
    client_of_six.expect_output("Sent:     " + first + "\nReceived: SIX\n");
  }
}

STEP("01.2", "puts together an answer that comes in pieces, until end of file") {
  step.suspect(
      "One recv() was taken for the whole answer. It is whole only when recv() returns 0; until "
      "then the client must go on and keep every piece.");
  const std::string word = step.word();
  Listener& partner = step.listen();
  Program& client =
      step.client(partner.address(), {word},
                  {.faults = {Fault::fail(Calls::any_send, EINTR).every(2).on_streams(),
                              Fault::shorten(Calls::any_send, 2).on_streams(),
                              Fault::fail(Calls::any_recv, EINTR).every(3).on_streams()}});
  Peer& server = partner.accept();
  const std::string about_pieces = step.suspicion();
  step.suspect_task("01.A", "send_all");
  step.suspect(
      "send() may take fewer bytes than it was given, and a signal may interrupt it (-1, EINTR). "
      "Go on with the rest, and ask again.");
  server.expect(word + "\n");
  step.suspect(about_pieces);
  step.suspect_task("01.A", "receive_all");
  const std::string letters = Step::upper(step.word());
  for (const char letter : letters) server.send({&letter, 1}).wait_until_taken();
  const std::string middle = step.text(10'000);
  server.send(middle).wait_until_taken();
  server.send("THE END\n");
  server.close();
  client.expect_output("Sent:     " + word + "\nReceived: " + letters + middle + "THE END\n");

  step.suspect(
      "The end of a long answer is missing: an answer has no greatest length. It is whole when "
      "recv() returns 0.");
  for (const std::size_t size : {65'536U, 65'537U, 400'000U}) {
    Program& reader = step.client(partner.address(), {word});
    const std::string answer = step.text(size - 1) + "\n";
    Peer& generous = partner.accept().expect(word + "\n");
    generous.send(answer).close();
    reader.expect_output("Sent:     " + word + "\nReceived: " + answer);
  }
}

STEP("01.3", "says that nobody listens, or that the connection was reset, and fails") {
  step.suspect(
      "The client ended as if all were well. When connect() fails it must say so on stderr and "
      "exit with status 1; an exception from check() does both.");
  Listener& nobody = step.listen();
  nobody.close();
  step.client(nobody.address(), {step.word()}).expect_error_sentence({"refused"});

  step.suspect_task("01.A", "receive_all");
  step.suspect(
      "The connection was reset: recv() returned -1. That is no end of file, and what had come is "
      "not the answer. The client must say so on stderr and exit with status 1.");
  Listener& rude = step.listen();
  const std::string word = step.word();
  Program& cut = step.client(rude.address(), {word});
  rude.accept().expect(word + "\n").send("HALF AN ANS").wait_until_taken().reset();
  cut.expect_error_sentence({"reset"});

  step.suspect(
      "The server had gone before the client has sent its words: send() fails, and without "
      "MSG_NOSIGNAL a signal (SIGPIPE) ends the client. An error of send() is told like one of "
      "recv(): a sentence on stderr, and exit status 1.");
  Listener& hasty = step.listen();
  Program& late =
      step.client(hasty.address(), {word}, {.faults = {Fault::hold(Calls::any_send).on_streams()}});
  if (const kit::RecorderLog* log = late.recorder_if_any()) {
    Peer& left = hasty.accept();
    step.wait_until([&] { return !late.alive() || log->pending(Calls::any_send); },
                    "the client is about to send");
    left.half_close().reset();
    late.recorder().release_all();
    late.expect_error_sentence();
  } else {
    late.kill();
  }

  step.suspect(
      "A server that closes without a byte has given no answer. That is an error, not an empty "
      "answer: one sentence on stderr, and exit status 1.");
  Listener& silent = step.listen();
  Program& unanswered = step.client(silent.address(), {word});
  silent.accept().expect(word + "\n").half_close();
  unanswered.expect_error_sentence();
  step.check(unanswered.output().find("Received:") == std::string_view::npos,
             "no line \"Received:\" without an answer", "the client printed one");
}

// ---- the server ---------------------------------------------------------------------------------

STEP("01.4", "listens where it was told, and nowhere else, and says so") {
  const std::string everywhere =
      "The server listens on every address of the machine, not on the one it was told.";
  // A stopped process still listens: its kernel completes connections. So this step needs nothing
  // of what serves them.
  const auto expect_reached = [&](Server& server) {
    server.signal(SIGSTOP);
    step.note("it stands still, and its kernel goes on to complete connections");
    step.connect(server);
#if defined(__linux__)
    step.suspect(everywhere);
    if (server.address().family() == AF_INET) {
      step.expect_refused(kit::Address::tcp("127.0.0.2", server.port()));
    }
    // Of IPv6 a machine may have one address alone: what it listens on is asked of the kernel.
    for (const std::string& place : kit::proc::listening(server.pid())) {
      step.check(place == server.address().text(), "it listens on " + server.address().text(),
                 "it listens on " + place);
    }
#endif
    server.kill();
  };
  const std::string elsewhere =
      "The server was told a port, and listens on another one or names another one. In an address "
      "a port stands in network byte order: htons() on the way in, ntohs() on the way out.";
  step.suspect(elsewhere);
  const std::uint16_t port = step.fixed_port();
  Server& fixed = step.server({.args = {"--port", std::to_string(port)}});
  const std::string told = "\"listening on 127.0.0.1:" + std::to_string(port) + "\"";
  const std::string said = "\"listening on " + fixed.address().text() + "\"";
  step.suspect(everywhere);
  step.check(fixed.address().host() == "127.0.0.1", told, said);
  step.suspect(elsewhere);
  step.check(fixed.port() == port, told, said);
  step.suspect(
      "A second server on the same port must fail. Is the result of bind() looked at? "
      "(SO_REUSEPORT would let two servers share a port: it is off unless allow_reuse_port says "
      "otherwise.)");
  Program& rival = step.start("server", {.args = {"--port", std::to_string(port)}});
  rival.expect_error_sentence({std::to_string(port), "bind"});
  if (RecorderLog::available()) {
    step.suspect(
        "A call failed, and its result was not looked at. check() makes of a -1 an error that "
        "names the call: each of socket(), bind() and listen() wants one.");
    step.start("server", {.faults = {Fault::fail(Calls::socket, ENFILE)}})
        .expect_error_sentence({"socket"});
    step.suspect_task("01.C");
    step.start("server", {.faults = {Fault::fail(Calls::listen, EADDRINUSE)}})
        .expect_error_sentence({"listen"});
  }
  step.suspect_task("01.D");
  step.suspect(
      "SIGTERM ends the loop; then server_close() closes the listener, once, and main returns.");
  fixed.stop();

  step.suspect_task("01.B");
  step.suspect(
      "Nobody is reached on the port that the ready line names. Asked for port 0 the kernel picks "
      "one: Address::of_socket() asks the socket which, and set_server_address() keeps it.");
  expect_reached(step.server());

  if (kit::have_ipv6()) {
    step.suspect_task("01.B");
    step.suspect(
        "The family of the socket must be that of the address it was told "
        "(server_address().family()): "
        "AF_INET6 here.");
    expect_reached(step.server({.args = {"--host", "::1", "--port", "0"}}));
  }
}

STEP("01.5", "answers one client in upper case, byte for byte") {
  Server& server = step.server();
  Peer& client = step.connect(server);
  step.suspect(
      "What has come must be answered before the server waits for more. Do not collect input until "
      "the end of file.");
  const std::string word = step.word();
  client.send(word + "\n").expect(Step::upper(word) + "\n");
  step.suspect(one_recv);
  const std::string second = step.word();
  client.send(second + "\n").expect(Step::upper(second) + "\n");
  step.suspect(
      "The line on stdout shows the answer. It is to show what has come: log_received() stands "
      "before the letters are changed.");
  step.let_rest(server);
  step.check(server.output().find(Step::upper(second)) == std::string_view::npos,
             "what has come, as it came, on stdout", "the answer");
  step.suspect(
      "What has come is answered, and not shown. handle() shows it with log_received(): whoever "
      "runs a server wants to see what it gets.");
  client.send("q").expect("Q");  // one byte: whatever shows it, shows it in one piece
  server.expect_output_contains("\"q\"");
  step.suspect(
      "Bytes are not text: a 0 ends no message, a byte above 127 is no letter, and only the first "
      "`count` bytes of the buffer were received. Only a to z change.");
  std::string every_byte;
  for (int value = 0; value < 256; ++value) every_byte += static_cast<char>(value);
  client.send(every_byte).expect(Step::upper(every_byte));
  step.suspect(
      "A block that fills the buffer to its last byte came back wrong. Is there a byte written "
      "behind the buffer, or one left out?");
  for (const std::size_t size : {1U, 512U, 1000U, 1024U, 2048U, 4096U, 8192U, 16384U, 65536U}) {
    const std::string block = step.payload(size);
    client.send(block).expect(Step::upper(block));
  }
  client.half_close();
  step.suspect("The server does not close after the client's end of file: recv() returned 0.");
  client.expect_end();
  server.stop();
}

STEP("01.6", "answers client after client, each from the start") {
  constexpr int clients = 64;
  constexpr std::size_t allowance = 8;  // what a server may open on first use and keep
  Server& server = step.server();
  const std::size_t before = server.open_descriptors();
  for (int i = 0; i < clients; ++i) {
    step.suspect(
        i == 0 ? "The first client gets no answer. Does get_request() return the connection, and "
                 "handle() answer it?"
               : "The first client was answered, a later one is not, or with bytes of another. "
                 "Each connection is accepted, served from the start, and closed.");
    // Each shorter than the one before: what is left in a buffer would show.
    ask(step, server, step.word() + std::string(static_cast<std::size_t>(clients - i), 'x') + "\n");
  }
  step.suspect(
      "Connections are left open: each one that accept() returns must be closed in the end, or the "
      "server runs out of descriptors.");
  step.suspect_task("01.E", "TCPServer::close_request");
  step.expect_descriptors(server, before, allowance);
  step.suspect(
      "A descriptor was closed twice. Between the two, its number may belong to somebody else's "
      "connection. A Request owns its connection: request.close(), or request.release() first.");
  const std::uint64_t twice = server.recorder().failed(Calls::close);
  step.check(twice == 0, "each connection closed once",
             std::to_string(twice) + " times close() of a number that was not open");
  server.stop();
}

STEP("01.7", "a message in pieces comes back whole") {
  step.suspect(one_recv);
  Server& server = step.server();
  Peer& client = step.connect(server);
  client.send("hello ");
  step.suspect(
      "What has come must be answered before the server waits for more: this client says the rest "
      "only when it has the answer. Do not collect input until the end of file.");
  client.expect("HELLO ");
  step.suspect(one_recv);
  client.send("world\n").expect("WORLD\n");
  for (const char letter : step.word()) {
    client.send({&letter, 1}).expect(Step::upper({&letter, 1}));
  }
  client.half_close();
  client.expect_end();
  server.stop();
}

STEP("01.8", "many messages in one piece, 64 KiB, an empty connection") {
  step.suspect("All bytes that one recv() returns are answered, however many lines they are.");
  Server& server = step.server();
  Peer& many = step.connect(server);
  std::string lines;
  for (int i = 0; i < 200; ++i) lines += step.word() + "\n";
  many.send(lines).expect(Step::upper(lines));
  many.half_close();
  many.expect_end();

  step.suspect("A client that says nothing and ends is no error: recv() returns 0 at once.");
  Peer& empty = step.connect(server);
  empty.half_close();
  empty.expect_end();

  step.suspect(
      "The client's end of file ends what it says, not what it hears: everything that came before "
      "it must still be answered.");
  Peer& large = step.connect(server);
  const std::string block = step.payload(64 * 1024);
  large.send(block);
  large.half_close();
  large.expect(Step::upper(block));
  large.expect_end();
  server.stop();

  step.suspect(
      "A client that reads late has lost the end of its answer. What does not fit into the "
      "connection now waits: a blocking send() does that by itself; with MSG_DONTWAIT or a "
      "non-blocking connection, EAGAIN means to wait until there is room.");
  Server& patient = step.server({.args = {"--quiet"}});
  Peer& late = step.connect_narrowly(patient);
  const std::string flood = step.payload(400 * 1024);
  late.send_in_background(flood);
  // Until the server takes no more, since its answer finds no room; or the connection is over.
  std::size_t before = 0;
  step.wait_until(
      [&] {
        const std::size_t left = late.unsent();
        const bool stalled =
            left == before && left < flood.size() && kit::proc::asleep(patient.pid()).has_value();
        before = left;
        return stalled;
      },
      "the server waits for the client to read");
  late.expect(Step::upper(flood));
  late.half_close();
  late.expect_end();
  patient.stop();
}

STEP("01.9", "short reads, short writes and signals change nothing") {
  step.suspect(
      "recv() may return fewer bytes than it was asked for, send() may take fewer than it was "
      "given, and a signal may interrupt either (-1, EINTR). Go on with the rest, and ask again.");
  Server& server = step.server({.faults = {
                                    Fault::fail(Calls::any_recv, EINTR).every(3).on_streams(),
                                    Fault::fail(Calls::any_send, EINTR).every(3).on_streams(),
                                    Fault::fail(Calls::any_wait, EINTR).every(3),
                                    Fault::fail(Calls::any_accept, EINTR).every(2),
                                    Fault::shorten(Calls::any_recv, 3).every(2).on_streams(),
                                    Fault::shorten(Calls::any_send, 1).every(2).on_streams(),
                                }});
  for (int i = 0; i < 3; ++i) {
    Peer& client = step.connect(server);
    const std::string block = step.payload(1000);
    client.send(block);
    client.half_close();
    client.expect(Step::upper(block));
    client.expect_end();
  }
  server.stop();
}

STEP("01.10", "a rude client harms nobody") {
  constexpr std::size_t allowance = 8;
  Server& server = step.server();
  server.may_say("processing of request from");  // a connection that was reset
  server.may_say("cannot take a request");
  const std::size_t before = server.open_descriptors();

  step.suspect("A client that connects and leaves without a word must not end the server.");
  step.connect(server).close();
  ask(step, server, "after one that was silent\n");

  step.suspect("A client that was reset while it waited to be accepted must not end the server.");
  Peer& served = step.connect(server);
  served.send("first\n").expect("FIRST\n");
  step.connect(server).reset();  // waits in the queue behind the first, and is gone
  served.half_close();
  served.expect_end();
  ask(step, server, "after a reset in the queue\n");

  step.suspect(
      "The server died, or stopped serving, because a client reset its connection: recv() returns "
      "-1 (ECONNRESET). That ends this connection and nothing else.");
  Peer& resets = step.connect(server);
  resets.send("hello").expect("HELLO");
  resets.reset();
  ask(step, server, "after a reset\n");

  step.suspect(
      "Sending to a client that has gone raises SIGPIPE, which ends the process. Pass MSG_NOSIGNAL "
      "to send(), or ignore SIGPIPE; then send() fails with EPIPE, and that ends this connection "
      "alone.");
  for (int i = 0; i < 2; ++i) {
    // The answer is held back until the client has gone.
    kit::FaultHandle held = server.recorder().add(Fault::hold(Calls::any_send).on_streams());
    Peer& gone = step.connect(server);
    gone.send("hello\n");
    gone.half_close();
    step.wait_until([&] { return held.holding() > 0 || gone.ending() != kit::Ending::open; },
                    "an answer under way");
    gone.reset();
    held.release();
    ask(step, server, "after one that did not wait\n");
  }
  Peer& unread = step.connect(server);
  unread.send_in_background(step.payload(64 * 1024));
  unread.wait_until_taken();
  unread.reset();
  ask(step, server, "after one that did not read\n");

  step.suspect(
      "accept() failed once, and the server ended or stopped serving. ECONNABORTED: the client has "
      "gone again, nobody is there. EMFILE: no descriptor is left for now. Both pass.");
  const std::string passes = step.suspicion();
  step.suspect_task("01.E", "TCPServer::get_request");
  for (const int error : {ECONNABORTED, EMFILE, ENFILE}) {
    step.suspect(passes);
    kit::FaultHandle fault = server.recorder().add(Fault::fail(Calls::any_accept, error));
    ask(step, server, "after a failed accept\n");
    if (error == ECONNABORTED) {
      step.suspect(
          "A client that has gone again before it was accepted (ECONNABORTED) is reported as an "
          "error. Nobody is there: get_request() returns nothing, as for EAGAIN and EINTR.");
      step.check(server.errors().find("cannot take a request") == std::string_view::npos,
                 "nothing on stderr about a client that has gone again (ECONNABORTED)",
                 "an error of accept");
    }
    if (error != EMFILE || fault.delivered() == 0) continue;
    step.suspect(
        "accept() failed for a lasting reason (EMFILE), and get_request() said \"nobody is "
        "there\". The loop would ask again at once, for ever. Throw an error that names accept: "
        "the loop says it, and pauses.");
    server.expect_error_contains("cannot take a request");
  }

  step.suspect(
      "The client had gone between poll() and accept(), and accept() waits for the next one: until "
      "it comes, nothing wakes the loop. server_activate() makes the listener non-blocking.");
  step.suspect_task("01.C");
  const auto expect_accept_returns = [&] {
    step.expect_returned(server, Calls::any_accept,
                         "accept() returns, though nobody is there (EAGAIN)",
                         "it waits for the next client");
  };
  expect_accept_returns();
  kit::FaultHandle gone = server.recorder().add(Fault::vanish(Calls::any_accept));
  step.connect(server);
  step.wait_until([&] { return gone.delivered() > 0; }, "a call of accept()");
  expect_accept_returns();
  step.suspect_task("01.H");
  ask(step, server, "after one that had gone\n");

  step.suspect(
      "A connection that ended badly was left open: close it whatever recv() and send() return.");
  step.expect_descriptors(server, before, allowance);
  server.stop();
}

// ---- probes: the learner's TCPServer with handlers of the kit's own -----------------------------

STEP("01.11", "an exception in a handler ends that request alone, and is reported") {
  constexpr int clients = 40;
  constexpr std::size_t allowance = 8;
  Server& server = step.probe_server("throwing", {.args = {"--port", "0"}});
  server.may_say("processing of request from");
  const std::size_t before = server.open_descriptors();
  step.suspect(
      "A handler threw, and its client was left hanging. shutdown_request() and close_request() "
      "must work whatever the handler has done.");
  Peer& first = step.connect(server);
  first.send("throw\n");
  first.expect_end();
  server.expect_error_contains("Exception occurred during processing of request from ");
  step.suspect_task("01.E", "TCPServer::get_request");
  step.suspect(
      "The request does not know its client. accept() writes the client's address where it is "
      "told, and no more bytes of it than `size` said before the call: size is sizeof peer.");
  server.expect_error_contains("Exception occurred during processing of request from " +
                               first.local().text());
  step.suspect_task("01.I");
  Peer& second = step.connect(server);
  second.send("echo\n").expect("ECHO\n");
  second.expect_end();

  step.suspect(
      "The client had gone when its request was shut down: shutdown() then fails (ENOTCONN). That "
      "is no reason to skip close_request(), and none to throw.");
  for (int i = 0; i < clients; ++i) {
    Peer& gone = step.connect(server);
    gone.send("throw when I have gone\n").expect("GO\n");
    gone.reset();
  }
  Peer& last = step.connect(server);
  last.send("echo\n").expect("ECHO\n");
  last.expect_end();
  step.expect_descriptors(server, before, allowance);
  step.check(server.errors().find("shutdown") == std::string_view::npos,
             "nothing on stderr about a client that has gone: shutdown_request() does not throw",
             "an exception that names shutdown");

  step.suspect_task("01.D");
  step.suspect(
      "Another thread closes the server, and the listener is closed while the loop still runs: "
      "its number may be somebody else's by then. BaseServer::server_close(), which is given, "
      "comes first: it ends the loop, and waits for the request that is served.");
  Peer& closing = step.connect(server);
  closing.send("close the server\n").expect("CLOSING\n");
  step.let_rest(server);
  step.check(!step.refuses(server.address()), "a listener, as long as a request is served",
             "it is closed");
  closing.half_close().expect_end();
  server.expect_stopped();
}

STEP("01.12", "the client sees end of file, not a reset, though input was left unread") {
  step.suspect(
      "close() with unread input makes the kernel send a reset, which can destroy the answer on "
      "its way. shutdown_request() calls shutdown(fd, SHUT_WR) first: the answer, then the end of "
      "file.");
  // Its handler takes a number of ten digits for how often it says its line.
  const auto number = [](std::size_t times) {
    const std::string digits = std::to_string(times);
    return std::string(10 - digits.size(), '0') + digits;
  };
  const std::string line = "TEN BYTES ARE ENOUGH\n";
  Server& server = step.probe_server("unread", {.args = {"--port", "0"}});
  // Whatever is read after the ten bytes is held: the end of file has gone out before.
  kit::FaultHandle reading = server.recorder().add(Fault::hold(Calls::any_recv).on_streams().at(2));
  Peer& waits = step.connect(server);
  waits.send(number(1)).expect(line);
  waits.expect_end();
  step.let_rest(server);
  reading.withdraw();
  waits.close();
  for (int i = 0; i < 5; ++i) {
    Peer& client = step.connect(server);
    client.send(number(1) + step.payload(1990));
    client.expect(line);
    client.expect_end();
    client.close();
  }

  step.suspect(
      "A long answer was cut off by a reset. After shutdown(fd, SHUT_WR) it is still on its way; "
      "close() with unread input, and input that comes after close(), make the kernel drop it. "
      "request.read_away() comes between the two.");
  // The shorter one waits in the kernel when the handler has returned, the longer one does not fit.
  for (const std::size_t times : {15'000U, 400'000U}) {
    std::string answer;
    for (std::size_t i = 0; i < times; ++i) answer += line;
    Peer& late = step.connect(server);
    late.send(number(times) + step.payload(1990));
    step.let_rest(server);  // nobody has read until here
    late.expect(answer);
    late.expect_end();
    late.close();

    Peer& talkative = step.connect(server);
    talkative.send(number(times));
    talkative.send_in_background(step.payload(4 * 1024 * 1024));
    talkative.expect(answer);
    talkative.expect_end();
    talkative.close();
  }
  server.stop();
}

STEP("01.13", "restarts on its port at once, and takes the options that it is told") {
  step.suspect(
      "The old connection is in TIME_WAIT and keeps the port. Set SO_REUSEADDR before bind(), when "
      "allow_reuse_address says so.");
  const std::uint16_t port = step.fixed_port();
  Server& first = step.server({.args = {"--port", std::to_string(port)}});
  Peer& client = step.connect(first);
  client.send("hello\n").expect("HELLO\n");
  first.stop();  // it ends first, with the client still there: its side waits in TIME_WAIT
  const std::string about_the_port = step.suspicion();
  step.suspect_task("01.I");
  step.suspect(
      "The server has cut the connection in place of closing it: the client sees a reset. So does "
      "SO_LINGER with a time of 0, and close() while input is unread.");
  client.expect_end();
  client.close();
  step.wait_until([&] { return !kit::can_bind_plainly(first.address()); },
                  "the port kept by the old connection, which is what this step is about");
  step.suspect(about_the_port);
  step.suspect_task("01.J");
  Server& second = step.server({.args = {"--port", std::to_string(port)}});
  ask(step, second, "again\n");
  second.stop();

  step.suspect(
      "An option of the socket is not what the attribute says. Each attribute stands for one: "
      "allow_reuse_address for SO_REUSEADDR, allow_reuse_port for SO_REUSEPORT, and dual_stack for "
      "IPV6_V6ONLY being off. Set them before bind(), as the attribute is.");
  Program& tcp = step.probe("attributes", {"--port", "0"});
  for (const char* attribute : {"allow_reuse_address", "allow_reuse_port"}) {
    tcp.expect_line(attribute + std::string("=true on"));
    tcp.expect_line(attribute + std::string("=false off"));
  }
  tcp.expect_line("request_queue_size=7");
  const std::string about_options = step.suspicion();
  step.suspect_task("01.D");
  step.suspect(
      "server_close() has left the listener open, until the server object goes. It closes what "
      "socket_ owns (reset()); after it fileno() is -1, and a second call does nothing.");
  tcp.expect_line("after server_close() fileno() is -1");
  step.suspect_task("01.J");
  step.suspect(about_options);
  tcp.expect_exit(0);
  step.suspect("request_queue_size says how long the queue is: it is the argument of listen().");
  step.suspect_task("01.C");
  const std::vector<kit::CallRecord> calls = tcp.recorder().records();
  const auto listens = std::find_if(calls.begin(), calls.end(), [](const kit::CallRecord& call) {
    return call.is(Calls::listen);
  });
  step.check(listens != calls.end() && listens->arguments[1] == 7, "listen() with a queue of 7",
             listens == calls.end() ? "no call of listen()" : listens->text());
  step.suspect_task("01.J");
  if (kit::have_ipv6()) {
    step.suspect(
        "IPV6_V6ONLY is not what dual_stack says: with dual_stack IPv4 clients are taken too, so "
        "the option is off; without it is on. Set it both ways: what it is otherwise is the "
        "machine's choice.");
    // Bound, and not listening: nobody is let in from anywhere.
    Program& ipv6 = step.probe("attributes", {"--host", "::", "--port", "0"});
    ipv6.expect_line("dual_stack=true off");
    ipv6.expect_line("dual_stack=false on");
    ipv6.expect_exit(0);
  }
}
