# Right answers to lesson 06, written differently: every step must accept them. The form of an answer:
# tests/cmake/mutants.cmake. A file of which little remains stands whole in 06_shared_state/.

kit_answer(
  NAME a-door-for-total
  SENTENCE "Each account has a lock, inside a shared one that lets no one pass a TOTAL that waits."
  FILE bank.hpp
  REPLACE [[#include <mutex>]]
  WITH [[#include <memory>
#include <mutex>
#include <shared_mutex>]]
  REPLACE [[  std::mutex mutex_;]]
  THROUGH [[  std::map<std::string, std::condition_variable> changed_;  // the balance of the account]]
  WITH [[  // Who is inside. Shared: any number, each with the mutexes of the accounts it uses. Alone: nobody
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
  bool stopped_ = false;]]
  WHOLE bank.cpp)

kit_answer(
  NAME a-ticket-lock
  SENTENCE "A fair lock, written by hand; each sleeper has a bell, which rings when the amount is there."
  FILE bank.hpp
  REPLACE [[#include <map>]]
  WITH [[#include <list>]]
  REPLACE [[  std::mutex mutex_;]]
  THROUGH [[  std::map<std::string, std::condition_variable> changed_;  // the balance of the account]]
  WITH [[  // A lock that is given in the order in which it was asked for: nobody is passed by.
  class Queue {
   public:
    void lock();
    void unlock();

   private:
    std::mutex mutex_;
    std::condition_variable moved_;
    std::uint64_t last_ticket_ = 0;
    std::uint64_t served_ = 0;
  };

  // Somebody in wait_for(), and what it takes to wake him.
  struct Sleeper {
    const std::string& name;
    const std::int64_t amount;
    const std::atomic<bool>& given_up;
    bool called = false;
    std::condition_variable_any bell{};
  };

  void put(const std::string& name, std::int64_t balance);
  template <class Whom>
  void call(Whom whom);

  Queue queue_;  // guards everything below
  Ledger ledger_;
  std::list<Sleeper*> sleepers_;
  bool stopped_ = false;]]
  WHOLE bank.cpp)

kit_answer(
  NAME client-that-says-all-at-once
  SENTENCE "Each client sends all its transfers on a thread of their own, and reads the answers meanwhile."
  FILE client.cpp
  REPLACE [[#include <socketserver/connection.hpp>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/program.hpp>]]
  WITH [[#include <sys/socket.h>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>]]
  REPLACE [[#include <string>]]
  WITH [[#include <string>
#include <thread>]]
  REPLACE [[  explicit Conversation(const Address& bank)
      : connection_(connect_to(bank)), reader_(connection_.get()), writer_(connection_.get(), 0) {}]]
  WITH [[  explicit Conversation(const Address& bank)
      : connection_(check(::socket(bank.family(), SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")),
        reader_(connection_.get()),
        writer_(connection_.get(), 0) {
    check(::connect(connection_.get(), bank.data(), bank.size()), "connect");
  }]]
  REPLACE [[    writer_.write(request + "\n");]]
  WITH [[    say(request + "\n");
    return hear();
  }
  void say(const std::string& lines) { writer_.write(lines); }
  std::string hear() {]]
  REPLACE [[  for (long i = 0; i < transfers; ++i) {
    const std::string answer =
        conversation.ask("TRANSFER " + direction + std::to_string(1 + i % 9));]]
  WITH [[  std::string all;
  for (long i = 0; i < transfers; ++i)
    all += "TRANSFER " + direction + std::to_string(1 + i % 9) + "\n";
  std::jthread writing([&] {
    try {
      conversation.say(all);
    } catch (...) {
    }
  });
  for (long i = 0; i < transfers; ++i) {
    const std::string answer = conversation.hear();]]
  REPLACE [[  prove_total(options.reachable_address(), options.number("--clients", 8),
              options.number("--transfers", 50));]]
  WITH [[  prove_total(options.address(), options.number("--clients", 8), options.number("--transfers", 50));]])

kit_answer(
  NAME mutex-an-account
  SENTENCE "Each account has a mutex; a transfer takes two at once (std::scoped_lock)."
  FILE bank.hpp
  REPLACE [[#include <mutex>]]
  WITH [[#include <mutex>
#include <shared_mutex>]]
  REPLACE [[  std::mutex mutex_;]]
  THROUGH [[  std::map<std::string, std::condition_variable> changed_;  // the balance of the account]]
  WITH [[  struct Account {
    std::mutex mutex;
    std::condition_variable changed;
  };

  Account& account(const std::string& name);  // with accounts_mutex_ held, shared at least

  std::shared_mutex accounts_mutex_;  // alone: to make an account
  std::map<std::string, Account> accounts_;
  Ledger ledger_;
  bool stopped_ = false;  // guarded by accounts_mutex_]]
  WHOLE bank.cpp)

kit_answer(
  NAME ordered-locks
  SENTENCE "Each account has a mutex; a transfer takes two, always in the order of their names."
  LIKE mutex-an-account
  FILE bank.cpp
  REPLACE [[// A mutex and a condition for each account; a transfer takes two at once (std::scoped_lock).]]
  WITH [[// A mutex for each account; a transfer takes two, always in the order of their names.]]
  REPLACE [[  const std::scoped_lock both(giver.mutex, taker.mutex);]]
  WITH [[  const std::lock_guard first(from < to ? giver.mutex : taker.mutex);
  const std::lock_guard second(from < to ? taker.mutex : giver.mutex);]])

kit_answer(
  NAME owner-thread
  SENTENCE "One thread owns the ledger and works through a queue; nobody else touches it."
  FILE bank.hpp
  REPLACE [[#include <atomic>]]
  THROUGH [[#include <string>]]
  WITH [[#include <unistd.h>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>]]
  REPLACE [[ private:]]
  THROUGH [[  std::map<std::string, std::condition_variable> changed_;  // the balance of the account]]
  WITH [[  ~Bank();

 private:
  using Promise = std::shared_ptr<std::promise<std::int64_t>>;
  struct Waiting {
    std::string name;
    std::int64_t amount;
    const std::atomic<bool>* given_up;
    Promise answer;
  };
  struct Owner {
    Ledger ledger;  // the thread's own, like all that follows
    std::list<Waiting> waiting;
    bool stopped = false;
    std::mutex mutex;  // of the queue alone
    std::condition_variable filled;
    std::deque<std::function<void(Owner&)>> queue;
    bool ended = false;
    std::thread thread;
    void run();
    void changed(const std::string& name);
  };

  std::int64_t ask(std::function<void(Owner&, const Promise&)> work);
  Owner& owner();

  std::mutex starting_;
  std::unique_ptr<Owner> owner_;
  pid_t process_ = 0;]]
  WHOLE bank.cpp)

kit_answer(
  NAME pthread-monitor
  SENTENCE "A pthread mutex that checks errors; the ledger can be reached with it held only."
  FILE bank.hpp
  REPLACE [[#include <atomic>]]
  THROUGH [[#include <string>]]
  WITH [[#include <pthread.h>
#include <atomic>
#include <cstdint>
#include <string>
#include <utility>]]
  REPLACE [[  std::mutex mutex_;]]
  THROUGH [[  std::map<std::string, std::condition_variable> changed_;  // the balance of the account]]
  WITH [[  // A ledger behind a counter: it can be reached from inside only, and one thread is inside at a
  // time. Who is inside may step out to sleep, and look again when something has changed.
  class Counter {
   public:
    Counter();
    Counter(const Counter&) = delete;
    Counter& operator=(const Counter&) = delete;
    ~Counter();

    class Visit {
     public:
      explicit Visit(Counter& counter);
      Visit(const Visit&) = delete;
      Visit& operator=(const Visit&) = delete;
      ~Visit();
      Ledger* operator->() noexcept { return &counter_.ledger_; }
      bool& closed() noexcept { return counter_.closed_; }
      void sleep();
      void wake_all();

     private:
      Counter& counter_;
    };

   private:
    pthread_mutex_t mutex_;
    pthread_cond_t changed_;
    // Guarded by mutex_:
    Ledger ledger_;
    bool closed_ = false;
  };

  Counter counter_;]]
  WHOLE bank.cpp)

kit_answer(
  NAME readers-and-a-writer
  SENTENCE "Readers go in together, a writer alone: std::shared_mutex."
  FILE bank.hpp
  REPLACE [[#include <map>
#include <mutex>]]
  WITH [[#include <shared_mutex>]]
  REPLACE [[  std::mutex mutex_;]]
  THROUGH [[  std::map<std::string, std::condition_variable> changed_;  // the balance of the account]]
  WITH [[  std::shared_mutex mutex_;
  std::condition_variable_any changed_;
  Ledger ledger_;
  bool stopped_ = false;]]
  WHOLE bank.cpp)

kit_answer(
  NAME semaphore-and-promises
  SENTENCE "A semaphore of one is the lock; who waits has another, and is handed the balance."
  FILE bank.hpp
  REPLACE [[#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>]]
  WITH [[#include <cstdint>
#include <list>
#include <semaphore>]]
  REPLACE [[  std::mutex mutex_;]]
  THROUGH [[  std::map<std::string, std::condition_variable> changed_;  // the balance of the account]]
  WITH [[  struct Waiting {
    const std::string& name;
    std::int64_t amount;
    const std::atomic<bool>& given_up;
    std::int64_t balance = -1;
    std::binary_semaphore woken{0};
  };
  void wake(const std::string& name, std::int64_t balance);

  std::binary_semaphore free_{1};
  Ledger ledger_;
  std::list<Waiting*> waiting_;
  bool stopped_ = false;]]
  FILE client.cpp
  REPLACE [[#include <socketserver/connection.hpp>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/program.hpp>]]
  WITH [[#include <sys/socket.h>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>]]
  REPLACE [[#include <functional>
#include <future>
#include <stdexcept>
#include <string>]]
  WITH [[#include <exception>
#include <stdexcept>
#include <string>
#include <thread>]]
  REPLACE [[  explicit Conversation(const Address& bank)
      : connection_(connect_to(bank)), reader_(connection_.get()), writer_(connection_.get(), 0) {}]]
  WITH [[  explicit Conversation(const Address& bank)
      : connection_(check(::socket(bank.family(), SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")),
        reader_(connection_.get()),
        writer_(connection_.get(), 0) {
    check(::connect(connection_.get(), bank.data(), bank.size()), "connect");
  }]]
  REPLACE [[  // Each of them waits for its thread when it is destroyed, whatever is thrown meanwhile.
]]
  THROUGH [[  for (std::future<void>& mover : movers) mover.get();  // throws what move_money() has thrown]]
  WITH [[  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(clients));
  std::vector<std::thread> threads;
  for (long client = 0; client < clients; ++client) {
    threads.emplace_back([&, client] {
      try {
        move_money(bank, client, transfers);
      } catch (...) {  // nothing may leave a thread
        failures[static_cast<std::size_t>(client)] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }]]
  REPLACE [[  prove_total(options.reachable_address(), options.number("--clients", 8),
              options.number("--transfers", 50));]]
  WITH [[  prove_total(options.address(), options.number("--clients", 8), options.number("--transfers", 50));]]
  WHOLE bank.cpp)

kit_answer(
  NAME stripes-and-semaphores
  SENTENCE "Sixteen locks for all names, taken in order; who waits sleeps on a semaphore."
  FILE bank.hpp
  REPLACE [[#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>]]
  WITH [[#include <semaphore.h>
#include <array>
#include <atomic>
#include <cstdint>
#include <list>]]
  REPLACE [[  std::mutex mutex_;]]
  THROUGH [[  std::map<std::string, std::condition_variable> changed_;  // the balance of the account]]
  WITH [=[  // Each account belongs to one of these mutexes, by the hash of its name. Who uses an account has
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
  std::list<Sleeper*> sleepers_;  // guarded by beds_]=]
  WHOLE bank.cpp)
