#pragma once

// What was handed in. A submission is a learner's copy of the kit, or any folder with
// lessons/NN_name/… in it. From each lesson the files that the manifest names are taken, and
// nothing else; links are not followed, and whatever is odd becomes one sentence.

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/manifest.hpp"

namespace kit {

struct Submission {
  std::filesystem::path folder;
  std::string name;      ///< the folder's own
  bool is_link = false;  ///< a link inside a class's folder: nothing of it is taken
};

/// What was taken of one lesson.
struct Taken {
  bool anything = false;
  std::vector<std::string> notes;      ///< one sentence each
  std::vector<std::string> files;      ///< the names of those that are there
  std::optional<std::time_t> changed;  ///< the last change of one of them
  std::uint64_t sum = 0;               ///< stands for their names and contents
};

/// The submissions that a folder stands for: itself, or, if it has no lessons/ but folders in it
/// have, each of its folders. In the order of their names.
std::vector<Submission> submissions_in(const std::filesystem::path& folder);

/// A name that can be a folder's and a line's: slashes, what is no UTF-8, and what is not seen
/// (control characters, marks of direction) become `_`; names that the kit writes itself get one
/// more.
std::string plain_submission_name(const std::string& name);

/// From now on no file is taken that is another name (a hard link) of one in the kit's solutions/
/// or tests/.
void guard_answers(const std::filesystem::path& kit);

/// Copies a lesson's files into `into` (which is empty), and looks at what else lies beside them.
/// `alone`: it is the one lesson that is graded; then its files may also lie at the top.
Taken take_lesson(const Submission& submission, const Lesson& lesson,
                  const std::filesystem::path& into, bool alone);

/// The files of a submission that were not taken though they are not the kit's own: changed build
/// files, tests, common/. At most a few are named.
std::vector<std::string> ignored_files(const Submission& submission,
                                       const std::filesystem::path& kit);

/// FNV-1a, from `sum` on.
std::uint64_t add_to_sum(std::uint64_t sum, std::string_view bytes);
constexpr std::uint64_t empty_sum = 14695981039346656037ULL;
/// The sum as 16 digits.
std::string hexadecimal(std::uint64_t sum);

}  // namespace kit
