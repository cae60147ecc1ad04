#pragma once

// The manifest: what every lesson asks and what it is worth. CMake writes build/kit/manifest.txt
// from tests/manifest/*.cmake; every tool of the kit reads it here and nowhere else.
//
// One record a line, fields separated by tabs; a record belongs to the `lesson` above it:
//   kit      <version>
//   lesson   01_tcp_echo  <title>
//   slot     tcp_server.cpp
//   program  server  server.cpp
//   uses     server  tcp_server.cpp
//   probe    throwing  tests/probes/01_throwing.cpp
//   task     01.C  tcp_server.cpp  TCPServer::server_bind
//   step     01.4  8  core  server  checked  60  01.C  listens where it was told

#include <string>
#include <string_view>
#include <vector>

namespace kit {

struct Task {
  std::string id;                    ///< "01.C"
  std::string file;                  ///< the slot or main source, relative to the lesson
  std::vector<std::string> symbols;  ///< "TCPServer::server_bind"
};

struct StepEntry {
  std::string id;  ///< "01.4"
  int points = 0;
  std::string part;     ///< "core" or "harden"
  std::string program;  ///< "client", "server" or "probe"
  std::vector<std::string>
      builds;        ///< of plain, checked, raced: those it needs; first the main one
  int timeout = 60;  ///< ctest's, in seconds
  std::string task;  ///< id of its task
  std::string title;
  std::vector<std::string> probes;  ///< those that it starts besides its program

  /// The test's name: "01.4 listens where it was told".
  std::string name() const { return id + ' ' + title; }
};

struct ProgramEntry {
  std::string name;               ///< "server", "client"; a probe's: "probe_throwing"
  std::string source;             ///< main source, relative to the lesson (a probe's: to the root)
  std::vector<std::string> uses;  ///< source slots linked into it
};

struct Lesson {
  std::string name;  ///< "01_tcp_echo"
  std::string title;
  std::vector<std::string> slots;  ///< source and header slots
  std::vector<ProgramEntry> programs;
  std::vector<ProgramEntry> probes;  ///< (they use the slots that "uses probe_NAME" names, or all)
  std::vector<Task> tasks;
  std::vector<StepEntry> steps;

  std::string number() const { return name.substr(0, 2); }
  const StepEntry* step(std::string_view id) const;
  const Task* task(std::string_view id) const;
  const ProgramEntry* program(std::string_view name) const;  ///< a probe too
};

class Manifest {
 public:
  /// Reads a file. Throws std::runtime_error that names file and line.
  static Manifest read(const std::string& path);
  /// Reads a text; `name` stands in the messages.
  static Manifest parse(std::string_view text, const std::string& name);

  const std::string& version() const { return version_; }
  const std::vector<Lesson>& lessons() const { return lessons_; }
  const Lesson* lesson(std::string_view name) const;
  /// The lesson that has the step; null if none has.
  const Lesson* lesson_of(std::string_view step_id) const;

 private:
  std::string version_;
  std::vector<Lesson> lessons_;
};

}  // namespace kit
