# Wrong answers to lesson 02. Each is one plausible mistake in the solution, and must be caught at
# its step, with its words. The form of a mutant: tests/cmake/mutants.cmake.

# ---- the client ----------------------------------------------------------------------------------

kit_mutant(
  NAME client-sends-no-newline
  SENTENCE "The client sends its words without the newline that ends them."
  FILE client.cpp
  REPLACE [[const std::string message = options.sentence() + "\n";]]
  WITH [[const std::string message = options.sentence();]]
  STEP 02.1
  WORDS "Nothing, or something else, has arrived")

kit_mutant(
  NAME client-with-a-small-buffer
  SENTENCE "The client has room for 1024 bytes: the rest of a longer answer is lost."
  FILE client.cpp
  REPLACE [[longest_datagram = 65535;]]
  WITH [[longest_datagram = 1024;]]
  STEP 02.1
  WORDS "end of a long answer")

kit_mutant(
  NAME client-takes-an-empty-answer-for-none
  SENTENCE "The client takes an answer of 0 bytes for no answer."
  FILE client.cpp
  REPLACE [[    if (Address(address, size) == server) return]]
  WITH [[    if (count > 0 && Address(address, size) == server) return]]
  STEP 02.1
  WORDS "An empty datagram is an answer too")

kit_mutant(
  NAME client-without-a-timeout
  SENTENCE "The client waits for an answer for ever."
  FILE client.cpp
  REPLACE [[::poll(&waiting, 1, limit);]]
  WITH [[::poll(&waiting, 1, limit == 0 ? 0 : -1);]]
  STEP 02.2
  WORDS "waits for ever")

kit_mutant(
  NAME client-retries-for-ever
  SENTENCE "The client never gives up."
  FILE client.cpp
  REPLACE [[for (long i = 0; i < tries; ++i) {]]
  WITH [[for (long i = 0; i < tries; i += 0) {]]
  STEP 02.2
  WORDS "--retries")

kit_mutant(
  NAME client-tries-once-too-often
  SENTENCE "The client counts its tries from 0 and stops behind the last."
  FILE client.cpp
  REPLACE [[for (long i = 0; i < tries; ++i) {]]
  WITH [[for (long i = 0; i <= tries; ++i) {]]
  STEP 02.2
  WORDS "more often than it was told")

kit_mutant(
  NAME client-never-tries-again
  SENTENCE "The client gives up after its first try."
  FILE client.cpp
  REPLACE [[for (long i = 0; i < tries; ++i) {]]
  WITH [[for (long i = 0; i < 1; ++i) {]]
  STEP 02.2
  WORDS "gives up too early")

kit_mutant(
  NAME client-spends-all-its-time-at-first
  SENTENCE "The first try waits as long as all of them may."
  FILE client.cpp
  REPLACE [[receive_answer(socket, server, timeout)]]
  WITH [[receive_answer(socket, server, i == 0 ? timeout * tries : timeout)]]
  STEP 02.2
  WORDS "not that of the first"
  NOT_WORDS "has a socket of its own")

kit_mutant(
  NAME client-does-not-wait-between-tries
  SENTENCE "The client sends all its tries at once, and then waits."
  FILE client.cpp
  REPLACE [[    send_datagram(socket, message, server);
    if (auto]]
  WITH [[    for (; i < tries; ++i) send_datagram(socket, message, server);
    if (auto]]
  STEP 02.2
  WORDS "before the time of the first try is over")

kit_mutant(
  NAME client-takes-a-signal-for-an-error
  SENTENCE "A signal that interrupts the wait ends the client."
  FILE client.cpp
  REPLACE [[    if (errno != EINTR) throw_system_error("poll");  // a signal: wait for the rest of the time]]
  WITH [[    throw_system_error("poll");]]
  STEP 02.2
  WORDS "A signal interrupted the wait")

kit_mutant(
  NAME client-believes-anybody
  SENTENCE "Whatever arrives is taken for the server's answer."
  FILE client.cpp
  REPLACE [[if (Address(address, size) == server) return]]
  WITH [[return]]
  STEP 02.8
  WORDS "Anybody can send a datagram")

kit_mutant(
  NAME client-compares-the-host-alone
  SENTENCE "The client compares the sender's host, and not its port."
  FILE client.cpp
  REPLACE [[if (Address(address, size) == server) return]]
  WITH [[if (Address(address, size).host() == server.host()) return]]
  STEP 02.8
  WORDS "compare the sender")

kit_mutant(
  NAME client-starts-its-time-anew
  SENTENCE "Each datagram of a stranger starts the time of the try again."
  FILE client.cpp
  REPLACE [[  const Clock::time_point deadline = Clock::now() + timeout;
]]
  WITH [[
]]
  REPLACE [[while (wait_readable(socket, deadline)) {]]
  WITH [[while (wait_readable(socket, Clock::now() + timeout)) {]]
  STEP 02.8
  WORDS "starts its time anew")

# ---- the server's socket -------------------------------------------------------------------------

kit_mutant(
  NAME always-ipv4
  SENTENCE "The socket is IPv4, whatever the family of the address."
  FILE udp_server.cpp
  REPLACE [[::socket(address.family(), SOCK_DGRAM]]
  WITH [[::socket(AF_INET, SOCK_DGRAM]]
  STEP 02.3
  WORDS "family")

kit_mutant(
  NAME a-stream-socket
  SENTENCE "The socket is a stream socket, and nobody can send datagrams to it."
  FILE udp_server.cpp
  REPLACE [[SOCK_DGRAM | SOCK_CLOEXEC]]
  WITH [[SOCK_STREAM | SOCK_CLOEXEC]]
  STEP 02.3
  WORDS "answer")

kit_mutant(
  NAME socket-left-blocking
  SENTENCE "The socket blocks: a receive waits when there is no datagram after all."
  FILE udp_server.cpp
  REPLACE [[  set_nonblocking(socket_.get());]]
  WITH [[]]
  STEP 02.11
  WORDS "no datagram after all")

kit_mutant(
  NAME listens
  SENTENCE "listen is called on a datagram socket."
  FILE udp_server.cpp
  REPLACE [[  set_nonblocking(socket_.get());]]
  WITH [[  check(::listen(socket_.get(), request_queue_size), "listen");
  set_nonblocking(socket_.get());]]
  STEP 02.3
  WORDS "listen")

kit_mutant(
  NAME shuts-the-common-socket-down
  SENTENCE "The socket that serves every client is shut down with the first request, as a connection would be."
  FILE udp_server.cpp
  REPLACE [[  close_request(request);  // there is no connection to shut down]]
  WITH [[  (void)::shutdown(request.fileno(), SHUT_WR);
  close_request(request);]]
  STEP 02.3
  WORDS "every client's")

kit_mutant(
  NAME closes-the-common-socket
  SENTENCE "The socket that serves every client is closed with the first request."
  FILE udp_server.cpp
  REPLACE [[void UDPServer::close_request(Request&) {
]]
  WITH [[void UDPServer::close_request(Request&) {
  socket_.reset();
]]
  STEP 02.3
  WORDS "every client's")

kit_mutant(
  NAME reuses-the-address
  SENTENCE "SO_REUSEADDR is set as for TCP: a second server takes the port over."
  FILE udp_server.cpp
  REPLACE [[  if (allow_reuse_port) switch]]
  WITH [[  if (allow_reuse_address) switch_option(socket_.get(), SOL_SOCKET, SO_REUSEADDR, true);
  if (allow_reuse_port) switch]]
  STEP 02.12
  WORDS "SO_REUSEADDR")

kit_mutant(
  NAME always-reuses-the-port
  SENTENCE "SO_REUSEPORT is set though nobody asked for it."
  FILE udp_server.cpp
  REPLACE [[  if (allow_reuse_port) switch]]
  WITH [[  switch]]
  STEP 02.12
  WORDS "SO_REUSEPORT")

# ---- get_request ---------------------------------------------------------------------------------

kit_mutant(
  NAME address-length-not-set
  SENTENCE "The length of the address is 0 before recvfrom: nothing is written to it."
  FILE udp_server.cpp
  REPLACE [[socklen_t size = sizeof peer;]]
  WITH [[socklen_t size = 0;]]
  STEP 02.3
  WORDS "There is no answer")

kit_mutant(
  NAME one-peer-for-all
  SENTENCE "The first sender's address is kept for all answers."
  FILE udp_server.cpp
  REPLACE [[                 Address(address, size), truncated);]]
  WITH [[                 first_client, truncated);]]
  REPLACE [[  const auto received = static_cast]]
  WITH [[  static const Address first_client(address, size);
  const auto received = static_cast]]
  STEP 02.4
  WORDS "its own sender")

kit_mutant(
  NAME answers-the-first-client-only
  SENTENCE "The socket is connected to the first client: the kernel drops all others' datagrams."
  FILE udp_server.cpp
  REPLACE [[  const auto received = static_cast]]
  WITH [[  (void)::connect(socket_.get(), address, size);
  const auto received = static_cast]]
  STEP 02.4
  WORDS "to none")

kit_mutant(
  NAME bytes-of-the-last-one
  SENTENCE "The packet is as long as the longest so far."
  FILE udp_server.cpp
  REPLACE [[  const auto received = static_cast<std::size_t>(count);]]
  WITH [[  static std::size_t received = 0;
  received = std::max(received, static_cast<std::size_t>(count));]]
  REPLACE [[#include <cerrno>]]
  WITH [[#include <algorithm>
#include <cerrno>]]
  STEP 02.5
  WORDS "bytes of another datagram")

kit_mutant(
  NAME merges-datagrams
  SENTENCE "Everything that has come is put together, as of a stream."
  FILE udp_server.cpp
  REPLACE [[  const ssize_t count =
      ::recvfrom(socket_.get(), buffer_.data(), buffer_.size(), 0, address, &size);]]
  WITH [[  ssize_t count = ::recvfrom(socket_.get(), buffer_.data(), buffer_.size(), 0, address, &size);
  for (ssize_t more = 0; count != -1 && more != -1;) {
    more = ::recv(socket_.get(), &buffer_[static_cast<std::size_t>(count)],
                  buffer_.size() - static_cast<std::size_t>(count), MSG_DONTWAIT);
    if (more > 0) count += more;
  }]]
  STEP 02.5
  WORDS "not one for all that has come")

kit_mutant(
  NAME zero-is-the-end
  SENTENCE "recvfrom returns 0 for an empty datagram, and that is taken for no request."
  FILE udp_server.cpp
  REPLACE [[  if (count == -1) {]]
  WITH [[  if (count == 0) return std::nullopt;
  if (count == -1) {]]
  STEP 02.6
  WORDS "of 0 bytes was taken for an end")

kit_mutant(
  NAME small-buffer
  SENTENCE "The buffer has 1024 bytes, whatever max_packet_size says: a longer datagram is cut in silence."
  FILE udp_server.cpp
  REPLACE [[buffer_.resize(max_packet_size + 1);]]
  WITH [[buffer_.resize(1024);]]
  STEP 02.7
  WORDS "was cut or lost")

kit_mutant(
  NAME a-cut-datagram-looks-whole
  SENTENCE "The buffer ends where the longest datagram does: that one was longer cannot be seen."
  FILE udp_server.cpp
  REPLACE [[buffer_.resize(max_packet_size + 1);]]
  WITH [[buffer_.resize(max_packet_size);]]
  STEP 02.9
  WORDS "Half a message")

kit_mutant(
  NAME the-longest-is-too-long
  SENTENCE "A datagram of exactly max_packet_size bytes is taken for a longer one."
  FILE udp_server.cpp
  REPLACE [[received > max_packet_size;]]
  WITH [[received >= max_packet_size;]]
  STEP 02.9
  WORDS "exactly --max-packet-size")

kit_mutant(
  NAME nothing-there-is-an-error
  SENTENCE "EAGAIN of recvfrom is reported as an error."
  FILE udp_server.cpp
  REPLACE [[if (errno == EAGAIN || errno == EINTR) return std::nullopt;]]
  WITH [[if (errno == EINTR) return std::nullopt;]]
  STEP 02.11
  WORDS "What it reports is no error"
  NOT_WORDS "makes the socket non-blocking")

kit_mutant(
  NAME nothing-there-ends-the-server
  SENTENCE "A recvfrom that fails, for whatever reason, ends the server."
  FILE udp_server.cpp
  REPLACE [[    if (errno == EAGAIN || errno == EINTR) return std::nullopt;
]]
  WITH [[    if (errno == EAGAIN) return std::nullopt;
    std::exit(1);
]]
  REPLACE [[#include <cerrno>]]
  WITH [[#include <cerrno>
#include <cstdlib>]]
  STEP 02.11
  WORDS "signal")

# ---- the handlers --------------------------------------------------------------------------------

kit_mutant(
  NAME answers-half-a-message
  SENTENCE "setup does not look whether the datagram was cut."
  FILE udp_server.cpp
  REPLACE [[  if (request().truncated()) {]]
  WITH [[  if (false) {]]
  STEP 02.9
  WORDS "Half a message")

kit_mutant(
  NAME drops-a-cut-datagram-in-silence
  SENTENCE "A datagram that was cut is not answered, and nobody is told."
  FILE udp_server.cpp
  REPLACE [[  if (request().truncated()) {]]
  WITH [[  if (false) {]]
  REPLACE [[  if (!handled() ||]]
  WITH [[  if (request().truncated() || !handled() ||]]
  STEP 02.9
  WORDS "Nobody is told")

kit_mutant(
  NAME answers-after-an-exception
  SENTENCE "What was written before the exception is sent."
  FILE udp_server.cpp
  REPLACE [[if (!handled() || !wfile_.written()) return;]]
  WITH [[if (!wfile_.written()) return;]]
  STEP 02.10
  WORDS "after an exception too")

kit_mutant(
  NAME always-answers
  SENTENCE "A handler that has not written sends an empty datagram, as in Python."
  FILE udp_server.cpp
  REPLACE [[if (!handled() || !wfile_.written()) return;]]
  WITH [[if (!handled()) return;]]
  STEP 02.10
  WORDS "did not write")

kit_mutant(
  NAME an-empty-answer-is-none
  SENTENCE "Whether there is an answer is told by its bytes."
  FILE udp_server.cpp
  REPLACE [[if (!handled() || !wfile_.written()) return;]]
  WITH [[if (!handled() || wfile_.bytes().empty()) return;]]
  STEP 02.10
  WORDS "wrote an answer of 0 bytes")

kit_mutant(
  NAME answers-from-another-socket
  SENTENCE "The answer is sent on a new socket, from a port that the client never asked."
  FILE udp_server.cpp
  REPLACE [[::sendto(request().fileno(), answer]]
  WITH [[::sendto(another.get(), answer]]
  REPLACE [[  const std::string& answer = wfile_.bytes();]]
  WITH [[  const std::string& answer = wfile_.bytes();
  const FileDescriptor another(
      check(::socket(client_address().family(), SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));]]
  STEP 02.3
  WORDS "from another port")

kit_mutant(
  NAME an-interrupted-answer-is-lost
  SENTENCE "A sendto that a signal interrupted is not called again."
  FILE udp_server.cpp
  REPLACE [[    if (errno != EINTR) throw_system_error("sendto");]]
  WITH [[    if (errno == EINTR) return;
    throw_system_error("sendto");]]
  STEP 02.11
  WORDS "interrupted sendto() has sent nothing")

kit_mutant(
  NAME reports-a-client-that-has-gone
  SENTENCE "A client that has gone is reported as an error."
  FILE udp_server.cpp
  REPLACE [[    if (errno == ECONNREFUSED || errno == ENOENT) return;  // the client has gone: nobody to tell
]]
  WITH [[
]]
  STEP 02.11
  WORDS "client that has gone")

kit_mutant(
  NAME an-answer-too-long-ends-the-server
  SENTENCE "An answer that cannot be sent ends the server."
  FILE udp_server.cpp
  REPLACE [[    if (errno != EINTR) throw_system_error("sendto");]]
  WITH [[    if (errno == EINTR) continue;
    std::perror("sendto");
    std::exit(1);]]
  REPLACE [[#include <cerrno>]]
  WITH [[#include <cerrno>
#include <cstdio>
#include <cstdlib>]]
  STEP 02.11
  WORDS "EMSGSIZE")

kit_mutant(
  NAME a-full-queue-ends-the-server
  SENTENCE "An answer that the kernel cannot take now ends the server."
  FILE udp_server.cpp
  REPLACE [[    if (errno != EINTR) throw_system_error("sendto");]]
  WITH [[    if (errno == EAGAIN || errno == ENOBUFS) std::abort();
    if (errno != EINTR) throw_system_error("sendto");]]
  REPLACE [[#include <cerrno>]]
  WITH [[#include <cerrno>
#include <cstdlib>]]
  STEP 02.11
  WORDS "A datagram may be lost")

kit_mutant(
  NAME one-answer-a-line
  SENTENCE "The handler answers the first line of a datagram and is done."
  FILE server.cpp
  REPLACE [[rfile().read();]]
  WITH [[rfile().read_line(65535);]]
  STEP 02.5
  WORDS "not one a line")

kit_mutant(
  NAME line-by-line
  SENTENCE "The handler writes an answer for each line: an empty datagram has none."
  FILE server.cpp
  REPLACE [[    wfile().write(answer);]]
  WITH [[    if (!answer.empty()) wfile().write(answer);]]
  STEP 02.6
  WORDS "of 0 bytes")

kit_mutant(
  NAME text-as-c-string
  SENTENCE "The datagram is treated as text that ends at a zero."
  FILE server.cpp
  REPLACE [[    std::string answer(bytes);]]
  WITH [[    std::string answer(std::string(bytes).c_str());]]
  STEP 02.3
  WORDS "Bytes are not text")

kit_mutant(
  NAME upper-changes-more-than-letters
  SENTENCE "Every byte from 'a' on is changed, braces too."
  FILE server.cpp
  REPLACE [[byte >= 'a' && byte <= 'z' ?]]
  WITH [[byte >= 'a' ?]]
  STEP 02.3
  WORDS "only a to z change")

# ---- what is looked at in every step, and in every form -------------------------------------------

kit_mutant(
  NAME client-rounds-its-time-to-seconds
  SENTENCE "Each try lasts whole seconds, however many milliseconds were asked for."
  FILE client.cpp
  REPLACE [[receive_answer(socket, server, timeout)) return *answer;]]
  WITH [[receive_answer(socket, server, std::chrono::ceil<std::chrono::seconds>(timeout)))
      return *answer;]]
  STEP 02.2
  WORDS "no whole seconds, no half")

kit_mutant(
  NAME client-waits-half-for-a-retry
  SENTENCE "The first try waits as long as it was told, the others half as long."
  FILE client.cpp
  REPLACE [[receive_answer(socket, server, timeout)) return *answer;]]
  WITH [[receive_answer(socket, server, i == 0 ? timeout : timeout / 2)) return *answer;]]
  STEP 02.2
  WORDS "no whole seconds, no half")

kit_mutant(
  NAME client-has-a-socket-for-each-try
  SENTENCE "Each try has a socket of its own: a late answer comes to one that is closed."
  FILE client.cpp
  REPLACE [[  const FileDescriptor socket(
      check(::socket(server.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  for (long i = 0; i < tries; ++i) {]]
  WITH [[  for (long i = 0; i < tries; ++i) {
    const FileDescriptor socket(
        check(::socket(server.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));]]
  STEP 02.2
  WORDS "each try has a socket of its own")

kit_mutant(
  NAME client-gives-up-when-refused
  SENTENCE "The socket is connected, and the first refusal ends the client, which has more tries."
  FILE client.cpp
  REPLACE [[  check(::sendto(socket.get(), message.data(), message.size(), 0, server.data(), server.size()),
        "sendto");]]
  WITH [[  check(::connect(socket.get(), server.data(), server.size()), "connect");
  check(::send(socket.get(), message.data(), message.size(), 0), "send");]]
  STEP 02.2
  WORDS "refused is as good as silent")

kit_mutant(
  NAME every-address
  SENTENCE "The server was told one address and is bound to all of them."
  FILE udp_server.cpp
  REPLACE [[  check(::bind(socket_.get(), address.data(), address.size()), "bind");
  set_server_address(Address::of_socket(socket_.get()));]]
  WITH [[  const Address any =
      Address::inet(address.family() == AF_INET6 ? "::" : "0.0.0.0", address.port());
  check(::bind(socket_.get(), any.data(), any.size()), "bind");
  set_server_address(Address::inet(address.host(), Address::of_socket(socket_.get()).port()));]]
  STEP 02.3
  WORDS "answers on another address of the machine")

kit_mutant(
  NAME ipv6-with-ipv4
  SENTENCE "A server on :: takes IPv4, too, where that is what the machine does by itself."
  FILE udp_server.cpp
  REPLACE [[  if (address.family() == AF_INET6) {]]
  WITH [[  if (false) {]]
  STEP 02.3
  WORDS "IPV6_V6ONLY must be set")

kit_mutant(
  NAME copies-its-socket-for-each-datagram
  SENTENCE "Each request has a copy of the server's socket, which nobody closes."
  FILE udp_server.cpp
  REPLACE [[#include <cerrno>]]
  WITH [[#include <unistd.h>

#include <cerrno>]]
  REPLACE [[max_packet_size : received), socket_.get(),]]
  WITH [[max_packet_size : received), ::dup(socket_.get()),]]
  STEP 02.4
  WORDS "A socket stays open that nobody uses any more")

kit_mutant(
  NAME takes-all-and-serves-a-turn
  SENTENCE "All datagrams that wait are taken at once; those behind the turn's end wait for the next one."
  FILE udp_server.cpp
  REPLACE [[#include <cerrno>]]
  WITH [[#include <cerrno>
#include <deque>]]
  REPLACE [[  // One byte more than we take: if it is used, the datagram was longer.]]
  WITH [[  static std::deque<Request> batch;
  const auto one = [this]() -> std::optional<Request> {
  // One byte more than we take: if it is used, the datagram was longer.]]
  REPLACE [[                 Address(address, size), truncated);]]
  WITH [[                 Address(address, size), truncated);
  };
  if (batch.empty()) {
    while (auto next = one()) batch.push_back(std::move(*next));
  }
  if (batch.empty()) return std::nullopt;
  Request first = std::move(batch.front());
  batch.pop_front();
  return first;]]
  STEP 02.5
  WORDS "A datagram is a message of its own")

kit_mutant(
  NAME client-compares-the-port-alone
  SENTENCE "The client takes an answer from any host, if only the port is the server's."
  FILE client.cpp
  REPLACE [[    if (Address(address, size) == server) return]]
  WITH [[    if (Address(address, size).port() == server.port()) return]]
  STEP 02.8
  WORDS "It must compare the sender")

kit_mutant(
  NAME sends-again-until-there-is-room
  SENTENCE "An answer that the kernel cannot take now is sent again at once, for ever."
  FILE udp_server.cpp
  REPLACE [[    if (errno != EINTR) throw_system_error("sendto");]]
  WITH [[    if (errno != EINTR && errno != EAGAIN && errno != ENOBUFS) throw_system_error("sendto");]]
  STEP 02.11
  WORDS "A loop turns")

# ---- what is proven is said, and nothing else -------------------------------------------------------

kit_mutant(
  NAME whole-buffer-sent-back
  SENTENCE "The message is taken to be as long as the buffer."
  FILE udp_server.cpp
  REPLACE [[truncated ? max_packet_size : received)]]
  WITH [[truncated ? max_packet_size : buffer_.size())]]
  STEP 02.3
  WORDS "the answer is as long as what came"
  NOT_WORDS "There is no answer")

kit_mutant(
  NAME a-byte-short-when-it-is-long
  SENTENCE "Of a datagram of more than 1,000 bytes the last byte is left out."
  FILE udp_server.cpp
  REPLACE [[truncated ? max_packet_size : received)]]
  WITH [[truncated ? max_packet_size : received > 1000 ? received - 1 : received)]]
  STEP 02.7
  WORDS "the answer is as long as what came"
  NOT_WORDS "was cut or lost")

kit_mutant(
  NAME looks-and-leaves
  SENTENCE "The datagram is looked at with MSG_PEEK, and stays in the queue."
  FILE udp_server.cpp
  REPLACE [[buffer_.data(), buffer_.size(), 0, address]]
  WITH [[buffer_.data(), buffer_.size(), MSG_PEEK, address]]
  STEP 02.3
  WORDS "MSG_PEEK looks at what has come and leaves it there"
  NOT_WORDS "There is no answer")

kit_mutant(
  NAME ends-before-it-listens
  SENTENCE "The server ends with an error before it listens."
  FILE udp_server.cpp
  REPLACE [[  check(::bind(socket_.get(), address.data(), address.size()), "bind");]]
  WITH [[  throw_system_error("bind", EADDRINUSE);]]
  STEP 02.7
  WORDS "ended before it listened"
  NOT_WORDS "was cut or lost")

kit_mutant(
  NAME nothing-is-shown
  SENTENCE "The server answers, and does not show what it has received."
  FILE server.cpp
  REPLACE [[    log_received(client_address(), bytes);
]]
  WITH [[]]
  STEP 02.3
  WORDS "not shown")

kit_mutant(
  NAME failed-receive-is-nobody
  SENTENCE "Whatever the receive says, there is no request, and nobody is told."
  FILE udp_server.cpp
  REPLACE [[    if (errno == EAGAIN || errno == EINTR) return std::nullopt;
    throw_system_error("recvfrom");]]
  WITH [[    return std::nullopt;]]
  STEP 02.11
  WORDS "nobody is told")
