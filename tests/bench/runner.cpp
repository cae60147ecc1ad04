#include "runner.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <stdexcept>

#include "harness/base/escape.hpp"
#include "interrupt.hpp"
#include "measurement.hpp"
#include "server_process.hpp"

namespace kit::bench {
namespace {

// A load needs a descriptor for each client, here and in the server, and a few more.
constexpr int other_descriptors = 64;

int most_clients_by_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;  // the servers inherit it
#if defined(__APPLE__)
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, OPEN_MAX);
#endif
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const auto most = std::min<rlim_t>(limit.rlim_cur, 100'000);
  return static_cast<int>(most) - other_descriptors;
}

// Memory does not depend on the weather: once is enough, and where connections stay.
bool memory_tells(const Load& load, int round) {
  return round == 1 && load.transport == Transport::tcp &&
         (load.kind == Kind::persistent || load.kind == Kind::crowd);
}

// A starter's hole ends the program at the start or at the first line. What is wrong in another way
// is found out, and said, when it is measured.
std::string why_not_written(const Candidate& candidate, const std::vector<std::string>& words,
                            const Load& load) {
  const Timing one_line{Seconds(0), Seconds(0.001), Seconds(3), 1};
  try {
    const std::string fault = measure(candidate.id, words, load, one_line, {}, false).fault;
    const std::size_t hole = fault.find("not written: ");
    return hole == std::string::npos ? "" : fault.substr(hole);
  } catch (const CannotStart& error) {
    return error.what();
  }
}

double mean(double left, double right) {
  return (left + right) / 2;
}

}  // namespace

Runner::Runner(Form form, std::vector<Candidate> candidates, std::filesystem::path baseline,
               Placement placement)
    : form_(std::move(form)),
      candidates_(std::move(candidates)),
      baseline_(std::move(baseline)),
      placement_(placement) {}

void Runner::run(Results& results) {
  const int most_clients = most_clients_by_descriptors();
  const auto removed =
      std::erase_if(form_.loads, [&](const Load& load) { return load.clients > most_clients; });
  if (removed > 0)
    results.remarks.push_back(
        "Loads of more than " + with_commas(static_cast<std::size_t>(most_clients)) +
        " clients are left out: no more descriptors are allowed (ulimit -n).");
  leave_out_what_cannot_start(results);
  Seconds longest_round{0};
  int rounds = 0;
  for (; rounds < form_.most_rounds && !cut_short_; ++rounds) {
    const auto begin = Clock::now();
    if (rounds > 0 && begin - begin_ + longest_round > form_.budget) break;
    round(rounds + 1, results);
    longest_round = std::max(longest_round, Seconds(Clock::now() - begin));
  }
  results.about["rounds"] = std::to_string(rounds) + (cut_short_ ? ", the last in part" : "");
}

// A starter that is not written yet says so and ends; that is no fault, but there is nothing to
// measure.
void Runner::leave_out_what_cannot_start(Results& results) {
  for (Candidate& candidate : candidates_) {
    for (auto words = candidate.words.begin(); words != candidate.words.end();) {
      const Load once{Kind::persistent, words->first, 1, 1,
                      words->first == Transport::http ? 1000 : 0};
      const std::string why = why_not_written(candidate, words->second, once);
      if (why.empty()) {
        ++words;
      } else {
        results.remarks.push_back("The " + candidate.label + " server over " +
                                  name_of(words->first) + " is left out: " + why + ".");
        words = candidate.words.erase(words);
      }
    }
  }
}

bool Runner::takes_part(const Candidate& candidate, const Load& load) const {
  return candidate.takes_part(load) && faulty_.count({candidate.id, load}) == 0;
}

int Runner::steps_a_round() const {
  int steps = 0;
  for (const Load& load : form_.loads)
    for (const Candidate& candidate : candidates_) steps += takes_part(candidate, load) ? 1 : 0;
  return steps;
}

bool Runner::out_of_time() const {
  return Clock::now() - begin_ > form_.budget;
}

void Runner::round(int number, Results& results) {
  step_ = 0;
  std::string missing;
  for (const Load& load : form_.loads)
    if (out_of_time() || !this->load(load, number, results))
      missing += (missing.empty() ? "" : "; ") + name_of(load.kind) + ", " + in_words(load);
  cut_short_ = !missing.empty();
  if (cut_short_ && number == 1)
    results.remarks.push_back("The time was up; not, or not completely, measured: " + missing +
                              ".");
}

// False: the time was up before every server had had its turn.
bool Runner::load(const Load& load, int round, Results& results) {
  const int steps = steps_a_round();
  const auto nobody = [&](const Candidate& candidate) { return !takes_part(candidate, load); };
  if (std::all_of(candidates_.begin(), candidates_.end(), nobody)) return true;
  Row before = baseline(load, round);
  results.rows.push_back(before);
  for (const Candidate& candidate : candidates_) {
    if (!takes_part(candidate, load)) continue;
    if (out_of_time()) return false;
    progress_.show(++step_, steps,
                   "round " + std::to_string(round) + ": " + name_of(load.kind) + ", " +
                       in_words(load) + ": " + candidate.label);
    Row row = one_measurement(candidate, load, round);
    const Row after = baseline(load, round);
    row.baseline_lines_per_second = mean(before.lines_per_second, after.lines_per_second);
    row.baseline_cpu_us = mean(before.cpu_us, after.cpu_us);
    results.rows.push_back(row);
    results.rows.push_back(after);
    before = after;
  }
  return true;
}

Row Runner::one_measurement(const Candidate& candidate, const Load& load, int round) {
  Row row;
  row.load = load;
  row.server = candidate.id;
  try {
    row = measure(candidate.id, candidate.words.at(load.transport), load, form_.timing,
                  placement_.server, memory_tells(load, round));
  } catch (const CannotStart& error) {
    row.fault = std::string("it had started before; now ") + error.what();
  }
  row.round = round;
  if (row.fault.empty()) return row;
  faulty_.insert({candidate.id, load});
  progress_.say("WRONG  " + candidate.label + ", " + in_words(load) + ": " + row.fault);
  return row;
}

Row Runner::baseline(const Load& load, int round) {
  std::vector<std::string> words{baseline_.string()};
  if (load.transport == Transport::udp || load.transport == Transport::unix_datagram)
    words.emplace_back("--datagram");
  if (load.transport == Transport::http) words.emplace_back("--http");
  Row row =
      measure(baseline_id, words, load, form_.timing, placement_.server, memory_tells(load, round));
  row.round = round;
  if (!row.fault.empty()) throw std::runtime_error("the plain server itself failed: " + row.fault);
  return row;
}

}  // namespace kit::bench
