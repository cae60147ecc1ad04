// Does to the learner's EpollSelector what each rule of registering is about, and says what came of
// it: one line a rule, in a fixed order.

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>

#include <chrono>
#include <functional>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <system_error>

#include "epoll_selector.hpp"
#include "probe.hpp"
#include "socket_pair.hpp"

using namespace socketserver;

namespace {

// One line, its parts worked out from left to right.
void say(std::initializer_list<std::string> parts) {
  std::string line;
  for (const std::string& part : parts) line += part;
  probe::say(line);
}

int a, b;  // their addresses are data

std::string text_of(Events events) {
  if (events == EVENT_READ) return "READ";
  if (events == EVENT_WRITE) return "WRITE";
  if (events == (EVENT_READ | EVENT_WRITE)) return "READ and WRITE";
  return "the events " + std::to_string(events);
}

std::string text_of(const SelectorKey& key) {
  const char* const data = key.data == &a ? "a" : key.data == &b ? "b" : "of nobody";
  return text_of(key.events) + " with data " + data;
}

// What a call came to: the key that it returned, or the kind of its exception.
std::string outcome(const std::function<std::string()>& call) {
  try {
    return call();
  } catch (const std::out_of_range&) {
    return "std::out_of_range";
  } catch (const std::invalid_argument&) {
    return "std::invalid_argument";
  } catch (const std::logic_error&) {
    return "std::logic_error";
  } catch (const std::system_error& error) {
    return "std::system_error, " + error.code().message();
  } catch (...) {
    return "another exception";
  }
}

std::string ask(BaseSelector& selector) {
  return outcome([&]() -> std::string {
    std::string answer;
    for (const auto& [key, events] : selector.select(std::chrono::nanoseconds::zero())) {
      answer += (answer.empty() ? "" : ", ") + text_of({key.fd, events, key.data});
    }
    return answer.empty() ? "nothing" : answer;
  });
}

std::string in_map(const BaseSelector& selector) {
  return std::to_string(selector.get_map().size()) + " in the map";
}

using Pair = probe::SocketPair;

template <class Selector>
void tell_rules() {
  Selector selector;
  Pair pair;
  const int fd = pair.near.get();
  const auto add = [&](int number, Events events, void* data) {
    return outcome([&] { return text_of(selector.register_fd(number, events, data)); });
  };
  const auto change = [&](int number, Events events, void* data) {
    return outcome([&] { return text_of(selector.modify(number, events, data)); });
  };
  const auto remove = [&](int number) {
    return outcome([&] { return text_of(selector.unregister(number)); });
  };
  const auto key_of = [&](int number) {
    return outcome([&] { return text_of(selector.get_key(number)); });
  };

  const int flags = ::fcntl(selector.fileno(), F_GETFD);
  say({"the epoll: ", flags == -1 ? "not open" : "open",
       flags != -1 && (flags & FD_CLOEXEC) ? ", close-on-exec" : ""});
  say({"register: ", add(fd, EVENT_READ, &a), "; ", in_map(selector)});
  say({"register it again: ", add(fd, EVENT_WRITE, &b), "; still ", key_of(fd)});
  say({"register for no events: ", add(pair.far.get(), 0, &b), "; ", in_map(selector)});
  say({"register for the events 4: ", add(pair.far.get(), 4, &b), "; ", in_map(selector)});
  say({"register descriptor -1: ", add(-1, EVENT_READ, &b), "; ", in_map(selector)});
  {
    FileDescriptor closed(check(::dup(fd), "dup"));
    const int number = closed.get();
    closed.reset();
    say({"register a closed descriptor: ", add(number, EVENT_READ, &b), "; ", in_map(selector)});
    const FileDescriptor file(check(::open("/dev/null", O_RDONLY), "open"));
    say({"register /dev/null: ", add(file.get(), EVENT_READ, &b), "; ", in_map(selector)});
  }

  say({"modify: ", change(fd, EVENT_WRITE, &b), "; the key: ", key_of(fd),
       "; select: ", ask(selector)});
  say({"select once more: ", ask(selector)});
  say({"modify the data alone: ", change(fd, EVENT_WRITE, &a), "; the key: ", key_of(fd),
       "; select: ", ask(selector)});
  say({"modify to no events: ", change(fd, 0, &b), "; the key: ", key_of(fd)});
  say({"modify an unknown one: ", change(pair.far.get(), EVENT_READ, &b)});

  // One stays registered: what select() does without any is 07.2's.
  const Pair silent;
  selector.register_fd(silent.near.get(), EVENT_READ);
  say({"unregister: ", remove(fd), "; ", in_map(selector), "; select: ", ask(selector)});
  say({"unregister it again: ", remove(fd)});
  say({"register it after that: ", add(fd, EVENT_WRITE, &b), "; select: ", ask(selector)});
  remove(silent.near.get());

  pair.near.reset();
  say({"modify the data alone, of a closed one: ", change(fd, EVENT_WRITE, &a)});
  say({"modify the events of a closed one: ", change(fd, EVENT_READ, &a), "; ", in_map(selector)});

  Pair gone;
  Pair alive;
  const int number = gone.near.release();
  selector.register_fd(number, EVENT_READ, &a);
  ::close(number);
  say({"unregister a closed one: ", remove(number), "; ", in_map(selector)});

  Pair replaced;
  const int reused = replaced.near.release();
  selector.register_fd(reused, EVENT_READ, &a);
  check(::dup2(alive.near.get(), reused), "dup2");  // closes what had the number
  const FileDescriptor again(reused);
  say({"unregister a number that was given to another: ", remove(reused), "; ", in_map(selector)});
  {
    Pair past;
    const int file_now = past.near.release();
    selector.register_fd(file_now, EVENT_READ, &a);
    const FileDescriptor file(check(::open("/dev/null", O_RDONLY), "open"));
    check(::dup2(file.get(), file_now), "dup2");
    const FileDescriptor owner(file_now);
    say({"unregister a number that a file has now: ", remove(file_now), "; ", in_map(selector)});
  }
  say({"register the other: ", add(reused, EVENT_WRITE, &b), "; select: ", ask(selector)});

  const int own = selector.fileno();
  const auto is_open = [&] { return ::fcntl(own, F_GETFD) != -1 ? "open" : "closed"; };
  const std::string before = is_open();
  selector.close();
  say({"close: its own descriptor was ", before, " and is ", is_open(), "; ", in_map(selector)});
  selector.close();
  say({"after close: register ", add(reused, EVENT_READ, &a), ", modify ",
       change(reused, EVENT_READ, &a), ", unregister ", remove(reused)});
  say({"after close: select ", ask(selector)});
}

void run(const Options&) {
#if defined(__linux__)
  tell_rules<EpollSelector>();
#else
  say({"no epoll"});
#endif
}

}  // namespace

int main(int argc, char* argv[]) {
  probe::nonce();
  return server_main(argc, argv, {}, run);
}
