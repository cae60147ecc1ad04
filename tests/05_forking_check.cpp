// The check of lesson 05: a server with a process for each request, and a client with many.
// The steps, with their points: tests/manifest/05_forking.cmake. What a step may do:
// harness/step/step.hpp.

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <set>
#include <vector>

#include "harness/check.hpp"
#include "harness/kernel/proc.hpp"
#include "harness/processes/orphans.hpp"

namespace {

using kit::Calls;
using kit::Fault;
using kit::Listener;
using kit::Peer;
using kit::Program;
using kit::RecorderLog;
using kit::Server;
using kit::Step;

// A client that says one thing and gets one answer, both whole.
void ask(Step& step, const Server& server, const std::string& message) {
  Peer& client = step.connect(server);
  client.send(message).expect(Step::upper(message));
  client.half_close();
  client.expect_end();
}

// The number of the process that serves this client.
pid_t who_serves(Peer& client) {
  client.send("!pid\n");
  return static_cast<pid_t>(std::atoi(client.read_line().c_str()));
}

// Clients that are connected and have each had an answer: a child serves each of them.
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

// The process stands still. It has not ended.
void stop_for_now(Step& step, pid_t process) {
  ::kill(process, SIGSTOP);
  step.did("signal", "SIGSTOP to " + std::to_string(process));
  step.wait_until(
      [&] { return kit::proc::status(process).value_or(kit::proc::Status{}).state == 'T'; },
      "a process that stands still");
}

void go_on(Step& step, pid_t process) {
  ::kill(process, SIGCONT);
  step.did("signal", "SIGCONT to " + std::to_string(process));
}

// The client has said something. Says what keeps the server from it, by what is seen;
// `descriptors`: how many the server has open while it serves nobody.
void suspect_deafness(Step& step, Server& server, Peer& client, std::size_t descriptors) {
  step.suspect(
      "The server is deaf while it serves: the next client waits for the one before. The child "
      "serves; the parent goes back to its loop at once.");
  step.let_rest(server);
  if (!client.unread().empty()) return;
  const kit::RecorderLog* recorder = server.recorder_if_any();
  if (client.ending() != kit::Ending::open) {
    step.suspect(
        "The connection was ended before its answer. shutdown() ends it for every process that has "
        "a copy: the parent uses close_request(), which closes its copy alone.");
  } else if (recorder != nullptr && recorder->pending(Calls::any_reap)) {
    step.suspect(
        "The server is deaf while it serves: it sits in waitpid(), for a child that still runs. "
        "process_request() waits for nobody, and collect_children() asks with WNOHANG.");
    // With its copy of the connection closed it has left process_request().
    if (server.open_descriptors() <= descriptors)
      step.suspect_task("05.B", "ForkingMixIn::collect_children");
  }
}

void expect_running(Step& step, const Server& server, std::size_t most, const char* sentence) {
  step.suspect(
      "A child has served its client and did not end: it went back into the loop. Nothing may "
      "stand between the child's work and its _exit().");
  step.wait_until([&] { return server.children().size() <= most; }, sentence,
                  [&] { return std::to_string(server.children().size()) + " children that run"; });
}

void expect_no_children(Step& step, const Server& server) {
  step.wait_until([&] { return server.zombies().empty() && server.children().empty(); },
                  "no zombie, and no child that still runs",
                  [&] {
                    return std::to_string(server.zombies().size()) + " zombies, and " +
                           std::to_string(server.children().size()) + " children that still run";
                  });
}

}  // namespace

// ---- the server ---------------------------------------------------------------------------------

STEP("05.1", "each client gets a process of its own, also beside a silent one") {
  constexpr int clients = 3;
  Server& server = step.server({.args = {"--quiet"}});
  const std::size_t before = server.open_descriptors();
  Peer& silent = step.connect(server);
  Peer& first = step.connect(server);
  const std::string line = step.word() + "\n";
  first.send(line);
  suspect_deafness(step, server, first, before);
  first.expect(Step::upper(line));
  step.suspect(
      "The conversation is over, and the connection is not: the child shuts its request down, the "
      "parent closes its copy.");
  end_all({&first});
  expect_running(step, server, 1, "one child that runs: the silent client's");

  std::vector<Peer*> present;
  std::set<pid_t> processes;
  for (int i = 0; i < clients; ++i) {
    Peer& client = step.connect(server);
    client.send("!pid\n");
    suspect_deafness(step, server, client, before);
    processes.insert(static_cast<pid_t>(std::atoi(client.read_line().c_str())));
    present.push_back(&client);
  }
  step.suspect("Clients are served by one and the same process. Each gets a child of its own.");
  step.check(processes.size() == clients && !processes.contains(server.pid()),
             "3 processes, and none of them the server's",
             std::to_string(processes.size()) + " different numbers" +
                 (processes.contains(server.pid()) ? ", one of them the server's own" : ""));
  for (Peer* client : present) client->send("still here\n").expect("STILL HERE\n");
  step.suspect("The client that was silent for a while is a client like the others.");
  silent.send("at last\n").expect("AT LAST\n");
  present.push_back(&silent);
  end_all(present);
  expect_running(step, server, 0, "no child that still runs");
  server.dismiss();  // its own end is task 05.D
}

namespace {

// One good line, and then one without end, far longer than is read: the good one's answer comes,
// and the end of file.
void expect_goodbye(Step& step, Peer& client) {
  step.suspect(
      "A child ended with input unread, and its client was reset: what was answered before may be "
      "lost on the way. The child shuts its request down (shutdown_request) before it leaves.");
  client.send_in_background("fine\n" + std::string(std::size_t{1} << 20, 'x'));
  client.expect("FINE\n");
  client.expect_end();
  client.close();
}

}  // namespace

STEP("05.2", "the client sees end of file when its child ends") {
  constexpr std::size_t allowance = 4;
  Server& server = step.server({.args = {"--quiet"}, .may_report = true});
  const std::size_t before = server.open_descriptors();
  const std::size_t sockets = kit::proc::open_sockets(server.pid()).value_or(0);
  server.may_say("killed by signal");
  step.suspect(
      "The client saw the end of file before its answer. shutdown() ends the connection for every "
      "process that has a copy of it: the parent uses close_request(), which closes its copy "
      "alone.");
  Peer& patient = step.connect(server);
  step.wait_until([&] { return !server.children().empty(); }, "a child that serves the client");
  step.check(patient.ending() == kit::Ending::open, "the connection is open", "it was ended");
  patient.send("one\n").expect("ONE\n");
  patient.send("two\n").expect("TWO\n");
  end_all({&patient});

  step.suspect(
      "The child is gone, and the client was not told: the parent still has its copy of the "
      "connection. As long as one process holds a connection open, the other side sees no end.");
  Peer& crashed = step.connect(server);
  crashed.send("hello\n").expect("HELLO\n");
  crashed.send("!crash\n");
  crashed.expect_end();
  step.suspect(
      "The parent keeps its copy of each connection as long as the child runs. It has no business "
      "with it, and closes it as soon as it has forked.");
  const std::vector<Peer*> many = conversations(step, server, 20);
  step.wait_until(
      [&] { return kit::proc::open_sockets(server.pid()).value_or(0) <= sockets + allowance; },
      "no more sockets in the parent than before",
      [&] {
        return std::to_string(kit::proc::open_sockets(server.pid()).value_or(0)) + " sockets";
      });
  end_all(many);
  step.suspect_task("05.A", "ForkingMixIn::serve_and_exit");
  server.may_say("processing of request from");
  server.may_say("exit status 1");
  expect_goodbye(step, step.connect(server));
  step.expect_descriptors(server, before, allowance);
  server.dismiss();
}

STEP("05.3", "a burst of 50 leaves no zombie, without waiting for the next client") {
  constexpr std::size_t burst = 50;
  constexpr std::uint64_t turns_a_request = 20;
  Server& server = step.server({.args = {"--quiet", "--max-children", "0"},
                                .faults = {Fault::fail(Calls::any_reap, EINTR).every(5)}});
  const std::size_t before = server.open_descriptors();
  Peer& first = step.connect(server);
  first.send("hello\n");
  suspect_deafness(step, server, first, before);
  if (first.ending() == kit::Ending::open && first.unread().empty() && server.children().empty()) {
    step.suspect("The server was told --max-children 0, and takes nobody: 0 is no limit.");
    step.suspect_task("05.E", "ForkingMixIn::has_room");
  }
  first.expect("HELLO\n");
  end_all({&first});
  step.suspect_task("05.B", "ForkingMixIn::collect_children");
  step.suspect(
      "Children that have ended are still there, as zombies. SIGCHLD says that children have "
      "ended, not how many: several signals come as one. Ask after every child, and again after a "
      "waitpid() that a signal has interrupted (EINTR).");
  const std::vector<Peer*> clients = conversations(step, server, burst);
  // All of them end while the server cannot run: their signals become one.
  server.signal(SIGSTOP);
  end_all(clients);
  step.wait_until([&] { return server.zombies().size() == burst; }, "50 children that have ended");
  server.signal(SIGCONT);
  expect_no_children(step, server);

  step.suspect(
      "The loop does not sleep: it is woken again and again. Whoever has a descriptor watched "
      "reads what has come: collect_children() calls child_watch_.drain().");
  constexpr std::uint64_t requests = 10;
  const std::uint64_t turns = server.recorder().count(Calls::any_wait);
  for (std::uint64_t i = 0; i < requests; ++i) ask(step, server, "hello\n");
  const std::uint64_t waits = server.recorder().count(Calls::any_wait) - turns;
  step.check(waits <= requests * turns_a_request, "a few turns of the loop for each of 10 requests",
             std::to_string(waits) + " turns");
  expect_no_children(step, server);
  server.dismiss();  // its own end is task 05.D

  Server& watched = step.server({.args = {"--quiet"}});
  std::vector<Peer*> two = conversations(step, watched, 2);
  step.suspect(
      "A child was stopped for a while (SIGSTOP), and was taken for one that has ended. Without "
      "WUNTRACED waitpid() tells of ends alone.");
  const pid_t stopped = who_serves(*two.front());
  stop_for_now(step, stopped);
  step.let_rest(watched);
  // Who asks whenever the loop turns asks so often when somebody comes: the last time, somebody
  // ends.
  const std::uint64_t asked_before = watched.recorder().count(Calls::any_reap);
  Peer& extra = step.connect(watched);
  extra.send("hello\n").expect("HELLO\n");
  step.let_rest(watched);
  const std::uint64_t asks = watched.recorder().count(Calls::any_reap) - asked_before;
  end_all({&extra});
  expect_running(step, watched, 2, "two children that run");
  step.let_rest(watched);
  go_on(step, stopped);
  end_all({two.front()});
  step.wait_until([&] { return watched.zombies().empty(); }, "no zombie",
                  [&] { return std::to_string(watched.zombies().size()) + " zombies"; });
  two.front() = conversations(step, watched, 1).front();
  step.let_rest(watched);
  if (asks > 0) {
    step.suspect(
        "A child ended while the others were being asked after, and was missed. Drain the watch "
        "first, and then ask after every child: who ends in between leaves a new byte in it.");
    kit::FaultHandle asked = watched.recorder().add(Fault::hold(Calls::any_reap).at(asks));
    Peer& third = step.connect(watched);
    third.send("hello\n");
    step.let_rest(watched);  // it sleeps, or is held
    end_all(two);
    step.wait_until([&] { return watched.children().size() <= 1; }, "the end of two children");
    asked.withdraw();
    third.expect("HELLO\n");
    step.wait_until([&] { return watched.zombies().empty(); },
                    "no zombie, though nobody else comes or goes",
                    [&] { return std::to_string(watched.zombies().size()) + " zombies"; });
    end_all({&third});
    expect_no_children(step, watched);
    two = conversations(step, watched, 2);
  }

  step.suspect(
      "A child has ended while the listener is left alone (accept() found no descriptor free), and "
      "nobody reads the watch: the loop turns. service_actions() collects; has_room() is not asked "
      "meanwhile.");
  watched.may_say("cannot take a request");
  kit::FaultHandle full =
      watched.recorder().add(Fault::fail(Calls::any_accept, EMFILE).always().in_a_row());
  Peer& late = step.connect(watched);
  late.send("hello\n");
  for (Peer* one : two) {
    const std::uint64_t failed = full.delivered();
    step.wait_until([&] { return full.delivered() > failed; }, "accept() is tried again");
    const std::uint64_t waits_before = watched.recorder().count(Calls::any_wait);
    end_all({one});
    step.wait_until([&] { return watched.zombies().empty(); }, "no zombie");
    const std::uint64_t more = watched.recorder().count(Calls::any_wait) - waits_before;
    step.check(more <= 50, "a few turns of the loop", std::to_string(more) + " turns");
  }
  full.withdraw();
  late.expect("HELLO\n");
  end_all({&late});
  watched.dismiss();
}

STEP("05.4", "a child never comes back into the loop, and leaves by _exit") {
  constexpr int clients = 10;
  Server& server = step.probe_server("ends", {.args = {"--port", "0"}});
  step.suspect(
      "A child has served its client and did not end: it went back into the loop. Nothing may "
      "stand between the child's work and its _exit().");
  Peer& stays = step.connect(server);
  stays.send("who\n").read_line();
  for (int i = 0; i < clients; ++i) {
    Peer& client = step.connect(server);
    client.send("who\n");
    client.half_close();
    const std::string answer = client.read_all();
    const std::string parent = " " + std::to_string(server.pid()) + " ";
    step.check(answer.find(parent) != std::string::npos,
               "an answer from a child of the server, \"…" + parent + "…\"", "\"" + answer + "\"");
    step.suspect(
        "A child takes its parent's children for its own, and would send signals to them. "
        "active_children_ are the parent's: fork_child() empties the child's copy.");
    step.check(answer.ends_with(parent + "0\n"), "a child without children of its own",
               "\"" + answer + "\"");
    step.suspect(
        "A child has served its client and did not end: it went back into the loop. Nothing may "
        "stand between the child's work and its _exit().");
  }
  end_all({&stays});
  expect_running(step, server, 0, "no child that still runs");
  server.kill();  // what it had in its buffer is lost, and what it had registered is not run
  step.suspect(
      "A child has ended by exit() or by returning from main(): what stood in the parent's buffer "
      "was printed, and what the parent had registered for its end was run. A child leaves by "
      "_exit().");
  const auto count = [&](const std::string& text) {
    std::size_t found = 0;
    const std::string_view all = server.output();
    for (std::size_t at = 0; (at = all.find(text, at)) != all.npos; at += text.size()) ++found;
    return found;
  };
  step.check(count(" once\n") == 0, "what the parent has in its buffer no child prints",
             "printed " + std::to_string(count(" once\n")) + " times");
  step.check(count(" the end of ") == 0, "what the parent has registered for its end no child runs",
             "run " + std::to_string(count(" the end of ")) + " times");
}

STEP("05.5", "a child that crashes costs its client alone, and its status is told") {
  Server& server = step.server({.args = {"--quiet"}, .may_report = true});
  const std::vector<Peer*> others = conversations(step, server, 2);
  const auto expect_end_of = [&](const char* order, const std::string& status) {
    step.suspect(
        "A child has ended, and nobody was told how. A status other than 0 goes to child_ended(), "
        "which says it; a child whose handler has thrown ends with exit status 1.");
    Peer& client = step.connect(server);
    const pid_t child = who_serves(client);
    client.send(order);
    client.expect_end();
    server.expect_error_contains("child " + std::to_string(child) + ": " + status);
    step.suspect("One child has ended badly, and others felt it.");
    for (Peer* other : others) other->send("still here\n").expect("STILL HERE\n");
    ask(step, server, "and a new one\n");
    return client.local().text();
  };
  const std::string client = expect_end_of("!throw\n", "exit status 1");
  step.suspect("What a handler throws goes to report_error(), in the child.");
  server.expect_error_contains("Exception occurred during processing of request from " + client);
  expect_end_of("!crash\n", "killed by signal " + std::to_string(SIGABRT));
  end_all(others);
  expect_no_children(step, server);
  server.dismiss();

  step.suspect_task("05.A", "ForkingMixIn::serve_and_exit");
  step.suspect(
      "A handler has thrown what is no std::exception (`throw 42;`), and its child did not end "
      "with exit status 1. Whatever is thrown is caught: catch (...).");
  Server& odd = step.probe_server("ends", {.args = {"--port", "0"}});
  Peer& thrower = step.connect(odd);
  thrower.send("throw\n").expect_end();
  odd.expect_error_contains("request from " + thrower.local().text());
  odd.expect_error_contains(": exit status 1");
  odd.kill();
}

// ---- the client ---------------------------------------------------------------------------------

namespace {

// Plays the server for clients that are connected, until each has had its answers or has left.
// `answer` says what goes back.
template <class Answer>
void play_server(Step& step, const std::vector<Peer*>& clients, std::size_t lines, Answer answer) {
  const auto has_line = [](Peer& peer) { return peer.unread().find('\n') != std::string::npos; };
  for (std::size_t line = 0; line < lines; ++line) {
    for (std::size_t i = 0; i < clients.size(); ++i) {
      Peer& client = *clients[i];
      step.wait_until([&] { return has_line(client) || client.ending() != kit::Ending::open; },
                      "line " + std::to_string(line + 1) + " of " + client.name());
      if (has_line(client)) client.try_send(answer(i, line, Step::upper(client.read_line())));
    }
  }
  for (Peer* client : clients) client->half_close();
}

}  // namespace

STEP("05.6", "its children's exit statuses decide its own") {
  const std::size_t clients = step.random().between(3, 7);
  const std::size_t lines = step.random().between(2, 5);
  const std::vector<std::string> words{"--clients", std::to_string(clients), "--lines",
                                       std::to_string(lines)};
  // The client, when all of its children are connected.
  const auto start = [&](std::vector<Peer*>& peers, const std::vector<Fault>& faults) -> Program& {
    Listener& partner = step.listen();
    Program& client = step.client(partner.address(), words, {.faults = faults});
    step.suspect(
        "Each client is a process of its own, and all of them are there at once: start every child "
        "before you wait for the first. And a child has its conversation and ends: it starts no "
        "children.");
    if (!faults.empty()) {
      step.let_rest(client);
      if (!client.alive()) {
        step.suspect(client.recorder().count(Calls::any_reap) == 0
                         ? "The client ended before its conversations: it has waited for no child."
                         : "The client ended before its conversations. A signal had interrupted a "
                           "waitpid() (EINTR), which has to be asked again.");
      }
    }
    for (std::size_t i = 0; i < clients; ++i) peers.push_back(&partner.accept());
    step.wait_until([&] { return client.children().size() == clients; },
                    std::to_string(clients) + " child processes",
                    [&] { return std::to_string(client.children().size()) + " child processes"; });
    return client;
  };
  const auto right = [](std::size_t, std::size_t, const std::string& answer) { return answer; };
  {
    std::vector<Peer*> peers;
    Program& client = start(peers, {Fault::fail(Calls::any_reap, EINTR).times(clients).in_a_row()});
    const pid_t stopped = client.children().front();
    stop_for_now(step, stopped);
    step.let_rest(client);
    go_on(step, stopped);
    step.suspect(
        "Every answer was right, and the client does not say so by exit status 0. (A waitpid() "
        "that a signal has interrupted, EINTR, has to be asked again; and a child that was stopped "
        "for a while has not ended: no WUNTRACED.)");
    play_server(step, peers, lines, right);
    client.expect_exit(0);
  }
  // Which child it is must not matter: the first to be waited for, the last, one between.
  for (const std::size_t victim : {std::size_t{0}, clients / 2, clients - 1}) {
    std::vector<Peer*> peers;
    Program& client = start(peers, {});
    step.suspect(
        "One client's answer was wrong; its process has ended with a status other than 0, and the "
        "parent has ended with 0. Look at the status of every child.");
    play_server(step, peers, lines, [&](std::size_t number, std::size_t line, std::string answer) {
      if (number == victim && line == lines - 1) answer[0] = '?';
      return answer;
    });
    client.may_say("");  // who has failed, and why
    client.expect_exit(1);
  }
  {
    std::vector<Peer*> peers;
    Program& client = start(peers, {});
    step.suspect(
        "One child has failed, and the client ended while others were still at work. Their parent "
        "waits for every one of them, and remembers that one has failed.");
    peers.front()->close();
    step.wait_until([&] { return client.children().size() < clients; },
                    "the end of the first child",
                    [&] { return std::to_string(client.children().size()) + " child processes"; });
    step.let_rest(client);
    step.check(client.alive(), "a client that waits for its other children", "it has ended");
    for (Peer* peer : peers) peer->close();
    client.may_say("");  // who has failed, and why
    client.expect_exit(1);
  }
  if (RecorderLog::available()) {
    Listener& partner = step.listen();
    step.suspect(
        "A fork has failed, and the client ended without waiting for the child that it had "
        "started.");
    Program& client =
        step.client(partner.address(), words,
                    {.faults = {Fault::fail(Calls::any_fork, EAGAIN).at(2).always().in_a_row()}});
    Peer& only = partner.accept();
    step.let_rest(client);
    step.check(client.alive(), "the client waits for the child that was started",
               "it has ended: " + (client.exit() ? client.exit()->text() : std::string()));
    play_server(step, {&only}, lines, right);
    step.suspect(
        "fork() has failed (-1), and the client ended as if all was well. Fewer clients than asked "
        "for are a failure.");
    if (client.wait_exit().clean(1)) {
      step.suspect(
          "fork() has failed (-1), and the sentence on stderr blames something else: the -1 was "
          "taken for the number of a child, and waited for. Wait for those that were started, then "
          "say that fork has failed.");
      client.expect_error_sentence({"fork"});
    }
    client.may_say("");  // who has failed, and why
    client.expect_exit(1);

    step.suspect(
        "waitpid() has failed, and not for a signal (ECHILD: somebody else has the status). How "
        "that child has ended nobody knows. That is no success, and to ask again helps nothing.");
    std::vector<Peer*> peers;
    Program& robbed = start(peers, {Fault::fail(Calls::any_reap, ECHILD).at(clients)});
    play_server(step, peers, lines, right);
    robbed.may_say("");
    robbed.expect_exit(1);
  }
  std::vector<Peer*> peers;
  Program& client = start(peers, {});
  const char* const killed =
      "A child was killed by a signal. It has no exit status then, and has not had its answers: "
      "the parent must not take that for success.";
  ::kill(client.children().front(), SIGKILL);
  step.did("signal", "SIGKILL to one of the client's children");
  step.suspect(
      "A child was killed, and its connection lives on: another process of the client's has a copy "
      "of it. Each child connects by itself, after its fork.");
  const auto over = [](Peer* peer) { return peer->ending() != kit::Ending::open; };
  step.wait_until([&] { return std::any_of(peers.begin(), peers.end(), over); },
                  "the end of a connection");
  step.suspect(killed);
  play_server(step, peers, lines, right);
  client.may_say("");  // who has failed, and why
  client.expect_exit(1);
}

// ---- the end ------------------------------------------------------------------------------------

STEP("05.7", "the end waits for the children, or not, as told") {
  const auto with_request_under_way = [&](std::vector<std::string> args, auto end) {
    args.emplace_back("--quiet");
    Server& server = step.server(
        {.args = args, .faults = {Fault::fail(Calls::any_reap, EINTR).in_a_row().times(6)}});
    Peer& silent = step.connect(server);
    kit::FaultHandle held = server.recorder().add(Fault::hold(Calls::any_send).on_streams());
    Peer& client = step.connect(server);
    client.send("hello\n");
    step.wait_until([&] { return held.holding() > 0; }, "an answer under way");
    server.signal(SIGTERM);
    step.suspect(
        "A client that says nothing keeps its child for ever. At the end every child is sent "
        "SIGTERM (interrupt_requests(), given), and its recv returns 0.");
    silent.expect_end();
    end(server, held);
    step.suspect("The client whose request was under way at the end went without its answer.");
    client.expect("HELLO\n");
    client.expect_end();
    step.suspect("A process of the server's is left behind.");
    step.wait_until([] { return kit::orphans().empty(); }, "no process of the server's is left");
  };

  with_request_under_way({}, [&](Server& server, kit::FaultHandle& held) {
    step.suspect(
        "The server ended before its children. With block_on_close, server_close() waits for each "
        "of them, and waits again after EINTR.");
    step.let_rest(server);  // whoever does not wait is gone then
    step.check(server.alive(), "the server waits for the child that still answers",
               "it has ended: " + (server.exit() ? server.exit()->text() : std::string()));
    step.suspect(
        "The server asks again and again whether its children have ended. waitpid() without "
        "WNOHANG sleeps until one has.");
    step.wait_until([&] { return !server.alive() || kit::proc::asleep(server.pid()).has_value(); },
                    "the server sleeps while it waits", [] { return "it runs all the time"; });
    step.suspect(
        "The server wakes to look whether its children have ended, though none has. waitpid() "
        "without WNOHANG sleeps until one has.");
    const std::uint64_t calls = server.recorder().count(Calls::any_reap);
    for (int look = 0; look < 4; ++look) step.let_rest(server);
    step.check(server.recorder().count(Calls::any_reap) == calls,
               "the server sleeps while it waits",
               "it has asked " + std::to_string(server.recorder().count(Calls::any_reap) - calls) +
                   " times");
    held.release();
    server.expect_stopped();
  });
  step.suspect(
      "The server has waited for one of its children, and ended before another: server_close() "
      "waits for every one of active_children_.");
  Server& crowded = step.server({.args = {"--quiet"}});
  std::vector<kit::FaultHandle> answers;
  std::vector<Peer*> clients;
  for (int i = 0; i < 3; ++i) {
    answers.push_back(crowded.recorder().add(Fault::hold(Calls::any_send).on_streams()));
    clients.push_back(&step.connect(crowded));
    clients.back()->send("hello\n");
    step.wait_until([&] { return answers.back().holding() > 0; }, "an answer under way");
  }
  crowded.signal(SIGTERM);
  for (const std::size_t next : {0u, 2u, 1u}) {  // who waits for one has the first or the last
    step.let_rest(crowded);                      // whoever does not wait is gone then
    step.check(crowded.alive(), "the server waits for the others", "it has ended");
    answers[next].release();
    clients[next]->expect("HELLO\n");
    clients[next]->expect_end();
  }
  crowded.expect_stopped();
  with_request_under_way({"--no-block-on-close"}, [&](Server& server, kit::FaultHandle& held) {
    step.suspect("The server was told not to wait (block_on_close is false), and waits.");
    server.expect_stopped(Server::Children::may_go_on);
    held.release();
  });
}

// ---- harden -------------------------------------------------------------------------------------

STEP("05.8", "above --max-children the next client waits, and none is lost") {
  constexpr std::size_t limit = 3;
  Server& server = step.server({.args = {"--quiet", "--max-children", std::to_string(limit)}});
  std::vector<Peer*> served = conversations(step, server, limit);
  std::vector<Peer*> waiting;
  for (std::size_t i = 0; i < 4; ++i) {
    waiting.push_back(&step.connect(server));
    waiting.back()->send("my turn\n");
  }
  step.suspect(
      "More children run than --max-children allows. has_room() says whether one more may be "
      "forked; it is asked before each request.");
  served.front()->send("still mine\n").expect("STILL MINE\n");
  step.let_rest(server);
  step.check(server.children().size() <= limit, "3 children at most",
             std::to_string(server.children().size()) + " children");
  for (Peer* client : waiting) {
    step.check(client->unread().empty() && client->ending() == kit::Ending::open,
               "a client above the limit waits: neither answered nor turned away",
               client->unread().empty() ? "its connection was closed" : "it was answered");
  }
  step.suspect(
      "A child has ended, and the client that waited was not served: a child that has been "
      "collected is no active child any more.");
  for (Peer* client : waiting) {
    served.front()->half_close();
    served.front()->expect_end();
    served.erase(served.begin());
    client->expect("MY TURN\n");
    step.check(server.children().size() <= limit, "3 children at most",
               std::to_string(server.children().size()) + " children");
    served.push_back(client);
  }
  const char* const deaf_at_the_limit =
      "With as many children as allowed, the server does not end on SIGTERM. The loop must be free "
      "to see the signal: has_room() does not wait, and process_request() neither.";
  step.suspect(deaf_at_the_limit);
  Peer& last = step.connect(server);
  last.send("too late\n");
  step.let_rest(server);  // whoever takes it all the same has done so then
  step.suspect(
      "With as many children as allowed the server sleeps for a time. A loop that sleeps is deaf: "
      "has_room() says no, and the loop waits for what comes first.");
  if (const kit::RecorderLog* const log = server.recorder_if_any()) {
    step.check(log->count(Calls::any_sleep) == 0, "no sleep of the server's",
               "it has slept for a time");
  }
  step.suspect(deaf_at_the_limit);
  server.signal(SIGTERM);
  for (Peer* client : served) client->expect_end();
  last.expect_over();
  server.expect_stopped();

  step.suspect(
      "A child has ended under handle_request(), and the server stays full until its `timeout` is "
      "over: 300 seconds. has_room() collects first, and then counts.");
  Server& narrow = step.probe_server("ends", {.args = {"--port", "0", "--one-by-one"}});
  Peer& has_it = step.connect(narrow);
  has_it.send("who\n").read_line();
  Peer& next = step.connect(narrow);
  next.send("who\n");
  step.let_rest(narrow);
  end_all({&has_it});
  next.read_line();
  end_all({&next});
  narrow.kill();
}

STEP("05.9", "a child holds no listener: the port is free while it serves") {
  step.suspect(
      "The server has ended, and its port is still taken: a child has a copy of the listener. New "
      "clients connect, and nobody will ever accept them. The child closes its copy first of all.");
  Server& server = step.server({.args = {"--quiet", "--no-block-on-close"}});
  kit::FaultHandle held = server.recorder().add(Fault::hold(Calls::any_send).on_streams());
  Peer& client = step.connect(server);
  client.send("hello\n");
  step.wait_until([&] { return held.holding() > 0; }, "an answer under way");
  server.signal(SIGTERM);
  server.expect_stopped(Server::Children::may_go_on);
  step.expect_refused(server.address());
  Server& next = step.server({.args = {"--quiet", "--port", std::to_string(server.port())}});
  ask(step, next, "the next server\n");
  held.release();
  step.suspect("The client whose request was under way at the end went without its answer.");
  client.expect("HELLO\n");
  client.expect_end();
  step.wait_until([&] { return kit::orphans().empty(); }, "no process of the server's is left");

  step.suspect_task("05.A", "ForkingMixIn::fork_child");
  step.suspect(
      "The child keeps what is its parent's. leave_loop_to_parent() and "
      "child_watch_.leave_to_parent() close its copies of the pipes; its business is the "
      "connection alone.");
  Peer& asks = step.connect(next);
  const pid_t serving = who_serves(asks);
  for (const kit::proc::OpenDescriptor& one :
       kit::proc::descriptors(serving).value_or(std::vector<kit::proc::OpenDescriptor>{})) {
    if (!one.what.starts_with("pipe") || one.fd <= 2) continue;
    step.fail("a child without a pipe of its parent's", std::to_string(one.fd) + ": " + one.what);
  }
  end_all({&asks});
  next.stop();

  step.suspect_task("05.D", "ForkingMixIn::server_close");
  step.suspect(
      "The server waits for its children while its listener is open: new clients come, and nobody "
      "serves them. First Server::server_close(), then the wait.");
  Server& ending = step.server({.args = {"--quiet"}});
  kit::FaultHandle last = ending.recorder().add(Fault::hold(Calls::any_send).on_streams());
  Peer& busy = step.connect(ending);
  busy.send("hello\n");
  step.wait_until([&] { return last.holding() > 0; }, "an answer under way");
  ending.signal(SIGTERM);
  step.wait_until([&] { return step.refuses(ending.address()); }, "the listener is closed");
  last.release();
  busy.expect("HELLO\n");
  busy.expect_end();
  ending.expect_stopped();
  step.suspect_task("05.F");

  for (const std::string kind : {"udp", "unix-datagram"}) {
    std::vector<std::string> args{"--quiet", "--kind", kind};
    if (kind != "udp") args.insert(args.end(), {"--path", step.path("datagrams")});
    Server& datagrams = step.server({.args = args});
    kit::DatagramPeer& sender = step.datagram_peer(datagrams);
    step.suspect(
        "A datagram went unanswered. Its answer goes out on the server's only socket: the child of "
        "a datagram (request.is_packet()) keeps its copy of that.");
    sender.send("hello\n").expect("HELLO\n");
    step.suspect("A datagram was answered by the server itself. Each gets a child of its own.");
    sender.send("!pid\n");
    const std::string answer = sender.receive();
    step.check(std::atoi(answer.c_str()) != datagrams.pid(), "the number of another process",
               "the server's own");
    step.suspect("A child has answered its datagram and is still there.");
    expect_no_children(step, datagrams);
    datagrams.stop();
  }
}

STEP("05.10", "a fork that fails costs one client, not the server") {
  // Who counts the -1 among its children has no room left.
  Server& server = step.server({.args = {"--quiet", "--max-children", "3"}});
  const std::vector<Peer*> others = conversations(step, server, 2);
  for (const int error : {EAGAIN, ENOMEM}) {
    step.suspect("fork() has failed, and its client was left hanging: nobody can serve it.");
    server.recorder().add(Fault::fail(Calls::any_fork, error));
    Peer& unlucky = step.connect(server);
    unlucky.send("hello\n");
    unlucky.expect_over();
    step.suspect(
        "fork() has failed, and nobody was told. Its result is -1 then: neither the parent's nor "
        "the child's. (And kill(-1) or waitpid(-1) is about every process there is.)");
    server.expect_error_contains("Exception occurred during processing of request from " +
                                 unlucky.local().text());
    unlucky.close();  // nobody needs the connection any more: one that is left is seen at the end
    step.suspect("One fork has failed, and the server serves nobody any more.");
    ask(step, server, "the next one\n");
  }
  step.suspect(
      "fork() has failed, and its client was reset. report_error(), then shutdown_request(): it "
      "sees the end of file.");
  server.recorder().add(Fault::fail(Calls::any_fork, EAGAIN));
  // Its words are there before it is accepted: what is closed with them unread is reset.
  kit::FaultHandle door = server.recorder().add(Fault::hold(Calls::any_accept));
  Peer& unlucky = step.connect(server);
  unlucky.send("hello\n");
  step.wait_until([&] { return door.holding() > 0; }, "a call of accept()");
  door.release();
  unlucky.expect_end();
  server.expect_error_contains("request from " + unlucky.local().text());
  unlucky.close();
  for (Peer* other : others) other->send("still here\n").expect("STILL HERE\n");
  end_all(others);
  server.stop();
}

STEP("05.11", "nothing is left under a handle_request loop either") {
  step.suspect(
      "Under handle_request() nobody calls service_actions(). Zombies stay until the next request, "
      "or for ever: handle_timeout() is called when no request has come for a while, and collects "
      "them.");
  Server& server =
      step.server({.args = {"--quiet", "--loop", "handle_request", "--max-children", "3"}});
  for (int i = 0; i < 8; ++i) ask(step, server, step.word() + "\n");
  expect_no_children(step, server);
  const std::vector<Peer*> clients = conversations(step, server, 3);
  Peer& waiting = step.connect(server);
  waiting.send("my turn\n");
  end_all(clients);
  waiting.expect("MY TURN\n");
  end_all({&waiting});
  expect_no_children(step, server);
  server.stop();
}

STEP("05.12", "children that are not the server's are left alone") {
  Server& server = step.probe_server("strangers", {.args = {"--port", "0"}});
  step.suspect_task("05.E", "ForkingMixIn::has_room");
  step.suspect("What the page says of the attributes is what they are at first, as in Python.");
  server.expect_line("max_children=40 block_on_close=true");
  step.suspect_task("05.B", "ForkingMixIn::collect_children");
  step.suspect("A program with children of its own: its clients are served as ever.");
  for (int i = 0; i < 5; ++i) {
    Peer& client = step.connect(server);
    const std::string line = step.word() + "\n";
    client.send(line);
    client.half_close();
    client.expect(line);
    client.expect_end();
  }
  step.suspect(
      "The program has two children of its own, which are none of the server's business: one that "
      "runs, one that has ended and waits for whoever started it. waitpid(-1) takes any child: ask "
      "after each of active_children_, by its number.");
  step.wait_until([&] { return server.children().size() == 1 && server.zombies().size() == 1; },
                  "the program's two other children alone: one that runs, one that has ended",
                  [&] {
                    return std::to_string(server.children().size()) + " that run, " +
                           std::to_string(server.zombies().size()) + " that have ended";
                  });
  step.suspect(
      "The server waits at its end for a child that is not its own, and that does not end. "
      "waitpid(-1) is about every child of the process.");
  const auto expect_closed = [&](Server& ended) {
    ended.signal(SIGTERM);
    ended.expect_line("the listener: closed");
    ended.expect_line("the server is closed");
    step.suspect(
        "The server has collected a child that is not its own, and its status is lost for whoever "
        "started it. waitpid(-1) takes any child.");
    ended.expect_line("the one that had ended: exit status 72");
    ended.next_line();
    ended.expect_stopped();
  };
  expect_closed(server);

  step.suspect(
      "Somebody else in the program has collected a child (waitpid: ECHILD), and the server asks "
      "after it again and again. It is no more. Only EINTR is asked again.");
  Server& robbed = step.probe_server("strangers", {.args = {"--port", "0", "--no-block-on-close"}});
  robbed.next_line();
  Peer& gone = step.connect(robbed);
  gone.send("hello\n").expect("hello\n");
  kit::FaultHandle stolen =
      robbed.recorder().add(Fault::fail(Calls::any_reap, ECHILD).always().in_a_row());
  end_all({&gone});
  Peer& next = step.connect(robbed);
  next.send("hello\n").expect("hello\n");
  stolen.withdraw();
  end_all({&next});
  step.suspect_task("05.D", "ForkingMixIn::server_close");
  step.suspect(
      "server_close() does not wait when block_on_close is false, and does all the rest: the "
      "base's part, which closes the listener.");
  expect_closed(robbed);
}

STEP("05.13", "slow requests get a process each, and quick ones do not wait") {
  constexpr std::size_t allowance = 4;
  Server& server = step.server({.args = {"--quiet", "--fork-in-handler"}});
  const std::size_t before = server.open_descriptors();
  step.suspect("A quick request is served where it was accepted: in the server's own process.");
  Peer& quick = step.connect(server);
  quick.send("!slowly\n").expect("!SLOWLY\n");  // no space behind !slow
  step.check(who_serves(quick) == server.pid(), "the server's own process", "another one");
  quick.send("hello\n").expect("HELLO\n");
  end_all({&quick});

  step.suspect(
      "A slow request stops the server: the next client waits for it. What begins with !slow goes "
      "on in a child, and handle() returns at once in the parent.");
  kit::FaultHandle held = server.recorder().add(Fault::hold(Calls::any_send).on_streams());
  Peer& slow = step.connect(server);
  slow.send("!slow 1\n");
  step.wait_until([&] { return held.holding() > 0; }, "a slow answer under way");
  ask(step, server, "in the meantime\n");
  held.release();
  step.suspect(
      "The slow answer was lost: the parent has shut the connection down. When handle() returns "
      "the server does so; before that the parent closes its own copy (request().close()), and no "
      "shutdown follows.");
  slow.expect("!SLOW 1\n");
  step.suspect("What follows a slow line belongs to the same conversation: its child serves it.");
  slow.send("and more\n").expect("AND MORE\n");
  const pid_t child = who_serves(slow);
  const std::vector<pid_t> children = server.children();
  step.check(std::find(children.begin(), children.end(), child) != children.end(),
             "the number of a child of the server's", std::to_string(child));
  step.suspect(
      "A second slow line of the same conversation has forked again: whoever is a child already "
      "serves it itself.");
  slow.send("!slow 1\n").expect("!SLOW 1\n");
  step.check(who_serves(slow) == child, "the same child as before", "another process");
  step.suspect(
      "The child of a slow request keeps the listener, and with it the port, when the server has "
      "ended: fork_child() closes it in the child, whoever calls it.");
  for (const std::string& place : kit::proc::listening(child)) {
    step.fail("no listener in the child", "it listens on " + place);
  }
  end_all({&slow});

  step.suspect(
      "A fork for a slow request has failed, and the line is lost without a word. Its client sees "
      "the end of file, and the report says why.");
  kit::FaultHandle no_fork = server.recorder().add(Fault::fail(Calls::any_fork, EAGAIN));
  Peer& unlucky = step.connect(server);
  unlucky.send("!slow 1\n");
  unlucky.expect_end_or_reset();
  no_fork.withdraw();
  server.expect_error_contains("request from " + unlucky.local().text());
  ask(step, server, "the next one\n");

  step.suspect(
      "What was said before the slow line was not sent before the fork: it stands in two processes "
      "then. wfile().flush() comes first.");
  const std::size_t said_before = server.errors().size();
  kit::FaultHandle fork = server.recorder().add(Fault::hold(Calls::any_fork));
  Peer& both = step.connect(server);
  both.send("before\n!slow 1\nafter\n");
  both.half_close();
  step.wait_until([&] { return fork.holding() > 0; }, "a fork for the slow line");
  both.expect("BEFORE\n");
  fork.release();
  step.suspect("What was gathered before the fork leaves once, and the child serves the rest.");
  both.expect("!SLOW 1\nAFTER\n");
  both.expect_end();
  step.suspect(
      "The parent went on with a conversation that it has closed: serve_line() returns false in "
      "it.");
  step.let_rest(server);
  const std::string_view said = server.errors().substr(said_before);
  step.check(said.find("Exception occurred") == std::string_view::npos, "no exception on stderr",
             "\"" + std::string(said) + "\"");

  step.suspect(
      "A handler has thrown in the child, and nobody was told: server().handle_error() says so, in "
      "a catch block.");
  Peer& thrower = step.connect(server);
  thrower.send("!slow 1\n").expect("!SLOW 1\n");
  const pid_t failing = who_serves(thrower);
  thrower.send("!throw\n");
  thrower.expect_over();
  server.expect_error_contains("Exception occurred during processing of request from " +
                               thrower.local().text());
  step.suspect(
      "What a handler has thrown in the child went back into the loop, and the child with it. It "
      "is caught in the child, which ends by _exit().");
  step.wait_until([&] { return server.children().empty(); }, "no child that still runs",
                  [&] { return std::to_string(server.children().size()) + " that still run"; });
  step.suspect("A child of a slow request has ended, and was not collected.");
  expect_no_children(step, server);
  step.suspect(
      "A child whose handler has thrown ended as if all was well. It leaves by _exit(): with 0, or "
      "with 1 if the handler has thrown, as in 05.A.");
  server.expect_error_contains("child " + std::to_string(failing) + ": exit status 1");
  step.suspect(
      "The parent keeps its copy of a slow request's connection: request().close() before it "
      "returns.");
  step.expect_descriptors(server, before, allowance);
  server.stop();

  Server& another = step.server({.args = {"--quiet", "--fork-in-handler"}});
  another.may_say("processing of request from");
  another.may_say("exit status 1");
  step.suspect(
      "What the child has answered, and only gathered so far, is lost when the handler throws. "
      "finish() comes after an exception, too.");
  Peer& gathered = step.connect(another);
  gathered.send("!slow 1\nanswered\n!throw\n");
  gathered.expect("!SLOW 1\nANSWERED\n");
  gathered.expect_over();
  Peer& endless = step.connect(another);
  endless.send("!slow 1\n").expect("!SLOW 1\n");
  expect_goodbye(step, endless);
  another.stop();
}
