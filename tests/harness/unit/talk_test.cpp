// kit-talk, as a person would use it.

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "harness/base/catch.hpp"
#include "harness/processes/process.hpp"
#include "harness/processes/sandbox.hpp"
#include "harness/wire/stream.hpp"

namespace {

using namespace std::chrono_literals;
using kit::Address;
using kit::Exit;

// A kit-talk under way.
class Talk {
 public:
  explicit Talk(std::vector<std::string> arguments) {
    kit::ProcessOptions options = place_.options();
    options.command = {place_.reachable(KIT_TALK)};
    options.command.insert(options.command.end(), arguments.begin(), arguments.end());
    process_ = std::make_unique<kit::Process>(options);
  }

  Exit wait() {
    REQUIRE(process_->wait_exit(kit::after(30s)));
    return *process_->exit();
  }
  std::string said() const { return std::string(process_->out().head()); }
  std::string complained() const { return std::string(process_->err().head()); }
  kit::Process& process() { return *process_; }
  const std::string& folder() const { return place_.folder(); }

  /// Where it says that it listens.
  Address address() {
    REQUIRE(
        kit::wait_until([&] { return said().find('\n') != std::string::npos; }, kit::after(30s)));
    const std::string line = said().substr(0, said().find('\n'));
    REQUIRE(line.starts_with("listening on "));
    return *Address::parse(line.substr(13));
  }

 private:
  kit::Signals signals_;
  kit::Sandbox place_;
  std::unique_ptr<kit::Process> process_;
};

// What one connection says, until its end.
std::string read_all(kit::Stream& stream) {
  while (stream.ending() == kit::Ending::open && stream.receive_more(kit::after(30s))) {
  }
  return stream.inbox();
}

struct Listener {
  kit::Descriptor socket = kit::bound_socket(Address::tcp("127.0.0.1", 0), SOCK_STREAM);
  Address address = Address::local_of(socket.get());
  Listener() { REQUIRE(listen(socket.get(), 8) == 0); }
  kit::Stream accept() {
    REQUIRE(kit::wait_for(socket.get(), POLLIN, kit::after(30s)));
    return kit::Stream(kit::Descriptor(::accept(socket.get(), nullptr, nullptr)));
  }
};

}  // namespace

TEST_CASE("kit-talk says what it is told, in order, and shows what comes") {
  const kit::Signals signals;
  Listener listener;
  Talk talk({listener.address.text(), "--send", R"(a\x00\n)", "--pause", "--fill", "27", "--expect",
             "OK", "--half-close"});
  kit::Stream stream = listener.accept();
  // The pause waits until the first piece is read: the rest has not come.
  REQUIRE(stream.receive_more(kit::after(30s)));
  CHECK(stream.inbox() == std::string("a\0\n", 3));
  REQUIRE(stream.receive_more(kit::after(30s)));
  CHECK(stream.inbox() == std::string("a\0\nabcdefghijklmnopqrstuvwxyza", 30));
  stream.send_all("OK!", 30s);
  read_all(stream);
  CHECK(stream.ending() == kit::Ending::end_of_file);
  stream.close();
  CHECK(talk.wait() == Exit{0, 0});
  CHECK(talk.said() == "connected to " + listener.address.text() +
                           "\nsent      \"a\\0\\n\" (3 bytes)\n"
                           "sent      \"abcdefghijklmnopqrstuvwxyza\" (27 bytes)\n"
                           "received  \"OK\" (2 bytes)\n"
                           "sent      end of file\n"
                           "received  \"!\" (1 byte)\n"
                           "received  end of file\n");
}

TEST_CASE("kit-talk ends with 1 when others than the expected bytes come") {
  const kit::Signals signals;
  Listener listener;
  Talk talk({listener.address.text(), "--expect", "HELLO"});
  kit::Stream stream = listener.accept();
  stream.send_all("HELP", 30s);
  CHECK(talk.wait() == Exit{1, 0});
  CHECK(talk.said().find("got       \"HELP\" (4 bytes)\n              ^ here\n") !=
        std::string::npos);
}

TEST_CASE("kit-talk resets, and is told of a reset") {
  const kit::Signals signals;
  Listener listener;
  {
    Talk talk({listener.address.text(), "--send", "x", "--reset"});
    kit::Stream stream = listener.accept();
    CHECK(talk.wait() == Exit{0, 0});
    read_all(stream);
    CHECK(stream.ending() == kit::Ending::reset);
  }
  Talk talk({listener.address.text(), "--hold"});
  kit::Stream stream = listener.accept();
  stream.reset();
  CHECK(talk.wait() == Exit{0, 0});
  CHECK(talk.said().ends_with("received  a reset\n"));
}

TEST_CASE("kit-talk stands in for a server") {
  const kit::Signals signals;
  Talk talk({"--listen", "127.0.0.1:0", "--upper"});
  kit::Stream stream = kit::Stream::connect(talk.address(), kit::after(30s));
  stream.send_all("hello\n", 30s);
  stream.half_close();
  CHECK(read_all(stream) == "HELLO\n");
  CHECK(stream.ending() == kit::Ending::end_of_file);
  CHECK(talk.wait() == Exit{0, 0});
}

TEST_CASE("kit-talk keeps listening, plays its acts for each, and removes its path") {
  const kit::Signals signals;
  kit::Sandbox place;
  const std::string path = "/tmp/kit-talk-test-" + std::to_string(getpid());
  Talk talk({"--listen", "unix:" + path, "--keep", "--send", "hi"});
  const Address address = talk.address();
  for (int i = 0; i < 2; ++i) {
    kit::Stream stream = kit::Stream::connect(address, kit::after(30s));
    CHECK(read_all(stream) == "hi");
  }
  talk.process().signal(SIGINT);
  CHECK(talk.wait() == Exit{128 + SIGINT, 0});
  CHECK(access(path.c_str(), F_OK) != 0);
}

TEST_CASE("kit-talk in datagrams") {
  const kit::Signals signals;
  Talk server({"--udp", "--listen", "127.0.0.1:0", "--upper"});
  Talk client({"--udp", server.address().text(), "--send", "hello"});
  CHECK(client.wait() == Exit{0, 0});
  CHECK(client.said().find("received  datagram \"HELLO\" (5 bytes) from 127.0.0.1:") !=
        std::string::npos);
  CHECK(server.wait() == Exit{0, 0});
}

TEST_CASE("kit-talk names what is wrong with its options, with a line of usage") {
  const kit::Signals signals;
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"nowhere"},
      {"127.0.0.1:1", "127.0.0.1:2"},
      {"127.0.0.1:1", "--send"},
      {"127.0.0.1:1", "--send", "\\q"},
      {"127.0.0.1:1", "--fill", "many"},
      {"127.0.0.1:1", "--shout"},
      {"127.0.0.1:1", "--upper"},
  };
  for (const auto& arguments : wrong) {
    Talk talk(arguments);
    CHECK(talk.wait() == Exit{2, 0});
    CHECK(talk.complained().starts_with("kit-talk: "));
    CHECK(talk.complained().find("\nusage: kit-talk ADDRESS") != std::string::npos);
    CHECK(talk.said().empty());
  }
  Talk nobody({"127.0.0.1:1", "--send", "x"});
  CHECK(nobody.wait() == Exit{1, 0});
  CHECK(nobody.complained() == "kit-talk: 127.0.0.1:1: connect: Connection refused\n");
  Talk help({"--help"});
  CHECK(help.wait() == Exit{0, 0});
}
