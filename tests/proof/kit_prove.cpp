// kit-prove: the proof of the kit. It builds candidates of a lesson (the solution, the starter,
// wrong answers, right answers written differently) and looks whether the lesson's check says of
// each what it should. Run by the tests labelled "kit"; by hand, for one lesson:
//
//   build/kit-prove mutants --lesson 01 --only no-htons
//   build/kit-prove solution --lesson 04 --repeat 100 --load
//
// A run says the same twice: the peers send the same bytes. Repetitions draw new ones; so does each
// run with KIT_SEED= (empty), and KIT_SEED=7 takes those of 7.

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "prove.hpp"

namespace {

constexpr int exit_proved = 0;
constexpr int exit_not_proved = 1;
constexpr int exit_usage = 2;
constexpr int exit_kit_error = 99;

constexpr std::string_view usage =
    "usage: kit-prove MODE [--lesson NN] [--only NAME] [--jobs N] [--verbose]\n"
    "  solution [--repeat N] [--load]   every step passes on the solution\n"
    "  starter [--strict]               every step is red on the starter: not written yet\n"
    "  mutants [--intended|--day]       every wrong answer is caught by the step that should\n"
    "  rules [--day|--rest|--open]      every mistake made by rule is caught, or listed\n"
    "  alternatives                     every right answer written differently passes\n"
    "  slots                            a slot that is not there earns nothing\n"
    "  all                              these, without the mistakes made by rule\n"
    "  figures                          what the last runs have proved\n"
    "the same bytes each time, new ones with KIT_SEED= and with --repeat\n";

struct UsageError {
  std::string what;
};

struct Arguments {
  std::string mode;
  std::string lesson;
  kit::House house{KIT_ROOT_FOLDER, KIT_BUILD_FOLDER};
  kit::Proof::Options options;
};

unsigned number(const std::string& option, const std::string& text) {
  unsigned value = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc{} || result.ptr != end || value == 0) {
    throw UsageError{option + " takes a number, not \"" + text + "\""};
  }
  return value;
}

/// The days since 1970.
std::uint64_t today() {
  const auto days = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
  return static_cast<std::uint64_t>(days.time_since_epoch().count());
}

/// The number that draws the part of a day: KIT_SEED, or the days since 1970. The peers of the
/// steps draw their bytes from it as well, so that KIT_SEED repeats the whole run.
std::uint64_t seed_of_the_day() {
  ::setenv("KIT_SEED", std::to_string(today()).c_str(), /* overwrite */ 0);
  return std::strtoull(std::getenv("KIT_SEED"), nullptr, 10);
}

Arguments read_arguments(const std::vector<std::string>& words) {
  Arguments arguments;
  // On a CI machine nobody has worked on the lessons: there an edited starter is a mistake.
  arguments.options.strict = std::getenv("CI") != nullptr;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto value = [&]() -> const std::string& {
      if (i + 1 == words.size()) throw UsageError{word + " takes a value"};
      return words[++i];
    };
    if (word == "--lesson") {
      arguments.lesson = value();
    } else if (word == "--only") {
      arguments.options.only = value();
    } else if (word == "--jobs") {
      arguments.options.jobs = number(word, value());
    } else if (word == "--repeat") {
      arguments.options.repeat = number(word, value());
    } else if (word == "--load") {
      arguments.options.load = true;
    } else if (word == "--intended") {
      arguments.options.intended = true;
    } else if (word == "--day") {
      arguments.options.day = true;
    } else if (word == "--rest") {
      arguments.options.rest = true;
    } else if (word == "--open") {
      arguments.options.open = true;
    } else if (word == "--strict") {
      arguments.options.strict = true;
    } else if (word == "--verbose") {
      arguments.options.verbose = true;
    } else if (!word.starts_with("-") && arguments.mode.empty()) {
      arguments.mode = word;
    } else {
      throw UsageError{"unknown argument \"" + word + "\""};
    }
  }
  return arguments;
}

const std::map<std::string, std::vector<bool (kit::Proof::*)()>> modes{
    {"solution", {&kit::Proof::solution}},
    {"starter", {&kit::Proof::starter}},
    {"mutants", {&kit::Proof::mutants}},
    {"rules", {&kit::Proof::rules}},
    {"alternatives", {&kit::Proof::alternatives}},
    {"slots", {&kit::Proof::slots}},
    {"all",
     {&kit::Proof::solution, &kit::Proof::starter, &kit::Proof::mutants, &kit::Proof::alternatives,
      &kit::Proof::slots}},
};

bool prove(Arguments arguments) {
  // Wrong answers are judged with the same bytes on every day; `--only NAME` asks one again.
  if (arguments.options.day) {
    arguments.options.seed = arguments.mode == "rules" ? seed_of_the_day() : today();
  }
  const auto manifest = kit::Manifest::read(arguments.house.manifest().string());
  if (arguments.options.repeat == 1) ::setenv("KIT_SEED", "1", /* overwrite */ 0);
  // A wrong answer has to be caught at once: luck is no proof.
  const bool right = arguments.mode == "solution" || arguments.mode == "alternatives";
  if (!right) ::setenv("KIT_TRIES", "1", /* overwrite */ 0);
  if (arguments.mode == "figures") return kit::print_figures(arguments.house, manifest);
  const auto mode = modes.find(arguments.mode);
  if (mode == modes.end()) throw UsageError{"unknown mode \"" + arguments.mode + "\""};

  bool good = true;
  bool found = false;
  for (const kit::Lesson& lesson : manifest.lessons()) {
    const std::string& wanted = arguments.lesson;
    if (!wanted.empty() && wanted != lesson.number() && wanted != lesson.name) continue;
    found = true;
    kit::Proof proof(arguments.house, lesson, arguments.options);
    for (const auto part : mode->second) good = (proof.*part)() && good;
  }
  if (!found) throw UsageError{"there is no lesson \"" + arguments.lesson + "\""};
  return good;
}

}  // namespace

int main(int argc, char** argv) {
  int status = exit_kit_error;
  try {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() == 1 && words[0] == "--help") {
      std::cout << usage;
      return exit_proved;
    }
    kit::end_commands_on_signals();
    status = prove(read_arguments(words)) ? exit_proved : exit_not_proved;
  } catch (const UsageError& error) {
    std::cerr << "kit-prove: " << error.what << "\n" << usage;
    return exit_usage;
  } catch (const kit::ProofStopped&) {
    status = 128 + kit::interrupted();
  } catch (const std::exception& error) {
    std::cerr << "kit-prove: " << error.what() << "\n";
  }
  if (const int left = kit::end_what_is_left(); left > 0 && kit::interrupted() == 0) {
    std::cerr << "kit-prove: the checks left " << left << " processes behind\n";
    return exit_kit_error;
  }
  return status;
}
