// What a check tells a call to do.

#include <algorithm>

#include "recorder_log.hpp"

namespace kit {
namespace {

using recorder::Action;

template <class Change>
Fault changed(Fault fault, Change change) {
  change(fault);
  return fault;
}

}  // namespace

Fault Fault::fail(Calls calls, int error) {
  Fault fault;
  fault.action_ = Action::fail;
  fault.calls_ = calls;
  fault.error_ = error;
  return fault;
}

Fault Fault::shorten(Calls calls, std::size_t bytes) {
  Fault fault;
  fault.action_ = Action::shorten;
  fault.calls_ = calls;
  fault.amount_ = std::max<std::size_t>(bytes, 1);  // 0 bytes would mean the end of the stream
  fault.sockets_ = recorder::stream;
  fault.times_ = 0;
  return fault;
}

Fault Fault::hold(Calls calls) {
  Fault fault;
  fault.action_ = Action::hold;
  fault.calls_ = calls;
  return fault;
}

Fault Fault::endless(char byte, std::size_t line) {
  Fault fault;
  fault.action_ = Action::endless;
  fault.calls_ = Calls::any_recv;
  fault.amount_ = line;
  fault.pattern_ = static_cast<unsigned char>(byte);
  fault.sockets_ = recorder::stream;
  fault.times_ = 0;
  return fault;
}

Fault Fault::vanish(Calls calls) {
  Fault fault;
  fault.action_ = Action::vanish;
  fault.calls_ = calls;
  fault.sockets_ = recorder::listener | recorder::datagram;
  return fault;
}

Fault Fault::at(std::uint64_t nth) const {
  return changed(*this, [&](Fault& fault) { fault.first_ = std::max<std::uint64_t>(nth, 1); });
}
Fault Fault::every(std::uint64_t kth) const {
  return changed(*this, [&](Fault& fault) {
    fault.every_ = std::max<std::uint64_t>(kth, 1);
    if (!fault.times_) fault.times_ = 0;
  });
}
Fault Fault::times(std::uint64_t most) const {
  return changed(*this, [&](Fault& fault) { fault.times_ = most; });
}
Fault Fault::in_a_row() const {
  return changed(*this, [](Fault& fault) { fault.in_a_row_ = true; });
}
Fault Fault::on_streams() const {
  return changed(*this, [](Fault& fault) { fault.sockets_ |= recorder::stream; });
}
Fault Fault::on_datagrams() const {
  return changed(*this, [](Fault& fault) { fault.sockets_ |= recorder::datagram; });
}
Fault Fault::on_listeners() const {
  return changed(*this, [](Fault& fault) { fault.sockets_ |= recorder::listener; });
}
Fault Fault::descriptor(int fd) const {
  return changed(*this, [&](Fault& fault) { fault.descriptor_ = fd; });
}
Fault Fault::one_descriptor() const {
  return changed(*this, [](Fault& fault) { fault.sticky_ = true; });
}
Fault Fault::peer(std::uint16_t port) const {
  return changed(*this, [&](Fault& fault) { fault.peer_port_ = port; });
}
Fault Fault::for_at_most(std::chrono::milliseconds time) const {
  return changed(*this, [&](Fault& fault) { fault.longest_hold_ = time; });
}

}  // namespace kit
