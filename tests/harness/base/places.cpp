#include "places.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace kit {
namespace {

// Who puts a folder of theirs in the place of so many names has won: then there is no lock.
constexpr unsigned most_names = 100;

bool is_mine_alone(const std::string& folder) {
  mkdir(folder.c_str(), 0700);
  struct stat status {};
  return lstat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
         status.st_uid == geteuid() && (status.st_mode & 077) == 0;
}

}  // namespace

std::string own_place(const std::string& what) {
  const std::string user = std::to_string(geteuid());
  const std::string system = geteuid() == 0 ? "/run" : "/run/user/" + user;
  if (std::string folder = system + "/kit-" + what; is_mine_alone(folder)) return folder;
  for (unsigned i = 0; i < most_names; ++i) {
    std::string folder = "/tmp/.kit-" + what + '-' + user;
    if (i > 0) folder += '-' + std::to_string(i);
    if (is_mine_alone(folder)) return folder;
  }
  return {};
}

std::string private_base() {
  const bool elsewhere = std::getenv("KIT_CONFINE") != nullptr && access("/var/tmp", W_OK) == 0;
  return elsewhere ? "/var/tmp" : "/tmp";
}

}  // namespace kit
