// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "collector_fixture.hpp"
#include "wva_metrics/cache/no_op_cache.hpp"
#include "wva_metrics/collector.hpp"
#include "wva_metrics/diagnosis.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch_all.hpp>

#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

/// Finds what it was asked for; or hangs, even when it is cancelled; or throws.
struct DoctorBackend : ManualBackend {
    enum class Mood { well, hanging, throwing };

    explicit DoctorBackend(Mood shown = Mood::well) : mood(shown) {}

    asio::awaitable<Result<Diagnosis>> diagnose(const ModelKey& model,
                                                const std::vector<VariantAutoscaling>& variants) {
        if (mood == Mood::throwing)
            throw std::runtime_error("no idea");
        if (mood == Mood::hanging) {
            co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
            asio::steady_timer never(co_await asio::this_coro::executor,
                                     asio::steady_timer::time_point::max());
            co_await never.async_wait(asio::use_awaitable);
        }
        Diagnosis diagnosis;
        diagnosis.model = model;
        for (const VariantAutoscaling& variant : variants)
            diagnosis.findings.push_back({FindingCode::warning, true, variant.name});
        co_return diagnosis;
    }

    Mood mood;
};
static_assert(DiagnosingBackend<DoctorBackend>);

/// A collector, and its answer to one diagnosis.
template <typename AnyOrOwn>
struct DiagnosingFixture {
    using Own = Collector<DoctorBackend, NoOpCache, NullObserver, ManualTimer>;

    explicit DiagnosingFixture(DoctorBackend::Mood mood = DoctorBackend::Mood::well)
        : collector(std::in_place, Own(io.get_executor(), DoctorBackend(mood))) {}

    auto keep() {
        return [this](Result<Diagnosis> result) {
            CHECK_FALSE(answer.has_value());
            answer = std::move(result);
        };
    }
    void settle() {
        io.restart();
        io.poll();
    }

    asio::io_context io;
    std::optional<AnyOrOwn> collector;
    std::optional<Result<Diagnosis>> answer;
    ModelKey model{"llm", "meta/llama"};
};

} // namespace wva_metrics::test_support
