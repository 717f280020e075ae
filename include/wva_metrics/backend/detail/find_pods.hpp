// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/pod_impl.hpp"
#include "wva_metrics/backend/detail/scrape_wait.hpp"
#include "wva_metrics/backend/detail/service_addresses.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/scrape/scrape_target.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Whether a target or a service may have pods of a model.
template <typename Described>
bool may_serve(const Described& described, const ModelKey& model) {
    return (described.model.empty() || described.model == model.model_id) &&
           (described.namespace_name.empty() || described.namespace_name == model.namespace_name);
}

/// True if it was not asked for recently; then it counts as asked for now.
inline bool is_due(std::optional<TimePoint>& asked_at, TimePoint now, Duration again_after) {
    if (asked_at && now - *asked_at < again_after)
        return false;
    asked_at = now;
    return true;
}

/// Asks the function of the configuration for the pods of a model. Its exceptions are errors.
template <typename Executor>
asio::awaitable<void> ask_function(std::shared_ptr<PodImpl<Executor>> impl, ModelKey model) {
    Result<std::vector<scrape::ScrapeTarget>> found =
        Error(Errc::internal, "PodConfig::find_targets threw an exception");
    try {
        found = co_await impl->config.find_targets(model);
    } catch (const std::exception& thrown) {
        found = Error(Errc::internal,
                      std::string("PodConfig::find_targets threw an exception: ") + thrown.what());
    }
    const std::lock_guard lock(impl->mutex);
    FoundPods& finding = impl->findings[model];
    if (found.has_error()) {
        finding.failure = found.error();
        co_return;
    }
    finding.failure.reset();
    finding.found = *std::move(found);
    // They were found for this model.
    for (scrape::ScrapeTarget& target : finding.found) {
        if (target.model.empty())
            target.model = model.model_id;
        else if (target.model == any_model)
            target.model.clear();
        if (target.namespace_name.empty())
            target.namespace_name = model.namespace_name;
    }
}

/// Resolves the name of a service.
template <typename Executor>
asio::awaitable<void> ask_service(std::shared_ptr<PodImpl<Executor>> impl, std::size_t service,
                                  TimePoint deadline) {
    const scrape::PageAddress page =
        scrape::parse_page_url(impl->config.services[service].url).value();
    const Result<std::set<std::string>> found =
        co_await resolve_all(page.server.host, std::to_string(page.server.port), deadline);
    const std::lock_guard lock(impl->mutex);
    ServiceAddresses& known = impl->services[service];
    known.failure = found.has_error() ? std::optional(found.error()) : std::nullopt;
    if (found.has_value())
        known.addresses = *found;
}

/// Tells the fleet which targets a model has, by all that is known. `is_late`: the call has waited for
/// as long as it may, so what is still being searched for may be missing.
template <typename Executor>
void set_targets(PodImpl<Executor>& impl, const ModelKey& model, bool is_late, TimePoint now) {
    std::vector<scrape::ScrapeTarget> all;
    std::optional<Error> failure;
    for (const scrape::ScrapeTarget& target : impl.config.targets)
        if (may_serve(target, model))
            all.push_back(target);
    {
        const std::lock_guard lock(impl.mutex);
        for (std::size_t i = 0; i < impl.services.size(); ++i) {
            const PodService& service = impl.config.services[i];
            if (!may_serve(service, model))
                continue;
            const scrape::PageAddress page = scrape::parse_page_url(service.url).value();
            if (is_late && impl.services[i].search)
                failure =
                    Error(Errc::timeout, "the name was not resolved in time", page.server.host);
            if (impl.services[i].failure)
                failure = impl.services[i].failure;
            for (const std::string& address : impl.services[i].addresses)
                all.push_back(target_of(service, page, address));
        }
        if (impl.config.find_targets) {
            const FoundPods& finding = impl.findings[model];
            all.insert(all.end(), finding.found.begin(), finding.found.end());
            if (is_late && finding.search)
                failure = Error(Errc::timeout, "PodConfig::find_targets has not completed within "
                                               "PodConfig::batch_timeout; it is not called again "
                                               "before it has");
            if (finding.failure)
                failure = finding.failure;
        }
    }
    const std::optional<Error> rejected = impl.fleet->set_targets(model, all, now);
    const std::lock_guard lock(impl.mutex);
    FoundPods& finding = impl.findings[model];
    finding.refused = rejected ? rejected : failure;
    finding.was_found = finding.was_found || !all.empty() || !failure;
}

/// A call that waits for searches of targets.
template <typename Executor>
struct SearchWaiter {
    SearchWaiter(std::shared_ptr<PodImpl<Executor>> of, const asio::any_io_executor& executor)
        : impl(std::move(of)), wait(executor) {
        const std::lock_guard lock(impl->mutex);
        impl->searching.insert(&wait);
    }
    SearchWaiter(const SearchWaiter&) = delete;
    SearchWaiter& operator=(const SearchWaiter&) = delete;
    ~SearchWaiter() {
        const std::lock_guard lock(impl->mutex);
        impl->searching.erase(&wait);
    }
    /// Something is still being searched for.
    bool is_late() const {
        const std::lock_guard lock(impl->mutex);
        return !wait.empty();
    }
    const std::shared_ptr<PodImpl<Executor>> impl;
    ScrapeWait wait;
};

/// Begins the search `search()`, which goes on without the call that began it. `known(impl)` is what
/// it is for.
template <typename Executor, typename Search, typename Known>
void begin_search(const std::shared_ptr<PodImpl<Executor>>& impl,
                  const asio::any_io_executor& executor, PodSearch number, Search search,
                  Known known) {
    auto end = [impl, number, known](const std::exception_ptr& thrown) {
        const std::lock_guard lock(impl->mutex);
        auto& found = known(*impl);
        if (thrown)
            found.failure = Error(Errc::internal, "a search for pods threw an exception");
        found.search.reset();
        for (ScrapeWait* const waiting : impl->searching)
            waiting->note(number);
    };
    try {
        asio::co_spawn(executor, search(), end);
    } catch (const std::exception&) {
        end(std::current_exception());
    }
}

/// Finds the targets of these models, and tells the fleet. One search for the same thing runs at a
/// time: a call waits for it that has begun it, or that knows no pods without it.
template <typename Executor>
asio::awaitable<void> find_pods(std::shared_ptr<PodImpl<Executor>> impl,
                                std::vector<ModelKey> models, TimePoint deadline) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    SearchWaiter<Executor> waiter(impl, executor);
    std::map<std::size_t, PodSearch> services;
    std::map<ModelKey, PodSearch> functions;
    {
        const TimePoint now = std::chrono::steady_clock::now();
        const std::lock_guard lock(impl->mutex);
        impl->note_use(models, now);
        // `note(number)` is called for a search that has to be begun.
        const auto join = [&](auto& known, bool is_known, auto note) {
            if (!known.search && is_due(known.asked_at, now, impl->config.find_again_after)) {
                const PodSearch number = ++impl->last_search;
                waiter.wait.add(number);
                note(number);
                known.search = number; // Last, so that nothing waits for ever if memory is short.
            } else if (known.search && !is_known) {
                waiter.wait.add(*known.search);
            }
        };
        for (const ModelKey& model : models) {
            FoundPods& finding = impl->findings[model];
            for (std::size_t i = 0; i < impl->services.size(); ++i)
                if (may_serve(impl->config.services[i], model))
                    join(impl->services[i], finding.was_found,
                         [&](PodSearch number) { services.emplace(i, number); });
            if (impl->config.find_targets)
                join(finding, finding.was_found,
                     [&](PodSearch number) { functions.emplace(model, number); });
        }
    }
    const bool has_news = waiter.is_late();
    for (const auto& [place, number] : services)
        begin_search(
            impl, executor, number,
            [&impl, deadline, i = place] { return ask_service(impl, i, deadline); },
            [i = place](PodImpl<Executor>& of) -> ServiceAddresses& { return of.services[i]; });
    for (const auto& [key, number] : functions)
        begin_search(
            impl, executor, number, [&impl, &model = key] { return ask_function(impl, model); },
            [model = key](PodImpl<Executor>& of) -> FoundPods& { return of.findings[model]; });
    if (has_news)
        co_await waiter.wait.wait(deadline);
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
        co_return; // It has not waited for as long as it may.
    const bool is_late = waiter.is_late();
    for (const ModelKey& model : models)
        if (has_news || !impl->fleet->knows(model))
            set_targets(*impl, model, is_late, std::chrono::steady_clock::now());
}

} // namespace wva_metrics::detail
