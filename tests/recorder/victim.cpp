// The program that recorder_test.cpp records: one small scene for each argument. It speaks to
// nobody but itself, over socketpairs, and says on stdout what it met.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace {

struct Pair {
  int ends[2];
  explicit Pair(int type = SOCK_STREAM) {
    if (socketpair(AF_UNIX, type, 0, ends) != 0) std::abort();
  }
  ~Pair() {
    close(ends[0]);
    close(ends[1]);
  }
  int here() const { return ends[0]; }
  int there() const { return ends[1]; }
};

void say(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

std::string outcome(long result) {
  return result < 0 ? "-1 " + std::to_string(errno) : std::to_string(result);
}

int listen_anywhere(sockaddr_in& address) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* general = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd, general, size) || listen(fd, 16) || getsockname(fd, general, &size)) std::abort();
  return fd;
}

// One conversation over TCP, written as a first lesson would.
void echo() {
  sockaddr_in address;
  const int listener = listen_anywhere(address);
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address)) std::abort();
  const int connection = accept(listener, nullptr, nullptr);
  send(client, "hello ", 6, 0);
  char buffer[1024];
  const long got = recv(connection, buffer, sizeof buffer, 0);
  send(connection, buffer, static_cast<std::size_t>(got), MSG_NOSIGNAL);
  shutdown(connection, SHUT_WR);
  close(connection);
  close(connection);
  close(client);
  close(listener);
}

// How many descriptors are open: the block's must not be among them.
void descriptors() {
  int open = 0;
  for (int fd = 0; fd < 64; ++fd) open += lseek(fd, 0, SEEK_CUR) >= 0 || errno != EBADF;
  say(std::to_string(open) + (std::getenv("KIT_RECORDER") ? " variable" : " clean"));
}

// read and write of a pipe are nobody's business.
void pipes() {
  int ends[2];
  if (pipe(ends)) std::abort();
  char byte = 'x';
  const std::string written = outcome(write(ends[1], &byte, 1));
  say(written + " " + outcome(read(ends[0], &byte, 1)));
  close(ends[0]);
  close(ends[1]);
}

// Every way to receive, then every way to send, twelve bytes.
void all_transfers(const char* which) {
  const std::string text = "abcdefghijkl";
  Pair pair;
  char first[5] = {}, second[20] = {};
  iovec in[2] = {{first, 5}, {second, 20}};
  iovec out[2] = {{const_cast<char*>(text.data()), 5}, {const_cast<char*>(text.data()) + 5, 7}};
  msghdr message{};
  message.msg_iovlen = 2;
  const std::string call = which;
  long moved = -2;
  errno = 0;
  if (call.starts_with("send") || call.starts_with("write")) {
    message.msg_iov = out;
    if (call == "send") moved = send(pair.here(), text.data(), 12, 0);
    if (call == "sendto") moved = sendto(pair.here(), text.data(), 12, 0, nullptr, 0);
    if (call == "sendmsg") moved = sendmsg(pair.here(), &message, 0);
    if (call == "write") moved = write(pair.here(), text.data(), 12);
    if (call == "writev") moved = writev(pair.here(), out, 2);
    if (call == "writev2") moved = pwritev2(pair.here(), out, 2, -1, 0);
    if (call == "sendfile") {
      const int file = memfd_create("file", MFD_CLOEXEC);
      if (file == -1 || write(file, text.data(), 12) != 12) std::abort();
      off_t place = 0;
      errno = 0;
      moved = sendfile(pair.here(), file, &place, 12);
      close(file);
    }
    if (call == "sendto-by-number")
      moved = syscall(SYS_sendto, pair.here(), text.data(), 12UL, 0L, nullptr, 0L);
    std::string result = outcome(moved);
    shutdown(pair.here(), SHUT_WR);
    char arrived[32];
    ssize_t got = 0;
    std::string all;
    while ((got = recv(pair.there(), arrived, sizeof arrived, 0)) > 0)
      all.append(arrived, static_cast<std::size_t>(got));
    return say(result + " " + all);
  }
  message.msg_iov = in;
  if (send(pair.there(), text.data(), 12, 0) != 12) std::abort();
  if (call == "recv") moved = recv(pair.here(), second, 20, 0);
  if (call == "recvfrom") moved = recvfrom(pair.here(), second, 20, 0, nullptr, nullptr);
  if (call == "recvmsg") moved = recvmsg(pair.here(), &message, 0);
  if (call == "read") moved = read(pair.here(), second, 20);
  if (call == "readv") moved = readv(pair.here(), in, 2);
  if (call == "readv2") moved = preadv2(pair.here(), in, 2, -1, 0);
  if (call == "recvfrom-by-number")
    moved = syscall(SYS_recvfrom, pair.here(), second, 20UL, 0L, nullptr, nullptr);
  say(outcome(moved) + " " + std::string(first, strnlen(first, 5)) +
      std::string(second, strnlen(second, 20)));
}

// The rarer calls, which do what others do.
void relatives() {
  const auto report = [](const char* name, long result) {
    say(std::string(name) + " " + outcome(result));
  };
  Pair pair;
  char bytes[8] = {'x'};
  iovec part{bytes, sizeof bytes};
  mmsghdr message{};
  message.msg_hdr.msg_iov = &part;
  message.msg_hdr.msg_iovlen = 1;
  report("sendmmsg", sendmmsg(pair.there(), &message, 1, 0));
  report("recvmmsg", recvmmsg(pair.here(), &message, 1, MSG_DONTWAIT, nullptr));
  const int epoll = epoll_create1(0);
  epoll_event ready{};
  const timespec at_once{};
  report("epoll_pwait2", epoll_pwait2(epoll, &ready, 1, &at_once, nullptr));
  close(epoll);
  std::uint64_t arguments[8] = {0, 0, 0, 0, SIGCHLD, 0, 0, 0};  // flags first, the signal fifth
  const long child = syscall(SYS_clone3, arguments, sizeof arguments);
  if (child == 0) _exit(3);
  report("clone3", child > 0 ? 1 : child);
  siginfo_t info{};
  report("waitid", waitid(P_ALL, 0, &info, WEXITED));
  int type = 0;
  socklen_t size = sizeof type;
  report("getsockopt", getsockopt(pair.here(), SOL_SOCKET, SO_TYPE, &type, &size));
}

// Asks, and asks again, a socket that has nothing to say.
void turns() {
  Pair pair;
  char byte;
  for (int i = 0; i < 1500; ++i) (void)recv(pair.here(), &byte, 1, MSG_DONTWAIT);  // for nothing
  say("turned");
}

// As often, but each time there is something.
void works() {
  Pair pair;
  char byte = 'x';
  for (int i = 0; i < 1500; ++i) {
    pollfd ready{pair.here(), POLLIN, 0};
    (void)poll(&ready, 1, 0);
    (void)send(pair.there(), &byte, 1, 0);
    (void)recv(pair.here(), &byte, 1, MSG_DONTWAIT);
  }
  say("worked");
}

// Sleeps for a moment, again and again.
void dozes() {
  Pair pair;
  for (int i = 0; i < 40; ++i) {
    pollfd ready{pair.here(), POLLIN, 0};
    (void)poll(&ready, 1, 1);
  }
  say("dozed");
}

// Looks for what is not there, and sleeps; it finds something each tenth time, or never.
void naps(bool finds) {
  Pair pair;
  char byte = 'x';
  const timespec moment{0, 1000};
  for (int i = 0; i < 60; ++i) {
    if (finds && i % 10 == 0) (void)send(pair.there(), &byte, 1, 0);
    (void)recv(pair.here(), &byte, 1, MSG_DONTWAIT);  // a look
    switch (i % 5) {
      case 0:
        (void)usleep(1);
        break;
      case 1:
        (void)nanosleep(&moment, nullptr);
        break;
      case 2:
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, nullptr);
        break;
      case 3:
        (void)syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &moment, nullptr);
        break;
      default:
        std::this_thread::sleep_for(std::chrono::microseconds(1));
    }
  }
  say("napped");
}

// Sleeps after a failure, which is no look: nothing can be taken as long as no number is free.
void pauses() {
  Pair pair;
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  (void)listen(listener, 1);
  for (int i = 0; i < 60; ++i) {
    (void)accept(listener, nullptr, nullptr);
    (void)usleep(1);
  }
  say("paused");
}

// Uses a number that it has closed, and one that is none.
// Woken again and again by what is no socket: by somebody else, or by itself.
void woken(bool by_itself) {
  int ends[2];
  if (pipe(ends) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  const int event = eventfd(0, 0);
  char byte = 'x';
  for (int i = 0; i < 1500; ++i) {
    const auto wake = [&] { (void)!write(ends[1], &byte, 1); };
    by_itself ? wake() : std::thread(wake).join();
    pollfd ready{ends[0], POLLIN, 0};
    (void)poll(&ready, 1, -1);
    if (read(ends[0], &byte, 1) != 1) return;
    if (by_itself) continue;
    eventfd_t count = 0;
    (void)eventfd_write(event, 1);
    ready.fd = event;
    (void)poll(&ready, 1, -1);
    (void)eventfd_read(event, &count);
  }
  say("woken");
}

void polls_closed(int times) {
  int number = -1;
  {
    Pair pair;
    number = pair.here();
  }
  for (int i = 0; i < times; ++i) {
    pollfd gone{number, POLLIN, 0};
    (void)poll(&gone, 1, 0);
  }
  say("polled");
}

void closed() {
  int number = -1;
  {
    Pair pair;
    number = pair.here();
  }
  (void)close(-1);
  say(outcome(send(number, "x", 1, MSG_NOSIGNAL)));  // a closed one
}

// Gives a lock back while another thread waits for it.
void unlocks() {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::thread other([&] {
    const std::lock_guard mine(mutex);
    say("in between");
  });
  lock.unlock();
  say("on");
  other.join();
}

// A fault for every call that can fail.
void all_failures() {
  sockaddr_in address;
  const auto* general = reinterpret_cast<sockaddr*>(&address);
  const auto report = [](const char* name, long result) {
    say(std::string(name) + " " + outcome(result));
  };
  const int fd = listen_anywhere(address);
  Pair pair;
  pollfd ready{pair.here(), POLLIN, 0};
  timespec none{};
  timeval zero{};
  fd_set set;
  FD_ZERO(&set);
  epoll_event event{};
  event.events = EPOLLIN;
  report("socket", socket(AF_INET, SOCK_STREAM, 0));
  report("bind", bind(fd, general, sizeof address));
  report("listen", listen(fd, 1));
  report("accept", accept(fd, nullptr, nullptr));
  report("accept4", accept4(fd, nullptr, nullptr, 0));
  report("connect", connect(fd, general, sizeof address));
  report("shutdown", shutdown(pair.here(), SHUT_RD));
  report("poll", poll(&ready, 1, 0));
  report("ppoll", ppoll(&ready, 1, &none, nullptr));
  report("select", select(0, &set, nullptr, nullptr, &zero));
  report("pselect", pselect(0, &set, nullptr, nullptr, &none, nullptr));
  report("epoll_create1", epoll_create1(0));
  report("epoll_ctl", epoll_ctl(pair.here(), EPOLL_CTL_ADD, pair.there(), &event));
  report("epoll_wait", epoll_wait(pair.here(), &event, 1, 0));
  report("epoll_pwait", epoll_pwait(pair.here(), &event, 1, 0, nullptr));
  report("fork", fork());
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  report("vfork", vfork());
#pragma GCC diagnostic pop
  report("wait", wait(nullptr));
  report("waitpid", waitpid(-1, nullptr, 0));
  report("wait4", wait4(-1, nullptr, 0, nullptr));
  report("unlink", unlink("/tmp/kit-no-such-file"));
  pid_t pid = 0;
  char* no_arguments[] = {nullptr};
  errno = 7;
  say("posix_spawn " +
      std::to_string(posix_spawn(&pid, "/bin/true", nullptr, nullptr, no_arguments, no_arguments)) +
      " errno " + std::to_string(errno));
  pthread_t thread;
  const auto nothing = [](void*) -> void* { return nullptr; };
  say("pthread_create " + std::to_string(pthread_create(&thread, nullptr, nothing, nullptr)) +
      " errno " + std::to_string(errno));
  try {
    std::thread([] {}).join();
    say("thread started");
  } catch (const std::system_error& error) {
    say("thread " + std::to_string(error.code().value()));
  }
}

// What a server settles before it serves.
void settings() {
  sockaddr_in address{};
  const int fd = listen_anywhere(address);
  const int one = 1;
  const linger at_once{1, 0};
  const timeval second{1, 0};
  int error = 0;
  socklen_t size = sizeof error;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  struct stat status;
  const std::string folder = "/tmp/kit-victim-" + std::to_string(getpid());
  const mode_t before = umask(077);
  mkdir(folder.c_str(), 0755);
  lstat((folder + "/s").c_str(), &status);
  chmod(folder.c_str(), 0700);
  const std::string moved = folder + "-moved";
  rename(folder.c_str(), moved.c_str());
  unlinkat(AT_FDCWD, moved.c_str(), AT_REMOVEDIR);
  umask(before);
  say(folder);
}

// A receiver that is right: it retries EINTR and never counts on a whole message.
void count_receives() {
  Pair pair;
  if (send(pair.there(), "abcdefghijkl", 12, 0) != 12) std::abort();
  shutdown(pair.there(), SHUT_WR);
  int interrupted = 0;
  std::string all;
  for (;;) {
    char buffer[64];
    const ssize_t got = recv(pair.here(), buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) {
      ++interrupted;
      continue;
    }
    if (got <= 0) break;
    all.append(buffer, static_cast<std::size_t>(got));
  }
  say(all + " " + std::to_string(interrupted));
}

void datagram() {
  Pair pair(SOCK_DGRAM);
  if (send(pair.there(), "abcdefghijkl", 12, 0) != 12) std::abort();
  char buffer[64];
  say(outcome(recv(pair.here(), buffer, sizeof buffer, 0)));
}

// What a connection to 127.0.0.1:PORT takes of ten bytes.
void talk(const char* port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address)) std::abort();
  say(outcome(send(fd, "abcdefghij", 10, MSG_NOSIGNAL)));
  close(fd);
}

// A send on one thread while another works on: the first may be held, the second not.
void two_threads() {
  Pair pair;
  std::thread sender([&] { say("sent " + outcome(send(pair.here(), "held", 4, 0))); });
  char buffer[8];
  if (poll(nullptr, 0, 0) == 0) say("other thread runs");
  sender.join();
  say(outcome(recv(pair.there(), buffer, sizeof buffer, 0)));
}

void wait_for_ever() {
  Pair pair;
  pollfd ready{pair.here(), POLLIN, 0};
  say("waiting");
  poll(&ready, 1, -1);
}

// Another thread makes many calls while this one waits.
void wait_while_busy() {
  Pair busy;
  std::thread([&busy] {
    for (int i = 0; i < 2000; ++i) {
      char byte = 'x';
      send(busy.here(), &byte, 1, 0);
      recv(busy.there(), &byte, 1, 0);
    }
    say("busy done");
  }).detach();
  Pair pair;
  timespec minute{60, 1};
  pollfd ready{pair.here(), POLLIN, 0};
  ppoll(&ready, 1, &minute, nullptr);
}

void forks() {
  for (int i = 0; i < 2; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      { Pair pair; }
      _exit(3);
    }
  }
  int status = 0;
  while (waitpid(-1, &status, 0) > 0) {
  }
  say("status " + std::to_string(WEXITSTATUS(status)));
}

void killed_in_a_call() {
  Pair pair;
  if (fork() == 0) {
    char byte;
    say("child waits");
    recv(pair.here(), &byte, 1, 0);
    _exit(0);
  }
  int status = 0;
  wait(&status);
  say("signal " + std::to_string(WTERMSIG(status)));
}

int signal_end = -1;
int signal_pipe = -1;

// A handler as the programs' own: it wakes a pipe and shuts down the connection under way.
void signals() {
  Pair pair;
  int pipe_ends[2];
  if (pipe(pipe_ends)) std::abort();
  signal_end = pair.here();
  signal_pipe = pipe_ends[1];
  struct sigaction action {};
  action.sa_handler = [](int) {
    const int before = errno;
    const char byte = 0;
    static_cast<void>(!write(signal_pipe, &byte, 1));
    shutdown(signal_end, SHUT_RD);
    errno = before;
  };
  sigaction(SIGTERM, &action, nullptr);
  say("ready");
  char byte;
  ssize_t got;
  while ((got = recv(pair.here(), &byte, 1, 0)) < 0 && errno == EINTR) {
  }
  say("ended with " + outcome(got));
}

// As the harness will use it: byte by byte, counted in nanoseconds a call.
void byte_at_a_time() {
  Pair pair;
  char byte = 'x';
  const int rounds = 65'536;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < rounds; ++i) {
    if (send(pair.here(), &byte, 1, 0) != 1 || recv(pair.there(), &byte, 1, 0) != 1) std::abort();
  }
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
  std::printf("%.0f\n", took.count() / (2.0 * rounds));
}

// Clang links a sanitizer's runtime into the program itself. Its calls and the program's cannot be
// told apart there, so bare instructions are not trapped: what is sent by them is missing from
// sent().
#if defined(__clang__)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KIT_RUNTIME_INSIDE
#endif
#endif

#if !defined(KIT_RUNTIME_INSIDE) && (defined(__x86_64__) || defined(__aarch64__))

// The instruction itself, in the program's own text: no library is asked.
long bare_send(long fd, const char* bytes, long size) {
#if defined(__x86_64__)
  long result;
  register long flags asm("r10") = 0;
  register long to asm("r8") = 0;
  register long to_size asm("r9") = 0;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(SYS_sendto), "D"(fd), "S"(bytes), "d"(size), "r"(flags), "r"(to), "r"(to_size)
               : "rcx", "r11", "memory");
  return result;
#else
  register long number asm("x8") = SYS_sendto;
  register long first asm("x0") = fd;
  register const char* second asm("x1") = bytes;
  register long third asm("x2") = size;
  register long flags asm("x3") = 0;
  register long to asm("x4") = 0;
  register long to_size asm("x5") = 0;
  asm volatile("svc 0"
               : "+r"(first)
               : "r"(number), "r"(second), "r"(third), "r"(flags), "r"(to), "r"(to_size)
               : "memory");
  return first;
#endif
}

// Calls without names: one by syscall(2), one by the instruction; the third is interrupted.
void bare_calls() {
  Pair pair;
  char bytes[8] = {};
  const long sent = bare_send(pair.here(), "abcdef", 6);
  const long got = syscall(SYS_recvfrom, pair.there(), bytes, sizeof bytes, 0, nullptr, nullptr);
  const long failed = bare_send(pair.here(), "g", 1);
  std::printf("%ld, %ld %s, %ld\n", sent, got, bytes, failed);
}

#else

void bare_calls() {
  std::printf("not here\n");
}

#endif

void endless() {
  Pair pair;
  char buffer[16] = {};
  std::string got = outcome(recv(pair.here(), buffer, 8, 0));
  got += " " + std::string(buffer, 8);
  char one[4], two[4];
  iovec parts[2] = {{one, 4}, {two, 4}};
  got += outcome(readv(pair.here(), parts, 2));
  got += " " + std::string(one, 4) + std::string(two, 4);
  std::fwrite(got.data(), 1, got.size(), stdout);
}

// A connection that has gone before accept, a datagram that has gone before recv; the next ones
// stay.
void vanishing() {
  sockaddr_in address;
  const int listener = listen_anywhere(address);
  const int clients[] = {socket(AF_INET, SOCK_STREAM, 0), socket(AF_INET, SOCK_STREAM, 0)};
  for (const int client : clients) {
    if (connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address)) std::abort();
  }
  sockaddr_in peer{}, second{};
  socklen_t size = sizeof peer;
  const int connection = accept(listener, reinterpret_cast<sockaddr*>(&peer), &size);
  if (getsockname(clients[1], reinterpret_cast<sockaddr*>(&second), &size)) std::abort();
  std::string got = peer.sin_port == second.sin_port ? "the second" : "the first";

  Pair pair(SOCK_DGRAM);
  for (const char* word : {"gone", "here"}) send(pair.there(), word, 4, 0);
  char buffer[4] = {};
  recv(pair.here(), buffer, sizeof buffer, 0);
  say(got + ", " + std::string(buffer, 4));
  for (const int fd : {clients[0], clients[1], connection, listener}) close(fd);
}

// Two threads that meet in the recorder, and race on a plain int: one after the other, so that luck
// has no part in it. (Two accesses in the same nanoseconds can slip through TSan; and closing and
// opening one number orders threads for it, hence descriptors of their own.)
int raced = 0;
void race() {
  Pair pairs[2];
  const auto calls = [](const Pair& pair) {
    char byte = 'x';
    for (int round = 0; round < 100; ++round) {
      send(pair.here(), &byte, 1, 0);
      recv(pair.there(), &byte, 1, 0);
    }
  };
  std::atomic<int> turn{0};  // tells when, and orders nothing
  const auto wait_for = [&turn](int wanted) {
    while (turn.load(std::memory_order_relaxed) != wanted) std::this_thread::yield();
  };
  std::thread first([&] {
    calls(pairs[0]);
    wait_for(1);
    ++raced;
    calls(pairs[0]);
    turn.store(2, std::memory_order_relaxed);
  });
  std::thread second([&] {
    calls(pairs[1]);
    turn.store(1, std::memory_order_relaxed);
    wait_for(2);
    ++raced;
    calls(pairs[1]);
  });
  first.join();
  second.join();
  say("raced " + std::to_string(raced));
}

// The same without the fault: whatever TSan reported here would be the recorder's.
void no_race() {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([] {
      for (int round = 0; round < 200; ++round) {
        Pair pair;
        char bytes[32] = "abcdefghijklmnopqrstuvwxyz";
        send(pair.here(), bytes, 26, 0);
        recv(pair.there(), bytes, sizeof bytes, 0);
      }
    });
  for (auto& thread : threads) thread.join();
  say("no race");
}

// An exception that one thread makes and another one reads; the first is the last to have it.
void handed_over() {
  auto promise = std::make_unique<std::promise<int>>();
  std::future<int> future = promise->get_future();
  std::atomic<bool> read{false};
  std::thread reader([&read, future = std::move(future)]() mutable {
    try {
      future.get();
    } catch (const std::exception& error) {
      if (std::strlen(error.what()) == 0) say("no words");
    }
    read.store(true, std::memory_order_relaxed);  // tells when, and orders nothing
    while (read.load(std::memory_order_relaxed)) std::this_thread::yield();
  });
  promise->set_exception(std::make_exception_ptr(std::runtime_error("closed")));
  while (!read.load(std::memory_order_relaxed)) std::this_thread::yield();
  promise.reset();
  read.store(false, std::memory_order_relaxed);
  reader.join();
  say("handed over");
}

// A program that writes over the block, found by its size in its own memory map.
void scribble() {
  FILE* maps = std::fopen("/proc/self/maps", "r");
  char line[512];
  while (maps && std::fgets(line, sizeof line, maps)) {
    if (!std::strstr(line, "kit-recorder") || !std::strstr(line, "(deleted)")) continue;
    char* end = nullptr;
    auto* at = reinterpret_cast<volatile unsigned char*>(std::strtoull(line, &end, 16));
    auto* stop = reinterpret_cast<volatile unsigned char*>(std::strtoull(end + 1, nullptr, 16));
    unsigned seed = static_cast<unsigned>(getpid());
    for (; at < stop; ++at)
      *at = static_cast<unsigned char>((seed = seed * 1664525 + 1013904223) >> 24);
  }
  say("scribbled");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string scene = argc > 1 ? argv[1] : "";
  const std::map<std::string, void (*)()> scenes = {
      {"echo", echo},
      {"descriptors", descriptors},
      {"pipes", pipes},
      {"all_failures", all_failures},
      {"relatives", relatives},
      {"settings", settings},
      {"turns", turns},
      {"works", works},
      {"dozes", dozes},
      {"naps", [] { naps(false); }},
      {"naps_and_finds", [] { naps(true); }},
      {"pauses", pauses},
      {"woken", [] { woken(false); }},
      {"wakes_itself", [] { woken(true); }},
      {"polls_closed", [] { polls_closed(1); }},
      {"polls_closed_twice", [] { polls_closed(2); }},
      {"closed", closed},
      {"unlocks", unlocks},
      {"count_receives", count_receives},
      {"datagram", datagram},
      {"two_threads", two_threads},
      {"wait_for_ever", wait_for_ever},
      {"wait_while_busy", wait_while_busy},
      {"forks", forks},
      {"killed_in_a_call", killed_in_a_call},
      {"signals", signals},
      {"byte_at_a_time", byte_at_a_time},
      {"bare_calls", bare_calls},
      {"endless", endless},
      {"vanishing", vanishing},
      {"race", race},
      {"no_race", no_race},
      {"handed_over", handed_over},
      {"scribble", scribble},
  };
  if (scene == "transfer" && argc > 2) {
    all_transfers(argv[2]);
  } else if (scene == "talk" && argc > 2) {
    talk(argv[2]);
  } else if (const auto found = scenes.find(scene); found != scenes.end()) {
    found->second();
  } else {
    std::fprintf(stderr, "no scene called '%s'\n", scene.c_str());
    return 2;
  }
}
