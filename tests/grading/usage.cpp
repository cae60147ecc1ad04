#include "usage.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "harness/base/escape.hpp"
#include "harness/kernel/proc.hpp"

namespace kit {
namespace {

namespace fs = std::filesystem;

/// The size of the files that only an open descriptor keeps: unlinked ones and memfds. They count
/// once, however many descriptors lead to them.
void add_nameless(pid_t pid, std::uint64_t& bytes, std::set<std::pair<dev_t, ino_t>>& seen) {
  const std::string folder = "/proc/" + std::to_string(pid) + "/fd";
  DIR* const entries = opendir(folder.c_str());
  if (entries == nullptr) return;
  while (const dirent* entry = readdir(entries)) {
    struct stat status {};
    if (fstatat(dirfd(entries), entry->d_name, &status, 0) != 0) continue;
    if (!S_ISREG(status.st_mode) || status.st_nlink != 0) continue;
    if (!seen.insert({status.st_dev, status.st_ino}).second) continue;
    bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
  }
  closedir(entries);
}

std::string mebibytes(std::uint64_t bytes) {
  return with_commas(static_cast<std::size_t>(bytes >> 20)) + " MiB";
}

}  // namespace

Usage usage_below(pid_t ancestor) {
  Usage usage;
  std::set<std::pair<dev_t, ino_t>> seen;
  // One look at all: where a bomb goes off, a look for each process would come too late.
  auto families = proc::families();
  std::vector<pid_t> to_visit = families[ancestor];
  while (!to_visit.empty()) {
    const pid_t pid = to_visit.back();
    to_visit.pop_back();
    ++usage.processes;
    struct stat status {};
    if (stat(("/proc/" + std::to_string(pid)).c_str(), &status) == 0) usage.user = status.st_uid;
    usage.memory += std::uint64_t{proc::resident_kib(pid).value_or(0)} << 10;
    add_nameless(pid, usage.memory, seen);
    // A bomb is a bomb: what is over any limit need not be counted to the end.
    if (usage.processes > 4096) break;
    for (const pid_t child : families[pid]) to_visit.push_back(child);
  }
  return usage;
}

void add_folder(Usage& usage, const std::string& folder, const Allowance& allowance) {
  std::error_code error;
  auto entry = fs::recursive_directory_iterator(
      folder, fs::directory_options::skip_permission_denied, error);
  const fs::recursive_directory_iterator end;
  while (!error && entry != end) {
    struct stat status {};
    if (lstat(entry->path().c_str(), &status) == 0) {
      usage.disk += static_cast<std::uint64_t>(status.st_blocks) * 512;
    }
    ++usage.files;
    if (usage.files > 2 * allowance.files || entry.depth() > 200) break;
    entry.increment(error);
  }
}

void add_segments(Usage& usage) {
  std::ifstream list("/proc/sysvipc/shm");
  std::string line;
  std::getline(list, line);  // the columns' names: rss is the 15th
  while (std::getline(list, line)) {
    std::istringstream columns(line);
    std::string word;
    for (int i = 0; i < 15 && columns >> word; ++i) {
    }
    if (columns) usage.memory += std::strtoull(word.c_str(), nullptr, 10);
  }
}

void add_names_in_tmp(Usage& usage, const Allowance& allowance) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/tmp", error)) {
    struct stat status {};
    if (lstat(entry.path().c_str(), &status) != 0 || status.st_uid != usage.user) continue;
    ++usage.files;
    if (S_ISDIR(status.st_mode)) add_folder(usage, entry.path().string(), allowance);
    if (usage.files > 2 * allowance.files) return;
  }
}

std::string excess(const Usage& usage, const Allowance& allowance) {
  if (usage.processes > allowance.processes) {
    return "more than " + with_commas(allowance.processes) + " processes at once";
  }
  if (usage.memory > allowance.memory) {
    return "more than " + mebibytes(allowance.memory) + " of memory";
  }
  if (usage.disk > allowance.disk) return "more than " + mebibytes(allowance.disk) + " of disk";
  if (usage.files > allowance.files) {
    return "more than " + with_commas(allowance.files) + " files";
  }
  return {};
}

std::string sandbox_of(pid_t check) {
  const std::string folder = "/proc/" + std::to_string(check) + "/fd";
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string target = fs::read_symlink(entry.path(), error).string();
    const fs::path path(target);
    if (path.filename() == "lock" && path.parent_path().filename().string().starts_with("kit-")) {
      return path.parent_path().string();
    }
  }
  return {};
}

}  // namespace kit
