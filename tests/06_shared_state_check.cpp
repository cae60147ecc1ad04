// The check of lesson 06: a bank that many threads use at once, and its client.
// The steps, with their points: tests/manifest/06_shared_state.cmake. What a step may do:
// harness/step/step.hpp.

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <sys/syscall.h>
#endif

#include "harness/base/escape.hpp"
#include "harness/check.hpp"
#include "harness/kernel/proc.hpp"

namespace {

using kit::Calls;
using kit::Fault;
using kit::Peer;
using kit::Program;
using kit::Server;
using kit::Step;
using std::chrono::milliseconds;

constexpr long most = 1'000'000'000;

// A request and its answer.
void ask(Peer& client, const std::string& request, const std::string& answer) {
  client.send(request + "\n").expect(answer + "\n");
}

// A request that is turned down, whatever the reason.
void expect_refused(Step& step, Peer& client, const std::string& request) {
  const std::string answer = client.send(request + "\n").read_line();
  step.check(answer.starts_with("ERR "), "\"ERR\" and a reason in answer to \"" + request + "\"",
             kit::quoted(answer));
}

std::string times(int count, const std::string& request) {
  std::string all;
  for (int i = 0; i < count; ++i) all += request + "\n";
  return all;
}

// Lets every client say its lines, so that the server finds all of them at the same moment: what
// can happen at once does.
class AtOnce {
 public:
  explicit AtOnce(Server& server) : server_(server) { server_.signal(SIGSTOP); }
  void say(Peer& client, const std::string& lines) { client.send(lines); }
  void go() { server_.signal(SIGCONT); }

 private:
  Server& server_;
};

// Every read() and write() of the ledger sleeps for a moment: so it is known how often the bank has
// asked it. (Where the C++ library keeps its sleep to itself there is nothing to be counted.)
class LedgerUse {
 public:
  explicit LedgerUse(const Server& server) : log_(server.recorder_if_any()), before_(count()) {}

  // The bank has asked at least so often since.
  void expect(Step& step, std::uint64_t least) {
#if defined(__GLIBCXX__)
    if (!log_ || !log_->attached()) return;
    const std::uint64_t asked = count() - before_;
    if (asked >= least) return;
    step.suspect(
        "The bank answers out of a memory of its own. The balances are the ledger's: every answer "
        "comes from ledger_.read(), every change goes to ledger_.write(). (A bank that has the "
        "balances twice has them wrong once.)");
    step.fail("at least " + std::to_string(least) + " calls of ledger_.read() or write()",
              std::to_string(asked) + " calls");
#else
    (void)step, (void)least;
#endif
  }

 private:
  [[nodiscard]] std::uint64_t count() const {
    return log_ ? log_->count(Calls::nanosleep) : 0;
  }
  const kit::RecorderLog* log_;
  std::uint64_t before_;
};

// Clients that the server has a thread for already.
std::vector<Peer*> clients_of(Step& step, Server& server, int count) {
  std::vector<Peer*> clients;
  for (int i = 0; i < count; ++i) {
    clients.push_back(&step.connect(server));
    clients.back()->send("TOTAL\n").read_line();
  }
  return clients;
}

}  // namespace

// ---- the bank -----------------------------------------------------------------------------------

STEP("06.1", "the commands work for one client, and bad input changes nothing") {
  const std::string a = step.word(), b = "B" + step.word();
  Server& server = step.server();
  LedgerUse ledger(server);
  Peer& client = step.connect(server);
  step.suspect("deposit() reads the balance, 0 for a new account, and writes and returns the sum.");
  ask(client, "DEPOSIT " + a + " 5", "OK 5");
  ask(client, "DEPOSIT " + a + " 7", "OK 12");
  ask(client, "DEPOSIT " + b + " 30", "OK 30");
  step.suspect("balance() is what the ledger has.");
  ask(client, "BALANCE " + a, "OK 12");
  step.suspect("total() is the sum over all accounts: ledger_.names().");
  ask(client, "TOTAL", "OK 42");
  step.suspect("transfer() takes from one account and gives to the other.");
  ask(client, "TRANSFER " + a + " " + b + " 2", "OK");
  ask(client, "BALANCE " + a, "OK 10");
  ask(client, "BALANCE " + b, "OK 32");
  step.suspect("All of a balance can be moved; the account stays, with nothing in it.");
  ask(client, "TRANSFER " + a + " " + b + " 10", "OK");
  ask(client, "BALANCE " + a, "OK 0");
  ask(client, "TRANSFER " + b + " " + a + " 10", "OK");
  ledger.expect(step,
                3 + 1 + 2 + 2 + 2 + 2 + 1 + 2);  // writes of deposits and transfers, and reads

  step.suspect(
      "What cannot be done is Refused: a transfer of more than there is, to or from an "
      "unknown account, or to itself, and the balance of an unknown one.");
  const std::vector<std::string> wrong = {"TRANSFER " + a + " " + b + " 11",
                                          "TRANSFER " + a + " nobody 1",
                                          "TRANSFER nobody " + a + " 1",
                                          "TRANSFER " + a + " " + a + " 1",
                                          std::string("BALANCE nobody"),
                                          "DEPOSIT " + a + " 0",
                                          "DEPOSIT " + a + " -1",
                                          "DEPOSIT " + a + " x",
                                          "DEPOSIT " + a + " 1000000001",
                                          "DEPOSIT " + a,
                                          "DEPOSIT " + std::string(33, 'a') + " 1",
                                          "DEPOSIT a-b 1",
                                          "TRANSFER " + a + " " + b,
                                          std::string("MOVE it"),
                                          std::string("")};
  for (const std::string& request : wrong) {
    expect_refused(step, client, request);
  }
  step.suspect(
      "Half a line was obeyed. At the end of file what has come may be the beginning of more: the "
      "server as it was given answers ERR.");
  Peer& cut = step.connect(server);
  cut.send("DEPOSIT " + a + " 5");
  cut.half_close();
  const std::string about_half = cut.read_line();
  step.check(about_half.starts_with("ERR "), "\"ERR\" and a reason", kit::quoted(about_half));
  cut.expect_end();
  step.suspect("What was refused must have changed nothing, and made no account.");
  ask(client, "BALANCE " + a, "OK 10");
  ask(client, "BALANCE " + b, "OK 32");
  ask(client, "TOTAL", "OK 42");
  expect_refused(step, client, "BALANCE nobody");
  step.suspect(
      "TOTAL leaves out an account that was opened since it was asked before. Which accounts there "
      "are, ledger_.names() says, each time.");
  ask(client, "DEPOSIT late 1", "OK 1");
  ask(client, "TOTAL", "OK 43");
  step.suspect(
      "A sum of large balances is wrong: it does not fit into an int. std::int64_t holds it.");
  for (long i = 1; i <= 3; ++i) {
    const std::string rich = "rich" + std::to_string(i);
    ask(client, "DEPOSIT " + rich + " " + std::to_string(most), "OK " + std::to_string(most));
    ask(client, "TOTAL", "OK " + std::to_string(43 + i * most));
  }
  client.half_close();
  client.expect_end();
  server.stop();
}

STEP("06.2", "deposits by many clients are all there") {
  constexpr int crowd = 8;
  constexpr int deposits = 30;
  step.suspect(
      "A lost update: two threads read the same balance, both added to it, and the second write "
      "buried the first. To read and to write must be one step: hold one lock over both, the same "
      "lock in every thread, until the end of the function.");
  Server& server = step.server();
  Peer& witness = step.connect(server);
  ask(witness, "DEPOSIT pot 1", "OK 1");
  const std::vector<Peer*> clients = clients_of(step, server, crowd);
  AtOnce at_once(server);
  LedgerUse ledger(server);
  for (Peer* client : clients) at_once.say(*client, times(deposits, "DEPOSIT pot 1"));
  at_once.go();
  std::set<std::string> balances;
  for (Peer* client : clients) {
    for (int i = 0; i < deposits; ++i) {
      const std::string answer = client->read_line();
      step.check(balances.insert(answer).second,
                 "each of " + std::to_string(crowd * deposits) + " deposits has a new balance",
                 "two were answered " + kit::quoted(answer));
    }
  }
  ask(witness, "BALANCE pot", "OK " + std::to_string(1 + crowd * deposits));
  ledger.expect(step, crowd * deposits);

  step.suspect(
      "Several clients opened the same account at once, and a deposit is lost. Whether the account "
      "is there belongs to the same step as its balance: the lock covers has(), too.");
  constexpr int accounts = 12;
  const std::vector<Peer*> openers = clients_of(step, server, crowd);
  AtOnce all_new(server);
  std::string requests;
  for (int i = 0; i < accounts; ++i) requests += "DEPOSIT new" + std::to_string(i) + " 1\n";
  for (Peer* client : openers) all_new.say(*client, requests);
  all_new.go();
  for (Peer* client : openers) {
    for (int i = 0; i < accounts; ++i) (void)client->read_line();
  }
  ask(witness, "TOTAL", "OK " + std::to_string(1 + crowd * (deposits + accounts)));
  server.stop();
}

STEP("06.3", "TOTAL is the same at every moment while transfers run") {
  constexpr int crowd = 6;
  constexpr int transfers = 40;
  constexpr int looks = 30;
  const auto suspect = [&step](const char* sentence) {
    step.suspect(sentence);
    step.suspect_if_it_hangs(
        "The bank has stopped to answer: its threads wait for a lock that nobody gives back, or "
        "for each other.");
  };
  suspect("There was enough in each account: every transfer must be answered OK.");
  Server& server = step.server();
  Peer& witness = step.connect(server);
  const std::vector<std::string> names = {"red", "green", "blue"};
  for (const std::string& name : names) ask(witness, "DEPOSIT " + name + " 1000", "OK 1000");
  const std::vector<Peer*> clients = clients_of(step, server, crowd);
  LedgerUse ledger(server);
  AtOnce at_once(server);
  for (std::size_t i = 0; i < clients.size(); ++i) {
    at_once.say(*clients[i], times(transfers, "TRANSFER " + names[i % 3] + " " +
                                                  names[(i + 1 + i / 3) % 3] + " 3"));
  }
  at_once.say(witness, times(looks, "TOTAL"));
  at_once.go();
  for (Peer* client : clients) client->expect(times(transfers, "OK"));
  // What is wrong still when all is quiet was lost; what is not was seen half done.
  suspect(
      "Money was lost or made: two transfers read the same balance, and the second write buried "
      "the first. One lock over the whole of transfer(), its reads and its writes: what belongs "
      "together is the transfer.");
  ask(*clients.front(), "TOTAL", "OK 3000");
  suspect(
      "TOTAL saw a transfer half done: the money had left one account and not come to the other. "
      "One lock over the whole of transfer(), and the same one over the whole of total(). A lock "
      "for each read() and each write() does not help: what belongs together is the transfer.");
  for (int look = 0; look < looks; ++look) witness.expect("OK 3000\n");
  ask(witness, "BALANCE red", "OK 1000");
  // All those transfers cancel out: so do none at all.
  step.suspect("TRANSFER was answered OK, and no money has moved.");
  ask(witness, "TRANSFER red green 7", "OK");
  ask(witness, "BALANCE red", "OK 993");
  ask(witness, "BALANCE green", "OK 1007");
  ledger.expect(step, 2 * crowd * transfers + 3 * looks);
  server.stop();
}

STEP("06.4", "opposite transfers never stop each other for good") {
  constexpr int crowd = 8;
  constexpr int transfers = 20;
  step.suspect(
      "A transfer was refused or lost. There is enough in each account, and each transfer must "
      "find what the one before it has left: its reads and its writes are one step.");
  step.suspect_if_it_hangs(
      "A deadlock: one thread holds the first account and waits for the second, another holds the "
      "second and waits for the first. Take one lock for both; or two at once (std::scoped_lock); "
      "or always in the same order.");
  Server& server = step.server();
  Peer& witness = step.connect(server);
  LedgerUse ledger(server);
  ask(witness, "DEPOSIT left 5000", "OK 5000");
  ask(witness, "DEPOSIT right 5000", "OK 5000");
  const std::vector<Peer*> clients = clients_of(step, server, crowd);
  AtOnce at_once(server);
  for (std::size_t i = 0; i < clients.size(); ++i) {
    at_once.say(*clients[i],
                times(transfers, i % 2 == 0 ? "TRANSFER left right 7" : "TRANSFER right left 7"));
  }
  at_once.go();
  for (Peer* client : clients) client->expect(times(transfers, "OK"));
  ask(witness, "BALANCE left", "OK 5000");
  ask(witness, "BALANCE right", "OK 5000");
  ledger.expect(step, 2 * crowd * transfers);

  step.suspect(
      "Transfers between many accounts stop each other for good. Where accounts share a lock, a "
      "transfer between two of one lock must not take it twice.");
  constexpr int accounts = 24;
  const auto name = [](int number) { return "n" + std::to_string(number % accounts); };
  for (int i = 0; i < accounts; ++i) ask(witness, "DEPOSIT " + name(i) + " 9", "OK 9");
  for (int i = 0; i < accounts; ++i) {
    for (int far = 1; far <= 8; ++far)
      ask(witness, "TRANSFER " + name(i) + " " + name(i + far) + " 1", "OK");
  }
  ask(witness, "TOTAL", "OK " + std::to_string(10'000 + 9 * accounts));
  server.stop();
}

STEP("06.5", "a transfer that fails half-way leaves everything as it was") {
  const std::string full = "OK " + std::to_string(most);
  Server& server = step.server();
  Peer& client = step.connect(server);
  ask(client, "DEPOSIT rich " + std::to_string(most), full);
  ask(client, "DEPOSIT poor 10", "OK 10");
  step.suspect(
      "A deposit that would go over the limit is Refused by ledger_.write(), and nothing "
      "has changed.");
  expect_refused(step, client, "DEPOSIT rich 1");
  step.suspect(
      "ledger_.write() has thrown while a lock was held, and nobody gave it back. A lock that is "
      "an object (std::lock_guard) is given back by its destructor, whichever way the function is "
      "left.");
  ask(client, "BALANCE rich", full);
  Peer& other = step.connect(server);
  ask(other, "BALANCE poor", "OK 10");
  expect_refused(step, client, "TRANSFER poor rich 5");
  ask(client, "BALANCE rich", full);
  step.suspect(
      "The transfer was refused, and yet something has changed: the money was taken from one "
      "account before ledger_.write() of the other one threw. Do first what may fail, or undo "
      "what was done.");
  ask(client, "BALANCE poor", "OK 10");
  ask(other, "TOTAL", "OK " + std::to_string(most + 10));

  step.suspect(
      "While a transfer is being refused, others see it half done: the lock was given back before "
      "all was as it had been. To undo belongs under the same lock.");
  // Whichever lock it gives back first, second, third.
  const std::uint64_t locks = kit::RecorderLog::available() ? 3 : 0;
  for (std::uint64_t nth = 1; nth <= locks; ++nth) {
    kit::FaultHandle held = server.recorder().add(Fault::hold(Calls::mutex_unlock).at(nth));
    client.send("TRANSFER poor rich 5\n");
    step.wait_until([&] { return held.holding() > 0 || !client.unread().empty(); },
                    "the refusal under way");
    other.send("TOTAL\nBALANCE poor\n");
    step.let_rest(server);
    held.withdraw();  // a bank of several locks may need it to go on
    other.expect("OK " + std::to_string(most + 10) + "\nOK 10\n");
    (void)client.read_line();
  }
  ask(other, "TRANSFER rich poor 5", "OK");
  ask(client, "TRANSFER poor rich 5", "OK");
  ask(other, "TOTAL", "OK " + std::to_string(most + 10));
  server.stop();
}

// ---- the client ---------------------------------------------------------------------------------

namespace {

// A socket of the check's own, which waits for nobody.
kit::Descriptor non_blocking(int fd) {
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
  return kit::Descriptor(fd);
}

// A bank of the check's own: one thread, so that nothing happens at once. It may be a thief.
class FakeBank {
 public:
  enum class Crime { none, takes_one_unit, adds_one_unit, cuts_a_connection, talks_nonsense };

  // So many clients ask at the same time: until they do, no transfer is answered.
  FakeBank(Step& step, Crime crime, long clients) : step_(step), crime_(crime), clients_(clients) {
    listener_ = non_blocking(::socket(AF_INET, SOCK_STREAM, 0));
    const kit::Address any = kit::Address::tcp("127.0.0.1", 0);
    if (::bind(listener_.get(), any.get(), any.size()) == -1 ||
        ::listen(listener_.get(), 64) == -1) {
      throw kit::KitError("the check's own bank cannot listen");
    }
    balances_["old"] = 77;  // the bank has other customers
  }

  std::uint16_t port() const { return kit::Address::local_of(listener_.get()).port(); }
  long transfers() const { return transfers_; }
  // How many accounts money was asked from.
  std::size_t givers() const { return asked_.size(); }
  // Whether all clients have asked for a transfer at the same time.
  bool all_have_met() const { return all_have_met_; }
  long most_at_once() const { return most_at_once_; }
  long total() const {
    long sum = 0;
    for (const auto& [name, balance] : balances_) sum += balance;
    return sum;
  }

  // Serves until the client has ended.
  void serve(const Program& client) {
    step_.await([&] { return turn(), !client.alive(); }, kit::event_deadline(), milliseconds{1});
  }

 private:
  struct Customer {
    kit::Descriptor connection;
    std::string unread{};
    std::string held{};  // a transfer that is not answered yet
  };

  void turn() {
    int fd;
    while ((fd = ::accept(listener_.get(), nullptr, nullptr)) >= 0) {
      customers_.push_back({non_blocking(fd)});
    }
    std::erase_if(customers_, [&](Customer& customer) { return !listen_to(customer); });
    const auto holds = [](const Customer& customer) { return !customer.held.empty(); };
    most_at_once_ =
        std::max<long>(most_at_once_, std::count_if(customers_.begin(), customers_.end(), holds));
    if (most_at_once_ >= clients_) all_have_met_ = true;
    if (!all_have_met_) return;
    std::erase_if(customers_, [&](Customer& customer) {
      const std::string request = std::exchange(customer.held, {});
      return !request.empty() && !(answer(customer, request) && answer_lines(customer));
    });
  }

  // False: it has gone, or is sent away.
  bool listen_to(Customer& customer) {
    char bytes[4096];
    ssize_t count;
    while ((count = ::recv(customer.connection.get(), bytes, sizeof bytes, 0)) > 0) {
      customer.unread.append(bytes, static_cast<std::size_t>(count));
      if (!answer_lines(customer)) return false;
    }
    return count == -1 && errno == EAGAIN;
  }

  // Whoever says many lines at once is answered in their order; behind one that is held they wait.
  bool answer_lines(Customer& customer) {
    std::size_t end;
    while (customer.held.empty() && (end = customer.unread.find('\n')) != std::string::npos) {
      const std::string request = customer.unread.substr(0, end);
      customer.unread.erase(0, end + 1);
      if (!all_have_met_ && request.starts_with("TRANSFER ")) {
        customer.held = request;
      } else if (!answer(customer, request)) {
        return false;
      }
    }
    return true;
  }

  // False: it is sent away without an answer. (Answers are short: they fit into the socket.)
  bool answer(Customer& customer, const std::string& request) {
    const std::string text = obey(request);
    (void)::send(customer.connection.get(), text.data(), text.size(), MSG_NOSIGNAL);
    return !text.empty();
  }

  std::string obey(const std::string& line) {
    char command[16] = "", from[40] = "", to[40] = "";
    long amount = 0;
    if (std::sscanf(line.c_str(), "TRANSFER %32s %32s %ld", from, to, &amount) == 3) {
      transfers_ += 1;
      asked_[from] += 1;
      if (crime_ == Crime::cuts_a_connection && transfers_ == 7) return "";
      if (crime_ == Crime::talks_nonsense && transfers_ == 7) return "MAYBE\n";
      if (balances_.count(from) == 0 || balances_.count(to) == 0) return "ERR no such account\n";
      // The third is refused, as if another customer had been quicker.
      if (balances_[from] < amount || transfers_ == 3) return "ERR not enough\n";
      balances_[from] -= amount;
      balances_[to] += amount;
      if (crime_ == Crime::takes_one_unit && transfers_ == 7) balances_[to] -= 1;
      if (crime_ == Crime::adds_one_unit && transfers_ == 7) balances_[to] += 1;
      return "OK\n";
    }
    if (std::sscanf(line.c_str(), "%15s %32s %ld", command, from, &amount) == 3 &&
        std::string(command) == "DEPOSIT") {
      return "OK " + std::to_string(balances_[from] += amount) + "\n";
    }
    if (line == "TOTAL") return "OK " + std::to_string(total()) + "\n";
    if (line.starts_with("BALANCE "))
      return "OK " + std::to_string(balances_[line.substr(8)]) + "\n";
    return "ERR no such request\n";
  }

  Step& step_;
  Crime crime_;
  long clients_;
  kit::Descriptor listener_;
  std::vector<Customer> customers_;
  std::map<std::string, long> balances_;
  std::map<std::string, long> asked_;  // for transfers from each
  long transfers_ = 0;
  long most_at_once_ = 0;
  bool all_have_met_ = false;
};

}  // namespace

STEP("06.6", "proves TOTAL, and says so when one unit is missing") {
  constexpr long clients = 4, transfers = 5;
  const auto start_client = [&](const FakeBank& bank) -> Program& {
    return step.client(
        {.args = {"--port", std::to_string(bank.port()), "--clients", std::to_string(clients),
                  "--transfers", std::to_string(transfers)}});
  };
  {
    step.suspect(
        "The bank is honest, and has other customers too. What TOTAL is afterwards is to be "
        "compared with what TOTAL was before, as the bank itself says it.");
    FakeBank honest(step, FakeBank::Crime::none, clients);
    Program& client = start_client(honest);
    honest.serve(client);
    if (!honest.all_have_met() && client.alive()) {
      step.suspect(
          "The clients move money at once: a thread and a connection for each, and all are "
          "started before the first is waited for.");
      step.fail(std::to_string(clients) + " clients at the same time",
                kit::counted(static_cast<std::size_t>(honest.most_at_once()), "client") +
                    " asked for a transfer, and none beside");
    }
    (void)client.wait_exit();
    if (client.errors().find("ERR") != std::string_view::npos) {
      step.suspect(
          "The bank may refuse a transfer (ERR) when there is not enough. That moves nothing, and "
          "is no error: go on with the next.");
    }
    client.expect_exit(0);
    step.suspect("Each of --clients asks for --transfers transfers.");
    step.check(honest.transfers() == clients * transfers,
               std::to_string(clients * transfers) + " transfers",
               std::to_string(honest.transfers()) + " have come");
    step.suspect("Money moves to and fro: some clients from alice to bob, the others back.");
    step.check(honest.givers() >= 2, "transfers in both directions", "all are from one account");
    step.suspect("The client prints TOTAL, as the bank has said it.");
    step.check(client.output().find(std::to_string(honest.total())) != std::string_view::npos,
               "the client prints TOTAL, " + std::to_string(honest.total()),
               kit::quoted(client.output()));
  }
  for (const auto crime : {FakeBank::Crime::takes_one_unit, FakeBank::Crime::adds_one_unit}) {
    step.suspect(
        "One unit has disappeared, or come from nowhere. The client must ask the bank for TOTAL "
        "again after the transfers, compare, and exit with status 1 and a sentence that names the "
        "new TOTAL.");
    FakeBank forger(step, crime, clients);
    Program& client = start_client(forger);
    forger.serve(client);
    client.expect_error_sentence({std::to_string(forger.total())});
    step.suspect("A client that fails has printed no answer: first compare, then print.");
    step.check(client.output().empty(), "nothing on stdout", kit::quoted(client.output()));
  }
  {
    step.suspect(
        "A connection was cut in the midst of the transfers: that is an error too, on "
        "whichever thread it is noticed.");
    FakeBank rude(step, FakeBank::Crime::cuts_a_connection, clients);
    Program& client = start_client(rude);
    rude.serve(client);
    client.expect_error_sentence();
  }
  {
    step.suspect(
        "The bank has answered a transfer with neither OK nor ERR, and the client goes on. What is "
        "no answer of the protocol is an error.");
    FakeBank odd(step, FakeBank::Crime::talks_nonsense, clients);
    Program& client = start_client(odd);
    odd.serve(client);
    client.expect_error_sentence();
  }
}

// ---- harden -------------------------------------------------------------------------------------

STEP("06.7", "a client that does not read its answer holds no lock") {
  step.suspect(
      "While one answer is being sent, nobody else is served: a lock is held while the server "
      "waits for a client. Hold it over the ledger alone, and give it back before the answer is "
      "sent.");
  Server& server = step.server();
  Peer& slow = step.connect(server);
  Peer& other = step.connect(server);
  ask(slow, "DEPOSIT pot 5", "OK 5");
  ask(other, "BALANCE pot", "OK 5");
  for (const std::string& request :
       {std::string("BALANCE pot"), std::string("TOTAL"), std::string("DEPOSIT pot 1")}) {
    auto held = server.recorder().add(Fault::hold(Calls::any_send).peer(slow.port()));
    slow.send(request + "\n");
    step.wait_until([&] { return held.holding() > 0; }, "the first client's answer is on its way");
    other.send("DEPOSIT pot 10\n").read_line();
    other.send("TOTAL\n").read_line();
    held.release();
    slow.read_line();
  }
  ask(other, "BALANCE pot", "OK 36");
  server.stop();
}

namespace {

// What the kernel tells of a program's threads (Linux; elsewhere there are none to be seen).
namespace threads {

std::vector<int> of(const Program& program) {
  std::vector<int> numbers;
  std::error_code gone;
  const std::string folder = "/proc/" + std::to_string(program.pid()) + "/task";
  for (const auto& entry : std::filesystem::directory_iterator(folder, gone)) {
    numbers.push_back(std::atoi(entry.path().filename().c_str()));
  }
  return numbers;
}

std::ifstream file(const Program& program, int thread, const char* name) {
  return std::ifstream("/proc/" + std::to_string(program.pid()) + "/task/" +
                       std::to_string(thread) + "/" + name);
}

// The system call that a thread sleeps in, and its arguments.
struct Call {
  long number = -1;
  unsigned long argument[4] = {};
};
Call call(const Program& program, int thread) {
  std::string line;
  Call found;
  std::ifstream text = file(program, thread, "syscall");
  if (!std::getline(text, line) ||
      std::sscanf(line.c_str(), "%ld %lx %lx %lx %lx", &found.number, &found.argument[0],
                  &found.argument[1], &found.argument[2], &found.argument[3]) < 5) {
    found.number = -1;
  }
  return found;
}

// How often a thread has gone to sleep.
long sleeps(const Program& program, int thread) {
  std::ifstream text = file(program, thread, "status");
  long count = 0;
  for (std::string line; std::getline(text, line);) {
    if (std::sscanf(line.c_str(), "voluntary_ctxt_switches: %ld", &count) == 1) break;
  }
  return count;
}

// Whether it sleeps until another thread wakes it.
bool is_waiting(const Program& program, int thread) {
#if defined(__linux__)
  const Call now = call(program, thread);
  return now.number == SYS_futex && now.argument[3] == 0;
#else
  return false;
#endif
}

std::set<int> waiting(const Program& program) {
  std::set<int> found;
  for (const int thread : of(program)) {
    if (is_waiting(program, thread)) found.insert(thread);
  }
  return found;
}

// A thread that will wake by itself: what it does.
std::string waking_by_itself(const Program& program) {
#if defined(__linux__)
  for (const int thread : of(program)) {
    const Call now = call(program, thread);
    if (now.number == SYS_clock_nanosleep) return "a thread sleeps for a time";
    if (now.number == SYS_futex && now.argument[3] != 0) return "a thread waits with a timeout";
#if defined(SYS_nanosleep)
    if (now.number == SYS_nanosleep) return "a thread sleeps for a time";
#endif
#if defined(SYS_poll)
    const bool timed = static_cast<int>(now.argument[2]) > 0;
    if (now.number == SYS_poll && timed) return "a thread polls with a timeout";
#endif
  }
#else
  (void)program;
#endif
  return {};
}

long sleeps(const Program& program) {
  long sum = 0;
  for (const int thread : of(program)) sum += sleeps(program, thread);
  return sum;
}

}  // namespace threads

}  // namespace

STEP("06.8",
     "WAIT answers when it becomes true, without polling, and the server can end meanwhile") {
  Server& server = step.server();
  Peer& teller = step.connect(server);
  ask(teller, "DEPOSIT a 5", "OK 5");
  ask(teller, "DEPOSIT b 1000", "OK 1000");
  step.suspect("What is true already is answered at once.");
  ask(teller, "WAIT a 5", "OK 5");
  step.suspect("To wait for an account that does not exist is refused at once.");
  expect_refused(step, teller, "WAIT nobody 1");

  // A client whose WAIT waits, and is not only on its way: `sleeper` is the thread that serves it.
  int sleeper = -1;
  bool sleep_is_seen = true;  // not that of a bank that wakes by itself; and on Linux alone
  const auto waiting = [&](long amount, const std::string& said_before = "",
                           const std::string& said_after = "") -> Peer& {
    const std::set<int> before = threads::waiting(server);
    sleeper = -1;
    int seen = -1;
    long seen_sleeps = 0;
    Peer& client = step.connect(server);
    client.send(said_before + "WAIT a " + std::to_string(amount) + "\n" + said_after)
        .wait_until_taken();
    if (!sleep_is_seen) return client;
    sleep_is_seen = step.await(
        [&] {
          for (const int thread : threads::waiting(server)) {
            if (before.count(thread) != 0) continue;
            // Twice the same sleep: it does not only wait for a lock on its way.
            const long count = threads::sleeps(server, thread);
            if (thread == seen && count == seen_sleeps) sleeper = thread;
            seen = thread;
            seen_sleeps = count;
          }
          return sleeper != -1;
        },
        kit::after(kit::scaled(milliseconds{1000})), milliseconds{2});
    return client;
  };
  const char* const too_early =

      "A deposit woke the one who waits, too early: not enough has come yet. wait() may "
      "return for another's change, or for none: look again, in a loop.";
  Peer& first = waiting(50);
  step.suspect(too_early);
  step.suspect_if_it_hangs(
      "While one waits the bank answers nobody else: wait_for() sleeps and holds the lock. "
      "std::condition_variable::wait() gives it back as long as it sleeps; sleep_for() does not.");
  // He wakes, looks (the ledger takes a moment), and sleeps again; or answers.
  const long sleeps = threads::sleeps(server, sleeper);
  ask(teller, "DEPOSIT a 5", "OK 10");
  step.await(
      [&] {
        return !first.unread().empty() || (threads::sleeps(server, sleeper) >= sleeps + 2 &&
                                           threads::is_waiting(server, sleeper));
      },
      kit::after(kit::scaled(milliseconds{1000})), milliseconds{2});
  ask(teller, "DEPOSIT b 1", "OK 1001");
  ask(teller, "TOTAL", "OK 1011");
  step.check(first.unread().empty(), "no answer to WAIT a 50 while a has 10",
             kit::quoted(first.unread()));
  step.suspect(
      "The deposit that makes it true must wake the one who waits (notify_all), and he needs "
      "the lock to look: it is given back while wait() sleeps.");
  ask(teller, "DEPOSIT a 45", "OK 55");
  const std::string said = first.read_line();
  if (said != "OK 55\n") step.suspect(too_early);
  step.check(said == "OK 55\n", "\"OK 55\\n\" in answer to WAIT a 50", kit::quoted(said));
  step.suspect(
      "An answer that was ready before the WAIT sleeps with it. The server as it was given sends "
      "what it has gathered before it waits.");
  Peer& second = waiting(100, "BALANCE b\n");
  second.expect("OK 1001\n");
  step.suspect("A transfer can make it true as well as a deposit: it must wake them too.");
  ask(teller, "TRANSFER b a 45", "OK");
  second.expect("OK 100\n");

  step.suspect(
      "Several wait, each for an amount of his own. notify_one() wakes one of them, perhaps one "
      "who still has to wait, and the one who was meant sleeps on: notify_all().");
  std::vector<Peer*> patient;
  // He will find the bank closed twice.
  Peer& stubborn = waiting(900'000, "", "WAIT a 800000\n");
  for (int i = 0; i < 6; ++i) patient.push_back(&waiting(900'000));
  Peer& meant = waiting(110);
  for (int i = 0; i < 6; ++i) patient.push_back(&waiting(900'000));
  ask(teller, "DEPOSIT a 10", "OK 110");
  meant.expect("OK 110\n");
  Peer& by_transfer = waiting(120);
  ask(teller, "TRANSFER b a 10", "OK");
  by_transfer.expect("OK 120\n");

  step.suspect(
      "A client that waited has left, and its thread sleeps on, perhaps for ever. look_again() "
      "wakes all who wait, and wait_for() throws Refused when it is given_up.");
  step.suspect_task("06.F", "Bank::look_again");
  const std::size_t busy = server.open_descriptors();
  for (Peer* client : {&waiting(800'000), &waiting(800'000)}) client->close();
  step.wait_until([&] { return server.open_descriptors() <= busy; },
                  "no connection is kept for a client that has left");
  ask(teller, "DEPOSIT a 1", "OK 121");
  step.suspect_task("06.F");

  step.suspect(
      "The server ends while clients wait: stop() sets a flag under the lock and wakes them "
      "all, and wait_for() throws Refused. Otherwise the end waits for them for ever.");
  server.expect_end_sometime();
  server.signal(SIGTERM);
  for (Peer* client : patient) {
    const std::string answer = client->read_line();
    step.check(answer.starts_with("ERR "), "\"ERR\" and a reason", kit::quoted(answer));
    client->expect_end();
  }
  step.suspect(
      "Who asks to wait after stop() waits for ever: stop() ends every wait_for(), now and from "
      "now on. It sets a flag that stays.");
  for (int i = 0; i < 2; ++i) {
    const std::string answer = stubborn.read_line();
    step.check(answer.starts_with("ERR "), "\"ERR\" and a reason, twice", kit::quoted(answer));
  }
  stubborn.expect_end();
  server.expect_exit(0);

  step.suspect(
      "A deposit came between the look at the balance and the sleep, and nobody wakes the one who "
      "waits. To look and to go to sleep is one step, under the lock of those who change: wait() "
      "gives it back when the thread sleeps.");
  Server& held_server = step.server();
  Peer& giver = step.connect(held_server);
  ask(giver, "DEPOSIT a 5", "OK 5");
  Peer& taker = step.connect(held_server);
  ask(taker, "BALANCE a", "OK 5");
  // Whichever lock it is that is given back too early: the server has some of its own before it,
  // and another thread of its own that takes them now and then (hence three times).
  constexpr std::uint64_t most_locks = 8;  // one who looks again and again never comes to rest
  long balance = 5;
  std::uint64_t nth = 1;
  for (int round = kit::RecorderLog::available() ? 0 : 3; round < 3;) {
    const std::string next = std::to_string(++balance);
    step.let_rest(held_server);  // what it still gives back after the last answer is not counted
    const std::set<int> resting = threads::waiting(held_server);
    kit::FaultHandle held = held_server.recorder().add(Fault::hold(Calls::mutex_unlock).at(nth));
    taker.send("WAIT a " + next + "\n").wait_until_taken();
    const auto a_moment = [] { return kit::after(kit::scaled(milliseconds{400})); };
    step.await([&] { return held.holding() > 0 || threads::waiting(held_server) != resting; },
               a_moment(), milliseconds{1});
    step.let_rest(held_server);  // it sleeps, or is held after it has looked
    const bool taker_is_held = held.holding() > 0;
    giver.send("DEPOSIT a 1\n");
    // The one who gives is mostly done now; or he is held himself, or waits for the one who is.
    if (taker_is_held) {
      step.await([&] { return !giver.unread().empty(); }, a_moment(), milliseconds{1});
    } else {
      step.let_rest(held_server);
    }
    held.withdraw();
    giver.expect("OK " + next + "\n");
    taker.expect("OK " + next + "\n");
    if (taker_is_held && nth < most_locks) {
      ++nth;
    } else {  // it sleeps without coming to one more
      nth = 1;
      ++round;
    }
  }
  held_server.stop();

  step.suspect(
      "A thread that waits must sleep until somebody wakes it: std::condition_variable. To "
      "look again every few milliseconds (sleep_for, wait_for) is to poll.");
  // On the plain build: a sanitizer has a thread of its own that looks around.
  Server& plain = step.server({.build = "plain"});
  Peer& rich = step.connect(plain);
  ask(rich, "DEPOSIT a 5", "OK 5");
  Peer& poor = step.connect(plain);
  poor.send("WAIT a 6\n").wait_until_taken();
  const auto rests = [&] {
    const long before = threads::sleeps(plain);
    std::string seen = threads::waking_by_itself(plain);
    step.await([] { return false; }, kit::after(milliseconds{60}));
    if (seen.empty()) seen = threads::waking_by_itself(plain);
    return seen.empty() && threads::sleeps(plain) == before;
  };
  step.wait_until(rests, "all threads sleep until somebody wakes them", [&] {
    const std::string seen = threads::waking_by_itself(plain);
    return seen.empty() ? std::string("some of them wake by themselves, again and again") : seen;
  });

  ask(rich, "DEPOSIT a 1", "OK 6");
  poor.expect("OK 6\n");
  plain.stop();
}

STEP("06.9", "no data race, no lock-order inversion") {
  step.suspect(
      "ThreadSanitizer found that two threads use the same memory, one of them writes, and no "
      "lock orders the two. Every use of the ledger needs the lock, a read as well.");
  Server& server = step.server();
  Peer& teller = step.connect(server);
  ask(teller, "DEPOSIT a 1000", "OK 1000");
  ask(teller, "DEPOSIT b 1000", "OK 1000");
  Peer& patient = step.connect(server);
  patient.send("WAIT a 1000000\n").wait_until_taken();
  // One after the other: a lock-order inversion need not come to a deadlock to be found.
  ask(teller, "TRANSFER a b 5", "OK");
  ask(teller, "TRANSFER b a 5", "OK");
  const std::vector<Peer*> clients = clients_of(step, server, 6);
  const std::vector<std::string> requests = {
      times(15, "DEPOSIT a 1\nDEPOSIT c 1"),  times(15, "TRANSFER a b 1\nBALANCE b"),
      times(15, "TRANSFER b a 1\nBALANCE a"), times(15, "TOTAL\nBALANCE a"),
      times(15, "BALANCE b\nDEPOSIT d 1"),    times(15, "DEPOSIT b 1\nTOTAL")};
  AtOnce at_once(server);
  for (std::size_t i = 0; i < clients.size(); ++i) at_once.say(*clients[i], requests[i]);
  at_once.go();
  for (Peer* client : clients) {
    for (int i = 0; i < 30; ++i) client->read_line();
  }
  teller.send("TOTAL\n");
  const std::string total = teller.read_line();
  server.expect_end_sometime();
  server.signal(SIGTERM);
  patient.read_line();
  server.expect_exit(0);
  step.suspect(
      "No race was found, and money is lost: the threads have no account in common, so there was "
      "nothing that could race. All clients use one bank.");
  step.check(total == "OK 2060\n", "a TOTAL of 2060 once all was deposited",
             "answered " + kit::quoted(total));

  // One who waits alone: nobody takes the lock between his look at what stop() changes and stop(),
  // or that would put the two in an order by chance.
  Server& quiet = step.server();
  Peer& opener = step.connect(quiet);
  ask(opener, "DEPOSIT a 1", "OK 1");
  Peer& alone = step.connect(quiet);
  alone.send("WAIT a 2\n").wait_until_taken();
  step.let_rest(quiet);
  quiet.expect_end_sometime();
  quiet.signal(SIGTERM);
  alone.read_line();
  quiet.expect_exit(0);
}

STEP("06.10", "--model forks: every client sees its own copy") {
  Server& server = step.server({.args = {"--model", "forks"}});
  Peer& one = step.connect(server);
  Peer& two = step.connect(server);
  step.suspect(
      "The bank does not work in a forked child. fork() copies the memory and one thread: "
      "what another thread of the parent did, or held, is not there in the child.");
  ask(one, "DEPOSIT a 5", "OK 5");
  step.suspect(
      "Processes do not share memory: this client's child has a copy of the bank as it was "
      "before anybody asked for anything.");
  expect_refused(step, two, "BALANCE a");
  ask(two, "DEPOSIT a 7", "OK 7");
  ask(one, "BALANCE a", "OK 5");
  ask(one, "TOTAL", "OK 5");
  ask(two, "TOTAL", "OK 7");
  step.check(server.children().size() == 2, "a process for each of two clients",
             std::to_string(server.children().size()) + " child processes");
  step.suspect(
      "Nobody else can change this copy: a WAIT that is not true yet would wait for ever, and "
      "is refused at once.");
  ask(one, "WAIT a 5", "OK 5");
  expect_refused(step, one, "WAIT a 6");
  one.half_close();
  one.expect_end();
  two.half_close();
  two.expect_end();
  server.stop();
}
