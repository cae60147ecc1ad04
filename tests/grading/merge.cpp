#include "merge.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "harness/base/escape.hpp"
#include "harness/base/sources.hpp"
#include "shard.hpp"

namespace kit {
namespace {

namespace fs = std::filesystem;

/// A part that has been found, and the book in it.
struct Found {
  fs::path folder;
  Part part;
  [[nodiscard]] std::string shown() const { return escape_text(folder.string()); }
};

std::string which(const Shard& shard) {
  return "part " + std::to_string(shard.index) + " of " + std::to_string(shard.count);
}

/// ": anna, bert are not graded", whoever they are.
std::string not_graded(const std::vector<std::string>& names) {
  if (names.empty()) return {};
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? ": " : ", ") + escape_text(name);
  return text + (names.size() == 1 ? " is not graded" : " are not graded");
}

/// The folders that are parts; what is none is told.
std::vector<Found> find_parts(const Options& options, std::vector<std::string>& complaints) {
  std::vector<Found> parts;
  for (const fs::path& folder : options.merged) {
    auto part = read_part(folder);
    if (!part) {
      complaints.push_back(escape_text(folder.string()) +
                           " is no part of a class: no kit-grade --shard has begun there");
      continue;
    }
    parts.push_back({folder, std::move(*part)});
  }
  for (const Found& one : parts) {
    const Part& first = parts.front().part;
    if (one.part.class_sum == first.class_sum && one.part.shard.count == first.shard.count)
      continue;
    throw UsageError(one.shown() + " and " + parts.front().shown() +
                     " are no parts of the same class: names, seed, lessons, course, or the number "
                     "of parts are not the same");
  }
  return parts;
}

}  // namespace

bool merge(const Options& options, Book& book) {
  std::vector<std::string> complaints;
  const std::vector<Found> parts = find_parts(options, complaints);
  std::set<std::string> missing;
  bool all_passed = !parts.empty();
  std::size_t merged = 0;
  if (!parts.empty()) {
    const Part& any = parts.front().part;
    std::map<std::size_t, std::vector<const Found*>> by_index;
    for (const Found& one : parts) by_index[one.part.shard.index].push_back(&one);
    for (const std::string& name : any.names) {
      // A part that was started twice is there twice: each grade counts once.
      bool done = false;
      for (const Found* one : by_index[shard_of(name, any.shard.count)]) {
        Options of_part;
        of_part.out = one->folder;
        std::string checks;
        const auto grade = Book(of_part, {}, {}).read(name, &checks);
        if (!grade || !grade->complete || grade->submission != name) continue;
        book.write(*grade, checks, true);
        all_passed = all_passed && grade->all_passed();
        ++merged;
        done = true;
        break;
      }
      if (!done) missing.insert(name);
    }
    for (std::size_t i = 1; i <= any.shard.count; ++i) {
      const std::vector<const Found*>& found = by_index[i];
      std::vector<std::string> lost;
      for (const std::string& name : missing) {
        if (shard_of(name, any.shard.count) == i) lost.push_back(name);
      }
      const std::string part = which({i, any.shard.count});
      if (found.empty()) {
        complaints.push_back(part + " is missing" + not_graded(lost));
      } else if (!lost.empty()) {
        complaints.push_back(part + " (" + found.front()->shown() + ") is not complete" +
                             not_graded(lost));
      }
    }
    if (const auto seed = read_text((parts.front().folder / ".kit" / "seed").string())) {
      write_by_rename(book.kept() / "seed", *seed);
    }
  }
  book.write_class({missing.begin(), missing.end()});
  std::printf("Merged %zu of %s into %s\n", merged,
              counted(merged + missing.size(), "submission").c_str(),
              escape_text(book.folder().string()).c_str());
  for (const std::string& complaint : complaints) std::printf("  %s\n", complaint.c_str());
  if (!missing.empty()) {
    std::printf("  Nobody gets a zero for that: who is not graded has no line in class.csv.\n");
  }
  return all_passed && missing.empty() && complaints.empty();
}

}  // namespace kit
