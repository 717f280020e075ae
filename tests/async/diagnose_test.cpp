// SPDX-License-Identifier: Apache-2.0
#include "support/collector_fixture.hpp"
#include "support/doctor_backend.hpp"
#include "wva_metrics/any_collector.hpp"
#include "wva_metrics/backend/any_backend.hpp"
#include "wva_metrics/cache/no_op_cache.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/deferred.hpp>
#include <catch2/catch_all.hpp>

#include <memory>
#include <optional>
#include <tuple>
#include <utility>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;

namespace {

using DiagnosingCollectors = std::tuple<AnyCollector, DiagnosingFixture<AnyCollector>::Own>;

/// Completes a diagnosis by a collector whose backend has no such function.
template <typename Cannot>
Result<Diagnosis> refused_diagnosis(CollectorFixture& f, Cannot collector) {
    std::optional<Result<Diagnosis>> answer;
    collector.async_diagnose(f.model, {}, [&](auto result) { answer = std::move(result); });
    CHECK_FALSE(answer.has_value()); // Not inside the call.
    f.settle();
    return answer.value();
}

} // namespace

TEMPLATE_LIST_TEST_CASE("a collector passes a diagnosis of its backend on", "",
                        DiagnosingCollectors) {
    DiagnosingFixture<TestType> f;
    f.collector->async_diagnose(f.model, {variant("a"), variant("b")}, f.keep());
    CHECK_FALSE(f.answer.has_value());
    f.settle();
    REQUIRE(f.answer.has_value());
    const Diagnosis diagnosis = f.answer->value();
    CHECK(diagnosis.model == f.model);
    REQUIRE(diagnosis.findings.size() == 2);
    CHECK(diagnosis.findings[1].text == "b");
}

TEMPLATE_LIST_TEST_CASE("a diagnosis that hangs ends by the time-out of calls", "",
                        DiagnosingCollectors) {
    DiagnosingFixture<TestType> f(DoctorBackend::Mood::hanging);
    f.collector->async_diagnose(f.model, {}, f.keep());
    f.settle();
    ManualClock::advance(f.collector->config().call_timeout - 1ms);
    f.settle();
    CHECK_FALSE(f.answer.has_value());
    ManualClock::advance(1ms);
    f.settle();
    REQUIRE(f.answer.has_value());
    CHECK(f.answer->error().is(Errc::timeout));
    CHECK_THAT(f.answer->error().message, ContainsSubstring("CollectorConfig::call_timeout"));
}

TEMPLATE_LIST_TEST_CASE("a diagnosis that hangs ends by a cancellation, or with its collector", "",
                        DiagnosingCollectors) {
    DiagnosingFixture<TestType> f(DoctorBackend::Mood::hanging);
    asio::cancellation_signal signal;
    f.collector->async_diagnose(f.model, {}, asio::bind_cancellation_slot(signal.slot(), f.keep()));
    SECTION("cancelled before it began") {
        signal.emit(asio::cancellation_type::total);
    }
    SECTION("cancelled") {
        f.settle();
        signal.emit(asio::cancellation_type::total);
    }
    SECTION("destroyed") {
        f.settle();
        f.collector.reset();
    }
    f.settle();
    REQUIRE(f.answer.has_value());
    CHECK(f.answer->error().is(Errc::aborted));
    signal.emit(asio::cancellation_type::total); // It has no effect any more.
}

TEMPLATE_LIST_TEST_CASE("a diagnosis that is started after the end of its collector is aborted", "",
                        DiagnosingCollectors) {
    DiagnosingFixture<TestType> f;
    auto later = f.collector->async_diagnose(f.model, {}, asio::deferred);
    f.collector.reset();
    std::move(later)(f.keep());
    f.settle();
    REQUIRE(f.answer.has_value());
    CHECK(f.answer->error().is(Errc::aborted));
}

TEMPLATE_LIST_TEST_CASE("a backend that throws does so in no diagnosis", "", DiagnosingCollectors) {
    DiagnosingFixture<TestType> f(DoctorBackend::Mood::throwing);
    f.collector->async_diagnose(f.model, {}, f.keep());
    f.settle();
    REQUIRE(f.answer.has_value());
    CHECK(f.answer->error().is(Errc::internal));
    CHECK_THAT(f.answer->error().message, ContainsSubstring("no idea"));
}

TEST_CASE("a handler of a diagnosis is destroyed with its io_context") {
    std::optional<DiagnosingFixture<AnyCollector>> f(DoctorBackend::Mood::hanging);
    const auto payload = std::make_shared<int>(1);
    f->collector->async_diagnose(f->model, {}, [payload](const auto&) {});
    f->settle();
    CHECK(payload.use_count() == 2);
    f.reset();
    CHECK(payload.use_count() == 1);
}

TEST_CASE("a collector whose backend cannot diagnose says so") {
    CollectorFixture f;
    using Erased = Collector<AnyBackend, NoOpCache, NullObserver, ManualTimer>;
    SECTION("its own type has no such function") {
        using Plain = Collector<ManualBackend, NoOpCache, NullObserver, ManualTimer>;
        static_assert(!DiagnosingCollector<Plain>);
        const Result<Diagnosis> answer =
            refused_diagnosis(f, AnyCollector(Plain(f.io.get_executor(), f.backend)));
        CHECK(answer.error().is(Errc::invalid_config));
        CHECK_THAT(answer.error().message, ContainsSubstring("DiagnosingBackend"));
    }
    SECTION("the backend was chosen at run time") {
        const Result<Diagnosis> answer =
            refused_diagnosis(f, Erased(f.io.get_executor(), AnyBackend(f.backend)));
        CHECK(answer.error().is(Errc::invalid_config));
    }
    SECTION("another backend can") {
        AnyCollector able = Erased(f.io.get_executor(), AnyBackend(DoctorBackend()));
        std::optional<Result<Diagnosis>> answer;
        able.async_diagnose(f.model, {variant("a")}, [&](auto result) { answer = result; });
        f.settle();
        REQUIRE(answer.has_value());
        CHECK(answer->value().findings.size() == 1);
    }
}
