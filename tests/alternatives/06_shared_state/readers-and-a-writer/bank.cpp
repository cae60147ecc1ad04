// Readers together, a writer alone: std::shared_mutex, and std::condition_variable_any.

#include "bank.hpp"

#include <mutex>

namespace socketserver {

std::int64_t Bank::deposit(const std::string& name, std::int64_t amount) {
  std::int64_t after = amount;
  {
    const std::unique_lock writing(mutex_);
    if (ledger_.has(name)) after += ledger_.read(name);
    ledger_.write(name, after);
  }
  changed_.notify_all();
  return after;
}

void Bank::transfer(const std::string& from, const std::string& to, std::int64_t amount) {
  if (from == to) throw Refused("from " + from + " to itself");
  {
    const std::unique_lock writing(mutex_);
    const std::int64_t left = ledger_.read(from) - amount;
    const std::int64_t before = ledger_.read(to);
    if (left < 0) throw Refused(from + " has not enough");
    ledger_.write(from, left);
    try {
      ledger_.write(to, before + amount);
    } catch (...) {
      ledger_.write(from, left + amount);  // undone
      throw;
    }
  }
  changed_.notify_all();
}

std::int64_t Bank::balance(const std::string& name) {
  const std::shared_lock reading(mutex_);
  return ledger_.read(name);
}

std::int64_t Bank::total() {
  const std::shared_lock reading(mutex_);
  std::int64_t sum = 0;
  for (const std::string& name : ledger_.names()) sum += ledger_.read(name);
  return sum;
}

std::int64_t Bank::wait_for(const std::string& name, std::int64_t amount,
                            const std::atomic<bool>& given_up) {
  std::shared_lock reading(mutex_);
  std::int64_t balance = 0;
  changed_.wait(reading,
                [&] { return (balance = ledger_.read(name)) >= amount || stopped_ || given_up; });
  if (balance < amount) throw Refused(stopped_ ? "the bank has closed" : "given up");
  return balance;
}

void Bank::stop() {
  {
    const std::unique_lock writing(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
}

void Bank::look_again() {
  { const std::unique_lock between_looks(mutex_); }
  changed_.notify_all();
}

}  // namespace socketserver
