#include "frames.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <sstream>
#include <utility>
#include <vector>

#include "harness/base/descriptor.hpp"

extern char** environ;

namespace kit {
namespace {

// More than any learner's own frames.
constexpr std::size_t most_frames = 32;

constexpr int longest_silence_ms = 5000;

// "    #0 f() <null> (server+0x72b0)", "    #0 0x55… in f() (/…/server+0x7d2b0)": 0x72b0; empty for
// a frame of another file, or one that has its line.
std::string offset_in(std::string_view line, std::string_view program) {
  const std::string_view name = program.substr(program.rfind('/') + 1);
  const std::size_t number = line.find_first_not_of(' ');
  if (number == std::string_view::npos || line[number] != '#') return {};
  const std::size_t open = line.rfind('(');
  const std::size_t plus = line.find("+0x", open);
  if (open == std::string_view::npos || plus == std::string_view::npos) return {};
  const std::string_view module = line.substr(open + 1, plus - open - 1);
  if (module.substr(module.rfind('/') + 1) != name) return {};
  // Here the file and the line would stand: "… /…/server.cpp:31 (server+0x72b0)".
  const std::string_view before = line.substr(0, open);
  const std::size_t colon = before.rfind(':');
  if (colon != std::string_view::npos && colon + 1 < before.size() && before[colon + 1] >= '0' &&
      before[colon + 1] <= '9') {
    return {};
  }
  const std::size_t end = line.find_first_not_of("0123456789abcdef", plus + 3);
  return std::string(line.substr(plus + 1, end - plus - 1));
}

// What addr2line says: a line of text for each address, or several with those of functions that
// were put into others. Nothing if it cannot be asked.
std::string ask(const std::string& program, const std::vector<std::string>& addresses,
                bool with_inlined = false) {
  std::vector<std::string> words{"addr2line", "-e", program};
  if (with_inlined) words.insert(words.begin() + 1, "-i");
  words.insert(words.end(), addresses.begin(), addresses.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  int ends[2];
  if (::pipe(ends) != 0) return {};
  const Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  for (const int end : ends) ::fcntl(end, F_SETFD, FD_CLOEXEC);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, writing.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = -1;
  const int error =
      ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  writing = Descriptor();
  if (error != 0) return {};

  // What it reads is a submission's: it gets so much time, and no more.
  std::string said;
  std::array<char, 4096> buffer;
  for (;;) {
    pollfd waiting{reading.get(), POLLIN, 0};
    if (::poll(&waiting, 1, longest_silence_ms) == 0) {
      ::kill(child, SIGKILL);
      said.clear();
      break;
    }
    const ssize_t count = ::read(reading.get(), buffer.data(), buffer.size());
    if (count > 0) said.append(buffer.data(), static_cast<std::size_t>(count));
    if (count == 0 || (count < 0 && errno != EINTR)) break;
  }
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return said;
}

}  // namespace

std::string with_lines(std::string_view report, const std::string& program) {
  struct Frame {
    std::size_t end;  // of its line
    std::string offset;
  };
  std::vector<Frame> frames;
  for (std::size_t at = 0; at < report.size() && frames.size() < most_frames;) {
    const std::size_t end = std::min(report.find('\n', at), report.size());
    std::string offset = offset_in(report.substr(at, end - at), program);
    if (!offset.empty()) frames.push_back({end, std::move(offset)});
    at = end + 1;
  }
  if (frames.empty()) return std::string(report);

  std::vector<std::string> addresses;
  for (const Frame& frame : frames) addresses.push_back(frame.offset);
  const std::string said = ask(program, addresses);
  std::string result(report);
  std::size_t added = 0;
  std::size_t at = 0;
  for (const Frame& frame : frames) {
    const std::size_t end = said.find('\n', at);
    if (end == std::string::npos) break;
    const std::string place = said.substr(at, end - at);
    at = end + 1;
    if (place.starts_with('?')) continue;
    result.insert(frame.end + added, ' ' + place);
    added += place.size() + 1;
  }
  return result;
}

std::vector<std::string> lines_at(const std::vector<std::uint64_t>& callers,
                                  const std::string& program) {
  std::vector<std::string> addresses;
  for (const std::uint64_t caller : callers) {
    // It returns behind the call, which may be another line already.
    std::ostringstream text;
    text << "0x" << std::hex << caller - 1;
    addresses.push_back(text.str());
  }
  std::vector<std::string> lines;
  if (addresses.empty()) return lines;
  std::istringstream said(ask(program, addresses, true));
  for (std::string line; std::getline(said, line);) {
    if (line.starts_with('?')) continue;
    // Newer compilers tell several pieces of one line apart: "server.cpp:31 (discriminator 2)".
    lines.push_back(line.substr(0, line.find(" (discriminator ")));
  }
  return lines;
}

}  // namespace kit
