// Differs: a pthread lock that checks errors; a transfer takes first, and gives back under the
// lock.

// Bank: accounts that many threads use at once. POSIX threads, and a ledger that cannot be reached
// without the lock. The contract: bank.hpp. Used by: server.cpp.

#include "bank.hpp"

#include <system_error>

namespace socketserver {
namespace {

void must(int error, const char* call) {
  if (error != 0) throw std::system_error(error, std::generic_category(), call);
}

}  // namespace

Bank::Counter::Counter() {
  pthread_mutexattr_t kind;
  must(::pthread_mutexattr_init(&kind), "pthread_mutexattr_init");
  (void)::pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
  const int error = ::pthread_mutex_init(&mutex_, &kind);
  (void)::pthread_mutexattr_destroy(&kind);
  must(error, "pthread_mutex_init");
  if (const int no_condition = ::pthread_cond_init(&changed_, nullptr)) {
    (void)::pthread_mutex_destroy(&mutex_);
    must(no_condition, "pthread_cond_init");
  }
}

Bank::Counter::~Counter() {
  (void)::pthread_cond_destroy(&changed_);
  (void)::pthread_mutex_destroy(&mutex_);
}

Bank::Counter::Visit::Visit(Counter& counter) : counter_(counter) {
  must(::pthread_mutex_lock(&counter_.mutex_), "pthread_mutex_lock");
}

Bank::Counter::Visit::~Visit() {
  (void)::pthread_mutex_unlock(&counter_.mutex_);
}

void Bank::Counter::Visit::sleep() {
  must(::pthread_cond_wait(&counter_.changed_, &counter_.mutex_), "pthread_cond_wait");
}

void Bank::Counter::Visit::wake_all() {
  (void)::pthread_cond_broadcast(&counter_.changed_);
}

std::int64_t Bank::deposit(const std::string& name, std::int64_t amount) {
  Counter::Visit visit(counter_);
  const std::int64_t old = visit->has(name) ? visit->read(name) : 0;
  if (amount > Ledger::most - old) throw Refused(name + " cannot hold so much");
  visit->write(name, old + amount);
  visit.wake_all();
  return old + amount;
}

void Bank::transfer(const std::string& from, const std::string& to, std::int64_t amount) {
  if (from == to) throw Refused("both accounts are " + from);
  Counter::Visit visit(counter_);
  const std::int64_t old_from = visit->read(from);
  const std::int64_t old_to = visit->read(to);
  if (amount > old_from) throw Refused(from + " has less");
  visit->write(from, old_from - amount);
  try {
    visit->write(to, old_to + amount);
  } catch (...) {
    visit->write(from, old_from);  // nobody has seen it: we are still inside
    throw;
  }
  visit.wake_all();
}

std::int64_t Bank::balance(const std::string& name) {
  return Counter::Visit(counter_)->read(name);
}

std::int64_t Bank::total() {
  Counter::Visit visit(counter_);
  std::int64_t sum = 0;
  for (const auto& name : visit->names()) sum += visit->read(name);
  return sum;
}

std::int64_t Bank::wait_for(const std::string& name, std::int64_t amount,
                            const std::atomic<bool>& given_up) {
  Counter::Visit visit(counter_);
  for (;;) {
    if (const std::int64_t now = visit->read(name); now >= amount) return now;
    if (visit.closed()) throw Refused("the bank closes its doors");
    if (given_up.load()) throw Refused("the client has left");
    visit.sleep();
  }
}

void Bank::look_again() {
  Counter::Visit(counter_).wake_all();
}

void Bank::stop() {
  Counter::Visit visit(counter_);
  visit.closed() = true;
  visit.wake_all();
}

}  // namespace socketserver
