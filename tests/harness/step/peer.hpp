#pragma once

// Those who speak to the learner's program: clients for its server, partners for its client. Each
// act is a line of the story; each wait has a deadline; each expectation that is not met ends the
// step with a report.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "harness/base/address.hpp"
#include "harness/base/descriptor.hpp"
#include "harness/kernel/events.hpp"
#include "harness/wire/stream.hpp"

namespace kit {

class Step;
class Program;

/// One end of a stream connection, TCP or Unix.
class Peer {
 public:
  Peer(Step& step, Stream stream, std::string name, std::size_t conversation);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  /// "client 2"; "" tells it apart from nobody.
  const std::string& name() const { return name_; }

  /// Whether all that was sent has come to the program's kernel; so it has if we have closed.
  bool all_arrived() const { return !stream_.is_open() || stream_.all_arrived(); }

  /// Bytes that have come from the program so far, read by an expectation or not.
  std::uint64_t received() const { return stream_.received(); }
  /// Bytes that this system has taken from us for the program so far.
  std::uint64_t sent() const { return stream_.sent(); }

  /// Sends all of it. What the program answers meanwhile is kept for the next expectation. It is a
  /// failure if the program refuses it, or takes nothing for as long as the deadline.
  Peer& send(std::string_view bytes);

  /// Sends whatever the program takes during all later waits, and reads nothing. For a client that
  /// never reads, or two that send at once.
  Peer& send_in_background(std::string bytes);
  /// What of it was not taken yet.
  std::size_t unsent() const { return background_.size(); }

  /// Sends what the kernel takes now; no failure if that is nothing. Returns how much it was.
  std::size_t try_send(std::string_view bytes);

  /// Whether the program may still need its end of the connection: not once both sides have said
  /// that they are through, or one has cut it.
  bool in_use() const;

  /// End of file for the program; we still read.
  Peer& half_close();
  void close();
  /// Closes with a reset.
  void reset();

  /// The next bytes are exactly these. (More may follow them: the next expectation looks there.)
  Peer& expect(std::string_view bytes);
  /// End of file, and not a byte before it.
  void expect_end();
  /// The connection ends, by end of file or by a reset, and not a byte comes before it.
  void expect_end_or_reset();
  /// The connection is over, whatever came before.
  void expect_over();

  /// Whatever has come, at least one byte; "" at the end.
  std::string read_some();
  /// The next line with its newline; it is a failure if none comes.
  std::string read_line();
  /// Exactly so many bytes; no more is taken from the kernel (for one who reads slowly).
  std::string read(std::size_t count);
  /// Everything up to the end of file.
  std::string read_all();
  /// How the connection stands, after what has come by now was taken in.
  Ending ending();
  /// Bytes that have come by now and no expectation has taken.
  const std::string& unread();

  /// Returns when the program has read everything that was sent: the next send is a second
  /// message to it. (Where the kernel cannot be asked this only makes a step weaker.)
  Peer& wait_until_taken();

  Address local() const;   ///< our own end
  Address remote() const;  ///< the program's
  std::uint16_t port() const { return local().port(); }
  int fd() const { return stream_.fd(); }

 private:
  friend class Step;
  void flush_background();
  bool more(Deadline until, std::size_t limit = std::size_t{1} << 20);
  [[noreturn]] void fail_wrong(std::string_view expected);
  [[noreturn]] void fail_closed(std::size_t sent);
  std::string what_came(std::size_t limit) const;

  Step& step_;
  Stream stream_;
  std::string name_;
  std::size_t conversation_;
  std::string last_sent_;  // as a report shows it
  std::string background_;
  std::unique_ptr<Watch> background_watch_;
  bool half_closed_ = false;
};

/// Something that a client of the learner's connects to.
class Listener {
 public:
  Listener(Step& step, Descriptor socket, std::size_t conversation);

  const Address& address() const { return address_; }
  std::uint16_t port() const { return address_.port(); }

  /// The next connection; it is a failure if none comes by the deadline.
  Peer& accept();
  /// Listens no more: a later connect is refused. (One that waits in the queue is reset.)
  void close() { socket_.close(); }

 private:
  Step& step_;
  Descriptor socket_;
  Address address_;
  std::size_t conversation_;
};

/// A datagram socket of ours. A client knows its server from the start; a partner for the learner's
/// client answers whoever wrote last.
class DatagramPeer {
 public:
  DatagramPeer(Step& step, Descriptor socket, Address target, std::string name,
               std::size_t conversation);

  const std::string& name() const { return name_; }

  /// One datagram to the target.
  DatagramPeer& send(std::string_view bytes);
  /// The next datagram is exactly this one, and it comes from the target (from anybody, if there
  /// is no target yet: who sent it becomes the target).
  DatagramPeer& expect(std::string_view bytes);
  /// The next datagram, whatever it is.
  std::string receive();
  /// Whether a datagram has come by now that nobody has received. (When the program has ended
  /// there is nothing more to come.)
  bool has_more() const;
  /// Nothing comes in answer to what was sent before: the answer to `request` is the next to come.
  void expect_none_then(std::string_view request, std::string_view answer);

  const Address& target() const { return target_; }
  void set_target(const Address& target) { target_ = target; }
  Address local() const;
  std::uint16_t port() const { return local().port(); }
  int fd() const { return socket_.get(); }
  void close() { socket_.close(); }

 private:
  struct Datagram {
    std::string bytes;
    Address from;
  };
  Datagram next(std::string_view expectation);

  Step& step_;
  Descriptor socket_;
  Address target_;
  std::string name_;
  std::size_t conversation_;
};

/// " in 5,000 ms": what an event was given.
std::string in_time();

}  // namespace kit
