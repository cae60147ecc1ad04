// Right, and different: threads with a place for what each has to say, and questions that are all
// sent before the first answer is read.

#include <sys/socket.h>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>
#include <stream_handler.hpp>

#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace socketserver;

FileDescriptor connect_to(const Address& server) {
  FileDescriptor connection(
      check(::socket(server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  check(::connect(connection.get(), server.data(), server.size()), "connect");
  return connection;
}

std::string upper(std::string text) {
  for (char& byte : text) {
    if (byte >= 'a' && byte <= 'z') byte = static_cast<char>(byte - 'a' + 'A');
  }
  return text;
}

// No two lines are equal: an answer that belongs to another client is a wrong one.
std::string line_of(long client, long number) {
  return "client " + std::to_string(client) + " says line " + std::to_string(number) + "\n";
}

// One client's conversation: a line, its answer, the next line. Throws at the first answer that is
// wrong or missing.
void converse(const Address& server, long client, long lines) {
  const FileDescriptor connection = connect_to(server);
  StreamReader answers(connection.get());
  StreamWriter questions(connection.get(), 65536);
  for (long number = 1; number <= lines; ++number) questions.write(line_of(client, number));
  questions.flush();
  check(::shutdown(connection.get(), SHUT_WR), "shutdown");
  for (long number = 1; number <= lines; ++number) {
    const std::string expected = upper(line_of(client, number));
    if (answers.read_line(expected.size()) != expected) {
      throw std::runtime_error("line " + std::to_string(number) + " is wrong or missing");
    }
  }
}

std::vector<std::string> converse_all(const Address& server, long clients, long lines) {
  std::vector<std::string> failures(static_cast<std::size_t>(clients));
  std::vector<std::thread> threads;
  for (long client = 1; client <= clients; ++client) {
    threads.emplace_back([&failures, &server, client, lines] {
      try {
        converse(server, client, lines);
      } catch (const std::exception& error) {
        failures[static_cast<std::size_t>(client - 1)] = error.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return failures;
}

void run(const Options& options) {
  const long clients = options.number("--clients", 10);
  const long lines = options.number("--lines", 10);
  const std::vector<std::string> failures = converse_all(options.address(), clients, lines);
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
