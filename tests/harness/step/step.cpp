#include "step.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "harness/base/escape.hpp"
#include "harness/base/limits.hpp"
#include "harness/base/upper.hpp"
#include "harness/kernel/proc.hpp"
#include "harness/seen/last_words.hpp"
#include "invariants.hpp"
#include "witness.hpp"

namespace kit {

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

// ---- the step's own ----------------------------------------------------------------------------

uid_t Step::program_uid() const {
  return sandbox_.user().value_or(geteuid());
}

Random& Step::random() {
  if (!random_) random_.emplace(settings_.seed ^ Random::hash(entry_.id));
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
  return kit::upper(bytes);
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
  // What it has answered, it has received: as many bytes as it was sent, or as it has answered,
  // whichever is less. Half of them is enough, so that nobody has to read all that he is sent.
  std::uint64_t answered = 0;
  for (const auto& peer : peers_) {
    if (conversations_[peer->conversation_].listens) continue;
    answered += std::min(peer->sent(), peer->received());
  }
  std::uint64_t taken = 0;
  bool met_faults = false;
  for (const auto& program : programs_) {
    const RecorderLog& log = *program->recorder_if_any();
    taken += log.received();
    met_faults = met_faults || (program->is_server() && log.has_receive_faults());
  }
  if (met_faults && taken < answered / 2) {
    unseen(**found, counted(static_cast<std::size_t>(answered), "byte") +
                        " were answered, and calls that received " +
                        with_commas(static_cast<std::size_t>(taken)) + " were");
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
