// Clients that ask for one file over HTTP: each keeps its connection, or opens one for every
// request. An answer is read by its Content-Length, and compared with the file byte by byte.

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "http_files.hpp"
#include "one_by_one.hpp"
#include "units.hpp"

namespace kit::bench {
namespace {

constexpr std::size_t longest_head = 8 * 1024;
constexpr std::size_t receive_buffer = 256 * 1024;

struct Client {
  std::string head;  // of the answer, as far as it has come
  bool in_content = false;
  std::size_t came = 0;  // of the content
  std::uint64_t request = 0;
};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// The value of `name` ("content-length"), or nothing.
std::string field_of(std::string head, const std::string& name) {
  std::transform(head.begin(), head.end(), head.begin(), lower);
  const std::size_t field = head.find("\r\n" + name + ":");
  if (field == std::string::npos) return {};
  const std::size_t begin = head.find_first_not_of(" \t", field + name.size() + 3);
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

class HttpLoad : public OneByOne {
 public:
  HttpLoad(const Load& load, const socketserver::Address& server, const Timing& timing,
           const Hooks& hooks)
      : OneByOne(load, server, timing, hooks),
        keeps_(load.kind == Kind::persistent),
        content_(http_content(static_cast<std::size_t>(load.content))),
        request_("GET " + http_target(content_.size()) + " HTTP/1.1\r\nHost: localhost\r\n" +
                 (keeps_ ? "" : "Connection: close\r\n") + "\r\n"),
        received_(receive_buffer),
        clients_(clients()) {}

 private:
  void begin(std::uint32_t number) override;
  bool send(std::uint32_t number, int socket) override;
  void receive(std::uint32_t number, int socket) override;
  void take(std::uint32_t number, std::string_view bytes);
  std::string_view take_head(std::uint32_t number, std::string_view bytes);
  void ended(std::uint32_t number);
  void complete(std::uint32_t number);
  [[noreturn]] void wrong(std::uint32_t number, const std::string& what) const;
  [[noreturn]] void silent() const override;
  [[nodiscard]] std::string how_much(const Client& client) const;

  const bool keeps_;
  const std::string content_;
  const std::string request_;
  std::vector<char> received_;
  std::vector<Client> clients_;
};

void HttpLoad::begin(std::uint32_t number) {
  Client& client = clients_[number];
  client.in_content = false;
  client.head.clear();
  client.came = 0;
}

// A request is smaller than any socket's buffer: it is taken whole, or, while the connection is not
// there yet, not at all.
bool HttpLoad::send(std::uint32_t number, int socket) {
  const ssize_t size = ::send(socket, request_.data(), request_.size(), MSG_NOSIGNAL);
  if (size == -1 && (errno == EAGAIN || errno == EINTR || errno == ENOTCONN)) return false;
  if (size != static_cast<ssize_t>(request_.size()))
    wrong(number, std::string("send: ") + std::strerror(errno));
  return true;
}

void HttpLoad::receive(std::uint32_t number, int socket) {
  const ssize_t size = ::recv(socket, received_.data(), received_.size(), 0);
  if (size == -1 && (errno == EAGAIN || errno == EINTR)) return;
  if (size == -1) wrong(number, std::strerror(errno));
  if (size == 0) return ended(number);
  progress();
  take(number, {received_.data(), static_cast<std::size_t>(size)});
}

void HttpLoad::take(std::uint32_t number, std::string_view bytes) {
  Client& client = clients_[number];
  if (!connection(number).asked) wrong(number, "an answer came before the request");
  if (!client.in_content) bytes = take_head(number, bytes);
  if (!client.in_content) return;
  if (bytes.size() > content_.size() - client.came)
    wrong(number, "more came than the Content-Length of " + with_commas(content_.size()));
  if (std::memcmp(bytes.data(), content_.data() + client.came, bytes.size()) != 0)
    wrong(number, "the content is not the file's, between bytes " + with_commas(client.came) +
                      " and " + with_commas(client.came + bytes.size()));
  client.came += bytes.size();
  if (keeps_ && client.in_content && client.came == content_.size()) complete(number);
}

// What is left of the bytes belongs to the content.
std::string_view HttpLoad::take_head(std::uint32_t number, std::string_view bytes) {
  Client& client = clients_[number];
  const std::size_t before = client.head.size();
  client.head += bytes;
  const std::size_t end = client.head.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (client.head.size() > longest_head) wrong(number, "the head of the answer does not end");
    return {};
  }
  client.head.resize(end + 2);
  client.in_content = true;
  if (client.head.rfind("HTTP/1.1 200 ", 0) != 0)
    wrong(number, "expected \"HTTP/1.1 200 \", got " + kit::quoted(client.head));
  const std::string length = field_of(client.head, "content-length");
  if (length != std::to_string(content_.size()))
    wrong(number, "expected a Content-Length of " + std::to_string(content_.size()) + ", got " +
                      kit::quoted(length));
  return bytes.substr(end + 4 - before);
}

void HttpLoad::ended(std::uint32_t number) {
  const Client& client = clients_[number];
  if (!connection(number).asked || !client.in_content || client.came != content_.size() || keeps_)
    wrong(number, "the server ended the connection, " + how_much(client));
  close(number);
  complete(number);
}

void HttpLoad::complete(std::uint32_t number) {
  ++clients_[number].request;
  answered(number);
}

std::string HttpLoad::how_much(const Client& client) const {
  if (!client.in_content) return counted(client.head.size(), "byte") + " of the head had come";
  return with_commas(client.came) + " of " + counted(content_.size(), "byte") + " had come";
}

void HttpLoad::wrong(std::uint32_t number, const std::string& what) const {
  throw Fault(client_name(number) + "request " + with_commas(clients_[number].request) + ": " +
              what);
}

void HttpLoad::silent() const {
  std::uint32_t number = 0;  // the first that waits
  while (number + 1 < clients_.size() && !(connection(number).socket && connection(number).asked)) {
    ++number;
  }
  const Client& client = clients_[number];
  const bool whole = client.in_content && client.came == content_.size();
  wrong(number,
        whole ? "answered, but the server does not end the connection"
              : how_much(client) + ", then nothing for " + short_number(patience().count()) + " s");
}

}  // namespace

Outcome run_http(const Load& load, const socketserver::Address& server, const Timing& timing,
                 const Hooks& hooks) {
  return HttpLoad(load, server, timing, hooks).run();
}

}  // namespace kit::bench
