// The kit's own places, and another user who was there first.

#include "harness/base/places.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "harness/base/catch.hpp"

TEST_CASE("A place of one's own is closed to others, and the same each time") {
  const std::string what = "test-" + std::to_string(getpid());
  const std::string place = kit::own_place(what);
  REQUIRE_FALSE(place.empty());
  CHECK(kit::own_place(what) == place);
  struct stat status {};
  REQUIRE(lstat(place.c_str(), &status) == 0);
  CHECK(status.st_uid == geteuid());
  CHECK((status.st_mode & 0777) == 0700);

  // What somebody else has made, or left open to others, is not taken.
  REQUIRE(rmdir(place.c_str()) == 0);
  REQUIRE(symlink("/tmp", place.c_str()) == 0);
  const std::string other = kit::own_place(what);
  CHECK(other != place);
  CHECK_FALSE(other.empty());
  std::filesystem::remove(place);
  std::filesystem::remove(other);
}
