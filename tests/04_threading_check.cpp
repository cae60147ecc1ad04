#include "harness/check.hpp"
