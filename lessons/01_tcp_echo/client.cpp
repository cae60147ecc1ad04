// A TCP client: sends its words as one line, and prints what comes back.
// Its partner: server.cpp. See also: connect(2), send(2), recv(2), shutdown(2).

#include <sys/socket.h>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/not_written.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>

#include <cerrno>
#include <stdexcept>

using namespace socketserver;

FileDescriptor connect_to([[maybe_unused]] const Address& server) {
  // TODO(01.A): open a socket of the server's family and connect it.
  not_written("01.A", "connect_to");
}

void send_all([[maybe_unused]] const FileDescriptor& connection,
              [[maybe_unused]] std::string_view bytes) {
  // TODO(01.A): send all the bytes.
  not_written("01.A", "send_all");
}

void half_close([[maybe_unused]] const FileDescriptor& connection) {
  // TODO(01.A): tell the server that no more will come; its answer still can.
  not_written("01.A", "half_close");
}

std::string receive_all([[maybe_unused]] const FileDescriptor& connection) {
  // TODO(01.A): receive until the server closes, and return everything.
  not_written("01.A", "receive_all");
}

void run(const Options& options) {
  const Address server = options.reachable_address();
  const std::string message = options.sentence() + "\n";

  const FileDescriptor connection = connect_to(server);
  send_all(connection, message);
  half_close(connection);
  const std::string answer = receive_all(connection);

  if (answer.empty()) throw std::runtime_error("the server closed without an answer");
  print_exchange(message, answer);
}

int main(int argc, char* argv[]) {
  return client_main(argc, argv, {}, "WORD...", run);
}
