// SPDX-License-Identifier: Apache-2.0
//
// What a user of a collector gets while something is wrong with the TLS of its Prometheus.
#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/collector.hpp"
#include "wva_metrics/http/tls.hpp"

#include "support/collector_fixture.hpp"
#include "support/tls_trust.hpp"
#include "support/tls_tunnel.hpp"
#include "unit/backend/backend_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;

namespace {

/// A collector over a Prometheus behind TLS. The clock is manual; HTTP uses the real one.
struct PrometheusBehindTls : BackendFixture {
    using CollectorType = Collector<PrometheusBackend, MemoryCache, NullObserver, ManualTimer>;

    PrometheusBehindTls() {
        config.client.http = tls_client_config(tunnel.url(), trust.config());
        config.client.http.protection = unprotected;
        config.flavor = prometheus::Flavor::prometheus;
        set_load({pod_a}, 1);
    }

    Result<OptimizerSnapshot> collect() {
        if (!collector)
            collector.emplace(io.get_executor(), backend());
        std::optional<Result<OptimizerSnapshot>> answer;
        collector->async_collect_optimizer_metrics(
            variant_of("llama"),
            [&](Result<OptimizerSnapshot> result) { answer = std::move(result); });
        wait_until([&] { return answer.has_value(); });
        return *std::move(answer);
    }
    /// Makes all that is cached too old to be served, unless a fetch fails.
    static void expire() { ManualClock::advance(2min); }

    void check_renewed() {
        const Result<OptimizerSnapshot> renewed = collect();
        REQUIRE(renewed.has_value());
        CHECK(renewed->source() == Source::backend);
        CHECK((*renewed)->arrival_rate_per_minute.value() == Catch::Approx(60));
    }
    /// The last good value is served, and nothing reaches the server.
    void check_stale() {
        const std::size_t queries = fake.queries().size();
        expire();
        const Result<OptimizerSnapshot> stale = collect();
        REQUIRE(stale.has_value());
        CHECK(stale->source() == Source::stale_on_error);
        CHECK((*stale)->arrival_rate_per_minute.value() == Catch::Approx(60));
        CHECK(fake.queries().size() == queries);
    }

    Trust trust;
    TlsTunnel tunnel{io, fake.port(), trust.localhost()};
    std::optional<CollectorType> collector;
};

} // namespace

TEST_CASE("a certificate that is not accepted costs the last good value nothing, and no plain "
          "connection is tried") {
    struct Wrong {
        const char* reason;
        Certificate identity;
    };
    PrometheusBehindTls f;
    const Certificate& authority = f.trust.authority;
    const Wrong wrong[] = {
        {"expired", authority.sign({.common_name = "localhost",
                                    .alternative_names = "DNS:localhost",
                                    .is_expired = true})},
        {"hostname mismatch",
         authority.sign({.common_name = "other", .alternative_names = "DNS:other"})},
        {"hostname mismatch",
         authority.sign({.common_name = "localhost", .alternative_names = "IP:127.0.0.2"})},
        {"not accepted", Trust().localhost()},
    };
    f.check_renewed();
    for (const Wrong& now : wrong) {
        CAPTURE(now.reason);
        f.tunnel.set_identity(now.identity);
        f.check_stale();
        // What was never known is an error that says why.
        f.collector.reset();
        const Result<OptimizerSnapshot> unknown = f.collect();
        REQUIRE(unknown.has_error());
        CHECK(unknown.error().is(Errc::tls_failed));
        CHECK_THAT(unknown.error().message, ContainsSubstring(now.reason));
        CHECK(unknown.error().endpoint == f.tunnel.url());

        f.tunnel.set_identity(f.trust.localhost());
        f.collector.reset();
        f.check_renewed();
    }
}

TEST_CASE("https to a server without TLS is an error and not a plain request") {
    PrometheusBehindTls f;
    f.config.client.http.url = "https://localhost:" + std::to_string(f.fake.port());
    const Result<OptimizerSnapshot> answer = f.collect();
    REQUIRE(answer.has_error());
    CHECK(answer.error().is(Errc::tls_failed));
    CHECK(f.fake.queries().empty());
}

TEST_CASE("a collector goes on when the authority of its server is replaced on both sides") {
    PrometheusBehindTls f;
    f.check_renewed();
    const Certificate replaced = Certificate::authority("Next CA");
    f.tunnel.set_identity(
        replaced.sign({.common_name = "localhost", .alternative_names = "DNS:localhost"}));
    f.check_stale();
    f.trust.file("ca.pem", replaced.certificate_pem());
    PrometheusBehindTls::expire();
    f.check_renewed();
}

TEST_CASE("connections that end without a proper end of TLS are made again for the next round") {
    PrometheusBehindTls f;
    for (int round = 0; round < 3; ++round) {
        f.check_renewed();
        f.tunnel.end_connections();
        PrometheusBehindTls::expire();
    }
    CHECK(f.tunnel.connections() >= 3);
}
