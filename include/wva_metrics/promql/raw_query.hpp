// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/engine/exposed_metrics.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/optional_reading.hpp"
#include "wva_metrics/promql/detail/series_selector.hpp"
#include "wva_metrics/promql/duration.hpp"
#include "wva_metrics/promql/matcher.hpp"
#include "wva_metrics/promql/query_windows.hpp"
#include "wva_metrics/promql/selector.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::promql {

/// A query that selects nothing. The time of its value is the server's evaluation time.
inline constexpr std::string_view time_query = "vector(0)";

/// The queries for the series of inference servers. They ask for samples and leave all arithmetic
/// to the caller.
///
/// A query for samples is a range selector. Send it as an instant query: the answer is a matrix
/// with all labels and the samples' own times.
///
/// A scope without models selects whole namespaces.
///
/// **Errors** of all queries: `invalid_argument` if the scope has no namespace or an empty model,
/// or if a text is not UTF-8.
///
/// **Threads:** safe, because it does not change.
class RawQueries {
public:
    /// `profile` and `matchers` must be valid. `chosen` are the optional readings.
    RawQueries(const EngineProfile& profile, std::span<const Matcher> matchers,
               OptionalReadingSet chosen = {})
        : running_(exposed_metrics(profile, Signal::running)), required_(exposed_metrics(profile)),
          sampled_(exposed_metrics(profile, chosen)), identified_(identity_metrics(profile)),
          namespace_label_(profile.labels.namespace_name), model_label_(profile.labels.model),
          matchers_(to_string(matchers)) {
        sampled_.emplace_back("up");
        identified_.insert(identified_.end(), sampled_.begin(), sampled_.end());
    }

    /// Which series of `Signal::running` have not ended, as an instant vector. Its time is the
    /// server's evaluation time even if nothing is selected.
    ///
    /// `time` must select exactly one element, which has no labels.
    Result<std::string> living(const QueryScope& scope, std::string_view time = time_query) const {
        auto selector = selector_of(running_, scope, Models::exactly);
        if (selector.has_value())
            *selector += " or " + std::string(time);
        return selector;
    }

    /// The samples of all signals and chosen readings, and of `up` of their targets.
    ///
    /// Series without a model are selected too, because `up` has none. `window` must be positive.
    Result<std::string> samples(const QueryScope& scope, Duration window) const {
        return over(selector_of(sampled_, scope, Models::or_none), window);
    }

    /// The same for some pods only, with what identifies their processes (`identity_metrics`).
    ///
    /// `pod_label` is the label that names the pods. There must be at least one pod, and none that
    /// is empty.
    Result<std::string> samples_of_pods(const QueryScope& scope, std::string_view pod_label,
                                        std::span<const std::string> pods, Duration window) const {
        if (pods.empty() || std::find(pods.begin(), pods.end(), "") != pods.end())
            return Error(Errc::invalid_argument, "a query for pods needs names of pods");
        detail::SeriesSelector selector(identified_);
        add_scope(selector, scope, Models::or_none);
        selector.add(pod_label, pods);
        return over(finish(std::move(selector), scope, matchers_), window);
    }

    /// The samples that show when the servers of a scope last reported: those of `Signal::running`.
    Result<std::string> presence(const QueryScope& scope, Duration window) const {
        return over(selector_of(running_, scope, Models::exactly), window);
    }
    /// The same of every signal that is always measured, for servers of which `Signal::running` is not
    /// scraped. Several times as many samples.
    Result<std::string> presence_by_any(const QueryScope& scope, Duration window) const {
        return over(selector_of(required_, scope, Models::exactly), window);
    }

    /// When each model last reported within `windows.stale_lookback`, in Unix seconds; exact to
    /// `windows.stale_step`. One element per model. More expensive than the samples of a short
    /// window, so query few models.
    Result<std::string> last_report(const QueryScope& scope, const QueryWindows& windows) const {
        const std::string range = "[" + format_duration(windows.stale_lookback) + ":" +
                                  format_duration(windows.stale_step) + "]";
        std::string times;
        for (const std::string& metric : running_) {
            const auto selector = selector_of(std::span(&metric, 1), scope, Models::exactly);
            if (selector.has_error())
                return selector.error();
            // `timestamp` removes the name, without which two metrics have equal labels.
            times += times.empty() ? "label_replace(" : " or label_replace(";
            times += "max_over_time(timestamp(" + *selector + ")" + range + "), \"__name__\", \"" +
                     metric + "\", \"\", \"\")";
        }
        return "max by (" + namespace_label_ + "," + model_label_ + ") (" + times + ")";
    }

    /// Whether a query for hints uses the configured matchers.
    enum class UseMatchers { yes, no };

    /// The series of `Signal::running` of these models in any namespace, as an instant vector with
    /// all labels. For the message to a person who may have configured the wrong namespace, label
    /// or matcher: a model of the same name elsewhere is another model.
    Result<std::string> elsewhere(std::span<const std::string> model_ids, UseMatchers use) const {
        if (model_ids.empty() ||
            std::find(model_ids.begin(), model_ids.end(), "") != model_ids.end())
            return Error(Errc::invalid_argument, "the model id is empty");
        detail::SeriesSelector selector(running_);
        selector.add(model_label_, model_ids);
        if (use == UseMatchers::yes)
            selector.add(matchers_);
        return std::move(selector).take();
    }

    /// The bytes of `living` or `samples`, whichever is longer, without the values in its scope; an
    /// upper bound.
    std::size_t frame_bytes() const {
        // Several namespaces and a model make the longest form of each matcher.
        const QueryScope scope{{"", "n"}, {"m"}};
        constexpr Duration longest = Duration::max();
        const auto bytes = [](const Result<std::string>& text) { return text.value().size(); };
        return std::max(bytes(living(scope)), bytes(samples(scope, longest)));
    }

private:
    enum class Models { exactly, or_none };

    void add_scope(detail::SeriesSelector& selector, const QueryScope& scope, Models models) const {
        selector.add(namespace_label_, scope.namespaces);
        if (!scope.models.empty())
            selector.add(model_label_, scope.models,
                         models == Models::or_none ? detail::WithoutLabel::included
                                                   : detail::WithoutLabel::excluded);
    }

    static Result<std::string> finish(detail::SeriesSelector selector, const QueryScope& scope,
                                      const std::string& matchers) {
        if (scope.namespaces.empty())
            return Error(Errc::invalid_argument, "a query needs at least one namespace");
        if (std::find(scope.models.begin(), scope.models.end(), "") != scope.models.end())
            return Error(Errc::invalid_argument, "the model id is empty");
        selector.add(matchers);
        return std::move(selector).take();
    }

    Result<std::string> selector_of(std::span<const std::string> metrics, const QueryScope& scope,
                                    Models models) const {
        detail::SeriesSelector selector(metrics);
        add_scope(selector, scope, models);
        return finish(std::move(selector), scope, matchers_);
    }

    static Result<std::string> over(Result<std::string> selector, Duration window) {
        if (selector.has_value())
            *selector += "[" + format_duration(window) + "]";
        return selector;
    }

    std::vector<std::string> running_;
    std::vector<std::string> required_;
    std::vector<std::string> sampled_;
    std::vector<std::string> identified_;
    std::string namespace_label_;
    std::string model_label_;
    std::string matchers_;
};

} // namespace wva_metrics::promql
