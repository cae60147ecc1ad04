// A client that is many: each of its child processes has a conversation with the server, all at
// once, and tells by its exit status how that went. Its partner: server.cpp. See also: fork(2),
// waitpid(2), _exit(2).

#include <sys/wait.h>
#include <unistd.h>
#include <socketserver/connection.hpp>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>
#include <stream_handler.hpp>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
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

// What a child is for. Its exit status is all that its parent will know of it.
[[noreturn]] void converse_and_exit(const Address& server, long client, long lines) noexcept {
  int status = EXIT_SUCCESS;
  try {
    converse(server, client, lines);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "client %ld: %s\n", client, error.what());
    status = EXIT_FAILURE;
  }
  ::_exit(status);
}

// Waits for each child. Returns how many have not ended with exit status 0.
long collect_clients(const std::vector<pid_t>& children) {
  long failed = 0;
  for (const pid_t child : children) {
    int status = 0;
    while (::waitpid(child, &status, 0) == -1) {
      if (errno != EINTR) throw_system_error("waitpid");
    }
    if (status != 0) ++failed;  // another exit status, or killed by a signal
  }
  return failed;
}

// Starts a child for each client, all at once. Returns their numbers. If a fork fails those that
// were started are waited for.
std::vector<pid_t> start_clients(const Address& server, long clients, long lines) {
  std::vector<pid_t> children;
  children.reserve(static_cast<std::size_t>(clients));  // or one that is started could be lost
  for (long client = 1; client <= clients; ++client) {
    const pid_t child = ::fork();
    if (child == 0) converse_and_exit(server, client, lines);
    if (child == -1) {
      const int error = errno;
      collect_clients(children);
      throw_system_error("fork", error);
    }
    children.push_back(child);
  }
  return children;
}

void run(const Options& options) {
  const long clients = options.number("--clients", 10);
  const long lines = options.number("--lines", 10);
  const long failed = collect_clients(start_clients(options.reachable_address(), clients, lines));
  if (failed > 0) {
    throw std::runtime_error(std::to_string(failed) + " of " + std::to_string(clients) +
                             " clients failed");
  }
  std::printf("%ld clients, %ld lines each: every answer is right\n", clients, lines);
}

int main(int argc, char* argv[]) {
  return client_main(argc, argv,
                     {{"--clients", "N", "how many clients there are at once (10)", 1, 1000},
                      {"--lines", "N", "how many lines each of them says (10)", 1}},
                     nullptr, run);
}
