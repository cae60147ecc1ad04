#include "builder.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "harness/base/sources.hpp"
#include "preamble.hpp"

namespace kit {
namespace {

namespace fs = std::filesystem;

/// A precompiled preamble takes up to 80 MB (GCC), and a step needs one or two.
constexpr std::size_t most_preambles = 4;

/// The largest source that is taken: nobody writes a megabyte by hand.
constexpr std::uintmax_t largest_source = 1024 * 1024;

/// A learner's file. Links are not followed: this program may read what the learner may not.
std::optional<std::string> read_source(const fs::path& file) {
  std::error_code error;
  if (!fs::is_regular_file(fs::symlink_status(file, error))) return std::nullopt;
  if (fs::file_size(file, error) > largest_source || error) return std::nullopt;
  return read_text(file.string());
}

void write_text(const fs::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  out << text;
  out.close();
  if (!out) throw std::runtime_error("cannot write " + file.string());
}

bool is_header(const std::string& name) {
  const auto extension = fs::path(name).extension();
  return extension == ".hpp" || extension == ".h" || extension == ".ipp";
}

/// The files named by a depfile: `object: source header \` and so on, spaces escaped.
std::vector<std::string> read_dependencies(const fs::path& depfile) {
  const std::string text = read_text(depfile).value_or("");
  std::vector<std::string> files;
  std::string word;
  const auto finish_word = [&] {
    if (!word.empty() && !word.ends_with(':')) files.push_back(word);
    word.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
      if (text[i] == '\n')
        finish_word();
      else
        word += text[i];
    } else if (text[i] == ' ' || text[i] == '\n') {
      finish_word();
    } else {
      word += text[i];
    }
  }
  finish_word();
  return files;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += word + "\n";
  return text;
}

/// Whether `made` was made by this very command, as `record` tells, and after the last change of
/// every file that it is made of.
bool up_to_date(const fs::path& made, const fs::path& record,
                const std::vector<std::string>& command, const std::vector<std::string>& made_of) {
  std::error_code missing;
  const auto time = fs::last_write_time(made, missing);
  if (missing || read_text(record) != joined(command)) return false;
  return std::all_of(made_of.begin(), made_of.end(), [&](const std::string& file) {
    const auto changed = fs::last_write_time(file, missing);
    return !missing && changed <= time;
  });
}

/// Names of files, as read_dependencies() reads them.
std::string written_dependencies(const std::vector<std::string>& files) {
  std::string text = "made:";
  for (const std::string& file : files) {
    text += " \\\n ";
    for (const char c : file) {
      if (c == ' ' || c == '\\') text += '\\';
      text += c;
    }
  }
  return text + '\n';
}

/// Leaves the newest preambles of a folder.
void remove_old_preambles(const fs::path& folder) {
  std::vector<std::pair<fs::file_time_type, fs::path>> made;
  std::error_code error;  // another terminal may do the same
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".gch") {
      made.emplace_back(entry.last_write_time(error), entry.path());
    }
  }
  std::sort(made.rbegin(), made.rend());
  for (std::size_t i = most_preambles; i < made.size(); ++i) {
    fs::path header = made[i].second;
    header.replace_extension();
    for (const char* const more : {"", ".gch", ".d", ".cmd"}) {
      fs::remove(header.string() + more, error);
    }
  }
}

/// Gives `to` the file `from`, without a second copy where the file system can do that, and as if
/// it had been made now: a program older than its sources is not judged.
void take_over(const fs::path& from, const fs::path& to) {
  // A child that is forked meanwhile would hold the copy open for writing, and while it does nobody
  // can run it ("Text file busy", execve(2)).
  const auto no_child = no_child_meanwhile();
  std::error_code error;
  if (fs::equivalent(from, to, error)) {
    fs::last_write_time(to, fs::file_time_type::clock::now());
    return;
  }
  fs::remove(to);
  fs::create_hard_link(from, to, error);
  if (error) fs::copy_file(from, to);
  fs::last_write_time(to, fs::file_time_type::clock::now());
}

/// "tests/probes/01_throwing.cpp" -> "tests_probes_01_throwing.cpp": a file name for its object.
std::string flat(std::string name) {
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
}

/// "probe_throwing" of lesson 01 -> "tests/probes/01_throwing.cpp"
std::string probe_source(const Lesson& lesson, const ProgramEntry& probe) {
  return "tests/probes/" + lesson.number() + probe.name.substr(probe.name.find('_')) + ".cpp";
}

/// Where the programs of a build go.
fs::path folder_of(const Order& order, const std::string& build) {
  return build == "plain" ? order.out : order.out / build;
}

std::string whole_seconds(std::chrono::milliseconds time) {
  return std::to_string(time.count() / 1000) + " s";
}

/// Whether a step runs this program, in this build.
bool starts(const StepEntry& step, const std::string& program, const std::string& build) {
  const auto contains = [](const std::vector<std::string>& list, const std::string& word) {
    return std::find(list.begin(), list.end(), word) != list.end();
  };
  const bool named =
      program == step.program || contains(step.probes, program) ||
      (step.program == "probe" && step.probes.empty() && program.starts_with("probe_"));
  return named && contains(step.builds, build);
}

}  // namespace

struct Builder::Goal {
  std::string name;
  std::string build;
  std::vector<std::string> sources;  // the first is the one with main()
};

/// The headers that sources name in angle brackets, precompiled: one file a build, made when the
/// first source needs it.
class Builder::Precompiled {
 public:
  Precompiled(const Candidate& base, fs::path folder) : folder_(std::move(folder)) {
    constexpr std::string_view include = "#include <";
    for (const Object& object : base.objects) {
      // Plain programs are few.
      if (object.build == "plain") continue;
      for (const std::string& file : object.read) {
        std::istringstream in(read_text(file).value_or(""));
        for (std::string line; std::getline(in, line);) {
          if (!line.starts_with(include)) continue;
          names_[object.build].insert(
              line.substr(include.size() - 1, line.find('>') + 2 - include.size()));
        }
      }
    }
  }
  Precompiled(const Precompiled&) = delete;
  Precompiled& operator=(const Precompiled&) = delete;
  ~Precompiled() {
    std::error_code ignored;  // they are large, and soon made again
    for (const auto& [build, made] : made_) fs::remove(compiled(build), ignored);
  }

  /// The header that a source of a build includes first; none if the compiler cannot make it.
  std::optional<fs::path> header(const std::string& build, Command command, const Runner& run) {
    const std::lock_guard lock(mutex_);
    if (!names_.contains(build)) return std::nullopt;
    const fs::path header = folder_ / (build + ".hpp");
    if (const auto known = made_.find(build); known != made_.end()) {
      return known->second ? std::optional(header) : std::nullopt;
    }
    std::string text;
    // It is compiled without any folder of the kit or the candidate: what is found there, and may
    // be another file in each candidate, is left out.
    for (const std::string& name : names_[build]) {
      text += "#if __has_include(" + name + ")\n#include " + name + "\n#endif\n";
    }
    fs::create_directories(folder_);
    if (read_text(header) != text) write_text(header, text);
    command.arguments.insert(command.arguments.end(),
                             {"-x", "c++-header", header.string(), "-o", compiled(build).string()});
    const bool made = run(command).ok();
    made_[build] = made;
    return made ? std::optional(header) : std::nullopt;
  }

 private:
  /// Where GCC and Clang look for it.
  [[nodiscard]] fs::path compiled(const std::string& build) const {
    return folder_ / (build + ".hpp.gch");
  }

  fs::path folder_;
  std::map<std::string, std::set<std::string>> names_;  // by build: "<string>"
  std::mutex mutex_;
  std::map<std::string, bool> made_;  // by build: whether the compiler could
};

/// A precompiled preamble.
struct Builder::Quick {
  fs::path header;                // what the source includes first
  std::vector<std::string> read;  // what that was made of
};

const BuiltProgram* Candidate::find(const std::string& name, const std::string& build) const {
  for (const BuiltProgram& program : programs) {
    if (program.name == name && program.build == build) return &program;
  }
  return nullptr;
}

std::vector<const BuiltProgram*> Candidate::programs_of(const StepEntry& step) const {
  std::vector<const BuiltProgram*> result;
  for (const BuiltProgram& program : programs) {
    if (starts(step, program.name, program.build)) result.push_back(&program);
  }
  return result;
}

Builder::Builder(Toolchain toolchain, Lesson lesson, fs::path root, Options options)
    : toolchain_(std::move(toolchain)),
      lesson_(std::move(lesson)),
      root_(std::move(root)),
      options_(std::move(options)) {}

Builder Builder::with_jobs(unsigned jobs) const {
  Builder other = *this;
  other.options_.jobs = jobs;
  return other;
}

Builder Builder::precompiling(const Candidate& base, fs::path folder) const {
  Builder other = *this;
  other.precompiled_ = std::make_shared<Precompiled>(base, std::move(folder));
  return other;
}

std::vector<std::string> Builder::learners_files() const {
  std::set<std::string> files(lesson_.slots.begin(), lesson_.slots.end());
  for (const auto& program : lesson_.programs) files.insert(program.source);
  return {files.begin(), files.end()};
}

/// Every program in every build that some step asks for, or this one.
std::vector<Builder::Goal> Builder::goals(const StepEntry* only) const {
  std::vector<Goal> result;
  const auto add = [&](const std::string& name, const std::string& main,
                       const std::vector<std::string>& uses) {
    for (const char* build : {"plain", "checked", "raced"}) {
      const bool wanted = only != nullptr
                              ? starts(*only, name, build)
                              : std::any_of(lesson_.steps.begin(), lesson_.steps.end(),
                                            [&](auto& step) { return starts(step, name, build); });
      if (!wanted) continue;
      Goal goal{name, build, {main}};
      for (const std::string& source : uses) {
        if (source != main && !is_header(source)) goal.sources.push_back(source);
      }
      result.push_back(std::move(goal));
    }
  };
  for (const auto& program : lesson_.programs) {
    add(program.name, program.source, program.uses);
  }
  for (const auto& probe : lesson_.probes) {
    add(probe.name, probe_source(lesson_, probe), probe.uses);
  }
  return result;
}

/// Puts the candidate's sources into out/src, where each finds the others and none finds those of
/// another candidate: a quoted include looks in the folder of the including file first.
/// @returns the names of the files that differ from the base's
std::set<std::string> Builder::lay_out(const Order& order, const Candidate* base) const {
  const fs::path folder = order.out / "src";
  fs::create_directories(folder);
  std::set<std::string> differ;
  std::set<std::string> present;
  for (const std::string& name : learners_files()) {
    std::optional<std::string> text;
    if (!order.without.contains(name)) {
      const bool given = fs::exists(fs::symlink_status(order.sources / name));
      text = read_source((given || order.base.empty() ? order.sources : order.base) / name);
      if (text && says_nothing(*text)) text.reset();
    }
    if (base != nullptr && text != read_text(base->sources / name)) differ.insert(name);
    if (!text) continue;
    present.insert(name);
    if (read_text(folder / name) != text) write_text(folder / name, *text);
  }
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!present.contains(entry.path().filename().string())) fs::remove_all(entry.path());
  }
  return differ;
}

/// Files of answers that a source has read: it may not, wherever it found them.
std::vector<std::string> Builder::foreign_answers(const Object& object) const {
  const auto inside = [](const std::string& file, const fs::path& folder) {
    return file.starts_with((folder / "").string());
  };
  std::vector<std::string> found;
  const auto includes = toolchain_.includes.find(lesson_.name);
  for (const std::string& read : object.read) {
    const std::string file = fs::path(read).lexically_normal().string();
    if (!inside(file, root_ / "solutions")) continue;
    // References below the lesson are given to it.
    const bool given = includes != toolchain_.includes.end() &&
                       std::any_of(includes->second.begin(), includes->second.end(),
                                   [&](const std::string& folder) { return inside(file, folder); });
    if (!given) found.push_back(fs::path(file).lexically_relative(root_).string());
  }
  return found;
}

/// A compiler or linker, still without arguments. What it writes for itself, and would leave behind
/// if it were killed, goes beside the objects.
Command Builder::tool(const Order& order) const {
  Command command;
  command.environment = plain_environment();
  std::erase_if(command.environment, [](auto& value) { return value.starts_with("TMPDIR="); });
  command.environment.push_back("TMPDIR=" + (order.out / "obj").string());
  command.folder = order.out;
  command.time_limit = options_.time_limit;
  command.grace = std::chrono::seconds{1};
  return command;
}

/// What every source of a build is compiled with, wherever it stands.
std::vector<std::string> Builder::flags(const std::string& build) const {
  const auto known = toolchain_.flags.find(build);
  if (known == toolchain_.flags.end()) {
    throw std::runtime_error("toolchain.txt has no flags for " + build);
  }
  std::vector<std::string> result = known->second;
  result.insert(result.end(), options_.more_flags.begin(), options_.more_flags.end());
  return result;
}

/// The preamble of a source, precompiled by this command if it comes for the second time; none if
/// it is new, or if the compiler cannot.
std::optional<Builder::Quick> Builder::preamble(const std::string& build, const fs::path& source,
                                                const fs::path& src, Command command) const {
  if (options_.preambles.empty() || build == "plain") return std::nullopt;
  const std::string text = preamble_of(source, src);
  if (text.empty()) return std::nullopt;
  auto& arguments = command.arguments;
  const std::size_t number = std::hash<std::string>{}(joined(arguments) + text);
  const fs::path header = options_.preambles / (std::to_string(number) + ".hpp");
  if (read_text(header) != text) {
    fs::create_directories(options_.preambles);
    write_text(header, text);
    return std::nullopt;
  }
  const fs::path made = header.string() + ".gch";
  const fs::path depfile = header.string() + ".d";
  const fs::path record = header.string() + ".cmd";
  std::error_code missing;
  if (!fs::exists(made, missing) && read_text(record) == joined(arguments)) {
    return std::nullopt;  // the compiler could not
  }
  Quick quick{header, read_dependencies(depfile)};
  if (!quick.read.empty() && up_to_date(made, record, arguments, quick.read)) return quick;

  const std::string so_far = joined(arguments);
  // Beside it first: another terminal may compile with the old one at this moment.
  const std::string fresh =
      header.string() + '.' + std::to_string(::getpid()) + '.' + source.filename().string();
  arguments.insert(arguments.end(), {"-MMD", "-MF", fresh + ".d", "-x", "c++-header",
                                     header.string(), "-o", fresh + ".gch"});
  const Outcome outcome = options_.run(command);
  quick.read = read_dependencies(fresh + ".d");
  const bool of_learner =
      std::any_of(quick.read.begin(), quick.read.end(), [&](const std::string& file) {
        return fs::path(file).lexically_normal().string().starts_with((src / "").string());
      });
  const bool good = outcome.ok() && !of_learner && !quick.read.empty();
  if (good) {
    fs::rename(fresh + ".d", depfile);
    fs::rename(fresh + ".gch", made);
  } else {
    for (const char* const more : {".d", ".gch"}) fs::remove(fresh + more, missing);
    fs::remove(made, missing);
  }
  if (good || outcome.end == Outcome::End::exited) write_text(record, so_far);
  remove_old_preambles(options_.preambles);
  return good ? std::optional(quick) : std::nullopt;
}

void Builder::compile(Object& object, const Order& order) const {
  const fs::path src = order.out / "src";
  const bool of_kit = object.source.find('/') != std::string::npos;
  const fs::path source = of_kit ? root_ / object.source : src / object.source;
  if (!fs::exists(source)) {
    if (of_kit) throw std::runtime_error(source.string() + " is missing");
    return;
  }
  const fs::path depfile = object.file.string() + ".d";
  const fs::path record = object.file.string() + ".cmd";

  Command command = tool(order);
  auto& arguments = command.arguments;
  arguments.push_back(toolchain_.compiler);
  const std::vector<std::string> of_build = flags(object.build);
  arguments.insert(arguments.end(), of_build.begin(), of_build.end());
  const Command so_far = command;
  arguments.push_back("-ffile-prefix-map=" + src.string() + "=" + order.shown);
  arguments.push_back("-I" + src.string());
  if (const auto found = toolchain_.includes.find(lesson_.name);
      found != toolchain_.includes.end()) {
    for (const std::string& folder : found->second) arguments.push_back("-I" + folder);
  }
  if (of_kit) arguments.push_back("-I" + (root_ / "tests" / "probes").string());
  const Command with_folders = command;
  arguments.insert(arguments.end(), {"-MMD", "-MF", depfile.string(), "-c", source.string(), "-o",
                                     object.file.string()});

  std::vector<std::string> recorded = arguments;
  if (precompiled_ != nullptr) recorded.emplace_back("after precompiled headers");
  object.read = read_dependencies(depfile);
  if (!object.read.empty() && up_to_date(object.file, record, recorded, object.read)) {
    object.made = foreign_answers(object).empty();
    object.said = read_text(object.file.string() + ".said").value_or("");
    return;
  }
  fs::remove(object.file);
  fs::remove(depfile);
  const auto quick = preamble(object.build, source, src, with_folders);
  std::optional<fs::path> header;
  if (quick) {
    header = quick->header;
  } else if (precompiled_ != nullptr) {
    header = precompiled_->header(object.build, so_far, options_.run);
  }
  Outcome outcome;
  if (header) {
    Command faster = command;
    faster.arguments.insert(faster.arguments.end(), {"-include", header->string()});
    outcome = options_.run(faster);
  }
  using End = Outcome::End;
  // A preamble changes nothing in what is said of the learner's lines.
  const bool own_error =
      quick &&
      own_words(outcome.output, src.string(), order.shown).find("error: ") != std::string::npos;
  if (!header ||
      (!outcome.ok() && !own_error && (outcome.end == End::exited || outcome.end == End::killed))) {
    outcome = options_.run(command);
  }
  object.read = read_dependencies(depfile);
  if (quick && outcome.ok()) {  // GCC names what it has read itself, and nothing of the preamble
    std::set<std::string> read(object.read.begin(), object.read.end());
    read.insert(quick->read.begin(), quick->read.end());
    read.erase(quick->header.string());
    object.read.assign(read.begin(), read.end());
    write_text(depfile, written_dependencies(object.read));
  }
  object.said = own_words(outcome.output, src.string(), order.shown);
  if (outcome.end == Outcome::End::timed_out) {
    object.said = "compiling " + object.source + " took longer than " +
                  whole_seconds(options_.time_limit) + "\n";
  }
  object.made = outcome.ok();
  if (const auto answers = foreign_answers(object); !answers.empty()) {
    object.made = false;
    object.said = object.source + " includes " + answers.front() + ": that is not its own code\n";
    return;
  }
  if (object.made && !of_kit && options_.inspect) {
    if (const std::string why = options_.inspect(object, command); !why.empty()) {
      object.made = false;
      object.said = object.source + " " + why + "\n";
      return;
    }
  }
  if (object.made) {
    write_text(object.file.string() + ".said", object.said);
    write_text(record, joined(recorded));
    return;
  }
  for (const std::string& slot : lesson_.slots) {
    if (is_header(slot) && !fs::exists(src / slot) && misses_header(outcome.output, slot)) {
      const auto missing = holes_of_file(slot, order.shown);
      object.holes.insert(object.holes.end(), missing.begin(), missing.end());
    }
  }
  if (object.said.empty() && object.holes.empty()) {
    object.said = "the compiler refuses " + object.source + ", but for nothing in these files\n" +
                  (of_kit ? own_words(outcome.output, source.string(), object.source) : "");
  }
}

std::vector<MissingFunction> Builder::holes(const std::string& shown) const {
  std::vector<MissingFunction> result;
  for (const Task& task : lesson_.tasks) {
    for (const std::string& symbol : task.symbols) {
      // Several tasks may work on one function: the first of them begins it.
      const bool known =
          std::any_of(result.begin(), result.end(),
                      [&](const MissingFunction& hole) { return hole.symbol == symbol; });
      if (!known) result.push_back({task.id, symbol, shown + "/" + task.file});
    }
  }
  return result;
}

/// What is missing when a whole file is: its tasks' functions, or else the file.
std::vector<MissingFunction> Builder::holes_of_file(const std::string& file,
                                                    const std::string& shown) const {
  std::vector<MissingFunction> result = holes(shown);
  std::erase_if(result,
                [&](const MissingFunction& hole) { return hole.file != shown + "/" + file; });
  if (result.empty()) result.push_back({"", file, shown + "/" + file});
  return result;
}

BuiltProgram Builder::link(const Goal& goal, const Order& order, const Candidate& candidate,
                           const Candidate* base) const {
  BuiltProgram program{goal.name, goal.build, folder_of(order, goal.build) / goal.name,
                       false,     false,      {}};

  std::vector<const Object*> objects;
  for (const std::string& source : goal.sources) {
    for (const Object& object : candidate.objects) {
      if (object.source == source && object.build == goal.build) objects.push_back(&object);
    }
  }
  const auto refuse = [&]() -> BuiltProgram& {
    std::error_code ignored;  // no program is left from an earlier time
    fs::remove(program.file, ignored);
    return program;
  };
  const auto add_holes = [&](const std::vector<MissingFunction>& missing) {
    for (const MissingFunction& hole : missing) {
      const std::string line = not_written_line(hole);
      auto& lines = program.why.not_written;
      if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(line);
    }
  };

  const std::string& main = goal.sources.front();
  if (main.find('/') == std::string::npos && !fs::exists(order.out / "src" / main)) {
    add_holes(holes_of_file(main, order.shown));
    return refuse();
  }
  bool compiled = true;
  for (const Object* object : objects) {
    if (object->made || (object->said.empty() && object->holes.empty()))
      continue;  // made, or no file
    compiled = false;
    add_holes(object->holes);
    if (object->holes.empty()) program.why.rest += object->said;
  }
  if (!compiled) return refuse();

  const BuiltProgram* same = base == nullptr ? nullptr : base->find(goal.name, goal.build);
  if (same != nullptr && same->built &&
      std::all_of(objects.begin(), objects.end(), [](auto* object) { return object->from_base; })) {
    take_over(same->file, program.file);
    program.built = true;
    program.same_as_base = true;
    return program;
  }

  Command command = tool(order);
  auto& arguments = command.arguments;
  std::vector<std::string> made_of;
  arguments.push_back(toolchain_.compiler);
  const auto& flags = toolchain_.flags.at(goal.build);
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  for (const Object* object : objects) {
    if (!object->made) continue;
    arguments.push_back(object->file.string());
    made_of.push_back(object->file.string());
  }
  arguments.insert(arguments.end(), {"-o", program.file.string()});
  if (const auto found = toolchain_.links.find({lesson_.name, goal.build});
      found != toolchain_.links.end()) {
    for (const std::string& word : found->second) {
      arguments.push_back(word);
      if (!word.starts_with('-') && fs::exists(word)) made_of.push_back(word);
    }
  }

  const fs::path record = order.out / "obj" / (goal.build + "_" + goal.name + ".cmd");
  if (up_to_date(program.file, record, arguments, made_of)) {
    program.built = true;
    return program;
  }
  fs::remove(program.file);
  const Outcome outcome = options_.run(command);
  if (outcome.ok()) {
    write_text(record, joined(arguments));
    program.built = true;
    return program;
  }
  if (outcome.end == Outcome::End::timed_out) {
    program.why.rest = "linking took longer than " + whole_seconds(options_.time_limit) + "\n";
    return refuse();
  }
  const auto text_of = [&](const std::string& file) {
    return read_text(order.out / "src" / fs::path(file).filename());
  };
  program.why = translate_link(outcome.output, holes(order.shown), text_of);
  return refuse();
}

Candidate Builder::build(const Order& order, const Candidate* base) const {
  Candidate candidate;
  candidate.folder = order.out;
  candidate.sources = order.out / "src";
  const std::set<std::string> differ = lay_out(order, base);

  const std::vector<Goal> programs = goals(order.only);
  std::set<std::pair<std::string, std::string>> seen;
  for (const Goal& goal : programs) {
    for (const std::string& source : goal.sources) {
      if (!seen.insert({source, goal.build}).second) continue;
      Object object;
      object.source = source;
      object.build = goal.build;
      object.file = order.out / "obj" / (goal.build + "_" + flat(source) + ".o");
      candidate.objects.push_back(std::move(object));
    }
  }
  std::set<fs::path> folders{order.out, order.out / "obj"};
  for (const Goal& goal : programs) folders.insert(folder_of(order, goal.build));
  for (const fs::path& folder : folders) {
    fs::create_directories(folder);
    if (options_.made_folder) options_.made_folder(folder);
  }
  in_parallel(candidate.objects.size(), options_.jobs, [&](std::size_t i) {
    Object& object = candidate.objects[i];
    if (base != nullptr) {
      const auto same =
          std::find_if(base->objects.begin(), base->objects.end(), [&](const Object& other) {
            return other.source == object.source && other.build == object.build;
          });
      const auto differs = [&](const std::string& file) {
        const fs::path path(file);
        return path.parent_path() == base->sources && differ.contains(path.filename().string());
      };
      // A source that is not there at all has read nothing.
      if (same != base->objects.end() && same->made && !differ.contains(object.source) &&
          std::none_of(same->read.begin(), same->read.end(), differs)) {
        object = *same;
        object.from_base = true;
        return;
      }
    }
    compile(object, order);
  });
  candidate.programs.resize(programs.size());
  in_parallel(programs.size(), options_.jobs, [&](std::size_t i) {
    candidate.programs[i] = link(programs[i], order, candidate, base);
  });
  for (const Object& object : candidate.objects) {
    if (object.made && !object.from_base) candidate.warnings += object.said;
  }
  return candidate;
}

}  // namespace kit
