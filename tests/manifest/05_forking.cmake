# Lesson 05: what the learner writes, and what is checked. Ids are stable: they stand in grade books.
kit_lesson(05_forking "one process per request")

# fork copies the list of all mappings, and each child looks symbols up anew: with the C++ library
# linked in, and everything looked up at the start, a child costs little more than that of a C program.
if(KIT_LINKS_FOR_FORK)
  list(APPEND KIT_LINK_plain -static-libstdc++ -static-libgcc -Wl,-z,now)
endif()

kit_header(forking_mixin.hpp)
kit_program(server server.cpp)
kit_program(client client.cpp)
kit_probe(ends)
kit_probe(strangers)

#        task  file               what is written there
kit_task(05.A forking_mixin.hpp  ForkingMixIn::fork_child ForkingMixIn::process_request)
kit_task(05.B forking_mixin.hpp  ForkingMixIn::collect_children ForkingMixIn::service_actions)
kit_task(05.C client.cpp         start_clients collect_clients)
kit_task(05.D forking_mixin.hpp  ForkingMixIn::server_close)
kit_task(05.E forking_mixin.hpp  ForkingMixIn::has_room)
kit_task(05.F forking_mixin.hpp  ForkingMixIn::fork_child)
kit_task(05.G forking_mixin.hpp  ForkingMixIn::process_request)
kit_task(05.H forking_mixin.hpp  ForkingMixIn::handle_timeout)
kit_task(05.I server.cpp         HalfwayEcho::serve_line)

#        step  points     program task  what a learner can say of it
kit_step(05.1  10 core   server 05.A "each client gets a process of its own, also beside a silent one")
kit_step(05.2  10 core   server 05.A "the client sees end of file when its child ends")
kit_step(05.3  12 core   server 05.B "a burst of 50 leaves no zombie, without waiting for the next client")
kit_step(05.4   8 core   probe  05.A "a child never comes back into the loop, and leaves by _exit" PROBES ends)
kit_step(05.5   8 core   server 05.B "a child that crashes costs its client alone, and its status is told" PROBES ends)
kit_step(05.6   6 core   client 05.C "its children's exit statuses decide its own")
kit_step(05.7   6 core   server 05.D "the end waits for the children, or not, as told")
kit_step(05.8   8 harden server 05.E "above --max-children the next client waits, and none is lost" PROBES ends)
kit_step(05.9   8 harden server 05.F "a child holds no listener: the port is free while it serves")
kit_step(05.10  7 harden server 05.G "a fork that fails costs one client, not the server")
kit_step(05.11  5 harden server 05.H "nothing is left under a handle_request loop either")
kit_step(05.12  5 harden probe  05.B "children that are not the server's are left alone" PROBES strangers)
kit_step(05.13  7 harden server 05.I "slow requests get a process each, and quick ones do not wait")
