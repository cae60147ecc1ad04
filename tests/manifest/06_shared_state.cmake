# Lesson 06: what the learner writes, and what is checked. Ids are stable: they stand in grade books.
kit_lesson(06_shared_state "locks")

kit_header(bank.hpp)
kit_program(server server.cpp SLOTS bank.cpp)
kit_program(client client.cpp)

#        task  file        what is written there
kit_task(06.A bank.cpp    Bank::deposit Bank::transfer Bank::balance Bank::total)
kit_task(06.B bank.cpp    Bank::deposit Bank::total)
kit_task(06.C bank.cpp    Bank::transfer)
kit_task(06.D client.cpp  prove_total move_money_at_once move_money)
kit_task(06.E bank.cpp    Bank::balance)
kit_task(06.F bank.cpp    Bank::wait_for Bank::look_again Bank::stop)
kit_task(06.G bank.cpp    Bank::deposit)
kit_task(06.H bank.cpp    Bank::deposit)

#        step  points     program task  what a learner can say of it
kit_step(06.1  10 core   server 06.A "the commands work for one client, and bad input changes nothing")
kit_step(06.2   8 core   server 06.B "deposits by many clients are all there")
kit_step(06.3  10 core   server 06.B "TOTAL is the same at every moment while transfers run")
kit_step(06.4  14 core   server 06.C "opposite transfers never stop each other for good")
kit_step(06.5  10 core   server 06.C "a transfer that fails half-way leaves everything as it was")
kit_step(06.6   8 core   client 06.D "proves TOTAL, and says so when one unit is missing")
kit_step(06.7   4 harden server 06.E "a client that does not read its answer holds no lock")
kit_step(06.8  24 harden server 06.F "WAIT answers when it becomes true, without polling, and the server can end meanwhile" BUILDS checked plain)
kit_step(06.9  10 harden server 06.G "no data race, no lock-order inversion" BUILDS raced)
kit_step(06.10  2 harden server 06.H "--model forks: every client sees its own copy")
