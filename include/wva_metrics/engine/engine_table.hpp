// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/signal.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics {

/// A kind of inference server as a constant: what it publishes for each signal, and its labels.
///
/// The lists hold what those of `EngineProfile` do, in the same order; unused places are empty. A
/// signal without a name is not provided by the server.
struct EngineTable {
    /// At most this many names per signal, or labels of one kind.
    static constexpr std::size_t max_names = 6;
    /// A list of names.
    using Names = std::array<std::string_view, max_names>;

    std::string_view name{};  ///< In settings, e.g. `vllm`.
    std::string_view title{}; ///< For people, e.g. `vLLM`; empty = `name`.
    /// With which all of its own metrics begin; by this it is told from others.
    std::string_view prefix{};
    Names running{};               ///< See `Signal::running`.
    Names arrival_rate{};          ///< See `Signal::arrival_rate`.
    Names input_tokens{};          ///< See `Signal::input_tokens`.
    Names output_tokens{};         ///< See `Signal::output_tokens`.
    Names ttft{};                  ///< See `Signal::ttft`.
    Names itl{};                   ///< See `Signal::itl`.
    Names kv_cache_usage{};        ///< See `Signal::kv_cache_usage`.
    Names queue_length{};          ///< See `Signal::queue_length`.
    Names kv_capacity{};           ///< See `Signal::kv_capacity`.
    Names prefix_cache_hit_rate{}; ///< See `Signal::prefix_cache_hit_rate`.
    Names generation_rate{};       ///< See `Signal::generation_rate`.
    Names running_requests{};      ///< See `Signal::running_requests`.
    Names queue_time{};            ///< See `Signal::queue_time`.
    Names e2e_latency{};           ///< See `Signal::e2e_latency`.
    /// See `EngineLabels::model`; empty if the server does not name the model.
    std::string_view model_label = "model_name";
    Names engine_labels{}; ///< See `EngineLabels::engine`.
    Names copy_labels{};   ///< See `EngineLabels::copies`.
};

/// A signal and the member of `EngineTable` that has its names.
struct TableColumn {
    Signal signal;                          ///< The signal.
    EngineTable::Names EngineTable::*names; ///< Its names.
};

/// One row per signal, in the order of the enumeration.
inline constexpr std::array table_columns = {
    TableColumn{Signal::running, &EngineTable::running},
    TableColumn{Signal::arrival_rate, &EngineTable::arrival_rate},
    TableColumn{Signal::input_tokens, &EngineTable::input_tokens},
    TableColumn{Signal::output_tokens, &EngineTable::output_tokens},
    TableColumn{Signal::ttft, &EngineTable::ttft},
    TableColumn{Signal::itl, &EngineTable::itl},
    TableColumn{Signal::kv_cache_usage, &EngineTable::kv_cache_usage},
    TableColumn{Signal::queue_length, &EngineTable::queue_length},
    TableColumn{Signal::kv_capacity, &EngineTable::kv_capacity},
    TableColumn{Signal::prefix_cache_hit_rate, &EngineTable::prefix_cache_hit_rate},
    TableColumn{Signal::generation_rate, &EngineTable::generation_rate},
    TableColumn{Signal::running_requests, &EngineTable::running_requests},
    TableColumn{Signal::queue_time, &EngineTable::queue_time},
    TableColumn{Signal::e2e_latency, &EngineTable::e2e_latency},
};

static_assert(table_columns.size() == signals.size(), "each signal has a member of EngineTable");
static_assert(detail::is_in_signal_order(table_columns));

namespace detail {

inline std::vector<std::string> used_names(const EngineTable::Names& names) {
    std::vector<std::string> used;
    for (const std::string_view name : names)
        if (!name.empty())
            used.emplace_back(name);
    return used;
}

} // namespace detail

/// The profile of a table. Check one of your own with `validate`.
inline EngineProfile profile_of(const EngineTable& table) {
    EngineProfile profile;
    profile.name = table.name;
    for (const TableColumn& column : table_columns)
        profile[column.signal] = detail::used_names(table.*column.names);
    profile.labels.model = table.model_label;
    profile.labels.engine = detail::used_names(table.engine_labels);
    profile.labels.copies = detail::used_names(table.copy_labels);
    return profile;
}

} // namespace wva_metrics
