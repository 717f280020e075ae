// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/samples/cluster_conflict.hpp"
#include "wva_metrics/samples/label_evidence.hpp"
#include "wva_metrics/samples/pod_processes.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/view.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::samples::detail {

/// A text of somebody else, in quotes, short and safe to show.
inline std::string in_quotes(std::string_view text) {
    constexpr std::size_t max_bytes = 100;
    return '"' + wva_metrics::detail::clean_text(text, max_bytes) + '"';
}

/// The first elements, and how many more there are, e.g. `a, b and 7 more`.
inline std::string enumerate(std::span<const std::string> texts) {
    constexpr std::size_t max_shown = 3;
    std::string result;
    const std::size_t shown = std::min(texts.size(), max_shown);
    for (std::size_t i = 0; i < shown; ++i) {
        if (i > 0)
            result += i + 1 == texts.size() ? " and " : ", ";
        result += texts[i];
    }
    if (texts.size() > shown)
        result += " and " + std::to_string(texts.size() - shown) + " more";
    return result;
}

/// Writes the warnings of one model: one for all pods with the same trouble.
class ProcessWarnings {
public:
    explicit ProcessWarnings(const SampleRules& rules) : rules_(rules) {}

    /// Clusters share one store.
    void add(const ClusterConflict& conflict) {
        std::vector<std::string> values;
        for (const std::string& value : conflict.values)
            values.push_back(in_quotes(value));
        add_text("the series of this model have the label " + in_quotes(conflict.label) + " with " +
                 enumerate(values) +
                 " at the same time, as if several clusters shared one store, so that all of its "
                 "pods are ambiguous: choose one with matchers, such as " +
                 conflict.label + '=' + values.front());
    }

    /// Nothing tells whether two views of a pod are of one process.
    void add(std::string_view pod, const UnclearPair& pair) {
        const auto names = differing_labels(pair.first->labels, pair.second->labels);
        Trouble trouble{std::string(pair.why), {names.begin(), names.end()}};
        Pods& pods = troubles_[std::move(trouble)];
        if (pods.names.empty())
            pods.example = pair;
        pods.add(pod);
    }

    /// A pod has too many views to compare them.
    void add_crowded(std::string_view pod, std::size_t views, std::size_t max_views) {
        if (crowded_.names.empty())
            most_views_ = "has " + std::to_string(views) + " sets of labels, and more than " +
                          std::to_string(max_views) +
                          " are not compared, so that it is ambiguous: choose fewer with matchers";
        crowded_.add(pod);
    }

    /// A view without a pod is a copy of this pod.
    void add_copy(std::string_view pod) { copied_.add(pod); }
    /// A view is left out, because it has no address.
    void add_aggregate() { ++aggregates_; }
    /// A server has no pod.
    void add_unattributed() { ++unattributed_; }

    /// The warnings about what is ambiguous, one line each.
    std::vector<std::string> take_ambiguities() {
        for (const auto& [trouble, pods] : troubles_)
            add_text(describe(trouble.names, pods));
        if (!crowded_.names.empty())
            add_text(crowded_.text() + ' ' + most_views_);
        return std::exchange(warnings_, {});
    }

    /// The other warnings, one line each.
    std::vector<std::string> take() && {
        if (!copied_.names.empty())
            add_text("series without a label that names the pod are copies of those of " +
                     copied_.text() + ", and do not count again");
        if (aggregates_ > 0)
            add_text("series without an address (labels: " + names_of(rules_.address) +
                     ") are left out, because others have one: they are taken for recorded or "
                     "aggregated copies");
        if (unattributed_ > 0)
            add_text(std::to_string(unattributed_) +
                     (unattributed_ == 1 ? " server has" : " servers have") +
                     " no label that names the pod (labels: " + names_of(rules_.pod) + ')');
        return std::move(warnings_);
    }

private:
    struct Trouble {
        std::string why;
        std::vector<std::string> names;

        friend auto operator<=>(const Trouble&, const Trouble&) = default;
    };

    struct Pods {
        std::vector<std::string> names{};
        UnclearPair example{};

        /// The pods come sorted.
        void add(std::string_view pod) {
            std::string name = pod.empty() ? "a server without a pod" : "pod " + in_quotes(pod);
            if (names.empty() || names.back() != name)
                names.push_back(std::move(name));
        }
        std::string text() const { return enumerate(names); }
    };

    void add_text(std::string text) { warnings_.push_back(std::move(text)); }

    static std::string names_of(std::span<const std::string> labels) {
        std::string names;
        for (const std::string& label : labels)
            names += (names.empty() ? "" : ", ") + label;
        return names;
    }

    std::string describe(std::span<const std::string> names, const Pods& pods) const {
        const UnclearPair& pair = pods.example;
        std::vector<std::string> differences;
        std::string advice;
        for (const std::string& name : names) {
            const std::string_view one = find_label(pair.first->labels, name);
            const std::string_view other = find_label(pair.second->labels, name);
            differences.push_back(name + " (" + in_quotes(one) + ", " + in_quotes(other) + ')');
            // An address is that of one pod only.
            if (advice.empty() && !is_listed(rules_.address, name))
                advice = ": if they are copies, choose one with matchers, such as " + name + '=' +
                         in_quotes(one.empty() ? other : one);
        }
        if (advice.empty())
            advice = ": if they are copies, leave out one target, or use matchers";
        return pods.text() +
               " is seen several times, and nothing tells whether it is one process (" +
               std::string(pair.why) + "); the labels differ in " + enumerate(differences) + advice;
    }

    const SampleRules& rules_;
    std::vector<std::string> warnings_;
    std::map<Trouble, Pods> troubles_;
    Pods crowded_;
    std::string most_views_;
    Pods copied_;
    std::size_t aggregates_ = 0;
    std::size_t unattributed_ = 0;
};

} // namespace wva_metrics::samples::detail
