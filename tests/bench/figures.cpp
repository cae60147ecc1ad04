// Which pictures there are, and what each shows.

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "report.hpp"
#include "units.hpp"

namespace kit::bench {
namespace {

using Place = std::function<double(const Summary&)>;
using Value = std::function<Mark(const Summary&)>;  // without its place on the x axis
using Wanted = std::function<bool(const Load&)>;

// Every picture has its designs in this order: the one the course begins with first.
const std::vector<std::string> designs{"sync", "threads", "forks", "selector", "selector-poll"};

class Drawing {
 public:
  explicit Drawing(const Results& results) : results_(results), summaries_(summarise(results)) {
    footer_ = about("machine") + " · " + about("form") + " form · rounds: " + about("rounds") +
              " · " + about("date");
  }

  [[nodiscard]] std::map<std::string, Figure> all() const {
    std::map<std::string, Figure> figures{
        {"costs-overview.svg", overview()},     {"costs-throughput.svg", throughput()},
        {"costs-latency.svg", latency()},       {"costs-processor-time.svg", processor_time()},
        {"costs-memory.svg", memory()},         {"costs-connections.svg", connections()},
        {"costs-pipelined.svg", pipelined()},   {"costs-crowd.svg", crowd()},
        {"costs-transports.svg", transports()}, {"costs-http.svg", http()},
    };
    std::erase_if(figures, [](const auto& entry) { return is_empty(entry.second); });
    return figures;
  }

 private:
  [[nodiscard]] std::string about(const std::string& key) const {
    const auto found = results_.about.find(key);
    return found == results_.about.end() ? "unknown" : found->second;
  }

  [[nodiscard]] std::string label_of(const std::string& id) const {
    const auto found = results_.labels.find(id);
    return found == results_.labels.end() ? id : found->second;
  }

  [[nodiscard]] std::vector<std::string> servers() const;
  [[nodiscard]] Series series(const std::string& server, const Wanted& wanted, const Place& x,
                              const Value& y) const;
  [[nodiscard]] Panel panel(const std::string& title, const std::string& hint, const Wanted& wanted,
                            const Value& y, bool logarithmic,
                            std::function<std::string(double)> text) const;

  [[nodiscard]] Panel panel_over(Axis x, const Wanted& wanted, const Place& place) const;

  [[nodiscard]] Panel rate_panel(const Wanted& wanted) const;
  [[nodiscard]] Panel cpu_panel(const Wanted& wanted) const;
  [[nodiscard]] Panel latency_panel(const std::string& title, double Row::*number) const;
  [[nodiscard]] Panel memory_panel() const;

  [[nodiscard]] Figure overview() const;
  [[nodiscard]] Figure throughput() const;
  [[nodiscard]] Figure latency() const;
  [[nodiscard]] Figure processor_time() const;
  [[nodiscard]] Figure memory() const;
  [[nodiscard]] Figure connections() const;
  [[nodiscard]] Figure pipelined() const;
  [[nodiscard]] Figure crowd() const;
  [[nodiscard]] Figure transports() const;
  [[nodiscard]] Figure http() const;
  [[nodiscard]] Panel http_panel(const std::string& title, Kind kind) const;
  [[nodiscard]] Figure figure(const std::string& title, const std::string& subtitle,
                              std::vector<Panel> panels) const;

  static bool is_empty(const Figure& figure) {
    return std::all_of(figure.panels.begin(), figure.panels.end(),
                       [](const Panel& panel) { return panel.series.empty(); });
  }

  const Results& results_;
  std::vector<Summary> summaries_;
  std::string footer_;
};

bool persistent(const Load& load) {
  return load.kind == Kind::persistent && load.transport == Transport::tcp;
}

double clients(const Summary& summary) {
  return summary.load.clients;
}

Mark mark_at(double value) {
  return {0, value, value, value};
}

Value middle(double Row::*number) {
  return [number](const Summary& summary) { return mark_at(summary.middle.*number); };
}

Mark rate(const Summary& summary) {
  return {0, summary.middle.lines_per_second, summary.slowest, summary.fastest};
}

Mark cpu(const Summary& summary) {
  return {0, summary.middle.cpu_us, summary.least_cpu, summary.most_cpu};
}

// The plain server first, so that the others are drawn over it; servers that were added last.
std::vector<std::string> Drawing::servers() const {
  std::vector<std::string> ids{"plain"};
  ids.insert(ids.end(), designs.begin(), designs.end());
  for (const Summary& summary : summaries_)
    if (std::find(ids.begin(), ids.end(), summary.server) == ids.end())
      ids.push_back(summary.server);
  return ids;
}

Series Drawing::series(const std::string& server, const Wanted& wanted, const Place& x,
                       const Value& y) const {
  Series series{server, label_of(server), {}};
  for (const Summary& summary : summaries_) {
    if (summary.server != server || !wanted(summary.load)) continue;
    Mark mark = y(summary);
    if (!(mark.y > 0)) continue;  // unknown, or void because an answer was wrong
    mark.x = x(summary);
    series.marks.push_back(mark);
  }
  std::sort(series.marks.begin(), series.marks.end(),
            [](const Mark& a, const Mark& b) { return a.x < b.x; });
  return series;
}

std::vector<double> all_x(const std::vector<Series>& all) {
  std::set<double> places;
  for (const Series& series : all)
    for (const Mark& mark : series.marks) places.insert(mark.x);
  return {places.begin(), places.end()};
}

// One client at a time is all a synchronous server has: the point stands alone, and says why.
Panel one_point_explained(Panel panel) {
  for (Series& series : panel.series)
    if (series.id == "sync" && series.marks.size() == 1) series.label += ": one client";
  return panel;
}

Panel Drawing::panel(const std::string& title, const std::string& hint, const Wanted& wanted,
                     const Value& y, bool logarithmic,
                     std::function<std::string(double)> text) const {
  Panel panel{title, hint, {"clients", true, {}, count_text}, {}, {}};
  panel.y = {"", logarithmic, {}, std::move(text)};
  for (const std::string& server : servers()) {
    Series line = series(server, wanted, clients, y);
    if (!line.marks.empty()) panel.series.push_back(std::move(line));
  }
  panel.x.ticks = all_x(panel.series);
  return panel.x.ticks.size() > 1 ? one_point_explained(std::move(panel)) : panel;
}

Panel Drawing::rate_panel(const Wanted& wanted) const {
  return panel("Lines answered in a second", "higher is better", wanted, rate, false, rate_text);
}

Panel Drawing::cpu_panel(const Wanted& wanted) const {
  return panel("Processor time for a line", "lower is better", wanted, cpu, false, time_text);
}

Panel Drawing::latency_panel(const std::string& title, double Row::*number) const {
  return panel(title, "lower is better", persistent, middle(number), true, time_text);
}

// 1 KiB to 1 GiB: the tens of a person, the 1,024 of a computer.
std::vector<double> memory_ticks() {
  std::vector<double> ticks{0.1};
  for (const double unit : {1.0, 1024.0})
    for (const double factor : {1, 10, 100}) ticks.push_back(unit * factor);
  ticks.push_back(1024.0 * 1024);
  return ticks;
}

// Where only a crowd was that large, its memory counts: a silent connection holds the same.
Panel Drawing::memory_panel() const {
  const auto held = [this](const Load& load) {
    const bool larger_than_any =
        std::none_of(summaries_.begin(), summaries_.end(), [&](const Summary& summary) {
          return persistent(summary.load) && summary.load.clients >= load.clients;
        });
    return persistent(load) || (load.kind == Kind::crowd && larger_than_any);
  };
  Panel memory = panel("Memory of the server and its children", "lower is better", held,
                       middle(&Row::user_kib), true, memory_text);
  memory.y.ticks = memory_ticks();
  std::erase_if(memory.series, [](const Series& s) { return s.id == "selector-poll"; });
  return memory;
}

Figure Drawing::figure(const std::string& title, const std::string& subtitle,
                       std::vector<Panel> panels) const {
  Figure figure{title, subtitle, "", footer_, panels.size() > 1 ? 2 : 1, {}};
  for (Panel& panel : panels) {
    figure.description += (figure.description.empty() ? "" : " ") + panel.title + ":";
    for (const Series& series : panel.series) {
      const Mark& first = series.marks.front();
      const Mark& last = series.marks.back();
      figure.description += " " + series.label + " " + panel.y.text(first.y);
      if (first.x < last.x)
        figure.description += " with " + panel.x.text(first.x) + ", " + panel.y.text(last.y) +
                              " with " + panel.x.text(last.x) + " " + panel.x.title;
      figure.description += ";";
    }
    if (!figure.description.empty() && figure.description.back() == ';')
      figure.description.back() = '.';
    if (!panel.series.empty()) figure.panels.push_back(std::move(panel));
  }
  return figure;
}

Figure Drawing::overview() const {
  return figure("What each design costs",
                "The same echo service four times: each client sends a line, waits for the answer, "
                "and sends the next.",
                {rate_panel(persistent), cpu_panel(persistent),
                 latency_panel("Slowest one in a hundred (p99)", &Row::p99_us), memory_panel()});
}

Figure Drawing::throughput() const {
  return figure("How many lines a second",
                "Each client sends a line, waits for the answer, and sends the next.",
                {rate_panel(persistent)});
}

Figure Drawing::latency() const {
  return figure("How long an answer takes",
                "From sending a line to having its whole answer. Both scales are logarithmic.",
                {latency_panel("Half of all answers (p50)", &Row::p50_us),
                 latency_panel("Slowest one in a hundred (p99)", &Row::p99_us)});
}

Figure Drawing::processor_time() const {
  return figure("What a line costs the processor",
                "Time of the server, its threads and its children, user and system, for one line.",
                {cpu_panel(persistent)});
}

Figure Drawing::memory() const {
  return figure("What a client costs in memory",
                "User memory with every client connected; a page shared by n processes counts 1/n "
                "in each.",
                {memory_panel()});
}

Figure Drawing::connections() const {
  const auto short_ones = [](const Load& load) {
    return load.kind == Kind::connections && load.transport == Transport::tcp;
  };
  return figure("A connection for every line",
                "Connect, send a line, half-close, read to the end of file, close.",
                {rate_panel(short_ones), cpu_panel(short_ones)});
}

Figure Drawing::pipelined() const {
  const auto one_client = [](const Load& load) {
    return load.clients == 1 && load.transport == Transport::tcp &&
           (load.kind == Kind::pipelined || load.kind == Kind::persistent);
  };
  const auto lines = [](const Summary& summary) {
    return static_cast<double>(summary.load.lines_per_write);
  };
  Panel panel = panel_over({"lines a write", true, {}, count_text}, one_client, lines);
  std::erase_if(panel.series, [](const Series& line) { return line.marks.size() < 2; });
  panel.x.ticks = all_x(panel.series);
  return figure("Lines for each system call",
                "One client that sends many lines in one write. Both scales are logarithmic.",
                {std::move(panel)});
}

// Processor time over something other than clients.
Panel Drawing::panel_over(Axis x, const Wanted& wanted, const Place& place) const {
  Panel panel{"Processor time for a line", "lower is better", std::move(x), {}, {}};
  panel.y = {"", true, {}, time_text};
  for (const std::string& server : servers()) {
    Series line = series(server, wanted, place, cpu);
    if (!line.marks.empty()) panel.series.push_back(std::move(line));
  }
  panel.x.ticks = all_x(panel.series);
  return panel;
}

Figure Drawing::crowd() const {
  const auto silent = [](const Load& load) { return load.kind == Kind::crowd; };
  const auto for_each_client = [](const Summary& summary) {
    return mark_at(kib_for_each_client(summary.middle));
  };
  Panel memory = panel("Memory for each client", "lower is better", silent, for_each_client, true,
                       memory_text);
  memory.y.ticks = memory_ticks();
  std::erase_if(memory.series, [](const Series& s) { return s.id == "plain"; });  // keeps nothing
  return figure("A crowd of silent clients",
                "All have asked once; eight of them go on asking, the others only stay connected.",
                {std::move(memory), cpu_panel(silent)});
}

Figure Drawing::transports() const {
  const auto over = [](Transport transport) {
    return [transport](const Load& load) { return load.transport == transport; };
  };
  Panel udp = cpu_panel(over(Transport::udp));
  udp.title = "Processor time for a datagram, UDP";
  Panel local = cpu_panel(over(Transport::unix_stream));
  local.title = "Processor time for a line, Unix stream socket";
  return figure("The same service over UDP and Unix sockets",
                "With datagrams a thread or a process is made for every message.",
                {std::move(udp), std::move(local)});
}

Panel Drawing::http_panel(const std::string& title, Kind kind) const {
  Panel panel = panel_over(
      {"file", true, {}, bytes_text},
      [kind](const Load& load) { return load.transport == Transport::http && load.kind == kind; },
      [](const Summary& summary) { return static_cast<double>(summary.load.content); });
  panel.title = title;
  return panel;
}

Figure Drawing::http() const {
  return figure("What a request costs the processor",
                "A small file and a large one over HTTP, 32 clients. Both scales are logarithmic.",
                {http_panel("On a connection that is kept", Kind::persistent),
                 http_panel("On a connection of its own", Kind::connections)});
}

}  // namespace

std::map<std::string, Figure> figures(const Results& results) {
  return Drawing(results).all();
}

}  // namespace kit::bench
