#include "requests_under_way.hpp"

#include <sys/socket.h>
#include <unistd.h>
#include <socketserver/server_socket.hpp>

#include <bit>

namespace socketserver {

RequestsUnderWay::~RequestsUnderWay() {
  for (const int socket : to_close_) ::close(socket);
  for (const auto& block : blocks_) delete[] block.load();
}

RequestsUnderWay::Place RequestsUnderWay::place_of(int fd) noexcept {
  const auto number = static_cast<std::size_t>(fd);
  const auto block = static_cast<std::size_t>(std::bit_width(number / first_size));
  return {block, block == 0 ? number : number - size_of(block)};
}

// Which is also the number of descriptors before it, but for the first block.
std::size_t RequestsUnderWay::size_of(std::size_t block) noexcept {
  return block == 0 ? first_size : first_size << (block - 1);
}

void RequestsUnderWay::enter(int fd) {
  const auto [block, index] = place_of(fd);
  Mark* marks = blocks_[block];
  if (marks == nullptr) {
    Mark* const fresh = new Mark[size_of(block)]{};
    if (blocks_[block].compare_exchange_strong(marks, fresh)) {
      marks = fresh;
    } else {
      delete[] fresh;  // another thread was faster
    }
  }
  marks[index] = 1;
  connections_ += 1;
}

void RequestsUnderWay::leave(int fd) noexcept {
  const auto [block, index] = place_of(fd);
  Mark& mark = blocks_[block].load()[index];
  unsigned char alone = 1;
  while (!mark.compare_exchange_weak(alone, 0)) alone = 1;  // its user needs a few microseconds
  connections_ -= 1;
}

void RequestsUnderWay::shutdown_all(int how) noexcept {
  for (std::size_t block = 0; block < most_blocks; ++block) {
    Mark* const marks = blocks_[block];
    if (marks == nullptr) continue;
    const std::size_t before = block == 0 ? 0 : size_of(block);
    for (std::size_t index = 0; index < size_of(block); ++index) {
      unsigned char users = marks[index];
      while (users != 0 && !marks[index].compare_exchange_weak(users, users + 1)) {
      }
      if (users == 0) continue;
      // A client that has gone already (ENOTCONN) has nothing left to interrupt.
      (void)::shutdown(static_cast<int>(before + index), how);
      marks[index] -= 1;
    }
  }
}

void RequestsUnderWay::leave_packet() noexcept {
  if (--packets_ > 0 || !something_to_close_) return;
  const std::lock_guard lock(closing_);
  if (packets_ > 0) return;
  for (const int socket : to_close_) ::close(socket);
  to_close_.clear();
  something_to_close_ = false;
}

void RequestsUnderWay::expect_socket() {
  const std::lock_guard lock(closing_);
  to_close_.reserve(to_close_.size() + 1);
}

void RequestsUnderWay::close_when_answered(int socket) noexcept {
  enter_packet();  // or the last one could leave before it sees that there is something to close
  {
    const std::lock_guard lock(closing_);
    to_close_.push_back(socket);
    something_to_close_ = true;
  }
  leave_packet();
}

void ServerSocket::reset(int fd) {
  FileDescriptor next(fd);
  if (next) under_way_.expect_socket();
  const int old = fd_.exchange(next.release());
  if (old != -1) under_way_.close_when_answered(old);
}

}  // namespace socketserver
