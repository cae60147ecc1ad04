#pragma once

#include <string>

#include "harness/base/escape.hpp"
#include "interrupt.hpp"
#include "load.hpp"
#include "readiness.hpp"

namespace kit::bench {

/// The part that all loads share: one turn of waiting after the other, each short enough to notice
/// an interrupt, a silence and the end of the time.
class Turns {
 public:
  /// Watches the server's output from now on.
  Turns(const Timing& timing, const Hooks& hooks) : timing_(timing), hooks_(hooks) {
    if (hooks.server_output != -1) readiness_.add(hooks.server_output, output_token);
  }

  /// Begins to watch the socket of client `client`.
  void add(int socket, std::uint32_t client, bool writing) {
    readiness_.add(socket, client + 1, writing);
  }

  /// Watches it for writing too, or no longer.
  void change(int socket, std::uint32_t client, bool writing) {
    readiness_.change(socket, client + 1, writing);
  }

  /// Forgets it; to be called before it is closed.
  void remove(int socket, std::uint32_t client) noexcept { readiness_.remove(socket, client + 1); }

  /// One turn: waits, then calls on_ready(client, readable, writable) for each client that is
  /// ready.
  template <class OnReady>
  void take(std::chrono::milliseconds timeout, OnReady&& on_ready) {
    stop_if_interrupted();
    for (const Ready& ready : readiness_.wait(timeout)) {
      if (ready.token == output_token) {
        if (!hooks_.read_output()) readiness_.remove(hooks_.server_output, output_token);
      } else {
        on_ready(ready.token - 1, ready.readable, ready.writable);
      }
    }
  }

  /// To be called at every answer.
  void progress(Clock::time_point now) noexcept { last_progress_ = now; }

  /// Whether nothing has been answered for so long that nothing will be.
  [[nodiscard]] bool patience_is_over() const noexcept {
    return Clock::now() - last_progress_ > timing_.patience;
  }

 private:
  static constexpr std::uint32_t output_token = 0;

  Timing timing_;
  const Hooks& hooks_;
  Readiness readiness_;
  Clock::time_point last_progress_ = Clock::now();
};

/// How long a turn may sleep: short enough to look at the clock in between.
inline constexpr std::chrono::milliseconds longest_turn{20};

/// Microseconds between two moments.
inline double microseconds(Clock::duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

/// "client 17, " for the beginning of a Fault.
inline std::string client_name(std::uint32_t client) {
  return "client " + with_commas(client + 1) + ", ";
}

/// The four kinds of clients; see run_load().
Outcome run_streams(const Load& load, const socketserver::Address& server, const Timing& timing,
                    const Hooks& hooks);
Outcome run_connections(const Load& load, const socketserver::Address& server, const Timing& timing,
                        const Hooks& hooks);
Outcome run_datagrams(const Load& load, const socketserver::Address& server, const Timing& timing,
                      const Hooks& hooks);
Outcome run_http(const Load& load, const socketserver::Address& server, const Timing& timing,
                 const Hooks& hooks);

}  // namespace kit::bench
