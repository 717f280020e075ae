// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/workload.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace wva_metrics::detail {

/// Remembers why models have no series, because finding it out costs a query. A model is explained
/// anew once a minute.
///
/// Pure: the time is passed in.
///
/// **Threads:** safe.
class Explanations {
public:
    /// How long an explanation is used.
    static constexpr Duration keep_for = std::chrono::minutes(1);
    /// Models that are remembered; others are not explained.
    static constexpr std::size_t max_models = 20'000;

    /// True if the model needs an explanation. Then it is not asked for again within `keep_for`,
    /// whether one is found or not.
    bool claim(const ModelKey& model, TimePoint now) {
        const std::lock_guard lock(mutex_);
        if (models_.size() >= max_models && !models_.contains(model))
            std::erase_if(models_,
                          [&](const auto& known) { return now - known.second.at >= keep_for; });
        if (models_.size() >= max_models && !models_.contains(model))
            return false;
        const auto [place, is_new] = models_.try_emplace(model);
        if (!is_new && now - place->second.at < keep_for)
            return false;
        place->second.at = now;
        return true;
    }

    /// Keeps an explanation of a model that was claimed.
    void set(const ModelKey& model, std::string text) {
        const std::lock_guard lock(mutex_);
        if (const auto found = models_.find(model); found != models_.end())
            found->second.text = std::move(text);
    }

    /// The newest explanation; empty if there is none.
    std::string find(const ModelKey& model) const {
        const std::lock_guard lock(mutex_);
        const auto found = models_.find(model);
        return found == models_.end() ? std::string() : found->second.text;
    }

    /// The model has series.
    void forget(const ModelKey& model) {
        const std::lock_guard lock(mutex_);
        if (!models_.empty())
            models_.erase(model);
    }

private:
    struct Known {
        TimePoint at{};
        std::string text;
    };

    mutable std::mutex mutex_;
    std::map<ModelKey, Known> models_;
};

} // namespace wva_metrics::detail
