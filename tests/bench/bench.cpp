// kit-bench: what each design costs. Starts the servers of lessons 01, 04, 05, 07 and 08, puts the
// same load on each, and draws what came of it.

#include <sys/utsname.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sys/prctl.h>
#endif

#include "interrupt.hpp"
#include "options.hpp"
#include "pieces.hpp"
#include "report.hpp"
#include "runner.hpp"
#include "server_process.hpp"

namespace kit::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* explanation =
    "\n"
    "Puts the same load on each of the kit's servers and draws what it costs: a table, "
    "results.csv,\n"
    "SVG charts and costs.md in build/bench. The short form takes less than a minute, the full "
    "form ten.\n"
    "\n"
    "  --form F         short or full (KIT_BENCH_FORM; short)\n"
    "  --servers S      solutions, lessons (your own), or none (KIT_BENCH; solutions)\n"
    "  --server N=CMD   one more server; N sync, threads, forks or selector takes that one's "
    "place;\n"
    "                   N@udp, N@unix-stream and N@unix-datagram are for those sockets,\n"
    "                   N@http serves the files of --directory DIR\n"
    "  --only G,G       persistent, connections, pipelined, crowd, udp, unix, http\n"
    "  --rounds N       at most so many rounds, though there be time for more\n"
    "  --spread         servers may use every processor; otherwise they get one, the clients "
    "another\n"
    "  --build DIR      where solutions/ and lessons/ are built\n"
    "  --out DIR        where the results go (build/bench)\n"
    "  --from CSV       draws the results of an earlier run again\n"
    "  --baseline P     the plain server that everything is compared with\n"
    "\n"
    "Exit status: 0, or 1 if a server answered wrongly or nothing could be measured, 2 for a "
    "wrong\n"
    "option.\n";

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> values;
  for (const char* name : {"KIT_BENCH", "KIT_BENCH_FORM"})
    if (const char* value = std::getenv(name)) values[name] = value;
  return values;
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  utsname system{};
  ::uname(&system);
  return system.machine;
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  char text[32] = "";
  std::strftime(text, sizeof text, "%Y-%m-%d", std::localtime(&now));
  return text;
}

void describe_run(const Options& options, const Placement& placement, Results& results) {
  utsname system{};
  ::uname(&system);
  const auto processors = std::thread::hardware_concurrency();
  results.about["machine"] = processor_name() + ", " + std::to_string(processors) +
                             (processors == 1 ? " processor" : " processors");
  results.about["system"] = std::string(system.sysname) + " " + system.release;
  results.about["form"] = options.form;
  results.about["date"] = today();
  results.about["servers"] = options.servers == "lessons" ? "your own (lessons)" : options.servers;
  results.about["processors"] =
      placement.server ? "one for the server, another for the clients" : "as the system gives them";
}

Results measure_all(const Options& options) {
  Results results;
  std::vector<Candidate> candidates;
  if (options.servers != "none") {
    candidates = kit_candidates(options.build / options.servers, results.remarks);
    if (!candidates.empty())
      add_http_peers(KIT_BENCH_PYTHON, KIT_BENCH_NGINX, KIT_BENCH_MICROHTTPD, candidates);
  }
  for (const std::string& added : options.added) add_candidate(added, candidates);
  if (candidates.empty())
    throw std::runtime_error("no server is built under " +
                             (options.build / options.servers).string() +
                             ": cmake --build --preset kit");
  Form form = form_named(options.form);
  if (!options.only.empty()) keep_only(options.only, form);
  if (options.rounds > 0) form.most_rounds = options.rounds;
  const Placement placement = options.spread ? Placement{} : one_processor_each();
  describe_run(options, placement, results);
  results.labels[baseline_id] = "plain loop";
  for (const Candidate& candidate : candidates) results.labels[candidate.id] = candidate.label;
  if (placement.generator) run_on(*placement.generator);
  results.pieces = measure_pieces();
  Runner(form, candidates, options.baseline, placement).run(results);
  return results;
}

Results results_of(const Options& options) {
  if (options.from.empty()) return measure_all(options);
  std::ifstream file(options.from);
  if (!file) throw std::runtime_error("cannot read " + options.from.string());
  return read_csv(file);
}

std::string page_text() {
  std::ifstream file(KIT_BENCH_PAGE);
  if (!file) throw std::runtime_error(std::string("cannot read ") + KIT_BENCH_PAGE);
  return {std::istreambuf_iterator<char>(file), {}};
}

int run(Options options) {
  if (options.build.empty()) options.build = KIT_BENCH_BUILD;
  if (options.out.empty()) options.out = options.build / "bench";
  if (options.baseline.empty()) options.baseline = KIT_BENCH_PLAIN;
  const std::string text = page_text();
  const Results results = results_of(options);
  if (results.rows.empty()) {
    for (const std::string& remark : results.remarks) std::cerr << remark << '\n';
    throw std::runtime_error("nothing could be measured");
  }
  write_all(options.out, text, results);
  write_tables(std::cout, results);
  std::cout << "\nCharts, results.csv and the page costs.md: " << options.out.string() << '\n';
  const bool wrong = std::any_of(results.rows.begin(), results.rows.end(),
                                 [](const Row& row) { return !row.fault.empty(); });
  if (wrong) std::cout << "A server answered wrongly: its numbers are void, see above.\n";
  return wrong ? 1 : 0;
}

// What a server leaves behind comes to this process, which ends and reaps it.
void become_subreaper() {
#if defined(__linux__)
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
#endif
}

int bad_usage(const std::exception& error) {
  std::cerr << "kit-bench: " << error.what() << '\n' << usage();
  return 2;
}

}  // namespace
}  // namespace kit::bench

int main(int argc, char** argv) {
  using namespace kit::bench;
  try {
    const Options options = read_options({argv + 1, argv + argc}, environment());
    if (options.help) {
      std::cout << usage() << explanation;
      return 0;
    }
    watch_for_interrupts();
    become_subreaper();
    return run(options);
  } catch (const std::invalid_argument& error) {
    return bad_usage(error);
  } catch (const Interrupted&) {
    std::cerr << "\nkit-bench: interrupted; every server was ended, nothing was written\n";
    return 130;
  } catch (const std::exception& error) {
    std::cerr << "kit-bench: " << error.what() << '\n';
    return 1;
  }
}
