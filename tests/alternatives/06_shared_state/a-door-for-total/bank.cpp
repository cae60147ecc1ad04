// Differs: a lock an account, inside a shared lock that keeps a waiting TOTAL from being passed
// by.

// Bank: accounts that many threads use at once. Each account has a mutex of its own.
// The contract: bank.hpp. Used by: server.cpp.

#include "bank.hpp"

#include <algorithm>

namespace socketserver {

class Bank::Shared {
 public:
  explicit Shared(Bank& bank) : room_(bank.room_, std::defer_lock) {
    const std::lock_guard door(bank.door_);
    room_.lock();
  }

 private:
  std::shared_lock<std::shared_mutex> room_;
};

class Bank::Alone {
 public:
  explicit Alone(Bank& bank) : room_(bank.room_, std::defer_lock) {
    const std::lock_guard door(bank.door_);  // nobody comes in while those inside go
    room_.lock();
  }

 private:
  std::unique_lock<std::shared_mutex> room_;
};

// The mutex of an account that there is. @throws Refused if there is none
std::mutex& Bank::account(const std::string& name) {
  const auto found = accounts_.find(name);
  if (found != accounts_.end()) return *found->second;
  (void)ledger_.read(name);  // has the words for it
  throw Refused("no account " + name);
}

std::int64_t Bank::deposit(const std::string& name, std::int64_t amount) {
  std::int64_t after = 0;
  if (!deposit_to_known(name, amount, after)) {
    const Alone alone(*this);
    // Another may have made it between the two looks.
    after = (ledger_.has(name) ? ledger_.read(name) : 0) + amount;
    auto mutex = std::make_unique<std::mutex>();
    ledger_.write(name, after);
    accounts_.try_emplace(name, std::move(mutex));
  }
  tell_news();
  return after;
}

bool Bank::deposit_to_known(const std::string& name, std::int64_t amount, std::int64_t& after) {
  const Shared shared(*this);
  if (!ledger_.has(name)) return false;
  const std::lock_guard lock(account(name));
  after = ledger_.read(name) + amount;
  ledger_.write(name, after);
  return true;
}

void Bank::transfer(const std::string& from, const std::string& to, std::int64_t amount) {
  if (from == to) throw Refused("the accounts are the same");
  {
    const Shared shared(*this);
    std::mutex& giver = account(from);
    std::mutex& taker = account(to);
    // By name, whatever the direction.
    const std::lock_guard first(from < to ? giver : taker);
    const std::lock_guard second(from < to ? taker : giver);
    const std::int64_t left = ledger_.read(from) - amount;
    const std::int64_t more = ledger_.read(to) + amount;
    if (left < 0) throw Refused("there is not enough in " + from);
    if (more > Ledger::most) throw Refused("there is too much in " + to);
    ledger_.write(from, left);
    ledger_.write(to, more);
  }
  tell_news();
}

std::int64_t Bank::balance(const std::string& name) {
  const Shared shared(*this);
  const std::lock_guard lock(account(name));
  return ledger_.read(name);
}

std::int64_t Bank::total() {
  const Alone alone(*this);
  std::int64_t sum = 0;
  for (const auto& [name, mutex] : accounts_) sum += ledger_.read(name);
  return sum;
}

std::int64_t Bank::wait_for(const std::string& name, std::int64_t amount,
                            const std::atomic<bool>& given_up) {
  std::unique_lock news(news_mutex_);
  for (;;) {
    if (stopped_) throw Refused("the bank is closing");
    if (given_up) throw Refused("nobody is interested any more");
    const unsigned long seen = edition_;
    news.unlock();
    const std::int64_t now = balance(name);
    if (now >= amount) return now;
    news.lock();
    // What has changed since `seen` was noted may be what we wait for.
    while (edition_ == seen) news_.wait(news);
  }
}

void Bank::tell_news() {
  const std::lock_guard news(news_mutex_);
  edition_ += 1;
  news_.notify_all();
}

void Bank::look_again() {
  tell_news();
}

void Bank::stop() {
  const std::lock_guard news(news_mutex_);
  stopped_ = true;
  edition_ += 1;
  news_.notify_all();
}

}  // namespace socketserver
