// The check of lesson 07: a selector, a server for many clients on one thread, an interactive
// client. The steps, with their points: tests/manifest/07_selectors.cmake. What a step may do:
// harness/step/step.hpp.

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/escape.hpp"
#include "harness/check.hpp"
#include "harness/kernel/proc.hpp"

namespace {

using kit::Calls;
using kit::Fault;
using kit::Peer;
using kit::Program;
using kit::RecorderLog;
using kit::Server;
using kit::ServerOptions;
using kit::Step;
using std::chrono::milliseconds;

constexpr std::size_t mebibyte = 1024 * 1024;

// More than a server's and a client's socket hold together (Linux: up to some 10 MB).
constexpr std::size_t flood = 16 * mebibyte;

// The server asks for room for 10,000 clients; where it gets it, it has nothing to say about it.
constexpr std::size_t descriptors = 16'384;

Server& start(Step& step, ServerOptions options = {}) {
  if (options.nofile == kit::limits::open_files) options.nofile = descriptors;
  return step.server(options);
}

// Lines of 64 bytes, each with its number: a line lost, doubled or moved shows.
std::string numbered_lines(Step& step, std::size_t size) {
  const std::string filling = ": " + step.text(50);
  std::string lines;
  lines.reserve(size);
  for (std::size_t number = 0; lines.size() < size; ++number) {
    std::string digits = std::to_string(number);
    digits.insert(0, 11 - std::min<std::size_t>(digits.size(), 11), ' ');
    lines += digits + filling + '\n';
  }
  return lines;
}

void expect_all(Peer& peer, const std::string& answer) {
  for (std::size_t at = 0; at < answer.size(); at += mebibyte) {
    peer.expect(std::string_view(answer).substr(at, mebibyte));
  }
}

// A line and its answer. The server waits in its selector and nowhere else: one that sleeps in a
// call on a connection serves nobody, and there is no need to wait for it.
void ask(Step& step, Server& server, Peer& peer, const std::string& line,
         const std::string& answer) {
  peer.send(line);
  std::string call;
  int looks = 0;
  const auto answered = [&] { return peer.unread().size() >= answer.size(); };
  const auto sleeps = [&] {
    const std::string now = kit::proc::waits_in(server.pid());
    const bool on_connection = now.starts_with("send") || now.starts_with("recv") ||
                               now.starts_with("read") || now.starts_with("write");
    looks = on_connection && now == call ? looks + 1 : 0;
    call = now;
    return looks >= 10;
  };
  step.await([&] { return answered() || peer.ending() != kit::Ending::open || sleeps(); },
             kit::event_deadline(), milliseconds{10});
  if (!answered() && looks > 0) {
    step.suspect("The server sleeps in " + call +
                 ", and meanwhile nobody is served. Of many connections on one thread none may "
                 "block: MSG_DONTWAIT with each recv() and send(), or a socket made non-blocking.");
    step.fail(peer.name() + " gets an answer while others do not read",
              "the server sleeps in " + call + ": one client holds up all");
  }
  peer.expect(answer);
}

void ask(Step& step, Server& server, Peer& peer, const std::string& line) {
  ask(step, server, peer, line, Step::upper(line));
}

// Until the program has nothing to do: it waits in one call, whichever it is.
void wait_until_it_waits(Step& step, const Program& program) {
  std::string call;
  int looks = 0;
  step.await(
      [&] {
        const std::string now = kit::proc::waits_in(program.pid());
        looks = now == call && now.find("computes") == std::string::npos ? looks + 1 : 0;
        call = now;
        return looks >= 10;
      },
      kit::event_deadline(), kit::limits::proc_poll);
}

// Until the server has taken everything that it will take from those who send and never read: it
// waits, nothing moves, and it answers another.
void wait_until_stalled(Step& step, Server& server, const std::vector<Peer*>& flooding,
                        Peer& other) {
  const auto left = [&] {
    std::size_t sum = 0;
    for (const Peer* peer : flooding) sum += peer->unsent();
    return sum;
  };
  const auto give_up = kit::after(4 * kit::event_time());
  for (std::size_t before = left() + 1; before != left() && kit::Clock::now() < give_up;) {
    before = left();
    wait_until_it_waits(step, server);
    ask(step, server, other, step.word() + "\n");
  }
}

// The timeout, in milliseconds, of a wait that signals have interrupted again and again and that is
// as long as it was; of waits longer than `more_than` and no longer than `at_most`. The signals
// come every few milliseconds: from one to the third after it time has passed, however late they
// are.
std::optional<std::int64_t> begun_anew(const RecorderLog& log, std::int64_t more_than,
                                       std::int64_t at_most) {
  std::vector<std::int64_t> timeouts;
  for (const kit::CallRecord& call : log.records()) {
    const auto timeout = call.is(Calls::any_wait) ? call.timeout() : std::nullopt;
    if (timeout && *timeout > more_than && *timeout <= at_most) timeouts.push_back(*timeout);
  }
  for (std::size_t i = 3; i < timeouts.size(); ++i) {
    if (timeouts[i] >= timeouts[i - 3]) return timeouts[i];
  }
  return std::nullopt;
}

// Whether the server is asleep: in the same wait at each of several looks, and no thread runs. (One
// that spins may get no processor for as long as the looks take; it does not sleep then.)
bool is_asleep(Step& step, Program& server) {
  const std::uint64_t before = server.recorder().count(Calls::any_wait);
  for (int look = 0; look < 5; ++look) {
    step.await([] { return false; }, kit::after(milliseconds{10}));
    const auto wait = server.recorder().last_wait();
    if (!wait || wait->returned || server.recorder().count(Calls::any_wait) != before) return false;
    if (!kit::proc::asleep(server.pid())) return false;
  }
  return true;
}

// A connection was ended as send() on it was interrupted, or had no room: what is known of it, or
// "".
std::string ended_by_not_now(const Step& step) {
  for (const auto& program : step.programs()) {
    const RecorderLog* const log = program->recorder_if_any();
    if (log == nullptr || !log->attached()) continue;
    std::map<std::int64_t, int> errors;  // what the last send() on each descriptor said
    for (const kit::CallRecord& call : log->records(kit::recorder::ring_size)) {
      int& error = errors[call.arguments[0]];
      if (call.is(Calls::any_send)) error = call.error;
      if (!call.is(Calls::close)) continue;
      if (error == EINTR || error == EAGAIN) {
        return "send() returned -1 and " + kit::error_name(error) +
               (error == EINTR ? ", as a signal had interrupted it" : ", as there was no room") +
               ", and the connection was closed. Either means \"not now\", and is no error: "
               "what is left stays in the connection's output, and is sent when it is writable.";
      }
      error = 0;
    }
  }
  return {};
}

}  // namespace

// ---- the selector -------------------------------------------------------------------------------

STEP("07.1", "register, modify, unregister and the map keep the rules") {
  Program& probe = step.probe("rules", {}, {.on_purpose = true});
  const auto rule = [&](const char* cause, const char* line) {
    step.suspect(cause);
    probe.expect_line(line);
  };
  step.suspect_task("07.A", "EpollSelector::EpollSelector");
  rule("A program that is started later must not inherit the epoll: epoll_create1(EPOLL_CLOEXEC).",
       "the epoll: open, close-on-exec");
  step.suspect_task("07.A", "EpollSelector::register_fd");
  rule("register_fd() enters the key and returns it.", "register: READ with data a; 1 in the map");
  rule("add_key() refuses a descriptor that is registered; the key it had stays.",
       "register it again: std::invalid_argument; still READ with data a");
  const char* const mask =
      "add_key() refuses what is no event before anything is entered. Is it called first, and its "
      "exception let through?";
  rule(mask, "register for no events: std::invalid_argument; 1 in the map");
  rule(mask, "register for the events 4: std::invalid_argument; 1 in the map");
  rule(mask, "register descriptor -1: std::invalid_argument; 1 in the map");
  const char* const refused =
      "When epoll_ctl() refuses a descriptor, register_fd() takes the key out again, and throws "
      "std::system_error with the errno that epoll_ctl() left.";
  rule(refused,
       "register a closed descriptor: std::system_error, Bad file descriptor; 1 in the map");
  rule(refused, "register /dev/null: std::system_error, Operation not permitted; 1 in the map");
  step.suspect_task("07.A", "EpollSelector::modify");
  rule(
      "modify() replaces both, the events and the data, in the key and in what select() hands out.",
      "modify: WRITE with data b; the key: WRITE with data b; select: WRITE with data b");
  step.suspect_task("07.A", "EpollSelector::register_fd");
  rule("What is still ready is told at each select(): ask the kernel for no EPOLLET.",
       "select once more: WRITE with data b");
  step.suspect_task("07.A", "EpollSelector::modify");
  rule("modify() replaces the data too, even if the events stay as they are.",
       "modify the data alone: WRITE with data a; the key: WRITE with data a; select: WRITE with "
       "data a");
  rule("modify() refuses what is no event, and changes nothing then. replace_key() sees to it.",
       "modify to no events: std::invalid_argument; the key: WRITE with data a");
  rule("modify() of an unknown descriptor is std::out_of_range, as replace_key() throws it.",
       "modify an unknown one: std::out_of_range");
  step.suspect_task("07.A", "EpollSelector::unregister");
  rule("unregister() takes the key out, and tells the kernel (EPOLL_CTL_DEL).",
       "unregister: WRITE with data a; 1 in the map; select: nothing");
  rule("The second unregister() finds no key: remove_key() throws std::out_of_range.",
       "unregister it again: std::out_of_range");
  rule("A descriptor that was unregistered may come back. Was the kernel told to forget it?",
       "register it after that: WRITE with data b; select: WRITE with data b");
  step.suspect_task("07.A", "EpollSelector::modify");
  rule("With the same events modify() asks nothing of the kernel: it does not know the data.",
       "modify the data alone, of a closed one: WRITE with data a");
  rule(
      "When epoll_ctl() refuses a change, the descriptor is not registered any more, and "
      "std::system_error is thrown.",
      "modify the events of a closed one: std::system_error, Bad file descriptor; 0 in the map");
  step.suspect_task("07.A", "EpollSelector::unregister");
  const char* const closed =
      "The kernel forgets a descriptor when it is closed. EPOLL_CTL_DEL fails then (EBADF, or "
      "ENOENT or EPERM if the number was given away): that is no error of unregister().";
  rule(closed, "unregister a closed one: READ with data a; 0 in the map");
  rule(closed, "unregister a number that was given to another: READ with data a; 0 in the map");
  rule(closed, "unregister a number that a file has now: READ with data a; 0 in the map");
  step.suspect_task("07.A", "EpollSelector::register_fd");
  rule("The number belongs to another descriptor now, which is registered anew.",
       "register the other: WRITE with data b; select: WRITE with data b");
  step.suspect_task("07.A", "EpollSelector::close");
  rule("close() closes the epoll's own descriptor, and BaseSelector::close() forgets the keys.",
       "close: its own descriptor was open and is closed; 0 in the map");
  step.suspect_task("07.A", "EpollSelector::modify");
  rule("A closed selector throws std::logic_error from everything: check_open().",
       "after close: register std::logic_error, modify std::logic_error, unregister "
       "std::logic_error");
  step.suspect_task("07.B");
  rule("A closed selector throws std::logic_error from everything: check_open().",
       "after close: select std::logic_error");
  probe.expect_exit(0);
}

STEP("07.2", "select tells what is ready, and waits as long as it was told") {
  Program& probe = step.probe("readiness", {}, {.nofile = 2048, .on_purpose = true});
  const auto situation = [&](Program& program, const char* cause, const char* line) {
    step.suspect(cause);
    program.expect_line(line);
  };
  situation(probe, "There is room to send, and nothing to receive: EVENT_WRITE alone.",
            "a fresh pair: WRITE");
  situation(probe, "One descriptor can be ready for both, and is then told once, with both.",
            "a byte has come: READ and WRITE");
  situation(probe,
            "What is still unread is told again. With EPOLLET (edge-triggered) the kernel tells it "
            "once only: do not ask for that.",
            "asked again, the byte still unread: READ and WRITE");
  situation(probe, "Nothing is left to read.", "the byte is read: WRITE");
  situation(probe, "There is neither room to send nor anything to receive.",
            "the socket is full: nothing");
  situation(probe, "A timeout of zero or less looks, and does not wait. -1 would be: for ever.",
            "timeout 0: nothing");
  probe.expect_line("timeout -1 s: nothing");
  const char* const hang_up =
      "EPOLLHUP and EPOLLERR come unasked. They are told as every event that was registered: the "
      "next recv() or send() says what it is.";
  situation(probe, hang_up, "the other end is closed, watched for READ: READ");
  situation(probe, hang_up, "the other end is closed, watched for WRITE: WRITE");
  situation(probe, hang_up, "the other end is closed, watched for READ and WRITE: READ and WRITE");
  situation(probe, hang_up, "a pipe without its writer: READ");
  situation(probe, hang_up, "a full pipe: nothing");
  situation(probe, hang_up, "a full pipe without its reader: WRITE");
  situation(probe,
            "A timeout was rounded down: 1.5 ms became 1 ms. So the last part of every wait turns "
            "into a busy loop. Round up: Countdown::milliseconds().",
            "1.5 ms, 40 times: nothing");
  situation(probe,
            "Without a descriptor select() waits for its timeout. epoll_wait() wants room for one "
            "event at least (EINVAL).",
            "no descriptor, 20 ms: nothing");
  situation(probe,
            "A signal interrupts epoll_wait() (EINTR): wait again, for the rest of the time. The "
            "whole time again would be too long, and giving up too short.",
            "a signal every 4 ms, 60 ms: nothing");
  situation(
      probe,
      "Without a timeout select() waits for as long as it takes (-1 for epoll_wait(), not 0), "
      "and after a signal it looks again: what its handler did may be there.",
      "a byte from a signal's handler, no timeout: READ");
  situation(probe, "The kernel has forgotten a closed descriptor: it is silent.",
            "closed, and still registered: nothing");
  situation(probe,
            "The kernel told of a number that is not registered any more: a copy of the closed "
            "descriptor keeps it in the epoll (man 7 epoll). Such an event is passed over.",
            "closed, then unregistered, and a copy lives: nothing");
  situation(probe, "All of them are ready; select() may need several calls to tell so many.",
            "1100 descriptors: 1100 ready");
  probe.expect_exit(0);

  // A machine that stood still for the whole time has ended even a wait that begins anew each time:
  // its timeouts tell.
  Program& signals = step.probe("readiness", {"--signals"});
  const char* const rest =
      "A signal interrupts epoll_wait() (EINTR): wait again, for the rest of the time. The whole "
      "time again would be too long, and giving up too short.";
  situation(signals, rest, "a signal every 4 ms, 60 ms: nothing");
  signals.expect_exit(0);
  if (const RecorderLog* log = signals.recorder_if_any()) {
    if (const auto again = begun_anew(*log, 20, 60)) {
      step.check(false, "after some signals a shorter wait than before",
                 "again " + std::to_string(*again) + " ms");
    }
  }

  // (It goes on until it is killed, and dozes then.)
  Program& interrupted = step.probe("readiness", {},
                                    {.faults = {Fault::fail(Calls::any_wait, EINTR).every(2)},
                                     .nofile = 2048,
                                     .on_purpose = true});
  situation(interrupted,
            "epoll_wait() was interrupted by a signal (EINTR), which is no error: wait again.",
            "a fresh pair: WRITE");
  interrupted.expect_line("a byte has come: READ and WRITE");
  interrupted.kill();

  step.suspect(
      "epoll_wait() failed (ENOMEM), and select() did not throw. Only EINTR is asked again: what "
      "else it says goes to the caller, as std::system_error.");
  Program& failing = step.probe(
      "readiness", {},
      {.faults = {Fault::fail(Calls::any_wait, ENOMEM)}, .nofile = 2048, .on_purpose = true});
  if (failing.recorder_if_any() == nullptr) return failing.kill();  // nobody makes it fail
  const std::string said = failing.next_line();
  step.check(said.find("Cannot allocate memory") != std::string::npos,
             "select() throws: Cannot allocate memory", said);
  failing.kill();
}

// ---- the server ---------------------------------------------------------------------------------

// These servers are killed: how one ends by a signal is looked at in 07.7 and 07.8.

STEP("07.3", "200 clients at once: one thread, no child") {
  constexpr std::size_t crowd = 200;
  for (const char* const build : {"checked", "plain"}) {
    step.suspect(
        "The first client gets no answer. Is its connection registered, and served when it is "
        "readable?");
    Server& server = start(step, {.build = build});
    Peer& first = step.connect(server);
    ask(step, server, first, step.word() + "\n");

    step.suspect(
        "What a client has said of a line belongs to its connection: a session for each, and not "
        "one for all. Each readiness serves the connection whose key it names.");
    std::vector<Peer*> clients;
    std::vector<std::string> words;
    for (std::size_t i = 0; i < crowd; ++i) {
      clients.push_back(&step.connect(server));
      words.push_back(step.word());
      clients.back()->send(words.back());  // the line is not whole: there is nothing to answer
    }
    for (std::size_t i = crowd; i-- > 0;) {
      clients[i]->send(std::to_string(i) + "\n");
      clients[i]->expect(Step::upper(words[i]) + std::to_string(i) + "\n");
    }
    step.suspect("One thread serves them all: no thread and no process for a connection.");
    // (A sanitizer has a thread of its own.)
    step.check(
        build != std::string_view("plain") || server.threads() == 1, "one thread",
        std::to_string(server.threads()) + " threads with " + std::to_string(crowd) + " clients");
    step.check(server.children().empty(), "no child process",
               std::to_string(server.children().size()) + " children");
    step.suspect(
        "A client's end of file ends what it says: ended() is called, the last answer goes out, "
        "then the connection is closed.");
    for (std::size_t i = 0; i < crowd; ++i) {
      clients[i]->send(words[i]).half_close();
      clients[i]->expect(Step::upper(words[i]));
      clients[i]->expect_end();
    }
    ask(step, server, first, step.word() + "\n");
    server.dismiss();
  }

  step.suspect("The mix-in uses the selector that it was given, whatever its kind.");
  for (const char* const kind : {"poll", "select"}) {
    Server& other = start(step, {.args = {"--selector", kind}});
    Peer& one = step.connect(other);
    Peer& two = step.connect(other);
    ask(step, other, two, step.word() + "\n");
    ask(step, other, one, step.word() + "\n");
    other.dismiss();
  }
  step.suspect("The mix-in does the same for a UnixStreamServer.");
  Server& on_path = start(step, {.args = {"--path", step.path("s")}});
  Peer& local = step.connect(on_path);
  ask(step, on_path, local, step.word() + "\n");
  on_path.dismiss();
}

STEP("07.4", "a client that does not read holds up nobody") {
  Server& server = start(step);
  server.may_say("processing of request from");
  Peer& other = step.connect(server);
  ask(step, server, other, step.word() + "\n");
  step.suspect(
      "One client sends and never reads, so its socket is full in the end: then send() takes only "
      "a part, or nothing (EAGAIN). That is no error and no reason to wait: the rest stays with "
      "the connection until it is writable.");
  Peer& deaf = step.connect(server);
  deaf.send_in_background(numbered_lines(step, flood));
  wait_until_stalled(step, server, {&deaf}, other);
  Peer& late = step.connect(server);
  ask(step, server, late, step.word() + "\n");
  step.suspect(
      "The client that never reads goes away, with answers on their way to it: its "
      "connection alone ends, and what send() or recv() has said is reported.");
  const std::string who = deaf.local().text();
  deaf.reset();
  server.expect_error_contains("request from " + who);
  ask(step, server, other, step.word() + "\n");
  ask(step, server, late, step.word() + "\n");
  server.dismiss();
}

STEP("07.5", "16 MiB comes back whole to a slow reader") {
  step.know([&] { return ended_by_not_now(step); }, "07.E", "SelectorMixIn::wait");
  step.suspect(
      "send() took fewer bytes than it was given, or none (EAGAIN), and the rest was not sent "
      "later, or twice. What is left stays in the connection's output, in order, until it is "
      "writable.");
  Server& in_pieces =
      start(step, {.faults = {Fault::fail(Calls::any_send, EINTR).every(3).on_streams(),
                              Fault::fail(Calls::any_send, EAGAIN).at(2).every(3).on_streams(),
                              Fault::shorten(Calls::any_send, 1000).on_streams()}});
  const std::string some = numbered_lines(step, 64 * 1024);
  Peer& quick = step.connect(in_pieces);
  quick.send(some).half_close();
  quick.expect(Step::upper(some));
  quick.expect_end();
  in_pieces.dismiss();

  Server& server = start(step);
  const std::string all = numbered_lines(step, flood);
  Peer& other = step.connect(server);
  Peer& slow = step.connect(server);
  slow.send_in_background(all);
  wait_until_stalled(step, server, {&slow}, other);
  step.suspect(
      "The client reads now, and there is room again. While answers wait, the connection is "
      "registered for EVENT_WRITE; when they have gone it is read from again.");
  expect_all(slow, Step::upper(all));
  slow.half_close();
  slow.expect_end();
  server.dismiss();
}

STEP("07.6", "shows what comes while the terminal is silent, and the reverse") {
  const auto start_client = [&](kit::Listener& partner, kit::Input input,
                                std::string build = {}) -> Program& {
    return step.client({.args = {"--host", "127.0.0.1", "--port", std::to_string(partner.port())},
                        .build = std::move(build),
                        .input = input});
  };
  // (Who waits in recv() and read(), with a thread for each, has no wait to spin in.)
  const auto expect_asleep = [&](Program& client) {
    if (!RecorderLog::available() || client.recorder().count(Calls::any_wait) == 0) return;
    step.suspect(
        "The terminal has ended: from now on it is ready for ever, and to wait for it is to spin. "
        "Watch it no longer.");
    step.wait_until([&] { return !client.alive() || is_asleep(step, client); },
                    "the client sleeps until the server speaks");
  };
  kit::Listener& partner = step.listen();
  Program& client = start_client(partner, kit::Input::pipe);
  Peer& server = partner.accept();
  step.suspect(
      "The terminal is silent and the server speaks: a client that sits in read() on the "
      "terminal does not hear it. Wait for both, in the selector.");
  wait_until_it_waits(step, client);
  const std::string news = step.word();
  server.send(news);
  client.expect_printed(news);
  step.suspect("What is typed is sent as soon as it is there.");
  const std::string typed = step.word() + "\n";
  client.type(typed);
  server.expect(typed);
  step.suspect(
      "The client made its standard input non-blocking. That is no setting of the number but of "
      "the terminal, which it shares with the shell: the next program finds it so. Wait in the "
      "selector, and read when it is ready.");
  step.check(!kit::proc::is_nonblocking(client.pid(), 0), "standard input as the client found it",
             "O_NONBLOCK is set");
  step.suspect(
      "The terminal is silent and the server speaks: a client that sits in read() on the "
      "terminal does not hear it. Wait for both, in the selector.");
  wait_until_it_waits(step, client);
  server.send("more\n");
  client.expect_printed("more\n");
  step.suspect(
      "A single byte was lost: what read() and recv() return is a number of bytes, and 1 is one of "
      "them. Only 0 is the end.");
  server.send("!");
  client.expect_printed("!");
  client.type("x");
  server.expect("x");
  step.suspect(
      "End of input: shutdown(fd, SHUT_WR) tells the server that no more will come, once "
      "everything typed is sent.");
  client.type("last");
  client.end_input();
  server.expect("last");
  server.expect_end();
  expect_asleep(client);
  step.suspect(
      "After the end of its input the client goes on to show what comes, until the server "
      "ends.");
  server.send("the rest\n");
  client.expect_printed("the rest\n");
  server.send("and the end");
  server.close();
  client.expect_output(news + "more\n!the rest\nand the end");

  step.suspect(
      "A file or /dev/null as terminal: epoll refuses it (EPERM). It is always ready; "
      "watch_terminal() says so, and the client reads it without waiting.");
  Program& unattended = start_client(partner, kit::Input::nothing);
  Peer& second = partner.accept();
  second.expect_end();
  expect_asleep(unattended);
  step.suspect(
      "After the end of its input the client goes on to show what comes, until the server "
      "ends.");
  second.send("still there\n");
  second.close();
  unattended.expect_output("still there\n");

  step.suspect(
      "Both send much at once, and neither reads before it has sent. The client must hear "
      "while it waits to send (MSG_DONTWAIT, and EVENT_WRITE while something is left), or "
      "the two wait for each other for ever.");
  Program& busy = start_client(partner, kit::Input::pipe);
  Peer& third = partner.accept();
  const std::string much = numbered_lines(step, flood);
  busy.type(much);
  third.expect(std::string_view(much).substr(0, 1024));  // it has begun; from now on nobody reads
  wait_until_it_waits(step, busy);
  third.send_in_background(much);
  step.wait_until([&] { return third.unsent() == 0 && busy.process().out().size() >= much.size(); },
                  "the client shows all that the server sends, while its own words wait",
                  [&] {
                    return kit::with_commas(busy.process().out().size()) + " bytes shown, " +
                           kit::with_commas(third.unsent()) + " not taken";
                  });
  step.suspect(
      "When what was left has gone, the terminal is read again, up to its end. Then comes the "
      "half-close.");
  busy.end_input();
  const std::string rest = third.read_all();
  const std::string_view all_rest = std::string_view(much).substr(1024);
  if (rest.size() < all_rest.size() && all_rest.starts_with(rest)) {
    step.suspect(
        "The client half-closes, or ends, while something is left (after a half-close send() "
        "fails: EPIPE). shutdown(fd, SHUT_WR) only when everything typed is sent.");
  } else {
    step.suspect(
        "What send() did not take was not sent later, or twice. It is kept, in order, and goes "
        "when the connection is writable: EVENT_WRITE while something is left.");
  }
  step.check(rest == all_rest, "all that was typed, as it was typed",
             kit::with_commas(rest.size()) + " of " + kit::with_commas(all_rest.size()) + " bytes" +
                 (rest.size() < all_rest.size() ? "" : ", and not the same"));
  step.suspect("The server has ended, and everything is shown: the client exits with status 0.");
  third.close();
  busy.expect_exit(0);

  // Whoever reads on keeps what the sockets do not hold: some 22 MiB.
  if (RecorderLog::available()) {
    constexpr std::size_t room_kib = 8 * mebibyte / 1024;
    step.suspect(
        "The server takes nothing, and the client reads on from its terminal, and keeps it all. "
        "While something is left unsent, do not read from the terminal.");
    Program& pasted = start_client(partner, kit::Input::pipe, "plain");
    partner.accept();
    wait_until_it_waits(step, pasted);
    const std::size_t before = pasted.rss_kib();
    pasted.type(numbered_lines(step, 2 * flood));
    for (std::size_t now = before, last = 0; now != last && now <= before + room_kib;) {
      wait_until_it_waits(step, pasted);
      last = std::exchange(now, pasted.rss_kib());
    }
    const std::size_t now = pasted.rss_kib();
    step.check(now <= before + room_kib,
               "at most " + kit::with_commas(before + room_kib) + " KiB of memory",
               kit::with_commas(now) + " KiB, of which " + kit::with_commas(before) +
                   " before 32 MiB were typed");
    pasted.kill();
  }

  step.suspect(
      "The connection was reset: recv() returned -1. The client says so on stderr, and "
      "exits with status 1.");
  Program& cut_off = start_client(partner, kit::Input::pipe);
  Peer& rude = partner.accept();
  cut_off.type("hello\n");
  rude.expect("hello\n").reset();
  cut_off.expect_error_sentence();

  if (RecorderLog::available()) {
    // One that moves its bytes by another call meets no fault.
    const auto a_while = [] { return kit::after(kit::event_time() / 4); };
    const auto never_blocks = [](Program& one) {
      const auto calls = one.recorder().records();
      return std::ranges::any_of(calls, [&](const kit::CallRecord& call) {
        return call.is(Calls::any_recv | Calls::any_send) &&
               (call.text().find("MSG_DONTWAIT") != std::string::npos ||
                kit::proc::is_nonblocking(one.pid(), static_cast<int>(call.arguments[0])));
      });
    };
    step.suspect(
        "A signal has interrupted the client's recv() or send() (EINTR), or there was nothing for "
        "it after all (EAGAIN). That is neither an end nor an error: ask again when it is ready "
        "again.");
    Program& patient = start_client(partner, kit::Input::pipe);
    Peer& speaker = partner.accept();
    wait_until_it_waits(step, patient);
    for (const int error : {EINTR, EAGAIN}) {
      if (error == EAGAIN && !never_blocks(patient)) continue;
      auto in_recv = patient.recorder().add(Fault::fail(Calls::any_recv, error).on_streams());
      auto in_send = patient.recorder().add(Fault::fail(Calls::any_send, error).on_streams());
      const std::string shown = step.word(), said = step.word();
      speaker.send(shown);
      step.await([&] { return in_recv.delivered() > 0 || !patient.alive(); }, a_while());
      speaker.send("\n");
      patient.expect_printed(shown + "\n");
      patient.type(said);
      step.await([&] { return in_send.delivered() > 0 || !patient.alive(); }, a_while());
      speaker.send("\n");  // whoever is told of changes alone looks again
      speaker.expect(said);
      patient.expect_printed("\n");
    }
    speaker.close();
    patient.expect_exit(0);

    step.suspect(
        "send() has failed, and the client goes on as if nothing were. What recv() and send() "
        "report, a sentence on stderr tells, and the client exits with status 1.");
    Program& unheard = start_client(partner, kit::Input::pipe);
    Peer& deaf = partner.accept();
    wait_until_it_waits(step, unheard);
    auto broken = unheard.recorder().add(Fault::fail(Calls::any_send, ECONNRESET).on_streams());
    unheard.type("hello\n");
    step.await([&] { return broken.delivered() > 0 || !unheard.alive(); }, a_while());
    wait_until_it_waits(step, unheard);
    step.check(broken.delivered() == 0 || deaf.unread().empty(),
               "nothing is sent where send() has failed", "it was called again");
    deaf.reset();  // one that has a thread for each direction learns of it now
    unheard.expect_error_sentence();
  }
  const auto start_with_file = [&](const std::string& file) -> Program& {
    return step.client({.args = {"--host", "127.0.0.1", "--port", std::to_string(partner.port())},
                        .input_file = file});
  };
  const auto expect_sleep = [&](Program& one, const char* sentence) {
    wait_until_it_waits(step, one);
    if (RecorderLog::available() && one.recorder().count(Calls::any_wait) > 0) {
      step.wait_until([&] { return !one.alive() || is_asleep(step, one); }, sentence);
    }
    one.kill();
  };
  step.suspect(
      "The terminal cannot be read (its read() returns -1), and the client asks again and "
      "again. It says so on stderr and ends, or takes it for the end of input.");
  Program& unread = start_with_file("/");  // a folder
  partner.accept();
  unread.may_say("");
  expect_sleep(unread, "the client ends, or sleeps until the server speaks");

  step.suspect(
      "The server takes nothing, and the client turns: its terminal is a file, which is always "
      "ready. While something is left unsent nothing is read from it, and it is no reason not to "
      "sleep.");
  std::ofstream(step.path("typed")) << numbered_lines(step, flood);
  Program& file_reader = start_with_file(step.path("typed"));
  partner.accept();
  expect_sleep(file_reader, "the client sleeps");

  step.suspect(
      "The server had gone when something was typed, send() raised SIGPIPE, and the signal ended "
      "the client. MSG_NOSIGNAL keeps it away.");
  kit::Listener& local = step.listen(step.unix_address("left"));
  Program& left = step.client({.args = {"--path", step.path("left")}, .input = kit::Input::pipe});
  Peer& leaver = local.accept();
  wait_until_it_waits(step, left);
  left.may_say("");  // whether it learns of it by send() or by recv() is open
  left.signal(SIGSTOP);
  left.type("hello\n");
  leaver.close();
  left.signal(SIGCONT);
  step.check(left.wait_exit().signal != SIGPIPE, "a client that ends by itself",
             "SIGPIPE has ended it");
}

// ---- harden -------------------------------------------------------------------------------------

STEP("07.7", "an idle server sleeps, with 100 silent clients") {
  constexpr int crowd = 100;
  const auto settle = [&](Server& server) {
    std::vector<Peer*> clients;
    for (int i = 0; i < crowd; ++i) clients.push_back(&step.connect(server));
    for (Peer* client : clients) ask(step, server, *client, step.word() + "\n");
  };
  const char* const wakes =
      "Nobody says anything, and yet the server does not sleep. A connection that is registered "
      "for EVENT_WRITE with nothing to send is always ready: the loop turns without end. Register "
      "for EVENT_WRITE only after a short send(), and no longer than something is left.";
  step.know(
      [&]() -> std::string {
        const RecorderLog* const log = step.programs().back()->recorder_if_any();
        const bool seen = log != nullptr && log->attached();
        const auto last = seen ? log->last_wait() : std::nullopt;
        if (!last || last->timeout() != 0) return {};
        return "The wait does not wait: " + last->text() +
               " has a timeout of 0, and comes back at once though nothing is ready. Where "
               "nothing is due the wait has no end; otherwise it lasts until then.";
      },
      "07.F", "SelectorMixIn::wait");
  step.suspect_task("07.E", "SelectorMixIn::wait");
  step.suspect(wakes);
  Server& server = start(step, {.build = "checked"});
  settle(server);
  step.wait_until([&] { return is_asleep(step, server); }, "the server sleeps",
                  [&] {
                    return kit::with_commas(server.recorder().count(Calls::any_wait)) +
                           " waits so far, and one more at each look";
                  });
  step.suspect_task("07.F", "SelectorMixIn::wait");
  step.suspect(
      "Nothing is to be done at a certain time, so the wait needs no timeout: a server that "
      "wakes to look around works without end for nothing.");
  const auto wait = server.recorder().last_wait();
  step.check(wait && wait->timeout().value_or(-1) < 0, "a wait without a timeout",
             wait ? wait->text() : "no wait");
  Peer& client = step.connect(server);
  ask(step, server, client, step.word() + "\n");
  server.stop();

  step.suspect_task("07.E", "SelectorMixIn::wait");
  step.suspect(wakes);
  Server& timed = start(step, {.args = {"--idle-timeout", "3600000"}, .build = "checked"});
  settle(timed);
  step.wait_until([&] { return is_asleep(step, timed); }, "the server sleeps");
  step.suspect_task("07.J");
  step.suspect(
      "With --idle-timeout the server sleeps until the first connection is due, and no "
      "shorter.");
  const auto due = timed.recorder().last_wait();
  const std::int64_t timeout = due ? due->timeout().value_or(-1) : 0;
  step.check(timeout < 0 || timeout > 600'000,
             "a wait until the first idle connection is due, in an hour", due ? due->text() : "");
  timed.stop();

  step.suspect_task("07.E", "SelectorMixIn::wait");
  step.suspect(wakes);
  Server& plain = start(step, {.build = "plain"});
  settle(plain);
  const milliseconds before = plain.cpu_time();
  step.await([] { return false; }, kit::after(milliseconds{200}));
  const milliseconds used = plain.cpu_time() - before;
  step.check(used <= milliseconds{50}, "no processor time while all are silent",
             std::to_string(used.count()) + " ms of processor time in 200 ms");
  plain.stop();
}

STEP("07.8", "half-close, reset, hang-up: each connection is forgotten") {
  step.suspect_task("07.F", "SelectorMixIn::wait");
  constexpr std::size_t allowance = 4;  // what a server may open on first use and keep

  // Two are ended by their servers, to which nobody speaks from then on, and stay. What has become
  // of them is looked at when all else is done.
  Server& alone = start(step, {.args = {"--line-limit", "1000"}});
  alone.may_say("processing of request from");
  Peer& first = step.connect(alone);
  ask(step, alone, first, step.word() + "\n");
  const auto alone_at_first = kit::proc::open_sockets(alone.pid());
  Peer& stays = step.connect(alone);
  ask(step, alone, stays, step.word() + "\n");
  stays.send(std::string(1100, 'x'));
  alone.expect_error_contains("longer than 1000 bytes");
  step.suspect(
      "What a session throws ends its own connection, once what it wrote before has gone "
      "out; report_error() says what it was.");
  stays.expect_end_or_reset();
  // To this one bytes are under way for as long as it reads nothing; and once there was no room.
  Peer& slow = step.connect_narrowly(alone);
  ask(step, alone, slow, step.word() + "\n");
  alone.recorder().add(Fault::fail(Calls::any_send, EAGAIN).peer(slow.port()));
  alone.signal(SIGSTOP);
  slow.send(numbered_lines(step, 40 * 1024) + std::string(1100, 'x'));
  step.await([&] { return slow.all_arrived(); }, kit::event_deadline());  // to come in one recv()
  alone.signal(SIGCONT);
  alone.expect_error_contains("request from " + slow.local().text());

  Server& beside = start(
      step, {.args = {"--path", step.path("beside"), "--quiet", "--line-limit", "1000",
                      "--max-output", std::to_string(4 * mebibyte), "--idle-timeout", "3600000"}});
  beside.may_say("processing of request from");
  Peer& silent = step.connect(beside);
  ask(step, beside, silent, step.word() + "\n");
  const auto beside_at_first = kit::proc::open_sockets(beside.pid());
  const std::string some = numbered_lines(step, 2 * mebibyte);
  Peer& late = step.connect(beside);
  late.send_in_background(some).wait_until_taken();
  late.send(std::string(1100, 'x'));
  step.suspect(
      "What a session throws ends its own connection, once what it wrote before has gone "
      "out; report_error() says what it was.");
  beside.expect_error_contains("longer than 1000 bytes");
  late.try_send("unread");
  expect_all(late, Step::upper(some));
  const auto has_end = [&] { return late.ending() != kit::Ending::open; };
  const auto has_none = [&] { return is_asleep(step, beside) && !has_end(); };
  bool untold = false;
  step.await([&] { return has_end() || (untold = has_none()); }, kit::event_deadline(),
             kit::limits::proc_poll);
  step.suspect(
      "What the server had for a client that it ends has gone out, and its end of file has not: "
      "the client waits for it. shutdown(fd, SHUT_WR) first; what it still sends is read away "
      "afterwards.");
  step.check(!untold, "an end of file after the last answer",
             "the server sleeps before it is said");
  late.expect_end_or_reset();

  Server& server = start(step, {.args = {"--line-limit", "1000"}});
  server.may_say("processing of request from");
  Peer& other = step.connect(server);
  ask(step, server, other, step.word() + "\n");
  const std::size_t before = server.open_descriptors();

  step.suspect(
      "A client came back on a number that another had: it inherited something, or was refused. "
      "Unregister a descriptor before it is closed, and forget its connection with it.");
  for (int i = 0; i < 20; ++i) {
    Peer& reset = step.connect(server);
    reset.send("inherited").wait_until_taken();
    reset.reset();
    Peer& closed = step.connect(server);
    closed.send("gone").wait_until_taken();
    closed.close();
    Peer& half = step.connect(server);
    const std::string word = step.word();
    half.send(word).half_close();
    half.expect(Step::upper(word));
    half.expect_end();
    Peer& whole = step.connect(server);
    ask(step, server, whole, step.word() + "\n");
    whole.close();
  }
  step.suspect(
      "A client has reset its connection, and the server says nothing of it: -1 from recv() is no "
      "end of file. Throw what it says; the connection is reported and closed.");
  Peer& rude = step.connect(server);
  rude.send("in the midst").wait_until_taken();
  const std::string who_reset = rude.local().text();
  rude.reset();
  server.expect_error_contains("request from " + who_reset);

  step.suspect(
      "A client hung up while answers waited for it: EPIPE or ECONNRESET from send() ends "
      "that connection alone, and is reported.");
  Peer& deaf = step.connect(server);
  deaf.send_in_background(numbered_lines(step, flood));
  wait_until_stalled(step, server, {&deaf}, other);
  const std::string who = deaf.local().text();
  deaf.reset();
  server.expect_error_contains("request from " + who);
  ask(step, server, other, step.word() + "\n");

  step.suspect(
      "What a session throws ends its own connection, once what it wrote before has gone "
      "out; report_error() says what it was.");
  Peer& wordy = step.connect(server);
  wordy.send("ok\n" + std::string(5000, 'x'));
  wordy.expect("OK\n");
  wordy.expect_end_or_reset();
  server.expect_error_contains("longer than 1000 bytes");
  ask(step, server, other, step.word() + "\n");

  step.suspect("Connections are left open: each of them must be closed in the end.");
  step.expect_descriptors(server, before, allowance);

  step.suspect_task("07.F", "SelectorMixIn::interrupt_requests");
  step.suspect(
      "At the end by a signal every client gets the answer to what it has said: "
      "interrupt_requests() serves on until the last connection is closed.");
  Peer& unfinished = step.connect(server);
  unfinished.send("the end").wait_until_taken();
  server.expect_end_sometime();
  server.signal(SIGTERM);
  unfinished.expect("THE END");
  unfinished.expect_end();
  other.expect_end();
  server.expect_exit(0);

  // The signal comes while one does not read, and one waits in the queue and is taken no more.
  Server& crowded = start(step, {.args = {"--max-output", "1000000000"}});
  crowded.may_say("processing of request from");
  const std::string lines = numbered_lines(step, flood);
  Peer& witness = step.connect(crowded);
  Peer& unread = step.connect(crowded);
  ask(step, crowded, witness, step.word() + "\n");
  unread.send_in_background(lines);
  wait_until_stalled(step, crowded, {&unread}, witness);
  unread.wait_until_taken();
  crowded.signal(SIGSTOP);
  step.connect(crowded);
  crowded.expect_end_sometime();
  crowded.signal(SIGTERM);
  crowded.signal(SIGCONT);
  witness.expect_end();
  const bool sleeps = step.await([&] { return !crowded.alive() || is_asleep(step, crowded); },
                                 kit::event_deadline(), kit::limits::proc_poll);
  if (!sleeps) {
    bool receives = false;
    for (const kit::CallRecord& call : crowded.recorder().records(16)) {
      receives = receives || call.is(Calls::any_recv);
    }
    if (receives) {
      step.suspect_task("07.E", "SelectorMixIn::wait");
      step.suspect(
          "A client's end of file was read, and answers wait for it still: it is readable for "
          "ever. From then on wait for EVENT_WRITE alone.");
    } else {
      step.suspect(
          "The signal has come, and what nobody takes any more is ready again and again: the "
          "listener, in whose queue somebody waits, or the byte in wake_fileno(). Unregister the "
          "listener first, and call drain_wake().");
    }
    step.fail("the server sleeps until the client reads",
              kit::with_commas(crowded.recorder().count(Calls::any_wait)) +
                  " waits so far, and one more at each look");
  }
  step.suspect(
      "At the end by a signal every client gets the answer to what it has said: "
      "interrupt_requests() serves on until the last connection is closed.");
  expect_all(unread, Step::upper(lines));
  unread.expect_end();
  crowded.expect_exit(0);

  step.suspect_task("07.F", "SelectorMixIn::wait");
  step.suspect(
      "A readiness may prove wrong: recv() returns -1 and EAGAIN, or EINTR. That is neither "
      "an end nor an error: the connection is asked again when it is ready again.");
  Server& hesitant = start(step);
  hesitant.may_say("processing of request from");
  Peer& patient = step.connect(hesitant);
  ask(step, hesitant, patient, step.word() + "\n");
  const auto hesitate = [&](Peer& client, int error) {
    auto wrong = hesitant.recorder().add(Fault::fail(Calls::any_recv, error).peer(client.port()));
    const std::string begun = step.word(), rest = step.word() + "\n";
    client.send(begun);
    step.wait_until([&] { return wrong.delivered() > 0; }, "the server calls recv()");
    client.send(rest).expect(Step::upper(begun + rest));
  };
  for (const int error : {EAGAIN, EINTR, EAGAIN}) hesitate(patient, error);
  patient.half_close();
  patient.expect_end();
  Peer& fresh = step.connect(hesitant);
  hesitate(fresh, EAGAIN);  // its very first readiness
  hesitant.stop();

  step.suspect_task("07.D", "SelectorMixIn::process_request");
  step.suspect(
      "The kernel has refused to watch a new connection (ENOSPC), and its client is left hanging. "
      "What register_fd() throws is reported, and costs that client alone.");
  Server& unable = start(step);
  unable.may_say("processing of request from");
  Peer& inside = step.connect(unable);
  ask(step, unable, inside, step.word() + "\n");
  kit::FaultHandle refusal = unable.recorder().add(Fault::fail(Calls::epoll_ctl, ENOSPC));
  Peer& refused = step.connect(unable);
  refused.send(step.word() + "\n");
  step.await([&] { return refusal.delivered() > 0 || !refused.unread().empty(); },
             kit::event_deadline());
  if (refusal.delivered() > 0) {  // or its selector does not ask epoll
    refused.expect_end_or_reset();
    unable.expect_error_contains("processing of request from " + refused.local().text());
  }
  ask(step, unable, inside, step.word() + "\n");
  unable.stop();

  step.suspect_task("07.E", "SelectorMixIn::wait");
  step.suspect(
      "A client of a path had gone before its answer, send() raised SIGPIPE, and the signal ended "
      "the server. MSG_NOSIGNAL keeps it away.");
  Server& on_path = start(step, {.args = {"--path", step.path("s")}});
  on_path.may_say("processing of request from");
  Peer& inhabitant = step.connect(on_path);
  ask(step, on_path, inhabitant, step.word() + "\n");
  on_path.signal(SIGSTOP);
  Peer& hasty = step.connect(on_path);
  hasty.send(step.word() + "\n").close();
  on_path.signal(SIGCONT);
  for (int i = 0; i < 3; ++i) ask(step, on_path, inhabitant, step.word() + "\n");
  on_path.stop();

  step.suspect(
      "A client that the server has ended stays, and its connection is kept for ever. Nothing "
      "comes any more: the clock ends it, and the wait is no longer than until then.");
  const auto has_closed = [&](Server& one, const std::optional<std::size_t>& most) {
    const auto closed = [&] {
      return !most || kit::proc::open_sockets(one.pid()).value_or(0) <= *most;
    };
    step.check(step.await(closed, kit::after(3 * kit::event_time()), milliseconds{20}),
               "the connection of a client that stays is closed in the end", "it is open");
  };
  has_closed(alone, alone_at_first);
  has_closed(beside, beside_at_first);
  alone.dismiss();
  beside.dismiss();
}

STEP("07.9", "memory is bounded when a client sends and never reads") {
  constexpr std::size_t crowd = 4;
  constexpr std::size_t max_output = 256 * 1024;
  // Twice the bound for each (a buffer may double), and 8 MiB for everything else.
  constexpr std::size_t room_kib = (crowd * 2 * max_output + 8 * mebibyte) / 1024;
  step.suspect(
      "The server reads on from clients that take no answer, and keeps the answers: whoever sends "
      "enough ends it. While --max-output bytes wait for a client, do not read from it: register "
      "it for EVENT_WRITE alone.");
  Server& server = start(step, {.args = {"--max-output", std::to_string(max_output), "--quiet"}});
  server.may_say("processing of request from");
  Peer& other = step.connect(server);
  ask(step, server, other, step.word() + "\n");
  const std::size_t before = server.rss_kib();
  std::vector<Peer*> deaf;
  const std::string lines = numbered_lines(step, 2 * flood);
  for (std::size_t i = 0; i < crowd; ++i) {
    deaf.push_back(&step.connect(server));
    deaf.back()->send_in_background(lines);
  }
  const auto bounded = [&] {
    const std::size_t now = server.rss_kib();
    step.check(now <= before + room_kib,
               "at most " + kit::with_commas(before + room_kib) + " KiB of memory",
               kit::with_commas(now) + " KiB, of which " + kit::with_commas(before) + " before " +
                   std::to_string(crowd) + " clients began to send");
  };
  // While it grows without bound there is no need to wait for its end.
  for (int look = 0; look < 20; ++look) {
    bounded();
    step.await([] { return false; }, kit::after(milliseconds{5}));
  }
  wait_until_stalled(step, server, deaf, other);
  bounded();
  step.suspect("The client reads at last, and everything is there.");
  const std::string answer = Step::upper(lines);
  deaf[0]->expect(std::string_view(answer).substr(0, mebibyte));
  for (Peer* peer : deaf) peer->reset();
  ask(step, server, other, step.word() + "\n");
  server.stop();
}

STEP("07.10", "one flooding client does not starve the rest") {
  constexpr std::uint64_t most = 100;     // what the page says
  constexpr std::uint64_t endless = 200;  // as much as the flooding client has to say
  step.suspect(
      "One client sends faster than the server reads, and the server reads from it until nothing "
      "is left: nobody else has a turn. Read once for each readiness: what is left is told again, "
      "after the others.");
  Server& server = start(step, {.args = {"--max-output", "1000000000"}});
  server.may_say("processing of request from");
  Peer& flooding = step.connect(server);
  Peer& other = step.connect(server);
  ask(step, server, flooding, step.word() + "\n");
  ask(step, server, other, step.word() + "\n");

  // Both have something to say before the server looks, the one that floods first.
  wait_until_it_waits(step, server);
  server.signal(SIGSTOP);
  auto held = server.recorder().add(Fault::hold(Calls::any_send).peer(other.port()));
  auto flood_of = server.recorder().add(Fault::endless().peer(flooding.port()).times(endless));
  flooding.send("x");
  const std::string word = step.word() + "\n";
  other.send(word);
  server.signal(SIGCONT);
  step.wait_until([&] { return held.holding() > 0; }, "the other client is answered",
                  [] { return std::string("no answer to it is on its way"); });
  const std::uint64_t reads = flood_of.delivered();
  step.check(reads <= most,
             "the other client has its turn within " + std::to_string(most) +
                 " reads from the one that floods",
             kit::with_commas(reads) + " reads came before it");
  held.release();
  other.expect(Step::upper(word));
  flooding.reset();
  ask(step, server, other, step.word() + "\n");
  server.stop();
}

STEP("07.11", "without descriptors left it waits, and goes on when one is free") {
  constexpr std::size_t limit = 40;
  constexpr std::uint64_t few = 200;  // 50 ms apart there are some 10 in the time of the look
  Server& server = start(step, {.build = "plain", .nofile = limit});
  server.may_say("processing of request from");
  server.may_say("cannot take a request");
  server.may_say("there is room for about");
  std::vector<Peer*> clients;
  const auto newcomer = [&] {
    clients.push_back(&step.connect(server));
    clients.back()->send("hello\n");
  };
  step.suspect(
      "accept() found no free descriptor (EMFILE). That is no end: those who are connected are "
      "served on.");
  const auto ran_out = [&] { return server.errors().find("accept") != std::string_view::npos; };
  while (!ran_out() && clients.size() < 2 * limit) {
    newcomer();
    step.wait_until([&] { return !clients.back()->unread().empty() || ran_out(); },
                    "an answer, or \"accept: Too many open files\" on stderr");
  }
  newcomer();
  wait_until_it_waits(step, server);
  std::vector<Peer*> inside, outside;
  for (Peer* client : clients) (client->unread().empty() ? outside : inside).push_back(client);
  step.check(!outside.empty() && inside.size() > outside.size(),
             "no more clients than there are descriptors (" + std::to_string(limit) + ")",
             std::to_string(inside.size()) + " of " + std::to_string(clients.size()) +
                 " clients were answered");
  for (Peer* client : inside) {
    client->expect("HELLO\n");
    ask(step, server, *client, step.word() + "\n");
  }
  step.suspect("A client has gone and its descriptor is free: whoever waits in the queue is next.");
  for (std::size_t i = 0; i < outside.size(); ++i) {
    inside[i]->half_close();
    inside[i]->expect_end();
  }
  for (Peer* client : outside) client->expect("HELLO\n");
  server.stop();

  step.suspect(
      "The listener stays readable as long as somebody waits in its queue: with no "
      "descriptor free, accept() fails at once. The loop leaves it alone for a while: wait() is "
      "called with for_requests false, and must not have the listener registered then.");
  // (The clock of another limit is not what it waits for: that one is far away.)
  Server& full = start(step, {.args = {"--idle-timeout", "3600000"}, .build = "checked"});
  full.may_say("processing of request from");
  full.may_say("cannot take a request");
  full.may_say("there is room for about");
  Peer& guest = step.connect(full);
  ask(step, full, guest, step.word() + "\n");
  auto failing = full.recorder().add(Fault::fail(Calls::any_accept, EMFILE).always().in_a_row());
  Peer& late = step.connect(full);
  late.send("hello\n");
  step.wait_until([&] { return failing.delivered() >= 2; },
                  "accept() is called again, after a while");
  const std::uint64_t before = failing.delivered();
  int naps = 0;
  step.await(
      [&] {
        naps += kit::proc::waits_in(full.pid()).starts_with("sleep") ? 1 : 0;
        return false;
      },
      kit::after(milliseconds{240}), milliseconds{10});
  const std::uint64_t failed = failing.delivered() - before;
  step.check(failed <= few, "a server that waits",
             kit::with_commas(failed) + " failed calls of accept() in 240 ms");
  step.suspect(
      "The one thread sleeps for the pause, and meanwhile serves nobody. Unregister the listener, "
      "and let select() wait no longer than the pause lasts.");
  step.check(naps < 3, "a server that leaves its listener alone, and waits for the others",
             "it sleeps in sleep_for(), at " + std::to_string(naps) + " looks in 240 ms");
  ask(step, full, guest, step.word() + "\n");
  failing.withdraw();
  late.expect("HELLO\n");
  full.stop();
}

namespace {

// Some speak on and some are silent. Returns whether this check has seen it: on a machine so busy
// that it falls silent itself, there is nothing to be said of who was closed.
bool saw_who_is_idle(Step& step, milliseconds timeout) {
  Server& server = start(step, {.args = {"--idle-timeout", std::to_string(timeout.count())}});
  Peer& lively = step.connect(server);
  ask(step, server, lively, step.word() + "\n");
  auto last = kit::Clock::now();
  milliseconds longest{0};  // that our own clients were silent
  const auto in_time = [&] {
    const auto now = kit::Clock::now();
    longest = std::max(longest, std::chrono::ceil<milliseconds>(now - last));
    last = now;
    return longest < timeout / 2;
  };
  // One who has said all, and takes the answer so slowly that the server sends now and then. (What
  // a path takes ahead of its reader is known: some 200 KiB.)
  constexpr std::size_t some = 192 * 1024;
  Server& local = start(step, {.args = {"--path", step.path("s"), "--quiet", "--max-output",
                                        std::to_string(4 * mebibyte), "--idle-timeout",
                                        std::to_string(timeout.count())}});
  const std::string lines = numbered_lines(step, 2 * mebibyte);
  const std::string answer = Step::upper(lines);
  Peer& slow = step.connect(local);
  slow.send_in_background(lines).wait_until_taken();
  std::size_t taken = 0;
  const auto take = [&](std::size_t most) {
    step.suspect(
        "A client that takes its answer slowly was closed as if it were idle. What the server "
        "sends moves on the connection, too.");
    slow.expect(std::string_view(answer).substr(taken, most));
    taken += std::min(most, answer.size() - taken);
  };
  take(some);
  auto last_taken = kit::Clock::now();

  Peer& mumbling = step.connect(server);  // speaks on, and has no answer yet: its line has no end
  std::size_t mumbled = 0;
  Peer& silent = step.connect(server);
  silent.send("half a line");
  const auto give_up = kit::after(timeout + kit::event_time());
  while (silent.ending() == kit::Ending::open && kit::Clock::now() < give_up) {
    step.suspect(
        "A client that goes on to speak is not idle: each time something moves on a connection "
        "its time begins anew.");
    if (in_time()) ask(step, server, lively, step.word() + "\n");
    if (in_time()) mumbled += mumbling.try_send("m");
    if (in_time() && last - last_taken >= timeout / 4) {
      take(some);
      last_taken = last;
    }
    step.await([] { return false; }, kit::after(timeout / 20));
  }
  step.suspect(
      "As long as another one speaks, the silent one is not closed: each has a time of its own. "
      "Where only the first of a list is looked at, whoever moves goes to its end.");
  step.check(silent.ending() != kit::Ending::open || !in_time(), "the end of a silent connection",
             "it is still open, and another one has spoken all the time");
  step.suspect(
      "Nobody looks at the clock: with --idle-timeout the wait ends when the first connection "
      "is due, and then it is closed.");
  silent.expect_end();
  silent.close();  // or the end of a goodbye would wake the loop, whatever its wait was
  if (in_time()) {
    take(answer.size());
  } else {
    local.may_say("processing of request from");  // it hangs up, with answers on their way to it
  }
  slow.close();
  local.stop();
  step.suspect(
      "A client that goes on to speak is not idle: each time something moves on a connection "
      "its time begins anew.");
  if (in_time()) ask(step, server, lively, step.word() + "\n");
  if (in_time()) mumbling.send("\n").expect(std::string(mumbled, 'M') + "\n");
  mumbling.close();
  const bool seen = in_time();
  step.suspect(
      "Nobody looks at the clock: when the last one falls silent, too, nobody else's event ends "
      "the wait, and its time is over unseen.");
  lively.expect_end();
  server.stop();
  return seen;
}

}  // namespace

STEP("07.12", "a connection silent for --idle-timeout is closed") {
  // On a busy machine it looks again, with more time.
  milliseconds timeout = kit::scaled(milliseconds{400});
  while (!saw_who_is_idle(step, timeout) && timeout < kit::scaled(milliseconds{3000})) timeout *= 3;

  step.suspect(
      "A client spoke and left just when its time was over: it was closed as idle, and then its "
      "event was served, for a connection that is no more. First what select() has told, and then "
      "the clock.");
  const milliseconds short_time = kit::scaled(milliseconds{150});
  Server& brief = start(step, {.args = {"--idle-timeout", std::to_string(short_time.count())}});
  brief.may_say("processing of request from");
  Peer& last_words = step.connect(brief);
  last_words.send("x").wait_until_taken();
  kit::FaultHandle wait = brief.recorder().add(Fault::hold(Calls::any_wait));
  last_words.send("y");
  step.wait_until([&] { return wait.holding() > 0; }, "the next wait");
  last_words.send(step.word() + "\n").close();
  step.await([] { return false; }, kit::after(short_time + short_time / 4));
  wait.release();
  Peer& next = step.connect(brief);
  ask(step, brief, next, step.word() + "\n");
  brief.stop();
}

// 07.13 to 07.15 are the three parts of task 07.D, one after the other; 07.3 wants them all.

STEP("07.13", "each client is taken in, and kept") {
  constexpr std::size_t some = 3;
  step.suspect_task("07.D", "SelectorMixIn::process_request");
  step.suspect(
      "A client was not taken in, or was not kept. server_activate() registers the listener; "
      "wait() selects, and returns true when that is ready; process_request() keeps the Request, "
      "which owns the connection, in a list.");
  Server& server = start(step);
  const std::size_t before = server.open_descriptors();
  std::vector<Peer*> clients;
  for (std::size_t i = 0; i < some; ++i) clients.push_back(&step.connect(server));
  step.wait_until([&] { return server.open_descriptors() >= before + some; },
                  "the server has a connection to each of " + std::to_string(some) + " clients");
  wait_until_it_waits(step, server);
  for (Peer* const client : clients) {
    step.check(client->ending() == kit::Ending::open, "a connection that stays",
               client->name() + " has seen its end");
  }
  server.kill();
}

STEP("07.14", "each line is answered, whoever else is there") {
  step.suspect_task("07.D", "SelectorMixIn::wait");
  step.suspect(
      "A line was not answered. When a connection is ready, its key's data says which it is: one "
      "recv(), then its session's received(), then a send() of what is in its output.");
  Server& server = start(step);
  Peer& first = step.connect(server);
  Peer& second = step.connect(server);
  const std::string word = step.word();
  ask(step, server, first, word + "\n");
  first.send(word);  // the line is not whole
  ask(step, server, second, "a line\n");
  ask(step, server, first, "goes on\n", Step::upper(word) + "GOES ON\n");
  server.kill();
}

STEP("07.15", "who has ended is forgotten") {
  constexpr std::size_t allowance = 4;  // what a server may open on first use and keep
  step.suspect_task("07.D", "SelectorMixIn::wait");
  step.suspect(
      "A client's end of file is not its end here. When recv() returns 0 the session's ended() is "
      "called, its last answer goes out, the descriptor is unregistered, and the request closed.");
  Server& server = start(step);
  Peer& other = step.connect(server);
  ask(step, server, other, "before\n");
  const std::size_t before = server.open_descriptors();
  for (int i = 0; i < 3; ++i) {
    Peer& client = step.connect(server);
    const std::string word = step.word();
    client.send(word).half_close();
    client.expect(Step::upper(word));
    client.expect_end();
  }
  step.expect_descriptors(server, before, allowance);
  ask(step, server, other, "after\n");
  server.kill();
}
