#include "peer.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "facts.hpp"
#include "harness/base/escape.hpp"
#include "harness/base/limits.hpp"
#include "step.hpp"

namespace kit {
namespace {

std::string taker(const Conversation& conversation) {
  return conversation.listens ? "the client" : "the server";
}

}  // namespace

std::string in_time() {
  return " in " + with_commas(static_cast<std::size_t>(event_time().count())) + " ms";
}

// ---- streams -----------------------------------------------------------------------------------

Peer::Peer(Step& step, Stream stream, std::string name, std::size_t conversation)
    : step_(step),
      stream_(std::move(stream)),
      name_(std::move(name)),
      conversation_(conversation) {}

Peer::~Peer() = default;

Peer& Peer::send(std::string_view bytes) {
  Conversation& conversation = step_.acting(conversation_);
  conversation.add_send(bytes);
  step_.story().begins();
  flush_background();
  last_sent_ = kit::quoted(bytes);
  const std::size_t sent = stream_.send_all(bytes, event_time());
  if (sent < bytes.size()) {
    if (stream_.refused() || stream_.ending() == Ending::reset) fail_closed(sent);
    step_.fail({.expected = taker(conversation) + " takes " + last_sent_,
                .got = counted(sent, "byte") + " taken, then none" + in_time(),
                .who = name_,
                .out_of_time = true});
  }
  step_.story().add("sent", last_sent_, name_);
  return *this;
}

// The same words whether the kernel refuses the bytes or takes them and then hears of the end.
void Peer::fail_closed(std::size_t sent) {
  std::string got = "it has closed the connection";
  if (sent > 0) got += ": " + counted(sent, "byte") + " went out before";
  step_.fail({.expected = taker(step_.conversations()[conversation_]) + " takes " + last_sent_,
              .got = got,
              .who = name_});
}

Peer& Peer::send_in_background(std::string bytes) {
  step_.acting(conversation_).add_send(bytes);
  last_sent_ = kit::quoted(bytes);
  step_.story().add("sends", last_sent_ + " in the background, and reads nothing", name_);
  background_ += bytes;
  flush_background();
  return *this;
}

void Peer::flush_background() {
  if (!background_.empty() && stream_.is_open() && !stream_.refused()) {
    background_.erase(0, stream_.send_some(background_));
  }
  const bool waits = !background_.empty() && stream_.is_open() && !stream_.refused();
  if (waits && !background_watch_) {
    background_watch_ =
        std::make_unique<Watch>(fd(), POLLOUT, [this](short) { flush_background(); });
  } else if (background_watch_) {
    // Never taken away here: this may be its own callback.
    background_watch_->set_events(waits ? POLLOUT : 0);
  }
}

std::size_t Peer::try_send(std::string_view bytes) {
  step_.story().begins();
  const std::size_t sent = stream_.send_some(bytes);
  step_.acting(conversation_).add_send(bytes);
  step_.story().add("sent",
                    sent == bytes.size() ? kit::quoted(bytes)
                                         : counted(sent, "byte") + " of " + kit::quoted(bytes),
                    name_);
  return sent;
}

Peer& Peer::half_close() {
  Conversation& conversation = step_.acting(conversation_);
  conversation.add("--half-close");
  conversation.open = false;
  step_.story().add("sent", "end of file", name_);
  stream_.half_close();
  half_closed_ = true;
  return *this;
}

bool Peer::in_use() const {
  if (!stream_.is_open() || stream_.ending() == Ending::reset) return false;
  return !half_closed_ || stream_.ending() == Ending::open;
}

void Peer::close() {
  Conversation& conversation = step_.acting(conversation_);
  conversation.add("--close");
  conversation.open = false;
  step_.story().add("closed", "the connection", name_);
  background_watch_.reset();
  stream_.close();
}

void Peer::reset() {
  Conversation& conversation = step_.acting(conversation_);
  conversation.add("--reset");
  conversation.open = false;
  step_.story().add("reset", "the connection", name_);
  background_watch_.reset();
  stream_.reset();
}

bool Peer::more(Deadline until, std::size_t limit) {
  const auto came = [this, limit] {
    return stream_.receive_some(limit) > 0 || stream_.ending() != Ending::open;
  };
  if (came()) return true;
  const Watch wakes(fd(), POLLIN, [](short) {});
  return step_.await(came, until);
}

// What stands in the inbox and how it goes on, for "got".
std::string Peer::what_came(std::size_t limit) const {
  const std::string& inbox = stream_.inbox();
  std::string text;
  if (!inbox.empty()) text = kit::quoted(std::string_view(inbox).substr(0, limit));
  const char* const then = inbox.empty() ? "" : ", then ";
  switch (stream_.ending()) {
    case Ending::end_of_file:
      return text + then + "end of file";
    case Ending::reset:
      return text + then + "a reset (the connection was cut)";
    case Ending::open:
      return text.empty() ? "nothing" + in_time() : text;
  }
  return text;
}

void Peer::fail_wrong(std::string_view expected) {
  // What else has come is part of the picture.
  stream_.receive_some();
  const std::string& inbox = stream_.inbox();
  const bool a_beginning = expected.starts_with(inbox);
  const std::string_view got = std::string_view(inbox).substr(
      0, a_beginning ? inbox.size() : std::max(expected.size(), limits::shown_bytes));
  const Difference both = difference(expected, got);
  std::string then;
  if (a_beginning) {
    const char* const joint = inbox.empty() ? "" : ", then ";
    switch (stream_.ending()) {
      case Ending::end_of_file:
        then = std::string(joint) + "end of file";
        break;
      case Ending::reset:
        then = std::string(joint) + "a reset (the connection was cut)";
        break;
      case Ending::open:
        then = std::string(joint) + "nothing" + in_time();
        break;
    }
  }
  step_.fail({.expected = both.expected,
              .got = inbox.empty() ? then : both.got + then,
              .caret = inbox.empty() ? "" : both.caret,
              .who = name_,
              .fact = fact_of_bytes(expected, inbox).value_or(""),
              .out_of_time = a_beginning && stream_.ending() == Ending::open});
}

Peer& Peer::expect(std::string_view bytes) {
  std::string& inbox = stream_.inbox();
  // As long as bytes come the program is not stuck. No more is read than is expected here.
  std::size_t same = 0;
  const auto matches = [&] {
    const std::string_view come(inbox);
    const std::size_t size = std::min(come.size(), bytes.size());
    if (come.substr(same, size - same) != bytes.substr(same, size - same)) return false;
    same = size;
    return true;
  };
  while (matches() && inbox.size() < bytes.size() && stream_.ending() == Ending::open) {
    if (!more(event_deadline(), bytes.size() - inbox.size())) break;
  }
  if (!std::string_view(inbox).starts_with(bytes)) fail_wrong(bytes);
  inbox.erase(0, bytes.size());
  step_.conversations()[conversation_].add_pause();
  step_.story().add("received", kit::quoted(bytes), name_);
  return *this;
}

void Peer::expect_end() {
  while (stream_.ending() == Ending::open && stream_.inbox().empty()) {
    if (!more(event_deadline())) break;
  }
  if (stream_.ending() != Ending::end_of_file || !stream_.inbox().empty()) {
    step_.fail({.expected = "end of file",
                .got = what_came(limits::shown_bytes * 4),
                .who = name_,
                .fact = fact_of_bytes({}, stream_.inbox()).value_or(""),
                .out_of_time = stream_.ending() == Ending::open && stream_.inbox().empty()});
  }
  step_.story().add("received", "end of file", name_);
}

void Peer::expect_end_or_reset() {
  while (stream_.ending() == Ending::open && stream_.inbox().empty()) {
    if (!more(event_deadline())) break;
  }
  if (stream_.ending() == Ending::open || !stream_.inbox().empty()) {
    step_.fail({.expected = "the end of the connection",
                .got = what_came(limits::shown_bytes * 4),
                .who = name_,
                .out_of_time = stream_.inbox().empty()});
  }
  step_.story().add("received", stream_.ending() == Ending::reset ? "a reset" : "end of file",
                    name_);
}

void Peer::expect_over() {
  while (stream_.ending() == Ending::open) {
    stream_.inbox().clear();
    if (!more(event_deadline())) break;
  }
  if (stream_.ending() == Ending::open) {
    step_.fail({.expected = "the end of the connection",
                .got = "it is still open, and nothing" + in_time(),
                .who = name_,
                .out_of_time = true});
  }
  stream_.inbox().clear();
  step_.story().add("received", stream_.ending() == Ending::reset ? "a reset" : "end of file",
                    name_);
}

std::string Peer::read_some() {
  if (stream_.inbox().empty() && !more(event_deadline())) {
    step_.fail(
        {.expected = "an answer", .got = "nothing" + in_time(), .who = name_, .out_of_time = true});
  }
  std::string bytes = std::exchange(stream_.inbox(), {});
  step_.story().add("received", bytes.empty() ? "end of file" : kit::quoted(bytes), name_);
  return bytes;
}

std::string Peer::read_line() {
  std::string& inbox = stream_.inbox();
  std::size_t end;
  while ((end = inbox.find('\n')) == std::string::npos && stream_.ending() == Ending::open) {
    if (!more(event_deadline())) break;
  }
  end = inbox.find('\n');
  if (end == std::string::npos) {
    step_.fail({.expected = "a line",
                .got = what_came(limits::shown_bytes * 4),
                .who = name_,
                .out_of_time = stream_.ending() == Ending::open});
  }
  std::string line = inbox.substr(0, end + 1);
  inbox.erase(0, end + 1);
  step_.conversations()[conversation_].add_pause();
  step_.story().add("received", kit::quoted(line), name_);
  return line;
}

std::string Peer::read(std::size_t count) {
  std::string& inbox = stream_.inbox();
  while (inbox.size() < count && stream_.ending() == Ending::open) {
    if (!more(event_deadline(), count - inbox.size())) break;
  }
  if (inbox.size() < count) {
    step_.fail({.expected = counted(count, "byte"),
                .got = what_came(limits::shown_bytes * 4),
                .who = name_,
                .out_of_time = stream_.ending() == Ending::open});
  }
  std::string bytes = inbox.substr(0, count);
  inbox.erase(0, count);
  step_.story().add("received", kit::quoted(bytes), name_);
  return bytes;
}

std::string Peer::read_all() {
  while (stream_.ending() == Ending::open) {
    if (!more(event_deadline())) break;
  }
  if (stream_.ending() != Ending::end_of_file) {
    const bool open = stream_.ending() == Ending::open;
    step_.fail({.expected = "everything up to the end of file",
                .got = kit::quoted(stream_.inbox()) +
                       (open ? ", then nothing" + in_time() : ", then a reset"),
                .who = name_,
                .out_of_time = open});
  }
  std::string bytes = std::exchange(stream_.inbox(), {});
  step_.story().add("received", kit::quoted(bytes) + ", then end of file", name_);
  return bytes;
}

Ending Peer::ending() {
  stream_.receive_some();
  return stream_.ending();
}

const std::string& Peer::unread() {
  stream_.receive_some();
  return stream_.inbox();
}

Peer& Peer::wait_until_taken() {
  bool cut = false;
  const auto taken_or_cut = [&] {
    const bool taken = background_.empty() && stream_.all_taken();
    cut = stream_.is_cut();
    return taken || cut;
  };
  const bool done = step_.await(taken_or_cut, event_deadline(), limits::proc_poll);
  if (cut) fail_closed(0);
  if (!done) {
    step_.fail({.expected = "the program reads what was sent",
                .got = "bytes that nobody has read" + in_time(),
                .who = name_,
                .out_of_time = true});
  }
  step_.conversations()[conversation_].add_pause();
  return *this;
}

Address Peer::local() const {
  return Address::local_of(fd());
}
Address Peer::remote() const {
  return Address::peer_of(fd());
}

// ---- listeners ---------------------------------------------------------------------------------

Listener::Listener(Step& step, Descriptor socket, std::size_t conversation)
    : step_(step),
      socket_(std::move(socket)),
      address_(Address::local_of(socket_.get())),
      conversation_(conversation) {}

Peer& Listener::accept() {
  Descriptor connection;
  const auto arrived = [&] {
    const int fd = ::accept(socket_.get(), nullptr, nullptr);
    connection = Descriptor(fd);
    if (fd >= 0) fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd >= 0;
  };
  // Polled, so that the wait wakes when it comes; and given up at once if the client has ended.
  const Watch watch(socket_.get(), POLLIN, [](short) {});
  const Program* const client = step_.programs().empty() ? nullptr : step_.programs().back().get();
  step_.await([&] { return arrived() || (client != nullptr && !client->alive()); },
              event_deadline());
  if (!connection && !arrived()) {
    step_.conversations()[conversation_].name = "partner";
    const bool ended = client != nullptr && !client->alive();
    step_.fail({.expected = "a connection to " + address_.text(),
                .got = ended
                           ? "none: the " + client->name() + " has ended, " + client->exit()->text()
                           : "none" + in_time(),
                .about = client,
                .out_of_time = !ended});
  }
  return step_.add_peer(Stream(std::move(connection)), conversation_, "partner");
}

}  // namespace kit
