// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/any_pod_owners.hpp"
#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/engine/known_engines.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/exposition/page_limits.hpp"
#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/url.hpp"
#include "wva_metrics/optional_reading.hpp"
#include "wva_metrics/orca/orca_ingest_config.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/scrape/schedule.hpp"
#include "wva_metrics/scrape/scrape_target.hpp"
#include "wva_metrics/scrape/scraper_config.hpp"
#include "wva_metrics/scrape/store_limits.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace wva_metrics {

/// A name behind which the pods of a model stand, such as a headless service: each of its addresses
/// is a target.
struct PodService {
    /// `http://vllm-headless.llm.svc:8000/metrics`. Without a path, `/metrics` is asked.
    std::string url{};
    /// The namespace of its pods.
    std::string namespace_name{};
    /// The model that they serve; empty = their pages name it.
    std::string model{};
    /// The workload that they belong to. Their names are not known, so that without it they belong to
    /// none.
    std::optional<PodOwner> owner{};

    /// All members are equal.
    friend bool operator==(const PodService&, const PodService&) = default;
};

/// Finds the pods of a model: a coroutine on the executor of the call that began it, which it may
/// outlive. It must complete within `PodConfig::batch_timeout`: until it has, it is not called again for
/// this model, and answers say so. It may be called for several models at once. An error leaves the
/// pods that were found before.
///
/// A target without a model gets the one that it was found for, and one with `any_model` has those
/// that its page names.
using PodTargets =
    std::function<boost::asio::awaitable<Result<std::vector<scrape::ScrapeTarget>>>(ModelKey)>;

/// The model of a target that a function has found, and whose page says which models it has.
inline constexpr const char* any_model = "*";

/// Which pods are scraped, and how. Plain values; check them with `validate`.
struct PodConfig {
    /// Pods that are always there. One that has a model or a namespace is asked for those only.
    std::vector<scrape::ScrapeTarget> targets{};
    /// Names whose addresses are pods.
    std::vector<PodService> services{};
    /// Finds further pods of a model; may be empty.
    PodTargets find_targets{};
    /// How long what `services` and `find_targets` said is used before they are asked again.
    Duration find_again_after = std::chrono::seconds(5);

    /// The connections: timeouts, credentials, TLS, headers. Its URL is not used. A TLS transport is
    /// used for the targets with an `https` URL.
    http::ClientConfig client{};
    /// The metrics and labels of the inference servers. Its labels of pod and namespace are those that
    /// a target adds.
    EngineProfile engine = vllm_profile();
    /// A page of another known kind of server (`known_engines`) is measured by the profile of that
    /// kind, so that pods of several kinds may serve one model. What is on the page tells the kind; a
    /// page of no known kind is measured by `engine`, and so is one with a metric of `engine.running`
    /// if `engine.name` is that of no known kind.
    bool detect_engines = true;
    /// What is measured besides the readings that are always there. Each has a cost: further
    /// series, and for a quantile all buckets of its histogram. None by default.
    OptionalReadingSet optional_readings{};
    /// How often, how many at once, and for how long after the last question.
    scrape::ScheduleConfig schedule{};
    /// How long one scrape may take.
    Duration scrape_timeout = std::chrono::seconds(2);
    /// Asks a pod for the needed metrics only, `/metrics?name[]=A&name[]=B`, if it obeys, as the Python
    /// client of Prometheus does: 2 KB instead of 65, in a fifth of its time. A pod is tried with its
    /// second scrape. One that ignores the names is not asked so again; one that leaves out what it
    /// has is asked for the whole page within the same scrape (see `scrape::NameFilter`). A URL with
    /// `name[]` is used as it is.
    bool ask_by_name = true;
    /// A pod that obeys is asked for its whole page at least so often: it might hide a series that it
    /// did not have before.
    Duration whole_page_every = std::chrono::minutes(1);
    /// The bounds of one page.
    exposition::PageLimits page{};
    /// The bounds of what is kept of one pod.
    scrape::StoreLimits store{};
    /// Pods that are scraped. Of further ones nothing is known, and the answers say so.
    std::size_t max_targets = 10'000;

    /// The window of rates and averages; a longer one is used for a pod that is scraped so rarely that
    /// it holds fewer than two samples. At most 1 h.
    Duration rate_window = std::chrono::minutes(1);
    /// The window of a gauge's highest value. 0 = the last sample only. At most 1 h.
    Duration peak_window = std::chrono::minutes(1);
    /// Averages over fewer requests than this in the rate window are missing.
    double min_requests = 0.5;
    /// A model is available if its last sample is not older than this.
    Duration stale_after = std::chrono::seconds(30);
    /// Timeout of one batch. Shorter than the collector's `call_timeout`, so that what is known by
    /// then is not lost.
    Duration batch_timeout = std::chrono::seconds(9);
    /// How the load reports that `PodBackend::ingest_orca` takes are used.
    orca::OrcaIngestConfig load_reports{};
    /// A source that knows the owners and the states of pods, e.g. `kubernetes::OwnerResolver`. It
    /// takes precedence over `ScrapeTarget::owner` and the pod's name. None by default.
    AnyPodOwners owners{};
};

/// All problems of a configuration, one sentence each, without secrets; empty if it is valid.
inline std::vector<std::string> validate(const PodConfig& config) {
    std::vector<std::string> problems;
    const auto append = [&](const std::string& where, const std::vector<std::string>& more) {
        for (const std::string& problem : more)
            problems.push_back(where + problem);
    };
    const auto require = [&](bool holds, const char* sentence) {
        if (!holds)
            problems.emplace_back(sentence);
    };
    const auto client_problems = [&](const http::Url& server) {
        return validate(scrape::client_for(config.client, server));
    };
    // Those that it has with any server.
    const std::vector<std::string> of_client =
        client_problems(http::parse_url("http://localhost").value());
    const auto check_url = [&](const std::string& where, const std::string& url) {
        const auto address = scrape::parse_page_url(url);
        if (address.has_error()) {
            problems.push_back(where + address.error().message);
            return;
        }
        for (const std::string& problem : client_problems(address->server))
            if (std::ranges::find(of_client, problem) == of_client.end())
                problems.push_back(where + "client." + problem);
    };
    append("client.", of_client);
    for (std::size_t i = 0; i < config.targets.size(); ++i)
        check_url("targets[" + std::to_string(i) + "]: ", config.targets[i].url);
    for (std::size_t i = 0; i < config.services.size(); ++i)
        check_url("services[" + std::to_string(i) + "]: ", config.services[i].url);
    require(!config.targets.empty() || !config.services.empty() || config.find_targets,
            "at least one of targets, services and find_targets must say which pods there are");
    append("engine.", validate(config.engine));
    append("schedule.", validate(config.schedule));
    append("page.", validate(config.page));
    append("store.", validate(config.store));
    append("load_reports.", validate(config.load_reports));
    require(config.find_again_after >= Duration::zero(), "find_again_after must not be negative");
    require(config.scrape_timeout > Duration::zero() &&
                config.scrape_timeout <= std::chrono::minutes(5),
            "scrape_timeout must be positive and at most 5m");
    require(config.whole_page_every > Duration::zero(), "whole_page_every must be positive");
    require(config.max_targets > 0, "max_targets must be positive");
    require(config.rate_window > Duration::zero() && config.rate_window <= std::chrono::hours(1),
            "rate_window must be positive and at most 1h, because every sample within it is kept");
    require(config.peak_window >= Duration::zero() && config.peak_window <= std::chrono::hours(1),
            "peak_window must not be negative, and must be at most 1h; 0 takes the last sample");
    require(config.min_requests >= 0 && !std::isinf(config.min_requests),
            "min_requests must be finite and not negative");
    require(config.stale_after > Duration::zero(), "stale_after must be positive");
    require(config.batch_timeout > Duration::zero(), "batch_timeout must be positive");
    return problems;
}

} // namespace wva_metrics
