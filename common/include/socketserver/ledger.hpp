#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace socketserver {

/// A request that a bank turns down; what() is the reason, a clause such as "no account bob".
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Accounts by name, and their balances: honest, but slow. Lesson 06 builds a bank on it.
///
/// Each read() and write() takes a moment, as a disk or a network would, and in that moment other
/// threads have their turn. It has no lock of its own. Several threads may use different accounts
/// at the same time; while one uses an account, or write() makes a new one, it must be alone with
/// that account, or with the whole ledger.
class Ledger {
 public:
  /// No balance is larger.
  static constexpr std::int64_t most = 1'000'000'000;

  /// The balance of the account. @throws Refused if there is no such account
  [[nodiscard]] std::int64_t read(const std::string& name) const;

  /// Sets the balance of the account, and makes the account if there is none of that name.
  /// @throws Refused if the balance is larger than `most`, and changes nothing
  void write(const std::string& name, std::int64_t balance);

  /// Whether there is such an account.
  [[nodiscard]] bool has(const std::string& name) const { return balances_.count(name) != 0; }

  /// The names of all accounts, in order.
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  std::map<std::string, std::int64_t> balances_;
};

}  // namespace socketserver
