// What is taken of a submission, and what is said of the rest.

#include "submission.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "course.hpp"
#include "harness/base/catch.hpp"
#include "options.hpp"
#include "proof/folder.hpp"

namespace {

namespace fs = std::filesystem;

const kit::Manifest& manifest() {
  static const kit::Manifest one = kit::Manifest::parse(
      "kit\t1\n"
      "lesson\t01_tcp_echo\ta server\n"
      "program\tserver\tserver.cpp\n"
      "program\tclient\tclient.cpp\n"
      "slot\ttcp_server.cpp\n"
      "task\t01.A\tclient.cpp\trun\n"
      "step\t01.1\t8\tcore\tclient\tchecked\t60\t01.A\tsends\n"
      "step\t01.2\t6\tcore\tclient\tchecked\t60\t01.A\treceives\n",
      "manifest");
  return one;
}

struct Place {
  kit::TemporaryFolder folder;
  fs::path work = folder.path() / "class" / "anna";
  fs::path lesson = work / "lessons" / "01_tcp_echo";
  fs::path into = folder.path() / "into";

  Place() {
    fs::create_directories(lesson);
    fs::create_directories(into);
  }
  static void write(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  kit::Taken take(bool alone = false) const {
    return kit::take_lesson({work, "anna", false}, manifest().lessons()[0], into, alone);
  }
};

}  // namespace

TEST_CASE("The lesson's own files are taken, and nothing else") {
  const Place place;
  place.write(place.lesson / "server.cpp", "int x;\n");
  place.write(place.lesson / "helper.hpp", "int y;\n");
  place.write(place.lesson / "README.md", "page\n");
  const kit::Taken taken = place.take();
  CHECK(taken.files == std::vector<std::string>{"server.cpp"});
  CHECK(fs::exists(place.into / "server.cpp"));
  CHECK_FALSE(fs::exists(place.into / "helper.hpp"));
  REQUIRE(taken.notes.size() == 1);
  CHECK(taken.notes[0] ==
        "In lessons/01_tcp_echo only the lesson's own files are taken, and not helper.hpp.");
}

TEST_CASE("Links, pipes, folders and huge files are one sentence each") {
  const Place place;
  fs::create_symlink("/etc/passwd", place.lesson / "server.cpp");
  REQUIRE(mkfifo((place.lesson / "client.cpp").c_str(), 0600) == 0);
  place.write(place.lesson / "tcp_server.cpp", "");
  REQUIRE(truncate((place.lesson / "tcp_server.cpp").c_str(), 5'000'000'000) == 0);
  const kit::Taken taken = place.take();
  CHECK_FALSE(taken.anything);
  REQUIRE(taken.notes.size() == 4);
  CHECK(taken.notes[0] == "lessons/01_tcp_echo/client.cpp is a pipe, no file.");
  CHECK(taken.notes[1] ==
        "lessons/01_tcp_echo/server.cpp is a link, no file: links are not followed.");
  CHECK(taken.notes[2] ==
        "lessons/01_tcp_echo/tcp_server.cpp has 5,000,000,000 bytes; a file of more than 1 MiB "
        "is not taken.");
  CHECK(taken.notes[3] == "There is none of the lesson's files in lessons/01_tcp_echo.");
}

TEST_CASE("A second name of a secret file is not taken") {
  const Place place;
  place.write(place.work / "secret", "hash\n");
  REQUIRE(chmod((place.work / "secret").c_str(), 0600) == 0);
  fs::create_hard_link(place.work / "secret", place.lesson / "server.cpp");
  const kit::Taken taken = place.take();
  CHECK_FALSE(taken.anything);
  CHECK(taken.notes.at(0).find("another name for a file that not everybody may read") !=
        std::string::npos);
}

TEST_CASE("Missing and linked folders are one sentence") {
  const Place place;
  SECTION("no lessons") {
    fs::remove_all(place.work / "lessons");
    CHECK(place.take().notes == std::vector<std::string>{"There is no folder lessons."});
  }
  SECTION("no lesson") {
    fs::remove_all(place.lesson);
    CHECK(place.take().notes ==
          std::vector<std::string>{"There is no folder lessons/01_tcp_echo."});
  }
  SECTION("a link to the solutions") {
    fs::remove_all(place.lesson);
    fs::create_symlink("/", place.lesson);
    CHECK(place.take().notes ==
          std::vector<std::string>{"lessons/01_tcp_echo is a link, no folder: links are not "
                                   "followed."});
  }
  SECTION("a file where the folder should be") {
    fs::remove_all(place.work / "lessons");
    place.write(place.work / "lessons", "");
    CHECK(place.take().notes == std::vector<std::string>{"lessons is a file, no folder."});
  }
  SECTION("files at the top, for a receiver that takes single files") {
    fs::remove_all(place.work / "lessons");
    place.write(place.work / "server.cpp", "int x;\n");
    CHECK(place.take(true).files == std::vector<std::string>{"server.cpp"});
  }
}

TEST_CASE("A class is a folder of folders, some of them empty or links") {
  const Place place;
  fs::create_directories(place.work.parent_path() / "ben");
  fs::create_directory_symlink(place.work, place.work.parent_path() / "carl");
  fs::create_directories(place.work.parent_path() / ".git");
  const auto all = kit::submissions_in(place.work.parent_path());
  REQUIRE(all.size() == 3);
  CHECK(all[0].name == "anna");
  CHECK(all[1].name == "ben");
  CHECK(all[2].is_link);
  REQUIRE(kit::submissions_in(place.work).size() == 1);
  CHECK(kit::submissions_in(place.work)[0].name == "anna");
  CHECK_THROWS(kit::submissions_in(place.work / "nowhere"));
}

TEST_CASE("Odd names become plain ones") {
  CHECK(kit::plain_submission_name("Anna M\xC3\xBCller") == "Anna M\xC3\xBCller");
  CHECK(kit::plain_submission_name("a\n\x1B[2Jb/\xFF") == "a__[2Jb__");
  CHECK(kit::plain_submission_name("..") == "_");
  CHECK(kit::plain_submission_name("class.csv") == "class.csv_");
  CHECK(kit::plain_submission_name("anna\xE2\x80\xAE"
                                   "fdp.cpp") == "anna_fdp.cpp");
  CHECK(kit::plain_submission_name("\xC2\x9B"
                                   "2J\xE2\x80\x8B") == "_2J_");
  CHECK(kit::plain_submission_name(".kit") == ".kit_");
  CHECK(kit::plain_submission_name(std::string(4000, 'x')).size() <= 120);
}

TEST_CASE("Changed build files, tests and common/ are named") {
  const Place place;
  const fs::path kit = place.folder.path() / "kit";
  place.write(kit / "CMakeLists.txt", "project(x)\n");
  place.write(kit / "common" / "a.hpp", "int a;\n");
  place.write(place.work / "CMakeLists.txt", "message(evil)\n");
  place.write(place.work / "common" / "a.hpp", "int a;\n");
  place.write(place.work / "tests" / "mine.cpp", "");
  fs::create_symlink("/", place.work / "tests" / "link");
  const auto notes = kit::ignored_files({place.work, "anna", false}, kit);
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].ends_with("were ignored: CMakeLists.txt, tests/link, tests/mine.cpp."));
}

TEST_CASE("A course's own weights, points and deadline") {
  const auto course = kit::Course::parse(
      "# winter\nlesson 01 weight 2  # twice\nstep 01.2 points 0.5\ndeadline 2026-12-01 23:59\n"
      "late 80\n",
      "course.txt", manifest());
  const kit::Lesson& lesson = manifest().lessons()[0];
  CHECK(course.points_of(lesson, lesson.steps[0]) == 16);
  CHECK(course.points_of(lesson, lesson.steps[1]) == 1);
  CHECK(course.late == 80);
  REQUIRE(course.deadline);
  CHECK(kit::time_text(*course.deadline) == "2026-12-01 23:59");
  for (const char* wrong : {"lesson 09", "lesson 01 twice", "step 01.9 points 3", "late 101",
                            "deadline soon", "weights 3", "lesson 01 weight -1"}) {
    INFO(wrong);
    CHECK_THROWS(kit::Course::parse(wrong, "course.txt", manifest()));
  }
}

TEST_CASE("Options: what is wrong is named") {
  const auto options = kit::read_options({"a", "b", "--out", "o", "--lesson", "01", "--jobs", "2"});
  CHECK(options.submissions.size() == 2);
  CHECK(options.jobs == 2);
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"a"},
                                                {"--out", "o"},
                                                {"a", "--out"},
                                                {"a", "--out", "o", "--jobs", "0"},
                                                {"a", "--out", "o", "--what"},
                                                {"a", "--out", "o", "--format", "word"},
                                                {"a", "--out", "o", "--seed", "-1"},
                                                {"--convert", "x"}}) {
    CHECK_THROWS_AS(kit::read_options(wrong), kit::UsageError);
  }
}
