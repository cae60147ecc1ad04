#include "proc.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "harness/base/descriptor.hpp"
#include "proc_files.hpp"

namespace kit::proc {

std::optional<std::string> read_file(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  std::string text;
  char buffer[16384];
  for (ssize_t n; (n = read(file.get(), buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  return text;
}

std::vector<pid_t> numbers_in(const std::string& folder) {
  std::vector<pid_t> numbers;
  DIR* const directory = opendir(folder.c_str());
  if (directory == nullptr) return numbers;
  while (const dirent* entry = readdir(directory)) {
    pid_t number = 0;
    const char* const end = entry->d_name + std::strlen(entry->d_name);
    const auto parsed = std::from_chars(entry->d_name, end, number);
    if (parsed.ec == std::errc{} && parsed.ptr == end) numbers.push_back(number);
  }
  closedir(directory);
  std::ranges::sort(numbers);
  return numbers;
}

std::string folder_of(pid_t pid) {
  return "/proc/" + std::to_string(pid);
}

std::string link_of(const std::string& path) {
  char target[4096];
  const ssize_t size = readlink(path.c_str(), target, sizeof target);
  return size < 0 ? std::string() : std::string(target, static_cast<std::size_t>(size));
}

std::optional<mode_t> umask(pid_t pid) {
  constexpr std::string_view name = "\nUmask:\t";
  const auto text = read_file(folder_of(pid) + "/status");
  const std::size_t at = text ? text->find(name) : std::string::npos;
  if (at == std::string::npos) return std::nullopt;
  return static_cast<mode_t>(std::strtoul(text->c_str() + at + name.size(), nullptr, 8));
}

namespace {

// Of a process, or of one of its threads.
std::optional<Status> status_in(const std::string& folder) {
  const auto text = read_file(folder + "/stat");
  if (!text) return std::nullopt;
  // The name stands in brackets and may itself hold any byte: the last bracket ends it.
  const std::size_t open = text->find('(');
  const std::size_t close = text->rfind(')');
  if (open == std::string::npos || close == std::string::npos) return std::nullopt;
  Status result;
  result.name = text->substr(open + 1, close - open - 1);
  std::istringstream fields(text->substr(close + 1));
  long group = 0, session = 0, terminal = 0, owner = 0, minor = 0, children_minor = 0, major = 0,
       children_major = 0, user = 0, system = 0, children_user = 0, children_system = 0,
       priority = 0, nice = 0;
  unsigned long flags = 0;
  fields >> result.state >> result.parent >> group >> session >> terminal >> owner >> flags >>
      minor >> children_minor >> major >> children_major >> user >> system >> children_user >>
      children_system >> priority >> nice >> result.threads;
  if (!fields) return std::nullopt;
  constexpr unsigned long exiting = 0x4;  // PF_EXITING of the kernel's sched.h
  result.ending = (flags & exiting) != 0 || result.state == 'Z' || result.state == 'X';
  const long ticks = sysconf(_SC_CLK_TCK);
  result.cpu = std::chrono::milliseconds((user + system) * 1000 / (ticks > 0 ? ticks : 100));
  return result;
}

}  // namespace

std::optional<Status> status(pid_t pid) {
  return status_in(folder_of(pid));
}

Held held(pid_t pid) {
  Held result;
  std::chrono::nanoseconds total{0};
  for (const pid_t thread : numbers_in(folder_of(pid) + "/task")) {
    const std::string folder = folder_of(pid) + "/task/" + std::to_string(thread);
    std::istringstream fields(read_file(folder + "/schedstat").value_or(""));
    std::chrono::nanoseconds::rep ran = 0, waited = 0;
    if (fields >> ran >> waited) total += std::chrono::nanoseconds(waited);
    const auto state = status_in(folder);
    result.uninterruptible = result.uninterruptible || (state && state->state == 'D');
  }
  result.waited = std::chrono::duration_cast<std::chrono::milliseconds>(total);
  return result;
}

std::optional<std::uint64_t> asleep(pid_t pid) {
#if defined(__linux__)
  std::uint64_t switches = 0;
  for (const pid_t thread : numbers_in(folder_of(pid) + "/task")) {
    const auto text = read_file(folder_of(pid) + "/task/" + std::to_string(thread) + "/status");
    if (!text) continue;  // it has ended since
    std::istringstream lines(*text);
    std::string line;
    while (std::getline(lines, line)) {
      std::istringstream fields(line);
      std::string name, value;
      fields >> name >> value;
      if (name == "State:" && (value == "R" || value == "D")) return std::nullopt;
      if (name.ends_with("voluntary_ctxt_switches:")) switches += std::stoull(value);
    }
    switches += static_cast<std::uint64_t>(thread);  // one that comes or goes changes it, too
  }
  for (const pid_t child : children(pid)) {
    const auto of_child = asleep(child);
    if (!of_child) return std::nullopt;
    switches += *of_child;
  }
  return switches;
#else
  (void)pid;
  return 0;
#endif
}

std::map<pid_t, std::vector<pid_t>> families() {
  std::map<pid_t, std::vector<pid_t>> found;
  for (pid_t candidate : numbers_in("/proc")) {
    if (const auto state = status(candidate)) found[state->parent].push_back(candidate);
  }
  return found;
}

namespace {

// As the kernel lists them (where it was built with CONFIG_PROC_CHILDREN), thread by thread.
std::optional<std::vector<pid_t>> listed_children(pid_t pid) {
  std::vector<pid_t> found;
  for (const pid_t thread : numbers_in(folder_of(pid) + "/task")) {
    const std::string folder = folder_of(pid) + "/task/" + std::to_string(thread);
    const auto text = read_file(folder + "/children");
    if (!text && access(folder.c_str(), F_OK) == 0) return std::nullopt;
    std::istringstream numbers(text.value_or(""));
    for (pid_t child = 0; numbers >> child;) found.push_back(child);
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace

std::vector<pid_t> children(pid_t pid) {
  // While one of them ends, the list may lack another: it holds once it has been the same twice.
  auto before = listed_children(pid);
  for (int tries = 0; before && tries < 5; ++tries) {
    auto now = listed_children(pid);
    if (now == before) return *now;
    before = std::move(now);
  }
  return families()[pid];
}

std::optional<std::size_t> resident_kib(pid_t pid) {
  const auto text = read_file(folder_of(pid) + "/statm");
  if (!text) return std::nullopt;
  std::size_t total = 0, resident = 0;
  if (std::sscanf(text->c_str(), "%zu %zu", &total, &resident) != 2) return std::nullopt;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) / 1024;
}

}  // namespace kit::proc
