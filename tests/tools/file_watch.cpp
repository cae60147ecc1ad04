#include "file_watch.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <system_error>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <sys/inotify.h>
#elif defined(__APPLE__) || defined(__FreeBSD__) || defined(__NetBSD__) || defined(__OpenBSD__)
#define KIT_HAS_KQUEUE
#include <sys/event.h>
#include <sys/time.h>
#endif

namespace kit {

namespace fs = std::filesystem;

FileWatch::FileWatch(fs::path folder) : folder_(std::move(folder)) {
  wait_for_files();
  seen_ = state();
}

bool FileWatch::changed() {
#if defined(__linux__)
  // What the events say is not of interest: the files are looked at in any case.
  char buffer[4096];
  while (events_ && ::read(events_.get(), buffer, sizeof buffer) > 0) {
  }
#elif defined(KIT_HAS_KQUEUE)
  wait_for_files();  // a file that was replaced is another file
#endif
  std::string now = state();
  if (now == seen_) return false;
  seen_ = std::move(now);
  return true;
}

void FileWatch::wait_for_files() {
#if defined(__linux__)
  events_ = Descriptor(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  // Editors write a file and close it, or write another one and rename it.
  constexpr std::uint32_t saved = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE;
  if (events_ && ::inotify_add_watch(events_.get(), folder_.c_str(), saved) < 0) events_.close();
#elif defined(KIT_HAS_KQUEUE)
  events_ = Descriptor(::kqueue());
  files_.clear();
  const auto add = [&](const fs::path& path) {
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return;
    struct kevent change;
    EV_SET(&change, static_cast<uintptr_t>(file.get()), EVFILT_VNODE, EV_ADD | EV_CLEAR,
           NOTE_WRITE | NOTE_DELETE | NOTE_RENAME | NOTE_EXTEND, 0, nullptr);
    if (::kevent(events_.get(), &change, 1, nullptr, 0, nullptr) == 0) {
      files_.push_back(std::move(file));
    }
  };
  add(folder_);
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) add(entry.path());
#endif
}

/// Name, size and time of every file.
std::string FileWatch::state() const {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    if (!entry.is_regular_file(error)) continue;
    files.push_back(entry.path().filename().string() + ' ' +
                    std::to_string(entry.file_size(error)) + ' ' +
                    std::to_string(static_cast<long long>(
                        entry.last_write_time(error).time_since_epoch().count())) +
                    '\n');
  }
  std::ranges::sort(files);
  std::string all;
  for (const std::string& file : files) all += file;
  return all;
}

}  // namespace kit
