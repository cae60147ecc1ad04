// HTTP's words and rules, without a connection: what a table can say.

#include <socketserver/http_body.hpp>
#include <socketserver/http_message.hpp>
#include <socketserver/http_path.hpp>
#include <socketserver/http_range.hpp>
#include <socketserver/http_response.hpp>
#include <socketserver/http_words.hpp>
#include <socketserver/session.hpp>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>

#include "harness/base/catch.hpp"

using namespace socketserver;

namespace {

// The status that a text is refused with as a head, line by line; 0 if it is one.
int head_status(std::string_view text, HttpLimits limits = {}) {
  HeadParser parser(limits);
  try {
    while (!parser.done() && !text.empty()) {
      const std::size_t size = std::min(text.find('\n'), text.size() - 1) + 1;
      parser.take_line(text.substr(0, size));
      text.remove_prefix(size);
    }
  } catch (const HttpError& error) {
    return error.status;
  }
  return parser.done() ? 0 : -1;
}

RequestHead head_of(std::string_view fields, std::string_view version = "HTTP/1.1") {
  const HttpLimits limits;
  HeadParser parser(limits);
  parser.take_line("POST / " + std::string(version) + "\r\n");
  parser.take_line("Host: h\r\n");
  while (!fields.empty()) {
    const std::size_t size = fields.find('\n') + 1;
    parser.take_line(fields.substr(0, size));
    fields.remove_prefix(size);
  }
  parser.take_line("\r\n");
  return parser.head();
}

// What of `bytes` is content, or the status that they are refused with.
std::string decoded(std::string_view fields, std::string_view bytes, HttpLimits limits = {}) {
  try {
    BodyDecoder body(head_of(fields), limits);
    std::string content;
    while (!body.done()) {
      if (body.wants_line()) {
        const std::size_t newline = bytes.substr(0, body.longest_line()).find('\n');
        if (newline == bytes.npos) body.line_too_long();
        body.take_line(bytes.substr(0, newline + 1));
        bytes.remove_prefix(newline + 1);
      } else {
        const std::string_view piece =
            bytes.substr(0, static_cast<std::size_t>(body.bytes_wanted()));
        if (piece.empty()) return content + " (cut off)";
        content += piece;
        body.take_bytes(piece.size());
        bytes.remove_prefix(piece.size());
      }
    }
    return content + (bytes.empty() ? "" : " (and more)");
  } catch (const HttpError& error) {
    return std::to_string(error.status);
  }
}

const std::string_view chunked = "Transfer-Encoding: chunked\r\n";

}  // namespace

TEST_CASE("http: a date in three forms") {
  using namespace std::chrono;
  const sys_seconds moment = sys_days(1994y / 11 / 6) + 8h + 49min + 37s;
  CHECK(http_date(moment) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == moment);
  CHECK(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT") == moment);
  CHECK(parse_http_date("Sun Nov  6 08:49:37 1994") == moment);
  CHECK(parse_http_date("Sun Nov 16 08:49:37 1994") == moment + days(10));
  for (const char* const wrong :
       {"", "Sun, 06 Nov 1994 08:49:37", "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT ", "784111777"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_http_date(wrong));
  }
}

TEST_CASE("http: bytes made harmless") {
  CHECK(html_escaped("<a href=\"x\">&'") == "&lt;a href=&quot;x&quot;&gt;&amp;&#x27;");
  CHECK(percent_encoded("/a b/\xc3\xa4:?#%~") == "/a%20b/%C3%A4%3A%3F%23%25~");
  CHECK(percent_decoded("a%20b%2Fc%2fd") == "a b/c/d");
  CHECK(percent_decoded("%252e") == "%2e");  // once
  CHECK_FALSE(percent_decoded("%"));
  CHECK_FALSE(percent_decoded("%2"));
  CHECK_FALSE(percent_decoded("%zz"));
  CHECK(content_type("cat.PNG") == "image/png");
  CHECK(content_type("png") == "application/octet-stream");
  CHECK(content_type("a.html.bak") == "application/octet-stream");
}

TEST_CASE("http: heads that are none") {
  CHECK(head_status("GET / HTTP/1.1\r\nHost: h\r\n\r\n") == 0);
  CHECK(head_status("\r\nGET / HTTP/1.1\r\nhOST:h\r\n\r\n") == 0);
  CHECK(head_status("GET / HTTP/1.0\r\n\r\n") == 0);
  CHECK(head_status("GET / HTTP/1.9\r\nHost:\r\n\r\n") == 0);
  for (const char* const wrong : {"GET / HTTP/1.1\r\n\r\n",
                                  "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n",
                                  "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
                                  "GET / HTTP/1.1\nHost: h\n\n",
                                  "GET  / HTTP/1.1\r\n",
                                  "GET / HTTP/1.1 \r\n",
                                  " GET / HTTP/1.1\r\n",
                                  "GET /\r\n",
                                  "GET\t/\tHTTP/1.1\r\n",
                                  "G(T / HTTP/1.1\r\n",
                                  "GET /a#b HTTP/1.1\r\n",
                                  "GET /\x80 HTTP/1.1\r\n",
                                  "GET / http/1.1\r\n",
                                  "GET / HTTP/1.10\r\n",
                                  "GET / HTTP/1\r\n",
                                  "GET / HTTP/+1.1\r\n",
                                  "GET / HTTP/1.1\r\nHost : h\r\n",
                                  "GET / HTTP/1.1\r\n Host: h\r\n",
                                  "GET / HTTP/1.1\r\nHost: h\r\n and on\r\n",
                                  "GET / HTTP/1.1\r\nHost\r\n",
                                  "GET / HTTP/1.1\r\n: h\r\n",
                                  "GET / HTTP/1.1\r\nA: \x01\r\n",
                                  "GET / HTTP/1.1\r\nA: b\rc\r\n"}) {
    CAPTURE(wrong);
    CHECK(head_status(wrong) == 400);
  }
  CHECK(head_status("GET / HTTP/2.0\r\n") == 505);
  CHECK(head_status("GET / HTTP/0.9\r\n") == 505);
}

TEST_CASE("http: the limits of a head, to the byte") {
  HttpLimits limits;
  limits.request_line = 20;
  limits.field_line = 12;
  limits.fields = 30;
  limits.field_count = 3;
  const std::string start = "GET / HTTP/1.1\r\nHost: h\r\n";
  CHECK(head_status("GET /1234 HTTP/1.1\r\nHost: h\r\n\r\n", limits) == 0);  // 20 bytes
  CHECK(head_status("GET /12345 HTTP/1.1\r\n", limits) == 414);
  CHECK(head_status(start + "A: 1234567\r\n\r\n", limits) == 0);  // 12 bytes
  CHECK(head_status(start + "A: 12345678\r\n", limits) == 431);
  CHECK(head_status(start + "A:\r\nB:\r\n\r\n", limits) == 0);
  CHECK(head_status(start + "A:\r\nB:\r\nC:\r\n", limits) == 431);
  CHECK(head_status(start + "A: 1234567\r\nB: 1234567\r\n", limits) == 431);  // 33 bytes
}

TEST_CASE("http: who keeps a connection") {
  CHECK(head_of("").keeps_alive());
  CHECK_FALSE(head_of("Connection: close\r\n").keeps_alive());
  CHECK_FALSE(head_of("Connection: Upgrade,\tCLOSE\r\n").keeps_alive());
  CHECK_FALSE(head_of("Connection: a\r\nConnection: close\r\n").keeps_alive());
  CHECK(head_of("Connection: closed\r\n").keeps_alive());
  CHECK_FALSE(head_of("", "HTTP/1.0").keeps_alive());
  CHECK(head_of("Connection: Keep-Alive\r\n", "HTTP/1.0").keeps_alive());
  CHECK(head_of("Expect: 100-Continue\r\n").expects_continue());
  CHECK_FALSE(head_of("Expect: 100-continue\r\n", "HTTP/1.0").expects_continue());
  CHECK_THROWS_AS(head_of("Expect: miracles\r\n").expects_continue(), HttpError);
}

TEST_CASE("http: content by its length") {
  CHECK(decoded("", "").empty());
  CHECK(decoded("Content-Length: 5\r\n", "hello") == "hello");
  CHECK(decoded("Content-Length: 5\r\n", "hello!") == "hello (and more)");
  CHECK(decoded("Content-Length: 5\r\n", "hell") == "hell (cut off)");
  CHECK(decoded("Content-Length: 005\r\n", "hello") == "hello");
  for (const char* const wrong :
       {"Content-Length: \r\n", "Content-Length: +5\r\n", "Content-Length: -5\r\n",
        "Content-Length: 5 5\r\n", "Content-Length: 0x5\r\n", "Content-Length: 5, 6\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding:\r\n",
        "Transfer-Encoding: xchunked\r\n", "Transfer-Encoding: chunked, gzip\r\n",
        "Transfer-Encoding: chunked, chunked\r\n", "Transfer-Encoding: chunked;q=1\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"}) {
    CAPTURE(wrong);
    CHECK(decoded(wrong, "hello") == "400");
  }
  CHECK(decoded("Transfer-Encoding: gzip, chunked\r\n", "") == "501");
  CHECK(decoded("Content-Length: 1048577\r\n", "") == "413");
  CHECK(decoded("Content-Length: 99999999999999999999\r\n", "") == "413");
}

TEST_CASE("http: content in chunks") {
  CHECK(decoded(chunked, "0\r\n\r\n").empty());
  CHECK(decoded(chunked, "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n") == "hello world");
  CHECK(decoded(chunked, "00a\r\n0123456789\r\n000\r\n\r\n") == "0123456789");
  CHECK(decoded(chunked, "A;a=b;c=\"d\"\r\n0123456789\r\n0 ;x\r\n\r\n") == "0123456789");
  CHECK(decoded(chunked, "0\r\nTrailer: t\r\n\r\nGET /") == " (and more)");
  for (const char* const wrong :
       {"\r\n", "5\nhello\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello!\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n", "+5\r\nhello\r\n", " 5\r\nhello\r\n", "5 \r\nhello\r\n", "g\r\n",
        "-1\r\n", "5;\x01\r\nhello\r\n", "0\r\nno colon\r\n\r\n", "0\r\n folded: x\r\n\r\n"}) {
    CAPTURE(wrong);
    CHECK(decoded(chunked, wrong) == "400");
  }
  CHECK(decoded(chunked, std::string(300, '0') + "\r\n\r\n") == "400");  // too long a line
  CHECK(decoded(chunked, "ffffffffffffffff\r\n") == "413");
  CHECK(decoded(chunked, "fffffffffffffffff\r\n") == "413");  // no number holds it
  HttpLimits limits;
  limits.body = 5;
  CHECK(decoded(chunked, "5\r\nhello\r\n0\r\n\r\n", limits) == "hello");
  CHECK(decoded(chunked, "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", limits) == "413");
  CHECK(chunk("hello world, hello") == "12\r\nhello world, hello\r\n");
  CHECK(chunk("") == "0\r\n\r\n");
}

TEST_CASE("http: paths that lead nowhere but down") {
  const auto names = [](std::string_view target) {
    std::string text;
    for (const std::string& name : path_of(target).names) text += "[" + name + "]";
    return text;
  };
  CHECK(names("/") == "");
  CHECK(names("/a/b.txt?c=/d") == "[a][b.txt]");
  CHECK(names("http://host:80/a") == "[a]");
  CHECK(names("HTTP://host") == "");
  CHECK(names("//host//a") == "[host][a]");
  CHECK(names("/a/./b/../c") == "[a][c]");
  CHECK(names("/../../etc/passwd") == "[etc][passwd]");
  CHECK(names("/%2e%2E/%2e%2e%2fetc") == "[etc]");
  CHECK(names("/%252e%252e/x") == "[%2e%2e][x]");
  CHECK(names("/....//x") == "[....][x]");
  CHECK(names("/a+b%20c") == "[a+b c]");
  CHECK(path_of("/a").encoded() == "/a");
  CHECK(path_of("/a/").encoded() == "/a/");
  CHECK(path_of("/a/b/..").encoded() == "/a/");
  CHECK(path_of("//evil.example/%2f..").encoded() == "/");
  for (const char* const wrong : {"a", "*", "host:80", "ftp://host/a", "/%", "/%zz", "/a%00.txt"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(path_of(wrong), HttpError);
  }
}

TEST_CASE("http: parts of a file") {
  using Kind = RangeAnswer::Kind;
  const auto part = [](std::string_view text, std::uint64_t size) {
    const RangeAnswer answer = range_of(text, size);
    if (answer.kind == Kind::whole) return std::string("whole");
    if (answer.kind == Kind::unsatisfiable) return std::string("none");
    return content_range(answer.range, size);
  };
  CHECK(part("bytes=0-0", 10) == "bytes 0-0/10");
  CHECK(part("bytes=2-4", 10) == "bytes 2-4/10");
  CHECK(part("Bytes= 2-", 10) == "bytes 2-9/10");
  CHECK(part("bytes=2-99999999999999999999", 10) == "bytes 2-9/10");
  CHECK(part("bytes=-3", 10) == "bytes 7-9/10");
  CHECK(part("bytes=-30", 10) == "bytes 0-9/10");
  CHECK(part("bytes=10-", 10) == "none");
  CHECK(part("bytes=99999999999999999999-", 10) == "none");
  CHECK(part("bytes=-0", 10) == "none");
  CHECK(part("bytes=0-", 0) == "none");
  for (const char* const ignored : {"bytes=4-2", "bytes=0-1,3-4", "bytes=", "bytes=-", "bytes=a-b",
                                    "bytes=+1-2", "bytes 0-1", "lines=0-1", "", "bytes=1"}) {
    CAPTURE(ignored);
    CHECK(part(ignored, 10) == "whole");
  }
  CHECK(part("bytes=-3", 0) == "whole");
}

TEST_CASE("http: nothing that a client has sent begins a line of an answer") {
  ResponseHead head;
  head.begin(200, {}, "test");
  CHECK_THROWS_AS(head.add("A", "b\r\nSet-Cookie: c"), std::invalid_argument);
  CHECK_THROWS_AS(head.add("A\r\nB", "c"), std::invalid_argument);
  CHECK_THROWS_AS(head.add("A", std::string("b\0", 2)), std::invalid_argument);
  CHECK_THROWS_AS(head.begin(200, "OK\r\nA: b", "test"), std::invalid_argument);
}

TEST_CASE("http: an answer says where it ends, or that the connection does") {
  const auto last_lines = [](std::string_view version, bool keep, bool says_length) {
    ResponseHead head;
    head.begin(200, {}, "test");
    if (says_length) head.add("Content-Length", "5");
    const bool kept = head.finish(head_of("", version), keep);
    const std::string text = head.take();
    return std::string(kept ? "kept" : "closed") +
           (text.find("\r\nConnection: close\r\n") != text.npos ? ", says close" : "") +
           (text.find("\r\nConnection: keep-alive\r\n") != text.npos ? ", says keep-alive" : "");
  };
  CHECK(last_lines("HTTP/1.1", true, true) == "kept");
  CHECK(last_lines("HTTP/1.0", true, true) == "kept, says keep-alive");
  CHECK(last_lines("HTTP/1.1", false, true) == "closed, says close");
  CHECK(last_lines("HTTP/1.1", true, false) == "closed, says close");
}

TEST_CASE("output: a source is asked while there is room, and not before") {
  struct Counting : Source {
    bool more(Output& out) override {
      asked += 1;
      out.write(std::string(Output::enough / 2, static_cast<char>('0' + asked)));
      out.write_later(*this);  // which does not ask at once: it is being asked
      return asked < 4;
    }
    int asked = 0;
  } source;
  Output output;
  output.write("head");
  output.write_later(source);
  CHECK(source.asked == 2);
  CHECK(output.size() == 4 + Output::enough);
  output.sent(4);
  CHECK(source.asked == 2);
  std::string sent;
  while (!output.empty()) {
    CHECK((source.asked == 4 || output.size() >= Output::enough));
    sent += output.unsent().substr(0, 1000);
    output.sent(std::min<std::size_t>(1000, output.size()));
    output.release_memory();  // nothing of it is lost
  }
  CHECK(source.asked == 4);
  CHECK(sent.size() == 2 * Output::enough);
  CHECK(sent.front() == '1');
  CHECK(sent.back() == '4');
}

TEST_CASE("output: what a source throws ends the conversation") {
  struct Failing : Source {
    bool more(Output&) override { throw std::runtime_error("the file has become shorter"); }
  } source;
  Output output;
  output.write("head");
  output.write_later(source);
  CHECK(output.ended());
  CHECK(output.unsent() == "head");
}
