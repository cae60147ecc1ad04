#pragma once

#include <istream>
#include <optional>
#include <string>
#include <vector>

namespace kit::bench {

/// One line of a CSV file, its newline included: cells with a comma, a quote or a newline are
/// quoted (RFC 4180).
std::string csv_line(const std::vector<std::string>& cells);

/// Reads the next line's cells; nothing at the end. @throws std::runtime_error if a quote stays
/// open
std::optional<std::vector<std::string>> read_csv_line(std::istream& in);

}  // namespace kit::bench
