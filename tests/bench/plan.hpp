#pragma once

#include <filesystem>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "load.hpp"

namespace kit::bench {

/// A server that takes part.
struct Candidate {
  std::string id;                                       ///< "threads"
  std::string label;                                    ///< "threading"
  std::map<Transport, std::vector<std::string>> words;  ///< how to start it, without its address
  bool one_at_a_time = false;  ///< a connection holds up all others until it ends
  bool crowds_only = false;    ///< a variant that differs only there
  int most_clients = 10'000;   ///< more would ask too much of the machine

  /// Whether the load says something about this server.
  [[nodiscard]] bool takes_part(const Load& load) const;
};

/// The kit's servers, from a folder such as build/solutions. One that is not built is left out, and
/// a sentence about it is added to `remarks`.
std::vector<Candidate> kit_candidates(const std::filesystem::path& built,
                                      std::vector<std::string>& remarks);

/// Other people's HTTP servers: Python's, nginx, and one on libmicrohttpd. One that is not
/// installed says so when it is started.
void add_http_peers(const std::filesystem::path& python_server,
                    const std::filesystem::path& nginx_server,
                    const std::filesystem::path& microhttpd_server,
                    std::vector<Candidate>& candidates);

/// Adds a server given as `NAME=COMMAND`, or `NAME@udp=COMMAND`. A known NAME (sync, threads,
/// forks, selector) takes that design's place. @throws std::invalid_argument with a sentence
void add_candidate(const std::string& text, std::vector<Candidate>& candidates);

/// The loads of one run, and how long it may take.
struct Form {
  std::string name;
  std::vector<Load> loads;
  Timing timing;
  int most_rounds = 1;
  Seconds budget{0};  ///< no round is begun that would not fit
};

/// "short" or "full". @throws std::invalid_argument with a sentence
Form form_named(std::string_view name);

/// Keeps the loads of the named groups: persistent, connections, pipelined, crowd, udp, unix, http.
/// @throws std::invalid_argument with a sentence
void keep_only(const std::string& groups, Form& form);

/// A load in words: "64 clients", "1 client, 16 lines a write", "1,000 clients, 8 of them talk".
std::string in_words(const Load& load);

}  // namespace kit::bench
