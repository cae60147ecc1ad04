#pragma once

// What is looked at in every step of every lesson, whatever the step is about: a wrong answer is
// caught by what is always looked at, not because somebody had thought of it. Each look that finds
// something ends the step with a cause of its own.

#include <cstddef>
#include <optional>

#include "step.hpp"

namespace kit {

class Program;
class Server;

/// A loop that asks again and again without sleeping.
inline constexpr const char* turning_sentence =
    "A loop turns: it asks again and again without sleeping, and takes the whole processor. "
    "Whoever gets nothing (EAGAIN, 0 bytes, nobody there) waits until there is something: in "
    "poll() or its like, or in a call that blocks.";

/// A loop that sleeps between its looks.
inline constexpr const char* napping_sentence =
    "A loop sleeps for a time, looks, finds nothing, and sleeps again: it polls, and is deaf while "
    "it sleeps. Wait in the call that comes back when there is news: poll() or its like, a call "
    "that blocks, waitpid() without WNOHANG.";

/// Its calls so far: none on a descriptor that is not open, no loop that turns, none that sleeps
/// and looks again and again. (Nothing where there is no recorder.)
void look_at_calls(Step& step, const Program& program);

/// What it has said: on stderr nothing but what the step expects; nothing on stdout as an answer if
/// it has failed.
void look_at_words(Step& step, const Program& program);

/// The server rests: it has the sockets that it had before anybody came, but for `connections` that
/// may still be open; its memory is what it was. If not, what is wrong.
std::optional<Step::Failure> look_at_rest(Step& step, const Server& server,
                                          std::size_t connections);

}  // namespace kit
