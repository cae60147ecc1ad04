// A client that is many: each of its threads has a conversation with the server, all at once, and
// compares every answer. Its partner: server.cpp. See also: pthreads(7), connect(2).

#include <socketserver/connection.hpp>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/not_written.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <stream_handler.hpp>

#include <cstdio>
#include <functional>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace socketserver;

// No two lines are equal: an answer that belongs to another client is a wrong one.
std::string line_of(long client, long number) {
  return "client " + std::to_string(client) + " says line " + std::to_string(number) + "\n";
}

// One client's conversation: a line, its answer, the next line. Throws at the first answer that is
// wrong or missing.
void converse([[maybe_unused]] const Address& server, [[maybe_unused]] long client,
              [[maybe_unused]] long lines) {
  // TODO(04.C): connect; for each line_of(client, 1), line_of(client, 2), … send it, read the
  // answer, and compare it.
  not_written("04.C", "converse");
}

// All clients at once, a thread each. Returns what went wrong, an empty text where nothing did.
std::vector<std::string> converse_all([[maybe_unused]] const Address& server,
                                      [[maybe_unused]] long clients, [[maybe_unused]] long lines) {
  // TODO(04.C): start a thread for each client, 1 to `clients`, that calls converse(); wait for all
  // of them.
  not_written("04.C", "converse_all");
}

void run(const Options& options) {
  const long clients = options.number("--clients", 10);
  const long lines = options.number("--lines", 10);
  const std::vector<std::string> failures =
      converse_all(options.reachable_address(), clients, lines);
  long failed = 0;
  std::string first;
  for (std::size_t i = 0; i < failures.size(); ++i) {
    if (failures[i].empty()) continue;
    if (++failed == 1) first = "client " + std::to_string(i + 1) + ": " + failures[i];
  }
  if (failed > 0) {
    throw std::runtime_error(std::to_string(failed) + " of " + std::to_string(clients) +
                             " clients failed; " + first);
  }
  std::printf("%ld clients, %ld lines each: every answer is right\n", clients, lines);
}

int main(int argc, char* argv[]) {
  return client_main(argc, argv,
                     {{"--clients", "N", "how many clients there are at once (10)", 1, 10000},
                      {"--lines", "N", "how many lines each of them says (10)", 1}},
                     nullptr, run);
}
