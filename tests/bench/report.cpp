#include "report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "plan.hpp"
#include "units.hpp"

namespace kit::bench {
namespace {

std::string or_dash(double number, const std::function<std::string(double)>& text) {
  return std::isnan(number) ? "-" : text(number);
}

// ---- tables -------------------------------------------------------------------------------------

struct Table {
  std::string title;
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> lines;
};

const std::vector<std::string> columns{"clients",  "server",  "lines/s",  "CPU/line",
                                       "x plain",  "p50",     "p99",      "memory",
                                       "a client", "threads", "processes"};

struct Group {
  const char* title;
  Kind kind;
  Transport transport;
};

const std::vector<Group> groups{
    {"Each client sends a line, waits for the answer, sends the next (TCP)", Kind::persistent,
     Transport::tcp},
    {"A connection for every line (TCP)", Kind::connections, Transport::tcp},
    {"One client, many lines in one write (TCP)", Kind::pipelined, Transport::tcp},
    {"A crowd: all connected, eight of them talk (TCP)", Kind::crowd, Transport::tcp},
    {"Datagrams, one under way for each peer (UDP)", Kind::persistent, Transport::udp},
    {"A line, its answer, the next line (Unix stream)", Kind::persistent, Transport::unix_stream},
    {"Datagrams, one under way for each peer (Unix)", Kind::persistent, Transport::unix_datagram},
    {"A file over HTTP, again and again on one connection (32 clients)", Kind::persistent,
     Transport::http},
    {"A file over HTTP, a connection for every request (32 clients)", Kind::connections,
     Transport::http},
};

std::string label_of(const Results& results, const std::string& id) {
  const auto found = results.labels.find(id);
  return found == results.labels.end() ? id : found->second;
}

// Where in its table a load stands.
std::string place_of(const Load& load) {
  if (load.transport == Transport::http) return bytes_text(load.content);
  return load.kind == Kind::pipelined ? std::to_string(load.lines_per_write)
                                      : count_text(load.clients);
}

std::vector<std::string> head_of(const Group& group) {
  std::vector<std::string> head = columns;
  if (group.kind == Kind::pipelined) head[0] = "lines";
  if (group.transport != Transport::http) return head;
  head[0] = "file";
  head[2] = "requests/s";
  head[3] = "CPU/request";
  return head;
}

std::vector<std::string> line_of(const Results& results, const Summary& summary) {
  const Row& row = summary.middle;
  std::vector<std::string> line{place_of(summary.load), label_of(results, summary.server)};
  if (!row.fault.empty()) {
    line.push_back("void: " + row.fault);
    return line;
  }
  line.push_back(or_dash(row.lines_per_second, count_text));
  line.push_back(or_dash(row.cpu_us, time_text));
  line.push_back(or_dash(summary.times_baseline, short_number));
  line.push_back(or_dash(row.p50_us, time_text));
  line.push_back(or_dash(row.p99_us, time_text));
  line.push_back(or_dash(row.user_kib, memory_text));
  line.push_back(or_dash(kib_for_each_client(row), memory_text));
  line.push_back(or_dash(row.threads, count_text));
  line.push_back(or_dash(row.processes, count_text));
  return line;
}

std::vector<Table> tables(const Results& results) {
  const auto summaries = summarise(results);
  std::vector<Table> tables;
  for (const Group& group : groups) {
    Table table{group.title, head_of(group), {}};
    for (const Summary& summary : summaries)
      if (summary.load.kind == group.kind && summary.load.transport == group.transport)
        table.lines.push_back(line_of(results, summary));
    if (!table.lines.empty()) tables.push_back(std::move(table));
  }
  return tables;
}

Table pieces_table(const Results& results) {
  Table table{"What the pieces cost here", {"time", "what"}, {}};
  for (const Piece& piece : results.pieces)
    table.lines.push_back({time_text(piece.us), piece.what});
  return table;
}

// How many places a text takes: the bytes that continue a character take none.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

// Numbers stand to the right; the server's name, and a sentence that fills the line, to the left.
std::string aligned(const std::string& text, std::size_t width, bool left) {
  const std::string blanks(width - std::min(width, width_of(text)), ' ');
  return left ? text + blanks : blanks + text;
}

std::vector<std::size_t> widths_of(const Table& table) {
  std::vector<std::size_t> widths;
  for (const std::string& word : table.head) widths.push_back(width_of(word));
  for (const auto& line : table.lines)
    for (std::size_t i = 0; line.size() == widths.size() && i < line.size(); ++i)
      widths[i] = std::max(widths[i], width_of(line[i]));
  return widths;
}

void write_text(std::ostream& out, const Table& table) {
  const auto widths = widths_of(table);
  out << '\n' << table.title << '\n';
  const auto write_line = [&](const std::vector<std::string>& line) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const bool left = table.head[i] == "server" || table.head[i] == "what";
      const bool sentence = line.size() != table.head.size() && i + 1 == line.size();
      text += "  " + (sentence ? line[i] : aligned(line[i], widths[i], left));
    }
    while (!text.empty() && text.back() == ' ') text.pop_back();
    out << text << '\n';
  };
  write_line(table.head);
  std::string place;
  for (const auto& line : table.lines) {
    if (!place.empty() && line[0] != place && table.head[0] != "time") out << '\n';
    place = line[0];
    write_line(line);
  }
}

std::string markdown_cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '\\' || c == '*' || c == '_' || c == '`' || c == '<') out += '\\';
    out += c;
  }
  return out;
}

std::string markdown(const Table& table) {
  std::string out = "|";
  for (const std::string& word : table.head) out += " " + word + " |";
  out += "\n|";
  for (const std::string& word : table.head)
    out += word == "server" || word == "what" ? " :-- |" : " --: |";
  for (const auto& line : table.lines) {
    out += "\n|";
    for (std::size_t i = 0; i < table.head.size(); ++i)
      out += " " + (i < line.size() ? markdown_cell(line[i]) : "") + " |";
  }
  return out + "\n";
}

// ---- the page -----------------------------------------------------------------------------------

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

// What may stand between {{ and }}; nothing: this run cannot say.
class Places {
 public:
  explicit Places(const Results& results)
      : results_(results), summaries_(summarise(results)), figures_(figures(results)) {}

  [[nodiscard]] std::string fill(const std::string& place) const {
    const auto words = words_of(place);
    if (words.empty()) return {};
    if (words[0] == "about") return about();
    if (words[0] == "tables") return all_tables();
    if (words[0] == "remarks") return remarks();
    if (words[0] == "pieces")
      return results_.pieces.empty() ? "" : markdown(pieces_table(results_));
    if (words[0] == "figure" && words.size() == 2) return figure(words[1]);
    if (words[0] == "piece" && words.size() == 2) return piece(words[1]);
    return number(words);
  }

 private:
  [[nodiscard]] std::string about() const;
  [[nodiscard]] std::string all_tables() const;
  [[nodiscard]] std::string remarks() const;
  [[nodiscard]] std::string figure(const std::string& name) const;
  [[nodiscard]] std::string piece(const std::string& name) const;
  [[nodiscard]] std::string number(const std::vector<std::string>& words) const;
  [[nodiscard]] std::string gain(const std::string& server) const;
  [[nodiscard]] std::string share(const std::vector<std::string>& words) const;
  [[nodiscard]] const Summary* summary_of(const std::string& server,
                                          const std::vector<std::string>& load) const;

  const Results& results_;
  std::vector<Summary> summaries_;
  std::map<std::string, Figure> figures_;
};

std::string Places::about() const {
  const auto value = [this](const char* key) {
    const auto found = results_.about.find(key);
    return found == results_.about.end() ? "unknown" : markdown_cell(found->second);
  };
  return "*Measured on " + value("date") + " (" + value("servers") + "): " + value("machine") +
         ", " + value("system") + "; processors: " + value("processors") + "; " + value("form") +
         " form, rounds: " + value("rounds") + ".*";
}

std::string Places::all_tables() const {
  std::string out;
  for (const Table& table : tables(results_))
    out += (out.empty() ? "" : "\n") + ("**" + table.title + "**\n\n") + markdown(table);
  return out;
}

std::string Places::remarks() const {
  std::string out;
  for (const std::string& remark : results_.remarks) out += "- " + markdown_cell(remark) + "\n";
  for (const Summary& summary : summaries_)
    if (!summary.middle.fault.empty())
      out += "- **Wrong:** the " + label_of(results_, summary.server) + " server, " +
             in_words(summary.load) + ": " + markdown_cell(summary.middle.fault) + "\n";
  return out;
}

std::string Places::figure(const std::string& name) const {
  const auto found = figures_.find("costs-" + name + ".svg");
  if (found == figures_.end()) return {};
  return "![" + found->second.title + ". " + found->second.description + "](" + found->first + ")";
}

std::string Places::piece(const std::string& name) const {
  for (const Piece& piece : results_.pieces)
    if (piece.name == name && !std::isnan(piece.us)) return time_text(piece.us);
  return {};
}

struct Metric {
  const char* name;
  std::function<double(const Summary&)> value;
  std::function<std::string(double)> text;
};

const std::vector<Metric> metrics{
    {"cpu", [](const Summary& s) { return s.middle.cpu_us; }, time_text},
    {"rate", [](const Summary& s) { return s.middle.lines_per_second; }, rate_text},
    {"p50", [](const Summary& s) { return s.middle.p50_us; }, time_text},
    {"p99", [](const Summary& s) { return s.middle.p99_us; }, time_text},
    {"memory", [](const Summary& s) { return s.middle.user_kib; }, memory_text},
    {"page-tables", [](const Summary& s) { return s.middle.page_tables_kib / s.load.clients; },
     memory_text},
    {"a-client", [](const Summary& s) { return kib_for_each_client(s.middle); }, memory_text},
};

std::string group_on_page(const Load& load) {
  if (load.transport == Transport::http) return "http-" + name_of(load.kind);
  return load.transport == Transport::tcp ? name_of(load.kind) : name_of(load.transport);
}

int last_on_page(const Load& load) {
  return load.transport == Transport::http ? load.content : load.lines_per_write;
}

// GROUP CLIENTS [LINES]; over HTTP, GROUP CLIENTS BYTES.
const Summary* Places::summary_of(const std::string& server,
                                  const std::vector<std::string>& load) const {
  if (load.size() < 2) return nullptr;
  const int clients = std::atoi(load[1].c_str());
  const int last = load.size() > 2 ? std::atoi(load[2].c_str()) : 1;
  for (const Summary& summary : summaries_)
    if (summary.server == server && group_on_page(summary.load) == load[0] &&
        summary.load.clients == clients && last_on_page(summary.load) == last)
      return &summary;
  return nullptr;
}

// How many times cheaper a line becomes when as many as possible go into one write.
std::string Places::gain(const std::string& server) const {
  double least = unknown, one = unknown;
  for (const Summary& summary : summaries_) {
    if (summary.server != server || summary.load.clients != 1) continue;
    if (summary.load.transport != Transport::tcp) continue;
    if (summary.load.kind == Kind::persistent) one = summary.middle.cpu_us;
    if (summary.load.kind == Kind::pipelined) least = std::fmin(least, summary.middle.cpu_us);
  }
  return std::isnan(one / least) ? "" : short_number(one / least);
}

// SERVER OTHER LOAD: the processor time of the one as a multiple of the other's.
std::string Places::share(const std::vector<std::string>& words) const {
  const std::vector<std::string> load(words.begin() + 3, words.end());
  const Summary* server = summary_of(words[1], load);
  const Summary* other = summary_of(words[2], load);
  if (server == nullptr || other == nullptr) return {};
  const double share = server->middle.cpu_us / other->middle.cpu_us;
  return std::isnan(share) ? "" : short_number(share);
}

// METRIC SERVER LOAD, as "cpu selector persistent 64"; "share SERVER OTHER LOAD"; "gain SERVER".
std::string Places::number(const std::vector<std::string>& words) const {
  if (words.size() == 2 && words[0] == "gain") return gain(words[1]);
  if (words.size() < 4) return {};
  if (words[0] == "share") return share(words);
  const Summary* summary = summary_of(words[1], {words.begin() + 2, words.end()});
  if (summary == nullptr) return {};
  for (const Metric& metric : metrics)
    if (words[0] == metric.name && !std::isnan(metric.value(*summary)))
      return metric.text(metric.value(*summary));
  return {};
}

// Fills one line; false if a place in it has nothing to hold.
bool fill_line(std::string& line, const Places& places) {
  for (std::size_t begin = 0; (begin = line.find("{{", begin)) != std::string::npos;) {
    const std::size_t end = line.find("}}", begin);
    if (end == std::string::npos) return true;
    const std::string filled = places.fill(line.substr(begin + 2, end - begin - 2));
    if (filled.empty()) return false;
    line.replace(begin, end + 2 - begin, filled);
    begin += filled.size();
  }
  return true;
}

void write_file(const std::filesystem::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  out << text << std::flush;
  if (!out) throw std::runtime_error("cannot write " + file.string());
}

}  // namespace

void write_tables(std::ostream& out, const Results& results) {
  out << "What each design costs\n";
  for (const auto& [key, value] : results.about) out << "  " << key << ": " << value << '\n';
  for (const std::string& remark : results.remarks) out << "  " << remark << '\n';
  for (const Table& table : tables(results)) write_text(out, table);
  if (!results.pieces.empty()) write_text(out, pieces_table(results));
}

std::string page(const std::string& text, const Results& results) {
  const Places places(results);
  std::istringstream in(text);
  std::string out;
  for (std::string line; std::getline(in, line);)
    if (fill_line(line, places)) out += line + '\n';
  return out;
}

void write_all(const std::filesystem::path& folder, const std::string& page_text,
               const Results& results) {
  std::filesystem::create_directories(folder);
  std::ostringstream csv, text;
  write_csv(csv, results);
  write_tables(text, results);
  write_file(folder / "results.csv", csv.str());
  write_file(folder / "table.txt", text.str());
  for (const auto& [name, figure] : figures(results)) write_file(folder / name, draw(figure));
  write_file(folder / "costs.md", page(page_text, results));
}

}  // namespace kit::bench
