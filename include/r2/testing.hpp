#pragma once

/// Opt-in tools for tests of code that uses r2, with any test framework. `fake_client` runs loops on virtual time and
/// without a network. `server` is a real server on a loopback port.

#include "r2/config.hpp"  // stops an older language with one error

#if __cplusplus >= 202002L

#include "r2/r2.hpp"
#include "r2/testing/fake_client.hpp"
#include "r2/testing/ports.hpp"
#include "r2/testing/server.hpp"

#endif
