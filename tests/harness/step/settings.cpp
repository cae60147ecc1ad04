// What a check is told by its environment, and its numbers by lot.

#include <unistd.h>

#include <cstdlib>

#include "step.hpp"

namespace kit {
namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string needed(const char* name) {
  std::string value = variable(name);
  if (value.empty()) {
    throw KitError(std::string(name) +
                   " is not set. A check is started by CTest: "
                   "ctest --preset lesson-01 -R '^01\\.1 '");
  }
  return value;
}

// Programs start in a folder of their own: a relative path would mean something else there.
std::string absolute(const std::string& path) {
  if (path.starts_with('/')) return path;
  char here[4096];
  return getcwd(here, sizeof here) == nullptr ? path : std::string(here) + '/' + path;
}

}  // namespace

Settings Settings::from_environment() {
  Settings settings;
  settings.manifest = needed("KIT_MANIFEST");
  settings.candidate = absolute(needed("KIT_CANDIDATE"));
  settings.sources = absolute(needed("KIT_SOURCES"));
  settings.root = variable("KIT_ROOT");
  settings.build = variable("KIT_BUILD");
  settings.result = variable("KIT_RESULT");
  if (const std::string seed = variable("KIT_SEED"); !seed.empty()) {
    settings.seed = static_cast<std::uint32_t>(std::strtoul(seed.c_str(), nullptr, 10));
  } else {
    const auto now = std::chrono::system_clock::now().time_since_epoch().count();
    settings.seed = static_cast<std::uint32_t>(
        Random::hash(std::to_string(now) + ' ' + std::to_string(getpid())) % 1'000'000);
  }
  if (const std::string timeout = variable("KIT_STEP_TIMEOUT"); !timeout.empty()) {
    settings.timeout = std::strtod(timeout.c_str(), nullptr);
  }
  if (const std::string tries = variable("KIT_TRIES"); !tries.empty()) {
    settings.tries = std::atoi(tries.c_str());
  }
  return settings;
}

std::uint64_t Random::hash(std::string_view text) {
  std::uint64_t value = 14695981039346656037ULL;
  for (char c : text) value = (value ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return value;
}

// SplitMix64.
std::uint64_t Random::next() {
  std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

}  // namespace kit
