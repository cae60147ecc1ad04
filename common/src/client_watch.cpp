#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <socketserver/base_server.hpp>
#include <socketserver/client_watch.hpp>

#include <cerrno>
#include <utility>
#include <vector>

namespace socketserver {
namespace {

// The end of file may stand behind bytes that nobody has read yet: POLLRDHUP tells it all the same.
#if defined(POLLRDHUP)
constexpr short end_of_file = POLLRDHUP;
#else
constexpr short end_of_file = 0;  // POLLHUP comes unasked
#endif

// To poll(2) our own shutdown(SHUT_RD) looks like the client's end; the connection knows better.
bool client_has_ended(int connection) {
#if defined(__linux__)
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(connection, IPPROTO_TCP, TCP_INFO, &info, &size) == 0) {
    return info.tcpi_state != TCP_ESTABLISHED;
  }
#endif
  return connection != -1;
}

}  // namespace

ClientWatch::ClientWatch(std::function<void()> noticed) : noticed_(std::move(noticed)) {
  thread_ = std::thread([this] { run(); });
}

ClientWatch::~ClientWatch() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.wake();
  thread_.join();
}

ClientWatch::Client::Client(ClientWatch& watch, int connection)
    : watch_(watch), connection_(connection) {
  {
    const std::lock_guard lock(watch_.mutex_);
    number_ = ++watch_.last_number_;
    watch_.clients_.emplace(number_, this);
  }
  watch_.wake_.wake();
}

// No wake: what is still waited for has a number that nobody has any more.
ClientWatch::Client::~Client() {
  const std::lock_guard lock(watch_.mutex_);
  watch_.clients_.erase(number_);
}

void ClientWatch::run() {
  std::vector<pollfd> polled;
  std::vector<unsigned long> numbers;  // whose they are
  for (;;) {
    polled.assign(1, {wake_.fileno(), POLLIN, 0});
    numbers.assign(1, 0);
    {
      const std::lock_guard lock(mutex_);
      if (ending_) return;
      for (const auto& [number, client] : clients_) {
        if (client->told_) continue;
        polled.push_back({client->connection_, end_of_file, 0});
        numbers.push_back(number);
      }
    }
    if (::poll(polled.data(), static_cast<nfds_t>(polled.size()), -1) == -1) {
      // Without memory for the moment: to ask again at once would be to spin.
      if (errno != EINTR) std::this_thread::sleep_for(BaseServer::pause_after_failure);
      continue;
    }
    (void)wake_.drain();
    if (note_those_who_left(polled, numbers)) noticed_();
  }
}

bool ClientWatch::note_those_who_left(const std::vector<pollfd>& polled,
                                      const std::vector<unsigned long>& numbers) {
  bool anybody = false;
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 1; i < polled.size(); ++i) {
    const auto found = clients_.find(numbers[i]);
    if (polled[i].revents == 0 || found == clients_.end()) continue;
    Client& client = *found->second;
    client.told_ = true;  // once: the end does not go away
    client.left_ = client_has_ended(client.connection_);
    anybody |= client.left_;
  }
  return anybody;
}

}  // namespace socketserver
