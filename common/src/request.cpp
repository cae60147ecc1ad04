#include <sys/socket.h>
#include <socketserver/request.hpp>

#include <utility>

#include "requests_under_way.hpp"

namespace socketserver {

void RequestsUnderWay::enter(int fd) {
  const auto index = static_cast<std::size_t>(fd);
  const std::lock_guard lock(mutex_);
  if (under_way_.size() <= index) under_way_.resize(2 * index + 1);
  under_way_[index] = true;
}

void RequestsUnderWay::leave(int fd) noexcept {
  const std::lock_guard lock(mutex_);
  under_way_[static_cast<std::size_t>(fd)] = false;
}

void RequestsUnderWay::interrupt_all() noexcept {
  const std::lock_guard lock(mutex_);
  for (std::size_t fd = 0; fd < under_way_.size(); ++fd) {
    // A client that has gone already (ENOTCONN) has nothing left to interrupt.
    if (under_way_[fd]) (void)::shutdown(static_cast<int>(fd), SHUT_RD);
  }
}

Request::Request(FileDescriptor connection, const Address& client_address) noexcept
    : connection_(std::move(connection)), client_address_(client_address) {}

Request::Request(std::string packet, int socket, const Address& client_address,
                 bool truncated) noexcept
    : socket_(socket),
      is_packet_(true),
      truncated_(truncated),
      client_address_(client_address),
      packet_(std::move(packet)) {}

Request::Request(Request&& other) noexcept
    : connection_(std::move(other.connection_)),
      socket_(std::exchange(other.socket_, -1)),
      is_packet_(other.is_packet_),
      truncated_(other.truncated_),
      client_address_(other.client_address_),
      packet_(std::move(other.packet_)),
      list_(std::exchange(other.list_, nullptr)) {}

Request& Request::operator=(Request&& other) noexcept {
  if (this == &other) return *this;
  close();
  connection_ = std::move(other.connection_);
  socket_ = std::exchange(other.socket_, -1);
  is_packet_ = other.is_packet_;
  truncated_ = other.truncated_;
  client_address_ = other.client_address_;
  packet_ = std::move(other.packet_);
  list_ = std::exchange(other.list_, nullptr);
  return *this;
}

Request::~Request() {
  close();
}

void Request::close() noexcept {
  release().reset();
}

FileDescriptor Request::release() noexcept {
  // It leaves the list while the number is still its own.
  if (list_ != nullptr && connection_) list_->leave(connection_.get());
  list_ = nullptr;
  return std::move(connection_);
}

void Request::enter(RequestsUnderWay& list) {
  if (!connection_) return;
  list.enter(connection_.get());
  list_ = &list;
}

}  // namespace socketserver
