#include "step.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <system_error>
#include <utility>

#include "harness/base/escape.hpp"
#include "harness/base/limits.hpp"
#include "harness/base/places.hpp"
#include "harness/base/sources.hpp"
#include "harness/kernel/proc.hpp"
#include "harness/seen/last_words.hpp"
#include "harness/wire/loopback.hpp"
#include "invariants.hpp"
#include "witness.hpp"

namespace kit {
namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string needed(const char* name) {
  std::string value = variable(name);
  if (value.empty()) {
    throw KitError(std::string(name) +
                   " is not set. A check is started by CTest: "
                   "ctest --preset lesson-01 -R '^01\\.1 '");
  }
  return value;
}

// Programs start in a folder of their own: a relative path would mean something else there.
std::string absolute(const std::string& path) {
  if (path.starts_with('/')) return path;
  char here[4096];
  return getcwd(here, sizeof here) == nullptr ? path : std::string(here) + '/' + path;
}

// FNV-1a: the same on every machine, unlike std::hash.
std::uint64_t hash(std::string_view text) {
  std::uint64_t value = 14695981039346656037ULL;
  for (char c : text) value = (value ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return value;
}

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

// Ports below what the kernel hands out by itself (32768, macOS 49152) and above the well-known.
constexpr std::uint16_t first_port = 20'000;
constexpr std::uint16_t port_count = 10'000;

// Nobody uses it now, and no connection of an earlier server keeps it (TIME_WAIT). Bound for a
// moment without listening, which leaves no trace.
bool port_is_free(std::uint16_t port) {
  const Address address = Address::tcp("127.0.0.1", port);
  return can_bind_plainly(address, SOCK_STREAM) && can_bind_plainly(address, SOCK_DGRAM);
}

// A port in the wrong byte order is another one that anybody may bind: a forgotten htons() shows as
// itself, and not as a missing right or as nothing (of 256 ports one reads the same both ways).
bool shows_byte_order(std::uint16_t port) {
  constexpr std::uint16_t first_unprivileged = 1024;
  const auto swapped = static_cast<std::uint16_t>(port << 8 | port >> 8);
  return swapped != port && swapped >= first_unprivileged && port_is_free(swapped);
}

}  // namespace

// ---- settings ----------------------------------------------------------------------------------

Settings Settings::from_environment() {
  Settings settings;
  settings.manifest = needed("KIT_MANIFEST");
  settings.candidate = absolute(needed("KIT_CANDIDATE"));
  settings.sources = absolute(needed("KIT_SOURCES"));
  settings.root = variable("KIT_ROOT");
  settings.build = variable("KIT_BUILD");
  settings.result = variable("KIT_RESULT");
  if (const std::string seed = variable("KIT_SEED"); !seed.empty()) {
    settings.seed = static_cast<std::uint32_t>(std::strtoul(seed.c_str(), nullptr, 10));
  } else {
    const auto now = std::chrono::system_clock::now().time_since_epoch().count();
    settings.seed = static_cast<std::uint32_t>(
        hash(std::to_string(now) + ' ' + std::to_string(getpid())) % 1'000'000);
  }
  if (const std::string timeout = variable("KIT_STEP_TIMEOUT"); !timeout.empty()) {
    settings.timeout = std::strtod(timeout.c_str(), nullptr);
  }
  return settings;
}

// SplitMix64.
std::uint64_t Random::next() {
  std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

// ---- the step ----------------------------------------------------------------------------------

Step::Step(const Settings& settings, const Lesson& lesson, const StepEntry& entry)
    : settings_(settings), lesson_(lesson), entry_(entry) {
  struct stat status {};
  if (stat(settings.candidate.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    throw KitError("there are no programs in " + settings.candidate +
                   ". Build them: " + "cmake --build --preset lesson-" + lesson.number());
  }
  if (Witness::is_wanted()) {
    witness_ = std::make_unique<Witness>(*this);
    story_.set_onlooker(witness_.get());
  }
}

Step::~Step() {
  const Uninterrupted cleaning;
  // Peers first: a program that waits for one may end; then it is ended. The sandbox comes last.
  peers_.clear();
  datagram_peers_.clear();
  listeners_.clear();
  programs_.clear();
}

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
                      Random(hash(std::to_string(getpid()) + settings_.candidate) ^
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

// ---- peers -------------------------------------------------------------------------------------

std::size_t Step::add_conversation(const Address& address, bool datagrams, bool listens) {
  Conversation conversation;
  conversation.address = address;
  conversation.datagrams = datagrams;
  conversation.listens = listens;
  conversation.order = order_++;
  conversations_.push_back(std::move(conversation));
  return conversations_.size() - 1;
}

Peer& Step::add_peer(Stream stream, std::size_t conversation, std::string_view role) {
  std::string name = std::string(role) + ' ' + std::to_string(peers_.size() + 1);
  conversations_[conversation].name = name;
  if (witness_) {
    witness_->partner(name, role == "client" ? "opened" : "accepted", "a connection");
  }
  peers_.push_back(std::make_unique<Peer>(*this, std::move(stream), std::move(name), conversation));
  story_.set_actors(peers_.size() + datagram_peers_.size());
  return *peers_.back();
}

Peer& Step::connect(const Address& address, Stream::Width width) {
  try {
    story_.begins();
    Stream stream = Stream::connect(address, event_deadline(), width);
    Peer& peer = add_peer(std::move(stream), add_conversation(address, false, false), "client");
    if (peers_.size() > 1) story_.add("opened", "a connection", peer.name());
    return peer;
  } catch (const std::system_error& error) {
    fail({.expected = "a connection to " + address.text(),
          .got = error.code().message(),
          .out_of_time = error.code().value() == ETIMEDOUT});
  }
}

bool Step::refuses(const Address& address) {
  try {
    Stream::connect(address, event_deadline());
    return false;
  } catch (const std::system_error&) {
    return true;
  }
}

void Step::expect_refused(const Address& address) {
  if (!refuses(address)) {
    fail({.expected = "nobody listens on " + address.text(), .got = "a connection was accepted"});
  }
  story_.add("refused", "a connection to " + address.text());
}

DatagramPeer& Step::add_datagram_peer(Descriptor socket, const Address& target, bool listens) {
  const std::size_t number = datagram_peers_.size() + peers_.size() + 1;
  std::string name = (listens ? "partner " : "client ") + std::to_string(number);
  const std::size_t conversation =
      add_conversation(listens ? Address::local_of(socket.get()) : target, true, listens);
  conversations_[conversation].name = name;
  if (witness_) witness_->partner(name, "opened", "a socket");
  datagram_peers_.push_back(std::make_unique<DatagramPeer>(*this, std::move(socket), target,
                                                           std::move(name), conversation));
  story_.set_actors(peers_.size() + datagram_peers_.size());
  return *datagram_peers_.back();
}

DatagramPeer& Step::datagram_peer(const Address& address, Name name) {
  if (!address.is_unix()) {
    const std::string host = address.family() == AF_INET6 ? "::1" : "127.0.0.1";
    return add_datagram_peer(bound_socket(Address::tcp(host, 0), SOCK_DGRAM), address, false);
  }
  if (name != Name::path) {
    Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM, 0));
    fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
    fcntl(socket.get(), F_SETFL, O_NONBLOCK);
    // An address that ends behind its family asks for a name, which the kernel makes up. unix(7)
    const sockaddr family{.sa_family = AF_UNIX, .sa_data = {}};
    if (name == Name::abstract && ::bind(socket.get(), &family, sizeof family.sa_family) != 0) {
      throw std::system_error(errno, std::generic_category(), "bind");
    }
    return add_datagram_peer(std::move(socket), address, false);
  }
  const std::string own = path("peer-" + std::to_string(datagram_peers_.size() + 1));
  Descriptor socket = bound_socket(Address::unix_path(own), SOCK_DGRAM);
  sandbox_.give(own);  // or the program could not answer to it
  return add_datagram_peer(std::move(socket), address, false);
}

Listener& Step::listen(std::string_view host) {
  return listen(Address::tcp(host, 0));
}

Listener& Step::listen(const Address& address) {
  Descriptor socket = bound_socket(address, SOCK_STREAM);
  if (::listen(socket.get(), SOMAXCONN) != 0) {
    throw std::system_error(errno, std::generic_category(), "listen");
  }
  if (address.is_unix()) sandbox_.give(address.path());
  const std::size_t conversation = add_conversation(Address::local_of(socket.get()), false, true);
  listeners_.push_back(std::make_unique<Listener>(*this, std::move(socket), conversation));
  return *listeners_.back();
}

DatagramPeer& Step::datagram_listener(std::string_view host) {
  return datagram_listener(Address::tcp(host, 0));
}

DatagramPeer& Step::datagram_listener(const Address& address) {
  Descriptor socket = bound_socket(address, SOCK_DGRAM);
  if (address.is_unix()) sandbox_.give(address.path());
  return add_datagram_peer(std::move(socket), {}, true);
}

// ---- the step's own ----------------------------------------------------------------------------

uid_t Step::program_uid() const {
  return sandbox_.user().value_or(geteuid());
}

std::vector<std::string> Step::hosts() {
  if (have_ipv6()) return {"127.0.0.1", "::1"};
  return {"127.0.0.1"};
}

std::uint16_t Step::fixed_port() {
  // In a network of its own a step has all the ports; elsewhere it agrees with other steps of this
  // user. (Of another user's it learns when one is taken.)
  const std::string folder = std::getenv("KIT_OWN_NETWORK") != nullptr ? "" : own_place("ports");
  const std::size_t start = static_cast<std::size_t>(getpid()) * 7 + ports_.size();
  for (std::size_t i = 0; i < port_count; ++i) {
    const auto port = static_cast<std::uint16_t>(first_port + (start + i) % port_count);
    const std::string name = folder + '/' + std::to_string(port);
    Descriptor lock(folder.empty()
                        ? open("/dev/null", O_RDONLY | O_CLOEXEC)
                        : open(name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!lock || (!folder.empty() && flock(lock.get(), LOCK_EX | LOCK_NB) != 0)) continue;
    if (!port_is_free(port) || !shows_byte_order(port)) continue;
    ports_.push_back(std::move(lock));
    return port;
  }
  throw CannotRun("no port between 20000 and 29999 is free");
}

Random& Step::random() {
  if (!random_) random_.emplace(settings_.seed ^ hash(entry_.id));
  return *random_;
}

std::string Step::payload(std::size_t n) {
  std::string bytes(n, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random().below(256));
  return bytes;
}

std::string Step::text(std::size_t n) {
  std::string bytes(n, ' ');
  for (char& byte : bytes) byte = static_cast<char>(random().between(' ', '~'));
  return bytes;
}

std::string Step::word() {
  std::string letters(random().between(4, 10), ' ');
  for (char& letter : letters) letter = static_cast<char>(random().between('a', 'z'));
  return letters;
}

std::string Step::upper(std::string_view bytes) {
  std::string result(bytes);
  for (char& byte : result) {
    if (byte >= 'a' && byte <= 'z') byte = static_cast<char>(byte - 'a' + 'A');
  }
  return result;
}

// ---- waiting and judging -----------------------------------------------------------------------

bool Step::await(const std::function<bool()>& predicate, Deadline until,
                 std::chrono::milliseconds again) {
  const Program* flooding = nullptr;
  const bool came = kit::wait_until(
      [&] {
        for (const auto& program : programs_) {
          const Process& process = program->process();
          if (process.out().size() + process.err().size() > limits::output_flood) {
            flooding = program.get();
            return true;
          }
        }
        if (witness_) witness_->look();
        return predicate();
      },
      until, again);
  if (flooding != nullptr) {
    const Process& process = flooding->process();
    fail({.expected = "a " + flooding->name() + " that prints a line now and then",
          .got = counted(process.out().size() + process.err().size(), "byte") +
                 " of output, and no end of it",
          .about = flooding});
  }
  return came;
}

void Step::wait_until(const std::function<bool()>& predicate, std::string_view sentence,
                      const std::function<std::string()>& got) {
  if (await(predicate, event_deadline(), limits::proc_poll)) return;
  fail({.expected = std::string(sentence),
        .got = (got ? got() + ", still after " : "it is not so after ") +
               with_commas(static_cast<std::size_t>(event_time().count())) + " ms",
        .out_of_time = true});
}

namespace {
// Asked again and again: whether the program sleeps, and has done nothing since it was last asked.
auto sleeps_on(const Program& program) {
  return [&program, before = std::optional<std::uint64_t>()]() mutable {
    const std::optional<std::uint64_t> now = proc::asleep(program.pid());
    const std::optional<std::uint64_t> last = std::exchange(before, now);
    return now && now == last;
  };
}
}  // namespace

void Step::let_rest(const Program& program) {
  const auto rests = [&, sleeps = sleeps_on(program)]() mutable {
    for (const auto& peer : peers_) {
      if (!peer->all_arrived()) return false;
    }
    const auto status = proc::status(program.pid());
    if (status && status->ending) return false;  // soon we shall know how it has ended
    return sleeps();
  };
  (void)await(rests, event_deadline(), limits::proc_poll);
}

void Step::come_to_rest(const Program& program) {
  const auto rests = [&, sleeps = sleeps_on(program)]() mutable {
    return sleeps() || !program.alive();
  };
  (void)await(rests, after(scaled(limits::settle)), limits::proc_poll);
}

namespace {
// Whether a connection that was opened to `address` leads to the server: one that listens on every
// address is reached by many names.
bool leads_to(const Server& server, const Address& address) {
  const Address& own = server.address();
  if (own.is_unix() || address.is_unix()) return own == address;
  return own.port() == address.port();
}
}  // namespace

void Step::look_always(Server& server, Clients clients) {
  if (!server.ready() || !server.alive()) return;
  std::size_t open = 0;
  for (const auto& peer : peers_) {
    const Conversation& conversation = conversations_[peer->conversation_];
    if (conversation.listens || !leads_to(server, conversation.address)) continue;
    if (clients == Clients::leave) {
      peer->close();
    } else if ((void)peer->ending(), peer->in_use()) {
      ++open;
    }
  }
  if (clients == Clients::leave && server.recorder_if_any() != nullptr) {
    server.recorder().withdraw_all();
  }
  auto found = look_at_rest(*this, server, open);
  if (found && !left_over_) left_over_ = std::move(found);
}

void Step::expect_returned(Program& program, Calls calls, std::string_view sentence,
                           std::string_view got) {
  wait_until([&] { return !program.recorder().pending(calls); }, sentence,
             [&] { return std::string(got); });
}

void Step::expect_descriptors(const Program& program, std::size_t before, std::size_t allowance) {
  wait_until([&] { return program.open_descriptors() <= before + allowance; },
             "as many open descriptors as before (" + std::to_string(before) + ")",
             [&] { return std::to_string(program.open_descriptors()) + " open descriptors"; });
}

void Step::check(bool condition, std::string_view sentence, std::string_view got) {
  if (!condition) fail({.expected = std::string(sentence), .got = std::string(got)});
}

void Step::fail(std::string_view expected, std::string_view got) {
  fail({.expected = std::string(expected), .got = std::string(got)});
}

void Step::fail(Failure failure) {
  const Uninterrupted collecting;
  story_.begins();
  // A connection ends a moment before its program does: give a dying one the time to be dead.
  const auto dying = [this] {
    return std::ranges::any_of(programs_, [](const auto& program) {
      const auto status = program->alive() ? proc::status(program->pid()) : std::nullopt;
      return status && status->ending;
    });
  };
  const auto dead = [this] {
    return std::ranges::any_of(programs_, [](const auto& program) {
      return !program->alive() && !program->end_expected();
    });
  };
  if (!failure.out_of_time && !dead()) {
    kit::wait_until([&] { return dead() || dying(); }, after(scaled(limits::settle)),
                    limits::proc_poll);
  }
  if (dying()) {
    kit::wait_until([&] { return !dying(); }, after(scaled(limits::dying)), limits::proc_poll);
  }
  story_.add_failure(failure.expected, failure.got, failure.caret, failure.who);
  failure_ = std::move(failure);
  throw StepFailed();
}

// A step that relies on the recorder gives nothing to a program whose calls went by it.
void Step::look_for_unseen_calls() {
  const auto relies = [](const auto& program) { return program->relies_on_recorder(); };
  const auto found = std::ranges::find_if(programs_, relies);
  if (found == programs_.end()) return;
  const auto unseen = [this](const Program& program, const std::string& got) {
    fail({.expected = "the calls of the " + program.name() + " are seen",
          .got = got,
          .cause = "This step looks at the calls that the program makes, and lets some of them "
                   "fail. They are known by their names: recv, send, read, write, accept, poll, …; "
                   "a stream of <cstdio> on a socket, say, is not seen.",
          .about = &program});
  };
  for (const auto& program : programs_) {
    if (!relies(program)) continue;
    const RecorderLog& log = *program->recorder_if_any();
    if (!log.attached()) unseen(*program, "not one of them was");
    if (!log.faults_are_ours()) unseen(*program, "it has changed what was to happen to them");
  }
  // What has come over the wire, somebody has sent.
  std::uint64_t received = 0;
  for (const auto& peer : peers_) received += peer->received();
  std::uint64_t sent = 0;
  for (const auto& program : programs_) {
    if (program->recorder_if_any() == nullptr) return;  // it may have come from this one
    sent += program->recorder_if_any()->sent();
  }
  if (sent < received) {
    unseen(**found, counted(static_cast<std::size_t>(received), "byte") +
                        " came over the wire, and calls for " +
                        with_commas(static_cast<std::size_t>(sent)) + " of them were");
  }
}

void Step::finish() {
  for (const auto& program : programs_) {
    const std::string_view errors = program->errors();
    std::vector<std::string> files = lesson_.slots;
    if (!program->may_report() && find_sanitizer_report(errors, files)) {
      fail({.expected = "no report of a sanitizer",
            .got = "one, on stderr of the " + program->name(),
            .about = program.get()});
    }
    if (program->is_server() && !program->alive() && !program->end_expected()) {
      fail({.expected = "the " + program->name() + " still serves",
            .got = "it has ended by itself: " + program->exit()->text(),
            .cause = "It ended after the last answer that was expected of it.",
            .about = program.get()});
    }
  }
  look_for_unseen_calls();
  for (const auto& program : programs_) {
    auto* const server = dynamic_cast<Server*>(program.get());
    if (server != nullptr) look_always(*server, Clients::leave);
  }
  if (left_over_) fail(*left_over_);
  for (const auto& program : programs_) {
    look_at_calls(*this, *program);
    look_at_words(*this, *program);
  }
}

}  // namespace kit
