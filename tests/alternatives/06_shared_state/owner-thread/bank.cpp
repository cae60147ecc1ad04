// One thread owns the ledger, and works through a queue; nobody else touches it. It is started when
// it is first needed: a forked child has to start its own.

#include "bank.hpp"

#include <utility>

namespace socketserver {

void Bank::Owner::run() {
  for (;;) {
    std::unique_lock lock(mutex);
    filled.wait(lock, [this] { return ended || !queue.empty(); });
    if (queue.empty()) return;
    const std::function<void(Owner&)> work = std::move(queue.front());
    queue.pop_front();
    lock.unlock();
    work(*this);
  }
}

void Bank::Owner::changed(const std::string& name) {
  const std::int64_t balance = ledger.read(name);
  waiting.remove_if([&](const Waiting& one) {
    if (one.name != name || one.amount > balance) return false;
    one.answer->set_value(balance);
    return true;
  });
}

Bank::Owner& Bank::owner() {
  const std::lock_guard lock(starting_);
  if (owner_ && process_ != ::getpid()) {
    owner_->thread.detach();  // the parent's; nothing of it is here
    (void)owner_.release();
  }
  if (!owner_) {
    owner_ = std::make_unique<Owner>();
    owner_->thread = std::thread([used = owner_.get()] { used->run(); });
    process_ = ::getpid();
  }
  return *owner_;
}

Bank::~Bank() {
  if (!owner_ || process_ != ::getpid()) return;
  {
    const std::lock_guard lock(owner_->mutex);
    owner_->ended = true;
  }
  owner_->filled.notify_one();
  owner_->thread.join();
}

std::int64_t Bank::ask(std::function<void(Owner&, const Promise&)> work) {
  const auto answer = std::make_shared<std::promise<std::int64_t>>();
  std::future<std::int64_t> future = answer->get_future();
  Owner& asked = owner();
  {
    const std::lock_guard lock(asked.mutex);
    asked.queue.push_back([answer, work = std::move(work)](Owner& used) {
      try {
        work(used, answer);
      } catch (...) {
        answer->set_exception(std::current_exception());
      }
    });
  }
  asked.filled.notify_one();
  return future.get();
}

std::int64_t Bank::deposit(const std::string& name, std::int64_t amount) {
  return ask([=](Owner& used, const Promise& answer) {
    const std::int64_t after = amount + (used.ledger.has(name) ? used.ledger.read(name) : 0);
    used.ledger.write(name, after);
    used.changed(name);
    answer->set_value(after);
  });
}

void Bank::transfer(const std::string& from, const std::string& to, std::int64_t amount) {
  ask([=](Owner& used, const Promise& answer) {
    if (from == to) throw Refused("from an account to itself");
    const std::int64_t left = used.ledger.read(from) - amount;
    if (left < 0) throw Refused("not enough in " + from);
    used.ledger.write(to, used.ledger.read(to) + amount);
    used.ledger.write(from, left);
    used.changed(to);
    answer->set_value(0);
  });
}

std::int64_t Bank::balance(const std::string& name) {
  return ask(
      [=](Owner& used, const Promise& answer) { answer->set_value(used.ledger.read(name)); });
}

std::int64_t Bank::total() {
  return ask([](Owner& used, const Promise& answer) {
    std::int64_t sum = 0;
    for (const std::string& name : used.ledger.names()) sum += used.ledger.read(name);
    answer->set_value(sum);
  });
}

std::int64_t Bank::wait_for(const std::string& name, std::int64_t amount,
                            const std::atomic<bool>& given_up) {
  return ask([=, &given_up](Owner& used, const Promise& answer) {
    const std::int64_t balance = used.ledger.read(name);
    if (balance >= amount) {
      answer->set_value(balance);
    } else if (used.stopped) {
      throw Refused("the bank has closed");
    } else if (given_up) {
      throw Refused("given up");
    } else {
      used.waiting.push_back({name, amount, &given_up, answer});
    }
  });
}

void Bank::look_again() {
  ask([](Owner& used, const Promise& answer) {
    used.waiting.remove_if([](const Waiting& one) {
      if (!*one.given_up) return false;
      one.answer->set_exception(std::make_exception_ptr(Refused("given up")));
      return true;
    });
    answer->set_value(0);
  });
}

void Bank::stop() {
  ask([](Owner& used, const Promise& answer) {
    used.stopped = true;
    for (const Waiting& one : used.waiting) {
      one.answer->set_exception(std::make_exception_ptr(Refused("the bank has closed")));
    }
    used.waiting.clear();
    answer->set_value(0);
  });
}

}  // namespace socketserver
