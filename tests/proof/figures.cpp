#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "prove.hpp"

namespace kit {
namespace {

namespace fs = std::filesystem;

using Figures = std::map<std::string, double>;

/// Adds the figures of one proof; returns whether there are any.
bool add(Figures& sum, const fs::path& file, const std::string& mode) {
  std::ifstream in(file);
  if (!in) return false;
  for (std::string line; std::getline(in, line);) {
    const auto tab = line.find('\t');
    if (tab == std::string::npos) continue;
    const std::string key = line.substr(0, tab);
    const std::string value = line.substr(tab + 1);
    if (key == "proved") {
      sum[mode + (value == "yes" ? ".proved" : ".failed")] += 1;
    } else {
      sum[mode + "." + key] += std::strtod(value.c_str(), nullptr);
    }
  }
  return true;
}

/// "04.9 0.8 s, 07.7 0.6 s, …": the steps that take longest with the right solution.
std::string slowest_steps(const Figures& sum) {
  constexpr std::string_view took = "solution.took ";
  constexpr std::size_t shown = 5;
  std::vector<std::pair<double, std::string>> steps;
  for (const auto& [key, seconds] : sum) {
    if (key.starts_with(took)) steps.emplace_back(seconds, key.substr(took.size()));
  }
  std::sort(steps.rbegin(), steps.rend());
  std::string text;
  for (std::size_t i = 0; i < std::min(shown, steps.size()); ++i) {
    text += (i == 0 ? "" : ", ") + steps[i].second + ' ' + seconds_text(steps[i].first);
  }
  return text;
}

std::string whole(double number) {
  return std::to_string(static_cast<long>(number + 0.5));
}

/// Of the figures whose names begin so, the rest of the name and the number, in lines that a
/// terminal has room for. "solution.fault ": "accept EMFILE 5, recv EINTR 102, …"
std::vector<std::string> listed(const Figures& sum, std::string_view begin) {
  constexpr std::size_t room = 62;
  std::vector<std::string> lines;
  for (const auto& [key, times] : sum) {
    if (!key.starts_with(begin)) continue;
    const std::string text = key.substr(begin.size()) + ' ' + whole(times);
    if (!lines.empty()) lines.back() += ',';
    if (lines.empty() || lines.back().size() + 1 + text.size() >= room) {
      lines.push_back(text);
    } else {
      lines.back() += ' ' + text;
    }
  }
  return lines;
}

}  // namespace

bool print_figures(const House& house, const Manifest& manifest) {
  Figures sum;
  std::size_t proofs = 0;
  std::string missing;
  constexpr std::array modes{"solution",         "starter",      "mutants",
                             "rules-of-the-day", "alternatives", "slots"};
  for (const Lesson& lesson : manifest.lessons()) {
    std::vector<std::string> not_run;
    for (const std::string mode : modes) {
      const fs::path file = house.build / "proof" / lesson.name / (mode + ".figures");
      if (add(sum, file, mode)) {
        ++proofs;
      } else {
        not_run.push_back(mode);
      }
    }
    add(sum, house.build / "proof" / lesson.name / "rules.figures", "rules");
    if (not_run.empty()) continue;
    missing += (missing.empty() ? "" : "; ") + lesson.number();
    for (const std::string& mode : not_run) {
      missing += not_run.size() == modes.size() ? "" : " " + mode;
    }
  }
  if (proofs == 0) {
    std::cout << "Nothing has been proved yet.\n";
    return false;
  }
  const auto row = [&](const std::string& name, const std::string& text) {
    std::cout << "  " << std::left << std::setw(16) << name << text << "\n";
  };
  const auto of = [&](const std::string& part, const std::string& all) {
    return whole(sum[part]) + " of " + whole(sum[all]);
  };
  std::cout << "\nThe proof of the kit: " << counted(manifest.lessons().size(), "lesson") << "\n";
  row("solutions", of("solution.passed", "solution.steps") + " steps pass");
  if (const std::string slowest = slowest_steps(sum); !slowest.empty()) {
    row("", "the slowest: " + slowest);
  }
  row("always", whole(sum["solution.looks"]) + " looks at what no step may leave behind");
  std::string name = "faults";
  for (const std::string& line : listed(sum, "solution.fault ")) row(std::exchange(name, ""), line);
  row("starters",
      of("starter.red", "starter.steps") + " steps are red, each because it is not written yet");
  if (sum["starter.edited"] > 0) {
    row("", whole(sum["starter.edited"]) + " lessons have been worked on: no starters, not judged");
  }
  row("wrong answers", of("mutants.caught", "mutants.mutants") +
                           " caught by the step that should, in the words it should use");
  if (sum["mutants.asked_again"] > 0) {
    row("", whole(sum["mutants.asked_again"]) +
                " of them were asked again alone, as the machine was busy");
  }
  if (sum["mutants.lines_by_hand"] > 0) {
    row("", of("mutants.shown_by_hand", "mutants.lines_by_hand") +
                " reports with lines to type: typed, they show the mistake");
  }
  if (const double in_table = sum["mutants.in_table"]; in_table > 0) {
    std::ostringstream mean;
    mean << std::fixed << std::setprecision(1) << sum["mutants.lost_in_table"] / in_table;
    row("", "one mistake costs " + mean.str() + " of 100 points on average (" +
                whole(sum["mutants.cells"]) + " cells" +
                (in_table < sum["mutants.mutants"]
                     ? "; against every step today: " + of("mutants.in_table", "mutants.mutants")
                     : ", tables in " +
                           (house.build / "proof").lexically_relative(house.root).string() +
                           "/*/mutants.txt") +
                ")");
  }
  name = "their causes";
  for (const std::string& line : listed(sum, "mutants.basis ")) row(std::exchange(name, ""), line);
  for (const std::string mode : {"rules-of-the-day", "rules"}) {
    if (sum[mode + ".made"] == 0) continue;
    row(mode == "rules" ? "all by rule" : "today's by rule",
        of(mode + ".caught", mode + ".made") + " mistakes caught; nobody can tell " +
            whole(sum[mode + ".same"]) + ", open " + whole(sum[mode + ".open"]) +
            ", unexplained: " + whole(sum[mode + ".unexplained"]));
  }
  row("right answers",
      of("alternatives.accepted", "alternatives.alternatives") + " written differently accepted");
  row("missing slots", of("slots.earned_nothing", "slots.slots") + " earn nothing");
  double seconds = 0;
  for (const auto& [key, value] : sum) {
    if (key.ends_with(".seconds")) seconds += value;
  }
  row("time", whole(seconds) + " s");
  double failed = 0;
  for (const auto& [key, value] : sum) {
    if (key.ends_with(".failed")) failed += value;
  }
  if (failed > 0) row("NOT PROVED", counted(static_cast<std::size_t>(failed), "proof") + " failed");
  if (!missing.empty()) row("not run", missing);
  return failed == 0;
}

}  // namespace kit
