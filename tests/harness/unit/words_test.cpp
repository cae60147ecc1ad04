// How bytes, differences and a story are shown.

#include <algorithm>
#include <string>
#include <vector>

#include "harness/base/catch.hpp"
#include "harness/base/escape.hpp"
#include "harness/base/markup.hpp"
#include "harness/seen/story.hpp"

using namespace std::string_literals;
using namespace std::string_view_literals;

TEST_CASE("bytes are shown as C would write them, and can be read back") {
  CHECK(kit::escape("a\n\t\r\\\"\0b\x7f\xff"sv) == R"(a\n\t\r\\\"\0b\x7f\xff)");
  CHECK(kit::escape("\0001"sv) == R"(\x001)");  // \01 would be one byte
  std::string every;
  for (int value = 0; value < 256; ++value) every += static_cast<char>(value);
  CHECK(kit::unescape(kit::escape(every)) == every);
  CHECK(!kit::unescape("\\"));
  CHECK(!kit::unescape("\\q"));
  CHECK(!kit::unescape("\\x"));
  CHECK(kit::unescape("\\x4") == "\4");
  CHECK(kit::unescape("\\x41B") == "AB");
}

TEST_CASE("no markup that CTest obeys gets through") {
  for (const char* mark : {"<CTestDetails>", "</CTestDetails>", "<DartMeasurement>"}) {
    CHECK(kit::escape(mark).find('<') == std::string::npos);
    CHECK(kit::escape_text(mark).find('<') == std::string::npos);
    CHECK(kit::shell_quoted(mark).find('<') == std::string::npos);
    CHECK(kit::last_lines(mark, 1, 80, "").find('<') == std::string::npos);
  }
  CHECK(kit::escape("a < b") == "a < b");
}

TEST_CASE("text for markup is well-formed, whatever it holds") {
  constexpr std::string_view gap = "\xEF\xBF\xBD";  // U+FFFD
  const auto gaps = [gap](int count) {
    std::string text;
    while (count-- > 0) text += gap;
    return text;
  };
  CHECK(kit::xml(R"(</text> & "a" 'b')") == "&lt;/text&gt; &amp; &quot;a&quot; 'b'");
  CHECK(kit::xml("one\n\ttwo") == "one\n\ttwo");  // JUnit's text has lines
  CHECK(kit::xml("\r\x1b\0\x7f\xC2\x85"sv) == gaps(5));
  CHECK(kit::xml("ä → 😀") == "ä → 😀");
  CHECK(kit::valid_utf8("a\xFF\xC3\xA4\x01") == "a" + gaps(1) + "ä" + gaps(1));
  CHECK(kit::valid_utf8("\xC3") == gaps(1));                                // cut
  CHECK(kit::valid_utf8("\xC0\xBC") == gaps(2));                            // '<', overlong
  CHECK(kit::valid_utf8("\xED\xA0\x80") == gaps(3));                        // half of a pair
  CHECK(kit::valid_utf8("\xF4\x90\x80\x80") == gaps(4));                    // beyond U+10FFFF
  CHECK(kit::valid_utf8("\xEF\xBF\xBE\xEF\xBF\xBF" + gaps(1)) == gaps(7));  // U+FFFE, U+FFFF
  for (int first = 0; first < 256; ++first) {
    const std::string text = kit::xml(std::string("a") + static_cast<char>(first) + "<");
    INFO(first);
    CHECK(text.ends_with("&lt;"));  // no byte takes the one behind it along
    CHECK(kit::valid_utf8(text) == text);
  }
}

TEST_CASE("a message is quoted with its size, and cut when it is wide") {
  CHECK(kit::quoted("hello\n") == "\"hello\\n\" (6 bytes)");
  CHECK(kit::quoted("") == "\"\" (0 bytes)");
  CHECK(kit::quoted("x") == "\"x\" (1 byte)");
  CHECK(kit::quoted(std::string(65536, 'a')) ==
        '"' + std::string(60, 'a') + "\"... (65,536 bytes)");
  CHECK(kit::quoted(std::string(60, '\1')) == [] {
    std::string text = "\"";
    for (int i = 0; i < 15; ++i) text += "\\x01";
    return text + "\"... (60 bytes)";
  }());
}

TEST_CASE("words for a shell") {
  CHECK(kit::shell_quoted("it's\n") == R"('it\x27s\n')");
  CHECK(kit::unescape("it\\x27s\\n") == "it's\n");
}

TEST_CASE("numbers and their nouns") {
  CHECK(kit::with_commas(0) == "0");
  CHECK(kit::with_commas(999) == "999");
  CHECK(kit::with_commas(1000) == "1,000");
  CHECK(kit::with_commas(16777216) == "16,777,216");
  CHECK(kit::counted(1, "process") == "1 process");
  CHECK(kit::counted(2, "process") == "2 processes");
  CHECK(kit::counted(2, "byte") == "2 bytes");
}

TEST_CASE("a difference near the beginning is pointed at") {
  const kit::Difference both = kit::difference("HELLO WORLD\n", "HELLO wORLD\n");
  CHECK(both.at == 6);
  CHECK(both.expected == "\"HELLO WORLD\\n\" (12 bytes)");
  CHECK(both.got == "\"HELLO wORLD\\n\" (12 bytes)");
  CHECK(both.caret.size() == 7);  // a quote and six letters
}

TEST_CASE("a difference far inside is shown in a window") {
  std::string expected;
  for (int i = 0; i < 1000; ++i) expected += static_cast<char>('a' + i % 26);
  std::string got = expected;
  got[700] = '#';
  const kit::Difference both = kit::difference(expected, got);
  CHECK(both.at == 700);
  CHECK(both.expected.starts_with("byte 680 on: \""));
  CHECK(both.expected.ends_with("\"... (of 1,000 bytes)"));
  CHECK(both.got[both.caret.size()] == '#');
}

TEST_CASE("one that ends too early is pointed at behind its end") {
  const kit::Difference both = kit::difference("HELLO", "HEL");
  CHECK(both.at == 3);
  CHECK(both.got[both.caret.size()] == '"');
  CHECK(kit::difference("A", "").at == 0);
  CHECK(kit::difference("", "A").at == 0);
  // Of bytes that take four columns each.
  const std::string binary(100, '\xff');
  const kit::Difference cut = kit::difference(binary + "a", binary + "b");
  CHECK(cut.got[cut.caret.size()] == 'b');
}

TEST_CASE("the last lines of a text") {
  CHECK(kit::last_lines("a\nb\nc\n", 2, 80, "| ") == "| b\n| c\n");
  CHECK(kit::last_lines("a", 5, 80, "| ") == "| a\n");
  CHECK(kit::last_lines("\n\n", 5, 80, "| ").empty());
  CHECK(kit::last_lines("abcdef\n", 5, 3, "| ") == "| abc...\n");
  CHECK(kit::last_lines("\033[1mx\n", 5, 80, "| ") == "| \\x1b[1mx\n");
}

TEST_CASE("a story joins like acts and says who, when there are several") {
  kit::Story story;
  story.add("started", "server --port 0");
  story.continue_ready("listening on 127.0.0.1:1");
  story.set_actors(1);
  story.add("sent", kit::quoted("hello "), "client 1");
  story.add("sent", kit::quoted("world\n"), "client 1");
  story.add_failure(kit::quoted("A"), kit::quoted("B"), " ", "client 1");
  CHECK(story.text() ==
        "    1. started  server --port 0                 listening on 127.0.0.1:1\n"
        "    2. sent     \"hello \" (6 bytes), then \"world\\n\" (6 bytes)\n"
        "    3. expected \"A\" (1 byte)\n"
        "       got      \"B\" (1 byte)\n"
        "                 ^ here\n");
  story.set_actors(2);
  CHECK(story.text().find("2. sent     client 1: \"hello \"") != std::string::npos);
}

TEST_CASE("a long story keeps its beginning and its end") {
  kit::Story story;
  for (int i = 0; i < 500; ++i) story.add("sent", std::to_string(i), "client " + std::to_string(i));
  const std::string text = story.text();
  CHECK(std::count(text.begin(), text.end(), '\n') == 17);
  CHECK(text.find("... 484 more like these ...") != std::string::npos);
  CHECK(text.ends_with("  500. sent     499\n"));
}

TEST_CASE("a line that is too wide cuts what it quotes, and says how long that was") {
  using Lines = std::vector<std::string>;
  const std::string long_one(100, 'a');
  CHECK(kit::in_lines("\"hello\" (5 bytes)", 40) == Lines{"\"hello\" (5 bytes)"});
  CHECK(kit::in_lines("", 40) == Lines{""});
  CHECK(kit::in_lines(kit::quoted(long_one), 50) ==
        Lines{'"' + std::string(33, 'a') + "\"... (100 bytes)"});
  CHECK(kit::in_lines('"' + long_one + "\" on stderr", 50) ==
        Lines{'"' + std::string(33, 'a') + "\"... (100 bytes)", "on stderr"});
  // An escape is not torn, and a quote in it ends nothing.
  CHECK(kit::in_lines(R"("aaaaaaaaaaaaaaaaaaaaaa\"\x80\x80\x80\x80\x80\x80" (28 bytes))", 41) ==
        Lines{R"("aaaaaaaaaaaaaaaaaaaaaa\""... (28 bytes))"});
  // What follows has a line of its own rather than next to nothing of it.
  CHECK(kit::in_lines("\"hello\" (5 bytes), then " + kit::quoted(std::string(40, 'b')), 60) ==
        Lines{"\"hello\" (5 bytes), then", '"' + std::string(40, 'b') + "\" (40 bytes)"});
}

TEST_CASE("other text is broken at blanks, and a word without one shows its two ends") {
  using Lines = std::vector<std::string>;
  CHECK(kit::in_lines("the server sleeps until somebody comes", 20) ==
        Lines{"the server sleeps", "until somebody comes"});
  const auto path = kit::in_lines("server --path /tmp/kit-1/f/" + std::string(60, 'p') + "end", 40);
  CHECK(path.size() == 2);
  CHECK(path[0] == "server --path");
  CHECK(path[1] == "/tmp/kit-1/f/ppppppppppppp…" + std::string(10, 'p') + "end");
}

TEST_CASE("what was expected and what came are told to their ends") {
  kit::Story story;
  const std::string words = "Exception occurred during processing of request from ";
  story.add_failure(kit::quoted(words + "127.0.0.1:41234: none"), kit::quoted(words + "nobody"),
                    "");
  CHECK(story.text(80) ==
        "    1. expected \"Exception occurred during processing of request from\n"
        "                127.0.0\"... (74 bytes)\n"
        "       got      \"Exception occurred during processing of request from nobody\"\n"
        "                (59 bytes)\n");
  CHECK(kit::broken_lines(std::string(25, 'a') + " b", 10) ==
        std::vector<std::string>{"aaaaaaaaaa", "aaaaaaaaaa", "aaaaa b"});
  CHECK(kit::broken_lines('"' + std::string(500, 'a') + '"', 40).size() == 3);
}

TEST_CASE("every line of a story keeps its width, and the caret its place") {
  kit::Story story;
  story.set_actors(90);
  story.add("started", "server --port 0 --max-output 1000000000 --idle-timeout 3600000");
  story.continue_ready("listening on 127.0.0.1:34439");
  for (int i = 0; i < 3; ++i) story.add("sent", kit::quoted(std::string(70, 'x')), "client 86");
  std::string expected;
  for (int i = 0; i < 60'000; ++i) expected += static_cast<char>('a' + i % 26);
  std::string got = expected;
  got[48'565] = '#';
  const kit::Difference both = kit::difference(expected, got);
  story.add_failure(both.expected, both.got, both.caret, "client 86");
  const std::string text = story.text(80);
  INFO(text);
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    lines.push_back(text.substr(at, text.find('\n', at) - at));
    CHECK(kit::width_of(lines.back()) <= 80);
  }
  CHECK(lines[1] == "                listening on 127.0.0.1:34439");
  const auto caret = std::find_if(lines.begin(), lines.end(),
                                  [](const std::string& line) { return line.ends_with("^ here"); });
  REQUIRE(caret != lines.end());
  CHECK((*(caret - 1))[caret->find('^')] == '#');
}

TEST_CASE("a story of many lines keeps within those it is given") {
  kit::Story story;
  story.set_actors(2);
  for (int i = 0; i < 30; ++i) {
    story.add("signal", "SIGTERM");
    story.continue_last("then", "it was asked again");
  }
  story.add_failure("A", "B", "", "client 1");
  for (const std::size_t most : {12U, 16U, 24U}) {
    const std::string text = story.text(80, most);
    CHECK(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) <= most);
    CHECK(text.ends_with("B\n"));
  }
}

TEST_CASE("a conversation becomes the words of kit-talk") {
  kit::Conversation talk;
  talk.add_send("hello ");
  talk.add_pause();
  talk.add_pause();
  talk.add_send(std::string(1000, 'x'));
  CHECK(talk.words == std::vector<std::string>{"--send", "'hello '", "--pause", "--fill", "1000"});
  CHECK(talk.exact);
  talk.add_send(std::string(1000, '\n'));
  CHECK(!talk.exact);
}

TEST_CASE("a text of several lines is typed line by line, where sends are not counted") {
  const std::string head = "GET / HTTP/1.1\r\nHost: kit\r\n", field = std::string(50, 'x') + "\r\n";
  kit::Conversation talk;
  talk.add_send(head + field + "\x01\r\n");
  const std::string typed = "'GET / HTTP/1.1\\r\\nHost: kit\\r\\n'";
  CHECK(talk.words == std::vector<std::string>{"--send", typed, "--send",
                                               "'" + std::string(50, 'x') + "\\r\\n\\x01\\r\\n'"});
  kit::Conversation datagrams;
  datagrams.datagrams = true;
  datagrams.add_send(head + field);
  CHECK(datagrams.words.front() == "--fill");
  kit::Conversation bytes;
  bytes.add_send(head + field + "\x01\x02\x03\x04\x05");
  CHECK(bytes.words.front() == "--fill");
}

TEST_CASE("a conversation that nobody would type is cut") {
  kit::Conversation talk;
  for (int i = 0; i < 100'000; ++i) {
    talk.add_send("hello\n");
    talk.add_pause();
  }
  CHECK(talk.words.size() < 100);
  CHECK(!talk.exact);
}
