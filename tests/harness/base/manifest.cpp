#include "manifest.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace kit {
namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find(separator, begin);
    if (end == std::string_view::npos) {
      parts.emplace_back(text.substr(begin));
      return parts;
    }
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
}

// One line, with its place for messages.
class Line {
 public:
  Line(std::string_view text, std::string place)
      : fields_(split(text, '\t')), place_(std::move(place)) {}

  const std::string& kind() const { return fields_.front(); }

  const std::string& field(std::size_t index) const {
    if (index >= fields_.size()) fail("has too few fields");
    return fields_[index];
  }

  int number(std::size_t index) const {
    const std::string& text = field(index);
    int value = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    if (parsed.ec != std::errc{} || parsed.ptr != end) fail("has '" + text + "' for a number");
    return value;
  }

  std::vector<std::string> words(std::size_t index, char separator) const {
    std::vector<std::string> parts = split(field(index), separator);
    std::erase(parts, "");
    return parts;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(place_ + ": '" + kind() + "' " + what);
  }

 private:
  std::vector<std::string> fields_;
  std::string place_;
};

ProgramEntry& program_named(Lesson& lesson, const std::string& name, const Line& line) {
  for (auto* list : {&lesson.programs, &lesson.probes}) {
    for (ProgramEntry& program : *list) {
      if (program.name == name) return program;
    }
  }
  line.fail("names the unknown program '" + name + "'");
}

void read_into(Lesson& lesson, const Line& line) {
  const std::string& kind = line.kind();
  if (kind == "slot") {
    lesson.slots.push_back(line.field(1));
  } else if (kind == "program") {
    lesson.programs.push_back({line.field(1), line.field(2), {}});
  } else if (kind == "uses") {
    program_named(lesson, line.field(1), line).uses.push_back(line.field(2));
  } else if (kind == "probe") {
    lesson.probes.push_back({"probe_" + line.field(1), line.field(2), {}});
  } else if (kind == "task") {
    lesson.tasks.push_back({line.field(1), line.field(2), line.words(3, ' ')});
  } else if (kind == "step") {
    StepEntry step;
    step.id = line.field(1);
    step.points = line.number(2);
    step.part = line.field(3);
    step.program = line.field(4);
    step.builds = line.words(5, ',');
    step.timeout = line.number(6);
    step.task = line.field(7);
    step.title = line.field(8);
    if (step.builds.empty()) line.fail("names no build");
    lesson.steps.push_back(std::move(step));
  } else if (kind == "starts") {
    const auto step = std::ranges::find(lesson.steps, line.field(1), &StepEntry::id);
    if (step == lesson.steps.end()) line.fail("names the unknown step '" + line.field(1) + "'");
    step->probes.push_back(line.field(2));
  }
  // Other kinds are for other readers.
}

template <typename Entries>
auto find_in(const Entries& entries, std::string_view key, auto member) -> decltype(&entries[0]) {
  const auto found = std::ranges::find(entries, key, member);
  return found == entries.end() ? nullptr : &*found;
}

}  // namespace

const StepEntry* Lesson::step(std::string_view id) const {
  return find_in(steps, id, &StepEntry::id);
}

const Task* Lesson::task(std::string_view id) const {
  return find_in(tasks, id, &Task::id);
}

const ProgramEntry* Lesson::program(std::string_view wanted) const {
  const ProgramEntry* found = find_in(programs, wanted, &ProgramEntry::name);
  return found != nullptr ? found : find_in(probes, wanted, &ProgramEntry::name);
}

const Lesson* Manifest::lesson(std::string_view name) const {
  return find_in(lessons_, name, &Lesson::name);
}

const Lesson* Manifest::lesson_of(std::string_view step_id) const {
  for (const Lesson& lesson : lessons_) {
    if (lesson.step(step_id) != nullptr) return &lesson;
  }
  return nullptr;
}

Manifest Manifest::parse(std::string_view text, const std::string& name) {
  Manifest manifest;
  int number = 0;
  for (const std::string& one : split(text, '\n')) {
    ++number;
    if (one.empty() || one.front() == '#') continue;
    const Line line(one, name + ':' + std::to_string(number));
    if (line.kind() == "kit") {
      manifest.version_ = line.field(1);
    } else if (line.kind() == "lesson") {
      manifest.lessons_.push_back({line.field(1), line.field(2), {}, {}, {}, {}, {}});
    } else if (manifest.lessons_.empty()) {
      line.fail("stands above the first lesson");
    } else {
      read_into(manifest.lessons_.back(), line);
    }
  }
  return manifest;
}

Manifest Manifest::read(const std::string& path) {
  const std::ifstream file(path);
  if (!file) throw std::runtime_error(path + ": cannot be read");
  std::ostringstream text;
  text << file.rdbuf();
  return parse(text.str(), path);
}

}  // namespace kit
