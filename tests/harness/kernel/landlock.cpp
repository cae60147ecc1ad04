#include "landlock.hpp"

#include <cstdlib>
#include <sstream>

#if defined(__linux__)
#include <dirent.h>
#include <fcntl.h>
#include <link.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <set>

#include "harness/base/descriptor.hpp"
#endif

namespace kit {

bool is_left_out(const std::string& part) noexcept {
  const char* const parts = std::getenv("KIT_WITHOUT");
  std::istringstream words(parts == nullptr ? "" : parts);
  for (std::string word; words >> word;) {
    if (word == part) return true;
  }
  return false;
}

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
  std::uint64_t scoped;   // from version 6
};
constexpr std::uint64_t abstract_names = bit(0);
constexpr std::uint64_t signals = bit(1);

// The call knows the size of the structure that it gets.
std::size_t size_for(int version) {
  return version >= 6 ? 24 : version >= 4 ? 16 : 8;
}

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
  if (is_left_out("landlock")) return 0;
  const long version = syscall(create_ruleset, nullptr, std::size_t{0}, ask_version);
  return version > 0 ? static_cast<int>(version) : 0;
}

bool keep_inside() noexcept {
  const int version = landlock_version();
  if (version < 6 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
  const Ruleset wanted{0, 0, abstract_names | signals};
  const Descriptor ruleset(
      static_cast<int>(syscall(create_ruleset, &wanted, size_for(version), 0U)));
  return ruleset && syscall(restrict_self, ruleset.get(), 0U) == 0;
}

bool confine(const Confinement& confinement) noexcept {
  const int version = landlock_version();
  if (version == 0) return false;
  const std::uint64_t all = known_to(version);
  const Ruleset wanted{all, 0, version >= 6 ? signals : 0};
  const Descriptor ruleset(
      static_cast<int>(syscall(create_ruleset, &wanted, size_for(version), 0U)));
  if (!ruleset) return false;
  for (const std::string& path : confinement.executable) {
    if (!allow(ruleset.get(), path, execute | read_file | read_folder)) return false;
  }
  for (const std::string& path : confinement.readable) {
    if (!allow(ruleset.get(), path, read_file | read_folder)) return false;
  }
  for (const std::string& path : confinement.writable) {
    if (!allow(ruleset.get(), path, all & ~make_device)) return false;
  }
  for (const std::string& path : confinement.meeting) {
    if (!allow(ruleset.get(), path, read_folder | remove_and_make)) return false;
  }
  return syscall(restrict_self, ruleset.get(), 0U) == 0;
}

namespace {

// No terminals: those of this user are his, and a program has its own open already.
const std::vector<std::string> devices{"/dev/null",   "/dev/zero",    "/dev/full",
                                       "/dev/random", "/dev/urandom", "/dev/tty"};

// Files of this process's own image, the loader among them, as the loader names them.
std::vector<std::string> loaded_files() {
  std::vector<std::string> files;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* to) {
        const std::string name = info->dlpi_name == nullptr ? "" : info->dlpi_name;
        if (name.starts_with('/')) static_cast<std::vector<std::string>*>(to)->push_back(name);
        return 0;
      },
      &files);
  return files;
}

bool is_loader(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  return name.starts_with("ld-") || name.starts_with("ld.so") || name.starts_with("ld64.so");
}

// Libraries that a C++ program starts with, instrumented or not; behind the line break, those of
// Clang's symbolizer, without which its sanitizers name no lines.
bool is_library_of_programs(const std::string& name) {
  if (name.find(".so") == std::string::npos) return false;
  for (const char* known :
       {"libc.",     "libc-",      "libm.",     "libm-",    "libmvec",  "libdl.",     "libdl-",
        "librt",     "libpthread", "libresolv", "libnss_",  "libutil",  "libanl",     "libgcc_s",
        "libstdc++", "libatomic",  "libasan",   "libubsan", "libtsan",  "liblsan",    "libclang_rt",
        "libc++",    "libunwind",  "libLLVM",   "libedit",  "libtinfo", "libncurses", "libbsd",
        "libmd.",    "libz.",      "libzstd",   "liblzma",  "libxml2",  "libicu",     "libffi"}) {
    if (name.starts_with(known)) return true;
  }
  return false;
}

void add_libraries(const std::string& folder, std::vector<std::string>& files) {
  DIR* const entries = opendir(folder.c_str());
  if (entries == nullptr) return;
  while (const dirent* entry = readdir(entries)) {
    if (is_library_of_programs(entry->d_name)) files.push_back(folder + '/' + entry->d_name);
  }
  closedir(entries);
}

Confinement find_program_files() {
  Confinement found;
  found.readable = {"/etc", "/proc", "/sys", "/usr/share/zoneinfo", "/usr/lib/locale"};
  found.writable = devices;
  std::set<std::string> folders{"/lib",       "/lib64",         "/usr/lib",
                                "/usr/lib64", "/usr/local/lib", "/usr/local/lib64"};
  for (const std::string& file : loaded_files()) {
    folders.insert(file.substr(0, file.rfind('/')));
    if (is_loader(file)) found.executable.push_back(file);
  }
  for (const std::string& folder : folders) add_libraries(folder, found.readable);
  for (const char* folder : {"/usr/bin/", "/usr/local/bin/"}) {
    found.executable.push_back(folder + std::string("llvm-symbolizer"));
  }
  return found;
}

}  // namespace

Confinement system_files() {
  return {{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/nix/store",
           "/proc", "/sys"},
          {},
          devices,
          {}};
}

Confinement program_files() {
  static const Confinement files = find_program_files();
  return files;
}

#else

int landlock_version() noexcept {
  return 0;
}
bool keep_inside() noexcept {
  return false;
}
bool confine(const Confinement&) noexcept {
  return false;
}
Confinement system_files() {
  return {};
}
Confinement program_files() {
  return {};
}

#endif

}  // namespace kit
