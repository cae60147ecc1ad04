# Wrong answers to lesson 07. Each is one plausible mistake in the solution, and must be caught at
# its step, with its words. The form of a mutant: tests/cmake/mutants.cmake.

# ---- the selector: registering --------------------------------------------------------------------

kit_mutant(
  NAME inherited-epoll
  SENTENCE "The epoll is made without EPOLL_CLOEXEC: every program started later has it, too."
  FILE epoll_selector.cpp
  REPLACE [[::epoll_create1(EPOLL_CLOEXEC)]]
  WITH [[::epoll_create1(0)]]
  STEP 07.1
  WORDS "must not inherit the epoll")

kit_mutant(
  NAME refused-registration-stays
  SENTENCE "When the kernel refuses a descriptor, its key stays in the map."
  FILE epoll_selector.cpp
  REPLACE [[    const int error = errno;
    remove_key(fd);
    throw_system_error("epoll_ctl", error);]]
  WITH [[    throw_system_error("epoll_ctl");]]
  STEP 07.1
  WORDS "takes the key out again")

kit_mutant(
  NAME refusal-unnoticed
  SENTENCE "The result of epoll_ctl is not looked at."
  FILE epoll_selector.cpp
  REPLACE [[  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == -1) {]]
  WITH [[  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == -2) {]]
  STEP 07.1
  WORDS "When epoll_ctl() refuses a descriptor")

kit_mutant(
  NAME modify-forgets-the-data
  SENTENCE "modify() replaces the events and keeps the old data."
  FILE epoll_selector.cpp
  REPLACE [[  const SelectorKey key = replace_key(fd, events, data);]]
  WITH [[  const SelectorKey key = replace_key(fd, events, data ? old.data : data);]]
  STEP 07.1
  WORDS "replaces both")

kit_mutant(
  NAME modify-asks-the-kernel-for-the-data-alone
  SENTENCE "modify() makes a system call although only the data change."
  FILE epoll_selector.cpp
  REPLACE [[  if (events == old.events) return key;  // only the data: the kernel does not know them
]]
  WITH [[
]]
  STEP 07.1
  WORDS "asks nothing of the kernel")

kit_mutant(
  NAME unregister-minds-a-closed-descriptor
  SENTENCE "unregister() throws if the descriptor was closed first."
  FILE epoll_selector.cpp
  REPLACE [[  (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);]]
  WITH [[  check(::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr), "epoll_ctl");]]
  STEP 07.1
  WORDS "EPOLL_CTL_DEL fails then")

kit_mutant(
  NAME unregister-does-not-tell-the-kernel
  SENTENCE "unregister() takes the key out, and leaves the descriptor in the kernel's list."
  FILE epoll_selector.cpp
  REPLACE [[  (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);]]
  WITH [[]]
  STEP 07.1
  WORDS "Was the kernel told to forget it")

kit_mutant(
  NAME close-leaves-the-epoll-open
  SENTENCE "close() forgets the keys, and not the epoll's own descriptor."
  FILE epoll_selector.cpp
  REPLACE [[  epoll_.reset();
]]
  WITH [[
]]
  STEP 07.1
  WORDS "closes the epoll's own descriptor")

kit_mutant(
  NAME edge-triggered-rules
  SENTENCE "The kernel is asked to tell of a change only: the second select() finds nothing ready."
  FILE epoll_selector.cpp
  REPLACE [[  event.data.fd = fd;]]
  WITH [[  event.events |= EPOLLET;
  event.data.fd = fd;]]
  STEP 07.1
  WORDS "ask the kernel for no EPOLLET")

# ---- the selector: select -------------------------------------------------------------------------

kit_mutant(
  NAME edge-triggered
  SENTENCE "The kernel is asked to tell of a change only, and the rest of the bytes is never told of."
  FILE epoll_selector.cpp
  REPLACE [[  event.data.fd = fd;]]
  WITH [[  event.data.fd = fd;
  event.events |= EPOLLET;]]
  STEP 07.2
  WORDS "edge-triggered")

kit_mutant(
  NAME room-for-as-many-as-are-registered
  SENTENCE "epoll_wait is given room for as many events as there are keys: for none if there is none."
  FILE epoll_selector.cpp
  REPLACE [[events_.data(), most_events, countdown]]
  WITH [[events_.data(),
                         std::min<int>(most_events, static_cast<int>(get_map().size())), countdown]]
  REPLACE [[#include <cerrno>]]
  WITH [[#include <algorithm>
#include <cerrno>]]
  STEP 07.2
  WORDS "epoll_wait() wants room for one event at least")

kit_mutant(
  NAME hang-up-ignored
  SENTENCE "EPOLLHUP and EPOLLERR are no events to it: such a descriptor is never told of."
  FILE epoll_selector.cpp
  REPLACE [[  if (bits & ~std::uint32_t{EPOLLOUT}) events |= EVENT_READ;
  if (bits & ~std::uint32_t{EPOLLIN}) events |= EVENT_WRITE;]]
  WITH [[  if (bits & EPOLLIN) events |= EVENT_READ;
  if (bits & EPOLLOUT) events |= EVENT_WRITE;]]
  STEP 07.2
  WORDS "EPOLLHUP and EPOLLERR come unasked")

kit_mutant(
  NAME timeout-rounded-down
  SENTENCE "A timeout of 1.5 ms becomes 1 ms, and one of 0.9 ms no wait at all."
  FILE epoll_selector.cpp
  REPLACE [[most_events, countdown.milliseconds());]]
  WITH [[most_events,
                         timeout ? static_cast<int>(countdown.left()->count() / 1'000'000) : -1);]]
  REPLACE [[  } while ((count == -1 && errno == EINTR) || (count == 0 && countdown.milliseconds() != 0));]]
  WITH [[  } while (count == -1 && errno == EINTR);]]
  STEP 07.2
  WORDS "rounded down")

kit_mutant(
  NAME signal-ends-the-wait
  SENTENCE "EINTR from epoll_wait is taken for an error."
  FILE epoll_selector.cpp
  REPLACE [[  } while ((count == -1 && errno == EINTR) || (count == 0 && countdown.milliseconds() != 0));]]
  WITH [[  } while (false);]]
  STEP 07.2
  WORDS "A signal interrupts epoll_wait()")

kit_mutant(
  NAME signal-restarts-the-whole-wait
  SENTENCE "After a signal the whole time is waited for again: with a signal every 4 ms it never ends."
  FILE epoll_selector.cpp
  REPLACE [[  int count;
  do {]]
  WITH [[  int count;
  const int limit = countdown.milliseconds();
  do {]]
  REPLACE [[most_events, countdown.milliseconds());]]
  WITH [[most_events, limit);]]
  REPLACE [[  } while ((count == -1 && errno == EINTR) || (count == 0 && countdown.milliseconds() != 0));]]
  WITH [[  } while (count == -1 && errno == EINTR);]]
  STEP 07.2
  WORDS "for the rest of the time")

kit_mutant(
  NAME event-of-one-that-is-registered-no-more
  SENTENCE "Every event is thought to have a key: one of a number that was unregistered has none."
  FILE epoll_selector.cpp
  REPLACE [[    if (key == nullptr) continue;]]
  WITH [[]]
  STEP 07.2
  WORDS "member access within null pointer")

kit_mutant(
  NAME every-failure-is-asked-again
  SENTENCE "epoll_wait() is called again whatever it says, and not after a signal alone."
  FILE epoll_selector.cpp
  REPLACE [[(count == -1 && errno == EINTR)]]
  WITH [[(count == -1)]]
  STEP 07.2
  WORDS "Only EINTR is asked again")

kit_mutant(
  NAME for-ever-is-at-once
  SENTENCE "No timeout, which is -1 for epoll_wait(), becomes 0."
  FILE epoll_selector.cpp
  REPLACE [[countdown.milliseconds());
  } while]]
  WITH [[countdown.milliseconds() < 0 ? 0 : countdown.milliseconds());
  } while]]
  STEP 07.7
  WORDS "has a timeout of 0")

# ---- many clients ---------------------------------------------------------------------------------

kit_mutant(
  NAME every-key-names-the-newest-connection
  SENTENCE "modify() is given the newest connection's data, whichever connection it is about."
  FILE selector_mixin.hpp
  REPLACE [[      selector_->modify(connection.request.fileno(), events, &connection);]]
  WITH [[      selector_->modify(connection.request.fileno(), events, &connections_.back());]]
  STEP 07.3
  WORDS "serves the connection whose key it names")

kit_mutant(
  NAME a-thread-for-each-connection
  SENTENCE "Every connection gets a thread after all: the selector waits for new clients only."
  FILE selector_mixin.hpp
  REPLACE [[  void process_request(Request request) override {
]]
  WITH [[  void process_request(Request request) override {
    const auto shared = std::make_shared<Request>(std::move(request));
    std::thread([this, shared] {
      const auto own = session_class_(shared->client_address(), *this);
      Output out;
      for (ssize_t count = 1; count > 0;) {
        char bytes[4096];
        count = ::recv(shared->fileno(), bytes, sizeof bytes, 0);
        if (count > 0) own->received({bytes, static_cast<std::size_t>(count)}, out);
        if (count <= 0) own->ended(out);
        while (!out.empty()) {
          const ssize_t sent =
              ::send(shared->fileno(), out.unsent().data(), out.size(), MSG_NOSIGNAL);
          out.sent(sent > 0 ? static_cast<std::size_t>(sent) : out.size());
        }
      }
      this->shutdown_request(*shared);
    }).detach();
  }

  void unused(Request request) {
]]
  REPLACE [[#include <optional>
]]
  WITH [[#include <optional>
#include <thread>
]]
  STEP 07.3
  WORDS "One thread serves them all")

# ---- what a client does not take ------------------------------------------------------------------

kit_mutant(
  NAME sockets-left-blocking
  SENTENCE "send() waits until a client that does not read takes all of it; meanwhile nobody is served."
  FILE selector_mixin.hpp
  REPLACE [[                                 MSG_DONTWAIT | MSG_NOSIGNAL);]]
  WITH [[                                 MSG_NOSIGNAL);]]
  STEP 07.4
  WORDS "The server sleeps in send" "MSG_DONTWAIT")

kit_mutant(
  NAME rest-of-a-short-send-dropped
  SENTENCE "What send() did not take is forgotten."
  FILE selector_mixin.hpp
  REPLACE [[    connection.output.sent(static_cast<std::size_t>(count));]]
  WITH [[    connection.output.sent(bytes.size());]]
  STEP 07.5
  WORDS "the rest was not sent later")

kit_mutant(
  NAME short-send-sent-again
  SENTENCE "After a short send() everything is sent again."
  FILE selector_mixin.hpp
  REPLACE [[    connection.output.sent(static_cast<std::size_t>(count));]]
  WITH [[    if (static_cast<std::size_t>(count) == bytes.size()) connection.output.sent(bytes.size());]]
  STEP 07.5
  WORDS "or twice")

kit_mutant(
  NAME full-socket-is-an-error
  SENTENCE "EAGAIN from send() ends the connection."
  FILE selector_mixin.hpp
  REPLACE [[      if (errno == EAGAIN || errno == EINTR) return false;  // no room now]]
  WITH [[]]
  STEP 07.5
  WORDS "returned -1 and E"
  NOT_WORDS "or twice")

kit_mutant(
  NAME write-never-armed
  SENTENCE "A connection is registered for EVENT_READ alone: the rest is sent when the client speaks again."
  FILE selector_mixin.hpp
  REPLACE [[    if (!output.empty()) events |= EVENT_WRITE;]]
  WITH [[    if (!output.empty() && !listens) events |= EVENT_WRITE;]]
  STEP 07.5
  WORDS "registered for EVENT_WRITE")

kit_mutant(
  NAME write-always-on
  SENTENCE "Every connection is registered for EVENT_WRITE, and is always ready."
  FILE selector_mixin.hpp
  REPLACE [[    if (!output.empty()) events |= EVENT_WRITE;]]
  WITH [[    if (listens || !output.empty()) events |= EVENT_WRITE;]]
  STEP 07.7
  WORDS "Register for EVENT_WRITE only after a short send()")

kit_mutant(
  NAME looks-around-every-second
  SENTENCE "The loop wakes every second to see whether something is to be done."
  FILE selector_mixin.hpp
  REPLACE [[    if (!next) return limit;]]
  WITH [[    if (!next) return std::chrono::seconds(1);]]
  STEP 07.7
  WORDS "wakes to look around")

kit_mutant(
  NAME waits-for-no-time
  SENTENCE "The wait has a timeout of 0: the loop asks without end, and nothing is ready."
  FILE selector_mixin.hpp
  REPLACE [[    if (!next) return limit;]]
  WITH [[    if (!next) return std::chrono::seconds(0);]]
  STEP 07.7
  WORDS "has a timeout of 0"
  NOT_WORDS "EVENT_WRITE" "A loop turns")

kit_mutant(
  NAME unbounded-output
  SENTENCE "The server reads on from a client that takes no answer, and keeps all the answers."
  FILE selector_mixin.hpp
  REPLACE [[    if (listens && output.size() < max_output) events |= EVENT_READ;]]
  WITH [[    if (listens) events |= EVENT_READ;]]
  STEP 07.9
  WORDS "do not read from it")

# ---- the end of a connection ----------------------------------------------------------------------

kit_mutant(
  NAME closed-before-unregistered
  SENTENCE "The connection is closed first, and then its number is not known any more: the key stays."
  FILE selector_mixin.hpp
  REPLACE [[    forget(connection.request.fileno());  // first: once closed, the number may be somebody else's
]]
  WITH [[
]]
  REPLACE [[    (connection.leaving ? leaving_ : connections_).erase(connection.place);]]
  WITH [[    forget(connection.request.fileno());
    (connection.leaving ? leaving_ : connections_).erase(connection.place);]]
  STEP 07.8
  WORDS "Unregister a descriptor before it is closed")

kit_mutant(
  NAME used-after-it-was-closed
  SENTENCE "At its end of file a connection is closed at once, and then used once more."
  FILE selector_mixin.hpp
  REPLACE [[    connection.at_end = count == 0;
]]
  WITH [[    connection.at_end = count == 0;
    if (count == 0 && connection.output.empty()) {
      close(connection);
      return true;
    }
]]
  STEP 07.8
  WORDS "heap-use-after-free")

kit_mutant(
  NAME eagain-is-the-end
  SENTENCE "EAGAIN from recv() is taken for the end of the connection."
  FILE selector_mixin.hpp
  REPLACE [[      if (errno == EAGAIN || errno == EINTR) return false;  // nothing is there after all]]
  WITH [[]]
  STEP 07.8
  WORDS "A readiness may prove wrong")

kit_mutant(
  NAME throwing-session-takes-its-answers-along
  SENTENCE "When a session throws, its connection is closed before what it wrote has gone out."
  FILE selector_mixin.hpp
  REPLACE [[      this->report_error(connection.request);
      connection.output.end();  // what it had said before still goes out]]
  WITH [[      throw;]]
  STEP 07.8
  WORDS "once what it wrote before has gone out")

kit_mutant(
  NAME a-signal-cuts-everybody-off
  SENTENCE "At the end by a signal the connections are closed without their last answers."
  FILE selector_mixin.hpp
  REPLACE [[    while (!connections_.empty() || !leaving_.empty()) {
      this->patiently([this] { (void)wait(false, std::nullopt); });
    }]]
  WITH [[    while (!connections_.empty()) close(connections_.front());]]
  STEP 07.8
  WORDS "At the end by a signal")

kit_mutant(
  NAME listener-still-watched-at-the-end
  SENTENCE "After the signal the listener is registered still: with somebody in its queue the server spins."
  FILE selector_mixin.hpp
  REPLACE [[    while (!connections_.empty() || !leaving_.empty()) {
      this->patiently([this] { (void)wait(false, std::nullopt); });
    }]]
  WITH [[    while (!connections_.empty() || !leaving_.empty()) {
      this->patiently([this] { (void)wait(true, std::nullopt); });
    }]]
  STEP 07.8
  WORDS "Unregister the listener first")

kit_mutant(
  NAME end-of-file-read-again
  SENTENCE "While answers wait a connection is read from, though its end of file has come: it spins."
  FILE selector_mixin.hpp
  REPLACE [[    if (listens && output.size() < max_output) events |= EVENT_READ;]]
  WITH [[    if ((listens || !output.empty()) && output.size() < max_output) events |= EVENT_READ;]]
  STEP 07.8
  WORDS "it is readable for ever")

kit_mutant(
  NAME end-of-file-after-the-rest-is-read-away
  SENTENCE "Whom the server ends, and who has said more, gets the end of file two seconds late."
  FILE selector_mixin.hpp
  REPLACE [[    (void)::shutdown(connection.request.fileno(), SHUT_WR);  // who has gone needs no goodbye
]]
  WITH [[]]
  STEP 07.8
  WORDS "its end of file has not")

kit_mutant(
  NAME goodbye-waits-for-room
  SENTENCE "One that has waited for WRITE goes on to wait for it in its goodbye: there is always room."
  FILE selector_mixin.hpp
  REPLACE [[      selector_->modify(connection.request.fileno(), EVENT_READ, &connection);
    } catch]]
  WITH [[    } catch]]
  STEP 07.8
  WORDS "calls in a row of one thread brought nothing")

kit_mutant(
  NAME idle-time-hides-the-goodbye
  SENTENCE "With an idle time the wait is until then, and a goodbye that is over sooner is not ended."
  FILE selector_mixin.hpp
  REPLACE [[      if (!next || end < *next) next = end;]]
  WITH [[      if (!next) next = end;]]
  STEP 07.8
  WORDS "the wait is no longer than until then")

# ---- fairness, descriptors, time ------------------------------------------------------------------

kit_mutant(
  NAME reads-until-nothing-is-left
  SENTENCE "A connection is read from until EAGAIN: one that sends without end keeps all others waiting."
  FILE selector_mixin.hpp
  REPLACE [[      bool moved = (events & EVENT_READ) && receive(connection);]]
  WITH [[      bool moved = false;
      while ((events & EVENT_READ) && !connection.at_end && receive(connection)) moved = true;]]
  STEP 07.10
  WORDS "nobody else has a turn")

kit_mutant(
  NAME emfile-spins
  SENTENCE "The listener is always waited for: without a descriptor left the wait never sleeps."
  FILE selector_mixin.hpp
  REPLACE [[    const bool listens = watch_listener(for_requests);]]
  WITH [[    const bool listens = watch_listener(true);]]
  STEP 07.11
  WORDS "for_requests")

kit_mutant(
  NAME emfile-sleeps
  SENTENCE "Without a descriptor left the thread sleeps for the pause, and nobody is served meanwhile."
  FILE selector_mixin.hpp
  REPLACE [[#include <sys/socket.h>
]]
  WITH [[#include <sys/socket.h>
#include <unistd.h>
]]
  REPLACE [[    if (for_requests && !listens) limit = Server::pause_after_failure;]]
  WITH [[    if (!listens && limit) {
      ::usleep(50'000);
      limit = std::chrono::milliseconds(0);
    }]]
  STEP 07.11
  WORDS "The one thread sleeps for the pause")

kit_mutant(
  NAME emfile-forgets-the-listener
  SENTENCE "Once there was no descriptor left, no client is taken any more."
  FILE selector_mixin.hpp
  REPLACE [[    if (watched || !wanted) return wanted;]]
  WITH [[    if (watched || !wanted || listens_) return wanted;]]
  STEP 07.11
  WORDS "whoever waits in the queue is next")

kit_mutant(
  NAME idle-timer-never-reset
  SENTENCE "A connection is closed when its time since accept() is over, however much it has said."
  FILE selector_mixin.hpp
  REPLACE [[      if (moved) touch(connection);
]]
  WITH [[
]]
  STEP 07.12
  WORDS "its time begins anew")

kit_mutant(
  NAME idle-list-in-order-of-arrival
  SENTENCE "The first to come is looked at alone: as long as it speaks, nobody behind it is closed."
  FILE selector_mixin.hpp
  REPLACE [[    connections_.splice(connections_.end(), connections_, connection.place);
]]
  WITH [[
]]
  STEP 07.12
  WORDS "As long as another one speaks")

kit_mutant(
  NAME idle-deadline-not-waited-for
  SENTENCE "The wait has no timeout: an idle connection is closed only when somebody else speaks."
  FILE selector_mixin.hpp
  REPLACE [[    if (idle_timeout && !connections_.empty()) {]]
  WITH [[    if (false) {]]
  STEP 07.12
  WORDS "Nobody looks at the clock")

# ---- the client -----------------------------------------------------------------------------------

kit_mutant(
  NAME client-blocks-on-the-terminal
  SENTENCE "The client waits for the terminal, and hears the server only when something is typed."
  FILE client.cpp
  REPLACE [[      const bool read_at_once = listens_to_terminal_ && !terminal_waits_;]]
  WITH [[      const bool read_at_once = listens_to_terminal_;]]
  STEP 07.6
  WORDS "sits in read() on the terminal")

kit_mutant(
  NAME client-loses-a-single-byte
  SENTENCE "What read() returns is compared with 1 where 0 is meant: one byte alone is lost."
  FILE client.cpp
  REPLACE [[    if (count > 0) typed_.append(]]
  WITH [[    if (count > 1) typed_.append(]]
  STEP 07.6
  WORDS "A single byte was lost")

kit_mutant(
  NAME client-blocks-in-send
  SENTENCE "The client waits in send() until the server takes all of it, and hears nothing meanwhile."
  FILE client.cpp
  REPLACE [[MSG_DONTWAIT | MSG_NOSIGNAL]]
  WITH [[MSG_NOSIGNAL]]
  STEP 07.6
  WORDS "wait for each other for ever")

kit_mutant(
  NAME client-drops-what-is-not-taken
  SENTENCE "What the server does not take at once of what was typed is forgotten."
  FILE client.cpp
  REPLACE [[      typed_.erase(0, static_cast<std::size_t>(count));]]
  WITH [[      typed_.clear();]]
  STEP 07.6
  WORDS "EVENT_WRITE while something is left")

kit_mutant(
  NAME client-ends-with-its-input
  SENTENCE "The client ends when its input ends, and the rest of the answer is never shown."
  FILE client.cpp
  REPLACE [[    while (!server_ended_) {]]
  WITH [[    while (!server_ended_ && !half_closed_) {]]
  STEP 07.6
  WORDS "goes on to show what comes")

kit_mutant(
  NAME client-does-not-half-close
  SENTENCE "At the end of its input the client says nothing, and the server waits for more."
  FILE client.cpp
  REPLACE [[      check(::shutdown(connection_, SHUT_WR), "shutdown");
]]
  WITH [[
]]
  STEP 07.6
  WORDS "SHUT_WR")

kit_mutant(
  NAME client-watches-the-ended-terminal
  SENTENCE "After the end of its input the client waits for the terminal still, which is ready for ever."
  FILE client.cpp
  REPLACE [[    listen_to_terminal(!terminal_ended_ && typed_.empty());]]
  WITH [[    listen_to_terminal(typed_.empty());]]
  STEP 07.6
  WORDS "Watch it no longer")

kit_mutant(
  NAME client-reads-on-with-bytes-unsent
  SENTENCE "The client reads its terminal while the server takes nothing, and keeps all that was typed."
  FILE client.cpp
  REPLACE [[    listen_to_terminal(!terminal_ended_ && typed_.empty());]]
  WITH [[    listen_to_terminal(!terminal_ended_);]]
  STEP 07.6
  WORDS "do not read from the terminal")

kit_mutant(
  NAME client-half-closes-too-early
  SENTENCE "The client half-closes at the end of its input, though something is still to be sent."
  FILE client.cpp
  REPLACE [[    if (terminal_ended_ && typed_.empty() && !half_closed_) {]]
  WITH [[    if (terminal_ended_ && !half_closed_) {]]
  REPLACE [[    listen_to_terminal(!terminal_ended_ && typed_.empty());]]
  WITH [[    listen_to_terminal(!terminal_ended_);]]
  STEP 07.6
  WORDS "only when everything typed is sent")

kit_mutant(
  NAME refused-connection-is-nobodys
  SENTENCE "What register_fd() throws leaves process_request(), and the connection stays where it is."
  FILE selector_mixin.hpp
  REPLACE [[      touch(connection);
    } catch (...) {
      this->report_error(connection.request);
      close(connection);]]
  WITH [[      touch(connection);
    } catch (const std::bad_alloc&) {
      close(connection);]]
  STEP 07.8
  WORDS "The kernel has refused to watch a new connection")

kit_mutant(
  NAME a-client-that-goes-ends-all-by-a-signal
  SENTENCE "send() may raise SIGPIPE, which ends the server."
  FILE selector_mixin.hpp
  REPLACE [[MSG_DONTWAIT | MSG_NOSIGNAL]]
  WITH [[MSG_DONTWAIT]]
  STEP 07.8
  WORDS "killed by SIGPIPE")

kit_mutant(
  NAME whoever-reads-slowly-is-idle
  SENTENCE "Only what is received moves the time of a connection."
  FILE selector_mixin.hpp
  REPLACE [[moved |= send(connection);]]
  WITH [[(void)send(connection);]]
  STEP 07.12
  WORDS "takes its answer slowly was closed as if it were idle")

kit_mutant(
  NAME idle-closed-before-its-event
  SENTENCE "The idle are closed between select() and what it has told of them."
  FILE selector_mixin.hpp
  REPLACE [[    bool new_clients = false;
]]
  WITH [[    bool new_clients = false;
    close_idle();
]]
  STEP 07.12
  WORDS "heap-use-after-free")

# ---- one part of 07.D alone ----------------------------------------------------------------------

kit_mutant(
  NAME client-not-kept
  SENTENCE "The request is registered, and then closed with the function that took it."
  FILE selector_mixin.hpp
  REPLACE [[      touch(connection);
    } catch (...) {
      this->report_error(connection.request);
      close(connection);
    }
  }

  /// Waits for one client]]
  WITH [[      touch(connection);
    } catch (...) {
      this->report_error(connection.request);
    }
    close(connection);
  }

  /// Waits for one client]]
  STEP 07.13
  WORDS "was not kept")

kit_mutant(
  NAME answers-only-at-the-end
  SENTENCE "What a session has written is sent when its client has ended, and not before."
  FILE selector_mixin.hpp
  REPLACE [[      moved |= send(connection);]]
  WITH [[      if (connection.at_end) moved |= send(connection);]]
  STEP 07.14
  WORDS "A line was not answered")

kit_mutant(
  NAME end-of-file-is-no-end
  SENTENCE "recv returns 0 again and again, and the session is told again and again."
  FILE selector_mixin.hpp
  REPLACE [[    connection.at_end = count == 0;]]
  WITH [[    connection.at_end = false;]]
  STEP 07.15
  WORDS "is not its end here")

# ---- what is looked at in every step, and in every form -------------------------------------------

kit_mutant(
  NAME client-makes-the-terminal-non-blocking
  SENTENCE "The client makes its standard input non-blocking, which is the shell's as well."
  FILE client.cpp
  REPLACE [[    listen_to_terminal(true);
  }

  // Until]]
  WITH [[    listen_to_terminal(true);
    set_nonblocking(STDIN_FILENO);
  }

  // Until]]
  STEP 07.6
  WORDS "The client made its standard input non-blocking")

kit_mutant(
  NAME eintr-of-send-is-an-error
  SENTENCE "A send() that a signal interrupts ends the connection."
  FILE selector_mixin.hpp
  REPLACE [[      if (errno == EAGAIN || errno == EINTR) return false;  // no room now]]
  WITH [[      if (errno == EAGAIN) return false;  // no room now]]
  STEP 07.5
  WORDS "returned -1 and EINTR"
  NOT_WORDS "or twice")

kit_mutant(
  NAME goodbye-has-no-end
  SENTENCE "Whom the server has ended, and who stays, is kept for ever."
  FILE selector_mixin.hpp
  REPLACE [[    if (!leaving_.empty()) {
      const Clock::time_point end = leaving_.front().last_moved + Request::longest_goodbye;
      if (!next || end < *next) next = end;
    }
]]
  WITH [[]]
  STEP 07.8
  WORDS "is kept for ever")

# ---- the client's calls ---------------------------------------------------------------------------

kit_mutant(
  NAME client-spins-while-a-file-is-not-taken
  SENTENCE "A file as terminal is always ready: the client does not sleep, though nobody takes its bytes."
  FILE client.cpp
  REPLACE [[      if (read_at_once) timeout = std::chrono::nanoseconds::zero();]]
  WITH [[      if (!terminal_waits_ && !terminal_ended_) timeout = std::chrono::nanoseconds::zero();]]
  STEP 07.6
  WORDS "The server takes nothing, and the client turns")

kit_mutant(
  NAME client-ended-by-a-signal
  SENTENCE "A signal that interrupts the client's recv() ends it."
  FILE client.cpp
  REPLACE [[    if (count == -1 && errno != EAGAIN && errno != EINTR) throw_system_error("recv");]]
  WITH [[    if (count == -1 && errno != EAGAIN) throw_system_error("recv");]]
  STEP 07.6
  WORDS "A signal has interrupted the client's recv() or send()")

kit_mutant(
  NAME client-forgives-a-failed-send
  SENTENCE "What send() reports is nobody's."
  FILE client.cpp
  REPLACE [[    } else if (errno != EAGAIN && errno != EINTR) {
      throw_system_error("send");
    }]]
  WITH [[    }]]
  STEP 07.6
  WORDS "send() has failed, and the client goes on")

kit_mutant(
  NAME client-forgives-a-failed-read
  SENTENCE "A terminal that cannot be read is asked again and again."
  FILE client.cpp
  REPLACE [[    if (count == -1 && errno != EINTR) throw_system_error("read");
]]
  WITH [[]]
  STEP 07.6
  WORDS "The terminal cannot be read")

kit_mutant(
  NAME client-killed-by-a-pipe
  SENTENCE "The client's send() may raise SIGPIPE."
  FILE client.cpp
  REPLACE [[MSG_DONTWAIT | MSG_NOSIGNAL]]
  WITH [[MSG_DONTWAIT]]
  STEP 07.6
  WORDS "SIGPIPE")

kit_mutant(
  NAME hang-up-for-readers-alone
  SENTENCE "A hang-up or an error is told as EVENT_READ alone: who waits for WRITE is never told."
  FILE epoll_selector.cpp
  REPLACE [[  if (bits & ~std::uint32_t{EPOLLIN}) events |= EVENT_WRITE;]]
  WITH [[  if (bits & EPOLLOUT) events |= EVENT_WRITE;]]
  STEP 07.2
  WORDS "They are told as every event that was registered")

kit_mutant(
  NAME client-takes-a-reset-for-the-end
  SENTENCE "The client takes a reset for the end, and exits as if all were well."
  FILE client.cpp
  REPLACE [[    if (count == -1 && errno != EAGAIN && errno != EINTR) throw_system_error("recv");]]
  WITH [[    if (count == -1 && errno == ECONNRESET) server_ended_ = true;]]
  STEP 07.6
  WORDS "The connection was reset")

kit_mutant(
  NAME server-takes-a-reset-for-the-end
  SENTENCE "A reset is taken for the end of file, and reported to nobody."
  FILE selector_mixin.hpp
  REPLACE [[      throw_system_error("recv");
    }
    connection.at_end = count == 0;
    try {
      if (count == 0) {]]
  WITH [[      connection.at_end = true;
      return true;
    }
    connection.at_end = count == 0;
    try {
      if (count == 0) {]]
  STEP 07.8
  WORDS "is no end of file")
