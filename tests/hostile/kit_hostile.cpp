// kit-hostile: hands in one hostile or broken submission of tests/hostile/, and a right one after
// it, and looks whether the grades are what they should be and nothing has escaped.
//
//   build/kit-hostile fork-bomb
//
// A submission is a folder: files that take the place of the solution's, and about.txt:
//
//   sentence  what it does
//   steps     01.1 01.4            only these are run
//   lost      01.4                 these earn nothing …
//   kept      01.1                 … and these all that they are worth
//   says      some words           in the report of each step that is lost
//   broken    yes                  what is lost does not build (else it must have been run)
//   note      some words           in a note of the grade
//   hidden    root:                words that may stand nowhere in what is written
//   make      fifo server.cpp      an odd file: fifo, link FILE TARGET, remove, empty, huge, folder
//   limits    --memory 256         more words for kit-cell
//   deadline  1000                 of one event, in ms
//   name      text                 what the submission is called; escapes as in C
//
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
#include <vector>

#include "grading/grade.hpp"
#include "harness/escape.hpp"
#include "harness/proc.hpp"
#include "harness/sandbox.hpp"
#include "harness/sources.hpp"
#include "proof/command.hpp"

namespace {

namespace fs = std::filesystem;

/// A daemon of tests/hostile listens here.
constexpr std::uint16_t daemon_port = 18999;
/// One submission of one lesson, whatever it does.
constexpr double most_seconds = 90;

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
        name_(about_.one("name", name)) {
    std::string pattern = "/tmp/kit-trial-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = pattern;
    chmod(folder_.c_str(), 0755);
    mark_ = "mark-" + folder_.filename().string();
  }
  ~Trial() { kit::remove_tree(folder_.string()); }

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
        const bool marked = entry.path().filename().string().find(mark_) == 0;
        expect(!marked, "a file is left behind: " + entry.path().string());
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

  std::string filled(std::string text) const {
    text = replaced(std::move(text), "@ROOT@", root_.string());
    text = replaced(std::move(text), "@BUILD@", build_.string());
    text = replaced(std::move(text), "@TRIAL@", folder_.string());
    return replaced(std::move(text), "@MARK@", mark_);
  }

  /// The solution, with the hostile files in its place; and the solution itself.
  void hand_in() {
    const fs::path solution = root_ / "solutions" / "01_tcp_echo";
    hostile_ = folder_ / "class" / kit::unescape(name_).value_or(name_);
    for (const fs::path& student : {hostile_, folder_ / "class" / "~next"}) {
      fs::create_directories(student / "lessons");
      fs::copy(solution, student / "lessons" / "01_tcp_echo");
    }
    const fs::path lesson = hostile_ / "lessons" / "01_tcp_echo";
    for (const auto& entry : fs::recursive_directory_iterator(source_)) {
      const fs::path inside = fs::relative(entry.path(), source_);
      if (!entry.is_regular_file() || inside == "about.txt") continue;
      // kit/… goes to the top of the submission, everything else into the lesson.
      const std::string path = inside.string();
      const fs::path to = path.starts_with("kit/") ? hostile_ / path.substr(4) : lesson / inside;
      fs::create_directories(to.parent_path());
      std::ofstream(to) << filled(kit::read_text(entry.path().string()).value_or(""));
    }
    for (const std::string& line : about_.all("make")) make(line, lesson);
  }

  void make(const std::string& line, const fs::path& lesson) const {
    std::istringstream words(line);
    std::string kind, file, target;
    words >> kind >> file >> target;
    const fs::path path = file == "." ? lesson : lesson / file;
    fs::remove_all(path);
    if (kind == "fifo") {
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
    command.arguments = {(build_ / "kit-grade").string(),
                         (folder_ / "class").string(),
                         "--out",
                         (folder_ / "grades").string(),
                         "--lesson",
                         "01",
                         "--seed",
                         "7"};
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
    said_ = kit::run_command(command);
    expect(said_.end == kit::Outcome::End::exited && (said_.code == 0 || said_.code == 1),
           "kit-grade did not end as it should:\n" + said_.output);
  }

  void look_at_grades() {
    std::size_t found = 0;
    for (const auto& entry : fs::directory_iterator(folder_ / "grades")) {
      const fs::path file = entry.path() / "grade.json";
      if (!fs::exists(file)) continue;
      const kit::Grade grade = kit::Grade::read(file);
      expect(grade.complete, grade.submission + ": not complete");
      ++found;
      if (grade.submission == "~next") {
        expect(grade.all_passed(),
               "the next submission is not graded as if it were alone:\n" +
                   kit::read_text((entry.path() / "report.md").string()).value_or(""));
      } else {
        look_at(grade, entry.path());
      }
    }
    expect(found == 2, "there are not two grades:\n" + said_.output);
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
    for (const std::string& words : about_.all("hidden")) {
      expect(report.find(words) == std::string::npos, "the report shows \"" + words + "\"");
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
  std::string name_, mark_;
  fs::path folder_, hostile_;
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
