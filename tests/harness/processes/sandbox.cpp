#include "sandbox.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "harness/base/places.hpp"
#include "orphans.hpp"

namespace kit {
namespace {

// Uids without a name, far above a system's own and a class's students. The 1,000th above each is
// that of the helper which ends the processes (orphans.cpp).
constexpr uid_t first_user = 60600;
constexpr uid_t last_user = 61100;
constexpr const char* users_place = "uids";

// In a private_base(). Unix socket paths have 107 bytes: TMPDIR may be long (it is on macOS), /tmp
// never is.
constexpr const char* base_pattern = "/kit-XXXXXX";
constexpr const char* base_prefix = "kit-";
constexpr const char* lock_name = "lock";
// Seconds after which a folder that nobody has locked is nobody's.
constexpr std::time_t long_abandoned = 600;

[[noreturn]] void fail(const std::string& call) {
  throw std::system_error(errno, std::generic_category(), call);
}

// Root is not always almighty: a container may lack the right to change users, or these users.
bool can_become(uid_t user) {
  const pid_t child = fork();
  if (child < 0) return false;
  if (child == 0) {
    const auto group = static_cast<gid_t>(user);
    _exit(setgroups(0, nullptr) == 0 && setgid(group) == 0 && setuid(user) == 0 ? 0 : 1);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#if defined(__linux__)
// "/proc/self" is a link to it: getpid() is another number where /proc is another namespace's.
std::string own_entry() {
  char name[32] = {};
  return readlink("/proc/self", name, sizeof name - 1) > 0 ? name : std::to_string(getpid());
}

bool is_in_group(const std::string& process, uid_t group) {
  std::ifstream status("/proc/" + process + "/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("Groups:")) continue;
    std::istringstream groups(line.substr(line.find(':') + 1));
    for (uid_t one = 0; groups >> one;) {
      if (one == group) return true;
    }
    return false;
  }
  return false;
}
#endif

// Whether a process runs under this user, or has claimed it.
bool is_taken(uid_t user) {
#if defined(__linux__)
  DIR* const entries = opendir("/proc");
  if (entries == nullptr) return false;
  const std::string self = own_entry();
  bool found = false;
  while (const dirent* entry = readdir(entries)) {
    struct stat status {};
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
    found = fstatat(dirfd(entries), entry->d_name, &status, 0) == 0 && status.st_uid == user;
    found = found || (self != entry->d_name && is_in_group(entry->d_name, user));
    if (found) break;
  }
  closedir(entries);
  return found;
#else
  (void)user;
  return false;
#endif
}

// Joins the group of this number, or leaves it. (Where that is forbidden the lock alone tells.)
void set_mark(uid_t user, bool on) {
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(getgroups(0, nullptr), 0)));
  const int count = getgroups(static_cast<int>(groups.size()), groups.data());
  groups.resize(static_cast<std::size_t>(std::max(count, 0)));
  std::erase(groups, gid_t{user});
  if (on) groups.push_back(user);
  [[maybe_unused]] const int result = setgroups(groups.size(), groups.data());
}

// ---- removing ----------------------------------------------------------------------------------

// Every name in a folder but . and ..
std::vector<std::string> names_in(int folder) {
  std::vector<std::string> names;
  const int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) return names;
  DIR* const directory = fdopendir(copy);
  if (directory == nullptr) {
    close(copy);
    return names;
  }
  while (const dirent* entry = readdir(directory)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  closedir(directory);
  return names;
}

bool is_folder(int at, const std::string& name) {
  struct stat status {};
  return fstatat(at, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

// Opens a folder of which the owner may have taken his own rights.
Descriptor open_folder(int at, const std::string& name) {
  if (Descriptor opened(openat(at, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      opened && faccessat(at, name.c_str(), W_OK | X_OK, 0) == 0) {
    return opened;
  }
  if (is_folder(at, name)) fchmodat(at, name.c_str(), 0700, 0);
  return Descriptor(openat(at, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

// Empties a folder. Folders inside are not descended into but pulled up, so that neither their
// depth nor the length of a path matters.
bool empty_folder(int folder) {
  unsigned pulled = 0;
  for (;;) {
    const std::vector<std::string> names = names_in(folder);
    if (names.empty()) return true;
    bool progress = false;
    for (const std::string& name : names) {
      if (!is_folder(folder, name)) {
        progress |= unlinkat(folder, name.c_str(), 0) == 0;
        continue;
      }
      {
        const Descriptor inner = open_folder(folder, name);
        for (const std::string& entry : names_in(inner.get())) {
          if (!is_folder(inner.get(), entry)) {
            unlinkat(inner.get(), entry.c_str(), 0);
            continue;
          }
          // Moving a folder writes its own "..": it must be writable itself.
          open_folder(inner.get(), entry);
          std::string free_name;
          do {
            free_name = "kit-pulled-" + std::to_string(pulled++);
          } while (faccessat(folder, free_name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0);
          renameat(inner.get(), entry.c_str(), folder, free_name.c_str());
        }
      }
      progress |= unlinkat(folder, name.c_str(), AT_REMOVEDIR) == 0;
    }
    if (!progress) return false;
  }
}

// ---- folders of checks that were killed --------------------------------------------------------

// A check that is killed outright cannot tidy up: the next one does, if the lock says it is gone.
void remove_abandoned(const std::string& where) {
  const Descriptor tmp(open(where.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!tmp) return;
  for (const std::string& name : names_in(tmp.get())) {
    if (!name.starts_with(base_prefix) || name.size() != std::strlen("kit-XXXXXX")) continue;
    const std::string path = where + '/' + name;
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
        status.st_uid != geteuid()) {
      continue;
    }
    const std::string lock = path + '/' + lock_name;
    const Descriptor file(open(lock.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
    // One without a lock was being made, or removed, when its check was killed; or is this moment.
    const bool old = std::time(nullptr) - status.st_mtime > long_abandoned;
    const bool abandoned = file ? flock(file.get(), LOCK_EX | LOCK_NB) == 0 : old;
    if (abandoned) remove_tree(path);
  }
}

// ---- reach -------------------------------------------------------------------------------------

// Whether everybody may pass through all folders above the file, and read and run it. (A user
// without a name is "others" everywhere.)
bool open_to_others(const std::string& file) {
  struct stat status {};
  if (stat(file.c_str(), &status) != 0 || (status.st_mode & 05) != 05) return false;
  for (std::size_t slash = file.rfind('/'); slash != std::string::npos && slash > 0;
       slash = file.rfind('/', slash - 1)) {
    if (stat(file.substr(0, slash).c_str(), &status) != 0 || (status.st_mode & 01) == 0) {
      return false;
    }
  }
  return true;
}

void copy_file(const std::string& from, const std::string& to) {
  const Descriptor in(open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in) fail("open of " + from);
  const Descriptor out(open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755));
  if (!out) fail("open of " + to);
  fchmod(out.get(), 0755);
  std::vector<char> buffer(1 << 18);
  for (ssize_t n; (n = read(in.get(), buffer.data(), buffer.size())) != 0;) {
    if (n < 0) fail("read of " + from);
    if (write(out.get(), buffer.data(), static_cast<std::size_t>(n)) != n) fail("write of " + to);
  }
}

}  // namespace

bool remove_tree(const std::string& path) noexcept {
  try {
    {
      const Descriptor folder = open_folder(AT_FDCWD, path);
      if (!folder) return errno == ENOENT;
      if (!empty_folder(folder.get())) return false;
    }
    return rmdir(path.c_str()) == 0;
  } catch (...) {
    return false;
  }
}

std::optional<User> User::claim(std::optional<uid_t> first) {
  if (geteuid() != 0 || is_left_out("users") || !can_become(first_user)) return std::nullopt;
  const std::string folder = own_place(users_place);
  if (folder.empty()) throw std::runtime_error("root has no folder of its own in /run or /tmp");
  // Begin somewhere: neighbours that start together then seldom meet.
  constexpr uid_t count = last_user - first_user;
  const uid_t start = first ? *first - first_user : static_cast<uid_t>(getpid()) % count;
  for (uid_t i = 0; i < count; ++i) {
    const uid_t uid = first_user + (start + i) % count;
    const std::string name = folder + '/' + std::to_string(uid);
    Descriptor lock(open(name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!lock || flock(lock.get(), LOCK_EX | LOCK_NB) != 0) continue;
    // One that sees other locks than ours, in a container with files of its own, may have it. Both
    // mark it before they look: one at least sees the other.
    User user(uid, std::move(lock));
    set_mark(uid, true);
    if (!is_taken(uid)) return user;
  }
  throw std::runtime_error("no free user between 60600 and 61100: " + folder);
}

User::~User() {
  if (lock_) set_mark(uid_, false);
}

Sandbox::Sandbox() : user_(User::claim()) {
  adopt_orphans();
  remove_abandoned("/tmp");
  remove_abandoned("/var/tmp");
  std::string pattern = private_base() + base_pattern;
  if (mkdtemp(pattern.data()) == nullptr) fail("mkdtemp of " + pattern);
  base_ = pattern;
  // Locked before it has its name: a neighbour that looks for abandoned folders finds no moment
  // at which ours looks like one.
  const std::string lock = base_ + '/' + lock_name;
  lock_ = Descriptor(open((lock + ".new").c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!lock_ || flock(lock_.get(), LOCK_EX | LOCK_NB) != 0 ||
      rename((lock + ".new").c_str(), lock.c_str()) != 0) {
    fail("lock of " + base_);
  }
  // Its user passes through, and can neither list nor write.
  if (user_ && chmod(base_.c_str(), 0711) != 0) fail("chmod of " + base_);
  folder_ = base_ + "/f";
  if (mkdir(folder_.c_str(), 0700) != 0) fail("mkdir of " + folder_);
  give(folder_);
}

Sandbox::~Sandbox() {
  end_processes();
  // The lock goes last: killed in the middle, we leave something that the next one recognises.
  remove_tree(folder_);
  remove_tree(base_);
}

std::optional<uid_t> Sandbox::user() const {
  if (!user_) return std::nullopt;
  return user_->uid();
}

std::string Sandbox::reachable(const std::string& file) {
  if (!user_ || open_to_others(file)) return file;
  const std::string folder = base_ + "/bin";
  mkdir(folder.c_str(), 0755);
  chmod(folder.c_str(), 0755);
  // The same name in another folder is another program (plain, checked).
  std::string name = file;
  std::ranges::replace(name, '/', '-');
  const std::string copy = folder + '/' + name.substr(name.size() > 120 ? name.size() - 120 : 0);
  if (access(copy.c_str(), F_OK) != 0) copy_file(file, copy);
  return copy;
}

void Sandbox::give(const std::string& path) const {
  if (!user_) return;
  if (lchown(path.c_str(), user_->uid(), static_cast<gid_t>(user_->uid())) != 0) {
    fail("chown of " + path);
  }
}

std::string Sandbox::make_folder(const std::string& name) const {
  const std::string path = folder_ + '/' + name;
  if (mkdir(path.c_str(), 0700) != 0) fail("mkdir of " + path);
  give(path);
  return path;
}

ProcessOptions Sandbox::options() const {
  ProcessOptions options;
  options.folder = folder_;
  options.user = user();
  // Set by a grader: what is submitted need not be a friend's.
  if (std::getenv("KIT_CONFINE") != nullptr) {
    options.confinement = program_files();
    options.confinement->writable.push_back(folder_);
    // A datagram client may take its name there. It can write no file in it.
    options.confinement->meeting.push_back("/tmp");
  }
  return options;
}

std::size_t Sandbox::end_processes() noexcept {
  return end_orphans(user());
}

}  // namespace kit
