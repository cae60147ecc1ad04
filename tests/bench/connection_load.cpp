// Clients that open a connection for every line, send it, half-close, and read to the end of file.

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "lines.hpp"
#include "one_by_one.hpp"
#include "units.hpp"

namespace kit::bench {
namespace {

struct Client {
  explicit Client(std::uint32_t number) : check(number) {}

  AnswerCheck check;
  std::uint64_t line = 0;  // of this connection; the next connection has the next
};

class ConnectionLoad : public OneByOne {
 public:
  ConnectionLoad(const Load& load, const socketserver::Address& server, const Timing& timing,
                 const Hooks& hooks)
      : OneByOne(load, server, timing, hooks) {
    for (std::uint32_t i = 0; i < clients(); ++i) clients_.emplace_back(i);
  }

 private:
  void begin(std::uint32_t) override {}
  bool send(std::uint32_t number, int socket) override;
  void receive(std::uint32_t number, int socket) override;
  void ended(std::uint32_t number);
  [[noreturn]] void silent() const override;

  std::vector<Client> clients_;
};

// A line is smaller than any socket's buffer: it is taken whole or not at all.
bool ConnectionLoad::send(std::uint32_t number, int socket) {
  char line[line_size];
  write_line(number, clients_[number].line, line);
  const ssize_t size = ::send(socket, line, sizeof line, 0);
  if (size == -1 && (errno == EAGAIN || errno == EINTR || errno == ENOTCONN)) return false;
  if (size != static_cast<ssize_t>(sizeof line))
    throw Fault(client_name(number) + "send: " + std::strerror(errno));
  ::shutdown(socket, SHUT_WR);
  return true;
}

void ConnectionLoad::receive(std::uint32_t number, int socket) {
  Client& client = clients_[number];
  char bytes[4 * line_size];
  const ssize_t size = ::recv(socket, bytes, sizeof bytes, 0);
  if (size == -1 && (errno == EAGAIN || errno == EINTR)) return;
  if (size == -1)
    throw Fault(client_name(number) + "line " + with_commas(client.line) + ": " +
                std::strerror(errno));
  if (size == 0) return ended(number);
  const std::uint64_t asked = client.line + (connection(number).asked ? 1 : 0);
  if (!client.check.take({bytes, static_cast<std::size_t>(size)}, asked))
    throw Fault(client_name(number) + client.check.mistake());
}

void ConnectionLoad::ended(std::uint32_t number) {
  Client& client = clients_[number];
  if (client.check.next() != client.line + 1)
    throw Fault(client_name(number) + "line " + with_commas(client.line) +
                ": the server ended the connection after " + counted(client.check.part(), "byte") +
                " of " + std::to_string(line_size));
  ++client.line;
  close(number);
  answered(number);
}

void ConnectionLoad::silent() const {
  std::uint32_t number = 0;
  while (number + 1 < clients_.size() && !connection(number).socket) ++number;
  const Client& client = clients_[number];
  const bool whole = client.check.next() != client.line;
  throw Fault(client_name(number) + "line " + with_commas(client.line) + ": " +
              (whole ? "answered, but the server does not end the connection"
                     : counted(client.check.part(), "byte") + " of " + std::to_string(line_size) +
                           " came, then nothing for " + short_number(patience().count()) + " s"));
}

}  // namespace

Outcome run_connections(const Load& load, const socketserver::Address& server, const Timing& timing,
                        const Hooks& hooks) {
  return ConnectionLoad(load, server, timing, hooks).run();
}

}  // namespace kit::bench
