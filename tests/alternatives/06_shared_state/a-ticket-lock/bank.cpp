// Differs: a fair lock written by hand; each sleeper has a bell that rings when his amount is
// there.

// Bank: accounts that many threads use at once. One lock, in the order of asking.
// The contract: bank.hpp. Used by: server.cpp.

#include "bank.hpp"

#include <numeric>

namespace socketserver {

void Bank::Queue::lock() {
  std::unique_lock lock(mutex_);
  const std::uint64_t ticket = last_ticket_++;
  while (ticket != served_) moved_.wait(lock);
}

void Bank::Queue::unlock() {
  const std::lock_guard lock(mutex_);
  served_ += 1;
  moved_.notify_all();  // only the one whose number it is knows that he is meant
}

// Writes a balance, and calls those whom it is enough for. The queue is ours.
void Bank::put(const std::string& name, std::int64_t balance) {
  ledger_.write(name, balance);
  call([&](const Sleeper& sleeper) { return sleeper.name == name && balance >= sleeper.amount; });
}

template <class Whom>
void Bank::call(Whom whom) {
  for (Sleeper* const sleeper : sleepers_) {
    if (!whom(*sleeper)) continue;
    sleeper->called = true;
    sleeper->bell.notify_one();
  }
}

std::int64_t Bank::deposit(const std::string& name, std::int64_t amount) {
  const std::scoped_lock lock(queue_);
  if (!ledger_.has(name)) {
    put(name, amount);
    return amount;
  }
  const std::int64_t sum = ledger_.read(name) + amount;
  put(name, sum);
  return sum;
}

void Bank::transfer(const std::string& from, const std::string& to, std::int64_t amount) {
  const std::scoped_lock lock(queue_);
  if (to == from) throw Refused("from and to are the same account");
  const std::int64_t more = ledger_.read(to) + amount;
  const std::int64_t had = ledger_.read(from);
  if (had < amount) throw Refused("only " + std::to_string(had) + " in " + from);
  if (more > Ledger::most) throw Refused(to + " would be too full");
  put(from, had - amount);
  put(to, more);
}

std::int64_t Bank::balance(const std::string& name) {
  const std::scoped_lock lock(queue_);
  return ledger_.read(name);
}

std::int64_t Bank::total() {
  const std::scoped_lock lock(queue_);
  const auto names = ledger_.names();
  return std::accumulate(
      names.begin(), names.end(), std::int64_t{0},
      [this](std::int64_t sum, const std::string& name) { return sum + ledger_.read(name); });
}

std::int64_t Bank::wait_for(const std::string& name, std::int64_t amount,
                            const std::atomic<bool>& given_up) {
  std::unique_lock lock(queue_);
  std::int64_t balance = ledger_.read(name);
  if (balance >= amount) return balance;

  Sleeper self{name, amount, given_up};
  struct Bed {  // made last, left first: with the lock, in whatever way
    std::list<Sleeper*>& list;
    std::list<Sleeper*>::iterator place;
    ~Bed() { list.erase(place); }
  } const bed{sleepers_, sleepers_.insert(sleepers_.end(), &self)};

  while (balance < amount) {
    if (stopped_) throw Refused("the bank has been stopped");
    if (given_up) throw Refused("the wait was given up");
    self.called = false;
    self.bell.wait(lock, [&self] { return self.called; });
    balance = ledger_.read(name);  // somebody may have been faster
  }
  return balance;
}

void Bank::look_again() {
  const std::scoped_lock lock(queue_);
  call([](const Sleeper& sleeper) { return sleeper.given_up.load(); });
}

void Bank::stop() {
  const std::scoped_lock lock(queue_);
  stopped_ = true;
  call([](const Sleeper&) { return true; });
}

}  // namespace socketserver
