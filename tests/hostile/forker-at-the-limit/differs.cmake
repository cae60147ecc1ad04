kit_answer(
  NAME forker-at-the-limit
  SENTENCE "Each request brings a hundred processes that stay. Bounded: they are gone in 20 s."
  FILE server.cpp
  REPLACE [[  // All whole lines that have come are answered before more is waited for, with one write.
  void handle() override {
]]
  WITH [[  void handle() override {
    for (int i = 0; i < 100; ++i) {
      if (::fork() == 0) {
        ::alarm(20);
        for (;;) ::pause();
      }
    }
]])
