#include "recorder_log.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#endif

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "harness/base/escape.hpp"
#include "harness/kernel/landlock.hpp"

namespace kit {

namespace {

using namespace recorder;  // the layout's names, all through this file

template <class Enum>
constexpr std::uint32_t number(Enum value) {
  return static_cast<std::uint32_t>(value);
}

[[noreturn]] void fail_with(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// ---------------------------------------------------------------------------------------------
// Reading a record that the program may be writing, or may have filled with anything.

std::optional<CallRecord> read_record(const SharedRecord& shared) {
  const std::uint64_t sequence = shared.words[0].load(std::memory_order_acquire);
  if (sequence == 0) return std::nullopt;
  std::uint64_t words[record_words];
  words[0] = sequence;
  for (std::size_t i = 1; i < record_words; ++i)
    words[i] = shared.words[i].load(std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_acquire);
  if (shared.words[0].load(std::memory_order_relaxed) != sequence) return std::nullopt;

  Record raw;
  std::memcpy(&raw, words, sizeof raw);
  if (static_cast<std::size_t>(raw.call) >= call_kinds) return std::nullopt;
  if (number(raw.injected) > number(Action::vanish)) raw.injected = Action::none;

  CallRecord record;
  record.sequence = sequence;
  record.pid = raw.pid;
  record.tid = raw.tid;
  record.call = raw.call;
  record.returned = raw.state == State::returned;
  record.injected = raw.injected;
  record.socket = static_cast<Socket>(raw.socket);
  record.error = raw.error;
  record.result = raw.result;
  record.entered_at = raw.entered_at;
  record.returned_at = raw.returned_at;
  if (raw.caller != 0) record.callers.push_back(raw.caller);
  std::copy(std::begin(raw.arguments), std::end(raw.arguments), record.arguments.begin());
  record.data.assign(reinterpret_cast<const char*>(raw.data),
                     std::min<std::size_t>(raw.data_size, sizeof raw.data));
  return record;
}

bool by_sequence(const CallRecord& a, const CallRecord& b) {
  return a.sequence < b.sequence;
}

// Whether the thread is there and no zombie. proc(5): the state follows the last parenthesis.
bool is_alive(int pid, int tid) {
  if (pid <= 0 || tid <= 0) return false;
#ifdef __linux__
  const std::string path =
      "/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/stat";
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char text[512];
  const ssize_t size = ::read(fd, text, sizeof text);
  ::close(fd);
  if (size <= 0) return false;
  const std::string_view line(text, static_cast<std::size_t>(size));
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string_view::npos || name_end + 2 >= line.size()) return false;
  const char state = line[name_end + 2];
  return state != 'Z' && state != 'X' && state != 'x';
#else
  return ::kill(pid, 0) == 0;
#endif
}

void wake(HalfWord& word) {
#ifdef __linux__
  ::syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
#else
  static_cast<void>(word);
#endif
}

int make_shared_file() {
  int fd = -1;
#if defined(__linux__) || defined(__FreeBSD__)
  fd = ::memfd_create("kit-recorder", MFD_CLOEXEC | MFD_ALLOW_SEALING);
#endif
  if (fd < 0) {
    const char* folder = std::getenv("TMPDIR");
    std::string name = std::string(folder && *folder ? folder : "/tmp") + "/kit-recorder-XXXXXX";
    fd = ::mkstemp(name.data());
    if (fd < 0) fail_with("cannot make the recorder's file");
    ::unlink(name.c_str());
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  if (::ftruncate(fd, sizeof(Block)) < 0) {
    const int error = errno;
    ::close(fd);
    errno = error;
    fail_with("cannot size the recorder's file");
  }
  return fd;
}

}  // namespace

// ---------------------------------------------------------------------------------------------

struct FaultHandle::Memory {
  int fd = -1;
  bool sealed = false;
  Block* block = nullptr;
  std::vector<Fault> faults;  // our own list: the program cannot change it
  std::set<std::size_t> withdrawn;
  CallSet armed = 0;

  Memory() : fd(make_shared_file()) {
#ifdef F_ADD_SEALS
    // A program that cut the file short would kill us with SIGBUS.
    sealed = ::fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0;
#endif
    void* at = ::mmap(nullptr, sizeof(Block), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) {
      const int error = errno;
      ::close(fd);
      errno = error;
      fail_with("cannot map the recorder's file");
    }
    block = static_cast<Block*>(at);
    block->size.store(sizeof(Block));
    block->version.store(recorder::version);
    block->magic.store(recorder::magic);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() {
    ::munmap(block, sizeof(Block));
    ::close(fd);
  }

  // Only where the file could not be sealed can the block be missing.
  bool intact() const {
    struct stat now {};
    return sealed || (::fstat(fd, &now) == 0 && now.st_size >= static_cast<off_t>(sizeof(Block)));
  }

  void let_go(std::size_t rule) {
    block->rules[rule].released.store(1);
    wake(block->rules[rule].released);
  }

  void withdraw(std::size_t rule) {
    withdrawn.insert(rule);
    if (!intact()) return;
    block->rules[rule].state.store(number(RuleState::withdrawn));
    let_go(rule);
  }
};

std::uint64_t FaultHandle::delivered() const {
  return memory_->intact() ? memory_->block->rules[rule_].delivered.load() : 0;
}

std::uint64_t FaultHandle::seen() const {
  return memory_->intact() ? memory_->block->rules[rule_].seen.load() : 0;
}

std::uint32_t FaultHandle::holding() const {
  return memory_->intact() ? memory_->block->rules[rule_].waiting.load() : 0;
}

void FaultHandle::release() {
  if (memory_->intact()) memory_->let_go(rule_);
}

void FaultHandle::withdraw() {
  memory_->withdraw(rule_);
}

// ---------------------------------------------------------------------------------------------

RecorderLog::RecorderLog() : memory_(std::make_shared<FaultHandle::Memory>()) {}

bool RecorderLog::available() noexcept {
#if defined(__linux__) && !defined(KIT_NO_RECORDER)
  return !is_left_out("recorder");
#else
  return false;
#endif
}

int RecorderLog::fd() const noexcept {
  return memory_->fd;
}

bool RecorderLog::attached() const {
  return memory_->intact() && memory_->block->attached.load() != 0;
}

FaultHandle RecorderLog::add(const Fault& fault) {
  const std::size_t index = memory_->faults.size();
  if (index >= rule_count) throw std::length_error("no more than 32 faults a program");
  memory_->faults.push_back(fault);
  memory_->armed |= fault.calls_.bits();
  FaultHandle handle(memory_, index);
  if (!memory_->intact()) return handle;

  Rule& rule = memory_->block->rules[index];
  rule.action.store(number(fault.action_));
  rule.calls.store(fault.calls_.bits());
  rule.sockets.store(fault.sockets_);
  rule.error.store(static_cast<std::uint32_t>(fault.error_));
  rule.first.store(fault.first_);
  rule.every.store(fault.every_);
  rule.times.store(fault.times_.value_or(1));
  rule.in_a_row.store(fault.in_a_row_);
  rule.peer_port.store(fault.peer_port_);
  rule.descriptor.store(static_cast<std::uint32_t>(fault.descriptor_ + 1));
  rule.sticky.store(fault.sticky_);
  rule.pattern.store(fault.pattern_);
  rule.amount.store(fault.amount_);
  rule.hold_ms.store(static_cast<std::uint32_t>(
      std::clamp<std::chrono::milliseconds::rep>(fault.longest_hold_.count(), 0, INT_MAX)));
  rule.state.store(number(RuleState::active), std::memory_order_release);
  memory_->block->rules_end.store(static_cast<std::uint32_t>(index + 1));
  memory_->block->armed.store(memory_->armed);
  return handle;
}

void RecorderLog::release_all() {
  if (!memory_->intact()) return;
  for (std::size_t rule = 0; rule < memory_->faults.size(); ++rule) memory_->let_go(rule);
}

void RecorderLog::withdraw_all() {
  for (std::size_t rule = 0; rule < memory_->faults.size(); ++rule) memory_->withdraw(rule);
}

namespace {
std::optional<CallRecord> first_of(const Noticed& noticed) {
  if (noticed.count.load() == 0) return std::nullopt;
  auto record = read_record(noticed.first);
  if (!record) return CallRecord{};  // it is being written, or is nonsense: noticed all the same
  record->returned = true;
  record->callers.clear();
  for (const Word& caller : noticed.callers) {
    const std::uint64_t address = caller.load(std::memory_order_relaxed);
    if (address == 0) break;
    record->callers.push_back(address);
  }
  return record;
}

// Of a set of calls the name that stands first: "recv" for all that receive.
std::string_view first_name(Calls calls) {
  for (std::size_t call = 0; call < call_kinds; ++call)
    if (calls.contains(static_cast<Call>(call))) return call_names[call];
  return "";
}
}  // namespace

std::optional<CallRecord> RecorderLog::closed_used() const {
  return memory_->intact() ? first_of(memory_->block->closed) : std::nullopt;
}

std::optional<CallRecord> RecorderLog::turning() const {
  return memory_->intact() ? first_of(memory_->block->turning) : std::nullopt;
}

std::optional<CallRecord> RecorderLog::dozing() const {
  return memory_->intact() ? first_of(memory_->block->dozing) : std::nullopt;
}

std::optional<CallRecord> RecorderLog::napping() const {
  return memory_->intact() ? first_of(memory_->block->napping) : std::nullopt;
}

std::uint64_t RecorderLog::turns_most() const {
  return memory_->intact() ? memory_->block->turns_most.load() : 0;
}

std::size_t RecorderLog::heap() const {
  return memory_->intact() ? static_cast<std::size_t>(memory_->block->heap.load()) : 0;
}

std::size_t RecorderLog::heap_at_rest() const {
  return memory_->intact() ? static_cast<std::size_t>(memory_->block->heap_at_rest.load()) : 0;
}

std::vector<RecorderLog::Delivered> RecorderLog::delivered() const {
  std::vector<Delivered> all;
  if (!memory_->intact()) return all;
  for (std::size_t rule = 0; rule < memory_->faults.size(); ++rule) {
    const Fault& fault = memory_->faults[rule];
    std::string text(first_name(fault.calls_));
    switch (fault.action_) {
      case Action::fail:
        text += ' ' + error_name(fault.error_);
        break;
      case Action::shorten:
        text += " short";
        break;
      case Action::hold:
        text += " held";
        break;
      case Action::endless:
        text += " endless";
        break;
      case Action::vanish:
        text += " vanished";
        break;
      case Action::none:
        break;
    }
    all.push_back({std::move(text), memory_->block->rules[rule].delivered.load()});
  }
  return all;
}

namespace {
std::uint64_t sum(const Word (&counters)[64], Calls calls) {
  std::uint64_t total = 0;
  for (std::size_t call = 0; call < call_kinds; ++call)
    if (calls.contains(static_cast<Call>(call))) total += counters[call].load();
  return total;
}
}  // namespace

std::uint64_t RecorderLog::count(Calls calls) const {
  return memory_->intact() ? sum(memory_->block->entered, calls) : 0;
}

std::uint64_t RecorderLog::failed(Calls calls) const {
  return memory_->intact() ? sum(memory_->block->failed, calls) : 0;
}

std::uint64_t RecorderLog::sent() const {
  return memory_->intact() ? memory_->block->sent.load() : 0;
}

std::uint64_t RecorderLog::received() const {
  return memory_->intact() ? memory_->block->received.load() : 0;
}

bool RecorderLog::has_receive_faults() const {
  return (memory_->armed & Calls::any_recv.bits()) != 0;
}

bool RecorderLog::faults_are_ours() const {
  if (!memory_->intact()) return false;
  for (std::size_t i = 0; i < memory_->faults.size(); ++i) {
    const Fault& fault = memory_->faults[i];
    const Rule& rule = memory_->block->rules[i];
    const bool withdrawn = memory_->withdrawn.contains(i);
    const bool same =
        rule.state.load() == number(withdrawn ? RuleState::withdrawn : RuleState::active) &&
        rule.action.load() == number(fault.action_) && rule.calls.load() == fault.calls_.bits() &&
        rule.sockets.load() == fault.sockets_ && rule.first.load() == fault.first_ &&
        rule.every.load() == fault.every_ && rule.times.load() == fault.times_.value_or(1) &&
        rule.error.load() == static_cast<std::uint32_t>(fault.error_) &&
        rule.in_a_row.load() == fault.in_a_row_ && rule.peer_port.load() == fault.peer_port_ &&
        rule.descriptor.load() == static_cast<std::uint32_t>(fault.descriptor_ + 1) &&
        rule.sticky.load() == fault.sticky_ && rule.amount.load() == fault.amount_ &&
        (fault.sticky_ || rule.sticky_descriptor.load() == 0);
    if (!same) return false;
  }
  return memory_->block->rules_end.load() == memory_->faults.size() &&
         memory_->block->armed.load() == memory_->armed;
}

std::vector<CallRecord> RecorderLog::records(std::size_t last) const {
  std::vector<CallRecord> found;
  if (!memory_->intact()) return found;
  for (const SharedRecord& shared : memory_->block->ring)
    if (auto record = read_record(shared); record && record->returned)
      found.push_back(std::move(*record));
  std::sort(found.begin(), found.end(), by_sequence);
  if (found.size() > last) found.erase(found.begin(), found.end() - static_cast<long>(last));
  return found;
}

void RecorderLog::keep_times() {
  if (memory_->intact()) memory_->block->timed.store(1);
}

std::vector<CallRecord> RecorderLog::since(std::uint64_t& seen, std::uint64_t& lost) const {
  std::vector<CallRecord> found;
  if (!memory_->intact()) return found;
  const std::uint64_t end = memory_->block->next.load(std::memory_order_acquire);
  if (end < seen) return found;  // it is not ours to say what the program has made of it
  if (end - seen > ring_size) {
    lost += end - seen - ring_size;
    seen = end - ring_size;
  }
  for (; seen < end; ++seen) {
    auto record = read_record(memory_->block->ring[seen % ring_size]);
    // One that is being written: the next time.
    if (!record || record->sequence <= seen) break;
    if (record->sequence == seen + 1 && record->returned) found.push_back(std::move(*record));
  }
  return found;
}

std::vector<CallRecord> RecorderLog::under_way() const {
  std::vector<CallRecord> found;
  if (!memory_->intact()) return found;
  for (const OpenCall& slot : memory_->block->open) {
    if (slot.owner.load(std::memory_order_acquire) == 0) continue;
    auto record = read_record(slot.record);
    if (!record) continue;
    record->returned = false;
    record->alive = is_alive(record->pid, record->tid);
    found.push_back(std::move(*record));
  }
  std::sort(found.begin(), found.end(), by_sequence);
  return found;
}

std::vector<CallRecord> RecorderLog::pending() const {
  std::vector<CallRecord> found = under_way();
  std::erase_if(found, [](const CallRecord& record) { return !record.alive; });
  return found;
}

bool RecorderLog::pending(Calls calls) const {
  const std::vector<CallRecord> found = pending();
  return std::any_of(found.begin(), found.end(),
                     [&](const CallRecord& record) { return record.is(calls); });
}

std::optional<CallRecord> RecorderLog::last_wait() const {
  for (auto calls : {pending(), records(ring_size)}) {
    const auto newest = std::find_if(calls.rbegin(), calls.rend(), [](const CallRecord& record) {
      return record.is(Calls::any_wait);
    });
    if (newest != calls.rend()) return *newest;
  }
  return std::nullopt;
}

std::vector<CallRecord> RecorderLog::first_records() const {
  std::vector<CallRecord> found;
  if (!memory_->intact()) return found;
  for (const SharedRecord& shared : memory_->block->first)
    if (auto record = read_record(shared); record && record->returned)
      found.push_back(std::move(*record));
  std::sort(found.begin(), found.end(), by_sequence);
  return found;
}

}  // namespace kit
