// The check of lesson 08: HTTP on four designs. The steps, with their points:
// tests/manifest/08_http.cmake. What a step may do: harness/step.hpp.
//
// A DRAFT, never built: the frame, the reading of answers, and the steps 08.1 to 08.8, 08.12 and
// 08.16 in a first form. The others stand in NOTES-08.md alone.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/check.hpp"
#include "harness/escape.hpp"
#include "harness/proc.hpp"

namespace {

using kit::Ending;
using kit::Peer;
using kit::Server;
using kit::Step;
using std::chrono::milliseconds;

// ---- a folder to show ----------------------------------------------------------------------------

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

  Server& serve(std::vector<std::string> more = {}, std::string build = {}) {
    std::vector<std::string> args = {"--directory", top_};
    args.insert(args.end(), more.begin(), more.end());
    return step_.server({.args = std::move(args), .build = std::move(build)});
  }

 private:
  Step& step_;
  std::string top_;
};

// ---- an answer -----------------------------------------------------------------------------------

bool same_word(std::string_view left, std::string_view right) {
  return Step::upper(left) == Step::upper(right);
}

struct Answer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string content;

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
  step.check(line.ends_with("\r\n"), "each line of a head ends with CR and LF",
             "\"" + kit::escape_text(line) + "\"");
  line.resize(line.size() - 2);
  return line;
}

Answer head_of(Step& step, Peer& peer) {
  Answer answer;
  const std::string line = line_of(step, peer);
  const bool right = line.size() >= 12 && line.starts_with("HTTP/1.1 ") &&
                     line.find_first_not_of("0123456789", 9) >= 12;
  step.check(right, "a status line such as HTTP/1.1 200 OK", "\"" + kit::escape_text(line) + "\"");
  answer.status = std::atoi(line.substr(9, 3).c_str());
  for (;;) {
    const std::string field = line_of(step, peer);
    if (field.empty()) return answer;
    const std::size_t colon = field.find(':');
    step.check(colon != field.npos, "each field has a colon", "\"" + kit::escape_text(field) + "\"");
    const std::size_t value = std::min(field.find_first_not_of(" \t", colon + 1), field.size());
    answer.fields.emplace_back(field.substr(0, colon), field.substr(value));
  }
}

std::string chunks_of(Step& step, Peer& peer) {
  std::string content;
  for (;;) {
    const std::string size_line = line_of(step, peer);
    const std::size_t size = std::strtoul(size_line.c_str(), nullptr, 16);
    if (size > 0) content += peer.read(size);
    step.check(line_of(step, peer).empty(), "each chunk is followed by CR and LF");
    if (size == 0) return content;
  }
}

// An answer, as its own head describes it; with `method` HEAD, no content.
Answer answer_of(Step& step, Peer& peer, std::string_view method = "GET") {
  Answer answer = head_of(step, peer);
  const bool none = method == "HEAD" || answer.status < 200 || answer.status == 204 ||
                    answer.status == 304;
  step.check(answer.count("Content-Length") + answer.count("Transfer-Encoding") <= 1,
             "an answer has one length", "it has two");
  if (none) return answer;
  if (answer.count("Transfer-Encoding") == 1) {
    answer.content = chunks_of(step, peer);
  } else if (answer.count("Content-Length") == 1) {
    answer.content = peer.read(std::strtoul(answer.field("Content-Length").c_str(), nullptr, 10));
  } else {
    answer.content = peer.read_all();
  }
  return answer;
}

std::string get(std::string_view target, std::string_view more_fields = {}) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: kit\r\n" + std::string(more_fields) +
         "\r\n";
}

void expect_status(Step& step, const Answer& answer, int status, std::string_view what) {
  step.check(answer.status == status, std::string(what) + ": " + std::to_string(status),
             std::to_string(answer.status));
}

// ---- requests that are none, and some that are -----------------------------------------------------

struct Case {
  int status;
  bool kept;
  const char* sentence;
  std::string request;
};

std::vector<Case> cases() {
  const std::string host = "Host: kit\r\n";
  const auto line = [&](std::string_view request_line) {
    return std::string(request_line) + "\r\n" + host + "\r\n";
  };
  const auto field = [&](std::string_view lines) {
    return "GET /a.txt HTTP/1.1\r\n" + std::string(lines) + "\r\n";
  };
  return {
      {200, true, "an empty line before it", "\r\n" + get("/a.txt")},
      {200, true, "a later HTTP/1", line("GET /a.txt HTTP/1.9")},
      {200, true, "the whole address", line("GET http://kit/a.txt HTTP/1.1")},
      {200, false, "HTTP/1.0 needs no Host", "GET /a.txt HTTP/1.0\r\n\r\n"},
      {505, false, "HTTP/2.0", line("GET /a.txt HTTP/2.0")},
      {400, false, "no version", line("GET /a.txt")},
      {400, false, "two spaces", line("GET  /a.txt HTTP/1.1")},
      {400, false, "a space at the end", line("GET /a.txt HTTP/1.1 ")},
      {400, false, "a version in small letters", line("GET /a.txt http/1.1")},
      {400, false, "a version of three numbers", line("GET /a.txt HTTP/1.10")},
      {400, false, "a method with a bracket", line("G(T /a.txt HTTP/1.1")},
      {400, false, "no slash", line("GET a.txt HTTP/1.1")},
      {400, false, "a % without digits", line("GET /%zz HTTP/1.1")},
      {400, false, "an encoded NUL byte", line("GET /a.txt%00 HTTP/1.1")},
      {501, true, "an unknown method", line("BREW /a.txt HTTP/1.1")},
      {501, true, "a method in small letters", line("get /a.txt HTTP/1.1")},
      {405, true, "a method that a file has not", line("DELETE /a.txt HTTP/1.1")},
      {400, false, "HTTP/1.1 without Host", field("")},
      {400, false, "two Hosts", field(host + host)},
      {400, false, "a Host with a space", field("Host: a b\r\n")},
      {200, true, "an empty Host", field("Host:\r\n")},
      {400, false, "a space before the colon", field("Host : kit\r\n")},
      {400, false, "a space before the name", field(" Host: kit\r\n")},
      {400, false, "a field that goes on in the next line", field(host + "A: b\r\n c\r\n")},
      {400, false, "a field without a colon", field(host + "A\r\n")},
      {400, false, "a field without a name", field(host + ": b\r\n")},
      {400, false, "a NUL byte in a field", field(host + std::string("A: \0\r\n", 6))},
      {400, false, "a lone CR in a field", field(host + "A: b\rc\r\n")},
      {200, true, "100 fields", field(host + [] {
         std::string lines;
         for (int i = 1; i < 100; ++i) lines += "A: b\r\n";
         return lines;
       }())},
      {431, false, "101 fields", field(host + [] {
         std::string lines;
         for (int i = 0; i < 100; ++i) lines += "A: b\r\n";
         return lines;
       }())},
      {404, true, "a request line of 8,192 bytes",
       line("GET /" + std::string(8192 - 16, 'a') + " HTTP/1.1")},
      {414, false, "a request line of 8,193 bytes",
       line("GET /" + std::string(8193 - 16, 'a') + " HTTP/1.1")},
      {431, false, "a field of 8,193 bytes",
       field(host + "A: " + std::string(8193 - 5, 'b') + "\r\n")},
  };
}

// Two lengths, or one that is none: in each the content, read otherwise, is a request for /secret.
std::vector<std::pair<const char*, std::string>> smuggling() {
  const std::string hidden = "GET /secret HTTP/1.1\r\nHost: kit\r\n\r\n";
  const std::string start = "POST /upper HTTP/1.1\r\nHost: kit\r\n";
  const std::string all = std::to_string(hidden.size());
  const std::string last = "0\r\n\r\n" + hidden;
  const std::string length = "Content-Length: " + all + "\r\n";
  return {
      {"a length and chunks", start + length + "Transfer-Encoding: chunked\r\n\r\n" + last},
      {"chunks and a length", start + "Transfer-Encoding: chunked\r\n" + length + "\r\n" + last},
      {"two lengths", start + "Content-Length: 0\r\n" + length + "\r\n" + hidden},
      {"a list of two lengths", start + "Content-Length: 0, " + all + "\r\n\r\n" + hidden},
      {"a length with a sign", start + "Content-Length: +0\r\n\r\n" + hidden},
      {"a coding that is almost chunked",
       start + length + "Transfer-Encoding: xchunked\r\n\r\n" + last},
      {"chunked that is not last", start + "Transfer-Encoding: chunked, gzip\r\n\r\n" + last},
      {"chunked twice", start + "Transfer-Encoding: chunked, chunked\r\n\r\n" + last},
      {"a space before the colon", start + "Transfer-Encoding : chunked\r\n" + length + "\r\n" + last},
      {"a coding in a line that goes on",
       start + "A: b\r\n Transfer-Encoding: chunked\r\n" + length + "\r\n" + last},
      {"chunks in HTTP/1.0",
       "POST /upper HTTP/1.0\r\n" + length + "Transfer-Encoding: chunked\r\n\r\n" + last},
  };
}

// Answers but for what the clock says.
std::string without_date(std::string text) {
  for (std::size_t at = 0; (at = text.find("\r\nDate: ", at)) != text.npos;) {
    text.erase(at, text.find("\r\n", at + 2) - at);
  }
  return text;
}

}  // namespace

// ---- the core ----------------------------------------------------------------------------------

STEP("08.1", "a head is read, in whatever pieces it comes") {
  Site site(step);
  site.file("a.txt", "hello\n");
  Server& server = site.serve();
  const std::string request = "\r\nGET /a.txt HTTP/1.1\r\nhOsT: kit\r\nX-A:  b \r\n\r\n";
  step.suspect(
      "One recv() was taken for one request. Read line by line, until the empty line has come.");
  Peer& slow = step.connect(server);
  for (std::size_t at = 0; at + 1 < request.size(); ++at) {
    slow.send(request.substr(at, 1)).wait_until_taken();
  }
  step.let_rest(server);
  step.check(slow.unread().empty(), "no answer before the empty line has come whole",
             "\"" + kit::escape_text(slow.unread()) + "\"");
  slow.send("\n");
  Answer answer = answer_of(step, slow);
  expect_status(step, answer, 200, "a request in pieces of one byte");
  slow.close();
  Peer& quick = step.connect(server);
  quick.send(request);
  expect_status(step, answer_of(step, quick), 200, "the same in one piece");
}

STEP("08.2", "what is no request is refused, in bounded memory") {
  Site site(step);
  site.file("a.txt", "hello\n");
  Server& server = site.serve();
  for (const Case& one : cases()) {
    step.suspect(std::string(one.sentence) + ": " + std::to_string(one.status) +
                 (one.kept ? ", and the connection is kept."
                           : ", with Connection: close, and then the end."));
    Peer& peer = step.connect(server);
    peer.send(one.request);
    const Answer answer = answer_of(step, peer);
    expect_status(step, answer, one.status, one.sentence);
    if (one.kept) {
      peer.send(get("/a.txt"));
      expect_status(step, answer_of(step, peer), 200, "the next request on that connection");
    } else {
      step.check(answer.says_close(), std::string(one.sentence) + ": the answer says close");
      peer.expect_end();
    }
    peer.close();
  }
  // To be written: 64 MiB of a line without end (plain), memory bounded.
}

STEP("08.3", "an answer says where it ends") {
  Site site(step);
  Server& server = site.serve();
  Peer& peer = step.connect(server);
  for (const std::size_t size : {0u, 1u, 65'535u, 65'536u, 65'537u, 1'000'000u}) {
    const std::string content = step.payload(size);
    site.file("f.bin", content);
    step.suspect("Content-Length is the number of bytes that follow the empty line; with HEAD it is "
                 "what GET would say, and nothing follows.");
    peer.send("HEAD /f.bin HTTP/1.1\r\nHost: kit\r\n\r\n" + get("/f.bin"));
    const Answer head = answer_of(step, peer, "HEAD");
    const Answer answer = answer_of(step, peer);
    expect_status(step, answer, 200, "the request after HEAD");
    step.check(head.field("Content-Length") == std::to_string(size),
               "HEAD says the length that GET would have", head.field("Content-Length"));
    step.check(answer.content == content, "the file, byte for byte");
  }
  peer.send("HEAD /missing HTTP/1.1\r\nHost: kit\r\n\r\n" + get("/f.bin"));
  expect_status(step, answer_of(step, peer, "HEAD"), 404, "HEAD of what is not there");
  expect_status(step, answer_of(step, peer), 200, "the request after it");
}

STEP("08.4", "one connection, many requests, and who else waits") {
  Site site(step);
  site.file("a.txt", "hello\n");
  for (const char* const design : {"sync", "threads", "forks"}) {
    Server& server = site.serve({"--design", design});
    Peer& first = step.connect(server);
    step.suspect("After an answer the next request is read from the same connection, with nothing "
                 "left over from the one before.");
    for (int i = 0; i < 3; ++i) {
      first.send(get("/a.txt"));
      expect_status(step, answer_of(step, first), 200, "a request on a kept connection");
    }
    Peer& second = step.connect(server);
    second.send(get("/a.txt"));
    if (std::string_view(design) == "sync") {
      // It waits for the first, who says nothing: deaf, and not slow.
      step.wait_until([&] { return kit::proc::waits_in(server.pid()).starts_with("recv"); },
                      "the server waits for the next request of its first client");
      step.check(second.unread().empty(), "the second waits as long as the first is there");
      first.close();
    }
    expect_status(step, answer_of(step, second), 200, "the second client's request");
    server.dismiss();
  }
}

STEP("08.5", "requests in one piece, close, HTTP/1.0") {
  Site site(step);
  std::string requests;
  for (int i = 0; i < 10; ++i) {
    site.file("f" + std::to_string(i), "file " + std::to_string(i));
    requests += get("/f" + std::to_string(i));
  }
  Server& server = site.serve();
  step.suspect("What has come behind the first request is the next one: it must not be dropped, nor "
               "must its answer wait for more.");
  Peer& peer = step.connect(server);
  peer.send(requests + "GET /f0 HTT");
  for (int i = 0; i < 10; ++i) {
    step.check(answer_of(step, peer).content == "file " + std::to_string(i),
               "the answers come in the order of the requests");
  }
  peer.send("P/1.1\r\nHost: kit\r\nconnection: x, CLOSE\r\n\r\n" + get("/f1"));
  const Answer last = answer_of(step, peer);
  step.check(last.content == "file 0" && last.says_close(), "the last answer says close");
  peer.expect_end();
  peer.close();

  step.suspect("HTTP/1.0 ends with its answer, unless the client asks for keep-alive; then the "
               "answer says keep-alive, too.");
  Peer& old = step.connect(server);
  old.send("GET /f2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  step.check(same_word(answer_of(step, old).field("Connection"), "keep-alive"),
             "HTTP/1.0 is told that its connection is kept");
  old.send("GET /f3 HTTP/1.0\r\n\r\n");
  step.check(answer_of(step, old).content == "file 3", "the answer to HTTP/1.0");
  old.expect_end();
}

STEP("08.7", "never a byte from outside the folder") {
  Site site(step);
  const std::string secret = "secret " + step.text(20);
  std::ofstream(step.path("secret.txt")) << secret;  // beside the folder, and readable
  site.file("a.txt", "hello\n");
  site.folder("sub");
  site.file("sub/b.txt", "hello\n");
  std::filesystem::create_symlink("../secret.txt", site.path("link.txt"));
  std::filesystem::create_directory_symlink("..", site.path("up"));
  std::filesystem::create_directory_symlink(step.folder(), site.path("sub/away"));
  step.check(::mkfifo(site.path("fifo").c_str(), 0644) == 0, "the check makes a FIFO");
  Server& server = site.serve();
  step.suspect("A name led out of the folder. Decode once, take the path apart, let \"..\" go up but "
               "not beyond the top, and open each name with openat() and O_NOFOLLOW.");
  for (const char* const target :
       {"/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/%2e%2e%2fsecret.txt",
        "/sub/../../secret.txt", "/....//secret.txt", "/..;/secret.txt", "/..%5csecret.txt",
        "/%252e%252e%252fsecret.txt", "//../secret.txt", "/./../secret.txt", "/link.txt",
        "/up/secret.txt", "/sub/away/secret.txt", "/a.txt%00/../../secret.txt",
        "http://kit/../secret.txt", "/sub/%2e%2e/%2e%2e/secret.txt", "/fifo", "/up/", "/sub/away/"}) {
    Peer& peer = step.connect(server);
    peer.send(get(target, "Connection: close\r\n"));
    const std::string answer = peer.read_all();
    step.check(answer.find(secret) == answer.npos && !answer.starts_with("HTTP/1.1 200"),
               std::string(target) + " gives nothing from outside", "it was served");
    peer.close();
  }
  Peer& peer = step.connect(server);
  peer.send(get("/sub/%2e%2e/a.txt"));
  expect_status(step, answer_of(step, peer), 200, "\"..\" within the folder");
}

STEP("08.8", "what has not changed is not sent again") {
  Site site(step);
  site.file("a.txt", "hello\n");
  const timespec times[2] = {{784111777, 0}, {784111777, 500'000'000}};  // in mid-second
  step.check(::utimensat(AT_FDCWD, site.path("a.txt").c_str(), times, 0) == 0, "the check sets it");
  Server& server = site.serve();
  Peer& peer = step.connect(server);
  const auto status = [&](const std::string& fields) {
    peer.send(get("/a.txt", fields));
    return answer_of(step, peer).status;
  };
  step.suspect("A date is a number of seconds: read it, in each of its three forms, and compare.");
  peer.send(get("/a.txt"));
  step.check(answer_of(step, peer).field("Last-Modified") == "Sun, 06 Nov 1994 08:49:37 GMT",
             "Last-Modified is the file's, in GMT");
  for (const auto& [date, expected] : std::vector<std::pair<std::string, int>>{
           {"Sun, 06 Nov 1994 08:49:37 GMT", 304},
           {"Sunday, 06-Nov-94 08:49:37 GMT", 304},
           {"Sun Nov  6 08:49:37 1994", 304},
           {"Mon, 07 Nov 1994 08:49:37 GMT", 304},
           {"Sun, 06 Nov 1994 08:49:36 GMT", 200},
           {"yesterday", 200}}) {
    step.check(status("If-Modified-Since: " + date + "\r\n") == expected,
               date + ": " + std::to_string(expected));
  }
  step.check(status("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                    "If-None-Match: \"x\"\r\n") == 200,
             "with If-None-Match the date does not count");
}

// ---- harder --------------------------------------------------------------------------------------

STEP("08.12", "a request with two lengths is refused") {
  Site site(step);
  site.file("secret", "secret\n");
  Server& server = site.serve();
  for (const auto& [sentence, request] : smuggling()) {
    step.suspect(std::string("Whoever stands before this server may read it in another way, and let a "
                             "request through that it has never seen. Answer 400, and close: ") +
                 sentence + ".");
    Peer& peer = step.connect(server);
    peer.send(request);
    const Answer answer = answer_of(step, peer, "POST");
    step.check(answer.status == 400 || answer.status == 501, std::string(sentence) + ": refused",
               std::to_string(answer.status));
    peer.expect_end();
    peer.close();
  }
  step.check(server.output().find("/secret") == std::string_view::npos,
             "the hidden request is never seen", "it stands in the log");
}

STEP("08.16", "the same rules without a thread") {
  Site site(step);
  site.file("a.txt", "hello\n");
  Server& threads = site.serve({"--design", "threads"});
  Server& selector = site.serve({"--design", "selector"});
  std::vector<std::string> requests;
  for (const Case& one : cases()) requests.push_back(one.request);
  for (const auto& one : smuggling()) requests.push_back(one.second);
  step.suspect("The session is to use the same HeadParser and BodyDecoder, and to keep what has come "
               "until they have enough of it.");
  for (const std::string& request : requests) {
    Peer& reference = step.connect(threads);
    reference.send(request).half_close();
    const std::string expected = without_date(reference.read_all());
    Peer& peer = step.connect(selector);
    for (std::size_t at = 0; at < request.size() && peer.ending() == Ending::open;) {
      const std::size_t size = 1 + step.random().below(request.size() > 1000 ? 700 : 9);
      const std::size_t taken = peer.try_send(std::string_view(request).substr(at, size));
      if (taken == 0) break;  // refused before it was all said
      at += taken;
    }
    peer.half_close();
    const std::string got = without_date(peer.read_all());
    step.check(got == expected, "the same answer as with a thread",
               "\"" + kit::escape_text(got.substr(0, 200)) + "\"");
    reference.close();
    peer.close();
  }
}
