#include "landlock.hpp"

#if defined(__linux__)
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

#include "descriptor.hpp"
#endif

namespace kit {

#if defined(__linux__)
namespace {

// The numbers are the same on every architecture (but Alpha). The header of the C library may be
// older than the kernel: the constants stand here.
constexpr long create_ruleset = 444;
constexpr long add_rule = 445;
constexpr long restrict_self = 446;
constexpr unsigned ask_version = 1;
constexpr int rule_path_beneath = 1;

constexpr std::uint64_t bit(int number) {
  return std::uint64_t{1} << number;
}
constexpr std::uint64_t execute = bit(0);
constexpr std::uint64_t write_file = bit(1);
constexpr std::uint64_t read_file = bit(2);
constexpr std::uint64_t read_folder = bit(3);
constexpr std::uint64_t remove_and_make = bit(4) | bit(5) | bit(7) | bit(9);  // folders, sockets
constexpr std::uint64_t make_device = bit(6) | bit(11);
constexpr std::uint64_t truncate = bit(14);
constexpr std::uint64_t device_control = bit(15);
constexpr std::uint64_t of_a_file = execute | write_file | read_file | truncate | device_control;

// Version 1 knows bits 0 to 12; 2 adds moving between folders, 3 truncate, 5 ioctl on devices.
std::uint64_t known_to(int version) {
  return bit(version >= 5 ? 16 : version >= 3 ? 15 : version >= 2 ? 14 : 13) - 1;
}

struct Ruleset {
  std::uint64_t files;
  std::uint64_t network;  // from version 4
  std::uint64_t scoped;   // from version 6: abstract Unix sockets, signals
};

struct [[gnu::packed]] PathBeneath {
  std::uint64_t allowed;
  std::int32_t folder;
};

bool allow(int ruleset, const std::string& path, std::uint64_t rights) {
  const Descriptor file(open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!file) return true;  // it is not there: nothing to allow
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return false;
  if (!S_ISDIR(status.st_mode)) rights &= of_a_file;
  const PathBeneath rule{rights, file.get()};
  return syscall(add_rule, ruleset, rule_path_beneath, &rule, 0U) == 0;
}

}  // namespace

int landlock_version() noexcept {
  const long version = syscall(create_ruleset, nullptr, std::size_t{0}, ask_version);
  return version > 0 ? static_cast<int>(version) : 0;
}

bool confine(const Confinement& confinement) noexcept {
  const int version = landlock_version();
  if (version == 0) return false;
  const std::uint64_t all = known_to(version);
  const Ruleset wanted{all, 0, version >= 6 ? bit(0) | bit(1) : 0};
  const std::size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
  const Descriptor ruleset(static_cast<int>(syscall(create_ruleset, &wanted, size, 0U)));
  if (!ruleset) return false;
  for (const std::string& path : confinement.readable) {
    if (!allow(ruleset.get(), path, execute | read_file | read_folder)) return false;
  }
  for (const std::string& path : confinement.writable) {
    if (!allow(ruleset.get(), path, all & ~make_device)) return false;
  }
  for (const std::string& path : confinement.meeting) {
    if (!allow(ruleset.get(), path, read_folder | remove_and_make)) return false;
  }
  return syscall(restrict_self, ruleset.get(), 0U) == 0;
}

Confinement system_files() {
  return {{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/nix/store",
           "/proc", "/sys"},
          {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
           "/dev/ptmx", "/dev/pts"},
          {}};
}

#else

int landlock_version() noexcept {
  return 0;
}
bool confine(const Confinement&) noexcept {
  return false;
}
Confinement system_files() {
  return {};
}

#endif

}  // namespace kit
