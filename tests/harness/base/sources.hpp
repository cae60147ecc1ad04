#pragma once

// What the learner's files and pages say: where a task is, how its page calls it, and whether a
// program is older than what it was made from.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifest.hpp"

namespace kit {

/// A place in a file, relative to the lesson: "server.cpp", 31. Line 0: the file as a whole.
struct Place {
  std::string file;
  int line = 0;
  bool empty() const { return file.empty(); }
};

/// Where a task's code is: the definition of its first symbol that is found in the file, else its
/// TODO mark, else the file.
Place find_task(const std::string& sources, const Task& task, const std::string& function = {});

/// The task in whose function a place lies: of all functions that tasks name, the last that begins
/// above it; of several tasks that name it `likeliest`, else the first. Null if none does.
const Task* task_at(const std::string& sources, const Lesson& lesson, const Place& place,
                    const std::string& likeliest);

/// The line (from 1) on which a symbol ("EchoHandler::handle") is defined in a C++ text; 0 if none.
int definition_line(std::string_view text, std::string_view symbol);

/// The heading of a lesson's page that begins with a task's id: "01.F A stream has no messages".
/// Empty if there is none.
std::string page_heading(const std::string& page, std::string_view task);

/// The learner's files that go into a program: its main source, the source slots it uses and the
/// headers of the lesson that these include (of a probe: that the kit's own main includes).
std::vector<std::string> files_of(const std::string& root, const std::string& sources,
                                  const Lesson& lesson, const ProgramEntry& program);

/// The first of those files that was changed after the program was built.
std::optional<std::string> newer_than(const std::string& program, const std::string& sources,
                                      const std::vector<std::string>& files);

/// The whole text of a file; nothing if it cannot be read.
std::optional<std::string> read_text(const std::string& path);

}  // namespace kit
