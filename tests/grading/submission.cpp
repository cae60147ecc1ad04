#include "submission.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <set>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "harness/base/descriptor.hpp"
#include "harness/base/escape.hpp"
#include "harness/base/markup.hpp"
#include "harness/base/plain_file.hpp"
#include "harness/base/sources.hpp"
#include "options.hpp"

namespace kit {
namespace {

namespace fs = std::filesystem;

/// Nobody writes a megabyte by hand. (The builder's limit, too.)
constexpr std::size_t largest_source = 1024 * 1024;
/// A submission can have any number of files: so many are looked at, and so many named.
constexpr std::size_t most_looked_at = 4000;
constexpr std::size_t most_named = 8;
constexpr int deepest = 12;

constexpr int folder_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;

/// A name as it is shown: escaped, and not endless.
std::string shown(const std::string& name) {
  const std::string text = escape_text(name);
  return text.size() <= 80 ? text : text.substr(0, 77) + "...";
}

/// Opens a folder below another, and says in a sentence why it cannot.
Descriptor open_folder(int at, const std::string& name, const std::string& path,
                       std::string& why_not) {
  struct stat status {};
  if (fstatat(at, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    why_not = errno == ENOENT ? "There is no folder " + path + "."
                              : path + " cannot be looked at: " + std::strerror(errno) + ".";
    return {};
  }
  if (!S_ISDIR(status.st_mode)) {
    why_not = path + " is " + kind_of(status.st_mode) + ", no folder" +
              (S_ISLNK(status.st_mode) ? ": links are not followed." : ".");
    return {};
  }
  Descriptor folder(openat(at, name.c_str(), folder_flags));
  if (!folder) why_not = path + " cannot be opened: " + std::strerror(errno) + ".";
  return folder;
}

using FileId = std::pair<dev_t, ino_t>;

/// The files of the kit that no submission may be another name of.
std::set<FileId>& files_of_the_kit() {
  static std::set<FileId> files;
  return files;
}

bool is_of_the_kit(const struct stat& status) {
  return files_of_the_kit().contains({status.st_dev, status.st_ino});
}

struct Content {
  std::string text;
  std::time_t changed = 0;
};

/// Reads a learner's file. No value: there is none (then `why_not` is empty), or it is not taken.
std::optional<Content> read_plain(int at, const std::string& name, const std::string& path,
                                  std::string& why_not) {
  PlainFile file(at, name, largest_source);
  if (file.missing()) return std::nullopt;
  const struct stat& status = file.status();
  const bool twin = file.why_not().empty() && status.st_nlink > 1;
  // A second name for somebody's secret file: whoever unpacked the submission could read it.
  if (twin && is_of_the_kit(status)) {
    why_not = path + " is another name for a file of the grader's own kit: it is not taken.";
  } else if (twin && (status.st_mode & S_IROTH) == 0) {
    why_not = path + " is another name for a file that not everybody may read: it is not taken.";
  } else if (auto text = file.text()) {
    return Content{std::move(*text), status.st_mtime};
  } else {
    why_not = path + ' ' + file.why_not();
  }
  return std::nullopt;
}

/// The names in a folder, sorted; at most as many as are looked at.
std::vector<std::string> names_in(int folder) {
  std::vector<std::string> names;
  const int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const directory = copy < 0 ? nullptr : fdopendir(copy);
  if (directory == nullptr) {
    if (copy >= 0) close(copy);
    return names;
  }
  while (const dirent* entry = readdir(directory)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
    if (names.size() >= most_looked_at) break;
  }
  closedir(directory);
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> learners_files(const Lesson& lesson) {
  std::set<std::string> files(lesson.slots.begin(), lesson.slots.end());
  for (const ProgramEntry& program : lesson.programs) files.insert(program.source);
  return {files.begin(), files.end()};
}

std::string named(std::vector<std::string> names) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < most_named; ++i) {
    text += (i == 0 ? "" : ", ") + shown(names[i]);
  }
  if (names.size() > most_named) {
    text += " and " + std::to_string(names.size() - most_named) + " more";
  }
  return text;
}

/// Sources in the lesson's folder that nobody compiles: a learner should know.
void note_others(int folder, const std::string& path, const std::vector<std::string>& known,
                 Taken& taken) {
  std::vector<std::string> others;
  for (const std::string& name : names_in(folder)) {
    const fs::path extension = fs::path(name).extension();
    const bool source = extension == ".cpp" || extension == ".hpp" || extension == ".h" ||
                        extension == ".cc" || extension == ".ipp";
    const bool ours = std::find(known.begin(), known.end(), name) != known.end();
    if (source && !ours && name != "first_server.cpp") others.push_back(name);
  }
  if (others.empty()) return;
  taken.notes.push_back("In " + path + " only the lesson's own files are taken, and not " +
                        named(others) + ".");
}

void take_from(int folder, const std::string& path, const Lesson& lesson, const fs::path& into,
               Taken& taken) {
  const std::vector<std::string> files = learners_files(lesson);
  for (const std::string& name : files) {
    std::string why_not;
    const auto content = read_plain(folder, name, path.empty() ? name : path + "/" + name, why_not);
    if (!why_not.empty()) taken.notes.push_back(why_not);
    if (!content) continue;
    std::ofstream out(into / name, std::ios::binary);
    out << content->text;
    out.close();
    if (!out) throw std::runtime_error("cannot write " + (into / name).string());
    taken.files.push_back(name);
    taken.anything = true;
    if (!taken.changed || *taken.changed < content->changed) taken.changed = content->changed;
    taken.sum = add_to_sum(add_to_sum(taken.sum, name + '\0'), content->text + '\0');
  }
  if (!path.empty()) note_others(folder, path, files, taken);
}

bool has_lessons(const fs::path& folder) {
  std::error_code error;
  return fs::exists(fs::symlink_status(folder / "lessons", error));
}

/// Walks what a submission has where the kit has files of its own.
class Comparison {
 public:
  Comparison(const fs::path& kit, std::vector<std::string>& differing)
      : kit_(kit), differing_(differing) {}

  void look(int folder, const std::string& below, int depth) {
    for (const std::string& name : names_in(folder)) {
      if (++looked_at_ > most_looked_at) return;
      const std::string path = below.empty() ? name : below + "/" + name;
      if (below.empty() && !of_interest(name)) continue;
      struct stat status {};
      if (fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
      if (S_ISDIR(status.st_mode) && depth < deepest) {
        const Descriptor inner(openat(folder, name.c_str(), folder_flags));
        if (inner) look(inner.get(), path, depth + 1);
      } else if (!same(folder, name, path)) {
        differing_.push_back(path);
      }
    }
  }

 private:
  static bool of_interest(const std::string& name) {
    return name == "CMakeLists.txt" || name == "CMakePresets.json" ||
           name == "CMakeUserPresets.json" || name == "common" || name == "tests";
  }
  bool same(int folder, const std::string& name, const std::string& path) const {
    std::string why_not;
    const auto content = read_plain(folder, name, path, why_not);
    return content && read_text((kit_ / path).string()) == content->text;
  }

  const fs::path& kit_;
  std::vector<std::string>& differing_;
  std::size_t looked_at_ = 0;
};

}  // namespace

std::uint64_t add_to_sum(std::uint64_t sum, std::string_view bytes) {
  for (const char c : bytes) sum = (sum ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return sum;
}

namespace {

/// A character of valid UTF-8, and how many bytes it has.
std::pair<char32_t, std::size_t> character_at(const std::string& text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const std::size_t size = byte(0) < 0x80 ? 1 : byte(0) < 0xE0 ? 2 : byte(0) < 0xF0 ? 3 : 4;
  if (size == 1) return {byte(0), 1};
  char32_t character = byte(0) & (0xFFu >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) character = character << 6 | (byte(i) & 0x3Fu);
  return {character, size};
}

/// What shows nothing of itself, or turns what stands beside it round: controls, marks of
/// direction, and characters without width.
bool is_unseen(char32_t c) {
  struct Range {
    char32_t first, last;
  };
  constexpr Range unseen[] = {{0, 0x1F},        {0x7F, 0x9F},      {0xAD, 0xAD},
                              {0x61C, 0x61C},   {0x180E, 0x180E},  {0x200B, 0x200F},
                              {0x2028, 0x202E}, {0x2060, 0x206F},  {0xFEFF, 0xFEFF},
                              {0xFFF9, 0xFFFD}, {0xE0000, 0xE007F}};
  return std::any_of(std::begin(unseen), std::end(unseen),
                     [c](const Range& range) { return c >= range.first && c <= range.last; });
}

}  // namespace

std::string plain_submission_name(const std::string& name) {
  constexpr std::size_t longest = 120;
  std::string result;
  const std::string valid = valid_utf8(name);
  for (std::size_t i = 0; i < valid.size();) {
    const auto [character, size] = character_at(valid, i);
    const bool kept = character != '/' && !is_unseen(character);
    if (result.size() + (kept ? size : 1) > longest) break;
    result += kept ? valid.substr(i, size) : "_";
    i += size;
  }
  if (result.empty() || result == "." || result == "..") result = "_";
  if (result.starts_with("class.") || result.starts_with(".kit")) result += '_';
  return result;
}

std::vector<Submission> submissions_in(const fs::path& given) {
  std::error_code error;
  const fs::path folder = fs::canonical(given, error);
  if (error || !fs::is_directory(folder)) {
    throw InputError(escape_text(given.string()) + " is no folder");
  }
  const Submission itself{folder, plain_submission_name(folder.filename().string()), false};
  if (has_lessons(folder)) return {itself};
  std::vector<Submission> inside;
  bool any = false;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with('.')) continue;
    if (entry.is_symlink(error)) {
      inside.push_back({entry.path(), plain_submission_name(name), true});
    } else if (entry.is_directory(error)) {
      inside.push_back({entry.path(), plain_submission_name(name), false});
      any = any || has_lessons(entry.path());
    }
  }
  if (!any) return {itself};
  std::sort(inside.begin(), inside.end(), [](const Submission& a, const Submission& b) {
    return std::tie(a.name, a.folder) < std::tie(b.name, b.folder);
  });
  return inside;
}

void guard_answers(const fs::path& kit) {
  for (const char* folder : {"solutions", "tests"}) {
    std::error_code error;
    for (const auto& entry : fs::recursive_directory_iterator(kit / folder, error)) {
      struct stat status {};
      if (lstat(entry.path().c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
        files_of_the_kit().insert({status.st_dev, status.st_ino});
      }
    }
  }
}

Taken take_lesson(const Submission& submission, const Lesson& lesson, const fs::path& into,
                  bool alone) {
  Taken taken;
  taken.sum = add_to_sum(empty_sum, lesson.name);
  if (submission.is_link) {
    taken.notes.push_back("The submission is a link: links are not followed.");
    return taken;
  }
  const Descriptor top(open(submission.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!top) {
    taken.notes.push_back(
        "The submission's folder cannot be opened: " + std::string(std::strerror(errno)) + ".");
    return taken;
  }
  const std::string path = "lessons/" + lesson.name;
  std::string why_not;
  const Descriptor lessons = open_folder(top.get(), "lessons", "lessons", why_not);
  if (lessons) {
    const Descriptor folder = open_folder(lessons.get(), lesson.name, path, why_not);
    if (folder) {
      take_from(folder.get(), path, lesson, into, taken);
      if (!taken.anything) {
        taken.notes.push_back("There is none of the lesson's files in " + path + ".");
      }
      return taken;
    }
  } else if (alone && why_not.starts_with("There is no")) {
    take_from(top.get(), "", lesson, into, taken);
    if (taken.anything) return taken;
  }
  taken.notes.push_back(why_not);
  return taken;
}

std::vector<std::string> ignored_files(const Submission& submission, const fs::path& kit) {
  std::vector<std::string> differing;
  if (submission.is_link) return {};
  const Descriptor top(open(submission.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!top) return {};
  Comparison(kit, differing).look(top.get(), "", 0);
  if (differing.empty()) return {};
  return {
      "Build files, presets, tests and common/ are never taken from a submission; these differ "
      "from the kit's and were ignored: " +
      named(differing) + "."};
}

std::string hexadecimal(std::uint64_t sum) {
  char text[24];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(sum));
  return text;
}

}  // namespace kit
