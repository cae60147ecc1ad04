// Which bytes went where: what a replay does not say, and its order and bytes prove.

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <string_view>

#include "harness/base/escape.hpp"
#include "picture.hpp"

namespace kit {
namespace {

using Event = Replay::Event;

struct Piece {
  std::size_t event = 0;
  std::uint64_t size = 0;
  std::string bytes{};  // the first of them
  bool used = false;
};

/// One side of a conversation: what it gave and took, in order, and where that ended.
struct Side {
  std::vector<Piece> gave, took;
  std::optional<std::size_t> gave_end, took_end;
};

using Connection = Side;

struct Partner : Side {
  std::string name;
  bool datagrams = false;
  bool taken = false;
};

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::ranges::find(words, word) != words.end();
}

constexpr std::array<std::string_view, 7> receives = {"recv", "recvfrom", "recvmsg", "recvmmsg",
                                                      "read", "readv",    "preadv2"};
constexpr std::array<std::string_view, 7> sends = {"send",  "sendto", "sendmsg", "sendmmsg",
                                                   "write", "writev", "pwritev2"};

constexpr std::array<std::string_view, 3> forks = {"fork", "vfork", "clone"};

// `"hello " (6 bytes)`, `datagram "…"... (1,000 bytes)`, `3 bytes of "hello" (5 bytes)`: how many,
// and which first.
Piece told(std::string_view text, std::size_t event) {
  Piece piece{.event = event};
  const std::size_t open = text.find('"');
  const bool some = !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) != 0;
  std::string_view number = text;
  if (!some) {
    const std::size_t at = text.rfind(" byte");
    number = at == std::string_view::npos ? "" : text.substr(0, at);
    number.remove_prefix(std::min(number.rfind('(') + 1, number.size()));
  }
  for (const char c : number) {
    if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
      piece.size = piece.size * 10 + static_cast<std::uint64_t>(c - '0');
    } else if (c != ',') {
      break;
    }
  }
  const std::size_t close = text.find_last_of('"');
  if (open != std::string_view::npos && close > open) {
    piece.bytes = unescape(text.substr(open + 1, close - open - 1)).value_or("");
  }
  return piece;
}

bool same_beginning(std::string_view a, std::string_view b) {
  const std::size_t size = std::min(a.size(), b.size());
  return a.substr(0, size) == b.substr(0, size);
}

std::string label_of(const Piece& piece) {
  if (piece.bytes.size() < piece.size || piece.size > 24) {
    return counted(static_cast<std::size_t>(piece.size), "byte");
  }
  return '"' + escape(piece.bytes) + '"';
}

/// Goes through a replay once, and finds out who spoke with whom.
class Reader {
 public:
  explicit Reader(const Replay& replay) : replay_(replay) {
    for (const std::string& name : replay.partners) {
      partners_.push_back({});
      partners_.back().name = name;
    }
    for (std::size_t i = 0; i < replay.events.size(); ++i) {
      const Event& event = replay.events[i];
      if (event.kind == Event::Kind::call) {
        call(event, i);
      } else {
        act(event, i);
      }
    }
  }

  std::vector<Arrow> arrows() {
    for (Connection& connection : connections_) {
      if (Partner* const partner = partner_of(connection)) {
        join(partner->gave, connection.took, true);
        join(connection.gave, partner->took, false);
        join_ends(*partner, connection, true);
        join_ends(connection, *partner, false);
      }
    }
    join_datagrams();
    for (Partner& partner : partners_) {
      for (const Piece& piece : partner.gave) {
        if (!piece.used) add(piece, std::nullopt, true);
      }
    }
    std::ranges::stable_sort(arrows_, {}, &Arrow::from);
    return std::move(arrows_);
  }

 private:
  using Table = std::map<std::int64_t, std::size_t>;  // descriptor -> connection

  // A child begins with its parent's descriptors.
  Table& table_of(const Event& event) {
    const auto known = tables_.find(event.pid);
    if (known != tables_.end()) return known->second;
    const auto program = std::ranges::find(replay_.programs, event.who, &Replay::Started::name);
    Table copy;
    if (program != replay_.programs.end()) copy = tables_[program->pid];
    return tables_[event.pid] = std::move(copy);
  }

  void call(const Event& event, std::size_t at) {
    Table& table = table_of(event);
    if (event.verb.starts_with("accept") && event.returned && event.result >= 0) {
      open(table, event.result);
    } else if (event.verb == "connect") {
      const bool under_way = event.text.find("EINPROGRESS") != std::string::npos;
      if (!event.returned || event.result == 0 || under_way) open(table, event.fd);
    } else if (is_one_of(event.verb, forks) && event.returned && event.result > 0) {
      const Table copy = table;
      tables_.try_emplace(static_cast<int>(event.result), copy);
    } else if (event.verb == "close") {
      const auto known = table.find(event.fd);
      if (known == table.end()) return;
      const std::size_t closed = known->second;
      table.erase(known);
      // A parent's close is not the end of what its child has.
      const bool held = std::ranges::any_of(tables_, [closed](const auto& one) {
        return std::ranges::any_of(one.second,
                                   [closed](const auto& entry) { return entry.second == closed; });
      });
      if (!held && !connections_[closed].gave_end) connections_[closed].gave_end = at;
    } else if (event.verb == "shutdown" && event.result == 0) {
      const auto known = table.find(event.fd);
      if (known == table.end() || event.text.find("SHUT_RD)") != std::string::npos) return;
      connections_[known->second].gave_end = at;
    } else if (event.returned) {
      moved(event, at, table);
    }
  }

  void moved(const Event& event, std::size_t at, const Table& table) {
    const bool takes = is_one_of(event.verb, receives);
    if (!takes && !is_one_of(event.verb, sends)) return;
    const Piece piece{.event = at,
                      .size = static_cast<std::uint64_t>(std::max<std::int64_t>(event.result, 0)),
                      .bytes = event.data};
    const auto known = table.find(event.fd);
    if (known == table.end()) {
      if (event.result >= 0) (takes ? loose_.took : loose_.gave).push_back(piece);
      return;
    }
    Connection& connection = connections_[known->second];
    if (event.result > 0) (takes ? connection.took : connection.gave).push_back(piece);
    const bool reset = event.text.find("ECONNRESET") != std::string::npos;
    if (takes && (event.result == 0 || reset) && !event.injected) connection.took_end = at;
  }

  void open(Table& table, std::int64_t fd) {
    connections_.push_back({});
    table[fd] = connections_.size() - 1;
  }

  void act(const Event& event, std::size_t at) {
    const auto named = std::ranges::find(partners_, event.who, &Partner::name);
    Partner* partner = named == partners_.end() ? nullptr : &*named;
    if (event.kind == Event::Kind::fault) {
      // Whatever else has come is what was got.
      const std::string& got = replay_.got;
      const auto tells = [&got](std::string_view words) {
        return got.find(words) != std::string::npos;
      };
      if (partner == nullptr) return;
      if (tells("\"")) partner->took.push_back({.event = at, .size = ~std::uint64_t{0} / 2});
      const bool end = tells("end of file") || tells("reset") || tells("closed");
      if (end && !partner->took_end) partner->took_end = at;
      return;
    }
    if (partner == nullptr) return;
    if (event.verb == "opened" || event.verb == "accepted") return;
    if (event.text.starts_with("datagram ")) partner->datagrams = true;
    const bool end = event.text == "end of file" || event.text == "a reset";
    if (event.verb.starts_with("sen") && !end) {
      partner->gave.push_back(told(event.text, at));
    } else if (event.verb == "received" && !end) {
      partner->took.push_back(told(event.text, at));
      if (event.text.ends_with("end of file")) partner->took_end = at;
    } else if (event.verb == "received") {
      partner->took_end = at;
    } else if (event.verb == "sent" || event.verb == "closed" || event.verb == "reset") {
      if (!partner->gave_end) partner->gave_end = at;
    }
  }

  // The first in the queue whose bytes these can be.
  Partner* partner_of(const Connection& connection) {
    for (Partner& partner : partners_) {
      if (partner.taken || partner.datagrams) continue;
      if (!connection.took.empty()) {
        if (partner.gave.empty()) continue;
        if (!same_beginning(partner.gave.front().bytes, connection.took.front().bytes)) continue;
      }
      partner.taken = true;
      return &partner;
    }
    return nullptr;
  }

  void add(const Piece& from, std::optional<std::size_t> to, bool to_program) {
    arrows_.push_back(
        {.from = from.event, .to = to, .to_program = to_program, .label = label_of(from)});
  }

  // Bytes keep their order: by how many came before.
  void join(std::vector<Piece>& gave, const std::vector<Piece>& took, bool to_program) {
    std::size_t at = 0;
    std::uint64_t begin = 0;  // of gave[at]
    std::uint64_t taken = 0;
    for (const Piece& piece : took) {
      const std::uint64_t end = taken + piece.size;
      while (at < gave.size() && begin + gave[at].size <= taken) begin += gave[at++].size;
      std::uint64_t start = begin;
      for (std::size_t i = at; i < gave.size() && start < end; start += gave[i++].size) {
        if (!gave[i].used || i == at) add(gave[i], piece.event, to_program);
        gave[i].used = true;
      }
      taken = end;
    }
  }

  void join_ends(const Side& from, const Side& to, bool to_program) {
    if (!from.gave_end || !to.took_end) return;
    arrows_.push_back(
        {.from = *from.gave_end, .to = to.took_end, .to_program = to_program, .end = true});
    arrows_.back().label = "no more bytes";
  }

  void join_datagrams() {
    for (Partner& partner : partners_) {
      if (!partner.datagrams) continue;
      for (Piece& piece : partner.gave) match(piece, loose_.took, true);
    }
    for (Piece& piece : loose_.gave) {
      for (Partner& partner : partners_) {
        if (partner.datagrams && match(piece, partner.took, false)) break;
      }
    }
  }

  bool match(Piece& from, std::vector<Piece>& among, bool to_program) {
    for (Piece& to : among) {
      const bool fault = replay_.events[to.event].kind == Event::Kind::fault;
      if (to.used || to.event < from.event || !same_beginning(from.bytes, to.bytes)) continue;
      if (!fault && to.size != from.size) continue;
      from.used = true;
      to.used = true;
      add(from, to.event, to_program);
      return true;
    }
    return false;
  }

  const Replay& replay_;
  std::vector<Partner> partners_;
  std::vector<Connection> connections_;
  Side loose_;  // of sockets that nobody connected
  std::map<int, Table> tables_;
  std::vector<Arrow> arrows_;
};

}  // namespace

std::vector<Arrow> arrows_of(const Replay& replay) {
  // Whose bytes they are is known by how many came before: of all of them, or not at all.
  if (replay.lost > 0) return {};
  return Reader(replay).arrows();
}

}  // namespace kit
