// SPDX-License-Identifier: Apache-2.0
#include "backend_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;

namespace {

struct AvailabilityFixture : BackendFixture {
    void report(const std::string& namespace_name, FakePrometheus::Time time = noon,
                const std::string& model = "meta/llama") {
        fake.append(series("vllm:num_requests_running", {"p-0", model, namespace_name}), 0, time);
    }
};

} // namespace

TEST_CASE_METHOD(AvailabilityFixture, "a model that reports is available, even if it is idle") {
    report("llm", noon - 12s);
    const Availability found = check_availability().value();
    CHECK(found.available);
    CHECK(found.reason == AvailabilityReason::metrics_found);
    CHECK_THAT(found.message, ContainsSubstring("'meta/llama'") && ContainsSubstring("'llm'") &&
                                  ContainsSubstring("12 s"));
    CHECK(fake.query_count() == 2);
}

TEST_CASE_METHOD(
    AvailabilityFixture,
    "a model of which the running requests are not scraped is available by the others") {
    const Server server{"p-0", "meta/llama", "llm"};
    const auto queue = series("vllm:num_requests_waiting", server);
    fake.append(queue, 3, noon - 12s);
    const Availability found = check_availability().value();
    CHECK(found.available);
    CHECK_THAT(found.message, ContainsSubstring("12 s"));
    SECTION("also if they were in the past") {
        report("llm", noon - 600s);
        CHECK(check_availability().value().available);
    }
    SECTION("not by a metric that says nothing of the model's load") {
        fake.end(queue, noon - 400s);
        fake.append(series("vllm:cache_config_info", server), 1, noon - 12s);
        config.stale_after = 5s;
        CHECK(check_availability().value().reason == AvailabilityReason::metrics_missing);
    }
}

TEST_CASE_METHOD(AvailabilityFixture, "a model whose last sample is two minutes old is available") {
    report("llm", noon - 120s);
    CHECK(check_availability().value().available);
}

TEST_CASE_METHOD(AvailabilityFixture, "the age of a stale model is configurable") {
    report("llm", noon - 120s);
    config.stale_after = 119s;
    const Availability stale = check_availability().value();
    CHECK_FALSE(stale.available);
    CHECK(stale.reason == AvailabilityReason::metrics_stale);
    CHECK_THAT(stale.message, ContainsSubstring("120 s"));
    config.stale_after = 120s;
    CHECK(check_availability().value().available);
}

TEST_CASE_METHOD(AvailabilityFixture,
                 "a model that reported in the past is stale, and the message has the age") {
    SECTION("its last sample was ten minutes ago") {
        report("llm", noon - 600s);
        const Availability stale = check_availability().value();
        CHECK_FALSE(stale.available);
        CHECK(stale.reason == AvailabilityReason::metrics_stale);
        CHECK_THAT(stale.message, ContainsSubstring("'meta/llama'") && ContainsSubstring("'llm'") &&
                                      ContainsSubstring("600 s") && ContainsSubstring("scrape"));
    }
    SECTION("its target disappeared after that") {
        // Found at a step of the look-back, which lies on a full minute.
        report("llm", noon - 630s);
        fake.end(series("vllm:num_requests_running", {"p-0", "meta/llama", "llm"}), noon - 615s);
        const Availability stale = check_availability().value();
        CHECK(stale.reason == AvailabilityReason::metrics_stale);
        CHECK_THAT(stale.message, ContainsSubstring("630 s"));
    }
}

TEST_CASE_METHOD(AvailabilityFixture, "of several pods, the one that reported last counts") {
    report("llm", noon - 600s);
    fake.append(series("vllm:num_requests_running", {"p-1"}), 0, noon - 5s);
    CHECK_THAT(check_availability().value().message, ContainsSubstring("5 s"));
}

TEST_CASE_METHOD(AvailabilityFixture,
                 "a model that last reported before the look-back is missing") {
    report("llm", noon - 2h);
    const Availability missing = check_availability().value();
    CHECK_FALSE(missing.available);
    CHECK(missing.reason == AvailabilityReason::metrics_missing);
}

TEST_CASE_METHOD(AvailabilityFixture,
                 "a model without series is missing, with a list of things to check") {
    report("llm", noon, "qwen");
    const Availability missing = check_availability().value();
    CHECK_FALSE(missing.available);
    CHECK(missing.reason == AvailabilityReason::metrics_missing);
    CHECK_THAT(missing.message, ContainsSubstring("'meta/llama'") && ContainsSubstring("'llm'") &&
                                    ContainsSubstring("vllm:num_requests_running") &&
                                    ContainsSubstring("ServiceMonitor") &&
                                    !ContainsSubstring("Check the namespace"));
}

TEST_CASE_METHOD(AvailabilityFixture, "a model of that name in another namespace is only a hint") {
    report("prod");
    report("dev");
    const Availability missing = check_availability().value();
    CHECK_FALSE(missing.available);
    CHECK(missing.reason == AvailabilityReason::metrics_missing);
    CHECK_THAT(missing.message,
               ContainsSubstring("'dev', 'prod'") && ContainsSubstring("Check the namespace"));
}

TEST_CASE_METHOD(AvailabilityFixture, "a hint names a few namespaces, not hundreds") {
    for (int i = 10; i < 60; ++i)
        report("ns-" + std::to_string(i));
    CHECK_THAT(check_availability().value().message,
               ContainsSubstring("'ns-10', 'ns-11', 'ns-12', 'ns-13', 'ns-14'") &&
                   !ContainsSubstring("ns-15"));
}

TEST_CASE_METHOD(AvailabilityFixture,
                 "series without a namespace label give a hint about the label") {
    report("");
    CHECK_THAT(check_availability().value().message,
               ContainsSubstring("without the label 'namespace'") && !ContainsSubstring("''"));
}

TEST_CASE_METHOD(AvailabilityFixture, "a model with any id can be queried") {
    const std::string id = GENERATE("a\"b", "a\\b", "a\nb", "a|b", ".*", "\xF0\x9F\xA6\x99");
    report("llm", noon, id);
    CHECK(check_availability({"llm", id}).value().available);
    CHECK_FALSE(check_availability({"other", id}).value().available);
    CHECK_FALSE(check_availability({"llm", "x"}).value().available);
}

TEST_CASE_METHOD(AvailabilityFixture, "a failed query returns its error, not missing metrics") {
    SECTION("at the first query") {
        fake.fail_next(1, 503, "the store is being compacted");
        const Result<Availability> answer = check_availability();
        REQUIRE(answer.has_error());
        CHECK(answer.error().is(Errc::unavailable));
        CHECK_THAT(answer.error().describe(), ContainsSubstring("being compacted"));
    }
    SECTION("because no server is listening") {
        fake.stop();
        run_ready(io);
        CHECK(check_availability().error().is(Errc::unreachable));
    }
}

TEST_CASE_METHOD(AvailabilityFixture, "a failed query for the hint does not change the answer") {
    fake.fail_next_containing("running{model_name=", 1, 500);
    const Availability missing = check_availability().value();
    CHECK(missing.reason == AvailabilityReason::metrics_missing);
    CHECK_THAT(missing.message, ContainsSubstring("ServiceMonitor"));
    CHECK(fake.query_count() == 5);
}

TEST_CASE_METHOD(AvailabilityFixture, "availability has the time of the last sample") {
    const bool has_ended = GENERATE(false, true);
    report("llm", noon - 90s);
    if (has_ended)
        fake.end(series("vllm:num_requests_running", {"p-0"}), noon - 75s);
    const TimePoint before = std::chrono::steady_clock::now();
    const Availability found = check_availability().value();
    CHECK(found.available);
    REQUIRE(found.last_sample_at);
    CHECK(*found.last_sample_at >= before - 90s);
    CHECK(*found.last_sample_at <= std::chrono::steady_clock::now() - 90s);
    fake.clear();
    CHECK_FALSE(check_availability().value().last_sample_at);
}

TEST_CASE_METHOD(AvailabilityFixture, "the clock of the server may differ from ours by any time") {
    fake.set_time(std::chrono::system_clock::now() + GENERATE(-10min, 10min));
    report("llm", fake.now() - 12s);
    CHECK_THAT(check_availability().value().message, ContainsSubstring("12 s"));
}

TEST_CASE_METHOD(AvailabilityFixture, "an invalid model is rejected before any query") {
    CHECK(check_availability({"llm", "\xff"}).error().is(Errc::invalid_argument));
    CHECK(check_availability({"llm", ""}).error().is(Errc::invalid_argument));
    CHECK(check_availability({"\xff", "m"}).error().is(Errc::invalid_argument));
    CHECK(fake.query_count() == 0);
}
