// tests/cmake/link.cmake, in front of a linker that only pretends.

#include <string>
#include <vector>

#include "command.hpp"
#include "folder.hpp"
#include "harness/base/catch.hpp"

using namespace kit;

namespace {

/// What link.cmake makes of a linker that says `words` and ends with `status`.
Outcome run_link(const std::string& words, int status) {
  const TemporaryFolder temporary;
  const std::string folder = temporary.path().string();
  temporary.write("words.txt", words);
  temporary.write("manifest.txt",
                  "kit\t1\nlesson\t01_toy\ta toy\n"
                  "task\t01.B\ttcp.cpp\tTCP::bind\ntask\t01.C\ttcp.cpp\tTCP::close TCP::bind\n"
                  "lesson\t02_later\tanother\ntask\t02.A\tudp.cpp\tUDP::bind\n");
  Command command;
  command.arguments = {
      KIT_CMAKE_COMMAND,
      "-DMANIFEST=" + folder + "/manifest.txt",
      "-DLESSON=01_toy",
      "-P",
      KIT_ROOT_FOLDER "/tests/cmake/link.cmake",
      "--",
      "/bin/sh",
      "-c",
      "[ $LC_ALL = C ] || exec echo in another language; cat words.txt >&2; exit " +
          std::to_string(status)};
  command.environment = plain_environment();
  std::erase_if(command.environment,
                [](const std::string& variable) { return variable.starts_with("LC_ALL="); });
  command.environment.push_back("LC_ALL=tr_TR.UTF-8");
  command.folder = folder;
  return run_command(command);
}

}  // namespace

TEST_CASE("link.cmake leaves a linker alone that links") {
  CHECK(run_link("", 0).output == "");
  const Outcome warned = run_link("ld: warning: a [b]; c\n", 0);
  CHECK(warned.ok());
  CHECK(warned.output == "ld: warning: a [b]; c\n");
}

TEST_CASE("link.cmake says which task is not written, once") {
  const Outcome outcome = run_link(
      "/usr/bin/ld: server.o: in function `main':\n"
      "server.cpp:(.text+0xc): undefined reference to `vtable for socketserver::TCP'\n"
      "server.cpp:(.text[_ZN1x]+0x1c): undefined reference to `socketserver::TCP::close(int; "
      "char)'\n"
      "server.cpp:(.text+0x1c): undefined reference to `helper()'\n"
      "collect2: error: ld returned 1 exit status\n",
      1);
  CHECK_FALSE(outcome.ok());
  const std::string expected =
      "not written: TCP::bind (01.B)  lessons/01_toy/tcp.cpp\n"
      "not written: TCP::close (01.C)  lessons/01_toy/tcp.cpp\n"
      "server.cpp:(.text+0x1c): undefined reference to `helper()'\n";
  CHECK(outcome.output.substr(0, expected.size()) == expected);
}

TEST_CASE("link.cmake lets through what it has no words for") {
  const std::string said = "ld: x.o: multiple definition of `main'; y.o: first defined here\n";
  const Outcome outcome = run_link(said, 1);
  CHECK_FALSE(outcome.ok());
  CHECK(outcome.output.substr(0, said.size()) == said);
}
