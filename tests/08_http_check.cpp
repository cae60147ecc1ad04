// The check of lesson 08: HTTP on four designs. The steps, with their points:
// tests/manifest/08_http.cmake. What a step may do: harness/step/step.hpp.
//
// It judges what is never allowed, and what the page demands. Where RFC 9110 and 9112 leave the
// choice to the server, each choice passes.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "harness/base/escape.hpp"
#include "harness/check.hpp"
#include "harness/kernel/proc.hpp"

namespace {

using kit::Calls;
using kit::Ending;
using kit::Fault;
using kit::Listener;
using kit::Peer;
using kit::Program;
using kit::Server;
using kit::Step;
using std::chrono::milliseconds;

constexpr std::size_t mebibyte = 1024 * 1024;

// What the page says of the limits.
constexpr std::size_t line_limit = 8192;
constexpr std::size_t field_count = 100;

// The selector asks for room for 10,000 clients; where it gets it, it has nothing to say about it.
constexpr std::size_t descriptors = 32'768;

std::string shown(std::string_view bytes) {
  return "\"" + kit::escape_text(bytes.substr(0, 120)) + "\"";
}

bool contains(std::string_view text, std::string_view words) {
  return text.find(words) != text.npos;
}

// ---- a folder to show
// ----------------------------------------------------------------------------

// Everything that is shown stands in "site"; what must never be shown stands beside it.
struct Site {
  explicit Site(Step& step) : step_(step), top_(step.sandbox().make_folder("site")) {}

  std::string path(std::string_view name) const { return top_ + '/' + std::string(name); }

  // A file of the sandbox's user, whatever its name is.
  void file(std::string_view name, std::string_view content) {
    std::ofstream(path(name), std::ios::binary) << content;
    step_.sandbox().give(path(name));
  }

  void folder(std::string_view name) {
    std::filesystem::create_directory(path(name));
    step_.sandbox().give(path(name));
  }

  // The second of its last change.
  void set_time(std::string_view name, std::time_t seconds, long nanoseconds = 0) {
    const timespec times[2] = {{seconds, nanoseconds}, {seconds, nanoseconds}};
    if (::utimensat(AT_FDCWD, path(name).c_str(), times, 0) == -1) {
      throw kit::KitError("utimensat");
    }
  }

  Server& serve(std::vector<std::string> more = {}, std::string build = {}) {
    std::vector<std::string> args = {"--directory", top_};
    args.insert(args.end(), more.begin(), more.end());
    return step_.server(
        {.args = std::move(args), .build = std::move(build), .nofile = descriptors});
  }

 private:
  Step& step_;
  std::string top_;
};

// ---- an answer
// -----------------------------------------------------------------------------------

bool same_word(std::string_view left, std::string_view right) {
  return Step::upper(left) == Step::upper(right);
}

struct Answer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string content;
  bool up_to_the_end = false;

  std::string field(std::string_view name) const {
    for (const auto& [key, value] : fields) {
      if (same_word(key, name)) return value;
    }
    return {};
  }
  std::size_t count(std::string_view name) const {
    return static_cast<std::size_t>(
        std::count_if(fields.begin(), fields.end(),
                      [name](const auto& field) { return same_word(field.first, name); }));
  }
  bool says_close() const { return same_word(field("Connection"), "close"); }
};

std::string line_of(Step& step, Peer& peer) {
  std::string line = peer.read_line();
  step.check(line.ends_with("\r\n"), "a line of a head ends with CR and LF", shown(line));
  line.resize(line.size() - 2);
  return line;
}

Answer head_of(Step& step, Peer& peer) {
  Answer answer;
  const std::string line = line_of(step, peer);
  const bool right = line.size() >= 12 && line.starts_with("HTTP/1.1 ") &&
                     line.find_first_not_of("0123456789", 9) >= 12;
  step.check(right, "a status line such as HTTP/1.1 200 OK", shown(line));
  answer.status = std::atoi(line.substr(9, 3).c_str());
  for (;;) {
    const std::string field = line_of(step, peer);
    if (field.empty()) return answer;
    const std::size_t colon = field.find(':');
    step.check(colon != field.npos && colon > 0 && field.find_first_of(" \t") > colon,
               "a header field such as Name: value", shown(field));
    const std::size_t value = std::min(field.find_first_not_of(" \t", colon + 1), field.size());
    answer.fields.emplace_back(field.substr(0, colon), field.substr(value));
  }
}

std::string chunks_of(Step& step, Peer& peer) {
  std::string content;
  for (;;) {
    const std::string line = line_of(step, peer);
    const std::string digits = line.substr(0, line.find_first_not_of("0123456789abcdefABCDEF"));
    step.check(!digits.empty() && digits.size() < 9, "the size of a chunk, in hexadecimal digits",
               shown(line));
    const std::size_t size = std::strtoul(digits.c_str(), nullptr, 16);
    if (size > 0) content += peer.read(size);
    const std::string end = line_of(step, peer);
    step.check(end.empty(), "a chunk is followed by CR and LF", shown(end));
    if (size == 0) return content;
  }
}

// An answer, as its own head describes it; to `method` HEAD, without content.
Answer answer_of(Step& step, Peer& peer, std::string_view method = "GET") {
  Answer answer = head_of(step, peer);
  step.check(answer.count("Content-Length") + answer.count("Transfer-Encoding") <= 1,
             "an answer has one length", "it has two");
  if (method == "HEAD" || answer.status < 200 || answer.status == 204 || answer.status == 304) {
    return answer;
  }
  if (answer.count("Transfer-Encoding") == 1) {
    step.check(same_word(answer.field("Transfer-Encoding"), "chunked"),
               "Transfer-Encoding: chunked, or none", answer.field("Transfer-Encoding"));
    answer.content = chunks_of(step, peer);
  } else if (answer.count("Content-Length") == 1) {
    const std::string digits = answer.field("Content-Length");
    step.check(!digits.empty() && digits.size() < 12 &&
                   digits.find_first_not_of("0123456789") == digits.npos,
               "Content-Length is a number", shown(digits));
    answer.content = peer.read(std::strtoul(digits.c_str(), nullptr, 10));
  } else {
    answer.content = peer.read_all();
    answer.up_to_the_end = true;
  }
  return answer;
}

std::string request(std::string_view method, std::string_view target,
                    std::string_view more_fields = {}) {
  return std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: kit\r\n" +
         std::string(more_fields) + "\r\n";
}

std::string get(std::string_view target, std::string_view more_fields = {}) {
  return request("GET", target, more_fields);
}

std::string post(std::string_view content, std::string_view more_fields = {}) {
  return request("POST", "/upper",
                 std::string(more_fields) + "Content-Length: " + std::to_string(content.size()) +
                     "\r\n") +
         std::string(content);
}

void expect_status(Step& step, const Answer& answer, int status, std::string_view what) {
  step.check(answer.status == status, std::string(what) + ": " + std::to_string(status),
             std::to_string(answer.status));
}

void expect_status(Step& step, const Answer& answer, std::initializer_list<int> statuses,
                   std::string_view what) {
  std::string text;
  for (const int status : statuses) text += (text.empty() ? "" : " or ") + std::to_string(status);
  step.check(std::find(statuses.begin(), statuses.end(), answer.status) != statuses.end(),
             std::string(what) + ": " + text, std::to_string(answer.status));
}

// The same bytes on a connection of their own, and everything that comes back until it ends.
Answer ask(Step& step, const Server& server, std::string_view bytes,
           std::string_view method = "GET") {
  Peer& peer = step.connect(server);
  peer.send(bytes);
  Answer answer = answer_of(step, peer, method);
  peer.close();
  return answer;
}

// After an answer the connection has ended, and the answer has said so; or it is kept, and what is
// asked next is answered. `hidden` is what must not have been taken for a request.
void expect_no_second(Step& step, Peer& peer, const Answer& answer, std::string_view what) {
  if (answer.says_close() || answer.up_to_the_end) {
    peer.expect_end();
    return;
  }
  peer.send(get("/request?next"));
  const Answer next = answer_of(step, peer);
  step.check(next.content.starts_with("GET /request?next "),
             std::string(what) + ": the next answer is to the next request",
             std::to_string(next.status) + " " + shown(next.content));
}

void expect_refused(Step& step, Peer& peer, int status, const Answer& answer,
                    std::string_view what) {
  expect_status(step, answer, status, what);
  step.check(answer.says_close(), std::string(what) + ": the answer says Connection: close",
             "it does not");
  peer.expect_end();
}

void expect_refused(Step& step, Peer& peer, int status, std::string_view what) {
  const Answer answer = answer_of(step, peer);
  expect_refused(step, peer, status, answer, what);
}

// ---- requests that are none, and some that are
// -----------------------------------------------------

struct Case {
  int status;
  const char* sentence;
  std::string request;
};

std::string lines(std::size_t count, std::string_view line) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += line;
  return text;
}

// Heads for the parser alone: 200 is one that is to be taken.
std::vector<Case> heads() {
  const std::string host = "Host: kit\r\n";
  const auto line = [&](std::string_view request_line) {
    return std::string(request_line) + "\r\n" + host + "\r\n";
  };
  const auto field = [&](std::string_view fields) {
    return "GET /a HTTP/1.1\r\n" + std::string(fields) + "\r\n";
  };
  const std::string words = " HTTP/1.1\r\n";
  const std::size_t room = line_limit - std::string("GET /").size() - words.size();
  return {
      {200, "a request", line("GET /a HTTP/1.1")},
      {200, "an empty line before it", "\r\n" + line("GET /a HTTP/1.1")},
      {200, "HTTP/1.9, which is HTTP/1.1 and more", line("GET /a HTTP/1.9")},
      {200, "the whole address as target", line("GET http://kit/a HTTP/1.1")},
      {200, "HTTP/1.0, which needs no Host", "GET /a HTTP/1.0\r\n\r\n"},
      {200, "a method of one's own", line("BREW! /a HTTP/1.1")},
      {505, "HTTP/2.0", line("GET /a HTTP/2.0")},
      {505, "HTTP/0.9", line("GET /a HTTP/0.9")},
      {505, "HTTP/3.1", line("GET /a HTTP/3.1")},
      {400, "no version", line("GET /a")},
      {400, "a method alone", line("GET")},
      {400, "no method", line(" /a HTTP/1.1")},
      {400, "no target", line("GET  HTTP/1.1")},
      {400, "two spaces before the target", line("GET  /a HTTP/1.1")},
      {400, "two spaces before the version", line("GET /a  HTTP/1.1")},
      {400, "a space at the end", line("GET /a HTTP/1.1 ")},
      {400, "a tab in place of a space", line("GET\t/a HTTP/1.1")},
      {400, "a space in the target", line("GET /a b HTTP/1.1")},
      {400, "a version in small letters", line("GET /a http/1.1")},
      {400, "a version of three digits", line("GET /a HTTP/1.10")},
      {400, "a version with a sign", line("GET /a HTTP/+1.1")},
      {400, "a version of one number", line("GET /a HTTP/1")},
      {400, "a version of letters", line("GET /a HTTP/a.b")},
      {400, "a method with a bracket", line("G(T /a HTTP/1.1")},
      {400, "a control character in the target", line("GET /a\x01 HTTP/1.1")},
      {400, "a NUL byte in the target", line(std::string("GET /a\0 HTTP/1.1", 16))},
      {400, "a DEL in the target", line("GET /a\x7f HTTP/1.1")},
      {400, "a byte above 127 in the target", line("GET /\xc3\xa9 HTTP/1.1")},
      {400, "HTTP/1.1 without Host", field("")},
      {400, "two Hosts", field(host + host)},
      {400, "a Host with a space", field("Host: a b\r\n")},
      {400, "a Host that is a path", field("Host: kit/a\r\n")},
      {200, "an empty Host", field("Host:\r\n")},
      {200, "a Host with a port", field("Host: [::1]:80\r\n")},
      {400, "a space before the colon", field("Host : kit\r\n")},
      {400, "a tab before the colon", field(host + "A\t: b\r\n")},
      {400, "a space before the first name", field(" Host: kit\r\n")},
      {400, "a field that goes on in the next line", field(host + "A: b\r\n c\r\n")},
      {400, "a field that goes on behind a tab", field(host + "A: b\r\n\tc\r\n")},
      {400, "a field without a colon", field(host + "A\r\n")},
      {400, "a field without a name", field(host + ": b\r\n")},
      {400, "a name with a bracket", field(host + "A(b): c\r\n")},
      {400, "a NUL byte in a name", field(host + std::string("A\0: b\r\n", 7))},
      {400, "a NUL byte in a value", field(host + std::string("A: b\0c\r\n", 8))},
      {400, "a lone CR in a value", field(host + "A: b\rc\r\n")},
      {400, "a DEL in a value", field(host + "A: \x7f\r\n")},
      {400, "an escape character in a value", field(host + "A: \x1b[2J\r\n")},
      {200, "100 fields", field(host + lines(field_count - 1, "A: b\r\n"))},
      {431, "101 fields", field(host + lines(field_count, "A: b\r\n"))},
      {200, "a request line of 8,192 bytes", line("GET /" + std::string(room, 'a') + " HTTP/1.1")},
      {414, "a request line of 8,193 bytes",
       line("GET /" + std::string(room + 1, 'a') + " HTTP/1.1")},
      {200, "a field of 8,192 bytes",
       field(host + "A: " + std::string(line_limit - 5, 'b') + "\r\n")},
      {431, "a field of 8,193 bytes",
       field(host + "A: " + std::string(line_limit - 4, 'b') + "\r\n")},
      {200, "31 KiB of fields", field(host + lines(31, "A: " + std::string(1019, 'b') + "\r\n"))},
      {431, "33 KiB of fields", field(host + lines(33, "A: " + std::string(1019, 'b') + "\r\n"))},
  };
}

struct Smuggled {
  const char* sentence;
  std::string request;
};

// Two lengths, or one that is none: in each the content, read otherwise, is a request for /secret.
std::vector<Smuggled> smuggling() {
  const std::string hidden = get("/request?secret");
  const std::string start = "POST /upper HTTP/1.1\r\nHost: kit\r\n";
  const std::string all = std::to_string(hidden.size());
  const std::string last = "0\r\n\r\n" + hidden;
  const std::string length = "Content-Length: " + all + "\r\n";
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  return {
      {"a length and chunks",
       start + "Content-Length: " + std::to_string(last.size()) + "\r\n" + chunked + "\r\n" + last},
      {"chunks and a length",
       start + chunked + "Content-Length: " + std::to_string(last.size()) + "\r\n\r\n" + last},
      {"two lengths, the first is 0", start + "Content-Length: 0\r\n" + length + "\r\n" + hidden},
      {"two lengths, the last is 0", start + length + "Content-Length: 0\r\n\r\n" + hidden},
      {"a list of two lengths", start + "Content-Length: 0, " + all + "\r\n\r\n" + hidden},
      {"a length with a sign", start + "Content-Length: +0\r\n\r\n" + hidden},
      {"a length below zero", start + "Content-Length: -1\r\n\r\n" + hidden},
      {"a length in hexadecimal", start + "Content-Length: 0x0\r\n\r\n" + hidden},
      {"a length with a space in it", start + "Content-Length: 0 0\r\n\r\n" + hidden},
      {"an empty length", start + "Content-Length:\r\n\r\n" + hidden},
      {"a length that is a word", start + "Content-Length: none\r\n\r\n" + hidden},
      {"a length beyond 2^64", start + "Content-Length: 18446744073709551616\r\n\r\n" + hidden},
      {"a coding that is almost chunked, and a length",
       start + length + "Transfer-Encoding: xchunked\r\n\r\n" + hidden},
      {"a coding that is almost chunked", start + "Transfer-Encoding: xchunked\r\n\r\n" + last},
      {"a coding that is not known", start + "Transfer-Encoding: identity\r\n\r\n" + hidden},
      {"an empty coding", start + "Transfer-Encoding:\r\n\r\n" + hidden},
      {"chunked that is not last", start + "Transfer-Encoding: chunked, gzip\r\n\r\n" + last},
      {"chunked twice", start + "Transfer-Encoding: chunked, chunked\r\n\r\n" + last},
      {"two codings in two fields", start + chunked + "Transfer-Encoding: identity\r\n\r\n" + last},
      {"a coding with a vertical tab", start + "Transfer-Encoding: \vchunked\r\n\r\n" + last},
      {"a space before the colon",
       start + "Transfer-Encoding : chunked\r\n" + length + "\r\n" + last},
      {"a coding in a line that goes on",
       start + "A: b\r\n Transfer-Encoding: chunked\r\n" + length + "\r\n" + last},
      {"chunks in HTTP/1.0",
       "POST /upper HTTP/1.0\r\nConnection: keep-alive\r\n" + chunked + "\r\n" + last},
  };
}

// Chunks that are none; what follows them is a request.
std::vector<std::pair<const char*, std::string>> wrong_chunks() {
  const std::string end = "\r\n0\r\n\r\n";
  return {
      {"a size that is a word", "x\r\nhello" + end},
      {"an empty size", "\r\nhello" + end},
      {"a size with a sign", "+5\r\nhello" + end},
      {"a size below zero", "-5\r\nhello" + end},
      {"a size with 0x before it", "0x5\r\nhello" + end},
      {"a space before the size", " 5\r\nhello" + end},
      {"a size with a second number", "5 5\r\nhello" + end},
      {"a chunk that is longer than it says", "4\r\nhello" + end},
      {"a chunk that is shorter than it says", "6\r\nhello" + end},
      {"no line end behind a chunk", "5\r\nhello0\r\n\r\n"},
      {"another byte behind a chunk", "5\r\nhelloX\r\n0\r\n\r\n"},
      {"a size line without end", std::string(20'000, '0')},
      {"a size beyond 2^64", "10000000000000005\r\nhello" + end},
      {"a size of 17 digits", "fffffffffffffffff\r\nhello" + end},
      {"a control character behind the size", "5;a=\x01\r\nhello" + end},
      {"a DEL behind the size", "5;a=\x7f\r\nhello" + end},
      {"33 KiB of trailers", "0\r\n" + lines(33, "A: " + std::string(1019, 'b') + "\r\n") + "\r\n"},
      {"a trailer without a colon", "5\r\nhello\r\n0\r\ntrailer\r\n\r\n"},
      {"a trailer with a space before its colon", "5\r\nhello\r\n0\r\nA : b\r\n\r\n"},
  };
}

const std::string chunked_post =
    "POST /upper HTTP/1.1\r\nHost: kit\r\nTransfer-Encoding: chunked\r\n\r\n";

// Answers but for what the clock says.
std::string without_date(std::string text) {
  for (std::size_t at = 0; (at = text.find("\r\nDate: ", at)) != text.npos;) {
    text.erase(at, text.find("\r\n", at + 2) - at);
  }
  return text;
}

std::string both_ends(std::string_view text) {
  constexpr std::size_t most = 40;
  if (text.size() <= 2 * most) return shown(text);
  return shown(text.substr(0, most)) + " ... " + shown(text.substr(text.size() - most));
}

// Whether an answer whose head promises chunks has them, the last one too.
bool has_the_chunks_it_promises(std::string_view answers) {
  const std::size_t promise = answers.find("Transfer-Encoding: chunked\r\n");
  if (promise == answers.npos) return true;
  answers.remove_prefix(std::min(answers.size(), answers.find("\r\n\r\n", promise)));
  answers.remove_prefix(std::min<std::size_t>(answers.size(), 4));
  for (;;) {
    std::size_t size = 0;
    const std::size_t line = answers.find("\r\n");
    if (line == answers.npos) return false;
    const char* const end = answers.data() + line;
    const char* const rest = std::from_chars(answers.data(), end, size, 16).ptr;
    if (rest == answers.data() || (rest != end && *rest != ';' && *rest != ' ')) return false;
    if (size > answers.size()) return false;
    if (size == 0) return answers.find("\r\n", line + 2) != answers.npos;  // trailers may come
    const std::size_t next = line + 2 + size;                              // CR and LF behind it
    if (next + 2 > answers.size() || answers.substr(next, 2) != "\r\n") return false;
    answers.remove_prefix(next + 2);
  }
}

// Sends `bytes` in random pieces, as far as they are taken.
void send_in_pieces(Step& step, Peer& peer, std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size() && peer.ending() == Ending::open;) {
    const std::size_t size = 1 + step.random().below(bytes.size() > 1000 ? 3000 : 9);
    const std::size_t taken = peer.try_send(bytes.substr(at, size));
    if (taken == 0) break;  // refused before it was all said
    at += taken;
  }
}

}  // namespace

// ---- the core ----------------------------------------------------------------------------------

STEP("08.1", "a head is read, in whatever pieces it comes") {
  Server& server = step.probe_server("head", {.args = {"--port", "0"}});
  const std::string value = step.word() + step.text(18) + step.word();  // spaces within it alone
  const std::string asked = "\r\nGET /a?b=" + step.word() +
                            "%20c HTTP/1.1\r\nhOsT:kit:80\r\nX-Kit: \t " + value +
                            " \t\r\nEmpty:\r\nEmpty: 2: \xc3\xa9\r\n\r\n";
  const std::string target = asked.substr(6, asked.find(" HTTP") - 6);
  const std::string understood =
      "GET " + target + " 1.1\nhOsT=kit:80\nX-Kit=" + value + "\nEmpty=\nEmpty=2: \xc3\xa9\n\n";
  step.suspect_task("08.A", "HeadParser::take_request_line");
  step.suspect(
      "A head is a request line, then fields up to the empty line. The target stays as it came; "
      "the minor number of the version is what HTTP/1.1 and HTTP/1.0 differ in.");
  const auto understand = [&](std::string_view head, std::string_view read) {
    Peer& peer = step.connect(server);
    peer.send(head).expect(read);
    peer.close();
  };
  understand("GET / HTTP/1.0\r\n\r\n", "GET / 1.0\n\n");
  understand("OPTIONS * HTTP/1.0\r\n\r\n", "OPTIONS * 1.0\n\n");
  understand("GET /9 HTTP/1.9\r\nHost:kit\r\n\r\n", "GET /9 1.1\nHost=kit\n\n");
  step.suspect("An empty line before a request is passed over (RFC 9112, 2.2).");
  understand("\r\nGET /2 HTTP/1.0\r\n\r\n", "GET /2 1.0\n\n");

  step.suspect_task("08.A", "add_field");
  step.suspect(
      "A field is a name, a colon, and a value: what stands behind the first colon, without the "
      "spaces and tabs around it. It may be empty, and a name may come twice.");
  Peer& quick = step.connect(server);
  quick.send(asked).expect(understood);
  step.suspect("The second head on a connection begins anew: nothing of the first is in it.");
  quick.send(asked + "HEAD /2 HTTP/1.1\r\nHost: y\r\n\r\n");
  quick.expect(understood).expect("HEAD /2 1.1\nHost=y\n\n");
  quick.close();

  step.suspect("The head is whole when its empty line has come, and not before.");
  Peer& slow = step.connect(server);
  for (std::size_t at = 0; at + 1 < asked.size(); ++at) {
    slow.send(asked.substr(at, 1));
    if (asked[at] == '\r' || asked[at] == '\n') slow.wait_until_taken();
  }
  step.let_rest(server);
  step.check(slow.unread().empty(), "no answer before the empty line has come whole",
             shown(slow.unread()));
  slow.send("\n").expect(understood);
  slow.close();
  server.dismiss();
}

STEP("08.2", "what is no request is refused, in bounded memory") {
  Server& server = step.probe_server("head", {.args = {"--port", "0"}});
  for (const Case& one : heads()) {
    const bool taken = one.status == 200;
    step.suspect_task("08.A", contains(one.sentence, "ield") || contains(one.sentence, "Host") ||
                                      contains(one.sentence, "value") ||
                                      contains(one.sentence, "colon") ||
                                      contains(one.sentence, "name")
                                  ? "HeadParser::take_field"
                                  : "HeadParser::take_request_line");
    const char* const why = one.status == 400
                                ? " What two programs may read differently is no request."
                            : one.status == 505 ? " This server speaks HTTP/1.1 and HTTP/1.0."
                            : taken             ? " It is lawful."
                                                : " HttpLimits says how much a client may say.";
    step.suspect(std::string("A request with ") + one.sentence + " is " +
                 (taken ? "to be taken." : "refused with " + std::to_string(one.status) + ".") +
                 why);
    Peer& peer = step.connect(server);
    peer.send(one.request);
    const std::string line = peer.read_line();
    const std::string refusal = "refused: " + std::to_string(one.status) + "\n";
    step.check(taken ? !line.starts_with("refused") : line == refusal,
               std::string(one.sentence) + ": " + (taken ? "taken" : refusal.substr(0, 12)),
               shown(line));
    peer.close();
  }
  server.dismiss();

  // A line without end; fields without end.
  constexpr std::size_t allowance_kib = 4 * mebibyte / 1024;
  Server& plain = step.probe_server("head", {.args = {"--port", "0"}, .build = "plain"});
  plain.may_say("processing of request from");
  step.suspect_task("08.A", "HeadParser::take_field");
  step.suspect(
      "A client says fields without end, and the server keeps them all. Their number and their sum "
      "have a limit: 431.");
  Peer& first = step.connect(plain);
  first.send("GET / HTTP/1.0\r\n\r\n").expect("GET / 1.0\n\n");
  first.close();
  const std::size_t before = plain.rss_kib();
  Peer& endless = step.connect(plain);
  endless.send_in_background("GET / HTTP/1.1\r\n" +
                             lines(24 * 1024, "A: " + std::string(1019, 'b') + "\r\n"));
  step.check(endless.read_line() == "refused: 431\n", "fields without end: refused with 431");
  const std::size_t after = plain.rss_kib();
  step.check(after <= before + allowance_kib, "no more than 4 MiB of memory for 24 MiB of fields",
             std::to_string((after - before) >> 10) + " MiB more than before");
  plain.dismiss();
}

STEP("08.3", "an answer says where it ends") {
  Program& probe = step.probe("answer", {}, {.on_purpose = true});
  const auto rule = [&](const char* cause, const char* line) {
    step.suspect(cause);
    probe.expect_line(line);
  };
  step.suspect_task("08.B", "RequestHead::keeps_alive");
  const char* const kept =
      "HTTP/1.1 keeps a connection unless \"close\" stands in the list of Connection; HTTP/1.0 "
      "does so only if \"keep-alive\" stands there. The case of letters does not matter, and "
      "close wins.";
  rule(kept, "HTTP/1.1: kept");
  rule(kept, "HTTP/1.1, Connection: close: closed");
  rule(kept, "HTTP/1.1, Connection: x, CLOSE: closed");
  rule(kept, "HTTP/1.1, Connection: x, Connection: close: closed");
  rule(kept, "HTTP/1.1, Connection: closed: kept");
  rule(kept, "HTTP/1.1, Connection: keep-alive: kept");
  rule(kept, "HTTP/1.0: closed");
  rule(kept, "HTTP/1.0, Connection: Keep-Alive: kept");
  rule(kept, "HTTP/1.0, Connection: keep-alive, close: closed");
  step.suspect_task("08.B", "describe");
  rule("describe() adds the answer's own fields, each of them, before it says a length.",
       "the answer's own fields: text/plain 1 2");
  const char* const length =
      "Content-Length is the number of bytes that follow the empty line: bytes, and not letters; 0 "
      "has to be said, too.";
  rule(length, "5 bytes: length 5; kept");
  rule(length, "none: length 0; kept");
  rule(length, "\"\xc3\xa9\xe2\x82\xac\": length 5; kept");
  rule("An answer has a body or a file: HttpResponse::size() knows how long either is.",
       "65537 bytes of a file: length 65537; kept");
  rule("To HEAD the length is said that GET would have.",
       "5 bytes, asked for by HEAD: length 5; kept");
  const char* const never =
      "204 and 304 never have content, so no length is said: their end is known without.";
  rule(never, "204: no length; kept");
  rule(never, "304: no length; kept");
  const char* const chunks =
      "An answer in chunks says so in place of a length. HTTP/1.0 knows no chunks: to it the "
      "length is said.";
  rule(chunks, "chunks: chunks; kept");
  rule(chunks, "chunks, to HTTP/1.1: chunks");
  rule(chunks, "chunks, to HTTP/1.0: no chunks");
  step.suspect_task("08.B", "ResponseHead::finish");
  const char* const told =
      "Whoever asked must know what becomes of the connection: if it ends, Connection: close says "
      "so; HTTP/1.0 is told keep-alive if it is kept. finish() returns whether it is.";
  rule(told, "5 bytes, the last answer: length 5; closed, and told");
  rule(told, "5 bytes to HTTP/1.0: length 5; kept, and told");
  rule(told, "5 bytes to HTTP/1.0, the last answer: length 5; closed, and told");
  const char* const hand =
      "An answer that has said no length, and may have content, ends with its connection: it "
      "cannot be kept, whatever the caller wants.";
  rule(hand, "by hand, with a length: length 5; kept");
  rule(hand, "by hand, without a length: up to the end; closed, and told");
  rule("The answer to HEAD has no content: its end is known without a length.",
       "by hand, without a length, to HEAD: no length; kept");
  rule(
      "The service has said Connection: close itself: the connection ends, and it is not said "
      "twice.",
      "by hand, with close: length 5; closed, and told");
  probe.expect_exit(0);
}

STEP("08.4", "one connection, many requests, and who else waits") {
  Site site(step);
  for (const std::string design : {"sync", "threads", "forks"}) {
    Server& server = site.serve({"--design", design});
    Peer& first = step.connect(server);
    step.suspect_task("08.C", "BaseHTTPRequestHandler::parse_request");
    step.suspect("A request is read by a HeadParser, and answered by its method's do_ function.");
    step.suspect_if_it_hangs(
        "No answer comes. Was it gathered, and has not left? flush() before the next request is "
        "waited for. Or is more waited for than the head? It ends with its empty line.");

    first.send(get("/request?1", "X-Once: 1\r\n"));
    Answer answer = answer_of(step, first);
    expect_status(step, answer, 200, "GET /request");
    step.suspect(
        "What was asked comes back as it was understood: the request line and its fields, up to "
        "the empty line.");
    step.check(answer.content == "GET /request?1 HTTP/1.1\nHost: kit\nX-Once: 1\n",
               "what was asked comes back, byte for byte", shown(answer.content));
    step.suspect_task("08.C", "BaseHTTPRequestHandler::handle");
    step.suspect(
        "After an answer the next request is read from the same connection: handle() goes on until "
        "close_connection_ says that it was the last.");
    step.check(!answer.says_close(), "the connection is kept", "the answer says close");
    for (int i = 2; i < 5; ++i) {
      const std::string target = "/request?" + std::to_string(i);
      first.send(get(target));
      answer = answer_of(step, first);
      step.suspect(
          "Something of the last request is left over in the next one: its head begins anew.");
      step.check(answer.content == "GET " + target + " HTTP/1.1\nHost: kit\n",
                 "what was asked, and nothing of the request before", shown(answer.content));
      step.suspect(
          "An answer was gathered and has not left: flush() before the next request is waited "
          "for.");
    }
    step.suspect("Another client asks, and gets no answer.");
    Peer& second = step.connect(server);
    second.send(get("/request?second"));
    if (design == "sync") {
      step.let_rest(server);
      step.suspect(
          "A synchronous server that keeps its first client is deaf to the next one. Was the "
          "second served, then the first is kept no longer.");
      step.check(second.unread().empty(), "the second waits as long as the first is there",
                 shown(second.unread()));
      step.suspect(
          "The first client has ended its connection: handle() returns, and the next one is "
          "served.");
      first.close();
    }
    answer = answer_of(step, second);
    expect_status(step, answer, 200, "the second client's request");
    if (design != "sync") {
      step.suspect("The first client is still there, and asks again.");
      first.send(get("/request?again"));
      expect_status(step, answer_of(step, first), 200, "the first client's next request");
      first.close();
    }
    second.close();
    server.dismiss();
  }
}

STEP("08.5", "requests in one piece, close, HTTP/1.0") {
  Site site(step);
  Server& server = site.serve();
  std::string requests;
  for (int i = 0; i < 10; ++i) requests += get("/request?" + std::to_string(i));
  step.suspect_task("08.C", "BaseHTTPRequestHandler::handle_one_request");
  step.suspect(
      "What has come behind the first request is the next one: it must not be dropped, nor must "
      "its answer wait for more.");
  Peer& peer = step.connect(server);
  peer.send(requests + "GET /request?half HTT");
  for (int i = 0; i < 10; ++i) {
    const Answer answer = answer_of(step, peer);
    step.check(answer.content.starts_with("GET /request?" + std::to_string(i) + " "),
               "the answers come in the order of the requests", shown(answer.content));
  }
  step.suspect(
      "Connection: close is the client's last word: its request is answered, the answer says "
      "close, and what follows is no request any more.");
  peer.send("P/1.1\r\nHost: kit\r\nconnection: x, CLOSE\r\n\r\n" + get("/request?late"));
  const Answer last = answer_of(step, peer);
  step.check(last.content.starts_with("GET /request?half ") && last.says_close(),
             "the last answer says close", "Connection: " + last.field("Connection"));
  peer.expect_end();
  peer.close();

  step.suspect(
      "The answer to HEAD is the head that GET would have, its length too, and no content: the "
      "next answer follows at once. send() asks whether there is content to send.");
  Peer& asks_head = step.connect(server);
  asks_head.send(request("HEAD", "/request?h") + get("/request?g"));
  const Answer head = answer_of(step, asks_head, "HEAD");
  const Answer after = answer_of(step, asks_head);
  step.check(after.content.starts_with("GET /request?g "), "the answer after that to HEAD",
             shown(after.content));
  step.check(head.field("Content-Length") == std::to_string(after.content.size() + 1) ||
                 head.count("Content-Length") == 0,
             "HEAD says the length that GET would have", head.field("Content-Length"));
  asks_head.close();

  step.suspect(
      "A date is written as in \"Sun, 06 Nov 1994 08:49:37 GMT\"; ResponseHead::begin() does it.");
  step.check(head.field("Date").ends_with(" GMT") && head.field("Date").size() == 29,
             "the answer has a Date", shown(head.field("Date")));

  step.suspect(
      "HTTP/1.0 ends with its answer, unless the client asks for keep-alive; then the answer says "
      "keep-alive, too.");
  Peer& old = step.connect(server);
  old.send("GET /request?1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const Answer kept = answer_of(step, old);
  step.check(same_word(kept.field("Connection"), "keep-alive"),
             "HTTP/1.0 is told that its connection is kept", shown(kept.field("Connection")));
  old.send("GET /request?2 HTTP/1.0\r\n\r\n" + get("/request?late"));
  const Answer of_old = answer_of(step, old);
  step.check(of_old.content.starts_with("GET /request?2 "), "the answer to HTTP/1.0",
             shown(of_old.content));
  old.expect_end();
  old.close();

  step.suspect(
      "The client has asked for nothing more, and has ended: that is no error, and wants no "
      "answer.");
  Peer& ends = step.connect(server);
  ends.send(get("/request?1")).half_close();
  expect_status(step, answer_of(step, ends), 200, "the one request before the end");
  ends.expect_end();
  ends.close();
  Peer& nothing = step.connect(server);
  nothing.half_close();
  nothing.expect_end();
  nothing.close();

  for (const auto& [status, sentence, bytes] : std::vector<Case>{
           {400, "no request", "hello\r\n\r\n"},
           {400, "no Host", "GET /request HTTP/1.1\r\n\r\n"},
           {505, "HTTP/2.0", "GET /request HTTP/2.0\r\nHost: kit\r\n\r\n"},
           {414, "a long line",
            "GET /" + std::string(line_limit, 'a') + " HTTP/1.1\r\nHost: kit\r\n\r\n"},
           {431, "a long field", get("/request", "A: " + std::string(line_limit, 'b') + "\r\n")}}) {
    step.suspect(
        "A request that could not be read is answered by send_error() with the status that the "
        "HttpError has, and is the last one: nobody knows where the next begins.");
    Peer& wrong = step.connect(server);
    wrong.send(bytes + get("/request?late"));
    expect_refused(step, wrong, status, sentence);
    wrong.close();
  }
  step.suspect(
      "A second request on a connection could not be read: it has its answer, too. What answered_ "
      "says of the first is forgotten.");
  Peer& later = step.connect(server);
  later.send(get("/request?1") + "hello\r\n\r\n");
  expect_status(step, answer_of(step, later), 200, "the first request");
  expect_refused(step, later, 400, "no request behind it");
  later.close();
  step.suspect(
      "A HEAD that is refused is answered without content, as each HEAD is: head_ has what was "
      "read of it, its method above all.");
  Peer& no_host = step.connect(server);
  no_host.send("HEAD /request HTTP/1.1\r\n\r\n");
  expect_status(step, answer_of(step, no_host, "HEAD"), 400, "HEAD without Host");
  no_host.expect_end_or_reset();
  for (const std::string method : {"BREW", "get", "CONNECT"}) {
    step.suspect(
        "A method that this server has no name for is 501; not_implemented() says it. Such a "
        "request was understood: the connection may be kept.");
    Peer& brew = step.connect(server);
    brew.send(request(method, "/request"));
    const Answer answer = answer_of(step, brew);
    expect_status(step, answer, 501, method);
    expect_no_second(step, brew, answer, method);
    brew.close();
  }

  step.suspect(
      "With --protocol HTTP/1.0 each connection has one answer: protocol_version says so.");
  Server& one_each = site.serve({"--protocol", "HTTP/1.0"});
  Peer& once = step.connect(one_each);
  once.send(get("/request?1") + get("/request?2"));
  const Answer only = answer_of(step, once);
  step.check(
      only.content.starts_with("GET /request?1 ") && (only.says_close() || only.up_to_the_end),
      "one answer, which says close");
  once.expect_end();
  once.close();
  server.dismiss();
  one_each.dismiss();
}

STEP("08.6", "files of a folder, with their type and length") {
  Site site(step);
  for (const std::string name : {"a.txt", "b.html", "c.CSS", "d.png", "e.tar.unknown", "noext"}) {
    site.file(name, name + "\n");
  }
  site.folder("sub");
  site.file("sub/index.html", "<p>index</p>\n");
  site.folder("list");
  site.folder("list/inner");
  const std::vector<std::string> odd = {"a<b>&\"c\".txt",  "50% off#1?.txt", "a b+c.txt",
                                        "caf\xc3\xa9.txt", "it's\nnew.txt",  "\xff.bin"};
  for (const std::string& name : odd) site.file("list/" + name, "content of " + name);
  Server& server = site.serve({"--quiet"});

  step.suspect_task("08.D", "file_response");
  for (const auto& [name, type] : std::vector<std::pair<std::string, std::string>>{
           {"a.txt", "text/plain"},
           {"b.html", "text/html"},
           {"c.CSS", "text/css"},
           {"d.png", "image/png"},
           {"e.tar.unknown", "application/octet-stream"},
           {"noext", "application/octet-stream"}}) {
    step.suspect(
        "A file is opened step by step from the top folder; its content is the answer's, and "
        "content_type() knows what kind it is.");
    const Answer answer = ask(step, server, get("/" + name));
    expect_status(step, answer, 200, "/" + name);
    step.check(answer.content == name + "\n", "the file, byte for byte", shown(answer.content));
    step.suspect("Content-Type is what content_type() says of the file's name.");
    step.check(answer.field("Content-Type").starts_with(type), "Content-Type: " + type,
               answer.field("Content-Type"));
  }
  step.suspect_task("08.C", "BaseHTTPRequestHandler::send_content");
  Peer& peer = step.connect(server);
  for (const std::size_t size : {0u, 1u, 65'535u, 65'536u, 65'537u, 1'000'000u}) {
    const std::string content = step.payload(size);
    site.file("f.bin", content);
    step.suspect(
        "Content-Length is the size of the open file; all of it is sent, in pieces. To HEAD the "
        "same is said, and nothing sent.");
    if (size == 0) step.suspect("An empty file is there, too: 200, and Content-Length: 0.");
    peer.send(request("HEAD", "/f.bin") + get("/f.bin"));
    const Answer head = answer_of(step, peer, "HEAD");
    const Answer answer = answer_of(step, peer);
    expect_status(step, answer, 200, "a file of " + std::to_string(size) + " bytes");
    step.check(
        head.field("Content-Length") == std::to_string(size) || head.count("Content-Length") == 0,
        "HEAD says the length that GET would have", head.field("Content-Length"));
    step.check(answer.content == content, "the file, byte for byte",
               kit::with_commas(answer.content.size()) + " bytes of " + kit::with_commas(size) +
                   ", or others");
  }
  step.suspect_task("08.D", "Folder::answer");
  step.suspect("What is not there is 404: the request was understood, and the connection is kept.");
  for (const std::string target : {"/missing", "/sub/missing", "/a.txt/missing", "/a.txt/"}) {
    peer.send(request("HEAD", target) + get(target) + get("/a.txt"));
    expect_status(step, answer_of(step, peer, "HEAD"), 404, "HEAD " + target);
    expect_status(step, answer_of(step, peer), 404, target);
    const Answer next = answer_of(step, peer);
    step.check(next.status == 200 && next.content == "a.txt\n", "the request after it",
               std::to_string(next.status));
  }
  peer.close();

  step.suspect("What stands behind \"?\" is no part of the name.");
  for (const std::string target : {"/a.txt?", "/a.txt?x=/../y", "/%61.txt", "http://kit/a.txt",
                                   "http://k/a.txt", "HTTP://kit:80/a.txt?q"}) {
    const Answer answer = ask(step, server, get(target));
    step.check(answer.status == 200 && answer.content == "a.txt\n", target + ": the file a.txt",
               std::to_string(answer.status) + " " + shown(answer.content));
  }
  step.suspect_task("08.D", "path_of");
  for (const std::string target : {"http://kit", "http://kit?q"}) {
    step.suspect("The address of a host alone means its top folder: \"http://kit\" is \"/\".");
    const Answer answer = ask(step, server, get(target));
    step.check(answer.status == 200 && contains(answer.content, "a.txt"),
               target + ": the top folder", std::to_string(answer.status));
  }
  for (const std::string target : {"/%zz", "/a%", "/a%4", "a.txt", "/a.txt%00", "http:///a.txt"}) {
    step.suspect(
        "A target that names nothing is 400: it does not begin with a slash, has no host behind "
        "\"http://\", cannot be decoded, or has a NUL byte in it.");
    expect_status(step, ask(step, server, get(target)), 400, target);
  }

  step.suspect_task("08.D", "Folder::answer");
  step.suspect(
      "A folder's page is its index.html. Without a slash at its end its own links would lead to "
      "the folder above: 301 to the same name with a slash, before the query.");
  const Answer index = ask(step, server, get("/sub/"));
  step.check(index.status == 200 && index.content == "<p>index</p>\n", "/sub/: its index.html",
             std::to_string(index.status) + " " + shown(index.content));
  const Answer moved = ask(step, server, get("/sub?q=1"));
  expect_status(step, moved, 301, "/sub");
  step.check(moved.field("Location").ends_with("/sub/?q=1"), "Location: /sub/?q=1",
             moved.field("Location"));
  const Answer other = ask(step, server, get("//sub"));
  step.suspect(
      "Location: //sub/ leads to a host named sub. The path is made anew from its names, with one "
      "slash before each.");
  step.check((other.status == 301 && !other.field("Location").starts_with("//")) ||
                 other.status == 404 || other.status == 400,
             "//sub leads to no other host",
             std::to_string(other.status) + " " + other.field("Location"));

  step.suspect(
      "A list shows names that strangers have chosen: html_escaped() for what a person reads, "
      "percent_encoded() for the link.");
  const Answer list = ask(step, server, get("/list/"));
  expect_status(step, list, 200, "/list/");
  step.check(list.field("Content-Type").starts_with("text/html"), "a list is a page",
             list.field("Content-Type"));
  step.check(!contains(list.content, "<b>"), "no tag that a file's name has brought along",
             "there is a <b> in the page");
  step.check(contains(list.content, "inner/"), "a folder in the list, with its slash");
  std::vector<std::string> links;
  for (std::size_t at = 0; (at = list.content.find("href=\"", at)) != list.content.npos;) {
    at += 6;
    links.push_back(list.content.substr(at, list.content.find('"', at) - at));
  }
  std::size_t found = 0;
  for (const std::string& link : links) {
    if (link.ends_with('/') || link.empty()) continue;
    const Answer file = ask(step, server, get(link.starts_with("/") ? link : "/list/" + link));
    step.check(file.status == 200,
               "the link \"" + kit::escape_text(link) + "\" of the list leads to its file",
               std::to_string(file.status));
    found += std::any_of(odd.begin(), odd.end(), [&](const std::string& name) {
      return file.content == "content of " + name;
    });
  }
  step.check(found == odd.size(), "a link to each of " + std::to_string(odd.size()) + " files",
             std::to_string(found) + " of them were found");

  step.suspect(
      "A method that a file does not have is 405, and Allow says which it has (RFC 9110, 15.5.6).");
  for (const std::string method : {"DELETE", "PUT", "POST", "PATCH"}) {
    Peer& asks = step.connect(server);
    asks.send(request(method, "/a.txt"));
    const Answer answer = answer_of(step, asks);
    expect_status(step, answer, 405, method);
    step.check(contains(answer.field("Allow"), "GET") && contains(answer.field("Allow"), "HEAD"),
               "Allow: GET, HEAD", shown(answer.field("Allow")));
    expect_no_second(step, asks, answer, method);
    asks.close();
  }
  server.dismiss();
}

STEP("08.7", "never a byte from outside the folder") {
  Site site(step);
  const std::string secret = "secret " + step.text(20);
  const auto beside = [&](const std::string& name) {
    std::ofstream(step.path(name)) << secret;  // readable for everybody
  };
  beside("secret.txt");
  std::filesystem::create_directory(step.path("site-secret"));
  beside("site-secret/secret.txt");
  std::filesystem::permissions(step.path("site-secret"), std::filesystem::perms(0755));
  site.file("a.txt", "hello\n");
  site.file("secret.html", "not the secret\n");
  site.folder("sub");
  site.file("sub/b.txt", "hello\n");
  site.file("sub/%2e%2e", "a file of that name\n");
  std::filesystem::create_symlink("../secret.txt", site.path("link.txt"));
  std::filesystem::create_symlink(step.path("secret.txt"), site.path("sub/link.txt"));
  std::filesystem::create_directory_symlink("..", site.path("up"));
  std::filesystem::create_directory_symlink(step.folder(), site.path("sub/away"));
  std::filesystem::create_directory_symlink("/dev", site.path("dev"));
  std::filesystem::create_symlink("../../secret.txt", site.path("sub/index.html"));
  if (::mkfifo(site.path("fifo").c_str(), 0644) == -1) throw kit::KitError("mkfifo");
  step.sandbox().give(site.path("fifo"));
  Server& server = site.serve();

  step.suspect_task("08.D", "path_of");
  for (const std::string target : {"/../secret.txt",
                                   "/%2e%2e/secret.txt",
                                   "/%2E%2e/secret.txt",
                                   "/..%2fsecret.txt",
                                   "/%2e%2e%2fsecret.txt",
                                   "/.%2e/secret.txt",
                                   "/sub/../../secret.txt",
                                   "/sub/%2e%2e/%2e%2e/secret.txt",
                                   "/....//secret.txt",
                                   "/..;/secret.txt",
                                   "/..%5csecret.txt",
                                   "/..%255csecret.txt",
                                   "/%252e%252e%252fsecret.txt",
                                   "/%252e%252e/secret.txt",
                                   "/sub/%252e%252e/%252e%252e/secret.txt",
                                   "//../secret.txt",
                                   "///../../secret.txt",
                                   "/./../secret.txt",
                                   "/.%00./secret.txt",
                                   "/a.txt%00.html",
                                   "/a.txt%00/../../secret.txt",
                                   "/../secret.txt%00.html",
                                   "/../site-secret/secret.txt",
                                   "/../site/../secret.txt",
                                   "/..%2fsite-secret/secret.txt",
                                   "/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc/passwd",
                                   "/../../../../etc/passwd",
                                   "//etc/passwd",
                                   "/%2fetc/passwd",
                                   "http://kit/../secret.txt",
                                   "http://kit/%2e%2e/secret.txt",
                                   "/link.txt",
                                   "/sub/link.txt",
                                   "/up/secret.txt",
                                   "/up/site/a.txt",
                                   "/sub/away/secret.txt",
                                   "/sub/away/site/a.txt",
                                   "/up/",
                                   "/sub/away/",
                                   "/up",
                                   "/sub/away",
                                   "/dev/null",
                                   "/dev/",
                                   "/fifo",
                                   "/sub/../up/secret.txt",
                                   "/sub//away//secret.txt"}) {
    const bool by_link = contains(target, "link") || contains(target, "up") ||
                         contains(target, "away") || contains(target, "dev");
    if (by_link) {
      step.suspect_task("08.D", "open_below");
      step.suspect(
          "A link in the folder led out of it. open_below() opens each name with openat() from the "
          "folder before it, and with O_NOFOLLOW: at the end of the path and in its midst.");
    } else if (target == "/fifo") {
      step.suspect_task("08.D", "open_below");
      step.suspect(
          "To open a FIFO is to wait for whoever writes to it: O_NONBLOCK does not wait. What is "
          "neither a file nor a folder is 404.");
    } else if (contains(target, "%00")) {
      step.suspect(
          "A NUL byte ends a name for the system, and not for the server: a target that has one is "
          "400.");
    } else {
      step.suspect_task("08.D", "path_of");
      step.suspect(
          "A name led out of the folder. Decode once, take the path apart at its slashes, then let "
          "\"..\" go up, but never beyond the top: in any other order one of these gets by.");
    }
    Peer& peer = step.connect(server);
    peer.send(get(target, "Connection: close\r\n"));
    const std::string answer = peer.read_all();
    step.check(!contains(answer, secret) && !contains(answer, "root:"),
               target + ": nothing from outside the folder", "it was served");
    step.check(!answer.starts_with("HTTP/1.1 2") && !answer.starts_with("HTTP/1.1 5"),
               target + ": not found", shown(answer.substr(0, answer.find('\r'))));
    if (by_link) {
      step.check(answer.starts_with("HTTP/1.1 4"), target + ": a link is not followed: 404",
                 shown(answer.substr(0, answer.find('\r'))));
    }
    peer.close();
  }
  step.suspect_task("08.D", "path_of");
  step.suspect("\"..\" within the folder is lawful, and so is a name that looks like it.");
  for (const auto& [target, content] : std::vector<std::pair<std::string, std::string>>{
           {"/sub/../a.txt", "hello\n"},
           {"/sub/%2e%2e/a.txt", "hello\n"},
           {"/../a.txt", "hello\n"},
           {"/./sub//b.txt", "hello\n"},
           {"/sub/%252e%252e", "a file of that name\n"}}) {
    const Answer answer = ask(step, server, get(target));
    step.check(answer.status == 200 && answer.content == content, target + ": a file of the folder",
               std::to_string(answer.status) + " " + shown(answer.content));
  }
  step.suspect_task("08.D", "Folder::answer");
  step.suspect(
      "The index.html of this folder is a link that leads out of it: it is opened without "
      "following links, too.");
  const Answer index = ask(step, server, get("/sub/"));
  step.check(!contains(index.content, secret), "/sub/: nothing from outside the folder",
             "it was served");

  step.suspect(
      "The folder was moved away, and another stands in its place. The names are opened from the "
      "folder that was opened at the start, and not from its name.");
  std::filesystem::rename(site.path(""), step.path("moved"));
  std::filesystem::create_directory_symlink(step.path("site-secret"), step.path("site"));
  const Answer still = ask(step, server, get("/a.txt"));
  step.check(still.status == 200 && still.content == "hello\n",
             "/a.txt of the folder that was opened", std::to_string(still.status));
  const Answer fresh = ask(step, server, get("/secret.txt"));
  step.check(!contains(fresh.content, secret), "nothing of the folder that has come in its place",
             "it was served");
  server.dismiss();
}

STEP("08.8", "what has not changed is not sent again") {
  Site site(step);
  site.file("a.txt", "hello\n");
  site.set_time("a.txt", 784111777, 500'000'000);  // in mid-second
  site.file("ahead.txt", "from the future\n");
  site.set_time("ahead.txt", 4'000'000'000);
  Server& server = site.serve();
  Peer& peer = step.connect(server);
  step.suspect_task("08.D", "file_response");
  step.suspect("Last-Modified is when the file was changed: http_date() of st_mtime.");
  peer.send(get("/a.txt"));
  const Answer first = answer_of(step, peer);
  step.check(first.field("Last-Modified") == "Sun, 06 Nov 1994 08:49:37 GMT",
             "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT", shown(first.field("Last-Modified")));
  step.suspect_task("08.D", "not_modified");
  const auto asked = [&](const std::string& fields, const char* target = "/a.txt") {
    peer.send(get(target, fields));
    return answer_of(step, peer);
  };
  for (const auto& [date, expected] :
       std::vector<std::pair<std::string, int>>{{"Sun, 06 Nov 1994 08:49:37 GMT", 304},
                                                {"Sunday, 06-Nov-94 08:49:37 GMT", 304},
                                                {"Sun Nov  6 08:49:37 1994", 304},
                                                {"Mon, 07 Nov 1994 08:49:37 GMT", 304},
                                                {"Wed, 01 Feb 1995 00:00:00 GMT", 304},
                                                {"Sun, 06 Nov 1994 08:49:36 GMT", 200},
                                                {"Tue, 31 Dec 1985 23:59:59 GMT", 200},
                                                {"yesterday", 200},
                                                {"784111777", 200}}) {
    step.suspect(
        "A date is a number of seconds: parse_http_date() reads it in each of its three forms. Not "
        "later than that: 304; what is no date is as if it were not there.");
    const Answer answer = asked("If-Modified-Since: " + date + "\r\n");
    expect_status(step, answer, expected, "If-Modified-Since: " + date);
    step.suspect("304 has no content, and says no length of 0: what it has not sent is longer.");
    step.check(expected == 200 || answer.field("Content-Length") != "0", "304 without a length",
               "Content-Length: 0");
  }
  const std::string same = "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
  step.suspect(
      "With If-None-Match the date does not count (RFC 9110, 13.1.3). No tag is that of a file "
      "here; \"*\" is any.");
  expect_status(step, asked(same + "If-None-Match: \"x\"\r\n"), 200, "a tag that is none of ours");
  expect_status(step, asked("If-None-Match: *\r\n"), 304, "If-None-Match: *");
  step.suspect_task("08.D", "file_response");
  step.suspect(
      "The client wants the file only if it is still the one that it knows: precondition_failed() "
      "says 412, before anything else is looked at.");
  expect_status(step, asked("If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n"), 412,
                "If-Unmodified-Since, of before the change");
  expect_status(step, asked("If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"), 200,
                "If-Unmodified-Since, of the change");
  expect_status(step, asked("If-Match: \"x\"\r\n" + same), 412,
                "If-Match with a tag that is none of ours");
  step.suspect_task("08.D", "not_modified");
  step.suspect("To HEAD the same is said as to GET.");
  peer.send(request("HEAD", "/a.txt", same));
  expect_status(step, answer_of(step, peer, "HEAD"), 304, "HEAD, and not changed since");
  step.suspect("A file that is not there is 404, whatever the client has.");
  expect_status(step, asked(same, "/missing"), 404, "a file that is not there");
  step.suspect(
      "A date to come would be newer than every change until then: Last-Modified is never later "
      "than now (RFC 9110, 8.8.2.1).");
  const Answer ahead = asked("", "/ahead.txt");
  step.check(!contains(ahead.field("Last-Modified"), " 2096 "),
             "Last-Modified is not in the future", ahead.field("Last-Modified"));
  peer.close();
  server.dismiss();
}

// ---- the client
// ----------------------------------------------------------------------------------

namespace {

// The next request of the learner's client: its head, checked for its form.
std::string head_from(Step& step, Peer& peer, const std::string& request_line) {
  const std::string first = peer.read_line();
  step.check(first == request_line + " HTTP/1.1\r\n", "\"" + request_line + " HTTP/1.1\"",
             shown(first));
  std::string fields;
  for (;;) {
    const std::string line = line_of(step, peer);
    if (line.empty()) break;
    fields += line + "\n";
  }
  std::size_t hosts = 0;
  for (std::size_t at = 0; at < fields.size(); at = fields.find('\n', at) + 1) {
    hosts += same_word(std::string_view(fields).substr(at, 5), "Host:");
  }
  step.check(hosts == 1, "one Host field", std::to_string(hosts) + " of them");
  return fields;
}

Program& start_client(Step& step, const Listener& partner, std::vector<std::string> args) {
  std::vector<std::string> all = {"--host", "127.0.0.1", "--port", std::to_string(partner.port())};
  all.insert(all.end(), args.begin(), args.end());
  return step.client({.args = std::move(all)});
}

}  // namespace

STEP("08.9", "several questions on one connection") {
  Listener& partner = step.listen();
  step.suspect(
      "ask() sends the question, and reads the answer's head. With HEAD nothing follows it, "
      "whatever the head says of a length.");
  Program& asks = start_client(step, partner, {"/a", "/b?c", "/d", "--head"});
  Peer& server = partner.accept();
  (void)head_from(step, server, "HEAD /a");
  server.send("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
  asks.expect_line("/a: 200 OK, 0 bytes");
  step.suspect(
      "The connection is kept: the next question goes out on it, and no other is opened. kept() "
      "must say so, unless the answer says close or is of HTTP/1.0.");
  (void)head_from(step, server, "HEAD /b?c");
  step.suspect(
      "\"100 Continue\", and whatever else begins with 1, is no answer yet: read on until one "
      "comes of 200 or more.");
  server.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
  step.let_rest(asks);
  server.send("HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n");
  asks.expect_line("/b?c: 404 Not Found, 0 bytes");
  (void)head_from(step, server, "HEAD /d");
  server.send("HTTP/1.1 200\r\n\r\n");
  asks.expect_line("/d: 200 , 0 bytes");
  asks.expect_exit(0);
  server.close();

  step.suspect(
      "The answer says close, or is one of HTTP/1.0: the next question needs a connection of its "
      "own.");
  Program& closing = start_client(step, partner, {"/1", "/2", "/3", "/4"});
  for (const auto& [path, head] : std::vector<std::pair<std::string, std::string>>{
           {"/1", "HTTP/1.1 204 No Content\r\nConnection: x, Close\r\n\r\n"},
           {"/2", "HTTP/1.0 304 Not Modified\r\n\r\n"}}) {
    Peer& each = partner.accept();
    (void)head_from(step, each, "GET " + path);
    each.send(head);
    step.suspect("204 and 304 have no content, whatever the method was: nothing is waited for.");
    closing.expect_line(path + ": " + head.substr(9, head.find('\r') - 9) + ", 0 bytes");
    step.suspect(
        "The answer says close, or is one of HTTP/1.0: the next question needs a connection of its "
        "own.");
    each.expect_over();
    each.close();
  }
  Peer& kept = partner.accept();
  (void)head_from(step, kept, "GET /3");
  kept.send("HTTP/1.0 204 No Content\r\nConnection: keep-alive\r\n\r\n");
  closing.expect_line("/3: 204 No Content, 0 bytes");
  step.suspect("HTTP/1.0 with keep-alive is kept as well.");
  (void)head_from(step, kept, "GET /4");
  kept.send("HTTP/1.1 204 No Content\r\n\r\n");
  closing.expect_line("/4: 204 No Content, 0 bytes");
  closing.expect_exit(0);
  kept.close();

  step.suspect(
      "A question with content goes out whole, with its length, and its content behind it.");
  const std::string text = step.text(20);
  Program& uploads = start_client(step, partner, {"/upper", "--upload", text});
  Peer& takes = partner.accept();
  const std::string fields = head_from(step, takes, "POST /upper");
  step.check(contains(Step::upper(fields), "CONTENT-LENGTH: 20\n"), "Content-Length: 20",
             shown(fields));
  takes.expect(text);
  takes.send("HTTP/1.1 204 No Content\r\n\r\n");
  uploads.expect_exit(0);
  takes.close();

  step.suspect(
      "The server has ended in the midst of an answer's head: one sentence on stderr, exit status "
      "1.");
  Program& cut = start_client(step, partner, {"/a", "--head"});
  Peer& cuts = partner.accept();
  (void)head_from(step, cuts, "HEAD /a");
  cuts.send("HTTP/1.1 200 OK\r\nContent-Le");
  cuts.half_close();
  cut.expect_error_sentence();
  cuts.close();
  Program& refused = start_client(step, partner, {"/a", "--head"});
  Peer& silent = partner.accept();
  (void)head_from(step, silent, "HEAD /a");
  silent.half_close();
  refused.expect_error_sentence();
  silent.close();
}

STEP("08.18", "content ends by its length, its chunks, or with the connection") {
  Listener& partner = step.listen();
  const auto ask_for = [&](std::vector<std::string> paths) -> std::pair<Program&, Peer&> {
    paths.push_back("--show");
    Program& client = start_client(step, partner, std::move(paths));
    return {client, partner.accept()};
  };
  const auto in_pieces = [&](Peer& peer, std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t size = 1 + step.random().below(bytes.size() > 2000 ? 5000 : 7);
      peer.send(bytes.substr(at, size));
      at += size;
    }
  };
  {
    step.suspect_task("08.F", "BodyDecoder::take_bytes");
    step.suspect(
        "With a Content-Length the content is so many bytes: not one less, and what follows "
        "belongs to the next answer.");
    auto [client, server] = ask_for({"/0", "/5", "/big", "/next"});
    const std::string big = step.text(100'000);
    (void)head_from(step, server, "GET /0");
    server.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    (void)head_from(step, server, "GET /5");
    in_pieces(server, "HTTP/1.1 200 OK\r\nContent-Length:  5 \r\n\r\nhello");
    (void)head_from(step, server, "GET /big");
    in_pieces(server, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + big);
    (void)head_from(step, server, "GET /next");
    server.send("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone");
    client.expect_output(
        "/0: 200 OK, 0 bytes\n/5: 200 OK, 5 bytes\nhello/big: 200 OK, 100000 bytes\n" + big +
        "/next: 404 Not Found, 4 bytes\nnone");
    server.close();
  }
  {
    step.suspect_task("08.F", "BodyDecoder::take_line");
    step.suspect(
        "In chunks the content is as long as the sizes say, which are hexadecimal; an extension "
        "behind \";\" is passed over. After the chunk of size 0 come trailers, up to an empty "
        "line.");
    auto [client, server] = ask_for({"/1", "/2", "/3"});
    const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::string text = step.text(0x1a3);
    (void)head_from(step, server, "GET /1");
    in_pieces(server, head + "5\r\nhello\r\n1a3;name=\"value\"\r\n" + text +
                          "\r\n0d\r\n\r\n0\r\n\r\nhello\n\r\n0\r\n\r\n");
    (void)head_from(step, server, "GET /2");
    in_pieces(server, head + "000\r\nTrailer: value\r\nAnother: one\r\n\r\n");
    (void)head_from(step, server, "GET /3");
    in_pieces(server, head + "A\r\n0123456789\r\n0\r\n\r\n");
    client.expect_output(
        "/1: 200 OK, 437 bytes\nhello" + text +
        "\r\n0\r\n\r\nhello\n/2: 200 OK, 0 bytes\n/3: 200 OK, 10 bytes\n0123456789");
    server.close();
  }
  {
    step.suspect_task("08.F", "BodyDecoder::of_response");
    step.suspect(
        "An answer that says neither a length nor chunks goes on until the connection ends: "
        "take_end() says that this is an end. The next question needs a new connection.");
    auto [client, server] = ask_for({"/1", "/2"});
    (void)head_from(step, server, "GET /1");
    in_pieces(server, "HTTP/1.1 200 OK\r\n\r\nup to\r\n\r\nthe end");
    server.half_close();
    server.expect_over();
    server.close();
    Peer& second = partner.accept();
    (void)head_from(step, second, "GET /2");
    second.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    client.expect_output("/1: 200 OK, 16 bytes\nup to\r\n\r\nthe end/2: 200 OK, 2 bytes\nok");
    second.close();
  }
  {
    step.suspect_task("08.F", "BodyDecoder::of_response");
    step.suspect(
        "An answer that says a length and chunks is one in chunks, or an error (RFC 9112, 6.3): "
        "the length counts for nothing.");
    auto [client, server] = ask_for({"/a"});
    (void)head_from(step, server, "GET /a");
    server.send(
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\nhello\r\n0\r\n\r\n");
    if (client.wait_exit().code == 0) {
      client.expect_output("/a: 200 OK, 5 bytes\nhello");
    } else {
      client.expect_error_sentence();
    }
    server.close();
  }
  {
    step.suspect_task("08.F", "BodyDecoder::take_end");
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const std::string& answer :
         {std::string("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello"), chunked + "5\r\nhel",
          chunked + "5\r\nhello\r\n", chunked + "5\r\nhello\r\n0\r\n",
          chunked + "5\r\nhello\r\n0\r\n\r"}) {
      step.suspect(
          "The server has ended before the content has: that is no success. One sentence on "
          "stderr, exit status 1.");
      auto [client, server] = ask_for({"/a"});
      (void)head_from(step, server, "GET /a");
      server.send(answer).half_close();
      client.expect_error_sentence();
      server.close();
    }
    step.suspect_task("08.F", "BodyDecoder::take_line");
    for (const std::string wrong :
         {"x\r\n", "-1\r\n", "\r\n", "5\r\nhelloX\r\n0\r\n\r\n", "10000000000000000\r\nhello"}) {
      step.suspect("The chunks are wrong: " + shown(wrong) +
                   ". Their size is no number, or other bytes stand where a chunk has ended. One "
                   "sentence on stderr, exit status 1.");
      auto [client, server] = ask_for({"/a"});
      (void)head_from(step, server, "GET /a");
      server.send(chunked + wrong);
      client.expect_error_sentence();
      server.close();
    }
  }
}

// ---- harder
// --------------------------------------------------------------------------------------

STEP("08.10", "content has a length, and a limit") {
  constexpr std::size_t limit = 1000;
  Site site(step);
  site.file("a.txt", "hello\n");
  Server& server = site.serve({"--body-limit", std::to_string(limit)});
  server.may_say("processing of request from");
  step.suspect_task("08.G", "BodyDecoder::BodyDecoder");
  step.suspect(
      "Content-Length says how many bytes of content follow the empty line: not one less is waited "
      "for, and what follows them is the next request.");
  Peer& peer = step.connect(server);
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{500}, limit}) {
    const std::string content = step.text(size);
    peer.send(post(content));
    const Answer answer = answer_of(step, peer, "POST");
    if (answer.status == 100) step.suspect("Who expects nothing gets no \"100 Continue\".");
    if (size == limit)
      step.suspect("Content of exactly --body-limit bytes is taken: more is too large.");
    expect_status(step, answer, 200, "POST /upper with " + std::to_string(size) + " bytes");

    step.check(answer.content == Step::upper(content), "the content in upper case",
               shown(answer.content));
  }
  const std::string content = step.text(50);
  const std::string asked = post(content);
  step.suspect("The content comes in pieces, and is answered when all of it has come.");
  peer.send(asked.substr(0, asked.size() - 40)).wait_until_taken();
  peer.send(asked.substr(asked.size() - 40, 39)).wait_until_taken();
  step.let_rest(server);
  step.check(peer.unread().empty(), "no answer before the content is whole", shown(peer.unread()));
  peer.send(asked.substr(asked.size() - 1) + post("next"));
  step.check(answer_of(step, peer, "POST").content == Step::upper(content),
             "the content in upper case");
  step.check(answer_of(step, peer, "POST").content == "NEXT", "the next request's");
  peer.send("POST /upper HTTP/1.1\r\nHost: kit\r\n\r\n" + get("/request?next"));
  step.suspect("A request that says no length has no content: what follows is the next one.");
  step.check(answer_of(step, peer, "POST").content.empty(), "no content, in upper case");
  expect_status(step, answer_of(step, peer), 200, "the request after it");
  peer.close();

  step.suspect("Content over the limit is refused with 413 before it has come.");
  for (const std::string length : {"1001", "4294967296", "18446744073709551615",
                                   "18446744073709551616", "99999999999999999999999"}) {
    Peer& large = step.connect(server);
    large.send("POST /upper HTTP/1.1\r\nHost: kit\r\nContent-Length: " + length + "\r\n\r\n");
    const Answer answer = answer_of(step, large, "POST");
    if (length.size() < 20 || length == "18446744073709551615") {
      expect_refused(step, large, 413, answer, "Content-Length: " + length);
    } else {
      expect_status(step, answer, {413, 400}, "Content-Length: " + length);
    }
    large.close();
  }

  step.suspect_task("08.G", "RequestHead::expects_continue");
  step.suspect(
      "A client that expects 100-continue holds its content back: nothing but \"100 Continue\" "
      "comes before it, and that only once the content is asked for.");
  Peer& polite = step.connect(server);
  polite.send(
      "POST /upper HTTP/1.1\r\nHost: kit\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n");
  expect_status(step, answer_of(step, polite, "POST"), 100, "Expect: 100-continue");
  step.let_rest(server);
  step.check(polite.unread().empty(), "nothing after \"100 Continue\" before the content has come",
             shown(polite.unread()));
  polite.send("hello");
  step.check(answer_of(step, polite, "POST").content == "HELLO", "the content in upper case");
  step.suspect("Who expects nothing gets no \"100 Continue\".");
  polite.send("POST /upper HTTP/1.1\r\nHost: kit\r\nContent-Length: 5\r\n\r\n").wait_until_taken();
  step.let_rest(server);
  step.check(polite.unread().empty(), "nothing before the content has come",
             shown(polite.unread()));
  polite.send("hello");
  step.check(answer_of(step, polite, "POST").content == "HELLO", "the content in upper case");
  polite.close();
  step.suspect(
      "Content that is not wanted is not asked for: the answer comes in place of \"100 "
      "Continue\".");
  for (const auto& [status, sentence, bytes] :
       std::vector<Case>{{405, "POST to a file",
                          "POST /a.txt HTTP/1.1\r\nHost: kit\r\nExpect: 100-continue\r\n"
                          "Content-Length: 5\r\n\r\n"},
                         {413, "too much",
                          "POST /upper HTTP/1.1\r\nHost: kit\r\nExpect: 100-continue\r\n"
                          "Content-Length: 1001\r\n\r\n"}}) {
    Peer& unwanted = step.connect(server);
    unwanted.send(bytes);
    const Answer answer = answer_of(step, unwanted, "POST");
    expect_status(step, answer, status, sentence);
    unwanted.close();
  }
  step.suspect("HTTP/1.0 knows no \"100 Continue\": the expectation is passed over.");
  Peer& old = step.connect(server);
  old.send("POST /upper HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
      .wait_until_taken();
  step.let_rest(server);
  step.check(old.unread().empty(), "HTTP/1.0: no \"100 Continue\"", shown(old.unread()));
  old.send("hello");
  step.check(answer_of(step, old, "POST").content == "HELLO",
             "HTTP/1.0: the content in upper case");
  old.close();
  step.suspect("An expectation that is not known: 417, or it is passed over.");
  Peer& strange = step.connect(server);
  strange.send(
      "POST /upper HTTP/1.1\r\nHost: kit\r\nExpect: tea\r\nContent-Length: 5\r\n\r\nhello");
  expect_status(step, answer_of(step, strange, "POST"), {417, 200}, "Expect: tea");
  strange.close();

  step.suspect_task("08.C", "BaseHTTPRequestHandler::handle_one_request");
  step.suspect(
      "Content that was not read stands where the next request is looked for. Read it away, or "
      "close the connection, and say so: else whoever chooses the content chooses a request.");
  for (const std::string method : {"POST", "PUT", "DELETE", "GET", "BREW", "OPTIONS"}) {
    const std::string hidden = get("/request?hidden");
    Peer& tricky = step.connect(server);
    tricky.send(request(method, method == "GET" ? "/request?first" : "/a.txt",
                        "Content-Length: " + std::to_string(hidden.size()) + "\r\n") +
                hidden);
    const Answer answer = answer_of(step, tricky, method);
    expect_no_second(step, tricky, answer, method + " with content that nobody reads");
    tricky.close();
  }
  step.suspect_task("08.G", "BodyDecoder::BodyDecoder");
  step.suspect(
      "The client has ended in the midst of its content: that is no request to be answered.");
  Peer& cut = step.connect(server);
  cut.send(post("hello").substr(0, post("hello").size() - 1)).half_close();
  const std::string rest = cut.read_all();
  step.check(rest.empty() || rest.starts_with("HTTP/1.1 400"), "no answer to half a request",
             shown(rest));
  cut.close();
  server.dismiss();
}

STEP("08.11", "chunks in, chunks out") {
  constexpr std::size_t limit = 1000;
  Site site(step);
  Server& server = site.serve({"--body-limit", std::to_string(limit)});
  step.suspect_task("08.H", "BodyDecoder::take_line");
  step.suspect(
      "The size of a chunk is a hexadecimal number, an extension behind \";\" is passed over. The "
      "chunk of size 0 is the last; then come trailers, up to an empty line, and the next "
      "request.");
  Peer& peer = step.connect(server);
  const std::string text = step.text(0x1a3), all = step.text(limit);
  for (const auto& [chunks, content] : std::vector<std::pair<std::string, std::string>>{
           {"5\r\nhello\r\n0\r\n\r\n", "hello"},
           {"0\r\n\r\n", ""},
           {"1\r\na\r\n1\r\nb\r\n00\r\n\r\n", "ab"},
           {"1a3\r\n" + text + "\r\n0D\r\n\r\n0\r\n\r\nhello\n\r\n0\r\n\r\n",
            text + "\r\n0\r\n\r\nhello\n"},
           {"00000005;name=value;other=\"a b\"\r\nhello\r\n0;last\r\n\r\n", "hello"},
           {"5\r\nhello\r\n0\r\nTrailer: value\r\nContent-Length: 3\r\n\r\n", "hello"},
           {"3e8\r\n" + all + "\r\n0\r\n\r\n", all}}) {
    step.suspect_if_it_hangs(
        "No answer has come, or none that ends: chunk({}) makes the last chunk, with which the "
        "content ends.");
    send_in_pieces(step, peer, chunked_post + chunks);
    const Answer answer = answer_of(step, peer, "POST");
    expect_status(step, answer, 200, "a POST in chunks");
    step.check(answer.content == Step::upper(content), "the content of the chunks in upper case",
               shown(answer.content));
    step.suspect_task("08.H", "chunk");
    step.suspect(
        "What came in chunks goes back in chunks: chunk() makes one, and the last one too.");
    step.check(same_word(answer.field("Transfer-Encoding"), "chunked"),
               "Transfer-Encoding: chunked", shown(answer.field("Transfer-Encoding")));
    step.suspect_task("08.H", "BodyDecoder::take_line");
    step.suspect(
        "After the chunks comes the next request: trailers and the last CR LF belong to the "
        "chunks.");
    peer.send(get("/request?next"));
    const Answer next = answer_of(step, peer);
    step.check(next.content == "GET /request?next HTTP/1.1\nHost: kit\n",
               "the next request as it is",
               std::to_string(next.status) + " " + shown(next.content));
  }
  peer.close();
  step.suspect("100 Continue goes out before chunks, too, if the client expects it.");
  Peer& polite = step.connect(server);
  polite.send(
      "POST /upper HTTP/1.1\r\nHost: kit\r\nExpect: 100-continue\r\nTransfer-Encoding: "
      "Chunked\r\n\r\n");
  expect_status(step, answer_of(step, polite, "POST"), 100, "Expect: 100-continue");
  polite.send("5\r\nhello\r\n0\r\n\r\n");
  step.check(answer_of(step, polite, "POST").content == "HELLO", "the content in upper case");
  polite.close();

  step.suspect("The limit is for all chunks together: 413 when their sum is over it.");
  Peer& full = step.connect(server);
  full.send(chunked_post + "1f4\r\n" + std::string(500, 'a') + "\r\n1f4\r\n" +
            std::string(500, 'b') + "\r\n0\r\n\r\n");
  expect_status(step, answer_of(step, full, "POST"), 200, "chunks of 1,000 bytes together");
  full.close();
  for (const std::string& sizes :
       {std::string("3e9\r\n"), "1f4\r\n" + std::string(500, 'a') + "\r\n1f5\r\n",
        std::string("ffffffff\r\n"), std::string("ffffffffffffffff\r\n"),
        std::string("1\r\na\r\nffffffffffffffff\r\n")}) {
    Peer& large = step.connect(server);
    large.send(chunked_post + sizes);
    expect_refused(step, large, 413, "chunks of more than 1,000 bytes together");
    large.close();
  }
  for (const auto& [sentence, chunks] : wrong_chunks()) {
    step.suspect(std::string("The chunks have ") + sentence +
                 ". Refuse them, and close: who reads on takes content for a request.");
    Peer& wrong = step.connect(server);
    wrong.send(chunked_post + chunks + get("/request?hidden"));
    const Answer answer = answer_of(step, wrong, "POST");
    expect_status(step, answer, {400, 413, 431}, sentence);
    step.check(answer.says_close() || answer.up_to_the_end,
               std::string(sentence) + ": the answer says Connection: close", "it does not");
    wrong.expect_end();
    wrong.close();
  }
  server.dismiss();
}

STEP("08.12", "a request with two lengths is refused") {
  Site site(step);
  site.file("secret", "secret\n");
  Server& server = site.serve();
  for (const auto& [sentence, bytes] : smuggling()) {
    step.suspect(
        std::string("The request has ") + sentence +
        ". Whoever stands before this server may read it in another way, and let a request "
        "through that it has never seen: refuse it, and close.");
    Peer& peer = step.connect(server);
    peer.send(bytes);
    const Answer answer = answer_of(step, peer, "POST");
    expect_status(step, answer, {400, 413, 501}, sentence);
    step.check(answer.says_close() || answer.up_to_the_end,
               std::string(sentence) + ": the answer says Connection: close", "it does not");
    peer.expect_end();
    peer.close();
  }
  // What is lawful in two ways must come to the same end in both: one request, one answer.
  const std::string hidden = get("/request?secret");
  for (const auto& [sentence, bytes] : std::vector<std::pair<const char*, std::string>>{
           {"two equal lengths",
            "POST /upper HTTP/1.1\r\nHost: kit\r\nContent-Length: 5\r\n"
            "Content-Length: 5\r\n\r\nhello"},
           {"a list of two equal lengths",
            "POST /upper HTTP/1.1\r\nHost: kit\r\nContent-Length: 5, 5\r\n\r\nhello"},
           {"a coding that is not undone",
            "POST /upper HTTP/1.1\r\nHost: kit\r\nTransfer-Encoding: gzip, "
            "chunked\r\n\r\n5\r\nhello\r\n"
            "0\r\n\r\n"},
           {"a lone newline behind a field",
            "POST /upper HTTP/1.1\r\nHost: kit\r\nA: b\n"
            "Content-Length: 5\r\n\r\nhello"}}) {
    step.suspect(std::string("The request has ") + sentence +
                 ": it may be refused, or taken as it is meant, and nothing else.");
    Peer& peer = step.connect(server);
    peer.send(bytes);
    const Answer answer = answer_of(step, peer, "POST");
    step.check(answer.status == 200 ? answer.content == "HELLO" && !contains(bytes, "gzip")
                                    : answer.status == 400 || answer.status == 501,
               std::string(sentence) + ": refused, or \"HELLO\"",
               std::to_string(answer.status) + " " + shown(answer.content));
    expect_no_second(step, peer, answer, sentence);
    peer.close();
  }
  // A chunk's line that ends with a lone newline, for whoever takes one: the content is then as
  // long as it says, and the hidden request stays content.
  step.suspect(
      "A field ends with CR LF, and with a lone newline only for who takes all of them so: here "
      "one of two readers sees a Transfer-Encoding, and the other does not.");
  Peer& folded = step.connect(server);
  folded.send(
      "POST /upper HTTP/1.1\r\nHost: kit\r\nA: b\nTransfer-Encoding: chunked\r\nContent-Length: " +
      std::to_string(hidden.size() + 5) + "\r\n\r\n0\r\n\r\n" + hidden);
  const Answer refused = answer_of(step, folded, "POST");
  step.check(refused.status >= 400, "a length, and chunks behind a lone newline: refused",
             std::to_string(refused.status));
  folded.expect_end();
  folded.close();
  step.check(!contains(server.output(), "secret"), "the hidden request is never seen",
             "it stands in the log");
  server.dismiss();
}

STEP("08.13", "a part of a file") {
  Site site(step);
  const std::string content = step.payload(1000);
  site.file("f.bin", content);
  site.file("empty", "");
  site.file("one", "x");
  site.set_time("f.bin", 784111777);
  Server& server = site.serve({"--quiet"});
  Peer& peer = step.connect(server);
  const auto asked = [&](const std::string& fields, const char* target = "/f.bin") {
    peer.send(get(target, fields));
    return answer_of(step, peer);
  };
  step.suspect_task("08.J", "range_of");
  for (const auto& [range, first, size] :
       std::vector<std::tuple<std::string, std::size_t, std::size_t>>{
           {"0-0", 0, 1},
           {"0-99", 0, 100},
           {"500-599", 500, 100},
           {"999-999", 999, 1},
           {"0-999", 0, 1000},
           {"900-", 900, 100},
           {"0-", 0, 1000},
           {"-1", 999, 1},
           {"-100", 900, 100},
           {"-1000", 0, 1000},
           {"-5000", 0, 1000},
           {"900-5000", 900, 100},
           {"0-18446744073709551615", 0, 1000},
           {"0-99999999999999999999999", 0, 1000},
           {"-99999999999999999999999", 0, 1000}}) {
    step.suspect(
        "\"bytes=0-99\" is the first hundred bytes: both ends belong to it, and the end of the "
        "file is end enough. \"-100\" is the last hundred, \"900-\" all from there on. 206, with "
        "Content-Range: bytes 0-99/1000.");
    const Answer answer = asked("Range: bytes=" + range + "\r\n");
    if (answer.status == 200) {
      step.suspect(
          "This is the whole file: range_of() finds no part of it, or file_response() does not "
          "narrow() it. \"bytes=0-99\" is the first hundred bytes, and the end of the file is end "
          "enough.");
    }
    expect_status(step, answer, 206, "Range: bytes=" + range);
    const std::string expected =
        "bytes " + std::to_string(first) + "-" + std::to_string(first + size - 1) + "/1000";
    step.check(answer.field("Content-Range") == expected, "Content-Range: " + expected,
               answer.field("Content-Range"));
    step.check(answer.content == content.substr(first, size), "these bytes of the file",
               kit::with_commas(answer.content.size()) + " bytes of " + kit::with_commas(size) +
                   ", or others");
  }
  step.suspect(
      "Nothing of that is in the file: 416, and Content-Range: bytes */1000 tells how long it is.");
  for (const std::string range :
       {"1000-", "1000-2000", "5000-", "99999999999999999999999-", "-0"}) {
    const Answer answer = asked("Range: bytes=" + range + "\r\n");
    expect_status(step, answer, 416, "Range: bytes=" + range);
    step.check(answer.field("Content-Range") == "bytes */1000", "Content-Range: bytes */1000",
               answer.field("Content-Range"));
  }
  for (const std::string range :
       {"lines=0-9", "bytes 0-9", "bytes=", "bytes=-", "bytes=9", "bytes=a-b", "bytes=5-2",
        "bytes=+1-2", "bytes=0x1-2", "bytes=0-99999999999999999999x"}) {
    step.suspect(
        "A Range that makes no sense, or is in another unit, is as if it were not there: the whole "
        "file, with 200. (What is no range at all may be refused as well.)");
    const Answer answer = asked("Range: " + range + "\r\n");
    const bool other_unit = range == "lines=0-9";
    if (other_unit) {
      expect_status(step, answer, 200, "Range: " + range);
    } else {
      expect_status(step, answer, {200, 416, 400}, "Range: " + range);
    }
    step.check(answer.status != 200 || answer.content == content, "the whole file");
    if (answer.says_close()) return step.fail("the connection is kept", "the answer says close");
  }
  step.suspect(
      "Of several ranges one answer with all parts may be made, or none: then it is the whole "
      "file.");
  const Answer several = asked("Range: bytes=0-9,20-29\r\n");
  expect_status(step, several, {200, 206}, "two ranges");
  step.check(several.status == 206
                 ? several.field("Content-Type").starts_with("multipart/byteranges")
                 : several.content == content,
             "the whole file, or multipart/byteranges", several.field("Content-Type"));

  step.suspect_task("08.D", "file_response");
  step.suspect("Range is for GET alone: to HEAD it is as if it were not there (RFC 9110, 14.2).");
  peer.send(request("HEAD", "/f.bin", "Range: bytes=0-9\r\n"));
  expect_status(step, answer_of(step, peer, "HEAD"), 200, "HEAD with a Range");
  step.suspect(
      "If-Range: the part only if the file is still the one that the client has the rest of; "
      "otherwise all of it, with 200.");
  const std::string part = "Range: bytes=0-9\r\n";
  expect_status(step, asked(part + "If-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n"), {206, 200},
                "If-Range with the file's own date");
  expect_status(step, asked(part + "If-Range: Sun, 06 Nov 1994 08:49:36 GMT\r\n"), 200,
                "If-Range with an earlier date");
  expect_status(step, asked(part + "If-Range: Mon, 07 Nov 1994 08:49:37 GMT\r\n"), 200,
                "If-Range with a later date");
  expect_status(step, asked(part + "If-Range: \"tag\"\r\n"), 200,
                "If-Range with a tag of another file");
  step.suspect("What has not changed is 304, whichever part of it is asked for.");
  expect_status(step, asked(part + "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"), 304,
                "a part of what has not changed");
  step.suspect("Of an empty file there is no first byte.");
  expect_status(step, asked("Range: bytes=0-9\r\n", "/empty"), {416, 200},
                "a part of an empty file");
  expect_status(step, asked("Range: bytes=-5\r\n", "/empty"), {416, 200},
                "the end of an empty file");
  step.suspect("A file of one byte has a last one.");
  const Answer only = asked("Range: bytes=-1\r\n", "/one");
  step.check(only.status == 206 && only.content == "x", "the last byte of a file of one",
             std::to_string(only.status));
  step.suspect("After all of this the connection is still in order.");
  expect_status(step, asked(""), 200, "the whole file");
  peer.close();
  server.dismiss();
}

namespace {

// A line now and then, none of them late.
void drip(Step& step, Site& site, const std::string& design) {
  step.suspect(
      "A client says a line now and then, none of them late: with --head-timeout the whole head "
      "has a time, from its first line on. 408 when it is over.");
  Server& server = site.serve({"--design", design, "--head-timeout", "30"});
  Peer& dripping = step.connect(server);
  dripping.send("GET /request HTTP/1.1\r\nHost: kit\r\n");
  for (int line = 0; line < 90 && dripping.ending() == Ending::open && dripping.unread().empty();
       ++line) {
    step.await([] { return false; }, kit::after(milliseconds{10}));
    (void)dripping.try_send("A: b\r\n");
    step.let_rest(server);
  }
  expect_refused(step, dripping, 408, "a head that takes too long");
  dripping.close();
  Peer& next = step.connect(server);
  next.send(get("/request"));
  expect_status(step, answer_of(step, next), 200, "a quick one");
  next.close();
  server.dismiss();
}

// Somebody leaves while a file is on its way, with a reset and without.
void leave_midway(Step& step, Site& site, const std::string& design) {
  step.suspect(
      "A client goes away in the midst of a download: its connection alone ends, and the next one "
      "is served.");
  Server& server = site.serve({"--design", design});
  server.may_say("processing of request from");
  for (const bool reset : {true, false}) {
    Peer& gone = step.connect_narrowly(server);
    gone.send(get("/large"));
    (void)gone.read(1000);
    reset ? gone.reset() : gone.close();
  }
  Peer& next = step.connect(server);
  next.send(get("/request"));
  expect_status(step, answer_of(step, next), 200, "the next client");
  next.close();
  server.dismiss();
}

// The end by a signal: some are idle, one has asked half, and a download is under way.
void end_by_signal(Step& step, Site& site, const std::string& design, const std::string& large) {
  Server& server = site.serve({"--design", design});
  std::vector<Peer*> idle;
  Peer* half = nullptr;
  if (design != "sync") {
    for (int i = 0; i < 3; ++i) {
      idle.push_back(&step.connect(server));
      idle.back()->send(get("/request"));
      expect_status(step, answer_of(step, *idle.back()), 200, "a request");
    }
    half = &step.connect(server);
    half->send(get("/request?half").substr(0, 40)).wait_until_taken();
  }
  step.suspect("A download is under way.");
  Peer& downloads = step.connect_narrowly(server);
  downloads.send(get("/large"));
  const std::string head = downloads.read(1000);
  step.check(head.starts_with("HTTP/1.1 200"), "a download begins", shown(head.substr(0, 20)));
  server.expect_end_sometime();
  server.signal(SIGTERM);
  step.suspect(
      "At the end by a signal a connection that is kept, and on which nothing is asked, ends at "
      "once: its end of file is no request.");
  for (Peer* const peer : idle) peer->expect_end();
  step.suspect(
      "Half a request had come when the signal ended the reading: nobody has asked to the end, "
      "and nobody is answered, but with a refusal.");
  if (half != nullptr) {
    const std::string rest = half->read_all();
    step.check(rest.empty() || rest.starts_with("HTTP/1.1 4"), "no answer to half a request",
               shown(rest));
  }
  step.suspect("An answer that is under way goes out, all of it, and then the connection ends.");
  const std::string rest = head + downloads.read_all();
  const std::size_t begin = std::min(rest.find("\r\n\r\n") + 4, rest.size());
  if (rest.size() - begin > large.size()) {
    step.suspect(
        "Something was sent behind the download: the end of file, where the next request would "
        "stand, is no request.");
  }
  step.check(std::string_view(rest).substr(begin) == large, "the whole download",
             kit::with_commas(rest.size() - begin) + " of " + kit::with_commas(large.size()) +
                 " bytes, or others");
  server.expect_exit(0);
}

}  // namespace

STEP("08.14", "slow, silent and vanished clients") {
  const milliseconds timeout = kit::scaled(milliseconds{400});
  Site site(step);
  site.file("large", step.text(16 * mebibyte));
  Server& server =
      site.serve({"--design", "threads", "--timeout", std::to_string(timeout.count())});
  // On a machine so busy that this check itself is silent for too long, there is nothing to be
  // said.
  const auto connect_and_send = [&](const std::string& bytes) -> Peer* {
    const auto begun = kit::Clock::now();
    Peer& peer = step.connect(server);
    if (!bytes.empty()) peer.send(bytes);
    if (kit::Clock::now() - begun < timeout / 2) return &peer;
    peer.close();
    return nullptr;
  };
  step.suspect_task("08.K", "BaseHTTPRequestHandler::read_in_time");
  step.suspect(
      "A client that has asked nothing is silent for --timeout: its connection ends, without a "
      "word. Nobody reads an answer to a question that was not asked.");
  Peer* const nothing = connect_and_send("");
  Peer* const kept = connect_and_send(get("/request"));
  if (kept) expect_status(step, answer_of(step, *kept), 200, "a request before the silence");
  for (Peer* const peer : {nothing, kept}) {
    if (!peer) continue;
    peer->expect_end();
    peer->close();
  }
  step.suspect(
      "A client has asked half, and is silent for --timeout: 408, and the end (RFC 9110, 15.5.9).");
  std::vector<Peer*> slow;
  for (const std::string& half :
       {get("/request").substr(0, 30), get("/request", "A: b\r\n").substr(0, 36),
        post("hello").substr(0, post("hello").size() - 1), chunked_post + "5\r\nhel"}) {
    slow.push_back(connect_and_send(half));
  }
  for (Peer* const peer : slow) {
    if (!peer) continue;
    expect_refused(step, *peer, 408, "half a request");
    peer->close();
  }
  server.dismiss();

  step.suspect_task("08.K", "BaseHTTPRequestHandler::read_head");
  drip(step, site, "threads");
  step.suspect_task("08.C", "BaseHTTPRequestHandler::handle_one_request");
  for (const char* const design : {"sync", "threads"}) leave_midway(step, site, design);
}

STEP("08.15", "the end: answers go out, idle connections close") {
  Site site(step);
  const std::string large = step.text(8 * mebibyte);
  site.file("large", large);
  for (const char* const design : {"sync", "threads", "forks"}) {
    end_by_signal(step, site, design, large);
  }
}

STEP("08.16", "the same rules without a thread") {
  Site site(step);
  site.file("a.txt", "hello\n");
  site.file("large", step.text(300'000));
  site.file("odd", step.text(2 * 64 * 1024 + 1));
  const auto serve = [&](const char* design) -> Server& {
    return site.serve({"--design", design, "--body-limit", "1000"});
  };
  Server& threads = serve("threads");
  const std::size_t threads_without_clients = threads.threads();  // a sanitizer may have some
  Server& selector = serve("selector");
  const std::size_t threads_at_first = selector.threads();
  step.suspect_task("08.M", "HttpSession::work");
  step.suspect("One thread serves them all: no threads wait for clients that will come.");
  step.check(threads_at_first <= threads_without_clients,
             "no more threads than --design threads has before its first client: " +
                 std::to_string(threads_without_clients),
             std::to_string(threads_at_first) + " threads");
  std::vector<std::string> requests;
  for (const Case& one : heads()) {
    requests.push_back(one.request + get("/request?next", "Connection: close\r\n"));
  }
  for (const auto& one : smuggling()) requests.push_back(one.request);
  for (const auto& one : wrong_chunks()) requests.push_back(chunked_post + one.second);
  const std::string last = get("/request?last", "Connection: close\r\n");
  for (const std::string& one :
       {get("/a.txt") + request("HEAD", "/a.txt") + get("/missing") + last + get("/request?late"),
        get("/large") + get("/a.txt") + get("/large") + last, get("/odd") + last,
        get("/large", "Range: bytes=1000-100000\r\n") + get("/a.txt", "Range: bytes=9-\r\n") + last,
        request("HEAD", "/large") + last, get("/") + last,
        post("hello") + post("") + post(std::string(1000, 'a')) + last,
        post(std::string(1001, 'a')) + last, post("hello", "Expect: 100-continue\r\n") + last,
        post("hello", "Expect: tea\r\n") + last,
        chunked_post + "5\r\nhello\r\n0\r\n\r\n" + chunked_post + "0\r\nA: b\r\n\r\n" + last,
        chunked_post + "3e8\r\n" + std::string(1000, 'b') + "\r\n1\r\nc\r\n0\r\n\r\n" + last,
        request("DELETE", "/a.txt") + request("BREW", "/a.txt") + request("POST", "/a.txt") + last,
        request("PUT", "/a.txt", "Content-Length: 5\r\n") + "hello" + last,
        "GET /a.txt HTTP/1.0\r\n\r\n" + last,
        "GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + last, std::string("\r\n"),
        std::string()}) {
    requests.push_back(one);
  }
  // Half a request may be answered with 400, or not at all: by either of them.
  const std::vector<std::string> halves = {
      get("/a.txt") + get("/a.txt").substr(0, 20), get("/a.txt").substr(0, 30),
      post("hello") + post("hello").substr(0, 57), chunked_post + "5\r\nhel"};
  requests.insert(requests.end(), halves.begin(), halves.end());
  const auto is_half = [&](const std::string& bytes) {
    return std::find(halves.begin(), halves.end(), bytes) != halves.end();
  };
  const auto without_refusal = [](const std::string& answers) {
    return answers.substr(0, answers.find("HTTP/1.1 400 "));
  };
  for (const std::string& bytes : requests) {
    Peer& reference = step.connect(threads);
    reference.send(bytes).half_close();
    step.suspect_task("08.C");
    step.suspect("(This is the handler's answer, with which the session's is compared.)");
    std::string expected = without_date(reference.read_all());
    // Two answers that differ do not say whose mistake it is; one that breaks its word does.
    step.suspect_task("08.C", "BaseHTTPRequestHandler::send_content");
    step.suspect(
        "The handler's head says \"Transfer-Encoding: chunked\", and its content is not in chunks, "
        "or has no last one (08.H). The session was not asked yet.");
    step.check(has_the_chunks_it_promises(expected), "from the handler: chunks, as its head says",
               both_ends(expected));
    if (is_half(bytes)) expected = without_refusal(expected);
    reference.close();
    step.suspect_task("08.M", "HttpSession::work");
    step.suspect(
        "The session is to use the same HeadParser, BodyDecoder and ResponseHead as the handler, "
        "and to keep what has come until they have enough of it. What was asked: " +
        shown(std::string_view(bytes).substr(0, 60)) + ".");
    Peer& peer = step.connect(selector);
    send_in_pieces(step, peer, bytes);
    peer.half_close();
    std::string got = without_date(peer.read_all());
    if (is_half(bytes)) got = without_refusal(got);
    std::size_t at = 0;
    while (at < got.size() && at < expected.size() && got[at] == expected[at]) ++at;
    const std::size_t from = at > 30 ? at - 30 : 0;
    step.check(got == expected,
               "the same answer as with a thread: " +
                   (expected.empty() ? "none" : shown(std::string_view(expected).substr(from, 60))),
               got.empty() ? "nothing" : shown(std::string_view(got).substr(from, 60)));
    peer.close();
  }
  step.suspect("Two clients at once: what one has said is none of the other's.");
  Peer& one = step.connect(selector);
  Peer& two = step.connect(selector);
  const std::string first = get("/request?one", "X-One: 1\r\n"), second = get("/request?two");
  for (std::size_t at = 0; at < first.size(); at += 5) {
    one.send(first.substr(at, 5));
    if (at < second.size()) two.send(second.substr(at, 5));
  }
  step.check(answer_of(step, one).content == "GET /request?one HTTP/1.1\nHost: kit\nX-One: 1\n",
             "the first one's request");
  step.check(answer_of(step, two).content == "GET /request?two HTTP/1.1\nHost: kit\n",
             "the second one's request");
  step.suspect("One thread serves them all: no thread and no process for a connection.");
  step.check(selector.threads() == threads_at_first && selector.children().empty(),
             "no thread and no child for two clients",
             std::to_string(selector.threads()) + " threads, of which " +
                 std::to_string(threads_at_first) + " before they came, and " +
                 std::to_string(selector.children().size()) + " children");
  step.suspect_task("08.M", "HttpSession::reply");
  step.suspect("A session says what was asked and answered, as a handler does: log_request().");
  selector.expect_output_contains("\"GET /request?two HTTP/1.1\" 200");
  step.suspect(
      "\"100 Continue\" comes before the content, and only if it is wanted. (With all of a "
      "request in one piece it may be left out.)");
  one.send(
      "POST /upper HTTP/1.1\r\nHost: kit\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  expect_status(step, answer_of(step, one, "POST"), 100, "Expect: 100-continue");
  one.send("hello");
  step.check(answer_of(step, one, "POST").content == "HELLO", "the content in upper case");
  two.send(
      "POST /a.txt HTTP/1.1\r\nHost: kit\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  expect_status(step, answer_of(step, two, "POST"), 405, "content that is not wanted");
  one.close();
  two.close();
  threads.dismiss();
  selector.dismiss();

  step.suspect_task("08.M", "HttpSession::work");
  drip(step, site, "selector");
  const std::string whole = step.text(8 * mebibyte);
  site.file("large", whole);
  leave_midway(step, site, "selector");
  end_by_signal(step, site, "selector", whole);
}

STEP("08.17", "slow readers and floods in bounded memory") {
  constexpr std::size_t crowd = 40;
  // A piece of 64 KiB for each, twice, as a buffer may double; and 8 MiB for everything else.
  constexpr std::size_t room_kib = (crowd * 2 * 64 * 1024 + 8 * mebibyte) / 1024;
  Site site(step);
  const std::string large = step.text(4 * mebibyte);
  site.file("large", large);
  const std::string small = step.text(30'000);
  site.file("small", small);
  Server& server = site.serve({"--design", "selector", "--quiet"});
  server.may_say("processing of request from");
  Peer& other = step.connect(server);
  const auto ask_other = [&] {
    const std::string word = step.word();
    other.send(get("/request?" + word));
    step.check(contains(answer_of(step, other).content, "?" + word + " "),
               "another client is served");
  };
  ask_other();
  std::size_t before = server.rss_kib();
  const auto bounded = [&](std::size_t room, std::string_view what) {
    const std::size_t now = server.rss_kib();
    step.check(now <= before + room,
               "at most " + kit::with_commas(before + room) + " KiB of memory",
               kit::with_commas(now) + " KiB, of which " + kit::with_commas(before) + " before " +
                   std::string(what));
  };
  step.suspect_task("08.M", "HttpSession::more");
  step.suspect(
      "A file of 4 MiB for each of 40 clients that read slowly: as a whole it does not belong "
      "into the output. write_later() has more() called when the piece before it has gone.");
  std::vector<Peer*> slow;
  for (std::size_t i = 0; i < crowd; ++i) {
    slow.push_back(&step.connect_narrowly(server));
    slow.back()->send(get("/large") + get("/request?after") + get("/large"));
    (void)slow.back()->read(100);
    bounded(room_kib, "the downloads began");
  }
  ask_other();
  bounded(room_kib, "the downloads began");
  step.suspect("Each download arrives whole, and then the request behind it is answered.");
  for (std::size_t i = 0; i < crowd; ++i) {
    if (i % 10 != 0) {
      slow[i]->reset();
      continue;
    }
    std::string rest;
    do {
      rest += slow[i]->read_line();
    } while (!rest.ends_with("\r\n\r\n"));
    step.check(slow[i]->read(large.size()) == large, "the file, byte for byte");
    const Answer after = answer_of(step, *slow[i]);
    step.check(after.content.starts_with("GET /request?after "), "the request behind it",
               shown(after.content));
    step.check(answer_of(step, *slow[i]).content == large, "the file, once more");
    slow[i]->close();
  }
  ask_other();

  step.suspect_task("08.M", "HttpSession::work");
  step.suspect(
      "A client asks again and again, and reads nothing: whoever answers as the requests come "
      "keeps the answers in memory. While an answer waits to be sent, the next request is not "
      "looked at.");
  before = server.rss_kib();
  std::vector<Peer*> floods;
  const std::string many = lines(100'000, get("/small"));
  for (int i = 0; i < 4; ++i) {
    floods.push_back(&step.connect_narrowly(server));
    floods.back()->send_in_background(many);
  }
  for (int look = 0; look < 20; ++look) {
    bounded(16 * mebibyte / 1024, "the flood");
    step.await([] { return false; }, kit::after(milliseconds{10}));
  }
  ask_other();
  bounded(16 * mebibyte / 1024, "the flood");
  step.suspect("The client reads at last: each request is answered, in order, and none twice.");
  for (int i = 0; i < 50; ++i) {
    step.check(answer_of(step, *floods[0]).content == small, "an answer to each request");
  }
  for (Peer* const peer : floods) peer->reset();
  ask_other();

  step.suspect(
      "A client that is silent keeps the memory of its longest request: what was used of the "
      "input is given back when it is empty.");
  constexpr std::size_t silent = 300;
  before = server.rss_kib();
  const std::string long_head = get("/request", lines(30, "A: " + std::string(1000, 'b') + "\r\n"));
  std::vector<Peer*> quiet;
  for (std::size_t i = 0; i < silent; ++i) {
    quiet.push_back(&step.connect(server));
    quiet.back()->send(long_head);
    expect_status(step, answer_of(step, *quiet.back()), 200, "a long request");
  }
  bounded(4 * silent + 2 * mebibyte / 1024, "300 clients had asked once each, and kept silent");
  ask_other();
  for (Peer* const peer : quiet) peer->close();
  server.dismiss();
}
