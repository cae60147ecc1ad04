// Files that somebody else has written: what is read of them, and why of others nothing.

#include "harness/base/plain_file.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "harness/base/address.hpp"
#include "harness/base/catch.hpp"
#include "harness/processes/sandbox.hpp"

namespace {

void append(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::app) << text;
}

std::string why_not(const std::string& path, std::size_t most = 100) {
  kit::PlainFile file(AT_FDCWD, path, most);
  const bool refused = !file.why_not().empty();
  CHECK(file.text().has_value() != refused);
  return file.why_not();
}

}  // namespace

TEST_CASE("a file that somebody else has written is read whole, up to its limit") {
  const kit::Sandbox place;
  const std::string path = place.folder() + "/file";
  const std::string text = std::string(200'000, 'a') + '\0' + "end";
  append(path, text);
  kit::PlainFile file(AT_FDCWD, path, text.size());
  CHECK(file.why_not().empty());
  CHECK_FALSE(file.missing());
  CHECK(file.status().st_size == static_cast<off_t>(text.size()));
  CHECK(file.text() == text);
  CHECK(file.text() == "");  // it is read
  CHECK(why_not(path, text.size() - 1) ==
        "has 200,004 bytes; a file of more than 200,003 bytes is not taken.");
  REQUIRE(truncate(path.c_str(), off_t{1} << 33) == 0);
  CHECK(why_not(path, std::size_t{1} << 20) ==
        "has 8,589,934,592 bytes; a file of more than 1 MiB is not taken.");
  const std::string empty = place.folder() + "/empty";
  append(empty, "");
  CHECK(kit::PlainFile(AT_FDCWD, empty, 0).text() == "");
}

TEST_CASE("a name is looked up in the folder that is given") {
  const kit::Sandbox place;
  append(place.folder() + "/file", "here");
  const kit::Descriptor folder(open(place.folder().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  CHECK(kit::PlainFile(folder.get(), "file", 4).text() == "here");
  kit::PlainFile other(folder.get(), "other", 4);
  CHECK(other.missing());
  CHECK(other.why_not() == "is not there.");
  CHECK_FALSE(other.text().has_value());
}

TEST_CASE("what is no file is not taken, and nobody waits for it") {
  const kit::Sandbox place;
  const std::string path = place.folder() + "/odd";
  SECTION("a pipe") {
    REQUIRE(mkfifo(path.c_str(), 0600) == 0);
    CHECK(why_not(path) == "is a pipe, no file.");
  }
  SECTION("a link, be it to a file") {
    append(place.folder() + "/file", "secret");
    REQUIRE(symlink((place.folder() + "/file").c_str(), path.c_str()) == 0);
    CHECK(why_not(path) == "is a link, no file: links are not followed.");
  }
  SECTION("a folder") {
    CHECK(why_not(place.folder()) == "is a folder, no file.");
  }
  SECTION("a device") {
    CHECK(why_not("/dev/zero") == "is a device, no file.");
  }
  SECTION("a socket") {
    const kit::Descriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
    const kit::Address address = kit::Address::unix_path(path);
    REQUIRE(bind(socket.get(), address.get(), address.size()) == 0);
    CHECK(why_not(path) == "is a socket, no file.");
  }
  SECTION("below what is no folder") {
    append(path, "");
    CHECK(why_not(path + "/file") == "cannot be looked at: Not a directory.");
  }
}

TEST_CASE("a file that grows while it is read is not taken") {
  const kit::Sandbox place;
  const std::string path = place.folder() + "/file";
  append(path, "0123");
  kit::PlainFile file(AT_FDCWD, path, 6);
  CHECK(file.next() == "0123");
  append(path, "45");
  CHECK(file.next() == "45");
  append(path, "6");
  CHECK(file.next().empty());
  CHECK(file.why_not() == "has 7 bytes; a file of more than 6 bytes is not taken.");
  CHECK_FALSE(file.text().has_value());
}
