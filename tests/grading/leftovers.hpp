#pragma once

namespace kit {

/// Removes what users of steps that have ended could leave outside their private folders, where
/// neither Landlock nor namespaces kept them from it: files in folders that are open to all, System
/// V shared memory, semaphores and queues. Only as root, and only of users that no check holds.
void remove_leftovers() noexcept;

}  // namespace kit
