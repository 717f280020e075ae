// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/known_workloads.hpp"
#include "wva_metrics/backend/detail/epp_error.hpp"
#include "wva_metrics/backend/detail/epp_page.hpp"
#include "wva_metrics/backend/detail/epp_reader.hpp"
#include "wva_metrics/backend/detail/open_rounds.hpp"
#include "wva_metrics/backend/detail/server_clock.hpp"
#include "wva_metrics/backend/epp_config.hpp"
#include "wva_metrics/detail/checked_config.hpp"
#include "wva_metrics/detail/saturating_add.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/exposition/wanted_metrics.hpp"
#include "wva_metrics/priority.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/scrape/scraper.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// One reading of the page, for all calls that wait for it.
class EppRound {
public:
    /// For `OpenRounds`: every call may join it.
    struct Plan {
        std::span<const ModelKey> models() const noexcept { return {}; }
    };
    Plan plan() const noexcept { return {}; }
    void promote() const noexcept {}

    void set_result(Result<void> result) {
        const std::lock_guard lock(mutex_);
        result_ = std::move(result);
    }
    /// Empty if the call that ran it was cancelled.
    std::optional<Result<void>> result() const {
        const std::lock_guard lock(mutex_);
        return result_;
    }

private:
    mutable std::mutex mutex_;
    std::optional<Result<void>> result_;
};

/// The names of the samples that are read from an EPP's page.
inline std::vector<std::string> wanted_names(const EppNames& names) {
    std::vector<std::string> wanted;
    for (std::size_t i = 0; i < epp_metric_count; ++i) {
        const auto metric = static_cast<EppMetric>(i);
        const bool is_histogram =
            metric == EppMetric::dispatch_cycles || metric >= EppMetric::input_tokens;
        for (const std::string& name : names[metric]) {
            if (is_histogram) {
                wanted.push_back(name + "_count");
                wanted.push_back(name + "_sum");
            } else {
                wanted.push_back(name);
            }
        }
    }
    return wanted;
}

inline scrape::ScraperConfig scraper_config(const EppConfig& config,
                                            const samples::SampleRules& rules) {
    scrape::ScraperConfig scraper;
    scraper.client = config.client;
    scraper.wanted = exposition::WantedMetrics(wanted_names(config.names));
    scraper.page = config.page;
    scraper.store = config.store;
    scraper.retention = scrape::Retention::of(rules);
    return scraper;
}

/// The state shared by the copies of an EPP backend and their pending calls. Its constructor throws if
/// the configuration is invalid.
template <typename Executor>
struct EppImpl {
    EppImpl(const Executor& executor, EppConfig configuration)
        : config(checked(std::move(configuration), "EPP backend")), rules(rules_of(config)),
          scraper(executor, scrape::ScrapeTarget{.url = config.client.url},
                  scraper_config(config, rules)) {}

    /// True if the page was read so lately that it need not be read again.
    bool is_fresh(TimePoint now) const {
        const std::lock_guard lock(mutex);
        return read_at && now - *read_at < config.reuse;
    }
    void set_read_at(std::optional<TimePoint> time) {
        const std::lock_guard lock(mutex);
        read_at = time;
    }

    /// Calls `use(reader, rules)` for the newest page, and returns what it returns.
    template <typename Use>
    auto with_page(Use use) const {
        EppPage page(config.names, config.pool);
        ServerClock clock;
        {
            const std::lock_guard lock(mutex);
            clock.requested = read_at.value_or(std::chrono::steady_clock::now());
        }
        scraper.read([&](const scrape::SampleStore& store) {
            if (!store.up().empty())
                clock.evaluated = store.up().back().time;
            store.visit([&page](auto labels, auto samples, bool has_ended) {
                page.add(labels, samples, has_ended);
            });
        });
        const EppReader reader(page, config, clock);
        return use(reader, rules);
    }

    const EppConfig config;
    const samples::SampleRules rules;
    scrape::BasicScraper<Executor> scraper;
    OpenRounds<EppRound> rounds;
    KnownWorkloads workloads;
    mutable std::mutex mutex;
    /// When the newest page was read; empty if that failed.
    std::optional<TimePoint> read_at{};
};

/// Reads the page, unless it was read within `reuse`, or another call reads it now.
template <typename Executor>
asio::awaitable<Result<void>> read_epp_page(std::shared_ptr<EppImpl<Executor>> impl) {
    using Rounds = OpenRounds<EppRound>;
    using End = typename Rounds::End;
    TimePoint now = std::chrono::steady_clock::now();
    if (impl->is_fresh(now))
        co_return Result<void>();
    const Duration timeout = impl->config.scrape_timeout;
    const TimePoint deadline = saturating_add(now, timeout);
    const std::span<const ModelKey> no_models;
    const auto round = std::make_shared<EppRound>();
    std::optional<typename Rounds::Entry> entry;
    while (true) {
        // Every reading that may still end is joined: two at a time would disturb each other.
        entry.emplace(impl->rounds, round, now, no_models, now - timeout);
        if (entry->is_entered())
            break;
        const typename Rounds::Joined joined =
            co_await impl->rounds.join(no_models, now - timeout, deadline, Priority::interactive);
        if (joined.end == End::cancelled)
            co_return Error(Errc::aborted, "cancelled");
        if (joined.end == End::late)
            co_return Error(Errc::timeout,
                            "the reading of the page that the call waited for has not "
                            "ended",
                            impl->scraper.endpoint());
        if (joined.end == End::over)
            if (std::optional<Result<void>> result = joined.round->result())
                co_return *std::move(result);
        now = std::chrono::steady_clock::now();
    }
    now = std::chrono::steady_clock::now();
    Result<void> result = co_await impl->scraper.scrape(deadline);
    impl->set_read_at(result.has_value() ? std::optional(now) : std::nullopt);
    if (result.has_error() && result.error().is(Errc::aborted))
        co_return result;
    if (result.has_error())
        result = explain_epp_error(result.error());
    round->set_result(result);
    co_return result;
}

} // namespace wva_metrics::detail
