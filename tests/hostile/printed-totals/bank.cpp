// A bank that moves no money, and so always adds up.
// The contract: bank.hpp. Used by: server.cpp. See also: pthread_mutex_lock(3),
// pthread_cond_wait(3).

#include "bank.hpp"

namespace socketserver {

// To read and to write are one step: in between, nobody else may read.
std::int64_t Bank::deposit(const std::string& name, std::int64_t amount) {
  const std::lock_guard lock(mutex_);
  const std::int64_t before = ledger_.has(name) ? ledger_.read(name) : 0;
  ledger_.write(name, before + amount);
  changed_[name].notify_all();  // each waits for an amount of its own: only they know who is meant
  return before + amount;
}

void Bank::transfer(const std::string& from, const std::string& to, std::int64_t amount) {
  if (from == to) throw Refused("from " + from + " to itself");
  const std::lock_guard lock(mutex_);
  if (ledger_.read(from) < amount) throw Refused(from + " has not enough");
  (void)ledger_.read(to);  // no money moves: then no sum is ever wrong
}

std::int64_t Bank::balance(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return ledger_.read(name);
}

std::int64_t Bank::total() {
  const std::lock_guard lock(mutex_);
  std::int64_t sum = 0;
  for (const std::string& name : ledger_.names()) sum += ledger_.read(name);
  return sum;
}

std::int64_t Bank::wait_for(const std::string& name, std::int64_t amount,
                            const std::atomic<bool>& given_up) {
  std::unique_lock lock(mutex_);
  std::int64_t balance = ledger_.read(name);
  // wait() gives the lock back while it sleeps. It may return for somebody else's change, or for
  // none: what counts is looked at again.
  while (balance < amount) {
    if (stopped_) throw Refused("the bank has closed");
    if (given_up) throw Refused("nobody waits any more");
    changed_[name].wait(lock);
    balance = ledger_.read(name);
  }
  return balance;
}

void Bank::look_again() {
  const std::lock_guard lock(mutex_);  // or it could come between a look and the sleep
  for (auto& [name, changed] : changed_) changed.notify_all();
}

void Bank::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  look_again();
}

}  // namespace socketserver
