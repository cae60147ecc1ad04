// A partner that speaks in datagrams.

#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "facts.hpp"
#include "harness/base/escape.hpp"
#include "harness/base/limits.hpp"
#include "peer.hpp"
#include "step.hpp"

namespace kit {

DatagramPeer::DatagramPeer(Step& step, Descriptor socket, Address target, std::string name,
                           std::size_t conversation)
    : step_(step),
      socket_(std::move(socket)),
      target_(target),
      name_(std::move(name)),
      conversation_(conversation) {}

Address DatagramPeer::local() const {
  return Address::local_of(fd());
}

DatagramPeer& DatagramPeer::send(std::string_view bytes) {
  step_.acting(conversation_).add_send(bytes);
  step_.story().begins();
  const auto sent = [&] {
    return sendto(fd(), bytes.data(), bytes.size(), 0, target_.get(), target_.size()) >= 0;
  };
  int error = 0;
  step_.await(
      [&] {
        if (sent()) return true;
        error = errno;
        // A full queue of a Unix socket: there is room when the program has read one.
        return error != EAGAIN && error != ENOBUFS && error != EINTR;
      },
      event_deadline(), limits::proc_poll);
  if (error != 0 && error != EAGAIN && error != ENOBUFS && error != EINTR) {
    step_.fail({.expected = "the program takes a datagram " + kit::quoted(bytes),
                .got = std::generic_category().message(error) + " at " + target_.text(),
                .who = name_});
  }
  step_.story().add("sent", "datagram " + kit::quoted(bytes), name_);
  return *this;
}

DatagramPeer::Datagram DatagramPeer::next(std::string_view expectation) {
  std::string buffer(65'536, '\0');
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  ssize_t n = -1;
  const auto arrived = [&] {
    size = sizeof from;
    n = recvfrom(fd(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    return n >= 0;
  };
  const Watch watch(fd(), POLLIN, [](short) {});
  // Whose answer this is: the latest program that was not to end by now.
  const Program* program = nullptr;
  for (const auto& started : step_.programs()) {
    if (!started->end_expected()) program = started.get();
  }
  step_.await([&] { return arrived() || (program != nullptr && !program->alive()); },
              event_deadline());
  if (n < 0 && !arrived()) {
    const bool ended = program != nullptr && !program->alive();
    step_.fail(
        {.expected = std::string(expectation),
         .got = ended ? "none: the " + program->name() + " has ended, " + program->exit()->text()
                      : "nothing" + in_time(),
         .who = name_,
         .about = program,
         .out_of_time = !ended});
  }
  buffer.resize(static_cast<std::size_t>(n));
  return {std::move(buffer), Address::from(reinterpret_cast<sockaddr*>(&from), size)};
}

DatagramPeer& DatagramPeer::expect(std::string_view bytes) {
  const Datagram datagram = next("a datagram " + kit::quoted(bytes));
  if (datagram.bytes != bytes) {
    const Difference both = difference(bytes, datagram.bytes);
    step_.fail({.expected = "datagram " + both.expected,
                .got = "datagram " + both.got,
                .caret = std::string(9, ' ') + both.caret,
                .who = name_,
                .fact = step_.conversations()[conversation_].listens
                            ? ""
                            : fact_of_datagram(bytes, datagram.bytes).value_or("")});
  }
  const bool has_target = target_.family() != AF_UNSPEC;
  if (has_target && !step_.conversations()[conversation_].listens && datagram.from != target_) {
    step_.fail({.expected = "an answer from " + target_.text(),
                .got = "one from " + datagram.from.text(),
                .who = name_});
  }
  if (step_.conversations()[conversation_].listens) target_ = datagram.from;
  step_.conversations()[conversation_].add_pause();
  step_.story().add("received", "datagram " + kit::quoted(bytes), name_);
  return *this;
}

std::string DatagramPeer::receive() {
  Datagram datagram = next("a datagram");
  if (step_.conversations()[conversation_].listens) target_ = datagram.from;
  step_.story().add("received", "datagram " + kit::quoted(datagram.bytes), name_);
  return std::move(datagram.bytes);
}

bool DatagramPeer::has_more() const {
  char byte;
  return recv(fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

void DatagramPeer::expect_none_then(std::string_view request, std::string_view answer) {
  send(request);
  expect(answer);
}

}  // namespace kit
