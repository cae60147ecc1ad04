# Lesson 04: what the learner writes, and what is checked. Ids are stable: they stand in grade books.
kit_lesson(04_threading "one thread per request")

kit_header(threading_mixin.hpp)
kit_program(server server.cpp)
kit_program(client client.cpp)
kit_probe(closes)

#        task  file                 what is written there
kit_task(04.A threading_mixin.hpp  ThreadingMixIn::process_request ThreadingMixIn::process_request_thread)
kit_task(04.B threading_mixin.hpp  ThreadingMixIn::server_close)
kit_task(04.C client.cpp           converse converse_all)
kit_task(04.D threading_mixin.hpp  ThreadingMixIn::process_request_thread)
kit_task(04.E threading_mixin.hpp  ThreadingMixIn::has_room)
kit_task(04.F threading_mixin.hpp  ThreadingMixIn::process_request)
kit_task(04.G threading_mixin.hpp  ThreadingMixIn::server_close)
kit_task(04.H threading_mixin.hpp  ThreadingMixIn::process_request)

#        step  points     program task  what a learner can say of it
kit_step(04.1   8 core   server 04.A "a second client is served while the first says nothing")
kit_step(04.2  10 core   server 04.A "50 clients at once each get their own answers")
kit_step(04.3   6 core   server 04.A "an exception ends its connection alone" PROBES closes)
kit_step(04.4  10 core   server 04.A "after 200 requests there are no more threads than before, nor memory" BUILDS plain)
kit_step(04.5  10 core   server 04.B "the end waits for requests under way, and their whole answers" PROBES closes)
kit_step(04.6   8 core   server 04.A "each connection is closed once, by its owner")
kit_step(04.7   8 core   client 04.C "notices one wrong byte among all answers, and a connection cut short")
kit_step(04.8   6 harden server 04.D "no data race" BUILDS raced)
kit_step(04.9  13 harden server 04.E "above --max-threads the next client waits, and none is lost")
kit_step(04.10 13 harden server 04.F "a thread that cannot start costs one client, not the server")
kit_step(04.11  4 harden server 04.G "--daemon-threads and --no-block-on-close do not wait")
kit_step(04.12  2 harden server 04.G "shutdown() from a handler's thread works")
kit_step(04.13  2 harden server 04.H "UDP and Unix servers thread as well")
