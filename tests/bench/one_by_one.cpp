#include "one_by_one.hpp"

#include <algorithm>
#include <utility>

namespace kit::bench {
namespace {

#if defined(__linux__)
constexpr std::uint64_t most_connections = 400'000;
#else
constexpr std::uint64_t most_connections = 2'000;  // one address, 16,000 ports, a minute each
#endif

}  // namespace

OneByOne::OneByOne(const Load& load, const socketserver::Address& server, const Timing& timing,
                   const Hooks& hooks)
    : timing_(timing),
      hooks_(hooks),
      sockets_(load.transport, server),
      turns_(timing, hooks),
      connections_(static_cast<std::size_t>(load.clients)) {}

Outcome OneByOne::run() {
  ask_for(timing_.warm_up, false);
  hooks_.measuring_begins();
  const std::uint64_t before = outcome_.answered;
  ask_for(timing_.window, true);
  outcome_.measured = outcome_.answered - before;
  hooks_.measuring_ends();
  return std::move(outcome_);
}

void OneByOne::ask_for(Seconds time, bool measure) {
  const auto begin = Clock::now();
  const std::uint64_t limit = outcome_.answered + std::min(timing_.most, most_connections);
  measuring_ = measure;
  talking_ = true;
  turns_.progress(begin);
  idle_.clear();
  for (std::uint32_t i = 0; i < connections_.size(); ++i) idle_.push_back(i);
  while (Clock::now() - begin < time && outcome_.answered < limit) turn();
  talking_ = false;
  while (under_way_ > 0) turn();
  if (measure) outcome_.seconds = Seconds(Clock::now() - begin).count();
}

void OneByOne::turn() {
  bool later = false;
  while (talking_ && !idle_.empty() && !later) {
    later = !ask_next(idle_.back());
    if (!later) idle_.pop_back();
  }
  turns_.take(later ? std::chrono::milliseconds(1) : longest_turn,
              [this](std::uint32_t number, bool readable, bool writable) {
                Connection& connection = connections_[number];
                if (!connection.socket) return;
                if (writable && !connection.asked) {
                  connection.asked = send(number, connection.socket.get());
                  turns_.change(connection.socket.get(), number, !connection.asked);
                }
                if (readable) receive(number, connection.socket.get());
              });
  if (turns_.patience_is_over()) silent();
}

// On loopback the connection stands when connect returns, though it says "under way": what is asked
// can go out at once. False: try again later.
bool OneByOne::ask_next(std::uint32_t number) {
  Connection& connection = connections_[number];
  const bool opens = !connection.socket;
  connection.begun_at = Clock::now();
  if (opens) {
    connection.socket = sockets_.make(number);
    if (sockets_.connect(connection.socket.get()) == ClientSockets::Connect::try_again) {
      connection.socket.reset();
      return false;
    }
  }
  begin(number);
  ++under_way_;
  connection.asked = send(number, connection.socket.get());
  if (opens) turns_.add(connection.socket.get(), number, !connection.asked);
  return true;
}

void OneByOne::answered(std::uint32_t number) {
  --under_way_;
  ++outcome_.answered;
  connections_[number].asked = false;
  const auto now = Clock::now();
  turns_.progress(now);
  if (measuring_) {
    outcome_.latencies_us.push_back(microseconds(now - connections_[number].begun_at));
  }
  if (talking_) idle_.push_back(number);
}

void OneByOne::close(std::uint32_t number) {
  turns_.remove(connections_[number].socket.get(), number);
  connections_[number].socket.reset();
}

}  // namespace kit::bench
