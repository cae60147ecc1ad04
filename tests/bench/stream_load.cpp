// Clients that keep their connection: one line and its answer, many lines and their answers, or
// silence.

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <socketserver/portable.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client_socket.hpp"
#include "lines.hpp"
#include "turns.hpp"
#include "units.hpp"

namespace kit::bench {
namespace {

// At most so many clients are connecting or wait for their first answer at once: more would only
// fill the server's backlog, and a full backlog makes TCP wait a second before it tries again.
constexpr int ramp = 64;

constexpr std::size_t receive_buffer = 256 * 1024;

struct Client {
  explicit Client(std::uint32_t number) : check(number) {}

  socketserver::FileDescriptor socket;
  AnswerCheck check;
  std::uint64_t asked = 0;  // lines, from 0 on, that have been sent or are being sent
  std::string unsent;       // what the socket did not take
  Clock::time_point asked_at;
  bool connecting = false;
  bool writing = false;  // watched for writing, because of `unsent`
};

class StreamLoad {
 public:
  StreamLoad(const Load& load, const socketserver::Address& server, const Timing& timing,
             const Hooks& hooks)
      : load_(load),
        timing_(timing),
        hooks_(hooks),
        sockets_(load.transport, server),
        turns_(timing, hooks),
        received_(receive_buffer) {
    for (int i = 0; i < load.clients; ++i) clients_.emplace_back(static_cast<std::uint32_t>(i));
  }

  Outcome run() {
    connect_all();
    talk(timing_.warm_up, false);
    hooks_.measuring_begins();
    const std::uint64_t before = outcome_.answered;
    talk(timing_.window, true);
    outcome_.measured = outcome_.answered - before;
    hooks_.measuring_ends();
    close_all();
    return std::move(outcome_);
  }

 private:
  void connect_all();
  bool connect_next();
  void connected(std::uint32_t number);
  void talk(Seconds time, bool measure);
  void finish_what_is_under_way();
  void turn(std::chrono::milliseconds timeout = longest_turn);
  void ask(std::uint32_t number, Clock::time_point now);
  void send(std::uint32_t number, std::string_view bytes);
  void receive(std::uint32_t number);
  void answered(std::uint32_t number, std::uint64_t lines);
  void close_all();
  [[noreturn]] void silent() const;

  [[nodiscard]] int talkers() const {
    return load_.kind == Kind::crowd ? std::min(load_.clients, talkers_of_a_crowd) : load_.clients;
  }

  const Load load_;
  const Timing timing_;
  const Hooks& hooks_;
  ClientSockets sockets_;
  Turns turns_;
  std::vector<Client> clients_;
  std::vector<char> received_;
  std::string batch_;
  Outcome outcome_;

  std::uint32_t next_to_connect_ = 0;
  int served_ = 0;        // clients that have been answered at least once
  int under_way_ = 0;     // clients that wait for an answer
  bool talking_ = false;  // an answer is followed by the next question
  bool measuring_ = false;
  bool ending_ = false;  // the end of a connection is what is waited for
};

// Each client connects and asks once; the server has seen all of them before anything is measured.
void StreamLoad::connect_all() {
  const auto begin = Clock::now();
  turns_.progress(begin);
  while (served_ < load_.clients) {
    const bool later = !connect_next();
    turn(later ? std::chrono::milliseconds(1) : longest_turn);
    if (turns_.patience_is_over()) silent();
  }
  outcome_.all_answered_ms = microseconds(Clock::now() - begin) / 1000;
}

// False: the server's queue is full, try again a little later.
bool StreamLoad::connect_next() {
  while (next_to_connect_ < clients_.size() &&
         static_cast<int>(next_to_connect_) - served_ < ramp) {
    Client& client = clients_[next_to_connect_];
    if (!client.socket) client.socket = sockets_.make(next_to_connect_);
    const auto connect = sockets_.connect(client.socket.get());
    if (connect == ClientSockets::Connect::try_again) return false;
    client.connecting = connect == ClientSockets::Connect::under_way;
    turns_.add(client.socket.get(), next_to_connect_, client.connecting);
    if (!client.connecting) ask(next_to_connect_, Clock::now());
    ++next_to_connect_;
  }
  return true;
}

void StreamLoad::connected(std::uint32_t number) {
  Client& client = clients_[number];
  ClientSockets::finish_connect(client.socket.get());
  client.connecting = false;
  turns_.change(client.socket.get(), number, false);
  ask(number, Clock::now());
}

void StreamLoad::talk(Seconds time, bool measure) {
  const auto begin = Clock::now();
  const std::uint64_t limit = outcome_.answered + timing_.most;
  measuring_ = measure;
  talking_ = true;
  for (int i = 0; i < talkers(); ++i) ask(static_cast<std::uint32_t>(i), begin);
  while (Clock::now() - begin < time && outcome_.answered < limit) turn();
  talking_ = false;
  finish_what_is_under_way();
  if (measure) outcome_.seconds = Seconds(Clock::now() - begin).count();
}

void StreamLoad::finish_what_is_under_way() {
  turns_.progress(Clock::now());
  while (under_way_ > 0) {
    turn();
    if (turns_.patience_is_over()) silent();
  }
}

void StreamLoad::turn(std::chrono::milliseconds timeout) {
  turns_.take(timeout, [this](std::uint32_t number, bool readable, bool writable) {
    Client& client = clients_[number];
    if (!client.socket) return;
    if (client.connecting) return connected(number);
    if (writable && !client.unsent.empty()) send(number, std::exchange(client.unsent, {}));
    if (readable) receive(number);
  });
}

void StreamLoad::ask(std::uint32_t number, Clock::time_point now) {
  Client& client = clients_[number];
  const auto count = static_cast<std::size_t>(load_.lines_per_write);
  batch_.resize(count * line_size);
  for (std::size_t i = 0; i < count; ++i)
    write_line(number, client.asked + i, batch_.data() + i * line_size);
  client.asked += count;
  client.asked_at = now;
  ++under_way_;
  send(number, batch_);
}

void StreamLoad::send(std::uint32_t number, std::string_view bytes) {
  Client& client = clients_[number];
  const ssize_t size = ::send(client.socket.get(), bytes.data(), bytes.size(), 0);
  if (size == -1 && errno != EAGAIN && errno != EINTR)
    throw Fault(client_name(number) + "send: " + std::strerror(errno));
  client.unsent = bytes.substr(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  if (client.writing == !client.unsent.empty()) return;
  client.writing = !client.writing;
  turns_.change(client.socket.get(), number, client.writing);
}

void StreamLoad::receive(std::uint32_t number) {
  Client& client = clients_[number];
  const ssize_t size = ::recv(client.socket.get(), received_.data(), received_.size(), 0);
  if (size == -1 && (errno == EAGAIN || errno == EINTR)) return;
  if (size == 0 && ending_) {
    turns_.remove(client.socket.get(), number);
    client.socket.reset();
    --under_way_;
    return;
  }
  if (size <= 0) {
    const std::string how = size == 0 ? "the server ended the connection" : std::strerror(errno);
    throw Fault(client_name(number) + "line " + with_commas(client.check.next()) + ": " + how);
  }
  const std::uint64_t before = client.check.next();
  if (!client.check.take({received_.data(), static_cast<std::size_t>(size)}, client.asked))
    throw Fault(client_name(number) + client.check.mistake());
  answered(number, client.check.next() - before);
}

void StreamLoad::answered(std::uint32_t number, std::uint64_t lines) {
  Client& client = clients_[number];
  const auto now = Clock::now();
  turns_.progress(now);
  outcome_.answered += lines;
  if (client.check.next() != client.asked || client.check.part() != 0) return;
  --under_way_;
  if (client.asked == static_cast<std::uint64_t>(load_.lines_per_write)) ++served_;
  if (measuring_) outcome_.latencies_us.push_back(microseconds(now - client.asked_at));
  if (talking_) ask(number, now);
}

// Half-closes and reads to the end of file: a byte too many is seen, and the server has let go of
// all connections before it is told to end. One that does not close is not waited for long.
void StreamLoad::close_all() {
  ending_ = true;
  under_way_ = load_.clients;
  for (Client& client : clients_) ::shutdown(client.socket.get(), SHUT_WR);
  const auto deadline = Clock::now() + std::chrono::seconds(2);
  while (under_way_ > 0 && Clock::now() < deadline) turn();
}

void StreamLoad::silent() const {
  const auto waits = std::find_if(clients_.begin(), clients_.end(), [](const Client& client) {
    return client.connecting || client.check.next() != client.asked || client.asked == 0;
  });
  const auto number = static_cast<std::uint32_t>(waits - clients_.begin());
  throw Fault(client_name(number) + "line " + with_commas(waits->check.next()) + ": " +
              counted(waits->check.part(), "byte") + " of " + std::to_string(line_size) +
              " came, then nothing for " + short_number(timing_.patience.count()) + " s (" +
              counted(static_cast<std::size_t>(served_), "client") + " of " +
              with_commas(clients_.size()) + " had been answered)");
}

}  // namespace

Outcome run_streams(const Load& load, const socketserver::Address& server, const Timing& timing,
                    const Hooks& hooks) {
  return StreamLoad(load, server, timing, hooks).run();
}

}  // namespace kit::bench
