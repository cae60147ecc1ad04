// The partners that a step speaks with, and the ports and hosts where they meet.

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "harness/base/places.hpp"
#include "harness/wire/loopback.hpp"
#include "step.hpp"
#include "witness.hpp"

namespace kit {
namespace {

// Ports below what the kernel hands out by itself (32768, macOS 49152) and above the well-known.
constexpr std::uint16_t first_port = 20'000;
constexpr std::uint16_t port_count = 10'000;

// Nobody uses it now, and no connection of an earlier server keeps it (TIME_WAIT). Bound for a
// moment without listening, which leaves no trace.
bool port_is_free(std::uint16_t port) {
  const Address address = Address::tcp("127.0.0.1", port);
  return can_bind_plainly(address, SOCK_STREAM) && can_bind_plainly(address, SOCK_DGRAM);
}

// A port in the wrong byte order is another one that anybody may bind: a forgotten htons() shows as
// itself, and not as a missing right or as nothing (of 256 ports one reads the same both ways).
bool shows_byte_order(std::uint16_t port) {
  constexpr std::uint16_t first_unprivileged = 1024;
  const auto swapped = static_cast<std::uint16_t>(port << 8 | port >> 8);
  return swapped != port && swapped >= first_unprivileged && port_is_free(swapped);
}

}  // namespace

std::size_t Step::add_conversation(const Address& address, bool datagrams, bool listens) {
  Conversation conversation;
  conversation.address = address;
  conversation.datagrams = datagrams;
  conversation.listens = listens;
  conversation.order = order_++;
  conversations_.push_back(std::move(conversation));
  return conversations_.size() - 1;
}

Conversation& Step::acting(std::size_t conversation) {
  conversations_[conversation].acted = order_;
  return conversations_[conversation];
}

Peer& Step::add_peer(Stream stream, std::size_t conversation, std::string_view role) {
  std::string name = std::string(role) + ' ' + std::to_string(peers_.size() + 1);
  conversations_[conversation].name = name;
  if (witness_) {
    witness_->partner(name, role == "client" ? "opened" : "accepted", "a connection");
  }
  peers_.push_back(std::make_unique<Peer>(*this, std::move(stream), std::move(name), conversation));
  story_.set_actors(peers_.size() + datagram_peers_.size());
  return *peers_.back();
}

Peer& Step::connect(const Address& address, Stream::Width width) {
  try {
    story_.begins();
    Stream stream = Stream::connect(address, event_deadline(), width);
    Peer& peer = add_peer(std::move(stream), add_conversation(address, false, false), "client");
    if (peers_.size() > 1) story_.add("opened", "a connection", peer.name());
    return peer;
  } catch (const std::system_error& error) {
    fail({.expected = "a connection to " + address.text(),
          .got = error.code().message(),
          .out_of_time = error.code().value() == ETIMEDOUT});
  }
}

bool Step::refuses(const Address& address) {
  try {
    Stream::connect(address, event_deadline());
    return false;
  } catch (const std::system_error&) {
    return true;
  }
}

void Step::expect_refused(const Address& address) {
  if (!refuses(address)) {
    fail({.expected = "nobody listens on " + address.text(), .got = "a connection was accepted"});
  }
  story_.add("refused", "a connection to " + address.text());
}

DatagramPeer& Step::add_datagram_peer(Descriptor socket, const Address& target, bool listens) {
  const std::size_t number = datagram_peers_.size() + peers_.size() + 1;
  std::string name = (listens ? "partner " : "client ") + std::to_string(number);
  const std::size_t conversation =
      add_conversation(listens ? Address::local_of(socket.get()) : target, true, listens);
  conversations_[conversation].name = name;
  if (witness_) witness_->partner(name, "opened", "a socket");
  datagram_peers_.push_back(std::make_unique<DatagramPeer>(*this, std::move(socket), target,
                                                           std::move(name), conversation));
  story_.set_actors(peers_.size() + datagram_peers_.size());
  return *datagram_peers_.back();
}

DatagramPeer& Step::datagram_peer(const Address& address, Name name) {
  if (!address.is_unix()) {
    const std::string host = address.family() == AF_INET6 ? "::1" : "127.0.0.1";
    return add_datagram_peer(bound_socket(Address::tcp(host, 0), SOCK_DGRAM), address, false);
  }
  if (name != Name::path) {
    Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM, 0));
    fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
    fcntl(socket.get(), F_SETFL, O_NONBLOCK);
    // An address that ends behind its family asks for a name, which the kernel makes up. unix(7)
    const sockaddr family{.sa_family = AF_UNIX, .sa_data = {}};
    if (name == Name::abstract && ::bind(socket.get(), &family, sizeof family.sa_family) != 0) {
      throw std::system_error(errno, std::generic_category(), "bind");
    }
    return add_datagram_peer(std::move(socket), address, false);
  }
  const std::string own = path("peer-" + std::to_string(datagram_peers_.size() + 1));
  Descriptor socket = bound_socket(Address::unix_path(own), SOCK_DGRAM);
  sandbox_.give(own);  // or the program could not answer to it
  return add_datagram_peer(std::move(socket), address, false);
}

Listener& Step::listen(std::string_view host) {
  return listen(Address::tcp(host, 0));
}

Listener& Step::listen(const Address& address) {
  Descriptor socket = bound_socket(address, SOCK_STREAM);
  if (::listen(socket.get(), SOMAXCONN) != 0) {
    throw std::system_error(errno, std::generic_category(), "listen");
  }
  if (address.is_unix()) sandbox_.give(address.path());
  const std::size_t conversation = add_conversation(Address::local_of(socket.get()), false, true);
  listeners_.push_back(std::make_unique<Listener>(*this, std::move(socket), conversation));
  return *listeners_.back();
}

DatagramPeer& Step::datagram_listener(std::string_view host) {
  return datagram_listener(Address::tcp(host, 0));
}

DatagramPeer& Step::datagram_listener(const Address& address) {
  Descriptor socket = bound_socket(address, SOCK_DGRAM);
  if (address.is_unix()) sandbox_.give(address.path());
  return add_datagram_peer(std::move(socket), {}, true);
}

std::vector<std::string> Step::hosts() {
  if (have_ipv6()) return {"127.0.0.1", "::1"};
  return {"127.0.0.1"};
}

std::uint16_t Step::fixed_port() {
  // In a network of its own a step has all the ports; elsewhere it agrees with other steps of this
  // user. (Of another user's it learns when one is taken.)
  const std::string folder = std::getenv("KIT_OWN_NETWORK") != nullptr ? "" : own_place("ports");
  const std::size_t start = static_cast<std::size_t>(getpid()) * 7 + ports_.size();
  for (std::size_t i = 0; i < port_count; ++i) {
    const auto port = static_cast<std::uint16_t>(first_port + (start + i) % port_count);
    const std::string name = folder + '/' + std::to_string(port);
    Descriptor lock(folder.empty()
                        ? open("/dev/null", O_RDONLY | O_CLOEXEC)
                        : open(name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!lock || (!folder.empty() && flock(lock.get(), LOCK_EX | LOCK_NB) != 0)) continue;
    if (!port_is_free(port) || !shows_byte_order(port)) continue;
    ports_.push_back(std::move(lock));
    return port;
  }
  throw CannotRun("no port between 20000 and 29999 is free");
}

}  // namespace kit
