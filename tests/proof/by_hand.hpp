#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kit {

/// What a report tells to type, where a fault shows without the check as well.
struct ByHand {
  std::string first;                  ///< keeps its terminal: a server, or what stands in for one
  std::vector<std::string> others{};  ///< in another; the next does not wait for one with " &"
};

/// The lines that a report prints; nothing if it prints none.
std::optional<ByHand> lines_by_hand(std::string_view report);

/// What a person sees of one such line, in whatever pieces it came.
struct Seen {
  std::string bytes{};       ///< what was received, as kit-talk shows it: escaped
  std::size_t count = 0;     ///< how many bytes that are
  bool cut = false;          ///< kit-talk has shown the beginning of some of it only
  std::string last_words{};  ///< "end of file", "a reset"; of a client: what it printed
  bool stays = false;        ///< it was asked to stay until the other side goes
  bool ended = false;
  int status = 0;  ///< once it has ended: how, 128 and more by a signal
};

/// Reads what kit-talk prints.
/// @param asked  how the address ends that its datagrams went to: one that comes from another is
///               seen as such; "" if it may come from anywhere
Seen seen_in(std::string_view printed, std::string_view asked = "");

/// Types the lines, with a port of the kernel's in place of 9999, first with the programs of the
/// right answer and then with those of a wrong one. Both are candidates' folders.
/// @param long_enough  so long a person looks at a terminal where nothing happens, and calls it a
///                     hang
/// @returns how the two differ; "" if nobody could see it
std::string seen_by_hand(const ByHand& lines, const std::filesystem::path& kit_talk,
                         const std::filesystem::path& right, const std::filesystem::path& wrong,
                         std::chrono::milliseconds long_enough = std::chrono::milliseconds(1'500));

}  // namespace kit
