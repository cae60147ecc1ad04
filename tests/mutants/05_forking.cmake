# Wrong answers to lesson 05. Each is one plausible mistake in the solution, and must be caught at
# its step, with its words. The form of a mutant: tests/cmake/mutants.cmake.

# ---- fork_child, process_request ------------------------------------------------------------------

kit_mutant(
  NAME serves-in-the-parent
  SENTENCE "The parent serves, too: the child has made no difference."
  FILE forking_mixin.hpp
  REPLACE [[      if (fork_child(request) == 0) serve_and_exit(request);]]
  WITH [[      if (fork_child(request) == 0) ::_exit(0);
      this->finish_request(request);]]
  STEP 05.1
  WORDS "deaf while it serves")

kit_mutant(
  NAME waits-for-each-child
  SENTENCE "The parent waits for each child before it goes on."
  FILE forking_mixin.hpp
  REPLACE [[    this->close_request(request);  // without]]
  WITH [[    std::erase_if(active_children_, [this](pid_t child) { return collect(child, 0); });
    this->close_request(request);  // without]]
  STEP 05.1
  WORDS "deaf while it serves")

kit_mutant(
  NAME parent-shuts-down
  SENTENCE "The parent shuts its copy of the connection down: for the child as well."
  FILE forking_mixin.hpp
  REPLACE [[    this->close_request(request);  // without]]
  WITH [[    this->shutdown_request(request);  // without]]
  STEP 05.2
  WORDS "the parent uses close_request()")

kit_mutant(
  NAME parent-shuts-down-before-the-answer
  SENTENCE "The parent shuts its copy of the connection down at once, and no answer goes out."
  FILE forking_mixin.hpp
  REPLACE [[      if (fork_child(request) == 0) serve_and_exit(request);]]
  WITH [[      (void)::shutdown(request.fileno(), SHUT_WR);
      if (fork_child(request) == 0) serve_and_exit(request);]]
  REPLACE [[#include <sys/wait.h>]]
  WITH [[#include <sys/socket.h>
#include <sys/wait.h>]]
  STEP 05.1
  WORDS "the parent uses close_request()")

kit_mutant(
  NAME parent-keeps-the-connection
  SENTENCE "The parent keeps its copy of every connection open."
  FILE forking_mixin.hpp
  REPLACE [[    this->close_request(request);  // without]]
  WITH [[    (void)request.release().release();  // without]]
  STEP 05.2
  WORDS "the parent still has its copy")

kit_mutant(
  NAME child-returns-into-the-loop
  SENTENCE "The child serves its client, returns, and goes on as if it were the server."
  FILE forking_mixin.hpp
  REPLACE [[      if (fork_child(request) == 0) serve_and_exit(request);]]
  WITH [[      if (fork_child(request) == 0) return Server::process_request(std::move(request));]]
  STEP 05.1
  WORDS "it went back into the loop")

kit_mutant(
  NAME exit-for-underscore-exit
  SENTENCE "The child ends by exit: what the parent has buffered and registered is done again."
  FILE forking_mixin.hpp
  REPLACE [[    ::_exit(status);]]
  WITH [[    std::exit(status);]]
  REPLACE [[#include <cstddef>]]
  WITH [[#include <cstddef>
#include <cstdlib>]]
  STEP 05.4
  WORDS "lessons/05_forking/forking_mixin.hpp")

kit_mutant(
  NAME child-status-is-always-0
  SENTENCE "The child ends with 0, even if its handler has thrown."
  FILE forking_mixin.hpp
  REPLACE [[      status = 1;]]
  WITH [[      status = 0;]]
  STEP 05.5
  WORDS "ends with exit status 1")

kit_mutant(
  NAME exception-leaves-the-child
  SENTENCE "What the handler throws is not caught in the child."
  FILE forking_mixin.hpp
  REPLACE [[    try {
      this->finish_request(request);
    } catch (...) {
      this->report_error(request);
      status = 1;
    }]]
  WITH [[    this->finish_request(request);]]
  STEP 05.5
  WORDS "ends with exit status 1")

kit_mutant(
  NAME child-keeps-the-listener
  SENTENCE "The child keeps its copy of the listener: the port is taken as long as it lives."
  FILE forking_mixin.hpp
  REPLACE [[    if (!request.is_packet()) this->socket_.reset();]]
  WITH [[    (void)request;]]
  STEP 05.9
  WORDS "a child has a copy of the listener")

kit_mutant(
  NAME child-of-a-datagram-gives-up-the-socket
  SENTENCE "The child closes the server's socket, though a datagram is answered on it."
  FILE forking_mixin.hpp
  REPLACE [[    if (!request.is_packet()) this->socket_.reset();]]
  WITH [[    (void)request;
    ::close(this->socket_.release());]]
  STEP 05.9
  WORDS "A descriptor was used after it had been closed")

kit_mutant(
  NAME fork-unchecked
  SENTENCE "The -1 of a failed fork is taken for the number of a child."
  FILE forking_mixin.hpp
  REPLACE [[    const pid_t child = check(::fork(), "fork");]]
  WITH [[    const pid_t child = ::fork();]]
  STEP 05.10
  WORDS "Its result is -1 then")

kit_mutant(
  NAME a-failed-fork-ends-the-server
  SENTENCE "A fork that fails ends the server."
  FILE forking_mixin.hpp
  REPLACE [[    const pid_t child = check(::fork(), "fork");]]
  WITH [[    const pid_t child = ::fork();
    if (child == -1) {
      std::perror("fork");
      std::exit(1);
    }]]
  REPLACE [[#include <cstddef>]]
  WITH [[#include <cstddef>
#include <cstdio>
#include <cstdlib>]]
  STEP 05.10
  WORDS "fork() has failed")

kit_mutant(
  NAME a-failed-fork-resets-its-client
  SENTENCE "The exception of a failed fork is let out: the client gets a reset."
  FILE forking_mixin.hpp
  REPLACE [[    } catch (...) {
      this->report_error(request);
      this->shutdown_request(request);
      return;
    }]]
  WITH [[    } catch (...) {
      throw;
    }]]
  STEP 05.10
  WORDS "fork() has failed")

# ---- collect_children, service_actions, handle_timeout --------------------------------------------

kit_mutant(
  NAME no-waitpid
  SENTENCE "Nobody asks after the children: each stays as a zombie."
  FILE forking_mixin.hpp
  REPLACE [[    if (!child_watch_.drain()) return;
    // One signal can stand for any number of children: ask after each.
    std::erase_if(active_children_, [this](pid_t child) { return collect(child, WNOHANG); });]]
  WITH [[    (void)child_watch_.drain();]]
  STEP 05.3
  WORDS "as zombies")

kit_mutant(
  NAME waits-for-a-child-that-runs
  SENTENCE "Without WNOHANG: whoever collects waits for a child that still runs."
  FILE forking_mixin.hpp
  REPLACE [[return collect(child, WNOHANG); });]]
  WITH [[return collect(child, 0); });]]
  STEP 05.1
  WORDS "asks with WNOHANG" "05.B")

kit_mutant(
  NAME one-waitpid-a-signal
  SENTENCE "One child is collected for each signal, though several signals come as one."
  FILE forking_mixin.hpp
  REPLACE [[    std::erase_if(active_children_, [this](pid_t child) { return collect(child, WNOHANG); });]]
  WITH [[    for (const pid_t child : active_children_) {
      if (!collect(child, WNOHANG)) continue;
      std::erase(active_children_, child);
      return;
    }]]
  STEP 05.3
  WORDS "several signals come as one")

kit_mutant(
  NAME never-drains
  SENTENCE "What has woken the loop is never read away: it is woken again at once, for ever."
  FILE forking_mixin.hpp
  REPLACE [[    if (!child_watch_.drain()) return;
]]
  WITH [[
]]
  STEP 05.3
  WORDS "The loop does not sleep")

kit_mutant(
  NAME status-is-dropped
  SENTENCE "A child's status is collected and dropped."
  FILE forking_mixin.hpp
  REPLACE [[    if (collected == child) child_ended(child, status);]]
  WITH [[]]
  STEP 05.5
  WORDS "nobody was told how")

kit_mutant(
  NAME children-are-ignored
  SENTENCE "SIGCHLD is ignored, so that the kernel removes the zombies, and their statuses."
  FILE forking_mixin.hpp
  REPLACE [[    // From now on service_actions() is called when a child has ended.
]]
  WITH [[    ::signal(SIGCHLD, SIG_IGN);
]]
  STEP 05.5
  WORDS "nobody was told how")

kit_mutant(
  NAME zombies-under-handle-request
  SENTENCE "Children are collected by service_actions alone, which handle_request never calls."
  FILE forking_mixin.hpp
  REPLACE [[    collect_children();
    return max_children == 0 ||]]
  WITH [[    return max_children == 0 ||]]
  REPLACE [[  void handle_timeout() override { collect_children(); }]]
  WITH [[  void handle_timeout() override {}]]
  STEP 05.11
  WORDS "handle_timeout() is called")

kit_mutant(
  NAME steals-other-children
  SENTENCE "waitpid(-1) collects whatever child has ended, also one that is not the server's."
  FILE forking_mixin.hpp
  REPLACE [[    std::erase_if(active_children_, [this](pid_t child) { return collect(child, WNOHANG); });]]
  WITH [[    int status = 0;
    for (pid_t child = 0; (child = ::waitpid(-1, &status, WNOHANG)) != 0;) {
      if (child == -1 && errno == EINTR) continue;
      if (child == -1) return;
      std::erase(active_children_, child);
      child_ended(child, status);
    }]]
  STEP 05.12
  WORDS "waitpid(-1) takes any child")

kit_mutant(
  NAME waits-for-other-children
  SENTENCE "At the end every child of the process is waited for."
  FILE forking_mixin.hpp
  REPLACE [[    std::erase_if(active_children_, [this](pid_t child) { return collect(child, 0); });]]
  WITH [[    while (collect(-1, 0) && errno != ECHILD) {
    }]]
  STEP 05.12
  WORDS "waitpid(-1) is about every child")

# ---- the end, and the limit -----------------------------------------------------------------------

kit_mutant(
  NAME does-not-wait
  SENTENCE "server_close leaves the children to themselves, whatever block_on_close says."
  FILE forking_mixin.hpp
  REPLACE [[    if (!block_on_close) return;
]]
  WITH [[    return;
]]
  STEP 05.7
  WORDS "The server ended before its children")

kit_mutant(
  NAME interrupted-wait-is-the-end
  SENTENCE "A waitpid that a signal has interrupted is taken for the end of the child."
  FILE forking_mixin.hpp
  REPLACE [[    do {
      collected = ::waitpid(child, &status, options);
    } while (collected == -1 && errno == EINTR);]]
  WITH [[    collected = ::waitpid(child, &status, options);]]
  STEP 05.7
  WORDS "after EINTR")

kit_mutant(
  NAME waits-without-sleep
  SENTENCE "server_close asks with WNOHANG, again and again, until all have ended."
  FILE forking_mixin.hpp
  REPLACE [[    std::erase_if(active_children_, [this](pid_t child) { return collect(child, 0); });]]
  WITH [[    while (!active_children_.empty()) collect_children();]]
  STEP 05.7
  WORDS "asks again and again")

kit_mutant(
  NAME waits-though-told-not-to
  SENTENCE "server_close waits for the children, whatever block_on_close says."
  FILE forking_mixin.hpp
  REPLACE [[    if (!block_on_close) return;
]]
  WITH [[
]]
  STEP 05.7
  WORDS "told not to wait")

kit_mutant(
  NAME no-limit
  SENTENCE "max_children is not looked at."
  FILE forking_mixin.hpp
  REPLACE [[    return max_children == 0 || active_children_.size() < max_children;]]
  WITH [[    return true;]]
  STEP 05.8
  WORDS "More children run than --max-children allows")

kit_mutant(
  NAME no-limit-is-a-limit-of-none
  SENTENCE "--max-children 0 is taken for a limit: nobody is served."
  FILE forking_mixin.hpp
  REPLACE [[    return max_children == 0 || active_children_.size() < max_children;]]
  WITH [[    return active_children_.size() < max_children;]]
  STEP 05.3
  WORDS "0 is no limit" "05.E")

kit_mutant(
  NAME limit-off-by-one
  SENTENCE "One child more than allowed is forked."
  FILE forking_mixin.hpp
  REPLACE [[    return max_children == 0 || active_children_.size() < max_children;]]
  WITH [[    return max_children == 0 || active_children_.size() <= max_children;]]
  STEP 05.8
  WORDS "More children run than --max-children allows")

kit_mutant(
  NAME turns-away-at-the-limit
  SENTENCE "A client above the limit is turned away in place of waiting."
  FILE forking_mixin.hpp
  REPLACE [[    return max_children == 0 || active_children_.size() < max_children;]]
  WITH [[    return true;]]
  REPLACE [[  void process_request(Request request) override {
]]
  WITH [[  void process_request(Request request) override {
    if (max_children != 0 && active_children_.size() >= max_children) {
      return this->shutdown_request(request);
    }
]]
  STEP 05.8
  WORDS "neither answered nor turned away")

kit_mutant(
  NAME waits-in-process-request
  SENTENCE "At the limit process_request waits for one of the children, and the loop is deaf meanwhile."
  FILE forking_mixin.hpp
  REPLACE [[    return max_children == 0 || active_children_.size() < max_children;]]
  WITH [[    return true;]]
  REPLACE [[  void process_request(Request request) override {
]]
  WITH [[  void process_request(Request request) override {
    while (max_children != 0 && active_children_.size() >= max_children) {
      std::erase_if(active_children_, [this](pid_t child) { return collect(child, WNOHANG); });
      ::usleep(1000);
    }
]]
  STEP 05.8
  WORDS "A loop sleeps for a time, looks"
  NOT_WORDS "turns")

# ---- part two -------------------------------------------------------------------------------------

kit_mutant(
  NAME everything-forks
  SENTENCE "Every line is handed to a child, the quick ones as well."
  FILE server.cpp
  REPLACE [[    if (in_child_ || !line.starts_with(slow_word)) return EchoStream::serve_line(line);]]
  WITH [[    if (in_child_) return EchoStream::serve_line(line);]]
  STEP 05.13
  WORDS "the server's own process")

kit_mutant(
  NAME nothing-forks
  SENTENCE "Slow lines are served in the server's own process, and everybody waits."
  FILE server.cpp
  REPLACE [[    if (in_child_ || !line.starts_with(slow_word)) return EchoStream::serve_line(line);]]
  WITH [[    if (!in_child_) return EchoStream::serve_line(line);]]
  STEP 05.13
  WORDS "A slow request stops the server")

kit_mutant(
  NAME parent-shuts-a-slow-request-down
  SENTENCE "The parent returns from the handler with its copy open, and the server shuts it down."
  FILE server.cpp
  REPLACE [[    request().close();  // our copy, without shutdown: the child still answers on its own]]
  WITH [[]]
  STEP 05.13
  WORDS "the parent has shut the connection down")

kit_mutant(
  NAME slow-child-leaves-the-rest
  SENTENCE "The child answers its slow line and ends: what follows is never answered."
  FILE server.cpp
  REPLACE [[      if (!rfile().has_line()) wfile().flush();
      handle();
]]
  WITH [[
]]
  STEP 05.13
  WORDS "belongs to the same conversation")

kit_mutant(
  NAME gathered-twice
  SENTENCE "What was gathered before the fork is sent by the child, and never by the parent alone."
  FILE server.cpp
  REPLACE [[    wfile().flush();  // what is gathered here leaves once: the child has a copy of it
    if (halfway_server().fork_child(request()) == 0) serve_rest_and_exit(line);]]
  WITH [[    if (halfway_server().fork_child(request()) == 0) serve_rest_and_exit(line);
    wfile().flush();]]
  STEP 05.13
  WORDS "not sent before the fork")

kit_mutant(
  NAME gathered-is-not-sent-first
  SENTENCE "Nobody sends what was gathered before the fork: it stands in both processes."
  FILE server.cpp
  REPLACE [[    wfile().flush();  // what is gathered here leaves once: the child has a copy of it
]]
  WITH [[
]]
  STEP 05.13
  WORDS "not sent before the fork")

kit_mutant(
  NAME parent-goes-on-with-the-conversation
  SENTENCE "serve_line returns true in the parent, which reads on from a closed connection."
  FILE server.cpp
  REPLACE [[    return false;
]]
  WITH [[    return true;
]]
  STEP 05.13
  WORDS "A descriptor was used after it had been closed")

kit_mutant(
  NAME slow-child-lets-exceptions-out
  SENTENCE "What the handler throws in the child goes up into the loop, which the child then runs."
  FILE server.cpp
  REPLACE [[void serve_rest_and_exit(std::string_view line) noexcept {
    in_child_ = true;
    int status = 0;
    try {
      serve_line(line);
      if (!rfile().has_line()) wfile().flush();
      handle();
    } catch (...) {
      server().handle_error(request());
      status = 1;
    }]]
  WITH [[void serve_rest_and_exit(std::string_view line) {
    in_child_ = true;
    const int status = 0;
    serve_line(line);
    if (!rfile().has_line()) wfile().flush();
    handle();]]
  STEP 05.13
  WORDS "went back into the loop")

kit_mutant(
  NAME exception-loses-what-was-answered
  SENTENCE "When a handler throws in the child, the answers that it has gathered before are lost."
  FILE server.cpp
  REPLACE [[      handle();
    } catch (...) {
      server().handle_error(request());
      status = 1;
    }
    finish();  // after an exception, too: what is answered already goes out]]
  WITH [[      handle();
      finish();
    } catch (...) {
      server().handle_error(request());
      status = 1;
    }]]
  STEP 05.13
  WORDS "is lost when the handler throws")

kit_mutant(
  NAME slow-child-keeps-quiet-about-exceptions
  SENTENCE "What the handler throws in the child is dropped."
  FILE server.cpp
  REPLACE [[      server().handle_error(request());
      status = 1;]]
  WITH [[      status = 1;]]
  STEP 05.13
  WORDS "nobody was told")

# ---- the client -----------------------------------------------------------------------------------

kit_mutant(
  NAME client-ignores-statuses
  SENTENCE "The client waits for its children, and does not look at how they ended."
  FILE client.cpp
  REPLACE [[    if (status != 0) ++failed;  // another exit status, or killed by a signal]]
  WITH [[]]
  STEP 05.6
  WORDS "Look at the status of every child")

kit_mutant(
  NAME client-looks-at-the-last-status
  SENTENCE "Only the child that was waited for last decides."
  FILE client.cpp
  REPLACE [[    if (status != 0) ++failed;  // another exit status, or killed by a signal]]
  WITH [[    failed = status != 0 ? 1 : 0;]]
  STEP 05.6
  WORDS "Look at the status of every child")

kit_mutant(
  NAME client-takes-a-killed-child-for-success
  SENTENCE "A child that was killed has no exit status, which is taken for 0."
  FILE client.cpp
  REPLACE [[    if (status != 0) ++failed;  // another exit status, or killed by a signal]]
  WITH [[    if (WIFEXITED(status) && WEXITSTATUS(status) != 0) ++failed;]]
  STEP 05.6
  WORDS "killed by a signal")

kit_mutant(
  NAME client-one-after-the-other
  SENTENCE "Each child is waited for before the next is started."
  FILE client.cpp
  REPLACE [[    children.push_back(child);]]
  WITH [[    children.push_back(child);
    ::waitid(P_PID, static_cast<id_t>(child), nullptr, WEXITED | WNOWAIT);]]
  STEP 05.6
  WORDS "start every child")

kit_mutant(
  NAME client-gives-up-after-a-signal
  SENTENCE "A waitpid that a signal has interrupted is taken for a failure."
  FILE client.cpp
  REPLACE [[      if (errno != EINTR) throw_system_error("waitpid");]]
  WITH [[      throw_system_error("waitpid");]]
  STEP 05.6
  WORDS "EINTR")

kit_mutant(
  NAME client-takes-a-signal-for-an-end
  SENTENCE "A waitpid that a signal has interrupted is taken for a child that has ended with 0."
  FILE client.cpp
  REPLACE [[    while (::waitpid(child, &status, 0) == -1) {
      if (errno != EINTR) throw_system_error("waitpid");
    }]]
  WITH [[    (void)::waitpid(child, &status, 0);]]
  STEP 05.6
  WORDS "A signal had interrupted a waitpid()")

kit_mutant(
  NAME client-fork-unchecked
  SENTENCE "The -1 of a failed fork is taken for a child, and the missing clients for good ones."
  FILE client.cpp
  REPLACE [[    if (child == -1) {]]
  WITH [[    if (false) {]]
  REPLACE [[      if (errno != EINTR) throw_system_error("waitpid");]]
  WITH [[      if (errno != EINTR) break;]]
  STEP 05.6
  WORDS "fork() has failed (-1)")

kit_mutant(
  NAME client-leaves-those-started
  SENTENCE "A fork fails, and the client ends without waiting for the children that it has started."
  FILE client.cpp
  REPLACE [[      collect_clients(children);
]]
  WITH [[
]]
  STEP 05.6
  WORDS "without waiting for the child")

kit_mutant(
  NAME client-child-goes-on
  SENTENCE "The child of the client returns, and starts children of its own."
  FILE client.cpp
  REPLACE [[    if (child == 0) converse_and_exit(server, client, lines);]]
  WITH [[    if (child == 0) converse(server, client, lines);]]
  STEP 05.6
  WORDS "child processes")

kit_mutant(
  NAME slow-line-forks-again-in-the-child
  SENTENCE "A child of a slow request does not know that it is one, and forks for its next slow line."
  FILE server.cpp
  REPLACE [[    in_child_ = true;
]]
  WITH [[    (void)in_child_;
]]
  REPLACE [[      serve_line(line);
]]
  WITH [[      EchoStream::serve_line(line);
]]
  STEP 05.13
  WORDS "has forked again")

# ---- what is looked at in every step, and in every form -------------------------------------------

kit_mutant(
  NAME client-ends-at-the-first-failure
  SENTENCE "The parent ends when the first child has failed, while others are at work."
  FILE client.cpp
  REPLACE [[    if (status != 0) ++failed;]]
  WITH [[    if (status != 0) return 1;]]
  STEP 05.6
  WORDS "the client ended while others were still at work")

kit_mutant(
  NAME listener-closed-by-process-request-alone
  SENTENCE "The listener is closed in the children of process_request(), and not in those of a handler."
  FILE forking_mixin.hpp
  REPLACE [[    if (!request.is_packet()) this->socket_.reset();
]]
  WITH [[    (void)request;
]]
  REPLACE [[    int status = 0;
    try {
      this->finish_request(request);]]
  WITH [[    int status = 0;
    if (!request.is_packet()) this->socket_.reset();
    try {
      this->finish_request(request);]]
  STEP 05.13
  WORDS "The child of a slow request keeps the listener")

kit_mutant(
  NAME slow-line-lost-with-a-failed-fork
  SENTENCE "A slow line whose fork has failed is forgotten, and the conversation goes on."
  FILE server.cpp
  REPLACE [[    if (halfway_server().fork_child(request()) == 0) serve_rest_and_exit(line);]]
  WITH [[    try {
      if (halfway_server().fork_child(request()) == 0) serve_rest_and_exit(line);
    } catch (const std::exception&) {
      return true;
    }]]
  STEP 05.13
  WORDS "A fork for a slow request has failed, and the line is lost")

kit_mutant(
  NAME child-leaves-without-goodbye
  SENTENCE "The child ends without shutdown_request(): with input unread its client is reset."
  FILE forking_mixin.hpp
  REPLACE [[    this->shutdown_request(request);
    // Not exit()]]
  WITH [[    // Not exit()]]
  STEP 05.2
  WORDS "ended with input unread")

kit_mutant(
  NAME slow-child-leaves-without-goodbye
  SENTENCE "The child of a slow request ends without shutdown_request()."
  FILE server.cpp
  REPLACE [[    server().shutdown_request(request());
]]
  WITH [[
]]
  STEP 05.13
  WORDS "ended with input unread")

kit_mutant(
  NAME slow-child-ends-as-if-all-were-well
  SENTENCE "The child of a slow request ends with 0 whatever its handler has thrown."
  FILE server.cpp
  REPLACE [[      status = 1;
]]
  WITH [[
]]
  STEP 05.13
  WORDS "ended as if all was well")

kit_mutant(
  NAME waits-with-the-listener-open
  SENTENCE "server_close() waits for the children first, and closes the listener then."
  FILE forking_mixin.hpp
  REPLACE [[    Server::server_close();
]]
  WITH [[
]]
  REPLACE [[  void server_close() override {]]
  WITH [[  void server_close() override {
    struct Last {
      ForkingMixIn& mixin;
      ~Last() { mixin.Server::server_close(); }
    } last{*this};]]
  STEP 05.9
  WORDS "while its listener is open")

kit_mutant(
  NAME parent-keeps-its-copy-until-the-end
  SENTENCE "The parent keeps its copy of a connection until it has collected the child."
  FILE forking_mixin.hpp
  REPLACE [[    this->close_request(request);  // without shutdown: that would end the child's connection, too]]
  WITH [[    kept_.insert_or_assign(last_, std::move(request));]]
  REPLACE [[      if (fork_child(request) == 0) serve_and_exit(request);]]
  WITH [[      last_ = fork_child(request);
      if (last_ == 0) serve_and_exit(request);]]
  REPLACE [[    if (collected == child) child_ended(child, status);]]
  WITH [[    if (collected == child) child_ended(child, status);
    if (collected != 0) kept_.erase(child);]]
  REPLACE [[  ChildWatch child_watch_;]]
  WITH [[  pid_t last_ = 0;
  std::unordered_map<pid_t, Request> kept_;
  ChildWatch child_watch_;]]
  REPLACE [[#include <string>]]
  WITH [[#include <string>
#include <unordered_map>]]
  STEP 05.2
  WORDS "keeps its copy of each connection as long as the child runs")

kit_mutant(
  NAME catches-std-exception-alone
  SENTENCE "The child catches std::exception: anything else that a handler throws ends it by abort()."
  FILE forking_mixin.hpp
  REPLACE [[    } catch (...) {
      this->report_error(request);
      status = 1;]]
  WITH [[    } catch (const std::exception&) {
      this->report_error(request);
      status = 1;]]
  STEP 05.5
  WORDS "catch (...)")

kit_mutant(
  NAME end-looks-every-few-milliseconds
  SENTENCE "server_close() asks with WNOHANG and sleeps 10 ms, until all have ended."
  FILE forking_mixin.hpp
  REPLACE [[    std::erase_if(active_children_, [this](pid_t child) { return collect(child, 0); });]]
  WITH [[    while (!active_children_.empty()) {
      std::erase_if(active_children_, [this](pid_t child) { return collect(child, WNOHANG); });
      ::usleep(10000);
    }]]
  STEP 05.7
  WORDS "wakes to look")

kit_mutant(
  NAME drains-after-asking
  SENTENCE "Whoever collects asks after the children first, and drains the watch then."
  FILE forking_mixin.hpp
  REPLACE [[    if (!child_watch_.drain()) return;
    // One signal can stand for any number of children: ask after each.
    std::erase_if(active_children_, [this](pid_t child) { return collect(child, WNOHANG); });]]
  WITH [[    std::erase_if(active_children_, [this](pid_t child) { return collect(child, WNOHANG); });
    (void)child_watch_.drain();]]
  STEP 05.3
  WORDS "Drain the watch first")

kit_mutant(
  NAME stopped-is-ended
  SENTENCE "WUNTRACED, as in the manual page's example: a child that was stopped is taken for one that has ended."
  FILE forking_mixin.hpp
  REPLACE [[return collect(child, WNOHANG); });]]
  WITH [[return collect(child, WNOHANG | WUNTRACED); });]]
  STEP 05.3
  WORDS "WUNTRACED")

kit_mutant(
  NAME client-takes-stopped-for-ended
  SENTENCE "The client waits with WUNTRACED, and takes a child that was stopped for one that has failed."
  FILE client.cpp
  REPLACE [[::waitpid(child, &status, 0)]]
  WITH [[::waitpid(child, &status, WUNTRACED)]]
  STEP 05.6
  WORDS "WUNTRACED")

kit_mutant(
  NAME end-waits-for-one-child
  SENTENCE "server_close() waits for one of the children."
  FILE forking_mixin.hpp
  REPLACE [[    std::erase_if(active_children_, [this](pid_t child) { return collect(child, 0); });]]
  WITH [[    if (!active_children_.empty()) collect(active_children_.back(), 0);]]
  STEP 05.7
  WORDS "waits for every one of active_children_")

kit_mutant(
  NAME full-server-dozes
  SENTENCE "A loop that has no room sleeps for 2 ms before it looks again."
  FILE forking_mixin.hpp
  REPLACE [[    collect_children();
    return max_children == 0 ||]]
  WITH [[    collect_children();
    if (max_children != 0 && active_children_.size() >= max_children) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return max_children == 0 ||]]
  REPLACE [[#include <string>]]
  WITH [[#include <string>
#include <thread>]]
  STEP 05.8
  WORDS "A loop that sleeps is deaf")

kit_mutant(
  NAME slow-without-its-space
  SENTENCE "What begins with !slow is slow, a word like !slowly as well."
  FILE server.cpp
  REPLACE [[    if (in_child_ || !line.starts_with(slow_word)) return]]
  WITH [[    if (in_child_ || !line.starts_with("!slow")) return]]
  STEP 05.13
  WORDS "served where it was accepted")

kit_mutant(
  NAME full-under-handle-request
  SENTENCE "has_room() counts first and collects then: under handle_request() a full server stays full."
  FILE forking_mixin.hpp
  REPLACE [[    collect_children();
    return max_children == 0 || active_children_.size() < max_children;]]
  WITH [[    const bool room = max_children == 0 || active_children_.size() < max_children;
    collect_children();
    return room;]]
  STEP 05.8
  WORDS "collects first, and then counts")

kit_mutant(
  NAME child-keeps-the-pipes
  SENTENCE "The child keeps its copies of the pipes that wake its parent's loop."
  FILE forking_mixin.hpp
  REPLACE [[    this->leave_loop_to_parent();
    child_watch_.leave_to_parent();
]]
  WITH [[]]
  STEP 05.9
  WORDS "keeps what is its parent's")

kit_mutant(
  NAME child-keeps-the-children
  SENTENCE "The child takes its parent's children for its own."
  FILE forking_mixin.hpp
  REPLACE [[    active_children_.clear();
]]
  WITH [[]]
  STEP 05.4
  WORDS "active_children_ are the parent's")

kit_mutant(
  NAME connection-lost-with-a-failed-fork
  SENTENCE "Where a fork fails, the client gets its end of file, and the connection is never closed."
  FILE forking_mixin.hpp
  REPLACE [[      this->report_error(request);
      this->shutdown_request(request);
      return;]]
  WITH [[      this->report_error(request);
      (void)::shutdown(request.fileno(), SHUT_WR);
      (void)request.release().release();
      return;]]
  REPLACE [[#include <cstddef>]]
  WITH [[#include <sys/socket.h>
#include <cstddef>]]
  STEP 05.10
  WORDS "socket stays open")
