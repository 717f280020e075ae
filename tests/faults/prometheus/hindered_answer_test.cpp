// SPDX-License-Identifier: Apache-2.0
//
// Servers that answer late, something else, or not at all: what a user of a collector gets then.
#include "support/hindered_answers.hpp"
#include "support/misbehaving_prometheus.hpp"

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

/// A model of which the collector knows nothing.
const VariantAutoscaling unknown_variant = variant_of("other", "unknown-model");

struct HinderedPrometheus : MisbehavingPrometheus {
    using Pending = std::shared_ptr<std::optional<Result<OptimizerSnapshot>>>;

    Pending start(const VariantAutoscaling& variant) {
        auto answer = std::make_shared<std::optional<Result<OptimizerSnapshot>>>();
        collector().async_collect_optimizer_metrics(
            variant, [answer](Result<OptimizerSnapshot> result) { *answer = std::move(result); });
        return answer;
    }
    Result<OptimizerSnapshot> finish(const Pending& pending) {
        wait_until([&] { return pending->has_value(); });
        return **pending;
    }
    /// So many requests per second from now on.
    void change_load(double per_second) {
        fake.clear();
        set_load({pod_a}, per_second);
        expire();
    }

    /// The value survives the fault, an unknown one is an error, and the next answer counts.
    void check(const HinderedAnswer& hindered) {
        const std::size_t requests = server.requests().size();
        expire();
        server.misbehave(hindered.how);
        const Pending known = start(variant_of("llama"));
        const Pending unknown = start(unknown_variant);
        const Result<OptimizerSnapshot> stale = finish(known);
        REQUIRE(stale.has_value());
        CHECK(stale->source() == Source::stale_on_error);
        CHECK((*stale)->arrival_rate_per_minute.value() == Catch::Approx(60));
        const Result<OptimizerSnapshot> none = finish(unknown);
        REQUIRE(none.has_error());
        const Error& error = none.error();
        CAPTURE(error.describe());
        CHECK(error.is(hindered.code));
        CHECK_THAT(error.message, ContainsSubstring(hindered.said));
        CHECK(error.message.size() < 1000);
        CHECK(error.endpoint == server.url());
        // Once for each, or once by POST and once by GET.
        CHECK(server.misbehaved() <= 4 * requests);

        server.behave();
        change_load(2);
        const Result<OptimizerSnapshot> renewed = collect();
        REQUIRE(renewed.has_value());
        CHECK(renewed->source() == Source::backend);
        CHECK((*renewed)->arrival_rate_per_minute.value() == Catch::Approx(120));
        CHECK((server.reused() > 0) == hindered.is_kept);
    }
};

} // namespace

TEST_CASE("a last good value survives every answer that is another page, a redirect or a reset") {
    for (const HinderedAnswer& hindered : hindered_answers()) {
        CAPTURE(hindered.name);
        HinderedPrometheus prometheus;
        REQUIRE(prometheus.rate() == Catch::Approx(60));
        prometheus.check(hindered);
    }
}

TEST_CASE("a last good value survives answers that are too slow, however busy the server seems") {
    for (const HinderedAnswer& late : late_answers()) {
        CAPTURE(late.name);
        HinderedPrometheus prometheus;
        prometheus.config.client.http.timeouts.attempt = 400ms;
        REQUIRE(prometheus.rate() == Catch::Approx(60));
        prometheus.check(late);
    }
}

TEST_CASE("a query that is never answered delays no other") {
    HinderedPrometheus prometheus;
    prometheus.config.batch_timeout = 2s;
    prometheus.server.misbehave({}, MisbehavingServer::always, "unknown-model");
    const auto silent = prometheus.start(unknown_variant);
    prometheus.wait_until([&] { return prometheus.server.misbehaved() > 0; });
    for (int i = 1; i <= 3; ++i) {
        CHECK(prometheus.rate() == Catch::Approx(60));
        prometheus.expire();
    }
    // The collector's clock has passed its `call_timeout` by now.
    CHECK(prometheus.finish(silent).error().is(Errc::timeout));
}

TEST_CASE("redirects that never end are followed three times, and cost no value") {
    HinderedPrometheus prometheus;
    prometheus.config.client.http.limits.max_redirects = 3;
    REQUIRE(prometheus.rate() == Catch::Approx(60));
    const std::size_t requests = prometheus.server.requests().size();
    prometheus.expire();
    std::size_t page = 0;
    Misbehaviour onwards;
    onwards.change = [&page](const std::string&) {
        return http_answer("", "Location: /page/" + std::to_string(++page) + "\r\n",
                           "307 Temporary Redirect");
    };
    prometheus.server.misbehave(onwards);
    CHECK(prometheus.collect().value().source() == Source::stale_on_error);
    CHECK(prometheus.server.misbehaved() >= 4);
    CHECK(prometheus.server.misbehaved() <= 4 * requests);
    CHECK_THAT(prometheus.collector().health().last_error.describe(),
               ContainsSubstring("redirect"));
}

TEST_CASE(
    "an answer is taken as it is whatever comes before or after it, and never the next one's") {
    const auto before = [](std::string bytes) {
        return [bytes](const std::string& answer) { return bytes + answer; };
    };
    const auto after = [](std::string bytes) {
        return [bytes](const std::string& answer) { return answer + bytes; };
    };
    struct Surrounded {
        std::string name;
        std::function<std::string(std::string)> change;
        bool is_kept;
    };
    const std::string hints = early_hints + early_hints + early_hints + early_hints;
    const std::vector<Surrounded> all = {
        {"one interim answer before it", before(early_hints), true},
        {"as many interim answers before it as are allowed", before(hints + hints), true},
        {"another type of content",
         [](std::string answer) {
             const std::string type = "application/json";
             return answer.replace(answer.find(type), type.size(), "text/html");
         },
         true},
        {"a line break after it", after("\r\n"), false},
        {"another answer after it", after(http_answer("{}")), false},
        {"half of another answer after it", after("HTTP/1.1 200 OK\r\nContent-Le"), false},
    };
    for (const Surrounded& surrounded : all) {
        CAPTURE(surrounded.name);
        HinderedPrometheus prometheus;
        Misbehaviour how;
        how.change = surrounded.change;
        prometheus.server.misbehave(how);
        for (int load = 1; load <= 3; ++load) {
            prometheus.change_load(load);
            CHECK(prometheus.rate() == Catch::Approx(60 * load));
        }
        CHECK((prometheus.server.reused() > 0) == surrounded.is_kept);
    }
}

TEST_CASE("a server that closes each connection after its answer costs no value") {
    HinderedPrometheus prometheus;
    Misbehaviour how;
    how.change = [](std::string answer) { return answer; };
    how.end = GENERATE(Misbehaviour::End::close, Misbehaviour::End::reset);
    if (how.end == Misbehaviour::End::reset) // Else the reset may overtake the answer.
        prometheus.config.client.http.protection.retry.attempts = 3;
    prometheus.server.misbehave(how);
    for (int load = 1; load <= 3; ++load) {
        prometheus.change_load(load);
        CHECK(prometheus.rate() == Catch::Approx(60 * load));
    }
    CHECK(prometheus.server.connections() == prometheus.server.requests().size());
}
