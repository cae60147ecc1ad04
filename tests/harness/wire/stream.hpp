#pragma once

// One end of a stream connection (TCP or Unix), without blocking: what peers and kit-talk are made
// of. Knows nothing of steps.

#include <cstddef>
#include <string>
#include <string_view>

#include "harness/base/address.hpp"
#include "harness/base/descriptor.hpp"
#include "harness/kernel/events.hpp"

namespace kit {

/// How a connection stands, seen from our reading side.
enum class Ending {
  open,
  end_of_file,
  reset,
};

class Stream {
 public:
  explicit Stream(Descriptor socket);

  /// `narrow`: a connection that takes little at a time: whoever sends to one that does not read
  /// waits after some ten thousand bytes, not after millions.
  enum class Width { usual, narrow };

  /// Connects. Throws std::system_error ("connect"), with ETIMEDOUT at the deadline.
  static Stream connect(const Address& to, Deadline until, Width width = Width::usual);

  int fd() const { return socket_.get(); }
  bool is_open() const { return static_cast<bool>(socket_); }

  /// Bytes that have come and were not taken from here yet.
  std::string& inbox() { return inbox_; }
  const std::string& inbox() const { return inbox_; }
  /// Bytes that have come so far.
  std::uint64_t received() const { return received_; }
  std::uint64_t sent() const { return sent_; }
  Ending ending() const { return ending_; }

  /// The other side refuses what we send (it is gone, or has reset the connection).
  bool refused() const { return refused_; }

  /// Sends what the kernel takes at once. Returns how many bytes that was.
  std::size_t send_some(std::string_view bytes);

  /// Takes what has come into the inbox, at most `limit` bytes. Returns how many.
  std::size_t receive_some(std::size_t limit = std::size_t{1} << 20);

  /// Sends everything; what comes meanwhile goes to the inbox, so that two sides that both send
  /// never block each other. `patience` is the longest time without progress. Returns the bytes
  /// sent: fewer than all if the other side refused, or the time was over.
  std::size_t send_all(std::string_view bytes, std::chrono::milliseconds patience);

  /// Waits for more bytes or the end. False: neither came.
  bool receive_more(Deadline until);

  void half_close();  ///< end of file for the other side; we still read
  void close();
  void reset();  ///< closes with a reset (TCP; on a Unix socket it is a close)

  /// True once the other side has read everything we sent; nothing comes to disturb a second
  /// message. (Linux: /proc/net/tcp; Unix sockets tell it themselves.)
  bool all_taken() const;
  /// Whether all that was sent has come to the other side's kernel, read or not; also where the
  /// connection is cut, since nothing is under way any more.
  bool all_arrived() const;
  /// Whether nobody will ever read what was sent last: reset, or closed at both ends.
  bool is_cut() const;

 private:
  Descriptor socket_;
  std::string inbox_;
  std::uint64_t received_ = 0;
  std::uint64_t sent_ = 0;
  Ending ending_ = Ending::open;
  bool refused_ = false;
};

/// A bound socket: throws std::system_error that names the call. Unix paths are not unlinked.
Descriptor bound_socket(const Address& address, int type);

}  // namespace kit
