kit_answer(
  NAME threads-made-before
  SENTENCE "Forty threads wait for clients: none is made for one."
  FILE server.cpp
  REPLACE [[#include <chrono>
]]
  WITH [[#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
]]
  REPLACE [[#include <string_view>
#include <utility>
]]
  WITH [[#include <string_view>
#include <thread>
#include <utility>
#include <vector>
]]
  REPLACE [[void serve(const Options& options) {
]]
  WITH [[class Pool : public ServerWith<Settings, ThreadingHTTPServer> {
 public:
  Pool(const Address& address, RequestHandlerClass handler)
      : ServerWith<Settings, ThreadingHTTPServer>(address, handler) {
    for (int i = 0; i < 40; ++i) threads_.emplace_back([this] { work(); });
  }
  ~Pool() override { Pool::server_close(); }

  void process_request(Request request) override {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::make_shared<Request>(std::move(request)));
    changed_.notify_one();
  }

  void server_close() override {
    ThreadingHTTPServer::server_close();
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      changed_.notify_all();
    }
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  void work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      const std::shared_ptr<Request> mine = waiting_.front();
      waiting_.pop_front();
      lock.unlock();
      process_request_thread(*mine);
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Request>> waiting_;
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

void serve(const Options& options) {
]]
  REPLACE [[  run_with_sessions(options);
}]]
  WITH [[  (void)run_with_sessions;
  Pool server(options.address(), handler_class<SiteHandler>);
  set_attributes(server, options);
  run(server);
}]])
