// Holds together what is written in several places: the manifest, the page's headings and hints,
// the holes of the starter, the test cases, and the code that a page shows; and the harness's rooms
// in the order that the map of the tests gives them.
//
//   kit-lint MANIFEST ROOT
//
// One line a fault, with file and line where there is one; exit 1 if there is any.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "harness/base/manifest.hpp"
#include "harness/base/sources.hpp"

namespace {

namespace fs = std::filesystem;

constexpr int core_points = 60;
constexpr int harden_points = 40;
constexpr std::size_t hints_a_task = 3;
constexpr std::size_t fewest_words = 1'500;
constexpr std::size_t most_words = 2'200;

int faults = 0;

void fault(const std::string& place, const std::string& what) {
  std::printf("%s: %s\n", place.c_str(), what.c_str());
  faults += 1;
}

struct Text {
  std::string name;
  std::vector<std::string> lines;
  std::string whole;
  std::string at(std::size_t line) const { return name + ":" + std::to_string(line + 1); }
};

Text read(const fs::path& root, const std::string& name) {
  Text text{name, {}, kit::read_text((root / name).string()).value_or("")};
  if (text.whole.empty()) fault(name, "is missing or empty");
  std::istringstream stream(text.whole);
  for (std::string line; std::getline(stream, line);) text.lines.push_back(line);
  return text;
}

// Calls `found` with each match of `pattern` and its line.
void each_match(const Text& text, const std::string& pattern,
                const std::function<void(const std::smatch&, std::size_t)>& found) {
  const std::regex regex(pattern);
  for (std::size_t i = 0; i < text.lines.size(); ++i) {
    const std::string& line = text.lines[i];
    for (std::sregex_iterator it(line.begin(), line.end(), regex), end; it != end; ++it) {
      found(*it, i);
    }
  }
}

// ---- the manifest against itself ----------------------------------------------------------------

void check_points(const kit::Lesson& lesson) {
  int core = 0, harden = 0;
  // A page's order is that of its tasks; a number says when its step was made, and is never used
  // again.
  std::set<std::string> missing;
  for (std::size_t i = 1; i <= lesson.steps.size(); ++i) {
    missing.insert(lesson.number() + "." + std::to_string(i));
  }
  for (const kit::StepEntry& step : lesson.steps) {
    (step.part == "core" ? core : harden) += step.points;
    if (missing.erase(step.id) == 0) {
      fault("tests/manifest/" + lesson.name + ".cmake",
            "step " + step.id + " is there twice, or leaves a number out");
    }
    if (!lesson.task(step.task)) {
      fault("tests/manifest/" + lesson.name + ".cmake",
            "step " + step.id + " belongs to task " + step.task + ", which there is not");
    }
  }
  if (core != core_points || harden != harden_points) {
    fault("tests/manifest/" + lesson.name + ".cmake", "points add up to " + std::to_string(core) +
                                                          " core and " + std::to_string(harden) +
                                                          " harden, not 60 and 40");
  }
}

// ---- the test cases -----------------------------------------------------------------------------

void check_steps(const fs::path& root, const kit::Lesson& lesson) {
  const Text check = read(root, "tests/" + lesson.name + "_check.cpp");
  std::map<std::string, std::string> titles;
  // A title may stand in several literals, one below the other.
  const std::regex regex("STEP\\(\"([0-9.]+)\",\\s*((?:\"[^\"]*\"\\s*)+)\\)");
  for (std::sregex_iterator it(check.whole.begin(), check.whole.end(), regex), end; it != end;
       ++it) {
    std::string title;
    bool inside = false;
    for (const char c : (*it)[2].str()) {
      if (c == '"') {
        inside = !inside;
      } else if (inside) {
        title += c;
      }
    }
    if (!titles.emplace((*it)[1].str(), title).second) {
      fault(check.name, "step " + (*it)[1].str() + " stands there twice");
    }
  }
  for (const kit::StepEntry& step : lesson.steps) {
    const auto found = titles.find(step.id);
    if (found == titles.end()) {
      fault(check.name, "step " + step.id + " of the manifest has no test case");
    } else if (found->second != step.title) {
      fault(check.name, "step " + step.id + " is called \"" + found->second + "\" here and \"" +
                            step.title + "\" in the manifest");
    }
    titles.erase(step.id);
  }
  for (const auto& [id, title] : titles)
    fault(check.name, "step " + id + " is not in the manifest");
}

// ---- the starter's holes ------------------------------------------------------------------------

using Holes = std::map<std::string, std::set<std::string>>;  // task -> functions

// The holes of a starter as it is shipped. In a learner's copy they close one after the other: then
// only what is left is looked at.
Holes check_holes(const fs::path& root, const kit::Lesson& lesson) {
  Holes holes;
  std::set<std::string> files;
  for (const kit::Task& task : lesson.tasks) files.insert(task.file);
  for (const std::string& file : files) {
    const Text text = read(root, "lessons/" + lesson.name + "/" + file);
    std::set<std::string> todos;
    each_match(text, "TODO\\(([^)]*)\\)",
               [&](const std::smatch& match, std::size_t) { todos.insert(match[1].str()); });
    each_match(text, "not_written\\(\"([^\"]*)\", \"([^\"]*)\"",
               [&](const std::smatch& match, std::size_t line) {
                 const std::string id = match[1].str();
                 const kit::Task* task = lesson.task(id);
                 holes[id].insert(match[2].str());
                 if (!task) {
                   fault(text.at(line), "task " + id + " is not in the manifest");
                 } else if (task->file != file ||
                            std::find(task->symbols.begin(), task->symbols.end(), match[2].str()) ==
                                task->symbols.end()) {
                   fault(text.at(line),
                         "the manifest's task " + id + " has no " + match[2].str() + " in " + file);
                 }
                 if (!todos.contains(id)) fault(text.at(line), "has no TODO(" + id + ")");
               });
    for (const std::string& id : todos) {
      if (!holes.contains(id)) fault(text.name, "TODO(" + id + ") without not_written");
    }
  }
  return holes;
}

void check_solution(const fs::path& root, const kit::Lesson& lesson) {
  if (!fs::exists(root / "solutions" / lesson.name)) return;  // a handout's last lesson
  for (const auto& entry : fs::directory_iterator(root / "solutions" / lesson.name)) {
    if (!entry.is_regular_file()) continue;
    const Text text =
        read(root, "solutions/" + lesson.name + "/" + entry.path().filename().string());
    each_match(text, "TODO|FIXME|not_written\\(", [&](const std::smatch&, std::size_t line) {
      fault(text.at(line), "a solution has nothing left to do");
    });
  }
}

// ---- the page -----------------------------------------------------------------------------------

void check_headings(const Text& page, const kit::Lesson& lesson, const Holes& holes) {
  std::map<std::string, std::size_t> hints;
  std::string task;
  for (std::size_t i = 0; i < page.lines.size(); ++i) {
    const std::string& line = page.lines[i];
    if (line.starts_with("## ") || line.starts_with("### ")) {
      std::smatch match;
      task.clear();
      if (std::regex_search(line, match, std::regex("^#+ ([0-9]{2}\\.[A-Z]) \\S"))) {
        task = match[1].str();
        if (!lesson.task(task)) fault(page.at(i), "task " + task + " is not in the manifest");
        if (!hints.emplace(task, 0).second) fault(page.at(i), "task " + task + " has two headings");
      }
    }
    if (line.find("<details><summary>Hint ") != std::string::npos && !task.empty())
      hints[task] += 1;
  }
  for (const kit::Task& entry : lesson.tasks) {
    const auto found = hints.find(entry.id);
    if (found == hints.end()) {
      fault(page.name, "task " + entry.id + " has no heading \"## " + entry.id + " …\"");
    } else if (holes.contains(entry.id) && found->second < hints_a_task) {
      fault(page.name,
            "task " + entry.id + " has " + std::to_string(found->second) + " hints, not three");
    }
  }
  for (const kit::StepEntry& step : lesson.steps) {
    if (!std::regex_search(page.whole, std::regex("\\b" + step.id.substr(0, 2) + "\\." +
                                                  step.id.substr(3) + "\\b"))) {
      fault(page.name, "step " + step.id + " is not named");
    }
  }
}

// A block of C++ names its file in a comment above it, and stands in that file to the letter.
void check_blocks(const fs::path& root, const Text& page) {
  for (std::size_t i = 0; i < page.lines.size(); ++i) {
    if (page.lines[i] != "```cpp" && page.lines[i] != "```c++") continue;
    std::string code;
    const std::size_t begin = i;
    while (++i < page.lines.size() && page.lines[i] != "```") code += page.lines[i] + "\n";
    std::smatch match;
    if (begin == 0 || !std::regex_search(page.lines[begin - 1], match,
                                         std::regex("^<!-- from ([^:]+)(: .*)? -->$"))) {
      fault(page.at(begin), "a block of C++ without \"<!-- from FILE: REGION -->\" above it");
      continue;
    }
    const auto file = kit::read_text((root / match[1].str()).string());
    if (!file) {
      // In a handout the later solutions are not there; their pages are not either.
      fault(page.at(begin), match[1].str() + " is not there");
    } else if (file->find(code) == std::string::npos) {
      fault(page.at(begin), "this is not what stands in " + match[1].str());
    }
  }
}

void check_pictures(const fs::path& root, const Text& page, const kit::Lesson& lesson) {
  each_match(page, "!\\[([^\\]]*)\\]\\(([^)]*)\\)",
             [&](const std::smatch& match, std::size_t line) {
               const std::string file = match[2].str();
               if (match[1].length() < 20)
                 fault(page.at(line), "a picture needs words for who cannot see it");
               if (!file.starts_with(lesson.number() + "_")) {
                 fault(page.at(line), file + ": a picture's name begins with the lesson's number");
               }
               if (!fs::exists(root / "lessons" / lesson.name / file))
                 fault(page.at(line), file + " is missing");
             });
  each_match(page, "\\]\\(#", [&](const std::smatch&, std::size_t line) {
    fault(page.at(line), "a link to a heading works on code hosts only");
  });
}

// Words that are read in class: hints, code, comments, tables' rules and what stands in a picture's
// place do not count.
void check_length(const Text& page) {
  std::size_t words = 0;
  bool code = false, hint = false;
  for (const std::string& line : page.lines) {
    if (line.starts_with("```")) {
      code = !code;
      continue;
    }
    if (line.find("<details>") != std::string::npos) hint = true;
    const bool read =
        !line.starts_with("<!--") && !line.starts_with("|--") && !line.starts_with("![");
    if (!code && !hint && read) {
      std::istringstream stream(line);
      for (std::string word; stream >> word;) {
        words +=
            std::any_of(word.begin(), word.end(), [](unsigned char c) { return std::isalnum(c); });
      }
    }
    if (line.find("</details>") != std::string::npos) hint = false;
  }
  if (words < fewest_words || words > most_words) {
    fault(page.name, "has " + std::to_string(words) +
                         " words, hints and code not counted; 1500 to 2200 are asked for");
  }
}

void check_lesson(const fs::path& root, const kit::Lesson& lesson) {
  check_points(lesson);
  check_steps(root, lesson);
  const Holes holes = check_holes(root, lesson);
  check_solution(root, lesson);
  const Text page = read(root, "lessons/" + lesson.name + "/README.md");
  check_headings(page, lesson, holes);
  check_blocks(root, page);
  check_pictures(root, page, lesson);
  check_length(page);
}

// ---- the harness's rooms ------------------------------------------------------------------------

// The rooms stand in the map's table from the ground up, each with its files. What a file includes
// stands in its own room, by its name alone, or in a room above it in the table.
void check_rooms(const fs::path& root) {
  const fs::path harness = fs::path("tests") / "harness";
  const std::regex row("\\| `([a-z]+)/` \\|.*\\| ([^|]*) \\|");
  const Text map = read(root, "tests/README.md");
  std::set<std::string> below;
  bool inside = false;
  for (std::size_t i = 0; i < map.lines.size(); ++i) {
    if (map.lines[i].starts_with("## ")) inside = map.lines[i] == "## Inside the harness";
    std::smatch match;
    if (!inside || !std::regex_match(map.lines[i], match, row)) continue;
    const fs::path room = harness / match[1].str();
    for (const auto& entry : fs::directory_iterator(root / room)) {
      const fs::path file = entry.path().filename();
      if (match[2].str().find('`' + file.stem().string() + '`') == std::string::npos) {
        fault(map.at(i), "has no " + (room / file).string());
      }
      const Text text = read(root, (room / file).string());
      each_match(
          text, "^#include \"([^/\"]+)/([^/\"]*)", [&](const std::smatch& to, std::size_t line) {
            const bool held = to[1] == "harness" ? below.contains(to[2]) : to[1] == "recorder";
            if (!held)
              fault(text.at(line), "the map has " + room.string() + " below what this includes");
          });
    }
    below.insert(match[1]);
  }
  for (const auto& entry : fs::directory_iterator(root / harness)) {
    const std::string room = entry.path().filename().string();
    const bool is_room = entry.is_directory() && !fs::is_empty(entry) && room != "unit";
    if (is_room && !below.contains(room)) {
      fault(map.name, "has no room " + (harness / room).string());
    }
  }
}

}  // namespace

int main(int argc, char* argv[]) {
  if (argc < 3) {
    std::fprintf(
        stderr,
        "kit-lint: takes the manifest and the kit's folder, then lessons (all of them if none)\n"
        "usage: kit-lint MANIFEST ROOT [NN]...\n");
    return 2;
  }
  try {
    const kit::Manifest manifest = kit::Manifest::read(argv[1]);
    check_rooms(argv[2]);
    std::size_t steps = 0;
    for (const kit::Lesson& lesson : manifest.lessons()) {
      const auto asked = [&](const char* number) { return lesson.number() == number; };
      if (argc > 3 && std::none_of(argv + 3, argv + argc, asked)) continue;
      check_lesson(argv[2], lesson);
      steps += lesson.steps.size();
    }
    std::printf("%d faults in the pages, holes and test cases of %zu steps, and in the rooms\n",
                faults, steps);
    return faults == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kit-lint: %s\n", error.what());
    return 99;
  }
}
