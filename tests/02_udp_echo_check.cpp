// The check of lesson 02: one STEP a step of tests/manifest/02_udp_echo.cmake.
