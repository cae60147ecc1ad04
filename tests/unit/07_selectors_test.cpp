// The selectors: the scenarios of Python's test_selectors, on each of them.

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <epoll_selector.hpp>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/kqueue_selector.hpp>
#include <socketserver/poll_selector.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/select_selector.hpp>
#include <socketserver/selectors.hpp>
#include <socketserver/system_call.hpp>

#include <chrono>
#include <csignal>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/base/catch.hpp"
#include "probes/socket_pair.hpp"

using namespace socketserver;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

struct Kind {
  const char* name;
  std::unique_ptr<BaseSelector> (*make)();
};

template <class Selector>
std::unique_ptr<BaseSelector> make() {
  return std::make_unique<Selector>();
}

const Kind kinds[] = {
    {"PollSelector", make<PollSelector>},
    {"SelectSelector", make<SelectSelector>},
#if defined(__linux__)
    {"EpollSelector", make<EpollSelector>},
#endif
#if defined(SOCKETSERVER_HAS_KQUEUE)
    {"KqueueSelector", make<KqueueSelector>},
#endif
};

bool is(const Kind& kind, const std::string& name) {
  return name == kind.name;
}

// A scenario for each selector.
#define EACH_SELECTOR                                                \
  for (const Kind& kind : kinds) DYNAMIC_SECTION("on " << kind.name) \
  if (const std::unique_ptr<BaseSelector> selector = kind.make())

// Neither of them blocks.
struct Pair : probe::SocketPair {
  Pair() {
    set_nonblocking(near.get());
    set_nonblocking(far.get());
  }
};

// What select() said: descriptor -> events.
using Answer = std::map<int, Events>;
Answer ask(BaseSelector& selector, BaseSelector::Timeout timeout = 0ns) {
  Answer answer;
  for (const auto& [key, events] : selector.select(timeout)) answer[key.fd] |= events;
  return answer;
}

constexpr Events both = EVENT_READ | EVENT_WRITE;

int a, b;  // their addresses are data

}  // namespace

// ---- register, unregister, modify --------------------------------------------------------------

TEST_CASE("a registered descriptor has a key") {
  EACH_SELECTOR {
    const Pair pair;
    const SelectorKey key = selector->register_fd(pair.near.get(), EVENT_READ, &a);
    CHECK(key.fd == pair.near.get());
    CHECK(key.events == EVENT_READ);
    CHECK(key.data == &a);
    CHECK(selector->get_key(pair.near.get()).data == &a);
    CHECK(selector->get_map().size() == 1);
    CHECK(selector->get_map().find(pair.far.get()) == nullptr);
  }
}

TEST_CASE("what cannot be registered is refused, and leaves nothing") {
  EACH_SELECTOR {
    const Pair pair;
    CHECK_THROWS_AS(selector->register_fd(pair.near.get(), 0), std::invalid_argument);
    CHECK_THROWS_AS(selector->register_fd(pair.near.get(), 4), std::invalid_argument);
    CHECK_THROWS_AS(selector->register_fd(-1, EVENT_READ), std::invalid_argument);
    CHECK_THROWS_AS(selector->register_fd(2'000'000'000, EVENT_READ), std::system_error);
    CHECK(selector->get_map().empty());
    selector->register_fd(pair.near.get(), EVENT_READ, &a);
    CHECK_THROWS_AS(selector->register_fd(pair.near.get(), EVENT_WRITE), std::invalid_argument);
    CHECK(selector->get_key(pair.near.get()).data == &a);
    CHECK(selector->get_map().size() == 1);
  }
}

TEST_CASE("an unregistered descriptor is forgotten, and may come back") {
  EACH_SELECTOR {
    const Pair pair;
    selector->register_fd(pair.near.get(), EVENT_WRITE, &a);
    CHECK(selector->unregister(pair.near.get()).data == &a);
    CHECK(selector->get_map().empty());
    CHECK(ask(*selector).empty());
    CHECK_THROWS_AS(selector->unregister(pair.near.get()), std::out_of_range);
    CHECK_THROWS_AS(selector->get_key(pair.near.get()), std::out_of_range);
    CHECK_THROWS_AS(selector->unregister(-1), std::out_of_range);
    selector->register_fd(pair.near.get(), EVENT_WRITE, &b);
    CHECK(ask(*selector) == Answer{{pair.near.get(), EVENT_WRITE}});
  }
}

TEST_CASE("unregister works after the descriptor was closed") {
  EACH_SELECTOR {
    Pair pair;
    const int fd = pair.near.get();
    selector->register_fd(fd, both);
    pair.near.reset();
    CHECK(selector->unregister(fd).fd == fd);
    CHECK(selector->get_map().empty());
  }
}

TEST_CASE("unregister works after the number was given to another descriptor") {
  EACH_SELECTOR {
    Pair first;
    const Pair second;
    const int fd = first.near.release();
    selector->register_fd(fd, both);
    check(::dup2(second.near.get(), fd), "dup2");  // closes the first one
    const FileDescriptor copy(fd);
    CHECK_THROWS_AS(selector->register_fd(fd, both), std::invalid_argument);
    CHECK(selector->unregister(fd).fd == fd);
    selector->register_fd(fd, EVENT_READ, &b);
    CHECK(ask(*selector).empty());
    second.far_writes();
    CHECK(ask(*selector) == Answer{{fd, EVENT_READ}});
  }
}

TEST_CASE("a closed descriptor that is still registered harms nobody else") {
  EACH_SELECTOR {
    Pair gone;
    const Pair alive;
    const int fd = gone.near.get();
    selector->register_fd(fd, EVENT_READ);
    selector->register_fd(alive.near.get(), EVENT_WRITE);
    gone.near.reset();
    if (is(kind, "SelectSelector")) {
      CHECK_THROWS_AS(selector->select(0ns), std::system_error);  // EBADF
    } else {
      const Answer answer = ask(*selector);
      CHECK(answer.count(alive.near.get()) == 1);
      CHECK(answer.count(fd) == (is(kind, "PollSelector") ? 1 : 0));
    }
    selector->unregister(fd);
    CHECK(ask(*selector) == Answer{{alive.near.get(), EVENT_WRITE}});
  }
}

TEST_CASE("modify replaces events and data") {
  EACH_SELECTOR {
    const Pair pair;
    const int fd = pair.near.get();
    selector->register_fd(fd, EVENT_READ, &a);
    CHECK(ask(*selector).empty());
    CHECK(selector->modify(fd, both, &b).data == &b);
    CHECK(ask(*selector) == Answer{{fd, EVENT_WRITE}});
    pair.far_writes();
    CHECK(ask(*selector) == Answer{{fd, both}});
    selector->modify(fd, EVENT_READ, &b);
    CHECK(ask(*selector) == Answer{{fd, EVENT_READ}});
    selector->modify(fd, EVENT_READ, &a);  // the data alone
    CHECK(selector->select(0ns)[0].key.data == &a);
    CHECK(selector->get_key(fd).data == &a);
    CHECK_THROWS_AS(selector->modify(fd, 0, &b), std::invalid_argument);
    CHECK_THROWS_AS(selector->modify(fd, 8, &b), std::invalid_argument);
    CHECK(selector->get_key(fd).data == &a);
    CHECK_THROWS_AS(selector->modify(pair.far.get(), EVENT_READ, &b), std::out_of_range);
  }
}

#if defined(__linux__)
TEST_CASE("epoll: what the kernel refuses leaves no key") {
  EpollSelector selector;
  const FileDescriptor file(check(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open"));
  CHECK_THROWS_AS(selector.register_fd(file.get(), EVENT_READ), std::system_error);  // EPERM
  Pair pair;
  const int fd = pair.near.get();
  pair.near.reset();
  CHECK_THROWS_AS(selector.register_fd(fd, EVENT_READ), std::system_error);  // EBADF
  CHECK(selector.get_map().empty());

  selector.register_fd(pair.far.get(), EVENT_READ, &a);
  const int far = pair.far.get();
  pair.far.reset();
  CHECK(selector.modify(far, EVENT_READ, &b).data == &b);  // no system call: nobody notices
  CHECK_THROWS_AS(selector.modify(far, EVENT_WRITE, &b), std::system_error);
  CHECK(selector.get_map().empty());
}

TEST_CASE("epoll: a descriptor whose copy lives on is silent once it is unregistered") {
  EpollSelector selector;
  Pair pair;
  const FileDescriptor copy(check(::dup(pair.near.get()), "dup"));
  selector.register_fd(pair.near.get(), EVENT_WRITE);
  const int fd = pair.near.get();
  pair.near.reset();  // the kernel keeps the registration: the copy has the same open file
  selector.unregister(fd);
  CHECK(ask(selector).empty());
}
#endif

TEST_CASE("select(2) has no room for large numbers") {
  SelectSelector selector;
  CHECK_THROWS_AS(selector.register_fd(FD_SETSIZE, EVENT_READ), std::system_error);
  CHECK(selector.get_map().empty());
}

// ---- the map and the end -----------------------------------------------------------------------

TEST_CASE("the map is live, and in order") {
  EACH_SELECTOR {
    const SelectorMap& map = selector->get_map();
    CHECK(map.begin() == map.end());
    const Pair one;
    const Pair two;
    for (const int fd : {two.far.get(), one.near.get(), two.near.get()}) {
      selector->register_fd(fd, EVENT_READ);
    }
    std::vector<int> order;
    for (const SelectorKey& key : map) order.push_back(key.fd);
    CHECK(order == std::vector<int>{one.near.get(), two.near.get(), two.far.get()});
    selector->unregister(two.near.get());
    CHECK(map.size() == 2);
    CHECK(std::distance(map.begin(), map.end()) == 2);
    CHECK(map.find(one.near.get())->events == EVENT_READ);
    CHECK(map.find(-1) == nullptr);
  }
}

TEST_CASE("a closed selector says so, always") {
  EACH_SELECTOR {
    const Pair pair;
    selector->register_fd(pair.near.get(), EVENT_READ);
    selector->close();
    selector->close();
    CHECK(selector->get_map().empty());
    CHECK_THROWS_AS(selector->get_key(pair.near.get()), std::logic_error);
    CHECK_THROWS_AS(selector->register_fd(pair.near.get(), EVENT_READ), std::logic_error);
    CHECK_THROWS_AS(selector->unregister(pair.near.get()), std::logic_error);
    CHECK_THROWS_AS(selector->modify(pair.near.get(), EVENT_READ, nullptr), std::logic_error);
    CHECK_THROWS_AS(selector->select(0ns), std::logic_error);
  }
}

#if defined(__linux__)
TEST_CASE("epoll: its own descriptor is closed with it, and by exec") {
  EpollSelector selector;
  const int fd = selector.fileno();
  CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  selector.close();
  CHECK(selector.fileno() == -1);
  CHECK(::fcntl(fd, F_GETFD) == -1);
}
#endif

// ---- select ------------------------------------------------------------------------------------

TEST_CASE("only the writable end of a fresh pair is ready") {
  EACH_SELECTOR {
    const Pair pair;
    selector->register_fd(pair.near.get(), EVENT_READ, &a);
    selector->register_fd(pair.far.get(), EVENT_WRITE, &b);
    const auto ready = selector->select();
    REQUIRE(ready.size() == 1);
    CHECK(ready[0].key.fd == pair.far.get());
    CHECK(ready[0].key.events == EVENT_WRITE);
    CHECK(ready[0].key.data == &b);
    CHECK(ready[0].events == EVENT_WRITE);
  }
}

TEST_CASE("level-triggered: what is unread is reported again") {
  EACH_SELECTOR {
    const Pair pair;
    selector->register_fd(pair.near.get(), EVENT_READ);
    pair.far_writes("xy");
    char byte;
    for (int i = 0; i < 3; ++i) CHECK(ask(*selector).size() == 1);
    CHECK(::read(pair.near.get(), &byte, 1) == 1);
    CHECK(ask(*selector).size() == 1);
    CHECK(::read(pair.near.get(), &byte, 1) == 1);
    CHECK(ask(*selector).empty());
  }
}

TEST_CASE("a full socket is not writable") {
  EACH_SELECTOR {
    const Pair pair;
    selector->register_fd(pair.near.get(), both);
    CHECK(ask(*selector) == Answer{{pair.near.get(), EVENT_WRITE}});
    pair.fill();
    CHECK(ask(*selector).empty());
    pair.far_writes();
    CHECK(ask(*selector) == Answer{{pair.near.get(), EVENT_READ}});
  }
}

TEST_CASE("the end of the other side is every event that was asked for") {
  for (const Events events : {EVENT_READ, EVENT_WRITE, both}) {
    EACH_SELECTOR {
      Pair pair;
      selector->register_fd(pair.near.get(), events);
      pair.far.reset();
      CHECK(ask(*selector) == Answer{{pair.near.get(), events}});
    }
  }
}

TEST_CASE("a pipe without its writer is readable: that is a hang-up, and nothing else") {
  EACH_SELECTOR {
    int ends[2];
    check(::pipe(ends), "pipe");
    const FileDescriptor reader(ends[0]);
    FileDescriptor writer(ends[1]);
    selector->register_fd(reader.get(), EVENT_READ);
    CHECK(ask(*selector).empty());
    writer.reset();
    CHECK(ask(*selector) == Answer{{reader.get(), EVENT_READ}});
  }
}

TEST_CASE("without descriptors it waits for its timeout") {
  EACH_SELECTOR {
    const Clock::time_point begin = Clock::now();
    CHECK(selector->select(20ms).empty());
    CHECK(Clock::now() - begin >= 20ms);
    CHECK(selector->select(0ns).empty());
    CHECK(selector->select(-1s).empty());
  }
}

TEST_CASE("a timeout is never shortened") {
  EACH_SELECTOR {
    const Pair pair;
    selector->register_fd(pair.near.get(), EVENT_READ);
    for (const std::chrono::nanoseconds timeout : {100us, 999us, 1000us, 1001us, 1900us}) {
      for (int i = 0; i < 10; ++i) {
        const Clock::time_point begin = Clock::now();
        CHECK(selector->select(timeout).empty());
        CHECK(Clock::now() - begin >= timeout);
      }
    }
    CHECK(ask(*selector, std::chrono::nanoseconds::min()).empty());
    pair.far_writes();
    CHECK(ask(*selector, std::chrono::nanoseconds::max()).size() == 1);  // longer than any clock
  }
}

namespace {

int signalled_fd = -1;
std::sig_atomic_t alarms = 0;

extern "C" void on_alarm(int) {
  alarms = alarms + 1;
  if (signalled_fd != -1) (void)!::write(signalled_fd, "x", 1);
}

// SIGALRM every 2 ms while it lives.
struct Alarms {
  Alarms() {
    struct sigaction action {};
    action.sa_handler = on_alarm;
    check(::sigaction(SIGALRM, &action, &old), "sigaction");
    alarms = 0;
    itimerval every{{0, 2000}, {0, 2000}};
    check(::setitimer(ITIMER_REAL, &every, nullptr), "setitimer");
  }
  ~Alarms() {
    const itimerval none{};
    (void)::setitimer(ITIMER_REAL, &none, nullptr);
    (void)::sigaction(SIGALRM, &old, nullptr);
  }
  struct sigaction old {};
};

}  // namespace

TEST_CASE("a signal neither shortens nor lengthens a wait") {
  EACH_SELECTOR {
    const Pair pair;
    selector->register_fd(pair.near.get(), EVENT_READ);
    const Alarms alarm;
    const Clock::time_point begin = Clock::now();
    CHECK(selector->select(50ms).empty());
    CHECK(Clock::now() - begin >= 50ms);
    CHECK(alarms >= 1);
  }
}

TEST_CASE("what a signal's handler makes ready ends the wait") {
  EACH_SELECTOR {
    const Pair pair;
    selector->register_fd(pair.near.get(), EVENT_READ);
    signalled_fd = pair.far.get();
    {
      const Alarms alarm;
      CHECK(ask(*selector, std::nullopt).size() == 1);
    }
    signalled_fd = -1;
  }
}

TEST_CASE("twelve pairs in random order") {
  EACH_SELECTOR {
    constexpr std::size_t pairs = 12;
    const std::vector<Pair> sockets(pairs);
    std::map<int, std::size_t> number_of;
    for (std::size_t i = 0; i < pairs; ++i) {
      selector->register_fd(sockets[i].near.get(), EVENT_READ);
      selector->register_fd(sockets[i].far.get(), EVENT_WRITE);
      number_of[sockets[i].near.get()] = number_of[sockets[i].far.get()] = i;
    }
    std::mt19937 random(12);
    std::size_t left = pairs;
    while (left > 0) {
      std::vector<int> writable;
      for (const auto& [key, events] : selector->select(0ns)) {
        if (events & EVENT_WRITE) writable.push_back(key.fd);
      }
      REQUIRE(writable.size() == left);
      const int writer = writable[random() % writable.size()];
      check(::write(writer, "This is a test.", 15), "write");
      int reader = -1;
      for (const auto& [key, events] : selector->select()) {
        if (events & EVENT_READ) reader = key.fd;
      }
      REQUIRE(reader != -1);
      CHECK(number_of[reader] == number_of[writer]);
      char text[32];
      CHECK(::read(reader, text, sizeof text) == 15);
      selector->unregister(reader);
      selector->unregister(writer);
      left -= 1;
    }
  }
}

TEST_CASE("more descriptors than FD_SETSIZE") {
  constexpr int many = 1500;
  rlimit limit{};
  check(::getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  rlimit larger = limit;
  larger.rlim_cur = larger.rlim_max;
  check(::setrlimit(RLIMIT_NOFILE, &larger), "setrlimit");
  for (const Kind& kind : kinds) {
    if (is(kind, "SelectSelector") || larger.rlim_cur < many + 64) continue;
    const std::unique_ptr<BaseSelector> selector = kind.make();
    const Pair pair;
    std::vector<FileDescriptor> copies;
    for (int i = 0; i < many; ++i) {
      copies.emplace_back(check(::dup(pair.near.get()), "dup"));
      selector->register_fd(copies.back().get(), EVENT_WRITE);
    }
    CHECK(selector->get_map().size() == many);
    std::map<int, Events> seen;  // a selector may tell of so many in several calls
    for (int call = 0; call < 10; ++call) {
      for (const auto& [key, events] : selector->select(0ns)) seen[key.fd] |= events;
    }
    CHECK(seen.size() == many);
    for (const FileDescriptor& copy : copies) selector->unregister(copy.get());
    CHECK(selector->get_map().empty());
  }
  check(::setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
}

// ---- the countdown -----------------------------------------------------------------------------

TEST_CASE("a countdown is rounded up, and never beyond what poll(2) takes") {
  CHECK(Countdown(std::nullopt).milliseconds() == -1);
  CHECK_FALSE(Countdown(std::nullopt).left().has_value());
  CHECK(Countdown(0ns).milliseconds() == 0);
  CHECK(Countdown(-5s).milliseconds() == 0);
  CHECK(Countdown(1h).milliseconds() > 3'500'000);
  CHECK(Countdown(24h * 365).milliseconds() == INT32_MAX);
  const Countdown half(500us);
  int left = half.milliseconds();
  CHECK(left <= 1);
  while (left != 0) left = half.milliseconds();
  CHECK(*half.left() == 0ns);
}
