// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../engine.hpp"
#include "../simulation.hpp"
#include "../text_format.hpp"

#include <cstddef>
#include <numeric>
#include <span>
#include <string_view>

namespace vllm_fleet {

/// Which labels a series has: those of the whole server, or also those of a part of it, such as a
/// rank of tensor parallelism or a worker.
enum class Scope { server, part };

/// A metric as one kind of server publishes it: one number or one histogram per engine. Rows of one
/// family follow each other.
struct DialectRow {
    std::string_view family;
    std::string_view type;
    std::string_view help;
    double (*value)(const Engine&); ///< Null for a histogram.
    Histogram Engine::*histogram = nullptr;
    Scope scope = Scope::server;
    std::string_view label{}; ///< Which only this row has; may be empty.
    std::string_view label_value{};
};

constexpr DialectRow gauge(std::string_view family, std::string_view help,
                           double (*value)(const Engine&), Scope scope = Scope::server,
                           std::string_view label = {}, std::string_view label_value = {}) {
    return {family, "gauge", help, value, nullptr, scope, label, label_value};
}
constexpr DialectRow counter(std::string_view family, std::string_view help,
                             double (*value)(const Engine&), std::string_view label = {},
                             std::string_view label_value = {}) {
    return {family, "counter", help, value, nullptr, Scope::server, label, label_value};
}
constexpr DialectRow histogram(std::string_view family, std::string_view help,
                               Histogram Engine::*member) {
    return {family, "histogram", help, nullptr, member};
}

/// Whose labels are wanted.
struct SeriesOwner {
    const Model& model;
    const Pod& pod;
    std::size_t engine;
    Scope scope;
    std::size_t copy; ///< The number of the part, from 0; 0 for the server's.
};

/// How one kind of server writes its page.
struct Dialect {
    std::string_view name; ///< For the option --engine.
    std::span<const DialectRow> rows;
    Labels (*labels)(const SeriesOwner& owner); ///< Null if there are no rows.
    std::size_t copies = 1;                     ///< Parts that all write the same series.
    bool one_engine = false;                    ///< No label tells several engines apart.
    bool has_vllm_page = false;                 ///< The page also has all that vLLM writes.
};

/// What is simulated, as a row has it.
namespace measured {

constexpr double kv_block_tokens = 16;

inline double running(const Engine& e) {
    return static_cast<double>(e.running());
}
inline double waiting(const Engine& e) {
    return static_cast<double>(e.waiting());
}
inline double kv_usage(const Engine& e) {
    return e.kv_cache_usage();
}
inline double kv_tokens_max(const Engine& e) {
    return e.profile().kv_capacity_tokens;
}
inline double kv_tokens_used(const Engine& e) {
    return e.kv_cache_usage() * e.profile().kv_capacity_tokens;
}
inline double kv_blocks_max(const Engine& e) {
    return kv_tokens_max(e) / kv_block_tokens;
}
inline double kv_blocks_used(const Engine& e) {
    return kv_tokens_used(e) / kv_block_tokens;
}
/// Those that were aborted, too.
inline double finished(const Engine& e) {
    return static_cast<double>(
        std::accumulate(e.finished.begin(), e.finished.end(), std::uint64_t{0}));
}
template <FinishReason Reason>
double finished_by(const Engine& e) {
    return static_cast<double>(e.finished[static_cast<std::size_t>(Reason)]);
}
inline double prompt_tokens(const Engine& e) {
    return static_cast<double>(e.prompt_tokens);
}
inline double generation_tokens(const Engine& e) {
    return static_cast<double>(e.generation_tokens);
}
inline double cached_tokens(const Engine& e) {
    return static_cast<double>(e.prefix_cache_hits);
}
inline double queried_tokens(const Engine& e) {
    return static_cast<double>(e.prefix_cache_queries);
}
/// The sum of what a histogram has observed.
template <Histogram Engine::*Member>
double sum_of(const Engine& e) {
    return (e.*Member).sum;
}
template <Histogram Engine::*Member>
double count_of(const Engine& e) {
    return static_cast<double>((e.*Member).count);
}
template <Histogram Engine::*Member>
double microseconds_of(const Engine& e) {
    return (e.*Member).sum * 1e6;
}

} // namespace measured

} // namespace vllm_fleet
