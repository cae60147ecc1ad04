#include "witness.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "harness/base/descriptor.hpp"
#include "harness/base/escape.hpp"
#include "harness/shown/picture.hpp"
#include "step.hpp"

namespace kit {
namespace {

// What is kept of a program that turns: far more than is ever shown.
constexpr std::size_t most_first = 2'000;
constexpr std::size_t most_last = 4'000;
constexpr std::size_t most_acts = 20'000;

const char* asked_for(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr || *value == '\0' ? nullptr : value;
}

std::int64_t steady_nanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// By another name first: who reads it finds all of it or nothing.
bool write_file(const std::string& path, std::string_view text) {
  const std::string part = path + ".part";
  ::unlink(part.c_str());
  {
    const Descriptor file(
        ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!file) return false;
    while (!text.empty()) {
      const ssize_t n = ::write(file.get(), text.data(), text.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        ::unlink(part.c_str());
        return false;
      }
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  if (::rename(part.c_str(), path.c_str()) == 0) return true;
  ::unlink(part.c_str());
  return false;
}

// What a call gives to others has happened when it was entered; what it takes, when it returned.
bool gives(const CallRecord& record) {
  return record.is(Calls::any_send | Calls::connect | Calls::shutdown | Calls::close);
}

Replay::Event event_of(const Program& program, const CallRecord& record, std::int64_t time) {
  Replay::Event event;
  event.kind = Replay::Event::Kind::call;
  event.time = time;
  event.who = program.name();
  event.verb = recorder::call_names[static_cast<std::size_t>(record.call)];
  event.text = record.text();
  event.pid = record.pid;
  event.tid = record.tid;
  event.fd = record.arguments[0];
  event.result = record.result;
  event.returned = record.returned;
  event.injected = record.injected != recorder::Action::none;
  event.data = record.data;
  return event;
}

}  // namespace

bool Witness::is_wanted() {
  return asked_for("KIT_SHOW") != nullptr || asked_for("KIT_PICTURES") != nullptr;
}

Witness::Witness(Step& step) : step_(step), start_(steady_nanoseconds()) {
  replay_.id = step.entry().id;
  replay_.title = step.entry().title;
  replay_.seed = step.settings().seed;
  // What it shows is not red any more, or will be drawn anew.
  if (const char* const folder = asked_for("KIT_PICTURES")) {
    ::unlink((std::string(folder) + '/' + replay_.id + ".svg").c_str());
  }
}

std::int64_t Witness::now() const {
  return steady_nanoseconds() - start_;
}

std::int64_t Witness::moment() {
  const std::int64_t begun = std::exchange(begun_, -1);
  return begun >= 0 ? begun : now();
}

void Witness::begins() {
  begun_ = now();
}

void Witness::partner(const std::string& name, std::string_view verb, std::string_view what) {
  replay_.partners.push_back(name);
  replay_.events.push_back(
      {.time = moment(), .who = name, .verb = std::string(verb), .text = std::string(what)});
}

void Witness::act(std::string_view verb, std::string_view text, std::string_view who) {
  const std::int64_t time = moment();
  look();
  // partner() has told of it.
  if (verb == "opened" || replay_.events.size() >= most_acts) return;
  replay_.events.push_back({.time = time,
                            .who = std::string(who),
                            .verb = std::string(verb),
                            .text = std::string(text)});
}

void Witness::failure(std::string_view expected, std::string_view got, std::string_view caret,
                      std::string_view who) {
  const std::int64_t time = moment();
  look();
  replay_.expected = expected;
  replay_.got = got;
  replay_.caret = caret;
  replay_.events.push_back({.kind = Replay::Event::Kind::fault,
                            .time = time,
                            .who = std::string(who),
                            .verb = "expected",
                            .text = replay_.expected});
}

void Witness::keep(const Program& program, const CallRecord& record) {
  // The program may have written any time there.
  const bool before =
      !record.returned || (gives(record) && record.injected == recorder::Action::none);
  const std::int64_t said = (before ? record.entered_at : record.returned_at) - start_;
  std::int64_t& latest = latest_[{record.pid, record.tid}];
  latest = std::clamp(said, latest, std::max(now(), latest));
  if (first_calls_.size() < most_first) {
    first_calls_.push_back({&program, record, latest});
    return;
  }
  last_calls_.push_back({&program, record, latest});
  if (last_calls_.size() <= most_last) return;
  last_calls_.pop_front();
  ++replay_.lost;
}

void Witness::look() {
  for (const auto& program : step_.programs()) {
    const RecorderLog* const log = program->recorder_if_any();
    if (log == nullptr) continue;
    for (const CallRecord& record : log->since(seen_[program.get()], replay_.lost)) {
      keep(*program, record);
    }
  }
}

void Witness::complete() {
  if (std::exchange(complete_, true)) return;
  look();
  for (const auto& program : step_.programs()) {
    replay_.programs.push_back({program->name(), static_cast<int>(program->pid())});
    if (const RecorderLog* const log = program->recorder_if_any()) {
      for (const CallRecord& record : log->pending()) keep(*program, record);
    }
  }
  for (const auto* calls : {&first_calls_, &last_calls_}) {
    for (const auto& [program, record, time] : *calls) {
      replay_.events.push_back(event_of(*program, record, time));
    }
  }
  std::ranges::stable_sort(replay_.events, {}, &Replay::Event::time);
}

std::string Witness::draw() {
  const char* const folder = asked_for("KIT_PICTURES");
  if (folder == nullptr) return {};
  complete();
  replay_.status = "fail";
  ::mkdir(folder, 0755);
  const std::string name = '/' + replay_.id + ".svg";
  if (!write_file(folder + name, picture_of(replay_))) return {};
  std::string_view shown(folder);
  while (shown.ends_with('/')) shown.remove_suffix(1);
  return "build/" + std::string(shown.substr(shown.rfind('/') + 1)) + name;
}

void Witness::finish(std::string_view status, std::string_view cause) {
  const char* const path = asked_for("KIT_SHOW");
  if (path == nullptr) return;
  complete();
  replay_.status = status;
  replay_.cause = cause;
  if (!write_file(path, replay_.text())) {
    std::fprintf(stderr, "cannot write %s\n", escape_text(path).c_str());
  }
}

}  // namespace kit
