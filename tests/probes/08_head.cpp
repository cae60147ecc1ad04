// A TCP server that says of each head what the learner's HeadParser has made of it, and uses
// nothing else of theirs: its first line, its fields, an empty line; or the status of a refusal,
// and the end.

#include <socketserver/connection.hpp>
#include <socketserver/http_message.hpp>
#include <socketserver/request_handler.hpp>
#include <socketserver/tcp_server.hpp>
#include <stream_handler.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

#include "served.hpp"

using namespace socketserver;

namespace {

class HeadHandler : public BaseRequestHandler {
 public:
  using BaseRequestHandler::BaseRequestHandler;

  void handle() override {
    StreamReader reader(request().fileno());
    HeadParser parser(limits_);
    try {
      while (read_head(reader, parser)) {
        send_all(request().fileno(), text_of(parser.head()));
        parser.start();
      }
    } catch (const HttpError& error) {
      send_all(request().fileno(), "refused: " + std::to_string(error.status) + "\n");
    }
  }

 private:
  // Whether there is one.
  static bool read_head(StreamReader& reader, HeadParser& parser) {
    while (!parser.done()) {
      std::string_view line;
      try {
        line = reader.read_line(parser.longest_line());
      } catch (const std::length_error&) {
        parser.line_too_long();
      }
      if (!line.ends_with('\n')) return false;
      parser.take_line(line);
    }
    return true;
  }

  static std::string text_of(const RequestHead& head) {
    std::string text = head.method + " " + head.target + " 1." + std::to_string(head.minor) + "\n";
    for (const HeaderFields::Field& field : head.fields.all()) {
      text += field.name + "=" + field.value + "\n";
    }
    return text + "\n";
  }

  HttpLimits limits_;
};

}  // namespace

int main(int argc, char* argv[]) {
  return probe::serve<TCPServer, HeadHandler>(argc, argv);
}
