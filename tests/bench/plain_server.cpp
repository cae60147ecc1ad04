// The baseline: the least a server can do. One thread, one recv and one send for a request, no
// classes, no lines, no options. Every measurement stands between two of this one, so that a
// machine that is slower for a while is not taken for a server that is slower.
//
// usage: kit-bench-plain [--datagram] [--port N | --path P]
//        kit-bench-plain --http --directory DIR [--port N]

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <socketserver/address.hpp>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/system_call.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "readiness.hpp"

namespace {

using kit::bench::Readiness;
using socketserver::Address;
using socketserver::check;
using socketserver::FileDescriptor;

constexpr int backlog = 4096;
std::array<char, 64 * 1024> buffer;
std::string files;  // the folder that HTTP is answered from

void upper(std::span<char> bytes) {
  for (char& c : bytes)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
}

FileDescriptor listen_on(const Address& address, bool datagram) {
  FileDescriptor socket(
      check(::socket(address.family(), datagram ? SOCK_DGRAM : SOCK_STREAM, 0), "socket"));
  check(::bind(socket.get(), address.data(), address.size()), "bind");
  if (!datagram) check(::listen(socket.get(), backlog), "listen");
  const int on = 1;  // the connections inherit it; a Unix socket has no such option, and no delay
  if (!datagram && address.family() == AF_INET)
    check(::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt");
  std::cout << "listening on " << Address::of_socket(socket.get()).text() << std::endl;
  return socket;
}

[[noreturn]] void serve_datagrams(int socket) {
  for (;;) {
    sockaddr_storage peer{};
    socklen_t peer_size = sizeof peer;
    auto* address = reinterpret_cast<sockaddr*>(&peer);
    const ssize_t size = ::recvfrom(socket, buffer.data(), buffer.size(), 0, address, &peer_size);
    if (size == -1) continue;
    upper(std::span(buffer).first(static_cast<std::size_t>(size)));
    ::sendto(socket, buffer.data(), static_cast<std::size_t>(size), 0, address, peer_size);
  }
}

// May block on a client that does not read; ours read.
bool send_all(int connection, std::span<const char> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(connection, bytes.data(), bytes.size(), 0);
    if (sent == -1) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

using Answer = bool (*)(int connection);  // false at the end

bool answer_line(int connection) {
  const ssize_t size = ::recv(connection, buffer.data(), buffer.size(), 0);
  if (size <= 0) return false;
  const std::span bytes = std::span(buffer).first(static_cast<std::size_t>(size));
  upper(bytes);
  return send_all(connection, bytes);
}

// Head and file in one piece, read once.
std::string_view whole_answer(const std::string& target) {
  static std::map<std::string, std::string> answers;
  std::string& answer = answers[target];
  if (!answer.empty()) return answer;
  std::ifstream file(files + target, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  answer = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(content.size()) + "\r\n\r\n";
  return answer += content;
}

// Our clients' requests come whole, and one at a time.
bool answer_request(int connection) {
  const ssize_t size = ::recv(connection, buffer.data(), buffer.size(), 0);
  if (size <= 0) return false;
  const std::string_view request(buffer.data(), static_cast<std::size_t>(size));
  const std::size_t target = request.find(' ') + 1;
  const std::string_view answer =
      whole_answer(std::string(request.substr(target, request.find(' ', target) - target)));
  return send_all(connection, answer) && request.find("Connection: close") == request.npos;
}

void accept_all(int listener, Readiness& readiness) {
  for (;;) {
    const int connection = ::accept(listener, nullptr, nullptr);
    if (connection == -1) return;
    readiness.add(connection, static_cast<std::uint32_t>(connection));
  }
}

[[noreturn]] void serve_streams(int listener, Answer answer) {
  Readiness readiness;  // a descriptor's number is its token
  socketserver::set_nonblocking(listener);
  readiness.add(listener, static_cast<std::uint32_t>(listener));
  for (;;) {
    for (const auto& ready : readiness.wait(std::chrono::minutes(1))) {
      const int fd = static_cast<int>(ready.token);
      if (fd == listener) {
        accept_all(listener, readiness);
      } else if (!answer(fd)) {
        readiness.remove(fd, ready.token);
        ::close(fd);
      }
    }
  }
}

void serve(const std::vector<std::string_view>& words) {
  bool datagram = false;
  bool http = false;
  Address address = Address::inet("127.0.0.1", 0);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool has_value = i + 1 < words.size();
    if (words[i] == "--datagram") {
      datagram = true;
    } else if (words[i] == "--http") {
      http = true;
    } else if (words[i] == "--directory" && has_value) {
      files = words[++i];
    } else if (words[i] == "--port" && has_value) {
      address = Address::inet("127.0.0.1",
                              static_cast<std::uint16_t>(std::stoi(std::string(words[++i]))));
    } else if (words[i] == "--path" && has_value) {
      address = Address::unix_path(words[++i]);
    } else {
      throw std::invalid_argument("usage: kit-bench-plain [--datagram] [--port N | --path P]");
    }
  }
  const FileDescriptor socket = listen_on(address, datagram);
  if (datagram) serve_datagrams(socket.get());
  serve_streams(socket.get(), http ? answer_request : answer_line);
}

}  // namespace

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  try {
    serve({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
  }
  return 2;
}
