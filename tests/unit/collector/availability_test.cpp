// SPDX-License-Identifier: Apache-2.0
#include "support/collector_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;

namespace {

const Error availability_outage(Errc::unreachable, "the backend is down");

/// A collector whose backend has metrics of the model, or answers that there are none.
struct AvailabilityOfModel : CollectorFixture {
    using CollectorFixture::CollectorFixture;

    void report() {
        sampled_at = ManualClock::now();
        backend.set(model, Availability{.available = true,
                                        .reason = AvailabilityReason::metrics_found,
                                        .message = "there",
                                        .last_sample_at = sampled_at});
        backend.set(replica_samples(model, {"llama-7d9f8b6c5d-aaaaa"}));
    }
    void answer_nothing() {
        backend.set(model, Availability{false, AvailabilityReason::metrics_missing, "nothing"});
        backend.set(replica_samples(model, {}));
    }
    Availability check() { return check_availability(model).value(); }
    std::size_t checks() const { return backend.models_checked().size(); }

    TimePoint sampled_at{};
};

} // namespace

TEST_CASE("row 16: availability follows when the series vanish, without other calls") {
    AvailabilityOfModel f;
    f.report();
    const TimePoint first = ManualClock::now();
    CHECK(f.check().available);

    f.answer_nothing();
    f.advance(5s);
    const Availability cached = f.check();
    CHECK(cached.available);
    CHECK(cached.source == Source::cache);
    CHECK(cached.checked_at == first); // Five seconds old, and it says so.

    f.advance(1ns);
    const Availability gone = f.check();
    CHECK_FALSE(gone.available);
    CHECK(gone.reason == AvailabilityReason::metrics_missing);
    CHECK(gone.source == Source::backend);
    CHECK(gone.checked_at == ManualClock::now());
    CHECK(gone.last_sample_at == first); // It was there.

    f.report();
    f.advance(20s);
    const Availability back = f.check();
    CHECK(back.available);
    CHECK(back.last_sample_at == f.sampled_at);
}

TEST_CASE("row 16: availability follows at once what the replicas say") {
    AvailabilityOfModel f;
    f.report();
    CHECK(f.check().available);
    f.advance(1s);
    f.answer_nothing();
    f.collect(f.model, {}).value();
    CHECK_FALSE(f.check().available);
    CHECK(f.checks() == 2);

    f.advance(1s);
    f.report();
    f.collector->invalidate_prefix("replica:");
    f.collect(f.model, {}).value();
    CHECK(f.check().available);
    CHECK(f.checks() == 3);
    CHECK(f.check().source == Source::cache);
}

TEST_CASE("an availability that the replicas confirm is a hit for the whole TTL") {
    AvailabilityOfModel f;
    f.report();
    CHECK(f.check().available);
    f.advance(15s);
    f.collect(f.model, {}).value();
    f.advance(15s);
    CHECK(f.check().source == Source::cache);
    CHECK(f.checks() == 1);
}

TEST_CASE("the replicas of another model confirm nothing") {
    AvailabilityOfModel f;
    f.report();
    const ModelKey other{"other", "meta/llama"};
    f.backend.set(replica_samples(other, {"llama-7d9f8b6c5d-bbbbb"}));
    CHECK(f.check().available);
    f.advance(5s + 1ns);
    f.collect(other, {}).value();
    CHECK(f.check().source == Source::backend);
}

TEST_CASE("row 17: one call tells that the backend fails from that it has nothing") {
    AvailabilityOfModel f;
    SECTION("nothing was known before") {
        f.backend.fail(availability_outage);
        const Availability failed = f.check();
        CHECK_FALSE(failed.available);
        CHECK(failed.reason == AvailabilityReason::backend_error);
        CHECK(failed.message == availability_outage.describe());
        CHECK_FALSE(failed.checked_at);
    }
    SECTION("the metrics were there before") {
        f.report();
        const TimePoint first = ManualClock::now();
        CHECK(f.check().available);
        f.backend.fail(availability_outage);
        f.advance(40s);
        const Availability failed = f.check();
        CHECK(failed.reason == AvailabilityReason::backend_error);
        CHECK(failed.available); // As far as anyone knows.
        CHECK(failed.source == Source::stale_on_error);
        CHECK(failed.checked_at == first);
        CHECK(failed.last_sample_at == first);
        CHECK_THAT(failed.message, ContainsSubstring(availability_outage.describe()) &&
                                       ContainsSubstring("40s ago") && ContainsSubstring("there"));

        f.answer_nothing();
        f.backend.recover();
        f.advance(2s); // negative_ttl
        CHECK(f.check().reason == AvailabilityReason::metrics_missing);
    }
    SECTION("the last good answer is too old") {
        f.report();
        CHECK(f.check().available);
        f.backend.fail(availability_outage);
        f.advance(330s + 1ns); // TTL + stale_if_error
        const Availability failed = f.check();
        CHECK(failed.reason == AvailabilityReason::backend_error);
        CHECK_FALSE(failed.available);
        CHECK_FALSE(failed.checked_at);
    }
}

TEST_CASE("row 17: when fetching the replicas fails, availability is not answered from the cache") {
    AvailabilityOfModel f;
    f.report();
    CHECK(f.check().available);
    f.advance(1s);
    f.backend.fail(availability_outage);
    CHECK(f.collect(f.model, {}).has_error());
    CHECK(f.check().reason == AvailabilityReason::backend_error);

    // The replicas are not fetched again, but a newer answer than their failure is there.
    f.advance(2s);
    f.backend.recover();
    CHECK(f.check().reason == AvailabilityReason::metrics_found);
    CHECK(f.check().source == Source::cache);
}

TEST_CASE("that a model is unavailable is believed for negative_ttl, and served to nobody later") {
    AvailabilityOfModel f({.cache = {.fetch_interval = 0s}});
    f.answer_nothing();
    CHECK_FALSE(f.check().available);
    f.advance(2s);
    CHECK(f.check().source == Source::cache);
    CHECK(f.checks() == 1);

    SECTION("the backend is asked again, not behind a stale answer") {
        f.report();
        f.advance(1ns);
        const Availability now = f.check();
        CHECK(now.available);
        CHECK(now.source == Source::backend);
    }
    SECTION("a failing backend does not bring it back as the last good answer") {
        f.backend.fail(availability_outage);
        const Duration later =
            GENERATE(Duration(1ns), Duration(10s), Duration(40s), Duration(4min));
        f.advance(later);
        const Availability failed = f.check();
        CHECK(failed.reason == AvailabilityReason::backend_error);
        CHECK(failed.source == Source::backend);
        CHECK(failed.message == availability_outage.describe());
        CHECK_FALSE(failed.checked_at);
        CHECK(f.collector->stats().served_stale_on_error == 0);
    }
}

TEST_CASE("a failing backend does not bring back an unavailability that the replicas refute") {
    AvailabilityOfModel f;
    f.answer_nothing();
    CHECK_FALSE(f.check().available);
    f.advance(1s);
    f.report();
    f.collect(f.model, {}).value();
    f.backend.fail(availability_outage);
    CHECK(f.check().reason == AvailabilityReason::backend_error);
    CHECK(f.check().source == Source::backend);
}

TEST_CASE("when a model was last seen is known through many answers that it is unavailable") {
    AvailabilityOfModel f;
    f.report();
    const TimePoint seen = ManualClock::now();
    CHECK(f.check().available);
    f.answer_nothing();
    for (int minute = 0; minute < 10; ++minute) {
        f.advance(1min);
        const Availability gone = f.check();
        CHECK_FALSE(gone.available);
        CHECK(gone.last_sample_at == seen);
    }
}
