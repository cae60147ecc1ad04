#pragma once

#include <cstdint>
#include <socketserver/file_descriptor.hpp>
#include <vector>

#include "client_socket.hpp"
#include "turns.hpp"

namespace kit::bench {

/// Clients that each ask one thing at a time, on a connection that is opened when there is none.
/// What they ask, and what an answer is, a derived class knows.
class OneByOne {
 public:
  virtual ~OneByOne() = default;
  OneByOne(const OneByOne&) = delete;
  OneByOne& operator=(const OneByOne&) = delete;

  /// Asks through warm-up and window. Once.
  Outcome run();

 protected:
  OneByOne(const Load& load, const socketserver::Address& server, const Timing& timing,
           const Hooks& hooks);

  struct Connection {
    socketserver::FileDescriptor socket;
    bool asked = false;  ///< what it asks has gone out, whole
    Clock::time_point begun_at;
  };

  [[nodiscard]] const Connection& connection(std::uint32_t number) const {
    return connections_[number];
  }
  [[nodiscard]] std::size_t clients() const { return connections_.size(); }
  [[nodiscard]] Seconds patience() const { return timing_.patience; }
  void progress() { turns_.progress(Clock::now()); }

  /// Its answer is complete: counted, and the next one may begin.
  void answered(std::uint32_t number);
  void close(std::uint32_t number);

 private:
  /// The client is about to ask.
  virtual void begin(std::uint32_t number) = 0;
  /// Sends what it asks, on a socket that may not be connected yet. False: not now.
  virtual bool send(std::uint32_t number, int socket) = 0;
  virtual void receive(std::uint32_t number, int socket) = 0;
  /// Nothing was answered for too long: throws what has come.
  [[noreturn]] virtual void silent() const = 0;

  void ask_for(Seconds time, bool measure);
  void turn();
  bool ask_next(std::uint32_t number);

  const Timing timing_;
  const Hooks& hooks_;
  ClientSockets sockets_;
  Turns turns_;
  std::vector<Connection> connections_;
  std::vector<std::uint32_t> idle_;  // clients that are to ask next
  Outcome outcome_;

  std::size_t under_way_ = 0;
  bool talking_ = false;
  bool measuring_ = false;
};

}  // namespace kit::bench
