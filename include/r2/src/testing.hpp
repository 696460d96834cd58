#pragma once

/// The definitions of `<r2/testing.hpp>` in compiled mode. `<r2/src.hpp>` includes this. In an object file of its own,
/// a linker leaves it out of programs that don't use it.

#include "r2/testing/answer.ipp"
#include "r2/testing/bound_port.ipp"
#include "r2/testing/composition.ipp"
#include "r2/testing/descriptor.ipp"
#include "r2/testing/fake_client.ipp"
#include "r2/testing/ports.ipp"
#include "r2/testing/server.ipp"
