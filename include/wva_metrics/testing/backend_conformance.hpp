// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/concepts.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/testing/detail/answer_rules.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::testing {

/// A backend that is checked against the contract of `MetricsBackend`, and its source.
template <MetricsBackend Backend>
struct ConformanceSubject {
    /// The backend's context. Nobody else runs it.
    asio::io_context& context;
    /// Makes a new backend on the context.
    std::function<Backend()> make;
    /// At least two variants of different models. The source has at least one reading of each, and
    /// pods.
    std::vector<VariantAutoscaling> variants;
    /// Makes the source fail, e.g. refuse connections. Optional.
    std::function<void()> break_source{};
    /// Makes the source work again. Optional.
    std::function<void()> repair_source{};
    /// False if the source does not say which pods serve these models. The replica samples may be
    /// errors then, but not wrong.
    bool knows_pods = true;
    /// How long one call may take.
    Duration patience = std::chrono::minutes(1);
};

/// Checks whether a backend of your own keeps the contract of `MetricsBackend`: the order of the
/// answers, no value for an unknown target, a bad target that does not affect the others, calls at
/// the same time, cancellation, and a source that fails.
///
/// Uses no test framework:
///
///     for (const std::string& problem : BackendConformance(subject).check())
///         std::cerr << problem << '\n';
///
/// **Threads:** one; it runs the context.
template <MetricsBackend Backend>
class BackendConformance {
public:
    /// Does nothing yet.
    explicit BackendConformance(ConformanceSubject<Backend> subject)
        : subject_(std::move(subject)) {}

    /// All violations of the contract, one sentence each; empty if there are none.
    std::vector<std::string> check() {
        rules_ = detail::AnswerRules(subject_.knows_pods);
        if (subject_.variants.size() < 2 ||
            subject_.variants[0].model() == subject_.variants[1].model()) {
            rules_.report("the subject", "needs two variants of different models");
            return rules_.problems();
        }
        check_known();
        check_unknown();
        check_order();
        check_at_once();
        check_cancellation();
        if (subject_.break_source)
            check_failure();
        return rules_.problems();
    }

private:
    template <typename T>
    using Answers = std::vector<Result<T>>;

    /// Runs a call. Empty if it threw or did not end.
    template <typename T>
    std::optional<T> run(const std::string& what, asio::awaitable<T> call) {
        const auto state = begin(std::move(call));
        return finish(what, *state);
    }

    /// A call that runs.
    template <typename T>
    struct Call {
        std::optional<T> answer;
        std::string failure;
        bool has_begun = false;
        bool has_ended = false;
        asio::cancellation_signal cancel;
    };
    template <typename T>
    static asio::awaitable<T> note_begin(std::shared_ptr<Call<T>> state, asio::awaitable<T> call) {
        state->has_begun = true;
        co_return co_await std::move(call);
    }
    template <typename T>
    std::shared_ptr<Call<T>> begin(asio::awaitable<T> call) {
        const auto state = std::make_shared<Call<T>>();
        asio::co_spawn(subject_.context, note_begin(state, std::move(call)),
                       asio::bind_cancellation_slot(
                           state->cancel.slot(), [state](std::exception_ptr thrown, T answer) {
                               state->has_ended = true;
                               if (thrown)
                                   state->failure = detail::text_of(thrown);
                               else
                                   state->answer.emplace(std::move(answer));
                           }));
        return state;
    }
    template <typename T>
    bool wait(Call<T>& call) {
        const TimePoint deadline = std::chrono::steady_clock::now() + subject_.patience;
        subject_.context.restart();
        while (!call.has_ended && std::chrono::steady_clock::now() < deadline)
            if (subject_.context.run_one_until(deadline) == 0)
                break;
        return call.has_ended;
    }
    template <typename T>
    std::optional<T> finish(const std::string& what, Call<T>& call) {
        if (!wait(call))
            rules_.report(what, "does not end");
        else if (!call.failure.empty())
            rules_.report(what, "throws: " + call.failure);
        return std::move(call.answer);
    }

    std::vector<ModelKey> models() const {
        std::vector<ModelKey> all;
        for (const VariantAutoscaling& variant : subject_.variants)
            all.push_back(variant.model());
        return all;
    }

    void check_known() {
        Backend backend = subject_.make();
        if (const auto metrics = run("fetch_optimizer_metrics of known variants",
                                     backend.fetch_optimizer_metrics(subject_.variants)))
            rules_.check_known(*metrics, subject_.variants.size());
        if (const auto samples = run("fetch_replica_samples of known models",
                                     backend.fetch_replica_samples(models())))
            rules_.check_known(*samples, subject_.variants.size());
        if (const auto verdict = run("check_availability of a known model",
                                     backend.check_availability(models().front())))
            rules_.check_found(*verdict);
    }

    /// An unknown target has no value, not even zero.
    void check_unknown() {
        Backend backend = subject_.make();
        const VariantAutoscaling unknown{subject_.variants[0].namespace_name, "no-such-variant",
                                         "no-such/model", "no-such-deployment"};
        const std::vector<VariantAutoscaling> variants = {unknown};
        if (const auto metrics = run("fetch_optimizer_metrics of an unknown variant",
                                     backend.fetch_optimizer_metrics(variants)))
            rules_.check_nothing_known(*metrics);
        const std::vector<ModelKey> keys = {unknown.model()};
        if (const auto samples = run("fetch_replica_samples of an unknown model",
                                     backend.fetch_replica_samples(keys)))
            rules_.check_nothing_known(*samples);
        if (const auto verdict = run("check_availability of an unknown model",
                                     backend.check_availability(unknown.model())))
            rules_.check_not_found(*verdict);
    }

    /// One answer for each target, in order, also for none, for the same twice, and beside a bad one.
    void check_order() {
        Backend backend = subject_.make();
        const std::vector<VariantAutoscaling> none;
        if (const auto metrics = run("fetch_optimizer_metrics of no variants",
                                     backend.fetch_optimizer_metrics(none)))
            rules_.check_count("fetch_optimizer_metrics of no variants", metrics->size(), 0);
        const std::vector<ModelKey> nobody;
        if (const auto samples =
                run("fetch_replica_samples of no models", backend.fetch_replica_samples(nobody)))
            rules_.check_count("fetch_replica_samples of no models", samples->size(), 0);

        const VariantAutoscaling& first = subject_.variants[0];
        const VariantAutoscaling& second = subject_.variants[1];
        VariantAutoscaling bad = first;
        bad.name = "bad";
        bad.model_id = std::string("bad\0model\n", 10);
        const std::vector<VariantAutoscaling> mixed = {second, bad, first, second};
        if (const auto metrics = run("fetch_optimizer_metrics with a bad variant",
                                     backend.fetch_optimizer_metrics(mixed)))
            rules_.check_mixed(*metrics, mixed);
        const std::vector<ModelKey> keys = {second.model(), bad.model(), first.model(),
                                            second.model()};
        if (const auto samples =
                run("fetch_replica_samples with a bad model", backend.fetch_replica_samples(keys)))
            rules_.check_mixed(*samples, keys);
    }

    void check_at_once() {
        Backend backend = subject_.make();
        const std::vector<ModelKey> keys = models();
        const auto metrics = begin(backend.fetch_optimizer_metrics(subject_.variants));
        const auto more_metrics = begin(backend.fetch_optimizer_metrics(subject_.variants));
        const auto samples = begin(backend.fetch_replica_samples(keys));
        const auto verdict = begin(backend.check_availability(keys.front()));
        for (const auto& call : {metrics, more_metrics})
            if (const auto answers = finish("one of several calls at once", *call))
                rules_.check_known(*answers, keys.size());
        if (const auto answers = finish("one of several calls at once", *samples))
            rules_.check_known(*answers, keys.size());
        if (const auto answer = finish("one of several calls at once", *verdict))
            rules_.check_found(*answer);
    }

    /// A cancelled call ends, with whatever, and the next one works.
    void check_cancellation() {
        Backend backend = subject_.make();
        const auto call = begin(backend.fetch_optimizer_metrics(subject_.variants));
        // Not earlier: Asio 1.83 throws out of the context if a coroutine is cancelled before.
        subject_.context.restart();
        while (!call->has_begun && subject_.context.poll_one() > 0) {
        }
        call->cancel.emit(asio::cancellation_type::terminal);
        if (!wait(*call))
            rules_.report("a cancelled call", "does not end");
        if (const auto metrics = run("the call after a cancelled one",
                                     backend.fetch_optimizer_metrics(subject_.variants)))
            rules_.check_known(*metrics, subject_.variants.size());
    }

    /// While the source fails, each answer is an error, or has readings with a reason, and no model is
    /// said to have no metrics.
    void check_failure() {
        Backend backend = subject_.make();
        subject_.break_source();
        const TimePoint broken = std::chrono::steady_clock::now();
        if (const auto metrics = run("fetch_optimizer_metrics while the source fails",
                                     backend.fetch_optimizer_metrics(subject_.variants)))
            rules_.check_failed(*metrics, broken);
        if (const auto samples = run("fetch_replica_samples while the source fails",
                                     backend.fetch_replica_samples(models())))
            rules_.check_failed(*samples, broken);
        if (const auto verdict = run("check_availability while the source fails",
                                     backend.check_availability(models().front())))
            rules_.check_not_missing(*verdict);
        if (!subject_.repair_source)
            return;
        subject_.repair_source();
        Backend repaired = subject_.make();
        if (const auto metrics = run("fetch_optimizer_metrics after the source has failed",
                                     repaired.fetch_optimizer_metrics(subject_.variants)))
            rules_.check_known(*metrics, subject_.variants.size());
    }

    ConformanceSubject<Backend> subject_;
    detail::AnswerRules rules_;
};

} // namespace wva_metrics::testing
