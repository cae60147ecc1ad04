// kit-hostile: hands in one hostile or broken submission of tests/hostile/, and a right one after
// it, and looks whether the grades are what they should be and nothing has escaped.
//
//   build/kit-hostile fork-bomb
//
// A submission is a folder: files that take the place of the solution's, and about.txt:
//
//   sentence  what it does
//   lesson    03                   whose files these are (01)
//   needs     Landlock             in the words of `kit-cell isolation`; where the machine has it
//                                  not, that is said (exit 77)
//   steps     01.1 01.4            only these are run
//   lost      01.4                 these earn nothing …
//   kept      01.1                 … and these all that they are worth
//   says      some words           in the report of each step that is lost
//   broken    yes                  what is lost does not build (else it must have been run)
//   note      some words           in a note of the grade
//   hidden    root:                words that may stand nowhere in what is written
//   make      fifo server.cpp      an odd file: fifo, link FILE TARGET, twin FILE TARGET (a hard
//   link),
//                                  copy FILE TARGET, old FILE, remove, empty, huge, folder
//   top       link report.md FILE  the same at the top of the submission
//   swap      server.cpp FILE      once grading has begun, FILE is put in its place
//   course    late 80              a line of a course file
//   times     NAME,2026-12-01 …    a line of --submitted-from; *: for the next one
//   absent    some words           that may not stand in class.csv
//   out       class                the grades go into the class's own folder, and those of the two
//                                  submissions alone are asked for
//   limits    --memory 256         more words for kit-cell
//   deadline  5000                 of one event, in ms (2,000)
//   name      text                 what the submission is called; escapes as in C
//   next      text                 … and the right one after it
//   place     build                all of it lies in the build folder (hard links need that)
//   called    text                 … by the kit (what it is called, if not said)
//
// A file class/… goes beside the submissions, kit/… to the top of the submission. A submission that
// differs from the solution in a few lines says only these, in differs.cmake (the form:
// tests/cmake/mutants.cmake).
// In sources @ROOT@ is the kit's folder, @BUILD@ its build folder, @MARK@ a name that no other run
// uses. Whatever a hostile program does it does within bounds: a hole in the containment is found
// by a test that fails, not by a machine that does.

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "grading/grade.hpp"
#include "harness/base/escape.hpp"
#include "harness/base/sources.hpp"
#include "harness/kernel/proc.hpp"
#include "harness/processes/sandbox.hpp"
#include "proof/command.hpp"
#include "proof/mutant.hpp"

namespace {

namespace fs = std::filesystem;

/// A daemon of tests/hostile listens here.
constexpr std::uint16_t daemon_port = 18999;
/// One submission of one lesson, whatever it does.
constexpr double most_seconds = 90;
/// What ctest takes for "not decided here".
constexpr int cannot_run = 77;

struct About {
  std::map<std::string, std::vector<std::string>> lines;

  explicit About(const fs::path& file) {
    std::ifstream in(file);
    if (!in) throw std::runtime_error("there is no " + file.string());
    for (std::string line; std::getline(in, line);) {
      std::istringstream words(line);
      std::string key;
      if (!(words >> key)) continue;
      std::string rest;
      std::getline(words >> std::ws, rest);
      lines[key].push_back(rest);
    }
  }
  std::vector<std::string> all(const std::string& key) const {
    const auto found = lines.find(key);
    return found == lines.end() ? std::vector<std::string>{} : found->second;
  }
  std::string one(const std::string& key, const std::string& otherwise = "") const {
    const auto values = all(key);
    return values.empty() ? otherwise : values.front();
  }
  std::vector<std::string> words(const std::string& key) const {
    std::istringstream in(one(key));
    std::vector<std::string> result;
    for (std::string word; in >> word;) result.push_back(word);
    return result;
  }
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// A process that a submission would end if it could: not of its user, and not below its check.
class Canary {
 public:
  Canary() : pid_(fork()) {
    if (pid_ == 0) {
      for (;;) pause();
    }
  }
  ~Canary() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Canary(const Canary&) = delete;
  Canary& operator=(const Canary&) = delete;
  bool sings() const { return waitpid(pid_, nullptr, WNOHANG) == 0; }

 private:
  pid_t pid_;
};

bool is_empty_folder(const fs::directory_entry& entry) {
  return !entry.is_symlink() && entry.is_directory() && fs::is_empty(entry);
}

bool port_is_free() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(daemon_port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool free = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return free;
}

class Trial {
 public:
  Trial(const std::string& name)
      : root_(KIT_ROOT_FOLDER),
        build_(KIT_BUILD_FOLDER),
        source_(root_ / "tests" / "hostile" / name),
        about_(source_ / "about.txt"),
        name_(about_.one("name", name)),
        next_(unescaped(about_.one("next", "~next"))),
        lesson_(folder_of_lesson(about_.one("lesson", "01"))) {
    // A hard link is possible on one file system alone.
    std::string pattern = about_.one("place") == "build"
                              ? (build_ / "grading" / "kit-trial-XXXXXX").string()
                              : "/tmp/kit-trial-XXXXXX";
    fs::create_directories(fs::path(pattern).parent_path());
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = pattern;
    chmod(folder_.c_str(), 0755);
    mark_ = "mark-" + folder_.filename().string();
  }
  ~Trial() { kit::remove_tree(folder_.string()); }

  /// Whether this machine lacks what is needed to contain it; says so.
  static bool needs_more(const std::string& name) {
    const About about(fs::path(KIT_ROOT_FOLDER) / "tests" / "hostile" / name / "about.txt");
    const std::string needed = about.one("needs");
    if (needed.empty()) return false;
    const kit::Outcome cell = kit::run_command(
        {{(fs::path(KIT_BUILD_FOLDER) / "kit-cell").string(), "isolation"}, {}, "/"});
    const bool there = cell.output.find(needed) != std::string::npos;
    if (there && cell.output.find("no " + needed) == std::string::npos) return false;
    std::cout << name << ": contained only in a cell with " << needed
              << "; here there is: " << cell.output;
    return true;
  }

  bool run() {
    hand_in();
    // Open to everybody: what a submission writes here it was not given.
    std::ofstream(folder_ / "canary") << "alive\n";
    chmod((folder_ / "canary").c_str(), 0666);
    const Canary canary;
    grade();
    look_at_grades();
    expect(canary.sings(), "a process outside was ended");
    expect(kit::read_text((folder_ / "canary").string()) == "alive\n",
           "a file outside was changed");
    expect(port_is_free(), "a port is still taken");
    for (const char* place : {"/tmp", "/var/tmp", "/dev/shm"}) {
      std::error_code error;
      for (const auto& entry : fs::directory_iterator(place, error)) {
        if (entry.path().filename().string().find(mark_) != 0) continue;
        if (geteuid() != 0 && is_empty_folder(entry)) {
          fs::remove(entry, error);  // whose it is the user alone would tell, and there is one only
          continue;
        }
        expect(false, "a file is left behind: " + entry.path().string());
      }
    }
    for (const std::string& complaint : complaints_) std::cout << "  " << complaint << "\n";
    std::cout << source_.filename().string() << ": " << about_.one("sentence") << "\n  "
              << (complaints_.empty() ? "contained" : "NOT as it should be") << ", in "
              << kit::number_text(std::round(10 * seconds_) / 10) << " s\n";
    return complaints_.empty();
  }

 private:
  void expect(bool condition, const std::string& otherwise) {
    if (!condition) complaints_.push_back(otherwise);
  }

  static std::string unescaped(const std::string& text) {
    return kit::unescape(text).value_or(text);
  }

  std::string folder_of_lesson(const std::string& number) const {
    for (const auto& entry : fs::directory_iterator(root_ / "solutions")) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with(number + "_")) return name;
    }
    throw std::runtime_error("there is no solution of lesson " + number);
  }

  std::string filled(std::string text) const {
    text = replaced(std::move(text), "@ROOT@", root_.string());
    text = replaced(std::move(text), "@BUILD@", build_.string());
    text = replaced(std::move(text), "@TRIAL@", folder_.string());
    return replaced(std::move(text), "@MARK@", mark_);
  }

  /// The solution, with the hostile files in its place; and the solution itself.
  void hand_in() {
    const fs::path solution = root_ / "solutions" / lesson_;
    hostile_ = folder_ / "class" / unescaped(name_);
    for (const fs::path& student : {hostile_, folder_ / "class" / next_}) {
      fs::create_directories(student / "lessons");
      fs::copy(solution, student / "lessons" / lesson_);
    }
    const fs::path lesson = hostile_ / "lessons" / lesson_;
    for (const auto& entry : fs::recursive_directory_iterator(source_)) {
      const fs::path inside = fs::relative(entry.path(), source_);
      if (!entry.is_regular_file() || inside == "about.txt" || inside == "differs.cmake") continue;
      const std::string path = inside.string();
      const fs::path to = path.starts_with("kit/")     ? hostile_ / path.substr(4)
                          : path.starts_with("class/") ? folder_ / path
                                                       : lesson / inside;
      fs::create_directories(to.parent_path());
      std::ofstream(to) << filled(kit::read_text(entry.path().string()).value_or(""));
    }
    if (const fs::path list = source_ / "differs.cmake"; fs::exists(list)) {
      for (const kit::Mutant& one : kit::make_mutants(root_ / "tests" / "cmake" / "mutants.cmake",
                                                      list, solution, folder_ / "differs")) {
        for (const std::string& file : one.files) {
          std::ofstream(lesson / file)
              << filled(kit::read_text((one.sources / file).string()).value_or(""));
        }
      }
    }
    for (const std::string& line : about_.all("make")) make(line, lesson);
    for (const std::string& line : about_.all("top")) make(line, hostile_);
  }

  void make(const std::string& line, const fs::path& lesson) const {
    std::istringstream words(line);
    std::string kind, file, target;
    words >> kind >> file >> target;
    const fs::path path = file == "." ? lesson : lesson / file;
    if (kind == "old") {
      fs::last_write_time(path,
                          fs::file_time_type::clock::now() - std::chrono::hours(24 * 365 * 10));
      return;
    }
    fs::remove_all(path);
    if (kind == "twin") {
      fs::create_hard_link(filled(target), path);
    } else if (kind == "copy") {
      fs::copy_file(filled(target), path);
    } else if (kind == "fifo") {
      mkfifo(path.c_str(), 0644);
    } else if (kind == "link") {
      fs::create_symlink(filled(target), path);
    } else if (kind == "empty") {
      std::ofstream(path).flush();
    } else if (kind == "folder") {
      fs::create_directory(path);
    } else if (kind == "huge") {
      std::ofstream(path) << "int x;\n";
      fs::resize_file(path, std::uintmax_t{8} << 30);  // it has no blocks
    } else if (kind != "remove") {
      throw std::runtime_error("unknown: make " + line);
    }
  }

  void grade() {
    kit::Command command;
    auto& words = command.arguments;
    words = {(build_ / "kit-grade").string(), "--lesson", lesson_, "--seed", "7"};
    grades_ = folder_ / about_.one("out", "grades");
    words.insert(words.end(), {"--out", grades_.string()});
    if (about_.all("out").empty()) {
      words.push_back((folder_ / "class").string());
    } else {
      words.insert(words.end(), {hostile_.string(), (folder_ / "class" / next_).string()});
    }
    write_lines("course", "--course", words);
    write_lines("times", "--submitted-from", words);
    for (const std::string& step : about_.words("steps")) {
      command.arguments.insert(command.arguments.end(), {"--step", step});
    }
    command.environment = kit::plain_environment();
    command.environment.push_back("KIT_DEADLINE_MS=" + about_.one("deadline", "2000"));
    command.environment.push_back("KIT_GRADE_LIMITS=" + about_.one("limits"));
    if (const char* scale = std::getenv("KIT_TIME_SCALE")) {
      command.environment.push_back(std::string("KIT_TIME_SCALE=") + scale);
    }
    command.folder = folder_;
    command.time_limit = std::chrono::seconds(240);
    command.grace = std::chrono::seconds(10);
    std::jthread swapper;
    if (const auto files = about_.words("swap"); files.size() == 2) {
      swapper = std::jthread([this, files](const std::stop_token& stop) { swap(files, stop); });
    }
    said_ = kit::run_command(command);
    expect(said_.end == kit::Outcome::End::exited && (said_.code == 0 || said_.code == 1),
           "kit-grade did not end as it should:\n" + said_.output);
  }

  /// The lines of about.txt with this key as a file, and the option that names it.
  void write_lines(const std::string& key, const std::string& option,
                   std::vector<std::string>& words) const {
    if (about_.all(key).empty()) return;
    const fs::path file = folder_ / (key + ".txt");
    std::ofstream out(file);
    for (const std::string& line : about_.all(key)) out << line << '\n';
    words.insert(words.end(), {option, file.string()});
  }

  /// Everything is written at zero before anything runs: then it has been looked at.
  void swap(const std::vector<std::string>& files, const std::stop_token& stop) const {
    const fs::path lesson = hostile_ / "lessons" / lesson_;
    const fs::path begun = grades_ / hostile_.filename() / "grade.json";
    while (!stop.stop_requested() && !fs::exists(begun)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    fs::rename(lesson / files[1], lesson / files[0]);
  }

  void look_at_grades() {
    std::size_t found = 0;
    const std::string next = about_.one("called", next_);
    for (const auto& entry : fs::directory_iterator(grades_)) {
      const fs::path file = entry.path() / "grade.json";
      if (!fs::exists(file) || entry.path().filename() == "ghost") continue;
      const kit::Grade grade = kit::Grade::read(file);
      expect(grade.complete, grade.submission + ": not complete");
      ++found;
      if (grade.submission == next) {
        expect(grade.all_passed(),
               "the next submission is not graded as if it were alone:\n" +
                   kit::read_text((entry.path() / "report.md").string()).value_or(""));
      } else {
        look_at(grade, entry.path());
      }
    }
    expect(found == 2, "there are not two grades:\n" + said_.output);
    const std::string book = kit::read_text((grades_ / "class.csv").string()).value_or("");
    for (const std::string& words : about_.all("absent")) {
      expect(book.find(unescaped(words)) == std::string::npos,
             "class.csv has \"" + words + "\":\n" + book);
    }
    for (const char* control : {"\x1b", "\xe2\x80\xae"}) {
      expect((said_.output + book).find(control) == std::string::npos,
             "a character that is not to be seen is passed on");
    }
  }

  void look_at(const kit::Grade& grade, const fs::path& where) {
    std::string notes;
    for (const auto& note : grade.notes) notes += note + "\n";
    for (const auto& lesson : grade.lessons) {
      seconds_ += lesson.seconds;
      for (const auto& note : lesson.notes) notes += note + "\n";
      for (const kit::StepGrade& step : lesson.steps) look_at(step);
    }
    expect(seconds_ <= most_seconds, "it took " + kit::number_text(seconds_) + " s");
    for (const std::string& words : about_.all("note")) {
      expect(notes.find(words) != std::string::npos,
             "no note says \"" + words + "\", but:\n" + notes);
    }
    const std::string report = kit::read_text((where / "report.md").string()).value_or("");
    const std::string picture = kit::read_text((where / "picture.svg").string()).value_or("");
    for (const char* markup : {"<script", "href", "<image", "<foreignObject"}) {
      expect(picture.find(markup) == std::string::npos,
             std::string("the picture has a ") + markup + " in it");
    }
    for (const std::string& words : about_.all("hidden")) {
      expect((report + picture).find(words) == std::string::npos,
             "the report or its picture shows \"" + words + "\"");
      expect(said_.output.find(words) == std::string::npos, "kit-grade shows \"" + words + "\"");
    }
  }

  void look_at(const kit::StepGrade& step) {
    const auto names = [&](const char* key) {
      const auto words = about_.words(key);
      return std::find(words.begin(), words.end(), step.id) != words.end();
    };
    if (names("kept")) {
      expect(step.status == "pass" && step.points == step.max,
             step.id + " should keep its points:\n" + step.report);
    } else if (names("lost")) {
      expect(step.points == 0 && step.status != "pass", step.id + " should earn nothing");
      const bool unbuilt = step.cause.starts_with("does not build") ||
                           step.cause.starts_with("not written") || step.seconds == 0;
      expect(unbuilt == !about_.all("broken").empty(),
             step.id + (unbuilt ? " was never run:\n" : " was built and run:\n") + step.report);
      for (const std::string& words : about_.all("says")) {
        expect((step.cause + step.report).find(filled(words)) != std::string::npos,
               step.id + " does not say \"" + words + "\", but:\n" + step.report);
      }
    }
  }

  fs::path root_, build_, source_;
  About about_;
  std::string name_, next_, lesson_, mark_;
  fs::path folder_, hostile_, grades_;
  kit::Outcome said_;
  double seconds_ = 0;
  std::vector<std::string> complaints_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: kit-hostile NAME\n";
    return 2;
  }
  kit::end_commands_on_signals();
  try {
    if (Trial::needs_more(argv[1])) return cannot_run;
    const bool good = Trial(argv[1]).run();
    if (const int left = kit::end_what_is_left(); left > 0) {
      std::cout << "  " << left << " processes are left\n";
      return 1;
    }
    return good ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << "kit-hostile: " << error.what() << "\n";
    return 99;
  }
}
