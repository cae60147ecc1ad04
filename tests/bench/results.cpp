#include "results.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <istream>
#include <ostream>
#include <stdexcept>
#include <utility>

#include "csv.hpp"
#include "samples.hpp"

namespace kit::bench {
namespace {

using Number = double Row::*;

// Every number of a row and the name of its column.
constexpr std::array<std::pair<const char*, Number>, 16> numbers{{
    {"round", &Row::round},
    {"seconds", &Row::seconds},
    {"answered", &Row::answered},
    {"lost", &Row::lost},
    {"lines_per_second", &Row::lines_per_second},
    {"cpu_us_per_line", &Row::cpu_us},
    {"p50_us", &Row::p50_us},
    {"p99_us", &Row::p99_us},
    {"all_answered_ms", &Row::all_answered_ms},
    {"ready_kib", &Row::ready_kib},
    {"user_kib", &Row::user_kib},
    {"page_tables_kib", &Row::page_tables_kib},
    {"threads", &Row::threads},
    {"processes", &Row::processes},
    {"baseline_lines_per_second", &Row::baseline_lines_per_second},
    {"baseline_cpu_us_per_line", &Row::baseline_cpu_us},
}};

// Before the numbers: record, load, transport, clients, lines_per_write, content_bytes, server.
// Behind: note.
constexpr std::size_t server_cell = 6;
constexpr std::size_t first_number = 7;
constexpr std::size_t cells_a_line = first_number + numbers.size() + 1;

constexpr std::array kinds{
    std::pair{Kind::persistent, "persistent"}, std::pair{Kind::connections, "connections"},
    std::pair{Kind::pipelined, "pipelined"}, std::pair{Kind::crowd, "crowd"}};
constexpr std::array transports{
    std::pair{Transport::tcp, "tcp"}, std::pair{Transport::unix_stream, "unix-stream"},
    std::pair{Transport::udp, "udp"}, std::pair{Transport::unix_datagram, "unix-datagram"},
    std::pair{Transport::http, "http"}};

template <class Names, class Value>
std::string find_name(const Names& names, Value value) {
  for (const auto& [known, name] : names)
    if (known == value) return name;
  return {};
}

template <class Names>
auto find_value(const Names& names, const std::string& name) {
  for (const auto& [value, known] : names)
    if (known == name) return value;
  throw std::runtime_error("nothing is called " + name);
}

std::string number_text(double number) {
  if (std::isnan(number)) return {};
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", number);
  return text;
}

double number_of(const std::string& text) {
  if (text.empty()) return unknown;
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (*end != '\0') throw std::runtime_error("not a number: " + text);
  return number;
}

using Cells = std::vector<std::string>;

Cells record(const std::string& kind, const std::string& server, const std::string& note) {
  Cells cells(cells_a_line);
  cells[0] = kind;
  cells[server_cell] = server;
  cells.back() = note;
  return cells;
}

Cells cells_of(const Row& row) {
  Cells cells = record("run", row.server, row.fault);
  cells[1] = name_of(row.load.kind);
  cells[2] = name_of(row.load.transport);
  cells[3] = std::to_string(row.load.clients);
  cells[4] = std::to_string(row.load.lines_per_write);
  cells[5] = std::to_string(row.load.content);
  for (std::size_t i = 0; i < numbers.size(); ++i)
    cells[first_number + i] = number_text(row.*numbers[i].second);
  return cells;
}

Row row_of(const Cells& cells) {
  Row row;
  row.load = {find_value(kinds, cells[1]), find_value(transports, cells[2]),
              static_cast<int>(number_of(cells[3])), static_cast<int>(number_of(cells[4])),
              static_cast<int>(number_of(cells[5]))};
  row.server = cells[server_cell];
  for (std::size_t i = 0; i < numbers.size(); ++i)
    row.*numbers[i].second = number_of(cells[first_number + i]);
  row.fault = cells.back();
  return row;
}

Cells head_line() {
  Cells cells{"record",          "load",          "transport", "clients",
              "lines_per_write", "content_bytes", "server"};
  for (const auto& [name, number] : numbers) cells.emplace_back(name);
  cells.emplace_back("note");
  return cells;
}

void take(const Cells& cells, Results& results) {
  if (cells.size() != cells_a_line) throw std::runtime_error("a cell too many or too few");
  if (cells[0] == "run") results.rows.push_back(row_of(cells));
  if (cells[0] == "about") results.about[cells[server_cell]] = cells.back();
  if (cells[0] == "label") results.labels[cells[server_cell]] = cells.back();
  if (cells[0] == "remark") results.remarks.push_back(cells.back());
  if (cells[0] == "piece")
    results.pieces.push_back(
        {cells[server_cell], cells.back(), number_of(cells[first_number + 5])});
}

std::vector<double> known(const std::vector<const Row*>& rows, Number number) {
  std::vector<double> values;
  for (const Row* row : rows)
    if (!std::isnan(row->*number)) values.push_back(row->*number);
  return values;
}

// Each value as a multiple of the baseline beside it, times the baseline of all rounds.
std::vector<double> corrected(const std::vector<const Row*>& rows, Number number, Number baseline,
                              double baseline_median) {
  std::vector<double> values;
  for (const Row* row : rows) {
    if (std::isnan(row->*number)) continue;
    const bool has_baseline = row->*baseline > 0 && !std::isnan(baseline_median);
    values.push_back(has_baseline ? row->*number / (row->*baseline) * baseline_median
                                  : row->*number);
  }
  return values;
}

double least(const std::vector<double>& values) {
  return values.empty() ? unknown : *std::min_element(values.begin(), values.end());
}

double greatest(const std::vector<double>& values) {
  return values.empty() ? unknown : *std::max_element(values.begin(), values.end());
}

std::vector<const Row*> rows_under(const Results& results, const Load& load) {
  std::vector<const Row*> rows;
  for (const Row& row : results.rows)
    if (row.load == load) rows.push_back(&row);
  return rows;
}

void correct_by_baseline(Summary& summary, const std::vector<const Row*>& rows,
                         const std::vector<const Row*>& all_servers) {
  const double baseline_rate = median(known(all_servers, &Row::baseline_lines_per_second));
  const double baseline_cpu = median(known(all_servers, &Row::baseline_cpu_us));
  const auto rates =
      corrected(rows, &Row::lines_per_second, &Row::baseline_lines_per_second, baseline_rate);
  const auto times = corrected(rows, &Row::cpu_us, &Row::baseline_cpu_us, baseline_cpu);
  summary.middle.lines_per_second = median(rates);
  summary.middle.cpu_us = median(times);
  summary.slowest = least(rates);
  summary.fastest = greatest(rates);
  summary.least_cpu = least(times);
  summary.most_cpu = greatest(times);
  summary.times_baseline = summary.middle.cpu_us / baseline_cpu;
}

Summary summary_of(const Results& results, const Load& load, const std::string& server) {
  Summary summary{load, server, 0, {}, unknown, unknown, unknown, unknown, unknown};
  const auto all_servers = rows_under(results, load);
  std::vector<const Row*> rows;
  for (const Row* row : all_servers)
    if (row->server == server) rows.push_back(row);
  summary.rounds = static_cast<int>(rows.size());
  summary.middle.load = load;
  summary.middle.server = server;
  for (const Row* row : rows)
    if (!row->fault.empty()) summary.middle.fault = row->fault;
  if (!summary.middle.fault.empty()) return summary;
  for (const auto& [name, number] : numbers) summary.middle.*number = median(known(rows, number));
  correct_by_baseline(summary, rows, all_servers);
  return summary;
}

}  // namespace

std::string name_of(Kind kind) {
  return find_name(kinds, kind);
}

std::string name_of(Transport transport) {
  return find_name(transports, transport);
}

void write_csv(std::ostream& out, const Results& results) {
  out << csv_line(head_line());
  for (const auto& [key, value] : results.about) out << csv_line(record("about", key, value));
  for (const auto& [id, label] : results.labels) out << csv_line(record("label", id, label));
  for (const Piece& piece : results.pieces) {
    Cells cells = record("piece", piece.name, piece.what);
    cells[first_number + 5] = number_text(piece.us);
    out << csv_line(cells);
  }
  for (const std::string& remark : results.remarks) out << csv_line(record("remark", "", remark));
  for (const Row& row : results.rows) out << csv_line(cells_of(row));
}

Results read_csv(std::istream& in) {
  Results results;
  int line = 0;
  try {
    for (auto cells = read_csv_line(in); cells; cells = read_csv_line(in)) {
      if (++line == 1 && *cells != head_line()) throw std::runtime_error("not our head line");
      if (line > 1) take(*cells, results);
    }
  } catch (const std::runtime_error& error) {
    throw std::runtime_error("line " + std::to_string(line) + ": " + error.what());
  }
  return results;
}

double kib_for_each_client(const Row& row) {
  const double added = (row.user_kib - row.ready_kib) / row.load.clients;
  return added < 0 ? 0 : added;  // NaN stays what it is
}

std::vector<Summary> summarise(const Results& results) {
  std::vector<Summary> summaries;
  for (const Row& row : results.rows)
    if (find(summaries, row.load, row.server) == nullptr)
      summaries.push_back(summary_of(results, row.load, row.server));
  return summaries;
}

const Summary* find(const std::vector<Summary>& summaries, const Load& load,
                    const std::string& server) {
  for (const Summary& summary : summaries)
    if (summary.load == load && summary.server == server) return &summary;
  return nullptr;
}

}  // namespace kit::bench
