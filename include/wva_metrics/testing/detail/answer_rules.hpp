// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/availability.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <exception>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace wva_metrics::testing::detail {

/// What was thrown, for people.
inline std::string text_of(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
        return error.what();
    } catch (...) {
        return "a non-standard exception";
    }
}

/// The rules that the answers of each backend obey; collects how they are broken. Pure.
class AnswerRules {
public:
    /// `knows_pods`: see `ConformanceSubject`.
    explicit AnswerRules(bool knows_pods = true) : knows_pods_(knows_pods) {}

    /// What was found, each once.
    const std::vector<std::string>& problems() const noexcept { return problems_; }

    /// Notes that something is wrong.
    void report(const std::string& what, const std::string& problem) {
        std::string text = what + ": " + problem;
        if (std::find(problems_.begin(), problems_.end(), text) == problems_.end())
            problems_.push_back(std::move(text));
    }

    /// As many answers as targets.
    bool check_count(const std::string& what, std::size_t answers, std::size_t targets) {
        if (answers != targets)
            report(what, std::to_string(answers) + " answers for " + std::to_string(targets) +
                             " targets");
        return answers == targets;
    }

    /// Each target has an answer that says something.
    template <typename T>
    void check_known(const std::vector<Result<T>>& answers, std::size_t targets) {
        const std::string what = name_of<T>() + " that the source knows";
        if (!check_count(what, answers.size(), targets))
            return;
        for (const Result<T>& answer : answers) {
            if (answer.has_error()) {
                if (must_know<T>())
                    report(what, "an error: " + answer.error().describe());
                continue;
            }
            check_form(what, *answer);
            if (count_values(*answer) == 0 && must_know<T>())
                report(what, "no reading has a value");
        }
    }

    /// No target has a value. An error is right, too.
    template <typename T>
    void check_nothing_known(const std::vector<Result<T>>& answers) {
        const std::string what = name_of<T>() + " that the source does not know";
        if (!check_count(what, answers.size(), 1) || answers.front().has_error())
            return;
        check_form(what, *answers.front());
        if (count_values(*answers.front()) > 0)
            report(what, "a reading has a value; it must be missing, with a reason");
    }

    /// The second target is bad; the others are answered as alone.
    void check_mixed(const std::vector<Result<OptimizerMetrics>>& answers,
                     const std::vector<VariantAutoscaling>& targets) {
        const std::string what = "optimizer metrics beside those of a bad variant";
        if (!check_count(what, answers.size(), targets.size()))
            return;
        for (std::size_t i = 0; i < targets.size(); ++i) {
            if (answers[i].has_error()) {
                if (i != bad_target)
                    report(what, "an error: " + answers[i].error().describe());
                continue;
            }
            check_form(what, *answers[i]);
            // A backend need not fill in the names, but then they are empty.
            if (!answers[i]->variant.empty() && answers[i]->variant != targets[i].name)
                report(what, "an answer is about another variant: they are not in the order of the "
                             "targets");
            check_bad(what, i, count_values(*answers[i]), true);
        }
    }
    /// The same for models.
    void check_mixed(const std::vector<Result<ReplicaSamples>>& answers,
                     const std::vector<ModelKey>& targets) {
        const std::string what = "replica samples beside those of a bad model";
        if (!check_count(what, answers.size(), targets.size()))
            return;
        for (std::size_t i = 0; i < targets.size(); ++i) {
            if (answers[i].has_error()) {
                if (i != bad_target && knows_pods_)
                    report(what, "an error: " + answers[i].error().describe());
                continue;
            }
            check_form(what, *answers[i]);
            if (!answers[i]->model.model_id.empty() && answers[i]->model != targets[i])
                report(what, "an answer is about another model: they are not in the order of the "
                             "targets");
            check_bad(what, i, count_values(*answers[i]), knows_pods_);
        }
    }

    /// The source has failed: an error, or no sample since.
    template <typename T>
    void check_failed(const std::vector<Result<T>>& answers, TimePoint since) {
        const std::string what = name_of<T>() + " while the source fails";
        for (const Result<T>& answer : answers) {
            if (answer.has_error())
                continue;
            check_form(what, *answer);
            bool is_news = false;
            for_each_reading(*answer, [&](const Reading<double>& reading) {
                is_news = is_news || (reading.has_value() && reading.latest_at() > since);
            });
            if (is_news)
                report(what, "a reading has a sample of a time when the source had failed");
            if (count_values(*answer) == 0 && !answer->partial)
                report(what, "an answer without a value that is not partial reads like that of an "
                             "idle or deleted model; return an error");
        }
    }

    /// The model is available.
    void check_found(const Result<Availability>& verdict) {
        if (verdict.has_error())
            report("availability of a known model", verdict.error().describe());
        else if (!verdict->available || verdict->reason != AvailabilityReason::metrics_found)
            report("availability of a known model",
                   "it is " + std::string(to_string(verdict->reason)) + ": " + verdict->message);
    }
    /// The model is not available.
    void check_not_found(const Result<Availability>& verdict) {
        if (verdict.has_value() && verdict->available)
            report("availability of an unknown model", "it is available");
        if (verdict.has_value() && verdict->message.empty())
            report("availability of an unknown model", "no message says what to check");
    }
    /// Nobody could look.
    void check_not_missing(const Result<Availability>& verdict) {
        if (verdict.has_value() && verdict->reason == AvailabilityReason::metrics_missing)
            report("availability while the source fails",
                   "the verdict is that there are no metrics, but nobody could look");
    }

private:
    static constexpr std::size_t bad_target = 1;

    template <typename T>
    bool must_know() const noexcept {
        return knows_pods_ || std::is_same_v<T, OptimizerMetrics>;
    }
    template <typename T>
    static std::string name_of() {
        return std::is_same_v<T, OptimizerMetrics> ? "optimizer metrics" : "replica samples";
    }

    template <typename Visit>
    static void for_each_reading(const OptimizerMetrics& metrics, Visit visit) {
        for (const auto& field : optimizer_readings)
            visit(metrics.*field.member);
        for (const OptionalReadings::Entry& entry : metrics.optional.entries())
            visit(entry.reading);
    }
    template <typename Visit>
    static void for_each_reading(const ReplicaSamples& samples, Visit visit) {
        for (const ReplicaSample& pod : samples.pods) {
            for (const auto& field : replica_readings<ReplicaSample>)
                visit(pod.*field.member);
            for (const OptionalReadings::Entry& entry : pod.optional.entries())
                visit(entry.reading);
        }
    }
    template <typename Metrics>
    static std::size_t count_values(const Metrics& metrics) {
        std::size_t values = 0;
        for_each_reading(metrics,
                         [&](const Reading<double>& reading) { values += reading.has_value(); });
        return values;
    }

    void check_bad(const std::string& what, std::size_t target, std::size_t values,
                   bool must_know) {
        if (target == bad_target && values > 0)
            report(what, "the bad target has a value");
        if (target != bad_target && values == 0 && must_know)
            report(what, "the bad target has spoilt another one, which has no value");
    }

    /// What is true of each answer.
    template <typename Metrics>
    void check_form(const std::string& what, const Metrics& metrics) {
        const TimePoint now = std::chrono::steady_clock::now();
        for_each_reading(metrics, [&](const Reading<double>& reading) {
            if (reading.state() == ReadingState::missing && reading.reason() == ReadingReason::none)
                report(what, "a missing reading has no reason");
            if (!reading.has_value())
                return;
            if (reading.value() < 0)
                report(what, "a reading is negative");
            if (reading.sampled_at() > now || reading.latest_at() > now)
                report(what, "a sample is from the future");
            if (reading.sampled_at() == TimePoint())
                report(what, "a reading has no time: it must be that of the sample");
        });
        check_pods(what, metrics);
    }
    void check_pods(const std::string&, const OptimizerMetrics&) {}
    void check_pods(const std::string& what, const ReplicaSamples& samples) {
        for (std::size_t i = 1; i < samples.pods.size(); ++i)
            if (samples.pods[i].pod <= samples.pods[i - 1].pod)
                report(what, "the pods are not sorted by name, each once");
        if (!std::is_sorted(samples.gone_pods.begin(), samples.gone_pods.end()))
            report(what, "gone_pods is not sorted");
        for (const ReplicaSample& pod : samples.pods) {
            if (pod.state == PodState::gone ||
                std::binary_search(samples.gone_pods.begin(), samples.gone_pods.end(), pod.pod))
                report(what, "a pod that is gone is listed in pods");
            if (pod.kv_cache_usage.has_value() && pod.kv_cache_usage.value() > 1)
                report(what, "kv_cache_usage is above 1; it is a fraction");
        }
    }

    bool knows_pods_;
    std::vector<std::string> problems_;
};

} // namespace wva_metrics::testing::detail
