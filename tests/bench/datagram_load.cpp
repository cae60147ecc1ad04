// Peers that send a datagram, wait for its answer, and send the next. A datagram may be lost: after
// a while its peer goes on with the next, and the lost are counted.

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

// Loopback answers within a millisecond unless a queue was full; then nothing comes at all.
constexpr std::chrono::milliseconds lost_after{250};
constexpr std::size_t remembered_losses = 64;

struct Peer {
  socketserver::FileDescriptor socket;
  std::uint64_t line = 0;  // the one under way, or the next
  bool waiting = false;    // for its answer
  bool unsent = false;     // the socket did not take it
  Clock::time_point asked_at;
  std::vector<std::uint64_t> lost;  // given up: each may still be answered, once
};

class DatagramLoad {
 public:
  DatagramLoad(const Load& load, const socketserver::Address& server, const Timing& timing,
               const Hooks& hooks)
      : timing_(timing),
        hooks_(hooks),
        sockets_(load.transport, server),
        turns_(timing, hooks),
        peers_(static_cast<std::size_t>(load.clients)) {}

  Outcome run() {
    connect_all();
    talk(timing_.warm_up, false);
    hooks_.measuring_begins();
    const std::uint64_t before = outcome_.answered;
    talk(timing_.window, true);
    outcome_.measured = outcome_.answered - before;
    hooks_.measuring_ends();
    turn();  // an answer too many would be here by now
    return std::move(outcome_);
  }

 private:
  void connect_all();
  void talk(Seconds time, bool measure);
  void turn();
  void ask(std::uint32_t number, Clock::time_point now);
  void send(std::uint32_t number);
  void receive(std::uint32_t number);
  void answered(std::uint32_t number);
  void check_late_answer(std::uint32_t number, std::string_view datagram);
  void give_up_the_lost();

  const Timing timing_;
  const Hooks& hooks_;
  ClientSockets sockets_;
  Turns turns_;
  std::vector<Peer> peers_;
  Outcome outcome_;

  std::size_t waiting_ = 0;
  bool talking_ = false;
  bool measuring_ = false;
};

// A connected datagram socket takes datagrams from the server alone.
void DatagramLoad::connect_all() {
  for (std::uint32_t i = 0; i < peers_.size(); ++i) {
    peers_[i].socket = sockets_.make(i);
    if (sockets_.connect(peers_[i].socket.get()) != ClientSockets::Connect::done)
      throw Fault(client_name(i) + "connect: " + std::strerror(errno));
    turns_.add(peers_[i].socket.get(), i, false);
  }
}

void DatagramLoad::talk(Seconds time, bool measure) {
  const auto begin = Clock::now();
  const std::uint64_t limit = outcome_.answered + timing_.most;
  measuring_ = measure;
  talking_ = true;
  turns_.progress(begin);
  for (std::uint32_t i = 0; i < peers_.size(); ++i) ask(i, begin);
  while (Clock::now() - begin < time && outcome_.answered < limit) turn();
  talking_ = false;
  while (waiting_ > 0) turn();
  if (measure) outcome_.seconds = Seconds(Clock::now() - begin).count();
}

void DatagramLoad::turn() {
  turns_.take(longest_turn, [this](std::uint32_t number, bool readable, bool writable) {
    if (writable && peers_[number].unsent) send(number);
    if (readable) receive(number);
  });
  give_up_the_lost();
  if (waiting_ > 0 && turns_.patience_is_over())
    throw Fault("no datagram was answered for " + short_number(timing_.patience.count()) + " s");
}

void DatagramLoad::ask(std::uint32_t number, Clock::time_point now) {
  Peer& peer = peers_[number];
  peer.asked_at = now;
  peer.waiting = true;
  ++waiting_;
  send(number);
}

void DatagramLoad::send(std::uint32_t number) {
  Peer& peer = peers_[number];
  char line[line_size];
  write_line(number, peer.line, line);
  const bool was_unsent = peer.unsent;
  const ssize_t size = ::send(peer.socket.get(), line, sizeof line, 0);
  peer.unsent = size == -1 && (errno == EAGAIN || errno == ENOBUFS || errno == EINTR);
  if (size == -1 && !peer.unsent)
    throw Fault(client_name(number) + "send: " + std::strerror(errno));
  if (peer.unsent != was_unsent) turns_.change(peer.socket.get(), number, peer.unsent);
}

void DatagramLoad::receive(std::uint32_t number) {
  Peer& peer = peers_[number];
  char bytes[4 * line_size];
  const ssize_t size = ::recv(peer.socket.get(), bytes, sizeof bytes, 0);
  if (size == -1 && (errno == EAGAIN || errno == EINTR)) return;
  if (size == -1)
    throw Fault(client_name(number) + "line " + with_commas(peer.line) + ": " +
                std::strerror(errno));
  const std::string_view datagram(bytes, static_cast<std::size_t>(size));
  if (peer.waiting && is_answer(datagram, number, peer.line)) return answered(number);
  check_late_answer(number, datagram);
}

void DatagramLoad::answered(std::uint32_t number) {
  Peer& peer = peers_[number];
  const auto now = Clock::now();
  turns_.progress(now);
  ++peer.line;
  peer.waiting = false;
  --waiting_;
  ++outcome_.answered;
  if (measuring_) outcome_.latencies_us.push_back(microseconds(now - peer.asked_at));
  if (talking_) ask(number, now);
}

void DatagramLoad::check_late_answer(std::uint32_t number, std::string_view datagram) {
  Peer& peer = peers_[number];
  const auto late = std::find_if(peer.lost.begin(), peer.lost.end(), [&](std::uint64_t line) {
    return is_answer(datagram, number, line);
  });
  if (late != peer.lost.end()) {
    peer.lost.erase(late);
    return;
  }
  char answer[line_size];
  write_answer(number, peer.line, answer);
  throw Fault(client_name(number) +
              describe_mistake(peer.line, {answer, peer.waiting ? line_size : 0}, datagram));
}

void DatagramLoad::give_up_the_lost() {
  const auto now = Clock::now();
  for (std::uint32_t i = 0; i < peers_.size(); ++i) {
    Peer& peer = peers_[i];
    if (!peer.waiting || peer.unsent || now - peer.asked_at < lost_after) continue;
    ++outcome_.lost;
    if (peer.lost.size() == remembered_losses) peer.lost.erase(peer.lost.begin());
    peer.lost.push_back(peer.line++);
    peer.waiting = false;
    --waiting_;
    if (talking_) ask(i, now);
  }
}

}  // namespace

Outcome run_datagrams(const Load& load, const socketserver::Address& server, const Timing& timing,
                      const Hooks& hooks) {
  return DatagramLoad(load, server, timing, hooks).run();
}

}  // namespace kit::bench
