#pragma once

/// Opt-in: what tests of code that uses r2 need. `fake_client` runs its loops in no time and without a network;
/// `server` is a real one on a loopback port, for what only sockets can show. With any test framework.

#include "r2/config.hpp"  // stops an older language with one error

#if __cplusplus >= 202002L

#include "r2/r2.hpp"
#include "r2/testing/fake_client.hpp"
#include "r2/testing/ports.hpp"
#include "r2/testing/server.hpp"

#endif
