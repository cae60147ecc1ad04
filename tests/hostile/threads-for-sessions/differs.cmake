kit_answer(
  NAME threads-for-sessions
  SENTENCE "What is said of the session is answered by the handler."
  FILE server.cpp
  REPLACE [[  run_with_sessions(options);
}]]
  WITH [[  (void)run_with_sessions;
  run_with_handlers<ThreadingHTTPServer>(options);
}]])
