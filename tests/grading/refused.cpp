#include "refused.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "harness/base/sources.hpp"

#if defined(__linux__)
#include <dlfcn.h>
#include <elf.h>
#endif

namespace kit {
namespace {

using std::string_view;

bool begins_with_any(string_view text, const auto& starts) {
  return std::ranges::any_of(starts, [&](string_view start) { return text.starts_with(start); });
}

constexpr std::array refused_words{"no_sanitize", "no_address_safety_analysis",
                                   "disable_sanitizer_instrumentation"};

#if defined(__linux__)

constexpr const char* of_sanitizers =
    ". The interface of the sanitizers is theirs: what they look for would go unseen.";
constexpr const char* round_recorder =
    ". By that name a program gets round the linker, and what it calls would go unseen.";

// A submission that defines one of these answers in the sanitizers' place, or in the recorder's.
constexpr std::array sanitizers{"__asan_",        "__tsan_",         "__ubsan_",
                                "__lsan_",        "__msan_",         "__sanitizer_",
                                "__interceptor_", "___interceptor_", "__interceptor_trampoline_",
                                "_ZN6__asan",     "_ZN6__tsan",      "_ZN7__ubsan",
                                "_ZN6__lsan",     "_ZN11__sanitizer"};
// Those that compilers themselves define in an instrumented object.
constexpr std::array made_by_compilers{"__asan_global_", "__asan_gen_", "__asan_binder_"};

// A submission that calls one of these hides what it does. (Most names of the interface are called
// by instrumented code itself.)
constexpr std::array hiding{"__asan_set_death_callback",
                            "__asan_set_error_report_callback",
                            "__asan_unpoison_memory_region",
                            "__asan_poison_memory_region",
                            "__asan_default_",
                            "__asan_on_error",
                            "__lsan_",
                            "__sanitizer_",
                            "__tsan_acquire",
                            "__tsan_release",
                            "__tsan_ignore_",
                            "__tsan_mutex_",
                            "__tsan_external_",
                            "__tsan_switch_to_fiber",
                            "__tsan_create_fiber",
                            "__tsan_set_fiber_name",
                            "__tsan_get_",
                            "__tsan_locate",
                            "__tsan_on_",
                            "__tsan_default_",
                            "__tsan_flush_memory",
                            "__ubsan_on_",
                            "__ubsan_get_",
                            "__ubsan_default_",
                            "Annotate",
                            "WTFAnnotate",
                            "__interceptor_",
                            "___interceptor_",
                            "_ZN6__asan",
                            "_ZN6__tsan",
                            "_ZN7__ubsan",
                            "_ZN11__sanitizer"};

constexpr const char* of_system =
    ". That is a name of the system's: what others mean by it would lead to this program.";

// The linker's names for what stands behind the recorder, and the loader's for all there is.
constexpr std::array linkers{"__real_", "__wrap_"};
constexpr std::array loaders{"dlsym",  "dlvsym",          "dlopen",  "dlmopen",
                             "dladdr", "dl_iterate_phdr", "_r_debug"};

// What the recorder stands in front of, and the C library has under other names too: __recv,
// __recv_chk, __libc_recv, …
constexpr std::array wrapped{"accept",  "bind",  "close",   "connect", "fork",     "listen",
                             "poll",    "ppoll", "read",    "recv",    "recvmsg",  "recvmmsg",
                             "select",  "send",  "sendto",  "wait",    "sendmmsg", "sendmsg",
                             "waitpid", "write", "recvfrom"};

bool is_second_name(string_view name) {
  if (!name.starts_with("__")) return false;
  name.remove_prefix(name.starts_with("__libc_") ? 7 : 2);
  for (const string_view end : {"_chk", "_nocancel"}) {
    if (name.ends_with(end)) name.remove_suffix(end.size());
  }
  return std::ranges::find(wrapped, name) != wrapped.end();
}

/// Whether the C library has it: a program that has one of its own takes the library's place, and
/// the recorder and the kit's own files call it unawares. (What C++ itself lets a program replace
/// has other names.)
bool is_of_system(string_view name) {
  if (name == "__gmon_start__") return true;  // it begins before all other
  if (name.starts_with("_Z") || name == "main") return false;
  return dlsym(RTLD_DEFAULT, std::string(name).c_str()) != nullptr;
}

std::string refused_name(string_view name, bool defined, bool instrumented) {
  const std::string quoted(name.substr(0, 80));
  // With a version behind it the linker does not know a name again.
  const bool round = begins_with_any(name, linkers) || name.find('@') != string_view::npos ||
                     (instrumented && !defined && is_second_name(name));
  if (round) return (defined ? "defines " : "calls ") + quoted + round_recorder;
  if (defined) {
    const bool theirs =
        begins_with_any(name, sanitizers) && !begins_with_any(name, made_by_compilers);
    return theirs ? "defines " + quoted + of_sanitizers : "";
  }
  if (begins_with_any(name, hiding)) return "calls " + quoted + of_sanitizers;
  const bool looks_up = std::ranges::find(loaders, name) != loaders.end();
  return looks_up ? "calls " + quoted + round_recorder : "";
}

/// An object of 64 bits. Its bytes are the submission's: nothing that they say is believed.
class ObjectFile {
 public:
  ObjectFile(const std::string& bytes, bool instrumented)
      : bytes_(bytes), instrumented_(instrumented) {
    Elf64_Ehdr header{};
    if (!read(0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != ELFCLASS64) {
      return;
    }
    Elf64_Shdr first{};
    std::uint64_t count = header.e_shnum;
    // With very many sections the count stands in the first of them.
    if (count == 0 && read(header.e_shoff, first)) count = first.sh_size;
    count = std::min<std::uint64_t>(count, bytes.size() / sizeof(Elf64_Shdr));
    for (std::uint64_t i = 0; i < count; ++i) {
      Elf64_Shdr section{};
      if (read(header.e_shoff + i * sizeof section, section)) sections_.push_back(section);
    }
    names_ = header.e_shstrndx;
    if (names_ == SHN_XINDEX && !sections_.empty()) names_ = sections_[0].sh_link;
  }

  [[nodiscard]] std::string refused() const {
    std::uint64_t of_sanitizer = 0;  // how much there is of the sanitizers' constructors: one
    for (const Elf64_Shdr& section : sections_) {
      const std::string name(name_of(section));
      if (section.sh_type == SHT_PREINIT_ARRAY || runs_early(name, section, of_sanitizer)) {
        return "has code that runs before all other (" + name.substr(0, 40) + ")" + round_recorder;
      }
      if (section.sh_type != SHT_SYMTAB) continue;
      if (std::string why = refused_symbol(section); !why.empty()) return why;
    }
    return {};
  }

 private:
  template <typename Structure>
  [[nodiscard]] bool read(std::uint64_t at, Structure& to) const {
    if (at > bytes_.size() || bytes_.size() - at < sizeof to) return false;
    std::memcpy(&to, bytes_.data() + at, sizeof to);
    return true;
  }

  [[nodiscard]] string_view name_of(const Elf64_Shdr& section) const {
    return names_ < sections_.size() ? name_at(sections_[names_].sh_offset + section.sh_name)
                                     : string_view{};
  }

  /// Before the recorder, whose constructor has the first number that is a program's own (101). The
  /// sanitizers have one constructor in each object, numbered 99 by GCC and 1 by Clang; the one of
  /// Clang's ThreadSanitizer has the number 0.
  [[nodiscard]] bool runs_early(string_view name, const Elf64_Shdr& section,
                                std::uint64_t& of_sanitizer) const {
    constexpr string_view constructors = ".init_array.";
    if (name.starts_with(constructors)) {
      const long number =
          std::strtol(std::string(name.substr(constructors.size())).c_str(), nullptr, 10);
      if (number > 101) return false;
      const bool theirs = number == 99 || number == 1 || (number == 0 && calls("__tsan_init"));
      of_sanitizer += std::min<std::uint64_t>(section.sh_size, 2 * sizeof(void*));
      return !instrumented_ || !theirs || of_sanitizer > sizeof(void*);
    }
    return name == ".init" || name.starts_with(".preinit_array") || name.starts_with(".ctors");
  }

  /// Whether it calls a function of this name that is somebody else's.
  [[nodiscard]] bool calls(string_view wanted) const {
    return std::ranges::any_of(sections_, [&](const Elf64_Shdr& table) {
      if (table.sh_type != SHT_SYMTAB || table.sh_link >= sections_.size()) return false;
      const Elf64_Shdr& names = sections_[table.sh_link];
      return std::ranges::any_of(symbols(table), [&](const Elf64_Sym& symbol) {
        return symbol.st_shndx == SHN_UNDEF && name_at(names.sh_offset + symbol.st_name) == wanted;
      });
    });
  }

  [[nodiscard]] std::vector<Elf64_Sym> symbols(const Elf64_Shdr& table) const {
    const std::uint64_t count =
        std::min<std::uint64_t>(table.sh_size, bytes_.size()) / sizeof(Elf64_Sym);
    std::vector<Elf64_Sym> all;
    for (std::uint64_t i = 0; i < count; ++i) {
      Elf64_Sym symbol{};
      if (!read(table.sh_offset + i * sizeof symbol, symbol)) break;
      all.push_back(symbol);
    }
    return all;
  }

  [[nodiscard]] std::string refused_symbol(const Elf64_Shdr& table) const {
    if (table.sh_link >= sections_.size()) return {};
    const Elf64_Shdr& names = sections_[table.sh_link];
    for (const Elf64_Sym& symbol : symbols(table)) {
      if (ELF64_ST_TYPE(symbol.st_info) == STT_GNU_IFUNC) {
        return std::string("has a function that is chosen as the program is loaded (ifunc)") +
               round_recorder;
      }
      const bool local = ELF64_ST_BIND(symbol.st_info) == STB_LOCAL;
      const bool defined = symbol.st_shndx != SHN_UNDEF;
      if (local && defined) continue;  // nobody else can call it
      const string_view name = name_at(names.sh_offset + symbol.st_name);
      if (std::string why = refused_name(name, defined, instrumented_); !why.empty()) return why;
      if (is_code(symbol) && is_of_system(name)) {
        return "defines " + std::string(name.substr(0, 80)) + of_system;
      }
    }
    return {};
  }

  /// A variable may be called as it likes: only what can be run takes a function's place.
  [[nodiscard]] bool is_code(const Elf64_Sym& symbol) const {
    return symbol.st_shndx < sections_.size() && symbol.st_shndx != SHN_UNDEF &&
           (sections_[symbol.st_shndx].sh_flags & SHF_EXECINSTR) != 0;
  }

  [[nodiscard]] string_view name_at(std::uint64_t at) const {
    if (at >= bytes_.size()) return {};
    const char* const begin = bytes_.data() + at;
    return {begin, strnlen(begin, bytes_.size() - at)};
  }

  const std::string& bytes_;
  bool instrumented_;
  std::vector<Elf64_Shdr> sections_;
  std::size_t names_ = 0;  ///< the section that holds the sections' names
};

#endif

}  // namespace

std::string refused_in_object(const std::filesystem::path& object, bool instrumented) {
#if defined(__linux__)
  const std::string bytes = read_text(object.string()).value_or("");
  return ObjectFile(bytes, instrumented).refused();
#else
  (void)object, (void)instrumented;
  return {};
#endif
}

bool may_hold_refused_words(const std::string& source) {
  std::string joined;  // as the preprocessor does it: a line that ends with \ goes on
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\\') {
      const std::size_t next = source.find_first_not_of(" \t\r\v\f", i + 1);
      if (next != std::string::npos && source[next] == '\n') {
        i = next;
        continue;
      }
    }
    joined += source[i];
  }
  constexpr std::array signs{"sanitize", "address_safety", "##", "%:%:"};
  return std::ranges::any_of(
      signs, [&](const char* sign) { return joined.find(sign) != std::string::npos; });
}

std::string refused_in_source(const std::string& preprocessed) {
  for (const char* word : refused_words) {
    if (preprocessed.find(word) != std::string::npos) {
      return std::string("switches a sanitizer off (") + word +
             "): what it looks for would go unseen.";
    }
  }
  return {};
}

}  // namespace kit
