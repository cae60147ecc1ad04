# Wrong answers to lesson 06. Each is one plausible mistake in the solution, and must be caught at
# its step, with its words, every time: the ledger is slow, so what can come in between does. The
# form of a mutant: tests/cmake/mutants.cmake.

# ---- one client -----------------------------------------------------------------------------------

kit_mutant(
  NAME overdraft-allowed
  SENTENCE "A transfer takes more than there is."
  FILE bank.cpp
  REPLACE [[  if (left < 0) throw Refused(from + " has not enough");
]]
  WITH [[
]]
  STEP 06.1
  WORDS "a transfer of more than there is")

kit_mutant(
  NAME transfer-to-itself-makes-money
  SENTENCE "A transfer from an account to itself adds the amount."
  FILE bank.cpp
  REPLACE [[  if (from == to) throw Refused("from " + from + " to itself");
]]
  WITH [[
]]
  STEP 06.1
  WORDS "or to itself")

kit_mutant(
  NAME transfer-makes-an-account
  SENTENCE "A transfer to an unknown account makes it."
  FILE bank.cpp
  REPLACE [[  const std::int64_t more = ledger_.read(to) + amount;]]
  WITH [[  const std::int64_t more = (ledger_.has(to) ? ledger_.read(to) : 0) + amount;]]
  STEP 06.1
  WORDS "unknown account")

# ---- lost updates ---------------------------------------------------------------------------------

kit_mutant(
  NAME no-lock
  SENTENCE "deposit() takes no lock."
  FILE bank.cpp
  REPLACE [[std::int64_t Bank::deposit(const std::string& name, std::int64_t amount) {
  const std::lock_guard lock(mutex_);]]
  WITH [[std::int64_t Bank::deposit(const std::string& name, std::int64_t amount) {]]
  STEP 06.2
  WORDS "A lost update")

kit_mutant(
  NAME temporary-lock-guard
  SENTENCE "The lock_guard has no name: it is given back at the end of its own line."
  FILE bank.cpp
  REPLACE [[std::int64_t Bank::deposit(const std::string& name, std::int64_t amount) {
  const std::lock_guard lock(mutex_);]]
  WITH [[std::int64_t Bank::deposit(const std::string& name, std::int64_t amount) {
  (void)std::lock_guard<std::mutex>(mutex_);]]
  STEP 06.2
  WORDS "until the end of the function")

kit_mutant(
  NAME a-mutex-in-each-thread
  SENTENCE "Every thread has a mutex of its own, and locks nobody out."
  FILE bank.cpp
  REPLACE [[std::int64_t Bank::deposit(const std::string& name, std::int64_t amount) {
  const std::lock_guard lock(mutex_);]]
  WITH [[std::int64_t Bank::deposit(const std::string& name, std::int64_t amount) {
  std::mutex mutex;
  const std::lock_guard lock(mutex);]]
  STEP 06.2
  WORDS "the same lock in every thread")

kit_mutant(
  NAME lock-for-the-read-and-lock-for-the-write
  SENTENCE "deposit() locks to read and locks to write, and lets the others in between the two."
  FILE bank.cpp
  REPLACE [[  const std::lock_guard lock(mutex_);
  const std::int64_t before = ledger_.has(name) ? ledger_.read(name) : 0;
  ledger_.write(name, before + amount);]]
  WITH [[  std::unique_lock lock(mutex_);
  const std::int64_t before = ledger_.has(name) ? ledger_.read(name) : 0;
  lock.unlock();
  std::this_thread::yield();
  lock.lock();
  ledger_.write(name, before + amount);]]
  REPLACE [[#include "bank.hpp"
]]
  WITH [[#include "bank.hpp"

#include <thread>
]]
  STEP 06.2
  WORDS "must be one step")

kit_mutant(
  NAME old-balance-outlives-the-lock
  SENTENCE "The balance is read under the lock, and used after it was given back."
  FILE bank.cpp
  REPLACE [[  const std::lock_guard lock(mutex_);
  const std::int64_t before = ledger_.has(name) ? ledger_.read(name) : 0;
  ledger_.write(name, before + amount);]]
  WITH [[  const std::int64_t before = [&] {
    const std::lock_guard reading(mutex_);
    return ledger_.has(name) ? ledger_.read(name) : 0;
  }();
  const std::lock_guard lock(mutex_);
  ledger_.write(name, before + amount);]]
  STEP 06.2
  WORDS "A lost update")

# ---- the invariant --------------------------------------------------------------------------------

kit_mutant(
  NAME total-without-the-lock
  SENTENCE "total() only reads, and takes no lock."
  FILE bank.cpp
  REPLACE [[std::int64_t Bank::total() {
  const std::lock_guard lock(mutex_);]]
  WITH [[std::int64_t Bank::total() {]]
  STEP 06.3
  WORDS "TOTAL saw a transfer half done")

kit_mutant(
  NAME lock-for-each-read-of-total
  SENTENCE "total() locks for each account, and transfers happen between two of them."
  FILE bank.cpp
  REPLACE [[  const std::lock_guard lock(mutex_);
  std::int64_t sum = 0;
  for (const std::string& name : ledger_.names()) sum += ledger_.read(name);
  return sum;]]
  WITH [[  std::unique_lock lock(mutex_);
  const auto names = ledger_.names();
  std::int64_t sum = 0;
  for (const std::string& name : names) {
    sum += ledger_.read(name);
    lock.unlock();
    std::this_thread::sleep_for(std::chrono::microseconds(1));
    lock.lock();
  }
  return sum;]]
  REPLACE [[#include "bank.hpp"
]]
  WITH [[#include "bank.hpp"

#include <thread>
]]
  STEP 06.3
  WORDS "TOTAL saw a transfer half done")

kit_mutant(
  NAME lock-per-call-in-transfer
  SENTENCE "transfer() locks for each write: in between, the money is nowhere."
  FILE bank.cpp
  REPLACE [[  const std::lock_guard lock(mutex_);
  const std::int64_t left = ledger_.read(from) - amount;]]
  WITH [[  std::unique_lock lock(mutex_);
  const std::int64_t left = ledger_.read(from) - amount;]]
  REPLACE [[  ledger_.write(to, more);  // first what may fail: when it throws, nothing has changed
]]
  WITH [[  ledger_.write(to, more);  // first what may fail: when it throws, nothing has changed
  lock.unlock();
  std::this_thread::sleep_for(std::chrono::microseconds(1));
  lock.lock();
]]
  REPLACE [[#include "bank.hpp"
]]
  WITH [[#include "bank.hpp"

#include <thread>
]]
  STEP 06.3
  WORDS "what belongs together is the transfer")

kit_mutant(
  NAME overdraft-checked-outside-the-lock
  SENTENCE "What there is in the accounts is read before the lock is taken: it is old by then."
  FILE bank.cpp
  REPLACE [[  const std::lock_guard lock(mutex_);
  const std::int64_t left = ledger_.read(from) - amount;
  const std::int64_t more = ledger_.read(to) + amount;
  if (left < 0) throw Refused(from + " has not enough");]]
  WITH [[  const std::int64_t left = ledger_.read(from) - amount;
  const std::int64_t more = ledger_.read(to) + amount;
  if (left < 0) throw Refused(from + " has not enough");
  const std::lock_guard lock(mutex_);]]
  STEP 06.3
  WORDS "Money was lost or made"
  NOT_WORDS "half done")

# ---- deadlock -------------------------------------------------------------------------------------

kit_mutant(
  NAME two-locks-in-two-orders
  SENTENCE "Each transfer locks its sender and then its receiver: two of them can wait for each other."
  FILE bank.cpp
  REPLACE [[  if (from == to) throw Refused("from " + from + " to itself");
  const std::lock_guard lock(mutex_);]]
  WITH [[  if (from == to) throw Refused("from " + from + " to itself");
  static std::map<std::string, std::mutex> locks;
  const auto lock_of = [&](const std::string& name) -> std::mutex& {
    const std::lock_guard finding(mutex_);
    (void)ledger_.read(name);
    return locks[name];
  };
  const std::lock_guard first(lock_of(from));
  const std::lock_guard second(lock_of(to));
  const std::lock_guard lock(mutex_);]]
  REPLACE [[#include "bank.hpp"
]]
  WITH [[#include "bank.hpp"

#include <map>
]]
  STEP 06.4
  WORDS "A deadlock")

kit_mutant(
  NAME locks-itself-out
  SENTENCE "transfer() asks balance() for the sender's balance while it holds the lock that balance() takes."
  FILE bank.cpp
  REPLACE [[  const std::int64_t left = ledger_.read(from) - amount;]]
  WITH [[  const std::int64_t left = balance(from) - amount;]]
  STEP 06.4
  WORDS "A deadlock")

# ---- exceptions -----------------------------------------------------------------------------------

kit_mutant(
  NAME manual-unlock-skipped-by-an-exception
  SENTENCE "The lock is taken and given back by hand: an exception in between skips the second."
  FILE bank.cpp
  REPLACE [[  const std::lock_guard lock(mutex_);
  const std::int64_t before = ledger_.has(name) ? ledger_.read(name) : 0;
  ledger_.write(name, before + amount);
  changed_[name].notify_all();  // each waits for an amount of its own: only they know who is meant]]
  WITH [[  mutex_.lock();
  const std::int64_t before = ledger_.has(name) ? ledger_.read(name) : 0;
  ledger_.write(name, before + amount);
  changed_[name].notify_all();  // each waits for an amount of its own: only they know who is meant
  mutex_.unlock();]]
  STEP 06.5
  WORDS "has not given it back")

kit_mutant(
  NAME half-way-failure-not-undone
  SENTENCE "The sender is charged first, and when the receiver's write throws the money is gone."
  FILE bank.cpp
  REPLACE [[  ledger_.write(to, more);  // first what may fail: when it throws, nothing has changed
  ledger_.write(from, left);]]
  WITH [[  ledger_.write(from, left);
  ledger_.write(to, more);]]
  STEP 06.5
  WORDS "before ledger_.write() of the other one threw")

# ---- the client -----------------------------------------------------------------------------------

kit_mutant(
  NAME client-counts-only-its-own
  SENTENCE "The client compares TOTAL with what it has deposited itself: an honest bank is accused."
  FILE client.cpp
  REPLACE [[  const long before = number_in(office.ask("TOTAL"));]]
  WITH [[  const long before = 2000;]]
  STEP 06.6
  WORDS "The bank is honest")

kit_mutant(
  NAME client-does-not-ask-again
  SENTENCE "The client takes it for granted that the sum has not changed."
  FILE client.cpp
  REPLACE [[  const long after = number_in(office.ask("TOTAL"));]]
  WITH [[  const long after = before;]]
  STEP 06.6
  WORDS "ask the bank for TOTAL again")

kit_mutant(
  NAME client-prints-and-forgives
  SENTENCE "The client prints both sums, and does not compare them."
  FILE client.cpp
  REPLACE [[  if (after != before) {]]
  WITH [[  if (before == 0) {]]
  STEP 06.6
  WORDS "compare, and exit with status 1")

kit_mutant(
  NAME client-names-no-sum
  SENTENCE "The client finds that money is lost, and does not say how much there is."
  FILE client.cpp
  REPLACE [[    throw std::runtime_error("TOTAL was " + std::to_string(before) +
                             " before the transfers and is " + std::to_string(after) +
                             " after them");]]
  WITH [[    throw std::runtime_error("the bank has lost money");]]
  STEP 06.6
  WORDS "a sentence that names the new TOTAL"
  NOT_WORDS "as if all were well")

kit_mutant(
  NAME client-one-after-the-other
  SENTENCE "Each thread is waited for before the next one starts."
  FILE client.cpp
  REPLACE [[        std::async(std::launch::async, move_money, std::cref(bank), client, transfers));]]
  WITH [[        std::async(std::launch::async, move_money, std::cref(bank), client, transfers));
    movers.back().wait();]]
  STEP 06.6
  WORDS "a thread and a connection for each")

kit_mutant(
  NAME client-drops-what-its-threads-threw
  SENTENCE "What goes wrong in a thread is caught there, and nobody hears of it."
  FILE client.cpp
  REPLACE [[mover.get();  // throws]]
  WITH [[mover.wait();  // throws]]
  STEP 06.6
  WORDS "on whichever thread it is noticed")

# ---- what a lock is held for ----------------------------------------------------------------------

kit_mutant(
  NAME one-lock-around-the-whole-handler
  SENTENCE "A lock is held from the request to the end of sending its answer."
  FILE server.cpp
  REPLACE [[      wfile().write(answer(words_of(line)) + "\n");]]
  WITH [[      static std::mutex all;
      const std::lock_guard lock(all);
      wfile().write(answer(words_of(line)) + "\n");]]
  REPLACE [[#include <charconv>
]]
  WITH [[#include <charconv>
#include <mutex>
]]
  STEP 06.7
  WORDS "A lock is held while its thread waits in")

# ---- waiting --------------------------------------------------------------------------------------

kit_mutant(
  NAME wait-without-predicate
  SENTENCE "Whatever wakes it, wait_for() takes for what it waits for."
  FILE bank.cpp
  REPLACE [[  while (balance < amount) {]]
  WITH [[  if (balance < amount) {]]
  STEP 06.8
  WORDS "look again, in a loop")

kit_mutant(
  NAME deposit-wakes-nobody
  SENTENCE "A deposit makes it true and wakes nobody."
  FILE bank.cpp
  REPLACE [[  changed_[name].notify_all();  // each waits for an amount of its own: only they know who is meant
]]
  WITH [[
]]
  STEP 06.8
  WORDS "The deposit that makes it true must wake")

kit_mutant(
  NAME transfer-wakes-nobody
  SENTENCE "A transfer makes it true and wakes nobody."
  FILE bank.cpp
  REPLACE [[  ledger_.write(from, left);
  changed_[to].notify_all();]]
  WITH [[  ledger_.write(from, left);]]
  STEP 06.8
  WORDS "it must wake them too")

kit_mutant(
  NAME notify-one
  SENTENCE "One of those who wait is woken, perhaps one who still has to wait."
  FILE bank.cpp
  REPLACE [[  changed_[name].notify_all();  // each waits for an amount of its own: only they know who is meant]]
  WITH [[  changed_[name].notify_one();]]
  STEP 06.8
  WORDS "notify_one() wakes one of them")

kit_mutant(
  NAME notify-before-the-change
  SENTENCE "Those who wait are woken before the new balance is written, look at the old one, and sleep on."
  FILE bank.cpp
  REPLACE [[  const std::lock_guard lock(mutex_);
  const std::int64_t before = ledger_.has(name) ? ledger_.read(name) : 0;
  ledger_.write(name, before + amount);
  changed_[name].notify_all();  // each waits for an amount of its own: only they know who is meant]]
  WITH [[  std::unique_lock lock(mutex_);
  const std::int64_t before = ledger_.has(name) ? ledger_.read(name) : 0;
  changed_[name].notify_all();
  lock.unlock();
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  lock.lock();
  ledger_.write(name, before + amount);]]
  REPLACE [[#include "bank.hpp"
]]
  WITH [[#include "bank.hpp"

#include <thread>
]]
  STEP 06.8
  WORDS "The deposit that makes it true must wake")

kit_mutant(
  NAME sleeps-with-the-lock
  SENTENCE "wait_for() sleeps and holds the lock: nobody can make it true."
  FILE bank.cpp
  REPLACE [[    changed_[name].wait(lock);
    balance = ledger_.read(name);]]
  WITH [[    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    balance = ledger_.read(name);]]
  REPLACE [[#include "bank.hpp"
]]
  WITH [[#include "bank.hpp"

#include <thread>
]]
  STEP 06.8
  WORDS "sleeps and holds the lock"
  NOT_WORDS "too early")

kit_mutant(
  NAME wait-polls
  SENTENCE "wait_for() looks again every few milliseconds."
  FILE bank.cpp
  REPLACE [[    changed_[name].wait(lock);
    balance = ledger_.read(name);]]
  WITH [[    lock.unlock();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    lock.lock();
    balance = ledger_.read(name);]]
  REPLACE [[#include "bank.hpp"
]]
  WITH [[#include "bank.hpp"

#include <thread>
]]
  STEP 06.8
  WORDS "is to poll")

kit_mutant(
  NAME wait-wakes-every-second
  SENTENCE "wait_for() sleeps on the condition, and looks around every second all the same."
  FILE bank.cpp
  REPLACE [[    changed_[name].wait(lock);
    balance = ledger_.read(name);]]
  WITH [[    changed_[name].wait_for(lock, std::chrono::seconds(1));
    balance = ledger_.read(name);]]
  REPLACE [[#include "bank.hpp"
]]
  WITH [[#include "bank.hpp"

#include <chrono>
]]
  STEP 06.8
  WORDS "is to poll")

kit_mutant(
  NAME stop-wakes-nobody
  SENTENCE "stop() sets its flag, and those who wait sleep on."
  FILE bank.cpp
  REPLACE [[    stopped_ = true;
  }
  look_again();]]
  WITH [[    stopped_ = true;
  }]]
  STEP 06.8
  WORDS "wakes them all")

kit_mutant(
  NAME stop-not-looked-at
  SENTENCE "stop() wakes those who wait, and they go on waiting."
  FILE bank.cpp
  REPLACE [[    if (stopped_) throw Refused("the bank has closed");
]]
  WITH [[
]]
  STEP 06.8
  WORDS "wait_for() throws Refused")

kit_mutant(
  NAME given-up-not-looked-at
  SENTENCE "wait_for() sleeps on for a client that has left."
  FILE bank.cpp
  REPLACE [[    if (given_up) throw Refused("nobody waits any more");
]]
  WITH [[
]]
  STEP 06.8
  WORDS "A client that waited has left")

kit_mutant(
  NAME look-again-wakes-nobody
  SENTENCE "look_again() wakes nobody, so that nobody looks."
  FILE bank.cpp
  REPLACE [[  const std::lock_guard lock(mutex_);  // or it could come between a look and the sleep
  for (auto& [name, changed] : changed_) changed.notify_all();]]
  WITH [[  const std::lock_guard lock(mutex_);
  if (!stopped_) return;
  for (auto& [name, changed] : changed_) changed.notify_all();]]
  STEP 06.8
  WORDS "A client that waited has left")

kit_mutant(
  NAME half-a-line-is-obeyed
  SENTENCE "What stands before the end of file is obeyed, though its newline has not come: 50 of 5000."
  FILE server.cpp
  REPLACE [[      if (!line.ends_with('\n')) return wfile().write("ERR the line is cut off\n");
]]
  WITH [[
]]
  STEP 06.1
  WORDS "Half a line was obeyed")

# ---- what only ThreadSanitizer sees ----------------------------------------------------------------

kit_mutant(
  NAME balance-read-without-the-lock
  SENTENCE "balance() only reads one number, and takes no lock."
  FILE bank.cpp
  REPLACE [[std::int64_t Bank::balance(const std::string& name) {
  const std::lock_guard lock(mutex_);]]
  WITH [[std::int64_t Bank::balance(const std::string& name) {]]
  STEP 06.9
  WORDS "data race")

kit_mutant(
  NAME stop-flag-without-the-lock
  SENTENCE "stop() sets its flag without the lock."
  FILE bank.cpp
  REPLACE [[    const std::lock_guard lock(mutex_);
    stopped_ = true;]]
  WITH [[    stopped_ = true;]]
  STEP 06.9
  WORDS "data race")

kit_mutant(
  NAME locks-in-two-orders-that-never-meet
  SENTENCE "Two locks are taken in two orders, under a third one that keeps it from a deadlock today."
  FILE bank.cpp
  REPLACE [[  if (left < 0) throw Refused(from + " has not enough");]]
  WITH [[  if (left < 0) throw Refused(from + " has not enough");
  static std::mutex odd, even;
  std::mutex* const first = from < to ? &odd : &even;
  std::mutex* const second = from < to ? &even : &odd;
  const std::lock_guard one(*first);
  const std::lock_guard two(*second);]]
  STEP 06.9
  WORDS "lock-order")

# ---- processes ------------------------------------------------------------------------------------

kit_mutant(
  NAME answers-wait-with-the-wait
  SENTENCE "What was answered before a WAIT is sent when that is over."
  FILE server.cpp
  REPLACE [[    wfile().flush();  // what is answered already does not wait with this one
]]
  WITH [[
]]
  STEP 06.8
  WORDS "sleeps with it")

kit_mutant(
  NAME wait-waits-alone
  SENTENCE "In a process of its own a client waits for what nobody can change."
  FILE server.cpp
  REPLACE [[    const std::int64_t balance = bank_.balance(name);]]
  WITH [[    const std::int64_t balance = bank_.wait_for(name, amount, std::atomic<bool>{false});]]
  STEP 06.10
  WORDS "would wait for ever")

kit_mutant(
  NAME forks-are-threads
  SENTENCE "The server makes threads, whatever --model says."
  FILE server.cpp
  REPLACE [[  if (options.text("--model") == "forks") return run<ForkingTCPServer>(options);
]]
  WITH [[
]]
  STEP 06.10
  WORDS "Processes do not share memory")

# ---- more of the ledger ---------------------------------------------------------------------------

kit_mutant(
  NAME account-looked-for-without-the-lock
  SENTENCE "Whether the account is there is asked before the lock is taken."
  FILE bank.cpp
  REPLACE [[  const std::lock_guard lock(mutex_);
  const std::int64_t before = ledger_.has(name) ? ledger_.read(name) : 0;]]
  WITH [[  const bool known = ledger_.has(name);
  const std::lock_guard lock(mutex_);
  const std::int64_t before = known ? ledger_.read(name) : 0;]]
  STEP 06.2
  WORDS "opened the same account at once")

kit_mutant(
  NAME total-in-an-int
  SENTENCE "The sum of all balances is an int."
  FILE bank.cpp
  REPLACE [[  std::int64_t sum = 0;]]
  WITH [[  int sum = 0;]]
  REPLACE [[sum += ledger_.read(name);]]
  WITH [[sum = static_cast<int>(sum + ledger_.read(name));]]
  STEP 06.1
  WORDS "does not fit into an int")

kit_mutant(
  NAME one-lock-of-two-accounts-taken-twice
  SENTENCE "Accounts share eight locks, and a transfer between two of one lock takes it twice."
  FILE bank.hpp
  REPLACE [[  std::mutex mutex_;
]]
  WITH [[  std::mutex mutex_;
  std::mutex shared_[8];
]]
  FILE bank.cpp
  REPLACE [[  const std::int64_t left = ledger_.read(from) - amount;]]
  WITH [[  const auto lock_of = [this](const std::string& name) -> std::mutex& {
    return shared_[std::hash<std::string>{}(name) % 8];
  };
  const std::lock_guard first(lock_of(from));
  const std::lock_guard second(lock_of(to));
  const std::int64_t left = ledger_.read(from) - amount;]]
  STEP 06.4
  WORDS "waits for a lock that it holds itself")

# ---- what nobody sees without a look at the right moment --------------------------------------------

kit_mutant(
  NAME balances-of-its-own
  SENTENCE "The bank keeps balances of its own under its lock, and never asks the slow ledger."
  FILE bank.hpp
  REPLACE [[#include <cstdint>]]
  WITH [[#include <cstdint>
#include <map>]]
  REPLACE [[  Ledger ledger_;]]
  WITH [[  struct Memory {
    std::map<std::string, std::int64_t> balances;
    bool has(const std::string& name) const { return balances.count(name) != 0; }
    std::int64_t read(const std::string& name) const {
      if (!has(name)) throw Refused("no account " + name);
      return balances.at(name);
    }
    void write(const std::string& name, std::int64_t balance) {
      if (balance > Ledger::most) throw Refused("too much");
      balances[name] = balance;
    }
    std::vector<std::string> names() const {
      std::vector<std::string> all;
      for (const auto& [name, balance] : balances) all.push_back(name);
      return all;
    }
  };
  Memory ledger_;]]
  STEP 06.1
  WORDS "The bank answers out of a memory of its own")

kit_mutant(
  NAME undoes-after-the-lock
  SENTENCE "A transfer that fails gives the lock back before it undoes what it has done."
  FILE bank.cpp
  REPLACE [[  const std::lock_guard lock(mutex_);
  const std::int64_t left = ledger_.read(from) - amount;]]
  WITH [[  std::unique_lock lock(mutex_);
  const std::int64_t left = ledger_.read(from) - amount;]]
  REPLACE [[  ledger_.write(to, more);  // first what may fail: when it throws, nothing has changed
  ledger_.write(from, left);]]
  WITH [[  ledger_.write(from, left);
  try {
    ledger_.write(to, more);
  } catch (...) {
    lock.unlock();
    lock.lock();
    ledger_.write(from, left + amount);
    throw;
  }]]
  STEP 06.5
  WORDS "While a transfer is being refused, others see it half done")

kit_mutant(
  NAME client-moves-in-pairs
  SENTENCE "The client starts a client when the last but one has ended: two at a time."
  FILE client.cpp
  REPLACE [[    movers.push_back(]]
  WITH [[    if (movers.size() >= 2) movers[movers.size() - 2].wait();
    movers.push_back(]]
  STEP 06.6
  WORDS "The clients move money at once")

kit_mutant(
  NAME client-minds-a-refusal
  SENTENCE "The client takes a refused transfer for an error of the bank."
  FILE client.cpp
  REPLACE [[    if (answer != "OK" && !answer.starts_with("ERR ")) {]]
  WITH [[    if (answer != "OK") {]]
  STEP 06.6
  WORDS "The bank may refuse a transfer")

kit_mutant(
  NAME looks-before-it-takes-the-lock
  SENTENCE "wait_for() looks without the lock with which it goes to sleep: what comes in between is missed."
  FILE bank.cpp
  REPLACE [[  std::unique_lock lock(mutex_);
  std::int64_t balance = ledger_.read(name);]]
  WITH [[  std::int64_t balance = this->balance(name);
  if (balance >= amount) return balance;
  std::unique_lock lock(mutex_);]]
  STEP 06.8
  WORDS "A deposit came between the look at the balance and the sleep")

kit_mutant(
  NAME stop-is-forgotten
  SENTENCE "stop() ends those who wait, and not those who ask to wait later."
  FILE bank.hpp
  REPLACE [[  bool stopped_ = false;]]
  WITH [[  int stops_ = 0;]]
  FILE bank.cpp
  REPLACE [[  // wait() gives the lock back while it sleeps.]]
  WITH [[  const int opened = stops_;
  // wait() gives the lock back while it sleeps.]]
  REPLACE [[    if (stopped_) throw]]
  WITH [[    if (stops_ != opened) throw]]
  REPLACE [[  stopped_ = true;]]
  WITH [[  ++stops_;]]
  STEP 06.8
  WORDS "Who asks to wait after stop() waits for ever")

# ---- what is proven is said, and nothing else -------------------------------------------------------

kit_mutant(
  NAME total-takes-the-lock-again
  SENTENCE "total() holds the lock and asks balance(), which takes it again."
  FILE bank.cpp
  REPLACE [[sum += ledger_.read(name);]]
  WITH [[sum += balance(name);]]
  STEP 06.3
  WORDS "waits for a lock that it holds itself"
  NOT_WORDS "TOTAL saw a transfer half done")

kit_mutant(
  NAME transfer-without-the-lock
  SENTENCE "transfer() takes no lock: opposite transfers bury each other's writes."
  FILE bank.cpp
  REPLACE [[  const std::lock_guard lock(mutex_);
  const std::int64_t left]]
  WITH [[  const std::int64_t left]]
  STEP 06.4
  WORDS "its reads and its writes are one step"
  NOT_WORDS "A deadlock")

kit_mutant(
  NAME total-remembers-the-names
  SENTENCE "Which accounts there are is asked once, at the first TOTAL."
  FILE bank.cpp
  REPLACE [[  for (const std::string& name : ledger_.names()) sum]]
  WITH [[  static const auto names = ledger_.names();
  for (const std::string& name : names) sum]]
  STEP 06.1
  WORDS "opened since it was asked before"
  NOT_WORDS "fit into an int")

kit_mutant(
  NAME client-minds-a-loss-alone
  SENTENCE "The client looks whether TOTAL has become less: money from nowhere is welcome."
  FILE client.cpp
  REPLACE [[  if (after != before) {]]
  WITH [[  if (after < before) {]]
  STEP 06.6
  WORDS "come from nowhere")

kit_mutant(
  NAME client-prints-before-it-compares
  SENTENCE "The client prints both sums, and fails then."
  FILE client.cpp
  REPLACE [[  if (after != before) {
    throw]]
  WITH [[  std::printf("%ld clients: TOTAL was %ld and is %ld\n", clients, before, after);
  if (after != before) {
    throw]]
  STEP 06.6
  WORDS "first compare, then print")
