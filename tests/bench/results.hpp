#pragma once

#include <iosfwd>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "load.hpp"

namespace kit::bench {

/// What is not known: an empty cell.
inline constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

/// The names that stand in results.csv.
std::string name_of(Kind kind);
std::string name_of(Transport transport);

/// One measurement of one server.
struct Row {
  Load load;
  std::string server;  ///< a design's id: "threads"
  double round = unknown;
  double seconds = unknown;   ///< that were measured
  double answered = unknown;  ///< lines, while it was measured
  double lost = unknown;      ///< datagrams
  double lines_per_second = unknown;
  double cpu_us = unknown;  ///< processor time of the server for one line
  double p50_us = unknown;  ///< half of the requests took no longer
  double p99_us = unknown;
  double all_answered_ms = unknown;  ///< until each client had been answered once
  double ready_kib = unknown;        ///< user memory when it said that it listens
  double user_kib = unknown;         ///< user memory with all clients connected
  double page_tables_kib = unknown;
  double threads = unknown;
  double processes = unknown;
  double baseline_lines_per_second = unknown;  ///< of the plain server, mean of before and after
  double baseline_cpu_us = unknown;
  std::string fault;  ///< what the server did wrong; then nothing else is known
};

/// What one building block costs here: "fork", 92.1 microseconds.
struct Piece {
  std::string name;
  std::string what;  ///< in words
  double us = unknown;
};

/// Everything a run has found out: the tables, the charts and the page are made from this alone.
struct Results {
  std::map<std::string, std::string> about;   ///< machine, form, rounds, servers, …
  std::map<std::string, std::string> labels;  ///< how a server is named in charts, by id
  std::vector<Piece> pieces;
  std::vector<Row> rows;
  std::vector<std::string> remarks;  ///< what was left out, and why
};

/// Comma separated, a head line, quotes only where RFC 4180 needs them.
void write_csv(std::ostream& out, const Results& results);

/// What write_csv() wrote. @throws std::runtime_error with a sentence that names the line
Results read_csv(std::istream& in);

/// The rounds of one server under one load, put together.
struct Summary {
  Load load;
  std::string server;
  int rounds = 0;
  Row middle;  ///< the median of every number; the two below corrected
  double slowest = unknown, fastest = unknown;  ///< lines_per_second over the rounds
  double least_cpu = unknown, most_cpu = unknown;
  double times_baseline = unknown;  ///< cpu_us as a multiple of the plain server's, beside it
};

/// What a client adds to the memory of a server: never less than nothing.
double kib_for_each_client(const Row& row);

/// One summary for each server and load, in the order in which they first appear. A server with a
/// fault in any round has no numbers there.
///
/// The processor of a shared machine is now faster, now slower. So each measurement stands between
/// two of the plain server; what counts is its ratio to those two, and what is shown is that ratio
/// times the plain server's median of all rounds.
std::vector<Summary> summarise(const Results& results);

/// The summary of a server under a load, or nullptr.
const Summary* find(const std::vector<Summary>& summaries, const Load& load,
                    const std::string& server);

}  // namespace kit::bench
