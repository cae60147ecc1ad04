// What was seen of a step: as a file, in rows, as a picture.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/catch.hpp"
#include "harness/base/escape.hpp"
#include "harness/shown/picture.hpp"
#include "harness/shown/replay.hpp"

using namespace std::string_literals;

namespace {

using Event = kit::Replay::Event;

constexpr std::int64_t millisecond = 1'000'000;

Event act(std::int64_t ms, std::string who, std::string verb, std::string text) {
  return {.time = ms * millisecond,
          .who = std::move(who),
          .verb = std::move(verb),
          .text = std::move(text)};
}

Event call(std::int64_t ms, std::string verb, std::int64_t fd, std::int64_t result,
           std::string data = {}, int pid = 100, int tid = 100) {
  Event event{.kind = Event::Kind::call, .time = ms * millisecond, .who = "server"};
  event.text = verb + '(' + std::to_string(fd) + ") = " + std::to_string(result);
  event.verb = std::move(verb);
  event.pid = pid;
  event.tid = tid;
  event.fd = fd;
  event.result = result;
  event.returned = true;
  event.data = std::move(data);
  return event;
}

// An echo server that answers in lower case.
kit::Replay wrong_echo() {
  kit::Replay replay;
  replay.id = "01.4";
  replay.title = "answers in <upper> case & nothing else";
  replay.seed = 7;
  replay.status = "fail";
  replay.cause = "It answers \"hello\" as it came.";
  replay.expected = "\"HELLO\\n\" (6 bytes)";
  replay.got = "\"hello\\n\" (6 bytes)";
  replay.caret = " ";
  replay.programs = {{"server", 100}};
  replay.partners = {"client 1"};
  replay.events = {act(0, "", "started", "server --port 0"),
                   call(1, "socket", 2, 3),
                   act(2, "client 1", "opened", "a connection"),
                   call(3, "accept", 3, 4),
                   act(4, "client 1", "sent", "\"hello\\n\" (6 bytes)"),
                   call(5, "recv", 4, 6, "hello\n"),
                   call(6, "send", 4, 6, "hello\n"),
                   act(7, "client 1", "expected", replay.expected)};
  replay.events.back().kind = Event::Kind::fault;
  return replay;
}

std::string attribute(std::string_view element, std::string_view name) {
  const std::string before = ' ' + std::string(name) + "=\"";
  const std::size_t at = element.find(before);
  if (at == std::string_view::npos) return "";
  const std::size_t begin = at + before.size();
  return std::string(element.substr(begin, element.find('"', begin) - begin));
}

double number(std::string_view element, std::string_view name) {
  return std::atof(attribute(element, name).c_str());
}

struct Element {
  std::string tag;     ///< all of `<text …>`
  std::string inside;  ///< up to the next tag
};

// Reads as an XML parser would, and fails at what one would not take: a tag that is not closed, a
// bare `&` or `<`, a quote that is missing, a control byte.
std::vector<Element> elements_of(const std::string& svg) {
  std::vector<Element> found;
  std::vector<std::string> open;
  std::size_t at = 0;
  while (at < svg.size()) {
    const std::size_t begin = svg.find('<', at);
    if (begin == std::string::npos) break;
    std::size_t end = begin;
    bool quoted = false;
    while (++end < svg.size() && (quoted || svg[end] != '>')) {
      REQUIRE(svg[end] != '<');
      if (svg[end] == '"') quoted = !quoted;
    }
    REQUIRE(end < svg.size());
    const std::string tag = svg.substr(begin, end - begin + 1);
    const std::string name = tag.substr(1, tag.find_first_of(" />", 2) - 1);
    const std::size_t next = std::min(svg.find('<', end), svg.size());
    const std::string inside = svg.substr(end + 1, next - end - 1);
    for (std::size_t i = 0; (i = inside.find('&', i)) != std::string::npos; ++i) {
      const std::string_view rest = std::string_view(inside).substr(i);
      const std::array<std::string_view, 4> known = {"&amp;", "&lt;", "&gt;", "&quot;"};
      CHECK(std::ranges::any_of(known, [&](auto one) { return rest.starts_with(one); }));
    }
    if (tag.starts_with("</")) {
      REQUIRE(!open.empty());
      CHECK("</" + open.back() + '>' == tag);
      open.pop_back();
    } else {
      found.push_back({tag, inside});
      if (!tag.ends_with("/>")) open.push_back(name);
    }
    at = end + 1;
  }
  CHECK(open.empty());
  CHECK(std::ranges::none_of(
      svg, [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; }));
  return found;
}

// Every text is held to a width, lies in the picture, and no two stand on the same place.
void check_texts(const std::string& svg) {
  struct Box {
    double left, right, top, bottom;
    std::string what;
  };
  const std::vector<Element> elements = elements_of(svg);
  REQUIRE(!elements.empty());
  const double width = number(elements.front().tag, "width");
  const double height = number(elements.front().tag, "height");
  std::vector<Box> boxes;
  for (const auto& [tag, inside] : elements) {
    if (!tag.starts_with("<text")) continue;
    const double size = tag.find("small") != std::string::npos ? 11 : 12;
    double wide = number(tag, "textLength");
    if (tag.find("code") == std::string::npos) {
      wide = 9 * static_cast<double>(kit::width_of(inside));  // the title: at most
    }
    CHECK(wide > 0);
    const double x = number(tag, "x");
    const double y = number(tag, "y");
    const bool ends = attribute(tag, "text-anchor") == "end";
    const Box box{ends ? x - wide : x, ends ? x : x + wide, y - size * 0.8, y + size * 0.2, inside};
    INFO(inside);
    CHECK(box.left >= 0);
    CHECK(box.right <= width);
    CHECK(box.bottom <= height);
    for (const Box& other : boxes) {
      const bool apart = box.right <= other.left || other.right <= box.left ||
                         box.bottom <= other.top || other.bottom <= box.top;
      INFO(other.what);
      CHECK(apart);
    }
    boxes.push_back(box);
  }
}

}  // namespace

TEST_CASE("a replay can be written and read back, whatever bytes are in it") {
  kit::Replay replay = wrong_echo();
  std::string every;
  for (int value = 0; value < 256; ++value) every += static_cast<char>(value);
  replay.title = every;
  replay.events[5].data = every;
  replay.events[5].injected = true;
  replay.events[6].returned = false;
  replay.lost = 12;
  const auto again = kit::Replay::parse(replay.text());
  REQUIRE(again);
  CHECK(again->text() == replay.text());
  CHECK(again->title == every);
  CHECK(again->events[5].data == every);
  CHECK(again->events[5].injected);
  CHECK(!again->events[6].returned);
  CHECK(again->events.size() == replay.events.size());
  CHECK(again->lost == 12);
}

TEST_CASE("what is no replay is not read as one") {
  const std::string whole = wrong_echo().text();
  CHECK(!kit::Replay::parse(""));
  CHECK(!kit::Replay::parse("kit-show 2\n"));
  CHECK(!kit::Replay::parse(whole.substr(0, whole.size() - 1)));
  CHECK(!kit::Replay::parse(whole + "act\tnow\t\tsent\tx\n"));
  CHECK(!kit::Replay::parse(whole + "act\t1\n"));
  CHECK(!kit::Replay::parse(whole + "shout\t1\n"));
  CHECK(!kit::Replay::parse(whole + "partner\t\\q\n"));
  // Never more than nothing, wherever it ends.
  for (std::size_t size = 0; size < whole.size(); ++size) {
    (void)kit::Replay::parse(whole.substr(0, size));
  }
}

TEST_CASE("processes and threads have lanes of their own") {
  kit::Replay replay = wrong_echo();
  replay.programs.push_back({"server 2", 300});
  replay.events.push_back(call(8, "recv", 4, 0, "", 100, 101));
  replay.events.push_back(call(9, "recv", 4, 0, "", 200, 200));
  replay.events.push_back(call(9, "recv", 4, 0, "", 100, 102));
  replay.events.push_back(call(9, "recv", 4, 0, "", 200, 201));
  const kit::Callers callers(replay);
  CHECK(callers.names() == std::vector<std::string>{"server", "server thread 2", "server child 1",
                                                    "server thread 3", "server child 1 thread",
                                                    "server 2"});
  CHECK(callers.of(replay.events[1]) == 0);
  CHECK(callers.of(replay.events[9]) == 2);
}

TEST_CASE("alike events are one row, and of a long story the first and the last are shown") {
  kit::Replay replay = wrong_echo();
  for (int i = 0; i < 500; ++i) replay.events.push_back(call(10 + i, "recv", 4, -1));
  auto rows = kit::rows_of(replay, 60);
  REQUIRE(rows.size() == 9);
  CHECK(rows.back().times == 500);
  for (int i = 0; i < 500; ++i) replay.events.push_back(call(600 + i, "recv", 4, i));
  rows = kit::rows_of(replay, 60);
  REQUIRE(rows.size() == 60);
  CHECK(rows.front().first == 0);
  CHECK(rows.back().last == replay.events.size() - 1);
  std::size_t events = 0;
  for (const kit::ReplayRow& row : rows) events += row.left_out > 0 ? row.left_out : row.times;
  CHECK(events == replay.events.size());
  CHECK(std::ranges::count_if(rows, [](const auto& row) { return row.left_out > 0; }) == 1);
}

TEST_CASE("arrows lead from who gave bytes to who took them") {
  const kit::Replay replay = wrong_echo();
  const auto arrows = kit::arrows_of(replay);
  REQUIRE(arrows.size() == 2);
  CHECK(arrows[0].from == 4);
  CHECK(arrows[0].to == 5);
  CHECK(arrows[0].to_program);
  CHECK(arrows[0].label == "\"hello\\n\"");
  CHECK(arrows[1].from == 6);
  CHECK(arrows[1].to == 7);  // the fault: what it got
  CHECK(!arrows[1].to_program);
}

TEST_CASE("of two clients each has its own arrows, and what nobody reads has an open end") {
  kit::Replay replay = wrong_echo();
  replay.expected.clear();
  replay.got.clear();
  replay.partners = {"client 1", "client 2"};
  replay.events = {act(0, "client 1", "opened", "a connection"),
                   act(1, "client 2", "opened", "a connection"),
                   act(2, "client 2", "sent", "\"two\" (3 bytes)"),
                   act(3, "client 1", "sent", "\"one\" (3 bytes)"),
                   call(4, "accept", 3, 4),
                   call(5, "accept", 3, 5),
                   call(6, "recv", 5, 2, "tw"),
                   call(7, "recv", 4, 3, "one"),
                   call(8, "recv", 5, 1, "o"),
                   act(9, "client 1", "sent", "\"more\" (4 bytes)"),
                   act(10, "client 2", "sent", "end of file"),
                   call(11, "recv", 5, 0)};
  const auto arrows = kit::arrows_of(replay);
  std::map<std::size_t, std::vector<int>> to;
  for (const kit::Arrow& arrow : arrows) {
    to[arrow.from].push_back(arrow.to ? static_cast<int>(*arrow.to) : -1);
  }
  CHECK(to[2] == std::vector<int>{6, 8});
  CHECK(to[3] == std::vector<int>{7});
  CHECK(to[9] == std::vector<int>{-1});
  CHECK(to[10] == std::vector<int>{11});
}

TEST_CASE("datagrams are known by what they hold") {
  kit::Replay replay = wrong_echo();
  replay.events = {act(0, "client 1", "sent", "datagram \"b\" (1 byte)"),
                   act(1, "client 1", "sent", "datagram \"a\" (1 byte)"),
                   call(2, "recvfrom", 3, 1, "a"), call(3, "sendto", 3, 1, "A"),
                   act(4, "client 1", "received", "datagram \"A\" (1 byte)")};
  const auto arrows = kit::arrows_of(replay);
  REQUIRE(arrows.size() == 3);
  CHECK(arrows[0].from == 0);
  CHECK(!arrows[0].to);
  CHECK(arrows[1].to == 2);
  CHECK(arrows[2].to == 4);
}

TEST_CASE("a picture is whole, for light and dark, and no text leaves its place") {
  const std::string svg = kit::picture_of(wrong_echo());
  check_texts(svg);
  CHECK(svg.find("prefers-color-scheme: dark") != std::string::npos);
  CHECK(svg.find("http", svg.find("xmlns") + 40) == std::string::npos);  // nothing from elsewhere
  CHECK(svg.find("here it fails") != std::string::npos);
  CHECK(svg.find("&lt;upper&gt;") != std::string::npos);
  CHECK(svg.find("\"client 1\"") == std::string::npos);
  CHECK(svg.find(">the check, client 1<") != std::string::npos);
  CHECK(svg.find("</text>") != std::string::npos);
}

TEST_CASE("a picture of many partners, threads and long words stays in its columns") {
  kit::Replay replay = wrong_echo();
  replay.title = std::string(300, 'W');
  replay.expected = '"' + std::string(300, 'W') + '"';
  for (int i = 2; i < 30; ++i) {
    const std::string name = "client " + std::to_string(i);
    replay.partners.push_back(name);
    replay.events.push_back(act(10 * i, name, "opened", "a connection"));
    replay.events.push_back(
        act(10 * i, name, "sent", '"' + std::string(60, 'x') + "\" (60 bytes)"));
    replay.events.push_back(call(10 * i, "recv", i, 60, std::string(48, 'x'), 100, 100 + i));
    replay.events.back().text = "recv(" + std::string(80, '9') + ") = 60 \"\\x1b<&…\" (injected)";
    replay.events.back().injected = true;
  }
  const std::string svg = kit::picture_of(replay);
  check_texts(svg);
  CHECK(svg.find("(injected)</text>") == std::string::npos);  // cut, so it has a title …
  CHECK(svg.find("(injected)<title>") != std::string::npos);  // … and still says so
  CHECK(svg.find("more events") != std::string::npos);
}

TEST_CASE("a picture of nothing is a picture") {
  check_texts(kit::picture_of({}));
  kit::Replay replay;
  replay.events = {act(0, "", "started", "server")};
  check_texts(kit::picture_of(replay));
}
