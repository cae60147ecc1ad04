# Wrong answers to lesson 01. Each is one plausible mistake in the solution, and must be caught at
# its step, with its words. The form of a mutant: tests/cmake/mutants.cmake.

# ---- the client -----------------------------------------------------------------------------------

kit_mutant(
  NAME client-does-not-half-close
  SENTENCE "The client sends its message and waits, without telling the server that this was all."
  FILE client.cpp
  REPLACE [[  half_close(connection);
]]
  WITH [[
]]
  STEP 01.1
  WORDS "does not half-close")

kit_mutant(
  NAME client-sends-no-newline
  SENTENCE "The client sends its words without the newline that ends them."
  FILE client.cpp
  REPLACE [[  send_all(connection, message);]]
  WITH [[  send_all(connection, options.sentence());]]
  STEP 01.1
  WORDS "does not send what it was told")

kit_mutant(
  NAME client-reads-once
  SENTENCE "The client takes what the first recv returns for the whole answer."
  FILE client.cpp
  REPLACE [[      answer.append(buffer, static_cast<std::size_t>(count));]]
  WITH [[      return std::string(buffer, static_cast<std::size_t>(count));]]
  STEP 01.2
  WORDS "One recv() was taken for the whole answer")

kit_mutant(
  NAME client-exits-0-on-a-refused-connection
  SENTENCE "The client says that nobody listens, and exits as if all were well."
  FILE client.cpp
  REPLACE [[  check(::connect(connection.get(), server.data(), server.size()), "connect");]]
  WITH [[  if (::connect(connection.get(), server.data(), server.size()) == -1) {
    std::fprintf(stderr, "cannot connect\n");
    std::exit(0);
  }]]
  REPLACE [[#include <cerrno>]]
  WITH [[#include <cerrno>
#include <cstdio>
#include <cstdlib>]]
  STEP 01.3
  WORDS "exit with status 1")

kit_mutant(
  NAME client-takes-a-reset-for-the-end
  SENTENCE "The client takes an error of recv (-1) for the end of file (0)."
  FILE client.cpp
  REPLACE [[    if (count == 0) return answer;]]
  WITH [[    if (count <= 0) return answer;]]
  STEP 01.3
  WORDS "reset")

kit_mutant(
  NAME client-sends-once
  SENTENCE "The client takes what the first send takes for all of its message."
  FILE client.cpp
  REPLACE [[      bytes.remove_prefix(static_cast<std::size_t>(count));]]
  WITH [[      return;]]
  STEP 01.2
  WORDS "send() may take fewer")

# ---- server_bind ----------------------------------------------------------------------------------

kit_mutant(
  NAME socket-unchecked
  SENTENCE "The result of socket() is not looked at: what fails, and is said to, is a later call."
  FILE tcp_server.cpp
  REPLACE [[  socket_.reset(check(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));]]
  WITH [[  socket_.reset(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));]]
  STEP 01.4
  WORDS "each of socket")

kit_mutant(
  NAME says-that-no-sanitizer-starts
  SENTENCE "The server ends, with words as if a sanitizer could not start on this machine."
  FILE tcp_server.cpp
  REPLACE [[  check(::listen(socket_.get(), request_queue_size), "listen");]]
  WITH [[  std::fputs("==7==ERROR: LeakSanitizer failed: personality, unexpected memory mapping\n", stderr);
  std::_Exit(1);]]
  REPLACE [[#include <cerrno>]]
  WITH [[#include <cerrno>
#include <cstdio>
#include <cstdlib>]]
  STEP 01.4
  WORDS "ended before it listened"
  NOT_WORDS "cannot run here")

kit_mutant(
  NAME listen-unchecked
  SENTENCE "The result of listen() is not looked at: the server says that it listens, and does not."
  FILE tcp_server.cpp
  REPLACE [[  check(::listen(socket_.get(), request_queue_size), "listen");]]
  WITH [[  (void)::listen(socket_.get(), request_queue_size);]]
  STEP 01.4
  WORDS "each of socket")

kit_mutant(
  NAME reuse-address-always
  SENTENCE "SO_REUSEADDR is set whatever allow_reuse_address says."
  FILE tcp_server.cpp
  REPLACE [[  if (allow_reuse_address) switch_option]]
  WITH [[  switch_option]]
  STEP 01.13
  WORDS "not what the attribute says")

kit_mutant(
  NAME reuse-port-forgotten
  SENTENCE "allow_reuse_port is an attribute that nobody looks at."
  FILE tcp_server.cpp
  REPLACE [[  if (allow_reuse_port) switch_option(socket_.get(), SOL_SOCKET, SO_REUSEPORT, true);
]]
  WITH [[
]]
  STEP 01.13
  WORDS "not what the attribute says")

kit_mutant(
  NAME always-dual-stack
  SENTENCE "IPV6_V6ONLY is never set: whether IPv4 clients are taken is the machine's choice."
  FILE tcp_server.cpp
  REPLACE [[    switch_option(socket_.get(), IPPROTO_IPV6, IPV6_V6ONLY, !dual_stack);]]
  WITH [[]]
  STEP 01.13
  WORDS "not what dual_stack says")

kit_mutant(
  NAME queue-of-its-own
  SENTENCE "listen() gets a number instead of request_queue_size."
  FILE tcp_server.cpp
  REPLACE [[listen(socket_.get(), request_queue_size)]]
  WITH [[listen(socket_.get(), 5)]]
  STEP 01.13
  WORDS "how long the queue is")

kit_mutant(
  NAME listener-left-blocking
  SENTENCE "The listener blocks: accept() waits when the client has gone again."
  FILE tcp_server.cpp
  REPLACE [[  set_nonblocking(socket_.get());
]]
  WITH [[
]]
  STEP 01.10
  WORDS "between poll")

kit_mutant(
  NAME no-htons
  SENTENCE "The port goes into the address in the machine's byte order, not the network's."
  FILE tcp_server.cpp
  REPLACE [[  check(::bind(socket_.get(), address.data(), address.size()), "bind");]]
  WITH [[  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  in.sin_port = address.port();
  check(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&in), sizeof in), "bind");]]
  STEP 01.4
  WORDS "network byte order")

kit_mutant(
  NAME no-ntohs
  SENTENCE "The port that is printed is the bytes of the address, not turned back."
  FILE tcp_server.cpp
  REPLACE [[  set_server_address(Address::of_socket(socket_.get()));]]
  WITH [[  sockaddr_in bound{};
  socklen_t size = sizeof bound;
  check(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&bound), &size), "getsockname");
  set_server_address(Address::inet(address.host(), bound.sin_port));]]
  STEP 01.4
  WORDS "network byte order")

kit_mutant(
  NAME listens-everywhere
  SENTENCE "The server binds to every address of the machine, whatever it was told."
  FILE tcp_server.cpp
  REPLACE [[  check(::bind(socket_.get(), address.data(), address.size()), "bind");]]
  WITH [[  const Address everywhere = Address::inet("0.0.0.0", address.port());
  check(::bind(socket_.get(), everywhere.data(), everywhere.size()), "bind");]]
  STEP 01.4
  WORDS "every address of the machine")

kit_mutant(
  NAME bind-unchecked
  SENTENCE "The result of bind is not looked at: listen then picks a port of its own."
  FILE tcp_server.cpp
  REPLACE [[  check(::bind(socket_.get(), address.data(), address.size()), "bind");]]
  WITH [[  ::bind(socket_.get(), address.data(), address.size());]]
  STEP 01.4
  WORDS "result of bind()")

kit_mutant(
  NAME always-ipv4
  SENTENCE "The socket is IPv4, whatever the family of the address."
  FILE tcp_server.cpp
  REPLACE [[::socket(address.family(), SOCK_STREAM]]
  WITH [[::socket(AF_INET, SOCK_STREAM]]
  STEP 01.4
  WORDS "family")

kit_mutant(
  NAME reuseport-for-reuseaddr
  SENTENCE "SO_REUSEPORT is set where SO_REUSEADDR was meant: two servers share one port."
  FILE tcp_server.cpp
  REPLACE [[SOL_SOCKET, SO_REUSEADDR, true);]]
  WITH [[SOL_SOCKET, SO_REUSEPORT, true);]]
  STEP 01.4
  WORDS "SO_REUSEPORT")

kit_mutant(
  NAME no-reuseaddr
  SENTENCE "SO_REUSEADDR is not set: connections in TIME_WAIT keep the port for a minute."
  FILE tcp_server.cpp
  REPLACE [[  if (allow_reuse_address) switch_option(socket_.get(), SOL_SOCKET, SO_REUSEADDR, true);
]]
  WITH [[
]]
  STEP 01.13
  WORDS "TIME_WAIT" "SO_REUSEADDR")

# ---- requests -------------------------------------------------------------------------------------

kit_mutant(
  NAME exits-on-a-failed-accept
  SENTENCE "A failed accept ends the server."
  FILE tcp_server.cpp
  REPLACE [[    throw_system_error("accept");]]
  WITH [[    std::perror("accept");
    std::exit(1);]]
  REPLACE [[#include <cerrno>]]
  WITH [[#include <cerrno>
#include <cstdio>
#include <cstdlib>]]
  STEP 01.10
  WORDS "accept() failed once")

kit_mutant(
  NAME leaks-every-connection
  SENTENCE "The request gets a copy of the connection, and nobody closes the original."
  FILE tcp_server.cpp
  REPLACE [[  return Request(FileDescriptor(connection), Address(address, size));]]
  WITH [[  return Request(FileDescriptor(::dup(connection)), Address(address, size));]]
  STEP 01.6
  WORDS "Connections are left open")

kit_mutant(
  NAME close-without-shutdown
  SENTENCE "The connection is closed without shutdown: unread input turns the goodbye into a reset."
  FILE tcp_server.cpp
  REPLACE [[  (void)::shutdown(request.fileno(), SHUT_WR);
  request.read_away();  // unread, it would turn the goodbye into a reset
]]
  WITH [[
]]
  STEP 01.12
  WORDS "shutdown_request() calls shutdown(fd, SHUT_WR) first")

kit_mutant(
  NAME closes-with-input-unread
  SENTENCE "After shutdown() the connection is closed at once: the reset destroys what of a long answer is still under way."
  FILE tcp_server.cpp
  REPLACE [[  request.read_away();  // unread, it would turn the goodbye into a reset
]]
  WITH [[
]]
  STEP 01.12
  WORDS "A long answer was cut off")

kit_mutant(
  NAME reads-away-without-waiting
  SENTENCE "Only the input that is there at the end is read away: what comes after the close is answered with a reset."
  FILE tcp_server.cpp
  REPLACE [[  request.read_away();  // unread, it would turn the goodbye into a reset
]]
  WITH [[  (void)request.read_away_now();
]]
  STEP 01.12
  WORDS "A long answer was cut off")

kit_mutant(
  NAME leaks-when-shutdown-fails
  SENTENCE "An error of shutdown is thrown before the connection is closed."
  FILE tcp_server.cpp
  REPLACE [[  (void)::shutdown(request.fileno(), SHUT_WR);
  request.read_away();  // unread, it would turn the goodbye into a reset
  close_request(request);]]
  WITH [[  const int connection = request.release().release();
  check(::shutdown(connection, SHUT_WR), "shutdown");
  ::close(connection);]]
  STEP 01.11
  WORDS "ENOTCONN")

kit_mutant(
  NAME no-descriptor-is-nobody
  SENTENCE "Every failed accept is taken for \"nobody is there\": without descriptors the loop spins."
  FILE tcp_server.cpp
  REPLACE [[    throw_system_error("accept");]]
  WITH [[    return std::nullopt;]]
  STEP 01.10
  WORDS "lasting reason")

kit_mutant(
  NAME closes-twice
  SENTENCE "The connection is closed by its number, and once more by the request that owns it."
  FILE tcp_server.cpp
  REPLACE [[  request.close();]]
  WITH [[  ::close(request.fileno());]]
  STEP 01.6
  WORDS "closed twice")

# ---- the handler ----------------------------------------------------------------------------------

kit_mutant(
  NAME one-recv-one-message
  SENTENCE "The handler receives once, answers once, and is done."
  FILE server.cpp
  REPLACE [[    while (const std::size_t count = receive(buffer, sizeof buffer)) {]]
  WITH [[    if (const std::size_t count = receive(buffer, sizeof buffer)) {]]
  STEP 01.7
  WORDS "One recv() was taken for one message")

kit_mutant(
  NAME answers-at-the-end
  SENTENCE "The handler collects everything until the end of file before it answers."
  FILE server.cpp
  REPLACE [[    while (const std::size_t count = receive(buffer, sizeof buffer)) {
      log_received(client_address(), {buffer, count});
      for (std::size_t i = 0; i < count; ++i) buffer[i] = upper(buffer[i]);
      send_all({buffer, count});
    }]]
  WITH [[    std::string all;
    while (const std::size_t count = receive(buffer, sizeof buffer)) {
      log_received(client_address(), {buffer, count});
      for (std::size_t i = 0; i < count; ++i) all += upper(buffer[i]);
    }
    send_all(all);]]
  STEP 01.7
  WORDS "answered before the server waits for more")

kit_mutant(
  NAME answers-the-first-line-only
  SENTENCE "Of what one recv returns, only the first line is answered."
  FILE server.cpp
  REPLACE [[      send_all({buffer, count});]]
  WITH [[      const std::string_view got(buffer, count);
      send_all(got.substr(0, got.find('\n') == got.npos ? got.size() : got.find('\n') + 1));]]
  STEP 01.8
  WORDS "however many lines they are")

kit_mutant(
  NAME text-as-c-string
  SENTENCE "What was received is treated as text that ends at a zero."
  FILE server.cpp
  REPLACE [[      send_all({buffer, count});]]
  WITH [[      send_all({buffer, ::strnlen(buffer, count)});]]
  REPLACE [[#include <cerrno>]]
  WITH [[#include <cerrno>
#include <cstring>]]
  STEP 01.5
  WORDS "Bytes are not text")

kit_mutant(
  NAME terminator-behind-a-full-buffer
  SENTENCE "A zero is written behind what was received: behind the buffer, when that is full."
  FILE server.cpp
  REPLACE [[      log_received(client_address(), {buffer, count});]]
  WITH [[      buffer[count] = '\0';
      log_received(client_address(), {buffer, count});]]
  STEP 01.5
  WORDS "sanitizer")

kit_mutant(
  NAME upper-changes-more-than-letters
  SENTENCE "Every byte from 'a' on is changed, braces too."
  FILE server.cpp
  REPLACE [[byte >= 'a' && byte <= 'z' ?]]
  WITH [[byte >= 'a' ?]]
  STEP 01.5
  WORDS "Only a to z change")

kit_mutant(
  NAME end-of-file-not-seen
  SENTENCE "recv returns 0, and the handler asks again, for ever."
  FILE server.cpp
  REPLACE [[      if (count >= 0) return static_cast<std::size_t>(count);]]
  WITH [[      if (count > 0) return static_cast<std::size_t>(count);
      if (count == 0) continue;]]
  STEP 01.5
  WORDS "recv() has returned 0, the end of file"
  NOT_WORDS "does not close after")

kit_mutant(
  NAME buffer-carried-over
  SENTENCE "What is left in the buffer of the last client goes to the next one."
  FILE server.cpp
  REPLACE [[    char buffer[16 * 1024];]]
  WITH [[    static char buffer[16 * 1024];
    static std::size_t longest = 0;]]
  REPLACE [[      send_all({buffer, count});]]
  WITH [[      longest = count > longest ? count : longest;
      send_all({buffer, longest});]]
  STEP 01.6
  WORDS "bytes of another")

kit_mutant(
  NAME send-result-ignored
  SENTENCE "send is taken to have sent everything."
  FILE server.cpp
  REPLACE [[        bytes.remove_prefix(static_cast<std::size_t>(count));]]
  WITH [[        return;]]
  STEP 01.9
  WORDS "send() may take fewer")

kit_mutant(
  NAME interrupted-recv-is-an-error
  SENTENCE "A recv that a signal interrupted ends the connection."
  FILE server.cpp
  REPLACE [[      if (errno != EINTR) throw_system_error("recv");  // a signal is no error: ask again]]
  WITH [[      throw_system_error("recv");]]
  STEP 01.9
  WORDS "EINTR")

kit_mutant(
  NAME interrupted-recv-is-the-end
  SENTENCE "A recv that a signal interrupted is taken for the end of file."
  FILE server.cpp
  REPLACE [[      if (errno != EINTR) throw_system_error("recv");  // a signal is no error: ask again]]
  WITH [[      return 0;]]
  STEP 01.9
  WORDS "EINTR")

kit_mutant(
  NAME dies-of-sigpipe
  SENTENCE "send to a client that has gone raises SIGPIPE, which ends the server."
  FILE server.cpp
  REPLACE [[bytes.data(), bytes.size(), MSG_NOSIGNAL);]]
  WITH [[bytes.data(), bytes.size(), 0);]]
  STEP 01.10
  WORDS "SIGPIPE")

kit_mutant(
  NAME exits-on-a-reset
  SENTENCE "A connection that a client reset ends the server."
  FILE server.cpp
  REPLACE [[      if (errno != EINTR) throw_system_error("recv");  // a signal is no error: ask again]]
  WITH [[      if (errno == EINTR) continue;
      std::perror("recv");
      std::exit(1);]]
  REPLACE [[#include <cerrno>]]
  WITH [[#include <cerrno>
#include <cstdio>
#include <cstdlib>]]
  STEP 01.10
  WORDS "ECONNRESET")

# ---- what is looked at in every step, and in every form -------------------------------------------

kit_mutant(
  NAME client-on-ipv4-alone
  SENTENCE "The client's socket is of IPv4, whatever family the server's address has."
  FILE client.cpp
  REPLACE [[::socket(server.family(), SOCK_STREAM]]
  WITH [[::socket(AF_INET, SOCK_STREAM]]
  STEP 01.1
  WORDS "The client does not reach a server on IPv6")

kit_mutant(
  NAME client-cuts-the-answer-at-64-kib
  SENTENCE "The client takes 64 KiB for the longest answer there is."
  FILE client.cpp
  REPLACE [[    if (count > 0) {]]
  WITH [[    if (count > 0) {
      if (answer.size() >= 65536) return answer;]]
  STEP 01.2
  WORDS "an answer has no greatest length")

kit_mutant(
  NAME client-prints-what-comes-at-once
  SENTENCE "The client prints each piece when it comes, as the answer of a server that is then cut off."
  FILE client.cpp
  REPLACE [[#include <cerrno>]]
  WITH [[#include <cerrno>
#include <cstdio>]]
  REPLACE [[      answer.append(buffer, static_cast<std::size_t>(count));]]
  WITH [[      if (answer.empty()) std::printf("Received: ");
      answer.append(buffer, static_cast<std::size_t>(count));
      std::fwrite(buffer, 1, static_cast<std::size_t>(count) - (buffer[count - 1] == '\n'), stdout);
      std::fflush(stdout);]]
  REPLACE [[  print_exchange(message, answer);]]
  WITH [[  std::printf("\n");]]
  REPLACE [[  send_all(connection, message);]]
  WITH [[  std::printf("Sent:     %s\n", options.sentence().c_str());
  send_all(connection, message);]]
  STEP 01.3
  WORDS "Something was printed as if all were well")

kit_mutant(
  NAME every-address-of-ipv6
  SENTENCE "The server was told one address of IPv6 and listens on all of them."
  FILE tcp_server.cpp
  REPLACE [[  check(::bind(socket_.get(), address.data(), address.size()), "bind");]]
  WITH [[  const Address any = address.family() == AF_INET6 ? Address::inet("::", address.port()) : address;
  check(::bind(socket_.get(), any.data(), any.size()), "bind");]]
  REPLACE [[  set_server_address(Address::of_socket(socket_.get()));]]
  WITH [[  set_server_address(Address::inet(address.host(), Address::of_socket(socket_.get()).port()));]]
  STEP 01.4
  WORDS "listens on every address of the machine")

kit_mutant(
  NAME listener-closed-twice-at-the-end
  SENTENCE "server_close() closes the number, and the descriptor's owner closes it once more."
  FILE tcp_server.cpp
  REPLACE [[  socket_.reset();]]
  WITH [[  ::close(socket_.get());]]
  STEP 01.5
  WORDS "A descriptor was closed twice")

kit_mutant(
  NAME asks-a-connection-without-waiting
  SENTENCE "The connection is non-blocking, and whoever gets EAGAIN asks again at once."
  FILE server.cpp
  REPLACE [[      if (errno != EINTR) throw_system_error("recv");]]
  WITH [[      if (errno != EINTR && errno != EAGAIN) throw_system_error("recv");]]
  REPLACE [[      } else if (errno != EINTR) {]]
  WITH [[      } else if (errno != EINTR && errno != EAGAIN) {]]
  FILE tcp_server.cpp
  REPLACE [[&size, SOCK_CLOEXEC);]]
  WITH [[&size, SOCK_CLOEXEC | SOCK_NONBLOCK);]]
  STEP 01.8
  WORDS "A loop turns")

kit_mutant(
  NAME answer-cut-when-there-is-no-room
  SENTENCE "An answer that finds no room in the connection is given up with the connection."
  FILE server.cpp
  REPLACE [[bytes.size(), MSG_NOSIGNAL);]]
  WITH [[bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);]]
  STEP 01.8
  WORDS "A client that reads late has lost the end of its answer")

kit_mutant(
  NAME gone-before-accept-is-an-error
  SENTENCE "A client that has gone again before it was accepted is reported as an error."
  FILE tcp_server.cpp
  REPLACE [[    if (nobody_to_accept(errno)) return]]
  WITH [[    if (errno != ECONNABORTED && nobody_to_accept(errno)) return]]
  STEP 01.10
  WORDS "gone again before it was accepted (ECONNABORTED) is reported")

kit_mutant(
  NAME descriptor-lost-with-an-exception
  SENTENCE "The handler closes its copy of the connection only if nothing is thrown."
  FILE server.cpp
  REPLACE [[#include <cerrno>]]
  WITH [[#include <unistd.h>

#include <cerrno>]]
  REPLACE [[    char buffer[16 * 1024];]]
  WITH [[    const int copy = ::dup(request().fileno());
    char buffer[16 * 1024];]]
  REPLACE [[      send_all({buffer, count});
    }]]
  WITH [[      send_all({buffer, count});
    }
    ::close(copy);]]
  STEP 01.10
  WORDS "A socket stays open that nobody uses any more")

# ---- what is proven is said, and nothing else -------------------------------------------------------

kit_mutant(
  NAME client-shuts-both-ways
  SENTENCE "The client shuts both directions down, and does not hear the answer."
  FILE client.cpp
  REPLACE [[SHUT_WR]]
  WITH [[SHUT_RDWR]]
  STEP 01.1
  WORDS "shutdown(fd, SHUT_WR) ends what it sends"
  NOT_WORDS "not printed as the page says")

kit_mutant(
  NAME client-closes-to-half-close
  SENTENCE "The client closes its connection to say that this was all, and then reads from it."
  FILE client.cpp
  REPLACE [[  check(::shutdown(connection.get(), SHUT_WR), "shutdown");]]
  WITH [[  check(::close(connection.get()), "close");]]
  REPLACE [[#include <cerrno>]]
  WITH [[#include <unistd.h>

#include <cerrno>]]
  STEP 01.1
  WORDS "A descriptor was used after it had been closed"
  NOT_WORDS "not printed as the page says")

kit_mutant(
  NAME sends-a-zero-behind-the-answer
  SENTENCE "The server sends the 0 along that ends a string."
  FILE server.cpp
  REPLACE [[      send_all({buffer, count});]]
  WITH [[      send_all(std::string(buffer, count) + '\0');]]
  STEP 01.5
  WORDS "A byte of 0 has come that nobody asked for"
  NOT_WORDS "One recv() was taken")

kit_mutant(
  NAME upper-case-at-the-beginning-only
  SENTENCE "Only the first 512 bytes of what has come are changed."
  FILE server.cpp
  REPLACE [[i < count; ++i)]]
  WITH [[i < count && i < 512; ++i)]]
  STEP 01.5
  WORDS "the letters are small ones still"
  NOT_WORDS "behind the buffer")

kit_mutant(
  NAME client-address-of-no-bytes
  SENTENCE "accept() is told that there is no room for the client's address."
  FILE tcp_server.cpp
  REPLACE [[  socklen_t size = sizeof peer;]]
  WITH [[  socklen_t size = 0;]]
  STEP 01.11
  WORDS "size is sizeof peer"
  NOT_WORDS "left hanging" "ENOTCONN")

kit_mutant(
  NAME closes-with-a-reset
  SENTENCE "Connections are closed with SO_LINGER and a time of 0: by a reset."
  FILE tcp_server.cpp
  REPLACE [[  request.close();]]
  WITH [[  const linger at_once{1, 0};
  (void)::setsockopt(request.fileno(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  request.close();]]
  STEP 01.13
  WORDS "in place of closing it"
  NOT_WORDS "Set SO_REUSEADDR before")

kit_mutant(
  NAME nothing-is-shown
  SENTENCE "The server answers, and does not show what it has received."
  FILE server.cpp
  REPLACE [[      log_received(client_address(), {buffer, count});
]]
  WITH [[]]
  STEP 01.5
  WORDS "not shown")

kit_mutant(
  NAME listener-closed-under-the-loop
  SENTENCE "The listener is closed before the loop has ended."
  FILE tcp_server.cpp
  REPLACE [[  BaseServer::server_close();
  socket_.reset();]]
  WITH [[  socket_.reset();
  BaseServer::server_close();]]
  STEP 01.11
  WORDS "while the loop still runs")

kit_mutant(
  NAME listener-left-to-the-destructor
  SENTENCE "server_close() ends the loop, and leaves the listener to the destructor of the server."
  FILE tcp_server.cpp
  REPLACE [[  BaseServer::server_close();
  socket_.reset();]]
  WITH [[  BaseServer::server_close();]]
  STEP 01.13
  WORDS "until the server object goes")
