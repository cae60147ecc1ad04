// Clients that open a connection for every line, send it, half-close, and read to the end of file.

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <socketserver/portable.hpp>
#include <string>
#include <utility>
#include <vector>

#include "client_socket.hpp"
#include "lines.hpp"
#include "turns.hpp"
#include "units.hpp"

namespace kit::bench {
namespace {

#if defined(__linux__)
constexpr std::uint64_t most_connections = 400'000;
#else
constexpr std::uint64_t most_connections = 2'000;  // one address, 16,000 ports, a minute each
#endif

struct Client {
  explicit Client(std::uint32_t number) : check(number) {}

  socketserver::FileDescriptor socket;
  AnswerCheck check;
  std::uint64_t line = 0;  // of this connection; the next connection has the next
  Clock::time_point opened_at;
  bool sent = false;
};

class ConnectionLoad {
 public:
  ConnectionLoad(const Load& load, const socketserver::Address& server, const Timing& timing,
                 const Hooks& hooks)
      : timing_(timing), hooks_(hooks), sockets_(load.transport, server), turns_(timing, hooks) {
    for (int i = 0; i < load.clients; ++i) clients_.emplace_back(static_cast<std::uint32_t>(i));
  }

  Outcome run() {
    connect_for(timing_.warm_up, false);
    hooks_.measuring_begins();
    const std::uint64_t before = outcome_.answered;
    connect_for(timing_.window, true);
    outcome_.measured = outcome_.answered - before;
    hooks_.measuring_ends();
    return std::move(outcome_);
  }

 private:
  void connect_for(Seconds time, bool measure);
  void turn();
  bool open_next(std::uint32_t number);
  void send(std::uint32_t number);
  void receive(std::uint32_t number);
  void ended(std::uint32_t number);
  [[noreturn]] void silent() const;

  const Timing timing_;
  const Hooks& hooks_;
  ClientSockets sockets_;
  Turns turns_;
  std::vector<Client> clients_;
  std::vector<std::uint32_t> idle_;  // clients whose next connection is to be begun
  Outcome outcome_;

  std::size_t under_way_ = 0;
  bool talking_ = false;
  bool measuring_ = false;
};

void ConnectionLoad::connect_for(Seconds time, bool measure) {
  const auto begin = Clock::now();
  const std::uint64_t limit = outcome_.answered + std::min(timing_.most, most_connections);
  measuring_ = measure;
  talking_ = true;
  turns_.progress(begin);
  idle_.clear();
  for (std::uint32_t i = 0; i < clients_.size(); ++i) idle_.push_back(i);
  while (Clock::now() - begin < time && outcome_.answered < limit) turn();
  talking_ = false;
  while (under_way_ > 0) turn();
  if (measure) outcome_.seconds = Seconds(Clock::now() - begin).count();
}

void ConnectionLoad::turn() {
  bool later = false;
  while (talking_ && !idle_.empty() && !later) {
    later = !open_next(idle_.back());
    if (!later) idle_.pop_back();
  }
  turns_.take(later ? std::chrono::milliseconds(1) : longest_turn,
              [this](std::uint32_t number, bool readable, bool writable) {
                Client& client = clients_[number];
                if (!client.socket) return;
                if (writable && !client.sent) {
                  send(number);
                  turns_.change(client.socket.get(), number, !client.sent);
                }
                if (readable) receive(number);
              });
  if (turns_.patience_is_over()) silent();
}

// On loopback the connection stands when connect returns, though it says "under way": the line can
// go out at once. False: try again later.
bool ConnectionLoad::open_next(std::uint32_t number) {
  Client& client = clients_[number];
  client.socket = sockets_.make(number);
  client.opened_at = Clock::now();
  client.sent = false;
  if (sockets_.connect(client.socket.get()) == ClientSockets::Connect::try_again) {
    client.socket.reset();
    return false;
  }
  ++under_way_;
  send(number);
  turns_.add(client.socket.get(), number, !client.sent);
  return true;
}

// A line is smaller than any socket's buffer: it is taken whole or not at all.
void ConnectionLoad::send(std::uint32_t number) {
  Client& client = clients_[number];
  char line[line_size];
  write_line(number, client.line, line);
  const ssize_t size = ::send(client.socket.get(), line, sizeof line, 0);
  if (size == -1 && (errno == EAGAIN || errno == EINTR || errno == ENOTCONN)) return;
  if (size != static_cast<ssize_t>(sizeof line))
    throw Fault(client_name(number) + "send: " + std::strerror(errno));
  client.sent = true;
  ::shutdown(client.socket.get(), SHUT_WR);
}

void ConnectionLoad::receive(std::uint32_t number) {
  Client& client = clients_[number];
  char bytes[4 * line_size];
  const ssize_t size = ::recv(client.socket.get(), bytes, sizeof bytes, 0);
  if (size == -1 && (errno == EAGAIN || errno == EINTR)) return;
  if (size == -1)
    throw Fault(client_name(number) + "line " + with_commas(client.line) + ": " +
                std::strerror(errno));
  if (size == 0) return ended(number);
  const std::uint64_t asked = client.line + (client.sent ? 1 : 0);
  if (!client.check.take({bytes, static_cast<std::size_t>(size)}, asked))
    throw Fault(client_name(number) + client.check.mistake());
}

void ConnectionLoad::ended(std::uint32_t number) {
  Client& client = clients_[number];
  if (client.check.next() != client.line + 1)
    throw Fault(client_name(number) + "line " + with_commas(client.line) +
                ": the server ended the connection after " + counted(client.check.part(), "byte") +
                " of " + std::to_string(line_size));
  turns_.remove(client.socket.get(), number);
  client.socket.reset();
  ++client.line;
  --under_way_;
  ++outcome_.answered;
  const auto now = Clock::now();
  turns_.progress(now);
  if (measuring_) outcome_.latencies_us.push_back(microseconds(now - client.opened_at));
  if (talking_) idle_.push_back(number);
}

void ConnectionLoad::silent() const {
  std::uint32_t number = 0;
  while (number + 1 < clients_.size() && !clients_[number].socket) ++number;
  const Client& client = clients_[number];
  const bool whole = client.check.next() != client.line;
  throw Fault(client_name(number) + "line " + with_commas(client.line) + ": " +
              (whole ? "answered, but the server does not end the connection"
                     : counted(client.check.part(), "byte") + " of " + std::to_string(line_size) +
                           " came, then nothing for " + short_number(timing_.patience.count()) +
                           " s"));
}

}  // namespace

Outcome run_connections(const Load& load, const socketserver::Address& server, const Timing& timing,
                        const Hooks& hooks) {
  return ConnectionLoad(load, server, timing, hooks).run();
}

}  // namespace kit::bench
