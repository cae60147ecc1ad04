#pragma once

// Catch2 looks here on macOS, for which of Apple's systems it is on: here, on none of them.
