// How a step starts programs.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "harness/base/limits.hpp"
#include "harness/base/sources.hpp"
#include "step.hpp"

namespace kit {
namespace {

bool has(const std::vector<std::string>& args, std::string_view name) {
  return std::ranges::any_of(args, [name](const std::string& argument) {
    return argument == name || argument.starts_with(std::string(name) + '=');
  });
}

// What the sanitizers are told: to stop at the first finding with a status of their own, and to
// leave leaks alone (they are looked for by counting descriptors, and the tool that finds them
// cannot run in every container). What is said here wins over a program's own defaults: so does
// what is the default anyway.
std::vector<std::string> sanitizer_options() {
  const std::string memory = "hard_rss_limit_mb=" + std::to_string(limits::sanitized_memory_mb);
  const std::string common = "color=never:" + memory;
  const std::string exits = "exitcode=" + std::to_string(limits::sanitizer);
  return {
      "ASAN_OPTIONS=detect_leaks=0:abort_on_error=0:halt_on_error=1:poison_heap=1:poison_partial=1:"
      "replace_str=1:replace_intrin=1:alloc_dealloc_mismatch=1:suppressions=:" +
          exits + ':' + common,
      "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:suppressions=:" + exits + ':' + common,
      // Its shadow memory counts: twice the memory. A child may go on threading after a fork.
      "TSAN_OPTIONS=halt_on_error=1:die_after_fork=0:second_deadlock_stack=1:color=never:"
      "report_bugs=1:report_atomic_races=1:report_mutex_bugs=1:report_signal_unsafe=1:"
      "ignore_interceptors_accesses=0:suppressions=:"
      "hard_rss_limit_mb=" +
          std::to_string(2 * limits::sanitized_memory_mb) +
          ":exitcode=" + std::to_string(limits::thread_sanitizer),
  };
}

}  // namespace

std::string Step::program_path(const std::string& program, const std::string& build) {
  const std::string folder =
      build == "plain" ? settings_.candidate : settings_.candidate + '/' + build;
  const std::string path = folder + '/' + program;
  if (access(path.c_str(), X_OK) != 0) {
    if (auto reason = read_text(folder + "/unavailable")) {
      while (reason->ends_with('\n')) reason->pop_back();
      throw CannotRun(*reason);
    }
    throw KitError("there is no program " + path +
                   ". Build it: " + "cmake --build --preset lesson-" + lesson_.number());
  }
  const ProgramEntry* const known = lesson_.program(program);
  if (known != nullptr) {
    const auto files = files_of(settings_.root, settings_.sources, lesson_, *known);
    if (const auto newer = newer_than(path, settings_.sources, files)) {
      suspect("The program was built before your last edit of " + *newer +
              ": what ran would not be what you wrote. Build it, then check:\n"
              "cmake --build --preset lesson-" +
              lesson_.number());
      fail({.expected = "a program as new as " + *newer,
            .got = "one that was built before your last edit"});
    }
  }
  return path;
}

ProcessOptions Step::process_options(const std::string& path, const ProgramOptions& options,
                                     const std::string& build, const std::string& nonce) {
  (void)path;
  ProcessOptions process = sandbox_.options();
  if (!options.folder.empty()) process.folder = options.folder;
  process.environment = options.environment;
  if (!nonce.empty()) process.environment.push_back("KIT_NONCE=" + nonce);
  // A server that is cut off when its time is over would pass for one that ends by itself.
  process.environment.push_back("KIT_GRACE_MS=3600000");
  // A program of the kit's proof holds many wrong answers: which of them it is (rules_runtime.hpp).
  for (const char* const name : {"KIT_MUTANT", "KIT_MUTANTS_SEEN"}) {
    if (const char* const value = std::getenv(name)) {
      process.environment.push_back(std::string(name) + '=' + value);
    }
  }
  if (build == "plain") {
    process.limits.address_space = limits::address_space;
  } else {
    const auto sanitizers = sanitizer_options();
    process.environment.insert(process.environment.begin(), sanitizers.begin(), sanitizers.end());
  }
  process.limits.open_files = options.nofile;
  process.umask = options.umask;
  process.input = options.input;
  if (!options.input_file.empty()) process.input_file = options.input_file;
  process.terminal = options.terminal;
  process.fixed_addresses = build == "raced";
  return process;
}

std::optional<std::string> Step::cannot_start(const std::string& build, int tries) {
  const std::string empty = settings_.build + "/kit/" + build + "/empty";
  if (access(empty.c_str(), X_OK) != 0) return std::nullopt;
  ProcessOptions options = process_options(empty, {}, build, "");
  options.command = {sandbox_.reachable(empty)};
  for (; tries > 0; --tries) {
    Process process(options);
    // One that is not over in time has started.
    if (!process.wait_exit(event_deadline()) || process.exit()->clean()) continue;
    const std::string_view said = process.err().head();
    const std::size_t at = said.find("Sanitizer");
    if (at == std::string_view::npos) return process.exit()->text();
    const std::size_t newline = said.rfind('\n', at);
    const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
    return std::string(said.substr(begin, said.find('\n', at) - begin));
  }
  return std::nullopt;
}

template <typename Kind>
Kind& Step::add_program(const std::string& role, const std::string& program,
                        const ProgramOptions& given) {
  ProgramOptions options = given;
  if (options.build.empty()) options.build = entry_.builds.front();
  const std::string path = program_path(program, options.build);
  std::string nonce;
  if (role.starts_with("probe")) {
    char text[24];
    std::snprintf(text, sizeof text, "%016llx",
                  static_cast<unsigned long long>(
                      Random(Random::hash(std::to_string(getpid()) + settings_.candidate) ^
                             static_cast<std::uint64_t>(Clock::now().time_since_epoch().count()))
                          .next()));
    nonce = text;
  }
  const auto alike = std::ranges::count_if(
      programs_, [&](const auto& one) { return one->name().starts_with(role); });
  const std::string name = alike == 0 ? role : role + ' ' + std::to_string(alike + 1);
  const ProcessOptions process = process_options(path, options, options.build, nonce);
  story_.begins();
  auto started =
      std::make_unique<Kind>(*this, name, sandbox_.reachable(path), process, options, nonce);
  Kind& result = *started;
  result.set_order(order_++);
  programs_.push_back(std::move(started));
  story_.add("started", result.command_line());
  return result;
}

Server& Step::server(const ServerOptions& given) {
  ServerOptions options = given;
  if (!has(options.args, "--port") && !has(options.args, "--path")) {
    options.args.insert(options.args.begin(), {"--port", "0"});
  }
  Server& server = add_program<Server>("server", "server", options);
  if (options.ready) server.wait_ready();
  return server;
}

Program& Step::client(const ClientOptions& options) {
  return add_program<Program>("client", "client", options);
}

Program& Step::client(const Address& partner, std::vector<std::string> words,
                      ClientOptions options) {
  std::vector<std::string> where;
  if (partner.is_unix()) {
    where = {"--path", partner.path()};
  } else {
    if (partner.host() != "127.0.0.1") where = {"--host", partner.host()};
    where.insert(where.end(), {"--port", std::to_string(partner.port())});
  }
  options.args.insert(options.args.begin(), where.begin(), where.end());
  options.args.insert(options.args.end(), words.begin(), words.end());
  return client(options);
}

Program& Step::probe(const std::string& name, std::vector<std::string> args, ProbeOptions options) {
  options.args.insert(options.args.begin(), args.begin(), args.end());
  return add_program<Program>("probe", "probe_" + name, options);
}

Server& Step::probe_server(const std::string& name, const ProbeOptions& options) {
  Server& server = add_program<Server>("probe", "probe_" + name, options);
  if (options.ready) server.wait_ready();
  return server;
}

Program& Step::start(const std::string& program, const ProgramOptions& options) {
  return add_program<Program>(program, program, options);
}

}  // namespace kit
