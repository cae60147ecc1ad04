// A mutex for each account; a transfer takes two, always in the order of their names.

#include "bank.hpp"

#include <vector>

namespace socketserver {

Bank::Account& Bank::account(const std::string& name) {
  const auto found = accounts_.find(name);
  if (found == accounts_.end()) throw Refused("no account " + name);
  return found->second;
}

std::int64_t Bank::deposit(const std::string& name, std::int64_t amount) {
  {
    const std::unique_lock all(accounts_mutex_);
    if (accounts_.count(name) == 0) {
      ledger_.write(name, amount);
      accounts_[name];
      return amount;
    }
  }
  const std::shared_lock all(accounts_mutex_);
  Account& used = account(name);
  const std::lock_guard lock(used.mutex);
  const std::int64_t after = ledger_.read(name) + amount;
  ledger_.write(name, after);
  used.changed.notify_all();
  return after;
}

void Bank::transfer(const std::string& from, const std::string& to, std::int64_t amount) {
  if (from == to) throw Refused("from " + from + " to itself");
  const std::shared_lock all(accounts_mutex_);
  Account& giver = account(from);
  Account& taker = account(to);
  const std::lock_guard first(from < to ? giver.mutex : taker.mutex);
  const std::lock_guard second(from < to ? taker.mutex : giver.mutex);
  const std::int64_t left = ledger_.read(from) - amount;
  if (left < 0) throw Refused(from + " has not enough");
  ledger_.write(to, ledger_.read(to) + amount);
  ledger_.write(from, left);
  taker.changed.notify_all();
}

std::int64_t Bank::balance(const std::string& name) {
  const std::shared_lock all(accounts_mutex_);
  const std::lock_guard lock(account(name).mutex);
  return ledger_.read(name);
}

// Alone with the whole bank: whoever uses an account holds accounts_mutex_ too.
std::int64_t Bank::total() {
  const std::unique_lock all(accounts_mutex_);
  std::int64_t sum = 0;
  for (const auto& [name, used] : accounts_) sum += ledger_.read(name);
  return sum;
}

std::int64_t Bank::wait_for(const std::string& name, std::int64_t amount,
                            const std::atomic<bool>& given_up) {
  std::shared_lock all(accounts_mutex_);
  Account& used = account(name);
  for (;;) {
    std::unique_lock lock(used.mutex);
    const std::int64_t balance = ledger_.read(name);
    if (balance >= amount) return balance;
    if (stopped_) throw Refused("the bank has closed");
    if (given_up) throw Refused("given up");
    all.unlock();
    used.changed.wait(lock);
    lock.unlock();  // the other one comes first, always
    all.lock();
  }
}

void Bank::stop() {
  {
    const std::unique_lock all(accounts_mutex_);
    stopped_ = true;
  }
  look_again();
}

void Bank::look_again() {
  const std::shared_lock all(accounts_mutex_);
  for (auto& [name, used] : accounts_) {
    const std::lock_guard lock(used.mutex);
    used.changed.notify_all();
  }
}

}  // namespace socketserver
