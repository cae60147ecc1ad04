#pragma once

#include <filesystem>
#include <iosfwd>
#include <map>
#include <string>

#include "chart.hpp"
#include "results.hpp"

namespace kit::bench {

/// The tables, to be read on a terminal.
void write_tables(std::ostream& out, const Results& results);

/// The pictures, by the name of their file. One that has nothing to show is left out.
std::map<std::string, Figure> figures(const Results& results);

/// The page: `text` (tests/bench/costs.md) with each {{…}} filled in. A line with a place that
/// this run cannot fill is left out, so that the page never says more than was measured.
std::string page(const std::string& text, const Results& results);

/// Writes results.csv, table.txt, the pictures and costs.md into `folder`.
/// @throws std::runtime_error with a sentence if a file cannot be written
void write_all(const std::filesystem::path& folder, const std::string& page_text,
               const Results& results);

}  // namespace kit::bench
