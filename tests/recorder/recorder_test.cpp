// The recorder and its log, proved on victim.cpp in each build: plain, checked, raced.
// KIT_RECORDER_VICTIMS (the environment's, else the build's own) lists them, separated by colons.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/personality.h>
#endif

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "harness/base/catch.hpp"
#include "harness/base/escape.hpp"
#include "harness/base/sources.hpp"
#include "harness/kernel/frames.hpp"
#include "harness/seen/recorder_log.hpp"

using namespace std::chrono_literals;
using namespace std::string_literals;
using kit::Calls;
using kit::Fault;
using kit::RecorderLog;

namespace {

std::vector<std::string> victims() {
  const char* given = std::getenv("KIT_RECORDER_VICTIMS");
  std::istringstream list(given ? given : KIT_RECORDER_VICTIMS);
  std::vector<std::string> paths;
  for (std::string path; std::getline(list, path, ':');) paths.push_back(path);
  return paths;
}

// The victim as a process; what it says on stdout and stderr comes back line by line.
class Victim {
 public:
  Victim(std::string path, std::vector<std::string> arguments, const RecorderLog* log) {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("pipe");
    output_ = ends[0];
    arguments.insert(arguments.begin(), path);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    std::string variable = std::string(RecorderLog::environment_variable) + "=7";
    char* with[] = {variable.data(), nullptr};
    char* without[] = {nullptr};
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], 1);
      dup2(ends[1], 2);
      if (log) dup2(log->fd(), 7);
      for (int fd = 3; fd < 64; ++fd)
        if (fd != 7 || !log) close(fd);
#ifdef __linux__
      personality(ADDR_NO_RANDOMIZE);  // ThreadSanitizer
#endif
      execve(path.c_str(), argv.data(), log ? with : without);
      _exit(127);
    }
    close(ends[1]);
  }
  Victim(const Victim&) = delete;
  Victim& operator=(const Victim&) = delete;
  ~Victim() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(output_);
  }

  pid_t pid() const {
    return pid_;
  }
  void signal(int number) const {
    kill(pid_, number);
  }

  std::string line() {
    for (;;) {
      if (const auto end = said_.find('\n'); end != std::string::npos) {
        std::string first = said_.substr(0, end);
        said_.erase(0, end + 1);
        return first;
      }
      if (!read_more()) return std::exchange(said_, "");
    }
  }

  // Everything until its end, and how it ended: an exit status, or minus a signal.
  std::string rest() {
    while (read_more()) {
    }
    return said_;
  }
  int wait() {
    int status = 0;
    waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  bool read_more() {
    char buffer[4096];
    pollfd ready{output_, POLLIN, 0};
    if (poll(&ready, 1, 20'000) <= 0) throw std::runtime_error("the victim says nothing");
    const ssize_t got = read(output_, buffer, sizeof buffer);
    if (got > 0) said_.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
  }

  pid_t pid_ = -1;
  int output_ = -1;
  std::string said_;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

template <class Predicate>
bool eventually(Predicate predicate) {
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (!predicate()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// Of the victim's source: the first that holds these words.
long line_of(std::string_view words) {
  const std::string text = kit::read_text(KIT_RECORDER_VICTIM_SOURCE).value_or("");
  const auto at = static_cast<long>(std::min(text.find(words), text.size()));
  return std::count(text.begin(), text.begin() + at, '\n') + 1;
}

// Whether one of a call's callers is that line.
bool leads_to(const kit::CallRecord& call, const std::string& path, std::string_view words) {
  const auto lines = kit::lines_at(call.callers, path);
  const std::string place = "/victim.cpp:" + std::to_string(line_of(words));
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.ends_with(place); });
}

// Runs a scene with these faults to its end and returns what it said.
struct Played {
  std::string said;
  int status;
};
Played play(const std::string& path, const RecorderLog* log, std::vector<std::string> scene) {
  Victim victim(path, std::move(scene), log);
  std::string said = victim.rest();
  return {said, victim.wait()};
}

template <class Body>
void each_victim(Body body) {
  for (const std::string& path : victims()) {
    INFO(path);
    body(path);
  }
}

}  // namespace

TEST_CASE("a conversation is written down as a person would") {
  each_victim([](const std::string& path) {
    RecorderLog log;
    CHECK(play(path, &log, {"echo"}).status == 0);
    CHECK(log.attached());
    const std::string text = log.text();
    INFO(text);
    CHECK(contains(text, "socket(AF_INET, SOCK_STREAM) = 3"));
    CHECK(contains(text, "bind(3, 127.0.0.1:0) = 0"));
    CHECK(contains(text, "listen(3, 16) = 0"));
    CHECK(contains(text, "accept(3) = 5"));
    CHECK(contains(text, "recv(5, 1024) = 6 \"hello \""));
    CHECK(contains(text, "send(5, 6) = 6"));
    CHECK(contains(text, "shutdown(5, SHUT_WR) = 0"));
    CHECK(contains(text, "close(5) = 0"));
    CHECK(contains(text, "close(5) = -1 EBADF"));
    CHECK(log.count(Calls::any_recv) == 1);
    CHECK(log.count(Calls::any_send) == 2);
    CHECK(log.count(Calls::close) == 4);
    CHECK(log.failed(Calls::close) == 1);
    CHECK(log.pending().empty());
    CHECK(log.records().back().socket == kit::recorder::listener);
    for (const std::string& line : lines_of(text)) CHECK(kit::width_of(line) <= 80);
  });
}

TEST_CASE("what is settled beforehand is told with its names") {
  each_victim([](const std::string& path) {
    RecorderLog log;
    const Played played = play(path, &log, {"settings"});
    const std::string folder = played.said.substr(0, played.said.size() - 1);
    const std::string text = log.text();
    INFO(text);
    for (const std::string& call :
         {"setsockopt(3, SO_REUSEADDR, 1) = 0"s, "setsockopt(3, TCP_NODELAY, 1) = 0"s,
          "setsockopt(3, SO_LINGER, 0 s) = 0"s, "setsockopt(3, SO_RCVTIMEO) = 0"s,
          "getsockopt(3, SO_ERROR) = 0 (0)"s, "fcntl(3, F_SETFL, O_NONBLOCK) = 0"s,
          "umask(077) = 0"s, "mkdir(\"" + folder + "\", 0755) = 0",
          "lstat(\"" + folder + "/s\") = -1 ENOENT", "chmod(\"" + folder + "\", 0700) = 0",
          "rename(…, \"" + folder + "-moved\") = 0", "unlinkat(\"" + folder + "-moved\") = 0"}) {
      INFO(call);
      CHECK(contains(text, call));
    }
    CHECK(!contains(text, "F_SETFD"));
  });
}

// ---- how the calls are laid out -----------------------------------------------------------------

namespace {

// A program's side of the log, without a program.
class Scribe {
 public:
  explicit Scribe(const RecorderLog& log)
      : block_(static_cast<kit::recorder::Block*>(mmap(nullptr, sizeof(kit::recorder::Block),
                                                       PROT_READ | PROT_WRITE, MAP_SHARED, log.fd(),
                                                       0))) {
    if (block_ == MAP_FAILED) throw std::runtime_error("mmap");
  }
  Scribe(const Scribe&) = delete;
  Scribe& operator=(const Scribe&) = delete;
  ~Scribe() { munmap(block_, sizeof *block_); }

  int process = 1;

  void call(kit::recorder::Call call, int fd, std::int64_t result, std::string_view data = "",
            kit::recorder::Action injected = kit::recorder::Action::none) {
    kit::recorder::Record record{};
    record.pid = record.tid = process;
    record.call = call;
    record.state = kit::recorder::State::returned;
    record.injected = injected;
    record.error = result == -1 ? EINTR : 0;
    record.result = result;
    record.arguments[0] = fd;
    record.arguments[1] = 1024;
    record.data_size = static_cast<std::uint32_t>(
        data.copy(reinterpret_cast<char*>(record.data), sizeof record.data));
    const std::uint64_t place = next_++;
    put(record, block_->ring[place % kit::recorder::ring_size], place);
    if (place < kit::recorder::first_size) put(record, block_->first[place], place);
  }

 private:
  static void put(kit::recorder::Record record, kit::recorder::SharedRecord& to,
                  std::uint64_t place) {
    record.sequence = place + 1;
    std::uint64_t words[kit::recorder::record_words];
    std::memcpy(words, &record, sizeof record);
    for (std::size_t i = 0; i < kit::recorder::record_words; ++i) to.words[i].store(words[i]);
  }

  kit::recorder::Block* block_;
  std::uint64_t next_ = 0;
};

std::string trace_of(const RecorderLog& log) {
  return log.text({.columns = 80, .indent = 4, .last = kit::recorder::ring_size, .lines = 12});
}

}  // namespace

using kit::recorder::Action;
using kit::recorder::Call;

TEST_CASE("a trace shows the first calls and the last, and counts what is between") {
  RecorderLog log;
  Scribe scribe(log);
  scribe.call(Call::listen, 3, 0);
  for (int i = 0; i < 999; ++i) {
    scribe.call(Call::recv, 5 + i % 2, 5, "hello" + std::to_string(i));
  }
  const std::string text = trace_of(log);
  INFO(text);
  const auto lines = lines_of(text);
  CHECK(lines.size() == 12);
  CHECK(lines[0].starts_with("    listen(3, 1024) = 0   recv(5, 1024) = 5 \"hello0\""));
  CHECK(contains(lines[3], "    … 97"));
  CHECK(lines[3].ends_with(" more calls …"));
  CHECK(contains(lines[11], "\"hello998\""));
  for (const std::string& line : lines) CHECK(kit::width_of(line) <= 80);
  // All that is shown and all that is left out are all calls.
  std::size_t shown = 0;
  for (std::size_t at = 0; (at = text.find(") = ", at)) != std::string::npos; ++at) ++shown;
  CHECK(contains(lines[3], std::to_string(1000 - shown) + " more calls"));
}

TEST_CASE("a short trace is told from its first call to its last") {
  RecorderLog log;
  CHECK(trace_of(log).empty());
  Scribe scribe(log);
  scribe.call(Call::accept, 3, 5);
  scribe.call(Call::close, 5, 0);
  CHECK(trace_of(log) == "    accept(3) = 5   close(5) = 0\n");
}

TEST_CASE("calls that are the same are told once, with their number") {
  RecorderLog log;
  Scribe scribe(log);
  for (int i = 0; i < 100; ++i) scribe.call(Call::accept, 3, 5);
  for (int i = 0; i < 9; ++i) {
    scribe.call(Call::recv, 5, 1, "x");
    scribe.call(Call::send, 5, 1);
  }
  for (int fd = 10; fd < 60; ++fd) scribe.call(Call::close, fd, 0);
  CHECK(trace_of(log) ==
        "    accept(3) = 5 ×100   (recv(5, 1024) = 1 \"x\"   send(5, 1024) = 1) ×9\n"
        "    close(10…59) = 0 ×50\n");
}

TEST_CASE("a row that takes several lines is told whole or not at all") {
  RecorderLog log;
  Scribe scribe(log);
  const std::string bytes(28, 'b');
  for (int i = 0; i < 30; ++i) scribe.call(Call::send, 5, i);
  for (int i = 0; i < 9; ++i) {
    for (int fd = 5; fd < 9; ++fd) scribe.call(Call::recv, fd, 28, bytes);
  }
  for (int i = 0; i < 18; ++i) scribe.call(Call::send, 5, i);
  const std::string text = trace_of(log);
  INFO(text);
  CHECK(std::count(text.begin(), text.end(), '\n') <= 12);
  // As many rows begin as end.
  const bool begins = contains(text, "(recv(5");
  CHECK(begins == contains(text, ") ×9"));
}

TEST_CASE("what the check did stands behind a wide call too, and how often") {
  RecorderLog log;
  Scribe scribe(log);
  for (int i = 0; i < 200; ++i) {
    scribe.call(Call::recvfrom, 1'000'000'007, 48, std::string(48, 'x'), Action::endless);
  }
  const std::string text = trace_of(log);
  INFO(text);
  CHECK(contains(text, "… (filled by the check) ×200\n"));
  CHECK(kit::width_of(text) <= 81);
}

TEST_CASE("of several processes a call says whose it is, where that changes") {
  RecorderLog log;
  Scribe scribe(log);
  scribe.call(Call::accept, 3, 5);
  scribe.call(Call::close, 5, 0);
  scribe.process = 2;
  scribe.call(Call::recv, 5, 1, "x");
  CHECK(trace_of(log) == "    [1] accept(3) = 5   close(5) = 0   [2] recv(5, 1024) = 1 \"x\"\n");
}

TEST_CASE("what the check did to a call stands behind it, and in what is left out") {
  RecorderLog log;
  Scribe scribe(log);
  scribe.call(Call::recv, 5, -1, "", Action::fail);
  scribe.call(Call::recv, 5, 4, "xxx\n", Action::endless);
  scribe.call(Call::send, 5, 1, "", Action::shorten);
  scribe.call(Call::send, 5, 1, "", Action::hold);
  scribe.call(Call::accept, 3, -1, "", Action::vanish);
  CHECK(trace_of(log) ==
        "    recv(5, 1024) = -1 EINTR (told by the check)\n"
        "    recv(5, 1024) = 4 \"xxx\\n\" (filled by the check)\n"
        "    send(5, 1024) = 1 (cut short by the check)\n"
        "    send(5, 1024) = 1 (held by the check, then let go)\n"
        "    accept(3) = -1 EINTR (the check took away what waited)\n");
  for (int i = 0; i < 100; ++i) scribe.call(Call::recv, 5, 4, std::to_string(1000 + i));
  for (int i = 0; i < 20; ++i) scribe.call(Call::send, 5, i);
  const std::string text = trace_of(log);
  INFO(text);
  CHECK(contains(text, ", 2 of them told, cut or held by the check …\n"));
}

TEST_CASE("bytes that need escapes leave a trace in its width") {
  RecorderLog log;
  Scribe scribe(log);
  for (int i = 0; i < 4; ++i) {
    scribe.call(Call::recv, 5, 48, std::string(48, static_cast<char>(0x80 + i)), Action::endless);
  }
  const auto lines = lines_of(trace_of(log));
  CHECK(lines.size() == 4);
  CHECK(lines[0] == R"(    recv(5, 1024) = 48 "\x80\x80\x80\x80\x80\x80"… (filled by the check))");
  for (const std::string& line : lines) CHECK(kit::width_of(line) <= 80);
}

TEST_CASE("calls have their times if somebody asks for them, and each is given once") {
  each_victim([](const std::string& path) {
    const auto now = [] {
      return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
    };
    RecorderLog untimed;
    CHECK(play(path, &untimed, {"echo"}).status == 0);
    for (const auto& record : untimed.records()) {
      CHECK(record.entered_at == 0);
      CHECK(record.returned_at == 0);
    }
    RecorderLog log;
    log.keep_times();
    const auto before = now();
    CHECK(play(path, &log, {"echo"}).status == 0);
    std::uint64_t seen = 0;
    std::uint64_t lost = 0;
    const auto records = log.since(seen, lost);
    CHECK(records.size() == log.records(256).size());
    CHECK(lost == 0);
    CHECK(log.since(seen, lost).empty());
    for (const auto& record : records) {
      CHECK(record.entered_at >= before);
      CHECK(record.returned_at >= record.entered_at);
      CHECK(record.returned_at <= now());
    }
  });
}

TEST_CASE("the program does not see the recorder") {
  each_victim([](const std::string& path) {
    RecorderLog log;
    const std::string with = play(path, &log, {"descriptors"}).said;
    CHECK(contains(with, " clean"));
    CHECK(with == play(path, nullptr, {"descriptors"}).said);
  });
}

TEST_CASE("without a log every call goes straight through") {
  each_victim([](const std::string& path) {
    CHECK(play(path, nullptr, {"echo"}).status == 0);
    CHECK(play(path, nullptr, {"forks"}).said == "status 3\n");
  });
}

TEST_CASE("reads and writes of what is no socket are left alone") {
  each_victim([](const std::string& path) {
    RecorderLog log;
    log.add(Fault::fail(Calls::any_recv | Calls::any_send, EPERM).always());
    CHECK(play(path, &log, {"pipes"}).said == "1 1\n");
    CHECK(log.count(Calls::any) == 0);
  });
}

TEST_CASE("each way to receive or send can be cut short, and fail") {
  each_victim([](const std::string& path) {
    for (const std::string call :
         {"recv", "recvfrom", "recvmsg", "read", "readv", "readv2", "recvfrom-by-number", "send",
          "sendto", "sendmsg", "write", "writev", "writev2", "sendfile", "sendto-by-number"}) {
      INFO(call);
      RecorderLog plain;
      CHECK(play(path, &plain, {"transfer", call}).said == "12 abcdefghijkl\n");
      RecorderLog shortened;
      const bool sends = call[0] == 's' || call[0] == 'w';
      const Calls scene_calls = sends ? Calls::any_send : Calls::any_recv;
      const auto first = shortened.add(Fault::shorten(scene_calls, 7));
      CHECK(play(path, &shortened, {"transfer", call}).said == "7 abcdefg\n");
      CHECK(first.delivered() == 1);
      RecorderLog failing;
      const auto second = failing.add(Fault::fail(scene_calls, ENOBUFS).on_streams());
      const std::string said = play(path, &failing, {"transfer", call}).said;
      CHECK(contains(said, "-1 " + std::to_string(ENOBUFS)));
      const std::string name = call.ends_with("v2") ? 'p' + call : call.substr(0, call.find('-'));
      CHECK(contains(failing.text(), name + "(3, "));
      CHECK(contains(failing.text(), "= -1 ENOBUFS (told by the check)"));
      CHECK(second.delivered() == 1);
    }
  });
}

TEST_CASE("the relatives of a call are known, by name and by number") {
  each_victim([](const std::string& path) {
    RecorderLog log;
    const std::string right =
        "sendmmsg 1\nrecvmmsg 1\nepoll_pwait2 0\nclone3 1\nwaitid 0\ngetsockopt 0\n";
    CHECK(play(path, &log, {"relatives"}).said == right);
    CHECK(log.count(Calls::any_fork) == 1);
    CHECK(log.count(Calls::any_reap) == 1);
    CHECK(log.count(Calls::any_wait) == 1);
    CHECK(log.count(Calls::recvmmsg | Calls::sendmmsg) == 2);
    RecorderLog failing;
    failing.add(Fault::fail(Calls::any_recv | Calls::any_send | Calls::any_wait | Calls::any_fork |
                                Calls::any_reap | Calls::getsockopt,
                            EPERM)
                    .always()
                    .in_a_row());
    std::istringstream lines(play(path, &failing, {"relatives"}).said);
    int count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
      INFO(line);
      CHECK(line.ends_with(" -1 1"));
    }
    CHECK(count == 6);
  });
}

TEST_CASE("a loop that turns, and one that looks again and again, are noticed") {
  each_victim([](const std::string& path) {
    const auto turns = [&](const std::string& scene) {
      RecorderLog log;
      play(path, &log, {scene});
      REQUIRE(log.attached());
      return log.turning().has_value();
    };
    CHECK(!turns("works"));
    CHECK(!turns("woken"));
    CHECK(turns("wakes_itself"));
    RecorderLog turning;
    CHECK(play(path, &turning, {"turns"}).said == "turned\n");
    REQUIRE(turning.turning());
    CHECK(contains(turning.turning()->text(), "recv(3, 1, MSG_DONTWAIT) = -1 EAGAIN"));
    CHECK(leads_to(*turning.turning(), path, "// for nothing"));
    const auto calls = turning.records();
    const auto last = std::find_if(calls.rbegin(), calls.rend(),
                                   [](const auto& call) { return call.is(Calls::recv); });
    REQUIRE(last != calls.rend());
    CHECK(leads_to(*last, path, "// for nothing"));
    CHECK(turning.turns_most() == 1500);
    CHECK(!turning.dozing());
    RecorderLog dozing;
    CHECK(play(path, &dozing, {"dozes"}).said == "dozed\n");
    REQUIRE(dozing.dozing());
    CHECK(contains(dozing.dozing()->text(), "poll(1, 1) = 0"));
    CHECK(!dozing.turning());
    CHECK(!dozing.napping());
  });
}

TEST_CASE("looks for nothing with a sleep after each are noticed, and a pause is none") {
  each_victim([](const std::string& path) {
    RecorderLog naps;
    CHECK(play(path, &naps, {"naps"}).said == "napped\n");
    REQUIRE(naps.napping());
    CHECK(contains(naps.napping()->text(), "recv(3, 1, MSG_DONTWAIT) = -1 EAGAIN"));
    CHECK(leads_to(*naps.napping(), path, "// a look"));
    CHECK(naps.count(Calls::any_sleep) == 60);
    CHECK(!naps.turning());
    RecorderLog finds;
    CHECK(play(path, &finds, {"naps_and_finds"}).said == "napped\n");
    CHECK(!finds.napping());
    RecorderLog pauses;
    pauses.add(Fault::fail(Calls::any_accept, EMFILE).always().in_a_row());
    CHECK(play(path, &pauses, {"pauses"}).said == "paused\n");
    CHECK(!pauses.napping());
  });
}

TEST_CASE("a call on a number that was closed is noticed, and kept") {
  each_victim([](const std::string& path) {
    RecorderLog log;
    CHECK(play(path, &log, {"closed"}).said == "-1 " + std::to_string(EBADF) + "\n");
    REQUIRE(log.closed_used());
    CHECK(contains(log.closed_used()->text(), "send(3, 1) = -1 EBADF"));
    CHECK(leads_to(*log.closed_used(), path, "// a closed one"));
    RecorderLog polled;
    CHECK(play(path, &polled, {"polls_closed_twice"}).said == "polled\n");
    REQUIRE(polled.closed_used());
    CHECK(contains(polled.closed_used()->text(), "poll(1, 0) = 1"));
    RecorderLog once;  // somebody else closed it meanwhile
    CHECK(play(path, &once, {"polls_closed"}).said == "polled\n");
    CHECK(!once.closed_used());
    RecorderLog clean;
    play(path, &clean, {"count_receives"});
    CHECK(!clean.closed_used());
  });
}

TEST_CASE("a thread that has given its lock back can be held there") {
  each_victim([](const std::string& path) {
    RecorderLog log;
    auto held = log.add(Fault::hold(Calls::mutex_unlock));
    Victim victim(path, {"unlocks"}, &log);
    CHECK(victim.line() == "in between");
    CHECK(eventually([&] { return held.holding() == 1; }));
    held.release();
    CHECK(victim.line() == "on");
    CHECK(victim.wait() == 0);
  });
}

TEST_CASE("every call can fail, in the way its manual says") {
  each_victim([](const std::string& path) {
    RecorderLog log;
    log.add(Fault::fail(Calls::socket, EPERM).at(2));
    log.add(Fault::fail(Calls::bind, EPERM).at(2));
    log.add(Fault::fail(Calls::listen, EPERM).at(2));
    const Calls others = Calls::any_accept | Calls::connect | Calls::shutdown | Calls::any_wait |
                         Calls::epoll_create1 | Calls::epoll_ctl | Calls::any_fork |
                         Calls::any_reap | Calls::unlink | Calls::any_thread;
    log.add(Fault::fail(others, EPERM).always().in_a_row());
    const Played played = play(path, &log, {"all_failures"});
    CHECK(played.status == 0);
    std::istringstream lines(played.said);
    int count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
      INFO(line);
      CHECK((contains(line, " -1 1") || line == "posix_spawn 1 errno 7" ||
             line == "pthread_create 1 errno 7" || line == "thread 1"));
    }
    CHECK(count == 24);
  });
}

TEST_CASE("EINTR comes as often as asked, and never twice running") {
  each_victim([](const std::string& path) {
    RecorderLog log;
    const auto every_time = log.add(Fault::fail(Calls::any_recv, EINTR).always());
    log.add(Fault::shorten(Calls::any_recv, 1));
    CHECK(play(path, &log, {"count_receives"}).said == "abcdefghijkl 13\n");
    CHECK(every_time.delivered() == 13);
    CHECK(every_time.seen() == 26);

    RecorderLog sparse;
    sparse.add(Fault::fail(Calls::any_recv, EINTR).at(2).every(5).times(2));
    sparse.add(Fault::shorten(Calls::any_recv, 1));
    CHECK(play(path, &sparse, {"count_receives"}).said == "abcdefghijkl 2\n");

    RecorderLog in_a_row;
    in_a_row.add(Fault::fail(Calls::any_recv, EINTR).times(5).in_a_row());
    CHECK(play(path, &in_a_row, {"count_receives"}).said == "abcdefghijkl 5\n");
  });
}

TEST_CASE("a datagram is never cut") {
  each_victim([](const std::string& path) {
    RecorderLog log;
    const auto fault = log.add(Fault::shorten(Calls::any_recv, 1));
    CHECK(play(path, &log, {"datagram"}).said == "12\n");
    CHECK(fault.delivered() == 0);
    RecorderLog other;
    other.add(Fault::fail(Calls::any_recv, EAGAIN).on_datagrams());
    CHECK(play(path, &other, {"datagram"}).said == "-1 " + std::to_string(EAGAIN) + "\n");
  });
}

TEST_CASE("a fault can be for one peer, and for one descriptor") {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(listen(listener, SOMAXCONN) == 0);
  REQUIRE(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const std::uint16_t port = ntohs(address.sin_port);
  each_victim([&](const std::string& path) {
    const auto sent = [&](const Fault& fault) {
      RecorderLog log;
      log.add(fault);
      return play(path, &log, {"talk", std::to_string(port)}).said;
    };
    CHECK(sent(Fault::shorten(Calls::any_send, 3).peer(port)) == "3\n");
    CHECK(sent(Fault::shorten(Calls::any_send, 3).peer(static_cast<std::uint16_t>(port ^ 1))) ==
          "10\n");
    CHECK(sent(Fault::shorten(Calls::any_send, 3).descriptor(3)) == "3\n");
    CHECK(sent(Fault::shorten(Calls::any_send, 3).descriptor(4)) == "10\n");
  });
  close(listener);
}

TEST_CASE("a held call waits until it is released, and only that call") {
  each_victim([](const std::string& path) {
    RecorderLog log;
    auto held = log.add(Fault::hold(Calls::any_send));
    Victim victim(path, {"two_threads"}, &log);
    CHECK(victim.line() == "other thread runs");
    CHECK(eventually([&] { return held.holding() == 1; }));
    const auto pending = log.pending();
    REQUIRE(!pending.empty());
    CHECK(contains(log.text(), "send(3, 4) …waiting (held by the check)"));
    held.release();
    CHECK(victim.line() == "sent 4");
    CHECK(contains(log.text(), "send(3, 4) = 4 (held by the check, then let go)"));
    CHECK(victim.rest() == "4\n");
    CHECK(victim.wait() == 0);
    CHECK(held.holding() == 0);
    CHECK(held.delivered() == 1);
  });
}

TEST_CASE("nothing is held for ever") {
  each_victim([](const std::string& path) {
    RecorderLog log;
    log.add(Fault::hold(Calls::any_send).for_at_most(30ms));
    CHECK(contains(play(path, &log, {"two_threads"}).said, "sent 4"));
  });
}

TEST_CASE("a signal's handler runs, and the calls in it are recorded") {
  each_victim([](const std::string& path) {
    RecorderLog log;
    Victim victim(path, {"signals"}, &log);
    CHECK(victim.line() == "ready");
    CHECK(eventually([&] { return log.count(Calls::recv) == 1; }));
    victim.signal(SIGTERM);
    CHECK(victim.line() == "ended with 0");
    CHECK(victim.wait() == 0);
    CHECK(log.count(Calls::shutdown) == 1);

    RecorderLog holding;
    auto held = holding.add(Fault::hold(Calls::any_recv));
    Victim other(path, {"signals"}, &holding);
    CHECK(eventually([&] { return held.holding() == 1; }));
    CHECK(other.line() == "ready");
    other.signal(SIGTERM);
    CHECK(eventually([&] { return holding.count(Calls::shutdown) == 1; }));  // while it is held
    CHECK(held.holding() == 1);
    held.release();
    CHECK(contains(other.rest(), "ended with 0"));
  });
}

TEST_CASE("a fault can be added while the program runs") {
  each_victim([](const std::string& path) {
    RecorderLog log;
    auto held = log.add(Fault::hold(Calls::any_recv));
    Victim victim(path, {"count_receives"}, &log);
    CHECK(eventually([&] { return held.holding() == 1; }));
    log.add(Fault::fail(Calls::any_recv, EINTR).times(3).in_a_row());
    held.withdraw();
    CHECK(victim.rest() == "abcdefghijkl 3\n");
  });
}

TEST_CASE("an idle program's wait is seen, with its timeout") {
  each_victim([](const std::string& path) {
    RecorderLog log;
    Victim victim(path, {"wait_for_ever"}, &log);
    CHECK(eventually([&] { return log.last_wait().has_value(); }));
    const auto wait = log.last_wait();
    CHECK(!wait->returned);
    CHECK(wait->timeout() == -1);
    CHECK(wait->pid == victim.pid());
    CHECK(contains(log.text(), "poll(1, -1) …waiting"));
    victim.signal(SIGKILL);
    victim.wait();
    CHECK(log.pending().empty());
    CHECK(contains(log.text(), "poll(1, -1) …never returned"));
  });
}

TEST_CASE("a wait is still seen after thousands of other calls") {
  each_victim([](const std::string& path) {
    RecorderLog log;
    Victim victim(path, {"wait_while_busy"}, &log);
    CHECK(victim.line() == "busy done");
    CHECK(eventually([&] { return log.count(Calls::ppoll) == 1; }));
    CHECK(log.last_wait()->timeout() == 60'001);
    CHECK(log.count(Calls::any_send) == 2000);
    CHECK(log.records(1000).size() == kit::recorder::ring_size);
    CHECK(log.records().size() == 64);
    CHECK(contains(log.text(), " more calls …"));
    CHECK(contains(log.text(), "ppoll(1, 60001) …waiting"));
  });
}

TEST_CASE("children write into the same log, and are told apart") {
  each_victim([](const std::string& path) {
    RecorderLog log;
    CHECK(play(path, &log, {"forks"}).said == "status 3\n");
    CHECK(log.count(Calls::fork) == 2);
    CHECK(log.count(Calls::close) == 4);
    const std::string text = log.text();
    INFO(text);
    CHECK(contains(text, "fork() = 0"));
    CHECK(contains(text, "(exit 3)"));
    CHECK(contains(text, "waitpid(-1, 0) = -1 ECHILD"));
    std::vector<int> pids;
    for (const auto& record : log.records()) {
      if (std::find(pids.begin(), pids.end(), record.pid) == pids.end()) pids.push_back(record.pid);
      CHECK(record.tid == record.pid);
    }
    CHECK(pids.size() == 3);
  });
}

TEST_CASE("a call that a process died in never returned") {
  each_victim([](const std::string& path) {
    RecorderLog log;
    Victim victim(path, {"killed_in_a_call"}, &log);
    CHECK(victim.line() == "child waits");
    CHECK(eventually([&] { return log.pending().size() == 2; }));
    for (const auto& call : log.pending())
      if (call.is(Calls::recv)) kill(call.pid, SIGKILL);
    CHECK(victim.rest() == "signal 9\n");
    CHECK(contains(log.text(), "recv(3, 1) …never returned"));
    CHECK(contains(log.text(), "(signal 9)"));
  });
}

TEST_CASE("an endless receive fills whatever it is given") {
  each_victim([](const std::string& path) {
    RecorderLog log;
    const auto fault = log.add(Fault::endless('x', 4));
    CHECK(play(path, &log, {"endless"}).said == "8 xxx\nxxx\n8 xxx\nxxx\n");
    CHECK(fault.delivered() == 2);
    CHECK(contains(log.text(), "recv(3, 8) = 8 \"xxx\\nxxx\\n\" (filled by the check)"));
  });
}

TEST_CASE("calls without names are written down, and meet their faults") {
  each_victim([](const std::string& path) {
    RecorderLog log;
    const auto cut = log.add(Fault::shorten(Calls::any_send, 4).times(1));
    const auto failed = log.add(Fault::fail(Calls::any_send, EINTR).at(2));
    const std::string said = play(path, &log, {"bare_calls"}).said;
    if (said == "not here\n") return;
    CHECK(said == "4, 4 abcd, -" + std::to_string(EINTR) + "\n");
    CHECK(cut.delivered() == 1);
    CHECK(failed.delivered() == 1);
    CHECK(log.count(Calls::any_recv) == 1);
    CHECK(log.sent() == 4);
    CHECK(log.received() == 4);
    CHECK(log.faults_are_ours());
  });
}

TEST_CASE("a client, or a datagram, has gone before the call") {
  each_victim([](const std::string& path) {
    RecorderLog log;
    const auto client = log.add(Fault::vanish(Calls::any_accept));
    const auto datagram = log.add(Fault::vanish(Calls::any_recv));
    CHECK(play(path, &log, {"vanishing"}).said == "the second, here\n");
    CHECK(client.delivered() == 1);
    CHECK(datagram.delivered() == 1);
    CHECK(contains(log.text(), "(the check took away what waited)"));
  });
}

TEST_CASE("threads that meet in the recorder lose nothing and mix nothing up") {
  each_victim([](const std::string& path) {
    RecorderLog log;
    CHECK(play(path, &log, {"no_race"}).said == "no race\n");
    CHECK(log.count(Calls::thread) == 8);
    CHECK(log.count(Calls::send) == 1600);
    CHECK(log.count(Calls::recv) == 1600);
    CHECK(log.count(Calls::close) == 3200);
    CHECK(log.pending().empty());
    const auto records = log.records(1000);
    CHECK(records.size() == kit::recorder::ring_size);
    for (const auto& record : records)
      if (record.is(Calls::recv)) CHECK(record.data == "abcdefghijklmnopqrstuvwxyz");
  });
}

TEST_CASE("a race is found by ThreadSanitizer every time, and none that is not there") {
  for (const std::string& path : victims()) {
    if (!contains(path, "raced")) continue;
    INFO(path);
    int found = 0;
    for (int i = 0; i < 30; ++i) {
      RecorderLog log;
      const Played played = play(path, &log, {"race"});
      INFO(played.said);
      CHECK(played.status == 66);  // TSan has reported something
      found += contains(played.said, "WARNING: ThreadSanitizer: data race");
    }
    CHECK(found == 30);
    for (const auto& [scene, end] :
         {std::pair{"no_race", "no race\n"}, std::pair{"handed_over", "handed over\n"}}) {
      RecorderLog log;
      const Played played = play(path, &log, {scene});
      CHECK(played.said == end);
      CHECK(played.status == 0);
    }
  }
}

TEST_CASE("a program that scribbles on the block harms nobody") {
  each_victim([](const std::string& path) {
    RecorderLog log;
    auto fault = log.add(Fault::fail(Calls::accept, EMFILE));
    CHECK(ftruncate(log.fd(), 0) == -1);
    CHECK(contains(play(path, &log, {"scribble"}).said, "scribbled"));
    for (const auto& record : log.records(1000)) CHECK(!record.text().empty());
    log.pending();
    log.last_wait();
    log.text();
    log.count(Calls::any);
    fault.delivered();
    fault.holding();
    log.release_all();
    log.add(Fault::hold(Calls::any_send)).withdraw();
  });
}

TEST_CASE("more than 32 faults are refused") {
  RecorderLog log;
  for (int i = 0; i < 32; ++i) log.add(Fault::fail(Calls::accept, EMFILE).at(100));
  CHECK_THROWS_AS(log.add(Fault::fail(Calls::accept, EMFILE)), std::length_error);
}
