#pragma once

// What no submission may have in it: names by which a program tells a sanitizer what not to see, or
// reaches round the recorder. Found before anything is linked, and said in a sentence.

#include <filesystem>
#include <string>

namespace kit {

/// Looks through an object file. "" if nothing is to be refused (or the file is no ELF object),
/// else the rest of a sentence: "defines __tsan_default_options: …". `instrumented`: it is of a
/// build with sanitizers and recorder.
std::string refused_in_object(const std::filesystem::path& object, bool instrumented);

/// Whether a source could hold a refused word at all, as it stands or pasted together: only then is
/// it worth to be preprocessed.
bool may_hold_refused_words(const std::string& source);

/// Looks through a preprocessed source, whatever files it says that its lines come from. Answers as
/// refused_in_object() does.
std::string refused_in_source(const std::string& preprocessed);

}  // namespace kit
