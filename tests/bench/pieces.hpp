#pragma once

#include <vector>

#include "results.hpp"

namespace kit::bench {

/// Measures what the building blocks of a server cost on this machine: a system call, a message
/// over TCP, a change from one thread to another, a thread, a process, a connection. In processor
/// time, since that is what a server's design spends. Half a second in all; to be called on one
/// processor, while this process is small and has one thread.
std::vector<Piece> measure_pieces();

}  // namespace kit::bench
