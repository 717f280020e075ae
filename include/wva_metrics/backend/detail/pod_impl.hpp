// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/known_workloads.hpp"
#include "wva_metrics/backend/detail/engine_roads.hpp"
#include "wva_metrics/backend/detail/pod_fleet.hpp"
#include "wva_metrics/backend/detail/pod_load_reports.hpp"
#include "wva_metrics/backend/detail/scrape_wait.hpp"
#include "wva_metrics/backend/detail/service_addresses.hpp"
#include "wva_metrics/backend/detail/undecided_pods.hpp"
#include "wva_metrics/backend/pod_config.hpp"
#include "wva_metrics/detail/checked_config.hpp"
#include "wva_metrics/detail/saturating_add.hpp"
#include "wva_metrics/exposition/content_type.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/scrape/scrape_clock.hpp"
#include "wva_metrics/scrape/scraper_config.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// The rules that a configuration asks for.
inline samples::SampleRules rules_of(const PodConfig& config) {
    samples::SampleRules rules;
    rules.window = std::chrono::ceil<samples::ServerDuration>(config.rate_window);
    rules.peak = std::chrono::ceil<samples::ServerDuration>(config.peak_window);
    rules.are_ports_processes = true;
    // The target names the pod, whatever its page says.
    std::erase(rules.pod, config.engine.labels.pod);
    rules.pod.insert(rules.pod.begin(), config.engine.labels.pod);
    std::erase(rules.address, "instance");
    rules.address.insert(rules.address.begin(), "instance");
    return rules;
}

/// What tells a process from its predecessor.
inline constexpr std::string_view process_start = "process_start_time_seconds";

/// When the pods of a model were found last.
struct FoundPods {
    std::optional<TimePoint> asked_at{};
    /// The call of `find_targets` that has not completed yet.
    std::optional<PodSearch> search{};
    /// When a call asked for the model.
    TimePoint used_at{};
    /// Why `find_targets` failed the last time.
    std::optional<Error> failure{};
    /// Why a part of the pods may be missing; empty if none is.
    std::optional<Error> refused{};
    /// What `find_targets` found the last time that it succeeded.
    std::vector<scrape::ScrapeTarget> found{};
    /// The pods are known, apart from what `failure` says.
    bool was_found = false;
};

/// The state shared by the copies of a pod backend and their pending calls. Its constructor throws if
/// the configuration is invalid.
template <typename Executor>
struct PodImpl {
    PodImpl(const Executor& on, PodConfig configuration)
        : config(checked(std::move(configuration), "pod backend")), rules(rules_of(config)),
          roads(config), reports(std::make_shared<PodLoadReports>(config.load_reports)),
          services(config.services.size()),
          fleet(std::make_shared<PodFleet<Executor>>(on, scraper_config(), config.schedule,
                                                     config.scrape_timeout, config.max_targets,
                                                     reports)) {}

    scrape::ScraperConfig scraper_config() const {
        scrape::ScraperConfig scraper;
        scraper.client = config.client;
        scraper.wanted = roads.wanted(process_start);
        // Only for quantiles: to read, protobuf is no cheaper than text.
        scraper.accept =
            exposition::accept_header({.protobuf = !roads[0].metrics.histograms().empty()});
        if (config.ask_by_name)
            // A copy, because a scrape may outlive the backend.
            scraper.names_to_ask = [known = std::make_shared<const EngineRoads>(roads)](
                                       std::span<const std::string_view> names) {
                return known->wanted_of(names);
            };
        scraper.whole_page_every = config.whole_page_every;
        scraper.page = config.page;
        scraper.store = config.store;
        scraper.retention = scrape::Retention::of(rules);
        scraper.labels = config.engine.labels;
        scraper.clock = clock;
        return scraper;
    }

    /// Notes that a call asks for these models, and forgets those that nobody asks for any more. The
    /// caller locks.
    void note_use(const std::vector<ModelKey>& models, TimePoint now) {
        for (const ModelKey& model : models)
            findings[model].used_at = now;
        if (findings.size() <= 2 * kept_findings)
            return;
        const Duration longest = config.schedule.keep_scraping_for;
        std::erase_if(findings, [&](const auto& known) {
            return saturating_age(known.second.used_at, now) > longest;
        });
        kept_findings = findings.size();
    }

    const PodConfig config;
    const samples::SampleRules rules;
    const EngineRoads roads;
    const std::shared_ptr<PodLoadReports> reports;
    const scrape::ScrapeClock clock{};
    UndecidedPods undecided;
    KnownWorkloads workloads;
    std::mutex mutex;
    /// By model; guarded by the mutex.
    std::map<ModelKey, FoundPods> findings;
    /// How many of them were left when some were last forgotten; guarded by the mutex.
    std::size_t kept_findings = 1000;
    /// By service; guarded by the mutex.
    std::vector<ServiceAddresses> services;
    /// The calls that wait for searches; guarded by the mutex.
    std::set<ScrapeWait*> searching;
    /// Guarded by the mutex.
    PodSearch last_search = 0;
    const std::shared_ptr<PodFleet<Executor>> fleet;
};

} // namespace wva_metrics::detail
