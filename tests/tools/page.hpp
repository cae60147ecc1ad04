#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kit {

/// A hint of a page: its summary ("Hint 1: where to look") and its text.
struct Hint {
  std::string title;
  std::string text;
};

/// The hints below the heading of a task, such as 01.B, in the text of a lesson's page.
std::vector<Hint> hints_of(std::string_view page, std::string_view task);

}  // namespace kit
