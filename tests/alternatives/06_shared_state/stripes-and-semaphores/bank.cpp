// Differs: 16 locks for all names, taken in order; who waits sleeps on a semaphore of his own.

// Bank: accounts that many threads use at once. Sixteen mutexes, and a semaphore for who waits.
// The contract: bank.hpp. Used by: server.cpp.

#include "bank.hpp"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <system_error>

namespace socketserver {

// Holds a set of stripes.
class Bank::Grip {
 public:
  Grip(Bank& bank, Set set) : bank_(bank), set_(set) {
    for (std::size_t i = 0; i < stripe_count; ++i) {
      if (has(i)) bank_.stripes_[i].lock();
    }
  }
  Grip(const Grip&) = delete;
  Grip& operator=(const Grip&) = delete;
  ~Grip() {
    for (std::size_t i = stripe_count; i-- > 0;) {
      if (has(i)) bank_.stripes_[i].unlock();
    }
  }

 private:
  [[nodiscard]] bool has(std::size_t i) const noexcept { return ((set_ >> i) & 1U) != 0; }
  Bank& bank_;
  const Set set_;
};

// A semaphore remembers who has knocked: what happens between a look and the sleep is not lost.
class Bank::Sleeper {
 public:
  Sleeper(Bank& bank, const std::string& name) : bank_(bank), name_(name) {
    if (::sem_init(&knocks_, 0, 0) == -1) {
      throw std::system_error(errno, std::generic_category(), "sem_init");
    }
    const std::lock_guard lock(bank_.beds_);
    place_ = bank_.sleepers_.insert(bank_.sleepers_.end(), this);
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  ~Sleeper() {
    {
      const std::lock_guard lock(bank_.beds_);
      bank_.sleepers_.erase(place_);
    }
    (void)::sem_destroy(&knocks_);  // nobody can find it any more
  }

  void sleep() {
    while (::sem_wait(&knocks_) == -1) {
      if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "sem_wait");
    }
  }
  void knock() noexcept { (void)::sem_post(&knocks_); }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  Bank& bank_;
  const std::string& name_;
  sem_t knocks_;
  std::list<Sleeper*>::iterator place_;
};

Bank::Set Bank::stripe_of(const std::string& name) {
  return Set{1} << (std::hash<std::string>{}(name) % stripe_count);
}

std::int64_t Bank::deposit(const std::string& name, std::int64_t amount) {
  std::int64_t after = 0;
  const auto add = [&](bool even_if_new) {
    const Grip grip(*this, even_if_new ? all_stripes : stripe_of(name));
    const bool known = ledger_.has(name);
    if (!known && !even_if_new) return false;
    after = amount + (known ? ledger_.read(name) : 0);
    ledger_.write(name, after);
    return true;
  };
  if (!add(false)) (void)add(true);
  wake(&name);
  return after;
}

void Bank::transfer(const std::string& from, const std::string& to, std::int64_t amount) {
  {
    const Grip grip(*this, stripe_of(from) | stripe_of(to));
    if (from == to) throw Refused("that is one account, not two");
    const std::int64_t had = ledger_.read(from);
    const std::int64_t has = ledger_.read(to);
    if (had < amount) throw Refused(from + " has no more than " + std::to_string(had));
    ledger_.write(to, has + amount);  // the one that can fail goes first
    ledger_.write(from, had - amount);
  }
  wake(&to);
}

std::int64_t Bank::balance(const std::string& name) {
  const Grip grip(*this, stripe_of(name));
  return ledger_.read(name);
}

std::int64_t Bank::total() {
  const Grip grip(*this, all_stripes);
  std::int64_t sum = 0;
  for (const std::string& name : ledger_.names()) sum += ledger_.read(name);
  return sum;
}

std::int64_t Bank::wait_for(const std::string& name, std::int64_t amount,
                            const std::atomic<bool>& given_up) {
  Sleeper sleeper(*this, name);  // known to all before the first look
  for (;;) {
    const std::int64_t now = balance(name);
    if (now >= amount) return now;
    if (stopped_) throw Refused("the bank is closed");
    if (given_up) throw Refused("whoever has asked is gone");
    sleeper.sleep();
  }
}

// Those who wait for this account, or for any.
void Bank::wake(const std::string* name) {
  const std::lock_guard lock(beds_);
  for (Sleeper* const sleeper : sleepers_) {
    if (name == nullptr || sleeper->name() == *name) sleeper->knock();
  }
}

void Bank::look_again() {
  wake(nullptr);
}

void Bank::stop() {
  stopped_ = true;
  wake(nullptr);
}

}  // namespace socketserver
