#pragma once

// Put before every source of a program that holds the mutants by rule (rules.hpp). Which of them
// the program is, the environment says: KIT_MUTANT=137. It is read before main, and then one
// number: nothing here calls the system later, so that a child or a signal handler may ask.
//
// KIT_MUTANTS_SEEN=FILE: the file's byte 137 becomes 1 when the program comes to the place of
// mutant 137; those of its children as well, since they share it.

#include <sys/mman.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <optional>

namespace kit_rule {

inline unsigned char* map_seen(unsigned& size) {
  const char* const name = std::getenv("KIT_MUTANTS_SEEN");
  if (name == nullptr) return nullptr;
  // By stdio: the recorder would note a close() of ours as one of the program's.
  std::FILE* const file = std::fopen(name, "r+");
  if (file == nullptr) std::abort();
  struct stat about = {};
  fstat(fileno(file), &about);
  void* const bytes = mmap(nullptr, static_cast<std::size_t>(about.st_size), PROT_READ | PROT_WRITE,
                           MAP_SHARED, fileno(file), 0);
  std::fclose(file);
  if (bytes == MAP_FAILED) std::abort();
  size = static_cast<unsigned>(about.st_size);
  return static_cast<unsigned char*>(bytes);
}

inline unsigned chosen_number() {
  const char* const text = std::getenv("KIT_MUTANT");
  return text == nullptr ? 0 : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

inline unsigned seen_size = 0;
inline unsigned char* const seen = map_seen(seen_size);
inline const unsigned chosen = chosen_number();

/// Whether the program is this mutant.
inline bool on(unsigned number) {
  if (seen != nullptr && number < seen_size) __atomic_store_n(seen + number, 1, __ATOMIC_RELAXED);
  return chosen == number;
}

}  // namespace kit_rule
