#include "measurement.hpp"

#include "client_socket.hpp"
#include "http_files.hpp"
#include "process_cost.hpp"
#include "samples.hpp"
#include "server_process.hpp"

namespace kit::bench {
namespace {

// And what it serves, if that is a folder.
std::vector<std::string> with_address(std::vector<std::string> words, const Load& load,
                                      const TemporaryFolder& folder) {
  const bool local =
      load.transport == Transport::unix_stream || load.transport == Transport::unix_datagram;
  words.emplace_back(local ? "--path" : "--port");
  words.emplace_back(local ? (folder.path() / "server").string() : "0");
  if (load.transport != Transport::http) return words;
  const std::filesystem::path files = folder.path() / "files";
  write_http_file(files, static_cast<std::size_t>(load.content));
  words.insert(words.end(), {"--directory", files.string()});
  return words;
}

// The clock of a server and its children, read three times: when it is ready, and at the beginning
// and the end of the measuring.
struct Clocks {
  ProcessorTime ready, begin, end;
  Memory at_rest, at_end;
};

// A child that has ended took its nanosecond clock with it. Where there were any, what counts is
// the server's whole life, which wait4(2) tells to the microsecond, by all the lines of that life.
double processor_us_per_line(const Clocks& clocks, double whole_life, const Outcome& outcome) {
  const bool children_ended = clocks.end.children_ended;
  const double seconds = children_ended ? whole_life - clocks.ready.seconds
                                        : clocks.end.seconds - clocks.begin.seconds;
  const auto answered = children_ended ? outcome.answered : outcome.measured;
  return answered == 0 ? unknown : seconds * 1e6 / static_cast<double>(answered);
}

void fill_in(Row& row, const Outcome& outcome) {
  row.seconds = outcome.seconds;
  row.answered = static_cast<double>(outcome.measured);
  row.lost = static_cast<double>(outcome.lost);
  row.lines_per_second = row.answered / row.seconds;
  row.p50_us = percentile(outcome.latencies_us, 0.50);
  row.p99_us = percentile(outcome.latencies_us, 0.99);
  if (outcome.all_answered_ms > 0) row.all_answered_ms = outcome.all_answered_ms;
}

void fill_in(Row& row, const Memory& at_rest, const Memory& at_end) {
  row.ready_kib = at_rest.user_kib;
  row.user_kib = at_end.user_kib;
  row.page_tables_kib = at_end.page_tables_kib;
  row.threads = at_end.threads;
  row.processes = at_end.processes;
}

}  // namespace

Row measure(const std::string& id, const std::vector<std::string>& words, const Load& load,
            const Timing& timing, std::optional<int> processor, bool with_memory) {
  Row row;
  row.load = load;
  row.server = id;
  const TemporaryFolder folder;
  ServerProcess server(with_address(words, load, folder), processor);
  Clocks clocks;
  if (with_memory) clocks.at_rest = memory(server.pid());
  clocks.ready = processor_time(server.pid());
  Hooks hooks;
  hooks.server_output = server.output();
  hooks.read_output = [&] { return server.read_output(); };
  hooks.measuring_begins = [&] { clocks.begin = processor_time(server.pid()); };
  hooks.measuring_ends = [&] {
    clocks.end = processor_time(server.pid());
    if (with_memory) clocks.at_end = memory(server.pid());
  };
  try {
    const Outcome outcome = run_load(load, server.address(), timing, hooks);
    fill_in(row, outcome);
    if (with_memory) fill_in(row, clocks.at_rest, clocks.at_end);
    row.cpu_us = processor_us_per_line(clocks, server.stop(), outcome);
  } catch (const Fault& fault) {
    row.fault = fault.what() + server.obituary();
  }
  return row;
}

}  // namespace kit::bench
