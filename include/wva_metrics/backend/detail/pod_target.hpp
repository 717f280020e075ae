// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/pod_load_reports.hpp"
#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/scrape/schedule.hpp"
#include "wva_metrics/scrape/scrape_target.hpp"
#include "wva_metrics/scrape/scraper.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

namespace wva_metrics::detail {

/// What became of the scrapes of one target.
struct ScrapeHistory {
    /// When the newest scrape that has ended began; empty if none has.
    std::optional<TimePoint> begun{};
    /// Why it failed; empty if it did not.
    std::optional<Error> error{};
    /// One has succeeded.
    bool was_read = false;
};

/// A target of a fleet.
template <typename Executor>
struct PodTarget {
    PodTarget(scrape::Schedule::Id number, const Executor& executor, scrape::ScrapeTarget target,
              scrape::ScraperConfig config, std::shared_ptr<PodLoadReports> of_pods)
        : id(number), scraper(executor, std::move(target), std::move(config)),
          reports(std::move(of_pods)) {
        reports->add(namespace_name(), scraper.pod(), id);
    }
    PodTarget(const PodTarget&) = delete;
    PodTarget& operator=(const PodTarget&) = delete;
    ~PodTarget() { leave_reports(); }

    const std::string& namespace_name() const noexcept { return scraper.target().namespace_name; }

    /// It is there no more, and what it reported is forgotten.
    void leave_reports() { reports->remove(namespace_name(), scraper.pod(), id); }

    /// What became of a scrape.
    void note(TimePoint begun, const Result<void>& result) {
        history.begun = begun;
        history.error = result.has_error() ? std::optional(result.error()) : std::nullopt;
        history.was_read = history.was_read || result.has_value();
        if (result.has_error())
            road = no_road; // Another server may come after a failure.
        else
            reports->was_read(namespace_name(), scraper.pod(), id, begun);
    }

    const scrape::Schedule::Id id;
    scrape::BasicScraper<Executor> scraper;
    const std::shared_ptr<PodLoadReports> reports;
    /// The kind of server (`EngineRoads`) that wrote its page; none until it is known.
    mutable std::atomic<std::size_t> road{no_road};
    static constexpr std::size_t no_road = static_cast<std::size_t>(-1);
    /// How many series the page had by which it was known. Only with the store at hand.
    mutable std::size_t road_series = 0;

    // The rest is guarded by the fleet's mutex.

    ScrapeHistory history{};
    /// The number of models that it was found for.
    std::size_t models = 0;
    /// When it was found no more.
    std::optional<TimePoint> retired_at{};
};

/// What tells targets apart. The model does not: one page may have several.
inline auto key_of(const scrape::ScrapeTarget& target) {
    return std::tuple(target.url, target.pod, target.namespace_name, target.uid, target.labels);
}

/// See `key_of`.
using TargetKey = decltype(key_of(scrape::ScrapeTarget()));

/// What is wrong with a target, with the name of its pod.
inline Error invalid_target(const scrape::ScrapeTarget& target, Error error) {
    constexpr std::size_t max_bytes = 100;
    error.message = "pod '" + clean_text(target.pod, max_bytes) + "': " + error.message;
    return error;
}

/// A target as a round sees it.
template <typename Executor>
struct ListedTarget {
    std::shared_ptr<PodTarget<Executor>> target;
    ScrapeHistory history;
    bool is_retired = false;
};

} // namespace wva_metrics::detail
