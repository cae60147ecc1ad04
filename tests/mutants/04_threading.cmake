# Wrong answers to lesson 04. Each is one plausible mistake in the solution, and must be caught at
# its step, with its words. The form of a mutant: tests/cmake/mutants.cmake.

# ---- process_request ------------------------------------------------------------------------------

kit_mutant(
  NAME joins-at-once
  SENTENCE "process_request starts a thread and waits for it: no better than no thread at all."
  FILE threading_mixin.hpp
  REPLACE [[      threads_.start([this, shared] { process_request_thread(*shared); });]]
  WITH [[      threads_.start([this, shared] { process_request_thread(*shared); });
      threads_.join();]]
  STEP 04.1
  WORDS "deaf while it serves")

kit_mutant(
  NAME one-lock-around-the-handler
  SENTENCE "A mutex is held while the handler works: one client at a time again."
  FILE threading_mixin.hpp
  REPLACE [[      this->finish_request(request);]]
  WITH [[      const std::lock_guard lock(serving_);
      this->finish_request(request);]]
  REPLACE [[ private:
]]
  WITH [[ private:
  std::mutex serving_;
]]
  STEP 04.1
  WORDS "A lock is held while its thread waits in")

kit_mutant(
  NAME joinable-thread-destroyed
  SENTENCE "A std::thread is made and thrown away: its destructor ends the program."
  FILE threading_mixin.hpp
  REPLACE [[      threads_.start([this, shared] { process_request_thread(*shared); });]]
  WITH [[      const std::thread thread([this, shared] { process_request_thread(*shared); });]]
  REPLACE [[#include <memory>]]
  WITH [[#include <memory>
#include <thread>]]
  STEP 04.1
  WORDS "terminate")

kit_mutant(
  NAME captures-a-reference
  SENTENCE "The thread refers to the request of process_request, which is gone when that returns."
  FILE threading_mixin.hpp
  REPLACE [[    const auto shared = std::make_shared<Request>(std::move(request));]]
  WITH [[    Request* const shared = &request;]]
  STEP 04.2
  WORDS "lessons/04_threading/threading_mixin.hpp")

kit_mutant(
  NAME one-request-for-all
  SENTENCE "The request is kept in a member, and the next client takes its place."
  FILE threading_mixin.hpp
  REPLACE [[    const auto shared = std::make_shared<Request>(std::move(request));]]
  WITH [[    if (current_) leftover_.push_back(std::exchange(current_, nullptr));
    current_ = std::make_shared<Request>(std::move(request));
    const auto& shared = current_;]]
  REPLACE [[      threads_.start([this, shared] { process_request_thread(*shared); });]]
  WITH [[      threads_.start([this] { process_request_thread(*current_); });]]
  REPLACE [[ private:
]]
  WITH [[ private:
  std::shared_ptr<Request> current_;
  std::vector<std::shared_ptr<Request>> leftover_;
]]
  REPLACE [[#include <utility>]]
  WITH [[#include <utility>
#include <vector>]]
  STEP 04.2
  WORDS "Each thread needs the request that is its own")

kit_mutant(
  NAME closed-by-both-sides
  SENTENCE "The loop shuts the request down although a thread serves it now."
  FILE threading_mixin.hpp
  REPLACE [[      threads_.start([this, shared] { process_request_thread(*shared); });]]
  WITH [[      threads_.start([this, shared] { process_request_thread(*shared); });
      (void)::shutdown(shared->fileno(), SHUT_WR);]]
  STEP 04.6
  WORDS "belongs to the thread that serves it")

kit_mutant(
  NAME a-failed-start-resets-its-client
  SENTENCE "The exception of a thread that cannot start is let out: the client gets a reset."
  FILE threading_mixin.hpp
  REPLACE [[      this->report_error(*shared);
      this->shutdown_request(*shared);]]
  WITH [[      throw;]]
  STEP 04.10
  WORDS "No thread could be started")

kit_mutant(
  NAME a-failed-start-is-not-reported
  SENTENCE "The client of a thread that cannot start is turned away without a word."
  FILE threading_mixin.hpp
  REPLACE [[      this->report_error(*shared);
      this->shutdown_request(*shared);]]
  WITH [[      this->shutdown_request(*shared);]]
  STEP 04.10
  WORDS "nobody was told")

kit_mutant(
  NAME a-failed-start-is-reported-twice
  SENTENCE "The exception of a thread that cannot start is reported, and thrown on to the loop."
  FILE threading_mixin.hpp
  REPLACE [[      this->report_error(*shared);
      this->shutdown_request(*shared);]]
  WITH [[      this->report_error(*shared);
      this->shutdown_request(*shared);
      throw;]]
  STEP 04.10
  WORDS "reported twice")

kit_mutant(
  NAME unstarted-thread-counted
  SENTENCE "A thread is counted before it starts, and stays counted if it does not: the end waits for it."
  FILE threading_mixin.hpp
  REPLACE [[    try {
      threads_.start([this, shared] { process_request_thread(*shared); });]]
  WITH [[    ++under_way_;
    try {
      threads_.start([this, shared] {
        process_request_thread(*shared);
        --under_way_;
        under_way_.notify_all();
      });]]
  REPLACE [[    if (block_on_close && !daemon_threads) threads_.join();]]
  WITH [[    if (!block_on_close || daemon_threads) return;
    while (const int count = under_way_) under_way_.wait(count);]]
  REPLACE [[ private:
]]
  WITH [[ private:
  std::atomic<int> under_way_{0};
]]
  REPLACE [[#include <cstddef>]]
  WITH [[#include <atomic>
#include <cstddef>]]
  STEP 04.10
  WORDS "A thread that never started")

kit_mutant(
  NAME datagrams-in-the-loop
  SENTENCE "Only connections get a thread; datagrams are served in the loop."
  FILE threading_mixin.hpp
  REPLACE [[    const auto shared = std::make_shared<Request>(std::move(request));]]
  WITH [[    if (request.is_packet()) return Server::process_request(std::move(request));
    const auto shared = std::make_shared<Request>(std::move(request));]]
  STEP 04.13
  WORDS "each datagram in a thread of its own")

# ---- process_request_thread -----------------------------------------------------------------------

kit_mutant(
  NAME exception-leaves-the-thread
  SENTENCE "What a handler throws leaves its thread, and ends the process."
  FILE threading_mixin.hpp
  REPLACE [[    try {
      this->finish_request(request);
    } catch (...) {
      this->report_error(request);
    }]]
  WITH [[    this->finish_request(request);]]
  STEP 04.3
  WORDS "terminate")

kit_mutant(
  NAME exception-is-swallowed
  SENTENCE "What a handler throws is caught, and nobody hears of it."
  FILE threading_mixin.hpp
  REPLACE [[      this->finish_request(request);
    } catch (...) {
      this->report_error(request);]]
  WITH [[      this->finish_request(request);
    } catch (...) {]]
  STEP 04.3
  WORDS "report_error()")

kit_mutant(
  NAME open-after-an-exception
  SENTENCE "After an exception the connection is not shut down: its client waits for ever."
  FILE threading_mixin.hpp
  REPLACE [[      this->finish_request(request);
    } catch (...) {
      this->report_error(request);]]
  WITH [[      this->finish_request(request);
    } catch (...) {
      this->report_error(request);
      (void)request.release().release();]]
  STEP 04.3
  WORDS "shuts the request down")

kit_mutant(
  NAME closed-twice
  SENTENCE "The number of the connection is kept, and closed once more."
  FILE threading_mixin.hpp
  REPLACE [[    try {
      this->finish_request(request);]]
  WITH [[    struct Closed {
      int fd;
      ~Closed() { ::close(fd); }
    } closed{request.fileno()};
    try {
      this->finish_request(request);]]
  STEP 04.6
  WORDS "closed twice")

kit_mutant(
  NAME never-closed
  SENTENCE "The thread serves the request and leaves the connection open."
  FILE threading_mixin.hpp
  REPLACE [[      this->report_error(request);
    }
    this->shutdown_request(request);]]
  WITH [[      this->report_error(request);
    }
    (void)::shutdown(request.fileno(), SHUT_WR);
    (void)request.release().release();]]
  STEP 04.6
  WORDS "Connections are left open")

kit_mutant(
  NAME plain-counter
  SENTENCE "All threads count in one plain number."
  FILE threading_mixin.hpp
  REPLACE [[    try {
      this->finish_request(request);]]
  WITH [[    ++served_;
    try {
      this->finish_request(request);]]
  REPLACE [[ private:
]]
  WITH [[ private:
  std::size_t served_ = 0;
]]
  STEP 04.8
  WORDS "hreads used the same memory at once")

# (The flag is static because Clang 14's ThreadSanitizer passes over what the main thread writes to
# its own stack, where the server is. GCC's sees a member as well.)
kit_mutant(
  NAME plain-stop-flag
  SENTENCE "A plain bool tells the threads that the server is closing."
  FILE threading_mixin.hpp
  REPLACE [[      this->report_error(request);
    }
    this->shutdown_request(request);]]
  WITH [[      this->report_error(request);
    }
    if (closing_) return this->close_request(request);
    this->shutdown_request(request);]]
  REPLACE [[    Server::server_close();
]]
  WITH [[    closing_ = true;
    Server::server_close();
]]
  REPLACE [[ private:
]]
  WITH [[ private:
  static inline bool closing_ = false;
]]
  STEP 04.8
  WORDS "hreads used the same memory at once")

# ---- what is left of a thread ---------------------------------------------------------------------

kit_mutant(
  NAME never-joined
  SENTENCE "Threads are kept in a list until the end: each keeps its stack until it is joined."
  FILE threading_mixin.hpp
  REPLACE [[      threads_.start([this, shared] { process_request_thread(*shared); });]]
  WITH [[      kept_.emplace_back([this, shared] { process_request_thread(*shared); });]]
  REPLACE [[    if (block_on_close && !daemon_threads) threads_.join();]]
  WITH [[    if (!block_on_close || daemon_threads) return;
    for (std::thread& thread : kept_) thread.join();
    kept_.clear();]]
  REPLACE [[ private:
]]
  WITH [[ private:
  std::vector<std::thread> kept_;
]]
  REPLACE [[#include <utility>]]
  WITH [[#include <thread>
#include <utility>
#include <vector>]]
  STEP 04.4
  WORDS "leaves something behind")

kit_mutant(
  NAME threads-linger
  SENTENCE "A thread that has served its request stays, for nothing."
  FILE threading_mixin.hpp
  REPLACE [[      threads_.start([this, shared] { process_request_thread(*shared); });]]
  WITH [[      threads_.start([this, shared] {
        process_request_thread(*shared);
        while (this->fileno() != -1) ::usleep(10000);
      });]]
  STEP 04.4
  WORDS "Threads are left over")

kit_mutant(
  NAME detached-and-forgotten
  SENTENCE "Threads are detached: the end of the program cuts them off."
  FILE threading_mixin.hpp
  REPLACE [[      threads_.start([this, shared] { process_request_thread(*shared); });]]
  WITH [[      std::thread([this, shared] { process_request_thread(*shared); }).detach();]]
  REPLACE [[#include <utility>]]
  WITH [[#include <thread>
#include <utility>]]
  STEP 04.5
  WORDS "while threads were at work")

# ---- the end --------------------------------------------------------------------------------------

kit_mutant(
  NAME always-waits
  SENTENCE "server_close waits for the threads whatever the attributes say."
  FILE threading_mixin.hpp
  REPLACE [[    if (block_on_close && !daemon_threads) threads_.join();]]
  WITH [[    threads_.join();]]
  STEP 04.11
  WORDS "With --daemon-threads server_close() does not wait")

kit_mutant(
  NAME waits-unless-both-are-set
  SENTENCE "The condition is read the wrong way round: one attribute alone does not suffice."
  FILE threading_mixin.hpp
  REPLACE [[    if (block_on_close && !daemon_threads) threads_.join();]]
  WITH [[    if (block_on_close || !daemon_threads) threads_.join();]]
  STEP 04.11
  WORDS "server_close() does not wait")

kit_mutant(
  NAME waits-before-it-closes
  SENTENCE "server_close waits for the threads before it ends the loop and closes the listener."
  FILE threading_mixin.hpp
  REPLACE [[    Server::server_close();
    if (block_on_close && !daemon_threads) threads_.join();]]
  WITH [[    if (block_on_close && !daemon_threads) threads_.join();
    Server::server_close();]]
  STEP 04.5
  WORDS "while the listener is still open")

kit_mutant(
  NAME close-does-not-join
  SENTENCE "server_close does not wait: the threads are joined when their set is destroyed."
  FILE threading_mixin.hpp
  REPLACE [[    if (block_on_close && !daemon_threads) threads_.join();]]
  WITH [[    (void)threads_;]]
  STEP 04.5
  WORDS "returned while a request was under way")

kit_mutant(
  NAME no-limit-is-no-room
  SENTENCE "The set of threads is asked even where there is no limit: 0 is taken for none at all."
  FILE threading_mixin.hpp
  REPLACE [[return max_threads == 0 || threads_.has_room(max_threads);]]
  WITH [[return threads_.has_room(max_threads);]]
  STEP 04.1
  WORDS "Nobody is accepted at all")

# ---- the limit ------------------------------------------------------------------------------------

kit_mutant(
  NAME no-limit
  SENTENCE "max_threads is not looked at."
  FILE threading_mixin.hpp
  REPLACE [[return max_threads == 0 || threads_.has_room(max_threads);]]
  WITH [[return true;]]
  STEP 04.9
  WORDS "More clients are served than --max-threads allows")

kit_mutant(
  NAME limit-off-by-one
  SENTENCE "One thread more than allowed is started."
  FILE threading_mixin.hpp
  REPLACE [[return max_threads == 0 || threads_.has_room(max_threads);]]
  WITH [[return max_threads == 0 || threads_.has_room(max_threads + 1);]]
  STEP 04.9
  WORDS "More clients are served than --max-threads allows")

kit_mutant(
  NAME refuses-above-the-limit
  SENTENCE "A client above the limit is turned away in place of waiting."
  FILE threading_mixin.hpp
  REPLACE [[return max_threads == 0 || threads_.has_room(max_threads);]]
  WITH [[return true;]]
  REPLACE [[    const auto shared = std::make_shared<Request>(std::move(request));]]
  WITH [[    if (max_threads != 0 && threads_.size() >= max_threads) return this->shutdown_request(request);
    const auto shared = std::make_shared<Request>(std::move(request));]]
  STEP 04.9
  WORDS "neither answered nor turned away")

kit_mutant(
  NAME nobody-wakes-the-loop
  SENTENCE "A thread that ends does not tell the loop, which sleeps on with clients in its queue."
  FILE threading_mixin.hpp
  REPLACE [[  ThreadSet threads_{[this] { this->wake(); }};]]
  WITH [[  ThreadSet threads_;]]
  STEP 04.9
  WORDS "The thread that ends wakes the loop")

kit_mutant(
  NAME asks-size-for-room
  SENTENCE "size() is asked in place of has_room(): the set does not know that somebody waits."
  FILE threading_mixin.hpp
  REPLACE [[return max_threads == 0 || threads_.has_room(max_threads);]]
  WITH [[return max_threads == 0 || threads_.size() < max_threads;]]
  STEP 04.9
  WORDS "size() tells nobody")

kit_mutant(
  NAME ended-threads-are-counted
  SENTENCE "Every thread that was ever started counts against the limit."
  FILE threading_mixin.hpp
  REPLACE [[return max_threads == 0 || threads_.has_room(max_threads);]]
  WITH [[return max_threads == 0 || (threads_.has_room(max_threads) && started_ < max_threads);]]
  REPLACE [[      threads_.start([this, shared] { process_request_thread(*shared); });]]
  WITH [[      threads_.start([this, shared] { process_request_thread(*shared); });
      ++started_;]]
  REPLACE [[ private:
]]
  WITH [[ private:
  std::size_t started_ = 0;
]]
  STEP 04.9
  WORDS "Threads that have ended are not counted")

kit_mutant(
  NAME ends-with-the-loop
  SENTENCE "The program ends with its loop, whoever is still being served."
  FILE threading_mixin.hpp
  REPLACE [[    if (block_on_close && !daemon_threads) threads_.join();]]
  WITH [[    std::_Exit(0);]]
  STEP 04.12
  WORDS "still served to their end"
  NOT_WORDS "should go on serving" "a deadlock")

kit_mutant(
  NAME waits-in-process-request
  SENTENCE "At the limit process_request waits for a place, and the loop is deaf meanwhile."
  FILE threading_mixin.hpp
  REPLACE [[return max_threads == 0 || threads_.has_room(max_threads);]]
  WITH [[return true;]]
  REPLACE [[    const auto shared = std::make_shared<Request>(std::move(request));]]
  WITH [[    while (max_threads != 0 && !threads_.has_room(max_threads)) ::usleep(1000);
    const auto shared = std::make_shared<Request>(std::move(request));]]
  STEP 04.12
  WORDS "a deadlock")

# ---- the client -----------------------------------------------------------------------------------

kit_mutant(
  NAME client-compares-only-the-last
  SENTENCE "The client looks at the last answer of each conversation alone."
  FILE client.cpp
  REPLACE [[    if (answer != upper(line)) {]]
  WITH [[    if (number == lines && answer != upper(line)) {]]
  STEP 04.7
  WORDS "One byte of one answer was wrong")

kit_mutant(
  NAME client-compares-lengths
  SENTENCE "An answer of the right length is taken for the right answer."
  FILE client.cpp
  REPLACE [[    if (answer != upper(line)) {]]
  WITH [[    if (answer.size() != line.size()) {]]
  STEP 04.7
  WORDS "One byte of one answer was wrong")

kit_mutant(
  NAME client-takes-the-end-for-success
  SENTENCE "A connection that ends early ends the conversation without a word."
  FILE client.cpp
  REPLACE [[    if (answer != upper(line)) {]]
  WITH [[    if (answer.empty()) return;
    if (answer != upper(line)) {]]
  STEP 04.7
  WORDS "closed one connection before all was answered")

kit_mutant(
  NAME client-one-after-the-other
  SENTENCE "Each client's thread is waited for before the next is started."
  FILE client.cpp
  REPLACE [[        std::async(std::launch::async, converse, std::cref(server), client, lines));]]
  WITH [[        std::async(std::launch::async, converse, std::cref(server), client, lines));
    conversations.back().wait();]]
  STEP 04.7
  WORDS "all of them are there at once")

kit_mutant(
  NAME client-looks-at-the-first
  SENTENCE "Only the first client's failure counts."
  FILE client.cpp
  REPLACE [[    if (failures[i].empty()) continue;]]
  WITH [[    if (i > 0 || failures[i].empty()) continue;]]
  STEP 04.7
  WORDS "every answer of every client")

kit_mutant(
  NAME client-never-flushes
  SENTENCE "The client's lines stay in a buffer while it waits for their answers."
  FILE client.cpp
  REPLACE [[questions(connection.get(), 0);]]
  WITH [[questions(connection.get(), 65536);]]
  STEP 04.7
  WORDS "stays in a buffer")

kit_mutant(
  NAME client-says-a-line-too-few
  SENTENCE "The last line is not sent."
  FILE client.cpp
  REPLACE [[number <= lines; ++number]]
  WITH [[number < lines; ++number]]
  STEP 04.7
  WORDS "and left, and no answer was wrong")

kit_mutant(
  NAME client-counts-from-zero
  SENTENCE "The lines are numbered from 0."
  FILE client.cpp
  REPLACE [[line_of(client, number);]]
  WITH [[line_of(client, number - 1);]]
  STEP 04.7
  WORDS "the first is line_of(client, 1)")

# ---- what is looked at in every step, and in every form -------------------------------------------

kit_mutant(
  NAME connection-lost-with-an-exception
  SENTENCE "After an exception the connection gets its end of file, and is never closed."
  FILE threading_mixin.hpp
  REPLACE [[#include <utility>]]
  WITH [[#include <utility>

#include <sys/socket.h>]]
  REPLACE [[      this->report_error(request);
    }
    this->shutdown_request(request);]]
  WITH [[      this->report_error(request);
      (void)::shutdown(request.fileno(), SHUT_WR);
      (void)request.release().release();
      return;
    }
    this->shutdown_request(request);]]
  STEP 04.3
  WORDS "A socket stays open that nobody uses any more")

kit_mutant(
  NAME closed-twice-after-an-exception
  SENTENCE "After an exception the number is closed by hand, too."
  FILE threading_mixin.hpp
  REPLACE [[#include <utility>]]
  WITH [[#include <utility>

#include <unistd.h>]]
  REPLACE [[      this->report_error(request);
    }
    this->shutdown_request(request);]]
  WITH [[      this->report_error(request);
      const int number = request.fileno();
      this->shutdown_request(request);
      ::close(number);
      return;
    }
    this->shutdown_request(request);]]
  STEP 04.3
  WORDS "A descriptor was closed twice")

kit_mutant(
  NAME joins-in-the-order-of-start
  SENTENCE "A thread is joined when all that were started before it have ended: one client that stays keeps them all."
  FILE threading_mixin.hpp
  REPLACE [[#include <utility>]]
  WITH [[#include <utility>

#include <atomic>
#include <deque>
#include <thread>]]
  REPLACE [[      threads_.start([this, shared] { process_request_thread(*shared); });]]
  WITH [[      while (!kept_.empty() && kept_.front().second->load()) {
        kept_.front().first.join();
        kept_.pop_front();
      }
      auto done = std::make_shared<std::atomic<bool>>(false);
      kept_.emplace_back(std::thread([this, shared, done] {
                           process_request_thread(*shared);
                           *done = true;
                         }),
                         done);]]
  REPLACE [[    if (block_on_close && !daemon_threads) threads_.join();]]
  WITH [[    for (auto& one : kept_) one.first.join();
    kept_.clear();]]
  REPLACE [[  // A thread that ends wakes a loop that had no room.]]
  WITH [[  std::deque<std::pair<std::thread, std::shared_ptr<std::atomic<bool>>>> kept_;
  // A thread that ends wakes a loop that had no room.]]
  STEP 04.4
  WORDS "Each thread that has ended leaves something behind")

kit_mutant(
  NAME client-in-batches-of-16
  SENTENCE "Sixteen clients at once are as many as this client starts."
  FILE client.cpp
  REPLACE [[  for (long client = 1; client <= clients; ++client) {]]
  WITH [[  for (long client = 1; client <= clients; ++client) {
    if (client > 16) conversations[static_cast<std::size_t>(client - 17)].wait();]]
  STEP 04.7
  WORDS "Every client is a thread of its own")

kit_mutant(
  NAME wakes-itself-at-the-limit
  SENTENCE "A loop that has no room wakes itself, and asks again."
  FILE threading_mixin.hpp
  REPLACE [[  bool has_room() override { return max_threads == 0 || threads_.has_room(max_threads); }]]
  WITH [[  bool has_room() override {
    if (max_threads == 0 || threads_.has_room(max_threads)) return true;
    this->wake();
    return false;
  }]]
  STEP 04.9
  WORDS "A loop turns")

kit_mutant(
  NAME leaves-the-listener-to-the-kernel
  SENTENCE "A server_close() that need not wait does nothing at all."
  FILE threading_mixin.hpp
  REPLACE [[    Server::server_close();
    if (block_on_close && !daemon_threads) threads_.join();]]
  WITH [[    if (!block_on_close || daemon_threads) return;
    Server::server_close();
    threads_.join();]]
  STEP 04.11
  WORDS "closes the listener")

kit_mutant(
  NAME catches-std-exception-alone
  SENTENCE "The thread catches std::exception: anything else that a handler throws ends the process."
  FILE threading_mixin.hpp
  REPLACE [[    } catch (...) {
      this->report_error(request);
    }]]
  WITH [[    } catch (const std::exception&) {
      this->report_error(request);
    }]]
  STEP 04.3
  WORDS "ended by abort()")

kit_mutant(
  NAME refused-thread-leaves-its-request
  SENTENCE "The request is made by new, and deleted by its thread: if that does not start, by nobody."
  FILE threading_mixin.hpp
  REPLACE [[    const auto shared = std::make_shared<Request>(std::move(request));
    try {
      threads_.start([this, shared] { process_request_thread(*shared); });]]
  WITH [[    auto* const shared = new Request(std::move(request));
    try {
      threads_.start([this, shared] {
        process_request_thread(*shared);
        delete shared;
      });]]
  STEP 04.10
  WORDS "has left something behind")

kit_mutant(
  NAME client-compares-without-case
  SENTENCE "The client makes the answer upper case, too, before it compares: an answer in lower case is right."
  FILE client.cpp
  REPLACE [[    if (answer != upper(line)) {]]
  WITH [[    if (upper(std::string(answer)) != upper(line)) {]]
  STEP 04.7
  WORDS "One byte of one answer was wrong")

kit_mutant(
  NAME client-that-is-refused-is-content
  SENTENCE "A client that cannot connect ends its thread without a word."
  FILE client.cpp
  REPLACE [[  const FileDescriptor connection = connect_to(server);]]
  WITH [[  FileDescriptor connection;
  try {
    connection = connect_to(server);
  } catch (const std::exception&) {
    return;
  }]]
  STEP 04.7
  WORDS "Nobody listens there")
