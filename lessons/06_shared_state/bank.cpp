// Bank: accounts that many threads use at once.
// The contract: bank.hpp. Used by: server.cpp. See also: pthread_mutex_lock(3),
// pthread_cond_wait(3).

#include "bank.hpp"

#include <socketserver/not_written.hpp>

namespace socketserver {

std::int64_t Bank::deposit([[maybe_unused]] const std::string& name,
                           [[maybe_unused]] std::int64_t amount) {
  // TODO(06.A): read the balance (0 if there is no account yet), write the new one, and return it.
  // In 06.B: no other thread may come in between.
  not_written("06.A", "Bank::deposit");
}

void Bank::transfer([[maybe_unused]] const std::string& from,
                    [[maybe_unused]] const std::string& to, [[maybe_unused]] std::int64_t amount) {
  // TODO(06.A): move the amount, or refuse.
  // In 06.C: as a whole or not at all, and without ever standing still.
  not_written("06.A", "Bank::transfer");
}

std::int64_t Bank::balance([[maybe_unused]] const std::string& name) {
  // TODO(06.A): read the balance.
  not_written("06.A", "Bank::balance");
}

std::int64_t Bank::total() {
  // TODO(06.A): add up all balances.
  // In 06.B: no transfer may be half done meanwhile.
  not_written("06.A", "Bank::total");
}

std::int64_t Bank::wait_for([[maybe_unused]] const std::string& name,
                            [[maybe_unused]] std::int64_t amount,
                            [[maybe_unused]] const std::atomic<bool>& given_up) {
  // TODO(06.F): sleep until the balance is `amount` or more, and return it.
  not_written("06.F", "Bank::wait_for");
}

void Bank::look_again() {
  // TODO(06.F): wake whoever sleeps in wait_for(). The server calls this when a client has left; as
  // long as nobody waits there is nothing to do.
}

void Bank::stop() {
  // TODO(06.F): end every wait_for(), now and from now on. The server calls this at its end; as
  // long as nobody waits there is nothing to do.
}

}  // namespace socketserver
