// A small HTTP client: asks for several things on one connection, as a browser does, and says what
// it got. Its partner: server.cpp. See also: RFC 9112, 6.3; Python's http.client.

#include <socketserver/connection.hpp>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/http_body.hpp>
#include <socketserver/http_message.hpp>
#include <socketserver/not_written.hpp>
#include <socketserver/program.hpp>
#include <stream_handler.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

using namespace socketserver;

// A server is trusted with more than a client is, but not with everything.
HttpLimits client_limits() {
  HttpLimits limits;
  limits.body = std::numeric_limits<std::uint64_t>::max();
  return limits;
}

struct Question {
  std::string method = "GET";
  std::string path;
  std::string more_fields;  // lines, each with its end
  std::optional<std::string> content;
  bool chunked = false;
};

struct Answer {
  int status = 0;
  int minor = 1;
  std::string reason;
  HeaderFields fields;
  std::string content;

  bool keeps_alive() const {
    if (fields.lists("Connection", "close")) return false;
    return minor >= 1 || fields.lists("Connection", "keep-alive");
  }
};

// One connection to a server, for one question after the other.
class HttpConnection {
 public:
  HttpConnection(const Address& server, std::string host)
      : connection_(connect_to(server)), host_(std::move(host)), answers_(connection_.get()) {}

  // Whether there may be another question.
  bool kept() const { return kept_; }

  Answer ask([[maybe_unused]] const Question& question) {
    // TODO(08.E): send text_of() the question; read_head() until it is that of an answer, then
    // read_content(). Set kept_: is there a next question on this connection?
    not_written("08.E", "HttpConnection::ask");
  }

 private:
  // One send for all of it: a head that leaves before its content is a packet more.
  std::string text_of(const Question& question) const {
    std::string text = question.method + " " + question.path + " HTTP/1.1\r\n";
    text += "Host: " + host_ + "\r\n" + question.more_fields;
    if (!question.content) return text + "\r\n";
    const std::string& content = *question.content;
    if (!question.chunked) {
      return text + "Content-Length: " + std::to_string(content.size()) + "\r\n\r\n" + content;
    }
    text += "Transfer-Encoding: chunked\r\n\r\n";
    if (!content.empty()) text += chunk(content);
    return text + chunk({});
  }

  // With its end. The end of the connection is no end of a line.
  std::string_view whole_line(std::size_t longest) {
    const std::string_view line = answers_.read_line(longest);
    if (!line.ends_with('\n')) throw std::runtime_error("the server has ended in mid-answer");
    return line;
  }

  std::string_view read_line(std::size_t longest) { return without_line_end(whole_line(longest)); }

  // "HTTP/1.1 200 OK": what stands behind the number is for people, and may be missing.
  Answer read_head() {
    Answer answer;
    const std::string status_line(read_line(limits_.request_line));
    if (std::sscanf(status_line.c_str(), "HTTP/1.%1d %3d", &answer.minor, &answer.status) != 2) {
      throw std::runtime_error("this is no HTTP server: it says \"" + escaped(status_line) + "\"");
    }
    answer.reason = status_line.substr(std::min<std::size_t>(status_line.size(), 13));
    std::string field;  // which may go on in a line that begins with a space. RFC 9112, 5.2
    for (;;) {
      const std::string_view line = read_line(limits_.field_line);
      if (line.starts_with(' ') || line.starts_with('\t')) {
        field += ' ';
        field += trimmed(line);
        continue;
      }
      if (!field.empty()) add_field(answer.fields, field);
      if (line.empty()) return answer;
      field = line;
    }
  }

  std::string read_content(const Question& question, const Answer& answer, bool& up_to_the_end) {
    constexpr std::uint64_t piece = 64 * 1024;
    BodyDecoder body =
        BodyDecoder::of_response(answer.status, question.method, answer.fields, limits_);
    std::string content;
    while (!body.done()) {
      if (body.wants_line()) {
        body.take_line(whole_line(body.longest_line()));
        continue;
      }
      const std::string_view bytes =
          answers_.read(static_cast<std::size_t>(std::min(body.bytes_wanted(), piece)));
      content += bytes;
      body.take_bytes(bytes.size());
      if (!bytes.empty()) continue;
      up_to_the_end = body.take_end();
      if (!up_to_the_end) throw std::runtime_error("the server has ended in mid-answer");
    }
    return content;
  }

  const HttpLimits limits_ = client_limits();
  FileDescriptor connection_;
  std::string host_;
  StreamReader answers_;
  bool kept_ = true;
};

void run(const Options& options) {
  const Address server = options.reachable_address();
  std::optional<HttpConnection> connection;
  for (const std::string& path : options.words()) {
    if (!connection || !connection->kept()) connection.emplace(server, server.text());
    Question question;
    question.path = path;
    question.chunked = options.has("--chunked");
    if (options.has("--head")) question.method = "HEAD";
    if (options.has("--range")) {
      question.more_fields = "Range: bytes=" + options.text("--range") + "\r\n";
    }
    if (options.has("--upload")) {
      question.method = "POST";
      question.content = options.text("--upload");
    }
    const Answer answer = connection->ask(question);
    std::printf("%s: %d %s, %zu bytes\n", path.c_str(), answer.status,
                escaped(answer.reason).c_str(), answer.content.size());
    if (options.has("--show")) {
      (void)std::fwrite(answer.content.data(), 1, answer.content.size(), stdout);
    }
    std::fflush(stdout);
  }
}

int main(int argc, char* argv[]) {
  return client_main(argc, argv,
                     {{"--head", nullptr, "asks for the head alone"},
                      {"--range", "FIRST-LAST", "asks for a part"},
                      {"--upload", "TEXT", "sends TEXT, and asks for what becomes of it"},
                      {"--chunked", nullptr, "sends it in chunks"},
                      {"--show", nullptr, "shows what came"}},
                     "PATH...", run);
}
