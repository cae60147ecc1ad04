#include <netinet/in.h>
#include <unistd.h>
#include <socketserver/base_server.hpp>
#include <socketserver/file_descriptor.hpp>
#include <socketserver/log.hpp>
#include <socketserver/portable.hpp>
#include <socketserver/program.hpp>
#include <socketserver/system_call.hpp>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <system_error>

namespace socketserver {
namespace {

constexpr int exit_failure = 1;
constexpr int exit_usage = 2;
constexpr std::size_t shown_bytes = 60;
constexpr long default_port = 9999;

std::atomic<bool> quiet{false};
std::optional<std::chrono::milliseconds> grace;  // of --grace, if it was given

bool is_number(const Option& option) {
  const std::string_view value = option.value ? option.value : "";
  return value == "N" || value == "MS" || value == "BYTES";
}

bool is_choice(const Option& option) {
  return option.value && std::strchr(option.value, '|');
}

std::string named(const Option& option, const std::string& value) {
  return std::string(option.name) + ": \"" + value + "\"";
}

long parse_number(const Option& option, const std::string& value) {
  long number = 0;
  const char* const end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number);
  if (error != std::errc{} || stop != end || number < option.least || number > option.most) {
    throw UsageError(named(option, value) + " is not a whole number from " +
                     std::to_string(option.least) + " to " + std::to_string(option.most));
  }
  return number;
}

void check_choice(const Option& option, const std::string& value) {
  const std::string choices = std::string("|") + option.value + "|";
  if (value.empty() || value.find('|') != std::string::npos ||
      choices.find("|" + value + "|") == std::string::npos) {
    throw UsageError(named(option, value) + " is none of " + option.value);
  }
}

std::string usage(const char* program, const std::vector<Option>& table, const char* words) {
  std::string line = std::string("usage: ") + program;
  for (const Option& option : table) {
    line += std::string(" [") + option.name;
    if (option.value) line += std::string(" ") + option.value;
    line += "]";
  }
  if (words) line += std::string(" ") + words;
  return line + "\n";
}

std::string help(const char* program, const std::vector<Option>& table, const char* words) {
  std::string text = usage(program, table, words);
  for (const Option& option : table) {
    std::string left = std::string("  ") + option.name;
    if (option.value) left += std::string(" ") + option.value;
    left.resize(std::max<std::size_t>(left.size() + 2, 28), ' ');
    text += left + option.help + "\n";
  }
  return text;
}

bool asks_for_help(int argc, char* const argv[]) {
  const auto is = [](const char* word, const char* text) { return std::strcmp(word, text) == 0; };
  for (int i = 1; i < argc && !is(argv[i], "--"); ++i) {
    if (is(argv[i], "--help") || is(argv[i], "-h")) return true;
  }
  return false;
}

// What server_main() and client_main() share: every way to end has its sentence and its status.
int run_program(int argc, char* argv[], const char* program, const std::vector<Option>& table,
                const char* words, void (*run)(const Options&)) {
  occupy_standard_descriptors();
  const bool is_client = std::strcmp(program, "client") == 0;
  if (!is_client) survive_readers_of_the_log();
  std::string partner;  // whom a client talks to: its errors name it
  if (asks_for_help(argc, argv)) {
    std::fputs(help(program, table, words).c_str(), stdout);
    return 0;
  }
  try {
    const Options options(argc, argv, program, table, words);
    quiet = options.has("--quiet");
    if (options.has("--grace")) {
      grace = std::chrono::milliseconds(options.number("--grace", 0));
    } else if (const char* const given = std::getenv("KIT_GRACE_MS")) {
      grace = std::chrono::milliseconds(std::strtol(given, nullptr, 10));  // the checks say it
    }
    if (is_client) partner = options.partner() + ": ";
    run(options);
    // What a client prints is its result; what a server prints is a log.
    if (std::fflush(stdout) != 0 && is_client) throw_system_error("stdout");
    return 0;
  } catch (const UsageError& error) {
    std::fprintf(stderr, "%s: %s\n%s", program, error.what(), usage(program, table, words).c_str());
    return exit_usage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s%s\n", program, partner.c_str(), error.what());
    return exit_failure;
  }
}

std::vector<Option> with_address(std::initializer_list<Option> more) {
  std::vector<Option> table{
      {"--host", "H", "the address, as numbers or a name (127.0.0.1)"},
      {"--port", "N", "the port; a server given 0 lets the kernel pick (9999)", 0, 65535},
  };
  table.insert(table.end(), more);
  return table;
}

std::string_view without_newline(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

}  // namespace

Options::Options(int argc, char* const argv[], const char* program, std::vector<Option> table,
                 const char* words)
    : is_client_(std::strcmp(program, "client") == 0) {
  bool only_words = false;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (!only_words && word == "--") {
      only_words = true;
      continue;
    }
    if (only_words || word.size() < 2 || word[0] != '-') {
      if (!words) throw UsageError("\"" + word + "\": " + program + " takes options only");
      words_.push_back(word);
      continue;
    }
    const std::string name = word.substr(0, word.find('='));
    const auto option = std::find_if(table.begin(), table.end(),
                                     [&](const Option& entry) { return name == entry.name; });
    if (option == table.end()) throw UsageError(name + ": there is no such option");
    std::string value;
    if (name.size() < word.size()) {
      if (!option->value) throw UsageError(name + ": takes no value");
      value = word.substr(name.size() + 1);
    } else if (option->value) {
      if (++i == argc) throw UsageError(name + ": its value " + option->value + " is missing");
      value = argv[i];
    }
    if (is_number(*option)) {
      (void)parse_number(*option, value);
    } else if (is_choice(*option)) {
      check_choice(*option, value);
    }
    given_.push_back({name, value});
  }
  if (words && words_.empty()) throw UsageError(std::string(words) + " is missing");
}

const Options::Given* Options::find(std::string_view name) const noexcept {
  const auto found = std::find_if(given_.rbegin(), given_.rend(),
                                  [&](const Given& given) { return given.name == name; });
  return found == given_.rend() ? nullptr : &*found;
}

bool Options::has(std::string_view name) const noexcept {
  return find(name) != nullptr;
}

std::string Options::text(std::string_view name, std::string_view fallback) const {
  const Given* given = find(name);
  return given ? given->value : std::string(fallback);
}

long Options::number(std::string_view name, long fallback) const {
  const Given* given = find(name);
  if (!given) return fallback;
  long number = 0;  // the constructor has checked that it is one, and in its range
  std::from_chars(given->value.data(), given->value.data() + given->value.size(), number);
  return number;
}

std::string Options::required(std::string_view name) const {
  const Given* given = find(name);
  if (!given) throw UsageError(std::string(name) + " is missing");
  return given->value;
}

std::string Options::partner() const {
  return has("--path") ? "unix:" + escaped(text("--path")) : address().text();
}

Address Options::address() const {
  return addresses().front();
}

std::vector<Address> Options::addresses() const {
  try {
    if (has("--path")) return {Address::unix_path(text("--path"))};
  } catch (const std::invalid_argument& error) {
    throw UsageError(std::string("--path: ") + error.what());
  }
  std::string host = text("--host", "127.0.0.1");
  if (is_client_ && host == "0.0.0.0") host = "127.0.0.1";
  if (is_client_ && host == "::") host = "::1";
  try {
    return Address::inet_all(host, static_cast<std::uint16_t>(number("--port", default_port)));
  } catch (const std::invalid_argument& error) {
    throw UsageError(std::string("--host: ") + error.what());
  }
}

Address Options::reachable_address() const {
  const std::vector<Address> all = addresses();
  for (std::size_t i = 0; all.size() > 1 && i < all.size(); ++i) {
    const FileDescriptor probe(::socket(all[i].family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (probe && ::connect(probe.get(), all[i].data(), all[i].size()) == 0) return all[i];
  }
  return all.front();  // whoever connects there says why it cannot be reached
}

std::string Options::sentence() const {
  std::string joined;
  for (std::size_t i = 0; i < words_.size(); ++i) joined += (i == 0 ? "" : " ") + words_[i];
  return joined;
}

int server_main(int argc, char* argv[], std::initializer_list<Option> more,
                void (*serve)(const Options&)) {
  std::vector<Option> table = with_address(more);
  table.push_back({"--quiet", nullptr, "prints no line for what it receives"});
  table.push_back({"--grace", "MS", "how long a signal leaves to what is under way (5000)"});
  return run_program(argc, argv, "server", table, nullptr, serve);
}

int client_main(int argc, char* argv[], std::initializer_list<Option> more, const char* words,
                void (*run)(const Options&)) {
#if defined(__APPLE__)
  // Not every system knows MSG_NOSIGNAL (portable.hpp): a server that has gone is to be an error of
  // send, and not the client's end.
  std::signal(SIGPIPE, SIG_IGN);
#endif
  return run_program(argc, argv, "client", with_address(more), words, run);
}

void start_listening(BaseServer& server) {
  if (grace) server.grace = grace;
  try {
    server.bind_and_activate();
  } catch (const std::system_error& error) {
    throw std::runtime_error("cannot listen on " + server.server_address().text() + ": " +
                             error.what());
  }
  (void)std::fflush(stdout);  // what the program has printed comes before
  log_line("listening on " + server.server_address().text());
}

void log_received(const Address& client_address, std::string_view bytes) {
  if (quiet) return;
  const std::string_view shown = bytes.substr(0, shown_bytes);
  log_line(client_address.text() + "  " + std::to_string(bytes.size()) + " bytes  \"" +
           escaped(shown) + (shown.size() < bytes.size() ? "\"…" : "\""));
}

void print_exchange(std::string_view sent, std::string_view received) {
  const auto line = [](const char* title, std::string_view text) {
    std::fputs(title, stdout);
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fputc('\n', stdout);
  };
  line("Sent:     ", without_newline(sent));
  line("Received: ", without_newline(received));
}

std::string escaped(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    char code[8];
    switch (byte) {
      case '\n':
        text += "\\n";
        break;
      case '\r':
        text += "\\r";
        break;
      case '\t':
        text += "\\t";
        break;
      case '\0':
        text += "\\0";
        break;
      case '"':
        text += "\\\"";
        break;
      case '\\':
        text += "\\\\";
        break;
      default:
        if (value >= 0x20 && value < 0x7f) {
          text += byte;
        } else {
          std::snprintf(code, sizeof code, "\\x%02x", value);
          text += code;
        }
    }
  }
  return text;
}

}  // namespace socketserver
