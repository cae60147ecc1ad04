// Bank: accounts that many threads use at once.
// Used by: server.cpp. Built on: common/include/socketserver/ledger.hpp. See also: pthreads(7).

#pragma once

#include <socketserver/ledger.hpp>

#include <semaphore.h>
#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>

namespace socketserver {

/// Accounts by name. Every function may be called from any thread; each of them is done as a whole
/// or not at all, and nobody ever sees one half done.
///
/// Amounts are 1 to 1,000,000,000. What cannot be done is Refused, and has changed nothing.
class Bank {
 public:
  /// Adds `amount` to the account, and makes the account if there is none of that name.
  /// @returns the new balance
  /// @throws Refused if the balance would be more than Ledger::most
  std::int64_t deposit(const std::string& name, std::int64_t amount);

  /// Moves `amount` from one account to another.
  /// @throws Refused if they are the same, one is unknown, `from` has less, or `to` would have more
  ///         than Ledger::most
  void transfer(const std::string& from, const std::string& to, std::int64_t amount);

  /// The balance of the account. @throws Refused if there is none
  std::int64_t balance(const std::string& name);

  /// The sum of all balances: transfers never change it, not even while they are under way.
  std::int64_t total();

  /// Waits until the account has `amount` or more. Blocks, without using the processor.
  /// @param given_up  whether nobody is interested any more: whoever sets it calls look_again()
  /// @returns its balance at that moment
  /// @throws Refused if there is no such account, or stop() is called first, or it is given up
  std::int64_t wait_for(const std::string& name, std::int64_t amount,
                        const std::atomic<bool>& given_up);

  /// Makes every wait_for() look at its `given_up`. Nothing else changes.
  void look_again();

  /// Ends every wait_for(), now and from now on. Nothing else changes.
  void stop();

 private:
  // Each account belongs to one of these mutexes, by the hash of its name. Who uses an account has
  // its stripe; who looks at all of them, or makes a new one, has all. Taken from first to last.
  static constexpr std::size_t stripe_count = 16;
  using Set = std::uint32_t;
  static constexpr Set all_stripes = (Set{1} << stripe_count) - 1;
  class Grip;
  class Sleeper;
  [[nodiscard]] static Set stripe_of(const std::string& name);
  void wake(const std::string* name);

  std::array<std::mutex, stripe_count> stripes_;
  Ledger ledger_;

  std::atomic<bool> stopped_{false};
  std::mutex beds_;
  std::list<Sleeper*> sleepers_;  // guarded by beds_
};

}  // namespace socketserver
