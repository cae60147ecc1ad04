// The check of lesson 03: four servers, one service, and its client.
// The steps, with their points: tests/manifest/03_unix_sockets.cmake. What a step may do:
// harness/step/step.hpp.

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <fstream>
#include <sstream>

#if defined(__linux__)
#include <sys/inotify.h>
#endif

#include "harness/check.hpp"
#include "harness/kernel/proc.hpp"

namespace {

using kit::Address;
using kit::Calls;
using kit::DatagramPeer;
using kit::Descriptor;
using kit::Fault;
using kit::Listener;
using kit::Peer;
using kit::Program;
using kit::Server;
using kit::ServerOptions;
using kit::Step;
using std::chrono::milliseconds;

constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path) - 1;

constexpr const char* no_answer =
    "The server is not reached on its path, or does not answer: the address (03.A), the name "
    "(03.B), the lines (03.D), the answer (03.E) and the service (03.F) must be there.";

constexpr const char* half_a_line =
    "A line was answered before its newline had come. read_line() keeps what has come, and "
    "receives until the newline is there.";

ServerOptions on_path(const std::string& path, std::vector<std::string> more = {}) {
  std::vector<std::string> args{"--path", path};
  args.insert(args.end(), more.begin(), more.end());
  return {.args = args};
}

void ask(Step&, Peer& client, const std::string& message) {
  client.send(message).expect(Step::upper(message));
}

// A client that says one thing and gets one answer, both whole.
void ask_and_leave(Step& step, const Address& server, const std::string& message) {
  Peer& client = step.connect(server);
  ask(step, client, message);
  client.half_close();
  client.expect_end();
}

// Nothing of what was sent is answered: the server has taken it, and waits for more.
void expect_silence(Step& step, const Server& server, Peer& client) {
  client.wait_until_taken();
  step.wait_until(
      [&] {
        const auto status = kit::proc::status(server.pid());
        return !status || status->state == 'S';
      },
      "the server waits for the rest");
  const std::string early = client.unread();
  step.check(early.empty(), "no answer before the line is whole", '"' + early + '"');
}

bool is_socket(const std::string& path) {
  struct stat file {};
  return ::lstat(path.c_str(), &file) == 0 && S_ISSOCK(file.st_mode);
}

bool exists(const std::string& path) {
  struct stat file {};
  return ::lstat(path.c_str(), &file) == 0;
}

std::string folder_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

ino_t inode_of(const std::string& path) {
  struct stat file {};
  return ::lstat(path.c_str(), &file) == 0 ? file.st_ino : 0;
}

// Names in a folder, without "." and "..".
std::size_t files_in(const std::string& folder) {
  std::size_t count = 0;
  if (DIR* const names = ::opendir(folder.c_str())) {
    while (const dirent* const name = ::readdir(names)) count += name->d_name[0] != '.';
    ::closedir(names);
  }
  return count;
}

// Nothing is left of the names that a client has bound, as far as they were files.
void expect_no_name(Step& step, const Program& client) {
  const kit::RecorderLog* const log = client.recorder_if_any();
  if (log == nullptr) return;
  for (const kit::CallRecord& call : log->records()) {
    if (!call.is(Calls::bind) || call.data.size() <= offsetof(sockaddr_un, sun_path)) continue;
    const std::string bound = call.data.c_str() + offsetof(sockaddr_un, sun_path);
    if (bound.empty()) continue;  // an abstract name, which is no file
    const bool left_over = exists(bound);
    ::unlink(bound.c_str());
    step.check(!left_over, "no file at the client's name", bound + " is still there");
  }
}

// The server listens there: its kernel completes a connection even while it is stopped, so this
// needs nothing of what serves it.
void expect_reached(Step& step, Server& server) {
  server.signal(SIGSTOP);
  step.connect(server);
  server.kill();
}

void expect_gone(Step& step, const std::string& path) {
  step.check(!exists(path), "no file at the server's path, now that it has ended",
             path + " is still there");
}

// A path that a server left behind when it was killed.
void leave_behind(Step& step, const Address& path, int type) {
  {
    const Descriptor socket(::socket(AF_UNIX, type, 0));
    if (::bind(socket.get(), path.get(), path.size()) != 0) throw kit::KitError("bind");
  }
  step.sandbox().give(path.path());
  step.did("left", "a socket that nobody holds, at " + path.path());
}

}  // namespace

STEP("03.1", "a stream server on a path answers") {
  step.suspect(no_answer);
  const std::string path = step.path("kit.sock");
  Server& server = step.server(on_path(path));
  step.check(server.address() == step.unix_address("kit.sock"),
             "\"listening on unix:" + path + "\"",
             "\"listening on " + server.address().text() + "\"");
  step.check(is_socket(path), "a socket at " + path, "no socket there");
  Peer& client = step.connect(server);
  step.suspect(
      "The line has come, and no answer, or another. handle() reads a line, writes it in upper "
      "case, and flushes when no whole line is left (03.F); the lines are 03.D, the answer is "
      "03.E.");
  step.suspect_task("03.F");
  ask(step, client, step.word() + " " + step.word() + "\n");
  step.suspect(
      "The first line was answered, and none after it: handle() reads line after line, until "
      "read_line() returns an empty one.");
  ask(step, client, step.word() + "\n");
  step.suspect(
      "Bytes are not text: only a to z change, and a 0 ends nothing. A newline ends a line.");
  std::string every_byte;
  for (int value = 0; value < 256; ++value) {
    if (value != '\n') every_byte += static_cast<char>(value);
  }
  ask(step, client, every_byte + "\n");
  ask(step, client, "\n");
  step.suspect(
      "One recv() can bring several lines. What follows the first newline is kept for the next "
      "read_line().");
  step.suspect_task("03.D");
  ask(step, client, step.word() + "\n" + step.word() + "\n");
  step.suspect_task("03.F");
  client.half_close();
  step.suspect(
      "The server does not close after the client's end of file: read_line() is empty then.");
  client.expect_end();
  step.suspect("The first client was answered, a later one is not, or with bytes of another.");
  for (int i = 0; i < 3; ++i) ask_and_leave(step, server.address(), step.word() + "\n");
  step.suspect(
      "What has come is answered, and not shown. handle() logs each line with log_received(): "
      "whoever runs a server wants to see what it gets.");
  const std::string shown = step.word();
  ask_and_leave(step, server.address(), shown + "\n");
  server.expect_output_contains(shown);
  step.suspect("SIGTERM ends the loop, and the program returns from main.");
  server.stop();
  step.suspect(
      "A line of no bytes is shown that nobody has said: at the end of file there is no line. "
      "handle() logs a line when it knows that there is one.");
  const std::string_view shown_lines = server.output();
  step.check(shown_lines.find("  0 bytes", shown_lines.rfind(shown)) == std::string_view::npos,
             "nothing on stdout about an end of file", "a line of 0 bytes");
}

STEP("03.2", "the same service answers the same over all four kinds") {
  const std::vector<std::string> messages{
      step.word() + "\n", step.word() + "\n" + step.word() + "\n", "\n",
      step.word() + "\nno newline at the end", step.text(3000) + "\n"};
  for (const std::string kind : {"tcp", "unix-stream"}) {
    step.suspect("Over --kind " + kind + " a line is not answered. " + no_answer);
    Server& server = step.server(kind == "tcp" ? ServerOptions{.args = {"--kind", kind}}
                                               : on_path(step.path(kind), {"--kind", kind}));
    for (const std::string& message : messages) {
      step.suspect("Over --kind " + kind +
                   " the answer is another. The service is one template: "
                   "what it does with a line must not depend on where the line came from.");
      Peer& client = step.connect(server);
      client.send(message);
      client.half_close();
      client.expect(Step::upper(message));
      client.expect_end();
    }
    server.stop();
  }
  for (const std::string kind : {"udp", "unix-datagram"}) {
    step.suspect("Over --kind " + kind + " a datagram is not answered. " + no_answer);
    Server& server = step.server(kind == "udp" ? ServerOptions{.args = {"--kind", kind}}
                                               : on_path(step.path(kind), {"--kind", kind}));
    DatagramPeer& client = step.datagram_peer(server);
    for (const std::string& message : messages) {
      step.suspect("Over --kind " + kind +
                   " the answer is another. A datagram is read as if it "
                   "were a file: its lines, and the rest without a newline. All of them are one "
                   "answer.");
      client.send(message).expect(Step::upper(message));
    }
    server.stop();
  }
}

STEP("03.3", "lines in pieces, and several in one piece") {
  step.suspect(no_answer);
  Server& server = step.server(on_path(step.path("s")));
  Peer& client = step.connect(server);
  const std::string line = step.word() + "\n";
  ask(step, client, line);
  step.suspect(half_a_line);
  for (const char byte : line.substr(0, line.size() - 1)) {
    client.send({&byte, 1});
    expect_silence(step, server, client);
  }
  client.send("\n").expect(Step::upper(line));

  step.suspect(
      "One recv() can bring several lines, and the beginning of another. All whole ones are "
      "answered before the server waits for more; what follows the last newline is kept for the "
      "next read_line().");
  const std::uint64_t sends = server.recorder().count(Calls::any_send);
  client.send("one\ntwo\n\nthr").expect("ONE\nTWO\n\n");
  step.suspect_task("03.F");
  step.suspect(
      "Lines that came together were answered one by one. Write each answer to wfile(), and flush "
      "when has_line() says that no whole line is left: one send() for all of them.");
  const std::uint64_t used = server.recorder().count(Calls::any_send) - sends;
  step.check(used == 1, "one send() for the answers to three lines",
             std::to_string(used) + " of them");
  step.suspect_task("03.D");
  step.suspect(
      "One recv() can bring several lines, and the beginning of another. What follows the last "
      "newline is kept for the next read_line().");
  expect_silence(step, server, client);
  client.send("ee\nfour\n").expect("THREE\nFOUR\n");
  std::string many;
  for (int i = 0; i < 500; ++i) many += step.word() + "\n";
  client.send(many).expect(Step::upper(many));

  step.suspect(
      "Bytes were lost or doubled where a line begins near the end of the buffer. What is left "
      "there must be kept when the buffer is moved or grows.");
  for (const std::size_t size :
       {1'023UL, 1'024UL, 4'095UL, 4'096UL, 16'383UL, 16'384UL, 65'535UL}) {
    const std::string block = step.text(size) + "\n";
    ask(step, client, block);
  }
  std::string mixed;
  for (int i = 0; i < 120; ++i) mixed += step.text(static_cast<std::size_t>(i * i % 1700)) + "\n";
  ask(step, client, mixed);
  client.half_close();
  client.expect_end();
  server.stop();
}

STEP("03.4", "the last line needs no newline, and one over the limit ends that client alone") {
  step.suspect(no_answer);
  Server& server = step.server(on_path(step.path("s"), {"--line-limit", "100"}));
  server.may_say("processing of request from");  // a line over the limit
  Peer& last = step.connect(server);
  ask(step, last, step.word() + "\n");
  step.suspect(
      "The client ended in the middle of a line. That is its last line, without a newline: it is "
      "answered like the others, once, and then comes the end of file.");
  const std::string rest = step.word();
  last.send(rest);
  last.half_close();
  last.expect(Step::upper(rest));
  last.expect_end();
  Peer& empty = step.connect(server);
  empty.half_close();
  empty.expect_end();

  step.suspect("A line of exactly --line-limit bytes, its newline counted, is not too long.");
  Peer& exact = step.connect(server);
  ask(step, exact, step.text(99) + "\n");
  const std::string bare = step.text(100);
  exact.send(bare).half_close();
  exact.expect(Step::upper(bare)).expect_end();
  step.suspect(
      "A line that is over the limit must end its client: read_line() throws, and the loop closes "
      "the connection. What was answered before still arrives.");
  Peer& over = step.connect(server);
  const std::string fine = step.word() + "\n";
  over.send(fine).expect(Step::upper(fine));
  over.send(step.text(100) + "\n");
  over.expect_end_or_reset();
  step.suspect("A line over the limit ended more than its own client.");
  ask_and_leave(step, server.address(), step.word() + "\n");
  step.suspect(
      "A line over the limit was taken because it came in pieces: the limit is the line's, however "
      "many calls of recv() bring it.");
  Peer& pieces = step.connect(server);
  pieces.send(step.text(60)).wait_until_taken();
  (void)pieces.try_send(step.text(60));
  (void)pieces.try_send("\n");
  pieces.expect_end_or_reset();
  step.suspect("A line over the limit ended more than its own client.");
  ask_and_leave(step, server.address(), step.word() + "\n");

  step.suspect(
      "A conversation takes more and more memory: what was read and taken stays in the buffer. "
      "Move what is left to the front, and make room only for what is not taken yet.");
  constexpr std::size_t allowance = 256 * 1024;
  constexpr int many = 400;  // 4 MiB of them
  Peer& talker = step.connect(server);
  std::string lines;
  for (int i = 0; i < 120; ++i) lines += step.text(80) + "\n";
  ask(step, talker, lines);
  const auto heap = [&] {
    return server.recorder_if_any() ? server.recorder_if_any()->heap() : std::size_t{0};
  };
  const std::size_t at_first = heap();
  for (int i = 0; i < many; ++i) talker.send(lines).expect(Step::upper(lines));
  const std::size_t at_last = heap();
  step.check(at_last <= at_first + allowance,
             "no more memory in use after " + std::to_string(many) + " times as many lines",
             std::to_string((at_last - at_first) >> 10) + " KiB more");
  talker.half_close();
  talker.expect_end();
  server.stop();

  step.suspect(
      "A line without end was kept, and kept, until the memory is full. Look at the limit while "
      "the line grows, not when its newline has come.");
  constexpr std::size_t endless = 24 << 20;
  constexpr std::size_t allowance_kib = 4 << 10;
  ServerOptions plain = on_path(step.path("plain"));
  plain.build = "plain";
  Server& bounded = step.server(plain);
  bounded.may_say("processing of request from");
  ask_and_leave(step, bounded.address(), step.word() + "\n");
  const std::size_t before = bounded.rss_kib();
  Peer& flood = step.connect(bounded);
  flood.send_in_background(std::string(endless, 'x'));
  flood.expect_over();
  const std::size_t after = bounded.rss_kib();
  step.check(after <= before + allowance_kib,
             "no more than 4 MiB of memory for a line of 24 MiB, with a limit of 64 KiB",
             std::to_string((after - before) >> 10) + " MiB more than before");
  ask_and_leave(step, bounded.address(), step.word() + "\n");
  bounded.stop();
}

STEP("03.5", "a datagram client binds a name of its own, and removes it") {
  const std::string word = step.word();
  DatagramPeer& partner = step.datagram_listener(step.unix_address("s"));
  // On a slow machine too, an answer comes in time.
  const std::vector<std::string> kind{"--kind", "unix-datagram", "--timeout", "60000"};
  step.suspect("The client does not send its words, and a newline, to the path that it was given.");
  Program& client = step.client(partner.local(), {word}, {.args = kind});
  partner.expect(word + "\n");
  step.suspect(
      "The client has no name, so no server can answer it. A UDP client is given a port unasked; a "
      "Unix client must bind() a path of its own before it sends.");
  const std::string name = partner.target().path();
  // (Linux: a name need not be a path. An abstract one needs no removal.)
  step.check(partner.target().size() > offsetof(sockaddr_un, sun_path),
             "the client's datagram comes from a named socket", "it has no name");
  step.suspect("The answer was not received, or not printed as the page says.");
  partner.send(Step::upper(word) + "\n");
  client.expect_output("Sent:     " + word + "\nReceived: " + Step::upper(word) + "\n");
  step.suspect(
      "The client has ended and its name is still in the file system: only unlink() removes it, on "
      "every way out of the function.");
  step.check(!exists(name), "no file at the client's name", name + " is still there");

  step.suspect("A long answer was cut: a datagram is received whole, or its rest is lost.");
  const std::string long_answer = Step::upper(step.word() + step.text(20'000));
  Program& reader = step.client(partner.local(), {word}, {.args = kind});
  partner.expect(word + "\n");
  const std::string other_name = partner.target().path();
  partner.send(long_answer + "\n");
  reader.expect_output("Sent:     " + word + "\nReceived: " + long_answer + "\n");
  step.suspect(
      "Each client makes a folder for its name, and leaves it behind: rmdir() it when the name is "
      "gone.");
  const std::string folder = folder_of(name), other_folder = folder_of(other_name);
  const bool left = folder != other_folder && exists(folder);
  if (left) {  // it is empty: nothing of the check's own may stay
    ::rmdir(folder.c_str());
    ::rmdir(other_folder.c_str());
  }
  step.check(!left, "no folder left by the client", folder + " is still there");

  step.suspect(
      "A signal interrupted the wait (-1, EINTR). That is neither an answer nor the end of the "
      "time: wait for the rest of it.");
  Program& interrupted = step.client(
      partner.local(), {word},
      {.args = kind, .faults = {Fault::fail(Calls::any_wait, EINTR).every(2).times(4)}});
  partner.expect(word + "\n");
  partner.send("STILL HERE\n");
  interrupted.expect_output("Sent:     " + word + "\nReceived: STILL HERE\n");

  step.suspect("No answer came within --timeout: one sentence on stderr, and exit status 1.");
  Program& unanswered = step.client(partner.local(), {word},
                                    {.args = {"--kind", "unix-datagram", "--timeout", "50"}});
  partner.expect(word + "\n");
  const std::string second = partner.target().path();
  unanswered.expect_error_sentence();
  step.suspect(
      "When no answer came, the client left its name behind: an exception leaves the function too. "
      "A destructor removes it on every way out.");
  step.check(!exists(second), "no file at the client's name", second + " is still there");

  step.suspect(
      "Ctrl-C runs no destructor: a client that is ended by a signal while it waits leaves its "
      "name behind. A signal handler may unlink() and rmdir(), and then let the signal do its "
      "work.");
  Program& stopped = step.client(partner.local(), {word}, {.args = kind});
  partner.expect(word + "\n");
  const std::string last = partner.target().path();
  step.let_rest(stopped);
  stopped.expect_end_sometime();
  stopped.signal(SIGINT);
  step.wait_until([&] { return !stopped.alive(); }, "the end of the client, by SIGINT");
  const bool stays = exists(last);
  const bool folder_stays = folder_of(last) != folder_of(other_name) && exists(folder_of(last));
  if (stays) ::unlink(last.c_str());
  if (folder_stays) ::rmdir(folder_of(last).c_str());
  step.check(!stays && !folder_stays, "no file at the client's name, and no folder made for it",
             last + " is still there");

  step.suspect("Two clients at once need two names: a fixed one is taken by the first.");
  Program& one = step.client(partner.local(), {"one"}, {.args = kind});
  partner.expect("one\n");
  const Address first_client = partner.target();
  Program& two = step.client(partner.local(), {"two"}, {.args = kind});
  partner.expect("two\n");
  partner.send("TWO\n");
  two.expect_output("Sent:     two\nReceived: TWO\n");
  partner.set_target(first_client);
  partner.send("ONE\n");
  one.expect_output("Sent:     one\nReceived: ONE\n");

  step.suspect("Nobody is at the path: one sentence on stderr, and exit status 1.");
  Program& alone = step.client(step.unix_address("nobody"), {word}, {.args = kind});
  alone.expect_error_sentence();
  step.suspect(
      "When nobody was at the path, the client left its name or its folder behind: an exception "
      "leaves the function too. A destructor removes both on every way out.");
  expect_no_name(step, alone);

  // Each call that a datagram client may make fails, and goes on failing; one that does without it
  // gets its answer.
  struct Failing {
    Calls calls;
    int error;
  };
  for (const Failing& now : {Failing{Calls::socket, EMFILE}, Failing{Calls::bind, EACCES},
                             Failing{Calls::connect, EACCES}, Failing{Calls::any_send, EPERM},
                             Failing{Calls::any_wait, ENOMEM}, Failing{Calls::any_recv, ENOMEM}}) {
    step.suspect(
        "A call has failed, not for a signal, and the client goes on as if nothing was. Say so on "
        "stderr, and exit with status 1: check() does that.");
    Program& failing = step.client(
        partner.local(), {word},
        {.args = kind, .faults = {Fault::fail(now.calls, now.error).always().in_a_row()}});
    step.wait_until([&] { return !failing.alive() || partner.has_more(); },
                    "the client's datagram, or its end");
    if (partner.has_more()) {
      partner.expect(word + "\n");
      // (It may have gone by now.)
      (void)::sendto(partner.fd(), "HERE\n", 5, 0, partner.target().get(), partner.target().size());
    }
    (void)failing.wait_exit();
    const kit::RecorderLog* const log = failing.recorder_if_any();
    if (log != nullptr && log->count(now.calls) > 0) {
      failing.expect_error_sentence();
    } else {
      failing.expect_output("Sent:     " + word + "\nReceived: HERE\n");
    }
    step.suspect(
        "When a call had failed, the client left its name or its folder behind: an exception "
        "leaves the function too. A destructor removes both on every way out.");
    expect_no_name(step, failing);
  }

  step.suspect("Over the other kinds the client does as in lessons 01 and 02.");
  Listener& listener = step.listen(step.unix_address("stream"));
  Program& stream = step.client(listener.address(), {word}, {.args = {"--kind", "unix-stream"}});
  Peer& accepted = listener.accept();
  accepted.expect(word + "\n").expect_end();
  accepted.send("STREAM\n").close();
  stream.expect_output("Sent:     " + word + "\nReceived: STREAM\n");
  DatagramPeer& udp = step.datagram_listener();
  Program& datagram =
      step.client(udp.local(), {word}, {.args = {"--kind", "udp", "--timeout", "60000"}});
  udp.expect(word + "\n");
  udp.send("UDP\n");
  datagram.expect_output("Sent:     " + word + "\nReceived: UDP\n");
}

STEP("03.6", "a path of 107 bytes works, and one of 108 is a clear error") {
  const std::string folder = step.path("");
  const std::string longest = folder + std::string(longest_path - folder.size(), 'p');
  step.suspect("The server is not at the path of " + std::to_string(longest_path) +
               "bytes that it was given. sun_path holds so many and the NUL byte behind them: is "
               "every byte copied, and is the rest of the sockaddr_un zero?");
  step.suspect_if_it_does_not_start(step.suspicion());
  Server& server = step.server(on_path(longest));
  step.check(is_socket(longest), "a socket at " + longest, "no socket there");
  expect_reached(step, server);
  ::unlink(longest.c_str());

  step.suspect(
      "A path that does not fit was cut, or something was made under another name. A path of " +
      std::to_string(longest_path + 1) +
      " bytes is an error: throw, with a sentence that says \"too long\", before anything is "
      "bound.");
  const std::size_t files = files_in(step.folder());
  for (const std::size_t more : {1UL, 2UL, 100UL}) {
    for (const std::string kind : {"unix-stream", "unix-datagram"}) {
      Program& refused =
          step.start("server", on_path(longest + std::string(more, 'p'), {"--kind", kind}));
      refused.expect_error_sentence({"too long"});
    }
  }
  step.check(files_in(step.folder()) == files, "no new file in the folder", "there is one");
}

STEP("03.7", "the path is removed at the end by the server that made it") {
  const std::string path = step.path("s");
  for (const std::string kind : {"unix-stream", "unix-datagram"}) {
    for (const int signal : {SIGTERM, SIGINT}) {
      step.suspect(
          "The server has ended and its path is still there: server_close() removes it. "
          "(SIGINT and SIGTERM end the loop, and the destructor closes.)");
      Server& server = step.server(on_path(path, {"--kind", kind}));
      step.check(is_socket(path), "a socket at " + path, "no socket there");
      bool closed_first = false;
      if (server.recorder_if_any()) {
        const Fault hold = Fault::hold(Calls::close);
        kit::FaultHandle closing = server.recorder().add(
            kind == "unix-stream" ? hold.on_listeners() : hold.on_datagrams());
        server.signal(signal);
        step.wait_until([&] { return closing.holding() > 0 || !server.alive(); },
                        "the socket is closed");
        closed_first = closing.holding() > 0 && is_socket(path);
        closing.release();
        server.expect_stopped();
      } else {
        server.stop_by(signal);
      }
      expect_gone(step, path);
      step.suspect(
          "The socket was closed before its path was removed: in between, the path leads to "
          "nobody, and the next server that takes it over has its own removed. First the path, "
          "then the socket.");
      step.check(!closed_first, "the path removed before the socket is closed",
                 "the other way round");
    }
    step.suspect(
        "The server removed what is not its own. Somebody had cleaned up, and another server had "
        "come to the same path: compare device and inode with those that bind() made.");
    Server& server = step.server(on_path(path, {"--kind", kind}));
    ::unlink(path.c_str());
    Listener& newcomer = step.listen(step.unix_address("s"));
    step.did("replaced", "the path by a socket of another server");
    server.stop();
    step.check(is_socket(path), "the other server's socket at " + path, "it was removed");
    newcomer.close();
    ::unlink(path.c_str());
  }
  step.suspect_task("03.C", "UnixPath::remove");
  step.suspect(
      "A copy of the process (fork) closed its copy of the server, and the path was gone. The path "
      "belongs to the process that made it: compare getpid() with what bind() noted.");
  Program& owner = step.probe("owner", {"--path", path});
  for (const std::string kind : {"stream", "datagram"}) {
    owner.expect_line(kind + ": closed in a child: there; closed by its maker: gone");
  }
  owner.expect_exit(0);
}

STEP("03.8", "a stale path is taken over") {
  const std::string path = step.path("s");
  for (const std::string kind : {"unix-stream", "unix-datagram"}) {
    step.suspect(
        "A server that was killed has left its path, and the next one does not start. bind() says "
        "EADDRINUSE; if the file is a socket, and a connect() to it says ECONNREFUSED, nobody is "
        "there: unlink it, and bind again.");
    step.server(on_path(path, {"--kind", kind})).kill();
    step.did("killed", "it by SIGKILL: it could not clean up");
    step.check(is_socket(path), "the path of the server that was killed", "it is gone");
    Server& second = step.server(on_path(path, {"--kind", kind}));
    second.stop();
    expect_gone(step, path);
  }
  for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
    leave_behind(step, step.unix_address("s"), type);
    Server& server = step.server(on_path(path));
    expect_reached(step, server);
    ::unlink(path.c_str());
  }
}

STEP("03.9", "a path that is in use, and a file that is no socket, are never touched") {
  const std::string path = step.path("s");
  const std::vector<std::string> kinds{"unix-stream", "unix-datagram"};
  const auto expect_loser = [&](const std::string& kind) {
    const ino_t before = inode_of(path);
    Program& rival = step.start("server", on_path(path, {"--kind", kind}));
    rival.expect_error_sentence({path});
    step.check(inode_of(path) == before, "the file at " + path + " as it was",
               exists(path) ? "another one" : "it is gone");
  };

  step.suspect(
      "A second server took the path of one that lives, or removed it when it failed. Ask who "
      "lives there before unlink(); and remove at the end only what bind() has made.");
  Server& stream = step.server(on_path(path));
  for (const std::string& kind : kinds) expect_loser(kind);
  step.suspect("The first server does not serve any more, after a second one has tried its path.");
  ask_and_leave(step, stream.address(), step.word() + "\n");
  stream.stop();
  Server& datagram = step.server(on_path(path, {"--kind", "unix-datagram"}));
  step.suspect(
      "A second server took the path of a datagram server that lives. A connect() by a socket of "
      "the wrong type fails with EPROTOTYPE: somebody is there. Only ECONNREFUSED says: nobody.");
  for (const std::string& kind : kinds) expect_loser(kind);
  step.datagram_peer(datagram).send("still here\n").expect("STILL HERE\n");
  datagram.stop();

  step.suspect(
      "The path is another program's, which is busy: its queue of connections is full. A connect() "
      "that blocks waits for ever, and EAGAIN does not say that nobody is there.");
  {
    const Address address = step.unix_address("s");
    const Descriptor busy(::socket(AF_UNIX, SOCK_STREAM, 0));
    ::unlink(path.c_str());  // a server before may have left it: that is step 03.7's affair
    if (::bind(busy.get(), address.get(), address.size()) != 0 || ::listen(busy.get(), 0) != 0) {
      throw kit::KitError("listen");
    }
    step.sandbox().give(path);
    std::vector<Descriptor> waiting;
    for (int result = 0; result == 0;) {
      waiting.emplace_back(::socket(AF_UNIX, SOCK_STREAM, 0));
      ::fcntl(waiting.back().get(), F_SETFL, O_NONBLOCK);
      result = ::connect(waiting.back().get(), address.get(), address.size());
    }
    step.did("made", "a server at " + path + " that is too busy to accept");
    for (const std::string& kind : kinds) expect_loser(kind);
    ::unlink(path.c_str());
  }

  step.suspect(
      "The path is another server's, which has bound it and does not listen yet: its path was "
      "taken. To a stream socket it seems dead (ECONNREFUSED); a datagram socket is told "
      "EPROTOTYPE: ask with one.");
  {
    const Address address = step.unix_address("s");
    const Descriptor starting(::socket(AF_UNIX, SOCK_STREAM, 0));
    if (::bind(starting.get(), address.get(), address.size()) != 0) throw kit::KitError("bind");
    step.sandbox().give(path);
    step.did("made", "a server at " + path + " that has bound it, and does not listen yet");
    for (const std::string& kind : kinds) expect_loser(kind);
    ::unlink(path.c_str());
  }

  if (kit::RecorderLog::available()) {
    step.suspect(
        "bind() has failed for another reason than a name in use (EACCES), and the server asked "
        "who lives at the path, and went on. Any other error of bind() is the one to throw.");
    leave_behind(step, step.unix_address("s"), SOCK_STREAM);
    for (const std::string& kind : kinds) {
      ServerOptions barred = on_path(path, {"--kind", kind});
      barred.faults = {Fault::fail(Calls::bind, EACCES)};
      step.start("server", barred).expect_error_sentence({path});
    }
    ::unlink(path.c_str());
  }

  step.suspect(
      "What stands at the path is no socket, and was removed or changed. Look with lstat() before "
      "unlink(): only a socket (S_ISSOCK) may be a server's.");
  std::ofstream(path) << "precious\n";
  step.did("wrote", "a file that is no socket, at " + path);
  step.sandbox().give(path);
  for (const std::string& kind : kinds) expect_loser(kind);
  std::stringstream content;
  content << std::ifstream(path).rdbuf();
  step.check(content.str() == "precious\n", "the file's content as it was", content.str());
  ::unlink(path.c_str());

  step.suspect(
      "A link at the path was removed, or what it leads to. A link is no socket, whatever it leads "
      "to: lstat(), not stat().");
  leave_behind(step, step.unix_address("other"), SOCK_STREAM);
  if (::symlink(step.path("other").c_str(), path.c_str()) != 0) throw kit::KitError("symlink");
  for (const std::string& kind : kinds) expect_loser(kind);
  step.check(is_socket(step.path("other")), "what the link leads to", "it is gone");

  step.suspect(
      "The folder of the path is not there, and the sentence says that the path is in use. Only "
      "EADDRINUSE asks who has the name; any other error of bind() is the one to throw.");
  const std::string nowhere = step.path("no-such-folder/s");
  for (const std::string& kind : kinds) {
    const std::string sentence =
        step.start("server", on_path(nowhere, {"--kind", kind})).expect_error_sentence({nowhere});
    step.check(sentence.find("in use") == std::string::npos, "an error that names the reason",
               sentence);
  }
}

// ---- probe: the learner's StreamRequestHandler with a handler of the kit's own -----------------

STEP("03.10", "wfile writes all, buffered or not") {
  const std::string much(4 << 20, 'x');
  step.suspect_task("03.E", "StreamWriter::write");
  for (const std::string size : {"0", "100000"}) {
    const std::string which =
        size == "0" ? "Unbuffered (wbufsize 0)" : "Buffered (wbufsize 100000)";
    step.suspect(which +
                 ", the answer is not whole, or there is none. read_line() reads the order; "
                 "write() takes all bytes; finish() sends what is left.");
    Server& server = step.probe_server("writer", {.args = {"--port", "0", "--wbufsize", size}});
    server.may_say("processing of request from");
    Peer& first = step.connect(server);
    first.send("write twice\n").expect("BEFOREAFTER").expect_end();
    Peer& waits = step.connect(server);
    waits.send("write, read, write\n");
    if (size == "0") {
      step.suspect(
          "Unbuffered, each write() is sent at once: this client waits for the first "
          "before it says more.");
      waits.expect("BEFORE");
    } else {
      step.suspect(
          "Buffered, bytes are gathered until there are wbufsize of them, until flush(), "
          "or until the end: here, both writes leave together.");
      expect_silence(step, server, waits);
    }
    waits.send("\n").expect(size == "0" ? "AFTER" : "BEFOREAFTER").expect_end();
    step.suspect_task("03.E", "StreamWriter::flush");
    step.suspect("flush() sends what was gathered, at once, and once.");
    Peer& flushed = step.connect(server);
    flushed.send("write, flush, read, write\n").expect("BEFORE");
    flushed.send("\n").expect("AFTER").expect_end();

    step.suspect(
        "send() has failed, and what was gathered was sent once more, by finish(). It is lost "
        "then: out of the buffer before it is sent.");
    server.recorder().add(Fault::fail(Calls::any_send, ENOBUFS).on_streams());
    Peer& lost = step.connect(server);
    lost.send("write, flush, read, write\n").expect_end();

    step.suspect_task("03.E", "StreamRequestHandler::finish");
    step.suspect(
        "A client that had said more than was read has lost the end of its answer, by a reset. "
        "note_end() is for a client whose end of file has come: only then is nothing to read "
        "away.");
    server.signal(SIGSTOP);  // all of it is there when the handler begins
    Peer& talkative = step.connect(server);
    talkative.send("write some\n" + step.text(48 * 1024));
    server.signal(SIGCONT);
    step.let_rest(server);  // nobody has read until here
    talkative.expect("BEFORE" + std::string(300'000, 'x') + "AFTER").expect_end();
    talkative.close();

    step.suspect("The handler threw: what it wrote before still leaves, by finish().");
    Peer& thrown = step.connect(server);
    thrown.send("write and throw\n").expect("BEFORE").expect_end();
    step.suspect("close() sends what was gathered; finish() must not send it again.");
    Peer& closed = step.connect(server);
    closed.send("write and close\n").expect("BEFOREAFTER").expect_end();
    step.suspect_task("03.E", "StreamWriter::write");
    step.suspect(
        "What was written after close() is lost, and nobody is told: write() throws "
        "std::logic_error then.");
    Peer& too_late = step.connect(server);
    too_late.send("write, close, write\n").expect("BEFOREAFTERREFUSED").expect_end();

    step.suspect_task("03.E", "StreamWriter::write");
    step.suspect(
        "Not all was sent, or the order was not read. send() may take fewer bytes than it was "
        "given, and a signal may interrupt it, as it may recv() (-1, EINTR): go on with the rest.");
    Peer& reader = step.connect(server);
    for (const Fault& fault : {Fault::fail(Calls::any_send, EINTR).every(3).on_streams(),
                               Fault::shorten(Calls::any_send, 50'000).every(2).on_streams(),
                               Fault::fail(Calls::any_recv, EINTR).every(2).on_streams()}) {
      server.recorder().add(fault);
    }
    reader.send("write much\n").expect("BEFORE" + much + "AFTER").expect_end();

    step.suspect_task("03.E", "StreamRequestHandler::finish");
    step.suspect(
        "The client had gone when finish() sent the rest. That is no error: nothing to report, and "
        "the next client is served. (MSG_NOSIGNAL keeps SIGPIPE away.)");
    const std::string before(server.errors());
    kit::FaultHandle held = server.recorder().add(Fault::hold(Calls::any_send).on_streams());
    Peer& gone = step.connect(server);
    gone.send("write twice\n").half_close();
    step.wait_until([&] { return held.holding() > 0; }, "an answer under way");
    gone.reset();
    held.release();
    Peer& next = step.connect(server);
    next.send("write twice\n").expect("BEFOREAFTER").expect_end();
    if (size != "0") {
      step.check(server.errors() == before, "nothing new on stderr",
                 std::string(server.errors().substr(before.size())));
    }
    server.stop();
  }

  step.suspect_task("03.E", "StreamWriter::write");
  step.suspect(
      "wbufsize bounds what is gathered: with so many bytes it is flushed. (Here wbufsize is 5, "
      "and six bytes were written.)");
  Server& narrow = step.probe_server("writer", {.args = {"--port", "0", "--wbufsize", "5"}});
  Peer& gets_all = step.connect(narrow);
  gets_all.send("write, read, write\n").expect("BEFOR");
  gets_all.send("\n").expect("EAFTER").expect_end();
  narrow.stop();

  step.suspect_task("03.E", "StreamRequestHandler::setup");
  step.suspect("disable_nagle_algorithm is TCP_NODELAY of the connection: on if it is true.");
  for (const bool off : {false, true}) {
    std::vector<std::string> args{"--port", "0"};
    if (off) args.push_back("--no-delay");
    Server& either = step.probe_server("writer", {.args = args});
    step.connect(either).send("is the delay off?\n").expect(off ? "YES" : "NO").expect_end();
    either.stop();
  }
}

STEP("03.11", "a datagram client without a name is not answered and harms nobody") {
  step.suspect(no_answer);
  Server& server = step.server(on_path(step.path("s"), {"--kind", "unix-datagram"}));
  DatagramPeer& named = step.datagram_peer(server);
  named.send("before\n").expect("BEFORE\n");
  step.suspect(
      "A client without a name ended the server, or stopped it. Its address is empty (family "
      "AF_UNSPEC): no answer can reach it.");
  DatagramPeer& nameless = step.datagram_peer(server, Step::Name::none);
  for (int i = 0; i < 3; ++i) {
    nameless.send(step.word() + "\n");
    named.send("after\n").expect("AFTER\n");
  }
  step.suspect(
      "The server tried to answer a client without a name, and reports the failure as an error. It "
      "is none: verify_request() turns such a request away.");
  step.check(server.errors().empty(), "nothing on stderr",
             "\"" + std::string(server.errors().substr(0, 200)) + "\"");
#if defined(__linux__)
  step.suspect(
      "A client with a name that is no path was turned away. Only an address without a name has "
      "the family AF_UNSPEC; every other one can be answered.");
  DatagramPeer& abstract = step.datagram_peer(server, Step::Name::abstract);
  abstract.send("no path\n").expect("NO PATH\n");
#endif
  server.stop();
}

STEP("03.12", "the mode is never wider than asked, from the first moment") {
  struct Case {
    mode_t umask, asked;
    bool exact, stale;
  };
  const std::string path = step.path("s");
  for (const std::string kind : {"unix-stream", "unix-datagram"}) {
    for (const Case& now : {Case{0, 0600, true, false}, Case{022, 0660, false, false},
                            Case{022, 0600, true, true}, Case{077, 0666, false, false}}) {
      std::ostringstream octal;
      octal << std::oct << now.asked;
      ServerOptions options = on_path(path, {"--kind", kind, "--mode", octal.str()});
      options.umask = now.umask;
      ::unlink(path.c_str());  // a server before may have left it: that is step 03.7's affair
      if (now.stale) leave_behind(step, step.unix_address("s"), SOCK_DGRAM);
#if defined(__linux__)
      const Descriptor events(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
      (void)::inotify_add_watch(events.get(), step.folder().c_str(), IN_ATTRIB | IN_CREATE);
#endif
      step.suspect("The server does not start with --mode " + octal.str() + ".");
      step.suspect_if_it_does_not_start(step.suspicion());
      Server& server = step.server(options);
      struct stat file {};
      (void)::lstat(path.c_str(), &file);
      const mode_t got = file.st_mode & 0777;
      std::ostringstream got_octal;
      got_octal << std::oct << got;
      step.suspect(
          "The path's mode is not the one that was asked for. bind() makes the file with what the "
          "umask leaves of 0777: everybody who may write to it may connect.");
      step.check((got & ~now.asked) == 0 && (!now.exact || got == now.asked),
                 "mode " + octal.str() + " at " + path, "mode " + got_octal.str());
#if defined(__linux__)
      step.suspect(
          "The path was made with other rights, and changed afterwards: in between, everybody "
          "could connect. Set the umask() before bind(), and put it back.");
      alignas(inotify_event) std::array<char, 4096> buffer{};
      bool changed = false;
      const ssize_t size = ::read(events.get(), buffer.data(), buffer.size());
      for (ssize_t at = 0; at < size;) {
        const auto* const event =
            reinterpret_cast<const inotify_event*>(buffer.data() + static_cast<std::size_t>(at));
        if ((event->mask & IN_ATTRIB) != 0 && event->len > 0 && path.ends_with(event->name)) {
          changed = true;
        }
        at += static_cast<ssize_t>(sizeof *event + event->len);
      }
      step.check(!changed, "the path has its mode from its first moment on",
                 "its mode was changed after bind() had made it");
      step.suspect(
          "The umask was not put back. It is the whole process's: every file that is made later "
          "gets the rights that were meant for this path alone.");
      if (const auto umask = kit::proc::umask(server.pid())) {
        step.check(*umask == now.umask, "the umask as it was", "another one");
      }
#endif
      server.stop();
    }
  }
}

STEP("03.13", "the server sees who asks, and turns others away") {
  const uid_t us = ::geteuid();
  step.suspect(
      "A guard that cannot be kept must be refused: whoever asks for --allow-uid on another kind "
      "would let everybody in, and not know it. The server as it was given refuses it.");
  for (const char* kind : {"unix-datagram", "tcp", "udp"}) {
    step.start("server", {.args = {"--kind", kind, "--path", step.path("guarded"), "--port", "0",
                                   "--allow-uid", std::to_string(us)}})
        .expect_exit(2);
  }
  step.suspect(no_answer);
  Server& ours = step.server(on_path(step.path("ours"), {"--allow-uid", std::to_string(us)}));
  step.suspect(
      "The user that --allow-uid names was turned away. peer_credentials() asks the kernel for the "
      "user at the other end of the connection (SO_PEERCRED), not for the server's own.");
  ask_and_leave(step, ours.address(), step.word() + "\n");
  ours.stop();
  step.suspect(
      "peer_credentials() did not tell who connected. Its uid, gid and pid are those of the "
      "process at the other end, which the kernel keeps for each connection (SO_PEERCRED).");
  Program& asks = step.probe("owner", {"--asks", step.path("asked")});
  asks.expect_line("uid, gid and pid: the client's");
  asks.expect_exit(0);

  for (const uid_t other : {us + 1, step.program_uid() + 7}) {
    Server& theirs =
        step.server(on_path(step.path("theirs"), {"--allow-uid", std::to_string(other)}));
    step.suspect(
        "A user was served whom --allow-uid does not name. verify_request() compares the uid that "
        "the kernel tells of the client; false means end of file, and no answer.");
    for (int i = 0; i < 2; ++i) {
      Peer& client = step.connect(theirs);
      (void)client.try_send(step.word() + "\n");
      client.expect_end_or_reset();
    }
    step.suspect(
        "The server waits until somebody has said something before it asks who that is. The kernel "
        "knows it from the connect() on: ask in verify_request(), before anything is read.");
    step.connect(theirs).expect_end_or_reset();
    theirs.stop();
  }
}

STEP("03.14", "a path becomes an address, and is never cut") {
  for (const std::size_t length : {std::size_t{1}, std::size_t{20}, longest_path}) {
    step.suspect("A path of " + std::to_string(length) +
                 " bytes does not become its address. Its family is AF_UNIX; sun_path begins with "
                 "the path, and a zero byte follows; its size counts what stands before the path, "
                 "the path, and that byte.");
    Program& path = step.probe("path", {"--path", std::string(length, 'p')});
    path.expect_line("AF_UNIX, the whole path, zeros behind it");
    path.expect_exit(0);
  }
  for (const std::size_t length : {longest_path + 1, 2 * longest_path}) {
    step.suspect(
        "A path that does not fit is an error, with \"too long\" among its words. One that is cut "
        "is another path.");
    Program& path = step.probe("path", {"--path", std::string(length, 'p')});
    path.expect_line("an exception: too long");
    path.expect_exit(0);
  }
  step.suspect(
      "A path that is empty, or has a NUL byte in it, became an address. The kernel takes the one "
      "for no name at all, and reads the other up to its NUL: that is another path. Throw "
      "std::invalid_argument.");
  Program& none = step.probe("path", {"--no-paths"});
  none.expect_line("empty: an exception");
  none.expect_line("with a NUL byte: an exception");
  none.expect_exit(0);
}

STEP("03.15", "the name comes with bind, and goes with close") {
  step.suspect(
      "bind() makes the name and notes whose it is; server_close() removes it, in the process that "
      "made it and in no copy of that (fork): compare getpid() with what bind() noted.");
  Program& owner = step.probe("owner", {"--path", step.path("s")});
  for (const std::string kind : {"stream", "datagram"}) {
    owner.expect_line(kind + ": closed in a child: there; closed by its maker: gone");
  }
  owner.expect_exit(0);
}

STEP("03.16", "the reader returns whole lines, and keeps the rest") {
  step.suspect(half_a_line);
  Server& server = step.probe_server("reader", {.args = {"--port", "0"}});
  Peer& client = step.connect(server);
  const std::string word = step.word();
  client.send(word.substr(0, 1));
  expect_silence(step, server, client);
  step.suspect(
      "What follows the newline belongs to the next line: read_line() keeps it, and begins with "
      "it.");
  client.send(word.substr(1) + "\nnext").expect("[" + word + "\n]");
  client.send(" one\n").expect("[next one\n]");
  step.suspect("Several lines came in one piece. Each is returned by itself, none is left out.");
  client.send("one\n\nthree\n").expect("[one\n][\n][three\n]");
  step.suspect(
      "At end of file read_line() returns what is left, though it has no newline; and after that "
      "an empty line.");
  client.send("last").half_close().expect("[last][]").expect_end();
  server.stop();
}

STEP("03.17", "a silent client's time is limited") {
  step.suspect_task("03.I");
  step.suspect(
      "A silent client holds the server for ever, though the handler's timeout is set: setup() "
      "sets SO_RCVTIMEO and SO_SNDTIMEO to it; recv() then fails with EAGAIN, and that ends this "
      "request. (A timeval of 0 is no limit: are the milliseconds in tv_usec?)");
  constexpr milliseconds patience{150};
  Server& server = step.probe_server(
      "writer", {.args = {"--port", "0", "--request-timeout", std::to_string(patience.count())}});
  server.may_say("processing of request from");
  const auto begin = kit::Clock::now();
  Peer& silent = step.connect(server);
  silent.expect_end_or_reset();
  const auto waited = std::chrono::duration_cast<milliseconds>(kit::Clock::now() - begin);
  step.suspect(
      "A client was given up long before its time was over: tv_usec counts millionths of a "
      "second.");
  step.check(waited >= patience / 2, "a wait of " + std::to_string(patience.count()) + " ms",
             "one of " + std::to_string(waited.count()) + " ms");
  step.suspect(
      "A client that takes nothing holds the server for ever, though the handler's timeout is set: "
      "SO_SNDTIMEO limits send() as SO_RCVTIMEO limits recv().");
  Peer& deaf = step.connect(server);
  deaf.send("write without end\n");
  // What a client says in time must be there when its time begins, however slow this machine is.
  const auto say_in_time = [&](const std::string& words) -> Peer& {
    server.signal(SIGSTOP);
    Peer& client = step.connect(server);
    client.send(words);
    server.signal(SIGCONT);
    return client;
  };
  say_in_time("half a li").expect_end_or_reset();
  step.suspect(
      "A client that speaks in time is served as before, also after others were too slow.");
  say_in_time("write twice\n").expect("BEFOREAFTER").expect_end();
  server.stop();

  step.suspect(
      "A timeout of 0 is no limit: a timeval of 0 means for ever. The least that is one is a "
      "millionth of a second.");
  Server& hasty = step.probe_server("writer", {.args = {"--port", "0", "--request-timeout", "0"}});
  hasty.may_say("processing of request from");
  step.connect(hasty).expect_end_or_reset();
  hasty.stop();

  step.suspect(
      "A timeout of a second and more is refused or lost: a timeval has seconds and millionths, "
      "and tv_usec is below 1,000,000.");
  Server& patient =
      step.probe_server("writer", {.args = {"--port", "0", "--request-timeout", "61500"}});
  step.connect(patient).send("write twice\n").expect("BEFOREAFTER").expect_end();
  patient.stop();
}
