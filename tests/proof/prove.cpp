#include "prove.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iostream>
#include <sstream>
#include <system_error>
#include <thread>

namespace kit {
namespace {

namespace fs = std::filesystem;

/// The warnings that solutions and starters are free of.
const std::vector<std::string> warnings{"-Wall", "-Wextra", "-Wpedantic", "-Wshadow",
                                        "-Wconversion"};

unsigned cores() {
  return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace

FileLock::FileLock(const fs::path& file)
    : file_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  if (file_.get() < 0) throw std::system_error(errno, std::generic_category(), file.string());
  while (::flock(file_.get(), LOCK_EX) != 0) {
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "flock");
    stop_if_interrupted();
  }
}

void stop_if_interrupted() {
  if (interrupted() != 0) throw ProofStopped();
}

std::string seconds_text(double seconds) {
  std::ostringstream text;
  text.setf(std::ios::fixed);
  text.precision(1);
  text << seconds << " s";
  return text.str();
}

Proof::Proof(const House& house, const Lesson& lesson, const Options& options)
    : house_(house),
      lesson_(lesson),
      options_(options),
      builder_(read_toolchain(house.toolchain()), lesson, house.root,
               {options.jobs == 0 ? cores() : options.jobs, warnings}) {
  if (options_.jobs == 0) options_.jobs = cores();
  fs::create_directories(folder());
}

fs::path Proof::folder() const {
  return house_.build / "proof" / lesson_.name;
}

fs::path Proof::solution_sources() const {
  return house_.root / "solutions" / lesson_.name;
}

const Candidate& Proof::base() {
  if (base_) return *base_;
  const FileLock lock(folder() / "solution.lock");
  base_ = builder_.build(
      {solution_sources(), {}, {}, folder() / "solution", "solutions/" + lesson_.name});
  stop_if_interrupted();
  for (const BuiltProgram& program : base_->programs) {
    if (program.built) continue;
    throw std::runtime_error("the solution's " + program.name + " (" + program.build +
                             ") is not built:\n" + program.why.text());
  }
  return *base_;
}

void Proof::begin(const std::string& mode) {
  start_ = std::chrono::steady_clock::now();
  complaints_.clear();
  if (!partial()) fs::remove(folder() / (mode + ".figures"));
}

void Proof::say(const std::string& mode, const std::string& text) const {
  std::cout << lesson_.name << "  " << mode << "  " << text << std::endl;
}

void Proof::complain(const std::string& text) {
  complaints_.push_back(text);
}

void Proof::complain_about(const std::string& who, const StepEntry& step, const Verdict& verdict,
                           const std::string& expected) {
  // The first few in full: a long list has one reason as a rule.
  const std::size_t lines = complaints_.size() < 8 ? 24 : 1;
  complain(who + "  " + step.name() + "\n    expected: " + expected + "\n    got:      " +
           name_of(verdict.status) + (verdict.cause.empty() ? "" : ", " + verdict.cause) + "\n" +
           first_lines(verdict.report, lines, "    | "));
}

bool Proof::finish(const std::string& mode, const std::string& summary, Figures figures) {
  stop_if_interrupted();
  for (const std::string& text : complaints_) std::cout << text << "\n";
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  say(mode, summary + "  (" + seconds_text(seconds) + ")");
  const bool good = complaints_.empty();
  if (partial()) return good;

  figures.emplace_back("seconds", seconds_text(seconds));
  figures.emplace_back("proved", good ? "yes" : "no");
  const fs::path file = folder() / (mode + ".figures");
  const fs::path part = file.string() + ".part";
  std::ofstream out(part);
  for (const auto& [key, value] : figures) out << key << '\t' << value << '\n';
  out.close();
  fs::rename(part, file);
  return good;
}

std::vector<Verdict> Proof::judge_all(const Candidate& candidate) {
  std::vector<Verdict> verdicts(lesson_.steps.size());
  in_parallel(verdicts.size(), options_.jobs, [&](std::size_t i) {
    verdicts[i] = judge(house_, lesson_, candidate, lesson_.steps[i]);
  });
  stop_if_interrupted();
  return verdicts;
}

}  // namespace kit
