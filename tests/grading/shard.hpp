#pragma once

// A class in parts, each graded by a machine of its own. Who belongs to which part is told by the
// name alone, so that nothing has to be shared out, and nobody moves when somebody is added.

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kit {

struct Shard {
  std::size_t index = 1;  ///< from 1
  std::size_t count = 1;
};

/// "3/6"; "auto" and "auto/6": which one it is, and of how many, is told by the engine that starts
/// the job (Slurm, GitLab and others with CI_NODE_INDEX, a Kubernetes Job).
/// Throws UsageError.
Shard read_shard(const std::string& text);

/// The part that the submission belongs to, from 1.
std::size_t shard_of(std::string_view submission, std::size_t count);

/// What a part says of itself, in DIR/.kit/part.json.
struct Part {
  Shard shard;
  std::string class_sum;           ///< stands for kit, seed, course, lessons and names of the class
  std::vector<std::string> names;  ///< the whole class
};

/// Where it stands in the folder of a part.
std::filesystem::path part_file(const std::filesystem::path& folder);

void write_part(const std::filesystem::path& folder, const Part& part);
/// Nothing if the folder is no part.
std::optional<Part> read_part(const std::filesystem::path& folder);

}  // namespace kit
