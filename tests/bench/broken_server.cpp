// A server that is wrong on purpose, to see whether the load generator notices. For the benchmark's
// own tests.
//
// usage: kit-bench-broken FAULT [--datagram | --http] [--port N | --path P]

#include <signal.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <socketserver/address.hpp>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/system_call.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/upper.hpp"
#include "http_files.hpp"
#include "readiness.hpp"

namespace {

using kit::bench::Readiness;
using socketserver::Address;
using socketserver::check;

constexpr int faulty_line = 5;  // the first few are right: a look at the beginning is not enough

std::string fault;
bool http = false;
std::string of_another;  // the last answer, whoever got it

struct Connection {
  std::string received, held;
  int lines = 0;
};

// The file of 1,000 bytes, whatever was asked for.
std::string file_answer() {
  const std::string length = fault == "no-length" ? "" : "Content-Length: 1000\r\n";
  return "HTTP/1.1 200 OK\r\n" + length + "\r\n" + kit::bench::http_content(1000);
}

// What is sent in place of the right answer to line, or request, `number`; "end" as the fault's
// name ends the connection before it.
std::string answer_to(const std::string& line, int number, std::string& held) {
  const std::string right = http ? file_answer() : kit::upper(line);
  const std::size_t middle = right.size() - 24;
  const bool now = number == faulty_line;
  if (fault == "lower") return line;
  if (fault == "greets" && number == 1) return "HELLO\n" + right;
  if (fault == "other-client") return std::exchange(of_another, right);
  if (fault == "chatty") std::cout << std::string(4096, '.') << std::endl;
  if (fault == "swapped" && now) return std::exchange(held, right).substr(0, 0);
  if (fault == "swapped" && number == faulty_line + 1) return right + held;
  if (!now) return right;
  if (fault == "flipped")
    return right.substr(0, middle) + static_cast<char>(right[middle] ^ 1) +
           right.substr(middle + 1);
  if (fault == "doubled") return right + right;
  if (fault == "short") return right.substr(0, right.size() - 1);
  if (fault == "silent") return {};
  if (fault == "crash") {
    std::cerr << "this server gives up\n";
    std::_Exit(3);
  }
  return right;
}

// False: the connection ends.
bool serve(int socket, Connection& connection) {
  std::array<char, 16384> bytes;
  const ssize_t size = ::recv(socket, bytes.data(), bytes.size(), 0);
  if (size == 0 && fault == "no-end") return true;
  if (size <= 0) return false;
  connection.received.append(bytes.data(), static_cast<std::size_t>(size));
  std::string answers;
  bool last = false;
  const std::string_view stop = http ? "\r\n\r\n" : "\n";
  for (std::size_t end = 0; (end = connection.received.find(stop)) != std::string::npos;) {
    const std::string line = connection.received.substr(0, end + stop.size());
    connection.received.erase(0, end + stop.size());
    last = line.find("Connection: close") != std::string::npos && fault != "no-end";
    if (++connection.lines == faulty_line && fault == "ends-early") return false;
    answers += answer_to(line, connection.lines, connection.held);
  }
  if (answers.empty()) return true;
  return ::send(socket, answers.data(), answers.size(), 0) != -1 && !last;
}

[[noreturn]] void serve_streams(int listener) {
  Readiness readiness;
  std::map<int, Connection> connections;
  readiness.add(listener, static_cast<std::uint32_t>(listener));
  for (;;)
    for (const auto& ready : readiness.wait(std::chrono::minutes(1))) {
      const int fd = static_cast<int>(ready.token);
      if (fd == listener) {
        const int connection = check(::accept(listener, nullptr, nullptr), "accept");
        connections[connection] = {};
        readiness.add(connection, static_cast<std::uint32_t>(connection));
      } else if (!serve(fd, connections[fd])) {
        readiness.remove(fd, ready.token);
        connections.erase(fd);
        ::close(fd);
      }
    }
}

[[noreturn]] void serve_datagrams(int socket) {
  std::string held;
  for (int number = 1;; ++number) {
    std::array<char, 65536> bytes;
    sockaddr_storage peer{};
    socklen_t peer_size = sizeof peer;
    auto* address = reinterpret_cast<sockaddr*>(&peer);
    const auto size =
        check(::recvfrom(socket, bytes.data(), bytes.size(), 0, address, &peer_size), "recvfrom");
    const std::string line(bytes.data(), static_cast<std::size_t>(size));
    const int times = fault == "doubled" && number == faulty_line ? 2 : 1;
    const std::string answer = times == 2 ? kit::upper(line) : answer_to(line, number, held);
    for (int i = 0; i < times && !answer.empty(); ++i)
      ::sendto(socket, answer.data(), answer.size(), 0, address, peer_size);
  }
}

void run(const std::vector<std::string>& words) {
  bool datagram = false;
  Address address = Address::inet("127.0.0.1", 0);
  fault = words.at(0);
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "--datagram") datagram = true;
    if (words[i] == "--http") http = true;
    if (words[i] == "--path") address = Address::unix_path(words.at(i + 1));
  }
  if (fault == "cannot-start")
    throw std::runtime_error("not written: TCPServer::server_bind (01.C)");
  if (fault == "stubborn") ::signal(SIGTERM, SIG_IGN);
  const socketserver::FileDescriptor socket(
      check(::socket(address.family(), datagram ? SOCK_DGRAM : SOCK_STREAM, 0), "socket"));
  check(::bind(socket.get(), address.data(), address.size()), "bind");
  if (!datagram) check(::listen(socket.get(), 128), "listen");
  std::cout << "listening on " << Address::of_socket(socket.get()).text() << std::endl;
  if (datagram) serve_datagrams(socket.get());
  serve_streams(socket.get());
}

}  // namespace

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  try {
    run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
  }
  return 1;
}
