// kit-talk: the harness's own peer as a small program. It speaks to a server, or (--listen) stands
// in for one, does what its options say one after the other, and prints every byte.
//
//     kit-talk 127.0.0.1:9999 --send 'hello ' --pause --send 'world\n' --half-close
//     kit-talk --listen 127.0.0.1:9999 --upper

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "harness/base/address.hpp"
#include "harness/base/descriptor.hpp"
#include "harness/base/escape.hpp"
#include "harness/base/limits.hpp"
#include "harness/kernel/events.hpp"
#include "harness/wire/stream.hpp"

namespace {

using kit::Address;
using kit::Deadline;
using kit::Descriptor;
using kit::Ending;
using kit::Stream;
using std::chrono::milliseconds;

constexpr const char* usage =
    "usage: kit-talk ADDRESS [--udp] ACT...\n"
    "       kit-talk --listen ADDRESS [--keep] [--upper] [--udp] ACT...\n"
    "ADDRESS  127.0.0.1:9999, [::1]:9999 or unix:/tmp/kit.sock\n"
    "ACT      --send TEXT     send it (\\n \\t \\r \\0 \\\\ \\xHH stand for bytes)\n"
    "         --fill N        send N bytes, a to z over and over\n"
    "         --pause         wait until the other side has read what was sent\n"
    "         --expect TEXT   wait for these bytes; exit 1 if others come\n"
    "         --half-close    send end of file, and go on reading\n"
    "         --close         close, and read no more\n"
    "         --reset         close with a reset\n"
    "         --hold          stay, and print what comes, until the other side ends it\n"
    "In the end it half-closes and prints what comes until the end of file.\n"
    "--listen  waits for a connection and plays the acts on it; with --keep for one after the "
    "other\n"
    "--upper   answers all that comes in upper case, until the end of file\n"
    "--udp     each --send is a datagram\n";

// After the other side has read everything, an answer on its way gets this long to show up before
// the next act. Nothing depends on it but the order of the lines on the screen.
constexpr milliseconds settle{50};
// How long answers to datagrams are waited for: they can be lost.
constexpr milliseconds datagram_patience{1000};
constexpr std::size_t largest_datagram = 65'507;

// A wrong option: what is wrong with it.
class UsageError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The other side did not do what was expected; said already.
class Disappointed : public std::exception {};

struct Act {
  enum class Kind { send, pause, expect, half_close, close, reset, hold };
  Kind kind;
  std::string bytes{};
};

struct Options {
  std::optional<Address> address;
  bool listen = false, keep = false, upper = false, udp = false, help = false;
  std::vector<Act> acts;
};

std::string alphabet(std::size_t size) {
  std::string bytes(size, ' ');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>('a' + i % 26);
  return bytes;
}

std::string upper_case(std::string bytes) {
  for (char& byte : bytes) {
    if (byte >= 'a' && byte <= 'z') byte = static_cast<char>(byte - 'a' + 'A');
  }
  return bytes;
}

std::string text_of(const std::string& option, const std::string& value) {
  const auto bytes = kit::unescape(value);
  if (!bytes) throw UsageError(option + ": '" + value + "' has an escape that is not understood");
  return *bytes;
}

std::size_t number_of(const std::string& option, const std::string& value) {
  std::size_t number = 0;
  const char* const end = value.data() + value.size();
  const auto parsed = std::from_chars(value.data(), end, number);
  if (parsed.ec != std::errc{} || parsed.ptr != end || number > (std::size_t{1} << 30)) {
    throw UsageError(option + ": '" + value + "' is no number of bytes");
  }
  return number;
}

Options parse(const std::vector<std::string>& words) {
  Options options;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto value = [&]() -> const std::string& {
      if (i + 1 == words.size()) throw UsageError(word + " needs a value");
      return words[++i];
    };
    using enum Act::Kind;
    if (word == "--help")
      options.help = true;
    else if (word == "--listen")
      options.listen = true;
    else if (word == "--keep")
      options.keep = true;
    else if (word == "--upper")
      options.upper = true;
    else if (word == "--udp")
      options.udp = true;
    else if (word == "--send")
      options.acts.push_back({send, text_of(word, value())});
    else if (word == "--fill")
      options.acts.push_back({send, alphabet(number_of(word, value()))});
    else if (word == "--pause")
      options.acts.push_back({pause});
    else if (word == "--expect")
      options.acts.push_back({expect, text_of(word, value())});
    else if (word == "--half-close")
      options.acts.push_back({half_close});
    else if (word == "--close")
      options.acts.push_back({close});
    else if (word == "--reset")
      options.acts.push_back({reset});
    else if (word == "--hold")
      options.acts.push_back({hold});
    else if (word.starts_with('-'))
      throw UsageError("unknown option " + word);
    else if (options.address)
      throw UsageError("a second address: " + word);
    else {
      options.address = Address::parse(word);
      if (!options.address) throw UsageError("'" + word + "' is no address");
    }
  }
  if (!options.address && !options.help) throw UsageError("no address");
  if (!options.listen && (options.keep || options.upper)) {
    throw UsageError("--keep and --upper need --listen");
  }
  return options;
}

void say(const char* verb, const std::string& what) {
  std::printf("%-9s %s\n", verb, what.c_str());
  std::fflush(stdout);
}

// ---- streams -----------------------------------------------------------------------------------

class Talk {
 public:
  /// `answering`: everything that comes goes back in upper case.
  Talk(Stream stream, bool answering, bool patient)
      : stream_(std::move(stream)), answering_(answering), patient_(patient) {}

  void play(const std::vector<Act>& acts) {
    for (const Act& act : acts) {
      if (!stream_.is_open()) return;
      play(act);
    }
    if (!stream_.is_open() || ended_) return;
    if (answering_) {
      listen_to_the_end();
      stream_.close();
      return;
    }
    if (!half_closed_) half_close();
    listen_to_the_end();
  }

 private:
  Deadline deadline() const { return patient_ ? Deadline::max() : kit::event_deadline(); }

  void play(const Act& act) {
    switch (act.kind) {
      case Act::Kind::send:
        return send(act.bytes);
      case Act::Kind::pause:
        return pause();
      case Act::Kind::expect:
        return expect(act.bytes);
      case Act::Kind::half_close:
        return half_close();
      case Act::Kind::close:
        stream_.close();
        return say("closed", "the connection");
      case Act::Kind::reset:
        stream_.reset();
        return say("reset", "the connection");
      case Act::Kind::hold:
        patient_ = true;
        return listen_to_the_end();
    }
  }

  void send(const std::string& bytes) {
    const std::size_t sent =
        stream_.send_all(bytes, patient_ ? milliseconds(3'600'000) : kit::event_time());
    if (sent < bytes.size()) {
      say("sent", kit::counted(sent, "byte") + " of " + kit::quoted(bytes) +
                      (stream_.refused() ? ": the other side has closed the connection"
                                         : ": the other side takes no more"));
      show();
      throw Disappointed();
    }
    say("sent", kit::quoted(bytes));
    show();
  }

  void half_close() {
    stream_.half_close();
    half_closed_ = true;
    say("sent", "end of file");
  }

  void pause() {
    kit::wait_until([this] { return stream_.all_taken(); }, kit::event_deadline(),
                    kit::limits::proc_poll);
    while (stream_.ending() == Ending::open && stream_.receive_more(kit::after(settle))) show();
  }

  void expect(const std::string& bytes) {
    std::string& inbox = stream_.inbox();
    while (inbox.size() < bytes.size() && bytes.starts_with(inbox) &&
           stream_.receive_more(deadline())) {
    }
    if (inbox.starts_with(bytes)) {
      inbox.erase(0, bytes.size());
      return say("received", kit::quoted(bytes));
    }
    const kit::Difference both = kit::difference(bytes, inbox);
    say("expected", both.expected);
    say("got", both.got);
    say("", both.caret + "^ here");
    throw Disappointed();
  }

  // Prints what has come.
  void show() {
    if (std::string bytes = std::exchange(stream_.inbox(), {}); !bytes.empty()) {
      say("received", kit::quoted(bytes));
      if (answering_) send(upper_case(std::move(bytes)));
    }
  }

  void listen_to_the_end() {
    show();
    while (stream_.ending() == Ending::open) {
      if (!stream_.receive_more(deadline())) {
        say("received", "nothing in " +
                            kit::with_commas(static_cast<std::size_t>(kit::event_time().count())) +
                            " ms, and the connection is open");
        throw Disappointed();
      }
      show();
    }
    ended_ = true;
    say("received", stream_.ending() == Ending::reset ? "a reset" : "end of file");
    if (stream_.ending() == Ending::reset && !patient_) throw Disappointed();
  }

  Stream stream_;
  bool answering_;
  bool patient_;
  bool half_closed_ = false;
  bool ended_ = false;  // the other side has, and that was said
};

// A Unix path that is removed at the end.
class Path {
 public:
  explicit Path(const Address& address) : path_(address.path()) {}
  ~Path() {
    if (!path_.empty()) unlink(path_.c_str());
  }
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;

 private:
  std::string path_;
};

void serve_streams(const Options& options) {
  const Descriptor listener = kit::bound_socket(*options.address, SOCK_STREAM);
  const Path path(*options.address);
  if (listen(listener.get(), SOMAXCONN) != 0) {
    throw std::system_error(errno, std::generic_category(), "listen");
  }
  say("listening", "on " + Address::local_of(listener.get()).text());
  do {
    kit::wait_for(listener.get(), POLLIN, Deadline::max());
    Descriptor connection(accept(listener.get(), nullptr, nullptr));
    if (!connection) continue;  // it has gone again
    say("accepted", "a connection");
    try {
      Talk(Stream(std::move(connection)), options.upper, true).play(options.acts);
    } catch (const Disappointed&) {
      if (!options.keep) throw;
    }
  } while (options.keep);
}

// ---- datagrams ---------------------------------------------------------------------------------

class Datagrams {
 public:
  /// `answers`: what it sends are answers, and ask for none.
  Datagrams(Descriptor socket, Address target, bool answers)
      : socket_(std::move(socket)), target_(target), answers_(answers) {}

  void play(const std::vector<Act>& acts) {
    for (const Act& act : acts) {
      if (act.kind == Act::Kind::send) {
        send(act.bytes);
        if (!answers_) ++unanswered_;
      } else if (act.kind == Act::Kind::expect) {
        expect(act.bytes);
      } else if (act.kind == Act::Kind::pause) {
        collect();
      } else if (act.kind == Act::Kind::hold) {
        while (receive(Deadline::max())) {
        }
      } else {
        throw UsageError("datagrams have no connection to close");
      }
    }
    collect();
  }

  void answer_in_upper_case(bool keep) {
    do {
      if (const auto bytes = receive(Deadline::max())) send(upper_case(*bytes));
    } while (keep);
  }

  /// Who wrote last is answered next.
  std::optional<std::string> receive(Deadline until) {
    if (!kit::wait_for(socket_.get(), POLLIN, until)) return std::nullopt;
    std::string bytes(largest_datagram + 1, '\0');
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const ssize_t n = recvfrom(socket_.get(), bytes.data(), bytes.size(), 0,
                               reinterpret_cast<sockaddr*>(&from), &size);
    if (n < 0) return std::nullopt;
    bytes.resize(static_cast<std::size_t>(n));
    target_ = Address::from(reinterpret_cast<sockaddr*>(&from), size);
    if (unanswered_ > 0) --unanswered_;
    say("received", "datagram " + kit::quoted(bytes) + " from " + target_.text());
    return bytes;
  }

 private:
  void send(const std::string& bytes) {
    if (sendto(socket_.get(), bytes.data(), bytes.size(), 0, target_.get(), target_.size()) < 0) {
      throw std::system_error(errno, std::generic_category(), "sendto");
    }
    say("sent", "datagram " + kit::quoted(bytes));
  }

  void collect() {
    while (unanswered_ > 0) {
      if (receive(kit::after(datagram_patience))) continue;
      say("received", "nothing in " +
                          kit::with_commas(static_cast<std::size_t>(datagram_patience.count())) +
                          " ms");
      throw Disappointed();
    }
  }

  void expect(const std::string& bytes) {
    const auto got = receive(kit::after(datagram_patience));
    if (got == bytes) return;
    say("expected", "datagram " + kit::quoted(bytes));
    throw Disappointed();
  }

  Descriptor socket_;
  Address target_;
  bool answers_;
  std::size_t unanswered_ = 0;
};

// A socket of the target's family. Towards a Unix path it needs a name, or it gets no answer.
Address own_address(const Address& target) {
  if (target.is_unix()) {
    return Address::unix_path("/tmp/kit-talk-" + std::to_string(getpid()) + ".sock");
  }
  return Address::tcp(target.family() == AF_INET6 ? "::" : "0.0.0.0", 0);
}

void talk_in_datagrams(const Options& options) {
  const Address own = options.listen ? *options.address : own_address(*options.address);
  Descriptor socket = kit::bound_socket(own, SOCK_DGRAM);
  const Path path(own);
  if (options.listen) say("listening", "on " + Address::local_of(socket.get()).text());
  Datagrams datagrams(std::move(socket), *options.address, options.listen);
  if (options.upper) return datagrams.answer_in_upper_case(options.keep);
  if (!options.listen) return datagrams.play(options.acts);
  do {
    datagrams.receive(Deadline::max());
    datagrams.play(options.acts);
  } while (options.keep);
}

void run(const Options& options) {
  if (options.udp) return talk_in_datagrams(options);
  if (options.listen) return serve_streams(options);
  Stream stream = Stream::connect(*options.address, kit::event_deadline());
  say("connected", "to " + options.address->text());
  Talk(std::move(stream), false, false).play(options.acts);
}

}  // namespace

int main(int argc, char* argv[]) {
  Options options;
  try {
    options = parse({argv + 1, argv + argc});
    if (options.help) {
      std::fputs(usage, stdout);
      return 0;
    }
    const kit::Signals signals;
    run(options);
    return 0;
  } catch (const UsageError& error) {
    const std::string_view whole = usage;
    const std::string line(whole.substr(0, whole.find("ADDRESS  ")));
    std::fprintf(stderr, "kit-talk: %s\n%s", error.what(), line.c_str());
    return 2;
  } catch (const Disappointed&) {
    return 1;
  } catch (const kit::Interrupted& interrupted) {
    return 128 + interrupted.signal();
  } catch (const std::system_error& error) {
    std::fprintf(stderr, "kit-talk: %s: %s\n", options.address->text().c_str(), error.what());
    return 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kit-talk: %s\n", error.what());
    return 1;
  }
}
