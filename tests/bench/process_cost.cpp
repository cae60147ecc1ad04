#include "process_cost.hpp"

#include <limits>

#if defined(__linux__)

#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace kit::bench {
namespace {

std::string proc(pid_t pid, const char* file) {
  return "/proc/" + std::to_string(pid) + "/" + file;
}

void append_children(pid_t parent, std::vector<pid_t>& tree) {
  std::error_code gone;  // a process may end at any moment: then it has no children either
  for (const auto& thread : std::filesystem::directory_iterator(proc(parent, "task"), gone)) {
    std::ifstream children(thread.path() / "children");
    for (pid_t child = 0; children >> child;) tree.push_back(child);
  }
}

double clock_seconds(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// Field 11 of /proc/PID/stat counts the page faults of the children that were waited for: a child
// cannot live without one, and the count is exact where their time is in ticks. See proc(5).
bool has_waited_for_children(pid_t pid) {
  std::ifstream file(proc(pid, "stat"));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t name_end = text.rfind(')');  // the name itself may hold blanks and brackets
  if (name_end == std::string::npos) return false;
  std::istringstream fields(text.substr(name_end + 1));
  std::string field;
  for (int number = 3; number <= 11 && fields >> field; ++number) continue;
  return !field.empty() && field != "0";
}

// The number after `key` at the beginning of a line, or 0.
double number_after(const std::string& file, const std::string& key) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);)
    if (line.rfind(key, 0) == 0) return std::strtod(line.c_str() + key.size(), nullptr);
  return 0;
}

}  // namespace

std::vector<pid_t> process_tree(pid_t root) {
  std::vector<pid_t> tree{root};
  for (std::size_t i = 0; i < tree.size(); ++i) append_children(tree[i], tree);
  return tree;
}

ProcessorTime processor_time(pid_t root) {
  ProcessorTime time;
  for (const pid_t pid : process_tree(root)) time.seconds += clock_seconds(pid);
  time.children_ended = has_waited_for_children(root);
  return time;
}

Memory memory(pid_t root) {
  Memory memory;
  for (const pid_t pid : process_tree(root)) {
    memory.user_kib += number_after(proc(pid, "smaps_rollup"), "Pss:");
    memory.page_tables_kib += number_after(proc(pid, "status"), "VmPTE:");
    memory.threads += number_after(proc(pid, "status"), "Threads:");
    memory.processes += 1;
  }
  return memory;
}

}  // namespace kit::bench

#else

namespace kit::bench {

std::vector<pid_t> process_tree(pid_t root) {
  return {root};
}

// Without a way to read another process's clock, the time is taken when the server has ended:
// getrusage's ru_utime and ru_stime of the server and the children it waited for.
ProcessorTime processor_time(pid_t /*root*/) {
  return {0, true};
}

Memory memory(pid_t /*root*/) {
  constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  return {unknown, unknown, unknown, unknown};
}

}  // namespace kit::bench

#endif
