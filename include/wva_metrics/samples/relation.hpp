// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/label_evidence.hpp"
#include "wva_metrics/samples/liveness.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/value_evidence.hpp"
#include "wva_metrics/samples/view.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

namespace wva_metrics::samples {

/// What two views of one pod are to each other.
enum class RelationKind : std::uint8_t {
    same,        ///< Copies of one process; proven.
    likely_same, ///< Copies of one process, unless other copies of it show that they are not.
    other,       ///< Two processes.
    first_over,  ///< Two processes; the first has ended, and only the second counts.
    second_over, ///< Two processes; the second has ended, and only the first counts.
    unclear,     ///< Nothing decides, or the evidence contradicts itself.
};

/// A relation, and by what it was decided.
struct Relation {
    RelationKind kind = RelationKind::unclear; ///< What they are to each other.
    std::string_view evidence{};               ///< In words; a literal.
};

/// What must be known of a view to compare it with others, so that it is found only once.
struct ComparedView {
    const View* view = nullptr; ///< The view.
    /// It is lost, and its target does not tell that it may only be too busy to answer.
    bool is_over = false;
    /// Empty if too little is known.
    std::optional<ServerDuration> spacing{};
    Engines engines{}; ///< See `engines_of`.

    /// Finds it at this time of the server. The view must outlive it.
    ComparedView(const View& compared, ServerTime now, const SampleRules& rules)
        : view(&compared),
          is_over(is_lost(compared, now, rules) && !is_unread(compared, now, rules)),
          spacing(scrape_spacing(compared)), engines(engines_of(compared)) {}
};

/// Decides what two views of one pod are to each other, at a time on the clock of the server.
///
/// `traits` and `rules` must outlive it.
class ViewComparer {
public:
    /// `now`: when life is judged.
    ViewComparer(const MetricTraits& traits, const SampleRules& rules, ServerTime now)
        : traits_(traits), rules_(rules), now_(now) {}

    /// The first rule that fits decides. The order of the views does not matter, apart from which
    /// one is called the first.
    Relation relate(const ComparedView& a, const ComparedView& b) const {
        using enum RelationKind;
        if (is_one_page(*a.view, *b.view, rules_))
            return {other, "one page of metrics, divided by a label of the server"};
        if (has_other_engines(a.engines, b.engines))
            return {other, "other engines"};
        const IdentityVerdict identity = compare_identities(*a.view, *b.view);
        if (identity == IdentityVerdict::same)
            return {same, "identity"};
        const bool is_same_address = !a.view->address.empty() && a.view->address == b.view->address;
        const ValueVerdict values = compare_values(*a.view, *b.view, traits_, rules_);
        if (identity != IdentityVerdict::likely && is_same_address)
            return relate_at_one_address(a, b, values);
        if (identity == IdentityVerdict::likely)
            return relate_started_at_once(values, is_same_address);
        return relate_addresses(a, b, identity, values);
    }

private:
    /// One address is one server, unless what stands there passes requests on to several. Two
    /// scrapers whose clocks disagree may also see values that do not fit.
    static Relation relate_at_one_address(const ComparedView& a, const ComparedView& b,
                                          ValueVerdict values) {
        if (values != ValueVerdict::other || a.engines != b.engines)
            return {RelationKind::same, "address"};
        const auto names = differing_labels(a.view->labels, b.view->labels);
        if (std::ranges::any_of(names, detail::names_scraper))
            return {RelationKind::same, "address"};
        if (std::ranges::find(names, "metrics_path") != names.end())
            return {RelationKind::other, "values"};
        return {RelationKind::unclear, "values that differ at one address"};
    }

    static Relation relate_started_at_once(ValueVerdict values, bool is_same_address) {
        const bool is_refuted =
            values == ValueVerdict::other || values == ValueVerdict::contradictory;
        if (is_refuted && !is_same_address)
            return {RelationKind::unclear, "equal start times, but values that differ"};
        return {RelationKind::same, "identity"};
    }

    Relation relate_addresses(const ComparedView& a, const ComparedView& b,
                              IdentityVerdict identity, ValueVerdict values) const {
        using enum RelationKind;
        const bool have_addresses = !a.view->address.empty() && !b.view->address.empty();
        const bool are_on_one_host = have_addresses && a.view->host() == b.view->host();
        const bool have_other_hosts = have_addresses && !are_on_one_host;
        if (!are_on_one_host && ended_before(a, b))
            return {first_over, "one ended before the other began"};
        if (!are_on_one_host && ended_before(b, a))
            return {second_over, "one ended before the other began"};
        if (identity == IdentityVerdict::other && !have_other_hosts)
            return {other, "identity"};
        if (values == ValueVerdict::same)
            return {same, "values"};
        if (values == ValueVerdict::idle)
            return {likely_same, "idle and equal"};
        if (a.is_over != b.is_over && are_on_one_host)
            return {other, "ports"};
        if (a.is_over != b.is_over)
            return {a.is_over ? first_over : second_over, "one has ended"};
        if (values == ValueVerdict::contradictory)
            return {unclear, "values that agree and disagree"};
        if (have_other_hosts && a.view->port() == b.view->port()) {
            if (values == ValueVerdict::other || identity == IdentityVerdict::other)
                return {unclear, "two processes on one port"};
            return {likely_same, "port"};
        }
        if (values == ValueVerdict::other)
            return {other, "values"};
        if (rules_.are_ports_processes && are_on_one_host)
            return {other, "ports"};
        return have_addresses ? Relation{unclear, "addresses that nothing tells apart yet"}
                              : relate_labels(*a.view, *b.view);
    }

    Relation relate_labels(const View& a, const View& b) const {
        const auto names = differing_labels(a.labels, b.labels);
        const bool is_copy = std::ranges::all_of(names, [this](std::string_view name) {
            return detail::is_listed(rules_.copy_only, name) ||
                   detail::is_listed(rules_.pod, name) || detail::is_listed(rules_.address, name);
        });
        if (is_copy)
            return {RelationKind::likely_same, "labels of the scrape"};
        return {RelationKind::unclear, "labels that may tell processes apart or not"};
    }

    /// True if the one had missed a scrape at least, and the other began after that. Two that are
    /// scraped in turn do not look like this.
    bool ended_before(const ComparedView& one, const ComparedView& other) const {
        if (one.view->last() >= other.view->first())
            return false;
        const ServerDuration age = now_ - one.view->last();
        return one.is_over || (one.spacing && age > *one.spacing + *one.spacing / 2);
    }

    const MetricTraits& traits_;
    const SampleRules& rules_;
    ServerTime now_;
};

} // namespace wva_metrics::samples
