// The proofs of what is wrong: wrong answers, and slots that are not there.

#include <algorithm>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

#include "by_hand.hpp"
#include "harness/base/limits.hpp"
#include "mutant.hpp"
#include "prove.hpp"

namespace kit {
namespace {

namespace fs = std::filesystem;
using Status = Verdict::Status;

/// How long a check waits for one event in a cell where nothing is to be proved: it fills the
/// table. Long enough for a program under a sanitizer to start on a busy machine.
constexpr std::chrono::milliseconds short_deadline{700};

/// Precompiled headers save 0.7 s a source, and cost 3 s each.
constexpr std::size_t enough_to_precompile = 10;

/// A check that fails has mostly waited: so many of them at a time for each job.
constexpr unsigned cells_a_job = 6;
constexpr unsigned intended_cells_a_job = 4;

/// A step that was not red as it should be, with so many others beside it, is asked again alone: a
/// machine that busy keeps some steps from looking, and some mistakes from showing.
constexpr int looks_alone = 2;

/// The lines by hand of a report are typed by somebody who waits most of the time; and typed again,
/// alone, if nothing was to be seen.
constexpr unsigned sessions_a_job = 4;
constexpr std::chrono::seconds session_time_limit{120};

/// The table of a day has every so manieth wrong answer: after so many days it had them all.
constexpr std::uint64_t days_of_the_table = 3;

/// One mutant with its programs, and what every step said of it.
struct Row {
  Mutant mutant;
  Candidate candidate;
  std::vector<std::optional<Verdict>> cells;  // none: the step's programs are the solution's own
  std::size_t intended = 0;                   // index of the step that should catch it
  bool in_table = false;                      // judged by every step
  bool caught = false;
  int lost = 0;
};

struct Cell {
  std::size_t row;
  std::size_t step;
};

/// How the words of a mutant's report are others than they should be: ' with "..."' that are not
/// there, ' without "..."' that are; "" if they are right.
std::string wrong_words(const Mutant& mutant, const Verdict& verdict) {
  std::string missing;
  for (const std::string& words : mutant.words) {
    if (!says(verdict.report, words)) missing += " \"" + words + "\"";
  }
  std::string misleading;
  for (const std::string& words : mutant.not_words) {
    if (says(verdict.report, words)) misleading += " \"" + words + "\"";
  }
  return (missing.empty() ? "" : " with" + missing) +
         (misleading.empty() ? "" : " without" + misleading);
}

/// How a report has not the room that a terminal has: " 61 lines", " a line of 83 columns"; or "".
std::string outgrown(const std::string& report) {
  std::istringstream in(report);
  std::size_t lines = 0;
  std::size_t widest = 0;
  for (std::string line; std::getline(in, line);) {
    widest = std::max(widest, width_of(line));
    ++lines;
  }
  return (lines <= limits::report_lines ? "" : " " + std::to_string(lines) + " lines") +
         (widest <= limits::report_width ? ""
                                         : " a line of " + std::to_string(widest) + " columns");
}

/// Types the lines by hand of a report: they should show the mistake to whoever types them.
Outcome type_by_hand(const House& house, const Candidate& right, const Row& row,
                     const StepEntry& step) {
  Command command;
  command.arguments = {(house.build / "kit-by-hand").string(),
                       (row.candidate.folder / "results" / (step.id + ".report.txt")).string(),
                       (house.build / "kit-talk").string(), right.folder.string(),
                       row.candidate.folder.string()};
  command.environment = plain_environment();
  command.folder = house.build;
  command.time_limit = session_time_limit;
  command.grace = std::chrono::seconds(5);
  return run_command(command);
}

/// How many reports print lines by hand, and how many of those show the mistake.
struct ByHandFigures {
  std::size_t printed = 0;
  std::size_t shown = 0;
  std::vector<std::string> not_shown{};  ///< which do not, and why
};

ByHandFigures try_by_hand(const House& house, const Lesson& lesson, const Candidate& right,
                          const std::vector<Row>& rows, unsigned jobs) {
  std::vector<const Row*> printed;
  for (const Row& row : rows) {
    const Verdict& verdict = *row.cells[row.intended];
    if (verdict.status == Status::fail && lines_by_hand(verdict.report)) printed.push_back(&row);
  }
  std::vector<Outcome> seen(printed.size());
  const auto type = [&](std::size_t i) {
    seen[i] = type_by_hand(house, right, *printed[i], lesson.steps[printed[i]->intended]);
  };
  in_parallel(printed.size(), jobs * sessions_a_job, type);
  ByHandFigures figures{printed.size()};
  for (std::size_t i = 0; i < printed.size(); ++i) {
    // Nothing was to be seen: perhaps as the machine was busy.
    constexpr int nothing_seen = 1;
    for (int look = 0; look < looks_alone && seen[i].code == nothing_seen; ++look) {
      stop_if_interrupted();
      type(i);
    }
    if (seen[i].ok()) {
      ++figures.shown;
    } else {
      const Mutant& mutant = printed[i]->mutant;
      figures.not_shown.push_back(mutant.name + ", " + mutant.step + ": " + seen[i].output);
    }
  }
  stop_if_interrupted();
  return figures;
}

char mark(const Row& row, std::size_t step) {
  const auto& cell = row.cells[step];
  const bool intended = step == row.intended;
  if (!cell) return ' ';
  switch (cell->status) {
    case Status::pass:
      return intended ? '!' : '.';
    case Status::fail:
    case Status::not_built:
      return !intended ? 'x' : row.caught ? 'X' : '!';
    default:
      return '?';
  }
}

std::string table(const Lesson& lesson, const std::vector<Row>& rows) {
  constexpr std::string_view title = "wrong answer";
  std::size_t width = title.size();
  for (const Row& row : rows) {
    if (row.in_table) width = std::max(width, row.mutant.name.size());
  }
  std::ostringstream out;
  out << std::left << std::setw(static_cast<int>(width)) << title << std::right;
  for (const StepEntry& step : lesson.steps) out << std::setw(4) << step.id.substr(2);
  out << "  points lost\n";
  for (const Row& row : rows) {
    if (!row.in_table) continue;
    out << std::left << std::setw(static_cast<int>(width)) << row.mutant.name << std::right;
    for (std::size_t s = 0; s < row.cells.size(); ++s) out << "   " << mark(row, s);
    out << std::setw(8) << row.lost << "\n";
  }
  out << "\nX caught by the step that should   x red as well   . passes   ! not caught as it "
         "should\n"
         "(blank: the step's program is the solution's own)\n";
  return out.str();
}

std::string csv(const Lesson& lesson, const std::vector<Row>& rows) {
  std::ostringstream out;
  out << "mutant,should,caught,lost";
  for (const StepEntry& step : lesson.steps) out << ',' << step.id;
  out << '\n';
  for (const Row& row : rows) {
    out << row.mutant.name << ',' << row.mutant.step << ',' << (row.caught ? "yes" : "no") << ','
        << row.lost;
    for (const auto& cell : row.cells) out << ',' << (cell ? name_of(cell->status) : "same");
    out << '\n';
  }
  return out.str();
}

/// A field of a line whose fields are separated by tabs.
std::string field(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\t' || c == '\n'; }, ' ');
  return text;
}

/// The table for kit-grade, which tells by it what a submission behaves like: the steps that are
/// red, the cause that was said, and below it the report's own lines.
std::string answers(const Lesson& lesson, const std::vector<Row>& rows) {
  std::ostringstream out;
  for (const Row& row : rows) {
    out << "answer\t" << row.mutant.name << '\t' << row.mutant.step << '\t'
        << field(row.mutant.sentence) << '\n';
    for (std::size_t s = 0; s < row.cells.size(); ++s) {
      const auto& cell = row.cells[s];
      if (!cell || cell->status == Status::pass) continue;
      out << "red\t" << lesson.steps[s].id << '\t' << field(cell->cause) << '\n';
      std::istringstream report(cell->report);
      for (std::string line; std::getline(report, line);) out << "said\t" << field(line) << '\n';
    }
  }
  return out.str();
}

}  // namespace

bool Proof::mutants() {
  begin("mutants");
  const fs::path list = house_.root / "tests" / "mutants" / (lesson_.name + ".cmake");
  if (!fs::exists(list)) {
    complain(list.string() + " is missing");
    return finish("mutants", "none", {});
  }
  std::vector<Row> rows;
  for (Mutant& mutant : make_mutants(house_.root / "tests" / "cmake" / "mutants.cmake", list,
                                     solution_sources(), folder() / "mutants")) {
    if (!options_.only.empty() && mutant.name != options_.only) continue;
    const std::string who = "mutant " + mutant.name;
    const auto step = std::find_if(lesson_.steps.begin(), lesson_.steps.end(),
                                   [&](const StepEntry& entry) { return entry.id == mutant.step; });
    if (step == lesson_.steps.end()) {
      complain(who + ": the lesson has no step " + mutant.step);
      continue;
    }
    Row row;
    row.intended = static_cast<std::size_t>(step - lesson_.steps.begin());
    row.mutant = std::move(mutant);
    row.in_table = !options_.intended &&
                   (!options_.day || (rows.size() + options_.seed) % days_of_the_table == 0);
    row.cells.resize(lesson_.steps.size());
    rows.push_back(std::move(row));
  }
  if (rows.empty() && !options_.only.empty()) complain("no mutant named " + options_.only);

  // Each mutant is built on one thread, several mutants at a time.
  const Candidate& solution = base();
  {
    Builder one_at_a_time = builder_.with_jobs(1);
    if (rows.size() >= enough_to_precompile) {
      one_at_a_time = one_at_a_time.precompiling(solution, folder() / "precompiled");
    }
    in_parallel(rows.size(), options_.jobs, [&](std::size_t i) {
      const std::string& name = rows[i].mutant.name;
      const StepEntry* const step = &lesson_.steps[rows[i].intended];
      rows[i].candidate = one_at_a_time.build({rows[i].mutant.sources,
                                               solution_sources(),
                                               {},
                                               folder() / "built" / name,
                                               "solutions/" + lesson_.name,
                                               rows[i].in_table ? nullptr : step},
                                              &solution);
    });
  }
  stop_if_interrupted();

  // The steps that should catch them, at their own deadline; then the rest of the table.
  std::vector<Cell> rest;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    if (!rows[r].in_table) continue;
    for (std::size_t s = 0; s < lesson_.steps.size(); ++s) {
      const auto programs = rows[r].candidate.programs_of(lesson_.steps[s]);
      const bool same = std::all_of(programs.begin(), programs.end(),
                                    [](auto* program) { return program->same_as_base; });
      if (s != rows[r].intended && !same) rest.push_back({r, s});
    }
  }
  in_parallel(rows.size(), options_.jobs * intended_cells_a_job, [&](std::size_t r) {
    const StepEntry& step = lesson_.steps[rows[r].intended];
    rows[r].cells[rows[r].intended] = judge(house_, lesson_, rows[r].candidate, step);
  });
  stop_if_interrupted();
  std::size_t again = 0;
  for (Row& row : rows) {
    auto& cell = row.cells[row.intended];
    for (int look = 0; look < looks_alone; ++look) {
      const bool red = cell->status == Status::fail;
      const std::string differs = wrong_words(row.mutant, *cell);
      if (cell->status == Status::not_built || (red && differs.empty())) break;
      say("mutants", row.mutant.name + ": beside others " +
                         (red ? "not red in words" + differs : "not red") + "; asked again alone");
      again += look == 0 ? 1 : 0;
      cell = judge(house_, lesson_, row.candidate, lesson_.steps[row.intended]);
      stop_if_interrupted();
    }
  }
  const ByHandFigures by_hand = try_by_hand(house_, lesson_, solution, rows, options_.jobs);
  for (const std::string& text : by_hand.not_shown) say("by hand", text);

  in_parallel(rest.size(), options_.jobs * cells_a_job, [&](std::size_t i) {
    Row& row = rows[rest[i].row];
    row.cells[rest[i].step] =
        judge(house_, lesson_, row.candidate, lesson_.steps[rest[i].step], short_deadline);
  });
  stop_if_interrupted();

  std::size_t caught = 0;
  std::size_t in_table = 0;
  int lost_most = 0;
  int lost_in_table = 0;
  std::size_t red_elsewhere = 0;
  std::set<std::size_t> catchers;
  std::map<std::string, std::size_t> bases;  // what the causes rest on
  for (Row& row : rows) {
    catchers.insert(row.intended);
    const StepEntry& step = lesson_.steps[row.intended];
    const Verdict& verdict = *row.cells[row.intended];
    const std::string who = "mutant " + row.mutant.name;
    if (options_.verbose) {
      std::cout << who << ": " << row.mutant.sentence << "\n"
                << first_lines(verdict.report, 100, "    | ") << "\n";
    }
    std::string red_steps;
    for (std::size_t s = 0; s < row.cells.size(); ++s) {
      const auto& cell = row.cells[s];
      if (!cell) continue;
      if (cell->red()) {
        row.lost += lesson_.steps[s].points;
        if (s != row.intended) {
          ++red_elsewhere;
          red_steps += " " + lesson_.steps[s].id;
        }
      } else if (s != row.intended && cell->status != Status::pass) {
        complain_about(who, lesson_.steps[s], *cell, "pass or fail");
      }
    }
    if (verdict.status == Status::not_built) {
      complain(who + " does not compile:\n" + first_lines(verdict.report, 12, "    | "));
    } else if (verdict.status != Status::fail) {
      complain_about(who, step, verdict,
                     "fail: " + row.mutant.sentence +
                         (!row.in_table       ? ""
                          : red_steps.empty() ? "\n    red elsewhere: nothing"
                                              : "\n    red elsewhere:" + red_steps));
    } else {
      const std::string differs = wrong_words(row.mutant, verdict);
      row.caught = differs.empty();
      if (!row.caught) complain_about(who, step, verdict, "fail, in words" + differs);
    }
    if (verdict.status == Status::fail) {
      ++bases["basis " + verdict.basis];
      if (const std::string more = outgrown(verdict.report); !more.empty()) {
        complain_about(who, step, verdict, "a report that a terminal has room for, not" + more);
      }
    }
    caught += row.caught ? 1 : 0;
    if (row.caught && !partial()) remove_programs(row.candidate);
    if (!row.in_table) continue;
    ++in_table;
    lost_most = std::max(lost_most, row.lost);
    lost_in_table += row.lost;
  }
  if (options_.only.empty()) {
    for (std::size_t s = 0; s < lesson_.steps.size(); ++s) {
      if (catchers.contains(s)) continue;
      complain("step " + lesson_.steps[s].name() + ": no wrong answer is meant for it");
    }
    if (rows.size() < options_.fewest_mutants) {
      complain(counted(rows.size(), "wrong answer") + ": a lesson needs at least " +
               std::to_string(options_.fewest_mutants));
    }
  }
  if (!options_.intended) {
    const std::string text = table(lesson_, rows);
    std::cout << text << "\n";
    if (options_.only.empty() && !options_.day) {
      std::ofstream(folder() / "mutants.txt") << text;
      std::ofstream(folder() / "mutants.csv") << csv(lesson_, rows);
      std::ofstream(folder() / "answers.txt") << answers(lesson_, rows);
    }
  }
  std::vector<std::pair<std::string, std::string>> figures{
      {"mutants", std::to_string(rows.size())},
      {"caught", std::to_string(caught)},
      {"asked_again", std::to_string(again)},
      {"in_table", std::to_string(in_table)},
      {"cells", std::to_string(rows.size() + rest.size())},
      {"red_elsewhere", std::to_string(red_elsewhere)},
      {"lost_most", std::to_string(lost_most)},
      {"lost_in_table", std::to_string(lost_in_table)},
      {"lines_by_hand", std::to_string(by_hand.printed)},
      {"shown_by_hand", std::to_string(by_hand.shown)}};
  for (const auto& [basis, times] : bases) figures.emplace_back(basis, std::to_string(times));
  return finish("mutants",
                std::to_string(caught) + " of " + counted(rows.size(), "wrong answer") +
                    " caught by the step that should" +
                    (by_hand.printed == 0 ? ""
                                          : ", " + std::to_string(by_hand.shown) + " of " +
                                                std::to_string(by_hand.printed) + " shown by hand"),
                figures);
}

bool Proof::slots() {
  begin("slots");
  const Candidate& solution = base();
  const fs::path answers = solution_sources();
  std::size_t kinds_tried = 0;
  std::size_t earned_nothing = 0;
  std::size_t others = 0;

  for (const std::string& slot : builder_.learners_files()) {
    const auto is_of_slot = [&](const StepEntry& step) {
      const Task* task = lesson_.task(step.task);
      return task != nullptr && task->file == slot;
    };
    if (std::none_of(lesson_.steps.begin(), lesson_.steps.end(), is_of_slot)) continue;

    const std::string whole = "#include \"" + (answers / slot).string() + "\"\n";
    const std::vector<std::pair<std::string, std::string>> kinds{
        {"empty", ""},
        {"deleted", ""},
        {"include", whole},
        {"include-next", "#include_next <" + slot + ">\n"},
        {"include-and-a-line", whole + "namespace { [[maybe_unused]] const int mine = 1; }\n"},
    };
    for (const auto& [kind, text] : kinds) {
      ++kinds_tried;
      const std::string who = slot + ", " + kind;
      const fs::path sources = folder() / "slots" / (slot + "-" + kind);
      fs::create_directories(sources / "given");
      std::ofstream(sources / "given" / slot) << text;
      Order order{sources / "given", answers, {}, sources, "lessons/" + lesson_.name};
      if (kind == "deleted") order.without.insert(slot);
      const Candidate candidate = builder_.build(order, &solution);
      stop_if_interrupted();

      std::vector<const StepEntry*> alive;
      bool nothing = true;
      for (const StepEntry& step : lesson_.steps) {
        const auto programs = candidate.programs_of(step);
        const bool built = std::all_of(programs.begin(), programs.end(),
                                       [](auto* program) { return program->built; });
        if (!is_of_slot(step)) {
          if (built) alive.push_back(&step);
          continue;
        }
        const Verdict verdict = built ? Verdict{Status::pass, "", "", "its program was built"}
                                      : judge(house_, lesson_, candidate, step);
        const bool by_name = kind == "include-and-a-line" ? says(verdict.report, "not its own code")
                                                          : says(verdict.report, "not written: ");
        if (!built && by_name) continue;
        nothing = false;
        complain_about(who, step, verdict, "not built, and told what is not written");
      }
      if (nothing) ++earned_nothing;
      if (kind != "empty") continue;
      // The other programs are the solution's own, and judged as if nothing were missing.
      std::vector<Verdict> verdicts(alive.size());
      in_parallel(alive.size(), options_.jobs, [&](std::size_t i) {
        verdicts[i] = judge(house_, lesson_, candidate, *alive[i]);
      });
      stop_if_interrupted();
      for (std::size_t i = 0; i < alive.size(); ++i) {
        if (verdicts[i].status == Status::pass) {
          ++others;
        } else {
          complain_about(who, *alive[i], verdicts[i], "pass: its program does not need the slot");
        }
      }
    }
  }
  return finish("slots",
                std::to_string(earned_nothing) + " of " + counted(kinds_tried, "missing slot") +
                    " earn nothing; " + counted(others, "step") +
                    " of other programs pass beside them",
                {{"slots", std::to_string(kinds_tried)},
                 {"earned_nothing", std::to_string(earned_nothing)},
                 {"others", std::to_string(others)}});
}

}  // namespace kit
