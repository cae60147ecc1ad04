#pragma once

#include "book.hpp"
#include "options.hpp"

namespace kit {

/// Joins the folders of a class's parts (--shard) into one, as if one machine had graded all of it.
/// Who has no complete grade is named, and gets none.
/// @returns whether everybody is graded and every step of everybody has passed
/// @throws UsageError if a folder is a part of another class
bool merge(const Options& options, Book& book);

}  // namespace kit
