#pragma once

// Catch2 2.13 (one header) or 3.x (many).

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#define KIT_CATCH2_3 1
#else
#define CATCH_CONFIG_EXTERNAL_INTERFACES  // the listener's base class
#include <catch2/catch.hpp>
#define KIT_CATCH2_3 0
#endif

namespace kit {

#if KIT_CATCH2_3
using Catch::Approx;
using CatchListener = Catch::EventListenerBase;
#else
using Catch::Detail::Approx;
using CatchListener = Catch::TestEventListenerBase;
#endif

}  // namespace kit
