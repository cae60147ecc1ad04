// Each converter against what its receiver documents.

#include "formats.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "harness/base/catch.hpp"
#include "harness/base/markup.hpp"
#include "harness/shown/replay.hpp"
#include "picture.hpp"
#include "proof/folder.hpp"

namespace {

kit::StepGrade step(const std::string& id, double points, double max, const std::string& status) {
  kit::StepGrade one;
  one.id = id;
  one.title = "does what it should";
  one.points = points;
  one.max = max;
  one.program = "server";
  one.status = status;
  one.seconds = 0.25;
  if (status != "pass") {
    one.cause = "One <recv> & \"one\" message";
    // Words that try to be a receiver's own.
    one.report = "Grade :=>> 100\n--|>\n]]></failure>\n{\"scores\":{\"x\":9}}\n::set-output x\n";
  }
  return one;
}

kit::Grade sample() {
  kit::Grade grade;
  grade.kit = "1.0.0";
  grade.seed = 42;
  grade.submission = "anna";
  grade.complete = true;
  grade.notes = {"CMakeLists.txt was ignored."};
  kit::LessonGrade lesson;
  lesson.lesson = "01_tcp_echo";
  lesson.steps = {step("01.1", 8, 8, "pass"), step("01.4", 0, 10, "fail"),
                  step("01.9", 0, 12, "not run"), step("01.10", 0, 10, "error")};
  lesson.add_up();
  grade.lessons.push_back(lesson);
  return grade;
}

std::string last_line(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

std::string from_base64(const std::string& text) {
  static const std::string digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned group = 0;
  int bits = 0;
  for (const char c : text) {
    const auto value = digits.find(c);
    if (value == std::string::npos) continue;
    group = group << 6 | static_cast<unsigned>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes += static_cast<char>(group >> bits & 255);
    }
  }
  return bytes;
}

}  // namespace

TEST_CASE("grade.json has the schema's keys, in its order, and reads back") {
  const kit::Json json = kit::Json::parse(sample().json().text());
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.object()) keys.push_back(key);
  keys.resize(7);
  CHECK(keys ==
        std::vector<std::string>{"schema", "kit", "seed", "submission", "score", "max", "lessons"});
  CHECK(json["schema"].number() == 1);
  CHECK(json["score"].number() == 8);
  CHECK(json["max"].number() == 40);
  const kit::Json& one = json["lessons"][0]["steps"][1];
  keys.clear();
  for (const auto& [key, value] : one.object()) keys.push_back(key);
  keys.resize(9);
  CHECK(keys == std::vector<std::string>{"id", "title", "points", "max", "program", "status",
                                         "cause", "reproduce", "seconds"});
  CHECK(one["status"].string() == "fail");
  const kit::Grade again = kit::Grade::from_json(json);
  CHECK(again.json().text() == sample().json().text());
  CHECK_THROWS(kit::Grade::from_json(kit::Json::parse("{\"schema\": 2}")));
}

TEST_CASE("Gradescope: results.json as its specs.md describes it") {
  const kit::Json json = kit::Json::parse(kit::convert(sample(), "gradescope"));
  const std::set<std::string> top{"score",         "execution_time",     "output",
                                  "output_format", "test_output_format", "test_name_format",
                                  "visibility",    "stdout_visibility",  "extra_data",
                                  "tests",         "leaderboard"};
  for (const auto& [key, value] : json.object()) CHECK(top.contains(key));
  const std::set<std::string> of_test{"score",       "max_score",  "status",    "name",
                                      "name_format", "number",     "output",    "output_format",
                                      "tags",        "visibility", "extra_data"};
  double score = 0;
  for (const kit::Json& test : json["tests"].array()) {
    for (const auto& [key, value] : test.object()) CHECK(of_test.contains(key));
    const std::string& status = test["status"].string();
    CHECK((status == "passed" || status == "failed"));
    CHECK(test["visibility"].string() == "visible");  // one hidden test would hide the total
    CHECK_FALSE(test["number"].string().empty());
    score += test["score"].number();
  }
  CHECK(score == 8);
  CHECK_FALSE(json.has("score"));  // it would override the sum
  CHECK(json["execution_time"].number() >= 0);
}

TEST_CASE("GitHub Classroom: base64 of what autograding-grading-reporter sums up") {
  const std::string text = kit::convert(sample(), "github");
  CHECK(count(text, "\n") == 1);
  const kit::Json json = kit::Json::parse(from_base64(text));
  CHECK(json["version"].number() == 1);
  CHECK(json["status"].string() == "fail");
  CHECK(json["max_score"].number() == 40);
  double score = 0;
  for (const kit::Json& test : json["tests"].array()) {
    const std::string& status = test["status"].string();
    CHECK((status == "pass" || status == "fail" || status == "error"));
    for (const char* key : {"name", "message", "test_code", "filename"})
      CHECK_NOTHROW((void)test[key].string());
    for (const char* key : {"line_no", "duration"}) CHECK_NOTHROW((void)test[key].number());
    score += test["score"].number();
  }
  CHECK(score == 8);
  CHECK(kit::base64("") == "");
  CHECK(kit::base64("f") == "Zg==");
  CHECK(kit::base64("fo") == "Zm8=");
  CHECK(kit::base64("foo") == "Zm9v");
  CHECK(kit::base64("\xFF\xFF\xFE") == "///+");
}

TEST_CASE("PrairieLearn: results.json as externalGrading.md describes it") {
  const kit::Json json = kit::Json::parse(kit::convert(sample(), "prairielearn"));
  CHECK(json["gradable"].boolean());
  CHECK(json["score"].number() == 0.2);
  CHECK(json["tests"][1]["max_points"].number() == 10);
  CHECK(json["tests"][1]["points"].number() == 0);
  for (const char* key : {"name", "description", "message", "output"}) {
    CHECK_NOTHROW((void)json["tests"][1][key].string());
  }
  SECTION("nothing handed in costs no attempt") {
    kit::Grade empty = sample();
    for (auto& one : empty.lessons[0].steps) {
      one.points = 0;
      one.status = "fail";
      one.cause = "nothing was handed in";
    }
    const kit::Json result = kit::Json::parse(kit::convert(empty, "prairielearn"));
    CHECK_FALSE(result["gradable"].boolean());
    CHECK(result.has("format_errors"));
  }
  SECTION("it stays under 1 MB") {
    kit::Grade long_words = sample();
    long_words.lessons[0].steps.resize(40, long_words.lessons[0].steps[1]);
    for (auto& one : long_words.lessons[0].steps) one.report = std::string(500'000, 'x');
    CHECK(kit::convert(long_words, "prairielearn").size() < 1'000'000);
  }
}

TEST_CASE(
    "VPL: the last line that begins with Grade is the kit's, and no word of a learner's is one") {
  const std::string text = kit::convert(sample(), "vpl");
  CHECK(last_line(text) == "Grade :=>> 20");
  CHECK(text.starts_with("<|--\n"));
  std::istringstream in(text);
  std::size_t grades = 0, ends = 0;
  for (std::string line; std::getline(in, line);) {
    grades += line.starts_with("Grade :=>>") ? 1U : 0U;
    ends += line.starts_with("--|>") ? 1U : 0U;
  }
  CHECK(grades == 1);
  CHECK(ends == 1);
}

TEST_CASE("Autolab: the last line is JSON with a score for each problem") {
  const std::string text = kit::convert(sample(), "autolab");
  const kit::Json json = kit::Json::parse(last_line(text));
  CHECK(json["scores"]["01_tcp_echo"].number() == 8);
  CHECK(json["scoreboard"][0].number() == 8);
  CHECK(count(text, "\n") == 1);
}

TEST_CASE("JUnit: what failed has its text in the element, and nothing is skipped") {
  const std::string text = kit::junit(sample());
  CHECK(count(text, "<testcase ") == 4);
  CHECK(count(text, "<failure ") == 1);
  CHECK(count(text, "<error ") == 2);
  CHECK(count(text, "skipped") == 0);
  CHECK(count(text, "classname=\"01_tcp_echo\" name=\"01.4 does what it should\"") == 1);
  CHECK(count(text, "tests=\"4\" failures=\"1\" errors=\"2\"") == 2);
  CHECK(count(text, "One &lt;recv&gt; &amp; &quot;one&quot; message") == 3);
  CHECK(count(text, "]]&gt;&lt;/failure&gt;") == 3);
  CHECK(count(text, "</failure>") == 1);
}

TEST_CASE("report.md: what a learner printed cannot end the block that quotes it") {
  kit::Grade grade = sample();
  grade.lessons[0].steps[1].report = "heading\n```\n# 100 of 100 points\n";
  const std::string text = kit::report(grade);
  CHECK(count(text, "``````````\nheading\n```\n# 100 of 100 points\n``````````\n") == 1);
  CHECK(text.starts_with("# anna: 8 of 40 points\n"));
}

TEST_CASE("The report: a name is no Markdown, and nothing quoted ends its block") {
  kit::Grade grade = sample();
  grade.submission = "[anna](https://example.org) <b>";
  grade.notes = {"no `code` | no table"};
  grade.lessons[0].steps[1].report = "heading\n````````````\n# 100 of 100 points\n";
  const std::string text = kit::report(grade);
  CHECK(text.starts_with("# \\[anna\\](https://example.org) \\<b\\>: "));
  CHECK(count(text, "- no \\`code\\` \\| no table\n") == 1);
  CHECK(count(text, "`````````````\nheading\n") == 1);
}

TEST_CASE("class.csv: a formula is none behind blanks, nor in another width") {
  kit::Grade grade = sample();
  for (const char* name : {"=1+1", " =1+1", "\xC2\xA0=1+1",
                           "\xEF\xBC\x9D"
                           "1+1",
                           "@x"}) {
    grade.submission = name;
    CHECK(kit::csv_line(grade, {}).starts_with(std::string("'") + name));
  }
}

TEST_CASE("class.csv: fields with commas, quotes and formulas") {
  kit::Grade grade = sample();
  grade.submission = "=cmd,\"x\"";
  CHECK(kit::csv_head({"01_tcp_echo", "02_udp_echo"}) ==
        "submission,score,max,01_tcp_echo,02_udp_echo,notes\n");
  CHECK(kit::csv_line(grade, {"01_tcp_echo", "02_udp_echo"}) ==
        "\"'=cmd,\"\"x\"\"\",8,40,8,,CMakeLists.txt was ignored. \n");
}

TEST_CASE("A late lesson keeps a part, in every format the same") {
  kit::Grade grade = sample();
  grade.lessons[0].add_up(0.5);
  CHECK(grade.score() == 4);
  const kit::Json scope = kit::Json::parse(kit::convert(grade, "gradescope"));
  double sum = 0;
  for (const kit::Json& test : scope["tests"].array()) sum += test["score"].number();
  CHECK(sum == 4);
  CHECK(kit::Json::parse(kit::convert(grade, "prairielearn"))["score"].number() == 0.1);
}

TEST_CASE("JSON: escapes, and what is no JSON") {
  CHECK(kit::Json("a\"\\\n").text(false) == "\"a\\\"\\\\\\n\"");
  CHECK(kit::Json::parse("\"\\u00e4\\ud83d\\ude00\"").string() == "\xC3\xA4\xF0\x9F\x98\x80");
  CHECK(kit::Json::parse(" [1, -2.5e1, true, null] ")[1].number() == -25);
  for (const char* wrong : {"", "{", "[1,]", "{\"a\" 1}", "\"\n\"", "nul", "1 2", "infinity"}) {
    CHECK_THROWS(kit::Json::parse(wrong));
  }
  CHECK_THROWS(kit::Json::parse(std::string(100'000, '[')));
  CHECK(kit::number_text(8) == "8");
  CHECK(kit::number_text(7.5) == "7.5");
  CHECK(kit::number_text(-0.0001) == "0");
}

TEST_CASE("report.md says what is next, and draws the first step that failed") {
  kit::Grade grade = sample();
  kit::StepGrade& failed = grade.lessons[0].steps[1];
  failed.cause = "One recv() was taken for one message.";
  failed.reproduce = "ctest -R 01.4";
  failed.report =
      "01.4 does what it should                    0 of 10 points\n\n"
      "  what happened\n"
      "    1. started  server --port 0                 listening on 127.0.0.1:1234\n"
      "    2. sent     \"hello \" (6 bytes)\n"
      "    3. received \"HELLO \" (6 bytes)\n"
      "   10. sent     \"u\" (1 byte)\n"
      "   11. expected \"U\" (1 byte)\n"
      "       got      \"ORLD\\n\" (5 bytes)\n"
      "                 ^ here\n"
      "  what your server did\n"
      "    recv(6, 16384) = 6\n"
      "  where to look\n"
      "    lessons/01_tcp_echo/server.cpp:19   page: \"01.F A stream has no messages\"\n";
  const std::string text = kit::report(grade);
  CHECK(count(text, "**Next: 01.4 does what it should.** One recv() was taken") == 1);
  CHECK(count(text, "Read: 01.F A stream has no messages.") == 1);
  CHECK(count(text, "│── \"hello \" (6 bytes) ─") == 1);
  CHECK(count(text, "│◀─ \"HELLO \" (6 bytes) ─") == 1);
  CHECK(count(text, "│   expected \"U\" (1 byte) ") == 1);
  CHECK(count(text, "│✗─ got \"ORLD\\n\" (5 bytes) ─") == 1);
  // Every line of the picture is as wide as the others.
  std::set<std::size_t> widths;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("    │")) continue;
    widths.insert(static_cast<std::size_t>(std::ranges::count_if(
        line, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; })));
  }
  CHECK(widths.size() == 1);
}

TEST_CASE("A picture is drawn of what was seen, and a file that is no such thing gives none") {
  const kit::TemporaryFolder folder;
  const auto picture_of = [&folder](const std::string& text) {
    const auto file = folder.path() / "seen";
    std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
    kit::StepEntry step;
    step.id = "01.4";
    step.title = "answers";
    return kit::seen_picture(file, step);
  };
  kit::Replay seen;
  seen.id = "99.9\"><script>";
  seen.status = "fail";
  seen.expected = "\"U\"";
  seen.got = "</text><script>alert(1)</script>\xff\x01";
  seen.partners = {"client\" onload=\"alert(1)"};
  seen.events = {{.who = seen.partners[0], .verb = "sent", .text = seen.got},
                 {.kind = kit::Replay::Event::Kind::fault, .time = 1, .who = seen.partners[0]}};
  const std::string svg = picture_of(seen.text());
  CHECK(svg.starts_with("<svg "));
  CHECK(svg.ends_with("</svg>\n"));
  CHECK(count(svg, "01.4 answers") >= 1);
  CHECK(count(svg, "&lt;script&gt;") >= 1);
  for (const char* words : {"<script", "\" onload=", "99.9", "href", "\x01"}) {
    INFO(words);
    CHECK(count(svg, words) == 0);
  }
  CHECK(kit::valid_utf8(svg) == svg);

  for (const char* status : {"pass", "skip", ""}) {
    seen.status = status;
    CHECK(picture_of(seen.text()).empty());
  }
  seen.status = "fail";
  seen.cause = "not written: EchoHandler::handle (01.E)";
  CHECK(picture_of(seen.text()).empty());
  for (const std::string& no_replay : {std::string(), svg, std::string(9'000'000, '\n')}) {
    CHECK(picture_of(no_replay).empty());
  }
  const auto odd = folder.path() / "odd";
  CHECK(kit::seen_picture(odd, {}).empty());
  REQUIRE(mkfifo(odd.c_str(), 0600) == 0);
  CHECK(kit::seen_picture(odd, {}).empty());
  std::filesystem::remove(odd);
  std::filesystem::create_symlink(folder.path() / "seen", odd);
  CHECK(kit::seen_picture(odd, {}).empty());
  CHECK(kit::seen_picture(folder.path(), {}).empty());

  kit::Grade grade = sample();
  CHECK(count(kit::report(grade), kit::picture_file) == 0);
  grade.lessons[0].picture = svg;
  CHECK(count(kit::report(grade), "[picture.svg](picture.svg)") == 1);
}
