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

/// One tagged value of one pod: a series of a signal's answer, with the index of its model.
struct SignalRow {
    /// Index among the plan's models.
    std::size_t model;
    std::string pod;
    /// Distinguishes the engines of a pod; empty if the query has aggregated them.
    std::string engine;
    promql::PartTag tag;
    double value;
    /// The time of the evaluation on the server's clock, in Unix seconds, and of the request on the
    /// local clock. Ages are differences of server times; time points are local times minus an age.
    /// So the two clocks need not agree.
    double evaluated_at;
    TimePoint requested_at;

    /// The order of sorted rows.
    auto order() const noexcept { return std::tie(model, pod, tag.alias, tag.part, engine); }

    /// The sample's time on the local clock, never later than the request. For `time` rows only.
    TimePoint sampled_at() const noexcept {
        // The look-back is minutes, so an age cannot exceed a day; the limit avoids an overflow if
        // the server's clock is wrong.
        const double age = std::clamp(evaluated_at - value, 0.0, 86'400.0);
        return requested_at -
               std::chrono::duration_cast<Duration>(std::chrono::duration<double>(age));
    }
};

/// The answers to all queries for one signal.
struct SignalRows {
    std::vector<SignalRow> rows;
    /// The errors of failed queries, by model.
    std::map<std::size_t, Error> failures;
    ChunkOutcomes outcomes;

    /// Call once all rows have been added.
    void sort() { std::ranges::sort(rows, {}, &SignalRow::order); }

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

/// Turns the answer to one query into rows. Series of models that were not requested, and series
/// without a known tag, are ignored.
class RowCollector {
public:
    /// `columns`: the names of the labels of the query.
    RowCollector(const promql::QueryPlan& plan, promql::ModelChunk chunk,
                 std::span<const std::string> columns, TimePoint requested_at)
        : plan_(&plan), chunk_(chunk), columns_(columns.begin(), columns.end()),
          requested_at_(requested_at) {}

    void operator()(const prometheus::SeriesView& series) {
        using Columns = promql::SignalColumns;
        if (series.samples.empty())
            return;
        const auto tag = promql::parse_part(label(series, Columns::part));
        const auto model = plan_->find(chunk_, label(series, Columns::namespace_name),
                                       label(series, Columns::model));
        if (!model)
            ++unrequested_;
        if (!tag || !model)
            return;
        std::string pod(label(series, Columns::pod));
        std::string engine;
        for (std::size_t i = Columns::first_engine; i < columns_.size(); ++i)
            engine.append(label(series, i)) += '\n';
        const samples::Sample& sample = series.samples.back();
        rows_.push_back({*model, std::move(pod), std::move(engine), *tag, sample.value,
                         samples::unix_seconds(sample.time), requested_at_});
    }

    /// True if the answer has more series of models that were not requested than rows.
    bool is_mostly_unrequested() const noexcept { return unrequested_ > rows_.size(); }

    std::vector<SignalRow> take() && { return std::move(rows_); }

private:
    /// "" if the query has no such column, or the series no such label.
    std::string_view label(const prometheus::SeriesView& series,
                           std::size_t column) const noexcept {
        return column < columns_.size() ? series.label(columns_[column]) : std::string_view();
    }

    const promql::QueryPlan* plan_;
    promql::ModelChunk chunk_;
    std::vector<std::string> columns_;
    TimePoint requested_at_;
    std::vector<SignalRow> rows_;
    std::size_t unrequested_ = 0;
};

/// Calls `f(pod, rows of this pod)` for each pod, in order. `rows` are the sorted rows of one
/// model.
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
