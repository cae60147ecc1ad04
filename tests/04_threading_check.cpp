// The check of lesson 04: a server with a thread for each request, and a client with many.
// The steps, with their points: tests/manifest/04_threading.cmake. What a step may do:
// harness/step/step.hpp.

#include <cerrno>
#include <csignal>
#include <vector>

#include "harness/check.hpp"

namespace {

using kit::Calls;
using kit::Fault;
using kit::Listener;
using kit::Peer;
using kit::Program;
using kit::Server;
using kit::Step;

constexpr const char* deaf =
    "The server is deaf while it serves: the next client waits for the one before. "
    "process_request() starts a thread and returns at once; it neither serves nor joins. And "
    "handlers hold no lock in common while they wait for their clients.";

// A client that says one thing and gets one answer, both whole.
void ask(Step& step, const Server& server, const std::string& message) {
  Peer& client = step.connect(server);
  client.send(message).expect(Step::upper(message));
  client.half_close();
  client.expect_end();
}

// An answer beside other clients. What is seen tells apart why it does not come.
void expect_beside_others(Step& step, const Server& server, Peer& client,
                          const std::string& answer) {
  const std::string suspicion = step.suspicion();
  step.await(
      [&] {
        return client.unread().size() >= answer.size() || client.ending() != kit::Ending::open;
      },
      kit::event_deadline(), kit::limits::proc_poll);
  const kit::RecorderLog* const log = server.recorder_if_any();
  if (client.ending() != kit::Ending::open) {
    step.suspect(
        "The connection ended before its answer. It is the thread's from the moment that one is "
        "started: the thread must not keep a reference to what belongs to process_request(), which "
        "is gone when that returns, and the loop must not shut the request down.");
  } else if (log && client.unread().empty() && log->count(Calls::any_accept) == 0) {
    step.suspect_task("04.E", "ThreadingMixIn::has_room");
    step.suspect(
        "Nobody is accepted at all: has_room() says that there is no room. max_threads of 0 means "
        "no limit; only if there is one is the ThreadSet to be asked.");
  }
  client.expect(answer);
  step.suspect_task("04.A");
  step.suspect(suspicion);
}

// Clients that are connected and have each had an answer: a thread serves each of them.
std::vector<Peer*> conversations(Step& step, const Server& server, std::size_t count) {
  std::vector<Peer*> clients;
  for (std::size_t i = 0; i < count; ++i) {
    clients.push_back(&step.connect(server));
    const std::string line = step.word() + "\n";
    clients.back()->send(line).expect(Step::upper(line));
  }
  return clients;
}

void end_all(const std::vector<Peer*>& clients) {
  for (Peer* client : clients) client->half_close();
  for (Peer* client : clients) client->expect_end();
}

}  // namespace

// ---- the server ---------------------------------------------------------------------------------

STEP("04.1", "a second client is served while the first says nothing") {
  step.suspect(deaf);
  Server& server = step.server({.args = {"--quiet"}});
  Peer& silent = step.connect(server);
  step.note("it says nothing");
  Peer& talker = step.connect(server);
  for (int i = 0; i < 3; ++i) {
    const std::string line = step.word() + "\n";
    talker.send(line);
    expect_beside_others(step, server, talker, Step::upper(line));
  }
  ask(step, server, step.word() + "\n");
  step.suspect("The client that was silent for a while is a client like the others.");
  silent.send("at last\n").expect("AT LAST\n");
  end_all({&silent, &talker});
  server.dismiss();  // the end by a signal is step 04.5's affair
}

STEP("04.2", "50 clients at once each get their own answers") {
  constexpr std::size_t many = 50;
  Server& server = step.server({.args = {"--quiet"}});
  std::vector<Peer*> clients;
  for (std::size_t i = 0; i < many; ++i) clients.push_back(&step.connect(server));
  step.suspect(
      "A client gets no answer, or another one's. Each thread needs the request that is its own: "
      "what belongs to process_request() is gone when that returns, so a thread must not keep a "
      "reference to it.");
  for (int round = 0; round < 3; ++round) {
    std::vector<std::string> lines;
    for (Peer* client : clients) {
      lines.push_back(step.word() + " " + step.text(round == 1 ? 2000 : 10) + "\n");
      client->send(lines.back().substr(0, 5));
    }
    for (std::size_t i = 0; i < many; ++i) clients[i]->send(lines[i].substr(5));
    for (std::size_t i = many; i-- > 0;) clients[i]->expect(Step::upper(lines[i]));
  }
  end_all(clients);
  server.dismiss();
}

STEP("04.3", "an exception ends its connection alone") {
  Server& server = step.server({.args = {"--quiet"}});
  const std::vector<Peer*> others = conversations(step, server, 2);
  step.suspect(
      "An exception that leaves a thread ends the whole process. process_request_thread() catches "
      "it, passes it to handle_error() by report_error(), and shuts the request down.");
  for (int i = 0; i < 3; ++i) {
    Peer& client = step.connect(server);
    client.send("before\n").expect("BEFORE\n");
    client.send("!throw\n");
    client.expect_end();
    server.expect_error_contains("Exception occurred during processing of request from " +
                                 client.local().text());
  }
  step.suspect(
      "The handler threw with input unread, and the client was reset: what was answered before may "
      "be lost on the way. process_request_thread() shuts the request down, whatever happened.");
  Peer& endless = step.connect(server);  // its line is too long
  endless.send_in_background("fine\n" + std::string(std::size_t{1} << 20, 'x'));
  endless.expect("FINE\n");
  endless.expect_end();
  server.expect_error_contains("request from " + endless.local().text());
  endless.close();
  for (Peer* other : others) other->send("still here\n").expect("STILL HERE\n");
  ask(step, server, "and a new one\n");
  end_all(others);
  server.dismiss();

  step.suspect(
      "A handler has thrown what is no std::exception (`throw 42;`), and it has left its thread. "
      "Whatever is thrown ends this request alone: catch (...).");
  Server& odd = step.probe_server("closes", {.args = {"--port", "0"}});
  Peer& client = step.connect(odd);
  client.send("throw\n");
  client.expect_end();
  odd.expect_error_contains("request from " + client.local().text());
  step.connect(odd).send("still here\n").expect("STILL HERE\n").expect_end();
  odd.dismiss();
}

STEP("04.4", "after 200 requests there are no more threads than before, nor memory") {
  constexpr std::size_t at_once = 4;
  constexpr std::size_t requests = 200;
  constexpr std::size_t allowance_kib =
      1024;  // the allocator's mood; 200 stacks take three times that
  Server& server = step.server({.args = {"--quiet"}});
  const auto serve = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; i += at_once) end_all(conversations(step, server, at_once));
  };
  // One who is still there, as on any day: whoever waits for the threads in the order in which they
  // were started waits for this one.
  Peer& faithful = step.connect(server);
  faithful.send("hello\n").expect("HELLO\n");
  serve(requests / 4);  // what is kept for good is taken at first: a pool, the allocator's arenas
  const std::size_t threads = server.threads();
  const std::size_t memory = server.rss_kib();
  serve(requests);
  step.suspect(
      "Threads are left over. A thread ends with its request; it must not wait for another one.");
  // A pool may have one idle thread more or less: that is a matter of moments.
  step.wait_until([&] { return server.threads() <= threads + at_once; },
                  "no more threads than before (" + std::to_string(threads) + ")",
                  [&] { return std::to_string(server.threads()) + " threads"; });
  step.suspect(
      "Each thread that has ended leaves something behind. A thread keeps its stack until "
      "somebody joins it; a list of threads that only grows is never joined. The ThreadSet joins "
      "them as they end.");
  step.wait_until([&] { return server.rss_kib() <= memory + allowance_kib; },
                  "no more memory than before (" + std::to_string(memory) + " KiB)",
                  [&] { return std::to_string(server.rss_kib()) + " KiB"; });
  faithful.half_close();
  faithful.expect_end();
  server.dismiss();
}

STEP("04.5", "the end waits for requests under way, and their whole answers") {
  constexpr std::size_t many = 50;
  Server& server = step.server({.args = {"--quiet"}});
  Peer& silent = step.connect(server);
  std::vector<Peer*> clients;
  std::vector<std::string> lines;
  kit::FaultHandle held = server.recorder().add(Fault::hold(Calls::any_send).on_streams().always());
  for (std::size_t i = 0; i < many; ++i) {
    clients.push_back(&step.connect(server));
    lines.push_back(step.text(3000) + "\n");
    clients.back()->send(lines.back());
  }
  step.suspect(deaf);
  step.wait_until([&] { return held.holding() == many; }, "50 answers under way",
                  [&] { return std::to_string(held.holding()) + " answers under way"; });
  step.suspect(
      "The program ended while threads were at work, and their clients went without an answer. "
      "server_close() waits for every thread, after it has closed the listener. (A detached thread "
      "cannot be waited for.)");
  server.signal(SIGTERM);
  const std::string cut_off = step.suspicion();
  step.suspect(
      "The threads are waited for while the listener is still open: new clients come meanwhile, "
      "and nobody serves them. Close it first (Server::server_close()), then join.");
  step.wait_until([&] { return step.refuses(server.address()); }, "a closed listener");
  step.suspect(cut_off);
  step.let_rest(server);  // whoever does not wait for the threads is gone then
  held.release();
  for (std::size_t i = 0; i < many; ++i) {
    clients[i]->expect(Step::upper(lines[i]));
    clients[i]->expect_end();
  }
  step.suspect(
      "At the end a client that says nothing sees the end of file as well: its thread's recv "
      "returns 0, the thread ends, and server_close() has waited for it.");
  silent.expect_end();
  server.expect_stopped();

  step.suspect(
      "server_close() returned while a request was under way. That the process waits later, when "
      "the set of threads is destroyed, is too late for whoever closes a server and then takes "
      "away what its handlers use: join() in server_close().");
  Server& closing = step.probe_server("closes", {.args = {"--port", "0"}});
  closing.expect_line("max_threads=0 block_on_close");
  kit::FaultHandle answer =
      closing.recorder().add(Fault::hold(Calls::any_send).on_streams().always());
  Peer& last = step.connect(closing);
  last.send("under way\n");
  step.wait_until([&] { return answer.holding() == 1; }, "an answer under way");
  closing.expect_end_sometime();
  closing.signal(SIGTERM);
  step.let_rest(closing);  // whoever does not wait has said so then
  answer.release();
  closing.expect_line("server_close() has returned: 0 requests under way");
  last.expect("UNDER WAY\n").expect_end();
  closing.expect_exit(0);
}

STEP("04.6", "each connection is closed once, by its owner") {
  constexpr std::size_t at_once = 8;
  constexpr std::size_t allowance = 4;
  Server& server = step.server({.args = {"--quiet"}});
  const std::size_t before = server.open_descriptors();
  step.suspect(
      "A connection was closed while its client was being served. It belongs to the thread that "
      "serves it: from the moment that one is started, process_request() leaves it alone.");
  for (int round = 0; round < 2; ++round) {
    std::vector<Peer*> clients;
    for (std::size_t i = 0; i < at_once; ++i) clients.push_back(&step.connect(server));
    for (int i = 0; i < 2; ++i) {
      for (Peer* client : clients) client->send("hello\n").expect("HELLO\n");
    }
    end_all(clients);
  }
  step.suspect(
      "Connections are left open. The thread shuts its request down when it has served it, "
      "whatever happened.");
  step.expect_descriptors(server, before, allowance);
  step.suspect(
      "A descriptor was closed twice. Between the two the kernel may give its number to another "
      "client, whose connection is then cut. One owner closes it, once: the Request does.");
  step.check(server.recorder().failed(Calls::close) == 0, "each descriptor is closed once",
             "close() of a number that was closed already (EBADF)");
  server.dismiss();
}

// ---- the client ---------------------------------------------------------------------------------

namespace {

// Plays the server: all clients are connected before the first has its answer. `answer` says what
// goes back, and how a client's conversation ends before its time: nothing at all goes back.
// `whole`: every answer is right, so every client says all its lines.
template <class Answer>
void play_server(Step& step, Listener& partner, std::size_t clients, std::size_t lines,
                 Answer answer, bool whole = false) {
  const std::string suspicion = step.suspicion();
  std::vector<Peer*> peers;
  for (std::size_t i = 0; i < clients; ++i) peers.push_back(&partner.accept());
  const auto has_line = [](Peer& peer) { return peer.unread().find('\n') != std::string::npos; };
  for (std::size_t line = 0; line < lines; ++line) {
    for (std::size_t i = 0; i < clients; ++i) {
      if (!peers[i]) continue;
      const std::string name = peers[i]->name();
      step.suspect("It is connected, and its line does not come: " + std::to_string(line) + " of " +
                   std::to_string(lines) +
                   " have come. A line that stays in a buffer is never answered: flush() before "
                   "the answer is waited for, or a wbufsize of 0.");
      // Whoever has had a wrong answer may go on, or leave.
      step.wait_until(
          [&] { return has_line(*peers[i]) || peers[i]->ending() != kit::Ending::open; },
          "line " + std::to_string(line + 1) + " of " + name);
      const std::string said = has_line(*peers[i]) ? Step::upper(peers[i]->read_line()) : "";
      if (whole) {
        step.suspect("The client at " + name + " sent " + std::to_string(line) + " lines of " +
                     std::to_string(lines) +
                     " and left, and no answer was wrong. The last line is sent, too, and an "
                     "answer is compared with upper() of what was sent, newline included.");
        step.check(!said.empty(), "line " + std::to_string(line + 1) + " of " + name,
                   "its connection ended");
        step.suspect(
            "The numbers of a client's lines are 1, 2, 3 …: the first is line_of(client, 1).");
        step.check(said.ends_with(" SAYS LINE " + std::to_string(line + 1) + "\n"),
                   "a line with the number " + std::to_string(line + 1) + " to " + name,
                   "\"" + said.substr(0, said.size() - 1) + "\" in capitals");
      }
      step.suspect(suspicion);
      const std::string back = said.empty() ? "" : answer(i, line, said);
      if (!back.empty()) peers[i]->try_send(back);
      if (back.empty()) peers[i]->half_close(), peers[i] = nullptr;
    }
  }
  for (Peer* peer : peers) {
    if (peer) peer->half_close();
  }
}

}  // namespace

STEP("04.7", "notices one wrong byte among all answers, and a connection cut short") {
  const std::size_t clients = step.random().between(4, 9);
  const std::size_t lines = step.random().between(4, 9);
  const std::vector<std::string> words{"--clients", std::to_string(clients), "--lines",
                                       std::to_string(lines)};
  step.suspect(
      "Every client is a thread of its own, and all of them are there at once: the first must not "
      "be waited for before the last is started. Each sends its lines and reads an answer to "
      "each.");
  {
    Listener& partner = step.listen();
    Program& client = step.client(partner.address(), words);
    play_server(
        step, partner, clients, lines,
        [](std::size_t, std::size_t, const std::string& right) { return right; }, true);
    client.expect_exit(0);
  }
  {
    constexpr std::size_t crowd = 40;
    Listener& partner = step.listen();
    Program& client =
        step.client(partner.address(), {"--clients", std::to_string(crowd), "--lines", "1"});
    play_server(
        step, partner, crowd, 1,
        [](std::size_t, std::size_t, const std::string& right) { return right; }, true);
    client.expect_exit(0);
  }
  // Which client it is, and which answer, must not matter.
  const std::size_t victims[] = {0, clients / 2, clients - 1};
  const std::size_t places[] = {lines - 1, 0, lines / 2};
  for (int i = 0; i < 3; ++i) {
    step.suspect(
        "One byte of one answer was wrong, and the client has not noticed, or not said so: compare "
        "every answer of every client, whole; then one sentence on stderr, and exit status 1.");
    Listener& partner = step.listen();
    Program& client = step.client(partner.address(), words);
    play_server(step, partner, clients, lines,
                [&](std::size_t number, std::size_t line, std::string answer) {
                  if (number != victims[i] || line != places[i]) return answer;
                  if (i == 1) {
                    answer[0] |= 0x20;  // "cLIENT": only its case is wrong
                  } else {
                    answer[answer.size() / 2] ^= 1;
                  }
                  return answer;
                });
    client.expect_error_sentence();
  }
  step.suspect(
      "A server closed one connection before all was answered, and the client took that for "
      "success. An answer that does not come is as wrong as one that is wrong.");
  Listener& partner = step.listen();
  Program& client = step.client(partner.address(), words);
  const std::size_t victim = step.random().below(clients);
  play_server(step, partner, clients, lines,
              [&](std::size_t number, std::size_t line, std::string answer) {
                return number == victim && line == lines - 1 ? "" : std::move(answer);
              });
  client.expect_error_sentence();

  step.suspect(
      "Nobody listens there, and the client ends as if all were well. A client that does not reach "
      "its server has failed, whichever thread it is in.");
  Listener& gone = step.listen();
  gone.close();
  step.client(gone.address(), words).expect_error_sentence();
}

// ---- harden -------------------------------------------------------------------------------------

STEP("04.8", "no data race") {
  step.suspect(
      "Two threads use the same object at once, and one of them changes it. What belongs to one "
      "request stays in its thread; what threads share needs a lock, or an atomic.");
  step.suspect_if_it_hangs(
      "A client is connected, and nobody answers it. Each request has a thread of its own from the "
      "start: a pool of so many threads has none for the client that comes next.");
  Server& server = step.server();
  server.may_say("processing of request from");
  for (int round = 0; round < 2; ++round) {
    const std::vector<Peer*> clients = conversations(step, server, 12);
    for (Peer* client : clients) client->send("one\ntwo\n");
    for (Peer* client : clients) client->expect("ONE\nTWO\n");
    clients.front()->send("!throw\n");
    clients.front()->expect_end();
    for (Peer* client : clients) {
      if (client != clients.front()) client->half_close();
    }
    for (Peer* client : clients) {
      if (client != clients.front()) client->expect_end();
    }
  }
  // What the end of the server and the threads under way share meets here each time: they are in
  // the midst of an answer while the server closes.
  const std::vector<Peer*> present = conversations(step, server, 8);
  kit::FaultHandle held = server.recorder().add(Fault::hold(Calls::any_send).on_streams().always());
  for (Peer* client : present) client->send("last\n");
  step.wait_until([&] { return held.holding() == present.size(); }, "8 answers under way");
  server.signal(SIGTERM);
  step.wait_until([&] { return step.refuses(server.address()); }, "a closed listener");
  step.let_rest(server);  // whoever does not wait for the threads is gone then
  held.release();
  for (Peer* client : present) {
    client->expect("LAST\n");
    client->expect_end();
  }
  server.expect_stopped();
}

STEP("04.9", "above --max-threads the next client waits, and none is lost") {
  constexpr std::size_t limit = 3;
  Server& server = step.server({.args = {"--quiet", "--max-threads", std::to_string(limit)}});
  std::vector<Peer*> served = conversations(step, server, limit);
  std::vector<Peer*> waiting;
  for (std::size_t i = 0; i < 4; ++i) {
    waiting.push_back(&step.connect(server));
    waiting.back()->send("my turn\n");
  }
  step.suspect(
      "More clients are served than --max-threads allows. has_room() says whether one more may be "
      "taken; it is asked before each.");
  served.front()->send("still mine\n").expect("STILL MINE\n");
  step.let_rest(server);
  for (Peer* client : waiting) {
    step.check(client->unread().empty() && client->ending() == kit::Ending::open,
               "a client above the limit waits: neither answered nor turned away",
               client->unread().empty() ? "its connection was closed" : "it was answered");
  }
  step.suspect(
      "A place became free, and the client that waited was not served. The thread that ends wakes "
      "the loop: ThreadSet calls the function that it was given, which calls wake(). It does so "
      "once has_room() has said no: size() tells nobody. Threads that have ended are not counted.");
  for (Peer* client : waiting) {
    served.front()->half_close();
    served.front()->expect_end();
    served.erase(served.begin());
    client->expect("MY TURN\n");
    served.push_back(client);
  }
  step.suspect(
      "With as many threads as allowed, the server does not end on SIGTERM. The loop must be free "
      "to see the signal: has_room() does not wait, and process_request() neither.");
  Peer& last = step.connect(server);
  last.send("too late\n");
  step.let_rest(server);  // whoever takes it all the same has done so then
  server.signal(SIGTERM);
  for (Peer* client : served) client->expect_end();
  last.expect_over();
  server.expect_stopped();
}

STEP("04.10", "a thread that cannot start costs one client, not the server") {
  Server& server = step.server({.args = {"--quiet"}});
  const std::vector<Peer*> others = conversations(step, server, 2);
  for (int i = 0; i < 2; ++i) {
    step.suspect(
        "No thread could be started (EAGAIN), and the client was left hanging, or reset. Catch the "
        "exception in process_request(): report_error(), then shutdown_request(): its client sees "
        "the end of file. So the request must still be there when start() throws.");
    kit::FaultHandle fault = server.recorder().add(Fault::fail(Calls::any_thread, EAGAIN));
    // Its words are there before it is accepted: what is closed with them unread is reset.
    kit::FaultHandle door = server.recorder().add(Fault::hold(Calls::any_accept));
    Peer& unlucky = step.connect(server);
    unlucky.send("hello\n");
    unlucky.half_close();
    step.wait_until([&] { return door.holding() > 0; }, "a call of accept()");
    door.release();
    const std::string got = unlucky.read_all();
    step.check(got.empty() || got == "HELLO\n",
               "the end of file, or the answer (of a thread that "
               "was there already)",
               "\"" + got + "\"");
    if (got.empty()) {
      step.suspect(
          "The client was turned away, and nobody was told. report_error() says on stderr why.");
      server.expect_error_contains("Exception occurred during processing of request from " +
                                   unlucky.local().text());
    }
    fault.withdraw();
    step.suspect("One thread could not start, and the server serves nobody any more.");
    ask(step, server, "the next one\n");
    step.suspect(
        "One failure was reported twice: by process_request(), and by the loop, which it was "
        "thrown on to. Who has reported an exception does not throw it again.");
    const std::string_view errors = server.errors();
    const std::string who = "request from " + unlucky.local().text();
    step.check(errors.find(who) == errors.rfind(who), "one report of " + unlucky.name(), "two");
  }
  step.suspect(
      "Each thread that could not start has left something behind. What is made for a request goes "
      "with it, whether its thread starts or not: that is what a smart pointer is for.");
  server.may_say("processing of request from");
  kit::FaultHandle none =
      server.recorder().add(Fault::fail(Calls::any_thread, EAGAIN).always().in_a_row());
  const auto heap_after_refusals = [&](int count) {
    for (int i = 0; i < count; ++i) {
      Peer& client = step.connect(server);
      client.half_close();
      client.expect_end();
      client.close();
    }
    step.let_rest(server);
    return server.recorder().heap_at_rest();
  };
  const std::size_t heap = heap_after_refusals(10);  // what is taken at first use stays
  const std::size_t more = heap_after_refusals(30);
  if (none.delivered() == 40) {  // no pool
    step.check(more <= heap + 30 * 64, "no more memory than before",
               std::to_string(more - heap) + " bytes more");
  }
  none.withdraw();
  for (Peer* other : others) other->send("still here\n").expect("STILL HERE\n");
  end_all(others);
  step.suspect(
      "The server does not end. A thread that never started cannot be waited for: it must not be "
      "counted, nor be in a list of those to join.");
  server.stop();
}

STEP("04.11", "--daemon-threads and --no-block-on-close do not wait") {
  for (const char* option : {"--daemon-threads", "--no-block-on-close"}) {
    step.suspect(std::string("With ") + option +
                 " server_close() does not wait for the threads: it joins only if block_on_close "
                 "is set and daemon_threads is not.");
    Server& server = step.server({.args = {"--quiet", "--delay", "600000", option}});
    Peer& client = step.connect(server);
    client.send("this takes ten minutes\n").wait_until_taken();
    server.signal(SIGTERM);
    client.expect_over();
    server.expect_stopped();
    step.suspect(std::string("With ") + option +
                 " server_close() does not wait, and does all the rest: Server::server_close() "
                 "closes the listener.");
    const kit::RecorderLog* const log = server.recorder_if_any();
    if (!log || !log->attached()) continue;
    bool closed = false;
    for (const kit::CallRecord& call : log->records(kit::recorder::ring_size)) {
      closed |= call.is(Calls::close) && call.socket == kit::recorder::listener;
    }
    step.check(closed, "the listener closed before the program ends", "no close() of it");
  }
}

STEP("04.12", "shutdown() from a handler's thread works") {
  Server& server = step.server({.args = {"--quiet", "--max-threads", "2"}});
  Peer& other = step.connect(server);
  other.send("first\n").expect("FIRST\n");
  Peer& ender = step.connect(server);
  ender.send("second\n").expect("SECOND\n");
  Peer& third = step.connect(server);  // no thread for it now: it waits, and will leave
  third.send("waits\n").half_close();
  step.let_rest(server);  // whoever takes it all the same has done so then
  step.suspect("After shutdown() the requests under way are still served to their end.");
  step.suspect_if_it_hangs(
      "A handler has called shutdown(), which waits until the loop has ended, and the loop waits "
      "for a handler: a deadlock. The loop waits for nobody: neither in process_request() nor in "
      "has_room().");
  server.expect_end_sometime();
  ender.send("!shutdown\n").expect("!SHUTDOWN\n");
  other.send("still here\n").expect("STILL HERE\n");
  end_all({&other, &ender});
  third.expect_over();
  server.expect_stopped();
}

STEP("04.13", "UDP and Unix servers thread as well") {
  const auto expect_beside = [&](const char* kind, kit::DatagramPeer& first,
                                 kit::DatagramPeer& second, Server& server) {
    step.suspect(std::string("A ") + kind +
                 " server serves each datagram in a thread of its own, too: while one answer is "
                 "under way, the next datagram is answered.");
    kit::FaultHandle held = server.recorder().add(Fault::hold(Calls::any_send).on_datagrams());
    first.send("slow\n");
    step.wait_until([&] { return held.holding() > 0; }, "an answer under way");
    second.send("quick\n").expect("QUICK\n");
    second.send("again\n").expect("AGAIN\n");
    held.release();
    first.expect("SLOW\n");
  };
  {
    Server& server = step.server({.args = {"--quiet", "--kind", "udp"}});
    expect_beside("UDP", step.datagram_peer(server), step.datagram_peer(server), server);
    server.stop();
  }
  {
    Server& server = step.server(
        {.args = {"--quiet", "--kind", "unix-datagram", "--path", step.path("datagrams")}});
    expect_beside("Unix datagram", step.datagram_peer(server), step.datagram_peer(server), server);
    server.stop();
  }
  step.suspect(deaf);
  Server& server =
      step.server({.args = {"--quiet", "--kind", "unix-stream", "--path", step.path("stream")}});
  Peer& silent = step.connect(server);
  ask(step, server, step.word() + "\n");
  silent.send("at last\n").expect("AT LAST\n");
  silent.half_close();
  silent.expect_end();
  server.stop();
}
