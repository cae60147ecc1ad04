// A client that is many: each of its threads has a conversation with the server, all at once, and
// compares every answer. Its partner: server.cpp. See also: pthreads(7), connect(2).

#include <socketserver/connection.hpp>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <stream_handler.hpp>

#include <cstdio>
#include <functional>
#include <future>
#include <stdexcept>
#include <string>
#include <vector>

using namespace socketserver;

// No two lines are equal: an answer that belongs to another client is a wrong one.
std::string line_of(long client, long number) {
  return "client " + std::to_string(client) + " says line " + std::to_string(number) + "\n";
}

// One client's conversation: a line, its answer, the next line. Throws at the first answer that is
// wrong or missing.
void converse(const Address& server, long client, long lines) {
  const FileDescriptor connection = connect_to(server);
  StreamReader answers(connection.get());
  StreamWriter questions(connection.get(), 0);
  for (long number = 1; number <= lines; ++number) {
    const std::string line = line_of(client, number);
    questions.write(line);
    const std::string_view answer = answers.read_line(line.size());
    if (answer != upper(line)) {
      throw std::runtime_error("line " + std::to_string(number) + ": expected \"" +
                               escaped(upper(line)) + "\", got \"" + escaped(answer) + "\"");
    }
  }
}

// All clients at once, a thread each. Returns what went wrong, an empty text where nothing did.
std::vector<std::string> converse_all(const Address& server, long clients, long lines) {
  // Each of them waits for its thread when it is destroyed, whatever is thrown meanwhile.
  std::vector<std::future<void>> conversations;
  for (long client = 1; client <= clients; ++client) {
    conversations.push_back(
        std::async(std::launch::async, converse, std::cref(server), client, lines));
  }
  std::vector<std::string> failures(conversations.size());
  for (std::size_t i = 0; i < conversations.size(); ++i) {
    try {
      conversations[i].get();  // throws what converse() has thrown
    } catch (const std::exception& error) {
      failures[i] = error.what();
    }
  }
  return failures;
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
