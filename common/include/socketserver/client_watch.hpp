#pragma once

#include <poll.h>
#include <socketserver/wake_pipe.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace socketserver {

/// Notices clients that leave while the threads that serve them wait for something else than their
/// bytes: a thread that sleeps on a condition does not look at its connection.
///
/// A client has left when its end of file or a reset has come; what ends the server's reading
/// (BaseServer::interrupt_requests) does not count. The watch has one thread of its own, which
/// waits in poll(2) without a timeout. Every function may be called from any thread.
class ClientWatch {
 public:
  /// @param noticed  called on the watch's own thread after a client has left; must not throw
  explicit ClientWatch(std::function<void()> noticed);
  ClientWatch(const ClientWatch&) = delete;
  ClientWatch& operator=(const ClientWatch&) = delete;
  /// Ends its thread. Nobody is watched any more by then.
  ~ClientWatch();

  /// One client that is watched, as long as this object lives.
  class Client {
   public:
    /// Watches `connection`, which outlives this object.
    Client(ClientWatch& watch, int connection);
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client();

    /// Whether it has left. It is set before `noticed` is called.
    [[nodiscard]] const std::atomic<bool>& left() const noexcept { return left_; }

   private:
    friend class ClientWatch;
    ClientWatch& watch_;
    int connection_;
    bool told_ = false;  // guarded by the watch's mutex: it waits for no more of this one
    std::atomic<bool> left_{false};
    unsigned long number_ = 0;
  };

 private:
  void run();
  bool note_those_who_left(const std::vector<pollfd>& polled,
                           const std::vector<unsigned long>& numbers);

  const std::function<void()> noticed_;
  WakePipe wake_;
  std::mutex mutex_;
  // Guarded by mutex_:
  std::map<unsigned long, Client*> clients_;  // by a number that no other ever gets
  unsigned long last_number_ = 0;
  bool ending_ = false;

  std::thread thread_;  // the last: it uses all the others
};

}  // namespace socketserver
