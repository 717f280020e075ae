// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/prometheus/detail/query_fault.hpp"

#include <catch2/catch_all.hpp>

using namespace wva_metrics;
using prometheus::detail::find_fault;
using prometheus::detail::may_pass;
using prometheus::detail::QueryFault;

TEST_CASE("an error is the server's fault if another server may answer") {
    for (const Errc code :
         {Errc::unreachable, Errc::name_lookup_failed, Errc::tls_failed, Errc::timeout,
          Errc::unavailable, Errc::bad_response, Errc::unauthorized, Errc::forbidden})
        CHECK(find_fault(Error(code, "")) == QueryFault::server);
    for (const Errc code : {Errc::invalid_argument, Errc::invalid_config, Errc::too_costly,
                            Errc::too_large, Errc::aborted, Errc::internal})
        CHECK(find_fault(Error(code, "")) == QueryFault::query);
}

TEST_CASE("a rejection is about the query by 400 and 422 only") {
    for (const int status : {400, 422})
        CHECK(find_fault(Error(Errc::rejected, "", "", status)) == QueryFault::query);
    for (const int status : {301, 302, 308, 404, 405, 501})
        CHECK(find_fault(Error(Errc::rejected, "", "", status)) == QueryFault::server);
}

TEST_CASE("only what may pass within moments is asked again of the same server") {
    CHECK(may_pass(Error(Errc::unreachable, "")));
    CHECK(may_pass(Error(Errc::name_lookup_failed, "")));
    for (const int status : {408, 425, 429, 502, 503, 504})
        CHECK(may_pass(Error(Errc::unavailable, "", "", status)));
    CHECK_FALSE(may_pass(Error(Errc::unavailable, "the circuit breaker is open")));
    CHECK_FALSE(may_pass(Error(Errc::unavailable, "", "", 500)));
    CHECK_FALSE(may_pass(Error(Errc::timeout, "")));
    CHECK_FALSE(may_pass(Error(Errc::bad_response, "")));
    CHECK_FALSE(may_pass(Error(Errc::unauthorized, "", "", 401)));
}
