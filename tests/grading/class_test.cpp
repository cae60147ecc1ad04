// The class as its teacher sees it, known wrong answers, and a class in parts.

#include <cstdlib>
#include <fstream>

#include "class_view.hpp"
#include "harness/base/catch.hpp"
#include "merge.hpp"
#include "proof/folder.hpp"
#include "shard.hpp"

namespace {

constexpr const char* lesson_name = "01_tcp_echo";

/// The known answers of these tests. Two have the same steps and tell themselves apart by words.
constexpr const char* table =
    "answer\tone-recv\t01.2\tOne recv is taken for one message.\n"
    "red\t01.2\tOne recv() was taken for one message.\n"
    "said\t01.2 a message\n"
    "said\t  what happened\n"
    "said\t    1. sent     \"hello \" (6 bytes)\n"
    "said\t    2. expected \"HELLO \" (6 bytes)\n"
    "red\t01.3\tAll bytes that one recv() returns are answered.\n"
    "answer\tfirst-line\t01.3\tOnly the first line is answered.\n"
    "red\t01.3\tAll bytes that one recv() returns are answered.\n"
    "answer\tno-reuse\t01.4\tSO_REUSEADDR is not set.\n"
    "red\t01.4\tThe old connection is in TIME_WAIT and keeps the port 4711.\n"
    "answer\twrong-option\t01.4\tAnother option is set.\n"
    "red\t01.4\tAn option of the socket is not what the attribute says.\n"
    "answer\tno-option\t01.4\tNo option is set.\n"
    "red\t01.4\tAn option of the socket is not what the attribute says.\n";

kit::StepGrade step(const std::string& id, const std::string& cause = {}) {
  kit::StepGrade one;
  one.id = id;
  one.title = "does <what> it should";
  one.max = 25;
  one.points = cause.empty() ? 25 : 0;
  one.status = cause.empty() ? "pass" : "fail";
  one.cause = cause;
  one.program = "server";
  return one;
}

/// A grade of four steps; causes of those that are red.
kit::Grade grade(const std::string& name, const std::map<std::string, std::string>& causes) {
  kit::Grade one;
  one.kit = "1.0.0";
  one.seed = 7;
  one.submission = name;
  one.complete = true;
  kit::LessonGrade lesson;
  lesson.lesson = lesson_name;
  for (const char* id : {"01.1", "01.2", "01.3", "01.4"}) {
    const auto cause = causes.find(id);
    lesson.steps.push_back(step(id, cause == causes.end() ? "" : cause->second));
  }
  lesson.add_up();
  one.lessons.push_back(lesson);
  return one;
}

const std::map<std::string, std::string> one_recv{
    {"01.2", "One recv() was taken for one message."},
    {"01.3", "All bytes that one recv() returns are answered."}};

kit::ClassInput sample() {
  kit::ClassInput input;
  input.grades = {
      grade("anna", {}), grade("bert & <i>", one_recv),
      grade("cem", {{"01.4", "The old connection is in TIME_WAIT and keeps the port 9."}}),
      grade("dora", one_recv),
      grade("emil", {{"01.1", "not written: connect_to (01.A)"},
                     {"01.2", "not written: connect_to (01.A)"}})};
  input.titles[lesson_name] = "a server";
  input.known[lesson_name] = kit::KnownAnswers::parse(table);
  return input;
}

kit::Resemblance like(const std::map<std::string, std::string>& causes) {
  return kit::KnownAnswers::parse(table).of(grade("x", causes).lessons[0]);
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

using Values = std::map<std::string, std::string>;

/// Variables of engines, put back at the end.
class Variables {
 public:
  explicit Variables(const Values& values) {
    for (const char* name :
         {"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MAX", "CI_NODE_INDEX",
          "CI_NODE_TOTAL", "JOB_COMPLETION_INDEX"}) {
      const char* const value = std::getenv(name);
      before_[name] = value == nullptr ? "" : value;
      unsetenv(name);
    }
    for (const auto& [name, value] : values) setenv(name.c_str(), value.c_str(), 1);
  }
  ~Variables() {
    for (const auto& [name, value] : before_) {
      unsetenv(name.c_str());
      if (!value.empty()) setenv(name.c_str(), value.c_str(), 1);
    }
  }
  Variables(const Variables&) = delete;
  Variables& operator=(const Variables&) = delete;

 private:
  Values before_;
};

}  // namespace

TEST_CASE(
    "a submission behaves like the known answer that fails the same steps in the same words") {
  const kit::Resemblance both = like(one_recv);
  REQUIRE(both.nearest.size() == 1);
  CHECK(both.nearest[0].answer->name == "one-recv");
  CHECK_FALSE(both.besides);

  const kit::Resemblance line = like({{"01.3", "All bytes that one recv() returns are answered."}});
  REQUIRE(line.nearest.size() == 1);
  CHECK(line.nearest[0].answer->name == "first-line");

  const kit::Resemblance reuse =
      like({{"01.4", "The old connection is in TIME_WAIT and keeps the port 12."}});
  REQUIRE(reuse.nearest.size() == 1);
  CHECK(reuse.nearest[0].answer->name == "no-reuse");
}

TEST_CASE("known answers that say the same are named together") {
  const kit::Resemblance option =
      like({{"01.4", "An option of the socket is not what the attribute says."}});
  REQUIRE(option.nearest.size() == 2);
  CHECK(option.nearest[0].answer->name == "wrong-option");
  CHECK(option.nearest[1].answer->name == "no-option");
}

TEST_CASE("two faults are two known answers") {
  auto causes = one_recv;
  causes["01.4"] = "The old connection is in TIME_WAIT and keeps the port 12.";
  const kit::Resemblance two = like(causes);
  REQUIRE(two.nearest.size() == 1);
  CHECK(two.nearest[0].answer->name == "one-recv");
  REQUIRE(two.besides);
  CHECK(two.besides->answer->name == "no-reuse");
}

TEST_CASE("what passed, is not written, or fails in a way of its own behaves like nothing known") {
  CHECK(like({}).nearest.empty());
  CHECK(like({{"01.2", "not written: EchoHandler::handle (01.E)"}}).nearest.empty());
  CHECK(like({{"01.2", "does not build: error"}}).nearest.empty());
  CHECK(like({{"01.1", "The client was struck by lightning."}}).nearest.empty());
}

TEST_CASE("words that differ from run to run do not count") {
  CHECK(kit::steady_words("Port 4711 got \"xyz\" in 0x3f ms: SO_REUSEADDR") ==
        "port got in x f ms so_reuseaddr");
}

TEST_CASE("the class: the most frequent wrong answer stands first, with who gave it") {
  const kit::ClassView view(sample());
  REQUIRE(view.lessons.size() == 1);
  const auto& lesson = view.lessons[0];
  REQUIRE(lesson.groups.size() == 2);
  CHECK(lesson.groups[0].answers[0]->name == "one-recv");
  CHECK(lesson.groups[0].who == std::vector<std::string>{"bert & <i>", "dora"});
  CHECK(lesson.students[0].name == "anna");
  CHECK(lesson.median() == 50);
  CHECK(lesson.perfect() == 1);
  CHECK(lesson.distribution()[10] == 1);
  CHECK(lesson.distribution()[5] == 3);
  CHECK(lesson.steps[1].passed == 2);
  CHECK(lesson.steps[1].failed == 2);
  CHECK(lesson.steps[1].unwritten == 1);
  REQUIRE(lesson.causes.size() == 4);
  CHECK(lesson.causes[0].who.size() == 2);

  const std::string page = kit::class_html(view);
  CHECK(has(page, "2 of 5</span><div><p>One recv is taken for one message."));
  CHECK(has(page, "bert &amp; &lt;i&gt;"));
  CHECK_FALSE(has(page, "<i>"));
  CHECK(has(page, "href=\"bert%20%26%20%3Ci%3E/report.md\""));
  CHECK_FALSE(has(page, "<script"));
  CHECK(has(kit::class_markdown(view),
            "- **2 of 5**: One recv is taken for one message. (step 01.2)"));
  const kit::Json json = kit::Json::parse(kit::class_json(view).text());
  CHECK(json["lessons"][0]["wrong_answers"][0]["submissions"].array().size() == 2);
  CHECK(json["lessons"][0]["students"][0]["steps"]["01.4"].string() == "pass");
}

TEST_CASE("a class without names says nobody's, in no file") {
  kit::ClassInput input = sample();
  input.anonymous = true;
  input.not_graded = {"franz"};
  const kit::ClassView view(input);
  for (const std::string& text :
       {kit::class_html(view), kit::class_markdown(view), kit::class_json(view).text()}) {
    for (const char* name : {"anna", "bert", "cem", "dora", "emil", "franz"}) {
      CHECK_FALSE(has(text, name));
    }
    CHECK(has(text, "submission 1"));
  }
}

TEST_CASE("the way from the first hand-in to the last") {
  kit::ClassInput input = sample();
  input.grades[1].hand_ins = {{"2026-12-01 10:00", 25}, {"2026-12-02 12:30", 50}};
  const kit::ClassView view(input);
  REQUIRE(view.ways.size() == 1);
  CHECK(view.ways[0].hours() == 26.5);
  CHECK(has(kit::class_html(view), "26.5"));
  const kit::Grade again = kit::Grade::from_json(input.grades[1].json());
  REQUIRE(again.hand_ins.size() == 2);
  CHECK(again.hand_ins[1].time == "2026-12-02 12:30");
}

TEST_CASE("who is not graded is named, and counts nowhere") {
  kit::ClassInput input = sample();
  input.grades[1].complete = false;
  const kit::ClassView view(input);
  CHECK(view.submissions == 4);
  CHECK(view.not_graded == std::vector<std::string>{"bert & <i>"});
  CHECK(view.lessons[0].students.size() == 4);
}

TEST_CASE("a part is told by its number or by the engine") {
  {
    const Variables none{Values{}};
    CHECK(kit::read_shard("3/6").index == 3);
    CHECK(kit::read_shard("3/6").count == 6);
    for (const char* wrong :
         {"", "3", "0/6", "7/6", "3/", "/6", "a/b", "-1/6", "3/6/7", "auto/x"}) {
      INFO(wrong);
      CHECK_THROWS_AS(kit::read_shard(wrong), kit::UsageError);
    }
    CHECK_THROWS_AS(kit::read_shard("auto"), kit::UsageError);
  }
  {
    const Variables slurm{Values{{"SLURM_ARRAY_TASK_ID", "2"},
                                 {"SLURM_ARRAY_TASK_COUNT", "4"},
                                 {"SLURM_ARRAY_TASK_MAX", "4"}}};
    CHECK(kit::read_shard("auto").index == 2);
    CHECK(kit::read_shard("auto").count == 4);
    CHECK(kit::read_shard("auto/8").count == 8);
  }
  {
    // One task, started again alone: how many there are is not to be guessed from that.
    const Variables again{Values{{"SLURM_ARRAY_TASK_ID", "3"},
                                 {"SLURM_ARRAY_TASK_COUNT", "1"},
                                 {"SLURM_ARRAY_TASK_MAX", "3"}}};
    CHECK_THROWS_AS(kit::read_shard("auto"), kit::UsageError);
    CHECK(kit::read_shard("auto/4").index == 3);
  }
  {
    const Variables gitlab{Values{{"CI_NODE_INDEX", "5"}, {"CI_NODE_TOTAL", "6"}}};
    CHECK(kit::read_shard("auto").index == 5);
    CHECK(kit::read_shard("auto").count == 6);
  }
  {
    const Variables kubernetes{Values{{"JOB_COMPLETION_INDEX", "0"}}};
    CHECK(kit::read_shard("auto/6").index == 1);
    CHECK_THROWS_AS(kit::read_shard("auto"), kit::UsageError);
  }
}

TEST_CASE("parts are of about one size, and nobody is in two") {
  std::vector<std::size_t> sizes(10);
  for (int i = 0; i < 5000; ++i) {
    const std::size_t part = kit::shard_of("student" + std::to_string(i), sizes.size());
    REQUIRE(part >= 1);
    REQUIRE(part <= sizes.size());
    ++sizes[part - 1];
    CHECK(kit::shard_of("student" + std::to_string(i), sizes.size()) == part);
  }
  for (const std::size_t size : sizes) {
    CHECK(size > 400);
    CHECK(size < 600);
  }
}

TEST_CASE("parts are joined; what is missing is named and gets no grade") {
  namespace fs = std::filesystem;
  const kit::TemporaryFolder folder;
  const fs::path root = folder.path();
  const std::vector<kit::Grade> all = sample().grades;
  std::vector<std::string> names;
  for (const kit::Grade& one : all) names.push_back(one.submission);

  constexpr std::size_t count = 3;
  kit::Options options;
  for (std::size_t i = 1; i <= count; ++i) {
    kit::Options of_part;
    of_part.out = root / ("part-" + std::to_string(i));
    kit::Book book(of_part, {}, {});
    book.open();
    book.seed(7);
    kit::write_part(book.folder(), {{i, count}, "sum", names});
    for (const kit::Grade& one : all) {
      if (kit::shard_of(one.submission, count) == i) book.write(one, "checks", true);
    }
    options.merged.push_back(of_part.out);
  }
  const auto merge_into = [&](const char* out) {
    options.out = root / out;
    kit::Book book(options, {}, {});
    book.open();
    return kit::merge(options, book);
  };
  const auto line_of = [&](const char* out, const std::string& name) {
    std::ifstream in(root / out / "class.csv");
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with(name + ",")) return line;
    }
    return std::string();
  };

  CHECK_FALSE(merge_into("whole"));  // not everybody has passed
  for (const kit::Grade& one : all) {
    CHECK(fs::exists(root / "whole" / one.submission / "report.md"));
  }
  CHECK(line_of("whole", "anna") == "anna,100,100,100,");

  // The same part twice, and one that has not come to its end.
  const std::size_t of_anna = kit::shard_of("anna", count);
  const fs::path first = options.merged[of_anna - 1];
  options.merged.push_back(first);
  merge_into("twice");
  CHECK(line_of("twice", "anna") == "anna,100,100,100,");
  options.merged.pop_back();
  fs::remove(first / ".kit" / "grades" / "anna.json");
  CHECK_FALSE(merge_into("incomplete"));
  CHECK(line_of("incomplete", "anna").empty());
  CHECK(line_of("incomplete", "dora") == line_of("whole", "dora"));
  CHECK_FALSE(fs::exists(root / "incomplete" / "anna"));

  options.merged.erase(options.merged.begin() + static_cast<std::ptrdiff_t>(of_anna - 1));
  CHECK_FALSE(merge_into("missing"));
  CHECK(line_of("missing", "anna").empty());

  kit::write_part(options.merged[0], {{of_anna == 1 ? 2u : 1u, count}, "another", names});
  CHECK_THROWS_AS(merge_into("other"), kit::UsageError);
}
