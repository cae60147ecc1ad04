#pragma once

// Every time, size and count of the harness, with its reason.

#include <chrono>
#include <cstddef>

namespace kit::limits {

using std::chrono::milliseconds;

// -- times; those for the learner's program are multiplied by KIT_TIME_SCALE --------------------

// The longest wait for one event (a ready line, an answer, an exit): KIT_DEADLINE_MS replaces it.
// A correct program needs a few milliseconds; a loaded machine with a sanitizer, a few hundred.
inline constexpr milliseconds one_event{5000};

// What the machine keeps from a program is given back to it (kernel/lost_time.hpp): looked for this
// often, counted from this delay of the check's own, and up to so many times the wait's own length.
inline constexpr milliseconds look_for_lost_time{250};
inline constexpr milliseconds late{50};
inline constexpr int most_patience = 4;
// A check that lost so much of such a moment may have been too late itself: a step that failed then
// is done again, and so often in all. The shortest time that a step asks a program for is 150 ms.
inline constexpr milliseconds late_at_most{100};
inline constexpr int tries = 3;

// What the kernel tells nobody about (a state in /proc) is looked at again after this long.
inline constexpr milliseconds proc_poll{3};

// Whoever waits for what no event tells of, and does not say how often to look, looks again after
// this long: a wait that nobody wakes costs a moment and not a whole deadline.
inline constexpr milliseconds look_again{20};

// A held call is let go by the check. If the check itself is killed, nobody does: then after this
// long, which is more than any step may last.
inline constexpr milliseconds longest_hold{30 * 60 * 1000};

// A process that was ended by SIGKILL is gone within microseconds; if not, the machine is ill.
inline constexpr milliseconds reap{10'000};

// After its parent has ended, a child may need this long to end too before it counts as left
// behind. Only a failing step waits it out.
inline constexpr milliseconds left_behind{500};

// A connection ends a moment before its process can be waited for. A report waits this long to
// tell "it closed the connection" from "it died"; a process known to be ending, for `dying`.
inline constexpr milliseconds settle{60};
inline constexpr milliseconds dying{3000};

// The part of a step's ctest timeout that the step may use: what remains is for the report.
inline constexpr double share_of_timeout = 0.85;

// -- what is kept of what a program says ---------------------------------------------------------

// From the beginning: enough for every line that a step looks at.
inline constexpr std::size_t output_head = 1024 * 1024;
// From the end: last words, which an explanation needs.
inline constexpr std::size_t output_tail = 32 * 1024;
// No program of the course prints a hundredth of this: it is in a loop.
inline constexpr std::size_t output_flood = 32 * 1024 * 1024;
// Lines of a program's stderr that a report relays, each cut to the report's width.
inline constexpr std::size_t relayed_lines = 10;

// -- what a report shows --------------------------------------------------------------------------

inline constexpr std::size_t report_width = 80;
inline constexpr std::size_t least_report_width = 60;
// Columns of one message before it is cut.
inline constexpr std::size_t shown_bytes = 60;
// A first difference further in than this is shown in a window, with so many columns before it.
inline constexpr std::size_t shown_near = 44;
inline constexpr std::size_t shown_before = 20;
// The calls of a program that a report shows: so many lines, the first and the last.
inline constexpr std::size_t trace_lines = 12;
// Columns of what such a call has received.
inline constexpr std::size_t trace_bytes = 28;
// Lines of the dialogue: the first few tell how it began, the last how it failed.
inline constexpr std::size_t story_first = 4;
inline constexpr std::size_t story_last = 12;
inline constexpr std::size_t story_lines = 24;
// All of a report: what a reader takes in. One that would be longer shows less of everything.
inline constexpr std::size_t report_lines = 60;

// ---- limits of a program -----------------------------------------------------------------------

// Address space of a plain build: 200 threads with 8 MiB of stack each, and glibc's arenas. (The
// sanitizers reserve terabytes: they get hard_rss_limit_mb.)
inline constexpr std::size_t address_space = std::size_t{3} * 1024 * 1024 * 1024;
inline constexpr std::size_t sanitized_memory_mb = 512;
// Open files: as a desktop's default.
inline constexpr std::size_t open_files = 1024;
// The check's own, below which it cannot even speak to a program: a shell's `ulimit -n`.
inline constexpr std::size_t least_open_files = 128;
// Bytes in one file: no program of the course writes one.
inline constexpr std::size_t file_size = std::size_t{64} * 1024 * 1024;
// Processes and threads together, counted for the step's own user.
inline constexpr std::size_t processes = 600;
// Seconds of processor time, a backstop: the deadline of an event comes first.
inline constexpr std::size_t cpu_seconds = 120;

// Memory that a server may keep after its clients have gone: buffers for the next ones, and what
// the C library and iostreams take at first use.
inline constexpr std::size_t heap_allowance = std::size_t{512} * 1024;

// ---- exit statuses -----------------------------------------------------------------------------

inline constexpr int not_written = 86;  // a hole of a starter (common/'s not_written())
inline constexpr int sanitizer = 97;    // AddressSanitizer, UndefinedBehaviorSanitizer
inline constexpr int thread_sanitizer = 98;

inline constexpr int passed = 0;
inline constexpr int failed = 1;
inline constexpr int cannot_run = 77;  // CTest's SKIP_RETURN_CODE
inline constexpr int kit_error = 99;   // the kit's own error, not the learner's

}  // namespace kit::limits
