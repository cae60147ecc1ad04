#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <socketserver/address.hpp>
#include <stdexcept>
#include <vector>

namespace kit::bench {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

/// What lies between the clients and the server.
enum class Transport {
  tcp,
  unix_stream,
  udp,
  unix_datagram,
  http,  ///< requests for a file, over TCP
};

/// What the clients do.
enum class Kind {
  persistent,   ///< each keeps its connection: a line (or request), its answer, the next one
  connections,  ///< each line, or request, has a connection of its own
  pipelined,    ///< many lines in one write, then all their answers
  crowd,        ///< all but a few have asked once and are silent
};

/// One load: everything that decides what a number means.
struct Load {
  Kind kind = Kind::persistent;
  Transport transport = Transport::tcp;
  int clients = 1;
  int lines_per_write = 1;
  int content = 0;  ///< bytes of the file that is asked for; http alone

  friend auto operator<=>(const Load&, const Load&) = default;
};

/// Of a crowd, this many talk while the others are silent.
inline constexpr int talkers_of_a_crowd = 8;

/// How long a load lasts. Every loop ends by itself: at the end of its time, after `most` answers,
/// or when nothing has been answered for `patience`.
struct Timing {
  Seconds warm_up{0.03};
  Seconds window{0.1};
  Seconds patience{3};
  std::uint64_t most = 4'000'000;
};

/// What the load is to do beside its own work.
struct Hooks {
  std::function<void()> measuring_begins;  ///< no request is under way
  std::function<void()> measuring_ends;    ///< again none; the connections are still open
  int server_output = -1;                  ///< watched, so that a talking server does not block
  std::function<bool()> read_output;       ///< false: the server has closed it
};

/// What came of it. Measured is from the first question of the window to the last answer.
struct Outcome {
  double seconds = 0;                ///< how long was measured
  std::uint64_t measured = 0;        ///< lines, or requests, answered in that time
  std::uint64_t answered = 0;        ///< the same in the server's whole life
  std::uint64_t lost = 0;            ///< datagrams without an answer
  double all_answered_ms = 0;        ///< until every client had been answered once
  std::vector<double> latencies_us;  ///< of each request that was measured
};

/// The server did something wrong: a wrong byte, one too many, a silence, an end too early. what()
/// says what was expected and what came. Its numbers are worth nothing.
struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Runs the load against the server at `server` in this thread, and compares every byte of every
/// answer. @throws Fault, Interrupted, or std::system_error when the machine has run out of
/// something
Outcome run_load(const Load& load, const socketserver::Address& server, const Timing& timing,
                 const Hooks& hooks);

}  // namespace kit::bench
