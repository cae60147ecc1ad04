// The check of lesson 03: one STEP a step of tests/manifest/03_unix_sockets.cmake.
