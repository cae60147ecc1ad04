// Bank: accounts that many threads use at once.
// Used by: server.cpp. Built on: common/include/socketserver/ledger.hpp. See also: pthreads(7).

#pragma once

#include <socketserver/ledger.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
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
  // Who is inside. Shared: any number, each with the mutexes of the accounts it uses. Alone: nobody
  // else. Everybody comes through the door, so that who wants to be alone is not passed by for
  // ever. Order of locks: door_, room_, accounts by name, news_mutex_.
  class Shared;
  class Alone;
  std::mutex& account(const std::string& name);
  bool deposit_to_known(const std::string& name, std::int64_t amount, std::int64_t& after);
  void tell_news();

  std::mutex door_;
  std::shared_mutex room_;

  // Their structure changes for who is alone in room_; a balance, with its account's mutex.
  Ledger ledger_;
  std::map<std::string, std::unique_ptr<std::mutex>> accounts_;

  std::mutex news_mutex_;
  // Guarded by news_mutex_:
  std::condition_variable news_;
  unsigned long edition_ = 0;  // how many changes there have been
  bool stopped_ = false;
};

}  // namespace socketserver
