#include "options.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>

namespace kit::bench {
namespace {

std::string one_of(const std::string& name, const std::string& value,
                   const std::vector<std::string>& allowed) {
  if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return value;
  std::string words;
  for (const std::string& word : allowed) words += (words.empty() ? "" : ", ") + word;
  throw BadOption(name + " is one of " + words + ", not '" + value + "'");
}

int rounds_of(const std::string& value) {
  const bool digits = !value.empty() && value.size() < 3 &&
                      value.find_first_not_of("0123456789") == std::string::npos;
  if (!digits || value == "0" || value == "00")
    throw BadOption("--rounds is a number from 1 to 99, not '" + value + "'");
  return std::stoi(value);
}

const std::vector<std::string> forms{"short", "full"};
const std::vector<std::string> server_sets{"solutions", "lessons", "none"};

using Take = std::function<void(Options&, const std::string&)>;

const std::map<std::string, Take> with_value{
    {"--form", [](Options& o, const std::string& v) { o.form = one_of("--form", v, forms); }},
    {"--servers",
     [](Options& o, const std::string& v) { o.servers = one_of("--servers", v, server_sets); }},
    {"--server", [](Options& o, const std::string& v) { o.added.push_back(v); }},
    {"--only", [](Options& o, const std::string& v) { o.only = v; }},
    {"--build", [](Options& o, const std::string& v) { o.build = v; }},
    {"--out", [](Options& o, const std::string& v) { o.out = v; }},
    {"--from", [](Options& o, const std::string& v) { o.from = v; }},
    {"--rounds", [](Options& o, const std::string& v) { o.rounds = rounds_of(v); }},
    {"--baseline", [](Options& o, const std::string& v) { o.baseline = v; }},
};

void read_environment(const std::map<std::string, std::string>& environment, Options& options) {
  const auto value = [&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
  };
  if (!value("KIT_BENCH").empty())
    options.servers = one_of("KIT_BENCH", value("KIT_BENCH"), server_sets);
  if (!value("KIT_BENCH_FORM").empty())
    options.form = one_of("KIT_BENCH_FORM", value("KIT_BENCH_FORM"), forms);
}

}  // namespace

Options read_options(const std::vector<std::string>& arguments,
                     const std::map<std::string, std::string>& environment) {
  Options options;
  read_environment(environment, options);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    const auto take = with_value.find(word);
    if (word == "--help") {
      options.help = true;
    } else if (word == "--spread") {
      options.spread = true;
    } else if (take == with_value.end()) {
      throw BadOption("there is no option '" + word + "'");
    } else if (++i == arguments.size()) {
      throw BadOption(word + " needs a value");
    } else {
      take->second(options, arguments[i]);
    }
  }
  return options;
}

std::string usage() {
  return "usage: kit-bench [--form short|full] [--servers solutions|lessons|none]\n"
         "                 [--server NAME[@TRANSPORT]=COMMAND]... [--only GROUP,GROUP...]\n"
         "                 [--rounds N] [--spread] [--build DIR] [--out DIR] [--from CSV]\n"
         "                 [--baseline PROGRAM]\n";
}

}  // namespace kit::bench
