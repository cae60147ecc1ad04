#include "options.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "course.hpp"
#include "formats.hpp"
#include "harness/base/escape.hpp"
#include "submission.hpp"

namespace kit {

const char* const usage =
    "usage: kit-grade SUBMISSION... --out DIR [--lesson NN]... [--jobs N] [--format FORMAT]\n"
    "  SUBMISSION      a learner's copy of the kit, any folder with lessons/NN_name/ in it, or a\n"
    "                  folder of such folders\n"
    "  --out DIR       DIR/NAME/grade.json, junit.xml, report.md; DIR/class.html, class.md,\n"
    "                  class.json, class.csv\n"
    "  --lesson NN     this lesson alone (repeat it for more)\n"
    "  --jobs N        N submissions at a time (1)\n"
    "  --format F      also write gradescope, github, prairielearn, vpl or autolab\n"
    "  --results FILE  write that format here too (one submission)\n"
    "  --course FILE   weights, lessons and deadline of a course of your own\n"
    "  --seed N        the bytes that checks send (a random seed, kept in DIR)\n"
    "  --again         grade once more what DIR has a complete grade of\n"
    "  --name NAME     what the one submission is called\n"
    "  --submitted T   when it was handed in (2026-12-01 23:59), if not its files tell\n"
    "  --submitted-from FILE  when each was: lines of NAME,2026-12-01 23:59\n"
    "  --lower-maximum leave out steps that cannot be judged on this machine\n"
    "  --without PART  a cell without landlock, users or network: to try a weaker machine\n"
    "  --anonymous     no names in class.html, class.md and class.json\n"
    "  --shard I/N     the Ith of N parts of the class (auto, auto/N: the engine tells which)\n"
    "       kit-grade --merge DIR... --out DIR\n"
    "                  joins what N machines have graded\n"
    "       kit-grade --convert GRADE.JSON --format FORMAT\n";

namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

unsigned long number(const std::string& option, const std::string& text, unsigned long least) {
  char* end = nullptr;
  const unsigned long value = std::strtoul(text.c_str(), &end, 10);
  if (text.empty() || text[0] == '-' || *end != '\0' || value < least || value > 4'294'967'295UL) {
    throw UsageError(option + " takes a number, not \"" + text + "\"");
  }
  return value;
}

std::time_t moment(const std::string& option, const std::string& text) {
  const auto time = parse_time(text);
  if (!time) throw UsageError(option + " takes a time such as 2026-12-01 23:59");
  return *time;
}

void add_environment(Options& options) {
  if (const auto value = variable("KIT_SUBMISSION");
      options.submissions.empty() && !value.empty()) {
    options.submissions = {value};
  }
  if (const auto value = variable("KIT_OUT"); options.out.empty()) options.out = value;
  if (const auto value = variable("KIT_FORMAT"); options.format.empty()) options.format = value;
  if (const auto value = variable("KIT_COURSE"); options.course.empty()) options.course = value;
  if (const auto value = variable("KIT_SEED"); !options.seed && !value.empty()) {
    options.seed = static_cast<std::uint32_t>(number("KIT_SEED", value, 0));
  }
  if (const auto value = variable("KIT_SHARD"); !options.shard && !value.empty()) {
    options.shard = read_shard(value);
  }
  if (const auto value = variable("KIT_LESSON"); options.lessons.empty()) {
    std::string words = value;
    std::replace_if(
        words.begin(), words.end(), [](char c) { return c == ';' || c == ','; }, ' ');
    std::istringstream in(words);
    for (std::string word; in >> word;) options.lessons.push_back(word);
  }
}

}  // namespace

std::map<std::string, std::time_t> read_submitted(const std::filesystem::path& file) {
  std::ifstream in(file);
  const std::string shown = escape_text(file.string());
  if (!in || std::filesystem::is_directory(file)) throw InputError(shown + " cannot be read");
  std::map<std::string, std::time_t> times;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (line.empty() || line[0] == '#') continue;
    const std::string where = shown + ":" + std::to_string(number) + ": ";
    // A name may hold any of them, a time none.
    const std::size_t end = line.find_last_of(",;\t");
    if (end == std::string::npos) throw InputError(where + "a line is NAME,2026-12-01 23:59");
    std::string name = line.substr(0, end);
    if (name.size() >= 2 && name.front() == '"' && name.back() == '"') {
      name = name.substr(1, name.size() - 2);
    }
    const std::size_t begin = line.find_first_not_of(' ', end + 1);
    const auto time = parse_time(begin == std::string::npos ? "" : line.substr(begin));
    if (!time) throw InputError(where + "its time is not one such as 2026-12-01 23:59");
    if (!times.emplace(plain_submission_name(name), *time).second) {
      throw InputError(where + "there is a second line for " + plain_submission_name(name));
    }
  }
  return times;
}

Options read_options(const std::vector<std::string>& words) {
  Options options;
  bool jobs_given = false;
  bool merging = false;
  std::filesystem::path default_out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto value = [&]() -> const std::string& {
      if (i + 1 == words.size()) throw UsageError(word + " takes a value");
      return words[++i];
    };
    if (word == "--out") {
      options.out = value();
    } else if (word == "--default-out") {
      default_out = value();
    } else if (word == "--lesson") {
      options.lessons.push_back(value());
    } else if (word == "--step") {
      options.steps.push_back(value());
    } else if (word == "--jobs") {
      options.jobs = static_cast<unsigned>(number(word, value(), 1));
      jobs_given = true;
    } else if (word == "--format") {
      options.format = value();
    } else if (word == "--results") {
      options.results = value();
    } else if (word == "--course") {
      options.course = value();
    } else if (word == "--name") {
      options.name = value();
    } else if (word == "--seed") {
      options.seed = static_cast<std::uint32_t>(number(word, value(), 0));
    } else if (word == "--submitted") {
      options.submitted = moment(word, value());
    } else if (word == "--submitted-from") {
      options.submitted_from = value();
    } else if (word == "--again") {
      options.again = true;
    } else if (word == "--anonymous") {
      options.anonymous = true;
    } else if (word == "--shard") {
      options.shard = read_shard(value());
    } else if (word == "--merge") {
      merging = true;
    } else if (word == "--lower-maximum") {
      options.lower_maximum = true;
    } else if (word == "--without") {
      if (value() != "landlock" && words[i] != "users" && words[i] != "network") {
        throw UsageError("--without takes landlock, users or network");
      }
      options.without.push_back(words[i]);
    } else if (word == "--convert") {
      options.converted = value();
    } else if (word == "--help") {
      options.help = true;
    } else if (word == "--") {
      options.submissions.insert(options.submissions.end(),
                                 words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
      break;
    } else if (word.starts_with("--")) {
      throw UsageError("unknown option " + word);
    } else {
      options.submissions.emplace_back(word);
    }
  }
  if (options.help) return options;
  if (merging) options.merged.swap(options.submissions);
  add_environment(options);
  if (const auto value = variable("KIT_JOBS"); !jobs_given && !value.empty()) {
    options.jobs = static_cast<unsigned>(number("KIT_JOBS", value, 1));
  }
  const auto known = formats();
  if (!options.format.empty() && std::ranges::find(known, options.format) == known.end()) {
    throw UsageError("there is no format \"" + options.format + "\"");
  }
  if (!options.converted.empty()) {
    if (options.format.empty()) throw UsageError("--convert needs --format");
    return options;
  }
  if (merging) {
    if (options.merged.empty()) throw UsageError("--merge needs the folders of the parts");
    if (options.out.empty()) throw UsageError("--merge needs --out DIR");
    return options;
  }
  if (options.shard && !options.seed) {
    throw UsageError("--shard needs --seed: every part sends the same bytes");
  }
  if (options.submissions.empty()) {
    throw UsageError(
        "no submission is named.\n"
        "  KIT_SUBMISSION=path/to/the/folder cmake --workflow --preset grade");
  }
  if (options.out.empty()) options.out = default_out;
  if (options.out.empty()) throw UsageError("--out DIR says where the grades go");
  return options;
}

}  // namespace kit
