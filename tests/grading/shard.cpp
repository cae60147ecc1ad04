#include "shard.hpp"

#include <cstdint>
#include <cstdlib>

#include "grade.hpp"
#include "harness/base/sources.hpp"
#include "options.hpp"
#include "submission.hpp"

namespace kit {
namespace {

constexpr std::size_t most_shards = 100'000;

std::optional<std::size_t> number_in(std::string_view text) {
  std::size_t value = 0;
  if (text.empty() || text.size() > 6) return std::nullopt;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::size_t>(c - '0');
  }
  return value;
}

std::optional<std::size_t> variable(const char* name) {
  const char* const text = std::getenv(name);
  return text == nullptr ? std::nullopt : number_in(text);
}

/// What an engine says. Its own count is taken where nobody gives another one.
Shard told_by_the_engine(std::optional<std::size_t> count) {
  std::optional<std::size_t> index;
  if (const auto task = variable("SLURM_ARRAY_TASK_ID")) {
    index = task;
    // Tasks that are started again come as a smaller array, with a smaller count.
    const auto last = variable("SLURM_ARRAY_TASK_MAX");
    const auto all = variable("SLURM_ARRAY_TASK_COUNT");
    if (!count && all == last) count = all;
  } else if (const auto node = variable("CI_NODE_INDEX")) {
    index = node;
    if (!count) count = variable("CI_NODE_TOTAL");
  } else if (const auto completion = variable("JOB_COMPLETION_INDEX")) {
    index = *completion + 1;
  } else {
    throw UsageError(
        "--shard auto: none of SLURM_ARRAY_TASK_ID, CI_NODE_INDEX and JOB_COMPLETION_INDEX is set");
  }
  if (!count) throw UsageError("of how many parts? --shard auto/6 says it");
  return {*index, *count};
}

}  // namespace

Shard read_shard(const std::string& text) {
  const std::size_t slash = text.find('/');
  const std::string first = text.substr(0, slash);
  const auto count = slash == std::string::npos
                         ? std::nullopt
                         : number_in(std::string_view(text).substr(slash + 1));
  Shard shard;
  if (first == "auto" && (slash == std::string::npos || count)) {
    shard = told_by_the_engine(count);
  } else if (const auto index = number_in(first); index && count) {
    shard = {*index, *count};
  } else {
    throw UsageError("--shard takes 3/6, auto or auto/6, not \"" + text + "\"");
  }
  if (shard.index < 1 || shard.index > shard.count || shard.count > most_shards) {
    throw UsageError("there is no part " + std::to_string(shard.index) + " of " +
                     std::to_string(shard.count) + ": parts are numbered from 1");
  }
  return shard;
}

std::size_t shard_of(std::string_view submission, std::size_t count) {
  std::uint64_t sum = add_to_sum(empty_sum, submission);
  // The low bits of FNV are not mixed well enough for a remainder.
  sum ^= sum >> 32;
  sum *= 0x9E3779B97F4A7C15ULL;
  sum ^= sum >> 29;
  return static_cast<std::size_t>(sum % count) + 1;
}

std::filesystem::path part_file(const std::filesystem::path& folder) {
  return folder / ".kit" / "part.json";
}

void write_part(const std::filesystem::path& folder, const Part& part) {
  const Json json = Json::Object{{"index", part.shard.index},
                                 {"count", part.shard.count},
                                 {"class", part.class_sum},
                                 {"names", Json::Array(part.names.begin(), part.names.end())}};
  write_by_rename(part_file(folder), json.text());
}

std::optional<Part> read_part(const std::filesystem::path& folder) try {
  const auto text = read_text(part_file(folder).string());
  if (!text) return std::nullopt;
  const Json json = Json::parse(*text);
  Part part;
  part.shard.index = static_cast<std::size_t>(json["index"].number());
  part.shard.count = static_cast<std::size_t>(json["count"].number());
  part.class_sum = json["class"].string();
  for (const Json& name : json["names"].array()) part.names.push_back(name.string());
  return part;
} catch (const std::exception&) {
  return std::nullopt;  // half a file, or somebody else's
}

}  // namespace kit
