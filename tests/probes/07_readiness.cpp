// Asks the learner's EpollSelector what is ready, in one situation after the other, and says what
// it answered: one line a situation, in a fixed order.

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>

#include <chrono>
#include <csignal>
#include <exception>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "epoll_selector.hpp"
#include "probe.hpp"
#include "socket_pair.hpp"

using namespace socketserver;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using probe::say;

namespace {

constexpr int many = 1100;  // more than select(2) could hold

std::string text_of(Events events) {
  if (events == EVENT_READ) return "READ";
  if (events == EVENT_WRITE) return "WRITE";
  if (events == (EVENT_READ | EVENT_WRITE)) return "READ and WRITE";
  return "the events " + std::to_string(events);
}

std::string ask(BaseSelector& selector, BaseSelector::Timeout timeout = 0ns) {
  try {
    std::string answer;
    for (const auto& [key, events] : selector.select(timeout)) {
      answer += (answer.empty() ? "" : ", ") + text_of(events);
    }
    return answer.empty() ? "nothing" : answer;
  } catch (const std::exception& error) {
    return error.what();
  }
}

// The same, and whether the time was waited for.
std::string ask_for(BaseSelector& selector, std::chrono::nanoseconds time) {
  const Clock::time_point begin = Clock::now();
  const std::string answer = ask(selector, time);
  return answer + (Clock::now() - begin < time ? ", too early" : "");
}

struct Pair : probe::SocketPair {
  Pair() { set_nonblocking(near.get()); }
  void near_reads() const {
    char byte;
    check(::read(near.get(), &byte, 1), "read");
  }
};

int signalled_fd = -1;

extern "C" void on_alarm(int) {
  if (signalled_fd != -1) (void)!::write(signalled_fd, "x", 1);
}

void alarm_every(int milliseconds) {
  struct sigaction action {};
  action.sa_handler = on_alarm;
  check(::sigaction(SIGALRM, &action, nullptr), "sigaction");
  const itimerval every{{0, milliseconds * 1000}, {0, milliseconds * 1000}};
  check(::setitimer(ITIMER_REAL, &every, nullptr), "setitimer");
}

template <class Selector>
void tell_readiness() {
  {
    Selector selector;
    const Pair pair;
    selector.register_fd(pair.near.get(), EVENT_READ | EVENT_WRITE);
    say("a fresh pair: " + ask(selector));
    pair.far_writes();
    say("a byte has come: " + ask(selector));
    say("asked again, the byte still unread: " + ask(selector));
    pair.near_reads();
    say("the byte is read: " + ask(selector));
    pair.fill();
    say("the socket is full: " + ask(selector));
    say("timeout 0: " + ask(selector, 0ns));
    say("timeout -1 s: " + ask(selector, -1s));
  }
  for (const Events events : {EVENT_READ, EVENT_WRITE, EVENT_READ | EVENT_WRITE}) {
    Selector selector;
    Pair pair;
    selector.register_fd(pair.near.get(), events);
    pair.far.reset();
    say("the other end is closed, watched for " + text_of(events) + ": " + ask(selector));
  }
  {
    Selector selector;
    int ends[2];
    check(::pipe(ends), "pipe");
    const FileDescriptor reader(ends[0]);
    FileDescriptor writer(ends[1]);
    selector.register_fd(reader.get(), EVENT_READ);
    writer.reset();
    say("a pipe without its writer: " + ask(selector));
  }
  {
    Selector selector;
    int ends[2];
    check(::pipe(ends), "pipe");
    FileDescriptor reader(ends[0]);
    const FileDescriptor writer(ends[1]);
    check(::fcntl(writer.get(), F_SETFL, O_NONBLOCK), "fcntl");
    while (::write(writer.get(), &ends, sizeof ends) > 0) {
    }
    selector.register_fd(writer.get(), EVENT_WRITE);
    say("a full pipe: " + ask(selector));
    reader.reset();
    say("a full pipe without its reader: " + ask(selector));
  }
  {
    Selector selector;
    Pair pair;
    selector.register_fd(pair.near.get(), EVENT_READ);
    std::string worst = "nothing";
    for (int i = 0; i < 40; ++i) {
      const std::string answer = ask_for(selector, 1500us);
      if (answer != worst) worst = answer;
    }
    say("1.5 ms, 40 times: " + worst);
    selector.unregister(pair.near.get());
    say("no descriptor, 20 ms: " + ask_for(selector, 20ms));
    selector.register_fd(pair.near.get(), EVENT_READ);
    alarm_every(4);
    say("a signal every 4 ms, 60 ms: " + ask_for(selector, 60ms));
    signalled_fd = pair.far.get();
    say("a byte from a signal's handler, no timeout: " + ask(selector, std::nullopt));
    signalled_fd = -1;
    alarm_every(0);
    pair.near.reset();
    say("closed, and still registered: " + ask(selector));
  }
  {
    Selector selector;
    Pair pair;
    const FileDescriptor copy(check(::dup(pair.near.get()), "dup"));  // what keeps it alive
    selector.register_fd(pair.near.get(), EVENT_WRITE);
    const int number = pair.near.get();
    pair.near.reset();
    selector.unregister(number);
    say("closed, then unregistered, and a copy lives: " + ask(selector));
  }
  {
    Selector selector;
    const Pair pair;
    std::vector<FileDescriptor> copies;
    for (int i = 0; i < many; ++i) {
      copies.emplace_back(check(::dup(pair.near.get()), "dup"));
      selector.register_fd(copies.back().get(), EVENT_WRITE);
    }
    std::set<int> seen;
    for (int call = 0; call < many && seen.size() < many; ++call) {
      for (const auto& [key, events] : selector.select(0ns)) seen.insert(key.fd);
    }
    say(std::to_string(many) + " descriptors: " + std::to_string(seen.size()) + " ready");
  }
}

// The same alone: what the selector asked of the kernel can be looked at afterwards.
template <class Selector>
void tell_signals() {
  Selector selector;
  const Pair pair;
  selector.register_fd(pair.near.get(), EVENT_READ);
  alarm_every(4);
  say("a signal every 4 ms, 60 ms: " + ask_for(selector, 60ms));
  alarm_every(0);
}

void run([[maybe_unused]] const Options& options) {
#if defined(__linux__)
  options.has("--signals") ? tell_signals<EpollSelector>() : tell_readiness<EpollSelector>();
#else
  say("no epoll");
#endif
}

}  // namespace

int main(int argc, char* argv[]) {
  probe::nonce();
  return server_main(argc, argv, {{"--signals", nullptr, "only a wait among signals"}}, run);
}
