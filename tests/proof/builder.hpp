#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "command.hpp"
#include "harness/base/manifest.hpp"
#include "toolchain.hpp"
#include "words.hpp"

namespace kit {

/// One source, compiled for one build.
struct Object {
  std::string source;          ///< as the manifest names it: "server.cpp", "tests/probes/01_x.cpp"
  std::string build;           ///< "plain", "checked" or "raced"
  std::filesystem::path file;  ///< the object file
  bool made = false;
  bool from_base = false;  ///< taken over from the base: nothing that it is made of differs
  std::vector<std::string>
      read;          ///< the files that the compiler read, candidate's own by name only
  std::string said;  ///< the compiler's words about the candidate's own files
  std::vector<MissingFunction> holes;  ///< header slots that it asked for and that are not there
};

/// One program of a candidate, in one build.
struct BuiltProgram {
  std::string name;  ///< "server", "client", "probe_throwing"
  std::string build;
  std::filesystem::path file;
  bool built = false;
  bool same_as_base = false;  ///< the very program of the base
  Words why;                  ///< why it was not built
};

/// A set of learner's sources, and the programs made of them.
struct Candidate {
  std::filesystem::path folder;   ///< KIT_CANDIDATE
  std::filesystem::path sources;  ///< KIT_SOURCES: all its sources, the base's included
  std::vector<Object> objects;
  std::vector<BuiltProgram> programs;
  std::string warnings;  ///< what the compiler said of sources that it did compile

  /// The program, or nullptr if no step needs it.
  [[nodiscard]] const BuiltProgram* find(const std::string& name, const std::string& build) const;
  /// The programs that a step runs. With "probe" as its program, and none named, these are all
  /// probes.
  [[nodiscard]] std::vector<const BuiltProgram*> programs_of(const StepEntry& step) const;
};

/// What is to be built.
struct Order {
  std::filesystem::path sources;  ///< the learner's folder; only the manifest's files are taken
  std::filesystem::path base;     ///< where a file is taken from that `sources` lacks; may be empty
  std::set<std::string> without;  ///< files that are left out, wherever they stand
  std::filesystem::path out;      ///< where the programs go, with src/ and obj/ beside them
  std::string shown;              ///< how the folder is called in messages: "lessons/01_tcp_echo"
  const StepEntry* only = nullptr;  ///< what this step runs; otherwise what any step runs
};

/// Builds candidates of one lesson: every source once for each build that a step of the lesson asks
/// for, then the programs. What has not changed since the last time is not made again.
///
/// A source slot that is missing, or says nothing, is no error in itself: the linker then misses
/// its functions, and only the programs that use them are not built. A slot is never looked for
/// anywhere but in the candidate's sources.
class Builder {
 public:
  struct Options {
    unsigned jobs = 1;
    std::vector<std::string> more_flags{};          ///< for every compiler, such as warnings
    std::chrono::milliseconds time_limit{180'000};  ///< for one compiler or linker
    /// Runs compilers and linkers, on as many threads at once as there are jobs.
    Runner run = run_command;
    /// Looks at an object that a learner's source was compiled to, by that command. What it answers
    /// is the reason why the object is not linked: "calls …"; "" if there is none.
    std::function<std::string(const Object&, const Command&)> inspect{};
    /// Called for each folder that they write to, once it is there: a grader gives it to their
    /// user.
    std::function<void(const std::filesystem::path&)> made_folder{};
    /// For sources that are compiled again and again, one edit after the other: a folder where the
    /// #include lines that an instrumented source begins with (preamble.hpp) are kept precompiled
    /// from the second time on. Nowhere if empty.
    std::filesystem::path preambles{};
  };

  Builder(Toolchain toolchain, Lesson lesson, std::filesystem::path root, Options options);

  /// The same builder, with another number of jobs.
  [[nodiscard]] Builder with_jobs(unsigned jobs) const;

  /// The same builder, which compiles faster: the system's headers that the base's sources name are
  /// precompiled in `folder`, once for each instrumented build, and thrown away with the last copy
  /// of the builder. Each source then sees all of them, its own #include forgotten or not: for
  /// candidates of which nobody asks that. A compiler that fails with them is asked again without.
  [[nodiscard]] Builder precompiling(const Candidate& base, std::filesystem::path folder) const;

  /// Builds a candidate, taking over from `base` what is the same in both.
  /// @throws std::runtime_error if the kit's own files are at fault,
  /// std::filesystem::filesystem_error
  [[nodiscard]] Candidate build(const Order& order, const Candidate* base = nullptr) const;

  /// The learner's files of the lesson: slots and main sources.
  [[nodiscard]] std::vector<std::string> learners_files() const;

  [[nodiscard]] const Lesson& lesson() const { return lesson_; }

 private:
  struct Goal;  // a program in a build, with the sources that it is made of
  class Precompiled;
  struct Quick;

  std::vector<Goal> goals(const StepEntry* only) const;
  std::set<std::string> lay_out(const Order& order, const Candidate* base) const;
  Command tool(const Order& order) const;
  std::vector<std::string> flags(const std::string& build) const;
  std::optional<Quick> preamble(const std::string& build, const std::filesystem::path& source,
                                const std::filesystem::path& src, Command command) const;
  void compile(Object& object, const Order& order) const;
  BuiltProgram link(const Goal& goal, const Order& order, const Candidate& candidate,
                    const Candidate* base) const;
  std::vector<MissingFunction> holes(const std::string& shown) const;
  std::vector<MissingFunction> holes_of_file(const std::string& file,
                                             const std::string& shown) const;
  std::vector<std::string> foreign_answers(const Object& object) const;

  Toolchain toolchain_;
  Lesson lesson_;
  std::filesystem::path root_;
  Options options_;
  std::shared_ptr<Precompiled> precompiled_{};
};

}  // namespace kit
