#include "leftovers.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "harness/base/descriptor.hpp"
#include "harness/base/places.hpp"
#include "harness/processes/sandbox.hpp"

namespace kit {
namespace {

namespace fs = std::filesystem;

/// The steps' users: see harness/processes/sandbox.cpp.
constexpr uid_t first_user = 60600;
constexpr uid_t last_user = 61100;

/// Nobody's now: held here while its things are removed.
Descriptor claim(uid_t user) {
  if (user < first_user || user >= last_user) return {};
  Descriptor lock(open((own_place("uids") + '/' + std::to_string(user)).c_str(),
                       O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (!lock || flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return {};
  return lock;
}

void remove_files(const std::string& folder) {
  DIR* const entries = opendir(folder.c_str());
  if (entries == nullptr) return;
  std::vector<std::pair<std::string, struct stat>> found;
  while (const dirent* entry = readdir(entries)) {
    struct stat status {};
    if (fstatat(dirfd(entries), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (status.st_uid >= first_user && status.st_uid < last_user) {
      found.emplace_back(entry->d_name, status);
    }
  }
  closedir(entries);
  for (const auto& [name, status] : found) {
    const Descriptor held = claim(status.st_uid);
    if (!held) continue;
    const std::string path = folder + "/" + name;
    if (S_ISDIR(status.st_mode)) {
      remove_tree(path);
    } else {
      unlink(path.c_str());
    }
  }
}

#ifdef __linux__
template <typename Remove>
void remove_objects(const char* list, std::size_t user_column, const Remove& remove) {
  std::ifstream in(list);
  std::string line;
  std::getline(in, line);  // the columns' names
  while (std::getline(in, line)) {
    std::istringstream words(line);
    std::vector<long> columns;
    for (long number; columns.size() <= user_column && words >> number;) columns.push_back(number);
    if (columns.size() <= user_column) continue;
    const Descriptor held = claim(static_cast<uid_t>(columns[user_column]));
    if (held) remove(static_cast<int>(columns[1]));
  }
}
#endif

}  // namespace

void remove_leftovers() noexcept {
  if (geteuid() != 0) return;
  try {
    for (const char* folder : {"/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock"}) {
      remove_files(folder);
    }
#ifdef __linux__
    remove_objects("/proc/sysvipc/shm", 7, [](int id) { shmctl(id, IPC_RMID, nullptr); });
    remove_objects("/proc/sysvipc/sem", 4, [](int id) { semctl(id, 0, IPC_RMID); });
    remove_objects("/proc/sysvipc/msg", 7, [](int id) { msgctl(id, IPC_RMID, nullptr); });
#endif
  } catch (...) {
    // The next look finds it.
  }
}

}  // namespace kit
