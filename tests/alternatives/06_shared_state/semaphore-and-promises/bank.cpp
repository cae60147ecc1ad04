// A semaphore of one for the lock; each who waits has a semaphore of its own, and is handed the
// balance that he has waited for.

#include "bank.hpp"

namespace socketserver {

namespace {

struct Held {
  explicit Held(std::binary_semaphore& semaphore) : semaphore_(semaphore) { semaphore_.acquire(); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() { semaphore_.release(); }
  std::binary_semaphore& semaphore_;
};

}  // namespace

void Bank::wake(const std::string& name, std::int64_t balance) {
  waiting_.remove_if([&](Waiting* one) {
    if (one->name != name || one->amount > balance) return false;
    one->balance = balance;
    one->woken.release();
    return true;
  });
}

std::int64_t Bank::deposit(const std::string& name, std::int64_t amount) {
  const Held held(free_);
  const std::int64_t after = (ledger_.has(name) ? ledger_.read(name) : 0) + amount;
  ledger_.write(name, after);
  wake(name, after);
  return after;
}

void Bank::transfer(const std::string& from, const std::string& to, std::int64_t amount) {
  const Held held(free_);
  const std::int64_t giver = ledger_.read(from);
  const std::int64_t taker = ledger_.read(to);
  if (from == to || giver < amount) throw Refused("that cannot be moved");
  ledger_.write(to, taker + amount);
  ledger_.write(from, giver - amount);
  wake(to, taker + amount);
}

std::int64_t Bank::balance(const std::string& name) {
  const Held held(free_);
  return ledger_.read(name);
}

std::int64_t Bank::total() {
  const Held held(free_);
  std::int64_t sum = 0;
  for (const std::string& name : ledger_.names()) sum += ledger_.read(name);
  return sum;
}

std::int64_t Bank::wait_for(const std::string& name, std::int64_t amount,
                            const std::atomic<bool>& given_up) {
  Waiting own{name, amount, given_up};
  {
    const Held held(free_);
    const std::int64_t balance = ledger_.read(name);
    if (balance >= amount) return balance;
    if (stopped_) throw Refused("the bank has closed");
    if (given_up) throw Refused("given up");
    waiting_.push_back(&own);
  }
  own.woken.acquire();
  const Held held(free_);  // whoever woke us is done with `own`
  if (own.balance < 0) throw Refused(given_up ? "given up" : "the bank has closed");
  return own.balance;
}

void Bank::look_again() {
  const Held held(free_);
  waiting_.remove_if([](Waiting* one) {
    if (!one->given_up) return false;
    one->woken.release();
    return true;
  });
}

void Bank::stop() {
  const Held held(free_);
  stopped_ = true;
  for (Waiting* one : waiting_) one->woken.release();
  waiting_.clear();
}

}  // namespace socketserver
