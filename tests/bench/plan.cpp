#include "plan.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <stdexcept>

#include "harness/base/escape.hpp"
#include "results.hpp"
#include "units.hpp"

namespace kit::bench {
namespace {

namespace fs = std::filesystem;

struct Design {
  const char* id;
  const char* label;
  bool one_at_a_time = false;
  bool crowds_only = false;
  int most_clients = 10'000;
};

// A process each: a thousand of them is what an ordinary machine takes without a limit raised.
constexpr std::array<Design, 5> designs{{
    {"sync", "synchronous", true},
    {"threads", "threading"},
    {"forks", "forking", false, false, 1'000},
    {"selector", "selector"},
    {"selector-poll", "selector, poll", false, true},
}};

// Which program plays a design over which transport.
struct Part {
  const char* design;
  Transport transport;
  const char* lesson;
  const char* options;
};

constexpr std::array<Part, 16> parts{{
    {"sync", Transport::tcp, "01_tcp_echo", ""},
    {"sync", Transport::udp, "02_udp_echo", ""},
    {"sync", Transport::unix_stream, "03_unix_sockets", "--kind unix-stream"},
    {"sync", Transport::unix_datagram, "03_unix_sockets", "--kind unix-datagram"},
    {"threads", Transport::tcp, "04_threading", ""},
    {"threads", Transport::udp, "04_threading", "--kind udp"},
    {"threads", Transport::unix_stream, "04_threading", "--kind unix-stream"},
    {"forks", Transport::tcp, "05_forking", "--max-children 0"},
    {"forks", Transport::udp, "05_forking", "--max-children 0 --kind udp"},
    {"forks", Transport::unix_stream, "05_forking", "--max-children 0 --kind unix-stream"},
    {"selector", Transport::tcp, "07_selectors", ""},
    {"selector-poll", Transport::tcp, "07_selectors", "--selector poll"},
    {"sync", Transport::http, "08_http", "--design sync"},
    {"threads", Transport::http, "08_http", "--design threads"},
    {"forks", Transport::http, "08_http", "--design forks"},
    {"selector", Transport::http, "08_http", "--design selector"},
}};

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> words;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, at);)
    if (!word.empty()) words.push_back(word);
  return words;
}

Candidate candidate_of(const Design& design) {
  return {design.id,          design.label,       {}, design.one_at_a_time,
          design.crowds_only, design.most_clients};
}

Candidate& candidate_named(const std::string& id, std::vector<Candidate>& candidates) {
  for (Candidate& candidate : candidates)
    if (candidate.id == id) return candidate;
  for (const Design& design : designs)
    if (design.id == id) return candidates.emplace_back(candidate_of(design));
  return candidates.emplace_back(Candidate{id, id, {}});
}

Transport transport_named(const std::string& name) {
  for (const Transport transport : {Transport::tcp, Transport::udp, Transport::unix_stream,
                                    Transport::unix_datagram, Transport::http})
    if (name_of(transport) == name) return transport;
  throw std::invalid_argument("no transport is called " + name +
                              " (tcp, udp, unix-stream, unix-datagram, http)");
}

void add(std::vector<Load>& loads, Kind kind, Transport transport,
         std::initializer_list<int> clients) {
  for (const int count : clients) loads.push_back({kind, transport, count, 1});
}

void add_pipelined(std::vector<Load>& loads, std::initializer_list<int> lines) {
  for (const int count : lines) loads.push_back({Kind::pipelined, Transport::tcp, 1, count});
}

// A small file, where the request is what costs, and a large one, where the bytes are; with a
// connection that is kept, and with one for each request.
void add_http(std::vector<Load>& loads) {
  constexpr int clients = 32;  // fewer than the children that a forking server allows itself
  for (const Kind kind : {Kind::persistent, Kind::connections})
    for (const int content : {1000, 1024 * 1024})
      loads.push_back({kind, Transport::http, clients, 1, content});
}

// Enough to see every bend once, in less than a minute.
Form short_form() {
  Form form{"short", {}, {Seconds(0.02), Seconds(0.06)}, 3, Seconds(55)};
  add(form.loads, Kind::persistent, Transport::tcp, {1, 8, 64, 256, 1000});
  add(form.loads, Kind::connections, Transport::tcp, {1, 64});
  add_pipelined(form.loads, {16, 256});
  add(form.loads, Kind::crowd, Transport::tcp, {100, 1000});
  add(form.loads, Kind::persistent, Transport::udp, {1, 32});
  add(form.loads, Kind::persistent, Transport::unix_stream, {1, 64});
  add_http(form.loads);
  return form;
}

// Enough rounds for a median, and ten thousand silent clients.
Form full_form() {
  Form form{"full", {}, {Seconds(0.1), Seconds(0.4)}, 7, Seconds(600)};
  add(form.loads, Kind::persistent, Transport::tcp, {1, 8, 64, 256, 1000});
  add(form.loads, Kind::connections, Transport::tcp, {1, 8, 64, 256});
  add_pipelined(form.loads, {4, 16, 64, 256});
  add(form.loads, Kind::crowd, Transport::tcp, {100, 1000, 10'000});
  add(form.loads, Kind::persistent, Transport::udp, {1, 8, 32, 128});
  add(form.loads, Kind::persistent, Transport::unix_stream, {1, 8, 64, 256});
  add(form.loads, Kind::persistent, Transport::unix_datagram, {1, 32});
  add_http(form.loads);
  return form;
}

std::string group_of(const Load& load) {
  if (load.transport == Transport::tcp) return name_of(load.kind);
  if (load.transport == Transport::udp || load.transport == Transport::http)
    return name_of(load.transport);
  return "unix";
}

}  // namespace

bool Candidate::takes_part(const Load& load) const {
  if (words.count(load.transport) == 0 || load.clients > most_clients) return false;
  if (load.kind == Kind::crowd) return !one_at_a_time;
  if (crowds_only) return false;
  const bool datagrams =
      load.transport == Transport::udp || load.transport == Transport::unix_datagram;
  return !one_at_a_time || load.clients == 1 || load.kind == Kind::connections || datagrams;
}

std::vector<Candidate> kit_candidates(const fs::path& built, std::vector<std::string>& remarks) {
  std::vector<Candidate> candidates;
  std::vector<std::string> missing;
  for (const Part& part : parts) {
    const fs::path server = built / part.lesson / "server";
    if (::access(server.c_str(), X_OK) == 0) {
      std::vector<std::string> words{server.string(), "--quiet"};
      for (std::string& option : split(part.options, ' ')) words.push_back(std::move(option));
      candidate_named(part.design, candidates).words[part.transport] = std::move(words);
    } else if (std::find(missing.begin(), missing.end(), part.lesson) == missing.end()) {
      missing.emplace_back(part.lesson);
      remarks.push_back("The server of " + missing.back() + " is not built and is left out.");
    }
  }
  return candidates;
}

void add_http_peers(const fs::path& python_server, const fs::path& nginx_server,
                    const fs::path& microhttpd_server, std::vector<Candidate>& candidates) {
  const auto add = [&](const char* id, const char* label, std::vector<std::string> words) {
    Candidate peer{id, label, {}};
    peer.words[Transport::http] = std::move(words);
    candidates.push_back(std::move(peer));
  };
  add("python", "Python", {"/usr/bin/env", "python3", python_server.string()});
  add("nginx", "nginx", {nginx_server.string()});
  add("microhttpd", "libmicrohttpd", {microhttpd_server.string()});
}

void add_candidate(const std::string& text, std::vector<Candidate>& candidates) {
  const std::size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  const std::size_t at = name.find('@');
  const auto words = split(equals == std::string::npos ? "" : text.substr(equals + 1), ' ');
  if (words.empty() || name.empty() || at == 0)
    throw std::invalid_argument("--server takes NAME=COMMAND or NAME@TRANSPORT=COMMAND, not " +
                                text);
  const auto transport =
      at == std::string::npos ? Transport::tcp : transport_named(name.substr(at + 1));
  candidate_named(name.substr(0, at), candidates).words[transport] = words;
}

Form form_named(std::string_view name) {
  if (name == "short") return short_form();
  if (name == "full") return full_form();
  throw std::invalid_argument("the form is short or full, not " + std::string(name));
}

void keep_only(const std::string& groups, Form& form) {
  const auto wanted = split(groups, ',');
  for (const std::string& group : wanted)
    if (std::none_of(form.loads.begin(), form.loads.end(),
                     [&](const Load& load) { return group_of(load) == group; }))
      throw std::invalid_argument("no group of loads is called " + group +
                                  " (persistent, connections, pipelined, crowd, udp, unix, http)");
  std::erase_if(form.loads, [&](const Load& load) {
    return std::find(wanted.begin(), wanted.end(), group_of(load)) == wanted.end();
  });
}

std::string in_words(const Load& load) {
  std::string words = counted(static_cast<std::size_t>(load.clients), "client");
  if (load.kind == Kind::crowd)
    words += ", " + std::to_string(talkers_of_a_crowd) + " of them talk";
  if (load.transport == Transport::http)
    return words + ", a file of " + bytes_text(load.content) +
           (load.kind == Kind::connections ? ", a connection a request" : "");
  if (load.kind == Kind::connections) words += ", a connection a line";
  if (load.kind == Kind::pipelined)
    words += ", " + std::to_string(load.lines_per_write) + " lines a write";
  if (load.transport != Transport::tcp) words += ", " + name_of(load.transport);
  return words;
}

}  // namespace kit::bench
