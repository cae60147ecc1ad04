// A bank that many clients use at once: a line is a request, and a line is its answer.
// Its partner: client.cpp. Its accounts: bank.cpp. See also: pthreads(7), fork(2).
//
//   DEPOSIT a 5    -> OK 5       the new balance      TOTAL       -> OK 10
//   TRANSFER a b 5 -> OK                              WAIT a 100  -> OK 120  once it is 100 or more
//   BALANCE a      -> OK 5                            anything wrong -> ERR and the reason

#include <forking_mixin.hpp>
#include <socketserver/client_watch.hpp>
#include <socketserver/program.hpp>
#include <socketserver/server_with.hpp>
#include <stream_handler.hpp>
#include <threading_mixin.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bank.hpp"

using namespace socketserver;

constexpr std::size_t line_limit = 1000;

// What all handlers share, attributes of the server: of threads there is this one, and each forked
// child has a copy.
struct Shared {
  Bank bank;

  // Notices who leaves while a thread waits for somebody else's money. None in a forked child,
  // whose copy nobody else can change. Set before the first request.
  std::optional<ClientWatch> clients;
};

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find_first_of(" \r\n"), line.size());
    if (end > 0) words.emplace_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

const std::string& name_of(const std::string& word) {
  const auto is_letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (word.size() > 32 || !std::all_of(word.begin(), word.end(), is_letter_or_digit)) {
    throw Refused("a name is 1 to 32 letters or digits");
  }
  return word;
}

std::int64_t amount_of(const std::string& word) {
  std::int64_t amount = 0;
  const char* const end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data(), end, amount);
  if (error != std::errc{} || stop != end || amount < 1 || amount > Ledger::most) {
    throw Refused("an amount is a whole number from 1 to " + std::to_string(Ledger::most));
  }
  return amount;
}

class BankHandler : public StreamRequestHandler {
 public:
  using StreamRequestHandler::StreamRequestHandler;

  void setup() override {
    wbufsize = 65536;
    disable_nagle_algorithm = true;  // what belongs together is gathered here already
    StreamRequestHandler::setup();
  }

  // What has come is answered before more is waited for.
  void handle() override {
    for (;;) {
      const std::string_view line = rfile().read_line(line_limit);
      if (line.empty()) return;
      log_received(client_address(), line);
      // Half a line at end of file may say less than was meant: 50 of 5000.
      if (!line.ends_with('\n')) return wfile().write("ERR the line is cut off\n");
      wfile().write(answer(words_of(line)) + "\n");
      if (!rfile().has_line()) wfile().flush();
    }
  }

 private:
  std::string answer(const std::vector<std::string>& words) {
    try {
      return "OK" + obey(words);
    } catch (const Refused& refused) {
      return std::string("ERR ") + refused.what();
    }
  }

  std::string obey(const std::vector<std::string>& words) {
    const auto is = [&](std::string_view command, std::size_t size) {
      return words.size() == size && words[0] == command;
    };
    const auto number = [](std::int64_t value) { return " " + std::to_string(value); };
    if (is("DEPOSIT", 3)) return number(bank_.deposit(name_of(words[1]), amount_of(words[2])));
    if (is("BALANCE", 2)) return number(bank_.balance(name_of(words[1])));
    if (is("TOTAL", 1)) return number(bank_.total());
    if (is("WAIT", 3)) return number(wait(name_of(words[1]), amount_of(words[2])));
    if (!is("TRANSFER", 4)) throw Refused("no such request");
    bank_.transfer(name_of(words[1]), name_of(words[2]), amount_of(words[3]));
    return "";
  }

  std::int64_t wait(const std::string& name, std::int64_t amount) {
    wfile().flush();  // what is answered already does not wait with this one
    if (clients_) {
      const ClientWatch::Client client(*clients_, request().fileno());
      return bank_.wait_for(name, amount, client.left());
    }
    const std::int64_t balance = bank_.balance(name);
    if (balance < amount) throw Refused("nobody else can change this copy");
    return balance;
  }

  Bank& bank_ = server_as<Shared>(server()).bank;
  std::optional<ClientWatch>& clients_ = server_as<Shared>(server()).clients;
};

template <class Server>
class BankServer : public ServerWith<Shared, Server> {
 public:
  using ServerWith<Shared, Server>::ServerWith;
  ~BankServer() override { BankServer::server_close(); }

  // However the end has come, by an exception too: the threads that wait would be waited for.
  void server_close() override {
    BaseServer::server_close();
    this->bank.stop();
    Server::server_close();
  }
};

template <class Server>
void run(const Options& options) {
  BankServer<Server> server(options.address(), handler_class<BankHandler>);
  if (options.text("--model") != "forks") {
    server.clients.emplace([&server] { server.bank.look_again(); });
  }
  const EndOnSignals end(server);
  start_listening(server);
  server.serve_forever();
  server.server_close();
}

void serve(const Options& options) {
  if (options.text("--model") == "forks") return run<ForkingTCPServer>(options);
  run<ThreadingTCPServer>(options);
}

int main(int argc, char* argv[]) {
  return server_main(
      argc, argv,
      {{"--model", "threads|forks", "what each client gets, a thread or a process (threads)"}},
      serve);
}
