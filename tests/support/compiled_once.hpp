#pragma once

#include <memory>
#include <string>
#include <utility>

#include <r2/r2.hpp>

// The library is made of templates whose T is always void; each test would compile them anew, which took half of its
// time and more. These are compiled in compiled_once.cpp only. One that isn't here just takes longer.
#ifndef R2_COMPILED_ONCE
#define R2_COMPILED_ONCE extern
#endif

namespace r2 {

R2_COMPILED_ONCE template class basic_adaptive_limiter<>;
R2_COMPILED_ONCE template class basic_circuit_breaker<>;
R2_COMPILED_ONCE template class basic_journal<>;
R2_COMPILED_ONCE template class basic_rate_limiter<>;
R2_COMPILED_ONCE template class basic_retry_budget<>;
R2_COMPILED_ONCE template client::client(client_options);
R2_COMPILED_ONCE template attempts client::send(request, options) const;
R2_COMPILED_ONCE template client& default_client();
R2_COMPILED_ONCE template attempts run(std::unique_ptr<detail::job>);
R2_COMPILED_ONCE template verdict decide(const options&, const outcome&, const moment&);

namespace curl {

R2_COMPILED_ONCE template class download<>;
R2_COMPILED_ONCE template class multi_engine<>;
R2_COMPILED_ONCE template class outgoing<>;
R2_COMPILED_ONCE template class pool<>;
R2_COMPILED_ONCE template class transfer<>;
R2_COMPILED_ONCE template class upload<>;
R2_COMPILED_ONCE template class url<>;

}  // namespace curl

namespace detail {

R2_COMPILED_ONCE template class admissions<>;
R2_COMPILED_ONCE template class attempt_loop<>;
R2_COMPILED_ONCE template class course<>;
R2_COMPILED_ONCE template class latency_log<>;
R2_COMPILED_ONCE template class many<>;
R2_COMPILED_ONCE template class race<>;
R2_COMPILED_ONCE template class signal_watch<>;
R2_COMPILED_ONCE template class story<>;

}  // namespace detail

}  // namespace r2
