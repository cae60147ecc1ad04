#include <socketserver/ledger.hpp>

#include <chrono>
#include <thread>

namespace socketserver {
namespace {

// The shortest sleep there is: long enough that whoever can run does.
void take_a_moment() {
  std::this_thread::sleep_for(std::chrono::microseconds(1));
}

}  // namespace

// The moment lies where it hurts: a value that was read is old when the caller gets it, and a new
// one is late.
std::int64_t Ledger::read(const std::string& name) const {
  const auto found = balances_.find(name);
  if (found == balances_.end()) throw Refused("no account " + name);
  const std::int64_t balance = found->second;
  take_a_moment();
  return balance;
}

void Ledger::write(const std::string& name, std::int64_t balance) {
  take_a_moment();
  if (balance > most) {
    throw Refused("the balance of " + name + " would be more than " + std::to_string(most));
  }
  const auto found = balances_.find(name);
  if (found != balances_.end()) {
    found->second = balance;
  } else {
    balances_.emplace(name, balance);
  }
}

std::vector<std::string> Ledger::names() const {
  std::vector<std::string> names;
  for (const auto& [name, balance] : balances_) names.push_back(name);
  return names;
}

}  // namespace socketserver
