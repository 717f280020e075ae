// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/process.hpp"
#include "wva_metrics/samples/relation.hpp"
#include "wva_metrics/samples/view.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::samples {

/// Two views of which nothing tells whether they are of one process.
struct UnclearPair {
    const View* first = nullptr;  ///< One.
    const View* second = nullptr; ///< The other.
    std::string_view why{};       ///< In words; a literal.
};

/// The processes of one pod.
struct PodProcesses {
    std::vector<Process> processes{};   ///< In the order of their first views.
    std::vector<UnclearPair> unclear{}; ///< Why some are ambiguous.
};

namespace detail {

/// Divides the views of one pod into processes, by what each two of them are to each other.
class PodDivision {
public:
    /// Without `is_named` the views are of servers whose labels name no pod: then only what is
    /// proven joins two addresses.
    PodDivision(std::span<const View* const> views, bool is_named, const ViewComparer& comparer,
                ServerTime now, const SampleRules& rules)
        : group_of_(views.size()), is_named_(is_named) {
        for (const View* view : views)
            views_.emplace_back(*view, now, rules);
        relations_.resize(size() * size());
        for (std::size_t i = 0; i < size(); ++i)
            for (std::size_t j = i + 1; j < size(); ++j)
                relations_[i * size() + j] = relate(comparer, i, j);
        std::iota(group_of_.begin(), group_of_.end(), std::size_t(0));
    }

    PodProcesses divide(std::string_view pod) {
        join();
        make_processes(pod);
        find_contradictions();
        for (std::size_t g = 0; g < groups_.size(); ++g)
            for (std::size_t h = g + 1; h < groups_.size(); ++h)
                compare_groups(g, h);
        for (const auto& [g, h, pair] : doubts_)
            if (!is_predecessor(g) && !is_predecessor(h))
                make_ambiguous(g, h, pair);
        for (std::size_t g = 0; g < groups_.size(); ++g)
            result_.processes[g].evidence.assign(evidence_[g].begin(), evidence_[g].end());
        return std::move(result_);
    }

private:
    struct Doubt {
        std::size_t first;
        std::size_t second;
        UnclearPair pair;
    };

    std::size_t size() const noexcept { return views_.size(); }

    /// Empty if nothing is said: servers without a pod are not presumed to be related.
    std::optional<Relation> relate(const ViewComparer& comparer, std::size_t i,
                                   std::size_t j) const {
        const Relation relation = comparer.relate(views_[i], views_[j]);
        const std::string& address = views_[i].view->address;
        const bool is_presumed_apart =
            !is_named_ && !address.empty() && address != views_[j].view->address;
        if (is_presumed_apart && relation.kind != RelationKind::same)
            return std::nullopt;
        return relation;
    }

    /// What view i is to view j.
    std::optional<Relation> relation(std::size_t i, std::size_t j) const {
        if (i < j)
            return relations_[i * size() + j];
        std::optional<Relation> turned = relations_[j * size() + i];
        if (turned && turned->kind == RelationKind::first_over)
            turned->kind = RelationKind::second_over;
        else if (turned && turned->kind == RelationKind::second_over)
            turned->kind = RelationKind::first_over;
        return turned;
    }

    bool is(RelationKind kind, std::size_t i, std::size_t j) const {
        const std::optional<Relation> found = relation(i, j);
        return found && found->kind == kind;
    }

    /// Calls `use(i, j)` for each two views.
    template <typename Use>
    void for_each_pair(Use use) const {
        for (std::size_t i = 0; i < size(); ++i)
            for (std::size_t j = i + 1; j < size(); ++j)
                use(i, j);
    }

    /// Joins what is proven, and then what is likely, unless other copies show that it is not so.
    void join() {
        for_each_pair([this](std::size_t i, std::size_t j) {
            if (is(RelationKind::same, i, j))
                join_groups(i, j);
        });
        for_each_pair([this](std::size_t i, std::size_t j) {
            if (is(RelationKind::likely_same, i, j) && !are_told_apart(group_of_[i], group_of_[j]))
                join_groups(i, j);
        });
    }

    void join_groups(std::size_t i, std::size_t j) {
        const std::size_t kept = std::min(group_of_[i], group_of_[j]);
        const std::size_t joined = std::max(group_of_[i], group_of_[j]);
        std::ranges::replace(group_of_, joined, kept);
    }

    /// True if two views of two groups are known to be of two processes.
    bool are_told_apart(std::size_t g, std::size_t h) const {
        if (g == h)
            return false;
        for (std::size_t i = g; i < size(); ++i)
            for (std::size_t j = h; group_of_[i] == g && j < size(); ++j)
                if (group_of_[j] == h &&
                    (is(RelationKind::other, i, j) || is(RelationKind::first_over, i, j) ||
                     is(RelationKind::second_over, i, j)))
                    return true;
        return false;
    }

    void make_processes(std::string_view pod) {
        for (std::size_t first = 0; first < size(); ++first) {
            if (group_of_[first] != first)
                continue;
            std::vector<std::size_t>& members = groups_.emplace_back();
            Process& process = result_.processes.emplace_back();
            process.pod = pod;
            process.status = is_named_ ? ProcessStatus::counted : ProcessStatus::unattributed;
            for (std::size_t i = first; i < size(); ++i) {
                if (group_of_[i] != first)
                    continue;
                members.push_back(i);
                process.copies.push_back(views_[i].view);
            }
        }
        evidence_.resize(groups_.size());
    }

    /// Copies of one process of which two are proven to be different ones.
    void find_contradictions() {
        for (std::size_t g = 0; g < groups_.size(); ++g) {
            std::optional<UnclearPair> contradiction;
            for (const std::size_t i : groups_[g]) {
                for (const std::size_t j : groups_[g]) {
                    if (i >= j || !relation(i, j))
                        continue;
                    if (is(RelationKind::same, i, j) || is(RelationKind::likely_same, i, j))
                        evidence_[g].emplace(relation(i, j)->evidence);
                    if (is(RelationKind::other, i, j) && !contradiction)
                        contradiction = {views_[i].view, views_[j].view,
                                         "evidence that contradicts itself"};
                }
            }
            if (contradiction)
                doubts_.push_back({g, g, *contradiction});
        }
    }

    /// Two groups are two processes if any two of their views are. What the others leave open is
    /// then decided, because copies are copies of the same process.
    void compare_groups(std::size_t g, std::size_t h) {
        bool is_decided = false;
        bool is_over = false;
        std::optional<UnclearPair> unclear;
        for (const std::size_t i : groups_[g]) {
            for (const std::size_t j : groups_[h]) {
                const std::optional<Relation> found = relation(i, j);
                if (!found)
                    continue;
                switch (found->kind) {
                case RelationKind::first_over:
                case RelationKind::second_over:
                    is_over = true;
                    [[fallthrough]];
                case RelationKind::other:
                    is_decided = is_decided || found->kind == RelationKind::other;
                    evidence_[g].emplace(found->evidence);
                    evidence_[h].emplace(found->evidence);
                    break;
                case RelationKind::unclear:
                    if (!unclear)
                        unclear = {views_[i].view, views_[j].view, found->evidence};
                    break;
                case RelationKind::same:
                case RelationKind::likely_same:
                    break;
                }
            }
        }
        if (is_over)
            mark_predecessor(g, h);
        if (unclear && !is_decided)
            doubts_.push_back({g, h, *unclear});
    }

    /// The group of which no view lives is over; if that is true of both, the older.
    void mark_predecessor(std::size_t g, std::size_t h) {
        const bool first = is_group_over(g, h);
        const bool second = is_group_over(h, g);
        if (first && (!second || newest(g) < newest(h)))
            result_.processes[g].status = ProcessStatus::predecessor;
        else if (second && (!first || newest(h) < newest(g)))
            result_.processes[h].status = ProcessStatus::predecessor;
    }

    bool is_group_over(std::size_t g, std::size_t h) const {
        return std::ranges::all_of(groups_[g], [&](std::size_t i) {
            return views_[i].is_over || std::ranges::any_of(groups_[h], [&](std::size_t j) {
                       return is(RelationKind::first_over, i, j);
                   });
        });
    }

    ServerTime newest(std::size_t g) const {
        ServerTime last = ServerTime::min();
        for (const std::size_t i : groups_[g])
            last = std::max(last, views_[i].view->last());
        return last;
    }

    bool is_predecessor(std::size_t g) const noexcept {
        return result_.processes[g].status == ProcessStatus::predecessor;
    }

    void make_ambiguous(std::size_t g, std::size_t h, const UnclearPair& pair) {
        for (const std::size_t group : {g, h}) {
            result_.processes[group].status = ProcessStatus::ambiguous;
            evidence_[group].emplace(pair.why);
        }
        result_.unclear.push_back(pair);
    }

    std::vector<ComparedView> views_;
    std::vector<std::optional<Relation>> relations_;
    /// By view: the first view of its group.
    std::vector<std::size_t> group_of_;
    std::vector<std::vector<std::size_t>> groups_;
    std::vector<std::set<std::string>> evidence_;
    std::vector<Doubt> doubts_;
    PodProcesses result_;
    bool is_named_;
};

} // namespace detail

/// Divides the views of one pod into processes. The number of comparisons is quadratic.
inline PodProcesses divide_pod(std::string_view pod, std::span<const View* const> views,
                               const ViewComparer& comparer, ServerTime now,
                               const SampleRules& rules) {
    return detail::PodDivision(views, !pod.empty(), comparer, now, rules).divide(pod);
}

} // namespace wva_metrics::samples
