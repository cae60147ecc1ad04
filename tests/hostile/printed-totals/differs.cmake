kit_answer(
  NAME printed-totals
  SENTENCE "A bank that moves no money, and so always adds up."
  FILE bank.cpp
  REPLACE [[  const std::int64_t left = ledger_.read(from) - amount;
  const std::int64_t more = ledger_.read(to) + amount;
  if (left < 0) throw Refused(from + " has not enough");
  ledger_.write(to, more);  // first what may fail: when it throws, nothing has changed
  ledger_.write(from, left);
  changed_[to].notify_all();
]]
  WITH [[  if (ledger_.read(from) < amount) throw Refused(from + " has not enough");
  (void)ledger_.read(to);  // no money moves: then no sum is ever wrong
]])
