// What can be wrong without anybody noticing: the numbers behind the pictures, and the pictures.

#include <cmath>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "chart.hpp"
#include "csv.hpp"
#include "harness/base/catch.hpp"
#include "lines.hpp"
#include "options.hpp"
#include "plan.hpp"
#include "report.hpp"
#include "results.hpp"
#include "samples.hpp"
#include "units.hpp"

namespace kit::bench {
namespace {

std::string line_text(std::uint32_t client, std::uint64_t number) {
  std::string text(line_size, '\0');
  write_line(client, number, text.data());
  return text;
}

std::string answer_text(std::uint32_t client, std::uint64_t number) {
  std::string text(line_size, '\0');
  write_answer(client, number, text.data());
  return text;
}

Row row_of(const std::string& server, int clients, double cpu, double baseline_cpu) {
  Row row;
  row.load = {Kind::persistent, Transport::tcp, clients, 1};
  row.server = server;
  row.cpu_us = cpu;
  row.baseline_cpu_us = baseline_cpu;
  row.lines_per_second = 1e6 / cpu;
  row.baseline_lines_per_second = 1e6 / baseline_cpu;
  row.p50_us = cpu * clients;
  row.p99_us = cpu * clients * 2;
  row.ready_kib = 100;
  row.user_kib = 100 + 12.5 * clients;
  return row;
}

Results some_results() {
  Results results;
  results.about = {{"machine", "a <fast> one, with \"4\" processors & more"},
                   {"form", "short"},
                   {"rounds", "2"},
                   {"date", "2000-01-01"}};
  results.labels = {
      {"plain", "plain loop"}, {"threads", "threading"}, {"mine", "<mine> & \"yours\""}};
  results.pieces = {{"fork", "a process", 92.1}};
  results.remarks = {"nothing, was \"left out\""};
  for (const int clients : {1, 8, 1000})
    for (const char* server : {"plain", "threads", "mine"})
      results.rows.push_back(row_of(server, clients, 10 + clients / 100.0, 5));
  return results;
}

// A reader of XML just strict enough: tags that close in order, quoted attributes, no stray < or &.
class Xml {
 public:
  explicit Xml(std::string text) : text_(std::move(text)) {}

  std::string problem() {
    for (at_ = 0; at_ < text_.size();) {
      if (text_[at_] == '&' && !entity()) return "a stray & at " + std::to_string(at_);
      if (text_[at_] != '<') {
        ++at_;
      } else if (const std::string wrong = tag(); !wrong.empty()) {
        return wrong;
      }
    }
    return open_.empty() ? "" : "<" + open_.back() + "> is never closed";
  }

 private:
  [[nodiscard]] bool entity() const {
    for (const char* known : {"&amp;", "&lt;", "&gt;", "&quot;"})
      if (text_.compare(at_, std::string(known).size(), known) == 0) return true;
    return false;
  }

  std::string tag() {
    const std::size_t end = text_.find('>', at_);
    if (end == std::string::npos) return "a tag without end";
    const std::string inside = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    const std::string name = inside.substr(0, inside.find_first_of(" /", 1));
    if (inside[0] == '/') {
      if (open_.empty() || open_.back() != inside.substr(1))
        return "<" + inside + "> closes nothing";
      open_.pop_back();
      return {};
    }
    if (std::count(inside.begin(), inside.end(), '"') % 2 != 0)
      return "a quote in <" + inside + ">";
    for (std::size_t i = inside.find('='); i != std::string::npos; i = inside.find('=', i + 1))
      if (inside[i + 1] != '"') return "an unquoted attribute in <" + inside + ">";
    if (inside.back() != '/') open_.push_back(name);
    return {};
  }

  std::string text_;
  std::size_t at_ = 0;
  std::vector<std::string> open_;
};

}  // namespace

TEST_CASE("percentiles are nearest ranks", "[bench]") {
  std::vector<double> hundred;
  for (int i = 100; i >= 1; --i) hundred.push_back(i);
  CHECK(percentile(hundred, 0.50) == 50);
  CHECK(percentile(hundred, 0.99) == 99);
  CHECK(percentile(hundred, 1.0) == 100);
  CHECK(percentile(hundred, 0.0) == 1);
  CHECK(percentile({7}, 0.99) == 7);
  CHECK(percentile({1, 2, 3}, 0.99) == 3);
  CHECK(percentile({1, 2, 3}, 0.5) == 2);
  CHECK(std::isnan(percentile({}, 0.5)));
  CHECK(median({3, 1, 2}) == 2);
  CHECK(median({4, 1, 2, 3}) == 2.5);
  CHECK(std::isnan(median({})));
}

TEST_CASE("no two lines are alike, and each has one right answer", "[bench]") {
  std::set<std::string> seen;
  for (std::uint32_t client : {0U, 1U, 31U, 32U, 999U, 9'999U})
    for (std::uint64_t number : {0ULL, 1ULL, 15ULL, 16ULL, 4'000'000ULL}) {
      const std::string line = line_text(client, number);
      CHECK(seen.insert(line).second);
      CHECK(line.find('\n') == line_size - 1);
      std::string upper = line;
      for (char& c : upper)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
      CHECK(answer_text(client, number) == upper);
      CHECK(upper != line);
    }
}

TEST_CASE("answers are right however they are cut up", "[bench]") {
  const std::string answers = answer_text(3, 0) + answer_text(3, 1) + answer_text(3, 2);
  for (std::size_t piece = 1; piece <= answers.size(); piece += 7) {
    AnswerCheck check(3);
    for (std::size_t i = 0; i < answers.size(); i += piece)
      REQUIRE(check.take(std::string_view(answers).substr(i, piece), 3));
    CHECK(check.next() == 3);
    CHECK(check.part() == 0);
  }
}

TEST_CASE("every single wrong bit is noticed", "[bench]") {
  const std::string answer = answer_text(5, 7);
  for (std::size_t i = 0; i < answer.size(); ++i) {
    std::string wrong = answer;
    wrong[i] = static_cast<char>(wrong[i] ^ 32);
    AnswerCheck check(5, 7);
    CHECK_FALSE(check.take(wrong, 8));
    CHECK(check.mistake().find("line 7: expected ") == 0);
    CHECK_FALSE(is_answer(wrong, 5, 7));
  }
  CHECK(is_answer(answer, 5, 7));
  CHECK_FALSE(is_answer(answer.substr(1), 5, 7));
  CHECK_FALSE(is_answer(answer + answer, 5, 7));
}

TEST_CASE("an answer to nothing, to another, or twice is noticed", "[bench]") {
  CHECK_FALSE(AnswerCheck(1).take("X", 0));
  CHECK_FALSE(AnswerCheck(1).take(answer_text(2, 0), 1));
  CHECK_FALSE(AnswerCheck(1).take(answer_text(1, 1), 2));
  AnswerCheck twice(1);
  CHECK_FALSE(twice.take(answer_text(1, 0) + answer_text(1, 0), 1));
  CHECK(twice.next() == 1);
}

TEST_CASE("a cell may hold anything", "[bench]") {
  const std::vector<std::string> cells{"plain", "a, b", "say \"hi\"", "two\nlines", "", "end"};
  std::istringstream in(csv_line(cells) + csv_line({"next"}));
  CHECK(read_csv_line(in) == cells);
  CHECK(read_csv_line(in) == std::vector<std::string>{"next"});
  CHECK_FALSE(read_csv_line(in).has_value());
  std::istringstream open("\"never closed");
  CHECK_THROWS(read_csv_line(open));
}

TEST_CASE("results come back from their CSV as they were", "[bench]") {
  Results results = some_results();
  results.rows[1].fault = "client 1, line 4: expected \"A\", got \"a\"";
  std::ostringstream first;
  write_csv(first, results);
  std::istringstream in(first.str());
  const Results back = read_csv(in);
  std::ostringstream second;
  write_csv(second, back);
  CHECK(first.str() == second.str());
  CHECK(back.rows.size() == results.rows.size());
  CHECK(back.rows[1].fault == results.rows[1].fault);
  CHECK(std::isnan(back.rows[0].lost));
  std::istringstream broken("record,load\nrun,persistent\n");
  CHECK_THROWS_WITH(read_csv(broken), "line 1: not our head line");
}

TEST_CASE("a slow minute of the machine is taken out", "[bench]") {
  Results results;
  results.rows = {row_of("threads", 8, 20, 10), row_of("threads", 8, 40, 20),
                  row_of("selector", 8, 10, 10), row_of("selector", 8, 21, 20)};
  const auto summaries = summarise(results);
  REQUIRE(summaries.size() == 2);
  const Summary& threads = summaries[0];
  CHECK(threads.rounds == 2);
  CHECK(threads.times_baseline == Approx(2));
  CHECK(threads.middle.cpu_us == Approx(30));  // twice the median baseline, in both rounds
  CHECK(threads.least_cpu == Approx(30));
  CHECK(threads.most_cpu == Approx(30));
  CHECK(summaries[1].times_baseline == Approx(1.025));
}

TEST_CASE("one wrong answer makes a server's numbers void", "[bench]") {
  Results results = some_results();
  results.rows.push_back(results.rows[1]);
  results.rows.back().fault = "wrong";
  const Summary* summary =
      find(summarise(results), {Kind::persistent, Transport::tcp, 1, 1}, "threads");
  const auto summaries = summarise(results);
  summary = find(summaries, {Kind::persistent, Transport::tcp, 1, 1}, "threads");
  REQUIRE(summary != nullptr);
  CHECK(summary->middle.fault == "wrong");
  CHECK(std::isnan(summary->middle.cpu_us));
  for (const auto& [name, figure] : figures(results))
    for (const Panel& panel : figure.panels)
      for (const Series& series : panel.series)
        if (series.id == "threads") CHECK(series.marks.front().x > 1);
}

TEST_CASE("every picture is well-formed, and nothing in it is not a number", "[bench]") {
  const auto pictures = figures(some_results());
  CHECK(pictures.count("costs-overview.svg") == 1);
  CHECK(pictures.count("costs-connections.svg") == 0);  // nothing was measured for it
  for (const auto& [name, figure] : pictures) {
    const std::string svg = draw(figure);
    INFO(name);
    CHECK(Xml(svg).problem() == "");
    CHECK(svg.find("\"nan") == std::string::npos);
    CHECK(svg.find("nan,") == std::string::npos);
    CHECK(svg.find("inf") == std::string::npos);
    CHECK(svg.find("prefers-color-scheme: dark") != std::string::npos);
    CHECK(svg.find("<desc") != std::string::npos);
    CHECK(svg.find("http://", svg.find("viewBox")) == std::string::npos);  // self-contained
  }
  CHECK(Xml("<a><b></a>").problem() != "");
  CHECK(Xml("<a b=c/>").problem() != "");
  CHECK(Xml("a & b").problem() != "");
}

TEST_CASE("a picture of one point and one of nothing can be drawn", "[bench]") {
  Panel panel{"title", "hint", {"clients", true, {1}, count_text}, {"", true, {}, time_text}, {}};
  panel.series = {{"threads", "threading", {{1, 3, 3, 3}}}};
  CHECK(Xml(draw({"t", "s", "d", "f", 1, {panel}})).problem() == "");
  panel.series.clear();
  CHECK(Xml(draw({"t", "s", "d", "f", 1, {panel}})).problem() == "");
}

TEST_CASE("axes have round numbers", "[bench]") {
  CHECK(pleasant_ticks(1, 17, false) == std::vector<double>{0, 5, 10, 15, 20});
  CHECK(pleasant_ticks(1, 100'000, false).back() >= 100'000);
  CHECK(pleasant_ticks(0.5, 2'000, true) == std::vector<double>{1, 10, 100, 1000});
  CHECK(pleasant_ticks(3, 30, true) == std::vector<double>{5, 10, 20});
}

TEST_CASE("labels do not lie on each other", "[bench]") {
  CHECK(spread_out({10, 50, 90}, 15, 0, 100) == std::vector<double>{10, 50, 90});
  const auto close = spread_out({50, 52, 51, 90}, 15, 0, 100);
  CHECK(close[2] - close[0] >= 15);
  CHECK(close[1] - close[2] >= 15);
  CHECK(close[3] == 90);
  const auto edge = spread_out({99, 98, 97, 60}, 15, 0, 100);
  for (std::size_t i = 0; i < edge.size(); ++i) {
    CHECK(edge[i] <= 100);
    for (std::size_t j = 0; j < i; ++j) CHECK(std::fabs(edge[i] - edge[j]) >= 14.999);
  }
}

TEST_CASE("numbers are written with two digits that matter", "[bench]") {
  CHECK(time_text(0.312) == "0.31 µs");
  CHECK(time_text(8.44) == "8.4 µs");
  CHECK(time_text(9.96) == "10 µs");
  CHECK(time_text(1234) == "1.2 ms");
  CHECK(time_text(2.5e6) == "2.5 s");
  CHECK(rate_text(118'432) == "118k");
  CHECK(rate_text(4'049'067) == "4M");
  CHECK(memory_text(0.25) == "0.25 KiB");
  CHECK(memory_text(12'288) == "12 MiB");
  CHECK(count_text(10'000) == "10,000");
}

TEST_CASE("the page says only what was measured", "[bench]") {
  const Results results = some_results();
  CHECK(page("one client: {{cpu threads persistent 1}}.\n", results) == "one client: 10 µs.\n");
  CHECK(page("a\n{{cpu forks persistent 1}} is missing\nb\n", results) == "a\nb\n");
  CHECK(page("a fork: {{piece fork}}\n{{piece unknown}}\n", results) == "a fork: 92 µs\n");
  CHECK(page("{{figure overview}}\n", results).find("](costs-overview.svg)") != std::string::npos);
  CHECK(page("{{a-client threads persistent 1000}}\n", results) == "12 KiB\n");
  CHECK(page("{{tables}}\n", results).find("| clients | server |") != std::string::npos);
}

TEST_CASE("a server takes part where it can", "[bench]") {
  std::vector<Candidate> candidates;
  for (const char* text : {"sync=/s", "threads=/t --kind tcp", "forks=/f", "selector-poll=/p",
                           "sync@udp=/u", "asio=/a"})
    add_candidate(text, candidates);
  REQUIRE(candidates.size() == 5);
  const auto part = [&](std::size_t i, Kind kind, int clients) {
    return candidates[i].takes_part({kind, Transport::tcp, clients, 1});
  };
  CHECK(part(0, Kind::persistent, 1));
  CHECK_FALSE(part(0, Kind::persistent, 8));
  CHECK(part(0, Kind::connections, 64));
  CHECK_FALSE(part(0, Kind::crowd, 100));
  CHECK(candidates[0].takes_part({Kind::persistent, Transport::udp, 32, 1}));
  CHECK(part(1, Kind::crowd, 10'000));
  CHECK_FALSE(part(2, Kind::crowd, 10'000));
  CHECK_FALSE(part(3, Kind::persistent, 8));
  CHECK(part(3, Kind::crowd, 10'000));
  CHECK_FALSE(candidates[4].takes_part({Kind::persistent, Transport::udp, 1, 1}));
  CHECK(candidates[1].words.at(Transport::tcp) == std::vector<std::string>{"/t", "--kind", "tcp"});
  CHECK_THROWS_AS(add_candidate("nonsense", candidates), std::invalid_argument);
  CHECK_THROWS_AS(add_candidate("a@carrier-pigeon=/x", candidates), std::invalid_argument);
}

TEST_CASE("over HTTP there are two files, and a connection that is kept or not", "[bench]") {
  for (const char* name : {"short", "full"}) {
    Form form = form_named(name);
    keep_only("http", form);
    REQUIRE(form.loads.size() == 4);
    for (const Load& load : form.loads) CHECK(load.transport == Transport::http);
    CHECK(in_words(form.loads[0]) == "32 clients, a file of 1,000 bytes");
    CHECK(in_words(form.loads[3]) == "32 clients, a file of 1 MiB, a connection a request");
  }
  std::vector<Candidate> candidates;
  add_candidate("sync@http=/s --design sync", candidates);
  add_candidate("forks@http=/f", candidates);
  add_http_peers("/p.py", "/n", "/m", candidates);
  REQUIRE(candidates.size() == 5);
  const Load kept{Kind::persistent, Transport::http, 32, 1, 1000};
  const Load opened{Kind::connections, Transport::http, 32, 1, 1000};
  CHECK_FALSE(candidates[0].takes_part(kept));  // the second client would wait for ever
  for (std::size_t i = 1; i < candidates.size(); ++i) CHECK(candidates[i].takes_part(kept));
  for (const Candidate& candidate : candidates) {
    CHECK(candidate.takes_part(opened));
    CHECK_FALSE(candidate.takes_part({Kind::persistent, Transport::tcp, 1, 1}));
  }
}

TEST_CASE("what a request costs is in the table, on the page and in the picture", "[bench]") {
  Results results = some_results();
  for (const Kind kind : {Kind::persistent, Kind::connections})
    for (const int content : {1000, 1024 * 1024})
      for (const double cpu : {8.0, 10.0}) {
        results.rows.push_back(row_of(cpu < 9 ? "nginx" : "selector", 32, cpu, 5));
        results.rows.back().load = {kind, Transport::http, 32, 1, content};
      }
  std::ostringstream csv;
  write_csv(csv, results);
  std::istringstream in(csv.str());
  const Results back = read_csv(in);
  CHECK(back.rows.back().load == results.rows.back().load);
  CHECK(page("{{cpu nginx http-persistent 32 1000}}\n", back) == "8 µs\n");
  CHECK(page("{{cpu nginx http-persistent 32}}\n", back).empty());
  CHECK(page("{{share nginx selector http-connections 32 1048576}}\n", back) == "0.80\n");
  CHECK(page("{{share nginx forks http-connections 32 1000}}\n", back).empty());
  CHECK(page("{{share nginx selector}}\n", back).empty());
  const std::string tables = page("{{tables}}\n", back);
  CHECK(tables.find("| file | server | requests/s | CPU/request |") != std::string::npos);
  CHECK(tables.find("| 1 MiB | nginx |") != std::string::npos);
  const Figure picture = figures(back).at("costs-http.svg");
  REQUIRE(picture.panels.size() == 2);
  CHECK(picture.panels[0].series.size() == 2);
  CHECK(figures(some_results()).count("costs-http.svg") == 0);
}

TEST_CASE("options, from the command line and the environment", "[bench]") {
  CHECK(read_options({}, {}).form == "short");
  CHECK(read_options({}, {{"KIT_BENCH_FORM", "full"}, {"KIT_BENCH", "lessons"}}).servers ==
        "lessons");
  CHECK(read_options({"--form", "short"}, {{"KIT_BENCH_FORM", "full"}}).form == "short");
  CHECK(read_options({"--server", "a=b", "--server", "c=d"}, {}).added.size() == 2);
  CHECK_THROWS_WITH(read_options({"--fast"}, {}), "there is no option '--fast'");
  CHECK_THROWS_WITH(read_options({"--form"}, {}), "--form needs a value");
  CHECK(read_options({"--rounds", "12"}, {}).rounds == 12);
  CHECK_THROWS_WITH(read_options({"--rounds", "0"}, {}),
                    "--rounds is a number from 1 to 99, not '0'");
  CHECK_THROWS_WITH(read_options({"--form", "long"}, {}),
                    "--form is one of short, full, not 'long'");
  CHECK_THROWS_WITH(read_options({}, {{"KIT_BENCH", "yes"}}),
                    "KIT_BENCH is one of solutions, lessons, none, not 'yes'");
  Form form = form_named("short");
  CHECK_THROWS_AS(keep_only("persistent,nonsense", form), std::invalid_argument);
  keep_only("udp", form);
  for (const Load& load : form.loads) CHECK(load.transport == Transport::udp);
}

}  // namespace kit::bench
