#pragma once

// A step of a lesson while it runs: what the body of a STEP works with.

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/limits.hpp"
#include "harness/base/manifest.hpp"
#include "harness/processes/sandbox.hpp"
#include "harness/seen/story.hpp"
#include "peer.hpp"
#include "program.hpp"

namespace kit {

class Witness;

/// A step was not passed. Thrown by every expectation; a body never catches it.
class StepFailed : public std::exception {
 public:
  const char* what() const noexcept override { return "the step failed"; }
};

/// The step cannot be judged on this machine. Throw it with the reason, a clause that follows
/// "cannot run here:".
class CannotRun : public std::exception {
 public:
  explicit CannotRun(std::string reason) : reason_(std::move(reason)) {}
  const char* what() const noexcept override { return reason_.c_str(); }

 private:
  std::string reason_;
};

/// Something is wrong with the kit or its surroundings, not with the learner's program.
class KitError : public std::exception {
 public:
  explicit KitError(std::string what) : what_(std::move(what)) {}
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  std::string what_;
};

/// What a check is told by its environment.
struct Settings {
  std::string candidate;          ///< KIT_CANDIDATE: folder of built programs
  std::string sources;            ///< KIT_SOURCES: folder of the learner's files
  std::string manifest;           ///< KIT_MANIFEST
  std::string root;               ///< KIT_ROOT: the source tree
  std::string build;              ///< KIT_BUILD: the build folder
  std::string result;             ///< KIT_RESULT: file for the outcome, or empty
  std::uint32_t seed = 0;         ///< KIT_SEED, or a new one
  std::optional<double> timeout;  ///< KIT_STEP_TIMEOUT: seconds for the step, for the manifest's
  int tries = limits::tries;      ///< KIT_TRIES: how often a step is done while the check is late

  /// Throws KitError if one that is needed is missing.
  static Settings from_environment();
};

/// Numbers from a seed; the same on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  /// A seed from a text. FNV-1a: the same on every machine, unlike std::hash.
  static std::uint64_t hash(std::string_view text);
  std::uint64_t next();
  /// 0 <= result < bound.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  std::uint64_t between(std::uint64_t least, std::uint64_t most) {
    return least + below(most - least + 1);
  }

 private:
  std::uint64_t state_;
};

class Step {
 public:
  Step(const Settings& settings, const Lesson& lesson, const StepEntry& entry);
  ~Step();
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;

  // -- what the report says if something fails from here on ---------------------------------------

  /// The likely cause. (A crash, a sanitizer's report, a hole that is not written and their like
  /// find their own words first.)
  void suspect(std::string sentence) {
    suspicion_ = std::move(sentence);
    suspected_at_ = story_.size();
    if_it_hangs_.reset();
    if_it_does_not_start_.reset();
  }
  /// Besides, until the next suspect(): what is said in its place if nothing comes by the deadline;
  /// and if the step's first server does not come to listen, of which a suspicion says nothing.
  void suspect_if_it_hangs(std::string sentence) { if_it_hangs_ = std::move(sentence); }
  void suspect_if_it_does_not_start(std::string sentence) {
    if_it_does_not_start_ = std::move(sentence);
  }
  /// A rule for the whole step, asked when it has failed: what `fact` answers, if anything, is
  /// proven, and is said in place of any suspicion; where to look is the task then.
  void know(std::function<std::string()> fact, std::string task, std::string function = {}) {
    rules_.push_back({std::move(fact), std::move(task), std::move(function)});
  }
  /// Where to look, from here on: another task than the step's own; of a task with several
  /// functions one that is not the first.
  void suspect_task(std::string task, std::string function = {}) {
    task_ = std::move(task);
    function_ = std::move(function);
  }

  // -- programs -----------------------------------------------------------------------------------

  /// Starts the server and waits for its ready line.
  Server& server(const ServerOptions& options = {});
  /// Starts the client.
  Program& client(const ClientOptions& options = {});
  /// Starts the client with --host and --port, or --path, of a partner, and these words.
  Program& client(const Address& partner, std::vector<std::string> words,
                  ClientOptions options = {});
  /// Starts a probe, which speaks in lines that begin with a nonce.
  Program& probe(const std::string& name, std::vector<std::string> args = {},
                 ProbeOptions options = {});
  /// A probe that is a server: waits for its ready line as step.server() does. It says that line
  /// without a nonce, and other lines with.
  Server& probe_server(const std::string& name, const ProbeOptions& options = {});
  /// Starts "server" or "client" as a program that need not come up (a port in use, wrong options).
  Program& start(const std::string& program, const ProgramOptions& options = {});

  // -- peers --------------------------------------------------------------------------------------

  Peer& connect(const Server& server) { return connect(server.address()); }
  Peer& connect(const Address& address, Stream::Width width = Stream::Width::usual);
  /// One that takes little at a time: a server soon waits for it to read.
  Peer& connect_narrowly(const Server& server) {
    return connect(server.address(), Stream::Width::narrow);
  }
  /// A connect to this address is refused: nobody listens there.
  void expect_refused(const Address& address);
  /// Nobody listens there (asked once, no failure).
  bool refuses(const Address& address);

  /// What a datagram client of a Unix path is called: a path in the step's folder, a name that is
  /// no file (Linux only), or nothing.
  enum class Name { path, abstract, none };

  /// A datagram socket that sends to this address.
  DatagramPeer& datagram_peer(const Server& server, Name name = Name::path) {
    return datagram_peer(server.address(), name);
  }
  DatagramPeer& datagram_peer(const Address& address, Name name = Name::path);

  /// A partner for clients: on a port of its own of this host ...
  Listener& listen(std::string_view host = "127.0.0.1");
  /// ... or on an address (a path in the step's folder).
  Listener& listen(const Address& address);
  /// A partner for datagram clients.
  DatagramPeer& datagram_listener(std::string_view host = "127.0.0.1");
  DatagramPeer& datagram_listener(const Address& address);

  // -- the step's own -----------------------------------------------------------------------------

  /// The private folder: short, writable for the programs, gone at the end.
  const std::string& folder() const { return sandbox_.folder(); }
  /// A path in it.
  std::string path(std::string_view name) const { return folder() + '/' + std::string(name); }
  /// Address of a path in it.
  Address unix_address(std::string_view name) const { return Address::unix_path(path(name)); }
  Sandbox& sandbox() { return sandbox_; }
  /// The uid that the programs run under.
  uid_t program_uid() const;

  /// The loopback addresses of this machine: "127.0.0.1", and "::1" where it has IPv6. What a step
  /// says of TCP and UDP, it tries with each.
  static std::vector<std::string> hosts();

  /// A port below the ephemeral range that no other step uses meanwhile, and that is another one
  /// in the wrong byte order.
  std::uint16_t fixed_port();

  Random& random();
  /// `n` bytes of every value.
  std::string payload(std::size_t n);
  /// `n` printable bytes without newline.
  std::string text(std::size_t n);
  /// A lower-case word of 4 to 10 letters.
  std::string word();
  /// a–z to A–Z, every other byte as it is: what the echo servers answer.
  static std::string upper(std::string_view bytes);

  // -- waiting and judging ------------------------------------------------------------------------

  /// The longest wait for one event.
  std::chrono::milliseconds deadline() const { return event_time(); }
  /// Waits until the predicate is true; fails with "expected <sentence>" if it never is. It is
  /// asked after every event and every few milliseconds.
  void wait_until(const std::function<bool()>& predicate, std::string_view sentence,
                  const std::function<std::string()>& got = {});
  /// Waits until the program rests: what our peers have sent has come to it, and it and its
  /// children sleep. What has not happened by then does not happen. (One that never rests is given
  /// as long as an event.)
  void let_rest(const Program& program);
  /// Waits until none of these calls is under way in the program: `sentence` says what returns. The
  /// report says `got` if one never does. (CannotRun where there is no recorder.)
  void expect_returned(Program& program, Calls calls, std::string_view sentence,
                       std::string_view got);
  /// Waits until the program has as many open descriptors as `before`, or at most `allowance` more:
  /// what a server may open on first use and keep.
  void expect_descriptors(const Program& program, std::size_t before, std::size_t allowance);
  /// Fails with "expected <sentence>" unless the condition holds.
  void check(bool condition, std::string_view sentence, std::string_view got = "it is not so");
  /// Fails: what was expected, and what was there.
  [[noreturn]] void fail(std::string_view expected, std::string_view got);

  // Lines for the story that no act of a peer or program writes.
  void note(std::string_view text) { story_.add("note", text); }
  void sent(std::string_view text) { story_.add("sent", text); }
  void did(std::string_view verb, std::string_view text) { story_.add(verb, text); }

  // -- for the harness
  // ------------------------------------------------------------------------------

  /// What a step knows of its own (see know()).
  struct Rule {
    std::function<std::string()> fact;
    std::string task, function;
  };
  const std::vector<Rule>& rules() const { return rules_; }
  /// A failed expectation; `about` is the program that it was about, if that is known.
  struct Failure {
    std::string expected{}, got{}, caret{}, who{};
    std::string cause{};  ///< in place of the step's suspicion
    std::string fact{};   ///< what the bytes that came prove: before any suspicion
    const Program* about = nullptr;
    std::vector<CallRecord> calls{};  ///< that lead to the line, the likeliest first
    bool out_of_time = false;         ///< nothing came by the deadline
  };
  [[noreturn]] void fail(Failure failure);
  /// Waits for an event, and looks again every so often; notices what ends a step at once (a flood
  /// of output).
  bool await(const std::function<bool()>& predicate, Deadline until,
             std::chrono::milliseconds again = limits::look_again);
  /// After the body: every server is alive or was stopped, no sanitizer has reported, and what is
  /// always looked at (invariants.hpp) is as it should be.
  void finish();
  /// Looks at a server that is to end: its clients leave first, or may stay to see the end. What is
  /// wrong fails the step when its body is over: what the step itself demands is told first.
  enum class Clients { leave, stay };
  void look_always(Server& server, Clients clients);
  /// Whether a program of this build can start on this machine: an empty one of the kit's own is
  /// started as every program is, up to `tries` times. If one does not, what it said.
  std::optional<std::string> cannot_start(const std::string& build, int tries);
  /// Waits a moment for a server that has just said that it listens: until it sleeps.
  void come_to_rest(const Program& program);
  /// One more thing was looked at; how many that were.
  void looked() { ++looks_; }
  std::size_t looks() const { return looks_; }

  const Settings& settings() const { return settings_; }
  const Lesson& lesson() const { return lesson_; }
  const StepEntry& entry() const { return entry_; }
  Story& story() { return story_; }
  const Story& story() const { return story_; }
  /// Null unless somebody wants to see the step again.
  Witness* witness() { return witness_.get(); }
  const std::string& suspicion() const { return suspicion_; }
  const std::optional<std::string>& if_it_hangs() const { return if_it_hangs_; }
  const std::optional<std::string>& if_it_does_not_start() const { return if_it_does_not_start_; }
  /// Nothing has happened since it was set.
  bool suspicion_is_fresh() const { return !suspicion_.empty() && suspected_at_ == story_.size(); }
  const std::string& task() const { return task_; }
  const std::string& function() const { return function_; }
  const std::optional<Failure>& failure() const { return failure_; }
  const std::vector<std::unique_ptr<Program>>& programs() const { return programs_; }
  std::vector<Conversation>& conversations() { return conversations_; }
  const std::vector<Conversation>& conversations() const { return conversations_; }
  /// The conversation that does something now.
  Conversation& acting(std::size_t conversation);
  bool random_used() const { return random_.has_value(); }
  Peer& add_peer(Stream stream, std::size_t conversation, std::string_view role);

 private:
  void look_for_unseen_calls();
  std::string program_path(const std::string& program, const std::string& build);
  ProcessOptions process_options(const std::string& path, const ProgramOptions& options,
                                 const std::string& build, const std::string& nonce);
  template <typename Kind>
  Kind& add_program(const std::string& role, const std::string& program,
                    const ProgramOptions& options);
  std::size_t add_conversation(const Address& address, bool datagrams, bool listens);
  DatagramPeer& add_datagram_peer(Descriptor socket, const Address& target, bool listens);

  const Settings& settings_;
  const Lesson& lesson_;
  const StepEntry& entry_;
  std::string suspicion_;
  std::vector<Rule> rules_;
  std::optional<std::string> if_it_hangs_, if_it_does_not_start_;
  std::size_t suspected_at_ = 0;
  std::size_t order_ = 0;  // of programs and conversations
  std::size_t looks_ = 0;
  std::optional<Failure> left_over_;
  std::string task_;
  std::string function_;
  Story story_;
  std::unique_ptr<Witness> witness_;
  std::optional<Failure> failure_;
  std::vector<Conversation> conversations_;
  std::optional<Random> random_;
  std::vector<Descriptor> ports_;  // lock files of fixed ports
  Sandbox sandbox_;                // outlives the programs
  std::vector<std::unique_ptr<Program>> programs_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::unique_ptr<DatagramPeer>> datagram_peers_;
  std::vector<std::unique_ptr<Peer>> peers_;
};

}  // namespace kit
