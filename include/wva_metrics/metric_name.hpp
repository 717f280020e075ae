// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

namespace wva_metrics {

/// The name of the metric that a reading comes from, e.g. `vllm:kv_cache_usage_perc`.
///
/// One pointer wide, so that a reading stays trivially copyable. Names are interned until the
/// process ends. They come from engine profiles (a few dozen per process), never from an answer.
///
/// **Threads:** thread-safe.
class MetricName {
public:
    constexpr MetricName() noexcept = default;
    /// Interns the name.
    explicit MetricName(std::string_view name) : name_(name.empty() ? nullptr : intern(name)) {}

    /// Valid until the process ends; "" if there is no name.
    std::string_view view() const noexcept { return name_ ? std::string_view(*name_) : ""; }
    friend bool operator==(MetricName, MetricName) noexcept = default;

private:
    static const std::string* intern(std::string_view name) {
        // Never destroyed: readings may outlive every static object.
        static auto& mutex = *new std::mutex;
        static auto& names = *new std::unordered_set<std::string>;
        const std::lock_guard lock(mutex);
        return &*names.emplace(name).first;
    }

    const std::string* name_ = nullptr;
};

} // namespace wva_metrics
