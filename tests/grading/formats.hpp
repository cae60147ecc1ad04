#pragma once

// A grade in the words of those who receive it. Each is a pure function of the grade; what the
// receivers document is quoted in the tests.

#include <map>
#include <string>
#include <vector>

#include "grade.hpp"

namespace kit {

/// gradescope, github, prairielearn, vpl, autolab, junit, json.
std::vector<std::string> formats();

/// The file that a format is written to: "gradescope.json".
std::string format_file(const std::string& format);

/// Whether the receiver reads it from standard output.
bool is_printed(const std::string& format);

/// The grade in that format. Throws std::invalid_argument if there is no such format.
std::string convert(const Grade& grade, const std::string& format);

/// JUnit's XML, for GitLab and Jenkins. A step that was not judged is an <error>, never <skipped>.
std::string junit(const Grade& grade);

/// The picture beside report.md.
inline constexpr const char* picture_file = "picture.svg";

/// report.md, for the learner.
std::string report(const Grade& grade);

/// One line for class.csv's head, and one for each submission. `lessons`: the columns.
std::string csv_head(const std::vector<std::string>& lessons);
std::string csv_line(const Grade& grade, const std::vector<std::string>& lessons);

/// Text that is no Markdown, whatever is in it.
std::string markdown(const std::string& text);

std::string base64(const std::string& bytes);

}  // namespace kit
