// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/chunk_size_limit.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/promql/plan.hpp"
#include "wva_metrics/promql/query.hpp"
#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// One tagged number about one pod: a series of a signal's answer, with its model found.
struct SignalRow {
    /// Index among the plan's models.
    std::size_t model;
    std::string pod;
    /// Tells the engines of a pod apart; empty where their series were put together.
    std::string engine;
    promql::PartTag tag;
    double value;
    /// The server's clock at the evaluation, Unix seconds, and ours when we asked: ages are
    /// differences of the former, time points differences to the latter, so the two clocks need not
    /// agree.
    double evaluated_at;
    TimePoint asked_at;

    /// Where it stands among sorted rows.
    auto place() const noexcept { return std::tie(model, pod, tag.alias, tag.part, engine); }

    /// Of a `time` row: the sample's time on our clock, never later than the asking.
    TimePoint sampled_at() const noexcept {
        // More than a day cannot come out of a look-back of minutes; a server's broken clock must
        // not overflow ours.
        const double age = std::clamp(evaluated_at - value, 0.0, 86'400.0);
        return asked_at - std::chrono::duration_cast<Duration>(std::chrono::duration<double>(age));
    }
};

/// All that was learnt about one signal.
struct SignalRows {
    std::vector<SignalRow> rows;
    /// Models whose query failed.
    std::map<std::size_t, Error> failures;
    AskedSizes asked;

    /// To be called once all rows are there.
    void sort() { std::ranges::sort(rows, {}, &SignalRow::place); }

    std::span<const SignalRow> of_model(std::size_t model) const {
        // Clang 14 cannot compile `std::ranges::equal_range` of libstdc++ 12.
        return {std::ranges::lower_bound(rows, model, {}, &SignalRow::model),
                std::ranges::upper_bound(rows, model, {}, &SignalRow::model)};
    }

    const Error* failure(std::size_t model) const {
        const auto found = failures.find(model);
        return found == failures.end() ? nullptr : &found->second;
    }
};

/// Makes rows of one query's answer. What was not asked for, or has no tag of ours, is left out.
class RowCollector {
public:
    RowCollector(const promql::QueryPlan& plan, promql::ModelChunk chunk, TimePoint asked_at)
        : plan_(&plan), chunk_(chunk), asked_at_(asked_at) {}

    void operator()(const prometheus::SeriesView& series) {
        using Columns = promql::SignalColumns;
        const auto tag = promql::parse_part(series.labels[Columns::part]);
        const auto model = plan_->find(chunk_, series.labels[Columns::namespace_name],
                                       series.labels[Columns::model]);
        if (!model)
            ++uncalled_for_;
        if (!tag || !model)
            return;
        std::string pod(series.labels.size() > Columns::pod ? series.labels[Columns::pod]
                                                            : std::string_view());
        std::string engine;
        for (const std::string_view label : series.labels.subspan(
                 std::min(series.labels.size(), std::size_t{Columns::first_engine})))
            engine.append(label) += '\n';
        rows_.push_back({*model, std::move(pod), std::move(engine), *tag, series.value,
                         series.timestamp, asked_at_});
    }

    /// Most of the answer was about models that nobody asked about.
    bool is_mostly_uncalled_for() const noexcept { return uncalled_for_ > rows_.size(); }

    std::vector<SignalRow> take() && { return std::move(rows_); }

private:
    const promql::QueryPlan* plan_;
    promql::ModelChunk chunk_;
    TimePoint asked_at_;
    std::vector<SignalRow> rows_;
    std::size_t uncalled_for_ = 0;
};

/// Calls `f(pod, rows of this pod)` for each pod, in order. `rows` are of one model, sorted by pod.
template <typename F>
void for_each_pod(std::span<const SignalRow> rows, F&& f) {
    while (!rows.empty()) {
        const std::string& pod = rows.front().pod;
        const auto end =
            std::ranges::find_if(rows, [&](const SignalRow& row) { return row.pod != pod; });
        const auto count = static_cast<std::size_t>(end - rows.begin());
        f(pod, rows.first(count));
        rows = rows.subspan(count);
    }
}

} // namespace wva_metrics::detail
