#pragma once

#include <poll.h>
#include <sys/types.h>
#include <socketserver/base_server.hpp>
#include <socketserver/wake_pipe.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "requests_under_way.hpp"

namespace socketserver {

/// The state of the loop, out of the header: a learner's file does not compile it again.
struct BaseServer::Loop {
  enum class State { not_run, told_to_end_early, running, ended };

  // Guarded by `mutex`: who runs the loop, and whether it has ended.
  std::mutex mutex;
  std::condition_variable changed;
  State state = State::not_run;
  unsigned long run = 0;
  std::thread::id thread;
  pid_t process = 0;

  std::atomic<bool> told_to_end{false};
  WakePipe wake;
  RequestsUnderWay under_way;

  // What signals have told this server (EndOnSignals). A forked child has a copy, and a history of
  // its own: what came in its parent it has not heard itself.
  std::atomic<bool> ends_on_signals{false};
  std::atomic<pid_t> owner{0};        // the process that the server belongs to
  std::atomic<pid_t> signalled{0};    // the process in which the first one has come
  std::atomic<bool> by_owner{false};  // there: whether one came from the owner, its parent
  std::atomic<bool> by_other{false};  // and from anybody else

  // What a Unix server is called, for a signal handler that has to remove the name: a path that a
  // chdir(2) does not move, and which file it was. The inode is written last; 0: there is none.
  void note_name(const Address& bound);
  std::unique_ptr<char[]> bound_path;  // room for PATH_MAX bytes, once a server has a path
  dev_t bound_device = 0;
  std::atomic<ino_t> bound_inode{0};

  // Used on the loop's thread alone.
  std::vector<pollfd> waiting_for{{-1, POLLIN, 0}, {wake.fileno(), POLLIN, 0}};
  std::optional<std::chrono::steady_clock::time_point> paused_until;  // the listener is left alone
  std::optional<std::chrono::milliseconds> poll_interval;
  std::size_t last_failure = 0;  // the hash of its words
  void say_once(std::string_view what, std::string_view why) noexcept;
};

}  // namespace socketserver
