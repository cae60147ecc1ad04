#include "cells.hpp"

#include <atomic>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string_view>

namespace kit {
namespace {

namespace fs = std::filesystem;

constexpr int exit_pass = 0;
constexpr int exit_fail = 1;
constexpr int exit_cannot_run = 77;

/// How long a check may clean up after SIGTERM: it ends its programs and removes its folder.
constexpr std::chrono::milliseconds grace{5'000};

std::map<std::string, std::string> read_result(const fs::path& file) {
  std::map<std::string, std::string> values;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const auto tab = line.find('\t');
    if (tab != std::string::npos) values[line.substr(0, tab)] = line.substr(tab + 1);
  }
  return values;
}

/// Every run of white space as one space.
std::string smoothed(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (std::isspace(static_cast<unsigned char>(c)) == 0) {
      result += c;
    } else if (!result.empty() && result.back() != ' ') {
      result += ' ';
    }
  }
  return result;
}

double time_scale() {
  const char* text = std::getenv("KIT_TIME_SCALE");
  const double scale = text == nullptr ? 1 : std::strtod(text, nullptr);
  return scale >= 1 ? scale : 1;
}

}  // namespace

std::string name_of(Verdict::Status status) {
  switch (status) {
    case Verdict::Status::pass:
      return "pass";
    case Verdict::Status::fail:
      return "fail";
    case Verdict::Status::skip:
      return "cannot run here";
    case Verdict::Status::error:
      return "the kit's own error";
    case Verdict::Status::not_built:
      return "not built";
    case Verdict::Status::interrupted:
      return "interrupted";
  }
  return "?";
}

Verdict judge(const House& house, const Lesson& lesson, const Candidate& candidate,
              const StepEntry& step, std::optional<std::chrono::milliseconds> deadline,
              const std::vector<std::string>& environment) {
  Verdict verdict;
  for (const BuiltProgram* program : candidate.programs_of(step)) {
    if (program->built) continue;
    verdict.status = Verdict::Status::not_built;
    verdict.cause = program->why.not_written.empty() ? "not built" : "not written";
    verdict.report = program->why.text();
    return verdict;
  }

  const fs::path results = candidate.folder / "results";
  fs::create_directories(results);
  // The same step may be under way several times.
  static std::atomic<unsigned> count{0};
  const fs::path result = results / (step.id + "." + std::to_string(count.fetch_add(1)) + ".txt");

  Command command;
  command.arguments = {house.check(lesson).string(), "[" + step.id + "]"};
  command.environment = plain_environment();
  command.environment.insert(command.environment.end(), environment.begin(), environment.end());
  for (const auto& [name, value] : std::map<std::string, fs::path>{
           {"KIT_CANDIDATE", candidate.folder},
           {"KIT_SOURCES", candidate.sources},
           {"KIT_MANIFEST", house.manifest()},
           {"KIT_ROOT", house.root},
           {"KIT_BUILD", house.build},
           {"KIT_RESULT", result},
       }) {
    command.environment.push_back(name + "=" + value.string());
  }
  for (const char* name : {"KIT_TIME_SCALE", "KIT_SEED", "KIT_TRIES"}) {
    if (const char* value = std::getenv(name)) {
      command.environment.push_back(std::string(name) + "=" + value);
    }
  }
  if (deadline) {
    command.environment.push_back("KIT_DEADLINE_MS=" + std::to_string(deadline->count()));
  }
  command.folder = house.build;
  command.time_limit =
      std::chrono::milliseconds(static_cast<long>(1000.0 * step.timeout * time_scale()));
  command.grace = grace;

  const Outcome outcome = run_command(command);
  verdict.seconds = outcome.seconds;
  verdict.report = outcome.output;
  auto values = read_result(result);
  fs::remove(result);
  verdict.cause = values["cause"];
  verdict.basis = values["basis"];
  verdict.looks = std::strtoul(values["looks"].c_str(), nullptr, 10);
  constexpr std::string_view fault = "fault ";
  for (const auto& [key, value] : values) {
    if (key.starts_with(fault)) {
      verdict.faults[key.substr(fault.size())] = std::strtoul(value.c_str(), nullptr, 10);
    }
  }
  std::ofstream(results / (step.id + ".report.txt")) << outcome.output;
  using End = Outcome::End;
  if (outcome.end == End::interrupted) {
    verdict.status = Verdict::Status::interrupted;
  } else if (outcome.end == End::timed_out) {
    verdict.status = Verdict::Status::error;
    verdict.report = "the check ran past its time limit of " + std::to_string(step.timeout) +
                     " s\n" + outcome.output;
  } else if (outcome.end == End::exited && outcome.code == exit_pass) {
    verdict.status = Verdict::Status::pass;
  } else if (outcome.end == End::exited && outcome.code == exit_fail) {
    verdict.status = Verdict::Status::fail;
  } else if (outcome.end == End::exited && outcome.code == exit_cannot_run) {
    verdict.status = Verdict::Status::skip;
  } else {
    verdict.report = std::string("the check ") +
                     (outcome.end == End::killed ? "was killed by signal " : "ended with ") +
                     std::to_string(outcome.code) + "\n" + outcome.output;
  }
  return verdict;
}

void remove_programs(const Candidate& candidate) {
  for (const BuiltProgram& program : candidate.programs) fs::remove(program.file);
}

bool says(const std::string& report, const std::string& words) {
  return smoothed(report).find(smoothed(words)) != std::string::npos;
}

std::string first_lines(const std::string& text, std::size_t count, const std::string& indent) {
  std::istringstream in(text);
  std::string result;
  std::string line;
  for (std::size_t i = 0; i < count && std::getline(in, line); ++i) result += indent + line + "\n";
  return result;
}

}  // namespace kit
