// The lines by hand of a report: read there, and typed. What stands in for a learner's server is
// kit-talk, which can be right and wrong in a few words.

#include "by_hand.hpp"

#include <string>

#include "folder.hpp"
#include "harness/base/catch.hpp"

using namespace kit;
namespace fs = std::filesystem;

namespace {

/// Two candidates with a server each, in a folder that every user may look into.
class Servers {
 public:
  Servers() {
    fs::permissions(folder_.path(), fs::perms::others_exec | fs::perms::others_read,
                    fs::perm_options::add);
    fs::copy(talk, folder_.path() / "kit-talk");
  }

  /// What is seen if the wrong one does this.
  [[nodiscard]] std::string seen(const ByHand& lines, const std::string& wrong,
                                 std::chrono::milliseconds long_enough) const {
    return seen_by_hand(lines, talk, candidate("right", "--keep --upper"),
                        candidate("wrong", wrong), long_enough);
  }

 private:
  [[nodiscard]] fs::path candidate(const std::string& name, const std::string& does) const {
    const std::string server = name + "/checked/server";
    folder_.write(server, "#!/bin/sh\nexec \"" + (folder_.path() / "kit-talk").string() +
                              "\" --listen 127.0.0.1:0 " + does + '\n');
    fs::permissions(folder_.path() / server, fs::perms(0755));
    return folder_.path() / name;
  }

  const fs::path talk = fs::path(KIT_BUILD_FOLDER) / "kit-talk";
  TemporaryFolder folder_;
};

const ByHand asks{"build/lessons/01_toy/server --port 9999",
                  {"build/kit-talk 127.0.0.1:9999 --send 'a' --pause --send 'b\\n'"}};
const ByHand stays{asks.first, {asks.others.front() + " --hold"}};
const ByHand two{asks.first,
                 {"build/kit-talk 127.0.0.1:9999 --send 'first'",
                  "build/kit-talk 127.0.0.1:9999 --send 'second'"}};

}  // namespace

TEST_CASE("the lines by hand are those below their heading, each as one line") {
  const auto lines = lines_by_hand(
      "01.7 a step\n"
      "  see it yourself\n"
      "    build/kit-show 01.7\n"
      "    or, without the check, in one terminal:\n"
      "    build/lessons/01_toy/server --port 9999\n"
      "    in another:\n"
      "    build/kit-talk 127.0.0.1:9999 --send 'a' --hold &\n"
      "    build/kit-talk 127.0.0.1:9999 --send 'b' \\\n"
      "      --hold\n"
      "  run only this\n"
      "    build/kit-check 01.7\n");
  REQUIRE(lines);
  CHECK(lines->first == "build/lessons/01_toy/server --port 9999");
  CHECK(lines->others ==
        std::vector<std::string>{"build/kit-talk 127.0.0.1:9999 --send 'a' --hold &",
                                 "build/kit-talk 127.0.0.1:9999 --send 'b' --hold"});
  const auto one = lines_by_hand(
      "  see it yourself\n    build/kit-show 01.7\n    or, without the check:\n"
      "    build/lessons/01_toy/client\n  run only this\n");
  REQUIRE(one);
  CHECK(one->first == "build/lessons/01_toy/client");
  CHECK(one->others.empty());
  CHECK_FALSE(lines_by_hand("  see it yourself\n    build/kit-show 01.7\n  run only this\n"));
  CHECK_FALSE(lines_by_hand(""));
}

TEST_CASE("what is seen does not depend on the pieces in which it came") {
  const Seen pieces = seen_in(
      "connected to 127.0.0.1:9999\nsent      \"ab\" (2 bytes)\n"
      "received  \"A\" (1 byte)\nreceived  \"B\\\"\" (2 bytes)\nreceived  end of file\n");
  const Seen whole = seen_in("received  \"AB\\\"\" (3 bytes)\nreceived  end of file\n");
  CHECK(pieces.bytes == whole.bytes);
  CHECK(pieces.count == 3);
  CHECK(pieces.last_words == "end of file");
  const Seen cut = seen_in("received  \"aaaa\"... (65,536 bytes)\n");
  CHECK(cut.count == 65'536);
  CHECK(cut.cut);
  const Seen datagrams = seen_in(
      "received  datagram \"A\" (1 byte) from 127.0.0.1:7\n"
      "received  datagram \"B\" (1 byte) from 127.0.0.1:7\nreceived  nothing in 1,000 ms\n");
  CHECK(datagrams.bytes == "|A|B");
  CHECK(datagrams.last_words == "nothing");
  const std::string_view two_datagrams =
      "received  datagram \"A\" (1 byte) from 127.0.0.1:17\n"
      "received  datagram \"B\" (1 byte) from 127.0.0.1:7\n";
  CHECK(seen_in(two_datagrams, ":7").bytes == "|from another: A|B");
}

TEST_CASE("lines by hand show a mistake, and nothing where there is none") {
  using namespace std::chrono_literals;
  const Servers servers;
  // The right one itself, on however busy a machine.
  for (const ByHand& lines : {asks, stays, two})
    CHECK(servers.seen(lines, "--keep --upper", 60s) == "");
  // It says nothing, something else, goes away, or is never there.
  for (const char* wrong : {"--keep --hold", "--keep --send x", "--close", "--no-such-option"}) {
    for (const ByHand& lines : {asks, stays}) {
      INFO(wrong << ": " << lines.others.front());
      CHECK(servers.seen(lines, wrong, 500ms) != "");
    }
  }
  // It serves the first client alone.
  CHECK(servers.seen(two, "--upper", 500ms) != "");
}
