// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/availability_of.hpp"
#include "wva_metrics/backend/detail/model_report.hpp"
#include "wva_metrics/backend/detail/round_client.hpp"
#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/promql/raw_query.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Where models report, found by their names.
class ElsewhereSearch {
public:
    ElsewhereSearch(std::vector<ModelKey> models, EngineLabels labels)
        : models_(std::move(models)), labels_(std::move(labels)), found_(models_.size()) {
        for (std::size_t i = 0; i < models_.size(); ++i)
            by_id_[models_[i].model_id].push_back(i);
    }

    /// The models' names, each once.
    std::vector<std::string> ids() const {
        std::vector<std::string> ids;
        ids.reserve(by_id_.size());
        for (const auto& [id, places] : by_id_)
            ids.push_back(id);
        return ids;
    }
    /// Adds a series of the answer to `promql::RawQueries::elsewhere`.
    void add(const prometheus::SeriesView& series) {
        if (const auto places = by_id_.find(series.label(labels_.model)); places != by_id_.end())
            for (const std::size_t place : places->second)
                found_[place].add(series, models_[place], labels_);
    }
    /// In the order of the models. Call once.
    std::vector<Elsewhere> take() { return std::move(found_); }

private:
    const std::vector<ModelKey> models_;
    const EngineLabels labels_;
    std::map<std::string, std::vector<std::size_t>, std::less<>> by_id_;
    std::vector<Elsewhere> found_;
};

/// Queries where models of these names report, in any namespace. If the query fails, nothing is
/// found: an explanation then only lacks its hint.
template <typename Executor>
asio::awaitable<std::vector<Elsewhere>> look_elsewhere(RoundClient<Executor> client,
                                                       std::vector<ModelKey> models) {
    std::vector<Elsewhere> nothing(models.size());
    const auto search =
        std::make_shared<ElsewhereSearch>(std::move(models), client.impl().config.engine.labels);
    const auto add = [search](const prometheus::SeriesView& series) { search->add(series); };
    auto text = client.impl().queries.elsewhere(search->ids(), promql::RawQueries::UseMatchers::no);
    if (text.has_error())
        co_return nothing;
    const RoundClient<Executor> hurried = client.hurried();
    const auto answer = co_await hurried.send(*std::move(text), add);
    co_return answer.has_error() ? std::move(nothing) : search->take();
}

/// Adds to the warnings of models without series why that may be, with one query for all of them
/// that were not explained recently. `reports` are those of `models`, and must outlive it.
template <typename Executor>
asio::awaitable<void> explain_models(RoundClient<Executor> client, std::span<const ModelKey> models,
                                     std::span<ModelReport> reports) {
    Explanations& known = client.impl().explanations;
    std::vector<std::size_t> empty;
    std::vector<ModelKey> unexplained;
    // The ids of all fit into one query, even if each character is escaped. The others wait.
    std::size_t bytes_left = client.impl().config.limits.max_query_bytes / 4;
    for (std::size_t i = 0; i < models.size(); ++i) {
        if (reports[i].failure)
            continue;
        if (!reports[i].pods.empty()) {
            known.forget(models[i]);
            continue;
        }
        empty.push_back(i);
        const std::size_t bytes = models[i].model_id.size() + 1;
        if (bytes <= bytes_left && known.claim(models[i], client.started_at())) {
            bytes_left -= bytes;
            unexplained.push_back(models[i]);
        }
    }
    if (!unexplained.empty()) {
        const std::vector<Elsewhere> found = co_await look_elsewhere(client, unexplained);
        for (std::size_t i = 0; i < unexplained.size(); ++i)
            known.set(unexplained[i],
                      nothing_found(unexplained[i], found[i], client.impl().config).message);
    }
    for (const std::size_t i : empty)
        if (std::string text = known.find(models[i]); !text.empty())
            reports[i].warnings.push_back(std::move(text));
}

} // namespace wva_metrics::detail
