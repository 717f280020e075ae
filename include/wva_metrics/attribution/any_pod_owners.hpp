// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/pod_owners.hpp"

#include <concepts>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace wva_metrics {

/// Any `PodOwners` behind one type, so that a configuration can hold it. Also returns pod states if
/// the owners are `PodStates`.
///
/// Cheap to copy: copies share the owners. If the owners throw, the pod counts as unknown, so that
/// a faulty resolver does not make the collection fail.
///
/// **Threads:** safe, as `PodOwners` requires of the owners.
class AnyPodOwners {
public:
    /// Holds no owners: every pod is unknown.
    AnyPodOwners() = default;

    /// Holds these owners.
    template <PodOwners Owners>
        requires(!std::same_as<Owners, AnyPodOwners>)
    AnyPodOwners(Owners owners) : AnyPodOwners(std::make_shared<const Owners>(std::move(owners))) {}

    /// Shares these owners, which may be updated meanwhile. Null = every pod is unknown.
    template <PodOwners Owners>
    AnyPodOwners(std::shared_ptr<const Owners> owners)
        : owners_(std::move(owners)), operations_(&operations_of<Owners>) {}
    /// Shares these owners, like the constructor for constant owners.
    template <PodOwners Owners>
        requires(!std::is_const_v<Owners>)
    AnyPodOwners(std::shared_ptr<Owners> owners)
        : AnyPodOwners(std::shared_ptr<const Owners>(std::move(owners))) {}

    /// Whether it holds owners.
    explicit operator bool() const noexcept { return owners_ != nullptr; }

    /// The owner of a pod; empty if it is unknown.
    std::optional<PodOwner> find(std::string_view namespace_name,
                                 std::string_view pod) const noexcept {
        try {
            return owners_ ? operations_->find(owners_.get(), namespace_name, pod) : std::nullopt;
        } catch (...) {
            return std::nullopt;
        }
    }

    /// The state of a pod.
    PodState state_of(std::string_view namespace_name, std::string_view pod) const noexcept {
        try {
            return owners_ ? operations_->state_of(owners_.get(), namespace_name, pod)
                           : PodState::unknown;
        } catch (...) {
            return PodState::unknown;
        }
    }

private:
    struct Operations {
        std::optional<PodOwner> (*find)(const void* owners, std::string_view namespace_name,
                                        std::string_view pod);
        PodState (*state_of)(const void* owners, std::string_view namespace_name,
                             std::string_view pod);
    };

    template <typename Owners>
    static std::optional<PodOwner> find_in(const void* owners, std::string_view namespace_name,
                                           std::string_view pod) {
        return static_cast<const Owners*>(owners)->find(namespace_name, pod);
    }
    template <typename Owners>
    static PodState state_in([[maybe_unused]] const void* owners,
                             [[maybe_unused]] std::string_view namespace_name,
                             [[maybe_unused]] std::string_view pod) {
        if constexpr (PodStates<Owners>)
            return static_cast<const Owners*>(owners)->state_of(namespace_name, pod);
        else
            return PodState::unknown;
    }

    template <typename Owners>
    static constexpr Operations operations_of{&find_in<Owners>, &state_in<Owners>};

    std::shared_ptr<const void> owners_;
    const Operations* operations_ = nullptr;
};

static_assert(PodOwners<AnyPodOwners> && PodStates<AnyPodOwners>);

} // namespace wva_metrics
