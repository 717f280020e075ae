// SPDX-License-Identifier: Apache-2.0
//
// A Prometheus whose name cannot be resolved, or that has other addresses now: what a user of a
// collector gets then.
#include "support/misbehaving_prometheus.hpp"
#include "support/scripted_transport.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;

namespace {

using Address = asio::ip::tcp::endpoint;

/// Its name is looked up for each request, each of which has a connection of its own.
struct NamedPrometheus : MisbehavingPrometheus {
    NamedPrometheus() {
        http::ClientConfig& http = config.client.http;
        http.url = "http://prometheus.test:" + std::to_string(fake.port());
        http.transport = transport;
        http.limits.max_idle = 0;
        http.timeouts.address_lifetime = 0s;
        transport->addresses = {good};
    }

    /// Collects while all look-ups end with this.
    Result<OptimizerSnapshot> collect_without(const boost::system::error_code& error) {
        transport->addresses.clear();
        std::optional<Result<OptimizerSnapshot>> answer;
        collector().async_collect_optimizer_metrics(
            variant_of("llama"),
            [&](Result<OptimizerSnapshot> result) { answer = std::move(result); });
        wait_until([&] {
            for (const auto& end : std::exchange(transport->lookups, {}))
                end(error, {});
            return answer.has_value();
        });
        transport->addresses = {good};
        return *std::move(answer);
    }
    Error last_error() { return collector().health().last_error; }

    Address good{asio::ip::address_v4::loopback(), fake.port()};
    std::shared_ptr<ScriptedTransport> transport = std::make_shared<ScriptedTransport>();
};

void check_source(const Result<OptimizerSnapshot>& answer, Source source) {
    REQUIRE(answer.has_value());
    CHECK(answer->source() == source);
    CHECK((*answer)->arrival_rate_per_minute.value() == Catch::Approx(60));
}

} // namespace

TEST_CASE("a last good value survives that the server's name cannot be resolved") {
    NamedPrometheus prometheus;
    const boost::system::error_code error =
        GENERATE(boost::system::error_code(asio::error::host_not_found),
                 boost::system::error_code(asio::error::host_not_found_try_again),
                 boost::system::error_code());
    const Result<OptimizerSnapshot> unknown = prometheus.collect_without(error);
    REQUIRE(unknown.has_error());
    CHECK(unknown.error().is(Errc::name_lookup_failed));
    CHECK_THAT(unknown.error().describe(), ContainsSubstring("prometheus.test"));
    prometheus.expire();
    check_source(prometheus.collect(), Source::backend);
    prometheus.expire();
    check_source(prometheus.collect_without(error), Source::stale_on_error);
    CHECK(prometheus.last_error().is(Errc::name_lookup_failed));
    prometheus.expire();
    check_source(prometheus.collect(), Source::backend);
}

TEST_CASE("a last good value survives a name lookup that does not end, which is given up in time") {
    NamedPrometheus prometheus;
    prometheus.config.client.http.timeouts.resolve = 100ms;
    check_source(prometheus.collect(), Source::backend);
    prometheus.expire();
    prometheus.transport->addresses.clear();
    check_source(prometheus.collect(), Source::stale_on_error);
    CHECK(prometheus.last_error().is(Errc::timeout));
    CHECK_THAT(prometheus.last_error().message, ContainsSubstring("timeouts.resolve"));
    // Whoever asks meanwhile shares that one, because it cannot be cancelled.
    CHECK(prometheus.transport->lookups.size() == 1);
    prometheus.transport->addresses = {prometheus.good};
    prometheus.transport->lookups.front()({}, {prometheus.good});
    prometheus.expire();
    check_source(prometheus.collect(), Source::backend);
}

TEST_CASE("of several addresses one that serves is enough, wherever it is in the list") {
    NamedPrometheus prometheus;
    const std::size_t place = GENERATE(0U, 1U, 3U);
    std::vector<Address> addresses(4, Address(asio::ip::address_v4::loopback(), 1)); // Closed.
    addresses[place] = prometheus.good;
    prometheus.transport->addresses = addresses;
    for (int round = 0; round < 3; ++round) {
        check_source(prometheus.collect(), Source::backend);
        prometheus.expire();
    }
}

TEST_CASE(
    "a server that has moved is found at its new address, and the value survives until then") {
    NamedPrometheus prometheus;
    http::Timeouts& timeouts = prometheus.config.client.http.timeouts;
    timeouts.address_lifetime = 1h;
    timeouts.connect = 200ms;
    const MisbehavingServer moved(prometheus.io, prometheus.fake.port());
    check_source(prometheus.collect(), Source::backend);
    prometheus.expire();
    // Nobody answers there any more, as after a pod has ended; the name has its new address.
    prometheus.transport->black_hole = prometheus.good;
    prometheus.transport->addresses = {
        {asio::ip::address_v4::loopback(),
         static_cast<unsigned short>(std::stoul(moved.url().substr(moved.url().rfind(':') + 1)))}};
    check_source(prometheus.collect(), Source::stale_on_error);
    CHECK_THAT(prometheus.last_error().message, ContainsSubstring("timeouts.connect"));
    prometheus.expire();
    check_source(prometheus.collect(), Source::backend);
    CHECK(moved.connections() > 0);
}
