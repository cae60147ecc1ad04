#include "pieces.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <functional>
#include <socketserver/address.hpp>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/system_call.hpp>
#include <string>
#include <thread>

#include "interrupt.hpp"
#include "lines.hpp"
#include "samples.hpp"

namespace kit::bench {
namespace {

using socketserver::Address;
using socketserver::check;
using socketserver::FileDescriptor;

constexpr int repeats = 5;  // the median of so many
constexpr std::chrono::milliseconds a_repeat{12};

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// Of this process, its threads, and the children it has waited for.
double processor_seconds() {
  timespec own{};
  rusage children{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
  ::getrusage(RUSAGE_CHILDREN, &children);
  return static_cast<double>(own.tv_sec) + static_cast<double>(own.tv_nsec) / 1e9 +
         seconds(children.ru_utime) + seconds(children.ru_stime);
}

// Microseconds of processor time for one call of `body`.
double time_of(const std::function<void()>& body) {
  std::vector<double> times;
  for (int i = 0; i < repeats; ++i) {
    stop_if_interrupted();
    const auto end = Clock::now() + a_repeat;
    const double begin = processor_seconds();
    int count = 0;
    while (Clock::now() < end)
      for (int block = 0; block < 4; ++block, ++count) body();
    times.push_back((processor_seconds() - begin) * 1e6 / count);
  }
  return median(times);
}

struct Connection {
  FileDescriptor client, server;
};

class Listener {
 public:
  Listener() : socket_(check(::socket(AF_INET, SOCK_STREAM, 0), "socket")) {
    const Address any_port = Address::inet("127.0.0.1", 0);
    check(::bind(socket_.get(), any_port.data(), any_port.size()), "bind");
    check(::listen(socket_.get(), 16), "listen");
    address_ = Address::of_socket(socket_.get());
  }

  Connection connect() const {
    Connection pair{FileDescriptor(check(::socket(AF_INET, SOCK_STREAM, 0), "socket")), {}};
    check(::connect(pair.client.get(), address_.data(), address_.size()), "connect");
    pair.server.reset(check(::accept(socket_.get(), nullptr, nullptr), "accept"));
    const int on = 1;
    for (const int fd : {pair.client.get(), pair.server.get()})
      check(::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt");
    return pair;
  }

 private:
  FileDescriptor socket_;
  Address address_;
};

double time_of_system_call() {
  return time_of([] {
           for (int i = 0; i < 64; ++i) ::getppid();  // glibc asks the kernel every time
         }) /
         64;
}

// Nobody sleeps here: the line is there when it is asked for.
double time_of_line(std::size_t lines) {
  const Connection pair = Listener().connect();
  std::vector<char> bytes(lines * line_size, 'a');
  return time_of([&] {
           check(::send(pair.client.get(), bytes.data(), bytes.size(), 0), "send");
           check(::recv(pair.server.get(), bytes.data(), bytes.size(), MSG_WAITALL), "recv");
         }) /
         static_cast<double>(lines);
}

// Two threads on one processor hand a byte to and fro: a round trip is two hand-overs, each a
// write, a read, and a change from one thread to the other.
double time_of_switch() {
  int ends[2];
  check(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
  FileDescriptor here(ends[0]), there(ends[1]);
  std::thread other([fd = there.get()] {
    char byte = 0;
    while (::read(fd, &byte, 1) == 1)
      if (::write(fd, &byte, 1) != 1) break;
  });
  char byte = 'a';
  double time = 0;
  try {
    time = time_of([&] {
             check(::write(here.get(), &byte, 1), "write");
             check(::read(here.get(), &byte, 1), "read");
           }) /
           2;
  } catch (...) {
    here.reset();
    other.join();
    throw;
  }
  here.reset();
  other.join();
  return time;
}

double time_of_thread() {
  return time_of([] { std::thread([] {}).join(); });
}

double time_of_fork() {
  return time_of([] {
    const pid_t child = check(::fork(), "fork");
    if (child == 0) ::_exit(0);
    while (::waitpid(child, nullptr, 0) == -1 && errno == EINTR) continue;
  });
}

double time_of_connection() {
  const Listener listener;
  return time_of([&] { listener.connect(); });
}

}  // namespace

std::vector<Piece> measure_pieces() {
  return {
      {"call", "a system call that does nothing (getppid)", time_of_system_call()},
      {"line", "a line of 64 bytes through TCP: send and recv, nobody asleep", time_of_line(1)},
      {"line-of-256", "the same, one of 256 lines sent and received together", time_of_line(256)},
      {"switch", "a byte handed from one thread to another that sleeps: write, switch, read",
       time_of_switch()},
      {"thread", "a thread started and joined", time_of_thread()},
      {"fork", "a process forked from a small one, ended and waited for", time_of_fork()},
      {"connection", "a TCP connection opened, accepted and closed", time_of_connection()},
  };
}

}  // namespace kit::bench
