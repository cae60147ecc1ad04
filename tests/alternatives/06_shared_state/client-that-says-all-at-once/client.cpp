// Differs: each client sends all its transfers first, on a thread of its own, and reads the answers meanwhile.

#include <sys/socket.h>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>
#include <stream_handler.hpp>

#include <cstdio>
#include <functional>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace socketserver;

constexpr std::size_t line_limit = 1000;

// A connection to the bank.
class Conversation {
 public:
  explicit Conversation(const Address& bank)
      : connection_(check(::socket(bank.family(), SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")),
        reader_(connection_.get()),
        writer_(connection_.get(), 0) {
    check(::connect(connection_.get(), bank.data(), bank.size()), "connect");
  }

  // Sends a request, and returns its answer, both without newline.
  std::string ask(const std::string& request) {
    say(request + "\n");
    return hear();
  }
  void say(const std::string& lines) { writer_.write(lines); }
  std::string hear() {
    std::string answer(reader_.read_line(line_limit));
    if (!answer.ends_with('\n')) throw std::runtime_error("the bank closed without an answer");
    answer.pop_back();
    return answer;
  }

 private:
  FileDescriptor connection_;
  StreamReader reader_;
  StreamWriter writer_;
};

// "OK 10": the number. Anything else is an error.
long number_in(const std::string& answer) {
  if (!answer.starts_with("OK ")) throw std::runtime_error("the bank said: " + answer);
  return std::stol(answer.substr(3));
}

// One client: half of them move from alice to bob, the other half from bob to alice. The bank may
// refuse (ERR) when there is not enough; that moves nothing.
void move_money(const Address& bank, long client, long transfers) {
  Conversation conversation(bank);
  const std::string direction = client % 2 == 0 ? "alice bob " : "bob alice ";
  std::string all;
  for (long i = 0; i < transfers; ++i)
    all += "TRANSFER " + direction + std::to_string(1 + i % 9) + "\n";
  std::jthread writing([&] {
    try {
      conversation.say(all);
    } catch (...) {
    }
  });
  for (long i = 0; i < transfers; ++i) {
    const std::string answer = conversation.hear();
    if (answer != "OK" && !answer.starts_with("ERR ")) {
      throw std::runtime_error("the bank said: " + answer);
    }
  }
}

// All clients at once, a thread each. Throws what the first of them has thrown.
void move_money_at_once(const Address& bank, long clients, long transfers) {
  // Each of them waits for its thread when it is destroyed, whatever is thrown meanwhile.
  std::vector<std::future<void>> movers;
  for (long client = 0; client < clients; ++client) {
    movers.push_back(
        std::async(std::launch::async, move_money, std::cref(bank), client, transfers));
  }
  for (std::future<void>& mover : movers) mover.get();  // throws what move_money() has thrown
}

// The bank's own word, before and after: it may have other accounts and other clients.
void prove_total(const Address& bank, long clients, long transfers) {
  Conversation office(bank);
  for (const char* const name : {"alice", "bob"}) {
    (void)number_in(office.ask(std::string("DEPOSIT ") + name + " 1000"));
  }
  const long before = number_in(office.ask("TOTAL"));
  move_money_at_once(bank, clients, transfers);
  const long after = number_in(office.ask("TOTAL"));

  if (after != before) {
    throw std::runtime_error("TOTAL was " + std::to_string(before) +
                             " before the transfers and is " + std::to_string(after) +
                             " after them");
  }
  std::printf("%ld clients, %ld transfers each: TOTAL was %ld and is %ld\n", clients, transfers,
              before, after);
}

void run(const Options& options) {
  prove_total(options.address(), options.number("--clients", 8), options.number("--transfers", 50));
}

int main(int argc, char* argv[]) {
  return client_main(argc, argv,
                     {{"--clients", "N", "how many move money at once (8)", 1, 10000},
                      {"--transfers", "N", "how many transfers each of them makes (50)", 1}},
                     nullptr, run);
}
