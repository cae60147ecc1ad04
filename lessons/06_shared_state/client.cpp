// A client that is many: they move money to and fro, all at once, and the sum must not change.
// Its partner: server.cpp. See also: pthreads(7), connect(2).

#include <socketserver/connection.hpp>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/not_written.hpp>
#include <socketserver/program.hpp>
#include <stream_handler.hpp>

#include <cstdio>
#include <exception>
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
      : connection_(connect_to(bank)), reader_(connection_.get()), writer_(connection_.get(), 0) {}

  // Sends a request, and returns its answer, both without newline.
  std::string ask(const std::string& request) {
    writer_.write(request + "\n");
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
[[maybe_unused]] long number_in(const std::string& answer) {
  if (!answer.starts_with("OK ")) throw std::runtime_error("the bank said: " + answer);
  return std::stol(answer.substr(3));
}

// One client: half of them move from alice to bob, the other half from bob to alice. The bank may
// refuse (ERR) when there is not enough; that moves nothing.
void move_money([[maybe_unused]] const Address& bank, [[maybe_unused]] long client,
                [[maybe_unused]] long transfers) {
  // TODO(06.D): with a conversation of its own, ask for so many transfers, one after the other.
  not_written("06.D", "move_money");
}

// All clients at once, a thread each. Throws what the first of them has thrown.
void move_money_at_once([[maybe_unused]] const Address& bank, [[maybe_unused]] long clients,
                        [[maybe_unused]] long transfers) {
  // TODO(06.D): start a thread for each client, 0 to clients - 1, that calls move_money(); wait for
  // all of them.
  not_written("06.D", "move_money_at_once");
}

// The bank's own word, before and after: it may have other accounts and other clients.
void prove_total([[maybe_unused]] const Address& bank, [[maybe_unused]] long clients,
                 [[maybe_unused]] long transfers) {
  // TODO(06.D): open the accounts alice and bob with a deposit of 1000 each. Ask for TOTAL, let the
  // money be moved, ask again. If the two are not equal, throw; if they are, print both.
  not_written("06.D", "prove_total");
}

void run(const Options& options) {
  prove_total(options.reachable_address(), options.number("--clients", 8),
              options.number("--transfers", 50));
}

int main(int argc, char* argv[]) {
  return client_main(argc, argv,
                     {{"--clients", "N", "how many move money at once (8)", 1, 10000},
                      {"--transfers", "N", "how many transfers each of them makes (50)", 1}},
                     nullptr, run);
}
